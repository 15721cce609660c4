"""How sure the effect of a response is: execution and base emissions drawn at random, felt through the adjoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import qmc

from airsim.assess.ranking import PRECURSORS
from airsim.inventory.gridding import pollutants
from airsim.inventory.placement import Placement
from airsim.inventory.reading import POLLUTANTS
from airsim.region.equilibrium import pm25_gradient
from airsim.region.receptors import Receptors, weather_at
from airsim.region.transport import Transport
from airsim.response.effect import CITY_IDS, on_day, under
from airsim.response.sensitivity import Sensitivities, Target, obtain

if TYPE_CHECKING:
    from airsim.inventory.gridding import GriddedEmissions
    from airsim.response.effect import Response
    from airsim.rules import Rule

Array = NDArray[Any]

#: The band printed holds nine tenths of the draws.
QUANTILES = (0.05, 0.5, 0.95)
#: What is drawn.
INPUTS = ("execution_common", "execution_single", "emission_sector", "emission_source")
MEAN, PEAK = "mean", "peak"
_CATEGORY = {"transport": "mobile", "offroad": "mobile", "dust": "dust"}
_Z95 = float(ndtri(0.975))


def targets(
    windows: pd.DataFrame, peak_day: NDArray[np.datetime64], receptors: Receptors, time: NDArray[np.datetime64]
) -> list[Target]:
    """Return the means that are looked at: alert hours and worst day of every acting city.

    Parameters
    ----------
    windows : DataFrame
        Alerts: city, level, start, end [UTC].
    peak_day : (city,) datetime64
        Worst day without the response, in the order of `CITIES`.
    receptors : Receptors
        Cities.
    time : (hour,) datetime64
        Of the episode.
    """
    inside = under(windows, time)
    found = []
    for city in dict.fromkeys(windows["city"]):
        if city not in receptors.names:
            continue
        c = CITY_IDS.index(city)
        for name, hours in ((MEAN, inside[:, c]), (PEAK, on_day(time, peak_day[c]))):
            if hours.any():
                found.append(Target(f"{city}:{name}", receptors.names.index(city), hours / hours.sum()))
    return found


def sensitivities(
    folder: Path | None, transport: Transport, without: Array, with_: Array, receptors: Receptors, hours: range,
    wanted: Sequence[Target], gridded: GriddedEmissions, progress: Callable[[int, int], None] | None = None,
) -> Sensitivities:  # fmt: skip
    """Return what the targets feel of every source, by the slope of the equilibrium half way through the response.

    A slope in the middle of a change is good to second order.

    Parameters
    ----------
    folder : Path or None
        The cache.
    transport : Transport
        Of the whole weather.
    without, with_ : (hour, box, tracer) ndarray
        Air in the receptors' boxes [ug m-3].
    receptors : Receptors
    hours : range
        Positions of the hours of the episode.
    wanted : sequence of Target
    gridded : GriddedEmissions
    progress : callable, optional
    """
    weather = weather_at(transport.meteorology, receptors, hours)
    constant = transport.coefficients.equilibrium.constant
    middle = 0.5 * (np.asarray(without, np.float64) + with_)
    slope = pm25_gradient(middle, *weather, axis=-1, constant=constant)
    return obtain(
        folder, transport.grid, transport.meteorology, slope, receptors, hours, wanted, gridded, progress
    )  # fmt: skip


@dataclass(frozen=True)
class Contributions:
    """What each source adds to the targets, and what the response takes of it.

    Attributes
    ----------
    sources : DataFrame
        Columns city, sector, kind, quality.
    whole, cut : (source, precursor, target) ndarray
        [ug m-3].
    targets : tuple of str
    """

    sources: pd.DataFrame
    whole: Array
    cut: Array
    targets: tuple[str, ...]


def contributions(felt: Sensitivities, before: GriddedEmissions, after: GriddedEmissions) -> Contributions:
    """Contract the sensitivities with the emissions without and with the response."""
    placement = Placement(before)
    whole = felt.of(before.rates, placement)
    cut = felt.of(lambda h: before.rates(h) - after.rates(h), placement)
    return Contributions(before.sources, whole, cut, felt.targets)


@dataclass(frozen=True)
class Draws:
    """Members of the ensemble.

    Attributes
    ----------
    cut : (member, target) ndarray
        What the response takes [ug m-3].
    without : (member, target) ndarray
        PM2.5 without it [ug m-3].
    shares : (input, target) ndarray
        Variance of the cut if only this input is uncertain, over the sum of these [1].
    """

    cut: Array
    without: Array
    shares: Array


def draw(found: Contributions, base: Array, rule: Rule, execution_rate: float, members: int, seed: int) -> Draws:
    """Draw members.

    Execution of a source is the scenario's rate times a factor of its city and category times one of its own, both
    triangular, and no more than whole. Emissions are log-normal with mean 1: a factor a sector and precursor, shared by
    all sources of the sector, times one a source. Points of a scrambled Sobol sequence (Owen 1998, J. Complexity 14,
    466), so that 1,000 members do the work of many more.

    Parameters
    ----------
    found : Contributions
    base : (target,) ndarray
        PM2.5 without the response [ug m-3].
    rule : Rule
        A version of the rule file ``emergency_response``.
    execution_rate : float
        Of the scenario [1].
    members, seed : int
    """
    sources = found.sources
    category = sources["sector"].map(_CATEGORY).fillna("industrial")
    common = (sources["city"] + "/" + category).astype("category").cat
    sector = sources["sector"].astype("category").cat
    n, shared = len(sources), len(common.categories)
    sectors, pollutants = len(sector.categories), len(PRECURSORS)
    # the inputs that many sources share come first, where a Sobol sequence is best
    points = qmc.Sobol(shared + sectors * pollutants + 2 * n, rng=seed).random(members)
    points = np.clip(points, 1e-12, 1 - 1e-12)
    parts = np.split(points, np.cumsum([shared, sectors * pollutants, n]), axis=1)

    kinds = [c.split("/")[1] for c in common.categories]
    triangles = {k: rule["execution"][k] for k in set(kinds) | set(category)}
    by_city = np.stack([_triangular(parts[0][:, i], triangles[k]["common"]) for i, k in enumerate(kinds)], axis=1)
    single = np.stack(
        [_triangular(parts[2][:, i], triangles[k]["single"]) for i, k in enumerate(category)], axis=1
    )  # fmt: skip
    spread = np.log1p([float(rule["emission_error"][p]) for p in PRECURSORS]) / _Z95
    of_sector = _lognormal(parts[1].reshape(members, sectors, pollutants), spread)
    quality = sources["quality"].map(rule["source_error"]).fillna(rule["source_error"]["estimated"]).astype(float)
    of_source = _lognormal(parts[3], np.log1p(quality.to_numpy()) / _Z95)

    most = 1.0 / execution_rate if execution_rate > 0 else np.inf
    one = np.ones((1, 1))

    def evaluate(city: Array, own: Array, emitted: Array, source: Array) -> Array:
        execution = np.minimum(city[:, common.codes] * own, most)
        return _sum(execution * source, emitted, sector.codes.to_numpy(), found.cut)

    flat = np.ones((1, sectors, pollutants))
    middle_city, middle_own = by_city.mean(0, keepdims=True), single.mean(0, keepdims=True)
    full = evaluate(by_city, single, of_sector, of_source)
    alone = (
        evaluate(by_city, middle_own, flat, one),
        evaluate(middle_city, single, flat, one),
        evaluate(middle_city, middle_own, of_sector, one),
        evaluate(middle_city, middle_own, flat, of_source),
    )
    variance = np.stack([a.var(0) for a in alone])
    total = variance.sum(0)
    shares = np.divide(variance, total, out=np.zeros_like(variance), where=total > 0)
    moved = _sum(of_source, of_sector, sector.codes.to_numpy(), found.whole) - found.whole.sum((0, 1))
    return Draws(full, base + moved, shares)


def _sum(by_source: Array, by_sector: Array, sector: Array, felt: Array) -> Array:
    """Add up (member, target) what sources are felt, scaled by (member, source) and (member, sector, precursor)."""
    total = np.zeros((max(len(by_source), len(by_sector)), felt.shape[2]))
    for p in range(felt.shape[1]):
        total += (by_source * by_sector[:, sector, p]) @ felt[:, p]
    return total


def _triangular(u: Array, parameters: Sequence[float]) -> Array:
    """Quantiles of the triangular distribution (low, mode, high)."""
    low, mode, high = (float(v) for v in parameters)
    split = (mode - low) / (high - low)
    left = low + np.sqrt(u * (high - low) * (mode - low))
    right = high - np.sqrt((1 - u) * (high - low) * (high - mode))
    return np.where(u < split, left, right)


def _lognormal(u: Array, sigma: Any) -> Array:
    """Quantiles of a log-normal distribution of mean 1."""
    return np.exp(sigma * ndtri(u) - 0.5 * np.square(sigma))


def bands(
    found: Contributions, without: xr.DataArray, exact: dict[str, xr.DataArray], rule: Rule, execution_rate: float,
    members: int, seed: int,
) -> xr.Dataset:  # fmt: skip
    """Return the 90 % bands for the group ``emergency``.

    Parameters
    ----------
    found : Contributions
    without : (target kind, city) DataArray
        PM2.5 without the response, kinds `MEAN` and `PEAK` on ``target`` [ug m-3].
    exact : dict
        Kind -> (city) what the response takes by the full run [ug m-3]: the draws are scaled to it, so that the
        equilibrium's curvature shifts no band.
    rule : Rule
    execution_rate : float
    members, seed : int

    Returns
    -------
    Dataset
        ``cut_band``, ``peak_cut_band`` (quantile, city) [ug m-3]; the same in shares of PM2.5 without the response,
        ``cut_share_band``, ``peak_cut_share_band`` [1]; ``cut_variance`` (spread_input, city) [1]; ``cut_linear``
        (city), first order over full run [1].
    """
    pairs = [t.split(":") for t in found.targets]
    base = np.array([float(without.sel(target=kind, city=city)) for city, kind in pairs])
    drawn = draw(found, base, rule, execution_rate, members, seed)
    cities = list(CITY_IDS)
    prefix = {MEAN: "cut", PEAK: "peak_cut"}
    data: dict[str, Any] = {}
    for kind in (MEAN, PEAK):
        for name in ("band", "share_band"):
            data[f"{prefix[kind]}_{name}"] = (("quantile", "city"), np.full((len(QUANTILES), len(cities)), np.nan))
    data["cut_variance"] = (("spread_input", "city"), np.full((len(INPUTS), len(cities)), np.nan))
    data["cut_linear"] = (("city",), np.full(len(cities), np.nan))
    for t, (city, kind) in enumerate(pairs):
        at = cities.index(city)
        linear, full = float(found.cut[..., t].sum()), float(exact[kind].sel(city=city))
        scale = full / linear if linear > 0 and full > 0 else 1.0
        cut = scale * drawn.cut[:, t]
        data[f"{prefix[kind]}_band"][1][:, at] = np.quantile(cut, QUANTILES)
        data[f"{prefix[kind]}_share_band"][1][:, at] = np.quantile(cut / drawn.without[:, t], QUANTILES)
        if kind == MEAN:
            data["cut_variance"][1][:, at] = drawn.shares[:, t]
            data["cut_linear"][1][at] = linear / full if full else np.nan
    out = xr.Dataset(data, coords={"quantile": list(QUANTILES), "spread_input": list(INPUTS), "city": cities})
    out.attrs = {
        "spread_members": members,
        "spread_seed": seed,
        "spread_rule": f"{rule.name} {rule.version}",
        "spread_status": rule.weakest_status("execution"),
    }
    return out


def spread(
    response: Response, transport: Transport, receptors: Receptors, tracers: Array,
    gridded: Mapping[str, GriddedEmissions], columns: Sequence[str], hours: range, effect: xr.Dataset,
    folder: Path | None = None, progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:  # fmt: skip
    """Return the bands of a response that asks for them; arguments as for `airsim.response.effect.effect`.

    Parameters
    ----------
    response : Response
    transport : Transport
    receptors : Receptors
    tracers : (hour, box, tracer, column) ndarray
    gridded : mapping
    columns : sequence of str
    hours : range
    effect : Dataset
        From `airsim.response.effect.effect`.
    folder : Path, optional
        Where the sensitivities are kept; nothing is kept by default.
    progress : callable, optional
        ``progress(hours done, hours)`` of the adjoint run.

    Raises
    ------
    InputError
        No such version of the rule file, or the cache can't be written.
    """
    from airsim import rules

    asked = response.uncertainty
    assert asked is not None
    rule = rules.load("emergency_response", version=asked.version)
    found = trace(response, transport, receptors, tracers, gridded, columns, hours, effect, folder, progress)
    means = {MEAN: effect["effect_mean"], PEAK: effect["effect_peak_day"]}
    without = xr.concat(
        [v.sel(response="without", drop=True) for v in means.values()], pd.Index(list(means), name="target")
    )
    exact = {k: v.sel(response="without", drop=True) - v.sel(response="with", drop=True) for k, v in means.items()}
    said = bands(found, without, exact, rule, response.execution_rate, asked.members, asked.seed)
    before, after = gridded[response.before], gridded[response.after]
    acting = under(response.windows, transport.time)[:, [CITY_IDS.index(c) for c in response.windows["city"].unique()]]
    return said.merge(by_enterprise(found, before, after, np.flatnonzero(acting.any(axis=1))), combine_attrs="override")


def by_enterprise(
    found: Contributions, before: GriddedEmissions, after: GriddedEmissions, hours: NDArray[np.intp]
) -> xr.Dataset:
    """Return what each enterprise's own cut takes from the cities, by the adjoint.

    Parameters
    ----------
    found : Contributions
    before, after : GriddedEmissions
        Without and with the response.
    hours : (hour,) int ndarray
        Positions of the hours in which any city is under alert.

    Returns
    -------
    Dataset
        By ``enterprise``, the largest effect first: name, city, ``enterprise_tonnes`` (enterprise) of SO2, NOx, PM2.5
        and VOC cut in these hours [t]; ``enterprise_cut`` (enterprise, city) of the alert mean and
        ``enterprise_peak_cut`` of the worst day [ug m-3].
    """
    sources = before.sources
    mass = np.zeros(len(sources))
    columns = [POLLUTANTS.index(p) for p in ("SO2", "NOx", "PM25", "VOC")]
    for hour in hours:
        mass += pollutants(before.rates(int(hour)) - after.rates(int(hour)))[:, columns].sum(1) * 3.6
    rows = np.flatnonzero((sources["kind"] == "point").to_numpy() & (np.abs(found.cut).sum((1, 2)) > 0))
    keys = sources.iloc[rows][["city", "name"]].fillna("").agg("|".join, axis=1)
    firms, of = np.unique(keys.to_numpy(str), return_inverse=True)
    felt = np.zeros((2, len(firms), len(CITY_IDS)))
    for t, target in enumerate(found.targets):
        city, kind = target.split(":")
        np.add.at(felt[int(kind == PEAK), :, CITY_IDS.index(city)], of, found.cut[rows, :, t].sum(1))
    tonnes = np.zeros(len(firms))
    np.add.at(tonnes, of, mass[rows])
    order = np.argsort(-felt[0].sum(1), kind="stable")
    seen = [c in {t.split(":")[0] for t in found.targets} for c in CITY_IDS]
    felt[:, :, ~np.array(seen)] = np.nan
    names = [str(f).split("|", 1) for f in firms[order]]
    axes = ("enterprise", "city")
    return xr.Dataset(
        {
            "enterprise_name": ("enterprise", [n for _, n in names]),
            "enterprise_city": ("enterprise", [c for c, _ in names]),
            "enterprise_tonnes": ("enterprise", tonnes[order]),
            "enterprise_cut": (axes, felt[0][order]),
            "enterprise_peak_cut": (axes, felt[1][order]),
        },
        coords={"city": list(CITY_IDS), "enterprise": firms[order].tolist()},
    )


def trace(
    response: Response, transport: Transport, receptors: Receptors, tracers: Array,
    gridded: Mapping[str, GriddedEmissions], columns: Sequence[str], hours: range, effect: xr.Dataset,
    folder: Path | None = None, progress: Callable[[int, int], None] | None = None,
) -> Contributions:  # fmt: skip
    """Return what each source adds to the alert mean and the worst day of each acting city; arguments as `spread`."""
    ends = [
        tracers[..., columns.index(c)] + tracers[..., columns.index("background")]
        for c in (response.before, response.after)
    ]
    time = transport.time[hours.start : hours.stop]
    wanted = targets(response.windows, effect["peak_day"].values, receptors, time)
    before, after = gridded[response.before], gridded[response.after]
    felt = sensitivities(folder, transport, ends[0], ends[1], receptors, hours, wanted, before, progress)
    return contributions(felt, before, after)
