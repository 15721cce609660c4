"""The plume side by side: NumPy, a plain numba loop, ours on one and two threads, a peer, all in one process.

    python benchmarks/plume.py [--tenth]

Work is counted over all nominal source-receptor-hours (srh), upwind ones included: 200 stacks, a 128 x 128 grid,
240 hours, lid and decay on. Slow ways are timed on fewer hours and their rate given. `--tenth` also runs a tenth of
3,000 stacks x 5,000 receptors x 8,760 h (statistics only) and extrapolates.
"""

from __future__ import annotations

import argparse
import math
import resource
import time

import numba
import numpy as np
import pandas as pd

from airsim import plume
from airsim.plume import api, dispersion, kernels
from airsim.plume.plumes import plumes

SPAN = 50_000.0  # [m]


def case(stacks=200, side=128, hours=240, seed=0):
    """Random stacks on a square, a grid over it, and days of weather that go from stable to convective."""
    rng = np.random.default_rng(seed)
    sources = pd.DataFrame(
        {
            "x": rng.uniform(-SPAN / 2, SPAN / 2, stacks),
            "y": rng.uniform(-SPAN / 2, SPAN / 2, stacks),
            "height": rng.uniform(15, 200, stacks),
            "diameter": rng.uniform(0.5, 6, stacks),
            "exit_velocity": rng.uniform(5, 20, stacks),
            "exit_temperature": rng.uniform(330, 450, stacks),
            "rate": rng.uniform(0.5, 50, stacks),
        }
    )
    stable = np.arange(hours) % 24 < 9
    wind = 2.5 * rng.weibull(1.8, hours) + 0.3
    meteorology = pd.DataFrame(
        {
            "wind_speed": wind,
            "wind_height": 10.0,
            "wind_from_direction": rng.uniform(0, 360, hours),
            "air_temperature": 283.0,
            "mixing_height": np.where(stable, rng.uniform(80, 300, hours), rng.uniform(300, 1500, hours)),
            "friction_velocity": 0.08 * wind + 0.02,
            "obukhov_length": np.where(stable, rng.uniform(10, 200, hours), -rng.uniform(5, 500, hours)),
            "convective_velocity": np.where(stable, 0.0, 1.2),
            "roughness_length": 0.5,
        },
        index=pd.date_range("2020-01-01", periods=hours, freq="h", name="time"),
    )
    line = (np.arange(side) - side / 2 + 0.5) * SPAN / side
    x, y = np.meshgrid(line, line)
    receptors = pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "z": 0.0})
    return sources, receptors, meteorology


def best(function, repeats=5):
    """Shortest of several runs [s]."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def with_numpy(sources, receptors, meteorology, hours):
    """Briggs rural with images and decay, one vector expression an hour and source; final rise."""
    run = api._Run(sources, receptors, meteorology, "briggs_rural", 20000.0, None)
    state, hour, _ = plumes(run.sources, run.weather, "briggs_rural", 20000.0)
    x, y = run.receptor[:, 0], run.receptor[:, 1]
    out = np.zeros((hours, len(x)))
    for h in range(hours):
        row = dispersion.BRIGGS_RURAL[int(hour[h, kernels.CLASS])]
        for s, p in enumerate(state[h]):
            dx, dy = x - run.position[s, 0], y - run.position[s, 1]
            along = -(hour[h, kernels.SIN] * dx + hour[h, kernels.COS] * dy)
            across = hour[h, kernels.SIN] * dy - hour[h, kernels.COS] * dx
            d = np.maximum(along, 1.0)
            sy = row[0] * d / np.sqrt(1 + row[1] * d)
            sz = row[2] * d * (1 + row[3] * d) ** row[4]
            height = p[kernels.HEIGHT] + p[kernels.RISE]
            vertical = np.exp(-0.5 * (height / sz) ** 2)
            if p[kernels.LID] < kernels.NO_LID:
                for m in (1, 2, 3):
                    for side in (-1, 1):
                        vertical += np.exp(-0.5 * ((height + side * 2 * m * p[kernels.LID]) / sz) ** 2)
            value = math.exp(p[kernels.LN_RATE]) / (np.pi * p[kernels.SPEED] * sy * sz) * vertical
            value *= np.exp(-0.5 * (across / sy) ** 2 - p[kernels.LOSS] * d / p[kernels.SPEED])
            out[h] += np.where(along > 0, value, 0.0)
    return out


@numba.njit(parallel=True)
def textbook(out, receptor, position, state, hour, rows):
    """Run the loop that everyone writes first, compiled: images, decay, a power, exponentials of libm."""
    hours, receptors = out.shape
    for h in numba.prange(hours):
        row = rows[int(hour[h, kernels.CLASS])]
        for r in range(receptors):
            total = 0.0
            for s in range(position.shape[0]):
                dx = receptor[r, 0] - position[s, 0]
                dy = receptor[r, 1] - position[s, 1]
                along = -(hour[h, kernels.SIN] * dx + hour[h, kernels.COS] * dy)
                if along > 0.0:
                    across = hour[h, kernels.SIN] * dy - hour[h, kernels.COS] * dx
                    d = max(along, 1.0)
                    sy = row[0] * d * (1.0 + row[1] * d) ** -0.5
                    sz = row[2] * d * (1.0 + row[3] * d) ** row[4]
                    p = state[h, s]
                    height = p[kernels.HEIGHT] + p[kernels.RISE]
                    vertical = math.exp(-0.5 * (height / sz) ** 2)
                    if p[kernels.LID] < kernels.NO_LID:
                        for m in range(1, 4):
                            vertical += math.exp(-0.5 * ((height - 2 * m * p[kernels.LID]) / sz) ** 2)
                            vertical += math.exp(-0.5 * ((height + 2 * m * p[kernels.LID]) / sz) ** 2)
                    decay = math.exp(-p[kernels.LOSS] * d / p[kernels.SPEED])
                    total += (
                        math.exp(p[kernels.LN_RATE])
                        / (math.pi * p[kernels.SPEED] * sy * sz)
                        * vertical
                        * math.exp(-0.5 * (across / sy) ** 2)
                        * decay
                    )
            out[h, r] = total


def with_peer(run, hour, hours):
    """Return a run of pyELQ's Gaussian plume (Shell; pip install pyelq), without lid, rise and decay; or None."""
    try:
        from pyelq.dispersion_model.gaussian_plume import GaussianPlume
        from pyelq.source_map import SourceMap
    except ImportError:
        return None
    model = GaussianPlume(source_map=SourceMap())
    dx = run.receptor[:, :1] - run.position[None, :, 0]
    dy = run.receptor[:, 1:2] - run.position[None, :, 1]

    def one():
        for h in range(hours):
            towards = np.arctan2(-hour[h, kernels.COS], -hour[h, kernels.SIN])
            spread = np.full((1, 1), 10.0)
            model.compute_coupling_array(
                dx, dy, 0.0, run.sources.height[None, :], np.full((1, 1), 4.0), towards, spread, spread, 1.2
            )

    return one


def arithmetic_limit():
    """Polynomial exponentials a second on one thread: the floor under every pair that is not passed over."""
    x = np.full(64, -1.0, np.float32)
    total = np.zeros(64, np.float32)

    @numba.njit(fastmath=kernels.FAST, error_model="numpy")
    def one(total, x):
        for i in range(64):
            total[i] += kernels.exponential32(x[i])

    @numba.njit
    def many(n, total, x):
        for _ in range(n):
            one(total, x)

    seconds = best(lambda: many(100_000, total, x), 3)
    return 64e5 / seconds


def culling_error():
    """Mass lost by passing over tiles outside the cones, and how far table and pairs differ, both relative."""
    sources, receptors, meteorology = case(20, 64, 24)
    run = api._Run(sources, receptors, meteorology, "briggs_rural", None, None)
    culled = run.block(slice(0, 24))
    cut, few = kernels.CUT, api._FEW
    try:
        api._FEW = 10**9
        pairs = api._Run(sources, receptors, meteorology, "briggs_rural", None, None).block(slice(0, 24))
    finally:
        api._FEW = few
    # what no cone of 4.9 sigma reaches, from the pairs themselves
    lost = pairs[culled == 0.0].sum() / pairs.sum()
    return lost, abs(culled.sum() / pairs.sum() - 1.0), math.erfc(math.sqrt(cut))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tenth", action="store_true")
    wanted = parser.parse_args()
    sources, receptors, meteorology = case()
    n = len(sources) * len(receptors) * len(meteorology)
    print(f"{len(sources)} stacks x {len(receptors)} receptors x {len(meteorology)} h = {n / 1e6:.0f} M srh")
    threads = numba.config.NUMBA_NUM_THREADS
    rates = {}

    for scheme in ("briggs_rural", "briggs_urban", "pasquill_gifford", "similarity"):
        for t in sorted({1, threads}):
            numba.set_num_threads(t)
            seconds = best(
                lambda scheme=scheme: plume.concentration(
                    sources, receptors, meteorology, dispersion=scheme, half_life=20000.0
                )
            )
            rates[f"airsim, {scheme}, {t} thread(s)"] = n / seconds
    print(f"peak memory of ours: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    hours = 1
    rates["NumPy, briggs_rural"] = (
        n / len(meteorology) * hours / best(lambda: with_numpy(sources, receptors, meteorology.iloc[:hours], hours), 1)
    )
    run = api._Run(sources, receptors, meteorology.iloc[:4], "briggs_rural", 20000.0, None)
    state, hour, _ = plumes(run.sources, run.weather, "briggs_rural", 20000.0)
    out = np.zeros((4, len(receptors)))
    naive = lambda: textbook(out, run.receptor, run.position, state, hour, dispersion.BRIGGS_RURAL)  # noqa: E731
    for t in sorted({1, threads}):
        numba.set_num_threads(t)
        rates[f"plain numba loop, briggs_rural, {t} thread(s)"] = n / len(meteorology) * 4 / best(naive, 2)
    peer = with_peer(run, hour, 2)
    if peer is None:
        print("pyELQ is not installed: no peer beside us (pip install pyelq)")
    else:
        rates["pyELQ 1-D plume without lid, rise, decay"] = n / len(meteorology) * 2 / best(peer, 1)
    base = rates["NumPy, briggs_rural"]
    for name, rate in rates.items():
        print(f"{name:48s} {rate / 1e6:10.1f} M srh/s   {rate / base:8.1f} x NumPy")
    limit = arithmetic_limit()
    print(
        f"exponentials alone, float32, 1 thread: {limit / 1e6:.0f} M/s; a pair in a cone takes two polynomials and"
        f" a division, about 2.5 times that: at most {limit / 2.5e6:.0f} M such pairs/s is the most one thread does"
    )
    lost, difference, bound = culling_error()
    print(f"mass lost by culling, relative: {lost:.1e} (bound {bound:.1e}); table against pairs: {difference:.1e}")
    if wanted.tenth:
        rng = np.random.default_rng(1)
        sources, _, meteorology = case(3000, 8, 876)
        receptors = pd.DataFrame(
            {"x": rng.uniform(-SPAN / 2, SPAN / 2, 5000), "y": rng.uniform(-SPAN / 2, SPAN / 2, 5000), "z": 0.0}
        )
        start = time.perf_counter()
        plume.statistics(sources, receptors, meteorology, progress=True)
        seconds = time.perf_counter() - start
        print(f"a tenth of 3,000 x 5,000 x 8,760, similarity: {seconds:.0f} s; the whole: {seconds / 6:.1f} min")
        print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
