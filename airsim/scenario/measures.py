"""What is done: emergency response, cuts, and the measures of the coal plan."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from airsim.scenario.files import File
from airsim.scenario.kinds import (
    Block,
    CityId,
    CoalFuel,
    Level,
    MeasureName,
    Pollutant,
    Route,
    Sector,
    Share,
    Time,
    Uncertain,
    Year,
    check_window,
    show,
    uncertain,
)


class Alert(Block):
    """One level of response in force over some cities."""

    level: Level
    """yellow (Ⅲ级), orange (Ⅱ级) or red (Ⅰ级)."""
    cities: Annotated[tuple[CityId, ...], Field(min_length=1)]
    """The cities that act together."""
    start: Time
    """From this hour on."""
    end: Time
    """Until this hour (not included)."""

    @model_validator(mode="after")
    def _ordered(self) -> Alert:
        if self.end <= self.start:
            raise PydanticCustomError(
                "alert_order",
                "end {end} must be after start {start}",
                {"end": show(self.end), "start": show(self.start)},
            )
        return self


class HoursOfDay(Block):
    """Hours of the day in which the cuts of a sector hold (限时段管控)."""

    sector: Sector
    """Sector of the inventory."""
    subsector: str = ""
    """Subsector, such as diesel; the whole sector if left out."""
    start: Annotated[int, Field(ge=0, le=23)]
    """From this hour of the day, Beijing time; Xi'an bans heavy diesel lorries from 7 to 21."""
    end: Annotated[int, Field(ge=0, le=24)]
    """To this hour; before `start` it goes over midnight."""


class Rebound(Block):
    """Production caught up after the alert (预警解除后的补产)."""

    share: Annotated[float, Field(ge=0, le=1)]
    """Share of what was not emitted that is emitted afterwards [1]; no figure is known."""
    hours: Annotated[int, Field(ge=1, le=720)] = 72
    """Over so many hours, as far as the headroom of the plants allows [h]."""


class EmergencyEffect(Block):
    """Which further questions are asked of an emergency response; each start and each city costs about a second."""

    alone: bool = True
    """Each city's alert by itself beside all together."""
    shifts: tuple[Annotated[int, Field(ge=-96, le=96)], ...] = (-24, -12, 12, 24)
    """Starts earlier (below 0) or later than in the alerts [h]."""


class EmergencyUncertainty(Block):
    """How sure the effect is: execution and base emissions drawn at random through the adjoint."""

    members: Annotated[int, Field(ge=16, le=100_000)] = 1024
    """Draws; a power of two is best."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Seed of the scrambled Sobol sequence."""
    version: str | None = None
    """Version of the rule file emergency_response that holds the distributions; the newest if left out."""


class Emergency(Block):
    """Emergency response by a reduction list (应急减排清单)."""

    type: Literal["emergency"]
    """The kind of measure."""
    list: Annotated[str, File("reported", "reduction list", "应急减排清单")]
    """The reduction list (xlsx, xls or csv)."""
    plan: Annotated[str, File("rule", "plan", "应急预案", ending=(".yaml", ".yml"))] = "2019"
    """The dated plan whose required shares are tested, or a plan file (.yaml) with shares of its own."""
    mapping: Annotated[str, File("rule", "mapping of headers", "表头对照")] | None = None
    """Mapping file of the list's headers (.yaml), where recognising them is not enough."""
    areas: dict[Literal["xixian", "hancheng", "yangling"], Literal["with", "apart"]] = Field(default={})
    """Statistical units: counted with their city (Xi'an, Weinan, Xianyang) or apart; if left out, 西咸 with Xi'an, the
    others apart."""
    base: Annotated[str, File("reported", "all-society emissions", "全社会排放量")] | None = None
    """All-society emissions by city [kg/d], in place of those of the inventory (xlsx or csv)."""
    alerts: Annotated[tuple[Alert, ...], Field(min_length=1)]
    """Who responds at what level and when; where two windows overlap in a city the stricter one counts."""
    execution_rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the listed cuts that is really carried out [1]."""
    response: Literal["gradual", "at_once"] = "gradual"
    """gradual: boilers, kilns and coke ovens take the hours of the rule file emergency_response to come down and up."""
    hours_of_day: tuple[HoursOfDay, ...] = ()
    """Sectors whose cuts hold for some hours of the day only."""
    rebound: Rebound | None = None
    """Catch-up production after the alert; none if left out."""
    effect: EmergencyEffect = EmergencyEffect()
    """Alone against together, and what lead time brings."""
    uncertainty: EmergencyUncertainty | None = None
    """A 90 % band on the effect; takes an adjoint run (about a minute, kept for the next time)."""


class Cut(Block):
    """A percentage cut by city and sector."""

    type: Literal["cut"]
    """The kind of measure."""
    percent: Annotated[float, Field(gt=0, le=100)]
    """Cut of what is left after the measures above it [%]."""
    cities: tuple[CityId, ...] | None = None
    """Cities; all if left out."""
    sectors: tuple[Sector, ...] | None = None
    """Sectors; all if left out."""
    pollutants: tuple[Pollutant, ...] | None = None
    """Pollutants; all if left out."""
    start: Time | None = None
    """From this hour; the whole period if left out."""
    end: Time | None = None
    """Until this hour."""

    @model_validator(mode="after")
    def _ordered(self) -> Cut:
        check_window(self.start, self.end)
        return self


class Stop(Block):
    """Stop one enterprise."""

    type: Literal["stop"]
    """The kind of measure."""
    enterprise: str
    """Its enterprise_id, credit code or full name in the enterprise table."""
    start: Time | None = None
    """From this hour; the whole period if left out."""
    end: Time | None = None
    """Until this hour."""

    @model_validator(mode="after")
    def _ordered(self) -> Stop:
        check_window(self.start, self.end)
        return self


class Limit(Block):
    """Limit one enterprise's production (限产)."""

    type: Literal["limit"]
    """The kind of measure."""
    enterprise: str
    """Its enterprise_id, credit code or full name in the enterprise table."""
    percent: Annotated[float, Field(gt=0, le=100)]
    """Production cut by this much [%]."""
    start: Time | None = None
    """From this hour; the whole period if left out."""
    end: Time | None = None
    """Until this hour."""

    @model_validator(mode="after")
    def _ordered(self) -> Limit:
        check_window(self.start, self.end)
        return self


class CoalSubstitution(Block):
    """Coal of households or boilers replaced by another route: emissions and the coal ledger move together."""

    type: Literal["coal_substitution"]
    """The kind of measure."""
    name: MeasureName | None = None
    """What it is called in tables and in pledges; its number and kind if left out."""
    city: CityId
    """Where."""
    county: str | None = None
    """County (name or six-digit code) whose coal it is; the whole city if left out."""
    route: Route
    """宜电则电、宜气则气、宜热则热、宜煤则煤."""
    households: Annotated[float, Field(gt=0)] | None = None
    """Converted households [1]; or give boiler_capacity."""
    tonnes_per_household: Annotated[Uncertain, uncertain(0.01, 10)] = 2.0
    """Raw coal burnt by a household before [t a-1], a number or a distribution; 1.6-2.5 is derived for Guanzhong."""
    boiler_capacity: Annotated[float, Field(gt=0)] | None = None
    """Replaced boilers [t h-1 of steam, 蒸吨]; or give households."""
    full_load_hours: Annotated[float, Field(gt=0, le=8760)] | None = None
    """Hours at full load in a year of these boilers [h]; that of the sector in the rules if left out."""
    sector: Sector | None = None
    """Sector of the ledger; residential for households, small_industry for boilers if left out."""
    execution_rate: Share = 1.0
    """Share of the conversions that is carried out [1]."""
    reburn: Share = 0.0
    """Share of the converted that goes back to coal (返煤) [1]."""
    power_city: CityId | Literal["imported"] | None = None
    """City that burns the power coal of electricity routes; outside the region ("imported") if left out."""
    fallback: Route | None = None
    """Route of the part that a binding limit does not let happen; none: that part keeps its coal."""
    year: Year | None = None
    """Year by which it is done; the target year if left out."""

    @model_validator(mode="after")
    def _one_of(self) -> CoalSubstitution:
        if (self.households is None) == (self.boiler_capacity is None):
            raise PydanticCustomError("households_or_boilers", "give either households or boiler_capacity")
        return self


class Retire(Block):
    """Coal that ends without replacement: a plant closed, small boilers taken out, a tonnage of a sector."""

    type: Literal["retire"]
    """The kind of measure."""
    name: MeasureName | None = None
    """What it is called in tables and in pledges."""
    enterprise: str | None = None
    """A plant: its enterprise_id, credit code or full name; or give city and boiler_capacity or tonnes."""
    city: CityId | None = None
    """Where the boilers stand."""
    county: str | None = None
    """County (name or code); the whole city if left out."""
    sector: Sector = "small_industry"
    """Sector of the ledger they belong to."""
    fuel: CoalFuel = "raw_coal"
    """Fuel of the ledger."""
    boiler_capacity: Annotated[float, Field(gt=0)] | None = None
    """Boilers taken out [t h-1 of steam, 蒸吨]."""
    full_load_hours: Annotated[float, Field(gt=0, le=8760)] | None = None
    """Hours at full load in a year [h]; that of the sector in the rules if left out."""
    tonnes: Annotated[float, Field(gt=0)] | None = None
    """Coal that ends, where it is known [t a-1]."""
    execution_rate: Share = 1.0
    """Share that is carried out [1]."""
    year: Year | None = None
    """Year by which it is done; the target year if left out."""

    @model_validator(mode="after")
    def _one_of(self) -> Retire:
        given = [v is not None for v in (self.enterprise, self.boiler_capacity, self.tonnes)]
        if sum(given) != 1 or (self.enterprise is None) == (self.city is None):
            raise PydanticCustomError(
                "what_retires", "give either enterprise, or city with boiler_capacity or with tonnes"
            )
        return self


class Offset(Block):
    """Tonnes of a reduction that a new project claims."""

    reduction: str
    """Name of the measure, or its number in the list."""
    tonnes: Annotated[float, Field(gt=0)]
    """Claimed of it [t a-1]."""


class NewProject(Block):
    """A project that burns coal, and the reductions it claims in exchange (减量替代), tonne by tonne."""

    type: Literal["new_project"]
    """The kind of measure."""
    name: MeasureName
    """What it is called."""
    city: CityId
    """Where it burns."""
    county: str | None = None
    """County (name or code)."""
    sector: Sector
    """Sector of the ledger."""
    fuel: CoalFuel = "raw_coal"
    """What it burns."""
    tonnes: Annotated[float, Field(gt=0)]
    """Coal in a full year [t a-1]."""
    execution_rate: Share = 1.0
    """Share of it that burns in the target year [1]."""
    offsets: tuple[Offset, ...] = ()
    """Reductions claimed; each tonne once."""
    ratio: Annotated[float, Field(ge=1, le=5)] | None = None
    """Tonnes to be claimed for a tonne burnt [1]; by rule and province if left out."""
    emission_factors: dict[Pollutant, Annotated[float, Field(ge=0)]] | None = None
    """Emission per tonne of coal [kg t-1]; the mean of the sector's coal sources if left out."""
    year: Year | None = None
    """Year in which it starts; the target year if left out."""


class Efficiency(Block):
    """Less coal for the same output (节能增效)."""

    type: Literal["efficiency"]
    """The kind of measure."""
    name: MeasureName | None = None
    """What it is called in tables and in pledges."""
    percent: Annotated[float, Field(gt=0, le=100)]
    """Coal saved of what is left after the measures above it [%]."""
    cities: Annotated[tuple[CityId, ...], Field(min_length=1)] | None = None
    """Cities; all if left out."""
    sectors: Annotated[tuple[Sector, ...], Field(min_length=1)]
    """Sectors."""
    execution_rate: Share = 1.0
    """Share that is carried out [1]."""
    year: Year | None = None
    """Year by which it is done; the target year if left out."""


class CleanCoalSupply(Block):
    """Clean coal delivered in place of households' raw coal; what fails the inspection emits as sampled."""

    type: Literal["clean_coal_supply"]
    """The kind of measure."""
    name: MeasureName | None = None
    """What it is called in tables and in pledges."""
    city: CityId
    """Where."""
    county: str | None = None
    """County (name or code)."""
    tonnes: Annotated[float, Field(gt=0)]
    """Clean coal delivered [t a-1]; the raw coal it replaces follows from the delivered heat."""
    fuel: Literal["briquette", "anthracite", "semi_coke"] = "briquette"
    """What is delivered."""
    failing_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share that emits like raw coal [1]; at 0 the inspection counts, if this measure or the plan has one."""
    inspection: Annotated[str, File("measured", "sampled batches of clean coal", "洁净煤抽检")] | None = None
    """Table of sampled batches (xlsx or csv) in place of failing_share; that of `coal: inspection:` if left out."""
    execution_rate: Share = 1.0
    """Share that is delivered and burnt [1]."""
    year: Year | None = None
    """Year by which it is done; the target year if left out."""


class ActivityGrowth(Block):
    """More (or less) output: coal and emissions of the sectors change alike."""

    type: Literal["activity_growth"]
    """The kind of measure."""
    name: MeasureName | None = None
    """What it is called in tables."""
    percent: Annotated[Uncertain, uncertain(-100, 500)]
    """Change from base to target year [%], a number or a distribution."""
    cities: Annotated[tuple[CityId, ...], Field(min_length=1)] | None = None
    """Cities; all if left out."""
    sectors: Annotated[tuple[Sector, ...], Field(min_length=1)]
    """Sectors."""


class DegreeDays(Block):
    """A colder or milder heating season."""

    type: Literal["weather"]
    """The kind of measure."""
    name: MeasureName | None = None
    """What it is called in tables."""
    percent: Annotated[Uncertain, uncertain(-80, 200)]
    """Heating degree days of the target year against the base year [%], a number or a distribution."""
    cities: Annotated[tuple[CityId, ...], Field(min_length=1)] | None = None
    """Cities; all if left out."""
    sectors: Annotated[tuple[Literal["residential", "heat"], ...], Field(min_length=1)] = ("residential", "heat")
    """Sectors that heat; how far each follows the degree days is in the rule file heating."""


CoalMeasure = CoalSubstitution | Retire | NewProject | Efficiency | CleanCoalSupply | ActivityGrowth | DegreeDays
Measure = Annotated[Emergency | Cut | Stop | Limit | CoalMeasure, Field(discriminator="type")]
