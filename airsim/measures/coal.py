"""Coal measures beside substitution: closures, new projects, efficiency, clean coal, growth, degree days."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from airsim import rules
from airsim.errors import InputError
from airsim.inventory import POLLUTANTS, Inventory
from airsim.measures.cuts import find_enterprise
from airsim.measures.ledger import (
    COAL_FUELS,
    apply_scaling,
    check_known,
    check_share,
    coal_ledger_row,
    ledger_row,
    ledger_rows,
    move_coal,
    new_id,
    problem_at,
    scaling_rows,
)
from airsim.measures.substitution import boiler_coal, coal_left, replace_coal, useful_heat

At = tuple[str, str]


def retire(
    inventory: Inventory,
    *,
    enterprise: str | None = None,
    city: str | None = None,
    sector: str = "small_industry",
    fuel: str = "raw_coal",
    boiler_capacity: float | None = None,
    hours: float | None = None,
    tonnes: float | None = None,
    county: str = "",
    execution_rate: float = 1.0,
    year: int | None = None,
    measure: str = "",
    at: At = ("", ""),
) -> tuple[Inventory, pd.DataFrame]:
    """Close a plant, or take out boilers or a tonnage of a city's sector; nothing takes their place.

    Parameters
    ----------
    inventory : Inventory
    enterprise : str, optional
        Plant by id, credit code or full name.
    city, sector, fuel, county : str
        Else where the coal ends.
    boiler_capacity : float, optional
        Boilers taken out [t h-1 of steam].
    hours : float, optional
        Their hours at full load in a year [h].
    tonnes : float, optional
        Coal that ends [t a-1].
    execution_rate : float
        Share that is carried out [1].
    year, measure, at
        See `airsim.measures.coal_substitution`.

    Returns
    -------
    (Inventory, DataFrame)

    Raises
    ------
    InputError
        Unknown plant or city; a plant that another measure has closed already (both are named); more coal than burns
        there.
    """
    check_share("execution_rate", execution_rate, at)
    measure = measure or new_id(inventory, "retire")
    if enterprise is not None:
        ids = find_enterprise(inventory, enterprise, at)
        old = inventory.scaling[inventory.scaling["source"].isin(ids)]
        closed = old[(old["factor"] <= 1e-12) & (old["pollutant"] == "*") & old["start"].isna() & old["end"].isna()]
        if len(closed):
            other = str(closed["measure"].iloc[0])
            raise InputError(
                [
                    problem_at(
                        at,
                        "enterprise",
                        enterprise,
                        f"is closed by both '{other}' and '{measure}'; each tonne counts once",
                        f"“{other}”与“{measure}”重复关停，每吨煤只能计一次",
                    )
                ]
            )
        share, note = execution_rate, f"closed, execution {execution_rate:g}"
    else:
        assert city is not None
        check_known([city], set(inventory.sources["city"]), "city", at)
        boilers = boiler_capacity is not None
        ends = boiler_coal(boiler_capacity, sector, hours) if boiler_capacity is not None else float(tonnes or 0.0)
        ends *= execution_rate
        coal = coal_left(inventory, city, sector, fuel, county=county, boilers=boilers)
        if ends > coal.sum() * (1 + 1e-12):
            raise InputError(
                [
                    problem_at(
                        at,
                        "boiler_capacity" if boilers else "tonnes",
                        f"{ends:.0f} t",
                        f"{sector} of {city} burns {coal.sum():.0f} t of {fuel} after the measures above",
                        f"{city} {sector} 的 {fuel} 在前述措施之后仅 {coal.sum():.0f} t",
                    )
                ]
            )
        ids = list(coal.index)
        share = ends / coal.sum() if coal.sum() else 0.0
        note = (
            f"{boiler_capacity:g} t/h of boilers" if boilers else f"{ends:.0f} t"
        ) + f", execution {execution_rate:g}"
    if share == 0:
        return inventory, ledger_rows([])
    factor = pd.DataFrame(1.0 - share, index=ids, columns=list(POLLUTANTS))
    result, rows = apply_scaling(
        inventory, [scaling_rows(factor, pd.NaT, pd.NaT, measure)], measure, "retire", note=note
    )
    row: Any
    for row in rows[~rows["pollutant"].isin(POLLUTANTS)].itertuples():
        result = move_coal(result, year, row.city, row.sector, row.pollutant, -row.removed, measure, at, county=county)
    return result, rows


def new_project(
    inventory: Inventory,
    name: str,
    city: str,
    sector: str,
    tonnes: float,
    fuel: str = "raw_coal",
    *,
    county: str = "",
    execution_rate: float = 1.0,
    emission_factors: Mapping[str, float] | None = None,
    year: int | None = None,
    measure: str = "",
    at: At = ("", ""),
) -> tuple[Inventory, pd.DataFrame]:
    """Add a project that burns coal: a source of its own, and its tonnes in the ledger.

    Parameters
    ----------
    inventory : Inventory
    name : str
        What it is called.
    city, sector, county : str
        Where it burns.
    tonnes : float
        Coal in a full year [t a-1].
    fuel : str
        What it burns.
    execution_rate : float
        Share of it that burns in the target year [1].
    emission_factors : mapping, optional
        Pollutant -> emission per tonne of coal [kg t-1]; where it has none, the mean of the sector's coal sources in
        the city, or of all cities where the city has none.
    year, measure, at
        See `airsim.measures.coal_substitution`.

    Returns
    -------
    (Inventory, DataFrame)

    Raises
    ------
    InputError
        Unknown city; the inventory has no coal source of this sector and a factor is missing.
    """
    check_known([city], set(inventory.sources["city"]), "city", at)
    check_known([fuel], set(COAL_FUELS), "fuel", at)
    check_share("execution_rate", execution_rate, at)
    measure = measure or name
    burns = tonnes * execution_rate
    sources = inventory.sources
    alike = sources[(sources["sector"] == sector) & (sources["coal"] > 0) & ~sources["origin"].eq(measure)]
    here = alike[alike["city"] == city]
    alike = here if len(here) else alike
    given = dict(emission_factors or {})
    missing = [p for p in POLLUTANTS if p not in given]
    if alike.empty and missing:
        raise InputError(
            [
                problem_at(
                    at,
                    "emission_factors",
                    sector,
                    f"the inventory has no coal source of this sector to take them from; give {', '.join(missing)}",
                    f"清单中没有该行业的燃煤源可供类比；请给出 {'、'.join(missing)} 的排放系数",
                )
            ]
        )
    mean = alike[list(POLLUTANTS)].fillna(0.0).sum() / alike["coal"].sum() if len(alike) else pd.Series(dtype=float)
    amounts = {p: burns * (given[p] / 1e3 if p in given else float(mean[p])) for p in POLLUTANTS}
    basis = "emission factors of the scenario" if not missing else f"mean of the {sector} coal sources"
    text = {c: "" for c in sources.columns if not pd.api.types.is_numeric_dtype(sources[c])}
    row = text | {
        "kind": "area",
        "name": name,
        "city": city,
        "county": county,
        "sector": sector,
        "fuel": fuel,
        "coal": burns,
        "lines": 1.0,
        "basis": f"{tonnes:g} t a-1 x {basis}",
        "quality": "estimated",
        "origin": measure,
        **amounts,
    }
    new = pd.DataFrame([row], index=pd.Index([f"{measure}:new"], name=sources.index.name)).reindex(
        columns=sources.columns
    )
    new = new.astype({c: t for c, t in sources.dtypes.items() if pd.api.types.is_numeric_dtype(t)})
    result = dataclasses.replace(inventory, sources=pd.concat([sources, new]))
    result = move_coal(result, year, city, sector, fuel, burns, measure, at, county=county)
    rows = [
        ledger_row(measure, "new_project", city, sector, name, p, -amounts[p], basis)
        for p in POLLUTANTS
        if amounts[p] > 0
    ]
    rows.append(ledger_row(measure, "new_project", city, sector, name, fuel, -burns, basis))
    return result, ledger_rows(rows)


def clean_coal_supply(
    inventory: Inventory,
    city: str,
    tonnes: float,
    fuel: str = "briquette",
    *,
    county: str = "",
    execution_rate: float = 1.0,
    failing_share: float = 0.0,
    against_passing: Mapping[str, float] | None = None,
    year: int | None = None,
    measure: str = "",
    at: At = ("", ""),
) -> tuple[Inventory, pd.DataFrame]:
    """Deliver clean coal in place of households' raw coal of the same useful heat.

    Parameters
    ----------
    inventory : Inventory
    city, county : str
    tonnes : float
        Clean coal delivered [t a-1].
    fuel : str
        Its fuel in the ledger.
    execution_rate : float
        Share that is delivered and burnt [1].
    failing_share : float
        Share of it that emits like raw coal [1].
    against_passing : mapping, optional
        Pollutant -> emission per tonne of the coal as sampled over that of coal that meets the standard [1], of an
        inspection; counts in place of `failing_share` for these pollutants.
    year, measure, at
        See `airsim.measures.coal_substitution`.

    Returns
    -------
    (Inventory, DataFrame)

    Raises
    ------
    InputError
        See `airsim.measures.coal_substitution`.
    """
    check_known([city], set(inventory.sources["city"]), "city", at)
    check_share("execution_rate", execution_rate, at)
    check_share("failing_share", failing_share, at)
    rule = rules.load("heating")
    own = rule["clean_coal"]
    heat = tonnes * execution_rate * 1e3 * own["heating_value"] * own["efficiency"]
    replaced = heat / useful_heat(1.0, rule=rule)
    clean = {p: float(v) for p, v in own["emission_ratio"].items()}
    emits = {p: v * (1.0 - failing_share) + failing_share for p, v in clean.items()}
    emits |= {p: clean[p] * ratio for p, ratio in (against_passing or {}).items()}
    return replace_coal(
        inventory,
        city,
        "residential",
        "raw_coal",
        replaced,
        "clean_coal",
        boilers=False,
        county=county,
        new_fuel=fuel,
        emits=emits,
        kind="clean_coal_supply",
        year=year,
        measure=measure or new_id(inventory, "clean_coal_supply"),
        note=f"{tonnes:g} t of {fuel}, execution {execution_rate:g}, failing {failing_share:g}",
        at=at,
    )


def efficiency(
    inventory: Inventory,
    sectors: Sequence[str],
    percent: float,
    *,
    cities: Sequence[str] | None = None,
    execution_rate: float = 1.0,
    year: int | None = None,
    measure: str = "",
    at: At = ("", ""),
) -> tuple[Inventory, pd.DataFrame]:
    """Burn a percentage less coal for the same output, and emit as much less.

    Parameters
    ----------
    inventory : Inventory
    sectors, cities : sequence of str
        Where; all cities if left out.
    percent : float
        Of what is left [%].
    execution_rate : float
        Share that is carried out [1].
    year, measure, at
        See `airsim.measures.coal_substitution`.

    Returns
    -------
    (Inventory, DataFrame)
    """
    check_share("execution_rate", execution_rate, at)
    measure = measure or new_id(inventory, "efficiency")
    return _change(
        inventory,
        dict.fromkeys(sectors, -percent * execution_rate / 100.0),
        cities,
        "efficiency",
        f"-{percent:g} %, execution {execution_rate:g}",
        year,
        measure,
        at,
    )


def growth(
    inventory: Inventory,
    sectors: Sequence[str],
    percent: float,
    *,
    cities: Sequence[str] | None = None,
    year: int | None = None,
    measure: str = "",
    at: At = ("", ""),
) -> tuple[Inventory, pd.DataFrame]:
    """Let the output of sectors grow: coal and emissions of their coal sources change by the same percentage.

    Parameters
    ----------
    inventory, sectors, cities, year, measure, at
        See `efficiency`.
    percent : float
        Change [%].
    """
    measure = measure or new_id(inventory, "activity_growth")
    return _change(
        inventory,
        dict.fromkeys(sectors, percent / 100.0),
        cities,
        "activity_growth",
        f"{percent:+g} %",
        year,
        measure,
        at,
    )


def weather(
    inventory: Inventory,
    percent: float,
    *,
    sectors: Sequence[str] = ("residential", "heat"),
    cities: Sequence[str] | None = None,
    year: int | None = None,
    measure: str = "",
    at: At = ("", ""),
) -> tuple[Inventory, pd.DataFrame]:
    """Let a colder or milder season change the coal that heats.

    Parameters
    ----------
    inventory, sectors, cities, year, measure, at
        See `efficiency`.
    percent : float
        Heating degree days of the target year against the base year [%]; a sector follows them by its share in the
        rule file ``heating``.
    """
    share = rules.load("heating")["degree_days.share"]
    measure = measure or new_id(inventory, "weather")
    follows = {s: float(share[s]) * percent / 100.0 for s in sectors}
    return _change(inventory, follows, cities, "weather", f"degree days {percent:+g} %", year, measure, at)


def _change(
    inventory: Inventory,
    by_sector: Mapping[str, float],
    cities: Sequence[str] | None,
    kind: str,
    note: str,
    year: int | None,
    measure: str,
    at: At,
) -> tuple[Inventory, pd.DataFrame]:
    """Change the coal of sectors by a share: that of the ledger, and the emissions of the sources that burn it."""
    sources, ledger = inventory.sources, inventory.coal
    year = (int(ledger["year"].max()) if len(ledger) else None) if year is None else year
    in_ledger = set(ledger.loc[ledger["year"] == year, "sector"]) if len(ledger) else set()
    check_known(by_sector, set(sources["sector"]) | in_ledger, "sector", at)
    if cities is not None:
        check_known(cities, set(sources["city"]), "city", at)
    burn = sources[(sources["coal"] > 0) & sources["sector"].isin(list(by_sector))]
    if cities is not None:
        burn = burn[burn["city"].isin(list(cities))]
    change = burn["sector"].map(by_sector).astype(np.float64)
    factor = pd.DataFrame(dict.fromkeys(POLLUTANTS, 1.0 + change), index=list(burn.index))
    result, rows = (
        apply_scaling(inventory, [scaling_rows(factor, pd.NaT, pd.NaT, measure)], measure, kind, note=note)
        if len(burn) and (change != 0).any()
        else (inventory, ledger_rows([]))
    )
    here = ledger[(ledger["year"] == year) & ledger["sector"].isin(list(by_sector))] if len(ledger) else ledger
    if cities is not None and len(here):
        here = here[here["city"].isin(list(cities))]
    if here.empty:
        return result, rows
    # the statistics, not the inventory's own figures, are the coal that changes
    coal = []
    key = ["city", "sector", "fuel"]
    for *place, tonnes in here.groupby(key, sort=False)["consumption"].sum().reset_index().to_numpy().tolist():
        city, sector, fuel = map(str, place)
        more = float(tonnes) * by_sector[sector]
        if more:
            result = move_coal(result, year, city, sector, fuel, more, measure, at)
            coal.append(coal_ledger_row(measure, city, sector, fuel, -more, note, kind))
    emitted = rows[rows["pollutant"].isin(POLLUTANTS)]
    return result, pd.concat([emitted, ledger_rows(coal)], ignore_index=True)
