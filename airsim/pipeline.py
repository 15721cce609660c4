"""The one way through: scenario, inventory and weather, measures, dispersion, indicators, output.

`run` is meant to be read from top to bottom; each step belongs to a package of its own.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import airsim
from airsim import case, shipped
from airsim import scenario as scenarios
from airsim.errors import Lang
from airsim.progress import Reporter, Silent
from airsim.scenario import Scenario

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xarray as xr

    from airsim.emergency import EmergencyList
    from airsim.inventory import Inventory
    from airsim.result import Input


def run(scenario: Scenario, progress: Reporter | None = None) -> xr.DataTree:
    """Run one scenario.

    Parameters
    ----------
    scenario : Scenario
        From `airsim.load`.
    progress : Reporter, optional
        Told about stages and fractions.

    Returns
    -------
    DataTree
        What ``result.nc`` holds; see docs/formats.

    Raises
    ------
    InputError
        Whatever is wrong with the scenario's tables.
    """
    say = progress or Silent()
    say.stage("地理与排放清单", "geography and inventory", 0.04)
    import numpy as np
    import xarray as xr

    from airsim import coal, output, region, result, rules
    from airsim import inventory as inventories
    from airsim.assess.evaluation import read_observed
    from airsim.assess.near_field import near_field
    from airsim.assess.surface import SurfaceAir

    place = case.place(scenario)
    base = case.inventory(scenario, place)
    stages = case.measured(scenario, base)
    near = case.near_field(scenario, base)

    say.stage("气象场", "weather", 0.16)
    weather = case.weather(scenario, place)

    say.stage("排放网格化", "emissions on the grid", 0.06)
    names = ["base", *(s.name for s in stages.steps)]
    gridded = [inventories.grid(i, place, weather) for i in (base, *(s.inventory for s in stages.steps))]
    columns = (*names, "background")
    cases = [names[0], names[-1]] if stages.steps else [names[0]]

    say.stage("区域输送与化学转化", "transport and chemistry", 0.60)
    period = scenario.period
    transport = region.Transport(place.grid, weather)
    constant = transport.coefficients.equilibrium.constant
    surface = SurfaceAir(place, weather, period.spin_up_hours, tuple(names), tuple(cases), constant)
    inflow = np.zeros((place.grid.nz, len(region.TRACERS), len(columns)))
    inflow[..., -1] = case.background(scenario, place)

    def emit(h: int) -> np.ndarray:
        rates = [g.at(h) for g in gridded]
        return np.stack([*rates, np.zeros_like(rates[0])], axis=-1)

    closed = transport.run(
        emit,
        columns=len(columns),
        initial=inflow,
        inflow=inflow,
        observe=surface,
        levels=1,
        progress=lambda done, hours: say.part(done / hours),
    )

    say.stage("近场羽流", "near-field plumes", 0.06)
    kept = range(period.spin_up_hours, period.spin_up_hours + period.hours)
    times = weather["time"].values[kept.start :]
    of_case = {("base", "controlled")[i]: gridded[names.index(c)] for i, c in enumerate(cases)}
    groups: dict[str, xr.Dataset] = {"/": result.air(place, times, surface, cases)}
    if stages.steps:
        pairs = list(pairwise(names))
        groups["/attribution"] = result.attribution(place, times, surface, pairs)
        groups["/measures"] = stages.ledger()
    groups["/emissions"] = result.emissions(base, of_case, kept)
    groups["/enterprises"] = result.enterprises(base, of_case, kept)
    if scenario.near_field is not None:
        groups["/plume"] = near_field(
            place, base, of_case, weather, kept, rules.load("air_quality", date=period.start.date()), **near
        )

    say.stage("核算与评估", "shares, coal and evaluation", 0.03)
    if stages.lists:
        groups["/emergency"] = _compliance(stages.lists, base)
    if scenario.coal is not None:
        groups["/coal"] = result.coal(coal.cap_of(scenario, base, stages))
    groups["/meteorology"] = result.meteorology(place, weather, slice(period.spin_up_hours, None))
    if scenario.inputs.observations is not None:
        observed = read_observed(scenario.resolve(scenario.inputs.observations))
        groups["/evaluation"] = result.evaluation(groups["/"], observed)
    groups["/budget"] = result.budget(closed, columns, cases)
    groups["/boundaries"] = output.boundaries.dataset(place.outlines())
    groups["/provenance"] = result.provenance(_inputs(scenario, stages.lists), base, weather.attrs)
    groups["/"].attrs |= {
        "name": scenario.name,
        "title": scenario.title.en,
        "title_zh": scenario.title.zh,
        "equilibrium_constant": constant,
    }
    return xr.DataTree.from_dict(groups)


# --------------------------------------------------------------------------------------------------------
# the pieces


def _compliance(lists: Sequence[tuple[scenarios.Emergency, EmergencyList]], base: Inventory) -> xr.Dataset:
    """Return the shares of the first emergency measure's list at every level, and its alert windows."""
    from airsim import emergency, result

    measure, list_ = lists[0]
    factor = day_factors()
    tables = [emergency.compliance(list_, base, level, plan=measure.plan, day_factor=factor) for level in result.LEVELS]
    return result.emergency(tables, case.alert_windows(measure))


def day_factors() -> dict[str, float]:
    """Return sector -> emission of a mean autumn-winter day (October to March) over the mean day's [1]."""
    import numpy as np

    from airsim.inventory import SECTORS, Profiles

    profiles = Profiles()
    season = np.arange(np.datetime64("2018-10-01T00"), np.datetime64("2019-04-01T00"))
    utc = season - np.timedelta64(8, "h")
    return {s: float(profiles.fraction((s, ""), utc).mean() * 8760.0) for s in SECTORS}


def _inputs(scenario: Scenario, lists: Sequence[tuple[scenarios.Emergency, EmergencyList]]) -> list[Input]:
    """Return every file that determines the result, with what kind of figures it holds."""
    from airsim.result import Input

    tables = scenario.inputs
    found = []
    if scenario.file:
        found.append(Input(Path(scenario.file), "scenario", "the scenario", "情景文件"))
    named = [
        (tables.enterprises, "derived", "point sources; quality row by row", "企业排放，逐行注明质量"),
        (tables.area_sources, "estimated", "area sources; quality row by row", "面源排放，逐行注明质量"),
        (tables.coal_ledger, "estimated", "coal ledger; quality row by row", "煤炭台账，逐行注明质量"),
        (tables.background, "estimated", "air flowing in over the edges", "区域边界流入"),
        (tables.observations, "measured", "observed city statistics", "城市实测统计"),
    ]
    found += [Input(scenario.resolve(n), kind, en, zh) for n, kind, en, zh in named if n]
    for measure, list_ in lists:
        kind = "illustrative" if list_.illustrative else "reported"
        found.append(Input(scenario.resolve(measure.list), kind, "emergency reduction list", "应急减排清单"))
    for folder, kind, en, zh in (
        ("geography", "derived", "boundaries, people, terrain", "边界、人口、地形"),
        ("meteorology", "derived", "climatology behind the synthetic weather", "合成气象所依据的气候统计"),
    ):
        found += [Input(f, kind, en, zh) for f in sorted(shipped.path(f"data/{folder}").glob("*.*"))]
    package = Path(__file__).parent
    found.append(Input(package / "region" / "coefficients.yaml", "rule", "rates of the region model", "区域模式系数"))
    found += [Input(f, "rule", "dated rules", "规则（按日期）") for f in sorted((package / "rules").glob("*.yaml"))]
    return found


def compliance_lines(
    list_file: Path,
    level: str,
    enterprises: Path | None,
    area_sources: Path | None,
    plan: str,
    lang: Lang,
) -> tuple[pd.DataFrame, list[str]]:
    """Count a list against an inventory: the compliance table, and the same as printed lines.

    Parameters
    ----------
    list_file : Path
        Reduction list.
    level : {"yellow", "orange", "red"}
    enterprises, area_sources : Path or None
        Inventory tables; the shipped ones if None.
    plan : str
        Dated plan.
    lang : {"zh", "en"}

    Raises
    ------
    InputError
        Whatever is wrong with list, tables, level or plan.
    """
    from airsim import emergency, geography, inventory
    from airsim.output import printed

    list_ = emergency.read(list_file)
    base = inventory.read(
        enterprises or shipped.path("data/emissions/enterprises.csv"),
        area_sources or shipped.path("data/emissions/area_sources.csv"),
        None,
        geography.load(geography.make_grid()),
    )
    table = emergency.compliance(list_, base, level, plan=plan, day_factor=day_factors())
    return table, printed.compliance(table, list_, lang)


def rank_to_files(
    path: Path,
    cities: Sequence[str],
    window: tuple[str, str] | None,
    out: Path,
    lang: Lang,
    progress: Reporter | None = None,
) -> Done:
    """Rank the sources of a scenario for some cities; write ``OUT/NAME/`` ranking.nc and ranking.xlsx.

    Parameters
    ----------
    path : Path
        Scenario file.
    cities : sequence of str
        City ids.
    window : (start, end), optional
        ISO times, Beijing unless zoned; the whole period if left out.
    out : Path
        Folder of the results.
    lang : {"zh", "en"}
    progress : Reporter, optional

    Raises
    ------
    InputError
        Whatever is wrong with scenario, tables, cities or window.
    """
    import numpy as np
    import xarray as xr

    from airsim import geography
    from airsim.assess.ranking import rank_of
    from airsim.output import netcdf, printed, workbook

    say = progress or Silent()
    scenario = scenarios.load(path)
    edges = scenarios.window(window) if window else None
    start, end = (np.datetime64(t.replace(tzinfo=None), "ns") for t in edges) if edges else (None, None)
    say.stage("基准情形与伴随", "base case and adjoint", 0.95)
    ranking = rank_of(scenario, cities, start, end, progress=lambda done, of: say.part(done / of))
    d = scenario.domain
    grid = geography.make_grid((d.west, d.south, d.east, d.north), d.spacing)
    root = xr.Dataset(
        coords={
            "y": grid.y,
            "x": grid.x,
            "longitude": (("y", "x"), grid.longitude),
            "latitude": (("y", "x"), grid.latitude),
        },
        attrs={"crs": grid.crs, "name": scenario.name, "title": scenario.title.en, "title_zh": scenario.title.zh},
    )
    say.stage("写出结果", "writing", 0.05)
    folder = Path(out) / scenario.name
    written = [folder / "ranking.nc", folder / "ranking.xlsx"]
    netcdf.write(xr.DataTree.from_dict({"/": root, "/ranking": ranking}), written[0])
    workbook.write_ranking(ranking, written[1], lang)
    return Done(written, printed.ranking(ranking, lang))


# --------------------------------------------------------------------------------------------------------
# files


@dataclass(frozen=True)
class Done:
    """What a run left behind."""

    files: list[Path]
    summary: list[str]


class _Clock:
    """Passes the stages on to the user's progress and notes how long each took [s]."""

    def __init__(self, listener: Reporter) -> None:
        self._listener = listener
        self._stage, self._begin = "start", time.perf_counter()
        self.seconds: dict[str, float] = {}

    def stage(self, zh: str, en: str, share: float) -> None:
        now = time.perf_counter()
        self.seconds[self._stage] = round(now - self._begin, 3)
        self._stage, self._begin = en, now
        self._listener.stage(zh, en, share)

    def part(self, fraction: float) -> None:
        self._listener.part(fraction)


def run_to_files(path: Path, out: Path, *, lang: Lang, progress: Reporter | None = None) -> Done:
    """Run a scenario file and write ``OUT/NAME/`` result.nc, report.html, tables.xlsx and run.json.

    Parameters
    ----------
    path : Path
        Scenario file.
    out : Path
        Folder of the results.
    lang : {"zh", "en"}
        Language of the summary, the workbook, and the report when it opens.
    progress : Reporter, optional

    Raises
    ------
    InputError
        See `airsim.load` and `run`; nothing has been written then.
    """
    from airsim import output
    from airsim.output import files, netcdf, report, workbook

    begun = time.time()
    timer = _Clock(progress or Silent())
    scenario = scenarios.load(path)
    tree = netcdf.dress(run(scenario, timer))
    timer.stage("写出结果", "writing", 0.05)
    folder = Path(out) / scenario.name
    written = [folder / name for name in ("result.nc", "report.html", "tables.xlsx", "run.json")]
    netcdf.write(tree, written[0])
    report.render(tree, written[1], lang)
    workbook.write(tree, written[2], lang)
    timer.stage("完成", "done", 0.0)
    inputs = tree["provenance"].to_dataset()
    record = {
        "airsim": airsim.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "scenario": scenario.name,
        "scenario_file": str(path),
        "started": dt.datetime.fromtimestamp(begun, dt.UTC).isoformat(timespec="seconds"),
        "wall_seconds": timer.seconds,
        "packages": dict(
            zip(inputs["package_name"].values.tolist(), inputs["package_version"].values.tolist(), strict=True)
        ),
        "inputs": [
            {"file": f, "sha256": h, "kind": k}
            for f, h, k in zip(*(inputs[f"input_{n}"].values.tolist() for n in ("file", "sha256", "kind")), strict=True)
            if h  # what is made, not read, has none
        ],
    }
    files.write_bytes(written[3], json.dumps(record, ensure_ascii=False, indent=2).encode())
    return Done(written, output.summary_text(tree, lang).splitlines())
