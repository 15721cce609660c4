"""The result as one self-contained HTML page: opens without internet, prints, speaks Chinese and English."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import airsim
from airsim.errors import Lang
from airsim.files import write_bytes
from airsim.output import findings, words
from airsim.output import page as pages
from airsim.output.findings import Findings, group
from airsim.output.sections import attainment, figures, joint, response
from airsim.output.words import Text
from airsim.result import variables

_ASSETS = Path(__file__).resolve().parent / "assets"
#: Rows of the measures ledger that are printed; the workbook has them all.
_LEDGER_ROWS = 30
#: Modelled over observed January means outside this band are named.
_LEVEL_BAND = (0.5, 1.6)


def render(tree: xr.DataTree, path: Path, lang: Lang) -> None:
    """Write the report, whole or not at all.

    The page holds both languages; `lang` is the one it opens in. Sections whose group is absent are left out.

    Parameters
    ----------
    tree : DataTree
        A result as in `variables.csv`.
    path : Path
        The .html file.
    lang : {"zh", "en"}
        Language on opening.

    Raises
    ------
    InputError
        The file may not be written.
    """
    write_bytes(Path(path), html(tree, lang).encode("utf-8"))


def html(tree: xr.DataTree, lang: Lang) -> str:
    """Return the page's text; parameters as for `render`."""
    import jinja2
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "n0": lambda v: _number(v, 0),
        "n1": lambda v: _number(v, 1),
        "n2": lambda v: _number(v, 2),
        "percent": lambda v: _percent(v, 1),
        "percent0": lambda v: _percent(v, 0),
        "change": lambda v: _percent(v, 1, sign=True),
        "change2": lambda v: _percent(v, 2, sign=True),
        "day": lambda v: "—" if pd.isna(v) else f"{pd.Timestamp(v):%m-%d}",
        "shown": pages.shown,
    }
    environment.tests["phrase"] = lambda v: isinstance(v, Text)
    page = _page(tree)
    drawn = page.pop("drawn")
    block = json.dumps(drawn, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # inside <script> only "</" and "<!--" could end the block early
    block = block.replace("<", "\\u003c")
    return environment.from_string(_read("report.html.j2")).render(
        lang=lang,
        version=airsim.__version__,
        css=Markup(_read("report.css")),
        js=Markup(_read("report.js")),
        plotly=Markup(get_plotlyjs()),
        data=Markup(block),
        **page,
    )


def _read(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _number(value: float, digits: int) -> str:
    if not np.isfinite(value):
        return "—"
    return f"{value:,.{digits}f}".replace("-", "−")


def _percent(value: float, digits: int, *, sign: bool = False) -> str:
    if not np.isfinite(value):
        return "—"
    # adding zero turns a rounded -0.0 into 0.0
    return f"{round(100 * value, digits) + 0.0:{'+' if sign else ''}.{digits}f} %".replace("-", "−")


def _page(tree: xr.DataTree) -> dict[str, Any]:
    found = findings.find(tree)
    projected = attainment.section(tree, found)
    maps = figures.maps(tree, found)
    series = figures.series(tree, found)
    single = {
        "weather": figures.weather(tree, found),
        "waterfall": figures.waterfall(tree),
        "composition": figures.composition(tree, found),
        "sectors": figures.sectors(tree, found),
        "steps": figures.attribution(tree, found),
        "evaluation": figures.evaluation(tree, found),
        "projected": attainment.figure(projected),
    }
    plumes = figures.plumes(tree, found)
    together = joint.section(tree, found)
    coal, compliance = _coal(tree, found), _compliance(tree, found)
    responded = response.section(tree, found)
    aqi, ledger, evaluation = _aqi(tree, found), _ledger(tree, found), _evaluation(tree, found)
    if evaluation is not None:
        evaluation["figure"] = single["evaluation"] is not None
    budget, inputs, qualities, versions = _budget(tree), _inputs(tree), _qualities(tree), _versions(tree)
    present: Sequence[tuple[str, Text, object]] = (
        ("answer", Text("结论", "Answer"), True),
        ("attainment", Text("实测推算", "Observed, projected"), projected),
        ("maps", Text("分布图", "Maps"), maps),
        ("series", Text("逐时变化", "Hour by hour"), series),
        ("aqi", Text("日均与 AQI", "Daily AQI"), aqi),
        ("compliance", Text("减排比例", "Shares"), compliance),
        ("response", Text("应急效果", "Response"), responded),
        ("measures", Text("措施", "Measures"), ledger or single["sectors"] or single["steps"]),
        ("joint", Text("联防联控", "Joint control"), together),
        ("coal", Text("煤炭", "Coal"), coal),
        ("plume", Text("近场", "Near field"), plumes),
        ("composition", Text("组分", "Composition"), single["composition"]),
        ("evaluation", Text("与实测比较", "Observations"), evaluation),
        ("provenance", Text("输入与出处", "Inputs and sources"), budget or inputs or versions),
    )
    title = _title(tree)
    alerted = len(found.alerted) > 0
    return {
        "title": title,
        "period": _period(tree, found),
        "sections": [(key, name) for key, name, there in present if there],
        "found": found,
        "answers": (projected["answers"] if projected else []) + _answers(tree, found),
        "projected": projected,
        "cards": (projected["cards"] if projected else []) + _cards(found),
        "cities": found.cities.to_dict("records"),
        "heavy": "heavy_base" in found.cities,
        "maps": maps,
        "series": series,
        "weather": single["weather"],
        "aqi": aqi,
        "aqi_keys": _aqi_keys(),
        "compliance": compliance,
        "response": responded,
        "ledger": ledger,
        "sectors": single["sectors"],
        "steps": single["steps"],
        "steps_title": Text(
            "各类措施在预警时段平均削减的 PM2.5（按情景中的次序逐步加入）"
            if alerted
            else "各类措施平均削减的 PM2.5（按情景中的次序逐步加入）",
            "PM2.5 removed by each kind of measure, mean of the alert hours (added in the scenario's order)"
            if alerted
            else "PM2.5 removed by each kind of measure, mean (added in the scenario's order)",
        ),
        "sector_title": Text(
            "预警城市过程期间日均排放量（吨/天）" if alerted else "全部城市过程期间日均排放量（吨/天）",
            "Mean daily emission during the episode, alerted cities [t/d]"
            if alerted
            else "Mean daily emission during the episode, all cities [t/d]",
        ),
        "coal": coal,
        # one pollutant a site is enough at first sight
        "plumes": [f for f in plumes if f["first"]],
        "more_plumes": [f for f in plumes if not f["first"]],
        "near": _near(tree, found),
        "joint": together,
        "composition": single["composition"],
        "evaluation": evaluation,
        "budget": budget,
        "inputs": inputs,
        "qualities": qualities,
        "versions": versions,
        "drawn": {
            "title": {"zh": title.zh, "en": title.en},
            "maps": maps and maps | figures.MAP_COLOURS,
            "figures": [
                *series,
                *(f for f in single.values() if f),
                *plumes,
                *joint.figures_of(together),
                *response.figures(tree, found),
                *(coal["figures"] if coal else []),
            ],
        },
    }


def _near(tree: xr.DataTree, found: Findings) -> dict[str, Any] | None:
    """Return the near field in numbers: the worst point of each site, and the named places with their main sources."""
    near = findings.group(tree, "plume")
    if near is None:
        return None
    case = near.sel(case="base") if "case" in near.dims else near
    rows = []

    def row(kind: str, zh: str, en: str, at: xr.Dataset, names: tuple[str, ...], sources: str) -> dict[str, Any]:
        values = [float(at[n].max()) for n in names]
        return {"kind": kind, "zh": zh, "en": en, "values": values, "sources": sources}

    for pollutant in near["pollutant"].to_numpy() if "pollutant" in near.dims else []:
        label = words.name(words.POLLUTANTS, str(pollutant)).en
        if "hours_above" in case:
            for i, city in enumerate(near["site_city"].to_numpy()):
                at = case.isel(site=i).sel(pollutant=pollutant)
                name = found.name(str(city))
                fields = ("concentration_mean", "concentration_day", "concentration_max", "days_above", "hours_above")
                rows.append(row("site", name.zh, name.en, at, fields, "") | {"pollutant": label})
        for place in near["receptor"].to_numpy() if "receptor" in near.dims else []:
            at = case.sel(receptor=place, pollutant=pollutant)
            fields = ("receptor_mean", "receptor_day", "receptor_max", "receptor_days_above", "receptor_hours_above")
            by = at["receptor_contribution"].to_numpy()
            most = [k for k in by.argsort()[::-1][:3] if by[k] > 0.005 * by.sum()]
            listed = "；".join(f"{near['stack_name'].to_numpy()[k]} {100 * by[k] / by.sum():.0f} %" for k in most)
            rows.append(row("place", str(place), str(place), at, fields, listed) | {"pollutant": label})
    standard = Text(str(near.attrs.get("standard_zh", "")), str(near.attrs.get("standard", "")))
    return {"rows": rows, "standard": standard} if rows else None


def _title(tree: xr.DataTree) -> Text:
    name = str(tree.attrs.get("name", "airsim"))
    english = str(tree.attrs.get("title", name))
    return Text(str(tree.attrs.get("title_zh", english)), english)


def _period(tree: xr.DataTree, found: Findings) -> Text:
    hours = tree["time"].to_numpy() + findings.BEIJING
    first, last = pd.Timestamp(hours[0]), pd.Timestamp(hours[-1]) + pd.Timedelta(hours=1)
    zh = f"{first:%Y-%m-%d %H:%M} 至 {last:%Y-%m-%d %H:%M}（北京时间），{len(found.cities)} 个城市"
    en = f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} Beijing time, {len(found.cities)} cities"
    return Text(zh, en)


def _answers(tree: xr.DataTree, found: Findings) -> list[Text]:
    said: list[Text] = []
    effect, peak = found.effect(), found.peak_effect()
    if effect is not None:
        base, controlled, change = effect
        alone = found.alert_alone
        all_of_it = alone is None or abs(alone - change) < 5e-4
        judged = _against_published(change if alone is None else alone)
        total = _percent(change, 1, sign=True)
        zh, en = judged
        if not all_of_it and alone is not None:
            part = _percent(alone, 1, sign=True)
            zh = f"其中应急减排本身 {part}（相对常年措施之后的水平），其余来自常年措施；应急的降幅{judged.zh}"
            en = (
                f"The emergency cuts alone make {part} of what the permanent measures leave; the rest is theirs. "
                f"{judged.en}"
            )
        said.append(
            Text(
                f"预警期间，{len(found.alerted)} 个预警城市 PM2.5 平均由 {base:.0f} 降到 {controlled:.0f} μg/m³"
                f"（{total}）。{zh}",
                f"During the alert PM2.5 in the {len(found.alerted)} alerted cities falls on average from {base:.0f} "
                f"to {controlled:.0f} μg/m³ ({total}). {en}",
            )
        )
    elif peak is not None:
        said.append(
            Text(
                f"措施使各城市最重一天的 PM2.5 平均由 {peak[0]:.0f} 变为 {peak[1]:.0f} μg/m³"
                f"（{_percent(peak[2], 1, sign=True)}）。",
                f"The measures change PM2.5 on each city's worst day on average from {peak[0]:.0f} to {peak[1]:.0f} "
                f"μg/m³ ({_percent(peak[2], 1, sign=True)}).",
            )
        )
    else:
        said.append(
            Text(
                f"只计算了基准情形：各城市 PM2.5 过程均值 {found.cities['mean_base'].min():.0f} 至 "
                f"{found.cities['mean_base'].max():.0f} μg/m³。",
                f"Only the base case was run: mean PM2.5 of the cities is {found.cities['mean_base'].min():.0f} to "
                f"{found.cities['mean_base'].max():.0f} μg/m³.",
            )
        )
    for level in found.levels_called():
        rows = found.compliance[found.compliance["level"] == level]
        failing = list(rows.loc[~rows["all_pass"].astype(bool), "city"])
        name = words.name(words.LEVELS, level)
        zh = f"{name.zh}：{len(rows)} 个城市中 {len(rows) - len(failing)} 个达到全部减排比例要求"
        en = f"{len(rows) - len(failing)} of {len(rows)} cities reach all required shares"
        en = f"{name.en[0].upper()}{name.en[1:]}: {en}"
        if failing:
            zh += f"，未达标的是{'、'.join(found.cities.loc[failing, 'zh'])}"
            en += f"; failing: {', '.join(found.cities.loc[failing, 'en'])}"
        said.append(Text(zh + "。", en + "."))
    if found.coal is not None:
        said.append(_coal_verdict(found.coal))
    return said


def _against_published(change: float) -> Text:
    low, high = findings.PUBLISHED_EFFECT
    band = f"{_percent(high, 0)} ~ {_percent(low, 0)}"
    if low <= change <= high:
        zh, en = "与", "This is within"
    elif change > high:
        zh, en = "小于", "This is less than"
    else:
        zh, en = "大于", "This is more than"
    tail = "相当" if zh == "与" else ""
    return Text(
        f"{zh}已发表的红色预警评估（{band}，北京 2015 年 12 月、京津冀 2016 年 12 月）{tail}。",
        f"{en} what was published for red alerts ({band}; Beijing in December 2015, Beijing-Tianjin-Hebei in December "
        "2016).",
    )


def _cards(found: Findings) -> list[dict[str, Any]]:
    cards: list[dict[str, Any]] = []
    effect, peak, heavy = found.effect(), found.peak_effect(), found.heavy_days()
    where = (
        Text("预警城市平均", "mean of the alerted cities")
        if len(found.alerted)
        else Text("各城市平均", "mean of the cities")
    )
    for key, zh, en in (
        (effect, "预警期间 PM2.5", "PM2.5 during the alert"),
        (peak, "最重一天 PM2.5", "PM2.5 on the worst day"),
    ):
        if key is None:
            continue
        base, controlled, change = key
        big = _percent(change, 1, sign=True)
        cards.append(
            {
                "what": Text(zh, en),
                "big": Text(big, big),
                "detail": Text(
                    f"{where.zh} {base:.0f} → {controlled:.0f} μg/m³", f"{where.en} {base:.0f} → {controlled:.0f} μg/m³"
                ),
                "mood": "good" if change < 0 else "bad",
            }
        )
    if heavy is not None:
        big = f"{heavy[0]} → {heavy[1]}"
        cards.append(
            {
                "what": Text(
                    "重污染天数（预警城市合计）" if len(found.alerted) else "重污染天数（各城市合计）",
                    "heavy-pollution city-days, alerted cities" if len(found.alerted) else "heavy-pollution city-days",
                ),
                "big": Text(big, big),
                "detail": Text(f"AQI＞200，减少 {heavy[0] - heavy[1]} 天", f"AQI > 200, {heavy[0] - heavy[1]} fewer"),
                "mood": "good" if heavy[1] < heavy[0] else "",
            }
        )
    if len(found.compliance):
        parts, all_passed = [], True
        for level in found.levels_called():
            rows = found.compliance[found.compliance["level"] == level]
            passed = int(rows["all_pass"].sum())
            all_passed &= passed == len(rows)
            name = words.name(words.LEVELS, level)
            parts.append(Text(f"{name.zh[0]} {passed}/{len(rows)}", f"{level} {passed}/{len(rows)}"))
        cards.append(
            {
                "what": Text("减排比例达标城市", "cities reaching their shares"),
                "big": Text(" · ".join(p.zh for p in parts), " · ".join(p.en for p in parts)),
                "detail": Text("全部污染物及 SO₂+NOx 联合指标", "all pollutants and SO₂ + NOx jointly"),
                "mood": "good" if all_passed else "bad",
            }
        )
    if found.coal is not None:
        coal, big = found.coal, _percent(found.coal.growth, 2, sign=True)
        cards.append(
            {
                "what": Text(
                    f"煤炭消费 {coal.target_year} 年比 {coal.base_year} 年",
                    f"coal, {coal.target_year} against {coal.base_year}",
                ),
                "big": Text(big, big),
                "detail": Text(
                    "实现负增长" if coal.passed else "未实现负增长",
                    "negative growth reached" if coal.passed else "negative growth not reached",
                ),
                "mood": "good" if coal.passed else "bad",
            }
        )
    return cards


def _aqi(tree: xr.DataTree, found: Findings) -> dict[str, Any] | None:
    root = tree.to_dataset()
    if "aqi" not in root:
        return None
    cases = [c for c in ("base", "controlled") if c in root["case"].to_numpy()]
    ids = list(found.cities.index)
    days = root["day"].to_numpy()
    index = root["aqi"].sel(city=ids).transpose("case", "city", "day")
    pm25 = root["pm25_daily"].sel(city=ids).transpose("case", "city", "day") if "pm25_daily" in root else None
    # a page holds a month; longer runs show their most polluted days
    shown = np.sort(np.argsort(-np.nan_to_num(index.sel(case="base").mean("city").to_numpy(), nan=-1.0))[:31])
    rows = []
    for i, (_, city) in enumerate(found.cities.iterrows()):
        for case in cases:
            cells = []
            for j in shown:
                value = float(index.sel(case=case)[i, j])
                known = words.aqi_class(value)
                style = f"background:rgb{known[1]};color:{known[2]}" if known else ""
                mean = float(pm25.sel(case=case)[i, j]) if pm25 is not None else np.nan
                cells.append(
                    {"aqi": _number(value, 0), "pm25": _number(mean, 0) if np.isfinite(mean) else "", "style": style}
                )
            rows.append(
                {
                    "city": Text(city["zh"], city["en"]),
                    "case": words.CASES[case],
                    "cells": cells,
                    "first": case == cases[0],
                }
            )
    attrs = root["aqi"].attrs
    rule, left_out = attrs.get("rule", ""), attrs.get("items_left_out", "")
    items = ", ".join(_item(i) for i in str(attrs.get("items", "")).split())
    missing = ", ".join(_item(i) for i in str(left_out).split())
    if not rule:
        said = str(attrs.get("comment", ""))
        return {"days": _days(days, shown), "rows": rows, "note": Text(said, said)}
    zh = f"按 {rule} 计算，参与项目：{items or '—'}" + (f"；未参与：{missing}" if missing else "") + "。"
    en = f"Counted by {rule} from {items or '—'}" + (f"; left out: {missing}" if missing else "") + "."
    return {"days": _days(days, shown), "rows": rows, "note": Text(zh, en)}


def _days(days: np.ndarray, shown: np.ndarray) -> list[str]:
    return [f"{pd.Timestamp(days[j]):%m-%d}" for j in shown]


def _item(item: str) -> str:
    """Return an item of the AQI rule as printed: ``pm25_24h`` is ``PM2.5 (24h)``."""
    species, _, span = item.partition("_")
    name = {"o3": "O₃"}.get(species, words.name(words.POLLUTANTS, species).en)
    return f"{name} ({span})" if span else name


def _aqi_keys() -> list[dict[str, Any]]:
    keys, low = [], 0
    for upper, name, colour, ink in words.AQI_CLASSES:
        keys.append(
            {"name": name, "range": f"{low}–{upper}" if upper < 500 else f"＞{low - 1}", "colour": colour, "ink": ink}
        )
        low = upper + 1
    return keys


def _compliance(tree: xr.DataTree, found: Findings) -> dict[str, Any] | None:
    emergency = group(tree, "emergency")
    if emergency is None or found.compliance.empty:
        return None
    pollutants = [str(p) for p in emergency["pollutant"].to_numpy()]
    levels, missing = [], []
    for level in found.compliance["level"].unique():
        rows = []
        for row in found.compliance[found.compliance["level"] == level].to_dict("records"):
            city = found.name(row["city"])
            cells = [_share(row[f"share_{p}"], row[f"required_{p}"], row[f"pass_{p}"]) for p in pollutants]
            cells.append(_share(row["joint_share"], row["joint_required"], row["joint_pass"]))
            rows.append({"city": city, "cells": cells, "passed": row["all_pass"]})
            at = emergency.sel(level=level, city=row["city"])
            for pollutant in pollutants:
                one = at.sel(pollutant=pollutant)
                if int(one["pass"]) == 0 and "missing_kg_d" in one:
                    missing.append(
                        {
                            "level": words.name(words.LEVELS, level),
                            "city": city,
                            "pollutant": words.name(words.POLLUTANTS, pollutant),
                            "base": float(one["base_kg_d"]),
                            "cut": float(one["cut_kg_d"]),
                            "missing": float(one["missing_kg_d"]),
                        }
                    )
        levels.append({"name": words.name(words.LEVELS, level), "rows": rows})
    note = findings.plan_note(emergency)
    return {
        "levels": levels,
        "pollutants": [words.name(words.POLLUTANTS, p) for p in pollutants],
        "missing": missing,
        "note": note,
        "calls": _calls(tree, found),
    }


def _calls(tree: xr.DataTree, found: Findings) -> dict[str, Any] | None:
    """Return which alert the base case would have called for in each city under each dated plan."""
    from airsim.assess import aqi
    from airsim.emergency import calls
    from airsim.output.sections.emergency import level_name

    root = tree.to_dataset()
    names = [n for n in ("pm25", "pm10", "so2", "no2", "co") if n in root and "city" in root[n].dims]
    if "pm25" not in names or root.sizes.get("time", 0) < 24:
        return None
    base = root[names].sel(case="base", drop=True) if "case" in root.dims else root[names]
    table = calls(aqi.running_index(base, aqi.rule_in_force(root["time"].to_numpy()[0])))
    table = table[np.isfinite(table["peak"])]
    if table.empty:
        return None
    rows = [
        {
            "city": found.name(str(city)),
            "peak": float(part["peak"].iloc[0]),
            "levels": [level_name(str(level)) for level in part["level"]],
        }
        for city, part in table.groupby("city", sort=False)
    ]
    plans = table.drop_duplicates("plan")
    return {"plans": [Text(r.plan_title_zh, r.plan_title_en) for r in plans.itertuples()], "rows": rows}


def _share(share: float, required: float, verdict: float) -> dict[str, Any]:
    known = np.isfinite(share) and verdict >= 0
    # bars run to twice the requirement
    full = 2 * required if known and required > 0 else 1.0
    return {
        "known": known,
        "share": share,
        "required": required,
        "traded": known and verdict == 1 and share < required - 1e-9,
        "css": ("passing" if verdict == 1 else "failing") if known else "",
        "bar": round(100 * float(np.clip(share / full, 0, 1)), 1) if known else 0,
        "mark": 50,
    }


def _ledger(tree: xr.DataTree, found: Findings) -> dict[str, Any] | None:
    measures = group(tree, "measures")
    if measures is None:
        return None
    frame = measures.to_dataframe()
    for column in ("row_city", "row_sector", "row_source", "row_pollutant"):
        if column not in frame:
            frame[column] = ""
    totals = frame.pivot_table(
        index=["row_measure", "row_unit"], columns="row_pollutant", values="removed", aggfunc="sum", sort=False
    )
    sums = [
        {"measure": words.measure(measure), "unit": _unit(unit), "cells": list(values)}
        for (measure, unit), values in zip(totals.index.to_list(), totals.to_numpy(), strict=True)
    ]
    largest = frame.sort_values("removed", ascending=False, kind="stable").head(_LEDGER_ROWS)
    rows = [
        {
            "measure": words.measure(r["row_measure"]),
            "city": found.name(r["row_city"]),
            "sector": words.name(words.SECTORS, r["row_sector"]),
            "source": r["row_source"],
            "pollutant": words.substance(r["row_pollutant"]),
            "removed": r["removed"],
            "unit": _unit(r["row_unit"]),
        }
        for r in largest.to_dict("records")
    ]
    n, shown = len(frame), len(rows)
    return {
        "columns": [words.substance(str(p)) for p in totals.columns],
        "totals": sums,
        "rows": rows,
        "heading": Text(
            f"台账中减少量最大的 {shown} 行（共 {n} 行，全部见 Excel 工作簿）",
            f"The {shown} largest of {n} ledger rows (all are in the workbook)",
        ),
    }


def _unit(units: str) -> Text:
    return Text(variables.unit_label(units, "zh"), variables.unit_label(units, "en"))


def _coal_verdict(coal: findings.Coal) -> Text:
    change = _percent(coal.growth, 2, sign=True)
    return Text(
        f"煤炭消费量由 {coal.base_year} 年的 {coal.base / 1e4:,.1f} 万吨变为 {coal.target_year} 年的 "
        f"{coal.target / 1e4:,.1f} 万吨（{change}），{'实现' if coal.passed else '未实现'}负增长。",
        f"Coal consumption goes from {coal.base / 1e6:,.2f} Mt in {coal.base_year} to {coal.target / 1e6:,.2f} Mt in "
        f"{coal.target_year} ({change}): negative growth is {'reached' if coal.passed else 'not reached'}.",
    )


def _coal(tree: xr.DataTree, found: Findings) -> dict[str, Any] | None:
    coal = group(tree, "coal")
    if coal is None or found.coal is None:
        return None
    from airsim.output.sections import coal as coal_pages

    whole = coal
    in_air = coal_pages.benefit_in_air(tree)
    coal = coal.sel(line=figures.lines_that_count(coal))
    amount = findings.coal_tested(coal).sum("sector", min_count=1) / 1e4
    rows = []
    for city in found.cities.index:
        values = amount.sel(city=city).to_numpy()
        if np.isnan(values).all():
            continue
        growth, passed = float(coal["growth"].sel(city=city)), int(coal["pass"].sel(city=city)) == 1
        rows.append(
            {"city": found.name(city), "cells": list(values), "growth": growth, "passed": passed, "total": False}
        )
    rows.append(
        {
            "city": Text("合计", "total"),
            "cells": list(amount.sum("city").to_numpy()),
            "growth": found.coal.growth,
            "passed": found.coal.passed,
            "total": True,
        }
    )
    attrs = coal.attrs
    rule = {k: str(attrs.get(f"rule_title_{k}", attrs.get("rule", ""))) for k in ("zh", "en")}
    status = words.name(words.STATUSES, str(attrs.get("rule_status", "")))
    zh, en = f"口径：{found.coal.scope.zh}。核算规则：{rule['zh']}", f"Scope: {found.coal.scope.en}. Rule: {rule['en']}"
    if status.en:
        zh, en = f"{zh}（依据状态：{status.zh}）", f"{en} (status: {status.en})"
    non_power = float(attrs.get("growth_non_power", np.nan))
    if np.isfinite(non_power):
        change = _percent(non_power, 2, sign=True)
        zh, en = f"{zh}。其中非电力用煤 {change}", f"{en}. Coal other than power: {change}"
    outside = float(attrs.get("induced_outside_t", 0.0))
    if outside > 0:
        zh += f"。电能替代另在区域外电厂增加用煤 {outside / 1e4:.1f} 万吨，不计入上表"
        en += f". Electrification burns another {outside / 1e6:.3f} Mt in power stations outside, not in the table"
    return {
        "verdict": _coal_verdict(found.coal),
        "lines": [words.name(words.COAL_LINES, str(n)) for n in coal["line"].to_numpy()],
        "rows": rows,
        "note": Text(zh + "。", en + "."),
        "unit": coal_pages.unit_of(whole),
        "figures": coal_pages.charts(whole),
        "grids": [*([in_air] if in_air else []), *coal_pages.grids(whole)],
    }


def _evaluation(tree: xr.DataTree, found: Findings) -> dict[str, Any] | None:
    compared = group(tree, "evaluation")
    if compared is None or "observed_mean" not in compared or "pm25" not in compared["variable"].to_numpy():
        return None
    pm25 = compared.sel(variable="pm25")
    rows: list[dict[str, Any]] = []
    for city in found.cities.index:
        at = pm25.sel(city=city)
        if np.isfinite(at["observed_mean"]):
            observed, modelled = float(at["observed_mean"]), float(at["modelled_mean"])
            rows.append(
                {"city": found.name(city), "observed": observed, "modelled": modelled, "ratio": modelled / observed}
            )
    if not rows:
        return None
    ratios = np.array([r["ratio"] for r in rows])
    outside = [r["city"] for r in rows if not _LEVEL_BAND[0] <= r["ratio"] <= _LEVEL_BAND[1]]
    period, source = (str(compared.attrs.get(k, "")) for k in ("period", "source"))
    spread = f"{ratios.min():.2f} 至 {ratios.max():.2f}"
    zh = f"{len(rows)} 个有观测的城市，模拟均值为观测均值（{period}，{source}）的 {spread} 倍，"
    en = (
        f"In the {len(rows)} cities with observations ({period}, {source}) the modelled mean is {ratios.min():.2f} to "
        f"{ratios.max():.2f} of the observed one, "
    )
    zh += f"中位数 {np.median(ratios):.2f}。"
    en += f"median {np.median(ratios):.2f}."
    low, high = _LEVEL_BAND
    if outside:
        zh += f"超出 {low}–{high} 倍、不宜采信其绝对浓度的有：{'、'.join(c.zh for c in outside)}。"
        en += f" Outside {low}–{high}, where absolute levels should not be trusted: {', '.join(c.en for c in outside)}."
    else:
        zh += f"全部在 {low}–{high} 倍之内，即量级相当，并不说明逐日逐时准确。"
        en += f" All lie within {low}–{high}: right in order of magnitude, which says nothing of single days."
    said = [Text(zh, en)]
    weather = group(tree, "meteorology")
    if weather is not None and weather.attrs.get("synthetic") == "yes":
        said.append(
            Text(
                "天气是合成的，因此不与观测逐时配对；这里只看均值量级、日变化形状和城市高低次序。",
                "The weather is synthetic, so hours are not paired with observations: only levels, the shape of the "
                "day and the order of the cities are compared.",
            )
        )
    if "rank_correlation" in pm25 and np.isfinite(pm25["rank_correlation"]):
        rank = float(pm25["rank_correlation"])
        said.append(
            Text(
                f"城市高低次序的秩相关系数为 {_number(rank, 2)}（1 为次序完全一致）。",
                f"Rank correlation of the cities is {_number(rank, 2)} (1: same order).",
            )
        )
    if "diurnal_correlation" in pm25:
        correlation = pm25["diurnal_correlation"].to_numpy()
        if np.isfinite(correlation).any():
            middle = _number(float(np.nanmedian(correlation)), 2)
            said.append(
                Text(
                    f"日变化形状与观测的相关系数，各城市中位数 {middle}。",
                    f"Correlation of the diurnal cycle with the observed one, median of the cities: {middle}.",
                )
            )
    note = str(compared.attrs.get("note", ""))
    if note:
        said.append(Text(str(compared.attrs.get("note_zh", note)), note))
    return {"words": said, "rows": rows, "scores": _scores(compared, found)}


def _scores(compared: xr.Dataset, found: Findings) -> list[dict[str, Any]]:
    """Return the measures of daily PM2.5 by city; empty on synthetic weather, whose days are never paired."""
    if "daily_score" not in compared:
        return []
    at = compared.sel(variable="pm25")
    return [
        {
            "city": found.name(city),
            "days": float(at["daily_pairs"].sel(city=city)),
            "shares": at["daily_score"].sel(city=city, measure=["nmb", "nme", "mfb", "mfe", "fac2"]).values.tolist(),
            "numbers": at["daily_score"].sel(city=city, measure=["r", "ioa"]).values.tolist(),
        }
        for city in found.cities.index
        if float(at["daily_pairs"].sel(city=city)) > 0
    ]


def _budget(tree: xr.DataTree) -> dict[str, Any] | None:
    budget = group(tree, "budget")
    if budget is None:
        return None
    if "case" in budget.dims:
        budget = budget.sel(case="base")
    names = [n for n in words.BUDGET if n in budget]
    rows = []
    for tracer in budget["tracer"].to_numpy():
        one = budget.sel(tracer=tracer)
        cells = [f"{float(one[n]):.1e}" if n == "closure" else _number(float(one[n]) / 1e3, 0) for n in names]
        rows.append({"name": str(tracer), "cells": cells})
    note = str(budget.attrs.get("undershoot", ""))
    return {
        "columns": [words.BUDGET[n] for n in names],
        "rows": rows,
        "note": Text(f"数值欠冲：{note}", f"Numerical undershoot: {note}") if note else None,
    }


def _inputs(tree: xr.DataTree) -> list[dict[str, Any]]:
    provenance = group(tree, "provenance")
    if provenance is None or "input_file" not in provenance:
        return []
    columns = ("input_file", "input_kind", "input_note", "input_note_zh", "input_sha256")
    rows = zip(*(provenance[c].to_numpy().astype(str) for c in columns), strict=True)
    return [
        {"file": file, "kind": words.name(words.KINDS, kind), "note": Text(note_zh or note, note), "sha256": sha256}
        for file, kind, note, note_zh, sha256 in rows
    ]


def _qualities(tree: xr.DataTree) -> dict[str, Any] | None:
    provenance = group(tree, "provenance")
    if provenance is None or "emission_share" not in provenance:
        return None
    share = provenance["emission_share"].transpose("quality", "pollutant")
    return {
        "pollutants": [words.name(words.POLLUTANTS, str(p)) for p in share["pollutant"].to_numpy()],
        "rows": [
            {"name": words.name(words.QUALITIES, str(q)), "cells": list(values)}
            for q, values in zip(share["quality"].to_numpy(), share.to_numpy(), strict=True)
        ],
    }


def _versions(tree: xr.DataTree) -> str:
    provenance = group(tree, "provenance")
    if provenance is None or "package_name" not in provenance:
        return ""
    pairs: Mapping[str, str] = dict(
        zip(provenance["package_name"].to_numpy(), provenance["package_version"].to_numpy(), strict=True)
    )
    return ", ".join(f"{name} {version}" for name, version in pairs.items())
