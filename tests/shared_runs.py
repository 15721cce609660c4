"""Runs that several test processes share: whoever comes first makes them, the others wait at a lock file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

#: How long a process waits for another one's run [s].
PATIENCE = 900


def once(factory, name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder of a run, made by `make(folder)` in the first process that asks for it.

    Parameters
    ----------
    factory : pytest.TempPathFactory
    name : str
        Of the folder.
    make : callable
        Fills the folder; called once in a test session, however many processes share the session.

    Raises
    ------
    AssertionError
        The process that came first failed.
    """
    base = factory.getbasetemp()
    # the processes of pytest-xdist have a folder each in that of the session
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / f"shared-{name}"
    done, failed = (folder.with_name(f"{folder.name}.{end}") for end in ("done", "failed"))
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        end = time.monotonic() + PATIENCE
        while not done.exists():
            assert not failed.exists(), f"the run '{name}' failed in another test process"
            assert time.monotonic() < end, f"waited {PATIENCE} s for the run '{name}'"
            time.sleep(0.1)
        return folder
    try:
        make(folder)
    except BaseException:
        failed.touch()
        raise
    done.touch()
    return folder
