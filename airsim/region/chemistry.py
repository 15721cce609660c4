"""First-order transformation: SO2 to sulphate, NOx to total nitrate, VOC to secondary organic aerosol."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from airsim.region.coefficients import Chemistry
from airsim.region.tracers import INDEX, MOLAR_MASS

Field = NDArray[np.float64]

CHAINS = (("so2", "sulphate"), ("nox", "nitrate"), ("voc", "soa"))
PARENT = np.array([INDEX[parent] for parent, _ in CHAINS])
CHILD = np.array([INDEX[child] for _, child in CHAINS])
GAS_CONSTANT = 8.314462618


def products(chemistry: Chemistry) -> Field:
    """Return the mass of product per mass of parent lost, (chain,) [1]: 96/64, 62/46 and the SOA yield.

    Examples
    --------
    >>> from airsim.region import coefficients
    >>> sulphate, nitrate, soa = products(coefficients.load().chemistry)
    >>> round(float(sulphate), 3), round(float(nitrate), 3)  # 96.06/64.07 and 62.00/46.01
    (1.499, 1.348)
    """
    return np.array(
        [
            MOLAR_MASS["sulphate"] / MOLAR_MASS["so2"],
            MOLAR_MASS["nitrate"] / MOLAR_MASS["nox"],
            chemistry.soa_yield,
        ]
    )


def rates(
    sunlight: Field, humidity: Field, temperature: Field, edges: NDArray[np.float64], chemistry: Chemistry
) -> Field:
    """Return the loss rate of each chain's parent, (chain, level, y, x) [s-1].

    Gas phase: from the night to the midday rate in proportion to sunlight (shape of the CALPUFF user guide,
    table F-39). Sulphate also forms on particles: gamma v S / 4, v the mean molecular speed, gamma linear from
    50 to 100 % humidity (Wang et al. 2014; Zheng et al. 2015), S a fixed particle surface, in the part of each
    level below `surface_depth`.

    Parameters
    ----------
    sunlight, humidity, temperature : (y, x)
        Shortwave flux at the ground [W m-2], relative humidity [1], air temperature [K].
    edges : (level_face,)
        Heights of the level faces above ground [m].
    """
    light = np.clip(sunlight / chemistry.full_sun, 0.0, 1.0)
    per_second = 0.01 / 3600.0
    nights = (chemistry.so2_night, chemistry.nox_night, chemistry.voc_night)
    days = (chemistry.so2_midday, chemistry.nox_midday, chemistry.voc_midday)
    gas = np.stack([per_second * (n + (d - n) * light) for n, d in zip(nights, days, strict=True)])
    rate = np.repeat(gas[:, None], len(edges) - 1, axis=1)
    speed = np.sqrt(8.0 * GAS_CONSTANT * temperature / (np.pi * MOLAR_MASS["so2"] * 1e-3))
    wetness = np.clip((humidity - 0.5) / 0.5, 0.0, 1.0)
    uptake = chemistry.uptake_dry + (chemistry.uptake_wet - chemistry.uptake_dry) * wetness
    share = np.clip((chemistry.surface_depth - edges[:-1]) / np.diff(edges), 0.0, 1.0)
    rate[0] += share[:, None, None] * (0.25 * speed * uptake * chemistry.surface)
    return rate
