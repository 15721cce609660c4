"""Emergency reduction lists (应急减排清单) as bureaus hold them -> `EmergencyList`.

A list is a workbook with a sheet for each category (工业源, 移动源, 扬尘源) or each city, titles above a header
of one to three rows with merged groups (红色预警 | 减排量 | SO2), and totals below.  The header rows are joined
column by column, and each joined header is classified by what it says: level, pollutant, kind of column.  The other
layout, one row a line *and level*, is folded into one row a line.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from airsim import shipped
from airsim.emergency import mapping as mappings
from airsim.emergency.mapping import SheetMapping
from airsim.errors import InputError, Problem
from airsim.geography import CITIES
from airsim.tables import Sheet, clean_text, column_letter, normalise, read_cells, to_number

Floats = npt.NDArray[np.float64]

LEVELS = ("yellow", "orange", "red")
#: Pollutants of a list, in the order of the official columns.
POLLUTANTS = ("SO2", "NOx", "PM", "VOC")
CATEGORIES = {"industrial": "工业源", "mobile": "移动源", "dust": "扬尘源", "other": "其他"}
KINDS = {
    "": "",
    "key": "重点行业",
    "livelihood": "保障类",
    "strategic": "战略新兴",
    "small": "小微涉气",
    "idle": "长期停产",
    "staggered": "错峰停产",
}
#: Statistical units inside a city that bulletins count apart: unit -> (name, the city it may be counted with).
AREAS = {"xixian": ("西咸新区", "xian"), "hancheng": ("韩城", "weinan"), "yangling": ("杨凌", "xianyang")}

_TEXT = (
    "enterprise",
    "enterprise_id",
    "credit_code",
    "city",
    "county",
    "sector",
    "subsector",
    "grade",
    "kind",
    "line_name",
)
#: Identity that a row below takes over when its enterprise cell is merged into the row above.
_INHERITED = ("enterprise", "enterprise_id", "credit_code", "city", "county", "sector", "grade", "kind", "category")
_INHERITED_NUMBERS = ("operating_days", "longitude", "latitude")
_OTHER_NUMBERS = ("lines", "operating_days", "longitude", "latitude", "output_value", "stop_cost")
_HEADERS: dict[str, tuple[str, ...]] = {
    "enterprise": (
        "企业名称", "单位名称", "企业", "项目名称", "措施名称", "源名称", "污染源名称", "名称", "工地名称",
        "企业全称", "企业(单位)名称", "排污单位名称", "单位全称", "公司名称", "减排项目名称", "enterprise", "name",
    ),
    "enterprise_id": ("企业编号", "企业编码", "清单编号", "enterprise_id"),
    "credit_code": (
        "统一社会信用代码", "社会信用代码", "信用代码", "统一信用代码", "社会统一信用代码", "组织机构代码",
        "统一社会信用代码或组织机构代码", "credit_code",
    ),
    "city": (
        "市", "地市", "城市", "设区市", "所在市", "所属市", "市(区)", "市(州)", "地级市", "市州", "所在地市",
        "所属地市", "所在城市", "city",
    ),
    "county": (
        "县(市、区)", "县(市,区)", "区县", "县区", "县(区)", "区(县)", "所在区县", "所属区县", "所在县区", "所属县区",
        "县市区", "区/县", "区县名称", "县区名称", "行政区", "所属辖区", "辖区", "所在县(市、区)", "county",
    ),
    "sector": (
        "行业类型", "行业", "所属行业", "重点行业类别", "源类", "排放源类型", "部门", "行业类别", "行业名称",
        "重点行业", "sector",
    ),
    "subsector": ("子类", "细分源类", "主要产品", "产品名称", "产品", "subsector"),
    "category": ("类别", "源类别", "清单类别", "排放源类别", "category"),
    "grade": ("绩效等级", "绩效分级", "绩效评级", "评级", "等级", "绩效级别", "绩效分级结果", "评级结果", "grade"),
    "kind": ("企业类型", "类型", "管控类型", "企业类别", "管控类别", "kind", "type"),
    "line_name": (
        "生产线或工序名称", "生产线名称", "生产线", "工序名称", "生产工序", "生产线(工序)名称", "管控环节", "工序",
        "生产线/工序", "生产线(工序)", "生产线/工序名称", "生产设施", "生产设施名称", "主要生产工序", "line_name",
    ),
    "lines": ("数量", "生产线数量", "生产线数", "条数", "设备数量", "生产线(工序)数量", "台套数", "lines"),
    "operating_days": (
        "年生产天数", "年运行天数", "生产天数", "运行天数", "年工作天数", "年生产时间", "operating_days",
    ),
    "longitude": ("经度", "东经", "中心经度", "企业经度", "lon", "lng", "longitude"),
    "latitude": ("纬度", "北纬", "中心纬度", "企业纬度", "lat", "latitude"),
    "lonlat": ("经纬度", "坐标", "经纬度坐标", "地理坐标", "中心经纬度"),
    "output_value": ("产值", "年产值", "工业总产值", "年工业总产值", "output_value"),
    "stop_cost": ("停产损失", "日停产损失", "停产成本", "stop_cost"),
    "level": ("预警级别", "预警等级", "响应级别", "响应等级", "级别", "管控级别", "预警响应级别", "level"),
}  # fmt: skip
_BY_HEADER = {normalise(h): name for name, spellings in _HEADERS.items() for h in spellings}
_LEVEL_WORDS = {
    "red": re.compile(r"红|(?<!i)i级|一级|red(?!uc)"),
    "orange": re.compile(r"橙|(?<!i)ii级|二级|orange"),
    "yellow": re.compile(r"黄|iii级|三级|yellow"),
}
_POLLUTANT_WORDS = {
    "SO2": re.compile(r"so2|二氧化硫"),
    "NOx": re.compile(r"nox|氮氧化物"),
    "VOC": re.compile(r"voc|挥发性"),
    "PM": re.compile(r"(?<![a-z])pm(?!2\.?5)|颗粒物|烟粉尘|烟\(粉\)尘"),
}
_CUT = re.compile(r"减排|削减|减少|cut")
_EMISSION = re.compile(r"排放量|排放基数|基数")
_COUNT_OF_LINES = re.compile(r"停[产运用].*(?:数|条)|stopped")
_SHARE = re.compile(r"(?:限产|停产|减产|减排|停限产|压减).*(?:比例|百分比|率|%)|share")
_WORDS = re.compile(r"措施|要求|内容|text")
_UNITS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"kg/d|kg/天|kg/日|公斤/天|公斤/日|千克/天|千克/日|千克/d|kgd-1"), "kg d-1"),
    (re.compile(r"t/d|t/天|t/日|吨/天|吨/日|td-1"), "t d-1"),
    (re.compile(r"t/a|吨/年|t/年|吨/a|ta-1"), "t a-1"),
)
#: Unit -> factor to kg d-1; a year needs the row's operating days.
_FACTORS: dict[str, float] = {"kg d-1": 1.0, "t d-1": 1000.0, "t a-1": np.nan}
_TITLE_UNIT = re.compile(r"单位[:：]?")
_CITY_ENDING = re.compile(r"(?:市|示范区|高新技术产业示范区|农业.*示范区|新区|地区)$")
_TOTAL = re.compile(r"(?:合计|总计|小计|累计|全市合计|全省合计|全县合计|企业合计|企业小计|全厂合计|合计[:：].*|total)")
_ENTERPRISE_TOTAL = re.compile(r"(?:合计|小计|总计|企业合计|企业小计|全厂合计)")
_ILLUSTRATIVE = re.compile(r"示例|示意性|illustrative", re.IGNORECASE)
_SYNTHETIC = re.compile(r"合成数据|synthetic", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+\d+", re.IGNORECASE)
_HAN = re.compile(r"[\u4e00-\u9fff]")
_XIXIAN = re.compile(r"西咸|沣东|沣西|秦汉新城|空港新城|泾河新城")
_LOST_DIGITS = (
    "stored as a number, digits are lost; format the column as text and enter it again",
    "该编码被存成数值，末位已丢失；请将列设为文本后重新录入",
)


@dataclass(frozen=True)
class EmergencyList:
    """An emergency reduction list as read.

    Attributes
    ----------
    file : str
        The file as the user named it.
    lines : DataFrame
        One row a production line (or a mobile, dust or other item), index `place` = ``"工业源!7"``.  Columns:
        sheet, row, category (industrial, mobile, dust, other), enterprise, enterprise_id, credit_code, city, area
        (the city, or a key of `AREAS`), county, sector, subsector, grade, grade_local (the grade is the
        province's own), kind (see `KINDS`), line_name, lines [1], operating_days [d], longitude, latitude [deg],
        output_value [1e4 yuan a-1], stop_cost [1e4 yuan d-1], base_SO2, base_NOx, base_PM, base_VOC [kg d-1], and for
        each level yellow, orange, red: ``<level>_text``, ``<level>_stopped`` [1], ``<level>_share`` [1],
        ``<level>_cut_SO2`` ... [kg d-1] (NaN where not stated).
    columns : mapping
        Sheet -> our column -> its position (from 0), for the cells that messages name.
    illustrative, synthetic : bool
        The file says of itself that its measures are an example and no published list; that its data are made up.
    notes : tuple of Problem
        What was not read or stands otherwise than expected; nothing in it stops the reading.
    errors : tuple of Problem
        What keeps the list from being counted; `read` raises them.
    recognised : DataFrame
        One row a header cell: sheet, cell, header, column (ours; empty: ignored), unit.
    totals : DataFrame
        Rows of totals, which are not counted: place, sheet, scope ("enterprise" or "sheet"), enterprise, city, and
        base and cuts [kg d-1].
    level_rows : DataFrame
        Row of each level where each had its own, index `place`, columns `LEVELS`; else empty.
    """

    file: str
    lines: pd.DataFrame
    columns: Mapping[str, Mapping[str, int]]
    illustrative: bool
    notes: tuple[Problem, ...] = ()
    errors: tuple[Problem, ...] = ()
    recognised: pd.DataFrame = field(default_factory=pd.DataFrame)
    totals: pd.DataFrame = field(default_factory=pd.DataFrame)
    level_rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    synthetic: bool = False

    def cell(self, place: str, key: str) -> str:
        """Return the cell that a value came from, such as ``"工业源!C7"``; the row if it came from none."""
        lines: Any = self.lines
        level_rows: Any = self.level_rows
        sheet, row = str(lines.at[place, "sheet"]), int(lines.at[place, "row"])
        level, _, rest = key.partition("_")
        if level in self.level_rows and rest:
            row, key = int(level_rows.at[place, level]), f"any_{rest}"
        columns = self.columns.get(sheet, {})
        for name in (key, f"{key.rpartition('_')[0]}_packed", "lonlat" if key in {"longitude", "latitude"} else ""):
            if name in columns:
                return f"{sheet}!{column_letter(columns[name])}{row}" if sheet else str(row)
        return f"{sheet}!{row}" if sheet else str(row)

    def problem(self, place: str, key: str, value: object, allowed: str, allowed_zh: str = "") -> Problem:
        """Make a `Problem` about one cell of the list."""
        return Problem(self.file, self.cell(place, key), key, str(value), allowed, allowed_zh)


def known_columns() -> dict[str, str]:
    """Return the columns that a mapping may name, with what each is."""
    known = {name: spellings[0] for name, spellings in _HEADERS.items()}
    known |= {f"base_{p}": f"日排放量 {p}" for p in POLLUTANTS} | {"base_packed": "日排放量，数字在一格内"}
    for level in (*LEVELS, "any"):
        known |= {f"{level}_text": "减排措施", f"{level}_stopped": "停产生产线数量", f"{level}_share": "限产比例"}
        known |= {f"{level}_cut_{p}": f"减排量 {p}" for p in POLLUTANTS}
        known[f"{level}_cut_packed"] = "减排量，数字在一格内"
    return known


def read(path: str | Path, mapping: str | Path | Mapping[str, Any] | None = None) -> EmergencyList:
    """Read an emergency reduction list.

    Parameters
    ----------
    path : path
        ``.xlsx``, ``.xls`` or ``.csv`` (UTF-8 or GB18030).
    mapping : path or mapping, optional
        A mapping file (`airsim.emergency.mapping`), or our column -> their header; it overrides the recognition.

    Returns
    -------
    EmergencyList

    Raises
    ------
    InputError
        Everything that keeps the list from being counted, each with sheet and cell: no list in the file, a unit that
        is not stated, cells that are not numbers, negative numbers, unknown cities, credit codes stored as numbers,
        a line that stands in the list twice.
    """
    found = examine(path, mapping)
    if found.errors:
        raise InputError(found.errors)
    return found


def examine(path: str | Path, mapping: str | Path | Mapping[str, Any] | None = None) -> EmergencyList:
    """Read a list as far as it can be read; what `read` would raise stands in `errors`.

    Raises
    ------
    InputError
        The file or the mapping cannot be read at all.
    """
    path = Path(path)
    wanted = mappings.read(mapping, known_columns()) if mapping is not None else mappings.Mapping()
    sheets = read_cells(path)
    reader = _Reader(str(path))
    absent = [name for name in wanted.sheets if name not in {s.name for s in sheets}]
    reader.errors += [
        Problem(str(path), "", "sheets", name, "the mapping names a sheet that the file lacks", "映射中的工作表不存在")
        for name in absent
    ]
    for sheet in sheets:
        reader.sheet(sheet, wanted.of(sheet.name), named=sheet.name in wanted.sheets)
    found = reader.finish()
    return replace(found, errors=(*found.errors, *_duplicates(found)))


# --------------------------------------------------------------------------------------------------------
# words


def unit_of(text: str) -> str:
    """Return the unit that a text names: "kg d-1", "t d-1", "t a-1" or "" for none."""
    plain = normalise(text)
    return next((unit for words, unit in _UNITS if words.search(plain)), "")


def _flat(text: str) -> str:
    return re.sub(r"\s+", "", text)


def category_of(text: str) -> str:
    """Return the category that a text names, "" for none."""
    for category, word in (("mobile", "移动"), ("dust", "扬尘"), ("industrial", "工业"), ("other", "其他")):
        if word in text or text == category:
            return category
    return ""


_CITY_IDS = frozenset(c.id for c in CITIES)
_CITY_NAMES = {normalise(n): c.id for c in CITIES for n in (c.id, c.name_zh, c.name_en, c.name_zh + "市")} | {
    "杨陵": "yangling",
    "杨陵区": "yangling",
}
#: City -> units inside it that have a city of their own here, under the name of a county.
_INNER = {"xianyang": ("yangling", re.compile(r"杨[凌陵]")), "weinan": ("hancheng", re.compile(r"韩城"))}


@lru_cache(maxsize=4096)
def city_of(text: str, county: str = "") -> tuple[str, str]:
    """Return the city and the statistical area that a city cell and a county cell name; "" where unknown."""
    bare = re.sub(r"[(（\[].*?[)）\]]", "", text)
    plain = normalise(bare)
    if _XIXIAN.search(plain) or (_XIXIAN.search(county) and not re.search(r"不含|除", county)):
        return "xian", "xixian"
    city = _CITY_NAMES.get(plain) or _CITY_NAMES.get(_CITY_ENDING.sub("", plain), "")
    if not text:
        city = _counties().get(normalise(county), "") if county else ""
    inner, words = _INNER.get(city, ("", None))
    if words is not None and words.search(county):
        city = inner
    return city, city


def _city_in(text: str) -> tuple[str, str]:
    """Return the one city that a title or sheet name mentions."""
    if _XIXIAN.search(text):
        return "xian", "xixian"
    named = {c.id for c in CITIES if c.name_zh in text}
    return (only := named.pop(), only) if len(named) == 1 else ("", "")


@lru_cache(maxsize=1)
def _counties() -> dict[str, str]:
    """Return county name -> city for names that occur in one city only."""
    table = pd.read_csv(shipped.path("data/geography/counties.csv"), dtype=str, encoding="utf-8-sig")
    known = table[table["city"].isin(_CITY_IDS)].drop_duplicates("name_zh", keep=False)
    return dict(zip(map(normalise, known["name_zh"]), known["city"], strict=True))


@lru_cache(maxsize=4096)
def kind_and_grade(kind: str, grade: str) -> tuple[str, str, bool]:
    """Return canonical kind, bare grade, and whether the grade is a local one.

    Grade cells carry kinds too: 民生豁免-B, 长期停产; 地方C is a grade of the province's own scheme.
    """
    both = f"{kind} {grade}"
    found = kind if kind in KINDS else ""
    for name, words in (
        ("idle", "长期停产"),
        ("staggered", "错峰"),
        ("livelihood", "民生|保障"),
        ("strategic", "战略新兴"),
        ("small", "小微"),
        ("key", "重点行业"),
    ):
        if re.search(words, both):
            found = name
            break
    plain = unicodedata.normalize("NFKC", grade)
    bare = re.sub(
        r"民生豁免|民生保障|民生|豁免|保障类?(?:企业)?|地方|长期停产|战略新兴(?:产业)?|企业|级|类|[-—_/()\s]", "", plain
    )
    return found, bare.upper(), "地方" in plain


def level_of(text: str) -> str:
    """Return the one level that a word names (red, 红, 红色预警, Ⅰ级), "" for none."""
    named = _levels_in(text)
    return named[0] if len(named) == 1 else ""


@lru_cache(maxsize=65536)
def _name(text: str) -> str:
    """Return a Chinese name as it is compared and printed: half-width brackets, no blanks inside."""
    plain = text.replace("（", "(").replace("）", ")")
    return re.sub(r"[\s\u3000]+", "", plain) if _HAN.search(plain) else plain


def _levels_in(text: str) -> tuple[str, ...]:
    """Return the levels that a cell of the level column names (橙色及以上 -> orange, red); empty if none is clear."""
    plain = normalise(text)
    if plain in LEVELS:
        return (plain,)
    named = [name for name in LEVELS if _LEVEL_WORDS[name].search(plain)]
    if len(named) == 1 and re.search(r"及以上", plain):
        return LEVELS[LEVELS.index(named[0]) :]
    return tuple(named)


# --------------------------------------------------------------------------------------------------------
# cells that hold numbers


def share_column(values: Sequence[Any]) -> tuple[list[float], list[int]]:
    """Return the shares [1] of a column of percentages, and the positions that cannot be told.

    Text with % is per cent.  A bare number below 1 is a share (Excel keeps 30 % as 0.3), above 1 per cent; exactly 1
    is the whole if every other bare number of the column is a share too, else it cannot be told.
    """
    shares: list[float] = []
    ones: list[int] = []
    doubtful: list[int] = []
    per_cent = False
    for i, value in enumerate(values):
        text = unicodedata.normalize("NFKC", clean_text(value))
        try:
            number = to_number(text.rstrip("%"))
        except ValueError:
            number = None
            doubtful.append(i)
        if number is None:
            shares.append(np.nan)
        elif text.endswith("%") or number > 1:
            per_cent = per_cent or not text.endswith("%")
            shares.append(number / 100.0)
        else:
            if number == 1:
                ones.append(i)
            shares.append(number)
        if number is not None and not 0 <= shares[-1] <= 1:
            shares[-1] = np.nan
            doubtful.append(i)
    if per_cent:
        for i in ones:
            shares[i] = np.nan
        doubtful += ones
    return shares, sorted(doubtful)


_DMS = re.compile(r"(\d{1,3})[°度](?:(\d{1,2}(?:\.\d+)?)[′'分]?)?(?:(\d{1,2}(?:\.\d+)?)(?:[″\"秒]|''|′′)?)?[ENen东北]?")


def to_degrees(value: Any) -> float | None:
    """Return a coordinate in decimal degrees; 108°56′12″ and 108度56分12秒 are read too.

    Raises
    ------
    ValueError
        The cell holds something else.
    """
    if isinstance(value, str):
        text = re.sub(r"^[东北经纬:ENen]+", "", unicodedata.normalize("NFKC", value).replace(" ", ""))
        m = _DMS.fullmatch(text)
        if m:
            return int(m[1]) + float(m[2] or 0) / 60.0 + float(m[3] or 0) / 3600.0
        value = re.sub(r"[°度ENen]+$", "", text)
    number = to_number(value)
    return None if number == 0 else number


def unpack(value: Any, order: Sequence[str]) -> dict[str, float] | None:
    """Return the numbers that one cell holds by pollutant: ``1000/4000/1500/0`` or ``SO2 12.3；NOx 4``.

    Parameters
    ----------
    value : object
        The cell.
    order : sequence of str
        Pollutants in the order of the header, for cells without names; empty if the header names none.

    Returns
    -------
    dict or None
        Pollutant -> number as it stands; None if the cell holds something else.
    """
    text = unicodedata.normalize("NFKC", clean_text(value))
    if not text or text in {"-", "/", "无", "—"}:
        return {}
    found: dict[str, float] = {}
    if re.search(r"[A-Za-z\u4e00-\u9fff]", text):
        for part in re.split(r"[;,/、\n](?=\s*[^\d\s])|\s(?=[A-Za-z\u4e00-\u9fff])", text):
            plain = normalise(part)
            if not plain:
                continue
            named = [p for p, words in _POLLUTANT_WORDS.items() if words.search(plain)]
            rest = _POLLUTANT_WORDS[named[0]].sub("", plain) if named else plain
            m = re.fullmatch(
                r"[s]?[:=为]?(\d+(?:\.\d+)?)(?:kg/d|kg|千克|公斤)?", re.sub(r"排放量|减排量|10(?=[:=为])", "", rest)
            )
            if len(named) != 1 or not m or named[0] in found:
                return None
            found[named[0]] = float(m[1])
        return found
    parts = re.split(r"[/;,、\s]+", text)
    if len(parts) != len(order):
        return None
    try:
        numbers = [to_number(p) for p in parts]
    except ValueError:
        return None
    return {p: n for p, n in zip(order, numbers, strict=True) if n is not None}


# --------------------------------------------------------------------------------------------------------
# the header


def _note(sheet: Sheet, said: str, said_zh: str, where: str = "") -> Problem:
    return Problem(sheet.file, where or sheet.name, "", "", said, said_zh)


def _head_text(sheet: Sheet) -> Iterator[str]:
    """Yield the text of the rows in which a sheet speaks of itself: a notes sheet whole, else the titles."""
    rows = sheet.rows if "说明" in sheet.name else sheet.rows[:3]
    for row in rows:
        for cell in row:
            text = clean_text(cell)
            if text:
                yield text


def _find_header(sheet: Sheet, names: frozenset[str]) -> tuple[int, int] | None:
    """Return the first and the last row (included) of the header, None if there is none.

    `names` are further headers of the enterprise column.
    """
    for i, row in enumerate(sheet.rows[:20]):
        held = [
            j for j, c in enumerate(row)
            if isinstance(c, str) and (_BY_HEADER.get(_bare(c)) == "enterprise" or normalise(c) in names)
        ]  # fmt: skip
        if not held or sum(bool(clean_text(c)) for c in row) < 3:
            continue
        first = i
        # a group row may stand above the row that holds the name
        if i > 0 and _is_group_row(sheet.rows[i - 1]):
            first = i - 1
        last = i
        while last - first < 3 and last + 1 < len(sheet.rows) and _is_subheader(sheet.rows[last + 1], held[0]):
            last += 1
        return first, last
    return None


def _is_group_row(row: Sequence[Any]) -> bool:
    words = [normalise(c) for c in row if clean_text(c)]
    groups = [w for w in words if _level(w) or _CUT.search(w) or _EMISSION.search(w) or "信息" in w or "情况" in w]
    return len(groups) >= 2 and len(groups) * 2 >= len(words)


def _is_subheader(row: Sequence[Any], name_column: int) -> bool:
    filled = [c for c in row if clean_text(c)]
    if len(filled) < 2 or (name_column < len(row) and clean_text(row[name_column])):
        return False
    words = [normalise(c) for c in filled if isinstance(c, str)]
    known = [
        w for w in words
        if _pollutant(w) or _level(w) or _CUT.search(w) or _WORDS.search(w) or "数" in w or "比例" in w or unit_of(w)
        or _BY_HEADER.get(_bare(w))
    ]  # fmt: skip
    return len(words) == len(filled) and len(known) * 2 >= len(filled)


def _bare(cell: object) -> str:
    text = normalise(cell).lstrip("*＊")
    return text if text in _BY_HEADER else re.sub(r"[(\[【].*?[)\]】]", "", text)


def _level(text: str) -> str:
    # Ⅱ级 contains no Ⅰ级 once the numerals are letters: the patterns look behind themselves
    found = [name for name, words in _LEVEL_WORDS.items() if words.search(text)]
    return found[0] if len(found) == 1 else ""


def _pollutant(text: str) -> str:
    return next((name for name, words in _POLLUTANT_WORDS.items() if words.search(text)), "")


def _pollutants_in_order(text: str) -> list[str]:
    places = {name: m.start() for name, words in _POLLUTANT_WORDS.items() if (m := words.search(text))}
    return sorted(places, key=lambda n: places[n])


def _joined_headers(sheet: Sheet, header: tuple[int, int]) -> list[str]:
    """Join the header rows column by column; a merged group heads every column that has text below it."""
    first, last = header
    width = max(len(r) for r in sheet.rows[first : last + 1])
    block = [[clean_text(r[j]) if j < len(r) else "" for j in range(width)] for r in sheet.rows[first : last + 1]]
    for top, left, bottom, right in sheet.merged:
        if first <= top <= last and bottom <= last:
            for j in range(left, min(right + 1, width)):
                block[top - first][j] = block[top - first][left]
    for i, row in enumerate(block[:-1]):
        below = [any(block[k][j] for k in range(i + 1, len(block))) for j in range(width)]
        group, above_group = "", ""
        for j in range(width):
            above = "|".join(block[k][j] for k in range(i))
            if row[j]:
                group, above_group = (row[j], above) if below[j] else ("", "")
            elif group and below[j] and above == above_group:
                row[j] = group
            else:
                group = ""
    return ["|".join(dict.fromkeys(r[j] for r in block if r[j])) for j in range(width)]


def _classify(text: str, parts: Sequence[str], *, by_level: bool) -> str:
    """Return our column for a joined header; `by_level`: the sheet has one row a level."""
    canonical = _CANONICAL.get(text)
    if canonical:
        return canonical
    level, pollutants = _level(text), _pollutants_in_order(text)
    who = level or ("any" if by_level else "")
    if who and (
        level or _CUT.search(text) or _COUNT_OF_LINES.search(text) or _SHARE.search(text) or _WORDS.search(text)
    ):
        cut = _CUT.search(text)
        if pollutants and (level or cut):
            return f"{who}_cut_{pollutants[0]}" if len(pollutants) == 1 else f"{who}_cut_packed"
        if _COUNT_OF_LINES.search(text):
            return f"{who}_stopped"
        if _SHARE.search(text):
            return f"{who}_share"
        if cut and re.search(r"量", text) and not _WORDS.search(text):
            return f"{who}_cut_packed"
        last = re.sub(r"预警|响应|期间|级", "", parts[-1])
        if _WORDS.search(text) or len(parts) == 1 or _level(parts[-1]) or last in {"红色", "橙色", "黄色"}:
            return f"{who}_text" if level or _WORDS.search(text) else ""
        return ""
    if pollutants:
        if _CUT.search(text):
            return ""
        return f"base_{pollutants[0]}" if len(pollutants) == 1 else "base_packed"
    named = next((_BY_HEADER[b] for b in map(_bare, reversed(parts)) if b in _BY_HEADER), "")
    if not named and _EMISSION.search(text) and not _CUT.search(text) and not re.search(r"放口|标准|浓度", text):
        return "base_packed"
    return named


_CANONICAL = {
    n.lower(): n
    for n in (
        *(f"base_{p}" for p in POLLUTANTS),
        *(f"{lv}_{w}" for lv in LEVELS for w in ("text", "stopped", "share", *(f"cut_{p}" for p in POLLUTANTS))),
    )
}


def _is_measure(name: str) -> bool:
    return name.partition("_")[0] in {*LEVELS, "any"} and name != "level"


def _is_amount(name: str) -> bool:
    return name.startswith("base_") or "_cut_" in name


# --------------------------------------------------------------------------------------------------------
# the sheets


@dataclass
class _Found:
    """A column that was found: where, in what unit, and the pollutants its header names."""

    at: int
    factor: float = 1.0
    order: tuple[str, ...] = ()


class _Reader:
    """Reads one sheet after the other and gathers."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.frames: list[pd.DataFrame] = []
        self.level_rows: list[pd.DataFrame] = []
        self.totals: list[dict[str, Any]] = []
        self.columns: dict[str, dict[str, int]] = {}
        self.recognised: list[dict[str, str]] = []
        self.notes: list[Problem] = []
        self.errors: list[Problem] = []
        self.illustrative = self.synthetic = False

    def sheet(self, sheet: Sheet, mapping: SheetMapping, *, named: bool) -> None:
        """Read a sheet if it is a list."""
        for text in _head_text(sheet):
            self.illustrative = self.illustrative or bool(_ILLUSTRATIVE.search(text))
            self.synthetic = self.synthetic or bool(_SYNTHETIC.search(text))
        if mapping.skip:
            self.notes.append(_note(sheet, "sheet skipped by the mapping", "按映射文件跳过该工作表"))
            return
        if sheet.hidden and not named:
            self.notes.append(_note(sheet, "hidden sheet, not read", "隐藏工作表，未读取"))
            return
        if re.search("汇总|说明|统计|更改记录", sheet.name) and not named:
            self.notes.append(_note(sheet, "summary or notes, not counted", "汇总或说明表，不计入"))
            return
        source = mapping.columns.get("enterprise")
        words = frozenset(normalise(p) for p in source.header.split("|")) - {""} if source else frozenset()
        given = mapping.header
        header = (given[0] - 1, given[1] - 1) if given else _find_header(sheet, words)
        columns = self._columns(sheet, header, mapping) if header and header[1] < len(sheet.rows) else {}
        if not header or "enterprise" not in columns or not any(_is_measure(c) for c in columns):
            if any(clean_text(c) for row in sheet.rows[:40] for c in row):
                self.notes.append(
                    _note(
                        sheet,
                        "no list recognised (needs a name and measures by level)",
                        "未识别为清单（需有名称列及分级措施列）",
                    )
                )
            self.recognised = [r for r in self.recognised if r["sheet"] != sheet.name]
            return
        self.columns[sheet.name] = {name: found.at for name, found in columns.items()}
        self._rows(sheet, header, columns, mapping)

    def finish(self) -> EmergencyList:
        """Return what was gathered."""
        if not self.frames and not self.errors:
            self.errors.append(
                Problem(
                    self.file,
                    "",
                    "",
                    "",
                    "no sheet of the file is a reduction list: a name column and measures by level (红/橙/黄) needed",
                    "文件中没有减排清单：须有企业（项目）名称列和红、橙、黄各级措施列",
                )
            )
        lines = pd.concat(self.frames) if self.frames else _empty()
        totals = pd.DataFrame(self.totals)
        rows = pd.concat(self.level_rows) if self.level_rows else pd.DataFrame()
        return EmergencyList(
            self.file, lines, self.columns, self.illustrative, tuple(self.notes), tuple(self.errors),
            pd.DataFrame(self.recognised, columns=["sheet", "cell", "header", "column", "unit"]), totals,
            rows.reindex(lines.index) if len(rows) else rows, self.synthetic,
        )  # fmt: skip

    # -- header

    def _columns(self, sheet: Sheet, header: tuple[int, int], mapping: SheetMapping) -> dict[str, _Found]:
        title_unit = mapping.unit or next(
            (
                u
                for r in sheet.rows[: header[0]]
                for c in r
                if _TITLE_UNIT.search(clean_text(c)) and (u := unit_of(str(c)))
            ),
            "",
        )
        joined = _joined_headers(sheet, header)
        texts = [normalise(h) for h in joined]
        parts = [[normalise(p) for p in h.split("|")] for h in joined]
        by_level = any(_BY_HEADER.get(_bare(p[-1])) == "level" for p in parts if p) or "level" in mapping.columns
        chosen: dict[int, str] = {}
        units: dict[int, str] = {}
        for name, source in mapping.columns.items():
            if not source.header and source.column is None:
                continue
            words = normalise(source.header)
            places = [source.column] if source.column is not None else [j for j, t in enumerate(texts) if words == t]
            places = places or [j for j, p in enumerate(parts) if words in p]
            if len(places) != 1 or places[0] >= len(joined):
                said = ("no column has this header", "没有该表头")
                if places:
                    said = ("several columns have this header; join all its rows by |", "该表头不唯一，请用 | 连接各行")
                self.errors.append(Problem(sheet.file, sheet.place(header[1]), name, source.header, *said))
                continue
            chosen[places[0]] = name
            units[places[0]] = source.unit
        barred = set(mapping.columns)
        columns: dict[str, _Found] = {}
        for j, head in enumerate(joined):
            if not head and j not in chosen:
                continue
            name = chosen.get(j, "")
            if not name:
                name = _classify(texts[j], parts[j], by_level=by_level)
                if name in barred:
                    name = ""
            place = sheet.place(header[1], j)
            unit = ""
            if name in columns:
                self._doubled(sheet, place, head, name)
                name = ""
            if name:
                found = _Found(j, order=tuple(_pollutants_in_order(texts[j])))
                if _is_amount(name):
                    unit = units.get(j) or unit_of(texts[j]) or title_unit
                    if not unit:
                        self.errors.append(
                            Problem(
                                sheet.file,
                                place,
                                head,
                                "",
                                "state the unit in the header or the title: kg/d, 吨/天 or 吨/年",
                                "须在表头或标题中注明单位：kg/d、吨/天或吨/年",
                            )
                        )
                    found.factor = _FACTORS.get(unit, 1.0)
                columns[name] = found
            self.recognised.append({"sheet": sheet.name, "cell": place, "header": head, "column": name, "unit": unit})
        return columns

    def _doubled(self, sheet: Sheet, place: str, head: str, name: str) -> None:
        said = f"a second column of '{name}', not used", f"与前面的列含义相同（{name}），未使用"
        self.notes.append(Problem(sheet.file, place, head, "", *said))

    # -- rows

    def _rows(
        self, sheet: Sheet, header: tuple[int, int], columns: Mapping[str, _Found], mapping: SheetMapping
    ) -> None:
        body = _unmerged(sheet, header, columns)
        numbers_of = range(header[1] + 1, len(sheet.rows))
        keep: list[int] = []
        totals: list[int] = []
        blank = 0
        name_at = columns["enterprise"].at
        for i in numbers_of:
            row = body(i)
            if not any(c is not None and c != "" and clean_text(c) for c in row):
                blank += 1
                continue
            if name_at < len(row) and _BY_HEADER.get(_bare(row[name_at])) == "enterprise":
                continue  # the header again, on the next printed page
            said = [t for t in (_flat(clean_text(c)) for c in row[:8]) if t]
            if any(_TOTAL.fullmatch(t) for t in said):
                totals.append(i)
            else:
                keep.append(i)
        everything = sorted({*keep, *totals})
        if not keep:
            self.notes.append(_note(sheet, "a header and no rows", "有表头但无数据行"))
            return
        cells = {
            name: [row[f.at] if f.at < len(row) else None for row in map(body, everything)]
            for name, f in columns.items()
        }
        frame = self._frame(sheet, everything, cells, columns)
        is_total = np.isin(everything, totals)
        frame = self._identity(sheet, frame, cells, columns, mapping, header, is_total)
        self._to_kg_per_day(sheet, frame, columns)
        frame.index = pd.Index([sheet.place(i) for i in frame["_i"]], name="place")
        if "level" in columns:
            frame = self._folded(sheet, frame, columns)
        self.frames.append(frame.drop(columns=["_i", *(c for c in frame if str(c).startswith("any_") or c == "level")]))

    def _bad(self, sheet: Sheet, i: int, found: _Found, name: str, value: Any, said: tuple[str, str]) -> None:
        self.errors.append(Problem(sheet.file, sheet.place(i, found.at), name, clean_text(value), *said))

    def _frame(
        self, sheet: Sheet, rows: list[int], cells: Mapping[str, list[Any]], columns: Mapping[str, _Found]
    ) -> pd.DataFrame:
        """Return texts and numbers of the rows, not yet converted to kg d-1."""
        n = len(rows)
        data: dict[str, Any] = {"_i": rows, "sheet": sheet.name, "row": [sheet.lines[i] for i in rows]}
        for name in _TEXT:
            raw = cells.get(name)
            data[name] = [clean_text(v) for v in raw] if raw is not None else [""] * n
        data["category"] = [clean_text(v) for v in cells["category"]] if "category" in cells else [""] * n
        for name in ("enterprise", "line_name"):
            data[name] = [_name(t) for t in data[name]]
        if "credit_code" in cells:
            data["credit_code"] = self._codes(sheet, rows, cells["credit_code"], columns["credit_code"])
        levels = (*LEVELS, "any") if "level" in columns else LEVELS
        for level in levels:
            raw = cells.get(f"{level}_text")
            data[f"{level}_text"] = [clean_text(v) for v in raw] if raw is not None else [""] * n
        amounts = [f"base_{p}" for p in POLLUTANTS]
        amounts += [f"{level}_cut_{p}" for level in levels for p in POLLUTANTS]
        for name in (*_OTHER_NUMBERS, *(f"{level}_stopped" for level in levels), *amounts):
            found = columns.get(name)
            data[name] = self._numbers(sheet, rows, cells[name], found, name) if found else np.full(n, np.nan)
        for level in levels:
            found = columns.get(f"{level}_share")
            data[f"{level}_share"] = np.full(n, np.nan)
            if found:
                raw = cells[f"{level}_share"]
                shares, doubtful = share_column(raw)
                data[f"{level}_share"] = np.array(shares)
                for k in doubtful:
                    said = (
                        "must be a share: 30%, 0.3 or 30, one way in a column",
                        "须为比例：30%、0.3 或 30，同列写法一致",
                    )
                    self._bad(sheet, rows[k], found, f"{level}_share", raw[k], said)
        for group in ("base", *(f"{level}_cut" for level in levels)):
            found = columns.get(f"{group}_packed")
            if found:
                self._unpacked(sheet, rows, cells[f"{group}_packed"], found, group, data)
        if "lonlat" in columns:
            self._pairs(sheet, rows, cells["lonlat"], columns["lonlat"], data)
        if "level" in columns:
            data["level"] = [clean_text(v) for v in cells["level"]]
        return pd.DataFrame(data)

    def _codes(self, sheet: Sheet, rows: list[int], raw: list[Any], found: _Found) -> list[str]:
        codes = []
        for i, value in zip(rows, raw, strict=True):
            number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= 1e11
            text = "" if value is None else unicodedata.normalize("NFKC", clean_text(value))
            text = re.sub(r"[\s'’`]+", "", text).upper()
            if number or _SCIENTIFIC.fullmatch(text):
                shown = f"{value:.0f}" if number else text
                self._bad(sheet, i, found, "credit_code", shown, _LOST_DIGITS)
                text = ""
            codes.append("" if text in {"-", "—", "/", "无"} else text)
        return codes

    def _numbers(self, sheet: Sheet, rows: list[int], raw: list[Any], found: _Found, name: str) -> Floats:
        out = np.full(len(rows), np.nan)
        degrees = name in {"longitude", "latitude"}
        for k, value in enumerate(raw):
            if type(value) is float:
                number: float | None = value
            elif value is None or value == "":
                continue
            else:
                try:
                    number = to_degrees(value) if degrees else to_number(value)
                except ValueError:
                    self._bad(sheet, rows[k], found, name, value, ("must be a number", "须为数字"))
                    continue
            if number is None or math.isnan(number):
                continue
            if number < 0:
                self._bad(sheet, rows[k], found, name, value, ("must not be negative", "不得为负"))
                continue
            if not (degrees and number == 0):
                out[k] = number
        return out

    def _unpacked(
        self, sheet: Sheet, rows: list[int], raw: list[Any], found: _Found, group: str, data: dict[str, Any]
    ) -> None:
        for k, value in enumerate(raw):
            held = unpack(value, found.order)
            if held is None:
                said = (
                    "must be one number a pollutant: 1000/4000/1500/0 in the order of the header, or SO2 12.3; NOx 4",
                    "须为各污染物数字：按表头顺序 1000/4000/1500/0，或 SO2 12.3；NOx 4",
                )
                self._bad(sheet, rows[k], found, f"{group}_packed", value, said)
                continue
            for p, number in held.items():
                data[f"{group}_{p}"][k] = number

    def _pairs(self, sheet: Sheet, rows: list[int], raw: list[Any], found: _Found, data: dict[str, Any]) -> None:
        for k, value in enumerate(raw):
            parts = [p for p in re.split(r"[,，;；、\s]+", clean_text(value)) if p]
            if not parts:
                continue
            try:
                lon, lat = (to_degrees(p) for p in parts)
            except ValueError:
                said = ("must be longitude and latitude, as 108.95,34.27", "须为经度、纬度，如 108.95,34.27")
                self._bad(sheet, rows[k], found, "lonlat", value, said)
                continue
            data["longitude"][k], data["latitude"][k] = lon, lat

    def _identity(
        self,
        sheet: Sheet,
        frame: Any,
        cells: Mapping[str, list[Any]],
        columns: Mapping[str, _Found],
        mapping: SheetMapping,
        header: tuple[int, int],
        is_total: npt.NDArray[np.bool_],
    ) -> pd.DataFrame:
        """Fill merged identity downwards, take the totals out, and say whose each row is."""
        content = (frame["line_name"] != "").to_numpy() | frame.filter(regex="^base_|_cut_").notna().any(
            axis=1
        ).to_numpy()
        if "level" in columns:
            content |= (frame["level"] != "").to_numpy()
        columns_of = [frame[n].tolist() for n in (*_INHERITED, *_INHERITED_NUMBERS)]
        texts = len(_INHERITED)
        repeated = {_INHERITED.index(n) for n in ("credit_code", "city", "county", "sector", "category")}
        by_level = "level" in columns
        line_names, own = frame["line_name"].tolist(), frame["enterprise"].tolist()
        names = list(own)
        keep = np.zeros(len(frame), dtype=bool)
        above = -1
        for k in range(len(frame)):
            if is_total[k]:
                self._total(sheet, frame, k, own[k] or (own[above] if above >= 0 else ""), columns)
                continue
            if not own[k] and (above < 0 or not content[k]):
                place = sheet.place(int(frame["_i"].iat[k]))
                self.notes.append(_note(sheet, "row without a name, not counted", "无名称的行，不计入", place))
                continue
            # a row below with the name merged takes over what it leaves blank; one that repeats the name, only where
            # the enterprise is: it may well be of another kind and grade
            if not own[k] or (above >= 0 and own[k] == own[above]):
                own[k] = own[k] or own[above]
                merged = not names[k]
                for c, values in enumerate(columns_of):
                    empty = values[k] == "" if c < texts else math.isnan(values[k])
                    if empty and (merged or c in repeated):
                        values[k] = values[above]
                if by_level and not line_names[k]:
                    line_names[k] = line_names[above]
            above = k
            keep[k] = True
        for name, values in zip((*_INHERITED, *_INHERITED_NUMBERS), columns_of, strict=True):
            frame[name] = values
        frame["line_name"] = line_names
        default = mapping.category or category_of(sheet.name) or "industrial"
        frame["category"] = [category_of(t) or default for t in frame["category"]]
        title = next((c for r in sheet.rows[: header[0]] for c in map(_city_in, map(clean_text, r)) if c[0]), ("", ""))
        fallback = (mapping.city, mapping.city) if mapping.city else _city_in(sheet.name)
        fallback = fallback if fallback[0] else title
        frame = frame[keep].reset_index(drop=True)
        named = [city_of(c, k) for c, k in zip(frame["city"], frame["county"], strict=True)]
        raw_city = frame["city"].tolist()
        if not fallback[0] and any(not c for c, _ in named) and "city" not in columns and "county" not in columns:
            fallback = _city_in(Path(self.file).stem)
            if fallback[0]:
                self.notes.append(_note(sheet, "the city is taken from the file's name", "城市取自文件名"))
        place_of = [c if c[0] or raw else fallback for c, raw in zip(named, raw_city, strict=True)]
        for k, (city, _) in enumerate(place_of):
            if not city:
                found = columns.get("city") or columns.get("county")
                i = int(frame["_i"].iat[k])
                self.errors.append(
                    Problem(
                        sheet.file,
                        sheet.place(i, found.at) if found else sheet.place(i),
                        "city",
                        raw_city[k] or frame["county"].iat[k],
                        "unknown city; one of " + ", ".join(c.name_en for c in CITIES),
                        "未知城市；须为 " + "、".join(c.name_zh for c in CITIES) + " 之一",
                    )
                )
        frame["city"] = [c for c, _ in place_of]
        frame["area"] = [a for _, a in place_of]
        both = [kind_and_grade(k, g) for k, g in zip(frame["kind"], frame["grade"], strict=True)]
        frame["kind"], frame["grade"] = [b[0] for b in both], [b[1] for b in both]
        frame["grade_local"] = [b[2] for b in both]
        return frame

    def _total(self, sheet: Sheet, frame: Any, k: int, enterprise: str, columns: Mapping[str, _Found]) -> None:
        """Keep a row of totals: it is compared with the sum of its lines and never counted."""
        i = int(frame["_i"].iat[k])
        of_line = bool(_ENTERPRISE_TOTAL.fullmatch(_flat(str(frame["line_name"].iat[k])))) and bool(enterprise)
        named = str(frame["enterprise"].iat[k])
        of_name = named and not _TOTAL.fullmatch(_flat(named))
        scope = "enterprise" if of_line or of_name else "sheet"
        row: dict[str, Any] = {
            "place": sheet.place(i), "sheet": sheet.name, "row": sheet.lines[i], "scope": scope,
            "enterprise": enterprise if scope == "enterprise" else "", "position": k,
            "word": next((t for t in map(clean_text, sheet.rows[i][:8]) if _TOTAL.fullmatch(_flat(t))), ""),
        }  # fmt: skip
        for name in frame.columns:
            if _is_amount(str(name)) and name in columns:
                factor = columns[str(name)].factor
                # a total in t/a has no operating days of its own, so it is not compared
                row[str(name)] = float(frame[name].iat[k]) * factor
        self.totals.append(row)

    def _to_kg_per_day(self, sheet: Sheet, frame: pd.DataFrame, columns: Mapping[str, _Found]) -> None:
        days = frame["operating_days"].to_numpy(dtype=np.float64)
        known = np.isfinite(days) & (days > 0)
        guessed = np.zeros(len(frame), dtype=bool)
        for name in [c for c in frame.columns if _is_amount(c)]:
            found = columns.get(name) or columns.get(f"{name.rpartition('_')[0]}_packed")
            if found is None or found.factor == 1.0:
                continue
            values = frame[name].to_numpy(dtype=np.float64)
            if np.isnan(found.factor):
                frame[name] = values * 1000.0 / np.where(known, days, 365.0)
                guessed |= np.isfinite(values) & ~known
            else:
                frame[name] = values * found.factor
        if guessed.any():
            n = int(guessed.sum())
            self.notes.append(
                _note(
                    sheet,
                    f"{n} rows give t/a and no operating days; divided by 365",
                    f"{n} 行以吨/年填报且无年生产天数，按 365 天折算",
                )
            )

    def _folded(self, sheet: Sheet, frame: Any, columns: Mapping[str, _Found]) -> pd.DataFrame:
        """Fold one row a level into one row a line; the base, which then stands three times, counts once."""
        levels = [_levels_in(t) for t in frame["level"]]
        for k, named in enumerate(levels):
            if not named:
                said = ("must name a level: 黄色, 橙色 or 红色", "须为 黄色、橙色 或 红色")
                self._bad(sheet, int(frame["_i"].iat[k]), columns["level"], "level", frame["level"].iat[k], said)
        identity = ["city", "category", "enterprise", "credit_code", "subsector", "line_name"]
        key = list(map("\x1f".join, zip(*(frame[c] for c in identity), strict=True)))
        # two lines may bear one name: the second row of a line and level begins another line
        seen: dict[tuple[str, str], int] = {}
        lines: dict[tuple[str, int], list[int]] = {}
        for k, (who, named) in enumerate(zip(key, levels, strict=True)):
            number = max((seen.get((who, level), 0) for level in named), default=0)
            for level in named:
                seen[who, level] = number + 1
            lines.setdefault((who, number), []).append(k)
        first = [members[0] for members in lines.values()]
        folded = frame.iloc[first].copy()
        rows = pd.DataFrame({level: folded["row"].to_numpy() for level in LEVELS}, index=folded.index)
        amounts = ["stopped", "share", *(f"cut_{p}" for p in POLLUTANTS)]
        columns_at = {c: frame.columns.get_loc(c) for c in frame.columns}
        values = frame.to_numpy(dtype=object)
        out = folded.to_numpy(dtype=object, copy=True)
        at_rows = rows.to_numpy(copy=True)
        shared = [*(f"base_{p}" for p in POLLUTANTS), *_OTHER_NUMBERS]
        for n, members in enumerate(lines.values()):
            for name in shared:
                j = columns_at[name]
                held = [values[k][j] for k in members if values[k][j] == values[k][j]]
                if held and name.startswith("base_") and max(held) - min(held) > 1e-6 * max(held):
                    k = next(k for k in members if values[k][j] != held[0])
                    found = columns.get(name) or columns["base_packed"]
                    said = ("the base differs between the levels of one line", "同一生产线各级别填报的基数不一致")
                    self._bad(sheet, int(frame["_i"].iat[k]), found, name, f"{values[k][j]:g}", said)
                if held:
                    out[n][j] = held[0]
            for k in members:
                for level in levels[k]:
                    at_rows[n][LEVELS.index(level)] = values[k][columns_at["row"]]
                    out[n][columns_at[f"{level}_text"]] = values[k][columns_at["any_text"]]
                    for what in amounts:
                        out[n][columns_at[f"{level}_{what}"]] = values[k][columns_at[f"any_{what}"]]
        result = pd.DataFrame(out, columns=frame.columns, index=folded.index)
        for name in frame.columns:
            result[name] = result[name].astype(frame[name].dtype)
        self.level_rows.append(pd.DataFrame(at_rows, columns=list(LEVELS), index=folded.index))
        n_rows, n_lines = len(frame), len(result)
        self.notes.append(
            _note(
                sheet,
                f"one row a level: {n_rows} rows are {n_lines} lines, each base counted once",
                f"按级别分行填报：{n_rows} 行合并为 {n_lines} 条生产线，基数只计一次",
            )
        )
        return result


def _unmerged(sheet: Sheet, header: tuple[int, int], columns: Mapping[str, _Found]) -> Any:
    """Return a function row number -> cells in which vertically merged words stand in every row they cover.

    Numbers stay in their first row: a merged base is the base of all these rows together.
    """
    at = {f.at: name for name, f in columns.items()}
    filled: dict[int, list[Any]] = {}
    for top, left, bottom, right in sheet.merged:
        if top <= header[1] or bottom == top or right != left:
            continue
        name = at.get(left, "")
        if (
            name not in _TEXT
            and not name.endswith("_text")
            and name not in {"category", "level", "longitude", "latitude"}
        ):
            continue
        if name == "line_name" and "level" not in columns:
            continue
        value = sheet.rows[top][left] if left < len(sheet.rows[top]) else None
        for i in range(top + 1, min(bottom + 1, len(sheet.rows))):
            row = filled.setdefault(i, list(sheet.rows[i]))
            if left < len(row) and not clean_text(row[left]):
                row[left] = value
    return lambda i: filled.get(i, sheet.rows[i])


def _empty() -> pd.DataFrame:
    columns = ["sheet", "row", *_TEXT, "category", "area", "grade_local"]
    numbers = [*_OTHER_NUMBERS, *(f"base_{p}" for p in POLLUTANTS)]
    numbers += [f"{lv}_{w}" for lv in LEVELS for w in ("stopped", "share", *(f"cut_{p}" for p in POLLUTANTS))]
    data: dict[str, Any] = {c: pd.Series(dtype=object) for c in columns + [f"{lv}_text" for lv in LEVELS]}
    data |= {c: pd.Series(dtype=np.float64) for c in numbers}
    return pd.DataFrame(data, index=pd.Index([], name="place", dtype=object))


# --------------------------------------------------------------------------------------------------------
# a line that stands twice


def duplicate_places(list_: EmergencyList) -> dict[str, str]:
    """Return the place of each line that stands in the list already -> the place where it first stands."""
    lines = list_.lines
    # two kilns may bear one name, so a line is the same only with the same base; rows without a line name are
    # told apart by all they hold
    numbers = lines[[f"base_{p}" for p in POLLUTANTS]].to_numpy(dtype=np.float64)
    base = [row.tobytes() for row in np.nan_to_num(numbers, nan=-1.0)]
    measured = [c for c in lines.columns if c.startswith(LEVELS) and not c.endswith("_text")]
    stated = [row.tobytes() for row in np.nan_to_num(lines[measured].to_numpy(dtype=np.float64), nan=-1.0)]
    texts = map("\x1f".join, zip(*(lines[f"{level}_text"] for level in LEVELS), strict=True))
    first: dict[tuple[Any, ...], str] = {}
    twice: dict[str, str] = {}
    columns = ("city", "category", "credit_code", "enterprise", "subsector", "line_name")
    for place, city, category, code, name, what, line, b, s, t in zip(
        lines.index, *(lines[c] for c in columns), base, stated, texts, strict=True
    ):
        key = (city, category, code or name, what, line, b, *(() if line else (s, t)))
        if key in first:
            twice[str(place)] = first[key]
        else:
            first[key] = str(place)
    return twice


def _duplicates(list_: EmergencyList) -> list[Problem]:
    """Find lines that stand in the list twice: a reduction would be counted twice."""
    problems = []
    lines: Any = list_.lines
    for place, other in duplicate_places(list_).items():
        at = list_.cell(other, "enterprise")
        what = " ".join(filter(None, (lines.at[place, "enterprise"], lines.at[place, "line_name"])))
        problems.append(
            list_.problem(
                place,
                "enterprise",
                what,
                f"the same line stands at {at}; each line may be counted once",
                f"与 {at} 为同一生产线，每条生产线只能计一次",
            )
        )
    return problems
