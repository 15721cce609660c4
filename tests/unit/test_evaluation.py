"""Measures against hand-worked figures, baselines that see the past only, and pages on real and synthetic weather."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xarray as xr

from airsim import observations, rules, shipped
from airsim.assess import annual, baselines, evaluation
from airsim.commands import evaluate
from airsim.errors import InputError
from airsim.output import console, excel, html
from airsim.output.sections import evaluation as evaluation_page

_spec = spec_from_file_location("made_up_result", Path(__file__).with_name("made_up_result.py"))
made_up_result = module_from_spec(_spec)
_spec.loader.exec_module(made_up_result)
make = made_up_result.make
REAL = shipped.path("data/observations/hourly_2018-12_2019-03.csv")


# ---- measures


def test_measures_by_hand():
    """Four pairs worked on paper: observed 1, 2, 4, 5; modelled 2, 2, 3, 9."""
    found = evaluation.measures([1, 2, 4, 5], [2, 2, 3, 9])
    assert found["n"] == 4
    assert found["observed"] == 3
    assert found["modelled"] == 4
    assert found["mb"] == 1
    assert found["rmse"] == pytest.approx(np.sqrt(18 / 4))
    assert found["nmb"] == pytest.approx(4 / 12)
    assert found["nme"] == pytest.approx(6 / 12)
    # 2/4 (1/3 + 0/4 - 1/7 + 4/14)
    assert found["mfb"] == pytest.approx(0.5 * (1 / 3 - 1 / 7 + 4 / 14))
    assert found["mfe"] == pytest.approx(0.5 * (1 / 3 + 1 / 7 + 4 / 14))
    assert found["r"] == pytest.approx(15 / np.sqrt(10 * 34))
    # 1 - 18 / (3^2 + 2^2 + 1^2 + 8^2): |m - 3| + |o - 3| = 1 + 2, 1 + 1, 0 + 1, 6 + 2
    assert found["ioa"] == pytest.approx(1 - 18 / 78)
    assert found["fac2"] == 1.0
    assert found["fb"] == pytest.approx(2 * (3 - 4) / 7)
    assert found["nmse"] == pytest.approx((18 / 4) / 12)
    ratios = np.log([1 / 2, 1, 4 / 3, 5 / 9])
    assert found["mg"] == pytest.approx(np.exp(ratios.mean()))
    assert found["vg"] == pytest.approx(np.exp((ratios**2).mean()))


def test_a_perfect_model_and_a_factor_of_two():
    o = np.array([3.0, 8.0, 20.0, 55.0])
    perfect, double = evaluation.measures(o, o), evaluation.measures(o, 2 * o)
    for name, best in {"nmb": 0, "nme": 0, "mfb": 0, "mfe": 0, "r": 1, "ioa": 1, "fac2": 1, "mg": 1, "vg": 1}.items():
        assert perfect[name] == pytest.approx(best), name
    # Chang and Hanna 2004: a constant factor of two has FB -2/3, MG 1/2, VG exp(ln2^2)
    assert double["fb"] == pytest.approx(-2 / 3)
    assert double["mg"] == pytest.approx(0.5)
    assert double["vg"] == pytest.approx(np.exp(np.log(2) ** 2))
    assert double["fac2"] == 1
    assert double["mfb"] == pytest.approx(2 / 3)


def test_missing_pairs_do_not_count_and_too_few_give_nothing():
    found = evaluation.measures([1, np.nan, 3, 4, 5], [1, 2, np.nan, 4, 6])
    assert found["n"] == 3
    assert np.isnan(evaluation.measures([1, 2], [1, 2])["nmb"])
    assert np.isnan(evaluation.measures([1, 2, 3], [0, 0, 0])["mg"])


def test_a_constant_has_no_correlation():
    assert np.isnan(evaluation.measures([1, 2, 3, 5], [0.1 + 0.2] * 4)["r"])
    assert np.isnan(evaluation.taylor([1, 2, 3, 5], [2, 2, 2, 2])[1])


def test_taylor_point():
    o = np.array([1.0, 2.0, 3.0, 4.0])
    assert evaluation.taylor(o, 3 * o + 1) == (pytest.approx(3), pytest.approx(1))


def test_events_by_hand():
    """Finley's tornado table is the classic; here 3 hits, 1 miss, 2 false alarms, 2 quiet days."""
    o = [250, 260, 270, 280, 100, 100, 100, 100, np.nan]
    m = [210, 300, 201, 199, 201, 250, 200, 10, 300]
    found = evaluation.events(o, m, 200)
    assert [found[k] for k in ("hits", "misses", "false_alarms", "quiet")] == [3, 1, 2, 2]
    assert found["pod"] == 3 / 4
    assert found["far"] == 2 / 5
    assert found["csi"] == 3 / 6
    quiet = evaluation.events([100], [100], 200)
    assert np.isnan(quiet["pod"])
    assert np.isnan(quiet["far"])


def test_distribution_of_two_shifted_samples():
    found = evaluation.distribution(np.arange(100), np.arange(100) + 25)
    assert found["ks"] == pytest.approx(0.25)
    assert found["modelled_p50"] - found["observed_p50"] == 25


def test_goals_of_record():
    rule = rules.load("evaluation")
    assert (rule["goal.mfb"], rule["goal.mfe"], rule["criteria.mfb"], rule["criteria.mfe"]) == (0.3, 0.5, 0.6, 0.75)
    assert rule.weakest_status("acceptable") == "memory"


# ---- baselines


def hourly(days: int, value) -> xr.DataArray:
    time = pd.date_range("2019-01-01T16", periods=24 * days, freq="h").to_numpy()
    return xr.DataArray(value(np.arange(24 * days))[:, None], {"time": time, "city": ["xian"]}, ("time", "city"))


def test_persistence_never_looks_into_the_window():
    seen = hourly(6, lambda h: h.astype(float))
    start = seen["time"].values[72]
    window = seen["time"].values[72:]
    first = baselines.last_day(seen, start, window)
    assert first.values[:, 0].tolist() == [48 + h % 24 for h in range(72)]
    spoiled = seen.where(seen["time"] < start, 1e9)
    xr.testing.assert_equal(first, baselines.last_day(spoiled, start, window))
    one = baselines.day_before(seen, window)
    assert one.values[:, 0].tolist() == list(range(48, 120))


def test_ventilation_regression_finds_a_power_law_and_uses_the_past_only():
    days = pd.date_range("2019-01-01", periods=40, freq="D").to_numpy()
    random = np.random.default_rng(3)
    v = random.lognormal(7, 0.6, 40)
    c = 5000 * v**-0.6
    c[30:] = 1.0  # the window: would spoil the fit
    arrays = [xr.DataArray(x[:, None], {"day": days, "city": ["xian"]}, ("day", "city")) for x in (c, v)]
    fit = baselines.fit_ventilation(*arrays, before=days[30])
    assert fit.days == {"xian": 30}
    assert fit.slope["xian"] == pytest.approx(-0.6)
    assert fit.smearing["xian"] == pytest.approx(1)
    made = fit.predict(arrays[1])
    assert made.values[:30, 0] == pytest.approx(c[:30])


def test_smearing_keeps_the_mean_of_noisy_data():
    days = pd.date_range("2017-01-01", periods=2000, freq="D").to_numpy()
    random = np.random.default_rng(5)
    v = random.lognormal(7, 0.6, 2000)
    c = 5000 * v**-0.6 * random.lognormal(0, 0.5, 2000)
    arrays = [xr.DataArray(x[:, None], {"day": days, "city": ["xian"]}, ("day", "city")) for x in (c, v)]
    fit = baselines.fit_ventilation(*arrays, before=np.datetime64("2030-01-01"))
    assert float(fit.predict(arrays[1]).mean()) == pytest.approx(c.mean(), rel=0.03)
    # without it the mean of a lognormal is lost: exp(0.5^2 / 2) = 1.133
    assert fit.smearing["xian"] == pytest.approx(np.exp(0.125), rel=0.05)


def test_too_few_days_give_no_regression():
    days = pd.date_range("2019-01-01", periods=40, freq="D").to_numpy()
    x = xr.DataArray(np.arange(1.0, 41)[:, None], {"day": days, "city": ["xian"]}, ("day", "city"))
    assert baselines.fit_ventilation(x, x, before=days[baselines.LEAST_DAYS - 1]).days == {}
    assert baselines.fit_ventilation(x, x, before=days[baselines.LEAST_DAYS]).days == {"xian": baselines.LEAST_DAYS}


# ---- HJ 663


def test_percentile_by_the_regulation():
    """Rank k = 1 + (n - 1) p: of 1..11 the 95th percentile stands at rank 10.5."""
    assert annual.percentile(np.arange(1.0, 12), 0.95) == pytest.approx(10.5)
    assert annual.percentile([5.0, np.nan, 3.0], 0.5) == 4.0
    assert np.isnan(annual.percentile([np.nan], 0.9))


def test_largest_eight_hour_mean_ends_within_the_day():
    """Windows end at 8:00 to 24:00, so the hours before midnight of one day never make a mean of the next."""
    h = np.arange(48)
    o3 = hourly(2, lambda n: np.where((h % 24 >= 20) | (h % 24 < 4), 100.0, 20.0))
    day = annual.daily_air(xr.Dataset({"pm25": o3, "o3": o3}))
    # the best window of a day is hours 16 to 23 (four of 100) or 0 to 7 (four of 100)
    assert day["o3_8h"].values[:, 0].tolist() == [60.0, 60.0]
    assert day["o3_1h"].values[:, 0].tolist() == [100.0, 100.0]


@pytest.mark.parametrize(("hours", "valid"), [(20, True), (19, False)])
def test_a_day_needs_twenty_hours(hours, valid):
    pm25 = hourly(1, lambda h: np.where(h < hours, 50.0, np.nan))
    day = annual.daily_air(xr.Dataset({"pm25": pm25}))
    assert np.isfinite(day["pm25"].values[0, 0]) == valid


def test_days_of_record_of_january_2019():
    """The red-alert episode in Xi'an, from the public releases: the worst day is 6 January, two days above 250."""
    daily = annual.daily_air(observations.read([REAL]).cities())
    xian = daily["pm25"].sel(city="xian")
    assert pd.Timestamp(xian["day"].values[int(np.nanargmax(xian.values))]) == pd.Timestamp("2019-01-06")
    assert int((xian > 250).sum()) == 2
    assert float(xian.sel(day="2019-01-06")) == pytest.approx(296, abs=1)
    statistics = annual.statistics(daily)
    season = statistics[(statistics["city"] == "xian") & (statistics["pollutant"] == "pm25")].set_index("period")
    assert season.loc["2018-2019 autumn-winter", "days"] == 113
    assert not season["valid"].any()


def test_a_full_year_is_valid_and_one_thin_month_is_not():
    rule = rules.load("assessment", version="HJ663-2013")
    days = pd.date_range("2019-01-01", "2019-12-31").to_numpy()
    known = np.ones(days.size, bool)
    assert annual.year_is_valid(days, known, rule)
    known[:5] = False  # 26 days of January
    assert not annual.year_is_valid(days, known, rule)


# ---- the command's work


def real_weather(hours: int = 72) -> xr.DataTree:
    tree = make(hours=hours)
    tree["meteorology"].attrs["synthetic"] = "no"
    return tree


@pytest.fixture(scope="module")
def seen():
    return observations.read([REAL])


def test_synthetic_weather_is_never_paired(seen):
    tree = make()
    assert evaluate.is_synthetic(tree)
    found = evaluate.compare(tree, seen)
    assert found.attrs["paired"] == "no"
    assert not {"score", "event", "predicted_daily"} & set(found.data_vars)
    page = evaluation_page.page(tree, found, annual.statistics(annual.daily_air(seen.cities())))
    assert "NOT computed" in page.notices[0].en
    assert "没有意义" in page.notices[0].zh
    assert [s.key for s in page.sections] == ["levels", "diurnal", "observed", "reading"]
    # the whole January stands beside the three days
    mean = float(found["observed_mean"].sel(variable="pm25", place="xian"))
    assert mean == pytest.approx(138.9, abs=0.05)


def test_a_result_that_does_not_say_counts_as_synthetic():
    tree = make()
    del tree["meteorology"].attrs["synthetic"]
    assert evaluate.is_synthetic(tree)


def test_paired_scores_are_those_of_the_pairs(seen):
    tree = real_weather()
    found = evaluate.compare(tree, seen)
    assert found.attrs["paired"] == "yes"
    root = tree.to_dataset()
    o = seen.cities()["pm25"].sel(city="xian").reindex(time=root["time"].values).values
    m = root["pm25"].sel(case="base", city="xian").values
    score = found["score"].sel(scale="hourly", predictor="model", variable="pm25", place="xian")
    assert float(score.sel(measure="nmb")) == pytest.approx(np.nansum((m - o)[np.isfinite(o)]) / np.nansum(o), rel=1e-5)
    assert float(score.sel(measure="n")) == np.isfinite(o).sum()
    pooled = found["score"].sel(scale="hourly", predictor="model", variable="pm25")
    assert float(pooled.sel(place="all", measure="n")) == float(pooled.sel(measure="n").drop_sel(place="all").sum())


def test_without_earlier_weather_persistence_is_the_only_baseline_and_the_page_says_so(seen):
    found = evaluate.compare(real_weather(), seen)
    ventilation = found["score"].sel(predictor="ventilation")
    assert np.isnan(ventilation.values).all()
    page = evaluation_page.page(real_weather(), found, annual.statistics(annual.daily_air(seen.cities())))
    assert "No ventilation regression" in page.notices[0].en
    assert "--earlier" in page.notices[0].zh


def december(tree: xr.DataTree) -> xr.DataTree:
    """Return a result of December 2018 whose ventilation falls with the observed PM2.5."""
    weather = tree["meteorology"].to_dataset()
    time = pd.date_range("2018-11-30T16", "2018-12-31T15", freq="h").to_numpy()
    seen = observations.read([REAL]).cities()["pm25"].reindex(time=time, city=weather["city"].values)
    ventilation = (2e5 / seen).rename("ventilation_coefficient")
    other = xr.Dataset({"ventilation_coefficient": ventilation}, attrs={"synthetic": "no"})
    return xr.DataTree.from_dict({"/": xr.Dataset(), "/meteorology": other})


def test_with_earlier_weather_the_regression_is_fitted_before_the_window(seen):
    tree = real_weather()
    found = evaluate.compare(tree, seen, earlier=[december(tree), tree])
    assert int(found["fitted_days"].sel(city="xian")) >= 20
    daily = found["score"].sel(scale="daily", variable="pm25", place="xian", predictor="ventilation")
    assert np.isfinite(float(daily.sel(measure="nmb")))


def test_the_page_draws_and_the_workbook_opens(seen, tmp_path):
    tree = real_weather()
    found = evaluate.compare(tree, seen, earlier=[december(tree), tree])
    page = evaluation_page.page(tree, found, annual.statistics(annual.daily_air(seen.cities())), seen.notes)
    for lang in ("zh", "en"):
        text = html.text(page, lang)
        assert 'id="taylor-points"' in text
        assert 'id="series-xian"' in text
        assert "://" not in text.split("<script")[0]
    ids = [s.key for s in page.sections] + [f["id"] for s in page.sections for f in (*s.figures, *s.more)]
    assert len(ids) == len(set(ids))
    excel.write(page, tmp_path / "e.xlsx", "zh")
    book = openpyxl.load_workbook(tmp_path / "e.xlsx")
    sheet = book["日均，分城市"]
    assert [c.value for c in sheet[1]][:4] == ["污染物", "城市", "预报", "对数"]
    assert sheet.max_row > 50
    "\n".join(console.lines(page, "zh")).encode("gbk")


def test_a_window_without_observations_is_refused(seen):
    tree = real_weather()
    root = tree.to_dataset()
    later = root["time"] + np.timedelta64(800, "D")
    weather = tree["meteorology"].to_dataset().assign_coords(time=later)
    other = xr.DataTree.from_dict({"/": root.assign_coords(time=later), "/meteorology": weather})
    with pytest.raises(InputError, match="nothing is observed"):
        evaluate.compare(other, seen)
    with pytest.raises(InputError, match="no such case"):
        evaluate.compare(tree, seen, case="best")


def test_a_run_on_real_weather_holds_daily_scores_and_the_observed_hours_and_a_synthetic_one_neither(seen):
    from airsim.output.sections import report
    from airsim.result import groups as result
    from airsim.result import netcdf

    tree = real_weather()
    root = tree.to_dataset().assign(no2=lambda d: d["nox"] * 0.7)
    statistics = evaluation.observed_statistics(seen.cities(), {1})
    plain = result.evaluation(root, statistics)
    assert "daily_score" not in plain
    assert "note" in plain.attrs
    paired = result.evaluation(root, statistics, seen.cities())
    assert "note" not in paired.attrs
    # daily means by hand: three Beijing days of Xi'an
    o = seen.cities()["pm25"].sel(city="xian").reindex(time=root["time"].values).values.reshape(3, 24)
    m = root["pm25"].sel(case="base", city="xian").values.reshape(3, 24)
    expected = evaluation.measures(np.nanmean(o, axis=1), m.mean(axis=1))
    at = paired["daily_score"].sel(variable="pm25", city="xian")
    assert float(at.sel(measure="nmb")) == pytest.approx(expected["nmb"])
    groups = {n.path: n.to_dataset(inherit=False) for n in tree.subtree} | {"/": root, "/evaluation": paired}
    page = html.text(report.page(netcdf.dress(xr.DataTree.from_dict(groups))), "en")
    assert "Paired measures of daily PM2.5" in page
    assert "Paired measures of daily PM2.5" not in html.text(report.page(netcdf.dress(make())), "en")
