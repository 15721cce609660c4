"""Emergency reduction lists (应急减排清单) as bureaus hold them -> `EmergencyList`.

A list is a workbook with a sheet for each category (工业源, 移动源, 扬尘源) or each city, titles above a header
of one to three rows with merged groups (红色预警 | 减排量 | SO2), and totals below.  The header rows are joined
column by column, and each joined header is classified by what it says: level, pollutant, kind of column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from airsim import shipped
from airsim.emergency import measure_text
from airsim.errors import InputError, Problem
from airsim.geography import CITIES
from airsim.tables import Sheet, clean_text, normalise, read_cells, to_number

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
_INHERITED = (
    "enterprise",
    "enterprise_id",
    "credit_code",
    "city",
    "county",
    "sector",
    "grade",
    "kind",
    "operating_days",
)
_HEADERS: dict[str, tuple[str, ...]] = {
    "enterprise": (
        "企业名称",
        "单位名称",
        "企业",
        "项目名称",
        "措施名称",
        "源名称",
        "污染源名称",
        "名称",
        "工地名称",
        "enterprise",
        "name",
    ),
    "enterprise_id": ("企业编号", "企业编码", "清单编号", "enterprise_id"),
    "credit_code": ("统一社会信用代码", "社会信用代码", "信用代码", "组织机构代码", "credit_code"),
    "city": ("市", "地市", "城市", "设区市", "所在市", "所属市", "市(区)", "city"),
    "county": ("县(市、区)", "县(市,区)", "区县", "县区", "县(区)", "区(县)", "所在区县", "所属区县", "county"),
    "sector": ("行业类型", "行业", "所属行业", "重点行业类别", "源类", "排放源类型", "部门", "sector"),
    "subsector": ("子类", "细分源类", "主要产品", "产品名称", "subsector"),
    "category": ("类别", "源类别", "清单类别", "category"),
    "grade": ("绩效等级", "绩效分级", "绩效评级", "评级", "等级", "grade"),
    "kind": ("企业类型", "类型", "管控类型", "kind", "type"),
    "line_name": (
        "生产线或工序名称",
        "生产线名称",
        "生产线",
        "工序名称",
        "生产工序",
        "生产线(工序)名称",
        "管控环节",
        "line_name",
    ),
    "lines": ("数量", "生产线数量", "生产线数", "条数", "lines"),
    "operating_days": ("年生产天数", "年运行天数", "生产天数", "运行天数", "operating_days"),
}
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
_COUNT_OF_LINES = re.compile(r"停[产运].*(?:数|条)|stopped")
_WORDS = re.compile(r"措施|要求|内容|text")
_UNITS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"kg/d|kg/天|kg/日|公斤/天|公斤/日|千克/天|千克/日|kgd-1"), "kg d-1"),
    (re.compile(r"t/d|吨/天|吨/日"), "t d-1"),
    (re.compile(r"t/a|吨/年|t/年|ta-1"), "t a-1"),
)
#: Unit -> factor to kg d-1; a year needs the row's operating days.
_FACTORS: dict[str, float | str] = {"kg d-1": 1.0, "t d-1": 1000.0, "t a-1": "annual"}
_TITLE_UNIT = re.compile(r"单位[:：]?")
_CITY_ENDING = re.compile(r"(?:市|示范区|高新技术产业示范区|农业.*示范区|新区|地区)$")
_TOTAL = re.compile(r"^(?:合计|总计|小计|全市合计|全省合计|合计[:：].*|total)$", re.IGNORECASE)
_ILLUSTRATIVE = re.compile(r"示例|示意性|illustrative", re.IGNORECASE)


@dataclass(frozen=True)
class EmergencyList:
    """An emergency reduction list as read.

    Attributes
    ----------
    file : str
        The file as the user named it.
    lines : DataFrame
        One row a production line (or a mobile, dust or other item), index `place` = ``"工业源!7"``.  Columns:
        sheet, row, category (industrial, mobile, dust, other), enterprise, enterprise_id, credit_code, city,
        county, sector, subsector, grade, kind (see `KINDS`), line_name, lines [1], operating_days [d],
        base_SO2, base_NOx, base_PM, base_VOC [kg d-1], and for each level yellow, orange, red:
        ``<level>_text``, ``<level>_stopped`` [1], ``<level>_cut_SO2`` ... [kg d-1] (NaN where not stated).
    cells : DataFrame
        The same index and the columns that were read: the cell each value came from, such as ``"工业源!C7"``.
    illustrative : bool
        The file says of itself that its measures are an example and no published list.
    notes : tuple of Problem
        What was recognised, ignored or doubtful; nothing in it stops the reading.
    """

    file: str
    lines: pd.DataFrame
    cells: pd.DataFrame
    illustrative: bool
    notes: tuple[Problem, ...] = ()

    def problem(self, place: str, key: str, value: object, allowed: str, allowed_zh: str = "") -> Problem:
        """Make a `Problem` about one cell of the list."""
        cell = self.cells.at[place, key] if key in self.cells else ""
        return Problem(self.file, str(cell) or place, key, str(value), allowed, allowed_zh)


@dataclass
class _Findings:
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


def read(path: str | Path, mapping: Mapping[str, str] | None = None) -> EmergencyList:
    """Read an emergency reduction list.

    Parameters
    ----------
    path : path
        ``.xlsx``, ``.xls`` or ``.csv`` (UTF-8 or GB18030).
    mapping : mapping, optional
        Header (as joined from its rows by ``|``, or any one of its parts that is unique) -> canonical column;
        it overrides the recognition.  Canonical columns are those of `EmergencyList.lines`.

    Returns
    -------
    EmergencyList

    Raises
    ------
    InputError
        Everything unreadable, each with sheet and cell: no list in the file, a unit that is not stated, cells
        that are not numbers, negative numbers, unknown cities, a line that stands in the list twice.
    """
    path = Path(path)
    sheets = read_cells(path)
    hidden = _hidden_sheets(path)
    found = _Findings()
    records: list[dict[str, Any]] = []
    cells: list[dict[str, str]] = []
    illustrative = False
    for sheet in sheets:
        if any(_ILLUSTRATIVE.search(text) for text in _head_text(sheet)):
            illustrative = True
        if sheet.name in hidden:
            found.notes.append(_note(sheet, "hidden sheet, not read", "隐藏工作表，未读取"))
            continue
        if "汇总" in sheet.name or "说明" in sheet.name:
            found.notes.append(_note(sheet, "summary or notes, not counted", "汇总或说明表，不计入"))
            continue
        header = _find_header(sheet)
        columns = _columns(sheet, header, mapping or {}, found) if header else {}
        if not header or "enterprise" not in columns or not any(_is_measure(c) for c in columns):
            found.notes.append(
                _note(
                    sheet,
                    "no list recognised (needs a name and measures by level)",
                    "未识别为清单（需有名称列及分级措施列）",
                )
            )
            continue
        _read_sheet(sheet, header, columns, records, cells, found)
    if not records and not found.problems:
        found.problems.append(
            Problem(
                str(path),
                "",
                "",
                "",
                "no sheet of the file is a reduction list: a name column and measures by level (红/橙/黄) are needed",
                "文件中没有减排清单：须有企业（项目）名称列和红、橙、黄各级措施列",
            )
        )
    if found.problems:
        raise InputError(found.problems)
    index = pd.Index([r["place"] for r in records], name="place")
    lines = pd.DataFrame(records, index=index).drop(columns="place")
    where = pd.DataFrame(cells, index=index).fillna("")
    read_list = EmergencyList(str(path), lines, where, illustrative)
    problems = _duplicates(read_list)
    if problems:
        raise InputError(problems)
    return EmergencyList(str(path), lines, where, illustrative, (*found.notes, *_doubts(read_list)))


def _hidden_sheets(path: Path) -> set[str]:
    if path.suffix.lower() not in {".xlsx", ".xlsm", ".xls", ".xlsb"}:
        return set()
    from python_calamine import CalamineWorkbook, SheetVisibleEnum

    book = CalamineWorkbook.from_path(str(path))
    return {m.name for m in book.sheets_metadata if m.visible != SheetVisibleEnum.Visible}


def _head_text(sheet: Sheet) -> Iterator[str]:
    """Yield the text of the rows in which a sheet speaks of itself: a notes sheet whole, else the titles."""
    rows = sheet.rows if "说明" in sheet.name else sheet.rows[:3]
    for row in rows:
        for cell in row:
            text = clean_text(cell)
            if text:
                yield text


def _note(sheet: Sheet, said: str, said_zh: str, where: str = "") -> Problem:
    return Problem(sheet.file, where or sheet.name, "", "", said, said_zh)


# --------------------------------------------------------------------------------------------------------
# the header


def _find_header(sheet: Sheet) -> tuple[int, int] | None:
    """Return the first and the last row (included) of the header, None if there is none."""
    for i, row in enumerate(sheet.rows[:20]):
        names = [j for j, c in enumerate(row) if _BY_HEADER.get(_bare(c)) == "enterprise"]
        if not names or sum(bool(clean_text(c)) for c in row) < 3:
            continue
        first = i
        # a group row may stand above the row that holds the name
        if i > 0 and sum(bool(_level(normalise(c))) for c in sheet.rows[i - 1]) >= 2:
            first = i - 1
        last = i
        while last - first < 3 and last + 1 < len(sheet.rows) and _is_subheader(sheet.rows[last + 1], names[0]):
            last += 1
        return first, last
    return None


def _is_subheader(row: Sequence[Any], name_column: int) -> bool:
    filled = [c for c in row if clean_text(c)]
    if len(filled) < 2 or (name_column < len(row) and clean_text(row[name_column])):
        return False
    words = [normalise(c) for c in filled if isinstance(c, str)]
    known = [w for w in words if _pollutant(w) or _level(w) or _CUT.search(w) or _WORDS.search(w) or "数" in w]
    return len(words) == len(filled) and len(known) * 2 >= len(filled)


def _bare(cell: object) -> str:
    text = normalise(cell)
    return text if text in _BY_HEADER else re.sub(r"[(\[【].*?[)\]】]", "", text)


def _level(text: str) -> str:
    # Ⅱ级 contains no Ⅰ级 once the numerals are letters: the patterns look behind themselves
    found = [name for name, words in _LEVEL_WORDS.items() if words.search(text)]
    return found[0] if len(found) == 1 else ""


def _pollutant(text: str) -> str:
    return next((name for name, words in _POLLUTANT_WORDS.items() if words.search(text)), "")


def _joined_headers(sheet: Sheet, header: tuple[int, int]) -> list[str]:
    """Join the header rows column by column; a merged group heads every column that has text below it."""
    first, last = header
    width = max(len(r) for r in sheet.rows[first : last + 1])
    block = [[clean_text(r[j]) if j < len(r) else "" for j in range(width)] for r in sheet.rows[first : last + 1]]
    for i, row in enumerate(block[:-1]):
        below = [any(block[k][j] for k in range(i + 1, len(block))) for j in range(width)]
        group, top = "", ""
        for j in range(width):
            above = "|".join(block[k][j] for k in range(i))
            if row[j]:
                group, top = (row[j], above) if below[j] else ("", "")
            elif group and below[j] and above == top:
                row[j] = group
            else:
                group = ""
    return ["|".join(dict.fromkeys(r[j] for r in block if r[j])) for j in range(width)]


def _columns(
    sheet: Sheet, header: tuple[int, int], mapping: Mapping[str, str], found: _Findings
) -> dict[str, tuple[int, float | str]]:
    """Return canonical column -> (column index, factor to kg d-1, or "annual" for t a-1)."""
    wanted = {normalise(k): v for k, v in mapping.items()}
    title_unit = next(
        (_unit(normalise(c)) for r in sheet.rows[: header[0]] for c in r if _TITLE_UNIT.search(clean_text(c))), ""
    )
    columns: dict[str, tuple[int, float | str]] = {}
    ignored: list[str] = []
    for j, joined in enumerate(_joined_headers(sheet, header)):
        if not joined:
            continue
        text = normalise(joined)
        parts = [normalise(p) for p in joined.split("|")]
        name = wanted.get(text) or next((wanted[p] for p in parts if p in wanted), "") or _classify(text, parts)
        place = sheet.place(header[1], j)
        if not name or name in columns:
            ignored.append(f"{place} {joined}")
            continue
        factor: float | str = 1.0
        if name.startswith("base_") or "_cut_" in name:
            unit = _unit(text) or title_unit
            if not unit:
                found.problems.append(
                    Problem(
                        sheet.file,
                        place,
                        joined,
                        "",
                        "state the unit in the header or the title: kg/d, 吨/天 or 吨/年",
                        "须在表头或标题中注明单位：kg/d、吨/天或吨/年",
                    )
                )
            factor = _FACTORS.get(unit, 1.0)
        columns[name] = (j, factor)
    if ignored and columns:
        found.notes.append(_note(sheet, "columns not used: " + "; ".join(ignored), "未使用的列：" + "；".join(ignored)))
    return columns


def _unit(text: str) -> str:
    return next((unit for words, unit in _UNITS if words.search(text)), "")


def _classify(text: str, parts: Sequence[str]) -> str:
    canonical = _canonical_names().get(text)
    if canonical:
        return canonical
    level, pollutant = _level(text), _pollutant(text)
    if level:
        if pollutant:
            return f"{level}_cut_{pollutant}"
        if _COUNT_OF_LINES.search(text):
            return f"{level}_stopped"
        if _WORDS.search(text) or len(parts) == 1 or parts[-1] in {"红色", "橙色", "黄色"}:
            return f"{level}_text"
        return ""
    if pollutant:
        return "" if _CUT.search(text) else f"base_{pollutant}"
    return next((_BY_HEADER[b] for b in map(_bare, reversed(parts)) if b in _BY_HEADER), "")


def _canonical_names() -> dict[str, str]:
    names = [f"base_{p}" for p in POLLUTANTS]
    for level in LEVELS:
        names += [f"{level}_text", f"{level}_stopped", *(f"{level}_cut_{p}" for p in POLLUTANTS)]
    return {n.lower(): n for n in names}


def _is_measure(name: str) -> bool:
    return any(name.startswith(f"{level}_") for level in LEVELS)


# --------------------------------------------------------------------------------------------------------
# the rows


def _read_sheet(
    sheet: Sheet,
    header: tuple[int, int],
    columns: Mapping[str, tuple[int, float | str]],
    records: list[dict[str, Any]],
    cells: list[dict[str, str]],
    found: _Findings,
) -> None:
    default_category = _category(sheet.name) or "industrial"
    default_city = _city_in(sheet.name) or next(
        (c for r in sheet.rows[: header[0]] for c in map(_city_in, map(clean_text, r)) if c), ""
    )
    above: dict[str, Any] = {}
    without_days = 0
    for i in range(header[1] + 1, len(sheet.rows)):
        row = sheet.rows[i]
        texts = [clean_text(c) for c in row]
        if not any(texts) or any(_TOTAL.match(re.sub(r"\s+", "", t)) for t in texts[:6]):
            continue
        record: dict[str, Any] = {"place": sheet.place(i), "sheet": sheet.name, "row": sheet.lines[i]}
        where: dict[str, str] = {}

        def cell(name: str, row: Sequence[Any] = row, i: int = i, where: dict[str, str] = where) -> Any:
            if name not in columns:
                return None
            j = columns[name][0]
            where[name] = sheet.place(i, j)
            return row[j] if j < len(row) else None

        for name in _TEXT:
            record[name] = clean_text(cell(name))
        code = cell("credit_code")
        if isinstance(code, int | float) and not isinstance(code, bool) and abs(code) >= 1e11:
            found.problems.append(
                Problem(
                    sheet.file,
                    where["credit_code"],
                    "credit_code",
                    f"{code:.0f}",
                    "stored as a number, digits are lost; format the column as text and enter it again",
                    "该编码被存成数值，末位已丢失；请将列设为文本后重新录入",
                )
            )
        numbers = _numbers(sheet, i, columns, cell, found)
        if not record["enterprise"]:
            has_content = record["line_name"] or any(np.isfinite(v) for k, v in numbers.items() if k != "lines")
            if not above or not has_content:
                found.notes.append(
                    _note(sheet, "row without a name, not counted", "无名称的行，不计入", sheet.place(i))
                )
                continue
            for name in _INHERITED:
                if name == "operating_days":
                    if not np.isfinite(numbers[name]):
                        numbers[name] = above[name]
                elif not record[name]:
                    record[name] = above[name]
        record["enterprise"] = record["enterprise"].replace("（", "(").replace("）", ")")
        record["category"] = _category(clean_text(cell("category"))) or default_category
        raw_city = record["city"]
        record["city"] = (
            raw_city
            if raw_city in _CITY_IDS
            else _city(raw_city) or ("" if raw_city else _city_of_county(record["county"]) or default_city)
        )
        if not record["city"]:
            found.problems.append(
                Problem(
                    sheet.file,
                    where.get("city") or where.get("county") or sheet.place(i),
                    "city",
                    raw_city or record["county"],
                    "unknown city; one of " + ", ".join(c.name_en for c in CITIES),
                    "未知城市；须为 " + "、".join(c.name_zh for c in CITIES) + " 之一",
                )
            )
        record["kind"], record["grade"] = _kind_and_grade(record["kind"], record["grade"])
        for level in LEVELS:
            record[f"{level}_text"] = clean_text(cell(f"{level}_text"))
        without_days += _to_kg_per_day(numbers, columns)
        record.update(numbers)
        above = {name: record[name] for name in _INHERITED}
        records.append(record)
        cells.append(where)
    if without_days:
        found.notes.append(
            _note(
                sheet,
                f"{without_days} rows give t/a and no operating days; divided by 365",
                f"{without_days} 行以吨/年填报且无年生产天数，按 365 天折算",
            )
        )


def _numbers(
    sheet: Sheet, i: int, columns: Mapping[str, tuple[int, float | str]], cell: Any, found: _Findings
) -> dict[str, float]:
    names = ["lines", "operating_days", *(f"base_{p}" for p in POLLUTANTS)]
    for level in LEVELS:
        names += [f"{level}_stopped", *(f"{level}_cut_{p}" for p in POLLUTANTS)]
    numbers: dict[str, float] = {}
    for name in names:
        raw = cell(name)
        said: tuple[str, str] | None = None
        try:
            value = to_number(raw)
        except ValueError:
            value, said = None, ("must be a number", "须为数字")
        if value is not None and value < 0:
            said = ("must not be negative", "不得为负")
        if said:
            found.problems.append(Problem(sheet.file, sheet.place(i, columns[name][0]), name, clean_text(raw), *said))
        numbers[name] = np.nan if value is None else value
    return numbers


def _to_kg_per_day(numbers: dict[str, float], columns: Mapping[str, tuple[int, float | str]]) -> int:
    """Convert a row's emissions in place; return 1 if t/a had to be divided by 365 for want of days."""
    days = numbers["operating_days"]
    guessed = 0
    for name, (_, factor) in columns.items():
        if name not in numbers or not np.isfinite(numbers[name]):
            continue
        if factor == "annual":
            known = np.isfinite(days) and days > 0
            guessed = guessed or int(not known)
            numbers[name] *= 1000.0 / (days if known else 365.0)
        elif isinstance(factor, float):
            numbers[name] *= factor
    return guessed


_CITY_IDS = frozenset(c.id for c in CITIES)
_CITY_NAMES = {normalise(n): c.id for c in CITIES for n in (c.id, c.name_zh, c.name_en, c.name_zh + "市")} | {
    "西咸": "xian",
    "西咸新区": "xian",
    "杨凌示范区": "yangling",
}


def _city(text: str) -> str:
    plain = normalise(text)
    return _CITY_NAMES.get(plain) or _CITY_NAMES.get(_CITY_ENDING.sub("", plain), "")


def _city_in(text: str) -> str:
    """Return the one city that a title or sheet name mentions."""
    named = {c.id for c in CITIES if c.name_zh in text}
    return named.pop() if len(named) == 1 else ""


def _city_of_county(county: str) -> str:
    return _counties().get(normalise(county), "") if county else ""


def _counties() -> dict[str, str]:
    """Return county name -> city for names that occur in one city only."""
    if not _COUNTY_CACHE:
        table = pd.read_csv(shipped.path("data/geography/counties.csv"), dtype=str, encoding="utf-8-sig")
        known = table[table["city"].isin(_CITY_IDS)].drop_duplicates("name_zh", keep=False)
        _COUNTY_CACHE.update(zip(map(normalise, known["name_zh"]), known["city"], strict=True))
    return _COUNTY_CACHE


_COUNTY_CACHE: dict[str, str] = {}


def _category(text: str) -> str:
    for category, word in (("mobile", "移动"), ("dust", "扬尘"), ("industrial", "工业"), ("other", "其他")):
        if word in text or text == category:
            return category
    return ""


def _kind_and_grade(kind: str, grade: str) -> tuple[str, str]:
    """Return canonical kind and bare grade; grade cells carry kinds too (民生豁免-B, 长期停产)."""
    both = f"{kind} {grade}"
    found = ""
    if kind in KINDS:
        found = kind
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
    bare = re.sub(r"民生豁免|保障类?|地方|长期停产|级|[-—\s]", "", grade)
    return found, bare


# --------------------------------------------------------------------------------------------------------
# what is wrong with the list as a whole


def _duplicates(read_list: EmergencyList) -> list[Problem]:
    """Find lines that stand in the list twice: a reduction would be counted twice."""
    lines = read_list.lines
    # two kilns may bear one name, so a line is the same only with the same base; rows without a line name are
    # told apart by all they hold
    base = lines[[f"base_{p}" for p in POLLUTANTS]].map(str).agg("|".join, axis=1)
    measures = lines[[c for c in lines.columns if c.startswith(LEVELS)]].map(str).agg("|".join, axis=1)
    who = lines["credit_code"].where(lines["credit_code"] != "", lines["enterprise"])
    what = lines["subsector"] + "|" + lines["line_name"] + "|" + base
    what = what.where(lines["line_name"] != "", what + "|" + measures)
    first: dict[str, str] = {}
    problems = []
    for place, k in (lines["city"] + "|" + lines["category"] + "|" + who + "|" + what).items():
        if k in first:
            other = str(read_list.cells.at[first[k], "enterprise"])
            line: Any = lines.loc[str(place)]
            problems.append(
                read_list.problem(
                    str(place),
                    "enterprise",
                    " ".join(filter(None, (line["enterprise"], line["line_name"]))),
                    f"the same line stands at {other}; each line may be counted once",
                    f"与 {other} 为同一生产线，每条生产线只能计一次",
                )
            )
        else:
            first[k] = str(place)
    return problems


def _doubts(read_list: EmergencyList) -> list[Problem]:
    """List what is read but doubtful; the counting says below how it treats each."""
    lines = read_list.lines
    notes: list[Problem] = []

    def doubt(places: pd.Series, key: str, said: str, said_zh: str) -> None:
        notes.extend(read_list.problem(str(p), key, lines.at[p, key], said, said_zh) for p in lines.index[places])

    for level in LEVELS:
        for p in POLLUTANTS:
            cut, base = lines[f"{level}_cut_{p}"], lines[f"base_{p}"].fillna(0.0)
            doubt(
                cut > base * (1 + 1e-9),
                f"{level}_cut_{p}",
                "the cut exceeds the line's own base; only the base is counted",
                "减排量大于该生产线基数，按基数计",
            )
        doubt(
            lines[f"{level}_stopped"] > lines["lines"].fillna(1.0),
            f"{level}_stopped",
            "more lines stopped than there are; all are counted as stopped",
            "停产生产线数多于总数，按全部停产计",
        )
        exempt = lines["kind"].isin(["livelihood", "idle", "staggered"])
        cuts = lines[[f"{level}_cut_{p}" for p in POLLUTANTS]].fillna(0.0).sum(axis=1) > 0
        doubt(
            exempt & cuts,
            f"{level}_text",
            "livelihood, idle or staggered lines give no reduction; not counted",
            "保障类、长期停产、错峰停产生产线不计减排",
        )
        stated = lines[[f"{level}_cut_{p}" for p in POLLUTANTS]].notna().any(axis=1) | lines[f"{level}_stopped"].notna()
        unread = ~stated & ~lines[f"{level}_text"].map(lambda t: measure_text.parse(t).understood)
        doubt(
            unread,
            f"{level}_text",
            "measure not understood and no cut stated; counted as no cut",
            "措施文字未能识别且未填减排量，按不减排计",
        )
    for milder, stricter in (("yellow", "orange"), ("orange", "red")):
        for p in POLLUTANTS:
            a, b = lines[f"{milder}_cut_{p}"].fillna(0.0), lines[f"{stricter}_cut_{p}"]
            doubt(
                b < a * (1 - 1e-9),
                f"{stricter}_cut_{p}",
                f"{stricter} cuts less than {milder}",
                "高级别减排量小于低级别",
            )
    return notes
