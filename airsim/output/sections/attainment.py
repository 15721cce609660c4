"""The attainment section: what was observed, projected by the modelled relative response; the raw model beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from airsim.output import words
from airsim.output.findings import Findings, group
from airsim.output.page import Card, Grid, Section, shown
from airsim.output.sections.figures import CONTROLLED, Figure, both, described, numbers, said
from airsim.output.words import Text

_KINDS = ("observed", "projected")


def section(tree: xr.DataTree, found: Findings) -> Section | None:
    """Return the section, None where nothing was projected."""
    at = group(tree, "attainment")
    cities = _cities(at, found)
    if at is None or not cities:
        return None
    caption = Text(
        "季均 PM2.5；柱上数字为重污染天数。",
        "Seasonal mean PM2.5; the numbers on the bars are days of heavy pollution.",
    )
    about = Text("实测与推算的季均 PM2.5", "seasonal mean PM2.5, observed and projected")
    return Section(
        "attainment",
        Text("实测推算", "Observed, projected"),
        figures=[described(_bars(at, found, cities), about, caption)],
        grids=[_table(at, found, cities), _factors(at, cities)],
        notes=_notes(at, found, cities),
        heading=Text("实测浓度会怎样：相对响应推算", "What the observed air would become: relative response"),
        sheet=Text("实测推算(相对响应)", "Observed, projected"),
    )


def answers(tree: xr.DataTree, found: Findings) -> list[Text]:
    """Return what the observed air would become, in sentences; none where nothing was projected."""
    at = group(tree, "attainment")
    cities = _cities(at, found)
    return _answers(at, found, cities) if at is not None and cities else []


def cards(tree: xr.DataTree, found: Findings) -> list[Card]:
    """Return the two figures that are said first: seasonal mean and days of heavy pollution."""
    at = group(tree, "attainment")
    cities = _cities(at, found)
    if at is None or not cities:
        return []
    ids = [c for c in found.alerted.index if c in cities] or cities
    season = at.sel(period="season", city=ids)
    mean = [float(season[f"{k}_mean"].mean()) for k in _KINDS]
    days = [int(season[f"{k}_heavy_days"].sum()) for k in _KINDS]
    change = shown(mean[1] / mean[0] - 1, -2, signed=True)
    detail = f"{at.attrs['season']}{{}}{mean[0]:.0f} → {mean[1]:.0f} μg/m³"
    return [
        Card(
            Text("季均 PM2.5（实测推算）", "seasonal mean PM2.5 (observed, projected)"),
            Text(change, change),
            Text(detail.format("："), detail.format(": ")),
            "good" if mean[1] < mean[0] else "",
        ),
        Card(
            Text("PM2.5 重污染（实测推算）", "heavy pollution by PM2.5 (observed, projected)"),
            Text(f"{days[0]} → {days[1]}", f"{days[0]} → {days[1]}"),
            Text(f"{len(ids)} 个城市，城·天", f"{len(ids)} cities, city-days"),
            "good" if days[1] < days[0] else "",
        ),
    ]


def _cities(at: xr.Dataset | None, found: Findings) -> list[str]:
    if at is None:
        return []
    projected = at["projected_mean"].sel(period="season")
    return [c for c in found.cities.index if np.isfinite(projected.sel(city=c))]


def _table(at: xr.Dataset, found: Findings, cities: list[str]) -> Grid:
    """Return what was observed and what it would become, city by city, and the model as it is beside it."""
    unit = "μg/m³"
    rows: list[list[Any]] = []
    for city in cities:
        s, y = at.sel(period="season", city=city), at.sel(period="year", city=city)
        everyday, high = (at.sel(response=r, city=city) for r in ("permanent", "high_days"))
        mean, heavy, worst, year = (
            tuple(float(x[f"{k}_{n}"]) for k in _KINDS)
            for x, n in ((s, "mean"), (s, "heavy_days"), (s, "heavy_mean"), (y, "mean"))
        )
        raw = [tuple(float(x[f"modelled_{k}"]) for k in ("base", "controlled")) for x in (everyday, high)]
        rows.append(
            [
                found.name(city), float(s["observed_days"]), mean[0], mean[1], mean[1] / mean[0] - 1,
                heavy[0], heavy[1], worst[0], worst[1], year[0], year[1],
                float(everyday["rrf_pm25"]), float(high["rrf_pm25"]), *raw[0], *raw[1],
            ]
        )  # fmt: skip
    heads = words.heads(
        "城市|city", "有效观测天数|days observed", f"季均 实测（{unit}）|season, observed [{unit}]",
        f"季均 推算（{unit}）|season, projected [{unit}]", "变化|change", "重污染天数 实测|heavy days, observed",
        "重污染天数 推算|heavy days, projected", f"重污染日均值 实测（{unit}）|their mean, observed [{unit}]",
        f"重污染日均值 推算（{unit}）|their mean, projected [{unit}]", f"年均 实测（{unit}）|year, observed [{unit}]",
        f"年均 推算（{unit}）|year, projected [{unit}]",
        "剩余比例 平日（常年措施）|left, ordinary days (permanent measures)",
        "剩余比例 重污染日（全部措施）|left, heavy days (all measures)",
        f"模式过程均值 基准（{unit}）|model, base [{unit}]",
        f"模式过程均值 常年措施（{unit}）|model, permanent measures [{unit}]",
        f"模式最重日 基准（{unit}）|model, worst days, base [{unit}]",
        f"模式最重日 全部措施（{unit}）|model, worst days, all measures [{unit}]",
    )  # fmt: skip
    return Grid(
        Text(
            "左为推算（结论），右为模式原值（参考）",
            "Projected observations (the answer), and the model as it is (for reference)",
        ),
        heads,
        rows,
        [0, 0, 1, 1, -2, 0, 0, 1, 1, 1, 1, 3, 3, 1, 1, 1, 1],
        signed=[4],
    )


def _factors(at: xr.Dataset, cities: list[str]) -> Grid:
    rows = [
        [
            words.name(words.COMPONENTS, str(c)) if c != "om" else Text("有机物", "organic matter"),
            float(at["share"].sel(component=c, city=cities[0])),
            *(
                _range(at["rrf"].sel(component=c, city=cities, response=r).to_numpy())
                for r in ("permanent", "high_days")
            ),
        ]
        for c in at["component"].to_numpy()
    ]
    heads = words.heads(
        "组分|component", "实测占比|observed share", "常年措施|permanent measures",
        "全部措施，最重日|all measures, worst days",
    )  # fmt: skip
    title = Text("组分占比与相对响应系数", "Shares and relative response factors")
    return Grid(title, heads, rows, [0, -1, 0, 0], folded=True)


def _bars(at: xr.Dataset, found: Findings, cities: list[str]) -> Figure:
    """Return observed and projected seasonal means by city."""
    season = at.sel(period="season", city=cities)
    data = [
        {
            "type": "bar",
            "x": [both(found.name(c)) for c in cities],
            "y": numbers(season[f"{kind}_mean"]),
            "name": said(zh, en),
            "marker": {"color": colour},
            "text": [f"{v:.0f}" for v in season[f"{kind}_heavy_days"].to_numpy()],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertemplate": "%{y:.1f} μg/m³<extra></extra>",
        }
        for kind, zh, en, colour in (
            ("observed", "实测", "observed", "#455a64"),
            ("projected", "措施下推算", "projected", CONTROLLED),
        )
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
