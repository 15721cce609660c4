"""What is simulated: title, period, domain, weather and the tables of the case."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from airsim.scenario.files import File
from airsim.scenario.kinds import Block, Time, show


class Title(Block):
    """What the report is headed with."""

    zh: str
    """Title in Chinese."""
    en: str
    """Title in English."""


class Period(Block):
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
                {"end": show(self.end), "start": show(self.start)},
            )
        if self.end - self.start > dt.timedelta(days=366):
            raise PydanticCustomError("period_length", "a period is at most 366 days")
        return self

    @property
    def hours(self) -> int:
        """Number of hours from start to end."""
        return int((self.end - self.start).total_seconds() // 3600)


class Domain(Block):
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
            edges = (("west, east", self.west, self.east), ("south, north", self.south, self.north))
            swapped = [names for names, low, high in edges if high < low]
            raise PydanticCustomError("domain_order", "{swapped}", {"swapped": "; ".join(swapped)})
        return self


WeatherFile = Annotated[str, File("measured", "weather", "气象资料", wildcard=True)]
ModelFile = Annotated[str, File("modelled", "weather of a model", "气象模式资料", wildcard=True)]
ObservationFile = Annotated[str, File("measured", "observations", "空气质量观测")]
#: One file or a list of them.
OneOrMore = Annotated[
    Annotated[ObservationFile, Tag("<one>")]
    | Annotated[tuple[ObservationFile, ...], Field(min_length=1), Tag("<more>")],
    Discriminator(lambda v: "<more>" if isinstance(v, list | tuple) else "<one>"),
]


class SyntheticWeather(Block):
    """A seeded synthetic winter episode from the shipped climatologies; every output says so."""

    kind: Literal["synthetic"]
    """Made, not read: needs no files."""
    seed: Annotated[int, Field(ge=0)] = 2019
    """Seed of the random part: the same seed gives the same weather."""
    build_up_hours: Annotated[int, Field(ge=0, le=240)] = 48
    """Hours from the start of the period until the stagnant core."""
    stagnant_hours: Annotated[int, Field(ge=0, le=480)] = 120
    """Hours of the stagnant core; the cold front follows."""


class ModelWeather(Block):
    """Output of a weather model or a reanalysis, put on the grid."""

    kind: Literal["wrf", "era5"]
    """wrf: wrfout_d0* of one domain. era5: single levels with pressure or model levels, NetCDF."""
    files: Annotated[tuple[ModelFile, ...], Field(min_length=1)]
    """Files or wildcards; together they must cover the period and its spin-up."""


class StationWeather(Block):
    """Reports of weather stations, made into a field; nothing is known of the wind aloft then."""

    kind: Literal["stations"]
    """Tables (xlsx, csv), ISD-Lite or EPW, told apart by their content."""
    files: Annotated[tuple[WeatherFile, ...], Field(min_length=1)]
    """Files or wildcards; together they must cover the period and its spin-up."""
    station_list: Annotated[str, File("reported", "weather stations", "气象站表")] | None = None
    """Where the stations are (xlsx, csv); needed for ISD-Lite and for tables without longitude and latitude."""
    utc_offset: Annotated[float, Field(ge=-12, le=14)] = 8.0
    """Hours by which the clock of the tables is ahead of UTC; 8 is Beijing time. ISD-Lite and EPW know theirs."""


Weather = Annotated[SyntheticWeather | ModelWeather | StationWeather, Field(discriminator="kind")]


class Inputs(Block):
    """The tables of the case."""

    enterprises: Annotated[str, File("derived", "point sources; quality row by row", "企业排放，逐行注明质量")] = (
        "shipped:emissions/enterprises.csv"
    )
    """Point sources (xlsx or csv)."""
    area_sources: Annotated[str, File("estimated", "area sources; quality row by row", "面源排放，逐行注明质量")] = (
        "shipped:emissions/area_sources.csv"
    )
    """Area sources by city and sector (xlsx or csv)."""
    coal_ledger: (
        Annotated[str, File("estimated", "coal ledger; quality row by row", "煤炭台账，逐行注明质量")] | None
    ) = "shipped:emissions/coal_ledger.csv"
    """Coal by year, city, sector and fuel (xlsx or csv)."""
    background: Annotated[str, File("estimated", "air flowing in over the edges", "区域边界流入")] = (
        "shipped:background/winter.csv"
    )
    """Air that flows in over the edges of the domain, by tracer."""
    observations: OneOrMore | None = None
    """Observations to set beside the model: hourly files of cities or stations (one or a list), or one table of city
    statistics.  Hourly files also give the answer by relative response (attainment)."""
    stations: Annotated[str, File("reported", "observation stations", "空气站点表")] | None = None
    """Station list (code, city, coordinates) of hourly observations by station code."""
    composition: Annotated[str, File("derived", "observed composition of PM2.5", "PM2.5 实测组分")] = (
        "shipped:observations/composition.csv"
    )
    """Observed composition of PM2.5, for the attainment test."""
