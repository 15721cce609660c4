"""What a list cuts: by line under the counting rules, and as a share of all-society emissions by city."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from airsim import rules
from airsim.emergency import measure_text
from airsim.emergency.reading import CATEGORIES, LEVELS, POLLUTANTS, EmergencyList
from airsim.errors import InputError, Problem
from airsim.rules import Rule

if TYPE_CHECKING:
    from airsim.inventory import Inventory

#: Shares are compared to this accuracy: a share of exactly 10 % passes 10 % whatever the sums rounded to.
SHARE_TOLERANCE = 1e-9
#: Kinds of lines that give no reduction, and the key of the plan that would count them.
EXEMPT = {"livelihood": "livelihood_counts", "idle": "idle_counts", "staggered": "idle_counts"}


def plan_rule(plan: Rule | str | dt.date | None = None) -> Rule:
    """Return the emergency plan: a rule as it is, a version id, a day, or the newest if None."""
    if isinstance(plan, Rule):
        return plan
    if isinstance(plan, dt.date):
        return rules.load("emergency", date=plan)
    return rules.load("emergency", version=plan)


def cuts(list_: EmergencyList, level: str, *, plan: Rule | str | dt.date | None = None) -> pd.DataFrame:
    """Reduction of every line at one level, as it may be counted.

    The stated reduction (kg/d) counts; where none is stated, the number of stopped lines; where that is missing
    too, the measure's text.  Stopped lines and percentages counted by line are rounded up to whole lines, no cut
    exceeds the line's own base, and livelihood, long-idle and staggered lines give nothing.

    Parameters
    ----------
    list_ : EmergencyList
    level : {"yellow", "orange", "red"}
    plan : Rule, str or date, optional
        See `plan_rule`.

    Returns
    -------
    DataFrame
        Index as ``list_.lines``; columns SO2, NOx, PM, VOC [kg d-1], `stopped_share` [1] (share of the line's
        production that stops, NaN if only tonnes are stated) and `how`: stated, lines, text, exempt, not
        understood.

    Raises
    ------
    InputError
        Unknown level.
    """
    _check_level(list_.file, level)
    counting = plan_rule(plan)["counting"]
    lines = list_.lines
    number = lines["lines"].fillna(1.0).clip(lower=1.0).to_numpy(dtype=np.float64)
    texts = [measure_text.parse(t) for t in lines[f"{level}_text"]]
    share, how = _stopped_share(lines[f"{level}_stopped"].to_numpy(dtype=np.float64), number, texts)
    exempt = np.zeros(len(lines), dtype=bool)
    for kind, key in EXEMPT.items():
        if not counting[key]:
            exempt |= (lines["kind"] == kind).to_numpy()
    out = pd.DataFrame(index=lines.index)
    for p in POLLUTANTS:
        base = lines[f"base_{p}"].fillna(0.0).to_numpy(dtype=np.float64)
        stated = lines[f"{level}_cut_{p}"].to_numpy(dtype=np.float64)
        derived = base * np.nan_to_num(share)
        out[p] = np.where(exempt, 0.0, np.minimum(np.where(np.isfinite(stated), stated, derived), base))
        how = np.where(np.isfinite(stated), "stated", how)
    out["stopped_share"] = np.where(exempt, 0.0, share)
    out["how"] = np.where(exempt, "exempt", how)
    return out


def _stopped_share(
    stopped: npt.NDArray[np.float64], number: npt.NDArray[np.float64], texts: Iterable[measure_text.MeasureText]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.object_]]:
    """Return the share of each unit that stops [1] and what it was taken from."""
    share = np.full(number.shape, np.nan)
    how = np.full(number.shape, "not understood", dtype=object)
    for i, text in enumerate(texts):
        if text.understood:
            n = number[i]
            if text.lines is not None:
                share[i] = min(text.lines / n, 1.0)
            else:
                # 1e-9: 0.3 of ten lines is three, whatever binary arithmetic makes of it
                share[i] = min(np.ceil(text.share * n - 1e-9) / n, 1.0) if text.by_line else text.share
            how[i] = "text"
    counted = np.isfinite(stopped)
    whole = np.ceil(np.where(counted, stopped, 0.0) - 1e-9)
    share = np.where(counted, np.minimum(whole / number, 1.0), share)
    return share, np.where(counted, "lines", how)


def compliance(
    list_: EmergencyList,
    inventory: Inventory,
    level: str,
    *,
    plan: Rule | str | dt.date | None = None,
    day_factor: Mapping[str, float] | None = None,
    cities: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Reduction shares of a list against all-society emissions, tested by city and pollutant.

    Parameters
    ----------
    list_ : EmergencyList
    inventory : Inventory
        Gives the all-society base; measures with no time window in its `scaling` (permanent ones) are applied.
    level : {"yellow", "orange", "red"}
    plan : Rule, str or date, optional
        See `plan_rule`.
    day_factor : mapping, optional
        Sector -> emission of a normal autumn-winter day over that of the mean day of the year [1], for area
        sources (a scenario's monthly profile).  Sectors not named, and all if left out: 1.
    cities : iterable of str, optional
        City ids; those of the list if left out.

    Returns
    -------
    DataFrame
        One row a city and pollutant (SO2, NOx, PM, VOC): city, pollutant, level, base_kg_d, cut_kg_d, share [1],
        required [1], share_pass, joint_share, joint_required [1], joint_pass (SO2 and NOx rows, else NA), pass,
        missing_kg_d (the least that would pass), industrial_kg_d, mobile_kg_d, dust_kg_d, other_kg_d,
        list_base_kg_d, basis.  ``attrs`` hold the plan, its status and source, and the illustrative flag.

    Raises
    ------
    InputError
        Unknown level; a city of the list that the inventory doesn't hold.

    Notes
    -----
    SO2 and NOx may trade: both pass if their shares add up to the joint floor.  t/a become kg/d by the row's
    operating days (enterprises) or 365 (area sources); the column `basis` says which.  Livelihood lines stay in
    the base, which comes from the inventory alone, and never enter the cut.
    """
    _check_level(list_.file, level)
    rule = plan_rule(plan)
    lines = list_.lines
    cut = cuts(list_, level, plan=rule)
    base: Any = all_society_base(inventory, pm_is=rule["counting"]["pm_is"], day_factor=day_factor)
    wanted = list(cities) if cities is not None else _in_order(lines["city"].unique())
    absent = [c for c in wanted if c not in base.index]
    if absent:
        places = {c: next(iter(lines.index[lines["city"] == c]), "") for c in absent}
        raise InputError(
            [
                Problem(
                    list_.file,
                    str(place),
                    "city",
                    c,
                    "the inventory has no emissions of this city",
                    "排放清单中没有该城市",
                )
                for c, place in places.items()
            ]
        )
    by_city: Any = cut[list(POLLUTANTS)].groupby(lines["city"]).sum()
    by_category: Any = cut[list(POLLUTANTS)].groupby([lines["city"], lines["category"]]).sum()
    list_base: Any = lines[[f"base_{p}" for p in POLLUTANTS]].fillna(0.0).groupby(lines["city"]).sum()
    trading = rule["joint"]["pollutants"]
    basis = "enterprises: t/a * 1000 / operating days; area sources: t/a * 1000 / 365"
    basis += " * autumn-winter day factor of the sector" if day_factor else ""
    basis_zh = "企业：吨/年×1000÷年运行天数；面源：吨/年×1000÷365"
    basis_zh += "×部门秋冬季日均系数" if day_factor else ""
    rows = []
    for city in wanted:
        share: dict[str, float] = {}
        for p in POLLUTANTS:
            whole = float(base.at[city, p])
            gone = float(by_city.at[city, p]) if city in by_city.index else 0.0
            share[p] = gone / whole if whole > 0 else np.nan
        joint_share = sum(share[p] for p in trading)
        joint_required = float(rule["joint"][level])
        for p in POLLUTANTS:
            required = float(rule["shares"][level][p])
            whole, s = float(base.at[city, p]), share[p]
            alone = bool(whole <= 0 or s >= required - SHARE_TOLERANCE)
            joint = p in trading
            both = bool(np.isnan(joint_share) or joint_share >= joint_required - SHARE_TOLERANCE)
            passed = both if joint and np.isfinite(joint_share) else alone
            short = 0.0 if passed else required - s
            if joint and not passed:
                # what this pollutant alone lacks, but no more than the sum of the two lacks
                short = max(0.0, min(short, joint_required - joint_share))
            rows.append(
                {
                    "city": city,
                    "pollutant": p,
                    "level": level,
                    "base_kg_d": whole,
                    "cut_kg_d": float(by_city.at[city, p]) if city in by_city.index else 0.0,
                    "share": s,
                    "required": required,
                    "share_pass": alone,
                    "joint_share": joint_share if joint else np.nan,
                    "joint_required": joint_required if joint else np.nan,
                    "joint_pass": both if joint else pd.NA,
                    "pass": passed,
                    "missing_kg_d": short * whole,
                    **{
                        f"{c}_kg_d": float(by_category.at[(city, c), p]) if (city, c) in by_category.index else 0.0
                        for c in CATEGORIES
                    },
                    "list_base_kg_d": float(list_base.at[city, f"base_{p}"]) if city in list_base.index else 0.0,
                    "basis": basis,
                }
            )
    table = pd.DataFrame(rows)
    table["joint_pass"] = table["joint_pass"].astype("boolean")
    table.attrs = {
        "plan": rule.version,
        "plan_title_en": rule.title_en,
        "plan_title_zh": rule.title_zh,
        "plan_status": rule.weakest_status(f"shares.{level}"),
        "plan_source": rule.about(f"shares.{level}")[0].source,
        "plan_digest": rule.digest,
        "pm_is": rule["counting"]["pm_is"],
        "illustrative": list_.illustrative,
        "list": list_.file,
        "basis": basis,
        "basis_zh": basis_zh,
    }
    return table


def all_society_base(
    inventory: Inventory, *, pm_is: str = "PM10", day_factor: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """All-society emissions on a normal day by city.

    Parameters
    ----------
    inventory : Inventory
    pm_is : str
        Inventory pollutant that stands for 颗粒物.
    day_factor : mapping, optional
        See `compliance`.

    Returns
    -------
    DataFrame (city, pollutant)
        SO2, NOx, PM, VOC [kg d-1].
    """
    per_day = kg_per_day(inventory, day_factor=day_factor)
    table = per_day[["SO2", "NOx", pm_is, "VOC"]].set_axis(list(POLLUTANTS), axis=1)
    return table.groupby(inventory.sources["city"]).sum()


def kg_per_day(inventory: Inventory, *, day_factor: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Emission of every source on a normal day, after permanent measures.

    Returns
    -------
    DataFrame (source, pollutant)
        All pollutants of the inventory and `coal` [kg d-1].
    """
    from airsim.inventory import POLLUTANTS as INVENTORY_POLLUTANTS

    sources = inventory.sources
    days = np.where(
        (sources["kind"] == "point") & (sources["operating_days"].fillna(0) > 0), sources["operating_days"], 365.0
    )
    amounts = sources[[*INVENTORY_POLLUTANTS, "coal"]].fillna(0.0).astype(np.float64)
    per_day = amounts.mul(1000.0 / days, axis=0)
    if day_factor:
        factor = sources["sector"].map(day_factor).fillna(1.0).where(sources["kind"] == "area", 1.0)
        per_day = per_day.mul(factor, axis=0)
    permanent = inventory.scaling[inventory.scaling["start"].isna() & inventory.scaling["end"].isna()]
    row: Any
    for row in permanent.itertuples(index=False):
        columns = list(per_day.columns) if row.pollutant == "*" else [row.pollutant]
        per_day.loc[row.source, columns] *= row.factor
    return per_day


def _in_order(cities: Iterable[str]) -> list[str]:
    from airsim.geography import CITIES

    present = set(cities)
    return [c.id for c in CITIES if c.id in present]


def _check_level(file: str, level: str) -> None:
    if level not in LEVELS:
        raise InputError(
            [
                Problem(
                    file,
                    "",
                    "level",
                    level,
                    "must be one of " + ", ".join(LEVELS),
                    "须为 yellow（黄）、orange（橙）、red（红）之一",
                )
            ]
        )
