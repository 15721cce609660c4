"""What each coal measure avoids besides coal, from the same ledger rows, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from airsim import rules
from airsim import scenario as scenarios
from airsim.coal.ledger import heating_value
from airsim.inventory import POLLUTANTS
from airsim.measures import COAL_FUELS
from airsim.measures.substitution import Demand, demand_of, useful_heat
from airsim.rules import Rule
from airsim.scenario import mean

if TYPE_CHECKING:
    from airsim.case import Stages
    from airsim.scenario import Scenario

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


def avoided(scenario: Scenario, stages: Stages) -> pd.DataFrame:
    """Return what the permanent measures avoid, by measure and city, as a long table.

    Returns
    -------
    DataFrame
        Columns measure, city (``imported``: outside the cities), substance (`SUBSTANCES`), tonnes [t a-1]; negative
        where a measure adds.  Coal counts all fuels; carbon dioxide is that of coal and gas (biomass none).
    """
    columns = ["measure", "city", "substance", "tonnes"]
    if not stages.rows:
        return pd.DataFrame(columns=columns)
    rows = pd.concat(stages.rows, ignore_index=True)
    rows = rows[rows["unit"] == "t a-1"]
    year = scenario.coal.base_year if scenario.coal else 2018
    key = ["measure", "city"]
    coal = rows[rows["pollutant"].isin(COAL_FUELS)]
    parts = [coal.assign(substance="coal", tonnes=coal["removed"])]
    per_tonne = {f: co2_of_coal(f, year) for f in COAL_FUELS}
    parts.append(coal.assign(substance="CO2", tonnes=coal["removed"] * coal["pollutant"].map(per_tonne)))
    emitted = rows[rows["pollutant"].isin([s for s in SUBSTANCES if s in POLLUTANTS])]
    parts.append(emitted.assign(substance=emitted["pollutant"], tonnes=emitted["removed"]))
    gas = [
        {"measure": label, "city": city, "substance": "CO2", "tonnes": -takes.gas * co2_of_gas()}
        for label, city, takes in demands(scenario, stages)
        if takes.gas > 0
    ]
    parts.append(pd.DataFrame(gas, columns=columns))
    table = pd.concat([p[columns] for p in parts if len(p)], ignore_index=True)
    return table.groupby([*key, "substance"], sort=False)["tonnes"].sum().reset_index()


def demands(scenario: Scenario, stages: Stages) -> list[tuple[str, str, Demand]]:
    """Return (label, city, demand) of every substitution that took place, from the coal that its rows removed."""
    found: list[tuple[str, str, Demand]] = []
    rows = pd.concat(stages.rows, ignore_index=True) if stages.rows else pd.DataFrame()
    for label, route in stages.routes.items():
        m = scenario.measures[stages.numbers[label]]
        if not isinstance(m, scenarios.CoalSubstitution) or not route:
            continue
        boilers = m.boiler_capacity is not None
        sector = m.sector or ("small_industry" if boilers else "residential")
        own = rows[(rows["measure"] == label) & (rows["city"] == m.city) & (rows["sector"] == sector)]
        replaced = float(own.loc[own["pollutant"].isin(COAL_FUELS) & (own["removed"] > 0), "removed"].sum())
        steam = boilers and sector not in {"residential", "heat"}
        found.append((label, m.city, demand_of(route, useful_heat(replaced, boilers=boilers), steam=steam)))
    return found


def annuity(rate: float, years: float) -> float:
    """Return the yearly payment for a unit of capital [a-1]: r / (1 - (1 + r)^-n), or 1/n at no interest."""
    return 1.0 / years if rate == 0 else rate / (1.0 - (1.0 + rate) ** -years)


def yearly_cost(route: str, takes: Demand, coal: float, units: float, *, boilers: bool = False) -> tuple[float, float]:
    """Return what a route costs in a year: (the state, the household or firm) [CNY a-1].

    Parameters
    ----------
    route : str
    takes : Demand
        What it takes.
    coal : float
        Coal no longer bought [t a-1].
    units : float
        Homes, or t h-1 of steam, equipped.
    boilers : bool
        `units` are t h-1.

    Notes
    -----
    Capital as an annuity, shared by the state share of the rule file; running cost less the coal saved is the user's.
    """
    r = rules.load("heating")["cost"]
    capital = units * r["boiler_capital" if boilers else "capital"][route] * annuity(r["interest"], r["life"])
    price = r["price"]
    bought = price["biomass"] if route == "biomass" else price["clean_coal"]
    running = takes.electricity * price["electricity"] + takes.gas * price["gas"] + takes.heat / 1e6 * price["heat"]
    running += takes.fuel * bought - coal * price["coal"]
    state = r["state_share"][route]
    return capital * state, capital * (1.0 - state) + running


def add(balance: xr.Dataset, scenario: Scenario, stages: Stages) -> xr.Dataset:
    """Return the balance with the co-benefits and costs of its measures.

    Parameters
    ----------
    balance : Dataset
        From `airsim.coal.balance_of`.
    scenario : Scenario
    stages : Stages

    Returns
    -------
    Dataset
        With avoided (coal_measure, city, substance), avoided_outside (coal_measure, substance) [t a-1], cost_state and
        cost_user (coal_measure) [CNY a-1], NaN for what is no substitution.
    """
    table = avoided(scenario, stages)
    if table.empty:
        return balance
    names, cities = list(dict.fromkeys(table["measure"])), [str(c) for c in balance["city"].values]
    wide = table.set_index(["measure", "city", "substance"])["tonnes"]
    inside = np.array([[[wide.get((m, c, s), 0.0) for s in SUBSTANCES] for c in cities] for m in names], float)
    whole = table.groupby(["measure", "substance"])["tonnes"].sum()
    everywhere = np.array([[whole.get((m, s), 0.0) for s in SUBSTANCES] for m in names], float)
    cost = np.full((len(names), 2), np.nan)
    rows = pd.concat(stages.rows, ignore_index=True)
    for label, city, takes in demands(scenario, stages):
        m = scenario.measures[stages.numbers[label]]
        if label not in names or not isinstance(m, scenarios.CoalSubstitution):
            continue
        boilers = m.boiler_capacity is not None
        own = rows[(rows["measure"] == label) & (rows["city"] == city) & rows["pollutant"].isin(COAL_FUELS)]
        gone = float(own.loc[own["removed"] > 0, "removed"].sum())
        lasting = mean(m.execution_rate) * (1.0 - mean(m.reburn))
        coal_a_unit = _tonnes_a_unit(m)
        units = gone / (coal_a_unit * lasting) * mean(m.execution_rate) if lasting else 0.0
        cost[names.index(label)] = yearly_cost(stages.routes[label], takes, gone, units, boilers=boilers)
    out = balance.assign_coords(coal_measure=names, substance=list(SUBSTANCES))
    out["avoided"] = (("coal_measure", "city", "substance"), inside, {"units": "t"})
    out["avoided_outside"] = (("coal_measure", "substance"), everywhere - inside.sum(1), {"units": "t"})
    out["cost_state"] = ("coal_measure", cost[:, 0], {"units": "CNY a-1"})
    out["cost_user"] = ("coal_measure", cost[:, 1], {"units": "CNY a-1"})
    out.attrs["cost_status"] = rules.load("heating").weakest_status("cost")
    return out


def _tonnes_a_unit(measure: scenarios.CoalSubstitution) -> float:
    """Return the coal of one home or of one t h-1 of steam [t a-1]."""
    from airsim.measures.substitution import boiler_coal

    if measure.households is not None:
        return mean(measure.tonnes_per_household)
    return boiler_coal(1.0, measure.sector or "small_industry", measure.full_load_hours)
