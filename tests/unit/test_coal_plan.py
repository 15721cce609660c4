"""A scenario's coal plan: scope, counties, pledges, years, limits, co-benefits, advice and export."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import hypothesis
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import strategies as st

import airsim
from airsim import coal, geography, inventory, measures, rules
from airsim.case import plan_of
from airsim.coal import accounts, advice, benefit, cap, costs, counties, iamc, limits
from airsim.coal.plan import Plan, carry_out
from airsim.errors import InputError
from airsim.scenario import CityLimits, Coal, CoalScope, CoalSubstitution, Distribution, Limits

HEAD = """\
name: plan
title: {zh: 方案, en: plan}
period: {start: 2019-01-02, end: 2019-01-04}
domain: {west: 106.5, south: 33.5, east: 110.5, north: 35.5, spacing: 16000}
meteorology: {kind: synthetic}
measures:
"""
COAL = "coal: {base_year: 2018, target_year: 2019}\n"


@pytest.fixture
def load(tmp_path):
    def made(lines, tail=COAL, head=HEAD):
        path = tmp_path / "plan.yaml"
        path.write_text(head + "".join(f"  - {line}\n" for line in lines) + tail, encoding="utf-8")
        return airsim.load(path)

    return made


@cache
def shipped():
    place = geography.load(geography.make_grid((106.5, 33.5, 110.5, 35.5), 16000))
    from airsim import shipped as files

    tables = [files.path(f"data/emissions/{n}.csv") for n in ("enterprises", "area_sources", "coal_ledger")]
    return SimpleNamespace(place=place, base=inventory.read(*tables, place))


def balance(scenario):
    base = shipped().base
    return cap.point_of(carry_out(plan_of(scenario), base))


HOME = "{type: coal_substitution, city: xian, route: gas, households: 9, %s}"
HOMES = "{type: coal_substitution, name: homes, city: xian, route: gas, households: 20000}"
BOILERS = "{type: retire, name: boilers, city: weinan, tonnes: 50000}"


def project(offsets="", **more):
    extra = "".join(f", {k}: {v}" for k, v in more.items())
    head = "{type: new_project, name: works, city: weinan, sector: industry, tonnes: 60000"
    return f"{head}{extra}, offsets: [{offsets}]}}"


# --------------------------------------------------------------------------------------------------------
# scope

LEDGER = pd.DataFrame(
    [
        (2018, "xian", "power", "raw_coal", 1_000_000.0, np.nan),
        (2018, "xian", "power", "gangue", 100_000.0, np.nan),
        (2018, "xian", "industry", "feedstock_coal", 80_000.0, np.nan),
        (2018, "xian", "industry", "semi_coke", 40_000.0, np.nan),
        (2018, "xian", "small_industry", "raw_coal", 200_000.0, 22_000.0),
        (2018, "xian", "residential", "raw_coal", 300_000.0, np.nan),
    ],
    columns=["year", "city", "sector", "fuel", "consumption", "heating_value"],
).assign(basis="", quality="estimated", origin="ledger.csv:1")
NONE = pd.DataFrame(columns=list(accounts.COLUMNS))


@pytest.mark.parametrize(
    ("rule", "scope", "tonnes", "words"),
    [
        ("2018", {}, 1_680_000, "全社会，实物量"),
        ("2021", {}, 1_680_000, "全社会"),
        ("2023", {}, 1_500_000, "不含煤矸石、原料煤"),
        ("2023", {"include": ("gangue",)}, 1_600_000, "不含原料煤"),
        ("2018", {"exclude": ("feedstock_coal",)}, 1_600_000, "不含原料煤"),
        ("2018", {"include": ("semi_coke",)}, 1_720_000, "另计入兰炭"),
        ("2018", {"society": "above_designated"}, 1_180_000, "规上工业"),
        ("2018", {"society": "non_power"}, 580_000, "非电"),
        ("2023", {"society": "above_designated"}, 1_000_000, "规上工业"),
    ],
)
def test_the_same_year_in_every_scope(rule, scope, tonnes, words):
    out = coal.balance_of(LEDGER, NONE, 2018, 2019, rule, scope=CoalScope(**scope))
    assert out["consumption"].sel(line="base").sum().item() == pytest.approx(tonnes, abs=1e-6)
    assert words in out.attrs["scope_zh"]
    # what is not assessed stays in the ledger of all fuels
    assert out["consumption_by_fuel"].sel(line="base").sum().item() == pytest.approx(1_720_000)


def test_the_test_can_run_on_standard_coal():
    # a better coal in the place of a poorer one: fewer tonnes, the same heat
    lines = pd.DataFrame(
        [
            ("swap", "substitution", "xian", "small_industry", "raw_coal", 100_000.0),
            ("swap", "substitution", "xian", "small_industry", "washed_coal", -100_000.0 * 22_000 / 26_377),
        ],
        columns=list(accounts.COLUMNS),
    )
    tonnes = coal.balance_of(LEDGER, lines, 2018, 2019, "2018")
    heat = coal.balance_of(LEDGER, lines, 2018, 2019, "2018", scope=CoalScope(unit="tce"))
    assert tonnes["growth_total"].item() < -0.009
    assert heat["growth_total"].item() == pytest.approx(0.0, abs=1e-12)
    assert "标准量" in heat.attrs["scope_zh"]


def test_a_scope_without_coal_is_refused():
    only = LEDGER[LEDGER["sector"] == "residential"]
    with pytest.raises(InputError, match="no coal of the scope"):
        coal.balance_of(only, NONE, 2018, 2019, "2018", scope=CoalScope(society="above_designated"))


def test_signed_lines_are_the_balance(load):
    scenario = load(
        [
            "{type: weather, name: winter, percent: {normal: [0, 6]}}",
            "{type: activity_growth, name: output, sectors: [cement], percent: {triangular: [1, 2, 3]}}",
            "{type: coal_substitution, name: homes, city: xian, route: district_heat, households: 20000,"
            " execution_rate: 0.9, reburn: 0.2, tonnes_per_household: {uniform: [1.6, 2.4]}}",
            BOILERS,
            project("{reduction: boilers, tonnes: 30000}"),
        ],
        "coal: {base_year: 2018, target_year: 2019, rules: '2023', scope: {unit: tce},"
        " growth: [{percent: 1, sectors: [power]}]}\n",
    )
    base = shipped().base
    stages = carry_out(plan_of(scenario), base)
    out, signed = cap.point_of(stages), accounts.lines(stages)
    whole = out["consumption_tce"].sum(("city", "sector"))
    assert signed["amount"].sum() == pytest.approx(whole.sel(line="target").item(), rel=1e-12)
    at_start = signed.loc[signed["line"] == "base", "amount"].sum()
    assert at_start == pytest.approx(whole.sel(line="base").item(), rel=1e-12)
    homes = signed[(signed["measure"] == "homes") & (signed["sector"] == "residential")].iloc[0]
    assert homes["amount"] == pytest.approx(homes["coefficient"] * 0.9 * 0.8 * 2.0)
    assert isinstance(homes["tonnes_per_household_distribution"], Distribution)
    # a change of 0 % in the point value still says what it would act on
    winter = signed[signed["measure"] == "winter"]
    assert (winter["amount"] == 0).all()
    heat = winter[(winter["city"] == "xian") & (winter["sector"] == "heat")].iloc[0]
    assert heat["coefficient"] == pytest.approx(400_000 * 20908 / 29307.6, rel=1e-3)


# --------------------------------------------------------------------------------------------------------
# the ledger as an office sends it


def _workbook(path, rows, header):
    book = openpyxl.Workbook()
    book.active.append(["关中煤炭消费台账"])
    book.active.append(header)
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


CHINESE = [
    "年份",
    "城市",
    "县区",
    "行业",
    "煤种",
    "消费量（万吨）",
    "标准量（万吨标准煤）",
    "产量（万吨）",
    "调入量（万吨）",
    "调出量（万吨）",
    "库存减少量（万吨）",
]


def test_a_chinese_workbook_with_counties_standard_coal_and_supply(tmp_path):
    path = _workbook(
        tmp_path / "台账.xlsx",
        [
            [2018, "西安", "长安区", "电力", "原煤", 100, 70, 0, 130, 0, 0],
            [2018, "西安", "", "民用散煤", "原煤", 30, None, None, None, None, None],
            [2018, "渭南", "", "电力", "原煤", 50, None, 60, 5, 14, -1],
        ],
        CHINESE,
    )
    with pytest.raises(InputError, match="supply"):
        # the supply of Chang'an is that of its own rows: 130 against 100
        inventory.read(None, None, path, shipped().place)
    path = _workbook(
        tmp_path / "台账.xlsx",
        [
            [2018, "西安", "长安区", "电力", "原煤", 100, 70, 0, 99.8, 0, 0],
            [2018, "西安", "", "民用散煤", "原煤", 30, None, None, None, None, None],
            [2018, "渭南", "", "电力", "原煤", 50, None, 60, 5, 14, -1],
        ],
        CHINESE,
    )
    ledger = inventory.read(None, None, path, shipped().place).coal
    assert ledger["county"].tolist() == ["610116", "", ""]
    assert ledger["consumption"].tolist() == pytest.approx([1e6, 3e5, 5e5])
    assert ledger["heating_value"][0] == pytest.approx(0.7 * 29307.6)
    assert ledger["production"][2] == pytest.approx(6e5)
    out = coal.balance_of(ledger, NONE, 2018, 2019, "2018")
    assert out["consumption_tce"].sel(line="base", city="xian", sector="power").item() == pytest.approx(7e5)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([2018, "渭南", "", "电力", "原煤", 50, None, 60, 5, 14, 0], "consumption is 500,000 t"),
        ([2018, "渭南", "长安区", "电力", "原煤", 50], "no county of weinan"),
        ([2018, "渭南", "", "电力", "原煤", 50, 5000], "do not fit one another"),
        ([2018, "渭南", "", "电力", "原煤", 50, None, -1], "must be at least 0"),
    ],
)
def test_a_ledger_that_does_not_balance(tmp_path, row, message):
    path = _workbook(tmp_path / "台账.xlsx", [row], CHINESE)
    with pytest.raises(InputError, match=message) as caught:
        inventory.read(None, None, path, shipped().place)
    assert "Sheet!" in caught.value.text()


def test_heating_value_and_standard_coal_must_agree(tmp_path):
    path = tmp_path / "ledger.csv"
    path.write_text(
        "year,city,sector,fuel,consumption,heating_value,standard_coal\n2018,xian,power,raw_coal,1000,20934,714\n"
        "2018,xian,heat,raw_coal,1000,20934,800\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError, match=r"ledger.csv:3.*gives 714 tce"):
        inventory.read(None, None, path, shipped().place)


def test_a_header_in_tce_is_no_tonnage(tmp_path):
    path = tmp_path / "ledger.csv"
    path.write_text("年份,城市,行业,煤种,消费量（万吨标准煤）\n2018,西安,电力,原煤,10\n", encoding="utf-8")
    with pytest.raises(InputError):
        inventory.read(None, None, path, shipped().place)


def test_counties_add_up_to_their_city():
    own = pd.DataFrame(
        [
            ("base", "base", "xian", "610116", "residential", "raw_coal", 300.0),
            ("base", "base", "xian", "", "residential", "raw_coal", 100.0),
            ("base", "base", "xian", "", "power", "raw_coal", 1000.0),
            ("gas", "substitution", "xian", "610116", "residential", "raw_coal", -30.0),
            ("all", "substitution", "xian", "", "residential", "raw_coal", -40.0),
            ("all", "substitution", "xian", "", "residential", "briquette", 10.0),
        ],
        columns=["measure", "line", "city", "county", "sector", "fuel", "amount"],
    )
    table = accounts.by_county(own).set_index(["county", "line"])["amount"]
    assert table["610116", "substitution"] == pytest.approx(-30 - 40 * 0.75)
    assert table["", "substitution"] == pytest.approx(-40 * 0.25 + 10)
    assert table.sum() == pytest.approx(own["amount"].sum())


# --------------------------------------------------------------------------------------------------------
# pledges: each tonne once


def test_offsets_of_a_scenario(load):
    out = balance(
        load([HOMES, BOILERS, project("{reduction: boilers, tonnes: 45000}, {reduction: '1', tonnes: 5000}")])
    )
    assert out["offset_required"].sel(project="works").item() == pytest.approx(60_000)
    assert out["offset_pledged"].sel(project="works").item() == pytest.approx(50_000)
    assert out["pledge_reduction"].values.tolist() == ["boilers", "homes"]
    by_line = out["consumption"].sum(("city", "sector"))
    assert by_line.sel(line="offsets").item() == pytest.approx(-50_000)
    assert by_line.sel(line="substitution").item() == pytest.approx(-35_000)
    assert by_line.sel(line="retirement").item() == pytest.approx(-5_000)


def test_the_ratio_is_the_projects_own_and_of_its_full_year(load):
    out = balance(load([BOILERS, project(ratio=1.5, execution_rate=0.5)]))
    assert out["offset_required"].item() == pytest.approx(90_000)
    assert out["consumption"].sel(line="new_projects").sum().item() == pytest.approx(30_000)
    rule = rules.load("coal", version="2023")
    assert cap.offset_ratio(rule, "xian", "power") == 1.0


SECOND = (
    "{type: new_project, name: mill, city: xian, sector: industry, tonnes: 30000, "
    "emission_factors: {SO2: 1, NOx: 1, PM10: 1, PM25: 1, BC: 0, OC: 0, VOC: 0, NH3: 0, CO: 0}, "
    "offsets: [{reduction: boilers, tonnes: 20000}]}"
)


@pytest.mark.parametrize(
    ("measures_", "message"),
    [
        # a tonne pledged to two projects
        ([BOILERS, project("{reduction: boilers, tonnes: 40000}"), SECOND], "'works' 40000 t and 'mill' 20000 t"),
        # beyond what the reduction saves
        ([BOILERS, project("{reduction: boilers, tonnes: 50001}")], "has 50000 t, pledged to 'works' 50001 t"),
        # beyond what is carried out of it
        (
            [
                "{type: retire, name: boilers, city: weinan, tonnes: 50000, execution_rate: 0.5}",
                project("{reduction: boilers, tonnes: 30000}"),
            ],
            "has 25000 t, pledged to 'works' 30000 t",
        ),
        # saved only after the project starts
        (
            [
                "{type: retire, name: boilers, city: weinan, tonnes: 50000, year: 2020}",
                project("{reduction: boilers, tonnes: 30000}", year=2019),
            ],
            "starts in 2019, but 'boilers' saves its coal only from 2020",
        ),
        # saved only after the target year
        (
            [
                "{type: retire, name: boilers, city: weinan, tonnes: 50000, year: 2022}",
                project("{reduction: boilers, tonnes: 30000}"),
            ],
            "'boilers' saves its coal only from 2022, after 2020: it can't be pledged to 'works' yet",
        ),
        # a fuel that is no substitute
        (
            [
                "{type: clean_coal_supply, name: semi, city: xian, tonnes: 10000, fuel: semi_coke}",
                project("{reduction: semi, tonnes: 5000}"),
            ],
            "'semi' is pledged to 'works', but this fuel is no reduction measure",
        ),
        ([BOILERS, project("{reduction: nothing, tonnes: 1}")], "no such measure; there are boilers, works"),
        (
            [
                "{type: activity_growth, name: more, sectors: [cement], percent: -5}",
                project("{reduction: more, tonnes: 1}"),
            ],
            "no such reduction",
        ),
        # more than the source burns, by two measures
        (
            [
                "{type: coal_substitution, name: first, city: yangling, route: gas, households: 15000}",
                "{type: coal_substitution, name: second, city: yangling, route: clean_coal, households: 10000}",
            ],
            r"burn \d+ t of raw_coal.*claimed by 'first'",
        ),
        # one plant closed twice
        (
            [
                "{type: retire, name: plan A, enterprise: 大唐户县第二热电厂}",
                "{type: retire, name: plan B, enterprise: 大唐户县第二热电厂}",
            ],
            "closed by both 'plan A' and 'plan B'",
        ),
    ],
)
def test_each_tonne_once(load, measures_, message):
    scenario = load(measures_, "coal: {base_year: 2018, target_year: 2020, rules: '2023'}\n")
    with pytest.raises(InputError, match=message):
        balance(scenario)


def test_what_is_done_later_does_not_count_yet(load):
    late = "{type: retire, name: boilers, city: weinan, tonnes: 50000, year: 2021}"
    out = balance(load([late], "coal: {base_year: 2018, target_year: 2020}\n"))
    assert out["consumption"].sel(line="retirement").sum().item() == 0
    out = balance(load([late], "coal: {base_year: 2018, target_year: 2021}\n"))
    assert out["consumption"].sel(line="retirement").sum().item() == pytest.approx(-50_000)


def test_what_was_done_before_is_in_the_statistics(load):
    with pytest.raises(InputError, match=r"plan.yaml:7: 'year', value 2018.*base year 2018"):
        balance(load(["{type: retire, name: boilers, city: weinan, tonnes: 50000, year: 2018}"]))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{type: coal_substitution, city: xian, route: gas}", "either households or boiler_capacity"),
        ("{type: coal_substitution, city: xian, route: gas, households: 1, boiler_capacity: 2}", "either households"),
        ("{type: coal_substitution, city: xian, route: peat, households: 1}", "must be one of electricity, gas"),
        (
            HOME % "tonnes_per_household: {triangular: [2, 1, 3]}",
            "must rise",
        ),
        (
            HOME % "tonnes_per_household: {uniform: [1, 20]}",
            "from 0.01 to 10",
        ),
        (
            "{type: coal_substitution, city: xian, route: gas, households: 9, tonnes_per_household: 20}",
            "from 0.01 to 10",
        ),
        ("{type: coal_substitution, city: xian, route: gas, households: 9, reburn: 1.2}", "from 0 to 1"),
        ("{type: coal_substitution, city: xian, route: gas, households: 9, reburn: {}}", "exactly one of"),
        ("{type: retire, city: xian}", "either enterprise"),
        ("{type: retire, city: xian, enterprise: x}", "either enterprise"),
        ("{type: new_project, name: x, city: xian, sector: power, tonnes: 0}", "must be > 0"),
        ("{type: weather, percent: 5, sectors: [power]}", "residential"),
    ],
)
def test_bad_measures_name_their_line(load, line, message):
    with pytest.raises(InputError, match=message) as caught:
        load([line])
    assert "plan.yaml:7" in caught.value.text()


def test_names_and_counties_must_be_known(load):
    twice = load([BOILERS, "{type: retire, name: boilers, city: xian, tonnes: 1}"])
    with pytest.raises(InputError, match=r"plan.yaml:8.*measure 1 has this name already"):
        assert plan_of(twice).labels
    lost = load(["{type: coal_substitution, city: xian, county: 岐山县, route: gas, households: 10}"])
    with pytest.raises(InputError, match=r"岐山县: must be one of .*长安区"):
        balance(lost)
    assert counties.county_code("xian", "长安区") == counties.county_code("xian", "610116") == "610116"


@pytest.mark.parametrize(
    ("kind", "numbers", "mean"),
    [
        ("triangular", (1.0, 2.0, 6.0), 3.0),
        ("uniform", (1.0, 2.0), 1.5),
        ("normal", (2.0, 0.3), 2.0),
        ("lognormal", (2.0, np.e), 2.0 * np.exp(0.5)),
    ],
)
def test_the_point_value_of_a_distribution_is_its_mean(kind, numbers, mean):
    assert Distribution(**{kind: numbers}).mean == pytest.approx(mean)


# --------------------------------------------------------------------------------------------------------
# limits


def test_a_year_of_heat_by_degree_days():
    share, days = limits.months("xian")
    assert share.sum() == pytest.approx(1.0)
    assert days.tolist() == [31, 28, 15, 0, 0, 0, 0, 0, 0, 0, 16, 31]
    assert share.argmax() == 0  # January
    table = pd.read_csv(airsim.shipped.path("data/meteorology/surface_month_hour.csv"), encoding="utf-8-sig")
    january = table[(table["city"] == "xian") & (table["month"] == 1)]["air_temperature_C"].mean()
    december = table[(table["city"] == "xian") & (table["month"] == 12)]["air_temperature_C"].mean()
    assert share[0] / share[11] == pytest.approx((18 - january) / (18 - december))


@pytest.mark.parametrize("kind", ["gas", "grid", "heat"])
def test_monthly_loads_add_up_to_the_year(kind):
    load, days = limits.monthly(kind, 1e9, "baoji"), limits.months("baoji")[1]
    back = (load * days).sum() * {"gas": 1.0, "grid": 24e3 / 1.4, "heat": 86400e3 / 1.4}[kind]
    assert back == pytest.approx(1e9)
    assert limits.monthly("grid", 8760e3, "xian", heating=False) == pytest.approx(np.ones(12))


COLD = "{type: weather, percent: 10}"
GAS = "{type: coal_substitution, name: gas, city: xian, route: gas, households: 50000%s}"
LIMITED = "coal: {base_year: 2018, target_year: 2019, limits: {bind: %s, cities: {xian: {gas: 200000}}}}\n"


def test_an_exceeded_limit_is_reported_with_month_and_amount(load):
    scenario = load([GAS % ""], LIMITED % "false")
    found = plan_of(scenario).allotment
    volume = 100_000e3 * 20934 * 0.45 / (35544 * 0.9)
    share, days = limits.months("xian")
    january = volume * share[0] / days[0]
    first = found.excess[found.excess["month"] == 1].iloc[0]
    assert first["demand"] == pytest.approx(january)
    assert first["excess"] == pytest.approx(january - 200_000)
    assert first["volume"] == pytest.approx((january - 200_000) * 31)
    assert set(found.excess["month"]) <= {1, 2, 12}
    assert found.parts == {}
    out = limits.add(balance(scenario), plan_of(scenario).allotment, bind=False)
    assert out["limit_city"].values[0] == "xian"
    assert out.attrs["limits"] == "report"
    assert out["consumption"].sel(line="substitution").sum().item() == pytest.approx(-100_000)


def test_a_binding_limit_stops_the_excess_or_sends_it_elsewhere(load):
    share = plan_of(load([GAS % ""], LIMITED % "true")).allotment.parts[0][0][0]
    peak = limits.loads(load([GAS % ""]).measures[0], "gas")["gas"].max()
    assert share == pytest.approx(200_000 / peak)
    stopped = balance(load([GAS % ""], LIMITED % "true"))
    assert stopped["consumption"].sel(line="substitution").sum().item() == pytest.approx(-100_000 * share)
    scenario = load([GAS % ", fallback: clean_coal"], LIMITED % "true")
    moved = balance(scenario)
    briquette = (1 - share) * 100_000 * 20934 * 0.45 / (25090 * 0.7)
    by_fuel = moved["consumption_by_fuel"].sel(line="substitution", city="xian").sum("sector")
    assert by_fuel.sel(fuel="raw_coal").item() == pytest.approx(-100_000)
    assert by_fuel.sel(fuel="briquette").item() == pytest.approx(briquette)
    moves = plan_of(scenario).allotment.moves.iloc[0]
    assert (moves["measure"], moves["kind"], moves["fallback"]) == ("gas", "gas", "clean_coal")
    assert moves["tonnes"] == pytest.approx((1 - share) * 100_000)


def test_a_cold_winter_asks_for_more_and_summer_is_not_asked(load):
    mild, cold = load([GAS % ""]), load([COLD, GAS % ""])
    assert (limits.cold(mild.measures, "xian"), limits.cold(cold.measures, "xian")) == (1.0, pytest.approx(1.1))
    asked = [plan_of(load([*first, GAS % ""], LIMITED % "false")).allotment.excess for first in ([], [COLD])]
    january = [float(e.loc[e["month"] == 1, "demand"].iloc[0]) for e in asked]
    assert january[1] == pytest.approx(1.1 * january[0])
    steam = load(["{type: coal_substitution, city: xian, route: gas, boiler_capacity: 100}"]).measures[0]
    by_month = limits.loads(steam, "gas", winter=1.1)["gas"]
    assert np.flatnonzero(by_month).tolist() == [0, 1, 2, 10, 11]
    assert by_month[0] == pytest.approx(by_month[10])


def test_limits_are_shared_in_the_order_of_the_file(load):
    tail = LIMITED % "true"
    found = plan_of(load([GAS % "", (GAS % "").replace("name: gas", "name: later")], tail)).allotment
    assert 0 < found.parts[0][0][0] < 1
    assert found.parts[1][0][0] == pytest.approx(0.0, abs=1e-12)


def test_limits_from_a_table(load, tmp_path):
    path = tmp_path / "limits.csv"
    path.write_text("城市,冬季可用气量（万立方米/日）,电网富余容量（万千瓦）\n西安,20,5\n", encoding="utf-8")
    tail = "coal: {base_year: 2018, target_year: 2019, limits: {file: limits.csv}}\n"
    assert plan_of(load([GAS % ""], tail)).capacities == {"xian": {"gas": 200_000.0, "grid": 50.0}}
    path.write_text("城市,冬季可用气量\n西安,20\n西安市,5\n长沙,1\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        assert plan_of(load([GAS % ""], tail)).capacities
    assert "limits.csv:3" in caught.value.text()
    assert "limits.csv:4" in caught.value.text()
    with pytest.raises(InputError, match="file not found"):
        load([GAS % ""], tail.replace("limits.csv", "none.csv"))


# --------------------------------------------------------------------------------------------------------
# co-benefits, cost, advice, export


def test_carbon_dioxide_of_a_tonne():
    # 20.934 GJ/t x 26.1 tC/TJ x 0.93 x 44/12; gas 21.6 t per 10^4 m3
    assert benefit.co2_of_coal("raw_coal", 2018) == pytest.approx(20.934 * 26.1 / 1e3 * 0.93 * 44 / 12)
    assert benefit.co2_of_gas() * 1e4 == pytest.approx(21.62, abs=0.01)
    assert benefit.co2_of_coal("coke", 2018) == pytest.approx(2.86, abs=0.01)


def test_cobenefits_are_the_ledger_rows(load):
    scenario = load([HOMES, BOILERS])
    base = shipped().base
    stages = carry_out(plan_of(scenario), base)
    out = benefit.add(cap.point_of(stages), stages)
    rows = pd.concat(stages.rows)
    for p in ("SO2", "NOx", "PM25"):
        told = out["avoided"].sel(substance=p).sum().item()
        assert told == pytest.approx(rows.loc[rows["pollutant"] == p, "removed"].sum())
    homes = out.sel(coal_measure="homes", city="xian")["avoided"]
    heat = 40_000e3 * 20934 * 0.45
    gas = heat / (35544 * 0.9)
    assert homes.sel(substance="coal").item() == pytest.approx(40_000)
    assert homes.sel(substance="CO2").item() == pytest.approx(
        40_000 * benefit.co2_of_coal("raw_coal", 2018) - gas * benefit.co2_of_gas()
    )
    capital = 20_000 * 3000 * costs.annuity(0.05, 15)
    assert out["cost_state"].sel(coal_measure="homes").item() == pytest.approx(0.6 * capital)
    assert out["cost_user"].sel(coal_measure="homes").item() == pytest.approx(0.4 * capital + gas * 2.0 - 40_000 * 900)
    assert np.isnan(out["cost_state"].sel(coal_measure="boilers").item())


def test_an_annuity_pays_its_capital_back():
    pay = costs.annuity(0.05, 15)
    assert sum(pay / 1.05**n for n in range(1, 16)) == pytest.approx(1.0)
    assert costs.annuity(0.0, 10) == 0.1


def test_advice_ranks_what_can_be_done_first(load):
    tail = (
        "coal: {base_year: 2018, target_year: 2019, cities: [xian, baoji],"
        " limits: {cities: {xian: {gas: 0, grid: 100}}}}\n"
    )
    scenario = load([HOMES], tail)
    base = shipped().base
    stages = carry_out(plan_of(scenario), base)
    table = advice.advise(stages)
    assert table.attrs["benefit"] == "tonnes"
    assert set(table["city"]) == {"xian", "baoji"}
    xian, baoji = (table[table["city"] == c].set_index("route") for c in ("xian", "baoji"))
    assert sorted(xian["rank"]) == list(range(1, 8))
    assert xian.loc["gas", "rank"] == 7
    assert (xian.loc["gas", "homes_possible"], xian.loc["gas", "limited_by"]) == (0, "gas")
    assert baoji.loc["gas", "rank"] < baoji.loc["solar", "rank"]
    # what the plan has done already is no longer left
    assert xian.loc["biomass", "homes_left"] == pytest.approx((723_500 - 40_000) / 2.0, rel=1e-3)
    kwh = 2.0e3 * 20934 * 0.45 / 9000
    peak = limits.monthly("grid", kwh, "xian").max()
    assert xian.loc["electricity", "homes_possible"] == pytest.approx(100 / peak)
    # the sensitivities, where there are some, decide
    felt = pd.DataFrame(
        1e-4,
        index=pd.MultiIndex.from_product([["xian", "baoji"], ["SO2", "PM25"]], names=["city", "pollutant"]),
        columns=["xian", "baoji"],
    )
    told = advice.advise(stages, felt)
    assert told.attrs["benefit"] == "operator"
    gas = told[(told["city"] == "baoji") & (told["route"] == "gas")].iloc[0]
    assert gas["pm25_city"] == pytest.approx(1e-4 * (gas["SO2"] + gas["PM25"]))


def test_advice_goes_down_to_counties(load):
    base = shipped().base
    rows = base.coal.assign(county="")
    home = (
        (rows["year"] == 2018)
        & (rows["city"] == "xian")
        & (rows["sector"] == "residential")
        & (rows["fuel"] == "raw_coal")
    )
    part = rows[home].assign(county="610116", consumption=100_000.0)
    rows.loc[home, "consumption"] -= 100_000.0
    import dataclasses

    with_county = dataclasses.replace(base, coal=pd.concat([rows, part], ignore_index=True))
    scenario = load([], "  []\ncoal: {base_year: 2018, target_year: 2019, cities: [xian]}\n")
    table = advice.advise(carry_out(plan_of(scenario), with_county))
    assert set(table["county"]) == {"610116"}
    assert table["homes_left"].max() == pytest.approx(50_000)


def test_the_iamc_table_is_long_and_complete(load):
    scenario = load([HOMES], "coal: {base_year: 2018, target_year: 2019, cities: [xian, weinan]}\n")
    base = shipped().base
    stages = carry_out(plan_of(scenario), base)
    out = benefit.add(cap.point_of(stages), stages)
    table = iamc.table(out, "plan")
    assert tuple(table.columns) == ("model", "scenario", "region", "variable", "unit", "year", "value")
    assert not table.duplicated(["model", "scenario", "region", "variable", "unit", "year"]).any()
    assert table["value"].notna().all()
    of = table.set_index(["scenario", "region", "variable", "year"])["value"]
    whole = of["plan", "Guanzhong", "Consumption|Coal", 2019]
    assert whole * 1e6 == pytest.approx(out["consumption"].sel(line="target").sum().item())
    assert whole == pytest.approx(
        sum(of["plan", f"Guanzhong|{c}", "Consumption|Coal", 2019] for c in ("Xi'an", "Weinan"))
    )
    parts = table[(table["scenario"] == "plan") & (table["region"] == "Guanzhong") & (table["year"] == 2019)]
    sectors = parts[parts["variable"].str.fullmatch(r"Consumption\|Coal\|(?!Change|Growth|Prob)[^|]+")]
    assert sectors["value"].sum() == pytest.approx(whole)
    assert of["statistics", "Guanzhong", "Consumption|Coal", 2018] == pytest.approx(
        out["consumption"].sel(line="base").sum().item() / 1e6
    )


def test_a_plan_by_parts_is_the_same_however_its_cities_are_asked(load):
    whole = balance(load([HOMES, BOILERS]))
    one = balance(load([HOMES, BOILERS], "coal: {base_year: 2018, target_year: 2019, cities: [weinan]}\n"))
    assert one["growth"].sel(city="weinan").item() == pytest.approx(whole["growth"].sel(city="weinan").item())


def test_imported_power_coal_is_told_apart(load):
    line = (
        "{type: coal_substitution, name: heat pumps, city: xian, route: electricity, households: 20000, power_city: %s}"
    )
    away, here = balance(load([line % "imported"])), balance(load([line % "weinan"]))
    coal_ = away.attrs["induced_outside_t"]
    assert coal_ > 0
    assert here.attrs["induced_outside_t"] == 0
    difference = (
        here["consumption"].sel(line="target", city="weinan").sum()
        - away["consumption"].sel(line="target", city="weinan").sum()
    )
    assert difference.item() == pytest.approx(coal_)
    assert measures.IMPORTED not in away["city"].values


def test_clean_coal_emits_as_it_was_sampled(load):
    line = "{type: clean_coal_supply, name: supply, city: xian, tonnes: 20000%s}"
    base = shipped().base

    def avoided(more):
        rows = pd.concat(carry_out(plan_of(load([line % more])), base).rows)
        return {p: float(rows.loc[rows["pollutant"] == p, "removed"].sum()) for p in ("SO2", "PM25", "raw_coal")}

    from airsim.coal import inspection

    told = inspection.supply(airsim.shipped.path("data/emissions/clean_coal_inspection.csv"), "xian")
    clean, sampled = avoided(""), avoided(", inspection: 'shipped:emissions/clean_coal_inspection.csv'")
    assert sampled["raw_coal"] == pytest.approx(clean["raw_coal"])
    homes = base.sources[
        (base.sources["city"] == "xian")
        & (base.sources["sector"] == "residential")
        & (base.sources["fuel"] == "raw_coal")
    ]
    ratio = rules.load("heating")["clean_coal.emission_ratio.SO2"]
    of_clean = 20_000 * homes["SO2"].sum() / homes["coal"].sum() * ratio
    assert clean["SO2"] - sampled["SO2"] == pytest.approx(of_clean * (told.so2_ratio - 1.0), rel=1e-9)
    assert told.so2_ratio > 1.0
    plan_wide = load(
        [line % ""],
        "coal: {base_year: 2018, target_year: 2019, inspection: 'shipped:emissions/clean_coal_inspection.csv'}\n",
    )
    rows = pd.concat(carry_out(plan_of(plan_wide), base).rows)
    assert rows.loc[rows["pollutant"] == "SO2", "removed"].sum() == pytest.approx(sampled["SO2"])


@hypothesis.settings(max_examples=40, deadline=None)
@hypothesis.given(
    st.lists(
        st.tuples(
            st.sampled_from(["gas", "electricity", "district_heat", "solar"]),
            st.floats(1e3, 2e5),
            st.sampled_from([None, "electricity", "clean_coal", "gas"]),
        ),
        min_size=1,
        max_size=5,
    ),
    st.floats(0, 1e6),
    st.floats(0, 300),
    st.floats(0, 300),
)
def test_what_happens_fits_and_nothing_happens_twice(asked, gas, grid, heat):
    own = [
        CoalSubstitution(type="coal_substitution", name=f"m{i}", city="xian", route=r, households=h, fallback=f)
        for i, (r, h, f) in enumerate(asked)
    ]
    room = Limits(bind=True, cities={"xian": CityLimits(gas=gas, grid=grid, heat=heat)})
    found = Plan(tuple(own), Coal(base_year=2018, target_year=2019, limits=room)).allotment
    used = {"gas": np.zeros(12), "grid": np.zeros(12), "heat": np.zeros(12)}
    for i, m in enumerate(own):
        parts = found.parts.get(i, [(1.0, None)])
        assert all(-1e-12 <= share <= 1.0 for share, _ in parts)
        assert sum(share for share, _ in parts) <= 1.0 + 1e-12
        for share, route in parts:
            for kind, load in limits.loads(m, route or m.route).items():
                used[kind] += share * load
    for kind, capacity in (("gas", gas), ("grid", grid), ("heat", heat)):
        assert used[kind].max() <= capacity * (1 + 1e-9) + 1e-9
    # what was moved or stopped is the rest of what was asked
    done = sum(
        share * limits.tonnes_of(own[i]) for i in range(len(own)) for share, _ in found.parts.get(i, [(1.0, None)])
    )
    stopped = found.moves.loc[found.moves["fallback"] == "", "tonnes"].sum()
    assert done + stopped == pytest.approx(sum(limits.tonnes_of(m) for m in own), rel=1e-9)


def test_a_plan_whose_measures_all_come_later_is_whole(load):
    scenario = load([BOILERS.replace("}", ", year: 2022}")])
    stages = carry_out(plan_of(scenario), shipped().base)
    assert stages.ledger().sizes["row"] == 0
    assert balance(scenario)["growth_total"].item() == pytest.approx(0.0)
