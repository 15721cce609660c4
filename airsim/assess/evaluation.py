"""The modelled air beside the observed: what a synthetic episode can be held against.

Synthetic weather can't reproduce days, so hours are never paired here: only the level, the diurnal cycle and
the ranking of the cities are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from airsim.tables import Column, read_table

HOURS = tuple(f"h{h:02d}" for h in range(24))

#: Layout of a table of observed city statistics.
OBSERVED = (
    Column("city", "城市", kind="text", required=True),
    Column("variable", "指标", kind="text", required=True),
    Column("period", "时段", kind="text"),
    Column("hours", "有效小时数", minimum=0),
    Column("mean", "平均", minimum=0, required=True),
    *(Column(f"p{p}", f"第{p}百分位数", minimum=0) for p in (10, 25, 50, 75, 90)),
    *(Column(h, f"{int(h[1:])}时", minimum=0) for h in HOURS),
    Column("quality", "数据质量", kind="text"),
    Column("source", "来源", kind="text"),
)


def read_observed(path: Path) -> pd.DataFrame:
    """Read observed statistics, one row a city and variable (see `OBSERVED`).

    Returns
    -------
    DataFrame
        Concentrations [ug m-3].

    Raises
    ------
    InputError
        As `airsim.tables.read_table`.
    """
    return read_table(path, OBSERVED).frame


def levels(modelled: Mapping[str, xr.DataArray], observed: pd.DataFrame, utc_offset: int = 8) -> xr.Dataset:
    """Compare level, diurnal cycle and city ranking of modelled series with observed statistics.

    Parameters
    ----------
    modelled : mapping of str to DataArray (time, city)
        Hourly means, `time` the start of the hour in UTC [ug m-3].
    observed : DataFrame
        From `read_observed`.
    utc_offset : int
        Local time minus UTC [h].

    Returns
    -------
    Dataset
        ``observed_mean``, ``modelled_mean``, ``ratio`` (variable, city); ``observed_diurnal``,
        ``modelled_diurnal`` (variable, hour, city), divided by their own mean; ``diurnal_correlation``
        (variable, city); ``rank_correlation`` (variable), Spearman's rho over the cities.  NaN where there
        is no observation.
    """
    from scipy.stats import spearmanr

    names = [v for v in modelled if (observed["variable"] == v).any()]
    cities = [str(c) for c in next(iter(modelled.values()))["city"].values]
    shape = (len(names), len(cities))
    seen, made = np.full(shape, np.nan), np.full(shape, np.nan)
    seen_day, made_day = (
        np.full((len(names), 24, len(cities)), np.nan),
        np.full((len(names), 24, len(cities)), np.nan),
    )
    correlation, rank = np.full(shape, np.nan), np.full(len(names), np.nan)
    for i, name in enumerate(names):
        series = modelled[name].transpose("time", "city")
        values = series.values.astype(float)
        local = (pd.DatetimeIndex(series["time"].values) + pd.Timedelta(hours=utc_offset)).hour
        made[i] = values.mean(axis=0)
        for h in range(24):
            if (local == h).any():
                made_day[i, h] = values[local == h].mean(axis=0) / made[i]
        rows = observed[observed["variable"] == name].set_index("city")
        for j, city in enumerate(cities):
            if city in rows.index:
                row = rows.loc[city]
                seen[i, j] = row["mean"]
                seen_day[i, :, j] = row[list(HOURS)].to_numpy(float) / row["mean"]
                both = np.isfinite(seen_day[i, :, j]) & np.isfinite(made_day[i, :, j])
                if both.sum() > 2:
                    correlation[i, j] = np.corrcoef(seen_day[i, both, j], made_day[i, both, j])[0, 1]
        known = np.isfinite(seen[i])
        if known.sum() > 2:
            rank[i] = spearmanr(seen[i, known], made[i, known]).statistic
    axes = ("variable", "city")
    return xr.Dataset(
        {
            "observed_mean": (axes, seen),
            "modelled_mean": (axes, made),
            "ratio": (axes, made / seen),
            "observed_diurnal": (("variable", "hour", "city"), seen_day),
            "modelled_diurnal": (("variable", "hour", "city"), made_day),
            "diurnal_correlation": (axes, correlation),
            "rank_correlation": (("variable",), rank),
        },
        coords={"variable": names, "city": cities, "hour": np.arange(24)},
    )
