"""Coal balance on hand-worked ledgers, to the kilogram; each tonne once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airsim import coal, rules, shipped
from airsim.errors import InputError

LEDGER = pd.DataFrame(
    [
        (2018, "xian", "power", "raw_coal", 1_000_000.0, np.nan),
        (2018, "xian", "residential", "raw_coal", 200_000.0, 20_000.0),
        (2018, "xian", "residential", "raw_coal", 100_000.0, 26_000.0),
        (2018, "weinan", "power", "raw_coal", 2_000_000.0, np.nan),
        (2018, "weinan", "power", "gangue", 300_000.0, np.nan),
        (2018, "weinan", "coking", "washed_coal", 400_000.0, np.nan),
        (2018, "weinan", "steel", "coke", 250_000.0, np.nan),
        (2019, "xian", "power", "raw_coal", 990_000.0, np.nan),
    ],
    columns=["year", "city", "sector", "fuel", "consumption", "heating_value"],
).assign(basis="", quality="estimated", origin="ledger.csv:1")


def _lines(*rows):
    return pd.DataFrame(rows, columns=["name", "line", "city", "sector", "fuel", "tonnes"])


LINES = _lines(
    ("output", "growth", "weinan", "power", "raw_coal", 50_000),
    ("new plant", "new_projects", "weinan", "power", "raw_coal", 80_000),
    ("homes", "substitution", "xian", "residential", "raw_coal", 120_000),
    ("homes", "substitution", "weinan", "power", "raw_coal", -30_000),
    ("old boilers", "retirement", "weinan", "power", "raw_coal", 90_000),
    ("better kilns", "efficiency", "weinan", "coking", "washed_coal", 10_000),
)


def test_identity_to_the_kilogram():
    out = coal.balance_of(LEDGER, LINES, 2018, 2019, "2018")
    by_line = out["consumption"].sum(("city", "sector")).to_series()
    assert by_line.to_dict() == pytest.approx(
        {
            "base": 4_000_000,  # gangue counts under the rule of 2018, coke never
            "growth": 50_000,
            "new_projects": 80_000,
            "offsets": 0,
            "substitution": -90_000,
            "retirement": -90_000,
            "efficiency": -10_000,
            "target": 3_940_000,
        },
        abs=1e-6,
    )
    assert out["growth_total"].item() == pytest.approx(-0.015)
    assert out["pass_total"].item() == 1
    growth = out["growth"].to_series()
    assert growth["xian"] == pytest.approx(-120 / 1300)
    assert growth["weinan"] == pytest.approx(60 / 2700)
    assert out["pass"].to_series().to_dict() == {"xian": 1, "weinan": 0}
    assert list(out["city"].values) == ["xian", "weinan"]
    assert out.attrs["rule"] == "2018"


def test_scope_follows_the_dated_rule():
    old, new = (coal.balance_of(LEDGER, LINES, 2018, 2019, rule) for rule in ("2018", "2023"))
    assert old["consumption"].sel(line="base").sum() - new["consumption"].sel(line="base").sum() == 300_000
    assert new["growth_total"].item() == pytest.approx(-60 / 3700)
    assert "煤矸石" in new.attrs["scope_zh"]
    assert "煤矸石" not in old.attrs["scope_zh"]
    assert coal.scope_of(rules.load("coal", version="2023")).assessed[0] == "raw_coal"


def test_standard_coal_takes_the_ledgers_own_heating_value():
    out = coal.balance_of(LEDGER, LINES.iloc[:0], 2018, 2019, "2018")
    tce = out["consumption_tce"].sel(line="base")
    assert tce.sel(city="xian", sector="residential").item() == pytest.approx(
        (200e3 * 20_000 + 100e3 * 26_000) / 29307.6
    )
    assert tce.sel(city="xian", sector="power").item() == pytest.approx(1e6 * 0.7143, rel=1e-4)
    one = coal.standard_coal(pd.Series([1000.0, 1000.0]), pd.Series(["coke", "raw_coal"]), pd.Series([np.nan, 29307.6]))
    np.testing.assert_allclose(one, [971.4, 1000.0], rtol=1e-4)


def test_history_and_reported_years():
    out = coal.balance_of(LEDGER, LINES, 2018, 2019, "2018")
    assert list(out["year"].values) == [2018, 2019]
    assert out["ledger"].sel(year=2019).sum().item() == 990_000
    assert out["ledger"].sel(year=2018, sector="residential").sum().item() == 300_000


def test_no_growth_is_not_negative_growth():
    out = coal.balance_of(LEDGER, LINES.iloc[:0], 2018, 2019, "2018")
    assert out["growth_total"].item() == 0
    assert out["pass_total"].item() == 0


def test_a_city_without_coal_is_not_assessed():
    ledger = pd.concat([LEDGER, LEDGER.iloc[:1].assign(year=2017, city="yangling")])
    out = coal.balance_of(ledger, LINES, 2018, 2019, "2018")
    assert out["pass"].sel(city="yangling").item() == -1
    assert np.isnan(out["growth"].sel(city="yangling").item())


def test_cities_of_the_cap_and_coal_burnt_outside():
    lines = pd.concat([LINES, _lines(("homes", "substitution", "imported", "power", "raw_coal", -5_000))])
    out = coal.balance_of(LEDGER, lines, 2018, 2019, "2018", cities=["xian"])
    assert list(out["city"].values) == ["xian"]
    assert out["growth_total"].item() == pytest.approx(-120 / 1300)
    assert out.attrs["induced_outside_t"] == 5_000


def test_growth_lines():
    lines = coal.growth_lines(LEDGER, 2018, 2.0, cities=["xian"], sectors=["power"])
    assert lines[["city", "sector", "fuel", "tonnes"]].to_numpy().tolist() == [["xian", "power", "raw_coal", 20_000]]
    out = coal.balance_of(LEDGER, coal.growth_lines(LEDGER, 2018, -3.0), 2018, 2019, "2018")
    assert out["growth_total"].item() == pytest.approx(-0.03)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["growth", "new_projects", "substitution", "retirement", "efficiency"]),
            st.sampled_from([("xian", "power", "raw_coal"), ("weinan", "coking", "washed_coal")]),
            st.floats(0, 60_000),
        ),
        max_size=6,
    )
)
def test_no_tonne_is_lost(rows):
    lines = _lines(*((f"m{i}", line, *key, t) for i, (line, key, t) in enumerate(rows)))
    out = coal.balance_of(LEDGER, lines, 2018, 2019, "2018")
    by_line = out["consumption_by_fuel"].sum(("city", "sector", "fuel")).to_series()
    expected = 4_250_000 + sum(t if line in {"growth", "new_projects"} else -t for line, _, t in rows)
    assert by_line["target"] == pytest.approx(expected, abs=1e-3)
    assert by_line["target"] == pytest.approx(by_line.drop("target").sum(), abs=1e-3)


# --------------------------------------------------------------------------------------------------------
# each tonne once


def _pledges(*rows):
    return pd.DataFrame(rows, columns=["project", "reduction", "tonnes"])


def test_offsets_are_named_tonne_by_tonne():
    pledges = _pledges(("new plant", "old boilers", 60_000), ("new plant", "better kilns", 10_000))
    out = coal.balance_of(LEDGER, LINES, 2018, 2019, "2018", pledges=pledges)
    by_line = out["consumption"].sum(("city", "sector")).to_series()
    assert by_line["offsets"] == pytest.approx(-70_000)
    assert by_line["retirement"] == pytest.approx(-30_000)
    assert by_line["efficiency"] == pytest.approx(0)
    assert by_line["target"] == pytest.approx(3_940_000)  # a pledge moves no tonne
    assert out["offset_required"].sel(project="new plant").item() == 80_000
    assert out["offset_pledged"].sel(project="new plant").item() == 70_000


def test_a_tonne_pledged_to_two_projects_names_both():
    lines = pd.concat([LINES, _lines(("chemical park", "new_projects", "weinan", "coking", "washed_coal", 40_000))])
    pledges = _pledges(("new plant", "old boilers", 60_000), ("chemical park", "old boilers", 40_000))
    with pytest.raises(InputError, match=r"'new plant' 60000 t and 'chemical park' 40000 t"):
        coal.balance_of(LEDGER, lines, 2018, 2019, "2018", pledges=pledges)


def test_two_measures_on_the_same_tonnes_name_both():
    lines = pd.concat([LINES, _lines(("gas for homes", "substitution", "xian", "residential", "raw_coal", 200_000))])
    with pytest.raises(InputError, match=r"'homes' 120000 t \+ 'gas for homes' 200000 t exceed the 300000 t"):
        coal.balance_of(LEDGER, lines, 2018, 2019, "2018")


def test_one_boiler_closed_by_two_measures_names_both():
    lines = _lines(
        ("plan 2018", "retirement", "xian", "power", "raw_coal", 10_000),
        ("plan 2019", "retirement", "xian", "power", "raw_coal", 10_000),
    ).assign(unit="boiler 7")
    with pytest.raises(InputError, match=r"boiler 7.*'plan 2018' and 'plan 2019'"):
        coal.balance_of(LEDGER, lines, 2018, 2019, "2018")


def test_what_is_no_substitute_cannot_be_pledged():
    ledger = pd.concat([LEDGER, LEDGER.iloc[:1].assign(fuel="semi_coke", consumption=50_000.0)])
    lines = pd.concat([LINES, _lines(("less semi-coke", "efficiency", "xian", "power", "semi_coke", 5_000))])
    pledges = _pledges(("new plant", "less semi-coke", 5_000))
    coal.balance_of(ledger, lines, 2018, 2019, "2018", pledges=pledges)
    with pytest.raises(InputError, match=r"semi_coke.*no reduction measure under rule 2023"):
        coal.balance_of(ledger, lines, 2018, 2019, "2023", pledges=pledges)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("x", "magic", "xian", "power", "raw_coal", 1), "line must be one of"),
        (("x", "retirement", "xian", "power", "raw_coal", -1), "0 or above"),
        (("x", "retirement", "xian", "power", "raw_coal", np.nan), "0 or above"),
        (("x", "retirement", "baoji", "power", "raw_coal", 1), "city is not in the ledger"),
        (("x", "retirement", "xian", "cement", "raw_coal", 1), "exceed the 0 t"),
    ],
)
def test_bad_lines(row, message):
    with pytest.raises(InputError, match=message):
        coal.balance_of(LEDGER, _lines(row), 2018, 2019, "2018")


def test_bad_ledgers():
    with pytest.raises(InputError, match=r"ledger.csv:1.*must be 0 or above"):
        coal.balance_of(LEDGER.assign(consumption=-1.0), LINES.iloc[:0], 2018, 2019)
    with pytest.raises(InputError, match=r"peat.*must be one of"):
        coal.balance_of(LEDGER.assign(fuel="peat"), LINES.iloc[:0], 2018, 2019)
    with pytest.raises(InputError, match="years: 2018, 2019"):
        coal.balance_of(LEDGER, LINES.iloc[:0], 2015, 2019)


def test_the_shipped_ledger_balances():
    ledger = pd.read_csv(shipped.path("data/emissions/coal_ledger.csv"), encoding="utf-8-sig")
    out = coal.balance_of(ledger, coal.growth_lines(ledger, 2018, 1.0), 2018, 2019, "2018")
    counted = ledger[
        (ledger["year"] == 2018) & ledger["fuel"].isin(rules.load("coal", version="2018")["counted_fuels"])
    ]
    base = counted["consumption"].sum()
    assert out["consumption"].sel(line="base").sum().item() == pytest.approx(base)
    assert out["growth_total"].item() == pytest.approx(0.01)
