"""Decomposition and clean-coal inspection of a coal balance as words, charts and tables; lines for the console."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from airsim.errors import Lang
from airsim.output import words
from airsim.output.page import Grid
from airsim.output.sections.figures import both, numbers, said
from airsim.output.words import Text

FACTORS = {
    "activity": Text("活动水平", "activity"),
    "structure": Text("结构", "structure"),
    "intensity": Text("强度（能效与替代）", "intensity (efficiency, substitution)"),
    "fuel_mix": Text("煤种与煤质", "fuel mix and quality"),
    "weather": Text("气候（采暖度日）", "weather (degree days)"),
}
STAGES = {
    "production": Text("生产", "production"),
    "distribution": Text("流通", "distribution"),
    "use": Text("使用", "use"),
}
_VERDICTS = {
    -1: Text("未抽检", "not sampled"),
    0: Text("样本不足以判定", "not shown"),
    1: Text("可判定达到", "shown"),
    2: Text("可判定未达到", "refuted"),
}


def _names() -> dict[str, Text]:
    from airsim.geography import CITIES

    return {c.id: Text(c.name_zh, c.name_en) for c in CITIES}


def _unit(coal: xr.Dataset) -> Text:
    return Text("万吨标准煤", "10⁴ tce") if coal.attrs.get("unit") == "tce" else Text("万吨", "10⁴ t")


def _qualities(text: str) -> Text:
    found = [words.name(words.QUALITIES | words.KINDS, q.strip()) for q in text.split(",") if q.strip()]
    return Text("、".join(q.zh for q in found), ", ".join(q.en for q in found))


def _flat(value: float, digits: int) -> float:
    """Return a number as it is printed, without the minus of a rounded zero."""
    return round(float(value), digits) + 0.0


def input_name(coal: xr.Dataset, i: int) -> Text:
    """Return what an uncertain input is called, its measure by the name that the other tables use."""
    zh, en = (str(coal[n].values[i]) for n in ("input_label_zh", "input_label"))
    _, _, measure = str(coal["uncertain_input"].values[i]).partition(":")
    if not (measure and zh.endswith(measure) and en.endswith(measure)):
        return Text(zh, en)
    named = words.measure(measure)
    if measure.startswith("growth "):
        number = measure.removeprefix("growth ")
        named = Text(f"第 {number} 条", f"entry {number}")
    return Text(zh.removesuffix(measure) + named.zh, en.removesuffix(measure) + named.en)


# --------------------------------------------------------------------------------------------------------
# decomposition


def _activity_note(coal: xr.Dataset) -> Text:
    quality = _qualities(str(coal.attrs.get("activity_quality", "")))
    target = str(coal.attrs.get("target_year", ""))
    zh = (
        f"LMDI-I（Ang 2005），零值按 Ang、Zhang 与 Choi（1998）；{target} 年为平衡表的目标值。"
        f"活动水平数据：{quality.zh}。"
    )
    en = (
        f"LMDI-I (Ang 2005), zeros after Ang, Zhang & Choi (1998); {target} is the target of the balance. "
        f"Activity: {quality.en}."
    )
    return Text(zh, en)


def decomposition_figure(coal: xr.Dataset) -> dict[str, Any] | None:
    """Return the factors of each period as one waterfall from the first year to the last."""
    if "lmdi_additive" not in coal:
        return None
    unit = _unit(coal)
    start = coal["lmdi_start"].values / 1e4
    change = coal["lmdi_change"].values / 1e4
    parts = coal["lmdi_additive"].values / 1e4
    periods = [str(p).split("-") for p in coal["period"].values]
    names: list[Any] = [periods[0][0]]
    y, kind = [float(start[0])], ["absolute"]
    level, levels = float(start[0]), [float(start[0])]
    for i, (_, last) in enumerate(periods):
        shown = parts[i]
        for j, factor in enumerate(coal["lmdi_factor"].values):
            names.append(both(FACTORS[str(factor)]))
            y.append(float(shown[j]))
            kind.append("relative")
            level += float(shown[j])
            levels.append(level)
        names.append(last)
        y.append(float(start[i] + change[i]))
        kind.append("total")
    text = [f"{_flat(v, 1):+,.1f}" if k == "relative" else f"{v:,.1f}" for v, k in zip(y, kind, strict=True)]
    low, high = min(levels), max(levels)
    span = max(high - low, 0.01 * high)
    trace = {
        "type": "waterfall",
        "x": list(range(len(y))),
        "y": numbers(y, 3),
        "measure": kind,
        "text": text,
        "textposition": "outside",
        "cliponaxis": False,
        "increasing": {"marker": {"color": "#c62828"}},
        "decreasing": {"marker": {"color": "#2e7d32"}},
        "totals": {"marker": {"color": "#455a64"}},
    }
    layout = {
        "margin": {"l": 60, "r": 10, "t": 20, "b": 130},
        "height": 380,
        # names return with every period: the places are numbers
        "xaxis": {"tickmode": "array", "tickvals": list(range(len(y))), "ticktext": names, "tickangle": -40},
        # the factors are small against the whole: the axis is cut and says so
        "yaxis": {
            "title": {"text": said(f"{unit.zh}（不从零起）", f"{unit.en} (axis cut)")},
            "range": [max(0.0, low - 0.4 * span), high + 0.25 * span],
        },
        "showlegend": False,
    }
    about = said("煤炭消费变化的因素分解（纵轴不从零开始）", "factors of the change of coal use (axis cut)")
    return {"id": "coal-lmdi", "about": about, "data": [trace], "layout": layout}


def decomposition_grids(coal: xr.Dataset) -> list[Grid]:
    """Return the contributions of the factors, for all cities and for each city by itself."""
    if "lmdi_additive" not in coal:
        return []
    unit, names, note = _unit(coal), _names(), _activity_note(coal)
    factors = [str(f) for f in coal["lmdi_factor"].values]
    heads = [FACTORS[f] for f in factors]
    rows: list[list[Any]] = []
    for i, period in enumerate(coal["period"].values):
        start, change = float(coal["lmdi_start"][i]), float(coal["lmdi_change"][i])
        parts, product = coal["lmdi_additive"].values[i] / 1e4, coal["lmdi_multiplicative"].values[i]
        shares = [_flat(v, 3) for v in parts]
        rows.append(
            [str(period), Text(f"加法（{unit.zh}）", f"additive [{unit.en}]"), start / 1e4, change / 1e4, *shares]
        )
        times = (start + change) / start if start > 0 else float("nan")
        rows.append([str(period), Text("乘法（倍数）", "multiplicative"), float("nan"), times, *map(float, product)])
    first = [
        Text("时段", "period"),
        Text("形式", "form"),
        Text(f"期初（{unit.zh}）", f"start [{unit.en}]"),
        Text("变化", "change"),
    ]
    title = Text("煤炭消费变化的因素分解（LMDI）", "Why coal use changed (LMDI)")
    grids = [Grid(title, [*first, *heads], rows, [0, 0, 2, 3, *[3] * len(factors)], note)]
    rows = []
    for i, period in enumerate(coal["period"].values):
        for city in coal["city"].values:
            change = float(coal["lmdi_change_city"].sel(city=city)[i])
            if np.isfinite(change):
                parts = coal["lmdi_additive_city"].sel(city=city).values[i] / 1e4
                rows.append([str(period), words.name(names, str(city)), change / 1e4, *(_flat(v, 2) for v in parts)])
    own = Text(
        note.zh + "各城市按自身活动总量单独分解，各因素不可跨市相加。",
        note.en + " Each city by its own activity: factors do not add up over the cities.",
    )
    grids.append(
        Grid(
            Text(
                f"分城市因素分解（LMDI 加法，{unit.zh}）", f"Why coal use changed, by city (LMDI, additive, {unit.en})"
            ),
            [Text("时段", "period"), Text("城市", "city"), first[3], *heads],
            rows,
            [0, 0, 2, *[2] * len(factors)],
            own,
        )
    )
    return grids


# --------------------------------------------------------------------------------------------------------
# inspection


def _inspection_note(coal: xr.Dataset) -> Text:
    a = coal.attrs
    status = words.name(words.STATUSES, str(a.get("inspection_status", "")))
    quality = _qualities(str(a.get("inspection_quality", "")))
    wanted, level = float(a.get("inspection_wanted_rate", 0.95)), float(a.get("inspection_confidence", 0.95))
    zh = (
        f"标准：{a.get('inspection_rules', '')}（{status.zh}）；批次数据：{quality.zh}。"
        f"区间为精确二项（Clopper-Pearson）；是否达到 {wanted:.0%} 按单侧 {level:.0%} 判定。"
    )
    en = (
        f"Standard: {a.get('inspection_rules', '')} ({status.en}); batches: {quality.en}. Exact binomial intervals "
        f"(Clopper-Pearson); {wanted:.0%} is judged one-sided at {level:.0%}."
    )
    return Text(zh, en)


def inspection_grids(coal: xr.Dataset) -> list[Grid]:
    """Return pass rates by city and stage, how many batches are missing, and what failing coal emits."""
    if "inspection_batches" not in coal:
        return []
    names, note, rows = _names(), _inspection_note(coal), []
    total = coal[[n for n in coal.data_vars if str(n).startswith("inspection_total_")]]
    total = total.rename({n: str(n).replace("_total", "") for n in total.data_vars})
    for stage in coal["stage"].values:
        for city in [*coal["city"].values, None]:
            at = total.sel(stage=stage) if city is None else coal.sel(stage=stage, city=city)
            if int(at["inspection_batches"]) + int(at["inspection_incomplete"]) == 0:
                continue
            place = Text("合计", "total") if city is None else words.name(names, str(city))
            counts = [float(at[f"inspection_{n}"]) for n in ("batches", "passed", "incomplete", "rate", "low", "high")]
            verdict = _VERDICTS[int(at["inspection_verdict"])]
            rows.append([STAGES[str(stage)], place, *counts, verdict, float(at["inspection_more"])])
    wanted = float(coal.attrs.get("inspection_wanted_rate", 0.95))
    heads = [
        Text("环节", "stage"),
        Text("城市", "city"),
        Text("判定批次", "batches"),
        Text("合格", "pass"),
        Text("未测全", "incomplete"),
        Text("合格率", "pass rate"),
        Text("95 % 下限", "95 % low"),
        Text("95 % 上限", "95 % high"),
        Text(f"是否达到 {wanted:.0%}", f"at least {wanted:.0%}?"),
        Text("若均合格尚需批次", "more, if none fails"),
    ]
    grids = [
        Grid(Text("洁净煤抽检合格率", "Inspection of clean coal"), heads, rows, [0, 0, 0, 0, 0, -2, -2, -2, 0, 0], note)
    ]
    rows = []
    for city in coal["city"].values:
        at = coal.sel(city=city)
        if np.isfinite(at["clean_coal_failing"]):
            cells = ("failing", "sulfur", "ash", "so2_ratio", "pm25_ratio", "excess_so2", "excess_pm25")
            rows.append([words.name(names, str(city)), *(float(at[f"clean_coal_{n}"]) for n in cells)])
    pooled = [words.name(names, c) for c in str(coal.attrs.get("inspection_pooled", "")).split(", ") if c]
    zh, en = (
        "取最靠近用户的环节；多排量按基准清单中居民洁净煤各行计算，灰分与 PM2.5 成正比为假设。",
        (
            "Stage nearest to the stove; on the homes' clean-coal rows of the base inventory; PM2.5 in proportion to "
            "ash is an assumption."
        ),
    )
    if pooled:
        zh += "、".join(p.zh for p in pooled) + "无样本，借用全部城市。"
        en += " No batch in " + ", ".join(p.en for p in pooled) + ": those of all cities stand in."
    heads = [
        Text("城市", "city"),
        Text("不合格占比", "failing share"),
        Text("平均全硫（%，干基）", "sulphur [%, dry]"),
        Text("平均灰分（%，干基）", "ash [%, dry]"),
        Text("SO₂ 比合格煤", "SO₂ over passing"),
        Text("PM2.5 比合格煤", "PM2.5 over passing"),
        Text("多排 SO₂（吨/年）", "extra SO₂ [t/a]"),
        Text("多排 PM2.5（吨/年）", "extra PM2.5 [t/a]"),
    ]
    title = Text("不合格洁净煤的排放影响", "What failing clean coal emits")
    grids.append(Grid(title, heads, rows, [0, -2, 2, 1, 3, 3, 1, 1], Text(zh, en)))
    return grids


def inspection_figure(coal: xr.Dataset) -> dict[str, Any] | None:
    """Return pass rates by stage with their exact intervals, all cities."""
    if "inspection_total_rate" not in coal:
        return None
    rate, low, high = (100 * coal[f"inspection_total_{n}"].values for n in ("rate", "low", "high"))
    known = np.isfinite(rate)
    wanted = 100 * float(coal.attrs.get("inspection_wanted_rate", 0.95))
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [both(STAGES[str(s)]) for s, k in zip(coal["stage"].values, known, strict=True) if k],
        "y": numbers(rate[known], 2),
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": numbers((high - rate)[known], 2),
            "arrayminus": numbers((rate - low)[known], 2),
        },
        "marker": {"size": 10, "color": "#1f5fa8"},
        "hovertemplate": "%{y:.1f} %",
    }
    layout = {
        "margin": {"l": 60, "r": 10, "t": 10, "b": 40},
        "height": 300,
        "yaxis": {"title": {"text": said("合格率（%）", "pass rate [%]")}},
        "shapes": [
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": wanted,
                "y1": wanted,
                "line": {"dash": "dash", "color": "#c62828"},
            }
        ],
        "showlegend": False,
    }
    about = said("洁净煤抽检合格率及精确区间", "pass rates of clean coal with exact intervals")
    return {"id": "coal-inspection", "about": about, "data": [trace], "layout": layout}


# --------------------------------------------------------------------------------------------------------
# the console


def lines(coal: xr.Dataset, lang: Lang) -> list[str]:
    """Return probability, decomposition and inspection as lines that a GBK console can show."""
    zh = lang == "zh"
    out: list[str] = []
    if "probability_total" in coal:
        out += _probability_lines(coal, zh)
    if "lmdi_additive" in coal:
        unit = "万吨" if zh else "10^4 t"
        for i, period in enumerate(coal["period"].values):
            factors = zip(coal["lmdi_factor"].values, coal["lmdi_additive"].values[i] / 1e4, strict=True)
            shown = ("，" if zh else ", ").join(f"{FACTORS[str(f)].of(lang)} {_flat(v, 1):+,.1f}" for f, v in factors)
            change = float(coal["lmdi_change"][i]) / 1e4
            head = f"{period} 变化 {change:+,.1f} {unit}：" if zh else f"{period} change {change:+,.1f} {unit}: "
            out.append(head + shown)
    if "inspection_total_batches" in coal:
        for i, stage in enumerate(coal["stage"].values):
            n = int(coal["inspection_total_batches"][i])
            if n == 0:
                continue
            rate, low, high = (float(coal[f"inspection_total_{x}"][i]) for x in ("rate", "low", "high"))
            verdict = _VERDICTS[int(coal["inspection_total_verdict"][i])].of(lang)
            name = STAGES[str(stage)].of(lang)
            out.append(
                f"洁净煤抽检，{name}环节：{n} 批，合格率 {rate:.1%}（95 % 区间 {low:.1%} 至 {high:.1%}），{verdict}"
                if zh
                else f"clean coal, {name}: {n} batches, {rate:.1%} pass (95 % {low:.1%} to {high:.1%}), {verdict}"
            )
        quality = _qualities(str(coal.attrs.get("inspection_quality", ""))).of(lang)
        out.append(f"抽检数据：{quality}" if zh else f"batches: {quality}")
    return out


def _probability_lines(coal: xr.Dataset, zh: bool) -> list[str]:
    p, error = float(coal["probability_total"]), float(coal["probability_error_total"])
    low, middle, high = (float(coal["change_quantile_total"].sel(quantile=q)) for q in (0.05, 0.5, 0.95))
    members = int(coal.attrs["uncertainty_members"])
    wanted, need = float(coal.attrs["wanted_probability"]), float(coal["extra_needed_total"])
    homes = float(coal["extra_households_total"])
    assumed = int((coal["input_assumed"] == 1).sum())
    count = coal.sizes["uncertain_input"]
    lines = [
        f"负增长概率 {p:.1%}（标准误 {error:.2%}，{members} 个样本）；"
        f"增长率中位 {middle:+.2%}，90 % 区间 {low:+.2%} 至 {high:+.2%}"
        if zh
        else f"P(consumption falls) {p:.1%} (standard error {error:.2%}, {members} members); growth {middle:+.2%}, "
        f"90 % from {low:+.2%} to {high:+.2%}"
    ]
    every = float(coal["probability_every"])
    lines.append(f"各城市同时负增长的概率 {every:.1%}" if zh else f"P(it falls in every city) {every:.1%}")
    if need == 0:
        lines.append(f"已达到 {wanted:.0%} 的目标概率" if zh else f"the wanted {wanted:.0%} is reached")
    elif np.isfinite(need):
        lines.append(
            f"要达到 {wanted:.0%}，尚需追加替代 {need / 1e4:,.1f} 万吨（约 {homes / 1e4:,.1f} 万户）"
            if zh
            else f"{wanted:.0%} takes another {need / 1e3:,.0f} kt of substitution ({homes:,.0f} households)"
        )
    else:
        lines.append(
            f"仅靠追加同类替代达不到 {wanted:.0%}" if zh else f"no extra substitution of this kind reaches {wanted:.0%}"
        )
    tops = [
        f"{input_name(coal, i).of('zh' if zh else 'en')} {float(coal['sobol_total'].values[i]):.0%}"
        for i in range(min(3, count))
    ]
    lines.append(("主要不确定来源：" if zh else "what decides: ") + ("，" if zh else ", ").join(tops))
    if assumed:
        lines.append(
            f"{count} 个不确定来源中 {assumed} 个的分布未注明出处，为假设（在措施或 coal: uncertainty: 中声明）"
            if zh
            else f"{assumed} of {count} distributions have no source: assumed (declare them on the measures or under "
            "coal: uncertainty:)"
        )
    return lines
