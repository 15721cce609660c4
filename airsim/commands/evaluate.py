"""`airsim evaluate`: a result beside observations, with the forecasts that need no model.

Days and hours are paired only where the weather is that of the days.  Synthetic weather is of no day: there the
level, the distribution, the diurnal cycle and the order of the cities are compared, and the page says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from airsim import rules
from airsim.assess import annual, aqi, baselines, evaluation
from airsim.clock import day_of, month_of, to_beijing
from airsim.errors import InputError, Lang, Problem
from airsim.observations import Observations
from airsim.observations import read as read_observations
from airsim.output import findings
from airsim.rules import Rule

#: Pollutants that both the model and the stations have.
COMPARED = ("pm25", "pm10", "so2", "no2", "co")
#: The model and the forecasts that need none.
PREDICTORS = ("model", "last_day", "day_before", "ventilation")
#: All cities taken together, as an entry of `city`.
ALL = "all"


def is_synthetic(tree: xr.DataTree) -> bool:
    """Return whether a result's weather was made up; one that doesn't say counts as made up."""
    weather = findings.group(tree, "meteorology")
    return weather is None or str(weather.attrs.get("synthetic", "yes")) != "no"


def compare(
    tree: xr.DataTree,
    observed: Observations,
    *,
    earlier: Sequence[xr.DataTree] = (),
    case: str = "base",
    aqi_version: str | None = None,
) -> xr.Dataset:
    """Hold a result against observations.

    Parameters
    ----------
    tree : DataTree
        A result.
    observed : Observations
        Hourly observations; on real weather they must cover the window, and baselines need the time before it.
    earlier : sequence of DataTree
        Results whose weather lies before the window: what the ventilation regression is fitted on.
    case : {"base", "controlled"}
        The emissions that are held against the observations.
    aqi_version : str, optional
        Version of the AQI rule; that in force at the window if left out.

    Returns
    -------
    Dataset
        Always: `evaluation.levels`, ``distribution`` (statistic, species, place).  On real weather also ``score``
        (scale, predictor, species, place, measure), ``event`` (index, predictor, place, count) and the series
        ``observed_daily``, ``predicted_daily``.  The attribute ``paired`` says which, ``why_not`` why not.

    Raises
    ------
    InputError
        A case that was not run; no observation in the window (or, on synthetic weather, in its months).
    """
    root = tree.to_dataset()
    if case not in root["case"].values:
        raise InputError([_said("--case", case, "the result has no such case", "结果中没有该情形")])
    model = root.sel(case=case)
    names = [n for n in COMPARED if n in model]
    time = model["time"].values
    seen = observed.cities()
    cities = [str(c) for c in model["city"].values if c in seen["city"].values]
    if not cities:
        raise InputError([_said("--observations", "", "no city of the result is observed", "没有结果中城市的观测")])
    seen = seen.sel(city=cities)
    made = model[names].sel(city=cities).transpose("time", "city")
    synthetic = is_synthetic(tree)
    inside = seen.reindex(time=time)
    if synthetic:
        months = sorted(set(month_of(time)))
        held = seen.isel(time=np.flatnonzero(np.isin(month_of(seen["time"].values), months)))
    else:
        held = inside
    if not held.sizes["time"] or not np.isfinite(held["pm25"].values).any():
        raise InputError(
            [
                _said(
                    "--observations",
                    f"{_local(time[0])} .. {_local(time[-1])}",
                    "nothing is observed in these hours (Beijing time)"
                    if not synthetic
                    else "nothing is observed in these months of any year",
                    "该时段（北京时间）没有观测" if not synthetic else "没有任何年份同月的观测",
                )
            ]
        )
    statistics = evaluation.observed_statistics(held)
    out = evaluation.levels({n: made[n] for n in names}, statistics)
    out = out.rename(city="place").reindex(place=[*cities, ALL])
    out["distribution"] = _distributions(held, made, names, cities)
    out.attrs = {
        "case": case,
        "paired": "no" if synthetic else "yes",
        "observed_period": str(statistics["period"].iloc[0]),
        "files": str(observed.hourly.attrs.get("files", "")),
    }
    if synthetic:
        out.attrs["why_not"] = "the weather is synthetic"
        return out
    rule = aqi.rule_in_force(time[0], aqi_version)
    return xr.merge([out, _paired(seen, made, names, cities, earlier, rule)], combine_attrs="no_conflicts")


def _paired(
    seen: xr.Dataset,
    made: xr.Dataset,
    names: list[str],
    cities: list[str],
    earlier: Sequence[xr.DataTree],
    rule: Rule,
) -> xr.Dataset:
    time = made["time"].values
    start = time[0]
    day0 = day_of(start)
    hourly: dict[str, xr.Dataset] = {
        "model": made,
        "last_day": xr.Dataset({n: baselines.last_day(seen[n], start, time) for n in names}),
        "day_before": xr.Dataset({n: baselines.day_before(seen[n], time) for n in names}),
    }
    truth = seen[names].reindex(time=time)
    daily = {p: _daily(h, rule) for p, h in hourly.items()}
    daily_truth = _daily(truth, rule)
    days = daily_truth["day"].values
    ventilation, weather_days = _ventilation(earlier, day0)
    regression = baselines.Ventilation({}, {}, {}, {})
    if ventilation is not None:
        past = aqi.daily_mean(seen["pm25"])
        regression = baselines.fit_ventilation(past, ventilation, day0)
        predicted = regression.predict(ventilation.reindex(day=days, city=cities))
        daily["ventilation"] = xr.Dataset({"pm25": predicted})
    places = [*cities, ALL]
    scales = ("hourly", "daily")
    kinds = ["n", *evaluation.MEASURES]
    score = np.full((2, len(PREDICTORS), len(names), len(places), len(kinds)), np.nan)
    counts = ["hits", "misses", "false_alarms", "quiet", "pod", "far", "csi"]
    event = np.full((2, len(PREDICTORS), len(places), len(counts)), np.nan)
    heavy = float(rule["heavy_above"])
    threshold = {"aqi": heavy, "pm25": float(np.interp(heavy, rule["iaqi"], rule["breakpoints.pm25_24h"]))}
    for p, predictor in enumerate(PREDICTORS):
        for s, (truths, guesses) in enumerate(((truth, hourly.get(predictor)), (daily_truth, daily.get(predictor)))):
            for v, name in enumerate(names):
                if guesses is None or name not in guesses:
                    continue
                for c, place in enumerate(places):
                    at = cities if place == ALL else [place]
                    o, m = truths[name].sel(city=at).values, guesses[name].sel(city=at).values
                    found = evaluation.measures(o, m)
                    score[s, p, v, c] = [found[k] for k in kinds]
        for e, index in enumerate(threshold):
            if predictor not in daily or index not in daily[predictor]:
                continue
            for c, place in enumerate(places):
                at = cities if place == ALL else [place]
                guess = daily[predictor][index].sel(city=at).values
                count = evaluation.events(daily_truth[index].sel(city=at).values, guess, threshold[index])
                event[e, p, c] = [count[k] for k in counts]
    series = np.full((len(PREDICTORS), len(days), len(cities)), np.nan)
    for p, predictor in enumerate(PREDICTORS):
        if predictor in daily:
            series[p] = daily[predictor]["pm25"].transpose("day", "city").values
    return xr.Dataset(
        {
            "score": (("scale", "predictor", "variable", "place", "measure"), score),
            "event": (("index", "predictor", "place", "count"), event),
            "observed_daily": (("day", "city"), daily_truth["pm25"].values),
            "predicted_daily": (("predictor", "day", "city"), series),
            "fitted_days": ("city", [regression.days.get(c, 0) for c in cities]),
            "observed_hourly": (("time", "city"), truth["pm25"].transpose("time", "city").values),
            "modelled_hourly": (("time", "city"), made["pm25"].values),
        },
        coords={
            "scale": list(scales),
            "predictor": list(PREDICTORS),
            "variable": names,
            "place": places,
            "measure": kinds,
            "index": list(threshold),
            "count": counts,
            "day": days,
            "city": cities,
            "time": time,
        },
        attrs={
            "aqi_rule": rule.version,
            "heavy_above_pm25": threshold["pm25"],
            "weather_days_before": weather_days,
            "least_days": baselines.LEAST_DAYS,
        },
    )


def _daily(hourly: xr.Dataset, rule: Rule) -> xr.Dataset:
    """Return daily means of all species and the AQI made of them."""
    positive = hourly.clip(min=0)
    found = aqi.daily(positive, rule)
    means = {str(n).removesuffix("_daily"): v.transpose("day", "city") for n, v in found.items() if n != "aqi"}
    return xr.Dataset(means | {"aqi": found["aqi"].transpose("day", "city")})


def _ventilation(earlier: Sequence[xr.DataTree], day0: np.datetime64) -> tuple[xr.DataArray | None, int]:
    """Return the daily ventilation of the results' weather and how many of its days lie before the window."""
    parts = []
    for tree in earlier:
        weather = findings.group(tree, "meteorology")
        if weather is not None and "ventilation_coefficient" in weather and not is_synthetic(tree):
            parts.append(aqi.daily_mean(weather["ventilation_coefficient"].transpose("time", "city")))
    if not parts:
        return None, 0
    both = xr.concat(parts, dim="day", join="outer").sortby("day")
    both = both.isel(day=np.unique(both["day"].values, return_index=True)[1])
    return both, int((both["day"].values < day0.astype("datetime64[ns]")).sum())


def _distributions(held: xr.Dataset, made: xr.Dataset, names: list[str], cities: list[str]) -> xr.DataArray:
    places = [*cities, ALL]
    rows: list[list[list[float]]] = []
    keys: list[str] = []
    for name in names:
        of = []
        for place in places:
            at = cities if place == ALL else [place]
            found = evaluation.distribution(held[name].sel(city=at).values, made[name].sel(city=at).values)
            keys = list(found)
            of.append(list(found.values()))
        rows.append(of)
    return xr.DataArray(
        np.array(rows), {"variable": names, "place": places, "statistic": keys}, ("variable", "place", "statistic")
    )


def _said(key: str, value: str, en: str, zh: str) -> Problem:
    return Problem("airsim evaluate", "", key, value, en, zh)


def _local(time: np.datetime64) -> str:
    return f"{pd.Timestamp(to_beijing(time)):%Y-%m-%d %H:%M}"


def to_files(
    result: Path,
    files: Sequence[Path],
    *,
    stations: Path | None,
    earlier: Sequence[Path],
    case: str,
    aqi_version: str | None,
    out: Path | None,
    lang: Lang,
) -> tuple[list[Path], list[str]]:
    """Evaluate a result file; write ``evaluation.html`` and ``evaluation.xlsx`` beside it or into `out`.

    Parameters
    ----------
    result : Path
        A result.nc.
    files : sequence of Path
        Hourly observations.
    stations : Path, optional
        Station list.
    earlier : sequence of Path
        Results before the window, whose weather the regression is fitted on.
    case, aqi_version
        As in `compare`.
    out : Path, optional
        Folder; that of the result if left out.
    lang : {"zh", "en"}

    Returns
    -------
    files, lines
        What was written, and what is printed.

    Raises
    ------
    InputError
        Whatever is wrong with the files; nothing has been written then.
    """
    from airsim.output import console, excel, html
    from airsim.output.sections import evaluation as evaluation_page
    from airsim.result import netcdf

    if aqi_version is not None:
        rules.load("aqi", version=aqi_version)
    tree = netcdf.read(result)
    observed = read_observations(list(files), stations)
    compared = compare(
        tree, observed, earlier=[netcdf.read(e) for e in (*earlier, result)], case=case, aqi_version=aqi_version
    )
    rule = aqi.rule_in_force(tree.to_dataset()["time"].values[0], aqi_version)
    # AQI and assessment are revised together: the newer one asks for the newer other
    assessment = rules.load("assessment", date=rule.start)
    statistics = annual.statistics(annual.daily_air(observed.cities(), rule, assessment), assessment)
    page = evaluation_page.page(tree, compared, statistics, observed.notes)
    folder = out if out is not None else result.parent
    written = [folder / "evaluation.html", folder / "evaluation.xlsx"]
    html.write(page, written[0], lang)
    excel.write(page, written[1], lang)
    return written, console.lines(page, lang)
