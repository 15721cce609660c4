"""The answer: what is said first, in sentences, in large figures, and city by city."""

from __future__ import annotations

from typing import Any

import pandas as pd
import xarray as xr

from airsim.clock import to_beijing
from airsim.output import findings, words
from airsim.output.findings import Findings, group
from airsim.output.page import Card, Grid, Number, shown
from airsim.output.sections import coal
from airsim.output.words import Text


def title(tree: xr.DataTree) -> Text:
    """Return what the result is called."""
    name = str(tree.attrs.get("name", "airsim"))
    english = str(tree.attrs.get("title", name))
    return Text(str(tree.attrs.get("title_zh", english)), english)


def period(tree: xr.DataTree, found: Findings) -> Text:
    """Return over which hours, in Beijing time, and how many cities the result goes."""
    hours = to_beijing(tree["time"].to_numpy())
    first, last = pd.Timestamp(hours[0]), pd.Timestamp(hours[-1]) + pd.Timedelta(hours=1)
    return Text(
        f"{first:%Y-%m-%d %H:%M} 至 {last:%Y-%m-%d %H:%M}（北京时间），{len(found.cities)} 个城市",
        f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} Beijing time, {len(found.cities)} cities",
    )


def answers(tree: xr.DataTree, found: Findings) -> list[Text]:
    """Return what the measures do to the air, which cities reach their shares, and whether coal falls."""
    told = [*_effect(found), *_worst_day(found), *_heavy_days(found)]
    if not found.controlled:
        low, high = found.cities["mean_base"].min(), found.cities["mean_base"].max()
        told.append(
            Text(
                f"只计算了基准情形：各城市 PM2.5 过程均值 {low:.0f} 至 {high:.0f} μg/m³。",
                f"Only the base case was run: mean PM2.5 of the cities is {low:.0f} to {high:.0f} μg/m³.",
            )
        )
    for level in found.levels_called():
        rows = found.compliance[found.compliance["level"] == level]
        failing = list(rows.loc[~rows["all_pass"].astype(bool), "city"])
        name = words.name(words.LEVELS, level)
        zh = f"{name.zh}：{len(rows)} 个城市中 {len(rows) - len(failing)} 个达到全部减排比例要求"
        en = f"{len(rows) - len(failing)} of {len(rows)} cities reach all required shares"
        en = f"{name.en[0].upper()}{name.en[1:]}: {en}"
        if failing:
            zh += f"，未达标的是{'、'.join(found.cities.loc[failing, 'zh'])}"
            en += f"; failing: {', '.join(found.cities.loc[failing, 'en'])}"
        told.append(Text(zh + "。", en + "."))
    balance = group(tree, "coal")
    if found.coal is not None and balance is not None:
        verdict, scope = coal.verdict(balance), found.coal.scope
        told.append(Text(f"{verdict.zh}口径：{scope.zh}。", f"{verdict.en} Scope: {scope.en}."))
    return told


def _effect(found: Findings) -> list[Text]:
    effect = found.effect()
    if effect is None:
        return []
    base, controlled, change = map(Number, effect)
    alone = found.alert_alone
    total = shown(change, -2, signed=True)
    told = [
        Text(
            f"预警期间，{len(found.alerted)} 个预警城市 PM2.5 平均由 {base:.0f} 降到 {controlled:.0f} μg/m³"
            f"（{total}）。",
            f"During the alert PM2.5 in the {len(found.alerted)} alerted cities falls on average from {base:.0f} to "
            f"{controlled:.0f} μg/m³ ({total}).",
        )
    ]
    if alone is None or abs(alone - change) < 5e-4:
        return [*told, against_published(change)]
    part, judged = shown(alone, -2, signed=True), against_published(alone)
    return [
        *told,
        Text(
            f"其中应急减排本身 {part}（相对常年措施之后的水平），其余来自常年措施；应急的{judged.zh}",
            f"The emergency cuts alone make {part} of what the permanent measures leave; the rest is theirs. "
            f"{judged.en}",
        ),
    ]


def against_published(change: float) -> Text:
    """Return how a change of PM2.5 during an alert [1] stands to what was published for red alerts."""
    low, high = findings.PUBLISHED_EFFECT
    band = f"{shown(high, -1)} ~ {shown(low, -1)}"
    source = f"已发表的红色预警评估（{band}，北京 2015 年 12 月、京津冀 2016 年 12 月）"
    if low <= change <= high:
        zh, en = f"与{source}相当", "within"
    else:
        zh, en = (f"小于{source}", "less than") if change > high else (f"大于{source}", "more than")
    return Text(
        f"降幅{zh}。",
        f"This is {en} what was published for red alerts ({band}; Beijing in December 2015, Beijing-Tianjin-Hebei in "
        "December 2016).",
    )


def _worst_day(found: Findings) -> list[Text]:
    peak = found.peak_effect()
    if peak is None:
        return []
    who = Text("预警城市", "alerted city") if len(found.alerted) else Text("城市", "city")
    change = shown(peak[2], -2, signed=True)
    return [
        Text(
            f"各{who.zh}最重一天的 PM2.5 平均由 {peak[0]:.0f} 变为 {peak[1]:.0f} μg/m³（{change}）。",
            f"PM2.5 on each {who.en}'s worst day changes on average from {peak[0]:.0f} to {peak[1]:.0f} μg/m³ "
            f"({change}).",
        )
    ]


def _heavy_days(found: Findings) -> list[Text]:
    heavy = found.heavy_days()
    if heavy is None:
        return []
    return [
        Text(
            f"重污染日（AQI＞200）：{heavy[0]} → {heavy[1]} 城·天。",
            f"Heavy-pollution city-days (AQI > 200): {heavy[0]} → {heavy[1]}.",
        )
    ]


def cards(found: Findings) -> list[Card]:
    """Return the figures in large print."""
    made: list[Card] = []
    effect, peak, heavy = found.effect(), found.peak_effect(), found.heavy_days()
    alerted = len(found.alerted) > 0
    where = Text("预警城市平均", "mean of the alerted cities") if alerted else Text("各城市平均", "mean of the cities")
    for key, what in (
        (effect, Text("预警期间 PM2.5", "PM2.5 during the alert")),
        (peak, Text("最重一天 PM2.5", "PM2.5 on the worst day")),
    ):
        if key is None:
            continue
        base, controlled, change = map(Number, key)
        big, pair = shown(change, -2, signed=True), f"{base:.0f} → {controlled:.0f} μg/m³"
        detail = Text(f"{where.zh} {pair}", f"{where.en} {pair}")
        made.append(Card(what, Text(big, big), detail, "good" if change < 0 else "bad"))
    if heavy is not None:
        big = f"{heavy[0]} → {heavy[1]}"
        what = (
            Text("重污染天数（预警城市合计）", "heavy-pollution city-days, alerted cities")
            if alerted
            else Text("重污染天数（各城市合计）", "heavy-pollution city-days")
        )
        detail = Text(f"AQI＞200，减少 {heavy[0] - heavy[1]} 天", f"AQI > 200, {heavy[0] - heavy[1]} fewer")
        made.append(Card(what, Text(big, big), detail, "good" if heavy[1] < heavy[0] else ""))
    if len(found.compliance):
        parts, all_passed = [], True
        for level in found.levels_called():
            rows = found.compliance[found.compliance["level"] == level]
            passed = int(rows["all_pass"].sum())
            all_passed &= passed == len(rows)
            name = words.name(words.LEVELS, level)
            parts.append(Text(f"{name.zh[0]} {passed}/{len(rows)}", f"{level} {passed}/{len(rows)}"))
        made.append(
            Card(
                Text("减排比例达标城市", "cities reaching their shares"),
                Text(" · ".join(p.zh for p in parts), " · ".join(p.en for p in parts)),
                Text("全部污染物及 SO₂+NOx 联合指标", "all pollutants and SO₂ + NOx jointly"),
                "good" if all_passed else "bad",
            )
        )
    if found.coal is not None:
        balance, big = found.coal, shown(found.coal.growth, -3, signed=True)
        made.append(
            Card(
                Text(
                    f"煤炭消费 {balance.target_year} 年比 {balance.base_year} 年",
                    f"coal, {balance.target_year} against {balance.base_year}",
                ),
                Text(big, big),
                Text("实现负增长", "negative growth reached")
                if balance.passed
                else Text("未实现负增长", "negative growth not reached"),
                "good" if balance.passed else "bad",
            )
        )
    return made


def cities(found: Findings) -> Grid:
    """Return mean, worst day and heavy days of every city, without and with the measures."""
    columns: list[tuple[Text, int, Any]] = [(Text("城市", "city"), 0, lambda r: Text(r["zh"], r["en"]))]
    if len(found.alerted):
        alert = Text("预警", "alert")
        columns.append((alert, 0, lambda r: alert if r["alerted"] else ""))

    def compared(key: str, name: Text, change: Text | None, digits: int) -> None:
        if found.controlled:
            columns.append((name, digits, lambda r: (float(r[f"{key}_base"]), float(r[f"{key}_controlled"]))))
            if change is not None:
                columns.append((change, -2, lambda r: r[f"{key}_controlled"] / r[f"{key}_base"] - 1))
        else:
            columns.append((name, digits, lambda r: float(r[f"{key}_base"])))

    compared("mean", Text("过程均值", "mean"), Text("变化", "change"), 1)
    columns.append((Text("最重日", "worst day"), 0, lambda r: r["peak_day"]))
    compared("peak", Text("当日均值", "its mean"), Text("当日变化", "its change"), 1)
    if "heavy_base" in found.cities:
        compared("heavy", Text("重污染天数", "heavy days"), None, 0)
    rows = [[value(row) for _, _, value in columns] for _, row in found.cities.iterrows()]
    note = Text(
        "“基准”与“控制”用同一天气，只有排放不同，所以两者之差就是措施的效果。最重日按基准情形日均值取；"
        "重污染为 AQI＞200。",
        "Base and controlled share the same weather and differ in emissions only, so their difference is what the "
        "measures do. The worst day is the one with the highest daily mean of the base case; heavy pollution is AQI "
        "> 200.",
    )
    return Grid(
        Text("各城市 PM2.5（μg/m³）", "PM2.5 by city [μg/m³]"),
        [head for head, _, _ in columns],
        rows,
        [digits for _, digits, _ in columns],
        note,
        printed=len(rows),
        pair=(Text("基准", "base"), Text("控制", "controlled")),
        signed=[j for j, (head, _, _) in enumerate(columns) if head.en.endswith("change")],
        faint=[i for i, alerted in enumerate(found.cities["alerted"]) if not alerted] if len(found.alerted) else (),
    )
