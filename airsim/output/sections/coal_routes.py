"""The heating routes compared: what each saves and costs, and which network stops it."""

from __future__ import annotations

import pandas as pd

from airsim.coal.advice import HOMES
from airsim.output import words
from airsim.output.page import Grid
from airsim.output.words import Text


def grid(advice: pd.DataFrame) -> Grid:
    """Return the ranking of the heating routes as a table.

    Parameters
    ----------
    advice : DataFrame
        From `airsim.coal.advice.advise`.
    """
    from airsim.coal.counties import county_names

    counties, felt = county_names(), advice.attrs["benefit"] == "operator"
    rows = []
    for r in advice.to_dict("records"):
        county = counties.get(r["county"], r["county"])
        city = words.city(r["city"])
        place = Text(f"{city.zh} {county}".strip(), f"{city.en} {county}".strip())
        stop = words.name(words.LIMITS, r["limited_by"]) if r["limited_by"] else Text("—", "-")
        a_home = (r["cost_state"] + r["cost_user"]) / r["homes"]
        scale = HOMES / r["homes"]
        rows.append(
            [
                place,
                float(r["rank"]),
                words.name(words.ROUTES, r["route"]),
                r["homes_possible"] / 1e4,
                stop,
                r["coal"] * scale / 1e4,
                abs(r["induced_coal"]) * scale / 1e4,
                a_home,
                r["cost_user"] / r["homes"],
                r["cost_per_tonne"],
                r["SO2"] * scale,
                r["NOx"] * scale,
                r["PM25"] * scale,
                r["CO2"] * scale / 1e4,
                r["pm25_city"] * scale,
                r["pm25_mean"] * scale,
            ]
        )
    heads = words.heads(
        "地区|place",
        "排序|rank",
        "路径|route",
        "尚可改造（万户）|possible [10⁴ homes]",
        "受限于|limit",
        "减煤（万吨）|coal saved [10⁴ t]",
        "引起用煤（万吨）|coal induced [10⁴ t]",
        "年费用（元/户）|cost [CNY/home/a]",
        "其中用户（元/户）|of it the user [CNY/home/a]",
        "吨煤费用（元/吨）|cost [CNY/t coal]",
        "SO₂（吨）|SO₂ [t]",
        "NOx（吨）|NOx [t]",
        "PM2.5（吨）|PM2.5 [t]",
        "CO₂（万吨）|CO₂ [10⁴ t]",
        "本市 PM2.5（μg/m³）|PM2.5 here [μg/m³]",
        "各市平均（μg/m³）|mean of cities [μg/m³]",
    )
    basis = Text(
        "PM2.5 效益取自已存的输送算子（该情景时段平均）"
        if felt
        else "没有合用的已存输送算子，PM2.5 效益按排放吨数比较",
        "PM2.5 benefit from the stored transport operator (mean of the scenario's period)"
        if felt
        else "no stored operator fits: PM2.5 benefit is compared by the tonnes emitted",
    )
    known = Text(
        "已扣除本方案占用的供气、电网、热网能力"
        if advice.attrs["limits"]
        else "情景未给出供气、电网、热网能力，未作限制",
        "capacity that the plan takes is deducted"
        if advice.attrs["limits"]
        else "the scenario gives no limits, so none holds",
    )
    status = words.name(words.STATUSES, advice.attrs["status"])
    note = Text(
        f"每万户比较；先看网络能否承接，再按单位 PM2.5 效益的年费用排序。{basis.zh}；{known.zh}。"
        f"效率与费用参数：{status.zh}。",
        "Per 10⁴ homes; routes that the networks carry come first, then by yearly cost per PM2.5 benefit; "
        f"{basis.en}; {known.en}. Efficiencies and costs: {status.en}.",
    )
    digits = [0, 0, 0, 2, 0, 2, 2, 0, 0, 0, 1, 1, 1, 2, 3, 3]
    title = Text("宜电则电、宜气则气、宜热则热、宜煤则煤：路径比较", "Heating routes compared")
    return Grid(title, heads, rows, digits, note, printed=len(rows))
