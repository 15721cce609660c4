"""Daily means and AQI, as a calendar and as a table of all days."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim.output import findings, words
from airsim.output.findings import Findings
from airsim.output.page import Cell, Grid, Section
from airsim.output.words import Text

#: A page holds a month; longer runs show their most polluted days in the calendar.
_DAYS = 31
#: Rows of the table of all days that a page shows.
_ROWS = 30
_SPECIES = ("pm25", "pm10", "so2", "no2", "nox", "co")
_UNITS = {"co": "mg/m³"}


def section(tree: xr.DataTree, found: Findings) -> Section:
    """Return the section; a result without AQI has the daily means alone."""
    root = tree.to_dataset()
    table = daily(root, found)
    grids = [classes(), calendar(root, found), table] if "aqi" in root else [table]
    return Section(
        "aqi",
        Text("日均与 AQI", "Daily AQI"),
        grids=grids,
        heading=Text("日均 PM2.5 与 AQI", "Daily PM2.5 and AQI"),
        sheet=Text("AQI 日历", "AQI calendar"),
    )


def classes() -> Grid:
    """Return the classes of the AQI in their colours."""
    low, row = 0, []
    for upper, _, colour, ink in words.AQI_CLASSES:
        row.append(Cell(f"{low}–{upper}" if upper < 500 else f"＞{low - 1}", fill=(colour, ink)))
        low = upper + 1
    heads = [Text("级别", "class"), *(name for _, name, _, _ in words.AQI_CLASSES)]
    return Grid(Text("AQI 级别", "Classes of the AQI"), heads, [["AQI", *row]], [0] * len(heads))


def calendar(root: xr.Dataset, found: Findings) -> Grid:
    """Return the AQI of every city and case day by day, beside it the mean of PM2.5."""
    cases = [c for c in words.CASES if c in root["case"].to_numpy()]
    ids = list(found.cities.index)
    days = root["day"].to_numpy()
    index = root["aqi"].sel(city=ids, case=cases).transpose("case", "city", "day").to_numpy()
    pm25 = np.full(index.shape, np.nan)
    if "pm25_daily" in root:
        pm25 = root["pm25_daily"].sel(city=ids, case=cases).transpose("case", "city", "day").to_numpy()
    load = np.nan_to_num(root["aqi"].sel(case="base", city=ids).mean("city").to_numpy(), nan=-1.0)
    kept = np.sort(np.argsort(-load)[:_DAYS])
    rows = [
        [found.name(city), words.CASES[case], *(_day(index[k, i, j], pm25[k, i, j]) for j in kept)]
        for i, city in enumerate(ids)
        for k, case in enumerate(cases)
    ]
    dates = [f"{pd.Timestamp(days[j]):%m-%d}" for j in kept]
    return Grid(
        Text("AQI（括号内为 PM2.5 日均值 μg/m³）", "AQI (in brackets daily mean PM2.5 [μg/m³])"),
        [Text("城市", "city"), Text("情形", "case"), *(Text(d, d) for d in dates)],
        rows,
        [0] * (2 + len(kept)),
        _note(root["aqi"].attrs),
    )


def _day(aqi: float, pm25: float) -> Cell:
    known = words.aqi_class(aqi)
    mean = f"({pm25:,.0f})"
    return Cell(
        float(aqi), aside=Text(mean, mean) if np.isfinite(pm25) else None, fill=known[1:] if known is not None else None
    )


def _note(attrs: dict[Any, Any]) -> Text:
    rule = str(attrs.get("rule", ""))
    if not rule:
        comment = str(attrs.get("comment", ""))
        return Text(comment, comment)
    items = ", ".join(_item(i) for i in str(attrs.get("items", "")).split())
    missing = ", ".join(_item(i) for i in str(attrs.get("items_left_out", "")).split())
    return Text(
        f"按 {rule} 计算，参与项目：{items or '—'}" + (f"；未参与：{missing}" if missing else "") + "。",
        f"Counted by {rule} from {items or '—'}" + (f"; left out: {missing}" if missing else "") + ".",
    )


def _item(item: str) -> str:
    """Return an item of the AQI rule as printed: ``pm25_24h`` is ``PM2.5 (24h)``."""
    species, _, span = item.partition("_")
    name = {"o3": "O₃"}.get(species, words.name(words.POLLUTANTS, species).en)
    return f"{name} ({span})" if span else name


def daily(root: xr.Dataset, found: Findings) -> Grid:
    """Return the daily means of every pollutant, AQI and class by city and day."""
    cases = [c for c in words.CASES if c in root["case"].to_numpy()]
    means = {
        n: root[f"{n}_daily"] if f"{n}_daily" in root else findings.daily(root[n])
        for n in _SPECIES
        if f"{n}_daily" in root or n in root
    }
    days = [pd.Timestamp(d) for d in next(iter(means.values()))["day"].to_numpy()]
    heads = [Text("日期", "date"), Text("城市", "city")]
    digits = [0, 0]
    for n in means:
        unit = _UNITS.get(n, "μg/m³")
        for case in (words.CASES[c] for c in cases):
            name = words.POLLUTANTS[n]
            heads.append(Text(f"{name.zh} {case.zh}（{unit}）", f"{name.en} {case.en} [{unit}]"))
            digits.append(2 if n == "co" else 1)
    with_aqi = "aqi" in root
    if with_aqi:
        for kind in (Text("AQI", "AQI"), Text("级别", "class")):
            heads += [Text(f"{kind.zh} {words.CASES[c].zh}", f"{kind.en} {words.CASES[c].en}") for c in cases]
            digits += [0] * len(cases)
    # plain arrays: a label lookup a cell would take minutes for a year
    ids, axes = list(found.cities.index), ("city", "day", "case")
    # CO is spoken of in mg/m3
    series = [
        m.sel(city=ids, case=cases).transpose(*axes).to_numpy() * (1e-3 if n == "co" else 1.0) for n, m in means.items()
    ]
    index = root["aqi"].sel(city=ids, case=cases).transpose(*axes).to_numpy() if with_aqi else None
    rows = []
    for i, city in enumerate(ids):
        for j, day in enumerate(days):
            row: list[Any] = [day, found.name(city), *(float(v) for values in series for v in values[i, j])]
            if index is not None:
                known = [(float(v), words.aqi_class(v)) for v in index[i, j]]
                row += [Cell(v, fill=c[1:] if c else None) for v, c in known]
                row += [Cell(c[0] if c else "", fill=c[1:] if c else None) for _, c in known]
            rows.append(row)
    return Grid(
        Text("城市浓度（日均）", "Cities, daily means"),
        heads,
        rows,
        digits,
        folded=True,
        most=_ROWS,
        sheet=Text("城市浓度(日均)", "Cities (daily means)"),
    )
