"""`airsim report`: the page of a result once more."""

from __future__ import annotations

from pathlib import Path

from airsim.errors import Lang


def report(result: Path, out: Path | None, lang: Lang) -> list[str]:
    """Make the page from a result file again; return what is printed.

    Parameters
    ----------
    result : Path
        A result.nc.
    out : Path or None
        The page; ``report.html`` beside the result by default.
    lang : {"zh", "en"}

    Raises
    ------
    InputError
        A file that is no result.
    """
    from airsim.output import html
    from airsim.output.sections import report as report_page
    from airsim.result import netcdf

    target = out or result.with_name("report.html")
    html.write(report_page.page(netcdf.read(result)), target, lang)
    return [str(target)]
