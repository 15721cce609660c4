"""Plant one fault after the other in a copy of the package and see whether the named tests notice.

    python tests/mutants/run.py [--part K/N] [--only NAME]

Prints a table; exit code 1 if a mutant survives, 2 if one is stale: its old text is not found exactly once.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ruamel.yaml import YAML

HOUSE = Path(__file__).resolve().parents[2]
PATIENCE = 900  # s


def known() -> list[dict[str, str]]:
    """Return the standing set."""
    return YAML(typ="safe").load(Path(__file__).with_name("mutants.yaml").read_text(encoding="utf-8"))


def place(mutant: dict[str, str], package: Path) -> Path:
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


def killed(mutant: dict[str, str]) -> bool:
    """Return whether a named test fails on a copy of the package with the fault in it.

    Raises
    ------
    LookupError
        See `place`.
    RuntimeError
        No test ran, or they did not end in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "airsim"
        shutil.copytree(HOUSE / "airsim", copy)
        for name in ("data", "configs"):  # the shipped files stand beside the package
            (Path(folder) / name).symlink_to(HOUSE / name)
        file = place(mutant, copy)
        file.write_text(file.read_text(encoding="utf-8").replace(mutant["old"], mutant["new"]), encoding="utf-8")
        if "kernels" in file.name:
            # numba does not see that a function called by a compiled one has changed
            for compiled in copy.rglob("*.nb[ic]"):
                compiled.unlink()
        tests = [str(HOUSE / t) for t in mutant["tests"].split()]
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
        command += ["--rootdir", str(HOUSE), "-c", str(HOUSE / "pyproject.toml"), *tests]
        ended = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": folder, "AIRSIM_CACHE": f"{folder}/cache"},
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    if ended.returncode not in {0, 1}:
        raise RuntimeError(f"{mutant['name']}: {(ended.stdout + ended.stderr).decode('utf-8', 'replace')[-600:]}")
    return ended.returncode == 1


def main() -> int:
    """Run a part of the set; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", default="1/1", help="K/N: the K-th of N parts")
    parser.add_argument("--only", help="name of one mutant")
    asked = parser.parse_args()
    part, parts = map(int, asked.part.split("/"))
    chosen = [m for m in known() if m["name"] == asked.only] if asked.only else known()[part - 1 :: parts]
    said = {"killed": 0, "SURVIVED": 0, "STALE": 0}
    for mutant in chosen:
        begun = time.monotonic()
        try:
            end = "killed" if killed(mutant) else "SURVIVED"
        except (LookupError, RuntimeError) as error:
            end = "STALE"
            sys.stderr.write(f"{error}\n")
        said[end] += 1
        sys.stdout.write(f"{mutant['name']:<44} {end:<9} {time.monotonic() - begun:6.1f} s\n")
        sys.stdout.flush()
    sys.stdout.write(", ".join(f"{n} {end}" for end, n in said.items()) + "\n")
    return 2 if said["STALE"] or not chosen else int(said["SURVIVED"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
