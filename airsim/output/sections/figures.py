"""The report's charts as Plotly specifications; text is given in both languages and chosen in the browser.

A figure is a dict with ``data`` and ``layout``.  Wherever Plotly expects text, ``{"zh": ..., "en": ...}`` may
stand; wherever it expects a matrix, a packed one (see `pack`).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from airsim.clock import to_beijing
from airsim.output import boundaries, findings, words
from airsim.output.findings import Findings, group
from airsim.output.words import Text

Figure = dict[str, Any]

BASE, CONTROLLED, BACKGROUND = "#b3261e", "#1f5fa8", "#7a7a7a"
_LEVEL_FILL = {"yellow": "#ffe27a", "orange": "#ffb25c", "red": "#f28b82"}
_COMPONENT_COLOURS = {
    "om": "#2e7d32",
    "soa": "#8bc34a",
    "nitrate": "#1e6fd0",
    "sulphate": "#d32f2f",
    "ammonium": "#f9a825",
    "bc": "#212121",
    "other": "#a1887f",
}
#: Colour scales of the maps: light to dark for levels, blue (less) to red (more) for differences.
MAP_COLOURS = {
    "sequential": [[0, "#fffdf0"], [0.15, "#fee9a8"], [0.35, "#fdba5a"], [0.55, "#f3703a"], [0.75, "#c8202e"],
                   [1, "#5e0a2b"]],
    "diverging": [[0, "#1b4f8f"], [0.25, "#6aa5d4"], [0.5, "#f7f7f7"], [0.75, "#ef8a62"], [1, "#b2182b"]],
}  # fmt: skip
#: More hours than this are drawn as daily means.
_HOURLY_UP_TO = 1500
#: At most this many single days stand on the map's slider.
_DAYS_ON_SLIDER = 16


def both(text: Text) -> dict[str, str]:
    """Return a phrase as the browser chooses it."""
    return {"zh": text.zh, "en": text.en}


def said(zh: str, en: str) -> dict[str, str]:
    """Return a phrase given in both languages."""
    return {"zh": zh, "en": en}


def described(figure: Figure, about: Text, caption: Text | None = None) -> Figure:
    """Return a figure with what it is, for those who can't see it, and perhaps the words above it."""
    return figure | {"about": both(about)} | ({"caption": both(caption)} if caption is not None else {})


def pack(values: npt.ArrayLike) -> dict[str, Any]:
    """Return a matrix as base64 of 16-bit integers with a scale, a third of the size of digits.

    The step is 1/32000 of the largest magnitude, far below what a colour shows; -32768 is "no value".
    """
    matrix = np.asarray(values, dtype=np.float64)
    largest = float(np.nanmax(np.abs(matrix), initial=0.0))
    scale = largest / 32000 if largest > 0 else 1.0
    coded = np.where(np.isfinite(matrix), np.rint(np.nan_to_num(matrix) / scale), -32768).astype("<i2")
    return {"packed": base64.b64encode(coded.tobytes()).decode("ascii"), "scale": scale, "shape": matrix.shape}


def numbers(values: npt.ArrayLike, digits: int = 1) -> list[float | None]:
    """Return a series for JSON; missing values are null."""
    return [round(float(v), digits) if np.isfinite(v) else None for v in np.asarray(values).ravel()]


def maps(tree: xr.DataTree, found: Findings) -> dict[str, Any] | None:
    """Return the maps of base, controlled and difference, with one frame for the episode and one a day."""
    root = tree.to_dataset()
    if "pm25_mean_field" not in root:
        return None
    mean = root["pm25_mean_field"]
    cases = [c for c in ("base", "controlled") if c in mean["case"].to_numpy()]
    frames = [_frame(said("过程平均", "mean of the episode"), mean, cases)]
    worst = 0
    if "pm25_field" in root:
        daily = findings.daily(root["pm25_field"])
        # the days with the most polluted air over the cells, in calendar order
        load = daily.sel(case="base").mean(["y", "x"]).to_numpy()
        heaviest = np.sort(np.argsort(-np.nan_to_num(load, nan=-1.0))[:_DAYS_ON_SLIDER])
        chosen = [int(i) for i in heaviest if np.isfinite(load[i])]
        for i in chosen:
            day = pd.Timestamp(daily["day"].to_numpy()[i])
            frames.append(_frame(said(f"{day:%m月%d日}", f"{day.day} {day:%B}"), daily.isel(day=i), cases))
        if chosen:
            worst = 1 + int(np.argmax(load[chosen]))
    x, y = root["x"].to_numpy() / 1e3, root["y"].to_numpy() / 1e3
    # one scale for every map and day; the highest half per cent of cells may saturate
    top = _round_up(max(f["top"] for f in frames))
    change = _round_up(max((f["change"] for f in frames), default=1.0))
    lines, labels = outline(tree, root, found)
    panels = [{"key": case, "title": both(words.CASES[case])} for case in cases]
    if len(cases) == 2:
        panels.append({"key": "difference", "title": said("差值（控制 − 基准）", "difference (controlled − base)")})
    layout = {
        "margin": {"l": 4, "r": 4, "t": 4, "b": 58},
        "xaxis": {"visible": False, "range": [float(x[0]), float(x[-1])]},
        "yaxis": {"visible": False, "range": [float(y[0]), float(y[-1])]},
        "showlegend": False,
        "shapes": [_scale_bar(x, y)],
        "annotations": [_scale_text(x, y)],
    }
    return {
        "x": numbers(x, 2),
        "y": numbers(y, 2),
        "ratio": float(abs((y[-1] - y[0]) / (x[-1] - x[0]))),
        "top": top,
        "change": change,
        "frames": [{k: v for k, v in f.items() if k not in {"top", "change"}} for f in frames],
        "first": worst,
        "panels": panels,
        "lines": lines,
        "labels": labels,
        "layout": layout,
    }


def series(tree: xr.DataTree, found: Findings) -> list[Figure]:
    """Return a figure a city: PM2.5 of both cases, alerts shaded, limits of the AQI classes."""
    root = tree.to_dataset()
    hourly = root["pm25"]
    along = "time"
    if root.sizes["time"] > _HOURLY_UP_TO:
        hourly, along = findings.daily(hourly), "day"
    stamps = to_beijing(hourly[along].to_numpy()) if along == "time" else hourly[along].to_numpy()
    times = [pd.Timestamp(t).strftime("%Y-%m-%d %H:%M") for t in stamps]
    alerts = findings.alert_windows(group(tree, "emergency"))
    compared = group(tree, "evaluation")
    # observed hours are in the result on real weather only
    seen = compared["observed_pm25"] if compared is not None and "observed_pm25" in compared else None
    thresholds = _thresholds(root)
    result = []
    for city, row in found.cities.iterrows():
        at = hourly.sel(city=city)
        top = float(at.max())
        data: list[Figure] = [
            _line(times, at.sel(case="base"), both(words.CASES["base"]), BASE, "solid"),
        ]
        if found.controlled:
            line = _line(times, at.sel(case="controlled"), both(words.CASES["controlled"]), CONTROLLED, "solid")
            data.append(line)
        if seen is not None and along == "time" and np.isfinite(seen.sel(city=city)).any():
            data.append(_line(times, seen.sel(city=city), said("实测", "observed"), "#111", "solid"))
        if "pm25_background" in root and along == "time":
            background = root["pm25_background"].sel(city=city)
            data.append(_line(times, background, said("区域外背景", "from outside"), BACKGROUND, "dot"))
        shapes: list[Figure] = []
        notes: list[Figure] = []
        shapes += [
            {
                "type": "rect",
                "xref": "x",
                "yref": "paper",
                "x0": f"{alert['start']:%Y-%m-%d %H:%M}",
                "x1": f"{alert['end']:%Y-%m-%d %H:%M}",
                "y0": 0,
                "y1": 1,
                "fillcolor": _LEVEL_FILL.get(alert["level"], "#ddd"),
                "opacity": 0.45,
                "line": {"width": 0},
                "layer": "below",
            }
            for alert in alerts[alerts["city"] == city].to_dict("records")
        ]
        for limit, name, colour in thresholds:
            if limit > 1.15 * top:
                continue
            shapes.append(
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": limit,
                    "y1": limit,
                    "line": {"color": colour, "width": 1, "dash": "dash"},
                }
            )
            notes.append(
                {
                    "xref": "paper",
                    "x": 1.005,
                    "y": limit,
                    "xanchor": "left",
                    "yanchor": "middle",
                    "showarrow": False,
                    "text": said(f"{name.zh} ＞{limit:.0f}", f"{name.en.split()[0]} > {limit:.0f}"),
                    "font": {"size": 10, "color": colour},
                }
            )
        layout = {
            "title": {"text": said(row["zh"], row["en"]), "x": 0.02, "xanchor": "left", "font": {"size": 15}},
            "margin": {"l": 44, "r": 104, "t": 34, "b": 30},
            "height": 260,
            "hovermode": "x unified",
            "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.16},
            "xaxis": {"type": "date", "tickformat": "%m-%d", "hoverformat": "%m-%d %H:%M"},
            "yaxis": {"rangemode": "tozero", "title": {"text": "μg/m³", "standoff": 4}},
            "shapes": shapes,
            "annotations": notes,
        }
        result.append({"id": f"series-{city}", "data": data, "layout": layout})
    return result


def weather(tree: xr.DataTree, found: Findings) -> Figure | None:
    """Return mixing height and wind in the first city: why the air was what it was, in both cases alike."""
    weather_ = group(tree, "meteorology")
    if weather_ is None or "atmosphere_boundary_layer_thickness" not in weather_:
        return None
    city = str(found.cities.index[0])
    stamps = [pd.Timestamp(to_beijing(t)).strftime("%Y-%m-%d %H:%M") for t in weather_["time"].to_numpy()]
    height = weather_["atmosphere_boundary_layer_thickness"].sel(city=city)
    wind = weather_["wind_speed"].sel(city=city)
    data = [
        _line(stamps, height, said("混合层高度（米）", "mixing height [m]"), "#6a4c93", "solid", digits=0),
        _line(stamps, wind, said("风速（m/s）", "wind speed [m/s]"), "#00897b", "solid") | {"yaxis": "y2"},
    ]
    row = found.cities.iloc[0]
    layout = {
        "title": {"text": said(f"气象：{row['zh']}", f"Weather: {row['en']}"), "x": 0.02, "font": {"size": 15}},
        "margin": {"l": 50, "r": 44, "t": 34, "b": 30},
        "height": 240,
        "hovermode": "x unified",
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.16},
        "xaxis": {"type": "date", "tickformat": "%m-%d", "hoverformat": "%m-%d %H:%M"},
        "yaxis": {"rangemode": "tozero", "title": {"text": "m"}},
        "yaxis2": {
            "rangemode": "tozero",
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "tickmode": "auto",
            "nticks": 5,
        },
    }
    return {"id": "weather", "data": data, "layout": layout}


def attribution(tree: xr.DataTree, found: Findings) -> Figure | None:
    """Return what each kind of measure takes from PM2.5, mean of the alert hours (of all where there are none)."""
    group_ = group(tree, "attribution")
    if group_ is None:
        return None
    removed = group_["pm25_removed"]
    ids = list((found.alerted if len(found.alerted) else found.cities).index)
    chosen = findings.under_alert(removed["time"].to_numpy(), group(tree, "emergency"), ids)
    if not chosen.any():
        chosen = xr.ones_like(chosen)
    names = [both(found.name(c)) for c in ids]
    data = []
    for i, step in enumerate(removed["step"].to_numpy()):
        values = removed.sel(step=step, city=ids).transpose("time", "city").where(chosen).mean("time").to_numpy()
        data.append(
            {
                "type": "bar",
                "x": names,
                "y": numbers(values, 2),
                "name": both(words.measure(str(step))),
                "marker": {"color": ["#1f5fa8", "#59a14f", "#f28e2b", "#b07aa1", "#9c755f", "#76b7b2"][i % 6]},
                "hovertemplate": "%{y:.1f} μg/m³",
            }
        )
    layout = {
        "barmode": "relative",
        "margin": {"l": 60, "r": 10, "t": 10, "b": 40},
        "height": 300,
        "yaxis": {"title": {"text": said("削减（μg/m³）", "removed [μg/m³]")}},
        "legend": {"orientation": "h", "y": 1.14},
        "showlegend": True,
    }
    return {"id": "steps", "data": data, "layout": layout}


def lines_that_count(coal: xr.Dataset) -> list[str]:
    """Return the lines of a coal balance that are not zero everywhere; its ends always stand."""
    amount = abs(coal["consumption"]).sum([d for d in coal["consumption"].dims if d != "line"])
    return [str(n) for n in coal["line"].to_numpy() if str(n) in {"base", "target"} or float(amount.sel(line=n)) > 0]


def waterfall(tree: xr.DataTree) -> Figure | None:
    """Return the coal balance from base to target year [10^4 t]."""
    coal = group(tree, "coal")
    if coal is None or "consumption" not in coal:
        return None
    lines = lines_that_count(coal)
    by_line = findings.coal_tested(coal).sel(line=lines)
    by_line = by_line.sum([d for d in by_line.dims if d != "line"]) / 1e4
    ends = {"base", "target"}
    trace = {
        "type": "waterfall",
        "x": [both(words.name(words.COAL_LINES, n)) for n in lines],
        "y": numbers(by_line.to_numpy(), 2),
        "measure": [("absolute" if n == "base" else "total") if n in ends else "relative" for n in lines],
        "text": [f"{v:,.1f}" if n in ends else f"{v:+,.1f}" for n, v in zip(lines, by_line.to_numpy(), strict=True)],
        "textposition": "outside",
        "cliponaxis": False,
        "increasing": {"marker": {"color": "#c62828"}},
        "decreasing": {"marker": {"color": "#2e7d32"}},
        "totals": {"marker": {"color": "#455a64"}},
    }
    base, values = float(by_line.sel(line="base")), by_line.to_numpy()
    inner = np.cumsum([v for n, v in zip(lines, values, strict=True) if n != "target"])
    low, high = float(min(inner.min(), base)), float(max(inner.max(), base))
    span = max(high - low, 0.01 * high)
    layout = {
        "margin": {"l": 60, "r": 10, "t": 20, "b": 60},
        "height": 340,
        "yaxis": {
            "title": {
                "text": said("万吨标准煤", "10⁴ tce") if coal.attrs.get("unit") == "tce" else said("万吨", "10⁴ t")
            },
            # the steps are small against the whole: the axis is cut and says so
            "range": [max(0.0, low - 0.8 * span), high + 0.35 * span],
        },
        "showlegend": False,
    }
    return {"id": "waterfall", "data": [trace], "layout": layout}


def composition(tree: xr.DataTree, found: Findings) -> Figure | None:
    """Return the make-up of PM2.5 by city, mean of the base case, beside published shares if given."""
    root = tree.to_dataset()
    present = [n for n in words.COMPONENTS if n in root]
    if not present:
        return None
    ids = list(found.cities.index)
    means = {n: root[n].sel(case="base", city=ids).mean("time").to_numpy() for n in present}
    total = np.sum(list(means.values()), axis=0)
    names = [both(found.name(c)) for c in ids]
    published = None
    evaluation = group(tree, "evaluation")
    if evaluation is not None and "composition_published" in evaluation:
        published = evaluation["composition_published"]
        names = [said("西安冬季（文献）", "published"), *names]
    data = []
    for n in present:
        shares = 100 * means[n] / total
        if published is not None:
            known = n in published["component"].to_numpy()
            shares = np.concatenate([[100 * float(published.sel(component=n)) if known else 0.0], shares])
        data.append(
            {
                "type": "bar",
                "x": names,
                "y": numbers(shares),
                "name": both(words.COMPONENTS[n]),
                "marker": {"color": _COMPONENT_COLOURS[n]},
                "hovertemplate": "%{y:.0f} %",
            }
        )
    layout = {
        "barmode": "stack",
        "margin": {"l": 50, "r": 10, "t": 60, "b": 90},
        "height": 440,
        "yaxis": {"title": {"text": "%"}, "range": [0, 100]},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
    }
    return {"id": "make-up", "data": data, "layout": layout}


def evaluation(tree: xr.DataTree, found: Findings) -> Figure | None:
    """Return observed beside modelled mean PM2.5 by city."""
    compared = group(tree, "evaluation")
    if compared is None or "pm25" not in compared["variable"].to_numpy():
        return None
    pm25 = compared.sel(variable="pm25")
    ids = [c for c in found.cities.index if np.isfinite(pm25["observed_mean"].sel(city=c))]
    names = [both(found.name(c)) for c in ids]
    data = [
        {
            "type": "bar",
            "x": names,
            "y": numbers(pm25[f"{key}_mean"].sel(city=ids)),
            "name": said(zh, en),
            "marker": {"color": colour},
            "hovertemplate": "%{y:.0f} μg/m³",
        }
        for key, zh, en, colour in (
            ("observed", "观测", "observed", "#455a64"),
            ("modelled", "模拟（基准情形）", "modelled (base)", BASE),
        )
    ]
    layout = {
        "barmode": "group",
        "margin": {"l": 50, "r": 10, "t": 10, "b": 40},
        "height": 300,
        "yaxis": {"title": {"text": "μg/m³"}},
        "legend": {"orientation": "h", "y": 1.12},
    }
    return {"id": "comparison", "data": data, "layout": layout}


def sectors(tree: xr.DataTree, found: Findings) -> Figure | None:
    """Return by how much each sector's emission falls in the alerted cities during the episode [t d-1]."""
    emissions = group(tree, "emissions")
    if emissions is None or not found.controlled or "emission_daily" not in emissions:
        return None
    rows = found.alerted if len(found.alerted) else found.cities
    daily = emissions["emission_daily"].sel(city=list(rows.index)).sum("city") / 1e3
    shown = [p for p in ("PM25", "SO2", "NOx", "VOC") if p in emissions["pollutant"].to_numpy()]
    cases = [c for c in ("base", "controlled") if c in emissions["case"].to_numpy()]
    bars = [(p, c) for p in shown for c in cases]
    names = [[both(words.POLLUTANTS[p]) for p, _ in bars], [both(words.CASES[c]) for _, c in bars]]
    data = []
    palette = ["#4e79a7", "#a0cbe8", "#59636e", "#2f2f2f", "#bab0ac", "#8c6d31", "#d7b5a6", "#e15759", "#f28e2b",
               "#ffbe7d", "#c9b458", "#59a14f", "#b07aa1"]  # fmt: skip
    for i, sector in enumerate(emissions["sector"].to_numpy()):
        values = [float(daily.sel(sector=sector, pollutant=p, case=c)) for p, c in bars]
        if sum(values) <= 0:
            continue
        data.append(
            {
                "type": "bar",
                "x": names,
                "y": numbers(values, 2),
                "name": both(words.name(words.SECTORS, str(sector))),
                "marker": {"color": palette[i % len(palette)]},
                "hovertemplate": "%{y:.1f} t/d",
            }
        )
    layout = {
        "barmode": "stack",
        "margin": {"l": 60, "r": 10, "t": 10, "b": 60},
        "height": 420,
        "yaxis": {"title": {"text": said("吨/天", "t/d")}},
        "legend": {"traceorder": "normal"},
    }
    return {"id": "sectors", "data": data, "layout": layout}


def plumes(tree: xr.DataTree, found: Findings) -> list[Figure]:
    """Return a map a near-field site: mean contribution of its enterprises, base case, 250 m cells."""
    near = group(tree, "plume")
    if near is None or "concentration_mean" not in near:
        return []
    field = near["concentration_mean"]
    if "case" in field.dims:
        field = field.sel(case="base")
    x, y = numbers(near["x_fine"] / 1e3, 3), numbers(near["y_fine"] / 1e3, 3)
    result = []
    for i, site in enumerate(near["site"].to_numpy()):
        name = found.name(str(near["site_city"].to_numpy()[i]))
        for k, pollutant in enumerate(near["pollutant"].to_numpy() if "pollutant" in field.dims else [None]):
            at = field.isel(site=i)
            label = Text("", "")
            if pollutant is not None:
                at, label = at.sel(pollutant=pollutant), words.name(words.POLLUTANTS, str(pollutant))
            data: list[Figure] = [
                {
                    "type": "heatmap",
                    "x": x,
                    "y": y,
                    "z": pack(at.to_numpy()),
                    "zmin": 0,
                    "colorscale": MAP_COLOURS["sequential"],
                    "colorbar": {"title": {"text": "μg/m³"}, "thickness": 12},
                    "hovertemplate": "%{z:.2f} μg/m³<extra></extra>",
                }
            ]
            if "source_site" in near:
                mine = near["source_site"].to_numpy() == site
                data.append(
                    {
                        "type": "scatter",
                        "mode": "markers",
                        "x": numbers(near["source_x"].to_numpy()[mine] / 1e3, 3),
                        "y": numbers(near["source_y"].to_numpy()[mine] / 1e3, 3),
                        "text": [str(n) for n in near["source_name"].to_numpy()[mine]],
                        "hovertemplate": "%{text}<extra></extra>",
                        "marker": {"color": "#111", "size": 7, "symbol": "triangle-up"},
                    }
                )
            layout = {
                "title": {
                    "text": said(f"{name.zh} {label.zh}", f"{name.en} {label.en}"),
                    "x": 0.02,
                    "font": {"size": 14},
                },
                "margin": {"l": 46, "r": 6, "t": 34, "b": 40},
                "height": 360,
                "showlegend": False,
                "xaxis": {
                    "title": {"text": said("东西向（km）", "east [km]")},
                    "constrain": "domain",
                    "zeroline": False,
                },
                "yaxis": {
                    "title": {"text": said("南北向（km）", "north [km]")},
                    "scaleanchor": "x",
                    "zeroline": False,
                    "constrain": "domain",
                },
            }
            suffix = f"-{pollutant}" if pollutant is not None else ""
            result.append({"id": f"plume-{i}{suffix}", "first": k == 0, "data": data, "layout": layout})
    return result


def _line(
    times: Sequence[str], values: xr.DataArray, name: Mapping[str, str], colour: str, dash: str, digits: int = 1
) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(times),
        "y": numbers(values.to_numpy(), digits),
        "name": dict(name),
        "line": {"color": colour, "width": 1.8 if dash == "solid" else 1.2, "dash": dash},
    }


def _frame(label: Mapping[str, str], fields: xr.DataArray, cases: Sequence[str]) -> dict[str, Any]:
    frame: dict[str, Any] = {"label": dict(label)}
    arrays = {c: fields.sel(case=c).transpose("y", "x").to_numpy() for c in cases}
    frame |= {c: pack(a) for c, a in arrays.items()}
    frame["top"] = float(np.nanpercentile(arrays["base"], 99.5))
    frame["change"] = 1.0
    if len(cases) == 2:
        difference = arrays["controlled"] - arrays["base"]
        frame["difference"] = pack(difference)
        frame["change"] = float(np.nanpercentile(np.abs(difference), 99.5))
    return frame


def _round_up(value: float) -> float:
    """Return the next number of the kind 1, 1.5, 2, 3, 4, 5, 6, 8 x 10^n."""
    if not value > 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(m * power for m in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if m * power >= value * 0.999))


def outline(tree: xr.DataTree, root: xr.Dataset, found: Findings) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the city borders as one broken line and the city labels, on the maps' plane [km]."""
    group_ = group(tree, "boundaries")
    if group_ is None or "crs" not in root.attrs:
        return {"x": [], "y": []}, []
    import pyproj

    plane = pyproj.Transformer.from_crs("EPSG:4326", root.attrs["crs"], always_xy=True)
    xs: list[float | None] = []
    ys: list[float | None] = []
    largest: dict[str, tuple[float, float, float]] = {}
    half_x, half_y = root["x"].to_numpy() / 1e3, root["y"].to_numpy() / 1e3
    for city, corners in boundaries.rings(group_):
        x, y = (np.asarray(v) / 1e3 for v in plane.transform(corners[:, 0], corners[:, 1]))
        xs += [*numbers(x), None]
        ys += [*numbers(y), None]
        inside = np.clip(x, half_x[0], half_x[-1]), np.clip(y, half_y[0], half_y[-1])
        area = 0.5 * float(np.abs(np.dot(inside[0], np.roll(inside[1], 1)) - np.dot(inside[1], np.roll(inside[0], 1))))
        if city not in largest or area > largest[city][0]:
            largest[city] = area, float(inside[0].mean()), float(inside[1].mean())
    labels = [
        {"x": round(at[1], 1), "y": round(at[2], 1), "text": both(found.name(c))}
        for c, at in largest.items()
        if c in found.cities.index and at[0] > 0
    ]
    return {"x": xs, "y": ys}, labels


def _scale_bar(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Figure:
    right, low = float(x[-1] - 0.03 * (x[-1] - x[0])), float(y[0] + 0.05 * (y[-1] - y[0]))
    line = {"color": "#222", "width": 3}
    return {"type": "line", "x0": right - 100, "x1": right, "y0": low, "y1": low, "line": line}


def _scale_text(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Figure:
    right, low = float(x[-1] - 0.03 * (x[-1] - x[0])), float(y[0] + 0.05 * (y[-1] - y[0]))
    return {"x": right - 50, "y": low, "text": "100 km", "showarrow": False, "yanchor": "bottom", "font": {"size": 11}}


def _thresholds(root: xr.Dataset) -> list[tuple[float, Text, str]]:
    """Return where the AQI classes of PM2.5 begin: (limit [ug m-3], class, colour), by the result's own rule."""
    version = root["aqi"].attrs.get("rule") if "aqi" in root else None
    if version is None:
        return []
    from airsim import rules

    points = rules.load("aqi", version=str(version))["breakpoints.pm25_24h"]
    inks = ("#d97000", "#d00000", "#99004c", "#7e0023")  # the official colours, darkened to be seen as lines
    return [(float(points[i + 2]), words.AQI_CLASSES[i + 2][1], ink) for i, ink in enumerate(inks)]
