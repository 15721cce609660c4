"""The probability that coal use falls, and which uncertain input decides."""

from __future__ import annotations

import numpy as np
import xarray as xr

from airsim.output import words
from airsim.output.page import Grid, Number
from airsim.output.sections.coal_balance import cities, place, scope_note, unit_of
from airsim.output.sections.figures import Figure, both, numbers, said
from airsim.output.words import Text


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


def answers(coal: xr.Dataset) -> list[Text]:
    """Return how likely coal use falls in all cities, what more it takes, and what decides."""
    if "probability_total" not in coal:
        return []
    p, error, every = (Number(coal[n]) for n in ("probability_total", "probability_error_total", "probability_every"))
    low, middle, high = (Number(coal["change_quantile_total"].sel(quantile=q)) for q in (0.05, 0.5, 0.95))
    members, wanted = int(coal.attrs["uncertainty_members"]), float(coal.attrs["wanted_probability"])
    need, homes = float(coal["extra_needed_total"]) / 1e4, float(coal["extra_households_total"]) / 1e4
    told = [
        Text(
            f"计入不确定性后，实现负增长的概率为 {p:.1%}（标准误 {error:.2%}，{members} 个样本），"
            f"各城市同时实现的概率为 {every:.1%}；增长率中位 {middle:+.2%}，90 % 区间 {low:+.2%} 至 {high:+.2%}。",
            f"With the uncertainties counted, consumption falls with a probability of {p:.1%} (standard error "
            f"{error:.2%}, {members} members), and in every city at once with {every:.1%}; growth {middle:+.2%}, 90 % "
            f"from {low:+.2%} to {high:+.2%}.",
        )
    ]
    if need == 0:
        told.append(Text(f"已达到 {wanted:.0%} 的目标概率。", f"The wanted probability of {wanted:.0%} is reached."))
    elif np.isfinite(need):
        unit = unit_of(coal)
        told.append(
            Text(
                f"要达到 {wanted:.0%} 的概率，尚需追加替代 {need:,.1f} {unit.zh}（约 {homes:,.2f} 万户）。",
                f"A probability of {wanted:.0%} takes another {need:,.1f}·{unit.en} of substitution "
                f"({homes:,.2f}·10⁴ households).",
            )
        )
    else:
        told.append(
            Text(
                f"仅靠追加同类替代达不到 {wanted:.0%} 的概率。",
                f"No extra substitution of this kind reaches a probability of {wanted:.0%}.",
            )
        )
    names = [input_name(coal, i) for i in range(min(3, coal.sizes["uncertain_input"]))]
    shares = [f"{Number(float(v)):.0%}" for v in coal["sobol_total"].values[:3]]
    zh = "，".join(f"{n.zh} {v}" for n, v in zip(names, shares, strict=True))
    en = ", ".join(f"{n.en} {v}" for n, v in zip(names, shares, strict=True))
    return [*told, Text(f"主要不确定来源：{zh}。", f"What decides: {en}.")]


def notices(coal: xr.Dataset) -> list[Text]:
    """Return how many of the distributions are assumed."""
    assumed = int((coal["input_assumed"] == 1).sum()) if "input_assumed" in coal else 0
    if not assumed:
        return []
    count = coal.sizes["uncertain_input"]
    return [
        Text(
            f"{count} 个不确定来源中 {assumed} 个的分布未注明出处，为假设（在措施或 coal: uncertainty: 中声明）。",
            f"{assumed} of {count} distributions have no source: assumed (declare them on the measures or under "
            "coal: uncertainty:).",
        )
    ]


def grids(coal: xr.Dataset) -> list[Grid]:
    """Return the probability of negative growth by city, and the uncertain inputs by what they decide."""
    if "probability" not in coal:
        return []
    unit, rows = unit_of(coal), []
    names = ("growth", "probability", "probability_error", "change_quantile", "extra_needed", "extra_households")
    wanted = f"{float(coal.attrs.get('wanted_probability', 0.9)):.0%}"
    for city in [*cities(coal), None]:
        one = {n: coal[f"{n}_total"] if city is None else coal[n].sel(city=city) for n in names}
        spread = one["change_quantile"]
        rows.append(
            [
                place(city),
                float(one["growth"]),
                float(one["probability"]),
                float(one["probability_error"]),
                *(float(spread.sel(quantile=q)) for q in (0.05, 0.5, 0.95)),
                float(one["extra_needed"]) / 1e4,
                float(one["extra_households"]) / 1e4,
            ]
        )
    heads = words.heads(
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
    title, digits = Text("负增长的概率", "Probability of negative growth"), [0, -3, -2, -3, -3, -3, -3, 2, 2]
    made = [Grid(title, heads, rows, digits, scope_note(coal), printed=len(rows))]
    if "uncertain_input" in coal:
        rows = [
            [
                input_name(coal, i),
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
        heads = words.heads(
            "不确定来源|input",
            "分布|distribution",
            "性质|status",
            "一阶 Sobol|first-order",
            "总 Sobol|total",
            f"5 % 时变化（{unit.zh}）|change at 5 % [{unit.en}]",
            f"95 % 时变化（{unit.zh}）|change at 95 % [{unit.en}]",
            "依据|basis",
        )
        title = Text("哪个不确定来源说了算", "Which input decides")
        made.append(Grid(title, heads, rows, [0, 0, 0, 2, 2, 1, 1, 0], scope_note(coal)))
    return made


def curve_figure(coal: xr.Dataset) -> Figure | None:
    """Return the probability of negative growth over extra substitution."""
    if "probability_curve" not in coal:
        return None
    x, y = coal["extra_substitution"].values / 1e4, coal["probability_curve"].values
    wanted = float(coal.attrs.get("wanted_probability", np.nan))
    need = float(coal["extra_needed_total"]) / 1e4
    data: list[Figure] = [
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


def tornado_figure(coal: xr.Dataset, most: int = 12) -> Figure | None:
    """Return how far each uncertain input alone moves the change, the largest on top."""
    if "uncertain_input" not in coal or not coal.sizes["uncertain_input"]:
        return None
    centre = float(coal["swing_centre"]) / 1e4 if "swing_centre" in coal else 0.0
    low, high = coal["swing_low"].values / 1e4, coal["swing_high"].values / 1e4
    order = np.argsort(np.abs(high - low))[-most:]
    label = [both(input_name(coal, i)) for i in order]
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
