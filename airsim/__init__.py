"""airsim: air-pollution joint control and coal cap on the Guanzhong Plain (关中平原大气污染联防联控与控煤).

>>> import airsim
>>> scenario = airsim.load("configs/guanzhong-january.yaml")  # doctest: +SKIP
>>> result = airsim.run(scenario)  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from airsim.errors import InputError, Problem

__version__ = "0.1.0"
__all__ = ["InputError", "Problem", "__version__", "load", "run"]

if TYPE_CHECKING:
    from airsim.scenario import load
    from airsim.simulation import run

_LAZY = {"load": "airsim.scenario", "run": "airsim.simulation", "coal_balance": "airsim.case"}
_MODULES = {
    "plume",
    "region",
    "coal",
    "emergency",
    "meteorology",
    "inventory",
    "geography",
    "output",
    "assess",
}


def __getattr__(name: str) -> Any:
    # numba, xarray and pandas take most of a second: they are imported when first needed
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"airsim.{name}")
    raise AttributeError(f"module 'airsim' has no attribute '{name}'")
