"""What many scenarios share, made once: weather in a file of the batch, place and inventory in each worker."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from airsim import case
from airsim.cache.keys import Contents, key_of
from airsim.errors import InputError
from airsim.files import writing
from airsim.scenario import Scenario

if TYPE_CHECKING:
    import xarray as xr

    from airsim.geography import Geography
    from airsim.inventory import Inventory

#: Blocks of a scenario that the weather follows from.
WEATHER = ("period", "domain", "meteorology")


class Store:
    """Makes what a scenario names, once for all scenarios that name the same (`airsim.simulation.Maker`).

    Weather goes into a file named by the hash of its content's causes, for other workers and the next batch; a file
    that is damaged or cut short is made again. Place and inventory take less time to make than to read back, so each
    worker keeps the last ones in memory.

    Parameters
    ----------
    folder : Path
        The cache of the batch.
    keep : frozenset of str
        Keys of the weather that more than one scenario wants: only these are written.
    """

    def __init__(self, folder: Path, keep: frozenset[str] = frozenset()) -> None:
        self._folder, self.keep = Path(folder), keep
        self._contents = Contents()
        self._last: dict[str, tuple[str, Any]] = {}

    def place(self, scenario: Scenario) -> Geography:
        """Return the grid and what stands on it."""
        return self._once("place", scenario, ("domain",), lambda: case.place(scenario))

    def inventory(self, scenario: Scenario, place: Geography) -> Inventory:
        """Return the base inventory."""
        return self._once("inventory", scenario, ("domain", "inputs"), lambda: case.inventory(scenario, place))

    def weather(self, scenario: Scenario, place: Geography) -> xr.Dataset:
        """Return the weather of the spin-up and the period."""

        def make() -> xr.Dataset:
            key = weather_key(scenario, self._contents)
            path = self._folder / f"weather-{key[:24]}.npz"
            found = _read(path, key)
            if found is None:
                # let go of the last one first: two at once is what memory was not planned for
                self._last.pop("weather", None)
                found = case.weather(scenario, place)
                if key in self.keep:
                    _write(path, found, key)
            return found

        return self._once("weather", scenario, WEATHER, make)

    def _once(self, kind: str, scenario: Scenario, blocks: tuple[str, ...], make: Callable[[], Any]) -> Any:
        key = key_of(kind, scenario, blocks, self._contents)
        if kind in self._last and self._last[kind][0] == key:
            return self._last[kind][1]
        made = make()
        self._last[kind] = (key, made)
        return made


def weather_key(scenario: Scenario, contents: Contents | None = None) -> str:
    """Return the hash of what the weather follows from."""
    return key_of("weather", scenario, WEATHER, contents)


def _write(path: Path, dataset: xr.Dataset, key: str) -> None:
    """Write a dataset as .npz, whole or not at all; every array carries a checksum.

    A cache that cannot be written (full disk) is no reason to fail: the next one makes it again.
    """
    about = {
        "key": key,
        "attrs": dict(dataset.attrs),
        "variables": {
            str(n): {"dims": list(v.dims), "attrs": dict(v.attrs), "coordinate": n in dataset.coords}
            for n, v in dataset.variables.items()
        },
    }
    arrays = {f"{i:03d}": v.to_numpy() for i, v in enumerate(dataset.variables.values())}
    try:
        header = np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8)
        with writing(path) as file:
            np.savez(file, about=header, allow_pickle=False, **arrays)
    except (OSError, InputError, TypeError, ValueError):
        # also weather whose attributes JSON cannot hold exactly
        return


def _read(path: Path, key: str) -> xr.Dataset | None:
    """Return the stored dataset; None if there is none, or none that is whole."""
    import xarray as xr

    try:
        with np.load(path, allow_pickle=False) as stored:
            about = json.loads(stored["about"].tobytes())
            if about["key"] != key:
                return None
            made = {
                name: xr.Variable(tuple(v["dims"]), stored[f"{i:03d}"], v["attrs"])
                for i, (name, v) in enumerate(about["variables"].items())
            }
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    coordinates = {n for n, v in about["variables"].items() if v["coordinate"]}
    return xr.Dataset(
        {n: v for n, v in made.items() if n not in coordinates},
        {n: v for n, v in made.items() if n in coordinates},
        about["attrs"],
    )
