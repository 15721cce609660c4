"""How wide a text is on a console, and tables as lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def width(text: str) -> int:
    """Return the columns a text takes on a console: a CJK character is two wide."""
    return sum(2 if ord(c) > 0x2E80 else 1 for c in text)


def columns(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> list[str]:
    """Return rows as lines, the columns named in `left` to the left, the others to the right."""
    widths = [max(width(row[j]) for row in rows) for j in range(len(rows[0]))]
    lines = []
    for row in rows:
        pads = [" " * (w - width(cell)) for w, cell in zip(widths, row, strict=True)]
        cells = [c + pad if j in left else pad + c for j, (c, pad) in enumerate(zip(row, pads, strict=True))]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines
