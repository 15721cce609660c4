"""Reading a table under its header row: every number in its canonical unit, everything not used said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from airsim.errors import InputError, Problem
from airsim.names import normalise
from airsim.tables import units
from airsim.tables.cells import (
    Cell,
    Sheet,
    clean_text,
    column_letter,
    read_cells,
)
from airsim.tables.layout import (
    ANY,
    Column,
    Reading,
    alike,
    names_of,
    read_header,
    reading_of,
    recognise_header,
    zone_of,
)
from airsim.tables.values import cell_value

_TOTAL = re.compile(
    r"^.{0,14}(?:合\s*计|总\s*计|小\s*计)\s*[:：]?$|^(?:合\s*计|总\s*计|小\s*计|total|subtotal|sum)\b", re.IGNORECASE
)
_UNIT_LINE = re.compile(r"(?:单位|unit)s?\s*[:：]\s*(.+)$", re.IGNORECASE)
_DETECTION = re.compile(r"^\s*[<＜≤]\s*(?=\d)")
_HEAD_ROWS = 20
#: Rows of the second, third… sheet of a table are labelled with the sheet's number times this plus their line.
_STRIDE = 10_000_000
#: Columns of times: a zone in their header counts.
_TIMES = {"time", "date", "hour"}


class Note(NamedTuple):
    """Something that was assumed, passed over or found odd, for the user to know."""

    zh: str
    en: str

    def text(self, lang: str) -> str:
        """Return the note in one language."""
        return self.zh if lang == "zh" else self.en


_heard: ContextVar[list[Note] | None] = ContextVar("heard", default=None)


@contextmanager
def heard() -> Iterator[list[Note]]:
    """Collect the notes of every table that is read inside the ``with`` block, whoever reads it."""
    notes: list[Note] = []
    token = _heard.set(notes)
    try:
        yield notes
    finally:
        _heard.reset(token)


@dataclass(frozen=True)
class Part:
    """The part of a table that stands on one sheet.

    Attributes
    ----------
    sheet : Sheet
    header_row : int
        Index of the header in ``sheet.rows``; its last row where it has two.
    columns : dict
        Canonical name -> column index.
    header : tuple
        The cells of the header.
    """

    sheet: Sheet
    header_row: int
    columns: dict[str, int]
    header: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class Table:
    """A recognised table.

    Attributes
    ----------
    frame : DataFrame
        Canonical columns; the index `row` is the row number in the file (for further sheets see `place`).
    parts : tuple of Part
        Where it came from: one sheet, or several with the same header.
    ignored : list of str
        Headers over values that no column of the layout claims.
    notes : list of Note
        What was passed over or assumed: columns, sheets, hidden rows, totals, units.
    bases : dict
        Canonical name -> basis of a coal analysis (ar, ad, d, daf) that the header names.
    zones : dict
        Canonical name -> hours ahead of UTC that the header of a column of times names.
    units : dict
        Canonical name -> unit as the table says it, empty where it says none.
    below : DataFrame
        bool, like the columns with `Column.below_detection`: the cell says "<".
    """

    frame: pd.DataFrame
    parts: tuple[Part, ...]
    ignored: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    bases: dict[str, str] = field(default_factory=dict)
    zones: dict[str, float] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    below: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def sheet(self) -> Sheet:
        """The first sheet."""
        return self.parts[0].sheet

    @property
    def header_row(self) -> int:
        """Index of the header in ``sheet.rows``."""
        return self.parts[0].header_row

    @property
    def columns(self) -> dict[str, int]:
        """Canonical name -> column index of the first sheet, for the columns that were recognised."""
        return self.parts[0].columns

    def place(self, row: int, column: str = "") -> str:
        """Return where a row of the frame stands: ``"12"`` in a text file, ``"工业源!C12"`` in a workbook."""
        number, line = divmod(int(row), _STRIDE)
        part = self.parts[number]
        if not part.sheet.name:
            return str(line)
        j = part.columns.get(column)
        return f"{part.sheet.name}!{column_letter(j)}{line}"

    def origin(self, row: int) -> str:
        """Return ``file:row``, with the sheet where the table stands on several."""
        number, line = divmod(int(row), _STRIDE)
        name = Path(self.sheet.file).name
        return f"{name}:{line}" if len(self.parts) == 1 else f"{name}:{self.parts[number].sheet.name}!{line}"

    def problem(self, row: int, column: str, value: object, allowed: str, allowed_zh: str = "") -> Problem:
        """Make a `Problem` about one cell; `row` is the frame's index value."""
        return Problem(self.sheet.file, self.place(row, column), column, str(value), allowed, allowed_zh)


class _Head(NamedTuple):
    """The best header of a sheet: its last row, its cells, and canonical name -> column index."""

    row: int
    cells: list[Cell]
    found: dict[str, int]


def read_table(path: str | Path, columns: Sequence[Column], sheet: str | None = None) -> Table:
    """Read one table under one header row, on one sheet or on several sheets with the same header.

    The header is the row, among the first twenty, in which most columns are recognised; title rows above
    it, blank rows and rows of totals (合计) are passed over. Hidden sheets are never read; hidden rows are, and said.

    Parameters
    ----------
    path : path
        See `read_cells`.
    columns : sequence of Column
        The layout.
    sheet : str, optional
        Name of the sheet; without it every visible sheet with the table's header is read.

    Returns
    -------
    Table
        Numbers as float64 [canonical units], text as str.

    Raises
    ------
    InputError
        All problems of the file: missing columns, unknown units and qualifiers, columns that look like missing ones,
        error cells and formulas without value, cells that are not numbers, out of bounds, unknown words.
    """
    sheets = read_cells(path)
    notes: list[Note] = []
    if sheet is not None:
        sheets = [s for s in sheets if s.name == sheet]
        if not sheets:
            raise InputError([Problem(str(path), "", "sheet", sheet, "no such sheet", "没有该工作表")])
    elif any(not s.hidden for s in sheets):
        notes += [
            Note(f"{s.file}：隐藏的工作表“{s.name}”未读取", f"{s.file}: hidden sheet '{s.name}' not read")
            for s in sheets
            if s.hidden and s.rows
        ]
        sheets = [s for s in sheets if not s.hidden]
    heads = [_head(s, columns) for s in sheets]
    required = [c for c in columns if c.required]
    best = max(range(len(sheets)), key=lambda i: len(heads[i].found), default=None)
    if best is None or not heads[best].found:
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
    parts: list[Part] = []
    problems: list[Problem] = []
    most = len(heads[best].found)
    for i, (candidate, head) in enumerate(zip(sheets, heads, strict=True)):
        lacking = [c for c in required if c.name not in head.found]
        if i == best or (len(head.found) >= 0.6 * most and not lacking):
            problems += _lacking(candidate, head, lacking, columns)
            parts.append(Part(candidate, head.row, head.found, tuple(head.cells)))
        elif required and len(lacking) < len(required) and len(head.found) >= max(2.0, 0.6 * most):
            # a sheet that nearly has the header was meant to be read
            problems += _lacking(candidate, head, lacking, columns)
        elif any(clean_text(c) for row in candidate.rows for c in row):
            name = candidate.name
            notes.append(
                Note(
                    f"{candidate.file}：工作表“{name}”没有该表的表头，未读取",
                    f"{candidate.file}: sheet '{name}' has not this table's header and was not read",
                )
            )
    if problems:
        raise InputError(problems)
    return _convert(parts, columns, notes)


def _head(sheet: Sheet, columns: Sequence[Column]) -> _Head:
    best = _Head(0, sheet.rows[0] if sheet.rows else [], {})
    for i, row in enumerate(sheet.rows[:_HEAD_ROWS]):
        for cells in (row, _stacked(sheet, i)):
            found = recognise_header(cells, columns)
            if len(found) > len(best.found):
                best = _Head(i, cells, found)
    return best


def _stacked(sheet: Sheet, i: int) -> list[Cell]:
    """Return a header of two rows: a cell that is empty in row `i` takes the text that stands above it."""
    row = sheet.rows[i]
    if i == 0 or sum(isinstance(c, str) and bool(c.strip()) for c in row) < 2:
        return row
    above = sheet.rows[i - 1]
    width = max(len(row), len(above))
    pairs = ((row[j] if j < len(row) else "", above[j] if j < len(above) else "") for j in range(width))
    return [below if clean_text(below) else over for below, over in pairs]


def _lacking(sheet: Sheet, head: _Head, lacking: Sequence[Column], columns: Sequence[Column]) -> list[Problem]:
    """Return a problem for each required column that is not there, naming the header that looks like it."""
    taken = set(head.found.values())
    header = head.cells
    free = [clean_text(h) for j, h in enumerate(header) if j not in taken and clean_text(h)]
    problems = []
    for c in lacking:
        near = next((h for h in free if (seen := alike(h, columns, 0.7)) is not None and seen.name == c.name), "")
        hint, hint_zh = (f"; is it '{near}'?", f"；是否为“{near}”？") if near else ("", "")
        problems.append(
            Problem(
                sheet.file,
                sheet.place(head.row),
                c.name,
                near,
                f"required column is missing (header '{c.name}' or '{c.zh}'){hint}",
                f"缺少必需列（列名 {c.zh} 或 {c.name}）{hint_zh}",
            )
        )
    return problems


def is_total(row: Sequence[Cell], text_columns: Sequence[int] = ()) -> bool:
    """Return whether a row is a total: its first cell, or one of its text cells, says 合计, 小计, ...计 or total."""
    first = next((clean_text(c) for c in row if clean_text(c)), "")
    return any(_TOTAL.search(t) for t in (first, *(clean_text(row[j]) for j in text_columns if j < len(row))))


class _Rows(NamedTuple):
    """What one part gives: its rows' labels, data, and marks."""

    labels: list[int]
    data: dict[str, list[Any]]
    below: dict[str, list[bool]]


def _convert(parts: Sequence[Part], columns: Sequence[Column], notes: list[Note]) -> Table:
    problems: list[Problem] = []
    ignored: list[str] = []
    bases: dict[str, str] = {}
    zones: dict[str, float] = {}
    given: dict[str, str] = {}
    labels: list[int] = []
    data: dict[str, list[Any]] = {c.name: [] for c in columns}
    below: dict[str, list[bool]] = {c.name: [] for c in columns if c.below_detection}
    for number, part in enumerate(parts):
        rows = _part(part, columns, number, problems, notes, ignored, bases, zones, given)
        labels += rows.labels
        for name, values in rows.data.items():
            data[name] += values
        for name, marks in rows.below.items():
            below[name] += marks
    if not labels and not problems:
        sheet, row = parts[0].sheet, parts[0].header_row
        problems.append(
            Problem(
                sheet.file, sheet.place(row), "", "", "no row of data under the header", "表头之下没有数据行"
            )
        )  # fmt: skip
    if problems:
        raise InputError(problems)
    if (listener := _heard.get()) is not None:
        listener += notes
    index = pd.Index(labels, name="row")
    return Table(
        pd.DataFrame(data, index=index),
        tuple(parts),
        list(dict.fromkeys(ignored)),
        notes,
        bases,
        zones,
        given,
        pd.DataFrame(below, index=index, dtype=bool),
    )


def _part(
    part: Part,
    columns: Sequence[Column],
    number: int,
    problems: list[Problem],
    notes: list[Note],
    ignored: list[str],
    bases: dict[str, str],
    zones: dict[str, float],
    given: dict[str, str],
) -> _Rows:
    """Read the rows of one sheet; problems, notes and what the headers say are added to the lists given."""
    sheet, found = part.sheet, part.columns
    header = part.header
    names = names_of(columns)
    numbers = {c.name: c for c in columns if c.kind == "number"}
    unit_row = _unit_row(part, numbers)
    begin = part.header_row + 1 + (unit_row is not None)
    text_columns = [found[c.name] for c in columns if c.kind == "text" and c.name in found]
    filled = [i for i in range(begin, len(sheet.rows)) if any(clean_text(c) for c in sheet.rows[i])]
    keep = [i for i in filled if not is_total(sheet.rows[i], text_columns)]
    where = f"{sheet.file}" + (f" {sheet.name}" if sheet.name else "")
    if len(filled) > len(keep):
        totals = "、".join(str(sheet.lines[i]) for i in filled if i not in set(keep))
        notes.append(Note(f"{where}：合计行未计入（第 {totals} 行）", f"{where}: rows of totals left out ({totals})"))
    if hidden := [i for i in keep if i in sheet.hidden_rows]:
        some = "、".join(str(sheet.lines[i]) for i in hidden[:10]) + ("…" if len(hidden) > 10 else "")
        notes.append(
            Note(
                f"{where}：{len(hidden)} 行被隐藏（筛选），已照常计入（第 {some} 行）",
                f"{where}: {len(hidden)} hidden (filtered) row(s) are counted too ({some})",
            )
        )
    _unused(part, columns, keep, where, problems, notes, ignored)
    titled = _titled_unit(part)
    data: dict[str, list[Any]] = {}
    marks: dict[str, list[bool]] = {}
    for c in columns:
        j = found.get(c.name)
        if c.below_detection:
            marks[c.name] = [False] * len(keep)
        if j is None:
            missing = float("nan") if c.kind == "number" and c.default is None else c.default
            data[c.name] = [missing if missing is not None else ""] * len(keep)
            continue
        read = read_header(header[j], names)
        exact = read is not None and names.get(normalise(header[j])) == c.name
        pieces = () if read is None or exact else read.pieces
        how = Reading()
        if c.kind == "number":
            above = unit_row.get(j, "") if unit_row is not None else ""
            above = above or _group_unit(part, j, c) or c.implied.get(normalise(header[j]), "")
            # a title speaks of the columns that its unit, or one of its units, converts to
            meant = c.unit not in {"", ANY} and any(
                units.convert(piece, c.unit) is not None for piece in re.split(r"[\s,，;；、()（）]+", titled) if piece
            )
            mixed = meant and units.parse(titled) is None
            if not above and meant and not mixed:
                above = titled
            how = reading_of(header[j], pieces, c, above)
            if mixed and not how.unit and how.refused is None:
                how = Reading(
                    refused=(
                        f"the title says '{titled}': write the unit into this column's header",
                        f"标题注有多种单位“{titled}”：请在该列列名中注明单位",
                    )
                )
            given[c.name] = how.unit
            if how.refused is not None:
                problems.append(
                    Problem(sheet.file, sheet.place(part.header_row, j), c.name, clean_text(header[j]), *how.refused)
                )
            if how.basis:
                bases[c.name] = how.basis
            if how.conversion.en:
                notes.append(
                    Note(f"{where}：{clean_text(header[j])} {how.conversion.zh}",
                         f"{where}: {clean_text(header[j])} {how.conversion.en}")
                )  # fmt: skip
        elif c.name in _TIMES:
            hours, odd = zone_of(header[j], pieces)
            if odd:
                said = "the bracket must be a time zone such as UTC or UTC+8", "括号内须为时区，如 UTC、UTC+8、北京时间"
                problems.append(
                    Problem(sheet.file, sheet.place(part.header_row, j), c.name, clean_text(header[j]), *said)
                )
            elif hours is not None:
                zones[c.name] = hours
        values: list[Any] = []
        for k, i in enumerate(keep):
            cell = sheet.rows[i][j] if j < len(sheet.rows[i]) else None
            if c.below_detection and isinstance(cell, str) and _DETECTION.match(cell):
                cell = _DETECTION.sub("", cell)
                marks[c.name][k] = True
            value, said_of = cell_value(cell, c, how.conversion)
            if said_of is not None:
                problems.append(Problem(sheet.file, sheet.place(i, j), c.name, clean_text(cell), *said_of))
            values.append(value)
        data[c.name] = values
    return _Rows([number * _STRIDE + sheet.lines[i] for i in keep], data, marks)


def _unused(
    part: Part,
    columns: Sequence[Column],
    keep: Sequence[int],
    where: str,
    problems: list[Problem],
    notes: list[Note],
    ignored: list[str],
) -> None:
    """Say which columns with values no field took; one that looks like a missing one is a problem."""
    sheet = part.sheet
    header = part.header
    taken = set(part.columns.values())
    absent = {c.name for c in columns if c.name not in part.columns and c.kind == "number"}
    width = max((len(sheet.rows[i]) for i in keep), default=0)
    unused = []
    for j in range(max(width, len(header))):
        if j in taken or not any(j < len(sheet.rows[i]) and clean_text(sheet.rows[i][j]) for i in keep):
            continue
        name = clean_text(header[j]) if j < len(header) else ""
        near = alike(name, columns) if name else None
        if near is not None and near.name in absent:
            problems.append(
                Problem(
                    sheet.file,
                    sheet.place(part.header_row, j),
                    near.name,
                    name,
                    f"looks like the column '{near.zh}' ({near.name}) but is not called so: rename it, or remove it",
                    f"疑似“{near.zh}”（{near.name}）列但列名不符：请改名，或删去该列",
                )
            )
        unused.append(name or column_letter(j))
    if unused:
        ignored += unused
        notes.append(
            Note(f"{where}：未使用的列：{'、'.join(unused)}", f"{where}: columns not used: {', '.join(unused)}")
        )


def _unit_row(part: Part, numbers: Mapping[str, Column]) -> dict[int, str] | None:
    """Return column index -> unit where the row under the header holds units, None where it holds data."""
    if part.header_row + 1 >= len(part.sheet.rows):
        return None
    row = part.sheet.rows[part.header_row + 1]
    found: dict[int, str] = {}
    for name, j in part.columns.items():
        text = clean_text(row[j]) if j < len(row) else ""
        if name not in numbers or not text:
            continue
        inside = text.strip("()（）[]【】")
        if isinstance(row[j], str) and re.search(r"[^\d.\-+eE,，%\s]", inside) and units.parse(inside) is not None:
            found[j] = inside
        elif text not in {"-", "—", "/", "%", "无量纲"}:
            return None
        elif text == "%":
            found[j] = "%"
    return found or None


def _titled_unit(part: Part) -> str:
    """Return the unit of a title row above the header ("单位：吨/年"), empty without one.

    A title with several units ("单位：吨（SO2），千克（PM10）") is returned whole: it is no unit, and the columns that
    depend on it are refused.
    """
    return next((u for row in reversed(part.sheet.rows[: part.header_row]) if (u := titled_unit_of(row))), "")


def titled_unit_of(row: Sequence[Cell]) -> str:
    """Return the unit, or units, that a title row names ("单位：吨/年"), empty where it names none."""
    for cell in row:
        if isinstance(cell, str) and (match := _UNIT_LINE.search(cell)):
            said = match.group(1).strip().rstrip(")）]】")
            if units.parse(said) is not None:
                return said
            first = re.split(r"[\s,，;；（(]", said)[0]
            return said if units.parse(first) is not None else ""
    return ""


def _group_unit(part: Part, j: int, column: Column) -> str:
    """Return the unit of the merged header above a column ("排放量（吨/年）"), empty without one."""
    if part.header_row == 0 or column.unit in {"", ANY}:
        return ""
    above = part.header_row - 1
    for top, left, bottom, right in part.sheet.merged:
        if top <= above <= bottom and left <= j <= right and left < len(part.sheet.rows[top]):
            text = clean_text(part.sheet.rows[top][left])
            for piece in re.findall(r"[(（\[【]([^()（）\[\]【】]+)[)）\]】]", text):
                if units.convert(piece, column.unit) is not None:
                    return str(piece)
    return ""
