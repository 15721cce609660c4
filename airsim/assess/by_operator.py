"""Emissions evaluated by the stored operator: city means of every block of hours, without a run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from airsim.assess.ranking import base_state
from airsim.inventory.gridding import GriddedEmissions
from airsim.inventory.placement import Placement
from airsim.region.equilibrium import pm25, pm25_gradient
from airsim.region.operator import Linearisation, Operator, obtain
from airsim.region.receptors import Receptors, cities, weather_at
from airsim.region.tracers import TRACERS
from airsim.region.transport import Transport

if TYPE_CHECKING:
    from airsim.geography import Geography

Array = NDArray[Any]


def about(
    transport: Transport, gridded: GriddedEmissions, receptors: Receptors, hours: range, inflow: Array
) -> Linearisation:
    """Return the base case as the state about which PM2.5 is linear; its run is made only if it is needed.

    Parameters
    ----------
    transport : Transport
    gridded : GriddedEmissions
        Base case.
    receptors : Receptors
    hours : range
        Positions of the hours of the window.
    inflow : (level, tracer) ndarray
        [ug m-3].
    """
    found = hashlib.sha256(repr((Placement(gridded).sites, hours)).encode())
    for hour in range(transport.hours):
        found.update(np.ascontiguousarray(gridded.rates(hour)).tobytes())

    def state() -> tuple[Array, Array]:
        constant = transport.coefficients.equilibrium.constant
        air = base_state(transport, gridded, receptors, hours, inflow)
        weather = weather_at(transport.meteorology, receptors, hours)
        return (
            pm25_gradient(air, *weather, axis=-1, constant=constant),
            pm25(air, *weather, axis=-1, constant=constant),
        )

    return Linearisation(found.hexdigest(), state)


def evaluate(operator: Operator, base: GriddedEmissions, cases: Mapping[str, GriddedEmissions]) -> xr.Dataset:
    """Evaluate emissions by contraction with the operator.

    Parameters
    ----------
    operator : Operator
        With PM2.5 linearised about `base`.
    base : GriddedEmissions
    cases : mapping
        Case -> emissions.

    Returns
    -------
    Dataset
        ``concentration`` (case, block, receptor, tracer) and ``pm25`` (case, block, receptor) [ug m-3], the latter to
        first order in the change from the base.

    Raises
    ------
    InputError
        Emission from places the operator does not know.
    """

    def located(gridded: GriddedEmissions) -> NDArray[np.intp]:
        placement = Placement(gridded)
        return operator.position(placement.sites, placement.site)

    at_base = operator.pm25(base.rates, located(base)).sum((0, 1))
    tracers, fine = [], []
    for gridded in cases.values():
        position = located(gridded)
        tracers.append(operator.mean(gridded.rates, position))
        fine.append(operator.pm25_base + operator.pm25(gridded.rates, position).sum((0, 1)) - at_base)
    bounds = [(operator.time[a], operator.time[b - 1] + np.timedelta64(1, "h")) for a, b in operator.blocks]
    return xr.Dataset(
        {
            "concentration": (("case", "block", "receptor", "tracer"), np.stack(tracers)),
            "pm25": (("case", "block", "receptor"), np.stack(fine)),
            "block_start": ("block", np.array([a for a, _ in bounds])),
            "block_end": ("block", np.array([b for _, b in bounds])),
        },
        coords={"case": list(cases), "receptor": list(operator.receptors), "tracer": list(TRACERS)},
    )


def operator_of(
    place: Geography,
    transport: Transport,
    base: GriddedEmissions,
    inflow: Array,
    hours: range,
    folder: Path,
    *,
    block: int | None = 24,
    progress: Callable[[int, int], None] | None = None,
) -> Operator:
    """Return the operator for the cities of a place from the cache, made first if it is not there.

    Parameters
    ----------
    place : Geography
    transport : Transport
    base : GriddedEmissions
        Of the base case, about which PM2.5 is linearised.
    inflow : (level, tracer) ndarray
        Air at the start and at the edges [ug m-3].
    hours : range
        Positions of the hours of the period.
    folder : Path
        The cache.
    block : int or None
        Hours of each mean; None for the whole period. Blocks begin with the period.
    progress : callable, optional
        ``progress(hours done, hours)`` of the making.
    """
    receptors = cities(place)
    return obtain(
        folder, transport, receptors, hours, Placement(base), inflow,
        block=block, linearisation=about(transport, base, receptors, hours, inflow), progress=progress,
    )  # fmt: skip
