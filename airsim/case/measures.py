"""A scenario's measures as a plan, and its answer to an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airsim.scenario import Scenario

if TYPE_CHECKING:
    from airsim.coal.plan import Plan, Stages
    from airsim.inventory import Inventory
    from airsim.response.effect import Response


def plan_of(scenario: Scenario) -> Plan:
    """Return the scenario's measures and coal block as a plan."""
    from airsim.coal.plan import Plan

    lines = tuple(scenario.line("measures", i) for i in range(len(scenario.measures)))
    return Plan(scenario.measures, scenario.coal, scenario.file, lines, scenario.resolve, scenario.line("measures"))


def response(stages: Stages) -> Response | None:
    """Return the first emergency response of a plan, None without one.

    Neighbouring emergency measures are one response.
    """
    import pandas as pd

    from airsim.emergency import strictest
    from airsim.emergency.kind import alert_windows, respond
    from airsim.response.effect import Response, shifted

    answering = stages.plan.answering
    if not answering:
        return None
    names = [s.name for s in stages.steps]
    at = names.index("emergency")
    before = stages.steps[at - 1].inventory if at else stages.base
    held = [
        one for i, (number, one) in enumerate(zip(answering, stages.lists, strict=True)) if number == answering[0] + i
    ]

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
