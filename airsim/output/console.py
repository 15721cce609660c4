"""Pages printed on a console, in characters that every one can show."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from rich.cells import cell_len

from airsim.errors import Lang
from airsim.output.page import Cell, Grid, Page, all_grids, is_pair, is_words, shown
from airsim.output.words import Text

#: What is not in GBK, and what stands for it.
_PLAIN = str.maketrans({"₂": "2", "₃": "3", "−": "-", "³": "3", "²": "2", "μ": "u", "–": "-", "⁴": "^4", "→": "->"})


def lines(page: Page, lang: Lang) -> list[str]:
    """Return notices, answers and the tables named for a console, as lines that a GBK console can show.

    Parameters
    ----------
    page : Page
    lang : {"zh", "en"}
    """
    told = [page.title.of(lang), page.period.of(lang)]
    told += [("注意：" if lang == "zh" else "Note: ") + n.of(lang) for n in page.notices]
    told += [a.of(lang) for a in page.answers]
    noted: set[Text] = set()
    for grid in (g for g in all_grids(page) if g.printed):
        told.append(grid.title.of(lang))
        if grid.note is not None and grid.note not in noted:
            told.append(grid.note.of(lang))
            noted.add(grid.note)
        told += _table(grid, lang)
    return [plain(line) for line in told]


def plain(text: str) -> str:
    """Return a text in characters of GBK; what has none becomes a question mark."""
    return text.translate(_PLAIN).encode("gbk", "replace").decode("gbk")


def columns(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> list[str]:
    """Return rows as lines, the columns named in `left` to the left, the others to the right."""
    widths = [max(cell_len(row[j]) for row in rows) for j in range(len(rows[0]))]
    made = []
    for row in rows:
        pads = [" " * (w - cell_len(cell)) for w, cell in zip(widths, row, strict=True)]
        cells = [c + pad if j in left else pad + c for j, (c, pad) in enumerate(zip(row, pads, strict=True))]
        made.append(("  " + "  ".join(cells)).rstrip())
    return made


def _table(grid: Grid, lang: Lang) -> list[str]:
    """Return the rows that a console shows, numbers to the right, words to the left."""
    some = grid.rows[: grid.printed]
    rows = [[plain(h.of(lang)) for h in grid.head]]
    rows += [
        [_cell(v, d, j in grid.signed, lang) for j, (v, d) in enumerate(zip(row, grid.digits, strict=True))]
        for row in some
    ]
    left = {j for j in range(len(grid.head)) if j == 0 or all(is_words(r[j]) for r in some)}
    made = columns(rows, left)
    if rest := len(grid.rows) - len(some):
        made.append(f"  ……另有 {rest} 行" if lang == "zh" else f"  ... and {rest} more rows")
    return made


def _cell(value: Any, digits: int, signed: bool, lang: Lang) -> str:
    aside = ""
    if isinstance(value, Cell):
        aside = f" ({value.aside.of(lang)})" if value.aside is not None else ""
        value = value.value
    if is_pair(value):
        text = " → ".join(shown(v, digits, signed) for v in value)
    else:
        text = value.of(lang) if isinstance(value, Text) else shown(value, digits, signed)
    # a dash is two cells wide on one console and one on the next
    return plain("-" if text == "—" else text + aside)
