"""Measures: pure functions ``inventory -> (inventory, ledger rows)``; each acts on what the ones before leave.

A measure never edits an emission: it adds rows to ``Inventory.scaling`` (source, pollutant, factor, window),
new sources where a fuel takes another's place, and moves the coal ledger by the same tonnes.  The ledger rows
say what it removed from what was left, so that the rows of all measures add up.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from airsim import rules
from airsim.emergency.alerts import strictest
from airsim.emergency.counting import cuts, kg_per_day, plan_rule
from airsim.emergency.reading import LEVELS, EmergencyList
from airsim.errors import InputError, Problem
from airsim.inventory import POLLUTANTS, SECTORS, Inventory
from airsim.tables import normalise

if TYPE_CHECKING:
    from airsim.rules import Rule

#: Columns of the ledger.  `removed` [`unit`]: t over the window, t a-1 of a permanent measure, kg d-1 where the
#: window is open on one side; negative where a measure adds.  `pollutant` is a pollutant of the inventory or, for
#: coal, the fuel.  `kg_per_day` [kg d-1].
LEDGER = (
    "measure",
    "kind",
    "city",
    "sector",
    "source",
    "pollutant",
    "removed",
    "unit",
    "kg_per_day",
    "start",
    "end",
    "note",
)
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
COAL_FUELS = frozenset(rules.load("fuels")["heating_value"])
ROUTES = ("electricity", "gas", "district_heat", "clean_coal")
#: City under which coal is booked that burns outside the cities of the case.
IMPORTED = "imported"

When = dt.datetime | np.datetime64 | pd.Timestamp | None


# --------------------------------------------------------------------------------------------------------
# emergency response


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
    _check_share("execution_rate", execution_rate)
    windows = _check_alerts(alerts, list_)
    measure = measure or _new_id(inventory, "emergency")
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
        scaled.append(_scaling_rows(factor, window.start, window.end, measure))
    return _apply(inventory, scaled, measure, "emergency", note=f"execution {execution_rate:g}")


def _check_alerts(alerts: pd.DataFrame, list_: EmergencyList) -> pd.DataFrame:
    problems = []
    known = set(list_.lines["city"])
    row: Any
    for i, row in enumerate(alerts.itertuples(index=False), start=1):
        where = f"alert {i}"
        if row.level not in LEVELS:
            problems.append(
                _problem(where, "level", row.level, "must be one of " + ", ".join(LEVELS), "须为黄、橙、红之一")
            )
        if not row.end > row.start:
            problems.append(
                _problem(where, "end", row.end, f"must be after the start {row.start}", f"须晚于开始时间 {row.start}")
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
    return strictest(alerts.assign(start=_times(alerts["start"]), end=_times(alerts["end"])))


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


# --------------------------------------------------------------------------------------------------------
# percentage cuts, stops and limits


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
    _check_percent(percent, at)
    window = _check_window(start, end, at)
    sources = inventory.sources
    chosen = pd.Series(True, index=sources.index)
    for column, wanted in (("city", cities), ("sector", sectors)):
        names = _names(wanted)
        if names is not None:
            _check_known(names, set(sources[column]), column, at)
            chosen &= sources[column].isin(names)
    named = _names(pollutants)
    if named is not None:
        _check_known(named, set(POLLUTANTS), "pollutant", at)
    if not chosen.any():
        raise InputError(
            [_problem(at, "cut", f"{cities} {sectors}", "no source is cut by this", "该措施未涉及任何排放源")]
        )
    ids = list(sources.index[chosen])
    factor = pd.DataFrame(1.0, index=ids, columns=list(POLLUTANTS))
    factor[named if named is not None else list(POLLUTANTS)] = 1.0 - percent / 100.0
    measure = measure or _new_id(inventory, "cut")
    return _apply(inventory, [_scaling_rows(factor, *window, measure)], measure, "cut", note=f"-{percent:g} %")


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
    _check_percent(percent, at)
    window = _check_window(start, end, at)
    ids = _find_enterprise(inventory, enterprise, at)
    kind = "stop" if percent == 100 else "limit"
    measure = measure or _new_id(inventory, kind)
    factor = pd.DataFrame(1.0 - percent / 100.0, index=ids, columns=list(POLLUTANTS))
    result, rows = _apply(inventory, [_scaling_rows(factor, *window, measure)], measure, kind, note=f"-{percent:g} %")
    if pd.isna(window[0]) and pd.isna(window[1]) and len(inventory.coal):
        row: Any
        for row in rows[~rows["pollutant"].isin(POLLUTANTS)].itertuples():
            result = _move_coal(result, year, row.city, row.sector, row.pollutant, -row.removed, measure, at)
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


def _find_enterprise(inventory: Inventory, enterprise: str, at: tuple[str, str]) -> list[str]:
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
            _problem(
                at,
                "enterprise",
                enterprise,
                "not in the inventory" + hint,
                "排放清单中没有该企业" + hint_zh,
            )
        ]
    )


# --------------------------------------------------------------------------------------------------------
# household coal


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
    _check_known([city], set(inventory.sources["city"]), "city", at)
    _check_known([route], set(ROUTES), "route", at)
    _check_share("execution_rate", execution_rate, at)
    for key, value in (("households", households), ("tonnes_per_household", tonnes_per_household)):
        if not (np.isfinite(value) and value > 0):
            raise InputError([_problem(at, key, value, "must be above 0", "须大于 0")])
    rule = rules.load("heating")
    measure = measure or _new_id(inventory, "coal_substitution")
    tonnes = households * tonnes_per_household * execution_rate
    if tonnes == 0:
        return inventory, pd.DataFrame(columns=list(LEDGER))
    homes = _coal_left(inventory, city, "residential", fuel)
    if tonnes > homes.sum() * (1 + 1e-12):
        raise InputError(
            [
                _problem(
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
    result, rows = _apply(
        inventory, [_scaling_rows(factor, pd.NaT, pd.NaT, measure)], measure, "coal_substitution", note=note
    )
    result = _move_coal(result, year, city, "residential", fuel, -tonnes, measure, at)
    parts = [rows]
    if route == "electricity":
        coal = _power_coal(heat, rule)
        if power_city is None:
            parts.append(_ledger_rows([_coal_row(measure, IMPORTED, "power", "raw_coal", -coal, note)]))
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
            result = _move_coal(result, year, city, "residential", "briquette", new, measure, at)
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
    return coal * _left(inventory, list(coal.index), pd.NaT, pd.NaT)["coal"]


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
                _problem(
                    at,
                    "route",
                    f"{city} {sector}",
                    "the inventory has no such coal source to burn the induced coal",
                    "排放清单中没有可承担新增用煤的该类源",
                )
            ]
        )
    factor = pd.DataFrame(1.0 + coal / left.sum(), index=list(left.index), columns=list(POLLUTANTS))
    result, rows = _apply(
        inventory, [_scaling_rows(factor, pd.NaT, pd.NaT, measure)], measure, "coal_substitution", note=note
    )
    return _move_coal(result, year, city, sector, "raw_coal", coal, measure, at), rows


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
        _row(measure, "coal_substitution", row["city"], row["sector"], "", p, -float(row[p]), note)
        for row in new.to_dict("records")
        for p in POLLUTANTS
        if row[p] > 0
    ]
    if coal.sum() > 0:
        city = str(new["city"].iloc[0])
        rows.append(_coal_row(measure, city, "residential", "briquette", -float(coal.sum()), note))
    return result, _ledger_rows(rows)


def _move_coal(
    inventory: Inventory,
    year: int | None,
    city: str,
    sector: str,
    fuel: str,
    tonnes: float,
    measure: str,
    at: tuple[str, str],
) -> Inventory:
    """Move one year of the coal ledger by some tonnes (an increase may open a row)."""
    ledger = inventory.coal
    if not len(ledger) or tonnes == 0:
        return inventory
    ledger = ledger.copy()
    year = int(ledger["year"].max()) if year is None else year
    here = (ledger["year"] == year) & (ledger["city"] == city) & (ledger["sector"] == sector) & (ledger["fuel"] == fuel)
    total = float(ledger.loc[here, "consumption"].sum())
    if total + tonnes < -1e-9 * max(total, 1.0):
        raise InputError(
            [
                _problem(
                    at,
                    "coal",
                    f"{-tonnes:.0f} t",
                    f"the coal ledger of {year} holds {total:.0f} t of {fuel} for {city}, {sector}",
                    f"{year} 年煤炭台账中 {city} {sector} 的 {fuel} 仅 {total:.0f} t",
                )
            ]
        )
    if total > 0:
        ledger["consumption"] = ledger["consumption"].astype(np.float64)
        ledger.loc[here, "consumption"] *= max(0.0, (total + tonnes) / total)
    else:
        row = {c: np.nan if c == "heating_value" else "" for c in ledger.columns}
        row |= {"year": year, "city": city, "sector": sector, "fuel": fuel, "consumption": tonnes}
        row |= {"basis": measure, "quality": "estimated", "origin": measure}
        added = pd.DataFrame([{c: row[c] for c in ledger.columns}])
        ledger = pd.concat([ledger, added.astype(ledger.dtypes.to_dict())], ignore_index=True)
    return dataclasses.replace(inventory, coal=ledger)


# --------------------------------------------------------------------------------------------------------
# scaling rows and ledger rows


def _scaling_rows(factor: pd.DataFrame, start: Any, end: Any, measure: str) -> pd.DataFrame:
    """Turn factors (source, pollutant) into rows of `Inventory.scaling`; "*" where all pollutants agree."""
    rows: list[tuple[str, str, float]] = []
    for source, values in zip(factor.index, factor.to_numpy(), strict=True):
        if np.all(values == values[0]):
            if values[0] != 1.0:
                rows.append((source, "*", float(values[0])))
        else:
            rows += [(source, p, float(v)) for p, v in zip(factor.columns, values, strict=True) if v != 1.0]
    table = pd.DataFrame(rows, columns=["source", "pollutant", "factor"])
    return table.assign(start=pd.Timestamp(start), end=pd.Timestamp(end), measure=measure).astype(
        {"start": "datetime64[ns]", "end": "datetime64[ns]"}
    )


def _apply(
    inventory: Inventory, scaled: Sequence[pd.DataFrame], measure: str, kind: str, *, note: str
) -> tuple[Inventory, pd.DataFrame]:
    """Add scaling rows and account for what they take from what is left."""
    ledger = [_account(inventory, rows, measure, kind, note) for rows in scaled if len(rows)]
    parts = [p for p in (inventory.scaling, *scaled) if len(p)]
    scaling = pd.concat(parts, ignore_index=True) if parts else inventory.scaling
    result = dataclasses.replace(inventory, scaling=scaling)
    return result, pd.concat(ledger, ignore_index=True) if ledger else _ledger_rows([])


def _account(inventory: Inventory, rows: pd.DataFrame, measure: str, kind: str, note: str) -> pd.DataFrame:
    """Make the ledger rows of scaling rows that share one window."""
    start, end = rows["start"].iloc[0], rows["end"].iloc[0]
    ids = list(dict.fromkeys(rows["source"]))
    factor = pd.DataFrame({source: _factors(r) for source, r in rows.groupby("source")}).T.loc[ids]
    sources = inventory.sources.loc[ids]
    annual = sources[[*POLLUTANTS, "coal"]].fillna(0.0).astype(np.float64)
    left = _left(inventory, ids, start, end)
    days = np.where((sources["kind"] == "point") & (sources["operating_days"] > 0), sources["operating_days"], 365.0)
    gone_per_day = annual.mul(1000.0 / days, axis=0) * left * (1.0 - factor)
    if pd.isna(start) and pd.isna(end):
        removed, unit = annual * left * (1.0 - factor), "t a-1"
    elif pd.isna(start) or pd.isna(end):
        removed, unit = gone_per_day, "kg d-1"
    else:
        removed, unit = gone_per_day * ((end - start) / pd.Timedelta("1D")) / 1000.0, "t"
    point = sources["kind"] == "point"
    keys = pd.DataFrame(
        {
            "city": sources["city"],
            "sector": sources["sector"],
            "source": sources["name"].where(point, ""),
            "fuel": _coal_name(sources),
        }
    )
    out = []
    for column in (*POLLUTANTS, "coal"):
        named = keys["fuel"] if column == "coal" else pd.Series(column, index=keys.index)
        table = pd.DataFrame({"removed": removed[column], "kg_per_day": gone_per_day[column], "pollutant": named}).join(
            keys[["city", "sector", "source"]]
        )
        table = table[table["removed"] != 0].reset_index(drop=True)
        out.append(table.groupby(["city", "sector", "source", "pollutant"], sort=False).sum().reset_index())
    ledger = pd.concat(out, ignore_index=True)
    return ledger.assign(measure=measure, kind=kind, unit=unit, start=start, end=end, note=note)[list(LEDGER)]


def _coal_name(sources: pd.DataFrame) -> pd.Series:
    """Return the ledger fuel of each source's coal; enterprises that name none burn raw, cokeries washed coal."""
    usual = sources["sector"].map({"coking": "washed_coal"}).fillna("raw_coal")
    return sources["fuel"].where(sources["fuel"].isin(COAL_FUELS), usual)


def _factors(rows: pd.DataFrame) -> pd.Series:
    """Return what one measure leaves of each pollutant and of the coal of one source [1].

    Coal goes with production, so by the smallest change of any pollutant: a filter saves no coal.
    """
    factor = pd.Series(1.0, index=[*POLLUTANTS, "coal"])
    row: Any
    for row in rows.itertuples(index=False):
        if row.pollutant == "*":
            factor *= row.factor
        else:
            factor[row.pollutant] *= row.factor
    listed = factor[list(POLLUTANTS)]
    factor["coal"] = listed.iloc[np.argmin(np.abs(listed.to_numpy() - 1.0))]
    return factor


def _left(inventory: Inventory, ids: Sequence[str], start: Any, end: Any) -> pd.DataFrame:
    """Return the share of each emission that earlier measures leave, as the mean over a window [1].

    Without a window only permanent measures count: what passes leaves the year as it was.
    """
    columns = [*POLLUTANTS, "coal"]
    left = pd.DataFrame(1.0, index=list(ids), columns=columns)
    old = inventory.scaling[inventory.scaling["source"].isin(ids)]
    windowed = not (pd.isna(start) or pd.isna(end))
    for source, rows in old.groupby("source"):
        begin = rows["start"].fillna(pd.Timestamp.min)
        finish = rows["end"].fillna(pd.Timestamp.max)
        if not windowed:
            active = [(1.0, rows[rows["start"].isna() & rows["end"].isna()])]
        else:
            inside = [t for t in (*begin, *finish) if start < t < end]
            edges = sorted({start, end, *inside})
            active = [
                ((b - a) / (end - start), rows[(begin <= a) & (finish >= b)]) for a, b in itertools.pairwise(edges)
            ]
        mean = np.zeros(len(columns))
        for weight, here in active:
            factor = np.ones(len(columns))
            for _, one in here.groupby("measure"):
                factor = factor * _factors(one).to_numpy()
            mean += weight * factor
        left.loc[source] = mean
    return left


def _row(
    measure: str, kind: str, city: str, sector: str, source: str, pollutant: str, removed: float, note: str
) -> dict[str, Any]:
    """Make a ledger row of a permanent measure; `removed` [t a-1]."""
    return {
        "measure": measure,
        "kind": kind,
        "city": city,
        "sector": sector,
        "source": source,
        "pollutant": pollutant,
        "removed": removed,
        "unit": "t a-1",
        "kg_per_day": removed * 1000.0 / 365.0,
        "start": pd.NaT,
        "end": pd.NaT,
        "note": note,
    }


def _coal_row(measure: str, city: str, sector: str, fuel: str, removed: float, note: str) -> dict[str, Any]:
    return _row(measure, "coal_substitution", city, sector, "", fuel, removed, note)


def _ledger_rows(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=list(LEDGER))
    return table.astype({"start": "datetime64[ns]", "end": "datetime64[ns]"})


# --------------------------------------------------------------------------------------------------------
# checks


def _problem(at: tuple[str, str] | str, key: str, value: object, said: str, said_zh: str) -> Problem:
    file, where = (at, "") if isinstance(at, str) else at
    return Problem(file or "measures", where, key, str(value), said, said_zh)


def _check_percent(percent: float, at: tuple[str, str]) -> None:
    if not 0 < percent <= 100:
        raise InputError([_problem(at, "percent", percent, "must be above 0 and at most 100", "须大于 0 且不超过 100")])


def _check_share(key: str, value: float, at: tuple[str, str] = ("", "")) -> None:
    if not 0 <= value <= 1:
        raise InputError([_problem(at, key, value, "must be from 0 to 1", "须在 0 与 1 之间")])


def _check_window(start: When, end: When, at: tuple[str, str]) -> tuple[Any, Any]:
    if start is None and end is None:
        return pd.NaT, pd.NaT
    begin: Any = pd.NaT if start is None else _time(start)
    finish: Any = pd.NaT if end is None else _time(end)
    if start is not None and end is not None and finish <= begin:
        raise InputError([_problem(at, "end", finish, f"must be after the start {begin}", f"须晚于开始时间 {begin}")])
    return begin, finish


def _time(value: Any) -> pd.Timestamp:
    stamp = pd.Timestamp(value)
    return stamp.tz_convert("UTC").tz_localize(None) if stamp.tzinfo is not None else stamp


def _times(values: pd.Series) -> pd.Series:
    return pd.Series([_time(v) for v in values], index=values.index).astype("datetime64[ns]")


def _names(wanted: str | Iterable[str] | None) -> list[str] | None:
    if wanted is None or wanted == "*":
        return None
    return [wanted] if isinstance(wanted, str) else list(wanted)


def _check_known(names: Iterable[str], known: set[str], key: str, at: tuple[str, str]) -> None:
    unknown = [n for n in names if n not in known]
    if unknown:
        listed = ", ".join(sorted(known))
        raise InputError([_problem(at, key, n, f"must be one of {listed}", f"须为以下之一：{listed}") for n in unknown])


def _new_id(inventory: Inventory, kind: str) -> str:
    used = set(inventory.scaling["measure"]) | set(inventory.sources["origin"])
    number = 1
    while f"{kind}-{number}" in used:
        number += 1
    return f"{kind}-{number}"
