"""Emergency reduction lists: reading, counting shares, alert levels."""

from airsim.emergency.alerts import called_level, strictest
from airsim.emergency.counting import all_society_base, compliance, cuts, plan_rule
from airsim.emergency.reading import CATEGORIES, KINDS, LEVELS, POLLUTANTS, EmergencyList, read

__all__ = [
    "CATEGORIES",
    "KINDS",
    "LEVELS",
    "POLLUTANTS",
    "EmergencyList",
    "all_society_base",
    "called_level",
    "compliance",
    "cuts",
    "plan_rule",
    "read",
    "strictest",
]
