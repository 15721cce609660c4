"""Plumes of single stacks inside the boxes of the region, each gram counted once.

What the box model holds of a stack's last hours is tagged and taken away; the plume of the same hours is put in its
place. Beyond that age the plume has filled its box and the box model has it alone (tag, subtract, add: as uEMEP does
with local fractions, Denby et al. 2020, Geosci. Model Dev. 13, 6303).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from airsim import meteorology, plume
from airsim.inventory import POLLUTANTS as INVENTORY_POLLUTANTS
from airsim.inventory.gridding import GriddedEmissions, pollutants
from airsim.inventory.placement import Placement
from airsim.plume.boundary_layer import wind_profile
from airsim.plume.rise import final_rise
from airsim.region.transport import HOUR, Transport

if TYPE_CHECKING:
    from airsim.geography import Geography, Grid

Array = NDArray[Any]

POLLUTANTS = ("SO2", "NOx", "PM25")
#: Receptors stand at breathing height [m].
BREATHING = 1.5
#: Whole hours before the present one of which everything emitted counts as young.
HOLD = 1
# slower air is counted as this fast where distance is turned into age: below it plumes meander [m s-1]
_CALM = 0.5
# boxes kept around the receptors when young mass is followed: what is farther out does not come back in time
_MARGIN = 8


def young_share(age: Array, hold: int = HOLD) -> Array:
    """Share of an hour's mean during which air of some age counts as young.

    Emission is followed from `hold` hours before the hour on, so at a moment u hours into it ages up to hold + u are
    there; over the hour that is 1 up to `hold`, and falls to 0 at hold + 1. Its integral, hold + 1/2 hours, times the
    emission rate is the young mass.

    Parameters
    ----------
    age : ndarray
        [s].
    hold : int
        [h].
    """
    return np.clip(hold + 1.0 - np.asarray(age) / HOUR, 0.0, 1.0)


def young_boxes(grid: Grid, weather: xr.Dataset, emitted: Sequence[Array], hour: int, levels: int = 1) -> Array:
    """Return what the boxes hold, in an hour's mean, of what was emitted in it and the hours just before.

    Parameters
    ----------
    grid : Grid
    weather : Dataset
        On that grid.
    emitted : sequence of (level, y, x, tracer) ndarray
        Emission of those hours, the last being `hour` [kg s-1].
    hour : int
        Position in the weather; the hours before it must be there.
    levels : int
        Levels wanted.

    Returns
    -------
    (level, y, x, tracer) ndarray
        [ug m-3].
    """
    last = len(emitted) - 1
    part = Transport(grid, weather.isel(time=slice(hour - last, hour + 1)))
    kept: list[Array] = []
    part.run(
        lambda h: emitted[h][..., None],
        columns=1,
        levels=levels,
        observe=lambda h, mean: kept.append(mean[..., 0].copy()) if h == last else None,
    )
    return kept[0]


def young_plumes(
    stacks: pd.DataFrame, receptors: pd.DataFrame, weather: pd.DataFrame, dispersion: str, hold: int = HOLD
) -> Array:
    """Return the plumes of unit emission as far as they are young.

    Parameters
    ----------
    stacks : DataFrame
        As for `airsim.plume.concentration`, `rate` 1 and a `group` each.
    receptors : DataFrame
    weather : DataFrame
        One row an hour.
    dispersion : str
    hold : int
        See `young_share`.

    Returns
    -------
    (hour, stack, receptor) ndarray
        [ug m-3 per g s-1].
    """
    whole = plume.concentration(stacks, receptors, weather, dispersion=dispersion, by="group")
    unit = whole.sel(group=stacks["group"].to_numpy()).transpose("time", "group", "receptor").values
    shape = (len(weather), len(stacks))

    def by_hour(name: str) -> Array:
        return np.broadcast_to(weather[name].to_numpy(float)[:, None], shape)

    def by_stack(name: str) -> Array:
        return np.broadcast_to(stacks[name].to_numpy(float), shape)

    speed, depth, length = by_hour("wind_speed"), by_hour("mixing_height"), by_hour("obukhov_length")
    roughness = by_hour("roughness_length")

    def wind(height: Array) -> Array:
        there = wind_profile(height, roughness, length, depth)
        return np.asarray(speed * there / wind_profile(by_hour("wind_height"), roughness, length, depth))

    top = by_stack("height")
    rise = final_rise(
        top, by_stack("diameter"), by_stack("exit_velocity"), by_stack("exit_temperature"),
        by_hour("air_temperature"), wind(top), by_hour("friction_velocity"), length, depth,
    )  # fmt: skip
    carried = wind(top + rise)
    distance = np.hypot(
        receptors["x"].to_numpy(float) - stacks["x"].to_numpy(float)[:, None],
        receptors["y"].to_numpy(float) - stacks["y"].to_numpy(float)[:, None],
    )
    return unit * young_share(distance / np.maximum(carried, _CALM)[..., None], hold)


def increment(
    geography: Geography,
    gridded: GriddedEmissions,
    weather: xr.Dataset,
    hours: range,
    stacks: Sequence[str],
    x0: float,
    y0: float,
    axis: Array,
    dispersion: str = "similarity",
    hold: int = HOLD,
) -> xr.Dataset:
    """Return what stacks add to the region's concentration on a fine grid: young plumes less young boxes.

    Add it to the region's value in the box of each receptor. Its mean over a wide enough area and all heights is zero:
    it moves mass about, it makes none.

    Parameters
    ----------
    geography : Geography
    gridded : GriddedEmissions
        Of the case.
    weather : Dataset
        Of the run.
    hours : range
        Positions of the hours wanted, from `hold` on.
    stacks : sequence of str
        Point sources, by index of ``gridded.sources``.
    x0, y0 : float
        Middle of the fine grid on the plane [m].
    axis : (n,) ndarray
        Its coordinates along x and y from the middle [m].
    dispersion : str
        See `airsim.plume.concentration`.
    hold : int
        See `young_share`.

    Returns
    -------
    Dataset
        ``young_plume``, ``young_box``, ``increment`` (pollutant, time, y_fine, x_fine) [ug m-3].

    Raises
    ------
    ValueError
        An hour with fewer than `hold` before it.
    """
    if hours.start < hold:
        raise ValueError(f"hours must begin at {hold} or later: young mass is followed from {hold} h before")
    rows = gridded.sources.index.get_indexer(pd.Index(stacks))
    points = gridded.sources.iloc[rows]
    px, py = geography.grid.project(points["longitude"].to_numpy(float), points["latitude"].to_numpy(float))
    ry, rx = (a.ravel() for a in np.meshgrid(axis, axis, indexing="ij"))
    frame = pd.DataFrame(
        {
            "x": px - x0,
            "y": py - y0,
            "height": points["stack_height"].to_numpy(float),
            "diameter": points["stack_diameter"].to_numpy(float),
            "exit_velocity": points["exit_velocity"].to_numpy(float),
            "exit_temperature": points["exit_temperature"].to_numpy(float),
            "rate": 1.0,
            "group": points.index.astype(str),
        }
    )
    receptors = pd.DataFrame({"x": rx, "y": ry, "z": BREATHING})
    local = meteorology.at(weather.isel(time=slice(hours.start, hours.stop)), x0, y0)
    columns = [INVENTORY_POLLUTANTS.index(p) for p in POLLUTANTS]

    grid, part, (sy, sx) = _around(geography.grid, weather, x0, y0, float(np.abs(axis).max()))
    placement = Placement(gridded)
    group = np.full(len(gridded.sources), -1, dtype=np.intp)
    group[rows] = 0
    j, i = np.searchsorted(grid.y + 0.5 * grid.spacing, y0 + ry), np.searchsorted(grid.x + 0.5 * grid.spacing, x0 + rx)

    def emitted(hour: int) -> Array:
        return placement.emitted(hour, group, 1)[:, sy, sx, :, 0]

    lately = [emitted(h) for h in range(hours.start - hold, hours.start)]

    shape = (len(POLLUTANTS), len(hours), len(axis), len(axis))
    plumes, boxes = np.zeros((2, *shape), np.float32)
    for n, hour in enumerate(hours):
        rate = pollutants(gridded.rates(hour)[rows])[:, columns] * 1e3  # g s-1
        young = young_plumes(frame, receptors, local.iloc[n : n + 1], dispersion, hold)[0]
        plumes[:, n] = (rate.T @ young).reshape(-1, len(axis), len(axis))
        lately = [*lately[-hold:], emitted(hour)] if hold else [emitted(hour)]
        held = young_boxes(grid, part, lately, hour)[0]
        boxes[:, n] = pollutants(held)[j, i][:, columns].T.reshape(-1, len(axis), len(axis))
    dims = ("pollutant", "time", "y_fine", "x_fine")
    return xr.Dataset(
        {
            "young_plume": (dims, plumes),
            "young_box": (dims, boxes),
            "increment": (dims, plumes - boxes),
        },
        coords={
            "pollutant": list(POLLUTANTS),
            "time": weather["time"].values[hours.start : hours.stop],
            "y_fine": axis,
            "x_fine": axis,
        },
    )


def _around(
    grid: Grid, weather: xr.Dataset, x0: float, y0: float, radius: float
) -> tuple[Grid, xr.Dataset, tuple[slice, slice]]:
    """Return the part of grid and weather around a place."""
    cut = []
    for centres, middle in ((grid.y, y0), (grid.x, x0)):
        near = np.flatnonzero(np.abs(centres - middle) <= radius + (_MARGIN + 0.5) * grid.spacing)
        cut.append(slice(int(near[0]), int(near[-1]) + 1))
    sy, sx = cut
    small = dataclasses.replace(
        grid,
        x=grid.x[sx],
        y=grid.y[sy],
        longitude=grid.longitude[sy, sx],
        latitude=grid.latitude[sy, sx],
        terrain=grid.terrain[sy, sx],
    )
    boxes = {
        "y": sy,
        "x": sx,
        "y_face": slice(sy.start, sy.stop + 1),
        "x_face": slice(sx.start, sx.stop + 1),
    }
    return small, weather.isel(boxes), (sy, sx)
