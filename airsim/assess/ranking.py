"""Which enterprise, which box, which tonne counts most for the PM2.5 of a city: one backward run a city."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from airsim.inventory import POLLUTANTS
from airsim.inventory.gridding import GriddedEmissions, pollutants, speciate
from airsim.inventory.placement import Placement
from airsim.region.equilibrium import pm25, pm25_gradient
from airsim.region.receptors import Receptors, Watch, cities, weather_at, window
from airsim.region.tracers import INDEX, TRACERS
from airsim.region.transport import HOUR, Transport

if TYPE_CHECKING:
    from airsim.geography import Geography
    from airsim.scenario import Scenario

Array = NDArray[Any]

#: What a source emits towards PM2.5, and the tracers that each is carried as.
PRECURSORS = {
    "PM25": ("bc", "oc", "pm25_other"),
    "SO2": ("so2", "sulphate"),
    "NOx": ("nox",),
    "VOC": ("voc",),
    "NH3": ("ammonia",),
}
_TONNE = 1000.0


def base_state(
    transport: Transport,
    gridded: GriddedEmissions,
    receptors: Receptors,
    hours: range,
    inflow: Array | None,
    progress: Callable[[int, int], None] | None = None,
) -> Array:
    """Return the tracers of the base case in the receptors' boxes, (hour, box, tracer) [ug m-3].

    Parameters
    ----------
    transport : Transport
    gridded : GriddedEmissions
    receptors : Receptors
    hours : range
        Positions of the hours wanted.
    inflow : (level, tracer) ndarray, optional
        Air at the start and at the edges [ug m-3].
    progress : callable, optional
        ``progress(hours done, hours)``.
    """
    air = None if inflow is None else inflow[..., None]
    watch = Watch(receptors, hours, len(TRACERS), 1)
    transport.run(
        lambda h: gridded.at(h)[..., None],
        columns=1, initial=air, inflow=air, observe=watch, levels=1, progress=progress,
    )  # fmt: skip
    return watch.tracers[..., 0]


def weights_of(
    receptors: Receptors, hours: range, gradient: Array, dtype: np.dtype[Any]
) -> Callable[[int], Array | None]:
    """Return the weights of an adjoint run for the mean over `hours` of what `gradient` is the derivative of.

    Parameters
    ----------
    receptors : Receptors
    hours : range
    gradient : (hour, box, tracer) ndarray
        Derivative with respect to each tracer in the receptors' boxes.
    dtype : dtype
        Of the run.
    """
    ny, nx = receptors.shape
    over = receptors.over_boxes.T / len(hours)

    def weights(hour: int) -> Array | None:
        if hour not in hours:
            return None
        field = np.zeros((1, ny * nx, len(TRACERS), len(receptors.names)), dtype)
        field[0, receptors.boxes] = gradient[hours.index(hour)][:, :, None] * over[:, None, :]
        return field.reshape(1, ny, nx, *field.shape[2:])

    return weights


def rank(
    geography: Geography,
    transport: Transport,
    gridded: GriddedEmissions,
    inflow: Array,
    hours: range,
    names: Sequence[str],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Rank every source by what it adds to the window-mean PM2.5 of cities.

    The impact is marginal: emission times the derivative of PM2.5 at the base state, found by one adjoint run with a
    column a city, whose weights are the derivative of the gas-particle equilibrium. For what does not pass through
    the equilibrium it is the exact contribution; taking a large source away altogether changes nitrate by less or
    more than this says (see docs/science/transfer.md).

    Parameters
    ----------
    geography : Geography
    transport : Transport
        Of the base case's weather.
    gridded : GriddedEmissions
        Base case.
    inflow : (level, tracer) ndarray
        Air at the start and at the edges [ug m-3].
    hours : range
        Positions of the hours over which PM2.5 is averaged; emission of all hours before counts.
    names : sequence of str
        City ids.
    progress : callable, optional
        ``progress(done, all)``.

    Returns
    -------
    Dataset
        Group ``ranking``: point sources by ``enterprise`` and area sources by ``area_source``, both falling by impact
        on the first city; ``impact_field``, the effect of all that each box emits; ``tonne_field``, the effect of one
        tonne let out at the ground of a box evenly over the window.

    Raises
    ------
    InputError
        A city that is unknown or has no boxes on the grid.
    """
    receptors = cities(geography, names)
    count = len(receptors.names)
    weather = transport.meteorology
    constant = transport.coefficients.equilibrium.constant
    steps = 2 * transport.hours

    def forth(done: int, _: int) -> None:
        if progress:
            progress(done, steps)

    def back(done: int, hours: int) -> None:
        if progress:
            progress(hours + done, steps)

    state = base_state(transport, gridded, receptors, hours, inflow, forth)
    box = weather_at(weather, receptors, hours)
    gradient = pm25_gradient(state, *box, axis=-1, constant=constant)
    base = pm25(state, *box, axis=-1, constant=constant)

    placement = Placement(gridded)
    grid = geography.grid
    unit = speciate(pd.DataFrame(np.eye(len(POLLUTANTS)), columns=list(POLLUTANTS)))
    # a tonne of PM25 is PM10 as well, but only PM25 counts
    one = unit[[POLLUTANTS.index(p) for p in PRECURSORS]]
    one[list(PRECURSORS).index("PM25"), INDEX["pm_coarse"]] = 0.0
    by_tracer = np.zeros((len(gridded.sources), len(TRACERS), count))
    of_tonne = np.zeros((len(PRECURSORS), grid.ny, grid.nx, count))
    of_box = np.zeros((grid.ny, grid.nx, count))
    mass = np.zeros((len(gridded.sources), len(TRACERS)))
    on_grid = placement.site >= 0

    def observe(hour: int, sensitivity: Array) -> None:
        if hour >= hours.stop:
            return
        rate = gridded.rates(hour)
        mass[:] += HOUR * gridded.inside[:, None] * rate
        felt = placement.felt(hour, sensitivity).astype(np.float64)
        by_tracer[on_grid] += rate[on_grid, :, None] * felt[placement.site[on_grid]]
        of_box[:] += np.einsum("lyxt,lyxtr->yxr", gridded.at(hour), sensitivity, optimize=True)
        if hour in hours:
            of_tonne[:] += np.einsum("pt,yxtr->pyxr", one, sensitivity[0], optimize=True)

    transport.run_adjoint(
        weights_of(receptors, hours, gradient, transport.dtype),
        columns=count, observe=observe, levels=placement.levels, progress=back,
    )  # fmt: skip
    # a rate of one for an hour is HOUR kg
    of_tonne *= _TONNE / HOUR / len(hours)
    impact = by_tracer.sum(1)
    precursors = np.stack([by_tracer[:, [INDEX[t] for t in ts]].sum(1) for ts in PRECURSORS.values()], axis=1)
    emitted = pollutants(mass)[:, [POLLUTANTS.index(p) for p in PRECURSORS]] / _TONNE
    total = emitted.sum(1, keepdims=True)
    per_tonne = np.divide(impact, total, out=np.full_like(impact, np.nan), where=total > 0)
    kind = (gridded.sources["kind"] == "point").to_numpy()
    group = xr.Dataset(
        {
            "pm25_base": ("receptor", receptors.mean(base.mean(0))),
            "pm25_explained": ("receptor", impact.sum(0)),
            "impact_field": (("receptor", "y", "x"), np.moveaxis(of_box, -1, 0)),
            "tonne_field": (("receptor", "pollutant", "y", "x"), np.moveaxis(of_tonne, -1, 0)),
        },
        coords={"receptor": list(receptors.names), "pollutant": list(PRECURSORS), "y": grid.y, "x": grid.x},
        attrs={
            "window_start": str(transport.time[hours.start]),
            "window_end": str(transport.time[hours.stop - 1] + np.timedelta64(1, "h")),
        },
    )
    for dim, prefix, chosen in (("enterprise", "enterprise", kind), ("area_source", "area", ~kind)):
        rows = np.flatnonzero(chosen)
        rows = rows[np.argsort(-impact[rows, 0], kind="stable")]
        part = gridded.sources.iloc[rows]
        order = np.argsort(np.argsort(-impact[rows], axis=0, kind="stable"), axis=0) + 1
        group = group.assign_coords({dim: part.index.astype(str).tolist()})
        for column in ("name", "city", "sector"):
            group[f"{prefix}_{column}"] = (dim, part[column].fillna("").astype(str).tolist())
        if dim == "enterprise":
            for column in ("longitude", "latitude"):
                group[f"{prefix}_{column}"] = (dim, part[column].to_numpy(float))
        group[f"{prefix}_rank"] = (("receptor", dim), order.T.astype(np.int32))
        group[f"{prefix}_impact"] = (("receptor", dim), impact[rows].T)
        group[f"{prefix}_impact_per_tonne"] = (("receptor", dim), per_tonne[rows].T)
        group[f"{prefix}_impact_by_pollutant"] = (
            ("receptor", dim, "pollutant"),
            np.moveaxis(precursors[rows], -1, 0),
        )
        group[f"{prefix}_emitted"] = ((dim, "pollutant"), emitted[rows])
    return group


def rank_of(
    scenario: Scenario,
    names: Sequence[str],
    start: np.datetime64 | None = None,
    end: np.datetime64 | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Rank the sources of a scenario's base case for some cities.

    Parameters
    ----------
    scenario : Scenario
        From `airsim.load`.
    names : sequence of str
        City ids.
    start, end : datetime64, optional
        Window of the mean [UTC]; the whole period by default.
    progress : callable, optional
        ``progress(done, all)``.

    Returns
    -------
    Dataset
        See `rank`.

    Raises
    ------
    InputError
        Whatever is wrong with tables, cities or window.
    """
    from airsim import case, inventory

    place = case.place(scenario)
    cities(place, names)  # complain before anything takes long
    weather = case.weather(scenario, place)
    spun_up = weather["time"].values[scenario.period.spin_up_hours]
    hours = window(weather["time"].values, spun_up if start is None else start, end)
    weather = weather.isel(time=slice(0, hours.stop))  # later air can't matter
    gridded = inventory.grid(case.inventory(scenario, place), place, weather)
    transport = Transport(place.grid, weather)
    return rank(place, transport, gridded, case.background(scenario, place), hours, names, progress=progress)
