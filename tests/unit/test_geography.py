import numpy as np
import pytest
import shapely

from airsim import geography
from airsim.geography import CITIES, Grid, load, make_grid


@pytest.fixture(scope="module")
def grid() -> Grid:
    return make_grid()


@pytest.fixture(scope="module")
def place(grid):
    return load(grid)


def test_default_grid_has_the_size_of_the_design(grid):
    assert grid.shape == (8, 78, 128)
    assert grid.level_thickness.sum() == 3000
    # the plane is nearly true to scale: cell centres one apart are 5 km apart on the ellipsoid
    from pyproj import Geod

    _, _, length = Geod(ellps="WGS84").inv(
        grid.longitude[:, :-1], grid.latitude[:, :-1], grid.longitude[:, 1:], grid.latitude[:, 1:]
    )
    np.testing.assert_allclose(length, 5000, rtol=1e-3)


def test_locate_inverts_the_cell_centres_and_refuses_the_outside(grid):
    iy, ix = grid.locate(grid.longitude, grid.latitude)
    assert np.array_equal(iy, np.broadcast_to(np.arange(grid.ny)[:, None], iy.shape))
    assert np.array_equal(ix, np.broadcast_to(np.arange(grid.nx), ix.shape))
    for lon, lat in ((100.0, 34.0), (109.0, 50.0), (np.nan, 34.0)):
        assert [int(i) for i in grid.locate(lon, lat)] == [-1, -1]


def test_known_places_lie_where_they_should(grid, place):
    cities = {c.id: i for i, c in enumerate(CITIES)}
    # railway stations and summits known to everybody: WGS84, city or None
    for lon, lat, city in (
        (108.96, 34.28, "xian"),
        (107.14, 34.37, "baoji"),
        (109.50, 34.50, "weinan"),
        (108.08, 34.27, "yangling"),
        (110.45, 35.48, "hancheng"),
        (111.00, 35.03, "yuncheng"),
    ):
        assert place.city_of_cell[grid.locate(lon, lat)] == cities[city]
    assert grid.terrain[grid.locate(107.77, 33.96)] > 2000  # Taibai
    assert 350 < grid.terrain[grid.locate(108.9, 34.35)] < 500  # the plain at Xi'an
    assert place.city_of_cell[grid.locate(107.0, 33.1)] == -1  # Hanzhong is not one of the cities


def test_weight_rows_sum_to_one_or_are_empty(place):
    for weights in (place.county_population_weights, place.county_area_weights):
        total = weights.sum(axis=1)
        inside = place.counties.area_in_domain.to_numpy() > 0
        np.testing.assert_allclose(total[inside], 1, rtol=1e-12)
        assert not total[~inside].any()
        assert weights.data.min() > 0
    assert 0 < (place.counties.area_in_domain == 0).sum() < 15
    np.testing.assert_allclose(place.city_weights.sum(axis=1), 1, rtol=1e-12)


def test_area_weights_agree_with_exact_polygon_cutting(grid, place):
    half = grid.spacing / 2
    for code in ("610116", "610103", "610403", "610331"):
        polygon = shapely.transform(place.counties.geometry[code], grid.project, interleaved=False)
        row = place.county_area_weights[[place.counties.index.get_loc(code)]].toarray()[0]
        iy, ix = np.divmod(np.arange(grid.nx * grid.ny), grid.nx)
        boxes = shapely.box(grid.x[ix] - half, grid.y[iy] - half, grid.x[ix] + half, grid.y[iy] + half)
        exact = shapely.area(shapely.intersection(boxes, polygon)) / polygon.area
        # every lattice square cut by the boundary errs by a quarter of itself on average, 500 m of boundary each
        assert np.abs(row - exact).sum() * polygon.area < 0.25 * 500 * polygon.length
        assert place.counties.area[code] == pytest.approx(polygon.area, abs=0.1 * 500 * polygon.length)


def test_people_are_conserved_and_groups_shared_out(place):
    raw = geography._counties()
    assert place.counties.population.sum() == pytest.approx(raw.population.sum(), rel=1e-9)
    core = raw.index[raw.population_group == "xian-core"]
    assert place.counties.population[core].sum() == pytest.approx(raw.population[core].sum(), rel=1e-9)
    assert raw.population["610104"] == 0  # the table cannot tell Lianhu from its neighbours
    assert place.counties.population["610104"] > 3e5
    inside = (place.counties.population * place.counties.population_in_domain).sum()
    assert place.population.sum() == pytest.approx(inside, rel=1e-9)


def test_people_live_near_the_seat_and_low_down(grid, place):
    for code in ("610331", "610124"):  # Taibai, Zhouzhi: plain at the foot, mountain behind
        people = place.county_population_weights[[place.counties.index.get_loc(code)]].toarray()[0]
        area = place.county_area_weights[[place.counties.index.get_loc(code)]].toarray()[0]
        assert people @ grid.terrain.ravel() < area @ grid.terrain.ravel() - 100
        x, y = grid.project(place.counties.seat_longitude[code], place.counties.seat_latitude[code])
        far = np.hypot(grid.x - x, grid.y[:, None] - y).ravel()
        assert people @ far < 0.8 * (area @ far)


def test_receptors_are_built_up(grid, place):
    people = place.population.ravel() / (grid.cell_area / 1e6)
    for city, row in zip(CITIES, range(len(CITIES)), strict=True):
        weights = place.city_weights[[row]]
        assert people[weights.indices].min() > 500, city.id
        assert np.all(place.city_weights[[row]].data > 0)


def test_every_seat_lies_in_or_beside_its_county(place):
    seats = shapely.points(place.counties.seat_longitude, place.counties.seat_latitude)
    assert shapely.distance(place.counties.geometry.to_numpy(), seats).max() < 0.003  # degrees: GCJ-02 offset


def test_other_grids_work(place):
    fine = load(make_grid((108.5, 34.0, 109.3, 34.6), spacing=1000.0, level_edges=(0, 100, 1000)))
    xian = [c.id for c in CITIES].index("xian")
    assert fine.city_weights.sum(axis=1)[xian] == pytest.approx(1)
    assert fine.city_weights.sum(axis=1)[-1] == 0  # Luoyang lies outside
    # the same people as on the coarse grid
    code = fine.counties.index.get_loc("610103")
    assert fine.counties.population.iloc[code] == pytest.approx(place.counties.population.iloc[code], rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"bounds": (109, 34, 108, 35)}, "empty"),
        ({"spacing": -1.0}, "empty"),
        ({"level_edges": (0, 100, 100)}, "rise from 0"),
        ({"level_edges": (10, 100)}, "rise from 0"),
        ({"bounds": (100, 30, 112, 36)}, "beyond the shipped terrain"),
        ({"bounds": (108, 34, 108.01, 34.01)}, "at least 2"),
    ],
)
def test_bad_grids_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        make_grid(**arguments)
