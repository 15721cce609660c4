"""The workers of a batch: processes of this machine, or those of a dask cluster that is there already."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import psutil
from distributed import Client, LocalCluster, WorkerPlugin

from airsim.batch import work
from airsim.cache.keys import physics
from airsim.errors import InputError, Problem
from airsim.scenario import Scenario

#: Share of the memory that a batch takes unless told otherwise.
DEFAULT_MEMORY = 0.7
_GB = 2**30
# measured on the January case (288 h, 5 km): 1.8 GB, of it 0.58 GB weather; a process that has imported all: 0.3 GB
_PROCESS = 0.5 * _GB
_TIMES_WEATHER = 2.5
#: How long a scheduler is waited for at the start [s].
WAIT_FOR_SCHEDULER = 10.0


@dataclass(frozen=True)
class Share:
    """How the machine is shared out: so many processes, threads in each, and memory for each [bytes]."""

    workers: int
    threads: int
    memory: int


def need(scenario: Scenario) -> int:
    """Return the memory that one scenario takes at most, estimated from its hours and boxes [bytes]."""
    from airsim import geography

    period, d = scenario.period, scenario.domain
    try:
        grid = geography.make_grid((d.west, d.south, d.east, d.north), d.spacing)
        boxes = grid.ny * grid.nx
        levels = grid.nz
    except ValueError:
        return int(_PROCESS)  # no grid: the scenario will say so
    weather = (period.hours + period.spin_up_hours) * boxes * (5 * levels + 10) * 4
    return int(_PROCESS + _TIMES_WEATHER * weather)


def share_out(scenarios: list[Scenario], workers: int | None, memory: int) -> Share:
    """Share cores and memory out to processes: threads times processes never exceed the cores.

    Parameters
    ----------
    scenarios : list of Scenario
        Those that are to run.
    workers : int or None
        Processes wanted at most.
    memory : int
        Of all of them together [bytes].

    Raises
    ------
    InputError
        Not even one scenario fits into the memory.
    """
    largest = max((need(s) for s in scenarios), default=0)
    if largest > memory:
        gb, has = largest / _GB, memory / _GB
        raise InputError(
            [
                Problem(
                    "--memory", "", "", f"{has:.1f} GB",
                    f"the largest scenario takes about {gb:.1f} GB: give more, a coarser grid or a shorter period",
                    f"最大的情景约需 {gb:.1f} GB 内存：请增加内存，或放粗网格、缩短时段",
                )
            ]
        )  # fmt: skip
    cores = available_cores()
    count = max(1, min(workers or cores, cores, len(scenarios), memory // max(largest, 1)))
    return Share(int(count), max(1, cores // int(count)), memory // int(count))


def available_cores() -> int:
    """Return the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_of(text: str | None) -> int:
    """Read a memory budget such as "12GB" or "50%" of what the machine has [bytes].

    Raises
    ------
    InputError
        Neither.
    """
    whole = psutil.virtual_memory().total
    if not text:
        return int(DEFAULT_MEMORY * whole)
    try:
        found = whole * float(text[:-1]) / 100 if text.endswith("%") else dask.utils.parse_bytes(text)
    except ValueError:
        found = 0
    if not 0 < found <= whole:
        gb = whole / _GB
        raise InputError(
            [
                Problem(
                    "--memory", "", "", text,
                    f"must be such as 8GB or 50%, at most the {gb:.1f} GB of this machine",
                    f"须为如 8GB 或 50%，且不超过本机的 {gb:.1f} GB",
                )
            ]
        )  # fmt: skip
    return int(found)


class _LeaveCtrlC(WorkerPlugin):
    """On a terminal Ctrl-C reaches every process; the batch ends its workers itself."""

    name = "airsim"

    def setup(self, worker: Any) -> None:
        """Ignore the signal in a worker, also in one that replaces a killed one."""
        with contextlib.suppress(ValueError):  # not in the main thread: then nothing arrives here either
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _quiet() -> None:
    """Silence dask: what happens to workers and scheduler the batch tells in its own words."""
    for name in [n for n in logging.root.manager.loggerDict if n.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextlib.contextmanager
def local(share: Share) -> Iterator[Client]:
    """Start processes on this machine; they end with the batch, however it ends."""
    threads = str(share.threads)
    _quiet()
    settings = {
        # dask blames every task that waits at a dead worker; the batch looks into the log for who was at work
        "distributed.scheduler.allowed-failures": 0,
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.terminate": 0.98,
        "distributed.nanny.pre-spawn-environ": {
            "NUMBA_NUM_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "MALLOC_TRIM_THRESHOLD_": "65536",
            "DASK_LOGGING__DISTRIBUTED": "critical",
        },
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=share.workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=share.memory,
            # dask serves its state over HTTP in any case: to this machine alone, on ports that are free
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            host="127.0.0.1",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.register_plugin(_LeaveCtrlC())
        yield client


@contextlib.contextmanager
def remote(address: str, folder: Path, wait: float = WAIT_FOR_SCHEDULER) -> Iterator[Client]:
    """Connect to a cluster; its workers must have the same airsim and see the batch's folder.

    Raises
    ------
    InputError
        No scheduler answers, or a worker does not fit.
    """
    _quiet()
    try:
        client = Client(address, timeout=wait)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(
            [
                Problem(
                    "--scheduler", "", "", address,
                    f"no dask scheduler answers there ({type(error).__name__})",
                    f"该地址没有 dask 调度器应答（{type(error).__name__}）",
                )
            ]
        ) from None  # fmt: skip
    with client:
        _check_workers(client, folder)
        yield client


def _check_workers(client: Client, folder: Path) -> None:
    token = secrets.token_hex(8)
    probe = folder / ".probe"
    probe.write_text(token, encoding="utf-8")
    try:
        said = client.run(work.probe, str(folder), token)
    finally:
        probe.unlink(missing_ok=True)
    problems = []
    for worker, (version, sees) in said.items():
        if version != physics():
            problems.append(Problem(worker, "", "airsim", "", "another version of airsim", "airsim 版本不同"))
        if not sees:
            problems.append(
                Problem(
                    worker, "", "--out", str(folder),
                    "this worker does not see the folder or cannot write there: it must be a shared one",
                    "该工作进程看不到此文件夹或无法写入：须为共享文件夹",
                )
            )  # fmt: skip
    if problems:
        raise InputError(problems)
