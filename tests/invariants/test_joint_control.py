"""What must hold between sources and receptors for any weather, any air."""

import naive_region as naive
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from airsim.assess import transfer
from airsim.region import Transport, operator, receptors
from airsim.region.equilibrium import jacobian, partition, pm25, pm25_gradient
from airsim.region.tracers import INDEX, TRACERS

SHAPE = (3, 4, 5)


def world(seed, hours):
    g = naive.grid(*SHAPE)
    g.ny, g.nx = SHAPE[1:]
    return Transport(g, naive.weather(g, hours, seed=seed), dtype="float64")


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000), hours=st.integers(1, 4))
def test_operator_of_every_box_is_the_run(seed, hours):
    t = world(seed, hours)
    rng = np.random.default_rng(seed)
    iy, ix = rng.integers(0, SHAPE[1], 2), rng.integers(0, SHAPE[2], 2)
    air = receptors.cells(t.grid, iy, ix, ["a", "b"])
    boxes = operator.Boxes((2, *SHAPE[1:]))
    made = operator.make(t, air, ((0, hours),), boxes, np.zeros((SHAPE[0], len(TRACERS))))
    e = rng.normal(size=(hours, 2, *SHAPE[1:], len(TRACERS)))
    e[..., [INDEX[n] for n in operator.MADE_ONLY]] = 0.0
    position = made.position(boxes.sites, np.arange(len(boxes.sites)))
    said = made.mean(lambda h: e[h].reshape(-1, len(TRACERS)), position)[0]
    kept = []
    t.run(lambda h: e[h][..., None], columns=1, levels=1, observe=lambda _, m: kept.append(m[0][iy, ix, :, 0].copy()))
    size = np.abs(e).sum() * np.abs(made.sensitivity).max()
    assert np.abs(said - np.mean(kept, axis=0)).max() <= 1e-6 * size  # sensitivities are kept as float32


def some_air(seed):
    air = np.random.default_rng(seed).lognormal(1, 1.5, (len(TRACERS), 200))
    return air, np.random.default_rng(seed + 1).uniform(255, 305, 200)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), humidity=st.floats(0.1, 0.99))
def test_jacobian_is_the_derivative(seed, humidity):
    air, temperature = some_air(seed)
    slope = jacobian(air, temperature, humidity, axis=0)
    gradient = pm25_gradient(air, temperature, humidity, axis=0)
    rng = np.random.default_rng(seed)
    move = rng.normal(size=air.shape) * air
    step = 1e-6
    ends = [air + sign * step * move for sign in (1, -1)]
    rise = (pm25(ends[0], temperature, humidity, axis=0) - pm25(ends[1], temperature, humidity, axis=0)) / (2 * step)
    salts = [partition(*(a[INDEX[n]] for n in ("sulphate", "nitrate", "ammonia")), temperature, humidity) for a in ends]
    scale = np.abs(move).sum(0)
    # a point right on the edge of a regime has two slopes
    agree = np.abs((gradient * move).sum(0) - rise) <= 1e-4 * scale
    assert agree.mean() > 0.98
    for name in ("nitrate", "ammonium"):
        change = (getattr(salts[0], name) - getattr(salts[1], name)) / (2 * step)
        assert (np.abs((getattr(slope, name) * move).sum(0) - change) <= 1e-4 * scale).mean() > 0.98


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), part=st.floats(0.0, 1.0))
def test_splitting_a_source_splits_its_tag_and_its_slope(seed, part):
    tags = np.random.default_rng(seed).lognormal(0, 1.5, (3, len(TRACERS), 2))
    place = (np.full(3, 272.0), np.full(3, 0.6))
    whole, total = transfer.split_among_columns(tags, *place)
    split = np.concatenate([part * tags[..., :1], (1 - part) * tags[..., :1], tags[..., 1:]], axis=-1)
    pieces, same = transfer.split_among_columns(split, *place)
    np.testing.assert_allclose(same, total, rtol=1e-12)
    for approach in (0, 2):
        np.testing.assert_allclose(
            pieces[approach, ..., :2].sum(-1), whole[approach, ..., 0], rtol=1e-9, atol=1e-9 * total.max()
        )
    np.testing.assert_allclose(pieces[..., 2], whole[..., 1], rtol=1e-9, atol=1e-9 * total.max())
