"""Plume rise against figures worked out by hand from the formulae of the ISC3 guide."""

import numpy as np
import pytest

from airsim.plume.boundary_layer import stability_class, wind_profile
from airsim.plume.rise import (
    buoyancy_flux,
    distance_to,
    effective_height,
    final_rise,
    momentum_flux,
    rise,
    tip_downwash,
)


def test_fluxes():
    # 9.80665 * 15 * 25/4 * 117/400; 225 * 25/4 * 283/400
    assert buoyancy_flux(5.0, 15.0, 400.0, 283.0) == pytest.approx(268.916, rel=1e-5)
    assert momentum_flux(5.0, 15.0, 400.0, 283.0) == pytest.approx(994.922, rel=1e-5)
    assert buoyancy_flux(5.0, 15.0, 270.0, 283.0) == 0.0


def test_neutral_buoyant_rise():
    # 38.71 * 268.916^0.6 / 5, reached where 1.5 F x^2/(0.36 u^3) makes the cube of it
    r = rise(150.0, 5.0, 15.0, 400.0, 283.0, 5.0, 0.0, 5000.0)
    assert r.final == pytest.approx(222.139, rel=1e-5)
    assert r.penetrated == pytest.approx(0.0, abs=0.02)
    only_buoyant = distance_to(r.final, 0.0, r.buoyancy)
    # ISC3: 119 F^0.4, consistent with the final rise to the rounding of its coefficients
    assert only_buoyant == pytest.approx(119.0 * 268.916**0.4, rel=0.01)
    weak = rise(50.0, 1.0, 10.0, 320.0, 290.0, 4.0, 0.0, 5000.0)
    flux = 9.80665 * 10.0 / 4.0 * 30.0 / 320.0
    assert weak.final == pytest.approx(max(21.425 * flux**0.75 / 4.0, 3.0 * 10.0 / 4.0), rel=1e-6)


def test_stable_rise():
    # 2.6 (F/(u s))^(1/3), s = g 0.02/T; far below the neutral rise
    s = 9.80665 * 0.02 / 283.0
    r = rise(150.0, 5.0, 15.0, 400.0, 283.0, 4.0, 0.02, 300.0, capped=False)
    assert r.final == pytest.approx(2.6 * (268.916 / (4.0 * s)) ** (1 / 3), rel=1e-5)
    calm = rise(150.0, 5.0, 15.0, 400.0, 283.0, 0.0, 0.02, 300.0, capped=False)
    assert calm.final == pytest.approx(min(4.0 * 268.916**0.25 * s**-0.375, 2.6 * (268.916 / (0.5 * s)) ** (1 / 3)))


def test_gradual_rise_meets_final():
    r = rise(100.0, 3.0, 12.0, 380.0, 285.0, [2.0, 5.0, 11.0], 0.0, 4000.0)
    x = distance_to(r.final, r.momentum, r.buoyancy)
    np.testing.assert_allclose(np.cbrt((r.momentum + r.buoyancy * x) * x), r.final, rtol=1e-12)
    assert distance_to(0.0, 0.0, 0.0) == 0.0
    assert distance_to(10.0, 4.0, 0.0) == pytest.approx(250.0)


def test_tip_downwash():
    assert tip_downwash(50.0, 2.0, 6.0, 8.0) == pytest.approx(50.0 - 4.0 * (1.5 - 0.75))
    assert tip_downwash(50.0, 2.0, 15.0, 8.0) == 50.0
    assert tip_downwash(50.0, 2.0, 0.0, 8.0) == 50.0
    assert tip_downwash(1.0, 3.0, 1.0, 20.0) == 0.0


def test_penetration_grows_as_the_lid_comes_down():
    lids = np.array([4000.0, 600.0, 400.0, 300.0, 220.0, 140.0])
    r = rise(150.0, 5.0, 15.0, 400.0, 283.0, 3.0, 0.0, lids)
    assert r.penetrated[0] == pytest.approx(0.0, abs=0.01)
    assert np.all(np.diff(r.penetrated) >= 0.0)
    assert r.penetrated[-2:] == pytest.approx([1.0, 1.0])
    kept = r.penetrated < 1.0
    assert np.all(r.release_height[kept] + r.final[kept] <= lids[kept])
    assert np.all(r.penetrated_height[~kept] >= lids[~kept])


def test_effective_height_for_gridding():
    shape = effective_height(np.full((3, 1), 100.0), 3.0, 12.0, 400.0, 280.0, 4.0, 0.3, np.full(5, -100.0), 1000.0)
    assert shape.shape == (3, 5)
    day = effective_height(100.0, 3.0, 12.0, 400.0, 280.0, 4.0, 0.3, -100.0, 2000.0)
    night = effective_height(100.0, 3.0, 12.0, 400.0, 280.0, 4.0, 0.1, 20.0, 100.0)
    assert 100.0 < night < day
    assert final_rise(100.0, 0.0, 0.0, 283.0, 283.0, 4.0, 0.3, -100.0, 1000.0) == 0.0


def test_golder_classes_in_order():
    lengths = np.array([-3.0, -12.0, -60.0, -1e5, 1e5, 30.0, 4.0])
    assert stability_class(lengths, 0.1).tolist() == [0, 1, 2, 3, 3, 4, 5]


def test_wind_profile_is_logarithmic_in_neutral_air():
    shape = wind_profile(np.array([10.0, 100.0]), 0.1, 1e5, 1000.0)
    np.testing.assert_allclose(shape, np.log(np.array([100.0, 1000.0])), rtol=1e-3)
    assert wind_profile(0.0, 0.1, 1e5, 1000.0) == 0.0
    assert wind_profile(2000.0, 0.1, -50.0, 1000.0) == wind_profile(1000.0, 0.1, -50.0, 1000.0)
