"""From checked tables to the arrays the kernels take: what each plume is in each hour."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from airsim.plume import boundary_layer as layer
from airsim.plume import dispersion, kernels
from airsim.plume.rise import Rise, buoyancy_flux, distance_to, rise

Array = npt.NDArray[np.float64]

LOWEST_WIND = 2.0  # [m]: what is released lower travels with the wind there, or at the anemometer if that is lower
WIND_LEVELS = 49  # of the hour's wind table: 2^(i/4) m, up to 4096 m
# Between these speeds [m s-1, 10 m above ground] meandering sets in as the wind drops, with similarity (True: a light
# breeze of Beaufort 2 and less meanders fully, a gentle one of 5 m s-1 not at all) and with the schemes by class,
# whose sigma_y stem from experiments in more than about 1 m s-1 and contain their meander.
MEANDER = {True: (3.0, 5.0), False: (0.5, 1.0)}
# A share of the kinetic energy up to the first is within what sigma_y describes, from the second on it counts whole.
MEANDER_SHARE = (0.05, 0.15)


@dataclass(frozen=True)
class Sources:
    """Point sources as arrays of one length: see `api.concentration` for the meaning and the units."""

    x: Array
    y: Array
    ground: Array
    height: Array
    diameter: Array
    exit_velocity: Array
    exit_temperature: Array
    rate: Array
    sigma_y: Array
    sigma_z: Array
    deposition_velocity: Array
    washout: Array

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Weather:
    """Hourly weather as arrays of one length: see `api.concentration` for the meaning and the units."""

    wind_speed: Array
    wind_height: Array
    wind_from_direction: Array
    air_temperature: Array
    mixing_height: Array
    friction_velocity: Array
    obukhov_length: Array
    convective_velocity: Array
    roughness_length: Array
    stability_class: npt.NDArray[np.int64]
    precipitation: Array

    def __len__(self) -> int:
        return len(self.wind_speed)

    def part(self, chosen: slice) -> Weather:
        """Return some of the hours."""
        return Weather(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def plumes(sources: Sources, weather: Weather, scheme: str, half_life: float | None) -> tuple[Array, Array, Array]:
    """Describe every plume in every hour.

    Parameters
    ----------
    sources : Sources
        Point sources.
    weather : Weather
        Hours.
    scheme : str
        One of `dispersion.SCHEMES`.
    half_life : float or None
        Of the emitted matter in the air [s].

    Returns
    -------
    plume : ndarray
        (hour, source, field), fields as named in `kernels`; START and OCTAVES are left at 0.
    hour : ndarray
        (hour, field).
    winds : ndarray
        (hour, level) [m s-1] at 2^(i/4) m.

    Notes
    -----
    The fraction of the kinetic energy in the meandering part is 2 sigma_v^2/(u^2 + 2 sigma_v^2) (Cimorelli et
    al. 2005, section 4a). In light wind the plume travels with (u^2 + 2 sigma_v^2)^(1/2), so that no
    concentration is ever divided by a vanishing wind.
    """
    similarity = scheme == "similarity"

    def column(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values[:, None]

    u_ref, zi = column(weather.wind_speed), column(weather.mixing_height)
    z0, length = column(weather.roughness_length), column(weather.obukhov_length)
    friction, convective = column(weather.friction_velocity), column(weather.convective_velocity)
    temperature = column(weather.air_temperature)
    at_reference = u_ref / layer.wind_profile(column(weather.wind_height), z0, length, zi)

    def wind(height: npt.ArrayLike) -> Array:
        return np.asarray(at_reference * layer.wind_profile(height, z0, length, zi))

    full, none = MEANDER[similarity]
    light = np.clip((none - wind(10.0)) / (none - full), 0.0, 1.0)
    stability = weather.stability_class
    stable = length > 0.0
    if similarity:
        gradient = np.where(stable, layer.temperature_gradient(sources.height, friction, length, zi, temperature), 0.0)
        capped = ~stable
        path = np.where(stable, 0.35, 0.5)[:, 0]
    else:
        gradient = column(dispersion.CLASS_GRADIENT[stability])
        capped = np.asarray(stability < 4)[:, None]
        path = dispersion.PLUME_PATH[stability]

    def gusts(height: npt.ArrayLike) -> Array:
        result: Array = np.sqrt(2.0) * layer.lateral_turbulence(height, friction, convective, zi)
        return result

    def travel(height: npt.ArrayLike) -> Array:
        return np.maximum(np.maximum(wind(height), light * gusts(height)), 0.05)

    r = rise(
        sources.height,
        sources.diameter,
        sources.exit_velocity,
        sources.exit_temperature,
        temperature,
        travel(sources.height),
        gradient,
        zi,
        friction if similarity else None,
        capped,
    )
    effective = r.release_height + r.final
    # what a plume that reaches the ground goes through: the mean of a logarithmic profile up to h is that at h/e
    acting = np.maximum(
        effective / math.e if similarity else effective, np.minimum(LOWEST_WIND, column(weather.wind_height))
    )
    blowing, spread = wind(acting), gusts(acting)

    plume = np.zeros((len(weather), len(sources), kernels.PLUME_FIELDS))
    plume[..., kernels.HEIGHT] = r.release_height
    plume[..., kernels.RISE] = r.final
    plume[..., kernels.JET] = r.momentum
    plume[..., kernels.BUOYANCY] = r.buoyancy
    plume[..., kernels.SPEED] = np.maximum(np.maximum(blowing, light * spread), 0.05)
    plume[..., kernels.KEPT] = 1.0 - r.penetrated
    low, high = MEANDER_SHARE
    share = spread**2 / np.maximum(blowing, spread) ** 2
    plume[..., kernels.MEANDER] = light * np.clip((share - low) / (high - low), 0.0, 1.0)
    # A calm has no direction; in every other hour a twentieth of the plume goes with the wind.
    plume[..., kernels.MOST] = np.where(u_ref > 0.0, 0.95, 1.0)
    with np.errstate(divide="ignore"):
        plume[..., kernels.LN_RATE] = np.where(sources.rate > 0.0, np.log(1.0e6 * sources.rate), kernels.FAR_BELOW)
    loss = 0.0 if half_life is None else np.log(2.0) / half_life
    plume[..., kernels.LOSS] = loss + column(weather.precipitation) * sources.washout
    plume[..., kernels.DEPOSITION] = sources.deposition_velocity
    plume[..., kernels.SIGMA_Y0] = sources.sigma_y
    plume[..., kernels.SIGMA_Z0] = sources.sigma_z
    plume[..., kernels.SIGMA_V] = spread / np.sqrt(2.0)
    plume[..., kernels.SLOWEST] = light * spread
    # A stable layer reflects at its top what lies inside it; above it nothing does.
    plume[..., kernels.LID] = np.where(capped | (similarity & (effective < zi)), zi, kernels.NO_LID)
    if similarity:
        _similarity_fields(plume, r, sources, weather, wind(zi), travel)

    plume[..., kernels.RISE_DISTANCE] = distance_to(plume[..., kernels.RISE], r.momentum, r.buoyancy)

    hour = np.zeros((len(weather), kernels.HOUR_FIELDS))
    direction = np.radians(weather.wind_from_direction)
    hour[:, kernels.SIN] = np.sin(direction)
    hour[:, kernels.COS] = np.cos(direction)
    hour[:, kernels.OBUKHOV] = weather.obukhov_length
    hour[:, kernels.FRICTION] = weather.friction_velocity
    hour[:, kernels.CLASS] = stability
    mechanical = np.minimum(weather.mixing_height, layer.mechanical_mixing_height(weather.friction_velocity))
    hour[:, kernels.SIGMA_Y_DEPTH] = np.where(
        weather.obukhov_length > 0.0, np.maximum(mechanical, 10.0), weather.mixing_height
    )
    hour[:, kernels.DEPTH] = weather.mixing_height
    hour[:, kernels.PATH] = path
    return plume, hour, wind(2.0 ** (np.arange(WIND_LEVELS) / 4.0))


def _similarity_fields(
    plume: Array,
    rising: Rise,
    sources: Sources,
    weather: Weather,
    wind_at_top: Array,
    travel: Callable[[npt.ArrayLike], Array],
) -> None:
    """Fill the fields that only the similarity scheme uses.

    A release above 0.1 z_i is elevated, one at the ground near-surface, in between the two are mixed linearly.
    Convective: two Gaussians for updraughts and downdraughts (Weil et al. 1997; Cimorelli et al. 2005, section
    5c) with skewness S = 0.125 (w*/sigma_w)^3 and R = sigma_wj/w_j = 2, in which a buoyant plume rises on
    until it reaches the lid and lofts there by [2 F_b z_i/(1.4 u r_y r_z)]^(1/2) x/u with
    r_y r_z = [0.4 (z_i - h)]^2 + 0.1 2.3^(3/2)/4 (w* x/u)^2.
    """
    zi = weather.mixing_height[:, None]
    friction, convective = weather.friction_velocity[:, None], weather.convective_velocity[:, None]
    temperature, length = weather.air_temperature[:, None], weather.obukhov_length[:, None]
    stable = length > 0.0
    effective = rising.release_height + rising.final
    above = rising.penetrated_height
    acting = 0.5 * effective

    def sigma_w(height: Array, w: Array) -> Array:
        return layer.vertical_turbulence(height, friction, w, zi, wind_at_top)

    plume[..., kernels.SIGMA_W] = sigma_w(acting, convective)
    plume[..., kernels.ABOVE] = above
    plume[..., kernels.SPEED_ABOVE] = travel(above)
    plume[..., kernels.SIGMA_W_ABOVE] = sigma_w(above, convective)
    gradient = layer.temperature_gradient(effective, friction, length, zi, temperature)
    plume[..., kernels.STABILITY] = np.where(stable, np.sqrt(layer.GRAVITY * gradient / temperature), 0.0)
    lift = np.minimum(effective / (0.1 * zi), 1.0)
    plume[..., kernels.ELEVATED] = lift

    w = np.maximum(convective, 0.01)
    ratio = sigma_w(np.minimum(acting, zi), w) / w
    skewness = 0.125 * lift / ratio**3
    alpha, beta, widening = 5.0 / 13.0, 5.0, 2.0  # (1 + R^2)/(1 + 3 R^2), 1 + R^2, R
    root = np.sqrt((alpha * skewness) ** 2 + 4.0 / beta)
    up = 0.5 * ratio * (alpha * skewness + root)
    down = 0.5 * ratio * (alpha * skewness - root)
    near_ground = 0.6 + 0.4 * lift
    plume[..., kernels.SHARE_UP] = down / (down - up)
    plume[..., kernels.UP] = up * w
    plume[..., kernels.DOWN] = down * w
    plume[..., kernels.SPREAD_UP] = near_ground * widening * up * w
    plume[..., kernels.SPREAD_DOWN] = -near_ground * widening * down * w

    flux = buoyancy_flux(sources.diameter, sources.exit_velocity, sources.exit_temperature, temperature)
    room = np.maximum(zi - rising.release_height, 1.0)
    plume[..., kernels.LOFT] = 2.0 * flux * zi / (1.4 * plume[..., kernels.SPEED])
    plume[..., kernels.LOFT_NEAR] = (0.4 * room) ** 2
    plume[..., kernels.LOFT_FAR] = 0.25 * 0.1 * 2.3**1.5 * w**2
    # no final rise in a convective layer short of the lid
    endless = ~stable & (rising.buoyancy > 0.0) & (rising.penetrated < 1.0)
    plume[..., kernels.RISE] = np.where(endless, room, rising.final)
