"""The coal measures of a scenario: what each is called, whether it is in force, and carrying it out."""

from __future__ import annotations

import csv
from functools import cache
from typing import TYPE_CHECKING, Any

from airsim import measures, shipped
from airsim import scenario as scenarios
from airsim.errors import InputError, Problem
from airsim.scenario import Scenario, mean
from airsim.tables import normalise

if TYPE_CHECKING:
    import pandas as pd

    from airsim.inventory import Inventory


def labels(scenario: Scenario) -> list[str]:
    """Return what every measure of the scenario is called: its name, else its number and kind.

    Raises
    ------
    InputError
        Two measures bear one name.
    """
    found: list[str] = []
    problems = []
    for i, m in enumerate(scenario.measures):
        label = getattr(m, "name", None) or f"{i + 1}-{m.type}"
        if label in found:
            said = f"measure {found.index(label) + 1} has this name already"
            said_zh = f"第 {found.index(label) + 1} 项措施已用此名称"
            problems.append(Problem(scenario.file, scenario.line("measures", i), "name", label, said, said_zh))
        found.append(label)
    if problems:
        raise InputError(problems)
    return found


def in_force(scenario: Scenario, measure: Any) -> bool:
    """Return whether a measure is done by the target year; without a coal block all are."""
    year = getattr(measure, "year", None)
    return scenario.coal is None or year is None or year <= scenario.coal.target_year


def carry_out(
    inventory: Inventory, scenario: Scenario, number: int, label: str, share: float = 1.0, route: str | None = None
) -> tuple[Inventory, pd.DataFrame]:
    """Carry out a coal measure of a scenario.

    Parameters
    ----------
    inventory : Inventory
    scenario : Scenario
    number : int
        Position in ``scenario.measures``, from 0.
    label : str
        What its ledger rows are called.
    share : float
        Part of a substitution that happens [1] (see `airsim.coal.limits`).
    route : str, optional
        Route in place of the measure's own.

    Returns
    -------
    (Inventory, DataFrame)

    Raises
    ------
    InputError
        Whatever the measure complains of; a year that is already in the base year.
    """
    m: Any = scenario.measures[number]
    at = (scenario.file, scenario.line("measures", number))
    base = scenario.coal.base_year if scenario.coal else None
    done = getattr(m, "year", None)
    if base is not None and done is not None and done <= base:
        said = f"is in the statistics of the base year {base} already; a later year is needed"
        raise InputError([Problem(*at, "year", str(done), said, f"已计入基准年 {base} 的统计，年份须晚于基准年")])
    common: dict[str, Any] = {"year": base, "measure": label, "at": at}
    if getattr(m, "county", None):
        common["county"] = county_code(m.city, m.county, at)
    if isinstance(m, scenarios.CoalSubstitution):
        common |= {"reburn": mean(m.reburn), "power_city": m.power_city}
        route = route or m.route
        rate = mean(m.execution_rate)
        if m.households is not None:
            return measures.coal_substitution(
                inventory,
                m.city,
                m.households * share,
                mean(m.tonnes_per_household),
                route,
                rate,
                sector=m.sector or "residential",
                **common,
            )
        return measures.boiler_substitution(
            inventory,
            m.city,
            float(m.boiler_capacity or 0.0) * share,
            route,
            rate,
            hours=m.full_load_hours,
            sector=m.sector or "small_industry",
            **common,
        )
    if isinstance(m, scenarios.Retire):
        return measures.retire(
            inventory,
            enterprise=m.enterprise,
            city=m.city,
            sector=m.sector,
            fuel=m.fuel,
            tonnes=m.tonnes,
            boiler_capacity=m.boiler_capacity,
            hours=m.full_load_hours,
            execution_rate=mean(m.execution_rate),
            **common,
        )
    if isinstance(m, scenarios.NewProject):
        return measures.new_project(
            inventory,
            m.name,
            m.city,
            m.sector,
            m.tonnes,
            m.fuel,
            execution_rate=mean(m.execution_rate),
            emission_factors={str(p): v for p, v in (m.emission_factors or {}).items()},
            **common,
        )
    if isinstance(m, scenarios.CleanCoalSupply):
        sampled = _inspected(scenario, m)
        return measures.clean_coal_supply(
            inventory,
            m.city,
            m.tonnes,
            m.fuel,
            execution_rate=mean(m.execution_rate),
            failing_share=m.failing_share,
            against_passing=sampled,
            **common,
        )
    if isinstance(m, scenarios.Efficiency):
        return measures.efficiency(
            inventory, m.sectors, m.percent, cities=m.cities, execution_rate=mean(m.execution_rate), **common
        )
    if isinstance(m, scenarios.ActivityGrowth):
        return measures.growth(inventory, m.sectors, mean(m.percent), cities=m.cities, **common)
    assert isinstance(m, scenarios.DegreeDays)
    return measures.weather(inventory, mean(m.percent), sectors=m.sectors, cities=m.cities, **common)


def _inspected(scenario: Scenario, measure: scenarios.CleanCoalSupply) -> dict[str, float] | None:
    """Return the emission of the clean coal as sampled over that of passing coal, None without an inspection."""
    file = measure.inspection
    if file is None and measure.failing_share == 0 and scenario.coal is not None:
        file = scenario.coal.inspection
    if file is None:
        return None
    from airsim.coal import inspection

    found = inspection.supply(scenario.resolve(file), measure.city)
    fine = dict.fromkeys(("PM10", "PM25", "BC", "OC"), found.pm25_ratio)
    return {"SO2": found.so2_ratio, **fine}


def county_code(city: str, county: str, at: tuple[str, str] = ("", "")) -> str:
    """Return the six-digit code of a county given by name or code.

    Raises
    ------
    InputError
        It is no county of the city.
    """
    known = _counties()
    found = known.get((city, normalise(county)))
    if found is None:
        names = ", ".join(dict.fromkeys(w for (c, w), code in known.items() if c == city and w != code))
        raise InputError([Problem(*at, "county", county, f"must be one of {names}", f"须为以下之一：{names}")])
    return found


@cache
def _counties() -> dict[tuple[str, str], str]:
    with shipped.path("data/geography/counties.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(r["city"], normalise(w)): r["adcode"] for r in rows for w in (r["adcode"], r["name_zh"])}


@cache
def county_names() -> dict[str, str]:
    """Return county code -> Chinese name."""
    with shipped.path("data/geography/counties.csv").open(encoding="utf-8-sig", newline="") as file:
        return {r["adcode"]: r["name_zh"] for r in csv.DictReader(file)}
