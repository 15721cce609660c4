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
    """

    counted: tuple[str, ...]
    assessed: tuple[str, ...]
    text: str
    text_zh: str


def coal_rule(rule: Rule | str | dt.date | None = None) -> Rule:
    """Return the coal accounting rule: as it is, by version id, by day, or the newest if None."""
    if isinstance(rule, Rule):
        return rule
    if isinstance(rule, dt.date):
        return rules.load("coal", date=rule)
    return rules.load("coal", version=rule)


def scope_of(rule: Rule) -> Scope:
    """Return the scope of a coal accounting rule."""
    counted = tuple(rule["counted_fuels"])
    out = [f for f in rule["not_assessed"] if f in counted]
    names = rules.load("fuels")["names"]
    text = "whole society, physical coal (raw, washed, briquette); coke and semi-coke not added"
    text_zh = "全社会，实物量（原煤、洗煤、型煤），焦炭、兰炭不重复计入"
    if out:
        text += "; without " + ", ".join(out)
        text_zh += "；不含" + "、".join(names[f] for f in out)
    return Scope(counted, tuple(f for f in counted if f not in out), text, text_zh)


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


def year_of(ledger: pd.DataFrame, year: int, cities: Iterable[str] | None = None) -> pd.DataFrame:
    """Return one year of the ledger: consumption [t] and mean heating value [kJ kg-1] by city, sector and fuel.

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
    summed = rows.assign(energy=energy).groupby(KEY)[["consumption", "energy"]].sum()
    mean = (summed["energy"] / summed["consumption"]).where(summed["consumption"] > 0)
    return pd.DataFrame({"consumption": summed["consumption"], "heating_value": mean}).reset_index()
