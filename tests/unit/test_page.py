"""A page as lines and as a workbook: the tables named for a console, cut and counted; verdicts in their colours."""

from __future__ import annotations

import openpyxl

from airsim.output import console, excel, words
from airsim.output.page import Grid, Page, Section
from airsim.output.words import Text

NOTE = Text("口径：全社会 10⁴ t", "scope: whole society, 10⁴ t")
HEADS = words.heads("城市|city", "量|amount", "结论|verdict")
ROWS = [[words.city(c), float(i), words.VERDICTS[i % 2]] for i, c in enumerate(("xian", "weinan", "baoji"))]


def made():
    grids = [
        Grid(Text("表一", "first"), HEADS, ROWS, [0, 1, 0], NOTE, printed=2),
        Grid(Text("表二", "second"), HEADS, ROWS, [0, -2, 0], NOTE, printed=3),
        Grid(Text("表三", "third"), HEADS, ROWS, [0, 1, 0], NOTE),
    ]
    section = Section("a", Text("节", "section"), grids=grids)
    return Page(Text("题", "title"), Text("时段", "period"), [Text("小心", "care")], [Text("答", "answer")], [section])


def test_a_console_shows_the_tables_named_for_it_and_counts_what_it_leaves_out():
    assert console.lines(made(), "en") == [
        "title", "period", "Note: care", "answer",
        "first", "scope: whole society, 10^4 t",
        "  city    amount  verdict", "  Xi'an      0.0  FAIL", "  Weinan     1.0  pass", "  ... and 1 more rows",
        "second",
        "  city     amount  verdict", "  Xi'an     0.0 %  FAIL", "  Weinan  100.0 %  pass", "  Baoji   200.0 %  FAIL",
    ]  # fmt: skip
    assert "  ……另有 1 行" in console.lines(made(), "zh")


def test_the_workbook_holds_all_rows_and_colours_verdicts(tmp_path):
    excel.write(made(), tmp_path / "a.xlsx", "zh")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["摘要", "表一", "表二", "表三"]
    rows = list(book["表一"].values)
    assert rows[2:] == [("西安", 0, "未达标"), ("渭南", 1, "达标"), ("宝鸡", 2, "未达标")]
    colours = [row[2].fill.fgColor.rgb for row in book["表一"].iter_rows(min_row=3)]
    assert colours == ["FFF8D7DA", "FFE2F0D9", "FFF8D7DA"]
