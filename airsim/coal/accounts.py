"""The coal balance: base year plus named lines gives the target year, each tonne pledged once.

consumption(target) = consumption(base) + growth + new projects
                      - offsets - substitution - retirement - efficiency
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim.coal.ledger import KEY, check, coal_rule, heating_value, scope_of, year_of
from airsim.errors import InputError, Problem
from airsim.measures import IMPORTED
from airsim.rules import Rule

#: Lines of the balance; those in `REDUCTIONS` lower the consumption and enter it with a minus sign.
LINES = ("base", "growth", "new_projects", "offsets", "substitution", "retirement", "efficiency", "target")
ADDITIONS = ("growth", "new_projects")
REDUCTIONS = ("substitution", "retirement", "efficiency")
#: Kind of a measure's ledger row -> line of the balance.
LINE_OF_KIND = {
    "coal_substitution": "substitution",
    "stop": "retirement",
    "limit": "retirement",
    "cut": "efficiency",
}
COLUMNS = ("name", "line", "city", "sector", "fuel", "tonnes")


def lines_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Turn the ledger rows of permanent measures into lines of the coal balance.

    Parameters
    ----------
    rows : DataFrame
        Ledger rows of `airsim.measures`.  Passing measures (windows) leave the year's coal and are skipped.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; `tonnes` [t a-1] is positive for what is saved, negative for coal that the measure
        makes burn elsewhere.
    """
    from airsim.inventory import POLLUTANTS

    coal = rows[~rows["pollutant"].isin(POLLUTANTS) & (rows["unit"] == "t a-1")]
    table = pd.DataFrame(
        {
            "name": coal["measure"],
            "line": coal["kind"].map(LINE_OF_KIND),
            "city": coal["city"],
            "sector": coal["sector"],
            "fuel": coal["pollutant"],
            "tonnes": coal["removed"].astype(np.float64),
        }
    )
    summed = table.groupby(["name", "line", *KEY], sort=False)["tonnes"].sum().reset_index()
    return summed[list(COLUMNS)]


def growth_lines(
    ledger: pd.DataFrame,
    base_year: int,
    percent: float,
    *,
    cities: Iterable[str] | None = None,
    sectors: Iterable[str] | None = None,
    name: str = "growth",
) -> pd.DataFrame:
    """Make the growth lines of a percentage on the base year's coal.

    Parameters
    ----------
    ledger : DataFrame
        The coal ledger.
    base_year : int
    percent : float
        Change from base to target year [%].
    cities, sectors : iterable of str, optional
        Where it holds; all if left out.
    name : str
        Name of the line.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`.
    """
    base = year_of(ledger, base_year, cities)
    if sectors is not None:
        base = base[base["sector"].isin(list(sectors))]
    table = base[KEY].assign(name=name, line="growth", tonnes=base["consumption"] * percent / 100.0)
    return table[list(COLUMNS)].reset_index(drop=True)


def balance_of(
    ledger: pd.DataFrame,
    measures: pd.DataFrame,
    base_year: int,
    target_year: int,
    rules: Rule | str | dt.date | None = None,
    *,
    pledges: pd.DataFrame | None = None,
    cities: Iterable[str] | None = None,
) -> xr.Dataset:
    """Coal balance from base to target year, and the test of negative growth.

    Parameters
    ----------
    ledger : DataFrame
        Columns year, city, sector, fuel, consumption [t], heating_value [kJ kg-1 or NaN]: the statistics,
        before any measure.
    measures : DataFrame
        Lines between the years: name, line (growth, new_projects, substitution, retirement, efficiency), city,
        sector, fuel, tonnes [t]: added by growth and new projects, saved by the others (a substitution may
        hold negative tonnes: coal that burns elsewhere instead).  An optional column `unit` names the boiler or
        plant that a reduction closes.
    base_year, target_year : int
    rules : Rule, str or date, optional
        Coal accounting rule: version "2018", "2021", "2023", a day, or the newest.
    pledges : DataFrame, optional
        Offsets of new projects, tonne by tonne: project, reduction (both names in `measures`), tonnes [t].
        Pledged tonnes are shown as offsets and no longer under their own line.
    cities : iterable of str, optional
        Cities of the cap; all of the ledger if left out.

    Returns
    -------
    Dataset
        consumption, consumption_tce (line, city, sector) [t], the assessed coal of the rule; lines that lower it
        are negative and line "target" is the sum of the others; consumption_by_fuel (line, city, sector, fuel)
        [t], all fuels; ledger (year, city, sector, fuel) [t]; growth (city), growth_total [1]; pass (city),
        pass_total (1 yes, 0 no, -1 not assessed: no coal in the base year); offset_required, offset_pledged
        (project) [t] where there are new projects.

    Raises
    ------
    InputError
        Unknown line, city, fuel or year; a tonne pledged twice (both pledges are named), beyond its source's
        consumption or in a fuel that is no substitute; negative tonnes where none can be.
    """
    rule = coal_rule(rules)
    scope = scope_of(rule)
    wanted = _in_order(ledger["city"].unique() if cities is None else list(cities))
    ledger = ledger[ledger["city"].isin(wanted)]
    problems = check(ledger)
    if problems:
        raise InputError(problems)
    base = year_of(ledger, base_year)
    lines = measures[list(COLUMNS)].copy() if len(measures) else pd.DataFrame(columns=list(COLUMNS))
    lines["unit"] = measures.get("unit", "")
    imported = lines[lines["city"] == IMPORTED]
    lines = lines[lines["city"] != IMPORTED].reset_index(drop=True)
    if cities is not None:
        lines = lines[lines["city"].isin(wanted)].reset_index(drop=True)
    lines["tonnes"] = lines["tonnes"].astype(np.float64)
    pledged = pledges if pledges is not None else pd.DataFrame(columns=["project", "reduction", "tonnes"])
    pledged = pledged.astype({"tonnes": np.float64})
    problems = [*_check_lines(lines, set(wanted), base), *_check_pledges(lines, pledged, rule)]
    if problems:
        raise InputError(problems)

    fuels = list(dict.fromkeys([*scope.counted, *base["fuel"], *lines["fuel"], *ledger["fuel"]]))
    sectors = list(dict.fromkeys([*base["sector"], *lines["sector"], *ledger["sector"]]))
    amount = xr.DataArray(
        np.zeros((len(LINES), len(wanted), len(sectors), len(fuels))),
        coords={"line": list(LINES), "city": wanted, "sector": sectors, "fuel": fuels},
        dims=("line", "city", "sector", "fuel"),
    )
    heat = amount.isel(line=0, drop=True).copy()
    heat[:] = [heating_value(f, base_year) for f in fuels]
    row: Any
    for row in base.itertuples():
        at = {"city": row.city, "sector": row.sector, "fuel": row.fuel}
        amount.loc[{"line": "base", **at}] = row.consumption
        if np.isfinite(row.heating_value):
            heat.loc[at] = row.heating_value
    offset_share = _offset_share(lines, pledged)
    for i, row in enumerate(lines.itertuples()):
        at = {"city": row.city, "sector": row.sector, "fuel": row.fuel}
        sign = 1.0 if row.line in ADDITIONS else -1.0
        amount.loc[{"line": row.line, **at}] += sign * row.tonnes * (1.0 - offset_share[i])
        amount.loc[{"line": "offsets", **at}] += sign * row.tonnes * offset_share[i]
    amount.loc[{"line": "target"}] = amount.isel(line=slice(0, -1)).sum("line", skipna=False)

    assessed = amount.sel(fuel=[f for f in scope.assessed if f in fuels])
    energy = assessed * heat.sel(fuel=assessed["fuel"]) / 29307.6
    out = xr.Dataset(
        {
            "consumption": assessed.sum("fuel").assign_attrs(units="t"),
            "consumption_tce": energy.sum("fuel").assign_attrs(units="t"),
            "consumption_by_fuel": amount.assign_attrs(units="t"),
            "ledger": _history(ledger, wanted, sectors, fuels),
        }
    )
    by_city = out["consumption"].sum("sector")
    limit = float(rule["target"]["growth_below"])
    growth = (
        by_city.sel(line="target", drop=True)
        / by_city.sel(line="base", drop=True).where(by_city.sel(line="base", drop=True) > 0)
        - 1.0
    )
    whole = by_city.sum("city")
    total = float(whole.sel(line="target") / whole.sel(line="base") - 1.0)
    out["growth"] = growth.assign_attrs(units="1")
    out["growth_total"] = ((), total, {"units": "1"})
    out["pass"] = xr.where(growth.isnull(), -1, growth < limit).astype(np.int8)
    out["pass_total"] = ((), np.int8(total < limit))
    projects = lines[lines["line"] == "new_projects"].groupby("name", sort=False)["tonnes"].sum()
    if len(projects):
        given = pledged.groupby("project")["tonnes"].sum().reindex(projects.index, fill_value=0.0)
        ratio = float(rule["offset_ratio"]["default"])
        out["offset_required"] = ("project", projects.to_numpy() * ratio, {"units": "t"})
        out["offset_pledged"] = ("project", given.to_numpy(np.float64), {"units": "t"})
        out = out.assign_coords(project=list(projects.index))
    non_power = out["consumption"].sel(sector=[s for s in sectors if s != "power"]).sum(("city", "sector"))
    base_non_power = float(non_power.sel(line="base"))
    out.attrs = {
        "base_year": base_year,
        "target_year": target_year,
        "rule": rule.version,
        "rule_title_en": rule.title_en,
        "rule_title_zh": rule.title_zh,
        "rule_status": rule.weakest_status(),
        "rule_source": rule.source,
        "rule_digest": rule.digest,
        "scope": scope.text,
        "scope_zh": scope.text_zh,
        "growth_non_power": float(non_power.sel(line="target")) / base_non_power - 1.0 if base_non_power else np.nan,
        "induced_outside_t": float(-imported["tonnes"].sum()),
    }
    return out


def _in_order(cities: Iterable[str]) -> list[str]:
    from airsim.geography import CITIES

    present = set(cities)
    known = [c.id for c in CITIES if c.id in present]
    return known + sorted(present - set(known))


def _history(ledger: pd.DataFrame, cities: list[str], sectors: list[str], fuels: list[str]) -> xr.DataArray:
    years = sorted(int(y) for y in ledger["year"].unique())
    index = pd.MultiIndex.from_product([years, cities, sectors, fuels], names=["year", *KEY])
    summed = ledger.groupby(["year", *KEY])["consumption"].sum().reindex(index, fill_value=0.0)
    shape = (len(years), len(cities), len(sectors), len(fuels))
    return xr.DataArray(
        summed.to_numpy(np.float64).reshape(shape),
        coords={"year": years, "city": cities, "sector": sectors, "fuel": fuels},
        dims=("year", "city", "sector", "fuel"),
        attrs={"units": "t"},
    )


def _problem(key: str, value: object, said: str, said_zh: str) -> Problem:
    return Problem("coal balance", "", key, str(value), said, said_zh)


def _check_lines(lines: pd.DataFrame, cities: set[str], base: pd.DataFrame) -> list[Problem]:
    problems = []
    allowed = (*ADDITIONS, *REDUCTIONS)
    row: Any
    for row in lines.itertuples():
        if row.line not in allowed:
            listed = ", ".join(allowed)
            problems.append(
                _problem(row.name, row.line, f"line must be one of {listed}", f"平衡项须为以下之一：{listed}")
            )
        if row.city not in cities:
            problems.append(_problem(row.name, row.city, "city is not in the ledger", "台账中没有该城市"))
        signed = row.line in {"growth", "substitution"}
        if not np.isfinite(row.tonnes) or (row.tonnes < 0 and not signed):
            problems.append(_problem(row.name, row.tonnes, "tonnes must be 0 or above", "吨数须不小于 0"))
    if problems:
        return problems
    return [*_units_twice(lines), *_beyond_source(lines, base)]


def _units_twice(lines: pd.DataFrame) -> list[Problem]:
    """Find a boiler or plant that two measures close."""
    first: dict[str, str] = {}
    problems = []
    row: Any
    for row in lines[(lines["unit"] != "") & lines["line"].isin(REDUCTIONS)].itertuples():
        other = first.setdefault(row.unit, row.name)
        if other != row.name:
            problems.append(
                _problem(
                    row.unit,
                    f"{row.tonnes:.0f} t",
                    f"pledged by both '{other}' and '{row.name}'; each tonne counts once",
                    f"“{other}”与“{row.name}”重复计算，每吨煤只能计一次",
                )
            )
    return problems


def _beyond_source(lines: pd.DataFrame, base: pd.DataFrame) -> list[Problem]:
    """Find city, sector and fuel whose reductions together exceed what burns there: a tonne is pledged twice."""
    pool = base.set_index(KEY)["consumption"]
    added = lines[lines["line"].isin(ADDITIONS)].groupby(KEY)["tonnes"].sum()
    saved = lines[lines["line"].isin(REDUCTIONS)]
    problems = []
    for key, rows in saved.groupby(KEY):
        there = float(pool.get(key, 0.0)) + float(added.get(key, 0.0))
        gone = float(rows["tonnes"].sum())
        if gone > there * (1 + 1e-9) + 1e-6:
            names = " + ".join(f"'{n}' {t:.0f} t" for n, t in rows.groupby("name", sort=False)["tonnes"].sum().items())
            problems.append(
                _problem(
                    " ".join(map(str, key)),
                    f"{gone:.0f} t",
                    f"{names} exceed the {there:.0f} t burnt there; each tonne counts once",
                    f"{names} 合计超过该处用煤 {there:.0f} t，每吨煤只能计一次",
                )
            )
    return problems


def _check_pledges(lines: pd.DataFrame, pledges: pd.DataFrame, rule: Rule) -> list[Problem]:
    problems = []
    reductions = lines[lines["line"].isin(REDUCTIONS)]
    available = reductions.groupby("name")["tonnes"].sum()
    fuels = reductions.groupby("name")["fuel"].agg(set)
    projects = set(lines.loc[lines["line"] == "new_projects", "name"])
    row: Any
    for row in pledges.itertuples():
        if row.project not in projects:
            problems.append(_problem("pledges", row.project, "no such new project", "没有该新建项目"))
        if row.reduction not in available:
            problems.append(_problem("pledges", row.reduction, "no such reduction", "没有该减煤措施"))
            continue
        if not row.tonnes > 0:
            problems.append(_problem(row.project, row.tonnes, "pledged tonnes must be above 0", "替代量须大于 0"))
        barred = sorted(fuels[row.reduction] & set(rule["no_substitute"]))
        if barred:
            problems.append(
                _problem(
                    row.project,
                    f"{row.reduction} ({', '.join(barred)})",
                    f"this fuel is no reduction measure under rule {rule.version}",
                    f"按规则 {rule.version}，该燃料不得作为煤炭减量替代措施",
                )
            )
    for reduction, rows in pledges.groupby("reduction"):
        if reduction in available and rows["tonnes"].sum() > available[reduction] * (1 + 1e-9):
            names = " and ".join(f"'{p}' {t:.0f} t" for p, t in zip(rows["project"], rows["tonnes"], strict=True))
            names_zh = "、".join(f"“{p}” {t:.0f} t" for p, t in zip(rows["project"], rows["tonnes"], strict=True))
            problems.append(
                _problem(
                    str(reduction),
                    f"{rows['tonnes'].sum():.0f} t",
                    f"has {available[reduction]:.0f} t, pledged to {names}; each tonne counts once",
                    f"仅有 {available[reduction]:.0f} t，却已用于 {names_zh}，每吨煤只能计一次",
                )
            )
    return problems


def _offset_share(lines: pd.DataFrame, pledges: pd.DataFrame) -> np.ndarray:
    """Return the share of each line's tonnes that is pledged to a new project [1]."""
    given = pledges.groupby("reduction")["tonnes"].sum()
    have = lines[lines["line"].isin(REDUCTIONS)].groupby("name")["tonnes"].sum()
    share = (given / have).fillna(0.0).to_dict()
    return np.array(
        [
            float(share.get(n, 0.0)) if k in REDUCTIONS else 0.0
            for n, k in zip(lines["name"], lines["line"], strict=True)
        ]
    )
