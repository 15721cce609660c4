"""The shipped climatologies of surface weather and mixing height, as smooth functions of time and place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airsim import shipped
from airsim.clock import to_beijing
from airsim.geography import Grid

Floats = NDArray[np.float64]

"""The climatologies are in Beijing time."""
PERCENTILES = np.array([0.10, 0.25, 0.50, 0.75, 0.90])
"""Probabilities of the tabled mixing heights."""


@dataclass(frozen=True, eq=False)
class Surface:
    """Hourly climatology of the surface stations, station by station.

    Attributes
    ----------
    longitude, latitude, altitude : (station,) ndarray
        [deg], [m above sea level]
    air_temperature : (time, station) ndarray
        [K]
    relative_humidity, cloud : (time, station) ndarray
        [1]
    wind_speed : (time, station) ndarray
        At 10 m [m s-1].
    daily_wind_speed, daily_wind_range : (time, station) ndarray
        Mean over the day, and the hour with most wind less the hour with least [m s-1].
    mean_wind_from : (time, station) ndarray
        Direction of the monthly vector mean [deg].
    """

    longitude: Floats
    latitude: Floats
    altitude: Floats
    air_temperature: Floats
    relative_humidity: Floats
    cloud: Floats
    wind_speed: Floats
    daily_wind_speed: Floats
    daily_wind_range: Floats
    mean_wind_from: Floats


def surface(time: NDArray[np.datetime64]) -> Surface:
    """Return the surface climatology at the middle of the hours beginning at `time` (UTC)."""
    place = _table("stations").query("table == 'surface'").set_index("city")
    hourly, monthly = _table("surface_month_hour"), _table("surface_month")

    def table(column: str) -> Floats:  # (station, 12, 24)
        return np.stack(
            [hourly[hourly.city == c].pivot(index="month", columns="hour_local", values=column) for c in place.index]
        )

    def series(values: Floats) -> Floats:  # (time, station)
        return np.stack([_interpolate(v, time) for v in values], axis=-1)

    # a typical year has one January: its hour-to-hour jumps in cloud are sampling noise
    cloud = np.mean([np.roll(table("cloud_pct"), k, axis=-1) for k in range(-2, 3)], axis=0)
    wind = table("wind_speed_m_s")
    towards = np.stack([monthly[monthly.city == c].vector_mean_wind_from_deg for c in place.index])
    # directions are interpolated as vectors, for 350 and 10 degrees are neighbours
    east, north = (series(f(np.radians(towards))[..., None]) for f in (np.sin, np.cos))
    return Surface(
        place.longitude.to_numpy(float),
        place.latitude.to_numpy(float),
        place.altitude.to_numpy(float),
        series(table("air_temperature_C")) + 273.15,
        series(table("relative_humidity_pct")) / 100,
        series(cloud) / 100,
        series(wind),
        series(wind.mean(axis=-1, keepdims=True)),
        series(np.ptp(wind, axis=-1, keepdims=True)),
        np.degrees(np.arctan2(east, north)) % 360,
    )


def mixing_height(time: NDArray[np.datetime64]) -> tuple[Floats, Floats, Floats]:
    """Return longitude, latitude (city,) [deg] and the percentiles of mixing height (time, 5, city) [m].

    For the middle of the hours beginning at `time` (UTC); the table is three-hourly, linear between.
    """
    place = _table("stations").query("table == 'mixing_height'").set_index("city")
    table = _table("mixing_height")
    columns = [f"p{round(100 * p)}" for p in PERCENTILES]
    values = np.stack(
        [
            [
                _interpolate(table[table.city == c].pivot(index="month", columns="hour_local", values=p), time)
                for p in columns
            ]
            for c in place.index
        ],
        axis=-1,
    )
    return place.longitude.to_numpy(float), place.latitude.to_numpy(float), np.moveaxis(values, 0, 1)


def inverse_distance(grid: Grid, longitude: Floats, latitude: Floats, near: float = 20_000.0) -> Floats:
    """Return weights (station, ny, nx) that sum to 1: inverse squared distance (Shepard 1968).

    `near` [m] is added to the distance in quadrature, so that a station does not make a spike in the field.
    """
    x, y = grid.project(longitude, latitude)
    square = (grid.x - x[:, None, None]) ** 2 + (grid.y[:, None] - y[:, None, None]) ** 2 + near**2
    weight = 1 / square
    result: Floats = weight / weight.sum(axis=0)
    return result


@lru_cache(maxsize=8)
def _table(name: str) -> pd.DataFrame:
    return pd.read_csv(shipped.path(f"data/meteorology/{name}.csv"), encoding="utf-8-sig")


def _interpolate(table: pd.DataFrame | Floats, time: NDArray[np.datetime64]) -> Floats:
    """Return a month x hour table at the middle of each hour: linear between mid-months and between hours.

    The table's hours are evenly spaced, the first being that of the column label (0 for a bare array).
    """
    values = np.asarray(table, float)
    first = float(table.columns[0]) if isinstance(table, pd.DataFrame) else 0.0
    local = to_beijing(np.asarray(time, "datetime64[ns]")) + np.timedelta64(30, "m")
    month = local.astype("datetime64[M]")
    length = ((month + 1).astype("datetime64[ns]") - month.astype("datetime64[ns]")) / np.timedelta64(1, "D")
    into = (local - month.astype("datetime64[ns]")) / np.timedelta64(1, "D") / length
    m = month.astype(int) % 12 + into - 0.5
    hours = values.shape[1]
    h = ((local - local.astype("datetime64[D]")) / np.timedelta64(1, "h") - first) * hours / 24
    m0, h0 = np.floor(m).astype(int), np.floor(h).astype(int)
    fm, fh = m - m0, h - h0
    result = np.zeros(len(local))
    for dm, wm in ((0, 1 - fm), (1, fm)):
        for dh, wh in ((0, 1 - fh), (1, fh)):
            result += wm * wh * values[(m0 + dm) % 12, (h0 + dh) % hours]
    return result
