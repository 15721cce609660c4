"""Drawing from distributions, and what the draws say: quantiles, Sobol' sequences and indices, order statistics."""

from __future__ import annotations

import numpy as np
from scipy import special
from scipy.stats import qmc

from airsim.scenario import Distribution

#: Independent scrambles (or hypercubes): their spread is the standard error.
REPLICATES = 16


def quantile(distribution: Distribution, u: np.ndarray) -> np.ndarray:
    """Return the value of a distribution at a probability (the inverse distribution function).

    Parameters
    ----------
    distribution : Distribution
    u : ndarray
        Probability [1].

    Returns
    -------
    ndarray
        Shaped as `u`, in the unit of the distribution.
    """
    name, p = distribution.kind
    if name == "normal":
        return p[0] + p[1] * special.ndtri(u)
    if name == "lognormal":
        return p[0] * np.exp(np.log(p[1]) * special.ndtri(u))
    if name == "uniform":
        return p[0] + (p[1] - p[0]) * u
    if name == "beta":
        return p[2] + (p[3] - p[2]) * special.betaincinv(p[0], p[1], u)
    low, mode, high = p
    split = (mode - low) / (high - low)
    rising = low + np.sqrt(u * (high - low) * (mode - low))
    falling = high - np.sqrt((1.0 - u) * (high - low) * (high - mode))
    return np.where(u < split, rising, falling)


def samples(members: int, columns: int, seed: int, sampler: str = "sobol") -> np.ndarray:
    """Return independent replicates of a low-discrepancy sample of the unit cube.

    Parameters
    ----------
    members : int
        At least so many points over all replicates; the Sobol' sequence takes a power of two a replicate [1].
    columns : int
        Dimension of the cube [1].
    seed : int
    sampler : {"sobol", "latin_hypercube"}
        Scrambled Sobol' sequence (Owen 1998; scrambling of Matousek 1998) or Latin hypercube (McKay et al. 1979).

    Returns
    -------
    ndarray
        (replicate, member, column) in the open interval (0, 1).
    """
    each = -(-members // REPLICATES)
    made = []
    for child in np.random.SeedSequence(seed).spawn(REPLICATES):
        rng = np.random.default_rng(child)
        if sampler == "sobol":
            made.append(qmc.Sobol(columns, rng=rng).random_base2(max(each - 1, 1).bit_length()))
        else:
            made.append(qmc.LatinHypercube(columns, rng=rng).random(each))
    return np.clip(np.stack(made), 1e-9, 1.0 - 1e-9)


def sobol_indices(f_a: np.ndarray, f_b: np.ndarray, f_ab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimate first-order and total Sobol' indices, of single inputs or of groups of them.

    Parameters
    ----------
    f_a, f_b : ndarray
        The model at two independent samples A and B, (..., member).
    f_ab : ndarray
        The model at A with the columns of one input (or group) taken from B, (input, ..., member).

    Returns
    -------
    (ndarray, ndarray)
        First-order and total indices [1], (input, ...); NaN where the model does not vary.

    Notes
    -----
    First order: Saltelli et al. (2010), Comput. Phys. Commun. 181, 259-270, table 2 (b):
    V_i = mean(f_B (f_ABi - f_A)).  Total: Jansen (1999), Comput. Phys. Commun. 117, 35-43, table 2 (f) there:
    V_Ti = mean((f_A - f_ABi)^2) / 2.  Outputs are centred first.
    """
    both = np.concatenate([f_a, f_b], axis=-1)
    mean = both.mean(axis=-1, keepdims=True)
    variance = both.var(axis=-1)
    # below round-off of its own mean an output does not vary
    variance = np.where(variance > 1e-24 * np.maximum(mean[..., 0] ** 2, 1e-300), variance, np.nan)
    a, b, ab = f_a - mean, f_b - mean, f_ab - mean
    first = (b * (ab - a)).mean(axis=-1) / variance
    total = 0.5 * ((a - ab) ** 2).mean(axis=-1) / variance
    return first, total


def least_extra(needed: np.ndarray, probability: float) -> float:
    """Return the smallest extra substitution that lifts the probability to a wanted level.

    Exact by order statistics: member m passes with any extra amount above ``needed[m]``, so with anything above the
    k-th smallest of them k members pass, k the smallest whole number that is at least N times the probability.

    Parameters
    ----------
    needed : ndarray
        Extra substitution above which each member passes [t]; negative where it passes anyway, infinite where
        none suffices.
    probability : float
        Wanted share of members that pass [1].

    Returns
    -------
    float
        [t]; 0 where the level is reached already, infinite where it cannot be.
    """
    k = max(1, int(np.ceil(probability * needed.size - 1e-9)))
    return max(0.0, float(np.partition(needed.ravel(), k - 1)[k - 1]))
