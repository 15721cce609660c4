"""Lists in the layouts of bureaus: xls, merged headers, a row a level, packed numbers, per cents, mapping files."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import openpyxl
import pytest
import xlwt

from airsim import emergency, shipped
from airsim.emergency import wording
from airsim.errors import InputError
from airsim.tables import read_cells


def _generator():
    spec = importlib.util.spec_from_file_location("make_synthetic_list", shipped.path("data/make_synthetic_list.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generator():
    return _generator()


@pytest.fixture(scope="module")
def made(generator):
    return generator.lines(600, seed=5)


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("official.xlsx", "official"),
        ("official.xls", "official"),
        ("cities.xlsx", "cities"),
        ("levels.xlsx", "levels"),
        ("levels.xls", "levels"),
        ("table.csv", "table"),
    ],
)
def test_every_layout_is_read_as_it_was_meant(generator, made, tmp_path, name, layout):
    generator.write(tmp_path / name, made, layout)
    list_ = emergency.read(tmp_path / name)
    assert list_.synthetic
    assert len(list_.lines) == len(made)
    for p in emergency.POLLUTANTS:
        for city in {x.city for x in made}:
            meant = sum(x.base[p] for x in made if x.city == city)
            assert list_.lines.loc[list_.lines["city"] == city, f"base_{p}"].sum() == pytest.approx(meant, rel=1e-6)
    for level in emergency.LEVELS:
        cut = emergency.cuts(list_, level)
        for p in emergency.POLLUTANTS:
            assert cut[p].sum() == pytest.approx(sum(x.cuts[level][p] for x in made), rel=1e-5)
    assert sorted(list_.lines["enterprise"].unique()) == sorted({wording.enterprise_name(x.enterprise) for x in made})
    codes = set(list_.lines["credit_code"]) - {""}
    assert codes == {x.credit_code for x in made if x.credit_code}
    # totals were seen, agree, and are not lines
    assert not [f for f in emergency.check(list_) if f.check in {"sum_of_lines", "duplicate_line", "unreadable"}]


def test_the_generator_is_seeded(generator, made):
    assert generator.lines(600, seed=5) == made
    assert generator.lines(600, seed=6) != made


def _xlsx(path, rows, sheet="工业源", merged=()):
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    for cells in merged:
        book.active.merge_cells(cells)
    book.save(path)
    return path


HEAD = ["企业名称", "市", "SO2日排放量(kg/d)", "红色预警措施", "橙色预警措施", "黄色预警措施"]


def test_legacy_xls_with_merged_cells(tmp_path):
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("工业源")
    sheet.write_merge(0, 0, 0, 6, "2019年重污染天气应急减排清单")
    for j, head in enumerate(["企业名称", "市", "生产线"]):
        sheet.write_merge(1, 2, j, j, head)
    sheet.write_merge(1, 1, 3, 4, "日排放量（kg/d）")
    sheet.write(2, 3, "SO2")
    sheet.write(2, 4, "NOx")
    sheet.write_merge(1, 2, 5, 5, "红色预警措施")
    sheet.write_merge(1, 2, 6, 6, "橙色预警措施")
    sheet.write_merge(3, 4, 0, 0, "甲厂")
    sheet.write_merge(3, 4, 1, 1, "宝鸡市")
    for i, line in enumerate(["1#窑", "2#窑"]):
        sheet.write(3 + i, 2, line)
        sheet.write(3 + i, 3, "１０")
        sheet.write(3 + i, 4, 20 + i)
    sheet.write_merge(3, 4, 5, 5, "停产")
    sheet.write_merge(3, 4, 6, 6, "停产50%，以生产线计")
    book.save(str(tmp_path / "a.xls"))
    lines = emergency.read(tmp_path / "a.xls").lines
    assert lines["line_name"].tolist() == ["1#窑", "2#窑"]
    assert set(lines["enterprise"]) == {"甲厂"}
    assert set(lines["city"]) == {"baoji"}
    assert lines["base_SO2"].tolist() == [10, 10]
    # the measure is merged over both kilns: it holds for both
    assert lines["red_text"].tolist() == ["停产", "停产"]
    assert lines["orange_text"].tolist() == ["停产50%，以生产线计"] * 2


def test_a_merged_base_counts_once(tmp_path):
    rows = [
        [*HEAD, "生产线"],
        ["甲厂", "西安", 12, "停产", "停产", "停产", "1#"],
        [None, None, None, "停产", "停产", "停产", "2#"],
    ]
    lines = emergency.read(_xlsx(tmp_path / "a.xlsx", rows, merged=["A2:A3", "C2:C3"])).lines
    assert lines["base_SO2"].sum() == 12


def test_one_row_a_level_counts_the_base_once(tmp_path):
    head = ["企业名称", "市", "生产线名称", "SO2日排放量(kg/d)", "预警级别", "减排措施", "SO2减排量(kg/d)"]
    rows = [
        head,
        ["甲厂", "西安", "1#", 10, "红色", "停产", 10],
        ["甲厂", "西安", "1#", 10, "橙色预警", "限产50%", "5"],
        ["甲厂", "西安", "1#", 10, "Ⅲ级", "限产20%", None],
        ["甲厂", "西安", "2#", 4, "黄色及以上", "停产", None],
    ]
    list_ = emergency.read(_xlsx(tmp_path / "a.xlsx", rows))
    assert list_.lines["base_SO2"].tolist() == [10, 4]
    assert emergency.cuts(list_, "red")["SO2"].tolist() == [10, 4]
    assert emergency.cuts(list_, "orange")["SO2"].tolist() == [5, 4]
    assert emergency.cuts(list_, "yellow")["SO2"].tolist() == [2, 4]
    assert list_.cell("工业源!2", "orange_cut_SO2") == "工业源!G3"
    rows[2][3] = 11
    with pytest.raises(InputError, match=r"工业源!D3.*base differs"):
        emergency.read(_xlsx(tmp_path / "a.xlsx", rows))
    rows[2][3:5] = [10, "紫色"]
    with pytest.raises(InputError, match=r"工业源!E3.*must name a level"):
        emergency.read(_xlsx(tmp_path / "a.xlsx", rows))


@pytest.mark.parametrize(
    ("head", "cell", "numbers"),
    [
        ("日排放量SO2/NOx/PM/VOCs(kg/d)", "1000/4000/1500/0", [1000, 4000, 1500, 0]),
        ("日排放量(kg/d)", "SO2 12.3；NOx 4", [12.3, 4, np.nan, np.nan]),
        ("日排放量(kg/d)", "SO2：12.3、氮氧化物：4、颗粒物:0.5、VOCs:7", [12.3, 4, 0.5, 7]),
        ("日排放量(吨/天)", "ＳＯ2=0.01；VOCs=0.02", [10, np.nan, np.nan, 20]),
    ],
)
def test_numbers_packed_in_one_cell(tmp_path, head, cell, numbers):
    rows = [["企业名称", "市", head, "红色预警措施"], ["甲厂", "西安", cell, "停产"]]
    lines = emergency.read(_xlsx(tmp_path / "a.xlsx", rows)).lines
    np.testing.assert_allclose(lines[[f"base_{p}" for p in emergency.POLLUTANTS]].iloc[0].to_numpy(float), numbers)


@pytest.mark.parametrize("cell", ["1000/4000", "SO2 1；SO2 2", "约10"])
def test_packed_numbers_that_cannot_be_told_are_named(tmp_path, cell):
    rows = [["企业名称", "市", "日排放量SO2/NOx/PM/VOCs(kg/d)", "红色预警措施"], ["甲厂", "西安", cell, "停产"]]
    with pytest.raises(InputError, match=r"工业源!C2.*one number a pollutant"):
        emergency.read(_xlsx(tmp_path / "a.xlsx", rows))


def test_per_cents_in_all_their_spellings(tmp_path):
    rows = [["企业名称", "市", "SO2日排放量(kg/d)", "红色预警限产比例", "橙色限产比例(%)", "橙色预警措施"]]
    cells = [(0.3, "30%"), ("30%", 30), ("０.５", "20"), (1, "100%")]
    rows += [[f"厂{i}", "西安", 10, a, b, ""] for i, (a, b) in enumerate(cells)]
    list_ = emergency.read(_xlsx(tmp_path / "a.xlsx", rows))
    np.testing.assert_allclose(list_.lines["red_share"], [0.3, 0.3, 0.5, 1.0])
    np.testing.assert_allclose(list_.lines["orange_share"], [0.3, 0.3, 0.2, 1.0])
    np.testing.assert_allclose(emergency.cuts(list_, "red")["SO2"], [3, 3, 5, 10])
    # a bare 1 beside a bare 30: one per cent or all of it?
    rows[1][3] = 30
    with pytest.raises(InputError, match=r"工业源!D5.*one way in a column"):
        emergency.read(_xlsx(tmp_path / "a.xlsx", rows))


@pytest.mark.parametrize(
    ("cell", "grade", "kind", "local"),
    [
        ("民生豁免-B", "B", "livelihood", False),
        ("地方C", "C", "", True),
        ("长期停产", "", "idle", False),
        ("Ａ级", "A", "", False),
        ("非引领性", "非引领性", "", False),
        ("A+", "A+", "", False),
        ("保障类", "", "livelihood", False),
    ],
)
def test_grade_cells(cell, grade, kind, local):
    assert wording.kind_and_grade("", cell) == (kind, grade, local)


@pytest.mark.parametrize(
    ("city", "county", "expected"),
    [
        ("西安市", "", ("xian", "xian")),
        ("西安市（含西咸新区）", "", ("xian", "xian")),
        ("西咸新区", "", ("xian", "xixian")),
        ("西安市", "西咸新区沣东新城", ("xian", "xixian")),
        ("咸阳市", "秦汉新城", ("xian", "xixian")),
        ("咸阳市", "杨陵区", ("yangling", "yangling")),
        ("杨凌示范区", "", ("yangling", "yangling")),
        ("渭南市", "韩城市", ("hancheng", "hancheng")),
        ("", "泾阳县", ("xianyang", "xianyang")),
        ("北京市", "", ("", "")),
    ],
)
def test_cities_and_units_under_two_names(city, county, expected):
    assert wording.city_of(city, county) == expected


def test_coordinates_in_degrees_minutes_seconds(tmp_path):
    rows = [["企业名称", "市", "经度", "纬度", "红色预警措施"], ["甲厂", "西安", "108°56′24″", "约34", "停产"]]
    with pytest.raises(InputError, match=r"工业源!D2"):
        emergency.read(_xlsx(tmp_path / "a.xlsx", rows))
    rows[1][3] = "北纬34度15分36秒"
    lines = emergency.read(_xlsx(tmp_path / "a.xlsx", rows)).lines
    np.testing.assert_allclose(lines[["longitude", "latitude"]].iloc[0].to_numpy(float), [108.94, 34.26])


def test_codes_stay_text(tmp_path):
    rows = [["企业名称", "市", "统一社会信用代码", "红色预警措施", "生产线"]]
    rows += [["甲厂", "西安", "'91 3501 00M0 0010 0Y43 ", "停产", "1#"]]
    rows += [["甲厂", "西安", "９１３５０１００ｍ０００１００ｙ４３", "停产", "2#"]]
    lines = emergency.read(_xlsx(tmp_path / "a.xlsx", rows)).lines
    assert set(lines["credit_code"]) == {"91350100M000100Y43"}
    path = tmp_path / "a.csv"
    path.write_text("企业名称,市,统一社会信用代码,红色预警措施\n甲厂,西安,9.1610E+17,停产\n", encoding="gb18030")
    with pytest.raises(InputError, match=r"a.csv:2.*9.1610E\+17.*digits are lost"):
        emergency.read(path)


def test_what_was_recognised_and_ignored(tmp_path):
    rows = [["序号", *HEAD, "联系人", "SO2排放量(kg/d)"], [1, "甲厂", "西安", 10, "停产", "停产", "", "张三", 9]]
    list_ = emergency.read(_xlsx(tmp_path / "a.xlsx", rows))
    said = list_.recognised.set_index("header")["column"].to_dict()
    assert said["联系人"] == ""
    assert said["企业名称"] == "enterprise"
    assert said["SO2排放量(kg/d)"] == ""
    assert list_.lines["base_SO2"].tolist() == [10]
    assert any("second column" in n.allowed and n.where == "工业源!I1" for n in list_.notes)


def test_a_header_that_comes_again_is_no_line(tmp_path):
    rows = [HEAD, ["甲厂", "西安", 10, "停产", "", ""], HEAD, ["乙厂", "西安", 5, "停产", "", ""], ["合计", None, 15]]
    assert emergency.read(_xlsx(tmp_path / "a.xlsx", rows)).lines["enterprise"].tolist() == ["甲厂", "乙厂"]


# --------------------------------------------------------------------------------------------------------
# mapping files

MAPPING = """# 某市清单
unit: kg/d
header: 2
columns:
  enterprise: 厂子
  city: 地方
  base_SO2: {header: 硫, unit: 吨/天}
  red_text: {column: D}
  orange_text: ""
sheets:
  旧表: skip
  一览: {category: dust}
"""


def _mapped(path):
    rows = [["某某清单"], ["厂子", "地方", "硫", "一级干啥", "二级预警措施"], ["甲", "宝鸡", 0.5, "停产", "停产"]]
    book = openpyxl.Workbook()
    book.active.title = "一览"
    for row in rows:
        book.active.append(row)
    old = book.create_sheet("旧表")
    for row in rows:
        old.append(row)
    book.save(path)
    return path


def test_a_mapping_file_overrides_the_recognition(tmp_path):
    (tmp_path / "m.yaml").write_text(MAPPING, encoding="utf-8")
    list_ = emergency.read(_mapped(tmp_path / "a.xlsx"), tmp_path / "m.yaml")
    line = list_.lines.iloc[0]
    assert len(list_.lines) == 1
    assert (line["enterprise"], line["city"], line["category"]) == ("甲", "baoji", "dust")
    assert line["base_SO2"] == 500
    assert (line["red_text"], line["orange_text"]) == ("停产", "")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("enterprise: 厂子", "enterprize: 厂子", r"m.yaml:5.*nearest is enterprise"),
        ("unit: kg/d", "unit: 斤", r"m.yaml:2.*kg/d, t/d or t/a"),
        ("header: 2", "header: 二", r"m.yaml:3.*row or rows"),
        ("unit: kg/d", "units: kg/d", r"m.yaml:2.*unknown key"),
        ("city: 地方", "city: 哪里", r"一览!2.*'city'.*哪里.*no column has this header"),
        ("  旧表: skip", "  新表: skip", r"新表.*file lacks"),
        ("category: dust", "category: 火", r"m.yaml:12.*industrial, mobile"),
    ],
)
def test_a_wrong_mapping_is_named_with_its_line(tmp_path, old, new, message):
    (tmp_path / "m.yaml").write_text(MAPPING.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        emergency.read(_mapped(tmp_path / "a.xlsx"), tmp_path / "m.yaml")


def test_sheets_carry_their_merged_ranges(tmp_path):
    path = _xlsx(tmp_path / "a.xlsx", [["a", 1], [None, 2]], merged=["A1:A2"])
    (sheet,) = read_cells(path)
    assert sheet.merged == ((0, 0, 1, 0),)
    assert not sheet.hidden
