"""tables.xlsx, read back with openpyxl."""

import datetime as dt
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import xarray as xr

from airsim.output import excel
from airsim.output.sections import report
from airsim.result import netcdf

_spec = spec_from_file_location("made_up_result", Path(__file__).with_name("made_up_result.py"))
made_up_result = module_from_spec(_spec)
_spec.loader.exec_module(made_up_result)

SHEETS = ["摘要", "实测推算(相对响应)", "AQI 日历", "城市浓度(日均)", "应急减排达标", "应急减排核算", "措施合计",
          "措施台账", "传输与影响", "传输矩阵", "企业影响", "面源影响", "煤炭平衡", "与实测比较", "排放清单汇总",
          "企业", "输入与出处"]  # fmt: skip


@pytest.fixture(scope="module")
def tree():
    return netcdf.dress(made_up_result.make())


@pytest.fixture(scope="module")
def books(tree, tmp_path_factory):
    folder = tmp_path_factory.mktemp("工作簿")
    result = {}
    for lang in ("zh", "en"):
        excel.write(report.page(tree), folder / f"{lang}.xlsx", lang)
        result[lang] = openpyxl.load_workbook(folder / f"{lang}.xlsx")
    return result


def table(sheet, first):
    """Return (header, rows) of the table whose header begins with `first`."""
    rows = list(sheet.iter_rows(values_only=True))
    start = next(i for i, row in enumerate(rows) if row[0] == first)
    return list(rows[start]), rows[start + 1 :]


def test_sheets_in_both_languages(books):
    assert books["zh"].sheetnames == SHEETS
    assert len(books["en"].sheetnames) == len(SHEETS)
    assert all(name.isascii() for name in books["en"].sheetnames)


def test_nothing_is_a_formula_and_text_stays_text(books):
    for book in books.values():
        for sheet in book:
            assert not [c.coordinate for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    names = [c for row in books["zh"]["企业"].iter_rows() for c in row if str(c.value).startswith(("=", "+"))]
    assert sorted(c.value for c in names) == ["+86水泥厂", '=HYPERLINK("http://bad")']
    assert {c.data_type for c in names} == {"s"}
    assert not [c for c in names if c.hyperlink]


def test_daily_values_colours_and_dates(books, tree):
    sheet = books["zh"]["城市浓度(日均)"]
    header, rows = table(sheet, "日期")
    base, aqi = header.index("PM2.5 基准情形（μg/m³）"), header.index("AQI 基准情形")
    cities = list(dict.fromkeys(row[1] for row in rows))
    assert cities[:8] == ["西安", "宝鸡", "咸阳", "铜川", "渭南", "杨凌", "韩城", "商洛"]
    assert len(cities) == 15
    assert rows[1][:2] == (dt.datetime(2019, 1, 2), "西安")
    expected = tree["pm25_daily"].sel(case="base", city="xian").values[1]
    assert rows[1][base] == pytest.approx(float(expected), rel=1e-6)
    colours = {"优": "00E400", "良": "FFFF00", "轻度污染": "FF7E00", "中度污染": "FF0000", "重度污染": "99004C"}
    colours["严重污染"] = "7E0023"
    limits = {"优": 50, "良": 100, "轻度污染": 150, "中度污染": 200, "重度污染": 300, "严重污染": 500}
    kind, found = header.index("级别 基准情形"), set()
    for row in sheet.iter_rows(min_row=3):  # below title and header
        name, value = row[kind].value, row[aqi].value
        assert row[aqi].fill.fgColor.rgb[-6:] == colours[name]
        assert next(k for k, v in limits.items() if value <= v) == name
        found.add(name)
    assert len(found) >= 4
    co = header.index("CO 基准情形（mg/m³）")
    assert rows[1][co] == pytest.approx(10 * expected / 1000, rel=1e-5)


def test_every_heavy_day_stands_in_the_book(books, tree):
    """An AQI above 200 is heavy pollution (HJ 633-2012): counted here from the index, found day by day and in sum."""
    heavy = {c: (tree["aqi"].sel(case=c) > 200).sum("day").to_series() for c in ("base", "controlled")}
    assert heavy["base"].sum() > heavy["controlled"].sum() > 0
    header, rows = table(books["zh"]["城市浓度(日均)"], "日期")
    ids = dict(zip(tree["city_zh"].values.tolist(), tree["city"].values.tolist(), strict=True))
    assert len(rows) == tree.sizes["day"] * len(ids)
    found = 0
    for case, zh in (("base", "基准情形"), ("controlled", "控制情形")):
        index = header.index(f"AQI {zh}")
        for row in rows:
            said = tree["aqi"].sel(case=case, city=ids[row[1]], day=np.datetime64(row[0])).item()
            assert row[index] == said
        for city, identity in ids.items():
            days = [row for row in rows if row[1] == city and row[index] > 200]
            assert len(days) == heavy[case][identity], (city, case)
    summary = list(books["zh"]["摘要"].values)
    start = next(i for i, row in enumerate(summary) if any("重污染天数" in str(c) for c in row) and row[0] == "城市")
    columns = [j for j, c in enumerate(summary[start]) if "重污染天数" in str(c)]
    for row in summary[start + 1 :]:
        if row[0] in ids:
            said = [row[j] or 0 for j in columns]
            assert said == [heavy[c][ids[row[0]]] for c in ("base", "controlled")], row[0]
            found += 1
    assert found == len(ids)


def test_rows_of_the_ledger_are_all_there_the_largest_first(books, tree):
    header, rows = table(books["zh"]["措施台账"], "措施")
    (column,) = (j for j, h in enumerate(header) if "减少量" in h)
    expected = sorted(tree["measures"]["removed"].values.tolist(), reverse=True)
    assert [row[column] for row in rows] == pytest.approx(expected)


def test_missing_daily_species_are_averaged_over_the_beijing_day(books, tree):
    header, rows = table(books["zh"]["城市浓度(日均)"], "日期")
    # so2 has no daily variable in the made-up result: 16:00 to 16:00 UTC is the Beijing day
    expected = tree["so2"].sel(case="controlled", city="xian").values[24:48].mean()
    assert rows[1][header.index("SO₂ 控制情形（μg/m³）")] == pytest.approx(float(expected), rel=1e-6)


def test_fonts_freeze_panes_and_number_formats(books):
    for sheet in books["zh"]:
        assert {c.font.name for row in sheet.iter_rows() for c in row if c.value is not None} == {"宋体"}
        assert sheet.freeze_panes is not None
        formats = {c.number_format for row in sheet.iter_rows() for c in row}
        assert not [f for f in formats if "E+" in f.upper()]


def test_coal_is_in_ten_thousand_tonnes_with_growth_and_year_on_year(books, tree):
    sheet = books["zh"]["煤炭平衡"]
    header, rows = table(sheet, "城市")
    coal = tree["coal"].to_dataset()
    expected = coal["consumption"].sel(line="base", city="xian").sum().item() / 1e4
    assert rows[0][0] == "西安"
    assert rows[0][header.index("基准年消费量（万吨）")] == pytest.approx(expected)
    total = next(row for row in rows if row[0] == "合计")
    assert total[header.index("目标年消费量（万吨）") + 1] == pytest.approx(coal["growth_total"].item())
    lines = list(sheet.values)
    assert any("口径：全社会" in str(row[0]) for row in lines)
    at = next(i for i, row in enumerate(lines) if row[0] == "历年台账")
    header, xian = lines[at + 2], lines[at + 3]
    assert header[1:4] == ("2015 年（万吨）", "2016 年（万吨）", "同比")
    assert xian[3] == pytest.approx(1.03 / 1.05 - 1)


def test_shares_carry_verdicts_and_the_joint_test(books, tree):
    header, rows = table(books["zh"]["应急减排核算"], "预警级别")
    emergency = tree["emergency"].to_dataset()
    verdict, share = header.index("是否达标"), header.index("减排比例")
    cells = {(row[0][:2], row[1], row[2]): row for row in rows}
    at = emergency.sel(level="red", city="xian", pollutant="NOx")
    assert cells["红色", "西安", "NOx"][share] == pytest.approx(at["share"].item())
    assert cells["红色", "西安", "NOx"][verdict] == ("达标" if at["pass"].item() == 1 else "未达标")
    joint = cells["红色", "西安", "SO₂＋NOx 联合"]
    assert joint[share] == pytest.approx(emergency["joint_share"].sel(level="red", city="xian").item())
    assert not [row for row in rows if row[1] == "洛阳"]


def test_emission_totals_are_the_sums_of_the_sectors(books, tree):
    header, rows = table(books["zh"]["排放清单汇总"], "城市")
    column = header.index("SO₂ 吨/年")
    mine = [row for row in rows if row[0] == "西安"]
    expected = tree["emissions/emission_annual"].sel(city="xian", pollutant="SO2").sum().item()
    assert mine[-1][1] == "合计"
    assert mine[-1][column] == pytest.approx(expected)
    assert sum(row[column] for row in mine[:-1]) == pytest.approx(expected)


def test_transfer_and_impacts_stand_city_by_city(books, tree):
    header, rows = table(books["zh"]["传输矩阵"], "来源＼受体")
    ids = tree["transfer"]["source"].values.tolist()
    assert header[1] == "西安"
    wanted = tree["transfer"]["contribution"].sel(approach="tag", species="pm25", receptor="xian").values
    np.testing.assert_allclose([r[1] for r in rows[: len(ids)]], wanted)
    assert rows[len(ids)][0] == "总浓度"
    header, rows = table(books["zh"]["企业影响"], "名称")
    assert header[3:5] == ["西安", "渭南"]
    assert [r[3] for r in rows] == sorted((r[3] for r in rows), reverse=True)


def test_a_base_run_alone_makes_a_smaller_book(tree, tmp_path):
    root = tree.to_dataset().sel(case=["base"])
    excel.write(report.page(xr.DataTree(root)), tmp_path / "base.xlsx", "zh")
    book = openpyxl.load_workbook(tmp_path / "base.xlsx")
    assert book.sheetnames == ["摘要", "AQI 日历", "城市浓度(日均)"]
    header, rows = table(book["摘要"], "城市")
    assert not [h for h in header if h and "控制" in h]
    assert rows[0][1] == pytest.approx(float(np.mean(root["pm25"].sel(city="xian").values)), rel=1e-6)
