"""A page as an Excel workbook that an office can paste from: one language, official colours, 宋体."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter
from rich.cells import cell_len

from airsim.errors import Lang
from airsim.files import write_bytes
from airsim.output.page import Cell, Grid, Page, Section, state, unpaired
from airsim.output.words import Text

_DATE, _MINUTE = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"
_HEAD = {"bold": True, "bg_color": "#DDE6F0", "border": 1, "text_wrap": True, "valign": "vcenter"}
_VERDICTS: dict[str, dict[str, Any]] = {
    "good": {"bg_color": "#E2F0D9", "font_color": "#1E5B1E"},
    "bad": {"bg_color": "#F8D7DA", "font_color": "#8B0000", "bold": True},
    "": {},
}
#: What a sheet's name may not hold, and how long it may be.
_BARRED, _LONGEST = "[]:*?/\\'", 31


def write(page: Page, path: Path, lang: Lang) -> None:
    """Write the page as a workbook, whole or not at all.

    Notices, answers and the words of sections without a sheet or without tables stand on the first sheet. A section
    that names a sheet
    has its words and tables there, one below the other; every other table has a sheet of its own. Text stays text,
    whatever it begins with.

    Parameters
    ----------
    page : Page
    path : Path
        The .xlsx file.
    lang : {"zh", "en"}
        Language of sheets and headers.

    Raises
    ------
    InputError
        The file is open in another program or may not be written.
    """
    buffer, book = _book(lang)
    sheets = _Sheets(book, lang)
    first = sheets[Text("摘要", "Summary")]
    first.line(page.title, bold=True, font_size=14)
    first.text(page.period)
    for notice in page.notices:
        first.note(Text(f"注意：{notice.zh}", f"Note: {notice.en}"))
    for answer in page.answers:
        first.text(answer)
    for section in page.sections:
        if section.sheet is None or not section.grids:
            for words in (*section.words, *section.notes):
                first.text(words)
    for grid in page.grids:
        first.table(grid)
    for section in page.sections:
        _section(sheets, section)
    sheets.finish()
    book.close()
    write_bytes(Path(path), buffer.getvalue())


def _section(sheets: _Sheets, section: Section) -> None:
    if section.sheet is not None and section.grids:
        for words in (*section.words, *section.notes):
            sheets[section.sheet].note(words)
    for grid in section.grids:
        name = grid.sheet or section.sheet
        if name is None:
            sheets.new(grid.title).table(grid, titled=False)
        else:
            sheets[name].table(grid)


def _book(lang: Lang) -> tuple[io.BytesIO, Any]:
    """Open a workbook in memory in which text stays text."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": False,
            "default_format_properties": {
                "font_name": "宋体" if lang == "zh" else "Calibri",
                "font_size": 11,
            },
        },
    )
    return buffer, book


class _Style:
    """The formats of a workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def __call__(self, **properties: Any) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(properties)
        return self._made[key]


class _Sheets:
    """The sheets of a workbook by name, each made when it is first asked for."""

    def __init__(self, book: Any, lang: Lang) -> None:
        self._book, self._style, self._lang = book, _Style(book), lang
        self._made: dict[str, _Sheet] = {}

    def __getitem__(self, title: Text) -> _Sheet:
        name = self._name(title)
        if name.lower() not in self._made:
            self._made[name.lower()] = _Sheet(self._book, self._style, name, self._lang)
        return self._made[name.lower()]

    def new(self, title: Text) -> _Sheet:
        """Return a sheet of a table's own; where the name is taken, a number follows it."""
        name, n = self._name(title), 1
        while name.lower() in self._made:
            n += 1
            name = f"{self._name(title)[: _LONGEST - 3]} {n}"
        return self[Text(name, name)]

    def finish(self) -> None:
        for sheet in self._made.values():
            sheet.finish()

    def _name(self, title: Text) -> str:
        return "".join(c for c in title.of(self._lang) if c not in _BARRED).strip()[:_LONGEST].strip()


class _Sheet:
    """One sheet, written downwards row by row."""

    def __init__(self, book: Any, style: _Style, title: str, lang: Lang) -> None:
        self._sheet = book.add_worksheet(title)
        self._widths: dict[int, int] = {}
        self._frozen = False
        self._style, self._lang, self._row = style, lang, 0

    def line(self, *cells: Any, **properties: Any) -> None:
        """Write one row; a cell is a value or (value, format)."""
        for column, cell in enumerate(cells):
            value, form = cell if isinstance(cell, tuple) and not isinstance(cell, Text) else (cell, None)
            self._put(column, value, form or self._style(**properties))
        self._row += 1

    def text(self, text: Text) -> None:
        """Write a sentence over the whole width."""
        self._put(0, text, self._style(), measure=False)
        self._row += 1

    def note(self, text: Text) -> None:
        """Write a remark over the whole width."""
        self._put(0, text, self._style(italic=True, font_color="#7F3F00"), measure=False)
        self._row += 1

    def table(self, grid: Grid, *, titled: bool = True) -> None:
        """Write a table below what is there; the first header of a sheet stays in view."""
        grid = unpaired(grid)
        if self._row:
            self._row += 1
        if titled:
            self._put(0, grid.title, self._style(bold=True), measure=False)
            self._row += 1
        if grid.note is not None:
            self.note(grid.note)
        self.line(*grid.head, **_HEAD)
        if not self._frozen:
            self._sheet.freeze_panes(self._row, 1)
            self._frozen = True
        for i, row in enumerate(grid.rows):
            total = {"bold": True, "top": 1} if i in grid.totals else {}
            self.line(
                *(
                    (v.value if isinstance(v, Cell) else v, self._style(**_form(v, d, j in grid.signed), **total))
                    for j, (v, d) in enumerate(zip(row, grid.digits, strict=True))
                )
            )

    def _put(self, column: int, value: Any, form: Any, *, measure: bool = True) -> None:
        if isinstance(value, Text):
            value = value.of(self._lang)
        if isinstance(value, np.generic):
            value = value.item() if not isinstance(value, np.datetime64) else pd.Timestamp(value)
        wide = 0
        if value is None or value == "" or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
            self._sheet.write_blank(self._row, column, None, form)
        elif isinstance(value, str):
            self._sheet.write_string(self._row, column, value, form)
            wide = cell_len(value)
        elif isinstance(value, pd.Timestamp):
            self._sheet.write_datetime(self._row, column, value.to_pydatetime(), form)
            wide = 16
        else:
            self._sheet.write_number(self._row, column, float(value), form)
            wide = len(f"{float(value):,.1f}")
        if measure:
            self._widths[column] = max(self._widths.get(column, 8), min(wide + 2, 42))

    def finish(self) -> None:
        """Set the column widths and the page."""
        for column, width in self._widths.items():
            self._sheet.set_column(column, column, width)
        self._sheet.set_landscape()
        self._sheet.fit_to_pages(1, 0)
        self._sheet.set_paper(9)


def _form(cell: Any, digits: int, signed: bool) -> dict[str, Any]:
    """Return the format of a cell. Offices never want scientific notation."""
    value = cell.value if isinstance(cell, Cell) else cell
    form: dict[str, Any] = dict(_VERDICTS[state(cell)])
    if isinstance(cell, Cell) and cell.fill is not None:
        (r, g, b), ink = cell.fill
        form |= {"bg_color": f"#{r:02X}{g:02X}{b:02X}", "font_color": "#FFFFFF" if ink == "#fff" else "#000000"}
    if isinstance(value, pd.Timestamp | np.datetime64):
        form["num_format"] = _MINUTE if digits else _DATE
    elif value is not None and not isinstance(value, str | Text):
        places = -digits - 1 if digits < 0 else digits
        number = "#,##0" + ("." + "0" * places if places else "") + ("%" if digits < 0 else "")
        form["num_format"] = f"+{number};-{number};{number}" if signed else number
    return form
