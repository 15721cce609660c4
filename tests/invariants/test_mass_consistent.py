"""Air is neither made nor lost by the fluxes the transport gets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airsim.geography import Grid
from airsim.meteorology import mass_consistent as mc


def grid_over(terrain, edges=(0, 50, 120, 250, 450, 750, 1200, 2000, 3000), spacing=5000.0):
    ny, nx = terrain.shape
    x, y = np.arange(nx) * spacing, np.arange(ny) * spacing
    return Grid(x, y, spacing, np.array(edges, float), "", terrain * 0, terrain * 0, terrain)


def rugged(random, ny=19, nx=23):
    return (
        1200
        + 900 * np.sin(np.arange(nx) / 2.0) * np.cos(np.arange(ny) / 3.0)[:, None]
        + random.uniform(0, 300, (ny, nx))
    )


@pytest.fixture(scope="module")
def case():
    random = np.random.default_rng(7)
    grid = grid_over(rugged(random))
    mass = mc.air_mass(grid)
    u, v = random.normal(3, 6, (2, 4, *grid.shape))
    return grid, mass, *mc.face_fluxes(u, v, mass, grid.spacing)


FREEDOM = np.array([0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9])


def test_no_box_gains_or_loses_air(case):
    _, mass, fx, fy = case
    gx, gy = mc.remove_column_divergence(fx, fy, mass, FREEDOM)
    gz = mc.vertical_flux(gx, gy)
    largest = np.abs(gx).max()
    assert not gz[:, 0].any()
    assert np.abs(gz[:, -1]).max() / largest < 1e-12
    gz[:, -1] = 0.0
    assert np.abs(mc.divergence(gx, gy, gz)).max() / largest < 1e-12
    # the test can fail: before, it is far from it
    assert np.abs(mc.divergence(fx, fy).sum(axis=-3)).max() / largest > 0.1


def test_doing_it_twice_changes_nothing(case):
    _, mass, fx, fy = case
    once = mc.remove_column_divergence(fx, fy, mass, FREEDOM)
    twice = mc.remove_column_divergence(*once, mass, FREEDOM)
    for a, b in zip(once, twice, strict=True):
        assert np.abs(a - b).max() < 1e-11 * np.abs(a).max()


def test_uniform_flow_over_flat_ground_is_left_alone():
    grid = grid_over(np.full((9, 11), 400.0))
    mass = mc.air_mass(grid)
    u, v = np.full((2, *grid.shape), 3.0) * np.array([1.0, -2.0])[:, None, None, None]
    fx, fy = mc.face_fluxes(u, v, mass, grid.spacing)
    gx, gy = mc.remove_column_divergence(fx, fy, mass, FREEDOM)
    np.testing.assert_allclose(gx, fx, rtol=1e-12)
    np.testing.assert_allclose(gy, fy, rtol=1e-12)
    back = mc.centre_winds(gx, gy, mass, grid.spacing)
    np.testing.assert_allclose(back, (u, v), rtol=1e-12)


def test_it_is_the_least_change_of_all(case):
    """Any other divergence-free flux is farther from the given one in the norm that defines the method."""
    _, mass, fx, fy = case
    random = np.random.default_rng(8)
    gx, gy = mc.remove_column_divergence(fx, fy, mass, FREEDOM)
    weight = mass * FREEDOM[:, None, None]
    sx, sy = mc._to_faces(weight, -1), mc._to_faces(weight, -2)
    sx, sy = sx / sx.sum(axis=0), sy / sy.sum(axis=0)

    def far(x, y):
        return ((x - fx) ** 2 / sx).sum() + ((y - fy) ** 2 / sy).sum()

    # a random rotational flux added in one level and another that moves air between levels
    stream = random.normal(size=(mass.shape[1] + 1, mass.shape[2] + 1))
    for scale in (1e3, 1e5, 1e6):
        hx, hy = gx.copy(), gy.copy()
        hx[:, 2] += scale * np.diff(stream, axis=0)
        hy[:, 2] -= scale * np.diff(stream, axis=1)
        assert far(hx, hy) > far(gx, gy)
        hx, hy = gx.copy(), gy.copy()
        shift = scale * random.normal(size=hx.shape[-2:])
        hx[:, 1] += shift
        hx[:, 5] -= shift
        assert far(hx, hy) > far(gx, gy)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 2**31), st.floats(1e-3, 50), st.integers(2, 9), st.integers(2, 9))
def test_single_precision_loses_no_air_at_all(seed, speed, ny, nx):
    random = np.random.default_rng(seed)
    grid = grid_over(rugged(random, ny, nx), edges=(0, 50, 300, 1500))
    mass = mc.air_mass(grid)
    u, v = random.normal(0, speed, (2, 2, *grid.shape))
    exact = mc.remove_column_divergence(*mc.face_fluxes(u, v, mass, grid.spacing), mass)
    x, y, z = mc.exact_single(*exact)
    assert x.dtype == y.dtype == z.dtype == np.float32
    assert not z[:, 0].any()
    assert not z[:, -1].any()
    # summed in single precision, in any order, the result is zero, not small
    assert not (np.diff(x, axis=-1) + np.diff(y, axis=-2) + np.diff(z, axis=-3)).any()
    largest = max(np.abs(exact[0]).max(), np.abs(exact[1]).max())
    assert np.abs(x - exact[0]).max() / largest < 5e-5
    assert np.abs(y - exact[1]).max() / largest < 5e-5


def test_still_air_stays_still():
    grid = grid_over(np.zeros((4, 5)))
    zero = np.zeros((8, 4, 6)), np.zeros((8, 5, 5))
    for flux in mc.exact_single(*mc.remove_column_divergence(*zero, mc.air_mass(grid))):
        assert not flux.any()


def test_column_weighs_what_the_atmosphere_weighs():
    grid = grid_over(np.zeros((2, 2)), edges=(0, 1000, 80_000))
    per_area = mc.air_mass(grid).sum(axis=0) / grid.cell_area
    np.testing.assert_allclose(per_area, 101_325 / 9.80665, rtol=1e-4)  # surface pressure over gravity
