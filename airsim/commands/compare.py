"""`airsim compare`: two results side by side."""

from __future__ import annotations

from pathlib import Path

from airsim.errors import Lang


def compare(first: Path, second: Path, out: Path | None, lang: Lang) -> list[str]:
    """Set two result files side by side in a page and a workbook; return what is printed.

    Parameters
    ----------
    first, second : Path
        result.nc.
    out : Path or None
        The page; ``comparison.html`` beside the second result by default. The workbook is called like it.
    lang : {"zh", "en"}

    Raises
    ------
    InputError
        A file that is no result.
    """
    from airsim.output import console, excel, html
    from airsim.output.sections import comparison
    from airsim.result import netcdf

    page = comparison.page(netcdf.read(first), netcdf.read(second))
    target = out or second.with_name("comparison.html")
    html.write(page, target, lang)
    excel.write(page, target.with_suffix(".xlsx"), lang)
    return [*console.lines(page, lang), str(target), str(target.with_suffix(".xlsx"))]
