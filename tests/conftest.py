"""Shared by all tests: compiled kernels, the small case as a file, and the shipped tables to spoil."""

import os
from pathlib import Path

# Test processes share the cores among themselves: a second thread in each would wait for its core most of the time.
# Numerical libraries read this when they are imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    for library in ("NUMBA", "OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import pytest
from cases import SHORT
from shared_runs import once

import airsim
from airsim import shipped


def _compile_box(folder: Path) -> None:
    from batches import TINY

    path = folder / "hour.yaml"
    path.write_text(TINY.replace("end: 2019-01-03", "end: 2019-01-02T01:00"), encoding="utf-8")
    airsim.run(airsim.load(path))


def _compile_plume(folder: Path) -> None:
    import pandas as pd

    source = {"x": 0.0, "y": 0.0, "height": 50.0, "diameter": 2.0, "exit_velocity": 10.0, "exit_temperature": 400.0}
    hour = {
        "wind_speed": 3.0, "wind_height": 10.0, "wind_from_direction": 270.0, "air_temperature": 283.0,
        "mixing_height": 800.0, "friction_velocity": 0.3, "obukhov_length": -50.0, "convective_velocity": 1.0,
        "roughness_length": 0.1,
    }  # fmt: skip
    meteorology = pd.DataFrame([hour], index=pd.DatetimeIndex(["2019-01-01T04:00"], name="time"))
    receptors = pd.DataFrame({"x": [1000.0], "y": [0.0], "z": [1.5]})
    airsim.plume.concentration(pd.DataFrame([{**source, "rate": 1.0}]), receptors, meteorology)


@pytest.fixture(scope="session", autouse=True)
def _compiled(tmp_path_factory):
    """Let test processes that start without compiled kernels share the work instead of each doing all of it."""
    process = os.environ.get("PYTEST_XDIST_WORKER")
    if process is None or os.environ.get("NUMBA_DISABLE_JIT"):
        return
    rooms = {"region": _compile_box, "plume": _compile_plume}
    for room in rooms if process == "gw0" else reversed(rooms):
        once(tmp_path_factory, f"compiled-{room}", rooms[room])


@pytest.fixture
def scenario_file(tmp_path: Path) -> Path:
    """Return a small scenario with every block, in a folder of its own."""
    path = tmp_path / "short.yaml"
    path.write_text(SHORT, encoding="utf-8")
    return path


@pytest.fixture
def spoil(tmp_path: Path):
    """Copy a shipped table with one text replaced; returns the copy."""

    def change(name: str, old: str, new: str) -> Path:
        text = shipped.path(f"data/emissions/{name}").read_text(encoding="utf-8-sig")
        assert text.count(old) >= 1, old
        path = tmp_path / name
        path.write_text(text.replace(old, new, 1), encoding="utf-8-sig")
        return path

    return change
