"""The precise list against brute force, and the impact of lines against that of the whole list."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from joint_case import world

from airsim import emergency, shipped
from airsim.emergency.wording import POLLUTANTS
from airsim.errors import InputError
from airsim.optimise import precise_list
from airsim.response import uncertainty


@pytest.fixture(scope="module")
def list_():
    return emergency.read(shipped.path("data/emissions/emergency_list.xlsx"))


def some(list_, city, count):
    """The list of one city, its first industrial lines with a cut at red, and all that is not industrial."""
    cut = emergency.cuts(list_, "red")[list(POLLUTANTS)].sum(axis=1) > 0
    own = list_.lines["city"] == city
    industrial = list_.lines.index[own & cut & (list_.lines["category"] == "industrial")][:count]
    kept = list_.lines.index[own & (list_.lines.index.isin(industrial) | (list_.lines["category"] != "industrial"))]
    return dataclasses.replace(list_, lines=list_.lines.loc[kept])


@pytest.mark.parametrize("objective", ["output", "lines", "enterprises"])
@pytest.mark.parametrize(("city", "seed"), [("weinan", 0), ("xian", 1), ("hancheng", 2)])
def test_brute_force_agrees(list_, objective, city, seed):
    small = some(list_, city, 7)
    inventory = world().inventory
    rng = np.random.default_rng(seed)
    impact = pd.DataFrame({f"{city}:peak": rng.uniform(0.0, 1.0, len(small.lines))}, index=small.lines.index)
    wanted = {f"{city}:peak": 0.6 * float(impact.sum().iloc[0])}
    found = precise_list.choose(small, inventory, "red", objective=objective, impact=impact, wanted=wanted, gap=0.0)
    lines = found.lines
    cutting = lines[list(POLLUTANTS)].to_numpy().any(axis=1)
    free = np.flatnonzero(cutting & lines["free"].to_numpy())
    assert 3 <= len(free) <= 8
    given = cutting & ~lines["free"].to_numpy()
    firms = lines["enterprise"].to_numpy()
    best = np.inf
    for bits in itertools.product((False, True), repeat=len(free)):
        acts = given.copy()
        acts[free] = bits
        if all(d.coefficients[acts].sum() >= d.bound - 1e-6 * max(1, abs(d.bound)) for d in found.demands):
            chosen = free[list(bits)]
            cost = len(set(firms[chosen])) if objective == "enterprises" else lines["weight"].to_numpy()[chosen].sum()
            best = min(best, cost)
    assert found.optimum.cost == pytest.approx(best)
    acts = lines["acts"].to_numpy()
    assert (acts[given]).all()
    assert not acts[~cutting].any()
    assert found.enterprises[0] == found.enterprises[1] + found.enterprises[2]


def test_shares_are_those_of_compliance(list_):
    inventory = world().inventory
    found = precise_list.choose(list_, inventory, "orange")
    counted = emergency.compliance(list_, inventory, "orange").set_index(["city", "pollutant"])
    whole = found.lines[list(POLLUTANTS)].to_numpy(float).any(axis=1)
    for demand in found.demands:
        _, city, pollutant = demand.key.split("/")
        if "+" in pollutant:
            expected = counted.at[(city, "SO2"), "joint_share"]
        else:
            expected = counted.at[(city, pollutant), "share"]
        assert demand.coefficients[whole].sum() == pytest.approx(100 * expected)
    # what the precise list says of itself, compliance says of the list with the other lines taken out
    kept = found.lines.index[found.lines["acts"] | ~whole]
    less = dataclasses.replace(list_, lines=list_.lines.loc[kept])
    again = emergency.compliance(less, inventory, "orange").set_index(["city", "pollutant"])
    short = {d.key for d in found.unreachable}
    for (city, pollutant), row in counted.iterrows():
        joint = f"share/{city}/SO2+NOx" in short and pollutant in {"SO2", "NOx"}
        if row["pass"] and not joint:
            assert again.at[(city, pollutant), "pass"], (city, pollutant)


def test_an_effect_out_of_reach_says_by_how_much(list_):
    small = some(list_, "weinan", 5)
    impact = pd.DataFrame({"weinan:mean": 1.0}, index=small.lines.index)
    cutting = emergency.cuts(small, "red")[list(POLLUTANTS)].to_numpy().any(axis=1).sum()
    with pytest.raises(InputError) as wrong:
        precise_list.choose(small, world().inventory, "red", impact=impact, wanted={"weinan:mean": cutting + 3.0})
    (problem,) = wrong.value.problems
    assert problem.key == "pm25/weinan:mean"
    assert "short by 3" in problem.text("en")
    assert "渭南" in problem.text("zh")


def test_cost_needs_its_column(list_):
    with pytest.raises(InputError) as wrong:
        precise_list.choose(list_, world().inventory, "red", objective="cost")
    assert wrong.value.problems[0].key == "stop_cost"


def test_lines_share_the_whole_effect(list_):
    w = world()
    sources = w.inventory.sources
    rng = np.random.default_rng(5)
    cut = np.zeros((len(sources), 5, 1))
    told = precise_sources(list_, w.inventory)
    cut[told] = rng.uniform(0.1, 1.0, (len(told), 5, 1))
    found = uncertainty.Contributions(sources, cut, cut, ("xian:mean",))
    impact = precise_list.impact_of_lines(w.inventory, list_, "red", ["xian", "weinan"], found)
    assert float(impact["xian:mean"].sum()) == pytest.approx(cut.sum())
    assert (impact.to_numpy() >= 0).all()


def precise_sources(list_, inventory):
    """Positions of the sources that the list cuts in all four pollutants."""
    from airsim.emergency.measure import shares_by_line

    told = shares_by_line(inventory, list_, "red", ["xian", "weinan"])
    whole = told.groupby("source")["pollutant"].nunique()
    return inventory.sources.index.get_indexer(whole.index[whole == 4])
