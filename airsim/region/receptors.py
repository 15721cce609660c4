"""Whose air is looked at: weights over the boxes of the lowest layer, and the hours that count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from airsim.errors import InputError, Problem

if TYPE_CHECKING:
    import xarray as xr

    from airsim.geography import Geography, Grid

Array = NDArray[Any]


@dataclass(frozen=True)
class Receptors:
    """Weighted means over boxes of the lowest layer.

    Parameters
    ----------
    names : tuple of str
    weights : (receptor, ny*nx) csr_array
        Rows sum to 1.
    shape : (int, int)
        ny, nx.
    """

    names: tuple[str, ...]
    weights: sparse.csr_array
    shape: tuple[int, int]

    @cached_property
    def boxes(self) -> NDArray[np.intp]:
        """The boxes that any receptor looks at, flat positions in (y, x), ascending."""
        return np.unique(self.weights.indices).astype(np.intp)

    @cached_property
    def over_boxes(self) -> NDArray[np.float64]:
        """Weights over `boxes` alone, (receptor, box) [1]."""
        return self.weights[:, self.boxes].toarray()

    def pick(self, layer: Array) -> Array:
        """Return the values of `boxes`, (box, ...), from a layer (y, x, ...)."""
        return layer.reshape(-1, *layer.shape[2:])[self.boxes]

    def mean(self, values: Array) -> Array:
        """Return the receptors' means, (receptor, ...), of values in the boxes, (box, ...)."""
        return np.tensordot(self.over_boxes, values, axes=1)


def cities(geography: Geography, names: Sequence[str] | None = None) -> Receptors:
    """Return cities as receptors: population-weighted means over their built-up boxes.

    Parameters
    ----------
    geography : Geography
    names : sequence of str, optional
        City ids; by default all that have boxes on the grid.

    Raises
    ------
    InputError
        An unknown city, or one without boxes on this grid.
    """
    from airsim.geography import CITIES

    known = [c.id for c in CITIES]
    filled = np.diff(geography.city_weights.indptr) > 0
    if names is None:
        names = [name for name, here in zip(known, filled, strict=True) if here]
    problems = [
        Problem("", "", "city", n, f"must be one of {', '.join(known)}", f"应为 {'、'.join(known)} 之一")
        if n not in known
        else Problem("", "", "city", n, "has no boxes on this grid", "在该区域网格内没有格点")
        for n in names
        if n not in known or not filled[known.index(n)]
    ]
    if problems:
        raise InputError(problems)
    rows = geography.city_weights[[known.index(n) for n in names]]
    return Receptors(tuple(names), sparse.csr_array(rows), (geography.grid.ny, geography.grid.nx))


def stations(grid: Grid, names: Sequence[str], longitude: ArrayLike, latitude: ArrayLike) -> Receptors:
    """Return stations as receptors: each is the box it stands in.

    Parameters
    ----------
    grid : Grid
    names : sequence of str
    longitude, latitude : (station,) array_like
        WGS84 [deg].

    Raises
    ------
    InputError
        A station outside the grid.
    """
    iy, ix = grid.locate(np.asarray(longitude, float), np.asarray(latitude, float))
    outside = [n for n, j in zip(names, np.atleast_1d(iy), strict=True) if j < 0]
    if outside:
        raise InputError([Problem("", "", "station", n, "lies outside the grid", "位于区域网格之外") for n in outside])
    return cells(grid, np.atleast_1d(iy), np.atleast_1d(ix), names)


def cells(grid: Grid, iy: ArrayLike, ix: ArrayLike, names: Sequence[str] | None = None) -> Receptors:
    """Return single boxes as receptors, named ``y,x`` unless named otherwise.

    Raises
    ------
    InputError
        A box outside the grid.
    """
    j, i = np.atleast_1d(np.asarray(iy)), np.atleast_1d(np.asarray(ix))
    off = (j < 0) | (j >= grid.ny) | (i < 0) | (i >= grid.nx)
    if off.any():
        allowed = f"y 0..{grid.ny - 1}, x 0..{grid.nx - 1}"
        raise InputError(
            [Problem("", "", "cell", f"{a},{b}", allowed, allowed) for a, b in zip(j[off], i[off], strict=True)]
        )
    labels = tuple(names) if names is not None else tuple(f"{a},{b}" for a, b in zip(j, i, strict=True))
    count = len(j)
    weights = sparse.csr_array((np.ones(count), (np.arange(count), j * grid.nx + i)), (count, grid.ny * grid.nx))
    return Receptors(labels, weights, (grid.ny, grid.nx))


def window(time: NDArray[np.datetime64], start: np.datetime64 | None = None, end: np.datetime64 | None = None) -> range:
    """Return the positions of the hours from `start` to before `end` [UTC]; all if neither is given.

    Raises
    ------
    InputError
        No hour lies in the window, or it reaches beyond the hours there are.
    """
    hour = np.timedelta64(1, "h")
    begin = time[0] if start is None else np.asarray(start, "datetime64[ns]")[()]
    stop = time[-1] + hour if end is None else np.asarray(end, "datetime64[ns]")[()]
    inside = np.flatnonzero((time >= begin) & (time < stop))
    if begin < time[0] or stop > time[-1] + hour or not len(inside):
        allowed = f"{np.datetime_as_string(time[0], 'h')}Z .. {np.datetime_as_string(time[-1] + hour, 'h')}Z"
        value = f"{np.datetime_as_string(begin, 'h')}Z .. {np.datetime_as_string(stop, 'h')}Z"
        raise InputError(
            [
                Problem(
                    "",
                    "",
                    "window",
                    value,
                    f"must hold an hour and lie in {allowed}",
                    f"应至少含一小时且在 {allowed} 内",
                )
            ]
        )
    return range(int(inside[0]), int(inside[-1]) + 1)


def weather_at(weather: xr.Dataset, receptors: Receptors, hours: range) -> tuple[Array, Array]:
    """Return air temperature [K] and relative humidity [1] in the receptors' boxes, each (hour, box)."""
    part = weather.isel(time=slice(hours.start, hours.stop))
    fields = (part[name].transpose("time", "y", "x").values for name in ("air_temperature", "relative_humidity"))
    temperature, humidity = (f.reshape(len(hours), -1)[:, receptors.boxes] for f in fields)
    return temperature, humidity


class Watch:
    """Keeps what passes the receptors' boxes: an observer of `Transport.run`.

    Parameters
    ----------
    receptors : Receptors
    hours : range
        Positions of the hours kept.
    tracers, columns : int
        Sizes of those axes.

    Attributes
    ----------
    tracers : (hour, box, tracer, column) float32 ndarray
        Hourly means [ug m-3].
    """

    def __init__(self, receptors: Receptors, hours: range, tracers: int, columns: int) -> None:
        self._receptors, self._hours = receptors, hours
        self.tracers = np.zeros((len(hours), len(receptors.boxes), tracers, columns), np.float32)

    def __call__(self, hour: int, mean: Array) -> None:
        """Take the hourly mean (level, y, x, tracer, column) [ug m-3]."""
        if hour in self._hours:
            self.tracers[self._hours.index(hour)] = self._receptors.pick(mean[0])
