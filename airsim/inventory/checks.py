"""What a table must hold to be believed; each check yields all its findings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import shapely

from airsim.errors import Problem
from airsim.geography import Geography
from airsim.tables import Note, Table, normalise

COUNTY_TOLERANCE = 5000.0
"""How far outside its county's simplified polygon a coordinate may lie [m]."""

_STANDARD_COAL = 29307.6  # kJ kg-1
_AMOUNTS = ("coal", "activity", "SO2", "NOx", "PM10", "PM25", "BC", "OC", "VOC", "NH3", "CO")
_BOUNDS = {  # smallest and largest value that can be meant
    "stack_height": (0.0, 400.0, "m"),
    "stack_diameter": (0.0, 30.0, "m"),
    "exit_velocity": (0.0, 60.0, "m s-1"),
    "exit_temperature": (250.0, 1500.0, "K"),
    "operating_days": (1.0, 366.0, "d"),
    "lines": (1.0, 1000.0, ""),
}
_STACK = ("stack_height", "stack_diameter", "exit_velocity", "exit_temperature")


def enterprises(table: Table, geography: Geography) -> Iterator[Problem]:
    """Check the enterprise table.

    Parameters
    ----------
    table : Table
        Read with the enterprise layout, cities and sectors as ids.
    geography : Geography

    Yields
    ------
    Problem
    """
    frame = table.frame
    yield from _amounts(table)
    yield from _particles(table)
    for column in _STACK:
        for row in frame.index[frame[column].isna()]:
            yield table.problem(row, column, "", "a stack parameter is missing", "缺少烟囱参数")
    for column, (low, high, unit) in _BOUNDS.items():
        yield from _between(table, column, low, high, unit)
    yield from _once(table, ["enterprise_id", "product"], "this enterprise and process", "企业与工序")
    yield from _once(table, ["name", "product"], "this enterprise name and process", "企业名称与工序")
    first: dict[str, tuple[int, str]] = {}
    for row, i, name in zip(frame.index, frame["enterprise_id"], frame["name"], strict=True):
        before, known = first.setdefault(i, (row, name))
        if known != name:
            said = f"is already that of '{known}' (row {before})"
            yield table.problem(row, "enterprise_id", i, said, f"该编号已用于“{known}”（第 {before} 行）")
    yield from _counties(table, geography)
    yield from _places(table, geography)


def doubled_codes(table: Table) -> Iterator[Note]:
    """Say which social credit code stands under two enterprise ids: one enterprise counted twice, or a slip."""
    frame = table.frame
    coded = frame[frame["credit_code"] != ""]
    for code, rows in coded.groupby("credit_code", sort=False):
        ids = list(dict.fromkeys(rows["enterprise_id"]))
        if len(ids) > 1:
            places = ", ".join(table.place(r, "credit_code") for r in rows.index)
            yield Note(
                f"{table.sheet.file}：统一社会信用代码 {code} 用于多个企业编号 {'、'.join(ids)}（{places}）",
                f"{table.sheet.file}: credit code {code} stands under several ids {', '.join(ids)} ({places})",
            )


def area_sources(table: Table, geography: Geography) -> Iterator[Problem]:
    """Check the area-source table; see `enterprises`."""
    yield from _amounts(table)
    yield from _particles(table)
    yield from _once(table, ["source_id"], "this source", "源编号")
    yield from _counties(table, geography)


def coal_ledger(table: Table, geography: Geography) -> Iterator[Problem]:
    """Check the coal ledger: amounts, whole years, no line twice, counties, standard coal, supply against use."""
    yield from _between(table, "consumption", 0.0, np.inf, "t")
    yield from _between(table, "heating_value", 1000.0, 40000.0, "kJ kg-1")
    if not table.units.get("heating_value"):
        low = table.frame["heating_value"]
        for row in low.index[(low >= 2000.0) & (low < 8000.0)]:
            yield table.problem(
                row, "heating_value", f"{low[row]:g}",
                "no unit is given and this looks like kcal/kg: write kJ/kg or kcal/kg into the header",
                "未注明单位，数值似为 kcal/kg：请在列名注明 kJ/kg 或 kcal/kg",
            )  # fmt: skip
    yield from _between(table, "year", 1990.0, 2100.0, "")
    year = table.frame["year"]
    for row in year.index[year != year.round()]:
        yield table.problem(row, "year", year[row], "must be a whole year", "须为整年")
    yield from _once(table, ["year", "city", "county", "sector", "fuel"], "this line of the ledger", "台账行")
    yield from _counties(table, geography)
    for column in ("standard_coal", "production", "inflow", "outflow"):
        yield from _between(table, column, 0.0, np.inf, "t")
    yield from _standard_coal(table)
    yield from _supply(table)


def _standard_coal(table: Table) -> Iterator[Problem]:
    """Tonnes x heating value must give the standard coal beside them, to the rounding of a table (1 %)."""
    f = table.frame
    made = f["consumption"] * f["heating_value"] / _STANDARD_COAL
    for row in f.index[(f["standard_coal"] - made).abs() > 0.01 * made + 1.0]:
        said = f"consumption x heating_value gives {made[row]:,.0f} tce"
        said_zh = f"消费量 × 低位发热量折合 {made[row]:,.0f} 吨标准煤"
        yield table.problem(row, "standard_coal", f"{f['standard_coal'][row]:,.0f}", said, said_zh)
    bare = f["standard_coal"] / f["consumption"].where(f["consumption"] > 0) * _STANDARD_COAL
    for row in f.index[f["heating_value"].isna() & ((bare < 1000) | (bare > 40000))]:
        said, said_zh = "standard coal and tonnes do not fit one another", "标准量与实物量不匹配（单位？）"
        yield table.problem(row, "standard_coal", f"{f['standard_coal'][row]:,.0f}", said, said_zh)


def _supply(table: Table) -> Iterator[Problem]:
    """Production + inflow - outflow + stock draw = consumption, by year, city, county and fuel, where given."""
    f = table.frame
    names = ["production", "inflow", "outflow", "stock_draw"]
    given = f[f[names].notna().any(axis=1)]
    if given.empty:
        return
    from airsim import rules

    tolerance = float(rules.load("coal", version="2018")["balance_tolerance"])
    key = ["year", "city", "county", "fuel"]
    used = f.groupby(key)["consumption"].sum().to_dict()
    for group, rows in given.groupby(key):
        p, i, o, s = rows[names].fillna(0.0).sum()
        there, burnt = p + i - o + s, float(used[group])
        if abs(there - burnt) > tolerance * burnt + 1.0:
            row = rows.index[0]
            sums = f"{p:,.0f} + {i:,.0f} - {o:,.0f} + {s:,.0f} = {there:,.0f} t"
            said = f"supply {sums}, but consumption is {burnt:,.0f} t (they may differ by {100 * tolerance:g} %)"
            said_zh = f"产量+调入-调出+库存减少 {sums}，消费量为 {burnt:,.0f} t（容许平衡差额 {100 * tolerance:g} %）"
            place = " ".join(str(g) for g in group if g != "")
            yield table.problem(row, "production", place, said, said_zh)


def county_words(geography: Geography) -> dict[tuple[str, str], str]:
    """Return (city, county code or name) -> county code."""
    counties = geography.counties
    return {
        (city, normalise(word)): str(code)
        for code, name, city in zip(counties.index, counties["name_zh"], counties["city"], strict=True)
        for word in (code, name)
    }


def county_codes(frame: pd.DataFrame, geography: Geography) -> list[str]:
    """Return each row's county code: as given (code or name), else that of the county around the point."""
    words = county_words(geography)
    points = shapely.points(frame["longitude"].to_numpy(float), frame["latitude"].to_numpy(float))
    tree = shapely.STRtree(geography.counties["geometry"].to_numpy())
    around = {
        int(point): str(geography.counties.index[county])
        for point, county in zip(*tree.query(points, predicate="within"), strict=True)
    }
    return [
        words.get((city, normalise(county))) or around.get(i, "")
        for i, (city, county) in enumerate(zip(frame["city"], frame["county"], strict=True))
    ]


def _amounts(table: Table) -> Iterator[Problem]:
    for column in _AMOUNTS:
        value = table.frame[column]
        for row in value.index[value < 0]:
            yield table.problem(row, column, f"{value[row]:g}", "must not be negative", "不得为负")


def _between(table: Table, column: str, low: float, high: float, unit: str) -> Iterator[Problem]:
    value = table.frame[column]
    bounds = f"at least {low:g}" + (f" and at most {high:g}" if np.isfinite(high) else "")
    bounds_zh = f"不小于 {low:g}" + (f" 且不大于 {high:g}" if np.isfinite(high) else "")
    for row in value.index[(value < low) | (value > high)]:
        said, said_zh = f"must be {bounds} {unit}".strip(), f"须{bounds_zh} {unit}".strip()
        yield table.problem(row, column, f"{value[row]:g}", said, said_zh)


def _particles(table: Table) -> Iterator[Problem]:
    """PM10 >= PM2.5 >= BC + 1.4 OC: organic matter is 1.4 times its carbon (White & Roberts 1977)."""
    f = table.frame
    carbon = f["BC"].fillna(0) + 1.4 * f["OC"].fillna(0)
    for key, part, name, whole in (
        ("PM25", f["PM25"], "PM2.5", "PM10"),
        ("BC", carbon, "BC + 1.4 OC", "PM25"),
    ):
        for row in f.index[part > f[whole] * (1 + 1e-4)]:  # tables are rounded
            most = f[whole][row]
            said, said_zh = f"{name} is more than {whole} ({most:g})", f"{name} 大于 {whole}（{most:g}）"
            yield table.problem(row, key, f"{part[row]:g}", said, said_zh)


def _once(table: Table, columns: list[str], what: str, what_zh: str) -> Iterator[Problem]:
    first: dict[tuple[str, ...], int] = {}
    for row, *key in table.frame[columns].itertuples():
        before = first.setdefault(tuple(normalise(k) for k in key), row)
        if before != row:
            value = " / ".join(str(k) for k in key)
            said = f"{what} stands twice (first in row {before})"
            yield table.problem(row, columns[0], value, said, f"{what_zh}重复（首见于第 {before} 行）")


def _counties(table: Table, geography: Geography) -> Iterator[Problem]:
    words = county_words(geography)
    for row, city, county in table.frame[["city", "county"]].itertuples():
        if county and (city, normalise(county)) not in words:
            said_zh = f"不是 {city} 的县区（名称或六位代码）"
            yield table.problem(row, "county", county, f"is no county of {city} (name or code)", said_zh)


def _places(table: Table, geography: Geography) -> Iterator[Problem]:
    """Check that coordinates lie in the region, and near the county, or without one the city, that is named.

    A source beside a small grid is none of this run's business and no mistake.
    """
    frame, grid, counties = table.frame, geography.grid, geography.counties
    lon, lat = frame["longitude"].to_numpy(float), frame["latitude"].to_numpy(float)
    west, south, east, north = shapely.total_bounds(counties["geometry"].to_numpy())

    def known(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        result: np.ndarray = (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
        return result

    inside, exchanged = known(lon, lat), known(lat, lon)
    x, y = grid.project(lon, lat)
    plane = np.asarray(
        shapely.transform(
            counties["geometry"].to_numpy(),
            lambda *lon_lat: np.stack(grid.project(*lon_lat)),
            interleaved=False,
        )
    )
    words = county_words(geography)
    for k, (row, city, county) in enumerate(frame[["city", "county"]].itertuples()):
        value = f"{lon[k]:g}, {lat[k]:g}"
        if not inside[k]:
            said, said_zh = "lies outside the region", "坐标在本区域之外"
            if exchanged[k]:
                said, said_zh = f"{said}; longitude and latitude are exchanged", f"{said_zh}；经纬度填反"
            yield table.problem(row, "longitude", value, said, said_zh)
            continue
        code = words.get((city, normalise(county)))
        named = counties.index == code if code else (counties["city"] == city).to_numpy()
        if not named.any():
            continue
        away = float(shapely.distance(plane[named], shapely.Point(x[k], y[k])).min())
        if away > COUNTY_TOLERANCE:
            place = str(counties.at[code, "name_zh"] if code else city)
            said = f"lies {away / 1000:.1f} km outside {place} (5 km are allowed)"
            said_zh = f"坐标距 {place} 边界 {away / 1000:.1f} 公里（容许 5 公里）"
            yield table.problem(row, "longitude", value, said, said_zh)
