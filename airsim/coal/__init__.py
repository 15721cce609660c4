"""The coal cap: ledger, balance from base to target year, test of negative growth."""

from airsim.coal.accounts import LINES, balance_of, growth_lines, lines_of
from airsim.coal.cap import balance, cap_of
from airsim.coal.ledger import Scope, coal_rule, scope_of, standard_coal, year_of

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
