"""A scenario with an emergency response through the run, its outputs, the precise list and the least-cost measures."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from cases import SHORT
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

import airsim
from airsim import coal, shipped, simulation
from airsim.case import parts, plan_of
from airsim.cli import app
from airsim.output import excel, html
from airsim.output.sections import report
from airsim.result import netcdf

OPTIMISE = """\
name: choice
title: {zh: 优化, en: choice}
period: {start: 2019-01-02, end: 2019-01-03, spin_up_hours: 24}
domain: {west: 106.5, south: 33.5, east: 110.5, north: 35.5, spacing: 16000}
meteorology: {kind: synthetic, seed: 7, build_up_hours: 12, stagnant_hours: 24}
measures:
  - {type: coal_substitution, city: xian, route: electricity, households: 100000, execution_rate: 0.9}
  - {type: coal_substitution, city: xianyang, route: gas, households: 150000, execution_rate: 0.9}
  - {type: cut, percent: 10, cities: [xian], sectors: [transport]}
coal:
  base_year: 2018
  target_year: 2019
  growth: [{percent: 0.7}]
optimise:
  costs: {1-coal_substitution: 2.0e+8, 2-coal_substitution: 1.0e+8, 3-cut: 3.0e+8}
  coal_change: COAL
  shares: [{cities: [xian], pollutants: [NOx], percent: 4}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("应急")
    text = SHORT.replace(
        "    execution_rate: 0.9\n    alerts", "    execution_rate: 0.9\n    uncertainty: {members: 64}\n    alerts"
    )
    assert "uncertainty" in text
    text = text[: text.index("near_field:")]
    (made / "情景.yaml").write_text(text, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def result(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRSIM_CACHE", str(folder / "cache"))
        return netcdf.dress(simulation.run(airsim.load(folder / "情景.yaml")))


def test_the_group_is_consistent(result):
    found = result["emergency"].to_dataset()
    root = result.to_dataset()
    # the last measure is the response: with = controlled
    with_ = found["effect_peak_hour"].sel(response="with")
    np.testing.assert_allclose(with_, root["pm25"].sel(case="controlled").max("time"), rtol=1e-5)
    together = found["effect_mean"].sel(response="without") - found["effect_mean"].sel(response="with")
    acting = [str(a) for a in found["actor"].values]
    np.testing.assert_allclose(found["cut_shifted"].sel(shift=0), together, rtol=1e-5)
    # the parts of a nearly linear whole
    assert float(abs(found["cut_alone"].sum("actor") - together).sel(city=acting).max()) < 0.3
    sooner = found["cut_shifted"].sel(city=acting).transpose("shift", "city").values
    assert (np.diff(sooner, axis=0) <= 1e-3).all()
    cut = found["emission_cut"]
    assert float(cut.sel(city="baoji").max()) == 0.0
    hours = cut.sel(city="xian", precursor="SO2").values
    assert (hours[:12] == 0).all()  # the alert begins at noon of the first day
    assert 0 < hours[12] < hours[-7:].max()
    low, middle, high = found["cut_band"].sel(city="xian").values
    assert low < middle < high
    assert found.attrs["spread_status"] == "estimate"


def test_report_and_workbook_hold_the_effect(result, folder):
    for lang, words in (
        ("zh", ("应急响应的效果", "早一天启动多得多少", "90 % 区间")),
        ("en", ("What the response does", "day of lead")),
    ):
        page = html.text(report.page(result), lang)
        for word in words:
            assert word in page
    excel.write(report.page(result), folder / "表.xlsx", "zh")
    book = CalamineWorkbook.from_path(str(folder / "表.xlsx"))
    assert {"应急效果", "应急逐时减排"} <= set(book.sheet_names)
    rows = book.get_sheet_by_name("应急效果").to_python()
    named = [r[0] for r in rows]
    assert "西安" in named
    text = " ".join(str(r[0]) for r in rows[:4])
    assert "环境科学 2019, 40(8): 3397" in text
    hourly = book.get_sheet_by_name("应急逐时减排").to_python()
    assert len(hourly) > 60


def test_the_result_reads_back(result, folder):
    netcdf.write(result, folder / "结果.nc")
    again = netcdf.read(folder / "结果.nc")["emergency"].to_dataset()
    xr.testing.assert_allclose(again["cut_alone"], result["emergency"]["cut_alone"])


def run(*arguments, cache):
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"AIRSIM_CACHE": str(cache)})


def test_precise_list_with_and_without_weather(folder):
    listed = shipped.path("data/emissions/emergency_list.xlsx")
    plain = run("emergency", listed, "--level", "red", "--optimise", "lines", "--lang", "en", cache=folder / "cache")
    assert plain.exit_code == 0, plain.output
    assert "may stay open" in plain.output
    out = folder / "精准.xlsx"
    arguments = ("emergency", listed, "--level", "red", "--optimise", "output", "--scenario", folder / "情景.yaml")
    first = run(*arguments, "--out", out, "--lang", "zh", cache=folder / "cache")
    assert first.exit_code == 0, first.output
    assert "最重日降低" in first.output
    assert "普遍减排" in first.output
    assert CalamineWorkbook.from_path(str(out)).sheet_names == ["摘要", "精准清单", "约束与边际值", "与普遍清单比较"]
    assert run(*arguments, "--lang", "zh", cache=folder / "cache").output == first.output.replace(f"{out}\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--optimise", "money"), "money"),
        (("--optimise", "cost"), "stop"),
        (("--optimise", "lines", "--effect", "2"), "2"),
    ],
)
def test_bad_choices_end_with_2(folder, arguments, said):
    listed = shipped.path("data/emissions/emergency_list.xlsx")
    found = run("emergency", listed, "--level", "red", *arguments, "--lang", "en", cache=folder / "cache")
    assert found.exit_code == 2
    assert said in found.output


def optimised(folder, change):
    path = folder / f"choice{change}.yaml"
    path.write_text(OPTIMISE.replace("COAL", str(change)), encoding="utf-8")
    return path


def test_least_cost_measures_by_hand(folder):
    path = optimised(folder, 0)
    scenario = airsim.load(path)
    balance = coal.balance(scenario)
    by_line = balance["consumption"].sum(["city", "sector"])
    base, growth, target = (float(by_line.sel(line=n)) for n in ("base", "growth", "target"))
    said = run("optimise", path, "--lang", "en", "--out", folder / "plan.xlsx", cache=folder / "cache")
    assert said.exit_code == 0, said.output
    from airsim.optimise import least_cost

    place = parts.place(scenario)
    tables = parts.inventory(scenario, place)
    plan = least_cost.choose(plan_of(scenario), scenario.optimise, tables, lambda: airsim.case.Case(scenario).air)
    demand = next(d for d in plan.demands if d.key == "coal")
    # coal moves by measures as the balance says, and by no more than growth allows
    assert demand.coefficients.sum() == pytest.approx(target - base - growth, rel=1e-6)
    assert demand.bound == pytest.approx(-growth, rel=1e-6)
    # road transport is the only one that lowers NOx by much: it is needed in part, at its marginal cost
    nox = next(i for i, d in enumerate(plan.demands) if d.key == "share/xian/NOx")
    assert plan.optimum.reached[nox] == pytest.approx(4.0)
    assert 0 < plan.measures.at["3-cut", "chosen"] < 1
    cut = plan.demands[nox].coefficients[2]
    assert plan.optimum.marginal[nox] == pytest.approx(3.0e8 / cut, rel=1e-6)
    # the cheaper tonne of coal first
    saved = -demand.coefficients[:2]
    cheaper = int(np.argmin(np.array([2.0e8, 1.0e8]) / saved))
    chosen = plan.measures["chosen"].to_numpy()[:2]
    assert chosen[cheaper] > 0
    assert chosen[cheaper] == pytest.approx(1.0) or chosen[1 - cheaper] == pytest.approx(0.0)


def test_least_cost_out_of_reach(folder):
    found = run("optimise", optimised(folder, -50), "--lang", "en", cache=folder / "cache")
    assert found.exit_code == 2
    assert "short by" in found.output
    path = folder / "无.yaml"
    path.write_text(OPTIMISE[: OPTIMISE.index("optimise:")], encoding="utf-8")
    assert run("optimise", path, cache=folder / "cache").exit_code == 2
