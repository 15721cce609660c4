"""`airsim check`: any scenario, list or table of a case, read in full, everything wrong with it told at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from airsim.errors import InputError, Problem

_OF_A_LIST = re.compile(r"预警|级响应|[红橙黄]色(?:措施|减排|停产|限产)|(?:red|orange|yellow)_(?:text|cut|stopped)")


class FileContents(NamedTuple):
    """What a file holds, in both languages, and what stands in it that is wrong or doubtful and can be told apart."""

    zh: str
    en: str
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def check(path: Path) -> FileContents:
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


def _scenario(path: Path) -> FileContents:
    from airsim.batch import sweep
    from airsim.case import Case
    from airsim.scenario import load

    scenario = load(path)
    case = Case(scenario)
    case.refuse_early()
    base = case.inventory
    points = int((base.sources["kind"] == "point").sum())
    areas = len(base.sources) - points
    count = len(sweep.members(path)) if scenario.sweep else 0
    return FileContents(
        f"情景有效：{scenario.period.hours} 小时，点源 {points} 个，面源 {areas} 条，措施 {len(scenario.measures)} 项"
        + (f"；扫描共 {count} 个情景" if count else ""),
        f"sound scenario: {scenario.period.hours} h, {points} point and {areas} area sources, "
        f"{len(scenario.measures)} measures" + (f"; a sweep of {count} scenarios" if count else ""),
    )


def _table(path: Path) -> FileContents:
    from airsim import emergency, geography, inventory, observations
    from airsim.assess.attainment import COMPOSITION, read_composition
    from airsim.assess.evaluation import OBSERVED, read_observed
    from airsim.coal import decomposition, inspection
    from airsim.geography import CITIES
    from airsim.inventory.reading import AREA_SOURCES, COAL_LEDGER, ENTERPRISES
    from airsim.tables import read_cells, recognise_header

    if observations.is_hourly(path):
        return _hourly(path)
    rows = [row for sheet in read_cells(path) for row in sheet.rows[:20]]
    if any(_OF_A_LIST.search(str(cell)) for row in rows for cell in row):
        list_ = emergency.examine(path)
        findings = emergency.check(list_, None, geography.load(geography.make_grid()))
        errors, warnings = (tuple(f.problem for f in findings if f.severity == s) for s in ("error", "warning"))
        n, e, w = len(list_.lines), len(errors), len(warnings)
        return FileContents(
            f"应急减排清单，{n} 条，错误 {e} 条，提示 {w} 条",
            f"reduction list, {n} lines, {e} errors, {w} warnings",
            errors,
            (*list_.notes, *warnings),
        )
    layouts = {"enterprises": ENTERPRISES, "area": AREA_SOURCES, "ledger": COAL_LEDGER, "observed": OBSERVED}
    layouts |= {"composition": COMPOSITION, "stations": observations.STATIONS}
    layouts |= {"batches": inspection.BATCHES, "activity": decomposition.ACTIVITY}
    fits = {
        # all required columns weigh as much as half of all columns: a layout may have many optional ones
        name: max(
            (
                len(seen) / len(layout) + 0.5 * all(c.name in seen for c in layout if c.required)
                for seen in (recognise_header(row, layout) for row in rows)
            ),
            default=0.0,
        )
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
        return FileContents(f"观测统计，{n} 行", f"observed statistics, {n} rows")
    if kind == "composition":
        own = read_composition(path, [c.id for c in CITIES]).attrs["own"].split()
        return FileContents(
            f"PM2.5 组分，单列城市 {len(own)} 个", f"composition of PM2.5, {len(own)} cities of their own"
        )
    if kind == "stations":
        n = len(observations.read_stations(path))
        return FileContents(f"监测站点表，本区域评价点 {n} 个", f"station list, {n} stations of the region")
    if kind == "batches":
        judged = inspection.read(path)
        n, bad = len(judged), int((judged["verdict"] == "fail").sum())
        return FileContents(
            f"洁净煤抽检批次，{n} 批，不合格 {bad} 批", f"batches of clean coal, {n} batches, {bad} fail"
        )
    if kind == "activity":
        n = len(decomposition.read_activity(path).frame)
        return FileContents(f"活动水平表，{n} 行", f"activity, {n} rows")
    place = geography.load(geography.make_grid())
    enterprises, area, ledger = (path if kind == k else None for k in ("enterprises", "area", "ledger"))
    read = inventory.read(enterprises, area, ledger, place)
    n = len(read.coal) if kind == "ledger" else len(read.sources)
    names = {
        "enterprises": FileContents("企业排放表", "enterprises"),
        "area": FileContents("面源排放表", "area sources"),
        "ledger": FileContents("煤炭台账", "coal ledger"),
    }
    return FileContents(f"{names[kind].zh}，{n} 行", f"{names[kind].en}, {n} rows")


def _hourly(path: Path) -> FileContents:
    """Read hourly observations and say their extent, and everything that was passed over."""
    from airsim import observations

    try:
        seen = observations.read([path])
    except InputError as error:
        if not all(p.key == "station" for p in error.problems):
            raise
        return FileContents(
            "按站点编码的逐时观测；须配站点表才能归入城市",
            "hourly observations by station code; a station list is needed to know their cities",
        )
    hours, places = seen.hourly.sizes["time"], seen.hourly.sizes["site"]
    zh = "".join(f"\n  {n.text('zh')}" for n in seen.notes)
    en = "".join(f"\n  {n.text('en')}" for n in seen.notes)
    return FileContents(
        f"逐时观测，{hours} 小时，{places} 个城市（站点）{zh}",
        f"hourly observations, {hours} h, {places} places{en}",
    )
