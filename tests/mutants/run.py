"""Plant one fault after the other in a copy of the package and see whether the named tests notice.

    python tests/mutants/run.py [--part K/N] [--only NAME ...] [--stale]

All named tests first run once on a copy without a fault, where all of them must pass. Then each mutant's own tests run
on a copy with its fault: it is killed if at least one of them fails. Tests that only error (the mutated package cannot
be imported, a shared run ends with an error) kill nothing: such a mutant is broken.

Prints a table; exit code 0 if all are killed, 1 if a mutant survives, 2 if one is stale (its old text is not found
exactly once) or broken, or if the tests do not pass without a fault.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from ruamel.yaml import YAML

HOUSE = Path(__file__).resolve().parents[2]
PATIENCE = 1800  # s
KILLED, SURVIVED, STALE, BROKEN = "killed", "SURVIVED", "STALE", "BROKEN"


class Ended(NamedTuple):
    """How some tests ended."""

    passed: int
    failed: tuple[str, ...]
    errors: tuple[str, ...]
    said: str

    @property
    def sound(self) -> bool:
        """Whether tests ran, and all of them passed."""
        return self.passed > 0 and not self.failed and not self.errors


def known() -> list[dict[str, Any]]:
    """Return the standing set."""
    return YAML(typ="safe").load(Path(__file__).with_name("mutants.yaml").read_text(encoding="utf-8"))


def place(mutant: dict[str, Any], package: Path) -> Path:
    """Return the file that holds the mutant's old text.

    Raises
    ------
    LookupError
        The text does not occur exactly once in the package: the mutant is stale.
    """
    found = []
    for file in sorted([*package.rglob("*.py"), *package.rglob("*.yaml")]):
        found += [file] * file.read_text(encoding="utf-8").count(mutant["old"])
    if len(found) != 1:
        raise LookupError(f"{mutant['name']}: the old text occurs {len(found)} times in {package.name}")
    return found[0]


def deal(mutants: list[dict[str, Any]], part: int, parts: int) -> list[dict[str, Any]]:
    """Return one of several parts that take about the same time: the longest first, to whoever has least so far."""
    hands: list[list[dict[str, Any]]] = [[] for _ in range(parts)]
    for mutant in sorted(mutants, key=lambda m: -m["seconds"]):
        min(hands, key=lambda hand: sum(m["seconds"] for m in hand)).append(mutant)
    return hands[part - 1]


@contextmanager
def copied():
    """Copy the package into a folder of its own, with the shipped files beside it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(HOUSE / "airsim", folder / "airsim")
        for shared in ("data", "configs"):
            (folder / shared).symlink_to(HOUSE / shared)
        yield folder


def tried(folder: Path, tests: Iterable[str], *, interpreted: bool, stop: bool) -> Ended:
    """Run tests on the copy of the package in a folder.

    Parameters
    ----------
    folder : Path
        From `copied`.
    tests : iterable of str
        Files or single tests, below the root of the repository.
    interpreted : bool
        Run kernels as plain Python: their compiled forms do not notice that a function they call has changed.
    stop : bool
        End with the first test that fails.
    """
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "--durations=0"]
    command += ["--rootdir", str(HOUSE), "-c", str(HOUSE / "pyproject.toml"), f"--junitxml={report}"]
    command += ["--basetemp", str(folder / "temporary"), *(["-x"] if stop else []), *(str(HOUSE / t) for t in tests)]
    environment = {**os.environ, "PYTHONPATH": str(folder), "AIRSIM_CACHE": str(folder / "cache")}
    # its kernels are its own, and it is no worker of the session that may have started it
    for name in ("NUMBA_CACHE_DIR", "PYTEST_XDIST_WORKER"):
        environment.pop(name, None)
    if interpreted:
        environment["NUMBA_DISABLE_JIT"] = "1"
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=PATIENCE, check=False)
    said = (ended.stdout + ended.stderr).decode("utf-8", "replace")[-2000:]
    passed, failed, errors = 0, [], []
    if report.exists():
        for case in ET.parse(report).iter("testcase"):
            name = f"{case.get('classname')}::{case.get('name')}"
            if case.find("error") is not None:
                errors.append(name)
            elif case.find("failure") is not None:
                failed.append(name)
            elif case.find("skipped") is None:
                passed += 1
    if ended.returncode not in {0, 1} and not failed:
        errors.append(f"pytest ended with {ended.returncode}")
    return Ended(passed, tuple(failed), tuple(errors), said)


def end_of(mutant: dict[str, Any]) -> tuple[str, str]:
    """Return what becomes of a mutant, and the test that fails or what there is to say."""
    with copied() as folder:
        try:
            file = place(mutant, folder / "airsim")
        except LookupError as error:
            return STALE, str(error)
        text = file.read_text(encoding="utf-8").replace(mutant["old"], mutant["new"])
        try:
            if file.suffix == ".py":
                compile(text, str(file), "exec")
        except SyntaxError as error:
            return BROKEN, f"{mutant['name']}: {error}"
        file.write_text(text, encoding="utf-8")
        ended = tried(folder, mutant["tests"].split(), interpreted=mutant.get("interpreted", False), stop=True)
    if ended.failed:
        return KILLED, ended.failed[0]
    return (SURVIVED, "") if ended.sound else (BROKEN, f"{mutant['name']}: {', '.join(ended.errors)}\n{ended.said}")


def without_fault(mutants: Iterable[dict[str, Any]]) -> list[str]:
    """Return what is wrong with the named tests on a copy without a fault: nothing, or why a kill would not count."""
    wrong = []
    for interpreted in (False, True):
        chosen = [m for m in mutants if m.get("interpreted", False) == interpreted]
        tests = list(dict.fromkeys(t for m in chosen for t in m["tests"].split()))
        if not tests:
            continue
        with copied() as folder:
            ended = tried(folder, tests, interpreted=interpreted, stop=False)
        if not ended.sound:
            wrong.append(f"without a fault: {', '.join([*ended.failed, *ended.errors])}\n{ended.said}")
    return wrong


def main() -> int:
    """Run a part of the set; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default="1/1", help="K/N: the K-th of N parts that take about the same time")
    parser.add_argument("--only", nargs="+", help="names of mutants")
    parser.add_argument("--stale", action="store_true", help="look for stale mutants only")
    asked = parser.parse_args()
    part, parts = map(int, asked.part.split("/"))
    chosen = [m for m in known() if m["name"] in asked.only] if asked.only else deal(known(), part, parts)
    if not chosen:
        sys.stderr.write("no such mutant\n")
        return 2
    stale = []
    for mutant in chosen:
        try:
            place(mutant, HOUSE / "airsim")
        except LookupError as error:
            stale.append(str(error))
    wrong = stale if stale or asked.stale else without_fault(chosen)
    if wrong:
        sys.stderr.write("\n".join(wrong) + "\n")
        return 2
    count = dict.fromkeys((KILLED, SURVIVED, STALE, BROKEN), 0)
    for mutant in [] if asked.stale else chosen:
        begun = time.monotonic()
        end, told = end_of(mutant)
        count[end] += 1
        sys.stdout.write(f"{mutant['name']:<52} {end:<9} {time.monotonic() - begun:6.1f} s  {told}\n")
        sys.stdout.flush()
    sys.stdout.write(", ".join(f"{n} {end}" for end, n in count.items()) + "\n")
    return 2 if count[STALE] or count[BROKEN] else int(count[SURVIVED] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
