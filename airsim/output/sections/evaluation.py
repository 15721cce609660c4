"""The page of `airsim evaluate`: measures beside goals and baselines, Taylor diagram, series, diurnal cycle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from airsim.errors import Problem
from airsim.output import findings, words
from airsim.output.page import Grid, Number, Page, Section
from airsim.output.sections.evaluation_levels import diurnal, levels
from airsim.output.sections.evaluation_pairs import PREDICTORS, heavy, reached, scores, series, taylor
from airsim.output.words import Text


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
    names = findings.city_names(tree.to_dataset()) | {"all": Text("全部城市", "all cities")}
    paired = compared.attrs["paired"] == "yes"
    pairs = [part(compared, names) for part in (scores, heavy, taylor, series)] if paired else []
    sections = [
        *pairs, levels(compared, names), diurnal(compared, names), _observed(statistics, names), _notes(notes),
    ]  # fmt: skip
    case = words.name(words.CASES, str(compared.attrs["case"]))
    title, time = findings.title(tree), tree.to_dataset()["time"].values
    period = f"{findings.beijing(time[0])} – {findings.beijing(time[-1] + np.timedelta64(1, 'h'))}"
    files = str(compared.attrs.get("files", ""))
    return Page(
        Text(f"与实测比较：{title.zh}", f"Against observations: {title.en}"),
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
    goal = reached(value["mfb"], value["mfe"])[1]
    percent, r = {k: Number(100 * v) for k, v in value.items()}, Number(value["r"])
    lines = [
        Text(
            f"PM2.5 日均（全部城市）：NMB {percent['nmb']:+.0f} %，R {r:.2f}，FAC2 "
            f"{percent['fac2']:.0f} %；"
            f"MFB {percent['mfb']:+.0f} %、MFE {percent['mfe']:.0f} %，{goal.zh}。",
            f"Daily PM2.5, all cities: NMB {percent['nmb']:+.0f} %, R {r:.2f}, FAC2 "
            f"{percent['fac2']:.0f} %; MFB {percent['mfb']:+.0f} %, MFE {percent['mfe']:.0f} %: {goal.en}.",
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
    head = words.heads(
        "时段|period", "城市|city", "污染物|pollutant", "日均值的平均|mean of the days", "百分位|percentile",
        "百分位数|its value", "有效天数|valid days", "总天数|of days", "年评价有效性|as an annual statistic",
    )  # fmt: skip
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
