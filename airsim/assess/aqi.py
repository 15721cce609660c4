"""Air quality index (AQI) by dated rule, daily means on the local day, heavy-pollution days and hours.

The index is that of HJ 633: piecewise linear between breakpoints, individual indices (IAQI) rounded up to
integers, the AQI their maximum.  Concentrations are first rounded as GB/T 8170 asks (四舍六入五成双).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr

from airsim import rules
from airsim.clock import day_of
from airsim.rules import Rule

FloatArray = npt.NDArray[np.float64]

#: Model species -> (item of the rule's daily report, factor from ug m-3 to the item's unit).
DAILY_ITEMS = {
    "pm25": ("pm25_24h", 1.0),
    "pm10": ("pm10_24h", 1.0),
    "so2": ("so2_24h", 1.0),
    "no2": ("no2_24h", 1.0),
    "co": ("co_24h", 1e-3),
}
#: The same for the hourly report; hourly particle means stand on the daily breakpoints.
HOURLY_ITEMS = {
    "pm25": ("pm25_24h", 1.0),
    "pm10": ("pm10_24h", 1.0),
    "so2": ("so2_1h", 1.0),
    "no2": ("no2_1h", 1.0),
    "co": ("co_1h", 1e-3),
}


def round_half_even(value: npt.ArrayLike, decimals: int = 0) -> FloatArray:
    """Round to the nearest decimal, a half to the even digit (GB/T 8170-2008, rule 3.2).

    Parameters
    ----------
    value : array_like
        Numbers.
    decimals : int
        Digits kept after the point.

    Notes
    -----
    The value is first brought to nine decimals, so that a half which binary arithmetic has left at
    34.49999999999 is still a half.

    Examples
    --------
    >>> round_half_even([34.5, 35.5]).tolist()
    [34.0, 36.0]
    """
    scale = 10.0**decimals
    return np.rint(np.round(np.asarray(value, dtype=np.float64) * scale, 9)) / scale


def iaqi(concentration: npt.ArrayLike, item: str, rule: Rule) -> FloatArray:
    """Individual air quality index of one item (HJ 633, Eq. 1), rounded up to an integer.

    Parameters
    ----------
    concentration : array_like
        Concentration [ug m-3; CO mg m-3]; NaN gives NaN.
    item : str
        Item of the rule, such as ``"pm25_24h"`` or ``"o3_8h"``.
    rule : Rule
        A version of the rule file ``aqi``.

    Returns
    -------
    ndarray
        Index [1], 0 to 500; NaN where the rule does not compute the item (2012: SO2 1 h and O3 8 h above 800).

    Raises
    ------
    ValueError
        A concentration is negative.

    Examples
    --------
    >>> rule = rules.load("aqi", version="HJ633-2012")
    >>> iaqi([35.0, 75.0, 150.0, 250.0], "pm25_24h", rule).tolist()  # the breakpoints of HJ 633-2012
    [50.0, 100.0, 200.0, 300.0]
    """
    points = np.asarray(rule["breakpoints"][item], dtype=np.float64)
    index = np.asarray(rule["iaqi"], dtype=np.float64)[: points.size]
    decimals = rule["decimals"]
    c = round_half_even(concentration, decimals.get(item, decimals["default"]))
    if np.any(c < 0):
        raise ValueError(f"negative concentration of {item}")
    # np.interp is exact at the breakpoints, holds the last value beyond and passes NaN on
    raw = np.interp(c, points, index)
    result = np.ceil(np.round(raw, 9))
    beyond = rule["beyond"].get(item, rule["maximum"])
    return np.where(c > points[-1], np.nan if beyond is None else beyond, result)


def aqi(concentrations: Mapping[str, npt.ArrayLike], rule: Rule) -> FloatArray:
    """Air quality index: the largest individual index (HJ 633, Eq. 2).

    Parameters
    ----------
    concentrations : mapping
        Item of the rule -> concentration [ug m-3; CO mg m-3], broadcast against each other.
    rule : Rule
        A version of the rule file ``aqi``.

    Returns
    -------
    ndarray
        AQI [1].  Where an item is missing (NaN), the AQI is given only if the others put it above 100,
        as the regulation publishes it; else NaN.  Items not in `concentrations` at all are simply not
        part of the index.

    Examples
    --------
    >>> rule = rules.load("aqi", version="HJ633-2012")
    >>> float(aqi({"pm25_24h": 150.0, "pm10_24h": 150.0}, rule))  # 200 and 100
    200.0
    """
    each = np.stack(np.broadcast_arrays(*(iaqi(c, item, rule) for item, c in concentrations.items())))
    missing = np.isnan(each)
    largest = np.max(np.where(missing, -1.0, each), axis=0)
    largest = np.where(largest >= 0, np.clip(largest, rule["minimum"], rule["maximum"]), np.nan)
    return np.where(missing.any(axis=0) & ~(largest > 100), np.nan, largest)


def primary(concentrations: Mapping[str, npt.ArrayLike], rule: Rule) -> npt.NDArray[np.object_]:
    """Primary pollutants: the items with the largest individual index, where the AQI is above 50.

    Returns
    -------
    ndarray of str
        Item names joined by ``+`` on a tie; empty where the AQI is 50 or less.
    """
    items = list(concentrations)
    each = np.stack(np.broadcast_arrays(*(iaqi(concentrations[i], i, rule) for i in items)))
    each = np.where(np.isnan(each), -1.0, each)
    largest = each.max(axis=0)
    named = np.full(largest.shape, "", dtype=object)
    for i, item in enumerate(items):
        here = (each[i] == largest) & (largest > rule["primary_above"])
        named = np.where(here, np.where(named == "", item, named + "+" + item), named)
    return named


def daily_mean(hourly: xr.DataArray, *, minimum_hours: int = 20) -> xr.DataArray:
    """Mean over the natural day of Beijing time.

    Parameters
    ----------
    hourly : DataArray (..., time, ...)
        Hourly means; `time` is the UTC start of the hour.
    minimum_hours : int
        A day with fewer valid hours is NaN (GB 3095, table 4: 20 h) [h].

    Returns
    -------
    DataArray (..., day, ...)
        `day` is the Beijing date (midnight, Beijing time).
    """
    local = hourly.assign_coords(day=("time", day_of(hourly["time"].values)))
    grouped = local.groupby("day")
    mean = grouped.mean("time", skipna=True).where(grouped.count("time") >= minimum_hours)
    axes = ["day" if d == "time" else d for d in hourly.dims]
    mean = mean.transpose(*axes)
    return mean.assign_coords(day=mean["day"].values.astype("datetime64[ns]")).assign_attrs(hourly.attrs)


def running_mean_24h(hourly: xr.DataArray) -> xr.DataArray:
    """Mean over the 24 hours that end with each hour, as alerts count them (across midnight).

    Parameters
    ----------
    hourly : DataArray (..., time, ...)
        Hourly means, no gap in time.

    Returns
    -------
    DataArray (..., time, ...)
        NaN for the first 23 hours.
    """
    return hourly.rolling(time=24, min_periods=24).mean()


def rule_in_force(time: np.datetime64, version: str | None = None) -> Rule:
    """Return the AQI rule in force on the Beijing date of a time, or a named version of it.

    Parameters
    ----------
    time : datetime64
        Start of the first hour of the period [UTC]: a period is counted by one rule, that of its first day.
    version : str, optional
        A version of the rule file ``aqi``, whatever the time.
    """
    if version is not None:
        return rules.load("aqi", version=version)
    return rules.load("aqi", date=day_of(time).astype(object))


def daily(hourly: xr.Dataset, rule: Rule, *, items: Mapping[str, tuple[str, float]] | None = None) -> xr.Dataset:
    """Daily means and the daily AQI of modelled species.

    Parameters
    ----------
    hourly : Dataset
        Hourly species [ug m-3], any of pm25, pm10, so2, no2, co; further dimensions (case, city) are kept.
    rule : Rule
        A version of the rule file ``aqi``.
    items : mapping, optional
        Species -> (item, factor); `DAILY_ITEMS` if left out.

    Returns
    -------
    Dataset
        `<species>_daily` [ug m-3], `aqi` [1] over `day`, `aqi.attrs["items"]` naming what it is made of:
        the ozone item is not modelled in a winter episode and is left out, which the attribute says.
    """
    chosen = {k: v for k, v in (items or DAILY_ITEMS).items() if k in hourly}
    means = {k: daily_mean(hourly[k], minimum_hours=rule["day_hours"]) for k in chosen}
    out = xr.Dataset({f"{k}_daily": m.assign_attrs(units="ug m-3") for k, m in means.items()})
    first = next(iter(means.values()))
    # species lack a dimension that others have (one case only): align before the arrays are stacked
    aligned = xr.broadcast(*means.values())
    values = {
        chosen[k][0]: a.transpose(*first.dims, ...).values * chosen[k][1] for k, a in zip(means, aligned, strict=True)
    }
    out["aqi"] = aligned[0].transpose(*first.dims, ...).copy(data=aqi(values, rule))
    left_out = [i for i in rule["items"]["daily"] if i not in values]
    out["aqi"].attrs = {
        "units": "1",
        "rule": rule.version,
        "items": " ".join(values),
        "items_left_out": " ".join(left_out),
    }
    return out


def hourly_index(hourly: xr.Dataset, rule: Rule) -> xr.DataArray:
    """AQI of the hourly report, from hourly means of the modelled species [ug m-3]."""
    return _index(hourly, rule, HOURLY_ITEMS)


def running_index(hourly: xr.Dataset, rule: Rule) -> xr.DataArray:
    """AQI of the running 24 h means that alerts are based on, at the last hour of each window."""
    means = hourly[[k for k in DAILY_ITEMS if k in hourly]].map(running_mean_24h)
    return _index(means, rule, DAILY_ITEMS)


def _index(species: xr.Dataset, rule: Rule, items: Mapping[str, tuple[str, float]]) -> xr.DataArray:
    chosen = [k for k in items if k in species]
    aligned = xr.broadcast(*(species[k] for k in chosen))
    values = {items[k][0]: a.values * items[k][1] for k, a in zip(chosen, aligned, strict=True)}
    index = aligned[0].copy(data=aqi(values, rule))
    index.attrs = {"units": "1", "rule": rule.version, "items": " ".join(values)}
    return index.rename("aqi")


def count_above(index: xr.DataArray, thresholds: Sequence[float] = (100, 150, 200, 300)) -> xr.DataArray:
    """Count days or hours above each index value.

    Parameters
    ----------
    index : DataArray (..., day or time, ...)
        AQI [1].
    thresholds : sequence of float
        Index values [1]; heavy pollution is above 200.

    Returns
    -------
    DataArray (threshold, ...)
        Number of days or hours [1]; missing values do not count.
    """
    along = "day" if "day" in index.dims else "time"
    at = xr.DataArray(np.asarray(thresholds, dtype=np.float64), dims="threshold", name="threshold")
    above = (index > at.assign_coords(threshold=at)).sum(along)
    return above.transpose("threshold", ...).assign_attrs(units="1", counted=along)


def category(index: npt.ArrayLike, rule: Rule) -> npt.NDArray[np.object_]:
    """Name of the class of an AQI in Chinese, such as 重度污染; empty for NaN."""
    values = np.asarray(index, dtype=np.float64)
    classes = rule["classes"]
    limits = np.array([c["up_to"] for c in classes], dtype=np.float64)
    named = np.array([*(c["zh"] for c in classes), classes[-1]["zh"]], dtype=object)
    position = np.searchsorted(limits, np.where(np.isnan(values), 0.0, values), side="left")
    return np.where(np.isnan(values), "", named[position])
