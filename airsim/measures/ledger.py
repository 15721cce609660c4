"""The ledger of measures: what each removed from what was left; scaling rows, coal moved, checks."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np
import pandas as pd

from airsim import rules
from airsim.errors import InputError, Problem
from airsim.inventory import POLLUTANTS, Inventory

#: Columns of the ledger.  `removed` [`unit`]: t over the window, t a-1 of a permanent measure, kg d-1 where the
#: window is open on one side; negative where a measure adds.  `pollutant` is a pollutant of the inventory or, for
#: coal, the fuel.  `kg_per_day` [kg d-1].
LEDGER = (
    "measure",
    "kind",
    "city",
    "sector",
    "source",
    "pollutant",
    "removed",
    "unit",
    "kg_per_day",
    "start",
    "end",
    "note",
)
COAL_FUELS = frozenset(rules.load("fuels")["heating_value"])
#: Number columns of the coal ledger that a row opened by a measure leaves empty.
SUPPLY = ("production", "inflow", "outflow", "stock_draw", "standard_coal")
#: City under which coal is booked that burns outside the cities of the case.
IMPORTED = "imported"

When = dt.datetime | np.datetime64 | pd.Timestamp | None


def move_coal(
    inventory: Inventory,
    year: int | None,
    city: str,
    sector: str,
    fuel: str,
    tonnes: float,
    measure: str,
    at: tuple[str, str],
    *,
    county: str = "",
) -> Inventory:
    """Move one year of the coal ledger by some tonnes (an increase may open a row).

    Only the county's rows move where one is given and the ledger has them.
    """
    ledger = inventory.coal
    if not len(ledger) or tonnes == 0:
        return inventory
    ledger = ledger.copy()
    year = int(ledger["year"].max()) if year is None else year
    here = (ledger["year"] == year) & (ledger["city"] == city) & (ledger["sector"] == sector) & (ledger["fuel"] == fuel)
    if county and "county" in ledger and (here & (ledger["county"] == county)).any():
        here &= ledger["county"] == county
    total = float(ledger.loc[here, "consumption"].sum())
    if total + tonnes < -1e-9 * max(total, 1.0):
        raise InputError(
            [
                problem_at(
                    at,
                    "coal",
                    f"{-tonnes:.0f} t",
                    f"the coal ledger of {year} holds {total:.0f} t of {fuel} for {city}, {sector}",
                    f"{year} 年煤炭台账中 {city} {sector} 的 {fuel} 仅 {total:.0f} t",
                )
            ]
        )
    if total > 0:
        ledger["consumption"] = ledger["consumption"].astype(np.float64)
        ledger.loc[here, "consumption"] *= max(0.0, (total + tonnes) / total)
    else:
        row = {c: np.nan if c == "heating_value" else "" for c in ledger.columns}
        row |= {"year": year, "city": city, "sector": sector, "fuel": fuel, "consumption": tonnes}
        row |= {"basis": measure, "quality": "estimated", "origin": measure}
        row |= {"county": county} if "county" in ledger else {}
        row |= {c: np.nan for c in ledger.columns if c not in row or (c in SUPPLY and row[c] == "")}
        added = pd.DataFrame([{c: row[c] for c in ledger.columns}])
        ledger = pd.concat([ledger, added.astype(ledger.dtypes.to_dict())], ignore_index=True)
    return dataclasses.replace(inventory, coal=ledger)


def scaling_rows(factor: pd.DataFrame, start: Any, end: Any, measure: str) -> pd.DataFrame:
    """Turn factors (source, pollutant) into rows of `Inventory.scaling`; "*" where all pollutants agree."""
    rows: list[tuple[str, str, float]] = []
    for source, values in zip(factor.index, factor.to_numpy(), strict=True):
        if np.all(values == values[0]):
            if values[0] != 1.0:
                rows.append((source, "*", float(values[0])))
        else:
            rows += [(source, p, float(v)) for p, v in zip(factor.columns, values, strict=True) if v != 1.0]
    table = pd.DataFrame(rows, columns=["source", "pollutant", "factor"])
    return table.assign(start=pd.Timestamp(start), end=pd.Timestamp(end), measure=measure).astype(
        {"start": "datetime64[ns]", "end": "datetime64[ns]"}
    )


_kept: ContextVar[bool] = ContextVar("ledger_kept", default=True)


@contextlib.contextmanager
def no_ledger() -> Iterator[None]:
    """Leave the ledger empty: most of the time of a cut goes into it, and a thousand scenarios need emissions only.

    Not for measures that move coal: what they move is taken from their rows.
    """
    token = _kept.set(False)
    try:
        yield
    finally:
        _kept.reset(token)


def apply_scaling(
    inventory: Inventory,
    scaled: Sequence[pd.DataFrame],
    measure: str,
    kind: str,
    *,
    note: str,
    accounted: Sequence[pd.DataFrame] | None = None,
) -> tuple[Inventory, pd.DataFrame]:
    """Add scaling rows and account for what they take from what is left.

    `accounted` are rows that say the same in fewer windows, for the ledger; the rows themselves by default.
    """
    booked = (scaled if accounted is None else accounted) if _kept.get() else ()
    ledger = [_account(inventory, rows, measure, kind, note) for rows in booked if len(rows)]
    parts = [p for p in (inventory.scaling, *scaled) if len(p)]
    scaling = pd.concat(parts, ignore_index=True) if parts else inventory.scaling
    result = dataclasses.replace(inventory, scaling=scaling)
    return result, pd.concat(ledger, ignore_index=True) if ledger else _nothing().copy()


@functools.cache
def _nothing() -> pd.DataFrame:
    return ledger_rows([])


def _account(inventory: Inventory, rows: pd.DataFrame, measure: str, kind: str, note: str) -> pd.DataFrame:
    """Make the ledger rows of scaling rows that share one window."""
    start, end = rows["start"].iloc[0], rows["end"].iloc[0]
    ids = list(dict.fromkeys(rows["source"]))
    known, values = _factors(rows, ["source"])
    factor = pd.DataFrame(values, index=known["source"], columns=[*POLLUTANTS, "coal"]).loc[ids]
    sources = inventory.sources.loc[ids]
    annual = sources[[*POLLUTANTS, "coal"]].fillna(0.0).astype(np.float64)
    left = left_of(inventory, ids, start, end)
    days = np.where((sources["kind"] == "point") & (sources["operating_days"] > 0), sources["operating_days"], 365.0)
    gone_per_day = annual.mul(1000.0 / days, axis=0) * left * (1.0 - factor)
    if pd.isna(start) and pd.isna(end):
        removed, unit = annual * left * (1.0 - factor), "t a-1"
    elif pd.isna(start) or pd.isna(end):
        removed, unit = gone_per_day, "kg d-1"
    else:
        removed, unit = gone_per_day * ((end - start) / pd.Timedelta("1D")) / 1000.0, "t"
    point = sources["kind"] == "point"
    keys = pd.DataFrame(
        {
            "city": sources["city"],
            "sector": sources["sector"],
            "source": sources["name"].where(point, ""),
            "fuel": coal_name(sources),
        }
    )
    columns = [*POLLUTANTS, "coal"]
    n = len(keys)
    table = pd.concat([keys[["city", "sector", "source"]]] * len(columns), ignore_index=True)
    table["pollutant"] = [p for p in POLLUTANTS for _ in range(n)] + keys["fuel"].tolist()
    table["removed"] = removed[columns].to_numpy().T.ravel()
    table["kg_per_day"] = gone_per_day[columns].to_numpy().T.ravel()
    table = table[table["removed"] != 0]
    ledger = table.groupby(["city", "sector", "source", "pollutant"], sort=False).sum().reset_index()
    return ledger.assign(measure=measure, kind=kind, unit=unit, start=start, end=end, note=note)[list(LEDGER)]


def coal_name(sources: pd.DataFrame) -> pd.Series:
    """Return the ledger fuel of each source's coal; enterprises that name none burn raw, cokeries washed coal."""
    usual = sources["sector"].map({"coking": "washed_coal"}).fillna("raw_coal")
    return sources["fuel"].where(sources["fuel"].isin(COAL_FUELS), usual)


def _factors(rows: pd.DataFrame, by: list[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Return what scaling rows leave of each pollutant and of the coal, group by group.

    Coal goes with production, so by the smallest change of any pollutant: a filter saves no coal.

    Parameters
    ----------
    rows : DataFrame
        Rows of `Inventory.scaling`.
    by : list of str
        What makes a group, such as source and measure.

    Returns
    -------
    groups : DataFrame
        The groups' keys in the order of their first rows.
    factor : (group, pollutant and coal) ndarray
        Factors of several rows of a group multiply [1].
    """
    groups = rows[by].drop_duplicates()
    index = pd.MultiIndex.from_frame(groups)
    group = index.get_indexer(pd.MultiIndex.from_frame(rows[by]))
    factor = np.ones((len(groups), len(POLLUTANTS) + 1))
    value = rows["factor"].to_numpy(np.float64)
    every = (rows["pollutant"] == "*").to_numpy()
    np.multiply.at(factor, group[every], value[every, None])
    column = np.array([POLLUTANTS.index(p) for p in rows["pollutant"].to_numpy()[~every]], dtype=np.intp)
    np.multiply.at(factor, (group[~every], column), value[~every])
    listed = factor[:, :-1]
    factor[:, -1] = listed[np.arange(len(listed)), np.abs(listed - 1.0).argmin(axis=1)]
    return groups, factor


def left_of(inventory: Inventory, ids: Sequence[str], start: Any, end: Any) -> pd.DataFrame:
    """Return the share of each emission that earlier measures leave, as the mean over a window [1].

    Without a window only permanent measures count: what passes leaves the year as it was.
    """
    columns = [*POLLUTANTS, "coal"]
    left = pd.DataFrame(1.0, index=list(ids), columns=columns)
    old = inventory.scaling[inventory.scaling["source"].isin(ids)]
    if pd.isna(start) or pd.isna(end):
        return left * _product(old[old["start"].isna() & old["end"].isna()], left.index)
    begin, finish = old["start"].fillna(pd.Timestamp.min), old["end"].fillna(pd.Timestamp.max)
    inside = [t for t in (*begin.unique(), *finish.unique()) if start < t < end]
    mean = np.zeros(left.shape)
    for a, b in itertools.pairwise(sorted({start, end, *inside})):
        mean += (b - a) / (end - start) * _product(old[(begin <= a) & (finish >= b)], left.index)
    return left * mean


def _product(rows: pd.DataFrame, ids: pd.Index) -> np.ndarray:
    """Return what scaling rows leave of sources, (source, pollutant and coal) [1]; measures multiply."""
    left = np.ones((len(ids), len(POLLUTANTS) + 1))
    groups, factor = _factors(rows, ["source", "measure"])
    np.multiply.at(left, ids.get_indexer(pd.Index(groups["source"])), factor)
    return left


def ledger_row(
    measure: str, kind: str, city: str, sector: str, source: str, pollutant: str, removed: float, note: str
) -> dict[str, Any]:
    """Make a ledger row of a permanent measure; `removed` [t a-1]."""
    return {
        "measure": measure,
        "kind": kind,
        "city": city,
        "sector": sector,
        "source": source,
        "pollutant": pollutant,
        "removed": removed,
        "unit": "t a-1",
        "kg_per_day": removed * 1000.0 / 365.0,
        "start": pd.NaT,
        "end": pd.NaT,
        "note": note,
    }


def coal_ledger_row(
    measure: str, city: str, sector: str, fuel: str, removed: float, note: str, kind: str = "coal_substitution"
) -> dict[str, Any]:
    """Make the ledger row of coal saved, in t a-1; negative where more burns."""
    return ledger_row(measure, kind, city, sector, "", fuel, removed, note)


def ledger_rows(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows as a ledger with the columns and types of `LEDGER`."""
    table = pd.DataFrame(list(rows), columns=list(LEDGER))
    return table.astype({"start": "datetime64[ns]", "end": "datetime64[ns]"})


def problem_at(at: tuple[str, str] | str, key: str, value: object, said: str, said_zh: str) -> Problem:
    """Make a `Problem` at a file and line of the scenario, or at a file alone."""
    file, where = (at, "") if isinstance(at, str) else at
    return Problem(file or "measures", where, key, str(value), said, said_zh)


def check_percent(percent: float, at: tuple[str, str]) -> None:
    """Refuse a percentage that is not above 0 and at most 100."""
    if not 0 < percent <= 100:
        raise InputError(
            [problem_at(at, "percent", percent, "must be above 0 and at most 100", "须大于 0 且不超过 100")]
        )


def check_share(key: str, value: float, at: tuple[str, str] = ("", "")) -> None:
    """Refuse a share that is not between 0 and 1."""
    if not 0 <= value <= 1:
        raise InputError([problem_at(at, key, value, "must be from 0 to 1", "须在 0 与 1 之间")])


def check_window(start: When, end: When, at: tuple[str, str]) -> tuple[Any, Any]:
    """Return a window as timestamps [UTC], NaT where it is open; refuse an end that is not after the start."""
    if start is None and end is None:
        return pd.NaT, pd.NaT
    begin: Any = pd.NaT if start is None else _time(start)
    finish: Any = pd.NaT if end is None else _time(end)
    if start is not None and end is not None and finish <= begin:
        raise InputError([problem_at(at, "end", finish, f"must be after the start {begin}", f"须晚于开始时间 {begin}")])
    return begin, finish


def _time(value: Any) -> pd.Timestamp:
    stamp = pd.Timestamp(value)
    return stamp.tz_convert("UTC").tz_localize(None) if stamp.tzinfo is not None else stamp


def as_times(values: pd.Series) -> pd.Series:
    """Return times of any kind as naive UTC datetime64."""
    return pd.Series([_time(v) for v in values], index=values.index).astype("datetime64[ns]")


def as_names(wanted: str | Iterable[str] | None) -> list[str] | None:
    """Return the names asked for as a list, None for all."""
    if wanted is None or wanted == "*":
        return None
    return [wanted] if isinstance(wanted, str) else list(wanted)


def check_known(names: Iterable[str], known: set[str], key: str, at: tuple[str, str]) -> None:
    """Refuse names that are not known, all at once."""
    unknown = [n for n in names if n not in known]
    if unknown:
        listed = ", ".join(sorted(known))
        raise InputError(
            [problem_at(at, key, n, f"must be one of {listed}", f"须为以下之一：{listed}") for n in unknown]
        )


def new_id(inventory: Inventory, kind: str) -> str:
    """Return an id for a measure that no other has."""
    used = set(inventory.scaling["measure"]) | set(inventory.sources["origin"])
    number = 1
    while f"{kind}-{number}" in used:
        number += 1
    return f"{kind}-{number}"
