"""AERMET's surface file (.SFC) and profile file (.PFL), as the plume's weather.

Layouts: User's Guide for AERMET, EPA-454/B-24-004, tables of the output files. Hours are 1 to 24, each ending at
its number, local standard time of a zone that the file does not name.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from airsim.errors import InputError, Problem
from airsim.meteorology import boundary_layer as bl
from airsim.meteorology.source import HOUR
from airsim.tables import decode

_SURFACE = ("year", "month", "day", "day_of_year", "hour", "heat_flux", "friction_velocity", "convective_velocity",
            "gradient_above", "convective_height", "mechanical_height", "obukhov_length", "roughness_length", "bowen",
            "albedo", "wind_speed", "wind_from_direction", "wind_height", "air_temperature",
            "temperature_height", "precipitation_code", "precipitation", "relative_humidity", "pressure",
            "cloud")  # fmt: skip
_PROFILE = ("year", "month", "day", "hour", "height", "top", "wind_from_direction", "wind_speed", "air_temperature",
            "sigma_theta", "sigma_w")  # fmt: skip
_MISSING = {  # codes of each field; a calm (0, 0) is none of them
    "heat_flux": (-999.0,), "friction_velocity": (-9.0,), "convective_velocity": (-9.0,), "gradient_above": (-9.0,),
    "convective_height": (-999.0,), "mechanical_height": (-999.0,), "obukhov_length": (-99999.0,),
    "wind_speed": (999.0,), "wind_from_direction": (999.0,), "wind_height": (-9.0,), "air_temperature": (999.0,),
    "temperature_height": (-9.0,), "precipitation": (-9.0,), "relative_humidity": (999.0,),
    "pressure": (99999.0,), "cloud": (99.0,), "roughness_length": (-9.0,),
}  # fmt: skip
_MISSING_PROFILE = (99.0, 999.0, -99.0, -999.0)
NEUTRAL = 8000.0
"""|L| [m] from which on AERMET means neutral."""
_PLACE = re.compile(r"(\d+(?:\.\d+)?)\s*([NS])\s+(\d+(?:\.\d+)?)\s*([EW])", re.IGNORECASE)


def read_surface(path: Path, utc_offset: float) -> pd.DataFrame:
    """Read a surface file as the plume's meteorology table.

    Stable hours have no convective height and no w* by design. Hours of upward heat flux that lack them (no
    morning sounding) are not stable hours: their convective height is diagnosed by encroachment.

    Parameters
    ----------
    path : Path
    utc_offset : float
        Hours by which the file's local standard time is ahead of UTC.

    Returns
    -------
    DataFrame
        Index `time` (start of the hour, UTC); the columns of `airsim.plume.concentration`, and `heat_flux`
        [W m-2], `relative_humidity` [1], `cloud` [1], `precipitation` [mm], `status` ("ok", "calm", "missing")
        and `diagnosed` (names of the figures that the file lacks and that were diagnosed). Hours that are
        missing have no numbers; leave them out before a plume is computed.

    Raises
    ------
    InputError
        Lines that are not of this layout, hours that are doubled or out of order: all at once.
    """
    file = str(path)
    lines = decode(path).splitlines()
    begin = 0 if lines and _numbers(lines[0], len(_SURFACE)) else 1
    table, numbers = _table(file, lines, begin, len(_SURFACE))
    frame = pd.DataFrame(table, columns=list(_SURFACE))
    time = _start_of_hours(file, frame, numbers, utc_offset)
    _check_order(file, time, numbers)
    for name, codes in _MISSING.items():
        frame[name] = frame[name].mask(frame[name].isin(codes))
    up = ((frame["heat_flux"] > 0) & (frame["obukhov_length"] < 0)).to_numpy()
    missing = frame[["wind_speed", "friction_velocity", "obukhov_length", "air_temperature", "mechanical_height"]]
    calm = (frame["wind_speed"] == 0).to_numpy()
    # a calm hour has no stress and so no length: that is what calm means, not a gap
    gone = (missing.isna().any(axis=1) | frame["wind_from_direction"].isna()).to_numpy()
    lost = frame["wind_speed"].isna().to_numpy() | (gone & ~calm)
    status = np.where(lost, "missing", np.where(calm, "calm", "ok"))
    height, velocity, said = _convection(frame, up & ~lost & ~calm)
    wide = np.abs(frame["obukhov_length"]) >= NEUTRAL
    length = frame["obukhov_length"].mask(wide, np.sign(frame["obukhov_length"]) * bl.MAXIMUM_LENGTH)
    made = pd.DataFrame(
        {
            "wind_speed": frame["wind_speed"],
            "wind_height": frame["wind_height"],
            "wind_from_direction": frame["wind_from_direction"] % 360,
            "air_temperature": frame["air_temperature"],
            "mixing_height": np.where(up, np.fmax(height, frame["mechanical_height"]), frame["mechanical_height"]),
            "friction_velocity": frame["friction_velocity"],
            "obukhov_length": bl.limit_length(length),
            "convective_velocity": np.where(up, velocity, 0.0),
            "roughness_length": frame["roughness_length"],
            "heat_flux": frame["heat_flux"],
            "relative_humidity": frame["relative_humidity"] / 100,
            "cloud": frame["cloud"] / 10,
            "precipitation": frame["precipitation"],
            "status": status,
            "diagnosed": said,
        }
    ).set_axis(pd.Index(time, name="time"))
    figures = [c for c in made.columns if c not in {"status", "diagnosed"}]
    made.loc[lost, figures] = np.nan
    made.attrs["place"] = _place(lines[0]) if begin else None
    return made


def read_profile(path: Path, utc_offset: float) -> pd.DataFrame:
    """Read a profile file.

    Returns
    -------
    DataFrame
        Index `time` (start of the hour, UTC) and `height` [m]; columns wind_from_direction [deg], wind_speed
        [m s-1], air_temperature [K], sigma_theta [deg], sigma_w [m s-1]; NaN where missing. Hours may have
        different numbers of levels.

    Raises
    ------
    InputError
        As `read_surface`; also if the top flag does not close each hour.
    """
    file = str(path)
    table, numbers = _table(file, decode(path).splitlines(), 0, len(_PROFILE))
    frame = pd.DataFrame(table, columns=list(_PROFILE))
    time = _start_of_hours(file, frame, numbers, utc_offset)
    last = np.append(time[1:] != time[:-1], True)
    wrong = np.flatnonzero((frame["top"].to_numpy() == 1) != last)
    if len(wrong):
        said = "the top flag must be 1 on the last level of each hour and 0 below", "每小时最高层的标志须为 1，其余为 0"
        raise InputError([Problem(file, str(numbers[wrong[0]]), "top", str(int(frame["top"][wrong[0]])), *said)])
    for name in _PROFILE[6:]:
        frame[name] = frame[name].mask(frame[name].isin(_MISSING_PROFILE))
    frame["air_temperature"] += 273.15
    index = pd.MultiIndex.from_arrays([time, frame["height"]], names=["time", "height"])
    return frame.set_index(index)[list(_PROFILE[6:])]


def _numbers(line: str, least: int) -> list[float] | None:
    """Return a line's numbers; words that follow the numeric fields (NAD-OS NoSubs) are left."""
    words = line.split()
    try:
        return [float(w) for w in words[:least]] if len(words) >= least else None
    except ValueError:
        return None


def _table(file: str, lines: list[str], begin: int, fields: int) -> tuple[np.ndarray, list[int]]:
    problems, rows, numbers = [], [], []
    for number, line in enumerate(lines[begin:], begin + 1):
        if not line.strip():
            continue
        found = _numbers(line, fields)
        if found is None:
            said = f"must hold {fields} numbers", f"须含 {fields} 个数字"
            problems.append(Problem(file, str(number), "line", " ".join(line.split())[:60], *said))
        else:
            rows.append(found)
            numbers.append(number)
    if not rows and not problems:
        said = "no hours in it", "没有逐时数据"
        problems.append(Problem(file, "", "", "", *said))
    if problems:
        raise InputError(problems)
    return np.array(rows), numbers


def _start_of_hours(file: str, frame: pd.DataFrame, numbers: list[int], utc_offset: float) -> np.ndarray:
    year = frame["year"].to_numpy(int)
    year = np.where(year < 50, year + 2000, np.where(year < 100, year + 1900, year))
    hour = frame["hour"].to_numpy(int)
    date = pd.to_datetime({"year": year, "month": frame["month"], "day": frame["day"]}, errors="coerce")
    bad = np.flatnonzero(date.isna().to_numpy() | (hour < 1) | (hour > 24))
    if len(bad):
        k = int(bad[0])
        said = "must be a date and an hour from 1 to 24 (hour ending)", "须为日期及 1–24 的小时（小时末）"
        found = f"{year[k]}-{int(frame['month'][k])}-{int(frame['day'][k])} {hour[k]}"
        raise InputError([Problem(file, str(numbers[k]), "hour", found, *said)])
    offset = np.timedelta64(round(utc_offset * 3600), "s")
    return date.to_numpy("datetime64[ns]") + (hour - 1) * HOUR - offset


def _check_order(file: str, time: np.ndarray, numbers: list[int]) -> None:
    step = np.diff(time)
    problems = []
    for k in np.flatnonzero(step <= np.timedelta64(0)):
        said = (
            "hours must rise, each once (daylight saving? AERMET knows standard time only)",
            "时次须递增且不重复（须为标准时）",
        )
        problems.append(Problem(file, str(numbers[k + 1]), "hour", str(time[k + 1])[:16] + " UTC", *said))
    for k in np.flatnonzero(step > HOUR):
        n = int(step[k] / HOUR) - 1
        said = f"{n} hour(s) are absent before this line", f"该行之前缺 {n} 小时"
        problems.append(Problem(file, str(numbers[k + 1]), "hour", str(time[k + 1])[:16] + " UTC", *said))
    if problems:
        raise InputError(problems)


def _convection(frame: pd.DataFrame, up: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return convective height, w*, and what of them was diagnosed, hour by hour."""
    height = frame["convective_height"].to_numpy(float, copy=True)
    velocity = frame["convective_velocity"].to_numpy(float, copy=True)
    said = np.full(len(frame), "", object)
    absent = up & (np.isnan(height) | np.isnan(velocity))
    if not absent.any():
        return height, velocity, said
    heat = np.where(up, frame["heat_flux"].fillna(0.0), -1.0)
    temperature = frame["air_temperature"].ffill().bfill().to_numpy(float)
    pressure = frame["pressure"].fillna(bl.PRESSURE / 100).to_numpy(float) * 100
    morning = np.clip(frame["mechanical_height"].fillna(100.0).to_numpy(float), bl.MINIMUM_MIXING_HEIGHT, 300.0)
    dug = bl.encroachment(heat[:, None], temperature[:, None], morning[:, None], pressure=pressure[:, None])[:, 0]
    need = up & np.isnan(height)
    height = np.where(need, dug, height)
    made = bl.convective_velocity(heat, temperature, np.where(up, height, 1.0), pressure)
    velocity = np.where(up & np.isnan(velocity), made, velocity)
    said[absent] = "convective_velocity"
    said[need] = "mixing_height (encroachment), convective_velocity"
    return height, velocity, said


def _place(header: str) -> tuple[float, float] | None:
    """Return longitude and latitude of a header such as ``34.450N 108.750E``, if they are in it."""
    found = _PLACE.search(header)
    if found is None:
        return None
    latitude = float(found[1]) * (-1 if found[2].upper() == "S" else 1)
    longitude = float(found[3]) * (-1 if found[4].upper() == "W" else 1)
    return longitude, latitude
