"""Checks of a reduction list: each kind planted once and found at its cell; cleaned copies; coordinates."""

from __future__ import annotations

import importlib.util
import re
import sys

import numpy as np
import openpyxl
import pytest

from airsim import emergency, geography, inventory, shipped
from airsim.emergency import codes, gcj02
from airsim.errors import InputError

HEAD = [
    "企业名称",
    "市",
    "县(市、区)",
    "统一社会信用代码",
    "行业类型",
    "企业类型",
    "绩效等级",
    "生产线名称",
    "数量",
    "经度",
    "纬度",
    "SO2日排放量(kg/d)",
    "NOx日排放量(kg/d)",
    "红色预警措施",
    "红色停产生产线数量",
    "红色减排量SO2(kg/d)",
    "橙色预警措施",
    "橙色停产生产线数量",
    "橙色减排量SO2(kg/d)",
    "黄色预警措施",
    "黄色停产生产线数量",
    "黄色减排量SO2(kg/d)",
]
AT = {h: openpyxl.utils.get_column_letter(j + 1) for j, h in enumerate(HEAD)}
GOOD = {
    "企业名称": "甲厂",
    "市": "咸阳",
    "县(市、区)": "泾阳县",
    "统一社会信用代码": "91350100M000100Y43",
    "绩效等级": "D",
    "生产线名称": "1#",
    "数量": 2,
    "经度": 108.84,
    "纬度": 34.53,
    "SO2日排放量(kg/d)": 10,
    "NOx日排放量(kg/d)": 20,
    "红色预警措施": "停产",
    "橙色预警措施": "停产",
    "黄色预警措施": "停产",
}


@pytest.fixture(scope="module")
def place():
    return geography.load(geography.make_grid())


@pytest.fixture(scope="module")
def base(place):
    names = ("enterprises", "area_sources")
    return inventory.read(*(shipped.path(f"data/emissions/{n}.csv") for n in names), None, place)


def _list(path, *rows):
    book = openpyxl.Workbook()
    book.active.title = "工业源"
    book.active.append(HEAD)
    for row in rows:
        book.active.append([(GOOD | row).get(h) for h in HEAD])
    book.save(path)
    return emergency.examine(path)


def _found(findings):
    return sorted((f.check, f.problem.where) for f in findings)


def test_a_good_list_has_no_findings(tmp_path, place, base):
    list_ = _list(tmp_path / "a.xlsx", {}, {"生产线名称": "2#"})
    assert _found(emergency.check(list_, base, place, plan="2024")) == []


@pytest.mark.parametrize(
    ("row", "check", "column"),
    [
        ({"SO2日排放量(kg/d)": "约10"}, "unreadable", "SO2日排放量(kg/d)"),
        ({"统一社会信用代码": 913501000001000043}, "unreadable", "统一社会信用代码"),
        ({"统一社会信用代码": "91350100M000100Y4Z"}, "code_digits", "统一社会信用代码"),
        ({"统一社会信用代码": "91350100M000100Y44"}, "code_digits", "统一社会信用代码"),
        ({"统一社会信用代码": "91350100M000100Y4"}, "code_digits", "统一社会信用代码"),
        ({"统一社会信用代码": ""}, "code_missing", "统一社会信用代码"),
        ({"红色减排量SO2(kg/d)": 12}, "cut_above_base", "红色减排量SO2(kg/d)"),
        ({"红色停产生产线数量": 3}, "stopped_above_lines", "红色停产生产线数量"),
        ({"橙色减排量SO2(kg/d)": 5}, "weaker_at_higher", "橙色减排量SO2(kg/d)"),
        ({"绩效等级": "C", "红色预警措施": "限产50%"}, "weaker_at_higher", "红色预警措施"),
        (
            {"绩效等级": "民生豁免-B", "橙色预警措施": "以热定产", "黄色预警措施": "以热定产"},
            "livelihood_stopped",
            "红色预警措施",
        ),
        (
            {
                "企业类型": "保障类",
                "红色预警措施": "以热定产",
                "橙色预警措施": "以热定产",
                "黄色预警措施": "无",
                "红色减排量SO2(kg/d)": 1,
            },
            "livelihood_stopped",
            "红色减排量SO2(kg/d)",
        ),
        ({"绩效等级": "长期停产", "红色减排量SO2(kg/d)": 1}, "idle_counted", "红色减排量SO2(kg/d)"),
        ({"企业类型": "错峰停产", "红色减排量SO2(kg/d)": 1}, "idle_counted", "红色减排量SO2(kg/d)"),
        ({"红色预警措施": "视情况压减"}, "not_understood", "红色预警措施"),
        ({"红色预警措施": "按一厂一策执行"}, "not_quantified", "红色预警措施"),
        ({"红色预警措施": "高炉停产50%，以高炉计"}, "not_quantified", "红色预警措施"),
        ({"SO2日排放量(kg/d)": None, "NOx日排放量(kg/d)": None}, "no_base", "SO2日排放量(kg/d)"),
        ({"绩效等级": "E"}, "grade_unknown", "绩效等级"),
        ({"绩效等级": "D", "黄色预警措施": "限产30%"}, "grade_measure", "黄色预警措施"),
        ({"绩效等级": "C", "黄色预警措施": "无", "橙色预警措施": "限产50%"}, "grade_measure", "黄色预警措施"),
        ({"经度": None}, "coordinates_missing", "经度"),
        ({"经度": 34.53, "纬度": 108.84}, "coordinates_swapped", "经度"),
        ({"经度": 109.84}, "outside_county", "经度"),
        ({"SO2日排放量(kg/d)": 1e6}, "above_city", None),
    ],
)
def test_each_check_finds_its_cell(tmp_path, place, base, row, check, column):
    list_ = _list(tmp_path / "a.xlsx", {"企业名称": "好厂", "统一社会信用代码": "91512081MA62K0260E"}, row)
    found = _found(emergency.check(list_, base, place, plan="2024"))
    assert found == [(check, f"工业源!{AT[column]}3" if column else "工业源")]


def test_no_measure_at_all(tmp_path, place, base):
    list_ = _list(tmp_path / "a.xlsx", {"绩效等级": "", **{f"{c}色预警措施": None for c in "红橙黄"}})
    assert _found(emergency.check(list_, base, place)) == [("no_measure", f"工业源!{AT['红色预警措施']}2")]


def test_a_line_and_a_code_that_stand_twice(tmp_path):
    list_ = _list(tmp_path / "a.xlsx", {}, {}, {"企业名称": "乙厂", "生产线名称": "3#"})
    assert _found(emergency.check(list_, plan="2024")) == [
        ("code_shared", "工业源!D4"),
        ("duplicate_line", "工业源!A3"),
    ]


@pytest.mark.parametrize(
    ("total", "found"), [(30, []), (29.99, []), (31, [("sum_of_lines", f"工业源!{AT['SO2日排放量(kg/d)']}4")])]
)
@pytest.mark.parametrize("scope", ["企业名称", "生产线名称"])
def test_sums_of_lines(tmp_path, total, found, scope):
    rows = [{"SO2日排放量(kg/d)": 10}, {"生产线名称": "2#", "SO2日排放量(kg/d)": 20}]
    blank = dict.fromkeys(GOOD)
    whole = {**blank, "SO2日排放量(kg/d)": total}
    # a total of the enterprise in its own rows, or one of the sheet at its foot
    whole |= {"企业名称": "合计"} if scope == "企业名称" else {"企业名称": "甲厂", "生产线名称": "小计"}
    list_ = _list(tmp_path / "a.xlsx", *rows, whole)
    assert len(list_.lines) == 2
    assert _found(emergency.check(list_, plan="2024")) == found


def test_lines_in_a_row_each_are_rounded_together(tmp_path):
    rows = [
        {
            "生产线名称": f"{i}#窑",
            "数量": 1,
            "绩效等级": "",
            "橙色预警措施": "停产50%（含）以上，以生产线计",
            "黄色预警措施": "无",
        }
        for i in (1, 2, 3)
    ]
    list_ = _list(
        tmp_path / "a.xlsx",
        *rows,
        {"生产线名称": "锅炉", "数量": 1, "绩效等级": "", "橙色预警措施": "停产50%，以生产线计", "黄色预警措施": "无"},
    )
    np.testing.assert_allclose(emergency.cuts(list_, "orange")["SO2"], [20 / 3] * 3 + [10])
    assert _found(emergency.check(list_, plan="2024")) == [("which_lines", f"工业源!{AT['橙色预警措施']}2")]


@pytest.mark.parametrize(
    ("grades", "found"),
    [
        ("2019", [("grade_unknown", "工业源!G3")]),  # no D in 2019
        ("2020", []),
        ("2026", [("grade_measure", f"工业源!{AT['黄色预警措施']}2"), ("grade_several", "工业源!G2")]),
    ],
)
def test_grades_go_by_dated_rules(tmp_path, grades, found):
    # a B line that does nothing at yellow, a D line that stops: by the shortest plank the enterprise is D
    b = {"绩效等级": "B", "黄色预警措施": "无", "橙色预警措施": "限产20%", "红色预警措施": "限产20%"}
    list_ = _list(tmp_path / "a.xlsx", b, {"生产线名称": "2#"})
    assert _found(emergency.check(list_, plan="2024", grades=grades)) == found


def test_flat_glass_has_shares_of_its_own(tmp_path):
    row = {"绩效等级": "B", "黄色预警措施": "无", "橙色预警措施": "限产10%", "红色预警措施": "限产10%"}
    plain = _list(tmp_path / "a.xlsx", {**row, "行业类型": "陶瓷"})
    assert [f.check for f in emergency.check(plain, plan="2024")] == ["grade_measure"]
    glass = _list(tmp_path / "a.xlsx", {**row, "行业类型": "平板玻璃"})
    assert emergency.check(glass, plan="2024") == ()


def test_the_findings_say_that_grade_rules_are_from_memory(tmp_path):
    list_ = _list(tmp_path / "a.xlsx", {"绩效等级": "D", "黄色预警措施": "无"})
    (finding,) = emergency.check(list_, plan="2024")
    assert "memory" in finding.problem.allowed
    assert "未经核对" in finding.problem.allowed_zh


def test_local_grades_are_not_held_against_national_rules(tmp_path):
    list_ = _list(tmp_path / "a.xlsx", {"绩效等级": "地方C", "黄色预警措施": "无"})
    assert emergency.check(list_, plan="2024") == ()


# --------------------------------------------------------------------------------------------------------
# identifiers


@pytest.mark.parametrize(
    ("first", "digit"),
    [
        ("91350100M000100Y4", "3"),  # worked example of GB 32100-2015, annex
        (
            "91512081MA62K0260",
            "E",
        ),  # a registered company; the products add up to 1505, 1505 mod 31 = 17, 31 - 17 = 14 is E
    ],
)
def test_check_digit_of_credit_codes(first, digit):
    assert codes.credit_code_digit(first) == digit
    assert codes.code_fault(first + digit) is None
    # one wrong character, or two exchanged, is always seen
    for other in set(codes._CHARACTERS) - {digit}:
        assert codes.code_fault(first + other) is not None


def test_organisation_codes():
    # worked example of GB 11714-1997: D2143569-X
    assert codes.organisation_code_digit("D2143569") == "X"
    assert codes.code_fault("D2143569-X") is None
    assert codes.code_fault("D2143569-1") is not None


# --------------------------------------------------------------------------------------------------------
# GCJ-02


def test_gcj02_agrees_with_the_published_implementation():
    # coordtransform (wandergis), test/app.js
    np.testing.assert_allclose(gcj02.from_wgs84(116.404, 39.915), (116.41024449916938, 39.91640428150164), rtol=1e-13)


def test_gcj02_and_back():
    lon, lat = np.meshgrid(np.linspace(105, 113, 9), np.linspace(33, 37, 5))
    back = gcj02.to_wgs84(*gcj02.from_wgs84(lon, lat))
    np.testing.assert_allclose(back, (lon, lat), rtol=0, atol=1e-9)


def _of_inventory(tmp_path, base, shift, n=12):
    points = base.sources[(base.sources["kind"] == "point") & base.sources["city"].isin(["weinan", "xianyang", "xian"])]
    points = points.drop_duplicates("name").head(n)
    lon, lat = points["longitude"].to_numpy(), points["latitude"].to_numpy()
    moved = gcj02.from_wgs84(lon, lat)
    rows = [
        {
            "企业名称": r.name,
            "市": r.city,
            "县(市、区)": None,
            "统一社会信用代码": None,
            "绩效等级": None,
            "经度": float(moved[0][k] if k in shift else lon[k]),
            "纬度": float(moved[1][k] if k in shift else lat[k]),
        }
        for k, r in enumerate(points[["name", "city"]].itertuples(index=False))
    ]
    return _list(tmp_path / "a.xlsx", *rows)


def _shifts(findings):
    return [f.problem for f in findings if f.check == "gcj02"]


def test_a_list_from_a_web_map_is_one_finding(tmp_path, place, base):
    (found,) = _shifts(emergency.check(_of_inventory(tmp_path, base, range(12)), base, place))
    assert "whole list" in found.allowed


def test_single_shifted_lines_are_named(tmp_path, place, base):
    found = _shifts(emergency.check(_of_inventory(tmp_path, base, {2}), base, place))
    assert [p.where for p in found] == [f"工业源!{AT['经度']}4"]


def test_a_list_in_place_is_not_shifted(tmp_path, place, base):
    assert _shifts(emergency.check(_of_inventory(tmp_path, base, ()), base, place)) == []


def _border(tmp_path, place, shift):
    """Lines just inside the eastern border of their county, which the shift eastward takes them over."""
    import shapely

    rows = []
    counties = place.counties[place.counties["city"].isin(["weinan", "xianyang"])]
    for k, county in enumerate(counties.itertuples()):
        west, south, east, north = county.geometry.bounds
        for part in (0.35, 0.5, 0.65):
            y = south + part * (north - south)
            line = shapely.intersection(county.geometry, shapely.LineString([(west, y), (east, y)]))
            x = shapely.bounds(line)[2] - 0.003
            at = gcj02.from_wgs84(x, y) if shift else (x, y)
            rows.append(
                {
                    "企业名称": f"厂{k}-{part}",
                    "市": county.city,
                    "县(市、区)": county.name_zh,
                    "绩效等级": None,
                    "统一社会信用代码": None,
                    "经度": float(at[0]),
                    "纬度": float(at[1]),
                }
            )
    return _list(tmp_path / "a.xlsx", *rows)


@pytest.mark.parametrize("shift", [True, False])
def test_borders_tell_a_shift_without_known_places(tmp_path, place, shift):
    found = _shifts(emergency.check(_border(tmp_path, place, shift), None, place))
    assert len(found) == shift


# --------------------------------------------------------------------------------------------------------
# cleaned copies


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("make_synthetic_list", shipped.path("data/make_synthetic_list.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "layout"), [("a.xlsx", "official"), ("a.xlsx", "levels"), ("a.csv", "table")])
def test_planted_flaws_are_found_and_the_copy_counts_alike(generator, tmp_path, place, base, name, layout):
    planted = generator.write(tmp_path / name, generator.lines(1500, seed=4, flaws=True), layout)
    list_ = emergency.examine(tmp_path / name)
    findings = emergency.check(list_, base, place)
    assert len(planted) == 6
    for check, places in planted.items():
        rows = {re.sub(r"![A-Z]+", "!", f.problem.where) for f in findings if f.check == check}
        assert set(places) <= rows, check
    log = emergency.fix(list_, findings, tmp_path / "clean.xlsx", inventory=base, geography=place)
    clean = emergency.read(tmp_path / "clean.xlsx")
    for level in emergency.LEVELS:
        for p in emergency.POLLUTANTS:
            np.testing.assert_allclose(emergency.cuts(clean, level)[p].sum(), emergency.cuts(list_, level)[p].sum())
    left = {f.check for f in emergency.check(clean, base, place)}
    assert not left & {"cut_above_base", "idle_counted", "duplicate_line"}
    assert left >= {"code_digits", "not_understood"}  # nobody but the bureau can know
    assert (log["reason"] != "").all()


def test_the_copy_mends_what_can_be_mended(tmp_path, place, base):
    list_ = _list(
        tmp_path / "a.xlsx",
        {},
        {},
        {"生产线名称": "2#", "红色减排量SO2(kg/d)": 12, "经度": 34.53, "纬度": 108.84},
        {"生产线名称": "3#", "红色停产生产线数量": 5},
    )
    before = (tmp_path / "a.xlsx").read_bytes()
    log = emergency.fix(
        list_, emergency.check(list_, base, place), tmp_path / "b.xlsx", inventory=base, geography=place
    )
    assert (tmp_path / "a.xlsx").read_bytes() == before
    clean = emergency.read(tmp_path / "b.xlsx").lines
    assert clean["line_name"].tolist() == ["1#", "2#", "3#"]
    assert clean["red_cut_SO2"].iloc[1] == 10
    assert clean["red_stopped"].iloc[2] == 2
    assert clean["longitude"].tolist() == [108.84] * 3
    said = log.set_index("cell")["reason"].to_dict()
    assert set(said) == {
        "工业源!A3",
        f"工业源!{AT['红色减排量SO2(kg/d)']}4",
        "工业源!J4",
        f"工业源!{AT['红色停产生产线数量']}5",
    }
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx")["更改记录"]
    assert sheet.max_row == 5


def test_a_shifted_list_is_converted(tmp_path, place, base):
    list_ = _of_inventory(tmp_path, base, range(12))
    emergency.fix(list_, emergency.check(list_, base, place), tmp_path / "b.xlsx", inventory=base, geography=place)
    clean = emergency.read(tmp_path / "b.xlsx")
    plain = _of_inventory(tmp_path, base, ())
    np.testing.assert_allclose(clean.lines["longitude"], plain.lines["longitude"], atol=2e-6)
    np.testing.assert_allclose(clean.lines["latitude"], plain.lines["latitude"], atol=2e-6)


@pytest.mark.parametrize("name", ["a.xlsx", "b.csv"])
def test_the_input_is_never_written_over(tmp_path, name):
    list_ = _list(tmp_path / "a.xlsx", {})
    with pytest.raises(InputError, match="another file"):
        emergency.fix(list_, (), tmp_path / name)
