"""The pages of `airsim emergency --optimise` and `airsim optimise`: the least that meets the demands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from airsim.emergency.wording import CATEGORIES, POLLUTANTS
from airsim.optimise.precise_list import OBJECTIVES, Precise
from airsim.output import words
from airsim.output.page import Grid, Page, Section
from airsim.output.words import Text

if TYPE_CHECKING:
    from airsim.optimise.least_cost import Plan
    from airsim.optimise.milp import Demand, Optimum

_TARGETS = {"mean": Text("预警均值", "alert mean"), "peak": Text("最重日", "worst day")}


def page(found: Precise, compared: pd.DataFrame | None, *, illustrative: bool) -> Page:
    """Return the precise list: which lines act, what that reaches, and the blanket list at the same effect.

    Parameters
    ----------
    found : Precise
    compared : DataFrame or None
        From `airsim.optimise.precise_list.against_blanket`.
    illustrative : bool
        Whether the list's measures are unpublished.
    """
    listed, act, open_ = found.enterprises
    least, best = Text(*OBJECTIVES[found.objective]), found.optimum
    answers = [
        Text(
            f"{listed} 家列入企业中 {act} 家采取措施，{open_} 家可正常生产；"
            f"目标值 {best.cost:.1f}，不低于 {best.lower:.1f}（差距 {100 * best.gap:.2f}%）。",
            f"{act} of {listed} listed enterprises act, {open_} may stay open; "
            f"objective {best.cost:.1f}, no less than {best.lower:.1f} (gap {100 * best.gap:.2f}%).",
        )
    ]
    if best.time_is_up:
        answers.append(Text("求解到时限：尚未证明最优。", "The time limit was reached: not proven optimal."))
    if found.unreachable:
        answers.append(
            Text(
                f"整个清单也达不到的比例（按清单所能达到的保持）：{'、'.join(d.zh for d in found.unreachable)}。",
                f"Missed by the whole list (kept at what it reaches): {', '.join(d.en for d in found.unreachable)}.",
            )
        )
    objective = Text("每严格一个单位目标值增加", "objective per unit stricter")
    grids = [_lines(found.lines), _demands(found.demands, best, objective)]
    notice = Text("清单为示意。", "The list is illustrative.")
    return Page(
        Text("精准清单", "Precise list"),
        Text(f"使{least.zh}最少", f"Least {least.en}"),
        [notice] if illustrative else [],
        answers,
        [
            Section(
                "precise",
                Text("精准清单", "Precise list"),
                grids=grids + ([] if compared is None else [_blanket(compared)]),
            )
        ],
    )


def plan_page(found: Plan, title: Text) -> Page:
    """Return the measures of least cost.

    Parameters
    ----------
    found : Plan
        From `airsim.optimise.least_cost.plan`.
    title : Text
        Of the scenario.
    """
    best = found.optimum
    rows = [
        [
            str(label), Text("是", "yes") if row["fixed"] else "", float(row["chosen"]), float(row["cost"]),
            float(row["cost"] * row["chosen"]),
        ]
        for label, row in found.measures.iterrows()
    ]  # fmt: skip
    heads = words.heads(
        "措施|measure", "必做|fixed", "实施份额|carried out", "全部实施费用（元/年）|cost if whole [CNY/a]",
        "费用（元/年）|cost [CNY/a]",
    )  # fmt: skip
    measures = Grid(Text("措施", "Measures"), heads, rows, [0, 0, -2, 0, 0], printed=len(rows))
    demands = _demands(found.demands, best, Text("边际费用（元/单位）", "marginal cost [CNY/unit]"))
    answer = Text(
        f"最小费用组合：{best.cost / 1e4:,.1f} 万元/年，不低于 {best.lower / 1e4:,.1f}（差距 {100 * best.gap:.3f}%）。",
        f"Least cost: {best.cost:,.0f} CNY/a, no less than {best.lower:,.0f} (gap {100 * best.gap:.3f}%).",
    )
    section = Section("measures", Text("措施", "Measures"), grids=[measures, demands])
    return Page(title, Text("费用最低的措施组合", "Measures of least cost"), [], [answer], [section])


def _lines(lines: pd.DataFrame) -> Grid:
    """Return every line with a cut: whether it acts, what that weighs and does; acting ones first in each city."""
    targets = [str(c) for c in lines.columns if ":" in str(c)]
    cutting = (lines[list(POLLUTANTS)] != 0).any(axis=1)
    ordered = lines[cutting].sort_values(["city", "acts", "weight"], ascending=[True, False, False], kind="stable")
    rows = [
        [
            str(place), str(r["enterprise"]), words.city(r["city"]),
            Text(CATEGORIES.get(r["category"], r["category"]), r["category"]),
            Text("采取", "acts") if r["acts"] else Text("可正常生产", "stays open"),
            *(float(r[c]) for c in ("weight", *POLLUTANTS, *targets)),
        ]
        for place, r in zip(ordered.index, ordered.to_dict("records"), strict=True)
    ]  # fmt: skip
    called = [words.name(words.POLLUTANTS, p) for p in POLLUTANTS]
    heads = words.heads(
        "清单行|list row", "企业（项目）|enterprise", "城市|city", "类别|category", "是否采取措施|acts",
        "目标计数|weight",
        *(f"{n.zh} kg/d|{n.en} kg/d" for n in called),
    )  # fmt: skip
    heads += [_target(t) for t in targets]
    digits = [0, 0, 0, 0, 0, 1, *[1] * len(POLLUTANTS), *[3] * len(targets)]
    return Grid(Text("精准清单", "Precise list"), heads, rows, digits, folded=True)


def _demands(demands: Sequence[Demand], best: Optimum, marginal: Text) -> Grid:
    """Return what was asked, what is reached, and what one unit stricter would take."""
    rows: list[list[Any]] = [
        [
            Text(d.zh, d.en), "≥" if d.sense == "floor" else "≤", d.bound, float(reached), d.unit,
            float(value) if np.isfinite(value) else np.nan,
        ]
        for d, reached, value in zip(demands, best.reached, best.marginal, strict=True)
    ]  # fmt: skip
    heads = [*words.heads("约束|demand", "方向|sense", "要求|asked", "达到|reached", "单位|unit"), marginal]
    return Grid(Text("约束与边际值", "Demands"), heads, rows, [0, 0, 3, 3, 0, 3], printed=len(rows))


def _blanket(compared: pd.DataFrame) -> Grid:
    rows = [
        [
            float(r["share"]),
            int(r["enterprises"]),
            int(r["act"]),
            int(r["open"]),
            0,
            float(r["weight"]),
            float(r["gap"]),
        ]
        for r in compared.to_dict("records")
    ]
    heads = words.heads(
        "占普遍清单效果|share of the blanket effect", "列入企业|enterprises listed", "精准清单采取措施|act (precise)",
        "可正常生产|stay open (precise)", "普遍清单可正常生产|stay open (blanket)", "目标值|objective", "求解差距|gap",
    )  # fmt: skip
    note = Text(
        "与普遍减排（所有企业按同一比例）效果相同时。",
        "At the same effect as the blanket list (the same share of every line).",
    )
    title = Text("与普遍清单比较", "Against blanket list")
    return Grid(title, heads, rows, [-2, 0, 0, 0, 0, 1, -3], note, printed=len(rows))


def _target(name: str) -> Text:
    city, kind = name.split(":")
    at, what = words.city(city), _TARGETS[kind]
    return Text(f"{at.zh} {what.zh} μg/m³", f"{at.en}, {what.en} [μg/m³]")
