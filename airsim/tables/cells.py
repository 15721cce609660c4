"""The bare cells of any .xlsx, .xls or .csv table, with what a cell's value does not show: errors, hidden rows.

`read_cells` gives every sheet; what the cells mean is `reading`'s work.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from airsim.errors import InputError, Problem

Cell = str | float | int | bool | None | Any


class Fault(str):
    """What stands in a cell that Excel could not, or did not, calculate: ``#N/A``, or a formula without its value."""

    __slots__ = ()


class Percent(float):
    """A number that Excel shows as a percentage: 0.0052 in the cell is 0.52 % on the screen."""

    __slots__ = ()


#: Cells that say "nothing reported"; they are missing values, not errors.
MISSING = {
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


@dataclass(frozen=True)
class Sheet:
    """The bare cells of one sheet; `lines[i]` is the row number the user sees for `rows[i]`.

    `merged` holds the merged ranges as (first row, first column, last row, last column) from 0; `hidden` is the
    sheet's own state in the workbook. `hidden_rows` are the indices of rows that Excel does not show (a filter, or
    hidden by hand). A cell of class `Fault` holds an error or a formula without its value.
    """

    file: str
    name: str
    rows: list[list[Cell]]
    lines: list[int]
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()

    def place(self, row: int, column: int | None = None) -> str:
        """Return ``"工业源!C12"`` for a workbook, ``"12"`` for a text file (row, column count from 0)."""
        line = self.lines[row] if row < len(self.lines) else row + 1
        if not self.name:
            return str(line)
        return f"{self.name}!{column_letter(column)}{line}" if column is not None else f"{self.name}!{line}"


def column_letter(column: int | None) -> str:
    """Return Excel's letter(s) of a column counted from 0."""
    if column is None:
        return ""
    letters, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def clean_text(value: object) -> str:
    """Return a cell's text, trimmed; whole numbers without ``.0``; empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        # Excel's fractions of a day miss the full hour by seconds
        nearest = (value + dt.timedelta(minutes=30)).replace(minute=0, second=0, microsecond=0)
        return str(nearest if abs(value - nearest) <= dt.timedelta(minutes=1) else value.replace(microsecond=0))
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
    if text.lower() in MISSING:
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
    raw = path.read_bytes()
    if raw[:512].lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
        raise InputError(
            [
                Problem(
                    str(path),
                    "",
                    "",
                    "",
                    "a web page or XML under the name of a workbook: open it in Excel and save it as .xlsx",
                    "实为网页或 XML，并非工作簿：请用 Excel 打开后另存为 .xlsx",
                )
            ]
        )
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        hidden = {m.name for m in book.sheets_metadata if m.visible != SheetVisibleEnum.Visible}
        unseen = _unseen(raw)
        sheets = []
        for name in book.sheet_names:
            bare = book.get_sheet_by_name(name)
            rows: list[list[Cell]] = [list(r) for r in bare.to_python(skip_empty_area=False)]
            faults, rows_hidden, percent = unseen.get(name, ({}, frozenset(), frozenset()))
            for (i, j), said in faults.items():
                _put(rows, i, j, Fault(said))
            for i, j in percent:
                value = rows[i][j] if i < len(rows) and j < len(rows[i]) else None
                if isinstance(value, float):
                    rows[i][j] = Percent(value)
            merged = tuple((*first, *last) for first, last in bare.merged_cell_ranges or ())
            lines = list(range(1, len(rows) + 1))
            shown = frozenset(i for i in rows_hidden if i < len(rows))
            sheets.append(Sheet(str(path), name, rows, lines, merged, name in hidden, shown))
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


def _put(rows: list[list[Cell]], i: int, j: int, value: Cell) -> None:
    """Set a cell; a row that holds nothing but such cells may end before it."""
    if i < len(rows):
        rows[i].extend([""] * (j + 1 - len(rows[i])))
        rows[i][j] = value


_NS = rb"(?:\w+:)?"
_ROW = re.compile(rb"<" + _NS + rb"row\b([^>]*)>")
_CELL = re.compile(rb"<" + _NS + rb"c\b([^>]*?)(?:/>|>(.*?)</" + _NS + rb"c>)", re.DOTALL)
_FORMULA = re.compile(rb"<" + _NS + rb"f\b[^>]*?(?:/>|>(.*?)</" + _NS + rb"f>)", re.DOTALL)
_VALUE = re.compile(rb"<" + _NS + rb"(?:v|is)\b[^>]*>(.+?)</" + _NS + rb"(?:v|is)>", re.DOTALL)
_STYLE = re.compile(rb'\bs="(\d+)"')
_AT = re.compile(rb'\br="([A-Z]{1,3})(\d+)"')


def _unseen(
    raw: bytes,
) -> dict[str, tuple[dict[tuple[int, int], str], frozenset[int], frozenset[tuple[int, int]]]]:
    """Return what the values of an .xlsx do not show, by sheet.

    (row, column) -> error or formula without value; hidden rows; cells that are shown as a percentage.

    The reader of values hands out an empty cell for an error and for a formula whose value was never stored. Other
    kinds of workbook give nothing here.
    """
    if not zipfile.is_zipfile(io.BytesIO(raw)):
        return {}
    found = {}
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        percent_styles = _percent_styles(archive)
        for name, part in _parts(archive).items():
            text = archive.read(part)
            hidden = frozenset(
                int(number.group(1)) - 1
                for row in _ROW.finditer(text)
                if b'hidden="1"' in row.group(1) or b'hidden="true"' in row.group(1)
                if (number := re.search(rb'\br="(\d+)"', row.group(1)))
            )
            faults: dict[tuple[int, int], str] = {}
            if b't="e"' in text or re.search(rb"<" + _NS + rb"f\b", text):
                for cell in _CELL.finditer(text):
                    about, inside = cell.group(1), cell.group(2) or b""
                    at = _AT.search(about)
                    if at is None:
                        continue
                    value, formula = _VALUE.search(inside), _FORMULA.search(inside)
                    said = ""
                    if b't="e"' in about:
                        said = value.group(1).decode("utf-8", "replace") if value else "#ERROR"
                    elif formula is not None and value is None and b't="str"' not in about:
                        written = (formula.group(1) or b"").decode("utf-8", "replace")
                        said = f"={written[:40]}"
                    if said:
                        faults[int(at.group(2)) - 1, _column_of(at.group(1).decode())] = said
            percent = frozenset(
                (int(at.group(2)) - 1, _column_of(at.group(1).decode()))
                for cell in (_CELL.finditer(text) if percent_styles else ())
                if (style := _STYLE.search(cell.group(1))) and int(style.group(1)) in percent_styles
                if (at := _AT.search(cell.group(1)))
            )
            if faults or hidden or percent:
                found[name] = (faults, hidden, percent)
    return found


def _percent_styles(archive: zipfile.ZipFile) -> frozenset[int]:
    """Return the numbers of the cell styles that show a percentage: formats 9 and 10, or an own one with a % in it."""
    try:
        styles = archive.read("xl/styles.xml").decode("utf-8", "replace")
    except KeyError:
        return frozenset()
    own = {
        int(number)
        for number, code in re.findall(r'<(?:\w+:)?numFmt\b[^>]*?numFmtId="(\d+)"[^>]*?formatCode="([^"]*)"', styles)
        if "%" in code
    }
    cells = re.search(r"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", styles, re.DOTALL)
    formats = re.findall(r'<(?:\w+:)?xf\b[^>]*?numFmtId="(\d+)"', cells.group(0)) if cells else []
    return frozenset(i for i, number in enumerate(formats) if int(number) in own | {9, 10})


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return sheet name -> member of the archive, from the workbook's own relations."""
    try:
        book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
        relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    except KeyError:
        return {}

    def attributes(tag: str, text: str) -> list[dict[str, str]]:
        found = re.findall(rf"<(?:\w+:)?{tag}\b([^>]*)>", text)
        return [{k: unescape(v) for k, v in re.findall(r'(?:\w+:)?(\w+)="([^"]*)"', f)} for f in found]

    targets = {r.get("Id", ""): r.get("Target", "") for r in attributes("Relationship", relations)}
    members = set(archive.namelist())
    found = {}
    for sheet in attributes("sheet", book):
        target = targets.get(sheet.get("id", ""), "")
        member = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if member in members:
            found[sheet.get("name", "")] = member
    return found


def _column_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number - 1


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
    head = text[:4000]
    # what stands most often on the first lines parts the columns; Excel of some locales writes semicolons
    delimiter = max(",\t;", key=head.count)
    rows: list[list[Cell]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    try:
        for record in reader:
            open_quote = next((c for c in record if c.count("\n") > 3 and c.count(delimiter) > 3), None)
            if open_quote is not None:
                said = "a quotation mark is opened and not closed", "引号未闭合"
                raise InputError([Problem(str(path), str(line), "", open_quote[:40].replace("\n", " "), *said)])
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
