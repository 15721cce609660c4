"""A plan, measures in order with the coal cap they are tested on, and what carrying it out makes of the inventory."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from copy import copy
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

# these register their kinds
from airsim.coal import kinds as _coal_kinds  # noqa: F401
from airsim.coal import limits
from airsim.emergency import kind as _emergency_kind  # noqa: F401
from airsim.errors import InputError, Problem
from airsim.geography import CITIES
from airsim.measures import registry
from airsim.measures.ledger import ledger_rows

if TYPE_CHECKING:
    from airsim.emergency import EmergencyList
    from airsim.inventory import Inventory
    from airsim.scenario import Coal, Emergency


@dataclass(frozen=True)
class Plan:
    """What is done, in order, and the coal cap that it is tested on.

    Attributes
    ----------
    measures : tuple
        Blocks of measures of the scenario schema; each acts on what the ones before it leave.
    coal : Coal or None
        The coal cap.
    file : str
        Where the plan was read, for messages.
    lines : tuple of str
        Line of every measure in `file`, for messages; empty where unknown.
    resolve : callable
        Returns the path of a file that a measure or the cap names.
    line : str
        Line of `file` where the measures begin, for messages.
    """

    measures: tuple[Any, ...] = ()
    coal: Coal | None = None
    file: str = ""
    lines: tuple[str, ...] = ()
    resolve: Callable[[str], Path] = Path
    line: str = ""

    def alone(self, number: int) -> Plan:
        """Return the plan with one of its measures alone, no limit binding."""
        coal = self.coal
        if coal is not None and coal.limits is not None:
            coal = coal.model_copy(update={"limits": coal.limits.model_copy(update={"bind": False})})
        return replace(self, measures=(self.measures[number],), coal=coal, lines=self.lines[number : number + 1])

    def at(self, number: int) -> tuple[str, str]:
        """Return file and line of a measure by its position from 0, for messages."""
        return self.file, self.lines[number] if number < len(self.lines) else ""

    @cached_property
    def labels(self) -> list[str]:
        """What every measure is called: its name, else its number and kind.

        Raises
        ------
        InputError
            Two measures bear one name.
        """
        found: list[str] = []
        problems = []
        for i, m in enumerate(self.measures):
            label = getattr(m, "name", None) or f"{i + 1}-{m.type}"
            if label in found:
                said = f"measure {found.index(label) + 1} has this name already"
                said_zh = f"第 {found.index(label) + 1} 项措施已用此名称"
                problems.append(Problem(*self.at(i), "name", label, said, said_zh))
            found.append(label)
        if problems:
            raise InputError(problems)
        return found

    @cached_property
    def asked(self) -> Coal:
        """The ``coal`` block.

        Raises
        ------
        InputError
            There is none.
        """
        if self.coal is None:
            said, said_zh = "the coal balance needs this key", "煤炭平衡需要该键"
            raise InputError([Problem(self.file, "", "coal", "", said, said_zh)])
        return self.coal

    @cached_property
    def cities(self) -> list[str]:
        """Cities of the cap."""
        return list(self.asked.cities or [c.id for c in CITIES if c.guanzhong])

    def in_force(self, number: int) -> bool:
        """Return whether a measure is done by the target year; without a coal block all are."""
        m = self.measures[number]
        return registry.of(m).in_force(m, self.coal.target_year if self.coal else None)

    @property
    def moves_coal(self) -> bool:
        """Whether a measure takes coal from the ledger or adds to it."""
        return any(registry.of(m).moves_coal for m in self.measures)

    @property
    def temporary(self) -> bool:
        """Whether a measure before the first that answers an alert has a start or an end."""
        for m in self.measures:
            kind = registry.of(m)
            if kind.alerts is not None:
                return False
            if kind.temporary(m):
                return True
        return False

    @property
    def answering(self) -> list[int]:
        """Positions of the measures that answer alerts."""
        return [i for i, m in enumerate(self.measures) if registry.of(m).alerts is not None]

    def winter(self, city: str) -> float:
        """Return the heat that the target year's winter asks for in a city over that of the base year [1]."""
        return limits.cold(self.measures, city)

    @cached_property
    def substitutions(self) -> list[limits.Substitution]:
        """The substitutions in force, in order."""
        return [
            limits.Substitution(i, self.labels[i], m, self.winter(m.city))
            for i, m in enumerate(self.measures)
            if registry.of(m).limits and self.in_force(i)
        ]

    @cached_property
    def capacities(self) -> dict[str, dict[str, float]]:
        """City -> limit -> capacity of gas, grid and heat networks; a missing one is no limit.

        Raises
        ------
        InputError
            See `airsim.coal.limits.table_of`.
        """
        return limits.table_of(self.coal.limits if self.coal else None, self.resolve)

    @cached_property
    def allotment(self) -> limits.Allotment:
        """What the limits make of the substitutions, worked out once.

        Raises
        ------
        InputError
            See `airsim.coal.limits.table_of`.
        """
        asked = self.coal.limits if self.coal else None
        if asked is None:
            return limits.Allotment()
        return limits.allot(self.substitutions, self.capacities, bind=asked.bind)


@dataclass(frozen=True)
class Step:
    """The inventory after one run of measures of a kind."""

    name: str
    inventory: Inventory


@dataclass
class Stages:
    """What the measures of a plan make of the base inventory, in their order.

    Attributes
    ----------
    plan : Plan
    base : Inventory
    steps : list of Step
    rows : list of DataFrame
        Ledger rows of every measure, or part of one.
    lists : list
        Measures that answer alerts, with their paths resolved, and the lists that they read.
    numbers : dict
        Label of ledger rows -> position of their measure in the plan.
    routes : dict
        Label of ledger rows -> route of a substitution, else empty.
    """

    plan: Plan
    base: Inventory
    steps: list[Step] = field(default_factory=list)
    rows: list[pd.DataFrame] = field(default_factory=list)
    lists: list[tuple[Emergency, EmergencyList]] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    routes: dict[str, str] = field(default_factory=dict)

    @property
    def last(self) -> Inventory:
        """The inventory after all measures."""
        return self.steps[-1].inventory if self.steps else self.base

    def measure(self, label: str) -> Any:
        """Return the block of the measure that ledger rows of a label come from; None for what is no measure."""
        return self.plan.measures[self.numbers[label]] if label in self.numbers else None

    def of(self, plan: Plan) -> Stages:
        """Return the same for another plan that begins with the same measures, with lists of its own."""
        own = {f.name: copy(getattr(self, f.name)) for f in fields(self) if f.name not in {"plan", "base"}}
        return replace(self, plan=plan, **own)

    def all_rows(self) -> pd.DataFrame:
        """Return the ledger rows of all measures; a plan whose measures all come later has none."""
        return pd.concat(self.rows, ignore_index=True) if self.rows else ledger_rows([])

    def ledger(self) -> xr.Dataset:
        """Return the ledger rows of all measures as the group ``/measures``."""
        rows = self.all_rows()
        columns = {
            "row_measure": "measure",
            "row_kind": "kind",
            "row_city": "city",
            "row_sector": "sector",
            "row_source": "source",
            "row_pollutant": "pollutant",
            "row_unit": "unit",
        }
        data: dict[str, tuple[str, Any]] = {
            name: ("row", rows[c].fillna("").astype(str).tolist()) for name, c in columns.items()
        }
        data["removed"] = ("row", rows["removed"].to_numpy(float))
        return xr.Dataset(data)


def carry_out(plan: Plan, base: Inventory, known: MutableMapping[str, Any] | None = None) -> Stages:
    """Apply the measures of a plan in order; neighbours of one kind make one step.

    Parameters
    ----------
    plan : Plan
    base : Inventory
    known : mutable mapping, optional
        Remembers what measures made of this base inventory, for further plans that begin with the same ones.

    Returns
    -------
    Stages

    Raises
    ------
    InputError
        All problems of all measures: a list's enterprise that the inventory lacks, an unknown enterprise, a year that
        is already in the base year ...
    """
    stages = Stages(plan, base)
    labels, parts = plan.labels, plan.allotment.parts
    year = plan.coal.base_year if plan.coal else None
    problems: list[Problem] = []
    now = base
    for name, group in groupby(enumerate(plan.measures), key=lambda m: m[1].type):
        for number, _ in group:
            label = labels[number]
            stages.numbers[label] = number
            so_far = repr((plan.coal, plan.measures[: number + 1], parts))
            if known is not None and so_far in known:
                now, held = known[so_far]
                stages = held.of(plan)
                continue
            if not plan.in_force(number):
                continue
            try:
                now = _one(stages, now, number, label, parts.get(number, ((1.0, None),)), year)
                if known is not None:
                    known[so_far] = (now, stages.of(plan))
            except InputError as error:
                problems += error.problems
        names = [s.name for s in stages.steps]
        stages.steps.append(Step(name if name not in names else f"{name}-{len(names)}", now))
    if problems:
        raise InputError(problems)
    return stages


def _one(
    stages: Stages,
    now: Inventory,
    number: int,
    label: str,
    parts: Sequence[tuple[float, str | None]],
    year: int | None,
) -> Inventory:
    """Apply one measure, or what the limits leave of it by its own route and its fallback; note what it did."""
    plan = stages.plan
    block, at = plan.measures[number], plan.at(number)
    kind = registry.of(block)
    done = block.year if kind.dated else None
    if year is not None and done is not None and done <= year:
        said = f"is in the statistics of the base year {year} already; a later year is needed"
        raise InputError([Problem(*at, "year", str(done), said, f"已计入基准年 {year} 的统计，年份须晚于基准年")])
    found = kind.read(block, plan.coal, plan.resolve) if kind.read else None
    if kind.alerts is not None and found is not None:
        stages.lists.append(found)
    for share, route in parts:
        part = label if route is None else f"{label} ({route})"
        stages.numbers[part] = number
        if kind.dated:
            stages.routes[part] = route or str(getattr(block, "route", ""))
        if share > 0:
            order = registry.Order(part, at, year, share, route, found)
            now, rows = kind.apply(now, block, order)
            stages.rows.append(rows)
    return now
