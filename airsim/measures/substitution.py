"""Coal of households and boilers replaced by another route: emissions and the coal ledger move together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from airsim import rules
from airsim.errors import InputError
from airsim.inventory import POLLUTANTS, Inventory
from airsim.measures.ledger import (
    IMPORTED,
    LEDGER,
    apply_scaling,
    check_known,
    check_share,
    coal_ledger_row,
    coal_name,
    ledger_row,
    ledger_rows,
    left_of,
    move_coal,
    new_id,
    problem_at,
    scaling_rows,
)
from airsim.rules import Rule

ROUTES = ("electricity", "gas", "district_heat", "clean_coal", "biomass", "geothermal", "solar")
#: Routes whose heat comes by wire.
ELECTRIC = ("electricity", "geothermal", "solar")


@dataclass(frozen=True)
class Demand:
    """What a route takes in a year to deliver a useful heat.

    Attributes
    ----------
    electricity : float
        At the home [kWh a-1].
    gas : float
        [m3 a-1].
    heat : float
        From the heat network, at the home [kJ a-1].
    fuel : float
        Clean coal or pellets [t a-1].
    power_coal, heat_coal : float
        Raw coal burnt in power stations and in heating plants for it [t a-1].
    """

    electricity: float = 0.0
    gas: float = 0.0
    heat: float = 0.0
    fuel: float = 0.0
    power_coal: float = 0.0
    heat_coal: float = 0.0


def useful_heat(tonnes: float, *, boilers: bool = False, rule: Rule | None = None) -> float:
    """Return the heat that raw coal delivers in a stove or a boiler, mass x heating value x efficiency [kJ].

    Parameters
    ----------
    tonnes : float
        [t].
    boilers : bool
        Burnt in boilers, not in stoves.
    rule : Rule, optional
        Of ``heating``; the newest if left out.
    """
    r = rule or rules.load("heating")
    efficiency = r["boiler.efficiency"] if boilers else r["stove_efficiency"]
    return tonnes * 1e3 * float(r["raw_coal_heating_value"]) * float(efficiency)


def boiler_coal(capacity: float, sector: str, hours: float | None = None, rule: Rule | None = None) -> float:
    """Return the raw coal that boilers burn in a year [t].

    Parameters
    ----------
    capacity : float
        Steam [t h-1].
    sector : str
        Chooses the hours at full load where `hours` is None.
    hours : float, optional
        Hours at full load in a year [h].
    rule : Rule, optional
        Of ``heating``.
    """
    r = rule or rules.load("heating")
    by_sector = r["boiler.full_load_hours"]
    hours = float(by_sector.get(sector, by_sector["other"])) if hours is None else hours
    kilojoules = capacity * float(r["boiler.heat"]) * hours * 3.6e6
    return kilojoules / float(r["boiler.efficiency"]) / float(r["raw_coal_heating_value"]) / 1e3


def demand_of(route: str, heat: float, *, steam: bool = False, rule: Rule | None = None) -> Demand:
    """Return what a route takes to deliver a heat.

    Parameters
    ----------
    route : str
        One of `ROUTES`.
    heat : float
        Useful heat [kJ a-1].
    steam : bool
        Steam of industry: an electric boiler, not a heat pump.
    rule : Rule, optional
        Of ``heating``.
    """
    r = rule or rules.load("heating")
    raw = float(r["raw_coal_heating_value"])
    if route in ELECTRIC:
        own = r[route]
        performance = float(
            own["boiler_efficiency"] if steam and route == "electricity" else own["coefficient_of_performance"]
        )
        kwh = heat * float(own.get("auxiliary_share", 1.0)) / (3600.0 * performance)
        grid = r["electricity"]
        standard = kwh / (1.0 - grid["grid_loss"]) * grid["coal_power_share"] * grid["power_coal"] / 1e3  # tce
        per_tonne = raw / float(rules.load("fuels")["standard_coal"])
        return Demand(electricity=kwh, power_coal=standard / per_tonne)
    own = r[route]
    if route == "gas":
        return Demand(gas=heat / (own["heating_value"] * own["efficiency"]))
    if route == "district_heat":
        sent = heat / own["network_efficiency"]
        return Demand(heat=sent, heat_coal=sent / own["boiler_efficiency"] * own["coal_share"] / raw / 1e3)
    return Demand(fuel=heat / (own["heating_value"] * own["efficiency"]) / 1e3)


def coal_substitution(
    inventory: Inventory,
    city: str,
    households: float,
    tonnes_per_household: float,
    route: str,
    execution_rate: float = 1.0,
    *,
    reburn: float = 0.0,
    county: str = "",
    sector: str = "residential",
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
    route : str
        One of `ROUTES`: what heats instead.
    execution_rate : float
        Share of the conversions that is carried out [1].
    reburn : float
        Share of the converted that goes back to coal (返煤) [1].
    county : str
        Six-digit code of the county whose coal it is; empty for the whole city.
    sector : str
        Sector of the homes.
    power_city : str, optional
        City whose plants burn the coal for the electricity; None or ``"imported"`` books it as `IMPORTED`.
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
    Delivered heat H = t * HV * eta_stove [kJ].  Induced: electricity E = H / (3600 COP) [kWh], of which the coal share
    burns at the net coal rate after the losses of the grid; gas V = H / (HV_gas eta) [m3]; district heat, clean coal
    and pellets likewise by their efficiencies.  All parameters are in the rule file ``heating`` with their status.
    """
    check_known([city], set(inventory.sources["city"]), "city", at)
    for key, share in (("execution_rate", execution_rate), ("reburn", reburn)):
        check_share(key, share, at)
    for key, value in (("households", households), ("tonnes_per_household", tonnes_per_household)):
        if not (np.isfinite(value) and value > 0):
            raise InputError([problem_at(at, key, value, "must be above 0", "须大于 0")])
    tonnes = households * tonnes_per_household * execution_rate * (1.0 - reburn)
    note = f"{route}, {households:g} households, execution {execution_rate:g}"
    note += f", reburn {reburn:g}" if reburn else ""
    return replace_coal(
        inventory,
        city,
        sector,
        fuel,
        tonnes,
        route,
        county=county,
        boilers=False,
        power_city=power_city,
        year=year,
        measure=measure,
        note=note,
        at=at,
    )


def boiler_substitution(
    inventory: Inventory,
    city: str,
    capacity: float,
    route: str,
    execution_rate: float = 1.0,
    *,
    reburn: float = 0.0,
    hours: float | None = None,
    county: str = "",
    sector: str = "small_industry",
    power_city: str | None = None,
    fuel: str = "raw_coal",
    year: int | None = None,
    measure: str = "",
    at: tuple[str, str] = ("", ""),
) -> tuple[Inventory, pd.DataFrame]:
    """Replace coal boilers; parameters as for `coal_substitution`, but for the two below.

    Parameters
    ----------
    inventory, city, route, execution_rate, reburn, county, sector, power_city, fuel, year, measure, at
        See `coal_substitution`.
    capacity : float
        Boilers replaced [t h-1 of steam].
    hours : float, optional
        Hours at full load in a year [h]; those of the sector in the rules if left out.
    """
    check_known([city], set(inventory.sources["city"]), "city", at)
    for key, share in (("execution_rate", execution_rate), ("reburn", reburn)):
        check_share(key, share, at)
    tonnes = boiler_coal(capacity, sector, hours) * execution_rate * (1.0 - reburn)
    return replace_coal(
        inventory,
        city,
        sector,
        fuel,
        tonnes,
        route,
        county=county,
        boilers=True,
        power_city=power_city,
        year=year,
        measure=measure,
        note=f"{route}, {capacity:g} t/h of boilers, execution {execution_rate:g}",
        at=at,
    )


def replace_coal(
    inventory: Inventory,
    city: str,
    sector: str,
    fuel: str,
    tonnes: float,
    route: str,
    *,
    boilers: bool,
    county: str = "",
    power_city: str | None = None,
    new_fuel: str = "briquette",
    emits: Mapping[str, float] | None = None,
    kind: str = "coal_substitution",
    year: int | None = None,
    measure: str = "",
    note: str = "",
    at: tuple[str, str] = ("", ""),
) -> tuple[Inventory, pd.DataFrame]:
    """Replace some tonnes of a city's and sector's coal by a route that delivers the same heat.

    Parameters
    ----------
    inventory, city, sector, fuel, route, county, power_city, year, measure, note, at
        See `coal_substitution`.
    tonnes : float
        Coal replaced [t a-1].
    boilers : bool
        It burnt in boilers, not in stoves.
    new_fuel : str
        Ledger fuel of route clean_coal.
    emits : mapping, optional
        Emission of the clean coal per tonne over that of the coal replaced [1]; from the rules if left out.
    kind : str
        Kind of the ledger rows.

    Raises
    ------
    InputError
        See `coal_substitution`; the earlier measures on the same coal are named.
    """
    check_known([route], set(ROUTES), "route", at)
    rule = rules.load("heating")
    measure = measure or new_id(inventory, kind)
    if tonnes == 0:
        return inventory, pd.DataFrame(columns=list(LEDGER))
    coal = coal_left(inventory, city, sector, fuel, county=county, boilers=boilers)
    who, who_zh = (
        (f"the households of {city}", f"{city} 居民")
        if sector == "residential"
        else (
            f"{sector} of {city}",
            f"{city} {sector} ",
        )
    )
    if tonnes > coal.sum() * (1 + 1e-12):
        before, before_zh = _claimed(inventory, coal.index)
        raise InputError(
            [
                problem_at(
                    at,
                    measure if not at[0] else ("boiler_capacity" if boilers else "households"),
                    f"{tonnes:.0f} t",
                    f"{who} burn {coal.sum():.0f} t of {fuel}; no tonne can be replaced twice{before}",
                    f"{who_zh} {fuel} 现有 {coal.sum():.0f} t，不得重复替代{before_zh}",
                )
            ]
        )
    heat = useful_heat(tonnes, boilers=boilers, rule=rule)
    takes = demand_of(route, heat, steam=boilers and sector not in {"residential", "heat"}, rule=rule)
    factor = pd.DataFrame(1.0 - tonnes / coal.sum(), index=list(coal.index), columns=list(POLLUTANTS))
    result, rows = apply_scaling(inventory, [scaling_rows(factor, pd.NaT, pd.NaT, measure)], measure, kind, note=note)
    result = move_coal(result, year, city, sector, fuel, -tonnes, measure, at, county=county)
    parts = [rows]
    if route in ELECTRIC:
        if power_city is None or power_city == IMPORTED:
            row = coal_ledger_row(measure, IMPORTED, "power", "raw_coal", -takes.power_coal, note, kind)
            parts.append(ledger_rows([row]))
        else:
            result, more = _burn_more(result, year, power_city, "power", takes.power_coal, measure, kind, note, at)
            parts.append(more)
    elif route == "district_heat":
        result, more = _burn_more(result, year, city, "heat", takes.heat_coal, measure, kind, note, at)
        parts.append(more)
    else:
        result, more = _new_sources(
            result, inventory, coal, tonnes, takes, route, rule, measure, kind, note, new_fuel, emits
        )
        parts.append(more)
        if route == "clean_coal":
            result = move_coal(result, year, city, sector, new_fuel, takes.fuel, measure, at, county=county)
    return result, pd.concat(parts, ignore_index=True)


def coal_left(
    inventory: Inventory,
    city: str,
    sector: str,
    fuel: str | None = None,
    *,
    county: str = "",
    boilers: bool = False,
) -> pd.Series:
    """Return the coal that permanent measures leave to the sources of a city and sector [t a-1].

    Sources of the county alone where the inventory tells counties apart; boilers alone where it tells them from kilns.
    """
    s = inventory.sources
    chosen = (s["city"] == city) & (s["sector"] == sector) & (s["coal"] > 0)
    if fuel is not None:
        chosen &= coal_name(s) == fuel
    for narrower in (
        (s["county"] == county) if county else None,
        s["subsector"].astype(str).str.contains("boiler") if boilers else None,
    ):
        if narrower is not None and (chosen & narrower).any():
            chosen &= narrower
    coal = s.loc[chosen, "coal"].astype(np.float64)
    return coal * left_of(inventory, list(coal.index), pd.NaT, pd.NaT)["coal"]


def _claimed(inventory: Inventory, sources: pd.Index) -> tuple[str, str]:
    """Name the permanent measures that already took from these sources, for a message in both languages."""
    s = inventory.scaling
    here = s[s["source"].isin(sources) & s["start"].isna() & s["end"].isna()]
    names = [f"'{m}'" for m in dict.fromkeys(here["measure"])]
    if not names:
        return "", ""
    return f" (already claimed by {', '.join(names)})", f"（已被{'、'.join(names)}占用）"


def _burn_more(
    inventory: Inventory,
    year: int | None,
    city: str,
    sector: str,
    coal: float,
    measure: str,
    kind: str,
    note: str,
    at: tuple[str, str],
) -> tuple[Inventory, pd.DataFrame]:
    """Let the coal sources of a city and sector burn more, each in proportion to what it burns."""
    left = coal_left(inventory, city, sector)
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
    result, rows = apply_scaling(inventory, [scaling_rows(factor, pd.NaT, pd.NaT, measure)], measure, kind, note=note)
    return move_coal(result, year, city, sector, "raw_coal", coal, measure, at), rows


def _new_sources(
    inventory: Inventory,
    before: Inventory,
    old: pd.Series,
    tonnes: float,
    takes: Demand,
    route: str,
    rule: Rule,
    measure: str,
    kind: str,
    note: str,
    new_fuel: str,
    emits: Mapping[str, float] | None,
) -> tuple[Inventory, pd.DataFrame]:
    """Add what burns in the old coal's place, in the same places as the coal it replaces."""
    r = rule[route]
    new = before.sources.loc[old.index].copy()
    weight = old / old.sum()
    amounts = new[list(POLLUTANTS)].fillna(0.0).astype(np.float64)
    coal = weight * 0.0
    stove = "stove" if (new["sector"] == "residential").all() else "boiler"
    if route == "clean_coal":
        coal = takes.fuel * weight
        ratio = pd.Series(r["emission_ratio"])[list(POLLUTANTS)]
        if emits:
            ratio.update(pd.Series(emits))
        emitted = amounts.div(new["coal"], axis=0).mul(coal, axis=0) * ratio
        new["subsector"], new["fuel"] = f"briquette_{stove}", new_fuel
    elif route == "biomass":
        emitted = pd.DataFrame(
            {p: takes.fuel * weight * float(r["emission"].get(p, 0.0)) / 1e3 for p in POLLUTANTS}, index=new.index
        )
        new["subsector"], new["fuel"] = f"biomass_{stove}", "biomass"
    else:
        emitted = amounts * 0.0
        emitted["NOx"] = takes.gas * weight / 1e3 * r["nox"] / 1e3
        new["subsector"], new["fuel"] = f"gas_{stove}", "natural_gas"
    new[list(POLLUTANTS)] = emitted
    new["coal"] = coal
    new["basis"] = f"{note}: heat of {tonnes:.0f} t a-1 of coal, rule file heating {rule.version}"
    new["quality"], new["origin"] = "estimated", measure
    new.index = pd.Index([f"{measure}:{s}" for s in new.index], name=inventory.sources.index.name)
    result = dataclasses.replace(inventory, sources=pd.concat([inventory.sources, new]))
    city, sector = str(new["city"].iloc[0]), str(new["sector"].iloc[0])
    rows = [
        ledger_row(measure, kind, row["city"], row["sector"], "", p, -float(row[p]), note)
        for row in new.to_dict("records")
        for p in POLLUTANTS
        if row[p] > 0
    ]
    if coal.sum() > 0:
        rows.append(coal_ledger_row(measure, city, sector, new_fuel, -float(coal.sum()), note, kind))
    return result, ledger_rows(rows)
