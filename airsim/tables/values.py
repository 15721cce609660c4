"""What a cell under a column of a layout means."""

from __future__ import annotations

import re
from typing import Any

from airsim.names import normalise
from airsim.tables import units
from airsim.tables.cells import MISSING, Cell, Fault, Percent, clean_text, to_number
from airsim.tables.layout import Column

_PER_CENT = re.compile(r"^\s*[\d.]+\s*[%％]\s*$")
_SCIENTIFIC = re.compile(r"^\d(?:\.\d+)?E\+?\d{2,}$", re.IGNORECASE)


def cell_value(cell: Cell, c: Column, how: units.Conversion) -> tuple[Any, tuple[str, str] | None]:
    """Return a cell's value in the column's unit, and what is wrong with it in both languages if anything is."""
    if isinstance(cell, Fault):
        if cell.startswith("="):
            said = (
                "a formula whose value is not stored: open the file in Excel, let it calculate, and save it",
                "公式未保存计算结果：请用 Excel 打开、重算并保存",
            )
        else:
            said = "an Excel error, not a value: mend the cell or empty it", "单元格为 Excel 错误值：请改正或清空"
        return (float("nan") if c.kind == "number" else ""), said
    if c.kind == "number":
        if c.blanks and isinstance(cell, str) and (word := normalise(cell)) in c.blanks:
            blank = c.blanks[word]
            return (float("nan") if blank is None else blank), None
        shown = isinstance(cell, Percent) or (isinstance(cell, str) and _PER_CENT.match(cell) is not None)
        try:
            number = to_number(cell.strip().rstrip("%％ ") if shown and isinstance(cell, str) else cell)
        except ValueError:
            return float("nan"), ("must be a number", "须为数字")
        if shown and c.unit != "%" and number is not None:
            return float("nan"), ("a percentage where an amount belongs", "此处应为数量，而非百分数")
        if number is None:
            if c.required:
                return float("nan"), ("a value is required", "不得为空")
            return (float("nan") if c.default is None else c.default), None
        if shown:
            # the cell itself says per cent, whatever the header says
            number = number * 100.0 if isinstance(cell, Percent) else number
        else:
            number = number * how.factor + how.offset
        if (c.minimum is not None and number < c.minimum) or (c.maximum is not None and number > c.maximum):
            low = "" if c.minimum is None else f">= {c.minimum:g}"
            high = "" if c.maximum is None else f"<= {c.maximum:g}"
            bounds = " and ".join(b for b in (low, high) if b)
            return number, (
                f"must be {bounds} {c.unit}".rstrip(),
                f"须 {bounds.replace(' and ', ' 且 ')} {c.unit}".rstrip(),
            )
        return number, None
    if c.kind == "identifier" and (
        (isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= 1e11)
        or (isinstance(cell, str) and _SCIENTIFIC.match(cell.strip()))
    ):
        return "", (
            "stored as a number, digits are lost; format the column as text and enter it again",
            "该编码被存成数值，末位已丢失；请将列设为文本后重新录入",
        )
    text = clean_text(cell)
    if not text or text.lower() in MISSING:
        if c.required:
            return "", ("a value is required", "不得为空")
        return ("" if c.default is None else c.default), None
    if c.choices is not None:
        value = c.choices.get(normalise(text))
        if value is None:
            allowed = ", ".join(dict.fromkeys(c.choices.values()))
            return text, (f"must be one of {allowed}", f"须为以下之一：{allowed}")
        return value, None
    return text, None
