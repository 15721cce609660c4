"""Scenario files: YAML in, a frozen and checked `Scenario` out, every complaint with its line.

The text under each field is its documentation: it goes into the JSON Schema (``airsim schema``).  Times
without a zone are Beijing time (UTC+8).  Paths are relative to the scenario file; ``shipped:`` names a file
of the tables that come with airsim, so that a copied scenario keeps working.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from airsim import shipped
from airsim.errors import InputError, Problem

BEIJING = dt.timezone(dt.timedelta(hours=8))

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
    """Only synthetic weather is made here."""
    seed: Annotated[int, Field(ge=0)] = 2019
    """Seed of the random part: the same seed gives the same weather."""
    build_up_hours: Annotated[int, Field(ge=0, le=240)] = 48
    """Hours from the start of the period until the stagnant core."""
    stagnant_hours: Annotated[int, Field(ge=0, le=480)] = 120
    """Hours of the stagnant core; the cold front follows."""


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
    observations: str | None = None
    """Observed city statistics to set beside the model."""


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


class Emergency(_Block):
    """Emergency response by a reduction list (应急减排清单)."""

    type: Literal["emergency"]
    """The kind of measure."""
    list: str
    """The reduction list (xlsx, xls or csv)."""
    plan: str = "2019"
    """The dated plan whose required shares are tested."""
    alerts: Annotated[tuple[Alert, ...], Field(min_length=1)]
    """Who responds at what level and when; where two windows overlap in a city the stricter one counts."""
    execution_rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the listed cuts that is really carried out [1]."""


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


class CoalSubstitution(_Block):
    """Household coal replaced by another route: emissions and the coal ledger move together."""

    type: Literal["coal_substitution"]
    """The kind of measure."""
    city: CityId
    """Where."""
    route: Literal["electricity", "gas", "district_heat", "clean_coal"]
    """宜电则电、宜气则气、宜热则热、宜煤则煤."""
    households: Annotated[float, Field(gt=0)]
    """Converted households [1]."""
    tonnes_per_household: Annotated[float, Field(gt=0, le=10)] = 2.0
    """Raw coal burnt by a household before [t a-1]; 1.6-2.5 is the derived range for Guanzhong."""
    execution_rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the conversions that lasts (1 - reburn, 返煤) [1]."""
    power_city: CityId | None = None
    """City that burns the power coal of electricity routes; outside the region if left out."""


Measure = Annotated[Emergency | Cut | Stop | Limit | CoalSubstitution, Field(discriminator="type")]


class Growth(_Block):
    """Change of coal use that no measure causes."""

    percent: Annotated[float, Field(ge=-100, le=500)]
    """Change from base year to target year [%]."""
    cities: tuple[CityId, ...] | None = None
    """Cities; all if left out."""
    sectors: tuple[str, ...] | None = None
    """Sectors of the coal ledger; all if left out."""


class Coal(_Block):
    """The coal-cap test: consumption in the target year against the base year."""

    base_year: Annotated[int, Field(ge=2000, le=2100)]
    """Year compared with."""
    target_year: Annotated[int, Field(ge=2000, le=2100)]
    """Year tested."""
    rules: str = "2018"
    """Dated rule set: what counts as assessed coal."""
    cities: tuple[CityId, ...] | None = None
    """Cities of the cap; those of Guanzhong if left out."""
    growth: tuple[Growth, ...] = ()
    """Growth by city and sector before measures."""

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
    meteorology: SyntheticWeather
    """Where the weather comes from."""
    inputs: Inputs = Inputs()
    """The tables."""
    measures: tuple[Measure, ...] = ()
    """What is done, in order; each acts on what the ones above it leave."""
    coal: Coal | None = None
    """The coal-cap test."""
    near_field: NearField | None = None
    """Fine plume grids around cities."""
    _file: str = PrivateAttr("")
    _lines: dict[tuple[str | int, ...], str] = PrivateAttr(default_factory=dict)

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
    try:
        scenario = Scenario.model_validate_json(json.dumps(_plain(tree, str(path)), ensure_ascii=False))
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
    except (YAMLError, ValueError, RecursionError) as error:
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
    return node.get("type") == step or node.get("kind") == step


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
            line, key = _locate(tree, [*location, "type"])
            shown = str(context.get("tag", ""))
    elif kind == "union_tag_not_found":
        en, zh = "the key 'type' is required", "缺少键 type"
        shown = ""
    elif kind == "string_pattern_mismatch":
        en = "letters, digits, Chinese characters, - _ . only (at most 64, no path)"
        zh = "仅限字母、数字、汉字及 - _ .（至多 64 个，不得含路径）"
    elif kind == "too_short":
        en, zh = "must have at least one entry", "至少须有一项"
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
    named += [(("measures", i, "list"), m.list) for i, m in enumerate(scenario.measures) if isinstance(m, Emergency)]
    problems = []
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
