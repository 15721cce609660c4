"""The precise list in print and as a workbook that can be handed in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from airsim.emergency.wording import CATEGORIES, POLLUTANTS
from airsim.errors import Lang
from airsim.files import write_bytes
from airsim.geography import CITIES
from airsim.optimise.precise_list import OBJECTIVES, Precise
from airsim.output import words
from airsim.output.words import Text

if TYPE_CHECKING:
    from airsim.optimise.least_cost import Choice

_NAMES = {c.id: Text(c.name_zh, c.name_en) for c in CITIES}
_TARGETS = {"mean": Text("预警均值", "alert mean"), "peak": Text("最重日", "worst day")}


def lines(found: Precise, compared: pd.DataFrame | None, lang: Lang) -> list[str]:
    """Return the printed lines.

    Parameters
    ----------
    found : Precise
    compared : DataFrame or None
        From `airsim.optimise.precise_list.against_blanket`.
    lang : {"zh", "en"}
    """
    zh = lang == "zh"
    listed, act, open_ = found.enterprises
    least = OBJECTIVES[found.objective][0 if zh else 1]
    best = found.optimum
    said = [
        f"精准清单（使{least}最少）：{listed} 家列入企业中 {act} 家采取措施，{open_} 家可正常生产；"
        f"目标值 {best.cost:.1f}，不低于 {best.lower:.1f}（差距 {100 * best.gap:.2f}%）"
        if zh
        else f"Precise list (least {least}): {act} of {listed} listed enterprises act, {open_} may stay open; "
        f"objective {best.cost:.1f}, no less than {best.lower:.1f} (gap {100 * best.gap:.2f}%)"
    ]
    if best.time_is_up:
        said.append("  求解到时限：尚未证明最优" if zh else "  the time limit was reached: not proven optimal")
    for demand, reached, marginal in zip(found.demands, best.reached, best.marginal, strict=True):
        name = demand.zh if zh else demand.en
        tail = (
            f"，每严格 1 {demand.unit} 多 {marginal:.3g}" if zh else f", {marginal:.3g} more per {demand.unit} stricter"
        )
        said.append(
            f"  {name}：{reached:.2f} {demand.unit}（要求 {demand.bound:.2f}{tail if marginal > 1e-9 else ''}）"
            if zh
            else f"  {name}: {reached:.2f} {demand.unit} (asked {demand.bound:.2f}{tail if marginal > 1e-9 else ''})"
        )
    if found.unreachable:
        said.append(
            f"  整个清单也达不到的比例（按清单所能达到的保持）：{'、'.join(d.zh for d in found.unreachable)}"
            if zh
            else f"  missed by the whole list (kept at what it reaches): {', '.join(d.en for d in found.unreachable)}"
        )
    if compared is not None:
        said.append(
            "与普遍减排（所有企业按同一比例）效果相同时："
            if zh
            else "At the same effect as the blanket list (the same share of every line):"
        )
        said += [
            f"  效果 {100 * row['share']:.0f}%：{row['act']} 家采取措施，{row['open']} 家可正常生产（普遍减排 0 家）"
            if zh
            else f"  {100 * row['share']:.0f}% of it: {row['act']} act, {row['open']} stay open (blanket: none)"
            for row in compared.to_dict("records")
        ]
    return said


def write(found: Precise, compared: pd.DataFrame | None, path: Path, lang: Lang) -> None:
    """Write the workbook, whole or not at all: by line, demands, comparison.

    Raises
    ------
    InputError
        The file is open in another program or may not be written.
    """
    from airsim.output.excel import _book, _Sheet, _Style

    buffer, book = _book(lang)
    style = _Style(book)
    sheet = _Sheet(book, style, Text("精准清单", "Precise list").of(lang), lang)
    for line in lines(found, None, lang)[:1]:
        sheet.note(line)
    targets = [c for c in found.lines.columns if ":" in str(c)]
    sheet.head(
        Text("清单行", "list row"), Text("企业（项目）", "enterprise"), Text("城市", "city"), Text("类别", "category"),
        Text("是否采取措施", "acts"), Text("目标计数", "weight"),
        *(f"{words.name(words.POLLUTANTS, p).of(lang)} kg/d" for p in POLLUTANTS),
        *(_target(str(t)) for t in targets),
    )  # fmt: skip
    number, small = style(num_format="#,##0.0"), style(num_format="0.000")
    cutting = found.lines[list(POLLUTANTS)].to_numpy(float).any(axis=1)
    table: Any = found.lines[cutting]
    ordered = table.sort_values(["city", "acts", "weight"], ascending=[True, False, False], kind="stable")
    row: Any
    for place, row in ordered.iterrows():
        acts = Text("采取", "acts") if row["acts"] else Text("可正常生产", "stays open")
        sheet.line(
            str(place), str(row["enterprise"]), words.name(_NAMES, row["city"]),
            Text(CATEGORIES.get(row["category"], row["category"]), row["category"]), acts,
            (float(row["weight"]), number),
            *((float(row[p]), number) for p in POLLUTANTS), *((float(row[t]), small) for t in targets),
        )  # fmt: skip
    sheet.finish()
    sheet = _Sheet(book, style, Text("约束与边际值", "Demands").of(lang), lang)
    sheet.head(
        Text("约束", "demand"), Text("要求", "asked"), Text("达到", "reached"), Text("单位", "unit"),
        Text("每严格一个单位目标值增加", "objective per unit stricter"),
    )  # fmt: skip
    for demand, reached, marginal in zip(found.demands, found.optimum.reached, found.optimum.marginal, strict=True):
        sheet.line(
            Text(demand.zh, demand.en), (demand.bound, small), (float(reached), small), demand.unit,
            (float(marginal) if np.isfinite(marginal) else None, small),
        )  # fmt: skip
    sheet.finish()
    if compared is not None:
        sheet = _Sheet(book, style, Text("与普遍清单比较", "Against blanket list").of(lang), lang)
        sheet.head(
            Text("占普遍清单效果", "share of the blanket effect"), Text("列入企业", "enterprises listed"),
            Text("精准清单采取措施", "act (precise)"), Text("可正常生产", "stay open (precise)"),
            Text("普遍清单可正常生产", "stay open (blanket)"), Text("目标值", "objective"), Text("求解差距", "gap"),
        )  # fmt: skip
        percent = style(num_format="0.0%")
        for record in compared.to_dict("records"):
            sheet.line(
                (record["share"], percent), record["enterprises"], record["act"], record["open"], 0,
                (record["weight"], number), (record["gap"], style(num_format="0.00%")),
            )  # fmt: skip
        sheet.finish()
    book.close()
    write_bytes(Path(path), buffer.getvalue())


def write_plan(found: Choice, path: Path, lang: Lang) -> None:
    """Write the least-cost measures as a workbook, whole or not at all.

    Raises
    ------
    InputError
        As `write`.
    """
    from airsim.output.excel import _book, _Sheet, _Style

    buffer, book = _book(lang)
    style = _Style(book)
    money, percent, small = style(num_format="#,##0"), style(num_format="0.0%"), style(num_format="#,##0.000")
    sheet = _Sheet(book, style, Text("措施", "Measures").of(lang), lang)
    best = found.optimum
    sheet.note(
        f"最小费用 {best.cost:,.0f} 元/年，差距 {100 * best.gap:.3f}%"
        if lang == "zh"
        else f"least cost {best.cost:,.0f} CNY/a, gap {100 * best.gap:.3f}%"
    )
    sheet.head(
        Text("措施", "measure"), Text("必做", "fixed"), Text("实施份额", "carried out"),
        Text("全部实施费用（元/年）", "cost if whole [CNY/a]"), Text("费用（元/年）", "cost [CNY/a]"),
    )  # fmt: skip
    for label, row in found.measures.iterrows():
        sheet.line(
            str(label), Text("是", "yes") if row["fixed"] else "", (float(row["chosen"]), percent),
            (float(row["cost"]), money), (float(row["cost"] * row["chosen"]), money),
        )  # fmt: skip
    sheet.finish()
    sheet = _Sheet(book, style, Text("约束与边际值", "Demands").of(lang), lang)
    sheet.head(
        Text("约束", "demand"), Text("方向", "sense"), Text("限值", "bound"), Text("达到", "reached"),
        Text("单位", "unit"), Text("边际费用（元/单位）", "marginal cost [CNY/unit]"),
    )  # fmt: skip
    for demand, reached, marginal in zip(found.demands, best.reached, best.marginal, strict=True):
        sheet.line(
            Text(demand.zh, demand.en), "≥" if demand.sense == "floor" else "≤", (demand.bound, small),
            (float(reached), small), demand.unit, (float(marginal) if np.isfinite(marginal) else None, small),
        )  # fmt: skip
    sheet.finish()
    book.close()
    write_bytes(Path(path), buffer.getvalue())


def _target(name: str) -> Text:
    city, kind = name.split(":")
    at, what = words.name(_NAMES, city), _TARGETS[kind]
    return Text(f"{at.zh} {what.zh} μg/m³", f"{at.en}, {what.en} [μg/m³]")
