"""The page of `airsim attribute`: weather, emissions, rest, city by city."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from airsim.output import findings, words
from airsim.output.page import Grid, Page, Section
from airsim.output.sections.figures import Figure, both, numbers, said
from airsim.output.words import Text

TERMS = {
    "observed": Text("实测变化", "observed change"),
    "weather": Text("气象", "weather"),
    "emissions": Text("排放（措施）", "emissions (measures)"),
    "rest": Text("其余（未解释）", "rest (not explained)"),
}
_COLOURS = {"observed": "#111", "weather": "#00897b", "emissions": "#1f5fa8", "rest": "#b0b0b0"}
_SCALES = {
    "relative": Text("相对法（模式比值，结论）", "relative (modelled ratios; the answer)"),
    "absolute": Text("绝对法（模式差值，参考）", "absolute (modelled differences; for reference)"),
}


def page(tree: xr.DataTree, found: xr.Dataset) -> Page:
    """Return the page.

    Parameters
    ----------
    tree : DataTree
        One of the results, for the names of the cities.
    found : Dataset
        From `airsim.commands.attribute.split_between_results`.
    """
    names = findings.city_names(tree.to_dataset()) | {"all": Text("各城市平均", "mean of the cities")}
    before, after = found.attrs["window_before"], found.attrs["window_after"]
    return Page(
        Text("是天气，还是措施？", "Weather or measures?"),
        Text(f"{before} 至 {after}，PM2.5 日均", f"{before} to {after}, daily PM2.5"),
        [
            Text(
                f"95 % 区间由对日子的循环分块重抽样得到（每块 {found.attrs['block_days']} 天，"
                f"{found.attrs['draws']} 次，随机种子 "
                f"{found.attrs['seed']}）：它说明换一批同类的日子会怎样，不包含排放清单与模式本身的误差。",
                f"The 95 % intervals come from resampling days in blocks of {found.attrs['block_days']} "
                f"({found.attrs['draws']} draws, seed {found.attrs['seed']}): they say what other days of the kind "
                "would "
                "give, and hold no error of the inventory or of the model.",
            )
        ],
        [_answer(found)],
        [_bars(found, names), _method()],
    )


def _answer(found: xr.Dataset) -> Text:
    at = found.sel(scale="relative", city="all")
    start = float(at["observed_before"])

    def term(name: str) -> tuple[str, str]:
        one = at.sel(term=name)
        value, low, high = (float(one[f"part{k}"]) for k in ("", "_low", "_high"))
        percent = 100 * value / start
        return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]".replace("-", "−"), f"{percent:+.0f} %".replace("-", "−")

    parts = {k: term(k) for k in ("weather", "emissions", "rest")}
    change = f"{float(at['part'].sel(term='observed')):+.1f}".replace("-", "−")
    zh = (
        f"{int(found.attrs['cities_in_all'])} 个城市平均：实测 {start:.1f} → {float(at['observed_after']):.1f} "
        f"μg/m³（{change}）；"
        f"其中气象 {parts['weather'][0]}（占起点 {parts['weather'][1]}），排放 {parts['emissions'][0]}"
        f"（{parts['emissions'][1]}），其余 {parts['rest'][0]}。"
    )
    en = (
        f"Mean of {int(found.attrs['cities_in_all'])} cities: observed {start:.1f} → "
        f"{float(at['observed_after']):.1f} μg/m³ "
        f"({change}); weather {parts['weather'][0]} ({parts['weather'][1]} of the start), emissions "
        f"{parts['emissions'][0]} ({parts['emissions'][1]}), rest {parts['rest'][0]}."
    )
    return Text(zh, en)


def _bars(found: xr.Dataset, names: dict[str, Text]) -> Section:
    cities = [str(c) for c in found["city"].values if np.isfinite(found["part"].sel(city=c, scale="relative")).all()]
    at = found.sel(scale="relative", city=cities)
    data: list[Figure] = []
    for term, name in TERMS.items():
        value, low, high = (at[f"part{k}"].sel(term=term).values for k in ("", "_low", "_high"))
        data.append(
            {
                "type": "bar",
                "x": [both(names[c]) for c in cities],
                "y": numbers(value),
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": numbers(np.nan_to_num(high - value)),
                    "arrayminus": numbers(np.nan_to_num(value - low)),
                    "thickness": 1,
                    "width": 3,
                },
                "name": both(name),
                "marker": {"color": _COLOURS[term]},
                "hovertemplate": "%{y:+.1f} μg/m³",
            }
        )
    layout = {
        "barmode": "group",
        "height": 380,
        "margin": {"l": 50, "r": 10, "t": 10, "b": 60},
        "yaxis": {"title": {"text": said("变化（μg/m³）", "change [μg/m³]")}},
        "legend": {"orientation": "h", "y": 1.1},
    }
    rows: list[list[Any]] = []
    for scale, label in _SCALES.items():
        for city in ["all", *(c for c in found["city"].values if c != "all")]:
            one = found.sel(scale=scale, city=city)
            if not np.isfinite(one["observed_before"]) or not np.isfinite(one["observed_after"]):
                continue
            cells = [float(one[k]) for k in ("days_before", "days_after", "observed_before", "observed_after")]
            for term in TERMS:
                cells += [float(one[f"part{k}"].sel(term=term)) for k in ("", "_low", "_high")]
            rows.append([names[str(city)], label, *cells])
    head = words.heads(
        "城市|city", "算法|scale", "前 天数|days before", "后 天数|days after", "前 实测|observed before",
        "后 实测|observed after",
    )  # fmt: skip
    for name in TERMS.values():
        head += [name, Text(f"{name.zh} 下限", f"{name.en}, low"), Text(f"{name.zh} 上限", f"{name.en}, high")]
    about = said("各城市 PM2.5 变化的拆分", "the change of PM2.5 split, by city")
    return Section(
        "parts",
        Text("各城市 PM2.5 变化的拆分", "The change of PM2.5, city by city"),
        figures=[{"id": "parts-bars", "about": about, "data": data, "layout": layout}],
        grids=[Grid(Text("拆分（μg/m³）", "parts [μg/m³]"), head, rows, [0, 0, 0, 0, *[1] * 14], printed=20)],
    )


def _method() -> Section:
    return Section(
        "method",
        Text("怎样拆分", "How it is split"),
        [
            Text(
                "两种排放（前、后）各在两个时段的天气下计算，共四个模拟世界；按夏普利值拆分，"
                "天气与排放的交互各得一半，结果与先后次序无关。"
                "相对法用模式比值的对数、以实测浓度的对数平均换算成 μg/m³，模式的系统偏差在其中抵消；"
                "绝对法直接用模式差值。"
                "“其余”是模式未解释的部分，包括清单未列入的排放变化与模式误差。",
                "The emissions before and after are each run under the weather of both windows: four worlds. The "
                "Shapley value "
                "splits the change; what weather and emissions do together goes half to each, and no order is "
                "assumed. The "
                "relative scale uses logarithms of modelled ratios, brought to μg/m³ by the logarithmic mean of "
                "the observed "
                "levels, so that a steady error of the model falls out; the absolute one uses modelled "
                "differences. The rest is "
                "what the model doesn't explain: changes of emissions that the inventory lacks, and errors of the "
                "model.",
            )
        ],
    )
