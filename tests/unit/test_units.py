"""Units as tables write them; expectations from SI and the definitions named beside them, not from the code."""

from __future__ import annotations

import pytest

from airsim.tables import units

LB = 0.45359237  # international pound [kg], 1959
KNOT = 1852 / 3600  # international knot [m s-1]
CALORIE = 4.1868  # international table, as in GB/T 213 [J]


@pytest.mark.parametrize(
    ("written", "to", "one"),
    [
        ("吨", "t a-1", 1.0),
        ("千克", "t a-1", 1e-3),
        ("公斤/年", "t a-1", 1e-3),
        ("kg/h", "t a-1", 8.76),
        ("g/s", "t a-1", 31.536),
        ("吨/日", "t a-1", 365.0),
        ("千克/日", "t a-1", 0.365),
        ("lb", "t a-1", LB / 1000),
        ("万吨", "t a-1", 1e4),
        ("亿吨", "t a-1", 1e8),
        ("千吨/年", "t a-1", 1e3),
        ("kt", "t a-1", 1e3),
        ("t·a⁻¹", "t a-1", 1.0),
        ("kcal/kg", "kJ kg-1", CALORIE),
        ("大卡/千克", "kJ kg-1", CALORIE),
        ("cal/g", "kJ kg-1", CALORIE),
        ("MJ/kg", "kJ kg-1", 1e3),
        ("GJ/t", "kJ kg-1", 1e3),
        ("0.1m/s", "m s-1", 0.1),
        ("0.1℃", "degC", 0.1),
        ("knots", "m s-1", KNOT),
        ("kt", "m s-1", KNOT),
        ("mph", "m s-1", 0.44704),
        ("km/h", "m s-1", 1 / 3.6),
        ("m s**-1", "m s-1", 1.0),
        ("okta", "%", 12.5),
        ("成", "%", 10.0),
        ("0-1", "%", 100.0),
        ("hPa", "Pa", 100.0),
        ("mg/m³", "ug m-3", 1e3),
        ("万立方米/日", "m3 d-1", 1e4),
        ("万千瓦", "MW", 10.0),
        ("万吨标准煤", "tce a-1", 1e4),
        ("J m**-2", "J m-2", 1.0),
        ("m of water equivalent", "mm", 1e3),
    ],
)
def test_one_of_the_written_unit(written, to, one):
    found = units.convert(written, to)
    assert found is not None
    assert found.factor == pytest.approx(one, rel=1e-12)
    assert found.offset == 0.0


def test_temperatures_keep_their_zero():
    assert units.convert("℉", "degC").factor * 212 + units.convert("℉", "degC").offset == pytest.approx(100.0)
    assert units.convert("K", "degC").offset == -273.15
    assert units.convert("℃", "K").offset == 273.15


def test_mole_fractions_at_the_state_of_gb_3095():
    # 24.465 l mol-1 at 298.15 K, 1013.25 hPa
    assert units.convert("ppb", "ug m-3", species="SO2").factor == pytest.approx(64.06 / 24.465, rel=1e-4)
    assert units.convert("ppm", "mg m-3", species="CO").factor == pytest.approx(28.010 / 24.465, rel=1e-4)
    assert units.convert("ppb", "ug m-3") is None


@pytest.mark.parametrize(
    "written", ["规上", "以NO2计", "t/月", "吨产品", "kg/吨", "TAN", "m", "户", "元", "t/t", "TSP", "合同", "万"]
)
def test_what_is_no_such_unit_is_none(written):
    assert units.convert(written, "t a-1") is None


def test_an_amount_of_a_day_needs_a_word_for_it():
    assert units.convert("kg", "kg d-1") is None
    assert units.convert("kg", "kg d-1", period="d").factor == 1.0
    assert units.convert("kg", "t a-1", period="d").factor == pytest.approx(0.365)
