"""Identities of the gridded inventory: nothing is lost, everything is linear, forward and backward agree."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from airsim import geography, shipped
from airsim.inventory import POLLUTANTS, Inventory, Profiles, gridding, read
from airsim.region.tracers import TRACERS

DATA = shipped.path("data/emissions")
START = np.datetime64("2019-01-01T16", "h")
HOURS = 30


@pytest.fixture(scope="module")
def places():
    return geography.load(geography.make_grid(spacing=20_000.0))


@pytest.fixture(scope="module")
def inventory(places):
    return read(DATA / "enterprises.csv", DATA / "area_sources.csv", DATA / "coal_ledger.csv", places)


@pytest.fixture(scope="module")
def weather(places):
    grid = places.grid
    random = np.random.default_rng(7)
    flat, deep = ("time", "y", "x"), ("time", "level", "y", "x")
    two, three = (HOURS, grid.ny, grid.nx), (HOURS, grid.nz, grid.ny, grid.nx)
    return xr.Dataset(
        {
            "x_wind": (deep, random.normal(0, 3, three)),
            "y_wind": (deep, random.normal(0, 3, three)),
            "air_temperature": (flat, random.uniform(262, 285, two)),
            "friction_velocity": (flat, random.uniform(0.02, 0.5, two)),
            "obukhov_length": (flat, random.choice([-1, 1], two) * 10 ** random.uniform(0.5, 4, two)),
            "atmosphere_boundary_layer_thickness": (flat, random.uniform(50, 1500, two)),
        },
        coords={"time": (START + np.arange(HOURS)).astype("datetime64[ns]")},
    )


@pytest.fixture(scope="module")
def gridded(inventory, places, weather):
    return gridding.grid(inventory, places, weather)


def scaled(inventory, rows):
    columns = ["source", "pollutant", "factor", "start", "end", "measure"]
    scaling = pd.DataFrame(rows, columns=columns).astype({"start": "datetime64[ns]", "end": "datetime64[ns]"})
    return Inventory(inventory.sources, scaling, inventory.coal)


def test_cells_and_hours_add_up_to_the_annual_emission_times_its_profile(inventory, gridded):
    total = sum(gridded.at(h).sum(axis=(0, 1, 2)) for h in range(HOURS)) * 3600.0
    profiles = Profiles()
    annual = gridding.speciate(inventory.sources) * 1000.0
    expected = np.zeros(len(TRACERS))
    for i, (sector, sub) in enumerate(zip(inventory.sources.sector, inventory.sources.subsector, strict=True)):
        share = profiles.fraction(profiles.key(sector, sub), gridded.time).sum()
        expected += annual[i] * share * gridded.inside[i]
    assert total == pytest.approx(expected, rel=1e-10)


def test_shares_on_the_grid(inventory, gridded):
    assert ((gridded.inside >= 0) & (gridded.inside <= 1 + 1e-12)).all()
    point = (inventory.sources["kind"] == "point").to_numpy()
    assert (gridded.inside[point] == 1).all()
    central = inventory.sources["city"].isin(["xian", "xianyang", "weinan", "tongchuan", "yangling", "hancheng"])
    assert gridded.inside[central.to_numpy()] == pytest.approx(1)
    assert gridded.inside[(inventory.sources["city"] == "luoyang").to_numpy() & ~point].max() < 1


def test_nothing_is_negative(gridded):
    assert all(gridded.at(h).min() >= 0 for h in range(0, HOURS, 7))


def test_totals_are_the_table(inventory, gridded):
    totals = gridded.totals()
    by = totals.groupby("pollutant")["annual"].sum()
    for p in POLLUTANTS:
        assert by[p] == pytest.approx(inventory.sources[p].sum(), rel=1e-4)
    # the mean rate over the hours, from the fields themselves
    mean = sum(gridded.at(h).sum(axis=(0, 1, 2)) for h in range(HOURS)) / HOURS * 86400.0
    expected = gridding.pollutants(mean)
    got = totals.groupby("pollutant")["on_grid_rate"].sum()[list(POLLUTANTS)].to_numpy()
    assert got == pytest.approx(expected, rel=1e-10)


def test_forward_and_backward_agree(gridded):
    random = np.random.default_rng(3)
    for hour in (0, 11):
        sensitivity = random.normal(size=(gridded.levels, *gridded.shape[1:]))
        effect = gridded.impact(hour, sensitivity)
        assert effect.sum() == pytest.approx((sensitivity * gridded.at(hour)).sum(), rel=1e-10)


def test_impact_of_one_source_is_its_own_field(inventory, places, weather, gridded):
    random = np.random.default_rng(5)
    sensitivity = random.random((gridded.levels, *gridded.shape[1:]))
    effect = gridded.impact(4, sensitivity)
    for name in (inventory.sources.index[0], "A-xian-residential-traditional_stove"):
        alone = Inventory(inventory.sources.loc[[name]], inventory.scaling, inventory.coal)
        field = gridding.grid(alone, places, weather).at(4)
        own = (sensitivity[: field.shape[0]] * field).sum()
        assert effect[inventory.sources.index.get_loc(name)] == pytest.approx(own, rel=1e-10)


def test_stopping_one_source_takes_away_exactly_that_source(inventory, places, weather, gridded):
    name = "A-baoji-transport-diesel"
    alone = Inventory(inventory.sources.loc[[name]], inventory.scaling, inventory.coal)
    own = gridding.grid(alone, places, weather).at(2)
    stopped = gridding.grid(scaled(inventory, [(name, "*", 0.0, pd.NaT, pd.NaT, "m")]), places, weather).at(2)
    missing = gridded.at(2) - stopped
    missing[: own.shape[0]] -= own
    assert np.abs(missing).max() < 1e-12 * gridded.at(2).max()


def test_a_window_changes_its_hours_only(inventory, places, weather, gridded):
    begin, end = START + 6, START + 12
    rows = [(s, "*", 0.4, begin, end, "m") for s in inventory.sources.index]
    cut = gridding.grid(scaled(inventory, rows), places, weather)
    for hour in range(0, HOURS, 2):
        factor = 0.4 if 6 <= hour < 12 else 1.0
        assert np.abs(cut.at(hour) - factor * gridded.at(hour)).max() <= 1e-12 * gridded.at(hour).max()


def test_a_window_that_ends_within_an_hour_counts_for_its_part(inventory, places, weather, gridded):
    begin = (START + 3).astype("datetime64[m]") + 15
    rows = [(s, "*", 0.0, begin, START + 5, "m") for s in inventory.sources.index]
    cut = gridding.grid(scaled(inventory, rows), places, weather)
    sums = [cut.at(h).sum() / gridded.at(h).sum() for h in (2, 3, 4, 5)]
    assert sums == pytest.approx([1, 0.25, 0, 1], abs=1e-12)


def test_measures_multiply_what_is_left(inventory, places, weather, gridded):
    rows = [(s, "*", f, pd.NaT, pd.NaT, m) for s in inventory.sources.index for f, m in ((0.5, "a"), (0.8, "b"))]
    cut = gridding.grid(scaled(inventory, rows), places, weather)
    assert cut.at(1) == pytest.approx(0.4 * gridded.at(1), rel=1e-12)
    back = gridding.grid(scaled(inventory, rows[::-1]), places, weather)
    assert back.at(1) == pytest.approx(cut.at(1), rel=1e-12)


def test_hours_may_be_asked_in_any_order(inventory, places, weather):
    rows = [(inventory.sources.index[k], "*", 0.3, START + k, START + k + 9, "m") for k in range(8)]
    forward = gridding.grid(scaled(inventory, rows), places, weather)
    backward = gridding.grid(scaled(inventory, rows), places, weather)
    fields = [forward.at(h) for h in range(HOURS)]
    for hour in reversed(range(HOURS)):
        assert (backward.at(hour) == fields[hour]).all()


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 4000), st.floats(0, 3000), st.lists(st.floats(1, 400), min_size=1, max_size=8))
def test_spread_keeps_all(bottom, depth, thickness):
    edges = np.concatenate([[0.0], np.cumsum(thickness)])
    share = gridding.spread(np.array([bottom]), np.array([bottom + depth]), edges)
    assert share.sum() == pytest.approx(1, abs=1e-9)
    assert (share >= -1e-12).all()
