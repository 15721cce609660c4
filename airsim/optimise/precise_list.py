"""The precise list: the fewest lines that reach the required shares and a wanted effect, against the blanket list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from airsim.emergency.counting import area_switch, compliance, cuts
from airsim.emergency.reduction_list import EmergencyList
from airsim.emergency.wording import AREAS, POLLUTANTS
from airsim.errors import InputError, Problem
from airsim.geography import CITIES
from airsim.optimise.milp import Demand, Impossible, Optimum, least

if TYPE_CHECKING:
    from airsim.coal.plan import Plan
    from airsim.inventory import Inventory
    from airsim.region.air import Air
    from airsim.response.effect import Response
    from airsim.response.uncertainty import Contributions
    from airsim.rules import Rule

Array = NDArray[Any]
Objective = Literal["output", "lines", "enterprises", "cost"]

#: What is made least: the words of the report.
OBJECTIVES: dict[str, tuple[str, str]] = {
    "output": ("停产的生产线当量", "line-equivalents stopped"),
    "lines": ("采取措施的生产线数", "lines that act"),
    "enterprises": ("受影响的企业数", "enterprises that act"),
    "cost": ("停限产费用（万元/天）", "cost [10^4 yuan/d]"),
}
#: Shares of the blanket list's effect at which the two are compared.
COMPARED = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
#: Precursor of PM2.5 -> pollutant of a list; the others go with the mean of those listed.
_LISTED = {"PM25": "PM", "SO2": "SO2", "NOx": "NOx", "VOC": "VOC"}


@dataclass(frozen=True)
class Precise:
    """A precise list.

    Attributes
    ----------
    lines : DataFrame
        Index as the list's lines; columns enterprise, city, category, free (may be chosen), acts, weight (what the
        objective counts), SO2 ... VOC [kg d-1] and, with an impact, a column a target [ug m-3].
    optimum : Optimum
    demands : tuple of Demand
        In the order of `optimum.reached` and `optimum.marginal`.
    objective : str
    enterprises : (int, int, int)
        In the list with a cut at this level; that act in the precise list; that may stay open.
    unreachable : tuple of Demand
        Shares that the whole list does not reach: what it does reach is kept, compliance names what is missing.
    """

    lines: pd.DataFrame
    optimum: Optimum
    demands: tuple[Demand, ...]
    objective: str
    enterprises: tuple[int, int, int]
    unreachable: tuple[Demand, ...] = ()


def choose(
    list_: EmergencyList,
    inventory: Inventory,
    level: str,
    *,
    objective: Objective = "output",
    plan: Rule | str | Path | None = None,
    day_factor: Mapping[str, float] | None = None,
    areas: Mapping[str, str] | None = None,
    base: pd.DataFrame | None = None,
    shares: bool = True,
    impact: pd.DataFrame | None = None,
    wanted: Mapping[str, float] | None = None,
    free: Sequence[str] = ("industrial",),
    gap: float = 1e-3,
    seconds: float = 30.0,
) -> Precise:
    """Choose the lines of a list that reach the shares and a wanted effect with the least disturbance.

    Parameters
    ----------
    list_ : EmergencyList
    inventory : Inventory
    level : {"yellow", "orange", "red"}
    objective : {"output", "lines", "enterprises", "cost"}
        What is made least. ``output`` counts line-equivalents: the share of a line's production that stops times its
        number of units. ``cost`` is the list's own column of stopping costs.
    plan, day_factor, areas, base
        As for `airsim.emergency.compliance`.
    shares : bool
        Whether the required shares must be met in every city that the whole list brings to them.
    impact : DataFrame, optional
        Index as the list's lines, a column a target: what the line's cut takes [ug m-3] (`impact_of_lines`).
    wanted : mapping, optional
        Target -> what must be taken at least [ug m-3].
    free : sequence of str
        Categories among which is chosen; items of the others act as listed.
    gap : float
        Relative gap at which the search may end [1].
    seconds : float
        Time limit [s].

    Returns
    -------
    Precise

    Raises
    ------
    InputError
        No cost column for ``cost``; or no choice meets the demands: every one that fails, and by how much.
    """
    every, table = _demands(list_, inventory, level, plan, day_factor, areas, base, shares, impact, wanted, free)
    missed = [d for d in every if d.unit == "%" and d.coefficients.sum() < d.bound * (1 - 1e-9)]
    # where even the whole list falls short, what it does reach is kept
    demands = [
        replace(d, bound=float(d.coefficients.sum()) * (1 - 1e-9)) if any(d is m for m in missed) else d for d in every
    ]
    weight = _weights(list_, table, objective)
    acting = np.asarray(table[list(POLLUTANTS)].to_numpy(float).any(axis=1))
    may = acting & table["free"].to_numpy(bool)
    chosen = np.flatnonzero(may)
    given = acting & ~table["free"].to_numpy(bool)
    n = len(chosen)
    firms = table["enterprise"].where(table["enterprise"] != "", table.index.astype(str)) + "@" + table["city"]
    cost, together, extra = weight[chosen], [], 0
    if objective == "enterprises":
        # a line may act only if its enterprise is among those that act; the enterprise is what counts
        names, of = np.unique(firms.to_numpy()[chosen], return_inverse=True)
        extra = len(names)
        cost = np.r_[np.zeros(n), np.ones(extra)]
        together = [(i, n + int(f)) for i, f in enumerate(of)]
    asked = [
        Demand(d.key, d.zh, d.en, np.r_[d.coefficients[chosen], np.zeros(extra)], d.sense,
               d.bound - float(d.coefficients[given].sum()), d.unit)
        for d in demands
    ]  # fmt: skip
    try:
        found = least(cost, asked, together=together, gap=gap, seconds=seconds)
    except Impossible as none:
        raise none.problems(list_.file) from None
    except TimeoutError:
        raise InputError(
            [
                Problem(
                    list_.file, "", "optimise", f"{seconds:g} s", "no choice found in time; allow more",
                    "限定时间内未找到方案，请延长时间",
                )
            ]
        ) from None  # fmt: skip
    acts = given.copy()
    acts[chosen] = found.chosen[:n] > 0.5
    lines = table.assign(acts=acts, weight=weight)
    everyone = set(firms[acting & (table["category"] == "industrial")])
    still = set(firms[acts & (table["category"] == "industrial")])
    reached = np.array([d.coefficients[acts].sum() for d in demands])
    # what is held at all that there is has no price
    marginal = np.where([any(d.key == m.key for m in missed) for d in demands], np.nan, found.marginal)
    optimum = Optimum(
        acts.astype(float), found.cost, found.lower, found.gap, reached, marginal, found.time_is_up
    )  # fmt: skip
    count = (len(everyone), len(still), len(everyone) - len(still))
    return Precise(lines, optimum, tuple(demands), objective, count, tuple(missed))


def _demands(
    list_: EmergencyList, inventory: Inventory, level: str, plan: Any, day_factor: Any, areas: Any, base: Any,
    shares: bool, impact: pd.DataFrame | None, wanted: Mapping[str, float] | None, free: Sequence[str],
) -> tuple[list[Demand], pd.DataFrame]:  # fmt: skip
    cut = cuts(list_, level, plan=plan)
    lines = list_.lines
    table = lines[["enterprise", "city", "category"]].copy()
    table["free"] = table["category"].isin(list(free))
    table["stopped_share"] = cut["stopped_share"].to_numpy()
    for p in POLLUTANTS:
        table[p] = cut[p].to_numpy(float)
    demands: list[Demand] = []
    if shares:
        told = area_switch(areas)
        unit = lines["area"].map(lambda a: AREAS[a][1] if told.get(a) == "with" else a).to_numpy()
        counted = compliance(list_, inventory, level, plan=plan, day_factor=day_factor, areas=areas, base=base)
        for city, rows in counted.groupby("city", sort=False):
            own = (unit == city).astype(float)
            zh, en = _city(str(city))
            by: Any = rows.set_index("pollutant")
            joint = [p for p in POLLUTANTS if pd.notna(by.at[p, "joint_pass"]) and by.at[p, "base_kg_d"] > 0]
            for p in POLLUTANTS:
                whole = by.at[p, "base_kg_d"]
                if p in joint or whole <= 0:
                    continue
                demands.append(
                    Demand(f"share/{city}/{p}", f"{zh} {p} 减排比例", f"share of {p} in {en}",
                           100.0 * own * table[p].to_numpy() / whole, "floor", 100.0 * float(by.at[p, "required"]), "%")
                )  # fmt: skip
            if joint:
                bases = by["base_kg_d"]
                summed = sum(own * table[p].to_numpy() / bases[p] for p in joint)
                name = "+".join(joint)
                demands.append(
                    Demand(f"share/{city}/{name}", f"{zh} {name} 联合减排比例", f"joint share of {name} in {en}",
                           100.0 * np.asarray(summed), "floor", 100.0 * float(by.at[joint[0], "joint_required"]), "%")
                )  # fmt: skip
    if impact is not None:
        for name in impact.columns:
            table[name] = impact[name].reindex(table.index).fillna(0.0).to_numpy()
            if wanted and name in wanted:
                city, kind = str(name).split(":")
                zh, en = _city(city)
                zh = f"{zh} PM2.5 {'最重日' if kind == 'peak' else '预警均值'}降低"
                en = f"cut of PM2.5 in {en}, {'worst day' if kind == 'peak' else 'alert mean'}"
                demands.append(
                    Demand(f"pm25/{name}", zh, en, table[name].to_numpy(), "floor", float(wanted[name]), "ug/m3")
                )  # fmt: skip
    return demands, table


def _city(unit: str) -> tuple[str, str]:
    """Return what a city or statistical unit is called."""
    named = {c.id: (c.name_zh, c.name_en) for c in CITIES} | {a: (names[0], a) for a, names in AREAS.items()}
    return named.get(unit, (unit, unit))


def _weights(list_: EmergencyList, table: pd.DataFrame, objective: str) -> Array:
    """Return what the objective counts for each line."""
    n = len(table)
    if objective in {"lines", "enterprises"}:
        return np.ones(n)
    if objective == "cost":
        cost = list_.lines["stop_cost"].to_numpy(float) if "stop_cost" in list_.lines else np.full(n, np.nan)
        asked = table["free"].to_numpy() & table[list(POLLUTANTS)].to_numpy().any(axis=1)
        missing = np.flatnonzero(asked & ~np.isfinite(cost))
        if len(missing):
            place = str(table.index[missing[0]])
            raise InputError(
                [
                    list_.problem(
                        place, "stop_cost", "", f"{len(missing)} lines state no cost of stopping [10^4 yuan/d]",
                        f"{len(missing)} 条生产线未填停产成本（万元/天）",
                    )
                ]
            )  # fmt: skip
        return np.nan_to_num(cost)
    number = list_.lines["lines"].fillna(1.0).clip(lower=1.0).to_numpy(float)
    bases = list_.lines[[f"base_{p}" for p in POLLUTANTS]].to_numpy(float)
    gone = table[list(POLLUTANTS)].to_numpy(float)
    by_tonnes = np.nanmax(np.divide(gone, bases, out=np.zeros_like(gone), where=bases > 0), axis=1)
    share = table["stopped_share"].to_numpy(float)
    return number * np.where(np.isfinite(share) & (share > 0), share, by_tonnes)


def impact_of_lines(
    inventory: Inventory, list_: EmergencyList, level: str, cities: Iterable[str], found: Contributions,
    plan: Rule | str | Path | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Share what the response takes at each source among the lines of the list.

    A line takes of its source's effect what it takes of the source's cut, pollutant by pollutant; of pollutants that
    the list does not carry (NH3), the mean over those it does. So the lines' impacts add up to the whole effect.

    Parameters
    ----------
    inventory : Inventory
        Without the response.
    list_ : EmergencyList
    level : str
    cities : iterable of str
        Under alert.
    found : Contributions
        From `airsim.response.uncertainty.trace`.
    plan : Rule, str or Path, optional

    Returns
    -------
    DataFrame
        Index as the list's lines, a column a target [ug m-3].
    """
    from airsim.assess.ranking import PRECURSORS
    from airsim.emergency.measure import shares_by_line

    told = shares_by_line(inventory, list_, level, cities, plan=plan)  # type: ignore[arg-type]
    told["part"] = told["share"] / told.groupby(["source", "pollutant"])["share"].transform("sum")
    out = pd.DataFrame(0.0, index=list_.lines.index, columns=list(found.targets))
    at = {str(s): i for i, s in enumerate(found.sources.index)}
    for p, precursor in enumerate(PRECURSORS):
        if precursor in _LISTED:
            part = told[told["pollutant"] == _LISTED[precursor]].set_index(["place", "source"])["part"]
        else:
            count = told.groupby("source")["pollutant"].nunique()
            part = told.groupby(["place", "source"])["part"].sum()
            part = part / count.reindex(part.index.get_level_values("source")).to_numpy()
        source = [at[str(s)] for s in part.index.get_level_values("source")]
        felt = part.to_numpy()[:, None] * found.cut[source, p]
        added = pd.DataFrame(felt, index=part.index.get_level_values("place"), columns=out.columns)
        out = out.add(added.groupby(level=0).sum(), fill_value=0.0).loc[out.index]
    return out


def against_blanket(make: Callable[[float], Precise], shares: Sequence[float] = COMPARED) -> pd.DataFrame:
    """Compare precise lists with the blanket list at equal effect.

    The blanket list reaches a share of its effect by asking the same share of every line: nobody stays open. The
    precise one picks the lines.

    Parameters
    ----------
    make : callable
        ``make(share)`` -> the precise list that keeps this share of the whole list's effect on every target.
    shares : sequence of float
        [1].

    Returns
    -------
    DataFrame
        One row a share: share, weight (of the objective), enterprises, act, open, gap.
    """
    rows = []
    for share in shares:
        found = make(share)
        listed, act, still = found.enterprises
        rows.append(
            {"share": share, "weight": found.optimum.cost, "enterprises": listed, "act": act, "open": still,
             "gap": found.optimum.gap}
        )  # fmt: skip
    return pd.DataFrame(rows)


def acting(plan: Plan, list_file: Path | None) -> Plan:
    """Return a plan up to the first measure that answers an alert, carried out by a list of one's own.

    Parameters
    ----------
    plan : Plan
    list_file : Path or None
        The list in place of the measure's.

    Raises
    ------
    InputError
        The plan has no emergency measure.
    """
    if not plan.answering:
        said, said_zh = "has no emergency measure", "没有应急措施"
        raise InputError([Problem(plan.file, plan.line, "measures", "", said, said_zh)])
    at = plan.answering[0]
    measure = plan.measures[at]
    if list_file is not None:
        measure = measure.model_copy(update={"list": str(Path(list_file).resolve())})
    return replace(plan, measures=(*plan.measures[:at], measure))


def traced(
    response: Response, air: Air, folder: Path | None, progress: Callable[[int, int], None] | None = None
) -> tuple[Contributions, dict[str, float]]:
    """Trace a response to the sources.

    What is dear, the air without the response and its adjoint, does not depend on the list and is kept; a new list then
    takes seconds. The slope is that without the response, so effects are those of the first tonnes.

    Parameters
    ----------
    response : Response
    air : Air
    folder : Path or None
        The cache.
    progress : callable, optional
        ``progress(done, all)``.

    Returns
    -------
    (Contributions, dict)
        What each source adds, and PM2.5 of each target without the response [ug m-3].
    """
    from airsim import inventory as inventories
    from airsim.inventory.placement import Placement
    from airsim.region.equilibrium import pm25, pm25_gradient
    from airsim.region.receptors import Watch, cities, weather_at
    from airsim.region.tracers import TRACERS
    from airsim.response import sensitivity, uncertainty
    from airsim.response.effect import CITY_IDS, peak_days

    place, weather, transport, inflow, hours = air.place, air.weather, air.transport, air.inflow, air.hours
    without, with_ = (inventories.grid(i, place, weather) for i in response.inventories)
    receptors = cities(place)
    time = transport.time[hours.start :]
    key = sensitivity.key_of(transport, without, inflow, receptors, hours, response.windows)
    kept = None if folder is None else sensitivity.kept(folder, key)
    if kept is None:
        entering = inflow[..., None]
        watch = Watch(receptors, hours, len(TRACERS), 1)
        steps = 3 * transport.hours

        def forth(done: int, _: int) -> None:
            if progress:
                progress(done, steps)

        def back(done: int, of: int) -> None:
            if progress:
                progress(int(transport.hours * (1 + 2 * done / of)), steps)

        transport.run(
            lambda h: without.at(h)[..., None], columns=1, initial=entering, inflow=entering, observe=watch, levels=1,
            progress=forth,
        )  # fmt: skip
        box = weather_at(weather, receptors, hours)
        constant = transport.coefficients.equilibrium.constant
        state = watch.tracers[..., 0]
        fine = np.full((len(time), len(CITY_IDS)), np.nan)
        fine[:, [CITY_IDS.index(n) for n in receptors.names]] = (
            pm25(state, *box, axis=-1, constant=constant) @ receptors.over_boxes.T
        )
        day = peak_days(xr.DataArray(fine, dims=("time", "city"), coords={"time": time}))
        wanted = uncertainty.targets(response.windows, day.values, receptors, time)
        slope = pm25_gradient(state, *box, axis=-1, constant=constant)
        felt = sensitivity.obtain(None, place.grid, weather, slope, receptors, hours, wanted, without, back)
        values = {t.name: float(t.hours @ fine[:, CITY_IDS.index(t.name.split(":")[0])]) for t in wanted}
        kept = (felt, values)
        if folder is not None:
            sensitivity.keep(folder, key, felt, values)
    felt, values = kept
    assert felt.sites == Placement(without).sites
    return uncertainty.contributions(felt, without, with_), values
