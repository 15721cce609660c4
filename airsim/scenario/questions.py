"""What is asked of a scenario besides its run: near field, joint control, least cost."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from airsim.scenario.kinds import Block, CityId, Pollutant, Time, check_window


class Receptor(Block):
    """A place that is asked about by name: a school, a hospital, a monitoring station."""

    name: str
    """What it is called."""
    longitude: Annotated[float, Field(ge=95, le=125)]
    """[degrees east, WGS84]."""
    latitude: Annotated[float, Field(ge=25, le=45)]
    """[degrees north, WGS84]."""


class NearField(Block):
    """Fine-grid plume statistics of stacks around each city, and what each adds at named places."""

    cities: tuple[CityId, ...] = ("xian", "baoji", "xianyang", "tongchuan", "weinan")
    """Cities with a fine grid."""
    enterprises: Annotated[
        Annotated[int, Field(ge=1, le=200), Tag("<number>")]
        | Annotated[tuple[str, ...], Field(min_length=1), Tag("<list>")],
        Discriminator(lambda v: "<list>" if isinstance(v, list | tuple) else "<number>"),
    ] = 8
    """How many of the largest within the radius, or which: ids, credit codes or full names."""
    radius: Annotated[float, Field(ge=2000, le=50000)] = 15000.0
    """Half width of the fine grid around the city's centre of population [m]."""
    spacing: Annotated[float, Field(ge=50, le=2000)] = 250.0
    """Distance between receptors [m]."""
    dispersion: Literal["similarity", "briggs_rural", "briggs_urban", "pasquill_gifford"] = "similarity"
    """Dispersion scheme of the plume."""
    receptors: tuple[Receptor, ...] = ()
    """Named places: concentration, share of each enterprise, exceedances."""


class JointControl(Block):
    """Whose emissions are in whose air, and which source counts most: one forward and one backward run more."""

    rank: Annotated[tuple[CityId, ...], Field(min_length=1)] = (
        "xian", "baoji", "xianyang", "tongchuan", "weinan", "yangling", "hancheng",
    )  # fmt: skip
    """Cities for which enterprises, area sources and cells are ranked."""
    start: Time | None = None
    """Start of the window over which concentrations are averaged; that of the period by default."""
    end: Time | None = None
    """End of the window (not included); that of the period by default."""

    @model_validator(mode="after")
    def _window(self) -> JointControl:
        check_window(self.start, self.end)
        return self


class ShareDemand(Block):
    """A share of a city's yearly emission that must go."""

    cities: Annotated[tuple[CityId, ...], Field(min_length=1)]
    """Each of these cities."""
    pollutants: Annotated[tuple[Pollutant, ...], Field(min_length=1)]
    """Each of these pollutants."""
    percent: Annotated[float, Field(gt=0, le=100)]
    """At least so much of the base inventory [%]."""


class Ceiling(Block):
    """A mean of PM2.5 that must not be passed."""

    cities: Annotated[tuple[CityId, ...], Field(min_length=1)]
    """Each of these cities."""
    ceiling: Annotated[float, Field(gt=0)]
    """Mean over the period [ug m-3]."""


class Optimise(Block):
    """Least-cost choice among the scenario's measures (airsim optimise); emergency measures are no candidates."""

    cost: Literal["state", "user", "both"] = "both"
    """Whose cost is made least where it follows from the rule file heating."""
    costs: dict[str, Annotated[float, Field(ge=0)]] = Field(default={})
    """Measure (its name, or 3-cut: its number and kind) -> cost of carrying it out whole [CNY a-1]."""
    fixed: tuple[str, ...] = ()
    """Measures that are carried out in any case."""
    divisible: bool = True
    """Measures may be carried out in part; false: whole or not at all."""
    shares: tuple[ShareDemand, ...] = ()
    """Reduction shares."""
    pm25: tuple[Ceiling, ...] = ()
    """Ceilings of PM2.5; take an adjoint run."""
    coal_change: Annotated[float, Field(ge=-100, le=100)] | None = None
    """Most that coal may change from the base to the target year of the coal block [%]; 0: no growth."""
