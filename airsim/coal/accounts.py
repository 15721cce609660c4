"""The coal balance: base year plus named lines gives the target year, each tonne pledged once.

consumption(target) = consumption(base) + growth (+ weather) + new projects
                      - offsets - substitution - retirement - efficiency
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim.coal.ledger import KEY, check, coal_rule, heating_value, scope_of, year_of
from airsim.errors import InputError, Problem
from airsim.inventory.reading import STANDARD_COAL
from airsim.measures import IMPORTED
from airsim.rules import STATUSES, Rule
from airsim.scenario import CoalScope

if TYPE_CHECKING:
    from airsim.case import Stages
    from airsim.inventory import Inventory
    from airsim.scenario import Scenario

#: Lines of the balance; those in `REDUCTIONS` lower the consumption and enter it with a minus sign.
LINES = ("base", "growth", "weather", "new_projects", "offsets", "substitution", "retirement", "efficiency", "target")
#: Lines that stand in a balance only where the scenario has them.
OPTIONAL = ("weather",)
ADDITIONS = ("growth", "weather", "new_projects")
REDUCTIONS = ("substitution", "retirement", "efficiency")
#: Kind of a measure's ledger row -> line of the balance.
LINE_OF_KIND = {
    "coal_substitution": "substitution",
    "stop": "retirement",
    "limit": "retirement",
    "cut": "efficiency",
    "retire": "retirement",
    "new_project": "new_projects",
    "clean_coal_supply": "substitution",
    "efficiency": "efficiency",
    "activity_growth": "growth",
    "weather": "weather",
}
#: Figures of a line that may be uncertain (see `lines`).
FACTORS = ("growth_percent", "degree_day_percent", "execution_rate", "reburn", "tonnes_per_household")
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
        Columns `COLUMNS`; `tonnes` [t a-1] of a reduction is positive for what is saved, negative for coal that the
        measure makes burn elsewhere; of an addition it is what is added.
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
    table["tonnes"] *= np.where(table["line"].isin(ADDITIONS), -1.0, 1.0)
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
    problems = [*_check_lines(lines, set(wanted), base), *_check_pledges(lines, pledged, rule, target_year)]
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
    offset_share = _offset_share(lines, pledged)
    for i, row in enumerate(lines.itertuples()):
        at = {"city": row.city, "sector": row.sector, "fuel": row.fuel}
        sign = 1.0 if row.line in ADDITIONS else -1.0
        amount.loc[{"line": row.line, **at}] += sign * row.tonnes * (1.0 - offset_share[i])
        amount.loc[{"line": "offsets", **at}] += sign * row.tonnes * offset_share[i]
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
            [_problem("base_year", base_year, "no coal of the scope in the base year", "基准年没有该口径的用煤")]
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
    from airsim.geography import CITIES

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


def lines(scenario: Scenario, base: Inventory | None = None, stages: Stages | None = None) -> pd.DataFrame:
    """Return the assessed balance of a scenario as signed lines, with what is uncertain about each.

    Parameters
    ----------
    scenario : Scenario
        With a ``coal`` block.
    base : Inventory, optional
        Its base inventory; read if left out.
    stages : Stages, optional
        What its measures make of it; made if left out.

    Returns
    -------
    DataFrame
        One row a measure, city, county, sector and fuel inside the scope: measure (``"base"``, ``"growth 1"`` or a
        measure's label), line, city, county (code or empty), sector, fuel, amount [t or tce, attribute ``unit``],
        signed, so that all rows add up to the target year and those of line ``base`` to the base year.  amount =
        coefficient x the factors that apply: growth_percent / 100, degree_day_percent / 100, execution_rate,
        1 - reburn, tonnes_per_household (NaN: does not apply); beside each factor its declared distribution or None.
        Attributes: base_year, target_year, unit, rule, numbers (label -> position in ``scenario.measures``).

    Raises
    ------
    InputError
        See `airsim.coal.cap.cap_of`.
    """
    from airsim import case
    from airsim.coal import cap

    base = case.inventory(scenario, case.place(scenario)) if base is None else base
    stages = case.measured(scenario, base) if stages is None else stages
    asked, cities = cap.asked_of(scenario)
    counted = scope_of(coal_rule(asked.rules), asked.scope)
    own = year_of(base.coal, asked.base_year, cities, county=True)
    sums = own.assign(energy=own["consumption"] * own["heating_value"].fillna(0.0)).groupby(KEY).sum(numeric_only=True)
    heat = (sums["energy"] / sums["consumption"].where(sums["consumption"] > 0)).to_dict()
    start = own.assign(measure="base", line="base", sign=1.0, tonnes=own["consumption"], whole=np.nan)
    table = cap.table_of(scenario, base, stages).rename(columns={"name": "measure"})
    table = table[table["city"].isin(cities) & (table["tonnes"] != 0)].copy()
    table["sign"] = np.where(table["line"].isin(ADDITIONS), 1.0, -1.0)
    table["county"] = [
        _county_of(scenario, stages, m, c, s) for m, c, s in table[["measure", "city", "sector"]].to_numpy()
    ]
    table = pd.concat([table.assign(whole=np.nan), _idle(scenario, stages, own)], ignore_index=True)
    every = pd.concat([start, table], ignore_index=True)
    every = every[every["fuel"].isin(counted.assessed) & every["sector"].isin(counted.sectors)].reset_index(drop=True)
    if counted.unit == "tce":
        own_value = pd.Series([heat.get((c, s, f), np.nan) for c, s, f in every[KEY].to_numpy()], index=every.index)
        usual = every["fuel"].map(lambda f: heating_value(f, asked.base_year))
        every[["tonnes", "whole"]] = every[["tonnes", "whole"]].mul(own_value.fillna(usual) / STANDARD_COAL, axis=0)
    every["amount"] = every["sign"] * every["tonnes"]
    factors = pd.DataFrame([_factors_of(scenario, stages, m) for m in every["measure"]], index=every.index)
    product = pd.Series(1.0, index=every.index)
    for name in FACTORS:
        value = factors[name].astype(np.float64)
        product *= ({"reburn": 1.0 - value}.get(name, value / 100.0 if name.endswith("percent") else value)).fillna(1.0)
    every["coefficient"] = every["amount"] / product.where(product != 0)
    # a change of 0 % in the point value says nothing of what it would act on: that is the base year's coal
    for i in every.index[(product == 0) & every["line"].isin(["growth", "weather"])]:
        every.loc[i, "coefficient"] = every.loc[i, "whole"]
    out = pd.concat(
        [every[["measure", "line", "city", "county", "sector", "fuel", "amount", "coefficient"]], factors], axis=1
    )
    out = out[(out["amount"] != 0) | (out["coefficient"] != 0)].reset_index(drop=True)
    out.attrs = {
        "base_year": asked.base_year,
        "target_year": asked.target_year,
        "unit": counted.unit,
        "rule": asked.rules,
        "numbers": dict(stages.numbers),
    }
    return out


def by_county(signed: pd.DataFrame) -> pd.DataFrame:
    """Return the balance by county, (city, county, line) -> amount, from signed lines.

    A line that names no county is shared among the counties of its city, sector and fuel (and the rest of the city,
    county empty) as the base year's coal is.

    Parameters
    ----------
    signed : DataFrame
        From `lines`.
    """
    base = signed[signed["line"] == "base"]
    share = base.groupby([*KEY, "county"])["amount"].sum()
    whole = share.groupby(level=KEY).transform("sum")
    shares = (share / whole.where(whole > 0)).rename("share").reset_index()
    known = set(base["county"]) - {""}
    named = signed[(signed["line"] == "base") | signed["county"].isin(known)]
    spread = signed.drop(named.index).drop(columns="county").merge(shares, on=KEY, how="left")
    spread["county"] = spread["county"].fillna("")
    spread["amount"] *= spread["share"].fillna(1.0)
    both = pd.concat([named, spread], ignore_index=True)
    return both.groupby(["city", "county", "line"], sort=False)["amount"].sum().reset_index()


def with_counties(balance: xr.Dataset, signed: pd.DataFrame) -> xr.Dataset:
    """Return the balance with consumption_county (line, county) where the ledger knows counties.

    Parameters
    ----------
    balance : Dataset
        From `balance_of`.
    signed : DataFrame
        From `lines`.
    """
    from airsim.coal import plan

    if (signed.loc[signed["line"] == "base", "county"] == "").all():
        return balance
    table = by_county(signed)
    with_county = table.loc[table["county"] != "", "city"].unique()
    table = table[table["city"].isin(with_county)]
    wide = table.pivot_table(index=["city", "county"], columns="line", values="amount", aggfunc="sum", fill_value=0.0)
    shown = [str(n) for n in balance["line"].values]
    wide = wide.reindex(columns=[n for n in shown if n != "target"], fill_value=0.0)
    wide["target"] = wide.sum(axis=1)
    names = plan.county_names()
    out = balance.assign_coords(county=[k if k else f"{c}:{k}" for c, k in wide.index])
    out["county_city"] = ("county", [c for c, _ in wide.index])
    out["county_zh"] = ("county", [names.get(k, "其余") if k else "其余" for _, k in wide.index])
    out["consumption_county"] = (("line", "county"), wide[shown].to_numpy(np.float64).T, {"units": "t"})
    return out


def _idle(scenario: Scenario, stages: Stages, own: pd.DataFrame) -> pd.DataFrame:
    """Return lines of no tonnes for changes whose point value is 0 %, with the coal that they would act on."""
    from airsim import rules as files
    from airsim import scenario as scenarios

    follows = files.load("heating")["degree_days.share"]
    asked = [
        (f"growth {i}", "growth", g.cities, g.sectors, None)
        for i, g in enumerate(scenario.coal.growth if scenario.coal else (), start=1)
        if scenarios.mean(g.percent) == 0
    ]
    for label, number in stages.numbers.items():
        m = scenario.measures[number]
        if isinstance(m, scenarios.ActivityGrowth | scenarios.DegreeDays) and scenarios.mean(m.percent) == 0:
            kind = "weather" if isinstance(m, scenarios.DegreeDays) else "growth"
            asked.append((label, kind, m.cities, m.sectors, follows if kind == "weather" else None))
    parts = []
    for label, line, cities, sectors, share in asked:
        here = own[(own["city"].isin(cities or own["city"])) & own["sector"].isin(sectors or own["sector"])]
        whole = here["consumption"] * (here["sector"].map(share).astype(np.float64) if share else 1.0)
        parts.append(
            here[["city", "sector", "fuel"]].assign(
                measure=label, line=line, county=here["county"], tonnes=0.0, sign=1.0, whole=whole
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _county_of(scenario: Scenario, stages: Stages, label: str, city: str, sector: str) -> str:
    """Return the county of a measure's own line; coal that it makes burn elsewhere is the city's."""
    from airsim.coal import plan

    number = stages.numbers.get(label)
    m = scenario.measures[number] if number is not None else None
    county, home = getattr(m, "county", None), getattr(m, "city", None)
    if not county or home != city or sector in {"power", "heat"} - {getattr(m, "sector", None)}:
        return ""
    return plan.county_code(city, county)


def _factors_of(scenario: Scenario, stages: Stages, label: str) -> dict[str, Any]:
    """Return the point values of a line's factors (NaN where they do not apply) and their distributions."""
    from airsim import scenario as scenarios

    found: dict[str, Any] = dict.fromkeys(FACTORS, np.nan) | {f"{n}_distribution": None for n in FACTORS}

    def set_(name: str, value: float | scenarios.Distribution) -> None:
        found[name] = scenarios.mean(value)
        found[f"{name}_distribution"] = value if isinstance(value, scenarios.Distribution) else None

    if label.startswith("growth ") and scenario.coal and label not in stages.numbers:
        set_("growth_percent", scenario.coal.growth[int(label.split()[1]) - 1].percent)
        return found
    number = stages.numbers.get(label)
    m = scenario.measures[number] if number is not None else None
    if isinstance(m, scenarios.ActivityGrowth):
        set_("growth_percent", m.percent)
    elif isinstance(m, scenarios.DegreeDays):
        set_("degree_day_percent", m.percent)
    elif m is not None and not isinstance(m, scenarios.Emergency | scenarios.Cut | scenarios.Stop | scenarios.Limit):
        set_("execution_rate", m.execution_rate)
        if isinstance(m, scenarios.CoalSubstitution):
            set_("reburn", m.reburn)
            if m.households is not None:
                set_("tonnes_per_household", m.tonnes_per_household)
    return found


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
        signed = row.line in {"growth", "weather", "substitution"}
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


def _check_pledges(lines: pd.DataFrame, pledges: pd.DataFrame, rule: Rule, target_year: int) -> list[Problem]:
    problems = []
    years = lines.assign(year=lines["year"].fillna(target_year)).groupby("name")["year"].max()
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
        if row.project in projects and years[row.reduction] > years[row.project]:
            problems.append(
                _problem(
                    row.project,
                    f"{row.tonnes:.0f} t",
                    f"starts in {years[row.project]:.0f}, but '{row.reduction}' saves its coal only from "
                    f"{years[row.reduction]:.0f}: a tonne must be saved before it is pledged",
                    f"于 {years[row.project]:.0f} 年投产，而“{row.reduction}”至 {years[row.reduction]:.0f} 年才实现，"
                    "尚未形成的减煤量不得用于替代",
                )
            )
        barred = sorted(fuels[row.reduction] & set(rule["no_substitute"]))
        if barred:
            problems.append(
                _problem(
                    row.project,
                    f"{row.reduction} ({', '.join(barred)})",
                    f"'{row.reduction}' is pledged to '{row.project}', but this fuel is no reduction measure under "
                    f"rule {rule.version}",
                    f"“{row.reduction}”被“{row.project}”用作替代，但按规则 {rule.version}，"
                    "该燃料不得作为煤炭减量替代措施",
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
