"""The example tables are what their script makes of the shipped ledger, byte by byte."""

from __future__ import annotations

import importlib.util

import pytest

from airsim import shipped


@pytest.fixture(scope="module")
def script():
    path = shipped.path("data/make_coal_examples.py")
    spec = importlib.util.spec_from_file_location("make_coal_examples", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "make"), [("clean_coal_inspection.csv", "batches"), ("coal_activity.csv", "activity")]
)
def test_the_script_makes_the_shipped_table(script, tmp_path, name, make):
    rows = getattr(script, make)()
    script.write(tmp_path / name, rows)
    lines = (tmp_path / name).read_bytes().replace(b"\r\n", b"\n")
    assert lines == shipped.path(f"data/emissions/{name}").read_bytes().replace(b"\r\n", b"\n")


def test_every_row_says_that_it_is_made_up(script):
    assert {r["数据质量"] for r in script.batches()} == {"synthetic"}
    assert {r["quality"] for r in script.activity()} <= {"derived", "estimated"}
    assert all(r["source"] for r in script.activity())
