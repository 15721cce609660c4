"""The page of `airsim evaluate`: measures beside goals and baselines, Taylor diagram, series, diurnal cycle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim import rules
from airsim.assess import evaluation
from airsim.errors import Problem
from airsim.output import findings, words
from airsim.output.page import Grid, Page, Section
from airsim.output.sections.figures import BASE, Figure, both, numbers, said
from airsim.output.words import Text

PREDICTORS = {
    "model": Text("模式", "model"),
    "last_day": Text("持续性（起报前日）", "persistence, last day"),
    "day_before": Text("持续性（前一日）", "persistence, day before"),
    "ventilation": Text("仅通风系数回归", "ventilation only"),
}
_COLOURS = {"model": BASE, "last_day": "#8d99ae", "day_before": "#5f6c7b", "ventilation": "#00897b"}
_OBSERVED = "#111"
_SYMBOLS = {"model": "circle", "last_day": "square", "day_before": "diamond", "ventilation": "triangle-up"}
#: Printed measures: (key, head, digits as in `Grid`).
_MEASURES = (
    ("n", Text("对数", "pairs"), 0),
    ("observed", Text("观测均值", "observed"), 1),
    ("modelled", Text("预报均值", "predicted"), 1),
    ("nmb", Text("NMB", "NMB"), -1),
    ("nme", Text("NME", "NME"), -1),
    ("mfb", Text("MFB", "MFB"), -1),
    ("mfe", Text("MFE", "MFE"), -1),
    ("r", Text("R", "R"), 2),
    ("ioa", Text("IOA", "IOA"), 2),
    ("fac2", Text("FAC2", "FAC2"), -1),
    ("rmse", Text("RMSE", "RMSE"), 1),
    ("fb", Text("FB", "FB"), 2),
    ("nmse", Text("NMSE", "NMSE"), 2),
    ("mg", Text("MG", "MG"), 2),
    ("vg", Text("VG", "VG"), 2),
)
_ALL = Text("全部城市", "all cities")


def page(tree: xr.DataTree, compared: xr.Dataset, statistics: pd.DataFrame, notes: Sequence[Problem] = ()) -> Page:
    """Return the page.

    Parameters
    ----------
    tree : DataTree
        The result.
    compared : Dataset
        From `airsim.evaluate.compare`.
    statistics : DataFrame
        From `airsim.assess.annual.statistics`, of the observations.
    notes : sequence of Problem
        What the reader of the observations passed over.
    """
    names = findings.city_names(tree.to_dataset()) | {"all": _ALL}
    paired = compared.attrs["paired"] == "yes"
    sections = []
    if paired:
        sections += [_scores(compared, names), _heavy(compared, names), _taylor(compared, names)]
        sections += [_series(compared, names)]
    sections += [_levels(compared, names), _diurnal(compared, names), _observed(statistics, names)]
    sections.append(_notes(notes))
    case = words.name(words.CASES, str(compared.attrs["case"]))
    title = str(tree.attrs.get("title", tree.attrs.get("name", "")))
    title_zh = str(tree.attrs.get("title_zh", title))
    span = tree.to_dataset()["time"].values[[0, -1]] + findings.BEIJING
    first, last = pd.Timestamp(span[0]), pd.Timestamp(span[1]) + pd.Timedelta(hours=1)
    period = f"{first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M}"
    files = str(compared.attrs.get("files", ""))
    return Page(
        Text(f"与实测比较：{title_zh}", f"Against observations: {title}"),
        Text(
            f"{period}（北京时间），{case.zh}；观测文件 {files}",
            f"{period} Beijing time, {case.en}; observations {files}",
        ),
        _notices(compared, paired),
        _answers(compared, names, paired),
        sections,
    )


def _notices(compared: xr.Dataset, paired: bool) -> list[Text]:
    period = str(compared.attrs["observed_period"])
    if not paired:
        return [
            Text(
                "天气是合成的（或结果未说明其真实性）：逐时逐日配对没有意义，因此未计算 NMB、R、IOA、FAC2、"
                "重污染日命中等配对指标，"
                "也没有与持续性、通风回归作比较。这里只比较浓度水平、分布、日变化与城市排序；"
                f"观测取同月份（{period}）。",
                "The weather is synthetic (or the result doesn't say that it is real): pairing hours or days "
                "would mean "
                "nothing, so NMB, R, IOA, FAC2, hits of heavy-pollution days and the baselines are NOT computed. Only "
                "level, distribution, diurnal cycle and the order of the cities are compared, with the "
                "observations of "
                f"the same months ({period}).",
            )
        ]
    fitted = int(compared["fitted_days"].max())
    if fitted:
        return [
            Text(
                f"通风系数回归用起报之前 {fitted} 天的观测与气象拟合；"
                "“持续性（前一日）”在时段内逐日用到前一天的观测，比事先运行的模式知道得更多。",
                f"The ventilation regression is fitted on {fitted} days before the window; persistence of the day "
                "before "
                "sees observations within the window up to a day earlier, more than a run made beforehand does.",
            )
        ]
    days, least = int(compared.attrs["weather_days_before"]), int(compared.attrs["least_days"])
    return [
        Text(
            f"没有通风系数回归：窗口之前只有 {days} 天既有气象又可用于拟合（至少须 {least} 天）。可用 --earlier "
            "给出此前时段的结果文件；"
            "目前只有持续性两种基线。",
            f"No ventilation regression: {days} days of weather lie before the window, {least} with observations are "
            "needed. Name results of the time before with --earlier. Persistence is the only baseline here.",
        )
    ]


def _answers(compared: xr.Dataset, names: dict[str, Text], paired: bool) -> list[Text]:
    if not paired:
        ratios = compared["ratio"].sel(variable="pm25").dropna("place").values
        rank = float(compared["rank_correlation"].sel(variable="pm25"))
        ks = float(compared["distribution"].sel(variable="pm25", place="all", statistic="ks"))
        return [
            Text(
                f"PM2.5 模拟均值为观测的 {ratios.min():.2f}–{ratios.max():.2f} 倍（中位数 {np.median(ratios):.2f}），"
                f"城市排序秩相关 {rank:.2f}，两分布最大差距 {ks:.2f}。",
                f"Mean PM2.5 is {ratios.min():.2f}–{ratios.max():.2f} of the observed (median "
                f"{np.median(ratios):.2f}), "
                f"the order of the cities correlates at {rank:.2f}, the distributions differ by at most {ks:.2f}.",
            )
        ]
    at = compared["score"].sel(scale="daily", variable="pm25", place="all")
    model = at.sel(predictor="model")
    value = {k: float(model.sel(measure=k)) for k in ("nmb", "mfb", "mfe", "r", "fac2")}
    goal = _reached(value["mfb"], value["mfe"])[1]
    lines = [
        Text(
            f"PM2.5 日均（全部城市）：NMB {100 * value['nmb']:+.0f} %，R {value['r']:.2f}，FAC2 "
            f"{100 * value['fac2']:.0f} %；"
            f"MFB {100 * value['mfb']:+.0f} %、MFE {100 * value['mfe']:.0f} %，{goal.zh}。",
            f"Daily PM2.5, all cities: NMB {100 * value['nmb']:+.0f} %, R {value['r']:.2f}, FAC2 "
            f"{100 * value['fac2']:.0f} %; MFB {100 * value['mfb']:+.0f} %, MFE {100 * value['mfe']:.0f} %: {goal.en}.",
        )
    ]
    rmse = {str(p): float(at.sel(predictor=p, measure="rmse")) for p in compared["predictor"].values}
    beaten = [PREDICTORS[p] for p in rmse if p != "model" and rmse["model"] < rmse[p]]
    better = [PREDICTORS[p] for p in rmse if p != "model" and rmse[p] <= rmse["model"]]
    if beaten:
        lines.append(
            Text(
                f"按日均 RMSE，模式优于：{'、'.join(b.zh for b in beaten)}。",
                f"By RMSE of daily means the model beats: {', '.join(b.en for b in beaten)}.",
            )
        )
    if better:
        lines.append(
            Text(
                f"按日均 RMSE，模式不优于：{'、'.join(b.zh for b in better)}——这些不需要模式。",
                f"By RMSE of daily means the model does NOT beat: {', '.join(b.en for b in better)}, which need no "
                "model.",
            )
        )
    hits = compared["event"].sel(index="aqi", predictor="model", place="all")
    counts = {k: float(hits.sel(count=k)) for k in ("hits", "misses", "false_alarms", "csi")}
    lines.append(
        Text(
            f"重污染日（AQI＞200）：命中 {counts['hits']:.0f}，漏报 {counts['misses']:.0f}，空报 "
            f"{counts['false_alarms']:.0f} 城·天。",
            f"Heavy-pollution city-days (AQI > 200): {counts['hits']:.0f} hits, {counts['misses']:.0f} misses, "
            f"{counts['false_alarms']:.0f} false alarms.",
        )
    )
    return lines


def _reached(mfb: float, mfe: float) -> tuple[Text, Text]:
    """Return how MFB and MFE stand to goal and criteria of Boylan and Russell (2006): in a word, and in full."""
    rule = rules.load("evaluation")
    goal = Text(
        "达到 Boylan 与 Russell（2006）目标（±30 %、50 %）", "within the goal of Boylan and Russell 2006 (±30 %, 50 %)"
    )
    criteria = Text("未达目标，但在其可接受范围（±60 %、75 %）", "beyond the goal, within the criteria (±60 %, 75 %)")
    beyond = Text(
        "超出 Boylan 与 Russell（2006）可接受范围（±60 %、75 %）",
        "beyond the criteria of Boylan and Russell 2006 (±60 %, 75 %)",
    )
    if abs(mfb) <= rule["goal.mfb"] and mfe <= rule["goal.mfe"]:
        return Text("目标", "goal"), goal
    if abs(mfb) <= rule["criteria.mfb"] and mfe <= rule["criteria.mfe"]:
        return Text("可接受", "criteria"), criteria
    return Text("超出", "beyond"), beyond


def _scores(compared: xr.Dataset, names: dict[str, Text]) -> Section:
    rule = rules.load("evaluation")
    accept = rule["acceptable"]
    (basis, *_) = rule.about("acceptable.fac2")
    status = words.name(words.STATUSES, basis.status)
    cities = [str(c) for c in compared["city"].values]
    pm25 = ["pm25"] if "pm25" in compared["variable"].values else []
    species = [str(v) for v in compared["variable"].values]
    grids = [
        _grid(
            compared, names, "daily", species, ["all"], Text("日均，全部城市合并", "daily means, all cities together")
        ),
        _grid(compared, names, "daily", pm25, cities, Text("PM2.5 日均，分城市", "daily PM2.5 by city"), folded=True),
        _grid(
            compared,
            names,
            "hourly",
            species,
            ["all"],
            Text("逐时，全部城市合并", "hours, all cities together"),
            folded=True,
        ),
        _grid(compared, names, "daily", species, cities, Text("日均，分城市", "daily means by city"), folded=True),
        _grid(compared, names, "hourly", species, cities, Text("逐时，分城市", "hours by city"), folded=True),
    ]
    return Section(
        "scores",
        Text("配对指标与参照目标", "Paired measures and goals"),
        [
            Text(
                f"参照：Boylan 与 Russell（2006）目标 |MFB|≤{100 * rule['goal.mfb']:.0f} %、"
                f"MFE≤{100 * rule['goal.mfe']:.0f} %，可接受 "
                f"{100 * rule['criteria.mfb']:.0f} %、{100 * rule['criteria.mfe']:.0f} %；Chang 与 "
                f"Hanna（2004）（{status.zh}）FAC2＞"
                f"{accept['fac2']:.1f}，|FB|＜{accept['fb']:.1f}，NMSE＜{accept['nmse']:.1f}。"
                "浓度单位 μg/m³；“全部城市”为各城市样本合并。通风回归只预报 PM2.5 日均。",
                f"Boylan and Russell 2006: goal |MFB| ≤ {100 * rule['goal.mfb']:.0f} %, MFE ≤ "
                f"{100 * rule['goal.mfe']:.0f} %; "
                f"criteria {100 * rule['criteria.mfb']:.0f} %, {100 * rule['criteria.mfe']:.0f} %. Chang and Hanna "
                "2004 "
                f"({status.en}): FAC2 > {accept['fac2']:.1f}, |FB| < {accept['fb']:.1f}, NMSE < {accept['nmse']:.1f}. "
                "Concentrations in μg/m³; all cities = all pairs together. The regression predicts daily PM2.5 only.",
            )
        ],
        grids=grids,
    )


def _grid(
    compared: xr.Dataset,
    names: dict[str, Text],
    scale: str,
    species: Sequence[str],
    places: Sequence[str],
    title: Text,
    *,
    folded: bool = False,
) -> Grid:
    """Return the measures of some pollutants and places, model and baselines below one another."""
    rows: list[list[Any]] = []
    for variable in species:
        for place in places:
            for predictor in compared["predictor"].values:
                at = compared["score"].sel(scale=scale, variable=variable, place=place, predictor=predictor)
                found = {k: float(at.sel(measure=k)) for k, _, _ in _MEASURES}
                if not found["n"] > 0:
                    continue
                mark = _reached(found["mfb"], found["mfe"])[0] if variable in {"pm25", "pm10"} else Text("—", "—")
                label = words.name(words.POLLUTANTS, variable)
                rows.append([label, names[place], PREDICTORS[str(predictor)], *found.values(), mark])
    head = [Text("污染物", "pollutant"), Text("城市", "city"), Text("预报", "predictor")]
    head += [h for _, h, _ in _MEASURES]
    head.append(Text("MFB、MFE 对照目标", "MFB, MFE against the goal"))
    return Grid(title, head, rows, [0, 0, 0, *(d for _, _, d in _MEASURES), 0], folded=folded)


def _heavy(compared: xr.Dataset, names: dict[str, Text]) -> Section:
    labels = {
        "aqi": Text("AQI＞200", "AQI > 200"),
        "pm25": Text(
            f"PM2.5 日均＞{compared.attrs['heavy_above_pm25']:.0f}",
            f"daily PM2.5 > {compared.attrs['heavy_above_pm25']:.0f}",
        ),
    }

    def rows(places: Sequence[str]) -> list[list[Any]]:
        found: list[list[Any]] = []
        for index in compared["index"].values:
            for place in places:
                for predictor in compared["predictor"].values:
                    at = compared["event"].sel(index=index, place=place, predictor=predictor).values
                    if at[:4].sum() > 0:
                        found.append([labels[str(index)], names[place], PREDICTORS[str(predictor)], *map(float, at)])
        return found

    head = [
        Text("事件", "event"),
        Text("城市", "city"),
        Text("预报", "predictor"),
        Text("命中", "hits"),
        Text("漏报", "misses"),
    ]
    head += [Text("空报", "false alarms"), Text("均无", "quiet"), Text("POD 命中率", "POD"), Text("FAR 空报率", "FAR")]
    head += [Text("CSI 成功指数", "CSI")]
    digits = [0, 0, 0, 0, 0, 0, 0, -1, -1, -1]
    return Section(
        "heavy",
        Text("重污染日的命中与空报", "Hits and false alarms of heavy-pollution days"),
        [
            Text(
                f"AQI 按 {compared.attrs['aqi_rule']}，双方均由 PM2.5、PM10、SO2、NO2、CO 日均值计算，不含臭氧。",
                f"AQI by {compared.attrs['aqi_rule']}, on both sides from daily PM2.5, PM10, SO2, NO2 and CO, "
                "without ozone.",
            )
        ],
        grids=[
            Grid(Text("重污染日，全部城市合计", "heavy-pollution days, all cities"), head, rows(["all"]), digits),
            Grid(
                Text("重污染日，分城市", "heavy-pollution days by city"),
                head,
                rows([str(c) for c in compared["city"].values]),
                digits,
                folded=True,
            ),
        ],
    )


def _taylor(compared: xr.Dataset, names: dict[str, Text]) -> Section:
    """Draw ratio of standard deviations and correlation of daily PM2.5, one point a city and predictor."""
    data: list[Figure] = []
    largest = 1.5
    for predictor in compared["predictor"].values:
        points = []
        for city in compared["city"].values:
            o = compared["observed_daily"].sel(city=city)
            m = compared["predicted_daily"].sel(city=city, predictor=predictor)
            ratio, r = evaluation.taylor(o, m)
            if np.isfinite(ratio) and np.isfinite(r):
                points.append((ratio, r, names[str(city)]))
        if not points:
            continue
        largest = max(largest, 1.1 * max(p[0] for p in points))
        data.append(
            {
                "type": "scatterpolar",
                "mode": "markers",
                "r": [round(p[0], 3) for p in points],
                "theta": [round(float(np.degrees(np.arccos(np.clip(p[1], -1, 1)))), 2) for p in points],
                "text": [said(f"{p[2].zh} R {p[1]:.2f}", f"{p[2].en} R {p[1]:.2f}") for p in points],
                "hovertemplate": "%{text}, σ %{r:.2f}<extra></extra>",
                "name": both(PREDICTORS[str(predictor)]),
                "marker": {"color": _COLOURS[str(predictor)], "size": 9, "symbol": _SYMBOLS[str(predictor)]},
            }
        )
    star = {"color": _OBSERVED, "size": 14, "symbol": "star"}
    data.append(
        {
            "type": "scatterpolar",
            "mode": "markers",
            "r": [1],
            "theta": [0],
            "name": said("观测", "observed"),
            "marker": star,
        }
    )
    ticks = (1, 0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.2, 0, -0.2, -0.4, -0.6, -0.8, -1)
    lowest = min((min(d["theta"]) for d in data), default=0)
    widest = max((max(d["theta"]) for d in data), default=90)
    layout = {
        "height": 460,
        "margin": {"l": 40, "r": 40, "t": 30, "b": 30},
        "polar": {
            "sector": [0, 180 if widest > 90 or lowest < 0 else 90],
            "radialaxis": {"range": [0, round(float(largest), 2)], "title": {"text": "σ / σ₀"}, "angle": 0},
            "angularaxis": {
                "direction": "counterclockwise",
                "tickvals": [round(float(np.degrees(np.arccos(t))), 3) for t in ticks],
                "ticktext": [f"{t:g}" for t in ticks],
            },
        },
        "legend": {"orientation": "h", "y": -0.05},
        "showlegend": True,
    }
    about = said("PM2.5 日均的泰勒图", "Taylor diagram of daily PM2.5")
    return Section(
        "taylor",
        Text("泰勒图（PM2.5 日均）", "Taylor diagram (daily PM2.5)"),
        [
            Text(
                "到原点的距离是标准差之比，角度是相关系数（刻度），越靠近星号越好（Taylor 2001）；"
                "最后一日持续性在时段内为常数，没有相关系数，不在图上。",
                "Distance from the origin: ratio of standard deviations; angle: correlation (ticks). The nearer "
                "to the star "
                "the better (Taylor 2001). Persistence of the last day is constant over the days, has no "
                "correlation and "
                "is not drawn.",
            )
        ],
        [{"id": "taylor-points", "about": about, "data": data, "layout": layout}],
    )


def _series(compared: xr.Dataset, names: dict[str, Text]) -> Section:
    made = []
    days = [f"{pd.Timestamp(d):%Y-%m-%d} 12:00" for d in compared["day"].values]
    hours = [f"{pd.Timestamp(t + findings.BEIJING):%Y-%m-%d %H:%M}" for t in compared["time"].values]
    hourly = len(hours) <= 1500
    for city in compared["city"].values:
        name = names[str(city)]
        data: list[Figure] = []
        if hourly:
            data += [
                _line(hours, compared["observed_hourly"].sel(city=city), said("观测", "observed"), _OBSERVED, "solid"),
                _line(hours, compared["modelled_hourly"].sel(city=city), both(PREDICTORS["model"]), BASE, "solid"),
            ]
        else:
            data += [
                _line(days, compared["observed_daily"].sel(city=city), said("观测", "observed"), _OBSERVED, "solid")
            ]
        for predictor in compared["predictor"].values:
            line = compared["predicted_daily"].sel(city=city, predictor=predictor)
            if (predictor != "model" or not hourly) and np.isfinite(line).any():
                data.append(_line(days, line, both(PREDICTORS[str(predictor)]), _COLOURS[str(predictor)], "dot"))
        layout = {
            "title": {"text": both(name), "x": 0.02, "font": {"size": 15}},
            "margin": {"l": 44, "r": 10, "t": 34, "b": 30},
            "height": 280,
            "hovermode": "x unified",
            "legend": {"orientation": "h", "y": -0.15},
            "xaxis": {"type": "date", "tickformat": "%m-%d", "hoverformat": "%m-%d %H:%M"},
            "yaxis": {"rangemode": "tozero", "title": {"text": "μg/m³"}},
        }
        about = said(f"{name.zh} PM2.5 观测与预报", f"PM2.5 observed and predicted, {name.en}")
        made.append({"id": f"series-{city}", "about": about, "data": data, "layout": layout})
    return Section(
        "series",
        Text("逐时与逐日 PM2.5", "PM2.5 by hour and day"),
        [
            Text(
                "实线为逐时，点线为各基线的日均（画在正午）。北京时间。",
                "Lines: hours; dotted: daily means of the baselines, drawn at noon. Beijing time.",
            )
        ],
        made[:6],
        more=made[6:],
    )  # fmt: skip


def _line(times: list[str], values: xr.DataArray, name: dict[str, str], colour: str, dash: str) -> Figure:
    width = 1.8 if dash == "solid" else 1.4
    line = {"color": colour, "width": width, "dash": dash}
    return {"type": "scatter", "mode": "lines", "x": times, "y": numbers(values.values), "name": name, "line": line}


def _levels(compared: xr.Dataset, names: dict[str, Text]) -> Section:
    rows: list[list[Any]] = []
    for variable in compared["variable"].values:
        for place in compared["place"].values:
            if place == "all":
                continue
            at = compared.sel(variable=variable, place=place)
            if not np.isfinite(at["observed_mean"]):
                continue
            spread = compared["distribution"].sel(variable=variable, place=place)
            parts = [
                float(spread.sel(statistic=f"{w}_p{p}")) for p in (10, 50, 90, 98) for w in ("observed", "modelled")
            ]
            rows.append(
                [
                    words.name(words.POLLUTANTS, str(variable)),
                    names[str(place)],
                    *(float(at[k]) for k in ("observed_mean", "modelled_mean", "ratio")),
                    *parts,
                    float(spread.sel(statistic="ks")),
                    float(at["diurnal_correlation"]),
                ]
            )
    head = [
        Text("污染物", "pollutant"),
        Text("城市", "city"),
        Text("观测均值", "observed mean"),
        Text("模拟均值", "modelled mean"),
    ]
    head += [Text("模拟÷观测", "modelled ÷ observed")]
    for p in (10, 50, 90, 98):
        head += [Text(f"观测 P{p}", f"observed P{p}"), Text(f"模拟 P{p}", f"modelled P{p}")]
    head += [
        Text("分布最大差距（K–S）", "distance of the distributions (K–S)"),
        Text("日变化相关", "correlation of the diurnal cycle"),
    ]
    digits = [0, 0, 1, 1, 2, *[0] * 8, 2, 2]
    first = sum(r[0] == words.POLLUTANTS["pm25"] for r in rows)
    ranks = [
        (words.name(words.POLLUTANTS, str(v)), float(compared["rank_correlation"].sel(variable=v)))
        for v in compared["variable"].values
    ]
    said_zh = "，".join(f"{n.zh} {r:.2f}" for n, r in ranks if np.isfinite(r))
    said_en = ", ".join(f"{n.en} {r:.2f}" for n, r in ranks if np.isfinite(r))
    return Section(
        "levels",
        Text("浓度水平、分布与城市排序", "Level, distribution, order of the cities"),
        [
            Text(
                f"城市高低次序的秩相关（Spearman）：{said_zh or '—'}。小时值，μg/m³。",
                f"Rank correlation of the cities (Spearman): {said_en or '—'}. Hourly values, μg/m³.",
            )
        ],
        grids=[
            Grid(Text("PM2.5 均值与百分位数", "PM2.5, means and percentiles"), head, rows[:first], digits),
            Grid(Text("均值与百分位数", "means and percentiles"), head, rows[first:], digits, folded=True),
        ],
    )


def _diurnal(compared: xr.Dataset, names: dict[str, Text]) -> Section:
    made = []
    hours = [int(h) for h in compared["hour"].values]
    for place in (p for p in compared["place"].values if p != "all"):
        at = compared.sel(variable="pm25", place=place)
        if not np.isfinite(at["observed_diurnal"]).any():
            continue
        name = names[str(place)]
        data = [
            _line([str(h) for h in hours], at["observed_diurnal"] * 100, said("观测", "observed"), _OBSERVED, "solid"),
            _line([str(h) for h in hours], at["modelled_diurnal"] * 100, both(PREDICTORS["model"]), BASE, "solid"),
        ]
        layout = {
            "title": {"text": both(name), "x": 0.02, "font": {"size": 15}},
            "margin": {"l": 44, "r": 10, "t": 34, "b": 30},
            "height": 240,
            "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.16},
            "xaxis": {"dtick": 3, "type": "linear", "title": {"text": said("时（北京时间）", "hour, Beijing time")}},
            "yaxis": {"title": {"text": "%"}},
        }
        about = said(f"{name.zh} PM2.5 日变化", f"diurnal cycle of PM2.5, {name.en}")
        made.append({"id": f"diurnal-{place}", "about": about, "data": data, "layout": layout})
    return Section(
        "diurnal",
        Text("PM2.5 日变化（占日均值的百分比）", "Diurnal cycle of PM2.5 (per cent of the mean)"),
        figures=made[:4],
        grids=[_diurnal_grid(compared, names)],
        more=made[4:],
    )


def _diurnal_grid(compared: xr.Dataset, names: dict[str, Text]) -> Grid:
    """Return the cycles of all pollutants in numbers: observed and modelled, per cent of the mean, hour by hour."""
    rows: list[list[Any]] = []
    for variable in compared["variable"].values:
        for place in (p for p in compared["place"].values if p != "all"):
            at = compared.sel(variable=variable, place=place)
            for key, label in (("observed", Text("观测", "observed")), ("modelled", Text("模拟", "modelled"))):
                values = at[f"{key}_diurnal"].values
                if np.isfinite(at["observed_mean"]) and np.isfinite(values).any():
                    pollutant = words.name(words.POLLUTANTS, str(variable))
                    rows.append([pollutant, names[str(place)], label, *(float(v) for v in values)])
    head = [Text("污染物", "pollutant"), Text("城市", "city"), Text("来源", "which")]
    head += [Text(f"{h} 时", f"{h}:00") for h in compared["hour"].values]
    return Grid(
        Text("日变化（占均值）", "diurnal cycle (share of the mean)"), head, rows, [0, 0, 0, *[-1] * 24], folded=True
    )


def _observed(statistics: pd.DataFrame, names: dict[str, Text]) -> Section:
    rule = str(statistics.attrs.get("rule", "HJ 663"))
    labels = {"o3_8h": Text("O₃ 日最大 8 小时", "O₃, largest 8 h of the day")}
    rows = [
        [
            r["period"],
            names.get(r["city"], Text(r["city"], r["city"])),
            labels.get(r["pollutant"], words.name(words.POLLUTANTS, r["pollutant"])),
            r["mean"],
            f"P{100 * r['p']:.0f}",
            r["percentile"],
            r["days"],
            r["of"],
            Text("有效", "valid") if r["valid"] else Text("不足全年", "not a full year"),
        ]
        for r in statistics.to_dict("records")
    ]
    head = [
        Text("时段", "period"),
        Text("城市", "city"),
        Text("污染物", "pollutant"),
        Text("日均值的平均", "mean of the days"),
    ]
    head += [
        Text("百分位", "percentile"),
        Text("百分位数", "its value"),
        Text("有效天数", "valid days"),
        Text("总天数", "of days"),
    ]
    head += [Text("年评价有效性", "as an annual statistic")]
    return Section(
        "observed",
        Text("观测统计（HJ 663）", "Observed statistics (HJ 663)"),
        [
            Text(
                f"按 {rule}：日均值须有至少 20 个有效小时；年评价须 324 天且每月 27 天（二月 25 天）。单位 μg/m³。",
                f"By {rule}: a day needs 20 valid hours; a year 324 days and 27 in each month (25 in February). μg/m³.",
            )
        ],
        grids=[Grid(Text("观测统计", "observed statistics"), head, rows, [0, 0, 0, 1, 0, 1, 0, 0, 0], folded=True)],
    )


def _notes(notes: Sequence[Problem]) -> Section:
    listed = sorted(set(notes))
    rows = [[Text(n.text("zh"), n.text("en"))] for n in listed]
    return Section(
        "reading",
        Text("读取观测时的说明", "What was passed over in reading"),
        [
            Text(
                "小时 h 的值为 h−1 至 h 的平均（北京时间）：0 时属前一日。",
                "Hour h is the mean of h−1 to h, Beijing time: hour 0 belongs to the day before.",
            )
        ],
        grids=[Grid(Text("读取说明", "reading"), [Text("说明", "note")], rows, [0])] if rows else [],
    )  # fmt: skip
