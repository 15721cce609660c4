"""The parts that a scenario names, each made by a function: place, inventory, weather, background, observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airsim import scenario as scenarios
from airsim.clock import ZONE, from_beijing
from airsim.errors import InputError, Problem
from airsim.region.tracers import TRACERS
from airsim.scenario import Scenario
from airsim.tables import Column, Note

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
    notes: tuple[Problem | Note, ...] = ()


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
    seen, daily, notes = _hourly(tuple(_stamp(f) for f in files), listed)
    hours = pd.date_range(scenario.period.start, scenario.period.end, freq="h", inclusive="left")
    statistics = observed_statistics(seen, set(hours.tz_convert(ZONE).month))
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
    return Observed(statistics, seen, daily, shares, notes)


def _stamp(path: Path) -> tuple[Path, int, int]:
    """Return a file with what tells a changed one."""
    about = path.stat()
    return path, about.st_mtime_ns, about.st_size


@lru_cache(maxsize=4)
def _hourly(
    files: tuple[tuple[Path, int, int], ...], stations: tuple[Path, int, int] | None
) -> tuple[xr.Dataset, xr.DataArray, tuple[Problem | Note, ...]]:
    """Return hourly observations of the cities, daily PM2.5 and what was passed over; read once for many scenarios."""
    from airsim import observations as hourly
    from airsim.assess import annual

    read = hourly.read([f for f, _, _ in files], stations[0] if stations else None)
    seen = read.cities()
    return seen, annual.daily_air(seen)["pm25"], read.notes


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


def compliance(lists: Sequence[tuple[scenarios.Emergency, EmergencyList]], base: Inventory) -> xr.Dataset:
    """Return the shares of the first emergency measure's list at every level, and its alert windows."""
    from airsim import emergency
    from airsim.emergency.kind import alert_windows
    from airsim.result import groups as result

    measure, list_ = lists[0]
    factor = day_factors()
    society = emergency.read_base(measure.base) if measure.base else None
    areas = {str(a): w for a, w in measure.areas.items()}
    tables = [
        emergency.compliance(list_, base, level, plan=measure.plan, day_factor=factor, areas=areas, base=society)
        for level in result.LEVELS
    ]
    return result.emergency(tables, alert_windows(measure))


def day_factors() -> dict[str, float]:
    """Return sector -> emission of a mean autumn-winter day (October to March) over the mean day's [1]."""
    import numpy as np

    from airsim.inventory import SECTORS, Profiles

    profiles = Profiles()
    season = np.arange(np.datetime64("2018-10-01T00"), np.datetime64("2019-04-01T00"))
    utc = from_beijing(season)
    return {s: float(profiles.fraction((s, ""), utc).mean() * 8760.0) for s in SECTORS}
