"""Where the tables and scenarios that come with airsim lie, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "_shipped"


def path(relative: str) -> Path:
    """Return the path of a shipped file or folder, such as ``"data/emissions/enterprises.csv"``.

    Parameters
    ----------
    relative : str
        Path under the project's top folder, beginning with ``data/`` or ``configs/``.
    """
    root = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
    return root / relative
