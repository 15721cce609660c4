"""Probability, decomposition and inspection as a scenario asks for them, and as they are printed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

import airsim
from airsim import coal, shipped
from airsim.case import provenance
from airsim.commands import check as checking
from airsim.errors import InputError
from airsim.output import console, words
from airsim.output.sections import coal as coal_page
from airsim.output.sections import coal_decomposition, coal_inspection, coal_probability
from airsim.result import groups, variables

HEAD = """
name: test
title: {zh: 测试, en: test}
period: {start: 2019-01-01, end: 2019-01-03}
meteorology: {kind: synthetic}
measures:
  - {type: coal_substitution, city: xian, route: gas, households: 100000, execution_rate: 0.9}
  - {type: coal_substitution, city: weinan, route: gas, households: 100000,
     tonnes_per_household: {triangular: [1.6, 2.0, 2.5], source: survey}}
coal:
  base_year: 2018
  target_year: 2019
  growth: [{percent: {normal: [0.7, 1.0], source: plan}}]
"""
ACTIVITY = '"shipped:emissions/coal_activity.csv"'
ASKED = f"""
  decomposition: {{activity: {ACTIVITY}, years: [2015, 2018, 2019]}}
  inspection: "shipped:emissions/clean_coal_inspection.csv"
"""


def _load(folder, text):
    path = folder / "a.yaml"
    path.write_text(text, encoding="utf-8")
    return airsim.load(path)


@pytest.fixture(scope="module")
def balance(tmp_path_factory):
    return coal.balance(_load(tmp_path_factory.mktemp("coal"), HEAD + ASKED))


def test_every_variable_is_in_the_table_and_fits_a_result(balance):
    group = variables.describe(groups.coal(balance), "/coal")
    outside = group.sel(city="luoyang")
    assert np.isnan(outside["probability"])
    assert (outside["inspection_verdict"] == -1).all()
    assert (outside["inspection_batches"] == 0).all()
    assert group["lmdi_additive_city"].sel(city="luoyang").isnull().all()
    assert group["inspection_batches"].dtype == np.int32


def test_the_point_value_lies_in_the_middle_of_the_members(balance):
    low, high = balance["change_quantile_total"].sel(quantile=[0.05, 0.95]).values
    assert low < float(balance["growth_total"]) < high
    assert 0 < float(balance["probability_total"]) < 1
    assert float(balance["extra_needed_total"]) > 0


def test_declared_distributions_say_their_source(balance):
    basis = balance["input_basis"].to_series()
    assumed = balance["input_assumed"].to_series()
    assert (basis["growth_percent:growth 1"], assumed["growth_percent:growth 1"]) == ("plan", 0)
    own = "tonnes_per_household:2-coal_substitution"
    assert (basis[own], assumed[own]) == ("survey", 0)
    assert assumed["execution_rate:1-coal_substitution"] == 1


def test_the_decomposition_ends_at_the_target_of_the_balance(balance):
    assert balance["period"].values.tolist() == ["2015-2018", "2018-2019"]
    by_line = balance["consumption"].sum(("city", "sector"))
    change = float(by_line.sel(line="target") - by_line.sel(line="base"))
    last = balance.isel(period=1)
    assert float(last["lmdi_start"]) == pytest.approx(float(by_line.sel(line="base")))
    assert float(last["lmdi_change"]) == pytest.approx(change)
    np.testing.assert_allclose(balance["lmdi_additive"].sum("lmdi_factor"), balance["lmdi_change"], rtol=1e-9)
    np.testing.assert_allclose(
        balance["lmdi_additive_city"].sum("lmdi_factor"), balance["lmdi_change_city"], rtol=1e-6, atol=1e-3
    )


def test_failing_batches_add_emissions_to_clean_coal(balance):
    assert balance.attrs["inspection_quality"] == "synthetic"
    assert balance.attrs["inspection_status"] == "memory"
    failing = balance["clean_coal_failing"]
    worse = balance["clean_coal_excess_so2"].where(failing > 0, drop=True)
    assert worse.size > 0
    assert (balance["clean_coal_excess_so2"].where(failing == 0, 0.0) == 0).all()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_is_printed_says_what_is_assumed(balance, lang):
    tree = xr.DataTree.from_dict({"/": xr.Dataset(), "/coal": balance})
    lines = "\n".join(console.lines(coal_page.page(tree), lang))
    lines.encode("gbk")
    share = f"{float(balance['probability_total']):.1%}"
    assert share in lines
    assert ("未注明出处，为假设" if lang == "zh" else "have no source: assumed") in lines
    assert ("批次数据：合成" if lang == "zh" else "batches: synthetic") in lines
    assert ("活动水平" if lang == "zh" else "activity") in lines


def test_inputs_are_called_as_the_measures_are(balance):
    names = {str(u): coal_probability.input_name(balance, i) for i, u in enumerate(balance["uncertain_input"].values)}
    assert names["growth_percent:growth 1"] == ("增长：第 1 条", "growth: entry 1")
    assert names["execution_rate:1-coal_substitution"].zh == "执行率：" + words.measure("1-coal_substitution").zh
    assert names["statistics:2"] == ("统计误差：其余部门", "statistics error: others")


@pytest.mark.parametrize(
    ("name", "said"),
    [("coal_activity.csv", "activity, 410 rows"), ("clean_coal_inspection.csv", "275 batches, 12 fail")],
)
def test_the_tables_can_be_checked(name, said):
    assert said in checking.check(shipped.path(f"data/emissions/{name}")).en


def test_the_tables_are_among_the_inputs_of_a_run(tmp_path):
    inputs = {i.path.name: i.kind for i in provenance.inputs(_load(tmp_path, HEAD + ASKED), [])}
    assert inputs["coal_activity.csv"] == inputs["clean_coal_inspection.csv"] == "illustrative"


def test_charts_and_tables(balance):
    for figure in (coal_decomposition.figure(balance), coal_inspection.figure(balance)):
        json.dumps(figure, allow_nan=False)
    waterfall = coal_decomposition.figure(balance)["data"][0]
    steps = sum(v for v, k in zip(waterfall["y"], waterfall["measure"], strict=True) if k == "relative")
    ends = [v for v, k in zip(waterfall["y"], waterfall["measure"], strict=True) if k != "relative"]
    assert ends[-1] - ends[0] == pytest.approx(steps, abs=0.02)
    grids = coal_decomposition.grids(balance) + coal_inspection.grids(balance)
    assert len(grids) == 4
    for grid in grids:
        assert grid.rows
        assert all(len(row) == len(grid.head) == len(grid.digits) for row in grid.rows)


def test_without_the_blocks_only_the_probability_is_there(tmp_path):
    out = coal.balance(_load(tmp_path, HEAD))
    assert "probability_total" in out
    assert not [n for n in out if str(n).startswith(("lmdi", "inspection", "clean_coal"))]
    assert coal_decomposition.figure(out) is None
    assert coal_inspection.figure(out) is None
    assert coal_inspection.grids(out) == coal_decomposition.grids(out) == []


def test_the_seed_and_the_wanted_level_are_the_scenarios(tmp_path):
    def run(block):
        return coal.balance(_load(tmp_path, f"{HEAD}\n  uncertainty: {block}\n"))

    one, other = run("{seed: 1, members: 4096}"), run("{seed: 2, members: 4096}")
    assert float(one["probability_total"]) != float(other["probability_total"])
    close = 4 * float(np.hypot(one["probability_error_total"], other["probability_error_total"]))
    assert float(one["probability_total"]) == pytest.approx(float(other["probability_total"]), abs=close)
    more = run("{seed: 1, members: 4096, wanted_probability: 0.99}")
    assert float(more["extra_needed_total"]) > float(one["extra_needed_total"])
    cube = run("{seed: 1, members: 4096, sampler: latin_hypercube}")
    assert float(cube["probability_total"]) == pytest.approx(float(one["probability_total"]), abs=0.02)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("uncertainty: {members: 10}", "coal.uncertainty.members.*must be >= 256"),
        ("uncertainty: {execution_rate: {deviation: {triangular: [1, 0.5, 2]}}}", "the numbers must rise"),
        ("uncertainty: {execution_rate: {deviation: {normal: [1, 0.1], uniform: [0, 1]}}}", "exactly one of"),
        ("uncertainty: {execution_rate: {deviation: {beta: [0, 1, 0, 1]}}}", "beta: shapes above 0"),
        ("uncertainty: {statistics: [{error: {normal: [0, 3]}, correlation: 1.2}]}", "correlation.*must be <= 1"),
        (
            "uncertainty: {statistics: [{sectors: [households], error: {normal: [0, 3]}, correlation: 0.9}]}",
            "households.*must be one of power",
        ),
        (
            "uncertainty: {measures: [{measure: homes, factor: reburn, distribution: {uniform: [0, 2]}}]}",
            "reburn: must be from 0 to 1",
        ),
        (
            "uncertainty: {measures: [{measure: homes, factor: reburn, distribution: {uniform: [0, 0.2]}}]}",
            "no such measure.*1-coal_substitution",
        ),
        ("decomposition: {activity: nowhere.csv}", "coal.decomposition.activity.*file not found"),
        ("decomposition: {activity: ACTIVITY, years: [2019, 2018]}", "the years must rise"),
        ("decomposition: {activity: ACTIVITY, years: [2012, 2018]}", "2012.*no row of this year"),
        ("inspection: nowhere.xlsx", "coal.inspection.*file not found"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_stands(tmp_path, block, said):
    with pytest.raises(InputError, match=said):
        coal.balance(_load(tmp_path, f"{HEAD}\n  {block.replace('ACTIVITY', ACTIVITY)}\n"))


def test_the_scope_in_standard_coal_decomposes_standard_coal(tmp_path):
    out = coal.balance(_load(tmp_path, HEAD + ASKED + "\n  scope: {unit: tce}\n"))
    tce = out["consumption_tce"].sum(("city", "sector"))
    assert float(out["lmdi_start"][1]) == pytest.approx(float(tce.sel(line="base")), rel=1e-9)
    assert float(out["lmdi_change"][1]) == pytest.approx(float(tce.sel(line="target") - tce.sel(line="base")), rel=1e-6)
    growth = float(out["growth_total"])
    assert float(out["change_quantile_total"].sel(quantile=0.5)) == pytest.approx(growth, abs=0.01)
