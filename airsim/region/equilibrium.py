"""What of nitrate and ammonia is particle: the one step that is not linear, done at receptors alone.

Sulphate takes two ammonia first; what ammonia is left shares itself with nitric acid until the product of the two
gases is the dissociation constant of ammonium nitrate (Stelson & Seinfeld 1982, Atmos. Environ. 16, 983).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from airsim.region import kernels
from airsim.region.tracers import AMMONIUM, INDEX, MOLAR_MASS, TRACERS

Field = NDArray[np.float64]

SULPHATE, NITRATE, AMMONIA = (MOLAR_MASS[name] for name in ("sulphate", "nitrate", "ammonia"))
#: Of sulphate, nitrate, ammonia and ammonium [g mol-1], as `kernels.partition` takes them.
MOLAR_MASSES = np.array([SULPHATE, NITRATE, AMMONIA, AMMONIUM])
_NANOBAR, _PPB = 1e-4, 1.01325e-4  # Pa, the latter at one atmosphere
# ln Kp = scale - slope / T + power ln T, Kp in Pa2
CONSTANTS = {
    # Mozurkewich 1993: ln Kp = 118.87 - 24084/T - 6.025 ln T  [nbar2]
    "mozurkewich": (118.87 + 2 * np.log(_NANOBAR), 24084.0, -6.025),
    # Seinfeld & Pandis 2006, eq. 10.91: ln Kp = 84.6 - 24220/T - 6.1 ln(T/298)  [ppb2]
    "seinfeld_pandis": (84.6 + 6.1 * np.log(298.0) + 2 * np.log(_PPB), 24220.0, -6.1),
    # Fountoukis & Nenes 2007: Kp = 5.746e-17 exp(-74.38 (T0/T - 1) + 6.12 (1 + ln(T0/T) - T0/T))  [atm2]
    "isorropia": (
        np.log(57.46) + 74.38 + 6.12 * (1 + np.log(298.15)) + 2 * np.log(_PPB),
        (74.38 + 6.12) * 298.15,
        -6.12,
    ),
}
# in colder air DRH and water-activity factor are held: extrapolated, the DRH nears one and the factor loses sense [K]
COLDEST = 263.15
PARTICULATE = ("bc", "oc", "pm25_other", "sulphate", "soa")


class Partition(NamedTuple):
    """Particulate nitrate as NO3 and ammonium as NH4 [ug m-3]."""

    nitrate: Field
    ammonium: Field


def dissociation_constant(temperature: ArrayLike, humidity: ArrayLike, constant: str = "mozurkewich") -> Field:
    """Return the product of NH3 and HNO3 over ammonium nitrate.

    Below the deliquescence humidity, ln DRH[%] = 723.7/T + 1.6954, the constant of the solid; above it times the
    water-activity factor of Mozurkewich (1993), (P1 - P2 (1-a) + P3 (1-a)^2)(1-a)^1.75, never above one. Where his
    factor is below one at the DRH itself (cold air) it is divided by that value: otherwise the constant would jump
    down, and nitrate up, as warming air passes its DRH.

    Parameters
    ----------
    temperature : array_like
        [K].
    humidity : array_like
        Relative humidity [1].
    constant : {"mozurkewich", "seinfeld_pandis", "isorropia"}
        Source of the constant of the solid.

    Returns
    -------
    ndarray
        [umol2 m-6], broadcast shape.

    Raises
    ------
    KeyError
        If the constant is not known.
    """
    t, rh = np.broadcast_arrays(np.asarray(temperature, float), np.asarray(humidity, float))
    result = np.empty(t.size)
    kernels.dissociation(np.ravel(t), np.ravel(rh), *CONSTANTS[constant], COLDEST, result)
    return result.reshape(t.shape)


def partition(
    sulphate: ArrayLike,
    nitrate: ArrayLike,
    ammonia: ArrayLike,
    temperature: ArrayLike,
    humidity: ArrayLike,
    constant: str = "mozurkewich",
) -> Partition:
    """Divide total nitrate and ammonia between particle and gas; all arguments broadcast.

    (free NH3 - n)(total HNO3 - n) = K, free NH3 = NH3 - 2 SO4 if positive.

    Parameters
    ----------
    sulphate, nitrate, ammonia : array_like
        Sulphate as SO4, total nitrate as NO3, total ammonia as NH3 [ug m-3]. A negative total (an undershoot of
        the transport) is left as gas.
    temperature, humidity : array_like
        [K], [1].
    constant : str
        See `dissociation_constant`.

    Returns
    -------
    Partition
        Particulate nitrate and ammonium [ug m-3]; the rest of each total is gas.

    Examples
    --------
    >>> salt = partition(sulphate=0.0, nitrate=62.0, ammonia=17.0, temperature=253.15, humidity=0.3)
    >>> bool(salt.nitrate < 62.0), bool(salt.nitrate > 60.0)  # one mole of each: nearly all is salt in the cold
    (True, True)
    >>> float(partition(0.0, 5.0, 0.0, 280.0, 0.5).nitrate)  # no ammonia, no salt
    0.0
    """
    totals = (np.asarray(part, np.float64) for part in (sulphate, nitrate, ammonia))
    given = np.broadcast_arrays(*totals, dissociation_constant(temperature, humidity, constant))
    shared = [np.empty(given[0].size) for _ in Partition._fields]
    kernels.partition(*(np.ravel(part) for part in given), MOLAR_MASSES, *shared)
    return Partition(*(part.reshape(given[0].shape) for part in shared))


def composition(
    concentration: NDArray[Any],
    temperature: ArrayLike,
    humidity: ArrayLike,
    *,
    axis: int = -2,
    constant: str = "mozurkewich",
) -> dict[str, Field]:
    """Return what PM2.5 is made of, and PM2.5.

    Parameters
    ----------
    concentration : ndarray
        Transported tracers [ug m-3] along `axis`, in the order of `TRACERS`: as `Transport.run` hands them to its
        observer, (level, y, x, tracer, column).
    temperature, humidity : array_like
        [K], [1]; broadcast against the concentration without its tracer axis, so (y, x, 1) for that order.
    axis : int
        The tracer axis.
    constant : str
        See `dissociation_constant`.

    Returns
    -------
    dict
        bc, oc, pm25_other, sulphate, soa, nitrate, ammonium and their sum pm25 [ug m-3].
    """
    tracer = np.moveaxis(concentration, axis, 0)
    parts = {name: np.asarray(tracer[INDEX[name]], float) for name in PARTICULATE}
    shared = partition(
        parts["sulphate"], tracer[INDEX["nitrate"]], tracer[INDEX["ammonia"]], temperature, humidity, constant
    )
    parts["nitrate"] = shared.nitrate
    parts["ammonium"] = shared.ammonium
    parts["pm25"] = np.sum(np.stack(list(parts.values())), axis=0)
    return parts


def pm25(
    concentration: NDArray[Any],
    temperature: ArrayLike,
    humidity: ArrayLike,
    *,
    axis: int = -2,
    constant: str = "mozurkewich",
) -> Field:
    """Return PM2.5 = bc + oc + pm25_other + sulphate + soa + particulate nitrate + ammonium [ug m-3].

    Parameters as for `composition`.
    """
    return composition(concentration, temperature, humidity, axis=axis, constant=constant)["pm25"]


class Jacobian(NamedTuple):
    """Derivatives of particulate nitrate and ammonium with respect to every tracer, shaped as the tracers [1]."""

    nitrate: Field
    ammonium: Field


def jacobian(
    concentration: NDArray[Any],
    temperature: ArrayLike,
    humidity: ArrayLike,
    *,
    axis: int = -2,
    constant: str = "mozurkewich",
) -> Jacobian:
    """Return the derivatives of `partition` at a state.

    With x = NH3 gas / (NH3 gas + HNO3 gas) in moles, dn/d(nitrate) = x and dn/d(free ammonia) = 1 - x. At the
    edges of a regime the derivative is that of the regime with less nitrate.

    Parameters as for `composition`.
    """
    tracer = np.moveaxis(concentration, axis, 0)
    k = dissociation_constant(temperature, humidity, constant)
    s, n, a, k = np.broadcast_arrays(
        np.maximum(np.asarray(tracer[INDEX["sulphate"]], float), 0.0) / SULPHATE,
        np.asarray(tracer[INDEX["nitrate"]], float) / NITRATE,
        np.asarray(tracer[INDEX["ammonia"]], float) / AMMONIA,
        k,
    )
    free = a - 2.0 * s
    root = np.sqrt((free - n) ** 2 + 4.0 * k)
    salty = (free > 0.0) & (n > 0.0) & (free * n > k)
    # gas = (root +- (free - n)) / 2, so NH3 gas + HNO3 gas = root
    to_nitrate = np.where(salty, 0.5 * (1.0 + (free - n) / root), 0.0)
    to_free = np.where(salty, 0.5 * (1.0 - (free - n) / root), 0.0)
    neutral = free > 0.0
    taken = np.where(neutral & (s > 0.0), 2.0, 0.0)  # ammonia that a mole of sulphate takes
    nitrate, ammonium = np.zeros((2, len(TRACERS), *k.shape))
    nitrate[INDEX["sulphate"]] = -NITRATE * taken * to_free / SULPHATE
    nitrate[INDEX["nitrate"]] = to_nitrate
    nitrate[INDEX["ammonia"]] = NITRATE * to_free / AMMONIA
    ammonium[INDEX["sulphate"]] = AMMONIUM * taken * (1.0 - to_free) / SULPHATE
    ammonium[INDEX["nitrate"]] = AMMONIUM * to_nitrate / NITRATE
    ammonium[INDEX["ammonia"]] = AMMONIUM * np.where(neutral, to_free, 1.0) / AMMONIA
    return Jacobian(np.moveaxis(nitrate, 0, axis), np.moveaxis(ammonium, 0, axis))


def pm25_gradient(
    concentration: NDArray[Any],
    temperature: ArrayLike,
    humidity: ArrayLike,
    *,
    axis: int = -2,
    constant: str = "mozurkewich",
) -> Field:
    """Return d PM2.5 / d tracer at a state: the weights with which an adjoint run sees PM2.5.

    Parameters as for `composition`.

    Returns
    -------
    ndarray
        Shape of the concentration, its tracer axis in place [1].
    """
    salts = jacobian(concentration, temperature, humidity, axis=axis, constant=constant)
    gradient = np.moveaxis(salts.nitrate + salts.ammonium, axis, 0)
    for name in PARTICULATE:
        gradient[INDEX[name]] += 1.0
    return np.moveaxis(gradient, 0, axis)
