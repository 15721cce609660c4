"""Formulas for what weather files lack, and the interpolation: identities, limits, hand-worked figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airsim import meteorology
from airsim.geography import load, make_grid
from airsim.meteorology import boundary_layer as bl
from airsim.meteorology import clock_check, diagnosis, mass_consistent, regrid, synthetic
from airsim.meteorology.source import HOUR

F = 2 * 7.2921e-5 * np.sin(np.radians(34.0))


def test_stable_height_has_both_its_limits():
    """0.4 sqrt(u* L / f) of Zilitinkevich (1972) in strong stability, 0.3 u*/f near neutral; rising between."""
    strong = bl.stable_mixing_height(0.05, 1.0, 34.0)
    assert strong == pytest.approx(0.4 * np.sqrt(0.05 * 1.0 / F), rel=0.06)
    assert bl.stable_mixing_height(0.3, 1e5, 34.0) == pytest.approx(0.3 * 0.3 / F, rel=0.03)
    heights = bl.stable_mixing_height(0.2, np.geomspace(1, 1e5, 40), 34.0)
    assert np.all(np.diff(heights) > 0)
    assert np.isfinite(bl.stable_mixing_height(0.2, 50.0, 0.0))


def test_obukhov_length_by_hand():
    # u* 0.4, T 290, H 100 W m-2 at 97 kPa: rho 1.1652, w'theta' 0.08540; L = -290 * 0.064 / (0.4 * 9.80665 * 0.0854)
    assert bl.obukhov_length(0.4, 290.0, 100.0) == pytest.approx(-55.4, abs=0.1)
    assert bl.obukhov_length(0.4, 290.0, -100.0) == pytest.approx(55.4, abs=0.1)
    assert bl.obukhov_length(0.0, 290.0, 500.0) == -1
    assert bl.obukhov_length(1.0, 290.0, 0.0) == 1e5
    assert list(bl.limit_length([-0.1, 0.2, 3e7, -3e7, 50])) == [-1, 1, 1e5, -1e5, 50]


def test_night_flux_and_length_agree():
    """-rho cp u* theta* and the length that follows from it are L = T u*^2 / (k g theta*)."""
    u, t, cloud = 0.25, 275.0, 0.4
    heat = bl.stable_heat_flux(u, t, cloud)
    scale = 0.09 * (1 - 0.5 * cloud**2)
    assert bl.obukhov_length(u, t, heat) == pytest.approx(t * u**2 / (0.4 * 9.80665 * scale), rel=1e-9)


def test_encroachment_into_a_constant_gradient_is_the_textbook_root():
    heat = np.full((6, 1), 120.0)
    heat[0] = -20
    temperature = np.full((6, 1), 280.0)
    h0 = np.full((6, 1), 50.0)
    got = bl.encroachment(heat, temperature, h0)[:, 0]
    flux = 120.0 / (97_000 / (287.05 * 280.0) * 1005)
    passed = (np.arange(5) + 0.5) * 3600
    np.testing.assert_allclose(got[1:], np.sqrt(50**2 + 2 * 1.4 * flux * passed / 0.005), rtol=1e-12)
    assert got[0] == 0


def test_encroachment_fills_exactly_the_wedge_of_a_broken_profile():
    """The heat put in is the area between the mixed layer's temperature and the morning profile, times 1 / 1.4."""
    z = np.array([25.0, 100.0, 300.0, 800.0, 2000.0])
    theta = np.array([270.0, 273.0, 274.0, 275.0, 282.0])
    heat = np.array([[-10.0], [80.0], [150.0], [200.0]])
    temperature = np.full((4, 1), 275.0)
    got = bl.encroachment(
        heat, temperature, np.zeros((4, 1)), height=z, potential_temperature=np.broadcast_to(theta[:, None], (4, 5, 1))
    )[:, 0]
    fine = np.linspace(0, 2500, 500_001)
    slopes = np.diff(theta) / np.diff(z)
    profile = np.interp(fine, z, theta)
    profile = np.where(fine < 25, theta[0] - slopes[0] * (25 - fine), profile)
    profile = np.where(fine > 2000, theta[-1] + slopes[-1] * (fine - 2000), profile)
    for hour, h in enumerate(got):
        if hour == 0:
            continue
        below = fine <= h
        wedge = np.trapezoid(profile[below][-1] - profile[below], fine[below])
        kinematic = np.cumsum(heat[1:, 0]) - heat[1:, 0] / 2
        given_ = 1.4 * kinematic[hour - 1] * 3600 / (97_000 / (287.05 * 275.0) * 1005)
        assert wedge == pytest.approx(given_, rel=2e-3)


def test_encroachment_begins_anew_each_morning():
    heat = np.array([-5.0, 50, 100, -5, -5, 50, 100])[:, None]
    got = bl.encroachment(heat, np.full((7, 1), 280.0), np.full((7, 1), 80.0))[:, 0]
    np.testing.assert_allclose(got[1:3], got[5:7], rtol=1e-12)
    assert not got[[0, 3, 4]].any()


@given(st.floats(0.2, 1.0), st.floats(0.0, 1.0))
def test_cloud_and_shortwave_are_inverses(sine, cloud):
    back = bl.cloud_from_shortwave(bl.shortwave(sine, cloud), sine)
    assert bl.shortwave(sine, back) == pytest.approx(bl.shortwave(sine, cloud), abs=1e-6)


def test_no_cloud_is_read_from_a_low_sun():
    assert np.isnan(bl.cloud_from_shortwave(0.0, np.array([-0.5, 0.1]))).all()


def test_saturation_pressure_of_the_tables():
    # Goff-Gratch, WMO tables: 6.1078 hPa at 0, 23.373 at 20, 42.430 at 30 degC over water
    np.testing.assert_allclose(bl.saturation_pressure([273.15, 293.15, 303.15]), [611.1, 2337, 4243], rtol=3e-3)


def test_turner_classes_of_the_table():
    """Hand-picked cells of table 6-4 and the rules of 6-6 in EPA-454/R-99-005."""
    deg = lambda e: np.sin(np.radians(e))  # noqa: E731
    assert str(bl.turner_class(0.5, deg(70), 0.0)) == "A"
    assert str(bl.turner_class(3.1, deg(50), 0.2)) == "B"
    assert str(bl.turner_class(5.0, deg(30), 0.3)) == "D"
    assert str(bl.turner_class(7.0, deg(70), 0.0)) == "C"
    assert str(bl.turner_class(1.0, deg(-20), 0.1)) == "F"
    assert str(bl.turner_class(2.5, deg(-20), 0.8)) == "E"
    assert str(bl.turner_class(2.5, deg(-20), 0.2)) == "F"
    # an overcast with a low base is neutral by day and night, at any wind
    assert set(np.ravel(bl.turner_class([[0.5], [3.0], [8.0]], deg(np.array([60, -40])), 1.0, 500.0)).tolist()) == {"D"}
    # cloud takes the strong sun of 70 degrees (4) down by one at middle height: class number 3
    assert str(bl.turner_class(4.0, deg(70), 0.8)) == str(bl.turner_class(4.0, deg(50), 0.0))


def test_profiles_that_are_logarithmic_stay_so():
    source = np.array([10.0, 30, 60, 100, 200, 500, 1200])
    wanted = np.array([15.0, 25, 85])
    u = np.log(source / 0.1)[:, None] * np.ones(4)
    (got,) = regrid.to_heights(source[:, None] * np.ones(4), [u], wanted)
    np.testing.assert_allclose(got, (np.log(wanted / 0.1)[:, None] * np.ones(4)), rtol=1e-6)
    v = (3 + source / 100)[:, None] * np.ones(4)
    (got,) = regrid.to_heights(source[:, None] * np.ones(4), [v], np.array([150.0, 350, 900]))
    np.testing.assert_allclose(got[:, 0], [4.5, 6.5, 12.0], rtol=1e-6)
    (got,) = regrid.to_heights(source[:, None] * np.ones(4), [u], np.array([3.0, 5000.0]))
    np.testing.assert_allclose(got[:, 0], [u[0, 0], u[-1, 0]], rtol=1e-6)  # held beyond the ends


def test_stretched_height_is_smooth_at_the_join():
    z = np.array([99.0, 100.0, 101.0])
    s = regrid.stretch(z)
    assert np.diff(s)[0] == pytest.approx(np.diff(s)[1], rel=0.01)


def test_bilinear_weights_reproduce_a_plane_on_a_curved_grid():
    random = np.random.default_rng(3)
    j, i = np.mgrid[0:15, 0:20].astype(float)
    x = 1000 * (i * np.cos(0.3) - j * np.sin(0.3)) + 20 * j**1.5
    y = 1000 * (i * np.sin(0.3) + j * np.cos(0.3)) + 15 * i**1.5
    inner_j, inner_i = random.uniform(0.2, 13.8, 300), random.uniform(0.2, 18.8, 300)
    px = 1000 * (inner_i * np.cos(0.3) - inner_j * np.sin(0.3)) + 20 * inner_j**1.5
    py = 1000 * (inner_i * np.sin(0.3) + inner_j * np.cos(0.3)) + 15 * inner_i**1.5
    weights, inside = regrid.bilinear(x, y, px, py)
    assert inside.all()
    field = 2 * x - 3 * y + 50
    np.testing.assert_allclose(weights(field[weights.window.cut]), 2 * px - 3 * py + 50, rtol=1e-4, atol=1.0)
    np.testing.assert_allclose(weights.matrix.sum(axis=1), 1, rtol=1e-6)
    _, inside = regrid.bilinear(x, y, px + 60_000, py)
    assert not inside.any()


def test_hours_between_stamps_and_beyond():
    stamps = np.datetime64("2019-01-01T00") + np.arange(3) * 3 * HOUR
    values = [np.full(2, v, np.float32) for v in (0.0, 3.0, 12.0)]
    middle = np.datetime64("2019-01-01T00:30") + np.arange(7) * HOUR
    got = regrid.in_time(stamps, values, middle)[:, 0]
    np.testing.assert_allclose(got, [0.5, 1.5, 2.5, 4.5, 7.5, 10.5, 12.0])


def test_a_wind_without_its_foot_gets_a_logarithmic_one():
    height = np.full((3, 1), 1.0) * np.array([[-200.0], [30.0], [90.0]])
    u = np.array([[99.0], [4.0], [5.0]])
    made = regrid._columns(
        {"height": height, "eastward_wind": u, "northward_wind": 0 * u}, np.array([0.1]), np.array([10.0, 30.0])
    )
    assert made["eastward_wind"][0, 0] == pytest.approx(4 * np.log(100) / np.log(300), rel=1e-5)
    assert made["eastward_wind"][1, 0] == pytest.approx(4.0, rel=1e-5)


def everything(hours, n):
    shape = hours, n
    hour = np.arange(hours)[:, None] * np.ones(n)
    sun = np.clip(np.sin(2 * np.pi * (hour + 0.5 + 8 - 7) / 24), 0, 1)
    return {
        "air_temperature": 275 + 5 * sun,
        "relative_humidity": np.full(shape, 0.6),
        "cloud_area_fraction": np.full(shape, 0.3),
        "surface_downwelling_shortwave_flux_in_air": 500 * sun,
        "upward_sensible_heat_flux": -20 + 170 * sun,
        "friction_velocity": np.full(shape, 0.25),
        "atmosphere_boundary_layer_thickness": 120 + 800 * sun,
        "inverse_obukhov_length": np.where(sun > 0.15, -0.02, 0.03),
        "precipitation_flux": np.full(shape, 1e-5),
    }


TIME = np.datetime64("2019-01-01T00", "ns") + np.arange(48) * HOUR
PLACES = (np.full(3, 108.9), np.full(3, 34.3), np.full(3, 400.0), np.full(3, 0.3))
HEIGHTS = np.array([25.0, 85, 185, 350, 600, 975, 1600, 2500])


def test_what_is_known_is_kept_and_what_is_not_says_so():
    known = everything(48, 3)
    made, said = diagnosis.diagnose(TIME, *PLACES, np.full((48, 3), 2.0), 10.0, known, HEIGHTS, None)
    for name in ("air_temperature", "friction_velocity", "atmosphere_boundary_layer_thickness", "precipitation_flux"):
        np.testing.assert_allclose(made[name], known[name])
        assert said[name] == "no"
    np.testing.assert_allclose(made["obukhov_length"], 1 / known["inverse_obukhov_length"])
    assert said["convective_velocity"].startswith("yes")
    assert set(said) == set(made)


@pytest.mark.parametrize("name", sorted(set(everything(2, 1)) - {"air_temperature", "relative_humidity"}))
def test_any_one_figure_may_be_missing(name):
    known = everything(48, 3)
    full, _ = diagnosis.diagnose(TIME, *PLACES, np.full((48, 3), 2.0), 10.0, known, HEIGHTS, None)
    del known[name]
    made, _ = diagnosis.diagnose(TIME, *PLACES, np.full((48, 3), 2.0), 10.0, known, HEIGHTS, None)
    for key, values in made.items():
        assert np.isfinite(values).all(), key
    if name == "atmosphere_boundary_layer_thickness":
        day = known["upward_sensible_heat_flux"] > 100
        ratio = made[name][day] / full[name][day]
        assert 0.3 < np.median(ratio) < 2


def test_with_temperature_and_wind_alone_the_day_is_unstable_and_the_night_stable():
    known = {k: v for k, v in everything(48, 3).items() if k in {"air_temperature", "relative_humidity"}}
    made, said = diagnosis.diagnose(TIME, *PLACES, np.full((48, 3), 1.5), 10.0, known, HEIGHTS, None)
    length, depth = made["obukhov_length"][:, 0], made["atmosphere_boundary_layer_thickness"][:, 0]
    assert length[5] < 0 < length[15]  # 13 and 23 o'clock in Beijing
    assert depth[7] > 2 * depth[15]
    assert (depth >= bl.MINIMUM_MIXING_HEIGHT).all()
    assert (made["convective_velocity"][length > 0] == 0).all()
    assert said["cloud_area_fraction"].startswith("assumed")


def test_synthetic_weather_and_its_own_diagnosis_agree():
    """Afternoons lie near the basin's climatology; in its calm nights similarity falls to the floor, below it."""
    place = load(make_grid((107.8, 33.6, 110.2, 35.2), 20_000.0))
    weather = synthetic.episode(place, start="2018-12-31T16:00", hours=48, seed=1)
    fields = {n: weather[n].values for n in ("air_temperature", "relative_humidity", "cloud_area_fraction")}
    speed = np.hypot(weather["x_wind"].values[:, 0], weather["y_wind"].values[:, 0])
    made, _ = diagnosis.diagnose_field(
        place.grid, weather["roughness_length"].values, weather["time"].values, speed, 25.0, fields, None
    )
    own, theirs = made["atmosphere_boundary_layer_thickness"], weather["atmosphere_boundary_layer_thickness"].values
    afternoon, night = [13, 14, 15, 37, 38, 39], [1, 2, 3, 25, 26, 27]
    assert 0.4 < np.median(own[afternoon]) / np.median(theirs[afternoon]) < 2.5
    assert bl.MINIMUM_MIXING_HEIGHT <= np.median(own[night]) < np.median(theirs[night])
    # the night's stress is the same formula; by day the episode's sun is dimmed by haze
    off = np.abs(made["friction_velocity"] - weather["friction_velocity"].values)
    assert off[night].max() < 1e-5


def test_turner_and_golder_classes_at_a_place():
    place = load(make_grid((107.8, 33.6, 110.2, 35.2), 20_000.0))
    weather = synthetic.episode(place, start="2018-12-31T16:00", hours=24, seed=1)
    golder, turner = (meteorology.at(weather, 0.0, 0.0, stability=s)["stability_class"] for s in ("golder", "turner"))
    assert set(golder) | set(turner) <= set("ABCDEF")
    number = {c: i for i, c in enumerate("ABCDEF")}
    night = [number[c] for c in turner[:6]]  # 0 to 6 o'clock in Beijing
    noon = [number[c] for c in turner[11:15]]
    assert min(night) > max(noon)


@pytest.mark.parametrize(("shift", "zone"), [(0, None), (8, "UTC+7"), (-8, "UTC already")])
def test_the_sun_tells_the_clock(shift, zone):
    time = TIME + HOUR // 2
    sine = bl.sine_of_solar_elevation(time - shift * HOUR, 108.9, 34.3)
    said = clock_check.odd_hours(time, 108.9, None, bl.shortwave(sine, 0.3))
    assert bool(said) == (shift != 0)
    if zone:
        assert zone in said[0].en
        assert "未作平移" in said[0].zh


def test_a_flat_course_tells_nothing():
    time = TIME + HOUR // 2
    assert clock_check.odd_hours(time, 108.9, np.full(48, 280.0), None) == []
    assert clock_check.odd_hours(time[:10], 108.9, np.arange(10.0), None) == []


def test_fluxes_of_a_uniform_wind_over_flat_ground_are_kept():
    """Through `finish`, the wind of a source over level country comes out as it went in."""
    place = load(make_grid((107.8, 33.6, 110.2, 35.2), 20_000.0))
    grid = place.grid
    flat = type(grid)(
        grid.x, grid.y, grid.spacing, grid.level_edges, grid.crs, grid.longitude, grid.latitude, 0 * grid.terrain
    )
    object.__setattr__(place, "grid", flat)
    wind = np.ones((3, *grid.shape), np.float32)
    known = {k: v[:3, :1, None] * np.ones((3, grid.ny, grid.nx)) for k, v in everything(48, 1).items()}
    fields = {k: v.astype(np.float32) for k, v in known.items()}
    made = regrid.finish(place, TIME[0], 5 * wind, -3 * wind, fields, None, {"title": "", "title_zh": ""}, [])
    np.testing.assert_allclose(made["x_wind"].values, 5, rtol=1e-4)
    np.testing.assert_allclose(made["y_wind"].values, -3, rtol=1e-4)
    assert made.attrs["wind_adjustment"].endswith(", ".join(["0.00"] * grid.nz))
    mass = mass_consistent.air_mass(flat)
    np.testing.assert_allclose(made["x_face_air_flux"].values[0, :, 0, 3], 5 * mass[:, 0, 3] / grid.spacing, rtol=1e-4)
