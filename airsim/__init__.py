"""airsim: air-pollution joint control and coal cap on the Guanzhong Plain (关中平原大气污染联防联控与控煤).

>>> import airsim
>>> scenario = airsim.load("configs/guanzhong-january.yaml")  # doctest: +SKIP
>>> result = airsim.run(scenario)  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from airsim.cache import folder as _cache
from airsim.errors import InputError, Problem
from airsim.version import __version__

_cache.tell_numba()

__all__ = ["InputError", "Problem", "__version__", "load", "run", "transport"]

if TYPE_CHECKING:
    from pathlib import Path

    from airsim.case import Case, transport
    from airsim.scenario import Scenario
    from airsim.simulation import run

_LAZY = {"run": "airsim.simulation", "transport": "airsim.case"}
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


def load(path: str | Path) -> Scenario:
    """Read and check a scenario file.

    Parameters
    ----------
    path : path
        YAML 1.2, UTF-8.

    Raises
    ------
    InputError
        Everything that is wrong with the file and the paths in it, each with its line.
    """
    from airsim.scenario import load as read

    scenario = read(path)
    scenario.made_by(_case_of)
    return scenario


def _case_of(scenario: Scenario) -> Case:
    from airsim.case import Case

    return Case(scenario)


def __getattr__(name: str) -> Any:
    # numba, xarray and pandas take most of a second: they are imported when first needed
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"airsim.{name}")
    raise AttributeError(f"module 'airsim' has no attribute '{name}'")
