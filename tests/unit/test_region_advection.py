"""How well shapes are carried, against the first-order scheme."""

import naive_region as naive
import numpy as np
import pytest

from airsim.region import Transport, kernels
from airsim.region.coefficients import load
from airsim.region.tracers import INDEX, TRACERS

N = 50
SPACING = 4000.0
CO = INDEX["co"]


def sharp():
    """Coefficients without horizontal diffusion, to see the advection alone."""
    c = load()
    return c.model_copy(update={"diffusion": c.diffusion.model_copy(update={"richardson": 0.0})})


def stream(flow):
    """Air fluxes of one layer from a stream function at the corners (hour, y, x) [kg s-1]."""
    x = (flow[:, 1:] - flow[:, :-1])[:, None]
    y = -(flow[:, :, 1:] - flow[:, :, :-1])[:, None]
    return x, y, np.zeros((len(flow), 2, N, N))


def corners():
    edge = np.arange(N + 1) / N
    return np.meshgrid(edge, edge, indexing="ij")


def carried(flow, shape, monkeypatch):
    """Final state after the whole flow, with ours and with first-order upwind at the same time steps."""
    g = naive.grid(1, N, N, SPACING)
    hours = len(flow)
    mass = np.full((1, N, N), 1.2 * 50.0 * SPACING**2)
    x, y, z = stream(flow)
    w = naive.weather(g, hours, x=x, y=y, z=z, mass=mass, precipitation_flux=0.0)
    t = Transport(g, w, sharp(), dtype="float64")
    initial = np.zeros((1, N, N, len(TRACERS), 1))
    initial[0, ..., CO, 0] = shape
    end = np.empty((N, N))
    take_stock = kernels.holdings

    # the state at the end, not the mean of the last hour, is what comes back; stock is taken at the end of each hour
    def spy(q, *rest):
        end[:] = q[0, ..., CO] * 1.2
        take_stock(q, *rest)

    monkeypatch.setattr(kernels, "holdings", spy)
    t.run(lambda _: np.zeros((1, N, N, len(TRACERS), 1)), columns=1, initial=initial)
    first = shape.copy()
    steps = 12
    for h in range(hours):
        for _ in range(steps):
            air = mass[0].copy()
            for fluxes, axis in ((x[h, 0], 1), (y[h, 0], 0)):
                s = fluxes * 3600.0 / steps
                inner = [slice(None)] * 2
                inner[axis] = slice(1, -1)
                tracer = np.zeros_like(s)
                low, high = np.split(first, [-1], axis)[0], np.split(first, [1], axis)[1]
                core = s[tuple(inner)]
                tracer[tuple(inner)] = np.where(core > 0, low, high) * core
                new = air - np.diff(s, axis=axis)
                first = (first * air - np.diff(tracer, axis=axis)) / new
                air = new
    return end, first


def norms(got, want):
    return np.abs(got - want).sum() / want.sum(), np.sqrt(((got - want) ** 2).sum() / (want**2).sum())


def test_rotating_cone(monkeypatch):
    # one turn in 24 hours; cone of Crowley (1968), radius 7.5 boxes, half way out
    y, x = corners()
    radius2 = ((x - 0.5) ** 2 + (y - 0.5) ** 2) * (N * SPACING) ** 2
    calm = np.clip((0.48**2 * (N * SPACING) ** 2) - radius2, 0.0, None)
    flow = np.repeat((1.2 * 50.0 * np.pi / 86400.0 * calm)[None], 24, axis=0)
    yc, xc = np.mgrid[:N, :N] + 0.5
    cone = np.clip(1.0 - np.hypot(xc - 25.0, yc - 12.5) / 7.5, 0.0, None)
    ours, first = carried(flow, cone, monkeypatch)
    l1, l2 = norms(ours, cone)
    l1_first, l2_first = norms(first, cone)
    assert l2 < 0.15
    assert l2 < 0.25 * l2_first
    assert l1 < 0.25 * l1_first
    assert ours.max() > 0.75
    assert first.max() < 0.4
    assert ours.min() > -0.05
    np.testing.assert_allclose(ours.sum(), cone.sum(), rtol=1e-6)


def test_deformation_and_back(monkeypatch):
    # swirling deformation that turns round half way (LeVeque 1996, SIAM J. Numer. Anal. 33, 627, eq. 9.5)
    hours = 24
    y, x = corners()
    swirl = np.sin(np.pi * x) ** 2 * np.sin(np.pi * y) ** 2
    turn = np.cos(np.pi * (np.arange(hours) + 0.5) / hours)
    speed = N * SPACING / (hours * 3600.0)
    flow = 1.2 * 50.0 * N * SPACING / np.pi * 1.5 * speed * turn[:, None, None] * swirl
    yc, xc = (np.mgrid[:N, :N] + 0.5) / N
    hill = np.exp(-((xc - 0.5) ** 2 + (yc - 0.7) ** 2) / 0.1**2)
    ours, first = carried(flow, hill, monkeypatch)
    l1, l2 = norms(ours, hill)
    l1_first, l2_first = norms(first, hill)
    assert l2 < 0.1
    assert l2 < 0.2 * l2_first
    assert l1 < 0.2 * l1_first


@pytest.mark.parametrize("uneven", [False, True])
def test_third_order(uneven):
    # a hill carried along a line at Courant number 0.25; errors when cells and steps are halved
    def mean_of_hill(left, right, centre):
        from scipy.special import erf

        return 0.5 * np.sqrt(np.pi) * 0.1 * (erf((right - centre) / 0.1) - erf((left - centre) / 0.1)) / (right - left)

    errors = []
    for cells in (80, 160, 320):
        edges = np.arange(cells + 1) / cells * 2.0
        if uneven:  # smoothly varying cells, as the levels are
            edges = edges + 0.05 * np.sin(np.pi * edges)
        steps, shift = cells, 0.5
        mass = np.diff(edges)
        q = mean_of_hill(edges[:-1], edges[1:], 0.6).reshape(1, 1, cells, 1)
        moved = np.full((1, 1, cells + 1), shift / steps)
        for _ in range(steps):
            q, *_ = naive.swept(kernels.X, q, mass.reshape(1, 1, cells), moved, np.zeros_like(moved))
        errors.append(np.abs((q.ravel() - mean_of_hill(edges[:-1], edges[1:], 0.6 + shift)) * mass).sum())
    order = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (order > 2.5).all(), order
