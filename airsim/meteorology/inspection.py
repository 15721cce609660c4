"""What is in weather files, before anything is run on them: hours, gaps, ranges, calms, mixing heights.

Nothing is put on a grid and no gap is refused here; it is listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airsim.clock import to_beijing
from airsim.errors import InputError, Problem
from airsim.geography import CITIES, LEVEL_EDGES, Grid, load, make_grid
from airsim.meteorology import aermet, clock_check, diagnosis, reading, regrid
from airsim.meteorology.era5 import open_era5
from airsim.meteorology.source import HOUR, LONGEST_STEP, Gridded, Times
from airsim.meteorology.stations import Stations, hourly_known
from airsim.meteorology.wrf import open_wrf
from airsim.tables import Note

Floats = NDArray[np.float64]

CALM = 0.5
"""Wind [m s-1] below which an hour counts as calm."""
_ROUGHNESS = 0.3  # m, where nothing else is known
_MOST_PLACES = 24
_HEIGHTS = np.array([(low + high) / 2 for low, high in pairwise(LEVEL_EDGES)])


@dataclass(frozen=True, eq=False)
class Place:
    """The weather of one place, hour by hour.

    Attributes
    ----------
    name, name_zh : str
    longitude, latitude : float
        [deg]
    hours : DataFrame
        Index `time` (start of the hour, UTC); wind_speed [m s-1] (10 m), wind_from_direction [deg],
        air_temperature [K], relative_humidity [1], mixing_height [m], ventilation [m2 s-1], precipitation
        [mm h-1], shortwave [W m-2]; NaN where not known.
    """

    name: str
    name_zh: str
    longitude: float
    latitude: float
    hours: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Inspection:
    """What weather files hold.

    Attributes
    ----------
    kind : str
    files : tuple of Path
    first, last : datetime64
        First and last stamp, UTC.
    times : int
        How many stamps.
    step : timedelta64
        Usual spacing of the stamps.
    gaps : list of (datetime64, int)
        First missing stamp, and how many.
    places : list of Place
    notes : list of Note
    diagnosed : dict
        Name -> where a figure that the files lack comes from.
    problems : list of Problem
        What would keep a run from using the files.
    """

    kind: str
    files: tuple[Path, ...]
    first: Any
    last: Any
    times: int
    step: Any
    gaps: list[tuple[Any, int]]
    places: list[Place]
    notes: list[Note]
    diagnosed: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def inspect(files: Sequence[Path], *, station_list: Path | None = None, utc_offset: float = 8.0) -> Inspection:
    """Read weather files of one kind and say what is in them.

    Parameters
    ----------
    files : sequence of Path
        WRF, ERA5, AERMET, EPW, ISD-Lite or tables of stations; recognised by content.
    station_list : Path, optional
        Where stations are.
    utc_offset : float
        Hours by which the clock of tables and AERMET files is ahead of UTC.

    Raises
    ------
    InputError
        Files that can't be read, or are of kinds that don't go together.
    """
    kinds = {str(f): reading.recognise(f) for f in files}
    found = set(kinds.values())
    if found <= {"epw", "isd", "table"}:
        return _of_stations(reading.open_stations(files, station_list, utc_offset), files)
    if len(found) > 1 and found != {"aermet surface", "aermet profile"}:
        said = "inspect files of one kind at a time", "一次只检查同一类文件"
        raise InputError([Problem(f, "", "kind", k, *said) for f, k in kinds.items()])
    if found & {"aermet surface", "aermet profile"}:
        return _of_aermet([f for f in files if kinds[str(f)] == "aermet surface"], files, utc_offset)
    with closing(open_wrf(files) if found == {"wrf"} else open_era5(files)) as source:
        return _of_grid(source)


def _gaps(time: Times) -> tuple[Any, list[tuple[Any, int]]]:
    """Return the usual step and the gaps: first missing stamp and how many are missing."""
    if len(time) < 2:
        return HOUR, []
    step = np.diff(time)
    usual = np.median(step.astype("timedelta64[s]").astype(int)).astype(int) * np.timedelta64(1, "s")
    wide = np.flatnonzero(step > usual * 1.01 + np.timedelta64(60, "s"))
    return usual, [(time[k] + usual, round(float(step[k] / usual)) - 1) for k in wide]


def _whole_hours(time: Times) -> tuple[Any, int]:
    """Return the first full hour and the number of hours that stamps span."""
    first = (time[0] + HOUR - np.timedelta64(1, "s")).astype("datetime64[h]").astype("datetime64[ns]")
    return first, max(int((time[-1] - first) / HOUR), 0)


# --------------------------------------------------------------------------------------------------------
# gridded


def _of_grid(source: Gridded) -> Inspection:
    grid = make_grid(spacing=10_000.0)
    names, longitude, latitude = _cities_within(grid, source)
    usual, gaps = _gaps(source.time)
    breaks = np.flatnonzero(np.diff(source.time) > min(usual * 1.01 + np.timedelta64(60, "s"), LONGEST_STEP)) + 1
    parts: list[list[pd.DataFrame]] = []
    diagnosed: dict[str, str] = {}
    notes = list(source.notes)
    problems: list[Problem] = []
    for piece in np.split(source.time, breaks):
        start, hours = _whole_hours(piece)
        if not hours:
            continue
        try:
            got = regrid.at_places(source, grid, longitude, latitude, _HEIGHTS, start, hours)
        except InputError as error:
            problems += error.problems
            continue
        notes += got.notes
        made, words = _diagnosed(got, start, hours, longitude, latitude)
        diagnosed |= words
        parts.append(made)
    places = [
        Place(zh and en, zh, float(x), float(y), pd.concat([p[i] for p in parts]))
        for i, ((en, zh), x, y) in enumerate(zip(names, longitude, latitude, strict=True))
        if parts
    ]
    return Inspection(
        source.kind, source.files, source.time[0], source.time[-1], len(source.time), usual, gaps, places,
        [*_clock_of(places), *dict.fromkeys(notes)], {k: v for k, v in diagnosed.items() if v != "no"}, problems,
    )  # fmt: skip


def _cities_within(grid: Grid, source: Gridded) -> tuple[list[tuple[str, str]], Floats, Floats]:
    """Return names and places of the cities that the source covers; of none, the middle of its domain."""
    weights = load(grid).city_weights
    x, y = (weights @ field.ravel() for field in (grid.longitude, grid.latitude))
    source_x, source_y = grid.project((source.longitude + 180) % 360 - 180, source.latitude)
    _, inside = regrid.bilinear(source_x, source_y, *grid.project(x, y))
    inside &= x > 0
    if inside.any():
        names = [(c.name_en, c.name_zh) for c, use in zip(CITIES, inside, strict=True) if use]
        return names, x[inside], y[inside]
    j, i = source.latitude.shape[0] // 2, source.latitude.shape[1] // 2
    middle = ("middle of the domain", "区域中心")
    return [middle], source.longitude[j, i : i + 1], source.latitude[j, i : i + 1]


def _diagnosed(
    got: regrid.AtPlaces, start: Any, hours: int, longitude: Floats, latitude: Floats
) -> tuple[list[pd.DataFrame], dict[str, str]]:
    """Return one table a place, and what of it is diagnosed."""
    fields = {k: v.astype(float) for k, v in got.fields.items()}
    u10, v10 = fields.pop("eastward_wind_10m"), fields.pop("northward_wind_10m")
    theta = fields.pop("potential_temperature", None)
    profile = None
    if "eastward_wind" in fields:
        profile = np.hypot(fields.pop("eastward_wind"), fields.pop("northward_wind"))
    z0 = np.full(len(longitude), _ROUGHNESS) if got.roughness is None else got.roughness
    terrain = np.full(len(longitude), 500.0) if got.terrain is None else got.terrain
    time = start + np.arange(hours) * HOUR
    speed = np.hypot(u10, v10)
    state, words = diagnosis.diagnose(
        time, longitude, latitude, terrain, z0, speed, regrid.REFERENCE, fields, _HEIGHTS, theta
    )
    depth = state["atmosphere_boundary_layer_thickness"]
    if profile is None:
        profile = (
            diagnosis.profile_ratio(_HEIGHTS, regrid.REFERENCE, z0, state["obukhov_length"], depth) * speed[:, None]
        )
    table = _tables(time, u10, v10, state, _ventilation(profile, depth))
    return table, words


def _ventilation(profile: Floats, depth: Floats) -> Floats:
    """Return wind in the mixed layer times its depth [m2 s-1], levels weighted by their share in it."""
    carried = np.zeros_like(depth)
    for k, (low, high) in enumerate(pairwise(LEVEL_EDGES)):
        top = np.inf if k == len(LEVEL_EDGES) - 2 else high  # above the highest level its wind goes on
        carried += np.clip(depth - low, 0, top - low) * profile[:, k]
    return carried


def _tables(time: Times, u: Floats, v: Floats, state: dict[str, Floats], ventilation: Floats) -> list[pd.DataFrame]:
    speed = np.hypot(u, v)
    direction = np.where(speed > 0, np.degrees(np.arctan2(-u, -v)) % 360, np.nan)
    columns = {
        "wind_speed": speed,
        "wind_from_direction": direction,
        "air_temperature": state["air_temperature"],
        "relative_humidity": state["relative_humidity"],
        "mixing_height": state["atmosphere_boundary_layer_thickness"],
        "ventilation": ventilation,
        "precipitation": state["precipitation_flux"] * 3600,
        "shortwave": state["surface_downwelling_shortwave_flux_in_air"],
    }
    index = pd.Index(time, name="time")
    return [pd.DataFrame({k: c[:, i] for k, c in columns.items()}, index) for i in range(u.shape[1])]


def _clock_of(places: Sequence[Place], *, shortwave: bool = True) -> list[Note]:
    if not places:
        return []
    first = places[0].hours
    return clock_check.odd_hours(
        first.index.to_numpy() + HOUR // 2,
        places[0].longitude,
        first["air_temperature"].to_numpy(float),
        first["shortwave"].to_numpy(float) if shortwave else None,
    )


# --------------------------------------------------------------------------------------------------------
# stations and AERMET


def _of_stations(stations: Stations, files: Sequence[Path]) -> Inspection:
    usual, gaps = _gaps(stations.time)
    start, hours = _whole_hours(stations.time)
    known = hourly_known(stations, start, max(hours, 1))[0]
    time = start + np.arange(max(hours, 1)) * HOUR
    place = stations.place.head(_MOST_PLACES)
    n = len(place)
    longitude, latitude = place["longitude"].to_numpy(float), place["latitude"].to_numpy(float)
    fields = {k: v[:, :n] for k, v in known.items()}
    u, v = fields.pop("eastward_wind_10m"), fields.pop("northward_wind_10m")
    measured = "surface_downwelling_shortwave_flux_in_air" in fields
    # what is known at some hours only is diagnosed for all: half a series tells less
    fields = {k: f for k, f in fields.items() if np.isfinite(f).mean() > 0.9 or k in _ESSENTIAL}
    z0, speed = np.full(n, _ROUGHNESS), np.hypot(u, v)
    terrain = place["altitude"].fillna(400.0).to_numpy(float)
    with np.errstate(invalid="ignore"):
        state, words = diagnosis.diagnose(
            time, longitude, latitude, terrain, z0, speed, regrid.REFERENCE, fields, _HEIGHTS, None
        )
        depth = state["atmosphere_boundary_layer_thickness"]
        profile = (
            diagnosis.profile_ratio(_HEIGHTS, regrid.REFERENCE, z0, state["obukhov_length"], depth) * speed[:, None]
        )
        tables = _tables(time, u, v, state, _ventilation(profile, depth))
    places = [
        Place(str(name), str(place["name"].iloc[i]) or str(name), float(longitude[i]), float(latitude[i]), tables[i])
        for i, name in enumerate(place.index)
    ]
    return Inspection(
        stations.kind, tuple(files), stations.time[0], stations.time[-1], len(stations.time), usual, gaps, places,
        [*_clock_of(places, shortwave=measured), *dict.fromkeys(stations.notes)],
        {k: v for k, v in words.items() if v != "no"},
    )  # fmt: skip


_ESSENTIAL = {"air_temperature", "relative_humidity"}


def _of_aermet(surfaces: Sequence[Path], files: Sequence[Path], utc_offset: float) -> Inspection:
    for path in files:
        if path not in surfaces:
            aermet.read_profile(path, utc_offset)
    if len(surfaces) != 1:
        said = "inspect one AERMET surface file at a time", "一次只检查一个 AERMET 地面文件"
        raise InputError([Problem(str(p), "", "kind", "", *said) for p in surfaces or files])
    table = aermet.read_surface(surfaces[0], utc_offset)
    place = table.attrs["place"]
    depth, speed = table["mixing_height"].to_numpy(float), table["wind_speed"].to_numpy(float)
    z0, length = table["roughness_length"].to_numpy(float), table["obukhov_length"].to_numpy(float)
    at = table["wind_height"].to_numpy(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        profile = diagnosis.profile_ratio(_HEIGHTS, at, z0, length, depth) * speed[:, None]
        ventilation = _ventilation(profile[..., None], depth[:, None])[:, 0]
    hours = pd.DataFrame(
        {
            "wind_speed": speed,
            "wind_from_direction": table["wind_from_direction"].where(speed > 0),
            "air_temperature": table["air_temperature"],
            "relative_humidity": table["relative_humidity"],
            "mixing_height": depth,
            "ventilation": ventilation,
            "precipitation": table["precipitation"],
            "shortwave": np.nan,
        },
        index=table.index,
    )
    longitude, latitude = place or (15.0 * utc_offset, np.nan)
    name = surfaces[0].stem
    counts = table["status"].value_counts()
    calm, lost = int(counts.get("calm", 0)), int(counts.get("missing", 0))
    diagnosed = int((table["diagnosed"] != "").sum())
    notes = [
        Note(
            f"时间按当地标准时 UTC{utc_offset:+g} 读取（文件未注明时区）；静风 {calm} 小时，缺测 {lost} 小时",
            f"hours read as UTC{utc_offset:+g} (the file names no zone); {calm} calm, {lost} missing",
        )
    ]
    if diagnosed:
        words = (
            f"{diagnosed} 个对流时次缺 w* 或对流混合层高度，由诊断补出",
            (f"{diagnosed} convective hour(s) lack w* or the convective height: diagnosed"),
        )
        notes.append(Note(*words))
    places = [Place(name, name, float(longitude), float(latitude), hours)]
    time = table.index.to_numpy()
    return Inspection(
        "AERMET", tuple(files), time[0], time[-1], len(time), HOUR, [], places,
        [*_clock_of(places, shortwave=False), *notes],
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------
# figures of a place


def summary(place: Place) -> dict[str, float]:
    """Return the figures of a place: shares of calm, ranges, percentiles of the mixing height."""
    h = place.hours
    wind = h["wind_speed"].dropna()
    depth, flow = h["mixing_height"].dropna().to_numpy(float), h["ventilation"].dropna().to_numpy(float)

    def quantile(values: Floats, q: float) -> float:
        return float(np.quantile(values, q)) if len(values) else float("nan")

    return {
        "hours": float(len(h)),
        "known": float(h["wind_speed"].notna().mean()),
        "wind_mean": float(wind.mean()),
        "wind_max": float(wind.max()),
        "calm": float((wind < CALM).mean()) if len(wind) else float("nan"),
        "temperature_low": float(h["air_temperature"].min()) - 273.15,
        "temperature_high": float(h["air_temperature"].max()) - 273.15,
        "humidity_low": float(h["relative_humidity"].min()),
        "humidity_high": float(h["relative_humidity"].max()),
        "rain": float(h["precipitation"].sum()),
        "depth_10": quantile(depth, 0.10),
        "depth_50": quantile(depth, 0.50),
        "depth_90": quantile(depth, 0.90),
        "ventilation_50": quantile(flow, 0.50),
    }


SPEEDS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0)
"""Lower edges of the speed classes of a wind rose [m s-1]; below the first is calm."""


def rose(place: Place) -> Floats:
    """Return the share of hours by speed class and direction, (class, 16) [1], calm left out."""
    h = place.hours.dropna(subset=["wind_speed"])
    speed, direction = h["wind_speed"].to_numpy(float), h["wind_from_direction"].to_numpy(float)
    moving = (speed >= SPEEDS[0]) & np.isfinite(direction)
    sector = np.round(direction[moving] / 22.5).astype(int) % 16
    grade = np.searchsorted(SPEEDS, speed[moving], side="right") - 1
    count = np.zeros((len(SPEEDS), 16))
    np.add.at(count, (grade, sector), 1)
    return count / max(len(h), 1)


def calendar(place: Place) -> pd.DataFrame:
    """Return the ventilation coefficient by day and hour of Beijing time [m2 s-1]: index date, columns 0 to 23."""
    local = to_beijing(pd.DatetimeIndex(place.hours.index))
    table = pd.DataFrame({"day": local.normalize(), "hour": local.hour, "v": place.hours["ventilation"].to_numpy()})
    days = pd.date_range(table["day"].min(), table["day"].max(), freq="D")
    return table.pivot_table(index="day", columns="hour", values="v", dropna=False).reindex(
        index=days, columns=range(24)
    )
