"""The coal balance by city, sector, fuel, rule, county and year."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from airsim.output import findings, words
from airsim.output.page import Grid
from airsim.output.sections import figures
from airsim.output.sections.figures import both, numbers, said
from airsim.output.words import Text

_COLOURS = (
    "#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#9c755f", "#bab0ac", "#499894",
)  # fmt: skip
YES, NO = Text("是", "yes"), Text("否", "NO")


def scope_note(coal: xr.Dataset) -> Text:
    """Return the scope and the rule, for every table."""
    a = {k: str(v) for k, v in coal.attrs.items()}
    zh, en = a.get("scope_zh", a.get("scope", "")), a.get("scope", "")
    rule = Text(a.get("rule_title_zh", a.get("rule", "")), a.get("rule_title_en", a.get("rule", "")))
    status = words.name(words.STATUSES, a.get("rule_status", ""))
    tail = Text(f"（{status.zh}）", f" ({status.en})") if status.en else Text("", "")
    return Text(f"口径：{zh}。规则：{rule.zh}{tail.zh}", f"Scope: {en}. Rule: {rule.en}{tail.en}")


def unit_of(coal: xr.Dataset) -> Text:
    """Return the unit that the test is printed in."""
    return Text("万吨标准煤", "10⁴ tce") if coal.attrs.get("unit") == "tce" else Text("万吨", "10⁴ t")


def cities(coal: xr.Dataset) -> list[str]:
    """Return the cities with coal of the scope in the order of the offices."""
    there = [str(c) for c in coal["city"].values if bool(coal["consumption"].sel(city=c).notnull().any())]
    return [c for c in words.CITY_ORDER if c in there] + [c for c in there if c not in words.CITY_ORDER]


def place(city: str | None) -> Text:
    """Return a city's name, that of the total for None."""
    return words.city(city) if city is not None else Text("合计", "total")


def _of(values: xr.DataArray, city: str | None) -> xr.DataArray:
    """Return the part of a city, or the sum of all."""
    return values.sum("city") if city is None else values.sel(city=city)


def change(after: float, before: float) -> float:
    """Return the relative change [1]; NaN where there was nothing before."""
    return after / before - 1.0 if before > 0 else float("nan")


def falls(flag: int) -> Text | str:
    """Return a verdict of the test as printed; cities without coal have none."""
    return YES if flag == 1 else NO if flag == 0 else "—"


def in_scope(coal: xr.Dataset) -> xr.DataArray:
    """Return the ledger's years in the scope, physical coal, (year, city) [t]."""
    ledger = coal["ledger"]
    fuels = str(coal.attrs.get("assessed_fuels", "")).split(", ")
    sectors = str(coal.attrs.get("assessed_sectors", "")).split(", ")
    if fuels == [""]:
        return ledger.sum(("sector", "fuel"))
    kept = ledger.sel(
        fuel=[f for f in ledger["fuel"].values if f in fuels],
        sector=[s for s in ledger["sector"].values if s in sectors],
    )
    return kept.sum(("sector", "fuel"))


def balance_grid(coal: xr.Dataset) -> Grid:
    """Return the balance by city; changes stand beside both years."""
    unit = unit_of(coal)
    tested = findings.coal_tested(coal).sum("sector") / 1e4
    lines = figures.lines_that_count(coal)
    before = base_change(coal)
    known = any(np.isfinite(v) for v in before.values())
    heads = [Text("城市", "city")]
    for n in lines:
        name = words.name(words.COAL_LINES, n)
        heads.append(Text(f"{name.zh}（{unit.zh}）", f"{name.en} [{unit.en}]"))
        if n == "base" and known:
            physical = coal.attrs.get("unit") == "tce"  # the ledger's other years carry tonnes alone
            heads.append(
                Text("同比（实物量）" if physical else "同比", "year on year" + (", tonnes" if physical else ""))
            )
    heads += [
        Text("同比", "change"),
        Text("负增长", "falls"),
        Text("目标年（万吨标准煤）", "target [10⁴ tce]"),
        Text("同比", "change"),
    ]
    digits = [0] + [d for n in lines for d in ((2, -3) if n == "base" and known else (2,))] + [-3, 0, 2, -3]
    energy = coal["consumption_tce"].sum("sector") / 1e4
    rows: list[list[Any]] = []
    for city in [*cities(coal), None]:
        row: list[Any] = [place(city)]
        for n in lines:
            row.append(float(_of(tested, city).sel(line=n)))
            if n == "base" and known:
                row.append(before[city or ""])
        growth = coal["growth_total"] if city is None else coal["growth"].sel(city=city)
        flag = coal["pass_total"] if city is None else coal["pass"].sel(city=city)
        target, base = float(_of(energy, city).sel(line="target")), float(_of(energy, city).sel(line="base"))
        rows.append([*row, float(growth), falls(int(flag)), target, change(target, base)])
    years = f"{coal.attrs['base_year']} → {coal.attrs['target_year']}"
    return Grid(
        Text("分城市煤炭平衡", f"Balance by city, {years}"), heads, rows, digits, scope_note(coal), printed=len(rows)
    )


def base_change(coal: xr.Dataset) -> dict[str, float]:
    """Return how the base year stood against the year before, by city and in all (empty key); NaN if not known [1]."""
    named = [str(c) for c in coal["city"].values]
    year = int(coal.attrs["base_year"])
    if "ledger" not in coal or not {year - 1, year} <= {int(y) for y in coal["year"].values}:
        return dict.fromkeys([*named, ""], float("nan"))
    now, before = (in_scope(coal).sel(year=y) for y in (year, year - 1))
    found = {c: change(float(now.sel(city=c)), float(before.sel(city=c))) for c in named}
    return found | {"": change(float(now.sum()), float(before.sum()))}


def sector_grid(coal: xr.Dataset) -> Grid:
    """Return base and target year by sector, in tonnes and in standard coal."""
    rows = []
    for sector in coal["sector"].values:
        row: list[Any] = [words.name(words.SECTORS, str(sector))]
        for name in ("consumption", "consumption_tce"):
            base, target = (float(coal[name].sel(sector=sector, line=n).sum()) for n in ("base", "target"))
            row += [base / 1e4, target / 1e4, change(target, base)]
        if row[1] or row[2]:
            rows.append(row)
    t, e = Text("万吨", "10⁴ t"), Text("万吨标准煤", "10⁴ tce")
    heads = [Text("行业", "sector")]
    for u in (t, e):
        heads += [
            Text(f"基准年（{u.zh}）", f"base [{u.en}]"),
            Text(f"目标年（{u.zh}）", f"target [{u.en}]"),
            Text("同比", "change"),
        ]
    return Grid(Text("分行业煤炭消费", "Coal by sector"), heads, rows, [0, 2, 2, -3, 2, 2, -3], scope_note(coal))


def rule_grid(coal: xr.Dataset) -> Grid:
    """Return the same balance as each dated rule assesses it, physical coal."""
    from airsim import rules
    from airsim.coal.ledger import scope_of
    from airsim.scenario import CoalScope

    def fuels(key: str) -> tuple[str, ...]:
        return tuple(f for f in str(coal.attrs.get(key, "")).split(", ") if f)

    asked = CoalScope.model_construct(
        society=coal.attrs.get("society", "whole"), include=fuels("included"), exclude=fuels("excluded"), unit="t"
    )
    rows: list[list[Any]] = []
    for rule in rules.versions("coal"):
        scope = scope_of(rule, asked)
        by_fuel = coal["consumption_by_fuel"]
        at = by_fuel.sel(
            fuel=[f for f in by_fuel["fuel"].values if f in scope.assessed],
            sector=[s for s in by_fuel["sector"].values if s in scope.sectors],
        )
        base, target = (float(at.sel(line=n).sum()) for n in ("base", "target"))
        growth = change(target, base)
        status = words.name(words.STATUSES, rule.weakest_status("not_assessed"))
        verdict = falls(int(growth < float(rule["target"]["growth_below"])))
        title, told = Text(rule.title_zh, rule.title_en), Text(scope.text_zh, scope.text)
        rows.append([rule.version, title, base / 1e4, target / 1e4, growth, verdict, told, status])
    heads = words.heads(
        "规则|rule",
        "文件|document",
        "基准年（万吨）|base [10⁴ t]",
        "目标年（万吨）|target [10⁴ t]",
        "同比|change",
        "负增长|falls",
        "口径|scope",
        "依据状态|status",
    )
    note = Text(
        "同一方案按各版规则计（实物量）；替代量是否有效见当前规则。",
        "The same plan under each rule (physical coal); whether its offsets are valid is told for the current rule.",
    )
    return Grid(Text("按各版规则核算", "Under each rule"), heads, rows, [0, 0, 2, 2, -3, 0, 0, 0], note)


def fuel_grid(coal: xr.Dataset) -> Grid:
    """Return base and target year of every fuel, and whether the test counts it."""
    assessed = str(coal.attrs.get("assessed_fuels", "")).split(", ")
    rows = []
    for fuel in coal["fuel"].values:
        at = coal["consumption_by_fuel"].sel(fuel=fuel)
        base, target = (float(at.sel(line=n).sum()) for n in ("base", "target"))
        if base or target:
            counted = YES if str(fuel) in assessed else Text("否", "no")
            rows.append([words.name(words.FUELS, str(fuel)), counted, base / 1e4, target / 1e4, change(target, base)])
    heads = words.heads(
        "煤种|fuel",
        "计入考核|assessed",
        "基准年（万吨）|base [10⁴ t]",
        "目标年（万吨）|target [10⁴ t]",
        "同比|change",
    )
    note = Text(
        "全部行业、全部燃料的实物量，含不计入考核者。" + scope_note(coal).zh,
        "Physical coal of all sectors and fuels, assessed or not. " + scope_note(coal).en,
    )
    return Grid(Text("分煤种消费", "Coal by fuel"), heads, rows, [0, 0, 2, 2, -3], note)


def county_grid(coal: xr.Dataset) -> Grid | None:
    """Return base and target year by county where the ledger knows counties."""
    if "consumption_county" not in coal:
        return None
    unit, rows = unit_of(coal), []
    for i, county in enumerate(coal["county_zh"].values):
        base, target = (float(coal["consumption_county"].sel(line=n)[i]) for n in ("base", "target"))
        city = words.city(str(coal["county_city"].values[i]))
        rows.append([city, str(county), base / 1e4, target / 1e4, change(target, base)])
    heads = words.heads(
        "城市|city",
        "县区|county",
        f"基准年（{unit.zh}）|base [{unit.en}]",
        f"目标年（{unit.zh}）|target [{unit.en}]",
        "同比|change",
    )
    return Grid(Text("分县区煤炭消费", "Coal by county"), heads, rows, [0, 0, 2, 2, -3], scope_note(coal))


def history_grid(coal: xr.Dataset) -> Grid:
    """Return the years of the ledger in the scope, each with its change on the year before."""
    history = in_scope(coal) / 1e4
    years = [int(y) for y in history["year"].values]
    heads = [Text("城市", "city")]
    for i, year in enumerate(years):
        heads.append(Text(f"{year} 年（万吨）", f"{year} [10⁴ t]"))
        heads += [Text("同比", "year on year")] if i else []
    rows = []
    for city in [*cities(coal), None]:
        series = (history.sum("city") if city is None else history.sel(city=city)).values
        row: list[Any] = [place(city)]
        for i, value in enumerate(series):
            row.append(float(value))
            row += [change(float(value), float(series[i - 1]))] if i else []
        rows.append(row)
    digits = [0, 2] + [2, -3] * (len(years) - 1)
    return Grid(Text("历年台账", "Ledger by year"), heads, rows, digits, scope_note(coal))


def detail_grids(coal: xr.Dataset) -> list[Grid]:
    """Return the balance by sector, fuel, county and year, as far as it holds them."""
    made = (
        sector_grid(coal),
        fuel_grid(coal) if "consumption_by_fuel" in coal else None,
        rule_grid(coal) if "consumption_by_fuel" in coal else None,
        county_grid(coal),
        history_grid(coal) if "ledger" in coal else None,
    )
    return [g for g in made if g is not None]


def by_city_figure(coal: xr.Dataset) -> figures.Figure:
    """Return base and target year by city, stacked by sector."""
    listed = cities(coal)
    tested = findings.coal_tested(coal) / 1e4
    data = []
    sectors = [str(s) for s in coal["sector"].values if float(tested.sel(sector=s, line=["base", "target"]).sum()) > 0]
    x = [
        [both(words.city(c)) for c in listed for _ in range(2)],
        [said(str(coal.attrs[k]), str(coal.attrs[k])) for k in ("base_year", "target_year")] * len(listed),
    ]
    for i, sector in enumerate(sectors):
        y = [float(tested.sel(city=c, sector=sector, line=n)) for c in listed for n in ("base", "target")]
        data.append(
            {
                "type": "bar",
                "x": x,
                "y": numbers(y, 2),
                "name": both(words.name(words.SECTORS, sector)),
                "marker": {"color": _COLOURS[i % len(_COLOURS)]},
                "hovertemplate": "%{y:,.1f}",
            }
        )
    layout = {
        "barmode": "stack",
        "margin": {"l": 60, "r": 10, "t": 10, "b": 60},
        "height": 380,
        "yaxis": {"title": {"text": both(unit_of(coal))}},
        "legend": {"orientation": "h", "y": 1.16},
    }
    about = said("分城市、分行业煤炭消费", "coal by city and sector")
    return {"id": "coal-cities", "about": about, "data": data, "layout": layout}
