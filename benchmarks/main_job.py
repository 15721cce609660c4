"""The main job as a whole process: stage times and peak memory, cold (nothing compiled) and warm, side by side.

    python benchmarks/main_job.py [SCENARIO.yaml]

Absolute times move with the machine; compare the columns of one run with each other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]


def peak_memory(process: subprocess.Popen[bytes], found: list[int]) -> None:
    """Watch the process's peak resident memory [kB]; Linux only, elsewhere nothing is found."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            lines = status.read_text(encoding="ascii", errors="replace").splitlines()
            found.extend(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        except OSError:
            return
        time.sleep(0.05)


def once(scenario: Path, cache: Path, out: Path) -> tuple[float, dict, float]:
    """Return wall time [s], run.json and peak memory [MB] of one run."""
    environment = dict(os.environ, NUMBA_CACHE_DIR=str(cache), PYTHONPATH=str(TOP))
    command = [sys.executable, "-m", "airsim.cli", "run", str(scenario), "--out", str(out), "--lang", "en"]
    start = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        found: list[int] = []
        watcher = threading.Thread(target=peak_memory, args=(process, found))
        watcher.start()
        code = process.wait()
        watcher.join()
    wall = time.perf_counter() - start
    if code:
        raise SystemExit(f"airsim run ended with {code}")
    report = json.loads(next(out.glob("*/run.json")).read_text(encoding="utf-8"))
    return wall, report, max(found, default=0) / 1024


def main() -> None:
    """Run cold, then warm, and print the two beside each other."""
    scenario = Path(sys.argv[1]) if len(sys.argv) > 1 else TOP / "configs" / "guanzhong-january.yaml"
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        runs = [once(scenario, cache, Path(folder) / name) for name in ("cold", "warm")]
    print(f"{'stage':34s} {'cold [s]':>10s} {'warm [s]':>10s}")
    for stage in runs[0][1]["wall_seconds"]:
        cold, warm = (r[1]["wall_seconds"].get(stage, 0.0) for r in runs)
        print(f"{stage:34s} {cold:10.2f} {warm:10.2f}")
    print(f"{'whole process':34s} {runs[0][0]:10.2f} {runs[1][0]:10.2f}")
    print(f"{'peak memory [MB]':34s} {runs[0][2]:10.0f} {runs[1][2]:10.0f}")


if __name__ == "__main__":
    main()
