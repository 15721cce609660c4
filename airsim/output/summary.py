"""The printed end of a run, in characters that every console can show."""

from __future__ import annotations

import numpy as np
import xarray as xr

from airsim.errors import Lang
from airsim.output import findings, words
from airsim.output.findings import Findings


def text(tree: xr.DataTree, lang: Lang) -> str:
    """Return the lines; see `airsim.output.summary_text`."""
    found = findings.find(tree)
    zh = lang == "zh"
    title = tree.attrs.get("title_zh" if zh else "title", tree.attrs.get("name", ""))
    lines = [str(title), *(("注意：" if zh else "Note: ") + n.of(lang) for n in found.notices)]
    lines += _projected(tree, found, lang)
    lines += _effect(found, zh) + _cities(found, zh) + _shares(found, zh) + _coal(found, zh)
    # SO2 with a subscript, a minus sign or a superscript is not in GBK
    plain = "\n".join(lines).translate(str.maketrans("₂₃−³²μ", "23-32u")).replace(" %", "%")
    return plain.encode("gbk", "replace").decode("gbk")


def _projected(tree: xr.DataTree, found: Findings, lang: Lang) -> list[str]:
    from airsim.output.sections.attainment import section

    made = section(tree, found)
    return [made["answers"][0].of(lang).replace("→", "->")] if made else []


def _effect(found: Findings, zh: bool) -> list[str]:
    lines = []
    effect, peak, heavy = found.effect(), found.peak_effect(), found.heavy_days()
    if effect is not None:
        lines.append(
            f"预警城市预警期间 PM2.5 平均：{effect[0]:.0f} -> {effect[1]:.0f} ug/m3（{100 * effect[2]:+.1f}%）"
            if zh
            else f"PM2.5 in the alerted cities during alert: {effect[0]:.0f} -> {effect[1]:.0f} ug/m3 "
            f"({100 * effect[2]:+.1f}%)"
        )
    alone = found.alert_alone
    if effect is not None and alone is not None and abs(alone - effect[2]) >= 5e-4:
        lines.append(
            f"  其中应急减排本身：{100 * alone:+.1f}%（相对常年措施之后的水平）"
            if zh
            else f"  of which the emergency cuts alone: {100 * alone:+.1f}% of what the permanent measures leave"
        )
    if peak is not None:
        lines.append(
            f"最重一天平均：{peak[0]:.0f} -> {peak[1]:.0f} ug/m3（{100 * peak[2]:+.1f}%）"
            if zh
            else f"Most polluted day, mean of the cities: {peak[0]:.0f} -> {peak[1]:.0f} ug/m3 ({100 * peak[2]:+.1f}%)"
        )
    if heavy is not None:
        lines.append(
            f"重污染日（AQI>200）：{heavy[0]} -> {heavy[1]} 城·天"
            if zh
            else f"Heavy-pollution city-days (AQI > 200): {heavy[0]} -> {heavy[1]}"
        )
    return lines


def _cities(found: Findings, zh: bool) -> list[str]:
    # a CJK character is two columns wide on a console
    def padded(name: str, width: int) -> str:
        return name + " " * max(0, width - sum(2 if ord(c) > 0x2E80 else 1 for c in name))

    lines = ["各城市 PM2.5 过程均值（ug/m3）：" if zh else "PM2.5, mean of the episode (ug/m3):"]
    for _, row in found.cities.iterrows():
        base = row["mean_base"]
        line = f"  {padded(row['zh'] if zh else row['en'], 12)}{base:7.1f}"
        if found.controlled and base > 0:
            line += f" -> {row['mean_controlled']:6.1f}  {100 * (row['mean_controlled'] / base - 1):+6.1f}%"
        if zh and row["alerted"]:
            line += "  预警"
        elif row["alerted"]:
            line += "  alert"
        lines.append(line)
    return lines


def _shares(found: Findings, zh: bool) -> list[str]:
    lines = []
    for level in found.levels_called():
        rows = found.compliance[found.compliance["level"] == level]
        passed, name = int(rows["all_pass"].sum()), words.name(words.LEVELS, level)
        failed = [found.cities.loc[c, "zh" if zh else "en"] for c in rows.loc[~rows["all_pass"].astype(bool), "city"]]
        if zh:
            tail = f"；未达标：{'、'.join(failed)}" if failed else ""
            lines.append(f"{name.zh}减排比例：{len(rows)} 个城市中 {passed} 个全部达标{tail}")
        else:
            tail = f"; failing: {', '.join(failed)}" if failed else ""
            lines.append(f"Shares, {name.en}: {passed} of {len(rows)} cities reach all of them{tail}")
    return lines


def _coal(found: Findings, zh: bool) -> list[str]:
    coal = found.coal
    if coal is None or not np.isfinite(coal.growth):
        return []
    if zh:
        verdict = "实现负增长" if coal.passed else "未实现负增长"
        return [
            f"煤炭消费量：{coal.base_year} 年 {coal.base / 1e4:.1f} 万吨 -> {coal.target_year} 年 "
            f"{coal.target / 1e4:.1f} 万吨（{100 * coal.growth:+.2f}%），{verdict}；口径：{coal.scope.zh}"
        ]
    verdict = "negative growth reached" if coal.passed else "negative growth NOT reached"
    return [
        f"Coal: {coal.base / 1e6:.3f} Mt in {coal.base_year} -> {coal.target / 1e6:.3f} Mt in {coal.target_year} "
        f"({100 * coal.growth:+.2f}%), {verdict}; scope: {coal.scope.en}"
    ]
