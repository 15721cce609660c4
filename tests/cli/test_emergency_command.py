"""`airsim emergency` as a user calls it: verdict, workbook, cleaned copy, mapping, statistical units, forecasts."""

from __future__ import annotations

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from airsim import shipped
from airsim.cli import app

LIST = shipped.path("data/emissions/emergency_list.xlsx")


def call(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def workbook(tmp_path_factory):
    path = tmp_path_factory.mktemp("verdict") / "核算.xlsx"
    said = call("emergency", LIST, "--level", "红", "--lang", "zh", "--out", path)
    assert said.exit_code == 0, said.output
    return openpyxl.load_workbook(path), said.output


def test_the_workbook_can_be_handed_in(workbook):
    book, _ = workbook
    assert book.sheetnames == [
        "摘要", "分城市核算", "分源核算", "补齐差额", "一厂一策", "清单核查问题", "读取情况", "读取清单时的提示",
        "表头识别", "措施识别",
    ]  # fmt: skip
    sheet = book["分城市核算"]
    seal = sheet["A1"].value
    assert "环办大气函〔2019〕648号" in seal
    assert "规则文件 emergency，版本 2019，自 2019-08-01 起施行" in seal
    rows = list(sheet.values)
    head = next(i for i, r in enumerate(rows) if r[0] == "城市")
    assert len(rows) - head - 1 == 8 * 3 * 4  # cities, levels, pollutants
    assert {r[10] for r in rows[head + 1 :]} == {"达标", "未达标"}
    # the share is what the printed cut is of the printed base
    for r in rows[head + 1 :]:
        assert r[6] == pytest.approx(r[5] / r[3])


def test_the_parts_add_up_to_the_whole(workbook):
    book, _ = workbook
    cities = {tuple(r[:3]): r for r in book["分城市核算"].values if r[2] in {"SO₂", "NOx", "颗粒物", "VOCs"}}
    parts = {tuple(r[:3]): r for r in book["分源核算"].values if r[2] in {"SO₂", "NOx", "颗粒物", "VOCs"}}
    assert len(cities) == len(parts) == 96
    for key, row in parts.items():
        assert sum(row[3::2]) == pytest.approx(cities[key][5], abs=0.01)
        assert sum(row[4::2]) == pytest.approx(cities[key][6], abs=1e-9)


def test_every_line_has_its_plan(workbook):
    book, _ = workbook
    rows = list(book["一厂一策"].values)
    assert len(rows) == 1 + 129
    head = {h: j for j, h in enumerate(rows[0])}
    kept = [r for r in rows[1:] if r[head["类型"]] in {"保障类", "错峰停产"}]
    assert kept
    for r in kept:
        assert r[head["红色预警 计法"]] == "不计减排"
        assert r[head["红色预警 SO₂ kg/d"]] == 0


def test_the_gap_sheet_ends_with_a_pass(workbook):
    book, said = workbook
    rows = [r for r in book["补齐差额"].values if r[0] in {"宝鸡", "咸阳", "铜川", "杨凌"}]
    last = {r[0]: r[-1] for r in rows}
    assert last["咸阳"] == "达标"
    assert "咸阳：再停 1 条生产线可达标" in said


def test_what_is_printed_fits_a_gbk_console(workbook):
    workbook[1].encode("gbk")


def _small(path, text):
    path.write_text(text, encoding="gb18030")
    return path


MESSY = (
    "厂,城,SO2日排放量(kg/d),红色预警措施,橙色预警措施,黄色预警措施,红色减排量SO2(kg/d)\n"
    "甲厂,西安,100,停产,停产,停产,150\n甲厂,西安,100,停产,停产,停产,150\n"
)


def test_fix_writes_a_copy_and_counts_it(tmp_path):
    path = _small(tmp_path / "a.csv", MESSY)
    (tmp_path / "m.yaml").write_text("columns: {enterprise: 厂, city: 城}\n", encoding="utf-8")
    arguments = ("emergency", path, "--level", "red", "--lang", "en", "--mapping", tmp_path / "m.yaml")
    refused = call(*arguments)
    assert refused.exit_code == 2
    assert "a.csv:3" in refused.output
    assert "same line stands at 2" in refused.output
    said = call(*arguments, "--fix", tmp_path / "b.xlsx", "--out", tmp_path / "c.csv")
    assert said.exit_code == 0, said.output
    assert "cut_SO2" in said.output
    table = pd.read_csv(tmp_path / "c.csv").set_index("pollutant")
    assert table.loc["SO2", "cut_kg_d"] == 100
    assert "更改记录" in openpyxl.load_workbook(tmp_path / "b.xlsx").sheetnames


def test_fix_leaves_unreadable_cells_open_and_says_so(tmp_path):
    text = MESSY.replace("厂,城", "企业名称,市").replace(
        "甲厂,西安,100,停产,停产,停产,150\n", "甲厂,西安,约百,停产,停产,停产,\n", 1
    )
    path = _small(tmp_path / "a.csv", text)
    said = call("emergency", path, "--level", "red", "--lang", "en", "--fix", tmp_path / "b.xlsx")
    assert said.exit_code == 2
    assert "must be a number" in said.output
    rows = list(openpyxl.load_workbook(tmp_path / "b.xlsx")["未修复说明"].values)
    assert any("约百" in str(r) for r in rows)


def test_statistical_units(tmp_path):
    out = tmp_path / "t.csv"
    arguments = ("emergency", LIST, "--level", "red", "--lang", "zh", "--out", out)
    said = call(*arguments, "--area", "hancheng=with", "--area", "yangling=with")
    assert said.exit_code == 0, said.output
    assert "渭南含韩城；咸阳含杨凌" in said.output
    assert set(pd.read_csv(out)["city"]) == {"xian", "baoji", "xianyang", "tongchuan", "weinan", "shangluo"}
    said = call(*arguments, "--area", "xixian=apart")
    assert said.exit_code == 2
    assert "西咸" in said.output


def test_the_table_handed_out_is_that_of_the_level(tmp_path):
    shares = {}
    for level in ("yellow", "red"):
        said = call("emergency", LIST, "--level", level, "--lang", "en", "--out", tmp_path / "t.csv")
        assert said.exit_code == 0, said.output
        table = pd.read_csv(tmp_path / "t.csv")
        assert set(table["level"]) == {level}
        shares[level] = table["cut_kg_d"].sum()
    assert shares["red"] > shares["yellow"] > 0


def test_a_forecast_calls_for_a_level(tmp_path):
    rows = "\n".join(f"2024-01-{d:02d},西安,{v}" for d, v in ((1, 90), (2, 230), (3, 260), (4, 100)))
    path = _small(tmp_path / "f.csv", "日期,城市,AQI\n" + rows + "\n")
    said = call("emergency", "--forecast", path, "--plan", "2024", "--lang", "en")
    assert said.exit_code == 0, said.output
    lines = {line.split()[1]: line for line in said.output.splitlines() if "Xi'an" in line}
    assert "yellow" in lines["2018"]
    assert "orange" in lines["2024"]
    assert "memory" in lines["2024"]
    out = tmp_path / "v.xlsx"
    said = call("emergency", LIST, "--forecast", path, "--plan", "2024", "--lang", "en", "--out", out)
    assert "orange alert (level II)" in said.output
    assert "Forecast" in openpyxl.load_workbook(out).sheetnames


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("emergency",), "name a list or a forecast"),
        (("emergency", LIST), "yellow, orange, red"),
        (("emergency", LIST, "--level", "red", "--plan", "2016"), "no such version"),
        (("emergency", LIST, "--level", "red", "--grades", "2018"), "no such version"),
        (("emergency", LIST, "--level", "red", "--area", "baoji=with"), "areas.baoji"),
        (("emergency", LIST, "--level", "red", "--mapping", "nowhere.yaml"), "file not found"),
        (("emergency", LIST, "--level", "red", "--fix", LIST), "another file"),
        (("emergency", "--forecast", "nowhere.csv"), "file not found"),
    ],
)
def test_bad_input_is_code_2(arguments, message):
    said = call(*arguments, "--lang", "en")
    assert said.exit_code == 2, said.output
    assert message in said.output


def test_check_tells_errors_from_warnings(tmp_path):
    text = MESSY.replace("厂,城", "企业名称,市").replace(
        "甲厂,西安,100,停产,停产,停产,150\n", "乙厂,西安,7,视情况,停产,停产,\n", 1
    )
    said = call("check", _small(tmp_path / "a.csv", text), "--lang", "en")
    assert said.exit_code == 2
    assert "2 lines, 1 errors, 1 warnings" in said.output
    assert "warning" in said.output.split("not understood")[0]
    assert "a.csv:3: 'red_cut_SO2', value 150: exceeds" in said.output
