"""The workbook's sheets on what the emergency response does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim.output import words
from airsim.output.findings import BEIJING, Findings, group
from airsim.output.sections import response
from airsim.output.words import Text

if TYPE_CHECKING:
    from airsim.output.excel import _Sheet

_ONE, _PERCENT, _DATE, _MINUTE = "#,##0.0", "0.0%", "yyyy-mm-dd", "yyyy-mm-dd hh:mm"
_SIGNED = "+0.0%;-0.0%;0.0%"


def cities(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
    """Fill the sheet by city: PM2.5 without and with, hours and days, band, alone and together, lead time."""
    made = response.section(tree, found)
    if made is None:
        return
    for line in made["said"]:
        sheet.note(line.of(sheet.lang))
    unit = "μg/m³"
    heads = [
        Text("城市", "city"),
        Text(f"预警均值 无响应（{unit}）", f"alert mean, without [{unit}]"),
        Text(f"预警均值 有响应（{unit}）", f"alert mean, with [{unit}]"),
        Text("降幅", "change"),
        Text("最重日", "worst day"),
        Text(f"最重日 无响应（{unit}）", f"worst day, without [{unit}]"),
        Text(f"最重日 有响应（{unit}）", f"worst day, with [{unit}]"),
        Text("削峰", "peak cut"),
        Text(f"最大小时 无响应（{unit}）", f"highest hour, without [{unit}]"),
        Text(f"最大小时 有响应（{unit}）", f"highest hour, with [{unit}]"),
    ]
    for kind in (Text("小时", "hours"), Text("天", "days")):
        for threshold in made["thresholds"]:
            for case in (Text("无响应", "without"), Text("有响应", "with")):
                zh, en = f"AQI>{threshold} {kind.zh} {case.zh}", f"{kind.en} AQI > {threshold}, {case.en}"
                heads.append(Text(zh, en))
    heads.append(Text("每千吨降低（μg/m³）", "per kt [μg/m³]"))
    if made["banded"]:
        heads += [
            Text("平均降幅 5 % 分位", "mean cut, 5 %"), Text("平均降幅 95 % 分位", "mean cut, 95 %"),
            Text("削峰 5 % 分位", "peak cut, 5 %"), Text("削峰 95 % 分位", "peak cut, 95 %"),
        ]  # fmt: skip
    sheet.head(*heads)
    form = sheet.style
    for r in made["rows"]:
        cells: list[Any] = [r["city"]]
        cells += [(v, form(num_format=_ONE)) for v in r["mean"]] + [_change(sheet, r["mean"])]
        cells += [(r["day"], form(num_format=_DATE))]
        cells += [(v, form(num_format=_ONE)) for v in r["peak"]] + [_change(sheet, r["peak"])]
        cells += [(v, form(num_format=_ONE)) for v in r["hour"]]
        cells += [v for kind in ("hours", "days") for pair in r[kind] for v in pair]
        cells.append((r["per_kilotonne"], form(num_format=_ONE)))
        if made["banded"]:
            cells += [(v, form(num_format=_PERCENT)) for v in (*r["cut_share_band"], *r["peak_cut_share_band"])]
        sheet.line(*cells)
    if made["alone"]:
        sheet.row += 1
        title = Text(
            f"单独响应降低的 PM2.5（{unit}）：行受益，列响应", f"PM2.5 taken away alone [{unit}]: row in the air of"
        )
        sheet.line(
            title, *made["alone"]["actors"], Text("全部联动", "all together"), Text("他市贡献", "by others"),
            bold=True, bg_color="#DDE6F0", border=1, text_wrap=True,
        )  # fmt: skip
        for r in made["alone"]["rows"]:
            values = [(v, form(num_format=_ONE)) for v in (*r["by"], r["together"])]
            sheet.line(r["city"], *values, (r["others"], form(num_format=_PERCENT)))
    if made["lead"]:
        for key, title in (
            ("mean", Text("启动时间与平均降幅", "start and cut of the alert mean")),
            ("peak", Text("启动时间与削峰", "start and cut of the worst day")),
        ):
            sheet.row += 1
            sheet.line(title, *made["lead"]["heads"], bold=True, bg_color="#DDE6F0", border=1, text_wrap=True)
            for r in made["lead"]["rows"]:
                sheet.line(r["city"], *((v, form(num_format=_PERCENT)) for v in r[key]))


def _change(sheet: _Sheet, pair: list[float]) -> tuple[float, Any]:
    return pair[1] / pair[0] - 1 if pair[0] > 0 else np.nan, sheet.style(num_format=_SIGNED)


def hours(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
    """Fill the sheet by hour: what every acting city really cuts, in kg/h and as a share."""
    effect = group(tree, "emergency")
    if effect is None or "emission_cut" not in effect:
        return
    acting = response.acting(effect, found)
    precursors = [str(p) for p in effect["precursor"].to_numpy()]
    names = [words.name(words.POLLUTANTS, p).of(sheet.lang) for p in precursors]
    share = "减排比例" if sheet.lang == "zh" else "share"
    heads = [f"{n} kg/h" for n in names] + [f"{n} {share}" for n in names]
    sheet.head(Text("时间（北京）", "hour (Beijing)"), Text("城市", "city"), *heads)
    cut = effect["emission_cut"].sel(city=acting).transpose("city", "time", "precursor").to_numpy().astype(float)
    whole = effect["emission_without"].sel(city=acting).transpose("city", "time", "precursor").to_numpy().astype(float)
    times = [pd.Timestamp(t + BEIJING) for t in effect["time"].to_numpy()]
    number, percent = sheet.style(num_format=_ONE), sheet.style(num_format=_PERCENT)
    stamp = sheet.style(num_format=_MINUTE)
    for c, city in enumerate(acting):
        name = found.name(city)
        for t in np.flatnonzero(np.abs(cut[c]).max(axis=1) > 0):
            shares = np.divide(cut[c, t], whole[c, t], out=np.full(len(precursors), np.nan), where=whole[c, t] > 0)
            sheet.line(
                (times[t], stamp), name, *((v, number) for v in cut[c, t]), *((v, percent) for v in shares)
            )  # fmt: skip


def enterprises(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
    """Fill the sheet by enterprise: what its own cut takes from its city and from all acting cities."""
    effect = group(tree, "emergency")
    if effect is None or "enterprise_cut" not in effect:
        return
    acting = response.acting(effect, found)
    note = Text(
        "企业自身减排的作用（伴随一阶估计）：预警时段均值；每千吨为 SO₂、NOx、PM2.5、VOCs 合计。",
        "what each enterprise's own cut takes away (adjoint, first order), alert mean; per kt of SO2, NOx, PM2.5, VOC",
    )
    sheet.note(note.of(sheet.lang))
    sheet.head(
        Text("企业", "enterprise"), Text("城市", "city"), Text("预警期间削减量（吨）", "cut during alert [t]"),
        Text("本市（μg/m³）", "own city [μg/m³]"), Text("本市最重日（μg/m³）", "own city, worst day [μg/m³]"),
        *(Text(f"{found.name(c).zh}（μg/m³）", f"{found.name(c).en} [μg/m³]") for c in acting),
        Text("各市合计每千吨", "all acting cities per kt"),
    )  # fmt: skip
    small, one = sheet.style(num_format="0.000"), sheet.style(num_format=_ONE)
    names, homes = effect["enterprise_name"].to_numpy(), effect["enterprise_city"].to_numpy()
    tonnes = effect["enterprise_tonnes"].to_numpy()
    mean = effect["enterprise_cut"].sel(city=acting).transpose("enterprise", "city").to_numpy()
    peak = effect["enterprise_peak_cut"].sel(city=acting).transpose("enterprise", "city").to_numpy()
    for i, (name, home) in enumerate(zip(names, homes, strict=True)):
        own = acting.index(str(home)) if str(home) in acting else None
        total = float(np.nansum(mean[i]))
        sheet.line(
            str(name), found.name(str(home)), (float(tonnes[i]), one),
            (float(mean[i, own]) if own is not None else None, small),
            (float(peak[i, own]) if own is not None else None, small),
            *((float(v), small) for v in mean[i]),
            (1000.0 * total / tonnes[i] if tonnes[i] > 0 else None, small),
        )  # fmt: skip
