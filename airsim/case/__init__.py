"""What a scenario names, made: place, inventory, weather, the air at the edges, and what its measures do.

The pipeline and the coal balance begin here.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from copy import copy
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airsim import scenario as scenarios
from airsim.errors import InputError, Problem
from airsim.region.tracers import TRACERS
from airsim.scenario import Scenario
from airsim.tables import Column

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xarray as xr

    from airsim.emergency import EmergencyList
    from airsim.geography import Geography
    from airsim.inventory import Inventory
    from airsim.response.effect import Response


#: Layout of the table of air that flows in over the edges.
BACKGROUND = (
    Column("tracer", "示踪物", kind="text", required=True, choices={t: t for t in TRACERS}),
    Column("surface_concentration", "近地面浓度", unit="ug m-3", required=True, minimum=0),
    Column("scale_height", "标高", unit="m", required=True, minimum=10),
    Column("source", "来源", kind="text"),
    Column("quality", "数据质量", kind="text"),
)


def place(scenario: Scenario) -> Geography:
    """Return the grid and what stands on it."""
    from airsim import geography

    d = scenario.domain
    try:
        grid = geography.make_grid((d.west, d.south, d.east, d.north), d.spacing)
    except ValueError as error:
        raise InputError(
            [Problem(scenario.file, scenario.line("domain"), "domain", "", str(error), f"区域设置有误：{error}")]
        ) from error
    return geography.load(grid)


def inventory(scenario: Scenario, place: Geography) -> Inventory:
    """Return the base inventory, read and checked."""
    from airsim.inventory import read

    tables = scenario.inputs
    ledger = scenario.resolve(tables.coal_ledger) if tables.coal_ledger else None
    return read(scenario.resolve(tables.enterprises), scenario.resolve(tables.area_sources), ledger, place)


def weather(scenario: Scenario, place: Geography) -> xr.Dataset:
    """Return the weather of the spin-up and the period.

    Raises
    ------
    InputError
        Everything that keeps the weather's files from being used.
    """
    import numpy as np

    period, asked = scenario.period, scenario.meteorology
    begin = np.datetime64(period.start.replace(tzinfo=None), "ns")
    hour = np.timedelta64(1, "h")
    if not isinstance(asked, scenarios.SyntheticWeather):
        from airsim.meteorology import reading

        return reading.read(**_weather_files(scenario, place, begin - period.spin_up_hours * hour))
    from airsim.meteorology import synthetic

    stagnation = begin + asked.build_up_hours * hour
    return synthetic.episode(
        place,
        start=begin - period.spin_up_hours * hour,
        hours=period.spin_up_hours + period.hours,
        seed=asked.seed,
        pattern=synthetic.Pattern(stagnation, stagnation + asked.stagnant_hours * hour),
    )


def examine_weather(scenario: Scenario, place: Geography) -> None:
    """Open the weather's files and see whether they cover hours and place, without reading them through.

    Raises
    ------
    InputError
        What is wrong with them.
    """
    import numpy as np

    from airsim.meteorology import reading

    if isinstance(scenario.meteorology, scenarios.SyntheticWeather):
        return
    begin = np.datetime64(scenario.period.start.replace(tzinfo=None), "ns")
    spin_up = scenario.period.spin_up_hours * np.timedelta64(1, "h")
    reading.examine(**_weather_files(scenario, place, begin - spin_up))


def _weather_files(scenario: Scenario, place: Geography, first: np.datetime64) -> dict[str, Any]:
    """Return what `reading.read` is to be called with."""
    asked, period = scenario.meteorology, scenario.period
    called: dict[str, Any] = {
        "kind": asked.kind,
        "files": scenario.weather_files(),
        "geography": place,
        "start": first,
        "hours": period.spin_up_hours + period.hours,
    }
    if isinstance(asked, scenarios.StationWeather):
        called["station_list"] = scenario.resolve(asked.station_list) if asked.station_list else None
        called["utc_offset"] = asked.utc_offset
    return called


def background(scenario: Scenario, place: Geography) -> np.ndarray:
    """Return the air that flows in, (level, tracer) [ug m-3]: exponential in height, mean of each level."""
    import numpy as np

    from airsim.tables import read_table

    table = read_table(scenario.resolve(scenario.inputs.background), BACKGROUND)
    missing = [t for t in TRACERS if t not in set(table.frame["tracer"])]
    if missing:
        raise InputError(
            [Problem(table.sheet.file, "", "tracer", t, "no row for this tracer", "缺少该示踪物") for t in missing]
        )
    rows = table.frame.set_index("tracer").loc[list(TRACERS)]
    edges = np.asarray(place.grid.level_edges, float)[:, None]
    height = rows["scale_height"].to_numpy()
    inside = -np.diff(np.exp(-edges / height), axis=0) * height
    return rows["surface_concentration"].to_numpy() * inside / np.diff(edges, axis=0)


@dataclass(frozen=True)
class Observed:
    """What a scenario sets beside the model: statistics by city; hours and daily PM2.5 where the files are hourly."""

    statistics: pd.DataFrame
    hourly: xr.Dataset | None
    daily: xr.DataArray | None
    shares: xr.DataArray


def observations(scenario: Scenario) -> Observed | None:
    """Return the observations that a scenario names, None without any.

    Raises
    ------
    InputError
        Whatever is wrong with the files; hourly files without a value in the months of the period.
    """
    import pandas as pd

    from airsim import observations as hourly
    from airsim.assess.attainment import read_composition
    from airsim.assess.evaluation import observed_statistics, read_observed
    from airsim.geography import CITIES

    tables = scenario.inputs
    if tables.observations is None:
        return None
    names = [tables.observations] if isinstance(tables.observations, str) else list(tables.observations)
    files = [scenario.resolve(n) for n in names]
    shares = read_composition(scenario.resolve(tables.composition), [c.id for c in CITIES])
    if len(files) == 1 and not hourly.is_hourly(files[0]):
        return Observed(read_observed(files[0]), None, None, shares)
    listed = _stamp(scenario.resolve(tables.stations)) if tables.stations else None
    seen, daily = _hourly(tuple(_stamp(f) for f in files), listed)
    hours = pd.date_range(scenario.period.start, scenario.period.end, freq="h", inclusive="left")
    statistics = observed_statistics(seen, set(hours.tz_convert(scenarios.BEIJING).month))
    if statistics.empty:
        at = Problem(
            scenario.file,
            scenario.line("inputs"),
            "inputs.observations",
            ", ".join(names),
            "nothing is observed in the months of the period",
            "模拟时段所在月份没有观测",
        )
        raise InputError([at])
    statistics["source"] = ", ".join(f.name for f in files)
    return Observed(statistics, seen, daily, shares)


def temporary(scenario: Scenario) -> bool:
    """Return whether a measure before the first emergency measure has a start or an end of its own."""
    for measure in scenario.measures:
        if isinstance(measure, scenarios.Emergency):
            return False
        if getattr(measure, "start", None) is not None or getattr(measure, "end", None) is not None:
            return True
    return False


def _stamp(path: Path) -> tuple[Path, int, int]:
    """Return a file with what tells a changed one."""
    about = path.stat()
    return path, about.st_mtime_ns, about.st_size


@lru_cache(maxsize=4)
def _hourly(
    files: tuple[tuple[Path, int, int], ...], stations: tuple[Path, int, int] | None
) -> tuple[xr.Dataset, xr.DataArray]:
    """Return hourly observations of the cities and daily PM2.5; read once for many scenarios."""
    from airsim import observations as hourly
    from airsim.assess import annual

    seen = hourly.read([f for f, _, _ in files], stations[0] if stations else None).cities()
    return seen, annual.daily_air(seen)["pm25"]


@dataclass(frozen=True)
class Step:
    """The inventory after one run of measures of a kind."""

    name: str
    inventory: Inventory


@dataclass
class Stages:
    """What the measures of a scenario make of the base inventory, in their order.

    `numbers` says from which measure of the scenario (from 0) the ledger rows of a label come, `routes` by which route.
    """

    steps: list[Step] = field(default_factory=list)
    rows: list[pd.DataFrame] = field(default_factory=list)
    lists: list[tuple[scenarios.Emergency, EmergencyList]] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    routes: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Stages:
        """Return the same with lists of its own."""
        return replace(self, **{f.name: copy(getattr(self, f.name)) for f in fields(self)})

    def ledger(self) -> xr.Dataset:
        """Return the ledger rows of all measures as the group ``/measures``."""
        import pandas as pd
        import xarray as xr

        from airsim.measures.ledger import ledger_rows

        # a plan whose measures all come later has steps, but nothing removed yet
        rows = pd.concat(self.rows, ignore_index=True) if self.rows else ledger_rows([])
        columns = {
            "row_measure": "measure",
            "row_kind": "kind",
            "row_city": "city",
            "row_sector": "sector",
            "row_source": "source",
            "row_pollutant": "pollutant",
            "row_unit": "unit",
        }
        data: dict[str, tuple[str, Any]] = {
            name: ("row", rows[c].fillna("").astype(str).tolist()) for name, c in columns.items()
        }
        data["removed"] = ("row", rows["removed"].to_numpy(float))
        return xr.Dataset(data)


def measured(scenario: Scenario, base: Inventory, known: MutableMapping[str, Any] | None = None) -> Stages:
    """Apply the scenario's measures in order; neighbours of one kind make one step.

    Parameters
    ----------
    scenario : Scenario
    base : Inventory
    known : mutable mapping, optional
        Remembers what measures made of this base inventory, for further scenarios that begin with the same ones.

    Raises
    ------
    InputError
        All problems of all measures (a list's enterprise that the inventory lacks, an unknown enterprise...).
    """
    from airsim import emergency, measures
    from airsim.coal import limits, plan

    stages = Stages()
    called = plan.labels(scenario)
    parts = limits.allot(scenario).parts
    problems: list[Problem] = []
    now = base
    year = scenario.coal.base_year if scenario.coal else None
    for kind, group in groupby(enumerate(scenario.measures), key=lambda m: m[1].type):
        for number, measure in group:
            label = called[number]
            stages.numbers[label] = number
            at = (scenario.file, scenario.line("measures", number))
            so_far = repr((scenario.coal, scenario.measures[: number + 1], parts))
            if known is not None and so_far in known:
                now, held = known[so_far]
                stages = held.copy()
                continue
            try:
                if isinstance(measure, scenarios.Emergency):
                    asked = located(scenario, measure)
                    list_ = emergency.read(scenario.resolve(asked.list), asked.mapping)
                    stages.lists.append((asked, list_))
                    now, rows = respond(now, asked, list_, alert_windows(asked), label)
                elif isinstance(measure, scenarios.Cut):
                    now, rows = measures.cut(
                        now,
                        percent=measure.percent,
                        cities=measure.cities,
                        sectors=measure.sectors,
                        pollutants=measure.pollutants,
                        start=measure.start,
                        end=measure.end,
                        measure=label,
                        at=at,
                    )
                elif not isinstance(measure, scenarios.Stop | scenarios.Limit):
                    if not plan.in_force(scenario, measure):
                        continue
                    for share, route in parts.get(number, [(1.0, None)]):
                        part = label if route is None else f"{label} ({route})"
                        stages.numbers[part] = number
                        stages.routes[part] = route or str(getattr(measure, "route", ""))
                        if share > 0:
                            now, rows = plan.carry_out(now, scenario, number, part, share, route)
                            stages.rows.append(rows)
                    continue
                else:
                    percent = measure.percent if isinstance(measure, scenarios.Limit) else 100.0
                    now, rows = measures.limit(
                        now,
                        measure.enterprise,
                        percent,
                        start=measure.start,
                        end=measure.end,
                        year=year,
                        measure=label,
                        at=at,
                    )
                stages.rows.append(rows)
                if known is not None:
                    known[so_far] = (now, stages.copy())
            except InputError as error:
                problems += error.problems
        names = [s.name for s in stages.steps]
        stages.steps.append(Step(kind if kind not in names else f"{kind}-{len(names)}", now))
    if problems:
        raise InputError(problems)
    return stages


def near_field(scenario: Scenario, base: Inventory) -> dict[str, Any]:
    """Return the arguments of the near field, enterprises named in the file looked up; empty without the block.

    Raises
    ------
    InputError
        An enterprise that the inventory lacks.
    """
    from airsim.measures import find_enterprise

    if scenario.near_field is None:
        return {}
    asked = scenario.near_field.model_dump()
    if not isinstance(asked["enterprises"], int):
        at = (scenario.file, scenario.line("near_field"))
        problems: list[Problem] = []
        found: list[str] = []
        for name in asked["enterprises"]:
            try:
                found += find_enterprise(base, name, at)
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(problems)
        asked["enterprises"] = found
    return asked


def located(scenario: Scenario, measure: scenarios.Emergency) -> scenarios.Emergency:
    """Return an emergency measure with the paths of its plan, mapping and base resolved."""
    named = {"mapping": measure.mapping, "base": measure.base}
    if measure.plan.lower().endswith((".yaml", ".yml")):
        named["plan"] = measure.plan
    return measure.model_copy(update={k: str(scenario.resolve(v)) for k, v in named.items() if v is not None})


def respond(
    inventory: Inventory,
    measure: scenarios.Emergency,
    list_: EmergencyList,
    windows: pd.DataFrame,
    label: str,
    *,
    ledger: bool = True,
) -> tuple[Inventory, pd.DataFrame]:
    """Carry out an emergency measure of a scenario in some windows; see `airsim.measures.emergency`."""
    from airsim import measures, rules

    rebound = measure.rebound
    return measures.emergency(
        inventory,
        list_,
        windows,
        execution_rate=measure.execution_rate,
        plan=measure.plan,
        response=rules.load("emergency_response") if measure.response == "gradual" else None,
        hours_of_day={"/".join(filter(None, (h.sector, h.subsector))): (h.start, h.end) for h in measure.hours_of_day},
        rebound=(rebound.share, rebound.hours) if rebound else (0.0, 72),
        measure=label,
        ledger=ledger,
    )


def response(scenario: Scenario, base: Inventory, stages: Stages) -> Response | None:
    """Return the first emergency response of a scenario, None without one.

    Neighbouring emergency measures are one response.
    """
    import pandas as pd

    from airsim.emergency import strictest
    from airsim.response.effect import Response, shifted

    names = [s.name for s in stages.steps]
    if "emergency" not in names:
        return None
    at = names.index("emergency")
    before = stages.steps[at - 1].inventory if at else base
    first = next(i for i, m in enumerate(scenario.measures) if isinstance(m, scenarios.Emergency))
    held: list[tuple[scenarios.Emergency, EmergencyList]] = []
    for measure, list_ in stages.lists:
        if scenario.measures[first + len(held) : first + len(held) + 1] != (measure,):
            break
        held.append((measure, list_))

    def carry_out(hours: int) -> Inventory:
        now = before
        for number, (measure, list_) in enumerate(held):
            windows = shifted(alert_windows(measure), hours)
            if len(windows):
                now = respond(now, measure, list_, windows, f"{number + 1}-emergency", ledger=False)[0]
        return now

    measure = held[0][0]
    return Response(
        before=names[at - 1] if at else "base",
        after="emergency",
        inventories=(before, stages.steps[at].inventory),
        windows=strictest(pd.concat([alert_windows(m) for m, _ in held], ignore_index=True)),
        carry_out=carry_out,
        alone=measure.effect.alone,
        shifts=tuple(sorted({h for h in measure.effect.shifts if h})),
        execution_rate=measure.execution_rate,
        uncertainty=measure.uncertainty,
    )


def alert_windows(measure: scenarios.Emergency) -> pd.DataFrame:
    """Return the alerts of a measure, one row a city and window: city, level, start, end [UTC]."""
    import pandas as pd

    from airsim.emergency import strictest

    rows = [
        {
            "city": city,
            "level": alert.level,
            "start": pd.Timestamp(alert.start.replace(tzinfo=None)),
            "end": pd.Timestamp(alert.end.replace(tzinfo=None)),
        }
        for alert in measure.alerts
        for city in alert.cities
    ]
    return strictest(pd.DataFrame(rows))
