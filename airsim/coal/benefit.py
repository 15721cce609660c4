"""What each coal measure avoids besides coal, from the same ledger rows, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from airsim import rules
from airsim.coal.ledger import heating_value
from airsim.coal.plan import Stages
from airsim.inventory import POLLUTANTS
from airsim.measures import COAL_FUELS, registry
from airsim.measures.substitution import Demand, demand_of, useful_heat
from airsim.rules import Rule

#: What the co-benefit table counts.
SUBSTANCES = ("coal", "SO2", "NOx", "PM25", "CO2")


def co2_of_coal(fuel: str, year: int, rule: Rule | None = None) -> float:
    """Return the carbon dioxide of a tonne of coal [t t-1].

    Parameters
    ----------
    fuel : str
        Fuel of the ledger.
    year : int
        Chooses the version of GB/T 2589 for the heating value.
    rule : Rule, optional
        Of ``co2``.

    Notes
    -----
    HV [GJ t-1] x carbon content [tC TJ-1] x share oxidised x 44/12 (IPCC 2006, vol. 2, eq. 2.2 and 1.4.1; parameters of
    the provincial guideline).
    """
    r = rule or rules.load("co2")
    carbon = r["carbon"]["coke" if fuel in r["coke_fuels"] else "bituminous"]
    return heating_value(fuel, year) / 1e3 * carbon / 1e3 * r["oxidised.coal"] * 44.0 / 12.0


def co2_of_gas(rule: Rule | None = None) -> float:
    """Return the carbon dioxide of a cubic metre of natural gas [t m-3]."""
    r = rule or rules.load("co2")
    return r["gas_heating_value"] / 1e6 * r["carbon.gas"] * r["oxidised.gas"] * 44.0 / 12.0


def avoided(stages: Stages, takes: Sequence[Taken]) -> pd.DataFrame:
    """Return what the permanent measures avoid, by measure and city, as a long table.

    Parameters
    ----------
    stages : Stages
    takes : sequence of Taken
        From `demands`.

    Returns
    -------
    DataFrame
        Columns measure, city (``imported``: outside the cities), substance (`SUBSTANCES`), tonnes [t a-1]; negative
        where a measure adds.  Coal counts all fuels; carbon dioxide is that of coal and gas (biomass none).
    """
    columns = ["measure", "city", "substance", "tonnes"]
    if not stages.rows:
        return pd.DataFrame(columns=columns)
    rows = stages.all_rows()
    rows = rows[rows["unit"] == "t a-1"]
    year = stages.plan.coal.base_year if stages.plan.coal else 2018
    key = ["measure", "city"]
    coal = rows[rows["pollutant"].isin(COAL_FUELS)]
    parts = [coal.assign(substance="coal", tonnes=coal["removed"])]
    per_tonne = {f: co2_of_coal(f, year) for f in COAL_FUELS}
    parts.append(coal.assign(substance="CO2", tonnes=coal["removed"] * coal["pollutant"].map(per_tonne)))
    emitted = rows[rows["pollutant"].isin([s for s in SUBSTANCES if s in POLLUTANTS])]
    parts.append(emitted.assign(substance=emitted["pollutant"], tonnes=emitted["removed"]))
    gas = [
        {"measure": one.label, "city": one.city, "substance": "CO2", "tonnes": -one.demand.gas * co2_of_gas()}
        for one in takes
        if one.demand.gas > 0
    ]
    parts.append(pd.DataFrame(gas, columns=columns))
    table = pd.concat([p[columns] for p in parts if len(p)], ignore_index=True)
    return table.groupby([*key, "substance"], sort=False)["tonnes"].sum().reset_index()


@dataclass(frozen=True)
class Taken:
    """What a substitution that took place takes.

    Attributes
    ----------
    label, city : str
    demand : Demand
    """

    label: str
    city: str
    demand: Demand


def demands(stages: Stages) -> list[Taken]:
    """Return the demand of every substitution that took place, from the coal that its rows removed."""
    found: list[Taken] = []
    rows = stages.all_rows()
    for label, route in stages.routes.items():
        m = stages.measure(label)
        if not route or registry.of(m).cost is None:
            continue
        boilers = m.boiler_capacity is not None
        sector = m.sector or ("small_industry" if boilers else "residential")
        own = rows[(rows["measure"] == label) & (rows["city"] == m.city) & (rows["sector"] == sector)]
        replaced = float(own.loc[own["pollutant"].isin(COAL_FUELS) & (own["removed"] > 0), "removed"].sum())
        steam = boilers and sector not in {"residential", "heat"}
        found.append(Taken(label, m.city, demand_of(route, useful_heat(replaced, boilers=boilers), steam=steam)))
    return found


def add(balance: xr.Dataset, stages: Stages) -> xr.Dataset:
    """Return the balance with the co-benefits and costs of its measures.

    Parameters
    ----------
    balance : Dataset
        From `airsim.coal.balance_of`.
    stages : Stages

    Returns
    -------
    Dataset
        With avoided (coal_measure, city, substance), avoided_outside (coal_measure, substance) [t a-1], cost_state and
        cost_user (coal_measure) [CNY a-1], NaN for what is no substitution.
    """
    takes = demands(stages)
    table = avoided(stages, takes)
    if table.empty:
        return balance
    names, cities = list(dict.fromkeys(table["measure"])), [str(c) for c in balance["city"].values]
    wide = table.set_index(["measure", "city", "substance"])["tonnes"]
    inside = np.array([[[wide.get((m, c, s), 0.0) for s in SUBSTANCES] for c in cities] for m in names], float)
    whole = table.groupby(["measure", "substance"])["tonnes"].sum()
    everywhere = np.array([[whole.get((m, s), 0.0) for s in SUBSTANCES] for m in names], float)
    cost = np.full((len(names), 2), np.nan)
    rows = stages.all_rows()
    for one in takes:
        m = stages.measure(one.label)
        price = registry.of(m).cost
        if one.label not in names or price is None:
            continue
        own = rows[(rows["measure"] == one.label) & (rows["city"] == one.city) & rows["pollutant"].isin(COAL_FUELS)]
        gone = float(own.loc[own["removed"] > 0, "removed"].sum())
        cost[names.index(one.label)] = price(m, stages.routes[one.label], one.demand, gone)
    out = balance.assign_coords(coal_measure=names, substance=list(SUBSTANCES))
    out["avoided"] = (("coal_measure", "city", "substance"), inside, {"units": "t"})
    out["avoided_outside"] = (("coal_measure", "substance"), everywhere - inside.sum(1), {"units": "t"})
    out["cost_state"] = ("coal_measure", cost[:, 0], {"units": "CNY a-1"})
    out["cost_user"] = ("coal_measure", cost[:, 1], {"units": "CNY a-1"})
    out.attrs["cost_status"] = rules.load("heating").weakest_status("cost")
    return out
