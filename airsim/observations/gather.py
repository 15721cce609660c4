"""File after file is taken, and one dataset made of them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from airsim.errors import InputError, Problem
from airsim.observations.cities import Observations, Site, city_ids, listed_stations
from airsim.observations.layouts import Layout, factor_of, has_hour, layout_of, published_hour, rows_of, variable_of
from airsim.observations.quality import CODE, FLAGS, SPECIES, Series, ozone_peak_hour, spread_out, unchanging
from airsim.tables import Cell, Fault, clean_text, normalise
from airsim.tables.reading import titled_unit_of

#: Median of CO from which a column that names no unit cannot be mg m-3.
_CO_IN_MICROGRAMS = 30.0
#: Marks of a good value: HJ 212 writes N; the words are those of review columns.
_GOOD_MARKS = {"", "n", "0", "正常", "有效", "valid", "ok", "已审核"}
_MISSING = {"", "-", "—", "–", "－", "--", "/", "na", "n/a", "nan", "null", "none", "无", "暂无", "*"}
_MARKED = re.compile(r"^([-+]?\d+(?:\.\d*)?)\s*[(（\[]\s*([A-Za-z]{1,4})\s*[)）\]]$")


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
    listed, notes = listed_stations(stations)
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


class _Gathered:
    """Takes file after file, then makes one dataset of them."""

    def __init__(self, stations: dict[str, Site] | None, notes: list[Problem]) -> None:
        self._stations = stations
        self._notes = notes
        self._sites: dict[str, int] = {}
        self._about: list[Site] = []
        self._series = {name: Series() for name in (*SPECIES, "aqi")}
        self._o3_day = Series()
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
        layout: Layout | None = None
        chosen: list[tuple[int, int]] = []
        problems: list[Problem] = []
        short: list[str] = []
        long_rows: list[str] = []
        averaged = 0
        unknown_types: Counter[str] = Counter()
        outside: set[str] = set()
        seen: list[tuple[str, ...]] = []
        width, clocked = 0, False
        hidden: list[str] = []
        titled = ""
        for at, row, unended in rows_of(path, hidden):
            if not any(clean_text(c) for c in row):
                continue
            # a data row begins with a date: only others can be a header
            if layout is None or (layout and not clean_text(row[0])[:1].isdigit()):
                new = layout_of(row)
                if new is not None:
                    wrong = _unreadable(new, file, at, row, titled)
                    if wrong:
                        # nothing under such a header can be read
                        raise InputError([*problems, *wrong])
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
                titled = titled or titled_unit_of(row)
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
            when = published_hour(row[layout.roles["date"]], hour, layout.zone)
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
            clocked |= hour is not None or has_hour(row[layout.roles["date"]])
            cut = len(row) - 1 if unended else -1
            if layout.kind == "wide":
                text = clean_text(row[layout.roles["type"]])
                known = variable_of(text)
                if known is None:
                    unknown_types[text] += 1
                elif known[1]:
                    averaged += 1
                    if known[0] == "o3" and normalise(text) == "o3_24h":
                        for j, site in chosen:
                            self._put(self._o3_day, when, site, row[j], 1.0, "", (file, at, text), problems, j == cut)
                elif known[2] is not None and known[2] != known[2]:
                    problems.append(_no_unit(file, at, text))
                else:
                    name, _, factor = known
                    factor = layout.factor if layout.factor is not None and name != "aqi" else factor
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
        if hidden:
            some = ", ".join(hidden[:6]) + (" ..." if len(hidden) > 6 else "")
            self._note(
                file, "", some, "hidden sheets not read, hidden rows counted too", "隐藏工作表未读取、隐藏行照常计入"
            )
        if layout is not None and layout.unused:
            self._note(file, "", ", ".join(layout.unused), "columns not used", "未使用的列")
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
        self, layout: Layout, file: str, at: str, problems: list[Problem]
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
        layout: Layout,
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
            known = variable_of(text)
            if known is None:
                unknown_types[text] += 1
            elif not known[1]:
                factor = layout.factor if layout.factor is not None and known[0] != "aqi" else known[2]
                if factor is not None and factor != factor:  # noqa: PLR0124
                    problems.append(_no_unit(*at, text))
                    return
                if factor is None:
                    self._co_guessed[at[0]] += 1
                j = roles["value"]
                self._put(
                    self._series[known[0]], when, site, row[j], factor or 1e3, mark, (*at, text), problems, j == cut
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
        series: Series,
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
            series.add(when, site, np.nan, CODE["cut"])
            return
        try:
            value = float(cell)  # type: ignore[arg-type]  # the usual case first: millions of cells
        except (TypeError, ValueError):
            if isinstance(cell, Fault):
                problems.append(
                    Problem(
                        *at, str(cell), "an Excel error, or a formula whose value is not stored",
                        "单元格为 Excel 错误值，或公式未保存计算结果",
                    )
                )  # fmt: skip
                return
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
            series.add(when, site, np.nan, CODE["marked"])
            return
        series.add(when, site, value * factor, CODE["valid"])

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
            values, flags = spread_out(series, first, (hours, sites), counts)
            if name in SPECIES:
                wrong = (flags == CODE["valid"]) & ((values < 0) | (values > SPECIES[name]))
                flags[wrong] = CODE["out_of_range"]
                values[wrong] = np.nan
                stuck = unchanging(values)
                flags[stuck] = CODE["stuck"]
                quality[list(SPECIES).index(name)] = flags
            data[name] = (("time", "site"), values)
        both = data["pm25"][1], data["pm10"][1]
        with np.errstate(invalid="ignore"):
            inverted = both[0] > both[1]
        quality[0][inverted] = CODE["inverted"]
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


def _needs_stations(file: str, at: str) -> Problem:
    return Problem(
        file, at, "station", "",
        "station codes need the station list with their cities (--stations)",
        "站点编码须配站点表（--stations）以对应城市",
    )  # fmt: skip


def _no_unit(file: str, at: str, text: str) -> Problem:
    return Problem(
        file,
        at,
        text,
        text,
        "the bracket is no unit of concentration; known: ug/m3, mg/m3, ppb, ppm (gases)",
        "括号内不是浓度单位；可用 μg/m3、mg/m3、ppb、ppm（气体）",
    )


def _unreadable(layout: Layout, file: str, at: str, row: Sequence[Cell], titled: str) -> list[Problem]:
    """Return what of a header cannot be read: units that are none, zones that are none, a unit in the title alone."""
    problems = [
        _no_unit(file, at, clean_text(row[j]))
        for j, factor in layout.species.values()
        if factor is not None and factor != factor  # noqa: PLR0124
    ]
    if layout.factor is not None and layout.factor != layout.factor:
        role = "value" if "value" in layout.roles else "type"
        problems.append(_no_unit(file, at, clean_text(row[layout.roles[role]])))
    if layout.zone is not None and (layout.zone != layout.zone or layout.zone % 1):
        said = "the bracket must be a time zone of whole hours, such as UTC or UTC+8", "括号内须为整时区，如 UTC、UTC+8"
        problems.append(Problem(file, at, "date", clean_text(row[layout.roles["date"]]), *said))
    if titled and factor_of(titled) != 1.0:
        said = (
            "the title names this unit: write it into the headers of the columns",
            "标题注有该单位：请写入各列列名",
        )
        problems.append(Problem(file, at, "unit", titled, *said))
    return problems
