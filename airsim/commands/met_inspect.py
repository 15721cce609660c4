"""`airsim met inspect`: what weather files hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from airsim.errors import Lang

if TYPE_CHECKING:
    from airsim.errors import Problem


def inspect(
    files: Sequence[Path], *, station_list: Path | None, utc_offset: float, out: Path, lang: Lang
) -> tuple[list[str], list[Problem]]:
    """Write a page on weather files; return what is printed, and what is wrong with the files.

    Parameters
    ----------
    files : sequence of Path
    station_list : Path or None
        Where the stations are.
    utc_offset : float
        Of station tables and AERMET files [h].
    out : Path
        The page.
    lang : {"zh", "en"}
    """
    from airsim.meteorology import inspection
    from airsim.output import console, html
    from airsim.output.sections import weather

    found = inspection.inspect(files, station_list=station_list, utc_offset=utc_offset)
    page = weather.page(found)
    html.write(page, out, lang)
    return [*console.lines(page, lang), str(out)], list(found.problems)
