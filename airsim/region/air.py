"""The air over a region: its weather, what flows in, and the transport of both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from airsim.region.transport import Transport

if TYPE_CHECKING:
    import xarray as xr

    from airsim.geography import Geography


@dataclass(frozen=True)
class Air:
    """What carries emissions from sources to cities.

    Attributes
    ----------
    place : Geography
    weather : Dataset
        Of the spin-up and the period, hour by hour.
    inflow : ndarray
        Air that flows in over the edges, (level, tracer) [ug m-3].
    spin_up : int
        Hours before the period [h].
    """

    place: Geography
    weather: xr.Dataset
    inflow: NDArray[Any]
    spin_up: int

    @cached_property
    def transport(self) -> Transport:
        """The transport of this weather on this grid."""
        return Transport(self.place.grid, self.weather)

    @property
    def hours(self) -> range:
        """Positions of the hours of the period."""
        return range(self.spin_up, self.transport.hours)
