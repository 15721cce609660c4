"""What a list cuts: by line under the counting rules, and as a share of all-society emissions by city."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from airsim.emergency import measure_text
from airsim.emergency.reduction_list import EmergencyList
from airsim.emergency.wording import AREAS, CATEGORIES, LEVELS, POLLUTANTS
from airsim.errors import InputError, Problem
from airsim.geography import CITIES
from airsim.rules import Rule

if TYPE_CHECKING:
    from airsim.inventory import Inventory
from airsim.emergency.all_society import all_society_base
from airsim.emergency.plans import plan_rule

#: Shares are compared to this accuracy: a share of exactly 10 % passes 10 % whatever the sums rounded to.
SHARE_TOLERANCE = 1e-9
#: Kinds of measures that cut one category of sources, and no production line they stand beside.
BESIDE = {"transport": "mobile", "machinery": "mobile", "dust": "dust"}
#: Kinds of lines that give no reduction, and the key of the plan that would count them.
EXEMPT = {"livelihood": "livelihood_counts", "idle": "idle_counts", "staggered": "idle_counts"}


def cuts(list_: EmergencyList, level: str, *, plan: Rule | str | Path | dt.date | None = None) -> pd.DataFrame:
    """Reduction of every line at one level, as it may be counted.

    The stated reduction (kg/d) counts; where none is stated, the number of stopped lines, then the stated share, then
    the measure's text.  Stopped lines and percentages counted by line are rounded up to whole lines, no cut
    exceeds the line's own base, and livelihood, long-idle and staggered lines give nothing.

    Parameters
    ----------
    list_ : EmergencyList
    level : {"yellow", "orange", "red"}
    plan : Rule, str, path or date, optional
        See `plan_rule`.

    Returns
    -------
    DataFrame
        Index as ``list_.lines``; columns SO2, NOx, PM, VOC [kg d-1], `stopped_share` [1] (share of the line's
        production that stops in the mean of the day, NaN if only tonnes are stated), `how`: stated, lines, share,
        text, exempt, not quantified (words without a figure), not understood; `of_lines` (over how many lines the
        text was rounded [1]), `from_hour` and `to_hour` (local hours in which alone the measure holds, NaN: all day).

    Raises
    ------
    InputError
        Unknown level.

    Notes
    -----
    Where an enterprise's like lines stand in a row each and the text counts by line (停产50%，以生产线计), the rounding
    is over all these rows together, and each gives the same share: the text does not say which of them stop.
    """
    check_level(list_.file, level)
    counting = plan_rule(plan)["counting"]
    lines = list_.lines
    n = len(lines)
    number = lines["lines"].fillna(1.0).clip(lower=1.0).to_numpy(dtype=np.float64)
    stated = {p: lines[f"{level}_cut_{p}"].to_numpy(dtype=np.float64) for p in POLLUTANTS}
    any_stated = np.any([np.isfinite(v) for v in stated.values()], axis=0)
    stopped = lines[f"{level}_stopped"].to_numpy(dtype=np.float64)
    said = lines[f"{level}_share"].to_numpy(dtype=np.float64) if f"{level}_share" in lines else np.full(n, np.nan)
    in_words = ~any_stated & ~np.isfinite(stopped) & ~np.isfinite(said)
    of = _like_lines(lines, level, number, in_words)
    share, how, window = _share_in_words(lines, level, of, counting)
    share = np.where(np.isfinite(said), said, share)
    how = np.where(np.isfinite(said), "share", how)
    counted = np.isfinite(stopped)
    whole = np.ceil(np.where(counted, stopped, 0.0) - 1e-9)
    share = np.where(counted, np.minimum(whole / number, 1.0), share)
    how = np.where(counted, "lines", how)
    how = np.where(any_stated, "stated", how)
    exempt = np.zeros(n, dtype=bool)
    for kind, key in EXEMPT.items():
        if not counting[key]:
            exempt |= (lines["kind"] == kind).to_numpy()
    out = pd.DataFrame(index=lines.index)
    for p in POLLUTANTS:
        base = lines[f"base_{p}"].fillna(0.0).to_numpy(dtype=np.float64)
        derived = base * np.nan_to_num(share)
        out[p] = np.where(exempt, 0.0, np.minimum(np.where(np.isfinite(stated[p]), stated[p], derived), base))
    out["stopped_share"] = np.where(exempt, 0.0, share)
    out["how"] = np.where(exempt, "exempt", how)
    out["of_lines"] = of
    out["from_hour"], out["to_hour"] = window.T
    return out


_NUMBERED = re.compile(r"[\d#＃一二三四五六七八九十号()（）-]+")


def _like_lines(
    lines: pd.DataFrame, level: str, number: npt.NDArray[np.float64], in_words: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return over how many lines each row's text is rounded: its own, or those of all like rows together."""
    of = number.copy()
    texts = lines[f"{level}_text"].tolist()
    by_count = {t: _counts_lines(measure_text.parse(t)) for t in set(texts)}
    wanted = np.flatnonzero(in_words & (number <= 1.0) & np.array([by_count[t] for t in texts], dtype=bool))
    groups: dict[tuple[str, ...], list[int]] = {}
    names = ("city", "category", "credit_code", "enterprise", "subsector", "line_name")
    held = [lines[c].tolist() for c in names]
    for i in wanted.tolist():
        city, category, code, name, product, line = (h[i] for h in held)
        groups.setdefault((city, category, code or name, product, _NUMBERED.sub("", line), texts[i]), []).append(i)
    for members in groups.values():
        of[members] = len(members)
    return of


def _counts_lines(text: measure_text.MeasureText) -> bool:
    return text.understood and (text.by_line or text.lines is not None or text.keep is not None)


def _share_in_words(
    lines: pd.DataFrame, level: str, number: npt.NDArray[np.float64], counting: Mapping[str, Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.object_], npt.NDArray[np.float64]]:
    """Return the share of each row that its text stops [1], what became of the text, and its hours (line, 2)."""
    share = np.full(number.shape, np.nan)
    how = np.full(number.shape, "not understood", dtype=object)
    window = np.full((len(number), 2), np.nan)
    usual = float(counting["coking_hours"])
    others = {other: lines[f"{other}_text"].tolist() for other in LEVELS}
    what = (lines["line_name"] + " " + lines["subsector"]).tolist()
    categories = lines["category"].tolist()
    for i, words in enumerate(others[level]):
        text = measure_text.parse(words)
        if text.understood and text.kind == "same" and text.same_as != level:
            text = measure_text.parse(others[text.same_as][i])
        if not text.understood:
            continue
        own = text.kind not in BESIDE or BESIDE[text.kind] == categories[i]
        if not own:
            # a ban on lorries is no cut of the line it stands beside
            share[i], how[i] = 0.0, "text"
            continue
        if text.unit and not measure_text.names_line(text.unit, what[i]):
            how[i] = "not quantified"
            continue
        share[i] = text.share_of(number[i], coking_hours=usual)
        how[i] = "text" if np.isfinite(share[i]) else "not quantified"
        if text.window is not None:
            window[i] = text.window
    return share, how, window


def compliance(
    list_: EmergencyList,
    inventory: Inventory,
    level: str,
    *,
    plan: Rule | str | Path | dt.date | None = None,
    day_factor: Mapping[str, float] | None = None,
    cities: Iterable[str] | None = None,
    areas: Mapping[str, str] | None = None,
    base: pd.DataFrame | None = None,
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
    areas : mapping, optional
        Statistical unit (xixian, hancheng, yangling) -> "with" (counted with Xi'an, Weinan, Xianyang, its own row
        left out) or "apart".  Left out: `AREA_DEFAULTS`.  A unit never counts in two rows.
    base : DataFrame, optional
        All-society emissions of a normal autumn-winter day by statistical unit (`read_base`), in place of the
        inventory's for the units it names [kg d-1].

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
        Unknown level; a city of the list that the inventory doesn't hold; 西咸 apart without a base that tells it
        from Xi'an.

    Notes
    -----
    SO2 and NOx may trade: both pass if their shares add up to the joint floor.  t/a become kg/d by the row's
    operating days (enterprises) or 365 (area sources); the column `basis` says which.  Livelihood lines stay in
    the base, which comes from the inventory alone, and never enter the cut.
    """
    check_level(list_.file, level)
    rule = plan_rule(plan)
    lines = list_.lines
    cut = cuts(list_, level, plan=rule)
    told = area_switch(areas)
    society: Any = all_society_base(inventory, pm_is=rule["counting"]["pm_is"], day_factor=day_factor)
    society = _by_unit(society, base, told)
    unit = lines["area"].map(lambda a: AREAS[a][1] if told.get(a) == "with" else a)
    wanted = list(cities) if cities is not None else _in_order(unit.unique())
    absent = [c for c in wanted if c not in society.index]
    if absent:
        places = {c: next(iter(lines.index[unit == c]), "") for c in absent}
        raise InputError([_no_base(list_, str(place), c) for c, place in places.items()])
    by_city: Any = cut[list(POLLUTANTS)].groupby(unit).sum()
    by_category: Any = cut[list(POLLUTANTS)].groupby([unit, lines["category"]]).sum()
    list_base: Any = lines[[f"base_{p}" for p in POLLUTANTS]].fillna(0.0).groupby(unit).sum()
    trading = rule["joint"]["pollutants"]
    basis = "enterprises: t/a * 1000 / operating days; area sources: t/a * 1000 / 365"
    basis += " * autumn-winter day factor of the sector" if day_factor else ""
    basis_zh = "企业：吨/年×1000÷年运行天数；面源：吨/年×1000÷365"
    basis_zh += "×部门秋冬季日均系数" if day_factor else ""
    if base is not None:
        given, given_zh = base.attrs.get("file", "given table"), base.attrs.get("file", "给定数据表")
        basis = f"all-society base of {', '.join(base.index)}: {given}; others: {basis}"
        basis_zh = f"{'、'.join(base.index)} 全社会基数取自 {given_zh}；其余：{basis_zh}"
    rows = []
    beyond: list[Problem] = []
    for city in wanted:
        share: dict[str, float] = {}
        for p in POLLUTANTS:
            whole = float(society.at[city, p])
            gone = float(by_city.at[city, p]) if city in by_city.index else 0.0
            share[p] = gone / whole if whole > 0 else np.nan
            if share[p] > 1.0 + SHARE_TOLERANCE:
                beyond.append(_beyond(list_, base, city, p, (gone, whole)))
        joint_share = sum(share[p] for p in trading)
        joint_required = float(rule["joint"][level])
        for p in POLLUTANTS:
            required = float(rule["shares"][level][p])
            whole, s = float(society.at[city, p]), share[p]
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
    if beyond:
        raise InputError(beyond)
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
        "areas": "; ".join(f"{AREAS[a][1]} {'with' if w == 'with' else 'without'} {a}" for a, w in told.items()),
        "areas_zh": "；".join(
            f"{_NAMES[AREAS[a][1]]}{'含' if w == 'with' else '不含'}{AREAS[a][0]}" for a, w in told.items()
        ),
        "synthetic": list_.synthetic,
    }
    return table


#: How the statistical units are counted unless told otherwise: as the inventory has them.
AREA_DEFAULTS = {"xixian": "with", "hancheng": "apart", "yangling": "apart"}


def area_switch(areas: Mapping[str, str] | None) -> dict[str, str]:
    """Return how each statistical unit is counted, "with" its city or "apart".

    Raises
    ------
    InputError
        Unknown unit, or neither "with" nor "apart".
    """
    told = {**AREA_DEFAULTS, **(areas or {})}
    problems = [
        Problem(
            "",
            "",
            f"areas.{a}",
            w,
            "must be xixian, hancheng or yangling, with or apart",
            "须为 xixian、hancheng、yangling 之一，取值 with 或 apart",
        )
        for a, w in told.items()
        if a not in AREAS or w not in {"with", "apart"}
    ]
    if problems:
        raise InputError(problems)
    return told


def _beyond(
    list_: EmergencyList, base: pd.DataFrame | None, city: str, pollutant: str, amounts: tuple[float, float]
) -> Problem:
    """Return the complaint that a city's list cuts more than the city emits: a unit, or another city's table."""
    file = list_.file if base is None else str(base.attrs.get("file", list_.file))
    gone, whole = amounts
    return Problem(
        file,
        "",
        pollutant,
        f"{city}: {gone:,.0f} kg/d of {whole:,.0f} kg/d",
        "the list cuts more than all that is emitted: is the unit of the table (t/a, kg/d) right, and the city?",
        "减排量超过全社会排放量：请核对数据表的单位（吨/年、kg/d）与城市",
    )


def _no_base(list_: EmergencyList, place: str, unit: str) -> Problem:
    if unit in {"xian", "xixian"}:
        said = "the inventory cannot tell 西咸 from its cities; give its base (--base), or count it with Xi'an"
        said_zh = "排放清单未单列西咸新区：请用 --base 给出其全社会排放量，或与西安合并统计"
    else:
        said, said_zh = "the inventory has no emissions of this city", "排放清单中没有该城市"
    return (
        list_.problem(place, "city", unit, said, said_zh)
        if place
        else Problem(list_.file, "", "city", unit, said, said_zh)
    )


def _by_unit(society: pd.DataFrame, base: pd.DataFrame | None, told: Mapping[str, str]) -> pd.DataFrame:
    """Return the base by the rows that are counted: units merged into their city leave the table."""
    table = society[society.index != ""].copy()
    given: set[str] = set()
    if base is not None:
        given = set(base.index)
        for unit in base.index:
            table.loc["xian" if unit == "xian+xixian" else unit] = base.loc[unit]
    # an inventory knows Xi'an only with 西咸; so does a table that does not say otherwise
    whole = "xian" not in given
    for unit, (_, city) in AREAS.items():
        if told[unit] == "with" and unit in table.index:
            if city not in table.index:
                table.loc[city] = 0.0
            if not (unit == "xixian" and whole):
                table.loc[city] += table.loc[unit]
            table = table.drop(index=unit)
    if told["xixian"] == "apart" and whole:
        # the list's 西咸 lines leave the numerator of Xi'an, so its base must leave too
        if {"xian+xixian", "xixian"} <= given:
            table.loc["xian"] -= table.loc["xixian"]
        else:
            table = table.drop(index=[u for u in ("xian", "xixian") if u in table.index])
    return table


_NAMES = {c.id: c.name_zh for c in CITIES}


def _in_order(units: Iterable[str]) -> list[str]:
    present = set(units)
    found = [c.id for c in CITIES if c.id in present]
    # 西咸 follows Xi'an
    return [u for c in found for u in ((c, "xixian") if c == "xian" and "xixian" in present else (c,))] + (
        ["xixian"] if "xixian" in present and "xian" not in present else []
    )


def closing(
    list_: EmergencyList,
    table: pd.DataFrame,
    *,
    plan: Rule | str | Path | dt.date | None = None,
    areas: Mapping[str, str] | None = None,
    sensitivities: pd.Series | pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Lines that would close the gap of each city that fails, the most effective first.

    Greedy: in every step the line whose full stop moves its city nearest to the shares (sum over the pollutants of
    what it adds to the share, as far as that is missing), or with sensitivities the one with the largest impact among
    those that add anything, until the city passes or no line is left.

    Parameters
    ----------
    list_ : EmergencyList
    table : DataFrame
        From `compliance`; its level counts.
    plan, areas
        As given to `compliance`.
    sensitivities : Series or DataFrame, optional
        Index as ``list_.lines``: impact per kg d-1 of the line's emission (any one unit); a DataFrame has columns
        `POLLUTANTS`.

    Returns
    -------
    DataFrame
        One row a line to stop in full: city, place, enterprise, line_name, category, grade, SO2, NOx, PM, VOC (what is
        left to cut) [kg d-1], impact (NaN without sensitivities), then share_SO2 ... and joint_share of the city
        after this step [1], passes.

    Notes
    -----
    Industrial lines only: traffic and building sites are not stopped line by line.  Livelihood, idle and staggered
    lines are never asked, nor lines of grade A and above, which may act on their own.
    """
    level = str(table["level"].iloc[0])
    rule = plan_rule(plan)
    told = area_switch(areas)
    cut = cuts(list_, level, plan=rule)
    lines = list_.lines
    names = list(POLLUTANTS)
    base = lines[[f"base_{p}" for p in names]].fillna(0.0).to_numpy(dtype=np.float64)
    left = np.maximum(base - cut[names].to_numpy(dtype=np.float64), 0.0)
    unit = lines["area"].map(lambda a: AREAS[a][1] if told.get(a) == "with" else a).to_numpy()
    free = (~lines["kind"].isin(list(EXEMPT)) & ~lines["grade"].isin(FREE_GRADES)).to_numpy() & (left.sum(axis=1) > 0)
    free &= (lines["category"] == "industrial").to_numpy()
    impact = np.full(len(lines), np.nan)
    if sensitivities is not None:
        known = sensitivities.reindex(lines.index)
        each = (
            known[names].to_numpy(dtype=np.float64)
            if isinstance(known, pd.DataFrame)
            else known.to_numpy(np.float64)[:, None]
        )
        impact = np.nansum(left * each, axis=1)
    trading = [p in rule["joint"]["pollutants"] for p in names]
    rows: list[dict[str, Any]] = []
    for city, part in table.groupby("city", sort=False):
        if part["pass"].all():
            continue
        at = part.set_index("pollutant").loc[names]
        whole = at["base_kg_d"].to_numpy(dtype=np.float64)
        share = np.nan_to_num(at["share"].to_numpy(dtype=np.float64))
        required = at["required"].to_numpy(dtype=np.float64)
        joint = float(rule["joint"][level])
        candidates = np.flatnonzero(free & (unit == city))
        gain = np.divide(left[candidates], whole, out=np.zeros_like(left[candidates]), where=whole > 0)
        trade = np.array(trading)
        while len(candidates):
            short = np.where(trade, 0.0, np.maximum(required - share, 0.0))
            both = max(joint - share[trade].sum(), 0.0)
            if short.sum() <= SHARE_TOLERANCE and both <= SHARE_TOLERANCE:
                break
            useful = np.minimum(gain, short).sum(axis=1) + np.minimum(gain[:, trade].sum(axis=1), both)
            if useful.max() <= 0:
                break
            score = useful if sensitivities is None else np.where(useful > 0, impact[candidates], -np.inf)
            k = int(np.argmax(score))
            i = candidates[k]
            share = share + gain[k]
            candidates, gain = np.delete(candidates, k), np.delete(gain, k, axis=0)
            short = np.where(trade, 0.0, np.maximum(required - share, 0.0))
            rows.append(
                {
                    "city": city,
                    "place": lines.index[i],
                    **{c: lines[c].iat[i] for c in ("enterprise", "line_name", "category", "grade")},
                    **dict(zip(names, left[i], strict=True)),
                    "impact": impact[i],
                    **{f"share_{p}": s for p, s in zip(names, share, strict=True)},
                    "joint_share": float(share[trade].sum()),
                    "passes": bool((short <= SHARE_TOLERANCE).all() and share[trade].sum() >= joint - SHARE_TOLERANCE),
                }
            )
    columns = ["city", "place", "enterprise", "line_name", "category", "grade", *names, "impact"]
    columns += [*(f"share_{p}" for p in names), "joint_share", "passes"]
    return pd.DataFrame(rows, columns=columns)


#: Grades that may act on their own; they are not asked to close a gap.
FREE_GRADES = ("A", "A+", "引领性")


def check_level(file: str, level: str) -> None:
    """Refuse what is no level of a list."""
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
