"""Many emission worlds under one weather: a few are carried, all others are sums of these.

Transport is linear, so the tracers of a world that is a weighted sum of other worlds are the weighted sum of theirs. A
thousand scenarios that turn a handful of measures up and down span a handful of dimensions: a random sketch of each
finds which of them are enough (pivoted QR), these are carried as columns of one run, and every other one is a matrix
product, hour by hour; the gas-particle equilibrium, the only step that is not linear, follows in each city's boxes as
in a run (`airsim.assess.surface.species`). No linearisation: what differs from a run is float32 rounding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from airsim.assess.surface import species
from airsim.inventory.gridding import GriddedEmissions, Scales, speciate
from airsim.region.receptors import Receptors, Watch, weather_at
from airsim.region.tracers import TRACERS

if TYPE_CHECKING:
    import xarray as xr

    from airsim.inventory import Inventory
    from airsim.region.transport import Transport

Array = NDArray[Any]

#: Air-quality species kept by city.
KEPT = ("pm25", "pm10", "so2", "no2", "co")
#: Columns carried at once; more are no cheaper each, and take memory.
_AT_ONCE = 32
#: Relative size of what is left of a world's sketch once those before it are taken out, below which it is their sum.
_SAME = 1e-9
_PLACE = (
    "kind", "sector", "subsector", "city", "county", "longitude", "latitude",
    "stack_height", "stack_diameter", "exit_velocity", "exit_temperature",
)  # fmt: skip


class Sketcher:
    """Turns an inventory into a few random sums of what it emits beyond the base, linear in its emissions.

    Every sum weighs a source, tracer and hour by the product of a random number of the source and tracer and one of the
    hour; numbers of a source depend on its name and place alone, so sketches made by different processes go together.

    Parameters
    ----------
    base : Inventory
    time : (hour,) datetime64 ndarray
        Start of the hours [UTC].
    size : int
        Number of sums; more than the dimensions that the worlds span.
    """

    def __init__(self, base: Inventory, time: NDArray[np.datetime64], size: int) -> None:
        self._size = size
        self._hours = np.random.default_rng(1).standard_normal((size, len(time)))
        self._time = time
        self._known: dict[str, Array] = {}
        self._base = self._sums(base)

    def __call__(self, inventory: Inventory) -> Array:
        """Return the sketch of what an inventory emits beyond the base, (size,)."""
        return self._sums(inventory) - self._base

    def _sums(self, inventory: Inventory) -> Array:
        sources = inventory.sources
        annual = speciate(sources)
        weights = self._weights(sources).reshape(self._size, -1)
        scales = Scales(inventory, self._time)
        of_state = np.stack([self._hours[:, scales.of_hour == s].sum(1) for s in range(scales.count)], axis=1)
        emitted = np.stack([(annual * scales.at(s)).ravel() for s in range(scales.count)], axis=1)
        result: Array = (of_state * (weights @ emitted)).sum(1)
        return result

    def _weights(self, sources: Any) -> Array:
        """Return the random numbers of the sources, (size, source, tracer)."""
        known = hashlib.sha256("\n".join(map(str, sources.index)).encode())
        for column in _PLACE:
            if column in sources:
                known.update("\n".join(map(str, sources[column])).encode())
        key = known.hexdigest()
        if key not in self._known:
            there = sources[[c for c in _PLACE if c in sources]]
            named = ["|".join(map(str, row)) for row in there.itertuples(index=False)]
            each = []
            for name, place in zip(sources.index, named, strict=True):
                seed = int.from_bytes(hashlib.sha256(f"{name}|{place}".encode()).digest()[:8], "little")
                each.append(np.random.default_rng(seed).standard_normal((self._size, len(TRACERS))))
            self._known[key] = np.stack(each, axis=1)
        return self._known[key]


def basis(sketches: Array) -> tuple[NDArray[np.intp], Array]:
    """Choose worlds of which all others are sums.

    Parameters
    ----------
    sketches : (world, size) ndarray
        From `Sketcher`.

    Returns
    -------
    chosen : (n,) int ndarray
        Positions of the worlds to carry.
    weights : (world, n) ndarray
        What each world takes of the chosen ones [1]; a world equal to the base has none.

    Raises
    ------
    ValueError
        The worlds span as many dimensions as the sketches have: they must be larger to tell.
    """
    from scipy.linalg import qr, solve_triangular

    largest = np.abs(sketches).max(initial=0.0)
    if largest == 0:
        return np.zeros(0, np.intp), np.zeros((len(sketches), 0))
    _, r, order = qr(sketches.T, mode="economic", pivoting=True)
    size = np.abs(np.diag(r))
    n = int((size > _SAME * size[0]).sum())
    if n == sketches.shape[1] and n < len(sketches):
        raise ValueError("sketches are too small")
    weights = np.zeros((len(sketches), n))
    weights[order] = solve_triangular(r[:n, :n], r[:n]).T
    weights[order[:n]] = np.eye(n)
    return order[:n].astype(np.intp), weights


@dataclass(frozen=True)
class CarriedWorlds:
    """Tracers of carried worlds in the boxes of the cities.

    Parameters
    ----------
    tracers : (world, hour, box, tracer) float32 ndarray
        The first is the base; without the background [ug m-3].
    background : (hour, box, tracer) float32 ndarray
        [ug m-3].
    """

    tracers: Array
    background: Array


def carry(
    transport: Transport,
    gridded: Sequence[GriddedEmissions],
    receptors: Receptors,
    hours: range,
    inflow: Array | None,
) -> Array:
    """Carry worlds, and the background if `inflow` is given, as columns of a run.

    Parameters
    ----------
    transport : Transport
    gridded : sequence of GriddedEmissions
    receptors : Receptors
    hours : range
        Positions of the hours kept.
    inflow : (level, tracer) ndarray or None
        Air at the start and at the edges [ug m-3]; becomes the last column.

    Returns
    -------
    (column, hour, box, tracer) float32 ndarray
        [ug m-3].
    """
    grid = transport.grid
    levels = max((g.levels for g in gridded), default=1)
    columns: list[GriddedEmissions | None] = [*gridded, *([None] if inflow is not None else [])]
    kept = []
    for first in range(0, len(columns), _AT_ONCE):
        part = columns[first : first + _AT_ONCE]
        air = np.zeros((grid.nz, len(TRACERS), len(part)))
        for c, world in enumerate(part):
            if world is None and inflow is not None:
                air[..., c] = inflow

        def emit(hour: int, part: list[GriddedEmissions | None] = part) -> Array:
            field = np.zeros((levels, grid.ny, grid.nx, len(TRACERS), len(part)))
            for c, world in enumerate(part):
                if world is not None:
                    rates = world.at(hour)
                    field[: len(rates), ..., c] = rates
            return field

        watch = Watch(receptors, hours, len(TRACERS), len(part))
        transport.run(emit, columns=len(part), initial=air, inflow=air, observe=watch, levels=1)
        kept.append(np.moveaxis(watch.tracers, -1, 0))
    return np.concatenate(kept)


def city_air(
    worlds: CarriedWorlds, weights: Array, weather: xr.Dataset, receptors: Receptors, hours: range, constant: str
) -> dict[str, Array]:
    """Return the air of the cities in worlds that are sums of carried ones.

    Parameters
    ----------
    worlds : CarriedWorlds
    weights : (n, world - 1) ndarray
        From `basis`, of the carried worlds after the base.
    weather : Dataset
    receptors : Receptors
    hours : range
        As they were carried.
    constant : str
        Dissociation constant, see `airsim.region.equilibrium`.

    Returns
    -------
    dict
        `KEPT` -> (n, hour, receptor) float32 [ug m-3].
    """
    base = worlds.tracers[0] + worlds.background
    beyond = worlds.tracers[1:] - worlds.tracers[:1]
    air = (
        np.asarray(weights, np.float32) @ beyond.reshape(len(beyond), -1)
        if len(beyond)
        else np.zeros((len(weights), base.size), np.float32)
    )
    air = air.reshape(len(weights), *base.shape) + base
    temperature, humidity = weather_at(weather, receptors, hours)
    made = species(np.ascontiguousarray(np.moveaxis(air, -1, 0)), temperature, humidity, constant)
    over = receptors.over_boxes.T
    return {name: (made[name] @ over).astype(np.float32) for name in KEPT}
