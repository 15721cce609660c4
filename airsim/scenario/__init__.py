"""Scenario files: YAML in, a frozen and checked `Scenario` out, every complaint with its line.

The text under each field is its documentation: it goes into the JSON Schema (``airsim schema``).  Times
without a zone are Beijing time (UTC+8).  Paths are relative to the scenario file; ``shipped:`` names a file
of the tables that come with airsim, so that a copied scenario keeps working.
"""

from __future__ import annotations

import datetime as dt
import glob
import json
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from airsim import clock, shipped
from airsim.errors import InputError, Problem

BEIJING = clock.ZONE

CityId = Literal[
    "xian",
    "baoji",
    "xianyang",
    "tongchuan",
    "weinan",
    "yangling",
    "hancheng",
    "shangluo",
    "tianshui",
    "pingliang",
    "qingyang",
    "yuncheng",
    "linfen",
    "sanmenxia",
    "luoyang",
]
Sector = Literal[
    "power",
    "heat",
    "steel",
    "coking",
    "cement",
    "industry",
    "small_industry",
    "residential",
    "transport",
    "offroad",
    "dust",
    "agriculture",
    "solvent",
]
Pollutant = Literal["SO2", "NOx", "PM10", "PM25", "BC", "OC", "VOC", "NH3", "CO"]
Level = Literal["yellow", "orange", "red"]


def _utc(value: dt.datetime) -> dt.datetime:
    """Read a time without a zone as Beijing time and return it in UTC, on the full hour."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=BEIJING)
    if value.minute or value.second or value.microsecond:
        raise PydanticCustomError("full_hour", "must be a full hour")
    return value.astimezone(dt.UTC)


def _read_time(value: Any) -> Any:
    """Read ISO 8601 text; a bare date is its first hour."""
    try:
        return dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise PydanticCustomError("datetime_parsing", "not a time") from None


Time = Annotated[dt.datetime, BeforeValidator(_read_time), AfterValidator(_utc)]
_RESERVED = {"con", "prn", "aux", "nul", *(f"com{i}" for i in range(10)), *(f"lpt{i}" for i in range(10))}


def _file_name(value: str) -> str:
    if value.lower() in _RESERVED:
        raise PydanticCustomError("reserved", "is a reserved file name on Windows")
    return value


class _Block(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class Title(_Block):
    """What the report is headed with."""

    zh: str
    """Title in Chinese."""
    en: str
    """Title in English."""


class Period(_Block):
    """From when to when."""

    start: Time
    """First hour; Beijing time unless a zone is given."""
    end: Time
    """End of the last hour (not included)."""
    spin_up_hours: Annotated[int, Field(ge=24, le=240)] = 48
    """Hours simulated before the start, so that the start does not depend on the initial air."""

    @model_validator(mode="after")
    def _ordered(self) -> Period:
        if self.end <= self.start:
            raise PydanticCustomError(
                "period_order",
                "end {end} must be after start {start}",
                {"end": _show(self.end), "start": _show(self.start)},
            )
        if self.end - self.start > dt.timedelta(days=366):
            raise PydanticCustomError("period_length", "a period is at most 366 days")
        return self

    @property
    def hours(self) -> int:
        """Number of hours from start to end."""
        return int((self.end - self.start).total_seconds() // 3600)


class Domain(_Block):
    """Edges and cell width of the box grid."""

    west: Annotated[float, Field(ge=95, le=125)] = 105.5
    """Western edge [degrees east]."""
    south: Annotated[float, Field(ge=25, le=45)] = 33.0
    """Southern edge [degrees north]."""
    east: Annotated[float, Field(ge=95, le=125)] = 112.5
    """Eastern edge [degrees east]."""
    north: Annotated[float, Field(ge=25, le=45)] = 36.5
    """Northern edge [degrees north]."""
    spacing: Annotated[float, Field(ge=1000, le=30000)] = 5000.0
    """Width of a cell [m]."""

    @model_validator(mode="after")
    def _ordered(self) -> Domain:
        if self.east - self.west < 1 or self.north - self.south < 1:
            raise PydanticCustomError(
                "domain_order", "east must lie at least 1 degree east of west, north 1 degree north of south"
            )
        return self


class SyntheticWeather(_Block):
    """A seeded synthetic winter episode from the shipped climatologies; every output says so."""

    kind: Literal["synthetic"]
    """Made, not read: needs no files."""
    seed: Annotated[int, Field(ge=0)] = 2019
    """Seed of the random part: the same seed gives the same weather."""
    build_up_hours: Annotated[int, Field(ge=0, le=240)] = 48
    """Hours from the start of the period until the stagnant core."""
    stagnant_hours: Annotated[int, Field(ge=0, le=480)] = 120
    """Hours of the stagnant core; the cold front follows."""


class ModelWeather(_Block):
    """Output of a weather model or a reanalysis, put on the grid."""

    kind: Literal["wrf", "era5"]
    """wrf: wrfout_d0* of one domain. era5: single levels with pressure or model levels, NetCDF."""
    files: Annotated[tuple[str, ...], Field(min_length=1)]
    """Files or wildcards; together they must cover the period and its spin-up."""


class StationWeather(_Block):
    """Reports of weather stations, made into a field; nothing is known of the wind aloft then."""

    kind: Literal["stations"]
    """Tables (xlsx, csv), ISD-Lite or EPW, told apart by their content."""
    files: Annotated[tuple[str, ...], Field(min_length=1)]
    """Files or wildcards; together they must cover the period and its spin-up."""
    station_list: str | None = None
    """Where the stations are (xlsx, csv); needed for ISD-Lite and for tables without longitude and latitude."""
    utc_offset: Annotated[float, Field(ge=-12, le=14)] = 8.0
    """Hours by which the clock of the tables is ahead of UTC; 8 is Beijing time. ISD-Lite and EPW know theirs."""


Weather = Annotated[SyntheticWeather | ModelWeather | StationWeather, Field(discriminator="kind")]


class Inputs(_Block):
    """The tables of the case."""

    enterprises: str = "shipped:emissions/enterprises.csv"
    """Point sources (xlsx or csv)."""
    area_sources: str = "shipped:emissions/area_sources.csv"
    """Area sources by city and sector (xlsx or csv)."""
    coal_ledger: str | None = "shipped:emissions/coal_ledger.csv"
    """Coal by year, city, sector and fuel (xlsx or csv)."""
    background: str = "shipped:background/winter.csv"
    """Air that flows in over the edges of the domain, by tracer."""
    observations: str | Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Observations to set beside the model: hourly files of cities or stations (one or a list), or one table of city
    statistics.  Hourly files also give the answer by relative response (attainment)."""
    stations: str | None = None
    """Station list (code, city, coordinates) of hourly observations by station code."""
    composition: str = "shipped:observations/composition.csv"
    """Observed composition of PM2.5, for the attainment test."""


class Alert(_Block):
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
                {"end": _show(self.end), "start": _show(self.start)},
            )
        return self


class HoursOfDay(_Block):
    """Hours of the day in which the cuts of a sector hold (限时段管控)."""

    sector: Sector
    """Sector of the inventory."""
    subsector: str = ""
    """Subsector, such as diesel; the whole sector if left out."""
    start: Annotated[int, Field(ge=0, le=23)]
    """From this hour of the day, Beijing time; Xi'an bans heavy diesel lorries from 7 to 21."""
    end: Annotated[int, Field(ge=0, le=24)]
    """To this hour; before `start` it goes over midnight."""


class Rebound(_Block):
    """Production caught up after the alert (预警解除后的补产)."""

    share: Annotated[float, Field(ge=0, le=1)]
    """Share of what was not emitted that is emitted afterwards [1]; no figure is known."""
    hours: Annotated[int, Field(ge=1, le=720)] = 72
    """Over so many hours, as far as the headroom of the plants allows [h]."""


class EmergencyEffect(_Block):
    """Which further questions are asked of an emergency response; each start and each city costs about a second."""

    alone: bool = True
    """Each city's alert by itself beside all together."""
    shifts: tuple[Annotated[int, Field(ge=-96, le=96)], ...] = (-24, -12, 12, 24)
    """Starts earlier (below 0) or later than in the alerts [h]."""


class EmergencyUncertainty(_Block):
    """How sure the effect is: execution and base emissions drawn at random through the adjoint."""

    members: Annotated[int, Field(ge=16, le=100_000)] = 1024
    """Draws; a power of two is best."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Seed of the scrambled Sobol sequence."""
    version: str | None = None
    """Version of the rule file emergency_response that holds the distributions; the newest if left out."""


class Emergency(_Block):
    """Emergency response by a reduction list (应急减排清单)."""

    type: Literal["emergency"]
    """The kind of measure."""
    list: str
    """The reduction list (xlsx, xls or csv)."""
    plan: str = "2019"
    """The dated plan whose required shares are tested, or a plan file (.yaml) with shares of its own."""
    mapping: str | None = None
    """Mapping file of the list's headers (.yaml), where recognising them is not enough."""
    areas: dict[Literal["xixian", "hancheng", "yangling"], Literal["with", "apart"]] = {}
    """Statistical units: counted with their city (Xi'an, Weinan, Xianyang) or apart; if left out, 西咸 with Xi'an, the
    others apart."""
    base: str | None = None
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


class Cut(_Block):
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
        _check_window(self.start, self.end)
        return self


class Stop(_Block):
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
        _check_window(self.start, self.end)
        return self


class Limit(_Block):
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
        _check_window(self.start, self.end)
        return self


class Distribution(_Block):
    """A quantity that is not known as one number; exactly one kind.  Its mean acts in the point value."""

    _KINDS: ClassVar[tuple[str, ...]] = ("triangular", "uniform", "normal", "lognormal", "beta")

    triangular: tuple[float, float, float] | None = None
    """Lowest, most likely, highest."""
    uniform: tuple[float, float] | None = None
    """Lowest, highest."""
    normal: tuple[float, float] | None = None
    """Mean, standard deviation."""
    lognormal: tuple[float, float] | None = None
    """Median, geometric standard deviation."""
    beta: tuple[float, float, float, float] | None = None
    """Shape alpha, shape beta, lowest, highest."""
    source: str | None = None
    """Where it is from; what has no source is printed as assumed."""

    @model_validator(mode="after")
    def _sound(self) -> Distribution:
        given = [n for n in self._KINDS if getattr(self, n) is not None]
        if len(given) != 1:
            raise PydanticCustomError("one_kind", "exactly one of triangular, uniform, normal, lognormal, beta")
        name, numbers = self.kind
        ordered = all(a <= b for a, b in pairwise(numbers)) and numbers[0] < numbers[-1]
        if name in {"triangular", "uniform"} and not ordered:
            raise PydanticCustomError("ascending", "the numbers must rise")
        if (name == "normal" and numbers[1] <= 0) or (name == "lognormal" and (numbers[0] <= 0 or numbers[1] <= 1)):
            raise PydanticCustomError("spread", "the spread must be above 0 (lognormal: above 1)")
        if name == "beta" and not (numbers[0] > 0 and numbers[1] > 0 and numbers[2] < numbers[3]):
            raise PydanticCustomError("shapes", "beta: shapes above 0, then lowest below highest")
        return self

    @property
    def kind(self) -> tuple[str, tuple[float, ...]]:
        """Name of the distribution and its parameters."""
        for name in self._KINDS:
            numbers = getattr(self, name)
            if numbers is not None:
                return name, numbers
        raise AssertionError(self)

    @property
    def mean(self) -> float:
        """Mean of the distribution."""
        name, numbers = self.kind
        if name == "normal":
            return numbers[0]
        if name == "lognormal":
            return numbers[0] * math.exp(0.5 * math.log(numbers[1]) ** 2)
        if name == "beta":
            return numbers[2] + (numbers[3] - numbers[2]) * numbers[0] / (numbers[0] + numbers[1])
        return sum(numbers) / len(numbers)

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value; of a normal its mean, of a lognormal its median (the rest is cut off)."""
        name, numbers = self.kind
        if name == "beta":
            return numbers[2], numbers[3]
        return (numbers[0], numbers[-1]) if name in {"triangular", "uniform"} else (numbers[0], numbers[0])


def mean(value: float | Distribution) -> float:
    """Return the point value of a number or a distribution."""
    return value.mean if isinstance(value, Distribution) else value


def _uncertain(low: float, high: float) -> AfterValidator:
    def check(value: float | Distribution) -> float | Distribution:
        ends = value.support if isinstance(value, Distribution) else (value, value)
        if not low <= ends[0] <= ends[1] <= high:
            raise PydanticCustomError("span", "{text}", {"text": f"must be from {low:g} to {high:g}"})
        return value

    return AfterValidator(check)


#: A number, or a `Distribution` in its place.
Uncertain = Annotated[
    Annotated[float, Tag("value")] | Annotated[Distribution, Tag("distribution")],
    Discriminator(lambda v: "distribution" if isinstance(v, Mapping | Distribution) else "value"),
]
Share = Annotated[Uncertain, _uncertain(0, 1)]
Year = Annotated[int, Field(ge=2000, le=2100)]
MeasureName = Annotated[str, Field(min_length=1, max_length=64)]
CoalFuel = Literal[
    "raw_coal",
    "washed_coal",
    "other_washed_coal",
    "coal_slime",
    "gangue",
    "briquette",
    "anthracite",
    "feedstock_coal",
    "coke",
    "semi_coke",
    "petroleum_coke",
]
Route = Literal["electricity", "gas", "district_heat", "clean_coal", "biomass", "geothermal", "solar"]


class CoalSubstitution(_Block):
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
    tonnes_per_household: Annotated[Uncertain, _uncertain(0.01, 10)] = 2.0
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


class Retire(_Block):
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


class Offset(_Block):
    """Tonnes of a reduction that a new project claims."""

    reduction: str
    """Name of the measure, or its number in the list."""
    tonnes: Annotated[float, Field(gt=0)]
    """Claimed of it [t a-1]."""


class NewProject(_Block):
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


class Efficiency(_Block):
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


class CleanCoalSupply(_Block):
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
    inspection: str | None = None
    """Table of sampled batches (xlsx or csv) in place of failing_share; that of `coal: inspection:` if left out."""
    execution_rate: Share = 1.0
    """Share that is delivered and burnt [1]."""
    year: Year | None = None
    """Year by which it is done; the target year if left out."""


class ActivityGrowth(_Block):
    """More (or less) output: coal and emissions of the sectors change alike."""

    type: Literal["activity_growth"]
    """The kind of measure."""
    name: MeasureName | None = None
    """What it is called in tables."""
    percent: Annotated[Uncertain, _uncertain(-100, 500)]
    """Change from base to target year [%], a number or a distribution."""
    cities: Annotated[tuple[CityId, ...], Field(min_length=1)] | None = None
    """Cities; all if left out."""
    sectors: Annotated[tuple[Sector, ...], Field(min_length=1)]
    """Sectors."""


class DegreeDays(_Block):
    """A colder or milder heating season."""

    type: Literal["weather"]
    """The kind of measure."""
    name: MeasureName | None = None
    """What it is called in tables."""
    percent: Annotated[Uncertain, _uncertain(-80, 200)]
    """Heating degree days of the target year against the base year [%], a number or a distribution."""
    cities: Annotated[tuple[CityId, ...], Field(min_length=1)] | None = None
    """Cities; all if left out."""
    sectors: Annotated[tuple[Literal["residential", "heat"], ...], Field(min_length=1)] = ("residential", "heat")
    """Sectors that heat; how far each follows the degree days is in the rule file heating."""


CoalMeasure = CoalSubstitution | Retire | NewProject | Efficiency | CleanCoalSupply | ActivityGrowth | DegreeDays
Measure = Annotated[Emergency | Cut | Stop | Limit | CoalMeasure, Field(discriminator="type")]


class Growth(_Block):
    """Change of coal use that no measure causes."""

    percent: Annotated[Uncertain, _uncertain(-100, 500)]
    """Change from base year to target year [%], a number or a distribution."""
    cities: tuple[CityId, ...] | None = None
    """Cities; all if left out."""
    sectors: tuple[str, ...] | None = None
    """Sectors of the coal ledger; all if left out."""


class CoalScope(_Block):
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


class CityLimits(_Block):
    """What the networks of one city can still take on for heating."""

    gas: Annotated[float, Field(ge=0)] | None = None
    """Gas to spare on a winter day [m3 d-1]."""
    grid: Annotated[float, Field(ge=0)] | None = None
    """Headroom of the distribution grid [MW]."""
    heat: Annotated[float, Field(ge=0)] | None = None
    """Capacity to spare of the heat networks [MW]."""


class Limits(_Block):
    """Limits of the routes by city: a block here, or a table."""

    bind: bool = False
    """true: what exceeds a limit does not happen (or takes the measure's fallback); false: it is only reported."""
    cities: dict[CityId, CityLimits] = {}
    """City -> limits."""
    file: str | None = None
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


class Spread(_Block):
    """How far the declared figures of a kind may be off."""

    deviation: Distribution
    """Factor on the declared figure (1 = as declared); of growth and degree days [percentage points] and reburn [1]
    what is added."""
    shared: bool = False
    """true: one draw for all measures; false: one a measure."""


class StatisticsError(_Block):
    """Error of the coal statistics: reported against true."""

    sectors: tuple[str, ...] | None = None
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


class Override(_Block):
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


class Uncertainty(_Block):
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


class Decomposition(_Block):
    """Why coal use changed (LMDI): activity, structure, intensity, fuel mix, weather."""

    activity: str
    """Table of activity and heating degree days by year, city and sector (xlsx or csv)."""
    years: Annotated[tuple[Year, ...], Field(min_length=2)] | None = None
    """Years of the ledger in order, period by period; the target year is that of the balance. Base and target year
    if left out."""

    @model_validator(mode="after")
    def _ordered(self) -> Decomposition:
        if self.years is not None and any(b <= a for a, b in pairwise(self.years)):
            raise PydanticCustomError("years_rise", "the years must rise")
        return self


class Coal(_Block):
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
    inspection: str | None = None
    """Table of sampled batches of clean coal (xlsx or csv)."""

    @model_validator(mode="after")
    def _ordered(self) -> Coal:
        if self.target_year <= self.base_year:
            raise PydanticCustomError("year_order", "target_year must be after base_year")
        return self


class Receptor(_Block):
    """A place that is asked about by name: a school, a hospital, a monitoring station."""

    name: str
    """What it is called."""
    longitude: Annotated[float, Field(ge=95, le=125)]
    """[degrees east, WGS84]."""
    latitude: Annotated[float, Field(ge=25, le=45)]
    """[degrees north, WGS84]."""


class NearField(_Block):
    """Fine-grid plume statistics of stacks around each city, and what each adds at named places."""

    cities: tuple[CityId, ...] = ("xian", "baoji", "xianyang", "tongchuan", "weinan")
    """Cities with a fine grid."""
    enterprises: Annotated[int, Field(ge=1, le=200)] | Annotated[tuple[str, ...], Field(min_length=1)] = 8
    """How many of the largest within the radius, or which: ids, credit codes or full names."""
    radius: Annotated[float, Field(ge=2000, le=50000)] = 15000.0
    """Half width of the fine grid around the city's centre of population [m]."""
    spacing: Annotated[float, Field(ge=50, le=2000)] = 250.0
    """Distance between receptors [m]."""
    dispersion: Literal["similarity", "briggs_rural", "briggs_urban", "pasquill_gifford"] = "similarity"
    """Dispersion scheme of the plume."""
    receptors: tuple[Receptor, ...] = ()
    """Named places: concentration, share of each enterprise, exceedances."""


class Sweep(_Block):
    """Many scenarios from one file: keys of it, and the values they take (`airsim batch`)."""

    method: Literal["cartesian", "listed", "latin_hypercube", "sobol"] = "cartesian"
    """cartesian: every combination of `values`; listed: the first of each, the second of each...; the others sample
    `ranges`."""
    values: dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]] = {}
    """Key such as ``measures[1].percent`` (list entries count from 1) -> the values it takes."""
    ranges: dict[str, tuple[float, float]] = {}
    """Key -> lowest and highest value; a key that holds a whole number is sampled in whole numbers."""
    samples: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Number of sampled scenarios; a power of two is best for sobol."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the sampling."""

    @model_validator(mode="after")
    def _complete(self) -> Sweep:
        sampled = self.method in {"latin_hypercube", "sobol"}
        if sampled and (not self.ranges or self.samples is None or self.values):
            raise PydanticCustomError("sweep_sampled", "latin_hypercube and sobol need ranges and samples, not values")
        if not sampled and (not self.values or self.ranges or self.samples is not None):
            raise PydanticCustomError("sweep_listed", "cartesian and listed need values, not ranges or samples")
        if self.method == "listed" and len({len(v) for v in self.values.values()}) > 1:
            raise PydanticCustomError("sweep_lengths", "listed values must be lists of one length")
        if any(not low < high for low, high in self.ranges.values()):
            raise PydanticCustomError("sweep_range", "the first number of a range must be below the second")
        return self


class JointControl(_Block):
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
        _check_window(self.start, self.end)
        return self


class ShareDemand(_Block):
    """A share of a city's yearly emission that must go."""

    cities: Annotated[tuple[CityId, ...], Field(min_length=1)]
    """Each of these cities."""
    pollutants: Annotated[tuple[Pollutant, ...], Field(min_length=1)]
    """Each of these pollutants."""
    percent: Annotated[float, Field(gt=0, le=100)]
    """At least so much of the base inventory [%]."""


class Ceiling(_Block):
    """A mean of PM2.5 that must not be passed."""

    cities: Annotated[tuple[CityId, ...], Field(min_length=1)]
    """Each of these cities."""
    ceiling: Annotated[float, Field(gt=0)]
    """Mean over the period [ug m-3]."""


class Optimise(_Block):
    """Least-cost choice among the scenario's measures (airsim optimise); emergency measures are no candidates."""

    cost: Literal["state", "user", "both"] = "both"
    """Whose cost is made least where it follows from the rule file heating."""
    costs: dict[str, Annotated[float, Field(ge=0)]] = {}
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


class Scenario(_Block):
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
    _file: str = PrivateAttr("")
    _lines: dict[tuple[str | int, ...], str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _joint_control_inside(self) -> Scenario:
        asked = self.joint_control
        if asked and (
            (asked.start or self.period.start) < self.period.start or (asked.end or self.period.end) > self.period.end
        ):
            raise PydanticCustomError("window_inside", "joint_control: start and end must lie inside the period")
        return self

    @property
    def file(self) -> str:
        """The file this scenario was loaded from; empty if it was made in Python."""
        return self._file

    def line(self, *key: str | int) -> str:
        """Return the line of a key of the file, such as ``("measures", 0)``; empty if it isn't in it."""
        return self._lines.get(key, "")

    def resolve(self, name: str) -> Path:
        """Return the path of an input named in the file: relative to it, or ``shipped:`` with airsim."""
        if name.startswith("shipped:"):
            return shipped.path("data/" + name.removeprefix("shipped:"))
        return (Path(self.file).parent / name) if self.file else Path(name)

    def matches(self, name: str) -> list[Path]:
        """Return the files that a name or a wildcard (``*``, ``?``, ``[...]``, ``**``) stands for, sorted."""
        path = self.resolve(name)
        # a name that is there as it stands may hold brackets
        hits = [path] if path.is_file() else [Path(p) for p in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207
        return [p for p in hits if p.is_file()]

    def weather_files(self) -> list[Path]:
        """Return every file of the weather, each once; none where it is synthetic."""
        if isinstance(self.meteorology, SyntheticWeather):
            return []
        return list(dict.fromkeys(p for name in self.meteorology.files for p in self.matches(name)))


def _show(value: dt.datetime) -> str:
    return value.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def _check_window(start: dt.datetime | None, end: dt.datetime | None) -> None:
    if start is not None and end is not None and end <= start:
        raise PydanticCustomError(
            "window_order",
            "end {end} must be after start {start}",
            {"end": _show(end), "start": _show(start)},
        )


# --------------------------------------------------------------------------------------------------------
# reading


def load(path: str | Path) -> Scenario:
    """Read and check a scenario file.

    Parameters
    ----------
    path : path
        YAML 1.2, UTF-8.

    Returns
    -------
    Scenario

    Raises
    ------
    InputError
        Everything that is wrong with the file and the paths in it, each with its line.
    """
    path = Path(path)
    tree = _parse(path)
    return of_tree(tree, path, _plain(tree, str(path)))


def of_tree(tree: Mapping[str, Any], path: Path, plain: Any) -> Scenario:
    """Check what a file holds; `plain` is its tree in JSON types, with other values where a sweep puts them.

    Raises
    ------
    InputError
        As `load`; lines are those of `tree`.
    """
    try:
        scenario = Scenario.model_validate_json(json.dumps(plain, ensure_ascii=False))
    except ValidationError as error:
        problems = [_problem(str(path), tree, e) for e in error.errors(include_url=False)]
        raise InputError(problems) from None
    scenario._file = str(path)
    scenario._lines = {(key,): _locate(tree, [key])[0] for key in tree}
    scenario._lines |= {("measures", i): _locate(tree, ["measures", i])[0] for i in range(len(scenario.measures))}
    _check_files(scenario, tree)
    return scenario


def _parse(path: Path) -> Mapping[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import RoundTripConstructor
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    class TimesAsText(RoundTripConstructor):
        """Leave times as written: the library would turn a zoned time into a naive UTC one."""

    TimesAsText.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_scalar)

    file = str(path)
    if not path.is_file():
        raise InputError([Problem(file, "", "", "", "file not found", "文件不存在")])
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise InputError(
            [Problem(file, str(line), "", "", "a scenario file must be UTF-8", "情景文件须为 UTF-8 编码")]
        ) from None
    try:
        yaml = YAML(typ="rt")
        yaml.Constructor = TimesAsText
        tree = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        said = " ".join(str(error.problem or error.context or "").split())
        raise InputError(
            [
                Problem(
                    file,
                    str(mark.line + 1) if mark else "",
                    "",
                    "",
                    f"not valid YAML: {said}",
                    f"YAML 语法错误：{said}",
                )
            ]
        ) from None
    except (YAMLError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        said = " ".join(str(error).split())[:200]
        raise InputError([Problem(file, "", "", "", f"not valid YAML: {said}", f"YAML 语法错误：{said}")]) from None
    if not isinstance(tree, Mapping):
        raise InputError([Problem(file, "1", "", "", "must be a mapping of keys", "须为键值结构")])
    return tree


_MOST_NODES = 200_000


def _plain(tree: Any, file: str) -> Any:
    """Return the YAML tree as JSON types; a tree that aliases blow up is refused."""
    count = 0

    def walk(node: Any) -> Any:
        nonlocal count
        count += 1
        if count > _MOST_NODES:
            raise InputError(
                [Problem(file, "", "", "", f"more than {_MOST_NODES} entries", f"条目超过 {_MOST_NODES} 个")]
            )
        if isinstance(node, Mapping):
            return {str(k): walk(v) for k, v in node.items()}
        if isinstance(node, list | tuple):
            return [walk(v) for v in node]
        if isinstance(node, bool) or node is None:
            return node
        if isinstance(node, int):
            return int(node)
        if isinstance(node, float):
            return float(node)
        return str(node)

    try:
        return walk(tree)
    except RecursionError:
        raise InputError([Problem(file, "", "", "", "an alias refers to itself", "锚点引用了自身")]) from None


def _locate(tree: Any, location: Sequence[str | int]) -> tuple[str, str]:
    """Return (line, dotted key) of a pydantic location, without the union tags that are no keys."""
    node, line, key = tree, 1, ""
    for step in location:
        if isinstance(node, Mapping) and step in node:
            line = node.lc.key(step)[0] + 1 if hasattr(node, "lc") else line
            key = f"{key}.{step}" if key else str(step)
            node = node[step]
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            line = node.lc.item(step)[0] + 1 if hasattr(node, "lc") else line
            key = f"{key}[{step + 1}]"
            node = node[step]
        elif step == location[-1] and isinstance(node, Mapping) and isinstance(step, str) and not _tag(node, step):
            key = f"{key}.{step}" if key else step
    return str(line), key


def _tag(node: Mapping[str, Any], step: str) -> bool:
    return step in {"distribution", "value"} or node.get("type") == step or node.get("kind") == step


_SAID: dict[str, tuple[str, str]] = {
    "missing": ("this key is required", "缺少该键"),
    "extra_forbidden": ("unknown key", "未知的键"),
    "string_type": ("must be text", "须为文本"),
    "int_type": ("must be a whole number", "须为整数"),
    "int_from_float": ("must be a whole number", "须为整数"),
    "float_type": ("must be a number", "须为数字"),
    "bool_type": ("must be true or false", "须为 true 或 false"),
    "finite_number": ("must be a finite number", "须为有限数值"),
    "model_type": ("must be a block of keys", "须为键值块"),
    "model_attributes_type": ("must be a block of keys", "须为键值块"),
    "tuple_type": ("must be a list", "须为列表"),
    "datetime_parsing": ("must be a time such as 2019-01-01 08:00", "须为时间，如 2019-01-01 08:00"),
    "datetime_from_date_parsing": (
        "must be a time such as 2019-01-01 08:00",
        "须为时间，如 2019-01-01 08:00",
    ),
    "datetime_type": ("must be a time such as 2019-01-01 08:00", "须为时间，如 2019-01-01 08:00"),
    "full_hour": ("must be a full hour", "须为整点"),
    "reserved": ("is a reserved file name on Windows", "为 Windows 保留文件名"),
    "domain_order": (
        "east must lie at least 1 degree east of west, north 1 degree north of south",
        "east 须比 west 大至少 1 度，north 须比 south 大至少 1 度",
    ),
    "period_length": ("a period is at most 366 days", "时段最长 366 天"),
    "year_order": ("target_year must be after base_year", "目标年须晚于基准年"),
    "sweep_sampled": (
        "latin_hypercube and sobol need ranges and samples, not values",
        "latin_hypercube 与 sobol 须给出 ranges 与 samples，不用 values",
    ),
    "sweep_listed": (
        "cartesian and listed need values, not ranges or samples",
        "cartesian 与 listed 须给出 values，不用 ranges 或 samples",
    ),
    "sweep_lengths": ("listed values must be lists of one length", "listed 的各列表须等长"),
    "sweep_range": ("the first number of a range must be below the second", "范围的下限须小于上限"),
    "one_kind": ("give exactly one of triangular, uniform, normal, lognormal, beta", "须且仅须给出一种分布"),
    "shapes": ("beta: shapes above 0, then lowest below highest", "beta：形状参数须大于 0，且下限小于上限"),
    "years_rise": ("the years must rise", "年份须递增"),
    "ascending": ("the numbers must rise", "数值须递增"),
    "spread": ("the spread must be above 0 (lognormal: above 1)", "离散程度须大于 0（对数正态须大于 1）"),
    "households_or_boilers": (
        "give either households or boiler_capacity",
        "households（户数）与 boiler_capacity（蒸吨）须且仅须给出一项",
    ),
    "what_retires": (
        "give either enterprise, or city with boiler_capacity or with tonnes",
        "须给出 enterprise，或 city 加 boiler_capacity（蒸吨）或 tonnes",
    ),
    "in_and_out": ("a fuel cannot be both included and excluded", "同一燃料不能既计入又剔除"),
    "window_inside": (
        "joint_control: start and end must lie inside the period",
        "joint_control 的 start 与 end 须在 period 之内",
    ),
    "cities_or_file": ("give either cities or file", "cities 与 file 须且仅须给出一项"),
}


def _problem(file: str, tree: Any, error: Mapping[str, Any]) -> Problem:
    kind, context = error["type"], error.get("ctx") or {}
    location = list(error["loc"])
    line, key = _locate(tree, location)
    value = error.get("input")
    shown = "" if kind == "missing" or isinstance(value, Mapping | list) else _shorten(value)
    if kind in _SAID:
        en, zh = _SAID[kind]
    elif kind in {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}:
        sign = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<", "less_than_equal": "<="}[kind]
        bound = next(iter(context.values()))
        en, zh = f"must be {sign} {bound}", f"须 {sign} {bound}"
    elif kind in {"literal_error", "union_tag_invalid"}:
        allowed = str(context.get("expected") or context.get("expected_tags")).replace("'", "").replace(" or ", ", ")
        en, zh = f"must be one of {allowed}", f"须为以下之一：{allowed}"
        if kind == "union_tag_invalid":
            line, key = _locate(tree, [*location, str(context["discriminator"]).strip("'")])
            shown = str(context.get("tag", ""))
    elif kind == "union_tag_not_found":
        en, zh = f"the key {context['discriminator']} is required", f"缺少键 {context['discriminator']}"
        shown = ""
    elif kind == "string_pattern_mismatch":
        en = "letters, digits, Chinese characters, - _ . only (at most 64, no path)"
        zh = "仅限字母、数字、汉字及 - _ .（至多 64 个，不得含路径）"
    elif kind == "too_short":
        en, zh = "must have at least one entry", "至少须有一项"
    elif kind == "span":
        en = str(context["text"])
        zh = en.replace("must be from", "须介于").replace(" to ", " 与 ") + " 之间"
    elif kind.endswith("_order"):
        en = f"end {context['end']} must be after start {context['start']} (Beijing time)"
        zh = f"结束 {context['end']} 须晚于开始 {context['start']}（北京时间）"
    else:
        en = zh = str(error["msg"])
    return Problem(file, line, key, shown, en, zh)


def _shorten(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _check_files(scenario: Scenario, tree: Any) -> None:
    """Refuse a scenario that names a file which is not there."""
    named: list[tuple[tuple[str | int, ...], str]] = [
        (("inputs", key), value) for key, value in scenario.inputs.model_dump().items() if isinstance(value, str)
    ]
    if isinstance(scenario.inputs.observations, tuple):
        named += [(("inputs", "observations", i), name) for i, name in enumerate(scenario.inputs.observations)]
    named += [(("measures", i, "list"), m.list) for i, m in enumerate(scenario.measures) if isinstance(m, Emergency)]
    named += [
        (("measures", i, "inspection"), m.inspection)
        for i, m in enumerate(scenario.measures)
        if isinstance(m, CleanCoalSupply) and m.inspection
    ]
    if scenario.coal and scenario.coal.limits and scenario.coal.limits.file:
        named.append((("coal", "limits", "file"), scenario.coal.limits.file))
    if scenario.coal and scenario.coal.decomposition:
        named.append((("coal", "decomposition", "activity"), scenario.coal.decomposition.activity))
    if scenario.coal and scenario.coal.inspection:
        named.append((("coal", "inspection"), scenario.coal.inspection))
    weather = scenario.meteorology
    if isinstance(weather, StationWeather) and weather.station_list:
        named.append((("meteorology", "station_list"), weather.station_list))
    problems = []
    if not isinstance(weather, SyntheticWeather):
        for i, name in enumerate(weather.files):
            if not scenario.matches(name):
                line, key = _locate(tree, ["meteorology", "files", i])
                problems.append(Problem(scenario.file, line, key, name, "no such file", "没有匹配的文件"))
    for location, name in named:
        if not scenario.resolve(name).is_file():
            line, key = _locate(tree, location)
            problems.append(Problem(scenario.file, line, key, name, "file not found", "文件不存在"))
    if problems:
        raise InputError(problems)


def window(text: tuple[str, str]) -> tuple[dt.datetime, dt.datetime]:
    """Read a window given on the command line: two ISO times, Beijing unless zoned.

    Raises
    ------
    InputError
        Not a time, not a full hour, or the end is not after the start.
    """
    found: list[dt.datetime] = []
    problems = []
    for value in text:
        try:
            found.append(_utc(dt.datetime.fromisoformat(value)))
        except (ValueError, PydanticCustomError):
            en, zh = _SAID["datetime_type"]
            problems.append(Problem("--window", "", "", value, f"{en}, on the full hour", f"{zh}，且为整点"))
    if not problems and found[1] <= found[0]:
        problems.append(Problem("--window", "", "", text[1], "must be after the start", "须晚于起始时间"))
    if problems:
        raise InputError(problems)
    return found[0], found[1]


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the scenario file, for editors."""
    made = Scenario.model_json_schema(mode="validation")
    made["title"] = "airsim scenario"
    return made
