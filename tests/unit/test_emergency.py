"""Reduction lists: reading the mess, understanding measures, counting shares by hand, calling alert levels."""

from __future__ import annotations

import csv
import datetime as dt

import numpy as np
import openpyxl
import pandas as pd
import pytest

from airsim import emergency, geography, inventory, rules, shipped
from airsim.emergency import measure_text
from airsim.emergency.measure import emergency as carry_out_list
from airsim.errors import InputError
from airsim.inventory import POLLUTANTS, Inventory
from airsim.inventory.reading import no_scaling

LEVEL_HEADS = [("红色预警", "red"), ("橙色预警", "orange"), ("黄色预警", "yellow")]


# --------------------------------------------------------------------------------------------------------
# measure texts


@pytest.mark.parametrize(
    ("text", "share", "lines", "by_line"),
    [
        ("停产", 1.0, None, False),
        ("全厂停产。", 1.0, None, False),
        ("停产５０％（含）以上，以生产线计", 0.5, None, True),
        ("停产50%(含)以上,以高炉计", 0.5, None, True),
        ("停产30%", 0.3, None, False),
        ("限产30%", 0.3, None, False),
        ("限产至80%", 0.2, None, False),
        ("降低生产负荷40%", 0.4, None, False),
        ("投料量由960吨降低到768吨及以下", 0.2, None, False),
        ("停两条生产线", 0.0, 2, False),
        ("停产2条生产线；禁止国四及以下重型载货车辆公路运输", 0.0, 2, False),
        ("停产高炉1座", 0.0, 1, False),
        ("自主减排", 0.0, None, False),
        ("", 0.0, None, False),
        ("禁止公路运输", 0.0, None, False),
    ],
)
def test_understood(text, share, lines, by_line):
    found = measure_text.parse(text)
    assert found.understood
    assert found.share == pytest.approx(share)
    assert (found.lines, found.by_line) == (lines, by_line)


@pytest.mark.parametrize(
    "text",
    [
        "延长出焦时间12小时",  # by or to?
        "B级停产50%；C级停产",  # two grades in one cell
        "限产120%",
        "投料量由768吨降低到960吨",
        "风门开度20%",
        "排放浓度执行限值的70%",
        "国四以下车辆禁行",
        "停产30%，限产50%",  # two measures: which holds?
    ],
)
def test_not_understood_is_never_guessed(text):
    assert not measure_text.parse(text).understood


# --------------------------------------------------------------------------------------------------------
# a messy list


def _messy(path, *, rows=None, sheet="咸阳市工业源", unit="单位：kg/d", extra=()):
    """Write a list with titles, a merged header of three rows, text numbers, merged enterprises and totals."""
    book = openpyxl.Workbook()
    notes = book.active
    notes.title = "填表说明"
    notes["A1"] = "本清单为示例"
    ws = book.create_sheet(sheet)
    ws.append(["2018年重污染天气应急减排清单"])
    ws.append([unit])
    ws.append([])
    fixed = ["序号", "县（市、区）", "企业名称", "统一社会信用代码", "绩效等级", "生产线或工序名称", "数量"]
    top = [*fixed, "日排放量", None, None, None]
    for name, _ in LEVEL_HEADS:
        top += [name, None, None, None, None, None]
    middle = [None] * len(fixed) + ["ＳＯ₂", "NOₓ", "颗粒物", "VOCs"]
    bottom = [None] * len(fixed) + [None] * 4
    for _ in LEVEL_HEADS:
        middle += ["减排措施", "停产生产线数量", "减排量", None, None, None]
        bottom += [None, None, "SO2", "NOx", "颗粒物", "VOCs"]
    ws.append(top)
    ws.append(middle)
    ws.append(bottom)
    for j in range(1, len(fixed) + 1):
        ws.merge_cells(start_row=4, end_row=6, start_column=j, end_column=j)
    ws.merge_cells(start_row=4, end_row=4, start_column=8, end_column=11)
    ws.append([])
    default = [
        [1, "泾阳县", "甲水泥（集团）有限公司", "91610400MA6TG12345", "C", "1#窑", "３",
         "１，２３４.5", "100", 50, "—",
         "停产", 3, 1234.5, 100, 50, None, "停产50%（含）以上，以生产线计", None, None, None, None, None,
         "自主减排", None, 0, 0, 0, 0],
        [None, None, None, None, None, "2#窑", 1, 30, 20, 10, 5,
         "限产30%", None, None, None, None, None, "限产20%", None, None, None, None, None, "", None, None, None,
         None, None],
        [],
        [2, "兴平市", "乙热电有限公司", None, "民生豁免-B", "机组", 2, 500, 900, 80, 10,
         "以热定产", None, 50, 90, 8, 1, "以热定产", None, 0, 0, 0, 0, "以热定产", None, 0, 0, 0, 0],
        [3, "兴平市", "丙化工厂", None, "长期停产", "锅炉", 1, 0, 0, 0, 0, "停产", None, None, None, None, None,
         "停产", None, None, None, None, None, "停产", None, None, None, None, None],
        ["合 计", None, None, None, None, None, None, 1764.5, 1020, 140, 15],
        *extra,
    ]  # fmt: skip
    for row in default if rows is None else rows:
        ws.append(row)
    book.create_sheet("汇总").append(["市", "减排比例"])
    old = book.create_sheet("旧表")
    old.append(["企业名称", "红色预警措施", "橙色预警措施"])
    old.append(["甲水泥（集团）有限公司", "停产", "停产"])
    old.sheet_state = "hidden"
    book.save(path)
    return path


def test_a_messy_workbook_is_read(tmp_path):
    read = emergency.read(_messy(tmp_path / "咸阳清单.xlsx"))
    lines = read.lines
    assert list(lines["enterprise"]) == ["甲水泥(集团)有限公司"] * 2 + ["乙热电有限公司", "丙化工厂"]
    assert list(lines["line_name"]) == ["1#窑", "2#窑", "机组", "锅炉"]
    assert set(lines["city"]) == {"xianyang"}  # from the counties
    assert list(lines["credit_code"]) == ["91610400MA6TG12345"] * 2 + ["", ""]
    assert list(lines["grade"]) == ["C", "C", "B", ""]
    assert list(lines["kind"]) == ["", "", "livelihood", "idle"]
    assert lines["base_SO2"].tolist() == [1234.5, 30.0, 500.0, 0.0]
    assert np.isnan(lines["base_VOC"].iloc[0])
    assert lines["lines"].tolist() == [3, 1, 2, 1]
    assert lines["red_cut_SO2"].iloc[0] == 1234.5
    assert lines["orange_text"].iloc[0] == "停产50%（含）以上，以生产线计"
    assert lines.index[0] == "咸阳市工业源!8"
    assert read.cell("咸阳市工业源!8", "base_SO2") == "咸阳市工业源!H8"
    assert read.illustrative
    said = "\n".join(n.text("zh") for n in read.notes)
    assert "隐藏工作表" in said
    assert "汇总" in said
    kept = [f.problem for f in emergency.check(read) if f.check == "livelihood_stopped"]
    assert [p.where for p in kept] == ["咸阳市工业源!N11"]  # the livelihood line's kilograms


def test_counting_by_line_rounds_up_and_exempts(tmp_path):
    read = emergency.read(_messy(tmp_path / "list.xlsx"))
    orange = emergency.cuts(read, "orange", plan="2019")
    np.testing.assert_allclose(orange["SO2"], [1234.5 * 2 / 3, 6.0, 0.0, 0.0])
    assert list(orange["how"]) == ["text", "text", "exempt", "exempt"]
    red = emergency.cuts(read, "red", plan="2019")
    np.testing.assert_allclose(red["SO2"], [1234.5, 9.0, 0.0, 0.0])
    assert list(red["how"]) == ["stated", "text", "exempt", "exempt"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
def test_a_csv_in_any_encoding(tmp_path, encoding):
    path = tmp_path / "list.csv"
    with path.open("w", encoding=encoding, newline="") as f:
        w = csv.writer(f)
        w.writerow(["企业名称", "市", "类别", "日排放量SO2(kg/d)", "橙色预警措施", "橙色预警减排量SO2(kg/d)"])
        w.writerow(["甲厂", "西安市", "工业源", "10", "停产", "10"])
        w.writerow(["某道路", "西咸新区", "扬尘源", "4", "洒水", "1"])
    read = emergency.read(path)
    assert list(read.lines["city"]) == ["xian", "xian"]
    assert list(read.lines["category"]) == ["industrial", "dust"]
    assert read.lines["orange_cut_SO2"].tolist() == [10, 1]
    assert list(read.lines.index) == ["2", "3"]
    assert not read.illustrative


def test_units_of_the_header(tmp_path):
    path = tmp_path / "list.csv"
    header = "企业名称,市,年生产天数,年排放量SO2(吨/年),NOx(吨/天),橙色预警措施\n"
    path.write_text(header + "甲厂,西安,200,10,0.5,停产\n乙厂,西安,,73,,停产\n", encoding="utf-8")
    read = emergency.read(path)
    np.testing.assert_allclose(read.lines["base_SO2"], [50.0, 200.0])
    assert read.lines["base_NOx"].iloc[0] == 500.0
    assert any("365" in n.allowed for n in read.notes)


def test_a_unit_that_is_not_stated_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"咸阳市工业源!H6.*state the unit"):
        emergency.read(_messy(tmp_path / "list.xlsx", unit=""))


def test_mapping_overrides_the_recognition(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("厂,城,响应内容\n甲厂,西安,停产\n", encoding="utf-8")
    with pytest.raises(InputError, match="no sheet of the file"):
        emergency.read(path)
    path.write_text("企业名称,城,响应内容\n甲厂,西安,停产\n", encoding="utf-8")
    read = emergency.read(path, {"city": "城", "orange_text": "响应内容"})
    assert read.lines[["city", "orange_text"]].iloc[0].tolist() == ["xian", "停产"]


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("Ⅰ级响应措施", "red_text"), ("II级响应措施", "orange_text"), ("三级响应措施", "yellow_text"),
        ("红色预警", "red_text"), ("橙色停产生产线数量", "orange_stopped"),
        ("黄色预警减排量ＮＯｘ(kg/d)", "yellow_cut_NOx"), ("Ⅱ级减排量挥发性有机物(kg/d)", "orange_cut_VOC"),
        ("red_cut_SO2(kg/d)", "red_cut_SO2"),
    ],
)  # fmt: skip
def test_headers_in_their_variants(tmp_path, header, column):
    path = tmp_path / "list.csv"
    path.write_text(f"单位名称,城市,{header}\n甲厂,西安,3\n", encoding="utf-8")
    assert str(emergency.read(path).lines[column].iloc[0]) in {"3", "3.0"}


def _row(**changes):
    row = {
        "序号": 1, "县": "泾阳县", "企业": "甲厂", "代码": None, "等级": "C", "线": "1#", "数量": 1,
        "SO2": 10, "NOx": 10, "PM": 10, "VOC": 10,
    }  # fmt: skip
    return list((row | changes).values()) + [None] * 18


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (_row(SO2="很多"), r"咸阳市工业源!H8.*base_SO2.*很多.*must be a number"),
        (_row(NOx=-3), r"咸阳市工业源!I8.*-3.*negative"),
        (_row(代码=916104000000000000), r"咸阳市工业源!D8.*digits are lost"),
    ],
)
def test_bad_cells_are_named(tmp_path, row, message):
    with pytest.raises(InputError, match=message):
        emergency.read(_messy(tmp_path / "list.xlsx", rows=[row]))


def test_unknown_city_is_named(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("企业名称,市,橙色预警措施\n甲厂,北京市,停产\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"list.csv:2.*北京市.*Xi'an"):
        emergency.read(path)


def test_a_line_that_stands_twice_names_both_cells(tmp_path):
    with pytest.raises(InputError, match=r"咸阳市工业源!C9.*the same line stands at 咸阳市工业源!C8"):
        emergency.read(_messy(tmp_path / "list.xlsx", rows=[_row(), _row()]))


def test_all_problems_come_at_once(tmp_path):
    with pytest.raises(InputError) as caught:
        emergency.read(_messy(tmp_path / "list.xlsx", rows=[_row(SO2="x"), _row(线="2#", NOx=-1, PM="y")]))
    assert len(caught.value.problems) == 3


def test_twenty_thousand_lines(tmp_path):
    path = tmp_path / "long.csv"
    rows = [f"企业{i},西安,{i % 7 + 1},{i % 90},停产50%（含）以上，以生产线计" for i in range(20_000)]
    path.write_text("企业名称,市,数量,SO2日排放量(kg/d),橙色预警措施\n" + "\n".join(rows), encoding="utf-8")
    read = emergency.read(path)
    cut = emergency.cuts(read, "orange")
    assert len(cut) == 20_000
    n = read.lines["lines"]
    np.testing.assert_allclose(cut["SO2"], read.lines["base_SO2"] * np.ceil(n / 2) / n)


# --------------------------------------------------------------------------------------------------------
# shares, counted by hand


def _inventory():
    """Xi'an with 2000 kg/d SO2, 5000 NOx, 2000 PM10 and 410 VOC, in round numbers."""

    def row(kind, name, sector, subsector, fuel, days, coal, **t):
        amounts = dict.fromkeys(POLLUTANTS, 0.0) | t
        return {
            "kind": kind, "name": name, "enterprise_id": name[:1] if kind == "point" else "", "credit_code": "",
            "city": "xian", "county": "", "sector": sector, "subsector": subsector, "fuel": fuel,
            "operating_days": days, "coal": coal, "basis": "", "quality": "estimated", "origin": "x:1", **amounts,
        }  # fmt: skip

    rows = {
        "p1": row("point", "甲钢铁厂", "steel", "sinter", "", 300, 60e3, SO2=300, NOx=600, PM10=90, VOC=30, CO=900),
        "p2": row("point", "乙热电厂", "power", "chp", "raw_coal", 200, 50e3, SO2=100, NOx=200, PM10=20, VOC=2),
        "r": row("area", "民用", "residential", "stove", "raw_coal", np.nan, 36.5e3, SO2=182.5, NOx=73, PM10=365,
                 VOC=36.5),
        "t": row("area", "货车", "transport", "diesel", "diesel", np.nan, 0, NOx=657, PM10=36.5, VOC=73),
        "d": row("area", "道路", "dust", "road", "", np.nan, 0, PM10=182.5),
    }  # fmt: skip
    sources = pd.DataFrame(rows.values(), index=pd.Index(rows, name="source"))
    coal = pd.DataFrame(columns=["year", "city", "sector", "fuel", "consumption", "heating_value"])
    return Inventory(sources, no_scaling(), coal)


LIST = """企业名称,市,类别,行业,子类,企业类型,数量,SO2日排放量(kg/d),NOx日排放量(kg/d),颗粒物日排放量(kg/d),\
VOCs日排放量(kg/d),橙色预警措施,橙色减排量SO2(kg/d),橙色减排量NOx(kg/d),橙色减排量颗粒物(kg/d),橙色减排量VOCs(kg/d)
甲钢铁厂,西安,工业源,钢铁,,重点行业,3,1000,2000,300,100,停产50%（含）以上，以生产线计,,,,
乙热电厂,西安,工业源,热电,,保障类,2,500,1000,100,10,停产,500,1000,100,10
货车,西安,移动源,道路移动源,diesel,,1,0,1800,100,200,禁行,0,540,30,60
道路,西安,扬尘源,扬尘源,road,,1,0,0,500,0,洒水,0,0,200,0
"""


def _list(tmp_path, text=LIST):
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    return emergency.read(path)


def test_shares_counted_by_hand(tmp_path):
    table = emergency.compliance(_list(tmp_path), _inventory(), "orange", plan="2019").set_index("pollutant")
    np.testing.assert_allclose(table["base_kg_d"], [2000, 5000, 2000, 410])
    np.testing.assert_allclose(table["cut_kg_d"], [2000 / 3, 4000 / 3 + 540, 430, 200 / 3 + 60])
    np.testing.assert_allclose(table["share"], table["cut_kg_d"] / table["base_kg_d"])
    np.testing.assert_allclose(table["industrial_kg_d"], [2000 / 3, 4000 / 3, 200, 200 / 3])
    np.testing.assert_allclose(table["mobile_kg_d"], [0, 540, 30, 60])
    np.testing.assert_allclose(table["dust_kg_d"], [0, 0, 200, 0])
    assert table["pass"].all()
    assert (table["missing_kg_d"] == 0).all()
    assert table.attrs["plan"] == "2019"
    assert not table.attrs["illustrative"]
    assert "operating days" in table["basis"].iloc[0]


def test_a_share_of_exactly_the_requirement_passes(tmp_path):
    # 0.1 of 2000 in three parts whose binary sum is not 200
    text = LIST.replace(",停产50%（含）以上，以生产线计,,,,", ",限产,66.7,0,66.7,0").replace(
        "洒水,0,0,200,0", "洒水,133.3,0,133.3,0"
    )
    text = text.replace("禁行,0,540,30,60", "禁行,0,1000,0,82").replace(
        "道路,西安,扬尘源,扬尘源,road,,1,0,0,500,0", "道路,西安,扬尘源,扬尘源,road,,1,200,0,500,0"
    )
    text = text.replace("橙", "黄")
    table = emergency.compliance(_list(tmp_path, text), _inventory(), "yellow", plan="2019").set_index("pollutant")
    assert table.loc["SO2", "share"] == pytest.approx(0.1)
    assert table.loc["SO2", "pass"]
    assert table.loc["PM", "pass"]


@pytest.mark.parametrize(
    ("so2", "nox", "passes", "missing"),
    [
        (100, 1750, True, (0, 0)),  # 5 % + 35 % = 40 %: SO2 lags, NOx makes up for it
        (100, 1700, False, (20, 0)),  # 39 %: one point of SO2 is missing
        (300, 500, False, (100, 500)),  # 15 % + 10 %: each lacks its own
        (700, 0, False, (0, 250)),  # 35 % + 0 %: five points of NOx
    ],
)
def test_so2_and_nox_may_trade(tmp_path, so2, nox, passes, missing):
    text = LIST.replace("停产50%（含）以上，以生产线计,,,,", f"限产,{so2},{nox},300,100")
    text = text.replace("禁行,0,540,", "禁行,0,0,")
    table = emergency.compliance(_list(tmp_path, text), _inventory(), "orange", plan="2019").set_index("pollutant")
    assert table.loc[["SO2", "NOx"], "pass"].tolist() == [passes, passes]
    np.testing.assert_allclose(table.loc[["SO2", "NOx"], "missing_kg_d"], missing, atol=1e-9)
    # what is called missing is enough
    made_up = (table["cut_kg_d"] + table["missing_kg_d"]) / table["base_kg_d"]
    assert made_up["SO2"] + made_up["NOx"] >= 0.4 - 1e-9


@pytest.mark.parametrize(
    ("road", "voc", "particles_pass", "voc_pass", "missing"),
    [
        # 20 % of 2000 kg/d particles are 400: 300 of the works, 30 of lorries, 70 of the road; of 410 VOC 82, 60 + 22
        (70.1, 22.1, True, True, (0.0, 0.0)),
        (69.9, 22.1, False, True, (0.1, 0.0)),
        (70.1, 21.9, True, False, (0.0, 0.1)),
    ],
)
def test_a_pollutant_alone_just_above_and_below_the_requirement(tmp_path, road, voc, particles_pass, voc_pass, missing):
    text = LIST.replace("停产50%（含）以上，以生产线计,,,,", f"限产,500,2000,300,{voc}")
    text = text.replace("洒水,0,0,200,0", f"洒水,0,0,{road},0")
    table = emergency.compliance(_list(tmp_path, text), _inventory(), "orange", plan="2019").set_index("pollutant")
    np.testing.assert_allclose(table["required"], 0.2)
    assert table.loc[["PM", "VOC"], "pass"].tolist() == [particles_pass, voc_pass]
    assert table.loc[["PM", "VOC"], "share_pass"].tolist() == [particles_pass, voc_pass]
    np.testing.assert_allclose(table.loc[["PM", "VOC"], "missing_kg_d"], missing, atol=1e-9)


STOPPED = """企业名称,市,类别,企业类型,数量,SO2日排放量(kg/d),橙色停产数量
甲厂,西安,工业源,,4,1000,3
乙厂,西安,工业源,,4,1000,2.2
丙厂,西安,工业源,,4,1000,9
丁厂,西安,工业源,保障类,4,1000,3
"""


def test_stopped_lines_by_number(tmp_path):
    cut = emergency.cuts(_list(tmp_path, STOPPED), "orange", plan="2019")
    # three of four; a part of a line stops whole, so three again; no more than all; livelihood lines run on
    np.testing.assert_allclose(cut["SO2"], [750, 750, 1000, 0])
    np.testing.assert_allclose(cut["stopped_share"], [0.75, 0.75, 1.0, 0.0])
    assert cut["how"].tolist() == ["lines", "lines", "lines", "exempt"]


def test_cut_never_exceeds_the_line(tmp_path):
    text = LIST.replace("停产50%（含）以上，以生产线计,,,,", "停产,9000,9000,9000,9000")
    read = _list(tmp_path, text)
    np.testing.assert_allclose(
        emergency.cuts(read, "orange")[list(emergency.POLLUTANTS)].iloc[0], [1000, 2000, 300, 100]
    )
    assert [f.problem.key for f in emergency.check(read) if f.check == "cut_above_base"] == [
        f"orange_cut_{p}" for p in emergency.POLLUTANTS
    ]


def test_permanent_measures_shrink_the_base_and_windows_do_not(tmp_path):
    plain = _inventory()
    scaling = pd.DataFrame(
        {
            "source": ["r", "t"], "pollutant": ["*", "*"], "factor": [0.5, 0.0],
            "start": [pd.NaT, pd.Timestamp("2019-01-01")], "end": [pd.NaT, pd.Timestamp("2019-01-02")],
            "measure": ["a", "b"],
        }
    )  # fmt: skip
    scaled = Inventory(plain.sources, scaling, plain.coal)
    table = emergency.compliance(_list(tmp_path), scaled, "orange").set_index("pollutant")
    np.testing.assert_allclose(table["base_kg_d"], [1750, 4900, 1500, 360])


def test_day_factor_of_a_scenario(tmp_path):
    table = emergency.compliance(_list(tmp_path), _inventory(), "orange", day_factor={"residential": 2.0, "steel": 9.0})
    assert table["base_kg_d"].iloc[0] == pytest.approx(2500)
    assert "day factor" in table["basis"].iloc[0]


def test_level_and_city_must_be_known(tmp_path):
    read = _list(tmp_path)
    with pytest.raises(InputError, match="yellow, orange, red"):
        emergency.compliance(read, _inventory(), "purple")
    with pytest.raises(InputError, match=r"weinan.*no emissions"):
        emergency.compliance(read, _inventory(), "orange", cities=["weinan"])


# --------------------------------------------------------------------------------------------------------
# which alert


@pytest.mark.parametrize(
    ("aqi", "hours", "levels"),
    [
        # 24 h running means above 200 from hour 23 on: n means cover n + 23 hours
        (250, 24, {"2017": "blue", "2018": "", "2024": "yellow"}),
        (250, 48, {"2017": "yellow", "2018": "yellow", "2024": "orange"}),
        (250, 72, {"2017": "yellow", "2018": "orange", "2024": "orange"}),
        (250, 96, {"2017": "yellow", "2018": "orange", "2024": "orange"}),
        (350, 72, {"2017": "orange", "2018": "orange", "2024": "red"}),
        (350, 96, {"2017": "red", "2018": "red", "2024": "red"}),
        (500, 24, {"2017": "red", "2018": "red", "2024": "yellow"}),
        (170, 48, {"2017": "", "2018": "", "2024": "yellow"}),
        (170, 72, {"2017": "", "2018": "", "2024": "orange"}),
    ],
)
def test_called_level_under_each_plan(aqi, hours, levels):
    running = np.full(200, 80.0)
    running[50 : 50 + hours - 23] = aqi
    running[:23] = np.nan
    for plan, level in levels.items():
        assert emergency.called_level(running, plan=plan) == level, plan


def test_called_level_by_day_and_by_rule():
    running = np.full(60, 250.0)
    assert emergency.called_level(running, plan=rules.load("emergency", version="2018")) == "orange"
    assert emergency.called_level(running[:1], plan=dt.date(2019, 1, 3)) == ""


def test_overlapping_windows_take_the_stricter_level():
    t = pd.Timestamp
    alerts = pd.DataFrame(
        [
            ("xian", "orange", t("2019-01-01"), t("2019-01-07")),
            ("xian", "red", t("2019-01-03T09"), t("2019-01-05")),
            ("xian", "yellow", t("2019-01-06"), t("2019-01-09")),
            ("baoji", "orange", t("2019-01-02"), t("2019-01-03")),
            ("baoji", "orange", t("2019-01-03"), t("2019-01-04")),
        ],
        columns=["city", "level", "start", "end"],
    )
    found = emergency.strictest(alerts)
    expected = [
        ("xian", "orange", t("2019-01-01"), t("2019-01-03T09")),
        ("xian", "red", t("2019-01-03T09"), t("2019-01-05")),
        ("xian", "orange", t("2019-01-05"), t("2019-01-07")),
        ("xian", "yellow", t("2019-01-07"), t("2019-01-09")),
        ("baoji", "orange", t("2019-01-02"), t("2019-01-04")),
    ]
    assert [tuple(r) for r in found.itertuples(index=False)] == expected


# --------------------------------------------------------------------------------------------------------
# the shipped list


@pytest.fixture(scope="module")
def shipped_list():
    return emergency.read(shipped.path("data/emissions/emergency_list.xlsx"))


def test_the_shipped_list_says_that_it_is_illustrative(shipped_list):
    assert shipped_list.illustrative
    assert not any("understood" in n.allowed for n in shipped_list.notes)


def test_the_shipped_list_matches_its_tables(shipped_list):
    table = pd.read_csv(shipped.path("data/emissions/enterprises.csv"), encoding="utf-8-sig", dtype={"county": str})
    table = table[table["city"].isin(shipped_list.lines["city"])]
    mine = shipped_list.lines[shipped_list.lines["enterprise_id"] != ""]
    assert set(mine["enterprise_id"]) == set(table["enterprise_id"])
    for name, column in (("SO2", "SO2"), ("NOx", "NOx"), ("PM", "PM10"), ("VOC", "VOC")):
        per_day = (table[column] * 1000 / table["operating_days"]).sum()
        assert mine[f"base_{name}"].sum() == pytest.approx(per_day, rel=1e-6)


@pytest.fixture(scope="module")
def shipped_inventory():
    place = geography.load(geography.make_grid())
    names = ("enterprises", "area_sources", "coal_ledger")
    return inventory.read(*(shipped.path(f"data/emissions/{n}.csv") for n in names), place)


def test_every_line_of_the_shipped_list_is_one_source(shipped_list, shipped_inventory):
    cities = sorted(set(shipped_list.lines["city"]))
    day = pd.DataFrame(
        {"city": cities, "level": "red", "start": pd.Timestamp("2019-01-03"), "end": pd.Timestamp("2019-01-04")}
    )
    after, ledger = carry_out_list(shipped_inventory, shipped_list, day, plan="2019")
    table = emergency.compliance(shipped_list, shipped_inventory, "red", plan="2019")
    # what one day removes, by city and pollutant, is what the list says, since both are made of the same tables
    for name, column in (("SO2", "SO2"), ("NOx", "NOx"), ("PM", "PM10"), ("VOC", "VOC")):
        listed = table[table["pollutant"] == name].set_index("city")["cut_kg_d"]
        removed = ledger[ledger["pollutant"] == column].groupby("city")["removed"].sum() * 1000
        np.testing.assert_allclose(removed.reindex(listed.index), listed, rtol=1e-4)
    assert after.scaling["factor"].between(0, 1).all()


def test_the_summary_sheet_says_what_the_counting_says(shipped_list, shipped_inventory):
    path = shipped.path("data/emissions/emergency_list.xlsx")
    rows = list(openpyxl.load_workbook(path, read_only=True)["汇总"].values)[2:]
    said = {(r[0], r[1], r[2]): r[8] for r in rows}
    zh = {"SO2": "SO2", "NOx": "NOx", "PM": "颗粒物", "VOC": "VOCs"}
    colours = {"yellow": "黄色预警", "orange": "橙色预警", "red": "红色预警"}
    names = {c.id: c.name_zh + ("示范区" if c.id == "yangling" else "市") for c in geography.CITIES}
    checked = 0
    for level, colour in colours.items():
        table = emergency.compliance(shipped_list, shipped_inventory, level, plan="2019")
        assert table.attrs["illustrative"]
        for row in table.itertuples():
            assert said[names[row.city], colour, zh[row.pollutant]] == pytest.approx(row.share, rel=1e-5)
            checked += 1
    assert checked == len(said) == 8 * 4 * 3


def test_the_shipped_list_is_consistent(shipped_list):
    lines = shipped_list.lines
    cuts = {level: emergency.cuts(shipped_list, level) for level in emergency.LEVELS}
    for p in emergency.POLLUTANTS:
        assert (cuts["yellow"][p] <= cuts["orange"][p] + 1e-9).all()
        assert (cuts["orange"][p] <= cuts["red"][p] + 1e-9).all()
        assert (cuts["red"][p] <= lines[f"base_{p}"] + 1e-9).all()
    kept = lines["kind"].isin(["livelihood", "staggered"])
    assert kept.sum() > 10
    assert (cuts["red"].loc[kept, list(emergency.POLLUTANTS)] == 0).all().all()
    # where the text is in the grammar, it says what the columns say
    for level in emergency.LEVELS:
        counted = lines[f"{level}_stopped"].notna() & ~kept
        n = lines.loc[counted, "lines"].fillna(1)
        ratio = lines.loc[counted, f"{level}_cut_SO2"] / lines.loc[counted, "base_SO2"].where(lines["base_SO2"] > 0)
        share = lines.loc[counted, f"{level}_stopped"] / n
        np.testing.assert_allclose(ratio.dropna(), share[ratio.notna()], rtol=1e-3)
