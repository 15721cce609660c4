"""The statistics of the coal office against figures that others have published or computed."""

import math

import numpy as np
import pytest
from scipy import stats

from airsim.coal import acceptance, sampling
from airsim.coal.decomposition import contributions, multiplicative

# --------------------------------------------------------------------------------------------------------
# LMDI-I: reference figures of the R package LMDIR (M. K. Heun, MIT licence; its tests, checked there against a
# spreadsheet): three factors, two categories, four years, the product of the factors is the category

YEARS = np.array(
    [
        [[1, 10, 2], [4, 5, 3]],
        [[4, 5, 3], [5, 6, 4]],
        [[8, 2, 4], [5, 7, 5]],
        [[10, 1, 5], [6, 8, 6]],
    ],
    dtype=float,
)
TERMS = [
    [[50.47438029, -25.23719014, 14.76280986], [19.31568569, 15.78206435, 24.90224996]],
    [[42.96021467, -56.79031473, 17.83010006], [0, 22.47128816, 32.52871184]],
    [[12.6549815, -39.30996299, 12.6549815], [41.35566084, 30.28867832, 41.35566084]],
]
PRODUCTS = [
    [1.761117821, 0.926191306, 1.379410116],
    [1.229284572, 0.847970248, 1.273773912],
    [1.208140223, 0.968911503, 1.208140223],
]


@pytest.mark.parametrize("i", range(3))
def test_lmdi_terms_and_products(i):
    first, last = YEARS[i], YEARS[i + 1]
    before, after = first.prod(axis=1), last.prod(axis=1)
    made = contributions(before, after, first.T, last.T)
    np.testing.assert_allclose(made.T, TERMS[i], atol=5e-9)
    np.testing.assert_allclose(multiplicative(made.sum(axis=1), before.sum(), after.sum()), PRODUCTS[i], atol=5e-10)


#: Ang, Zhang & Choi (1998), table 2: V_0, V_T, x_0, x_T -> contribution of x.
ZEROS = [
    (0, 42, 0, 9999, 42),
    (42, 0, 9999, 0, -42),
    (0, 42, 9999, 9999, 0),
    (42, 0, 9999, 9999, 0),
    (0, 0, 9999, 9999, 0),
    (0, 0, 0, 0, 0),
    (0, 0, 9999, 0, 0),
    (0, 0, 0, 9999, 0),
]


@pytest.mark.parametrize(("v0", "vt", "x0", "xt", "expected"), ZEROS)
def test_the_eight_cases_of_zeros(v0, vt, x0, xt, expected):
    # beside x one other factor, which is zero where x is not but the term is
    other = [[float(x0 == 0 or v0 > 0)], [float(xt == 0 or vt > 0)]]
    factors = np.array([[x0], other[0]], float), np.array([[xt], other[1]], float)
    made = contributions(np.array([v0], float), np.array([vt], float), *factors)
    assert made[0, 0] == expected
    assert made.sum() == vt - v0


def test_a_category_that_vanishes_in_ghana():
    # electric heaters are gone in 2004 by their share alone; fans stay (LMDIR, data of Ghana 2003-2004)
    first = np.array([[7909.898576, 0.168054745, 0.521283202, 0.009258785],
                      [7909.898576, 0.072489945, 0.078700891, 0.036152202]])  # fmt: skip
    last = np.array([[42.0, 42.0, 42.0, 0.0], [7962.921168, 0.101321321, 0.059104816, 0.036042366]])
    before, after = first.prod(axis=1), last.prod(axis=1)
    made = contributions(before, after, first.T, last.T)
    np.testing.assert_allclose(made[:, 0], [0, 0, 0, -6.415779079], atol=1e-6)
    np.testing.assert_allclose(made[:, 1], [0.011188553, 0.56076961, -0.479535332, -0.005095744], atol=1e-6)
    product = multiplicative(made.sum(axis=1), before.sum(), after.sum())
    np.testing.assert_allclose(product, [1.002733012, 1.146589093, 0.889606884, 0.208820902], atol=1e-6)


# --------------------------------------------------------------------------------------------------------
# Sobol' indices


def test_the_g_function_of_sobol():
    # Sobol' (1993), Saltelli & Sobol' (1995): product of (|4x - 2| + a) / (1 + a), partial variances 1 / (3 (1 + a)^2)
    a = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0])
    partial = 1.0 / (3.0 * (1.0 + a) ** 2)
    whole = np.prod(1.0 + partial) - 1.0
    u = sampling.samples(2**16, 12, 5).reshape(-1, 12)
    left, right = u[:, :6], u[:, 6:]

    def g(x):
        return np.prod((np.abs(4 * x - 2) + a) / (1 + a), axis=1)

    mixed = []
    for i in range(6):
        m = left.copy()
        m[:, i] = right[:, i]
        mixed.append(g(m))
    first, total = sampling.sobol_indices(g(left), g(right), np.stack(mixed))
    np.testing.assert_allclose(first, partial / whole, atol=5e-3)
    np.testing.assert_allclose(total, partial * np.prod(1 + partial) / (1 + partial) / whole, atol=5e-3)


def test_scrambled_sobol_beats_plain_monte_carlo():
    # the mean of a smooth function of five inputs: the spread of the replicates' means falls far below sigma / sqrt(n)
    u = sampling.samples(16 * 1024, 5, 3)
    f = np.prod(1.0 + 0.5 * (u - 0.5), axis=2)
    spread = f.mean(axis=1).std(ddof=1)
    plain = f.std() / math.sqrt(u.shape[1])
    assert spread < 0.1 * plain
    assert f.mean() == pytest.approx(1.0, abs=1e-4)


# --------------------------------------------------------------------------------------------------------
# inspection


def test_wilks_sample_sizes():
    # Wilks (1941): one-sided tolerance limits; orders 1 to 4 at 95 %/95 %, and 95 %/99 % and 99 %/99 % of order 1
    assert [acceptance.samples_needed(k) for k in range(4)] == [59, 93, 124, 153]
    assert acceptance.samples_needed(0, 0.95, 0.99) == 90
    assert acceptance.samples_needed(0, 0.99, 0.99) == 459


def test_a_published_inspection():
    # Linxia prefecture, third quarter of 2025: 40 batches of commercial coal sampled in distribution by GB 34169 and
    # GB 34170, 39 passed, one failed by total sulphur (bulletin of the market supervision bureau)
    low, high = acceptance.interval(np.array(39), np.array(40))
    exact = stats.beta.ppf([0.025, 0.975], [39, 40], [2, 1])
    np.testing.assert_allclose([low, high], exact, rtol=1e-12)
    # 97.5 % passed, and yet 40 batches don't show 95 %
    assert acceptance.verdict(39, 40) == ("not_shown", 53)
