"""LMDI-I factor by factor, on cases worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airsim.coal import decomposition
from airsim.coal.decomposition import FACTORS, contributions, decompose, logarithmic_mean, multiplicative
from airsim.errors import InputError


def _rows(*rows):
    """One row a fuel: sector, activity, coal, energy, fuel, degree days."""
    columns = ["sector", "activity", "coal", "energy", "fuel", "heating_degree_days"]
    table = pd.DataFrame([(*r, *("raw_coal", math.nan)[len(r) - 4 :]) for r in rows], columns=columns)
    return table.assign(city="xian", activity_unit="yuan")


def _sums(before, after, **given):
    return decompose(before, after, **given).sum().to_dict()


# --------------------------------------------------------------------------------------------------------
# the logarithmic mean


def test_logarithmic_mean():
    assert logarithmic_mean(np.array(3.0), np.array(3.0)) == 3.0  # L(a, a) = a
    assert logarithmic_mean(np.array(5.0), np.array(0.0)) == 0.0
    assert logarithmic_mean(np.array(0.0), np.array(0.0)) == 0.0
    # L(30, 40) = 10 / ln(4/3)
    assert logarithmic_mean(np.array(30.0), np.array(40.0)) == pytest.approx(34.760594967822072, rel=1e-14)
    assert logarithmic_mean(np.array(40.0), np.array(30.0)) == logarithmic_mean(np.array(30.0), np.array(40.0))


@given(st.floats(1e-6, 1e9), st.floats(-0.5, 0.5), st.integers(0, 15))
def test_logarithmic_mean_lies_between_geometric_and_arithmetic(a, step, small):
    b = a * (1 + step * 10.0**-small)
    mean = float(logarithmic_mean(np.array(a), np.array(b)))
    assert math.sqrt(a * b) * (1 - 1e-12) <= mean <= (a + b) / 2 * (1 + 1e-12)


# --------------------------------------------------------------------------------------------------------
# one factor at a time


def test_only_activity():
    before = _rows(("steel", 10.0, 30.0, 21.0), ("cement", 40.0, 20.0, 14.0))
    after = _rows(("steel", 15.0, 45.0, 31.5), ("cement", 60.0, 30.0, 21.0))
    assert _sums(before, after) == pytest.approx(dict.fromkeys(FACTORS, 0) | {"activity": 25.0}, abs=1e-12)


def test_only_structure():
    # the total stays 50; intensities stay 3 and 0.5 t
    before = _rows(("steel", 10.0, 30.0, 21.0), ("cement", 40.0, 20.0, 14.0))
    after = _rows(("steel", 20.0, 60.0, 42.0), ("cement", 30.0, 15.0, 10.5))
    assert _sums(before, after) == pytest.approx(dict.fromkeys(FACTORS, 0) | {"structure": 25.0}, abs=1e-12)


def test_only_intensity():
    before = _rows(("steel", 10.0, 30.0, 21.0), ("cement", 40.0, 20.0, 14.0))
    after = _rows(("steel", 10.0, 24.0, 16.8), ("cement", 40.0, 22.0, 15.4))
    assert _sums(before, after) == pytest.approx(dict.fromkeys(FACTORS, 0) | {"intensity": -4.0}, abs=1e-12)


def test_only_fuel_mix():
    # the same 14 t of standard coal, from 20 t of raw coal or from 8 t of washed coal and 16 t of gangue
    before = _rows(("power", 10.0, 20.0, 14.0, "raw_coal"))
    after = _rows(("power", 10.0, 8.0, 8.0, "washed_coal"), ("power", 10.0, 16.0, 6.0, "gangue"))
    assert _sums(before, after) == pytest.approx(dict.fromkeys(FACTORS, 0) | {"fuel_mix": 4.0}, abs=1e-12)


def test_a_better_coal_of_the_same_name_is_fuel_mix_too():
    before, after = _rows(("power", 10.0, 20.0, 14.0)), _rows(("power", 10.0, 17.5, 14.0))
    assert _sums(before, after) == pytest.approx(dict.fromkeys(FACTORS, 0) | {"fuel_mix": -2.5}, abs=1e-12)


def test_only_weather():
    before = _rows(("residential", 10.0, 20.0, 14.0, "raw_coal", 2000.0))
    after = _rows(("residential", 10.0, 22.0, 15.4, "raw_coal", 2200.0))
    assert _sums(before, after) == pytest.approx(dict.fromkeys(FACTORS, 0) | {"weather": 2.0}, abs=1e-12)


def test_without_degree_days_in_both_years_the_weather_is_left_in_the_intensity():
    before = _rows(("residential", 10.0, 20.0, 14.0, "raw_coal", 2000.0))
    after = _rows(("residential", 10.0, 22.0, 15.4, "raw_coal", math.nan))
    assert _sums(before, after) == pytest.approx(dict.fromkeys(FACTORS, 0) | {"intensity": 2.0}, abs=1e-12)


def test_nothing_changes():
    before = _rows(("steel", 10.0, 30.0, 21.0), ("cement", 40.0, 20.0, 14.0, "raw_coal", 2000.0))
    assert _sums(before, before) == dict.fromkeys(FACTORS, 0)


def test_all_at_once_by_hand():
    # two sectors, 50 -> 64 t on an activity of 50 -> 80 (shares 0.2, 0.8 -> 0.25, 0.75; intensities 3, 0.5 -> 2, 0.4):
    # L1 = 10 / ln(4/3) = 34.7606, L2 = 4 / ln(6/5) = 21.9393
    before = _rows(("steel", 10.0, 30.0, 30.0), ("cement", 40.0, 20.0, 20.0))
    after = _rows(("steel", 20.0, 40.0, 40.0), ("cement", 60.0, 24.0, 24.0))
    made = _sums(before, after)
    one, two = 10 / math.log(4 / 3), 4 / math.log(6 / 5)
    assert made["activity"] == pytest.approx((one + two) * math.log(1.6), rel=1e-12)
    assert made["structure"] == pytest.approx(one * math.log(1.25) + two * math.log(0.9375), rel=1e-12)
    assert made["intensity"] == pytest.approx(one * math.log(2 / 3) + two * math.log(0.8), rel=1e-12)
    assert [round(made[f], 3) for f in FACTORS[:3]] == [26.649, 6.341, -18.99]
    assert sum(made.values()) == pytest.approx(14.0, abs=1e-12)
    product = multiplicative(np.array(list(made.values())), 50.0, 64.0)
    whole = 14 / math.log(1.28)  # L(64, 50) = 56.7122
    np.testing.assert_allclose(product, [math.exp(made[f] / whole) for f in FACTORS], rtol=1e-12)
    np.testing.assert_allclose(product, [1.59984, 1.11829, 0.71545, 1, 1], atol=1e-5)
    assert np.prod(product) == pytest.approx(64 / 50, rel=1e-14)


# --------------------------------------------------------------------------------------------------------
# zeros: the limits, not a small number in every factor


def test_a_fuel_that_appears_is_fuel_mix_and_one_that_vanishes_too():
    before = _rows(("power", 10.0, 20.0, 14.0, "raw_coal"))
    after = _rows(("power", 10.0, 20.0, 14.0, "raw_coal"), ("power", 10.0, 5.0, 2.0, "gangue"))
    terms = decompose(before, after).xs("gangue", level="fuel").iloc[0]
    assert terms.to_dict() == dict.fromkeys(FACTORS, 0) | {"fuel_mix": 5.0}
    terms = decompose(after, before).xs("gangue", level="fuel").iloc[0]
    assert terms.to_dict() == dict.fromkeys(FACTORS, 0) | {"fuel_mix": -5.0}


def test_a_sector_that_appears_is_structure():
    before = _rows(("steel", 10.0, 30.0, 21.0))
    after = _rows(("steel", 10.0, 30.0, 21.0), ("coking", 10.0, 8.0, 6.0))
    terms = decompose(before, after).xs("coking", level="sector").iloc[0]
    assert terms.to_dict() == dict.fromkeys(FACTORS, 0) | {"structure": 8.0}
    # the whole doubles and steel's share halves: both weigh L(30, 30) ln 2
    sums = _sums(before, after)
    assert sums["activity"] == pytest.approx(30 * math.log(2))
    assert sums["structure"] == pytest.approx(8 - 30 * math.log(2))


def test_a_sector_that_stops_burning_coal_is_intensity():
    before = _rows(("steel", 10.0, 30.0, 21.0), ("residential", 5.0, 9.0, 6.0))
    after = _rows(("steel", 10.0, 30.0, 21.0), ("residential", 5.0, 0.0, 0.0, ""))
    sums = _sums(before, after)
    assert sums == dict.fromkeys(FACTORS, 0) | {"intensity": -9.0}
    assert _sums(after, before) == dict.fromkeys(FACTORS, 0) | {"intensity": 9.0}


def test_the_rule_is_the_limit_of_a_small_share_of_the_factor_that_is_zero():
    before, after = np.array([0.0]), np.array([8.0])
    exact = contributions(before, after, np.array([[10.0], [0.0], [2.0]]), np.array([[10.0], [0.4], [2.0]]))
    np.testing.assert_array_equal(exact[:, 0], [0, 8, 0])
    for small in (1e-8, 1e-16, 1e-32):
        near = contributions(
            np.array([20.0 * small]), after, np.array([[10.0], [small], [2.0]]), np.array([[10.0], [0.4], [2.0]])
        )
        np.testing.assert_allclose(near[:, 0], [0, 8, 0], atol=20 * small + 1e-12)


def test_two_zero_factors_are_refused():
    zero, one = np.array([[0.0], [0.0]]), np.array([[2.0], [4.0]])
    with pytest.raises(ValueError, match="exactly one factor"):
        contributions(np.array([0.0]), np.array([8.0]), zero, one)


amounts = st.floats(0.01, 1e4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.one_of(st.just(0.0), amounts)] * 2, *[amounts] * 4), min_size=1, max_size=5))
def test_nothing_is_left_over(sectors):
    """Sectors that burn nothing in a year, or nothing at all: the sum closes, per term and in the whole."""
    ends = [
        _rows(*((f"s{i}", s[2 + e], s[e], 0.7 * s[e], "raw_coal", 1000 + s[4 + e]) for i, s in enumerate(sectors)))
        for e in (0, 1)
    ]
    terms = decompose(*ends)
    change = np.array([s[1] - s[0] for s in sectors])
    by_sector = terms.groupby("sector").sum().sum(axis=1).to_numpy()
    np.testing.assert_allclose(by_sector, change, rtol=1e-9, atol=1e-8)
    back = decompose(*ends[::-1])
    np.testing.assert_allclose(back.sum(), -terms.sum(), rtol=1e-9, atol=1e-8)  # time reversal


def test_multiplicative_is_not_defined_from_nothing():
    assert np.isnan(multiplicative(np.array([1.0, 2.0]), 0.0, 3.0)).all()


# --------------------------------------------------------------------------------------------------------
# tables and ledgers


def _activity(tmp_path, rows, name="activity.csv"):
    path = tmp_path / name
    head = "年份,城市,行业,活动水平,活动水平单位,采暖度日\n"
    path.write_text(head + "\n".join(rows), encoding="utf-8")
    return decomposition.read_activity(path)


COAL = pd.DataFrame(
    [
        (2018, "xian", "power", "raw_coal", 100.0, 70.0),
        (2019, "xian", "power", "raw_coal", 110.0, 77.0),
        (2018, "xian", "residential", "raw_coal", 40.0, 28.0),
        (2019, "xian", "residential", "raw_coal", 33.0, 23.1),
        (2018, "weinan", "power", "raw_coal", 200.0, 140.0),
        (2019, "weinan", "power", "raw_coal", 210.0, 147.0),
    ],
    columns=["year", "city", "sector", "fuel", "coal", "energy"],
)
ROWS = [
    "2018,西安,电力,10,亿千瓦时,",
    "2019,西安,电力,11,亿千瓦时,",
    "2018,西安,民用,10,万户,2000",
    "2019,西安,民用,9,万户,1833.3333333333333",
    "2018,渭南,火电,20,亿千瓦时,",
    "2019,渭南,火电,21,亿千瓦时,",
]


def test_over_years_by_city_and_together(tmp_path):
    out = decomposition.over_years(COAL, _activity(tmp_path, ROWS), [2018, 2019])
    assert out["period"].values.tolist() == ["2018-2019"]
    additive = out["lmdi_additive"].isel(period=0).to_series()
    assert additive.sum() == pytest.approx(13.0)
    assert out["lmdi_change"].item() == 13.0
    assert out["lmdi_multiplicative"].prod().item() == pytest.approx(353 / 340)
    assert additive["weather"] == pytest.approx(7 / math.log(40 / 33) * math.log(1833.3333333333333 / 2000))
    assert additive["fuel_mix"] == pytest.approx(0, abs=1e-12)
    city = out["lmdi_additive_city"].isel(period=0)
    np.testing.assert_allclose(city.sum("lmdi_factor"), out["lmdi_change_city"].isel(period=0), rtol=1e-12)
    # within a city the only plant can't change the structure; in the region its share of all plants falls
    assert city.sel(city="weinan", lmdi_factor="activity").item() == pytest.approx(10.0)
    assert city.sel(city="weinan", lmdi_factor="structure").item() == pytest.approx(0, abs=1e-12)
    shares = [math.log((11 / 32) / (10 / 30)), math.log((21 / 32) / (20 / 30))]
    means = [10 / math.log(1.1), 10 / math.log(1.05)]
    assert additive["structure"] == pytest.approx(np.dot(means, shares), rel=1e-9)


def test_periods_chain(tmp_path):
    coal = pd.concat([COAL, COAL[COAL["year"] == 2019].assign(year=2020, coal=50.0, energy=35.0)])
    rows = ROWS + [r.replace("2019,", "2020,", 1) for r in ROWS if r.startswith("2019")]
    out = decomposition.over_years(coal, _activity(tmp_path, rows), [2018, 2019, 2020])
    assert out["period"].values.tolist() == ["2018-2019", "2019-2020"]
    np.testing.assert_allclose(out["lmdi_additive"].sum("lmdi_factor"), [13.0, 150.0 - 353.0])


def test_missing_activity_is_refused_by_name(tmp_path):
    with pytest.raises(InputError) as error:
        decomposition.over_years(COAL, _activity(tmp_path, ROWS[:1] + ROWS[2:5]), [2018, 2019, 2021])
    said = [p.text("en") for p in error.value.problems]
    assert any("2019 power" in s and "no activity for xian, weinan" in s for s in said)
    assert any("2021" in s and "no row of this year" in s for s in said)
    assert any("2021 residential" in s for s in said)


def test_activity_of_zero_or_in_two_units_is_refused(tmp_path):
    rows = [r.replace("2019,西安,电力,11,亿千瓦时", "2019,西安,电力,0,万千瓦时") for r in ROWS]
    with pytest.raises(InputError) as error:
        decomposition.over_years(COAL, _activity(tmp_path, rows), [2018, 2019])
    said = " ".join(p.text("en") for p in error.value.problems)
    assert "the activity is 0" in said
    assert "one unit for all years" in said


def test_a_row_given_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match="given twice"):
        _activity(tmp_path, [*ROWS, ROWS[0]])
