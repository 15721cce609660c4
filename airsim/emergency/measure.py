"""Emergency response: a reduction list carried out in the windows of its alerts."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from airsim.emergency.alerts import strictest
from airsim.emergency.all_society import kg_per_day
from airsim.emergency.counting import cuts
from airsim.emergency.plans import plan_rule
from airsim.emergency.reduction_list import EmergencyList
from airsim.emergency.wording import LEVELS
from airsim.errors import InputError, Problem
from airsim.inventory import POLLUTANTS, SECTORS, Inventory
from airsim.tables import normalise

if TYPE_CHECKING:
    from airsim.rules import Rule

from airsim.measures.ledger import apply_scaling, as_times, check_share, new_id, problem_at
from airsim.measures.ramps import AT_ONCE, Pace, Piece, by_day, catch_up, pace_of, pieces

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
    response: Rule | None = None,
    hours_of_day: Mapping[str, tuple[int, int]] | None = None,
    rebound: tuple[float, int] = (0.0, 72),
    measure: str = "",
    ledger: bool = True,
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
    response : Rule, optional
        A version of the rule file ``emergency_response``: how many hours sources take to follow. Without it every
        cut is whole from the first hour of the window to its last.
    hours_of_day : mapping, optional
        ``sector`` or ``sector/subsector`` -> local hours (from, to) in which its cuts hold, such as a ban of lorries by
        day. The list's kilograms a day are then saved within these hours, as far as so much is emitted in them.
    rebound : (float, int)
        Share of the lost emission that is caught up afterwards [1], and the hours over which, limited by the
        headroom of the rule file [h].
    measure : str
        Id in the ledger; made up if empty.
    ledger : bool
        Whether the ledger rows are wanted.

    Returns
    -------
    (Inventory, DataFrame)
        The inventory with its new scaling rows, and the ledger rows (columns `LEDGER`); what happens after the end of
        an alert stands in rows of its own.

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
    counted = {level: cuts(list_, level, plan=counting) for level in dict.fromkeys(windows["level"])}
    effects = {level: _list_effect(inventory, list_, matched, cut, base) for level, cut in counted.items()}
    said = _said_hours(counted.values(), matched)
    _refuse_second_emergency(inventory, windows, list_)
    scaled: list[pd.DataFrame] = []
    booked: list[pd.DataFrame] = []
    city_of = inventory.sources["city"]
    # every level cuts the same sources: those that the list names
    index = next(iter(effects.values())).index
    whole = {
        level: execution_rate * share[list(POLLUTANTS)].clip(0.0, 1.0).to_numpy() for level, share in effects.items()
    }
    for city, own in windows.groupby("city", sort=False):
        here = index[city_of.loc[index] == city]
        for members, pace, daily in _classes(inventory, here, response, hours_of_day or {}, said):
            at = index.get_indexer(pd.Index(members))
            cut = {level: share[at] for level, share in whole.items()}
            parts = pieces(own, pace) if daily is None else by_day(own, daily.start, daily.end)
            if daily is not None:
                cut = _into_hours(inventory, members, cut, parts, daily)
            if not parts:
                continue
            in_force = np.stack([sum(share * cut[level] for level, share in p.shares.items()) for p in parts])
            scaled.append(_rows(1.0 - in_force, members, [(p.start, p.end) for p in parts], measure))
            phases = list(dict.fromkeys(p.phase for p in parts))
            mean = np.stack(
                [
                    sum(p.hours * c for p, c in zip(parts, in_force, strict=True) if p.phase == (begin, finish))
                    / ((finish - begin) / pd.Timedelta("1h"))
                    for begin, finish in phases
                ]
            )
            booked.append(_rows(1.0 - mean, members, phases, measure))
            extra = catch_up(parts, cut, *rebound, pace.headroom)
            if extra is not None:
                start, end, more = extra
                for rows in (scaled, booked):
                    rows.append(_rows(1.0 + more[None], members, [(start, end)], measure))
    accounted: list[pd.DataFrame] = []
    if not ledger:
        pass
    elif booked and _steady(inventory, windows):
        accounted = [rows for _, rows in pd.concat(booked, ignore_index=True).groupby(["start", "end"], sort=False)]
    elif scaled:
        accounted = [rows for _, rows in pd.concat(scaled, ignore_index=True).groupby(["start", "end"], sort=False)]
    return apply_scaling(
        inventory, scaled, measure, "emergency", note=f"execution {execution_rate:g}", accounted=accounted
    )


def _rows(
    factor: npt.NDArray[np.float64], members: list[str], windows: list[tuple[Any, Any]], measure: str
) -> pd.DataFrame:
    """Turn factors (window, source, pollutant) into rows of `Inventory.scaling`; "*" where all pollutants agree."""
    alike = (factor == factor[..., :1]).all(-1)
    window, source, pollutant = np.nonzero(np.where(alike[..., None], False, factor != 1.0))
    whole, one = np.nonzero(alike & (factor[..., 0] != 1.0))
    names = np.array([*POLLUTANTS, "*"], dtype=object)
    at = np.concatenate([whole, window])
    starts, ends = (np.array([w[i] for w in windows], "datetime64[ns]") for i in (0, 1))
    table = pd.DataFrame(
        {
            "source": np.array(members, dtype=object)[np.concatenate([one, source])],
            "pollutant": np.concatenate([names[np.full(len(one), -1)], names[pollutant]]),
            "factor": np.concatenate([factor[whole, one, 0], factor[window, source, pollutant]]),
            "start": starts[at],
            "end": ends[at],
        }
    )
    return table.assign(measure=measure)


class _Hours(NamedTuple):
    """Local hours of the day in which a cut holds; `said` by the list, whose figures are then means of 24 hours."""

    start: int
    end: int
    said: bool

    @property
    def length(self) -> int:
        return (self.end - self.start) % 24 or 24


def _said_hours(counted: Iterable[pd.DataFrame], matched: Mapping[str, tuple[str, ...]]) -> dict[str, _Hours]:
    """Return source -> the hours that the list states for it, where all lines that cut it state the same."""
    found: dict[str, set[tuple[float, float]]] = {}
    for table in counted:
        if "from_hour" not in table:
            continue
        acting = table[(table[list(LIST_POLLUTANTS)] > 0).any(axis=1) & table.index.isin(matched)]
        for place, begin, end in acting[["from_hour", "to_hour"]].itertuples(name=None):
            for source in matched[str(place)]:
                found.setdefault(source, set()).add((begin, end) if np.isfinite(begin) else (-1.0, -1.0))
    only = {source: next(iter(hours)) for source, hours in found.items() if len(hours) == 1}
    return {source: _Hours(int(a), int(b), True) for source, (a, b) in only.items() if a >= 0 and int(a) != int(b) % 24}


def _classes(
    inventory: Inventory,
    members: pd.Index,
    response: Rule | None,
    hours_of_day: Mapping[str, tuple[int, int]],
    said: Mapping[str, _Hours],
) -> list[tuple[list[str], Pace, _Hours | None]]:
    """Return the sources that follow alike: members, pace, and hours of the day; the scenario's hours come first."""
    found: dict[tuple[Pace, _Hours | None], list[str]] = {}
    for source, sector, subsector in inventory.sources.loc[members, ["sector", "subsector"]].itertuples():
        asked = hours_of_day.get(f"{sector}/{subsector}") or hours_of_day.get(str(sector))
        daily = _Hours(*asked, False) if asked else said.get(str(source))
        pace = pace_of(response, sector, subsector) if response is not None else AT_ONCE
        found.setdefault((pace, daily), []).append(str(source))
    return [(ids, pace, daily) for (pace, daily), ids in found.items()]


def _into_hours(
    inventory: Inventory,
    members: list[str],
    cut: Mapping[str, npt.NDArray[np.float64]],
    parts: Sequence[Piece],
    daily: _Hours,
) -> dict[str, npt.NDArray[np.float64]]:
    """Move cuts of a whole day into some hours of it: divided by the share of the day that lies in these hours.

    Where the list states the hours its shares are means over 24 equal hours; else the day's kilograms are saved within
    the hours, by the share of the day's emission in them.
    """
    from airsim.clock import from_beijing
    from airsim.inventory import Profiles

    if not parts:
        return dict(cut)
    inside = np.full(len(members), daily.length / 24.0)
    if not daily.said:
        profiles = Profiles()
        first = from_beijing(np.datetime64(parts[0].start.normalize(), "h"))
        held = (np.arange(24) - daily.start) % 24 < daily.length
        sources = inventory.sources.loc[members]
        for i, (sector, subsector) in enumerate(zip(sources["sector"], sources["subsector"], strict=True)):
            emitted = profiles.fraction(profiles.key(sector, subsector), first + np.arange(24))
            inside[i] = emitted[held].sum() / emitted.sum()
    return {level: np.minimum(share / inside[:, None], 1.0) for level, share in cut.items()}


def shares_by_line(
    inventory: Inventory,
    list_: EmergencyList,
    level: str,
    cities: Iterable[str],
    *,
    plan: Rule | str | dt.date | None = None,
) -> pd.DataFrame:
    """Return what each line of a list takes of each source, before execution.

    Parameters
    ----------
    inventory : Inventory
    list_ : EmergencyList
    level : {"yellow", "orange", "red"}
    cities : iterable of str
        City ids.
    plan : Rule, str or date, optional
        Emergency plan whose counting rules apply.

    Returns
    -------
    DataFrame
        Columns place, source, pollutant (of the list), share [1]: the part of the source's emission that stops.

    Raises
    ------
    InputError
        As `emergency`.
    """
    matched = _match(inventory, list_, set(cities))
    base, names = kg_per_day(inventory), list(LIST_POLLUTANTS)
    cut = cuts(list_, level, plan=plan_rule(plan))
    listed = list_.lines[[f"base_{p}" for p in names]].fillna(0.0).set_axis(names, axis=1)
    groups: dict[tuple[str, ...], list[str]] = {}
    for place, members in matched.items():
        groups.setdefault(members, []).append(place)
    is_point = inventory.sources["kind"] == "point"
    amounts: Any = cut[names].to_dict("index")
    rows: list[tuple[str, str, str, float]] = []
    for members, places in groups.items():
        whole = _base_of(listed.loc[places].sum(), base, is_point, list(members))
        for place in places:
            for p in names:
                gone = float(amounts[place][p])
                if gone > 0 and whole[p] > 0:
                    rows += [(place, source, p, gone / float(whole[p])) for source in members]
    return pd.DataFrame(rows, columns=["place", "source", "pollutant", "share"])


def _base_of(listed: pd.Series, base: pd.DataFrame, is_point: pd.Series, members: list[str]) -> pd.Series:
    """Return against what the cuts of some sources are set [kg d-1]."""
    if np.all(is_point.loc[members]):
        return listed
    # a list holds mobile, dust and small sources in part: what it leaves out goes on
    names = list(LIST_POLLUTANTS)
    whole = base.loc[members, [LIST_POLLUTANTS[p][0] for p in names]].sum().set_axis(names)
    return listed.where(listed > whole, whole)


def _steady(inventory: Inventory, windows: pd.DataFrame) -> bool:
    """Return whether earlier measures stand still through all windows, so that means may be booked."""
    old = inventory.scaling
    passing = old[old["start"].notna() | old["end"].notna()]
    begin, finish = windows["start"].min(), windows["end"].max()
    started, ended = passing["start"].fillna(pd.Timestamp.min), passing["end"].fillna(pd.Timestamp.max)
    # what comes after the alert may meet them too
    return bool(((started > finish + pd.Timedelta(days=10)) | (ended <= begin)).all())


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
        gone = cut.loc[places, names].sum()
        base = _base_of(list_base.loc[places].sum(), inventory_base, is_point, ids)
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
