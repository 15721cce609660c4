"""Vertical eddy diffusivity from the state of the boundary layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from airsim.region.coefficients import Diffusion

VON_KARMAN = 0.4


def horizontal_diffusivity(spacing: float, diffusion: Diffusion) -> float:
    """Return the diffusivity of the motions smaller than a box, K = c epsilon^(1/3) spacing^(4/3) [m2 s-1].

    Richardson's 4/3 law (Richardson 1926; Batchelor 1950). It vanishes with the spacing faster than the spacing
    itself, so it does not lower the order of the scheme to one.

    Parameters
    ----------
    spacing : float
        [m].
    diffusion : Diffusion
        Constant c [1] and dissipation rate epsilon [m2 s-3].

    Examples
    --------
    >>> from airsim.region import coefficients
    >>> diffusion = coefficients.load().diffusion
    >>> double = horizontal_diffusivity(10_000.0, diffusion) / horizontal_diffusivity(5_000.0, diffusion)
    >>> round(float(double), 4)  # 2^(4/3)
    2.5198
    """
    result: float = diffusion.richardson * np.cbrt(diffusion.dissipation) * spacing ** (4.0 / 3.0)
    return result


def least_diffusivity(
    height: NDArray[np.float64], built_up: NDArray[np.float64], diffusion: Diffusion
) -> NDArray[np.float64]:
    """Return the smallest vertical diffusivity: larger over built-up land, near the ground.

    Buildings and the heat they give off keep the air of a winter night mixed where similarity theory, made for
    open country, lets it come to rest. Regional models therefore raise the floor with the share of built-up land,
    K = K_rural + (K_urban - K_rural) f below a given height (CMAQ's minimum eddy diffusivity).

    Parameters
    ----------
    height : (level_face, 1, 1)
        Height of the faces above ground [m].
    built_up : (y, x)
        Share of built-up land [1].
    diffusion : Diffusion
        Coefficients.

    Returns
    -------
    (level_face, y, x)
        [m2 s-1].
    """
    raised = diffusion.floor + (diffusion.floor_urban - diffusion.floor) * built_up
    return np.where(height <= diffusion.urban_depth, raised, diffusion.floor)


def eddy_diffusivity(
    height: NDArray[np.float64],
    depth: NDArray[np.float64],
    friction_velocity: NDArray[np.float64],
    obukhov_length: NDArray[np.float64],
    convective_velocity: NDArray[np.float64],
    floor: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """Return the eddy diffusivity of a passive tracer.

    K = k w_t z (1 - z/h)^2 below the boundary-layer height h, `floor` above and at least (Troen & Mahrt 1986;
    Holtslag & Boville 1993, J. Climate 6, 1825, eqs 3.9-3.12 and A1-A12, without the counter-gradient term and
    without the part of the Prandtl number that goes with it: a surface flux is not a matter of the tracer in the air,
    and K stays continuous at 0.1 h). Because K ends at h, a sinking boundary layer leaves its tracer in the
    residual layer, and a growing one mixes it down again.

    Parameters
    ----------
    height : (level_face, 1, 1)
        Height of the faces above ground [m].
    depth, friction_velocity, obukhov_length, convective_velocity : (y, x)
        Boundary-layer height [m], u* [m s-1], L [m], w* [m s-1].
    floor : float or (level_face, y, x)
        Smallest diffusivity [m2 s-1], see `least_diffusivity`.

    Returns
    -------
    (level_face, y, x)
        Diffusivity [m2 s-1].

    Examples
    --------
    >>> faces, calm = np.array([[[100.0]]]), np.array([[0.0]])
    >>> k = eddy_diffusivity(faces, np.array([[400.0]]), np.array([[0.2]]), np.array([[1e9]]), calm, 0.1)
    >>> round(float(k[0, 0, 0]), 3)  # 0.4 * 0.2 * 100 * (1 - 100/400)^2
    4.5
    """
    z = np.minimum(height, depth)
    friction_velocity = np.maximum(friction_velocity, 0.01)
    stable = obukhov_length > 0.0
    unstable_length = np.where(stable, -np.inf, obukhov_length)
    # stable: w_t = u* / phi_h, with phi_h = 1 + 5 z/L, and 5 + z/L beyond z/L = 1
    ratio = z / np.where(stable, obukhov_length, np.inf)
    phi = np.where(ratio <= 1.0, 1.0 + 5.0 * ratio, 5.0 + ratio)
    calm_scale = friction_velocity / phi
    # unstable: surface layer below 0.1 h, its top value w_m / Pr above
    surface = np.minimum(z, 0.1 * depth)
    surface_scale = friction_velocity * np.sqrt(1.0 - 15.0 * surface / unstable_length)
    top = 1.0 - 1.5 * depth / unstable_length
    momentum_scale = np.cbrt(friction_velocity**3 + 0.6 * convective_velocity**3)
    prandtl = top ** (-1.0 / 6.0)
    lively_scale = np.where(z < 0.1 * depth, surface_scale, momentum_scale / prandtl)
    scale = np.where(stable, calm_scale, lively_scale)
    return np.maximum(VON_KARMAN * scale * z * (1.0 - z / depth) ** 2, floor)
