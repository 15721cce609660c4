"""One page, three writers: what the page holds stands in HTML, workbook and terminal alike."""

import re
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from airsim.output import console, excel, html
from airsim.output import page as pages
from airsim.output.page import Cell, Grid, Page, Section
from airsim.output.sections import report
from airsim.output.words import VERDICTS, Text
from airsim.result import netcdf

_spec = spec_from_file_location("made_up_result", Path(__file__).with_name("made_up_result.py"))
made_up_result = module_from_spec(_spec)
_spec.loader.exec_module(made_up_result)


def squeezed(text):
    return re.sub(r"\s+", "", str(text))


class Tables(HTMLParser):
    """The rows of every table in one language, and all that is said outside of scripts."""

    def __init__(self, text, lang):
        super().__init__()
        self.tables, self.said, self._lang, self._quiet, self._cell = [], "", lang, 0, False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if (
            tag in {"script", "style"}
            or attrs.get("class") in ({"zh", "en"} - {self._lang})
            or (tag == "span" and self._quiet)
        ):
            self._quiet += 1
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")
            self._cell = True

    def handle_endtag(self, tag):
        if tag in {"script", "style"} or (tag == "span" and self._quiet):
            self._quiet -= 1
        if tag in {"td", "th"}:
            self._cell = False

    def handle_data(self, data):
        if self._quiet:
            return
        self.said += data
        if self._cell:
            self.tables[-1][-1][-1] += data


@pytest.fixture(scope="module")
def page():
    return report.page(netcdf.dress(made_up_result.make()))


@pytest.fixture(scope="module", params=["zh", "en"])
def written(request, page, tmp_path_factory):
    """Language, tables and words of the HTML, workbook as sheet name -> rows, printed lines."""
    lang = request.param
    path = tmp_path_factory.mktemp("written") / "t.xlsx"
    excel.write(page, path, lang)
    book = {s.title: list(s.values) for s in openpyxl.load_workbook(path)}
    return lang, Tables(html.text(page, lang), lang), book, console.lines(page, lang)


def test_every_sentence_stands_in_page_and_workbook_and_the_answer_on_the_console(page, written):
    lang, drawn, book, lines = written
    cells = {squeezed(v) for rows in book.values() for row in rows for v in row if v is not None}
    said, printed = squeezed(drawn.said), squeezed("".join(lines))
    sentences = pages.sentences(page)
    assert len(sentences) > 25
    for sentence in sentences:
        text = squeezed(sentence.of(lang))
        assert text in said
        assert any(text in cell for cell in cells), sentence.of(lang)
    for sentence in (*page.notices, *page.answers, *(g.note for g in page.grids)):
        assert squeezed(console.plain(sentence.of(lang))) in printed


def cell(value, lang):
    """Return what a workbook's cell holds when read back."""
    value = value.value if isinstance(value, Cell) else value
    if isinstance(value, Text):
        return value.of(lang) or None
    if isinstance(value, str):
        return value or None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return None if value is None or pd.isna(value) else float(value)


def test_every_table_stands_in_page_and_workbook(page, written):
    lang, drawn, book, _ = written
    grids = pages.all_grids(page)
    assert len(grids) > 25
    assert len(drawn.tables) == len(grids)
    for grid, table in zip(grids, drawn.tables, strict=True):
        assert [squeezed(c) for c in table[0]] == [squeezed(h.of(lang)) for h in grid.head]
        assert len(table) - 1 == (min(grid.most, len(grid.rows)) if grid.most else len(grid.rows))
        for row, shown in zip(grid.rows, table[1:], strict=False):
            for value, digits, text in zip(row, grid.digits, shown, strict=True):
                inner = value.value if isinstance(value, Cell) else value
                if not pages.is_pair(inner):
                    inner = (inner,)
                for part in inner:
                    wanted = part.of(lang) if isinstance(part, Text) else pages.shown(part, digits)
                    assert squeezed(wanted).lstrip("+") in squeezed(text)
        flat = pages.unpaired(grid)
        heads = tuple(h.of(lang) for h in flat.head)
        wide = len(heads)
        found = [
            rows[i + 1 : i + 1 + len(flat.rows)]
            for rows in book.values()
            for i, row in enumerate(rows)
            if row[:wide] == heads
        ]
        wanted = [[cell(v, lang) for v in row] for row in flat.rows]
        assert any(
            len(rows) == len(wanted)
            and all(
                b == (pytest.approx(a, rel=1e-6, abs=1e-12) if isinstance(a, float) else a)
                for row, read in zip(wanted, rows, strict=True)
                for a, b in zip(row, read, strict=False)
            )
            for rows in found
        ), grid.title.of(lang)


def test_the_tables_of_the_answer_are_printed_whole(page, written):
    lang, _, _, lines = written
    for grid in page.grids:
        at = lines.index(console.plain(grid.title.of(lang)))
        rows = lines[at + 3 : at + 3 + len(grid.rows)]
        for row, line in zip(grid.rows, rows, strict=True):
            assert line.split("  ")[1] == row[0].of(lang)
            for value, digits in zip(row[1:], grid.digits[1:], strict=True):
                for part in value if pages.is_pair(value) else (value,):
                    wanted = part.of(lang) if isinstance(part, Text) else pages.shown(part, digits)
                    assert console.plain(wanted) in line


def test_cells_carry_verdicts_asides_pairs_and_signs(tmp_path):
    grid = Grid(
        Text("表", "table"),
        [Text("城市", "city"), Text("均值", "mean"), Text("变化", "change"), Text("比例", "share"), Text("结论", "ok")],
        [[Text("西安", "Xi'an"), (120.0, 90.0), 0.05, Cell(0.31, "good", Text("要求 30 %", "of 30 %")), VERDICTS[0]]],
        [0, 1, -2, -2, 0],
        printed=1,
        pair=(Text("前", "before"), Text("后", "after")),
        signed=[2],
    )
    said = Page(Text("题", "title"), Text("", ""), [], [], [Section("s", Text("节", "section"), grids=[grid])])
    text = html.text(said, "en")
    assert "120.0 → 90.0" in text
    assert re.search(r'class="passing"[^>]*>31\.0 % <small>.*of 30 %', text)
    assert 'class="text failing"' in text
    assert "+5.0 %" in text
    assert any("120.0 -> 90.0  +5.0 %  31.0 % (of 30 %)" in line for line in console.lines(said, "en"))
    excel.write(said, tmp_path / "t.xlsx", "en")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx")["table"]
    head, row = list(sheet.values)
    assert head == ("city", "mean, before", "mean, after", "change", "share", "ok")
    assert row == ("Xi'an", 120.0, 90.0, 0.05, 0.31, "FAIL")
    assert sheet["D2"].number_format == "+#,##0.0%;-#,##0.0%;#,##0.0%"
    assert sheet["E2"].fill.fgColor.rgb[-6:] == "E2F0D9"
    assert sheet["F2"].fill.fgColor.rgb[-6:] == "F8D7DA"
