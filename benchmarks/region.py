"""How fast the region is: kernels against memory bandwidth, whole runs, adjoint, scaling.

    python benchmarks/region.py             # kernels, a 10-day run, an adjoint for 12 receptors
    python benchmarks/region.py --scaling   # also 10, 5, 3 km and 1, 8, 32, 96 tags, 1 and 2 threads

Weather is the synthetic episode, emission an arbitrary field over the basin: the cost does not depend on either,
but for the wind speed, which sets the number of sub-cycles.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import xarray as xr
from numba import njit, prange

from airsim import geography
from airsim.meteorology import synthetic
from airsim.region import TRACERS, Transport, chemistry
from airsim.region import kernels as region_kernels

START = np.datetime64("2026-01-04T16", "ns")


@njit(parallel=True)
def _copy(source: np.ndarray, target: np.ndarray) -> None:
    for block in prange(source.shape[0]):
        target[block] = source[block]


def best(work: Callable[[], Any], times: int = 5) -> float:
    """Return the shortest of several wall times after one run to warm up [s]."""
    work()
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begin)
    return min(spent)


def bandwidth() -> float:
    """Return bytes read and written a second by a copy far larger than the caches."""
    source = np.ones((512, 1 << 17), np.float32)
    target = np.empty_like(source)
    return 2 * source.nbytes / best(lambda: _copy(source, target))


def weather(spacing: float, hours: int) -> tuple[Any, xr.Dataset]:
    """Return grid and synthetic weather."""
    place = geography.load(geography.make_grid(spacing=spacing))
    return place.grid, synthetic.episode(place, start=START, hours=hours, seed=1)


def emission(grid: Any, columns: int) -> np.ndarray:
    """Return a smooth emission over the middle of the domain, lowest four levels [kg s-1]."""
    y, x = np.meshgrid(np.linspace(-1, 1, grid.ny), np.linspace(-1, 1, grid.nx), indexing="ij")
    field = np.exp(-8 * (x**2 + y**2)).astype(np.float32)
    return np.ascontiguousarray(
        np.broadcast_to(field[None, :, :, None, None], (4, *field.shape, len(TRACERS), columns))
    )


@njit(parallel=True)
def _update(array: np.ndarray) -> None:
    for block in prange(array.shape[0]):
        row = array[block]
        for n in range(row.size):
            row[n] *= np.float32(1.0001)


def kernels(transport: Transport, columns: int, rounds: int = 30) -> None:
    """Print cell-tag updates a second of every kernel beside what the memory allows.

    The bound counts what even the best kernel must move: the state read once and written once; for the local processes
    also emission rates (read), means and dry deposits (read and written). Weights and weather are not counted. A copy
    far larger than the caches and every kernel take turns in one process, and the best of each is printed, so that
    other jobs on the machine weigh on all alike. Beside it, the rate of an update in place, which need not fetch a line
    before it overwrites it, and so is the harder bound.
    """
    shape = transport.air_mass.shape
    tags = len(TRACERS) * columns
    q = np.empty((*shape, tags), np.float32)
    boundary = np.full((shape[0], tags), 0.5, np.float32)
    source = np.zeros((4, *shape[1:], tags), np.float32)
    sensitivity = np.zeros((5, *shape[1:], tags), np.float32)
    mean = np.zeros((1, *shape[1:], tags), np.float32)
    dry, wet = np.zeros((2, *shape[1:], tags))
    chemical = np.zeros((shape[1], tags))
    through = [np.zeros((2, n, tags)) for n in (shape[0] * shape[1], shape[0] * shape[2], shape[1])]
    h = transport._hour(0)
    b = h.transposed()
    vertical = (chemistry.PARENT, chemistry.CHILD, transport._products, h.keep, h.raining)
    local = (transport.air_mass, h.pivot, h.factor, h.sink)
    flat = q.reshape(-1, tags)
    state, passes = 2 * q.nbytes, 2 * mean.nbytes
    work: dict[str, tuple[float, Callable[[], Any]]] = {
        "sweep x": (state, lambda: transport._sweep(q, h.x_last, boundary, through[0])),
        "sweep y": (state, lambda: transport._sweep(q, h.y_out, boundary, through[1])),
        "columns": (
            state + source.nbytes + passes + 2 * dry.nbytes,
            lambda: region_kernels.columns(
                flat, h.rise.first, h.rise.weights, h.rise.ends, h.fall.first, h.fall.weights, h.fall.ends, *local,
                source, 1e9, h.decay, *vertical, boundary[-1], h.sampling, mean, through[2], chemical, dry, wet,
            ),
        ),
        "sweep x, transposed": (state, lambda: transport._sweep_transposed(q, b.x_last)),
        "sweep y, transposed": (state, lambda: transport._sweep_transposed(q, b.y_out)),
        "columns, transposed": (
            state + mean.nbytes + 2 * sensitivity.nbytes,
            lambda: region_kernels.columns_transposed(
                flat, h.rise.first, b.rise.weights, h.fall.first, b.fall.weights, *local, h.decay, *vertical,
                h.sampling, mean, sensitivity, 1e9,
            ),
        ),
    }  # fmt: skip
    large = np.ones((512, 1 << 17), np.float32)
    target = np.empty_like(large)
    work["copy"] = (2 * large.nbytes, lambda: _copy(large, target))
    work["update"] = (2 * large.nbytes, lambda: _update(large))
    best = dict.fromkeys(work, np.inf)
    for turn in range(rounds + 1):
        for name, (_, do) in work.items():
            q[:] = 0.5
            begin = time.perf_counter()
            do()
            if turn:  # the first compiles
                best[name] = min(best[name], time.perf_counter() - begin)
    copy, update = (work[name][0] / best[name] for name in ("copy", "update"))
    print(f"{tags} tags, state {q.nbytes / 1e6:.0f} MB; copy {copy / 1e9:.1f} GB/s, in place {update / 1e9:.1f} GB/s")
    print("  kernel                G cell-tags/s   bytes each   share of the bound by copy   in place")
    for name, (count, _) in work.items():
        if name not in {"copy", "update"}:
            rate, each = q.size / best[name], count / q.size
            shares = f"{rate * each / copy:27.0%} {rate * each / update:10.0%}"
            print(f"  {name:20s} {rate / 1e9:14.2f} {each:12.1f} {shares}")


def forward(transport: Transport, columns: int) -> float:
    """Return the wall time of a warm forward run [s]."""
    field = emission(transport.grid, columns)
    begin = time.perf_counter()
    budget = transport.run(lambda _: field, columns=columns, levels=1, observe=lambda *_: None)
    spent = time.perf_counter() - begin
    assert np.abs(budget.residual).max() < 1e-5
    return spent


def adjoint(transport: Transport, receptors: int) -> float:
    """Return the wall time of a warm adjoint run for receptors of 25 cells, all tracers and emission levels [s]."""
    grid = transport.grid
    counts = np.zeros((1, grid.ny, grid.nx, len(TRACERS), receptors), np.float32)
    for r in range(receptors):
        j, i = grid.ny * (r % 3 + 1) // 4, grid.nx * (r // 3 + 1) // (receptors // 3 + 2)
        counts[0, j - 2 : j + 3, i - 2 : i + 3, :, r] = 1 / 25
    begin = time.perf_counter()
    transport.run_adjoint(lambda _: counts, columns=receptors, levels=5, observe=lambda *_: None)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--scaling", action="store_true")
    args = parser.parse_args()
    grid, air = weather(5000.0, 24 * args.days)
    transport = Transport(grid, air)
    short = Transport(grid, air.isel(time=slice(0, 1)))
    forward(short, 3), adjoint(short, 12)  # compile
    print(f"{grid.nx} x {grid.ny} x {grid.nz} cells, {len(TRACERS)} tracers, {numba.get_num_threads()} threads")
    kernels(short, 3)
    kernels(short, 12)
    print(f"{args.days} days, 3 columns: {forward(transport, 3):.1f} s")
    print(f"{args.days} days, adjoint for 12 receptors: {adjoint(transport, 12):.1f} s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    if args.scaling:
        scaling()


def scaling() -> None:
    """Print seconds for a day of weather: spacing by tags by threads."""
    threads = numba.get_num_threads()
    print(f"\nSeconds for a day, 1 and {threads} threads (best of two runs of 6 h, times four)")
    print("spacing    tags   " + "".join(f"{n:>8d} thr" for n in sorted({1, threads})))
    for spacing in (10000.0, 5000.0, 3000.0):
        grid, air = weather(spacing, 6)
        transport = Transport(grid, air)
        for columns in (1, 8, 32, 96):
            size = grid.nx * grid.ny * grid.nz * len(TRACERS) * columns * 4
            spent = []
            for count in sorted({1, threads}):
                numba.set_num_threads(count)
                spent.append(4 * min(forward(transport, columns) for _ in range(2)))
            numba.set_num_threads(threads)
            shown = "".join(f"{each:12.2f}" for each in spent)
            print(
                f"{spacing / 1000:4.0f} km {columns:4d} x {len(TRACERS)} {shown}   state {size / 1e9:.2f} GB",
                flush=True,
            )


if __name__ == "__main__":
    main()
