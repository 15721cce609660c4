"""Inspection of clean coal: sampled batches against the dated standard, what they prove, what failing coal emits."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim import rules
from airsim.errors import InputError, Problem
from airsim.names import CITY_WORDS
from airsim.rules import Rule
from airsim.tables import Column, Table, normalise, read_table

if TYPE_CHECKING:
    from airsim.inventory import Inventory
    from airsim.measures.registry import Resolve
    from airsim.scenario import Coal
from airsim.coal.acceptance import interval, verdict

STAGES = {"production": "生产", "distribution": "流通", "use": "使用"}
CLASSES = {
    "anthracite_1": "无烟1号",
    "anthracite_2": "无烟2号",
    "bituminous_1": "烟煤1号",
    "bituminous_2": "烟煤2号",
    "briquette_1": "型煤1号",
    "briquette_2": "型煤2号",
}
#: Limited quantities -> is the limit a lowest value.
_LIMITED = {"sulfur": False, "ash": False, "volatile": False, "heating_value": True}
_JUDGED = (
    "date",
    "rule",
    "sulfur_d",
    "ash_d",
    "volatile_daf",
    "verdict",
    "failed",
    "sulfur_limit",
    "ash_limit",
    "volatile_limit",
)
_VERDICT_OF = {"not_sampled": -1, "not_shown": 0, "shown": 1, "refuted": 2}
#: Fuels of the inventory that are clean coal when homes burn them.
CLEAN_FUELS = ("briquette", "anthracite", "semi_coke")


def _share(
    name: str, zh: str, *aliases: str, bases: tuple[str, ...] = (), about: str = "", about_zh: str = ""
) -> Column:
    return Column(
        name, zh, unit="%", minimum=0, maximum=100, aliases=tuple(aliases), bases=bases, below_detection=True,
        about=about, about_zh=about_zh,
    )  # fmt: skip


_STAGE_WORDS = {normalise(w): k for k, zh in STAGES.items() for w in (k, zh, zh + "环节", zh + "领域")}
_STAGE_WORDS |= {normalise(w): "distribution" for w in ("销售", "经营", "销售领域", "流通销售")}
_STAGE_WORDS |= {normalise(w): "use" for w in ("用户", "终端", "使用终端", "农户")}
_STAGE_WORDS |= {normalise(w): "production" for w in ("生产企业", "生产加工")}
_CLASS_WORDS = {normalise(w): k for k, zh in CLASSES.items() for w in (k, zh, zh.replace("煤", ""), "民用" + zh)}
_CLASS_WORDS |= {normalise(zh[:-2] + "煤" + zh[-2:]): k for k, zh in CLASSES.items() if "煤" not in zh}
_BASIS_WORDS = {normalise(w): "dry" for w in ("dry", "d", "干基", "干燥基")}
_BASIS_WORDS |= {normalise(w): "as_received" for w in ("as_received", "ar", "收到基")}
_BASIS_WORDS |= {normalise(w): "air_dried" for w in ("air_dried", "ad", "空气干燥基", "空干基")}
_BASIS_OF = {"dry": "d", "as_received": "ar", "air_dried": "ad"}

BATCHES = (
    Column("batch", "样品编号", kind="identifier", aliases=("批次", "批号", "编号", "序号")),
    Column("city", "城市", kind="text", required=True, choices=CITY_WORDS, aliases=("地市", "市", "市(区)")),
    Column("county", "县区", kind="text", aliases=("县(市、区)", "区县")),
    Column(
        "stage",
        "抽检环节",
        kind="text",
        required=True,
        choices=_STAGE_WORDS,
        aliases=("环节", "抽样环节", "抽样领域"),
        about="production, distribution or use",
        about_zh="生产、流通或使用",
    ),
    Column(
        "date",
        "抽样日期",
        kind="text",
        required=True,
        aliases=("日期", "抽检日期"),
        about="chooses the standard",
        about_zh="据此选用标准版本",
    ),
    Column(
        "product",
        "煤种类别",
        kind="text",
        choices=_CLASS_WORDS,
        aliases=("煤种", "类别", "产品类别", "等级"),
        about="class of the standard: " + ", ".join(CLASSES),
        about_zh="标准中的类别：" + "、".join(CLASSES.values()),
    ),
    Column(
        "tonnes",
        "批量",
        unit="t a-1",
        minimum=0,
        aliases=("批次重量", "代表量"),
        about="coal of the batch",
        about_zh="该批煤量",
    ),
    _share("sulfur", "全硫", "硫分", "硫", "含硫量", "硫含量", "全硫含量", "St", bases=("ar", "ad", "d")),
    _share("ash", "灰分", "灰", "灰份", "灰分产率", "A", bases=("ar", "ad", "d")),
    _share(
        "volatile",
        "挥发分",
        "挥发份",
        "挥发分产率",
        "V",
        bases=("ar", "ad", "d", "daf"),
        about="on the row's basis unless the header names one",
        about_zh="列名未注明基准时与本行基准一致",
    ),
    _share(
        "volatile_daf",
        "挥发分(Vdaf)",
        "Vdaf",
        "干燥无灰基挥发分",
        bases=("daf",),
        about="dry ash-free, in place of volatile",
        about_zh="干燥无灰基，可代替挥发分",
    ),
    Column(
        "heating_value",
        "低位发热量",
        unit="kJ kg-1",
        minimum=1000,
        maximum=40000,
        aliases=("发热量", "Qnet", "收到基低位发热量", "热值"),
        bases=("ar",),
    ),
    _share(
        "moisture",
        "水分",
        "全水分",
        "全水",
        "M",
        "Mt",
        bases=("ar", "ad"),
        about="on the row's basis",
        about_zh="与本行基准一致",
    ),
    Column(
        "basis",
        "基准",
        kind="text",
        choices=_BASIS_WORDS,
        default="dry",
        aliases=("数据基准",),
        about="dry, air_dried or as_received (these two need moisture)",
        about_zh="干燥基、空气干燥基或收到基（后两者须有水分）",
    ),
    Column("source", "数据来源", kind="text", aliases=("来源", "出处")),
    Column("quality", "数据质量", kind="text", default="reported"),
)
"""Layout of the table of sampled batches."""


# --------------------------------------------------------------------------------------------------------
# batches


@cache
def _read(path: str, stamp: float) -> pd.DataFrame:
    del stamp  # a table that was edited is read again
    return judge(read_table(path, BATCHES))


def read(path: str | Path) -> pd.DataFrame:
    """Read a table of sampled batches and judge each against the standard of its day.

    Parameters
    ----------
    path : path
        xlsx or csv, Chinese or English headers.

    Returns
    -------
    DataFrame
        See `judge`.

    Raises
    ------
    InputError
        All problems of the file.
    """
    path = Path(path)
    return _read(str(path), path.stat().st_mtime if path.is_file() else 0.0).copy()


def judge(table: Table) -> pd.DataFrame:
    """Judge sampled batches against the standard of their day.

    Measured values are compared as they are (full-value comparison of GB/T 8170), on the basis of the limits:
    X_d = X_ar 100 / (100 - M), X_daf = X_d 100 / (100 - A_d) (GB/T 483).

    Parameters
    ----------
    table : Table
        Laid out as `BATCHES`.

    Returns
    -------
    DataFrame
        The rows with date, rule (version), sulfur_d, ash_d, volatile_daf [%], verdict ("pass", "fail", "incomplete"),
        failed (what exceeds) and the limits sulfur_limit, ash_limit, volatile_limit.

    Raises
    ------
    InputError
        A date that is none or that no standard covers, a class the standard does not have, values of a basis that
        lack the moisture, volatile matter that lacks the ash, ash and moisture of 100 % or more.
    """
    frame = table.frame.copy()
    problems: list[Problem] = []
    made: list[dict[str, Any]] = []
    for number, cells in zip(frame.index, frame.to_dict("records"), strict=True):
        i, row = int(number), {str(k): v for k, v in cells.items()}
        rule = _rule_of(table, i, row, problems)
        bases = {q: table.bases.get(q, _BASIS_OF[row["basis"]]) for q in ("sulfur", "ash", "volatile")}
        wet = {q: b for q, b in bases.items() if b in {"ar", "ad"} and not np.isnan(row[q])}
        moist = table.bases.get("moisture", "")
        if wet and not row["moisture"] >= 0:
            said, zh = f"basis {', '.join(sorted(set(wet.values())))} needs the moisture", "非干燥基数据须填写水分"
            problems.append(table.problem(i, "moisture", "", said, zh))
            continue
        if wet and moist and set(wet.values()) != {moist}:
            said = f"the moisture is on basis {moist}, the values on {', '.join(sorted(set(wet.values())))}"
            zh = f"水分为 {moist} 基，数据为 {'、'.join(sorted(set(wet.values())))} 基，无法换算"
            problems.append(table.problem(i, "moisture", row["moisture"], said, zh))
            continue
        dry = {q: 100.0 / (100.0 - row["moisture"]) if q in wet else 1.0 for q in bases}
        sulfur, ash, volatile = row["sulfur"] * dry["sulfur"], row["ash"] * dry["ash"], row["volatile_daf"]
        if bases["volatile"] == "daf" and np.isnan(volatile):
            volatile = row["volatile"]
        if ash >= 100:
            said, zh = "ash and moisture leave no coal", "灰分与水分合计不小于 100"
            problems.append(table.problem(i, "ash", row["ash"], said, zh))
            continue
        if np.isnan(volatile) and not np.isnan(row["volatile"]):
            if np.isnan(ash):
                said, zh = "volatile matter needs the ash, or give Vdaf", "换算干燥无灰基须有灰分，或直接填写 Vdaf"
                problems.append(table.problem(i, "volatile", row["volatile"], said, zh))
                continue
            volatile = row["volatile"] * dry["volatile"] * 100.0 / (100.0 - ash)
        if rule is None:
            continue
        limits = rule["classes"].get(row["product"]) or rule["classes"].get("any")
        if limits is None:
            listed = "、".join(CLASSES[c] for c in rule["classes"])
            said = f"{rule.version} needs a class: {', '.join(rule['classes'])}"
            problems.append(table.problem(i, "product", row["product"], said, f"{rule.version} 须填写类别：{listed}"))
            continue
        values = {"sulfur": sulfur, "ash": ash, "volatile": volatile, "heating_value": row["heating_value"]}
        failed = [q for q, limit in limits.items() if (values[q] < limit if _LIMITED[q] else values[q] > limit)]
        lacking = [q for q in limits if np.isnan(values[q])]
        made.append(
            {
                "row": i,
                "date": row["date"],
                "rule": rule.version,
                "sulfur_d": sulfur,
                "ash_d": ash,
                "volatile_daf": volatile,
                "verdict": "fail" if failed else "incomplete" if lacking else "pass",
                "failed": ", ".join(failed),
                **{f"{q}_limit": float(limits.get(q, np.nan)) for q in ("sulfur", "ash", "volatile")},
            }
        )
    if problems:
        raise InputError(problems)
    judged = pd.DataFrame(made, columns=["row", *_JUDGED]).set_index("row")
    return frame.drop(columns=["date", "volatile_daf"]).join(judged)


def _rule_of(table: Table, i: int, row: dict[str, Any], problems: list[Problem]) -> Rule | None:
    """Return the standard of a batch's day, which also becomes its date; note what is wrong with it."""
    text = str(row["date"]).strip()
    day = _day(text)
    if day is None:
        said, zh = "must be a date such as 2018-12-05", "须为日期，如 2018-12-05"
        problems.append(table.problem(i, "date", text, said, zh))
        return None
    row["date"] = pd.Timestamp(day)
    try:
        return rules.load("clean_coal", date=day)
    except InputError as error:
        problems.append(table.problem(i, "date", text, error.problems[0].allowed, error.problems[0].allowed_zh))
        return None


def _day(text: str) -> dt.date | None:
    plain = re.sub("[年月/.]", "-", text).replace("日", "").replace("T", " ").split(" ")[0]
    if plain.isdecimal() and len(plain) == 8:
        plain = f"{plain[:4]}-{plain[4:6]}-{plain[6:]}"
    parts = plain.split("-")
    if len(parts) != 3 or not all(p.isdecimal() for p in parts):
        return None
    try:
        return dt.date(int(parts[0]), int(parts[1]), int(parts[2]))
    except ValueError:
        return None


# --------------------------------------------------------------------------------------------------------
# what failing coal emits


@dataclass(frozen=True)
class Supply:
    """Clean coal as it was sampled.

    Attributes
    ----------
    city : str
        City whose batches these are; empty if those of all cities stand in, because it has none.
    stage : str
        Stage of the batches.
    batches : int
    failing_share : float
        By tonnes where the table has them, else by batches [1].
    sulfur, ash : float
        Means, dry [%].
    so2_ratio, pm25_ratio : float
        Emission per tonne of the coal as sampled over that of the coal that passes [1].
    """

    city: str
    stage: str
    batches: int
    failing_share: float
    sulfur: float
    ash: float
    so2_ratio: float
    pm25_ratio: float


def supply(table: str | Path | pd.DataFrame, city: str, stage: str = "use") -> Supply:
    """Return a city's clean coal as sampled nearest to the stove.

    Parameters
    ----------
    table : path or DataFrame
        Table of batches, or what `read` made of it.
    city : str
        City id; a city without a batch takes those of all cities.
    stage : str
        Stage asked for; where it has no batch the one before it.

    Returns
    -------
    Supply

    Raises
    ------
    InputError
        See `read`; no batch is judged at all.

    Notes
    -----
    SO2 goes with sulphur (mass balance 2 S F with F unchanged).  PM2.5 goes with ash (rule file ``clean_coal``,
    ``effect``); a batch of too much volatile matter is raw bituminous coal under another name and emits as such.
    Coal that passes is the mean of the passing batches; where none passes, coal just at the limits.
    """
    judged = table if isinstance(table, pd.DataFrame) else read(table)
    known = judged[judged["verdict"] != "incomplete"]
    if known.empty:
        file = "" if isinstance(table, pd.DataFrame) else str(table)
        raise InputError([Problem(file, "", "batches", "", "no batch is measured in full", "没有测全的批次")])
    own = known[known["city"] == city]
    of = city if len(own) else ""
    rows = own if len(own) else known
    order = list(STAGES)[: list(STAGES).index(stage) + 1][::-1]
    found = next((s for s in (*order, *STAGES) if (rows["stage"] == s).any()), stage)
    rows = rows[rows["stage"] == found]
    weight = rows["tonnes"].to_numpy(np.float64)
    if not (np.isfinite(weight).all() and weight.sum() > 0):
        weight = np.ones(len(rows))
    weight = weight / weight.sum()
    fails = (rows["verdict"] == "fail").to_numpy()
    sulfur, ash = rows["sulfur_d"].to_numpy(np.float64), rows["ash_d"].to_numpy(np.float64)

    def over_passing(values: np.ndarray, limits: np.ndarray) -> np.ndarray:
        """Return each batch against the mean of those that pass; 1 where it was not measured."""
        good = ~fails & np.isfinite(values)
        whole = weight[good].sum()
        reference = float((weight[good] * values[good]).sum() / whole) if whole > 0 else limits
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = values / reference
        return np.where(np.isfinite(ratio), ratio, 1.0)

    effect = rules.load("clean_coal")["effect"]
    by_ash = over_passing(ash, rows["ash_limit"].to_numpy(np.float64)) ** float(effect["ash_power"])
    smoky = rows["failed"].str.contains("volatile").to_numpy()
    fine = np.where(smoky, float(effect["raw_emission"]), by_ash)
    gas = over_passing(sulfur, rows["sulfur_limit"].to_numpy(np.float64))
    return Supply(
        city=of,
        stage=found,
        batches=len(rows),
        failing_share=float(weight[fails].sum()),
        sulfur=_mean(sulfur, weight),
        ash=_mean(ash, weight),
        so2_ratio=float((weight * gas).sum()) if fails.any() else 1.0,
        pm25_ratio=float((weight * fine).sum()) if fails.any() else 1.0,
    )


def _mean(values: np.ndarray, weight: np.ndarray) -> float:
    known = np.isfinite(values)
    return float(np.average(values[known], weights=weight[known])) if weight[known].sum() > 0 else float("nan")


def failing_share(path: str | Path, city: str) -> float:
    """Return the failing share of a city's clean coal [1], see `supply`."""
    return supply(path, city).failing_share


# --------------------------------------------------------------------------------------------------------
# a plan's inspection


def rates(judged: pd.DataFrame, cities: list[str]) -> xr.Dataset:
    """Return pass rates with their exact intervals by city and stage, and what they prove.

    Parameters
    ----------
    judged : DataFrame
        From `read`.
    cities : list of str
        Cities to show; batches of other cities are left out.

    Returns
    -------
    Dataset
        On (city, stage), and with ``total_`` in the name on (stage): inspection_batches, _passed, _incomplete,
        _rate, _low, _high [1], _verdict, _more.
    """
    rule = rules.load("clean_coal")
    wanted, confidence = float(rule["wanted.pass_rate"]), float(rule["wanted.confidence"])
    stages = list(STAGES)
    count = {
        v: judged[judged["verdict"] == v].groupby(["city", "stage"]).size().unstack(fill_value=0)
        .reindex(index=cities, columns=stages, fill_value=0).to_numpy(np.int64)
        for v in ("pass", "fail", "incomplete")
    }  # fmt: skip
    out = xr.Dataset(coords={"city": cities, "stage": stages})
    for name, axis, dims in (("inspection", None, ("city", "stage")), ("inspection_total", 0, ("stage",))):
        passed, failed, open_ = (count[v] if axis is None else count[v].sum(axis=axis) for v in count)
        batches = passed + failed
        low, high = interval(passed, batches, confidence)
        said = [verdict(int(k), int(n), wanted, confidence) for k, n in zip(passed.flat, batches.flat, strict=True)]
        out[f"{name}_batches"] = (dims, batches.astype(np.int32))
        out[f"{name}_passed"] = (dims, passed.astype(np.int32))
        out[f"{name}_incomplete"] = (dims, open_.astype(np.int32))
        sampled = batches > 0
        out[f"{name}_rate"] = (dims, np.where(sampled, passed / np.maximum(batches, 1), np.nan))
        out[f"{name}_low"] = (dims, np.where(sampled, low, np.nan))
        out[f"{name}_high"] = (dims, np.where(sampled, high, np.nan))
        codes = np.array([_VERDICT_OF[v] for v, _ in said], dtype=np.int8)
        out[f"{name}_verdict"] = (dims, codes.reshape(batches.shape))
        out[f"{name}_more"] = (dims, np.array([m for _, m in said], dtype=np.int32).reshape(batches.shape))
    out.attrs = {
        "inspection_wanted_rate": wanted,
        "inspection_confidence": confidence,
        "inspection_rules": ", ".join(sorted(set(judged["rule"]))),
        "inspection_status": max(
            (rules.load("clean_coal", version=v).weakest_status("classes") for v in set(judged["rule"])),
            key=rules.STATUSES.index,
        ),
        "inspection_quality": ", ".join(sorted(set(judged["quality"]))),
    }
    return out


def add(balance: xr.Dataset, asked: Coal, resolve: Resolve, base: Inventory) -> xr.Dataset:
    """Add the inspection that a plan names to its coal balance, with what failing batches emit.

    Parameters
    ----------
    balance : Dataset
        From `airsim.coal.balance_of`.
    asked : Coal
        The coal block.
    resolve : callable
        Returns the path of a file that the block names.
    base : Inventory
        Its clean-coal rows are taken as coal that meets the standard.

    Returns
    -------
    Dataset
        The balance with the variables of `rates`, and by city clean_coal_failing, clean_coal_so2_ratio,
        clean_coal_pm25_ratio [1], clean_coal_sulfur, clean_coal_ash [%], clean_coal_excess_so2, clean_coal_excess_pm25
        [t a-1]; as it was without an inspection.

    Raises
    ------
    InputError
        See `read`.
    """
    if asked.inspection is None:
        return balance
    path = resolve(asked.inspection)
    judged = read(path)
    if judged.empty:
        raise InputError([Problem(str(path), "", "batches", "", "the table has no batch", "表中没有批次")])
    cities = [str(c) for c in balance["city"].values]
    out = rates(judged, cities)
    supplies = [supply(judged, c) for c in cities]
    for name, of in (
        ("clean_coal_failing", "failing_share"),
        ("clean_coal_sulfur", "sulfur"),
        ("clean_coal_ash", "ash"),
        ("clean_coal_so2_ratio", "so2_ratio"),
        ("clean_coal_pm25_ratio", "pm25_ratio"),
    ):
        out[name] = ("city", np.array([getattr(s, of) for s in supplies], dtype=np.float64))
    s = base.sources
    clean = s[(s["sector"] == "residential") & s["fuel"].isin(CLEAN_FUELS)]
    emitted = clean.groupby("city")[["SO2", "PM25"]].sum().reindex(cities, fill_value=0.0).astype(np.float64)
    out["clean_coal_excess_so2"] = ("city", emitted["SO2"].to_numpy() * (out["clean_coal_so2_ratio"].values - 1.0))
    out["clean_coal_excess_pm25"] = ("city", emitted["PM25"].to_numpy() * (out["clean_coal_pm25_ratio"].values - 1.0))
    out.attrs["inspection_pooled"] = ", ".join(c for c, one in zip(cities, supplies, strict=True) if not one.city)
    merged = balance.merge(out)
    merged.attrs = {**balance.attrs, **out.attrs}
    return merged
