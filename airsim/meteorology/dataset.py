"""The one meteorology dataset that everything downstream reads, whatever it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from airsim.errors import Problem
from airsim.geography import Grid
from airsim.meteorology.boundary_layer import sine_of_solar_elevation, stability_class, turner_class, wind_ratio

VARIABLES: dict[str, tuple[tuple[str, ...], str, str, str]] = {
    # name: dims, units, long_name, long_name_zh
    "x_wind": (("time", "level", "y", "x"), "m s-1", "wind along the grid's x axis", "沿网格 x 方向的风"),
    "y_wind": (("time", "level", "y", "x"), "m s-1", "wind along the grid's y axis", "沿网格 y 方向的风"),
    "x_face_air_flux": (
        ("time", "level", "y", "x_face"),
        "kg s-1",
        "air through the whole x face",
        "通过 x 面的空气通量",
    ),
    "y_face_air_flux": (
        ("time", "level", "y_face", "x"),
        "kg s-1",
        "air through the whole y face",
        "通过 y 面的空气通量",
    ),
    "z_face_air_flux": (
        ("time", "level_face", "y", "x"),
        "kg s-1",
        "air upward through the whole level face",
        "通过水平面向上的空气通量",
    ),
    "air_mass": (
        ("level", "y", "x"),
        "kg",
        "air in the box, static reference density",
        "格箱内空气质量（静态参考密度）",
    ),
    "air_temperature": (("time", "y", "x"), "K", "air temperature at 2 m", "2 米气温"),
    "relative_humidity": (("time", "y", "x"), "1", "relative humidity at 2 m", "2 米相对湿度"),
    "cloud_area_fraction": (("time", "y", "x"), "1", "cloud cover", "云量"),
    "precipitation_flux": (("time", "y", "x"), "kg m-2 s-1", "precipitation", "降水强度"),
    "atmosphere_boundary_layer_thickness": (("time", "y", "x"), "m", "mixing height", "混合层高度"),
    "friction_velocity": (("time", "y", "x"), "m s-1", "friction velocity", "摩擦速度"),
    "obukhov_length": (("time", "y", "x"), "m", "Obukhov length", "奥布霍夫长度"),
    "convective_velocity": (("time", "y", "x"), "m s-1", "convective velocity scale", "对流速度尺度"),
    "roughness_length": (("y", "x"), "m", "roughness length", "地表粗糙度"),
    "urban_area_fraction": (("y", "x"), "1", "share of built-up land", "建成区面积占比"),
    "surface_downwelling_shortwave_flux_in_air": (
        ("time", "y", "x"),
        "W m-2",
        "shortwave radiation at the ground",
        "地面向下短波辐射",
    ),
}
"""Name -> (dims, units, long_name, long_name_zh) of every variable of the dataset."""

_NOT_CF = {
    "x_face_air_flux",
    "y_face_air_flux",
    "z_face_air_flux",
    "air_mass",
    "friction_velocity",
    "obukhov_length",
    "convective_velocity",
    "roughness_length",
    "urban_area_fraction",
}
_HOUR = np.timedelta64(3600, "s")


def assemble(grid: Grid, time: np.ndarray, fields: Mapping[str, np.ndarray], attrs: Mapping[str, Any]) -> xr.Dataset:
    """Put arrays into a dataset with its coordinates and attributes.

    Parameters
    ----------
    grid : Grid
    time : (time,) datetime64 ndarray
        Start of each hour, UTC.
    fields : mapping
        One array for each name of `VARIABLES`, shaped as said there.
    attrs : mapping
        Global attributes (title, source, synthetic, seed...).
    """
    data = {}
    for name, (dims, units, long_name, long_name_zh) in VARIABLES.items():
        about = {"units": units, "long_name": long_name, "long_name_zh": long_name_zh}
        if name not in _NOT_CF:
            about["standard_name"] = name
        data[name] = (dims, fields[name], about)
    half = grid.spacing / 2
    metre = {"units": "m"}
    coords = {
        "time": (
            "time",
            time.astype("datetime64[ns]"),
            {"standard_name": "time", "long_name": "start of the hour, UTC"},
        ),
        "level": ("level", grid.level_height, metre | {"standard_name": "height", "positive": "up"}),
        "level_face": ("level_face", grid.level_edges, metre | {"standard_name": "height", "positive": "up"}),
        "y": ("y", grid.y, metre | {"standard_name": "projection_y_coordinate"}),
        "x": ("x", grid.x, metre | {"standard_name": "projection_x_coordinate"}),
        "y_face": ("y_face", np.append(grid.y - half, grid.y[-1] + half), metre),
        "x_face": ("x_face", np.append(grid.x - half, grid.x[-1] + half), metre),
        "latitude": (("y", "x"), grid.latitude, {"units": "degrees_north", "standard_name": "latitude"}),
        "longitude": (("y", "x"), grid.longitude, {"units": "degrees_east", "standard_name": "longitude"}),
    }
    return xr.Dataset(data, coords, {"crs": grid.crs, **attrs})


def at(dataset: xr.Dataset, x: float, y: float, *, stability: Literal["golder", "turner"] = "golder") -> pd.DataFrame:
    """Return the weather at a place as the plume's meteorology table.

    Parameters
    ----------
    dataset : Dataset
        A meteorology dataset.
    x, y : float
        Place on the grid's plane [m]; the weather is that of the cell that holds it.
    stability : {"golder", "turner"}
        How the stability class is found: from Obukhov length and roughness, or from wind, sun and cloud.

    Returns
    -------
    DataFrame
        Index `time` (start of the hour, UTC); columns wind_speed [m s-1] at wind_height [m] (the middle of
        the lowest level), wind_from_direction [deg, clockwise from the grid's y axis, so that it fits x and
        y of sources and receptors on the same plane], air_temperature [K], mixing_height [m],
        friction_velocity [m s-1], obukhov_length [m], convective_velocity [m s-1], roughness_length [m],
        stability_class.

    Raises
    ------
    ValueError
        If the place lies outside the grid.
    """
    for name, value in (("x", x), ("y", y)):
        edges = dataset[f"{name}_face"].values
        if not edges[0] <= value <= edges[-1]:
            raise ValueError(f"{name} = {value} m lies outside the grid ({edges[0]:.0f} to {edges[-1]:.0f} m)")
    here = dataset.sel(x=x, y=y, method="nearest")
    wind = here.isel(level=0)
    u, v = wind.x_wind.values.astype(float), wind.y_wind.values.astype(float)
    roughness, length = float(here.roughness_length), here.obukhov_length.values.astype(float)
    if stability == "turner":
        middle = dataset.time.values + _HOUR // 2
        sine = sine_of_solar_elevation(middle, float(here.longitude), float(here.latitude))
        ten = np.hypot(u, v) * wind_ratio(10.0, float(wind.level), roughness, length)
        classes = turner_class(ten, sine, here.cloud_area_fraction.values)
    else:
        classes = stability_class(length, roughness)
    return pd.DataFrame(
        {
            "wind_speed": np.hypot(u, v),
            "wind_height": float(wind.level),
            "wind_from_direction": np.degrees(np.arctan2(-u, -v)) % 360,
            "air_temperature": here.air_temperature.values.astype(float),
            "mixing_height": here.atmosphere_boundary_layer_thickness.values.astype(float),
            "friction_velocity": here.friction_velocity.values.astype(float),
            "obukhov_length": length,
            "convective_velocity": here.convective_velocity.values.astype(float),
            "roughness_length": roughness,
            "stability_class": classes,
        },
        index=pd.Index(dataset.time.values, name="time"),
    )


def mixed_layer_wind(dataset: xr.Dataset) -> np.ndarray:
    """Mean wind speed below the mixing height, (time, y, x) [m s-1], levels weighted by their share in it."""
    depth = dataset["atmosphere_boundary_layer_thickness"].values
    edges = dataset["level_face"].values
    carried = np.zeros(depth.shape)
    for k in range(dataset.sizes["level"]):
        inside = np.clip(depth - edges[k], 0.0, edges[k + 1] - edges[k])
        carried += inside * np.hypot(dataset["x_wind"].values[:, k], dataset["y_wind"].values[:, k])
    result: np.ndarray = carried / np.minimum(depth, edges[-1])
    return result


def check(dataset: xr.Dataset) -> list[Problem]:
    """Return everything that would make a meteorology dataset unfit for a run; nothing if it is sound.

    Missing variables, dimensions that do not fit, values that are not finite (with the first hour), hours
    that are unsorted, doubled or absent, values that cannot be (a negative mixing height, humidity above
    1.5, |L| of zero), and air that the fluxes create or destroy.
    """
    file = str(dataset.encoding.get("source", "meteorology"))
    problems = []

    def add(key: str, value: object, en: str, zh: str, where: str = "") -> None:
        problems.append(Problem(file, where, key, str(value), en, zh))

    for name, (dims, *_) in VARIABLES.items():
        if name not in dataset:
            add(
                name,
                "",
                f"missing; must have dimensions {', '.join(dims)}",
                f"缺少该变量，维度应为 {', '.join(dims)}",
            )
            continue
        variable = dataset[name]
        if variable.dims != dims:
            add(name, variable.dims, f"dimensions must be {', '.join(dims)}", f"维度应为 {', '.join(dims)}")
            continue
        for hour, values in enumerate(variable.values if "time" in dims else variable.values[None]):
            bad = int(values.size - np.count_nonzero(np.isfinite(values)))
            if bad:
                where = _hour_name(dataset, hour) if "time" in dims and "time" in dataset.coords else ""
                add(
                    name,
                    f"{bad} of {values.size}",
                    "not a number, first in this hour",
                    "该小时首次出现非有限值",
                    where,
                )
                break
    if "time" not in dataset.coords:
        add("time", "", "missing coordinate: start of each hour, UTC", "缺少时间坐标（每小时开始时刻，UTC）")
    else:
        step = np.diff(dataset.time.values)
        for i in np.flatnonzero(step <= np.timedelta64(0))[:1]:
            add("time", "", "hours must rise, each once", "时间必须递增且不重复", _hour_name(dataset, i + 1))
        for i in np.flatnonzero(step > _HOUR):
            absent = int(step[i] / _HOUR) - 1
            add(
                "time",
                "",
                f"{absent} hours absent after this one",
                f"该小时之后缺 {absent} 小时",
                _hour_name(dataset, i),
            )
        for i in np.flatnonzero((step > np.timedelta64(0)) & (step < _HOUR))[:1]:
            add("time", step[i], "must be hourly", "必须逐小时", _hour_name(dataset, i))
    limits = {
        "atmosphere_boundary_layer_thickness": (1.0, 10_000.0),
        "relative_humidity": (0.0, 1.5),
        "cloud_area_fraction": (0.0, 1.0),
        "air_temperature": (180.0, 340.0),
        "friction_velocity": (0.0, 10.0),
        "roughness_length": (1e-6, 10.0),
        "precipitation_flux": (0.0, 1.0),
        "x_wind": (-150.0, 150.0),
        "y_wind": (-150.0, 150.0),
    }
    for name, (low, high) in limits.items():
        if name in dataset and dataset[name].size:
            values = dataset[name].values
            if np.nanmin(values) < low or np.nanmax(values) > high:
                found = f"{np.nanmin(values):.4g} to {np.nanmax(values):.4g}"
                add(name, found, f"must lie within {low:g} to {high:g}", f"应在 {low:g} 到 {high:g} 之间")
    if "obukhov_length" in dataset and not np.all(np.abs(dataset.obukhov_length.values) > 0):
        add("obukhov_length", "0", "must not be zero", "不能为零")
    if not problems:
        problems += _continuity(dataset, file)
    return problems


def _hour_name(dataset: xr.Dataset, i: int | np.signedinteger) -> str:
    return str(np.datetime_as_string(dataset.time.values[i], unit="h"))


def _continuity(dataset: xr.Dataset, file: str) -> list[Problem]:
    """Return a problem if a box gains or loses more than a millionth of the largest flux of that hour."""
    worst, when = 0.0, 0
    for hour in range(dataset.sizes["time"]):
        x, y, z = (dataset[f"{a}_face_air_flux"][hour].values.astype(float) for a in "xyz")
        gain = np.abs(np.diff(x, axis=-1) + np.diff(y, axis=-2) + np.diff(z, axis=-3)).max()
        largest = max(np.abs(x).max(), np.abs(y).max(), np.abs(z).max(), 1e-30)
        if gain / largest > worst:
            worst, when = float(gain / largest), hour
    if worst <= 1e-6:
        return []
    return [
        Problem(
            file,
            _hour_name(dataset, when),
            "x_face_air_flux",
            f"{worst:.1e}",
            "air fluxes must be free of divergence to 1e-6 of the largest",
            "空气通量散度与最大通量之比不得超过 1e-6",
        )
    ]
