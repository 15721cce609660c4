"""Alert levels: which one a forecast calls for under a dated plan, and which one counts where windows overlap."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from airsim.emergency.counting import plan_rule
from airsim.rules import Rule


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
    thresholds = plan_rule(plan)["thresholds"]
    for level in ("red", "orange", "yellow", "blue"):
        if any(all(_holds(index, c) for c in alternative) for alternative in thresholds.get(level, [])):
            return level
    return ""


def _holds(index: npt.NDArray[np.float64], condition: dict[str, float]) -> bool:
    over = index > condition["above"] if "above" in condition else index >= condition["at_least"]
    return _longest_run(over) >= condition["hours"] - 23


def _longest_run(flags: npt.NDArray[np.bool_]) -> int:
    ends = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return int((ends[1::2] - ends[::2]).max()) if ends.size else 0


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
