"""Measures: what is left, what is removed, and that nothing is removed twice."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airsim import coal, emergency, measures, rules
from airsim.emergency.measure import emergency as carry_out_list
from airsim.errors import InputError
from airsim.inventory import POLLUTANTS, Inventory
from airsim.inventory.reading import no_scaling

T = pd.Timestamp
WINDOW = (T("2019-01-02"), T("2019-01-04"))


def _row(kind, name, city, sector, subsector, fuel, days, coal_t, **t):
    amounts = dict.fromkeys(POLLUTANTS, 0.0) | t
    return {
        "kind": kind, "name": name, "enterprise_id": name[:1] if kind == "point" else "", "credit_code": "",
        "city": city, "county": "", "sector": sector, "subsector": subsector, "fuel": fuel,
        "operating_days": days, "coal": coal_t, "basis": "", "quality": "estimated", "origin": "x:1", **amounts,
    }  # fmt: skip


@pytest.fixture
def inventory():
    rows = {
        "p1": _row("point", "甲钢铁厂", "xian", "steel", "sinter", "", 300, 60e3, SO2=300, NOx=600, PM10=90, PM25=60,
                   BC=3, OC=3, VOC=30, NH3=3, CO=900),
        "p1b": _row("point", "甲钢铁厂", "xian", "steel", "iron", "", 300, 30e3, SO2=150, NOx=60, PM10=60, PM25=30,
                    VOC=15, CO=3000),
        "p2": _row("point", "乙热电厂", "weinan", "power", "chp", "raw_coal", 200, 50e3, SO2=100, NOx=200, PM10=20),
        "r": _row("area", "民用", "xian", "residential", "traditional_stove", "raw_coal", np.nan, 40e3, SO2=640,
                  NOx=64, PM10=400, PM25=320, BC=80, OC=160, VOC=160, CO=3800),
        "r2": _row("area", "民用", "xian", "residential", "improved_stove", "raw_coal", np.nan, 10e3, SO2=160, PM10=50),
        "t": _row("area", "货车", "xian", "transport", "diesel", "diesel", np.nan, 0, NOx=730, PM10=36.5, VOC=73,
                  CO=365),
        "d": _row("area", "道路", "xian", "dust", "road", "", np.nan, 0, PM10=182.5, PM25=36.5),
    }  # fmt: skip
    rows["p1b"]["enterprise_id"] = "甲"
    ledger = pd.DataFrame(
        [
            (2018, "xian", "residential", "raw_coal", 50e3),
            (2018, "xian", "steel", "raw_coal", 100e3),
            (2018, "weinan", "power", "raw_coal", 55e3),
            (2017, "xian", "residential", "raw_coal", 70e3),
        ],
        columns=["year", "city", "sector", "fuel", "consumption"],
    ).assign(heating_value=np.nan, basis="", quality="estimated", origin="")
    return Inventory(pd.DataFrame(rows.values(), index=pd.Index(rows, name="source")), no_scaling(), ledger)


def _left(inventory, source, pollutant, time=None):
    """Return what the scaling rows leave at a time, written as plainly as can be."""
    factor = 1.0
    for row in inventory.scaling.itertuples():
        inside = (pd.isna(row.start) or (time is not None and row.start <= time)) and (
            pd.isna(row.end) or (time is not None and time < row.end)
        )
        if row.source == source and row.pollutant in {"*", pollutant} and inside:
            factor *= row.factor
    return factor


# --------------------------------------------------------------------------------------------------------
# percentage cuts and stops


def test_cut_by_city_and_sector(inventory):
    after, ledger = measures.cut(inventory, "xian", "transport", "NOx", 20, *WINDOW)
    assert _left(after, "t", "NOx", T("2019-01-03")) == pytest.approx(0.8)
    assert _left(after, "t", "NOx", T("2019-01-04")) == 1.0
    assert _left(after, "t", "PM10", T("2019-01-03")) == 1.0
    (row,) = ledger.itertuples()
    # 730 t/a = 2000 kg/d; 20 % of it over two days
    assert (row.city, row.sector, row.pollutant, row.unit) == ("xian", "transport", "NOx", "t")
    assert row.removed == pytest.approx(0.8)
    assert row.kg_per_day == pytest.approx(400)
    assert inventory.scaling.empty  # the first inventory is as it was


def test_two_cuts_act_on_what_is_left(inventory):
    one, first = measures.cut(inventory, None, "transport", "NOx", 50)
    two, second = measures.cut(one, None, ["transport", "dust"], None, 50)
    assert _left(two, "t", "NOx") == pytest.approx(0.25)
    both = pd.concat([first, second])
    total = both[both["pollutant"] == "NOx"]["removed"].sum()
    assert total == pytest.approx(730 * 0.75)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([None, "xian", "weinan"]), st.sampled_from([None, "SO2", "PM10"]), st.floats(1, 100)),
        min_size=1,
        max_size=5,
    )
)
def test_ledger_rows_add_up_to_what_is_gone(steps):
    rows = {
        "a": _row("point", "甲", "xian", "power", "", "raw_coal", 200, 10.0, SO2=100, PM10=7),
        "b": _row("area", "乙", "weinan", "residential", "", "raw_coal", np.nan, 20.0, SO2=30, PM10=5, CO=4),
    }
    sources = pd.DataFrame(rows.values(), index=pd.Index(rows, name="source"))
    now = Inventory(sources, no_scaling(), pd.DataFrame(columns=["year"]))
    ledgers = []
    for city, pollutant, percent in steps:
        now, ledger = measures.cut(now, city, None, pollutant, percent)
        ledgers.append(ledger)
    ledger = pd.concat(ledgers)
    for p in ("SO2", "PM10", "CO"):
        left = sum(sources.at[s, p] * _left(now, s, p) for s in rows)
        assert ledger.loc[ledger["pollutant"] == p, "removed"].sum() == pytest.approx(sources[p].sum() - left, abs=1e-9)


def test_a_filter_saves_no_coal(inventory):
    _, ledger = measures.cut(inventory, "weinan", "power", "PM10", 50)
    assert ledger["pollutant"].tolist() == ["PM10"]
    assert ledger["removed"].tolist() == pytest.approx([10])
    # less of everything is less production, and so less coal
    _, ledger = measures.cut(inventory, "weinan", "power", None, 50)
    assert ledger.loc[ledger["pollutant"] == "raw_coal", "removed"].tolist() == pytest.approx([25e3])


def test_stop_moves_emissions_and_coal_ledger(inventory):
    after, ledger = measures.stop(inventory, "甲钢铁厂", year=2018)
    assert _left(after, "p1", "CO") == _left(after, "p1b", "SO2") == 0
    assert ledger.loc[ledger["pollutant"] == "raw_coal", "removed"].sum() == pytest.approx(90e3)
    assert after.coal["consumption"].tolist() == pytest.approx([50e3, 10e3, 55e3, 70e3])
    again, second = measures.stop(after, "甲", year=2018)
    assert second["removed"].sum() == 0
    assert again.coal["consumption"].tolist() == pytest.approx(after.coal["consumption"].tolist())


def test_a_passing_stop_leaves_the_years_coal(inventory):
    after, ledger = measures.limit(inventory, "乙热电厂", 40, *WINDOW, year=2018)
    assert after.coal["consumption"].tolist() == inventory.coal["consumption"].tolist()
    coal_row = ledger[ledger["pollutant"] == "raw_coal"]
    assert coal_row["removed"].item() == pytest.approx(50e3 / 200 * 0.4 * 2)  # t over two days
    assert ledger.loc[ledger["pollutant"] == "SO2", "removed"].item() == pytest.approx(0.5 * 0.4 * 2)


def test_a_window_open_on_one_side(inventory):
    after, ledger = measures.cut(inventory, "xian", "dust", None, 10, start=WINDOW[0])
    assert _left(after, "d", "PM10", T("2030-01-01")) == pytest.approx(0.9)
    assert set(ledger["unit"]) == {"kg d-1"}
    assert ledger.loc[ledger["pollutant"] == "PM10", "removed"].item() == pytest.approx(50)


@pytest.mark.parametrize("percent", [0, -5, 100.5, float("nan")])
def test_percent_out_of_range(inventory, percent):
    with pytest.raises(InputError, match=r"s\.yaml:7: 'percent'.*at most 100"):
        measures.cut(inventory, None, None, None, percent, at=("s.yaml", "7"))
    with pytest.raises(InputError, match="at most 100"):
        measures.limit(inventory, "甲", percent)


def test_bad_names_and_windows(inventory):
    with pytest.raises(InputError, match=r"'end'.*must be after the start"):
        measures.stop(inventory, "甲", WINDOW[1], WINDOW[0])
    with pytest.raises(InputError, match=r"甲钢铁.*not in the inventory; nearest is 甲钢铁厂"):
        measures.stop(inventory, "甲钢铁")
    with pytest.raises(InputError, match=r"'city', value beijing"):
        measures.cut(inventory, "beijing", None, None, 10)
    with pytest.raises(InputError, match=r"'pollutant', value O3"):
        measures.cut(inventory, None, None, "O3", 10)
    with pytest.raises(InputError, match="no source is cut"):
        measures.cut(inventory, "weinan", "dust", None, 10)


# --------------------------------------------------------------------------------------------------------
# emergency response

LIST = """企业名称,市,类别,行业,子类,企业类型,数量,SO2日排放量(kg/d),NOx日排放量(kg/d),颗粒物日排放量(kg/d),\
VOCs日排放量(kg/d),橙色预警措施,红色预警措施,橙色减排量NOx(kg/d)
甲钢铁厂,西安,工业源,钢铁,sinter,重点行业,3,500,1000,100,0,停产50%（含）以上，以生产线计,停产,
乙热电厂,渭南,工业源,热电,,保障类,2,500,1000,100,10,停产,停产,
货车,西安,移动源,道路移动源,diesel,,1,0,1000,50,0,禁行,禁行,500
"""


@pytest.fixture
def reduction_list(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(LIST, encoding="utf-8")
    return emergency.read(path)


def _alerts(*rows):
    return pd.DataFrame(rows, columns=["city", "level", "start", "end"])


ORANGE_RED = _alerts(
    ("xian", "orange", T("2019-01-01"), T("2019-01-05")), ("xian", "red", T("2019-01-03"), T("2019-01-04"))
)


def test_emergency_by_level_and_window(inventory, reduction_list):
    after, ledger = carry_out_list(inventory, reduction_list, ORANGE_RED, 0.9)
    orange, red = T("2019-01-02"), T("2019-01-03T12")
    # two of three lines stop, nine tenths of it done
    assert _left(after, "p1", "SO2", orange) == pytest.approx(1 - 0.9 * 2 / 3)
    assert _left(after, "p1", "PM25", orange) == pytest.approx(1 - 0.9 * 2 / 3)
    assert _left(after, "p1", "CO", orange) == pytest.approx(1 - 0.9 * 2 / 3)  # not listed: the smallest share
    assert _left(after, "p1", "SO2", red) == pytest.approx(0.1)
    assert _left(after, "p1", "SO2", T("2019-01-04T12")) == pytest.approx(1 - 0.9 * 2 / 3)
    assert _left(after, "p1", "SO2", T("2019-01-05")) == 1
    # the list's line is the sinter plant; the blast furnace is not on it
    assert _left(after, "p1b", "SO2", red) == 1
    # 500 of the inventory's 2000 kg/d, not of the list's 1000; PM without a cut stays, so the rest does too
    assert _left(after, "t", "NOx", orange) == pytest.approx(1 - 0.9 * 0.25)
    assert _left(after, "t", "PM10", orange) == _left(after, "t", "CO", orange) == 1
    assert _left(after, "p2", "SO2", orange) == 1
    so2 = ledger[(ledger["pollutant"] == "SO2") & (ledger["source"] == "甲钢铁厂")]
    assert so2["removed"].sum() == pytest.approx(0.9 * (2 / 3 * 3 + 1) * 1.0)  # 1000 kg/d, three orange days, one red


def test_livelihood_lines_run_on(inventory, reduction_list):
    after, ledger = carry_out_list(inventory, reduction_list, _alerts(("weinan", "red", *WINDOW)))
    assert after.scaling.empty
    assert ledger.empty


def test_emergency_acts_on_what_is_left(inventory, reduction_list):
    halved, _ = measures.cut(inventory, None, "steel", None, 50)
    _, plain = carry_out_list(inventory, reduction_list, ORANGE_RED)
    after, ledger = carry_out_list(halved, reduction_list, ORANGE_RED)
    assert _left(after, "p1", "SO2", T("2019-01-02")) == pytest.approx(0.5 / 3)
    ours, theirs = (x[x["sector"] == "steel"]["removed"].sum() for x in (ledger, plain))
    assert ours == pytest.approx(theirs / 2)


def test_the_same_hours_cannot_be_counted_twice(inventory, reduction_list):
    after, _ = carry_out_list(inventory, reduction_list, ORANGE_RED, measure="first")
    with pytest.raises(InputError, match="already counted in measure 'emergency-first'"):
        carry_out_list(after, reduction_list, _alerts(("xian", "red", T("2019-01-04"), T("2019-01-06"))))
    later, _ = carry_out_list(after, reduction_list, _alerts(("xian", "red", T("2019-01-05"), T("2019-01-06"))))
    assert _left(later, "p1", "SO2", T("2019-01-05T10")) == 0


def test_list_enterprise_not_in_the_inventory_names_its_cell(inventory, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(LIST.replace("甲钢铁厂", "甲钢铁集团").replace("diesel", "rail"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        carry_out_list(inventory, emergency.read(path), ORANGE_RED)
    said = caught.value.text()
    assert "list.csv:2" in said
    assert "甲钢铁集团" in said
    assert "nearest is 甲钢铁厂" in said
    assert "list.csv:4" in said


def test_bad_alerts_come_at_once(inventory, reduction_list):
    bad = _alerts(
        ("xian", "orange", T("2019-01-05"), T("2019-01-01")), ("xian", "purple", *WINDOW), ("baoji", "red", *WINDOW)
    )
    with pytest.raises(InputError) as caught:
        carry_out_list(inventory, reduction_list, bad)
    said = caught.value.text()
    assert "must be after the start" in said
    assert "purple" in said
    assert "nothing for this city" in said
    with pytest.raises(InputError, match="execution_rate"):
        carry_out_list(inventory, reduction_list, ORANGE_RED, 1.5)


def test_zoned_times_are_read_as_utc(inventory, reduction_list):
    zoned = ORANGE_RED.assign(
        start=[t.tz_localize("UTC").tz_convert("Asia/Shanghai") for t in ORANGE_RED["start"]],
        end=[t.tz_localize("UTC").tz_convert("Asia/Shanghai") for t in ORANGE_RED["end"]],
    )
    one, _ = carry_out_list(inventory, reduction_list, ORANGE_RED)
    two, _ = carry_out_list(inventory, reduction_list, zoned)
    pd.testing.assert_frame_equal(one.scaling, two.scaling)


# --------------------------------------------------------------------------------------------------------
# household coal


def _total(inventory, year=2018):
    return inventory.coal.loc[inventory.coal["year"] == year, "consumption"].sum()


def test_substitution_moves_coal_and_emissions_together(inventory):
    after, ledger = measures.coal_substitution(inventory, "xian", 10_000, 2.5, "electricity", 0.8, year=2018)
    assert _left(after, "r", "SO2") == _left(after, "r2", "SO2") == pytest.approx(1 - 20e3 / 50e3)
    removed = ledger.set_index(["city", "sector", "pollutant"])["removed"]
    assert removed["xian", "residential", "raw_coal"] == pytest.approx(20e3)
    assert removed["xian", "residential", "SO2"] == pytest.approx(0.4 * 800)
    assert _total(inventory) - _total(after) == pytest.approx(20e3)
    assert after.coal.loc[after.coal["year"] == 2017, "consumption"].item() == 70e3
    # 20 kt * 20 934 kJ/kg * 0.45 = 188.4 TJ of heat; / 3.6 MJ / COP 2.5 / 0.94 = 22.27 GWh; * 0.75 * 305 g = 5094 tce
    assert -removed[measures.IMPORTED, "power", "raw_coal"] == pytest.approx(5094.4 / 0.71428, rel=1e-3)


def test_induced_power_coal_burns_where_the_plant_is(inventory):
    after, ledger = measures.coal_substitution(
        inventory, "xian", 10_000, 2.0, "electricity", power_city="weinan", year=2018
    )
    induced = -ledger[(ledger["city"] == "weinan") & (ledger["pollutant"] == "raw_coal")]["removed"].item()
    assert _left(after, "p2", "NOx") == pytest.approx(1 + induced / 50e3)
    assert _total(inventory) - _total(after) == pytest.approx(20e3 - induced)
    so2 = ledger[(ledger["city"] == "weinan") & (ledger["pollutant"] == "SO2")]["removed"].item()
    assert so2 == pytest.approx(-100 * induced / 50e3)


@pytest.mark.parametrize("route", ["gas", "clean_coal"])
def test_what_burns_instead_stands_in_the_same_place(inventory, route):
    after, ledger = measures.coal_substitution(inventory, "xian", 10_000, 2.0, route, year=2018)
    new = after.sources.loc[~after.sources.index.isin(inventory.sources.index)]
    assert set(new["subsector"]) == {"gas_stove" if route == "gas" else "briquette_stove"}
    assert set(new["city"]) == {"xian"}
    assert (new["NOx"] > 0).any()
    # ledger = before - after, pollutant by pollutant, and for coal against the coal ledger
    for p in POLLUTANTS:
        before = inventory.sources.loc[["r", "r2"], p].sum()
        left = sum(inventory.sources.at[s, p] * _left(after, s, p) for s in ("r", "r2")) + new[p].sum()
        assert ledger.loc[ledger["pollutant"] == p, "removed"].sum() == pytest.approx(before - left, abs=1e-9)
    fuels = ledger[ledger["pollutant"].isin(["raw_coal", "briquette"])]
    assert fuels["removed"].sum() == pytest.approx(_total(inventory) - _total(after))
    # delivered heat is kept, not tonnes
    if route == "clean_coal":
        rule = rules.load("heating")
        r = rule["clean_coal"]
        heat = 20e3 * rule["raw_coal_heating_value"] * rule["stove_efficiency"]
        assert new["coal"].sum() * r["heating_value"] * r["efficiency"] == pytest.approx(heat)


def test_more_coal_than_there_is_cannot_be_replaced(inventory):
    with pytest.raises(InputError, match="burn 50000 t of raw_coal"):
        measures.coal_substitution(inventory, "xian", 30_000, 2.0, "gas", year=2018)
    after, _ = measures.coal_substitution(inventory, "xian", 20_000, 2.0, "gas", year=2018)
    with pytest.raises(InputError, match="burn 10000 t of raw_coal"):
        measures.coal_substitution(after, "xian", 20_000, 2.0, "gas", year=2018)
    short = dataclasses.replace(inventory, coal=inventory.coal.assign(consumption=1e3))
    with pytest.raises(InputError, match="coal ledger of 2018 holds 1000 t"):
        measures.coal_substitution(short, "xian", 10_000, 2.0, "gas", year=2018)


def test_bad_substitutions(inventory):
    with pytest.raises(InputError, match="electricity, gas"):
        measures.coal_substitution(inventory, "xian", 10, 2.0, "nuclear")
    with pytest.raises(InputError, match=r"'households', value -1"):
        measures.coal_substitution(inventory, "xian", -1, 2.0, "gas")
    with pytest.raises(InputError, match="no such coal source"):
        measures.coal_substitution(inventory, "xian", 10, 2.0, "district_heat", year=2018)


def test_the_balance_sees_the_same_tonnes(inventory):
    one, first = measures.coal_substitution(
        inventory, "xian", 10_000, 2.0, "electricity", power_city="weinan", year=2018
    )
    two, second = measures.stop(one, "甲", year=2018)
    windowed = measures.cut(two, "xian", "steel", None, 10, *WINDOW)[1]
    lines = coal.lines_of(pd.concat([first, second, windowed]))
    balance = coal.balance_of(inventory.coal, lines, 2018, 2019, "2018")
    target = balance["consumption"].sel(line="target").sum().item()
    assert target == pytest.approx(_total(two))
    assert balance["consumption"].sel(line="retirement").sum() == pytest.approx(-90e3)
