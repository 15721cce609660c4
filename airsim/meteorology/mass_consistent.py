"""Winds turned into air fluxes through the faces of the boxes, with exactly as much air in as out.

The air of the boxes is static (a reference density that falls off with height), so the fluxes through a
box's six faces must add to zero, or a uniform concentration would not stay uniform. Divergence of the whole
column is removed by the least change of the horizontal fluxes (Sasaki 1970; Sherman 1978); the vertical
flux follows from continuity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from airsim.geography import Grid
from airsim.meteorology.boundary_layer import GAS_CONSTANT, GRAVITY

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

SURFACE_DENSITY = 101_325.0 / (GAS_CONSTANT * 273.15)
"""Reference density at sea level, 1.292 kg m-3: an isothermal winter atmosphere of 273.15 K."""
SCALE_HEIGHT = GAS_CONSTANT * 273.15 / GRAVITY
"""Height over which the reference density falls by 1/e, 7995 m."""


def air_mass(grid: Grid) -> Floats:
    """Return the mass of air in each box, (nz, ny, nx) [kg], of the reference density rho0 exp(-z / H)."""
    below, above = grid.level_edges[:-1, None, None], grid.level_edges[1:, None, None]
    column = np.exp(-(grid.terrain + below) / SCALE_HEIGHT) - np.exp(-(grid.terrain + above) / SCALE_HEIGHT)
    return SURFACE_DENSITY * SCALE_HEIGHT * grid.cell_area * column


def _to_faces(centre: Floats, axis: int) -> Floats:
    """Return the mean of the two neighbours at each face, and the edge value at the two ends."""
    n = centre.shape[axis]
    left = np.take(centre, np.maximum(np.arange(n + 1) - 1, 0), axis)
    right = np.take(centre, np.minimum(np.arange(n + 1), n - 1), axis)
    result: Floats = (left + right) / 2
    return result


def face_fluxes(x_wind: Floats, y_wind: Floats, mass: Floats, spacing: float) -> tuple[Floats, Floats]:
    """Return the air fluxes through the x and y faces [kg s-1] of winds at the centres [m s-1].

    Parameters
    ----------
    x_wind, y_wind : (..., nz, ny, nx) ndarray
    mass : (nz, ny, nx) ndarray
        Air in each box [kg].
    spacing : float
        Side of a cell [m].

    Returns
    -------
    x_flux : (..., nz, ny, nx+1) ndarray
    y_flux : (..., nz, ny+1, nx) ndarray
    """
    x = _to_faces(x_wind, -1) * (_to_faces(mass, -1) / spacing)
    y = _to_faces(y_wind, -2) * (_to_faces(mass, -2) / spacing)
    return x, y


def centre_winds(x_flux: Floats, y_flux: Floats, mass: Floats, spacing: float) -> tuple[Floats, Floats]:
    """Return the winds at the centres [m s-1], (..., nz, ny, nx), as the mean over each pair of faces."""
    x_air, y_air = _to_faces(mass, -1) / spacing, _to_faces(mass, -2) / spacing
    x, y = x_flux / x_air, y_flux / y_air
    return (x[..., 1:] + x[..., :-1]) / 2, (y[..., 1:, :] + y[..., :-1, :]) / 2


def divergence(x_flux: Floats, y_flux: Floats, z_flux: Floats | None = None) -> Floats:
    """Return the net outflow of each box, (..., nz, ny, nx) [kg s-1]."""
    out = np.diff(x_flux, axis=-1) + np.diff(y_flux, axis=-2)
    return out if z_flux is None else out + np.diff(z_flux, axis=-3)


def remove_column_divergence(
    x_flux: Floats, y_flux: Floats, mass: Floats, freedom: ArrayLike = 1.0
) -> tuple[Floats, Floats]:
    """Return the nearest horizontal fluxes whose column-integrated divergence is zero.

    Minimises the sum over faces of (change)^2 / share subject to continuity of every column (Sasaki 1970,
    strong constraint, one Lagrange multiplier a column), where `share` says how a column's change is spread
    over its levels: in proportion to air and to `freedom`. The multiplier obeys a Poisson equation with the
    potential held at zero just outside the domain, so that air may leave on all sides; the discrete sine
    transform inverts it exactly. A second pass takes the residual down to round-off.

    Parameters
    ----------
    x_flux : (..., nz, ny, nx+1) ndarray
        [kg s-1]
    y_flux : (..., nz, ny+1, nx) ndarray
        [kg s-1]
    mass : (nz, ny, nx) ndarray
        Air in each box [kg].
    freedom : (nz,) array_like
        How readily a level's wind may be changed [1], > 0. Winds aloft are known less well than at the
        ground, and what slope winds bring together below really does flow off above.
    """
    ny, nx = mass.shape[-2:]
    weight = mass * np.broadcast_to(np.asarray(freedom, float), mass.shape[:1])[:, None, None]
    x_share, y_share = _to_faces(weight, -1), _to_faces(weight, -2)
    x_share /= x_share.sum(axis=0)
    y_share /= y_share.sum(axis=0)
    eigenvalue = (2 - 2 * np.cos(np.pi * np.arange(1, ny + 1) / (ny + 1)))[:, None] + (
        2 - 2 * np.cos(np.pi * np.arange(1, nx + 1) / (nx + 1))
    )
    for _ in range(2):
        column = divergence(x_flux, y_flux).sum(axis=-3)
        potential = fft.idstn(fft.dstn(column, type=1, axes=(-2, -1)) / eigenvalue, type=1, axes=(-2, -1))
        around = np.pad(potential, [(0, 0)] * (potential.ndim - 2) + [(1, 1), (1, 1)])
        x_flux = x_flux + x_share * np.diff(around[..., None, 1:-1, :], axis=-1)
        y_flux = y_flux + y_share * np.diff(around[..., None, :, 1:-1], axis=-2)
    return x_flux, y_flux


def vertical_flux(x_flux: Floats, y_flux: Floats) -> Floats:
    """Return the flux through the level faces, (..., nz+1, ny, nx) [kg s-1], from continuity.

    Zero at the ground; at the top what is left of the column's divergence, zero to round-off after
    `remove_column_divergence`.
    """
    inflow = -divergence(x_flux, y_flux)
    flux = np.zeros((*inflow.shape[:-3], inflow.shape[-3] + 1, *inflow.shape[-2:]))
    np.cumsum(inflow, axis=-3, out=flux[..., 1:, :, :])
    return flux


def exact_single(x_flux: Floats, y_flux: Floats) -> tuple[Singles, Singles, Singles]:
    """Return x, y and z fluxes in single precision [kg s-1] that are divergence-free without any round-off.

    Single precision alone would leave every column a little divergence. Here all fluxes are whole multiples
    of a quantum that is a power of two and less than a four-millionth of the largest flux: such numbers and
    their sums are exact in float32. The column-integrated flux is rounded through its stream function,
    which keeps it free of divergence; the top level takes up the rounding of the others.

    Parameters
    ----------
    x_flux, y_flux : (..., nz, ny, nx+1), (..., nz, ny+1, nx) ndarray
        Fluxes without column divergence [kg s-1], of `remove_column_divergence`.
    """
    largest = max(float(np.abs(flux).max()) for flux in (x_flux, y_flux, vertical_flux(x_flux, y_flux)))
    quantum = 2.0 ** np.ceil(np.log2(largest / 2**22)) if largest > 0 else 1.0
    x_column, y_column = x_flux.sum(axis=-3) / quantum, y_flux.sum(axis=-3) / quantum
    ny, nx = y_column.shape[-2] - 1, y_column.shape[-1]
    stream = np.zeros((*x_column.shape[:-2], ny + 1, nx + 1))
    stream[..., :1, 1:] = -np.cumsum(y_column[..., :1, :], axis=-1)
    stream[..., 1:, :] = stream[..., :1, :] + np.cumsum(x_column, axis=-2)
    stream = np.rint(stream)
    x, y = np.rint(x_flux / quantum), np.rint(y_flux / quantum)
    x[..., -1, :, :] = np.diff(stream, axis=-2) - x[..., :-1, :, :].sum(axis=-3)
    y[..., -1, :, :] = -np.diff(stream, axis=-1) - y[..., :-1, :, :].sum(axis=-3)
    z = vertical_flux(x, y)
    return tuple((flux * quantum).astype(np.float32) for flux in (x, y, z))  # type: ignore[return-value]
