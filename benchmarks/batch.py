"""Batches: two workers against one, a thousand scenarios as sums, overhead, scaling on a simulated cluster.

    python benchmarks/batch.py                   # all four
    python benchmarks/batch.py workers --days 2  # one of them, on shorter episodes
    python benchmarks/batch.py sums overhead scaling

`workers` runs 8 full scenarios (eight seeds of the weather, 5 km grid) once with one process and once with two; every
process has one thread, so that the ratio is that of the batch and not of the kernels. `sums` makes 1,000 scenarios of
one weather by superposition, everything included: start of the workers, weather, carrying, summaries. `overhead` is
what the batch itself takes for a scenario, whose run is replaced by nothing. `scaling` replaces it by a sleep of half a
second, on 1 to 8 dask workers in one process: it shows what scheduler, manifest and summaries cost, not what
processors do; with bokeh installed (`airsim[cluster]`) it also writes dask's performance report beside the results.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from distributed import Client, LocalCluster, performance_report

import airsim
from airsim import batch
from airsim.batch import cluster, work

SECONDS = 0.0
PERIOD = "period: {{start: 2019-01-01, end: 2019-01-{end:02d}, spin_up_hours: 48}}"
HEAD = """\
name: {name}
title: {{zh: 批处理基准, en: batch benchmark}}
{period}
meteorology: {{kind: synthetic, seed: 2019}}
measures:
  - {{type: cut, percent: 20, cities: [xian, xianyang, weinan], sectors: [residential]}}
  - {{type: cut, percent: 20, sectors: [industry, power]}}
  - {{type: cut, percent: 20, sectors: [transport], start: 2019-01-02, end: 2019-01-03}}
"""
SMALL = """\
domain: {west: 108.0, south: 33.5, east: 110.0, north: 35.0, spacing: 30000}
"""


def write(folder: Path, name: str, end: int, sweep: str, *, small: bool = False) -> Path:
    """Write a scenario file with a sweep."""
    text = HEAD.format(name=name, period=PERIOD.format(end=end)) + (SMALL if small else "") + sweep
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def timed(path: Path, out: Path, **how: object) -> tuple[float, batch.Outcome]:
    """Run a batch; return its wall time [s]."""
    begin = time.perf_counter()
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
        ended = batch.run([path], out, lang="en", **how)
    assert ended.count("done") == len(ended.records), f"{ended.count('done')} done"
    return time.perf_counter() - begin, ended


def workers(folder: Path, days: int) -> None:
    path = write(folder, "full", 1 + days, "sweep:\n  values:\n    meteorology.seed: [1, 2, 3, 4, 5, 6, 7, 8]\n")
    share_out = cluster.share_out

    def one_thread(*given: object) -> cluster.Share:
        share = share_out(*given)
        return cluster.Share(share.workers, 1, share.memory)

    cluster.share_out = one_thread
    try:
        took = [timed(path, folder / f"full{n}", workers=n, operator=False)[0] for n in (1, 2)]
    finally:
        cluster.share_out = share_out
    print(f"8 full scenarios of {days} days: 1 worker {took[0]:.1f} s, 2 workers {took[1]:.1f} s")
    print(f"  ratio {took[0] / took[1]:.2f}  >= 1.7")


def sums(folder: Path, days: int) -> None:
    sweep = "sweep:\n  method: sobol\n  samples: 1000\n  ranges:\n"
    sweep += "".join(f"    measures[{i}].percent: [1, 99]\n" for i in (1, 2, 3))
    path = write(folder, "sums", 1 + days, sweep)
    took, ended = timed(path, folder / "sums")
    by = {r["by"] for r in ended.records}
    print(f"{len(ended.records)} scenarios of {days} days by {', '.join(by)}: {took:.1f} s, all included  <= 60 s")
    again = timed(path, folder / "sums", fresh=True)[0]
    print(f"  again, worlds and weather in the cache: {again:.1f} s")


def asleep(job: work.Job, _after: object = None) -> dict:
    """Stand in for a run of so many seconds."""
    time.sleep(SECONDS)
    return {**work.about(job), "by": "run", "status": "done", "files": {}, "seconds": SECONDS}


@contextlib.contextmanager
def stand_in(folder: Path, workers: int, seconds: float) -> Iterator[str]:
    """Start dask workers in this process for whom a scenario is a sleep; give the scheduler's address."""
    global SECONDS  # noqa: PLW0603
    SECONDS = seconds
    real = work.run, work.prepare
    work.run, work.prepare = asleep, lambda job, after=None: None
    try:
        with (
            LocalCluster(n_workers=workers, threads_per_worker=1, processes=False, dashboard_address=None) as made,
            Client(made),
            contextlib.ExitStack() as stack,
        ):
            if importlib.util.find_spec("bokeh"):
                stack.enter_context(performance_report(filename=str(folder / f"report-{workers}.html")))
            yield made.scheduler_address
    finally:
        work.run, work.prepare = real


def sweep_of(count: int) -> str:
    """Return a sweep of so many values."""
    return f"sweep:\n  values:\n    measures[1].percent: {[i * 90 / count + 1 for i in range(count)]}\n"


def overhead(folder: Path) -> None:
    took = []
    for count in (100, 500):
        path = write(folder, f"empty{count}", 2, sweep_of(count), small=True)
        with stand_in(folder, 1, 0.0) as address:
            took.append(timed(path, folder / f"empty{count}", scheduler=address, operator=False)[0])
    each = (took[1] - took[0]) / 400
    print(f"overhead a scenario (hash, dask, manifest, summaries): {1e3 * each:.1f} ms  <= 20 ms")


def scaling(folder: Path) -> None:
    path = write(folder, "asleep", 2, sweep_of(64), small=True)
    print("simulated cluster, 64 scenarios of 0.5 s")
    for count in (1, 2, 4, 8):
        with stand_in(folder, count, 0.5) as address:
            took, _ = timed(path, folder / f"asleep{count}", scheduler=address, operator=False)
        print(f"  {count} workers: {took:6.1f} s, efficiency {64 * 0.5 / count / took:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", default=["workers", "sums", "overhead", "scaling"])
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--keep", type=Path, help="folder for the results")
    args = parser.parse_args()
    print(f"airsim {airsim.__version__}, {cluster.available_cores()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = args.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        if "workers" in args.what:
            workers(folder, args.days)
        if "sums" in args.what:
            sums(folder, args.days)
        if "overhead" in args.what:
            overhead(folder)
        if "scaling" in args.what:
            scaling(folder)


if __name__ == "__main__":
    main()
