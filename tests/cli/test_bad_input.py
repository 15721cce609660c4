"""Bad input: one clear line a problem with its file and line or cell, exit code 2, nothing written."""

import openpyxl
import pytest
from typer.testing import CliRunner

from airsim import shipped
from airsim.cli import app


def refused(*arguments):
    """Run a command that must be refused; return what it says."""
    said = CliRunner().invoke(app, [str(a) for a in arguments])
    assert said.exit_code == 2, said.output
    assert "Traceback" not in said.output
    return said.output


def run(scenario_file, old="", new="", *, keep=1):
    """Spoil the scenario and run it: nothing may be written."""
    text = scenario_file.read_text(encoding="utf-8")
    if old:
        assert old in text
        scenario_file.write_text(text.replace(old, new, keep), encoding="utf-8")
    out = scenario_file.parent / "out"
    said = refused("run", scenario_file, "--out", out, "--lang", "en")
    assert not out.exists()
    return said


def line_of(path, text):
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return next(i for i, line in enumerate(lines, start=1) if text in line)


def test_missing_scenario(tmp_path):
    assert "gone.yaml: file not found" in refused("run", tmp_path / "gone.yaml", "--lang", "en")


def test_unknown_key(scenario_file):
    said = run(scenario_file, "near_field:", "near_feld:")
    assert f"short.yaml:{line_of(scenario_file, 'near_feld')}: 'near_feld'" in said
    assert "unknown key" in said


def test_unknown_city_in_the_scenario(scenario_file):
    said = run(scenario_file, "cities: [weinan]", "cities: [atlantis]")
    assert f"short.yaml:{line_of(scenario_file, 'atlantis')}: 'measures[2].cities[1]', value atlantis" in said
    assert "xian" in said


def test_percent_above_100(scenario_file):
    said = run(scenario_file, "percent: 10,", "percent: 120,")
    assert f"short.yaml:{line_of(scenario_file, '120')}: 'measures[2].percent', value 120: must be <= 100" in said


def test_end_before_start(scenario_file):
    said = run(scenario_file, "end: 2019-01-04", "end: 2019-01-01")
    assert "end 2019-01-01 00:00 must be after start 2019-01-02 00:00" in said
    assert "short.yaml:3:" in said


def test_several_mistakes_come_at_once(scenario_file):
    text = scenario_file.read_text(encoding="utf-8")
    scenario_file.write_text(
        text.replace("percent: 10,", "percent: -1,").replace("seed: 7", "seed: seven"), encoding="utf-8"
    )
    said = run(scenario_file)
    assert "2 problem(s)" in said


def test_missing_table(scenario_file):
    said = run(scenario_file, "inputs:", "inputs:\n  enterprises: nowhere.xlsx")
    assert f"short.yaml:{line_of(scenario_file, 'nowhere')}: 'inputs.enterprises', value nowhere.xlsx" in said


def test_wrong_encoding_of_a_table(tmp_path):
    path = tmp_path / "enterprises.csv"
    raw = shipped.path("data/emissions/enterprises.csv").read_bytes().splitlines(keepends=True)
    raw[4] = b"\xff\xfe\xfd" + raw[4]
    path.write_bytes(b"".join(raw))
    assert "enterprises.csv:5: the text must be UTF-8 or GB18030" in refused("check", path, "--lang", "en")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        (",327.41,", ",-327.41,", "SO2"),
        (",327.41,", ",nan,", "SO2"),
        (",327.41,", ",a lot,", "SO2"),
        (",610111,power", ",nowhere,power", "county"),
        (",xian,610111", ",atlantis,610111", "city"),
        (",109.05028,34.28514,", ",34.28514,109.05028,", "longitude"),
    ],
)
def test_one_bad_cell_of_the_enterprises(spoil, old, new, key):
    path = spoil("enterprises.csv", old, new)
    said = refused("check", path, "--lang", "en")
    row = line_of(path, new)
    assert f"enterprises.csv:{row}: '{key}'" in said


def test_duplicate_enterprise(tmp_path):
    text = shipped.path("data/emissions/enterprises.csv").read_text(encoding="utf-8-sig")
    lines = text.splitlines()
    path = tmp_path / "enterprises.csv"
    path.write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8-sig")
    said = refused("check", path, "--lang", "en")
    assert f"enterprises.csv:{len(lines) + 1}: 'enterprise_id'" in said


def test_bad_table_of_a_scenario_stops_the_run(scenario_file, spoil):
    path = spoil("enterprises.csv", ",327.41,", ",-327.41,")
    said = run(scenario_file, "inputs:", "inputs:\n  enterprises: enterprises.csv")
    assert f"enterprises.csv:{line_of(path, '-327.41')}: 'SO2', value -327.41" in said


def test_enterprise_that_the_inventory_lacks(scenario_file):
    said = run(
        scenario_file, "  - type: emergency", "  - {type: stop, enterprise: 灞桥电厂（不存在）}\n  - type: emergency"
    )
    assert f"short.yaml:{line_of(scenario_file, '不存在')}" in said
    assert "not in the inventory" in said


def test_list_enterprise_that_the_inventory_lacks(scenario_file):
    book = openpyxl.load_workbook(shipped.path("data/emissions/emergency_list.xlsx"))
    sheet = book["工业源"]
    cell = next(c for row in sheet.iter_rows() for c in row if isinstance(c.value, str) and "灞桥热电" in c.value)
    row, cell.value = cell.row, "子虚乌有化工厂"
    sheet.cell(row, cell.column + 1).value = None  # its id in the inventory
    book.save(scenario_file.parent / "list.xlsx")
    said = run(scenario_file, "shipped:emissions/emergency_list.xlsx", "list.xlsx")
    assert f"list.xlsx:工业源!{cell.column_letter}{row}: " in said
    assert "子虚乌有化工厂" in said


def test_credit_code_that_excel_made_a_number(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    lines = shipped.path("data/emissions/enterprises.csv").read_text(encoding="utf-8-sig").splitlines()
    header = lines[0].split(",")
    sheet.append(header)
    sheet.append(
        [916101316989012345 if h == "credit_code" else v for h, v in zip(header, lines[1].split(","), strict=False)]
    )
    book.save(tmp_path / "enterprises.xlsx")
    said = refused("check", tmp_path / "enterprises.xlsx", "--lang", "en")
    assert "enterprises.xlsx:Sheet!B2: 'credit_code'" in said
    assert "digits are lost" in said


def test_what_is_no_case_file_at_all(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("animal,legs\ncat,4\n", encoding="utf-8")
    assert "no kind of table that is known" in refused("check", path, "--lang", "en")


def test_messages_speak_chinese(scenario_file):
    text = scenario_file.read_text(encoding="utf-8")
    scenario_file.write_text(text.replace("percent: 10,", "percent: 120,"), encoding="utf-8")
    said = refused("run", scenario_file, "--lang", "zh")
    assert "输入有 1 处问题" in said
    assert "值为 120" in said
