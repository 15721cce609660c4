"""Weather known at stations only: their hours, and a field made of them.

Inverse distance, height, blocking by the terrain and slope winds, a similarity profile, and the mass-consistent
adjustment: the way of diagnostic wind models (Goodin et al. 1979; Scire et al. 2000). It knows nothing of the
wind above the mixed layer, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from airsim.errors import InputError, Problem
from airsim.geography import CITIES, Geography
from airsim.meteorology import boundary_layer as bl
from airsim.meteorology import diagnosis, regrid
from airsim.meteorology.ground import SLOPE_SHARE, Relief, froude_blocking, roughness_length, slope_wind
from airsim.meteorology.source import HOUR, LONGEST_STEP, Singles, Times, stamp
from airsim.tables import Note

Floats = NDArray[np.float64]

NEAR = 20_000.0
"""Added to the distance in quadrature [m], so that a station does not make a spike in the field."""
NIGHT_STABILITY = 0.013
"""Brunt-Väisälä frequency of the air below the rim on a night [s-1], estimated, as in the synthetic build-up."""
NEEDED = ("eastward_wind_10m", "northward_wind_10m", "air_temperature", "relative_humidity")
LIMITS = {
    "wind_speed": (0.0, 75.0),
    "air_temperature": (-60.0, 55.0),
    "relative_humidity": (0.0, 100.5),
    "cloud": (0.0, 100.0),
    "precipitation": (0.0, 300.0),
    "shortwave": (-10.0, 1500.0),
    "mixing_height": (1.0, 8000.0),
}
"""What a station can report, in the units of station tables."""


@dataclass(frozen=True, eq=False)
class Stations:
    """Weather of stations.

    Attributes
    ----------
    kind : str
        What the files are called: "ISD-Lite", "EPW"...
    file : str
        The files as messages name them.
    time : (time,) datetime64 ndarray
        Stamps, UTC, rising; those at which any station reported.
    place : DataFrame
        Index station; columns name, longitude, latitude [deg], altitude [m above sea level, NaN if unknown].
    values : dict
        Name -> (time, station), NaN where missing; names and units of `source.NAMES`.
    middle : dict
        Name -> how far the middle of the interval lies from the stamp.
    notes : list of Note
    actual : bool
        Real hours; False for a typical year.
    """

    kind: str
    file: str
    time: Times
    place: pd.DataFrame
    values: dict[str, Floats]
    middle: dict[str, Any]
    notes: list[Note] = field(default_factory=list)
    actual: bool = True


def joined(parts: Sequence[Stations]) -> Stations:
    """Put the stations of several files side by side.

    Raises
    ------
    InputError
        They mix a typical year with real hours, or name one station twice for the same hour.
    """
    if len(parts) == 1:
        return parts[0]
    if len({p.actual for p in parts}) > 1:
        said = "a typical year can't stand beside real hours", "典型年数据不能与实测混用"
        raise InputError([Problem(p.file, "", "", p.kind, *said) for p in parts])
    time = np.unique(np.concatenate([p.time for p in parts]))
    place = pd.concat([p.place for p in parts])
    place = place[~place.index.duplicated()]
    values: dict[str, Floats] = {}
    problems = []
    for part in parts:
        row = np.searchsorted(time, part.time)
        column = place.index.get_indexer(part.place.index)
        for name, found in part.values.items():
            whole = values.setdefault(name, np.full((len(time), len(place)), np.nan))
            here = np.ix_(row, column)
            twice = np.isfinite(whole[here]) & np.isfinite(found) & (whole[here] != found)
            if twice.any():
                k, s = np.argwhere(twice)[0]
                said = "two files disagree on this station and hour", "两个文件对该站该时次的值不一致"
                problems.append(Problem(part.file, stamp(part.time[k]), name, str(part.place.index[s]), *said))
            whole[here] = np.where(np.isfinite(found), found, whole[here])
    if problems:
        raise InputError(problems)
    middle = {k: v for p in parts for k, v in p.middle.items()}
    kinds = "、".join(dict.fromkeys(p.kind for p in parts))
    file = parts[0].file + (f" (+{len(parts) - 1})" if len(parts) > 1 else "")
    return Stations(kinds, file, time, place, values, middle, [n for p in parts for n in p.notes], parts[0].actual)


def winds(speed: Floats, direction: Floats) -> tuple[Floats, Floats]:
    """Return components to the east and north [m s-1] of a speed and the direction it comes from [deg].

    A calm has no direction and is zero, not missing; a wind of unknown (variable) direction is missing.
    """
    angle = np.radians(direction)
    calm = speed == 0
    return (
        np.where(calm, 0.0, -speed * np.sin(angle)),
        np.where(calm, 0.0, -speed * np.cos(angle)),
    )


def hourly(stations: Stations, start: np.datetime64, hours: int) -> tuple[dict[str, Floats], list[Note]]:
    """Return the stations' weather in the middle of each hour, NaN where it is not known.

    Linear between reports at most three hours apart.

    Raises
    ------
    InputError
        Hours in which no station reports wind, temperature or humidity; the first of each gap is named.
    """
    result, notes = hourly_known(stations, start, hours)
    problems = []
    for name in NEEDED:
        known = np.asarray(np.isfinite(result[name]).any(axis=1)) if name in result else np.zeros(hours, bool)
        gap = np.flatnonzero(~known & np.concatenate([[True], known[:-1]]))
        for first in gap:
            length = int(np.argmax(known[first:])) if known[first:].any() else hours - int(first)
            said = (
                f"no station reports it for {length} hour(s) from here on; gaps beyond 3 hours are not filled",
                f"自此 {length} 小时无任何站点报告该要素；超过 3 小时的缺测不予插补",
            )
            problems.append(Problem(stations.file, stamp(start + int(first) * HOUR), _REPORTED[name], "", *said))
    if problems:
        raise InputError(dict.fromkeys(problems))
    return result, notes


def hourly_known(stations: Stations, start: np.datetime64, hours: int) -> tuple[dict[str, Floats], list[Note]]:
    """Return what `hourly` returns, gaps and all."""
    middle = start + (np.arange(hours) * 2 + 1) * (HOUR // 2)
    result: dict[str, Floats] = {}
    notes: list[Note] = []
    widest: Any = np.timedelta64(0)
    for name, values in stations.values.items():
        whole = np.full((hours, values.shape[1]), np.nan)
        at = stations.time + stations.middle.get(name, np.timedelta64(0))
        for s in range(values.shape[1]):
            good = np.isfinite(values[:, s])
            if good.any():
                whole[:, s], step = _between(at[good], values[good, s], middle)
                widest = max(widest, step) if name in NEEDED else widest
        result[name] = whole
    if widest > HOUR:
        n = widest / HOUR
        notes.append(Note(f"观测间隔达 {n:g} 小时，其间线性插值", f"reports up to {n:g} h apart, hours interpolated"))
    return result, notes


_REPORTED = {
    "eastward_wind_10m": "wind",
    "northward_wind_10m": "wind",
    "air_temperature": "air_temperature",
    "relative_humidity": "relative_humidity",
}


def _between(known: Times, values: Floats, wanted: Times) -> tuple[Floats, Any]:
    """Interpolate one series; nothing where its neighbours are more than three hours apart."""
    after = np.searchsorted(known, wanted)
    low, high = np.clip(after - 1, 0, len(known) - 1), np.clip(after, 0, len(known) - 1)
    gap = known[high] - known[low]
    # beyond the ends a value is good for the hour it stands in
    ends = np.maximum(known[low] - wanted, wanted - known[high])
    use = (gap <= LONGEST_STEP) & (ends <= HOUR // 2)
    span = np.where(gap > np.timedelta64(0), gap, HOUR)
    share = np.clip((wanted - known[low]) / span, 0, 1)
    result = values[low] + share * (values[high] - values[low])
    widest = gap[use].max() if use.any() else np.timedelta64(0)
    return np.where(use, result, np.nan), widest


def far_stations(stations: Stations, geography: Geography) -> list[Note]:
    """Say which cities lie far from every station: their weather is that of another place.

    Parameters
    ----------
    stations : Stations
    geography : Geography

    Returns
    -------
    list of Note
        One that names the cities over 100 km from the nearest station, farthest first; none where there are none.
    """
    grid = geography.grid
    longitude, latitude = (stations.place[c].to_numpy(float) for c in ("longitude", "latitude"))
    x, y = grid.project(longitude, latitude)
    inside = np.asarray(geography.city_weights.sum(axis=1)).ravel() > 0.5
    cells_y, cells_x = np.meshgrid(grid.y, grid.x, indexing="ij")
    centre_x, centre_y = geography.city_weights @ cells_x.ravel(), geography.city_weights @ cells_y.ravel()
    distance = np.hypot(centre_x[:, None] - x, centre_y[:, None] - y).min(axis=1) / 1000.0
    far = [i for i in np.argsort(-distance) if inside[i] and distance[i] > 100.0]
    if not far:
        return []
    file, most = stations.file, far[:6]
    zh = "、".join(f"{CITIES[i].name_zh} {distance[i]:.0f} km" for i in most)
    en = ", ".join(f"{CITIES[i].name_en} {distance[i]:.0f} km" for i in most)
    return [
        Note(
            f"{file}：{len(x)} 个站点代表整个区域，有城市距最近站点超过 100 km：{zh}",
            f"{file}: {len(x)} station(s) for the whole grid; cities over 100 km from the nearest: {en}",
        )
    ]


def field_of(stations: Stations, geography: Geography, start: np.datetime64, hours: int) -> xr.Dataset:
    """Make a field of what stations report.

    Parameters
    ----------
    stations : Stations
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
        Hours without any report, or no station near the grid.
    """
    grid = geography.grid
    start = np.datetime64(start).astype("datetime64[ns]")
    known, notes = hourly(stations, start, hours)
    notes = [*stations.notes, *notes]
    longitude, latitude = (stations.place[c].to_numpy(float) for c in ("longitude", "latitude"))
    x, y = grid.project(longitude, latitude)
    margin = 100_000.0
    near = (x > grid.x[0] - margin) & (x < grid.x[-1] + margin) & (y > grid.y[0] - margin) & (y < grid.y[-1] + margin)
    if not near.any():
        said = "no station within 100 km of the model grid", "模式网格 100 公里内没有任何站点"
        text = ", ".join(f"{lon:.2f} E {lat:.2f} N" for lon, lat in zip(longitude[:4], latitude[:4], strict=True))
        raise InputError([Problem(stations.file, "", "longitude, latitude", text, *said)])
    notes += far_stations(stations, geography)
    square = (grid.x - x[:, None, None]) ** 2 + (grid.y[:, None] - y[:, None, None]) ** 2 + NEAR**2
    weight = (1 / square).reshape(len(x), -1)
    altitude = stations.place["altitude"].to_numpy(float)
    iy, ix = grid.locate(longitude, latitude)
    ground = np.where(iy >= 0, grid.terrain[np.maximum(iy, 0), np.maximum(ix, 0)], grid.terrain.mean())
    if np.isnan(altitude).any():
        names = "、".join(map(str, stations.place.index[np.isnan(altitude)][:5]))
        notes.append(
            Note(f"站点 {names} 无海拔，取模式地形", f"no altitude of station {names}: the model's ground is taken")
        )
    altitude = np.where(np.isnan(altitude), ground, altitude)

    def spread(values: Floats) -> Singles:
        good = np.isfinite(values)
        total = good @ weight
        with np.errstate(invalid="ignore"):
            made = (np.where(good, values, 0) @ weight) / total
        return made.reshape(hours, grid.ny, grid.nx).astype(np.float32)

    fields: dict[str, Singles] = {}
    known["air_temperature"] = known["air_temperature"] + regrid.LAPSE * altitude  # as at sea level
    for name, values in known.items():
        some = np.asarray(np.isfinite(values).any(axis=1))
        if some.all():
            fields[name] = spread(values)
        elif some.any() and name not in NEEDED:
            filled = _filled(values, some)
            fields[name] = spread(filled)
            share = 100 * float(1 - some.mean())
            words = (
                f"{name}：{share:.0f}% 的小时无报告，由前后插补",
                f"{name}: absent in {share:.0f} % of the hours, filled",
            )
            notes.append(Note(*words))
    fields["air_temperature"] -= (regrid.LAPSE * grid.terrain).astype(np.float32)
    east, north = fields.pop("eastward_wind_10m"), fields.pop("northward_wind_10m")
    x10, y10 = (w.astype(float) for w in regrid.to_axes(grid, east, north))
    relief = Relief(grid)
    z0 = roughness_length(geography, relief)
    time = start + np.arange(hours) * HOUR
    heat = _heat(geography, time, fields)
    # day mixes the stability away to a good half, as in the synthetic episode
    x10, y10 = froude_blocking(x10, y10, relief, NIGHT_STABILITY * (1 - 0.45 * np.clip(heat / 60.0, 0, 1)))
    x_wind, y_wind = regrid.profile_from_ground(grid, z0, time, x10.astype(np.float32), y10.astype(np.float32), fields)
    slope_x, slope_y, depth = slope_wind(heat, fields["air_temperature"].astype(float), relief)
    calm = SLOPE_SHARE / (1 + (np.hypot(x10, y10) / 3.0) ** 2)
    for k, (low, high) in enumerate(zip(grid.level_edges[:-1], grid.level_edges[1:], strict=True)):
        filled = np.clip((depth - low) / (high - low), 0, 1) * calm
        x_wind[:, k] += filled * slope_x
        y_wind[:, k] += filled * slope_y
    notes.append(
        Note(
            "只有站点观测：混合层内风按相似理论廓线外推，其上不变，高空风不可信",
            "stations only: wind is carried up by the similarity profile to the mixing height and held above; do not "
            "trust the wind aloft",
        )
    )
    n = len(stations.place)
    attrs = {
        "title": f"Weather from {n} station(s), {stations.kind}",
        "title_zh": f"由 {n} 个站点（{stations.kind}）推算的气象场",
        "source": f"{stations.kind}: {', '.join(map(str, stations.place.index[:20]))}",
        "synthetic": "no" if stations.actual else "typical year",
    }
    return regrid.finish(
        geography, start, x_wind.astype(np.float32), y_wind.astype(np.float32), fields, None, attrs, notes
    )


def _heat(geography: Geography, time: Times, fields: dict[str, Singles]) -> Floats:
    """Return the upward heat flux [W m-2] on the grid, for the slope winds."""
    grid = geography.grid
    made = np.empty((len(time), grid.ny, grid.nx))
    for first in range(0, len(time), 24):
        part = slice(first, first + 24)
        known = {k: v[part].astype(float) for k, v in fields.items()}
        middle = time[part, None, None] + np.timedelta64(30, "m")
        sine = bl.sine_of_solar_elevation(middle, grid.longitude, grid.latitude)
        down, cloud = diagnosis.light(known, sine[None], {})
        made[part] = diagnosis.heat_flux(
            known, down, cloud, known["air_temperature"], np.full_like(down, bl.PRESSURE), {}
        )
    return made


def _filled(values: Floats, some: NDArray[np.bool_]) -> Floats:
    """Return values with the hours that no station reports filled station by station, linearly."""
    result = values.copy()
    hours = np.arange(len(values))
    for s in range(values.shape[1]):
        good = np.isfinite(values[:, s])
        if good.any():
            result[~some, s] = np.interp(hours[~some], hours[good], values[good, s])
    return result


def problem_rows(file: str, where: Iterable[str], key: str, value: str, en: str, zh: str) -> list[Problem]:
    """Return one problem for the first of some rows, that says how many there are."""
    rows = list(where)
    more = f" ({len(rows)} rows)" if len(rows) > 1 else ""
    more_zh = f"（共 {len(rows)} 行）" if len(rows) > 1 else ""
    return [Problem(file, rows[0], key, value, en + more, zh + more_zh)] if rows else []
