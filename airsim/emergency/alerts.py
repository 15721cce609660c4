"""Alert levels: which one a forecast calls for under a dated plan, and which one counts where windows overlap."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from airsim.clock import ZONE_NAME, from_beijing
from airsim.emergency.plans import plan_rule
from airsim.emergency.wording import city_of
from airsim.errors import InputError, Problem
from airsim.rules import Rule
from airsim.tables import Column, read_table


def called_level(running_aqi: xr.DataArray | npt.ArrayLike, *, plan: Rule | str | dt.date | None = None) -> str:
    """Highest alert level that a forecast of one city calls for.

    Parameters
    ----------
    running_aqi : (time,) array_like
        AQI of the 24 h means that end at each hour (`airsim.assess.aqi.running_index`) [1]; NaN is no
        exceedance.
    plan : Rule, str or date, optional
        Emergency plan.

    Returns
    -------
    str
        "red", "orange", "yellow", "blue" (2017 only) or "".

    Notes
    -----
    A running mean that stays above a value from one hour to h hours later covers 24 + h hours, so "above 200 for
    48 h" is a run of 25 consecutive running means above 200, and "for 24 h" a single one.
    """
    index = np.asarray(running_aqi, dtype=np.float64)
    return _called(index, plan_rule(plan))[0]


def _called(index: npt.NDArray[np.float64], plan: Rule) -> tuple[str, list[dict[str, float]], slice]:
    """Return the level, the conditions that call for it, and the running means that hold the first of them."""
    thresholds = plan["thresholds"]
    for level in ("red", "orange", "yellow", "blue"):
        for alternative in thresholds.get(level, []):
            runs = [_longest_run(_over(index, c)) for c in alternative]
            if all(run.stop - run.start >= c["hours"] - 23 for run, c in zip(runs, alternative, strict=True)):
                return level, alternative, runs[0]
    return "", [], slice(0, 0)


def _over(index: npt.NDArray[np.float64], condition: dict[str, float]) -> npt.NDArray[np.bool_]:
    return index > condition["above"] if "above" in condition else index >= condition["at_least"]


def _longest_run(flags: npt.NDArray[np.bool_]) -> slice:
    """Return where the longest run of true flags stands, the first of equals."""
    ends = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    if not ends.size:
        return slice(0, 0)
    begins, stops = ends[::2], ends[1::2]
    k = int(np.argmax(stops - begins))
    return slice(int(begins[k]), int(stops[k]))


def calls(running_aqi: xr.DataArray, *, plans: Sequence[str] | None = None) -> pd.DataFrame:
    """Which alert a forecast calls for in each city under each dated plan.

    Parameters
    ----------
    running_aqi : DataArray (time, city)
        AQI of the 24 h means that end at each hour [1]; `time` is the UTC start of the hour.
    plans : sequence of str, optional
        Versions of the emergency plans (or plan files); 2017, 2018 and 2024 if left out.

    Returns
    -------
    DataFrame
        One row a city and plan: city, plan, plan_title_en, plan_title_zh, plan_status, level ("" for none), condition,
        condition_zh, start, end (UTC; the hours that the run of 24 h means covers, end not included), peak (largest
        running AQI [1]), hours_above_150, hours_above_200, hours_above_300 (hours the longest run covers [h]).
    """
    rows = []
    hour = np.timedelta64(1, "h")
    for city in running_aqi["city"].to_numpy():
        one = running_aqi.sel(city=city)
        index = one.to_numpy().astype(np.float64)
        time = one["time"].to_numpy().astype("datetime64[ns]")
        covered = {}
        for value in (150, 200, 300):
            run = _longest_run(index > value)
            covered[f"hours_above_{value}"] = run.stop - run.start + 23 if run.stop > run.start else 0
        for version in plans or PLANS:
            plan = plan_rule(version)
            level, conditions, run = _called(index, plan)
            begin, end = (time[run.start] - 23 * hour, time[run.stop - 1] + hour) if level else (NAT, NAT)
            rows.append(
                {
                    "city": str(city),
                    "plan": plan.version,
                    "plan_title_en": plan.title_en,
                    "plan_title_zh": plan.title_zh,
                    "plan_status": plan.weakest_status(f"thresholds.{level}" if level else "thresholds"),
                    "level": level,
                    "condition": " and ".join(_words(c, "en") for c in conditions),
                    "condition_zh": "且".join(_words(c, "zh") for c in conditions),
                    "start": begin,
                    "end": end,
                    "peak": float(np.nanmax(index)) if np.isfinite(index).any() else np.nan,
                    **covered,
                }
            )
    return pd.DataFrame(rows)


def _words(condition: dict[str, float], lang: str) -> str:
    hours = condition["hours"]
    if lang == "zh":
        bound = f"AQI>{condition['above']:g}" if "above" in condition else f"AQI 达到 {condition['at_least']:g}"
        return f"24 小时均值 {bound} 持续 {hours:g} 小时"
    bound = f"AQI > {condition['above']:g}" if "above" in condition else f"AQI >= {condition['at_least']:g}"
    return f"24 h mean {bound} for {hours:g} h"


NAT = np.datetime64("NaT", "ns")
#: Plans a forecast is held against: one of each set of thresholds.
PLANS = ("2017", "2018", "2024")
#: Layout of a forecast; any of the pollutants, or the AQI itself.
FORECAST = (
    Column("time", "时间", kind="text", required=True, aliases=("日期", "预报时间", "时刻", "date", "datetime"),
           about="hour (Beijing time), or day of a daily forecast", about_zh="小时（北京时间）；按日预报填日期"),
    Column("city", "城市", kind="text", required=True, aliases=("地市", "市")),
    Column("pm25", "PM2.5", unit="ug m-3", minimum=0, aliases=("PM25", "细颗粒物")),
    Column("pm10", "PM10", unit="ug m-3", minimum=0, aliases=("可吸入颗粒物",)),
    Column("so2", "SO2", unit="ug m-3", minimum=0, aliases=("二氧化硫",)),
    Column("no2", "NO2", unit="ug m-3", minimum=0, aliases=("二氧化氮",)),
    Column("co", "CO", unit="mg m-3", minimum=0, aliases=("一氧化碳",)),
    Column("aqi", "AQI", minimum=0, maximum=500, about="of the day, in a daily forecast", about_zh="按日预报的日 AQI"),
)  # fmt: skip


def forecast_of(root: xr.Dataset) -> xr.DataArray:
    """Return the AQI of the running 24 h means of a result's base case.

    Parameters
    ----------
    root : Dataset (case, time, city) or (time, city)
        Root group of a result of airsim: `pm25` [ug m-3] and what else there is.

    Returns
    -------
    DataArray (time, city)
        See `read_forecast`.
    """
    from airsim.assess import aqi

    names = [n for n in ("pm25", "pm10", "so2", "no2", "co") if n in root]
    hourly = root[names].sel(case="base", drop=True) if "case" in root.dims else root[names]
    rule = aqi.rule_in_force(hourly["time"].to_numpy()[0])
    return aqi.running_index(hourly, rule).transpose("time", "city")


def read_forecast(path: str | Path) -> xr.DataArray:
    """Read a forecast and return the AQI of its running 24 h means.

    Parameters
    ----------
    path : path
        A table (xlsx, xls, csv) of hourly concentrations or of daily AQI by city.

    Returns
    -------
    DataArray (time, city)
        [1]; `time` is the UTC start of the hour a 24 h mean ends with.  Hours before the 24th are NaN.  Of a daily
        forecast, the mean of two days' windows is taken as the lower of the two.

    Raises
    ------
    InputError
        Unknown cities, times that are none, the same hour twice, neither PM2.5 nor AQI.
    """
    from airsim.assess import aqi

    table = read_table(path, FORECAST)
    frame = table.frame.copy()
    problems: list[Problem] = []
    frame["when"] = [_time(t) for t in frame["time"]]
    frame["unit"] = [city_of(str(c))[0] for c in frame["city"]]
    found = (
        (frame["when"].isna(), "time", "must be a time, as 2019-01-03 14:00", "须为时间，如 2019-01-03 14:00"),
        (frame["unit"] == "", "city", "unknown city", "未知城市"),
        (
            frame.duplicated(["when", "unit"]) & frame["when"].notna(),
            "time",
            "this city and hour stand twice",
            "该城市该时刻重复",
        ),
    )
    problems += [
        table.problem(row, key, frame.at[row, key], said, said_zh)
        for wrong, key, said, said_zh in found
        for row in frame.index[wrong.to_numpy()]
    ]
    held = [n for n in ("pm25", "pm10", "so2", "no2", "co") if frame[n].notna().any()]
    daily = frame["aqi"].notna().any() and "pm25" not in held
    if not daily and "pm25" not in held:
        problems.append(
            Problem(str(path), "", "pm25", "", "needs PM2.5 by the hour or AQI by the day", "须有逐时 PM2.5 或逐日 AQI")
        )
    if problems:
        raise InputError(problems)
    frame["when"] = from_beijing(pd.to_datetime(frame["when"]))
    if daily:
        return _of_days(frame)
    wide: Any = frame.set_index(["when", "unit"])[held].unstack("unit")
    wide = wide.reindex(pd.date_range(wide.index.min(), wide.index.max(), freq="h"))
    cities = list(dict.fromkeys(frame["unit"]))
    species = xr.Dataset(
        {
            n: (("time", "city"), wide[n].reindex(columns=cities).to_numpy() * (1000.0 if n == "co" else 1.0))
            for n in held
        },
        coords={"time": wide.index.to_numpy(), "city": cities},
    )
    return aqi.running_index(species, aqi.rule_in_force(wide.index[0].to_numpy()))


def _of_days(frame: pd.DataFrame) -> xr.DataArray:
    """Return running values of a daily forecast: a day's own at its last hour, between two days the lower of both."""
    wide = frame.set_index(["when", "unit"])["aqi"].unstack("unit")[list(dict.fromkeys(frame["unit"]))]
    wide = wide.reindex(pd.date_range(wide.index.min(), wide.index.max(), freq="24h"))
    days, cities = wide.to_numpy(), list(wide.columns)
    running = np.full((24 * len(days), len(cities)), np.nan)
    for d, values in enumerate(days):
        running[24 * d + 23] = values
        if d + 1 < len(days):
            running[24 * d + 24 : 24 * d + 47] = np.minimum(values, days[d + 1])
    time = pd.date_range(wide.index[0], periods=len(running), freq="h").to_numpy()
    return xr.DataArray(running, dims=("time", "city"), coords={"time": time, "city": cities}, name="aqi")


_CHINESE_TIME = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日(?:(\d{1,2})[时点:]?)?")


def _time(text: str) -> pd.Timestamp | None:
    m = _CHINESE_TIME.match(unicodedata.normalize("NFKC", text).replace(" ", ""))
    try:
        if m:
            return pd.Timestamp(int(m[1]), int(m[2]), int(m[3])) + pd.Timedelta(hours=int(m[4] or 0))
        when = pd.Timestamp(unicodedata.normalize("NFKC", text))
    except (ValueError, OverflowError):
        return None
    if pd.isna(when):
        return None
    # bureaus write local time; a zone that is written counts
    return when.tz_convert(ZONE_NAME).tz_localize(None) if when.tzinfo else when


def strictest(alerts: pd.DataFrame) -> pd.DataFrame:
    """Resolve overlapping windows: in each city the stricter level counts.

    Parameters
    ----------
    alerts : DataFrame
        Columns city, level, start, end (UTC, end not included).

    Returns
    -------
    DataFrame
        The same columns, windows of a city disjoint and in order of time; neighbours of one level joined.
    """
    order = {"yellow": 1, "orange": 2, "red": 3}
    rows: list[dict[str, object]] = []
    for city, group in alerts.groupby("city", sort=False):
        edges = np.unique(np.concatenate([group["start"].to_numpy(), group["end"].to_numpy()]))
        for begin, finish in itertools.pairwise(edges):
            active = group[(group["start"] <= begin) & (group["end"] >= finish)]
            if active.empty:
                continue
            level = max(active["level"], key=lambda name: order[name])
            last = rows[-1] if rows else None
            if last and last["city"] == city and last["level"] == level and last["end"] == begin:
                last["end"] = finish
            else:
                rows.append({"city": city, "level": level, "start": begin, "end": finish})
    return pd.DataFrame(rows, columns=["city", "level", "start", "end"])
