"""A plain table of station weather (xlsx or csv, Chinese or English headers), local time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from airsim.errors import InputError, Problem
from airsim.meteorology.isd import read_places
from airsim.meteorology.source import HOUR, Floats
from airsim.meteorology.stations import LIMITS, Stations, winds
from airsim.tables import Column, Note, Table, read_table

_BLANKS: dict[str, float | None] = {"m": None, "null": None, "缺测": None, "缺": None, "////": None, "///": None}
_TRACE: dict[str, float | None] = {**_BLANKS, "t": 0.0, "trace": 0.0, "微量": 0.0}

WEATHER = (
    Column("station", "站点", kind="identifier",
           aliases=("站号", "区站号", "站名", "测站", "station_id", "Station_Id_C", "区站号(字符)",
                    "站号(字符)", "站点编号")),
    Column("time", "时间", kind="text",
           aliases=("日期时间", "观测时间", "时次", "datetime", "资料时间", "valid", "时间戳"),
           about="2019-01-01 08:00; or date and hour, or year, month, day, hour in columns of their own",
           about_zh="2019-01-01 08:00；或另列日期与小时，或年、月、日、时四列"),
    Column("date", "日期", kind="text", aliases=("年月日",)),
    Column("year", "年", kind="text", aliases=("年份",)),
    Column("month", "月", kind="text", aliases=("Mon", "月份")),
    Column("day", "日", kind="text"),
    Column("hour", "小时", kind="text", aliases=("时", "钟点"), about="0 to 24; 24 is 0 of the next day",
           about_zh="0–24，24 时即次日 0 时"),
    Column("longitude", "经度", minimum=-180, maximum=180, aliases=("lon",)),
    Column("latitude", "纬度", minimum=-90, maximum=90, aliases=("lat",)),
    Column("altitude", "海拔", unit="m", aliases=("海拔高度", "elevation", "测站高度", "Alti", "拔海高度")),
    Column("wind_speed", "风速", unit="m s-1", blanks=_BLANKS, implied={"wspd": "km/h", "sknt": "knot"},
           aliases=("10米风速", "平均风速", "2分钟平均风速", "10分钟平均风速", "1分钟平均风速", "WIN_S_Avg_2mi",
                    "WIN_S_Avg_10mi", "WIN_S_Avg_1mi", "WIN_S", "wspd", "sknt"),
           about="at 10 m; wspd in km/h and sknt in knots, as the exports that name them so",
           about_zh="10 米；列名为 wspd 时按 km/h，sknt 时按节"),
    Column("wind_from_direction", "风向", kind="text",
           aliases=("10米风向", "2分钟平均风向", "10分钟平均风向", "1分钟平均风向", "wind_direction", "平均风向",
                    "WIN_D_Avg_2mi", "WIN_D_Avg_10mi", "WIN_D_Avg_1mi", "WIN_D", "wdir", "drct"),
           about="degrees, or NNW; 静风, C: calm; VRB: variable",
           about_zh="度，或 NNW、西北偏北；静风记 C，风向不定记 VRB"),
    Column("air_temperature", "气温", unit="degC", blanks=_BLANKS, implied={"tmpf": "degF", "tmpc": "degC"},
           aliases=("温度", "temperature", "温度/气温", "TEM", "temp", "tmpf", "tmpc", "干球温度")),
    Column("relative_humidity", "相对湿度", unit="%", blanks=_BLANKS,
           aliases=("湿度", "humidity", "RHU", "rhum", "relh")),
    Column("dew_point", "露点温度", unit="degC", blanks=_BLANKS, implied={"dwpf": "degF", "dwpc": "degC"},
           aliases=("露点", "dew_point_temperature", "DPT", "dwpt", "dwpf", "dwpc"),
           about="in place of humidity where that is missing", about_zh="无相对湿度时由其推算"),
    Column("cloud", "云量", unit="%", blanks=_BLANKS, aliases=("总云量", "cloud_cover", "CLO_Cov"),
           about="without a unit: tenths if never above 10", about_zh="未注单位且不超过 10 时按成计"),
    Column("precipitation", "降水量", unit="mm", blanks=_TRACE, implied={"p01i": "in", "p01m": "mm"},
           aliases=("降水", "小时降水量", "1小时降水量", "过去1小时降水量", "rain", "PRE_1h", "prcp", "p01i", "p01m"),
           about="of the hour before", about_zh="前一小时"),
    Column("shortwave", "太阳辐射", unit="W m-2", blanks=_BLANKS, aliases=("总辐射", "短波辐射", "solar_radiation"),
           about="of the hour before", about_zh="前一小时平均"),
    Column("mixing_height", "混合层高度", unit="m", blanks=_BLANKS, aliases=("边界层高度", "PBLH")),
)  # fmt: skip
"""Layout of a table of station weather."""

_POINTS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
_POINTS_ZH = ("北", "北东北", "东北", "东东北", "东", "东东南", "东南", "南东南",
              "南", "南西南", "西南", "西西南", "西", "西西北", "西北", "北西北")  # fmt: skip
_OTHER_ZH = {"东北偏北": 22.5, "东北偏东": 67.5, "东南偏东": 112.5, "东南偏南": 157.5,
             "西南偏南": 202.5, "西南偏西": 247.5, "西北偏西": 292.5, "西北偏北": 337.5}  # fmt: skip
_DIRECTIONS = {p: 22.5 * i for points in (_POINTS, _POINTS_ZH) for i, p in enumerate(points)} | _OTHER_ZH
_CALM = {"C", "CALM", "静风", "静", "999017"}
_NO_DIRECTION = {"NA", "N/A", "NAN", "-", "—", "/", "M", "NULL", "VRB", "不定", "风向不定", "缺测", "999001"}
_CODES = (-9999.0, -999.0, -99.0, 999.0, 999.9, 9999.0, 9999.9, 99999.0, 999999.0, 999990.0, 999998.0,
          999001.0, 999017.0, 32766.0, 32744.0, 32700.0)  # fmt: skip
"""What archives write for missing; counted only where the value could not be one."""
_MOMENT = re.compile(
    r"^\D{0,2}(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?[T\s_]*(?:(\d{1,2})(?:[:时点](\d{1,2})?(?:分)?(?::(\d{1,2})(?:\.0*)?)?)?)?"
    r"(Z|[+-]\d\d:?\d\d)?$"
)
_COMPACT = re.compile(r"^(\d{4})(\d\d)(\d\d)(\d\d)?(\d\d)?(\d\d)?$")


def read_station_tables(files: Sequence[Path], station_list: Path | None, utc_offset: float) -> Stations:
    """Read tables of station weather.

    Parameters
    ----------
    files : sequence of Path
    station_list : Path or None
        Where the stations are, if the tables do not say.
    utc_offset : float
        Hours by which the tables' clock is ahead of UTC: 8 for Beijing time.

    Raises
    ------
    InputError
        Everything that is wrong with the tables.
    """
    places = read_places(station_list) if station_list is not None else None
    problems: list[Problem] = []
    notes: list[Note] = []
    rows = []
    for path in files:
        try:
            rows.append(_read(read_table(path, WEATHER), places, utc_offset, notes))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    name = str(files[0]) + (f" (+{len(files) - 1})" if len(files) > 1 else "")
    return _stations(name, pd.concat(rows), notes)


def _read(table: Table, places: pd.DataFrame | None, utc_offset: float, notes: list[Note]) -> pd.DataFrame:
    """Return the rows of one table in SI units, with `time` [UTC] and the station's place."""
    frame, file = table.frame.copy(), table.sheet.file
    problems: list[Problem] = []
    notes += table.notes
    for name, zh in (("wind_speed", "风速"), ("wind_from_direction", "风向"), ("air_temperature", "气温")):
        if name not in table.columns:
            said = f"required column is missing (header '{name}' or '{zh}')", f"缺少必需列（列名 {zh} 或 {name}）"
            problems.append(Problem(file, "", name, "", *said))
    if not {"relative_humidity", "dew_point"} & set(table.columns):
        said = (
            "required column is missing (header 'relative_humidity' or '相对湿度', or a dew point)",
            "缺少必需列（列名 相对湿度 或 relative_humidity，或露点温度）",
        )
        problems.append(Problem(file, "", "relative_humidity", "", *said))
    own = set(table.columns)
    if "date" in own and not own & {"time", "hour"} and frame["date"].astype(str).str.contains(":").any():
        # a column called 日期 that holds date and hour is the column of times
        table.columns["time"] = table.columns["date"]
        table.frame["time"] = frame["time"] = frame["date"]
        own = set(table.columns)
    if "time" not in own and not {"date", "hour"} <= own and not {"year", "month", "day", "hour"} <= own:
        said = (
            "a column of times is required, or one of dates and one of hours, or year, month, day and hour",
            "须有时间列，或日期列加小时列，或年、月、日、时四列",
        )
        problems.append(Problem(file, "", "time", "", *said))
    if problems:
        raise InputError(problems)
    zones = set(table.zones.values())
    if zones and zones != {utc_offset}:
        utc_offset = zones.pop()
        notes.append(
            Note(
                f"{file}：按表头所注时区 UTC{utc_offset:+g} 读取",
                f"{file}: hours read as UTC{utc_offset:+g}, as the header says",
            )
        )
    frame["time"] = _times(table, utc_offset, problems)
    _missing_codes(table, frame, problems, notes)
    _humidity(table, frame, problems, notes)
    frame["direction"] = _directions(table, frame, problems)
    _place(table, frame, places, problems)
    if problems:
        raise InputError(problems)
    doubled = frame.duplicated(["station", "time"], keep=False)
    if doubled.any():
        again = frame[doubled].drop(columns=["date", "hour"]).drop_duplicates()
        row = again[again.duplicated(["station", "time"])].index
        if len(row):
            said = (
                "a second, different row for this station and hour; if the clock was put back (daylight saving), give "
                "standard time",
                "同一站点同一时次出现两行不同数据；若为夏令时拨回所致，请改用标准时",
            )
            raise InputError([table.problem(int(row[0]), "time", table.frame.loc[row[0], "time"], *said)])
        count = int(frame.duplicated(["station", "time"]).sum())
        notes.append(Note(f"{file}：{count} 行完全重复，已略过", f"{file}: {count} row(s) given twice, passed over"))
        frame = frame.drop_duplicates(["station", "time"])
    return frame


def _times(table: Table, utc_offset: float, problems: list[Problem]) -> pd.Series:
    frame = table.frame
    whole = "time" in table.columns
    days = frame["date"].tolist()
    if not whole and "date" not in table.columns:
        days = [
            "-".join(str(p).strip().removesuffix(".0") for p in parts)
            for parts in zip(frame["year"], frame["month"], frame["day"], strict=True)
        ]
    made = []
    for row, text, day, hour in zip(frame.index, frame["time"], days, frame["hour"], strict=True):
        written = str(text).strip() if whole else f"{str(day).split(' ')[0]} {_hour(hour)}"
        if whole and "hour" in table.columns and str(hour).strip() and len(written) <= 10:
            written = f"{written} {_hour(hour)}"
        moment = moment_of(written, utc_offset)
        if moment is None:
            said = (
                "must be a time such as 2019-01-01 08:00 (hours 0 to 24)",
                "须为时间，如 2019-01-01 08:00（小时 0–24）",
            )
            problems.append(table.problem(int(row), "time" if whole else "date", written, *said))
            moment = np.datetime64("NaT")
        made.append(moment)
    return pd.Series(np.array(made, "datetime64[ns]"), index=frame.index)


def _hour(value: object) -> str:
    text = str(value).strip().removesuffix(".0")
    return text if ":" in text or "时" in text or "点" in text else f"{text}:00"


def moment_of(text: str, utc_offset: float) -> np.datetime64 | None:
    """Return a time written in any of the usual ways, in UTC; None if it is none.

    24:00 is 00:00 of the next day. A zone written with the time counts, else `utc_offset` [h].
    """
    serial = re.fullmatch(r"\d{5}(?:\.\d+)?", text)
    if serial is not None:
        # Excel's days since 1899-12-30; its fractions miss the full hour by a few seconds
        minutes = round(float(text) * 1440)
        nearest = round(minutes / 60) * 60
        minutes = nearest if abs(minutes - nearest) <= 1 else minutes
        return np.datetime64("1899-12-30", "s") + np.timedelta64(int(minutes * 60 - utc_offset * 3600), "s")
    found = _COMPACT.match(text) or _MOMENT.match(text)
    if found is None:
        return None
    parts = found.groups()
    numbers = [int(p) if p else 0 for p in parts[:6]]
    year, month, day, hour, minute, second = numbers
    if minute == 59 and second == 59:
        # a time that was made from a fraction of a day
        hour, minute, second = hour + 1, 0, 0
    if not (hour < 24 and minute < 60 and second < 60) and (hour, minute, second) != (24, 0, 0):
        return None
    try:
        date = np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "ns")
    except ValueError:
        return None
    zone = parts[6] if len(parts) > 6 else None
    ahead = utc_offset * 60
    if zone == "Z":
        ahead = 0
    elif zone:
        digits = zone.replace(":", "")
        ahead = (int(digits[1:3]) * 60 + int(digits[3:5])) * (-1 if digits[0] == "-" else 1)
    return date + np.timedelta64(int(hour * 3600 + minute * 60 + second - ahead * 60), "s")


def _missing_codes(table: Table, frame: pd.DataFrame, problems: list[Problem], notes: list[Note]) -> None:
    """Blank the archives' codes for missing; refuse what can't be."""
    taken = 0
    for name, (low, high) in LIMITS.items():
        values = frame[name].to_numpy(float)
        if name not in table.columns:
            continue
        if name == "cloud" and not _has_unit(table, name) and np.nanmax(values, initial=0.0) <= 10:
            values = values * 10
            notes.append(
                Note(
                    f"{table.sheet.file}：云量未注单位，按成计",
                    f"{table.sheet.file}: cloud without unit, read as tenths",
                )
            )
        odd = np.isfinite(values) & ((values < low) | (values > high))
        code = odd & np.isin(np.round(values, 1), _CODES)
        taken += int(code.sum())
        for row in frame.index[odd & ~code]:
            said = f"must lie within {low:g} to {high:g}", f"应在 {low:g} 到 {high:g} 之间"
            problems.append(table.problem(int(row), name, frame.loc[row, name], *said))
        frame[name] = np.where(code, np.nan, values)
    if taken:
        words = (
            f"{table.sheet.file}：{taken} 个缺测码（如 999999、-9999）",
            f"{table.sheet.file}: {taken} code(s) for missing",
        )
        notes.append(Note(*words))


def _humidity(table: Table, frame: pd.DataFrame, problems: list[Problem], notes: list[Note]) -> None:
    """Fill humidity from the dew point where it is missing; refuse a fraction under a header of per cent.

    Saturation vapour pressure by Alduchov & Eskridge (1996), J. Appl. Meteorol. 35, 601-609, Eq. 21:
    6.1094 exp(17.625 t / (243.04 + t)) hPa, t in degC.
    """
    humidity = frame["relative_humidity"].to_numpy(float)
    if np.isfinite(humidity).sum() > 5 and np.nanmax(humidity) <= 1.0:
        said = (
            "all values lie within 0 to 1: if they are fractions, say so in the header, relative_humidity(0-1)",
            "各值均在 0–1 之间：若为小数，请在列名注明 相对湿度(0-1)",
        )
        problems.append(table.problem(int(frame.index[0]), "relative_humidity", humidity[0], *said))
    if "dew_point" not in table.columns:
        return
    temperature, dew = frame["air_temperature"].to_numpy(float), frame["dew_point"].to_numpy(float)
    dew = np.where(np.abs(dew) > 90.0, np.nan, dew)

    def saturation(t: Floats) -> Floats:
        return np.asarray(np.exp(17.625 * t / (243.04 + t)))

    made = np.clip(100.0 * saturation(dew) / saturation(temperature), 0.0, 100.0)
    filled = np.isnan(humidity) & np.isfinite(made)
    if filled.any():
        frame["relative_humidity"] = np.where(filled, made, humidity)
        file, count = table.sheet.file, int(filled.sum())
        notes.append(
            Note(f"{file}：{count} 行相对湿度由露点推算", f"{file}: humidity of {count} row(s) from the dew point")
        )


def _has_unit(table: Table, name: str) -> bool:
    j = table.columns.get(name)
    return j is not None and bool(re.search(r"[(（\[【]", str(table.sheet.rows[table.header_row][j])))


def _directions(table: Table, frame: pd.DataFrame, problems: list[Problem]) -> Floats:
    made = np.full(len(frame), np.nan)
    if "wind_from_direction" not in table.columns:
        return made
    for i, (row, text, speed) in enumerate(
        zip(frame.index, frame["wind_from_direction"], frame["wind_speed"], strict=True)
    ):
        word = str(text).strip().upper().removesuffix("风") if str(text).strip() != "静风" else "静风"
        if not word or word in _NO_DIRECTION:
            continue
        if word in _CALM:
            made[i] = 0.0
            if speed > 0.5:
                said = f"calm, but the wind speed is {speed:g} m/s", f"静风，但风速为 {speed:g} m/s"
                problems.append(table.problem(int(row), "wind_from_direction", text, *said))
            frame.loc[row, "wind_speed"] = 0.0
            continue
        degrees = _DIRECTIONS.get(word)
        if degrees is None:
            try:
                degrees = float(word.removesuffix("°").removesuffix("度"))
            except ValueError:
                degrees = -1.0
        if degrees in _CODES:
            continue
        if not 0 <= degrees <= 360:
            said = (
                "must be degrees 0 to 360, one of 16 points such as NNW, or 静风",
                "须为 0–360 度、16 方位（如 NNW）或静风",
            )
            problems.append(table.problem(int(row), "wind_from_direction", text, *said))
            continue
        made[i] = degrees
    return made


def _place(table: Table, frame: pd.DataFrame, places: pd.DataFrame | None, problems: list[Problem]) -> None:
    """Fill in where each row's station is, from the table or from the list."""
    frame["station"] = frame["station"].astype(str).str.strip()
    if "station" not in table.columns:
        frame["station"] = Path(table.sheet.file).stem
    if places is not None:
        known = places.reindex(frame["station"].unique())
        for name in known.index[known["longitude"].isna()]:
            row = int(frame.index[frame["station"] == name][0])
            said = "not in the station list", "站点表中没有该站"
            problems.append(table.problem(row, "station", name, *said))
        for column in ("longitude", "latitude", "altitude"):
            frame[column] = frame["station"].map(known[column]).astype(float)
        return
    lost = frame[["longitude", "latitude"]].isna().any(axis=1)
    if lost.any():
        said = (
            "where is the station? give longitude and latitude, or a station list (station_list)",
            "站点位置未知：请给出经度、纬度列，或站点表 station_list",
        )
        row = int(frame.index[lost][0])
        problems.append(table.problem(row, "longitude", frame.loc[row, "station"], *said))


def _stations(file: str, rows: pd.DataFrame, notes: list[Note]) -> Stations:
    place = rows.groupby("station", sort=False)[["longitude", "latitude", "altitude"]].first()
    place.insert(0, "name", place.index.to_numpy())
    time = np.sort(rows["time"].unique()).astype("datetime64[ns]")
    doubled = rows.duplicated(["station", "time"])
    if doubled.any():
        said = "this station and hour stand in more than one file", "该站该时次出现在多个文件中"
        row = rows[doubled].iloc[0]
        raise InputError([Problem(file, "", "time", f"{row['station']} {row['time']} UTC", *said)])

    def table(name: str) -> Floats:
        wide = rows.set_index(["time", "station"])[name].unstack("station")
        return wide.reindex(index=time, columns=place.index).to_numpy(float)

    speed, direction = table("wind_speed"), table("direction")
    direction = _with_last_direction(file, place, speed, direction, notes)
    east, north = winds(speed, direction)
    values = {
        "eastward_wind_10m": east,
        "northward_wind_10m": north,
        "air_temperature": table("air_temperature") + 273.15,
        "relative_humidity": np.clip(table("relative_humidity") / 100, 0, 1),
        "cloud_area_fraction": table("cloud") / 100,
        "precipitation_flux": table("precipitation") / 3600,
        "surface_downwelling_shortwave_flux_in_air": np.maximum(table("shortwave"), 0),
        "atmosphere_boundary_layer_thickness": table("mixing_height"),
    }
    values = {k: v for k, v in values.items() if np.isfinite(v).any()}
    sums = ("precipitation_flux", "surface_downwelling_shortwave_flux_in_air")
    return Stations("table", file, time, place, values, dict.fromkeys(sums, -HOUR // 2), notes)


def _with_last_direction(file: str, place: pd.DataFrame, speed: Floats, direction: Floats, notes: list[Note]) -> Floats:
    """Give winds without direction (variable, light) the last one of their station, so that their speed counts.

    Such hours are the stagnant ones: to leave them out would make the episode windier than it was.

    Raises
    ------
    InputError
        A station that reports wind but never its direction.
    """
    lost = np.isnan(direction) & (speed > 0)
    if not lost.any():
        return direction
    never = lost.any(0) & ~np.isfinite(np.where(speed > 0, direction, np.nan)).any(0)
    if never.any():
        said = "wind speeds without a single direction", "只有风速，没有任何风向"
        raise InputError(
            [Problem(file, "", "wind_from_direction", str(name), *said) for name in place.index[np.flatnonzero(never)]]
        )
    # a calm's 0 is no direction to be kept
    known = pd.DataFrame(np.where((speed > 0) & np.isfinite(direction), direction, np.nan)).ffill().bfill().to_numpy()
    count = int(lost.sum())
    words = (
        f"{file}：{count} 个时次有风速而无风向（风向不定），沿用该站上一时次的风向",
        f"{file}: {count} report(s) of wind without direction (variable) keep the station's last direction",
    )
    notes.append(Note(*words))
    return np.where(lost, known, direction)
