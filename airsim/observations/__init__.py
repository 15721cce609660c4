"""Hourly air-quality observations of cities and stations, from the files as they are published.

Three layouts are read: wide (CNEMC: date, hour, type, then one column a city or station), long (one row an hour and
place, one column a pollutant) and tidy (one row a value).  Times are Beijing time; the published hour h is the mean
of h-1 to h, so hour 0 belongs to the day before.  What comes out is UTC, named by the start of the hour, in ug m-3.

Nothing odd in a file passes in silence: it is refused, or passed over and counted in `Observations.notes`.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from airsim.clock import OFFSET_HOURS, hour_of
from airsim.errors import InputError, Problem
from airsim.tables import Cell, Column, clean_text, decode, normalise, read_cells, read_table

#: Pollutants that are read, and the largest hourly mean [ug m-3] that is taken for a measurement (estimates: beyond
#: anything published for the region, dust storms included).
SPECIES = {"pm25": 5e3, "pm10": 1.5e4, "so2": 5e3, "no2": 3e3, "o3": 2e3, "co": 1.5e5}
#: What a value is, by its flag; values of the first six are missing.
FLAGS = {
    "absent": (0, "未报", "not reported"),
    "marked": (1, "带无效标识", "marked invalid in the file"),
    "out_of_range": (2, "超出量程或为负", "negative or beyond any range"),
    "contradictory": (3, "重复且互相矛盾", "given twice, with different values"),
    "cut": (4, "文件在此处截断", "where the file is cut off"),
    "valid": (10, "有效", "valid"),
    "inverted": (11, "PM2.5 大于 PM10（保留）", "PM2.5 above PM10 (kept)"),
    "stuck": (12, "24 小时以上不变（保留）", "the same for 24 hours or more (kept)"),
}
_CODE = {name: code for name, (code, _, _) in FLAGS.items()}
#: A value that does not change for so many hours is suspect [h].
STUCK_HOURS = 24
#: Median of CO from which a column that names no unit cannot be mg m-3.
_CO_IN_MICROGRAMS = 30.0

#: Layout of the station list.
STATIONS = (
    Column(
        "code",
        "监测点编码",
        kind="text",
        required=True,
        aliases=("站点编码", "点位编码", "station_code", "站号", "编码"),
    ),
    Column("name", "监测点名称", kind="text", aliases=("站点名称", "点位名称", "station_name", "站点", "名称")),
    Column("city", "城市", kind="text", required=True, aliases=("城市名称", "所在城市", "地市")),
    Column("longitude", "经度", minimum=70, maximum=140, aliases=("lon", "lng")),
    Column("latitude", "纬度", minimum=10, maximum=60, aliases=("lat",)),
    Column(
        "control",
        "对照点",
        kind="text",
        aliases=("是否对照点", "清洁对照点"),
        choices={"y": "yes", "yes": "yes", "1": "yes", "是": "yes", "对照点": "yes"}
        | {"n": "no", "no": "no", "0": "no", "否": "no", "评价点": "no"},
        default="no",
        about="clean-air control station: not part of the city mean",
        about_zh="清洁对照点，不参与城市平均",
    ),
)

_SPELLED = {
    "pm25": ("pm2.5", "pm25", "pm2_5", "细颗粒物"),
    "pm10": ("pm10", "可吸入颗粒物"),
    "so2": ("so2", "二氧化硫"),
    "no2": ("no2", "二氧化氮"),
    "o3": ("o3", "臭氧"),
    "co": ("co", "一氧化碳"),
    "aqi": ("aqi", "空气质量指数"),
}
_NAMED = {s: name for name, spellings in _SPELLED.items() for s in spellings}
_ROLES = {
    "date": (
        "date", "日期", "监测日期", "time", "datetime", "时间", "监测时间", "数据时间", "发布时间", "timepoint",
        "time_point",
    ),
    "hour": ("hour", "小时", "时", "时次"),
    "type": ("type", "指标", "污染物", "监测项目", "监测因子", "pollutant", "parameter"),
    "value": ("value", "浓度", "监测值", "数值"),
    "station": (
        "station", "station_code", "site", "code", "站点", "站点编码", "监测点", "监测点编码", "点位", "点位编码",
        "position_code",
    ),
    "city": ("city", "城市", "城市名称", "area", "地区"),
    "flag": ("flag", "quality_flag", "数据标识", "标识", "审核状态", "数据状态"),
}  # fmt: skip
_ROLE = {normalise(s): role for role, spellings in _ROLES.items() for s in spellings}
#: Marks of a good value: HJ 212 writes N; the words are those of review columns.
_GOOD_MARKS = {"", "n", "0", "正常", "有效", "valid", "ok", "已审核"}
_MISSING = {"", "-", "—", "–", "－", "--", "/", "na", "n/a", "nan", "null", "none", "无", "暂无", "*"}
_MARKED = re.compile(r"^([-+]?\d+(?:\.\d*)?)\s*[(（\[]\s*([A-Za-z]{1,4})\s*[)）\]]$")
_BRACKETS = re.compile(r"[(\[（【](.*?)[)\]）】]")
_AVERAGED = re.compile(r"_?(24h|8h|8h_24h)$")
_EPOCH = dt.datetime(1970, 1, 1)


@dataclass(frozen=True)
class Site:
    """A city or a station of the files.

    Parameters
    ----------
    id : str
        City id, or station code.
    city : str
        Id of its city.
    name : str
        As printed.
    longitude, latitude : float
        WGS 84 [deg]; NaN if not known.
    """

    id: str
    city: str
    name: str
    longitude: float = np.nan
    latitude: float = np.nan


@dataclass(frozen=True)
class Observations:
    """Observed hourly means.

    Attributes
    ----------
    hourly : Dataset
        Pollutants of `SPECIES` (time, site) [ug m-3], ``aqi`` as printed [1], ``quality`` (species, time, site)
        by `FLAGS`; coordinates ``time`` (UTC, start of the hour, no gap), ``site``, ``city`` and ``name`` of the
        site, ``longitude``, ``latitude``.
    notes : tuple of Problem
        What was passed over or assumed, with counts.
    """

    hourly: xr.Dataset
    notes: tuple[Problem, ...]

    def cities(self, share: float = 0.75) -> xr.Dataset:
        """Return hourly means of the cities: as published where there is a city file, else the mean of the stations.

        Parameters
        ----------
        share : float
            Stations that must have a value, of those that report at all [1] (HJ 663-2013 asks 75 % of the sites
            of a city; from memory).

        Returns
        -------
        Dataset
            Pollutants (time, city) [ug m-3]; ``aqi`` only where the files are city files.
        """
        data = self.hourly[list(SPECIES)]
        if (self.hourly["site"].values == self.hourly["city"].values).all():
            data = self.hourly[[*SPECIES, "aqi"]]
            return data.drop_vars(["city", "name", "longitude", "latitude"]).rename(site="city")
        places, sites = self.hourly["city"].values, self.hourly["site"].values
        # a city's own published mean is not averaged with stations that it is made of
        published = {str(c) for c in places[sites == places]}
        means = {}
        for name in SPECIES:
            values = data[name].values
            columns = []
            for city in dict.fromkeys(places):
                mine = sites == city if str(city) in published else places == city
                of = values[:, mine]
                of = of[:, np.isfinite(of).any(axis=0)]
                count = np.isfinite(of).sum(axis=1)
                total = np.where(np.isfinite(of), of, 0.0).sum(axis=1)
                enough = (count >= max(1, np.ceil(share * of.shape[1]))) if of.shape[1] else np.zeros(len(of), bool)
                columns.append(np.where(enough, total / np.maximum(count, 1), np.nan))
            means[name] = (("time", "city"), np.stack(columns, axis=1))
        return xr.Dataset(means, coords={"time": self.hourly["time"], "city": list(dict.fromkeys(places))})


# --------------------------------------------------------------------------------------------------------
# reading


def read(paths: Sequence[str | Path], stations: str | Path | None = None) -> Observations:
    """Read hourly observations of the region's cities or stations.

    Parameters
    ----------
    paths : sequence of path
        Files (csv, txt in UTF-8 or GB18030; xlsx, xls), of one or several layouts, in any order.
    stations : path, optional
        Station list (see `STATIONS`); needed for files by station code.

    Returns
    -------
    Observations

    Raises
    ------
    InputError
        No known layout, cells that are no numbers or times, CO in a unit that is not said, station codes without
        a list, nothing of the region.  All problems of all files.
    """
    listed, notes = _stations(stations)
    gathered = _Gathered(listed, notes)
    problems: list[Problem] = []
    for path in paths:
        try:
            gathered.take(Path(path))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return gathered.finish([str(p) for p in paths])


def is_hourly(path: str | Path) -> bool:
    """Return whether a table's header is one of hourly observations (and not of statistics or anything else)."""
    try:
        for _, row in zip(range(20), _rows(Path(path)), strict=False):
            if row[1] and _layout(row[1]) is not None:
                return True
    except InputError:
        return False
    return False


@cache
def city_ids() -> Mapping[str, str]:
    """Return the spellings of the model's cities -> city id."""
    from airsim.geography import CITIES

    found: dict[str, str] = {}
    for c in CITIES:
        for spelling in (c.id, c.name_en, c.name_zh, c.name_zh + "市"):
            found[normalise(spelling)] = c.id
    found |= {normalise(s): "yangling" for s in ("杨凌区", "杨凌示范区", "杨陵区")}
    return found


def read_stations(path: str | Path) -> dict[str, Site]:
    """Read the station list: the region's stations that count in city means, by code.

    Raises
    ------
    InputError
        As `airsim.tables.read_table`, or no station of the region.
    """
    return _stations(path)[0] or {}


def _stations(path: str | Path | None) -> tuple[dict[str, Site] | None, list[Problem]]:
    if path is None:
        return None, []
    table = read_table(path, STATIONS)
    sites: dict[str, Site] = {}
    notes: list[Problem] = []
    control = outside = 0
    for row in table.frame.to_dict("records"):
        city = city_ids().get(normalise(row["city"]))
        if city is None:
            outside += 1
        elif row["control"] == "yes":
            control += 1
        else:
            code = str(row["code"])
            place = (float(row["longitude"]), float(row["latitude"]))
            sites[normalise(code)] = Site(code, city, str(row["name"]) or code, *place)
    file = str(path)
    if control:
        notes.append(
            Problem(
                file, "", "control", "",
                f"{control} control stations of the region, left out of the city means",
                f"{control} 个本区域清洁对照点，不参与城市平均",
            )
        )  # fmt: skip
    if not sites:
        raise InputError(
            [
                Problem(
                    file, "", "city", f"{outside} rows",
                    "no station of the region's cities in this list", "该站点表中没有本区域城市的站点",
                )
            ]
        )  # fmt: skip
    return sites, notes


@dataclass(frozen=True)
class _Layout:
    """Where what stands in a row."""

    kind: str  # wide, long, tidy
    roles: Mapping[str, int]
    #: long: species -> (column, factor to ug m-3 or None where no unit is said)
    species: Mapping[str, tuple[int, float | None]]
    #: wide: (column, header)
    sites: tuple[tuple[int, str], ...]


def _variable(text: str) -> tuple[str, bool, float | None] | None:
    """Return (species, averaged over 8 or 24 h, factor to ug m-3 if a unit is said) of a header or type."""
    plain = unicodedata.normalize("NFKC", text)
    inside = _BRACKETS.findall(plain)
    bare = normalise(_BRACKETS.sub("", plain))
    averaged = any(normalise(i) in {"24h", "8h", "24小时", "8小时"} for i in inside)
    cut = _AVERAGED.sub("", bare)
    while cut != bare:
        averaged, bare = True, cut
        cut = _AVERAGED.sub("", bare)
    bare = bare.removesuffix("_1h").removesuffix("小时浓度").removesuffix("浓度").removesuffix("_")
    name = _NAMED.get(bare)
    if name is None:
        return None
    factor: float | None = None if name == "co" else 1.0
    for i in inside:
        unit = normalise(i).replace("·", "").replace("^", "").replace("µ", "u").replace("μ", "u")
        if unit.startswith("mg"):
            factor = 1e3
        elif unit.startswith(("ug", "微克")):
            factor = 1.0
    return name, averaged, factor


def _layout(row: Sequence[Cell]) -> _Layout | None:
    """Return the layout whose header a row is, None if it is none."""
    heads = [clean_text(c) for c in row]
    roles: dict[str, int] = {}
    species: dict[str, tuple[int, float | None]] = {}
    rest: list[tuple[int, str]] = []
    for j, head in enumerate(heads):
        role = _ROLE.get(normalise(_BRACKETS.sub("", unicodedata.normalize("NFKC", head))))
        known = _variable(head)
        if role is not None and role not in roles:
            roles[role] = j
        elif known is not None:
            if not known[1] and known[0] not in species:
                species[known[0]] = (j, known[2])
        elif head:
            rest.append((j, head))
    place = "station" in roles or "city" in roles
    if "date" not in roles:
        return None
    if "type" in roles and "value" in roles and place:
        return _Layout("tidy", roles, {}, ())
    if "type" in roles and rest and not place:
        return _Layout("wide", roles, {}, tuple(rest))
    if place and species:
        return _Layout("long", roles, species, ())
    return None


def _rows(path: Path) -> Iterator[tuple[str, list[Cell], bool]]:
    """Yield (place, cells, whether it is a last line without an end) of every row."""
    if path.is_file() and path.suffix.lower() in {".csv", ".txt", ".tsv"}:
        text = decode(path)
        delimiter = "\t" if text.split("\n", 1)[0].count("\t") > text.split("\n", 1)[0].count(",") else ","
        open_end = bool(text) and not text.endswith(("\n", "\r")) and "\n" in text
        lines = text.count("\n") + 1
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            for cells in reader:
                yield str(reader.line_num), list(cells), open_end and reader.line_num >= lines
        except csv.Error as error:
            said = f"not a readable CSV line ({error})"
            raise InputError(
                [Problem(str(path), str(reader.line_num), "", "", said, f"无法读取的 CSV 行（{error}）")]
            ) from error
        return
    for sheet in read_cells(path):
        for i, row in enumerate(sheet.rows):
            yield sheet.place(i), row, False


@cache
def _day(text: str) -> dt.datetime | None:
    """Return a date, or date and time, as Beijing time; None if it is none."""
    text = text.strip()
    if re.fullmatch(r"\d{8}", text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    if re.fullmatch(r"\d{10}", text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[8:]}:00"
    found = re.fullmatch(
        r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]+(\d{1,2})(?::(\d{2})(?::(\d{2})(?:\.0*)?)?|[时点])?)?"
        r"\s*(Z|[+-]\d{2}:?\d{2})?",
        text,
    )
    if not found:
        return None
    y, m, d, hour, minute, second, zone = found.groups()
    if int(minute or 0) or int(second or 0):
        return None
    try:
        at = dt.datetime(int(y), int(m), int(d)) + dt.timedelta(hours=int(hour or 0))
    except ValueError:
        return None
    if int(hour or 0) > 24:
        return None
    if zone:
        sign = -1 if zone[0] == "-" else 1
        shift = 0 if zone == "Z" else sign * (int(zone[1:3]) + int(zone[-2:]) / 60)
        at += dt.timedelta(hours=OFFSET_HOURS - shift)
    return at


def _has_hour(date: Cell) -> bool:
    """Return whether a date cell carries an hour: text with one, or a time that is not midnight."""
    if isinstance(date, dt.datetime):
        return bool(date.hour)
    text = clean_text(date)
    return ":" in text or "时" in text or "点" in text or bool(re.fullmatch(r"\d{10}", text))


def _when(date: Cell, hour: Cell | None) -> int | None:
    """Return the start of a published hour as hours since 1970 UTC; None if the cells are no time."""
    if isinstance(date, dt.datetime):
        at: dt.datetime | None = date if not (date.minute or date.second) else None
    elif isinstance(date, dt.date):
        at = dt.datetime(date.year, date.month, date.day)
    else:
        at = _day(clean_text(date))
    if at is None:
        return None
    h = 0
    if hour is not None:
        found = re.fullmatch(r"(\d{1,2})(?:\.0+|(?::00){1,2}|时)?", clean_text(hour))
        if found is None or int(found.group(1)) > 24 or at.hour:
            return None
        h = int(found.group(1))
    # the hour that ends at this time
    return int((at - _EPOCH).total_seconds() // 3600) + h - OFFSET_HOURS - 1


@dataclass
class _Series:
    """Values as they come, one entry a value."""

    time: array[int] = field(default_factory=lambda: array("q"))
    site: array[int] = field(default_factory=lambda: array("q"))
    value: array[float] = field(default_factory=lambda: array("d"))
    flag: array[int] = field(default_factory=lambda: array("b"))

    def add(self, time: int, site: int, value: float, flag: int) -> None:
        self.time.append(time)
        self.site.append(site)
        self.value.append(value)
        self.flag.append(flag)


class _Gathered:
    """Takes file after file, then makes one dataset of them."""

    def __init__(self, stations: dict[str, Site] | None, notes: list[Problem]) -> None:
        self._stations = stations
        self._notes = notes
        self._sites: dict[str, int] = {}
        self._about: list[Site] = []
        self._series = {name: _Series() for name in (*SPECIES, "aqi")}
        self._o3_day = _Series()
        #: whether CO values that no unit was said for are among them
        self._co_guessed: Counter[str] = Counter()

    # ---- one file

    def take(self, path: Path) -> None:
        """Read one file.

        Raises
        ------
        InputError
            All that is wrong with it.
        """
        file = str(path)
        layout: _Layout | None = None
        chosen: list[tuple[int, int]] = []
        problems: list[Problem] = []
        short: list[str] = []
        long_rows: list[str] = []
        averaged = 0
        unknown_types: Counter[str] = Counter()
        outside: set[str] = set()
        seen: list[tuple[str, ...]] = []
        width, clocked = 0, False
        for at, row, unended in _rows(path):
            if not any(clean_text(c) for c in row):
                continue
            # a data row begins with a date: only others can be a header
            if layout is None or (layout and not clean_text(row[0])[:1].isdigit()):
                new = _layout(row)
                if new is not None:
                    heads = tuple(clean_text(c) for c in row)
                    chosen, gone = self._choose(new, file, at, problems)
                    outside |= gone
                    if heads not in seen:
                        seen.append(heads)
                    layout, width = new, len(row)
                    while width and not clean_text(row[width - 1]):
                        width -= 1
                    continue
            if layout is None:
                if len(seen) == 0 and int("".join(c for c in at.rpartition("!")[2] if c.isdigit()) or 0) > 20:
                    break
                continue
            if len(row) < width:
                short.append(at)
                continue
            if any(clean_text(c) for c in row[width:]):
                long_rows.append(at)
                continue
            hour = row[layout.roles["hour"]] if "hour" in layout.roles else None
            when = _when(row[layout.roles["date"]], hour)
            if when is None:
                shown = " ".join(clean_text(c) for c in (row[layout.roles["date"]], hour) if c is not None)
                problems.append(
                    Problem(
                        file, at, "date", shown,
                        "must be a date and a full hour 0 to 24, Beijing time", "须为日期与整点 0–24（北京时间）",
                    )
                )  # fmt: skip
                if len(problems) > 50:
                    break
                continue
            # a daily table has dates without an hour: it must not pass for the hour 0 of each day
            clocked |= hour is not None or _has_hour(row[layout.roles["date"]])
            cut = len(row) - 1 if unended else -1
            if layout.kind == "wide":
                text = clean_text(row[layout.roles["type"]])
                known = _variable(text)
                if known is None:
                    unknown_types[text] += 1
                elif known[1]:
                    averaged += 1
                    if known[0] == "o3" and normalise(text) == "o3_24h":
                        for j, site in chosen:
                            self._put(self._o3_day, when, site, row[j], 1.0, "", (file, at, text), problems, j == cut)
                else:
                    name, _, factor = known
                    if factor is None:
                        self._co_guessed[file] += 1
                    for j, site in chosen:
                        self._put(
                            self._series[name],
                            when,
                            site,
                            row[j],
                            factor or 1e3,
                            "",
                            (file, at, text),
                            problems,
                            j == cut,
                        )
            else:
                self._take_row(layout, row, when, (file, at), problems, outside, unknown_types, cut)
            if len(problems) > 200:
                break
        if layout is None:
            problems.append(
                Problem(
                    file, "1", "header", "",
                    "no known layout: date, hour, type and one column a place; or date, hour, city or station and one "
                    "column a pollutant",
                    "无法识别的格式：须为 date、hour、type 加各城市（站点）列，或日期、小时、城市（站点）加各污染物列",
                )
            )  # fmt: skip
        elif not clocked and not problems:
            problems.append(
                Problem(
                    file, "", "date", "",
                    "no hour stands with any date: daily values are not hourly observations",
                    "日期均不带小时：日均值不是逐时观测",
                )
            )  # fmt: skip
        if problems:
            raise InputError(problems)
        self._say(
            file,
            short,
            "rows with fewer cells than the header, passed over (cut off?)",
            "行单元格少于表头，跳过（文件截断？）",
        )
        self._say(file, long_rows, "rows with more cells than the header, passed over", "行单元格多于表头，跳过")
        if averaged:
            self._note(file, "type", averaged, "rows of 8 h or 24 h means, not used: they are made from the hours here",
                       "行 8 小时或 24 小时均值未采用，由小时值另行计算")  # fmt: skip
        for text, count in unknown_types.items():
            self._note(file, "type", count, f"rows of '{text}' passed over", f"行“{text}”跳过")
        if outside:
            listed = ", ".join(sorted(outside)[:6]) + (" ..." if len(outside) > 6 else "")
            self._note(file, "", len(outside), f"places outside the region or the station list passed over: {listed}",
                       f"个区域外（或不在站点表中）的城市、站点跳过：{listed}")  # fmt: skip
        if len(seen) > 1:
            self._note(file, "header", len(seen), "different headers in one file: the places change within it",
                       "种不同表头：文件中途增减了站点")  # fmt: skip

    def _note(self, file: str, key: str, count: object, en: str, zh: str, where: str = "") -> None:
        said = (f"{count} {en}", f"{count} {zh}") if isinstance(count, int) else (en, zh)
        self._notes.append(Problem(file, where, key, "" if isinstance(count, int) else str(count), *said))

    def _say(self, file: str, places: list[str], en: str, zh: str) -> None:
        if places:
            self._note(file, "", len(places), en, zh, places[0])

    def _choose(
        self, layout: _Layout, file: str, at: str, problems: list[Problem]
    ) -> tuple[list[tuple[int, int]], set[str]]:
        """Return (column, site) of the region's places of a wide header, and the names of the others."""
        chosen, outside = [], set()
        heads = Counter(head for _, head in layout.sites)
        for j, head in layout.sites:
            site = self._site(head, "")
            if site is None:
                outside.add(head)
            else:
                chosen.append((j, site))
        for head, count in heads.items():
            if count > 1:
                self._note(file, head, count, "columns of the same name: values that differ are missing",
                           "列同名：两列不同的值按缺失处理", at)  # fmt: skip
        if layout.kind == "wide" and not chosen:
            codes = sum(bool(re.fullmatch(r"\d{3,5}[A-Za-z]?", h)) for h in heads)
            if codes and self._stations is None:
                problems.append(_needs_stations(file, at))
        return chosen, outside

    def _site(self, name: str, city: str) -> int | None:
        """Return the index of a place by its name or code; None if it isn't the region's."""
        key = normalise(name)
        if key not in self._sites:
            found: Site | None = None
            if self._stations is not None:
                found = self._stations.get(key)
            if found is None and key in city_ids():
                found = Site(city_ids()[key], city_ids()[key], name)
            if found is None and city and normalise(city) in city_ids():
                found = Site(name, city_ids()[normalise(city)], name)
            if found is None:
                return None
            known = next((i for i, s in enumerate(self._about) if s.id == found.id), None)
            if known is None:
                self._about.append(found)
            self._sites[key] = len(self._about) - 1 if known is None else known
        return self._sites[key]

    def _take_row(
        self,
        layout: _Layout,
        row: Sequence[Cell],
        when: int,
        at: tuple[str, str],
        problems: list[Problem],
        outside: set[str],
        unknown_types: Counter[str],
        cut: int,
    ) -> None:
        roles = layout.roles
        city = clean_text(row[roles["city"]]) if "city" in roles else ""
        name = clean_text(row[roles["station"]]) if "station" in roles else city
        # a station list decides alone which stations there are; without it the row's own city does
        site = self._site(name or city, "" if self._stations is not None else city)
        if site is None:
            if "city" not in roles and self._stations is None and not problems:
                problems.append(_needs_stations(*at))
            outside.add(name or city)
            return
        mark = clean_text(row[roles["flag"]]) if "flag" in roles else ""
        if layout.kind == "tidy":
            text = clean_text(row[roles["type"]])
            known = _variable(text)
            if known is None:
                unknown_types[text] += 1
            elif not known[1]:
                if known[2] is None:
                    self._co_guessed[at[0]] += 1
                j = roles["value"]
                self._put(
                    self._series[known[0]], when, site, row[j], known[2] or 1e3, mark, (*at, text), problems, j == cut
                )
            return
        for species, (j, factor) in layout.species.items():
            if factor is None:
                self._co_guessed[at[0]] += 1
            self._put(
                self._series[species], when, site, row[j], factor or 1e3, mark, (*at, species), problems, j == cut
            )

    def _put(
        self,
        series: _Series,
        when: int,
        site: int,
        cell: Cell,
        factor: float,
        mark: str,
        at: tuple[str, str, str],
        problems: list[Problem],
        cut: bool,
    ) -> None:
        if cut:
            series.add(when, site, np.nan, _CODE["cut"])
            return
        try:
            value = float(cell)  # type: ignore[arg-type]  # the usual case first: millions of cells
        except (TypeError, ValueError):
            text = unicodedata.normalize("NFKC", clean_text(cell))
            if text.lower() in _MISSING:
                return
            found = _MARKED.match(text)
            if found is None:
                problems.append(Problem(*at, text, "must be a number", "须为数字"))
                return
            value, mark = float(found.group(1)), found.group(2)
        if value != value:  # noqa: PLR0124
            return
        if normalise(mark) not in _GOOD_MARKS:
            series.add(when, site, np.nan, _CODE["marked"])
            return
        series.add(when, site, value * factor, _CODE["valid"])

    # ---- all files

    def finish(self, files: list[str]) -> Observations:
        """Make the dataset of all that was taken.

        Raises
        ------
        InputError
            Nothing of the region, or CO in a unit that is not said and cannot be mg m-3.
        """
        said = ", ".join(Path(f).name for f in files[:3]) + (" ..." if len(files) > 3 else "")
        times = [np.frombuffer(s.time, dtype=np.int64) for s in self._series.values() if len(s.time)]
        if not self._about or not times:
            raise InputError(
                [Problem(said, "", "", "", "no value of the region's cities or stations", "没有本区域城市或站点的数据")]
            )
        first, last = min(int(t.min()) for t in times), max(int(t.max()) for t in times)
        hours, sites = last - first + 1, len(self._about)
        if hours > 30 * 366 * 24:
            raise InputError([Problem(said, "", "date", "", "the dates span more than 30 years", "日期跨度超过 30 年")])
        self._settle_ozone(said)
        self._settle_carbon_monoxide(said)
        data: dict[str, Any] = {}
        quality = np.zeros((len(SPECIES), hours, sites), np.int8)
        counts: Counter[str] = Counter()
        for name, series in self._series.items():
            values, flags = _spread(series, first, (hours, sites), counts)
            if name in SPECIES:
                wrong = (flags == _CODE["valid"]) & ((values < 0) | (values > SPECIES[name]))
                flags[wrong] = _CODE["out_of_range"]
                values[wrong] = np.nan
                stuck = _unchanging(values)
                flags[stuck] = _CODE["stuck"]
                quality[list(SPECIES).index(name)] = flags
            data[name] = (("time", "site"), values)
        both = data["pm25"][1], data["pm10"][1]
        with np.errstate(invalid="ignore"):
            inverted = both[0] > both[1]
        quality[0][inverted] = _CODE["inverted"]
        at = [s.id for s in self._about]
        time = (np.datetime64("1970-01-01T00", "ns") + np.arange(first, last + 1) * np.timedelta64(1, "h")).astype(
            "datetime64[ns]"
        )
        dataset = xr.Dataset(
            data,
            coords={
                "time": time,
                "site": at,
                "species": list(SPECIES),
                "city": ("site", [s.city for s in self._about]),
                "name": ("site", [s.name for s in self._about]),
                "longitude": ("site", [s.longitude for s in self._about]),
                "latitude": ("site", [s.latitude for s in self._about]),
            },
            attrs={"files": "; ".join(Path(f).name for f in files)},
        )
        dataset["quality"] = (("species", "time", "site"), quality)
        self._tell(said, dataset, counts)
        return Observations(dataset, tuple(self._notes))

    def _settle_ozone(self, file: str) -> None:
        """Exchange O3 and O3_24h where the file has them the wrong way round: the day's maximum can't be the lower."""
        if not len(self._o3_day.time):
            return
        hourly, day = self._series["o3"], self._o3_day
        key = {(t, s): v for t, s, v in zip(hourly.time, hourly.site, hourly.value, strict=True)}
        above = below = 0
        for t, s, v in zip(day.time, day.site, day.value, strict=True):
            other = key.get((t, s))
            if other is not None:
                above += other > v
                below += other < v
        if above > 4 * max(below, 1):
            self._series["o3"] = day
            self._note(
                file,
                "O3",
                above,
                "hours in which O3 lies above O3_24h, the day's maximum: the two are exchanged in the file, put right",
                "小时 O3 高于 O3_24h（当日最大值）：两者在文件中颠倒，已对调",
            )

    def _settle_carbon_monoxide(self, file: str) -> None:
        """Refuse CO without a unit that cannot be mg m-3."""
        guessed = sum(self._co_guessed.values())
        if not guessed:
            return
        values = np.frombuffer(self._series["co"].value, dtype=np.float64) / 1e3
        values = values[np.isfinite(values)]
        if values.size and float(np.median(values)) > _CO_IN_MICROGRAMS:
            raise InputError(
                [
                    Problem(
                        next(iter(self._co_guessed)), "", "CO", f"median {np.median(values):g}",
                        "cannot be mg/m3; write the unit into the header, 'CO(μg/m³)'",
                        "不可能是 mg/m³；请在表头注明单位，如 CO(μg/m³)",
                    )
                ]
            )  # fmt: skip
        self._note(
            file,
            "CO",
            "mg/m3",
            "no unit is said; taken as mg/m3, as CNEMC publishes it",
            "未注明单位，按 CNEMC 惯例视为 mg/m³",
        )

    def _tell(self, file: str, dataset: xr.Dataset, counts: Counter[str]) -> None:
        """Count what the flags say, the gaps, and what looks like another clock."""
        quality = dataset["quality"].values
        for name, (code, zh, en) in FLAGS.items():
            n = int((quality == code).sum())
            if n and name not in {"absent", "valid"}:
                self._note(file, name, n, f"hourly values: {en}", f"个小时值：{zh}")
        if counts["repeated"]:
            self._note(
                file, "", counts["repeated"], "values given twice and equal, taken once", "个值重复且相同，只取一次"
            )
        present = np.isfinite(np.stack([dataset[n].values for n in SPECIES])).any(axis=0)
        empty = [str(s) for s, any_ in zip(dataset["site"].values, present.any(axis=0), strict=True) if not any_]
        if empty:
            self._note(file, "", len(empty), f"places without any value: {', '.join(empty[:8])}",
                       f"个城市（站点）没有任何数据：{'、'.join(empty[:8])}")  # fmt: skip
        gaps = int((~present.any(axis=1)).sum())
        if gaps:
            self._note(
                file,
                "time",
                gaps,
                f"of {len(present)} hours are absent for all places",
                f"小时（共 {len(present)}）全部缺测",
            )
        days = len(present) / 24
        thin = [
            str(s) for s, n in zip(dataset["site"].values, present.sum(axis=0), strict=True) if 0 < n < 20 * days / 2
        ]
        if thin and days >= 2:
            self._note(
                file,
                "",
                len(thin),
                f"places with fewer than half the hours a daily mean needs: {', '.join(thin[:8])}",
                f"个城市（站点）有效小时不足日均所需的一半：{'、'.join(thin[:8])}",
            )
        peak = ozone_peak_hour(dataset["o3"])
        if peak is not None and not 11 <= peak <= 19:
            self._note(
                file, "time", f"{peak:02d}:00",
                "is when ozone peaks on average, Beijing time; it peaks in the afternoon: are these times UTC?",
                "为臭氧平均最高时刻（按北京时间）；臭氧应在午后最高，请核对时间是否为世界时",
            )  # fmt: skip


def ozone_peak_hour(ozone: xr.DataArray) -> int | None:
    """Return the Beijing hour (beginning) at which the mean ozone is highest; None with less than five days."""
    values = np.asarray(ozone.values, float)
    known = np.isfinite(values)
    count = known.sum(axis=1)
    if known.sum() < 5 * 24:
        return None
    mean = np.where(known, values, 0).sum(axis=1) / np.maximum(count, 1)
    local = hour_of(ozone["time"].values)
    hours = [mean[(local == h) & (count > 0)].mean() if ((local == h) & (count > 0)).any() else -1.0 for h in range(24)]
    return int(np.argmax(hours))


def _needs_stations(file: str, at: str) -> Problem:
    return Problem(
        file, at, "station", "",
        "station codes need the station list with their cities (--stations)",
        "站点编码须配站点表（--stations）以对应城市",
    )  # fmt: skip


def _spread(series: _Series, first: int, shape: tuple[int, int], counts: Counter[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return values and flags (time, site); what is given twice is taken once, or missing where it differs."""
    values = np.full(shape, np.nan)
    flags = np.zeros(shape, np.int8)
    if not len(series.time):
        return values, flags
    time = np.frombuffer(series.time, dtype=np.int64) - first
    site = np.frombuffer(series.site, dtype=np.int64)
    value = np.frombuffer(series.value, dtype=np.float64)
    flag = np.frombuffer(series.flag, dtype=np.int8)
    at = time * shape[1] + site
    # bad ones first, so that a good value of the same hour stands
    order = np.argsort(flag == _CODE["valid"], kind="stable")
    values.ravel()[at[order]] = value[order]
    flags.ravel()[at[order]] = flag[order]
    good = flag == _CODE["valid"]
    counted = np.bincount(at[good], minlength=values.size)
    if (counted > 1).any():
        low, high = np.full(values.size, np.inf), np.full(values.size, -np.inf)
        np.minimum.at(low, at[good], value[good])
        np.maximum.at(high, at[good], value[good])
        differ = (counted > 1) & (high > low)
        values.ravel()[differ] = np.nan
        flags.ravel()[differ] = _CODE["contradictory"]
        counts["repeated"] += int(((counted > 1) & ~differ).sum())
    return values, flags


def _unchanging(values: np.ndarray) -> np.ndarray:
    """Return which values belong to a run of `STUCK_HOURS` or more equal ones."""
    found = np.zeros(values.shape, bool)
    if len(values) < STUCK_HOURS:
        return found
    same = np.zeros(values.shape, np.int32)
    for h in range(1, len(values)):
        same[h] = np.where(values[h] == values[h - 1], same[h - 1] + 1, 0)
    for h, j in zip(*np.nonzero(same >= STUCK_HOURS - 1), strict=True):
        found[h - same[h, j] : h + 1, j] = True
    return found
