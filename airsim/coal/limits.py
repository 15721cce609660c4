"""What gas, grid and heat networks can carry in winter, month by month, against what the routes take.

The heat of a year is spread over the months by their heating degree days (HDD18, legal season), so the coldest month
decides.  Gas is compared as the mean of a day, grid and heat networks by their peak load.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim import rules, shipped
from airsim import scenario as scenarios
from airsim.errors import InputError
from airsim.measures import registry
from airsim.measures.substitution import Demand, boiler_coal, demand_of, useful_heat
from airsim.scenario import mean
from airsim.tables import Column, read_table

KINDS = {"gas": "m3 d-1", "grid": "MW", "heat": "MW"}
#: Layout of a table of limits.
LIMITS = (
    Column("city", "城市", kind="text", required=True, aliases=("地市", "市(区)")),
    Column("gas", "冬季可用气量", unit="m3 d-1", minimum=0, about="gas to spare on a winter day"),
    Column("grid", "电网富余容量", unit="MW", minimum=0, about="headroom of the distribution grid"),
    Column("heat", "热网富余能力", unit="MW", minimum=0, about="capacity to spare of the heat networks"),
    Column("source", "数据来源", kind="text", aliases=("来源", "出处")),
)
_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], float)
_MOVES = ["measure", "city", "kind", "route", "fallback", "share", "tonnes"]
_EXCESS = ["city", "kind", "month", "demand", "capacity", "excess", "unit", "volume", "volume_unit", "measures"]


@dataclass(frozen=True)
class Substitution:
    """A measure that draws on the limits.

    Attributes
    ----------
    number : int
        Position in the plan, from 0.
    label : str
        What it is called.
    block : CoalSubstitution
    winter : float
        From `cold`: factor on what heats [1].
    """

    number: int
    label: str
    block: scenarios.CoalSubstitution
    winter: float = 1.0


@dataclass(frozen=True)
class Allotment:
    """What the limits make of the substitutions of a plan.

    Attributes
    ----------
    parts : dict
        Number of a measure -> [(share that happens [1], route or None for its own)]; measures that are not in it happen
        whole.
    excess : DataFrame
        One row a city, kind of limit and month in which the demand asked for exceeds the capacity: demand, capacity,
        excess [`unit`], volume over the month [`volume_unit`], and the measures that ask.
    moves : DataFrame
        What a binding limit did not let happen: measure, city, kind of limit, route, fallback (empty: keeps its coal),
        share [1] and tonnes of coal [t a-1] of the measure.
    """

    parts: dict[int, list[tuple[float, str | None]]] = field(default_factory=dict)
    excess: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_EXCESS))
    moves: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_MOVES))


@cache
def months(city: str) -> tuple[np.ndarray, np.ndarray]:
    """Return share of a year's heating degree days and heating days of each month of a city.

    Returns
    -------
    share : (12,) ndarray
        Sums to 1 [1].
    days : (12,) ndarray
        Days of the legal heating season [d].

    Notes
    -----
    HDD of a month = max(0, T_base - mean temperature) x heating days; mean temperatures of the shipped typical years
    (Xi'an and Baoji; other cities take Xi'an's course, of which only the shape counts).
    """
    rule = rules.load("heating")
    (first, begin), (last, end) = rule["degree_days.season"]
    days = np.zeros(12)
    for m in range(1, 13):
        if m > first or m < last:
            days[m - 1] = _DAYS[m - 1]
        elif m == first:
            days[m - 1] = _DAYS[m - 1] - begin + 1
        elif m == last:
            days[m - 1] = end
    table = pd.read_csv(shipped.path("data/meteorology/surface_month_hour.csv"), encoding="utf-8-sig")
    station = city if city in set(table["city"]) else "xian"
    mean_temperature = table[table["city"] == station].groupby("month")["air_temperature_C"].mean()
    cold = np.array(
        [max(0.0, rule["degree_days.base_temperature"] - mean_temperature.get(m, 99.0)) for m in range(1, 13)]
    )
    degree_days = cold * days
    return degree_days / degree_days.sum(), days


def monthly(kind: str, yearly: float, city: str, *, heating: bool = True) -> np.ndarray:
    """Return the load of every month for a yearly demand, (12,) in the unit of `KINDS`.

    Parameters
    ----------
    kind : {"gas", "grid", "heat"}
    yearly : float
        Gas [m3], electricity [kWh] or heat [kJ] of the year.
    city : str
        Its degree days shape the year.
    heating : bool
        False: process steam, alike in all months.
    """
    share, days = months(city) if heating else (_DAYS / 365.0, _DAYS)
    a_day = np.divide(yearly * share, days, out=np.zeros(12), where=days > 0)
    if kind == "gas":
        return a_day
    peak = float(rules.load("heating")["degree_days.peak_factor"]) if heating else 1.0
    megawatts = a_day / 24e3 if kind == "grid" else a_day / 86400e3
    return megawatts * peak


def table_of(asked: scenarios.Limits | None, resolve: registry.Resolve) -> dict[str, dict[str, float]]:
    """Return city -> limit -> capacity of a block or its table; a missing one is no limit.

    Parameters
    ----------
    asked : Limits or None
        None: no limits.
    resolve : callable
        Returns the path of the table.

    Raises
    ------
    InputError
        Unknown or repeated cities, or whatever is wrong with the table.
    """
    if asked is None:
        return {}
    if asked.file is None:
        return {
            str(city): {k: float(v) for k in KINDS if (v := getattr(own, k)) is not None}
            for city, own in asked.cities.items()
        }
    from airsim.names import CITY_WORDS
    from airsim.tables import normalise

    table = read_table(resolve(asked.file), LIMITS)
    found: dict[str, dict[str, float]] = {}
    problems = []
    for row, line in table.frame.iterrows():
        city = CITY_WORDS.get(normalise(line["city"]))
        if city is None or city in found:
            said, zh = ("unknown city", "无法识别的城市") if city is None else ("stands twice", "重复")
            problems.append(table.problem(int(str(row)), "city", line["city"], said, zh))
            continue
        found[city] = {k: float(line[k]) for k in KINDS if np.isfinite(line[k])}
    if problems:
        raise InputError(problems)
    return found


def tonnes_of(measure: scenarios.CoalSubstitution) -> float:
    """Return the coal that a substitution replaces, in the point value and before any limit [t a-1]."""
    lasting = mean(measure.execution_rate) * (1.0 - mean(measure.reburn))
    if measure.households is not None:
        return measure.households * mean(measure.tonnes_per_household) * lasting
    capacity = float(measure.boiler_capacity or 0.0)
    return boiler_coal(capacity, measure.sector or "small_industry", measure.full_load_hours) * lasting


def takes(measure: scenarios.CoalSubstitution, route: str | None = None) -> tuple[Demand, bool]:
    """Return the demand of a whole substitution by its own or another route, and whether it heats (not: steam)."""
    boilers = measure.boiler_capacity is not None
    sector = measure.sector or ("small_industry" if boilers else "residential")
    heats = not boilers or sector in {"residential", "heat"}
    heat = useful_heat(tonnes_of(measure), boilers=boilers)
    return demand_of(route or measure.route, heat, steam=not heats), heats


def cold(measures: Iterable[Any], city: str) -> float:
    """Return the heat that the target year's winter asks for in a city over that of the base year [1].

    Parameters
    ----------
    measures : iterable of blocks
        Of a plan; those of a colder or milder winter count: heating demand goes with the degree days.
    city : str
        City id.
    """
    factor = 1.0
    for m in measures:
        winter = registry.of(m).winter
        if winter is not None and (m.cities is None or city in m.cities):
            factor *= winter(m)
    return factor


def loads(measure: scenarios.CoalSubstitution, route: str, winter: float = 1.0) -> dict[str, np.ndarray]:
    """Return kind of limit -> load of every month of a whole substitution by a route, in the unit of `KINDS`.

    Parameters
    ----------
    measure : CoalSubstitution
    route : str
    winter : float
        From `cold`: factor on what heats [1].

    Returns
    -------
    dict
        (12,) arrays; zero outside the heating season, since the limits are those of winter.
    """
    demand, heats = takes(measure, route)
    yearly = {"gas": demand.gas, "grid": demand.electricity, "heat": demand.heat}
    season = (months(measure.city)[1] > 0) * (winter if heats else 1.0)
    return {k: monthly(k, v, measure.city, heating=heats) * season for k, v in yearly.items() if v > 0}


def allot(substitutions: Iterable[Substitution], capacities: dict[str, dict[str, float]], *, bind: bool) -> Allotment:
    """Set substitutions against the limits, in the order of the plan.

    Parameters
    ----------
    substitutions : iterable of Substitution
        Those in force.
    capacities : dict
        From `table_of`.
    bind : bool
        What exceeds a limit does not happen or takes its fallback; else it is only reported.
    """
    wanted: dict[tuple[str, str], np.ndarray] = {}
    who: dict[tuple[str, str], list[str]] = {}
    used: dict[tuple[str, str], np.ndarray] = {}
    parts: dict[int, list[tuple[float, str | None]]] = {}
    moves: list[dict[str, Any]] = []
    for one in substitutions:
        m = one.block
        for kind, load in loads(m, m.route, one.winter).items():
            wanted[m.city, kind] = wanted.get((m.city, kind), np.zeros(12)) + load
            who.setdefault((m.city, kind), []).append(one.label)
        if not bind:
            continue
        share, stop = _room(m, m.route, one.winter, capacities, used, 1.0)
        if share >= 1.0:
            continue
        parts[one.number] = [(share, None)]
        rest = 1.0 - share
        over, _ = _room(m, m.fallback, one.winter, capacities, used, rest) if m.fallback else (0.0, "")
        if over > 0:
            parts[one.number].append((over, m.fallback))
        row = {"measure": one.label, "city": m.city, "kind": stop, "route": m.route}
        for fallback, part in ((m.fallback or "", over), ("", rest - over)):
            if part > 1e-12:
                moves.append(row | {"fallback": fallback, "share": part, "tonnes": part * tonnes_of(m)})
    excess = []
    for (city, kind), load in wanted.items():
        capacity = capacities.get(city, {}).get(kind)
        if capacity is None:
            continue
        days = months(city)[1]
        for month in np.flatnonzero(load > capacity * (1 + 1e-9)):
            over_by = float(load[month] - capacity)
            # the volume counts heating days; a load of MW becomes MWh through its hours
            length = float(days[month])
            volume = over_by * length * (1.0 if kind == "gas" else 24.0)
            excess.append(
                {
                    "city": city,
                    "kind": kind,
                    "month": int(month) + 1,
                    "demand": float(load[month]),
                    "capacity": capacity,
                    "excess": over_by,
                    "unit": KINDS[kind],
                    "volume": volume,
                    "volume_unit": "m3" if kind == "gas" else "MWh",
                    "measures": ", ".join(who[city, kind]),
                }
            )
    return Allotment(parts, pd.DataFrame(excess, columns=_EXCESS), pd.DataFrame(moves, columns=_MOVES))


def add(balance: xr.Dataset, found: Allotment, *, bind: bool) -> xr.Dataset:
    """Return the balance with what exceeds the limits, and what they did not let happen.

    Parameters
    ----------
    balance : Dataset
        From `airsim.coal.balance_of`.
    found : Allotment
    bind : bool
        As for `allot`.

    Returns
    -------
    Dataset
        With limit_* (exceedance), one row a city, limit and month, and move_* (move), where there are such; the
        attribute ``limits`` says "bind" or "report".
    """
    out = balance.assign_attrs(limits="bind" if bind else "report")
    for dim, prefix, table in (("exceedance", "limit", found.excess), ("move", "move", found.moves)):
        for column in table.columns if len(table) else ():
            values = table[column].to_numpy()
            out[f"{prefix}_{column}"] = (dim, values if values.dtype.kind in "fi" else values.astype(str).tolist())
    return out


def _room(
    measure: scenarios.CoalSubstitution,
    route: str,
    winter: float,
    limit: dict[str, dict[str, float]],
    used: dict[tuple[str, str], np.ndarray],
    most: float,
) -> tuple[float, str]:
    """Take what fits of a measure from the room that is left; return the share [1] and the limit that stopped it."""
    share, stop = most, ""
    asked = loads(measure, route, winter)
    for kind, load in asked.items():
        capacity = limit.get(measure.city, {}).get(kind)
        if capacity is None:
            continue
        left = capacity - used.get((measure.city, kind), np.zeros(12))
        busy = load > 0
        fits = max(0.0, float(np.min(left[busy] / load[busy])))
        if fits < share:
            share, stop = fits, kind
    for kind, load in asked.items():
        used[measure.city, kind] = used.get((measure.city, kind), np.zeros(12)) + share * load
    return share, stop
