"""The least-cost core against brute force, finite differences and demands that can't be met."""

import itertools

import numpy as np
import pytest

from airsim.optimise.milp import Demand, Impossible, least


def demand(key, coefficients, sense, bound):
    return Demand(key, key, key, np.asarray(coefficients, float), sense, bound)


@pytest.mark.parametrize("seed", range(25))
def test_brute_force_agrees(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 11))
    cost = rng.integers(1, 20, n).astype(float)
    floors = [demand(f"f{k}", rng.uniform(-0.2, 1, n), "floor", rng.uniform(0, 0.35) * n) for k in range(2)]
    ceiling = demand("c", rng.uniform(0, 1, n), "ceiling", 0.4 * n)
    every = (*floors, ceiling)
    best = np.inf
    for bits in itertools.product((0, 1), repeat=n):
        x = np.array(bits)
        fits = all(f.coefficients @ x >= f.bound for f in floors) and ceiling.coefficients @ x <= ceiling.bound
        best = min(best, cost @ x) if fits else best
    if np.isinf(best):
        with pytest.raises(Impossible) as none:
            least(cost, every)
        assert none.value.shortfalls
        return
    found = least(cost, every, gap=0.0)
    assert found.cost == pytest.approx(best)
    assert found.gap == pytest.approx(0.0, abs=1e-9)
    assert found.lower == pytest.approx(best)
    assert all(found.reached[:2] >= [f.bound - 1e-6 for f in floors])


def test_marginal_values_are_finite_differences_of_the_relaxation():
    cost = np.array([3.0, 5.0, 4.0])
    a, b = [1.0, 2.0, 1.0], [1.0, 1.0, 3.0]

    def solve(first, second):
        demands = [demand("a", a, "floor", first), demand("b", b, "ceiling", second)]
        return least(cost, demands, divisible=np.ones(3, bool), gap=0.0)

    found = solve(2.5, 2.0)
    for number, (da, db) in enumerate(((0.01, 0.0), (0.0, -0.01))):
        step = solve(2.5 + da, 2.0 + db)
        assert found.marginal[number] == pytest.approx((step.cost - found.cost) / 0.01, abs=1e-6)


def test_what_cannot_be_met_is_named_with_the_amount():
    cost = np.ones(3)
    fine, too_much = demand("fine", [1, 1, 1], "floor", 2), demand("too much", [1, 2, 3], "floor", 10)
    with pytest.raises(Impossible) as none:
        least(cost, [fine, too_much])
    (short,) = none.value.shortfalls
    assert short.demand.key == "too much"
    assert short.amount == pytest.approx(4.0)
    text = none.value.problems("list.xlsx").problems[0].text("en")
    assert "too much" in text
    assert "short by 4" in text


def test_two_demands_that_exclude_each_other():
    with pytest.raises(Impossible) as none:
        least(np.ones(2), [demand("up", [1, 1], "floor", 2), demand("down", [1, 1], "ceiling", 1)])
    assert sum(s.amount for s in none.value.shortfalls) == pytest.approx(1.0)


def test_pairs_fixed_choices_and_what_pays_for_itself():
    # the line (0) needs its enterprise (1); choice 2 is fixed, choice 3 pays for itself
    found = least(
        np.array([0.0, 1.0, 5.0, -2.0]), [demand("x", [1, 0, 0, 0], "floor", 1)], together=[(0, 1)],
        fixed=np.array([False, False, True, False]),
    )  # fmt: skip
    assert found.chosen.tolist() == [1, 1, 1, 1]
    assert found.cost == pytest.approx(4.0)
