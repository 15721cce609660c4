"""One batch from beginning to end: what is missing is run, what fails is told, what is done stays."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from airsim.batch import summary, superposition, sweep, work
from airsim.batch.manifest import Manifest, Record, locked
from airsim.batch.progress import ProgressDisplay
from airsim.batch.work import Job
from airsim.cache.keys import Contents, physics
from airsim.case.identity import identity
from airsim.errors import InputError, Lang, Problem
from airsim.files import UNFINISHED

if TYPE_CHECKING:
    from distributed import Client, Future
from airsim.batch.crew import Crew, Row, SchedulerLost

#: How long a lost scheduler is waited for [s].
RECONNECT = 600.0
# summaries are written again when that takes no more than this share of the time [1]
_SUMMARY_SHARE = 0.05


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


def _rows(paths: Sequence[Path]) -> list[Row]:
    """Return the scenarios of all files; a bad file is a failed row as long as another one is sound."""
    rows: list[Row] = []
    problems: list[Problem] = []
    for path in _spelt_out(paths):
        try:
            rows += [Row(m.scenario.name, m) for m in sweep.members(Path(path))]
        except InputError as error:
            problems += error.problems
            text = {"message": error.text("en"), "message_zh": error.text("zh")}
            failed = {"name": str(path), "status": "failed", **{k: v.replace("\n", "; ") for k, v in text.items()}}
            rows.append(Row(str(path), None, failed=failed))
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


class _Batch:
    """The state of one batch."""

    def __init__(
        self,
        rows: Sequence[Row],
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
        self._todo: list[Row] = []
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
        display = ProgressDisplay(self._lang, len(self._rows), len(self._records))
        with display:
            for name, record in self._records.items():
                if record["status"] == "failed":
                    display.say(f"失败 {name}: {record['message_zh']}", f"FAILED {name}: {record['message']}")
            if self._already:
                display.say(f"已完成 {self._already} 个，不再重算", f"{self._already} done already, not run again")
            try:
                if self._todo:
                    self._run_missing(display, workers, scheduler, memory)
            except KeyboardInterrupt:
                outcome.interrupted = True
        outcome.files = summary.write(self._out, self._in_order(), self._lang)
        outcome.records = self._in_order()
        if not outcome.interrupted:
            # large, and of no use once all scenarios that share it are done
            for path in (self._out / "cache").glob("weather-*.npz"):
                path.unlink(missing_ok=True)
        return outcome

    def _run_missing(
        self, display: ProgressDisplay, workers: int | None, scheduler: str | None, memory: str | None
    ) -> None:
        from airsim.batch import cluster

        scenarios = [r.member.scenario for r in self._todo if r.member]
        if scheduler:
            self._run_on_cluster(display, scheduler, workers)
            return
        share = cluster.share_out(scenarios, workers, cluster.memory_of(memory))
        display.say(
            f"{len(scenarios)} 个情景，{share.workers} 个进程，每个 {share.threads} 线程、"
            f"{share.memory / 2**30:.1f} GB 内存",
            f"{len(scenarios)} scenarios, {share.workers} process(es) of {share.threads} thread(s) and "
            f"{share.memory / 2**30:.1f} GB each",
        )
        with cluster.local(share) as client:
            warm = self._warm_up(client)
            crew = Crew(
                client,
                self._out,
                self._lang,
                display,
                self._take,
                share.workers,
                share.threads,
                warm,
                overwrite=self._overwrite,
            )
            self._work(crew, self._todo)

    def _run_on_cluster(self, display: ProgressDisplay, address: str, most: int | None) -> None:
        from airsim.batch import cluster

        wait = cluster.WAIT_FOR_SCHEDULER
        while True:
            todo = [r for r in self._todo if r.name not in self._records]
            try:
                with cluster.remote(address, self._out, wait) as client:
                    crew = Crew(
                        client, self._out, self._lang, display, self._take, most, 0, None, overwrite=self._overwrite
                    )
                    self._work(crew, todo)
                    return
            except SchedulerLost:
                wait = RECONNECT
                minutes = RECONNECT / 60
                display.say(
                    f"与调度器 {address} 的连接中断，最多等待 {minutes:.0f} 分钟",
                    f"lost the scheduler at {address}; waiting for it, {minutes:.0f} min at most",
                )

    def _work(self, crew: Crew, todo: Sequence[Row]) -> None:
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
