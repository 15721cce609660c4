"""Plume rise, stack-tip downwash and penetration of an elevated inversion.

Plain NumPy on broadcasting arrays. Sources: Briggs 1969, 1971, 1975 as collected in the ISC3 guide
(EPA-454/B-95-003b, vol. II, section 1.1.4); Berkowicz et al. 1986 and Manins 1979 for penetration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from airsim.plume.boundary_layer import GRAVITY, SMALLEST_FRICTION_VELOCITY, temperature_gradient

Array = npt.NDArray[np.float64]

# No rise formula is meant for less wind: Briggs 1969 gives the calm rise below.
SMALLEST_WIND = 0.5  # [m s-1]
# Potential-temperature gradient of the inversion above a convective layer when none is measured: an
# assumption in the middle of the 0.005 to 0.02 K m-1 that soundings show.
INVERSION_GRADIENT = 0.01  # [K m-1]


@dataclass(frozen=True)
class Rise:
    """How a plume rises.

    Parameters
    ----------
    release_height : ndarray
        Stack height after stack-tip downwash [m].
    final : ndarray
        Final rise of the part that stays under the lid, or of the whole plume if there is none [m].
    momentum, buoyancy : ndarray
        Factors of the gradual rise (momentum x + buoyancy x^2)^(1/3): [m2] and [m].
    penetrated : ndarray
        Fraction of the plume that ends above the lid [1].
    penetrated_height : ndarray
        Height above ground of that part [m].
    """

    release_height: Array
    final: Array
    momentum: Array
    buoyancy: Array
    penetrated: Array
    penetrated_height: Array


def buoyancy_flux(
    diameter: npt.ArrayLike,
    exit_velocity: npt.ArrayLike,
    exit_temperature: npt.ArrayLike,
    air_temperature: npt.ArrayLike,
) -> Array:
    """Buoyancy flux F_b = g v_s d^2/4 (T_s - T_a)/T_s [m4 s-3], never negative (Briggs 1975; ISC3 eq. 1-9).

    Parameters
    ----------
    diameter : array_like
        [m].
    exit_velocity : array_like
        [m s-1].
    exit_temperature, air_temperature : array_like
        [K].

    Returns
    -------
    ndarray
        [m4 s-3].

    Examples
    --------
    >>> round(float(buoyancy_flux(2.0, 10.0, 400.0, 300.0)), 4)  # 9.80665 * 10 * 4/4 * 100/400
    24.5166
    """
    warm = np.maximum(1.0 - np.asarray(air_temperature) / np.asarray(exit_temperature), 0.0)
    result: Array = GRAVITY * np.asarray(exit_velocity) * np.square(diameter) / 4.0 * warm
    return result


def momentum_flux(
    diameter: npt.ArrayLike,
    exit_velocity: npt.ArrayLike,
    exit_temperature: npt.ArrayLike,
    air_temperature: npt.ArrayLike,
) -> Array:
    """Momentum flux F_m = v_s^2 d^2/4 T_a/T_s [m4 s-2] (Briggs 1975; ISC3 eq. 1-10).

    Parameters
    ----------
    diameter : array_like
        [m].
    exit_velocity : array_like
        [m s-1].
    exit_temperature, air_temperature : array_like
        [K].

    Returns
    -------
    ndarray
        [m4 s-2].

    Examples
    --------
    >>> float(momentum_flux(2.0, 10.0, 400.0, 300.0))  # 10^2 * 4/4 * 300/400
    75.0
    """
    ratio = np.asarray(air_temperature) / np.asarray(exit_temperature)
    result: Array = np.square(exit_velocity) * np.square(diameter) / 4.0 * ratio
    return result


def tip_downwash(
    height: npt.ArrayLike, diameter: npt.ArrayLike, exit_velocity: npt.ArrayLike, wind_speed: npt.ArrayLike
) -> Array:
    """Stack height after stack-tip downwash (Briggs 1974; ISC3 eq. 1-7).

    Parameters
    ----------
    height, diameter : array_like
        [m].
    exit_velocity, wind_speed : array_like
        Of the gas and of the wind at stack top [m s-1].

    Returns
    -------
    ndarray
        h - 2 d (1.5 - v_s/u) where v_s < 1.5 u, at least 0 [m]; a release without diameter or exit velocity
        keeps its height.

    Examples
    --------
    >>> float(tip_downwash(100.0, 2.0, 5.0, 10.0))  # 100 - 2 * 2 * (1.5 - 5/10)
    96.0
    """
    vs = np.asarray(exit_velocity, dtype=float)
    d = np.where(vs > 0.0, diameter, 0.0)
    lowered = 2.0 * d * np.maximum(1.5 - vs / np.maximum(wind_speed, SMALLEST_WIND), 0.0)
    return np.maximum(np.asarray(height) - lowered, 0.0)


def rise(
    height: npt.ArrayLike,
    diameter: npt.ArrayLike,
    exit_velocity: npt.ArrayLike,
    exit_temperature: npt.ArrayLike,
    air_temperature: npt.ArrayLike,
    wind_speed: npt.ArrayLike,
    gradient: npt.ArrayLike,
    mixing_height: npt.ArrayLike,
    friction_velocity: npt.ArrayLike | None = None,
    capped: npt.ArrayLike = True,
) -> Rise:
    """Rise of a plume, its gradual part and what penetrates the lid.

    Parameters
    ----------
    height, diameter : array_like
        Stack height above ground and inner diameter [m].
    exit_velocity : array_like
        [m s-1]; 0 = passive release.
    exit_temperature, air_temperature : array_like
        [K].
    wind_speed : array_like
        At stack top [m s-1].
    gradient : array_like
        Potential-temperature gradient at the stack [K m-1]; 0 = neutral or unstable.
    mixing_height : array_like
        [m].
    friction_velocity : array_like, optional
        [m s-1]; with it the mechanical limit of a stable rise applies.
    capped : array_like of bool, optional
        Whether an inversion lies on the mixing height.

    Returns
    -------
    Rise
        Arrays of the broadcast shape.

    Notes
    -----
    Neutral and unstable: 21.425 F^(3/4)/u (F < 55) or 38.71 F^(3/5)/u
    (ISC3 eqs 1-11 to 1-16), or 3 d v_s/u from momentum if that is more. Stable: 2.6 [F/(u s)]^(1/3), in
    calm 4 F^(1/4) s^(-3/8), or 1.5 [F_m/(u s^(1/2))]^(1/3) from momentum, never more than the neutral rise
    (ISC3 eqs 1-17 to 1-22), and never more than 1.2 X^(3/5) (h + 1.2 X)^(2/5) with X = F/(u u*^2), where
    ambient turbulence breaks the plume up (Briggs 1975; AERMOD formulation, EPA-454/R-03-004, eq. 98).
    Gradual: [3 F_m x/(beta_j^2 u^2) + 3 F x^2/(2 0.6^2 u^3)]^(1/3), beta_j = 1/3 + u/v_s (ISC3 eqs 1-23
    to 1-26). Penetration (Berkowicz et al. 1986; Cimorelli et al. 2005, section 5d): with
    H = z_i - h and D = [2.6^3 F/(u N^2 H^3) + (2/3)^3]^(1/3) H, all stays inside if H/D > 1.5, all leaves if
    H/D < 0.5, linear between; the part inside rises to at most (0.62 + 0.38 p) H, p the penetrated fraction
    (Manins 1979).

    Examples
    --------
    >>> plume = rise(100.0, 2.0, 10.0, 400.0, 300.0, 5.0, 0.0, 2000.0, capped=False)
    >>> round(float(plume.final), 2)  # 21.425 * 24.5166^(3/4) / 5
    47.21
    """
    d = np.asarray(diameter, dtype=float)
    vs = np.where(d > 0.0, exit_velocity, 0.0)
    u = np.maximum(wind_speed, SMALLEST_WIND)
    flux = buoyancy_flux(d, vs, exit_temperature, air_temperature)
    jet = momentum_flux(d, vs, exit_temperature, air_temperature)
    lowered = tip_downwash(height, d, vs, wind_speed)

    neutral = np.where(flux < 55.0, 21.425 * flux**0.75, 38.71 * flux**0.6) / u
    neutral_jet = 3.0 * d * vs / u
    final = np.maximum(neutral, neutral_jet)

    slope = np.asarray(gradient, dtype=float)
    s = GRAVITY * np.maximum(slope, 1.0e-9) / np.asarray(air_temperature)
    stable = np.maximum(
        np.minimum(2.6 * np.cbrt(flux / (u * s)), 4.0 * flux**0.25 * s**-0.375),
        1.5 * np.cbrt(jet / (u * np.sqrt(s))),
    )
    if friction_velocity is not None:
        friction = np.maximum(friction_velocity, SMALLEST_FRICTION_VELOCITY)
        length = flux / (u * friction**2)
        broken = 1.2 * length**0.6 * (lowered + 1.2 * length) ** 0.4
        stable = np.where(flux > 0.0, np.minimum(stable, np.maximum(broken, neutral_jet)), stable)
    final = np.where(slope > 0.0, np.minimum(final, stable), final)

    room = np.asarray(mixing_height) - lowered
    inside = room > 0.0
    room = np.maximum(room, 1.0)
    n2 = GRAVITY * INVERSION_GRADIENT / np.asarray(air_temperature)
    equilibrium = np.cbrt(2.6**3 * flux / (u * n2 * room**3) + (2.0 / 3.0) ** 3)
    fraction = np.where(inside, np.clip(1.5 - 1.0 / equilibrium, 0.0, 1.0), 1.0)
    fraction = np.where(np.asarray(capped, dtype=bool) & (fraction > 1.0e-6), fraction, 0.0)
    above = lowered + np.where(inside, np.maximum(np.minimum(final, equilibrium * room), room), final)
    trapped = np.where(fraction > 0.0, np.minimum(final, (0.62 + 0.38 * fraction) * room), final)
    trapped = np.where(np.asarray(capped, dtype=bool) & inside, np.minimum(trapped, room), trapped)

    beta = 1.0 / 3.0 + u / np.maximum(vs, 1.0e-3)
    parts = (lowered, trapped, 3.0 * jet / (beta * u) ** 2, 1.5 * flux / (0.36 * u**3), fraction, above)
    return Rise(*(np.asarray(a) for a in np.broadcast_arrays(*parts)))


def distance_to(rise_: npt.ArrayLike, momentum: npt.ArrayLike, buoyancy: npt.ArrayLike) -> Array:
    """Downwind distance at which the gradual rise (momentum x + buoyancy x^2)^(1/3) reaches a height.

    Parameters
    ----------
    rise_ : array_like
        [m].
    momentum, buoyancy : array_like
        [m2] and [m], as in `Rise`.

    Returns
    -------
    ndarray
        [m]; 0 where nothing rises.

    Examples
    --------
    >>> round(float(distance_to(100.0, 0.0, 1.0)), 6)  # x^2 = 100^3
    1000.0
    """
    j, b = np.asarray(momentum, dtype=float), np.asarray(buoyancy, dtype=float)
    cube = np.asarray(rise_, dtype=float) ** 3
    # the root of b x^2 + j x - cube in the form that holds for b = 0 too
    return np.where(cube > 0.0, 2.0 * cube / np.maximum(j + np.sqrt(j * j + 4.0 * b * cube), 1.0e-30), 0.0)


def final_rise(
    height: npt.ArrayLike,
    diameter: npt.ArrayLike,
    exit_velocity: npt.ArrayLike,
    exit_temperature: npt.ArrayLike,
    air_temperature: npt.ArrayLike,
    wind_speed: npt.ArrayLike,
    friction_velocity: npt.ArrayLike,
    obukhov_length: npt.ArrayLike,
    mixing_height: npt.ArrayLike,
) -> Array:
    """Return the final rise over the stack top, for choosing model levels.

    Parameters
    ----------
    height, diameter : array_like
        Stack height above ground and inner diameter [m].
    exit_velocity : array_like
        [m s-1].
    exit_temperature, air_temperature : array_like
        [K].
    wind_speed : array_like
        At stack top [m s-1].
    friction_velocity : array_like
        [m s-1].
    obukhov_length, mixing_height : array_like
        [m].

    Returns
    -------
    ndarray
        [m], of the broadcast shape; the mean over the part below and the part above the lid.

    Notes
    -----
    As `rise`; stable where L > 0, with the gradient of `boundary_layer.temperature_gradient`.
    """
    result: Array = effective_height(
        height,
        diameter,
        exit_velocity,
        exit_temperature,
        air_temperature,
        wind_speed,
        friction_velocity,
        obukhov_length,
        mixing_height,
    ) - np.asarray(height, dtype=float)
    return result


def effective_height(
    height: npt.ArrayLike,
    diameter: npt.ArrayLike,
    exit_velocity: npt.ArrayLike,
    exit_temperature: npt.ArrayLike,
    air_temperature: npt.ArrayLike,
    wind_speed: npt.ArrayLike,
    friction_velocity: npt.ArrayLike,
    obukhov_length: npt.ArrayLike,
    mixing_height: npt.ArrayLike,
) -> Array:
    """Effective release height: stack height, less downwash, plus final rise.

    Parameters
    ----------
    height, diameter : array_like
        Stack height above ground and inner diameter [m].
    exit_velocity : array_like
        [m s-1].
    exit_temperature, air_temperature : array_like
        [K].
    wind_speed : array_like
        At stack top [m s-1].
    friction_velocity : array_like
        [m s-1].
    obukhov_length, mixing_height : array_like
        [m].

    Returns
    -------
    ndarray
        [m above ground], of the broadcast shape; the mean over the part below and the part above the lid.
    """
    length = np.asarray(obukhov_length, dtype=float)
    stable = length > 0.0
    gradient = np.where(
        stable,
        temperature_gradient(height, friction_velocity, length, mixing_height, air_temperature),
        0.0,
    )
    r = rise(
        height,
        diameter,
        exit_velocity,
        exit_temperature,
        air_temperature,
        wind_speed,
        gradient,
        mixing_height,
        friction_velocity,
        capped=~stable,
    )
    return (1.0 - r.penetrated) * (r.release_height + r.final) + r.penetrated * r.penetrated_height
