"""What a scenario's result follows from, as one hash: its settings, the content of its inputs, the physics."""

from __future__ import annotations

from typing import Any

from airsim.cache.keys import Contents, digest, physics
from airsim.scenario import Scenario, files

#: Blocks of a scenario that the weather follows from.
WEATHER = ("period", "domain", "meteorology")


def settled(scenario: Scenario, contents: Contents) -> dict[str, Any]:
    """Return the settings of a scenario with the content of every file in place of its name.

    Raises
    ------
    InputError
        A file that cannot be read.
    """
    return files.settled(scenario, contents.of)


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
