"""What must hold of a Gaussian plume whatever the weather."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_plume import one_hour, one_source

from airsim import plume
from airsim.plume import kernels

BY_CLASS = st.sampled_from(["briggs_rural", "briggs_urban", "pasquill_gifford"])
SCHEMES = st.sampled_from(["similarity", "briggs_rural", "briggs_urban", "pasquill_gifford"])
WINDY = st.floats(5.5, 20.0)  # at 10 m: none of the plume meanders
LENGTHS = st.floats(5.0, 1e5).flatmap(lambda v: st.sampled_from([v, -v]))
slowly = settings(max_examples=25, deadline=None, derandomize=True)


def crosswind_plane(x, lid):
    """Points of a Gauss-Legendre plane across the plume, 12 sigma_y wide, and their weights."""
    sigma = 0.75 * x
    y, wy = np.polynomial.legendre.leggauss(300)
    z, wz = np.polynomial.legendre.leggauss(160)
    # stretch y so that narrow plumes are resolved too
    half = 8.0 * sigma
    yy = half * y**5
    weight = half * 5.0 * y**4 * wy
    zz = 0.5 * lid * (z + 1.0)
    gy, gz = np.meshgrid(yy, zz)
    return pd.DataFrame({"x": x, "y": gy.ravel(), "z": gz.ravel()}), np.outer(0.5 * lid * wz, weight).ravel()


@slowly
@given(
    scheme=BY_CLASS,
    stability=st.sampled_from("ABCD"),
    speed=st.floats(4.0, 20.0),
    lid=st.floats(150.0, 1050.0),  # a stack is at most 1000 m
    share=st.floats(0.02, 0.95),
    x=st.floats(500.0, 30000.0),
)
def test_mass_flux_is_the_emission(scheme, stability, speed, lid, share, x):
    height = share * lid
    plane, weight = crosswind_plane(x, lid)
    weather = one_hour(wind_speed=speed, wind_height=height, mixing_height=lid, stability_class=stability)
    got = plume.concentration(one_source(height=height), plane, weather, dispersion=scheme).to_numpy()[0]
    assert (got * weight).sum() * speed == pytest.approx(1e6, rel=1e-6)


@slowly
@given(
    speed=WINDY,
    length=LENGTHS,
    lid=st.floats(150.0, 1100.0),
    share=st.floats(0.001, 0.9),
    x=st.floats(300.0, 30000.0),
    buoyant=st.booleans(),
)
def test_similarity_profile_holds_all_the_mass(speed, length, lid, share, x, buoyant):
    from airsim.plume import api, dispersion
    from airsim.plume.plumes import plumes

    source = one_source(height=share * lid, diameter=2.0 * buoyant, exit_velocity=9.0, exit_temperature=360.0)
    weather = one_hour(wind_speed=speed, obukhov_length=length, mixing_height=lid, convective_velocity=np.nan)
    run = api._Run(source, pd.DataFrame({"x": [x], "y": 0.0, "z": 0.0}), weather, "similarity", None, None)
    state, hour, winds = plumes(run.sources, run.weather, "similarity", None)
    p = state[0, 0]
    if p[kernels.KEPT] < 1.0 or p[kernels.LID] >= kernels.NO_LID:
        return  # part of the plume is above the lid
    node, weight = np.polynomial.legendre.leggauss(16)
    total = 0.0
    pieces = np.unique(np.append(np.linspace(0.0, lid, 31), np.minimum(p[0] + p[1], lid)))
    for a, b in itertools.pairwise(pieces):
        for t, w in zip(node, weight, strict=True):
            z = 0.5 * (a + b) + 0.5 * (b - a) * t
            args = (x, z, 0.0, kernels.SIMILARITY, p, hour[0], winds[0], dispersion.coefficients("similarity"), 3.0)
            total += 0.5 * (b - a) * w * np.exp(kernels.axis(*args)[0])
    ln_f, _, near, _ = kernels.axis(
        x, 0.0, 0.0, kernels.SIMILARITY, p, hour[0], winds[0], dispersion.coefficients("similarity"), 3.0
    )
    assert np.isfinite(ln_f)
    expected = p[kernels.ELEVATED] / p[kernels.SPEED] + (1.0 - p[kernels.ELEVATED]) / near
    assert total == pytest.approx(expected, rel=1e-6)


@slowly
@given(
    scheme=BY_CLASS,
    speed=st.floats(4.0, 15.0),
    lid=st.floats(100.0, 600.0),
    z=st.floats(0.0, 0.99),
)
def test_far_field_is_well_mixed(scheme, speed, lid, z):
    x = 60000.0
    y, w = np.polynomial.legendre.leggauss(600)
    half = 6.0 * x
    place = pd.DataFrame({"x": x, "y": half * y**5, "z": z * lid})
    weather = one_hour(wind_speed=speed, wind_height=0.4 * lid, mixing_height=lid, stability_class="B")
    got = plume.concentration(one_source(height=0.4 * lid), place, weather, dispersion=scheme).to_numpy()[0]
    assert (got * w * half * 5.0 * y**4).sum() == pytest.approx(1e6 / (speed * lid), rel=1e-5)


@slowly
@given(
    scheme=SCHEMES,
    speed=st.floats(0.0, 15.0),
    length=LENGTHS,
    x=st.floats(-20000.0, 20000.0),
    y=st.floats(1.0, 5000.0),
    height=st.floats(0.0, 300.0),
)
def test_symmetric_about_the_axis(scheme, speed, length, x, y, height):
    place = pd.DataFrame({"x": [x, x], "y": [y, -y], "z": 1.5})
    got = plume.concentration(
        one_source(height=height), place, one_hour(wind_speed=speed, obukhov_length=length), dispersion=scheme
    ).to_numpy()[0]
    assert got[0] == pytest.approx(got[1], rel=1e-9, abs=1e-300)


@slowly
@given(
    scheme=BY_CLASS,
    stability=st.sampled_from("ABCDEF"),
    low=st.floats(0.0, 400.0),
    high=st.floats(0.0, 400.0),
    x=st.floats(50.0, 20000.0),
    y=st.floats(-500.0, 500.0),
)
def test_source_and_receptor_change_places(scheme, stability, low, high, x, y):
    """In a wind that is the same at both heights, heights may be exchanged."""

    def at(release, z):
        return plume.concentration(
            one_source(height=release),
            pd.DataFrame({"x": [x], "y": [y], "z": [z]}),
            one_hour(wind_speed=6.0, wind_height=max(release, 1e-3), mixing_height=900.0, stability_class=stability),
            dispersion=scheme,
        ).item()

    if min(low, high) < 3.0:
        return  # below 7 z0 the wind goes to zero
    assert at(low, high) == pytest.approx(at(high, low), rel=1e-9, abs=1e-300)


@slowly
@given(
    scheme=SCHEMES, speed=st.floats(0.3, 12.0), length=LENGTHS, short=st.floats(50.0, 1e4), times=st.floats(1.1, 50.0)
)
def test_decay_is_monotone(scheme, speed, length, short, times):
    place = pd.DataFrame({"x": [300.0, 3000.0, 12000.0], "y": 5.0, "z": 1.5})
    weather = one_hour(wind_speed=speed, obukhov_length=length)
    quick = plume.concentration(one_source(), place, weather, dispersion=scheme, half_life=short).to_numpy()
    slow = plume.concentration(one_source(), place, weather, dispersion=scheme, half_life=times * short).to_numpy()
    never = plume.concentration(one_source(), place, weather, dispersion=scheme).to_numpy()
    assert np.all(quick <= slow)
    assert np.all(slow <= never)
    seen = quick[0] > 1e-290
    left = (quick / np.where(never > 0, never, 1.0))[0][seen]
    assert np.all(np.diff(left) <= 0.0)


@slowly
@given(scheme=SCHEMES, seed=st.integers(0, 10**6))
def test_superposition_and_order_of_sources(scheme, seed):
    rng = np.random.default_rng(seed)
    sources = one_source(
        x=rng.uniform(-500, 500, 6),
        y=rng.uniform(-500, 500, 6),
        height=rng.uniform(0, 100, 6),
        rate=rng.uniform(0, 5, 6),
    )
    place = pd.DataFrame({"x": [900.0, 2500.0], "y": [-40.0, 300.0], "z": 0.0})
    weather = one_hour(wind_speed=float(rng.uniform(0, 8)))
    whole = plume.concentration(sources, place, weather, dispersion=scheme)
    turned = plume.concentration(sources.iloc[::-1], place, weather, dispersion=scheme)
    single = sum(plume.concentration(sources.iloc[[i]], place, weather, dispersion=scheme) for i in range(6))
    np.testing.assert_allclose(turned, whole, rtol=1e-12)
    np.testing.assert_allclose(single, whole, rtol=1e-12)


@slowly
@given(speed=st.floats(0.0, 2.5), length=LENGTHS, height=st.floats(0.1, 200.0))
def test_light_wind_carries_all_of_the_plume_through_a_circle(speed, length, height):
    """The shares of the coherent and the meandering part are one together."""
    from airsim.plume import api
    from airsim.plume.plumes import plumes

    weather = one_hour(wind_speed=speed, obukhov_length=length)
    run = api._Run(
        one_source(height=height), pd.DataFrame({"x": [1.0], "y": 0.0, "z": 0.0}), weather, "similarity", None, None
    )
    state, _, _ = plumes(run.sources, run.weather, "similarity", None)
    p = state[0, 0]
    share = kernels.meandering(p[kernels.SPEED], p)
    assert 0.0 < share <= 1.0 + 1e-12
    assert share == pytest.approx(1.0) if speed == 0.0 else share <= 0.95
    # never a division by a small wind: the plume travels at least with its own gusts
    assert p[kernels.SPEED] >= np.sqrt(2.0) * p[kernels.SIGMA_V] * (1.0 - 1e-12)


def test_deposited_and_airborne_make_the_emission():
    """What crosses a plane and what fell before it add up, by an independent integral along the ground."""
    velocity, lid, speed, height = 0.02, 600.0, 4.0, 20.0
    weather = one_hour(wind_speed=speed, wind_height=height, mixing_height=lid, stability_class="D")
    source = one_source(height=height, deposition_velocity=velocity)
    plane, weight = crosswind_plane(8000.0, lid)
    crossing = plume.concentration(source, plane, weather, dispersion="briggs_rural").to_numpy()[0]
    airborne = (crossing * weight).sum() * speed
    u, w = np.polynomial.legendre.leggauss(200)
    x = np.exp(0.5 * np.log(8000.0) * (u + 1.0))
    y, wy = np.polynomial.legendre.leggauss(120)
    ground = 0.0
    for xi, wi in zip(x, w, strict=True):
        half = 8.0 * 0.08 * xi
        line = plume.concentration(
            source, pd.DataFrame({"x": xi, "y": half * y, "z": 0.0}), weather, dispersion="briggs_rural"
        ).to_numpy()[0]
        ground += wi * 0.5 * np.log(8000.0) * xi * (line * wy).sum() * half
    assert airborne + velocity * ground == pytest.approx(1e6, rel=1e-4)
    assert airborne < 0.99e6
