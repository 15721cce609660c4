"""Where airsim keeps what is dear to make and can be made again: weather, operators, sensitivities."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path:
    """Return the folder; it need not exist yet.

    ``AIRSIM_CACHE`` if that is set, else ``airsim`` in the user's folder for such things (``LOCALAPPDATA`` on Windows,
    ``~/.cache`` elsewhere). It may be emptied at any time.
    """
    named = os.environ.get("AIRSIM_CACHE")
    if named:
        return Path(named)
    local = os.environ.get("LOCALAPPDATA") if os.name == "nt" else os.environ.get("XDG_CACHE_HOME")
    return (Path(local) if local else Path.home() / ".cache") / "airsim"
