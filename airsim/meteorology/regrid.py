"""Weather of another model put on the model grid: bilinear, by height above ground, hour by hour.

What comes out is the same dataset that the synthetic weather gives, so nothing downstream knows the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from airsim.errors import InputError, Problem
from airsim.geography import Geography, Grid
from airsim.meteorology import mass_consistent
from airsim.meteorology.dataset import assemble
from airsim.meteorology.diagnosis import diagnose_field, profile_ratio
from airsim.meteorology.ground import Relief, built_up, roughness_length
from airsim.meteorology.source import HOUR, PROFILES, Gridded, Singles, Times, Window, check_coverage
from airsim.tables import Note

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LAPSE = 0.0065
"""Fall of temperature with height [K m-1] where our ground is higher than the source's (ICAO standard air)."""
JOIN = 100.0
"""Below this height [m] profiles are straight in the logarithm of height, above it in height."""
REFERENCE = 10.0
"""Height of the wind near the ground [m]."""
_LOWEST = 12.0  # m; a level below it gives way to the wind at 10 m
_HOURS_AT_ONCE = 8


# --------------------------------------------------------------------------------------------------------
# horizontal


@dataclass(frozen=True, eq=False)
class Bilinear:
    """Weights that take fields of a curvilinear grid to places.

    Attributes
    ----------
    window : Window
        The part of the grid that is used.
    matrix : (place, window cell) csr_array
        Four weights a place, which sum to 1.
    """

    window: Window
    matrix: sparse.csr_array

    def __call__(self, field: NDArray[np.floating]) -> Singles:
        """Return a field (..., y, x) on the window at the places, (..., place)."""
        flat = field.reshape(-1, field.shape[-2] * field.shape[-1])
        return np.asarray(self.matrix @ flat.T, np.float32).T.reshape(*field.shape[:-2], -1)


def bilinear(source_x: Floats, source_y: Floats, x: Floats, y: Floats) -> tuple[Bilinear, NDArray[np.bool_]]:
    """Return the weights for places on a plane, and which of them lie within the source's outermost points.

    The place of a point between four neighbours is found by Newton's method on the bilinear map of their
    positions, so that a field linear in x and y is reproduced exactly on any curved grid.

    Parameters
    ----------
    source_x, source_y : (ny, nx) ndarray
        Source points on the plane [m].
    x, y : (place,) ndarray
        [m]
    """
    ny, nx = source_x.shape
    nearest = cKDTree(np.column_stack([source_x.ravel(), source_y.ravel()])).query(np.column_stack([x, y]))[1]
    row, column = (np.asarray(a, np.float64) for a in np.unravel_index(nearest, (ny, nx)))
    for _ in range(12):
        j, i = _corner(row, ny), _corner(column, nx)
        b, a = np.asarray(row - j, float), np.asarray(column - i, float)
        (px, dx_a, dx_b), (py, dy_a, dy_b) = (_in_cell(s, j, i, a, b) for s in (source_x, source_y))
        determinant = dx_a * dy_b - dx_b * dy_a
        ex, ey = x - px, y - py
        step_a, step_b = (dy_b * ex - dx_b * ey) / determinant, (dx_a * ey - dy_a * ex) / determinant
        # beyond the edge the map is carried on; it need not be followed far
        column = np.clip(column + np.clip(step_a, -2, 2), -2, nx + 1)
        row = np.clip(row + np.clip(step_b, -2, 2), -2, ny + 1)
        if max(np.abs(step_a).max(), np.abs(step_b).max()) < 1e-9:
            break
    tolerance = 1e-6
    inside = (row >= -tolerance) & (row <= ny - 1 + tolerance) & (column >= -tolerance) & (column <= nx - 1 + tolerance)
    row, column = np.clip(row, 0, ny - 1), np.clip(column, 0, nx - 1)
    j, i = _corner(row, ny), _corner(column, nx)
    b, a = row - j, column - i
    window = Window(int(j.min()), int(j.max()) + 2, int(i.min()), int(i.max()) + 2)
    width = window.east - window.west
    cell = (j - window.south) * width + (i - window.west)
    cells = np.stack([cell, cell + 1, cell + width, cell + width + 1], axis=1)
    weights = np.stack([(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b], axis=1)
    place = np.repeat(np.arange(len(x)), 4)
    shape = len(x), (window.north - window.south) * width
    matrix = sparse.csr_array((weights.ravel().astype(np.float32), (place, cells.ravel())), shape=shape)
    return Bilinear(window, matrix), inside


def _corner(position: Floats, n: int) -> Ints:
    return np.clip(np.floor(position), 0, n - 2).astype(np.int64)


def _in_cell(node: Floats, j: Ints, i: Ints, a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the bilinear value within cells and its derivatives along the columns and rows."""
    n00, n01, n10, n11 = node[j, i], node[j, i + 1], node[j + 1, i], node[j + 1, i + 1]
    along_a, along_b = (n01 - n00) * (1 - b) + (n11 - n10) * b, (n10 - n00) * (1 - a) + (n11 - n01) * a
    return n00 + a * (n01 - n00) + b * (n10 - n00) + a * b * (n00 - n01 - n10 + n11), along_a, along_b


# --------------------------------------------------------------------------------------------------------
# vertical


def stretch(height: ArrayLike) -> NDArray[np.floating]:
    """Return the coordinate [1] in which profiles are straight: logarithmic to 100 m, then linear, with one slope."""
    low, high = np.clip(height, 0.01, JOIN), np.maximum(height, JOIN)
    return np.asarray(np.log(low / JOIN) + high / JOIN - 1)


def to_heights(
    height: NDArray[np.floating], profiles: Sequence[NDArray[np.floating]], wanted: Floats
) -> list[NDArray[np.floating]]:
    """Interpolate profiles to heights above ground; beyond the ends the end value is held.

    Parameters
    ----------
    height : (level, ...) ndarray
        Above ground, not falling along the levels [m].
    profiles : sequence of (level, ...) ndarray
    wanted : (n,) ndarray
        [m]

    Returns
    -------
    list of (n, ...) ndarray
    """
    cells = height.shape[1:]
    result = [np.empty((len(wanted), *cells), np.float32) for _ in profiles]
    for k, z in enumerate(wanted):
        below = np.clip((height < z).sum(axis=0) - 1, 0, len(height) - 2)[None]
        low, high = (np.take_along_axis(height, below + d, axis=0)[0] for d in (0, 1))
        s_low, s_high = stretch(low), stretch(high)
        share = np.clip((stretch(z) - s_low) / np.maximum(s_high - s_low, 1e-9), 0, 1)
        for r, profile in zip(result, profiles, strict=True):
            p_low, p_high = (np.take_along_axis(profile, below + d, axis=0)[0] for d in (0, 1))
            r[k] = p_low + share * (p_high - p_low)
    return result


def _columns(fields: dict[str, Singles], roughness: Floats | None, wanted: Floats) -> dict[str, Singles]:
    """Return the profiles of one time at the wanted heights, with the wind at 10 m as their foot.

    Levels below 12 m, which for pressure levels may lie under the ground, give way to the wind at 10 m; where
    that is missing it follows from the lowest level above by the logarithmic law.
    """
    height = fields["height"]
    buried = height < _LOWEST
    if "eastward_wind_10m" in fields:
        foot = fields["eastward_wind_10m"], fields["northward_wind_10m"]
    else:
        first = buried.sum(axis=0)[None]
        z = np.maximum(np.take_along_axis(height, np.minimum(first, len(height) - 1), axis=0)[0], REFERENCE)
        z0 = 0.1 if roughness is None else np.clip(roughness, 1e-3, 2.0)
        share = np.log(REFERENCE / z0) / np.log(z / z0)
        foot = tuple(
            np.take_along_axis(fields[n], np.minimum(first, len(height) - 1), axis=0)[0] * share
            for n in ("eastward_wind", "northward_wind")
        )
    ground = np.full((1, *height.shape[1:]), REFERENCE, np.float32)
    levels = np.concatenate([ground, np.where(buried, np.float32(REFERENCE), height)])
    winds = [
        np.concatenate([f[None], np.where(buried, f, fields[n])]).astype(np.float32)
        for f, n in zip(foot, ("eastward_wind", "northward_wind"), strict=True)
    ]
    u, v = to_heights(levels, winds, wanted)
    result = {"eastward_wind": u, "northward_wind": v}
    if "potential_temperature" in fields:
        theta = fields["potential_temperature"]
        first = np.minimum(buried.sum(axis=0), len(height) - 1)[None]
        theta = np.where(buried, np.take_along_axis(theta, first, axis=0), theta)
        (result["potential_temperature"],) = to_heights(levels[1:], [theta], wanted)
    result["eastward_wind_10m"], result["northward_wind_10m"] = (np.asarray(f, np.float32) for f in foot)
    return result


# --------------------------------------------------------------------------------------------------------
# one weather at places


@dataclass(frozen=True, eq=False)
class AtPlaces:
    """Hourly weather at places, winds still to the east and north.

    Attributes
    ----------
    fields : dict
        Name -> (time, place), or (time, level, place) for profiles, float32.
    terrain : (place,) ndarray or None
        The source's ground [m above sea level].
    roughness : (place,) ndarray or None
        [m]
    inside : (place,) bool ndarray
        Places that the source covers.
    notes : list of Note
    """

    fields: dict[str, Singles]
    terrain: Floats | None
    roughness: Floats | None
    inside: NDArray[np.bool_]
    notes: list[Note]


def at_places(
    source: Gridded,
    plane: Grid,
    longitude: Floats,
    latitude: Floats,
    heights: Floats,
    start: np.datetime64,
    hours: int,
) -> AtPlaces:
    """Bring a source's weather to places and hours.

    The value of an hour is that of its middle: instants between two stamps linearly, means over an interval from
    the interval's own middle.

    Parameters
    ----------
    source : Gridded
    plane : Grid
        Only its projection is used.
    longitude, latitude : (place,) ndarray
        [deg]
    heights : (level,) ndarray
        Above ground [m].
    start : datetime64
        Start of the first hour, UTC.
    hours : int

    Raises
    ------
    InputError
        The source does not cover the hours, has gaps, or values that cannot be.
    """
    notes = [*source.notes, *check_coverage(source.time, start, hours, source.file)]
    x, y = plane.project(longitude, latitude)
    source_x, source_y = plane.project((source.longitude + 180) % 360 - 180, source.latitude)
    weights, inside = bilinear(source_x, source_y, x, y)
    end = start + hours * HOUR
    first = max(int(np.searchsorted(source.time, start, side="right")) - 1, 0)
    last = min(int(np.searchsorted(source.time, end)), len(source.time) - 1)
    names = set(source.has)
    if "atmosphere_boundary_layer_thickness" in names:
        names -= {"potential_temperature"}  # only asked to find the mixing height
    rough = None if source.roughness is None else source.roughness[weights.window.cut]
    top = float(heights.max())

    def one(i: int) -> dict[str, Singles]:
        fields = source.at(i, weights.window, top, names)
        if "height" in fields:
            fields = {k: v for k, v in fields.items() if k not in PROFILES} | _columns(fields, rough, heights)
        return {name: weights(values) for name, values in fields.items()}

    # reading takes turns, the arithmetic need not; after a bad hour the rest need not be read
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(one, i) for i in range(first, last + 1)]
        try:
            found = [w.result() for w in waiting]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        waiting.clear()
    stamps = source.time[first : last + 1]
    middle = start + (np.arange(hours) * 2 + 1) * (HOUR // 2)
    fields = {}
    for name in list(found[0]):
        series = [f.pop(name) for f in found]  # each is let go of as it is used
        fields[name] = in_time(stamps + source.middle.get(name, np.timedelta64(0)), series, middle)
    ground = None if source.terrain is None else weights(source.terrain[weights.window.cut]).astype(float)
    return AtPlaces(
        fields,
        ground,
        None if rough is None else np.exp(weights(np.log(rough))).astype(float),
        inside,
        notes,
    )


def in_time(known: Times, values: Sequence[Singles], wanted: Times) -> Singles:
    """Interpolate fields linearly in time; before the first and after the last the nearest is held."""
    if len(known) == 1:
        return np.repeat(values[0][None], len(wanted), axis=0)
    after = np.clip(np.searchsorted(known, wanted), 1, len(known) - 1)
    share = np.clip((wanted - known[after - 1]) / (known[after] - known[after - 1]), 0, 1).astype(np.float32)
    result = np.empty((len(wanted), *values[0].shape), np.float32)
    for hour, (k, s) in enumerate(zip(after, share, strict=True)):
        result[hour] = values[k - 1] if s == 0 else values[k] if s == 1 else (1 - s) * values[k - 1] + s * values[k]
    return result


# --------------------------------------------------------------------------------------------------------
# the dataset


def on_grid(source: Gridded, geography: Geography, start: np.datetime64, hours: int) -> xr.Dataset:
    """Put a source's weather on the model grid.

    Winds are interpolated, turned into the grid's axes, made into fluxes and freed of column divergence over our
    terrain (`mass_consistent`); temperature follows our ground; what the source lacks is diagnosed, and says so
    in its attribute `diagnosed`.

    Parameters
    ----------
    source : Gridded
    geography : Geography
    start : datetime64
        Start of the first hour, UTC.
    hours : int

    Returns
    -------
    Dataset
        All of `airsim.meteorology.VARIABLES`.

    Raises
    ------
    InputError
        The source does not cover grid or hours, has gaps, or values that cannot be.
    """
    grid = geography.grid
    start = np.datetime64(start).astype("datetime64[ns]")
    found = at_places(source, grid, grid.longitude.ravel(), grid.latitude.ravel(), grid.level_height, start, hours)
    if not found.inside.all():
        raise _outside(source, grid, found.inside)
    shape = grid.ny, grid.nx
    fields = {n: v.reshape(*v.shape[:-1], *shape) for n, v in found.fields.items()}
    if found.terrain is not None:
        fields["air_temperature"] -= (LAPSE * (grid.terrain - found.terrain.reshape(shape))).astype(np.float32)
    else:
        found.notes.append(
            Note("源地形未知，气温未按地形高度订正", "the source's ground is unknown: temperature not corrected")
        )
    rough = None if found.roughness is None else found.roughness.reshape(shape)
    if "eastward_wind" in fields:
        x_wind, y_wind = to_axes(grid, fields.pop("eastward_wind"), fields.pop("northward_wind"))
        for name in ("eastward_wind_10m", "northward_wind_10m"):
            fields.pop(name, None)
    else:
        x_wind, y_wind = _similarity_column(grid, geography, start, hours, fields, rough, found.notes)
    notes = found.notes
    return finish(
        geography,
        start,
        x_wind,
        y_wind,
        fields,
        rough,
        {
            "title": f"Weather from {source.kind} files",
            "title_zh": f"由 {source.kind} 文件读取的气象场",
            "source": f"{source.kind}: {', '.join(f.name for f in source.files)}",
            "synthetic": "no",
        },
        notes,
    )


def check_domain(source: Gridded, grid: Grid) -> None:
    """Refuse a source whose domain does not cover the grid.

    Raises
    ------
    InputError
        Cells of the grid lie outside.
    """
    x, y = grid.project(grid.longitude.ravel(), grid.latitude.ravel())
    _, inside = bilinear(*grid.project((source.longitude + 180) % 360 - 180, source.latitude), x, y)
    if not inside.all():
        raise _outside(source, grid, inside)


def _outside(source: Gridded, grid: Grid, inside: NDArray[np.bool_]) -> InputError:
    def box(longitude: Floats, latitude: Floats) -> str:
        return f"{longitude.min():.2f}..{longitude.max():.2f} E, {latitude.min():.2f}..{latitude.max():.2f} N"

    share = 100 * float((~inside).mean())
    wanted = box(grid.longitude, grid.latitude)
    said = (
        f"{share:.0f} % of the model grid's cells lie outside; the grid needs {wanted}",
        f"模式网格有 {share:.0f}% 的格点在其范围之外；网格需要 {wanted}",
    )
    return InputError([Problem(source.file, "", "domain", box(source.longitude, source.latitude), *said)])


def to_axes(grid: Grid, east: Singles, north: Singles) -> tuple[Singles, Singles]:
    """Turn winds to the east and north (..., ny, nx) into winds along the grid's x and y axes."""
    step = 1e-4
    x0, y0 = grid.project(grid.longitude, grid.latitude)
    x1, y1 = grid.project(grid.longitude, grid.latitude + step)
    length = np.hypot(x1 - x0, y1 - y0)
    nx, ny = ((x1 - x0) / length).astype(np.float32), ((y1 - y0) / length).astype(np.float32)
    # north is (nx, ny) on the plane; the plane is conformal, so east is a quarter turn to its right
    return east * ny + north * nx, north * ny - east * nx


def _similarity_column(
    grid: Grid,
    geography: Geography,
    start: np.datetime64,
    hours: int,
    fields: dict[str, Singles],
    roughness: Floats | None,
    notes: list[Note],
) -> tuple[Singles, Singles]:
    """Return winds in all levels from the wind at 10 m alone."""
    x10, y10 = to_axes(grid, fields.pop("eastward_wind_10m"), fields.pop("northward_wind_10m"))
    z0 = roughness_length(geography, Relief(grid)) if roughness is None else roughness
    notes.append(
        Note(
            "文件只有近地面风：混合层内按相似理论廓线外推，其上不变，高空风不可信",
            "wind near the ground only: carried up by the similarity profile to the mixing height and held above; "
            "do not trust the wind aloft",
        )
    )
    return profile_from_ground(grid, z0, start + np.arange(hours) * HOUR, x10, y10, fields)


def profile_from_ground(
    grid: Grid, roughness: Floats, time: Times, x10: Singles, y10: Singles, fields: dict[str, Singles]
) -> tuple[Singles, Singles]:
    """Carry the wind at 10 m up: similarity profile to the mixing height, at least 100 m, and constant above.

    Parameters
    ----------
    grid : Grid
    roughness : (ny, nx) ndarray
        [m]
    time : (time,) datetime64 ndarray
        Start of the hours, UTC.
    x10, y10 : (time, ny, nx) ndarray
        [m s-1]
    fields : dict
        What is known of the surface, as `diagnosis.diagnose` takes it.

    Returns
    -------
    x_wind, y_wind : (time, level, ny, nx) ndarray
    """
    state, _ = diagnose_field(grid, roughness, time, np.hypot(x10, y10), REFERENCE, fields, None)
    depth, length = state["atmosphere_boundary_layer_thickness"], state["obukhov_length"]
    factor = profile_ratio(grid.level_height, REFERENCE, roughness, length, depth).astype(np.float32)
    return factor * x10[:, None], factor * y10[:, None]


def finish(
    geography: Geography,
    start: np.datetime64,
    x_wind: Singles,
    y_wind: Singles,
    fields: dict[str, Singles],
    roughness: Floats | None,
    attrs: dict[str, str],
    notes: Sequence[Note],
) -> xr.Dataset:
    """Make the dataset of winds on the grid and of what is known of the surface.

    Parameters
    ----------
    geography : Geography
    start : datetime64
        Start of the first hour, UTC.
    x_wind, y_wind : (time, level, ny, nx) ndarray
        Along the grid's axes, before the adjustment [m s-1]; they are overwritten.
    fields : dict
        Name -> (time, ny, nx): what is known, as `diagnosis.diagnose` takes it; `potential_temperature` with levels.
    roughness : (ny, nx) ndarray or None
        [m]; estimated from land and people if None.
    attrs : dict
        Global attributes.
    notes : sequence of Note
        Kept in the attributes `notes` and `notes_zh`.
    """
    grid = geography.grid
    hours, nz, ny, nx = x_wind.shape
    time = start + np.arange(hours) * HOUR
    z0 = roughness_length(geography, Relief(grid)) if roughness is None else np.clip(roughness, 1e-4, 3.0)
    mass = mass_consistent.air_mass(grid)
    freedom = grid.level_height / (grid.level_height + 500.0)
    change = np.empty((hours, nz))  # mean square of what the adjustment does to the wind
    made: dict[str, np.ndarray] = {
        "x_face_air_flux": np.empty((hours, nz, ny, nx + 1), np.float32),
        "y_face_air_flux": np.empty((hours, nz, ny + 1, nx), np.float32),
        "z_face_air_flux": np.empty((hours, nz + 1, ny, nx), np.float32),
    }

    def adjust(first: int) -> None:
        part = slice(first, min(first + _HOURS_AT_ONCE, hours))
        flux = mass_consistent.face_fluxes(x_wind[part].astype(float), y_wind[part].astype(float), mass, grid.spacing)
        flux = mass_consistent.remove_column_divergence(*flux, mass, freedom=freedom)
        x, y = mass_consistent.centre_winds(*flux, mass, grid.spacing)
        change[part] = ((x - x_wind[part]) ** 2 + (y - y_wind[part]) ** 2).mean(axis=(2, 3))
        x_wind[part], y_wind[part] = x, y
        for axis, single in zip("xyz", mass_consistent.exact_single(*flux), strict=True):
            made[f"{axis}_face_air_flux"][part] = single

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(adjust, range(0, hours, _HOURS_AT_ONCE)))
    theta = fields.pop("potential_temperature", None)
    speed = np.hypot(x_wind[:, 0], y_wind[:, 0])
    state, said = diagnose_field(grid, z0, time, speed, float(grid.level_height[0]), fields, theta)
    made |= state
    made |= {
        "x_wind": x_wind,
        "y_wind": y_wind,
        "air_mass": mass.astype(np.float32),
        "roughness_length": z0.astype(np.float32),
        "urban_area_fraction": built_up(geography).astype(np.float32),
    }
    said["roughness_length"] = "no" if roughness is not None else "yes: estimated from relief and people"
    said["urban_area_fraction"] = "yes: estimated from people"
    for name in ("x_face_air_flux", "y_face_air_flux", "z_face_air_flux", "x_wind", "y_wind"):
        said[name] = "adjusted: made mass-consistent over the model's terrain (Sasaki 1970; Sherman 1978)"
    unique = list(dict.fromkeys(notes))
    moved = ", ".join(f"{c:.2f}" for c in np.sqrt(change.mean(axis=0)))
    attrs = attrs | {"wind_adjustment": f"root mean square change by level, from the ground up [m s-1]: {moved}"}
    attrs = attrs | {"notes": "\n".join(n.en for n in unique), "notes_zh": "\n".join(n.zh for n in unique)}
    dataset = assemble(grid, time, made, attrs)
    for name, words in said.items():
        dataset[name].attrs["diagnosed"] = words
    return dataset
