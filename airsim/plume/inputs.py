"""What may stand in the tables of sources, receptors and weather, and the arrays that are made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from airsim.errors import InputError, Problem
from airsim.plume import boundary_layer, dispersion
from airsim.plume.plumes import Sources, Weather

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Column:
    """What a column may hold; `default` None = required."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    default: float | None = None

    def allowed(self) -> str:
        left = "(" if self.open_low or self.low == -math.inf else "["
        right = ")" if self.high == math.inf else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"


_SOURCES = {
    "x": _Column(),
    "y": _Column(),
    "height": _Column(0.0, 1000.0),
    "diameter": _Column(0.0, 100.0),
    "exit_velocity": _Column(0.0, 200.0),
    "exit_temperature": _Column(150.0, 3000.0),
    "rate": _Column(0.0),
    "elevation": _Column(-500.0, 9000.0, default=0.0),
    "initial_sigma_y": _Column(0.0, default=0.0),
    "initial_sigma_z": _Column(0.0, default=0.0),
    "deposition_velocity": _Column(0.0, 1.0, default=0.0),
    "washout": _Column(0.0, 1.0, default=0.0),
}
RECEPTORS = {
    "x": _Column(),
    "y": _Column(),
    "z": _Column(0.0, 5000.0),
    "elevation": _Column(-500.0, 9000.0, default=0.0),
}
_METEOROLOGY = {
    "wind_speed": _Column(0.0, 100.0),
    "wind_height": _Column(0.0, 1000.0, open_low=True),
    "wind_from_direction": _Column(-360.0, 720.0),
    "air_temperature": _Column(150.0, 350.0),
    "mixing_height": _Column(0.0, 10000.0, open_low=True),
    "friction_velocity": _Column(0.0, 10.0),
    "obukhov_length": _Column(),
    "convective_velocity": _Column(),
    "roughness_length": _Column(0.0, 10.0, open_low=True),
    "precipitation": _Column(0.0, 500.0, default=0.0),
}


def read_columns(
    frame: pd.DataFrame, table: str, columns: dict[str, _Column], problems: list[Problem]
) -> dict[str, Array]:
    """Read columns as floats; note what is missing, not a number or out of range."""
    read: dict[str, Array] = {}
    for name, column in columns.items():
        if name not in frame:
            if column.default is None:
                problems.append(
                    Problem(table, "", name, "", f"missing column; needed: {', '.join(columns)}", f"缺少列 {name}")
                )
            read[name] = np.full(len(frame), column.default if column.default is not None else 1.0)
            continue
        values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        read[name] = values
        below = values <= column.low if column.open_low else values < column.low
        infinite = np.isinf(values) if name != "obukhov_length" else np.zeros(len(values), dtype=bool)
        bad = np.isnan(values) | infinite | below | (values > column.high)
        if table == "meteorology":
            bad &= ~_spared(name, values, frame)
        problems += [
            Problem(
                table,
                str(int(row)),
                name,
                str(frame[name].iloc[row]),
                f"a number in {column.allowed()} is needed",
                f"应为 {column.allowed()} 内的数",
            )
            for row in np.flatnonzero(bad)
        ]
    return read


def _spared(name: str, values: Array, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Where a missing value does no harm: the direction of a calm, w* (found from u*, L and z_i)."""
    if name == "convective_velocity":
        return np.isnan(values)
    if name == "wind_from_direction" and "wind_speed" in frame:
        calm = pd.to_numeric(frame["wind_speed"], errors="coerce").to_numpy(dtype=float, na_value=np.nan) == 0.0
        result: npt.NDArray[np.bool_] = np.isnan(values) & calm
        return result
    return np.zeros(len(values), dtype=bool)


@dataclass(frozen=True)
class Shape:
    """A uniform area source: number of its source and its edges (x1, y1, x2, y2)."""

    source: int
    edge: Array


def read_shapes(frame: pd.DataFrame, problems: list[Problem]) -> tuple[pd.DataFrame, list[Shape]]:
    """Take polygons, and lines with a width, from the column `geometry`; give their rows a middle point."""
    if "geometry" not in frame or frame["geometry"].isna().all():
        return frame, []
    import shapely

    x, y, rate = (
        pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan, copy=True)
        if name in frame
        else np.full(len(frame), np.nan)
        for name in ("x", "y", "rate")
    )
    found: list[Shape] = []
    for row, given in enumerate(frame["geometry"]):
        if given is None or (isinstance(given, float) and math.isnan(given)):
            continue
        shape = given
        if isinstance(given, shapely.LineString):
            width = float(pd.to_numeric(frame["width"], errors="coerce").iloc[row]) if "width" in frame else math.nan
            if not 0.0 < width < math.inf:
                what = ("a line needs a width > 0 m", "线源需要宽度")
                problems.append(Problem("sources", str(row), "width", str(width), *what))
                continue
            shape = given.buffer(0.5 * width, cap_style="flat", join_style="mitre")
        if not isinstance(shape, (shapely.Polygon, shapely.MultiPolygon)) or shape.is_empty or not shape.is_valid:
            says = ("a valid shapely Polygon or LineString [m]", "应为有效的面或线")
            problems.append(Problem("sources", str(row), "geometry", str(given)[:60], *says))
            continue
        edges = []
        for part in shapely.get_parts(shape):
            turned = shapely.geometry.polygon.orient(part)
            for ring in (turned.exterior, *turned.interiors):
                corner = np.asarray(ring.coords)[:, :2]
                edges.append(np.hstack([corner[:-1], corner[1:]]))
        found.append(Shape(row, np.vstack(edges)))
        x[row], y[row] = shape.centroid.x, shape.centroid.y
        rate[row] /= shape.area
    return frame.assign(x=x, y=y, rate=rate), found


def read_sources(frame: pd.DataFrame, problems: list[Problem]) -> Sources:
    """Return the arrays of the sources [SI units]; what is wrong with the table is added to `problems`."""
    read = read_columns(frame, "sources", _SOURCES, problems)
    return Sources(
        read["x"],
        read["y"],
        read["elevation"],
        read["height"],
        read["diameter"],
        read["exit_velocity"],
        read["exit_temperature"],
        read["rate"],
        read["initial_sigma_y"],
        read["initial_sigma_z"],
        read["deposition_velocity"],
        read["washout"],
    )


def read_weather(frame: pd.DataFrame, problems: list[Problem]) -> Weather:
    """Return the arrays of the weather, with what is derived where the table leaves it out.

    Raises
    ------
    InputError
        All `problems`, those found before included.
    """
    table = "meteorology"
    if not isinstance(frame.index, pd.DatetimeIndex):
        problems.append(
            Problem(table, "", "time", str(type(frame.index).__name__), "the index must hold times", "索引应为时间")
        )
    else:
        step = np.diff(frame.index.to_numpy().astype("datetime64[ns]").astype(np.int64))
        for row in np.flatnonzero(step <= 0):
            what = ("a duplicate hour", "时刻重复") if step[row] == 0 else ("hours not in order", "时刻未按顺序")
            problems.append(Problem(table, str(int(row) + 1), "time", str(frame.index[int(row) + 1]), *what))
        problems += [
            Problem(table, str(int(row)), "time", "NaT", "a time is needed", "缺少时刻")
            for row in np.flatnonzero(frame.index.isna())
        ]
    read = read_columns(frame, table, _METEOROLOGY, problems)
    length = read["obukhov_length"]
    problems += [
        Problem(table, str(int(row)), "obukhov_length", "0", "must not be 0; neutral is infinite", "不能为 0")
        for row in np.flatnonzero(length == 0.0)
    ]
    if "stability_class" in frame:
        letters = frame["stability_class"].astype(str).str.strip().str.upper()
        codes = letters.map({c: i for i, c in enumerate(dispersion.CLASSES)})
        problems += [
            Problem(table, str(int(row)), "stability_class", str(letters.iloc[row]), "A to F", "应为 A 至 F")
            for row in np.flatnonzero(codes.isna())
        ]
        stability = codes.fillna(3).to_numpy().astype(np.int64)
    if problems:
        raise InputError(problems)

    length = np.sign(length) * np.clip(
        np.abs(length), boundary_layer.SMALLEST_OBUKHOV_LENGTH, boundary_layer.LARGEST_OBUKHOV_LENGTH
    )
    friction = np.maximum(read["friction_velocity"], boundary_layer.SMALLEST_FRICTION_VELOCITY)
    zi = read["mixing_height"]
    given = np.nan_to_num(read["convective_velocity"], nan=-1.0)
    derived = friction * np.cbrt(zi / (boundary_layer.KARMAN * np.abs(length)))
    if "stability_class" not in frame:
        stability = boundary_layer.stability_class(length, read["roughness_length"])
    return Weather(
        read["wind_speed"],
        read["wind_height"],
        np.nan_to_num(read["wind_from_direction"]),
        read["air_temperature"],
        zi,
        friction,
        length,
        np.where(length > 0.0, 0.0, np.where(given > 0.0, given, derived)),
        read["roughness_length"],
        stability,
        read["precipitation"],
    )
