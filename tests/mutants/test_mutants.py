"""The standing set of mutants: none is stale, and a fast part of it is killed; tests/mutants/run.py runs all."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("mutants_run", Path(__file__).with_name("run.py"))
run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(run)
MUTANTS = {m["name"]: m for m in run.known()}


@pytest.mark.parametrize("name", MUTANTS)
def test_no_mutant_is_stale(name):
    run.place(MUTANTS[name], run.HOUSE / "airsim")
    for test in MUTANTS[name]["tests"].split():
        assert (run.HOUSE / test.partition("::")[0]).exists(), test


@pytest.mark.parametrize("name", ["a concentration is rounded down", "a key without the content of files"])
def test_a_fast_part_is_killed(name):
    assert run.killed(MUTANTS[name])


def test_a_sound_copy_is_not_killed():
    """Else a copy that does not run at all would count as a fault found."""
    mutant = MUTANTS["a key without the content of files"]
    tests = f"{mutant['tests']} tests/unit/test_aqi.py"
    assert not run.killed({**mutant, "new": mutant["old"], "tests": tests})
