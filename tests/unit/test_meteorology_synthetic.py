import numpy as np
import pytest

from airsim import meteorology
from airsim.geography import CITIES, load, make_grid
from airsim.meteorology import climatology, synthetic

START, HOURS = "2018-12-29T16:00", 288
HOUR = np.timedelta64(1, "h")


@pytest.fixture(scope="module")
def place():  # the whole domain at 10 km: the same basin for an eighth of the work
    return load(make_grid(spacing=10_000.0, level_edges=(0, 50, 120, 250, 450, 750, 1200, 2000, 3000)))


@pytest.fixture(scope="module")
def weather(place):
    return synthetic.episode(place, start=START, hours=HOURS, seed=3)


def local(dataset):
    return dataset.time.values + 8 * HOUR


def in_city(place, dataset, name, city):
    weights = place.city_weights[[[c.id for c in CITIES].index(city)]].toarray()[0]
    values = dataset[name].values
    return values.reshape(len(values), -1) @ weights


def phases(dataset):
    t = local(dataset)
    day = [np.datetime64(f"2019-01-{d:02d}") for d in range(1, 12)]
    return {
        "build_up": t < day[1],
        "core": (t >= day[2] + 6 * HOUR) & (t < day[6] + 18 * HOUR),
        "front": (t >= day[7] + 4 * HOUR) & (t < day[8]),
        "aftermath": t >= day[9],
    }


def test_dataset_is_whole_sound_and_labelled(weather):
    assert meteorology.check(weather) == []
    assert set(weather.data_vars) == set(meteorology.VARIABLES)
    assert weather.attrs["synthetic"] == "yes"
    assert weather.attrs["seed"] == 3
    assert weather.time.values[0] == np.datetime64(START)
    assert all("units" in v.attrs and "long_name_zh" in v.attrs for v in weather.data_vars.values())


def test_fluxes_are_free_of_divergence_without_round_off(weather):
    x, y, z = (weather[f"{a}_face_air_flux"].values for a in "xyz")
    assert not (np.diff(x, axis=-1) + np.diff(y, axis=-2) + np.diff(z, axis=-3)).any()
    assert not z[:, 0].any()
    assert not z[:, -1].any()
    # the winds are those of the fluxes
    mass = weather.air_mass.values
    inner = (x[..., 1:] + x[..., :-1]) / 2 / (mass / 10_000.0)
    np.testing.assert_allclose(weather.x_wind.values[..., 1:-1], inner[..., 1:-1], atol=0.6)


def test_same_seed_same_bytes_other_seed_other_weather(place):
    a, b, c = (synthetic.episode(place, start=START, hours=30, seed=s) for s in (5, 5, 6))
    for name in meteorology.VARIABLES:
        assert a[name].values.tobytes() == b[name].values.tobytes()
    assert np.abs(a.x_wind.values - c.x_wind.values).mean() > 0.1


def test_an_hour_does_not_depend_on_how_the_work_was_cut(place, monkeypatch):
    pattern = synthetic.Pattern(np.datetime64("2019-01-01T00"), np.datetime64("2019-01-01T12"))
    whole = synthetic.episode(place, start=START, hours=50, seed=1, pattern=pattern)
    monkeypatch.setattr(synthetic, "_HOURS_AT_ONCE", 7)
    pieces = synthetic.episode(place, start=START, hours=50, seed=1, pattern=pattern)
    for name in ("air_temperature", "atmosphere_boundary_layer_thickness", "friction_velocity", "x_wind"):
        np.testing.assert_allclose(pieces[name], whole[name], rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("city", ["xian", "xianyang", "weinan", "baoji"])
def test_phases_stagnate_and_break(place, weather, city):
    when = phases(weather)
    height = in_city(place, weather, "atmosphere_boundary_layer_thickness", city)
    lowest = weather.isel(level=0)
    speed = np.hypot(lowest.x_wind, lowest.y_wind).to_dataset(name="speed")
    wind = in_city(place, speed, "speed", city)
    vent = {name: (height * wind)[chosen].mean() for name, chosen in when.items()}
    assert vent["core"] < 0.8 * vent["build_up"]
    assert vent["front"] > 4 * vent["core"]
    assert (wind[when["core"]] < 1.0).mean() > 1 / 3  # light winds in more than a third of the hours
    humidity = in_city(place, weather, "relative_humidity", city)
    assert humidity[when["core"]].mean() > 0.65
    assert humidity[when["front"]].mean() < humidity[when["core"]].mean() - 0.15


def test_mixing_height_follows_the_clock_and_stays_within_the_climatology(place, weather):
    height = in_city(place, weather, "atmosphere_boundary_layer_thickness", "xian")
    hour = (local(weather) - local(weather).astype("datetime64[D]")) / HOUR
    core = phases(weather)["core"]
    noon, night = core & (hour >= 13) & (hour <= 16), core & ((hour >= 22) | (hour <= 6))
    # January at Xi'an, 14 h: tenth percentile 359 m, median 677 m; at night 60 to 120 m
    assert 300 < height[noon].mean() < 677
    assert 50 < height[night].mean() < 150


def test_wind_turns_with_height_and_drains_into_the_basin_at_night(place, weather):
    hour = (local(weather) - local(weather).astype("datetime64[D]")) / HOUR
    night = phases(weather)["core"] & (hour <= 6)
    dx, dy = synthetic.Relief(place.grid).uphill
    steep = np.hypot(dx, dy) > 0.03
    low = weather.isel(time=night, level=0)
    uphill = (low.x_wind.values.mean(0) * dx + low.y_wind.values.mean(0) * dy)[steep]
    assert uphill.mean() < 0  # drainage
    aloft = weather.isel(time=night, level=6)
    assert np.hypot(aloft.x_wind, aloft.y_wind).mean() > 1.5 * np.hypot(low.x_wind, low.y_wind).mean()
    assert aloft.x_wind.mean() > 2  # westerly over the rim


def test_blocking_takes_only_uphill_air_and_only_when_stable(place):
    relief = synthetic.Relief(place.grid)
    dx, dy = relief.uphill
    shape = dx.shape
    for u, v in ((2.0, 0.0), (0.0, -2.0), (-1.0, 1.5)):
        x, y = np.full(shape, u), np.full(shape, v)
        bx, by = synthetic.froude_blocking(x, y, relief, np.full(shape, 0.017))
        before, after = u * dx + v * dy, bx * dx + by * dy
        assert np.all(after <= before + 1e-12)
        assert np.all(after >= np.minimum(before, 0) - 1e-12)
        np.testing.assert_allclose(bx * dy - by * dx, u * dy - v * dx, atol=1e-12)  # along the wall: untouched
        assert (before - after).max() > 0.01
        free = synthetic.froude_blocking(x, y, relief, np.full(shape, 1e-9))
        np.testing.assert_allclose(free, (x, y), atol=1e-12)


def test_slope_wind_goes_down_by_night_and_up_by_day(place):
    relief = synthetic.Relief(place.grid)
    dx, dy = relief.uphill
    warm = np.full(dx.shape, 275.0)
    for heat, sign in ((-30.0, -1), (80.0, 1)):
        x, y, depth = synthetic.slope_wind(np.full(dx.shape, heat), warm, relief)
        assert np.all(sign * (x * dx + y * dy) >= 0)
        assert 0.3 < np.hypot(x, y).max() < 5
        assert depth.min() > 0
    still = synthetic.slope_wind(np.zeros(dx.shape), warm, relief)
    assert not np.any(still[0])


def test_up_the_wei_is_west_and_up_the_fen_is_north(place):
    relief, grid = synthetic.Relief(place.grid), place.grid
    x, y = (a[grid.locate(108.7, 34.35)] for a in relief.up_valley)
    assert x < -0.7
    assert abs(y) < 0.5
    x, y = (a[grid.locate(111.5, 36.0)] for a in relief.up_valley)
    assert y > 0.5


def test_climatology_is_interpolated_not_stepped():
    time = np.datetime64("2018-12-31T06:30") + np.arange(72) * HOUR
    _, _, table = climatology.mixing_height(time)
    assert np.all(np.diff(table, axis=1) >= 0)  # percentiles in order
    # 14 h on 16 January at Baoji: the table's median of 791 m, and two hours' worth of February's 1159 m
    _, _, day = climatology.mixing_height(np.array(["2019-01-16T05:30"], "datetime64[ns]"))
    assert day[0, 2, 2] == pytest.approx(791 + (1159 - 791) * 2 / (31 * 24), abs=0.01)
    surface = climatology.surface(np.array(["2019-01-16T03:30"], "datetime64[ns]"))
    assert surface.air_temperature[0, 0] == pytest.approx(5.9 + 273.15, abs=0.1)  # 12 h, xian


def test_bad_requests_are_refused(place):
    with pytest.raises(ValueError, match="hours"):
        synthetic.episode(place, start=START, hours=0)
    with pytest.raises(ValueError, match="cannot pass before"):
        synthetic.episode(
            place,
            start=START,
            hours=2,
            pattern=synthetic.Pattern(np.datetime64("2019-01-02"), np.datetime64("2019-01-01")),
        )


def test_plume_table(place, weather):
    grid = place.grid
    iy, ix = 20, 60
    table = meteorology.at(weather, grid.x[ix] + 2000, grid.y[iy] - 2000)
    assert list(table.columns) == [
        "wind_speed",
        "wind_height",
        "wind_from_direction",
        "air_temperature",
        "mixing_height",
        "friction_velocity",
        "obukhov_length",
        "convective_velocity",
        "roughness_length",
        "stability_class",
    ]
    assert table.index.name == "time"
    assert len(table) == HOURS
    assert set(table.wind_height) == {25.0}
    u = -table.wind_speed * np.sin(np.radians(table.wind_from_direction))
    v = -table.wind_speed * np.cos(np.radians(table.wind_from_direction))
    np.testing.assert_allclose(u, weather.x_wind[:, 0, iy, ix], atol=1e-5)
    np.testing.assert_allclose(v, weather.y_wind[:, 0, iy, ix], atol=1e-5)
    with pytest.raises(ValueError, match="outside the grid"):
        meteorology.at(weather, 1e7, 0.0)


def found(dataset):
    return {(p.key, p.where) for p in meteorology.check(dataset)}


def test_check_names_what_is_wrong(weather):
    short = weather.isel(time=slice(0, 6)).copy(deep=True)
    assert ("x_wind", "") in found(short.drop_vars("x_wind"))
    holed = short.copy(deep=True)
    holed.air_temperature[3, 1, 1] = np.nan
    assert ("air_temperature", "2018-12-29T19") in found(holed)
    assert ("time", "2018-12-29T17") in found(short.isel(time=[0, 1, 4, 5]))
    assert ("time", "2018-12-29T17") in found(short.isel(time=[0, 3, 1]))
    leaking = short.copy(deep=True)
    leaking.x_face_air_flux[2, 0, 3, 3] += 1e6
    assert ("x_face_air_flux", "2018-12-29T18") in found(leaking)
    wrong = short.copy(deep=True)
    wrong.atmosphere_boundary_layer_thickness[0, 0, 0] = -5
    assert ("atmosphere_boundary_layer_thickness", "") in found(wrong)
    turned = short.transpose("x", "y", ...)
    assert any(key == "x_wind" for key, _ in found(turned))
    for problem in meteorology.check(short.drop_vars(["x_wind", "air_mass"])):
        assert problem.allowed
        assert problem.allowed_zh
