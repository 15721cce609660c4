"""Whether weather can carry anything: its variables, its hours, its values, and continuity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from airsim.errors import InputError, Problem

if TYPE_CHECKING:
    from airsim.geography import Grid


DIMENSIONS = {
    "x_face_air_flux": ("time", "level", "y", "x_face"),
    "y_face_air_flux": ("time", "level", "y_face", "x"),
    "z_face_air_flux": ("time", "level_face", "y", "x"),
    "air_temperature": ("time", "y", "x"),
    "relative_humidity": ("time", "y", "x"),
    "precipitation_flux": ("time", "y", "x"),
    "atmosphere_boundary_layer_thickness": ("time", "y", "x"),
    "friction_velocity": ("time", "y", "x"),
    "obukhov_length": ("time", "y", "x"),
    "convective_velocity": ("time", "y", "x"),
    "surface_downwelling_shortwave_flux_in_air": ("time", "y", "x"),
    "air_mass": ("level", "y", "x"),
    "roughness_length": ("y", "x"),
    "urban_area_fraction": ("y", "x"),
}
# weather that does not know towns is taken as open country
OPTIONAL = {"urban_area_fraction"}


def transport_problem(
    *, key: str, value: str, allowed: str, zh: str, file: str = "transport", where: str = ""
) -> Problem:
    """Return a problem of what the transport was given."""
    return Problem(file, where, key, value, allowed, zh)


def not_finite(key: str, where: str, file: str = "transport", count: int | None = None) -> Problem:
    """Return the problem of values that are NaN or infinite, with their number where it is known."""
    value = "NaN/inf" if count is None else f"NaN/inf x {count}"
    return Problem(file, where, key, value, "every value must be a finite number", "所有数值必须为有限数")


def _name(meteorology: xr.Dataset) -> str:
    return str(meteorology.encoding.get("source") or meteorology.attrs.get("title") or "meteorology")


def stamp_of(time: np.datetime64) -> str:
    """Return a time [UTC] as messages print it."""
    return f"{np.datetime_as_string(time, unit='m')}Z"


def unclosed(meteorology: xr.Dataset, hour: int, share: float) -> Problem:
    """Return the problem of an hour whose air fluxes leave this share of a box's air unaccounted for."""
    return transport_problem(
        file=_name(meteorology),
        where=stamp_of(meteorology["time"].values[hour]),
        key="z_face_air_flux",
        value=f"{share:.3g}",
        allowed="air fluxes must keep the air of every box; this share of a box's air is unaccounted for in the hour",
        zh="空气通量必须使每个网格的空气质量守恒；该小时内有此比例的空气质量不平衡",
    )


def check_weather(grid: Grid, meteorology: xr.Dataset) -> None:
    """Refuse weather that cannot carry anything, with every reason and the hours named."""
    problems = list(_missing(grid, meteorology))
    if not problems:
        problems = [*_gaps(meteorology), *_unfit(meteorology)]
    if problems:
        raise InputError(problems)


def _missing(grid: Grid, meteorology: xr.Dataset) -> Iterator[Problem]:
    file = _name(meteorology)
    nz, ny, nx = len(grid.level_edges) - 1, len(grid.y), len(grid.x)
    sizes = {"level": nz, "y": ny, "x": nx, "level_face": nz + 1, "y_face": ny + 1, "x_face": nx + 1}
    for name, dims in DIMENSIONS.items():
        if name not in meteorology:
            if name not in OPTIONAL:
                yield transport_problem(
                    file=file, key=name, value="", allowed="this variable is missing", zh="缺少该变量"
                )
            continue
        given = dict(zip(meteorology[name].dims, meteorology[name].shape, strict=True))
        wanted = {dim: sizes.get(dim, meteorology.sizes.get("time", 0)) for dim in dims}
        if given != wanted:
            yield transport_problem(
                file=file, key=name, value=str(given), allowed=f"must be {wanted}", zh=f"应为 {wanted}"
            )


def _gaps(meteorology: xr.Dataset) -> Iterator[Problem]:
    time = meteorology["time"].values
    steps = np.diff(time)
    for i in np.flatnonzero(steps != np.timedelta64(1, "h")):
        yield transport_problem(
            file=_name(meteorology),
            where=stamp_of(time[i]),
            key="time",
            value=stamp_of(time[i + 1]),
            allowed="the hour after this one must follow; hours are missing or out of order",
            zh="此后应为紧接的下一小时；时间有缺口或次序错乱",
        )


def _unfit(meteorology: xr.Dataset) -> Iterator[Problem]:
    """Find values that are not finite, or out of the range in which they mean anything."""
    bounds = {
        "air_temperature": (150.0, 350.0),
        "relative_humidity": (0.0, 1.5),
        "precipitation_flux": (0.0, np.inf),
        "atmosphere_boundary_layer_thickness": (0.0, np.inf),
        "friction_velocity": (0.0, np.inf),
        "convective_velocity": (0.0, np.inf),
        "surface_downwelling_shortwave_flux_in_air": (-1.0, 2000.0),
        "air_mass": (np.finfo(float).tiny, np.inf),
        "roughness_length": (np.finfo(float).tiny, np.inf),
        "urban_area_fraction": (0.0, 1.0),
    }
    file = _name(meteorology)
    time = meteorology["time"].values
    for name, dims in DIMENSIONS.items():
        if name not in meteorology:
            continue
        array = meteorology[name]
        hourly = "time" in dims
        array = array.transpose(*dims) if hourly else array
        low, high = bounds.get(name, (-np.inf, np.inf))
        for hour in range(len(time) if hourly else 1):
            values = (array.variable[hour] if hourly else array.variable).values
            smallest, largest = float(values.min()), float(values.max())  # both NaN if any is
            where = stamp_of(time[hour]) if hourly else ""
            if not (np.isfinite(smallest) and np.isfinite(largest)):
                yield not_finite(name, where, file, int(np.count_nonzero(~np.isfinite(values))))
            elif smallest < low or largest > high:
                yield transport_problem(
                    file=file, where=where, key=name, value=f"{smallest:.4g} .. {largest:.4g}",
                    allowed=f"must lie between {low:g} and {high:g}", zh=f"应在 {low:g} 与 {high:g} 之间",
                )  # fmt: skip
            elif name == "obukhov_length" and not values.all():
                yield transport_problem(
                    file=file, where=where, key=name, value="0",
                    allowed="must not be zero; neutral is a large number", zh="不得为零；中性层结取很大的数",
                )  # fmt: skip
