"""The report's section on what the emergency response does: by city, alone and together, sooner and later, how sure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim.output import findings, words
from airsim.output.findings import BEIJING, Findings, group
from airsim.output.sections.figures import Figure, both, numbers, said
from airsim.output.words import Text

_COLOURS = ("#1f5fa8", "#b3261e", "#2e7d32", "#f28e2b", "#6a4c93", "#00897b", "#8d6e63", "#546e7a")
#: Enterprises that are printed; the workbook has them all.
_ENTERPRISES = 15
_INPUTS = {
    "execution_common": Text("城市、类别执行力", "execution of cities and categories"),
    "execution_single": Text("单个企业执行力", "execution of single sources"),
    "emission_sector": Text("部门排放量", "emission of sectors"),
    "emission_source": Text("单源排放量", "emission of single sources"),
}


def acting(effect: xr.Dataset, found: Findings) -> list[str]:
    """Return the cities under alert that the result knows, in office order."""
    called = {str(c) for c in effect["alert_city"].to_numpy()} if "alert_city" in effect else set()
    finite = effect["effect_mean"].sel(response="without").notnull()
    return [c for c in found.cities.index if c in called and bool(finite.sel(city=c))]


def section(tree: xr.DataTree, found: Findings) -> dict[str, Any] | None:
    """Return tables and sentences of the section, None where the result holds no effect of a response."""
    effect = group(tree, "emergency")
    if effect is None or "effect_mean" not in effect:
        return None
    cities = acting(effect, found)
    if not cities:
        return None
    rows = [_row(effect, found, c) for c in cities]
    hours = [int(t) for t in effect["threshold"].to_numpy()]
    return {
        "rows": rows,
        "thresholds": hours,
        "banded": "cut_share_band" in effect,
        "alone": _alone(effect, found, cities),
        "lead": _lead(effect, found, cities),
        "said": _said(effect, found, cities),
        "rule": str(effect.attrs.get("effect_aqi_rule", "")),
        "hourly": _hourly(effect, cities) is not None,
        "enterprises": _enterprises(effect, found, cities),
    }


def figures(tree: xr.DataTree, found: Findings) -> list[Figure]:
    """Return the figures of the section: the cut hour by hour, and what lead time brings."""
    effect = group(tree, "emergency")
    if effect is None or "effect_mean" not in effect:
        return []
    cities = acting(effect, found)
    return [f for f in (_hourly(effect, cities), _lead_figure(effect, found, cities)) if f is not None]


def _row(effect: xr.Dataset, found: Findings, city: str) -> dict[str, Any]:
    at = effect.sel(city=city)
    row: dict[str, Any] = {"city": found.name(city), "day": pd.Timestamp(at["peak_day"].item())}
    for key, name in (("mean", "effect_mean"), ("peak", "effect_peak_day"), ("hour", "effect_peak_hour")):
        row[key] = [float(at[name].sel(response=r)) for r in ("without", "with")]
    row["hours"] = [
        [int(at["hours_above"].sel(response=r, threshold=t)) for r in ("without", "with")]
        for t in effect["threshold"].to_numpy()
    ]
    row["days"] = [
        [int(at["days_above"].sel(response=r, threshold=t)) for r in ("without", "with")]
        for t in effect["threshold"].to_numpy()
    ]
    row["per_kilotonne"] = float(at["cut_per_kilotonne"])
    for name in ("cut_share_band", "peak_cut_share_band"):
        row[name] = [float(at[name].sel(quantile=q)) for q in (0.05, 0.95)] if name in effect else []
    return row


def _together(effect: xr.Dataset, city: str, name: str = "effect_mean") -> float:
    at = effect[name].sel(city=city)
    return float(at.sel(response="without") - at.sel(response="with"))


def _alone(effect: xr.Dataset, found: Findings, cities: list[str]) -> dict[str, Any] | None:
    if "cut_alone" not in effect:
        return None
    actors = [c for c in cities if c in effect["actor"].to_numpy()]
    rows = []
    for city in cities:
        together = _together(effect, city)
        by = [float(effect["cut_alone"].sel(actor=a, city=city)) for a in actors]
        own = by[actors.index(city)] if city in actors else 0.0
        rows.append(
            {"city": found.name(city), "by": by, "own": own, "together": together,
             "others": 1 - own / together if together > 0 else np.nan}
        )  # fmt: skip
    return {"actors": [found.name(a) for a in actors], "rows": rows}


def _enterprises(effect: xr.Dataset, found: Findings, cities: list[str]) -> list[dict[str, Any]]:
    """Return the enterprises whose cut takes most away from all acting cities."""
    if "enterprise_cut" not in effect:
        return []
    felt = effect["enterprise_cut"].sel(city=cities).transpose("enterprise", "city").to_numpy()
    rows = []
    for i in range(min(_ENTERPRISES, len(felt))):
        home = str(effect["enterprise_city"].to_numpy()[i])
        tonnes = float(effect["enterprise_tonnes"].to_numpy()[i])
        most = int(np.nanargmax(felt[i]))
        rows.append(
            {"name": str(effect["enterprise_name"].to_numpy()[i]), "city": found.name(home), "tonnes": tonnes,
             "own": float(felt[i, cities.index(home)]) if home in cities else np.nan,
             "most": found.name(cities[most]), "value": float(felt[i, most]),
             "per_kilotonne": 1000.0 * float(np.nansum(felt[i])) / tonnes if tonnes > 0 else np.nan}
        )  # fmt: skip
    return rows


def _lead(effect: xr.Dataset, found: Findings, cities: list[str]) -> dict[str, Any] | None:
    if "cut_shifted" not in effect:
        return None
    shifts = [int(s) for s in effect["shift"].to_numpy()]
    rows = []
    for city in cities:
        mean, peak = effect["cut_shifted"].sel(city=city), effect["peak_cut_shifted"].sel(city=city)
        base = [float(effect[n].sel(city=city, response="without")) for n in ("effect_mean", "effect_peak_day")]
        rows.append(
            {"city": found.name(city), "mean": [float(v) / base[0] for v in mean.to_numpy()],
             "peak": [float(v) / base[1] for v in peak.to_numpy()]}
        )  # fmt: skip
    heads = [
        Text("按实际启动", "as called")
        if s == 0
        else Text(f"{'提前' if s < 0 else '推迟'} {abs(s)} 小时", f"{abs(s)} h {'sooner' if s < 0 else 'later'}")
        for s in shifts
    ]
    return {"heads": heads, "rows": rows, "called": shifts.index(0)}


def _said(effect: xr.Dataset, found: Findings, cities: list[str]) -> list[Text]:
    lines: list[Text] = []
    without = effect["effect_mean"].sel(response="without", city=cities)
    change = float((effect["effect_mean"].sel(response="with", city=cities) / without - 1).mean())
    low, high = findings.PUBLISHED_EFFECT
    inside = low <= change <= high
    cut = effect["emission_cut"].sel(city=cities).sum("city")
    whole = effect["emission_without"].sel(city=cities).sum("city")
    under = findings.under_alert(effect["time"].to_numpy(), effect, cities).any("city").to_numpy()
    shares = {
        str(p): float(cut.sel(precursor=p)[under].sum() / whole.sel(precursor=p)[under].sum())
        for p in effect["precursor"].to_numpy()
        if float(whole.sel(precursor=p)[under].sum()) > 0
    }
    listed = "，".join(f"{words.name(words.POLLUTANTS, p).zh} {100 * s:.0f} %" for p, s in shares.items())
    listed_en = ", ".join(f"{words.name(words.POLLUTANTS, p).en} {100 * s:.0f} %" for p, s in shares.items())
    lines.append(
        Text(
            f"预警期间预警城市实际减排（含升降过程、执行率和夜间）：{listed}；PM2.5 平均 {100 * change:+.1f} %。"
            "已发表的红色预警评估：北京 2015 年 12 月减排约 36 %、PM2.5 −11～−21 %，启动后 48～72 小时效果最大；"
            "京津冀 2016 年 12 月 −27.6 %，提前 2 天再增 4.4 个百分点（环境科学 2019, 40(8): 3397）。"
            f"本例{'在' if inside else '不在'}该范围内；该范围仅供对照，未据以调参。",
            "Emission really cut in the alerted cities during alert (ramps, execution and nights included): "
            f"{listed_en}; PM2.5 {100 * change:+.1f} % on average. Published red alerts: Beijing, December 2015, about "
            "36 % less emission, PM2.5 −11 to −21 %, most after 48 to 72 h; Beijing-Tianjin-Hebei, December 2016, "
            "−27.6 %, two days of lead 4.4 points more (环境科学 2019, 40(8): 3397). This case lies "
            f"{'within' if inside else 'outside'} that range, which is for comparison and was not tuned to.",
        )
    )
    if "cut_shifted" in effect:
        shifted = effect["cut_shifted"].sel(city=cities)
        share = 100 * (shifted / without).mean("city")
        named = [int(s) for s in effect["shift"].to_numpy()]
        for hours in (-24, 24):
            if hours in named:
                gain = float(share.sel(shift=hours) - share.sel(shift=0))
                zh, more = ("提前" if hours < 0 else "推迟"), ("增加" if gain >= 0 else "减少")
                lines.append(
                    Text(
                        f"{zh} 24 小时启动，预警时段平均降幅{more} {abs(gain):.1f} 个百分点。",
                        f"Starting a day {'sooner' if hours < 0 else 'later'} makes the mean cut over the alert "
                        f"{abs(gain):.1f} points {'larger' if gain >= 0 else 'smaller'}.",
                    )
                )
    if "cut_share_band" in effect:
        band = 100 * effect["cut_share_band"].sel(city=cities)
        peak = 100 * effect["peak_cut_share_band"].sel(city=cities)
        low_, high_ = (float(band.sel(quantile=q).mean()) for q in (0.05, 0.95))
        peak_low, peak_high = (float(peak.sel(quantile=q).mean()) for q in (0.05, 0.95))
        main = effect["cut_variance"].sel(city=cities).mean("city")
        most = str(main["spread_input"].to_numpy()[int(np.argmax(main.to_numpy()))])
        members, rule = str(effect.attrs.get("spread_members", "")), str(effect.attrs.get("spread_rule", ""))
        status = words.name(words.STATUSES, str(effect.attrs.get("spread_status", "")))
        lines.append(
            Text(
                f"执行率与基准排放的不确定性（{members} 组抽样；分布见规则 {rule}，依据：{status.zh}）："
                f"平均降幅 90 % 区间 {low_:.0f}～{high_:.0f} %，最重日 {peak_low:.0f}～{peak_high:.0f} %；"
                f"最主要的因素是{_INPUTS[most].zh}。",
                f"Execution and base emissions are uncertain ({members} draws; distributions of rule {rule}, status: "
                f"{status.en}): the 90 % band of the mean cut is {low_:.0f} to {high_:.0f} %, of the worst day "
                f"{peak_low:.0f} to {peak_high:.0f} %; {_INPUTS[most].en} counts most.",
            )
        )
    return lines


def _hourly(effect: xr.Dataset, cities: list[str]) -> Figure | None:
    cut = effect["emission_cut"].sel(city=cities).sum("city")
    whole = effect["emission_without"].sel(city=cities).sum("city")
    if not bool((whole > 0).any()):
        return None
    times = [pd.Timestamp(t + BEIJING).strftime("%Y-%m-%d %H:%M") for t in effect["time"].to_numpy()]
    share = (100 * cut / whole.where(whole > 0)).transpose("precursor", "time")
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": times,
            "y": numbers(share.sel(precursor=p).to_numpy(), 2),
            "name": both(words.name(words.POLLUTANTS, str(p))),
            "line": {"color": _COLOURS[i % len(_COLOURS)], "width": 1.6},
            "hovertemplate": "%{y:.1f} %",
        }
        for i, p in enumerate(effect["precursor"].to_numpy())
        if str(p) != "PM10"
    ]
    layout = _layout(said("实际减排比例（%）", "emission cut [%]")) | {"hovermode": "x unified"}
    return {"id": "cut-hours", "data": data, "layout": layout}


def _lead_figure(effect: xr.Dataset, found: Findings, cities: list[str]) -> Figure | None:
    if "cut_shifted" not in effect:
        return None
    shifts = [int(s) for s in effect["shift"].to_numpy()]
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": shifts,
            "y": numbers(
                100 * effect["cut_shifted"].sel(city=c) / effect["effect_mean"].sel(response="without", city=c), 2
            ),
            "name": both(found.name(c)),
            "line": {"color": _COLOURS[i % len(_COLOURS)], "width": 1.6},
            "hovertemplate": "%{y:.1f} %",
        }
        for i, c in enumerate(cities)
    ]
    axis = {"title": {"text": said("启动时间（小时，负为提前）", "start [h, below 0: sooner]")}, "tickvals": shifts}
    return {"id": "lead", "data": data, "layout": _layout(said("PM2.5 降幅（%）", "PM2.5 cut [%]")) | {"xaxis": axis}}


def _layout(title: dict[str, str]) -> Figure:
    return {
        "margin": {"l": 56, "r": 10, "t": 10, "b": 44},
        "height": 300,
        "yaxis": {"title": {"text": title}, "rangemode": "tozero"},
        "legend": {"orientation": "h", "y": 1.16},
        "showlegend": True,
    }
