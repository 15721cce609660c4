"""Attainment by relative response, against the worked example of the guidance and figures worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from airsim import rules, shipped
from airsim.assess import attainment
from airsim.errors import InputError

ORDER = attainment.COMPONENTS
EVEN = {"om": 0.35, "sulphate": 0.18, "nitrate": 0.22, "ammonium": 0.12, "bc": 0.06, "other": 0.07}


def vector(**values):
    return np.array([values.get(c, 1.0) for c in ORDER])


def test_ammonium_of_the_guidances_example():
    """EPA-454/B-07-002 (2007), step 8: NH4 = 0.336 x 6.69 + 0.29 x 0.93 = 2.52 after sulphate and nitrate fell."""
    sulphate, nitrate, don = 8.0, 1.2, 0.336
    shares = vector(sulphate=sulphate, nitrate=nitrate, ammonium=don * sulphate + 0.29 * nitrate, om=0, bc=0, other=0)
    factors = vector(sulphate=6.69 / sulphate, nitrate=0.93 / nitrate, ammonium=99.0)
    left = attainment.project(shares, factors, 0.29)
    assert left - 6.69 - 0.93 == pytest.approx(2.52, abs=0.005)


def test_sum_of_the_guidances_example():
    """The same: 6.69 + 0.93 + 4.53 + 0.75 + 0.66 + 2.52 + (water 1.73 + blank 0.5, which don't change) = 18.31."""
    shares = vector(
        sulphate=6.69, nitrate=0.93, om=4.53, bc=0.75, other=0.66 + 1.73 + 0.5, ammonium=0.336 * 6.69 + 0.2697
    )
    assert attainment.project(shares, np.ones(6), 0.29) == pytest.approx(18.31, abs=0.01)


def test_nothing_changes_without_a_response():
    shares = np.array([EVEN[c] for c in ORDER])
    assert attainment.project(shares, np.ones(6)) == pytest.approx(1)


def test_all_components_halved_halve_the_sum():
    shares = np.array([EVEN[c] for c in ORDER])
    assert attainment.project(shares, np.full(6, 0.5)) == pytest.approx(0.5)


def test_ammonium_follows_sulphate_and_nitrate_not_its_own_factor():
    shares = np.array([EVEN[c] for c in ORDER])
    left = attainment.project(shares, vector(sulphate=0.5, nitrate=0.0, ammonium=7))
    with_sulphate = 0.12 - 0.29 * 0.22
    assert left == pytest.approx(0.35 + 0.06 + 0.07 + 0.09 + 0.5 * with_sulphate)


def test_ammonium_poor_air_keeps_its_sum_without_a_response():
    shares = vector(om=0.5, sulphate=0.2, nitrate=0.25, ammonium=0.05, bc=0, other=0)
    assert attainment.project(shares, np.ones(6)) == pytest.approx(1)


def parts(**values):
    """Return modelled components over six hours and one city."""
    names = {p for group in attainment.MODELLED.values() for p in group} | {"pm25"}
    return {n: np.full((6, 1), values.get(n, 10.0)) for n in names}


def test_response_is_the_ratio_of_means_over_the_chosen_hours():
    before, after = parts(), parts(om=4.0, soa=6.0, bc=0.0)
    after["sulphate"][3:] = 5.0
    chosen = np.ones((6, 1), bool)
    found = dict(zip(ORDER, attainment.response(before, after, chosen)[:, 0], strict=True))
    assert found["om"] == pytest.approx(10 / 20)  # primary and secondary together
    assert found["bc"] == 0
    assert found["sulphate"] == pytest.approx(0.75)
    chosen[:3] = False
    assert attainment.response(before, after, chosen)[ORDER.index("sulphate"), 0] == pytest.approx(0.5)


def test_a_component_the_model_lacks_stays_and_no_hour_is_unknown():
    before, after = parts(bc=0.0), parts(bc=0.0)
    chosen = np.ones((6, 1), bool)
    assert attainment.response(before, after, chosen)[ORDER.index("bc"), 0] == 1
    assert np.isnan(attainment.response(before, after, ~chosen)).all()


def test_high_days_are_the_top_tenth_but_at_least_five():
    rule = rules.load("attainment")
    daily = np.arange(100.0)[:, None]
    assert np.flatnonzero(attainment.high_days(daily, rule)[:, 0]).tolist() == list(range(90, 100))
    assert np.flatnonzero(attainment.high_days(daily[:12], rule)[:, 0]).tolist() == list(range(7, 12))
    assert attainment.high_days(daily[:3], rule).sum() == 3
    holes = daily[:12].copy()
    holes[11] = np.nan
    assert np.flatnonzero(attainment.high_days(holes, rule)[:, 0]).tolist() == list(range(6, 11))


@pytest.fixture
def case():
    """Two cities, one without air; ten modelled days of which the last five are high and answered harder."""
    time = pd.date_range("2018-12-31T16", periods=240, freq="h").to_numpy()
    level = np.where(np.arange(240) < 120, 50.0, 200.0)[:, None] * np.array([1.0, 0.0])
    shares = {"om": 0.2, "soa": 0.15, "sulphate": 0.18, "nitrate": 0.22, "ammonium": 0.12, "bc": 0.06, "other": 0.07}
    late = (np.arange(240) >= 120)[:, None]

    def world(factor):
        return {n: s * level * factor for n, s in shares.items()} | {"pm25": level * factor}

    modelled = {"base": world(1.0), "permanent": world(0.9), "controlled": world(np.where(late, 0.6, 0.9))}
    days = pd.date_range("2018-11-01", "2019-04-30").to_numpy()
    seen = np.full((days.size, 2), 100.0)
    seen[:20] = 160.0  # heavy: 96 after
    seen[20:25] = 300.0  # heavy: 180 after
    observed = xr.DataArray(seen, {"day": days, "city": ["xian", "yangling"]}, ("day", "city"))
    composition = attainment.read_composition(shipped.path("data/observations/composition.csv"), ["xian", "yangling"])
    return attainment.attainment(observed, modelled, time, composition, heavy_above=150.0)


def test_heavy_days_take_all_measures_and_other_days_the_permanent_ones(case):
    xian = case.sel(city="xian", period="season")
    assert case.attrs["season"] == "2018-10 .. 2019-03"
    assert case["rrf_pm25"].sel(city="xian").values == pytest.approx([0.9, 0.6])
    n = 30 + 31 + 31 + 28 + 31  # November to March
    assert float(xian["observed_days"]) == n
    assert float(xian["observed_heavy_days"]) == 25
    assert float(xian["projected_heavy_days"]) == 5
    assert float(xian["observed_mean"]) == pytest.approx((20 * 160 + 5 * 300 + (n - 25) * 100) / n)
    assert float(xian["projected_mean"]) == pytest.approx((20 * 96 + 5 * 180 + (n - 25) * 90) / n)
    assert float(xian["projected_heavy_mean"]) == pytest.approx((20 * 96 + 5 * 180) / 25)


def test_the_raw_model_stands_beside(case):
    xian = case.sel(city="xian")
    assert xian["modelled_base"].values == pytest.approx([125, 200])
    assert xian["modelled_controlled"].values == pytest.approx([112.5, 120])
    assert xian["response_days"].values.tolist() == [10, 5]


def test_a_year_that_is_not_covered_and_a_city_off_the_grid_give_no_number(case):
    assert np.isnan(case["observed_mean"].sel(period="year")).all()
    assert case.attrs["year_covered"] == "no"
    assert np.isnan(case["projected_mean"].sel(city="yangling")).all()
    assert np.isnan(case["modelled_base"].sel(city="yangling")).all()


def test_a_full_year_leaves_the_other_season_as_it_was():
    time = pd.date_range("2018-12-31T16", periods=240, freq="h").to_numpy()
    level = np.full((240, 1), 100.0)
    names = [p for group in attainment.MODELLED.values() for p in group]
    modelled = {c: dict.fromkeys(names, level / 7 * f) | {"pm25": level * f}
                for c, f in (("base", 1.0), ("permanent", 0.5), ("controlled", 0.5))}  # fmt: skip
    days = pd.date_range("2019-01-01", "2019-12-31").to_numpy()
    observed = xr.DataArray(np.full((365, 1), 40.0), {"day": days, "city": ["xian"]}, ("day", "city"))
    shares = attainment.read_composition(shipped.path("data/observations/composition.csv"), ["xian"])
    found = attainment.attainment(observed, modelled, time, shares, heavy_above=150.0)
    assert found.attrs["year_covered"] == "yes"
    # January to March are in the season of the window, the next October to December are not
    assert float(found["projected_mean"].sel(period="year", city="xian")) == pytest.approx(40 - 20 * 90 / 365)
    assert (found.attrs["limit_year"], found.attrs["standard"]) == (35, "GB3095-2012")


def test_default_composition_of_record():
    shares = attainment.read_composition(shipped.path("data/observations/composition.csv"), ["xian", "linfen"])
    assert shares.sum("component").values == pytest.approx([1, 1])
    assert shares.sel(component="om", city="linfen") == 0.35
    assert shares.attrs["own"] == ""
    assert "2013" in shares.attrs["source"]


def test_own_composition_and_the_rest_is_other(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("城市,组分,占比\n西安,om,0.5\n西安,sulphate,0.2\n,om,0.3\n", encoding="gb18030")
    shares = attainment.read_composition(path, ["xian", "baoji"])
    assert shares.sel(city="xian").to_series().to_dict()["other"] == pytest.approx(0.3)
    assert shares.sel(city="baoji").to_series().to_dict()["other"] == pytest.approx(0.7)
    assert shares.attrs["own"] == "xian"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("city,component,share\n,om,0.7\n,bc,0.4\n", "exceed one"),
        ("city,component,share\n,om,0.7\n,om,0.1\n", "given twice"),
        ("city,component,share\n北京,om,0.7\n", "not a city of the model"),
        ("city,component,share\nbaoji,om,0.7\n", "no composition"),
        ("city,component,share\n,dust,0.7\n", "must be one of"),
    ],
)
def test_bad_compositions_are_refused(tmp_path, text, match):
    path = tmp_path / "c.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=match):
        attainment.read_composition(path, ["xian"])
