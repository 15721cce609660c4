"""From the file of a list to the verdict: read, checked, counted at every level, and what would close the gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from airsim import shipped
from airsim.emergency import alerts, all_society, checks, counting, fixing, plans, reading, reduction_list, wording
from airsim.errors import InputError, Problem

if TYPE_CHECKING:
    import xarray as xr

    from airsim.inventory import Inventory
    from airsim.rules import Rule


@dataclass(frozen=True)
class VerdictRequest:
    """What a verdict is asked about; the files as the user named them.

    Attributes
    ----------
    list_file : path or None
        Reduction list; None asks for the forecast's alerts alone.
    level : str
        yellow, orange, red (黄, 橙, 红); empty: the highest that the forecast calls for under the plan.
    enterprises, area_sources : path or None
        Inventory tables; the shipped ones if None.
    plan : str
        Dated plan, or a plan file.
    mapping : path or None
        Mapping file of the list's headers.
    areas : mapping
        Statistical unit -> "with" or "apart".
    base : path or None
        All-society emissions by statistical unit, in place of the inventory's.
    forecast : Path, Dataset or None
        Forecast of concentrations or AQI.
    fix : path or None
        Where to write the cleaned copy, which is then counted.
    grades : str or None
        Version of the grade rules.
    """

    list_file: Path | None
    level: str = ""
    enterprises: Path | None = None
    area_sources: Path | None = None
    plan: str = "2019"
    mapping: Path | None = None
    areas: Mapping[str, str] | None = None
    base: Path | None = None
    forecast: Path | xr.Dataset | None = None
    fix: Path | None = None
    grades: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What came of it.

    Attributes
    ----------
    level : str
        The level asked about.
    plan : Rule
    list_ : EmergencyList or None
        As counted: as read, or the cleaned copy.
    tables : mapping
        Level -> `counting.compliance`.
    cuts : mapping
        Level -> `counting.cuts`.
    findings : tuple of Finding
        On the list as it was given.
    closing : DataFrame
        `counting.closing` at the level.
    calls : DataFrame or None
        `alerts.calls` of the forecast.
    changes : DataFrame or None
        Log of the cleaned copy.
    """

    level: str
    plan: Rule
    list_: reduction_list.EmergencyList | None
    tables: Mapping[str, pd.DataFrame]
    cuts: Mapping[str, pd.DataFrame]
    findings: tuple[checks.Finding, ...]
    closing: pd.DataFrame
    calls: pd.DataFrame | None
    changes: pd.DataFrame | None


def pronounce(asked: VerdictRequest, day_factor: Mapping[str, float] | None = None) -> Verdict:
    """Read, check and count a list.

    Parameters
    ----------
    asked : VerdictRequest
    day_factor : mapping, optional
        See `counting.compliance`.

    Raises
    ------
    InputError
        Whatever is wrong with list, tables, mapping, forecast, level or plan; with `fix`, after the cleaned copy has
        been written.
    """
    plan = plans.plan_rule(asked.plan)
    level = wording.level_of(asked.level) or asked.level
    calls = None
    if asked.forecast is not None:
        forecast = asked.forecast
        running = alerts.read_forecast(forecast) if isinstance(forecast, Path) else alerts.forecast_of(forecast)
        versions = list(dict.fromkeys([*alerts.PLANS, asked.plan]))
        calls = alerts.calls(running, plans=versions)
        level = level or _highest(calls[calls["plan"] == plan.version]["level"])
    if asked.list_file is None or (not level and calls is not None):
        if calls is None:
            raise InputError([Problem("", "", "LIST", "", "name a list or a forecast", "须给出清单或预报文件")])
        return Verdict("", plan, None, {}, {}, (), pd.DataFrame(), calls, None)
    counting.check_level(str(asked.list_file), level)
    counting.area_switch(asked.areas)
    place, base = _inventory(asked)
    list_ = reading.examine(asked.list_file, asked.mapping)
    changes = None
    findings = checks.check(list_, base, place, plan=plan, grades=asked.grades)
    if asked.fix is not None:
        changes = fixing.fix(list_, findings, asked.fix, inventory=base, geography=place)
        unreadable = [f.problem for f in findings if f.check == "unreadable"]
        if unreadable:
            raise InputError(unreadable)
        list_ = reading.read(asked.fix)
    elif list_.errors:
        raise InputError(list_.errors)
    society = all_society.read_base(asked.base) if asked.base is not None else None
    tables = {
        lv: counting.compliance(list_, base, lv, plan=plan, day_factor=day_factor, areas=asked.areas, base=society)
        for lv in wording.LEVELS
    }
    return Verdict(
        level,
        plan,
        list_,
        tables,
        {lv: counting.cuts(list_, lv, plan=plan) for lv in wording.LEVELS},
        findings,
        counting.closing(list_, tables[level], plan=plan, areas=asked.areas),
        calls,
        changes,
    )


def _highest(levels: pd.Series) -> str:
    named = [lv for lv in wording.LEVELS if (levels == lv).any()]
    return named[-1] if named else ""


def _inventory(asked: VerdictRequest) -> tuple[Any, Inventory]:
    from airsim import geography, inventory

    place = geography.load(geography.make_grid())
    read = inventory.read(
        asked.enterprises or shipped.path("data/emissions/enterprises.csv"),
        asked.area_sources or shipped.path("data/emissions/area_sources.csv"),
        None,
        place,
    )
    return place, read
