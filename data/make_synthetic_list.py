"""Make a synthetic emergency reduction list as messy as real ones: every enterprise and figure in it is made up.

    python data/make_synthetic_list.py list.xlsx --lines 20000 --seed 1 --layout official

Layouts: ``official`` (sheets 工业源, 移动源, 扬尘源 under merged three-row headers, .xlsx or .xls), ``cities`` (a
sheet a city, two-row header, unit in the title), ``levels`` (one row a line and level, numbers packed in one cell),
``table`` (.csv in GB18030, t/a and operating days).  The mess: titles, blank rows, 小计 and 合计, merged enterprise
cells, numbers as text, full-width digits and brackets, blanks in names, 民生豁免-B, 长期停产.  The same seed gives the
same list; emissions are scaled to a part of what the shipped tables give the city.  Every file says of itself that it
is synthetic (合成数据).

.xls needs ``xlwt`` (a development dependency).  `lines` returns what a layout holds, `write` writes it: tests compare
what is read with what was meant.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
POLLUTANTS = ("SO2", "NOx", "PM", "VOC")
HEADINGS = {"SO2": "SO2", "NOx": "NOx", "PM": "颗粒物", "VOC": "VOCs"}
LEVELS = {"red": "红色预警", "orange": "橙色预警", "yellow": "黄色预警"}
CITIES = {
    "xian": "西安市",
    "baoji": "宝鸡市",
    "xianyang": "咸阳市",
    "tongchuan": "铜川市",
    "weinan": "渭南市",
    "yangling": "杨凌示范区",
    "hancheng": "韩城市",
    "shangluo": "商洛市",
}
#: Share of an inventory's city total that the list holds: the rest are homes, cars and fields.
LISTED = {"SO2": 0.45, "NOx": 0.40, "PM": 0.35, "VOC": 0.40}
TITLE = "重污染天气应急减排清单（合成数据 synthetic，企业与数据均为虚构）"
_FIRST = "宏瑞恒鑫华泰盛源金诚永兴隆达昌顺通利安康益丰茂晟远航嘉禾"
_TAIL = ("有限公司", "有限责任公司", "厂", "股份有限公司", "（集团）有限公司")


@dataclass(frozen=True)
class Trade:
    """A trade: name, process, usual number of lines, how much it emits relative to others, weights of pollutants."""

    sector: str
    word: str
    process: str
    size: float
    mix: tuple[float, float, float, float]


TRADES = (
    Trade("砖瓦窑", "建材", "隧道窑", 3.0, (3, 3, 4, 0.3)),
    Trade("铸造", "铸造", "熔炼线", 1.0, (0.3, 0.5, 2, 1)),
    Trade("工业涂装", "机械", "喷涂线", 0.7, (0.01, 0.1, 0.3, 4)),
    Trade("包装印刷", "印务", "印刷线", 0.5, (0, 0.01, 0.05, 3)),
    Trade("家具", "家具", "喷漆线", 0.4, (0, 0, 0.3, 2)),
    Trade("陶瓷", "陶瓷", "辊道窑", 3.0, (2, 4, 2, 0.3)),
    Trade("石灰窑", "石灰", "石灰窑", 3.0, (2, 3, 4, 0.1)),
    Trade("焦化", "焦化", "焦炉", 30.0, (4, 8, 3, 5)),
    Trade("水泥", "水泥", "粉磨线", 12.0, (0.5, 2, 6, 0.1)),
    Trade("锅炉", "食品", "燃气锅炉", 0.6, (0.1, 2, 0.1, 0.2)),
    Trade("制药", "药业", "反应釜", 0.8, (0.1, 0.3, 0.1, 4)),
    Trade("热力生产和供应", "热力", "供热锅炉", 10.0, (3, 5, 1.5, 0.2)),
)
#: Grade -> words and shares at red, orange, yellow; by line: (share, True).
MEASURES: dict[str, tuple[tuple[str, float, bool], ...]] = {
    "A": (("自主减排", 0, False),) * 3,
    "B": (("停产50%（含）以上，以生产线计", 0.5, True), ("限产30%", 0.3, False), ("无", 0, False)),
    "C": (("停产", 1, False), ("停产５０％(含)以上,以生产线计", 0.5, True), ("限产20%", 0.2, False)),
    "D": (("全厂停产，禁止国四及以下重型载货车辆运输", 1, False), ("停产", 1, False), ("停产", 1, False)),
    "引领性": (("鼓励自主减排", 0, False),) * 3,
    "非引领性": (("停产", 1, False), ("停产50%，以生产线计", 0.5, True), ("限产三成", 0.3, False)),
    "民生豁免-B": (("以热定产", 0, False),) * 3,
    "长期停产": (("停产", 0, False),) * 3,
}
_WEIGHTS = {"A": 1, "B": 8, "C": 40, "D": 30, "引领性": 3, "非引领性": 10, "民生豁免-B": 4, "长期停产": 4}
MOBILE = (("重型柴油货车", 1.0, (0.7, 0.5, 0.3)), ("非道路移动机械", 0.5, (0.6, 0.4, 0.3)))
DUST = (("建筑工地", 0.2, (0.9, 0.7, 0.5)), ("道路扬尘", 1.0, (0.35, 0.25, 0.15)))


@dataclass
class Line:
    """One line of the list as it is meant."""

    city: str
    county: str
    enterprise: str
    credit_code: str
    sector: str
    category: str
    grade: str
    line_name: str
    number: int
    days: int
    longitude: float
    latitude: float
    base: dict[str, float]
    texts: dict[str, str]
    cuts: dict[str, dict[str, float]]
    stopped: dict[str, int | None]
    first: bool = True
    flaw: str = ""
    stated: bool = field(default=True)


def lines(n: int = 20_000, seed: int = 1, *, flaws: bool = False) -> list[Line]:
    """Return the lines of a synthetic list, by category and city.

    Parameters
    ----------
    n : int
        Number of lines, mobile and dust items included.
    seed : int
        The same seed gives the same list.
    flaws : bool
        Plant one wrong line in forty, marked in `Line.flaw` by the check that must find it.
    """
    rng = random.Random(seed)
    counties = [r for r in _rows("geography/counties.csv") if r["city"] in CITIES]
    made: list[Line] = []
    industrial = n - n // 20
    number = 0
    while len(made) < industrial:
        county = rng.choice(counties)
        trade = rng.choices(TRADES, [6, 8, 10, 8, 8, 3, 3, 1, 3, 10, 3, 3])[0]
        number += 1
        made += _enterprise(rng, county, trade, number, industrial - len(made))
    made.sort(key=lambda line: list(CITIES).index(line.city))
    others = [
        _other(rng, kind, city) for kind, city, _ in zip(_kinds(), _cities(), range(n - industrial), strict=False)
    ]
    made += sorted(others, key=lambda line: (line.category != "移动源", list(CITIES).index(line.city)))
    _scale(made)
    if flaws:
        _plant(rng, made)
    return made


def _kinds() -> Iterator[str]:
    while True:
        yield from ("移动源", "扬尘源")


def _cities() -> Iterator[str]:
    while True:
        for city in CITIES:
            yield city
            yield city


def _enterprise(rng: random.Random, county: dict[str, str], trade: Trade, number: int, most: int) -> list[Line]:
    place = county["name_zh"]
    name = f"{place.rstrip('区县市')}{rng.choice(_FIRST)}{rng.choice(_FIRST)}{trade.word}{number}号{rng.choice(_TAIL)}"
    grade = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    if trade.word == "热力":
        grade = "民生豁免-B"
    code = _code(rng, county["adcode"])
    lon = float(county["seat_longitude"]) + rng.uniform(-0.02, 0.02)
    lat = float(county["seat_latitude"]) + rng.uniform(-0.02, 0.02)
    days = rng.choice((200, 250, 300, 330))
    found = []
    for k in range(min(rng.choice((1, 1, 1, 2, 2, 3)), most)):
        count = rng.choice((1, 1, 2, 3, 4))
        size = trade.size * count * rng.lognormvariate(0.0, 0.8)
        base = {p: 0.0 if grade == "长期停产" else size * w for p, w in zip(POLLUTANTS, trade.mix, strict=True)}
        line = Line(
            county["city"],
            place,
            name,
            code,
            trade.sector,
            "工业源",
            grade,
            f"{k + 1}#{trade.process}",
            count,
            days,
            round(lon, 6),
            round(lat, 6),
            base,
            {},
            {},
            {},
            first=k == 0,
        )
        # a list states the kilograms or leaves them to the words
        line.stated = rng.random() < 0.7
        for level, (text, share, by_line) in zip(LEVELS, MEASURES[grade], strict=True):
            stopped = math.ceil(share * count - 1e-9) if by_line else count if share == 1 else None
            part = stopped / count if stopped is not None else share
            line.texts[level], line.stopped[level] = text, stopped if line.stated else None
            line.cuts[level] = {p: b * part for p, b in base.items()}
        found.append(line)
    # like lines in a row each that leave it to the words are rounded together
    alike = [x for x in found if x.number == 1 and not x.stated]
    for level, (_, share, by_line) in zip(LEVELS, MEASURES[grade], strict=True):
        if by_line and alike:
            part = math.ceil(share * len(alike) - 1e-9) / len(alike)
            for x in alike:
                x.cuts[level] = {p: b * part for p, b in x.base.items()}
    return found


def _other(rng: random.Random, category: str, city: str) -> Line:
    name, size, shares = rng.choice(MOBILE if category == "移动源" else DUST)
    mix = (0.02, 6, 0.5, 0.8) if category == "移动源" else (0, 0, 8, 0)
    base = {p: 40 * size * w * rng.lognormvariate(0, 0.5) for p, w in zip(POLLUTANTS, mix, strict=True)}
    text = "限行停用" if category == "移动源" else "停止作业、增加洒水频次"
    line = Line(
        city,
        "",
        f"{CITIES[city]}{name}第{rng.randrange(10**6)}片区",
        "",
        "道路移动源" if category == "移动源" else "扬尘源",
        category,
        "",
        name,
        1,
        365,
        0.0,
        0.0,
        base,
        dict.fromkeys(LEVELS, text),
        {lv: {p: b * s for p, b in base.items()} for lv, s in zip(LEVELS, shares, strict=True)},
        dict.fromkeys(LEVELS),
    )
    return line


_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _code(rng: random.Random, adcode: str) -> str:
    """Return a made-up code with the check character of GB 32100-2015."""
    first = f"91{adcode}MA{''.join(rng.choices(_CHARACTERS, k=7))}"
    total = sum(_CHARACTERS.index(c) * pow(3, i, 31) for i, c in enumerate(first))
    return first + _CHARACTERS[(31 - total % 31) % 31]


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8-sig", newline="") as f:
        return list(csv.DictReader(f))


def _scale(made: list[Line]) -> None:
    """Scale emissions to `LISTED` of the city's all-society emission, rounded as lists are."""
    columns = {"SO2": "SO2", "NOx": "NOx", "PM": "PM10", "VOC": "VOC"}
    whole: dict[tuple[str, str], float] = {}
    for table in ("emissions/enterprises.csv", "emissions/area_sources.csv"):
        for row in _rows(table):
            for p, c in columns.items():
                whole[row["city"], p] = whole.get((row["city"], p), 0.0) + float(row[c] or 0) * 1000 / 365
    mine: dict[tuple[str, str], float] = {}
    for line in made:
        for p in POLLUTANTS:
            mine[line.city, p] = mine.get((line.city, p), 0.0) + line.base[p]
    for line in made:
        for p in POLLUTANTS:
            factor = LISTED[p] * whole[line.city, p] / max(mine[line.city, p], 1e-9)
            part = {lv: line.cuts[lv][p] / line.base[p] if line.base[p] else 0.0 for lv in LEVELS}
            line.base[p] = round(line.base[p] * factor, 4)
            for lv in LEVELS:
                line.cuts[lv][p] = line.base[p] * part[lv]


def _plant(rng: random.Random, made: list[Line]) -> None:
    """Plant wrong lines, each of one kind; `Line.flaw` names the check that must find it."""
    kinds = ("code_digits", "cut_above_base", "weaker_at_higher", "not_understood", "idle_counted", "outside_county")
    plain = [x for x in made if x.category == "工业源" and x.first and x.grade in {"C", "D"} and x.base["NOx"] > 1]
    for k, line in enumerate(rng.sample(plain, min(len(made) // 40, len(plain)))):
        line.flaw = kinds[k % len(kinds)]
        line.stated = True
        if line.flaw == "code_digits":
            c = line.credit_code
            line.credit_code = c[:17] + _CHARACTERS[(_CHARACTERS.index(c[17]) + 1) % 31]
        elif line.flaw == "cut_above_base":
            line.cuts["red"]["NOx"] = line.base["NOx"] * 1.5
        elif line.flaw == "weaker_at_higher":
            line.cuts["red"] = {p: 0.5 * v for p, v in line.cuts["yellow"].items()}
            line.stopped["red"] = None
        elif line.flaw == "not_understood":
            line.texts = dict.fromkeys(LEVELS, "视情况压减")
            line.stated = False
            line.cuts = {lv: dict.fromkeys(POLLUTANTS, 0.0) for lv in LEVELS}
            line.stopped = dict.fromkeys(LEVELS)
        elif line.flaw == "idle_counted":
            line.grade = "长期停产"
        elif line.flaw == "outside_county":
            line.longitude, line.latitude = round(line.longitude + 3.0, 6), line.latitude


# --------------------------------------------------------------------------------------------------------
# files


def write(path: Path, made: list[Line], layout: str = "official", seed: int = 1) -> dict[str, list[str]]:
    """Write a list in a layout; return, by check, the places (sheet!row or row) of what was planted."""
    rng = random.Random(seed + 1)
    path = Path(path)
    if layout == "table":
        return _write_csv(path, made, rng)
    book: Any = _Xls(path) if path.suffix.lower() == ".xls" else _Xlsx(path)
    planted: dict[str, list[str]] = {}
    book.sheet("填表说明", [[TITLE], ["本文件为合成数据（synthetic），仅供测试，不对应任何真实企业。"]], [])
    if layout == "official":
        for category in ("工业源", "移动源", "扬尘源"):
            _grid(book, category, [x for x in made if x.category == category], rng, planted)
    elif layout == "cities":
        for city, name in CITIES.items():
            _grid(book, name, [x for x in made if x.city == city], rng, planted, two_rows=True)
    elif layout == "levels":
        _by_level(book, made, rng, planted)
    else:
        raise ValueError(layout)
    book.sheet("汇总", [["城市", "减排比例"], ["西安市", "（略）"]], [])
    book.close()
    return planted


class _Xlsx:
    def __init__(self, path: Path) -> None:
        import xlsxwriter

        self.book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})

    def sheet(self, name: str, rows: list[list[Any]], merged: list[tuple[int, int, int, int]]) -> None:
        """Write rows, and merge (first row, first column, last row, last column)."""
        sheet = self.book.add_worksheet(name)
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                if value is not None and value != "":
                    sheet.write(i, j, value)
        for top, left, bottom, right in merged:
            sheet.merge_range(top, left, bottom, right, rows[top][left])

    def close(self) -> None:
        """Finish the file."""
        self.book.close()


class _Xls:
    def __init__(self, path: Path) -> None:
        import xlwt

        self.book, self.path = xlwt.Workbook(encoding="utf-8"), path

    def sheet(self, name: str, rows: list[list[Any]], merged: list[tuple[int, int, int, int]]) -> None:
        """Write rows, and merge; see `_Xlsx`."""
        sheet = self.book.add_sheet(name)
        tops = {(t, left): (t, b, left, r) for t, left, b, r in merged}
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                if (i, j) in tops:
                    sheet.write_merge(*tops[i, j], value)
                elif value is not None and value != "":
                    sheet.write(i, j, value)

    def close(self) -> None:
        """Finish the file."""
        self.book.save(str(self.path))


def _number(rng: random.Random, value: float) -> Any:
    """Return a number as somebody typed it; the same value to 4 digits after the point."""
    value = round(value, 4)
    how = rng.random()
    if how < 0.85:
        return value
    text = f"{value:,.4f}"
    return text if how < 0.95 else text.translate(str.maketrans("0123456789.,", "０１２３４５６７８９．，"))


def _spoilt(rng: random.Random, name: str) -> str:
    how = rng.random()
    return f" {name} " if how < 0.05 else name.replace("（", "(").replace("）", ")") if how < 0.5 else name


def _grid(
    book: Any,
    title: str,
    part: list[Line],
    rng: random.Random,
    planted: dict[str, list[str]],
    *,
    two_rows: bool = False,
) -> None:
    fixed = [
        "序号",
        "市",
        "县（市、区）",
        "企业名称",
        "统一社会信用代码",
        "行业类型",
        "绩效等级",
        "生产线或工序名称",
        "数量",
        "经度",
        "纬度",
    ]
    unit = "" if two_rows else "(kg/d)"
    rows: list[list[Any]] = [[f"{title} {TITLE}"], ["单位：kg/d"] if two_rows else ["填报单位：（合成）"]]
    top: list[Any] = [*fixed, f"日排放量{unit}", None, None, None]
    middle: list[Any] = [None] * len(fixed)
    bottom: list[Any] = [None] * len(fixed)
    bottom += list(HEADINGS.values())
    middle += [None] * 4
    merged = [(2, len(fixed), 2 if two_rows else 3, len(fixed) + 3)]
    for name in LEVELS.values():
        at = len(top)
        top += [name, *[None] * 5]
        middle += ["减排措施", "停产生产线数量", f"减排量{unit}", None, None, None]
        bottom += [None, None, *HEADINGS.values()]
        merged.append((2, at, 2, at + 5))
        if not two_rows:
            merged += [(3, at, 4, at), (3, at + 1, 4, at + 1), (3, at + 2, 3, at + 5)]
    if two_rows:
        second = [b if b else m for m, b in zip(middle, bottom, strict=True)]
        for k, m in enumerate(middle):
            if m and m.startswith("减排量"):
                second[k : k + 4] = [f"减排量{p}" for p in HEADINGS.values()]
        rows += [top, second]
        last = 3
    else:
        rows += [top, middle, bottom]
        last = 4
    merged += [(2, j, last, j) for j in range(len(fixed))]
    total = dict.fromkeys(POLLUTANTS, 0.0)
    sub = dict(total)
    previous, start = "", 0

    def close_city() -> None:
        if previous and not two_rows:
            rows.append(
                [None, None, None, f"{CITIES[previous]}"]
                + [None] * 3
                + ["小计"]
                + [None] * 3
                + [round(sub[p], 4) for p in POLLUTANTS]
            )
            rows[-1][3] = None
            rows[-1][0] = "小计"
            rows[-1][7] = None
        for p in POLLUTANTS:
            sub[p] = 0.0

    for k, line in enumerate(part):
        if line.city != previous:
            close_city()
            previous = line.city
        if rng.random() < 0.01:
            rows.append([])
        merge = not line.first and rows[-1] and start
        who = [
            k + 1,
            CITIES[line.city],
            line.county,
            _spoilt(rng, line.enterprise),
            line.credit_code,
            line.sector,
            line.grade,
        ]
        if merge:
            who = [k + 1, None, None, None, None, None, None]
        place = [None, None] if merge or not line.longitude else [line.longitude, line.latitude]
        row: list[Any] = [*who, line.line_name, line.number, *place, *(_number(rng, line.base[p]) for p in POLLUTANTS)]
        for level in LEVELS:
            row += [line.texts[level], line.stopped[level]]
            row += [_number(rng, line.cuts[level][p]) if line.stated else None for p in POLLUTANTS]
        rows.append(row)
        start = len(rows)
        if line.flaw:
            planted.setdefault(line.flaw, []).append(f"{title}!{len(rows)}")
        for p in POLLUTANTS:
            total[p] += round(line.base[p], 4)
            sub[p] += round(line.base[p], 4)
    close_city()
    rows.append(["合 计", *[None] * (len(fixed) - 1), *(round(total[p], 4) for p in POLLUTANTS)])
    book.sheet(title, rows, merged)


def _by_level(book: Any, made: list[Line], rng: random.Random, planted: dict[str, list[str]]) -> None:
    head = [
        "序号",
        "地市",
        "区县",
        "企业名称",
        "统一社会信用代码",
        "行业",
        "绩效分级",
        "类别",
        "生产线/工序",
        "生产线数量",
        "经纬度",
        "日排放量 SO2/NOx/颗粒物/VOCs（千克/日）",
        "预警级别",
        "减排措施",
        "停产生产线数量",
        "减排量 SO2/NOx/颗粒物/VOCs（千克/日）",
    ]
    rows: list[list[Any]] = [[TITLE], head]
    merged = []
    for line in made:
        first = len(rows)
        for k, (level, name) in enumerate(LEVELS.items()):
            who: list[Any] = [None] * 12
            if k == 0:
                pair = f"{line.longitude},{line.latitude}" if line.longitude else ""
                who = [
                    first,
                    CITIES[line.city],
                    line.county,
                    _spoilt(rng, line.enterprise),
                    line.credit_code,
                    line.sector,
                    line.grade,
                    line.category,
                    line.line_name,
                    line.number,
                    pair,
                    "/".join(f"{line.base[p]:.4f}" for p in POLLUTANTS),
                ]
            cut = "/".join(f"{line.cuts[level][p]:.4f}" for p in POLLUTANTS) if line.stated else ""
            rows.append([*who, name[:2], line.texts[level], line.stopped[level], cut])
        merged += [(first, j, first + 2, j) for j in (3, 8)]
        if line.flaw:
            planted.setdefault(line.flaw, []).append(f"清单!{first + 1}")
    book.sheet("清单", rows, merged)


def _write_csv(path: Path, made: list[Line], rng: random.Random) -> dict[str, list[str]]:
    head = [
        "序号",
        "所在市",
        "所属区县",
        "单位名称",
        "社会信用代码",
        "行业类别",
        "绩效评级",
        "类别",
        "工序名称",
        "条数",
        "年生产天数",
        "企业经度",
        "企业纬度",
        *(f"年排放量{h}(吨/年)" for h in HEADINGS.values()),
    ]
    for name in LEVELS.values():
        head += [f"{name}措施", f"{name}停产条数", *(f"{name}减排量{h}(kg/d)" for h in HEADINGS.values())]
    planted: dict[str, list[str]] = {}
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow([TITLE])
    out.writerow(head)
    for k, line in enumerate(made):
        row: list[Any] = [
            k + 1,
            CITIES[line.city],
            line.county,
            _spoilt(rng, line.enterprise),
            line.credit_code,
            line.sector,
            line.grade,
            line.category,
            line.line_name,
            line.number,
            line.days,
            line.longitude or "",
            line.latitude or "",
            *(repr(line.base[p] * line.days / 1000) for p in POLLUTANTS),
        ]
        for level in LEVELS:
            row += [line.texts[level], "" if line.stopped[level] is None else line.stopped[level]]
            row += [_number(rng, line.cuts[level][p]) if line.stated else "" for p in POLLUTANTS]
        out.writerow(row)
        if line.flaw:
            planted.setdefault(line.flaw, []).append(str(k + 3))
    path.write_bytes(text.getvalue().encode("gb18030"))
    return planted


def main() -> None:
    """Write a list as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("path", type=Path, help=".xlsx, .xls or (layout table) .csv")
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layout", choices=("official", "cities", "levels", "table"), default="official")
    parser.add_argument("--flaws", action="store_true", help="plant wrong lines for the checks to find")
    asked = parser.parse_args()
    write(asked.path, lines(asked.lines, asked.seed, flaws=asked.flaws), asked.layout, asked.seed)


if __name__ == "__main__":
    main()
