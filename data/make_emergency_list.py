"""Make data/emissions/emergency_list.xlsx, the illustrative reduction list of the Guanzhong case.

The enterprises, their lines and base emissions come from enterprises.csv and area_sources.csv beside the list.
Grades and measures are made up here by the rules below and by nobody else: no authority has published them.
The layout is the official one: sheets 说明, 工业源, 移动源, 扬尘源, 汇总; measures in the order red, orange,
yellow; reductions in kg/d of SO2, NOx, PM (颗粒物, here PM10) and VOCs.

Run ``python data/make_emergency_list.py`` after a change of the two tables; the same tables give the same bytes.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter

HERE = Path(__file__).resolve().parent
EMISSIONS = HERE / "emissions"
POLLUTANTS = {"SO2": "SO2", "NOx": "NOx", "PM": "PM10", "VOC": "VOC"}
HEADINGS = {"SO2": "SO2", "NOx": "NOx", "PM": "颗粒物", "VOC": "VOCs"}
LEVELS = {"red": "红色预警", "orange": "橙色预警", "yellow": "黄色预警"}
#: Cities of the list in the order of official tables.
CITIES = {
    "xian": "西安市",
    "baoji": "宝鸡市",
    "xianyang": "咸阳市",
    "tongchuan": "铜川市",
    "weinan": "渭南市",
    "yangling": "杨凌示范区",
    "hancheng": "韩城市",
    "shangluo": "商洛市",
}
#: Share of small industry and solvent users that a list is taken to hold (estimate).
LISTED_SHARE = 0.8
SECTORS = {
    "power": ("火力发电", "4411"),
    "heat": ("热力生产和供应", "4430"),
    "cement": ("水泥", "3011"),
    "coking": ("焦化", "2521"),
    "steel": ("长流程联合钢铁", "3120"),
    "industry": ("其他工业", ""),
}
#: Words for the products and kinds of sources of the tables.
WORDS = {
    "sinter": "烧结机",
    "iron": "高炉",
    "converter_steel": "转炉",
    "electric_steel": "电炉",
    "coke": "焦炉",
    "cement": "水泥熟料",
    "aluminium": "电解槽系列",
    "coal_chemical": "气化及合成装置",
    "refining": "炼油装置",
    "building_materials": "砖瓦石灰等建材",
    "coal_boiler": "燃煤锅炉",
    "other_process": "其他工艺过程",
    "solvent": "溶剂使用",
    "diesel": "柴油车",
    "petrol": "汽油车",
    "machinery": "非道路移动机械",
    "construction": "施工扬尘",
    "road": "道路扬尘",
}
SMALL_SECTORS = {"small_industry": "小型工业", "solvent": "溶剂使用"}


@dataclass(frozen=True)
class Step:
    """What one level asks of a line: words, share of the emission that goes, counted by line or not."""

    text: str
    share: float
    by_line: bool = False


NONE = Step("自主减排", 0.0)
STOP = Step("停产", 1.0)


def limit(percent: int) -> Step:
    """Return a limit of production by some per cent."""
    return Step(f"限产{percent}%", percent / 100)


def stop_lines(percent: int, unit: str = "生产线") -> Step:
    """Return a stop of some per cent of the lines, rounded up to whole lines."""
    return Step(f"停产{percent}%（含）以上，以{unit}计", percent / 100, by_line=True)


def push_out(hours: int) -> Step:
    """Return a longer coking time; with 24 h usual, the output falls by 1 - 24 / hours (estimate)."""
    return Step(f"延长出焦时间至{hours}小时", 1.0 - 24.0 / hours)


@dataclass(frozen=True)
class Plan:
    """Illustrative grade, kind and measures (yellow, orange, red) of a class of lines."""

    grade: str
    kind: str
    yellow: Step
    orange: Step
    red: Step

    def step(self, level: str) -> Step:
        """Return the measure of a level."""
        return {"yellow": self.yellow, "orange": self.orange, "red": self.red}[level]


HEATING = Plan("民生豁免-B", "保障类", *[Step("以热定产", 0.0)] * 3)
INDUSTRIAL: dict[str, Plan] = {
    "power/chp": HEATING,
    "power/chp_small": HEATING,
    "power/circulating_bed": HEATING,
    "power": Plan("A", "重点行业", NONE, NONE, NONE),
    "heat": HEATING,
    "cement": Plan("C", "错峰停产", *[Step("错峰停产期间保持停产", 0.0)] * 3),
    "coking": Plan("C", "重点行业", push_out(28), push_out(36), push_out(48)),
    "steel/sinter": Plan("B", "重点行业", stop_lines(50), stop_lines(50), STOP),
    "steel/iron": Plan("B", "重点行业", NONE, NONE, stop_lines(50, "高炉")),
    "steel/electric_steel": Plan("D", "重点行业", STOP, STOP, STOP),
    "steel": Plan("B", "重点行业", NONE, limit(20), limit(30)),
    "industry/aluminium": Plan("B", "重点行业", NONE, limit(20), limit(30)),
    "industry/refining": Plan("A", "重点行业", NONE, NONE, NONE),
    "industry": Plan("C", "重点行业", limit(20), limit(30), stop_lines(50)),
}
SMALL: dict[str, tuple[str, Plan]] = {
    "small_industry/building_materials": ("砖瓦、石灰等建材小企业", Plan("D", "小微涉气", STOP, STOP, STOP)),
    "small_industry/coal_boiler": ("小型燃煤锅炉使用单位", Plan("C", "小微涉气", limit(20), limit(40), limit(60))),
    "small_industry/other_process": ("铸造、陶瓷等其他小企业", Plan("C", "小微涉气", limit(30), limit(50), STOP)),
    "solvent/solvent": ("工业涂装、包装印刷、家具、汽修", Plan("C", "小微涉气", limit(30), limit(50), STOP)),
}
MOBILE: dict[str, tuple[str, str, tuple[Step, Step, Step]]] = {
    "transport/diesel": (
        "道路移动源",
        "重型柴油货车",
        (
            Step("国四及以下重型柴油货车禁行", 0.3),
            Step("重型柴油货车7时至21时禁行", 0.5),
            Step("除保障民生外重型货车禁行", 0.7),
        ),
    ),
    "transport/petrol": (
        "道路移动源",
        "小客车",
        (Step("倡导绿色出行", 0.0), Step("工作日尾号限行", 0.15), Step("单双号限行", 0.35)),
    ),
    "offroad/machinery": (
        "非道路移动源",
        "非道路移动机械",
        (
            Step("国二及以下机械停用", 0.3),
            Step("低排放区内国三以下机械停用", 0.45),
            Step("除应急抢险外停用", 0.6),
        ),
    ),
}
DUST: dict[str, tuple[str, tuple[Step, Step, Step]]] = {
    "dust/construction": (
        "施工扬尘",
        (
            Step("停止土石方、建筑拆除作业", 0.5),
            Step("停止土石方、拆除、喷涂粉刷、混凝土搅拌", 0.7),
            Step("除应急抢险外工地停工", 0.9),
        ),
    ),
    "dust/road": (
        "道路扬尘",
        (
            Step("主干道每日增加1次洒水清扫", 0.15),
            Step("增加洒水清扫，渣土砂石车禁行", 0.25),
            Step("增加洒水清扫，渣土砂石车禁行，重型货车禁行", 0.35),
        ),
    ),
}
HEAD = [
    "序号", "省", "市", "县(市、区)", "企业名称", "清单编号", "统一社会信用代码", "排污许可证编号", "行业类型",
    "行业代码", "经度", "纬度", "企业类型", "绩效等级", "主要产品", "生产线或工序名称", "数量", "年生产天数",
]  # fmt: skip
HEAD_OTHER = ["序号", "省", "市", "项目名称", "源类", "子类"]
NOTES = [
    "关中地区重污染天气应急减排清单（示例）",
    "数据性质：示例清单（illustrative）。企业为真实企业，绩效等级与减排措施均为示例，未经任何部门公布，不得作为执法依据。",
    "This list is illustrative: the enterprises are real, the grades and measures on them are made up and unpublished.",
    "单位：排放量与减排量均为 kg/d；颗粒物按 PM10 计。",
    "日排放量：企业按年排放量 ×1000/年生产天数，面源按年排放量 ×1000/365 折算。",
    f"小微涉气企业与溶剂使用源按市打包，按面源排放量的 {LISTED_SHARE:.0%} 列入清单（估计）。",
    "减排量：以生产线计的停产比例向上取整到整条生产线；民生保障（供热、热电联产）与错峰停产生产线不计减排。",
    "统一社会信用代码与排污许可证编号未收集，留空。",
    "排放数据来源：data/emissions/enterprises.csv、area_sources.csv，逐行出处见两表。",
]


def main() -> None:
    """Write the workbook."""
    enterprises = [r for r in _rows("enterprises.csv") if r["city"] in CITIES]
    areas = {(r["city"], f"{r['sector']}/{r['subsector']}"): r for r in _merged(_rows("area_sources.csv"))}
    counties = {r["adcode"]: r["name_zh"] for r in _rows("../geography/counties.csv")}
    path = EMISSIONS / "emergency_list.xlsx"
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    # a fixed date: the same tables give the same bytes
    book.set_properties({"title": NOTES[0], "comments": NOTES[2], "created": dt.datetime(2019, 1, 1)})
    styles = {
        "title": book.add_format({"font_name": "宋体", "font_size": 14, "bold": True, "align": "center"}),
        "head": book.add_format(
            {"font_name": "宋体", "bold": True, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True}
        ),
        "text": book.add_format({"font_name": "宋体", "border": 1, "text_wrap": True, "valign": "vcenter"}),
        "number": book.add_format({"font_name": "宋体", "border": 1, "num_format": "#,##0.0"}),
        "share": book.add_format({"font_name": "宋体", "border": 1, "num_format": "0.0%"}),
        "plain": book.add_format({"font_name": "宋体", "text_wrap": True}),
    }
    notes = book.add_worksheet("说明")
    notes.set_column(0, 0, 110)
    for i, text in enumerate(NOTES):
        notes.write_string(i, 0, text, styles["title" if i == 0 else "plain"])
    listed: list[tuple[str, str, dict[str, float], dict[str, dict[str, float]]]] = []
    _industrial(book, styles, enterprises, areas, counties, listed)
    _other(book, styles, "移动源", _mobile_items(areas), listed)
    _other(book, styles, "扬尘源", _dust_items(areas), listed)
    _summary(book, styles, enterprises, areas, listed)
    book.close()


def _rows(name: str) -> list[dict[str, str]]:
    with (EMISSIONS / name).open(encoding="utf-8-sig", newline="") as f:
        return list(csv.DictReader(f))


def _merged(rows: Iterable[dict[str, str]]) -> Iterable[dict[str, Any]]:
    """Add up the rows of a city and subsector (some are split by county)."""
    merged: dict[tuple[str, str, str], dict[str, Any]] = {}
    for r in rows:
        key = (r["city"], r["sector"], r["subsector"])
        m = merged.setdefault(key, {"city": key[0], "sector": key[1], "subsector": key[2]})
        for column in POLLUTANTS.values():
            m[column] = m.get(column, 0.0) + float(r[column] or 0)
    return merged.values()


def _per_day(row: dict[str, Any], days: float, factor: float = 1.0) -> dict[str, float]:
    return {p: round(float(row[c] or 0) * 1000.0 / days * factor, 3) for p, c in POLLUTANTS.items()}


def _plan(sector: str, product: str) -> Plan:
    return INDUSTRIAL.get(f"{sector}/{product}") or INDUSTRIAL[sector]


def _cut(base: dict[str, float], step: Step, lines: int) -> tuple[int | None, dict[str, float]]:
    """Return the stopped lines (where counted by line) and the reduction [kg d-1]."""
    if step.by_line:
        stopped = math.ceil(step.share * lines - 1e-9)
        return stopped, {p: round(b * stopped / lines, 3) for p, b in base.items()}
    if step.share == 1.0:
        return lines, dict(base)
    return None, {p: round(b * step.share, 3) for p, b in base.items()}


def _header(sheet: Any, styles: dict[str, Any], title: str, fixed: list[str]) -> None:
    n = len(fixed)
    sheet.merge_range(0, 0, 0, n + 3 + 6 * len(LEVELS), title, styles["title"])
    for j, name in enumerate(fixed):
        sheet.merge_range(1, j, 3, j, name, styles["head"])
    sheet.merge_range(1, n, 2, n + 3, "日排放量(kg/d)", styles["head"])
    for k, p in enumerate(HEADINGS.values()):
        sheet.write_string(3, n + k, p, styles["head"])
    for m, name in enumerate(LEVELS.values()):
        j = n + 4 + 6 * m
        sheet.merge_range(1, j, 1, j + 5, name, styles["head"])
        sheet.merge_range(2, j, 3, j, "减排措施", styles["head"])
        sheet.merge_range(2, j + 1, 3, j + 1, "停产生产线数量", styles["head"])
        sheet.merge_range(2, j + 2, 2, j + 5, "减排量(kg/d)", styles["head"])
        for k, p in enumerate(HEADINGS.values()):
            sheet.write_string(3, j + 2 + k, p, styles["head"])
    for m in range(len(LEVELS)):
        sheet.set_column(n + 4 + 6 * m, n + 4 + 6 * m, 26)
    sheet.set_column(fixed.index("市"), fixed.index("市"), 12)
    for wide in ("企业名称", "项目名称", "生产线或工序名称"):
        if wide in fixed:
            sheet.set_column(fixed.index(wide), fixed.index(wide), 30)
    sheet.freeze_panes(4, 5)


def _line(
    sheet: Any,
    styles: dict[str, Any],
    row: int,
    fixed: list[str | float],
    base: dict[str, float],
    steps: dict[str, Step],
    lines: int,
) -> dict[str, dict[str, float]]:
    """Write one line of a list and return its reductions by level."""
    for j, value in enumerate(fixed):
        if isinstance(value, str):
            sheet.write_string(row, j, value, styles["text"])
        else:
            sheet.write_number(row, j, value, styles["text"])
    j = len(fixed)
    for k, p in enumerate(POLLUTANTS):
        sheet.write_number(row, j + k, base[p], styles["number"])
    cuts = {}
    for m, level in enumerate(LEVELS):
        at = j + 4 + 6 * m
        stopped, cuts[level] = _cut(base, steps[level], lines)
        sheet.write_string(row, at, steps[level].text, styles["text"])
        if stopped is not None:
            sheet.write_number(row, at + 1, stopped, styles["text"])
        else:
            sheet.write_blank(row, at + 1, None, styles["text"])
        for k, p in enumerate(POLLUTANTS):
            sheet.write_number(row, at + 2 + k, cuts[level][p], styles["number"])
    return cuts


def _industrial(
    book: Any,
    styles: dict[str, Any],
    enterprises: list[dict[str, str]],
    areas: dict[tuple[str, str], dict[str, Any]],
    counties: dict[str, str],
    listed: list[Any],
) -> None:
    sheet = book.add_worksheet("工业源")
    _header(sheet, styles, "关中地区重污染天气应急减排清单（工业源，示例）", HEAD)
    row, number = 4, 1
    for city, city_zh in CITIES.items():
        for e in (e for e in enterprises if e["city"] == city):
            plan = _plan(e["sector"], e["product"])
            lines = int(float(e["lines"] or 1))
            days = float(e["operating_days"] or 365)
            base = _per_day(e, days)
            name, code = SECTORS[e["sector"]]
            unit = WORDS.get(e["product"], "机组")
            fixed = [
                float(number), "陕西省", city_zh, counties.get(e["county"], ""), e["name"], e["enterprise_id"],
                e["credit_code"], "", name, code, float(e["longitude"]), float(e["latitude"]), plan.kind, plan.grade,
                unit, f"{unit}（共{lines}条）", float(lines), days,
            ]  # fmt: skip
            cuts = _line(sheet, styles, row, fixed, base, {v: plan.step(v) for v in LEVELS}, lines)
            listed.append((city, "工业源", base, cuts))
            row, number = row + 1, number + 1
        for key, (name, plan) in SMALL.items():
            if (city, key) not in areas:
                continue
            sector, subsector = key.split("/")
            sector, subsector = SMALL_SECTORS[sector], WORDS[subsector]
            base = _per_day(areas[city, key], 365.0, LISTED_SHARE)
            fixed = [
                float(number), "陕西省", city_zh, "", f"{city_zh}{name}（打包）", "", "", "", sector, "", "", "",
                plan.kind, plan.grade, subsector, f"{name}全部", 1.0, 365.0,
            ]  # fmt: skip
            cuts = _line(sheet, styles, row, fixed, base, {v: plan.step(v) for v in LEVELS}, 1)
            listed.append((city, "工业源", base, cuts))
            row, number = row + 1, number + 1
    _total(sheet, styles, row, len(HEAD), listed, "工业源")


def _mobile_items(areas: dict[tuple[str, str], dict[str, Any]]) -> list[Any]:
    return [
        (city, sector, key.split("/")[1], name, areas[city, key], steps)
        for city in CITIES
        for key, (sector, name, steps) in MOBILE.items()
        if (city, key) in areas
    ]


def _dust_items(areas: dict[tuple[str, str], dict[str, Any]]) -> list[Any]:
    return [
        (city, "扬尘源", key.split("/")[1], name, areas[city, key], steps)
        for city in CITIES
        for key, (name, steps) in DUST.items()
        if (city, key) in areas
    ]


def _other(book: Any, styles: dict[str, Any], category: str, items: list[Any], listed: list[Any]) -> None:
    sheet = book.add_worksheet(category)
    _header(sheet, styles, f"关中地区重污染天气应急减排清单（{category}，示例）", HEAD_OTHER)
    row = 4
    for number, (city, sector, subsector, name, area, steps) in enumerate(items, start=1):
        base = _per_day(area, 365.0)
        fixed = [float(number), "陕西省", CITIES[city], f"{CITIES[city]}{name}", sector, WORDS[subsector]]
        by_level = dict(zip(("yellow", "orange", "red"), steps, strict=True))
        listed.append((city, category, base, _line(sheet, styles, row, fixed, base, by_level, 1)))
        row += 1
    _total(sheet, styles, row, len(HEAD_OTHER), listed, category)


def _total(sheet: Any, styles: dict[str, Any], row: int, columns: int, listed: list[Any], category: str) -> None:
    here = [item for item in listed if item[1] == category]
    sheet.write_string(row, 0, "合计", styles["head"])
    for k, p in enumerate(POLLUTANTS):
        sheet.write_number(row, columns + k, sum(base[p] for _, _, base, _ in here), styles["number"])
        for m, level in enumerate(LEVELS):
            total = sum(cuts[level][p] for *_, cuts in here)
            sheet.write_number(row, columns + 6 + 6 * m + k, total, styles["number"])


def _summary(
    book: Any,
    styles: dict[str, Any],
    enterprises: list[dict[str, str]],
    areas: dict[tuple[str, str], dict[str, Any]],
    listed: list[Any],
) -> None:
    sheet = book.add_worksheet("汇总")
    sheet.merge_range(0, 0, 0, 8, "各市减排比例汇总（示例，kg/d）", styles["title"])
    heads = [
        "市",
        "预警级别",
        "污染物",
        "全社会日排放量",
        "工业源减排量",
        "移动源减排量",
        "扬尘源减排量",
        "合计减排量",
        "减排比例",
    ]
    for j, name in enumerate(heads):
        sheet.write_string(1, j, name, styles["head"])
    sheet.set_column(3, 7, 16)
    row = 2
    for city, city_zh in CITIES.items():
        whole = dict.fromkeys(POLLUTANTS, 0.0)
        for e in enterprises:
            if e["city"] == city:
                for p, v in _per_day(e, float(e["operating_days"] or 365)).items():
                    whole[p] += v
        for (c, _), area in areas.items():
            if c == city:
                for p, v in _per_day(area, 365.0).items():
                    whole[p] += v
        for level, level_zh in LEVELS.items():
            for p, heading in HEADINGS.items():
                parts = [
                    sum(cuts[level][p] for c, k, _, cuts in listed if (c, k) == (city, category))
                    for category in ("工业源", "移动源", "扬尘源")
                ]
                texts = (city_zh, level_zh, heading)
                for j, text in enumerate(texts):
                    sheet.write_string(row, j, text, styles["text"])
                for j, value in enumerate((whole[p], *parts, sum(parts)), start=3):
                    sheet.write_number(row, j, value, styles["number"])
                sheet.write_number(row, 8, sum(parts) / whole[p] if whole[p] else 0.0, styles["share"])
                row += 1


if __name__ == "__main__":
    main()
