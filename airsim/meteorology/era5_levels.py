"""Pressure and height of the levels of ERA5: model levels (L137), pressure levels, and what lies between."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from airsim import shipped
from airsim.errors import InputError, Problem
from airsim.meteorology import boundary_layer as bl
from airsim.meteorology.source import Floats

GRAVITY = 9.80665
"""ECMWF's own, for geopotential [m s-2]."""


@cache
def half_levels() -> tuple[Floats, Floats]:
    """Return a [Pa] and b [1] of the 138 half levels of L137, from the top down."""
    table = pd.read_csv(shipped.path("data/meteorology/ecmwf_l137.csv"), encoding="utf-8-sig")
    return table["a_Pa"].to_numpy(float), table["b"].to_numpy(float)


def full_pressure(surface: float) -> Floats:
    """Return the pressure [Pa] of the 137 full levels above a surface pressure [Pa], from the top down."""
    a, b = half_levels()
    half = a + b * surface
    return (half[1:] + half[:-1]) / 2


def model_level_heights(level: Floats, surface: Floats, virtual: Floats) -> tuple[Floats, Floats]:
    """Return pressure [Pa] and height above ground [m] of model levels, from the ground up.

    Half-level pressures a + b p_s; hydrostatic sum with the full level at ln-pressure alpha above the half level
    below it (Simmons & Burridge 1981, eqs. 3.14 to 3.17; IFS documentation Cy41r2 part III, sec. 2.2.1).

    Parameters
    ----------
    level : (level,) ndarray
        Numbers, 137 first.
    surface : (ny, nx) ndarray
        Surface pressure [Pa].
    virtual : (level, ny, nx) ndarray
        Virtual temperature [K].

    Raises
    ------
    InputError
        Levels are not the lowest ones without a gap.
    """
    number = level.astype(int)
    if number[0] != 137 or np.any(np.diff(number) != -1):
        said = (
            "model levels must run from 137 upward without a gap (ERA5, L137)",
            "模式层须自 137 层起连续向上（ERA5，L137）",
        )
        raise InputError([Problem("ERA5", "", "model_level", ", ".join(map(str, number[:8])), *said)])
    a, b = half_levels()
    pressure, height = np.empty_like(virtual), np.empty_like(virtual)
    ground = np.zeros_like(surface)
    for k, n in enumerate(number):
        above, below = a[n - 1] + b[n - 1] * surface, a[n] + b[n] * surface
        thick = np.log(below / above)
        alpha = 1 - above / (below - above) * thick
        scale = bl.GAS_CONSTANT * virtual[k] / GRAVITY
        height[k] = ground + alpha * scale
        pressure[k] = (above + below) / 2
        ground = ground + thick * scale
    return pressure, height


def hypsometric_heights(pressure: Floats, virtual: Floats, surface: Floats) -> Floats:
    """Return heights above ground [m] of pressure levels, from the ground up, by the hypsometric equation."""
    height = np.full_like(pressure, -1.0)
    below_p, below_t, below_z = surface, np.full_like(surface, np.nan), np.zeros_like(surface)
    for k in range(len(pressure)):
        out = pressure[k] < surface
        layer = np.where(np.isnan(below_t), virtual[k], (virtual[k] + below_t) / 2)
        z = below_z + bl.GAS_CONSTANT * layer / GRAVITY * np.log(np.where(out, below_p / pressure[k], 1.0))
        height[k] = np.where(out, z, -1.0)
        below_p, below_t, below_z = (
            np.where(out, new, old) for new, old in ((pressure[k], below_p), (virtual[k], below_t), (z, below_z))
        )
    return height


def height_at_pressure(height: Floats, pressure: Floats, surface: Floats) -> Floats:
    """Return the height above sea where the pressure is that of the surface, linear in ln p, also beyond the ends."""
    log_p, wanted = np.log(pressure), np.log(surface)
    k = np.clip((log_p > wanted).sum(axis=0) - 1, 0, len(pressure) - 2)[None]
    (p0, p1), (z0, z1) = ([np.take_along_axis(f, k + d, axis=0)[0] for d in (0, 1)] for f in (log_p, height))
    return np.asarray(z0 + (z1 - z0) * (wanted - p0) / (p1 - p0))
