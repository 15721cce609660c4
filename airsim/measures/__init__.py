"""Measures: pure functions ``inventory -> (inventory, ledger rows)``; each acts on what the ones before leave.

A measure never edits an emission: it adds rows to ``Inventory.scaling`` (source, pollutant, factor, window),
new sources where a fuel takes another's place, and moves the coal ledger by the same tonnes.  The ledger rows
say what it removed from what was left, so that the rows of all measures add up.  What each kind of measure is,
stands in `airsim.measures.registry`.
"""

from airsim.measures.coal import clean_coal_supply, efficiency, growth, new_project, retire, weather
from airsim.measures.cuts import cut, find_enterprise, limit, stop
from airsim.measures.ledger import COAL_FUELS, IMPORTED, LEDGER
from airsim.measures.substitution import ROUTES, boiler_substitution, coal_substitution

__all__ = [
    "COAL_FUELS",
    "IMPORTED",
    "LEDGER",
    "ROUTES",
    "boiler_substitution",
    "clean_coal_supply",
    "coal_substitution",
    "cut",
    "efficiency",
    "find_enterprise",
    "growth",
    "limit",
    "new_project",
    "retire",
    "stop",
    "weather",
]
