"""Why coal use changed: activity, structure, intensity, fuel mix and weather."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from airsim.output import words
from airsim.output.page import Grid
from airsim.output.sections.coal_balance import unit_of
from airsim.output.sections.figures import Figure, both, numbers, said
from airsim.output.words import Text

FACTORS = {
    "activity": Text("活动水平", "activity"),
    "structure": Text("结构", "structure"),
    "intensity": Text("强度（能效与替代）", "intensity (efficiency, substitution)"),
    "fuel_mix": Text("煤种与煤质", "fuel mix and quality"),
    "weather": Text("气候（采暖度日）", "weather (degree days)"),
}


def _flat(value: float, digits: int) -> float:
    """Return a number as it is printed, without the minus of a rounded zero."""
    return round(float(value), digits) + 0.0


def _activity_note(coal: xr.Dataset) -> Text:
    quality = words.qualities(str(coal.attrs.get("activity_quality", "")))
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


def figure(coal: xr.Dataset) -> Figure | None:
    """Return the factors of each period as one waterfall from the first year to the last."""
    if "lmdi_additive" not in coal:
        return None
    unit = unit_of(coal)
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


def grids(coal: xr.Dataset) -> list[Grid]:
    """Return the contributions of the factors, for all cities and for each city by itself."""
    if "lmdi_additive" not in coal:
        return []
    unit, note = unit_of(coal), _activity_note(coal)
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
    first = words.heads("时段|period", "形式|form", f"期初（{unit.zh}）|start [{unit.en}]", "变化|change")
    title = Text("煤炭消费变化的因素分解（LMDI）", "Why coal use changed (LMDI)")
    digits = [0, 0, 2, 3, *[3] * len(factors)]
    made = [Grid(title, [*first, *heads], rows, digits, note, printed=len(rows))]
    rows = []
    for i, period in enumerate(coal["period"].values):
        for city in coal["city"].values:
            change = float(coal["lmdi_change_city"].sel(city=city)[i])
            if np.isfinite(change):
                parts = coal["lmdi_additive_city"].sel(city=city).values[i] / 1e4
                rows.append([str(period), words.city(str(city)), change / 1e4, *(_flat(v, 2) for v in parts)])
    own = Text(
        note.zh + "各城市按自身活动总量单独分解，各因素不可跨市相加。",
        note.en + " Each city by its own activity: factors do not add up over the cities.",
    )
    title = Text(
        f"分城市因素分解（LMDI 加法，{unit.zh}）", f"Why coal use changed, by city (LMDI, additive, {unit.en})"
    )
    head = [*words.heads("时段|period", "城市|city"), first[3], *heads]
    return [*made, Grid(title, head, rows, [0, 0, 2, *[2] * len(factors)], own)]
