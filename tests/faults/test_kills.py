"""What ends a batch or a part of it by force: kill -9, Ctrl-C, a full disk, a lost scheduler. Nothing is lost."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import batches
import psutil
import pytest
import xarray as xr
from batches import STUB, batch, finish, leftovers, results, single, start, swept

from airsim import shipped

if sys.platform == "win32":
    pytest.skip("kill -9, Ctrl-C for a group and limits of file sizes are POSIX's", allow_module_level=True)
import resource

#: Most tests have their runs made up (tests/stub_job.py) and real ones in the soak; one test of each kind of failure
#: has real runs always.
JOBS = ["stub", pytest.param("real", marks=pytest.mark.soak)]
ALWAYS_REAL = ["real"]
#: Time for a made-up run that something happens to in its midst.
SLOWLY = {"STUB_SECONDS": "4"}
#: How often a driver is killed; the whole soak kills it 20 times.
KILLS = {"stub": 5, "real": 20 if os.environ.get("AIRSIM_SOAK") == "1" else 3}


@pytest.fixture
def undisturbed(job, tmp_path_factory):
    """A sweep that has run undisturbed: its file and its results."""
    folder = batches.undisturbed(tmp_path_factory, job)
    found = results(folder / "out")
    assert len(found) == 4
    return folder / "sweep.yaml", found


def until(what, seconds=120):
    """Wait until something is true; return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def begun(out, name, tries=1):
    """Return the process that works on a scenario for the given time, None if it hasn't begun."""
    log = out / "logs" / f"{name}.log"
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    found = re.findall(r"begun by process (\d+) on [^,]+, batch \w+, try (\d+)", text)
    return next((int(pid) for pid, n in found if int(n) == tries), None)


def kill_all(process):
    """Kill -9 a batch and see its workers end by themselves."""
    workers = []
    if psutil.pid_exists(process.pid):
        workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive, "workers outlive a killed batch"


@pytest.mark.parametrize("job", JOBS)
def test_kill_the_driver_again_and_again(undisturbed, tmp_path, job):
    file, expected = undisturbed
    out = tmp_path / "out"
    moment = random.Random(8)
    for turn in range(KILLS[job]):
        seen = sum(f.stat().st_size for f in out.glob("logs/*.log"))
        process = start("batch", file, "--out", out, "--workers", 2, job=job)
        if turn % 4:  # every fourth dies while it starts
            until(lambda seen=seen: sum(f.stat().st_size for f in out.glob("logs/*.log")) > seen)
        time.sleep(moment.uniform(0.05, {"stub": 1.2, "real": 8}[job]))
        kill_all(process)
        done = sorted(f.parent for f in out.glob("*/result.nc"))
        for folder in moment.sample(done, max(0, len(done) - 2)):  # leave something to do
            shutil.rmtree(folder)
    said = batch(file, "--out", out, "--workers", 2, job=job)
    assert "4 done" in said
    assert results(out) == expected
    assert not leftovers(out)
    assert set(xr.open_dataset(out / "summary.nc")["status"].values.tolist()) == {"done"}


@pytest.mark.parametrize("job", ALWAYS_REAL)
def test_real_runs_outlive_a_killed_worker_and_a_killed_driver(undisturbed, tmp_path, job):
    file, expected = undisturbed
    out = tmp_path / "out"
    process = start("batch", file, "--out", out, "--workers", 2, job=job)
    os.kill(until(lambda: begun(out, "tiny-0001")), signal.SIGKILL)
    until(lambda: begun(out, "tiny-0001", 2))
    until(lambda: list(out.glob("*/result.nc")))
    kill_all(process)
    assert 1 <= len(results(out)) < 4
    assert "4 done" in batch(file, "--out", out, "--workers", 2, job=job)
    assert results(out) == expected
    assert not leftovers(out)


@pytest.mark.parametrize("job", JOBS)
def test_a_killed_worker_is_replaced_and_at_most_twice(tmp_path, job):
    out = tmp_path / "out"
    files = [single(tmp_path, "unlucky"), single(tmp_path, "lucky", ("percent: 10", "percent: 20"))]
    process = start("batch", *files, "--out", out, "--workers", 2, job=job, env=SLOWLY)
    once = until(lambda: begun(out, "lucky"))
    os.kill(once, signal.SIGKILL)
    for tries in (1, 2, 3):
        victim = until(lambda tries=tries: begun(out, "unlucky", tries))
        os.kill(victim, signal.SIGKILL)
    said = finish(process)
    assert process.returncode == 1, said
    assert "1 done" in said
    assert "killed 3 times" in said
    assert begun(out, "unlucky", 4) is None
    assert (out / "lucky" / "result.nc").exists()
    assert "1 done (0 of them before)" in said
    assert "2 done (1 of them before)" in batch(*files, "--out", out, job=job)


@pytest.mark.parametrize("job", ["stub", "real"])
def test_a_full_disk(undisturbed, tmp_path, job):
    """Files of more than 300 kB cannot be written: results fail, nothing half-written stays, and a rerun mends it."""
    sweep, expected = undisturbed
    out = tmp_path / "out"
    file, count = (sweep, 4) if job == "stub" else (swept(tmp_path, [10], seeds=[7]), 1)

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    said = batch(file, "--out", out, "--workers", 2, code=1, preexec_fn=small_files, job=job)
    assert f"{count} failed" in said
    assert "File too large" in said
    assert not list(out.glob("*/result.nc"))
    assert not leftovers(out)
    assert f"{count} done (0 of them before)" in batch(file, "--out", out, "--workers", 2, job=job)
    found = results(out)
    assert len(found) == count
    assert found == {name: expected[name] for name in found}


def test_no_room_even_for_the_manifest(tmp_path):
    out = tmp_path / "out"
    file = swept(tmp_path, [10, 20])

    def no_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    process = start("batch", file, "--out", out, "--workers", 1, preexec_fn=no_files, job="stub")
    said = finish(process)
    assert process.returncode == 1, said
    assert "File too large" in said
    assert not leftovers(out)


def test_an_input_becomes_unreadable_midway(tmp_path):
    text = shipped.path("data/emissions/area_sources.csv").read_bytes()
    names = ("one", "two")
    for name in names:
        (tmp_path / f"{name}.csv").write_bytes(text)
    files = [single(tmp_path, n, ("measures:", f"inputs: {{area_sources: {n}.csv}}\nmeasures:")) for n in names]
    out = tmp_path / "out"
    process = start("batch", *files, "--out", out, "--workers", 1)
    until(lambda: begun(out, "one"))
    (tmp_path / "two.csv").write_bytes(b"\x00\xff" * 100)
    said = finish(process)
    assert process.returncode == 1, said
    assert "1 done" in said
    assert "two.csv" in said
    assert (out / "one" / "result.nc").exists()
    assert not (out / "two").exists()


@pytest.mark.parametrize("job", JOBS)
def test_an_input_changes_midway(tmp_path, job):
    table = tmp_path / "area.csv"
    table.write_bytes(shipped.path("data/emissions/area_sources.csv").read_bytes())
    file = single(tmp_path, "one", ("measures:", "inputs: {area_sources: area.csv}\nmeasures:"))
    out = tmp_path / "out"
    process = start("batch", file, "--out", out, job=job, env=SLOWLY)
    until(lambda: begun(out, "one"))
    table.write_bytes(table.read_bytes() + b"\n")
    said = finish(process)
    assert process.returncode == 1, said
    assert "changed while the batch ran" in said
    assert not (out / "one" / "result.nc").exists()


@pytest.mark.parametrize(
    ("way", "job"),
    [
        ("ctrl_c", "stub"),
        ("terminate", "stub"),
        ("ctrl_c", "real"),
        pytest.param("terminate", "real", marks=pytest.mark.soak),
    ],
)
def test_a_batch_that_is_interrupted_says_how_to_go_on(undisturbed, tmp_path, way, job):
    file, expected = undisturbed
    out = tmp_path / "out"
    process = start("batch", file, "--out", out, "--workers", 1, job=job, env={"STUB_SECONDS": "2"})
    until(lambda: list(out.glob("*/result.nc")) and (out / "manifest.jsonl").exists())
    until(lambda: (out / "manifest.jsonl").read_bytes().count(b"\n"))
    if way == "ctrl_c":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    else:
        process.terminate()
    said = finish(process)
    assert process.returncode == 1, said
    assert "The same command again goes on" in said
    table = xr.open_dataset(out / "summary.nc")
    kept = int((table["status"] == "done").sum())
    assert 1 <= kept < 4
    assert f"4 done ({kept} of them before)" in batch(file, "--out", out, job=job)
    assert results(out) == expected
    assert not leftovers(out)


@pytest.mark.parametrize("job", JOBS)
def test_two_batches_in_one_folder(undisturbed, tmp_path, job):
    file, expected = undisturbed
    out = tmp_path / "out"
    first = start("batch", file, "--out", out, "--workers", 2, job=job, env=SLOWLY)
    until(lambda: list(out.glob("logs/*.log")))
    said = batch(file, "--out", out, code=2, job=job)
    assert "another batch works in this folder" in said
    assert f"process {first.pid}" in said
    assert "4 done" in finish(first)
    assert first.returncode == 0
    assert results(out) == expected


class Cluster:
    """A dask scheduler and workers, as real processes."""

    def __init__(self, folder, job):
        self.folder, self.job = folder, job
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.processes = []

    def scheduler(self):
        return self._start("dask_scheduler", "--host", "127.0.0.1", "--port", self.port, "--no-dashboard")

    def worker(self):
        preload = ("--preload", STUB) if self.job == "stub" else ()
        wanted = ("--nthreads", 2, "--no-dashboard", "--death-timeout", 60)
        return self._start("dask_worker", self.address, *wanted, *preload)

    def _start(self, program, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *map(str, arguments)],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def end(self):
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            process.wait()


@pytest.fixture
def cluster(tmp_path, job):
    made = Cluster(tmp_path, job)
    yield made
    made.end()


@pytest.mark.parametrize("job", JOBS)
def test_a_scheduler_that_dies_and_comes_back(undisturbed, tmp_path, cluster, job):
    file, expected = undisturbed
    out = tmp_path / "out"
    scheduler = cluster.scheduler()
    cluster.worker()
    process = start("batch", file, "--out", out, "--scheduler", cluster.address, job=job)
    until(lambda: list(out.glob("*/result.nc")))
    os.killpg(scheduler.pid, signal.SIGKILL)
    scheduler.wait()
    time.sleep(1)
    cluster.scheduler()
    cluster.worker()
    said = finish(process)
    assert process.returncode == 0, said
    assert "lost the scheduler" in said
    assert results(out) == expected


def test_no_scheduler(tmp_path):
    said = batch(single(tmp_path, "one"), "--out", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9", code=2)
    assert "no dask scheduler answers" in said


def test_too_little_memory(tmp_path):
    said = batch(single(tmp_path, "one"), "--out", tmp_path / "out", "--memory", "200MB", code=2)
    assert "takes about 0.5 GB" in said
