"""Tables as bureaus keep them: encodings, header languages, units in headers, cells that say nothing."""

import openpyxl
import pytest

from airsim.errors import InputError
from airsim.tables import Column, clean_text, column_letter, read_table, to_number

LAYOUT = (
    Column("name", "企业名称", kind="text", required=True),
    Column("code", "统一社会信用代码", kind="identifier"),
    Column("city", "城市", kind="text", choices={"西安": "xian", "xian": "xian"}),
    Column("SO2", "二氧化硫排放量", unit="t a-1", minimum=0, aliases=("二氧化硫",)),
    Column("height", "烟囱高度", unit="m", minimum=0, maximum=500, default=30.0),
)


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_give_the_same_table(tmp_path, encoding):
    path = write(tmp_path / "a.csv", "企业名称,城市,二氧化硫\n灞桥热电厂㛃,西安,12.5\n", encoding)
    frame = read_table(path, LAYOUT).frame
    assert frame.loc[2, "name"] == "灞桥热电厂㛃"
    assert frame.loc[2, "city"] == "xian"
    assert frame.loc[2, "SO2"] == 12.5
    assert frame.loc[2, "height"] == 30.0


def test_other_encoding_names_the_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"name,SO2\n\xff\xff\xff,1\n")
    with pytest.raises(InputError) as caught:
        read_table(path, LAYOUT)
    assert caught.value.problems[0].where == "2"
    assert "GB18030" in str(caught.value)


def test_title_rows_blank_rows_and_totals_are_passed_over(tmp_path):
    text = "西安市清单,,\n单位：吨,,\n企业名称,城市,二氧化硫\n\n甲,西安,1\n,,\n合 计,,1\n"
    table = read_table(write(tmp_path / "a.csv", text), LAYOUT)
    assert list(table.frame["name"]) == ["甲"]
    assert list(table.frame.index) == [5]


@pytest.mark.parametrize(
    ("header", "cell", "tonnes"),
    [
        ("SO2", "2", 2.0),
        ("SO2(kg/d)", "2", 0.73),
        ("二氧化硫排放量（万吨）", "1.5", 15000.0),
        ("二氧化硫（吨/年）", "１，２００", 1200.0),
        ("SO2 [t/d]", "1", 365.0),
    ],
)
def test_units_in_the_header_are_converted(tmp_path, header, cell, tonnes):
    path = write(tmp_path / "a.csv", f"企业名称,{header}\n甲,{cell}\n")
    assert read_table(path, LAYOUT).frame["SO2"].iloc[0] == pytest.approx(tonnes)


def test_unit_that_does_not_convert_is_refused(tmp_path):
    path = write(tmp_path / "a.csv", "企业名称,SO2(m/s)\n甲,1\n")
    with pytest.raises(InputError, match=r"a\.csv:1: 'SO2', value SO2\(m/s\)"):
        read_table(path, LAYOUT)


def test_every_problem_at_once_with_cell(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "工业源"
    sheet.append(["企业名称", "统一社会信用代码", "城市", "二氧化硫", "烟囱高度"])
    sheet.append(["甲", 916101316989012345, "西安", -1, 80])
    sheet.append([None, "91610131698901234X", "火星", "abc", 900])
    path = tmp_path / "清单.xlsx"
    book.save(path)
    with pytest.raises(InputError) as caught:
        read_table(path, LAYOUT)
    found = {(p.where, p.key) for p in caught.value.problems}
    assert found == {
        ("工业源!B2", "code"),
        ("工业源!D2", "SO2"),
        ("工业源!A3", "name"),
        ("工业源!C3", "city"),
        ("工业源!D3", "SO2"),
        ("工业源!E3", "height"),
    }
    assert "digits are lost" in str(caught.value)


def test_missing_required_column_and_missing_file(tmp_path):
    with pytest.raises(InputError, match="required column is missing"):
        read_table(write(tmp_path / "a.csv", "城市,SO2\n西安,1\n"), LAYOUT)
    with pytest.raises(InputError, match="file not found"):
        read_table(tmp_path / "b.csv", LAYOUT)
    with pytest.raises(InputError, match="not a readable workbook"):
        read_table(write(tmp_path / "c.xlsx", "not a zip"), LAYOUT)


def test_ignored_headers_are_told(tmp_path):
    table = read_table(write(tmp_path / "a.csv", "企业名称,联系人\n甲,张\n"), LAYOUT)
    assert table.ignored == ["联系人"]


@pytest.mark.parametrize("text", ["", "—", "-", "/", "无", None])
def test_cells_that_report_nothing(text):
    assert to_number(text) is None


@pytest.mark.parametrize("text", ["nan", "inf", "停产", "<0.1", "1,2", True])
def test_cells_that_are_no_number(text):
    with pytest.raises(ValueError, match=r".*"):
        to_number(text)


def test_small_things():
    assert column_letter(0) == "A"
    assert column_letter(27) == "AB"
    assert clean_text(610100.0) == "610100"
    assert to_number("1,234,567.5") == 1234567.5
