"""A scenario's coal cap: its growth and measures as lines of one balance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from airsim import scenario as scenarios
from airsim.case import Stages
from airsim.coal import accounts, benefit, decomposition, inspection, limits, plan, uncertainty
from airsim.coal.accounts import COLUMNS, balance_of, growth_lines, lines_of
from airsim.errors import InputError, Problem
from airsim.geography import CITIES
from airsim.inventory import Inventory
from airsim.scenario import Coal, Scenario, mean


def balance(scenario: Scenario) -> xr.Dataset:
    """Coal balance of a scenario, without any dispersion.

    Parameters
    ----------
    scenario : Scenario
        From `airsim.load`, with a ``coal`` block; its permanent measures become lines of the balance.

    Returns
    -------
    Dataset
        See `balance_of`.

    Raises
    ------
    InputError
        Whatever is wrong with the scenario's tables, measures or coal block.
    """
    found: xr.Dataset = scenario.case().coal
    return found


def asked_of(scenario: Scenario) -> tuple[Coal, list[str]]:
    """Return the scenario's ``coal`` block and the cities of its cap.

    Raises
    ------
    InputError
        There is no such block or no ledger.
    """
    asked = scenario.coal
    if asked is None or scenario.inputs.coal_ledger is None:
        key = "coal" if asked is None else "inputs.coal_ledger"
        raise InputError([Problem(scenario.file, "", key, "", "the coal balance needs this key", "煤炭平衡需要该键")])
    return asked, list(asked.cities or [c.id for c in CITIES if c.guanzhong])


def cap_of(scenario: Scenario, base: Inventory, stages: Stages) -> xr.Dataset:
    """Return the coal balance of the scenario's ``coal`` block.

    Raises
    ------
    InputError
        There is no such block or no ledger, or a year or city is not in it.
    """
    out = point_of(scenario, base, stages)
    signed = accounts.lines(scenario, base, stages)
    out = benefit.add(out, scenario, stages)
    out = limits.add(out, scenario)
    out = accounts.with_counties(out, signed)
    out = uncertainty.add(out, scenario, signed)
    out = decomposition.add(out, scenario, base.coal)
    return inspection.add(out, scenario, base)


def point_of(scenario: Scenario, base: Inventory, stages: Stages) -> xr.Dataset:
    """Return the point balance alone: no limits, co-benefits, probability or decomposition.

    Raises
    ------
    InputError
        As `cap_of`.
    """
    asked, cities = asked_of(scenario)
    return balance_of(
        base.coal,
        table_of(scenario, base, stages),
        asked.base_year,
        asked.target_year,
        asked.rules,
        pledges=pledges_of(scenario),
        cities=cities,
        scope=asked.scope,
    )


def table_of(scenario: Scenario, base: Inventory, stages: Stages) -> pd.DataFrame:
    """Return growth and measures as lines of the balance, with the optional columns of `balance_of`."""
    asked, cities = asked_of(scenario)
    lines = [
        growth_lines(
            base.coal,
            asked.base_year,
            mean(g.percent),
            cities=[c for c in cities if g.cities is None or c in g.cities],
            sectors=g.sectors,
            name=f"growth {i}",
        )
        for i, g in enumerate(asked.growth, start=1)
    ]
    if stages.rows:
        lines.append(lines_of(pd.concat(stages.rows, ignore_index=True)))
    table = pd.concat(lines, ignore_index=True) if lines else pd.DataFrame(columns=list(COLUMNS))
    of = [scenario.measures[stages.numbers[n]] if n in stages.numbers else None for n in table["name"]]
    table["unit"] = [m.enterprise if isinstance(m, scenarios.Retire) and m.enterprise else "" for m in of]
    table["ratio"] = np.array([getattr(m, "ratio", None) for m in of], dtype=np.float64)
    table["full"] = np.array(
        [m.tonnes if isinstance(m, scenarios.NewProject) else np.nan for m in of], dtype=np.float64
    )
    table["year"] = np.array([getattr(m, "year", None) for m in of], dtype=np.float64)
    return table


def pledges_of(scenario: Scenario) -> pd.DataFrame:
    """Return the offsets that new projects claim, tonne by tonne: project, reduction, tonnes [t].

    Raises
    ------
    InputError
        A claim on a measure that the scenario does not have, or that is done only after the target year.
    """
    called = plan.labels(scenario)
    rows, problems = [], []
    for number, m in enumerate(scenario.measures):
        if not isinstance(m, scenarios.NewProject) or not plan.in_force(scenario, m):
            continue
        for offset in m.offsets:
            position = int(offset.reduction) - 1 if offset.reduction.isdecimal() else -1
            name = called[position] if 0 <= position < len(called) else offset.reduction
            at = (scenario.file, scenario.line("measures", number), "offsets", f"{m.name} <- {name}")
            if name not in called:
                listed = ", ".join(called)
                said, said_zh = f"no such measure; there are {listed}", f"没有该措施；现有：{listed}"
                problems.append(Problem(*at, said, said_zh))
                continue
            source = scenario.measures[called.index(name)]
            if not plan.in_force(scenario, source):
                year, target = getattr(source, "year", None), scenario.coal.target_year if scenario.coal else None
                said = (
                    f"'{name}' saves its coal only from {year}, after {target}: it can't be pledged to '{m.name}' yet"
                )
                said_zh = f"“{name}”至 {year} 年才实现（目标年 {target}），尚未形成的减煤量不得用于“{m.name}”"
                problems.append(Problem(*at, said, said_zh))
                continue
            rows.append({"project": m.name, "reduction": name, "tonnes": offset.tonnes})
    if problems:
        raise InputError(problems)
    return pd.DataFrame(rows, columns=["project", "reduction", "tonnes"])
