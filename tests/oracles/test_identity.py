"""A scenario's identity changes with the content of every file and with every setting that makes numbers."""

from __future__ import annotations

import made_case
import openpyxl
import pytest

import airsim
from airsim.case.identity import identity as identity_of
from airsim.case.identity import weather_key


@pytest.fixture
def case(tmp_path):
    return made_case.write(tmp_path)


def identity(path):
    return identity_of(airsim.load(path), version="1")


@pytest.mark.parametrize("name", ["enterprises.csv", "area.csv", "ledger.csv", "inflow.csv", "weather.csv",
                                  "observed.csv"])  # fmt: skip
def test_of_a_table(case, name):
    before = identity(case)
    table = case.parent / name
    table.write_bytes(table.read_bytes() + b"\n")
    assert identity(case) != before


def test_of_the_list(case):
    before = identity(case)
    book = openpyxl.load_workbook(case.parent / "list.xlsx")
    book.active["H2"] = 1.0
    book.save(case.parent / "list.xlsx")
    assert identity(case) != before


@pytest.mark.parametrize(
    ("old", "new"), [("percent: 50", "percent: 51"), ("260", "250"), ("level: red", "level: orange")]
)
def test_of_a_setting(case, old, new):
    before = identity(case)
    text = case.read_text(encoding="utf-8")
    if old in text:
        case.write_text(text.replace(old, new, 1), encoding="utf-8")
    else:
        weather = case.parent / "weather.csv"
        weather.write_text(weather.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert identity(case) != before


def test_stays_with_the_same_content_elsewhere(case, tmp_path):
    assert identity(case) == identity(made_case.write(tmp_path / "elsewhere"))


def test_stored_weather_follows_the_period(case):
    before = weather_key(airsim.load(case))
    case.write_text(
        case.read_text(encoding="utf-8").replace("2019-01-02 00:00", "2019-01-01 00:00", 1), encoding="utf-8"
    )
    assert weather_key(airsim.load(case)) != before
