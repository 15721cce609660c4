"""A result against observations without pairing: level, distribution, order of the cities, diurnal cycle."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from airsim.output import words
from airsim.output.page import Grid, Section
from airsim.output.sections.evaluation_pairs import OBSERVED, PREDICTORS, line
from airsim.output.sections.figures import BASE, both, said
from airsim.output.words import Text


def levels(compared: xr.Dataset, names: dict[str, Text]) -> Section:
    """Return means, percentiles and the order of the cities."""
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
    head = words.heads(
        "污染物|pollutant", "城市|city", "观测均值|observed mean", "模拟均值|modelled mean",
        "模拟÷观测|modelled ÷ observed",
        *(f"{zh} P{p}|{en} P{p}" for p in (10, 50, 90, 98) for zh, en in (("观测", "observed"), ("模拟", "modelled"))),
        "分布最大差距（K–S）|distance of the distributions (K–S)", "日变化相关|correlation of the diurnal cycle",
    )  # fmt: skip
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
            Grid(Text("PM2.5 均值与百分位数", "PM2.5, means and percentiles"), head, rows[:first], digits, printed=20),
            Grid(Text("均值与百分位数", "means and percentiles"), head, rows[first:], digits, folded=True),
        ],
    )


def diurnal(compared: xr.Dataset, names: dict[str, Text]) -> Section:
    """Return the diurnal cycles, observed and modelled."""
    made = []
    hours = [int(h) for h in compared["hour"].values]
    for place in (p for p in compared["place"].values if p != "all"):
        at = compared.sel(variable="pm25", place=place)
        if not np.isfinite(at["observed_diurnal"]).any():
            continue
        name = names[str(place)]
        data = [
            line([str(h) for h in hours], at["observed_diurnal"] * 100, said("观测", "observed"), OBSERVED, "solid"),
            line([str(h) for h in hours], at["modelled_diurnal"] * 100, both(PREDICTORS["model"]), BASE, "solid"),
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
