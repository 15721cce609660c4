"""Every kernel of the region against its slow twin, and every one against its own transpose."""

import naive_region as naive
import numpy as np
import pytest

from airsim.region import chemistry, kernels
from airsim.region.tracers import TRACERS
from airsim.region.transport import _Sweep

REAL = [("float64", 1e-12), ("float32", 1e-5)]


def line(rng, size, *, wild):
    """Air mass, air moved (never more than leaves a box some air) and air exchanged on one line."""
    mass = 1.0 + 4.0 * rng.random(size)
    moved = rng.normal(size=size + 1) * (3.0 if wild else 0.3)
    while True:
        end = mass + moved[:-1] - moved[1:]
        if (end > 0.2 * mass).all():
            return mass, moved, np.concatenate([[0.0], 0.3 * rng.random(size - 1), [0.0]])
        moved *= 0.8


def lines(rng, size, count, *, wild):
    """`count` lines, (size, count) or (size + 1, count)."""
    return (np.stack(part, axis=-1) for part in zip(*(line(rng, size, wild=wild) for _ in range(count)), strict=True))


def laid(axis, array):
    """(along, line, ...) as (level, y, x, ...): lines side by side along x, or one above the other if they lie in x."""
    return np.moveaxis(array, (0, 1), (1, 0))[:, None] if axis == kernels.X else array[None]


@pytest.mark.parametrize("axis", [kernels.X, kernels.Y])
@pytest.mark.parametrize("size", [1, 2, 3, 9])
@pytest.mark.parametrize("wild", [False, True])
def test_sweep_is_its_twin(axis, size, wild):
    rng = np.random.default_rng(size)
    count = 19  # two strips and a part of one
    mass, moved, spread = lines(rng, size, count, wild=wild)
    q = rng.normal(size=(size, count, 3))
    rows = count if axis == kernels.X else 1
    end = np.repeat(rng.normal(size=(1, 3)), rows, axis=0)
    got, came, went = naive.swept(
        axis, laid(axis, q), *(np.ascontiguousarray(laid(axis, each)) for each in (mass, moved, spread)), end
    )
    got = np.moveaxis(got[:, 0], 0, 1) if axis == kernels.X else got[0]
    for k, n in np.ndindex(count, 3):
        cycles = kernels.cycles(*(np.ascontiguousarray(each[:, k]) for each in (mass, moved, spread)), size)
        want, inflow, outflow = naive.advect(
            q[:, k, n], mass[:, k], moved[:, k], spread[:, k], end[0, n], end[0, n], cycles
        )
        np.testing.assert_allclose(got[:, k, n], want, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose([came[k, n], went[k, n]], [inflow, outflow], rtol=1e-9, atol=1e-11)


def test_strong_wind_is_divided_into_enough_cycles():
    size = 6
    mass = np.ones(size)
    for speed in (0.5, 3.0, 40.0):
        moved = np.full(size + 1, speed)
        assert kernels.cycles(mass, moved, np.zeros(size + 1), size) == np.ceil(speed / kernels.COURANT)
    assert kernels.cycles(mass, np.zeros(size + 1), np.full(size + 1, 2.0), size) == 8


@pytest.mark.parametrize(("dtype", "tolerance"), REAL)
@pytest.mark.parametrize("axis", [kernels.X, kernels.Y])
@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_sweep_transposed(axis, size, dtype, tolerance):
    rng = np.random.default_rng(size)
    given = [np.ascontiguousarray(laid(axis, each)) for each in lines(rng, size, 11, wild=True)]
    x, y = (laid(axis, each) for each in rng.normal(size=(2, size, 11, 4)).astype(dtype))
    forward, *_ = naive.swept(axis, x, *given)
    back, *_ = naive.swept(axis, y, *given, back=True)
    left = np.vdot(y.astype(float), forward.astype(float))
    right = np.vdot(back.astype(float), x.astype(float))
    assert abs(left - right) <= tolerance * np.linalg.norm(y) * np.linalg.norm(forward)


@pytest.mark.parametrize("stiffness", [1e-6, 1.0, 1e6])
def test_mixing_is_a_full_solve(stiffness):
    # no wind, no chemistry, no rain: what is left of `columns` is the implicit step
    w = world("float64", nz=6, ny=1, nx=1, calm=True)
    w["exchange"] *= stiffness
    q = w["q"].copy()
    columns(w, q, np.zeros(w["tags"]), np.empty((0, 1, 1, w["tags"])))
    for n in range(w["tags"]):
        right = w["q"][:, 0, 0, n] * w["mass"][:, 0, 0]
        right[:2] += w["amount"] * w["source"][:, 0, 0, n]
        sink = w["sink"][n // 2, 0, 0]
        want = naive.mixed(w["mass"][:, 0, 0], w["exchange"][:, 0, 0], sink, right)
        np.testing.assert_allclose(q[:, 0, 0, n], want, rtol=1e-7, atol=1e-9)


def world(dtype, seed=0, cases=2, nz=4, ny=2, nx=11, *, calm=False):
    """Everything `columns` needs, at random but in range; a strip and a part of one."""
    rng = np.random.default_rng(seed)
    tracers, tags = len(TRACERS), len(TRACERS) * cases
    mass = 1e9 * (1 + rng.random((nz, ny, nx)))
    moved = 2e8 * rng.normal(size=(nz + 1, ny, nx))
    moved[0] = 0.0
    moved *= not calm
    keep = np.where(rng.random((tracers, ny, nx)) > 0.5, rng.random((tracers, ny, nx)), 1.0)
    decay = 0.5 + 0.5 * rng.random((3, nz, ny, nx))
    return {
        "mass": mass,
        "moved": moved,
        "exchange": 3e9 * rng.random((nz + 1, ny, nx)),
        "sink": 1e8 * rng.random((tracers, ny, nx)),
        "decay": np.ones_like(decay) if calm else decay,
        "keep": np.ones_like(keep) if calm else keep,
        "sampling": rng.random((nz, ny, nx)),
        "q": rng.normal(size=(nz, ny, nx, tags)).astype(dtype),
        "source": rng.normal(size=(2, ny, nx, tags)).astype(dtype),
        "weights": rng.normal(size=(3, ny, nx, tags)).astype(dtype),
        "back": rng.normal(size=(nz, ny, nx, tags)).astype(dtype),
        "product": np.array([1.5, 1.35, 0.05]),
        "amount": 1e8,
        "tags": tags,
    }


def vertical(w, dtype):
    """Vertical sweeps before and after the local processes, and the elimination."""
    still = np.zeros_like(w["moved"])
    rise = _Sweep.of(kernels.Z, w["mass"] + np.diff(w["moved"], axis=0), w["moved"], still, dtype)
    fall = _Sweep.of(kernels.Z, w["mass"], w["moved"], still, dtype)
    pivot, factor = np.empty(w["mass"].shape, dtype), np.empty(w["moved"].shape, dtype)
    kernels.eliminate(w["mass"], w["exchange"], pivot, factor)
    return rise, fall, pivot, factor


def columns(w, q, top, mean):
    _, ny, nx, tags = q.shape
    made = np.zeros((ny, tags))
    through = np.zeros((2, ny, tags))
    dry, wet = np.zeros((2, ny, nx, tags))
    mean[:] = 0.0
    rise, fall, pivot, factor = vertical(w, q.dtype)
    kernels.columns(
        q.reshape(-1, tags), rise.first, rise.weights, rise.ends, fall.first, fall.weights, fall.ends, w["mass"],
        pivot, factor, w["sink"], w["source"], w["amount"], w["decay"], chemistry.PARENT, chemistry.CHILD,
        w["product"], w["keep"], (w["keep"] < 1.0).any(0), top, w["sampling"], mean, through, made, dry, wet,
    )  # fmt: skip
    return *through, made, dry, wet


def test_columns_is_its_twin():
    w = world("float64")
    top = np.random.default_rng(5).normal(size=w["tags"])
    q = w["q"].copy()
    mean = np.empty_like(w["weights"])
    _, _, made, dry, wet = columns(w, q, top, mean)
    nz, ny, nx, tags = q.shape
    still = np.zeros(nz + 1)
    for j, i, n in np.ndindex(ny, nx, tags):
        t, case = divmod(n, tags // len(TRACERS))
        mass, moved = w["mass"][:, j, i], w["moved"][:, j, i]
        start = mass + np.diff(moved)
        own = {name: np.empty((len(TRACERS), nz)) for name in ("before", "after")}
        for tracer in range(len(TRACERS)):
            m = tracer * (tags // len(TRACERS)) + case
            count = kernels.cycles(start, moved, still, nz)
            state, *_ = naive.advect(w["q"][:, j, i, m], start, moved, still, 0.0, top[m], count)
            own["before"][tracer] = state
            right = state * mass
            right[:2] += w["amount"] * w["source"][:, j, i, m]
            own["after"][tracer] = naive.mixed(mass, w["exchange"][:, j, i], w["sink"][tracer, j, i], right)
        ground = own["after"][t, 0]
        for chain, (parent, child) in enumerate(zip(chemistry.PARENT, chemistry.CHILD, strict=True)):
            lost = own["after"][parent] * (1 - w["decay"][chain, :, j, i])
            own["after"][parent] -= lost
            own["after"][child] += w["product"][chain] * lost
        washed = own["after"] * w["keep"][:, j, i, None]
        sample = w["sampling"][:3, j, i] * (own["before"][t] + washed[t])[:3]
        np.testing.assert_allclose(mean[:, j, i, n], sample, rtol=1e-9, atol=1e-9)
        count = kernels.cycles(mass, moved, still, nz)
        state, *_ = naive.advect(washed[t], mass, moved, still, 0.0, top[n], count)
        np.testing.assert_allclose(q[:, j, i, n], state, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(dry[j, i, n], w["sink"][t, j, i] * ground, rtol=1e-9)
        np.testing.assert_allclose(wet[j, i, n], (mass * (own["after"][t] - washed[t])).sum(), rtol=1e-8, atol=1e-3)
    np.testing.assert_allclose(made.reshape(ny, len(TRACERS), -1)[:, TRACERS.index("co")], 0.0)


@pytest.mark.parametrize(("dtype", "tolerance"), REAL)
def test_columns_transposed(dtype, tolerance):
    w = world(dtype)
    q = w["q"].copy()
    mean = np.empty_like(w["weights"])
    columns(w, q, np.zeros(w["tags"], dtype), mean)
    back = w["back"].copy()
    source = np.zeros_like(w["source"])
    rise, fall, pivot, factor = vertical(w, back.dtype)
    kernels.columns_transposed(
        back.reshape(-1, w["tags"]), rise.first, rise.transposed().weights, fall.first, fall.transposed().weights,
        w["mass"], pivot, factor, w["sink"], w["decay"], chemistry.PARENT, chemistry.CHILD, w["product"], w["keep"],
        (w["keep"] < 1.0).any(0), w["sampling"], w["weights"], source, w["amount"],
    )  # fmt: skip

    def dot(a, b):
        return np.vdot(a.astype(float), b.astype(float))

    left = dot(w["back"], q) + dot(w["weights"], mean)
    right = dot(back, w["q"]) + dot(source, w["source"])
    size = np.linalg.norm(w["back"]) * np.linalg.norm(q) + np.linalg.norm(w["weights"]) * np.linalg.norm(mean)
    assert abs(left - right) <= tolerance * size


def test_vertical_flux_is_closed_and_a_miss_is_measured():
    g = naive.grid(4, 5, 6)
    mass = naive.air(g)
    x, y, z = (flux[0] for flux in naive.fluxes(g, 1))
    miss, speed = np.empty((2, 5))
    closed = z.copy()
    closed[2, 3, 4] += 1e-3 * mass[1, 3, 4]
    kernels.close_vertical(x, y, closed, mass, miss, speed)
    np.testing.assert_allclose(closed, z, atol=1e-12 * np.abs(x).max())
    assert np.argmax(miss) == 3
    np.testing.assert_allclose(miss[3], 1e-3, rtol=1e-9)
    assert np.all(np.delete(miss, 3) < 1e-12)
    side = np.maximum(abs(np.diff(x, axis=-1)), abs(np.diff(z, axis=0))) / mass
    np.testing.assert_allclose(speed, side.max((0, 2)), rtol=1e-9)
