"""What the measures of a scenario do and cost one by one, as choices and demands of `airsim.optimise.milp.least`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airsim import case
from airsim import scenario as scenarios
from airsim.errors import InputError, Problem
from airsim.geography import CITIES
from airsim.optimise.milp import Demand, Impossible, Optimum, least

if TYPE_CHECKING:
    from airsim.inventory import Inventory
    from airsim.scenario import Optimise, Scenario

Array = NDArray[Any]
_NAMES = {c.id: (c.name_zh, c.name_en) for c in CITIES}
_KINDS = {"gas": ("燃气", "gas"), "grid": ("配电网", "grid"), "heat": ("热网", "heat network")}


@dataclass(frozen=True)
class Plan:
    """The least-cost measures.

    Attributes
    ----------
    measures : DataFrame
        Index label; columns cost [CNY a-1], fixed, chosen [1].
    demands : tuple of Demand
    optimum : Optimum
    """

    measures: pd.DataFrame
    demands: tuple[Demand, ...]
    optimum: Optimum


def plan(
    scenario: Scenario, folder: Path | None = None, progress: Callable[[int, int], None] | None = None
) -> Plan:  # fmt: skip
    """Find the least-cost choice among a scenario's measures.

    Every measure is looked at by itself against the base case: its emissions, its coal, what it asks of the gas, grid
    and heat networks, its cost. All are taken as proportional to how far it is carried out, and as adding up; PM2.5 is
    the first order about the base case (adjoint).

    Parameters
    ----------
    scenario : Scenario
        With an ``optimise`` block; emergency measures are no candidates.
    folder : Path, optional
        Where the adjoint is kept.
    progress : callable, optional
        ``progress(done, all)`` of the adjoint run.

    Raises
    ------
    InputError
        No ``optimise`` block, no candidates, a measure without a cost, a coal demand without ``coal`` block; or no
        choice meets the demands, each that fails with what is missing.
    """
    from airsim.coal import plan as coal_plan

    asked = scenario.optimise
    if asked is None:
        raise _problem(scenario, "optimise", "", "the scenario has no optimise block", "情景中没有 optimise 块")
    labels = coal_plan.labels(scenario)
    numbers = [i for i, m in enumerate(scenario.measures) if not isinstance(m, scenarios.Emergency)]
    if not numbers:
        raise _problem(scenario, "measures", "", "no measure to choose from", "没有可供选择的措施")
    place = case.place(scenario)
    base = case.inventory(scenario, place)
    singles = [_single(scenario, i) for i in numbers]
    stages = [case.measured(s, base) for s in singles]
    names = [labels[i] for i in numbers]
    unknown = [n for n in (*asked.fixed, *asked.costs) if n not in names]
    if unknown:
        listed = ", ".join(names)
        raise InputError(
            [
                Problem(
                    scenario.file,
                    scenario.line("optimise"),
                    "optimise",
                    n,
                    f"no such measure; there are {listed}",
                    f"没有该措施；现有 {listed}",
                )
                for n in unknown
            ]
        )
    cost = _costs(scenario, asked, singles, stages, base, names)
    demands = [
        *_shares(asked, base, stages),
        *_coal(scenario, asked, singles, stages, base),
        *_limits(scenario, numbers),
        *_ceilings(scenario, asked, place, base, stages, folder, progress),
    ]
    fixed = np.array([n in asked.fixed for n in names])
    try:
        found = least(cost, demands, divisible=np.full(len(names), asked.divisible), fixed=fixed, gap=1e-6)
    except Impossible as none:
        raise none.problems(scenario.file) from None
    table = pd.DataFrame({"cost": cost, "fixed": fixed, "chosen": found.chosen}, index=pd.Index(names, name="measure"))
    return Plan(table, tuple(demands), found)


def _single(scenario: Scenario, number: int) -> Scenario:
    """Return the scenario with one of its measures alone, no limit binding: limits are demands here."""
    coal = scenario.coal
    if coal is not None and coal.limits is not None:
        coal = coal.model_copy(update={"limits": coal.limits.model_copy(update={"bind": False})})
    return scenario.model_copy(update={"measures": (scenario.measures[number],), "coal": coal})


def _costs(
    scenario: Scenario, asked: Optimise, singles: list[Scenario], stages: list[case.Stages], base: Inventory,
    names: list[str],
) -> Array:  # fmt: skip
    from airsim.coal import cap

    found, problems = [], []
    for single, stage, name in zip(singles, stages, names, strict=True):
        value = asked.costs.get(name, np.nan)
        if not np.isfinite(value) and single.coal is not None:
            balance = cap.cap_of(single, base, stage)
            if "cost_state" in balance:
                by = {"state": ("cost_state",), "user": ("cost_user",), "both": ("cost_state", "cost_user")}[asked.cost]
                value = float(sum(balance[c].sum(skipna=False) for c in by))
        if not np.isfinite(value):
            problems.append(
                Problem(
                    scenario.file, scenario.line("optimise"), "optimise.costs", name,
                    "give what this measure costs [CNY a-1]; only substitutions are costed by rule",
                    "请给出该措施的费用（元/年）；只有替代类措施可按规则计算",
                )
            )  # fmt: skip
        found.append(value)
    if problems:
        raise InputError(problems)
    return np.array(found)


def _shares(asked: Optimise, base: Inventory, stages: list[case.Stages]) -> list[Demand]:
    from airsim.inventory import POLLUTANTS

    annual = base.sources.groupby("city")[list(POLLUTANTS)].sum()
    removed: list[Any] = []
    for stage in stages:
        rows = pd.concat(stage.rows, ignore_index=True)
        rows = rows[rows["unit"] == "t a-1"]
        removed.append(rows.groupby(["city", "pollutant"])["removed"].sum())
    found = []
    for share in asked.shares:
        for city in share.cities:
            zh, en = _NAMES[city]
            for pollutant in share.pollutants:
                whole = float(np.asarray(annual.loc[city, pollutant]))
                gone = np.array([float(r.get((city, pollutant), 0.0)) for r in removed])
                found.append(
                    Demand(f"share/{city}/{pollutant}", f"{zh} {pollutant} 减排比例", f"share of {pollutant} in {en}",
                           100.0 * gone / whole, "floor", share.percent, "%")
                )  # fmt: skip
    return found


def _coal(
    scenario: Scenario, asked: Optimise, singles: list[Scenario], stages: list[case.Stages], base: Inventory
) -> list[Demand]:  # fmt: skip
    from airsim.coal import accounts

    if asked.coal_change is None:
        return []
    if scenario.coal is None:
        raise _problem(scenario, "optimise.coal_change", str(asked.coal_change), "needs a coal block", "需要 coal 块")
    own, before, start, unit = [], 0.0, 0.0, "t"
    for single, stage in zip(singles, stages, strict=True):
        signed = accounts.lines(single, base, stage)
        mine = signed["measure"].isin(list(stage.numbers))
        own.append(float(signed.loc[mine, "amount"].sum()))
        before = float(signed.loc[~mine, "amount"].sum())  # base year and growth: the same whatever is done
        start = float(signed.loc[signed["line"] == "base", "amount"].sum())
        unit = str(signed.attrs["unit"])
    most = start * (1.0 + asked.coal_change / 100.0)
    return [
        Demand("coal", "措施引起的煤炭消费变化", "change of coal by measures", np.array(own), "ceiling", most - before,
               unit)
    ]  # fmt: skip


def _limits(scenario: Scenario, numbers: list[int]) -> list[Demand]:
    from airsim.coal import limits

    room = limits.table_of(scenario)
    found = []
    for city, kinds in room.items():
        for kind, capacity in kinds.items():
            loads = np.zeros((len(numbers), 12))
            for row, i in enumerate(numbers):
                m = scenario.measures[i]
                if isinstance(m, scenarios.CoalSubstitution) and m.city == city:
                    loads[row] = limits.loads(m, m.route).get(kind, np.zeros(12))
            zh, en = _NAMES[city]
            found += [
                Demand(f"{kind}/{city}/{month + 1}", f"{zh}{_KINDS[kind][0]} {month + 1} 月负荷",
                       f"{_KINDS[kind][1]} of {en}, month {month + 1}", loads[:, month], "ceiling", capacity,
                       limits.KINDS[kind])
                for month in np.flatnonzero(loads.sum(0) > capacity)
            ]  # fmt: skip
    return found


def _ceilings(
    scenario: Scenario, asked: Optimise, place: Any, base: Inventory, stages: list[case.Stages], folder: Path | None,
    progress: Callable[[int, int], None] | None,
) -> list[Demand]:  # fmt: skip
    if not asked.pm25:
        return []
    from airsim import inventory as inventories
    from airsim.assess.ranking import base_state
    from airsim.inventory.placement import Placement
    from airsim.region.equilibrium import pm25, pm25_gradient
    from airsim.region.receptors import cities, weather_at
    from airsim.region.transport import Transport
    from airsim.response.sensitivity import Target, obtain

    wanted = {str(c): entry.ceiling for entry in asked.pm25 for c in entry.cities}
    receptors = cities(place, list(wanted))
    weather = case.weather(scenario, place)
    transport = Transport(place.grid, weather)
    hours = range(scenario.period.spin_up_hours, transport.hours)
    gridded = inventories.grid(base, place, weather)
    state = base_state(transport, gridded, receptors, hours, case.background(scenario, place))
    box = weather_at(weather, receptors, hours)
    constant = transport.coefficients.equilibrium.constant
    now = receptors.mean(pm25(state, *box, axis=-1, constant=constant).mean(0))
    slope = pm25_gradient(state, *box, axis=-1, constant=constant)
    share = np.full(len(hours), 1.0 / len(hours))
    targets = [Target(f"{n}:mean", i, share) for i, n in enumerate(receptors.names)]
    after = [inventories.grid(s.steps[-1].inventory, place, weather) for s in stages]
    # sites of new sources as well: the fuels that replace coal may stand where no coal did
    every = max([gridded, *after], key=lambda g: len(Placement(g).sites))
    felt = obtain(folder, place.grid, weather, slope, receptors, hours, targets, every, progress)
    whole = felt.of(gridded.rates, Placement(gridded)).sum((0, 1))
    less = np.stack([whole - felt.of(g.rates, Placement(g)).sum((0, 1)) for g in after])
    found = []
    for r, name in enumerate(receptors.names):
        zh, en = _NAMES[name]
        found.append(
            Demand(f"pm25/{name}", f"{zh} PM2.5 降低", f"cut of PM2.5 in {en}", less[:, r], "floor",
                   float(now[r]) - wanted[name], "ug/m3")
        )  # fmt: skip
    return found


def _problem(scenario: Scenario, key: str, value: str, en: str, zh: str) -> InputError:
    return InputError([Problem(scenario.file, scenario.line(key.partition(".")[0]), key, value, en, zh)])
