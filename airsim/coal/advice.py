"""Which route where: the routes of household heating ranked by city or county (宜电则电、宜气则气、宜热则热、宜煤则煤).

Every route replaces the coal of the same number of homes on what the plan's measures leave.  What it saves, emits
and costs comes from the same functions as the measures; what the networks can still carry from the limits; PM2.5 from a
stored transport operator where one fits, else the tonnes alone speak.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from airsim import rules
from airsim import scenario as scenarios
from airsim.cache.store import Store
from airsim.coal import limits
from airsim.coal.benefit import co2_of_coal, co2_of_gas
from airsim.coal.costs import yearly_cost
from airsim.coal.plan import Plan, Stages
from airsim.errors import InputError
from airsim.inventory import POLLUTANTS
from airsim.measures import COAL_FUELS, ROUTES, registry
from airsim.measures.ledger import ledger_rows
from airsim.measures.substitution import coal_left, demand_of, replace_coal, useful_heat
from airsim.scenario import mean

if TYPE_CHECKING:
    from airsim.inventory import Inventory
    from airsim.region.air import Air

#: Homes that are compared [1]; fewer where fewer still burn coal.
HOMES = 10_000.0
#: What is tabled for each route.
COLUMNS = (
    "city",
    "county",
    "route",
    "rank",
    "homes_left",
    "homes_possible",
    "limited_by",
    "homes",
    "coal",
    "induced_coal",
    "SO2",
    "NOx",
    "PM25",
    "CO2",
    "cost_state",
    "cost_user",
    "cost_per_tonne",
    "pm25_city",
    "pm25_mean",
    "cost_per_benefit",
    "rank_cost",
    "rank_benefit",
)


def advise(stages: Stages, sensitivity: pd.DataFrame | None = None) -> pd.DataFrame:
    """Rank the routes for the homes that still burn coal.

    Parameters
    ----------
    stages : Stages
        What a plan with a ``coal`` block makes of the base inventory.
    sensitivity : DataFrame, optional
        From `sensitivity_of`; without it the tonnes alone speak.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, one row a city (county where the ledger has it) and route, best first: homes_left and
        homes_possible (within the limits left over) [1]; for `homes` homes: coal saved and coal induced elsewhere,
        SO2, NOx, PM25, CO2 avoided [t a-1], cost_state, cost_user [CNY a-1], cost_per_tonne of coal net [CNY t-1],
        pm25_city, pm25_mean: PM2.5 avoided in the city and in the mean of the cap's cities, mean of the operator's
        period [ug m-3] (NaN without an operator), cost_per_benefit [CNY per ug m-3 of pm25_mean, else per t of PM25].
        Attribute ``benefit`` is "operator" or "tonnes".

    Notes
    -----
    Rank: routes that the networks can carry for at least one home first, then by the yearly cost for a unit of PM2.5
    benefit.  `rank_cost` and `rank_benefit` order by cost alone and by benefit alone.
    """
    plan, now, felt = stages.plan, stages.last, sensitivity
    cities, limit = plan.cities, plan.capacities
    used = _used(plan)
    rows: list[dict[str, Any]] = []
    for city, county in _places(now, cities, plan.asked.base_year):
        for route in ROUTES:
            row = _one(now, plan, city, county, route, limit, used, felt)
            if row is not None:
                rows.append(row)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    by = "pm25_mean" if felt is not None else "PM25"
    for place, part in table.groupby(["city", "county"], sort=False):
        del place
        cost = part["cost_state"] + part["cost_user"]
        feasible = part["homes_possible"] >= 1.0
        gain = part[by].where(part[by] > 0)
        table.loc[part.index, "cost_per_benefit"] = cost / gain
        # a route that saves money and cleans the air is better, the more it cleans
        order = pd.DataFrame(
            {"no": ~feasible, "dirty": gain.isna(), "price": np.where(cost > 0, cost / gain, cost * gain)}
        )
        table.loc[part.index, "rank"] = _ranks(order)
        table.loc[part.index, "rank_cost"] = cost.rank(method="min").to_numpy()
        table.loc[part.index, "rank_benefit"] = part[by].rank(method="min", ascending=False).to_numpy()
    order_of = {c: i for i, c in enumerate(cities)}
    table = table.sort_values(["city", "county", "rank"], key=lambda s: s.map(order_of) if s.name == "city" else s)
    table = table.reset_index(drop=True)
    table.attrs = {
        "benefit": "operator" if felt is not None else "tonnes",
        "status": rules.load("heating").weakest_status(),
        "limits": bool(limit),
    }
    return table


def _ranks(order: pd.DataFrame) -> np.ndarray:
    place = np.empty(len(order))
    place[np.lexsort([order[c].to_numpy() for c in ("price", "dirty", "no")])] = np.arange(1, len(order) + 1)
    return place


def _places(inventory: Inventory, cities: list[str], year: int) -> list[tuple[str, str]]:
    """Return (city, county) whose homes burn raw coal; counties where the ledger has them."""
    ledger = inventory.coal
    home = ledger[(ledger["year"] == year) & (ledger["sector"] == "residential") & (ledger["fuel"] == "raw_coal")]
    found = []
    for city in cities:
        here = home[(home["city"] == city) & (home["consumption"] > 0)]
        counties = sorted(set(here["county"]) - {""}) if "county" in here else []
        found += [(city, k) for k in counties] or ([(city, "")] if len(here) else [])
    return found


def _used(plan: Plan) -> dict[tuple[str, str], np.ndarray]:
    """Return what the plan's substitutions already take of each limit, month by month."""
    used: dict[tuple[str, str], np.ndarray] = {}
    parts = plan.allotment.parts
    for one in plan.substitutions:
        m = one.block
        for share, route in parts.get(one.number, [(1.0, None)]):
            for kind, load in limits.loads(m, route or m.route, one.winter).items():
                used[m.city, kind] = used.get((m.city, kind), np.zeros(12)) + share * load
    return used


def _tonnes_a_home(plan: Plan, city: str) -> float:
    """Return the coal of a home: that of the plan's first substitution in the city, else its default [t a-1]."""
    own = [m for m in plan.measures if registry.of(m).limits and m.households is not None]
    value = next((m.tonnes_per_household for m in own if m.city == city), None)
    return mean(scenarios.CoalSubstitution.model_fields["tonnes_per_household"].default if value is None else value)


def _one(
    now: Inventory,
    plan: Plan,
    city: str,
    county: str,
    route: str,
    limit: dict[str, dict[str, float]],
    used: dict[tuple[str, str], np.ndarray],
    felt: pd.DataFrame | None,
) -> dict[str, Any] | None:
    """Return what one route does in one place."""
    year = plan.asked.base_year
    each = _tonnes_a_home(plan, city)
    burnt = float(coal_left(now, city, "residential", "raw_coal", county=county).sum())
    ledger = now.coal
    here = (ledger["year"] == year) & (ledger["city"] == city) & (ledger["sector"] == "residential")
    here &= (ledger["fuel"] == "raw_coal") & ((ledger["county"] == county) if county else True)
    left = min(burnt, float(ledger.loc[here, "consumption"].sum())) / each
    homes = min(HOMES, left)
    if homes < 1.0:
        return None
    tonnes = homes * each
    takes = demand_of(route, useful_heat(tonnes))
    yearly = {"gas": takes.gas, "grid": takes.electricity, "heat": takes.heat}
    possible, stop = left, ""
    for kind, amount in yearly.items():
        capacity = limit.get(city, {}).get(kind)
        if amount > 0 and capacity is not None:
            load = limits.monthly(kind, amount * plan.winter(city), city) / homes
            room = capacity - used.get((city, kind), np.zeros(12))
            fits = max(0.0, float(np.min(room[load > 0] / load[load > 0])))
            if fits < possible:
                possible, stop = fits, kind
    try:
        _, made = replace_coal(
            now,
            city,
            "residential",
            "raw_coal",
            tonnes,
            route,
            boilers=False,
            county=county,
            year=year,
            measure="advice",
            note=route,
        )
    except InputError:
        # no heating plant in the inventory that could burn the coal of the heat network
        possible, stop = 0.0, "heat"
        made = ledger_rows([])
    coal = made[made["pollutant"].isin(COAL_FUELS)]
    gone = {p: float(made.loc[made["pollutant"] == p, "removed"].sum()) for p in POLLUTANTS}
    per_tonne = coal["pollutant"].map({f: co2_of_coal(f, year) for f in COAL_FUELS}).astype(np.float64)
    co2 = float((coal["removed"].astype(np.float64) * per_tonne).sum())
    state, user = yearly_cost(route, takes, tonnes, homes)
    net = float(coal["removed"].sum())
    row: dict[str, Any] = {
        "city": city,
        "county": county,
        "route": route,
        "homes_left": left,
        "homes_possible": min(possible, left),
        "limited_by": stop,
        "homes": homes,
        "coal": tonnes,
        "induced_coal": tonnes - net,
        "SO2": gone["SO2"],
        "NOx": gone["NOx"],
        "PM25": gone["PM25"],
        "CO2": co2 - takes.gas * co2_of_gas(),
        "cost_state": state,
        "cost_user": user,
        "cost_per_tonne": (state + user) / net if net > 0 else np.nan,
        "pm25_city": np.nan,
        "pm25_mean": np.nan,
        "rank": np.nan,
        "cost_per_benefit": np.nan,
        "rank_cost": np.nan,
        "rank_benefit": np.nan,
    }
    if felt is not None and city in felt.index.get_level_values("city"):
        at_home = made[(made["city"] == city) & (made["sector"] == "residential")]
        own = at_home.groupby("pollutant")["removed"].sum()
        of_city = felt.xs(city, level="city")
        told = of_city.mul(own.reindex(of_city.index, fill_value=0.0), axis=0)
        row["pm25_city"], row["pm25_mean"] = float(told[city].sum()), float(told.to_numpy().sum(axis=0).mean())
    return row


def sensitivity_of(
    air: Callable[[], Air], base: Inventory, cities: list[str], cache: Path | None
) -> pd.DataFrame | None:
    """Return what a tonne from the coal stoves of each city does to PM2.5, from a stored operator that fits.

    Parameters
    ----------
    air : callable
        Makes the `Air`; called only where there are stored operators.
    base : Inventory
    cities : list of str
        Receptors and sources.
    cache : Path or None
        Folder of stored operators; none is made.

    Returns
    -------
    DataFrame or None
        Index (city, pollutant), columns the receptor cities: mean PM2.5 of the operator's period for a tonne a year
        [ug m-3 t-1]; None where no stored operator fits weather, places, base emissions and coefficients.
    """
    if cache is None or not Store(cache).holds("operator"):
        return None
    from airsim import inventory
    from airsim.assess.by_operator import about
    from airsim.inventory.placement import Placement
    from airsim.region.operator import PM25_PAIRS, stored
    from airsim.region.receptors import cities as city_receptors

    given = air()
    place, transport, inflow, hours = given.place, given.transport, given.inflow, given.hours
    gridded = inventory.grid(base, place, given.weather)
    receptors, placement = city_receptors(place), Placement(gridded)
    state = about(transport, gridded, receptors, hours, inflow)
    for block in (24, len(hours)):
        found = stored(cache, transport, receptors, hours, placement, inflow, block=block, linearisation=state)
        if found is not None:
            break
    else:
        return None
    by_source = found.pm25(gridded.rates, found.position(placement.sites, placement.site)).mean(2)
    emitted = [e for _, e in PM25_PAIRS]
    of = {
        "SO2": ("so2", "sulphate"),
        "NOx": ("nox",),
        "PM25": ("bc", "oc", "pm25_other"),
        "VOC": ("voc",),
        "NH3": ("ammonia",),
    }
    s = base.sources.reset_index(drop=True)
    shown = [c for c in cities if c in found.receptors]
    rows = {}
    for city in cities:
        stoves = np.flatnonzero((s["city"] == city) & (s["sector"] == "residential") & (s["coal"] > 0))
        for pollutant, tracers in of.items():
            pairs = [i for i, e in enumerate(emitted) if e in tracers]
            tonnes = float(s.loc[stoves, pollutant].fillna(0.0).sum())
            if tonnes > 0:
                felt = by_source[stoves][:, pairs].sum((0, 1))
                rows[city, pollutant] = [float(felt[found.receptors.index(c)]) / tonnes for c in shown]
    return pd.DataFrame.from_dict(rows, orient="index", columns=shown).set_axis(
        pd.MultiIndex.from_tuples(rows, names=["city", "pollutant"])
    )
