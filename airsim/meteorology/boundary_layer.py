"""The surface energy budget and the surface layer, from routine weather.

Everything works on arrays that broadcast against each other and never divides by a wind that can be zero.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

GRAVITY = 9.80665  # m s-2
KARMAN = 0.4
HEAT_CAPACITY = 1005.0  # of dry air at constant pressure, J kg-1 K-1
GAS_CONSTANT = 287.05  # of dry air, J kg-1 K-1
PRESSURE = 97_000.0  # Pa, at the floor of the basin, for the psychrometer and the density in the heat flux
STEFAN_BOLTZMANN = 5.670e-8  # W m-2 K-4

MINIMUM_SPEED = 0.28
"""sqrt(2) times the least sigma_v of 0.2 m s-1: the wind that meander alone makes (Cimorelli et al. 2005)."""
MINIMUM_LENGTH = 1.0
"""Least |L| [m], as AERMET limits it."""
MAXIMUM_LENGTH = 1e5
"""|L| [m] that stands for neutral."""


def sine_of_solar_elevation(time: NDArray[np.datetime64], longitude: ArrayLike, latitude: ArrayLike) -> Floats:
    """Return the sine of the sun's elevation [1].

    Declination and equation of time by the Fourier series of Spencer (1971); elevation by spherical
    trigonometry.

    Parameters
    ----------
    time : datetime64 array
        UTC; broadcast against the place.
    longitude, latitude : array_like
        [deg]
    """
    t = np.asarray(time, "datetime64[ns]")
    day_of_year = (t - t.astype("datetime64[Y]")) / np.timedelta64(1, "D")
    b = 2 * np.pi * np.floor(day_of_year) / 365
    declination = (
        0.006918
        - 0.399912 * np.cos(b)
        + 0.070257 * np.sin(b)
        - 0.006758 * np.cos(2 * b)
        + 0.000907 * np.sin(2 * b)
        - 0.002697 * np.cos(3 * b)
        + 0.00148 * np.sin(3 * b)
    )
    equation_of_time = 229.18 * (  # minutes
        0.000075 + 0.001868 * np.cos(b) - 0.032077 * np.sin(b) - 0.014615 * np.cos(2 * b) - 0.040849 * np.sin(2 * b)
    )
    hour = 24 * (day_of_year % 1) + np.asarray(longitude) / 15 + equation_of_time / 60
    angle, phi = np.pi * (hour - 12) / 12, np.radians(latitude)
    return np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(angle)


def shortwave(sine_elevation: ArrayLike, cloud: ArrayLike) -> Floats:
    """Return the downward shortwave flux at the ground [W m-2].

    Holtslag & van Ulden (1983): clear sky 990 sin(elevation) - 30, reduced by 1 - 0.75 N^3.4 under cloud N
    (the latter after Kasten & Czeplak 1980).
    """
    clear = np.maximum(990.0 * np.asarray(sine_elevation) - 30.0, 0.0)
    return clear * (1 - 0.75 * np.asarray(cloud) ** 3.4)


def net_radiation(
    shortwave_down: ArrayLike, cloud: ArrayLike, temperature: ArrayLike, albedo: ArrayLike = 0.2
) -> Floats:
    """Return net radiation at the ground [W m-2] from shortwave [W m-2], cloud [1], air temperature [K].

    Holtslag & van Ulden (1983): [(1 - r) K + 5.31e-13 T^6 - sigma T^4 + 60 N] / 1.12, the denominator for the
    ground being warmer than the air by day (c3 = 0.12).
    """
    t = np.asarray(temperature, float)
    gain = (1 - np.asarray(albedo)) * np.asarray(shortwave_down) + 60 * np.asarray(cloud)
    return (gain + 5.31e-13 * t**6 - STEFAN_BOLTZMANN * t**4) / 1.12


def sensible_heat_flux(net: ArrayLike, temperature: ArrayLike, moisture: float = 0.5) -> Floats:
    """Return the upward sensible heat flux [W m-2] from net radiation [W m-2] and air temperature [K].

    Holtslag & van Ulden (1983), their modified Priestley-Taylor form, with a tenth of the net radiation
    going into the ground and beta' = 20 W m-2; `moisture` is their alpha (1 wet grass, 0.5 winter fields by
    estimate).
    """
    celsius = np.asarray(temperature, float) - 273.15
    # slope of the saturation vapour pressure by Magnus's formula [Pa K-1]
    slope = 611.2 * np.exp(17.62 * celsius / (243.12 + celsius)) * 17.62 * 243.12 / (243.12 + celsius) ** 2
    psychrometer = HEAT_CAPACITY * PRESSURE / (0.622 * 2.5e6)
    ratio = psychrometer / slope
    return ((1 - moisture) + ratio) / (1 + ratio) * 0.9 * np.asarray(net) - 20.0


def stability_correction(height: ArrayLike, obukhov_length: ArrayLike) -> Floats:
    """Return psi_m [1], the integrated stability correction of the wind profile.

    Unstable: Paulson (1970) with the Dyer (1974) gradient, x = (1 - 16 z/L)^(1/4). Stable: van Ulden &
    Holtslag (1985), -17 (1 - exp(-0.29 z/L)), which stays finite far above L.
    """
    zeta = np.asarray(height, float) / np.asarray(obukhov_length, float)
    x = np.sqrt(np.sqrt(1 - 16 * np.minimum(zeta, 0)))
    unstable = 2 * np.log((1 + x) / 2) + np.log((1 + x * x) / 2) - 2 * np.arctan(x) + np.pi / 2
    return np.where(zeta > 0, -17 * (1 - np.exp(-0.29 * np.maximum(zeta, 0))), unstable)


def wind_ratio(height: ArrayLike, reference: ArrayLike, roughness: ArrayLike, obukhov_length: ArrayLike) -> Floats:
    """Return the wind speed at a height as a share of that at the reference height [1], by similarity.

    Heights [m] are above the zero-plane; the profile is ln(z/z0) - psi_m(z/L) + psi_m(z0/L).
    """
    z0, length = np.asarray(roughness, float), np.asarray(obukhov_length, float)
    ground = stability_correction(z0, length)
    upper = np.log(np.asarray(height) / z0) - stability_correction(height, length) + ground
    lower = np.log(np.asarray(reference) / z0) - stability_correction(reference, length) + ground
    return upper / lower


def surface_layer(
    wind_speed: ArrayLike,
    wind_height: float,
    temperature: ArrayLike,
    heat_flux: ArrayLike,
    cloud: ArrayLike,
    roughness: ArrayLike,
    mixing_height: ArrayLike,
) -> tuple[Floats, Floats, Floats]:
    """Return friction velocity [m s-1], Obukhov length [m] and convective velocity [m s-1].

    Upward heat flux: the log profile with its stability correction, iterated; the wind includes the gusts of
    convection, u^2 + (1.2 w*)^2 (Beljaars 1995), so that a calm afternoon keeps some stress. Otherwise, the
    heat flux being poorly known at night, temperature scale from cloud, 0.09 (1 - 0.5 N^2) K, and u* from the
    quadratic of Venkatram (1980) as in Cimorelli et al. (2005, sec. 3): below the critical wind u* and the
    temperature scale shrink in proportion to the wind.

    Parameters
    ----------
    wind_speed : array_like
        At `wind_height` [m s-1].
    wind_height : float
        [m]
    temperature : array_like
        [K]
    heat_flux : array_like
        Upward sensible heat flux [W m-2].
    cloud : array_like
        Cloud cover [1].
    roughness : array_like
        Roughness length [m].
    mixing_height : array_like
        [m]

    Returns
    -------
    friction_velocity, obukhov_length, convective_velocity : ndarray
        The length is signed, between 1 and 1e5 m in size.
    """
    speed, temperature, heat_flux, cloud, roughness, mixing_height = np.broadcast_arrays(
        *(np.asarray(a, float) for a in (wind_speed, temperature, heat_flux, cloud, roughness, mixing_height))
    )
    speed = np.maximum(speed, MINIMUM_SPEED)
    log_profile = np.log(wind_height / roughness)

    # stable and neutral
    drag = KARMAN / log_profile
    scale = 0.09 * (1 - 0.5 * cloud**2)
    twice_u0 = 2 * np.sqrt(5.0 * wind_height * GRAVITY * scale / temperature)
    critical = twice_u0 / np.sqrt(drag)
    shrink = np.minimum(speed / critical, 1.0)
    root = np.sqrt(np.maximum(1 - (critical / np.maximum(speed, critical)) ** 2, 0))
    stress_velocity = drag * np.maximum(speed, critical) / 2 * (1 + root) * shrink
    length = temperature * stress_velocity**2 / (KARMAN * GRAVITY * scale * shrink)
    convective = np.zeros_like(length)

    # unstable: only these are iterated
    up = heat_flux > 0
    if up.any():
        flux = heat_flux[up] * GAS_CONSTANT * temperature[up] / (PRESSURE * HEAT_CAPACITY)  # kinematic, K m s-1
        buoyancy = GRAVITY / temperature[up] * flux
        w = np.cbrt(buoyancy * mixing_height[up])
        gusty = np.sqrt(speed[up] ** 2 + (1.2 * w) ** 2)
        z0, log_z = roughness[up], log_profile[up]
        u = KARMAN * gusty / log_z
        for _ in range(6):  # the plain iteration swings about the answer; 0.65 of each step settles it
            ell = -np.clip(u**3 / (KARMAN * buoyancy), MINIMUM_LENGTH, MAXIMUM_LENGTH)
            profile = log_z - stability_correction(wind_height, ell) + stability_correction(z0, ell)
            u = 0.35 * u + 0.65 * KARMAN * gusty / profile
        stress_velocity[up] = u
        length[up] = -(u**3) / (KARMAN * buoyancy)
        convective[up] = w
    sign = np.where(up, -1.0, 1.0)
    return stress_velocity, sign * np.clip(np.abs(length), MINIMUM_LENGTH, MAXIMUM_LENGTH), convective


_GOLDER = {  # 1/L = a + b log10 z0 at the middle of each class
    "A": (-0.096, 0.029),
    "B": (-0.037, 0.029),
    "C": (-0.002, 0.018),
    "D": (0.0, 0.0),
    "E": (0.004, -0.018),
    "F": (0.035, -0.036),
}


def stability_class(obukhov_length: ArrayLike, roughness: ArrayLike) -> NDArray[np.str_]:
    """Return the Pasquill class "A".."F" from Obukhov length [m] and roughness length [m].

    Golder (1972, fig. 4) in the linear form 1/L = a + b log10 z0 of Seinfeld & Pandis (2006, table 16.2); a
    value belongs to the class whose line is nearest. The lines cross for very rough ground, hence z0 is taken
    within the figure's 0.001 to 0.5 m.
    """
    inverse, log_z0 = np.broadcast_arrays(
        1 / np.asarray(obukhov_length, float), np.log10(np.clip(roughness, 0.001, 0.5))
    )
    lines = np.stack([a + b * log_z0 for a, b in _GOLDER.values()])
    return np.array(list(_GOLDER))[np.argmin(np.abs(lines - inverse), axis=0)]
