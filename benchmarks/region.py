"""How fast the region is: kernels against memory bandwidth, whole runs, adjoint, scaling.

    python benchmarks/region.py             # kernels, a 10-day run, an adjoint for 12 receptors
    python benchmarks/region.py --scaling   # also 10, 5, 3 km and 1, 8, 32, 96 columns, 1 and 2 threads

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
from airsim.region import TRACERS, Transport

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


def kernels(transport: Transport, columns: int) -> None:
    """Print cell-tag updates a second of a sweep beside what the memory allows."""
    nz, ny, nx = transport.air_mass.shape
    tags = len(TRACERS) * columns
    rng = np.random.default_rng(0)
    q = rng.random((nz, ny, nx, tags)).astype(np.float32)
    boundary = np.zeros((nz, tags), np.float32)
    hour = transport._hour(0)
    rate = bandwidth()
    bound = rate / (2 * q.itemsize)
    print(f"copy {rate / 1e9:.1f} GB/s: at most {bound / 1e9:.2f} G cell-tags/s for one read and one write")
    for axis, lines in (("x", nz * ny), ("y", nz * nx)):
        budgets = np.zeros((2, lines, tags))
        spent = best(lambda: transport._sweep(q, hour, axis, 0.0, boundary, budgets))  # noqa: B023
        back = best(lambda: transport._sweep_transposed(q, hour, axis, 0.0))  # noqa: B023
        print(
            f"sweep {axis}, {tags} tags: {q.size / spent / 1e9:.2f} G cell-tags/s ({q.size / spent / bound:.0%} of the "
            f"bound), transposed {q.size / back / 1e9:.2f}"
        )


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
    kernels(transport, 3)
    print(f"{args.days} days, 3 columns: {forward(transport, 3):.1f} s")
    print(f"{args.days} days, adjoint for 12 receptors: {adjoint(transport, 12):.1f} s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    if not args.scaling:
        return
    print("\nspacing  columns  threads  seconds a day")
    threads = numba.get_num_threads()
    for spacing in (10000.0, 5000.0, 3000.0):
        grid, air = weather(spacing, 6)
        transport = Transport(grid, air)
        for columns in (1, 8, 32, 96):
            if grid.nx * grid.ny * grid.nz * len(TRACERS) * columns * 4 > 2e9:
                print(f"{spacing / 1000:5.0f} km {columns:8d}  left out: the state alone would take more than 2 GB")
                continue
            for count in sorted({1, threads}):
                numba.set_num_threads(count)
                print(f"{spacing / 1000:5.0f} km {columns:8d} {count:8d} {4 * forward(transport, columns):12.2f}")
            numba.set_num_threads(threads)


if __name__ == "__main__":
    main()
