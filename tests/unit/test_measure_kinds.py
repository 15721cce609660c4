"""Every registered kind of measure keeps what all kinds promise; no kind of the schema is left out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from airsim import measures
from airsim import scenario as scenarios
from airsim.case.measures import response as response_of
from airsim.coal import limits
from airsim.coal.accounts import ADDITIONS, FACTORS, REDUCTIONS
from airsim.coal.plan import Plan, carry_out
from airsim.errors import InputError
from airsim.inventory import POLLUTANTS, Inventory
from airsim.inventory.reading import SOURCE_COLUMNS, no_scaling
from airsim.measures import registry
from airsim.measures.ledger import COAL_FUELS, IMPORTED, left_of

START, END = (dt.datetime(2019, 1, d, tzinfo=dt.UTC) for d in (2, 4))
WINDOW = {"start": START, "end": END}
ALERT = {"cities": ("xian",), "level": "red", **WINDOW}
XIAN = {"city": "xian"}
STOVES = {"type": "coal_substitution", "households": 1000, **XIAN}
#: Kind -> blocks that do something.
STRONG = {
    "emergency": [
        {"list": "list.csv", "alerts": (ALERT,)},
        {"list": "list.csv", "alerts": (ALERT,), "response": "at_once"},
    ],
    "cut": [{"percent": 30}, {"percent": 30, "pollutants": ("NOx",), **WINDOW}],
    "stop": [{"enterprise": "甲钢铁厂"}, {"enterprise": "甲钢铁厂", **WINDOW}],
    "limit": [{"enterprise": "甲钢铁厂", "percent": 40}, {"enterprise": "甲钢铁厂", "percent": 40, **WINDOW}],
    "coal_substitution": [
        *({**STOVES, "route": r, "reburn": 0.1} for r in measures.ROUTES),
        {"route": "electricity", "boiler_capacity": 5, "power_city": "weinan", **XIAN},
    ],
    "retire": [{"enterprise": "甲钢铁厂"}, {"tonnes": 5000, "sector": "residential", **XIAN}],
    "new_project": [{"name": "new", "sector": "power", "tonnes": 9000, **XIAN}],
    "clean_coal_supply": [{"tonnes": 4000, **XIAN}, {"tonnes": 4000, "failing_share": 0.3, **XIAN}],
    "efficiency": [{"percent": 5, "sectors": ("power", "steel")}],
    "activity_growth": [{"percent": 4, "sectors": ("steel",)}, {"percent": -4, "sectors": ("steel",)}],
    "weather": [{"percent": 8}, {"percent": -8, "cities": ("xian",)}],
}
#: Kind -> what makes its blocks do nothing; the others are tried on sources that stand still already.
IDLE = {
    "emergency": {"execution_rate": 0},
    "activity_growth": {"percent": 0},
    "weather": {"percent": 0},
    "coal_substitution": {"execution_rate": 0},
    "retire": {"execution_rate": 0},
    "new_project": {"execution_rate": 0},
    "clean_coal_supply": {"execution_rate": 0},
    "efficiency": {"execution_rate": 0},
}
#: Kinds that act on what is left, at a strength that the schema keeps above zero.
ON_WHAT_IS_LEFT = {"cut", "stop", "limit"}
CASES = [(kind, i) for kind, blocks in STRONG.items() for i in range(len(blocks))]
LIST = """企业名称,市,类别,行业,子类,企业类型,数量,SO2日排放量(kg/d),NOx日排放量(kg/d),颗粒物日排放量(kg/d),红色预警措施
甲钢铁厂,西安,工业源,钢铁,sinter,重点行业,3,500,1000,100,停产
"""


def block_of(kind, **values):
    """Return a block of the schema."""
    return registry.kinds()[kind].block.model_validate({"type": kind} | values)


def source(kind, name, city, sector, subsector, coal, days=np.nan, **amounts):
    """Return a row of the sources."""
    text = {"enterprise_id", "credit_code", "county", "grade", "activity_unit", "basis", "fuel"}
    row = {c: "" if c in text else np.nan for c in SOURCE_COLUMNS} | dict.fromkeys(POLLUTANTS, 1.0) | amounts
    row |= {"kind": kind, "name": name, "city": city, "sector": sector, "subsector": subsector, "coal": coal}
    return row | {
        "fuel": "raw_coal" if coal else "", "operating_days": days, "lines": 3.0, "quality": "estimated", "origin": "x"
    }  # fmt: skip


@pytest.fixture
def inventory():
    rows = {
        "steel": source("point", "甲钢铁厂", "xian", "steel", "sinter", 60e3, 300, SO2=300, NOx=600, PM10=90, PM25=60),
        "plant": source("point", "乙电厂", "weinan", "power", "", 90e3, 200, SO2=100, NOx=200, PM10=20),
        "own": source("point", "丙电厂", "xian", "power", "", 70e3, 365, SO2=50, NOx=90, PM10=9),
        "stove": source("area", "民用", "xian", "residential", "traditional_stove", 40e3, SO2=640, PM10=400, PM25=320),
        "heating": source("area", "供热", "xian", "heat", "coal_boiler", 50e3, SO2=70, NOx=90, PM10=14),
        "boiler": source("area", "锅炉", "xian", "small_industry", "coal_boiler", 80e3, SO2=400, NOx=240, PM10=80),
        "lorry": source("area", "货车", "xian", "transport", "diesel", 0.0, NOx=730, PM10=36.5),
    }
    sources = pd.DataFrame(rows.values(), index=pd.Index(rows, name="source"))
    ledger = sources[sources["coal"] > 0].groupby(["city", "sector"])["coal"].sum().reset_index()
    coal = pd.DataFrame({"year": 2018, "city": ledger["city"], "county": "", "sector": ledger["sector"]}).assign(
        fuel="raw_coal", consumption=ledger["coal"], heating_value=np.nan, basis="", quality="estimated", origin=""
    )
    return Inventory(sources, no_scaling(), coal)


@pytest.fixture
def resolve(tmp_path):
    (tmp_path / "list.csv").write_text(LIST, encoding="utf-8")
    return lambda name: tmp_path / name


def applied(inventory, block, resolve):
    """Carry out one measure as a plan does."""
    kind = registry.of(block)
    found = kind.read(block, None, resolve) if kind.read else None
    return kind.apply(inventory, block, registry.Order("m-emergency" if kind.alerts else "m", year=2018, found=found))


def emitted(inventory, start=pd.NaT, end=pd.NaT):
    """Return what is emitted and burnt: t a-1, or t over a window by operating days."""
    s = inventory.sources
    columns = [*POLLUTANTS, "coal"]
    left = left_of(inventory, list(s.index), start, end)[columns].to_numpy()
    amount = s[columns].fillna(0.0).to_numpy(np.float64) * left
    if not pd.isna(start):
        days = np.where((s["kind"] == "point") & (s["operating_days"] > 0), s["operating_days"].astype(float), 365.0)
        amount = amount / days[:, None] * ((end - start) / pd.Timedelta("1D"))
    return pd.DataFrame(amount, index=s.index, columns=columns)


def copied(inventory):
    """Return copies of the tables of an inventory."""
    return [t.copy(deep=True) for t in (inventory.sources, inventory.scaling, inventory.coal)]


def test_schema_and_registry_name_the_same_kinds():
    union, _ = get_args(scenarios.Measure)
    assert {k.block for k in registry.kinds().values()} == set(get_args(union))
    assert set(STRONG) == set(registry.kinds())
    assert set(IDLE) | ON_WHAT_IS_LEFT == set(registry.kinds())


def test_a_kind_is_registered_once():
    with pytest.raises(ValueError, match="cut is registered twice"):
        registry.register(registry.kinds()["cut"])


@pytest.mark.parametrize("kind", list(STRONG))
def test_what_a_kind_declares_is_what_its_block_has(kind):
    declared = registry.kinds()[kind]
    fields = declared.block.model_fields
    assert declared.name == kind
    assert declared.dated == ("year" in fields)
    assert declared.claims == ("offsets" in fields)
    assert (declared.alerts is not None) == ("alerts" in fields)
    assert set(declared.limits) <= set(limits.KINDS)
    assert declared.line in {*ADDITIONS, *REDUCTIONS} or (declared.line is None and not declared.moves_coal)
    blocks = [block_of(kind, **values) for values in STRONG[kind]]
    for block in blocks:
        factors = declared.factors(block)
        assert set(factors) <= set(FACTORS)
        assert all(value == getattr(block, name) for name, value in factors.items() if name in fields)
        assert declared.temporary(block) == (kind == "emergency" or getattr(block, "start", None) is not None)
    uncertain = {n for n in ("execution_rate", "reburn") if n in fields} if kind != "emergency" else set()
    assert uncertain <= set().union(*(declared.factors(b) for b in blocks))


@pytest.mark.parametrize(("kind", "which"), CASES)
def test_a_measure_is_pure_and_leaves_no_emission_below_zero(inventory, resolve, kind, which):
    block = block_of(kind, **STRONG[kind][which])
    before = copied(inventory)
    after, rows = applied(inventory, block, resolve)
    for table, old in zip((inventory.sources, inventory.scaling, inventory.coal), before, strict=True):
        pd.testing.assert_frame_equal(table, old)
    assert len(rows)
    assert set(rows["kind"]) == {kind}
    assert (after.sources[[*POLLUTANTS, "coal"]].fillna(0.0) >= 0).all(axis=None)
    assert (after.scaling["factor"] >= 0).all()
    assert (after.coal["consumption"] >= 0).all()
    again, same = applied(inventory, block, resolve)
    pd.testing.assert_frame_equal(rows, same)
    pd.testing.assert_frame_equal(after.scaling, again.scaling)


@pytest.mark.parametrize(("kind", "which"), CASES)
def test_ledger_rows_add_up_to_what_is_gone(inventory, resolve, kind, which):
    block = block_of(kind, **STRONG[kind][which])
    after, rows = applied(inventory, block, resolve)
    rows = rows[rows["city"] != IMPORTED]  # burns where no source stands
    passing = registry.of(block).temporary(block)
    assert set(rows["unit"]) == {"t" if passing else "t a-1"}
    lost = dict.fromkeys([*POLLUTANTS, "coal"], 0.0)
    # row windows of an alert, else the year
    for (start, end), _ in rows.groupby(["start", "end"]) if passing else [((pd.NaT, pd.NaT), rows)]:
        gone = emitted(inventory, start, end).sum() - emitted(after, start, end).sum()
        for name in lost:
            lost[name] += gone[name]
    for name in POLLUTANTS:
        booked = rows.loc[rows["pollutant"] == name, "removed"].sum()
        assert booked == pytest.approx(lost[name], abs=1e-9, rel=1e-9), name
    coal = rows.loc[rows["pollutant"].isin(COAL_FUELS), "removed"].sum()
    assert coal == pytest.approx(lost["coal"], abs=1e-6, rel=1e-9)
    # the coal ledger moves by the same tonnes, where the kind moves it at all
    moved = inventory.coal["consumption"].sum() - after.coal["consumption"].sum()
    assert moved == pytest.approx(0.0 if passing or not registry.of(block).moves_coal else coal, abs=1e-6)


@pytest.mark.parametrize(("kind", "which"), CASES)
def test_a_measure_of_no_strength_changes_nothing(inventory, resolve, kind, which):
    start = inventory
    if kind in ON_WHAT_IS_LEFT:
        start, _ = measures.cut(inventory, None, None, None, 100)
    values = STRONG[kind][which] | IDLE.get(kind, {})
    before, year = emitted(start), start.coal["consumption"].sum()
    after, rows = applied(start, block_of(kind, **values), resolve)
    assert np.abs(rows["removed"].astype(float)).sum() == 0
    now = emitted(after)
    np.testing.assert_array_equal(now.loc[before.index], before)
    assert now.drop(index=before.index).to_numpy().sum() == 0
    assert after.coal["consumption"].sum() == year
    days = (pd.Timestamp("2019-01-02"), pd.Timestamp("2019-01-04"))
    pd.testing.assert_frame_equal(emitted(after, *days).loc[before.index], emitted(start, *days))


def test_a_plan_carries_out_every_kind_and_remembers(inventory, resolve):
    values = {k: v[0] for k, v in STRONG.items() if k not in {"stop", "limit"}}  # the plant closes but once
    blocks = tuple(block_of(k, **v) for k, v in values.items())
    plan = Plan(blocks, scenarios.Coal(base_year=2018, target_year=2019), resolve=resolve)
    known = {}
    first, second = carry_out(plan, inventory, known), carry_out(plan, inventory, known)
    assert [s.name for s in first.steps] == list(values) == [s.name for s in second.steps]
    pd.testing.assert_frame_equal(first.all_rows(), second.all_rows())
    assert first.last is second.last
    assert first.numbers == second.numbers


def test_what_comes_after_the_target_year_is_left_out(inventory):
    late = block_of("efficiency", percent=5, sectors=("power",), year=2021)
    cap = scenarios.Coal(base_year=2018, target_year=2020)
    assert not carry_out(Plan((late,), cap), inventory).rows
    assert carry_out(Plan((late,)), inventory).rows
    early = late.model_copy(update={"year": 2018})
    with pytest.raises(InputError, match=r"plan.yaml:7.*statistics of the base year 2018"):
        carry_out(Plan((early,), cap, "plan.yaml", ("7",), Path), inventory)


def test_neighbouring_alerts_are_one_response_whatever_files_they_name(inventory, resolve):
    # the blocks that are carried out hold resolved paths and so differ from those of the plan
    day = dt.timedelta(days=1)
    later = ALERT | {"start": END + day, "end": END + 2 * day}
    blocks = [
        block_of("emergency", list="list.csv", base="base.csv", response="at_once", alerts=(a,)) for a in (ALERT, later)
    ]
    cut = block_of("cut", percent=10)
    stages = carry_out(Plan((cut, *blocks, cut), resolve=resolve), inventory)
    response = response_of(stages)
    assert (response.before, response.after) == ("cut", "emergency")
    assert list(response.windows["start"].dt.day) == [2, 5]
    assert response.inventories == (stages.steps[0].inventory, stages.steps[1].inventory)
    assert response_of(carry_out(Plan((cut,)), inventory)) is None
