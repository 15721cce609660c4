"""Emergency reduction lists: reading, checking, counting shares, alert levels."""

from airsim.emergency.alerts import called_level, calls, read_forecast, strictest
from airsim.emergency.all_society import all_society_base, read_base
from airsim.emergency.checks import CHECKS, Finding, check
from airsim.emergency.counting import closing, compliance, cuts
from airsim.emergency.fixing import fix
from airsim.emergency.plans import plan_rule
from airsim.emergency.reading import examine, read
from airsim.emergency.reduction_list import EmergencyList
from airsim.emergency.wording import AREAS, CATEGORIES, KINDS, LEVELS, POLLUTANTS

__all__ = [
    "AREAS",
    "CATEGORIES",
    "CHECKS",
    "KINDS",
    "LEVELS",
    "POLLUTANTS",
    "EmergencyList",
    "Finding",
    "all_society_base",
    "called_level",
    "calls",
    "check",
    "closing",
    "compliance",
    "cuts",
    "examine",
    "fix",
    "plan_rule",
    "read",
    "read_base",
    "read_forecast",
    "strictest",
]
