"""Each tonne once: lines and pledges of a coal balance that count one tonne twice are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from airsim.coal.accounts import ADDITIONS, REDUCTIONS
from airsim.coal.ledger import KEY
from airsim.errors import Problem
from airsim.rules import Rule


def problem(key: str, value: object, said: str, said_zh: str) -> Problem:
    """Make a problem of the balance."""
    return Problem("coal balance", "", key, str(value), said, said_zh)


def check_lines(lines: pd.DataFrame, cities: set[str], base: pd.DataFrame) -> list[Problem]:
    """Return what is wrong with the lines of a balance.

    Parameters
    ----------
    lines : DataFrame
        See `airsim.coal.balance_of`.
    cities : set of str
        Cities of the cap.
    base : DataFrame
        The base year of the ledger.
    """
    problems = []
    allowed = (*ADDITIONS, *REDUCTIONS)
    row: Any
    for row in lines.itertuples():
        if row.line not in allowed:
            listed = ", ".join(allowed)
            problems.append(
                problem(row.name, row.line, f"line must be one of {listed}", f"平衡项须为以下之一：{listed}")
            )
        if row.city not in cities:
            problems.append(problem(row.name, row.city, "city is not in the ledger", "台账中没有该城市"))
        signed = row.line in {"growth", "weather", "substitution"}
        if not np.isfinite(row.tonnes) or (row.tonnes < 0 and not signed):
            problems.append(problem(row.name, row.tonnes, "tonnes must be 0 or above", "吨数须不小于 0"))
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
                problem(
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
                problem(
                    " ".join(map(str, key)),
                    f"{gone:.0f} t",
                    f"{names} exceed the {there:.0f} t burnt there; each tonne counts once",
                    f"{names} 合计超过该处用煤 {there:.0f} t，每吨煤只能计一次",
                )
            )
    return problems


def check_pledges(lines: pd.DataFrame, pledges: pd.DataFrame, rule: Rule, target_year: int) -> list[Problem]:
    """Return what is wrong with the pledges of a balance.

    Parameters
    ----------
    lines, pledges : DataFrame
        See `airsim.coal.balance_of`.
    rule : Rule
        Of ``coal``.
    target_year : int
    """
    problems = []
    years = lines.assign(year=lines["year"].fillna(target_year)).groupby("name")["year"].max()
    reductions = lines[lines["line"].isin(REDUCTIONS)]
    available = reductions.groupby("name")["tonnes"].sum()
    fuels = reductions.groupby("name")["fuel"].agg(set)
    projects = set(lines.loc[lines["line"] == "new_projects", "name"])
    row: Any
    for row in pledges.itertuples():
        if row.project not in projects:
            problems.append(problem("pledges", row.project, "no such new project", "没有该新建项目"))
        if row.reduction not in available:
            problems.append(problem("pledges", row.reduction, "no such reduction", "没有该减煤措施"))
            continue
        if not row.tonnes > 0:
            problems.append(problem(row.project, row.tonnes, "pledged tonnes must be above 0", "替代量须大于 0"))
        if row.project in projects and years[row.reduction] > years[row.project]:
            problems.append(
                problem(
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
                problem(
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
                problem(
                    str(reduction),
                    f"{rows['tonnes'].sum():.0f} t",
                    f"has {available[reduction]:.0f} t, pledged to {names}; each tonne counts once",
                    f"仅有 {available[reduction]:.0f} t，却已用于 {names_zh}，每吨煤只能计一次",
                )
            )
    return problems


def offset_share(lines: pd.DataFrame, pledges: pd.DataFrame) -> np.ndarray:
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
