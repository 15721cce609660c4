"""AQI by HJ 633 in both versions, rounding by GB/T 8170, local days."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from airsim import rules
from airsim.assess import aqi as module

OLD = rules.load("aqi", version="HJ633-2012")
NEW = rules.load("aqi", version="HJ633-2026")


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (0.5, 0, 0), (1.5, 0, 2), (2.5, 0, 2), (3.5, 0, 4), (2.51, 0, 3), (34.49, 0, 34),
        (34.499999999999, 0, 34), (35.500000000001, 0, 36),  # a half left askew by binary sums
        (0.25, 1, 0.2), (0.35, 1, 0.4), (0.45, 1, 0.4), (1.15, 1, 1.2), (1.25, 1, 1.2),
    ],
)  # fmt: skip
def test_round_half_even(value, decimals, expected):
    assert module.round_half_even(value, decimals) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("rule", [OLD, NEW])
def test_index_at_every_breakpoint(rule):
    for item, points in rule["breakpoints"].items():
        index = rule["iaqi"][: len(points)]
        np.testing.assert_array_equal(module.iaqi(points, item, rule), index)


@pytest.mark.parametrize(
    ("item", "value", "old", "new"),
    [
        ("pm25_24h", 36, 52, 52),  # 50 + 50/40 = 51.25 and 50 + 50/25 = 52: rounded up
        ("pm25_24h", 60, 82, 100),  # 50 + 50/40*25 = 81.25
        ("pm25_24h", 75, 100, 114),  # 100 + 50/55*15 = 113.64
        ("pm25_24h", 139, 185, 185),  # 150 + 50/35*24 = 184.3
        ("pm25_24h", 294, 344, 344),  # Xi'an on 2019-01-06: 300 + 100/100*44
        ("pm10_24h", 120, 85, 100),
        ("pm25_24h", 900, 500, 500),
        ("so2_1h", 801, np.nan, 200),
        ("o3_8h", 801, np.nan, 300),
        ("co_24h", 1.25, 30, 30),  # 1.25 -> 1.2 mg m-3
    ],
)
def test_index_in_both_versions(item, value, old, new):
    np.testing.assert_equal(module.iaqi(value, item, OLD), old)
    np.testing.assert_equal(module.iaqi(value, item, NEW), new)


def test_the_2026_table_leaves_the_alert_thresholds_where_they_were():
    above = np.arange(115, 501)
    np.testing.assert_array_equal(module.iaqi(above, "pm25_24h", OLD), module.iaqi(above, "pm25_24h", NEW))


@given(st.floats(0, 2000), st.floats(0, 2000), st.sampled_from([OLD, NEW]))
def test_index_is_monotone_whole_and_bounded(a, b, rule):
    low, high = (module.iaqi(x, "pm25_24h", rule) for x in sorted((a, b)))
    assert 0 <= low <= high <= 500
    assert low == int(low)


def test_maximum_primary_and_missing_items():
    values = {"pm25_24h": [115, 20, np.nan, np.nan], "pm10_24h": [250, 20, 300, 60]}
    np.testing.assert_array_equal(module.aqi(values, OLD), [150, 29, 175, np.nan])
    # the missing one may have been larger, so it's published only above 100
    np.testing.assert_array_equal(module.primary(values, OLD), ["pm25_24h+pm10_24h", "", "pm10_24h", "pm10_24h"])
    assert module.aqi({"pm25_24h": 0}, NEW) == 1
    assert module.aqi({"pm25_24h": 0}, OLD) == 0


def test_negative_concentration_is_refused():
    with pytest.raises(ValueError, match="negative"):
        module.iaqi([10, -1], "pm25_24h", OLD)


def _hours(n, start="2018-12-31T16"):
    return np.datetime64(start, "ns") + np.arange(n) * np.timedelta64(1, "h")


def test_daily_mean_is_of_the_beijing_day():
    values = np.concatenate([np.full(24, 10.0), np.full(24, 300.0), np.full(5, 50.0)])
    hourly = xr.DataArray(values, dims="time", coords={"time": _hours(53)}, attrs={"units": "ug m-3"})
    mean = module.daily_mean(hourly)
    assert list(mean["day"].values.astype("datetime64[D]").astype(str)) == ["2019-01-01", "2019-01-02", "2019-01-03"]
    np.testing.assert_array_equal(mean, [10.0, 300.0, np.nan])
    assert mean.attrs["units"] == "ug m-3"


def test_twenty_hours_make_a_day():
    values = np.full(48, 100.0)
    values[:4] = np.nan
    values[24:29] = np.nan
    mean = module.daily_mean(xr.DataArray(values, dims="time", coords={"time": _hours(48)}))
    np.testing.assert_array_equal(mean, [100.0, np.nan])


def test_daily_index_of_a_model_result():
    shape = (2, 48, 3)
    rng = np.random.default_rng(1)
    pm25 = rng.uniform(20, 300, shape)
    species = xr.Dataset(
        {
            "pm25": (("case", "time", "city"), pm25),
            "co": (("case", "time", "city"), np.full(shape, 30000.0)),
            "so2": (("time", "city"), np.full(shape[1:], 20.0)),
        },
        coords={"time": _hours(48)},
    )
    out = module.daily(species, OLD)
    assert out["aqi"].dims == ("case", "day", "city")
    # CO of 30 mg m-3 alone is index 250: 30000 ug m-3 went in
    mean = pm25.reshape(2, 2, 24, 3).mean(axis=2)
    expected = np.maximum(module.iaqi(mean, "pm25_24h", OLD), 250)
    np.testing.assert_array_equal(out["aqi"], expected)
    np.testing.assert_allclose(out["pm25_daily"], mean)
    assert out["aqi"].attrs["rule"] == "HJ633-2012"
    assert "o3_8h" in out["aqi"].attrs["items_left_out"]


def test_running_index_and_counts():
    pm25 = np.concatenate([np.full(30, 30.0), np.full(30, 260.0)])
    species = xr.Dataset({"pm25": ("time", pm25)}, coords={"time": _hours(60)})
    running = module.running_index(species, OLD)
    assert np.isnan(running[:23]).all()
    assert running[29] == module.iaqi(30.0, "pm25_24h", OLD)
    assert running[-1] == module.iaqi(260.0, "pm25_24h", OLD)
    hours = module.count_above(module.hourly_index(species, OLD))
    assert hours.sel(threshold=200).item() == 30
    assert hours.sel(threshold=300).item() == 30
    assert module.count_above(module.hourly_index(species, OLD), [310]).item() == 0
    days = module.count_above(module.daily(species, OLD)["aqi"], [200])
    assert days.item() == 1  # the third day has too few hours


def test_categories():
    names = module.category([0, 50, 51, 100, 101, 200, 201, 300, 301, 500, np.nan], OLD)
    assert list(names) == [
        "优",
        "优",
        "良",
        "良",
        "轻度污染",
        "中度污染",
        "重度污染",
        "重度污染",
        "严重污染",
        "严重污染",
        "",
    ]
