"""Tables printed by the commands, in characters that a GBK console can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from airsim.errors import Lang
from airsim.output import words
from airsim.rules import STATUS_ZH

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from airsim.emergency import EmergencyList

MOST_NOTES = 20
"""So many notes of a list are printed; the rest is counted."""


def width(text: str) -> int:
    """Return the columns a text takes on a console: a CJK character is two wide."""
    return sum(2 if ord(c) > 0x2E80 else 1 for c in text)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines, the first column to the left, the others to the right."""
    widths = [max(width(row[j]) for row in rows) for j in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0] + " " * (widths[0] - width(row[0]))]
        cells += [" " * (widths[j] - width(row[j])) + row[j] for j in range(1, len(row))]
        lines.append("  " + "  ".join(cells))
    return lines


def compliance(table: pd.DataFrame, list_: EmergencyList, lang: Lang) -> list[str]:
    """Return the compliance table of one level as lines.

    Parameters
    ----------
    table : DataFrame
        From `airsim.emergency.compliance`.
    list_ : EmergencyList
    lang : {"zh", "en"}
    """
    from airsim.geography import CITIES

    zh = lang == "zh"
    names = {c.id: c.name_zh if zh else c.name_en for c in CITIES}
    said = table.attrs
    level = words.LEVELS[str(table["level"].iloc[0])].of(lang)
    lines = [
        (f"{level}：{said['plan_title_zh']}" if zh else f"{level}: {said['plan_title_en']}"),
        (
            f"依据（{STATUS_ZH[said['plan_status']]}）：{said['plan_source']}"
            if zh
            else f"basis: {said['plan_status']}; {said['plan_source']}"
        ),
        (f"口径：{said['basis_zh']}" if zh else f"counted as: {said['basis']}"),
    ]
    if said["illustrative"]:
        lines.append(
            "注意：本清单为示例，其措施未公布。"
            if zh
            else "Note: this list is illustrative, its measures are not published."
        )
    head = (
        ["城市", "污染物", "全社会 kg/d", "减排 kg/d", "比例", "要求", "SO2+NOx", "结论", "尚缺 kg/d"]
        if zh
        else ["city", "pollutant", "all kg/d", "cut kg/d", "share", "required", "SO2+NOx", "verdict", "missing kg/d"]
    )
    rows = [head]
    r: Any
    for r in table.itertuples():
        passed = bool(table.loc[r.Index, "pass"])
        joint = "" if np.isnan(r.joint_share) else f"{100 * r.joint_share:.1f}/{100 * r.joint_required:.0f}%"
        verdict = ("达标" if passed else "未达标") if zh else ("pass" if passed else "FAIL")
        rows.append(
            [
                names.get(r.city, r.city),
                ("颗粒物" if zh else "PM") if r.pollutant == "PM" else r.pollutant,
                f"{r.base_kg_d:,.0f}",
                f"{r.cut_kg_d:,.0f}",
                f"{100 * r.share:.1f}%",
                f"{100 * r.required:.0f}%",
                joint,
                verdict,
                f"{r.missing_kg_d:,.0f}" if r.missing_kg_d > 0 else "",
            ]
        )
    lines += columns(rows)
    cities = table.groupby("city", sort=False)["pass"].all()
    good = [names.get(str(c), str(c)) for c in cities.index[cities]]
    bad = [names.get(str(c), str(c)) for c in cities.index[~cities]]
    if zh:
        lines.append(f"全部达标：{'、'.join(good) or '无'}；未达标：{'、'.join(bad) or '无'}")
    else:
        lines.append(f"reach all shares: {', '.join(good) or 'none'}; fail: {', '.join(bad) or 'none'}")
    if list_.notes:
        lines.append(
            f"读取清单时的提示（{len(list_.notes)} 条）：" if zh else f"notes on reading the list ({len(list_.notes)}):"
        )
        lines += ["  " + n.text(lang) for n in list_.notes[:MOST_NOTES]]
    return lines


def coal(balance: xr.Dataset, lang: Lang) -> list[str]:
    """Return the coal balance as lines: cities down, lines of the balance across, in 万吨 or kt.

    Parameters
    ----------
    balance : Dataset
        From `airsim.coal.balance`.
    lang : {"zh", "en"}
    """
    from airsim.geography import CITIES

    zh = lang == "zh"
    names = {c.id: c.name_zh if zh else c.name_en for c in CITIES}
    said = balance.attrs
    unit, scale = ("万吨", 1e4) if zh else ("kt", 1e3)
    from airsim.output.findings import coal_tested
    from airsim.output.sections import coal as pages

    if said.get("unit") == "tce":
        unit = "万吨标准煤" if zh else "ktce"
    by_city = coal_tested(balance).sum("sector")
    before = pages.base_change(balance)
    energy = balance["consumption_tce"].sum("sector")
    shown = [
        str(n) for n in by_city["line"].values if n in {"base", "target"} or bool((by_city.sel(line=n) != 0).any())
    ]
    head = ["城市" if zh else "city", *(words.name(words.COAL_LINES, n).of(lang) for n in shown)]
    physical = said.get("unit") == "tce"
    head.insert(2, ("同比(实物)" if physical else "同比") if zh else ("change (t)" if physical else "change"))
    head += ["同比" if zh else "change", "负增长" if zh else "falling", "目标年 万tce" if zh else "target ktce"]
    yes, no = ("是", "否") if zh else ("yes", "NO")
    rows = [head]
    for city in by_city["city"].values:
        growth = float(balance["growth"].sel(city=city))
        rows.append(
            [
                names.get(str(city), str(city)),
                f"{float(by_city.sel(city=city, line='base')) / scale:,.1f}",
                _change(before[str(city)]),
                *(f"{float(by_city.sel(city=city, line=n)) / scale:,.1f}" for n in shown[1:]),
                f"{100 * growth:+.2f}%",
                yes if int(balance["pass"].sel(city=city)) == 1 else no,
                f"{float(energy.sel(city=city, line='target')) / scale:,.1f}",
            ]
        )
    total = by_city.sum("city")
    rows.append(
        [
            "合计" if zh else "all",
            f"{float(total.sel(line='base')) / scale:,.1f}",
            _change(before[""]),
            *(f"{float(total.sel(line=n)) / scale:,.1f}" for n in shown[1:]),
            f"{100 * float(balance['growth_total']):+.2f}%",
            yes if int(balance["pass_total"]) == 1 else no,
            f"{float(energy.sel(line='target').sum()) / scale:,.1f}",
        ]
    )
    years = f"{said['base_year']} -> {said['target_year']}"
    scope = said["scope_zh"] if zh else said["scope"]
    rule = said["rule_title_zh"] if zh else said["rule_title_en"]
    first = (
        f"煤炭消费量（{unit}），{years}；口径：{scope}" if zh else f"coal consumption ({unit}), {years}; scope: {scope}"
    )
    second = f"规则：{rule}（{STATUS_ZH[said['rule_status']]}）" if zh else f"rule: {rule} ({said['rule_status']})"
    lines = [first, second, *columns(rows)]
    induced = float(said["induced_outside_t"])
    if induced:
        lines.append(
            f"替代电力在区域外引起的用煤：{induced / 1e4:.1f} 万吨（未计入合计）"
            if zh
            else f"coal burnt outside for the electricity of substitutions: {induced / 1e3:.1f} kt (not in the total)"
        )
    from airsim.output.sections import coal_tests

    return lines + pages.finding_lines(balance, lang) + coal_tests.lines(balance, lang)


def _change(value: float) -> str:
    return f"{100 * value:+.2f}%" if np.isfinite(value) else "-"


def ranking(group: xr.Dataset, lang: Lang, most: int = 15) -> list[str]:
    """Return the largest enterprises and area sources of each city as lines.

    Parameters
    ----------
    group : Dataset
        From `airsim.assess.ranking.rank`.
    lang : {"zh", "en"}
    most : int
        How many of each [1].
    """
    from airsim.geography import CITIES

    zh = lang == "zh"
    names = {c.id: c.name_zh if zh else c.name_en for c in CITIES}
    lines = []
    for receptor in group["receptor"].values:
        at = group.sel(receptor=receptor)
        base, city = float(at["pm25_base"]), names.get(str(receptor), str(receptor))
        lines.append(
            f"{city}：PM2.5 时段均值 {base:.1f} ug/m3，各源边际影响如下"
            if zh
            else f"{city}: PM2.5 {base:.1f} ug/m3 in the window mean; marginal impact of"
        )
        for kind, title in (
            ("enterprise", "企业" if zh else "enterprises"),
            ("area", "面源" if zh else "area sources"),
        ):
            head = (
                [title, "城市", "行业", "ug/m3", "占比", "每千吨"]
                if zh
                else [title, "city", "sector", "ug/m3", "share", "per kt"]
            )
            impact = at[f"{kind}_impact"].values
            rows = [
                [
                    str(group[f"{kind}_name"].values[i]),
                    names.get(str(group[f"{kind}_city"].values[i]), ""),
                    words.name(words.SECTORS, str(group[f"{kind}_sector"].values[i])).of(lang),
                    f"{impact[i]:.3f}",
                    f"{100 * impact[i] / base:.2f}%",
                    f"{1e3 * float(at[f'{kind}_impact_per_tonne'].values[i]):.2f}",
                ]
                for i in impact.argsort()[::-1][:most]
            ]
            lines += columns([head, *rows])
    return lines
