"""Where airsim keeps what is dear to make and can be made again: weather, operators, compiled kernels."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

#: Where numba keeps the compiled kernels, see `compiled`.
NUMBA = "NUMBA_CACHE_DIR"


def folder() -> Path:
    """Return the folder; it need not exist yet.

    ``AIRSIM_CACHE`` if that is set, else ``airsim`` in the user's folder for such things (``LOCALAPPDATA`` on Windows,
    ``~/.cache`` or ``XDG_CACHE_HOME`` on Linux). It may be emptied at any time.
    """
    named = os.environ.get("AIRSIM_CACHE")
    if named:
        return Path(named)
    import platformdirs

    try:
        usual = Path(platformdirs.user_cache_dir("airsim", appauthor=False))
    except RuntimeError:  # a user without HOME and without an entry in passwd has no home
        return temporary()
    return usual if usual.is_absolute() else temporary()  # older platformdirs leave "~" as it is


def temporary() -> Path:
    """Return the folder of this user among the temporary ones, for who has no other."""
    return Path(tempfile.gettempdir()) / f"airsim-{_user()}"


def compiled() -> Path:
    """Return where the compiled kernels of this user are kept; it need not exist yet.

    What is kept there is executed: a cache that several people share has a folder for each of them.
    """
    return folder().absolute() / f"kernels-{_user()}"


def tell_numba() -> None:
    """Let numba keep compiled kernels in `compiled`, unless the user has named a folder (``NUMBA_CACHE_DIR``).

    And let its threads wait asleep, unless the user wants it otherwise (``OMP_WAIT_POLICY``).

    To be called before numba is imported; `airsim` itself does, so commands, Python and workers all pass here.
    """
    os.environ.setdefault(NUMBA, str(compiled()))
    # a thread that waits for another one lets other programs have its core: on a busy machine its spinning costs more
    # than all the arithmetic
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
