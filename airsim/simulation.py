"""The one way through: scenario, inventory and weather, measures, dispersion, indicators, output.

`run` is meant to be read from top to bottom; each step belongs to a package of its own.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import airsim
from airsim import case, shipped
from airsim import scenario as scenarios
from airsim.cache import folder as cache
from airsim.console import Reporter, Silent
from airsim.errors import InputError, Lang, Problem
from airsim.scenario import Scenario

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from airsim.emergency import EmergencyList, verdict
    from airsim.geography import Geography
    from airsim.inventory import Inventory
    from airsim.inventory.gridding import GriddedEmissions
    from airsim.region import Transport
    from airsim.result.groups import Input


class Maker(Protocol):
    """Whoever makes what a scenario names: the module `airsim.case`, or a batch that makes it once for many."""

    def place(self, scenario: Scenario) -> Geography:
        """Return the grid and what stands on it."""

    def inventory(self, scenario: Scenario, place: Geography) -> Inventory:
        """Return the base inventory."""

    def weather(self, scenario: Scenario, place: Geography) -> xr.Dataset:
        """Return the weather of the spin-up and the period."""


def run(scenario: Scenario, progress: Reporter | None = None, made: Maker = case) -> xr.DataTree:
    """Run one scenario.

    Parameters
    ----------
    scenario : Scenario
        From `airsim.load`.
    progress : Reporter, optional
        Told about stages and fractions.
    made : Maker, optional
        Where place, base inventory and weather come from.

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

    from airsim import coal, region, rules
    from airsim import inventory as inventories
    from airsim.assess.near_field import near_field
    from airsim.assess.surface import SurfaceAir
    from airsim.output import boundaries
    from airsim.region.receptors import Watch, cities
    from airsim.response.effect import effect
    from airsim.response.uncertainty import spread
    from airsim.result import groups as result

    place = made.place(scenario)
    base = made.inventory(scenario, place)
    stages = case.measured(scenario, base)
    near = case.near_field(scenario, base)
    observed = case.observations(scenario)

    say.stage("气象场", "weather", 0.16)
    weather = made.weather(scenario, place)

    say.stage("排放网格化", "emissions on the grid", 0.06)
    names = ["base", *(s.name for s in stages.steps)]
    gridded = [inventories.grid(i, place, weather) for i in (base, *(s.inventory for s in stages.steps))]
    columns = (*names, "background")
    cases = [names[0], names[-1]] if stages.steps else [names[0]]

    # the effect of a response costs about as much as the run, the joint-control runs several times that
    alone = scenario.joint_control is None
    answering = 0.25 if stages.lists and alone else 0.0
    say.stage("区域输送与化学转化", "transport and chemistry", 0.60 - answering if alone else 0.12)
    period = scenario.period
    transport = region.Transport(place.grid, weather)
    constant = transport.coefficients.equilibrium.constant
    surface = SurfaceAir(place, weather, period.spin_up_hours, tuple(names), tuple(cases), constant)
    inflow = np.zeros((place.grid.nz, len(region.TRACERS), len(columns)))
    inflow[..., -1] = case.background(scenario, place)
    response = case.response(scenario, base, stages)
    air = cities(place)
    kept = range(period.spin_up_hours, period.spin_up_hours + period.hours)
    watch = Watch(air, kept, len(region.TRACERS), len(columns)) if response else None

    def look(hour: int, mean: np.ndarray) -> None:
        surface(hour, mean)
        if watch is not None:
            watch(hour, mean)

    def emit(h: int) -> np.ndarray:
        rates = [g.at(h) for g in gridded]
        return np.stack([*rates, np.zeros_like(rates[0])], axis=-1)

    closed = transport.run(
        emit,
        columns=len(columns),
        initial=inflow,
        inflow=inflow,
        observe=look,
        levels=1,
        progress=lambda done, hours: say.part(done / hours),
    )

    say.stage("近场羽流", "near-field plumes", 0.06)
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

    if scenario.joint_control is not None:
        say.stage("联防联控：传输矩阵与排名", "joint control: transfer matrix and ranking", 0.48)
        groups |= _joint_control(scenario, place, transport, gridded[0], inflow[..., -1], say)

    say.stage("核算与评估", "shares, coal and evaluation", 0.03)
    if stages.lists:
        groups["/emergency"] = _compliance(stages.lists, base)
    if response is not None and watch is not None:
        say.stage("应急响应效果", "effect of the response", answering)
        by_name = dict(zip(names, gridded, strict=True))
        found = effect(response, place, transport, surface, air, watch.tracers, by_name, columns, kept)
        if response.uncertainty is not None:
            found = found.merge(
                spread(response, transport, air, watch.tracers, by_name, columns, kept, found, cache.folder()),
                combine_attrs="no_conflicts",
            )
        groups["/emergency"] = groups["/emergency"].merge(found, combine_attrs="no_conflicts")
    if scenario.coal is not None:
        groups["/coal"] = result.coal(coal.cap_of(scenario, base, stages))
    groups["/meteorology"] = result.meteorology(place, weather, slice(period.spin_up_hours, None))
    if observed is not None:
        # hours are paired on real weather only
        paired = observed.hourly if weather.attrs.get("synthetic") == "no" else None
        groups["/evaluation"] = result.evaluation(groups["/"], observed.statistics, paired)
        if observed.daily is not None and stages.steps:
            rule = rules.load("aqi", version=groups["/"]["aqi"].attrs["rule"])
            groups["/attainment"] = result.attainment(
                surface, times, observed.daily, observed.shares, rule, temporary=case.temporary(scenario)
            )
    groups["/budget"] = result.budget(closed, columns, cases)
    groups["/boundaries"] = boundaries.dataset(place.outlines())
    groups["/provenance"] = result.provenance(_inputs(scenario, stages.lists), base, weather.attrs)
    groups["/"].attrs |= {
        "name": scenario.name,
        "title": scenario.title.en,
        "title_zh": scenario.title.zh,
        "equilibrium_constant": constant,
    }
    return xr.DataTree.from_dict(groups)


def run_by_operator(
    scenario: Scenario, folder: Path, progress: Reporter | None = None, made: Maker = case
) -> xr.DataTree:
    """Evaluate one scenario by the stored transport operator: daily means in seconds, once the operator is there.

    Transported tracers are those of a full run; PM2.5 is first order about the base case. What needs hours or maps
    (the map itself, near field, comparison with observations, the effect of the response by the hour) is left out.

    Parameters
    ----------
    scenario : Scenario
        Its period begins and ends at a Beijing midnight.
    folder : Path
        Cache of operators.
    progress : Reporter, optional
    made : Maker, optional
        As for `run`.

    Returns
    -------
    DataTree
        Groups of `run` as far as they apply; attribute ``method`` is ``operator``.

    Raises
    ------
    InputError
        As `run`; a period that is not made of whole Beijing days.
    """
    say = progress or Silent()
    say.stage("地理与排放清单", "geography and inventory", 0.1)
    import numpy as np
    import xarray as xr

    from airsim import coal
    from airsim import inventory as inventories
    from airsim.assess.by_operator import evaluate, operator_of
    from airsim.result import groups as result

    _whole_days(scenario)
    place = made.place(scenario)
    base = made.inventory(scenario, place)
    stages = case.measured(scenario, base)
    say.stage("气象场", "weather", 0.1)
    weather = made.weather(scenario, place)
    names = ["base", *(s.name for s in stages.steps)]
    gridded = dict(
        zip(names, (inventories.grid(i, place, weather) for i in (base, *(s.inventory for s in stages.steps))),
            strict=True)
    )  # fmt: skip
    say.stage("输送算子（首次需数分钟）", "transport operator (some minutes the first time)", 0.6)
    operator = operator_of(
        scenario, place, weather, gridded["base"], folder, progress=lambda done, of: say.part(done / of)
    )
    say.stage("核算与评估", "evaluation", 0.1)
    evaluated = evaluate(operator, gridded["base"], gridded)
    cases = [names[0], names[-1]] if stages.steps else names
    of_case = {("base", "controlled")[i]: gridded[c] for i, c in enumerate(cases)}
    kept = range(scenario.period.spin_up_hours, scenario.period.spin_up_hours + scenario.period.hours)
    groups: dict[str, xr.Dataset] = {"/": result.air_of_days(place, evaluated, cases)}
    if stages.steps:
        pm25 = evaluated["pm25"].reindex(receptor=groups["/"]["city"].to_numpy()).sel(case=names)
        removed = -pm25.diff("case", label="upper").to_numpy()
        groups["/attribution"] = xr.Dataset(
            {"pm25_removed": (("step", "time", "city"), removed.astype(np.float32))},
            coords={"step": names[1:], "time": groups["/"]["time"].to_numpy(), "city": groups["/"]["city"].to_numpy()},
        )
        groups["/measures"] = stages.ledger()
    groups["/emissions"] = result.emissions(base, of_case, kept)
    groups["/enterprises"] = result.enterprises(base, of_case, kept)
    if stages.lists:
        groups["/emergency"] = _compliance(stages.lists, base)
    if scenario.coal is not None:
        groups["/coal"] = result.coal(coal.cap_of(scenario, base, stages))
    hourly = result.meteorology(place, weather, slice(scenario.period.spin_up_hours, None))
    # a direction has no mean of this kind
    groups["/meteorology"] = hourly.drop_vars("wind_from_direction").coarsen(time=24, coord_func="min").mean()
    groups["/provenance"] = result.provenance(_inputs(scenario, stages.lists), base, weather.attrs)
    groups["/"].attrs |= {
        "name": scenario.name,
        "title": scenario.title.en,
        "title_zh": scenario.title.zh,
        "operator": operator.key,
    }
    return xr.DataTree.from_dict(groups)


def _whole_days(scenario: Scenario) -> None:
    """Complain of a period that does not begin and end at a Beijing midnight."""
    wrong = [
        Problem(
            scenario.file, scenario.line("period", key), f"period.{key}", f"{local:%Y-%m-%d %H:%M}",
            "must be a Beijing midnight: the stored operator holds daily means",
            "须为北京时间零点：已存算子只含日均值",
        )
        for key in ("start", "end")
        if (local := getattr(scenario.period, key).astimezone(scenarios.BEIJING)).hour
    ]  # fmt: skip
    if wrong:
        raise InputError(wrong)


# --------------------------------------------------------------------------------------------------------
# the pieces


def _joint_control(
    scenario: Scenario,
    place: Geography,
    transport: Transport,
    base: GriddedEmissions,
    inflow: np.ndarray,
    say: Reporter,
) -> dict[str, xr.Dataset]:
    """Return whose emissions are in whose air, and which source counts most, in the base case."""
    import numpy as np

    from airsim.assess.transfer import transfer
    from airsim.region.receptors import window

    asked, period = scenario.joint_control, scenario.period
    assert asked is not None
    start, end = (
        np.datetime64(t.replace(tzinfo=None), "ns") for t in (asked.start or period.start, asked.end or period.end)
    )
    hours = window(transport.time, start, end)
    matrix, ranking = transfer(
        place, transport, base, inflow, hours, ranked=asked.rank, progress=lambda done, of: say.part(done / of)
    )
    return {"/transfer": matrix, "/ranking": ranking}


def _compliance(lists: Sequence[tuple[scenarios.Emergency, EmergencyList]], base: Inventory) -> xr.Dataset:
    """Return the shares of the first emergency measure's list at every level, and its alert windows."""
    from airsim import emergency
    from airsim.result import groups as result

    measure, list_ = lists[0]
    factor = day_factors()
    society = emergency.read_base(measure.base) if measure.base else None
    areas = {str(a): w for a, w in measure.areas.items()}
    tables = [
        emergency.compliance(list_, base, level, plan=measure.plan, day_factor=factor, areas=areas, base=society)
        for level in result.LEVELS
    ]
    return result.emergency(tables, case.alert_windows(measure))


def day_factors() -> dict[str, float]:
    """Return sector -> emission of a mean autumn-winter day (October to March) over the mean day's [1]."""
    import numpy as np

    from airsim.clock import from_beijing
    from airsim.inventory import SECTORS, Profiles

    profiles = Profiles()
    season = np.arange(np.datetime64("2018-10-01T00"), np.datetime64("2019-04-01T00"))
    utc = from_beijing(season)
    return {s: float(profiles.fraction((s, ""), utc).mean() * 8760.0) for s in SECTORS}


def _inputs(scenario: Scenario, lists: Sequence[tuple[scenarios.Emergency, EmergencyList]]) -> list[Input]:
    """Return every file that determines the result, with what kind of figures it holds."""
    from airsim.result.groups import Input

    tables = scenario.inputs
    found = []
    if scenario.file:
        found.append(Input(Path(scenario.file), "scenario", "the scenario", "情景文件"))
    named = [
        (tables.enterprises, "derived", "point sources; quality row by row", "企业排放，逐行注明质量"),
        (tables.area_sources, "estimated", "area sources; quality row by row", "面源排放，逐行注明质量"),
        (tables.coal_ledger, "estimated", "coal ledger; quality row by row", "煤炭台账，逐行注明质量"),
        (tables.background, "estimated", "air flowing in over the edges", "区域边界流入"),
        (tables.stations, "derived", "station list", "监测站点表"),
    ]
    if tables.observations is not None:
        seen = (tables.observations,) if isinstance(tables.observations, str) else tables.observations
        named += [(n, "measured", "observations", "实测数据") for n in seen]
        named.append((tables.composition, "derived", "observed composition of PM2.5", "PM2.5 实测组分"))
    found += [Input(scenario.resolve(n), kind, en, zh) for n, kind, en, zh in named if n]
    for measure, list_ in lists:
        kind = "illustrative" if list_.illustrative else "reported"
        found.append(Input(scenario.resolve(measure.list), kind, "emergency reduction list", "应急减排清单"))
        further = [
            (measure.mapping, "rule", "mapping of the list's headers", "清单表头对照"),
            (measure.base, "reported", "all-society emissions", "全社会排放量"),
            (measure.plan if measure.plan.endswith("ml") else None, "rule", "local emergency plan", "本地应急预案"),
        ]
        found += [Input(Path(n), kind, en, zh) for n, kind, en, zh in further if n]
    found += [Input(scenario.resolve(n), *said) for n, said in _coal_tables(scenario).items()]
    weather = scenario.meteorology
    origin = "modelled" if isinstance(weather, scenarios.ModelWeather) else "measured"
    words = f"weather ({weather.kind})", f"气象（{weather.kind}）"
    found += [Input(f, origin, *words) for f in scenario.weather_files()]
    if isinstance(weather, scenarios.StationWeather) and weather.station_list:
        found.append(Input(scenario.resolve(weather.station_list), "derived", "weather stations", "气象站点表"))
    for folder, kind, en, zh in (
        ("geography", "derived", "boundaries, people, terrain", "边界、人口、地形"),
        ("meteorology", "derived", "climatology behind synthetic weather, levels", "合成气象的气候统计、模式层系数"),
    ):
        found += [Input(f, kind, en, zh) for f in sorted(shipped.path(f"data/{folder}").glob("*.*"))]
    package = Path(airsim.__file__).parent
    found.append(Input(package / "region" / "coefficients.yaml", "rule", "rates of the region model", "区域模式系数"))
    found += [Input(f, "rule", "dated rules", "规则（按日期）") for f in sorted((package / "rules").glob("*.yaml"))]
    return found


def _coal_tables(scenario: Scenario) -> dict[str, tuple[str, str, str]]:
    """Return the tables that the coal balance reads besides the ledger, with what kind of figures they hold."""
    batches = ("batches of clean coal", "洁净煤抽检批次")
    named: dict[str, tuple[str, str]] = {
        m.inspection: batches
        for m in scenario.measures
        if isinstance(m, scenarios.CleanCoalSupply) and m.inspection is not None
    }
    coal = scenario.coal
    if coal is not None and coal.inspection is not None:
        named[coal.inspection] = batches
    if coal is not None and coal.decomposition is not None:
        named[coal.decomposition.activity] = ("activity by city and sector", "分城市、分行业活动水平")
    if coal is not None and coal.limits is not None and coal.limits.file is not None:
        named[coal.limits.file] = ("limits of gas, grid and heat networks", "供气、电网、热网能力")
    return {n: ("illustrative" if n.startswith("shipped:") else "reported", *said) for n, said in named.items()}


def emergency_verdict(asked: verdict.Asked, out: Path | None, lang: Lang) -> list[str]:
    """Count a reduction list, or hold a forecast against the plans; return what is printed.

    Parameters
    ----------
    asked : Asked
    out : Path or None
        Also written: a workbook (.xlsx) that can be handed in, or the table of the level as .csv.
    lang : {"zh", "en"}

    Raises
    ------
    InputError
        Whatever is wrong with list, tables, mapping, forecast, level or plan.
    """
    from airsim.emergency.verdict import pronounce
    from airsim.files import write_bytes
    from airsim.output.sections import emergency as emergency_tables

    found = pronounce(asked, day_factors())
    lines = emergency_tables.lines(found, lang)
    if out is not None and out.suffix.lower() == ".xlsx":
        emergency_tables.write(found, out, lang)
    elif out is not None:
        table = found.tables.get(found.level, found.calls)
        if table is not None:
            write_bytes(out, table.to_csv(index=False).encode("utf-8-sig"))
    return [*lines, *(str(p) for p in (asked.fix, out) if p is not None)]


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
    from airsim.output import console, excel
    from airsim.result import netcdf

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
    excel.write_ranking(ranking, written[1], lang)
    return Done(written, console.ranking(ranking, lang))


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


def run_to_files(
    path: Path, out: Path, *, lang: Lang, progress: Reporter | None = None, by_operator: bool = False
) -> Done:
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
    by_operator : bool
        Evaluate by the stored operator (`run_by_operator`) instead of running.

    Raises
    ------
    InputError
        See `airsim.load` and `run`; nothing has been written then.
    """
    from airsim import output

    scenario = scenarios.load(path)
    if scenario.sweep is not None:
        raise InputError(
            [
                Problem(
                    str(path),
                    scenario.line("sweep"),
                    "sweep",
                    "",
                    "many scenarios in one file: run it with airsim batch",
                    "该文件含多个情景：请用 airsim batch 运行",
                )
            ]
        )
    way: Callable[..., xr.DataTree] = run
    made: Maker = case
    if by_operator:
        from airsim.cache.store import Store, weather_key

        folder = cache.folder()
        made = Store(folder, frozenset({weather_key(scenario)}))
        way = partial(run_by_operator, folder=folder)
    written, tree = run_into(Path(out) / scenario.name, scenario, lang, progress, made, way)
    return Done(written, output.summary_text(tree, lang).splitlines())


#: What a run leaves in its folder, in the order of writing.
RESULTS = ("result.nc", "report.html", "tables.xlsx", "run.json")


def run_into(
    folder: Path,
    scenario: Scenario,
    lang: Lang,
    progress: Reporter | None = None,
    made: Maker = case,
    way: Callable[..., xr.DataTree] = run,
) -> tuple[list[Path], xr.DataTree]:
    """Run a scenario and write `RESULTS` into a folder.

    Arguments as for `run` and `run_to_files`; `way` is `run`, or `run_by_operator` with its folder.
    """
    from airsim import files
    from airsim.output import excel, html
    from airsim.result import netcdf

    begun = time.time()
    timer = _Clock(progress or Silent())
    tree = netcdf.dress(way(scenario, progress=timer, made=made))
    timer.stage("写出结果", "writing", 0.05)
    written = [folder / name for name in RESULTS]
    netcdf.write(tree, written[0])
    html.render(tree, written[1], lang)
    excel.write(tree, written[2], lang)
    timer.stage("完成", "done", 0.0)
    inputs = tree["provenance"].to_dataset()
    record = {
        "airsim": airsim.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "scenario": scenario.name,
        "scenario_file": scenario.file,
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
    return written, tree
