"""Percentage cuts by city and sector; one enterprise limited or stopped."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

import pandas as pd

from airsim import scenario as scenarios
from airsim.errors import InputError
from airsim.inventory import POLLUTANTS, Inventory
from airsim.measures.ledger import (
    When,
    apply_scaling,
    as_names,
    check_known,
    check_percent,
    check_window,
    move_coal,
    new_id,
    problem_at,
    scaling_rows,
)
from airsim.measures.registry import Kind, Order, in_window, register
from airsim.tables import normalise


def cut(
    inventory: Inventory,
    cities: str | Iterable[str] | None,
    sectors: str | Iterable[str] | None,
    pollutants: str | Iterable[str] | None,
    percent: float,
    start: When = None,
    end: When = None,
    *,
    measure: str = "",
    at: tuple[str, str] = ("", ""),
) -> tuple[Inventory, pd.DataFrame]:
    """Cut what is left of the emissions of cities and sectors by a percentage.

    Parameters
    ----------
    inventory : Inventory
    cities, sectors, pollutants : str or iterable of str or None
        City ids, sectors, pollutants; None or "*" for all.
    percent : float
        Above 0, up to 100 [%].
    start, end : datetime, optional
        Window (UTC, end not included), open on a side that is None; without both the measure is permanent.
    measure : str
        Id in the ledger; made up if empty.
    at : (str, str)
        File and place where the user asked for it, for messages.

    Returns
    -------
    (Inventory, DataFrame)

    Raises
    ------
    InputError
        Percent out of range, end not after start, an unknown name, or nothing that would be cut.
    """
    check_percent(percent, at)
    window = check_window(start, end, at)
    sources = inventory.sources
    chosen = pd.Series(True, index=sources.index)
    for column, wanted in (("city", cities), ("sector", sectors)):
        names = as_names(wanted)
        if names is not None:
            check_known(names, set(sources[column]), column, at)
            chosen &= sources[column].isin(names)
    named = as_names(pollutants)
    if named is not None:
        check_known(named, set(POLLUTANTS), "pollutant", at)
    if not chosen.any():
        raise InputError(
            [problem_at(at, "cut", f"{cities} {sectors}", "no source is cut by this", "该措施未涉及任何排放源")]
        )
    ids = list(sources.index[chosen])
    factor = pd.DataFrame(1.0, index=ids, columns=list(POLLUTANTS))
    factor[named if named is not None else list(POLLUTANTS)] = 1.0 - percent / 100.0
    measure = measure or new_id(inventory, "cut")
    return apply_scaling(inventory, [scaling_rows(factor, *window, measure)], measure, "cut", note=f"-{percent:g} %")


def limit(
    inventory: Inventory,
    enterprise: str,
    percent: float,
    start: When = None,
    end: When = None,
    *,
    year: int | None = None,
    measure: str = "",
    at: tuple[str, str] = ("", ""),
) -> tuple[Inventory, pd.DataFrame]:
    """Limit one enterprise's production, all pollutants and its coal alike.

    Parameters
    ----------
    inventory : Inventory
    enterprise : str
        Its enterprise_id, credit code or full name.
    percent : float
        Production cut by this much of what is left [%].
    start, end, measure, at
        See `cut`.
    year : int, optional
        Year of the coal ledger that stands for this inventory; its newest year if left out.

    Returns
    -------
    (Inventory, DataFrame)
        Without a window the coal ledger moves too; a passing stop leaves the year's coal as it was.

    Raises
    ------
    InputError
        As `cut`; the enterprise is not in the inventory; its coal is not in the ledger.
    """
    check_percent(percent, at)
    window = check_window(start, end, at)
    ids = find_enterprise(inventory, enterprise, at)
    kind = "stop" if percent == 100 else "limit"
    measure = measure or new_id(inventory, kind)
    factor = pd.DataFrame(1.0 - percent / 100.0, index=ids, columns=list(POLLUTANTS))
    result, rows = apply_scaling(
        inventory, [scaling_rows(factor, *window, measure)], measure, kind, note=f"-{percent:g} %"
    )
    if pd.isna(window[0]) and pd.isna(window[1]) and len(inventory.coal):
        row: Any
        for row in rows[~rows["pollutant"].isin(POLLUTANTS)].itertuples():
            result = move_coal(result, year, row.city, row.sector, row.pollutant, -row.removed, measure, at)
    return result, rows


def stop(
    inventory: Inventory,
    enterprise: str,
    start: When = None,
    end: When = None,
    *,
    year: int | None = None,
    measure: str = "",
    at: tuple[str, str] = ("", ""),
) -> tuple[Inventory, pd.DataFrame]:
    """Stop one enterprise: `limit` by 100 %."""
    return limit(inventory, enterprise, 100.0, start, end, year=year, measure=measure, at=at)


def find_enterprise(inventory: Inventory, enterprise: str, at: tuple[str, str] = ("", "")) -> list[str]:
    """Return the sources of an enterprise named by its id, credit code or full name.

    Raises
    ------
    InputError
        It is not in the inventory; the nearest name is given.
    """
    points = inventory.sources[inventory.sources["kind"] == "point"]
    wanted = normalise(enterprise)
    for column in ("enterprise_id", "credit_code", "name"):
        if column in points:
            found = points.index[points[column].map(normalise) == wanted]
            if wanted and len(found):
                return [str(s) for s in found]
    near = difflib.get_close_matches(enterprise, list(points["name"].unique()), n=1, cutoff=0.5)
    hint, hint_zh = (f"; nearest is {near[0]}", f"；最接近的是 {near[0]}") if near else ("", "")
    raise InputError(
        [
            problem_at(
                at,
                "enterprise",
                enterprise,
                "not in the inventory" + hint,
                "排放清单中没有该企业" + hint_zh,
            )
        ]
    )


# --------------------------------------------------------------------------------------------------------
# kinds


def _cut(inventory: Inventory, block: scenarios.Cut, order: Order) -> tuple[Inventory, pd.DataFrame]:
    return cut(
        inventory,
        percent=block.percent,
        cities=block.cities,
        sectors=block.sectors,
        pollutants=block.pollutants,
        start=block.start,
        end=block.end,
        measure=order.label,
        at=order.at,
    )


def _stop(inventory: Inventory, block: scenarios.Stop, order: Order) -> tuple[Inventory, pd.DataFrame]:
    window = (block.start, block.end)
    return stop(inventory, block.enterprise, *window, year=order.year, measure=order.label, at=order.at)


def _limit(inventory: Inventory, block: scenarios.Limit, order: Order) -> tuple[Inventory, pd.DataFrame]:
    asked = (block.enterprise, block.percent, block.start, block.end)
    return limit(inventory, *asked, year=order.year, measure=order.label, at=order.at)


register(Kind(scenarios.Cut, _cut, line="efficiency", moves_coal=False, temporary=in_window))
register(Kind(scenarios.Stop, _stop, line="retirement", temporary=in_window))
register(Kind(scenarios.Limit, _limit, line="retirement", temporary=in_window))
