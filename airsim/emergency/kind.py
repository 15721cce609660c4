"""The emergency measure of a scenario file: its list, its alerts, and carrying it out."""

from __future__ import annotations

import pandas as pd

from airsim import rules
from airsim import scenario as scenarios
from airsim.emergency.alerts import strictest
from airsim.emergency.measure import emergency
from airsim.emergency.reading import read
from airsim.emergency.reduction_list import EmergencyList
from airsim.inventory import Inventory
from airsim.measures.registry import Kind, Order, Resolve, register


def located(block: scenarios.Emergency, resolve: Resolve) -> scenarios.Emergency:
    """Return an emergency measure with the paths of its plan, mapping and base resolved."""
    named = {"mapping": block.mapping, "base": block.base}
    if block.plan.lower().endswith((".yaml", ".yml")):
        named["plan"] = block.plan
    return block.model_copy(update={k: str(resolve(v)) for k, v in named.items() if v is not None})


def alert_windows(block: scenarios.Emergency) -> pd.DataFrame:
    """Return the alerts of a measure, one row a city and window: city, level, start, end [UTC]."""
    rows = [
        {
            "city": city,
            "level": alert.level,
            "start": pd.Timestamp(alert.start.replace(tzinfo=None)),
            "end": pd.Timestamp(alert.end.replace(tzinfo=None)),
        }
        for alert in block.alerts
        for city in alert.cities
    ]
    return strictest(pd.DataFrame(rows))


def respond(
    inventory: Inventory,
    block: scenarios.Emergency,
    list_: EmergencyList,
    windows: pd.DataFrame,
    label: str,
    *,
    ledger: bool = True,
) -> tuple[Inventory, pd.DataFrame]:
    """Carry out an emergency measure in some windows; see `emergency`.

    Parameters
    ----------
    inventory : Inventory
    block : Emergency
        With the paths of `located`.
    list_ : EmergencyList
    windows : DataFrame
        As `alert_windows` returns them.
    label : str
        What its ledger rows are called.
    ledger : bool
        False: leave the ledger empty.
    """
    rebound = block.rebound
    return emergency(
        inventory,
        list_,
        windows,
        execution_rate=block.execution_rate,
        plan=block.plan,
        response=rules.load("emergency_response") if block.response == "gradual" else None,
        hours_of_day={"/".join(filter(None, (h.sector, h.subsector))): (h.start, h.end) for h in block.hours_of_day},
        rebound=(rebound.share, rebound.hours) if rebound else (0.0, 72),
        measure=label,
        ledger=ledger,
    )


def _read(
    block: scenarios.Emergency, coal: scenarios.Coal | None, resolve: Resolve
) -> tuple[scenarios.Emergency, EmergencyList]:
    """Return the measure with its paths resolved, and its list."""
    del coal
    asked = located(block, resolve)
    return asked, read(resolve(asked.list), asked.mapping)


def _apply(inventory: Inventory, block: scenarios.Emergency, order: Order) -> tuple[Inventory, pd.DataFrame]:
    asked, list_ = order.found
    return respond(inventory, asked, list_, alert_windows(block), order.label)


register(
    Kind(scenarios.Emergency, _apply, moves_coal=False, temporary=lambda block: True, read=_read, alerts=alert_windows)
)
