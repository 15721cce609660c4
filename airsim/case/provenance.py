"""The files that a result follows from, for ``run.json`` and the group ``provenance``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from airsim import shipped
from airsim.scenario import Emergency, Scenario, ScenarioFile

if TYPE_CHECKING:
    from airsim.emergency import EmergencyList
    from airsim.result.groups import Input

#: Keys of tables that come along as examples only.
_EXAMPLES = {"inspection", "activity", "file"}


def inputs(scenario: Scenario, lists: Sequence[tuple[Emergency, EmergencyList]]) -> list[Input]:
    """Return every file that determines the result, with what kind of figures it holds.

    Parameters
    ----------
    scenario : Scenario
        Names the files (`Scenario.files`).
    lists : sequence of (measure, list)
        The lists that its emergency measures read: they say whether they are illustrative.
    """
    from airsim.result.groups import Input

    illustrative = {str(scenario.resolve(measure.list)) for measure, list_ in lists if list_.illustrative}
    found = [Input(Path(scenario.file), "scenario", "the scenario", "情景文件")] if scenario.file else []
    for file in scenario.files():
        if file.key == ("inputs", "composition") and scenario.inputs.observations is None:
            continue  # read beside observations only
        kind = "illustrative" if str(file.path) in illustrative or _example(file) else file.about.content
        found.append(Input(file.path, kind, file.about.en, file.about.zh))
    for folder, kind, en, zh in (
        ("geography", "derived", "boundaries, people, terrain", "边界、人口、地形"),
        ("meteorology", "derived", "climatology behind synthetic weather, levels", "合成气象的气候统计、模式层系数"),
    ):
        found += [Input(f, kind, en, zh) for f in sorted(shipped.path(f"data/{folder}").glob("*.*"))]
    package = Path(shipped.__file__).parent
    found.append(Input(package / "region" / "coefficients.yaml", "rule", "rates of the region model", "区域模式系数"))
    found += [Input(f, "rule", "dated rules", "规则（按日期）") for f in sorted((package / "rules").glob("*.yaml"))]
    return found


def _example(file: ScenarioFile) -> bool:
    """Return whether a table of measures or the coal cap is one that comes along as an example."""
    return file.given.startswith("shipped:") and file.key[0] in {"measures", "coal"} and file.key[-1] in _EXAMPLES
