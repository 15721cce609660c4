"""The small case of the joint-control tests, made once: place, weather, emissions, operator."""

from functools import cache
from types import SimpleNamespace

import numpy as np
from cases import SHORT

import airsim
from airsim import inventory
from airsim.case import parts, plan_of
from airsim.coal.plan import carry_out
from airsim.region import Transport


@cache
def world(dtype="float32"):
    """Everything of the small scenario; the window is its period after one day of spin-up."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "short.yaml"
        path.write_text(SHORT, encoding="utf-8")
        scenario = airsim.load(path)
        place = parts.place(scenario)
        base = parts.inventory(scenario, place)
        controlled = carry_out(plan_of(scenario), base).steps[-1].inventory
        weather = parts.weather(scenario, place)
        inflow = parts.background(scenario, place)
    return SimpleNamespace(
        scenario=scenario,
        place=place,
        inventory=base,
        weather=weather,
        inflow=inflow,
        base=inventory.grid(base, place, weather),
        controlled=inventory.grid(controlled, place, weather),
        transport=Transport(place.grid, weather, dtype=dtype),
        hours=range(24, 72),
    )


def tracers(world, receptors, emit):
    """Hourly tracers in the receptors' boxes by a plain forward run, (hour, box, tracer) [ug m-3]."""
    kept = []
    air = world.inflow[..., None]

    def observe(hour, mean):
        if hour in world.hours:
            kept.append(receptors.pick(mean[0])[..., 0].astype(float))

    world.transport.run(lambda h: emit(h)[..., None], columns=1, initial=air, inflow=air, observe=observe, levels=1)
    return np.array(kept)
