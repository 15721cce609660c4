"""`airsim check`: any scenario, list or table of a case, read in full, everything wrong with it told at once."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from airsim.errors import InputError, Problem


class Said(NamedTuple):
    """What a sound file holds, in both languages."""

    zh: str
    en: str


def check(path: Path) -> Said:
    """Read a file as what it is and say what it holds.

    Parameters
    ----------
    path : Path
        A scenario (.yaml), or a table (.xlsx, .xls, .csv): reduction list, enterprises, area sources, coal
        ledger or observed statistics, told apart by their headers.

    Raises
    ------
    InputError
        Everything wrong with the file; of a scenario also with every file it names.
    """
    if path.suffix.lower() in {".yaml", ".yml"}:
        return _scenario(path)
    return _table(path)


def _scenario(path: Path) -> Said:
    from airsim import case, coal
    from airsim.scenario import load

    scenario = load(path)
    place = case.place(scenario)
    base = case.inventory(scenario, place)
    case.background(scenario, place)
    case.near_field(scenario, base)
    stages = case.measured(scenario, base)
    if scenario.coal is not None:
        coal.cap_of(scenario, base, stages)
    points = int((base.sources["kind"] == "point").sum())
    areas = len(base.sources) - points
    return Said(
        f"情景有效：{scenario.period.hours} 小时，点源 {points} 个，面源 {areas} 条，措施 {len(scenario.measures)} 项",
        f"sound scenario: {scenario.period.hours} h, {points} point and {areas} area sources, "
        f"{len(scenario.measures)} measures",
    )


def _table(path: Path) -> Said:
    from airsim import emergency, geography, inventory
    from airsim.assess.evaluation import OBSERVED, read_observed
    from airsim.inventory.reading import AREA_SOURCES, COAL_LEDGER, ENTERPRISES
    from airsim.tables import read_cells, recognise_header

    rows = [row for sheet in read_cells(path) for row in sheet.rows[:20]]
    if any("预警" in str(cell) for row in rows for cell in row):
        list_ = emergency.read(path)
        n = len(list_.lines)
        notes = len(list_.notes)
        return Said(f"应急减排清单，{n} 条，提示 {notes} 条", f"reduction list, {n} lines, {notes} notes")
    layouts = {"enterprises": ENTERPRISES, "area": AREA_SOURCES, "ledger": COAL_LEDGER, "observed": OBSERVED}
    fits = {
        name: max((len(recognise_header(row, layout)) for row in rows), default=0) / len(layout)
        for name, layout in layouts.items()
    }
    kind = max(fits, key=lambda k: fits[k])
    if fits[kind] < 0.2:
        raise InputError(
            [
                Problem(
                    str(path),
                    "1",
                    "header",
                    "",
                    "neither a reduction list, enterprises, area sources, a coal ledger nor observations",
                    "不是应急减排清单、企业表、面源表、煤炭台账或观测统计",
                )
            ]
        )
    if kind == "observed":
        n = len(read_observed(path))
        return Said(f"观测统计，{n} 行", f"observed statistics, {n} rows")
    place = geography.load(geography.make_grid())
    enterprises, area, ledger = (path if kind == k else None for k in ("enterprises", "area", "ledger"))
    read = inventory.read(enterprises, area, ledger, place)
    n = len(read.coal) if kind == "ledger" else len(read.sources)
    names = {
        "enterprises": Said("企业排放表", "enterprises"),
        "area": Said("面源排放表", "area sources"),
        "ledger": Said("煤炭台账", "coal ledger"),
    }
    return Said(f"{names[kind].zh}，{n} 行", f"{names[kind].en}, {n} rows")
