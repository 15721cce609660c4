"""What many scenarios share, made once: weather in a file of the cache, place and inventory in each worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airsim.cache.keys import Contents
from airsim.cache.store import Store
from airsim.case import parts
from airsim.case.identity import WEATHER, key_of, weather_key
from airsim.scenario import Scenario

if TYPE_CHECKING:
    import xarray as xr

    from airsim.geography import Geography
    from airsim.inventory import Inventory


class Shared:
    """Makes what a scenario names, once for all scenarios that name the same (`airsim.case.Maker`).

    Weather goes into the cache, for other workers and the next batch. Place and inventory take less time to make than
    to read back, so each worker keeps the last ones in memory.

    Parameters
    ----------
    folder : Path
        The cache.
    keep : frozenset of str
        Keys of the weather that more than one scenario wants: only these are written.
    """

    def __init__(self, folder: Path, keep: frozenset[str] = frozenset()) -> None:
        self.store, self.keep = Store(folder), keep
        self._contents = Contents()
        self._last: dict[str, tuple[str, Any]] = {}

    def place(self, scenario: Scenario) -> Geography:
        """Return the grid and what stands on it."""
        return self._once("place", scenario, ("domain",), lambda: parts.place(scenario))

    def inventory(self, scenario: Scenario, place: Geography) -> Inventory:
        """Return the base inventory."""
        return self._once("inventory", scenario, ("domain", "inputs"), lambda: parts.inventory(scenario, place))

    def weather(self, scenario: Scenario, place: Geography) -> xr.Dataset:
        """Return the weather of the spin-up and the period."""

        def make() -> xr.Dataset:
            key = weather_key(scenario, self._contents)
            found = self.store.dataset("weather", key)
            if found is None:
                # let go of the last one first: two at once is what memory was not planned for
                self._last.pop("weather", None)
                found = parts.weather(scenario, place)
                if key in self.keep:
                    self.store.keep_dataset("weather", key, found)
            return found

        return self._once("weather", scenario, WEATHER, make)

    def _once(self, kind: str, scenario: Scenario, blocks: tuple[str, ...], make: Callable[[], Any]) -> Any:
        key = key_of(kind, scenario, blocks, self._contents)
        if kind in self._last and self._last[kind][0] == key:
            return self._last[kind][1]
        made = make()
        self._last[kind] = (key, made)
        return made
