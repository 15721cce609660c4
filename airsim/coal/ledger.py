"""The coal ledger: year x city x sector x fuel, in tonnes and in standard coal, under a dated scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from airsim import rules
from airsim.errors import InputError, Problem
from airsim.rules import Rule
from airsim.scenario import Coal, CoalScope

KEY = ["city", "sector", "fuel"]


@dataclass(frozen=True)
class Scope:
    """What counts as coal consumption (口径), chosen once and printed on every table.

    Attributes
    ----------
    counted : tuple of str
        Fuels whose tonnes add up to coal consumption.
    assessed : tuple of str
        Those of them that the cap is tested on.
    text, text_zh : str
        The scope in words.
    sectors : tuple of str
        Sectors of the ledger that lie in it.
    unit : {"t", "tce"}
        What the test runs on: physical tonnes or standard coal.
    """

    counted: tuple[str, ...]
    assessed: tuple[str, ...]
    text: str
    text_zh: str
    sectors: tuple[str, ...] = ()
    unit: str = "t"


def coal_rule(rule: Rule | str | dt.date | None = None) -> Rule:
    """Return the coal accounting rule: as it is, by version id, by day, or the newest if None."""
    if isinstance(rule, Rule):
        return rule
    if isinstance(rule, dt.date):
        return rules.load("coal", date=rule)
    return rules.load("coal", version=rule)


#: What a scope is called.
SOCIETIES = {
    "whole": ("whole society", "全社会"),
    "above_designated": ("industry above the designated size", "规上工业"),
    "non_power": ("all but power (heat supply counts)", "非电（含供热）"),
}


def scope_of(rule: Rule, asked: CoalScope | None = None) -> Scope:
    """Return the scope of a coal accounting rule, as a scenario narrows or widens it.

    Parameters
    ----------
    rule : Rule
        Of ``coal``.
    asked : CoalScope, optional
        Society, fuels in and out, unit; the rule's own if left out.
    """
    asked = asked or CoalScope()
    added = tuple(f for f in asked.include if f not in rule["counted_fuels"])
    counted = (*rule["counted_fuels"], *added)
    out = [f for f in rule["not_assessed"] if f not in asked.include]
    out += [f for f in asked.exclude if f in counted and f not in out]
    names = rules.load("fuels")["names"]
    society, society_zh = SOCIETIES[asked.society]
    kind, kind_zh = ("standard coal", "标准量") if asked.unit == "tce" else ("physical coal", "实物量")
    apart = [f for f in ("coke", "semi_coke") if f not in added]
    text = f"{society}, {kind} (raw, washed, briquette)"
    text_zh = f"{society_zh}，{kind_zh}（原煤、洗煤、型煤）"
    if apart:
        text += "; " + " and ".join(f.replace("_", "-") for f in apart) + " not added"
        text_zh += "，" + "、".join(names[f] for f in apart) + "不重复计入"
    if added:
        text += "; with " + ", ".join(added)
        text_zh += "；另计入" + "、".join(names[f] for f in added)
    if out:
        text += "; without " + ", ".join(out)
        text_zh += "；不含" + "、".join(names[f] for f in out)
    sectors = tuple(rule[f"societies.{asked.society}"])
    return Scope(counted, tuple(f for f in counted if f not in out), text, text_zh, sectors, asked.unit)


def heating_value(fuel: str, year: int) -> float:
    """Mean low heating value of a fuel by GB/T 2589 in the version of a year [kJ kg-1]."""
    return float(_fuels(year)["heating_value"][fuel])


def _fuels(year: int) -> Rule:
    return rules.load("fuels", date=dt.date(max(year, 2009), 12, 31))


def standard_coal(mass: pd.Series, fuel: pd.Series, heating: pd.Series | None = None, *, year: int = 2018) -> pd.Series:
    """Turn tonnes into tonnes of standard coal (GB/T 2589).

    Parameters
    ----------
    mass : Series
        Coal [t].
    fuel : Series of str
        Fuel ids.
    heating : Series, optional
        Own low heating values [kJ kg-1]; NaN takes the mean of the fuel.
    year : int
        Chooses the version of the standard.

    Returns
    -------
    Series
        Standard coal of 29 307.6 kJ kg-1 [t].
    """
    table = {f: float(v) for f, v in _fuels(year)["heating_value"].items()}
    mean = fuel.map(table)
    own = mean if heating is None else heating.fillna(mean)
    return mass * own / float(_fuels(year)["standard_coal"])


def check(ledger: pd.DataFrame) -> list[Problem]:
    """List what is wrong with a ledger: unknown fuels, missing or negative consumption."""
    known = set(rules.load("fuels")["heating_value"])
    problems = []
    row: Any
    for row in ledger.itertuples():
        file, _, line = str(getattr(row, "origin", "")).rpartition(":")
        if row.fuel not in known:
            listed = ", ".join(sorted(known))
            problems.append(
                Problem(file, line, "fuel", str(row.fuel), f"must be one of {listed}", f"须为以下之一：{listed}")
            )
        if not (np.isfinite(row.consumption) and row.consumption >= 0):
            problems.append(
                Problem(file, line, "consumption", str(row.consumption), "must be 0 or above", "须不小于 0")
            )
    return problems


def scoped(ledger: pd.DataFrame, asked: Coal) -> pd.DataFrame:
    """Return the rows of a ledger, all years, that the scope of a coal block assesses.

    Parameters
    ----------
    ledger : DataFrame
    asked : Coal
        Its rule and scope; all cities stay.
    """
    scope = scope_of(coal_rule(asked.rules), asked.scope)
    return ledger[ledger["fuel"].isin(scope.assessed) & ledger["sector"].isin(scope.sectors)]


def year_of(
    ledger: pd.DataFrame, year: int, cities: Iterable[str] | None = None, *, county: bool = False
) -> pd.DataFrame:
    """Return one year of the ledger: consumption [t] and mean heating value [kJ kg-1] by city, sector and fuel.

    With `county` also by county (empty: the rest of the city).

    Raises
    ------
    InputError
        The ledger has no row of that year.
    """
    rows = ledger[ledger["year"] == year]
    if cities is not None:
        rows = rows[rows["city"].isin(list(cities))]
    if rows.empty:
        years = ", ".join(str(y) for y in sorted(ledger["year"].unique()))
        raise InputError(
            [
                Problem(
                    "coal ledger",
                    "",
                    "year",
                    str(year),
                    f"no rows for this year and these cities; years: {years}",
                    f"没有该年该地区的数据；现有年份：{years}",
                )
            ]
        )
    own = rows["heating_value"].fillna(rows["fuel"].map(lambda f: heating_value(f, year)))
    energy = rows["consumption"] * own
    if county and "county" not in rows:
        rows = rows.assign(county="")
    key = ["city", "county", *KEY[1:]] if county else KEY
    summed = rows.assign(energy=energy).groupby(key)[["consumption", "energy"]].sum()
    mean = (summed["energy"] / summed["consumption"]).where(summed["consumption"] > 0)
    return pd.DataFrame({"consumption": summed["consumption"], "heating_value": mean}).reset_index()
