"""EPW: a year of hours of one station for building simulation, mostly a typical year put together of months.

Crawley, Hand & Lawrie (1999), *Improving the weather information available to simulation programs*; the
EnergyPlus Auxiliary Programs manual. Hours are 1 to 24, each ending at its number, local standard time.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from airsim.errors import InputError, Problem
from airsim.meteorology.source import HOUR, Floats
from airsim.meteorology.stations import Stations, winds
from airsim.tables import Note, decode

_COLUMNS = {  # name -> column, values from which on it is missing
    "air_temperature": (6, 99.0),
    "relative_humidity": (8, 998.0),
    "shortwave": (13, 9000.0),
    "direction": (20, 998.0),
    "wind_speed": (21, 998.0),
    "cloud": (22, 98.0),
    "precipitation": (33, 998.0),
}


def is_epw(path: Path) -> bool:
    """Return whether a file is EPW, by its first line."""
    with path.open("rb") as file:
        return file.read(9).upper() == b"LOCATION,"


def read_epw(path: Path, start: Any = None, hours: int | None = None) -> Stations:
    """Read an EPW file.

    Parameters
    ----------
    path : Path
    start : datetime64, optional
        Start of the first hour wanted, UTC: a typical year is laid over these hours by month, day and hour.
        Without it the hours keep the year of their row, if all have one year, else the year 2001.
    hours : int, optional
        How many.

    Returns
    -------
    Stations
        Stamps are the starts of the hours, values means over the hour after.

    Raises
    ------
    InputError
        No header, or rows that are not of this layout: all of them.
    """
    file = str(path)
    rows = list(csv.reader(decode(path).splitlines()))
    head = rows[0] if rows else []
    begin = next((i for i, r in enumerate(rows[:12]) if r and r[0].strip().upper() == "DATA PERIODS"), None)
    if not head or head[0].strip().upper() != "LOCATION" or begin is None:
        said = (
            "not an EPW file: no LOCATION or no DATA PERIODS in the header",
            "不是 EPW：文件头缺 LOCATION 或 DATA PERIODS",
        )
        raise InputError([Problem(file, "1", "header", "", *said)])
    try:
        latitude, longitude, zone, altitude = (float(head[i]) for i in (6, 7, 8, 9))
    except (IndexError, ValueError) as error:
        said = "LOCATION must hold latitude, longitude, time zone, elevation", "LOCATION 行须含纬度、经度、时区、海拔"
        raise InputError([Problem(file, "1", "LOCATION", ",".join(head), *said)]) from error
    table, calendar = _rows(file, rows, begin + 1)
    notes: list[Note] = []
    years = sorted(set(calendar[:, 0].astype(int)))
    mixed = len(years) > 1 or (start is not None and _span_differs(start, hours or 0, zone, years))
    offset = np.timedelta64(round(zone * 3600), "s")
    local = _moments(calendar, years[0] if len(years) == 1 else 2001)
    order, time = np.arange(len(local)), local - offset
    if start is not None and mixed:
        order, time = _laid_over(calendar, np.datetime64(start, "ns"), hours or 8760, offset, file)
        text = f"{years[0]}-{years[-1]}" if len(years) > 1 else str(years[0])
        words = (
            f"EPW 为典型年（各月取自 {text}），按月、日、时套用到所模拟的年份，不是当时的真实天气",
            f"EPW is a typical year (months of {text}) laid over by month, day and hour: not the real weather",
        )
        notes.append(Note(*words))
    elif len(years) > 1:
        notes.append(Note("EPW 各月年份不一（典型年），记为 2001 年", "EPW of mixed years (typical year): dated 2001"))
    values = {k: table[k][order, None] for k in table}
    east, north = winds(values["wind_speed"], values["direction"])
    found = {
        "eastward_wind_10m": east,
        "northward_wind_10m": north,
        "air_temperature": values["air_temperature"] + 273.15,
        "relative_humidity": np.clip(values["relative_humidity"] / 100, 0, 1),
        "cloud_area_fraction": np.clip(values["cloud"] / 10, 0, 1),
        "surface_downwelling_shortwave_flux_in_air": np.maximum(values["shortwave"], 0),
        "precipitation_flux": np.maximum(values["precipitation"], 0) / 3600,
    }
    found = {k: v for k, v in found.items() if np.isfinite(v).any()}
    name = head[1].strip() or path.stem
    place = pd.DataFrame(
        {"name": [name], "longitude": longitude, "latitude": latitude, "altitude": altitude},
        index=pd.Index([path.stem], name="station"),
    )
    middle = dict.fromkeys(found, HOUR // 2)
    return Stations("EPW", file, time, place, found, middle, notes, actual=not mixed)


def _rows(file: str, rows: list[list[str]], begin: int) -> tuple[dict[str, Floats], Floats]:
    problems, numbers, calendar = [], [], []
    for line, row in enumerate(rows[begin:], begin + 1):
        if not any(c.strip() for c in row):
            continue
        try:
            date = [float(c) for c in row[:4]]
            _check_date(date)
            numbers.append([float(row[c]) if c < len(row) and row[c].strip() else np.nan for c, _ in _COLUMNS.values()])
            calendar.append(date)
        except (ValueError, IndexError):
            said = (
                "must begin with year, month, day, hour 1 to 24, and hold numbers",
                "须以年、月、日、时（1–24）开头，其余为数字",
            )
            problems.append(Problem(file, str(line), "row", ",".join(row)[:60], *said))
    if not numbers and not problems:
        said = "no hours in it", "没有逐时数据"
        problems.append(Problem(file, "", "DATA PERIODS", "", *said))
    if problems:
        raise InputError(problems)
    table = np.array(numbers)
    made = {}
    for k, (name, (_, missing)) in enumerate(_COLUMNS.items()):
        made[name] = np.where(table[:, k] >= missing, np.nan, table[:, k])
    return made, np.array(calendar)


def _check_date(date: list[float]) -> None:
    if not (1 <= date[1] <= 12 and 1 <= date[2] <= 31 and 1 <= date[3] <= 24):
        raise ValueError(date)


def _moments(calendar: Floats, year: int) -> np.ndarray:
    """Return the starts of the hours, local standard time."""
    months = np.array([f"{year:04d}-{int(m):02d}" for m in calendar[:, 1]], "datetime64[M]").astype("datetime64[D]")
    days = months + (calendar[:, 2].astype(int) - 1)
    result: np.ndarray = days.astype("datetime64[ns]") + (calendar[:, 3].astype(int) - 1) * HOUR
    return result


def _span_differs(start: Any, hours: int, zone: float, years: list[int]) -> bool:
    first = np.datetime64(start, "ns") + np.timedelta64(round(zone * 3600), "s")
    last = first + max(hours - 1, 0) * HOUR
    return {int(str(t)[:4]) for t in (first, last)} != set(years)


def _laid_over(
    calendar: Floats, start: Any, hours: int, offset: np.timedelta64, file: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the row of each hour by month, day and hour; 29 February takes the 28th."""
    where = {tuple(row): i for i, row in enumerate(calendar[:, 1:4].astype(int).tolist())}
    time = start + np.arange(-1, hours + 1) * HOUR
    local = pd.DatetimeIndex(time + offset)
    order, problems = [], []
    for month, day, hour in zip(local.month, local.day, local.hour, strict=True):
        row = where.get((month, day, hour + 1))
        if row is None and (month, day) == (2, 29):
            row = where.get((2, 28, hour + 1))
        if row is None:
            said = "this hour is not in the file", "文件中没有该小时"
            problems.append(Problem(file, "", "time", f"{month:02d}-{day:02d} {hour:02d}:00", *said))
            row = 0
        order.append(row)
    if problems:
        raise InputError(problems[:1])
    return np.array(order), time
