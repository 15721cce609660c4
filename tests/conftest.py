"""Shared by all tests: the small case as a file, and the shipped tables to spoil."""

from pathlib import Path

import pytest
from cases import SHORT

from airsim import shipped


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
