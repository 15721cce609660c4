"""The near field of large enterprises on a fine grid."""

from __future__ import annotations

from typing import Any

import xarray as xr

from airsim.output import words
from airsim.output.findings import Findings, group
from airsim.output.page import Grid, Section
from airsim.output.sections import figures
from airsim.output.words import Text

_WORST = Text("最大点", "worst point")


def section(tree: xr.DataTree, found: Findings) -> Section | None:
    """Return maps of the sites, and the worst points and named places in numbers; None where there are neither."""
    drawn, table = figures.plumes(tree, found), _table(tree, found)
    if not drawn and table is None:
        return None
    told = [(f["first"], figures.described(f, Text(*f["layout"]["title"]["text"].values()))) for f in drawn]
    return Section(
        "plume",
        Text("近场", "Near field"),
        [
            Text(
                "基准情形下企业自身排放造成的过程平均浓度，不含其他来源；三角为排放源。",
                "Mean of the episode of what these enterprises alone add, base case, without all other sources; "
                "triangles are the sources.",
            )
        ],
        # one pollutant a site is enough at first sight
        [f for first, f in told if first],
        [table] if table is not None else [],
        more=[f for first, f in told if not first],
        more_title=Text("其他污染物", "Other pollutants"),
        heading=Text("重点企业近场（细网格）", "Near field of large enterprises (fine grid)"),
        sheet=Text("近场", "Near field"),
    )


def _table(tree: xr.DataTree, found: Findings) -> Grid | None:
    """Return the worst point of each site and the named places with their main sources."""
    near = group(tree, "plume")
    if near is None or "pollutant" not in near.dims:
        return None
    case = near.sel(case="base") if "case" in near.dims else near
    rows: list[list[Any]] = []
    for pollutant in near["pollutant"].to_numpy():
        label = words.name(words.POLLUTANTS, str(pollutant))
        if "hours_above" in case:
            for i, city in enumerate(near["site_city"].to_numpy()):
                at = case.isel(site=i).sel(pollutant=pollutant)
                fields = ("concentration_mean", "concentration_day", "concentration_max", "days_above", "hours_above")
                rows.append([found.name(str(city)), _WORST, label, *(float(at[n].max()) for n in fields), ""])
        for place in near["receptor"].to_numpy() if "receptor" in near.dims else []:
            at = case.sel(receptor=place, pollutant=pollutant)
            fields = ("receptor_mean", "receptor_day", "receptor_max", "receptor_days_above", "receptor_hours_above")
            by = at["receptor_contribution"].to_numpy()
            most = [k for k in by.argsort()[::-1][:3] if by[k] > 0.005 * by.sum()]
            listed = "；".join(f"{near['stack_name'].to_numpy()[k]} {100 * by[k] / by.sum():.0f} %" for k in most)
            rows.append([str(place), "", label, *(float(at[n].max()) for n in fields), listed])
    if not rows:
        return None
    zh, en = (str(near.attrs.get(k, "")) for k in ("standard_zh", "standard"))
    heads = words.heads(
        "位置|place", "种类|kind", "污染物|pollutant", "过程均值|mean", "最大日均|highest day", "最大小时|highest hour",
        "超日均限值天数|days above", "超小时限值小时数|hours above", "主要来源|main sources",
    )  # fmt: skip
    return Grid(
        Text(
            "最大落地点与关注点的企业贡献（基准情形，μg/m³）",
            "Contribution of the enterprises at the worst point and at named places (base case, μg/m³)",
        ),
        heads,
        rows,
        [0, 0, 0, 2, 2, 2, 0, 0, 0],
        Text(
            f"限值：{zh}，二级；仅计企业自身贡献。",
            f"Limits: {en}, class 2; the contribution of these enterprises alone.",
        ),
    )
