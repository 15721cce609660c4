"""The lines of the coal balance: growth and measures, and what is uncertain about each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim import rules
from airsim.coal.counties import county_code, county_names
from airsim.coal.ledger import KEY, coal_rule, heating_value, scope_of, year_of
from airsim.coal.plan import Plan, Stages
from airsim.errors import InputError, Problem
from airsim.inventory import POLLUTANTS
from airsim.inventory.reading import STANDARD_COAL
from airsim.measures import registry
from airsim.scenario import Distribution, mean

#: Lines of the balance; those in `REDUCTIONS` lower the consumption and enter it with a minus sign.
LINES = ("base", "growth", "weather", "new_projects", "offsets", "substitution", "retirement", "efficiency", "target")
#: Lines that stand in a balance only where the scenario has them.
OPTIONAL = ("weather",)
ADDITIONS = ("growth", "weather", "new_projects")
REDUCTIONS = ("substitution", "retirement", "efficiency")
#: Figures of a line that may be uncertain (see `lines`).
FACTORS = ("growth_percent", "degree_day_percent", "execution_rate", "reburn", "tonnes_per_household")
#: Those of them that change what burns by a percentage.
CHANGES = ("growth_percent", "degree_day_percent")
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
    coal = rows[~rows["pollutant"].isin(POLLUTANTS) & (rows["unit"] == "t a-1")]
    table = pd.DataFrame(
        {
            "name": coal["measure"],
            "line": coal["kind"].map({k: kind.line for k, kind in registry.kinds().items()}),
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


def table_of(stages: Stages) -> pd.DataFrame:
    """Return growth and measures as lines of the balance, with the optional columns of `airsim.coal.balance_of`.

    Parameters
    ----------
    stages : Stages
        What a plan's measures make of the base inventory.

    Raises
    ------
    InputError
        The plan has no coal block, or the inventory no ledger.
    """
    plan, ledger = stages.plan, stages.base.coal
    asked = plan.asked
    if not len(ledger):
        said, said_zh = "the coal balance needs this key", "煤炭平衡需要该键"
        raise InputError([Problem(plan.file, "", "inputs.coal_ledger", "", said, said_zh)])
    lines = [
        growth_lines(
            ledger,
            asked.base_year,
            mean(g.percent),
            cities=[c for c in plan.cities if g.cities is None or c in g.cities],
            sectors=g.sectors,
            name=f"growth {i}",
        )
        for i, g in enumerate(asked.growth, start=1)
    ]
    if stages.rows:
        lines.append(lines_of(stages.all_rows()))
    table = pd.concat(lines, ignore_index=True) if lines else pd.DataFrame(columns=list(COLUMNS))
    of = [stages.measure(n) for n in table["name"]]
    table["unit"] = ["" if m is None else registry.of(m).closes(m) for m in of]
    projects = [m if m is not None and registry.of(m).claims else None for m in of]
    table["ratio"] = np.array([None if m is None else m.ratio for m in projects], dtype=np.float64)
    table["full"] = np.array([np.nan if m is None else m.tonnes for m in projects], dtype=np.float64)
    table["year"] = np.array([getattr(m, "year", None) for m in of], dtype=np.float64)
    return table


def pledges_of(plan: Plan) -> pd.DataFrame:
    """Return the offsets that new projects claim, tonne by tonne: project, reduction, tonnes [t].

    Raises
    ------
    InputError
        A claim on a measure that the plan does not have, or that is done only after the target year.
    """
    called = plan.labels
    rows, problems = [], []
    for number, m in enumerate(plan.measures):
        if not registry.of(m).claims or not plan.in_force(number):
            continue
        for offset in m.offsets:
            position = int(offset.reduction) - 1 if offset.reduction.isdecimal() else -1
            name = called[position] if 0 <= position < len(called) else offset.reduction
            at = (*plan.at(number), "offsets", f"{m.name} <- {name}")
            if name not in called:
                listed = ", ".join(called)
                said, said_zh = f"no such measure; there are {listed}", f"没有该措施；现有：{listed}"
                problems.append(Problem(*at, said, said_zh))
                continue
            source = called.index(name)
            if not plan.in_force(source):
                year, target = plan.measures[source].year, plan.asked.target_year
                said = (
                    f"'{name}' saves its coal only from {year}, after {target}: it can't be pledged to '{m.name}' yet"
                )
                said_zh = f"“{name}”至 {year} 年才实现（目标年 {target}），尚未形成的减煤量不得用于“{m.name}”"
                problems.append(Problem(*at, said, said_zh))
                continue
            rows.append({"project": m.name, "reduction": name, "tonnes": offset.tonnes})
    if problems:
        raise InputError(problems)
    return pd.DataFrame(rows, columns=["project", "reduction", "tonnes"])


def lines(stages: Stages, table: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the assessed balance of a plan as signed lines, with what is uncertain about each.

    Parameters
    ----------
    stages : Stages
        What a plan's measures make of the base inventory.
    table : DataFrame, optional
        From `table_of`; made if left out.

    Returns
    -------
    DataFrame
        One row a measure, city, county, sector and fuel inside the scope: measure (``"base"``, ``"growth 1"`` or a
        measure's label), line, city, county (code or empty), sector, fuel, amount [t or tce, attribute ``unit``],
        signed, so that all rows add up to the target year and those of line ``base`` to the base year.  amount =
        coefficient x the factors that apply: growth_percent / 100, degree_day_percent / 100, execution_rate,
        1 - reburn, tonnes_per_household (NaN: does not apply); beside each factor its declared distribution or None.
        Attributes: base_year, target_year, unit, rule, numbers (label -> position in the plan).

    Raises
    ------
    InputError
        See `table_of`.
    """
    table = table_of(stages) if table is None else table
    plan = stages.plan
    asked, cities = plan.asked, plan.cities
    counted = scope_of(coal_rule(asked.rules), asked.scope)
    own = year_of(stages.base.coal, asked.base_year, cities, county=True)
    sums = own.assign(energy=own["consumption"] * own["heating_value"].fillna(0.0)).groupby(KEY).sum(numeric_only=True)
    heat = (sums["energy"] / sums["consumption"].where(sums["consumption"] > 0)).to_dict()
    start = own.assign(measure="base", line="base", sign=1.0, tonnes=own["consumption"], whole=np.nan)
    table = table.rename(columns={"name": "measure"})
    table = table[table["city"].isin(cities) & (table["tonnes"] != 0)].copy()
    table["sign"] = np.where(table["line"].isin(ADDITIONS), 1.0, -1.0)
    table["county"] = [_county_of(stages, m, c, s) for m, c, s in table[["measure", "city", "sector"]].to_numpy()]
    table = pd.concat([table.assign(whole=np.nan), _idle(stages, own)], ignore_index=True)
    every = pd.concat([start, table], ignore_index=True)
    every = every[every["fuel"].isin(counted.assessed) & every["sector"].isin(counted.sectors)].reset_index(drop=True)
    if counted.unit == "tce":
        own_value = pd.Series([heat.get((c, s, f), np.nan) for c, s, f in every[KEY].to_numpy()], index=every.index)
        usual = every["fuel"].map(lambda f: heating_value(f, asked.base_year))
        every[["tonnes", "whole"]] = every[["tonnes", "whole"]].mul(own_value.fillna(usual) / STANDARD_COAL, axis=0)
    every["amount"] = every["sign"] * every["tonnes"]
    factors = pd.DataFrame([_factors_of(stages, m) for m in every["measure"]], index=every.index)
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
    shared = signed.drop(named.index).drop(columns="county").merge(shares, on=KEY, how="left")
    shared["county"] = shared["county"].fillna("")
    shared["amount"] *= shared["share"].fillna(1.0)
    both = pd.concat([named, shared], ignore_index=True)
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
    if (signed.loc[signed["line"] == "base", "county"] == "").all():
        return balance
    table = by_county(signed)
    with_county = table.loc[table["county"] != "", "city"].unique()
    table = table[table["city"].isin(with_county)]
    wide = table.pivot_table(index=["city", "county"], columns="line", values="amount", aggfunc="sum", fill_value=0.0)
    shown = [str(n) for n in balance["line"].values]
    wide = wide.reindex(columns=[n for n in shown if n != "target"], fill_value=0.0)
    wide["target"] = wide.sum(axis=1)
    names = county_names()
    out = balance.assign_coords(county=[k if k else f"{c}:{k}" for c, k in wide.index])
    out["county_city"] = ("county", [c for c, _ in wide.index])
    out["county_zh"] = ("county", [names.get(k, "其余") if k else "其余" for _, k in wide.index])
    out["consumption_county"] = (("line", "county"), wide[shown].to_numpy(np.float64).T, {"units": "t"})
    return out


def _idle(stages: Stages, own: pd.DataFrame) -> pd.DataFrame:
    """Return lines of no tonnes for changes whose point value is 0 %, with the coal that they would act on."""
    follows = rules.load("heating")["degree_days.share"]
    asked = [
        (f"growth {i}", "growth", g.cities, g.sectors)
        for i, g in enumerate(stages.plan.asked.growth, start=1)
        if mean(g.percent) == 0
    ]
    for label in stages.numbers:
        m = stages.measure(label)
        kind = registry.of(m)
        changes = [v for name, v in kind.factors(m).items() if name in CHANGES]
        if kind.line is not None and changes and all(mean(v) == 0 for v in changes):
            asked.append((label, kind.line, m.cities, m.sectors))
    parts = []
    for label, line, cities, sectors in asked:
        here = own[(own["city"].isin(cities or own["city"])) & own["sector"].isin(sectors or own["sector"])]
        share = here["sector"].map(follows).astype(np.float64) if line == "weather" else 1.0
        parts.append(
            here[["city", "sector", "fuel"]].assign(
                measure=label,
                line=line,
                county=here["county"],
                tonnes=0.0,
                sign=1.0,
                whole=here["consumption"] * share,
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _county_of(stages: Stages, label: str, city: str, sector: str) -> str:
    """Return the county of a measure's own line; coal that it makes burn elsewhere is the city's."""
    m = stages.measure(label)
    county, home = getattr(m, "county", None), getattr(m, "city", None)
    if not county or home != city or sector in {"power", "heat"} - {getattr(m, "sector", None)}:
        return ""
    return county_code(city, county)


def _factors_of(stages: Stages, label: str) -> dict[str, Any]:
    """Return the point values of a line's factors (NaN where they do not apply) and their distributions."""
    found: dict[str, Any] = dict.fromkeys(FACTORS, np.nan) | {f"{n}_distribution": None for n in FACTORS}
    m = stages.measure(label)
    declared: Mapping[str, float | Distribution] = {}
    if m is not None:
        declared = registry.of(m).factors(m)
    elif label.startswith("growth "):
        declared = {"growth_percent": stages.plan.asked.growth[int(label.split()[1]) - 1].percent}
    for name, value in declared.items():
        found[name] = mean(value)
        found[f"{name}_distribution"] = value if isinstance(value, Distribution) else None
    return found
