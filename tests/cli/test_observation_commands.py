"""`airsim evaluate`, `attribute` and `compare`: exit codes, files, words in both languages."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from airsim import shipped
from airsim.cli import app
from airsim.result import netcdf

_spec = spec_from_file_location("made_up_result", Path(__file__).parents[1] / "unit" / "made_up_result.py")
made_up_result = module_from_spec(_spec)
_spec.loader.exec_module(made_up_result)
REAL = shipped.path("data/observations/hourly_2018-12_2019-03.csv")


def call(*words):
    return CliRunner().invoke(app, [str(w) for w in words])


@pytest.fixture
def result(tmp_path):
    def put(synthetic="yes", name="result.nc", hours=72):
        tree = made_up_result.make(hours=hours)
        tree["meteorology"].attrs["synthetic"] = synthetic
        path = tmp_path / "结果" / name
        netcdf.write(tree, path)
        return path

    return put


def test_evaluate_on_synthetic_weather_says_what_it_does_not_do(result):
    path = result()
    said = call("evaluate", path, "--observations", REAL, "--lang", "en")
    assert said.exit_code == 0, said.output
    assert "NOT computed" in said.output
    assert (path.parent / "evaluation.html").stat().st_size > 1e6
    names = openpyxl.load_workbook(path.parent / "evaluation.xlsx").sheetnames
    assert "means and percentiles" in names
    assert "daily means by city" not in names


def test_evaluate_on_real_weather_pairs_days(result, tmp_path):
    said = call("evaluate", result("no"), "--observations", REAL, "--out", tmp_path / "out", "--lang", "zh")
    assert said.exit_code == 0, said.output
    assert "NMB" in said.output
    assert "持续性" in said.output
    assert "没有通风系数回归" in said.output
    said.output.encode("gbk")
    assert "日均，分城市" in openpyxl.load_workbook(tmp_path / "out" / "evaluation.xlsx").sheetnames


def test_evaluate_refuses_bad_observations_and_writes_nothing(result, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("date,hour,type,西安\n20190103,5,PM2.5,x\n", encoding="utf-8")
    path = result()
    said = call("evaluate", path, "--observations", bad, "--lang", "en")
    assert said.exit_code == 2
    assert "bad.csv:2" in said.output
    assert not (path.parent / "evaluation.html").exists()


@pytest.mark.parametrize("words", [("--aqi", "HJ633-1996"), ("--case", "best")])
def test_evaluate_refuses_unknown_versions_and_cases(result, words):
    said = call("evaluate", result("no"), "--observations", REAL, *words, "--lang", "en")
    assert said.exit_code == 2, said.output


def test_the_newer_aqi_can_be_asked_for(result, tmp_path):
    said = call("evaluate", result("no"), "--observations", REAL, "--aqi", "HJ633-2026", "--out", tmp_path)
    assert said.exit_code == 0, said.output
    assert "HJ633-2026" in (tmp_path / "evaluation.html").read_text(encoding="utf-8")


def test_attribute_refuses_synthetic_weather(result):
    path = result()
    said = call("attribute", path, path, "--observations", REAL, "--lang", "en")
    assert said.exit_code == 2
    assert "synthetic" in said.output


def test_compare_writes_page_and_workbook(result, tmp_path):
    one, two = result(name="a.nc"), result(name="b.nc", hours=48)
    said = call("compare", one, two, "--out", tmp_path / "c.html", "--lang", "en")
    assert said.exit_code == 0, said.output
    assert "NOT the effect of measures" in said.output
    assert (tmp_path / "c.html").is_file()
    assert "PM2.5 by city" in openpyxl.load_workbook(tmp_path / "c.xlsx").sheetnames


def test_a_file_that_is_no_result_is_bad_input(tmp_path):
    path = tmp_path / "x.nc"
    path.write_text("no", encoding="utf-8")
    assert call("compare", path, path, "--lang", "en").exit_code == 2


def test_check_knows_hourly_observations_and_composition():
    said = call("check", REAL, shipped.path("data/observations/composition.csv"), "--lang", "en")
    assert said.exit_code == 0, said.output
    assert "hourly observations, 2904 h, 13 places" in said.output
    assert "composition of PM2.5" in said.output
