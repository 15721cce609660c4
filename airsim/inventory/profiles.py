"""When it is emitted: month, weekday and hour of the day, by sector."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from airsim import shipped
from airsim.clock import to_beijing

Floats = NDArray[np.float64]
"""Beijing time ahead of UTC."""
_KINDS = {"month": 12, "weekday": 7, "hour": 24}


class Profiles:
    """Temporal profiles by sector and subsector.

    Parameters
    ----------
    path : Path, optional
        Table with columns sector, subsector (empty = the whole sector), kind (month, weekday, hour), f00...,
        source, quality. Default: the shipped ``data/emissions/profiles.csv``.

    Raises
    ------
    ValueError
        A profile that is incomplete, negative or all zero, or a sector without its general profile.
    """

    def __init__(self, path: Path | None = None) -> None:
        table = pd.read_csv(
            path or shipped.path("data/emissions/profiles.csv"),
            encoding="utf-8-sig",
            keep_default_na=False,
            dtype=str,
        )
        self._factors: dict[tuple[str, str], dict[str, Floats]] = {}
        for line in table.to_dict("records"):
            kind = line["kind"]
            values = np.array([float(line[f"f{i:02d}"]) for i in range(_KINDS[kind])])
            if (values < 0).any() or not values.any():
                raise ValueError(f"profile {line['sector']} {line['subsector']} {kind} must be positive")
            self._factors.setdefault((line["sector"], line["subsector"]), {})[kind] = values
        for key, parts in self._factors.items():
            if set(parts) != set(_KINDS):
                raise ValueError(f"profile {key} lacks {sorted(set(_KINDS) - set(parts))}")
            if (key[0], "") not in self._factors:
                raise ValueError(f"sector {key[0]} has no general profile")

    def key(self, sector: str, subsector: str) -> tuple[str, str]:
        """Return the key of the profile that a source follows: its own, else its sector's.

        Raises
        ------
        KeyError
            The sector has none.
        """
        if (sector, subsector) in self._factors:
            return sector, subsector
        if (sector, "") not in self._factors:
            raise KeyError(f"no temporal profile for sector {sector}")
        return sector, ""

    def fraction(self, key: tuple[str, str], time: ArrayLike) -> Floats:
        """Share of the year's emission that falls into an hour.

        The product of the three factors, divided by its sum over the hours of that local calendar year, so
        that a whole year gives exactly 1 whatever its weekdays.

        Parameters
        ----------
        key : (sector, subsector)
            From `key`.
        time : (hours,) datetime64
            Start of the hour [UTC].

        Returns
        -------
        (hours,) ndarray
            [1 per hour].
        """
        local = to_beijing(np.atleast_1d(np.asarray(time, "datetime64[h]")))
        share = np.empty(len(local))
        year = local.astype("datetime64[Y]")
        for y in np.unique(year):
            every = _year(y)
            total = self._raw(key, every).sum()
            share[year == y] = self._raw(key, local[year == y]) / total
        return share

    def _raw(self, key: tuple[str, str], local: NDArray[np.datetime64]) -> Floats:
        parts = self._factors[key]
        month = local.astype("datetime64[M]").astype(int) % 12
        day = local.astype("datetime64[D]")
        weekday = (day.astype(int) + 3) % 7  # 1970-01-01 was a Thursday; 0 = Monday
        hour = (local - day).astype(int)
        result: Floats = parts["month"][month] * parts["weekday"][weekday] * parts["hour"][hour]
        return result


@lru_cache(maxsize=8)
def _year(year: np.datetime64) -> NDArray[np.datetime64]:
    hours: NDArray[np.datetime64] = np.arange(
        year.astype("datetime64[h]"), (year + 1).astype("datetime64[h]"), dtype="datetime64[h]"
    )
    return hours
