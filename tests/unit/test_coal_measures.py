"""Coal measures: closures, projects, efficiency, clean coal, growth, weather, routes; hand-worked to the kilogram."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airsim import measures, rules
from airsim.errors import InputError
from airsim.inventory import POLLUTANTS, Inventory
from airsim.inventory.reading import SOURCE_COLUMNS, no_scaling
from airsim.measures.ledger import left_of
from airsim.measures.substitution import boiler_coal, coal_left, demand_of, useful_heat

TEXT = {
    "kind",
    "name",
    "enterprise_id",
    "credit_code",
    "city",
    "county",
    "sector",
    "subsector",
    "fuel",
    "grade",
    "activity_unit",
    "basis",
    "quality",
    "origin",
}


def _source(kind, city, sector, subsector, coal, county="", name="", **amounts):
    row = {c: "" if c in TEXT else np.nan for c in SOURCE_COLUMNS}
    row |= dict.fromkeys(POLLUTANTS, 0.0) | amounts
    fuel = "raw_coal" if coal else ""
    return row | {
        "kind": kind,
        "city": city,
        "sector": sector,
        "subsector": subsector,
        "coal": coal,
        "fuel": fuel,
        "county": county,
        "name": name,
        "enterprise_id": name,
        "origin": "x",
    }


@pytest.fixture(scope="module")
def inventory():
    sources = pd.DataFrame(
        {
            "stove": _source(
                "area",
                "xian",
                "residential",
                "traditional_stove",
                60e3,
                SO2=480,
                NOx=96,
                PM10=600,
                PM25=480,
                BC=120,
                OC=240,
            ),
            "stove2": _source(
                "area",
                "xian",
                "residential",
                "traditional_stove",
                40e3,
                "610116",
                SO2=320,
                NOx=64,
                PM10=400,
                PM25=320,
                BC=80,
                OC=160,
            ),
            "boiler": _source(
                "area", "xian", "small_industry", "coal_boiler", 80e3, SO2=400, NOx=240, PM10=80, PM25=40
            ),
            "kiln": _source(
                "area", "xian", "small_industry", "building_materials", 20e3, SO2=200, NOx=20, PM10=60, PM25=30
            ),
            "heating": _source("area", "xian", "heat", "coal_boiler", 50e3, SO2=70, NOx=90, PM10=14, PM25=10),
            "plant": _source("point", "weinan", "power", "", 1e6, name="甲电厂", SO2=250, NOx=460, PM10=45, PM25=43),
            "cement": _source(
                "point", "weinan", "cement", "cement", 100e3, name="乙水泥", SO2=40, NOx=380, PM10=100, PM25=70
            ),
        }
    ).T
    sources = sources.astype({c: float for c in sources.columns if c not in TEXT})
    sources.index.name = "source"
    ledger = pd.DataFrame(
        [
            (2018, "xian", "", "residential", "raw_coal", 60e3),
            (2018, "xian", "610116", "residential", "raw_coal", 40e3),
            (2018, "xian", "", "small_industry", "raw_coal", 100e3),
            (2018, "xian", "", "heat", "raw_coal", 50e3),
            (2018, "weinan", "", "power", "raw_coal", 1.05e6),
            (2018, "weinan", "", "power", "gangue", 50e3),
            (2018, "weinan", "", "cement", "raw_coal", 110e3),
        ],
        columns=["year", "city", "county", "sector", "fuel", "consumption"],
    ).assign(heating_value=np.nan, basis="", quality="estimated", origin="ledger.csv:1")
    return Inventory(sources, no_scaling(), ledger)


def _coal(inv, **where):
    rows = inv.coal
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows["consumption"].sum()


def _left(inv, pollutant="SO2"):
    ids = list(inv.sources.index)
    return float((inv.sources[pollutant] * left_of(inv, ids, pd.NaT, pd.NaT)[pollutant]).sum())


def _removed(rows, pollutant):
    return float(rows.loc[rows["pollutant"] == pollutant, "removed"].sum())


# --------------------------------------------------------------------------------------------------------
# heat and demand, worked by hand from the rule file


def test_delivered_heat_of_a_stove_and_of_a_boiler():
    r = rules.load("heating")
    assert (r["raw_coal_heating_value"], r["stove_efficiency"], r["boiler.efficiency"]) == (20934, 0.45, 0.7)
    assert useful_heat(2.0) == pytest.approx(2000 * 20934 * 0.45)  # 18.84 GJ a home
    assert useful_heat(2.0, boilers=True) == pytest.approx(2000 * 20934 * 0.7)


def test_a_t_h_of_steam_in_coal():
    # 1 t/h = 0.7 MW; 2500 h: 6300 GJ; / 0.7 / 20.934 GJ/t
    assert boiler_coal(1.0, "small_industry") == pytest.approx(0.7 * 2500 * 3.6 / 0.7 / 20.934)
    assert boiler_coal(10.0, "heat", 1000.0) == pytest.approx(10 * 0.7 * 1000 * 3.6 / 0.7 / 20.934)


@pytest.mark.parametrize(
    ("route", "field", "expected"),
    [
        ("electricity", "electricity", 1e9 / (3600 * 2.5)),
        ("geothermal", "electricity", 1e9 / (3600 * 4.5)),
        ("solar", "electricity", 0.5e9 / (3600 * 2.5)),
        ("gas", "gas", 1e9 / (35544 * 0.9)),
        ("district_heat", "heat", 1e9 / 0.85),
        ("clean_coal", "fuel", 1e9 / (25090 * 0.7) / 1e3),
        ("biomass", "fuel", 1e9 / (16000 * 0.75) / 1e3),
    ],
)
def test_what_a_route_takes_for_a_terajoule(route, field, expected):
    takes = demand_of(route, 1e9)
    assert getattr(takes, field) == pytest.approx(expected, rel=1e-12)


def test_induced_coal_of_wire_and_of_network():
    takes = demand_of("electricity", 1e9)
    kwh = 1e9 / 9000
    assert takes.power_coal == pytest.approx(kwh / 0.94 * 0.75 * 0.305 / 1e3 / (20934 / 29307.6))
    heat = demand_of("district_heat", 1e9)
    assert heat.heat_coal == pytest.approx(1e9 / 0.85 / 0.9 * 0.8 / 20934 / 1e3)
    assert demand_of("electricity", 1e9, steam=True).electricity == pytest.approx(1e9 / (3600 * 0.98))


# --------------------------------------------------------------------------------------------------------
# substitution


@pytest.mark.parametrize("route", measures.ROUTES)
def test_every_route_replaces_what_it_says_and_keeps_the_heat(inventory, route):
    after, rows = measures.coal_substitution(
        inventory, "xian", 10_000, 2.0, route, 0.9, reburn=0.1, year=2018, measure="m"
    )
    tonnes = 10_000 * 2.0 * 0.9 * 0.9
    own = rows[(rows["sector"] == "residential") & (rows["pollutant"] == "raw_coal")]
    assert own["removed"].sum() == pytest.approx(tonnes, abs=1e-3)
    assert _coal(inventory, sector="residential", fuel="raw_coal") - _coal(
        after, sector="residential", fuel="raw_coal"
    ) == pytest.approx(tonnes, abs=1e-3)
    # what the ledger rows say is what the emissions do
    for p in ("SO2", "NOx", "PM25"):
        assert _left(inventory, p) - _left(after, p) == pytest.approx(_removed(rows, p), rel=1e-9, abs=1e-9)


def test_boilers_are_replaced_before_kilns(inventory):
    after, rows = measures.boiler_substitution(inventory, "xian", 100, "gas", year=2018, measure="m")
    tonnes = boiler_coal(100, "small_industry")
    assert _removed(rows, "raw_coal") == pytest.approx(tonnes, abs=1e-3)
    left = coal_left(after, "xian", "small_industry")
    assert left["kiln"] == 20e3
    assert left["boiler"] == pytest.approx(80e3 - tonnes)
    new = after.sources.loc["m:boiler"]
    assert (new["subsector"], new["fuel"]) == ("gas_boiler", "natural_gas")
    assert new["NOx"] == pytest.approx(useful_heat(tonnes, boilers=True) / (35544 * 0.9) / 1e3 * 0.7 / 1e3)


def test_a_county_is_replaced_alone(inventory):
    after, _ = measures.coal_substitution(inventory, "xian", 5_000, 2.0, "gas", county="610116", year=2018)
    assert _coal(after, county="610116") == pytest.approx(30e3)
    assert _coal(after, county="", sector="residential") == 60e3
    left = coal_left(after, "xian", "residential", "raw_coal")
    assert left["stove"] == 60e3
    assert left["stove2"] == pytest.approx(30e3)


def test_a_tonne_replaced_twice_names_the_first_claimant(inventory):
    after, _ = measures.coal_substitution(inventory, "xian", 40_000, 2.0, "gas", year=2018, measure="煤改气")
    with pytest.raises(InputError, match=r"burn 20000 t of raw_coal.*already claimed by '煤改气'"):
        measures.coal_substitution(after, "xian", 20_000, 2.0, "electricity", year=2018, measure="煤改电")


# --------------------------------------------------------------------------------------------------------
# retire


def test_a_plant_retires_once(inventory):
    after, rows = measures.retire(inventory, enterprise="甲电厂", execution_rate=0.25, year=2018, measure="a")
    assert _removed(rows, "raw_coal") == pytest.approx(250e3)
    assert _coal(after, city="weinan", sector="power", fuel="raw_coal") == pytest.approx(800e3)
    assert _removed(rows, "SO2") == pytest.approx(62.5)
    closed, _ = measures.retire(inventory, enterprise="甲电厂", year=2018, measure="first plan")
    with pytest.raises(InputError, match="'first plan' and 'second plan'"):
        measures.retire(closed, enterprise="甲电厂", year=2018, measure="second plan")


def test_boilers_and_tonnes_retire(inventory):
    after, rows = measures.retire(inventory, city="xian", boiler_capacity=100, execution_rate=0.5, year=2018)
    assert _removed(rows, "raw_coal") == pytest.approx(0.5 * boiler_coal(100, "small_industry"), abs=1e-3)
    _, rows = measures.retire(after, city="xian", tonnes=50e3, year=2018)
    assert _removed(rows, "raw_coal") == pytest.approx(50e3)
    with pytest.raises(InputError, match=r"burns \d+ t of raw_coal after the measures above"):
        measures.retire(after, city="xian", tonnes=90e3, year=2018)


# --------------------------------------------------------------------------------------------------------
# the others


def test_a_project_emits_as_its_sector_does(inventory):
    after, rows = measures.new_project(inventory, "丙电厂", "weinan", "power", 200e3, execution_rate=0.5, year=2018)
    assert -_removed(rows, "raw_coal") == pytest.approx(100e3)
    assert -_removed(rows, "SO2") == pytest.approx(100e3 * 250 / 1e6)
    assert after.sources.loc["丙电厂:new", "NOx"] == pytest.approx(46.0)
    assert _coal(after, city="weinan", sector="power", fuel="raw_coal") == pytest.approx(1.15e6)
    _, rows = measures.new_project(inventory, "丁", "xian", "power", 100e3, emission_factors={"SO2": 0.113}, year=2018)
    assert -_removed(rows, "SO2") == pytest.approx(11.3)
    assert -_removed(rows, "NOx") == pytest.approx(46.0)  # the mean of other cities


def test_a_project_of_an_unknown_sector_asks_for_its_factors(inventory):
    with pytest.raises(InputError, match="no coal source of this sector"):
        measures.new_project(inventory, "戊", "xian", "coking", 1e3, year=2018)
    given = dict.fromkeys(POLLUTANTS, 1.0)
    after, _ = measures.new_project(inventory, "戊", "xian", "coking", 1e3, emission_factors=given, year=2018)
    assert after.sources.loc["戊:new", "PM25"] == pytest.approx(1.0)


def test_efficiency_acts_on_the_statistics_and_on_the_emissions(inventory):
    after, rows = measures.efficiency(inventory, ["cement"], 10.0, execution_rate=0.8, year=2018)
    assert _removed(rows, "raw_coal") == pytest.approx(8_800)  # 8 % of the ledger's 110 kt, not of the inventory's 100
    assert _removed(rows, "NOx") == pytest.approx(0.08 * 380)
    assert _coal(after, sector="cement") == pytest.approx(101_200)


def test_growth_takes_all_fuels_of_a_sector(inventory):
    after, rows = measures.growth(inventory, ["power"], 5.0, year=2018)
    assert -_removed(rows, "raw_coal") == pytest.approx(52_500)
    assert -_removed(rows, "gangue") == pytest.approx(2_500)
    assert -_removed(rows, "SO2") == pytest.approx(12.5)
    assert _coal(after, sector="power") == pytest.approx(1.155e6)


def test_a_mild_winter(inventory):
    after, rows = measures.weather(inventory, -10.0, year=2018)
    assert _removed(rows, "raw_coal") == pytest.approx(0.085 * 100e3 + 0.1 * 50e3)
    assert _coal(after, sector="residential") == pytest.approx(91_500)
    _, rows = measures.weather(inventory, 10.0, sectors=["heat"], year=2018)
    assert -_removed(rows, "raw_coal") == pytest.approx(5_000)


def test_clean_coal_by_the_tonne_and_its_failing_share(inventory):
    _, good = measures.clean_coal_supply(inventory, "xian", 10e3, year=2018, measure="m")
    replaced = 10e3 * 25090 * 0.7 / (20934 * 0.45)
    assert _removed(good, "raw_coal") == pytest.approx(replaced, abs=1e-3)
    assert -_removed(good, "briquette") == pytest.approx(10e3, abs=1e-3)
    per_tonne = 800 / 100e3
    assert _removed(good, "SO2") == pytest.approx(replaced * per_tonne - 10e3 * per_tonne * 0.5)
    _, poor = measures.clean_coal_supply(inventory, "xian", 10e3, failing_share=0.2, year=2018)
    assert _removed(good, "SO2") - _removed(poor, "SO2") == pytest.approx(10e3 * per_tonne * 0.2 * 0.5)
    _, sampled = measures.clean_coal_supply(inventory, "xian", 10e3, against_passing={"SO2": 1.4}, year=2018)
    assert _removed(sampled, "SO2") == pytest.approx(replaced * per_tonne - 10e3 * per_tonne * 0.7)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.sampled_from(["gas", "electricity", "clean", "retire", "efficient", "grow", "cold", "project"]),
        min_size=1,
        max_size=5,
        unique=True,
    )
)
def test_rows_of_any_plan_add_up_to_ledger_and_emissions(inventory, plan):
    do = {
        "gas": lambda i: measures.coal_substitution(i, "xian", 9_000, 2.0, "gas", 0.9, year=2018, measure="gas"),
        "electricity": lambda i: measures.coal_substitution(
            i, "xian", 8_000, 2.0, "electricity", power_city="weinan", year=2018, measure="electricity"
        ),
        "clean": lambda i: measures.clean_coal_supply(i, "xian", 5e3, failing_share=0.3, year=2018, measure="clean"),
        "retire": lambda i: measures.retire(i, city="xian", boiler_capacity=50, year=2018, measure="retire"),
        "efficient": lambda i: measures.efficiency(i, ["power"], 3.0, year=2018, measure="efficient"),
        "grow": lambda i: measures.growth(i, ["cement", "power"], 2.0, year=2018, measure="grow"),
        "cold": lambda i: measures.weather(i, 8.0, year=2018, measure="cold"),
        "project": lambda i: measures.new_project(i, "project", "weinan", "cement", 70e3, year=2018),
    }
    now, ledger = inventory, []
    for name in plan:
        now, rows = do[name](now)
        ledger.append(rows)
    rows = pd.concat(ledger)
    here = rows[rows["city"] != measures.IMPORTED]
    coal = here.loc[here["pollutant"].isin(measures.COAL_FUELS), "removed"].sum()
    assert _coal(inventory) - _coal(now) == pytest.approx(coal, abs=1e-3)  # a gram in the kilogram
    for p in ("SO2", "NOx", "PM25"):
        assert _left(inventory, p) - _left(now, p) == pytest.approx(_removed(rows, p), rel=1e-9, abs=1e-9)
