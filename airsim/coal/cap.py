"""A scenario's coal cap: its growth and measures as lines of one balance."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from airsim import case
from airsim.case import Stages
from airsim.coal.accounts import balance_of, growth_lines, lines_of
from airsim.errors import InputError, Problem
from airsim.geography import CITIES
from airsim.inventory import Inventory
from airsim.scenario import Scenario


def balance(scenario: Scenario) -> xr.Dataset:
    """Coal balance of a scenario, without any dispersion.

    Parameters
    ----------
    scenario : Scenario
        With a ``coal`` block; its permanent measures become lines of the balance.

    Returns
    -------
    Dataset
        See `balance_of`.

    Raises
    ------
    InputError
        Whatever is wrong with the scenario's tables, measures or coal block.
    """
    place = case.place(scenario)
    base = case.inventory(scenario, place)
    return cap_of(scenario, base, case.measured(scenario, base))


def cap_of(scenario: Scenario, base: Inventory, stages: Stages) -> xr.Dataset:
    """Return the coal balance of the scenario's ``coal`` block.

    Raises
    ------
    InputError
        There is no such block or no ledger, or a year or city is not in it.
    """
    asked = scenario.coal
    if asked is None or scenario.inputs.coal_ledger is None:
        key = "coal" if asked is None else "inputs.coal_ledger"
        raise InputError([Problem(scenario.file, "", key, "", "the coal balance needs this key", "煤炭平衡需要该键")])
    cities = list(asked.cities or [c.id for c in CITIES if c.guanzhong])
    lines = [
        growth_lines(
            base.coal,
            asked.base_year,
            g.percent,
            cities=[c for c in cities if g.cities is None or c in g.cities],
            sectors=g.sectors,
            name=f"growth {i}",
        )
        for i, g in enumerate(asked.growth, start=1)
    ]
    if stages.rows:
        lines.append(lines_of(pd.concat(stages.rows, ignore_index=True)))
    table = pd.concat(lines, ignore_index=True) if lines else pd.DataFrame()
    return balance_of(base.coal, table, asked.base_year, asked.target_year, asked.rules, cities=cities)
