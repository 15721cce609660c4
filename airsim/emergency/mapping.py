"""A mapping file: which header of somebody's list is which of our columns, where recognition is not enough.

The file is YAML; everything in it is optional::

    unit: kg/d                   # of emissions and reductions without a unit of their own
    header: 4-6                  # rows of the header, as Excel counts them
    columns:                     # our column -> their header, or the letter of the column as {column: H}
      enterprise: 厂名
      base_SO2: {header: 现状排放|二氧化硫, unit: 吨/年}
      red_text: {column: H}
      orange_text: ""            # not read, whatever it looks like
    sheets:                      # the same keys for one sheet, and what the sheet holds
      工业源一览: {category: industrial, city: 咸阳, header: 3}
      旧表: skip
"""

from __future__ import annotations

import re
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airsim.errors import InputError, Problem


@dataclass(frozen=True)
class Source:
    """Where one of our columns is found: by header, or by position; neither: not read."""

    header: str = ""
    column: int | None = None
    unit: str = ""


@dataclass(frozen=True)
class SheetMapping:
    """What a mapping says of one sheet.

    Attributes
    ----------
    columns : mapping of str to Source
        Our column -> where it is.
    header : (int, int) or None
        First and last row of the header, as Excel counts them.
    unit : str
        Unit of emissions that state none: "kg d-1", "t d-1" or "t a-1".
    category, city : str
        What the sheet holds, if said.
    skip : bool
        The sheet is not read.
    """

    columns: AnyMapping[str, Source] = field(default_factory=dict)
    header: tuple[int, int] | None = None
    unit: str = ""
    category: str = ""
    city: str = ""
    skip: bool = False


@dataclass(frozen=True)
class Mapping:
    """A mapping file as read: what holds for all sheets, and by sheet."""

    every: SheetMapping = SheetMapping()
    sheets: AnyMapping[str, SheetMapping] = field(default_factory=dict)

    def of(self, sheet: str) -> SheetMapping:
        """Return what holds for one sheet."""
        own = self.sheets.get(sheet)
        if own is None:
            return self.every
        return SheetMapping(
            {**self.every.columns, **own.columns},
            own.header or self.every.header,
            own.unit or self.every.unit,
            own.category or self.every.category,
            own.city or self.every.city,
            own.skip,
        )


def read(source: str | Path | AnyMapping[str, Any], columns: AnyMapping[str, str]) -> Mapping:
    """Read a mapping.

    Parameters
    ----------
    source : path or mapping
        A YAML file, or our column -> their header.
    columns : mapping
        The columns that exist, with what each is, for the messages.

    Raises
    ------
    InputError
        The file is no YAML, or names keys, columns, units or rows that there are not; each with its line.
    """
    if isinstance(source, AnyMapping):
        return _Reader("mapping", columns).whole({"columns": source})
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    path = Path(source)
    if not path.is_file():
        raise InputError([Problem(str(path), "", "", "", "file not found", "文件不存在")])
    try:
        tree = YAML().load(path.read_text(encoding="utf-8-sig"))
    except (YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = str(mark.line + 1) if mark else ""
        raise InputError(
            [Problem(str(path), line, "", "", f"no YAML in UTF-8 ({error})".split("\n")[0], "不是 UTF-8 编码的 YAML")]
        ) from error
    return _Reader(str(path), columns).whole({} if tree is None else tree)


class _Reader:
    def __init__(self, file: str, columns: AnyMapping[str, str]) -> None:
        self.file, self.known = file, columns
        self.problems: list[Problem] = []

    def whole(self, tree: Any) -> Mapping:
        if not isinstance(tree, AnyMapping):
            self._say(None, "", tree, "must be keys and values", "须为键值对")
            raise InputError(self.problems)
        every = self._sheet({k: v for k, v in tree.items() if k != "sheets"}, tree, "")
        sheets = {}
        given = tree.get("sheets", {})
        if not isinstance(given, AnyMapping):
            self._say(tree, "sheets", given, "must be sheet names and what holds for each", "须为工作表名及其设置")
            given = {}
        for name, said in given.items():
            if said == "skip":
                sheets[str(name)] = SheetMapping(skip=True)
            elif isinstance(said, AnyMapping):
                sheets[str(name)] = self._sheet(said, said, f"sheets.{name}.")
            else:
                self._say(given, name, said, "must be 'skip' or keys and values", "须为 skip 或键值对")
        if self.problems:
            raise InputError(self.problems)
        return Mapping(every, sheets)

    def _sheet(self, said: AnyMapping[Any, Any], marks: Any, prefix: str) -> SheetMapping:
        from airsim.emergency import wording

        columns: dict[str, Source] = {}
        header, unit, category, city = None, "", "", ""
        for key, value in said.items():
            if key == "columns" and isinstance(value, AnyMapping):
                columns = {str(name): self._column(value, str(name), v, prefix) for name, v in value.items()}
            elif key == "header":
                m = re.fullmatch(r"(\d+)(?:\s*-\s*(\d+))?", str(value))
                header = (int(m[1]), int(m[2] or m[1])) if m else None
                if header is None or not 1 <= header[0] <= header[1]:
                    self._say(marks, key, value, "must be a row or rows as 4 or 4-6", "须为行号，如 4 或 4-6", prefix)
            elif key == "unit":
                unit = self._unit(marks, str(key), value, prefix)
            elif key == "category":
                category = wording.category_of(str(value))
                if not category:
                    allowed = ", ".join(wording.CATEGORIES)
                    self._say(marks, key, value, f"must be one of {allowed}", f"须为 {allowed} 之一", prefix)
            elif key == "city":
                city = wording.city_of(str(value))[0]
                if not city:
                    self._say(marks, key, value, "unknown city", "未知城市", prefix)
            else:
                allowed = "columns, header, unit, category, city" + ("" if prefix else ", sheets")
                self._say(marks, key, value, f"unknown key; there are {allowed}", f"未知的键；可用 {allowed}", prefix)
        return SheetMapping(columns, header, unit, category, city)

    def _column(self, marks: Any, name: str, value: Any, prefix: str) -> Source:
        if name not in self.known:
            import difflib

            near = difflib.get_close_matches(name, list(self.known), n=1)
            hint = f"; nearest is {near[0]}" if near else ""
            hint_zh = f"；最接近的是 {near[0]}" if near else ""
            self._say(marks, name, value, "no column of a list" + hint, "不是清单的列" + hint_zh, prefix + "columns.")
        if value is None or isinstance(value, str):
            return Source(value or "")
        if isinstance(value, AnyMapping) and set(value) <= {"header", "column", "unit"}:
            letter = str(value.get("column", ""))
            column = None
            if letter:
                if not re.fullmatch(r"[A-Za-z]{1,3}", letter):
                    self._say(value, "column", letter, "must be a column letter, as H", "须为列号字母，如 H", prefix)
                else:
                    column = sum((ord(c) - 64) * 26**i for i, c in enumerate(reversed(letter.upper()))) - 1
            unit = self._unit(value, "unit", value["unit"], prefix) if "unit" in value else ""
            return Source(str(value.get("header", "")), column, unit)
        self._say(
            marks, name, value, "must be a header, or header, column and unit", "须为表头文字，或 header、column、unit"
        )
        return Source()

    def _unit(self, marks: Any, key: str, value: Any, prefix: str) -> str:
        from airsim.emergency import wording

        unit = wording.unit_of(str(value))
        if not unit:
            self._say(marks, key, value, "must be kg/d, t/d or t/a", "须为 kg/d、吨/天 或 吨/年", prefix)
        return unit

    def _say(self, marks: Any, key: Any, value: Any, allowed: str, allowed_zh: str, prefix: str = "") -> None:
        line = ""
        places = getattr(marks, "lc", None)
        if places is not None and key in (places.data or {}):
            line = str(places.data[key][0] + 1)
        self.problems.append(Problem(self.file, line, f"{prefix}{key}", str(value), allowed, allowed_zh))
