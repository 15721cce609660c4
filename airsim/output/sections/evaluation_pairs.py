"""A result against observations hour by hour and day by day: measures beside goals and baselines, hits, series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim import rules
from airsim.assess import evaluation
from airsim.output import findings, words
from airsim.output.page import Grid, Section
from airsim.output.sections.figures import BASE, Figure, both, numbers, said
from airsim.output.words import Text

PREDICTORS = {
    "model": Text("模式", "model"),
    "last_day": Text("持续性（起报前日）", "persistence, last day"),
    "day_before": Text("持续性（前一日）", "persistence, day before"),
    "ventilation": Text("仅通风系数回归", "ventilation only"),
}
_COLOURS = {"model": BASE, "last_day": "#8d99ae", "day_before": "#5f6c7b", "ventilation": "#00897b"}
OBSERVED = "#111"
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


def reached(mfb: float, mfe: float) -> tuple[Text, Text]:
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


def scores(compared: xr.Dataset, names: dict[str, Text]) -> Section:
    """Return the measures beside goals and baselines, by pollutant and city."""
    rule = rules.load("evaluation")
    accept = rule["acceptable"]
    (basis, *_) = rule.about("acceptable.fac2")
    status = words.name(words.STATUSES, basis.status)
    cities = [str(c) for c in compared["city"].values]
    pm25 = ["pm25"] if "pm25" in compared["variable"].values else []
    species = [str(v) for v in compared["variable"].values]
    grids = [
        _grid(
            compared, names, "daily", species, ["all"], Text("日均，全部城市合并", "daily means, all cities together"),
            printed=20,
        ),
        _grid(compared, names, "daily", pm25, cities, Text("PM2.5 日均，分城市", "daily PM2.5 by city"), folded=True),
        _grid(
            compared, names, "hourly", species, ["all"], Text("逐时，全部城市合并", "hours, all cities together"),
            folded=True,
        ),
        _grid(compared, names, "daily", species, cities, Text("日均，分城市", "daily means by city"), folded=True),
        _grid(compared, names, "hourly", species, cities, Text("逐时，分城市", "hours by city"), folded=True),
    ]  # fmt: skip
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
    printed: int = 0,
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
                mark = reached(found["mfb"], found["mfe"])[0] if variable in {"pm25", "pm10"} else Text("—", "—")
                label = words.name(words.POLLUTANTS, variable)
                rows.append([label, names[place], PREDICTORS[str(predictor)], *found.values(), mark])
    head = [Text("污染物", "pollutant"), Text("城市", "city"), Text("预报", "predictor")]
    head += [h for _, h, _ in _MEASURES]
    head.append(Text("MFB、MFE 对照目标", "MFB, MFE against the goal"))
    return Grid(title, head, rows, [0, 0, 0, *(d for _, _, d in _MEASURES), 0], folded=folded, printed=printed)


def heavy(compared: xr.Dataset, names: dict[str, Text]) -> Section:
    """Return hits and false alarms of heavy-pollution days."""
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

    head = words.heads(
        "事件|event", "城市|city", "预报|predictor", "命中|hits", "漏报|misses", "空报|false alarms", "均无|quiet",
        "POD 命中率|POD", "FAR 空报率|FAR", "CSI 成功指数|CSI",
    )  # fmt: skip
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


def taylor(compared: xr.Dataset, names: dict[str, Text]) -> Section:
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
    star = {"color": OBSERVED, "size": 14, "symbol": "star"}
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


def series(compared: xr.Dataset, names: dict[str, Text]) -> Section:
    """Return observed and predicted PM2.5 of every city over time."""
    made = []
    days = [f"{pd.Timestamp(d):%Y-%m-%d} 12:00" for d in compared["day"].values]
    hours = [findings.beijing(t) for t in compared["time"].values]
    hourly = len(hours) <= 1500
    for city in compared["city"].values:
        name = names[str(city)]
        data: list[Figure] = []
        if hourly:
            data += [
                line(hours, compared["observed_hourly"].sel(city=city), said("观测", "observed"), OBSERVED, "solid"),
                line(hours, compared["modelled_hourly"].sel(city=city), both(PREDICTORS["model"]), BASE, "solid"),
            ]
        else:
            data += [line(days, compared["observed_daily"].sel(city=city), said("观测", "observed"), OBSERVED, "solid")]
        for predictor in compared["predictor"].values:
            values = compared["predicted_daily"].sel(city=city, predictor=predictor)
            if (predictor != "model" or not hourly) and np.isfinite(values).any():
                data.append(line(days, values, both(PREDICTORS[str(predictor)]), _COLOURS[str(predictor)], "dot"))
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


def line(times: list[str], values: xr.DataArray, name: dict[str, str], colour: str, dash: str) -> Figure:
    """Return one line of a chart."""
    drawn = {"color": colour, "width": 1.8 if dash == "solid" else 1.4, "dash": dash}
    return {"type": "scatter", "mode": "lines", "x": times, "y": numbers(values.values), "name": name, "line": drawn}
