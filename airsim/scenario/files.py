"""The one list of the files that a scenario names: from it follow existence checks, identity and provenance."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, PrivateAttr

from airsim import shipped
from airsim.scenario.kinds import Block

Content = Literal["measured", "derived", "estimated", "reported", "modelled", "rule"]
Key = tuple[str | int, ...]


@dataclass(frozen=True)
class File:
    """Mark of a field that names a file: ``Annotated[str, File(...)]``.

    Attributes
    ----------
    content : str
        How such a file's figures come about.
    en, zh : str
        What the file is called.
    wildcard : bool
        The text may be a pattern that stands for several files.
    ending : tuple of str
        If given, only a text with one of these endings is a file; any other is the id of something shipped.
    """

    content: Content
    en: str
    zh: str
    wildcard: bool = False
    ending: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScenarioFile:
    """One file that a scenario names.

    Attributes
    ----------
    path : Path
        Where it is, or would be.
    key : tuple
        Its place in the scenario, such as ``("measures", 0, "list")``.
    line : str
        Line of that place in the scenario file; empty for a default.
    about : File
        What kind of file it is.
    given : str
        The text of the scenario.
    inside : str
        Path below the part of the text that holds no wildcard; the name of the file where there is none.
    """

    path: Path
    key: Key
    line: str
    about: File
    given: str
    inside: str


def named(kind: Any, value: Any, key: Key = ()) -> Iterator[tuple[Key, File, str]]:
    """Yield (key, mark, text) of every text under `value` that names a file.

    Parameters
    ----------
    kind : type
        What the schema declares for the value: a block, or an annotation with blocks or `File` marks in it.
    value : object
        A checked block, or the plain tree of one that may be wrong.
    key : tuple
        Place of the value in the scenario.
    """
    if isinstance(value, BaseModel):
        for name, known in type(value).model_fields.items():
            yield from named(Annotated[known.annotation, *known.metadata, None], getattr(value, name), (*key, name))
    elif isinstance(value, Mapping):
        block = _block_of(kind, value)
        for name, entry in value.items():
            field = block.model_fields.get(name) if block else None
            if field is not None:
                yield from named(Annotated[field.annotation, *field.metadata, None], entry, (*key, str(name)))
            elif block is None:
                yield from named(kind, entry, (*key, str(name)))
    elif isinstance(value, list | tuple):
        for i, entry in enumerate(value):
            yield from named(kind, entry, (*key, i))
    elif isinstance(value, str):
        mark = next((part for part in _parts(kind) if isinstance(part, File)), None)
        if mark and (not mark.ending or value.lower().endswith(mark.ending)):
            yield key, mark, value


def _parts(kind: Any) -> Iterator[Any]:
    """Yield an annotation and everything it is put together from."""
    yield kind
    for part in get_args(kind):
        yield from _parts(part)


def _block_of(kind: Any, value: Mapping[Any, Any]) -> type[BaseModel] | None:
    """Return the block that a mapping is meant as: told by its type or kind where there are several."""
    blocks = [p for p in _parts(kind) if isinstance(p, type) and issubclass(p, BaseModel)]
    for block in blocks:
        for tag in ("type", "kind"):
            if tag in block.model_fields and value.get(tag) not in get_args(block.model_fields[tag].annotation):
                break
        else:
            return block
    return None


class NamesFiles(Block):
    """A block at the top of a scenario file: knows the file it is from, and the files it names."""

    _file: str = PrivateAttr("")
    _lines: dict[Key, str] = PrivateAttr(default_factory=dict)
    _maker: Callable[[Any], Any] | None = PrivateAttr(None)

    def made_by(self, maker: Callable[[Any], Any]) -> None:
        """Say who makes what this scenario names; `airsim.load` does."""
        self._maker = maker

    def case(self) -> Any:
        """Return what this scenario names, made: a new `airsim.case.Case`.

        Raises
        ------
        TypeError
            Nobody has said who makes it.
        """
        if self._maker is None:
            raise TypeError("load the scenario with airsim.load: nobody has said who makes what it names")
        return self._maker(self)

    @property
    def file(self) -> str:
        """The file this scenario was loaded from; empty if it was made in Python."""
        return self._file

    def line(self, *key: str | int) -> str:
        """Return the line of a key of the file, such as ``("measures", 0)``; empty if it isn't in it."""
        return self._lines.get(key, "")

    def resolve(self, name: str) -> Path:
        """Return the path of an input named in the file: relative to it, or ``shipped:`` with airsim."""
        return resolve(name, self.file)

    def matches(self, name: str) -> list[Path]:
        """Return the files that a name or a wildcard (``*``, ``?``, ``[...]``, ``**``) stands for, sorted."""
        return matches(self.resolve(name))

    def files(self) -> list[ScenarioFile]:
        """Return every file that the scenario names, in its order; a wildcard's files one by one.

        A name or wildcard that nothing answers to stands once, with the path where it was looked for.
        """
        found = []
        for key, about, given in named(type(self), self):
            path = self.resolve(given)
            hits = (matches(path) if about.wildcard else []) or [path]
            fixed = _fixed(path)
            for hit in hits:
                inside = hit.relative_to(fixed).as_posix() if len(hits) > 1 or hit != path else hit.name
                found.append(ScenarioFile(hit, key, self.line(*key), about, given, inside))
        return found


def resolve(name: str, file: str) -> Path:
    """Return the path of a name in a scenario file: relative to the file, or ``shipped:`` with airsim."""
    if name.startswith("shipped:"):
        return shipped.path("data/" + name.removeprefix("shipped:"))
    return (Path(file).parent / name) if file else Path(name)


def matches(path: Path) -> list[Path]:
    """Return the files that a path or a wildcard stands for, sorted."""
    # a name that is there as it stands may hold brackets
    hits = [path] if path.is_file() else [Path(p) for p in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207
    return [p for p in hits if p.is_file()]


def _fixed(path: Path) -> Path:
    """Return the folders of a pattern before its first wildcard."""
    before = []
    for part in path.parts[:-1]:
        if glob.has_magic(part):
            break
        before.append(part)
    return Path(*before)


def settled(scenario: NamesFiles, content_of: Callable[[Path], str]) -> dict[str, Any]:
    """Return the settings of a scenario with the content of every file in place of its name.

    Parameters
    ----------
    scenario : Scenario
        Its sweep is left out: each of its members is a scenario of its own.
    content_of : callable
        Path of a file -> hash of its content.

    Returns
    -------
    dict
        The scenario in JSON types.  A file is ``{"content": hash}``; a wildcard ``{"content": [[name, hash], ...]}``,
        names below the part of the text that holds no wildcard.  A file that is not there keeps its name.
    """
    dump: dict[str, Any] = scenario.model_dump(mode="json", exclude={"sweep"})
    by_key: dict[Key, list[ScenarioFile]] = {}
    for file in scenario.files():
        by_key.setdefault(file.key, []).append(file)
    for key, files in by_key.items():
        *way, last = key
        node: Any = dump
        for step in way:
            node = node[step]
        if not files[0].path.is_file():
            continue
        if len(files) == 1 and files[0].path == scenario.resolve(files[0].given):
            node[last] = {"content": content_of(files[0].path)}
        else:
            node[last] = {"content": [[f.inside, content_of(f.path)] for f in files]}
    return dump
