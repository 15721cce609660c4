"""The one run that all oracles look at, made once whatever the number of test processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import made_case
import openpyxl
import pytest
import xarray as xr
from shared_runs import once


def _make(folder):
    """Run the case as a batch of one: result, workbook and the batch's summary from one run."""
    path = made_case.write(folder)
    command = [sys.executable, "-m", "airsim.cli", "batch", str(path), "--out", str(folder / "out"), "--workers", "1"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    ended = subprocess.run([*command, "--lang", "en"], capture_output=True, env=environment, check=False)
    assert ended.returncode == 0, (ended.stdout + ended.stderr).decode("utf-8", "replace")


@pytest.fixture(scope="session")
def ran(tmp_path_factory):
    """Folder, tree, workbook, summary and run.json of the oracles' case."""
    folder = once(tmp_path_factory, "oracle", _make)
    done = folder / "out" / "oracle"
    tree = xr.open_datatree((done / "result.nc").read_bytes())
    with xr.open_dataset((folder / "out" / "summary.nc").read_bytes()) as opened:
        summary = opened.load()
    return SimpleNamespace(
        folder=folder,
        tree=tree,
        summary=summary,
        book=openpyxl.load_workbook(done / "tables.xlsx"),
        summary_book=openpyxl.load_workbook(folder / "out" / "summary.xlsx"),
        record=json.loads((done / "run.json").read_text(encoding="utf-8")),
    )


@pytest.fixture(scope="session")
def tree(ran):
    return ran.tree
