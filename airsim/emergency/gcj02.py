"""GCJ-02, the shifted coordinates of Chinese web maps, against WGS84.

The offset is the one that public implementations have agreed on since 2010 (eviltransform, coordtransform): a
polynomial with sines on the ellipsoid of Krassovsky 1940.  In Guanzhong it is some 500 m, differing by only a few
tens of metres over a city, so a list taken from a web map is shifted as a whole.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_AXIS = 6_378_245.0  # semi-major axis of the Krassovsky ellipsoid [m]
_SQUARED_ECCENTRICITY = 0.006_693_421_622_965_943_23


def from_wgs84(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return GCJ-02 longitude, latitude [deg] of WGS84 ones, of the same shape (inside China)."""
    lon, lat = np.asarray(longitude, np.float64), np.asarray(latitude, np.float64)
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    common = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    w = 1.0 - _SQUARED_ECCENTRICITY * np.sin(phi) ** 2
    meridian = _AXIS * (1.0 - _SQUARED_ECCENTRICITY) / w**1.5
    normal = _AXIS / np.sqrt(w)
    return lon + np.degrees(east / (normal * np.cos(phi))), lat + np.degrees(north / meridian)


def to_wgs84(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return WGS84 longitude, latitude [deg] of GCJ-02 ones, to about 1e-9 deg by fixed-point iteration."""
    lon, lat = np.asarray(longitude, np.float64), np.asarray(latitude, np.float64)
    guess_lon, guess_lat = lon, lat
    for _ in range(6):
        there_lon, there_lat = from_wgs84(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon + lon - there_lon, guess_lat + lat - there_lat
    return guess_lon, guess_lat
