"""NOAA ISD-Lite: hourly surface weather of one station and year, UTC, plain or gzipped.

Smith, Lott & Vose (2011), BAMS 92, 704; the layout is that of the archive's isd-lite-format.txt.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from airsim.errors import InputError, Problem
from airsim.meteorology import boundary_layer as bl
from airsim.meteorology.source import HOUR, Floats
from airsim.meteorology.stations import LIMITS, Stations, winds
from airsim.tables import Column, Note, read_table

_FIELDS = ("air_temperature", "dew_point", "pressure", "direction", "wind_speed", "sky", "rain_1h", "rain_6h")
_OKTAS = {9: 8, 10: 4, 11: 3, 12: 3, 13: 3, 14: 6, 15: 6, 16: 6, 17: 8, 18: 8, 19: 8}
"""Sky codes beyond the eighths: obscured, partly obscured, scattered, broken, overcast (thin, plain, dark)."""
_LINE = re.compile(r"^\s*\d{4}\s+\d{1,2}\s+\d{1,2}\s+\d{1,2}(\s+-?\d+){8}\s*$")

STATIONS = (
    Column("station", "站号", kind="identifier", required=True, aliases=("USAF", "station_id", "区站号", "站点")),
    Column("wban", "WBAN", kind="text", aliases=("WBAN",), about="second half of an ISD station's name"),
    Column("name", "站名", kind="text", aliases=("STATION NAME", "station_name")),
    Column("longitude", "经度", required=True, minimum=-180, maximum=180, aliases=("LON", "lon")),
    Column("latitude", "纬度", required=True, minimum=-90, maximum=90, aliases=("LAT", "lat")),
    Column("altitude", "海拔", unit="m", aliases=("ELEV(M)", "ELEV", "elevation", "海拔高度", "观测场海拔")),
)
"""Layout of the list that says where stations are; NOAA's isd-history.csv is one."""


def is_isd(path: Path) -> bool:
    """Return whether a file is ISD-Lite, by its first line."""
    try:
        with _open(path) as file:
            first = file.readline().decode("ascii", "replace")
    except (OSError, EOFError):
        return False
    return bool(_LINE.match(first))


def _open(path: Path) -> gzip.GzipFile:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def read_isd(files: Sequence[Path], station_list: Path | None) -> Stations:
    """Read ISD-Lite files, named ``USAF-WBAN-YEAR``, of any stations and years.

    Parameters
    ----------
    files : sequence of Path
    station_list : Path or None
        Table of `STATIONS`: the files themselves do not say where a station is.

    Raises
    ------
    InputError
        No list, a station that it lacks, or lines that are not of this layout.
    """
    if station_list is None:
        said = (
            "ISD-Lite doesn't say where its stations are: give a station list (isd-history.csv will do)",
            "ISD-Lite 不含站点位置：请给出站点表 station_list（可用 isd-history.csv）",
        )
        raise InputError([Problem(str(files[0]), "", "station_list", "", *said)])
    places = read_places(station_list)
    rows, problems, names = [], [], []
    for path in files:
        name = path.name.removesuffix(".gz").removesuffix(".txt")
        usaf, _, rest = name.partition("-")
        wban = rest.partition("-")[0]
        key = next((k for k in (f"{usaf}-{wban}", usaf) if k in places.index), None)
        if key is None:
            said = f"not in the station list {station_list}", f"站点表 {station_list} 中没有该站"
            problems.append(Problem(str(path), "", "station", name, *said))
            continue
        try:
            rows.append(_read(path).assign(station=key))
            names.append(key)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return _stations([str(f) for f in files], pd.concat(rows), places.loc[list(dict.fromkeys(names))])


def read_places(path: Path) -> pd.DataFrame:
    """Return the station list: index station (also as USAF-WBAN), columns name, longitude, latitude, altitude."""
    table = read_table(path, STATIONS).frame
    keys = [f"{s}-{w}" if w else s for s, w in zip(table["station"], table["wban"], strict=True)]
    table = table.assign(altitude=table["altitude"].where(table["altitude"] > -900))
    frame = table[["name", "longitude", "latitude", "altitude"]].set_axis(pd.Index(keys, name="station"))
    plain = frame.set_axis(pd.Index(table["station"], name="station"))
    both = pd.concat([frame, plain])
    return both[~both.index.duplicated()]


def _read(path: Path) -> pd.DataFrame:
    """Return one file's rows: time and the fields in their own units, NaN where missing."""
    file = str(path)
    try:
        with _open(path) as stream:
            lines = stream.read().decode("ascii", "replace").splitlines()
    except (OSError, EOFError) as error:
        said = f"damaged or cut gzip file ({error})", f"gzip 文件已损坏或不完整（{error}）"
        raise InputError([Problem(file, "", "", "", *said)]) from error
    problems, rows = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if not _LINE.match(line):
            said = "must be 12 whole numbers: year month day hour and 8 values", "须为 12 个整数：年 月 日 时及 8 个值"
            problems.append(Problem(file, str(number), "line", line.strip()[:60], *said))
            continue
        rows.append([int(w) for w in line.split()])
    if problems or not rows:
        said = "no rows", "没有数据行"
        raise InputError(problems or [Problem(file, "", "", "", *said)])
    table = np.array(rows, float)
    moment = pd.to_datetime(
        {"year": table[:, 0], "month": table[:, 1], "day": table[:, 2], "hour": table[:, 3]}, errors="coerce"
    )
    if moment.isna().any():
        row = int(np.flatnonzero(moment.isna())[0])
        said = "no such date", "日期不存在"
        raise InputError([Problem(file, str(row + 1), "date", str(rows[row][:4]), *said)])
    frame = pd.DataFrame(table[:, 4:], columns=list(_FIELDS)).replace(-9999.0, np.nan)
    return frame.assign(time=moment.to_numpy("datetime64[ns]"))


def _stations(files: Sequence[str], rows: pd.DataFrame, places: pd.DataFrame) -> Stations:
    rows = rows.drop_duplicates(["time", "station"])
    time = np.sort(rows["time"].unique()).astype("datetime64[ns]")
    stations = places.index

    def table(values: pd.Series) -> Floats:
        wide = values.set_axis([rows["time"], rows["station"]]).unstack("station")
        return wide.reindex(index=time, columns=stations).to_numpy(float)

    celsius = table(rows["air_temperature"] / 10)
    low, high = LIMITS["air_temperature"]
    if np.nanmin(celsius) < low or np.nanmax(celsius) > high:
        said = f"must lie within {low:g} to {high:g} degC", f"应在 {low:g} 到 {high:g} ℃ 之间"
        found = f"{np.nanmin(celsius):g} to {np.nanmax(celsius):g}"
        raise InputError([Problem(files[0], "", "air_temperature", found, *said)])
    temperature = celsius + 273.15
    vapour = bl.saturation_pressure(table(rows["dew_point"] / 10) + 273.15)
    speed, direction = table(rows["wind_speed"] / 10), table(rows["direction"])
    east, north = winds(speed, direction)
    sky = rows["sky"].replace({float(k): float(v) for k, v in _OKTAS.items()}) / 8
    one, six = rows["rain_1h"], rows["rain_6h"]
    # a trace is no water; where only six hours are summed they are shared out, by the stamps of the hours
    hourly = table(one.where(one >= 0, one * 0) / 10)
    spread = table(six.where(six >= 0, six * 0) / 60)
    late = np.array([np.searchsorted(time, t + np.arange(6) * HOUR) for t in time]).clip(max=len(time) - 1)
    shared = spread[late[:, 0]]
    for k in range(1, 6):
        same = (time[late[:, k]] == time + k * HOUR)[:, None]
        shared = np.where(np.isnan(shared) & same, spread[late[:, k]], shared)
    rain = np.where(np.isnan(hourly), shared, hourly) / 3600
    values = {
        "eastward_wind_10m": east,
        "northward_wind_10m": north,
        "air_temperature": temperature,
        "relative_humidity": np.clip(bl.relative_humidity(vapour, temperature), 0, 1),
        "cloud_area_fraction": np.clip(table(sky), 0, 1),
        "precipitation_flux": rain,
    }
    values = {k: v for k, v in values.items() if np.isfinite(v).any()}
    notes = []
    variable = int((np.isnan(direction) & (speed > 0)).sum())
    if variable:
        words = (
            f"{variable} 个时次有风速而风向不定，按缺测处理",
            f"{variable} report(s) of wind with variable direction count as missing",
        )
        notes.append(Note(*words))
    name = files[0] + (f" (+{len(files) - 1})" if len(files) > 1 else "")
    return Stations("ISD-Lite", name, time, places, values, {"precipitation_flux": -HOUR // 2}, notes)
