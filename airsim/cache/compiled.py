"""The cache of compiled kernels: whatever has become of it, kernels are compiled again and nothing else happens.

numba believes what it finds there, and stops with an error of its own, or of the C library, where a file is cut short
or damaged. Here each file carries a checksum, and a file that cannot be written is left unwritten.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import pickle
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import numba
from numba.core import caching

from airsim import language
from airsim.cache import folder

_SUM = hashlib.sha256().digest_size


class _Checked(caching.IndexDataCacheFile):
    """Index and code of one kernel; whatever is not as it was written counts as not there."""

    def _load_index(self) -> dict[Any, Any]:
        with contextlib.suppress(Exception):
            version, stamp, overloads = pickle.loads(_whole(Path(self._index_path)))
            if (version, stamp) == (self._version, self._source_stamp):
                return dict(overloads)
        return {}

    def _save_index(self, overloads: dict[Any, Any]) -> None:
        self._write(self._index_path, self._dump((self._version, self._source_stamp, overloads)))

    def _load_data(self, name: str) -> Any:
        try:
            return pickle.loads(_whole(Path(self._data_path(name))))
        except Exception as error:  # pickle raises almost anything
            raise FileNotFoundError(name) from error  # what numba takes for a file that is not there

    def _save_data(self, name: str, data: Any) -> None:
        self._write(self._data_path(name), self._dump(data))

    def _write(self, path: str, content: bytes) -> None:
        # a full disk, or a folder of somebody else: the next run compiles again
        with contextlib.suppress(OSError), self._open_for_write(path) as file:
            file.write(content + hashlib.sha256(content).digest())


def _whole(path: Path) -> bytes:
    """Return what was written to a file, without its checksum.

    Raises
    ------
    OSError
        There is no such file, or another content than was written.
    """
    read = path.read_bytes()
    content, found = read[:-_SUM], read[-_SUM:]
    if hashlib.sha256(content).digest() != found:
        raise OSError(f"damaged: {path}")
    return content


def guard() -> None:
    """Make numba's cache harmless; every module of kernels calls this before its first kernel.

    A folder that cannot be written is named in one line on stderr, and another one of the user takes its place.
    """
    library, config = cast(Any, caching), cast(Any, numba.config)
    if library.IndexDataCacheFile is _Checked:
        return
    library.IndexDataCacheFile = _Checked
    # numba may have been imported before airsim: then it does not know the folder yet
    wanted = Path(config.CACHE_DIR or os.environ[folder.NUMBA]).absolute()
    said = _unusable(wanted)
    chosen = wanted
    if said:
        chosen = folder.temporary() / "kernels"
        if _unusable(chosen) or not _own(chosen.parent):
            chosen = Path(tempfile.mkdtemp(prefix="airsim-"))
            atexit.register(shutil.rmtree, chosen, ignore_errors=True)
        zh, en = (
            f"编译缓存文件夹 {wanted} 不可写（{said}），改用 {chosen}",
            f"the folder of compiled kernels {wanted} cannot be written ({said}); {chosen} is used",
        )
        if sys.stderr is not None:
            sys.stderr.write((zh if language.default() == "zh" else en) + "\n")
    # workers that are started from here need not find out again
    os.environ[folder.NUMBA] = config.CACHE_DIR = str(chosen)


def _unusable(path: Path) -> str:
    """Return why files cannot be put into a folder, which is made; empty if they can."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
        for inner in path.iterdir():  # numba keeps the kernels of each source folder in one of its own
            if inner.is_dir():
                tempfile.TemporaryFile(dir=inner).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _own(path: Path) -> bool:
    """Return whether a folder is this user's alone: in a folder for everyone, anyone may have made it."""
    if not hasattr(os, "getuid"):
        return True
    about = path.stat()
    return about.st_uid == os.getuid() and not about.st_mode & 0o022
