"""Kinds of values that several blocks take: times, cities, sectors, levels, figures with a distribution."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from airsim.clock import ZONE
from airsim.names import (
    CITY_WORDS,
    FUEL_WORDS,
    LEDGER_SECTOR_WORDS,
    LEVEL_WORDS,
    POLLUTANT_WORDS,
    ROUTE_WORDS,
    SECTOR_WORDS,
    normalise,
)

_City = Literal[
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
_Sector = Literal[
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
_Pollutant = Literal["SO2", "NOx", "PM10", "PM25", "BC", "OC", "VOC", "NH3", "CO"]
_Level = Literal["yellow", "orange", "red"]
_Fuel = Literal[
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
_Route = Literal["electricity", "gas", "district_heat", "clean_coal", "biomass", "geothermal", "solar"]


def _one_of(texts: set[str]) -> Any:
    return Literal[tuple(sorted(texts))]


def _named(words: Mapping[str, str]) -> BeforeValidator:
    """Take a value by any of its names, as tables do; what is no name stays, and is refused as itself."""
    ids = set(words.values())

    def read(value: Any) -> Any:
        return words.get(normalise(value), value) if isinstance(value, str) and value not in ids else value

    return BeforeValidator(read, json_schema_input_type=_one_of(ids | set(words)))


# each takes its id and the Chinese and English words that tables take
CityId = Annotated[_City, _named(CITY_WORDS)]
Sector = Annotated[_Sector, _named(SECTOR_WORDS)]
LedgerSector = Annotated[Literal[_Sector, "other"], _named(LEDGER_SECTOR_WORDS)]
Pollutant = Annotated[_Pollutant, _named(POLLUTANT_WORDS)]
Level = Annotated[_Level, _named(LEVEL_WORDS)]
CoalFuel = Annotated[_Fuel, _named(FUEL_WORDS)]
Route = Annotated[_Route, _named(ROUTE_WORDS)]


def to_utc(value: dt.datetime) -> dt.datetime:
    """Read a time without a zone as Beijing time and return it in UTC, on the full hour."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=ZONE)
    if value.minute or value.second or value.microsecond:
        raise PydanticCustomError("full_hour", "must be a full hour")
    return value.astimezone(dt.UTC)


_LOOSE_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]+(\d{1,2})(:.*)?)?")


def _read_time(value: Any) -> Any:
    """Read ISO 8601 text, also without leading zeros or with slashes; a bare date is its first hour."""
    if not isinstance(value, str):
        return value
    loose = _LOOSE_DATE.fullmatch(value.strip())
    if loose:
        year, month, day, hour, rest = loose.groups()
        value = f"{year}-{month:0>2}-{day:0>2}" + (f"T{hour:0>2}{rest or ':00'}" if hour else "")
    try:
        return dt.datetime.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("datetime_parsing", "not a time") from None


Time = Annotated[dt.datetime, BeforeValidator(_read_time), AfterValidator(to_utc)]


class Block(BaseModel):
    """A block of keys: frozen, no key that it does not know, each field documented by the text under it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


def show(value: dt.datetime) -> str:
    """Return a time as messages show it, in Beijing time."""
    return value.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")


def check_window(start: dt.datetime | None, end: dt.datetime | None) -> None:
    """Refuse a window that ends before it starts."""
    if start is not None and end is not None and end <= start:
        raise PydanticCustomError(
            "window_order",
            "end {end} must be after start {start}",
            {"end": show(end), "start": show(start)},
        )


class Distribution(Block):
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


def uncertain(low: float, high: float) -> AfterValidator:
    """Return the check that a number, or all that a distribution may give, lies between two bounds."""

    def check(value: float | Distribution) -> float | Distribution:
        ends = value.support if isinstance(value, Distribution) else (value, value)
        if not low <= ends[0] <= ends[1] <= high:
            raise PydanticCustomError("span", "{text}", {"text": f"must be from {low:g} to {high:g}"})
        return value

    return AfterValidator(check)


#: A number, or a `Distribution` in its place.
Uncertain = Annotated[
    Annotated[float, Tag("<value>")] | Annotated[Distribution, Tag("<distribution>")],
    Discriminator(lambda v: "<distribution>" if isinstance(v, Mapping | Distribution) else "<value>"),
]
Share = Annotated[Uncertain, uncertain(0, 1)]
Year = Annotated[int, Field(ge=2000, le=2100)]
MeasureName = Annotated[str, Field(min_length=1, max_length=64)]
