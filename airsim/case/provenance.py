"""The files that a result follows from, for ``run.json`` and the group ``provenance``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from airsim import scenario as scenarios
from airsim import shipped
from airsim.scenario import Scenario

if TYPE_CHECKING:
    from airsim.emergency import EmergencyList
    from airsim.result.groups import Input


def inputs(scenario: Scenario, lists: Sequence[tuple[scenarios.Emergency, EmergencyList]]) -> list[Input]:
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
        local = measure.plan.lower().endswith((".yaml", ".yml"))
        further = [
            (measure.mapping, "rule", "mapping of the list's headers", "清单表头对照"),
            (measure.base, "reported", "all-society emissions", "全社会排放量"),
            (
                measure.plan if local else None,
                "rule",
                "local emergency plan",
                "本地应急预案",
            ),
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
    package = Path(shipped.__file__).parent
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
