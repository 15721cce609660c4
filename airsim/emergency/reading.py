"""Emergency reduction lists (应急减排清单) as bureaus hold them -> `EmergencyList`.

A list is a workbook with a sheet for each category (工业源, 移动源, 扬尘源) or each city, titles above a header
of one to three rows with merged groups (红色预警 | 减排量 | SO2), and totals below.  What headers and cells say is
found by `wording`.  The other layout, one row a line *and level*, is folded into one row a line.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from airsim.emergency import mapping as mappings
from airsim.emergency.list_columns import FoundColumn, empty_lines, known_columns, unmerged
from airsim.emergency.mapping import SheetMapping
from airsim.emergency.reduction_list import EmergencyList, duplicates
from airsim.emergency.wording import (
    BY_HEADER,
    ENTERPRISE_TOTAL,
    FACTORS,
    ILLUSTRATIVE,
    INHERITED,
    INHERITED_NUMBERS,
    LEVELS,
    LOST_DIGITS,
    OTHER_NUMBERS,
    POLLUTANTS,
    SCIENTIFIC,
    SYNTHETIC,
    TEXT,
    TITLE_UNIT,
    TOTAL,
    bare_header,
    category_of,
    city_named_in,
    city_of,
    classify_header,
    enterprise_name,
    find_header,
    is_amount,
    is_measure,
    joined_headers,
    kind_and_grade,
    levels_in,
    pollutants_in_order,
    remark,
    share_column,
    text_of_head,
    to_degrees,
    unit_of,
    unpack,
    without_blanks,
)
from airsim.errors import InputError, Problem
from airsim.geography import CITIES
from airsim.tables import Sheet, clean_text, normalise, read_cells, to_number

Floats = npt.NDArray[np.float64]


def read(path: str | Path, mapping: str | Path | Mapping[str, Any] | None = None) -> EmergencyList:
    """Read an emergency reduction list.

    Parameters
    ----------
    path : path
        ``.xlsx``, ``.xls`` or ``.csv`` (UTF-8 or GB18030).
    mapping : path or mapping, optional
        A mapping file (`airsim.emergency.mapping`), or our column -> their header; it overrides the recognition.

    Returns
    -------
    EmergencyList

    Raises
    ------
    InputError
        Everything that keeps the list from being counted, each with sheet and cell: no list in the file, a unit that
        is not stated, cells that are not numbers, negative numbers, unknown cities, credit codes stored as numbers,
        a line that stands in the list twice.
    """
    found = examine(path, mapping)
    if found.errors:
        raise InputError(found.errors)
    return found


def examine(path: str | Path, mapping: str | Path | Mapping[str, Any] | None = None) -> EmergencyList:
    """Read a list as far as it can be read; what `read` would raise stands in `errors`.

    Raises
    ------
    InputError
        The file or the mapping cannot be read at all.
    """
    path = Path(path)
    wanted = mappings.read(mapping, known_columns()) if mapping is not None else mappings.Mapping()
    sheets = read_cells(path)
    reader = _Reader(str(path))
    absent = [name for name in wanted.sheets if name not in {s.name for s in sheets}]
    reader.errors += [
        Problem(str(path), "", "sheets", name, "the mapping names a sheet that the file lacks", "映射中的工作表不存在")
        for name in absent
    ]
    for sheet in sheets:
        reader.sheet(sheet, wanted.of(sheet.name), named=sheet.name in wanted.sheets)
    found = reader.finish()
    return replace(found, errors=(*found.errors, *duplicates(found)))


class _Reader:
    """Reads one sheet after the other and gathers."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.frames: list[pd.DataFrame] = []
        self.level_rows: list[pd.DataFrame] = []
        self.totals: list[dict[str, Any]] = []
        self.columns: dict[str, dict[str, int]] = {}
        self.recognised: list[dict[str, str]] = []
        self.notes: list[Problem] = []
        self.errors: list[Problem] = []
        self.illustrative = self.synthetic = False

    def sheet(self, sheet: Sheet, mapping: SheetMapping, *, named: bool) -> None:
        """Read a sheet if it is a list."""
        for text in text_of_head(sheet):
            self.illustrative = self.illustrative or bool(ILLUSTRATIVE.search(text))
            self.synthetic = self.synthetic or bool(SYNTHETIC.search(text))
        if mapping.skip:
            self.notes.append(remark(sheet, "sheet skipped by the mapping", "按映射文件跳过该工作表"))
            return
        if sheet.hidden and not named:
            self.notes.append(remark(sheet, "hidden sheet, not read", "隐藏工作表，未读取"))
            return
        if re.search("汇总|说明|统计|更改记录", sheet.name) and not named:
            self.notes.append(remark(sheet, "summary or notes, not counted", "汇总或说明表，不计入"))
            return
        source = mapping.columns.get("enterprise")
        words = frozenset(normalise(p) for p in source.header.split("|")) - {""} if source else frozenset()
        given = mapping.header
        header = (given[0] - 1, given[1] - 1) if given else find_header(sheet, words)
        columns = self._columns(sheet, header, mapping) if header and header[1] < len(sheet.rows) else {}
        if not header or "enterprise" not in columns or not any(is_measure(c) for c in columns):
            if any(clean_text(c) for row in sheet.rows[:40] for c in row):
                self.notes.append(
                    remark(
                        sheet,
                        "no list recognised (needs a name and measures by level)",
                        "未识别为清单（需有名称列及分级措施列）",
                    )
                )
            self.recognised = [r for r in self.recognised if r["sheet"] != sheet.name]
            return
        self.columns[sheet.name] = {name: found.at for name, found in columns.items()}
        self._rows(sheet, header, columns, mapping)

    def finish(self) -> EmergencyList:
        """Return what was gathered."""
        if not self.frames and not self.errors:
            self.errors.append(
                Problem(
                    self.file,
                    "",
                    "",
                    "",
                    "no sheet of the file is a reduction list: a name column and measures by level (红/橙/黄) needed",
                    "文件中没有减排清单：须有企业（项目）名称列和红、橙、黄各级措施列",
                )
            )
        lines = pd.concat(self.frames) if self.frames else empty_lines()
        totals = pd.DataFrame(self.totals)
        rows = pd.concat(self.level_rows) if self.level_rows else pd.DataFrame()
        return EmergencyList(
            self.file, lines, self.columns, self.illustrative, tuple(self.notes), tuple(self.errors),
            pd.DataFrame(self.recognised, columns=["sheet", "cell", "header", "column", "unit"]), totals,
            rows.reindex(lines.index) if len(rows) else rows, self.synthetic,
        )  # fmt: skip

    # -- header

    def _columns(self, sheet: Sheet, header: tuple[int, int], mapping: SheetMapping) -> dict[str, FoundColumn]:
        title_unit = mapping.unit or next(
            (
                u
                for r in sheet.rows[: header[0]]
                for c in r
                if TITLE_UNIT.search(clean_text(c)) and (u := unit_of(str(c)))
            ),
            "",
        )
        joined = joined_headers(sheet, header)
        texts = [normalise(h) for h in joined]
        parts = [[normalise(p) for p in h.split("|")] for h in joined]
        by_level = any(BY_HEADER.get(bare_header(p[-1])) == "level" for p in parts if p) or "level" in mapping.columns
        chosen: dict[int, str] = {}
        units: dict[int, str] = {}
        for name, source in mapping.columns.items():
            if not source.header and source.column is None:
                continue
            words = normalise(source.header)
            places = [source.column] if source.column is not None else [j for j, t in enumerate(texts) if words == t]
            places = places or [j for j, p in enumerate(parts) if words in p]
            if len(places) != 1 or places[0] >= len(joined):
                said = ("no column has this header", "没有该表头")
                if places:
                    said = ("several columns have this header; join all its rows by |", "该表头不唯一，请用 | 连接各行")
                self.errors.append(Problem(sheet.file, sheet.place(header[1]), name, source.header, *said))
                continue
            chosen[places[0]] = name
            units[places[0]] = source.unit
        barred = set(mapping.columns)
        columns: dict[str, FoundColumn] = {}
        for j, head in enumerate(joined):
            if not head and j not in chosen:
                continue
            name = chosen.get(j, "")
            if not name:
                name = classify_header(texts[j], parts[j], by_level=by_level)
                if name in barred:
                    name = ""
            place = sheet.place(header[1], j)
            unit = ""
            if name in columns:
                self._doubled(sheet, place, head, name)
                name = ""
            if name:
                found = FoundColumn(j, order=tuple(pollutants_in_order(texts[j])))
                if is_amount(name):
                    unit = units.get(j) or unit_of(texts[j]) or title_unit
                    if not unit:
                        self.errors.append(
                            Problem(
                                sheet.file,
                                place,
                                head,
                                "",
                                "state the unit in the header or the title: kg/d, 吨/天 or 吨/年",
                                "须在表头或标题中注明单位：kg/d、吨/天或吨/年",
                            )
                        )
                    found.factor = FACTORS.get(unit, 1.0)
                columns[name] = found
            self.recognised.append({"sheet": sheet.name, "cell": place, "header": head, "column": name, "unit": unit})
        return columns

    def _doubled(self, sheet: Sheet, place: str, head: str, name: str) -> None:
        said = f"a second column of '{name}', not used", f"与前面的列含义相同（{name}），未使用"
        self.notes.append(Problem(sheet.file, place, head, "", *said))

    # -- rows

    def _rows(
        self, sheet: Sheet, header: tuple[int, int], columns: Mapping[str, FoundColumn], mapping: SheetMapping
    ) -> None:
        body = unmerged(sheet, header, columns)
        numbers_of = range(header[1] + 1, len(sheet.rows))
        keep: list[int] = []
        totals: list[int] = []
        blank = 0
        name_at = columns["enterprise"].at
        for i in numbers_of:
            row = body(i)
            if not any(c is not None and c != "" and clean_text(c) for c in row):
                blank += 1
                continue
            if name_at < len(row) and BY_HEADER.get(bare_header(row[name_at])) == "enterprise":
                continue  # the header again, on the next printed page
            said = [t for t in (without_blanks(clean_text(c)) for c in row[:8]) if t]
            if any(TOTAL.fullmatch(t) for t in said):
                totals.append(i)
            else:
                keep.append(i)
        everything = sorted({*keep, *totals})
        if not keep:
            self.notes.append(remark(sheet, "a header and no rows", "有表头但无数据行"))
            return
        cells = {
            name: [row[f.at] if f.at < len(row) else None for row in map(body, everything)]
            for name, f in columns.items()
        }
        frame = self._frame(sheet, everything, cells, columns)
        is_total = np.isin(everything, totals)
        frame = self._identity(sheet, frame, cells, columns, mapping, header, is_total)
        self._to_kg_per_day(sheet, frame, columns)
        frame.index = pd.Index([sheet.place(i) for i in frame["_i"]], name="place")
        if "level" in columns:
            frame = self._folded(sheet, frame, columns)
        self.frames.append(frame.drop(columns=["_i", *(c for c in frame if str(c).startswith("any_") or c == "level")]))

    def _bad(self, sheet: Sheet, i: int, found: FoundColumn, name: str, value: Any, said: tuple[str, str]) -> None:
        self.errors.append(Problem(sheet.file, sheet.place(i, found.at), name, clean_text(value), *said))

    def _frame(
        self, sheet: Sheet, rows: list[int], cells: Mapping[str, list[Any]], columns: Mapping[str, FoundColumn]
    ) -> pd.DataFrame:
        """Return texts and numbers of the rows, not yet converted to kg d-1."""
        n = len(rows)
        data: dict[str, Any] = {"_i": rows, "sheet": sheet.name, "row": [sheet.lines[i] for i in rows]}
        for name in TEXT:
            raw = cells.get(name)
            data[name] = [clean_text(v) for v in raw] if raw is not None else [""] * n
        data["category"] = [clean_text(v) for v in cells["category"]] if "category" in cells else [""] * n
        for name in ("enterprise", "line_name"):
            data[name] = [enterprise_name(t) for t in data[name]]
        if "credit_code" in cells:
            data["credit_code"] = self._codes(sheet, rows, cells["credit_code"], columns["credit_code"])
        levels = (*LEVELS, "any") if "level" in columns else LEVELS
        for level in levels:
            raw = cells.get(f"{level}_text")
            data[f"{level}_text"] = [clean_text(v) for v in raw] if raw is not None else [""] * n
        amounts = [f"base_{p}" for p in POLLUTANTS]
        amounts += [f"{level}_cut_{p}" for level in levels for p in POLLUTANTS]
        for name in (*OTHER_NUMBERS, *(f"{level}_stopped" for level in levels), *amounts):
            found = columns.get(name)
            data[name] = self._numbers(sheet, rows, cells[name], found, name) if found else np.full(n, np.nan)
        for level in levels:
            found = columns.get(f"{level}_share")
            data[f"{level}_share"] = np.full(n, np.nan)
            if found:
                raw = cells[f"{level}_share"]
                shares, doubtful = share_column(raw)
                data[f"{level}_share"] = np.array(shares)
                for k in doubtful:
                    said = (
                        "must be a share: 30%, 0.3 or 30, one way in a column",
                        "须为比例：30%、0.3 或 30，同列写法一致",
                    )
                    self._bad(sheet, rows[k], found, f"{level}_share", raw[k], said)
        for group in ("base", *(f"{level}_cut" for level in levels)):
            found = columns.get(f"{group}_packed")
            if found:
                self._unpacked(sheet, rows, cells[f"{group}_packed"], found, group, data)
        if "lonlat" in columns:
            self._pairs(sheet, rows, cells["lonlat"], columns["lonlat"], data)
        if "level" in columns:
            data["level"] = [clean_text(v) for v in cells["level"]]
        return pd.DataFrame(data)

    def _codes(self, sheet: Sheet, rows: list[int], raw: list[Any], found: FoundColumn) -> list[str]:
        codes = []
        for i, value in zip(rows, raw, strict=True):
            number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= 1e11
            text = "" if value is None else unicodedata.normalize("NFKC", clean_text(value))
            text = re.sub(r"[\s'’`]+", "", text).upper()
            if number or SCIENTIFIC.fullmatch(text):
                shown = f"{value:.0f}" if number else text
                self._bad(sheet, i, found, "credit_code", shown, LOST_DIGITS)
                text = ""
            codes.append("" if text in {"-", "—", "/", "无"} else text)
        return codes

    def _numbers(self, sheet: Sheet, rows: list[int], raw: list[Any], found: FoundColumn, name: str) -> Floats:
        out = np.full(len(rows), np.nan)
        degrees = name in {"longitude", "latitude"}
        for k, value in enumerate(raw):
            if type(value) is float:
                number: float | None = value
            elif value is None or value == "":
                continue
            else:
                try:
                    number = to_degrees(value) if degrees else to_number(value)
                except ValueError:
                    self._bad(sheet, rows[k], found, name, value, ("must be a number", "须为数字"))
                    continue
            if number is None or math.isnan(number):
                continue
            if number < 0:
                self._bad(sheet, rows[k], found, name, value, ("must not be negative", "不得为负"))
                continue
            if not (degrees and number == 0):
                out[k] = number
        return out

    def _unpacked(
        self, sheet: Sheet, rows: list[int], raw: list[Any], found: FoundColumn, group: str, data: dict[str, Any]
    ) -> None:
        for k, value in enumerate(raw):
            held = unpack(value, found.order)
            if held is None:
                said = (
                    "must be one number a pollutant: 1000/4000/1500/0 in the order of the header, or SO2 12.3; NOx 4",
                    "须为各污染物数字：按表头顺序 1000/4000/1500/0，或 SO2 12.3；NOx 4",
                )
                self._bad(sheet, rows[k], found, f"{group}_packed", value, said)
                continue
            for p, number in held.items():
                data[f"{group}_{p}"][k] = number

    def _pairs(self, sheet: Sheet, rows: list[int], raw: list[Any], found: FoundColumn, data: dict[str, Any]) -> None:
        for k, value in enumerate(raw):
            parts = [p for p in re.split(r"[,，;；、\s]+", clean_text(value)) if p]
            if not parts:
                continue
            try:
                lon, lat = (to_degrees(p) for p in parts)
            except ValueError:
                said = ("must be longitude and latitude, as 108.95,34.27", "须为经度、纬度，如 108.95,34.27")
                self._bad(sheet, rows[k], found, "lonlat", value, said)
                continue
            data["longitude"][k], data["latitude"][k] = lon, lat

    def _identity(
        self,
        sheet: Sheet,
        frame: Any,
        cells: Mapping[str, list[Any]],
        columns: Mapping[str, FoundColumn],
        mapping: SheetMapping,
        header: tuple[int, int],
        is_total: npt.NDArray[np.bool_],
    ) -> pd.DataFrame:
        """Fill merged identity downwards, take the totals out, and say whose each row is."""
        content = (frame["line_name"] != "").to_numpy() | frame.filter(regex="^base_|_cut_").notna().any(
            axis=1
        ).to_numpy()
        if "level" in columns:
            content |= (frame["level"] != "").to_numpy()
        columns_of = [frame[n].tolist() for n in (*INHERITED, *INHERITED_NUMBERS)]
        texts = len(INHERITED)
        repeated = {INHERITED.index(n) for n in ("credit_code", "city", "county", "sector", "category")}
        by_level = "level" in columns
        line_names, own = frame["line_name"].tolist(), frame["enterprise"].tolist()
        names = list(own)
        keep = np.zeros(len(frame), dtype=bool)
        above = -1
        for k in range(len(frame)):
            if is_total[k]:
                self._total(sheet, frame, k, own[k] or (own[above] if above >= 0 else ""), columns)
                continue
            if not own[k] and (above < 0 or not content[k]):
                place = sheet.place(int(frame["_i"].iat[k]))
                self.notes.append(remark(sheet, "row without a name, not counted", "无名称的行，不计入", place))
                continue
            # a row below with the name merged takes over what it leaves blank; one that repeats the name, only where
            # the enterprise is: it may well be of another kind and grade
            if not own[k] or (above >= 0 and own[k] == own[above]):
                own[k] = own[k] or own[above]
                merged = not names[k]
                for c, values in enumerate(columns_of):
                    empty = values[k] == "" if c < texts else math.isnan(values[k])
                    if empty and (merged or c in repeated):
                        values[k] = values[above]
                if by_level and not line_names[k]:
                    line_names[k] = line_names[above]
            above = k
            keep[k] = True
        for name, values in zip((*INHERITED, *INHERITED_NUMBERS), columns_of, strict=True):
            frame[name] = values
        frame["line_name"] = line_names
        default = mapping.category or category_of(sheet.name) or "industrial"
        frame["category"] = [category_of(t) or default for t in frame["category"]]
        title = next(
            (c for r in sheet.rows[: header[0]] for c in map(city_named_in, map(clean_text, r)) if c[0]), ("", "")
        )
        fallback = (mapping.city, mapping.city) if mapping.city else city_named_in(sheet.name)
        fallback = fallback if fallback[0] else title
        frame = frame[keep].reset_index(drop=True)
        named = [city_of(c, k) for c, k in zip(frame["city"], frame["county"], strict=True)]
        raw_city = frame["city"].tolist()
        if not fallback[0] and any(not c for c, _ in named) and "city" not in columns and "county" not in columns:
            fallback = city_named_in(Path(self.file).stem)
            if fallback[0]:
                self.notes.append(remark(sheet, "the city is taken from the file's name", "城市取自文件名"))
        place_of = [c if c[0] or raw else fallback for c, raw in zip(named, raw_city, strict=True)]
        for k, (city, _) in enumerate(place_of):
            if not city:
                found = columns.get("city") or columns.get("county")
                i = int(frame["_i"].iat[k])
                self.errors.append(
                    Problem(
                        sheet.file,
                        sheet.place(i, found.at) if found else sheet.place(i),
                        "city",
                        raw_city[k] or frame["county"].iat[k],
                        "unknown city; one of " + ", ".join(c.name_en for c in CITIES),
                        "未知城市；须为 " + "、".join(c.name_zh for c in CITIES) + " 之一",
                    )
                )
        frame["city"] = [c for c, _ in place_of]
        frame["area"] = [a for _, a in place_of]
        both = [kind_and_grade(k, g) for k, g in zip(frame["kind"], frame["grade"], strict=True)]
        frame["kind"], frame["grade"] = [b[0] for b in both], [b[1] for b in both]
        frame["grade_local"] = [b[2] for b in both]
        return frame

    def _total(self, sheet: Sheet, frame: Any, k: int, enterprise: str, columns: Mapping[str, FoundColumn]) -> None:
        """Keep a row of totals: it is compared with the sum of its lines and never counted."""
        i = int(frame["_i"].iat[k])
        of_line = bool(ENTERPRISE_TOTAL.fullmatch(without_blanks(str(frame["line_name"].iat[k])))) and bool(enterprise)
        named = str(frame["enterprise"].iat[k])
        of_name = named and not TOTAL.fullmatch(without_blanks(named))
        scope = "enterprise" if of_line or of_name else "sheet"
        row: dict[str, Any] = {
            "place": sheet.place(i), "sheet": sheet.name, "row": sheet.lines[i], "scope": scope,
            "enterprise": enterprise if scope == "enterprise" else "", "position": k,
            "word": next((t for t in map(clean_text, sheet.rows[i][:8]) if TOTAL.fullmatch(without_blanks(t))), ""),
        }  # fmt: skip
        for name in frame.columns:
            if is_amount(str(name)) and name in columns:
                factor = columns[str(name)].factor
                # a total in t/a has no operating days of its own, so it is not compared
                row[str(name)] = float(frame[name].iat[k]) * factor
        self.totals.append(row)

    def _to_kg_per_day(self, sheet: Sheet, frame: pd.DataFrame, columns: Mapping[str, FoundColumn]) -> None:
        days = frame["operating_days"].to_numpy(dtype=np.float64)
        known = np.isfinite(days) & (days > 0)
        guessed = np.zeros(len(frame), dtype=bool)
        for name in [c for c in frame.columns if is_amount(c)]:
            found = columns.get(name) or columns.get(f"{name.rpartition('_')[0]}_packed")
            if found is None or found.factor == 1.0:
                continue
            values = frame[name].to_numpy(dtype=np.float64)
            if np.isnan(found.factor):
                frame[name] = values * 1000.0 / np.where(known, days, 365.0)
                guessed |= np.isfinite(values) & ~known
            else:
                frame[name] = values * found.factor
        if guessed.any():
            n = int(guessed.sum())
            self.notes.append(
                remark(
                    sheet,
                    f"{n} rows give t/a and no operating days; divided by 365",
                    f"{n} 行以吨/年填报且无年生产天数，按 365 天折算",
                )
            )

    def _folded(self, sheet: Sheet, frame: Any, columns: Mapping[str, FoundColumn]) -> pd.DataFrame:
        """Fold one row a level into one row a line; the base, which then stands three times, counts once."""
        levels = [levels_in(t) for t in frame["level"]]
        for k, named in enumerate(levels):
            if not named:
                said = ("must name a level: 黄色, 橙色 or 红色", "须为 黄色、橙色 或 红色")
                self._bad(sheet, int(frame["_i"].iat[k]), columns["level"], "level", frame["level"].iat[k], said)
        identity = ["city", "category", "enterprise", "credit_code", "subsector", "line_name"]
        key = list(map("\x1f".join, zip(*(frame[c] for c in identity), strict=True)))
        # two lines may bear one name: the second row of a line and level begins another line
        seen: dict[tuple[str, str], int] = {}
        lines: dict[tuple[str, int], list[int]] = {}
        for k, (who, named) in enumerate(zip(key, levels, strict=True)):
            number = max((seen.get((who, level), 0) for level in named), default=0)
            for level in named:
                seen[who, level] = number + 1
            lines.setdefault((who, number), []).append(k)
        first = [members[0] for members in lines.values()]
        folded = frame.iloc[first].copy()
        rows = pd.DataFrame({level: folded["row"].to_numpy() for level in LEVELS}, index=folded.index)
        amounts = ["stopped", "share", *(f"cut_{p}" for p in POLLUTANTS)]
        columns_at = {c: frame.columns.get_loc(c) for c in frame.columns}
        values = frame.to_numpy(dtype=object)
        out = folded.to_numpy(dtype=object, copy=True)
        at_rows = rows.to_numpy(copy=True)
        shared = [*(f"base_{p}" for p in POLLUTANTS), *OTHER_NUMBERS]
        for n, members in enumerate(lines.values()):
            for name in shared:
                j = columns_at[name]
                held = [values[k][j] for k in members if values[k][j] == values[k][j]]
                if held and name.startswith("base_") and max(held) - min(held) > 1e-6 * max(held):
                    k = next(k for k in members if values[k][j] != held[0])
                    found = columns.get(name) or columns["base_packed"]
                    said = ("the base differs between the levels of one line", "同一生产线各级别填报的基数不一致")
                    self._bad(sheet, int(frame["_i"].iat[k]), found, name, f"{values[k][j]:g}", said)
                if held:
                    out[n][j] = held[0]
            for k in members:
                for level in levels[k]:
                    at_rows[n][LEVELS.index(level)] = values[k][columns_at["row"]]
                    out[n][columns_at[f"{level}_text"]] = values[k][columns_at["any_text"]]
                    for what in amounts:
                        out[n][columns_at[f"{level}_{what}"]] = values[k][columns_at[f"any_{what}"]]
        result = pd.DataFrame(out, columns=frame.columns, index=folded.index)
        for name in frame.columns:
            result[name] = result[name].astype(frame[name].dtype)
        self.level_rows.append(pd.DataFrame(at_rows, columns=list(LEVELS), index=folded.index))
        n_rows, n_lines = len(frame), len(result)
        self.notes.append(
            remark(
                sheet,
                f"one row a level: {n_rows} rows are {n_lines} lines, each base counted once",
                f"按级别分行填报：{n_rows} 行合并为 {n_lines} 条生产线，基数只计一次",
            )
        )
        return result
