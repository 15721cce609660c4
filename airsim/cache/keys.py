"""What a scenario's result follows from, as one hash: its settings, the content of its inputs, the physics."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from airsim import shipped
from airsim.errors import InputError, Problem
from airsim.scenario import Scenario

#: Parts of airsim that speak, write or arrange, and leave the numbers as they are.
_NO_PHYSICS = {
    "batch", "cache", "cli.py", "commands", "console.py", "errors.py", "files.py", "language.py", "output",
}  # fmt: skip
_LOOKS_LIKE_A_FILE = re.compile(r"[./\\:*]")
_MOST_READ = 1 << 22


@cache
def physics() -> str:
    """Return a hash of the code, rules and coefficients that make numbers, and of the shipped data."""
    package = Path(__file__).resolve().parent.parent
    found = hashlib.sha256()
    for folder in (package, shipped.path("data")):
        for file in sorted(folder.rglob("*")):
            relative = file.relative_to(folder)
            if relative.parts[0] in _NO_PHYSICS | {"_shipped"} or "__pycache__" in relative.parts:
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


def settled(scenario: Scenario, contents: Contents) -> dict[str, Any]:
    """Return the settings of a scenario with the content of every file in place of its name.

    Raises
    ------
    InputError
        A file that cannot be read.
    """
    dump = scenario.model_dump(mode="json", exclude={"sweep"})

    def walk(node: Any, top: str) -> Any:
        if isinstance(node, dict):
            return {k: walk(v, top or k) for k, v in node.items()}
        if isinstance(node, list):
            return [walk(v, top) for v in node]
        names_a_file = top in {"inputs", "meteorology"} or (
            isinstance(node, str) and _LOOKS_LIKE_A_FILE.search(node) and top not in {"name", "title", "period"}
        )
        return _content(scenario, node, contents) if isinstance(node, str) and names_a_file else node

    return {key: walk(value, key) for key, value in dump.items()}


def _content(scenario: Scenario, text: str, contents: Contents) -> Any:
    path = scenario.resolve(text)
    try:
        if path.exists():
            return {"content": contents.of(path)}
        if any(c in text for c in "*?["):
            files = sorted(path.parent.glob(path.name)) if path.parent.is_dir() else []
            return {"content": [(f.name, contents.of(f)) for f in files]} if files else text
    except (OSError, ValueError):  # no text of a path: too long, a zero byte
        pass
    return text


def identity(scenario: Scenario, contents: Contents | None = None, version: str = "") -> str:
    """Return the hash of everything that determines a scenario's result.

    Parameters
    ----------
    scenario : Scenario
    contents : Contents, optional
        Remembers what has been read.
    version : str
        Version of the physics; that of this airsim by default.

    Raises
    ------
    InputError
        An input cannot be read.
    """
    return _hash([version or physics(), settled(scenario, contents or Contents())])


def key_of(kind: str, scenario: Scenario, blocks: tuple[str, ...], contents: Contents | None = None) -> str:
    """Return the hash of some blocks of a scenario and the physics: the key of what follows from these alone."""
    whole = settled(scenario, contents or Contents())
    return _hash([kind, physics(), {b: whole[b] for b in blocks}])


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
