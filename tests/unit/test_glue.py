"""Small oracles of the glue: which case is which, which hour is whose, whose verdict it is; on made-up numbers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from airsim.assess import aqi
from airsim.batch import indicators
from airsim.batch.manifest import Manifest
from airsim.geography import CITIES
from airsim.output import findings
from airsim.result import groups

NOON = np.datetime64("2019-01-02T04:00", "ns")  # noon in Beijing
MIDNIGHT = np.datetime64("2019-01-01T16:00", "ns")  # midnight in Beijing
HOUR = np.timedelta64(1, "h")
XIAN = [c.id for c in CITIES].index("xian")
SPECIES = ("pm25", "pm10", "so2", "no2", "co")


def place():
    """A place of four boxes, all of them in every city but the last."""
    y, x = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    weights = np.full((len(CITIES), 4), 0.25)
    weights[-1] = 0.0
    lon, lat = np.meshgrid(x, y)
    grid = SimpleNamespace(y=y, x=x, longitude=lon, latitude=lat, terrain=np.zeros((2, 2)), crs="made up")
    return SimpleNamespace(grid=grid, city_weights=weights)


def surface(pm25=(200.0, 150.0, 60.0), hours=24):
    """Air after a run of three columns: base, a cut, an alert; PM2.5 as given, the rest clean."""
    columns = {s: np.full((3, hours, len(CITIES)), 1.0) for s in SPECIES}
    columns["pm25"] = np.broadcast_to(np.array(pm25)[:, None, None], columns["pm25"].shape).copy()
    return SimpleNamespace(
        cases=("base", "cut", "emergency"),
        city=columns,
        background=np.ones((hours, len(CITIES))),
        pm25_field=np.stack([np.full((hours, 2, 2), v) for v in (pm25[0], pm25[-1])]),
    )


def times(hours=24, first=MIDNIGHT):
    return first + np.arange(hours) * HOUR


# ------------------------------------------------------------------------------------------------ result.nc


def test_the_first_column_is_the_base_case_and_the_last_the_controlled_one():
    root = groups.air(place(), times(), surface(), ["base", "emergency"])
    assert root["case"].values.tolist() == ["base", "controlled"]
    assert (root["pm25"].sel(case="base", city="xian") == 200).all()
    assert (root["pm25"].sel(case="controlled", city="xian") == 60).all()
    assert (root["pm25_field"].sel(case="base") == 200).all()
    # HJ 633-2012: 200 ug m-3 lies halfway from 150 (200) to 250 (300), 60 at 25/40 of the way from 35 (50) to 75 (100)
    assert root["aqi"].sel(case="base", city="xian").values.tolist() == [250]
    assert root["aqi"].sel(case="controlled", city="xian").values.tolist() == [82]
    assert root["pm25"].sel(city=CITIES[-1].id).isnull().all(), "a city without boxes is empty, not clean"


def test_what_a_step_removes_is_before_minus_after():
    steps = [("base", "cut"), ("cut", "emergency")]
    group = groups.attribution(place(), times(), surface(), steps)
    assert group["step"].values.tolist() == ["cut", "emergency"]
    assert (group["pm25_removed"].sel(step="cut", city="xian") == 50).all()
    assert (group["pm25_removed"].sel(step="emergency", city="xian") == 90).all()


@pytest.mark.parametrize(
    ("u", "v", "from_"), [(1.0, 0.0, 270.0), (0.0, 2.0, 180.0), (-1.0, -1.0, 45.0), (0.0, -3.0, 0.0)]
)
def test_wind_comes_from_where_it_does_not_go(u, v, from_):
    shape = (2, 2, 2, 2)
    flat = (2, 2, 2)
    axes = ("time", "level", "y", "x")
    weather = xr.Dataset(
        {
            "x_wind": (axes, np.full(shape, u)),
            "y_wind": (axes, np.full(shape, v)),
            "air_temperature": (("time", "y", "x"), np.full(flat, 280.0)),
            "relative_humidity": (("time", "y", "x"), np.full(flat, 0.5)),
            "atmosphere_boundary_layer_thickness": (("time", "y", "x"), np.full(flat, 100.0)),
            "precipitation_flux": (("time", "y", "x"), np.zeros(flat)),
            "level_face": ("face", [0.0, 50.0, 200.0]),
        },
        coords={"time": times(2)},
    )
    group = groups.meteorology(place(), weather, slice(1, None))
    assert group.sizes["time"] == 1
    away = (group["wind_from_direction"].sel(city="xian").values - from_ + 180) % 360 - 180
    np.testing.assert_allclose(away, 0.0, atol=1e-4)
    speed = np.hypot(u, v)
    np.testing.assert_allclose(group["wind_speed"].sel(city="xian"), speed, rtol=1e-6)
    np.testing.assert_allclose(group["ventilation_coefficient"].sel(city="xian"), 100 * speed, rtol=1e-6)


def test_a_budget_is_that_of_the_case_and_of_the_air_that_flows_in():
    columns = ["base", "cut", "emergency", "background"]
    names = ("emitted", "inflow", "initial", "chemical", "in_air", "dry", "wet", "outflow")
    from airsim.region import TRACERS

    amounts = np.broadcast_to(np.array([10.0, 8.0, 5.0, 1.0]), (len(TRACERS), 4))
    closed = SimpleNamespace(**dict.fromkeys(names, amounts), negative=np.zeros(1))
    group = groups.budget(closed, columns, ["base", "emergency"])
    assert (group["emitted"].sel(case="base") == 11).all()
    assert (group["outflow"].sel(case="controlled") == 6).all()


# ------------------------------------------------------------------------------------------------ rules and days


@pytest.mark.parametrize(
    ("time", "version"),
    # 1 March 2026 in Beijing begins at 16:00 UTC of the day before
    [("2019-01-01T16:00", "HJ633-2012"), ("2026-02-28T15:00", "HJ633-2012"), ("2026-02-28T16:00", "HJ633-2026")],
)
def test_the_rule_is_that_of_the_first_beijing_day(time, version):
    assert aqi.rule_in_force(np.datetime64(time, "ns")).version == version


def test_the_output_counts_twenty_hours_for_a_day_too():
    values = np.ones(48)
    values[24 : 24 + 5] = np.nan
    series = xr.DataArray(values, dims="time", coords={"time": times(48)})
    assert findings.daily(series).isnull().values.tolist() == [False, True]


def test_alerts_are_beijing_hours_of_their_city_from_start_to_end():
    utc = [np.datetime64(t, "ns") for t in ("2019-01-01T20:00", "2019-01-02T00:00")]
    emergency = xr.Dataset(
        {
            "alert_city": ("alert", ["xian"]),
            "alert_level": ("alert", ["red"]),
            "alert_start": ("alert", utc[:1]),
            "alert_end": ("alert", utc[1:]),
        }
    )
    under = findings.under_alert(times(), emergency, ["baoji", "xian"])
    assert np.flatnonzero(under.values[:, 1]).tolist() == [4, 5, 6, 7], "04:00 to 08:00 in Beijing, midnight is hour 0"
    assert not under.values[:, 0].any()
    window = findings.alert_windows(emergency).iloc[0]
    assert str(window["start"]) == "2019-01-02 04:00:00"


# ------------------------------------------------------------------------------------------------ the batch


def test_a_change_is_controlled_over_base():
    means = np.array([[100.0, 200.0, np.nan], [80.0, 160.0, np.nan]])
    assert indicators.change(means) == pytest.approx(-0.2)
    assert np.isnan(indicators.change(means[:1]))


def test_numbers_a_city():
    hourly = np.array([[10.0, 40.0], [30.0, 20.0]])
    daily = np.array([[20.0, np.nan], [25.0, np.nan]])
    index = np.array([[201.0, np.nan], [200.0, np.nan], [350.0, np.nan], [250.0, np.nan]])
    said = indicators.by_city(hourly, daily, index)
    assert said["pm25_mean"].tolist() == [20, 30]
    assert said["pm25_maximum"].tolist() == [30, 40]
    assert said["pm25_peak"][0] == 25
    assert said["heavy_days"][0] == 3, "an AQI of 200 is not heavy pollution, 201 is"
    assert np.isnan([said["pm25_peak"][1], said["heavy_days"][1]]).all()


def test_a_scenario_is_finished_only_with_its_own_inputs_and_files(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "result.nc").write_bytes(b"1234")
    manifest = Manifest(tmp_path)
    manifest.add([{"name": "a", "identity": "one", "status": "done", "files": {"a/result.nc": 4}}])
    again = Manifest(tmp_path)
    assert again.finished("a", "one") is not None
    assert again.finished("a", "two") is None
    assert again.finished("b", "one") is None
    (tmp_path / "a" / "result.nc").write_bytes(b"123")
    assert again.finished("a", "one") is None
    again.add([{"name": "a", "identity": "one", "status": "failed"}])
    assert again.finished("a", "one") is None


def test_missed_shares_are_those_of_levels_in_force():
    rows = [("red", "xian", True), ("red", "baoji", False), ("red", "weinan", False), ("yellow", "xian", False)]
    table = pd.DataFrame(rows, columns=["level", "city", "all_pass"])
    found = SimpleNamespace(compliance=table, levels_called=lambda: ["red"])
    assert indicators._missed(found) == 2
