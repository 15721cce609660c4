"""The ranking against what it claims: PM2.5 by plain forward runs with a little more or less of one source."""

import dataclasses

import joint_case
import numpy as np
import pandas as pd
import pytest

from airsim import inventory
from airsim.assess import ranking
from airsim.case import Case
from airsim.errors import InputError
from airsim.region import receptors
from airsim.region.equilibrium import pm25
from airsim.region.tracers import INDEX

CITIES = ["xian", "baoji"]


@pytest.fixture(scope="module")
def world():
    return joint_case.world("float64")


@pytest.fixture(scope="module")
def ranked(world):
    return ranking.rank(world.place, world.transport, world.base, world.inflow, world.hours, CITIES)


def mean_pm25(world, emit):
    r = receptors.cities(world.place, CITIES)
    air = joint_case.tracers(world, r, emit)
    return r.mean(pm25(air, *receptors.weather_at(world.weather, r, world.hours), axis=-1).mean(0))


@pytest.fixture(scope="module")
def before(world):
    return mean_pm25(world, world.base.at)


def test_base_is_the_forward_run(ranked, before):
    np.testing.assert_allclose(ranked["pm25_base"], before, rtol=1e-6)  # kept as float32
    assert (before > 30).all()


@pytest.mark.parametrize("place", [0, 3, 25])
def test_impact_of_an_enterprise_is_the_effect_of_one_percent_of_it(world, ranked, before, place):
    source = str(ranked["enterprise"].values[place])
    rows = pd.DataFrame(
        {"source": [source], "pollutant": ["*"], "factor": [0.99], "start": [pd.NaT], "end": [pd.NaT], "measure": ["x"]}
    ).astype({"start": "datetime64[ns]", "end": "datetime64[ns]"})
    less = dataclasses.replace(world.inventory, scaling=rows)
    gridded = inventory.grid(less, world.place, world.weather)
    taken = 100.0 * (before - mean_pm25(world, gridded.at))
    said = ranked["enterprise_impact"].values[:, place]
    np.testing.assert_allclose(said, taken, rtol=2e-3, atol=1e-6 * said.max())


@pytest.mark.parametrize("pollutant", ["PM25", "NH3", "NOx"])
def test_tonne_field_is_the_effect_of_a_hundredth_of_a_tonne(world, ranked, before, pollutant):
    # into the box of Xi'an's heaviest effect, evenly over the window; a whole tonne of NH3 there bends the equilibrium
    field = ranked["tonne_field"].sel(receptor="xian", pollutant=pollutant).values
    j, i = np.unravel_index(np.argmax(field), field.shape)
    tracer = INDEX[{"PM25": "pm25_other", "NH3": "ammonia", "NOx": "nox"}[pollutant]]
    rate = 10.0 / (3600.0 * len(world.hours))

    def more(hour):
        e = world.base.at(hour)
        if hour in world.hours:
            e[0, j, i, tracer] += rate
        return e

    gained = 100.0 * (mean_pm25(world, more) - before)
    np.testing.assert_allclose(ranked["tonne_field"].sel(pollutant=pollutant)[:, j, i], gained, rtol=3e-3, atol=1e-5)
    assert field[j, i] > 0


def test_sources_boxes_and_pollutants_add_up_to_the_same(ranked):
    every = ranked["enterprise_impact"].sum("enterprise") + ranked["area_impact"].sum("area_source")
    np.testing.assert_allclose(every, ranked["pm25_explained"], rtol=1e-12)
    np.testing.assert_allclose(ranked["impact_field"].sum(("y", "x")), every, rtol=1e-10)
    for kind in ("enterprise", "area"):
        by = ranked[f"{kind}_impact_by_pollutant"].sum("pollutant")
        np.testing.assert_allclose(by, ranked[f"{kind}_impact"], rtol=1e-10, atol=1e-12)


def test_rows_fall_and_ranks_follow(ranked):
    for dim, kind in (("enterprise", "enterprise"), ("area_source", "area")):
        assert (np.diff(ranked[f"{kind}_impact"].sel(receptor="xian")) <= 0).all()
        other = ranked[f"{kind}_impact"].sel(receptor="baoji").values
        order = np.argsort(ranked[f"{kind}_rank"].sel(receptor="baoji").values)
        assert (np.diff(other[order]) <= 0).all()
        assert sorted(ranked[f"{kind}_rank"].sel(receptor="baoji").values) == list(range(1, ranked.sizes[dim] + 1))


def test_per_tonne_is_impact_over_what_was_emitted(world, ranked):
    first = ranked.isel(enterprise=0)
    tonnes = float(first["enterprise_emitted"].sum())
    np.testing.assert_allclose(first["enterprise_impact_per_tonne"] * tonnes, first["enterprise_impact"], rtol=1e-12)
    rates = world.base.mean_rates(range(72)).loc[str(first["enterprise"].values)]
    np.testing.assert_allclose(first["enterprise_emitted"].sel(pollutant="SO2"), rates["SO2"] * 72 * 3.6, rtol=1e-10)


def test_own_sources_lead(ranked):
    assert ranked["area_city"].values[0] == "xian"
    best = ranked["area_rank"].sel(receptor="baoji").values.argmin()
    assert ranked["area_city"].values[best] == "baoji"


@pytest.mark.parametrize("name", ["atlantis", "linfen"])  # unknown; not on this grid
def test_cities_without_boxes_are_refused(world, name):
    with pytest.raises(InputError) as caught:
        ranking.rank(world.place, world.transport, world.base, world.inflow, world.hours, ["xian", name])
    (problem,) = caught.value.problems
    assert problem.value == name
    assert problem.allowed_zh


def test_a_scenario_and_a_window(world):
    start, end = world.weather["time"].values[[30, 36]]
    group = Case(world.scenario).ranking(["xian"], start, end)
    assert group.attrs["window_start"] == str(start)
    assert float(group["pm25_explained"][0]) < float(group["pm25_base"][0])
    with pytest.raises(InputError):
        Case(world.scenario).ranking(["xian"], end, start)
    with pytest.raises(InputError):
        Case(world.scenario).ranking(["xian"], start - np.timedelta64(90, "D"), end)
