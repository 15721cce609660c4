"""A page as plain data: sections of sentences, charts and tables, which `html`, `excel` and `console` print.

Whatever a reader is told is built once, in `airsim.output.sections`; a writer adds nothing and leaves nothing out
but what its medium can't show (a console has no charts, and prints the tables that `Grid.printed` names).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from airsim.output import words
from airsim.output.words import Text

_OTHER_CITIES = Text("其他城市", "Other cities")


@dataclass(frozen=True)
class Cell:
    """A table's value with what is shown of it besides.

    Attributes
    ----------
    value : Any
        As in `Grid.rows`.
    state : {"good", "bad", ""}
        Verdict that its background shows.
    aside : Text, optional
        Small words behind the value on the page. A workbook, whose cells hold one value, leaves them out: they must
        stand in a column of their own in another table of the section.
    fill : tuple, optional
        Background (red, green, blue) and ink ("#fff"), such as those of an AQI class.
    meter : float, optional
        Length of a bar under the value [1]; the requirement is at one half.
    """

    value: Any
    state: Literal["good", "bad", ""] = ""
    aside: Text | None = None
    fill: tuple[tuple[int, int, int], str] | None = None
    meter: float | None = None


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes
    ----------
    title : Text
        Caption, and name of its sheet.
    head : sequence of Text
        Column heads with their units.
    rows : sequence of sequence
        Cells: Text or str, numbers (NaN is empty), bool, time, a `Cell`, or a pair (before, after) of numbers, which
        page and console show as "before → after" and a workbook in two columns.
    digits : sequence of int
        Digits after the point of each column; a negative number n is a percentage with -n - 1 digits. A
        time is a day with 0 and has its minute with 1.
    note : Text, optional
        What every reader of the table must know, such as the scope of its figures.
    folded : bool
        Long tables stand behind a fold on the page; the workbook has them all alike.
    printed : int
        So many of its rows a console shows at most; 0 leaves the table to page and workbook.
    most : int
        So many of its rows a page shows at most; 0 shows all. The workbook has them all.
    sheet : Text, optional
        Name of its sheet where that is not the title or the section's.
    pair : (Text, Text), optional
        What the two members of pairs are called.
    signed : collection of int
        Columns whose numbers are changes and carry their sign.
    totals, faint : collection of int
        Rows that are sums, and rows that matter less.
    """

    title: Text
    head: Sequence[Text]
    rows: Sequence[Sequence[Any]]
    digits: Sequence[int]
    note: Text | None = None
    folded: bool = False
    printed: int = 0
    most: int = 0
    sheet: Text | None = None
    pair: tuple[Text, Text] | None = None
    signed: Collection[int] = ()
    totals: Collection[int] = ()
    faint: Collection[int] = ()


@dataclass(frozen=True)
class Section:
    """Words, then charts (Plotly, as in `figures`), then tables, then notes in small print."""

    key: str
    title: Text
    words: Sequence[Text] = ()
    figures: Sequence[dict[str, Any]] = ()
    grids: Sequence[Grid] = ()
    #: charts behind a fold: one a city, say
    more: Sequence[dict[str, Any]] = ()
    #: what stands on that fold
    more_title: Text = _OTHER_CITIES
    notes: Sequence[Text] = ()
    #: heading of the section where it says more than the title in the list of sections
    heading: Text | None = None
    #: maps under a slider, as `figures.maps` gives them
    maps: dict[str, Any] | None = None
    #: the one sheet of its words and tables; without it each table has its own
    sheet: Text | None = None


@dataclass(frozen=True)
class Card:
    """A figure in large print on the page; it repeats an answer."""

    what: Text
    big: Text
    detail: Text
    state: Literal["good", "bad", ""] = ""


@dataclass(frozen=True)
class Page:
    """A whole page; `cards` and `grids` stand with the answers."""

    title: Text
    period: Text
    notices: Sequence[Text]
    answers: Sequence[Text]
    sections: Sequence[Section] = field(default_factory=tuple)
    cards: Sequence[Card] = ()
    grids: Sequence[Grid] = ()


def all_grids(page: Page) -> list[Grid]:
    """Return every table of a page, in its order."""
    return [*page.grids, *(g for s in page.sections for g in s.grids)]


def sentences(page: Page) -> list[Text]:
    """Return every sentence of a page, in its order: notices, answers, words and notes."""
    told = [*page.notices, *page.answers, *(g.note for g in page.grids if g.note is not None)]
    for section in page.sections:
        told += [*section.words, *(g.note for g in section.grids if g.note is not None), *section.notes]
    return told


def shown(value: Any, digits: int, signed: bool = False) -> str:
    """Return a number or a time as it is printed; see `Grid.digits`."""
    if isinstance(value, str):
        return value
    if isinstance(value, pd.Timestamp | np.datetime64):
        return "—" if pd.isna(value) else f"{pd.Timestamp(value):{'%Y-%m-%d %H:%M' if digits else '%Y-%m-%d'}}"
    if value is None or value is pd.NaT or not np.isfinite(value):
        return "—"
    places = -digits - 1 if digits < 0 else digits
    # adding zero turns a rounded -0.0 into 0.0
    number = round(float(value) * (100 if digits < 0 else 1), places) + 0.0
    text = f"{number:{'+' if signed else ''},.{places}f}" + (" %" if digits < 0 else "")
    return text.replace("-", "−")


class Number(float):
    """A number in a sentence: formatted as any other, but a dash where it is not known."""

    def __format__(self, form: str) -> str:
        """Return the number, or a dash."""
        return super().__format__(form) if np.isfinite(self) else "—"


def is_words(value: Any) -> bool:
    """Return whether a cell holds words, which stand to the left, and not a number."""
    return isinstance(value.value if isinstance(value, Cell) else value, str | Text)


def state(value: Any) -> Literal["good", "bad", ""]:
    """Return the verdict that a cell's background shows; a verdict in words (`words.VERDICTS`) has it by itself."""
    if isinstance(value, Cell):
        return value.state or state(value.value)
    if not isinstance(value, Text):
        # a numpy number beside a pair of words would be compared member by member
        return ""
    return "good" if value == words.VERDICTS[1] else "bad" if value == words.VERDICTS[0] else ""


def is_pair(value: Any) -> bool:
    """Return whether a cell holds a number before and a number after."""
    return isinstance(value, tuple) and not isinstance(value, Text)


def unpaired(grid: Grid) -> Grid:
    """Return the table with a column for each member of its pairs, for a writer whose cells hold one value."""
    paired = [j for j in range(len(grid.head)) if any(is_pair(row[j]) for row in grid.rows)]
    if not paired or grid.pair is None:
        return grid
    columns = [(j, k) for j in range(len(grid.head)) for k in ((0, 1) if j in paired else (None,))]
    heads = [
        grid.head[j]
        if k is None
        else Text(f"{grid.head[j].zh} {grid.pair[k].zh}", f"{grid.head[j].en}, {grid.pair[k].en}")
        for j, k in columns
    ]
    return replace(
        grid,
        head=heads,
        rows=[[row[j] if k is None else row[j][k] for j, k in columns] for row in grid.rows],
        digits=[grid.digits[j] for j, _ in columns],
        signed=[i for i, (j, _) in enumerate(columns) if j in grid.signed],
    )
