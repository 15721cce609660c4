"""What is wrong or doubtful in a reduction list: every check in one pass, every finding with its cell.

An *error* makes the list wrong as an official table (a line twice, a code that fails its check digit, a cut above the
base...); a *warning* is for an engineer to look at.  Counting goes on over both, as the findings say; what keeps a list
from being counted at all is raised by `airsim.emergency.read`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from airsim import rules
from airsim.emergency import gcj02, measure_text
from airsim.emergency.all_society import all_society_base
from airsim.emergency.counting import BESIDE, EXEMPT, cuts
from airsim.emergency.plans import plan_rule
from airsim.emergency.reduction_list import EmergencyList
from airsim.emergency.wording import LEVELS, POLLUTANTS
from airsim.errors import Problem
from airsim.tables import normalise

if TYPE_CHECKING:
    from airsim.geography import Geography
    from airsim.inventory import Inventory
    from airsim.rules import Rule
from airsim.emergency.codes import code_fault
from airsim.emergency.positions import distance_to_county, shifted_lines

Severity = Literal["error", "warning"]
#: Tolerance of sums and orders: lists are rounded.
ROUNDING = 0.005


class Check(NamedTuple):
    """One kind of finding."""

    zh: str
    en: str
    severity: Severity


CHECKS: dict[str, Check] = {
    "unreadable": Check("无法读取", "cannot be read", "error"),
    "duplicate_line": Check("生产线重复", "line stands twice", "error"),
    "code_shared": Check("信用代码重复", "credit code of several names", "error"),
    "code_digits": Check("信用代码有误", "credit code fails", "error"),
    "code_missing": Check("缺信用代码", "credit code missing", "warning"),
    "cut_above_base": Check("减排量大于基数", "cut above base", "error"),
    "stopped_above_lines": Check("停产数多于总数", "more lines stopped than there are", "error"),
    "sum_of_lines": Check("分项之和与合计不符", "sum differs from total", "error"),
    "weaker_at_higher": Check("高级别减排弱于低级别", "weaker at a higher level", "error"),
    "livelihood_stopped": Check("保障类被停限产", "livelihood line cut", "error"),
    "idle_counted": Check("长期停产、错峰计入减排", "idle or staggered counted", "error"),
    "not_understood": Check("措施文字未识别", "measure not understood", "warning"),
    "not_quantified": Check("措施未量化", "measure without a figure", "warning"),
    "no_measure": Check("无任何措施", "no measure at any level", "warning"),
    "which_lines": Check("未写明停哪几条", "which lines stop is not said", "warning"),
    "no_base": Check("无基数", "no base emission", "warning"),
    "grade_unknown": Check("绩效等级无此级", "grade unknown to the rules", "warning"),
    "grade_measure": Check("措施与绩效等级不符", "measure below the grade's least", "warning"),
    "grade_several": Check("一企多级", "several grades in one enterprise", "warning"),
    "coordinates_missing": Check("缺坐标", "coordinates missing", "warning"),
    "coordinates_swapped": Check("经纬度填反", "longitude and latitude exchanged", "error"),
    "outside_county": Check("坐标在所填区县外", "outside its county", "warning"),
    "gcj02": Check("疑为 GCJ-02 坐标", "shifted like GCJ-02", "warning"),
    "above_city": Check("清单基数大于全社会", "base above the city's total", "warning"),
}


@dataclass(frozen=True)
class Finding:
    """One finding of one check.

    Attributes
    ----------
    check : str
        Key of `CHECKS`.
    severity : {"error", "warning"}
    problem : Problem
        With sheet!cell.
    """

    check: str
    severity: Severity
    problem: Problem


def check(
    list_: EmergencyList,
    inventory: Inventory | None = None,
    geography: Geography | None = None,
    *,
    plan: Rule | str | None = None,
    grades: str | None = None,
) -> tuple[Finding, ...]:
    """Run every check over a list.

    Parameters
    ----------
    list_ : EmergencyList
        From `airsim.emergency.examine` or `read`.
    inventory : Inventory, optional
        Without it the base is not compared with the city's total, nor coordinates with known ones.
    geography : Geography, optional
        Without it coordinates are not compared with counties.
    plan : Rule, str or path, optional
        Emergency plan whose counting rules apply.
    grades : str, optional
        Version of the grade rules; that of the plan's days if left out.

    Returns
    -------
    tuple of Finding
        Errors first, each in the order of the list.
    """
    rule = plan_rule(plan)
    found: list[Finding] = []

    def add(name: str, problem: Problem) -> None:
        found.append(Finding(name, CHECKS[name].severity, problem))

    for problem in list_.errors:
        add("duplicate_line" if "the same line stands at" in problem.allowed else "unreadable", problem)
    cut = {level: cuts(list_, level, plan=rule) for level in LEVELS}
    for part in (
        _codes(list_),
        _amounts(list_),
        _totals(list_),
        _levels(list_, cut),
        _exempt(list_),
        _words(list_, cut),
        _grades(list_, cut, grade_rule(rule, grades)),
        _coordinates(list_, inventory, geography),
        _above_city(list_, inventory, rule),
    ):
        for name, problem in part:
            add(name, problem)
    return tuple(sorted(found, key=lambda f: f.severity))


def table(findings: tuple[Finding, ...], lang: str = "zh") -> pd.DataFrame:
    """Return findings as a table: severity, check, cell, column, value, what is wrong; for sheets and CSV."""
    zh = lang == "zh"
    rows = [
        {
            "severity": {"error": "错误", "warning": "提示"}[f.severity] if zh else f.severity,
            "check": CHECKS[f.check].zh if zh else CHECKS[f.check].en,
            "cell": f.problem.where,
            "column": f.problem.key,
            "value": f.problem.value,
            "said": (f.problem.allowed_zh or f.problem.allowed) if zh else f.problem.allowed,
        }
        for f in findings
    ]
    return pd.DataFrame(rows, columns=["severity", "check", "cell", "column", "value", "said"])


def grade_rule(plan: Rule, version: str | None = None) -> Rule:
    """Return the grade rules: a version, or those in force in the first winter of the plan (none before 2019: 2019)."""
    if version is not None:
        return rules.load("grades", version=version)
    named = dict(plan.values).get("grades")
    return rules.load("grades", version=str(named) if named else "2019")


Findings = Iterator[tuple[str, Problem]]


# --------------------------------------------------------------------------------------------------------
# identifiers


def _codes(list_: EmergencyList) -> Findings:
    lines = list_.lines
    codes = lines["credit_code"]
    first: dict[str, str] = {}
    names: dict[str, tuple[str, str]] = {}
    refused = {p.where for p in list_.errors if p.key == "credit_code"}
    for place, code, name, category in zip(lines.index, codes, lines["enterprise"], lines["category"], strict=True):
        if not code:
            continue
        if code not in first:
            first[code] = str(place)
            fault = code_fault(code)
            if fault:
                yield "code_digits", list_.problem(str(place), "credit_code", code, *fault)
        if category != "industrial":
            continue
        other, known = names.setdefault(code, (str(place), name))
        if _plain_name(known) != _plain_name(name):
            at = list_.cell(other, "enterprise")
            said = f"is already the code of {known} ({at})"
            yield "code_shared", list_.problem(str(place), "credit_code", code, said, f"该代码已用于 {known}（{at}）")
    for sheet, columns in list_.columns.items():
        if "credit_code" not in columns:
            continue
        mine = lines[(lines["sheet"] == sheet) & (lines["category"] == "industrial") & (lines["kind"] != "small")]
        missing = mine.index[(mine["credit_code"] == "").to_numpy()]
        if len(missing) == len(mine) > 1:
            said, said_zh = f"the column is empty in all {len(mine)} rows", f"该列 {len(mine)} 行全空"
            yield "code_missing", list_.problem(str(missing[0]), "credit_code", "", said, said_zh)
            continue
        for name, places in _by_enterprise(list_, missing):
            if list_.cell(places[0], "credit_code") not in refused:
                said, said_zh = "no credit code", "未填统一社会信用代码"
                yield "code_missing", list_.problem(places[0], "credit_code", name, said, said_zh)


def _plain_name(name: str) -> str:
    # 甲公司(2号线) and 甲公司 are one enterprise
    return re.sub(r"\(.*?\)", "", normalise(name))


def _by_enterprise(list_: EmergencyList, places: pd.Index) -> Iterator[tuple[str, list[str]]]:
    """Group places by enterprise, in the order of the list."""
    part = list_.lines.loc[places]
    for (_, name), group in part.groupby(["city", "enterprise"], sort=False):
        yield str(name), [str(p) for p in group.index]


# --------------------------------------------------------------------------------------------------------
# amounts


def _amounts(list_: EmergencyList) -> Findings:
    lines: Any = list_.lines
    for level in LEVELS:
        for p in POLLUTANTS:
            stated, base = lines[f"{level}_cut_{p}"], lines[f"base_{p}"].fillna(0.0)
            for place in lines.index[(stated > base * (1 + 1e-9) + 1e-9).to_numpy()]:
                value = f"{stated[place]:g}"
                said = f"exceeds the line's own base {base[place]:g} kg/d; only the base is counted"
                said_zh = f"大于该生产线基数 {base[place]:g} kg/d，按基数计"
                yield "cut_above_base", list_.problem(str(place), f"{level}_cut_{p}", value, said, said_zh)
        number = lines["lines"].fillna(1.0)
        for place in lines.index[(lines[f"{level}_stopped"] > number).to_numpy()]:
            value = f"{lines.at[place, f'{level}_stopped']:g}"
            said = f"more lines stopped than the {number[place]:g} there are; all are counted as stopped"
            said_zh = f"停产数多于总数 {number[place]:g}，按全部停产计"
            yield "stopped_above_lines", list_.problem(str(place), f"{level}_stopped", value, said, said_zh)
    base = lines[[f"base_{p}" for p in POLLUTANTS]].fillna(0.0).sum(axis=1)
    for place in lines.index[((base <= 0) & ~lines["kind"].isin(["idle"])).to_numpy()]:
        name = lines.at[place, "enterprise"]
        yield (
            "no_base",
            list_.problem(
                str(place), "base_SO2", name, "no base emission of any pollutant", "各项污染物基数均为空或 0"
            ),
        )


def _totals(list_: EmergencyList) -> Findings:
    """Compare rows of totals with the sum of the rows they stand for."""
    lines = list_.lines
    names = [c for c in lines.columns if c.startswith("base_") or "_cut_" in c]
    by_sheet = dict(list(lines.groupby("sheet", sort=False)))
    sheet: Any
    for sheet, totals in list_.totals.groupby("sheet", sort=False) if len(list_.totals) else ():
        rows = by_sheet.get(sheet)
        if rows is None:
            continue
        since = 0
        for total in totals.to_dict("records"):
            if total["scope"] == "enterprise":
                mine = rows[rows["enterprise"] == total["enterprise"]]
                whole = mine
            else:
                above = rows[rows["row"] < total["row"]]
                mine, whole = above[above["row"] > since], above
                since = int(total["row"])
                if mine.empty:
                    mine = whole
            for name in names:
                said = total.get(name)
                if said is None or not np.isfinite(said) or (mine.empty and whole.empty):
                    continue
                sums = [float(part[name].fillna(0.0).sum()) for part in (mine, whole)]
                # a sheet's total may stand for all of it, or for what follows the total above; at its head, for what
                # comes below
                if total["scope"] == "sheet":
                    sums.append(float(rows[name].fillna(0.0).sum()))
                if not any(abs(said - s) <= ROUNDING * max(abs(s), abs(said)) + 0.05 for s in sums):
                    cell = str(total["place"])
                    column = list_.columns.get(str(sheet), {}).get(name)
                    if column is not None and sheet:
                        from airsim.tables import column_letter

                        cell = f"{sheet}!{column_letter(column)}{total['row']}"
                    who = total["enterprise"] or total["word"]
                    yield "sum_of_lines", Problem(
                        list_.file, cell, name, f"{said:g}",
                        f"the lines of {who} add up to {sums[0]:g} kg/d",
                        f"{who} 各生产线之和为 {sums[0]:g} kg/d",
                    )  # fmt: skip


def _levels(list_: EmergencyList, cut: dict[str, pd.DataFrame]) -> Findings:
    lines = list_.lines
    names = list(POLLUTANTS)
    for milder, stricter in (("yellow", "orange"), ("orange", "red")):
        a, b = (cut[level][names].to_numpy(dtype=np.float64) for level in (milder, stricter))
        told = ~cut[stricter]["how"].isin(["not understood", "not quantified"]).to_numpy()
        weaker = (b < a * (1 - 1e-6) - 1e-6) & told[:, None]
        for i in np.flatnonzero(weaker.any(axis=1)):
            place, k = str(lines.index[int(i)]), int(np.argmax(weaker[i]))
            p = names[k]
            key = f"{stricter}_cut_{p}"
            if not np.isfinite(lines[key].to_numpy(dtype=np.float64)[i]):
                key = f"{stricter}_text"
            said = f"{stricter} cuts less than {milder} ({a[i, k]:g} kg/d)"
            said_zh = f"高级别减排量小于低级别（{a[i, k]:g} kg/d）"
            yield "weaker_at_higher", list_.problem(place, key, f"{p} {b[i, k]:g}", said, said_zh)


def _exempt(list_: EmergencyList) -> Findings:
    lines = list_.lines
    for level in LEVELS:
        stated = lines[[f"{level}_cut_{p}" for p in POLLUTANTS]].fillna(0.0).sum(axis=1) > 0
        stopped = lines[f"{level}_stopped"].fillna(0.0) > 0
        words = lines[f"{level}_text"].map(lambda t: _cuts_in_words(measure_text.parse(t)))
        for kind in EXEMPT:
            of_kind = (lines["kind"] == kind).to_numpy()
            # an idle line may well be told to stay stopped; only kilograms would be counted twice
            told = stated | stopped | words if kind == "livelihood" else stated
            for place in lines.index[of_kind & told.to_numpy()]:
                key = f"{level}_text" if not stated[place] else f"{level}_cut_SO2"
                value = lines.at[place, f"{level}_text"]
                if kind == "livelihood":
                    said = "a livelihood line is told to stop or cut; it gives no reduction and should be kept"
                    said_zh = "保障类生产线不应停限产，不计减排"
                    yield "livelihood_stopped", list_.problem(str(place), key, value, said, said_zh)
                else:
                    said = "an idle or staggered line gives no reduction; not counted"
                    yield (
                        "idle_counted",
                        list_.problem(str(place), key, value, said, "长期停产、错峰停产生产线不计减排"),
                    )


def _cuts_in_words(text: measure_text.MeasureText) -> bool:
    return text.understood and text.kind in {"stop", "limit", "lines", "keep", "coking"}


def _words(list_: EmergencyList, cut: dict[str, pd.DataFrame]) -> Findings:
    lines = list_.lines
    nothing = np.ones(len(lines), dtype=bool)
    for level in LEVELS:
        how = cut[level]["how"]
        texts = lines[f"{level}_text"]
        nothing &= (texts == "").to_numpy() & (how == "text").to_numpy()
        for place in lines.index[(how == "not understood").to_numpy()]:
            said = "not understood and no cut stated; counted as no cut"
            yield (
                "not_understood",
                list_.problem(
                    str(place), f"{level}_text", texts[place], said, "措施文字未能识别且未填减排量，按不减排计"
                ),
            )
        for place in lines.index[(how == "not quantified").to_numpy()]:
            parsed = measure_text.parse(texts[place])
            what = measure_text.KINDS.get(parsed.kind, parsed.kind)
            said, said_zh = (
                (f"names {parsed.unit}, and the row is not that alone", f"措施针对 {parsed.unit}，该行并非单指此工序")
                if parsed.unit and parsed.kind not in BESIDE
                else (
                    f"understood ({parsed.kind}), but the words give no figure",
                    f"已识别（{what}），但文字未给出减排比例",
                )
            )
            said += "; counted as no cut, state the reduction"
            said_zh += "，按不减排计，请填减排量"
            yield "not_quantified", list_.problem(str(place), f"{level}_text", texts[place], said, said_zh)
        grouped = lines.index[
            ((how == "text") & (cut[level]["of_lines"] > lines["lines"].fillna(1.0).clip(lower=1.0))).to_numpy()
        ]
        for name, places in _by_enterprise(list_, grouped):
            counted: Any = cut[level].loc[places[0]]
            n, share = int(counted["of_lines"]), float(counted["stopped_share"])
            said = f"{name}: {n} lines in a row each; {n * share:.3g} of {n} counted, each by the same share"
            said_zh = f"{name} 的 {n} 条生产线分行填报，按 {n} 条中停 {n * share:.3g} 条、各条同比例计"
            yield "which_lines", list_.problem(places[0], f"{level}_text", texts[places[0]], said, said_zh)
    idle = lines["kind"].isin(list(EXEMPT)).to_numpy()
    free = lines["grade"].isin(["A", "A+", "引领性"]).to_numpy()
    for place in lines.index[nothing & ~idle & ~free]:
        said, said_zh = "no measure at any level; counted as no cut", "各级别均无措施，按不减排计"
        yield "no_measure", list_.problem(str(place), "red_text", lines.at[place, "enterprise"], said, said_zh)


# --------------------------------------------------------------------------------------------------------
# grades


def _grades(list_: EmergencyList, cut: dict[str, pd.DataFrame], rule: Rule) -> Findings:
    """Compare each enterprise's cut with the least its grade asks, by the dated grade rules."""
    # packs of small enterprises carry a grade for the whole pack, which no rule knows
    lines = list_.lines[((list_.lines["category"] == "industrial") & (list_.lines["kind"] != "small")).to_numpy()]
    order = list(rule["grades"])
    known = set(order) | {""}
    flag, flag_zh = f" (rules {rule.version}, {rule.status})", f"（{rule.title_zh}，{rules.STATUS_ZH[rule.status]}）"
    graded = lines[(lines["grade"] != "") & ~lines["grade_local"] & ~lines["kind"].isin(list(EXEMPT))]
    unknown = graded[~graded["grade"].isin(known)]
    for name, places in _by_enterprise(list_, unknown.index):
        grade = str(lines.at[places[0], "grade"])
        allowed = ", ".join(order)
        said_zh = f"{name} 的等级不在 {'、'.join(order)} 之内{flag_zh}"
        yield "grade_unknown", list_.problem(places[0], "grade", grade, f"must be one of {allowed}{flag}", said_zh)
    graded = graded[graded["grade"].isin(order)]
    if graded.empty:
        return
    names = list(POLLUTANTS)
    position = graded["grade"].map(order.index).to_numpy()
    key = graded["city"] + "\x1f" + graded["enterprise"]
    if not rule["weakest_grade"]:
        key = key + "\x1f" + graded["grade"]
    group, _ = pd.factorize(key)
    count = int(group.max()) + 1
    weakest, best = np.zeros(count, dtype=int), np.full(count, len(order))
    np.maximum.at(weakest, group, position)
    np.minimum.at(best, group, position)
    first = np.unique(group, return_index=True)[1]

    def by_group(values: Any) -> Any:
        out = np.zeros((count, len(names)))
        np.add.at(out, group, values)
        return out

    base = by_group(graded[[f"base_{p}" for p in names]].fillna(0.0).to_numpy(dtype=np.float64))
    share, dark = {}, {}
    for level in LEVELS:
        mine = cut[level].loc[graded.index]
        gone = by_group(mine[names].to_numpy(dtype=np.float64))
        share[level] = np.divide(gone, base, out=np.zeros_like(gone), where=base > 0).max(axis=1)
        # what is not understood is a finding of its own
        dark[level] = np.zeros(count, dtype=bool)
        np.logical_or.at(dark[level], group, mine["how"].isin(["not understood", "not quantified"]).to_numpy())
    sectors = (graded["sector"] + " " + graded["subsector"]).tolist()
    for g in range(count):
        place, grade = str(graded.index[int(first[g])]), order[weakest[g]]
        if best[g] != weakest[g]:
            grades = [order[k] for k in sorted(set(position[group == g]))]
            said = f"holds lines graded {', '.join(grades)}; the weakest, {grade}, counts for all{flag}"
            said_zh = f"同一企业含 {'、'.join(grades)} 级，按短板原则取 {grade}{flag_zh}"
            yield "grade_several", list_.problem(place, "grade", lines.at[place, "enterprise"], said, said_zh)
        least = _least(rule, grade, sectors[first[g]])
        for level in LEVELS:
            if least[level] <= 0 or dark[level][g] or not base[g].any():
                continue
            if share[level][g] < least[level] - 1e-6:
                said = f"grade {grade} asks for at least {least[level]:.0%} at {level}{flag}"
                said_zh = f"{grade} 级在该级别至少应减 {least[level]:.0%}{flag_zh}"
                value = f"{grade} {share[level][g]:.0%}"
                yield "grade_measure", list_.problem(place, f"{level}_text", value, said, said_zh)
                break


def _least(rule: Rule, grade: str, sector: str) -> dict[str, float]:
    for industry, by_grade in rule["industries"].items():
        if industry in sector and grade in by_grade:
            return {level: float(by_grade[grade][level]) for level in LEVELS}
    least = rule["least"].get(grade)
    return {level: float(least[level]) if least else 0.0 for level in LEVELS}


# --------------------------------------------------------------------------------------------------------
# coordinates


def _coordinates(list_: EmergencyList, inventory: Inventory | None, geography: Geography | None) -> Findings:
    if not any({"longitude", "lonlat"} & set(c) for c in list_.columns.values()):
        return
    lines: Any = list_.lines[list_.lines["category"] == "industrial"]
    located = lines[lines["longitude"].notna() & lines["latitude"].notna()]
    missing = lines.index[~lines.index.isin(located.index) & (lines["kind"] != "small").to_numpy()]
    for name, places in _by_enterprise(list_, missing):
        yield "coordinates_missing", list_.problem(places[0], "longitude", name, "no coordinates", "缺经纬度")
    if located.empty or geography is None:
        return
    lon, lat = located["longitude"].to_numpy(float), located["latitude"].to_numpy(float)
    swapped = (lon > 20) & (lon < 55) & (lat > 70) & (lat < 136)
    for place, x, y in zip(located.index[swapped], lon[swapped], lat[swapped], strict=True):
        said = "longitude and latitude are exchanged"
        yield "coordinates_swapped", list_.problem(str(place), "longitude", f"{x:g}, {y:g}", said, "经度与纬度填反")
    located, lon, lat = located[~swapped], lon[~swapped], lat[~swapped]
    shifted, whole_list = shifted_lines(list_, inventory, geography)
    if whole_list:
        first = str(located.index[0])
        said = "the coordinates of the whole list are shifted like GCJ-02 (web maps); WGS84 is expected, --fix converts"
        said_zh = "整份清单坐标整体偏移，疑为 GCJ-02（高德、腾讯地图）；应为 WGS84/CGCS2000，可用 --fix 转换"
        yield "gcj02", list_.problem(first, "longitude", f"{len(located)}", said, said_zh)
        lon, lat = gcj02.to_wgs84(lon, lat)
    else:
        for place in shifted:
            value = f"{lines.at[place, 'longitude']:g}, {lines.at[place, 'latitude']:g}"
            said = "lies where GCJ-02 (web maps) would put this enterprise's known place"
            yield "gcj02", list_.problem(place, "longitude", value, said, "与已知位置相差恰为 GCJ-02 偏移")
    yield from _outside(list_, located, lon, lat, geography)


def _outside(list_: EmergencyList, located: pd.DataFrame, lon: Any, lat: Any, geography: Geography) -> Findings:
    from airsim.inventory.checks import COUNTY_TOLERANCE

    away, named = distance_to_county(located, lon, lat, geography)
    for k in np.flatnonzero(away > COUNTY_TOLERANCE).tolist():
        value = f"{lon[k]:g}, {lat[k]:g}"
        said = f"lies {away[k] / 1000:.1f} km outside {named[k]} (5 km are allowed)"
        said_zh = f"坐标距 {named[k]} 边界 {away[k] / 1000:.1f} 公里（容许 5 公里）"
        yield "outside_county", list_.problem(str(located.index[k]), "longitude", value, said, said_zh)


# --------------------------------------------------------------------------------------------------------
# the city as a whole


def _above_city(list_: EmergencyList, inventory: Inventory | None, rule: Rule) -> Findings:
    if inventory is None:
        return
    society: Any = all_society_base(inventory, pm_is=rule["counting"]["pm_is"])
    lines = list_.lines
    listed: Any = lines[[f"base_{p}" for p in POLLUTANTS]].fillna(0.0).groupby(lines["city"]).sum()
    for city in listed.index:
        if city not in society.index:
            continue
        for p in POLLUTANTS:
            mine, whole = float(listed.at[city, f"base_{p}"]), float(society.at[city, p])
            if mine > whole * (1 + ROUNDING):
                first = str(lines.index[lines["city"] == city][0])
                yield "above_city", Problem(
                    list_.file, str(lines.at[first, "sheet"]), f"base_{p}", f"{city} {mine:,.0f}",
                    f"the list's base is above the inventory's total of the city, {whole:,.0f} kg/d",
                    f"清单基数之和大于排放清单中该市全社会排放量 {whole:,.0f} kg/d",
                )  # fmt: skip
