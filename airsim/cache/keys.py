"""Hashes of what results follow from: files by their content, the physics, any plain values."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from airsim import shipped
from airsim.errors import InputError, Problem

#: Parts of airsim that speak, write or arrange, and leave the numbers as they are.
_NO_PHYSICS = {"cli.py", "commands", "console.py", "errors.py", "files.py", "language.py", "output"}
#: Of these, what makes numbers all the same: the headline of a result.
_PHYSICS = {"output/findings.py"}
_MOST_READ = 1 << 22


@cache
def physics() -> str:
    """Return a hash of the code, rules and coefficients that make numbers, and of the shipped data."""
    package = Path(__file__).resolve().parent.parent
    found = hashlib.sha256()
    for folder in (package, shipped.path("data")):
        for file in sorted(folder.rglob("*")):
            relative = file.relative_to(folder)
            silent = relative.parts[0] in _NO_PHYSICS and relative.as_posix() not in _PHYSICS
            if silent or relative.parts[0] == "_shipped" or "__pycache__" in relative.parts:
                continue
            if file.is_file() and file.suffix in {".py", ".yaml", ".csv", ".json", ".nc", ".npz", ".xlsx"}:
                found.update(relative.as_posix().encode() + b"\0")
                found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


class Contents:
    """Hashes of files, each read once as long as its size and date stay."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], str] = {}

    def of(self, path: Path) -> str:
        """Return the hash of a file, or of every file of a folder.

        Raises
        ------
        InputError
            It cannot be read.
        """
        try:
            if path.is_dir():
                files = sorted(f for f in path.rglob("*") if f.is_file())
                listing = [(f.relative_to(path).as_posix(), self.of(f)) for f in files]
                return hashlib.sha256(repr(listing).encode()).hexdigest()
            about = path.stat()
            key = (str(path), about.st_size, about.st_mtime_ns)
            if key not in self._known:
                found = hashlib.sha256()
                with path.open("rb") as file:
                    while part := file.read(_MOST_READ):
                        found.update(part)
                self._known[key] = found.hexdigest()
            return self._known[key]
        except OSError as error:
            said = error.strerror or str(error)
            raise InputError(
                [Problem(str(path), "", "", "", f"cannot be read: {said}", f"无法读取：{said}")]
            ) from error


def digest(value: Any) -> str:
    """Return the hash of values that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
