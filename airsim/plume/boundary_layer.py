"""Profiles of wind, turbulence and temperature in the boundary layer from u*, L, w*, z_i and z0.

All functions work on NumPy arrays and broadcast; L is the Obukhov length, negative in convective hours.
Cimorelli et al. 2005: J. Appl. Meteorol. 44, 682-693, doi:10.1175/JAM2227.1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from airsim.meteorology.boundary_layer import stability_correction

KARMAN = 0.4
GRAVITY = 9.80665
SMALLEST_OBUKHOV_LENGTH = 1.0
LARGEST_OBUKHOV_LENGTH = 1.0e5
SMALLEST_FRICTION_VELOCITY = 0.01
SMALLEST_LATERAL_TURBULENCE = 0.2  # Cimorelli et al. 2005, section 3c: [m s-1]
SMALLEST_STABLE_GRADIENT = 0.002  # [K m-1], AERMOD formulation (EPA-454/R-03-004), eq. 30

Array = npt.NDArray[np.float64]


def wind_profile(
    height: npt.ArrayLike,
    roughness_length: npt.ArrayLike,
    obukhov_length: npt.ArrayLike,
    mixing_height: npt.ArrayLike,
) -> Array:
    """Shape of the wind profile: the wind at a height, up to the factor u*/k.

    Parameters
    ----------
    height, roughness_length, obukhov_length, mixing_height : array_like
        [m].

    Returns
    -------
    ndarray
        [1]; the ratio of two values is the ratio of two winds.

    Notes
    -----
    Cimorelli et al. 2005, eq. 26: logarithmic with psi_m between 7 z0 and z_i, linear to the ground below
    7 z0, constant above z_i.

    Examples
    --------
    >>> ten, hundred = wind_profile([10.0, 100.0], 0.1, 1e9, 1000.0)
    >>> round(float(hundred / ten), 4)  # ln(1000) / ln(100)
    1.5
    """
    z0 = np.asarray(roughness_length, dtype=float)
    low = 7.0 * z0
    z = np.clip(height, low, np.maximum(mixing_height, low))
    shape = np.log(z / z0) - stability_correction(z, obukhov_length) + stability_correction(z0, obukhov_length)
    return np.asarray(shape * np.minimum(np.asarray(height, dtype=float) / low, 1.0))


def lateral_turbulence(
    height: npt.ArrayLike,
    friction_velocity: npt.ArrayLike,
    convective_velocity: npt.ArrayLike,
    mixing_height: npt.ArrayLike,
) -> Array:
    """Return the standard deviation of the crosswind velocity, sigma_v.

    Parameters
    ----------
    height, mixing_height : array_like
        [m].
    friction_velocity, convective_velocity : array_like
        [m s-1]; the convective velocity is zero in stable hours.

    Returns
    -------
    ndarray
        [m s-1], at least 0.2.

    Notes
    -----
    Cimorelli et al. 2005, section 3: mechanical part sigma_v^2 = 3.6 u*^2 at the ground, going linearly to
    min(3.6 u*^2, 0.25) at z_i; convective part 0.35 w*^2 up to z_i, linearly to at most 0.25 at 1.2 z_i.

    Examples
    --------
    >>> round(float(lateral_turbulence(0.0, 0.5, 0.0, 500.0)), 4)  # (3.6 * 0.25)^(1/2)
    0.9487
    """
    z = np.asarray(height, dtype=float)
    zi = np.asarray(mixing_height, dtype=float)
    surface = 3.6 * np.square(friction_velocity)
    top = np.minimum(surface, 0.25)
    mechanical = surface + (top - surface) * np.minimum(z / zi, 1.0)
    inside = 0.35 * np.square(convective_velocity)
    above = np.minimum(inside, 0.25)
    convective = inside + (above - inside) * np.clip((z / zi - 1.0) / 0.2, 0.0, 1.0)
    result: Array = np.maximum(np.sqrt(mechanical + convective), SMALLEST_LATERAL_TURBULENCE)
    return result


def vertical_turbulence(
    height: npt.ArrayLike,
    friction_velocity: npt.ArrayLike,
    convective_velocity: npt.ArrayLike,
    mixing_height: npt.ArrayLike,
    wind_at_top: npt.ArrayLike,
) -> Array:
    """Return the standard deviation of the vertical velocity, sigma_w.

    Parameters
    ----------
    height, mixing_height : array_like
        [m].
    friction_velocity, convective_velocity : array_like
        [m s-1].
    wind_at_top : array_like
        Wind at the mixing height [m s-1].

    Returns
    -------
    ndarray
        [m s-1], at least 0.02.

    Notes
    -----
    Cimorelli et al. 2005, section 3: convective 1.6 (z/z_i)^(2/3) w*^2 below 0.1 z_i, 0.35 w*^2 up to z_i,
    falling as exp[-6 (z - z_i)/z_i] above; mechanical 1.3 u* (1 - z/z_i)^(1/2) with the residual
    0.02 u{z_i} z/z_i.

    Examples
    --------
    >>> round(float(vertical_turbulence(0.0, 0.5, 0.0, 500.0, 5.0)), 4)  # 1.3 * 0.5
    0.65
    """
    zi = np.asarray(mixing_height, dtype=float)
    ratio = np.asarray(height, dtype=float) / zi
    w2 = np.square(convective_velocity)
    low = np.minimum(1.6 * np.cbrt(np.square(np.minimum(ratio, 0.1))), 0.35) * w2
    convective = np.where(ratio <= 0.1, low, 0.35 * w2 * np.exp(-6.0 * np.maximum(ratio - 1.0, 0.0)))
    mechanical = np.square(1.3 * np.asarray(friction_velocity)) * np.maximum(1.0 - ratio, 0.0)
    residual = np.square(0.02 * np.asarray(wind_at_top) * np.minimum(ratio, 1.0))
    result: Array = np.maximum(np.sqrt(convective + mechanical + residual), 0.02)
    return result


def temperature_gradient(
    height: npt.ArrayLike,
    friction_velocity: npt.ArrayLike,
    obukhov_length: npt.ArrayLike,
    mixing_height: npt.ArrayLike,
    air_temperature: npt.ArrayLike,
) -> Array:
    """Vertical gradient of potential temperature in a stable hour.

    Parameters
    ----------
    height, obukhov_length, mixing_height : array_like
        [m].
    friction_velocity : array_like
        [m s-1].
    air_temperature : array_like
        [K].

    Returns
    -------
    ndarray
        [K m-1], at least 0.002; meaningful where L > 0.

    Notes
    -----
    Cimorelli et al. 2005, section 3: theta*/(k z) (1 + 5 z/L) between 2 m and 100 m, the 2 m value below,
    and above 100 m the 100 m value times exp[-(z - 100)/(0.44 max(z_i, 100))].
    """
    length = np.abs(np.asarray(obukhov_length, dtype=float))
    scale = np.asarray(air_temperature) * np.square(friction_velocity) / (KARMAN * GRAVITY * length)
    z = np.asarray(height, dtype=float)
    within = np.clip(z, 2.0, 100.0)
    gradient = scale / (KARMAN * within) * (1.0 + 5.0 * within / length)
    decay = np.exp(-np.maximum(z - 100.0, 0.0) / (0.44 * np.maximum(mixing_height, 100.0)))
    return np.asarray(np.maximum(gradient * decay, SMALLEST_STABLE_GRADIENT))


def mechanical_mixing_height(friction_velocity: npt.ArrayLike) -> Array:
    """Mechanical mixing height, 2300 u*^(3/2) [m] (Venkatram 1980).

    Parameters
    ----------
    friction_velocity : array_like
        [m s-1].

    Returns
    -------
    ndarray
        [m].

    Examples
    --------
    >>> float(mechanical_mixing_height(0.25))  # 2300 / 8
    287.5
    """
    return 2300.0 * np.asarray(friction_velocity, dtype=float) ** 1.5


def stability_class(obukhov_length: npt.ArrayLike, roughness_length: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Pasquill-Gifford class from the Obukhov length, 0 = A ... 5 = F.

    Parameters
    ----------
    obukhov_length, roughness_length : array_like
        [m].

    Returns
    -------
    ndarray of int
        0 to 5.

    Notes
    -----
    The lines of Golder 1972 (Boundary-Layer Meteorol. 3, 47-58) as fitted for CTDMPLUS and used in
    CALPUFF and MMIF; z0 is taken within 0.01 to 0.5 m, the range of the fit.

    Examples
    --------
    >>> stability_class([-5.0, 1e5, 5.0], 0.1).tolist()  # A, D and F
    [0, 3, 5]
    """
    length = np.asarray(obukhov_length, dtype=float)
    z = np.log(np.clip(roughness_length, 0.01, 0.5))
    unstable = np.where(
        length >= 70.0 / (z - 4.35),
        0,
        np.where(length >= 85.2 / (z - 0.502), 1, np.where(length >= 245.0 / (z - 0.05), 2, 3)),
    )
    stable = np.where(length >= -327.0 / (z - 0.627), 3, np.where(length >= -70.0 / (z - 0.295), 4, 5))
    return np.where(length < 0.0, unstable, stable)
