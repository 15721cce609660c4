"""The coal balance as words, charts and tables: for the report, for `airsim coal`, and for its workbook."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim.coal.advice import HOMES
from airsim.errors import Lang
from airsim.output import findings, words
from airsim.output.page import Grid, Page, Section
from airsim.output.sections import coal_tests, figures
from airsim.output.sections.figures import both, numbers, said
from airsim.output.words import Text

_COLOURS = (
    "#4e79a7",
    "#f28e2b",
    "#e15759",
    "#76b7b2",
    "#59a14f",
    "#edc948",
    "#b07aa1",
    "#9c755f",
    "#bab0ac",
    "#499894",
)
_YES, _NO = Text("是", "yes"), Text("否", "NO")


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


def _heads(*pairs: str) -> list[Text]:
    """Return column heads from ``"中文|English"``."""
    return [Text(*p.split("|")) for p in pairs]


def _names() -> dict[str, Text]:
    from airsim.geography import CITIES

    return {c.id: Text(c.name_zh, c.name_en) for c in CITIES}


def _cities(coal: xr.Dataset) -> list[str]:
    """Return the cities with coal of the scope in the order of the offices."""
    there = [str(c) for c in coal["city"].values if bool(coal["consumption"].sel(city=c).notnull().any())]
    return [c for c in words.CITY_ORDER if c in there] + [c for c in there if c not in words.CITY_ORDER]


def _of(values: xr.DataArray, city: str | None) -> xr.DataArray:
    """Return the part of a city, or the sum of all."""
    return values.sum("city") if city is None else values.sel(city=city)


def _change(after: float, before: float) -> float:
    return after / before - 1.0 if before > 0 else float("nan")


def _verdict(flag: int) -> Text | str:
    return _YES if flag == 1 else _NO if flag == 0 else "—"


def _in_scope(coal: xr.Dataset) -> xr.DataArray:
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
    names, unit, note = _names(), unit_of(coal), scope_note(coal)
    tested = findings.coal_tested(coal).sum("sector") / 1e4
    lines = figures.lines_that_count(coal)
    before = base_change(coal)
    known = any(np.isfinite(v) for v in before.values())
    heads = [Text("城市", "city")]
    for n in lines:
        heads.append(
            Text(
                f"{words.name(words.COAL_LINES, n).zh}（{unit.zh}）",
                f"{words.name(words.COAL_LINES, n).en} [{unit.en}]",
            )
        )
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
    for city in [*_cities(coal), None]:
        row: list[Any] = [words.name(names, city) if city else Text("合计", "total")]
        for n in lines:
            row.append(float(_of(tested, city).sel(line=n)))
            if n == "base" and known:
                row.append(before[city or ""])
        growth = coal["growth_total"] if city is None else coal["growth"].sel(city=city)
        flag = coal["pass_total"] if city is None else coal["pass"].sel(city=city)
        target, base = float(_of(energy, city).sel(line="target")), float(_of(energy, city).sel(line="base"))
        rows.append([*row, float(growth), _verdict(int(flag)), target, _change(target, base)])
    years = f"{coal.attrs['base_year']} → {coal.attrs['target_year']}"
    return Grid(Text("分城市煤炭平衡", f"Balance by city, {years}"), heads, rows, digits, note)


def base_change(coal: xr.Dataset) -> dict[str, float]:
    """Return how the base year stood against the year before, by city and in all (empty key); NaN if not known [1]."""
    cities = [str(c) for c in coal["city"].values]
    year = int(coal.attrs["base_year"])
    if "ledger" not in coal or not {year - 1, year} <= {int(y) for y in coal["year"].values}:
        return dict.fromkeys([*cities, ""], float("nan"))
    now, before = (_in_scope(coal).sel(year=y) for y in (year, year - 1))
    found = {c: _change(float(now.sel(city=c)), float(before.sel(city=c))) for c in cities}
    return found | {"": _change(float(now.sum()), float(before.sum()))}


def sector_grid(coal: xr.Dataset) -> Grid:
    """Return base and target year by sector, in tonnes and in standard coal."""
    rows = []
    for sector in coal["sector"].values:
        row: list[Any] = [words.name(words.SECTORS, str(sector))]
        for name in ("consumption", "consumption_tce"):
            base, target = (float(coal[name].sel(sector=sector, line=n).sum()) for n in ("base", "target"))
            row += [base / 1e4, target / 1e4, _change(target, base)]
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
        change = _change(target, base)
        status = words.name(words.STATUSES, rule.weakest_status("not_assessed"))
        falls = _verdict(int(change < float(rule["target"]["growth_below"])))
        title = Text(rule.title_zh, rule.title_en)
        rows.append(
            [rule.version, title, base / 1e4, target / 1e4, change, falls, Text(scope.text_zh, scope.text), status]
        )
    heads = _heads(
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
            name = words.name(words.FUELS, str(fuel))
            rows.append(
                [
                    name,
                    _YES if str(fuel) in assessed else Text("否", "no"),
                    base / 1e4,
                    target / 1e4,
                    _change(target, base),
                ]
            )
    heads = _heads(
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
    names, unit = _names(), unit_of(coal)
    rows = []
    for i, county in enumerate(coal["county_zh"].values):
        base, target = (float(coal["consumption_county"].sel(line=n)[i]) for n in ("base", "target"))
        city = words.name(names, str(coal["county_city"].values[i]))
        rows.append([city, str(county), base / 1e4, target / 1e4, _change(target, base)])
    heads = _heads(
        "城市|city",
        "县区|county",
        f"基准年（{unit.zh}）|base [{unit.en}]",
        f"目标年（{unit.zh}）|target [{unit.en}]",
        "同比|change",
    )
    return Grid(Text("分县区煤炭消费", "Coal by county"), heads, rows, [0, 0, 2, 2, -3], scope_note(coal))


def history_grid(coal: xr.Dataset) -> Grid:
    """Return the years of the ledger in the scope, each with its change on the year before."""
    names, history = _names(), _in_scope(coal) / 1e4
    years = [int(y) for y in history["year"].values]
    heads = [Text("城市", "city")]
    for i, year in enumerate(years):
        heads.append(Text(f"{year} 年（万吨）", f"{year} [10⁴ t]"))
        heads += [Text("同比", "year on year")] if i else []
    rows = []
    for city in [*_cities(coal), None]:
        series = (history.sum("city") if city is None else history.sel(city=city)).values
        row: list[Any] = [words.name(names, city) if city else Text("合计", "total")]
        for i, value in enumerate(series):
            row.append(float(value))
            row += [_change(float(value), float(series[i - 1]))] if i else []
        rows.append(row)
    digits = [0, 2] + [2, -3] * (len(years) - 1)
    return Grid(Text("历年台账", "Ledger by year"), heads, rows, digits, scope_note(coal))


def finding_lines(coal: xr.Dataset, lang: Lang) -> list[str]:
    """Return offsets that are missing and limits that are exceeded as lines for a console."""
    zh, names, lines = lang == "zh", _names(), []
    for p in coal["project"].values if "offset_required" in coal else ():
        need, have = float(coal["offset_required"].sel(project=p)), float(coal["offset_pledged"].sel(project=p))
        if have < need * (1 - 1e-9):
            lines.append(
                f"减量替代不足：{p} 应替代 {need / 1e4:,.1f} 万吨，已落实 {have / 1e4:,.1f}，"
                f"尚缺 {(need - have) / 1e4:,.1f}"
                if zh
                else f"offsets missing: {p} must offset {need / 1e3:,.0f} kt, has {have / 1e3:,.0f}, "
                f"lacks {(need - have) / 1e3:,.0f}"
            )
    for i in range(coal.sizes["exceedance"] if "limit_city" in coal else 0):
        at = {n: coal[f"limit_{n}"].values[i] for n in ("city", "kind", "month", "demand", "capacity", "excess")}
        gas = str(at["kind"]) == "gas"
        scale, unit = (1e4, "万立方米/日" if zh else "10^4 m3/d") if gas else (1.0, "兆瓦" if zh else "MW")
        city, kind = words.name(names, str(at["city"])), words.name(words.LIMITS, str(at["kind"]))
        demand, capacity, excess = (float(at[n]) / scale for n in ("demand", "capacity", "excess"))
        lines.append(
            f"超出{kind.zh}：{city.zh} {int(at['month'])} 月需 {demand:,.1f}，能力 {capacity:,.1f}，"
            f"超出 {excess:,.1f} {unit}"
            if zh
            else f"beyond {kind.en}: {city.en}, month {int(at['month'])}: {demand:,.1f} asked, {capacity:,.1f} there, "
            f"{excess:,.1f} {unit} too much"
        )
    for i in range(coal.sizes["move"] if "move_city" in coal else 0):
        at = {n: coal[f"move_{n}"].values[i] for n in ("measure", "fallback", "share", "tonnes")}
        to = words.name(words.ROUTES, str(at["fallback"]))
        kilo = float(at["tonnes"]) / (1e4 if zh else 1e3)
        done = (
            (f"改走{to.zh}" if zh else f"by {to.en} instead")
            if str(at["fallback"])
            else ("未替代" if zh else "not done")
        )
        lines.append(
            f"受限：{at['measure']} 的 {float(at['share']):.0%}（{kilo:,.1f} 万吨）{done}"
            if zh
            else f"limited: {float(at['share']):.0%} of {at['measure']} ({kilo:,.1f} kt) {done}"
        )
    return lines


def benefit_grids(coal: xr.Dataset) -> list[Grid]:
    """Return what the measures avoid besides coal, by measure and by city."""
    if "avoided" not in coal:
        return []
    names = _names()
    units = (
        Text("煤（万吨）", "coal [10⁴ t]"),
        Text("SO₂（吨）", "SO₂ [t]"),
        Text("NOx（吨）", "NOx [t]"),
        Text("PM2.5（吨）", "PM2.5 [t]"),
        Text("CO₂（万吨）", "CO₂ [10⁴ t]"),
    )
    scale = np.array([1e-4, 1, 1, 1, 1e-4])
    inside = coal["avoided"].sum("city").values * scale
    outside = coal["avoided_outside"].values * scale
    rows: list[list[Any]] = [
        [
            words.measure(str(m)),
            *map(float, inside[i]),
            float(outside[i, 0]),
            float(outside[i, 4]),
            float(coal["cost_state"][i]) / 1e4,
            float(coal["cost_user"][i]) / 1e4,
        ]
        for i, m in enumerate(coal["coal_measure"].values)
    ]
    total = [*inside.sum(0), outside[:, 0].sum(), outside[:, 4].sum()]
    costs = [float(coal[n].sum()) / 1e4 for n in ("cost_state", "cost_user")]
    rows.append([Text("合计", "total"), *map(float, total), *costs])
    heads = [
        Text("措施", "measure"),
        *units,
        Text("控制城市以外煤（万吨）", "coal outside [10⁴ t]"),
        Text("控制城市以外 CO₂（万吨）", "CO₂ outside [10⁴ t]"),
        Text("财政（万元/年）", "state [10⁴ CNY/a]"),
        Text("用户（万元/年）", "users [10⁴ CNY/a]"),
    ]
    status = words.name(words.STATUSES, str(coal.attrs.get("cost_status", "estimate")))
    note = Text(
        f"与煤炭平衡同一台账行；正值为减少，负值为增加；煤为全部煤种净值。费用参数：{status.zh}。",
        f"From the same rows as the balance; negative: added; coal is the net of all fuels. Cost figures: {status.en}.",
    )
    grids = [
        Grid(
            Text("措施的协同效益与费用", "Co-benefits and cost by measure"),
            heads,
            rows,
            [0, 2, 0, 0, 0, 2, 2, 2, 0, 0],
            note,
        )
    ]
    by_city = coal["avoided"].sum("coal_measure")
    rows = [[words.name(names, c), *map(float, by_city.sel(city=c).values * scale)] for c in _cities(coal)]
    rows.append([Text("合计", "total"), *map(float, by_city.sum("city").values * scale)])
    grids.append(
        Grid(
            Text("分城市协同效益", "Co-benefits by city"),
            [Text("城市", "city"), *units],
            rows,
            [0, 2, 0, 0, 0, 2],
            note,
        )
    )
    return grids


def offset_grids(coal: xr.Dataset) -> list[Grid]:
    """Return what new projects must offset and have claimed, and the pledges tonne by tonne."""
    if "offset_required" not in coal:
        return []
    rows: list[list[Any]] = []
    for p in coal["project"].values:
        need, have = float(coal["offset_required"].sel(project=p)), float(coal["offset_pledged"].sel(project=p))
        rows.append(
            [str(p), need / 1e4, have / 1e4, max(0.0, need - have) / 1e4, _YES if have >= need * (1 - 1e-9) else _NO]
        )
    heads = _heads(
        "新建项目|new project",
        "应替代（万吨）|required [10⁴ t]",
        "已落实（万吨）|pledged [10⁴ t]",
        "缺口（万吨）|missing [10⁴ t]",
        "足额|covered",
    )
    grids = [
        Grid(Text("新建项目煤炭减量替代", "Offsets of new projects"), heads, rows, [0, 2, 2, 2, 0], scope_note(coal))
    ]
    if "pledge_tonnes" in coal:
        rows = [
            [str(p), str(r), float(t) / 1e4]
            for p, r, t in zip(
                coal["pledge_project"].values,
                coal["pledge_reduction"].values,
                coal["pledge_tonnes"].values,
                strict=True,
            )
        ]
        heads = _heads(
            "新建项目|new project",
            "减煤来源|reduction",
            "替代量（万吨）|tonnes [10⁴ t]",
        )
        grids.append(Grid(Text("替代量逐项台账", "Pledges"), heads, rows, [0, 0, 4], scope_note(coal)))
    return grids


def limit_grids(coal: xr.Dataset) -> list[Grid]:
    """Return the months beyond the limits, and what a binding limit moved or stopped."""
    names, grids = _names(), []
    if "limit_city" in coal:
        rows: list[list[Any]] = []
        for i in range(coal.sizes["exceedance"]):
            at = {
                n: coal[f"limit_{n}"].values[i]
                for n in ("city", "kind", "month", "demand", "capacity", "excess", "volume", "measures")
            }
            gas = str(at["kind"]) == "gas"
            scale = 1e4 if gas else 1.0
            unit = Text("万立方米/日", "10⁴ m³/d") if gas else Text("兆瓦", "MW")
            over = (
                Text(f"{at['volume'] / 1e4:,.1f} 万立方米", f"{at['volume'] / 1e4:,.1f}·10⁴ m³")
                if gas
                else Text(f"{at['volume'] / 10:,.0f} 万千瓦时", f"{at['volume']:,.0f} MWh")
            )
            rows.append(
                [
                    words.name(names, str(at["city"])),
                    words.name(words.LIMITS, str(at["kind"])),
                    Text(f"{int(at['month'])} 月", f"{int(at['month'])}"),
                    float(at["demand"]) / scale,
                    float(at["capacity"]) / scale,
                    float(at["excess"]) / scale,
                    unit,
                    over,
                    str(at["measures"]),
                ]
            )
        heads = _heads(
            "城市|city",
            "约束|limit",
            "月份|month",
            "需求|demand",
            "能力|capacity",
            "超出|excess",
            "单位|unit",
            "全月超出|over the month",
            "涉及措施|measures",
        )
        note = Text(
            "气按当月日均，电与热按当月峰值负荷；年内按采暖度日分配，系数为估计。",
            "Gas as the mean of a day, grid and heat by the month's peak; spread by degree days, factors estimated.",
        )
        grids.append(
            Grid(
                Text("超出供气、电网、热网能力的月份", "Months beyond the limits"),
                heads,
                rows,
                [0, 0, 0, 1, 1, 1, 0, 0, 0],
                note,
            )
        )
    if "move_city" in coal:
        rows = []
        for i in range(coal.sizes["move"]):
            at = {
                n: coal[f"move_{n}"].values[i]
                for n in ("measure", "city", "kind", "route", "fallback", "share", "tonnes")
            }
            to = (
                words.name(words.ROUTES, str(at["fallback"]))
                if str(at["fallback"])
                else Text("未替代，仍烧煤", "none, coal stays")
            )
            rows.append(
                [
                    words.measure(str(at["measure"])),
                    words.name(names, str(at["city"])),
                    words.name(words.LIMITS, str(at["kind"])),
                    words.name(words.ROUTES, str(at["route"])),
                    to,
                    float(at["share"]),
                    float(at["tonnes"]) / 1e4,
                ]
            )
        heads = _heads(
            "措施|measure",
            "城市|city",
            "受限于|limit",
            "原定路径|route",
            "改走|instead",
            "比例|share",
            "煤量（万吨）|coal [10⁴ t]",
        )
        grids.append(
            Grid(
                Text("受限后改走其他路径或未实施的部分", "What the limits moved or stopped"),
                heads,
                rows,
                [0, 0, 0, 0, 0, -2, 2],
                scope_note(coal),
            )
        )
    return grids


def probability_grids(coal: xr.Dataset) -> list[Grid]:
    """Return the probability of negative growth by city, and the uncertain inputs by what they decide."""
    if "probability" not in coal:
        return []
    names, unit, rows = _names(), unit_of(coal), []
    wanted = f"{float(coal.attrs.get('wanted_probability', 0.9)):.0%}"
    for city in [*_cities(coal), None]:
        one = {
            n: coal[f"{n}_total"] if city is None else coal[n].sel(city=city)
            for n in (
                "growth",
                "probability",
                "probability_error",
                "change_quantile",
                "extra_needed",
                "extra_households",
            )
        }
        spread = one["change_quantile"]
        rows.append(
            [
                words.name(names, city) if city else Text("合计", "total"),
                float(one["growth"]),
                float(one["probability"]),
                float(one["probability_error"]),
                float(spread.sel(quantile=0.05)),
                float(spread.sel(quantile=0.5)),
                float(spread.sel(quantile=0.95)),
                float(one["extra_needed"]) / 1e4,
                float(one["extra_households"]) / 1e4,
            ]
        )
    heads = _heads(
        "城市|city",
        "点值增长率|point value",
        "负增长概率|P(falls)",
        "标准误|standard error",
        "5 % 分位|5 %",
        "中位|median",
        "95 % 分位|95 %",
        f"达到 {wanted} 尚需替代（{unit.zh}）|extra for {wanted} [{unit.en}]",
        "折合万户|10⁴ homes",
    )
    grids = [
        Grid(
            Text("负增长的概率", "Probability of negative growth"),
            heads,
            rows,
            [0, -3, -2, -3, -3, -3, -3, 2, 2],
            scope_note(coal),
        )
    ]
    if "uncertain_input" in coal:
        rows = [
            [
                coal_tests.input_name(coal, i),
                str(coal["input_distribution"].values[i]),
                Text("假设", "assumed") if int(coal["input_assumed"].values[i]) == 1 else Text("已声明", "declared"),
                float(coal["sobol_first"].values[i]),
                float(coal["sobol_total"].values[i]),
                float(coal["swing_low"].values[i]) / 1e4,
                float(coal["swing_high"].values[i]) / 1e4,
                str(coal["input_basis"].values[i]),
            ]
            for i in range(coal.sizes["uncertain_input"])
        ]
        heads = _heads(
            "不确定来源|input",
            "分布|distribution",
            "性质|status",
            "一阶 Sobol|first-order",
            "总 Sobol|total",
            f"5 % 时变化（{unit.zh}）|change at 5 % [{unit.en}]",
            f"95 % 时变化（{unit.zh}）|change at 95 % [{unit.en}]",
            "依据|basis",
        )
        grids.append(
            Grid(
                Text("哪个不确定来源说了算", "Which input decides"),
                heads,
                rows,
                [0, 0, 0, 2, 2, 1, 1, 0],
                scope_note(coal),
            )
        )
    return grids


def by_city_figure(coal: xr.Dataset) -> dict[str, Any]:
    """Return base and target year by city, stacked by sector."""
    names, cities = _names(), _cities(coal)
    tested = findings.coal_tested(coal) / 1e4
    data = []
    sectors = [str(s) for s in coal["sector"].values if float(tested.sel(sector=s, line=["base", "target"]).sum()) > 0]
    x = [
        [both(words.name(names, c)) for c in cities for _ in range(2)],
        [
            said(str(coal.attrs["base_year"]), str(coal.attrs["base_year"])),
            said(str(coal.attrs["target_year"]), str(coal.attrs["target_year"])),
        ]
        * len(cities),
    ]
    for i, sector in enumerate(sectors):
        y = [float(tested.sel(city=c, sector=sector, line=n)) for c in cities for n in ("base", "target")]
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
    return {
        "id": "coal-cities",
        "about": said("分城市、分行业煤炭消费", "coal by city and sector"),
        "data": data,
        "layout": layout,
    }


def curve_figure(coal: xr.Dataset) -> dict[str, Any] | None:
    """Return the probability of negative growth over extra substitution."""
    if "probability_curve" not in coal:
        return None
    x, y = coal["extra_substitution"].values / 1e4, coal["probability_curve"].values
    wanted = float(coal.attrs.get("wanted_probability", np.nan))
    need = float(coal["extra_needed_total"]) / 1e4
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": numbers(x, 3),
            "y": numbers(y, 4),
            "line": {"color": "#1f5fa8", "width": 2},
            "name": said("概率", "probability"),
        }
    ]
    if np.isfinite(need) and np.isfinite(wanted):
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": numbers([need], 3),
                "y": numbers([wanted], 4),
                "marker": {"size": 10, "color": "#c62828"},
                "name": said(f"达到 {wanted:.0%}", f"reaches {wanted:.0%}"),
            }
        )
    layout = {
        "margin": {"l": 60, "r": 10, "t": 10, "b": 50},
        "height": 320,
        "xaxis": {
            "title": {
                "text": said(
                    f"在方案基础上追加的替代量（{unit_of(coal).zh}）",
                    f"substitution on top of the plan [{unit_of(coal).en}]",
                )
            }
        },
        "yaxis": {
            "title": {"text": said("负增长概率", "P(consumption falls)")},
            "range": [0, 1.02],
            "tickformat": ".0%",
        },
        "showlegend": False,
    }
    return {
        "id": "coal-curve",
        "about": said("负增长概率曲线", "probability of negative growth"),
        "data": data,
        "layout": layout,
    }


def tornado_figure(coal: xr.Dataset, most: int = 12) -> dict[str, Any] | None:
    """Return how far each uncertain input alone moves the change, the largest on top."""
    if "uncertain_input" not in coal or not coal.sizes["uncertain_input"]:
        return None
    centre = float(coal["swing_centre"]) / 1e4 if "swing_centre" in coal else 0.0
    low, high = coal["swing_low"].values / 1e4, coal["swing_high"].values / 1e4
    order = np.argsort(np.abs(high - low))[-most:]
    label = [both(coal_tests.input_name(coal, i)) for i in order]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "y": label,
            "x": numbers(v[order] - centre, 3),
            "base": [round(centre, 3)] * len(order),
            "name": name,
            "marker": {"color": colour},
            "hovertemplate": "%{x:,.1f}",
        }
        for v, name, colour in (
            (low, said("5 % 分位", "at 5 %"), "#76b7b2"),
            (high, said("95 % 分位", "at 95 %"), "#e15759"),
        )
    ]
    layout = {
        "barmode": "overlay",
        "margin": {"l": 220, "r": 10, "t": 10, "b": 50},
        "height": 120 + 26 * len(order),
        "xaxis": {
            "title": {
                "text": said(f"煤炭消费变化量（{unit_of(coal).zh}）", f"change of consumption [{unit_of(coal).en}]")
            }
        },
        "yaxis": {"automargin": True},
        "legend": {"orientation": "h", "y": 1.08},
        "shapes": [
            {
                "type": "line",
                "x0": 0,
                "x1": 0,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": {"dash": "dot", "color": "#555"},
            }
        ],
    }
    return {"id": "coal-tornado", "about": said("龙卷风图", "tornado chart"), "data": data, "layout": layout}


def charts(coal: xr.Dataset) -> list[dict[str, Any]]:
    """Return the charts beside the waterfall."""
    made = (
        by_city_figure(coal),
        curve_figure(coal),
        tornado_figure(coal),
        coal_tests.decomposition_figure(coal),
        coal_tests.inspection_figure(coal),
    )
    return [f for f in made if f is not None]


def benefit_in_air(tree: xr.DataTree) -> Grid | None:
    """Return what the coal measures take from PM2.5 by city where a run tells it, mean of the period."""
    removed = findings.group(tree, "attribution")
    if removed is None:
        return None
    kinds = {
        "coal_substitution",
        "retire",
        "new_project",
        "efficiency",
        "clean_coal_supply",
        "activity_growth",
        "weather",
    }
    steps = [s for s in removed["step"].values if any(k in str(s) for k in kinds)]
    if not steps:
        return None
    names, mean = _names(), removed["pm25_removed"].mean("time")
    cities = [str(c) for c in mean["city"].values if bool(mean.sel(city=c).notnull().all())]
    rows = [
        [
            words.name(names, c),
            *(float(mean.sel(city=c, step=s)) for s in steps),
            float(mean.sel(city=c, step=steps).sum()),
        ]
        for c in cities
    ]
    heads = [Text("城市", "city"), *(words.measure(str(s)) for s in steps), Text("合计", "total")]
    return Grid(
        Text(
            "控煤措施减少的 PM2.5（μg/m³，时段平均）", "PM2.5 that the coal measures remove [μg/m³, mean of the period]"
        ),
        heads,
        rows,
        [0] + [2] * (len(steps) + 1),
    )


def grids(coal: xr.Dataset) -> list[Grid]:
    """Return all tables of a balance but the one by city."""
    return [
        *probability_grids(coal),
        *coal_tests.decomposition_grids(coal),
        *benefit_grids(coal),
        *offset_grids(coal),
        *limit_grids(coal),
        *coal_tests.inspection_grids(coal),
        *detail_grids(coal),
    ]


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


def advice_grid(advice: pd.DataFrame) -> Grid:
    """Return the ranking of the heating routes as a table.

    Parameters
    ----------
    advice : DataFrame
        From `airsim.coal.advice.advise`.
    """
    from airsim.coal.counties import county_names

    names, counties, felt = _names(), county_names(), advice.attrs["benefit"] == "operator"
    rows = []
    for r in advice.to_dict("records"):
        county = counties.get(r["county"], r["county"])
        city = words.name(names, r["city"])
        place = Text(f"{city.zh} {county}".strip(), f"{city.en} {county}".strip())
        stop = words.name(words.LIMITS, r["limited_by"]) if r["limited_by"] else Text("—", "-")
        a_home = (r["cost_state"] + r["cost_user"]) / r["homes"]
        scale = HOMES / r["homes"]
        rows.append(
            [
                place,
                float(r["rank"]),
                words.name(words.ROUTES, r["route"]),
                r["homes_possible"] / 1e4,
                stop,
                r["coal"] * scale / 1e4,
                abs(r["induced_coal"]) * scale / 1e4,
                a_home,
                r["cost_user"] / r["homes"],
                r["cost_per_tonne"],
                r["SO2"] * scale,
                r["NOx"] * scale,
                r["PM25"] * scale,
                r["CO2"] * scale / 1e4,
                r["pm25_city"] * scale,
                r["pm25_mean"] * scale,
            ]
        )
    heads = _heads(
        "地区|place",
        "排序|rank",
        "路径|route",
        "尚可改造（万户）|possible [10⁴ homes]",
        "受限于|limit",
        "减煤（万吨）|coal saved [10⁴ t]",
        "引起用煤（万吨）|coal induced [10⁴ t]",
        "年费用（元/户）|cost [CNY/home/a]",
        "其中用户（元/户）|of it the user [CNY/home/a]",
        "吨煤费用（元/吨）|cost [CNY/t coal]",
        "SO₂（吨）|SO₂ [t]",
        "NOx（吨）|NOx [t]",
        "PM2.5（吨）|PM2.5 [t]",
        "CO₂（万吨）|CO₂ [10⁴ t]",
        "本市 PM2.5（μg/m³）|PM2.5 here [μg/m³]",
        "各市平均（μg/m³）|mean of cities [μg/m³]",
    )
    basis = Text(
        "PM2.5 效益取自已存的输送算子（该情景时段平均）"
        if felt
        else "没有合用的已存输送算子，PM2.5 效益按排放吨数比较",
        "PM2.5 benefit from the stored transport operator (mean of the scenario's period)"
        if felt
        else "no stored operator fits: PM2.5 benefit is compared by the tonnes emitted",
    )
    known = Text(
        "已扣除本方案占用的供气、电网、热网能力"
        if advice.attrs["limits"]
        else "情景未给出供气、电网、热网能力，未作限制",
        "capacity that the plan takes is deducted"
        if advice.attrs["limits"]
        else "the scenario gives no limits, so none holds",
    )
    status = words.name(words.STATUSES, advice.attrs["status"])
    note = Text(
        f"每万户比较；先看网络能否承接，再按单位 PM2.5 效益的年费用排序。{basis.zh}；{known.zh}。"
        f"效率与费用参数：{status.zh}。",
        "Per 10⁴ homes; routes that the networks carry come first, then by yearly cost per PM2.5 benefit; "
        f"{basis.en}; {known.en}. Efficiencies and costs: {status.en}.",
    )
    digits = [0, 0, 0, 2, 0, 2, 2, 0, 0, 0, 1, 1, 1, 2, 3, 3]
    return Grid(
        Text("宜电则电、宜气则气、宜热则热、宜煤则煤：路径比较", "Heating routes compared"), heads, rows, digits, note
    )


def lines_of(grid: Grid, lang: Lang) -> list[str]:
    """Return a table as lines that a GBK console can show."""
    from airsim.output.console import columns
    from airsim.output.page import shown

    rows = [[h.of(lang) for h in grid.head]]
    rows += [
        [v.of(lang) if isinstance(v, Text) else shown(v, d) for v, d in zip(row, grid.digits, strict=True)]
        for row in grid.rows
    ]
    lines = [grid.title.of(lang), *([grid.note.of(lang)] if grid.note else []), *columns(rows)]
    plain = "\n".join(lines).replace("10⁴", "10^4").translate(str.maketrans("₂₃−³²μ–", "23-32u-"))
    return plain.encode("gbk", "replace").decode("gbk").splitlines()


def page(tree: xr.DataTree, advice: Grid | None = None) -> Page:
    """Return the coal balance of `airsim coal` as a page.

    Parameters
    ----------
    tree : DataTree
        With the group ``/coal``.
    advice : Grid, optional
        From `advice_grid`.
    """
    from airsim.output.html import _coal_verdict

    coal = findings.group(tree, "coal")
    found = findings._coal(coal)
    assert coal is not None
    assert found is not None
    answers = [_coal_verdict(found)]
    if "probability_total" in coal:
        p = float(coal["probability_total"])
        answers.append(
            Text(
                f"计入不确定性后，实现负增长的概率为 {p:.1%}。",
                f"With the uncertainties counted, consumption falls with a probability of {p:.1%}.",
            )
        )
    if "offset_required" in coal:
        missing = float((coal["offset_required"] - coal["offset_pledged"]).clip(min=0).sum()) / 1e4
        if missing > 1e-6:
            answers.append(
                Text(
                    f"新建项目的煤炭减量替代尚缺 {missing:,.1f} 万吨。",
                    f"New projects lack offsets of {missing:,.1f}·10⁴ t.",
                )
            )
    if "limit_city" in coal:
        n = coal.sizes["exceedance"]
        bound = coal.attrs.get("limits") == "bind"
        answers.append(
            Text(
                f"供气、电网或热网能力在 {n} 个城市月份被超出，"
                + ("超出部分未实施或改走其他路径。" if bound else "此处只提示，未削减方案。"),
                f"Gas, grid or heat networks are exceeded in {n} city-months; "
                + (
                    "the excess did not happen or took another route."
                    if bound
                    else "this is reported only, the plan stands as written."
                ),
            )
        )
    outside = float(coal.attrs.get("induced_outside_t", 0.0)) / 1e4
    if outside:
        answers.append(
            Text(
                f"替代电力另在区域外电厂用煤 {outside:,.1f} 万吨，不计入合计。",
                f"Another {outside:,.1f}·10⁴ t burn in power stations outside, not in the total.",
            )
        )
    title = Text(str(tree.attrs.get("title_zh", "")), str(tree.attrs.get("title", "")))
    period = Text(
        f"煤炭平衡，{found.base_year} → {found.target_year} 年",
        f"Coal balance, {found.base_year} → {found.target_year}",
    )
    waterfall = figures.waterfall(tree)
    drawn = ([waterfall | {"about": said("煤炭平衡瀑布图", "waterfall of the balance")}] if waterfall else []) + charts(
        coal
    )
    named = {f["id"]: f for f in drawn}
    benefits, offsets, limits = benefit_grids(coal), offset_grids(coal), limit_grids(coal)
    sections = [
        Section(
            "balance",
            Text("煤炭平衡", "Balance"),
            [
                scope_note(coal),
                Text(
                    "瀑布图纵轴不从零开始，以便看清各项。",
                    "The axis of the waterfall does not begin at zero, so that the steps can be seen.",
                ),
            ],
            [f for k, f in named.items() if k in {"waterfall", "coal-cities"}],
            [balance_grid(coal)],
        ),
        Section(
            "probability",
            Text("负增长概率", "Probability"),
            [],
            [f for k, f in named.items() if k in {"coal-curve", "coal-tornado"}],
            probability_grids(coal),
        ),
        Section(
            "decomposition",
            Text("因素分解", "Decomposition"),
            [],
            [f for k, f in named.items() if k == "coal-lmdi"],
            coal_tests.decomposition_grids(coal),
        ),
        Section(
            "inspection",
            Text("洁净煤抽检", "Clean coal"),
            [],
            [f for k, f in named.items() if k == "coal-inspection"],
            coal_tests.inspection_grids(coal),
        ),
        Section("benefit", Text("协同效益", "Co-benefits"), [], [], benefits),
        Section("offsets", Text("减量替代", "Offsets"), [], [], offsets),
        Section("limits", Text("供气、电网、热网", "Limits"), [], [], limits),
        Section("advice", Text("路径比较", "Routes"), [], [], [advice] if advice else []),
        Section("detail", Text("分行业、煤种、年份", "Detail"), [], [], detail_grids(coal)),
    ]
    notices = [
        Text(
            "措施的户数、蒸吨、执行率、返煤率，以及供气、电网、热网能力均取自情景文件，其依据以情景文件注明的为准。",
            "Homes, boilers, execution and reburn rates and the limits are the scenario's own; what they rest on is "
            "what the scenario file says.",
        ),
        Text(
            "台账中各行的质量不同（填报、推算、估计），见随附表的“数据质量”列；"
            "规则、替代路径与费用参数的可靠程度在各表注明。",
            "The rows of the ledger differ in quality (reported, derived, estimated; column `quality`); how well "
            "rules, routes and costs are known stands at each table.",
        ),
    ]
    return Page(title, period, notices, answers, [s for s in sections if s.grids or s.figures])
