"""One batch from beginning to end: what is missing is run, what fails is told, what is done stays."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import secrets
import shutil
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from airsim.batch import summary, superposition, sweep, work
from airsim.batch.board import Board
from airsim.batch.manifest import Manifest, Record, locked
from airsim.batch.work import Job
from airsim.cache.keys import Contents, physics
from airsim.case.identity import identity, weather_key
from airsim.errors import InputError, Lang, Problem
from airsim.files import UNFINISHED

if TYPE_CHECKING:
    from distributed import Client, Future

#: How long a lost scheduler is waited for [s].
RECONNECT = 600.0
# summaries are written again when that takes no more than this share of the time [1]
_SUMMARY_SHARE = 0.05
_LOOK = 0.2  # s


@dataclass
class Outcome:
    """How a batch ended.

    Attributes
    ----------
    records : list of Record
        One a scenario, in the order they were given.
    files : list of Path
        The summaries.
    already : int
        Scenarios that were done before.
    interrupted : bool
        Ended by Ctrl-C (or a request to end).
    """

    records: list[Record] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    already: int = 0
    interrupted: bool = False

    def count(self, status: str) -> int:
        """Return how many scenarios have this status: done, failed or waiting."""
        return sum(r["status"] == status for r in self.records)

    def lines(self, lang: Lang) -> list[str]:
        """Return what a batch ends with: what was done, what failed and why, how to go on."""
        zh = lang == "zh"
        done, failed, waiting = (self.count(s) for s in ("done", "failed", "waiting"))
        lines = []
        for record in self.records:
            if record["status"] == "failed":
                said = record["message_zh" if zh else "message"]
                lines.append(f"失败 {record['name']}: {said}" if zh else f"FAILED {record['name']}: {said}")
        before = self.already
        lines.append(
            f"共 {len(self.records)} 个情景：完成 {done} 个（其中此前已完成 {before} 个），失败 {failed} 个"
            + (f"，未运行 {waiting} 个" if waiting else "")
            if zh
            else f"{len(self.records)} scenarios: {done} done ({before} of them before), {failed} failed"
            + (f", {waiting} not run" if waiting else "")
        )
        if self.interrupted:
            lines.append(
                "已中断，完成的部分已保存。再次执行同一命令即可续算。"
                if zh
                else "Interrupted; what is done is kept. The same command again goes on from here."
            )
        return lines + [str(f) for f in self.files]


@dataclass
class _Row:
    """A scenario of the batch, or a file that holds none."""

    name: str
    member: sweep.Member | None
    identity: str = ""
    failed: Record | None = None


def run(
    paths: Sequence[Path],
    out: Path,
    *,
    lang: Lang,
    workers: int | None = None,
    scheduler: str | None = None,
    memory: str | None = None,
    fresh: bool = False,
    operator: bool | None = None,
    overwrite: bool = False,
) -> Outcome:
    """Run every scenario of some files that is not done yet.

    Parameters
    ----------
    paths : sequence of Path
        Scenario files, with or without a ``sweep:``.
    out : Path
        Folder of the batch: a folder a scenario, ``logs``, ``summary.nc``, ``summary.xlsx``, ``manifest.jsonl``.
    lang : {"zh", "en"}
    workers : int, optional
        Scenarios at the same time; as many as cores and memory allow by default.
    scheduler : str, optional
        Address of a dask scheduler; processes of this machine by default.
    memory : str, optional
        Of all processes together, such as ``"12GB"`` or ``"50%"``; 70 % of the machine's by default.
    fresh : bool
        Run again what is done already.
    operator : bool, optional
        Whether scenarios that differ in emissions alone are sums of a few stored runs: city values without maps and
        reports. By default where there are `superposition.MANY` or more of them.
    overwrite : bool
        Replace results of other scenario files that stand in the folder.

    Returns
    -------
    Outcome

    Raises
    ------
    InputError
        No file holds a scenario, two have one name, another batch works in the folder, no scheduler answers...
    OSError
        The disk is full: what is done is kept.
    """
    out = Path(out).absolute()
    if scheduler and memory:
        said = "belongs to local processes; workers of a cluster have limits of their own"
        raise InputError([Problem("--memory", "", "", memory, said, "仅用于本机进程；集群的工作进程各有内存上限")])
    rows = _rows(paths)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out), _ended_like_ctrl_c():
        _clean(out)
        manifest = Manifest(out)
        batch = _Batch(rows, out, manifest, lang, fresh=fresh, operator=operator, overwrite=overwrite)
        return batch.run(workers, scheduler, memory)


def _rows(paths: Sequence[Path]) -> list[_Row]:
    """Return the scenarios of all files; a bad file is a failed row as long as another one is sound."""
    rows: list[_Row] = []
    problems: list[Problem] = []
    for path in _spelt_out(paths):
        try:
            rows += [_Row(m.scenario.name, m) for m in sweep.members(Path(path))]
        except InputError as error:
            problems += error.problems
            text = {"message": error.text("en"), "message_zh": error.text("zh")}
            failed = {"name": str(path), "status": "failed", **{k: v.replace("\n", "; ") for k, v in text.items()}}
            rows.append(_Row(str(path), None, failed=failed))
    if not any(r.member for r in rows):
        raise InputError(problems)
    # folders of one name but for capitals are one folder on Windows
    count = Counter(r.name.casefold() for r in rows if r.member)
    twice = [r for r in rows if r.member and count[r.name.casefold()] > 1]
    if twice:
        raise InputError(
            Problem(
                r.member.scenario.file, r.member.scenario.line("name"), "name", r.name,
                "more than one scenario of the batch has this name",
                "批处理中有多个情景使用该名称",
            )
            for r in twice if r.member
        )  # fmt: skip
    reserved = [r for r in rows if r.member and r.name.casefold() in {"cache", "logs"}]
    if reserved:
        raise InputError(
            Problem(r.name, "", "name", r.name, "is a folder of the batch itself", "与批处理自身的文件夹同名")
            for r in reserved
        )
    return rows


def _spelt_out(paths: Sequence[Path]) -> list[Path]:
    """Return the files of patterns such as ``*.yaml``: Windows leaves them to the program."""
    found: list[Path] = []
    for path in map(Path, paths):
        matched = sorted(path.parent.glob(path.name)) if any(c in path.name for c in "*?[") else []
        found += matched or [path]
    return found


def _clean(out: Path) -> None:
    """Remove what a killed batch left unfinished."""
    for left in [*out.glob(UNFINISHED), *out.glob(f"*/{UNFINISHED}")]:
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Let a request to end (SIGTERM, which cluster managers send before they kill) end the batch as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _SchedulerLost(Exception):
    """The connection to the scheduler broke."""


class _Batch:
    """The state of one batch."""

    def __init__(
        self,
        rows: Sequence[_Row],
        out: Path,
        manifest: Manifest,
        lang: Lang,
        *,
        fresh: bool,
        operator: bool | None,
        overwrite: bool,
    ) -> None:
        self._rows, self._out, self._manifest, self._lang = rows, out, manifest, lang
        self._operator, self._overwrite = operator, overwrite
        self._records: dict[str, Record] = {r.name: r.failed for r in rows if r.failed}
        self._todo: list[_Row] = []
        self._written = self._took = 0.0
        contents = Contents()
        for row in rows:
            if row.member is None:
                continue
            try:
                row.identity = identity(row.member.scenario, contents)
            except InputError as error:
                failed = {"message": error.text("en"), "message_zh": error.text("zh")}
                self._records[row.name] = {"name": row.name, "status": "failed", **failed}
                continue
            known = None if fresh else manifest.finished(row.name, row.identity)
            if known and known["by"] != "run" and operator is False:
                known = None
            if known is None:
                self._todo.append(row)
            else:
                # the same scenario may have another place in a sweep that has changed
                self._records[row.name] = {**known, "coordinates": dict(row.member.coordinates)}
        self._already = sum(r["status"] == "done" for r in self._records.values())

    def run(self, workers: int | None, scheduler: str | None, memory: str | None) -> Outcome:
        outcome = Outcome(already=self._already)
        board = Board(self._lang, len(self._rows), len(self._records))
        with board:
            for name, record in self._records.items():
                if record["status"] == "failed":
                    board.say(f"失败 {name}: {record['message_zh']}", f"FAILED {name}: {record['message']}")
            if self._already:
                board.say(f"已完成 {self._already} 个，不再重算", f"{self._already} done already, not run again")
            try:
                if self._todo:
                    self._run_missing(board, workers, scheduler, memory)
            except KeyboardInterrupt:
                outcome.interrupted = True
        outcome.files = summary.write(self._out, self._in_order(), self._lang)
        outcome.records = self._in_order()
        if not outcome.interrupted:
            # large, and of no use once all scenarios that share it are done
            for path in (self._out / "cache").glob("weather-*.npz"):
                path.unlink(missing_ok=True)
        return outcome

    def _run_missing(self, board: Board, workers: int | None, scheduler: str | None, memory: str | None) -> None:
        from airsim.batch import cluster

        scenarios = [r.member.scenario for r in self._todo if r.member]
        if scheduler:
            self._run_on_cluster(board, scheduler, workers)
            return
        share = cluster.share_out(scenarios, workers, cluster.memory_of(memory))
        board.say(
            f"{len(scenarios)} 个情景，{share.workers} 个进程，每个 {share.threads} 线程、"
            f"{share.memory / 2**30:.1f} GB 内存",
            f"{len(scenarios)} scenarios, {share.workers} process(es) of {share.threads} thread(s) and "
            f"{share.memory / 2**30:.1f} GB each",
        )
        with cluster.local(share) as client:
            warm = self._warm_up(client)
            crew = _Crew(
                client,
                self._out,
                self._lang,
                board,
                self._take,
                share.workers,
                share.threads,
                warm,
                overwrite=self._overwrite,
            )
            self._work(crew, self._todo)

    def _run_on_cluster(self, board: Board, address: str, most: int | None) -> None:
        from airsim.batch import cluster

        wait = cluster.WAIT_FOR_SCHEDULER
        while True:
            todo = [r for r in self._todo if r.name not in self._records]
            try:
                with cluster.remote(address, self._out, wait) as client:
                    crew = _Crew(
                        client, self._out, self._lang, board, self._take, most, 0, None, overwrite=self._overwrite
                    )
                    self._work(crew, todo)
                    return
            except _SchedulerLost:
                wait = RECONNECT
                minutes = RECONNECT / 60
                board.say(
                    f"与调度器 {address} 的连接中断，最多等待 {minutes:.0f} 分钟",
                    f"lost the scheduler at {address}; waiting for it, {minutes:.0f} min at most",
                )

    def _work(self, crew: _Crew, todo: Sequence[_Row]) -> None:
        """Superpose what differs in emissions alone and is worth it, run the rest."""
        jobs = crew.jobs(todo)
        groups: dict[str, list[Job]] = {}
        if self._operator is not False:
            contents = Contents()
            for job in jobs:
                groups.setdefault(superposition.common_key(job.scenario, contents), []).append(job)
        least = 1 if self._operator else superposition.MANY
        for group in groups.values():
            if len(group) >= least:
                crew.superpose(group)
                summed = {j.name for j in group}
                jobs = [j for j in jobs if j.name not in summed]
        crew.work(jobs)

    def _warm_up(self, client: Client) -> Future | None:
        """Let one worker compile what is not compiled yet before the others start."""
        import numba

        from airsim.region import kernels

        text = f"{physics()} {numba.__version__} {platform.node()} {platform.processor()}"
        # beside the compiled kernels: who deletes these, deletes it too
        folder = Path(kernels.cycles.stats.cache_path or self._out / "cache")
        mark = folder / f"airsim-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        if mark.exists():
            return None
        return client.submit(work.warm_up, str(mark), pure=False)

    def _take(self, records: Sequence[Record]) -> None:
        """Take finished or failed scenarios in: first the manifest, then now and then the summaries."""
        self._manifest.add(records)
        for record in records:
            self._records[record["name"]] = record
        begin = time.monotonic()
        if begin - self._written > self._took / _SUMMARY_SHARE:
            with contextlib.suppress(InputError):  # open in Excel: it is written again at the end
                summary.write(self._out, self._in_order(), self._lang)
            self._written = time.monotonic()
            self._took = self._written - begin

    def _in_order(self) -> list[Record]:
        rows = []
        for row in self._rows:
            record = self._records.get(row.name)
            if record is None:
                record = {"name": row.name, "status": "waiting"}
                if row.member:
                    title = row.member.scenario.title
                    record |= {"coordinates": dict(row.member.coordinates), "title": title.en, "title_zh": title.zh}
            rows.append(record)
        return rows


class _Crew:
    """Keeps the workers busy: as many scenarios at a time as there are workers, each result taken as it comes."""

    def __init__(
        self,
        client: Client,
        out: Path,
        lang: Lang,
        board: Board,
        take: Callable[[Sequence[Record]], None],
        most: int | None,
        threads: int,
        first: Future | None,
        *,
        overwrite: bool,
    ) -> None:
        self._client, self._out, self._lang, self._board, self._take = client, out, lang, board, take
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
        _SchedulerLost
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
                self._board.drop(job.name)

    def superpose(self, jobs: Sequence[Job]) -> None:
        """Make scenarios that differ in emissions alone as sums of a few that are carried.

        Raises
        ------
        _SchedulerLost
            The scheduler is gone; what had come back has been taken.
        """
        from airsim.assess.worlds import basis

        n = len(jobs)
        self._board.say(
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
        self._board.say(f"模拟 {count} 个排放场", f"carrying {count} emission worlds")
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
            self._board.end(name, "done", None, "", len(chunk))

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
            raise _SchedulerLost

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
            self._board.end(record["name"], "failed", None, message)

    def jobs(self, rows: Sequence[_Row]) -> list[Job]:
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
        self._board.begin(job.name)

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
            self._board.end(record["name"], record["status"], record.get("seconds"), message)
        if lost or self._client.status not in {"running", "newly-created"}:
            raise _SchedulerLost
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
        self._board.drop(job.name)
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
        self._board.part(said["name"], zh if self._lang == "zh" else en, float(said["done"]))
