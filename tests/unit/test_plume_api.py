"""What a user sees of the plume: shapes, statistics, bad input."""

import numpy as np
import pandas as pd
import pytest
import shapely
from naive_plume import one_hour, one_source

from airsim import InputError, plume

RECEPTORS = pd.DataFrame({"x": [500.0, 1500.0, -800.0], "y": [0.0, 60.0, 10.0], "z": 1.5}, index=["a", "b", "c"])


def many_hours(n=60):
    rng = np.random.default_rng(3)
    return one_hour(
        wind_speed=rng.uniform(0.0, 8.0, n),
        wind_from_direction=rng.uniform(0.0, 360.0, n),
        mixing_height=rng.uniform(100.0, 1500.0, n),
        obukhov_length=rng.choice([-20.0, -200.0, 30.0, 1e5], n),
    )


def test_passive_ground_truth():
    # briggs_rural D at 1000 m, 50 m release in 5 m/s at 50 m: sigma 76.28 and 37.95 m, worked out by hand
    got = plume.concentration(
        one_source(),
        pd.DataFrame({"x": [1000.0], "y": [0.0], "z": [0.0]}),
        one_hour(wind_height=50.0, mixing_height=5000.0, stability_class="D"),
        dispersion="briggs_rural",
    )
    sy, sz = 80.0 / 1.1**0.5, 60.0 / 2.5**0.5
    assert got.item() == pytest.approx(1e6 / (np.pi * 5.0 * sy * sz) * np.exp(-0.5 * (50.0 / sz) ** 2), rel=1e-6)
    assert got.attrs["units"] == "ug m-3"


def test_labels_and_groups():
    sources = one_source(x=[0.0, 10.0, 20.0], group=["steel", "coke", "steel"], rate=[1.0, 2.0, 0.0])
    total = plume.concentration(sources, RECEPTORS, one_hour())
    parts = plume.concentration(sources, RECEPTORS, one_hour(), by="group")
    assert total.dims == ("time", "receptor")
    assert parts.dims == ("group", "time", "receptor")
    assert parts.group.values.tolist() == ["coke", "steel"]
    assert total.receptor.values.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(parts.sum("group"), total, rtol=1e-12)


def test_wind_blows_from_its_direction():
    north = plume.concentration(
        one_source(),
        pd.DataFrame({"x": [0.0, 0.0], "y": [-900.0, 900.0], "z": 0.0}),
        one_hour(wind_from_direction=0.0),
        dispersion="briggs_rural",
    )
    assert north[0, 0] > 0.0
    assert north[0, 1] == 0.0


def test_statistics_are_those_of_the_hours():
    weather = many_hours()
    hours = plume.concentration(one_source(), RECEPTORS, weather).to_numpy()
    got = plume.statistics(
        one_source(), RECEPTORS, weather, ranks=(1, 3), percentiles=(98.0, 50.0, 0.0), thresholds=(0.5, 5.0)
    )
    np.testing.assert_allclose(got["mean"], hours.mean(0), rtol=1e-12)
    np.testing.assert_allclose(got["maximum"], hours.max(0), rtol=1e-12)
    np.testing.assert_allclose(got["highest"][1], np.sort(hours, axis=0)[-3], rtol=1e-12)
    np.testing.assert_allclose(got["percentile"], np.percentile(hours, [98, 50, 0], axis=0), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(got["exceedances"][0], (hours > 0.5).sum(0))


def test_daily_statistics_do_not_depend_on_blocks(monkeypatch):
    weather = many_hours(100)
    hours = plume.concentration(one_source(), RECEPTORS, weather).to_pandas()
    hours.index = hours.index + pd.Timedelta(hours=8)
    daily = hours.groupby(hours.index.date).mean()
    whole = plume.statistics(one_source(), RECEPTORS, weather, average="day", percentiles=(95.0,))
    monkeypatch.setattr("airsim.plume.api._BLOCK_BYTES", 1.0)
    cut = plume.statistics(one_source(), RECEPTORS, weather, average="day", percentiles=(95.0,))
    assert whole.attrs["values"] == len(daily)
    np.testing.assert_allclose(whole["mean"], daily.mean(), rtol=1e-12)
    np.testing.assert_allclose(whole["maximum"], daily.max(), rtol=1e-12)
    for name in whole.data_vars:
        np.testing.assert_allclose(whole[name], cut[name], rtol=1e-12)


@pytest.mark.parametrize("scheme", ["similarity", "briggs_urban"])
@pytest.mark.parametrize("speed", [0.0, 0.7, 4.5])
def test_area_source_is_many_points(scheme, speed):
    corners = shapely.Polygon([(0, 0), (300, 40), (260, 240), (100, 120)])
    fine = (np.arange(150) + 0.5) * 2.0
    gx, gy = (a.ravel() for a in np.meshgrid(fine, fine))
    inside = shapely.contains_xy(corners, gx, gy)
    shared = {"height": 5.0, "initial_sigma_z": 3.0}
    area = one_source(geometry=[corners], rate=7.0, **shared)
    points = one_source(x=gx[inside], y=gy[inside], rate=7.0 / inside.sum(), **shared)
    place = pd.DataFrame({"x": [700.0, 420.0, -150.0, 130.0], "y": [150.0, 400.0, 80.0, -220.0], "z": 1.5})
    weather = one_hour(wind_speed=speed, wind_from_direction=250.0)
    a = plume.concentration(area, place, weather, dispersion=scheme)
    b = plume.concentration(points, place, weather, dispersion=scheme)
    # the 2 m raster carries the shape's area to about 0.3 %
    np.testing.assert_allclose(a, b, rtol=0.01, atol=2e-4 * float(b.max()))


def test_road_is_a_thin_area():
    line = shapely.LineString([(0, -500), (0, 500)])
    road = one_source(geometry=[line], width=10.0, rate=1.0, height=1.0, initial_sigma_z=2.0)
    area = one_source(geometry=[shapely.box(-5, -500, 5, 500)], rate=1.0, height=1.0, initial_sigma_z=2.0)
    np.testing.assert_allclose(
        plume.concentration(road, RECEPTORS, one_hour()), plume.concentration(area, RECEPTORS, one_hour()), rtol=1e-9
    )


def test_terrain_raises_concentration_under_a_tall_stack():
    hill = RECEPTORS.assign(elevation=[0.0, 120.0, 0.0])
    sources = one_source(height=180.0, elevation=0.0)
    night = one_hour(obukhov_length=30.0, mixing_height=500.0, friction_velocity=0.2)
    flat = plume.concentration(sources, hill.assign(elevation=0.0), night)
    high = plume.concentration(sources, hill, night)
    assert high[0, 1] > 2.0 * flat[0, 1]
    assert high[0, 0] == flat[0, 0]


def test_precipitation_and_deposition_and_decay_take_away():
    dry = plume.concentration(one_source(height=2.0), RECEPTORS, one_hour())
    rain = plume.concentration(one_source(height=2.0, washout=1e-4), RECEPTORS, one_hour(precipitation=4.0))
    depo = plume.concentration(one_source(height=2.0, deposition_velocity=0.01), RECEPTORS, one_hour())
    decay = plume.concentration(one_source(height=2.0), RECEPTORS, one_hour(), half_life=100.0)
    for less in (rain, depo, decay):
        assert np.all(less[0, :2] < dry[0, :2])
        assert less[0, 1] / dry[0, 1] < less[0, 0] / dry[0, 0]


def problems_of(sources=None, receptors=None, weather=None, **more):
    with pytest.raises(InputError) as caught:
        plume.concentration(
            one_source() if sources is None else sources,
            RECEPTORS if receptors is None else receptors,
            one_hour() if weather is None else weather,
            **more,
        )
    return [(p.file, p.where, p.key) for p in caught.value.problems]


def test_bad_input_is_named():
    assert problems_of(one_source().drop(columns="rate")) == [("sources", "", "rate")]
    assert problems_of(one_source(rate=[1.0, -1.0])) == [("sources", "1", "rate")]
    assert problems_of(one_source(x=np.nan)) == [("sources", "0", "x")]
    assert problems_of(receptors=RECEPTORS.assign(z=[1.0, 2.0, np.inf])) == [("receptors", "2", "z")]
    assert problems_of(weather=one_hour(obukhov_length=[0.0, 10.0])) == [("meteorology", "0", "obukhov_length")]
    assert problems_of(weather=one_hour(mixing_height=-999.0)) == [("meteorology", "0", "mixing_height")]
    assert problems_of(weather=one_hour(wind_speed=np.nan)) == [("meteorology", "0", "wind_speed")]
    assert problems_of(weather=one_hour(wind_from_direction=np.nan)) == [("meteorology", "0", "wind_from_direction")]
    assert problems_of(weather=one_hour(stability_class="G")) == [("meteorology", "0", "stability_class")]
    assert problems_of(weather=many_hours(3).iloc[[0, 2, 1]]) == [("meteorology", "2", "time")]
    assert problems_of(weather=many_hours(3).iloc[[0, 1, 1]]) == [("meteorology", "2", "time")]
    assert problems_of(dispersion="gauss")[0][0] == "dispersion"
    assert problems_of(half_life=-1.0)[0][0] == "half_life"
    assert problems_of(by="group") == [("sources", "", "group")]
    wrong = one_source(rate=-1.0, height=-1.0)
    assert len(problems_of(wrong, weather=one_hour(wind_speed=-1.0))) == 3
    line = one_source(geometry=[shapely.LineString([(0, 0), (1, 1)])])
    assert problems_of(line) == [("sources", "0", "width")]


def test_treated_input_is_finite():
    awkward = one_hour(
        wind_speed=[0.0, 0.0, 3.0, 3.0, 3.0, 0.1, 4.0],
        wind_from_direction=[np.nan, 90.0, 270.0, 270.0, 270.0, 270.0, 270.0],
        obukhov_length=[-10.0, 5.0, np.inf, -np.inf, 1e-3, -1e-3, 50.0],
        convective_velocity=[np.nan, 0.0, 0.0, -9.0, np.nan, np.nan, np.nan],
        mixing_height=[800.0, 50.0, 20.0, 20.0, 5.0, 100.0, 10.0],
        friction_velocity=[0.1, 0.0, 0.4, 0.4, 0.3, 0.02, 0.3],
    )
    sources = one_source(height=[150.0, 0.0], diameter=[4.0, 0.0], exit_velocity=[15.0, 0.0], exit_temperature=400.0)
    place = pd.DataFrame({"x": [0.0, 0.5, 100.0, 1e5], "y": 0.0, "z": [0.0, 0.0, 200.0, 0.0]})
    for scheme in ("similarity", "briggs_rural", "briggs_urban", "pasquill_gifford"):
        got = plume.concentration(sources, place, awkward, dispersion=scheme).to_numpy()
        assert np.all(np.isfinite(got))
        assert np.all(got >= 0.0)


def test_calm_goes_all_ways():
    ring = np.radians(np.arange(0.0, 360.0, 45.0))
    place = pd.DataFrame({"x": 300.0 * np.cos(ring), "y": 300.0 * np.sin(ring), "z": 0.0})
    got = plume.concentration(one_source(height=10.0), place, one_hour(wind_speed=0.0, wind_from_direction=np.nan))
    assert got.min() > 0.0
    np.testing.assert_allclose(got, got.mean(), rtol=1e-9)


def test_nothing_in_nothing_out():
    none = plume.concentration(one_source().iloc[:0], RECEPTORS, one_hour())
    assert none.shape == (1, 3)
    assert np.all(none == 0.0)
    assert plume.concentration(one_source(), RECEPTORS.iloc[:0], one_hour()).shape == (1, 0)
    assert plume.concentration(one_source(), RECEPTORS, one_hour().iloc[:0]).shape == (0, 3)
