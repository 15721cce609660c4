"""The workers of a batch, kept busy: scenarios handed out, results taken, lost workers made good."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from airsim.batch import superposition, sweep, work
from airsim.batch.manifest import Record
from airsim.batch.progress import ProgressDisplay
from airsim.batch.work import Job
from airsim.cache.keys import Contents, physics
from airsim.case.identity import weather_key
from airsim.errors import Lang

if TYPE_CHECKING:
    from distributed import Client, Future

_LOOK = 0.2  # s


@dataclass
class Row:
    """A scenario of the batch, or a file that holds none."""

    name: str
    member: sweep.Member | None
    identity: str = ""
    failed: Record | None = None


class SchedulerLost(Exception):
    """The connection to the scheduler broke."""


class Crew:
    """Keeps the workers busy: as many scenarios at a time as there are workers, each result taken as it comes."""

    def __init__(
        self,
        client: Client,
        out: Path,
        lang: Lang,
        display: ProgressDisplay,
        take: Callable[[Sequence[Record]], None],
        most: int | None,
        threads: int,
        first: Future | None,
        *,
        overwrite: bool,
    ) -> None:
        self._client, self._out, self._lang, self._display, self._take = client, out, lang, display, take
        self._most, self._threads, self._overwrite = most, threads, overwrite
        self._topic = secrets.token_hex(6)
        self._first = first
        self._running: dict[Future, Job] = {}
        self._deaths: Counter[str] = Counter()
        self._shared: dict[str, Future] = {}
        self._news = threading.Event()
        client.subscribe_topic(self._topic, self._heard)

    def work(self, jobs: Sequence[Job]) -> None:
        """Run scenarios one by one.

        Raises
        ------
        SchedulerLost
            The scheduler is gone; what had come back has been taken.
        """
        waiting = deque(jobs)
        try:
            while waiting or self._running:
                while waiting and len(self._running) < self._slots():
                    self._send(waiting.popleft())
                self._news.wait(_LOOK)
                self._news.clear()
                waiting.extendleft(self._collect())
        except BaseException:
            with contextlib.suppress(Exception):
                self._client.cancel(list(self._running), force=True)
            raise
        finally:
            for job in self._running.values():
                self._display.drop(job.name)

    def superpose(self, jobs: Sequence[Job]) -> None:
        """Make scenarios that differ in emissions alone as sums of a few that are carried.

        Raises
        ------
        SchedulerLost
            The scheduler is gone; what had come back has been taken.
        """
        from airsim.assess.emission_worlds import basis

        n = len(jobs)
        self._display.say(
            f"{n} 个情景仅排放不同：由少数已存模拟线性叠加（不含地图与报告；--full 则逐个完整模拟）",
            f"{n} scenarios differ in emissions only: sums of a few stored runs (no maps or reports; --full runs each)",
        )
        chunks = [jobs[i : i + superposition.CHUNK] for i in range(0, n, superposition.CHUNK)]
        size = min(n, superposition.DIMENSIONS) + superposition.SPARE
        # one worker makes the weather while the others sketch
        weather = self._client.submit(work.prepare, jobs[0], self._first, pure=False)
        while True:
            said = self._each(superposition.sketches, [(c, size, self._first) for c in chunks])
            emitted = [e for c, part in zip(chunks, said, strict=True) for e in self._known(c, part)]
            sound = [i for i, e in enumerate(emitted) if e.sketch is not None]
            self._fail([(jobs[i], e.failed) for i, e in enumerate(emitted) if e.sketch is None])
            jobs, emitted = [jobs[i] for i in sound], [emitted[i] for i in sound]
            if not jobs:
                return
            try:
                chosen, weights = basis(np.stack([e.sketch for e in emitted if e.sketch is not None]))
                break
            except ValueError:  # they span more dimensions than the sketches have
                size = 4 * size
                chunks = [jobs[i : i + superposition.CHUNK] for i in range(0, len(jobs), superposition.CHUNK)]
        count = len(chosen) + 2
        self._display.say(f"模拟 {count} 个排放场", f"carrying {count} emission worlds")
        parts = np.array_split(chosen, max(1, min(self._slots(), len(chosen))))
        carried = [[jobs[0]] * (p == 0) + [jobs[i] for i in part] for p, part in enumerate(parts)]
        keys = [superposition.part_key(c, with_base=p == 0) for p, c in enumerate(carried)]
        made = self._each(
            superposition.carry,
            [(c, k, p == 0, weather) for p, (c, k) in enumerate(zip(carried, keys, strict=True))],
        )
        broken = [m for m in made if not isinstance(m, str)]
        if broken:
            self._fail([(j, self._dead(j, broken[0])) for j in jobs])
            return
        rounds = [slice(i, i + superposition.CHUNK) for i in range(0, len(jobs), superposition.CHUNK)]

        def take(number: int, found: Any) -> None:
            chunk = jobs[rounds[number]]
            if isinstance(found, BaseException):
                self._fail([(j, self._dead(j, found)) for j in chunk])
                return
            self._take(found)
            name = chunk[0].name if len(chunk) == 1 else f"{chunk[0].name} ... {chunk[-1].name}"
            self._display.end(name, "done", None, "", len(chunk))

        self._each(superposition.records, [(jobs[r], emitted[r], weights[r], keys) for r in rounds], take)

    def _each(
        self,
        task: Callable[..., Any],
        arguments: Sequence[tuple[Any, ...]],
        take: Callable[[int, Any], None] | None = None,
    ) -> list[Any]:
        """Run a task for each of some arguments; what it returns, or the exception that ended it."""
        from distributed import Future
        from distributed.scheduler import KilledWorker

        waiting = deque(enumerate(arguments))
        running: dict[Future, int] = {}
        deaths: Counter[int] = Counter()
        found: list[Any] = [None] * len(arguments)
        try:
            while waiting or running:
                while waiting and len(running) < self._slots():
                    number, given = waiting.popleft()
                    future = self._client.submit(task, *given, pure=False)
                    running[future] = number
                    future.add_done_callback(lambda _: self._news.set())
                self._news.wait(_LOOK)
                self._news.clear()
                self._check_there(running)
                for future in [f for f in running if f.status != "pending"]:
                    number = running.pop(future)
                    error = future.exception(timeout=60)
                    if isinstance(error, KilledWorker) and deaths[number] < work.TRIES - 1:
                        deaths[number] += 1
                        self._first = None
                        waiting.append((number, tuple(None if isinstance(a, Future) else a for a in arguments[number])))
                        continue
                    found[number] = error if error is not None else future.result(timeout=60)
                    if take:
                        take(number, found[number])
        except BaseException:
            with contextlib.suppress(Exception):
                self._client.cancel(list(running), force=True)
            raise
        return found

    def _check_there(self, futures: Iterable[Future]) -> None:
        """Complain if the scheduler is gone."""
        ended = any(f.status not in {"pending", "finished", "error"} for f in futures)
        if ended or self._client.status not in {"running", "newly-created"}:
            raise SchedulerLost

    def _known(self, chunk: Sequence[Job], said: Any) -> list[superposition.Emitted]:
        """Return what the first round found of a chunk; the same failure for each if its worker was killed."""
        if isinstance(said, BaseException):
            return [superposition.Emitted(None, {}, [], self._dead(j, said)) for j in chunk]
        return list(said)

    def _fail(self, failed: Sequence[tuple[Job, Record]]) -> None:
        records = [{**work.about(job), "by": "operator", **record} for job, record in failed]
        if records:
            self._take(records)
        for record in records:
            message = record["message_zh" if self._lang == "zh" else "message"]
            self._display.end(record["name"], "failed", None, message)

    def jobs(self, rows: Sequence[Row]) -> list[Job]:
        """Return the jobs, those of one weather together."""
        contents = Contents()
        keyed = [(weather_key(r.member.scenario, contents), r) for r in rows if r.member]
        count = Counter(key for key, _ in keyed)
        keep = frozenset(key for key, n in count.items() if n > 1)
        self._weather = {r.name: key for key, r in keyed}
        order = {key: i for i, key in enumerate(count)}
        return [
            Job(
                r.member.scenario, r.identity, physics(), str(self._out), self._lang, self._topic,
                dict(r.member.coordinates), keep, self._threads, self._overwrite,
            )
            for _, r in sorted(keyed, key=lambda kr: order[kr[0]]) if r.member
        ]  # fmt: skip

    def _slots(self) -> int:
        there = len(self._client.scheduler_info(n_workers=-1)["workers"])
        return max(1, min(self._most or there, there))

    def _send(self, job: Job) -> None:
        after: Any = self._first
        key = self._weather[job.name]
        if key in job.keep:
            if key not in self._shared:
                self._shared[key] = self._client.submit(work.prepare, job, self._first, pure=False)
            after = self._shared[key]
        future = self._client.submit(work.run, job, after, pure=False, key=f"{job.name}-{secrets.token_hex(4)}")
        self._running[future] = job
        future.add_done_callback(lambda _: self._news.set())
        self._display.begin(job.name)

    def _collect(self) -> list[Job]:
        """Take what has come back; return scenarios that have to begin again because a worker was killed."""
        records = []
        again: list[Job] = []
        lost = False
        for future, job in list(self._running.items()):
            if future.status == "pending":
                continue
            if future.status == "finished":
                try:
                    record = future.result(timeout=60)
                except Exception:
                    lost = True  # the result was lost on its way: the worker or the scheduler is gone
                    continue
            elif future.status == "error":
                error = future.exception(timeout=60)
                if self._may_try_again(job, error):
                    del self._running[future]
                    again.append(job)
                    continue
                record = self._dead(job, error)
            else:
                lost = True
                continue
            del self._running[future]
            records.append(record)
        if records:
            self._take(records)
        for record in records:
            message = record.get("message_zh" if self._lang == "zh" else "message", "")
            self._display.end(record["name"], record["status"], record.get("seconds"), message)
        if lost or self._client.status not in {"running", "newly-created"}:
            raise SchedulerLost
        return again

    def _may_try_again(self, job: Job, error: BaseException | None) -> bool:
        """Return whether a scenario begins again whose worker was killed: if it was not at work, or not too often."""
        from distributed.scheduler import KilledWorker

        if not isinstance(error, KilledWorker):
            return False
        self._deaths[job.name] += 1
        # what it waited for may have died with the worker
        self._shared.pop(self._weather[job.name], None)
        self._first = None
        self._display.drop(job.name)
        tries = work.begun(self._out / "logs" / f"{job.name}.log", self._topic)
        # deaths beyond those of its own: a bound in case the log cannot be written
        return tries < work.TRIES and self._deaths[job.name] < 4 * work.TRIES

    def _dead(self, job: Job, error: BaseException | None) -> Record:
        """Return the record of a scenario that did not come back by itself."""
        from distributed.scheduler import KilledWorker

        if isinstance(error, KilledWorker):
            return work.given_up(job)
        return work.given_up(job, f"{type(error).__name__}: {error}".splitlines()[0][:300])

    def _heard(self, event: tuple[float, Any]) -> None:
        _, said = event
        zh, en = said["stage"]
        self._display.part(said["name"], zh if self._lang == "zh" else en, float(said["done"]))
