"""The page of `airsim compare`: two results side by side, and what lies behind their difference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim.errors import InputError, Problem
from airsim.output import findings, words
from airsim.output.findings import Findings
from airsim.output.page import Grid, Page, Section
from airsim.output.sections.figures import MAP_COLOURS, Figure, both, numbers, pack, said
from airsim.output.words import Text

_COLOURS = ("#8d6e63", "#3949ab")
_MARKS = ("A", "B")


def page(first: xr.DataTree, second: xr.DataTree) -> Page:
    """Return the page.

    Parameters
    ----------
    first, second : DataTree
        Results; cities that only one of them has are left out.

    Raises
    ------
    InputError
        The two share no city.
    """
    trees = (first, second)
    found = [findings.find(t) for t in trees]
    cities = [c for c in found[0].cities.index if c in found[1].cities.index]
    if not cities:
        at = Problem("airsim compare", "", "city", "", "the two results share no city", "两个结果没有共同的城市")
        raise InputError([at])
    titles = [findings.title(t) for t in trees]
    same = _same_weather(*trees)
    alike = all(f.controlled for f in found)
    sections = [_cities(found, cities, alike), _days(trees, found, cities)]
    sections += [s for s in (_map(trees, same), _measures(trees), _coal(found), _behind(trees)) if s is not None]
    return Page(
        Text(f"比较：{titles[0].zh} / {titles[1].zh}", f"Compared: {titles[0].en} / {titles[1].en}"),
        Text(
            f"A：{titles[0].zh}（{_span(first)}）；B：{titles[1].zh}（{_span(second)}）",
            f"A: {titles[0].en} ({_span(first)}); B: {titles[1].en} ({_span(second)})",
        ),
        _notices(found, same),
        _answers(found, cities, alike, same),
        sections,
    )


def _span(tree: xr.DataTree) -> str:
    time = tree.to_dataset()["time"].values
    return " – ".join(findings.beijing(t, "%Y-%m-%d") for t in time[[0, -1]])


def _same_weather(first: xr.DataTree, second: xr.DataTree) -> bool:
    """Return whether both ran under the same weather: same hours, same wind and mixing height in shared cities."""
    fields = []
    for tree in (first, second):
        weather = findings.group(tree, "meteorology")
        if weather is None:
            return False
        fields.append(weather)
    if not np.array_equal(fields[0]["time"].values, fields[1]["time"].values):
        return False
    shared = [c for c in fields[0]["city"].values if c in fields[1]["city"].values]
    names = ("wind_speed", "atmosphere_boundary_layer_thickness", "air_temperature")
    return all(
        np.allclose(fields[0][n].sel(city=shared), fields[1][n].sel(city=shared), rtol=1e-5, equal_nan=True)
        for n in names
        if n in fields[0] and n in fields[1]
    )


def _notices(found: list[Findings], same: bool) -> list[Text]:
    notices = []
    if same:
        notices.append(
            Text(
                "两个结果的天气相同：两者之差只来自排放（及背景、设置）的不同。",
                "Both ran under the same weather: they differ by emissions (background, settings) only.",
            )
        )
    else:
        notices.append(
            Text(
                "两个结果的天气（或时段）不同：浓度之差不能算作措施的效果，可比的是各自内部“有措施减无措施”的变化。",
                "The weather (or the window) differs: the difference in concentration is NOT the effect of "
                "measures. What can "
                "be compared is each result's own change, with minus without.",
            )
        )
    seen: list[Text] = []
    for f in found:
        seen += [n for n in f.notices if n not in seen]
    return notices + seen


def _answers(found: list[Findings], cities: list[str], alike: bool, same: bool) -> list[Text]:
    means = [float(f.cities.loc[cities, "mean_base"].mean()) for f in found]
    lines = [
        Text(
            f"{len(cities)} 个共同城市的 PM2.5 过程均值（基准情形）：A {means[0]:.1f}，B {means[1]:.1f} μg/m³。",
            f"Mean PM2.5 of the {len(cities)} shared cities, base case: A {means[0]:.1f}, B {means[1]:.1f} μg/m³.",
        )
    ]
    if not alike:
        return lines
    changes = []
    for f in found:
        rows = f.cities.loc[cities]
        changes.append(100 * (float(rows["mean_controlled"].mean()) / float(rows["mean_base"].mean()) - 1))
    lines.append(
        Text(
            f"措施使其平均变化：A {changes[0]:+.1f} %，B {changes[1]:+.1f} %。".replace("-", "−"),
            f"The measures change it by: A {changes[0]:+.1f} %, B {changes[1]:+.1f} %.".replace(" -", " −"),
        )
    )
    if same:
        left = [float(f.cities.loc[cities, "mean_controlled"].mean()) for f in found]
        better, gap = ("A" if left[0] < left[1] else "B"), abs(left[0] - left[1])
        if gap < 0.005:
            lines.append(
                Text("同一天气下，两者的控制情形相同。", "Under the same weather the controlled cases are the same.")
            )
            return lines
        lines.append(
            Text(
                f"同一天气下，{better} 的控制情形更低，平均低 {gap:.2f} μg/m³。",
                f"Under the same weather the controlled case of {better} is lower, by {gap:.2f} μg/m³ on average.",
            )
        )
    return lines


def _cities(found: list[Findings], cities: list[str], alike: bool) -> Section:
    kinds = ["mean_base"] + (["mean_controlled"] if alike else [])
    labels = {"mean_base": Text("基准", "base"), "mean_controlled": Text("控制", "controlled")}
    data: list[Figure] = [
        {
            "type": "bar",
            "x": [both(found[0].name(c)) for c in cities],
            "y": numbers(f.cities.loc[cities, kind].to_numpy(float)),
            "name": said(f"{mark} {labels[kind].zh}", f"{mark} {labels[kind].en}"),
            "marker": {"color": colour, "opacity": 1.0 if kind == "mean_base" else 0.55},
            "hovertemplate": "%{y:.1f} μg/m³",
        }
        for mark, colour, f in zip(_MARKS, _COLOURS, found, strict=True)
        for kind in kinds
    ]
    layout = {
        "barmode": "group",
        "height": 360,
        "margin": {"l": 50, "r": 10, "t": 10, "b": 60},
        "yaxis": {"title": {"text": "μg/m³"}, "rangemode": "tozero"},
        "legend": {"orientation": "h", "y": 1.12},
    }
    rows: list[list[Any]] = []
    heavy = all("heavy_base" in f.cities for f in found)
    for city in cities:
        cells: list[Any] = [found[0].name(city)]
        a, b = (f.cities.loc[city].to_dict() for f in found)
        for key in ("mean", "peak"):
            cells += [float(a[f"{key}_base"]), float(b[f"{key}_base"]), float(b[f"{key}_base"] - a[f"{key}_base"])]
            if alike:
                cells += [float(r[f"{key}_controlled"] / r[f"{key}_base"] - 1) for r in (a, b)]
        if heavy:
            cells += [float(r[f"heavy_{c}"]) for c in (("base", "controlled") if alike else ("base",)) for r in (a, b)]
        rows.append(cells)
    head, digits = [Text("城市", "city")], [0]
    for name in (Text("过程均值", "mean"), Text("最重日", "worst day")):
        head += [Text(f"{name.zh} A", f"{name.en} A"), Text(f"{name.zh} B", f"{name.en} B"), Text("B − A", "B − A")]
        digits += [1, 1, 1]
        if alike:
            head += [Text("措施变化 A", "change by measures A"), Text("措施变化 B", "change by measures B")]
            digits += [-2, -2]
    if heavy:
        for case in ("基准", "控制") if alike else ("基准",):
            english = {"基准": "base", "控制": "controlled"}[case]
            head += [Text(f"重污染天数 {case} {m}", f"heavy days, {english} {m}") for m in _MARKS]
            digits += [0, 0]
    about = said("各城市 PM2.5 过程均值", "mean PM2.5 by city")
    return Section(
        "cities",
        Text("各城市 PM2.5", "PM2.5 by city"),
        [Text("μg/m³；最重日按各自基准情形取。", "μg/m³; the worst day is that of each result's own base case.")],
        [{"id": "cities-bars", "about": about, "data": data, "layout": layout}],
        [Grid(Text("各城市 PM2.5", "PM2.5 by city"), head, rows, digits, printed=20)],
    )


def _days(trees: tuple[xr.DataTree, xr.DataTree], found: list[Findings], cities: list[str]) -> Section:
    made = []
    shown = [c for c in words.CITY_ORDER if c in cities] or cities
    for city in shown:
        data: list[Figure] = []
        for i, tree in enumerate(trees):
            root = tree.to_dataset()
            means = root["pm25_daily"] if "pm25_daily" in root else findings.daily(root["pm25"])
            for case, dash in (("base", "solid"), ("controlled", "dot")):
                if case in means["case"].values:
                    at = means.sel(case=case, city=city)
                    label = said(f"{_MARKS[i]} {words.CASES[case].zh}", f"{_MARKS[i]} {words.CASES[case].en}")
                    data.append(
                        {
                            "type": "scatter",
                            "mode": "lines+markers",
                            "x": [f"{pd.Timestamp(d):%Y-%m-%d}" for d in at["day"].values],
                            "y": numbers(at.values),
                            "name": label,
                            "line": {"color": _COLOURS[i], "dash": dash},
                        }
                    )
        name = found[0].name(city)
        layout = {
            "title": {"text": both(name), "x": 0.02, "font": {"size": 15}},
            "margin": {"l": 44, "r": 10, "t": 34, "b": 30},
            "height": 280,
            "hovermode": "x unified",
            "legend": {"orientation": "h", "y": -0.15},
            "xaxis": {"type": "date", "tickformat": "%m-%d"},
            "yaxis": {"rangemode": "tozero", "title": {"text": "μg/m³"}},
        }
        about = said(f"{name.zh} 日均 PM2.5", f"daily PM2.5, {name.en}")
        made.append({"id": f"days-{city}", "about": about, "data": data, "layout": layout})
    return Section("days", Text("日均 PM2.5", "Daily PM2.5"), figures=made[:4], more=made[4:])


def _map(trees: tuple[xr.DataTree, xr.DataTree], same: bool) -> Section | None:
    roots = [t.to_dataset() for t in trees]
    if not same or any("pm25_mean_field" not in r for r in roots):
        return None
    if not all(np.array_equal(roots[0][a].values, roots[1][a].values) for a in ("x", "y")):
        return None
    case = "controlled" if all("controlled" in r["case"].values for r in roots) else "base"
    fields = [r["pm25_mean_field"].sel(case=case).transpose("y", "x").values for r in roots]
    difference = fields[1] - fields[0]
    top = float(np.nanpercentile(np.abs(difference), 99.5)) or 1.0
    data = [
        {
            "type": "heatmap",
            "x": numbers(roots[0]["x"].values / 1e3, 2),
            "y": numbers(roots[0]["y"].values / 1e3, 2),
            "z": pack(difference),
            "zmin": -top,
            "zmax": top,
            "colorscale": MAP_COLOURS["diverging"],
            "colorbar": {"title": {"text": "μg/m³"}, "thickness": 12},
            "hovertemplate": "%{z:.2f} μg/m³<extra></extra>",
        }
    ]
    layout = {
        "height": 420,
        "margin": {"l": 46, "r": 6, "t": 10, "b": 40},
        "xaxis": {"title": {"text": said("东西向（km）", "east [km]")}, "constrain": "domain"},
        "yaxis": {"title": {"text": said("南北向（km）", "north [km]")}, "scaleanchor": "x", "constrain": "domain"},
    }
    about = said("B 减 A 的 PM2.5 过程均值", "mean PM2.5, B minus A")
    name = words.CASES[case]
    return Section(
        "map",
        Text(f"B − A：PM2.5 过程均值（{name.zh}）", f"B − A: mean PM2.5 ({name.en})"),
        [Text("蓝色表示 B 较低。", "Blue: B is lower.")],
        [{"id": "difference", "about": about, "data": data, "layout": layout}],
    )


def _measures(trees: tuple[xr.DataTree, xr.DataTree]) -> Section | None:
    sums: dict[tuple[str, str, str], list[float]] = {}
    for i, tree in enumerate(trees):
        ledger = findings.group(tree, "measures")
        if ledger is None:
            continue
        columns = (ledger[f"row_{c}"].values.astype(str) for c in ("kind", "pollutant", "unit"))
        for *key, removed in zip(*columns, ledger["removed"].values, strict=True):
            sums.setdefault((str(key[0]), str(key[1]), str(key[2])), [0.0, 0.0])[i] += float(removed)
    if not sums:
        return None
    rows: list[list[Any]] = [
        [words.measure(kind), words.substance(pollutant), unit, *values, values[1] - values[0]]
        for (kind, pollutant, unit), values in sorted(sums.items())
    ]
    head = words.heads("措施|measure", "污染物或燃料|pollutant or fuel", "单位|unit", "A", "B", "B − A")
    grid = Grid(Text("措施削减量", "removed by measures"), head, rows, [0, 0, 0, 1, 1, 1])
    return Section("measures", Text("措施台账", "Measures"), grids=[grid])


def _coal(found: list[Findings]) -> Section | None:
    if all(f.coal is None for f in found):
        return None
    rows: list[list[Any]] = []
    for mark, f in zip(_MARKS, found, strict=True):
        c = f.coal
        if c is not None:
            verdict = Text("负增长", "falls") if c.passed else Text("未负增长", "does not fall")
            rows.append(
                [
                    Text(mark, mark),
                    f"{c.base_year} → {c.target_year}",
                    c.base / 1e4,
                    c.target / 1e4,
                    c.growth,
                    verdict,
                    c.scope,
                ]
            )
    head = words.heads(
        "结果|result", "年份|years", "基准年（万吨）|base [10⁴ t]", "目标年（万吨）|target [10⁴ t]", "增长率|growth",
        "结论|verdict", "口径|scope",
    )  # fmt: skip
    grid = Grid(Text("煤炭消费", "coal consumption"), head, rows, [0, 0, 1, 1, -3, 0, 0])
    return Section("coal", Text("煤炭", "Coal"), grids=[grid])


def _behind(trees: tuple[xr.DataTree, xr.DataTree]) -> Section | None:
    files: dict[str, list[str]] = {}
    for i, tree in enumerate(trees):
        inputs = findings.group(tree, "provenance")
        if inputs is None or "input_file" not in inputs:
            continue
        for name, digest in zip(inputs["input_file"].values, inputs["input_sha256"].values, strict=True):
            files.setdefault(str(name), ["", ""])[i] = str(digest)[:12] or "—"
    if not files:
        return None
    unlike = [
        [name, *(d or Text("无", "none") for d in digests)]
        for name, digests in sorted(files.items())
        if len(set(digests)) > 1
    ]
    alike = len(files) - len(unlike)
    text = Text(
        f"{alike} 个输入文件相同，{len(unlike)} 个不同（列出哈希前 12 位）。",
        f"{alike} inputs are the same, {len(unlike)} differ (first 12 digits of their hashes).",
    )
    head = words.heads("文件|file", "A", "B")
    return Section(
        "inputs",
        Text("输入的异同", "What lies behind"),
        [text],
        grids=[Grid(Text("不同的输入", "inputs that differ"), head, unlike, [0, 0, 0])] if unlike else [],
    )
