"""Real batches in real processes, and how their results are compared."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import netCDF4
import shared_runs
from typer.testing import CliRunner

from airsim.cli import app

STUB = Path(__file__).with_name("stub_job.py")
TINY = """\
name: tiny
title: {zh: 小例, en: tiny case}
period: {start: 2019-01-02, end: 2019-01-03, spin_up_hours: 24}
domain: {west: 108.0, south: 33.5, east: 110.0, north: 35.0, spacing: 30000}
meteorology: {kind: synthetic, seed: 7, build_up_hours: 6, stagnant_hours: 12}
measures:
  - {type: cut, percent: 10, cities: [weinan], sectors: [transport]}
"""


def swept(folder: Path, percents, *, seeds=None) -> Path:
    """Write a sweep over the tiny case."""
    text = TINY + "sweep:\n  values:\n    measures[1].percent: " + json.dumps(list(percents)) + "\n"
    if seeds:
        text += "    meteorology.seed: " + json.dumps(list(seeds)) + "\n"
    path = folder / "sweep.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def single(folder: Path, name: str, *changes) -> Path:
    """Write the tiny case under another name, with texts replaced."""
    text = TINY.replace("name: tiny", f"name: {name}")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


#: How airsim is started: as the user does, or with runs that are made up (see there).
PROGRAMS = {"real": ("-m", "airsim.cli"), "stub": (str(STUB),)}


def start(*arguments, job="real", **how) -> subprocess.Popen:
    """Start airsim in a process group of its own; `job` is one of `PROGRAMS`."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", **how.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, *PROGRAMS[job], *map(str, arguments), "--lang", "en"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
        **how,
    )


def finish(process: subprocess.Popen, timeout=300) -> str:
    """Wait for a process; return what it said."""
    try:
        said, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    text = said.decode("utf-8", "replace")
    assert "Traceback" not in text, text
    return text


def batch(*arguments, code=0, **how) -> str:
    """Run a batch to its end."""
    process = start("batch", *arguments, **how)
    said = finish(process)
    assert process.returncode == code, said
    return said


def refused(*arguments) -> str:
    """Return what a batch says that ends with code 2 before it starts a process; it runs in this one."""
    said = CliRunner().invoke(app, ["batch", *map(str, arguments), "--lang", "en"])
    assert said.exit_code == 2, said.output
    return said.output


def variables(path: Path) -> dict[str, str]:
    """Return a hash of the bytes of every variable of a NetCDF file, groups and all."""
    found = {}

    def walk(group):
        for name, variable in group.variables.items():
            variable.set_auto_mask(False)
            variable.set_auto_scale(False)
            values = variable[...]
            raw = repr(values.tolist()).encode() if values.dtype == object else values.tobytes()
            found[f"{group.path}/{name}"] = hashlib.sha256(raw).hexdigest()
        for inner in group.groups.values():
            walk(inner)

    with netCDF4.Dataset("r", memory=path.read_bytes()) as file:
        walk(file)
    assert found
    return found


def results(out: Path) -> dict[str, dict[str, str]]:
    """Return `variables` of every result of a batch."""
    return {f.parent.name: variables(f) for f in sorted(out.glob("*/result.nc"))}


def leftovers(out: Path) -> list[Path]:
    """Return what an unfinished write left behind."""
    return [p for p in out.rglob("*") if p.name.endswith(".part")]


def undisturbed(factory, job="real") -> Path:
    """Return a folder with ``sweep.yaml`` (four scenarios), run to its end in ``out``; ``said.txt`` is what it said."""

    def make(folder):
        said = batch(swept(folder, [10, 20], seeds=[7, 8]), "--out", folder / "out", "--workers", 2, job=job)
        (folder / "said.txt").write_text(said, encoding="utf-8")

    return shared_runs.once(factory, f"sweep-{job}", make)
