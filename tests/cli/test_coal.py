"""`airsim coal`: the shipped plans, the files it writes, the advice and the long table."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import cache
from pathlib import Path

import openpyxl
import plotly.graph_objects as go
import pytest
import xarray as xr
from typer.testing import CliRunner

from airsim.cli import app
from airsim.commands import coal as balance

CONFIGS = Path(__file__).parents[2] / "configs" / "coal"
PLANS = ("baseline-2019", "gas-short-winter", "project-surge")


@cache
def made(plan):
    """Every plan is balanced once, with all its files."""
    import tempfile

    folder = Path(tempfile.mkdtemp())
    said = balance.report(CONFIGS / f"{plan}.yaml", "zh", out=folder, iamc=folder / "long.csv")
    return said, folder / f"coal-{plan}"


@pytest.mark.parametrize("plan", PLANS)
def test_the_shipped_plans_are_balanced_and_sound(plan):
    said, folder = made(plan)
    assert any("口径" in line for line in said.lines)
    assert sorted(p.name for p in folder.iterdir()) == ["coal.html", "coal.nc", "coal.xlsx"]
    checked = CliRunner().invoke(app, ["check", str(CONFIGS / f"{plan}.yaml"), "--lang", "en"])
    assert checked.exit_code == 0, checked.output
    "\n".join(said.lines).encode("gbk")  # a Chinese console shows it


def test_what_the_shipped_plans_are_there_to_show():
    with xr.open_dataset(made("baseline-2019")[1] / "coal.nc", group="coal") as base:
        assert base["pass_total"].item() == 1
        assert (base["offset_pledged"] >= base["offset_required"]).all()
    with xr.open_dataset(made("gas-short-winter")[1] / "coal.nc", group="coal") as short:
        assert short.attrs["limits"] == "bind"
        assert {"gas", "grid"} <= set(short["limit_kind"].values)
        assert {"clean_coal", ""} <= set(short["move_fallback"].values)
    with xr.open_dataset(made("project-surge")[1] / "coal.nc", group="coal") as surge:
        assert surge["pass_total"].item() == 0
        assert (surge["offset_pledged"] < surge["offset_required"]).all()


def test_enough_offsets_would_pass():
    """What the surge lacks is what keeps it from passing: the same plan with the missing tonnes saved goes through."""
    with xr.open_dataset(made("project-surge")[1] / "coal.nc", group="coal") as surge:
        missing = float((surge["offset_required"] - surge["offset_pledged"]).sum())
        by_line = surge["consumption"].sum(("city", "sector"))
        assert by_line.sel(line="target") - missing < by_line.sel(line="base")


def test_every_figure_is_one_that_plotly_draws():
    page = (made("baseline-2019")[1] / "coal.html").read_text(encoding="utf-8")
    block = re.search(r'<script type="application/json" id="figures">(.*?)</script>', page, re.DOTALL)
    figures = json.loads(block[1])["figures"]

    def plain(value):
        if isinstance(value, list):
            return [plain(v) for v in value]
        if not isinstance(value, dict):
            return value
        return value["zh"] if {"zh", "en"} <= set(value) else {k: plain(v) for k, v in value.items()}

    assert {"waterfall", "coal-cities", "coal-curve", "coal-tornado"} <= {f["id"] for f in figures}
    for figure in figures:
        drawn = go.Figure(data=plain(figure["data"]), layout=plain(figure["layout"]))  # raises on what it does not know
        assert len(drawn.data)
        assert f'id="{figure["id"]}"' in page
    waterfall = next(f for f in figures if f["id"] == "waterfall")["data"][0]
    assert sum(waterfall["y"][:-1]) == pytest.approx(waterfall["y"][-1], abs=0.05)


def test_scope_and_change_stand_on_every_table():
    book = openpyxl.load_workbook(made("baseline-2019")[1] / "coal.xlsx")
    assert "分城市煤炭平衡" in book.sheetnames
    for name in ("分城市煤炭平衡", "分行业煤炭消费", "分煤种消费", "历年台账"):
        cells = [str(c.value) for row in book[name].iter_rows(max_row=3) for c in row if c.value is not None]
        assert any("口径" in c for c in cells), name
        assert any("同比" in c for c in cells), name


def test_the_long_table_reads_back():
    text = (made("baseline-2019")[1].parent / "long.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert set(rows[0]) == {"model", "scenario", "region", "variable", "unit", "year", "value"}
    found = [
        r for r in rows if r["variable"] == "Consumption|Coal" and r["region"] == "Guanzhong" and r["year"] == "2019"
    ]
    assert {r["scenario"] for r in found} == {"coal-baseline-2019", "statistics"}


def test_advice_is_printed_and_a_wrong_ending_is_refused(scenario_file, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRSIM_CACHE", str(tmp_path))
    said = CliRunner().invoke(app, ["coal", str(scenario_file), "--advise", "--lang", "en"])
    assert said.exit_code == 0, said.output
    assert "Heating routes compared" in said.output
    assert "no stored operator fits" in said.output
    said = CliRunner().invoke(app, ["coal", str(scenario_file), "--iamc", str(tmp_path / "x.json"), "--lang", "en"])
    assert said.exit_code == 2
    assert ".csv, .xlsx" in said.output
