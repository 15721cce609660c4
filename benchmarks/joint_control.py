"""Joint control at full size: the run, the adjoint, the stored operator, ten thousand scenarios.

    python benchmarks/joint_control.py              # 7 days + 2 of spin-up, 5 km, 12 tracers
    python benchmarks/joint_control.py --days 1     # a taste

Everything compiled is warmed up on one hour first. Absolute times move with the machine: the copy bandwidth is printed
beside them, and `python benchmarks/region.py --scaling` has the kernels and the scaling table.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numba
import numpy as np
from region import bandwidth

import airsim
from airsim import inventory, shipped
from airsim.assess import by_operator, ranking
from airsim.assess.surface import SurfaceAir
from airsim.case import parts, plan_of
from airsim.coal.plan import carry_out
from airsim.inventory.placement import Placement
from airsim.region import TRACERS, Transport, receptors, responses
from airsim.region import operator as stored
from airsim.region.equilibrium import pm25

SCENARIOS = 10_000
WINTER = 182
#: Twelve receptor cities.
CITIES = (
    "xian", "baoji", "xianyang", "tongchuan", "weinan", "yangling", "hancheng", "shangluo",
    "tianshui", "pingliang", "yuncheng", "sanmenxia",
)  # fmt: skip


class Clock:
    """Prints what took how long, beside what it should."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()

    def __call__(self, text: str, target: str = "") -> float:
        """Print and return the wall time since the last call [s]."""
        spent = time.perf_counter() - self._begin
        print(f"{text:76s} {spent:8.2f} s  {target}", flush=True)
        self._begin = time.perf_counter()
        return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=7)
    args = parser.parse_args()
    print(f"copy {bandwidth() / 1e9:.1f} GB/s, {numba.get_num_threads()} threads")
    clock = Clock()
    example = airsim.load(shipped.path("configs/guanzhong-january.yaml"))
    place = parts.place(example)
    tables = parts.inventory(example, place)
    controlled = carry_out(plan_of(example), tables).steps[-1].inventory
    inflow = parts.background(example, place)
    spin_up = example.period.spin_up_hours
    weather = parts.weather(example, place).isel(time=slice(0, spin_up + 24 * args.days))
    clock("place, inventory, weather")
    base, less = (inventory.grid(i, place, weather) for i in (tables, controlled))
    transport = Transport(place.grid, weather)
    hours = range(spin_up, transport.hours)
    air = receptors.cities(place, CITIES)
    placement = Placement(base)
    print(
        f"{place.grid.nx} x {place.grid.ny} x {place.grid.nz} boxes, {transport.hours} h, {len(placement.sites)} sites"
    )

    hour = Transport(place.grid, weather.isel(time=slice(0, 1)))
    about = by_operator.about(hour, base, air, range(1), inflow)
    stored.make(hour, air, ((0, 1),), placement, inflow, about)  # compile
    columns = np.zeros((*inflow.shape, 3))
    columns[..., -1] = inflow
    clock("warm-up")

    def emit(h: int) -> np.ndarray:
        a, b = base.at(h), less.at(h)
        return np.stack([a, b, np.zeros_like(a)], axis=-1)

    surface = SurfaceAir(place, weather, spin_up, ("base", "controlled"), ("base", "controlled"))
    transport.run(emit, columns=3, initial=columns, inflow=columns, observe=surface, levels=1)
    clock("run: base, controlled and background, all species and maps", "<= 20 s")

    gradient = np.ones((len(hours), len(air.boxes), len(TRACERS)), np.float32)
    weights = ranking.weights_of(air, hours, gradient, transport.dtype)
    transport.run_adjoint(weights, columns=len(CITIES), levels=placement.levels, observe=lambda *_: None)
    spent = clock("adjoint for 12 cities, all tracers, all levels", "<= 60 s")
    winter = spent * 24 * WINTER / transport.hours / 60
    print(f"  one winter ({WINTER} days), extrapolated: {winter:.0f} min  <= 60 min")
    ranking.rank(place, transport, base, inflow, hours, ["xian"])
    clock("rank for one city: base run, adjoint, sources, maps")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def obtain() -> stored.Operator:
            about = by_operator.about(transport, base, air, hours, inflow)
            return stored.obtain(folder, transport, air, hours, placement, inflow, linearisation=about)

        obtain()
        clock("operator made: 36 columns, base run, background")
        operator = obtain()
        size = next(folder.iterdir()).stat().st_size / 1e6
    clock(f"operator found by the hash of weather and emissions, and loaded, {size:.0f} MB")
    by_operator.evaluate(operator, base, {"controlled": less})
    clock("a new list by contraction", "< 2 s")
    said = by_operator.evaluate(operator, base, {"base": base, "controlled": less})
    watch = receptors.Watch(air, hours, len(TRACERS), 3)
    transport.run(emit, columns=3, initial=columns, inflow=columns, observe=watch, levels=1)
    full = watch.tracers[..., :2] + watch.tracers[..., 2:]
    true = np.moveaxis(air.mean(full.mean(0, dtype=np.float64)), -1, 0)
    off = np.abs(said["concentration"].values[:, 0] / true - 1).max()
    print(f"  tracers against the full run: {off:.1e} relative at most  <= 1e-3")
    box = receptors.weather_at(weather, air, hours)
    fine = np.stack([air.mean(pm25(full[..., c], *box, axis=-1).mean(0)) for c in (0, 1)])
    change = fine[0] - fine[1]
    error = np.abs(said["pm25"].values[0, 0] - said["pm25"].values[1, 0] - change).max()
    print(f"  linearised PM2.5: change up to {change.max():.1f}, off by at most {error:.2f} ug m-3")

    keys = base.sources[["sector", "city"]].agg("/".join, axis=1)
    groups = sorted(set(keys))
    group = np.array([groups.index(k) for k in keys])

    def emitted(h: int, chosen: np.ndarray) -> np.ndarray:
        column = np.full(len(groups), -1)
        column[chosen] = np.arange(len(chosen))
        return placement.emitted(h, column[group], len(chosen))

    clock("comparison")
    answers = responses.respond(transport, emitted, groups, air, hours, inflow)
    clock(f"responses of {len(groups)} groups (sector x city), once per weather")
    cuts = np.random.default_rng(0).uniform(0, 1, (SCENARIOS, len(groups)))
    hourly = answers.pm25(cuts)
    clock(f"{SCENARIOS} scenarios x {hourly.shape[2]} cities x {hourly.shape[1]} h, PM2.5 with equilibrium", "<= 20 s")
    whole = answers.pm25(np.ones((1, len(groups))))[0].mean(0)
    print(f"  all groups together against the full run: {np.abs(whole / fine[0] - 1).max():.1e} relative")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB  <= 6 GB")


if __name__ == "__main__":
    main()
