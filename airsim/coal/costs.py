"""What a route costs in a year: the state, and the household or firm."""

from __future__ import annotations

from airsim import rules
from airsim.measures.substitution import Demand, boiler_coal
from airsim.scenario import CoalSubstitution, mean


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


def substitution_cost(block: CoalSubstitution, route: str, takes: Demand, coal: float) -> tuple[float, float]:
    """Return what a substitution costs in a year: (the state, the household or firm) [CNY a-1].

    Parameters
    ----------
    block : CoalSubstitution
    route : str
        By which it took place.
    takes : Demand
        What it takes.
    coal : float
        Coal that it replaced, by which the homes or boilers that took part are counted [t a-1].
    """
    rate = mean(block.execution_rate)
    lasting = rate * (1.0 - mean(block.reburn))
    units = coal / (_tonnes_a_unit(block) * lasting) * rate if lasting else 0.0
    return yearly_cost(route, takes, coal, units, boilers=block.boiler_capacity is not None)


def _tonnes_a_unit(measure: CoalSubstitution) -> float:
    """Return the coal of one home or of one t h-1 of steam [t a-1]."""
    if measure.households is not None:
        return mean(measure.tonnes_per_household)
    return boiler_coal(1.0, measure.sector or "small_industry", measure.full_load_hours)
