import numpy as np
import pytest

from airsim.meteorology import boundary_layer as bl


def test_sun_at_xian():
    noon = np.datetime64("2019-06-21T04:45")  # solar noon at 108.9 E is 12:45 Beijing time
    assert np.degrees(np.arcsin(bl.sine_of_solar_elevation(noon, 108.9, 34.3))) == pytest.approx(
        90 - 34.3 + 23.44, abs=0.2
    )
    # 1 January 2019: NOAA solar calculator gives sunrise at about 07:51, sunset at about 17:46 (Beijing time)
    for time in ("2018-12-31T23:53", "2019-01-01T09:43"):
        elevation = np.degrees(np.arcsin(bl.sine_of_solar_elevation(np.datetime64(time), 108.9, 34.3)))
        assert abs(elevation) < 1.5


def test_shortwave_of_holtslag_van_ulden():
    assert bl.shortwave(0.5, 0.0) == pytest.approx(465)
    assert bl.shortwave(0.5, 1.0) == pytest.approx(465 * 0.25)
    assert bl.shortwave(-0.3, 0.0) == 0


def test_net_radiation_is_negative_on_a_clear_night_and_less_so_under_cloud():
    clear, overcast = bl.net_radiation(0.0, np.array([0.0, 1.0]), 273.15)
    assert -100 < clear < -50
    assert clear < overcast < 0


def test_heat_flux_rises_with_dryness_and_is_minus_twenty_without_radiation():
    assert bl.sensible_heat_flux(0.0, 275.0) == -20
    dry, wet = (bl.sensible_heat_flux(300.0, 293.0, moisture=m) for m in (0.3, 1.0))
    assert dry > wet > 0


def test_similarity_profile_matches_its_gradient():
    """d(profile)/dz = phi_m / z with the gradient functions the two psi come from."""
    z = np.linspace(5, 60, 2000)
    for length in (-20.0, -300.0, 50.0, 400.0):
        shape = np.log(z) - bl.stability_correction(z, length)
        gradient = np.gradient(shape, z) * z
        zeta = z / length
        phi = (1 - 16 * zeta) ** -0.25 if length < 0 else 1 + 17 * 0.29 * zeta * np.exp(-0.29 * zeta)
        np.testing.assert_allclose(gradient[5:-5], phi[5:-5], rtol=2e-4)


def test_neutral_profile_is_logarithmic():
    assert bl.wind_ratio(100.0, 10.0, 0.1, 1e5) == pytest.approx(np.log(1000) / np.log(100), rel=1e-2)
    assert bl.wind_ratio(10.0, 10.0, 0.3, -50.0) == 1


def test_unstable_surface_layer_solves_its_own_equations():
    speed, temperature, heat, z0, h = np.array([0.0, 1.0, 3.0, 8.0]), 275.0, 120.0, 0.3, 800.0
    u, length, w = bl.surface_layer(speed, 25.0, temperature, heat, 0.2, z0, h)
    flux = heat * 287.05 * temperature / (97_000 * 1005)
    np.testing.assert_allclose(w, (9.80665 / temperature * flux * h) ** (1 / 3), rtol=1e-12)
    np.testing.assert_allclose(length, -(u**3) * temperature / (0.4 * 9.80665 * flux), rtol=1e-9)
    gusty = np.sqrt(np.maximum(speed, bl.MINIMUM_SPEED) ** 2 + (1.2 * w) ** 2)
    profile = np.log(25 / z0) - bl.stability_correction(25.0, length) + bl.stability_correction(z0, length)
    np.testing.assert_allclose(u, 0.4 * gusty / profile, rtol=1e-3)
    assert np.all(np.diff(u) > 0)


def test_stable_surface_layer_above_the_critical_wind_keeps_the_log_linear_profile():
    speed, temperature, z0 = np.array([4.0, 6.0, 10.0]), 270.0, 0.1
    u, length, w = bl.surface_layer(speed, 10.0, temperature, -30.0, 0.0, z0, 150.0)
    # u = u*/k (ln z/z0 + 5 z/L), the profile behind Venkatram's quadratic
    np.testing.assert_allclose(u / 0.4 * (np.log(10 / z0) + 5 * 10 / length), speed, rtol=1e-10)
    assert not w.any()


def test_stable_limit_is_continuous_at_the_critical_wind_and_finite_in_a_calm():
    speed = np.linspace(0, 5, 2001)
    u, length, _ = bl.surface_layer(speed, 10.0, 270.0, -30.0, 0.0, 0.1, 100.0)
    # the quadratic has a root's slope at the critical wind, but no jump
    assert np.abs(np.diff(u)).max() < 0.01
    assert np.all(u > 0)
    assert np.all(length >= bl.MINIMUM_LENGTH)


def test_nothing_ever_divides_by_zero():
    with np.errstate(all="raise"):
        values = bl.surface_layer(
            np.zeros((3, 1)), 10.0, 275.0, np.array([-50.0, 0.0, 200.0]), np.array([0.0, 0.5, 1.0]), 1.0, 50.0
        )
    assert all(np.isfinite(v).all() for v in values)
    assert np.all(np.abs(values[1]) >= 1)
    assert np.all(np.abs(values[1]) <= 1e5)


def test_golder_classes_in_order():
    length = np.array([-8.0, -15.0, -60.0, 1e5, 45.0, 12.0])
    assert "".join(bl.stability_class(length, 0.1)) == "ABCDEF"
    # the limits lie farther from neutral over smooth ground: the same L is a weaker class there
    assert bl.stability_class(-25.0, 0.5) == "B"
    assert bl.stability_class(-25.0, 0.001) == "C"
    assert bl.stability_class(-1e5, 2.0) == bl.stability_class(1e5, 2.0) == "D"
