"""The verdict on a reduction list, or on a forecast, as a page whose workbook can be handed in as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from airsim.emergency import measure_text
from airsim.emergency.checks import CHECKS, Finding
from airsim.emergency.reduction_list import EmergencyList
from airsim.emergency.wording import AREAS, CATEGORIES, KINDS, LEVELS, POLLUTANTS
from airsim.output import findings, words
from airsim.output.page import Grid, Page, Section
from airsim.output.words import Text
from airsim.rules import STATUS_ZH

if TYPE_CHECKING:
    from airsim.emergency.verdict import Verdict

#: So many findings, notes and forecast rows are printed; the workbook holds all.
_PRINTED = 30
#: So many of the lines that close a city's gap are named in a sentence.
_NAMED = 5
_HOW = {
    "stated": Text("按填报减排量", "as stated"),
    "lines": Text("按停产条数", "by lines stopped"),
    "share": Text("按填报比例", "by stated share"),
    "text": Text("按措施文字", "by the words"),
    "exempt": Text("不计减排", "exempt"),
    "not quantified": Text("未量化，按零计", "no figure, counted as none"),
    "not understood": Text("未识别，按零计", "not understood, counted as none"),
}
_SEVERITIES = {"error": Text("错误", "error"), "warning": Text("提示", "warning")}


def page(verdict: Verdict) -> Page:
    """Return the page: what was read, the shares of every level, what closes the gap, findings, the forecast.

    Parameters
    ----------
    verdict : Verdict
    """
    list_ = verdict.list_
    forecast = [] if verdict.calls is None else [Section("forecast", _FORECAST, grids=[_calls(verdict.calls)])]
    if list_ is None:
        return Page(_FORECAST, Text("时间为北京时间", "times are Beijing time"), [], [], forecast)
    level, plan = words.LEVELS[verdict.level], verdict.plan
    notices = []
    if list_.illustrative:
        notices.append(
            Text("本清单为示例，其措施未公布。", "This list is illustrative, its measures are not published.")
        )
    if list_.synthetic:
        notices.append(Text("本清单为合成数据。", "This list is synthetic."))
    sections = [
        Section("shares", Text("减排比例", "Shares"), grids=[_by_city(verdict), _by_category(verdict)]),
        Section("gap", Text("补齐差额", "Closing the gap"), [_gap_note(verdict)], grids=[_gap(verdict)]),
        Section("enterprises", Text("一厂一策", "By enterprise"), grids=[_lines(verdict, list_)]),
        Section("findings", Text("清单核查", "Findings"), grids=[_findings(verdict.findings)]),
        Section(
            "reading", Text("读取", "Reading"), grids=[_sheets(list_), _notes(list_), _headers(list_), _measures(list_)]
        ),
        *forecast,
    ]
    return Page(
        Text(f"减排清单核算：{list_.file}", f"Reduction list: {list_.file}"),
        Text(f"{level.zh}：{plan.title_zh}", f"{level.en}: {plan.title_en}"),
        notices,
        _answers(verdict),
        [
            Section(s.key, s.title, s.words, grids=kept)
            for s in sections
            if (kept := [g for g in s.grids if g.rows]) or s.words
        ],
    )


def unit(identifier: str) -> Text:
    """Return what a statistical unit is called."""
    return Text(AREAS["xixian"][0], "Xixian") if identifier == "xixian" else words.city(identifier)


def level_name(level: str) -> Text:
    """Return what the level that a forecast calls for is named: blue existed until 2018, "" is none."""
    return {**words.LEVELS, "blue": Text("蓝色预警（Ⅳ级响应）", "blue alert (level IV)"), "": Text("无", "none")}[level]


def seal(verdict: Verdict) -> Text:
    """Return by what rules a list was counted: rule file, version, days in force, digest, source, units, basis."""
    plan, said = verdict.plan, verdict.tables[verdict.level].attrs
    about = plan.about(f"shares.{verdict.level}")
    status = plan.weakest_status(f"shares.{verdict.level}")
    source = about[0].source if about else plan.source
    return Text(
        f"核算依据：{plan.title_zh}（规则文件 emergency，版本 {plan.version}，自 {plan.start} 起施行，"
        f"摘要 {plan.digest[:12]}）。减排比例出处（{STATUS_ZH[status]}）：{source}。"
        f"统计口径：{said['areas_zh']}；{said['basis_zh']}。",
        f"Counted by: {plan.title_en} (rule file emergency, version {plan.version}, in force from {plan.start}, "
        f"digest {plan.digest[:12]}). Source of the shares ({status}): {source}. "
        f"Statistical units: {said['areas']}; {said['basis']}.",
    )


def _answers(verdict: Verdict) -> list[Text]:
    """Return who passes, what closes each gap, and how many findings there are."""
    passed = verdict.tables[verdict.level].groupby("city", sort=False)["pass"].all()
    good, bad = ([unit(str(c)) for c in passed.index[flags]] for flags in (passed, ~passed))
    told = [
        Text(
            f"全部达标：{'、'.join(g.zh for g in good) or '无'}；未达标：{'、'.join(b.zh for b in bad) or '无'}。",
            f"Reach all shares: {', '.join(g.en for g in good) or 'none'}; "
            f"fail: {', '.join(b.en for b in bad) or 'none'}.",
        )
    ]
    for city, part in verdict.closing.groupby("city", sort=False):
        told.append(_closing(unit(str(city)), part))
    for severity, name in _SEVERITIES.items():
        mine = pd.Series([f.check for f in verdict.findings if f.severity == severity], dtype=str)
        kinds = [(CHECKS[str(k)], n) for k, n in mine.value_counts().items()]
        zh, en = "，".join(f"{c.zh} {n}" for c, n in kinds), ", ".join(f"{c.en} {n}" for c, n in kinds)
        told.append(
            Text(f"清单核查{name.zh} {len(mine)} 条：{zh}。", f"{len(mine)} {name.en}s in the list: {en}.")
            if kinds
            else Text(f"清单核查{name.zh}：无。", f"{name.en.capitalize()}s in the list: none.")
        )
    if verdict.changes is not None:
        n = len(verdict.changes)
        told.append(Text(f"清理后的副本共更改 {n} 处。", f"The cleaned copy has {n} changes."))
    return told


def _closing(city: Text, part: pd.DataFrame) -> Text:
    """Return in a sentence which lines would close the gap of a city."""
    n = len(part)
    named = [
        f"{r['place']} {r['enterprise']} {r['line_name']} ("
        + ", ".join(f"{p} {r[p]:,.0f}" for p in POLLUTANTS if r[p] >= 0.5)
        + " kg/d)"
        for r in part.head(_NAMED).to_dict("records")
    ]
    zh, en = "；".join(named) + ("；……" if n > _NAMED else "。"), "; ".join(named) + ("; ..." if n > _NAMED else ".")
    if bool(part.iloc[-1]["passes"]):
        return Text(
            f"{city.zh}：再停 {n} 条生产线可达标，依次为：{zh}",
            f"{city.en}: {n} more lines stopped would do, in order: {en}",
        )
    return Text(
        f"{city.zh}：清单内可停的 {n} 条工业生产线全停仍不达标：{zh}",
        f"{city.en}: all {n} lines that could stop are not enough: {en}",
    )


def _pollutant(identifier: str) -> Text:
    return words.name(words.POLLUTANTS, identifier)


def _by_city(verdict: Verdict) -> Grid:
    """Return the shares of every city, pollutant and level, the level asked about first."""
    levels = [verdict.level, *(lv for lv in reversed(LEVELS) if lv != verdict.level)]
    rows = [
        [
            unit(row["city"]),
            words.LEVELS[level],
            _pollutant(row["pollutant"]),
            *(row[c] for c in ("base_kg_d", "list_base_kg_d", "cut_kg_d", "share", "required")),
            *(row[c] for c in ("joint_share", "joint_required")),
            words.VERDICTS[int(row["pass"])],
            row["missing_kg_d"] or np.nan,
        ]
        for level in levels
        for row in verdict.tables[level].to_dict("records")
    ]
    heads = words.heads(
        "城市|city", "预警级别|level", "污染物|pollutant", "全社会排放量 kg/d|all-society kg/d",
        "清单基数 kg/d|list base kg/d", "减排量 kg/d|cut kg/d", "减排比例|share", "要求|required",
        "SO₂+NOx 之和|SO₂ + NOx", "联合要求|joint required", "是否达标|verdict", "尚差 kg/d|missing kg/d",
    )  # fmt: skip
    digits = [0, 0, 0, 0, 0, 0, -2, -2, -2, -2, 0, 0]
    shown = len(verdict.tables[verdict.level])
    return Grid(Text("分城市核算", "By city"), heads, rows, digits, seal(verdict), printed=shown)


def _by_category(verdict: Verdict) -> Grid:
    rows = []
    for level in LEVELS:
        for row in verdict.tables[level].to_dict("records"):
            cells: list[Any] = [unit(row["city"]), words.LEVELS[level], _pollutant(row["pollutant"])]
            for key in CATEGORIES:
                cut, base = row[f"{key}_kg_d"], row["base_kg_d"]
                cells += [cut, cut / base if base > 0 else np.nan]
            rows.append(cells)
    heads = words.heads("城市|city", "预警级别|level", "污染物|pollutant")
    for key, zh in CATEGORIES.items():
        heads += words.heads(f"{zh}减排 kg/d|{key} cut kg/d", f"{zh}贡献比例|{key} share")
    return Grid(
        Text("分源核算", "By category"), heads, rows, [0, 0, 0, *[0, -2] * len(CATEGORIES)], seal(verdict), folded=True
    )


def _gap_note(verdict: Verdict) -> Text:
    level = words.LEVELS[verdict.level]
    if verdict.closing.empty:
        return Text(
            f"{level.zh}：无需补齐，或清单内无可再停的生产线。",
            f"{level.en}: nothing to close, or no line left to stop.",
        )
    return Text(
        f"{level.zh}：按补齐作用由大到小逐条全停工业生产线，直至达标；"
        "不动用保障类、长期停产、错峰和 A 级（引领性）企业。",
        f"{level.en}: industrial lines stopped in full, most effective first, until the city passes; livelihood, "
        "idle and staggered lines and grade A are left alone.",
    )


def _gap(verdict: Verdict) -> Grid:
    names = [_pollutant(p) for p in POLLUTANTS]
    rows = [
        [
            unit(str(city)),
            k,
            *(str(row[c]) for c in ("place", "enterprise", "line_name", "grade")),
            *(row[p] for p in POLLUTANTS),
            *(row[f"share_{p}"] for p in POLLUTANTS),
            row["joint_share"],
            words.VERDICTS[int(row["passes"])],
        ]
        for city, part in (verdict.closing.groupby("city", sort=False) if len(verdict.closing) else ())
        for k, row in enumerate(part.to_dict("records"), start=1)
    ]
    heads = words.heads(
        "城市|city", "顺序|order", "清单位置|place", "企业|enterprise", "生产线|line", "绩效等级|grade",
        *(f"新增 {n.zh} kg/d|adds {n.en} kg/d" for n in names),
        *(f"{n.zh} 累计比例|{n.en} share after" for n in names),
        "SO₂+NOx 累计|SO₂ + NOx after", "是否达标|verdict",
    )  # fmt: skip
    digits = [*[0] * 6, *[1] * len(names), *[-2] * len(names), -2, 0]
    return Grid(Text("补齐差额", "Closing the gap"), heads, rows, digits, _gap_note(verdict))


def _lines(verdict: Verdict, list_: EmergencyList) -> Grid:
    """Return every line with its base, and its measure and cut at every level."""
    names = [_pollutant(p) for p in POLLUTANTS]
    heads = words.heads(
        "清单位置|place", "城市|city", "县(市、区)|county", "企业|enterprise", "统一社会信用代码|credit code",
        "行业|sector", "类型|kind", "绩效等级|grade", "生产线|line", "数量|lines",
        *(f"{n.zh} 基数 kg/d|{n.en} base kg/d" for n in names),
    )  # fmt: skip
    levels = list(reversed(LEVELS))
    for level in levels:
        zh, en = words.LEVELS[level].zh.split("（")[0], words.LEVELS[level].en.split(" (")[0]
        heads += words.heads(f"{zh} 措施|{en} measure", f"{zh} 计法|{en} counted")
        heads += words.heads(*(f"{zh} {n.zh} kg/d|{en} {n.en} kg/d" for n in names))
    cut = {lv: verdict.cuts[lv][list(POLLUTANTS)].to_numpy(dtype=np.float64).tolist() for lv in levels}
    how = {lv: [_HOW[h] for h in verdict.cuts[lv]["how"]] for lv in levels}
    units = {a: unit(a) for a in list_.lines["area"].unique()}
    rows = []
    for i, (place, r) in enumerate(zip(list_.lines.index, list_.lines.to_dict("records"), strict=True)):
        category = r["category"]
        cells: list[Any] = [
            str(place),
            units[r["area"]],
            *(str(r[c]) for c in ("county", "enterprise", "credit_code")),
            str(r["sector"]) if r["sector"] else Text(CATEGORIES[category], category),
            Text(KINDS[r["kind"]], r["kind"]),
            str(r["grade"]),
            str(r["line_name"]),
            r["lines"],
            *(r[f"base_{p}"] for p in POLLUTANTS),
        ]
        for level in levels:
            cells += [str(r[f"{level}_text"]), how[level][i], *cut[level][i]]
        rows.append(cells)
    digits = [*[0] * 10, *[1] * len(names), *[0, 0, *[1] * len(names)] * len(levels)]
    return Grid(Text("一厂一策", "By enterprise"), heads, rows, digits, folded=True)


def _findings(findings: tuple[Finding, ...]) -> Grid:
    rows = [
        [
            name, Text(CHECKS[f.check].zh, CHECKS[f.check].en), f.problem.where, f.problem.key, f.problem.value,
            Text(f.problem.allowed_zh or f.problem.allowed, f.problem.allowed),
        ]
        for severity, name in _SEVERITIES.items()
        for f in findings
        if f.severity == severity
    ]  # fmt: skip
    heads = words.heads("类别|severity", "检查项|check", "单元格|cell", "列|column", "值|value", "说明|what is wrong")
    return Grid(Text("清单核查问题", "Findings"), heads, rows, [0] * 6, printed=_PRINTED)


def _sheets(list_: EmergencyList) -> Grid:
    """Return what was recognised of every sheet."""
    rows: list[list[Any]] = []
    counts = list_.lines.groupby("sheet", sort=False).size()
    for sheet, part in list_.recognised.groupby("sheet", sort=False):
        ignored = [str(h) for h in part.loc[part["column"] == "", "header"]]
        named = "、".join(ignored[:12]) + ("…" if len(ignored) > 12 else "")
        used = len(part) - len(ignored)
        rows.append([str(sheet) or list_.file, int(counts.get(sheet, 0)), used, len(ignored), named])
    heads = words.heads(
        "工作表|sheet", "条数|lines", "识别列数|columns recognised", "未使用列数|not used", "未使用的列|which"
    )
    return Grid(Text("读取情况", "What was read"), heads, rows, [0] * 5, printed=_PRINTED)


def _notes(list_: EmergencyList) -> Grid:
    rows = [[Text(n.text("zh"), n.text("en"))] for n in list_.notes]
    title = Text("读取清单时的提示", "Notes on reading the list")
    return Grid(title, [Text("提示", "note")], rows, [0], printed=_PRINTED)


def _headers(list_: EmergencyList) -> Grid:
    rows = [[str(v) for v in row] for row in list_.recognised.itertuples(index=False)]
    heads = words.heads(
        "工作表|sheet", "单元格|cell", "表头|header", "识别为（空为未使用）|read as (empty: not used)", "单位|unit"
    )
    return Grid(Text("表头识别", "Headers"), heads, rows, [0] * 5, folded=True)


def _measures(list_: EmergencyList) -> Grid:
    """Return how every wording of a measure was read."""
    rows: list[list[Any]] = []
    for text, count in pd.concat([list_.lines[f"{lv}_text"] for lv in LEVELS]).value_counts().items():
        parsed = measure_text.parse(str(text))
        share = f" {parsed.share:.0%}" if parsed.kind == "limit" else ""
        by_line = Text("（以生产线计）", " by line") if parsed.by_line else Text("", "")
        read = Text(measure_text.KINDS[parsed.kind] + share + by_line.zh, parsed.kind + share + by_line.en)
        rows.append([str(text), int(count), read if parsed.understood else Text("未识别", "not understood")])
    heads = words.heads("措施文字|measure", "条次|times", "识别为|read as")
    return Grid(Text("措施识别", "Measures as read"), heads, rows, [0] * 3, folded=True)


_FORECAST = Text("预报对应的预警级别", "Alert that the forecast calls for")


def _calls(calls: pd.DataFrame) -> Grid:
    rows = [
        [
            unit(r["city"]),
            Text(
                f"{r['plan']} {r['plan_title_zh']}（{STATUS_ZH[r['plan_status']]}）",
                f"{r['plan']} {r['plan_title_en']} ({r['plan_status']})",
            ),
            level_name(r["level"]),
            Text(r["condition_zh"], r["condition"]),
            "—" if pd.isna(r["start"]) else findings.beijing(r["start"]),
            "—" if pd.isna(r["end"]) else findings.beijing(r["end"]),
            r["peak"],
            *(r[f"hours_above_{v}"] for v in (150, 200, 300)),
        ]
        for r in calls.to_dict("records")
    ]
    heads = words.heads(
        "城市|city", "预案（出处）|plan (status)", "应启动预警|calls for", "依据条件|condition", "起|from", "止|until",
        "AQI 峰值|peak AQI", ">150 小时|h > 150", ">200 小时|h > 200", ">300 小时|h > 300",
    )  # fmt: skip
    note = Text("按任意连续 24 小时均值判断；时间为北京时间", "by running 24 h means; times are Beijing time")
    return Grid(Text("预警研判", "Forecast"), heads, rows, [0] * 10, note, printed=len(rows))
