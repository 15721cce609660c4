"""Measures: pure functions ``inventory -> (inventory, ledger rows)``; each acts on what the ones before leave.

A measure never edits an emission: it adds rows to ``Inventory.scaling`` (source, pollutant, factor, window),
new sources where a fuel takes another's place, and moves the coal ledger by the same tonnes.  The ledger rows
say what it removed from what was left, so that the rows of all measures add up.
"""

from airsim.measures.cuts import cut, find_enterprise, limit, stop
from airsim.measures.households import ROUTES, coal_substitution
from airsim.measures.ledger import COAL_FUELS, IMPORTED, LEDGER
from airsim.measures.lists import LIST_POLLUTANTS, emergency

__all__ = [
    "COAL_FUELS",
    "IMPORTED",
    "LEDGER",
    "LIST_POLLUTANTS",
    "ROUTES",
    "coal_substitution",
    "cut",
    "emergency",
    "find_enterprise",
    "limit",
    "stop",
]
