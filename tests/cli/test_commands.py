"""The smaller commands, through the real parser."""

import json

import openpyxl
import pytest
import xarray as xr
from typer.testing import CliRunner

from airsim import shipped
from airsim.cli import app

LIST = shipped.path("data/emissions/emergency_list.xlsx")


def call(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_help_speaks_both_languages():
    for command in ([], ["run"], ["check"], ["emergency"], ["coal"], ["report"], ["schema"]):
        said = call(*command, "--help")
        assert said.exit_code == 0
        assert any("\u4e00" <= c <= "\u9fff" for c in said.output)


@pytest.mark.parametrize(("lang", "words"), [("zh", "红色预警"), ("en", "red alert")])
def test_emergency_prints_the_shares(lang, words, tmp_path):
    out = tmp_path / "shares.csv"
    said = call("emergency", LIST, "--level", "red", "--lang", lang, "--out", out)
    assert said.exit_code == 0, said.output
    assert words in said.output
    assert "30%" in said.output
    assert out.read_bytes().startswith(b"\xef\xbb\xbf"), "Excel needs the byte order mark"


def test_emergency_refuses_an_unknown_level():
    said = call("emergency", LIST, "--level", "blue", "--lang", "en")
    assert said.exit_code == 2
    assert "yellow, orange, red" in said.output


def test_coal_needs_no_dispersion(scenario_file):
    said = call("coal", scenario_file, "--lang", "zh")
    assert said.exit_code == 0, said.output
    assert "口径" in said.output
    assert "合计" in said.output


def test_coal_without_the_block_says_which_key(scenario_file):
    text = scenario_file.read_text(encoding="utf-8")
    scenario_file.write_text(text[: text.index("coal:\n  base")], encoding="utf-8")
    said = call("coal", scenario_file, "--lang", "en")
    assert said.exit_code == 2
    assert "'coal'" in said.output


def test_schema_is_json_schema():
    said = call("schema")
    assert json.loads(said.output)["properties"]["period"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("data/emissions/enterprises.csv", "enterprises"),
        ("data/emissions/area_sources.csv", "area sources"),
        ("data/emissions/coal_ledger.csv", "coal ledger"),
        ("data/emissions/emergency_list.xlsx", "reduction list"),
        ("data/observations/january_2019.csv", "observed"),
        ("configs/guanzhong-january.yaml", "sound scenario"),
    ],
)
def test_check_knows_what_a_file_is(name, kind):
    said = call("check", shipped.path(name), "--lang", "en")
    assert said.exit_code == 0, said.output
    assert kind in said.output


def test_output_survives_a_gbk_console(scenario_file):
    """Every printed character must exist in GBK, which is strict when the output of a Chinese Windows is redirected."""
    said = call("emergency", LIST, "--level", "orange", "--lang", "zh").output
    said += call("coal", scenario_file, "--lang", "zh").output
    said.encode("gbk")


def test_rank_names_the_sources_and_writes_them(scenario_file):
    out = scenario_file.parent / "out"
    window = ("2019-01-02T12:00", "2019-01-03T00:00")
    said = call("rank", scenario_file, "--city", "xian", "--window", *window, "--out", out, "--lang", "en")
    assert said.exit_code == 0, said.output
    assert "Xi'an: PM2.5" in said.output
    with xr.open_datatree((out / "关中-short" / "ranking.nc").read_bytes()) as tree:
        ranking = tree["ranking"].to_dataset().load()
    impact = ranking["enterprise_impact"].sel(receptor="xian")
    assert impact.values.argmax() == ranking["enterprise_rank"].sel(receptor="xian").values.argmin()
    assert 0 < float(ranking["pm25_explained"].sel(receptor="xian")) < float(ranking["pm25_base"].sel(receptor="xian"))
    book = openpyxl.load_workbook(out / "关中-short" / "ranking.xlsx")
    sheet = book.worksheets[1]
    largest = str(ranking["enterprise_name"].values[int(impact.values.argmax())])
    assert sheet["B3"].value == largest


@pytest.mark.parametrize("window", [("2019-01-03", "2019-01-02"), ("soon", "2019-01-02"), ("2018-01-01", "2018-01-02")])
def test_rank_refuses_a_window_that_is_none(scenario_file, window):
    said = call("rank", scenario_file, "--city", "xian", "--window", *window, "--lang", "en")
    assert said.exit_code == 2, said.output


def test_rank_refuses_an_unknown_city(scenario_file):
    said = call("rank", scenario_file, "--city", "atlantis", "--lang", "en")
    assert said.exit_code == 2
    assert "atlantis" in said.output
