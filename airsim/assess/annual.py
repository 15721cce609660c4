"""Observed air by the assessment regulation (HJ 663): daily values, annual and seasonal statistics, percentiles."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from airsim import rules
from airsim.assess import aqi
from airsim.clock import day_of, to_beijing
from airsim.rules import Rule

Floats = npt.NDArray[np.float64]

#: Daily value of each pollutant -> (item of the AQI rule, factor from ug m-3 to the item's unit).
ITEMS = {**aqi.DAILY_ITEMS, "o3_8h": ("o3_8h", 1.0), "o3_1h": ("o3_1h", 1.0)}
#: Months of the autumn-winter season (October to March, 秋冬季).
SEASON = (10, 11, 12, 1, 2, 3)
_BEGIN, _END = 0, 17  # eight-hour windows that lie within the day and end at 8:00 to 24:00


def percentile(values: npt.ArrayLike, p: float) -> float:
    """Percentile of daily values by HJ 663: rank k = 1 + (n - 1) p in rising order, linear between ranks.

    Parameters
    ----------
    values : array_like
        Daily values; missing ones (NaN) don't count.
    p : float
        Share of the days [1].

    Returns
    -------
    float
        NaN where there is no value.
    """
    known = np.sort(np.asarray(values, float)[np.isfinite(values)])
    if not known.size:
        return float("nan")
    rank = (known.size - 1) * p
    low = int(np.floor(rank))
    high = min(low + 1, known.size - 1)
    return float(known[low] + (rank - low) * (known[high] - known[low]))


def daily_air(hourly: xr.Dataset, aqi_rule: Rule | None = None, assessment: Rule | None = None) -> xr.Dataset:
    """Return daily values and the daily AQI of observed hourly means.

    Parameters
    ----------
    hourly : Dataset
        Pollutants (time, city) [ug m-3] on UTC hours without a gap in time, as `Observations.cities` gives them.
    aqi_rule, assessment : Rule, optional
        Versions of the rule files ``aqi`` and ``assessment``; those in force on the first day if left out.

    Returns
    -------
    Dataset
        ``pm25 pm10 so2 no2 co`` 24 h means, ``o3_8h`` the largest running eight-hour mean that ends at 8:00 to
        24:00, ``o3_1h`` the largest hour (day, city) [ug m-3], ``aqi`` [1]; `day` is the Beijing date.  A day with
        too few valid hours is NaN.
    """
    first = hourly["time"].values[0]
    index_rule = aqi_rule or aqi.rule_in_force(first)
    rule = assessment or rules.load("assessment", date=day_of(first).astype(object))
    valid = rule["validity"]
    out = {}
    for name in aqi.DAILY_ITEMS:
        if name in hourly:
            out[name] = aqi.daily_mean(hourly[name], minimum_hours=valid["day_hours"])
    if "o3" in hourly:
        out["o3_8h"], out["o3_1h"] = _ozone(hourly["o3"], valid)
    daily = xr.Dataset(out)
    values = {
        ITEMS[n][0]: daily[n].values * ITEMS[n][1]
        for n in ITEMS
        if n in daily and ITEMS[n][0] in index_rule["items.daily"]
    }
    daily["aqi"] = (daily["pm25"].dims, aqi.aqi(values, index_rule))
    daily["aqi"].attrs = {"rule": index_rule.version, "items": " ".join(values)}
    daily.attrs = {"rule": rule.version, "rule_status": rule.status}
    return daily


def _ozone(hourly: xr.DataArray, valid: dict[str, int]) -> tuple[xr.DataArray, xr.DataArray]:
    """Largest running eight-hour mean and largest hour of each Beijing day."""
    local = to_beijing(hourly["time"].values)
    days = np.unique(local.astype("datetime64[D]"))
    full = np.full((len(days) * 24, hourly.sizes["city"]), np.nan)
    full[((local - days[0].astype("datetime64[ns]")) / np.timedelta64(1, "h")).astype(int)] = hourly.transpose(
        "time", "city"
    ).values
    hours = full.reshape(len(days), 24, -1)
    known = np.isfinite(hours)
    total = np.cumsum(np.pad(np.where(known, hours, 0.0), ((0, 0), (1, 0), (0, 0))), axis=1)
    count = np.cumsum(np.pad(known, ((0, 0), (1, 0), (0, 0))), axis=1)
    n = count[:, 8:] - count[:, :-8]
    means = np.where(n >= valid["eight_hour_hours"], (total[:, 8:] - total[:, :-8]) / np.maximum(n, 1), -np.inf)
    largest = means[:, _BEGIN:_END].max(axis=1)
    enough = np.isfinite(means[:, _BEGIN:_END]).sum(axis=1) >= valid["day_eight_hour_means"]
    # a day that exceeds the limit counts with fewer means, too
    limit = rules.load("air_quality", date=days[0].astype(object))["limits.O3.day_maximum_8h"][1]
    eight = np.where(enough | (largest > limit), largest, np.nan)
    one = np.where(known.sum(axis=1) >= valid["day_hours"], np.where(known, hours, -np.inf).max(axis=1), np.nan)
    coords = {"day": days.astype("datetime64[ns]"), "city": hourly["city"].values}
    return (
        xr.DataArray(np.where(np.isfinite(eight), eight, np.nan), coords, ("day", "city")),
        xr.DataArray(np.where(np.isfinite(one), one, np.nan), coords, ("day", "city")),
    )


def year_is_valid(days: npt.NDArray[np.datetime64], known: npt.NDArray[np.bool_], rule: Rule) -> bool:
    """Return whether the daily values of one calendar year make an annual statistic (GB 3095, table 4).

    Parameters
    ----------
    days : (day,) datetime64
        Dates of one year.
    known : (day,) bool
        Whether the day has a value.
    rule : Rule
        A version of ``assessment``.
    """
    valid = rule["validity"]
    if known.sum() < valid["year_days"]:
        return False
    months = pd.DatetimeIndex(days[known]).month
    return all((months == m).sum() >= (valid["february_days"] if m == 2 else valid["month_days"]) for m in range(1, 13))


def statistics(daily: xr.Dataset, assessment: Rule | None = None) -> pd.DataFrame:
    """Return means, percentiles and counts of days of each pollutant and city, by year and autumn-winter season.

    Parameters
    ----------
    daily : Dataset
        From `daily_air`.
    assessment : Rule, optional
        A version of ``assessment``; that in force on the first day if left out.

    Returns
    -------
    DataFrame
        One row a period, city and pollutant: ``period`` (2019, or 2018-2019 autumn-winter), ``city``,
        ``pollutant``, ``mean``, ``percentile`` [ug m-3], ``p`` [1], ``days`` with a value, ``of`` days in the
        period, ``valid`` (an annual statistic by the rule; False for a season, for which the rule has none).  The
        attribute ``rule`` names the version.
    """
    days = pd.DatetimeIndex(daily["day"].values)
    rule = assessment or rules.load("assessment", date=days[0].date())
    rows = []
    for label, inside, length, annual in _periods(days):
        for name in (n for n in ITEMS if n in daily and n != "o3_1h"):
            p = float(rule["percentiles"][name])
            for city in daily["city"].values:
                values = daily[name].sel(city=city).values[inside]
                known = np.isfinite(values)
                if not known.any():
                    continue
                rows.append(
                    {
                        "period": label,
                        "city": str(city),
                        "pollutant": name,
                        "mean": float(values[known].mean()),
                        "p": p,
                        "percentile": percentile(values, p),
                        "days": int(known.sum()),
                        "of": length,
                        "valid": annual and year_is_valid(days[inside].to_numpy(), known, rule),
                    }
                )
    made = pd.DataFrame(rows)
    made.attrs["rule"] = rule.version
    return made


def _periods(days: pd.DatetimeIndex) -> list[tuple[str, npt.NDArray[np.bool_], int, bool]]:
    """Return (label, which days, its length, whether it is a year) of every year and season that the days touch."""
    found: list[tuple[str, npt.NDArray[np.bool_], int, bool]] = []
    for year in sorted(set(days.year)):
        length = (dt.date(year + 1, 1, 1) - dt.date(year, 1, 1)).days
        found.append((str(year), np.asarray(days.year == year), length, True))
    for year in range(days.year.min() - 1, days.year.max() + 1):
        begin, end = pd.Timestamp(year, SEASON[0], 1), pd.Timestamp(year + 1, SEASON[-1] + 1, 1)
        inside = np.asarray((days >= begin) & (days < end))
        if inside.any():
            found.append((f"{year}-{year + 1} autumn-winter", inside, (end - begin).days, False))
    return found
