"""What weather files hold, as a page: figures of each place, wind roses, calendars of the ventilation coefficient."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from airsim.meteorology.inspection import CALM, SPEEDS, Inspection, Place, calendar, rose, summary
from airsim.meteorology.source import HOUR
from airsim.output import findings
from airsim.output.page import Grid, Number, Page, Section
from airsim.output.sections.figures import numbers, said
from airsim.output.words import Text

_COLOURS = ("#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08306b")
_POINTS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
_OPEN = 6  # places whose charts are not behind the fold
_MOST_GAPS = 12
_KINDS = {"table": Text("站点表", "table of stations")}
_DIAGNOSED = {  # what a reader of this page sees, and how it was found where the files lack it
    "atmosphere_boundary_layer_thickness": Text(
        "混合层高度不在文件中：地面加热时按侵蚀增长（Carson 1973；Tennekes 1973）诊断，"
        "其余时段按 Zilitinkevich (1972)、Nieuwstadt (1981)；小风夜间常落到下限 40 m",
        "mixing height is not in the files: encroachment while the ground heats the air (Carson 1973; Tennekes 1973), "
        "else Zilitinkevich (1972) and Nieuwstadt (1981); on calm nights often the floor of 40 m",
    ),
    "precipitation_flux": Text("降水不在文件中，按无降水处理", "precipitation is not in the files: none is assumed"),
}


def page(found: Inspection) -> Page:
    """Return the page of an inspection."""
    names = ", ".join(f.name for f in found.files[:4]) + (" ..." if len(found.files) > 4 else "")
    first, last = _minute(found.first), _minute(found.last)
    local = [findings.beijing(t) for t in (found.first, found.last)]
    step = found.step / HOUR
    n = found.times
    period = Text(
        f"{names}：{first} 至 {last} UTC（北京时间 {local[0]} 至 {local[1]}），{n} 个时次，间隔 {step:g} 小时",
        f"{names}: {first} to {last} UTC (Beijing {local[0]} to {local[1]}), {n} times, {step:g} h apart",
    )
    notices = [Text(note.zh, note.en) for note in found.notes]
    notices += [Text(p.text("zh"), p.text("en")) for p in found.problems]
    notices += [text for name, text in _DIAGNOSED.items() if name in found.diagnosed]
    kind = _KINDS.get(found.kind, Text(found.kind, found.kind))
    title = Text(f"气象文件检查：{kind.zh}", f"Weather files: {kind.en}")
    shown = [p for p in found.places if p.hours["wind_speed"].notna().any()]
    return Page(title, period, notices, _answers(found, shown), _sections(shown) if shown else [])


def _sections(shown: list[Place]) -> list[Section]:
    roses = [_rose(p, i) for i, p in enumerate(shown)]
    days = [_calendar(p, i) for i, p in enumerate(shown)]
    of_roses = Text(
        "风向为风的来向；静风（小于 0.5 m/s）不计入方位。",
        "Directions are where the wind comes from; calms (below 0.5 m/s) are left out.",
    )
    of_days = Text(
        "通风系数 = 混合层平均风速 × 混合层高度；横轴为北京时间的小时，颜色越深越不利扩散。",
        "Ventilation coefficient = mean wind in the mixed layer × mixing height; hours of Beijing time; dark is bad.",
    )
    calendars = Text("通风系数日历", "Ventilation calendar")
    return [
        Section("places", Text("各地统计", "Places"), grids=[_grid(shown)]),
        Section("roses", Text("风玫瑰", "Wind roses"), [of_roses], figures=roses[:_OPEN], more=roses[_OPEN:]),
        Section("ventilation", calendars, [of_days], figures=days[:_OPEN], more=days[_OPEN:]),
    ]


def _answers(found: Inspection, shown: list[Place]) -> list[Text]:
    said: list[Text] = []
    if found.gaps:
        total, parts = sum(n for _, n in found.gaps), len(found.gaps)
        listed = [f"{_minute(t)} UTC ({n})" for t, n in found.gaps[:_MOST_GAPS]]
        text = ", ".join(listed) + (" ..." if parts > _MOST_GAPS else "")
        zh, en = f"缺 {total} 个时次，共 {parts} 段：{text}", f"{total} times missing in {parts} gap(s): {text}"
        said.append(Text(zh, en))
    else:
        said.append(Text("时间连续，无缺测时次", "no gap in the times"))
    if shown:
        f = {name: Number(value) for name, value in summary(shown[0]).items()}
        depths = f"{f['depth_10']:.0f}/{f['depth_50']:.0f}/{f['depth_90']:.0f} m"
        zh = f"平均风速 {f['wind_mean']:.1f} m/s，静风（< {CALM:g} m/s）占 {f['calm']:.0%}"
        en = f"mean wind {f['wind_mean']:.1f} m/s, calm (< {CALM:g} m/s) {f['calm']:.0%}"
        said.append(
            Text(
                f"{shown[0].name_zh}：{zh}，混合层高度第 10/50/90 百分位 {depths}",
                f"{shown[0].name}: {en}, mixing height 10th/50th/90th percentile {depths}",
            )
        )
    return said


def _minute(time: Any) -> str:
    return str(np.datetime_as_string(time, unit="m")).replace("T", " ")


def _grid(places: list[Place]) -> Grid:
    columns = (
        ("hours", Text("小时数", "hours"), 0),
        ("known", Text("有效率", "known"), -1),
        ("wind_mean", Text("平均风速（m/s）", "mean wind [m/s]"), 1),
        ("wind_max", Text("最大风速（m/s）", "largest wind [m/s]"), 1),
        ("calm", Text("静风率", "calm"), -1),
        ("temperature_low", Text("最低气温（℃）", "lowest T [degC]"), 1),
        ("temperature_high", Text("最高气温（℃）", "highest T [degC]"), 1),
        ("humidity_low", Text("最低湿度", "lowest RH"), -1),
        ("humidity_high", Text("最高湿度", "highest RH"), -1),
        ("rain", Text("降水（mm）", "rain [mm]"), 1),
        ("depth_10", Text("混合层 P10（m）", "mixing height P10 [m]"), 0),
        ("depth_50", Text("P50（m）", "P50 [m]"), 0),
        ("depth_90", Text("P90（m）", "P90 [m]"), 0),
        ("ventilation_50", Text("通风系数中位（m2/s）", "median ventilation [m2/s]"), 0),
    )
    rows = []
    for place in places:
        figures = summary(place)
        rows.append([Text(place.name_zh, place.name), *(figures[k] for k, _, _ in columns)])
    head = [Text("地点", "place"), *(t for _, t, _ in columns)]
    return Grid(Text("各地统计", "Figures of the places"), head, rows, [0, *(d for _, _, d in columns)], printed=24)


def _rose(place: Place, number: int) -> dict[str, Any]:
    share = 100 * rose(place)
    edges = [f"{low:g}–{high:g}" for low, high in pairwise(SPEEDS)] + [f"> {SPEEDS[-1]:g}"]
    traces = [
        {
            "type": "barpolar",
            "r": numbers(share[k], 2),
            "theta": list(_POINTS),
            "name": f"{edges[k]} m/s",
            "marker": {"color": _COLOURS[k]},
            "hovertemplate": "%{theta}: %{r:.1f} %",
        }
        for k in range(len(SPEEDS))
    ]
    layout = {
        "title": {"text": said(place.name_zh, place.name), "font": {"size": 14}},
        "height": 330,
        "margin": {"l": 40, "r": 40, "t": 50, "b": 30},
        "polar": {
            "angularaxis": {
                "direction": "clockwise",
                "rotation": 90,
                "categoryorder": "array",
                "categoryarray": list(_POINTS),
            },
            "radialaxis": {"ticksuffix": " %", "angle": 45, "tickangle": 45},
        },
    }
    about = said(f"{place.name_zh} 风玫瑰", f"wind rose of {place.name}")
    return {"id": f"rose-{number}", "about": about, "data": traces, "layout": layout}


def _calendar(place: Place, number: int) -> dict[str, Any]:
    table = calendar(place)
    trace = {
        "type": "heatmap",
        "x": list(range(24)),
        "y": [str(d)[:10] for d in table.index],
        "z": [numbers(row, 0) for row in table.to_numpy(float)],
        "zmin": 0,
        "zmax": float(np.nanquantile(table.to_numpy(float), 0.95)),
        "colorscale": [[0, "#4a1486"], [0.1, "#807dba"], [0.3, "#bcbddc"], [1, "#a1d99b"]],
        "colorbar": {"title": {"text": "m²/s"}},
        "hovertemplate": "%{y} %{x}:00  %{z:,.0f} m²/s<extra></extra>",
    }
    layout = {
        "title": {"text": said(place.name_zh, place.name), "font": {"size": 14}},
        "height": min(max(240, 90 + 16 * len(table)), 900),
        "margin": {"l": 90, "r": 10, "t": 50, "b": 45},
        "xaxis": {"title": {"text": said("小时（北京时间）", "hour, Beijing time")}, "dtick": 3},
        "yaxis": {"autorange": "reversed", "type": "category"},
    }
    about = said(f"{place.name_zh} 通风系数", f"ventilation coefficient of {place.name}")
    return {"id": f"ventilation-{number}", "about": about, "data": [trace], "layout": layout}
