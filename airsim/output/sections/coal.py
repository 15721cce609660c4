"""The coal balance as a page, for `airsim coal`, and as a section of the report; its tables are in `coal_*`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import numpy as np
import xarray as xr

from airsim.output import findings
from airsim.output.page import Grid, Number, Page, Section
from airsim.output.sections import (
    coal_balance,
    coal_benefits,
    coal_decomposition,
    coal_inspection,
    coal_limits,
    coal_probability,
    figures,
)
from airsim.output.sections.figures import said
from airsim.output.words import Text

T = TypeVar("T")


def page(tree: xr.DataTree, advice: Grid | None = None) -> Page:
    """Return the coal balance of `airsim coal` as a page.

    Parameters
    ----------
    tree : DataTree
        With the group ``/coal``.
    advice : Grid, optional
        From `coal_routes.grid`.
    """
    coal = findings.group(tree, "coal")
    assert coal is not None
    years = f"{coal.attrs['base_year']} → {coal.attrs['target_year']}"
    made = sections(tree)
    if advice is not None:
        made.insert(-1, Section("advice", Text("路径比较", "Routes"), grids=[advice]))
    return Page(
        findings.title(tree),
        Text(f"煤炭平衡，{years} 年", f"Coal balance, {years}"),
        _notices(coal),
        answers(coal),
        made,
    )


def section(tree: xr.DataTree) -> Section | None:
    """Return the coal balance as one section of the report, None where the result has none."""
    coal = findings.group(tree, "coal")
    if findings.coal_of(coal) is None or coal is None:
        return None
    parts = sections(tree)
    return Section(
        "coal",
        Text("煤炭", "Coal"),
        [*answers(coal), *(w for s in parts for w in s.words)],
        [f for s in parts for f in s.figures],
        [g for s in parts for g in s.grids],
    )


def verdict(coal: xr.Dataset) -> Text:
    """Return from what to what the consumption goes, and whether that is negative growth."""
    found = findings.coal_of(coal)
    assert found is not None
    change = f"{Number(100 * found.growth):+.2f} %".replace("-", "−")
    unit = Text("万吨标准煤", "Mtce") if coal.attrs.get("unit") == "tce" else Text("万吨", "Mt")
    return Text(
        f"煤炭消费量由 {found.base_year} 年的 {Number(found.base / 1e4):,.1f} {unit.zh}变为 {found.target_year} 年的 "
        f"{Number(found.target / 1e4):,.1f} {unit.zh}（{change}），{'实现' if found.passed else '未实现'}负增长。",
        f"Coal consumption goes from {Number(found.base / 1e6):,.2f} {unit.en} in {found.base_year} to "
        f"{Number(found.target / 1e6):,.2f} {unit.en} in {found.target_year} ({change}): negative growth is "
        f"{'reached' if found.passed else 'not reached'}.",
    )


def answers(coal: xr.Dataset) -> list[Text]:
    """Return what a reader is told first."""
    told = [verdict(coal), *coal_probability.answers(coal), *coal_limits.answers(coal)]
    other = float(coal.attrs.get("growth_non_power", np.nan))
    if np.isfinite(other):
        change = f"{100 * other:+.2f} %".replace("-", "−")
        told.append(Text(f"其中非电力用煤 {change}。", f"Coal other than power: {change}."))
    outside = float(coal.attrs.get("induced_outside_t", 0.0)) / 1e4
    if outside > 0:
        told.append(
            Text(
                f"替代电力另在区域外电厂用煤 {outside:,.2f} 万吨，不计入合计。",
                f"Another {outside:,.2f}·10⁴ t burn in power stations outside for the electricity of substitutions, "
                "not in the total.",
            )
        )
    return told


def sections(tree: xr.DataTree) -> list[Section]:
    """Return the balance and all that hangs on it, topic by topic; empty topics are left out."""
    coal = findings.group(tree, "coal")
    assert coal is not None
    waterfall, in_air = figures.waterfall(tree), coal_benefits.in_air(tree)
    if waterfall is not None:
        waterfall |= {"about": said("煤炭平衡瀑布图", "waterfall of the balance")}
    note = Text(
        "瀑布图纵轴不从零开始，以便看清各项。",
        "The axis of the waterfall does not begin at zero, so that the steps can be seen.",
    )
    balance = [waterfall, coal_balance.by_city_figure(coal)]
    chances = [coal_probability.curve_figure(coal), coal_probability.tornado_figure(coal)]
    made = [
        Section("balance", Text("煤炭平衡", "Balance"), [note], _there(balance), [coal_balance.balance_grid(coal)]),
        Section("probability", Text("负增长概率", "Probability"), [], _there(chances), coal_probability.grids(coal)),
        Section(
            "decomposition", Text("因素分解", "Decomposition"), [], _there([coal_decomposition.figure(coal)]),
            coal_decomposition.grids(coal),
        ),
        Section(
            "inspection", Text("洁净煤抽检", "Clean coal"), [], _there([coal_inspection.figure(coal)]),
            coal_inspection.grids(coal),
        ),
        Section("benefit", Text("协同效益", "Co-benefits"), grids=[*_there([in_air]), *coal_benefits.grids(coal)]),
        Section("offsets", Text("减量替代", "Offsets"), grids=coal_limits.offset_grids(coal)),
        Section("limits", Text("供气、电网、热网", "Limits"), grids=coal_limits.limit_grids(coal)),
        Section("detail", Text("分行业、煤种、年份", "Detail"), grids=coal_balance.detail_grids(coal)),
    ]  # fmt: skip
    return [s for s in made if s.grids or s.figures]


def _there(made: Iterable[T | None]) -> list[T]:
    return [m for m in made if m is not None]


def _notices(coal: xr.Dataset) -> list[Text]:
    return [
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
        *coal_probability.notices(coal),
    ]
