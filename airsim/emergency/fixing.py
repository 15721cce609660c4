"""A cleaned copy of a reduction list in the canonical layout, with a log of every change; the input stays as it is.

What can be mended without knowing the enterprise is mended: layout, units, lines that stand twice, cuts above the base,
cuts of idle lines, exchanged or shifted coordinates.  All else is listed as open.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xlsxwriter

from airsim.emergency import gcj02
from airsim.emergency.checks import CHECKS, Finding
from airsim.emergency.positions import shifted_lines
from airsim.emergency.reduction_list import EmergencyList, duplicate_places
from airsim.emergency.wording import AREAS, CATEGORIES, KINDS, LEVELS, POLLUTANTS
from airsim.errors import InputError, Problem
from airsim.files import write_bytes
from airsim.geography import CITIES

if TYPE_CHECKING:
    from airsim.geography import Geography
    from airsim.inventory import Inventory

_LEVEL_NAMES = {"red": "红色预警", "orange": "橙色预警", "yellow": "黄色预警"}
_POLLUTANT_NAMES = {"SO2": "SO2", "NOx": "NOx", "PM": "颗粒物", "VOC": "VOCs"}
#: Our column -> canonical header, in the order of the official lists.
HEADERS = {
    "city": "市",
    "county": "县(市、区)",
    "enterprise": "企业名称",
    "enterprise_id": "清单编号",
    "credit_code": "统一社会信用代码",
    "sector": "行业类型",
    "subsector": "主要产品",
    "kind": "企业类型",
    "grade": "绩效等级",
    "line_name": "生产线或工序名称",
    "lines": "数量",
    "operating_days": "年生产天数",
    "longitude": "经度",
    "latitude": "纬度",
    "output_value": "年产值",
    "stop_cost": "停产损失",
}
#: Checks that the cleaned copy settles.
SETTLED = frozenset({"duplicate_line", "cut_above_base", "stopped_above_lines", "idle_counted", "coordinates_swapped"})


def fix(
    list_: EmergencyList,
    findings: tuple[Finding, ...],
    out: Path,
    *,
    inventory: Inventory | None = None,
    geography: Geography | None = None,
) -> pd.DataFrame:
    """Write a cleaned copy of a list and the log of what was changed.

    Parameters
    ----------
    list_ : EmergencyList
        From `airsim.emergency.examine`, errors and all.
    findings : tuple of Finding
        From `airsim.emergency.check`; those that the copy does not settle go into its sheet 未修复.
    out : path
        The .xlsx file: sheets by category, 更改记录 (change log), 未修复 (open).  Never the list itself.
    inventory, geography : optional
        As for `check`: they tell whether the coordinates are shifted.

    Returns
    -------
    DataFrame
        The log: cell, column, before, after, reason.

    Raises
    ------
    InputError
        `out` is the list itself, no .xlsx, or cannot be written.
    """
    out = Path(out)
    if out.suffix.lower() != ".xlsx" or out.resolve() == Path(list_.file).resolve():
        said = "the cleaned copy must be another file, ending in .xlsx"
        raise InputError([Problem(str(out), "", "--fix", "", said, "清理后的副本须另存为其他 .xlsx 文件")])
    lines, log = cleaned(list_, inventory, geography)
    if lines.empty:
        raise InputError(list_.errors or [Problem(list_.file, "", "", "", "no lines", "清单无数据行")])
    whole_shift = any("坐标系" in reason for reason in log["reason"])
    settled = SETTLED | ({"gcj02"} if whole_shift else frozenset())
    left = [f for f in findings if f.check not in settled]
    write_bytes(out, _workbook(list_, lines, log, left))
    return log


def cleaned(
    list_: EmergencyList, inventory: Inventory | None = None, geography: Geography | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the lines as they are mended, and the log; see `fix`."""
    lines: Any = list_.lines.copy()
    log: list[tuple[str, str, str, str, str]] = []
    read = list_.recognised[list_.recognised["unit"].isin(["t d-1", "t a-1"])]
    log += [
        (r["cell"], r["column"], r["unit"], "kg d-1", "单位换算为 kg/d（吨/年按年生产天数，无则 365 天）")
        for r in read.to_dict("records")
    ]
    log += [(n.where, n.key, n.value, "", n.allowed_zh or n.allowed) for n in list_.notes]
    log += [(t["place"], "", t["word"], "", "合计行不作为生产线，未写入") for t in list_.totals.to_dict("records")]
    twice = duplicate_places(list_)
    for place, other in twice.items():
        what = " ".join(filter(None, (lines.at[place, "enterprise"], lines.at[place, "line_name"])))
        log.append(
            (
                list_.cell(place, "enterprise"),
                "enterprise",
                what,
                "",
                f"与 {list_.cell(other, 'enterprise')} 重复，删除",
            )
        )
    lines = lines.drop(index=list(twice))

    def put(places: pd.Index, column: str, values: pd.Series, reason: str) -> None:
        for place in places:
            log.append(
                (list_.cell(str(place), column), column, f"{lines.at[place, column]:g}", f"{values[place]:g}", reason)
            )
        lines.loc[places, column] = values[places]

    for level in LEVELS:
        name = f"{level}_stopped"
        number = lines["lines"].fillna(1.0)
        put(lines.index[(lines[name] > number).to_numpy()], name, number, "停产数不得多于生产线总数")
        for p in POLLUTANTS:
            cut, base = lines[f"{level}_cut_{p}"], lines[f"base_{p}"].fillna(0.0)
            exempt = lines["kind"].isin(["idle", "staggered"]) & (cut > 0)
            put(lines.index[exempt.to_numpy()], cut.name, base * 0.0, "长期停产、错峰停产不计减排")
            above = (cut > base * (1 + 1e-9) + 1e-9) & ~exempt
            put(lines.index[above.to_numpy()], cut.name, base, "减排量不得大于基数")
    lon, lat = lines["longitude"], lines["latitude"]
    swapped = lines.index[(lon.between(20, 55) & lat.between(70, 136)).to_numpy()]
    for place in swapped:
        log.append(
            (
                list_.cell(str(place), "longitude"),
                "longitude",
                f"{lon[place]:g}, {lat[place]:g}",
                f"{lat[place]:g}, {lon[place]:g}",
                "经纬度填反",
            )
        )
    lines.loc[swapped, ["longitude", "latitude"]] = lines.loc[swapped, ["latitude", "longitude"]].to_numpy()
    if shifted_lines(list_, inventory, geography)[1]:
        at = lines.index[
            (lines["longitude"].notna() & lines["latitude"].notna() & (lines["category"] == "industrial")).to_numpy()
        ]
        new_lon, new_lat = gcj02.to_wgs84(lines.loc[at, "longitude"], lines.loc[at, "latitude"])
        away = _metres(lines.loc[at], new_lon, new_lat)
        reason = f"整表坐标系由 GCJ-02 转为 WGS84，共 {len(at)} 行，均偏移约 {away:.0f} 米"
        log.append((list_.cell(str(at[0]), "longitude"), "longitude, latitude", "GCJ-02", "WGS84", reason))
        lines.loc[at, "longitude"], lines.loc[at, "latitude"] = np.round(new_lon, 6), np.round(new_lat, 6)
    return lines, pd.DataFrame(log, columns=["cell", "column", "before", "after", "reason"])


def _metres(lines: pd.DataFrame, lon: Any, lat: Any) -> float:
    north = (lines["latitude"].to_numpy() - lat) * 111_200.0
    east = (lines["longitude"].to_numpy() - lon) * 111_200.0 * np.cos(np.radians(lat))
    return float(np.median(np.hypot(north, east)))


def _workbook(list_: EmergencyList, lines: pd.DataFrame, log: pd.DataFrame, left: list[Finding]) -> bytes:
    buffer = io.BytesIO()
    plain = {"font_name": "宋体", "font_size": 11}
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "default_format_properties": plain,
    }
    book = xlsxwriter.Workbook(buffer, options)
    head = book.add_format({"bold": True, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True})
    bold = book.add_format({"bold": True, "font_size": 14})
    per_cent = book.add_format({"num_format": "0%"})
    names = {c.id: c.name_zh + ("示范区" if c.id == "yangling" else "市") for c in CITIES} | {
        "xixian": AREAS["xixian"][0]
    }
    said = "（示例）" if list_.illustrative else ""
    said += "（合成数据 synthetic）" if list_.synthetic else ""
    for category, title in CATEGORIES.items():
        part = lines[lines["category"] == category]
        if part.empty:
            continue
        sheet = book.add_worksheet(title)
        columns = [c for c in HEADERS if c in {"city", "enterprise"} or _held(part[c])]
        sheet.write_string(0, 0, f"重污染天气应急减排清单（清理后）{said}", bold)
        for j, c in enumerate(columns):
            sheet.merge_range(1, j, 3, j, HEADERS[c] + ("(万元)" if c in {"output_value", "stop_cost"} else ""), head)
        at = len(columns)
        sheet.merge_range(1, at, 2, at + 3, "日排放量(kg/d)", head)
        values = [*columns, *(f"base_{p}" for p in POLLUTANTS)]
        for k, p in enumerate(POLLUTANTS):
            sheet.write_string(3, at + k, _POLLUTANT_NAMES[p], head)
        for m, (level, name) in enumerate(_LEVEL_NAMES.items()):
            j = at + 4 + 7 * m
            sheet.merge_range(1, j, 1, j + 6, name, head)
            for k, text in enumerate(("减排措施", "停产生产线数量", "限产比例")):
                sheet.merge_range(2, j + k, 3, j + k, text, head)
            sheet.merge_range(2, j + 3, 2, j + 6, "减排量(kg/d)", head)
            for k, p in enumerate(POLLUTANTS):
                sheet.write_string(3, j + 3 + k, _POLLUTANT_NAMES[p], head)
            values += [f"{level}_{w}" for w in ("text", "stopped", "share", *(f"cut_{p}" for p in POLLUTANTS))]
            sheet.set_column(j, j, 26)
        shown = part.assign(
            city=part["area"].map(names),
            kind=part["kind"].map(KINDS),
            grade=np.where(part["grade_local"].astype(bool), "地方" + part["grade"], part["grade"]),
        )
        for j, c in enumerate(values):
            form = per_cent if c.endswith("_share") else None
            for i, value in enumerate(shown[c].tolist(), start=4):
                if isinstance(value, str):
                    if value:
                        sheet.write_string(i, j, value)
                elif value is not None and math.isfinite(value):
                    sheet.write_number(i, j, value, form)
        sheet.set_column(columns.index("enterprise"), columns.index("enterprise"), 30)
        sheet.freeze_panes(4, columns.index("enterprise") + 1)
    changes = book.add_worksheet("更改记录")
    _rows(changes, head, ("原单元格", "列", "原值", "新值", "原因"), log.itertuples(index=False))
    open_ = book.add_worksheet("未修复说明")
    kinds = {"error": "错误", "warning": "提示"}
    _rows(
        open_,
        head,
        ("类别", "检查项", "原单元格", "列", "值", "说明"),
        (
            (
                kinds[f.severity],
                CHECKS[f.check].zh,
                f.problem.where,
                f.problem.key,
                f.problem.value,
                f.problem.allowed_zh or f.problem.allowed,
            )
            for f in left
        ),
    )
    book.close()
    return buffer.getvalue()


def _held(column: pd.Series) -> bool:
    return bool(column.notna().any()) if column.dtype.kind == "f" else bool((column != "").any())


def _rows(sheet: Any, head: Any, titles: tuple[str, ...], rows: Any) -> None:
    sheet.write_row(0, 0, titles, head)
    for i, row in enumerate(rows, start=1):
        for j, value in enumerate(row):
            sheet.write_string(i, j, str(value))
    for j, width in enumerate((18, 22, 22, 22, 60, 60)[: len(titles)]):
        sheet.set_column(j, j, width)
    sheet.freeze_panes(1, 0)
