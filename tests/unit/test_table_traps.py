"""Ordinary tables that were read wrongly without a word: each kind is read right, or refused at its cell."""

from __future__ import annotations

import numpy as np
import pytest
import xlsxwriter

from airsim.errors import InputError
from airsim.tables import Column, read_table
from airsim.tables.layout import zone_of

LAYOUT = (
    Column("name", "企业名称", kind="text", required=True),
    Column("code", "统一社会信用代码", kind="identifier"),
    Column("SO2", "二氧化硫", unit="t a-1", required=True, species="SO2", aliases=("SO2排放量",)),
    Column("NOx", "氮氧化物", unit="t a-1", default=0.0, species="NOx"),
    Column("height", "烟囱高度", unit="m"),
)
COAL = (
    Column("sample", "样品", kind="text", required=True),
    Column("sulfur", "全硫", unit="%", bases=("ar", "ad", "d"), below_detection=True, aliases=("St",)),
    Column("ash", "灰分", unit="%", bases=("ar", "ad", "d")),
    Column("heat", "低位发热量", unit="kJ kg-1", bases=("ar",), aliases=("Qnet",)),
)


def csv(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    return path


def book(tmp_path, *sheets, name="t.xlsx"):
    """Write sheets given as (name, rows, options) and return the path."""
    path = tmp_path / name
    with xlsxwriter.Workbook(path) as made:
        for title, rows, options in sheets:
            sheet = made.add_worksheet(title)
            for i, row in enumerate(rows):
                for j, value in enumerate(row):
                    if isinstance(value, tuple):
                        sheet.write_formula(i, j, value[0], None, value[1])
                    else:
                        sheet.write(i, j, value)
            if options.get("hidden"):
                sheet.hide()
            else:
                sheet.activate()
            for row in options.get("hidden_rows", ()):
                sheet.set_row(row, None, None, {"hidden": True})
            for merged in options.get("merged", ()):
                sheet.merge_range(*merged)
    return path


def said(error):
    return "\n".join(str(p) for p in error.value.problems)


@pytest.mark.parametrize(
    ("header", "tonnes"),
    [
        ("二氧化硫（千克）", 0.02),
        ("二氧化硫(kg/h)", 175.2),
        ("SO2_kg_d", 7.3),
        ("SO2 kg/d", 7.3),
        ("二氧化硫/吨", 20.0),
        ("SO2排放量（单位：吨/日）", 7300.0),
        ("二氧化硫(以S计)", 20.0 * 64.06 / 32.06),
        ("二氧化硫（2018年，吨）", 20.0),
    ],
)
def test_units_wherever_the_header_says_them(tmp_path, header, tonnes):
    table = read_table(csv(tmp_path, f"企业名称,{header}\n甲,20\n"), LAYOUT)
    assert table.frame["SO2"].tolist() == pytest.approx([tonnes])


@pytest.mark.parametrize(
    "header", ["二氧化硫(规上)", "二氧化硫（箱）", "二氧化硫(m)", "二氧化硫(kg/t)", "二氧化硫（产生量）"]
)
def test_a_bracket_nobody_knows_is_refused_by_header(tmp_path, header):
    path = csv(tmp_path, f"企业名称,{header}\n甲,20\n")
    with pytest.raises(InputError) as error:
        read_table(path, LAYOUT)
    (problem,) = error.value.problems
    assert problem.key == "SO2"
    assert header in said(error)
    assert "kg/h" in problem.allowed


@pytest.mark.parametrize(
    ("said", "factor"),
    # masses of N and O: 14.007 and 15.999; NOx counts as NO2
    [
        ("以NO2计", 1.0),
        ("以NO计", (14.007 + 2 * 15.999) / (14.007 + 15.999)),
        ("以N计", (14.007 + 2 * 15.999) / 14.007),
    ],
)
def test_nitrogen_oxides_by_what_they_are_counted_as(tmp_path, said, factor):
    path = tmp_path / "a.csv"
    path.write_text(f"NOx(吨/年，{said})\n30\n", encoding="utf-8")
    table = read_table(path, (Column("NOx", "氮氧化物", unit="t a-1", species="NOx"),))
    assert table.frame["NOx"].item() == pytest.approx(30 * factor, rel=1e-4)


def test_a_row_of_units_under_the_header(tmp_path):
    path = csv(tmp_path, "企业名称,二氧化硫,氮氧化物,烟囱高度\n,kg/d,吨,m\n甲,1000,2,30\n")
    frame = read_table(path, LAYOUT).frame
    assert (frame["SO2"].item(), frame["NOx"].item(), frame["height"].item()) == (365.0, 2.0, 30.0)
    assert frame.index.tolist() == [3]


def test_a_unit_in_the_title_or_in_the_merged_header_above(tmp_path):
    path = csv(tmp_path, "企业排放表（单位：千克）\n企业名称,二氧化硫,烟囱高度\n甲,1000,30\n")
    assert read_table(path, LAYOUT).frame["SO2"].item() == 1.0
    rows = [["", "", ""], ["企业名称", "二氧化硫", "氮氧化物"], ["甲", 1000, 2000]]
    path = book(tmp_path, ("a", rows, {"merged": [(0, 1, 0, 2, "排放量（kg/d）")]}))
    frame = read_table(path, LAYOUT).frame
    assert (frame["SO2"].item(), frame["NOx"].item()) == (365.0, 730.0)


def test_error_cells_and_formulas_without_value_are_named_in_optional_columns_too(tmp_path):
    rows = [["企业名称", "二氧化硫", "氮氧化物"], ["甲", 1, ("=NA()", "#N/A")], ["乙", 2, ("=500*2", "")]]
    with pytest.raises(InputError) as error:
        read_table(book(tmp_path, ("a", rows, {})), LAYOUT)
    assert [p.where for p in error.value.problems] == ["a!C2", "a!C3"]
    assert "#N/A" in said(error)
    assert "not stored" in said(error)


def test_every_visible_sheet_with_the_header_is_read_and_a_hidden_one_never(tmp_path):
    head = ["企业名称", "二氧化硫"]
    path = book(
        tmp_path,
        ("旧版", [head, ["旧", 9]], {"hidden": True}),
        ("西安", [head, ["甲", 1]], {}),
        ("宝鸡", [["标题"], head, ["乙", 2]], {}),
        ("说明", [["填表说明"], ["一", "二"]], {}),
    )
    table = read_table(path, LAYOUT)
    assert table.frame["name"].tolist() == ["甲", "乙"]
    assert [table.place(r, "SO2") for r in table.frame.index] == ["西安!B2", "宝鸡!B3"]
    notes = "\n".join(n.en for n in table.notes)
    assert "'旧版' not read" in notes
    assert "'说明'" in notes
    part = [["企业名称", "烟囱高度", "氮氧化物"], ["丙", 3, 4]]
    path = book(tmp_path, ("西安", [[*head, "烟囱高度"], ["甲", 1, 3]], {}), ("咸阳", part, {}), name="u.xlsx")
    with pytest.raises(InputError, match="咸阳!1"):
        read_table(path, LAYOUT)


def test_hidden_rows_totals_and_unused_columns_are_said(tmp_path):
    rows = [["企业名称", "二氧化硫", "去除率"], ["甲", 1, 90], ["乙", 2, 80], ["全市合计", 3, ""]]
    table = read_table(book(tmp_path, ("a", rows, {"hidden_rows": [2]})), LAYOUT)
    assert table.frame["SO2"].tolist() == [1.0, 2.0]
    notes = "\n".join(n.en for n in table.notes)
    assert "1 hidden (filtered) row(s) are counted too (3)" in notes
    assert "rows of totals left out (4)" in notes
    assert "columns not used: 去除率" in notes
    assert table.ignored == ["去除率"]


def test_a_column_that_looks_like_a_missing_one_is_an_error(tmp_path):
    with pytest.raises(InputError) as error:
        read_table(csv(tmp_path, "企业名称,二氧化硫,氮氧化物排放\n甲,1,2\n"), LAYOUT)
    assert "氮氧化物排放" in said(error)
    with pytest.raises(InputError, match="is it '二氧化流'"):
        read_table(csv(tmp_path, "企业名称,二氧化流\n甲,1\n"), LAYOUT)


@pytest.mark.parametrize("code", ["9.1610E+17", "9.1610131E+17"])
def test_a_code_in_scientific_notation_is_refused_in_text_files_too(tmp_path, code):
    with pytest.raises(InputError, match="digits are lost"):
        read_table(csv(tmp_path, f"企业名称,统一社会信用代码,二氧化硫\n甲,{code},1\n"), LAYOUT)


def test_coal_headers_with_symbol_and_basis(tmp_path):
    path = csv(tmp_path, "样品,全硫St,ad（%）,灰分Ad（%）,\"低位发热量Qnet,ar（MJ/kg）\"\nS,<0.20,10,25\n".replace(
        "全硫St,ad（%）", "\"全硫St,ad（%）\""))  # fmt: skip
    table = read_table(path, COAL)
    assert table.bases == {"sulfur": "ad", "ash": "d", "heat": "ar"}
    assert table.frame.loc[2, ["sulfur", "ash", "heat"]].tolist() == [0.2, 10.0, 25000.0]
    assert table.below["sulfur"].tolist() == [True]
    with pytest.raises(InputError):
        read_table(csv(tmp_path, '样品,"低位发热量(Qgr,ad)"\nS,25\n'), COAL)


def test_semicolons_and_an_empty_table(tmp_path):
    assert read_table(csv(tmp_path, "企业名称;二氧化硫\n甲;1.5\n"), LAYOUT).frame["SO2"].item() == 1.5
    with pytest.raises(InputError, match="no row of data"):
        read_table(csv(tmp_path, "企业名称,二氧化硫\n"), LAYOUT)


def test_a_web_page_named_xls_says_what_to_do(tmp_path):
    path = tmp_path / "t.xls"
    path.write_text("<html><table><tr><td>企业名称</td></tr></table></html>", encoding="utf-8")
    with pytest.raises(InputError, match=r"save it as \.xlsx"):
        read_table(path, LAYOUT)


def test_zones_in_headers():
    assert zone_of("时间(UTC)", ("UTC",)) == (0.0, "")
    assert zone_of("time(UTC+8)", ("UTC+8",)) == (8.0, "")
    assert zone_of("时间（北京时）", ("北京时",)) == (8.0, "")
    assert zone_of("time_utc", ()) == (0.0, "")
    assert zone_of("时间", ()) == (None, "")
    assert zone_of("时间(EST)", ("EST",)) == (None, "EST")


def test_hash_of_the_same_numbers_is_untouched(tmp_path):
    values = np.random.default_rng(1).uniform(0, 1e3, 50)
    text = "企业名称,二氧化硫\n" + "".join(f"企{i},{v!r}\n" for i, v in enumerate(values.tolist()))
    np.testing.assert_array_equal(read_table(csv(tmp_path, text), LAYOUT).frame["SO2"], values)


def test_a_header_of_two_rows_with_merged_cells(tmp_path):
    rows = [["", "", "", ""], ["", "二氧化硫", "氮氧化物", ""], ["甲", 1000, 2000, 30]]
    merged = [(0, 0, 1, 0, "企业名称"), (0, 1, 0, 2, "污染物排放量（千克/年）"), (0, 3, 1, 3, "烟囱高度（m）")]
    table = read_table(book(tmp_path, ("a", rows, {"merged": merged})), LAYOUT)
    assert table.frame.loc[3, ["name", "SO2", "NOx", "height"]].tolist() == ["甲", 1.0, 2.0, 30.0]


def test_cells_shown_as_per_cent(tmp_path):
    path = tmp_path / "p.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet("a")
        sheet.write_row(0, 0, ["样品", "全硫St,d(%)", "灰分Ad%"])
        sheet.write(1, 0, "S")
        sheet.write(1, 1, 0.0052, made.add_format({"num_format": "0.00%"}))
        sheet.write(1, 2, "12.5%")
    assert read_table(path, COAL).frame.loc[2, ["sulfur", "ash"]].tolist() == pytest.approx([0.52, 12.5])


def test_a_title_with_two_units_is_refused_for_the_columns_that_need_one(tmp_path):
    text = "单位：吨（SO2），千克（NOx）\n企业名称,二氧化硫,氮氧化物(kg),烟囱高度\n甲,1,2,30\n"
    with pytest.raises(InputError) as error:
        read_table(csv(tmp_path, text), LAYOUT)
    assert [p.key for p in error.value.problems] == ["SO2"]


def test_units_glued_to_the_name(tmp_path):
    table = read_table(csv(tmp_path, "企业名称,二氧化硫kg,烟囱高度m\n甲,1000,30\n"), LAYOUT)
    assert table.frame.loc[2, ["SO2", "height"]].tolist() == [1.0, 30.0]
