"""Loss to the ground: dry deposition by resistances, washout by rain and snow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from airsim.region.coefficients import Coefficients, GasShare
from airsim.region.diffusion import VON_KARMAN
from airsim.region.tracers import TRACERS

Field = NDArray[np.float64]

GRAVITY = 9.80665
BOLTZMANN = 1.380649e-23
GASES = {"so2": "so2", "nox": "nox", "voc": "voc", "nitrate": "nitric_acid", "ammonia": "ammonia"}
FREEZING = 273.15


def aerodynamic_resistance(height: float, roughness: Field, friction_velocity: Field, obukhov_length: Field) -> Field:
    """Return r_a between `height` and the surface [s m-1].

    (ln(z/z0) - psi_h(z/L) + psi_h(z0/L)) / (k u*) with psi_h of Dyer (1974), stable side held at z/L = 1
    (Wesely & Hicks 1977; Seinfeld & Pandis 2016, eq. 19.14).

    Parameters
    ----------
    height : float
        Reference height [m].
    roughness, friction_velocity, obukhov_length : (y, x)
        z0 [m], u* [m s-1], L [m].

    Examples
    --------
    >>> neutral = np.array([1e9])
    >>> r = aerodynamic_resistance(10.0, np.array([0.1]), np.array([0.5]), neutral)
    >>> round(float(r[0]), 2)  # ln(100) / (0.4 * 0.5)
    23.03
    """
    z0 = np.minimum(roughness, 0.5 * height)

    def psi(z: Field | float) -> Field:
        ratio = z / obukhov_length
        lively = 2.0 * np.log(0.5 * (1.0 + np.sqrt(1.0 - 16.0 * np.minimum(ratio, 0.0))))
        return np.where(ratio > 0.0, -5.0 * np.minimum(ratio, 1.0), lively)

    profile = np.log(height / z0) - psi(height) + psi(z0)
    return np.maximum(profile, 1.0) / (VON_KARMAN * friction_velocity)


def particle_velocity(
    diameter: float,
    density: float,
    aerodynamic: Field,
    friction_velocity: Field,
    temperature: Field,
    coefficients: Coefficients,
) -> Field:
    """Return the deposition velocity of particles [m s-1].

    v_g + 1/(r_a + r_s), r_s = 1/(epsilon_0 u* (E_B + E_IM + E_IN) R_1) (Zhang et al. 2001, eqs 1-9,
    doi:10.1016/S1352-2310(00)00326-5): Brownian
    collection Sc^-gamma, impaction (St/(alpha + St))^2 with St = v_g u* / (g A), interception (d/A)^2 / 2,
    rebound R_1 = exp(-sqrt St). Settling is counted at the ground only.

    Parameters
    ----------
    diameter : float
        [um].
    density : float
        [kg m-3].
    aerodynamic, friction_velocity, temperature : (y, x)
        r_a [s m-1], u* [m s-1], air temperature [K].
    """
    c = coefficients.deposition.collection
    d = diameter * 1e-6
    viscosity = 1.458e-6 * temperature**1.5 / (temperature + 110.4)  # Sutherland [kg m-1 s-1]
    kinematic = viscosity / (101325.0 / (287.05 * temperature))
    free_path = 6.6e-8 * temperature / 293.15
    slip = 1.0 + 2.0 * free_path / d * (1.257 + 0.4 * np.exp(-0.55 * d / free_path))
    settling = density * d**2 * GRAVITY * slip / (18.0 * viscosity)
    diffusivity = BOLTZMANN * temperature * slip / (3.0 * np.pi * viscosity * d)
    brownian = (kinematic / diffusivity) ** -c.gamma
    stokes = settling * friction_velocity / (GRAVITY * c.radius)
    impaction = (stokes / (c.alpha + stokes)) ** 2
    interception = 0.5 * (d / c.radius) ** 2
    collected = c.correction * friction_velocity * (brownian + impaction + interception) * np.exp(-np.sqrt(stokes))
    return settling + 1.0 / (aerodynamic + 1.0 / collected)


def gas_share(temperature: Field, share: GasShare) -> dict[str, Field]:
    """Return the gas part of total nitrate and total ammonia assumed for deposition and washout [1], (y, x)."""
    warmth = np.clip((temperature - share.cold) / (share.warm - share.cold), 0.0, 1.0)
    return {
        "nitrate": share.nitrate_cold + (share.nitrate_warm - share.nitrate_cold) * warmth,
        "ammonia": share.ammonia_cold + (share.ammonia_warm - share.ammonia_cold) * warmth,
    }


def dry_velocity(
    height: float,
    roughness: Field,
    friction_velocity: Field,
    obukhov_length: Field,
    temperature: Field,
    coefficients: Coefficients,
) -> Field:
    """Return the deposition velocity of every tracer, (tracer, y, x) [m s-1]; zero for a tracer without an entry.

    Gases: 1/(r_a + r_b + r_c), r_b = 2/(k u*) (Sc/Pr)^(2/3) with (Sc/Pr)^(2/3) = 1.3 as for SO2 (Wesely & Hicks
    1977), r_c from the coefficients (Wesely 1989). Particles: `particle_velocity`. Total nitrate and ammonia: the
    mean of both, weighted by `gas_share`.
    """
    u = np.maximum(friction_velocity, 0.01)
    ra = aerodynamic_resistance(height, roughness, u, obukhov_length)
    rb = 2.0 * 1.3 / (VON_KARMAN * u)
    shares = gas_share(temperature, coefficients.gas_share)
    table = coefficients.deposition
    velocity = np.zeros((len(TRACERS), *np.shape(u)))
    for t, tracer in enumerate(TRACERS):
        resistance = table.surface_resistance.get(GASES.get(tracer, ""))
        gas = 0.0 if resistance is None else 1.0 / (ra + rb + resistance)
        particle: Field | float = 0.0
        if tracer in table.diameter:
            particle = particle_velocity(
                table.diameter[tracer], table.density[tracer], ra, u, temperature, coefficients
            )
        if tracer in shares:
            velocity[t] = shares[tracer] * gas + (1.0 - shares[tracer]) * particle
        else:
            velocity[t] = gas + particle  # one of them is zero
    return velocity


def washout_rate(precipitation: Field, temperature: Field, coefficients: Coefficients) -> Field:
    """Return the rate at which precipitation removes every tracer, (tracer, y, x) [s-1].

    Proportional to the precipitation rate, one coefficient for rain and one for snow (below freezing); CALPUFF
    user guide, section 2.9 (after Maul 1980).

    Parameters
    ----------
    precipitation : (y, x)
        [kg m-2 s-1], that is mm s-1.
    temperature : (y, x)
        [K].
    """
    shares = gas_share(temperature, coefficients.gas_share)
    hourly = 3600.0 * precipitation
    rate = np.zeros((len(TRACERS), *np.shape(precipitation)))
    for table, falls in (
        (coefficients.washout.rain, temperature >= FREEZING),
        (coefficients.washout.snow, temperature < FREEZING),
    ):
        amount = np.where(falls, hourly, 0.0)
        mixed = {
            "nitrate": shares["nitrate"] * table["nitric_acid"] + (1 - shares["nitrate"]) * table["nitrate_particle"],
            "ammonia": shares["ammonia"] * table["ammonia_gas"] + (1 - shares["ammonia"]) * table["nitrate_particle"],
        }
        single = {"so2": "so2", "sulphate": "sulphate", "pm_coarse": "coarse"}
        single |= dict.fromkeys(("bc", "oc", "pm25_other", "soa"), "fine")
        for t, tracer in enumerate(TRACERS):
            if tracer in mixed:
                rate[t] += amount * mixed[tracer]
            elif tracer in single:
                rate[t] += amount * table[single[tracer]]
    return rate
