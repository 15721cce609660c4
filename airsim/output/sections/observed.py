"""How the modelled air compares with what was observed."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from airsim.output import words
from airsim.output.findings import Findings, group
from airsim.output.page import Grid, Section
from airsim.output.sections import figures
from airsim.output.words import Text

#: Modelled over observed means outside this band are named.
_LEVEL_BAND = (0.5, 1.6)
_SHARES, _NUMBERS = ("nmb", "nme", "mfb", "mfe", "fac2"), ("r", "ioa")


def section(tree: xr.DataTree, found: Findings) -> Section | None:
    """Return the comparison, None where nothing was observed."""
    compared = group(tree, "evaluation")
    if compared is None or "observed_mean" not in compared or "pm25" not in compared["variable"].to_numpy():
        return None
    pm25 = compared.sel(variable="pm25")
    cities = [c for c in found.cities.index if np.isfinite(pm25["observed_mean"].sel(city=c))]
    if not cities:
        return None
    rows: list[list[Any]] = []
    for city in cities:
        observed, modelled = (float(pm25[f"{k}_mean"].sel(city=city)) for k in ("observed", "modelled"))
        rows.append([found.name(city), observed, modelled, modelled / observed])
    heads = words.heads("城市|city", "观测|observed", "模拟|modelled", "模拟÷观测|modelled ÷ observed")
    levels = Grid(Text("PM2.5 均值（μg/m³）", "Mean PM2.5 [μg/m³]"), heads, rows, [0, 0, 0, 2])
    scores, figure = _scores(compared, found), figures.evaluation(tree, found)
    about = Text("观测与模拟均值", "observed and modelled means")
    return Section(
        "evaluation",
        Text("与实测比较", "Observations"),
        _said(tree, compared, found, {c: r[3] for c, r in zip(cities, rows, strict=True)}),
        [figures.described(figure, about)] if figure is not None else [],
        [levels, *([scores] if scores is not None else [])],
        heading=Text("与实测相比如何", "How it compares with observations"),
        sheet=Text("与实测比较", "Observations"),
    )


def _said(tree: xr.DataTree, compared: xr.Dataset, found: Findings, ratio: dict[str, float]) -> list[Text]:
    pm25, ratios = compared.sel(variable="pm25"), np.array(list(ratio.values()))
    low, high = _LEVEL_BAND
    outside = [found.name(c) for c, r in ratio.items() if not low <= r <= high]
    period, source = (str(compared.attrs.get(k, "")) for k in ("period", "source"))
    zh = (
        f"{len(ratio)} 个有观测的城市，模拟均值为观测均值（{period}，{source}）的 {ratios.min():.2f} 至 "
        f"{ratios.max():.2f} 倍，中位数 {np.median(ratios):.2f}。"
    )
    en = (
        f"In the {len(ratio)} cities with observations ({period}, {source}) the modelled mean is {ratios.min():.2f} to "
        f"{ratios.max():.2f} of the observed one, median {np.median(ratios):.2f}."
    )
    if outside:
        zh += f"超出 {low}–{high} 倍、不宜采信其绝对浓度的有：{'、'.join(c.zh for c in outside)}。"
        en += f" Outside {low}–{high}, where absolute levels should not be trusted: {', '.join(c.en for c in outside)}."
    else:
        zh += f"全部在 {low}–{high} 倍之内，即量级相当，并不说明逐日逐时准确。"
        en += f" All lie within {low}–{high}: right in order of magnitude, which says nothing of single days."
    told = [Text(zh, en)]
    weather = group(tree, "meteorology")
    if weather is not None and weather.attrs.get("synthetic") == "yes":
        told.append(
            Text(
                "天气是合成的，因此不与观测逐时配对；这里只看均值量级、日变化形状和城市高低次序。",
                "The weather is synthetic, so hours are not paired with observations: only levels, the shape of the "
                "day and the order of the cities are compared.",
            )
        )
    if "rank_correlation" in pm25 and np.isfinite(pm25["rank_correlation"]):
        rank = f"{float(pm25['rank_correlation']):.2f}".replace("-", "−")
        told.append(
            Text(
                f"城市高低次序的秩相关系数为 {rank}（1 为次序完全一致）。",
                f"Rank correlation of the cities is {rank} (1: same order).",
            )
        )
    if "diurnal_correlation" in pm25 and bool(pm25["diurnal_correlation"].notnull().any()):
        middle = f"{float(np.nanmedian(pm25['diurnal_correlation'])):.2f}".replace("-", "−")
        told.append(
            Text(
                f"日变化形状与观测的相关系数，各城市中位数 {middle}。",
                f"Correlation of the diurnal cycle with the observed one, median of the cities: {middle}.",
            )
        )
    note = str(compared.attrs.get("note", ""))
    return [*told, Text(str(compared.attrs.get("note_zh", note)), note)] if note else told


def _scores(compared: xr.Dataset, found: Findings) -> Grid | None:
    """Return the measures of daily PM2.5 by city; None on synthetic weather, whose days are never paired."""
    if "daily_score" not in compared:
        return None
    at = compared.sel(variable="pm25")
    rows = [
        [
            found.name(city),
            float(at["daily_pairs"].sel(city=city)),
            *at["daily_score"].sel(city=city, measure=[*_SHARES, *_NUMBERS]).to_numpy().tolist(),
        ]
        for city in found.cities.index
        if float(at["daily_pairs"].sel(city=city)) > 0
    ]
    return Grid(
        Text("PM2.5 日均的配对指标（基准情形）", "Paired measures of daily PM2.5, base case"),
        [*words.heads("城市|city", "天数|days"), *(Text(m.upper(), m.upper()) for m in (*_SHARES, *_NUMBERS))],
        rows,
        [0, 0, *[-1] * len(_SHARES), *[2] * len(_NUMBERS)],
        Text(
            "目标：|MFB|≤30 %、MFE≤50 %（Boylan 与 Russell 2006）。基线与泰勒图见 airsim evaluate。",
            "Goal: |MFB| ≤ 30 %, MFE ≤ 50 % (Boylan and Russell 2006). Baselines and Taylor diagram: airsim evaluate.",
        ),
    )
