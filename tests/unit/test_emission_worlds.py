"""Superposition of emission worlds: which have to be carried, and that sums equal runs."""

import numpy as np
import pytest
from batches import TINY

import airsim
from airsim import inventory
from airsim.assess import emission_worlds
from airsim.case import parts, plan_of
from airsim.coal.plan import carry_out
from airsim.region import Transport, receptors

MEASURES = """\
measures:
  - {{type: cut, percent: {a}, cities: [weinan], sectors: [transport], start: 2019-01-02 06:00, end: 2019-01-02 18:00}}
  - {{type: cut, percent: {b}, cities: [xian, weinan], sectors: [industry, residential, transport]}}
  - {{type: cut, percent: {c}, pollutants: [NH3]}}
"""


def scenario(folder, a, b, c):
    path = folder / f"{a}-{b}-{c}.yaml"
    path.write_text(TINY[: TINY.index("measures:")] + MEASURES.format(a=a, b=b, c=c), encoding="utf-8")
    return airsim.load(path)


def test_basis_of_made_up_sketches():
    random = np.random.default_rng(0)
    true = random.standard_normal((3, 20))
    weights = random.uniform(-1, 1, (50, 3))
    weights[7] = 0
    chosen, found = emission_worlds.basis(weights @ true)
    assert len(chosen) == 3
    assert found @ (weights @ true)[chosen] == pytest.approx(weights @ true, abs=1e-12)
    assert not found[7].any()
    assert np.array_equal(found[chosen], np.eye(3))


def test_worlds_like_the_base_need_nothing():
    chosen, found = emission_worlds.basis(np.zeros((4, 20)))
    assert len(chosen) == 0
    assert found.shape == (4, 0)


def test_sketches_too_small_to_tell_are_refused():
    with pytest.raises(ValueError, match="too small"):
        emission_worlds.basis(np.random.default_rng(0).standard_normal((10, 5)))


def test_a_sum_of_carried_worlds_equals_its_run(tmp_path):
    """Eight parameters' worth of scenarios; cuts multiply where they overlap, so the worlds span six dimensions."""
    random = np.random.default_rng(2)
    many = [scenario(tmp_path, *random.integers(5, 95, 3)) for _ in range(14)]
    first = many[0]
    place = parts.place(first)
    base = parts.inventory(first, place)
    weather = parts.weather(first, place)
    sketcher = emission_worlds.Sketcher(base, weather["time"].values, 24)
    made = [carry_out(plan_of(s), base).steps[-1].inventory for s in many]
    chosen, weights = emission_worlds.basis(np.stack([sketcher(i) for i in made]))
    # 1 - (1 - a)(1 - b) in a window, b, and c alone and on top of either
    assert 3 < len(chosen) <= 7
    left = next(i for i in range(14) if i not in chosen)
    transport = Transport(place.grid, weather)
    hours = range(first.period.spin_up_hours, transport.hours)
    cities = receptors.cities(place)
    gridded = [inventory.grid(i, place, weather) for i in (base, *(made[i] for i in chosen))]
    carried = emission_worlds.carry(transport, gridded, cities, hours, parts.background(first, place))
    held = emission_worlds.CarriedWorlds(carried[:-1], carried[-1])
    constant = transport.coefficients.equilibrium.constant
    air = emission_worlds.city_air(held, weights[[left]], weather, cities, hours, constant)
    run = airsim.run(many[left]).to_dataset().sel(case="controlled", city=list(cities.names))
    base_run = run["pm25"].values
    for name in emission_worlds.KEPT:
        assert air[name][0] == pytest.approx(run[name].values, rel=2e-5, abs=1e-4), name
    unchanged = emission_worlds.city_air(held, np.zeros((1, len(chosen))), weather, cities, hours, constant)
    assert np.abs(unchanged["pm25"][0] - base_run).max() > 0.5, "the measures must do something"
