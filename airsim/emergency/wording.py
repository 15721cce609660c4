"""What the headers and cells of a reduction list say: level, pollutant, unit, share, city, grade.

The header rows of a sheet are found, joined column by column, and each joined header is classified.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from airsim import shipped
from airsim.errors import Problem
from airsim.geography import CITIES
from airsim.tables import Sheet, clean_text, normalise, to_number

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

TEXT = (
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
INHERITED = ("enterprise", "enterprise_id", "credit_code", "city", "county", "sector", "grade", "kind", "category")
INHERITED_NUMBERS = ("operating_days", "longitude", "latitude")
OTHER_NUMBERS = ("lines", "operating_days", "longitude", "latitude", "output_value", "stop_cost")
HEADERS: dict[str, tuple[str, ...]] = {
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
BY_HEADER = {normalise(h): name for name, spellings in HEADERS.items() for h in spellings}
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
FACTORS: dict[str, float] = {"kg d-1": 1.0, "t d-1": 1000.0, "t a-1": np.nan}
TITLE_UNIT = re.compile(r"单位[:：]?")
_CITY_ENDING = re.compile(r"(?:市|示范区|高新技术产业示范区|农业.*示范区|新区|地区)$")
TOTAL = re.compile(r"(?:合计|总计|小计|累计|全市合计|全省合计|全县合计|企业合计|企业小计|全厂合计|合计[:：].*|total)")
ENTERPRISE_TOTAL = re.compile(r"(?:合计|小计|总计|企业合计|企业小计|全厂合计)")
ILLUSTRATIVE = re.compile(r"示例|示意性|illustrative", re.IGNORECASE)
SYNTHETIC = re.compile(r"合成数据|synthetic", re.IGNORECASE)
SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+\d+", re.IGNORECASE)
_HAN = re.compile(r"[\u4e00-\u9fff]")
_XIXIAN = re.compile(r"西咸|沣东|沣西|秦汉新城|空港新城|泾河新城")
LOST_DIGITS = (
    "stored as a number, digits are lost; format the column as text and enter it again",
    "该编码被存成数值，末位已丢失；请将列设为文本后重新录入",
)


def unit_of(text: str) -> str:
    """Return the unit that a text names: "kg d-1", "t d-1", "t a-1" or "" for none."""
    plain = normalise(text)
    return next((unit for words, unit in _UNITS if words.search(plain)), "")


def without_blanks(text: str) -> str:
    """Return a text without any blanks."""
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


def city_named_in(text: str) -> tuple[str, str]:
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
    named = levels_in(text)
    return named[0] if len(named) == 1 else ""


@lru_cache(maxsize=65536)
def enterprise_name(text: str) -> str:
    """Return a Chinese name as it is compared and printed: half-width brackets, no blanks inside."""
    plain = text.replace("（", "(").replace("）", ")")
    return re.sub(r"[\s\u3000]+", "", plain) if _HAN.search(plain) else plain


def levels_in(text: str) -> tuple[str, ...]:
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


def remark(sheet: Sheet, said: str, said_zh: str, where: str = "") -> Problem:
    """Return a remark on a sheet or one of its cells."""
    return Problem(sheet.file, where or sheet.name, "", "", said, said_zh)


def text_of_head(sheet: Sheet) -> Iterator[str]:
    """Yield the text of the rows in which a sheet speaks of itself: a notes sheet whole, else the titles."""
    rows = sheet.rows if "说明" in sheet.name else sheet.rows[:3]
    for row in rows:
        for cell in row:
            text = clean_text(cell)
            if text:
                yield text


def find_header(sheet: Sheet, names: frozenset[str]) -> tuple[int, int] | None:
    """Return the first and the last row (included) of the header, None if there is none.

    `names` are further headers of the enterprise column.
    """
    for i, row in enumerate(sheet.rows[:20]):
        held = [
            j for j, c in enumerate(row)
            if isinstance(c, str) and (BY_HEADER.get(bare_header(c)) == "enterprise" or normalise(c) in names)
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
        or BY_HEADER.get(bare_header(w))
    ]  # fmt: skip
    return len(words) == len(filled) and len(known) * 2 >= len(filled)


def bare_header(cell: object) -> str:
    """Return a header as it is compared: normalised, without what stands in brackets."""
    text = normalise(cell).lstrip("*＊")
    return text if text in BY_HEADER else re.sub(r"[(\[【].*?[)\]】]", "", text)


def _level(text: str) -> str:
    # Ⅱ级 contains no Ⅰ级 once the numerals are letters: the patterns look behind themselves
    found = [name for name, words in _LEVEL_WORDS.items() if words.search(text)]
    return found[0] if len(found) == 1 else ""


def _pollutant(text: str) -> str:
    return next((name for name, words in _POLLUTANT_WORDS.items() if words.search(text)), "")


def pollutants_in_order(text: str) -> list[str]:
    """Return the pollutants that a text names, in its order."""
    places = {name: m.start() for name, words in _POLLUTANT_WORDS.items() if (m := words.search(text))}
    return sorted(places, key=lambda n: places[n])


def joined_headers(sheet: Sheet, header: tuple[int, int]) -> list[str]:
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


def classify_header(text: str, parts: Sequence[str], *, by_level: bool) -> str:
    """Return our column for a joined header; `by_level`: the sheet has one row a level."""
    canonical = _CANONICAL.get(text)
    if canonical:
        return canonical
    level, pollutants = _level(text), pollutants_in_order(text)
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
    named = next((BY_HEADER[b] for b in map(bare_header, reversed(parts)) if b in BY_HEADER), "")
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


def is_measure(name: str) -> bool:
    """Return whether a column holds words of a measure or their level."""
    return name.partition("_")[0] in {*LEVELS, "any"} and name != "level"


def is_amount(name: str) -> bool:
    """Return whether a column holds emissions or cuts."""
    return name.startswith("base_") or "_cut_" in name
