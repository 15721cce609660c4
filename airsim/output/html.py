"""A page as one self-contained HTML file: opens without internet, prints, speaks Chinese and English."""

from __future__ import annotations

import json
from pathlib import Path

from airsim.errors import Lang
from airsim.files import write_bytes
from airsim.output.page import Cell, Page, is_pair, is_words, shown, state
from airsim.output.words import Text
from airsim.version import __version__

_ASSETS = Path(__file__).resolve().parent / "assets"


def write(page: Page, path: Path, lang: Lang) -> None:
    """Write the page, whole or not at all; parameters as for `text`.

    Raises
    ------
    InputError
        The file may not be written.
    """
    write_bytes(Path(path), text(page, lang).encode("utf-8"))


def text(page: Page, lang: Lang) -> str:
    """Return the page's text: both languages, nothing from the internet.

    Parameters
    ----------
    page : Page
    lang : {"zh", "en"}
        Language on opening.
    """
    import jinja2
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"shown": shown, "state": state}
    environment.tests |= {
        "text": lambda v: isinstance(v, Text),
        "pair": is_pair,
        "cell": lambda v: isinstance(v, Cell),
        "words": is_words,
    }
    read = {n: (_ASSETS / n).read_text(encoding="utf-8") for n in ("page.html.j2", "report.css", "report.js")}
    return environment.from_string(read["page.html.j2"]).render(
        page=page,
        lang=lang,
        version=__version__,
        css=Markup(read["report.css"]),
        js=Markup(read["report.js"]),
        plotly=Markup(get_plotlyjs()),
        data=Markup(_drawn(page)),
    )


def _drawn(page: Page) -> str:
    """Return what the page's script draws, as JSON that can't end its element early."""
    drawn = {
        "title": {"zh": page.title.zh, "en": page.title.en},
        "maps": next((s.maps for s in page.sections if s.maps), None),
        "figures": [f for s in page.sections for f in (*s.figures, *s.more)],
    }
    block = json.dumps(drawn, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return block.replace("<", "\\u003c")
