"""Files in the exact layout of the national station releases (one file a day or more), for the readers' tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

#: The rows of one hour, in the order of the releases.
CITY_TYPES = ("AQI", "PM2.5", "PM2.5_24h", "PM10", "PM10_24h", "SO2", "SO2_24h", "NO2", "NO2_24h", "O3", "O3_24h",
              "O3_8h", "O3_8h_24h", "CO", "CO_24h")  # fmt: skip


def wide(
    places: Sequence[str],
    days: Sequence[dt.date],
    value,
    *,
    types: Sequence[str] = CITY_TYPES,
    hours: Sequence[int] = range(24),
    absent: Sequence[tuple[dt.date, int]] = (),
    header: bool = True,
    end: str = "\n",
) -> str:
    """Return the text of a file; `value(place, day, hour, type)` gives a cell, None an empty one."""
    lines = ["date,hour,type," + ",".join(places)] if header else []
    for day in days:
        for hour in hours:
            if (day, hour) in absent:
                continue
            for kind in types:
                cells = [value(p, day, hour, kind) for p in places]
                lines.append(f"{day:%Y%m%d},{hour},{kind}," + ",".join("" if c is None else str(c) for c in cells))
    return end.join(lines) + end


def plain(numbers: Mapping[str, float] | None = None):
    """Return a `value` that gives each type the same number everywhere, larger by the hour."""
    base = {"AQI": 60, "PM2.5": 40, "PM10": 70, "SO2": 10, "NO2": 30, "O3": 20, "CO": 0.8} | dict(numbers or {})

    def value(place, day, hour, kind):
        name = kind.split("_")[0]
        return round(base[name] + (0.01 if name == "CO" else 1) * hour, 2)

    return value
