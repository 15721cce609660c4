"""What a worker does: one scenario after the other, each with a log of its own; nothing but a record comes back."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import platform
import threading
import time
import traceback
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from airsim.cache.keys import Contents
from airsim.case import Case
from airsim.case.identity import identity
from airsim.case.shared import Shared
from airsim.errors import InputError, Lang, Problem
from airsim.files import together, write_bytes
from airsim.scenario import Scenario

if TYPE_CHECKING:
    from airsim.batch.manifest import Record

#: A worker that dies under a scenario is replaced; after so many deaths the scenario is given up.
TRIES = 3
_REPORT_EVERY = 0.5  # s
# a scenario uses the numba threads of its worker: two at once in a process would abort it
one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Job:
    """One scenario as it is sent to a worker.

    Attributes
    ----------
    scenario : Scenario
    identity : str
        See `airsim.case.identity`.
    physics : str
        Version of the physics that the batch was begun with.
    coordinates : dict
        Place in a sweep.
    folder : str
        The folder of the batch, as the workers see it.
    lang : {"zh", "en"}
    topic : str
        Where progress is told; new with each start of the batch.
    keep : frozenset of str
        Keys of weather that other scenarios want too.
    threads : int
        Threads of the scenario; 0: as many as the worker has.
    overwrite : bool
        Replace another scenario's result.
    """

    scenario: Scenario
    identity: str
    physics: str
    folder: str
    lang: Lang
    topic: str
    coordinates: dict[str, Any] = field(default_factory=dict)
    keep: frozenset[str] = frozenset()
    threads: int = 0
    overwrite: bool = False

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return self.scenario.name


def run(job: Job, _after: Any = None) -> Record:
    """Run one scenario; whatever is wrong with it comes back in the record.

    Parameters
    ----------
    job : Job
    _after : object
        What had to be made before, see `prepare`.
    """
    folder = Path(job.folder)
    with one_at_a_time, _logged(folder, job) as log:
        begun = time.perf_counter()
        record: Record = {**about(job), "by": "run", "host": platform.node()}
        try:
            if log.tries > TRIES:
                record |= given_up(job)
            else:
                set_threads(job.threads)
                record |= _results(job, folder, _Teller(job, log))
                record["status"] = "done"
        except Exception as error:  # one bad apple must not end the batch
            record |= failure_of(error, job)
            if not isinstance(error, InputError):
                log.say(traceback.format_exc())
        record["seconds"] = round(time.perf_counter() - begun, 2)
        log.say(f"{record['status']} after {record['seconds']} s {record.get('message', '')}")
        return record


def prepare(job: Job, _after: Any = None) -> None:
    """Make what several scenarios share, before they start; arguments as for `run`."""
    with one_at_a_time, contextlib.suppress(InputError, OSError):
        # whatever is wrong here each scenario will say for itself
        _ = case_of(job).weather


def warm_up(mark: str) -> None:
    """Compile every kernel once: several processes that fill numba's cache at the same time may spoil it.

    Parameters
    ----------
    mark : str
        A file that says it has been done.
    """
    from airsim.simulation import run as run_one

    with one_at_a_time:
        run_one(Scenario.model_validate_json(_SMALLEST))
        with contextlib.suppress(OSError, InputError):
            write_bytes(Path(mark), b"")


_SMALLEST = """{
  "name": "smallest", "title": {"zh": "", "en": ""},
  "period": {"start": "2019-01-02", "end": "2019-01-02T01:00", "spin_up_hours": 24},
  "domain": {"west": 108.0, "south": 33.5, "east": 110.0, "north": 35.0, "spacing": 30000},
  "meteorology": {"kind": "synthetic"},
  "measures": [{"type": "cut", "percent": 10}],
  "near_field": {"cities": ["xian"], "enterprises": 1, "radius": 2000, "spacing": 2000}
}"""


def _results(job: Job, folder: Path, teller: _Teller) -> dict[str, Any]:
    """Run, write aside, then move the files to their place; return what the record says of them."""
    from airsim import simulation
    from airsim.batch import indicators
    from airsim.result.folder import RESULTS, SEAL

    case, place = case_of(job), folder / job.name
    case.refuse_early(place, overwrite=job.overwrite)
    with together(place, SEAL) as stage:
        _, tree, _ = simulation.run_into(stage, case, job.lang, teller)
        if identity(job.scenario, Contents(), job.physics) != job.identity:
            raise InputError(
                [
                    Problem(
                        job.scenario.file, "", "", "",
                        "the scenario's input files changed while the batch ran: start the batch again",
                        "批处理运行期间输入文件有改动：请重新启动批处理",
                    )
                ]
            )  # fmt: skip
    files = {f"{job.name}/{name}": (place / name).stat().st_size for name in RESULTS}
    return {"files": files, "indicators": indicators.of_result(tree), "cities": np.asarray(tree["city"]).tolist()}


def set_threads(wanted: int) -> None:
    """Give numba its threads; they belong to the thread that calls it, so each scenario sets them."""
    import numba

    if not wanted:
        from distributed import get_worker

        wanted = get_worker().state.nthreads
    numba.set_num_threads(max(1, min(wanted, numba.get_num_threads())))


def about(job: Job) -> Record:
    """Return what every record says of its scenario."""
    title = job.scenario.title
    return {
        "name": job.name,
        "identity": job.identity,
        "coordinates": job.coordinates,
        "title": title.en,
        "title_zh": title.zh,
    }


def failure_of(error: Exception, job: Job) -> dict[str, Any]:
    """Return what a record says of an exception; a fault of airsim itself has its traceback in the log."""
    if isinstance(error, InputError):
        return _failure([p.text("zh") for p in error.problems], [p.text("en") for p in error.problems])
    if isinstance(error, MemoryError):
        return _failure(["内存不足"], ["not enough memory"])
    if isinstance(error, OSError):
        said = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
        return _failure([f"读写文件出错：{said}"], [f"reading or writing failed: {said}"])
    said = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    where = f"logs/{job.name}.log"
    return _failure([f"程序出错（{said}），详见 {where}"], [f"a fault in airsim ({said}), see {where}"])


def _failure(zh: list[str], en: list[str]) -> dict[str, Any]:
    return {"status": "failed", "message": "; ".join(en), "message_zh": "；".join(zh)}


def given_up(job: Job, said: str = "") -> Record:
    """Return the record of a scenario that did not come back: its workers were killed again and again, or `said`."""
    zh = f"运行它的进程被终止 {TRIES} 次（内存不足？），已放弃；可调整 --memory"
    en = f"its worker was killed {TRIES} times (out of memory?): given up; see --memory"
    return {**about(job), "by": "run", **_failure([said or zh], [said or en])}


_shared: dict[tuple[str, frozenset[str]], Shared] = {}


def shared_of(job: Job) -> Shared:
    """Return what this process shares among the scenarios of the batch."""
    key = (job.folder, job.keep)
    if key not in _shared:
        _shared.clear()
        _shared[key] = Shared(Path(job.folder) / "cache", job.keep)
    return _shared[key]


def case_of(job: Job, known: MutableMapping[str, Any] | None = None) -> Case:
    """Return the case of a scenario of the batch, with what this process shares."""
    return Case(job.scenario, shared_of(job), known)


def begun(log: Path, topic: str) -> int:
    """Return how often a scenario was begun in this start of the batch, by its log."""
    text = ""
    with contextlib.suppress(OSError):
        text = log.read_text(encoding="utf-8", errors="replace")
    return text.count(_mark(topic))


def _mark(topic: str) -> str:
    return f"batch {topic}"


class Log:
    """The log of one scenario; it also counts how often the scenario was begun in this start of the batch."""

    def __init__(self, path: Path, topic: str) -> None:
        self._path = path
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
        self.tries = begun(path, topic) + 1
        self.say(f"begun by process {os.getpid()} on {platform.node()}, {_mark(topic)}, try {self.tries}")

    def say(self, text: str) -> None:
        """Add a line; a log that cannot be written (full disk) stops nothing."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        with contextlib.suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write(f"{now} {text.rstrip()}\n")


@contextlib.contextmanager
def _logged(folder: Path, job: Job) -> Iterator[Log]:
    """Open a scenario's log and send warnings there, not to the user's screen."""
    log = Log(folder / "logs" / f"{job.name}.log", job.topic)
    handler = logging.Handler()
    handler.emit = lambda record: log.say(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("py.warnings")
    logger.addHandler(handler)
    logger.propagate = False
    logging.captureWarnings(True)
    try:
        yield log
    finally:
        logging.captureWarnings(False)
        logger.removeHandler(handler)


class _Teller:
    """Tells stages to the log, and to the batch how far the scenario is (`airsim.console.Reporter`)."""

    def __init__(self, job: Job, log: Log) -> None:
        self._job, self._log = job, log
        self._done = self._share = 0.0
        self._told = 0.0
        self._names = ("", "")
        try:
            from distributed import get_worker

            self._worker: Any = get_worker()
        except (ImportError, ValueError):  # called outside a worker
            self._worker = None

    def stage(self, zh: str, en: str, share: float) -> None:
        """Begin a stage that takes about `share` of the run [1]."""
        self._done += self._share
        self._share = share
        self._names = (zh, en)
        self._log.say(en)
        self._tell(0.0, now=True)

    def part(self, fraction: float) -> None:
        """Say which fraction of the stage is done [1]."""
        self._tell(fraction)

    def _tell(self, fraction: float, *, now: bool = False) -> None:
        moment = time.monotonic()
        if self._worker is None or (moment - self._told < _REPORT_EVERY and not now):
            return
        self._told = moment
        said = {"name": self._job.name, "stage": self._names, "done": self._done + self._share * fraction}
        self._worker.log_event(self._job.topic, said)


def probe(path: str, token: str) -> tuple[str, bool]:
    """Return this worker's version of the physics, and whether it sees the batch's folder and may write there."""
    from airsim.cache.keys import physics

    folder = Path(path)
    try:
        sees = (folder / ".probe").read_text(encoding="utf-8") == token
        mine = folder / f".probe-{platform.node()}-{os.getpid()}"
        write_bytes(mine, b"")
        mine.unlink()
    except (OSError, InputError):
        sees = False
    return physics(), sees
