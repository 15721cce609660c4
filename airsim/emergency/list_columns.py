"""The columns of a reduction list: what a mapping may name, what was found, and an empty table of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from airsim.emergency.wording import HEADERS, LEVELS, OTHER_NUMBERS, POLLUTANTS, TEXT
from airsim.tables import Sheet, clean_text


def known_columns() -> dict[str, str]:
    """Return the columns that a mapping may name, with what each is."""
    known = {name: spellings[0] for name, spellings in HEADERS.items()}
    known |= {f"base_{p}": f"日排放量 {p}" for p in POLLUTANTS} | {"base_packed": "日排放量，数字在一格内"}
    for level in (*LEVELS, "any"):
        known |= {f"{level}_text": "减排措施", f"{level}_stopped": "停产生产线数量", f"{level}_share": "限产比例"}
        known |= {f"{level}_cut_{p}": f"减排量 {p}" for p in POLLUTANTS}
        known[f"{level}_cut_packed"] = "减排量，数字在一格内"
    return known


@dataclass
class FoundColumn:
    """A column that was found: where, in what unit, and the pollutants its header names."""

    at: int
    factor: float = 1.0
    order: tuple[str, ...] = ()


def unmerged(sheet: Sheet, header: tuple[int, int], columns: Mapping[str, FoundColumn]) -> Any:
    """Return a function row number -> cells in which vertically merged words stand in every row they cover.

    Numbers stay in their first row: a merged base is the base of all these rows together.
    """
    at = {f.at: name for name, f in columns.items()}
    filled: dict[int, list[Any]] = {}
    for top, left, bottom, right in sheet.merged:
        if top <= header[1] or bottom == top or right != left:
            continue
        name = at.get(left, "")
        if (
            name not in TEXT
            and not name.endswith("_text")
            and name not in {"category", "level", "longitude", "latitude"}
        ):
            continue
        if name == "line_name" and "level" not in columns:
            continue
        value = sheet.rows[top][left] if left < len(sheet.rows[top]) else None
        for i in range(top + 1, min(bottom + 1, len(sheet.rows))):
            row = filled.setdefault(i, list(sheet.rows[i]))
            if left < len(row) and not clean_text(row[left]):
                row[left] = value
    return lambda i: filled.get(i, sheet.rows[i])


def empty_lines() -> pd.DataFrame:
    """Return a table of lines without a row, with every column a list may have."""
    columns = ["sheet", "row", *TEXT, "category", "area", "grade_local"]
    numbers = [*OTHER_NUMBERS, *(f"base_{p}" for p in POLLUTANTS)]
    numbers += [f"{lv}_{w}" for lv in LEVELS for w in ("stopped", "share", *(f"cut_{p}" for p in POLLUTANTS))]
    data: dict[str, Any] = {c: pd.Series(dtype=object) for c in columns + [f"{lv}_text" for lv in LEVELS]}
    data |= {c: pd.Series(dtype=np.float64) for c in numbers}
    return pd.DataFrame(data, index=pd.Index([], name="place", dtype=object))
