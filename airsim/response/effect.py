"""What an emergency response does to the air: with minus without, alone and together, sooner and later.

"Without" is the air that the measures before the response leave, "with" the air after it, both in the same weather.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import sparse

from airsim.clock import day_of
from airsim.emergency.alerts import strictest
from airsim.geography import CITIES
from airsim.inventory.gridding import GriddedEmissions, grid, pollutants
from airsim.inventory.placement import Placement
from airsim.inventory.reading import POLLUTANTS
from airsim.region.equilibrium import pm25
from airsim.region.receptors import Receptors, Watch, weather_at
from airsim.region.tracers import TRACERS
from airsim.region.transport import Transport

if TYPE_CHECKING:
    from airsim.assess.surface import SurfaceAir
    from airsim.geography import Geography, Grid
    from airsim.inventory import Inventory
    from airsim.rules import Rule
    from airsim.scenario import EmergencyUncertainty

Array = NDArray[Any]

#: What is cut, as it is reported.
PRECURSORS = ("SO2", "NOx", "PM10", "PM25", "VOC")
#: Values of the AQI above which hours and days are counted (HJ 633: classes 3 to 6 begin above these).
THRESHOLDS = (100, 150, 200, 300)
RESPONSES = ("without", "with")
CITY_IDS = tuple(c.id for c in CITIES)
_HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True)
class Response:
    """An emergency response between two states of the inventory.

    Attributes
    ----------
    before, after : str
        Names of the columns of the main run without and with it.
    inventories : (Inventory, Inventory)
        Without and with it.
    windows : DataFrame
        Alerts as called: city, level, start, end [UTC].
    carry_out : callable
        ``carry_out(hours)`` -> the inventory with the response begun so many hours later (earlier if below 0).
    alone : bool
        Whether each city's alert by itself is wanted.
    shifts : tuple of int
        Other starts wanted [h].
    execution_rate : float
        Share of the listed cuts carried out [1].
    uncertainty : EmergencyUncertainty or None
        What the scenario asks for.
    """

    before: str
    after: str
    inventories: tuple[Inventory, Inventory]
    windows: pd.DataFrame
    carry_out: Callable[[int], Inventory]
    alone: bool
    shifts: tuple[int, ...]
    execution_rate: float = 1.0
    uncertainty: EmergencyUncertainty | None = None


def shifted(windows: pd.DataFrame, hours: int) -> pd.DataFrame:
    """Start every alert earlier or later; ends and changes of level stay where they are.

    Parameters
    ----------
    windows : DataFrame
        Columns city, level, start, end; windows of a city disjoint (`strictest`).
    hours : int
        Later, or earlier if below 0 [h].

    Returns
    -------
    DataFrame
        Windows that a later start leaves nothing of are gone. Of several alerts of a city with a gap between them each
        is shifted, an earlier start no further than the end of the alert before.
    """
    by = pd.Timedelta(hours=hours)
    rows: list[dict[str, Any]] = []
    for city, own in windows.groupby("city", sort=False):
        end_before, begun = pd.Timestamp.min, pd.Timestamp.min
        row: Any
        for row in own.sort_values("start").itertuples(index=False):
            start = row.start
            if row.start > end_before:  # an alert begins
                begun = max(row.start + by, end_before)
                start = begun
            elif hours > 0:
                start = max(row.start, begun)
            if start < row.end:
                rows.append({"city": city, "level": row.level, "start": start, "end": row.end})
            end_before = row.end
    return strictest(pd.DataFrame(rows, columns=["city", "level", "start", "end"]))


def under(windows: pd.DataFrame, time: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Return the hours (time, city) that count: a city's own alerts, for cities without one those of all others.

    Parameters
    ----------
    windows : DataFrame
        Columns city, start, end [UTC].
    time : (time,) datetime64
        Start of the hours [UTC].
    """
    inside = np.zeros((len(time), len(CITY_IDS)), dtype=bool)
    row: Any
    for row in windows.itertuples(index=False):
        hours = (time >= np.datetime64(row.start)) & (time < np.datetime64(row.end))
        inside[hours, CITY_IDS.index(row.city)] = True
    never, anywhere = np.flatnonzero(~inside.any(axis=0)), np.asarray(inside.any(axis=1))
    inside[:, never] = anywhere[:, None]
    return inside


def peak_days(values: xr.DataArray) -> xr.DataArray:
    """Return the Beijing day of each city's highest daily mean; NaT where there is none.

    Parameters
    ----------
    values : (time, city) DataArray
        PM2.5 [ug m-3].
    """
    from airsim.assess.aqi import daily_mean

    means = daily_mean(values)
    highest = means.fillna(-1.0).argmax("day").values
    days = means["day"].values[highest]
    days[means.isnull().all("day").values] = np.datetime64("NaT")
    return xr.DataArray(days, dims="city")


def on_day(time: NDArray[np.datetime64], day: np.datetime64) -> NDArray[np.bool_]:
    """Return which hours [UTC] lie on a Beijing day."""
    local = day_of(time)
    return local == day.astype("datetime64[D]")


def rates(before: GriddedEmissions, after: GriddedEmissions, hours: range) -> xr.Dataset:
    """Return what cities emit without the response and what it cuts, hour by hour.

    Parameters
    ----------
    before, after : GriddedEmissions
        Of the same sources.
    hours : range
        Positions of the hours wanted.

    Returns
    -------
    Dataset
        ``emission_without`` and ``emission_cut`` (time, city, precursor) [kg h-1].
    """
    city = np.array([CITY_IDS.index(c) if c in CITY_IDS else -1 for c in before.sources["city"]])
    one = sparse.csr_array(
        (np.ones((city >= 0).sum()), (city[city >= 0], np.flatnonzero(city >= 0))), (len(CITY_IDS), len(city))
    )
    columns = [POLLUTANTS.index(p) for p in PRECURSORS]
    shape = (len(hours), len(CITY_IDS), len(PRECURSORS))
    whole, cut = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for i, hour in enumerate(hours):
        without = before.rates(hour)
        whole[i] = pollutants(one @ without)[:, columns] * 3600.0
        cut[i] = pollutants(one @ (without - after.rates(hour)))[:, columns] * 3600.0
    axes = ("time", "city", "precursor")
    return xr.Dataset(
        {"emission_without": (axes, whole), "emission_cut": (axes, cut)},
        coords={"time": before.time[hours.start : hours.stop], "city": list(CITY_IDS), "precursor": list(PRECURSORS)},
    )


def indicators(air: xr.Dataset, windows: pd.DataFrame, rule: Rule) -> xr.Dataset:
    """Return by city what the response changes: mean, worst day, worst hour, hours and days above the AQI classes.

    Parameters
    ----------
    air : Dataset
        pm25, pm10, so2, no2, co (response, time, city) [ug m-3], response as `RESPONSES`.
    windows : DataFrame
        Alerts: city, start, end [UTC].
    rule : Rule
        AQI in force.

    Returns
    -------
    Dataset
        ``effect_mean`` over the city's alert hours, ``effect_peak_day`` on the day that is worst without the response,
        ``effect_peak_hour`` (response, city) [ug m-3]; ``peak_day`` (city); ``hours_above`` and ``days_above``
        (response, threshold, city) [1]: AQI of the hourly and of the daily report.
    """
    from airsim.assess import aqi

    time = air["time"].values
    inside = xr.DataArray(under(windows, time), dims=("time", "city"))
    fine = air["pm25"]
    day = peak_days(fine.sel(response="without"))
    on = np.stack([on_day(time, d) for d in day.values], axis=1)
    worst = xr.DataArray(on, dims=("time", "city"))
    positive = air.clip(min=0)
    hourly = aqi.hourly_index(positive, rule).transpose("response", "time", "city")
    daily = aqi.daily(positive, rule)["aqi"].transpose("response", "day", "city")
    out = xr.Dataset(
        {
            "effect_mean": fine.where(inside).mean("time"),
            "effect_peak_day": fine.where(worst).mean("time"),
            "effect_peak_hour": fine.max("time"),
            "peak_day": day,
            "hours_above": aqi.count_above(hourly, THRESHOLDS).transpose("response", "threshold", "city"),
            "days_above": aqi.count_above(daily, THRESHOLDS).transpose("response", "threshold", "city"),
        }
    )
    known = fine.notnull().any(("response", "time"))
    for name in ("hours_above", "days_above"):
        out[name] = out[name].where(known, -1).astype("int32")
    return out.assign_coords(threshold=list(THRESHOLDS))


@dataclass(frozen=True)
class Tags:
    """Parts of a response, each carried by itself.

    Parameters
    ----------
    names : tuple of str
    cut : callable
        ``cut(hour)`` -> (source, tracer, tag): what each part takes from each source [kg s-1].
    """

    names: tuple[str, ...]
    cut: Callable[[int], Array]


def tags(
    before: GriddedEmissions, after: GriddedEmissions, moved: Mapping[str, GriddedEmissions], actors: Sequence[str]
) -> Tags:
    """Return the response of each city alone, and the whole response in other windows.

    Parameters
    ----------
    before, after : GriddedEmissions
        Without and with the response.
    moved : mapping
        Name -> emissions with the response in other windows.
    actors : sequence of str
        City ids.
    """
    city = before.sources["city"].to_numpy()
    whose = np.stack([city == a for a in actors], axis=1).astype(float) if len(actors) else np.zeros((len(city), 0))

    def cut(hour: int) -> Array:
        without = before.rates(hour)
        together = without - after.rates(hour)
        alone = together[:, :, None] * whose[:, None, :]
        others = [without - m.rates(hour) for m in moved.values()]
        return np.concatenate([alone, np.stack(others, axis=-1)], axis=-1) if others else alone

    return Tags((*actors, *moved), cut)


def carry(
    box_grid: Grid,
    weather: xr.Dataset,
    placement: Placement,
    parts: Tags,
    receptors: Receptors,
    hours: range,
    progress: Callable[[int, int], None] | None = None,
) -> Array:
    """Carry parts of a response through the air: one forward run with a column a part, from the first cut on.

    Parameters
    ----------
    box_grid : Grid
    weather : Dataset
        Of all hours.
    placement : Placement
        Of the emissions without the response.
    parts : Tags
    receptors : Receptors
    hours : range
        Positions of the hours wanted; the run ends with them.
    progress : callable, optional
        ``progress(hours done, hours)``.

    Returns
    -------
    (hour, box, tracer, tag) float32 ndarray
        What each part takes from the receptors' boxes [ug m-3].
    """
    count = len(parts.names)
    kept = np.zeros((len(hours), len(receptors.boxes), len(TRACERS), count), np.float32)
    first = next((h for h in range(hours.stop) if np.any(parts.cut(h))), hours.stop)
    if first >= hours.stop or count == 0:
        return kept
    run = range(first, hours.stop)
    transport = Transport(box_grid, weather.isel(time=slice(run.start, run.stop)))
    size = (placement.levels, box_grid.ny, box_grid.nx)
    field = np.zeros((int(np.prod(size)), len(TRACERS) * count), np.float32)
    filled: Array = np.zeros(0, np.intp)

    def emitted(position: int) -> Array:
        nonlocal filled
        cut = parts.cut(run[position])
        members = np.flatnonzero((placement.site >= 0) & cut.any(axis=(1, 2)))
        field[filled] = 0.0
        sites, at = np.unique(placement.site[members], return_inverse=True)
        by_site = np.zeros((len(sites), len(TRACERS) * count))
        np.add.at(by_site, at, cut[members].reshape(len(members), -1))
        spread = sparse.csr_array(placement.at(run[position])[sites].T)
        filled = np.flatnonzero(np.diff(spread.indptr))
        field[filled] = spread[filled] @ by_site
        return field.reshape(*size, len(TRACERS), count)

    wanted = range(max(hours.start - first, 0), len(run))
    watch = Watch(receptors, wanted, len(TRACERS), count)
    transport.run(emitted, columns=count, observe=watch, levels=1, progress=progress)
    kept[len(hours) - len(wanted) :] = watch.tracers
    return kept


def pm25_of_parts(air: Array, cut: Array, transport: Transport, receptors: Receptors, hours: range) -> Array:
    """Return what taking each part away by itself takes from PM2.5, with the equilibrium of every box and hour.

    Parameters
    ----------
    air : (hour, box, tracer) ndarray
        Without any response [ug m-3].
    cut : (hour, box, tracer, tag) ndarray
        From `carry`.
    transport : Transport
        Of the whole weather.
    receptors : Receptors
    hours : range
        Positions of the hours.

    Returns
    -------
    (tag, hour, receptor) ndarray
        [ug m-3].
    """
    weather = weather_at(transport.meteorology, receptors, hours)
    constant = transport.coefficients.equilibrium.constant
    whole = pm25(air, *weather, axis=-1, constant=constant)
    out = np.zeros((cut.shape[-1], len(hours), len(receptors.names)))
    for tag in range(cut.shape[-1]):
        less = whole - pm25(air - cut[..., tag], *weather, axis=-1, constant=constant)
        out[tag] = less @ receptors.over_boxes.T
    return out


def compare_parts(
    geography: Geography, transport: Transport, air: Array, receptors: Receptors, hours: range, parts: Tags,
    before: GriddedEmissions, windows: pd.DataFrame, peak_day: NDArray[np.datetime64],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Array, Array]:  # fmt: skip
    """Return what each part takes from the alert mean and from the worst day of each city, (tag, city) [ug m-3].

    Parameters
    ----------
    geography : Geography
    transport : Transport
    air : (hour, box, tracer) ndarray
        Without the response, in the receptors' boxes [ug m-3].
    receptors : Receptors
        Cities.
    hours : range
        Positions of the hours of `air`.
    parts : Tags
    before : GriddedEmissions
        Without the response.
    windows : DataFrame
        Alerts as called; the mean is over these whatever the part's own window.
    peak_day : (city,) datetime64
        In the order of `CITIES`.
    progress : callable, optional
    """
    time = transport.time[hours.start : hours.stop]
    inside = under(windows, time)
    on = np.stack([on_day(time, d) for d in peak_day], axis=1)
    last = int(np.flatnonzero((inside | on).any(axis=1))[-1]) + 1
    until = range(hours.start, hours.start + last)
    cut = carry(geography.grid, transport.meteorology, Placement(before), parts, receptors, until, progress)
    less = pm25_of_parts(air[:last], cut, transport, receptors, until)
    mean, peak = (np.full((len(parts.names), len(CITY_IDS)), np.nan) for _ in range(2))
    for r, name in enumerate(receptors.names):
        c = CITY_IDS.index(name)
        if inside[:, c].any():
            mean[:, c] = less[:, inside[:last, c], r].mean(1)
        if on[:, c].any():
            peak[:, c] = less[:, on[:last, c], r].mean(1)
    return mean, peak


def effect(
    response: Response, geography: Geography, transport: Transport, surface: SurfaceAir,
    receptors: Receptors, tracers: Array, gridded: Mapping[str, GriddedEmissions], columns: Sequence[str], hours: range,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:  # fmt: skip
    """Return the effect of an emergency response for the group ``emergency``.

    Parameters
    ----------
    response : Response
    geography : Geography
    transport : Transport
        Of the whole weather.
    surface : SurfaceAir
        Of the main run, its cases holding the columns without and with the response.
    receptors : Receptors
        Cities.
    tracers : (hour, box, tracer, column) ndarray
        Of the main run, in the receptors' boxes [ug m-3].
    gridded : mapping
        Column -> emissions, of the same two columns at least.
    columns : sequence of str
        Of the main run; ``background`` among them.
    hours : range
        Positions of the hours of the episode.
    progress : callable, optional
        ``progress(hours done, hours)`` of the run of parts.

    Returns
    -------
    Dataset
        `rates`, `indicators`, the tonnes cut during the alerts, ``cut_per_kilotonne``, and, if asked for,
        ``cut_alone`` and ``peak_cut_alone`` (actor, city), ``cut_shifted`` and ``peak_cut_shifted`` (shift, city)
        [ug m-3], the means over the alerts as called.
    """
    from airsim.assess import aqi

    time = transport.time[hours.start : hours.stop]
    ends = [surface.cases.index(c) for c in (response.before, response.after)]
    names = ("pm25", "pm10", "so2", "no2", "co")
    axes = ("response", "time", "city")
    air = xr.Dataset(
        {n: (axes, surface.city[n][ends]) for n in names},
        coords={"response": list(RESPONSES), "time": time, "city": list(CITY_IDS)},
    )
    air = air.where(xr.DataArray([c in receptors.names for c in CITY_IDS], dims="city"))
    rule = aqi.rule_in_force(time[0])
    before, after = gridded[response.before], gridded[response.after]
    inside = under(response.windows, time)
    flows = rates(before, after, hours)
    # what the acting cities cut while any of them is under alert
    acting = [str(c) for c in dict.fromkeys(response.windows["city"])]
    in_alert = xr.DataArray(inside[:, [CITY_IDS.index(c) for c in acting]].any(1), dims="time")
    out = xr.merge([flows, indicators(air, response.windows, rule)])
    out["cut_tonnes"] = flows["emission_cut"].where(in_alert, 0.0).sum("time", dtype=np.float64) / 1000.0
    tonnes = float(out["cut_tonnes"].sel(precursor=["SO2", "NOx", "PM25", "VOC"]).sum())
    gain = out["effect_mean"].sel(response="without") - out["effect_mean"].sel(response="with")
    out["cut_per_kilotonne"] = (gain / tonnes * 1000.0 if tonnes > 0 else gain * np.nan).drop_vars(
        "response", errors="ignore"
    )
    actors = acting if response.alone else []
    moved = {f"{h:+d} h": grid(response.carry_out(h), geography, transport.meteorology) for h in response.shifts}
    if actors or moved:
        state = tracers[..., columns.index(response.before)] + tracers[..., columns.index("background")]
        parts = tags(before, after, moved, actors)
        mean, peak = compare_parts(
            geography, transport, state, receptors, hours, parts, before, response.windows, out["peak_day"].values,
            progress,
        )  # fmt: skip
        n = len(actors)
        if actors:
            out = out.assign_coords(actor=actors)
            out["cut_alone"] = (("actor", "city"), mean[:n])
            out["peak_cut_alone"] = (("actor", "city"), peak[:n])
        if moved:
            shifts = np.array([*response.shifts, 0])
            order = np.argsort(shifts)
            whole = [
                out[v].sel(response="without") - out[v].sel(response="with") for v in ("effect_mean", "effect_peak_day")
            ]
            out = out.assign_coords(shift=shifts[order].astype(np.int32))
            for name, values, now in zip(("cut_shifted", "peak_cut_shifted"), (mean, peak), whole, strict=True):
                out[name] = (("shift", "city"), np.concatenate([values[n:], now.values[None]])[order])
    out.attrs = {"effect_aqi_rule": rule.version}
    return out
