"""The coal-cap test: what counts, limits of the routes, growth, uncertainty, decomposition."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from airsim.scenario.files import File
from airsim.scenario.kinds import Block, CityId, CoalFuel, Distribution, LedgerSector, Uncertain, Year, uncertain


class Growth(Block):
    """Change of coal use that no measure causes."""

    percent: Annotated[Uncertain, uncertain(-100, 500)]
    """Change from base year to target year [%], a number or a distribution."""
    cities: tuple[CityId, ...] | None = None
    """Cities; all if left out."""
    sectors: tuple[LedgerSector, ...] | None = None
    """Sectors of the coal ledger; all if left out."""


class CoalScope(Block):
    """What counts as coal consumption (口径), chosen once and printed on every table."""

    society: Literal["whole", "above_designated", "non_power"] = "whole"
    """全社会 (whole society), 规上工业 (industry above the designated size) or 非电 (all but power)."""
    include: tuple[CoalFuel, ...] = ()
    """Fuels counted besides those of the rule (coke, semi_coke, gangue, feedstock_coal...)."""
    exclude: tuple[CoalFuel, ...] = ()
    """Fuels of the rule that are not counted."""
    unit: Literal["t", "tce"] = "t"
    """The test runs on physical tonnes (实物量) or on standard coal (标准量)."""

    @model_validator(mode="after")
    def _once(self) -> CoalScope:
        if set(self.include) & set(self.exclude):
            raise PydanticCustomError("in_and_out", "a fuel cannot be both included and excluded")
        return self


class CityLimits(Block):
    """What the networks of one city can still take on for heating."""

    gas: Annotated[float, Field(ge=0)] | None = None
    """Gas to spare on a winter day [m3 d-1]."""
    grid: Annotated[float, Field(ge=0)] | None = None
    """Headroom of the distribution grid [MW]."""
    heat: Annotated[float, Field(ge=0)] | None = None
    """Capacity to spare of the heat networks [MW]."""


class Limits(Block):
    """Limits of the routes by city: a block here, or a table."""

    bind: bool = False
    """true: what exceeds a limit does not happen (or takes the measure's fallback); false: it is only reported."""
    cities: dict[CityId, CityLimits] = Field(default={})
    """City -> limits."""
    file: Annotated[str, File("reported", "limits of the routes", "各路线容量")] | None = None
    """Table (xlsx or csv) with the columns city, gas, grid, heat in place of the block."""

    @model_validator(mode="after")
    def _one_of(self) -> Limits:
        if bool(self.cities) == (self.file is not None):
            raise PydanticCustomError("cities_or_file", "give either cities or file")
        return self


CoalFactor = Literal[
    "growth_percent",
    "degree_day_percent",
    "execution_rate",
    "reburn",
    "tonnes_per_household",
    "utilisation",
]


class Spread(Block):
    """How far the declared figures of a kind may be off."""

    deviation: Distribution
    """Factor on the declared figure (1 = as declared); of growth and degree days [percentage points] and reburn [1]
    what is added."""
    shared: bool = False
    """true: one draw for all measures; false: one a measure."""


class StatisticsError(Block):
    """Error of the coal statistics: reported against true."""

    sectors: tuple[LedgerSector, ...] | None = None
    """Sectors of the coal ledger; all that no entry above names if left out."""
    error: Distribution
    """Error of the base year [%]."""
    target_error: Distribution | None = None
    """Error of the target year [%]; that of the base year if left out."""
    correlation: Annotated[float, Field(ge=-1, le=1)]
    """Between the errors of base and target year [1]: 1 = the same error twice, which cancels."""
    shared: bool = False
    """true: one error for all cities; false: each city's office errs by itself."""
    source: str | None = None
    """Where the correlation is from; printed as assumed if left out."""


class Override(Block):
    """Distribution of one figure of one measure."""

    measure: str
    """The measure's name, or its number and kind such as 3-coal_substitution."""
    factor: CoalFactor
    """Which of its figures."""
    distribution: Distribution
    """In the figure's own unit."""

    @model_validator(mode="after")
    def _possible(self) -> Override:
        low, high = {"growth_percent": (-100.0, 500.0), "degree_day_percent": (-100.0, 500.0)}.get(
            self.factor, (0.0, 1.0 if self.factor in {"execution_rate", "reburn"} else 10.0)
        )
        ends = self.distribution.support
        if not low <= ends[0] <= ends[1] <= high:
            text = f"{self.factor}: must be from {low:g} to {high:g}"
            raise PydanticCustomError("span", "{text}", {"text": text})
        return self


class Uncertainty(Block):
    """What the coal balance's figures may really be; what is left out has a default, marked as assumed."""

    members: Annotated[int, Field(ge=256, le=200_000)] = 10000
    """At least so many members; the sampler takes the next power of two."""
    seed: Annotated[int, Field(ge=0)] = 2019
    """The same seed gives the same figures."""
    sampler: Literal["sobol", "latin_hypercube"] = "sobol"
    """Sobol' sequence (scrambled) or Latin hypercube."""
    wanted_probability: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """Probability that extra substitution should reach [1]."""
    statistics: Annotated[tuple[StatisticsError, ...], Field(min_length=1)] | None = None
    """Errors of the statistics; sectors that no entry names have none."""
    growth_percent: Spread | None = None
    """Growth of coal use."""
    degree_day_percent: Spread | None = None
    """Heating degree days of the target year."""
    execution_rate: Spread | None = None
    """Execution rate of measures."""
    reburn: Spread | None = None
    """Converted households that burn coal again (返煤)."""
    tonnes_per_household: Spread | None = None
    """Coal that a household burnt before."""
    utilisation: Spread | None = None
    """Coal that a new project really burns."""
    measures: tuple[Override, ...] = ()
    """Distributions of single figures of single measures."""


class Decomposition(Block):
    """Why coal use changed (LMDI): activity, structure, intensity, fuel mix, weather."""

    activity: Annotated[str, File("reported", "activity", "活动水平")]
    """Table of activity and heating degree days by year, city and sector (xlsx or csv)."""
    years: Annotated[tuple[Year, ...], Field(min_length=2)] | None = None
    """Years of the ledger in order, period by period; the target year is that of the balance. Base and target year
    if left out."""

    @model_validator(mode="after")
    def _ordered(self) -> Decomposition:
        if self.years is not None and any(b <= a for a, b in pairwise(self.years)):
            raise PydanticCustomError("years_rise", "the years must rise")
        return self


class Coal(Block):
    """The coal-cap test: consumption in the target year against the base year."""

    base_year: Annotated[int, Field(ge=2000, le=2100)]
    """Year compared with."""
    target_year: Annotated[int, Field(ge=2000, le=2100)]
    """Year tested."""
    rules: str = "2018"
    """Dated rule set: what counts as assessed coal."""
    scope: CoalScope = CoalScope()
    """What is counted (口径)."""
    cities: tuple[CityId, ...] | None = None
    """Cities of the cap; those of Guanzhong if left out."""
    limits: Limits | None = None
    """What gas, grid and heat networks can carry in winter."""
    growth: tuple[Growth, ...] = ()
    """Growth by city and sector before measures."""
    uncertainty: Uncertainty = Uncertainty()
    """Distributions behind the probability of negative growth."""
    decomposition: Decomposition | None = None
    """Why coal use changed."""
    inspection: Annotated[str, File("measured", "sampled batches of clean coal", "洁净煤抽检")] | None = None
    """Table of sampled batches of clean coal (xlsx or csv)."""

    @model_validator(mode="after")
    def _ordered(self) -> Coal:
        if self.target_year <= self.base_year:
            raise PydanticCustomError("year_order", "target_year must be after base_year")
        return self
