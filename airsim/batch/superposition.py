"""Scenarios that differ in emissions alone: a few worlds are carried, the others are sums (`assess.emission_worlds`).

Three rounds of tasks: what each scenario emits, as a sketch; the worlds to carry, into files of the batch's cache; the
air of the cities of each scenario, as a record.
"""

from __future__ import annotations

import contextlib
import platform
import time
import traceback
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from airsim.batch import work
from airsim.cache.keys import Contents, digest
from airsim.case import Case
from airsim.case.identity import key_of, settled
from airsim.errors import InputError
from airsim.scenario import Scenario

if TYPE_CHECKING:
    import xarray as xr

    from airsim.assess.emission_worlds import Sketcher
    from airsim.batch.manifest import Record
    from airsim.cache.store import Store
    from airsim.inventory import Inventory

Array = NDArray[Any]

#: From so many scenarios on, superposition is the default: below, full runs with maps and reports are soon done.
MANY = 30
#: Blocks of a scenario that scenarios of one superposition have in common.
COMMON = ("period", "domain", "meteorology", "inputs")
#: Scenarios of a task.
CHUNK = 32
#: Dimensions that worlds are first looked for in, and how many more a sketch has to tell that there are no others.
DIMENSIONS, SPARE = 96, 16
_REMEMBERED = 32


def common_key(scenario: Scenario, contents: Contents | None = None) -> str:
    """Return the hash of all of a scenario but its measures: scenarios of one key can be sums of each other."""
    return key_of("superposition", scenario, COMMON, contents)


@dataclass(frozen=True)
class Emitted:
    """What the first round finds of a scenario.

    Attributes
    ----------
    sketch : (size,) ndarray or None
        None if the scenario failed.
    indicators : dict
        Those that do not need the air.
    alert : list of (city, first hour, last hour but one)
        Alerts by city, hours of the period.
    failed : dict
        Message in both languages.
    """

    sketch: Array | None
    indicators: dict[str, Any]
    alert: list[tuple[str, int, int]]
    failed: dict[str, Any]


def sketches(jobs: Sequence[work.Job], size: int, _after: Any = None) -> list[Emitted]:
    """First round: sketch what each scenario emits.

    Parameters
    ----------
    jobs : sequence of Job
    size : int
        Of a sketch, see `airsim.assess.emission_worlds.Sketcher`.
    _after : object
        What had to be made before.
    """
    from airsim.assess.emission_worlds import Sketcher

    found: list[Emitted] = []
    # measures name files by their folder, so what is remembered belongs to one
    known: dict[Path, _Latest] = {}
    with work.one_at_a_time:
        for job in jobs:
            try:
                case = work.case_of(job, known.setdefault(Path(job.scenario.file).parent, _Latest()))
                base = case.inventory
                asked = (size, job.scenario.period)
                if not _sketchers or _sketchers[0][0] is not base or _sketchers[0][1] != asked:
                    _sketchers[:] = [(base, asked, Sketcher(base, _hours(job.scenario), size))]
                sketcher = _sketchers[0][2]
                with _quick(job.scenario):
                    last = case.inventories[case.last]
                said, alert = _without_air(case)
                found.append(Emitted(sketcher(last), said, alert, {}))
            except Exception as error:  # one bad apple must not end the batch
                if not isinstance(error, InputError):
                    work.Log(Path(job.folder) / "logs" / f"{job.name}.log", job.topic).say(traceback.format_exc())
                found.append(Emitted(None, {}, [], work.failure_of(error, job)))
    return found


def carry(jobs: Sequence[work.Job], key: str, with_base: bool, _after: Any = None) -> str:
    """Second round: carry the controlled worlds of some scenarios into the cache; return their key.

    Parameters
    ----------
    jobs : sequence of Job
    key : str
        From `part_key`.
    with_base : bool
        The base world before and the background after them, too; the first scenario then only names what is common.
    _after : object
        What had to be made before.
    """
    from airsim import inventory
    from airsim.assess import emission_worlds
    from airsim.region import receptors

    with work.one_at_a_time:
        job = jobs[0]
        store = work.shared_of(job).store
        if store.get("worlds", key) is not None:
            return key
        work.set_threads(job.threads)
        case = work.case_of(job)
        place, weather = case.place, case.weather
        gridded = [inventory.grid(case.inventory, place, weather)] if with_base else []
        for each in jobs[1:] if with_base else jobs:
            other = work.case_of(each)
            gridded.append(inventory.grid(other.inventories[other.last], place, weather))
        hours = range(case.kept.start, case.transport.hours)
        inflow = case.background if with_base else None
        tracers = emission_worlds.carry(case.transport, gridded, receptors.cities(place), hours, inflow)
        if not store.keep("worlds", key, {"tracers": tracers}):
            raise OSError(f"{store.path('worlds', key)}: cannot be written, and the other workers need it")
        return key


def part_key(jobs: Sequence[work.Job], *, with_base: bool) -> str:
    """Return the hash of what a file of carried worlds follows from."""
    contents = Contents()
    said = [common_key(jobs[0].scenario, contents), with_base]
    said += [settled(j.scenario, contents)["measures"] for j in (jobs[1:] if with_base else jobs)]
    return digest(said)


def records(jobs: Sequence[work.Job], emitted: Sequence[Emitted], weights: Array, keys: Sequence[str]) -> list[Record]:
    """Third round: the air of the cities, and the record of each scenario.

    Parameters
    ----------
    jobs : sequence of Job
    emitted : sequence of Emitted
        From the first round.
    weights : (job, world) ndarray
        From `airsim.assess.emission_worlds.basis`.
    keys : sequence of str
        From the second round; the first has the base and the background.

    Raises
    ------
    FileNotFoundError
        A file of carried worlds has gone.
    """
    from airsim.assess import emission_worlds
    from airsim.region import receptors

    begin = time.perf_counter()
    with work.one_at_a_time:
        job = jobs[0]
        work.set_threads(job.threads)
        case = work.case_of(job)
        weather, hours = case.weather, case.kept
        cities = receptors.cities(case.place)
        held = _held(work.shared_of(job).store, keys)
        constant = _constant()
        time_ = weather["time"].values[hours.start :]
        air = emission_worlds.city_air(held, weights, weather, cities, hours, constant)
        base = emission_worlds.city_air(held, np.zeros((1, weights.shape[1])), weather, cities, hours, constant)
        both = {name: np.stack([np.broadcast_to(base[name], air[name].shape), air[name]], axis=1) for name in air}
        found = _indicators(both, time_, cities.names)
        seconds = round((time.perf_counter() - begin) / len(jobs), 4)
        return [
            _record(j, e, {n: v[i] for n, v in found.items()}, both["pm25"][i], cities.names, seconds)
            for i, (j, e) in enumerate(zip(jobs, emitted, strict=True))
        ]


def _indicators(both: dict[str, Array], time_: Array, names: Sequence[str]) -> dict[str, Array]:
    """Return the numbers a city of (scenario, case, hour, city) species."""
    import xarray as xr

    from airsim.assess import aqi
    from airsim.batch.indicators import by_city

    axes = ("scenario", "case", "time", "city")
    hourly = xr.Dataset({n: (axes, v) for n, v in both.items()}, coords={"time": time_, "city": list(names)})
    daily: xr.Dataset = aqi.daily(hourly.clip(min=0), aqi.rule_in_force(time_[0]))
    order = ("scenario", "case", "day", "city")
    return by_city(both["pm25"], daily["pm25_daily"].transpose(*order).values, daily["aqi"].transpose(*order).values)


def _record(
    job: work.Job, emitted: Emitted, found: dict[str, Array], pm25: Array, names: Sequence[str], seconds: float
) -> Record:
    from airsim.batch.indicators import change, plain

    cases = 2 if job.scenario.measures else 1
    said: dict[str, Any] = {n: v[:cases] for n, v in found.items()}
    said["pm25_change"] = change(said["pm25_mean"])
    said["alert_change"] = None
    under = np.zeros(pm25.shape[1:], bool)
    for city, first, last in emitted.alert:
        if city in names:
            under[first:last, names.index(city)] = True
    alerted = under.any(0)
    if alerted.any() and cases > 1:
        mean = [np.where(under, p, 0.0).sum(0)[alerted] / under.sum(0)[alerted] for p in pm25.astype(float)]
        said["alert_change"] = mean[1].mean() / mean[0].mean() - 1
    return {
        **work.about(job),
        "by": "operator",
        "host": platform.node(),
        "status": "done",
        "files": {},
        "cities": list(names),
        "indicators": {n: plain(v) for n, v in (said | emitted.indicators).items()},
        "seconds": seconds,
    }


def _without_air(case: Case) -> tuple[dict[str, Any], list[tuple[str, int, int]]]:
    """Return the indicators that need no air, and the alerts."""
    from airsim.batch.indicators import shares_failed
    from airsim.coal.cap import point_of
    from airsim.emergency.kind import alert_windows

    said: dict[str, Any] = {"shares_failed": None, "coal_growth": None}
    alert: list[tuple[str, int, int]] = []
    if case.stages.lists:
        windows = alert_windows(case.stages.lists[0][0])
        begin = np.datetime64(case.scenario.period.start.replace(tzinfo=None), "h")
        for city, start, end in zip(windows["city"], windows["start"], windows["end"], strict=True):
            ends = [int((np.datetime64(t, "h") - begin) / np.timedelta64(1, "h")) for t in (start, end)]
            alert.append((str(city), max(ends[0], 0), max(ends[1], 0)))
        said["shares_failed"] = shares_failed(case)
    if case.scenario.coal is not None:
        said["coal_growth"] = float(point_of(case.stages)["growth_total"])
    return said, alert


@cache
def _constant() -> str:
    """Return the dissociation constant that runs use."""
    from airsim.region import coefficients

    return coefficients.load().equilibrium.constant


def _hours(scenario: Scenario) -> NDArray[np.datetime64]:
    """Return the start of every hour of a run [UTC]."""
    period = scenario.period
    begin = np.datetime64(period.start.replace(tzinfo=None), "ns") - np.timedelta64(period.spin_up_hours, "h")
    return begin + np.arange(period.spin_up_hours + period.hours) * np.timedelta64(1, "h")


def _quick(scenario: Scenario) -> contextlib.AbstractContextManager[None]:
    """Leave out the ledger of measures where nobody asks for it and no measure takes coal from it."""
    from airsim.case import plan_of
    from airsim.measures.ledger import no_ledger

    plain = not plan_of(scenario).moves_coal
    return no_ledger() if scenario.coal is None and plain else contextlib.nullcontext()


class _Latest(OrderedDict[str, Any]):
    """Remembers the last things asked for: what all scenarios begin with stays, what one alone has goes."""

    def __getitem__(self, key: str) -> Any:
        self.move_to_end(key)
        return super().__getitem__(key)

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        while len(self) > _REMEMBERED:
            self.popitem(last=False)


#: The last sketcher, with its base inventory, size and period.
_sketchers: list[tuple[Inventory, Any, Sketcher]] = []
_last: dict[tuple[str, ...], Any] = {}


def _held(store: Store, keys: Sequence[str]) -> Any:
    """Return the carried worlds of some parts; the last ones stay in memory."""
    from airsim.assess.emission_worlds import CarriedWorlds

    key = tuple(keys)
    if key not in _last:
        parts = []
        for part in keys:
            found = store.get("worlds", part)
            if found is None:
                raise FileNotFoundError(store.path("worlds", part))
            parts.append(found.arrays["tracers"])
        _last.clear()
        tracers = np.concatenate([parts[0][:-1], *parts[1:]])
        _last[key] = CarriedWorlds(tracers, parts[0][-1])
    return _last[key]
