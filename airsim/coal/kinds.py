"""The kinds of coal measures: what each does to inventory and ledger, draws on, costs and leaves uncertain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from airsim import measures
from airsim import scenario as scenarios
from airsim.coal import inspection
from airsim.coal.costs import substitution_cost
from airsim.coal.counties import county_code
from airsim.inventory import Inventory
from airsim.measures.registry import Kind, Order, Resolve, register
from airsim.scenario import Distribution, mean

#: Inventory and ledger rows, as every measure returns them.
Applied = tuple[Inventory, pd.DataFrame]
Figures = Mapping[str, float | Distribution]


def _common(block: Any, order: Order) -> dict[str, Any]:
    """Return the arguments that all coal measures take."""
    common: dict[str, Any] = {"year": order.year, "measure": order.label, "at": order.at}
    if getattr(block, "county", None):
        common["county"] = county_code(block.city, block.county, order.at)
    return common


def _substitution(inventory: Inventory, block: scenarios.CoalSubstitution, order: Order) -> Applied:
    common = _common(block, order) | {"reburn": mean(block.reburn), "power_city": block.power_city}
    route = order.route or block.route
    rate = mean(block.execution_rate)
    if block.households is not None:
        return measures.coal_substitution(
            inventory,
            block.city,
            block.households * order.share,
            mean(block.tonnes_per_household),
            route,
            rate,
            sector=block.sector or "residential",
            **common,
        )
    return measures.boiler_substitution(
        inventory,
        block.city,
        float(block.boiler_capacity or 0.0) * order.share,
        route,
        rate,
        hours=block.full_load_hours,
        sector=block.sector or "small_industry",
        **common,
    )


def _substitution_figures(block: scenarios.CoalSubstitution) -> Figures:
    homes = {} if block.households is None else {"tonnes_per_household": block.tonnes_per_household}
    return {"execution_rate": block.execution_rate, "reburn": block.reburn, **homes}


def _retire(inventory: Inventory, block: scenarios.Retire, order: Order) -> Applied:
    return measures.retire(
        inventory,
        enterprise=block.enterprise,
        city=block.city,
        sector=block.sector,
        fuel=block.fuel,
        tonnes=block.tonnes,
        boiler_capacity=block.boiler_capacity,
        hours=block.full_load_hours,
        execution_rate=mean(block.execution_rate),
        **_common(block, order),
    )


def _new_project(inventory: Inventory, block: scenarios.NewProject, order: Order) -> Applied:
    return measures.new_project(
        inventory,
        block.name,
        block.city,
        block.sector,
        block.tonnes,
        block.fuel,
        execution_rate=mean(block.execution_rate),
        emission_factors={str(p): v for p, v in (block.emission_factors or {}).items()},
        **_common(block, order),
    )


def _clean_coal(inventory: Inventory, block: scenarios.CleanCoalSupply, order: Order) -> Applied:
    return measures.clean_coal_supply(
        inventory,
        block.city,
        block.tonnes,
        block.fuel,
        execution_rate=mean(block.execution_rate),
        failing_share=block.failing_share,
        against_passing=order.found,
        **_common(block, order),
    )


def _inspected(
    block: scenarios.CleanCoalSupply, coal: scenarios.Coal | None, resolve: Resolve
) -> dict[str, float] | None:
    """Return the emission of the clean coal as sampled over that of passing coal, None without an inspection."""
    file = block.inspection
    if file is None and block.failing_share == 0 and coal is not None:
        file = coal.inspection
    if file is None:
        return None
    found = inspection.supply(resolve(file), block.city)
    fine = dict.fromkeys(("PM10", "PM25", "BC", "OC"), found.pm25_ratio)
    return {"SO2": found.so2_ratio, **fine}


def _efficiency(inventory: Inventory, block: scenarios.Efficiency, order: Order) -> Applied:
    rate = mean(block.execution_rate)
    common = _common(block, order)
    return measures.efficiency(
        inventory, block.sectors, block.percent, cities=block.cities, execution_rate=rate, **common
    )


def _growth(inventory: Inventory, block: scenarios.ActivityGrowth, order: Order) -> Applied:
    percent = mean(block.percent)
    return measures.growth(inventory, block.sectors, percent, cities=block.cities, **_common(block, order))


def _weather(inventory: Inventory, block: scenarios.DegreeDays, order: Order) -> Applied:
    percent = mean(block.percent)
    return measures.weather(inventory, percent, sectors=block.sectors, cities=block.cities, **_common(block, order))


def _execution(block: Any) -> Figures:
    return {"execution_rate": block.execution_rate}


register(
    Kind(
        scenarios.CoalSubstitution,
        _substitution,
        line="substitution",
        limits=("gas", "grid", "heat"),
        cost=substitution_cost,
        factors=_substitution_figures,
        dated=True,
    )
)
register(
    Kind(
        scenarios.Retire,
        _retire,
        line="retirement",
        factors=_execution,
        dated=True,
        closes=lambda block: block.enterprise or "",
    )
)
register(Kind(scenarios.NewProject, _new_project, line="new_projects", factors=_execution, dated=True, claims=True))
register(
    Kind(scenarios.CleanCoalSupply, _clean_coal, line="substitution", factors=_execution, dated=True, read=_inspected)
)
register(Kind(scenarios.Efficiency, _efficiency, line="efficiency", factors=_execution, dated=True))
register(
    Kind(
        scenarios.ActivityGrowth,
        _growth,
        line="growth",
        factors=lambda block: {"growth_percent": block.percent},
    )
)
register(
    Kind(
        scenarios.DegreeDays,
        _weather,
        line="weather",
        factors=lambda block: {"degree_day_percent": block.percent},
        winter=lambda block: 1.0 + mean(block.percent) / 100.0,
    )
)
