"""What a scenario's result follows from, as one hash: its settings, the content of its inputs, the physics."""

from __future__ import annotations

import re
from typing import Any

from airsim.cache.keys import Contents, digest, physics
from airsim.scenario import Scenario

_LOOKS_LIKE_A_FILE = re.compile(r"[./\\:*]")
#: Blocks of a scenario that the weather follows from.
WEATHER = ("period", "domain", "meteorology")


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
    """Return the content of the files that a name or wildcard stands for, in folders too; the text if it is neither."""
    try:
        path = scenario.resolve(text)
        if path.exists():
            return {"content": contents.of(path)}
        files = scenario.matches(text)
    except (OSError, ValueError):  # no text of a path: too long, a zero byte
        return text
    return {"content": [(f.name, contents.of(f)) for f in files]} if files else text


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
    return digest([version or physics(), settled(scenario, contents or Contents())])


def key_of(kind: str, scenario: Scenario, blocks: tuple[str, ...], contents: Contents | None = None) -> str:
    """Return the hash of some blocks of a scenario and the physics: the key of what follows from these alone."""
    whole = settled(scenario, contents or Contents())
    return digest([kind, physics(), {b: whole[b] for b in blocks}])


def weather_key(scenario: Scenario, contents: Contents | None = None) -> str:
    """Return the hash of what the weather follows from."""
    return key_of("weather", scenario, WEATHER, contents)
