"""The surface energy budget and the surface layer, from routine weather.

Everything works on arrays that broadcast against each other and never divides by a wind that can be zero.
"""

from __future__ import annotations

from typing import Any

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
MINIMUM_MIXING_HEIGHT = 40.0
"""Least mixing height [m]: roofs and stacks stir at least this much."""
ENTRAINMENT = 0.2
"""Downward heat flux at the top of the convective layer over that at the ground [1] (Tennekes 1973)."""
MORNING_GRADIENT = 0.005
"""Gradient of potential temperature [K m-1] where no profile is known: N = 0.013 s-1, an estimate for the
basin's winter nights."""


def sine_of_solar_elevation(time: NDArray[Any], longitude: ArrayLike, latitude: ArrayLike) -> Floats:
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
    result: Floats = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(angle)
    return result


def shortwave(sine_elevation: ArrayLike, cloud: ArrayLike) -> Floats:
    """Return the downward shortwave flux at the ground [W m-2].

    Holtslag & van Ulden (1983): clear sky 990 sin(elevation) - 30, reduced by 1 - 0.75 N^3.4 under cloud N
    (the latter after Kasten & Czeplak 1980).

    Examples
    --------
    >>> shortwave(1.0, [0.0, 1.0]).tolist()  # 990 - 30, and a quarter of it
    [960.0, 240.0]
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
    result: Floats = (gain + 5.31e-13 * t**6 - STEFAN_BOLTZMANN * t**4) / 1.12
    return result


def sensible_heat_flux(net: ArrayLike, temperature: ArrayLike, moisture: float = 0.5) -> Floats:
    """Return the upward sensible heat flux [W m-2] from net radiation [W m-2] and air temperature [K].

    Holtslag & van Ulden (1983), their modified Priestley-Taylor form, with a tenth of the net radiation
    going into the ground and beta' = 20 W m-2; `moisture` is their alpha (1 wet grass, 0.5 winter fields by
    estimate).
    """
    celsius = np.asarray(temperature, float) - 273.15
    # slope of the saturation vapour pressure by Magnus's formula [Pa K-1]
    slope = saturation_pressure(temperature) * 17.62 * 243.12 / (243.12 + celsius) ** 2
    psychrometer = HEAT_CAPACITY * PRESSURE / (0.622 * 2.5e6)
    ratio = psychrometer / slope
    result: Floats = ((1 - moisture) + ratio) / (1 + ratio) * 0.9 * np.asarray(net) - 20.0
    return result


def stability_correction(height: ArrayLike, obukhov_length: ArrayLike) -> Floats:
    """Return psi_m [1], the integrated stability correction of the wind profile.

    Unstable: Paulson (1970) with the Dyer (1974) gradient, x = (1 - 16 z/L)^(1/4). Stable: van Ulden &
    Holtslag (1985), -17 (1 - exp(-0.29 z/L)), which stays finite far above L.

    Examples
    --------
    >>> round(float(stability_correction(10.0, 10.0)), 4)  # -17 * (1 - exp(-0.29))
    -4.2795
    """
    zeta = np.asarray(height, float) / np.asarray(obukhov_length, float)
    square = np.sqrt(1 - 16 * np.minimum(zeta, 0))
    x = np.sqrt(square)
    unstable = np.log((1 + x) ** 2 * (1 + square) / 8) - 2 * np.arctan(x) + np.pi / 2
    result: Floats = np.where(zeta > 0, -17 * (1 - np.exp(-0.29 * np.maximum(zeta, 0))), unstable)
    return result


def wind_ratio(height: ArrayLike, reference: ArrayLike, roughness: ArrayLike, obukhov_length: ArrayLike) -> Floats:
    """Return the wind speed at a height as a share of that at the reference height [1], by similarity.

    Heights [m] are above the zero-plane; the profile is ln(z/z0) - psi_m(z/L) + psi_m(z0/L).

    Examples
    --------
    >>> round(float(wind_ratio(100.0, 10.0, 0.1, 1e9)), 4)  # ln(1000) / ln(100)
    1.5
    """
    z0, length = np.asarray(roughness, float), np.asarray(obukhov_length, float)
    ground = stability_correction(z0, length)
    upper = np.log(np.asarray(height) / z0) - stability_correction(height, length) + ground
    lower = np.log(np.asarray(reference) / z0) - stability_correction(reference, length) + ground
    result: Floats = upper / lower
    return result


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


def density(temperature: ArrayLike, pressure: ArrayLike = PRESSURE) -> Floats:
    """Return the density of dry air [kg m-3] at a temperature [K] and pressure [Pa].

    Examples
    --------
    >>> round(float(density(273.15, 101325.0)), 4)
    1.2923
    """
    return np.asarray(pressure, float) / (GAS_CONSTANT * np.asarray(temperature, float))


def obukhov_length(
    friction_velocity: ArrayLike, temperature: ArrayLike, heat_flux: ArrayLike, pressure: ArrayLike = PRESSURE
) -> Floats:
    """Return the Obukhov length [m] of a stress and a heat flux, -T u*^3 / (k g w'theta') (Obukhov 1946).

    Parameters
    ----------
    friction_velocity : array_like
        [m s-1]
    temperature : array_like
        [K]
    heat_flux : array_like
        Upward sensible heat flux [W m-2].
    pressure : array_like
        [Pa]

    Returns
    -------
    ndarray
        Signed, between 1 and 1e5 m in size; no heat flux is the stable end of neutral.

    Examples
    --------
    >>> rho_cp = density(300.0) * HEAT_CAPACITY
    >>> round(float(obukhov_length(0.3, 300.0, 0.1 * rho_cp)), 2)  # -300 * 0.027 / (0.4 * 9.80665 * 0.1)
    -20.65
    """
    t = np.asarray(temperature, float)
    kinematic = np.asarray(heat_flux, float) / (density(t, pressure) * HEAT_CAPACITY)
    over = -KARMAN * GRAVITY * kinematic / t  # u*^3 / L
    cubed = np.maximum(np.asarray(friction_velocity, float), 1e-3) ** 3
    size = np.clip(cubed / np.maximum(np.abs(over), 1e-30), MINIMUM_LENGTH, MAXIMUM_LENGTH)
    result: Floats = np.where(over < 0, -size, size)
    return result


def limit_length(obukhov_length: ArrayLike) -> Floats:
    """Return an Obukhov length [m] kept within 1 and 1e5 m in size, its sign kept."""
    length = np.asarray(obukhov_length, float)
    size = np.clip(np.abs(length), MINIMUM_LENGTH, MAXIMUM_LENGTH)
    result: Floats = np.where(length < 0, -size, size)
    return result


def convective_velocity(
    heat_flux: ArrayLike, temperature: ArrayLike, mixing_height: ArrayLike, pressure: ArrayLike = PRESSURE
) -> Floats:
    """Return w* = (g/T w'theta' h)^(1/3) [m s-1], zero where the heat flux is not upward (Deardorff 1970).

    Parameters
    ----------
    heat_flux : array_like
        Upward sensible heat flux [W m-2].
    temperature : array_like
        [K]
    mixing_height : array_like
        [m]
    pressure : array_like
        [Pa]

    Examples
    --------
    >>> rho_cp = density(300.0) * HEAT_CAPACITY
    >>> round(float(convective_velocity(0.1 * rho_cp, 300.0, 1000.0)), 3)  # (9.80665/300 * 0.1 * 1000)^(1/3)
    1.484
    """
    t = np.asarray(temperature, float)
    kinematic = np.maximum(np.asarray(heat_flux, float), 0) / (density(t, pressure) * HEAT_CAPACITY)
    result: Floats = np.cbrt(GRAVITY / t * kinematic * np.asarray(mixing_height, float))
    return result


def stable_heat_flux(
    friction_velocity: ArrayLike, temperature: ArrayLike, cloud: ArrayLike, pressure: ArrayLike = PRESSURE
) -> Floats:
    """Return the upward heat flux of a night, -rho cp u* theta* [W m-2], theta* = 0.09 (1 - 0.5 N^2) K.

    The temperature scale is that of Holtslag & van Ulden (1983) in the form of van Ulden & Holtslag (1985), with
    cloud cover N [1]; friction velocity [m s-1], temperature [K], pressure [Pa].
    """
    scale = 0.09 * (1 - 0.5 * np.asarray(cloud, float) ** 2)
    result: Floats = -density(temperature, pressure) * HEAT_CAPACITY * np.asarray(friction_velocity, float) * scale
    return result


def stable_mixing_height(friction_velocity: ArrayLike, obukhov_length: ArrayLike, latitude: ArrayLike) -> Floats:
    """Return the depth of the stable or neutral boundary layer [m].

    h = L/3.8 [-1 + (1 + 2.28 u*/(f L))^(1/2)] (Nieuwstadt 1981), which is 0.4 (u* L / f)^(1/2) of Zilitinkevich
    (1972) in strong stability and 0.3 u*/f near neutral.

    Parameters
    ----------
    friction_velocity : array_like
        [m s-1]
    obukhov_length : array_like
        [m]; its size is taken.
    latitude : array_like
        [deg]; within 10 degrees of the equator that of 10 degrees counts, for f vanishes there.
    """
    u, length = np.asarray(friction_velocity, float), np.abs(np.asarray(obukhov_length, float))
    coriolis = 2 * 7.2921e-5 * np.sin(np.radians(np.maximum(np.abs(latitude), 10.0)))
    # the difference of two large numbers near neutral is taken by its conjugate
    excess = 2.28 * u / (coriolis * length)
    result: Floats = length / 3.8 * excess / (1 + np.sqrt(1 + excess))
    return result


def encroachment(
    heat_flux: Floats,
    temperature: Floats,
    morning_height: Floats,
    *,
    pressure: ArrayLike = PRESSURE,
    height: Floats | None = None,
    potential_temperature: Floats | None = None,
    step: float = 3600.0,
) -> Floats:
    """Return the convective mixing height [m] that the heat of the day so far has dug into the morning air.

    Encroachment with entrainment (Carson 1973; Tennekes 1973): each hour's warming (1 + 2A) w'theta' dt fills the
    wedge between the mixed layer's potential temperature and the morning profile, so that h dh dtheta/dz =
    (1 + 2A) w'theta' dt. In a profile of straight pieces h is found exactly, h^2 = z^2 + 2 I / gamma in each.
    Where no profile is given the gradient is 0.005 K m-1 throughout. The sum begins anew each time the heat flux
    turns upward; the morning profile is that of the hour before.

    Parameters
    ----------
    heat_flux : (time, ...) ndarray
        Upward sensible heat flux, mean of each hour [W m-2].
    temperature : (time, ...) ndarray
        [K]
    morning_height : (time, ...) ndarray
        Depth of the layer that is mixed already when the heating sets in [m].
    pressure : array_like
        [Pa]
    height : (level,) ndarray, optional
        Of the profile [m].
    potential_temperature : (time, level, ...) ndarray, optional
        [K]
    step : float
        [s]

    Returns
    -------
    (time, ...) ndarray
        In the middle of each hour; zero where the heat flux is not upward.
    """
    kinematic = np.maximum(heat_flux, 0) / (density(temperature, pressure) * HEAT_CAPACITY)
    gain = (1 + 2 * ENTRAINMENT) * kinematic * step
    cells = heat_flux.shape[1:]
    nodes = np.array([0.0]) if height is None else np.concatenate([[0.0], np.asarray(height, float)])
    gradient = np.full((len(nodes), *cells), MORNING_GRADIENT)
    result = np.zeros(heat_flux.shape)
    dug = np.zeros(cells)
    for hour in range(len(heat_flux)):
        up = heat_flux[hour] > 0
        begins = up & (heat_flux[hour - 1] <= 0) if hour else up
        before = max(hour - 1, 0)
        if potential_temperature is not None:
            slope = np.diff(potential_temperature[before], axis=0) / np.diff(nodes[1:]).reshape(-1, *[1] * len(cells))
            # below the lowest level and above the highest the nearest slope goes on; a mixed piece resists little
            morning = np.maximum(np.concatenate([slope[:1], slope, slope[-1:]]), 5e-4)
            gradient = np.where(begins, morning, gradient)
        pieces = gradient[:-1] * np.diff(nodes**2).reshape(-1, *[1] * len(cells)) / 2
        filled = np.concatenate([np.zeros((1, *cells)), np.cumsum(pieces, axis=0)])  # wedge below each node
        start = _piecewise(morning_height[before], nodes, gradient, filled)
        dug = np.where(begins, start, np.where(up, dug, 0.0))
        middle = dug + np.where(up, gain[hour] / 2, 0.0)
        dug = dug + np.where(up, gain[hour], 0.0)
        k = (filled <= middle).sum(axis=0) - 1
        at = np.take_along_axis(filled, k[None], axis=0)[0]
        slope_here = np.take_along_axis(gradient, k[None], axis=0)[0]
        result[hour] = np.where(up, np.sqrt(nodes[k] ** 2 + 2 * (middle - at) / slope_here), 0.0)
    return result


def _piecewise(height: Floats, nodes: Floats, gradient: Floats, filled: Floats) -> Floats:
    """Return the wedge below a height [K m], the inverse of what `encroachment` solves."""
    k = np.searchsorted(nodes, height, side="right") - 1
    at = np.take_along_axis(filled, k[None], axis=0)[0]
    result: Floats = at + np.take_along_axis(gradient, k[None], axis=0)[0] * (height**2 - nodes[k] ** 2) / 2
    return result


def cloud_from_shortwave(shortwave_down: ArrayLike, sine_elevation: ArrayLike) -> Floats:
    """Return cloud cover [1] from shortwave [W m-2]: the inverse of `shortwave`, not a number without sun.

    Below 10 degrees of elevation the ratio says little and nothing is returned.

    Examples
    --------
    >>> round(float(cloud_from_shortwave(shortwave(1.0, 0.5), 1.0)), 6)
    0.5
    """
    sine = np.asarray(sine_elevation, float)
    clear = np.maximum(990.0 * sine - 30.0, 1e-9)
    dimmed = np.clip((1 - np.asarray(shortwave_down, float) / clear) / 0.75, 0, 1)
    return np.where(sine > np.sin(np.radians(10.0)), dimmed ** (1 / 3.4), np.nan)


def relative_humidity(vapour_pressure: ArrayLike, temperature: ArrayLike) -> Floats:
    """Return relative humidity over water [1] from vapour pressure [Pa] and temperature [K].

    Saturation by Magnus's formula with the coefficients of Sonntag (1990).

    Examples
    --------
    >>> float(relative_humidity(305.6, 273.15))
    0.5
    """
    return np.asarray(vapour_pressure, float) / saturation_pressure(temperature)


def saturation_pressure(temperature: ArrayLike) -> Floats:
    """Return the saturation vapour pressure over water [Pa] at a temperature [K], Magnus after Sonntag (1990).

    Examples
    --------
    >>> float(saturation_pressure(273.15))
    611.2
    """
    celsius = np.asarray(temperature, float) - 273.15
    return 611.2 * np.exp(17.62 * celsius / (243.12 + celsius))


_TURNER_SPEED = np.array([0.75, 1.85, 2.85, 3.35, 3.85, 4.85, 5.45, 5.95])
"""Upper edges of the wind classes [m s-1], half-way between the tabled ones."""
_TURNER = np.array(  # wind class x net radiation index 4, 3, 2, 1, 0, -1, -2; 1 = A ... 7 = G
    [
        [1, 1, 2, 3, 4, 6, 7],
        [1, 2, 2, 3, 4, 6, 7],
        [1, 2, 3, 4, 4, 5, 6],
        [2, 2, 3, 4, 4, 5, 6],
        [2, 2, 3, 4, 4, 4, 5],
        [2, 3, 3, 4, 4, 4, 5],
        [3, 3, 4, 4, 4, 4, 5],
        [3, 3, 4, 4, 4, 4, 4],
        [3, 4, 4, 4, 4, 4, 4],
    ]
)


def turner_class(
    wind_speed: ArrayLike, sine_elevation: ArrayLike, cloud: ArrayLike, ceiling: ArrayLike = np.inf
) -> NDArray[np.str_]:
    """Return the Pasquill class "A".."F" by Turner (1964) from wind at 10 m, sun and cloud.

    As tabled in EPA-454/R-99-005 (2000), tables 6-4 to 6-6; its class G counts as F. Night lasts from an hour
    before sunset to an hour after sunrise, taken here as the sun below 10 degrees at most.

    Parameters
    ----------
    wind_speed : array_like
        At 10 m [m s-1].
    sine_elevation : array_like
        Sine of the sun's elevation [1].
    cloud : array_like
        Cloud cover [1].
    ceiling : array_like
        Height of the cloud base [m]; without it middle cloud is taken (2134 to 4877 m).

    Examples
    --------
    >>> turner_class(2.0, [0.9, -0.5], 0.0).tolist()  # a clear noon and a clear night with little wind
    ['A', 'F']
    """
    speed, sine, cloud, ceiling = np.broadcast_arrays(
        *(np.asarray(a, float) for a in (wind_speed, sine_elevation, cloud, ceiling))
    )
    ceiling = np.where(np.isinf(ceiling), 3000.0, ceiling)
    elevation = np.degrees(np.arcsin(np.clip(sine, -1, 1)))
    insolation = 1 + (elevation > 15) + (elevation > 35) + (elevation > 60)
    less = np.where(ceiling < 2134, 2, np.where(ceiling < 4877, 1, 0))
    less = np.where(cloud > 0.5, less + (cloud > 0.95), 0)  # an overcast takes one more off
    day = np.maximum(insolation - less, 1)
    index = np.where(elevation > 10, day, np.where(cloud <= 0.4, -2, -1))
    index = np.where((cloud > 0.95) & (ceiling < 2134), 0, index)
    row = np.searchsorted(_TURNER_SPEED, speed, side="right")
    result: NDArray[np.str_] = np.array(list("ABCDEFF"))[_TURNER[row, 4 - index] - 1]
    return result


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
    result: NDArray[np.str_] = np.array(list(_GOLDER))[np.argmin(np.abs(lines - inverse), axis=0)]
    return result
