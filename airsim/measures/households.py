"""Household coal replaced by another route: emissions and the coal ledger move together."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from airsim import rules
from airsim.errors import InputError
from airsim.inventory import POLLUTANTS, Inventory

if TYPE_CHECKING:
    from airsim.rules import Rule

from airsim.measures.ledger import (
    IMPORTED,
    LEDGER,
    apply_scaling,
    check_known,
    check_share,
    coal_ledger_row,
    ledger_row,
    ledger_rows,
    left_of,
    move_coal,
    new_id,
    problem_at,
    scaling_rows,
)

ROUTES = ("electricity", "gas", "district_heat", "clean_coal")


def coal_substitution(
    inventory: Inventory,
    city: str,
    households: float,
    tonnes_per_household: float,
    route: str,
    execution_rate: float = 1.0,
    *,
    power_city: str | None = None,
    fuel: str = "raw_coal",
    year: int | None = None,
    measure: str = "",
    at: tuple[str, str] = ("", ""),
) -> tuple[Inventory, pd.DataFrame]:
    """Replace household coal; the useful heat is kept, and emissions and coal ledger move together.

    Parameters
    ----------
    inventory : Inventory
    city : str
        City id.
    households : float
        Converted households [1].
    tonnes_per_household : float
        Coal a household burnt before [t a-1].
    route : {"electricity", "gas", "district_heat", "clean_coal"}
        What heats instead.
    execution_rate : float
        Share of the conversions that lasts (1 - reburn) [1].
    power_city : str, optional
        City whose plants burn the coal for the electricity; None books it as `IMPORTED`.
    fuel : str
        Household fuel that is replaced.
    year : int, optional
        Year of the coal ledger that stands for this inventory; its newest year if left out.
    measure, at
        See `cut`.

    Returns
    -------
    (Inventory, DataFrame)

    Raises
    ------
    InputError
        Unknown city or route, a non-positive number, more tonnes than the households of the city burn (in the
        sources or in the coal ledger), no plant to burn the induced coal.

    Notes
    -----
    Delivered heat H = t * HV * eta_stove [kJ].  Induced: electricity E = H / (3600 COP (1 - loss)) [kWh], of which
    the coal share burns at the net coal rate; gas V = H / (HV_gas eta) [m3]; district heat and clean coal likewise
    by their efficiencies.  All parameters are in the rule file ``heating`` with their status.
    """
    check_known([city], set(inventory.sources["city"]), "city", at)
    check_known([route], set(ROUTES), "route", at)
    check_share("execution_rate", execution_rate, at)
    for key, value in (("households", households), ("tonnes_per_household", tonnes_per_household)):
        if not (np.isfinite(value) and value > 0):
            raise InputError([problem_at(at, key, value, "must be above 0", "须大于 0")])
    rule = rules.load("heating")
    measure = measure or new_id(inventory, "coal_substitution")
    tonnes = households * tonnes_per_household * execution_rate
    if tonnes == 0:
        return inventory, pd.DataFrame(columns=list(LEDGER))
    homes = _coal_left(inventory, city, "residential", fuel)
    if tonnes > homes.sum() * (1 + 1e-12):
        raise InputError(
            [
                problem_at(
                    at,
                    "households",
                    f"{tonnes:.0f} t",
                    f"the households of {city} burn {homes.sum():.0f} t of {fuel}; no tonne can be replaced twice",
                    f"{city} 居民 {fuel} 现有 {homes.sum():.0f} t，不得重复替代",
                )
            ]
        )
    heat = tonnes * 1e3 * float(rule["raw_coal_heating_value"]) * float(rule["stove_efficiency"])  # kJ a-1
    note = f"{route}, {households:g} households, execution {execution_rate:g}"
    factor = pd.DataFrame(1.0 - tonnes / homes.sum(), index=list(homes.index), columns=list(POLLUTANTS))
    result, rows = apply_scaling(
        inventory, [scaling_rows(factor, pd.NaT, pd.NaT, measure)], measure, "coal_substitution", note=note
    )
    result = move_coal(result, year, city, "residential", fuel, -tonnes, measure, at)
    parts = [rows]
    if route == "electricity":
        coal = _power_coal(heat, rule)
        if power_city is None:
            parts.append(ledger_rows([coal_ledger_row(measure, IMPORTED, "power", "raw_coal", -coal, note)]))
        else:
            result, more = _burn_more(result, year, power_city, "power", coal, measure, note, at)
            parts.append(more)
    elif route == "district_heat":
        r = rule["district_heat"]
        used = heat / (r["network_efficiency"] * r["boiler_efficiency"])
        coal = used * r["coal_share"] / float(rule["raw_coal_heating_value"]) / 1e3
        result, more = _burn_more(result, year, city, "heat", coal, measure, note, at)
        parts.append(more)
    else:
        result, more = _new_household_sources(result, inventory, homes, tonnes, heat, route, rule, measure, note)
        parts.append(more)
        if route == "clean_coal":
            new = float(-more.loc[more["pollutant"] == "briquette", "removed"].sum())
            result = move_coal(result, year, city, "residential", "briquette", new, measure, at)
    return result, pd.concat(parts, ignore_index=True)


def _power_coal(heat: float, rule: Rule) -> float:
    """Return the raw coal that the electricity for a heat [kJ] takes [t]."""
    r = rule["electricity"]
    kwh = heat / (3600.0 * r["coefficient_of_performance"] * (1.0 - r["grid_loss"]))
    standard = kwh * r["coal_power_share"] * r["power_coal"] / 1e3  # tce
    per_tonne = float(rule["raw_coal_heating_value"]) / float(rules.load("fuels")["standard_coal"])
    return standard / per_tonne


def _coal_left(inventory: Inventory, city: str, sector: str, fuel: str | None = None) -> pd.Series:
    """Return the coal that permanent measures leave to the sources of a city and sector [t a-1]."""
    s = inventory.sources
    chosen = (s["city"] == city) & (s["sector"] == sector) & (s["coal"] > 0)
    if fuel is not None:
        chosen &= s["fuel"] == fuel
    coal = s.loc[chosen, "coal"].astype(np.float64)
    return coal * left_of(inventory, list(coal.index), pd.NaT, pd.NaT)["coal"]


def _burn_more(
    inventory: Inventory,
    year: int | None,
    city: str,
    sector: str,
    coal: float,
    measure: str,
    note: str,
    at: tuple[str, str],
) -> tuple[Inventory, pd.DataFrame]:
    """Let the coal sources of a city and sector burn more, each in proportion to what it burns."""
    left = _coal_left(inventory, city, sector)
    if not left.sum() > 0:
        raise InputError(
            [
                problem_at(
                    at,
                    "route",
                    f"{city} {sector}",
                    "the inventory has no such coal source to burn the induced coal",
                    "排放清单中没有可承担新增用煤的该类源",
                )
            ]
        )
    factor = pd.DataFrame(1.0 + coal / left.sum(), index=list(left.index), columns=list(POLLUTANTS))
    result, rows = apply_scaling(
        inventory, [scaling_rows(factor, pd.NaT, pd.NaT, measure)], measure, "coal_substitution", note=note
    )
    return move_coal(result, year, city, sector, "raw_coal", coal, measure, at), rows


def _new_household_sources(
    inventory: Inventory,
    before: Inventory,
    homes: pd.Series,
    tonnes: float,
    heat: float,
    route: str,
    rule: Rule,
    measure: str,
    note: str,
) -> tuple[Inventory, pd.DataFrame]:
    """Add what burns in the stoves' place, in the same places as the coal it replaces."""
    r = rule[route]
    new = before.sources.loc[homes.index].copy()
    weight = homes / homes.sum()
    amounts = new[list(POLLUTANTS)].fillna(0.0).astype(np.float64)
    if route == "clean_coal":
        coal = heat / (r["heating_value"] * r["efficiency"]) / 1e3 * weight
        per_tonne = amounts.div(new["coal"], axis=0)
        emitted = per_tonne.mul(coal, axis=0) * pd.Series(r["emission_ratio"])[list(POLLUTANTS)]
        new["subsector"], new["fuel"] = "briquette_stove", "briquette"
    else:
        gas = heat / (r["heating_value"] * r["efficiency"]) * weight  # m3 a-1
        coal = weight * 0.0
        emitted = amounts * 0.0
        emitted["NOx"] = gas / 1e3 * r["nox"] / 1e3
        new["subsector"], new["fuel"] = "gas_stove", "natural_gas"
    new[list(POLLUTANTS)] = emitted
    new["coal"] = coal
    new["basis"] = f"{note}: heat of {tonnes:.0f} t a-1 of coal, rule file heating {rule.version}"
    new["quality"], new["origin"] = "estimated", measure
    new.index = pd.Index([f"{measure}:{s}" for s in new.index], name=inventory.sources.index.name)
    result = dataclasses.replace(inventory, sources=pd.concat([inventory.sources, new]))
    rows = [
        ledger_row(measure, "coal_substitution", row["city"], row["sector"], "", p, -float(row[p]), note)
        for row in new.to_dict("records")
        for p in POLLUTANTS
        if row[p] > 0
    ]
    if coal.sum() > 0:
        city = str(new["city"].iloc[0])
        rows.append(coal_ledger_row(measure, city, "residential", "briquette", -float(coal.sum()), note))
    return result, ledger_rows(rows)
