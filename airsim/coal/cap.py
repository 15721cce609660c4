"""The coal balance and the test of negative growth: base year plus named lines gives the target year.

consumption(target) = consumption(base) + growth (+ weather) + new projects
                      - offsets - substitution - retirement - efficiency
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim.coal import accounts, benefit, decomposition, inspection, limits, uncertainty
from airsim.coal.accounts import ADDITIONS, COLUMNS, LINES, OPTIONAL
from airsim.coal.ledger import KEY, check, coal_rule, heating_value, scope_of, year_of
from airsim.coal.plan import Stages
from airsim.coal.pledges import check_lines, check_pledges, offset_share, problem
from airsim.errors import InputError
from airsim.geography import CITIES
from airsim.inventory.reading import STANDARD_COAL
from airsim.measures import IMPORTED
from airsim.rules import STATUSES, Rule
from airsim.scenario import CoalScope


def cap_of(stages: Stages) -> xr.Dataset:
    """Return the coal balance of a plan, with limits, co-benefits, probability, decomposition and inspection.

    Parameters
    ----------
    stages : Stages
        What the plan's measures make of the base inventory.

    Returns
    -------
    Dataset
        See `balance_of`.

    Raises
    ------
    InputError
        The plan has no coal block, the inventory no ledger, or a year or city is not in it.
    """
    plan = stages.plan
    table = accounts.table_of(stages)
    out = _point(stages, table)
    signed = accounts.lines(stages, table)
    out = benefit.add(out, stages)
    if plan.asked.limits is not None:
        out = limits.add(out, plan.allotment, bind=plan.asked.limits.bind)
    out = accounts.with_counties(out, signed)
    out = uncertainty.add(out, plan.asked, signed, file=plan.file)
    out = decomposition.add(out, plan.asked, plan.resolve, stages.base.coal)
    return inspection.add(out, plan.asked, plan.resolve, stages.base)


def point_of(stages: Stages) -> xr.Dataset:
    """Return the point balance alone: no limits, co-benefits, probability or decomposition.

    Raises
    ------
    InputError
        As `cap_of`.
    """
    return _point(stages, accounts.table_of(stages))


def _point(stages: Stages, table: pd.DataFrame) -> xr.Dataset:
    plan = stages.plan
    asked = plan.asked
    return balance_of(
        stages.base.coal,
        table,
        asked.base_year,
        asked.target_year,
        asked.rules,
        pledges=accounts.pledges_of(plan),
        cities=plan.cities,
        scope=asked.scope,
    )


def balance_of(
    ledger: pd.DataFrame,
    measures: pd.DataFrame,
    base_year: int,
    target_year: int,
    rules: Rule | str | dt.date | None = None,
    *,
    pledges: pd.DataFrame | None = None,
    cities: Iterable[str] | None = None,
    scope: CoalScope | None = None,
) -> xr.Dataset:
    """Coal balance from base to target year, and the test of negative growth.

    Parameters
    ----------
    ledger : DataFrame
        Columns year, city, sector, fuel, consumption [t], heating_value [kJ kg-1 or NaN]: the statistics,
        before any measure.
    measures : DataFrame
        Lines between the years: name, line (growth, weather, new_projects, substitution, retirement, efficiency),
        city, sector, fuel, tonnes [t]: added by growth, weather and new projects, saved by the others (a substitution
        may hold negative tonnes: coal that burns elsewhere instead).  Optional columns: `unit` names the boiler or
        plant that a reduction closes; `ratio` [1] is a new project's own offset ratio and `full` [t] its coal in a full
        year, which it must offset even if it burns less in the target year (missing: `tonnes`); `year` is the year by
        which a reduction is done or in which a project starts (missing: the target year).
    base_year, target_year : int
    rules : Rule, str or date, optional
        Coal accounting rule: version "2018", "2021", "2023", a day, or the newest.
    pledges : DataFrame, optional
        Offsets of new projects, tonne by tonne: project, reduction (both names in `measures`), tonnes [t].
        Pledged tonnes are shown as offsets and no longer under their own line.
    cities : iterable of str, optional
        Cities of the cap; all of the ledger if left out.
    scope : CoalScope, optional
        What is counted; the rule's own scope if left out.

    Returns
    -------
    Dataset
        consumption, consumption_tce (line, city, sector) [t], the assessed coal of the scope; lines that lower it
        are negative and line "target" is the sum of the others; consumption_by_fuel (line, city, sector, fuel)
        [t], all fuels; ledger (year, city, sector, fuel) [t]; growth (city), growth_total [1]; pass (city),
        pass_total (1 yes, 0 no, -1 not assessed: no coal in the base year); offset_required, offset_pledged
        (project) [t] where there are new projects.  Growth and pass are of tonnes or of standard coal, as the scope
        says (attribute ``unit``).

    Raises
    ------
    InputError
        Unknown line, city, fuel or year; a tonne pledged twice (both pledges are named), beyond its source's
        consumption, not yet saved when the project starts, or in a fuel that is no substitute; negative tonnes where
        none can be.
    """
    rule = coal_rule(rules)
    counted = scope_of(rule, scope)
    wanted = _in_order(ledger["city"].unique() if cities is None else list(cities))
    ledger = ledger[ledger["city"].isin(wanted)]
    problems = check(ledger)
    if problems:
        raise InputError(problems)
    base = year_of(ledger, base_year)
    lines = measures[list(COLUMNS)].copy() if len(measures) else pd.DataFrame(columns=list(COLUMNS))
    for column, empty in (("unit", ""), ("ratio", np.nan), ("full", np.nan), ("year", np.nan)):
        lines[column] = measures.get(column, empty)
    imported = lines[lines["city"] == IMPORTED]
    lines = lines[lines["city"] != IMPORTED].reset_index(drop=True)
    if cities is not None:
        lines = lines[lines["city"].isin(wanted)].reset_index(drop=True)
    lines["tonnes"] = lines["tonnes"].astype(np.float64)
    pledged = pledges if pledges is not None else pd.DataFrame(columns=["project", "reduction", "tonnes"])
    pledged = pledged.astype({"tonnes": np.float64})
    problems = [*check_lines(lines, set(wanted), base), *check_pledges(lines, pledged, rule, target_year)]
    if problems:
        raise InputError(problems)

    shown = [n for n in LINES if n not in OPTIONAL or n in set(lines["line"])]
    fuels = list(dict.fromkeys([*counted.counted, *base["fuel"], *lines["fuel"], *ledger["fuel"]]))
    sectors = list(dict.fromkeys([*base["sector"], *lines["sector"], *ledger["sector"]]))
    amount = xr.DataArray(
        np.zeros((len(shown), len(wanted), len(sectors), len(fuels))),
        coords={"line": shown, "city": wanted, "sector": sectors, "fuel": fuels},
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
    pledged_share = offset_share(lines, pledged)
    for i, row in enumerate(lines.itertuples()):
        at = {"city": row.city, "sector": row.sector, "fuel": row.fuel}
        sign = 1.0 if row.line in ADDITIONS else -1.0
        amount.loc[{"line": row.line, **at}] += sign * row.tonnes * (1.0 - pledged_share[i])
        amount.loc[{"line": "offsets", **at}] += sign * row.tonnes * pledged_share[i]
    amount.loc[{"line": "target"}] = amount.isel(line=slice(0, -1)).sum("line", skipna=False)

    inside = xr.DataArray([s in counted.sectors for s in sectors], coords={"sector": sectors}, dims="sector")
    assessed = amount.sel(fuel=[f for f in counted.assessed if f in fuels]).where(inside, 0.0)
    energy = assessed * heat.sel(fuel=assessed["fuel"]) / STANDARD_COAL
    out = xr.Dataset(
        {
            "consumption": assessed.sum("fuel").assign_attrs(units="t"),
            "consumption_tce": energy.sum("fuel").assign_attrs(units="t"),
            "consumption_by_fuel": amount.assign_attrs(units="t"),
            "ledger": _history(ledger, wanted, sectors, fuels),
        }
    )
    tested = out["consumption_tce" if counted.unit == "tce" else "consumption"]
    by_city = tested.sum("sector")
    limit = float(rule["target"]["growth_below"])
    growth = (
        by_city.sel(line="target", drop=True)
        / by_city.sel(line="base", drop=True).where(by_city.sel(line="base", drop=True) > 0)
        - 1.0
    )
    whole = by_city.sum("city")
    if not float(whole.sel(line="base")) > 0:
        raise InputError(
            [problem("base_year", base_year, "no coal of the scope in the base year", "基准年没有该口径的用煤")]
        )
    total = float(whole.sel(line="target") / whole.sel(line="base") - 1.0)
    out["growth"] = growth.assign_attrs(units="1")
    out["growth_total"] = ((), total, {"units": "1"})
    out["pass"] = xr.where(growth.isnull(), -1, growth < limit).astype(np.int8)
    out["pass_total"] = ((), np.int8(total < limit))
    out = _with_projects(out, lines, pledged, rule)
    non_power = tested.sel(sector=[s for s in sectors if s != "power"]).sum(("city", "sector"))
    base_non_power = float(non_power.sel(line="base"))
    out.attrs = {
        "base_year": base_year,
        "target_year": target_year,
        "rule": rule.version,
        "rule_title_en": rule.title_en,
        "rule_title_zh": rule.title_zh,
        "rule_status": max(
            (rule.weakest_status(k) for k in ("target", "counted_fuels", "not_assessed", "offset_ratio.default")),
            key=STATUSES.index,
        ),
        "rule_source": rule.source,
        "rule_digest": rule.digest,
        "scope": counted.text,
        "scope_zh": counted.text_zh,
        "unit": counted.unit,
        "society": (scope or CoalScope()).society,
        "included": ", ".join((scope or CoalScope()).include),
        "excluded": ", ".join((scope or CoalScope()).exclude),
        "assessed_fuels": ", ".join(counted.assessed),
        "assessed_sectors": ", ".join(s for s in sectors if s in counted.sectors),
        "growth_non_power": float(non_power.sel(line="target")) / base_non_power - 1.0 if base_non_power else np.nan,
        "induced_outside_t": float(-imported["tonnes"].sum()),
    }
    return out


def offset_ratio(rule: Rule, city: str, sector: str) -> float:
    """Return the tonnes to be claimed for a tonne that a new project burns [1], by rule, province and sector."""
    provinces = {"61": "shaanxi", "62": "gansu", "14": "shanxi", "41": "henan"}
    code = next((c.adcode[:2] for c in CITIES if c.id == city), "")
    own = rule["offset_ratio.provinces"].get(provinces.get(code, ""), {})
    return float(own.get(sector, rule["offset_ratio.default"]))


def _with_projects(out: xr.Dataset, lines: pd.DataFrame, pledged: pd.DataFrame, rule: Rule) -> xr.Dataset:
    """Add what new projects must claim and have claimed, and the list of pledges."""
    new = lines[lines["line"] == "new_projects"]
    if new.empty:
        return out
    usual = [offset_ratio(rule, str(c), str(s)) for c, s in zip(new["city"], new["sector"], strict=True)]
    ratio = new["ratio"].astype(np.float64).fillna(pd.Series(usual, index=new.index))
    needed = (new["full"].fillna(new["tonnes"]).astype(np.float64) * ratio).groupby(new["name"], sort=False).sum()
    given = pledged.groupby("project")["tonnes"].sum().reindex(needed.index, fill_value=0.0)
    out["offset_required"] = ("project", needed.to_numpy(np.float64), {"units": "t"})
    out["offset_pledged"] = ("project", given.to_numpy(np.float64), {"units": "t"})
    out = out.assign_coords(project=list(needed.index))
    if len(pledged):
        out["pledge_project"] = ("pledge", pledged["project"].astype(str).tolist())
        out["pledge_reduction"] = ("pledge", pledged["reduction"].astype(str).tolist())
        out["pledge_tonnes"] = ("pledge", pledged["tonnes"].to_numpy(np.float64), {"units": "t"})
    return out


def _in_order(cities: Iterable[str]) -> list[str]:
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
