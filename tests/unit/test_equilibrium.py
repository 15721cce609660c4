"""Ammonium, sulphate and nitrate."""

import numpy as np
import pytest

from airsim.region.equilibrium import (
    CONSTANTS,
    composition,
    dissociation_constant,
    partition,
    pm25,
    pm25_gradient,
)
from airsim.region.tracers import INDEX, TRACERS

SO4, NO3, NH3, NH4 = 96.062, 62.005, 17.031, 18.039


@pytest.fixture(scope="module")
def air():
    """Air of every kind: from clean to filthy, acid to alkaline, frost to summer, dry to fog."""
    rng = np.random.default_rng(0)
    n = 20_000
    totals = 10.0 ** rng.uniform(-2, 2.3, (3, n))
    totals[rng.random((3, n)) < 0.02] = 0.0
    return *totals, rng.uniform(255, 308, n), rng.uniform(0.1, 1.0, n)


def test_published_constants_at_25_degrees():
    # 43.1 nbar2, 28.9 ppb2, 57.5 ppb2
    rt2 = (8.314462618 * 298.15) ** 2 * 1e-12
    got = {name: float(dissociation_constant(298.15, 0.3, name)) * rt2 for name in CONSTANTS}
    assert got["mozurkewich"] / 1e-4**2 == pytest.approx(43.1, abs=0.05)
    assert got["seinfeld_pandis"] / 1.01325e-4**2 == pytest.approx(28.9, abs=0.05)
    assert got["isorropia"] / 1.01325e-4**2 == pytest.approx(57.5, abs=0.05)
    with pytest.raises(KeyError):
        dissociation_constant(298.15, 0.3, "guess")


def test_it_is_the_solution(air):
    # bisection on (free NH3 - n)(HNO3 - n) = K, nothing else
    sulphate, nitrate, ammonia, temperature, humidity = (v[:300] for v in air)
    got = partition(sulphate, nitrate, ammonia, temperature, humidity)
    k = dissociation_constant(temperature, humidity)
    for i in range(300):
        free = max(ammonia[i] / NH3 - 2 * sulphate[i] / SO4, 0.0)
        acid = nitrate[i] / NO3
        low, high = 0.0, min(free, acid)
        if free * acid <= k[i]:
            high = 0.0
        for _ in range(200):
            middle = 0.5 * (low + high)
            if (free - middle) * (acid - middle) > k[i]:
                low = middle
            else:
                high = middle
        bound = min(ammonia[i] / NH3, 2 * sulphate[i] / SO4)
        assert got.nitrate[i] / NO3 == pytest.approx(low, rel=1e-9, abs=1e-9)
        assert got.ammonium[i] / NH4 == pytest.approx(bound + low, rel=1e-9, abs=1e-9)


def test_atoms_and_limits(air):
    sulphate, nitrate, ammonia, *weather = air
    got = partition(sulphate, nitrate, ammonia, *weather)
    gas = nitrate - got.nitrate
    np.testing.assert_allclose(got.nitrate + gas, nitrate, rtol=1e-12)
    assert (gas >= 0).all()
    left = ammonia / NH3 - got.ammonium / NH4
    assert (left >= -1e-12 * ammonia).all()
    free = np.maximum(ammonia / NH3 - 2 * sulphate / SO4, 0.0)
    n = got.nitrate / NO3
    assert (n >= 0).all()
    assert (n <= np.minimum(free, nitrate / NO3) * (1 + 1e-12)).all()
    # ammonium = what sulphate binds and what nitrate binds
    np.testing.assert_allclose(
        got.ammonium / NH4, np.minimum(ammonia / NH3, 2 * sulphate / SO4) + n, rtol=1e-12, atol=1e-15
    )
    # where there is salt, the gases are in equilibrium with it
    salty = (n > 1e-3) & (np.minimum(free, nitrate / NO3) - n > 1e-3)
    assert salty.sum() > 500
    product = (free - n) * (nitrate / NO3 - n)
    np.testing.assert_allclose(product[salty], dissociation_constant(*weather)[salty], rtol=1e-8)


def test_monotone_in_ammonia_and_nitrate(air):
    base = partition(*air).nitrate
    for which in (1, 2):
        more = [v * (1.1 if i == which else 1.0) for i, v in enumerate(air)]
        assert (partition(*more).nitrate >= base * (1 - 1e-12)).all()


@pytest.mark.parametrize("constant", sorted(CONSTANTS))
def test_falls_with_temperature_and_rises_with_humidity(constant):
    # through the deliquescence humidity too, where a jump would show
    temperature = np.arange(250.0, 312.0, 0.05)[:, None]
    humidity = np.arange(0.05, 1.0, 0.01)
    k = dissociation_constant(temperature, humidity, constant)
    assert (np.diff(k, axis=0) > 0).all()
    assert (np.diff(k, axis=1) <= 0).all()
    nitrate = partition(20.0, 40.0, 20.0, temperature, humidity, constant).nitrate
    assert (np.diff(nitrate, axis=0) <= 0).all()
    assert nitrate[0].min() > 35.0
    assert nitrate[-1, 0] < 5.0


def test_water_activity_factor_never_raises_the_constant():
    temperature = np.arange(255.0, 310.0)
    dry = dissociation_constant(temperature, 0.0)
    for humidity in (0.65, 0.75, 0.85, 0.95, 1.0):
        assert (dissociation_constant(temperature, humidity) <= dry).all()
    assert dissociation_constant(290.0, 0.95) < 0.2 * dissociation_constant(290.0, 0.0)


def test_cutting_sulphate_frees_ammonia_for_nitrate():
    # ammonia short: less sulphate, more nitrate; ammonia plenty: nitrate hardly moves
    short = partition([20.0, 10.0], 40.0, 10.0, 273.0, 0.6)
    assert short.nitrate[1] > short.nitrate[0] + 5.0
    total = short.nitrate + short.ammonium + np.array([20.0, 10.0])
    assert total[1] > total[0] - 5.0  # ten less sulphate is not ten less PM2.5
    plenty = partition([20.0, 10.0], 40.0, 60.0, 273.0, 0.6)
    assert abs(plenty.nitrate[1] - plenty.nitrate[0]) < 0.5


def test_undershoots_stay_gas():
    got = partition([5.0, -1.0, 5.0], [-2.0, 10.0, 10.0], [10.0, 10.0, -3.0], 270.0, 0.5)
    assert got.nitrate[0] == 0.0
    assert got.ammonium[2] == got.nitrate[2] == 0.0
    same = partition(0.0, 10.0, 10.0, 270.0, 0.5)
    assert got.nitrate[1] == same.nitrate


def test_shapes_broadcast():
    got = partition(np.ones((3, 1, 2)), 5.0, np.full((4, 1), 3.0), np.full((1, 4, 1), 275.0), 0.5)
    assert got.nitrate.shape == (3, 4, 2)


def test_composition_adds_up():
    rng = np.random.default_rng(1)
    mean = rng.random((2, 3, 4, len(TRACERS), 5)) * 20
    temperature, humidity = 270 + 10 * rng.random((3, 4)), rng.random((3, 4))
    parts = composition(mean, temperature[..., None], humidity[..., None])
    total = parts.pop("pm25")
    assert total.shape == (2, 3, 4, 5)
    np.testing.assert_allclose(sum(parts.values()), total)
    np.testing.assert_array_equal(pm25(mean, temperature[..., None], humidity[..., None]), total)
    one = partition(*(mean[1, 2, 3, INDEX[t], 4] for t in ("sulphate", "nitrate", "ammonia")),
                    temperature[2, 3], humidity[2, 3])  # fmt: skip
    assert parts["nitrate"][1, 2, 3, 4] == one.nitrate
    first = np.moveaxis(mean, -2, 0)
    np.testing.assert_array_equal(pm25(first, temperature[..., None], humidity[..., None], axis=0), total)


def test_gradient_is_the_derivative(air):
    sulphate, nitrate, ammonia, temperature, humidity = (v[:4000] for v in air)
    state = np.full((len(TRACERS), 4000), 3.0)
    for name, value in (("sulphate", sulphate), ("nitrate", nitrate), ("ammonia", ammonia)):
        state[INDEX[name]] = value + 0.01
    gradient = pm25_gradient(state, temperature, humidity, axis=0)
    kinks = 0
    for tracer in range(len(TRACERS)):
        up, down = state.copy(), state.copy()
        up[tracer] += 1e-4
        down[tracer] -= 1e-4
        slope = (pm25(up, temperature, humidity, axis=0) - pm25(down, temperature, humidity, axis=0)) / 2e-4
        off = np.abs(slope - gradient[tracer]) > 1e-4 * np.maximum(1.0, np.abs(slope))
        kinks += off.sum()
    assert kinks <= 4  # a difference that straddles the border of two regimes
    # nitrate counts with its ammonium, sulphate with its own minus what it takes from nitrate
    assert gradient[INDEX["nitrate"]].max() <= (NO3 + NH4) / NO3 + 1e-12
    assert gradient[INDEX["nitrate"]].min() >= 0.0
    assert gradient[INDEX["sulphate"]].min() < 0.5
    assert gradient[INDEX["sulphate"]].max() == pytest.approx(1 + 2 * NH4 / SO4)
    assert (gradient[INDEX["bc"]] == 1.0).all()
    assert (gradient[INDEX["pm_coarse"]] == 0.0).all()
