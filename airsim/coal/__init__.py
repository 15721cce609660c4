"""The coal cap: ledger, balance from base to target year, test of negative growth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airsim.coal.accounts import LINES, growth_lines, lines_of
from airsim.coal.cap import balance_of, cap_of
from airsim.coal.ledger import Scope, coal_rule, scope_of, standard_coal, year_of

if TYPE_CHECKING:
    import xarray as xr

    from airsim.scenario import Scenario

__all__ = [
    "LINES",
    "Scope",
    "balance",
    "balance_of",
    "cap_of",
    "coal_rule",
    "growth_lines",
    "lines_of",
    "scope_of",
    "standard_coal",
    "year_of",
]


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
    # this room knows no scenario's files; a loaded scenario knows who makes what it names
    found: xr.Dataset = scenario.case().coal
    return found
