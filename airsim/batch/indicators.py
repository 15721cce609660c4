"""The headline of a scenario: a few numbers a city, the same from a run and from the stored worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from airsim.cache.keys import Contents, digest, physics
from airsim.case.identity import settled

if TYPE_CHECKING:
    import xarray as xr

    from airsim.case import Case
    from airsim.output.findings import Findings

Floats = NDArray[np.floating[Any]]

#: AQI above this is heavy pollution (HJ 633-2012, table 2).
HEAVY = 200
CASES = ("base", "controlled")
#: Name -> English, Chinese, unit; each (scenario, case, city).
BY_CITY = {
    "pm25_mean": ("PM2.5, mean of the period", "PM2.5 时段均值", "ug m-3"),
    "pm25_peak": ("PM2.5, highest daily mean", "PM2.5 最高日均值", "ug m-3"),
    "pm25_maximum": ("PM2.5, highest hour", "PM2.5 最高小时值", "ug m-3"),
    "heavy_days": ("days with AQI above 200", "重污染天数（AQI>200）", "1"),
}
#: Name -> English, Chinese, unit; each (scenario).
OF_SCENARIO = {
    "pm25_change": (
        "change of PM2.5 by the measures, mean of the cities",
        "措施使 PM2.5 时段均值变化（各市平均）",
        "1",
    ),
    "alert_change": (
        "change of PM2.5 in the alerted cities during alert",
        "预警城市预警期间 PM2.5 变化",
        "1",
    ),
    "shares_failed": (
        "cities and levels in force that miss a required reduction share",
        "未达减排比例要求的城市×级别数",
        "1",
    ),
    "coal_growth": ("growth of assessed coal", "考核煤炭消费量增速", "1"),
}


def of_result(tree: xr.DataTree) -> dict[str, Any]:
    """Return the indicators of a result.

    Parameters
    ----------
    tree : DataTree
        As in ``result.nc``.

    Returns
    -------
    dict
        Of `BY_CITY` lists (case, city), of `OF_SCENARIO` numbers; what does not apply is None.
    """
    from airsim.output import findings

    root = tree.to_dataset()
    found = findings.find(tree)
    hourly = root["pm25"].transpose("case", "time", "city").values
    daily = root["pm25_daily"].transpose("case", "day", "city").values
    index = root["aqi"].transpose("case", "day", "city").values
    said: dict[str, Any] = by_city(hourly, daily, index)
    said["pm25_change"] = change(said["pm25_mean"])
    effect = found.effect()
    said["alert_change"] = effect[2] if effect else None
    said["shares_failed"] = _missed(found)
    said["coal_growth"] = found.coal.growth if found.coal else None
    return {name: plain(value) for name, value in said.items()}


def _missed(found: Findings) -> int | None:
    rows = found.compliance[found.compliance["level"].isin(found.levels_called())]
    return int((~rows["all_pass"].astype(bool)).sum()) if len(rows) else None


_counted: dict[str, int | None] = {}
_contents = Contents()
_REMEMBERED = 256


def forget() -> None:
    """Forget what was counted."""
    _counted.clear()


def shares_failed(case: Case) -> int | None:
    """Return `OF_SCENARIO`'s count of missed shares without a run; counted once for all that it follows from."""
    import xarray as xr

    from airsim.geography import CITIES
    from airsim.output import findings

    # the count follows from the tables, and from all of the measure but the hours of its alerts
    said = settled(case.scenario, _contents)
    measure = next(m for m in said["measures"] if m["type"] == "emergency")
    levels = sorted({str(a["level"]) for a in measure["alerts"]})
    key = digest([physics(), said["domain"], said["inputs"], {**measure, "alerts": levels}])
    if key not in _counted:
        assert case.compliance is not None
        root = xr.Dataset(
            {"pm25": (("case", "time", "city"), np.zeros((1, 1, len(CITIES)), np.float32))},
            coords={"case": ["base"], "time": [np.datetime64("2019-01-01", "ns")], "city": [c.id for c in CITIES]},
        )
        if len(_counted) >= _REMEMBERED:
            _counted.clear()
        _counted[key] = _missed(findings.find(xr.DataTree.from_dict({"/": root, "/emergency": case.compliance})))
    return _counted[key]


def by_city(hourly: Floats, daily: Floats, index: Floats) -> dict[str, Floats]:
    """Return the numbers a city.

    Parameters
    ----------
    hourly : (..., time, city) ndarray
        PM2.5 [ug m-3].
    daily : (..., day, city) ndarray
        Its Beijing-day means [ug m-3].
    index : (..., day, city) ndarray
        AQI [1].

    Returns
    -------
    dict
        `BY_CITY` -> (..., city); a city without boxes on the grid is NaN.
    """
    heavy = np.where(np.isnan(index).all(-2), np.nan, (index > HEAVY).sum(-2))
    return {
        "pm25_mean": hourly.mean(-2, dtype=np.float64),
        "pm25_peak": np.where(np.isnan(daily), -np.inf, daily).max(-2) + np.where(np.isnan(daily).all(-2), np.nan, 0.0),
        "pm25_maximum": hourly.max(-2),
        "heavy_days": heavy,
    }


def change(mean: Floats) -> Any:
    """Return the change from the base to the controlled case, mean of the cities, of (..., case, city) means [1]."""
    if mean.shape[-2] < len(CASES):
        return np.full(mean.shape[:-2], np.nan)[()]
    over = np.nanmean(mean, axis=-1)
    return over[..., 1] / over[..., 0] - 1


def plain(value: Any) -> Any:
    """Return numbers that JSON can hold: float32 as the float64 it is, NaN and infinities as None."""
    if isinstance(value, np.ndarray) and value.ndim:
        return [plain(v) for v in value]
    if value is None:
        return None
    number = float(value)
    return number if np.isfinite(number) else None
