"""Any .xlsx, .xls or .csv table, in either header language, as a checked DataFrame that knows its cells.

A table's layout is a tuple of `Column`; the same tuple reads the file, words the messages and makes the
page in docs/formats.  `read_cells` gives the bare cells of every sheet for layouts that are not one header
over one table.
"""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from airsim.errors import InputError, Lang, Problem
from airsim.names import normalise as normalise

Cell = str | float | int | bool | None | Any

#: Unit spellings that may stand in a header's brackets, as (canonical unit, factor to it).
HEADER_UNITS: dict[str, tuple[str, float]] = {
    "t/a": ("t a-1", 1.0),
    "ta-1": ("t a-1", 1.0),
    "t/y": ("t a-1", 1.0),
    "t/yr": ("t a-1", 1.0),
    "吨/年": ("t a-1", 1.0),
    "吨": ("t a-1", 1.0),
    "t": ("t a-1", 1.0),
    "万吨/年": ("t a-1", 1e4),
    "万吨": ("t a-1", 1e4),
    "万t": ("t a-1", 1e4),
    "kg/d": ("t a-1", 0.365),
    "kgd-1": ("t a-1", 0.365),
    "kg/天": ("t a-1", 0.365),
    "公斤/天": ("t a-1", 0.365),
    "千克/天": ("t a-1", 0.365),
    "kg/日": ("t a-1", 0.365),
    "吨/天": ("t a-1", 365.0),
    "t/d": ("t a-1", 365.0),
    "kg/a": ("t a-1", 1e-3),
    "kg/年": ("t a-1", 1e-3),
    "m": ("m", 1.0),
    "米": ("m", 1.0),
    "m/s": ("m s-1", 1.0),
    "米/秒": ("m s-1", 1.0),
    "k": ("K", 1.0),
    "°c": ("degC", 1.0),
    "degc": ("degC", 1.0),
    "摄氏度": ("degC", 1.0),
    "%": ("%", 1.0),
    "成": ("%", 10.0),
    "0-10": ("%", 10.0),
    "0-8": ("%", 12.5),
    "0-1": ("%", 100.0),
    "hpa": ("hPa", 1.0),
    "pa": ("hPa", 0.01),
    "mm": ("mm", 1.0),
    "毫米": ("mm", 1.0),
    "w/m2": ("W m-2", 1.0),
    "wm-2": ("W m-2", 1.0),
    "km/h": ("m s-1", 1 / 3.6),
    "kj/kg": ("kJ kg-1", 1.0),
    "mj/kg": ("kJ kg-1", 1e3),
    "mj/t": ("kJ kg-1", 1e-3),
    "tce": ("tce a-1", 1.0),
    "tce/a": ("tce a-1", 1.0),
    "吨标准煤": ("tce a-1", 1.0),
    "吨标煤": ("tce a-1", 1.0),
    "万tce": ("tce a-1", 1e4),
    "万吨标准煤": ("tce a-1", 1e4),
    "万吨标煤": ("tce a-1", 1e4),
    "m3/d": ("m3 d-1", 1.0),
    "立方米/日": ("m3 d-1", 1.0),
    "万立方米/日": ("m3 d-1", 1e4),
    "万方/日": ("m3 d-1", 1e4),
    "mw": ("MW", 1.0),
    "兆瓦": ("MW", 1.0),
    "万千瓦": ("MW", 10.0),
}

#: Cells that say "nothing reported"; they are missing values, not errors.
_MISSING = {
    "",
    "-",
    "—",
    "–",
    "－",
    "/",
    "\\",
    "na",
    "n/a",
    "nan",
    "null",
    "none",
    "无",
    "未检出",
    "不详",
    "暂无",
}
_TOTAL_ROW = re.compile(r"^(合\s*计|总\s*计|小\s*计|全市合计|全省合计|total|sum)\b", re.IGNORECASE)
_BRACKETS = re.compile(r"[(\[【（](.*?)[)\]】）]")


@dataclass(frozen=True)
class Column:
    """One column of a table layout.

    Parameters
    ----------
    name : str
        Canonical English header.
    zh : str
        Header in Chinese as the docs and the workbooks print it.
    kind : {"text", "number", "identifier"}
        An identifier stays text; a cell in which Excel has already made it a number is refused.
    unit : str
        Canonical unit [CF spelling]; a header may carry another one from `HEADER_UNITS`, which is converted.
    required : bool
        The column must be there and every row must have a value.
    minimum, maximum : float, optional
        Bounds of a number, both included.
    choices : mapping, optional
        Accepted spellings (lower case) of a text -> canonical value.
    aliases : sequence of str
        Further header spellings.
    default : object
        Value of an empty optional cell.
    about, about_zh : str
        One line for the format page.
    """

    name: str
    zh: str
    kind: Literal["text", "number", "identifier"] = "number"
    unit: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: Mapping[str, str] | None = None
    aliases: tuple[str, ...] = ()
    default: Any = None
    about: str = ""
    about_zh: str = ""


@dataclass(frozen=True)
class Sheet:
    """The bare cells of one sheet; `lines[i]` is the row number the user sees for `rows[i]`.

    `merged` holds the merged ranges as (first row, first column, last row, last column) from 0; `hidden` is the
    sheet's own state in the workbook.
    """

    file: str
    name: str
    rows: list[list[Cell]]
    lines: list[int]
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden: bool = False

    def place(self, row: int, column: int | None = None) -> str:
        """Return ``"工业源!C12"`` for a workbook, ``"12"`` for a text file (row, column count from 0)."""
        line = self.lines[row] if row < len(self.lines) else row + 1
        if not self.name:
            return str(line)
        return f"{self.name}!{column_letter(column)}{line}" if column is not None else f"{self.name}!{line}"


@dataclass(frozen=True)
class Table:
    """A recognised table.

    Attributes
    ----------
    frame : DataFrame
        Canonical columns; the index `row` is the row number in the file.
    sheet : Sheet
        Where it came from.
    header_row : int
        Index of the header in ``sheet.rows``.
    columns : dict
        Canonical name -> column index in the sheet, for the columns that were recognised.
    ignored : list of str
        Headers that no column of the layout claims.
    """

    frame: pd.DataFrame
    sheet: Sheet
    header_row: int
    columns: dict[str, int]
    ignored: list[str] = field(default_factory=list)

    def problem(self, row: int, column: str, value: object, allowed: str, allowed_zh: str = "") -> Problem:
        """Make a `Problem` about one cell; `row` is the frame's index value."""
        j = self.columns.get(column)
        where = f"{self.sheet.name}!{column_letter(j)}{row}" if self.sheet.name and j is not None else str(row)
        if self.sheet.name and j is None:
            where = f"{self.sheet.name}!{row}"
        return Problem(self.sheet.file, where, column, str(value), allowed, allowed_zh)


def column_letter(column: int | None) -> str:
    """Return Excel's letter(s) of a column counted from 0."""
    if column is None:
        return ""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def clean_text(value: object) -> str:
    """Return a cell's text, trimmed; whole numbers without ``.0``; empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
    return str(value).strip().strip("\u3000\ufeff")


def to_number(value: object) -> float | None:
    """Return a cell's number; None for "nothing reported".

    Accepts full-width digits, thousands separators and numbers kept as text.

    Raises
    ------
    ValueError
        The cell holds something else.
    """
    if value is None or isinstance(value, bool):
        if isinstance(value, bool):
            raise ValueError(value)
        return None
    if isinstance(value, int | float):
        return None if isinstance(value, float) and math.isnan(value) else float(value)
    text = unicodedata.normalize("NFKC", str(value)).strip().replace("，", ",")
    if text.lower() in _MISSING:
        # the word NaN is what a broken export writes; silence would hide it
        if text.lower() == "nan":
            raise ValueError(text)
        return None
    text = re.sub(r"(?<=\d),(?=\d{3}(\D|$))", "", text)
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def read_cells(path: str | Path) -> list[Sheet]:
    """Read every sheet of a workbook, or a text file as one nameless sheet.

    Parameters
    ----------
    path : path
        ``.xlsx``, ``.xlsm``, ``.xls`` or ``.csv``/``.txt`` in UTF-8 (with or without BOM) or GB18030.

    Raises
    ------
    InputError
        The file is missing, of another kind, damaged, or in another encoding.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError([Problem(str(path), "", "", "", "file not found", "文件不存在")])
    suffix = path.suffix.lower()
    if suffix in {".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"}:
        return _read_workbook(path)
    if suffix in {".csv", ".txt", ".tsv"}:
        return [_read_text(path)]
    raise InputError(
        [
            Problem(
                str(path),
                "",
                "",
                suffix,
                "a table must be .xlsx, .xls or .csv",
                "表格文件须为 .xlsx、.xls 或 .csv",
            )
        ]
    )


def _read_workbook(path: Path) -> list[Sheet]:
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    _check_container(path)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        hidden = {m.name for m in book.sheets_metadata if m.visible != SheetVisibleEnum.Visible}
        sheets = []
        for name in book.sheet_names:
            bare = book.get_sheet_by_name(name)
            rows: list[list[Cell]] = [list(r) for r in bare.to_python(skip_empty_area=False)]
            merged = tuple((*first, *last) for first, last in bare.merged_cell_ranges or ())
            lines = list(range(1, len(rows) + 1))
            sheets.append(Sheet(str(path), name, rows, lines, merged, name in hidden))
    except (CalamineError, OSError, ValueError) as error:
        raise InputError(
            [
                Problem(
                    str(path),
                    "",
                    "",
                    "",
                    f"not a readable workbook ({error})",
                    f"无法读取该工作簿（{error}）",
                )
            ]
        ) from error
    return sheets


#: What a workbook may unpack to [bytes]: a list of a whole province takes a hundredth.
_MOST_UNPACKED = 1 << 28


def _check_container(path: Path) -> None:
    """Refuse a workbook that unpacks without end, or that takes values from other workbooks.

    Raises
    ------
    InputError
        Either; a file that is no archive (.xls) passes.
    """

    def refused(en: str, zh: str) -> InputError:
        return InputError([Problem(str(path), "", "", "", en, zh)])

    if not zipfile.is_zipfile(path):
        return
    left = _MOST_UNPACKED
    try:
        with zipfile.ZipFile(path) as archive:
            if any("externallinks/" in name.lower() for name in archive.namelist()):
                raise refused(
                    "has links to other workbooks: break them (Data, Edit Links) so that the values stand in the file",
                    "含有指向其他工作簿的外部链接：请在“数据—编辑链接”中断开链接，使数值保存在本文件内",
                )
            for member in archive.infolist():
                # the sizes that an archive states need not be true
                with archive.open(member) as file:
                    while part := file.read(1 << 20):
                        left -= len(part)
                        if left < 0:
                            size = _MOST_UNPACKED >> 20
                            raise refused(f"unpacks to more than {size} MB", f"解压后超过 {size} MB")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise refused(f"not a readable workbook ({error})", f"无法读取该工作簿（{error}）") from error


def _read_text(path: Path) -> Sheet:
    text = decode(path)
    first = text.split("\n", 1)[0]
    delimiter = "\t" if first.count("\t") > first.count(",") else ","
    rows: list[list[Cell]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    try:
        for record in reader:
            rows.append(list(record))
            lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            [
                Problem(
                    str(path),
                    str(line),
                    "",
                    "",
                    f"not a readable CSV line ({error})",
                    f"无法读取的 CSV 行（{error}）",
                )
            ]
        ) from error
    return Sheet(str(path), "", rows, lines)


def decode(path: Path) -> str:
    """Return a text file's content, UTF-8 (BOM or not) tried before GB18030.

    Raises
    ------
    InputError
        Neither encoding fits; names the first line that does not.
    """
    raw = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    start = raw.find(b"\x00")
    if start < 0:
        # the encoding that gets further is the one that was meant: its error names the line
        for encoding in ("utf-8", "gb18030"):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError as error:
                start = max(start, error.start)
    line = raw.count(b"\n", 0, start) + 1
    raise InputError(
        [
            Problem(
                str(path),
                str(line),
                "",
                "",
                "the text must be UTF-8 or GB18030",
                "文本编码须为 UTF-8 或 GB18030",
            )
        ]
    )


def _header_unit(header: object) -> tuple[str, float] | None:
    for inside in _BRACKETS.findall(unicodedata.normalize("NFKC", str(header))):
        found = HEADER_UNITS.get(normalise(inside).replace("·", "").replace("^", ""))
        if found:
            return found
    return None


def _bare(header: object) -> str:
    return normalise(_BRACKETS.sub("", unicodedata.normalize("NFKC", str(header))))


def recognise_header(row: Sequence[Cell], columns: Iterable[Column]) -> dict[str, int]:
    """Return canonical name -> column index for the headers of one row.

    Exact spellings go first, then those that fit once brackets (units) are taken off.
    """
    found: dict[str, int] = {}
    names: dict[str, str] = {}
    for c in columns:
        for spelling in (c.name, c.zh, *c.aliases):
            names.setdefault(normalise(spelling), c.name)
    for strip in (normalise, _bare):
        for j, header in enumerate(row):
            if isinstance(header, str) and header.strip() and j not in found.values():
                name = names.get(strip(header))
                if name and name not in found:
                    found[name] = j
    return found


def read_table(path: str | Path, columns: Sequence[Column], sheet: str | None = None) -> Table:
    """Read one table under one header row.

    The header is the row, among the first twenty, in which most columns are recognised; title rows above
    it, blank rows and rows of totals (合计) are passed over.

    Parameters
    ----------
    path : path
        See `read_cells`.
    columns : sequence of Column
        The layout.
    sheet : str, optional
        Name of the sheet; without it the sheet with the best header is taken.

    Returns
    -------
    Table
        Numbers as float64 [canonical units], text as str.

    Raises
    ------
    InputError
        All problems of the file: missing columns, cells that are not numbers, out of bounds, unknown words.
    """
    sheets = read_cells(path)
    if sheet is not None:
        sheets = [s for s in sheets if s.name == sheet]
        if not sheets:
            raise InputError([Problem(str(path), "", "sheet", sheet, "no such sheet", "没有该工作表")])
    best: tuple[int, Sheet, int, dict[str, int]] | None = None
    for candidate in sheets:
        for i, row in enumerate(candidate.rows[:20]):
            found = recognise_header(row, columns)
            if best is None or len(found) > best[0]:
                best = (len(found), candidate, i, found)
    required = [c for c in columns if c.required]
    if best is None or not best[0]:
        raise InputError(
            [
                Problem(
                    str(path),
                    "1",
                    "header",
                    "",
                    "no known column; required: " + ", ".join(c.name for c in required),
                    "未识别到任何列；必需列：" + "、".join(c.zh for c in required),
                )
            ]
        )
    _, chosen, header_row, found = best
    problems = [
        Problem(
            chosen.file,
            chosen.place(header_row),
            c.name,
            "",
            f"required column is missing (header '{c.name}' or '{c.zh}')",
            f"缺少必需列（列名 {c.zh} 或 {c.name}）",
        )
        for c in required
        if c.name not in found
    ]
    if problems:
        raise InputError(problems)
    return _convert(chosen, header_row, found, columns)


def _is_total(row: Sequence[Cell]) -> bool:
    first = next((clean_text(c) for c in row if clean_text(c)), "")
    return bool(_TOTAL_ROW.match(first))


def _convert(sheet: Sheet, header_row: int, found: dict[str, int], columns: Sequence[Column]) -> Table:
    header = sheet.rows[header_row]
    keep = [
        i
        for i in range(header_row + 1, len(sheet.rows))
        if any(clean_text(c) for c in sheet.rows[i]) and not _is_total(sheet.rows[i])
    ]
    problems: list[Problem] = []
    data: dict[str, list[Any]] = {}
    for c in columns:
        j = found.get(c.name)
        if j is None:
            missing = float("nan") if c.kind == "number" and c.default is None else c.default
            data[c.name] = [missing if missing is not None else ""] * len(keep)
            continue
        factor = 1.0
        unit = _header_unit(header[j]) if c.kind == "number" else None
        if unit is not None:
            if unit[0] == c.unit:
                factor = unit[1]
            elif c.unit:
                problems.append(
                    Problem(
                        sheet.file,
                        sheet.place(header_row, j),
                        c.name,
                        str(header[j]),
                        f"the unit must convert to {c.unit}",
                        f"单位须可换算为 {c.unit}",
                    )
                )
        values: list[Any] = []
        for i in keep:
            cell = sheet.rows[i][j] if j < len(sheet.rows[i]) else None
            value, said = _cell(cell, c, factor)
            if said is not None:
                problems.append(Problem(sheet.file, sheet.place(i, j), c.name, clean_text(cell), *said))
            values.append(value)
        data[c.name] = values
    if problems:
        raise InputError(problems)
    frame = pd.DataFrame(data, index=pd.Index([sheet.lines[i] for i in keep], name="row"))
    ignored = [clean_text(h) for j, h in enumerate(header) if j not in found.values() and clean_text(h)]
    return Table(frame, sheet, header_row, found, ignored)


def _cell(cell: Cell, c: Column, factor: float) -> tuple[Any, tuple[str, str] | None]:
    """Return a cell's value, and what is wrong with it in both languages if anything is."""
    if c.kind == "number":
        try:
            number = to_number(cell)
        except ValueError:
            return float("nan"), ("must be a number", "须为数字")
        if number is None:
            if c.required:
                return float("nan"), ("a value is required", "不得为空")
            return (float("nan") if c.default is None else c.default), None
        number *= factor
        if (c.minimum is not None and number < c.minimum) or (c.maximum is not None and number > c.maximum):
            low = "" if c.minimum is None else f">= {c.minimum:g}"
            high = "" if c.maximum is None else f"<= {c.maximum:g}"
            bounds = " and ".join(b for b in (low, high) if b)
            return number, (
                f"must be {bounds} {c.unit}".rstrip(),
                f"须 {bounds.replace(' and ', ' 且 ')} {c.unit}".rstrip(),
            )
        return number, None
    if c.kind == "identifier" and isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= 1e11:
        return "", (
            "stored as a number, digits are lost; format the column as text and enter it again",
            "该编码被存成数值，末位已丢失；请将列设为文本后重新录入",
        )
    text = clean_text(cell)
    if not text or text.lower() in _MISSING:
        if c.required:
            return "", ("a value is required", "不得为空")
        return ("" if c.default is None else c.default), None
    if c.choices is not None:
        value = c.choices.get(normalise(text))
        if value is None:
            allowed = ", ".join(dict.fromkeys(c.choices.values()))
            return text, (f"must be one of {allowed}", f"须为以下之一：{allowed}")
        return value, None
    return text, None


def markdown(columns: Sequence[Column], lang: Lang) -> str:
    """Return the table of a layout for docs/formats/tables.md, one row a column."""
    zh = lang == "zh"
    lines = [
        "| 列（英文） | 列（中文） | 也识别 | 单位 | 必需 | 说明 |"
        if zh
        else "| column | 中文 | also read | unit | required | about |",
        "|---|---|---|---|---|---|",
    ]
    for c in columns:
        about = c.about_zh if zh else c.about
        bounds = " ".join(
            b
            for b in (
                "" if c.minimum is None else f">= {c.minimum:g}",
                "" if c.maximum is None else f"<= {c.maximum:g}",
            )
            if b
        )
        text = {"text": "文本" if zh else "text", "identifier": "文本编码" if zh else "identifier, as text"}.get(
            c.kind, ""
        )
        said = "; ".join(s for s in (about, text, bounds) if s)
        must = ("是" if zh else "yes") if c.required else ""
        lines.append(f"| `{c.name}` | {c.zh} | {'、'.join(c.aliases)} | {c.unit} | {must} | {said} |")
    return "\n".join(lines)
