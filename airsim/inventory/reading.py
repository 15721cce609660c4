"""Reading the three tables of an inventory, with every problem of all of them said at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from airsim import shipped
from airsim.errors import InputError, Problem
from airsim.geography import Geography
from airsim.inventory import checks
from airsim.names import CITY_WORDS, FUEL_WORDS, LEDGER_SECTOR_WORDS, QUALITY_WORDS, SECTOR_WORDS, SECTORS
from airsim.tables import ANY, Column, Note, Table, normalise, read_table

POLLUTANTS = ("SO2", "NOx", "PM10", "PM25", "BC", "OC", "VOC", "NH3", "CO")
"""Pollutants of the tables: NOx as NO2, BC and OC as carbon, BC and OC part of PM25, PM25 part of PM10."""

Shares = dict[tuple[str, str], tuple[float, float]]
"""(sector, subsector) -> shares of BC and OC in PM2.5."""

STANDARD_COAL = 29307.6
"""Low heating value of standard coal, 7000 kcal of 4.1868 kJ [kJ kg-1]."""

_EMISSION_ZH = {
    "SO2": "二氧化硫",
    "NOx": "氮氧化物",
    "PM10": "可吸入颗粒物",
    "PM25": "细颗粒物",
    "BC": "黑碳",
    "OC": "有机碳",
    "VOC": "挥发性有机物",
    "NH3": "氨",
    "CO": "一氧化碳",
}
_EMISSION_ALIASES = {
    "PM25": ("PM2.5", "PM2.5排放量"),
    "VOC": ("VOCs", "NMVOC", "VOCs排放量"),
    "BC": ("EC",),
    "CO": (),
    "SO2": ("SO2排放量",),
    "NOx": ("NOX排放量", "NOx排放量"),
    "PM10": ("PM10排放量",),
}
# A table may lack what it does not know, except the pollutants every bureau's list has.
_EMISSIONS = tuple(
    Column(
        p,
        _EMISSION_ZH[p],
        unit="t a-1",
        required=p in ("SO2", "NOx", "PM10", "PM25"),
        aliases=_EMISSION_ALIASES.get(p, ()),
        species={"SO2": "SO2", "NOx": "NOx", "BC": "C", "OC": "C"}.get(p, ""),
        default=None if p in ("BC", "OC", "SO2", "NOx", "PM10", "PM25") else 0.0,
        about=f"{p} emission"
        + (" (as carbon; left out: from the sector's share of PM25)" if p in ("BC", "OC") else ""),
        about_zh=f"{_EMISSION_ZH[p]}排放量" + ("（以碳计；缺省按行业占 PM2.5 比例）" if p in ("BC", "OC") else ""),
    )
    for p in POLLUTANTS
)
_TAIL = (
    Column(
        "source",
        "数据来源",
        kind="text",
        aliases=("来源", "出处"),
        about="where the figures are from",
        about_zh="数据出处与算法",
    ),
    Column(
        "quality",
        "数据质量",
        kind="text",
        default="reported",
        about="reported, derived or estimated",
        about_zh="填报、推算或估算",
    ),
)
_PLACE = (
    Column(
        "city",
        "城市",
        kind="text",
        required=True,
        aliases=("地市", "市", "市(区)"),
        about="city id or name",
        about_zh="城市名称或代号（杨凌、韩城单列）",
    ),
    Column(
        "county",
        "县区",
        kind="text",
        aliases=("县(市、区)", "区县", "区县ID", "行政区划代码"),
        about="county name or six-digit code",
        about_zh="县区名称或六位行政区划代码",
    ),
    Column(
        "sector",
        "行业",
        kind="text",
        required=True,
        aliases=("行业类型", "行业类别", "源类"),
        about="sector id or Chinese name",
        about_zh="行业名称或代号",
    ),
)
_ACTIVITY = (
    Column("activity", "活动水平", unit=ANY, aliases=("产量", "实际产量")),
    Column("activity_unit", "活动水平单位", kind="text", aliases=("计量单位",)),
)
_COAL = Column("coal", "煤炭消费量", unit="t a-1", default=0.0, aliases=("燃煤量", "用煤量"))

ENTERPRISES = (
    Column("enterprise_id", "企业编号", kind="identifier", required=True, aliases=("序号", "企业ID")),
    Column("credit_code", "统一社会信用代码", kind="identifier", aliases=("信用代码", "企业组织机构代码")),
    Column("name", "企业名称", kind="text", required=True, aliases=("单位名称",)),
    *_PLACE,
    Column("product", "产品或工序", kind="text", aliases=("主要产品", "生产线或工序名称", "工序")),
    *_ACTIVITY,
    Column("longitude", "经度", unit="degree", required=True),
    Column("latitude", "纬度", unit="degree", required=True),
    Column("stack_height", "烟囱高度", unit="m", aliases=("排气筒高度", "高度")),
    Column("stack_diameter", "烟囱内径", unit="m", aliases=("排气筒内径", "内径")),
    Column("exit_velocity", "出口流速", unit="m s-1", aliases=("烟气流速",)),
    Column("exit_temperature", "烟气温度", unit="K", aliases=("烟温",)),
    Column("operating_days", "年运行天数", unit="d", aliases=("年生产天数",)),
    Column("lines", "生产线数量", default=1.0, aliases=("数量", "生产线数")),
    Column("grade", "绩效等级", kind="text"),
    _COAL,
    *_EMISSIONS,
    *_TAIL,
)
"""Layout of the enterprise table: one row is one enterprise's process."""

AREA_SOURCES = (
    Column("source_id", "源编号", kind="identifier", required=True, aliases=("编号",)),
    *_PLACE,
    Column("subsector", "子类", kind="text", aliases=("子行业", "源子类")),
    Column("fuel", "燃料类型", kind="text", aliases=("燃料",)),
    *_ACTIVITY,
    _COAL,
    *_EMISSIONS,
    *_TAIL,
)
"""Layout of the area-source table: one row is one kind of source in a city or county."""

COAL_LEDGER = (
    Column("year", "年份", required=True, aliases=("年度",)),
    Column("city", "城市", kind="text", required=True, aliases=("地市", "市(区)")),
    Column(
        "county",
        "县区",
        kind="text",
        aliases=("县(市、区)", "区县"),
        about="county name or six-digit code; empty: the rest of the city",
        about_zh="县区名称或六位代码；空白表示该市其余部分",
    ),
    Column("sector", "行业", kind="text", required=True),
    Column("fuel", "煤种", kind="text", required=True, aliases=("燃料", "品种")),
    Column("consumption", "消费量", unit="t a-1", required=True, aliases=("煤炭消费量", "实物量", "消费实物量")),
    Column("heating_value", "低位发热量", unit="kJ kg-1", aliases=("热值", "Qnet", "平均低位发热量"), bases=("ar",)),
    Column(
        "standard_coal",
        "标准量",
        unit="tce a-1",
        aliases=("折标准煤", "折标煤", "消费标准量"),
        about="the same in standard coal; gives the heating value where that is empty",
        about_zh="折标准煤量；低位发热量空白时由其推出",
    ),
    *(
        Column(
            name,
            zh,
            unit="t a-1",
            aliases=aliases,
            about="production + inflow - outflow + stock_draw = consumption is checked by year, city, county and fuel",
            about_zh="按年、市、县、煤种核对：产量 + 调入 - 调出 + 库存减少 = 消费量",
        )
        for name, zh, aliases in (
            ("production", "产量", ("生产量",)),
            ("inflow", "调入量", ("外购量", "购进量")),
            ("outflow", "调出量", ("销出量",)),
            ("stock_draw", "库存减少量", ("库存增减量", "库存变化")),
        )
    ),
    *_TAIL,
)
"""Layout of the coal ledger."""

SOURCE_COLUMNS = (
    "kind", "name", "enterprise_id", "credit_code", "city", "county", "sector", "subsector", "fuel",
    "activity", "activity_unit", "longitude", "latitude", "stack_height", "stack_diameter", "exit_velocity",
    "exit_temperature", "operating_days", "lines", "grade", "coal", *POLLUTANTS, "basis", "quality", "origin",
)  # fmt: skip
_TEXT = {
    "kind", "name", "enterprise_id", "credit_code", "city", "county", "sector", "subsector", "fuel",
    "activity_unit", "grade", "basis", "quality", "origin",
}  # fmt: skip


@dataclass(frozen=True)
class Inventory:
    """Who emits what, before it is put on a grid.

    Attributes
    ----------
    sources : DataFrame
        Unique str index `source`; one row an emitting unit, columns as in `SOURCE_COLUMNS`: `kind` is "point"
        or "area"; coal and pollutants [t a-1]; stack parameters [m, m, m s-1, K] NaN for areas; `basis` says
        how the figures came about, `quality` is reported, derived or estimated, `origin` is ``file:row``.
    scaling : DataFrame
        What measures do to them: `source`, `pollutant` ("*" or one), `factor` [0..], `start`, `end` (UTC, NaT
        = always), `measure`; factors of several rows multiply.
    coal : DataFrame
        The coal ledger: `year`, `city`, `county` (code or empty), `sector`, `fuel`, `consumption` [t a-1],
        `heating_value` [kJ kg-1 or NaN], `standard_coal` [tce a-1 or NaN], `production`, `inflow`, `outflow`,
        `stock_draw` [t a-1 or NaN], `basis`, `quality`, `origin`.
    notes : tuple of Note
        What the tables hold that was not used, and what was assumed in reading them.
    """

    sources: pd.DataFrame
    scaling: pd.DataFrame
    coal: pd.DataFrame
    notes: tuple[Note, ...] = ()


def no_scaling() -> pd.DataFrame:
    """Return a scaling table without rows."""
    return pd.DataFrame(
        {
            "source": pd.Series(dtype=object),
            "pollutant": pd.Series(dtype=object),
            "factor": pd.Series(dtype=float),
            "start": pd.Series(dtype="datetime64[ns]"),
            "end": pd.Series(dtype="datetime64[ns]"),
            "measure": pd.Series(dtype=object),
        }
    )


def carbon_shares(path: Path | None = None) -> Shares:
    """Return (sector, subsector) -> shares of BC and OC (as carbon) in PM2.5.

    Parameters
    ----------
    path : Path, optional
        Default: the shipped ``data/emissions/speciation.csv``, which names each share's source.
    """
    table = pd.read_csv(
        path or shipped.path("data/emissions/speciation.csv"), encoding="utf-8-sig", keep_default_na=False
    )
    return {(str(r["sector"]), str(r["subsector"])): (float(r["BC"]), float(r["OC"])) for r in table.to_dict("records")}


def read(
    enterprises: Path | None, area_sources: Path | None, coal_ledger: Path | None, geography: Geography
) -> Inventory:
    """Read and check an inventory.

    Parameters
    ----------
    enterprises, area_sources, coal_ledger : path, optional
        Tables laid out as `ENTERPRISES`, `AREA_SOURCES` and `COAL_LEDGER`, .xlsx or .csv; None = none.
    geography : Geography
        Cities, counties and the grid that the places are checked against.

    Returns
    -------
    Inventory
        Without scaling.

    Raises
    ------
    InputError
        Every problem of the three tables.
    """
    problems: list[Problem] = []
    points = _table(enterprises, ENTERPRISES, problems)
    areas = _table(area_sources, AREA_SOURCES, problems)
    ledger = _table(coal_ledger, COAL_LEDGER, problems)
    frames = []
    shares = carbon_shares()
    if points is not None:
        _name(points, SECTOR_WORDS, problems)
        problems += checks.enterprises(points, geography)
        frames.append(_point_sources(points, geography, shares))
    if areas is not None:
        _name(areas, SECTOR_WORDS, problems)
        problems += checks.area_sources(areas, geography)
        frames.append(_area_sources(areas, shares))
    coal = pd.DataFrame(columns=[c.name for c in COAL_LEDGER[:-2]] + ["basis", "quality", "origin"])
    if ledger is not None:
        _name(ledger, LEDGER_SECTOR_WORDS, problems)
        problems += checks.coal_ledger(ledger, geography)
        coal = _ledger(ledger, geography)
    if problems:
        raise InputError(problems)
    sources = pd.concat(frames) if frames else pd.DataFrame(columns=list(SOURCE_COLUMNS))
    sources.index.name = "source"
    notes = tuple(n for t in (points, areas, ledger) if t is not None for n in t.notes)
    return Inventory(sources, no_scaling(), coal, (*notes, *(checks.doubled_codes(points) if points else ())))


def _table(path: Path | None, columns: tuple[Column, ...], problems: list[Problem]) -> Table | None:
    if path is None:
        return None
    try:
        return read_table(path, columns)
    except InputError as error:
        problems += error.problems
        return None


def _name(table: Table, sectors: dict[str, str], problems: list[Problem]) -> None:
    """Turn the words of a table into ids, in place; what is not known is a problem and stays as it is."""
    frame = table.frame
    known = [("city", CITY_WORDS), ("sector", sectors), ("quality", QUALITY_WORDS)]
    if table.columns.keys() >= {"year"}:
        known.append(("fuel", FUEL_WORDS))
    for column, words in known:
        ids = frame[column].map(lambda v, words=words: words.get(normalise(v)))
        allowed = ", ".join(dict.fromkeys(words.values()))
        said, said_zh = (
            f"unknown; must be one of {allowed}",
            f"无法识别，须为以下之一（或其中文名称）：{allowed}",
        )
        problems += [
            table.problem(row, column, frame.at[row, column], said, said_zh) for row in frame.index[ids.isna()]
        ]
        frame[column] = ids.fillna(frame[column])


def _carbon(frame: pd.DataFrame, subsector: pd.Series, shares: Shares) -> None:
    """Fill missing BC and OC from the sector's shares of PM2.5, in place."""
    share = [
        shares.get((sector, sub)) or shares.get((sector, ""), (0.0, 0.0))
        for sector, sub in zip(frame["sector"], subsector, strict=True)
    ]
    for k, carbon in enumerate(("BC", "OC")):
        filled = frame["PM25"] * [s[k] for s in share]
        frame[carbon] = frame[carbon].where(frame[carbon].notna(), filled)


def _finish(frame: pd.DataFrame, table: Table, source: list[str]) -> pd.DataFrame:
    frame = frame.rename(columns={"source": "basis"})
    frame["origin"] = [table.origin(row) for row in frame.index]
    frame.index = pd.Index(source, name="source", dtype=object)
    for column in SOURCE_COLUMNS:
        if column not in frame:
            frame[column] = "" if column in _TEXT else float("nan")
        elif column in _TEXT:
            frame[column] = frame[column].astype(object)
    return frame[list(SOURCE_COLUMNS)]


def point_names(frame: pd.DataFrame) -> list[str]:
    """Return a unique name for each row of an enterprise table: id, plus process if it has several."""
    several = frame["enterprise_id"].duplicated(keep=False)
    return [
        f"{i}:{p}" if s and p else str(i)
        for i, p, s in zip(frame["enterprise_id"], frame["product"], several, strict=True)
    ]


def _point_sources(table: Table, geography: Geography, shares: Shares) -> pd.DataFrame:
    frame = table.frame.copy()
    frame["county"] = checks.county_codes(frame, geography)
    _carbon(frame, frame["product"], shares)
    source = point_names(frame)
    frame = frame.rename(columns={"product": "subsector"}).assign(kind="point")
    return _finish(frame, table, source)


def _area_sources(table: Table, shares: Shares) -> pd.DataFrame:
    frame = table.frame.copy()
    _carbon(frame, frame["subsector"], shares)
    source = [str(s) for s in frame["source_id"]]
    name = [f"{SECTORS.get(s, s)} {sub}".strip() for s, sub in zip(frame["sector"], frame["subsector"], strict=True)]
    frame = frame.drop(columns="source_id").assign(kind="area", name=name)
    return _finish(frame, table, source)


def _ledger(table: Table, geography: Geography) -> pd.DataFrame:
    frame = table.frame.rename(columns={"source": "basis"})
    frame["origin"] = [table.origin(row) for row in frame.index]
    words = checks.county_words(geography)
    frame["county"] = [
        words.get((city, normalise(county)), "") for city, county in zip(frame["city"], frame["county"], strict=True)
    ]
    own = frame["standard_coal"] / frame["consumption"].where(frame["consumption"] > 0) * STANDARD_COAL
    frame["heating_value"] = frame["heating_value"].fillna(own)
    frame["year"] = frame["year"].fillna(0).astype(int)
    return frame.reset_index(drop=True)
