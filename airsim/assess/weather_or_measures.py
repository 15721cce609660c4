"""Was it the weather or the measures? An observed change split by four modelled worlds.

Two windows are compared, before and after, say January of two years.  The model runs the emissions of both under the
weather of both: E1W1, E1W2, E2W1, E2W2.  The Shapley value (Shapley 1953; for two players the mean of the two orders)
gives each its share without asking which came first, and what weather and emissions do together goes half to each.
What the model doesn't explain of the observed change is the rest.

Twice: absolute, in differences of modelled concentration; and relative, in logarithms of modelled ratios brought to
ug m-3 by the logarithmic mean of the observed levels, so that a steady error of the model's level falls out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

Floats = npt.NDArray[np.float64]

SCALES = ("relative", "absolute")
TERMS = ("observed", "weather", "emissions", "rest")
#: Bounds of the interval [1].
QUANTILES = (0.025, 0.975)
#: Fewer days with an observation than this make no interval.
LEAST_DAYS = 5


@dataclass(frozen=True)
class Window:
    """Daily means of one window, day by city [ug m-3].

    Attributes
    ----------
    observed : (day, city) ndarray
        NaN where a day is not observed.
    first, second : (day, city) ndarray
        Modelled under the weather of this window, with the emissions of the first window and of the second.
    """

    observed: Floats
    first: Floats
    second: Floats


def shapley(worlds: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Split the change from the first world to the last into weather and emissions.

    Parameters
    ----------
    worlds : (2, 2, ...) array_like
        Values by emissions (first, second) and weather (first, second).

    Returns
    -------
    weather, emissions : ndarray
        They sum to ``worlds[1, 1] - worlds[0, 0]``.
    """
    v = np.asarray(worlds, float)
    weather = 0.5 * ((v[0, 1] - v[0, 0]) + (v[1, 1] - v[1, 0]))
    emissions = 0.5 * ((v[1, 0] - v[0, 0]) + (v[1, 1] - v[0, 1]))
    return weather, emissions


def logarithmic_mean(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Return (b - a) / ln(b / a), and a where both are the same; what turns logarithms back into differences."""
    x, y = np.asarray(a, float), np.asarray(b, float)
    ratio = np.log(y / x)
    near = np.abs(ratio) < 1e-9
    return np.where(near, x, (y - x) / np.where(near, 1.0, ratio))


def split(before: Window, after: Window) -> Floats:
    """Split the observed change of the means.

    Parameters
    ----------
    before, after : Window
        Of the same cities.

    Returns
    -------
    (scale, term, city) ndarray
        `SCALES`, `TERMS` [ug m-3]; NaN where a window has no observed day or the model no air.
    """
    worlds = np.empty((2, 2, before.observed.shape[1]))
    observed = []
    for w, window in enumerate((before, after)):
        # the model is averaged over the observed days only
        known = np.isfinite(window.observed) & np.isfinite(window.first) & np.isfinite(window.second)
        count = known.sum(axis=0)

        def mean(values: Floats, known: npt.NDArray[np.bool_] = known, count: npt.NDArray[np.int_] = count) -> Floats:
            total = np.where(known, values, 0.0).sum(axis=0)
            result: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
            return result

        observed.append(mean(window.observed))
        worlds[0, w], worlds[1, w] = mean(window.first), mean(window.second)
    change = observed[1] - observed[0]
    positive = np.where((worlds > 0).all(axis=(0, 1)), worlds, np.nan)
    both = np.where((observed[0] > 0) & (observed[1] > 0), logarithmic_mean(*observed), np.nan)
    parts = {
        "absolute": shapley(positive),
        "relative": tuple(both * p for p in shapley(np.log(positive))),
    }
    return np.stack([np.stack([change, *parts[s], change - sum(parts[s])]) for s in SCALES])


def resampled(days: int, block: int, random: np.random.Generator) -> npt.NDArray[np.int_]:
    """Draw days in blocks, the last joined to the first (circular block bootstrap, Politis and Romano 1992).

    Parameters
    ----------
    days : int
        Days of the window.
    block : int
        Days that follow one another stay together [d].
    random : Generator

    Returns
    -------
    (days,) ndarray of int
        Indices of days.
    """
    starts = random.integers(0, days, -(-days // block))
    return ((starts[:, None] + np.arange(block)) % days).ravel()[:days]


def split_change(
    before: Window,
    after: Window,
    cities: Sequence[str],
    *,
    draws: int = 2000,
    block: int = 3,
    seed: int = 2019,
) -> xr.Dataset:
    """Split an observed change, with an interval from resampling the days of both windows.

    Parameters
    ----------
    before, after : Window
        Of the same cities.
    cities : sequence of str
        City ids.
    draws : int
        Resamples [1].
    block : int
        Days drawn together, since one polluted day follows another [d].
    seed : int
        The same seed gives the same interval.

    Returns
    -------
    Dataset
        ``part`` (scale, term, city), ``part_low``, ``part_high`` (95 % interval) [ug m-3], ``observed_before``,
        ``observed_after`` (city) [ug m-3], ``days_before``, ``days_after``; the entry ``all`` of `city` is the mean
        of the cities that have every term.

    Notes
    -----
    The interval says what other days of the same kind of winter would have given.  It does not hold errors of the
    emissions or of the model.
    """
    value = _with_mean(split(before, after))
    random = np.random.default_rng(seed)
    made = np.empty((draws, *value.shape))
    for n in range(draws):
        parts = []
        for window in (before, after):
            at = resampled(len(window.observed), block, random)
            parts.append(Window(window.observed[at], window.first[at], window.second[at]))
        made[n] = _with_mean(split(*parts))
    low, high = _quantiles(made)
    counts = [np.isfinite(w.observed).sum(axis=0) for w in (before, after)]
    few = np.minimum(*counts) < LEAST_DAYS
    for bound in (low, high):
        bound[:, :, :-1][:, :, few] = np.nan
    means = [
        np.divide(np.nansum(w.observed, axis=0), c, out=np.full(c.shape, np.nan), where=c > 0)
        for w, c in zip((before, after), counts, strict=True)
    ]
    complete = np.isfinite(value[:, :, :-1]).all(axis=(0, 1))
    axes = ("scale", "term", "city")

    def all_too(values: Floats) -> Floats:
        return np.append(values, values[complete].mean() if complete.any() else np.nan)

    return xr.Dataset(
        {
            "part": (axes, value),
            "part_low": (axes, low),
            "part_high": (axes, high),
            "observed_before": ("city", all_too(means[0])),
            "observed_after": ("city", all_too(means[1])),
            "days_before": ("city", all_too(counts[0].astype(float))),
            "days_after": ("city", all_too(counts[1].astype(float))),
        },
        coords={"scale": list(SCALES), "term": list(TERMS), "city": [*cities, "all"]},
        attrs={"draws": draws, "block_days": block, "seed": seed, "cities_in_all": int(complete.sum())},
    )


def _with_mean(parts: Floats) -> Floats:
    """Append the mean of the cities that have every term."""
    complete = np.isfinite(parts).all(axis=(0, 1))
    mean = parts[:, :, complete].mean(axis=2) if complete.any() else np.full(parts.shape[:2], np.nan)
    return np.concatenate([parts, mean[:, :, None]], axis=2)


def _quantiles(made: Floats) -> tuple[Floats, Floats]:
    known = np.isfinite(made)
    filled = np.where(known.any(axis=0), made, 0.0)
    low, high = np.nanquantile(filled, QUANTILES, axis=0)
    return (np.where(known.any(axis=0), low, np.nan), np.where(known.any(axis=0), high, np.nan))
