"""The coal office: 10,000 members, and the whole of `airsim coal`, side by side with the obvious way.

    python benchmarks/coal.py
    python benchmarks/coal.py --members 100000

The obvious way draws one member after another from scipy's distributions and adds up the lines; it does 500 members and
is scaled up. Both must agree on the probability within four standard errors.
"""

from __future__ import annotations

import argparse
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

import airsim
from airsim import coal, shipped
from airsim.case import parts, plan_of
from airsim.coal import accounts, sampling, uncertain_balance, uncertainty
from airsim.coal.plan import carry_out

SCENARIO = "guanzhong-january.yaml"
SLOW = 500


class Time(NamedTuple):
    """Best wall time and best processor time of some runs [s]; a shared machine stretches the first."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:6.2f} s ({self.processor:5.2f} s of processor)"


def used() -> float:
    """Return the processor time of this process and of the commands it ran [s]."""
    own, commands = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + commands.ru_utime + commands.ru_stime


def clock(work, times: int = 3) -> Time:
    """Return the best times of some runs."""
    best = Time(math.inf, math.inf)
    for _ in range(times):
        begin, spent = time.perf_counter(), used()
        work()
        best = Time(min(best.wall, time.perf_counter() - begin), min(best.processor, used() - spent))
    return best


def one_by_one(model: uncertain_balance.Model, members: int, seed: int = 1) -> float:
    """Return the probability of negative growth, drawn member by member and added up line by line."""
    rng = np.random.default_rng(seed)
    passed = 0
    for _ in range(members):
        u = rng.random(model.width)
        factor = np.ones(len(model.declared))
        for draw in model.draws:
            for group in draw.groups:
                factor[group] *= float(draw.value(u[draw.column : draw.column + 1])[0])
        base = target = 0.0
        for (city, entry), cell in model._cell.items():
            planned = model.base[cell] + sum(factor[g] * model.coefficient[g, cell] for g in range(len(factor)))
            errors = [1.0, 1.0]
            for s in model.statistics:
                if s.entry == entry:
                    i = model.cities.index(city)
                    first, rest = stats.norm.ppf([u[s.base[i]], u[s.target[i]]])
                    second = s.correlation * first + math.sqrt(1 - s.correlation**2) * rest
                    for j, (z, d) in enumerate(((first, s.error), (second, s.target_error))):
                        errors[j] += float(sampling.quantile(d, np.array([stats.norm.cdf(z)]))[0]) / 100
            base += model.base[cell] * errors[0]
            target += planned * errors[1]
        passed += target < base
    return passed / members


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=10_000)
    args = parser.parse_args()
    path = shipped.path(f"configs/{SCENARIO}")
    scenario = airsim.load(path)
    base = parts.inventory(scenario, parts.place(scenario))
    stages = carry_out(plan_of(scenario), base)
    lines = accounts.lines(stages)
    settings = scenario.coal.uncertainty.model_copy(update={"members": args.members})
    out = uncertainty.negative_growth(lines, settings)
    n, inputs = out.attrs["uncertainty_members"], out.sizes["uncertain_input"]

    fast = clock(lambda: uncertainty.negative_growth(lines, settings))
    print(f"{n} members, {len(lines)} lines, {inputs} inputs: probability, Sobol' indices, tornado  {fast}  (<= 5 s)")
    model = uncertain_balance.Model(lines, settings)
    u = sampling.samples(args.members, model.width, settings.seed).reshape(-1, model.width)
    plain = clock(lambda: model.change(model.planned(u), *model.errors(u)))
    print(f"{n} members, the change alone                        {plain}")
    spent = used()
    p = one_by_one(model, SLOW)
    slow = (used() - spent) * n / SLOW
    print(
        f"the same one by one ({SLOW} members, scaled)             {slow:.0f} s of processor: "
        f"{slow / plain.processor:.0f} times"
    )
    error = math.sqrt(p * (1 - p) / SLOW)
    print(f"P {float(out['probability_total']):.4f} against {p:.3f} +- {error:.3f} one by one")
    if abs(p - float(out["probability_total"])) > 4 * error:
        raise SystemExit("the two disagree")

    coal.balance(scenario)
    print(f"coal.balance, warm, in one process                   {clock(lambda: coal.balance(scenario))}  (<= 5 s)")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "airsim.cli", "coal", str(path), "--lang", "en"]

        def run() -> None:
            subprocess.run(command, check=True, capture_output=True, cwd=Path(folder))

        run()
        print(f"airsim coal {SCENARIO}, the command, warm  {clock(run, 2)}  (<= 5 s)")


if __name__ == "__main__":
    main()
