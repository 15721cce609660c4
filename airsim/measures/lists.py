"""Emergency response: a reduction list carried out in the windows of its alerts."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from airsim.emergency.alerts import strictest
from airsim.emergency.counting import cuts, kg_per_day, plan_rule
from airsim.emergency.reading import LEVELS, EmergencyList
from airsim.errors import InputError, Problem
from airsim.inventory import POLLUTANTS, SECTORS, Inventory
from airsim.tables import normalise

if TYPE_CHECKING:
    from airsim.rules import Rule

from airsim.measures.ledger import apply_scaling, as_times, check_share, new_id, problem_at, scaling_rows

#: Pollutants of a list -> those of the inventory that they stand for.
LIST_POLLUTANTS = {"SO2": ("SO2",), "NOx": ("NOx",), "PM": ("PM10", "PM25", "BC", "OC"), "VOC": ("VOC",)}
#: Words of mobile, dust and small-source items -> sector and subsector of the area sources.
AREA_WORDS: dict[str, tuple[str, str]] = {
    "道路移动源": ("transport", ""),
    "移动源": ("transport", ""),
    "机动车": ("transport", ""),
    "非道路移动源": ("offroad", ""),
    "非道路移动机械": ("offroad", ""),
    "扬尘源": ("dust", ""),
    "施工扬尘": ("dust", "construction"),
    "道路扬尘": ("dust", "road"),
    "土壤扬尘": ("dust", "soil"),
    "小微涉气": ("small_industry", ""),
    **{normalise(zh): (sector, "") for sector, zh in SECTORS.items()},
}
#: Words of products and kinds of sources -> subsector of the inventory.
SUBSECTOR_WORDS: dict[str, str] = {
    "烧结机": "sinter",
    "烧结": "sinter",
    "高炉": "iron",
    "转炉": "converter_steel",
    "电炉": "electric_steel",
    "焦炉": "coke",
    "焦炭": "coke",
    "水泥熟料": "cement",
    "砖瓦石灰等建材": "building_materials",
    "建材": "building_materials",
    "燃煤锅炉": "coal_boiler",
    "其他工艺过程": "other_process",
    "溶剂使用": "solvent",
    "柴油车": "diesel",
    "重型柴油货车": "diesel",
    "汽油车": "petrol",
    "小客车": "petrol",
    "非道路移动机械": "machinery",
    "施工扬尘": "construction",
    "道路扬尘": "road",
    "土壤扬尘": "soil",
}


def emergency(
    inventory: Inventory,
    list_: EmergencyList,
    alerts: pd.DataFrame,
    execution_rate: float = 1.0,
    *,
    plan: Rule | str | dt.date | None = None,
    measure: str = "",
) -> tuple[Inventory, pd.DataFrame]:
    """Carry out a reduction list in the cities and windows of the alerts.

    Parameters
    ----------
    inventory : Inventory
    list_ : EmergencyList
    alerts : DataFrame
        Columns city, level, start, end (UTC, end not included); where windows of a city overlap, the
        stricter level counts.
    execution_rate : float
        Share of the listed cuts that is carried out [1].
    plan : Rule, str or date, optional
        Emergency plan whose counting rules apply.
    measure : str
        Id in the ledger; made up if empty.

    Returns
    -------
    (Inventory, DataFrame)
        The inventory with its new scaling rows, and the ledger rows (columns `LEDGER`).

    Raises
    ------
    InputError
        List enterprises that are not in the inventory (with their cells), a window that ends before it
        starts, an unknown level, a city without list, a second emergency measure over the same hours.

    Notes
    -----
    An enterprise emits 1 - execution * (cut / base) of what it did, both sums over its lines in the list: a line
    that stops does so whatever the inventory makes of its emission.  Mobile, dust and small sources are listed in
    part only, so their cut [kg d-1] is set against the larger of the list's base and the inventory's.
    Pollutants that a list does not carry (NH3, CO, coal) fall by the smallest share of those it does.
    """
    check_share("execution_rate", execution_rate)
    windows = _check_alerts(alerts, list_)
    measure = measure or new_id(inventory, "emergency")
    if "emergency" not in measure:
        measure = f"emergency-{measure}"
    counting = plan_rule(plan)
    matched = _match(inventory, list_, set(windows["city"]))
    base = kg_per_day(inventory)
    effects = {
        level: _list_effect(inventory, list_, matched, cuts(list_, level, plan=counting), base)
        for level in dict.fromkeys(windows["level"])
    }
    _refuse_second_emergency(inventory, windows, list_)
    city_of = inventory.sources["city"]
    scaled: list[pd.DataFrame] = []
    window: Any
    for window in windows.itertuples(index=False):
        share = effects[str(window.level)]
        here = share[city_of.loc[share.index] == window.city]
        factor = (1.0 - execution_rate * here).clip(lower=0.0, upper=1.0)
        scaled.append(scaling_rows(factor, window.start, window.end, measure))
    return apply_scaling(inventory, scaled, measure, "emergency", note=f"execution {execution_rate:g}")


def _check_alerts(alerts: pd.DataFrame, list_: EmergencyList) -> pd.DataFrame:
    problems = []
    known = set(list_.lines["city"])
    row: Any
    for i, row in enumerate(alerts.itertuples(index=False), start=1):
        where = f"alert {i}"
        if row.level not in LEVELS:
            problems.append(
                problem_at(where, "level", row.level, "must be one of " + ", ".join(LEVELS), "须为黄、橙、红之一")
            )
        if not row.end > row.start:
            problems.append(
                problem_at(where, "end", row.end, f"must be after the start {row.start}", f"须晚于开始时间 {row.start}")
            )
        if row.city not in known:
            problems.append(
                Problem(
                    list_.file,
                    "",
                    "city",
                    str(row.city),
                    "the list holds nothing for this city, which is under alert",
                    "清单中没有该预警城市的条目",
                )
            )
    if problems:
        raise InputError(problems)
    return strictest(alerts.assign(start=as_times(alerts["start"]), end=as_times(alerts["end"])))


def _refuse_second_emergency(inventory: Inventory, windows: pd.DataFrame, list_: EmergencyList) -> None:
    old = inventory.scaling[inventory.scaling["measure"].astype(str).str.contains("emergency")]
    if old.empty:
        return
    old_city = inventory.sources["city"].reindex(old["source"]).to_numpy()
    window: Any
    for window in windows.itertuples(index=False):
        same = old[(old_city == window.city) & (old["start"] < window.end) & (old["end"] > window.start)]
        if not same.empty:
            raise InputError(
                [
                    Problem(
                        list_.file,
                        "",
                        "alerts",
                        f"{window.city} {window.start}",
                        f"these hours are already counted in measure '{same['measure'].iloc[0]}'",
                        f"该时段已计入措施“{same['measure'].iloc[0]}”，不得重复计算",
                    )
                ]
            )


def _match(inventory: Inventory, list_: EmergencyList, cities: set[str]) -> dict[str, tuple[str, ...]]:
    """Return, for every list line of these cities, the sources it stands for."""
    sources = inventory.sources
    points, areas = sources[sources["kind"] == "point"], sources[sources["kind"] == "area"]
    by_id = points.groupby("enterprise_id").groups
    by_name = points.groupby([points["city"], points["name"].map(normalise)]).groups
    by_code = points.groupby("credit_code").groups if "credit_code" in points else {}
    matched: dict[str, tuple[str, ...]] = {}
    problems = []
    for place, line in list_.lines[list_.lines["city"].isin(cities)].iterrows():
        found: Sequence[Any] = ()
        if line["category"] == "industrial":
            for groups, key in (
                (by_id, line["enterprise_id"]),
                (by_code, line["credit_code"]),
                (by_name, (line["city"], normalise(line["enterprise"]))),
            ):
                if not found and key and key in groups:
                    found = list(groups[key])
            if found and line["subsector"]:
                wanted = SUBSECTOR_WORDS.get(normalise(line["subsector"]), line["subsector"])
                same = [s for s in found if sources.at[s, "subsector"] == wanted]
                found = same or found
        if not found:
            found = _match_area(areas, line)
        if not found:
            problems.append(_unmatched(inventory, list_, str(place), line))
        matched[str(place)] = tuple(str(s) for s in found)
    if problems:
        raise InputError(problems)
    return matched


def _match_area(areas: pd.DataFrame, line: pd.Series) -> list[str]:
    sector, subsector = line["sector"], ""
    if sector not in set(areas["sector"]):
        sector, subsector = AREA_WORDS.get(normalise(line["sector"]), ("", ""))
    word = line["subsector"]
    if word:
        subsector = SUBSECTOR_WORDS.get(normalise(word), word)
    here = areas[(areas["city"] == line["city"]) & (areas["sector"] == sector)]
    if subsector:
        here = here[here["subsector"] == subsector]
    return [str(s) for s in here.index]


def _unmatched(inventory: Inventory, list_: EmergencyList, place: str, line: pd.Series) -> Problem:
    if line["category"] == "industrial":
        points = inventory.sources[inventory.sources["kind"] == "point"]
        near = difflib.get_close_matches(line["enterprise"], list(points["name"].unique()), n=1, cutoff=0.5)
        hint, hint_zh = (f"; nearest is {near[0]}", f"；最接近的是 {near[0]}") if near else ("", "")
        return list_.problem(
            place,
            "enterprise",
            line["enterprise"],
            "this enterprise is not in the inventory" + hint,
            "排放清单中没有该企业" + hint_zh,
        )
    return list_.problem(
        place,
        "sector",
        f"{line['sector']} {line['subsector']}".strip(),
        "the inventory has no area source of this city, sector and subsector",
        "排放清单中没有该城市该源类的面源",
    )


def _list_effect(
    inventory: Inventory,
    list_: EmergencyList,
    matched: Mapping[str, tuple[str, ...]],
    cut: pd.DataFrame,
    inventory_base: pd.DataFrame,
) -> pd.DataFrame:
    """Return the share that goes, by source and pollutant of the inventory [1]."""
    names = list(LIST_POLLUTANTS)
    groups: dict[tuple[str, ...], list[str]] = {}
    for place, members in matched.items():
        groups.setdefault(members, []).append(place)
    list_base = list_.lines[[f"base_{p}" for p in names]].fillna(0.0).set_axis(names, axis=1)
    is_point = inventory.sources["kind"] == "point"
    share: dict[str, dict[str, float]] = {}
    listed: dict[str, set[str]] = {}
    for group, places in groups.items():
        ids = list(group)
        base: Any
        gone, base = cut.loc[places, names].sum(), list_base.loc[places].sum()
        if not np.all(is_point.loc[ids]):
            # a list holds mobile, dust and small sources in part: what it leaves out goes on
            whole = inventory_base.loc[ids, [LIST_POLLUTANTS[p][0] for p in names]].sum().set_axis(names)
            base = np.maximum(base, whole)
        for source in ids:
            row = share.setdefault(source, dict.fromkeys(names, 0.0))
            for p in names:
                if base[p] > 0:
                    listed.setdefault(source, set()).add(p)
                    row[p] = min(1.0, row[p] + float(gone[p] / base[p]))
    table = pd.DataFrame(0.0, index=pd.Index(list(share), name="source", dtype=object), columns=list(POLLUTANTS))
    for source, row in share.items():
        known = listed.get(source, set())
        smallest = min((row[p] for p in known), default=0.0)
        for pollutant in POLLUTANTS:
            of = next((p for p in names if pollutant in LIST_POLLUTANTS[p]), "")
            table.at[source, pollutant] = row[of] if of in known else smallest
    return table
