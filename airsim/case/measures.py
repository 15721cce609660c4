"""What the measures of a scenario make of its base inventory, and its emergency response."""

from __future__ import annotations

from collections.abc import MutableMapping
from copy import copy
from dataclasses import dataclass, field, fields, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from airsim import scenario as scenarios
from airsim.errors import InputError, Problem
from airsim.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from airsim.emergency import EmergencyList
    from airsim.inventory import Inventory
    from airsim.response.effect import Response


def temporary(scenario: Scenario) -> bool:
    """Return whether a measure before the first emergency measure has a start or an end of its own."""
    for measure in scenario.measures:
        if isinstance(measure, scenarios.Emergency):
            return False
        if getattr(measure, "start", None) is not None or getattr(measure, "end", None) is not None:
            return True
    return False


@dataclass(frozen=True)
class Step:
    """The inventory after one run of measures of a kind."""

    name: str
    inventory: Inventory


@dataclass
class Stages:
    """What the measures of a scenario make of the base inventory, in their order.

    `numbers` says from which measure of the scenario (from 0) the ledger rows of a label come, `routes` by which route.
    """

    steps: list[Step] = field(default_factory=list)
    rows: list[pd.DataFrame] = field(default_factory=list)
    lists: list[tuple[scenarios.Emergency, EmergencyList]] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    routes: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Stages:
        """Return the same with lists of its own."""
        return replace(self, **{f.name: copy(getattr(self, f.name)) for f in fields(self)})

    def ledger(self) -> xr.Dataset:
        """Return the ledger rows of all measures as the group ``/measures``."""
        import pandas as pd
        import xarray as xr

        from airsim.measures.ledger import ledger_rows

        # a plan whose measures all come later has steps, but nothing removed yet
        rows = pd.concat(self.rows, ignore_index=True) if self.rows else ledger_rows([])
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


def measured(scenario: Scenario, base: Inventory, known: MutableMapping[str, Any] | None = None) -> Stages:
    """Apply the scenario's measures in order; neighbours of one kind make one step.

    Parameters
    ----------
    scenario : Scenario
    base : Inventory
    known : mutable mapping, optional
        Remembers what measures made of this base inventory, for further scenarios that begin with the same ones.

    Raises
    ------
    InputError
        All problems of all measures (a list's enterprise that the inventory lacks, an unknown enterprise...).
    """
    from airsim import emergency, measures
    from airsim.coal import limits, plan

    stages = Stages()
    called = plan.labels(scenario)
    parts = limits.allot(scenario).parts
    problems: list[Problem] = []
    now = base
    year = scenario.coal.base_year if scenario.coal else None
    for kind, group in groupby(enumerate(scenario.measures), key=lambda m: m[1].type):
        for number, measure in group:
            label = called[number]
            stages.numbers[label] = number
            at = (scenario.file, scenario.line("measures", number))
            so_far = repr((scenario.coal, scenario.measures[: number + 1], parts))
            if known is not None and so_far in known:
                now, held = known[so_far]
                stages = held.copy()
                continue
            try:
                if isinstance(measure, scenarios.Emergency):
                    asked = located(scenario, measure)
                    list_ = emergency.read(scenario.resolve(asked.list), asked.mapping)
                    stages.lists.append((asked, list_))
                    now, rows = respond(now, asked, list_, alert_windows(asked), label)
                elif isinstance(measure, scenarios.Cut):
                    now, rows = measures.cut(
                        now,
                        percent=measure.percent,
                        cities=measure.cities,
                        sectors=measure.sectors,
                        pollutants=measure.pollutants,
                        start=measure.start,
                        end=measure.end,
                        measure=label,
                        at=at,
                    )
                elif not isinstance(measure, scenarios.Stop | scenarios.Limit):
                    if not plan.in_force(scenario, measure):
                        continue
                    for share, route in parts.get(number, [(1.0, None)]):
                        part = label if route is None else f"{label} ({route})"
                        stages.numbers[part] = number
                        stages.routes[part] = route or str(getattr(measure, "route", ""))
                        if share > 0:
                            now, rows = plan.carry_out(now, scenario, number, part, share, route)
                            stages.rows.append(rows)
                    continue
                else:
                    percent = measure.percent if isinstance(measure, scenarios.Limit) else 100.0
                    now, rows = measures.limit(
                        now,
                        measure.enterprise,
                        percent,
                        start=measure.start,
                        end=measure.end,
                        year=year,
                        measure=label,
                        at=at,
                    )
                stages.rows.append(rows)
                if known is not None:
                    known[so_far] = (now, stages.copy())
            except InputError as error:
                problems += error.problems
        names = [s.name for s in stages.steps]
        stages.steps.append(Step(kind if kind not in names else f"{kind}-{len(names)}", now))
    if problems:
        raise InputError(problems)
    return stages


def located(scenario: Scenario, measure: scenarios.Emergency) -> scenarios.Emergency:
    """Return an emergency measure with the paths of its plan, mapping and base resolved."""
    named = {"mapping": measure.mapping, "base": measure.base}
    if measure.plan.lower().endswith((".yaml", ".yml")):
        named["plan"] = measure.plan
    return measure.model_copy(update={k: str(scenario.resolve(v)) for k, v in named.items() if v is not None})


def respond(
    inventory: Inventory,
    measure: scenarios.Emergency,
    list_: EmergencyList,
    windows: pd.DataFrame,
    label: str,
    *,
    ledger: bool = True,
) -> tuple[Inventory, pd.DataFrame]:
    """Carry out an emergency measure of a scenario in some windows; see `airsim.measures.emergency`."""
    from airsim import measures, rules

    rebound = measure.rebound
    return measures.emergency(
        inventory,
        list_,
        windows,
        execution_rate=measure.execution_rate,
        plan=measure.plan,
        response=rules.load("emergency_response") if measure.response == "gradual" else None,
        hours_of_day={"/".join(filter(None, (h.sector, h.subsector))): (h.start, h.end) for h in measure.hours_of_day},
        rebound=(rebound.share, rebound.hours) if rebound else (0.0, 72),
        measure=label,
        ledger=ledger,
    )


def response(scenario: Scenario, base: Inventory, stages: Stages) -> Response | None:
    """Return the first emergency response of a scenario, None without one.

    Neighbouring emergency measures are one response.
    """
    import pandas as pd

    from airsim.emergency import strictest
    from airsim.response.effect import Response, shifted

    names = [s.name for s in stages.steps]
    if "emergency" not in names:
        return None
    at = names.index("emergency")
    before = stages.steps[at - 1].inventory if at else base
    first = next(i for i, m in enumerate(scenario.measures) if isinstance(m, scenarios.Emergency))
    held: list[tuple[scenarios.Emergency, EmergencyList]] = []
    for measure, list_ in stages.lists:
        if scenario.measures[first + len(held) : first + len(held) + 1] != (measure,):
            break
        held.append((measure, list_))

    def carry_out(hours: int) -> Inventory:
        now = before
        for number, (measure, list_) in enumerate(held):
            windows = shifted(alert_windows(measure), hours)
            if len(windows):
                now = respond(now, measure, list_, windows, f"{number + 1}-emergency", ledger=False)[0]
        return now

    measure = held[0][0]
    return Response(
        before=names[at - 1] if at else "base",
        after="emergency",
        inventories=(before, stages.steps[at].inventory),
        windows=strictest(pd.concat([alert_windows(m) for m, _ in held], ignore_index=True)),
        carry_out=carry_out,
        alone=measure.effect.alone,
        shifts=tuple(sorted({h for h in measure.effect.shifts if h})),
        execution_rate=measure.execution_rate,
        uncertainty=measure.uncertainty,
    )


def alert_windows(measure: scenarios.Emergency) -> pd.DataFrame:
    """Return the alerts of a measure, one row a city and window: city, level, start, end [UTC]."""
    import pandas as pd

    from airsim.emergency import strictest

    rows = [
        {
            "city": city,
            "level": alert.level,
            "start": pd.Timestamp(alert.start.replace(tzinfo=None)),
            "end": pd.Timestamp(alert.end.replace(tzinfo=None)),
        }
        for alert in measure.alerts
        for city in alert.cities
    ]
    return strictest(pd.DataFrame(rows))
