"""What must hold for any wind, any emission, any number of threads."""

import naive_region as naive
import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airsim.region import Transport
from airsim.region.tracers import TRACERS

REAL = [("float64", 1e-12), ("float32", 1e-5)]
SHAPE = (4, 5, 6)


def transport(dtype, seed=0, hours=3, **planes):
    g = naive.grid(*SHAPE)
    return Transport(g, naive.weather(g, hours, seed=seed, **planes), dtype=dtype)


def run(t, e, **kwargs):
    """Budget and all hourly means, for one emission field an hour."""
    means = []
    b = t.run(lambda h: e[h], columns=e.shape[-1], observe=lambda _, m: means.append(m.copy()), **kwargs)
    return b, np.array(means)


def emission(columns, seed=0, hours=3, levels=2):
    return np.random.default_rng(seed).random((hours, levels, *SHAPE[1:], len(TRACERS), columns))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_budget_closes(dtype, tolerance):
    rng = np.random.default_rng(1)
    t = transport(dtype)
    b, _ = run(t, emission(2), initial=rng.random((4, len(TRACERS), 2)), inflow=rng.random((4, len(TRACERS), 2)))
    assert np.abs(b.residual).max() < tolerance
    for part in (b.initial, b.emitted, b.inflow, b.in_air, b.outflow):
        assert (part > 0).all()
    assert (b.wet.sum(1) > 0).sum() == len(TRACERS) - 3  # all but NOx, CO and VOC
    assert (b.dry.sum(1) > 0).sum() == len(TRACERS) - 1  # all but CO
    np.testing.assert_allclose(b.emitted, emission(2).sum((0, 1, 2, 3)) * 3600.0, rtol=1e-6)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
@pytest.mark.parametrize("seed", [0, 1])
def test_uniform_mixing_ratio_stays_uniform(dtype, tolerance, seed):
    t = transport(dtype, seed)
    co = TRACERS.index("co")
    each = (t.density.mean((1, 2)) * 7.0)[:, None, None] * np.ones((len(TRACERS), 1))  # ug m-3 for 7 ug kg-1
    _, means = run(t, np.zeros((3, 1, *SHAPE[1:], len(TRACERS), 1)), initial=each, inflow=each)
    ratio = means[..., co, 0] / t.density
    np.testing.assert_allclose(ratio, 7.0, rtol=tolerance)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000), hours=st.integers(1, 3))
@pytest.mark.parametrize(("dtype", "tolerance"), REAL)
def test_adjoint_is_the_transpose(dtype, tolerance, seed, hours):
    t = transport(dtype, seed, hours)
    rng = np.random.default_rng(seed)
    e, w = t.emissions(), t.concentrations()
    e.values[:] = rng.normal(size=e.shape)
    w.values[:] = rng.normal(size=w.shape)
    c, s = t.forward(e), t.adjoint(w)
    assert c.dims == w.dims == s.dims == e.dims
    left = np.vdot(w.values.astype(float), c.values.astype(float))
    right = np.vdot(s.values.astype(float), e.values.astype(float))
    # cancellation among random signs is no fault of the operator: relative to the size of the terms
    assert abs(left - right) <= tolerance * np.linalg.norm(w) * np.linalg.norm(c)
    e.values[:], w.values[:] = np.abs(e.values), np.abs(w.values)
    c, s = t.forward(e), t.adjoint(w)
    left = np.vdot(w.values.astype(float), c.values.astype(float))
    right = np.vdot(s.values.astype(float), e.values.astype(float))
    assert abs(left - right) <= tolerance * abs(left)


def test_adjoint_sees_the_start():
    t = transport("float64")
    rng = np.random.default_rng(0)
    start = rng.random((*SHAPE, len(TRACERS), 1))
    w = rng.random((3, *SHAPE, len(TRACERS), 1))
    _, means = run(t, np.zeros((3, 1, *SHAPE[1:], len(TRACERS), 1)), initial=start)
    back = t.run_adjoint(lambda h: w[h], columns=1, observe=lambda *_: None)
    np.testing.assert_allclose(np.vdot(w, means), np.vdot(back, start), rtol=1e-12)


def test_many_receptors_and_few_levels_at_once():
    t = transport("float64")
    rng = np.random.default_rng(0)
    w = np.zeros((3, 1, *SHAPE[1:], len(TRACERS), 3))
    w[1] = rng.random(w.shape[1:])
    together = np.zeros((3, 2, *SHAPE[1:], len(TRACERS), 3))
    t.run_adjoint(lambda h: w[h] if h == 1 else None, columns=3, levels=2, observe=together.__setitem__)
    assert (together[2] == 0).all()  # what is emitted later cannot matter
    for receptor in range(3):
        weights = t.concentrations()
        weights.values[:, 1, :1] = np.moveaxis(w[1, ..., receptor], -1, 0)
        alone = t.adjoint(weights).values[:, :, :2]
        np.testing.assert_allclose(
            np.moveaxis(together[..., receptor], -1, 0), alone, rtol=1e-12, atol=1e-12 * alone.max()
        )


@pytest.mark.parametrize(("dtype", "tolerance"), REAL)
def test_superposition(dtype, tolerance):
    t = transport(dtype)
    rng = np.random.default_rng(2)
    one, two = t.emissions(), t.emissions()
    one.values[:], two.values[:] = rng.random((2, *one.shape))
    a, b = 2.5, -0.75
    both = t.forward(a * one + b * two)
    parts = a * t.forward(one) + b * t.forward(two)
    assert float(np.abs(both - parts).max()) <= tolerance * float(np.abs(both).max())


@pytest.mark.parametrize(("dtype", "tolerance"), REAL)
def test_tags_add_up(dtype, tolerance):
    # source groups, inflow and start as columns of their own; the last column is everything
    t = transport(dtype)
    groups = emission(3)
    e = np.concatenate([groups, np.zeros((*groups.shape[:-1], 2)), groups.sum(-1, keepdims=True)], axis=-1)
    start, coming = np.zeros((2, len(TRACERS), 6))
    start[:, [3, 5]] = 20.0
    coming[:, [4, 5]] = 10.0
    b, means = run(t, e, initial=start, inflow=coming)
    whole = means[..., 5]
    assert np.abs(means[..., :5].sum(-1) - whole).max() <= tolerance * whole.max()
    for part in ("emitted", "inflow", "dry", "wet", "outflow", "in_air", "chemical"):
        values = getattr(b, part)
        np.testing.assert_allclose(values[:, :5].sum(1), values[:, 5], rtol=10 * tolerance, atol=tolerance)


@pytest.mark.parametrize("columns", [1, 3, 11])
def test_columns_do_not_touch_each_other(columns):
    t = transport("float64")
    e = emission(columns)
    _, together = run(t, e)
    for column in (0, columns - 1):
        _, alone = run(t, e[..., [column]])
        np.testing.assert_allclose(together[..., [column]], alone, rtol=1e-12, atol=1e-12 * alone.max())


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one core")
def test_threads_do_not_change_a_bit():
    t = transport("float32")
    e = emission(4)
    w = emission(4, seed=5)
    results = []
    before = numba.get_num_threads()
    try:
        for threads in (1, 2, 2):
            numba.set_num_threads(threads)
            b, means = run(t, e)
            sensitivities = []
            t.run_adjoint(lambda h: w[h], columns=4, observe=lambda _, s: sensitivities.append(s.copy()))  # noqa: B023
            results.append((means, np.array(sensitivities), b.dry, b.outflow, b.in_air))
    finally:
        numba.set_num_threads(before)
    for other in results[1:]:
        for a, c in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, c)


def test_undershoots_are_counted_not_cut():
    t = transport("float64")
    e = np.zeros((3, 1, *SHAPE[1:], len(TRACERS), 1))
    e[:, 0, 2, 3] = 1.0
    b, means = run(t, e)
    co = TRACERS.index("co")
    assert means[..., co, 0].min() < 0.0
    assert b.minimum[co, 0] < 0.0
    assert 0.0 < b.negative[co, 0] < 0.3
    assert abs(b.residual[co, 0]) < 1e-12


def test_streams():
    # the mean handed out is one buffer used again: no history is held
    t = transport("float32")
    seen = []
    t.run(lambda h: emission(1)[h], columns=1, levels=2, observe=lambda _, m: seen.append(m))
    assert all(np.shares_memory(m, seen[0]) for m in seen)
    assert seen[0].shape == (2, *SHAPE[1:], len(TRACERS), 1)
