"""Whether the emergency cuts reach the required shares, and which alert the air would have called for."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from airsim.assess import aqi
from airsim.emergency import calls
from airsim.output import findings, words
from airsim.output.findings import Findings, group
from airsim.output.page import Cell, Grid, Section
from airsim.output.sections.emergency import level_name
from airsim.output.words import Text
from airsim.result import variables


def section(tree: xr.DataTree, found: Findings) -> Section | None:
    """Return the shares level by level, None where no list was counted."""
    emergency = group(tree, "emergency")
    if emergency is None or found.compliance.empty:
        return None
    pollutants = [str(p) for p in emergency["pollutant"].to_numpy()]
    grids = [_level(found, pollutants, str(level)) for level in found.compliance["level"].unique()]
    called = _calls(tree, found)
    told = Text(
        "减排比例 = 清单减排量 ÷ 全社会排放量。黑色竖线为要求，绿底达标，红底未达标；二氧化硫与氮氧化物可内部调剂，"
        "两者之和达到联合指标即可。",
        "Share = cut of the list ÷ emission of the whole society. The black mark is the requirement; green reaches it, "
        "red does not. SO₂ and NOx may trade: their sum counts.",
    )
    notes = [findings.plan_note(emergency)]
    if emergency.attrs.get("illustrative") == "yes":
        notes.append(Text("清单为示意，各企业措施未公开。", "Illustrative list: the measures are not published."))
    return Section(
        "compliance",
        Text("减排比例", "Shares"),
        [told],
        grids=[*grids, _accounts(emergency, found, pollutants), *([called] if called is not None else [])],
        notes=notes,
        heading=Text("应急减排是否达到要求的比例", "Do the emergency cuts reach the required shares?"),
        sheet=Text("应急减排达标", "Shares by city"),
    )


def _level(found: Findings, pollutants: list[str], level: str) -> Grid:
    """Return every city's shares under one level, with what is required beside them."""
    rows = []
    for row in found.compliance[found.compliance["level"] == level].to_dict("records"):
        shares = [_share(row[f"share_{p}"], row[f"required_{p}"], row[f"pass_{p}"]) for p in pollutants]
        shares.append(_share(row["joint_share"], row["joint_required"], row["joint_pass"]))
        passed = bool(row["all_pass"])
        verdict = words.VERDICTS[int(passed)]
        rows.append([found.name(row["city"]), *shares, Cell(verdict, "good" if passed else "bad")])
    heads = [Text("城市", "city"), *(words.name(words.POLLUTANTS, p) for p in pollutants)]
    heads += [Text("SO₂ + NOx", "SO₂ + NOx"), Text("结论", "verdict")]
    return Grid(words.name(words.LEVELS, level), heads, rows, [0, *[-2] * (len(pollutants) + 1), 0])


def _share(share: float, required: float, verdict: float) -> Cell:
    if not np.isfinite(share) or verdict < 0:
        return Cell(np.nan)
    zh, en = f"要求 {100 * required:.0f} %", f"of {100 * required:.0f} %"
    if verdict == 1 and share < required - 1e-9:
        zh, en = f"{zh}，联合达标", f"{en}, passes jointly"
    # bars run to twice the requirement
    full = 2 * required if required > 0 else 1.0
    return Cell(
        share, "good" if verdict == 1 else "bad", aside=Text(zh, en), meter=float(np.clip(share / full, 0.0, 1.0))
    )


def _accounts(emergency: xr.Dataset, found: Findings, pollutants: list[str]) -> Grid:
    """Return what each share is made of, and what is missing."""
    rows: list[list[Any]] = []
    for row in found.compliance.to_dict("records"):
        level, city = words.name(words.LEVELS, row["level"]), found.name(row["city"])
        at = emergency.sel(level=row["level"], city=row["city"])
        for pollutant in pollutants:
            one = at.sel(pollutant=pollutant)
            missing = float(one["missing_kg_d"]) if "missing_kg_d" in one else np.nan
            rows.append(
                [
                    level, city, words.name(words.POLLUTANTS, pollutant), float(one["base_kg_d"]),
                    float(one["cut_kg_d"]), float(one["share"]), float(one["required"]),
                    words.VERDICTS[int(one["pass"])], missing,
                ]
            )  # fmt: skip
        if np.isfinite(row["joint_share"]):
            jointly = Text("SO₂＋NOx 联合", "SO₂ + NOx jointly")
            verdict = words.VERDICTS[int(row["joint_pass"])]
            rows.append(
                [level, city, jointly, np.nan, np.nan, row["joint_share"], row["joint_required"], verdict, np.nan]
            )
    labels = [variables.lookup("/emergency", n) for n in ("base_kg_d", "cut_kg_d")]
    return Grid(
        Text("应急减排核算：还差多少", "What each share is made of, and what is missing"),
        [
            *words.heads("预警级别|level", "城市|city", "污染物|pollutant"),
            *(Text(v.label("zh"), v.label("en")) for v in labels),
            *words.heads("减排比例|share", "要求|required", "是否达标|verdict", "尚差（kg/d）|missing [kg/d]"),
        ],
        rows,
        [0, 0, 0, 0, 0, -2, -2, 0, 0],
        folded=True,
        sheet=Text("应急减排核算", "Emergency shares"),
    )


def _calls(tree: xr.DataTree, found: Findings) -> Grid | None:
    """Return which alert the base case would have called for in each city under each dated plan."""
    root = tree.to_dataset()
    names = [n for n in ("pm25", "pm10", "so2", "no2", "co") if n in root and "city" in root[n].dims]
    if "pm25" not in names or root.sizes.get("time", 0) < 24:
        return None
    base = root[names].sel(case="base", drop=True) if "case" in root.dims else root[names]
    table = calls(aqi.running_index(base, aqi.rule_in_force(root["time"].to_numpy()[0])))
    table = table[np.isfinite(table["peak"])]
    if table.empty:
        return None
    rows = [
        [found.name(str(city)), float(part["peak"].iloc[0]), *(level_name(str(level)) for level in part["level"])]
        for city, part in table.groupby("city", sort=False)
    ]
    plans = [Text(r.plan_title_zh, r.plan_title_en) for r in table.drop_duplicates("plan").itertuples()]
    return Grid(
        Text("基准情形对应的预警级别", "Alert that the base case would call for"),
        [Text("城市", "city"), Text("24 小时均值 AQI 峰值", "peak 24 h AQI"), *plans],
        rows,
        [0] * (2 + len(plans)),
        Text(
            "按任意连续 24 小时均值判断；2024 年阈值未经核对。",
            "By running 24 h means; the thresholds of 2024 are unverified.",
        ),
    )
