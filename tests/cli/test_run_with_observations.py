"""A run that names hourly observations: the projected observations in result, report and workbook."""

from __future__ import annotations

import numpy as np
import openpyxl
import pytest
from cases import SHORT
from typer.testing import CliRunner

import airsim
from airsim.case import plan_of
from airsim.cli import app
from airsim.errors import InputError
from airsim.result import netcdf

HOURLY = "shipped:observations/hourly_2018-12_2019-03.csv"
MEASURES = """\
measures:
  - {type: cut, percent: 30, cities: [xian, xianyang], sectors: [residential]}
  - type: emergency
    list: shipped:emissions/emergency_list.xlsx
    alerts:
      - {level: red, cities: [xian, xianyang, weinan], start: 2019-01-02 00:00, end: 2019-01-04 00:00}
  - {type: cut, percent: 50, cities: [weinan], sectors: [transport], start: 2019-01-02, end: 2019-01-04}
"""


def text(observations: str) -> str:
    head = SHORT[: SHORT.index("measures:")]
    return head.replace("shipped:observations/january_2019.csv", observations) + MEASURES


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("observed")
    path = folder / "a.yaml"
    path.write_text(text(f"[{HOURLY}]"), encoding="utf-8")
    said = CliRunner().invoke(app, ["run", str(path), "--out", str(folder), "--lang", "en"])
    assert said.exit_code == 0, said.output
    return folder / "关中-short", said.output


def test_the_answer_is_the_projected_observation(run):
    folder, said = run
    assert "From what was observed (2018-10 .. 2019-03" in said
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 'id="attainment"' in page
    assert 'id="projected-bars"' in page
    assert page.index("From what was observed") < page.index('id="maps"')
    book = openpyxl.load_workbook(folder / "tables.xlsx")
    assert "Observed, projected" in book.sheetnames


def test_steps_before_the_emergency_are_the_permanent_ones(run):
    at = netcdf.read(run[0] / "result.nc")["attainment"].to_dataset()
    assert at.attrs["permanent_steps"] == "cut"
    assert at.attrs["left_to_high_days"] == "cut-2"
    assert at.attrs["temporary"] == "no"  # the cut with a start comes after the emergency
    left = at["rrf_pm25"]
    # the first cut acts in Xi'an, on every day; the list and the second cut only where pollution is heavy
    assert float(left.sel(response="permanent", city="xian")) < 0.999
    assert (
        left.sel(response="high_days", city=["xian", "weinan"])
        < left.sel(response="permanent", city=["xian", "weinan"])
    ).all()
    season = at.sel(period="season", city="xian")
    assert float(season["observed_mean"]) == pytest.approx(97.97, abs=0.01)
    assert float(season["projected_mean"]) < float(season["observed_mean"])
    # Linfen has observations but no cell on this small grid; Yangling has cells but no observations
    assert np.isnan(at["projected_mean"].sel(period="season", city=["linfen", "yangling"])).all()


def test_the_response_is_that_of_the_result_itself(run):
    """Raw model of the base case and all measures over all hours, from the root group."""
    tree = netcdf.read(run[0] / "result.nc")
    root, at = tree.to_dataset(), tree["attainment"].to_dataset()
    mean = root["pm25"].sel(city="xian").mean("time")
    assert float(at["modelled_base"].sel(response="permanent", city="xian")) == pytest.approx(
        float(mean.sel(case="base")), rel=1e-5
    )
    # the window has two days: both are high days
    assert float(at["modelled_controlled"].sel(response="high_days", city="xian")) == pytest.approx(
        float(mean.sel(case="controlled")), rel=1e-5
    )


def test_a_measure_with_a_start_is_told_from_a_permanent_one(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(
        text(HOURLY).replace("sectors: [residential]}", "sectors: [residential], start: 2019-01-02}"), "utf-8"
    )
    assert plan_of(airsim.load(path)).temporary
    path.write_text(text(HOURLY), "utf-8")
    assert not plan_of(airsim.load(path)).temporary


def test_observations_of_other_months_are_refused(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(text(HOURLY).replace("2019-01-0", "2019-07-0"), encoding="utf-8")
    with pytest.raises(InputError, match="nothing is observed in the months"):
        airsim.run(airsim.load(path))


def test_a_missing_file_of_several_is_named_with_its_line(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(text(f"[{HOURLY}, nowhere.csv]"), encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.yaml:10: 'inputs.observations\[2\]', value nowhere.csv: file not found"):
        airsim.load(path)
