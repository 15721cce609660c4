"""The one way through: from a case to what ``result.nc`` holds.

`run` is meant to be read from top to bottom; what a scenario names is made by `airsim.case.Case`, each step belongs to
a room of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from airsim.cache import folder as cache
from airsim.case import Case
from airsim.console import Reporter, Silent, Timed
from airsim.errors import Lang
from airsim.result.folder import RESULTS
from airsim.scenario import Scenario

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr


def run(scenario: Scenario, progress: Reporter | None = None, *, case: Case | None = None) -> xr.DataTree:
    """Run one scenario.

    Parameters
    ----------
    scenario : Scenario
        From `airsim.load`.
    progress : Reporter, optional
        Told about stages and fractions.
    case : Case, optional
        The scenario's case, where something of it is made already or shared with other scenarios.

    Returns
    -------
    DataTree
        What ``result.nc`` holds; see docs/formats.

    Raises
    ------
    InputError
        Whatever is wrong with the scenario's tables.
    """
    case = case or Case(scenario)
    say = progress or Silent()
    say.stage("地理与排放清单", "geography and inventory", 0.04)
    import numpy as np
    import xarray as xr

    from airsim import region, rules
    from airsim.assess.near_field import near_field
    from airsim.assess.surface import SurfaceAir
    from airsim.output import boundaries
    from airsim.region.receptors import Watch, cities
    from airsim.response.effect import effect
    from airsim.response.uncertainty import spread
    from airsim.result import groups as result

    case.refuse_early()
    place, base, stages, observed, response = case.place, case.inventory, case.stages, case.observations, case.response

    say.stage("气象场", "weather", 0.16)
    weather = case.weather

    say.stage("排放网格化", "emissions on the grid", 0.06)
    gridded, names = case.gridded, list(case.gridded)
    columns = (*names, "background")
    cases = [names[0], names[-1]] if stages.steps else [names[0]]

    # the effect of a response costs about as much as the run, the joint-control runs several times that
    alone = scenario.joint_control is None
    answering = 0.25 if stages.lists and alone else 0.0
    say.stage("区域输送与化学转化", "transport and chemistry", 0.60 - answering if alone else 0.12)
    transport, period, kept = case.transport, scenario.period, case.kept
    constant = transport.coefficients.equilibrium.constant
    surface = SurfaceAir(place, weather, period.spin_up_hours, tuple(names), tuple(cases), constant)
    inflow = np.zeros((place.grid.nz, len(region.TRACERS), len(columns)))
    inflow[..., -1] = case.background
    air = cities(place)
    watch = Watch(air, kept, len(region.TRACERS), len(columns)) if response else None

    def look(hour: int, mean: np.ndarray) -> None:
        surface(hour, mean)
        if watch is not None:
            watch(hour, mean)

    def emit(h: int) -> np.ndarray:
        rates = [g.at(h) for g in gridded.values()]
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
    of_case = {("base", "controlled")[i]: gridded[c] for i, c in enumerate(cases)}
    groups: dict[str, xr.Dataset] = {"/": result.air(place, times, surface, cases)}
    if stages.steps:
        groups["/attribution"] = result.attribution(place, times, surface, list(pairwise(names)))
        groups["/measures"] = stages.ledger()
    groups["/emissions"] = result.emissions(base, of_case, kept)
    groups["/enterprises"] = result.enterprises(base, of_case, kept)
    if scenario.near_field is not None:
        air_quality = rules.load("air_quality", date=period.start.date())
        groups["/plume"] = near_field(place, base, of_case, weather, kept, air_quality, **case.near_field)

    if scenario.joint_control is not None:
        say.stage("联防联控：传输矩阵与排名", "joint control: transfer matrix and ranking", 0.48)
        groups |= _joint_control(case, say)

    say.stage("核算与评估", "shares, coal and evaluation", 0.03)
    if case.compliance is not None:
        groups["/emergency"] = case.compliance
    if response is not None and watch is not None:
        say.stage("应急响应效果", "effect of the response", answering)
        found = effect(response, place, transport, surface, air, watch.tracers, gridded, columns, kept)
        if response.uncertainty is not None:
            found = found.merge(
                spread(response, transport, air, watch.tracers, gridded, columns, kept, found, cache.folder()),
                combine_attrs="no_conflicts",
            )
        groups["/emergency"] = groups["/emergency"].merge(found, combine_attrs="no_conflicts")
    if scenario.coal is not None:
        groups["/coal"] = result.coal(case.coal)
    groups["/meteorology"] = result.meteorology(place, weather, slice(period.spin_up_hours, None))
    if observed is not None:
        # hours are paired on real weather only
        paired = observed.hourly if weather.attrs.get("synthetic") == "no" else None
        groups["/evaluation"] = result.evaluation(groups["/"], observed.statistics, paired)
        if observed.daily is not None and stages.steps:
            rule = rules.load("aqi", version=groups["/"]["aqi"].attrs["rule"])
            groups["/attainment"] = result.attainment(
                surface, times, observed.daily, observed.shares, rule, temporary=stages.plan.temporary
            )
    groups["/budget"] = result.budget(closed, columns, cases)
    groups["/boundaries"] = boundaries.dataset(place.outlines())
    groups["/provenance"] = result.provenance(case.inputs, base, weather.attrs, case.notes)
    groups["/"].attrs |= _named(scenario) | {"equilibrium_constant": constant}
    return xr.DataTree.from_dict(groups)


def run_by_operator(
    scenario: Scenario, progress: Reporter | None = None, *, case: Case | None = None, folder: Path | None = None
) -> xr.DataTree:
    """Evaluate one scenario by the stored transport operator: daily means in seconds, once the operator is there.

    Transported tracers are those of a full run; PM2.5 is first order about the base case. What needs hours or maps
    (the map itself, near field, comparison with observations, the effect of the response by the hour) is left out.

    Parameters
    ----------
    scenario : Scenario
        Its period begins and ends at a Beijing midnight.
    progress : Reporter, optional
    case : Case, optional
        As for `run`.
    folder : Path, optional
        Cache of operators; the user's by default.

    Returns
    -------
    DataTree
        Groups of `run` as far as they apply; attribute ``method`` is ``operator``.

    Raises
    ------
    InputError
        As `run`; a period that is not made of whole Beijing days.
    """
    case = case or Case(scenario)
    say = progress or Silent()
    say.stage("地理与排放清单", "geography and inventory", 0.1)
    import numpy as np
    import xarray as xr

    from airsim.assess.by_operator import evaluate
    from airsim.result import groups as result

    case.refuse_parts_of_days()
    case.refuse_early()
    place, base, stages, kept = case.place, case.inventory, case.stages, case.kept

    say.stage("气象场", "weather", 0.1)
    weather, gridded = case.weather, case.gridded
    names = list(gridded)

    say.stage("输送算子（首次需数分钟）", "transport operator (some minutes the first time)", 0.6)
    operator = case.operator(folder or cache.folder(), progress=lambda done, of: say.part(done / of))

    say.stage("核算与评估", "evaluation", 0.1)
    evaluated = evaluate(operator, gridded["base"], gridded)
    cases = [names[0], names[-1]] if stages.steps else names
    of_case = {("base", "controlled")[i]: gridded[c] for i, c in enumerate(cases)}
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
    if case.compliance is not None:
        groups["/emergency"] = case.compliance
    if scenario.coal is not None:
        groups["/coal"] = result.coal(case.coal)
    hourly = result.meteorology(place, weather, slice(kept.start, None))
    # a direction has no mean of this kind
    groups["/meteorology"] = hourly.drop_vars("wind_from_direction").coarsen(time=24, coord_func="min").mean()
    groups["/provenance"] = result.provenance(case.inputs, base, weather.attrs, case.notes)
    groups["/"].attrs |= _named(scenario) | {"operator": operator.key}
    return xr.DataTree.from_dict(groups)


def run_into(
    folder: Path,
    case: Case,
    lang: Lang,
    progress: Reporter | None = None,
    way: Callable[..., xr.DataTree] = run,
) -> tuple[list[Path], xr.DataTree, list[str]]:
    """Run a case and write `RESULTS` into a folder; return the files, the result and what is printed.

    Parameters
    ----------
    folder : Path
        From `airsim.files.together`, so that the files replace older ones as one set.
    case : Case
    lang : {"zh", "en"}
        Language of the workbook, and of the report when it opens.
    progress : Reporter, optional
    way : callable
        `run` or `run_by_operator`.
    """
    from airsim.files import write_bytes
    from airsim.output import console, excel, html
    from airsim.output.sections import report
    from airsim.result import netcdf
    from airsim.result.record import record

    begun = time.time()
    timer = Timed(progress or Silent())
    tree = netcdf.dress(way(case.scenario, timer, case=case))
    timer.stage("写出结果", "writing", 0.05)
    written = [folder / name for name in RESULTS]
    netcdf.write(tree, written[0])
    page = report.page(tree)
    html.write(page, written[1], lang)
    excel.write(page, written[2], lang)
    timer.stage("完成", "done", 0.0)
    write_bytes(written[3], record(tree, case.scenario.file, folder, begun, timer.seconds))
    return written, tree, console.lines(page, lang)


def _named(scenario: Scenario) -> dict[str, str]:
    return {"name": scenario.name, "title": scenario.title.en, "title_zh": scenario.title.zh}


def _joint_control(case: Case, say: Reporter) -> dict[str, xr.Dataset]:
    """Return whose emissions are in whose air, and which source counts most, in the base case."""
    import numpy as np

    from airsim.assess.transfer import transfer
    from airsim.region.receptors import window

    asked, period = case.scenario.joint_control, case.scenario.period
    assert asked is not None
    start, end = (
        np.datetime64(t.replace(tzinfo=None), "ns") for t in (asked.start or period.start, asked.end or period.end)
    )
    matrix, ranking = transfer(
        case.place, case.transport, case.gridded["base"], case.background, window(case.transport.time, start, end),
        ranked=asked.rank, progress=lambda done, of: say.part(done / of),
    )  # fmt: skip
    return {"/transfer": matrix, "/ranking": ranking}
