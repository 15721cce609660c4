"""The standing set of mutants: none is stale, and a fast part of it is killed; tests/mutants/run.py runs all."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("mutants_run", Path(__file__).with_name("run.py"))
run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(run)
MUTANTS = {m["name"]: m for m in run.known()}
FAST = ["a concentration is rounded down", "a key without the content of files", "a unit factor inverted"]
#: Faults that once passed every test, all seven together.
SEVEN = {
    "base and controlled swapped in the emissions", "wind turned by half a circle",
    "heavy days dropped from the workbook", "a forced AQI rule", "an inverted indicator",
    "a key without the content of files", "the day rule off",
}  # fmt: skip


def test_the_set_is_large_and_holds_the_seven():
    assert len(MUTANTS) == len(run.known()) >= 40
    assert set(MUTANTS) >= SEVEN


@pytest.mark.parametrize("name", MUTANTS)
def test_no_mutant_is_stale(name):
    run.place(MUTANTS[name], run.HOUSE / "airsim")
    assert MUTANTS[name]["old"] != MUTANTS[name]["new"]
    for test in MUTANTS[name]["tests"].split():
        file, _, function = test.partition("::")
        text = (run.HOUSE / file).read_text(encoding="utf-8")
        assert not function or re.search(rf"^def {function}\(", text, re.MULTILINE), test


def test_a_fast_part_is_killed():
    assert not run.without_fault([MUTANTS[name] for name in FAST]), "else a kill says nothing"
    for name in FAST:
        assert run.end_of(MUTANTS[name])[0] == run.KILLED, name


def test_what_changes_nothing_survives_and_what_cannot_be_imported_is_broken():
    mutant = MUTANTS["a concentration is rounded down"]
    assert run.end_of({**mutant, "new": mutant["old"]})[0] == run.SURVIVED
    torn = {"old": "FloatArray = npt.NDArray[np.float64]\n\n#: Model species", "new": "1 / 0\n"}
    assert run.end_of({**mutant, **torn})[0] == run.BROKEN
    assert run.end_of({**mutant, "old": "no such text"})[0] == run.STALE


@pytest.mark.parametrize("parts", [1, 3])
def test_parts_are_even_and_whole(parts):
    hands = [run.deal(run.known(), k + 1, parts) for k in range(parts)]
    assert sorted(m["name"] for hand in hands for m in hand) == sorted(MUTANTS)
    times = [sum(m["seconds"] for m in hand) for hand in hands]
    assert max(times) - min(times) <= max(m["seconds"] for m in run.known())
