"""The attainment section: what was observed, projected by the modelled relative response; the raw model beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from airsim.output import words
from airsim.output.findings import Findings, group
from airsim.output.sections.figures import CONTROLLED, Figure, both, numbers, said
from airsim.output.words import Text


def section(tree: xr.DataTree, found: Findings) -> dict[str, Any] | None:
    """Return the rows, answers and notes of the section, None where nothing was projected.

    Parameters
    ----------
    tree : DataTree
        A result.
    found : Findings
    """
    at = group(tree, "attainment")
    if at is None:
        return None
    season = at.sel(period="season")
    cities = [c for c in found.cities.index if np.isfinite(season["projected_mean"].sel(city=c))]
    if not cities:
        return None
    rows: list[dict[str, Any]] = []
    for city in cities:
        s, y = season.sel(city=city), at.sel(period="year", city=city)
        everyday, high = (at.sel(response=r, city=city) for r in ("permanent", "high_days"))
        rows.append(
            {
                "city": found.name(city),
                "days": float(s["observed_days"]),
                "mean": [float(s[f"{k}_mean"]) for k in ("observed", "projected")],
                "heavy": [float(s[f"{k}_heavy_days"]) for k in ("observed", "projected")],
                "worst": [float(s[f"{k}_heavy_mean"]) for k in ("observed", "projected")],
                "year": [float(y[f"{k}_mean"]) for k in ("observed", "projected")],
                "raw": [float(everyday[f"modelled_{k}"]) for k in ("base", "controlled")],
                "raw_high": [float(high[f"modelled_{k}"]) for k in ("base", "controlled")],
                "left": [float(x["rrf_pm25"]) for x in (everyday, high)],
            }
        )
    factors = [
        {
            "component": words.name(words.COMPONENTS, str(c)) if c != "om" else Text("有机物", "organic matter"),
            "share": float(at["share"].sel(component=c, city=cities[0])),
            "rrf": [
                _range(at["rrf"].sel(component=c, city=cities, response=r).values) for r in ("permanent", "high_days")
            ],
        }
        for c in at["component"].values
    ]
    return {
        "rows": rows,
        "factors": factors,
        "year": any(np.isfinite(r["year"][0]) for r in rows),
        "answers": _answers(at, found, cities),
        "cards": _cards(at, found, cities),
        "notes": _notes(at, found, cities),
    }


def figure(made: dict[str, Any] | None) -> Figure | None:
    """Return observed and projected seasonal means by city, from what `section` gave."""
    if made is None:
        return None
    names = [both(r["city"]) for r in made["rows"]]
    data = [
        {
            "type": "bar",
            "x": names,
            "y": numbers([r["mean"][i] for r in made["rows"]]),
            "name": said(zh, en),
            "marker": {"color": colour},
            "text": [f"{r['heavy'][i]:.0f}" for r in made["rows"]],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertemplate": "%{y:.1f} μg/m³<extra></extra>",
        }
        for i, (zh, en, colour) in enumerate((("实测", "observed", "#455a64"), ("措施下推算", "projected", CONTROLLED)))
    ]
    layout = {
        "barmode": "group",
        "height": 320,
        "margin": {"l": 50, "r": 10, "t": 20, "b": 40},
        "yaxis": {"title": {"text": "μg/m³"}, "rangemode": "tozero"},
        "legend": {"orientation": "h", "y": 1.15},
    }
    return {"id": "projected-bars", "data": data, "layout": layout}


def _range(values: np.ndarray) -> str:
    known = values[np.isfinite(values)]
    return f"{known.min():.2f}–{known.max():.2f}" if known.size else "—"


def _cards(at: xr.Dataset, found: Findings, cities: list[str]) -> list[dict[str, Any]]:
    """Return the two figures that are said first: seasonal mean and days of heavy pollution."""
    ids = [c for c in found.alerted.index if c in cities] or cities
    season = at.sel(period="season", city=ids)
    mean = [float(season[f"{k}_mean"].mean()) for k in ("observed", "projected")]
    days = [int(season[f"{k}_heavy_days"].sum()) for k in ("observed", "projected")]
    change = f"{100 * (mean[1] / mean[0] - 1):+.1f} %".replace("-", "−")
    span = str(at.attrs["season"])
    return [
        {
            "what": Text("季均 PM2.5（实测推算）", "seasonal mean PM2.5 (observed, projected)"),
            "big": Text(change, change),
            "detail": Text(
                f"{span}：{mean[0]:.0f} → {mean[1]:.0f} μg/m³", f"{span}: {mean[0]:.0f} → {mean[1]:.0f} μg/m³"
            ),
            "mood": "good" if mean[1] < mean[0] else "",
        },
        {
            "what": Text("PM2.5 重污染（实测推算）", "heavy pollution by PM2.5 (observed, projected)"),
            "big": Text(f"{days[0]} → {days[1]}", f"{days[0]} → {days[1]}"),
            "detail": Text(f"{len(ids)} 个城市，城·天", f"{len(ids)} cities, city-days"),
            "mood": "good" if days[1] < days[0] else "",
        },
    ]


def _answers(at: xr.Dataset, found: Findings, cities: list[str]) -> list[Text]:
    ids = [c for c in found.alerted.index if c in cities] or cities
    season = at.sel(period="season", city=ids)
    mean = [float(season[f"{k}_mean"].mean()) for k in ("observed", "projected")]
    days = [int(season[f"{k}_heavy_days"].sum()) for k in ("observed", "projected")]
    span = str(at.attrs["season"])
    who = Text(f"{len(ids)} 个有观测的城市", f"{len(ids)} cities with observations")
    if len(found.alerted):
        who = Text(f"{len(ids)} 个有观测的预警城市", f"{len(ids)} alerted cities with observations")
    change = 100 * (mean[1] / mean[0] - 1)
    zh = (
        f"以实测为准、按模式相对响应推算（{span} 已观测的日子）：{who.zh} PM2.5 季均由 {mean[0]:.0f} 降到 "
        f"{mean[1]:.0f} μg/m³"
        f"（{change:+.1f} %），重污染 {days[0]} → {days[1]} 城·天。"
    )
    en = (
        f"From what was observed ({span}, days with observations) and the modelled relative response: in {who.en} "
        "the mean "
        f"PM2.5 goes from {mean[0]:.0f} to {mean[1]:.0f} μg/m³ ({change:+.1f} %), days of heavy pollution {days[0]} → "
        f"{days[1]} city-days."
    )
    lines = [Text(zh.replace("-", "−"), en.replace(" (-", " (−"))]
    year = at.sel(period="year", city=cities)
    if at.attrs.get("year_covered") != "yes":
        lines.append(
            Text(
                f"{at.attrs['year']} 年的观测不足以评价年均值（须 324 天且各月 27 天），故不给出年均。",
                f"The observations of {at.attrs['year']} don't make an annual mean (324 days, 27 a month): none is "
                "given.",
            )
        )
    else:
        values = [float(year[f"{k}_mean"].mean()) for k in ("observed", "projected")]
        limit, standard = float(at.attrs["limit_year"]), str(at.attrs["standard"])
        met = [int((year[f"{k}_mean"] <= limit).sum()) for k in ("observed", "projected")]
        known = int(np.isfinite(year["observed_mean"]).sum())
        lines.append(
            Text(
                f"{at.attrs['year']} 年均值（各城市平均）：{values[0]:.1f} → {values[1]:.1f} μg/m³，"
                "季节以外的日子按不变计；"
                f"达到 {standard} 年均限值 {limit:.0f} 的城市：{met[0]} → {met[1]}（共 {known} 个）。",
                f"Annual mean of {at.attrs['year']}, mean of the cities: {values[0]:.1f} → {values[1]:.1f} μg/m³; "
                "days outside "
                f"the season are left as they are. Cities within the annual limit of {limit:.0f} ({standard}): "
                f"{met[0]} → "
                f"{met[1]} of {known}.",
            )
        )
    return lines


def _notes(at: xr.Dataset, found: Findings, cities: list[str]) -> list[Text]:
    days = at["response_days"].sel(city=cities[0])
    own = str(at.attrs.get("composition_own", "")).split()
    unlike = [found.name(c) for c in found.cities.index if c not in cities]
    notes = [
        Text(
            "做法（美国环保署 SMAT）：实测 PM2.5 按组分拆开，各组分乘以模式有、"
            "无措施两种情形之比（相对响应系数），铵随硫酸盐、硝酸盐按中和度不变计，"
            "再相加。模式的系统偏差在比值中抵消，因此这里是结论，模式原值仅并列供参考。",
            "As the US EPA's SMAT does: observed PM2.5 is split into components, each is multiplied by the ratio "
            "of the modelled "
            "means with and without the measures, ammonium follows sulphate and nitrate at constant "
            "neutralisation, and the "
            "sum is taken. A steady error of the model falls out of the ratio; so this is the answer, and the "
            "model as it "
            "is stands beside it.",
        ),
        Text(
            f"重污染日（PM2.5 日均＞{at.attrs['heavy_above']:.0f} μg/m³）用全部措施在模拟最重 {int(days[1])} "
            "天的响应，其余日子只用常年措施在全部 "
            f"{int(days[0])} 天的响应：应急措施只在预警时起作用。假定每个重污染日都启动了同样的响应。",
            f"Days of heavy pollution (daily PM2.5 > {at.attrs['heavy_above']:.0f} μg/m³) take the response of all "
            "measures on "
            f"the {int(days[1])} most polluted modelled days, other days that of the permanent measures over all "
            f"{int(days[0])} days: emergency measures act in alerts only. Every day of heavy pollution is taken to "
            "be answered "
            "alike.",
        ),
    ]
    notes.append(
        Text(
            "实测浓度已包含当时实际采取的应急响应：若同样的措施当时确已执行，这里会重复计其效果，"
            "推算值即为再多一份同样减排的结果。",
            "The observed air already holds whatever response was really called then: where the same measures "
            "were in force, "
            "the projection counts them a second time and shows what as much again would have done.",
        )
    )
    if not own:
        source = str(at.attrs.get("composition_source", ""))
        notes.append(
            Text(
                f"没有各城市自己的组分观测，全部采用同一默认占比（{source}）。",
                f"No city has observed composition of its own: all take the same default shares ({source}).",
            )
        )
    if str(at.attrs.get("left_to_high_days", "")):
        notes.append(
            Text(
                "情景中排在应急之后的常年措施只计入重污染日的响应；要计入平日，请把它们写在应急措施之前。",
                "Permanent measures that stand after the emergency measure count on days of heavy pollution only; "
                "write them "
                "before it to have them count every day.",
            )
        )
    if str(at.attrs.get("temporary", "no")) == "yes":
        notes.append(
            Text(
                "情景中有起止时间的措施（cut、stop、limit）也按常年措施推算到整个季节："
                "它们在模拟时段内的平均作用被当作每天如此。",
                "Measures of the scenario with a start or an end (cut, stop, limit) are carried to the whole "
                "season like "
                "permanent ones: their mean effect over the modelled window is taken for every day.",
            )
        )
    if unlike:
        notes.append(
            Text(
                f"没有观测、未推算：{'、'.join(c.zh for c in unlike)}。",
                f"Not observed, not projected: {', '.join(c.en for c in unlike)}.",
            )
        )
    return notes
