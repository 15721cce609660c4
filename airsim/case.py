"""What a scenario names, made: place, inventory, weather, the air at the edges, and what its measures do.

The pipeline and the coal balance begin here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
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
    """Return the weather of the spin-up and the period."""
    import numpy as np

    from airsim.meteorology import synthetic

    period, asked = scenario.period, scenario.meteorology
    begin = np.datetime64(period.start.replace(tzinfo=None), "ns")
    hour = np.timedelta64(1, "h")
    stagnation = begin + asked.build_up_hours * hour
    return synthetic.episode(
        place,
        start=begin - period.spin_up_hours * hour,
        hours=period.spin_up_hours + period.hours,
        seed=asked.seed,
        pattern=synthetic.Pattern(stagnation, stagnation + asked.stagnant_hours * hour),
    )


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
class Step:
    """The inventory after one run of measures of a kind."""

    name: str
    inventory: Inventory


@dataclass
class Stages:
    """What the measures of a scenario make of the base inventory, in their order."""

    steps: list[Step] = field(default_factory=list)
    rows: list[pd.DataFrame] = field(default_factory=list)
    lists: list[tuple[scenarios.Emergency, EmergencyList]] = field(default_factory=list)

    def ledger(self) -> xr.Dataset:
        """Return the ledger rows of all measures as the group ``/measures``."""
        import pandas as pd
        import xarray as xr

        rows = pd.concat(self.rows, ignore_index=True)
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


def measured(scenario: Scenario, base: Inventory) -> Stages:
    """Apply the scenario's measures in order; neighbours of one kind make one step.

    Raises
    ------
    InputError
        All problems of all measures (a list's enterprise that the inventory lacks, an unknown enterprise...).
    """
    from airsim import emergency, measures

    stages = Stages()
    problems: list[Problem] = []
    now = base
    year = scenario.coal.base_year if scenario.coal else None
    for kind, group in groupby(enumerate(scenario.measures), key=lambda m: m[1].type):
        for number, measure in group:
            label = f"{number + 1}-{kind}"
            at = (scenario.file, scenario.line("measures", number))
            try:
                if isinstance(measure, scenarios.Emergency):
                    list_ = emergency.read(scenario.resolve(measure.list))
                    stages.lists.append((measure, list_))
                    now, rows = measures.emergency(
                        now,
                        list_,
                        alert_windows(measure),
                        execution_rate=measure.execution_rate,
                        plan=measure.plan,
                        measure=label,
                    )
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
                elif isinstance(measure, scenarios.CoalSubstitution):
                    now, rows = measures.coal_substitution(
                        now,
                        city=measure.city,
                        route=measure.route,
                        households=measure.households,
                        tonnes_per_household=measure.tonnes_per_household,
                        execution_rate=measure.execution_rate,
                        power_city=measure.power_city,
                        year=year,
                        measure=label,
                        at=at,
                    )
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
