"""The modelled air beside the observed: levels for any run, measures of paired values for runs on real weather.

Synthetic weather can't reproduce days, so there hours are never paired: only the level, the diurnal cycle, the
distribution and the ranking of the cities are compared (`levels`, `distribution`).  The measures of pairs are few
lines each; the packages that hold them weigh 80 MB for ten formulae.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from airsim.clock import to_beijing
from airsim.tables import Column, read_table

Floats = npt.NDArray[np.float64]

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


def observed_statistics(hourly: xr.Dataset, months: Iterable[int] | None = None) -> pd.DataFrame:
    """Return the statistics of observed hours in the layout `OBSERVED`.

    Parameters
    ----------
    hourly : Dataset
        Pollutants (time, city) [ug m-3], as `airsim.observations.Observations.cities` gives them; `time` is the
        UTC start of the hour.
    months : iterable of int, optional
        Beijing months that count; all if left out.

    Returns
    -------
    DataFrame
        One row a city and pollutant with observations [ug m-3]; ``h00`` is the hour that begins at 00:00 Beijing.
    """
    local = to_beijing(pd.DatetimeIndex(hourly["time"].values))
    inside = np.ones(len(local), bool) if months is None else np.asarray(local.month.isin(list(months)))
    hour = local.hour.to_numpy()[inside]
    spans = sorted({f"{d:%Y-%m}" for d in local[inside]})
    period = " .. ".join(dict.fromkeys(spans[:1] + spans[-1:])) + " (Beijing time)"
    rows = []
    for city in hourly["city"].values:
        for name in (n for n in ("pm25", "pm10", "so2", "no2", "o3", "co") if n in hourly):
            values = hourly[name].sel(city=city).values[inside]
            known = np.isfinite(values)
            if not known.any():
                continue
            row: dict[str, object] = {"city": str(city), "variable": name, "period": period, "hours": known.sum()}
            row["mean"] = values[known].mean()
            row |= {f"p{p}": np.percentile(values[known], p) for p in (10, 25, 50, 75, 90)}
            row |= {h: _mean(values[known & (hour == i)]) for i, h in enumerate(HOURS)}
            row |= {"quality": "measured", "source": str(hourly.attrs.get("source", "hourly observations"))}
            rows.append(row)
    return pd.DataFrame(rows, columns=[c.name for c in OBSERVED])


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")


# --------------------------------------------------------------------------------------------------------
# measures of paired values: o observed, m modelled, both finite


def _ioa(o: Floats, m: Floats) -> float:
    spread = float(((np.abs(m - o.mean()) + np.abs(o - o.mean())) ** 2).sum())
    return 1 - float(((m - o) ** 2).sum()) / spread if spread > 0 else float("nan")


def _constant(values: Floats) -> bool:
    # rounding leaves a spread of 1e-16 in values that are all the same
    return float(values.std()) <= 1e-9 * float(np.abs(values).max())


def _correlation(o: Floats, m: Floats) -> float:
    return float("nan") if o.size < 3 or _constant(o) or _constant(m) else float(np.corrcoef(o, m)[0, 1])


def _logarithms(o: Floats, m: Floats) -> Floats:
    both = (o > 0) & (m > 0)
    return np.asarray(np.log(o[both]) - np.log(m[both]))


def _fac2(o: Floats, m: Floats) -> float:
    return float(((m >= 0.5 * o) & (m <= 2 * o)).mean())


#: Measure -> formula.  NMB, NME: Yu et al. 2006 (Atmos. Sci. Lett. 7, 26); MFB, MFE: Boylan and Russell 2006
#: (Atmos. Environ. 40, 4946), Eqs. 7 and 8; IOA: Willmott 1981 (Phys. Geogr. 2, 184); FB, NMSE, MG, VG, FAC2:
#: Chang and Hanna 2004 (Meteorol. Atmos. Phys. 87, 167, doi:10.1007/s00703-003-0070-7), Eqs. 1 to 5.
#: FB is positive where the model is too low.
MEASURES: dict[str, Callable[[Floats, Floats], float]] = {
    "observed": lambda o, m: float(o.mean()),
    "modelled": lambda o, m: float(m.mean()),
    "mb": lambda o, m: float((m - o).mean()),
    "rmse": lambda o, m: float(np.sqrt(((m - o) ** 2).mean())),
    "nmb": lambda o, m: float((m - o).sum() / o.sum()),
    "nme": lambda o, m: float(np.abs(m - o).sum() / o.sum()),
    "mfb": lambda o, m: float(np.mean(2 * (m - o) / (m + o))),
    "mfe": lambda o, m: float(np.mean(2 * np.abs(m - o) / (m + o))),
    "r": _correlation,
    "ioa": _ioa,
    "fac2": _fac2,
    "fb": lambda o, m: float(2 * (o.mean() - m.mean()) / (o.mean() + m.mean())),
    "nmse": lambda o, m: float(((o - m) ** 2).mean() / (o.mean() * m.mean())),
    "mg": lambda o, m: float(np.exp(_logarithms(o, m).mean())),
    "vg": lambda o, m: float(np.exp((_logarithms(o, m) ** 2).mean())),
}
#: Fewer pairs than this give no measure.
LEAST_PAIRS = 3


def measures(observed: npt.ArrayLike, modelled: npt.ArrayLike) -> dict[str, float]:
    """Return the measures of agreement of paired values.

    Parameters
    ----------
    observed, modelled : array_like
        Concentrations of the same hours or days, in one unit; pairs with a missing value don't count.

    Returns
    -------
    dict
        ``n`` pairs, and the `MEASURES`: shares [1], ``mb`` and ``rmse`` in the unit given; NaN below `LEAST_PAIRS`
        pairs, or where the air is zero throughout.

    Examples
    --------
    >>> found = measures([10.0, 20.0, 30.0], [20.0, 20.0, 20.0])
    >>> found["nmb"], round(found["nme"], 4), found["fac2"]  # 20 of 60; no model value is off by more than two
    (0.0, 0.3333, 1.0)
    """
    o, m = np.asarray(observed, float).ravel(), np.asarray(modelled, float).ravel()
    both = np.isfinite(o) & np.isfinite(m) & (o + m > 0)
    o, m = o[both], m[both]
    if o.size < LEAST_PAIRS or o.sum() <= 0 or m.sum() <= 0:
        return {"n": float(o.size)} | dict.fromkeys(MEASURES, float("nan"))
    return {"n": float(o.size)} | {name: formula(o, m) for name, formula in MEASURES.items()}


def taylor(observed: npt.ArrayLike, modelled: npt.ArrayLike) -> tuple[float, float]:
    """Return the point of a Taylor diagram (Taylor 2001, J. Geophys. Res. 106, 7183, doi:10.1029/2000JD900719).

    Returns
    -------
    ratio, correlation : float
        Standard deviation of the model over that of the observations [1]; correlation [1].

    Examples
    --------
    >>> ratio, correlation = taylor([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
    >>> round(ratio, 6), round(correlation, 6)
    (2.0, 1.0)
    """
    o, m = np.asarray(observed, float).ravel(), np.asarray(modelled, float).ravel()
    both = np.isfinite(o) & np.isfinite(m)
    o, m = o[both], m[both]
    if o.size < LEAST_PAIRS or _constant(o):
        return float("nan"), float("nan")
    return float(m.std() / o.std()), _correlation(o, m)


#: Measures of `daily_scores`: those without a unit.
SCORES = ("nmb", "nme", "mfb", "mfe", "r", "ioa", "fac2")


def daily_scores(modelled: Mapping[str, xr.DataArray], observed: xr.Dataset) -> xr.Dataset:
    """Return the measures of daily means by pollutant and city.

    Parameters
    ----------
    modelled : mapping of str to DataArray (time, city)
        Hourly means [ug m-3].
    observed : Dataset
        The same pollutants, hours and cities.

    Returns
    -------
    Dataset
        ``daily_score`` (measure, variable, city) [1] and ``daily_pairs`` (variable, city).
    """
    from airsim.assess.aqi import daily_mean

    cities = next(iter(modelled.values()))["city"].values
    score = np.full((len(SCORES), len(modelled), len(cities)), np.nan)
    pairs = np.zeros((len(modelled), len(cities)))
    for v, (name, series) in enumerate(modelled.items()):
        o, m = (daily_mean(x.transpose("time", "city")).values for x in (observed[name], series))
        for c in range(len(cities)):
            found = measures(o[:, c], m[:, c])
            pairs[v, c] = found["n"]
            score[:, v, c] = [found[k] for k in SCORES]
    return xr.Dataset(
        {"daily_score": (("measure", "variable", "city"), score), "daily_pairs": (("variable", "city"), pairs)},
        coords={"measure": list(SCORES), "variable": list(modelled), "city": cities},
    )


def events(observed: npt.ArrayLike, modelled: npt.ArrayLike, above: float) -> dict[str, float]:
    """Count hits and false alarms of days above a threshold (Wilks 2011, Statistical Methods, section 8.2).

    Parameters
    ----------
    observed, modelled : array_like
        Daily values; days with a missing one don't count.
    above : float
        An event lies above this value.

    Returns
    -------
    dict
        ``hits``, ``misses``, ``false_alarms``, ``quiet`` days; ``pod`` probability of detection, ``far`` false
        alarm ratio, ``csi`` critical success index [1], NaN where nothing was observed or forecast.

    Examples
    --------
    >>> found = events([80, 10, 90, 5], [90, 80, 10, 6], above=75)
    >>> found["pod"], found["far"], round(found["csi"], 4)
    (0.5, 0.5, 0.3333)
    """
    o, m = np.asarray(observed, float).ravel(), np.asarray(modelled, float).ravel()
    both = np.isfinite(o) & np.isfinite(m)
    seen, said = o[both] > above, m[both] > above
    hits, misses, false = int((seen & said).sum()), int((seen & ~said).sum()), int((~seen & said).sum())

    def share(part: int, whole: int) -> float:
        return part / whole if whole else float("nan")

    return {
        "hits": hits,
        "misses": misses,
        "false_alarms": false,
        "quiet": int((~seen & ~said).sum()),
        "pod": share(hits, hits + misses),
        "far": share(false, hits + false),
        "csi": share(hits, hits + misses + false),
    }


def distribution(observed: npt.ArrayLike, modelled: npt.ArrayLike) -> dict[str, float]:
    """Compare two distributions without pairing: percentiles, and the largest distance of the two (Kolmogorov-Smirnov).

    Parameters
    ----------
    observed, modelled : array_like
        Values in one unit; missing ones don't count.

    Returns
    -------
    dict
        ``observed_p10`` ... ``modelled_p90`` in the unit given and ``ks`` [1] (0 the same, 1 apart); no
        significance is given, since hours follow one another.
    """
    from scipy.stats import ks_2samp

    o, m = (np.asarray(v, float).ravel() for v in (observed, modelled))
    o, m = o[np.isfinite(o)], m[np.isfinite(m)]
    found: dict[str, float] = {}
    for p in (10, 25, 50, 75, 90, 98):
        found[f"observed_p{p}"] = float(np.percentile(o, p)) if o.size else float("nan")
        found[f"modelled_p{p}"] = float(np.percentile(m, p)) if m.size else float("nan")
    found["ks"] = float(ks_2samp(o, m).statistic) if o.size and m.size else float("nan")
    return found
