"""Pages and workbooks of words, charts and tables: what the smaller commands hand in.

A `Page` is written once and becomes HTML (`html`), a workbook (`write_workbook`) and printed lines (`printed`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import airsim
from airsim.errors import Lang
from airsim.files import write_bytes
from airsim.output import words
from airsim.output.words import Text

_ASSETS = Path(__file__).resolve().parent / "assets"


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
        Cells: Text or str, numbers (NaN is empty), bool.
    digits : sequence of int
        Digits after the point of each column; a negative number n is a percentage with -n - 1 digits.
    note : Text, optional
        What every reader of the table must know, such as the scope of its figures.
    folded : bool
        Long tables stand behind a fold on the page; the workbook has them all alike.
    printed : int
        So many of its rows a console shows at most; 0 leaves the table to page and workbook.
    """

    title: Text
    head: Sequence[Text]
    rows: Sequence[Sequence[Any]]
    digits: Sequence[int]
    note: Text | None = None
    folded: bool = False
    printed: int = 0


@dataclass(frozen=True)
class Section:
    """Words, then charts (Plotly, as in `figures`), then tables."""

    key: str
    title: Text
    words: Sequence[Text] = ()
    figures: Sequence[dict[str, Any]] = ()
    grids: Sequence[Grid] = ()
    #: charts behind a fold: one a city, say
    more: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True)
class Page:
    """A whole page."""

    title: Text
    period: Text
    notices: Sequence[Text]
    answers: Sequence[Text]
    sections: Sequence[Section] = field(default_factory=tuple)


def shown(value: Any, digits: int) -> str:
    """Return a number as the page prints it; see `Grid.digits`."""
    if isinstance(value, str):
        return value
    if value is None or not np.isfinite(value):
        return "—"
    text = f"{100 * value:,.{-digits - 1}f} %" if digits < 0 else f"{value:,.{digits}f}"
    return text.replace("-", "−")


def html(page: Page, lang: Lang) -> str:
    """Return the page's text: both languages, `lang` on opening, nothing from the internet."""
    import jinja2
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["shown"] = shown
    environment.tests["text"] = lambda v: isinstance(v, Text)
    drawn = {
        "title": {"zh": page.title.zh, "en": page.title.en},
        "maps": None,
        "figures": [f for s in page.sections for f in (*s.figures, *s.more)],
    }
    block = json.dumps(drawn, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    read = {n: (_ASSETS / n).read_text(encoding="utf-8") for n in ("page.html.j2", "report.css", "report.js")}
    return environment.from_string(read["page.html.j2"]).render(
        page=page,
        lang=lang,
        version=airsim.__version__,
        css=Markup(read["report.css"]),
        js=Markup(read["report.js"]),
        plotly=Markup(get_plotlyjs()),
        data=Markup(block),
    )


def write_html(page: Page, path: Path, lang: Lang) -> None:
    """Write the page, whole or not at all.

    Raises
    ------
    InputError
        The file may not be written.
    """
    write_bytes(Path(path), html(page, lang).encode("utf-8"))


def write_workbook(page: Page, path: Path, lang: Lang) -> None:
    """Write the page's tables as a workbook, a sheet a table, its words on the first sheet.

    Raises
    ------
    InputError
        The file is open in another program or may not be written.
    """
    from airsim.output.excel import _book, _Sheet, _Style

    buffer, book = _book(lang)
    style = _Style(book)
    first = _Sheet(book, style, "摘要" if lang == "zh" else "Summary", lang)
    first.line(page.title, bold=True)
    first.line(page.period)
    for text in (*page.notices, *page.answers, *(w for s in page.sections for w in s.words)):
        first.note(text.of(lang))
    first.finish()
    names: set[str] = set()
    for grid in (g for s in page.sections for g in s.grids):
        sheet = _Sheet(book, style, _sheet_name(grid.title.of(lang), names), lang)
        if grid.note is not None:
            sheet.note(grid.note.of(lang))
        sheet.head(*grid.head)
        for row in grid.rows:
            sheet.line(*(_cell(v, d, style) for v, d in zip(row, grid.digits, strict=True)))
        sheet.finish()
    book.close()
    write_bytes(Path(path), buffer.getvalue())


def _sheet_name(title: str, taken: set[str]) -> str:
    bare = "".join(c for c in title if c not in "[]:*?/\\'").strip()
    name, n = bare[:31], 1
    while name.lower() in taken:
        n += 1
        name = f"{bare[:28]} {n}"
    taken.add(name.lower())
    return name


def _cell(value: Any, digits: int, style: Any) -> Any:
    if isinstance(value, Text) and value in words.VERDICT_COLOURS:
        background, ink = words.VERDICT_COLOURS[value]
        return value, style(bg_color=background, font_color=ink, bold=value == words.VERDICTS[0])
    if isinstance(value, str | Text):
        return value
    places = -digits - 1 if digits < 0 else digits
    form = "#,##0" + ("." + "0" * places if places else "") + ("%" if digits < 0 else "")
    return value, style(num_format=form)


def printed(page: Page, lang: Lang) -> list[str]:
    """Return notices, answers and the tables named for a console as lines that a GBK console can show."""
    lines = [page.title.of(lang), page.period.of(lang)]
    lines += [("注意：" if lang == "zh" else "Note: ") + n.of(lang) for n in page.notices]
    lines += [a.of(lang) for a in page.answers]
    told: set[Text] = set()
    for grid in (g for s in page.sections for g in s.grids if g.printed):
        lines.append(grid.title.of(lang))
        if grid.note is not None and grid.note not in told:
            lines.append(grid.note.of(lang))
            told.add(grid.note)
        lines += _table(grid, lang)
    plain = "\n".join(lines).replace("10⁴", "10^4").translate(str.maketrans("₂₃−³²μ–", "23-32u-"))
    return plain.encode("gbk", "replace").decode("gbk").splitlines()


def _table(grid: Grid, lang: Lang) -> list[str]:
    """Return the rows that a console shows, numbers to the right, words to the left."""
    from airsim.output.console import columns

    shown_rows = grid.rows[: grid.printed]
    rows = [[h.of(lang) for h in grid.head]]
    rows += [
        [v.of(lang) if isinstance(v, Text) else shown(v, d) for v, d in zip(row, grid.digits, strict=True)]
        for row in shown_rows
    ]
    left = {j for j in range(len(grid.head)) if j == 0 or all(isinstance(r[j], str | Text) for r in shown_rows)}
    lines = columns(rows, left)
    if rest := len(grid.rows) - len(shown_rows):
        lines.append(f"  ……另有 {rest} 行" if lang == "zh" else f"  ... and {rest} more rows")
    return lines
