"""What new projects must offset, and where gas, grid or heat networks do not suffice."""

from __future__ import annotations

from typing import Any

import xarray as xr

from airsim.output import words
from airsim.output.page import Grid
from airsim.output.sections.coal_balance import NO, YES, scope_note
from airsim.output.words import Text


def answers(coal: xr.Dataset) -> list[Text]:
    """Return what offsets are missing, and how often a network does not suffice."""
    told = []
    if "offset_required" in coal:
        missing = float((coal["offset_required"] - coal["offset_pledged"]).clip(min=0).sum()) / 1e4
        if missing > 1e-6:
            zh, en = (
                f"新建项目的煤炭减量替代尚缺 {missing:,.1f} 万吨。",
                f"New projects lack offsets of {missing:,.1f}·10⁴ t.",
            )
            told.append(Text(zh, en))
    if "limit_city" in coal:
        n, bound = coal.sizes["exceedance"], coal.attrs.get("limits") == "bind"
        told.append(
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
    return told


def offset_grids(coal: xr.Dataset) -> list[Grid]:
    """Return what new projects must offset and have claimed, and the pledges tonne by tonne."""
    if "offset_required" not in coal:
        return []
    rows: list[list[Any]] = []
    for p in coal["project"].values:
        need, have = float(coal["offset_required"].sel(project=p)), float(coal["offset_pledged"].sel(project=p))
        rows.append(
            [str(p), need / 1e4, have / 1e4, max(0.0, need - have) / 1e4, YES if have >= need * (1 - 1e-9) else NO]
        )
    heads = words.heads(
        "新建项目|new project",
        "应替代（万吨）|required [10⁴ t]",
        "已落实（万吨）|pledged [10⁴ t]",
        "缺口（万吨）|missing [10⁴ t]",
        "足额|covered",
    )
    title = Text("新建项目煤炭减量替代", "Offsets of new projects")
    made = [Grid(title, heads, rows, [0, 2, 2, 2, 0], scope_note(coal), printed=len(rows))]
    if "pledge_tonnes" in coal:
        columns = (coal[f"pledge_{n}"].values for n in ("project", "reduction", "tonnes"))
        rows = [[str(p), str(r), float(t) / 1e4] for p, r, t in zip(*columns, strict=True)]
        heads = words.heads("新建项目|new project", "减煤来源|reduction", "替代量（万吨）|tonnes [10⁴ t]")
        made.append(Grid(Text("替代量逐项台账", "Pledges"), heads, rows, [0, 0, 4], scope_note(coal)))
    return made


def limit_grids(coal: xr.Dataset) -> list[Grid]:
    """Return the months beyond the limits, and what a binding limit moved or stopped."""
    made = []
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
                    words.city(str(at["city"])),
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
        heads = words.heads(
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
        title = Text("超出供气、电网、热网能力的月份", "Months beyond the limits")
        made.append(Grid(title, heads, rows, [0, 0, 0, 1, 1, 1, 0, 0, 0], note, printed=len(rows)))
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
                    words.city(str(at["city"])),
                    words.name(words.LIMITS, str(at["kind"])),
                    words.name(words.ROUTES, str(at["route"])),
                    to,
                    float(at["share"]),
                    float(at["tonnes"]) / 1e4,
                ]
            )
        heads = words.heads(
            "措施|measure",
            "城市|city",
            "受限于|limit",
            "原定路径|route",
            "改走|instead",
            "比例|share",
            "煤量（万吨）|coal [10⁴ t]",
        )
        title = Text("受限后改走其他路径或未实施的部分", "What the limits moved or stopped")
        made.append(Grid(title, heads, rows, [0, 0, 0, 0, 0, -2, 2], scope_note(coal), printed=len(rows)))
    return made
