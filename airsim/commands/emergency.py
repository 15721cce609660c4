"""`airsim emergency`: a reduction list checked and counted, or a forecast held against the plans."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from airsim.errors import Lang

if TYPE_CHECKING:
    from airsim.emergency.verdict import VerdictRequest


def verdict(asked: VerdictRequest, out: Path | None, lang: Lang) -> list[str]:
    """Count a reduction list, or hold a forecast against the plans; return what is printed.

    Parameters
    ----------
    asked : VerdictRequest
    out : Path or None
        Also written: a workbook (.xlsx) that can be handed in, or the table of the level as .csv.
    lang : {"zh", "en"}

    Raises
    ------
    InputError
        Whatever is wrong with list, tables, mapping, forecast, level or plan.
    """
    from airsim.case.parts import day_factors
    from airsim.emergency.verdict import pronounce
    from airsim.files import write_bytes
    from airsim.output import console, excel
    from airsim.output.sections import emergency as emergency_page
    from airsim.result import netcdf

    if isinstance(asked.forecast, Path) and asked.forecast.suffix.lower() == ".nc":
        asked = replace(asked, forecast=netcdf.read(asked.forecast).to_dataset())
    found = pronounce(asked, day_factors())
    page = emergency_page.page(found)
    if out is not None and out.suffix.lower() == ".xlsx":
        excel.write(page, out, lang)
    elif out is not None:
        table = found.tables.get(found.level, found.calls)
        if table is not None:
            write_bytes(out, table.to_csv(index=False).encode("utf-8-sig"))
    return [*console.lines(page, lang), *(str(p) for p in (asked.fix, out) if p is not None)]
