"""One scenario: its blocks together."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from airsim.errors import Problem
from airsim.scenario.coal import Coal
from airsim.scenario.files import NamesFiles
from airsim.scenario.kinds import show
from airsim.scenario.measures import Cut, Efficiency, Emergency, Limit, Measure, Stop
from airsim.scenario.questions import JointControl, NearField, Optimise
from airsim.scenario.setting import Domain, Inputs, Period, SyntheticWeather, Title, Weather
from airsim.scenario.sweep import Sweep
from airsim.scenario.tree import dotted

_RESERVED = {"con", "prn", "aux", "nul", *(f"com{i}" for i in range(10)), *(f"lpt{i}" for i in range(10))}

#: What `airsim batch` writes beside the folders of its scenarios.
_OF_THE_BATCH = {"summary", "manifest", "logs"}


def _file_name(value: str) -> str:
    # Windows looks at the part before the first dot, and drops a dot at the end
    if value.lower().partition(".")[0] in _RESERVED or value.endswith("."):
        raise PydanticCustomError("reserved", "is a reserved file name on Windows")
    if value.lower().partition(".")[0] in _OF_THE_BATCH:
        raise PydanticCustomError("of_the_batch", "is a name that the batch uses itself")
    return value


class Scenario(NamesFiles):
    """One scenario, as checked; nothing in it changes after loading."""

    name: Annotated[
        str,
        Field(pattern=r"^[\w\u4e00-\u9fff][\w\u4e00-\u9fff.-]{0,63}$", strict=True),
        AfterValidator(_file_name),
    ]
    """Short name, also the name of the result folder: letters, digits, Chinese, - _ . (64 at most)."""
    title: Title
    """Title of the report."""
    period: Period
    """The simulated hours."""
    domain: Domain = Domain()
    """The box grid."""
    meteorology: Weather
    """Where the weather comes from."""
    inputs: Inputs = Inputs()
    """The tables."""
    measures: tuple[Measure, ...] = ()
    """What is done, in order; each acts on what the ones above it leave."""
    coal: Coal | None = None
    """The coal-cap test."""
    near_field: NearField | None = None
    """Fine plume grids around cities."""
    optimise: Optimise | None = None
    """What `airsim optimise` must reach at least cost."""
    joint_control: JointControl | None = None
    """Transfer matrix between cities and ranking of sources."""
    sweep: Sweep | None = None
    """Many scenarios from this one, for `airsim batch`."""

    @model_validator(mode="after")
    def _joint_control_inside(self) -> Scenario:
        asked = self.joint_control
        if asked and (
            (asked.start or self.period.start) < self.period.start or (asked.end or self.period.end) > self.period.end
        ):
            raise PydanticCustomError("window_inside", "joint_control: start and end must lie inside the period")
        return self

    def windows(self) -> list[tuple[tuple[str | int, ...], dt.datetime, dt.datetime]]:
        """Return (key, start, end) of every alert, cut, stop and limit; without times, the period's."""
        found: list[tuple[tuple[str | int, ...], dt.datetime, dt.datetime]] = []
        for i, measure in enumerate(self.measures):
            if isinstance(measure, Emergency):
                found += [(("measures", i, "alerts", j), a.start, a.end) for j, a in enumerate(measure.alerts)]
            elif isinstance(measure, Cut | Stop | Limit):
                start, end = measure.start or self.period.start, measure.end or self.period.end
                found.append((("measures", i), start, end))
        return found

    def notes(self) -> list[Problem]:
        """Return what is no error and yet may not be meant: windows that lie partly outside the period, tiny cuts."""
        found = []
        first, last = self.period.start, self.period.end
        for key, start, end in self.windows():
            if first <= start and end <= last:
                continue
            hours = int((min(end, last) - max(start, first)).total_seconds() // 3600)
            whole = int((end - start).total_seconds() // 3600)
            en = f"acts in {hours} of its {whole} hours: the rest lies outside the period"
            zh = f"共 {whole} 小时，其中 {hours} 小时在 period 之内，其余不起作用"
            found.append(Problem(self.file, self.line(*key), dotted(key), f"{show(start)} - {show(end)}", en, zh))
        for i, measure in enumerate(self.measures):
            if isinstance(measure, Cut | Limit | Efficiency) and measure.percent < 1:
                key = ("measures", i, "percent")
                en, zh = f"is {measure.percent:g} %, not a share of 1", f"表示 {measure.percent:g} %，不是比例"
                found.append(Problem(self.file, self.line(*key), dotted(key), f"{measure.percent:g}", en, zh))
        return found

    def weather_files(self) -> list[Path]:
        """Return every file of the weather, each once; none where it is synthetic."""
        if isinstance(self.meteorology, SyntheticWeather):
            return []
        return list(dict.fromkeys(p for name in self.meteorology.files for p in self.matches(name)))


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the scenario file, for editors."""
    made = Scenario.model_json_schema(mode="validation")
    made["title"] = "airsim scenario"
    return made
