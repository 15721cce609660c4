"""A reduction list as it was read, and the lines that stand in it twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from airsim.emergency.wording import LEVELS, POLLUTANTS
from airsim.errors import Problem
from airsim.tables import column_letter


@dataclass(frozen=True)
class EmergencyList:
    """An emergency reduction list as read.

    Attributes
    ----------
    file : str
        The file as the user named it.
    lines : DataFrame
        One row a production line (or a mobile, dust or other item), index `place` = ``"工业源!7"``.  Columns:
        sheet, row, category (industrial, mobile, dust, other), enterprise, enterprise_id, credit_code, city, area
        (the city, or a key of `AREAS`), county, sector, subsector, grade, grade_local (the grade is the
        province's own), kind (see `KINDS`), line_name, lines [1], operating_days [d], longitude, latitude [deg],
        output_value [1e4 yuan a-1], stop_cost [1e4 yuan d-1], base_SO2, base_NOx, base_PM, base_VOC [kg d-1], and for
        each level yellow, orange, red: ``<level>_text``, ``<level>_stopped`` [1], ``<level>_share`` [1],
        ``<level>_cut_SO2`` ... [kg d-1] (NaN where not stated).
    columns : mapping
        Sheet -> our column -> its position (from 0), for the cells that messages name.
    illustrative, synthetic : bool
        The file says of itself that its measures are an example and no published list; that its data are made up.
    notes : tuple of Problem
        What was not read or stands otherwise than expected; nothing in it stops the reading.
    errors : tuple of Problem
        What keeps the list from being counted; `read` raises them.
    recognised : DataFrame
        One row a header cell: sheet, cell, header, column (ours; empty: ignored), unit.
    totals : DataFrame
        Rows of totals, which are not counted: place, sheet, scope ("enterprise" or "sheet"), enterprise, city, and
        base and cuts [kg d-1].
    level_rows : DataFrame
        Row of each level where each had its own, index `place`, columns `LEVELS`; else empty.
    """

    file: str
    lines: pd.DataFrame
    columns: Mapping[str, Mapping[str, int]]
    illustrative: bool
    notes: tuple[Problem, ...] = ()
    errors: tuple[Problem, ...] = ()
    recognised: pd.DataFrame = field(default_factory=pd.DataFrame)
    totals: pd.DataFrame = field(default_factory=pd.DataFrame)
    level_rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    synthetic: bool = False

    def cell(self, place: str, key: str) -> str:
        """Return the cell that a value came from, such as ``"工业源!C7"``; the row if it came from none."""
        lines: Any = self.lines
        level_rows: Any = self.level_rows
        sheet, row = str(lines.at[place, "sheet"]), int(lines.at[place, "row"])
        level, _, rest = key.partition("_")
        if level in self.level_rows and rest:
            row, key = int(level_rows.at[place, level]), f"any_{rest}"
        columns = self.columns.get(sheet, {})
        for name in (key, f"{key.rpartition('_')[0]}_packed", "lonlat" if key in {"longitude", "latitude"} else ""):
            if name in columns:
                return f"{sheet}!{column_letter(columns[name])}{row}" if sheet else str(row)
        return f"{sheet}!{row}" if sheet else str(row)

    def problem(self, place: str, key: str, value: object, allowed: str, allowed_zh: str = "") -> Problem:
        """Make a `Problem` about one cell of the list."""
        return Problem(self.file, self.cell(place, key), key, str(value), allowed, allowed_zh)


def duplicate_places(list_: EmergencyList) -> dict[str, str]:
    """Return the place of each line that stands in the list already -> the place where it first stands."""
    lines = list_.lines
    # two kilns may bear one name, so a line is the same only with the same base; rows without a line name are
    # told apart by all they hold
    numbers = lines[[f"base_{p}" for p in POLLUTANTS]].to_numpy(dtype=np.float64)
    base = [row.tobytes() for row in np.nan_to_num(numbers, nan=-1.0)]
    measured = [c for c in lines.columns if c.startswith(LEVELS) and not c.endswith("_text")]
    stated = [row.tobytes() for row in np.nan_to_num(lines[measured].to_numpy(dtype=np.float64), nan=-1.0)]
    texts = map("\x1f".join, zip(*(lines[f"{level}_text"] for level in LEVELS), strict=True))
    first: dict[tuple[Any, ...], str] = {}
    twice: dict[str, str] = {}
    columns = ("city", "category", "credit_code", "enterprise", "subsector", "line_name")
    for place, city, category, code, name, what, line, b, s, t in zip(
        lines.index, *(lines[c] for c in columns), base, stated, texts, strict=True
    ):
        key = (city, category, code or name, what, line, b, *(() if line else (s, t)))
        if key in first:
            twice[str(place)] = first[key]
        else:
            first[key] = str(place)
    return twice


def duplicates(list_: EmergencyList) -> list[Problem]:
    """Find lines that stand in the list twice: a reduction would be counted twice."""
    problems = []
    lines: Any = list_.lines
    for place, other in duplicate_places(list_).items():
        at = list_.cell(other, "enterprise")
        what = " ".join(filter(None, (lines.at[place, "enterprise"], lines.at[place, "line_name"])))
        problems.append(
            list_.problem(
                place,
                "enterprise",
                what,
                f"the same line stands at {at}; each line may be counted once",
                f"与 {at} 为同一生产线，每条生产线只能计一次",
            )
        )
    return problems
