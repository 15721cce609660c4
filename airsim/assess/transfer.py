"""Whose emissions are in whose air: source city by receptor city, by tag, by zero-out and by adjoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from airsim.assess.ranking import Impacts, weights_of, window_attrs
from airsim.geography import CITIES
from airsim.inventory.gridding import GriddedEmissions
from airsim.inventory.placement import Placement
from airsim.region.equilibrium import AMMONIA, NITRATE, SULPHATE, composition, jacobian, pm25_gradient
from airsim.region.receptors import Watch, cities, weather_at
from airsim.region.tracers import INDEX, TRACERS
from airsim.region.transport import Transport

if TYPE_CHECKING:
    from airsim.geography import Geography

Array = NDArray[Any]

APPROACHES = ("tag", "zero_out", "adjoint")
#: Species and the tracer of which each is made; nitrate and ammonium pass through the equilibrium.
SPECIES = {
    "pm25": "",
    "bc": "bc",
    "om": "oc",
    "other": "pm25_other",
    "soa": "soa",
    "sulphate": "sulphate",
    "nitrate": "nitrate",
    "ammonium": "ammonia",
    "pm_coarse": "pm_coarse",
    "so2": "so2",
    "nox": "nox",
    "co": "co",
}
_FINE = ("bc", "om", "other", "soa", "sulphate", "nitrate", "ammonium")
ELSEWHERE, BACKGROUND = "elsewhere", "background"


def transfer(
    geography: Geography,
    transport: Transport,
    gridded: GriddedEmissions,
    inflow: Array,
    hours: range,
    *,
    ranked: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[xr.Dataset, xr.Dataset]:
    """Compute the transfer matrix of a window, three ways, and the ranking of the sources on the way.

    One forward run carries a column for each source city, one for sources in no city of the model, and one for the
    air that flows in; from these columns, box by box and hour by hour:

    - *tag*: transported tracers as they are; particulate nitrate shared in proportion to each column's total
      nitrate, ammonium in proportion to its total ammonia (as PSAT, Yarwood et al. 2004, shares a product among the
      sources of its primary precursor). Adds up to the whole.
    - *zero_out*: the whole less the equilibrium of everything but that column: what would go if the source went.
      Does not add up.
    - *adjoint*: derivative of the equilibrium at the base state times the column: what the first tonne would bring.
      For PM2.5 of cities it comes from a backward run with a column a receptor; the derivative of nitrate and
      ammonium, and the share of the inflow, follow from the forward columns, which is the same by transposition.

    Parameters
    ----------
    geography : Geography
    transport : Transport
    gridded : GriddedEmissions
    inflow : (level, tracer) ndarray
        Air at the start and at the edges [ug m-3].
    hours : range
        Positions of the hours of the mean.
    ranked : sequence of str, optional
        The cities for which sources are ranked; all by default.
    progress : callable, optional
        ``progress(done, all)``.

    Returns
    -------
    transfer : Dataset
        Group ``transfer``: ``contribution`` (approach, species, source, receptor) [ug m-3]; ``total`` (species,
        receptor); ``gas_ratio`` (receptor), free ammonia over total nitrate in moles (Ansari & Pandis 1998, Environ.
        Sci. Technol. 32, 2706): far above one, nitrate follows NOx and the methods agree; below one, it follows NH3
        and they part; ``interaction`` (receptor), PM2.5 less the sum of all zero-outs.
    ranking : Dataset
        Group ``ranking``, see `airsim.assess.ranking.rank`: the backward run is the same.
    """
    receptors = cities(geography)
    placement = Placement(gridded)
    group, sources = city_groups(gridded)
    columns = len(sources)
    weather = transport.meteorology
    constant = transport.coefficients.equilibrium.constant
    steps = 2 * transport.hours
    air = np.zeros((*inflow.shape, columns))
    air[..., -1] = inflow

    def forth(done: int, _: int) -> None:
        if progress:
            progress(done, steps)

    def back(done: int, hours: int) -> None:
        if progress:
            progress(hours + done, steps)

    watch = Watch(receptors, hours, len(TRACERS), columns)
    transport.run(
        lambda h: placement.emitted(h, group, columns),
        columns=columns, initial=air, inflow=air, observe=watch, levels=1, progress=forth,
    )  # fmt: skip
    temperature, humidity = weather_at(weather, receptors, hours)

    shape = (len(APPROACHES), len(SPECIES), columns, len(receptors.names))
    contribution = np.zeros(shape)
    total = np.zeros((len(SPECIES), len(receptors.names)))
    gradient = np.zeros((len(hours), len(receptors.boxes), len(TRACERS)))
    free, acid = np.zeros((2, len(receptors.names)))
    for h in range(len(hours)):
        tags = watch.tracers[h].astype(np.float64)  # (box, tracer, column)
        whole = tags.sum(-1)
        place = (temperature[h], humidity[h])
        gradient[h] = pm25_gradient(whole, *place, axis=-1, constant=constant)
        parts, now = split_among_columns(tags, *place, constant)
        contribution += np.tensordot(parts, receptors.over_boxes, axes=(2, 1)) / len(hours)
        total += now @ receptors.over_boxes.T / len(hours)
        moles = {n: whole[:, INDEX[n]] / m for n, m in _MOLES.items()}
        free += receptors.mean(moles["ammonia"] - 2.0 * moles["sulphate"])
        acid += receptors.mean(moles["nitrate"])

    # the backward run: what each source adds, seen from every receptor
    impacts = Impacts(geography, gridded, receptors, hours)
    transport.run_adjoint(
        weights_of(receptors, hours, gradient, transport.dtype),
        columns=len(receptors.names), observe=impacts, levels=impacts.levels, progress=back,
    )  # fmt: skip
    felt = np.zeros((columns, len(receptors.names)))
    np.add.at(felt, group, impacts.by_tracer.sum(1))
    pm, adjoint = list(SPECIES).index("pm25"), APPROACHES.index("adjoint")
    tangent = contribution[adjoint, pm].copy()
    contribution[adjoint, pm, :-1] = felt[:-1]
    zero_out = contribution[APPROACHES.index("zero_out"), pm]
    matrix = xr.Dataset(
        {
            "contribution": (("approach", "species", "source", "receptor"), contribution),
            "total": (("species", "receptor"), total),
            "gas_ratio": ("receptor", np.divide(free, acid, out=np.full_like(free, np.nan), where=acid > 0)),
            "interaction": ("receptor", total[pm] - zero_out.sum(0)),
        },
        coords={
            "approach": list(APPROACHES),
            "species": list(SPECIES),
            "source": list(sources),
            "receptor": list(receptors.names),
        },
        attrs=window_attrs(transport.time, hours)
        | {
            "adjoint_against_forward": f"{np.abs(felt[:-1] - tangent[:-1]).max() / np.abs(tangent).max():.1e}",
        },
    )
    return matrix, impacts.ranking(total[pm], transport.time, ranked)


_MOLES = {"sulphate": SULPHATE, "nitrate": NITRATE, "ammonia": AMMONIA}


def city_groups(gridded: GriddedEmissions) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Return the column of each source, and the columns' names: cities, elsewhere, background (without sources)."""
    names = [c.id for c in CITIES]
    index = {name: i for i, name in enumerate(names)}
    group = np.array([index.get(c, len(names)) for c in gridded.sources["city"]], dtype=np.intp)
    return group, (*names, ELSEWHERE, BACKGROUND)


def split_among_columns(
    tags: Array, temperature: Array, humidity: Array, constant: str = "mozurkewich"
) -> tuple[Array, Array]:
    """Share the air of some boxes among columns, by each of `APPROACHES`.

    Parameters
    ----------
    tags : (box, tracer, column) ndarray
        What each column brings; their sum is the air [ug m-3].
    temperature, humidity : (box,) ndarray
        [K], [1].
    constant : str
        See `airsim.region.equilibrium`.

    Returns
    -------
    parts : (approach, species, box, column) ndarray
        [ug m-3].
    whole : (species, box) ndarray
        [ug m-3].
    """
    boxes, _, columns = tags.shape
    air = tags.sum(-1)
    now = composition(air, temperature, humidity, axis=-1, constant=constant)
    without = composition(air[..., None] - tags, temperature[:, None], humidity[:, None], axis=1, constant=constant)
    salts = jacobian(air, temperature, humidity, axis=-1, constant=constant)
    slope = {"nitrate": salts.nitrate, "ammonium": salts.ammonium}
    parts = np.zeros((len(APPROACHES), len(SPECIES), boxes, columns))
    whole = np.zeros((len(SPECIES), boxes))
    at = {name: i for i, name in enumerate(SPECIES)}
    for name, tracer in SPECIES.items():
        if name == "pm25":
            continue
        column = tags[:, INDEX[tracer]]
        if name in slope:
            every = air[:, INDEX[tracer]]
            share = np.divide(now[name], every, out=np.zeros(boxes), where=every > 0.0)
            parts[0, at[name]] = share[:, None] * column
            parts[1, at[name]] = now[name][:, None] - without[name]
            parts[2, at[name]] = np.einsum("bt,btc->bc", slope[name], tags)
            whole[at[name]] = now[name]
        else:
            parts[:, at[name]] = column
            whole[at[name]] = air[:, INDEX[tracer]]
    fine = [at[name] for name in _FINE]
    parts[:, at["pm25"]] = parts[:, fine].sum(1)
    whole[at["pm25"]] = whole[fine].sum(0)
    return parts, whole
