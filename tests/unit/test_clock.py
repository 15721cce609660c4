"""The one Beijing clock, and the AQI rule that it chooses: by the Beijing date of the first hour, everywhere."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from airsim import clock, emergency, rules
from airsim.assess import annual, aqi

OLD, NEW = "HJ633-2012", "HJ633-2026"
# HJ 633-2026 holds from 1 March 2026, a Beijing date: its first hour is 16:00 UTC of 28 February
LAST_OLD, FIRST_NEW = np.datetime64("2026-02-28T15", "ns"), np.datetime64("2026-02-28T16", "ns")


def test_the_clock_by_hand():
    utc = np.array(["2019-01-31T15", "2019-01-31T16", "2019-12-31T20"], "datetime64[h]")
    assert list(clock.to_beijing(utc)) == list(np.array(["2019-01-31T23", "2019-02-01T00", "2020-01-01T04"], "M8[h]"))
    assert (clock.from_beijing(clock.to_beijing(utc)) == utc).all()
    assert list(clock.day_of(utc)) == list(np.array(["2019-01-31", "2019-02-01", "2020-01-01"], "M8[D]"))
    assert clock.month_of(utc).tolist() == [1, 2, 1]
    assert clock.hour_of(utc).tolist() == [23, 0, 4]


@pytest.mark.parametrize("when", ["1969-12-31T15", "1969-12-31T16"])
def test_the_clock_before_1970(when):
    at = pd.Timestamp(when) + pd.Timedelta(hours=8)
    utc = np.datetime64(when)
    assert (clock.hour_of(utc), clock.month_of(utc), str(clock.day_of(utc))) == (at.hour, at.month, f"{at:%Y-%m-%d}")


def test_numpy_and_pandas_read_the_same_clock():
    index = pd.date_range("2019-01-31T10", periods=20, freq="h")
    local = clock.to_beijing(index)
    assert isinstance(local, pd.DatetimeIndex)
    assert (local.to_numpy() == clock.to_beijing(index.to_numpy())).all()
    assert (local.hour == clock.hour_of(index)).all()
    assert (local.month == clock.month_of(index)).all()
    assert clock.to_beijing(index[0]) == pd.Timestamp("2019-01-31T18")
    with_zone = index.tz_localize("UTC")
    assert (with_zone.tz_convert(clock.ZONE_NAME).tz_localize(None) == local).all()
    assert (with_zone.tz_convert(clock.ZONE).tz_localize(None) == local).all()


@pytest.mark.parametrize(("time", "version"), [(LAST_OLD, OLD), (FIRST_NEW, NEW)])
def test_the_rule_changes_at_midnight_in_beijing(time, version):
    assert aqi.rule_in_force(time).version == version
    assert aqi.rule_in_force(time, OLD).version == OLD


def _air(first, hours, pm25):
    time = first + np.arange(hours) * np.timedelta64(1, "h")
    return xr.Dataset({"pm25": (("time", "city"), np.full((hours, 1), pm25))}, coords={"time": time, "city": ["xian"]})


@pytest.mark.parametrize(("first", "version"), [(FIRST_NEW, NEW), (FIRST_NEW - np.timedelta64(24, "h"), OLD)])
def test_observations_and_forecasts_are_counted_by_the_rule_of_the_same_beijing_day(tmp_path, first, version):
    # 70 ug m-3 lies between breakpoints that the two rules set apart
    rule = rules.load("aqi", version=version)
    expected = float(aqi.iaqi(70.0, "pm25_24h", rule))
    assert expected != float(aqi.iaqi(70.0, "pm25_24h", rules.load("aqi", version=NEW if version == OLD else OLD)))
    air = _air(first, 24, 70.0)
    assert annual.daily_air(air)["aqi"].values.tolist() == [[expected]]

    local = pd.DatetimeIndex(air["time"].values) + pd.Timedelta(hours=8)
    path = tmp_path / "forecast.csv"
    path.write_text("\n".join(["时间,城市,PM2.5(μg/m³)", *(f"{t},西安,70" for t in local)]), encoding="utf-8")
    assert emergency.read_forecast(path).values[23].tolist() == [expected]
