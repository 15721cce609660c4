"""The report's section on what the emergency response does: by city, alone and together, sooner and later, how sure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim.clock import to_beijing
from airsim.output import findings, words
from airsim.output.findings import Findings, group
from airsim.output.page import Grid, Number, Section
from airsim.output.sections.figures import Figure, both, described, numbers, said
from airsim.output.words import Text

_COLOURS = ("#1f5fa8", "#b3261e", "#2e7d32", "#f28e2b", "#6a4c93", "#00897b", "#8d6e63", "#546e7a")
#: Enterprises and hours that a page shows; the workbook has them all.
_ENTERPRISES, _HOURS = 15, 24
#: Quantiles between which the cut lies with nine in ten.
_BAND = (0.05, 0.95)
#: Effect of an enterprise on its own city where that is not under alert.
_NONE = (np.nan, np.nan)
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


def section(tree: xr.DataTree, found: Findings) -> Section | None:
    """Return the section, None where the result holds no effect of a response."""
    effect = group(tree, "emergency")
    if effect is None or "effect_mean" not in effect:
        return None
    cities = acting(effect, found)
    if not cities:
        return None
    hourly, lead = _hourly(effect, cities), _lead_figure(effect, found, cities)
    drawn = []
    if hourly is not None:
        caption = Text(
            "预警城市逐时实际减排比例。锅炉、窑炉、焦炉不能一小时内停下：升降小时数见规则 emergency_response，"
            "多为估计。",
            "Emission really cut in the alerted cities, hour by hour. Boilers, kilns and coke ovens do not stop within "
            "an hour: the hours are those of rule emergency_response, mostly estimates.",
        )
        drawn.append(described(hourly, Text("逐时减排比例", "emission cut by hour"), caption))
    if lead is not None:
        caption = Text("早一天启动多得多少", "What a day of lead brings")
        drawn.append(described(lead, Text("启动时间与降幅", "start and cut"), caption))
    tables = (
        _by_city(effect, found, cities),
        _alone(effect, found, cities),
        *_lead(effect, found, cities),
        _enterprises(effect, found, cities),
        _hours(effect, found, cities),
    )
    return Section(
        "response",
        Text("应急效果", "Response"),
        _said(effect, found, cities),
        drawn,
        [g for g in tables if g is not None],
        heading=Text(
            "应急响应的效果：同一天气下有无响应之差", "What the response does: without minus with, same weather"
        ),
        sheet=Text("应急效果", "Response"),
    )


def _by_city(effect: xr.Dataset, found: Findings, cities: list[str]) -> Grid:
    """Return PM2.5 without and with the response, hours and days above, and how sure the cut is."""
    thresholds = [int(t) for t in effect["threshold"].to_numpy()]
    banded = [n for n in ("cut_share_band", "peak_cut_share_band") if n in effect]
    columns: list[tuple[Text, int]] = [
        (Text("城市", "city"), 0), (Text("预警均值", "alert mean"), 1), (Text("降幅", "change"), -2),
        (Text("最重日", "worst day"), 0), (Text("日均值", "daily mean"), 1), (Text("削峰", "peak cut"), -2),
        (Text("最大小时", "highest hour"), 1),
        *((Text(f"AQI＞{t} 小时", f"hours AQI > {t}"), 0) for t in thresholds),
        *((Text(f"AQI＞{t} 天", f"days AQI > {t}"), 0) for t in thresholds),
        (Text("μg/m³ 每千吨", "μg/m³ per kt"), 1),
        *((Text(f"{zh} {100 * q:.0f} % 分位", f"{en}, {100 * q:.0f} %"), -2)
          for (zh, en), _ in zip((("平均降幅", "mean cut"), ("削峰", "peak cut")), banded, strict=False)
          for q in _BAND),
    ]  # fmt: skip
    rows = []
    for city in cities:
        at = effect.sel(city=city)

        def pair(name: str, at: xr.Dataset = at, **where: Any) -> tuple[float, float]:
            without, with_ = (float(at[name].sel(response=r, **where)) for r in ("without", "with"))
            return without, with_

        mean, peak = pair("effect_mean"), pair("effect_peak_day")
        rows.append(
            [
                found.name(city), mean, _change(mean), pd.Timestamp(at["peak_day"].item()), peak, _change(peak),
                pair("effect_peak_hour"), *(pair("hours_above", threshold=t) for t in thresholds),
                *(pair("days_above", threshold=t) for t in thresholds), float(at["cut_per_kilotonne"]),
                *(float(at[n].sel(quantile=q)) for n in banded for q in _BAND),
            ]
        )  # fmt: skip
    rule = str(effect.attrs.get("effect_aqi_rule", ""))
    note = Text(
        "“无响应”为其他措施之后、应急之前的空气。最重日按无响应时日均值取；小时数按小时报、天数按日报计"
        f"（{rule}）；每千吨为 SO₂、NOx、PM2.5、VOCs 合计。",
        "Without: after all other measures, before the response. The worst day is that without the response; hours by "
        f"the hourly report, days by the daily one ({rule}); per kt of SO₂, NOx, PM2.5 and VOC together.",
    )
    return Grid(
        Text("分城市 PM2.5（μg/m³）与超标时数、天数", "PM2.5 by city [μg/m³], hours and days above"),
        [head for head, _ in columns],
        rows,
        [digits for _, digits in columns],
        note,
        pair=(Text("无响应", "without"), Text("有响应", "with")),
        signed=[2, 5],
    )


def _change(pair: tuple[float, float]) -> float:
    return pair[1] / pair[0] - 1 if pair[0] > 0 else np.nan


def _alone(effect: xr.Dataset, found: Findings, cities: list[str]) -> Grid | None:
    """Return what each acting city's response takes from every city's air, alone and together."""
    if "cut_alone" not in effect:
        return None
    actors = [c for c in cities if c in effect["actor"].to_numpy()]
    rows = []
    for city in cities:
        at = effect["effect_mean"].sel(city=city)
        together = float(at.sel(response="without") - at.sel(response="with"))
        by = [float(effect["cut_alone"].sel(actor=a, city=city)) for a in actors]
        own = by[actors.index(city)] if city in actors else 0.0
        rows.append([found.name(city), *by, together, 1 - own / together if together > 0 else np.nan])
    return Grid(
        Text(
            "单独响应与联动：预警时段平均降低的 PM2.5（μg/m³）",
            "Alone and together: PM2.5 taken away, alert mean [μg/m³]",
        ),
        [
            Text("受益城市 ＼ 响应城市", "in the air of, by acting city"), *(found.name(a) for a in actors),
            *words.heads("全部联动|all together", "他市贡献|by other cities"),
        ],
        rows,
        [0, *[1] * (len(actors) + 1), -1],
    )  # fmt: skip


def _lead(effect: xr.Dataset, found: Findings, cities: list[str]) -> list[Grid]:
    """Return what an earlier or a later start makes of the cut: of the alert's mean, and of the worst day."""
    if "cut_shifted" not in effect:
        return []
    shifts = [int(s) for s in effect["shift"].to_numpy()]
    heads = [
        Text("按实际启动", "as called")
        if s == 0
        else Text(f"{'提前' if s < 0 else '推迟'} {abs(s)} 小时", f"{abs(s)} h {'sooner' if s < 0 else 'later'}")
        for s in shifts
    ]
    note = Text(
        "平均总是对实际发布的预警时段取；结束时间不变。", "The mean is always over the alert as called; its end stays."
    )
    made = []
    for cut, base, title in (
        ("cut_shifted", "effect_mean", Text("启动时间与平均降幅", "Start and cut of the alert mean")),
        ("peak_cut_shifted", "effect_peak_day", Text("启动时间与削峰", "Start and cut of the worst day")),
    ):
        rows = [
            [
                found.name(c),
                *(effect[cut].sel(city=c) / effect[base].sel(city=c, response="without")).to_numpy().tolist(),
            ]
            for c in cities
        ]
        made.append(Grid(title, [Text("城市", "city"), *heads], rows, [0, *[-2] * len(shifts)], note))
    return made


def _enterprises(effect: xr.Dataset, found: Findings, cities: list[str]) -> Grid | None:
    """Return what each enterprise's own cut takes from its city and from all acting cities."""
    if "enterprise_cut" not in effect:
        return None
    names, homes = (effect[f"enterprise_{n}"].to_numpy().astype(str) for n in ("name", "city"))
    tonnes = effect["enterprise_tonnes"].to_numpy()
    mean, peak = (
        effect[n].sel(city=cities).transpose("enterprise", "city").to_numpy()
        for n in ("enterprise_cut", "enterprise_peak_cut")
    )
    rows = []
    for i, (name, home) in enumerate(zip(names, homes, strict=True)):
        own = cities.index(home) if home in cities else None
        most = int(np.nanargmax(mean[i]))
        rows.append(
            [
                name, found.name(home), float(tonnes[i]), *((mean[i, own], peak[i, own]) if own is not None else _NONE),
                found.name(cities[most]), float(mean[i, most]),
                1000.0 * float(np.nansum(mean[i])) / tonnes[i] if tonnes[i] > 0 else np.nan, *mean[i].tolist(),
            ]
        )  # fmt: skip
    heads = words.heads(
        "企业|enterprise", "城市|city", "预警期间削减量（吨）|cut during alert [t]", "本市（μg/m³）|own city [μg/m³]",
        "本市最重日（μg/m³）|own city, worst day [μg/m³]", "影响最大的城市|felt most in", "该市（μg/m³）|there [μg/m³]",
        "各市合计每千吨|all acting cities per kt",
        *(f"{found.name(c).zh}（μg/m³）|{found.name(c).en} [μg/m³]" for c in cities),
    )  # fmt: skip
    return Grid(
        Text("哪些企业的减排作用最大", "Whose cuts count most"),
        heads,
        rows,
        [0, 0, 1, 3, 3, 0, 3, 1, *[3] * len(cities)],
        Text(
            "企业自身减排的作用（伴随一阶估计）：预警时段均值；每千吨为 SO₂、NOx、PM2.5、VOCs 合计。",
            "What each enterprise's own cut takes away (adjoint, first order), alert mean; per kt of SO₂, NOx, PM2.5 "
            "and VOC together.",
        ),
        folded=True,
        most=_ENTERPRISES,
        sheet=Text("应急效果(企业)", "Response by enterprise"),
    )


def _hours(effect: xr.Dataset, found: Findings, cities: list[str]) -> Grid | None:
    """Return what every acting city really cuts hour by hour, in kg/h and as a share."""
    if "emission_cut" not in effect:
        return None
    names = [words.name(words.POLLUTANTS, str(p)) for p in effect["precursor"].to_numpy()]
    cut, whole = (
        effect[n].sel(city=cities).transpose("city", "time", "precursor").to_numpy().astype(float)
        for n in ("emission_cut", "emission_without")
    )
    times = [pd.Timestamp(to_beijing(t)) for t in effect["time"].to_numpy()]
    share = np.divide(cut, whole, out=np.full(cut.shape, np.nan), where=whole > 0)
    rows = [
        [times[t], found.name(city), *cut[c, t].tolist(), *share[c, t].tolist()]
        for c, city in enumerate(cities)
        for t in np.flatnonzero(np.abs(cut[c]).max(axis=1) > 0)
    ]
    heads = words.heads(
        "时间（北京）|hour (Beijing)", "城市|city", *(f"{n.zh} kg/h|{n.en} kg/h" for n in names),
        *(f"{n.zh} 减排比例|{n.en} share" for n in names),
    )  # fmt: skip
    return Grid(
        Text("应急逐时减排", "Response by hour"),
        heads,
        rows,
        [1, 0, *[1] * len(names), *[-2] * len(names)],
        folded=True,
        most=_HOURS,
        sheet=Text("应急逐时减排", "Response by hour"),
    )


def _said(effect: xr.Dataset, found: Findings, cities: list[str]) -> list[Text]:
    lines: list[Text] = []
    without = effect["effect_mean"].sel(response="without", city=cities)
    change = float((effect["effect_mean"].sel(response="with", city=cities) / without - 1).mean())
    low, high = findings.PUBLISHED_EFFECT
    inside = low <= change <= high
    percent = Number(100 * change)
    cut = effect["emission_cut"].sel(city=cities).sum("city")
    whole = effect["emission_without"].sel(city=cities).sum("city")
    under = findings.under_alert(effect["time"].to_numpy(), effect, cities).any("city").to_numpy()
    shares = {
        str(p): float(cut.sel(precursor=p)[under].sum() / whole.sel(precursor=p)[under].sum())
        for p in effect["precursor"].to_numpy()
        if float(whole.sel(precursor=p)[under].sum()) > 0
    }
    listed = "，".join(f"{words.name(words.POLLUTANTS, p).zh} {Number(100 * s):.0f} %" for p, s in shares.items())
    listed_en = ", ".join(f"{words.name(words.POLLUTANTS, p).en} {Number(100 * s):.0f} %" for p, s in shares.items())
    lines.append(
        Text(
            f"预警期间预警城市实际减排（含升降过程、执行率和夜间）：{listed}；PM2.5 平均 {percent:+.1f} %。"
            "已发表的红色预警评估：北京 2015 年 12 月减排约 36 %、PM2.5 −11～−21 %，启动后 48～72 小时效果最大；"
            "京津冀 2016 年 12 月 −27.6 %，提前 2 天再增 4.4 个百分点（环境科学 2019, 40(8): 3397）。"
            f"本例{'在' if inside else '不在'}该范围内；该范围仅供对照，未据以调参。",
            "Emission really cut in the alerted cities during alert (ramps, execution and nights included): "
            f"{listed_en}; PM2.5 {percent:+.1f} % on average. Published red alerts: Beijing, December 2015, about "
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
                        f"{zh} 24 小时启动，预警时段平均降幅{more} {Number(abs(gain)):.1f} 个百分点。",
                        f"Starting a day {'sooner' if hours < 0 else 'later'} makes the mean cut over the alert "
                        f"{Number(abs(gain)):.1f} points {'larger' if gain >= 0 else 'smaller'}.",
                    )
                )
    if "cut_share_band" in effect:
        band = 100 * effect["cut_share_band"].sel(city=cities)
        peak = 100 * effect["peak_cut_share_band"].sel(city=cities)
        low_, high_ = (Number(band.sel(quantile=q).mean()) for q in (0.05, 0.95))
        peak_low, peak_high = (Number(peak.sel(quantile=q).mean()) for q in (0.05, 0.95))
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
    times = [pd.Timestamp(to_beijing(t)).strftime("%Y-%m-%d %H:%M") for t in effect["time"].to_numpy()]
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
