"""What the coal measures avoid besides coal, what they cost, and what they take from the air."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from airsim.output import findings, words
from airsim.output.page import Grid
from airsim.output.sections.coal_balance import cities
from airsim.output.words import Text


def grids(coal: xr.Dataset) -> list[Grid]:
    """Return what the measures avoid besides coal, by measure and by city."""
    if "avoided" not in coal:
        return []
    units = words.heads(
        "煤（万吨）|coal [10⁴ t]",
        "SO₂（吨）|SO₂ [t]",
        "NOx（吨）|NOx [t]",
        "PM2.5（吨）|PM2.5 [t]",
        "CO₂（万吨）|CO₂ [10⁴ t]",
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
        *words.heads(
            "控制城市以外煤（万吨）|coal outside [10⁴ t]", "控制城市以外 CO₂（万吨）|CO₂ outside [10⁴ t]",
            "财政（万元/年）|state [10⁴ CNY/a]", "用户（万元/年）|users [10⁴ CNY/a]",
        ),
    ]  # fmt: skip
    status = words.name(words.STATUSES, str(coal.attrs.get("cost_status", "estimate")))
    note = Text(
        f"与煤炭平衡同一台账行；正值为减少，负值为增加；煤为全部煤种净值。费用参数：{status.zh}。",
        f"From the same rows as the balance; negative: added; coal is the net of all fuels. Cost figures: {status.en}.",
    )
    title = Text("措施的协同效益与费用", "Co-benefits and cost by measure")
    made = [Grid(title, heads, rows, [0, 2, 0, 0, 0, 2, 2, 2, 0, 0], note)]
    by_city = coal["avoided"].sum("coal_measure")
    rows = [[words.city(c), *map(float, by_city.sel(city=c).values * scale)] for c in cities(coal)]
    rows.append([Text("合计", "total"), *map(float, by_city.sum("city").values * scale)])
    title = Text("分城市协同效益", "Co-benefits by city")
    return [*made, Grid(title, [Text("城市", "city"), *units], rows, [0, 2, 0, 0, 0, 2], note)]


def in_air(tree: xr.DataTree) -> Grid | None:
    """Return what the coal measures take from PM2.5 by city where a run tells it, mean of the period."""
    removed = findings.group(tree, "attribution")
    if removed is None:
        return None
    kinds = (
        "coal_substitution", "retire", "new_project", "efficiency", "clean_coal_supply", "activity_growth", "weather",
    )  # fmt: skip
    steps = [s for s in removed["step"].values if any(k in str(s) for k in kinds)]
    if not steps:
        return None
    mean = removed["pm25_removed"].mean("time")
    told = [str(c) for c in mean["city"].values if bool(mean.sel(city=c).notnull().all())]
    rows = []
    for c in told:
        parts = [float(mean.sel(city=c, step=s)) for s in steps]
        rows.append([words.city(c), *parts, sum(parts)])
    heads = [Text("城市", "city"), *(words.measure(str(s)) for s in steps), Text("合计", "total")]
    title = Text(
        "控煤措施减少的 PM2.5（μg/m³，时段平均）", "PM2.5 that the coal measures remove [μg/m³, mean of the period]"
    )
    return Grid(title, heads, rows, [0] + [2] * (len(steps) + 1))
