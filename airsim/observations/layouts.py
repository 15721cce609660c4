"""The layouts of the published files: headers, units, times, rows."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from airsim.clock import OFFSET_HOURS
from airsim.errors import InputError, Problem
from airsim.tables import Cell, clean_text, decode, normalise, read_cells, units
from airsim.tables.layout import zone_of

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
_BRACKETS = re.compile(r"[(\[（【](.*?)[)\]）】]")
_SPECIES = {"so2": "SO2", "no2": "NO2", "o3": "O3", "co": "CO"}
#: Words in a header's brackets that say nothing of the unit.
_PLAIN = re.compile(
    r"^(?:\d+h?小时均?值?|小时|逐时|小时值|小时均值|实时|24h|8h|24小时|8小时|1h|1小时|实测|hourly|日均|均值)$"
)
_AVERAGED = re.compile(r"_?(24h|8h|8h_24h)$")
_EPOCH = dt.datetime(1970, 1, 1)


def is_hourly(path: str | Path) -> bool:
    """Return whether a table's header is one of hourly observations (and not of statistics or anything else)."""
    try:
        for _, row in zip(range(20), rows_of(Path(path)), strict=False):
            if row[1] and layout_of(row[1]) is not None:
                return True
    except InputError:
        return False
    return False


@dataclass(frozen=True)
class Layout:
    """Where what stands in a row."""

    kind: str  # wide, long, tidy
    roles: Mapping[str, int]
    #: long: species -> (column, factor to ug m-3 or None where no unit is said)
    species: Mapping[str, tuple[int, float | None]]
    #: wide: (column, header)
    sites: tuple[tuple[int, str], ...]
    #: tidy, wide: factor to ug m-3 that the header of values or types says; NaN where its bracket is no unit
    factor: float | None = None
    #: hours ahead of UTC that the header of the times says, None: Beijing's; NaN where its bracket is no zone
    zone: float | None = None
    #: long: headers over values that are not used
    unused: tuple[str, ...] = ()


def variable_of(text: str) -> tuple[str, bool, float | None] | None:
    """Return (species, averaged over 8 or 24 h, factor to ug m-3 if a unit is said) of a header or type.

    The factor is NaN where a bracket or suffix is neither a unit of concentration nor a word that says nothing of it.
    """
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
        # SO2_ppb, SO2 mg/m3
        glued = re.fullmatch(r"([^_/\s]+)[_/\s]+(.+)", plain.strip())
        name = _NAMED.get(normalise(glued.group(1))) if glued else None
        if glued is None or name is None or units.parse(glued.group(2)) is None:
            return None
        inside = [*inside, glued.group(2)]
    factor: float | None = None if name == "co" else 1.0
    for i in inside:
        found = factor_of(i, name)
        factor = factor if found is None else found
    return name, averaged, factor


def factor_of(text: str, species: str = "") -> float | None:
    """Return the factor to ug m-3 that a bracket says: None where it says nothing of the unit, NaN if it is none."""
    told: float | None = None
    for piece in re.split(r"[,，;；、]", text):
        if not piece.strip() or _PLAIN.match(normalise(piece)) or normalise(piece) in _NAMED:
            continue
        if species == "aqi":
            continue
        found = units.convert(piece, "ug m-3", species=_SPECIES.get(species, ""))
        told = float("nan") if found is None else found.factor
        if found is None:
            return told
    return told


def layout_of(row: Sequence[Cell]) -> Layout | None:
    """Return the layout whose header a row is, None if it is none."""
    heads = [clean_text(c) for c in row]
    roles: dict[str, int] = {}
    species: dict[str, tuple[int, float | None]] = {}
    factor: float | None = None
    zone: float | None = None
    rest: list[tuple[int, str]] = []
    for j, head in enumerate(heads):
        role = _ROLE.get(normalise(_BRACKETS.sub("", unicodedata.normalize("NFKC", head))))
        known = variable_of(head)
        if role is not None and role not in roles:
            roles[role] = j
            inside = _BRACKETS.findall(unicodedata.normalize("NFKC", head))
            if role in {"value", "type"}:
                for piece in inside:
                    said = factor_of(piece)
                    factor = factor if said is None else said
            elif role in {"date", "hour"}:
                hours, odd = zone_of(head, inside)
                zone = float("nan") if odd else zone if hours is None else hours
        elif known is not None:
            if not known[1] and known[0] not in species:
                species[known[0]] = (j, known[2])
        elif head:
            rest.append((j, head))
    place = "station" in roles or "city" in roles
    if "date" not in roles:
        return None
    if "type" in roles and "value" in roles and place:
        return Layout("tidy", roles, {}, (), factor, zone)
    if "type" in roles and rest and not place:
        return Layout("wide", roles, {}, tuple(rest), factor, zone)
    if place and species:
        return Layout("long", roles, species, (), None, zone, tuple(head for _, head in rest))
    return None


def rows_of(path: Path, hidden: list[str] | None = None) -> Iterator[tuple[str, list[Cell], bool]]:
    """Yield (place, cells, whether it is a last line without an end) of every row.

    Hidden sheets are not read; their names, and the places of hidden rows, which are, go into `hidden`.
    """
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
    sheets = read_cells(path)
    for sheet in sheets:
        if sheet.hidden and not all(s.hidden for s in sheets):
            if hidden is not None and sheet.rows:
                hidden.append(sheet.name)
            continue
        for i, row in enumerate(sheet.rows):
            if hidden is not None and i in sheet.hidden_rows:
                hidden.append(sheet.place(i))
            yield sheet.place(i), row, False


@cache
def _day(text: str) -> dt.datetime | None:
    """Return a date, or date and time, as Beijing time; None if it is none."""
    text = text.strip()
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        # Excel's days since 1899-12-30; its fractions miss the full hour by seconds
        minutes = round(float(text) * 1440)
        nearest = round(minutes / 60) * 60
        return dt.datetime(1899, 12, 30) + dt.timedelta(minutes=nearest) if abs(minutes - nearest) <= 1 else None
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


def has_hour(date: Cell) -> bool:
    """Return whether a date cell carries an hour: text with one, or a time that is not midnight."""
    if isinstance(date, dt.datetime):
        return bool(date.hour)
    text = clean_text(date)
    return ":" in text or "时" in text or "点" in text or bool(re.fullmatch(r"\d{10}|\d{5}\.\d+", text))


def published_hour(date: Cell, hour: Cell | None, zone: float | None = None) -> int | None:
    """Return the start of a published hour as hours since 1970 UTC; None if the cells are no time.

    `zone` is what the header says of the clock [h ahead of UTC]; Beijing's by default.
    """
    if isinstance(date, dt.datetime):
        whole = (date + dt.timedelta(minutes=30)).replace(minute=0, second=0, microsecond=0)
        at: dt.datetime | None = whole if abs(date - whole) <= dt.timedelta(minutes=1) else None
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
    own = bool(re.search(r"(?:Z|[+-]\d{2}:?\d{2})$", clean_text(date))) and not isinstance(date, dt.datetime)
    shift = OFFSET_HOURS if zone is None or own else zone
    return int((at - _EPOCH).total_seconds() // 3600) + h - int(shift) - 1
