"""Attainment by relative response: what was observed times what the model says changes, component by component.

The test of the US EPA (Software for the Modeled Attainment Test, SMAT; EPA 454/R-18-009, 2018; the arithmetic is worked
through in EPA-454/B-07-002, 2007, section 5): the observed base is split into components, each is multiplied by the
ratio of its modelled means with and without the measures (relative response factor, RRF), ammonium follows sulphate
and nitrate at a constant degree of neutralisation, and the sum is the projected concentration.  An error of the model
that is the same in both cases, such as its level, falls out.

Measures that act in alerts only must not be credited with every day of a winter.  So there are two responses: that of
the permanent measures, from all hours of the window, for ordinary days; and that of all measures, from the modelled
days with the highest concentration, for days of heavy pollution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from airsim import rules
from airsim.assess.annual import SEASON, year_is_valid
from airsim.clock import day_of
from airsim.errors import InputError, Problem
from airsim.rules import Rule
from airsim.tables import Column, read_table

Floats = npt.NDArray[np.float64]

#: Component of the observed mass -> what the model has of it.
MODELLED = {
    "om": ("om", "soa"),
    "sulphate": ("sulphate",),
    "nitrate": ("nitrate",),
    "ammonium": ("ammonium",),
    "bc": ("bc",),
    "other": ("other",),
}
COMPONENTS = tuple(MODELLED)
RESPONSES = ("permanent", "high_days")

#: Layout of the table of observed composition.
COMPOSITION = (
    Column(
        "city", "城市", kind="text", about="empty: all cities without a row of their own", about_zh="留空表示其余各城市"
    ),
    Column("component", "组分", kind="text", required=True, choices={c: c for c in COMPONENTS}),
    Column("share", "占比", required=True, minimum=0, maximum=1, about="share in PM2.5", about_zh="占 PM2.5 的份额"),
    Column("quality", "数据质量", kind="text"),
    Column("source", "来源", kind="text"),
)


def read_composition(path: Path, cities: Sequence[str]) -> xr.DataArray:
    """Read the observed composition of PM2.5.

    Parameters
    ----------
    path : Path
        Table by `COMPOSITION`.
    cities : sequence of str
        City ids.

    Returns
    -------
    DataArray (component, city)
        Shares [1]; what is not named is ``other``.  The attribute ``own`` lists the cities with rows of their own,
        ``source`` the first source.

    Raises
    ------
    InputError
        The shares of a city exceed one, a city is not covered or not known, or the table as `read_table`.
    """
    from airsim.observations import city_ids
    from airsim.tables import normalise

    table = read_table(path, COMPOSITION)
    problems = []
    shares: dict[str, dict[str, float]] = {}
    for row, values in zip(table.frame.index, table.frame.to_dict("records"), strict=True):
        name = str(values["city"])
        city = city_ids().get(normalise(name)) if name else ""
        if city is None:
            problems.append(table.problem(row, "city", name, "not a city of the model", "不是模式中的城市"))
        elif values["component"] in shares.setdefault(city, {}):
            problems.append(table.problem(row, "component", values["component"], "given twice", "重复"))
        else:
            shares[city][values["component"]] = float(values["share"])
    made = np.zeros((len(COMPONENTS), len(cities)))
    for j, city in enumerate(cities):
        own = shares.get(city, shares.get(""))
        if own is None:
            problems.append(
                Problem(
                    str(path), "", "city", city, "no composition, and no row for all cities", "缺少组分，也没有通用行"
                )
            )
            continue
        total = sum(own.values())
        if total > 1 + 1e-6:
            key = city if city in shares else ""
            problems.append(
                Problem(
                    str(path), "", "share", f"{total:.3f}", f"shares of '{key}' exceed one", f"“{key}”占比之和大于 1"
                )
            )
            continue
        rest = max(0.0, 1 - total)
        made[:, j] = [own.get(c, 0.0) + (rest if c == "other" else 0.0) for c in COMPONENTS]
    if problems:
        raise InputError(problems)
    return xr.DataArray(
        made,
        {"component": list(COMPONENTS), "city": list(cities)},
        ("component", "city"),
        attrs={
            "own": " ".join(c for c in cities if c in shares),
            "source": str(table.frame["source"].iloc[0]) if len(table.frame) else "",
        },
    )


def response(
    before: Mapping[str, npt.NDArray[np.floating]],
    after: Mapping[str, npt.NDArray[np.floating]],
    chosen: npt.NDArray[np.bool_],
) -> Floats:
    """Relative response factors: mean with the measures over mean without, by component.

    Parameters
    ----------
    before, after : mapping of str to (time, city) ndarray
        Modelled components without and with the measures [ug m-3]; the names of `MODELLED`.
    chosen : (time, city) bool ndarray
        Hours that count.

    Returns
    -------
    (component, city) ndarray
        [1]; one where the model has nothing of a component, NaN where no hour was chosen.
    """
    out = np.full((len(COMPONENTS), chosen.shape[1]), np.nan)
    hours = chosen.sum(axis=0)
    for i, parts in enumerate(MODELLED.values()):
        first, second = (
            np.where(chosen, np.sum([np.asarray(case[p], float) for p in parts], axis=0), 0.0).sum(axis=0)
            for case in (before, after)
        )
        ratio = np.divide(second, first, out=np.ones_like(first), where=first > 0)
        out[i] = np.where(hours > 0, np.maximum(ratio, 0.0), np.nan)
    return out


def project(shares: npt.ArrayLike, factors: npt.ArrayLike, nitrate_ammonium: float = 0.29) -> Floats:
    """Share of the observed mass that is left: the components by their factors, ammonium by neutralisation.

    Parameters
    ----------
    shares : (component, ...) array_like
        Observed composition in the order of `COMPONENTS` [1, or ug m-3].
    factors : (component, ...) array_like
        From `response` [1]; that of ammonium is not used.
    nitrate_ammonium : float
        Ammonium of ammonium nitrate over nitrate by mass [1].

    Returns
    -------
    (...) ndarray
        Sum of the projected components, in the unit of `shares`.

    Notes
    -----
    EPA-454/B-07-002 (2007), section 5.2: DON = (NH4 - 0.29 NO3) / SO4 of the observed composition stays as it is, so
    NH4' = DON SO4' + 0.29 NO3'.  A composition with less ammonium than its nitrate binds has DON zero, and its
    ammonium follows nitrate.
    """
    s, f = np.asarray(shares, float), np.asarray(factors, float)
    at = {c: i for i, c in enumerate(COMPONENTS)}
    left = s * f
    ammonium, nitrate, sulphate = (s[at[c]] for c in ("ammonium", "nitrate", "sulphate"))
    with_sulphate = np.maximum(ammonium - nitrate_ammonium * nitrate, 0.0)
    with_nitrate = ammonium - with_sulphate
    # ammonium without sulphate (or nitrate) to go with stays
    follow = np.where(sulphate > 0, f[at["sulphate"]], 1.0), np.where(nitrate > 0, f[at["nitrate"]], 1.0)
    left[at["ammonium"]] = with_sulphate * follow[0] + with_nitrate * follow[1]
    return np.asarray(left.sum(axis=0))


def high_days(daily: npt.NDArray[np.floating], rule: Rule) -> npt.NDArray[np.bool_]:
    """Return the modelled days (day, city) with the highest base-case mean of each city."""
    known = np.isfinite(daily)
    chosen = np.zeros(daily.shape, bool)
    for j in range(daily.shape[1]):
        n = int(known[:, j].sum())
        take = min(n, max(int(rule["least_high_days"]), int(np.ceil(rule["high_days"] * n))))
        if take:
            order = np.argsort(np.where(known[:, j], daily[:, j], -np.inf), kind="stable")
            chosen[order[-take:], j] = True
    return chosen


def attainment(
    observed: xr.DataArray,
    modelled: Mapping[str, Mapping[str, npt.NDArray[np.floating]]],
    time: npt.NDArray[np.datetime64],
    shares: xr.DataArray,
    *,
    heavy_above: float,
) -> xr.Dataset:
    """Project observed PM2.5 under the measures.

    Parameters
    ----------
    observed : DataArray (day, city)
        Observed daily means of PM2.5 [ug m-3], `day` the Beijing date.
    modelled : mapping
        ``base``, ``permanent`` (all measures that always act) and ``controlled`` (all measures), each a mapping of the
        model's components and ``pm25`` to (time, city) [ug m-3]; cities as in `shares`.
    time : (time,) datetime64
        Start of the modelled hours [UTC].
    shares : DataArray (component, city)
        From `read_composition`.
    heavy_above : float
        Daily PM2.5 above which a day is one of heavy pollution [ug m-3].

    Returns
    -------
    Dataset
        See ``/attainment`` in variables.csv.
    """
    rule = rules.load("attainment")
    cities = [str(c) for c in shares["city"].values]
    local = day_of(time)
    days, at = np.unique(local, return_inverse=True)
    base = np.asarray(modelled["base"]["pm25"], float)
    whole = np.bincount(at) >= 20
    means = np.stack(
        [base[at == d].mean(axis=0) if whole[d] else np.full(len(cities), np.nan) for d in range(len(days))]
    )
    high = high_days(means, rule)
    in_high = high[at]
    everything = np.ones(base.shape, bool)
    factors = np.stack(
        [
            response(modelled["base"], modelled["permanent"], everything),
            response(modelled["base"], modelled["controlled"], in_high),
        ]
    )
    # a city without cells on the grid has no air at all: not clean, unknown
    known = np.isfinite(base).all(axis=0) & (base > 0).any(axis=0)
    factors[:, :, ~known] = np.nan
    left = np.stack([project(shares.values, f, rule["nitrate_ammonium"]) for f in factors])
    seen = observed.reindex(city=cities)
    periods, inside, length = _periods(pd.DatetimeIndex(seen["day"].values), local[0])
    values = seen.transpose("day", "city").values
    with np.errstate(invalid="ignore"):
        heavy = values > heavy_above
    season = inside[0][:, None]
    after = values * np.where(season, np.where(heavy, left[1], left[0]), 1.0)
    out: dict[str, list[Floats]] = {n: [] for n in _BY_PERIOD}
    first = pd.Timestamp(local[0]).date()
    assessment, limits = rules.load("assessment", date=first), rules.load("air_quality", date=first)
    annual = []
    for k, chosen in enumerate(inside):
        o, a = values[chosen], after[chosen]
        count = np.isfinite(o).sum(axis=0)
        if k == 1:
            full = [
                year_is_valid(seen["day"].values[chosen], np.isfinite(o[:, j]), assessment) for j in range(len(cities))
            ]
            annual = full
            o, a = (np.where(full, v, np.nan) for v in (o, a))
        covered = np.isfinite(o).any(axis=0) & np.isfinite(a).any(axis=0)
        out["observed_days"].append(count.astype(float))
        out["observed_mean"].append(_mean(o))
        out["projected_mean"].append(_mean(a))
        out["observed_heavy_days"].append(np.where(covered, (o > heavy_above).sum(axis=0), np.nan))
        out["projected_heavy_days"].append(np.where(covered, (a > heavy_above).sum(axis=0), np.nan))
        worst = np.where(o > heavy_above, o, np.nan), np.where(o > heavy_above, a, np.nan)
        out["observed_heavy_mean"].append(_mean(worst[0]))
        out["projected_heavy_mean"].append(_mean(worst[1]))
    raw = {
        case: np.where(known, np.asarray(modelled[case]["pm25"], float), np.nan)
        for case in ("base", "permanent", "controlled")
    }
    return xr.Dataset(
        {
            "share": (("component", "city"), shares.values),
            "rrf": (("response", "component", "city"), factors),
            "rrf_pm25": (("response", "city"), left),
            **{n: (("period", "city"), np.stack(v)) for n, v in out.items()},
            "modelled_base": (
                ("response", "city"),
                np.stack([raw["base"].mean(axis=0), _mean(np.where(in_high, raw["base"], np.nan))]),
            ),
            "modelled_controlled": (
                ("response", "city"),
                np.stack([raw["permanent"].mean(axis=0), _mean(np.where(in_high, raw["controlled"], np.nan))]),
            ),
            "response_days": (("response", "city"), np.stack([np.full(len(cities), whole.sum()), high.sum(axis=0)])),
        },
        coords={
            "city": cities,
            "component": list(COMPONENTS),
            "response": list(RESPONSES),
            "period": ["season", "year"],
        },
        attrs={
            "season": periods[0],
            "year": periods[1],
            "season_days": length[0],
            "year_covered": "yes" if any(annual) else "no",
            "heavy_above": heavy_above,
            "limit_year": limits["limits.PM25.year"][1],
            "standard": limits.version,
            "composition_source": shares.attrs.get("source", ""),
            "composition_own": shares.attrs.get("own", ""),
            "rule": rule.version,
        },
    )


_BY_PERIOD = (
    "observed_days",
    "observed_mean",
    "projected_mean",
    "observed_heavy_days",
    "projected_heavy_days",
    "observed_heavy_mean",
    "projected_heavy_mean",
)


def _mean(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    result: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return result


def _periods(
    days: pd.DatetimeIndex, start: np.datetime64
) -> tuple[tuple[str, str], list[npt.NDArray[np.bool_]], tuple[int, int]]:
    """Return labels, days and lengths of the half year that holds the window's first day, and of its calendar year."""
    first = pd.Timestamp(start)
    if first.month in SEASON:
        begin = pd.Timestamp(first.year if first.month >= SEASON[0] else first.year - 1, SEASON[0], 1)
        end = pd.Timestamp(begin.year + 1, SEASON[-1] + 1, 1)
    else:
        begin, end = pd.Timestamp(first.year, SEASON[-1] + 1, 1), pd.Timestamp(first.year, SEASON[0], 1)
    year = pd.Timestamp(first.year, 1, 1), pd.Timestamp(first.year + 1, 1, 1)
    inside = [np.asarray((days >= b) & (days < e)) for b, e in ((begin, end), year)]
    label = f"{begin:%Y-%m} .. {end - pd.Timedelta(days=1):%Y-%m}"
    return (label, str(first.year)), inside, ((end - begin).days, (year[1] - year[0]).days)
