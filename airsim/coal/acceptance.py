"""What samples prove: the interval of a pass rate, the batches it takes, the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    pass


def interval(passed: np.ndarray, batches: np.ndarray, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact two-sided interval of a pass rate (Clopper & Pearson 1934, Biometrika 26, 404-413).

    Parameters
    ----------
    passed, batches : ndarray
        Counts.
    confidence : float
        [1].

    Returns
    -------
    (ndarray, ndarray)
        Lower and upper end [1]; 0 and 1 without a batch.

    Examples
    --------
    >>> low, high = interval(np.array(10), np.array(10))
    >>> round(float(low), 4), float(high)  # 0.025^(1/10) (Clopper & Pearson 1934)
    (0.6915, 1.0)
    """
    k, n = np.broadcast_arrays(np.asarray(passed, np.float64), np.asarray(batches, np.float64))
    tail = (1.0 - confidence) / 2.0
    low = np.where(k > 0, special.betaincinv(np.maximum(k, 1), n - k + 1, tail), 0.0)
    high = np.where(k < n, special.betaincinv(k + 1, np.maximum(n - k, 1), 1.0 - tail), 1.0)
    return low, high


def samples_needed(failures: int, pass_rate: float = 0.95, confidence: float = 0.95) -> int:
    """Return how many batches must be sampled to show a pass rate in spite of so many failures.

    The smallest n for which a supply of just that pass rate would show so few failures with a probability of at most
    1 - confidence (exact binomial, one-sided): 59 without a failure at 95 %/95 %.

    Parameters
    ----------
    failures : int
        Failing batches allowed [1].
    pass_rate, confidence : float
        [1].
    """
    low, high = failures, failures + 1
    # P(at most k failures of n at p0 = 1 - pass_rate) falls with n
    while special.bdtr(failures, high, 1.0 - pass_rate) > 1.0 - confidence:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if special.bdtr(failures, middle, 1.0 - pass_rate) > 1.0 - confidence:
            low = middle
        else:
            high = middle
    return high


def verdict(passed: int, batches: int, pass_rate: float = 0.95, confidence: float = 0.95) -> tuple[str, int]:
    """Say whether samples show a pass rate, and how many more they need if none of those fails.

    Returns
    -------
    (str, int)
        ``not_sampled``, ``shown`` (the exact one-sided lower bound reaches the rate), ``refuted`` (the upper bound
        stays below it) or ``not_shown``; further batches [1].
    """
    failures = batches - passed
    needed = samples_needed(failures, pass_rate, confidence)
    if batches == 0:
        return "not_sampled", needed
    if batches >= needed:
        return "shown", 0
    # so many failures, or more, would be too rare at the wanted rate
    if failures > 0 and special.bdtrc(failures - 1, batches, 1.0 - pass_rate) <= 1.0 - confidence:
        return "refuted", needed - batches
    return "not_shown", needed - batches
