"""Make docs/tests.md from tests/mutants/mutants.yaml: ``python docs/make_tests.py``."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML

DOCS = Path(__file__).parent
HEAD = """\
# Tests that know the meaning

Made by `docs/make_tests.py` from `tests/mutants/mutants.yaml`.

A test that compares a program with itself notices a change, not a fault. Two sets of tests therefore know what the
numbers mean.

**Oracles** (`tests/oracles`) run one made-up case of a few cells: five enterprises and four kinds of area sources in
round numbers, a west wind, one reduction list, one coal plan (`made_case.py` holds all of it). Every group of
`result.nc`, the sheets of the workbook and the summary of a batch are then recomputed in the test from these inputs
with plain numpy and compared. `test_short_run.py` runs six hours of it with two
measures: which case is which. Small oracles of the same kind (`tests/unit/test_glue.py`) call single functions of the
glue on made-up numbers.

**Mutants** (`tests/mutants`) are faults on purpose: one text of the package replaced by another. Each names the
cheapest tests that must notice. A kill counts only if the named tests pass on a copy of the package without the fault
and at least one of them fails, not only errors, on a copy with it. A mutant whose old text is not found exactly once is
stale: whoever changes that text mends the mutant.

    python -m pytest tests/oracles             # the oracles: one run of the whole case, two minutes
    python tests/mutants/run.py                # all mutants
    python tests/mutants/run.py --part 1/3     # a third of them; parts take about the same time
    python tests/mutants/run.py --only "wind turned by half a circle"
    python tests/mutants/run.py --stale        # whether every old text stands

The default suite looks for stale mutants and kills three fast ones. Kernels are mutated as plain Python
(`NUMBA_DISABLE_JIT=1`).

A new rule, number or switch gets a mutant when a mistake in it would look like a result. A mutant that survives shows a
test that is missing: write it with an expectation worked out by hand, never by weakening the mutant.

| fault | must be noticed by | about [s] |
|---|---|---|
"""


def page() -> str:
    """Return the page."""
    mutants = YAML(typ="safe").load((DOCS.parent / "tests" / "mutants" / "mutants.yaml").read_text(encoding="utf-8"))
    rows = []
    for mutant in mutants:
        tests = ", ".join(f"`{t.removeprefix('tests/')}`" for t in mutant["tests"].split())
        rows.append(f"| {mutant['name']} | {tests} | {mutant['seconds']:.0f} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    (DOCS / "tests.md").write_text(page(), encoding="utf-8")
