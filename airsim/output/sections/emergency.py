"""The verdict on a reduction list, printed and as a workbook that can be handed in as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from airsim.emergency import measure_text
from airsim.emergency.checks import CHECKS, Finding
from airsim.emergency.checks import table as findings_table
from airsim.emergency.reading import EmergencyList
from airsim.emergency.wording import AREAS, CATEGORIES, KINDS, LEVELS, POLLUTANTS
from airsim.errors import Lang
from airsim.files import write_bytes
from airsim.output import console, words
from airsim.output.excel import _ONE, _PERCENT, _PLAIN, _book, _number, _Sheet, _Style, _verdict
from airsim.output.words import Text
from airsim.rules import STATUS_ZH

if TYPE_CHECKING:
    from airsim.emergency.verdict import Verdict

#: So many findings and lines are printed; the workbook holds all.
MOST = 15
_HOW = {
    "stated": Text("按填报减排量", "as stated"),
    "lines": Text("按停产条数", "by lines stopped"),
    "share": Text("按填报比例", "by stated share"),
    "text": Text("按措施文字", "by the words"),
    "exempt": Text("不计减排", "exempt"),
    "not quantified": Text("未量化，按零计", "no figure, counted as none"),
    "not understood": Text("未识别，按零计", "not understood, counted as none"),
}


def unit_name(unit: str, lang: Lang) -> str:
    """Return what a statistical unit is called."""
    from airsim.geography import CITIES

    names = {c.id: Text(c.name_zh, c.name_en) for c in CITIES} | {"xixian": Text(AREAS["xixian"][0], "Xixian")}
    return words.name(names, unit).of(lang)


def level_name(level: str) -> Text:
    """Return what the level that a forecast calls for is named: blue existed until 2018, "" is none."""
    return {**words.LEVELS, "blue": Text("蓝色预警（Ⅳ级响应）", "blue alert (level IV)"), "": Text("无", "none")}[level]


def seal(verdict: Verdict, lang: Lang) -> list[str]:
    """Return by what rules a list was counted: rule file, version, days in force, status, digest."""
    plan = verdict.plan
    about = plan.about(f"shares.{verdict.level}") if verdict.level else ()
    status = plan.weakest_status(f"shares.{verdict.level}") if verdict.level else plan.status
    source = about[0].source if about else plan.source
    table = verdict.tables.get(verdict.level)
    said = table.attrs if table is not None else {}
    if lang == "zh":
        return [
            f"核算依据：{plan.title_zh}（规则文件 emergency，版本 {plan.version}，自 {plan.start} 起施行，"
            f"摘要 {plan.digest[:12]}）",
            f"减排比例出处（{STATUS_ZH[status]}）：{source}",
            *([f"统计口径：{said['areas_zh']}；{said['basis_zh']}"] if said else []),
        ]
    return [
        f"Counted by: {plan.title_en} (rule file emergency, version {plan.version}, in force from {plan.start}, "
        f"digest {plan.digest[:12]})",
        f"Source of the shares ({status}): {source}",
        *([f"Statistical units: {said['areas']}; {said['basis']}"] if said else []),
    ]


def lines(verdict: Verdict, lang: Lang) -> list[str]:
    """Return the verdict as printed lines: what was read, the table of the level, findings, what closes the gap."""
    out: list[str] = []
    if verdict.calls is not None:
        out += _calls(verdict.calls, lang)
    if verdict.list_ is None:
        return out
    zh = lang == "zh"
    out += _recognised(verdict.list_, lang)
    out += seal(verdict, lang)[:1]
    table = verdict.tables[verdict.level]
    out.append(f"统计口径：{table.attrs['areas_zh']}" if zh else f"statistical units: {table.attrs['areas']}")
    out += console.compliance(table, verdict.list_, lang)
    out += _findings(verdict.findings, lang)
    out += _closing(verdict.closing, lang)
    if verdict.changes is not None:
        n = len(verdict.changes)
        out.append(f"清理后的副本共更改 {n} 处" if zh else f"the cleaned copy has {n} changes")
    return out


def _recognised(list_: EmergencyList, lang: Lang) -> list[str]:
    zh = lang == "zh"
    out = []
    counts = list_.lines.groupby("sheet", sort=False).size()
    sheet: Any
    for sheet, part in list_.recognised.groupby("sheet", sort=False):
        used, ignored = part[part["column"] != ""], part[part["column"] == ""]
        name = f"{list_.file}:{sheet}" if sheet else list_.file
        n = int(counts.get(sheet, 0))
        dropped = "、".join(str(h) for h in ignored["header"][:12]) + ("…" if len(ignored) > 12 else "")
        if zh:
            out.append(
                f"{name}：识别 {len(used)} 列，{n} 条；未使用 {len(ignored)} 列" + (f"（{dropped}）" if dropped else "")
            )
        else:
            out.append(
                f"{name}: {len(used)} columns recognised, {n} lines; {len(ignored)} not used"
                + (f" ({dropped})" if dropped else "")
            )
    return out


def _findings(findings: tuple[Finding, ...], lang: Lang) -> list[str]:
    zh = lang == "zh"
    out = []
    for severity, title in (("error", Text("错误", "errors")), ("warning", Text("提示", "warnings"))):
        mine = [f for f in findings if f.severity == severity]
        if not mine:
            out.append(f"清单核查{title.zh}：无" if zh else f"{title.en} in the list: none")
            continue
        counts = pd.Series([f.check for f in mine]).value_counts().to_dict()
        kinds = (
            "，".join(f"{CHECKS[str(k)].zh} {n}" for k, n in counts.items())
            if zh
            else ", ".join(f"{CHECKS[str(k)].en} {n}" for k, n in counts.items())
        )
        out.append(
            f"清单核查{title.zh} {len(mine)} 条：{kinds}" if zh else f"{len(mine)} {title.en} in the list: {kinds}"
        )
        out += ["  " + f.problem.text(lang) for f in mine[:MOST]]
        if len(mine) > MOST:
            rest = len(mine) - MOST
            out.append(
                f"  ……另有 {rest} 条，见 --out 工作簿" if zh else f"  ... and {rest} more; --out FILE.xlsx holds all"
            )
    return out


def _closing(closing: pd.DataFrame, lang: Lang) -> list[str]:
    zh = lang == "zh"
    out = []
    for city, part in closing.groupby("city", sort=False):
        last = part.iloc[-1]
        n = len(part)
        name = unit_name(str(city), lang)
        if bool(last["passes"]):
            out.append(
                f"{name}：再停 {n} 条生产线可达标，依次为："
                if zh
                else f"{name}: {n} more lines stopped would do, in order:"
            )
        else:
            out.append(
                f"{name}：清单内可停的 {n} 条工业生产线全停仍不达标："
                if zh
                else f"{name}: all {n} lines that could stop are not enough:"
            )
        for row in part.head(5).to_dict("records"):
            kilograms = ", ".join(f"{p} {row[p]:,.0f}" for p in POLLUTANTS if row[p] >= 0.5)
            out.append(f"  {row['place']} {row['enterprise']} {row['line_name']} ({kilograms} kg/d)")
        if n > 5:
            out.append(f"  ……共 {n} 条" if zh else f"  ... {n} in all")
    return out


def _calls(calls: pd.DataFrame, lang: Lang) -> list[str]:
    zh = lang == "zh"
    head = (
        ["城市", "预案", "应启动", "24h均值AQI峰值", ">150 h", ">200 h", ">300 h", "起（北京时间）", "依据条件"]
        if zh
        else ["city", "plan", "calls for", "peak 24 h AQI", ">150 h", ">200 h", ">300 h", "from (Beijing)", "condition"]
    )
    rows = [head]
    for r in calls.to_dict("records"):
        level = level_name(r["level"]).of(lang)
        begin = "" if pd.isna(r["start"]) else (r["start"] + pd.Timedelta(hours=8)).strftime("%m-%d %H:%M")
        rows.append(
            [
                unit_name(r["city"], lang),
                f"{r['plan']}（{STATUS_ZH[r['plan_status']]}）" if zh else f"{r['plan']} ({r['plan_status']})",
                level,
                "" if np.isnan(r["peak"]) else f"{r['peak']:.0f}",
                *(f"{r[f'hours_above_{v}']:.0f}" for v in (150, 200, 300)),
                begin,
                r["condition_zh"] if zh else r["condition"],
            ]
        )
    title = (
        "预报对应的预警级别（任意连续 24 小时均值）："
        if zh
        else "Alert that the forecast calls for (running 24 h means):"
    )
    return [title, *console.columns(rows)]


# --------------------------------------------------------------------------------------------------------
# the workbook


def write(verdict: Verdict, path: Path, lang: Lang) -> None:
    """Write the verdict as a workbook, whole or not at all.

    Parameters
    ----------
    verdict : Verdict
    path : path
        The .xlsx file.
    lang : {"zh", "en"}

    Raises
    ------
    InputError
        The file is open in another program or may not be written.
    """
    buffer, book = _book(lang)
    style = _Style(book)

    def sheet(zh: str, en: str) -> Any:
        return _Sheet(book, style, Text(zh, en).of(lang), lang)

    made = []
    if verdict.list_ is not None:
        made += [
            _by_city(sheet("分城市核算", "By city"), verdict),
            _by_category(sheet("分源核算", "By category"), verdict),
        ]
        made += [
            _gap(sheet("补齐差额", "Closing the gap"), verdict),
            _lines(sheet("一厂一策", "By enterprise"), verdict),
        ]
        made += [_problems(sheet("清单核查问题", "Findings"), verdict), _headers(sheet("表头识别", "Headers"), verdict)]
    if verdict.calls is not None:
        made.append(_forecast(sheet("预警研判", "Forecast"), verdict))
    for one in made:
        one.finish()
    book.close()
    write_bytes(Path(path), buffer.getvalue())


def _sealed(sheet: Any, verdict: Verdict) -> None:
    for line in seal(verdict, sheet.lang):
        sheet.note(line)
    list_ = verdict.list_
    zh = sheet.lang == "zh"
    if list_ is not None:
        sheet.note(f"清单：{list_.file}" if zh else f"list: {list_.file}")
        if list_.illustrative:
            sheet.note(
                "注意：清单为示例，措施未公布。"
                if zh
                else "Note: the list is illustrative, its measures are unpublished."
            )
        if list_.synthetic:
            sheet.note("注意：清单为合成数据。" if zh else "Note: the list is synthetic.")


def _by_city(sheet: Any, verdict: Verdict) -> Any:
    _sealed(sheet, verdict)
    sheet.head(
        Text("城市", "city"),
        Text("预警级别", "level"),
        Text("污染物", "pollutant"),
        Text("全社会排放量 kg/d", "all-society kg/d"),
        Text("清单基数 kg/d", "list base kg/d"),
        Text("减排量 kg/d", "cut kg/d"),
        Text("减排比例", "share"),
        Text("要求", "required"),
        Text("SO₂+NOx 之和", "SO₂ + NOx"),
        Text("联合要求", "joint required"),
        Text("是否达标", "verdict"),
        Text("尚差 kg/d", "missing kg/d"),
    )
    whole = pd.concat([verdict.tables[lv] for lv in LEVELS], ignore_index=True)
    for city, part in whole.groupby("city", sort=False):
        for row in part.to_dict("records"):
            sheet.line(
                unit_name(str(city), sheet.lang),
                words.name(words.LEVELS, row["level"]),
                words.name(words.POLLUTANTS, row["pollutant"]),
                _number(sheet, row["base_kg_d"], _PLAIN),
                _number(sheet, row["list_base_kg_d"], _PLAIN),
                _number(sheet, row["cut_kg_d"], _PLAIN),
                _number(sheet, row["share"], _PERCENT),
                _number(sheet, row["required"], _PERCENT),
                _number(sheet, row["joint_share"], _PERCENT),
                _number(sheet, row["joint_required"], _PERCENT),
                _verdict(sheet, int(row["pass"])),
                _number(sheet, row["missing_kg_d"] or None, _PLAIN),
            )
    return sheet


def _by_category(sheet: Any, verdict: Verdict) -> Any:
    _sealed(sheet, verdict)
    heads = [Text("城市", "city"), Text("预警级别", "level"), Text("污染物", "pollutant")]
    for key, zh in CATEGORIES.items():
        heads += [Text(f"{zh}减排 kg/d", f"{key} cut kg/d"), Text(f"{zh}贡献比例", f"{key} share")]
    sheet.head(*heads)
    for level in LEVELS:
        for row in verdict.tables[level].to_dict("records"):
            cells: list[Any] = []
            for key in CATEGORIES:
                cut = row[f"{key}_kg_d"]
                share = cut / row["base_kg_d"] if row["base_kg_d"] > 0 else None
                cells += [_number(sheet, cut, _PLAIN), _number(sheet, share, _PERCENT)]
            sheet.line(
                unit_name(row["city"], sheet.lang),
                words.name(words.LEVELS, level),
                words.name(words.POLLUTANTS, row["pollutant"]),
                *cells,
            )
    return sheet


def _gap(sheet: Any, verdict: Verdict) -> Any:
    zh = sheet.lang == "zh"
    level = words.LEVELS[verdict.level].of(sheet.lang)
    if verdict.closing.empty:
        sheet.note(
            f"{level}：无需补齐，或清单内无可再停的生产线。"
            if zh
            else f"{level}: nothing to close, or no line left to stop."
        )
        return sheet
    sheet.note(
        f"{level}：按补齐作用由大到小逐条全停工业生产线，直至达标；不动用保障类、长期停产、错峰和 A 级（引领性）企业。"
        if zh
        else f"{level}: industrial lines stopped in full, most effective first, until the city passes; livelihood, "
        "idle and staggered lines and grade A are left alone."
    )
    names = [words.name(words.POLLUTANTS, p) for p in POLLUTANTS]
    sheet.head(
        Text("城市", "city"),
        Text("顺序", "order"),
        Text("清单位置", "place"),
        Text("企业", "enterprise"),
        Text("生产线", "line"),
        Text("绩效等级", "grade"),
        *(Text(f"新增 {n.zh} kg/d", f"adds {n.en} kg/d") for n in names),
        *(Text(f"{n.zh} 累计比例", f"{n.en} share after") for n in names),
        Text("SO₂+NOx 累计", "SO₂ + NOx after"),
        Text("是否达标", "verdict"),
    )
    for city, part in verdict.closing.groupby("city", sort=False):
        for k, row in enumerate(part.to_dict("records"), start=1):
            sheet.line(
                unit_name(str(city), sheet.lang),
                k,
                row["place"],
                row["enterprise"],
                row["line_name"],
                row["grade"],
                *(_number(sheet, row[p], _ONE) for p in POLLUTANTS),
                *(_number(sheet, row[f"share_{p}"], _PERCENT) for p in POLLUTANTS),
                _number(sheet, row["joint_share"], _PERCENT),
                _verdict(sheet, int(row["passes"])),
            )
    return sheet


def _lines(sheet: Any, verdict: Verdict) -> Any:
    list_ = verdict.list_
    assert list_ is not None
    zh = sheet.lang == "zh"
    names = [words.name(words.POLLUTANTS, p).of(sheet.lang) for p in POLLUTANTS]
    heads: list[Any] = [
        Text("清单位置", "place"),
        Text("城市", "city"),
        Text("县(市、区)", "county"),
        Text("企业", "enterprise"),
        Text("统一社会信用代码", "credit code"),
        Text("行业", "sector"),
        Text("类型", "kind"),
        Text("绩效等级", "grade"),
        Text("生产线", "line"),
        Text("数量", "lines"),
        *(f"{n} {'基数' if zh else 'base'} kg/d" for n in names),
    ]
    for level in reversed(LEVELS):
        name = words.LEVELS[level].of(sheet.lang)
        short = name.split("（")[0].split(" (")[0]
        heads += [f"{short} {'措施' if zh else 'measure'}", f"{short} {'计法' if zh else 'counted'}"]
        heads += [f"{short} {n} kg/d" for n in names]
    sheet.head(*heads)
    one = sheet.style(num_format=_ONE)
    plain = sheet.style()
    base = [list_.lines[f"base_{p}"].to_numpy(dtype=np.float64) for p in POLLUTANTS]
    cut = {lv: verdict.cuts[lv][list(POLLUTANTS)].to_numpy(dtype=np.float64) for lv in LEVELS}
    how = {lv: [_HOW[h].of(sheet.lang) for h in verdict.cuts[lv]["how"]] for lv in LEVELS}
    units = {a: unit_name(a, sheet.lang) for a in list_.lines["area"].unique()}
    for i, row in enumerate(list_.lines.itertuples()):
        r: Any = row
        cells: list[Any] = [
            r.Index,
            units[r.area],
            r.county,
            r.enterprise,
            r.credit_code,
            r.sector or CATEGORIES[r.category],
            KINDS[r.kind] if zh else r.kind,
            r.grade,
            r.line_name,
            r.lines,
            *((float(b[i]), one) for b in base),
        ]
        for level in reversed(LEVELS):
            cells += [getattr(r, f"{level}_text"), how[level][i], *((float(v), one) for v in cut[level][i])]
        sheet.line(*((c if isinstance(c, tuple) else (c, plain)) for c in cells))
    return sheet


def _problems(sheet: Any, verdict: Verdict) -> Any:
    zh = sheet.lang == "zh"
    n = {s: sum(f.severity == s for f in verdict.findings) for s in ("error", "warning")}
    sheet.note(
        f"错误 {n['error']} 条，提示 {n['warning']} 条" if zh else f"{n['error']} errors, {n['warning']} warnings"
    )
    sheet.head(
        *(
            ("类别", "检查项", "单元格", "列", "值", "说明")
            if zh
            else ("severity", "check", "cell", "column", "value", "what is wrong")
        )
    )
    for row in findings_table(verdict.findings, sheet.lang).itertuples(index=False):
        sheet.line(*row)
    return sheet


def _headers(sheet: Any, verdict: Verdict) -> Any:
    list_ = verdict.list_
    assert list_ is not None
    zh = sheet.lang == "zh"
    for note in list_.notes:
        sheet.note(note.text(sheet.lang))
    sheet.head(
        *(
            ("工作表", "单元格", "表头", "识别为（空为未使用）", "单位")
            if zh
            else ("sheet", "cell", "header", "read as (empty: not used)", "unit")
        )
    )
    for row in list_.recognised.itertuples(index=False):
        sheet.line(*row)
    sheet.line()
    sheet.head(*(("措施文字", "条次", "识别为") if zh else ("measure", "times", "read as")))
    texts = pd.concat([list_.lines[f"{lv}_text"] for lv in LEVELS]).value_counts()
    for text, count in texts.items():
        parsed = measure_text.parse(str(text))
        kind = measure_text.KINDS[parsed.kind] if zh else parsed.kind
        share = f" {parsed.share:.0%}" if parsed.kind == "limit" else ""
        said = kind + share + (("（以生产线计）" if zh else " by line") if parsed.by_line else "")
        sheet.line(str(text), int(count), said if parsed.understood else ("未识别" if zh else "not understood"))
    return sheet


def _forecast(sheet: Any, verdict: Verdict) -> Any:
    assert verdict.calls is not None
    zh = sheet.lang == "zh"
    sheet.note("按任意连续 24 小时均值判断；时间为北京时间" if zh else "by running 24 h means; times are Beijing time")
    sheet.head(
        Text("城市", "city"),
        Text("预案", "plan"),
        Text("出处", "status"),
        Text("应启动预警", "calls for"),
        Text("依据条件", "condition"),
        Text("起", "from"),
        Text("止", "until"),
        Text("AQI 峰值", "peak AQI"),
        Text(">150 小时", "h > 150"),
        Text(">200 小时", "h > 200"),
        Text(">300 小时", "h > 300"),
    )
    hours = pd.Timedelta(hours=8)
    for r in verdict.calls.to_dict("records"):
        level = level_name(r["level"]).of(sheet.lang)
        date = sheet.style(num_format="yyyy-mm-dd hh:mm")
        sheet.line(
            unit_name(r["city"], sheet.lang),
            r["plan_title_zh" if zh else "plan_title_en"],
            words.name(words.STATUSES, r["plan_status"]),
            level,
            r["condition_zh" if zh else "condition"],
            (r["start"] + hours if pd.notna(r["start"]) else None, date),
            (r["end"] + hours if pd.notna(r["end"]) else None, date),
            _number(sheet, r["peak"], _PLAIN),
            r["hours_above_150"],
            r["hours_above_200"],
            r["hours_above_300"],
        )
    return sheet
