"""`airsim check`: any scenario, list, table or rule file of a case, read in full, everything wrong told at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from airsim.errors import InputError, Problem
from airsim.tables import Column, Note, heard

_OF_A_LIST = re.compile(r"预警|级响应|[红橙黄]色(?:措施|减排|停产|限产)|(?:red|orange|yellow)_(?:text|cut|stopped)")


class FileContents(NamedTuple):
    """What a file holds, in both languages, and what stands in it that is wrong or doubtful and can be told apart."""

    zh: str
    en: str
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem | Note, ...] = ()


class TableKind(NamedTuple):
    """A kind of table that airsim reads.

    Attributes
    ----------
    zh, en : str
        What it is called.
    layout : tuple of Column
    read : callable
        Reads a file as this kind, with all its checks; returns what it holds, in both languages.
    telling : tuple of str
        Columns that such a table never lacks, where the layout itself requires none.
    """

    zh: str
    en: str
    layout: tuple[Column, ...]
    read: Callable[[Path], tuple[str, str]]
    telling: tuple[str, ...] = ()


def check(path: Path) -> FileContents:
    """Read a file as what it is and say what it holds.

    Parameters
    ----------
    path : Path
        A scenario, an emergency plan or a mapping of headers (.yaml), or a table (.xlsx, .xls, .csv): a reduction
        list, or one of `kinds`, told apart by their headers.

    Raises
    ------
    InputError
        Everything wrong with the file; of a scenario also with every file it names.
    """
    if path.suffix.lower() in {".yaml", ".yml"}:
        return _yaml(path)
    with heard() as notes:
        said = _table(path)
    return said._replace(warnings=(*said.warnings, *(n for n in dict.fromkeys(notes) if n not in said.warnings)))


def kinds() -> tuple[TableKind, ...]:
    """Return every kind of table that is read under one header; a reduction list is told apart before."""
    from airsim import geography, inventory, observations
    from airsim.assess.attainment import COMPOSITION, read_composition
    from airsim.assess.evaluation import OBSERVED, read_observed
    from airsim.case import BACKGROUND
    from airsim.coal import decomposition, inspection, limits
    from airsim.emergency import alerts, all_society
    from airsim.inventory.reading import AREA_SOURCES, COAL_LEDGER, ENTERPRISES
    from airsim.meteorology import isd, reading, station_table
    from airsim.names import CITIES
    from airsim.scenario import Limits
    from airsim.tables import read_table

    def rows(n: int) -> tuple[str, str]:
        return f"{n} 行", f"{n} rows"

    def of_inventory(number: int) -> Callable[[Path], tuple[str, str]]:
        def read(path: Path) -> tuple[str, str]:
            tables = [path if i == number else None for i in range(3)]
            found = inventory.read(tables[0], tables[1], tables[2], geography.load(geography.make_grid()))
            return rows(len(found.coal) if number == 2 else len(found.sources))

        return read

    def batches(path: Path) -> tuple[str, str]:
        judged = inspection.read(path)
        n, bad = len(judged), int((judged["verdict"] == "fail").sum())
        return f"{n} 批，不合格 {bad} 批", f"{n} batches, {bad} fail"

    def composition(path: Path) -> tuple[str, str]:
        own = read_composition(path, [c.id for c in CITIES]).attrs["own"].split()
        return f"单列城市 {len(own)} 个", f"{len(own)} cities of their own"

    def weather(path: Path) -> tuple[str, str]:
        known = reading.open_stations([path], None, 8.0)
        return (
            f"{len(known.place)} 个站点，{len(known.time)} 个时次",
            f"{len(known.place)} stations, {len(known.time)} times",
        )

    def forecast(path: Path) -> tuple[str, str]:
        found = alerts.read_forecast(path)
        return f"{found.sizes['city']} 个城市，{found.sizes['time']} 个时次", (
            f"{found.sizes['city']} cities, {found.sizes['time']} times"
        )

    return (
        TableKind("企业排放表", "enterprises", ENTERPRISES, of_inventory(0)),
        TableKind("面源排放表", "area sources", AREA_SOURCES, of_inventory(1)),
        TableKind("煤炭台账", "coal ledger", COAL_LEDGER, of_inventory(2)),
        TableKind("观测统计", "observed statistics", OBSERVED, lambda p: rows(len(read_observed(p)))),
        TableKind("PM2.5 组分", "composition of PM2.5", COMPOSITION, composition),
        TableKind("监测站点表", "station list of observations", observations.STATIONS,
                  lambda p: rows(len(observations.read_stations(p)))),
        TableKind("洁净煤抽检批次", "batches of clean coal", inspection.BATCHES, batches),
        TableKind("活动水平表", "activity", decomposition.ACTIVITY,
                  lambda p: rows(len(decomposition.read_activity(p).frame))),
        TableKind("供气、电网、热网能力", "limits of gas, grid and heat", limits.LIMITS,
                  lambda p: rows(len(limits.table_of(Limits(file=str(p)), Path))), ("gas", "grid", "heat")),
        TableKind("全社会排放量", "all-society emissions", all_society.BASE,
                  lambda p: rows(len(all_society.read_base(p)))),
        TableKind("边界流入", "background inflow", BACKGROUND, lambda p: rows(len(read_table(p, BACKGROUND).frame))),
        TableKind("污染预报", "forecast", alerts.FORECAST, forecast, ("time", "city")),
        TableKind("站点气象", "weather of stations", station_table.WEATHER, weather, ("wind_speed", "air_temperature")),
        TableKind("气象站点表", "weather stations", isd.STATIONS, lambda p: rows(len(isd.read_places(p)))),
    )  # fmt: skip


def _yaml(path: Path) -> FileContents:
    from airsim.scenario.tree import parse

    tree = parse(path)
    keys = {str(k) for k in tree}
    if keys & {"based_on", "values"} and not keys & {"period", "meteorology", "measures"}:
        from airsim.emergency import plan_rule

        rule = plan_rule(path)
        return FileContents(f"应急预案：{rule.title_zh}", f"emergency plan: {rule.title_en}")
    if keys & {"columns", "sheets"} and not keys & {"period", "name"}:
        from airsim.emergency import mapping
        from airsim.emergency.list_columns import known_columns

        mapping.read(path, known_columns())
        return FileContents("表头对照文件", "mapping of a list's headers")
    return _scenario(path)


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
        warnings=tuple(case.notes),
    )


def _table(path: Path) -> FileContents:
    from airsim import emergency, geography, observations
    from airsim.tables import read_cells, recognise_header

    if observations.is_hourly(path):
        return _hourly(path)
    rows = [row for sheet in read_cells(path) if not sheet.hidden for row in sheet.rows[:20]]
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
    known = kinds()

    def fit(kind: TableKind) -> tuple[bool, float]:
        """Return whether a row has all that the kind must have, and the best share of headers that it explains."""
        musts = {c.name for c in kind.layout if c.required} | set(kind.telling)
        best = (False, 0.0)
        for row in rows:
            named = sum(isinstance(c, str) and bool(c.strip()) for c in row)
            seen = recognise_header(row, kind.layout)
            if named and seen:
                best = max(best, (musts <= set(seen), (len(seen) + len(musts & set(seen))) / (named + len(musts))))
        return best

    fits = [fit(kind) for kind in known]
    best = max(fits)
    if best[1] < 0.3:
        said = ", ".join(k.en for k in known), "、".join(k.zh for k in known)
        raise InputError(
            [
                Problem(
                    str(path),
                    "1",
                    "header",
                    "",
                    f"no kind of table that is known; known are a reduction list, hourly observations, {said[0]}",
                    f"无法识别的表格；可识别：应急减排清单、逐时观测、{said[1]}",
                )
            ]
        )
    kind = known[fits.index(best)]
    zh, en = kind.read(path)
    return FileContents(f"{kind.zh}，{zh}", f"{kind.en}, {en}")


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
