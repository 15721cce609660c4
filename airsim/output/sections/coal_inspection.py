"""The inspection of clean coal: pass rates, and what coal that fails emits."""

from __future__ import annotations

import numpy as np
import xarray as xr

from airsim.output import words
from airsim.output.page import Grid
from airsim.output.sections.coal_balance import place
from airsim.output.sections.figures import Figure, both, numbers, said
from airsim.output.words import Text

STAGES = {
    "production": Text("生产", "production"),
    "distribution": Text("流通", "distribution"),
    "use": Text("使用", "use"),
}
_VERDICTS = {
    -1: Text("未抽检", "not sampled"),
    0: Text("样本不足以判定", "not shown"),
    1: Text("可判定达到", "shown"),
    2: Text("可判定未达到", "refuted"),
}


def _note(coal: xr.Dataset) -> Text:
    a = coal.attrs
    status = words.name(words.STATUSES, str(a.get("inspection_status", "")))
    quality = words.qualities(str(a.get("inspection_quality", "")))
    wanted, level = float(a.get("inspection_wanted_rate", 0.95)), float(a.get("inspection_confidence", 0.95))
    zh = (
        f"标准：{a.get('inspection_rules', '')}（{status.zh}）；批次数据：{quality.zh}。"
        f"区间为精确二项（Clopper-Pearson）；是否达到 {wanted:.0%} 按单侧 {level:.0%} 判定。"
    )
    en = (
        f"Standard: {a.get('inspection_rules', '')} ({status.en}); batches: {quality.en}. Exact binomial intervals "
        f"(Clopper-Pearson); {wanted:.0%} is judged one-sided at {level:.0%}."
    )
    return Text(zh, en)


def grids(coal: xr.Dataset) -> list[Grid]:
    """Return pass rates by city and stage, how many batches are missing, and what failing coal emits."""
    if "inspection_batches" not in coal:
        return []
    note, rows = _note(coal), []
    total = coal[[n for n in coal.data_vars if str(n).startswith("inspection_total_")]]
    total = total.rename({n: str(n).replace("_total", "") for n in total.data_vars})
    # all cities first: they are what a console shows
    for city in [None, *(str(c) for c in coal["city"].values)]:
        for stage in coal["stage"].values:
            at = total.sel(stage=stage) if city is None else coal.sel(stage=stage, city=city)
            if int(at["inspection_batches"]) + int(at["inspection_incomplete"]) == 0:
                continue
            counts = [float(at[f"inspection_{n}"]) for n in ("batches", "passed", "incomplete", "rate", "low", "high")]
            verdict = _VERDICTS[int(at["inspection_verdict"])]
            rows.append([STAGES[str(stage)], place(city), *counts, verdict, float(at["inspection_more"])])
    wanted = float(coal.attrs.get("inspection_wanted_rate", 0.95))
    heads = words.heads(
        "环节|stage", "城市|city", "判定批次|batches", "合格|pass", "未测全|incomplete", "合格率|pass rate",
        "95 % 下限|95 % low", "95 % 上限|95 % high", f"是否达到 {wanted:.0%}|at least {wanted:.0%}?",
        "若均合格尚需批次|more, if none fails",
    )  # fmt: skip
    title, digits = Text("洁净煤抽检合格率", "Inspection of clean coal"), [0, 0, 0, 0, 0, -2, -2, -2, 0, 0]
    made = [Grid(title, heads, rows, digits, note, printed=sum(r[1] == place(None) for r in rows))]
    rows = []
    for city in coal["city"].values:
        at = coal.sel(city=city)
        if np.isfinite(at["clean_coal_failing"]):
            cells = ("failing", "sulfur", "ash", "so2_ratio", "pm25_ratio", "excess_so2", "excess_pm25")
            rows.append([words.city(str(city)), *(float(at[f"clean_coal_{n}"]) for n in cells)])
    pooled = [words.city(c) for c in str(coal.attrs.get("inspection_pooled", "")).split(", ") if c]
    zh = "取最靠近用户的环节；多排量按基准清单中居民洁净煤各行计算，灰分与 PM2.5 成正比为假设。"
    en = (
        "Stage nearest to the stove; on the homes' clean-coal rows of the base inventory; PM2.5 in proportion to ash "
        "is an assumption."
    )
    if pooled:
        zh += "、".join(p.zh for p in pooled) + "无样本，借用全部城市。"
        en += " No batch in " + ", ".join(p.en for p in pooled) + ": those of all cities stand in."
    heads = words.heads(
        "城市|city", "不合格占比|failing share", "平均全硫（%，干基）|sulphur [%, dry]",
        "平均灰分（%，干基）|ash [%, dry]", "SO₂ 比合格煤|SO₂ over passing", "PM2.5 比合格煤|PM2.5 over passing",
        "多排 SO₂（吨/年）|extra SO₂ [t/a]", "多排 PM2.5（吨/年）|extra PM2.5 [t/a]",
    )  # fmt: skip
    title = Text("不合格洁净煤的排放影响", "What failing clean coal emits")
    return [*made, Grid(title, heads, rows, [0, -2, 2, 1, 3, 3, 1, 1], Text(zh, en))]


def figure(coal: xr.Dataset) -> Figure | None:
    """Return pass rates by stage with their exact intervals, all cities."""
    if "inspection_total_rate" not in coal:
        return None
    rate, low, high = (100 * coal[f"inspection_total_{n}"].values for n in ("rate", "low", "high"))
    known = np.isfinite(rate)
    wanted = 100 * float(coal.attrs.get("inspection_wanted_rate", 0.95))
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [both(STAGES[str(s)]) for s, k in zip(coal["stage"].values, known, strict=True) if k],
        "y": numbers(rate[known], 2),
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": numbers((high - rate)[known], 2),
            "arrayminus": numbers((rate - low)[known], 2),
        },
        "marker": {"size": 10, "color": "#1f5fa8"},
        "hovertemplate": "%{y:.1f} %",
    }
    layout = {
        "margin": {"l": 60, "r": 10, "t": 10, "b": 40},
        "height": 300,
        "yaxis": {"title": {"text": said("合格率（%）", "pass rate [%]")}},
        "shapes": [
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": wanted,
                "y1": wanted,
                "line": {"dash": "dash", "color": "#c62828"},
            }
        ],
        "showlegend": False,
    }
    about = said("洁净煤抽检合格率及精确区间", "pass rates of clean coal with exact intervals")
    return {"id": "coal-inspection", "about": about, "data": [trace], "layout": layout}
