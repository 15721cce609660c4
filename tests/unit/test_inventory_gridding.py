"""Where emissions are put, and as what."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from airsim import geography, shipped
from airsim.inventory import POLLUTANTS, SECTORS, gridding, read
from airsim.region.tracers import INDEX, TRACERS

DATA = shipped.path("data/emissions")


@pytest.fixture(scope="module")
def places():
    return geography.load(geography.make_grid(spacing=20_000.0))


@pytest.fixture(scope="module")
def inventory(places):
    return read(DATA / "enterprises.csv", DATA / "area_sources.csv", DATA / "coal_ledger.csv", places)


def weather(grid, hours=3, wind=3.0, mixing=300.0, obukhov=1e5, start="2019-01-02T00"):
    time = np.datetime64(start, "h") + np.arange(hours)
    flat, deep = ("time", "y", "x"), ("time", "level", "y", "x")
    two, three = (hours, grid.ny, grid.nx), (hours, grid.nz, grid.ny, grid.nx)
    return xr.Dataset(
        {
            "x_wind": (deep, np.full(three, wind)),
            "y_wind": (deep, np.zeros(three)),
            "air_temperature": (flat, np.full(two, 273.0)),
            "friction_velocity": (flat, np.full(two, 0.2)),
            "obukhov_length": (flat, np.full(two, obukhov)),
            "atmosphere_boundary_layer_thickness": (flat, np.full(two, mixing)),
        },
        coords={"time": time.astype("datetime64[ns]")},
    )


def test_spread_by_hand():
    edges = np.array([0.0, 50.0, 120.0, 250.0])
    bottom, top = np.array([0.0, 40.0, 100.0, 60.0, 240.0, 500.0]), np.array([50.0, 60.0, 140.0, 60.0, 340.0, 600.0])
    expected = [[1, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0.5], [0, 1, 0], [0, 0, 1], [0, 0, 1]]
    assert gridding.spread(bottom, top, edges) == pytest.approx(np.array(expected), abs=1e-12)


def test_species_by_hand():
    row = pd.DataFrame(
        [{"SO2": 100, "NOx": 50, "PM10": 30, "PM25": 20, "BC": 2, "OC": 5, "VOC": 7, "NH3": 3, "CO": 400}]
    )
    t = dict(zip(TRACERS, gridding.speciate(row)[0], strict=True))
    assert t["bc"] == 2
    assert t["oc"] == 7
    assert t["pm25_other"] == 11
    assert t["pm_coarse"] == 10
    assert t["so2"] + t["sulphate"] * 64.064 / 96.062 == pytest.approx(100)
    assert (t["nox"], t["ammonia"], t["co"], t["voc"], t["nitrate"], t["soa"]) == (50, 3, 400, 7, 0, 0)


def test_species_and_back(inventory):
    back = gridding.pollutants(gridding.speciate(inventory.sources))
    # the tables are rounded to five digits, so PM10 and the parts of PM2.5 may cross by that much
    assert back == pytest.approx(inventory.sources[list(POLLUTANTS)].to_numpy(float), rel=1e-4, abs=1e-3)


def test_every_sector_has_an_allocation_and_a_known_surrogate(places):
    rules = gridding.allocation()
    assert {s for s, sub in rules if not sub} == set(SECTORS)
    layers = gridding.surrogates(places)
    for surrogate, heights in rules.values():
        assert surrogate in layers
        assert sum(heights) == pytest.approx(1)


def test_surrogates_place_things_where_they_belong(places):
    layers = gridding.surrogates(places)
    xian = np.flatnonzero(places.counties["city"] == "xian")
    density = places.population.ravel()

    def mean_density(name):
        weight = np.asarray(layers[name][xian].sum(axis=0)).ravel()
        return weight @ density / weight.sum()

    assert (
        mean_density("population") > mean_density("roads") > mean_density("rural_population") > mean_density("farmland")
    )
    height = places.grid.terrain.ravel()
    weight = np.asarray(layers["farmland"][xian].sum(axis=0)).ravel()
    plain = height @ np.asarray(places.county_area_weights[xian].sum(axis=0)).ravel() / len(xian)
    assert weight @ height / weight.sum() < plain  # the Qinling slope of Xi'an is not ploughed


def test_a_hot_stack_rises_higher_than_a_cold_one_and_a_lid_holds_it(places):
    grid = places.grid
    stack = {"stack_height": 150.0, "stack_diameter": 6.0, "exit_velocity": 18.0}
    sources = pd.DataFrame([stack | {"exit_temperature": t} for t in (275.0, 330.0, 420.0)])
    at = np.array([3, 3, 3])
    middle = grid.level_height

    def height(**met):
        share = gridding.stack_levels(sources, grid, weather(grid, **met), at, at)
        assert share.sum(axis=-1) == pytest.approx(1, abs=1e-12)
        return (share @ middle)[0]

    free = height(wind=4.0, mixing=2500.0, obukhov=-1e5)
    assert free[0] < free[1] < free[2]
    assert (height(wind=8.0, mixing=2500.0, obukhov=-1e5) < free)[1:].all()
    assert (height(wind=4.0, mixing=2500.0, obukhov=20.0) <= free).all()


def test_a_point_source_is_in_its_cell(places, inventory):
    source = "大唐灞桥热电厂"
    chosen = inventory.sources[inventory.sources["name"] == source]
    one = type(inventory)(chosen, inventory.scaling, inventory.coal)
    field = gridding.grid(one, places, weather(places.grid)).at(0)
    iy, ix = places.grid.locate(chosen.longitude.iloc[0], chosen.latitude.iloc[0])
    cell = field.sum(axis=(0, 3))
    assert cell[iy, ix] > 0
    assert cell[iy, ix] == pytest.approx(cell.sum())
    assert field[0].sum() == 0  # a 180 m stack puts nothing below 50 m


def test_a_county_row_stays_in_its_county(places, inventory):
    row = inventory.sources.loc[["A-yuncheng-coking-coke-140882"]]
    field = gridding.grid(type(inventory)(row, inventory.scaling, inventory.coal), places, weather(places.grid)).at(0)
    here = np.asarray(places.county_area_weights[[places.counties.index.get_loc("140882")]].toarray()).ravel() > 0
    assert (field.sum(axis=(0, 3)).ravel() > 0).sum() == here.sum()
    assert (field.sum(axis=(0, 3)).ravel()[~here] == 0).all()


def test_scaling_of_one_pollutant_reaches_its_tracers_only(places, inventory):
    base = gridding.grid(inventory, places, weather(places.grid)).at(0).sum(axis=(0, 1, 2))
    for pollutant, tracers in {
        "PM25": {"bc", "oc", "pm25_other"},
        "PM10": {"pm_coarse"},
        "SO2": {"so2", "sulphate"},
        "*": set(TRACERS),
    }.items():
        scaling = pd.DataFrame(
            {"source": inventory.sources.index, "pollutant": pollutant, "factor": 0.5, "start": pd.NaT, "end": pd.NaT}
        ).assign(measure="m")
        cut = gridding.grid(type(inventory)(inventory.sources, scaling, inventory.coal), places, weather(places.grid))
        ratio = cut.at(0).sum(axis=(0, 1, 2)) / np.maximum(base, 1e-30)
        for name, i in INDEX.items():
            if base[i] > 0:
                assert ratio[i] == pytest.approx(0.5 if name in tracers else 1.0, abs=1e-12), (pollutant, name)
