"""The transfer matrix: three ways, what each promises, and why they differ."""

import dataclasses

import joint_case
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from airsim import inventory
from airsim.assess import ranking, transfer
from airsim.case import Case
from airsim.region import receptors
from airsim.region.equilibrium import composition
from airsim.region.tracers import INDEX, TRACERS
from airsim.result import netcdf

LINEAR = [s for s in transfer.SPECIES if s not in {"pm25", "nitrate", "ammonium"}]


@pytest.fixture(scope="module")
def world():
    return joint_case.world("float32")


@pytest.fixture(scope="module")
def both(world):
    return transfer.transfer(
        world.place, world.transport, world.base, world.inflow, world.hours, ranked=["weinan", "xian"]
    )


@pytest.fixture(scope="module")
def matrix(both):
    return both[0]


def test_ranking_on_the_way_is_the_ranking_by_itself(world, both):
    alone = ranking.rank(world.place, world.transport, world.base, world.inflow, world.hours, ["weinan", "xian"])
    assert both[1]["receptor"].values.tolist() == ["weinan", "xian"]
    for name in ("pm25_base", "pm25_explained", "enterprise_impact", "area_impact", "tonne_field", "impact_field"):
        np.testing.assert_allclose(both[1][name], alone[name], rtol=2e-4, atol=1e-6 * float(abs(alone[name]).max()))


def test_tags_add_up_to_the_whole(matrix):
    tags = matrix["contribution"].sel(approach="tag").sum("source")
    np.testing.assert_allclose(tags, matrix["total"], rtol=1e-6)


def test_total_is_that_of_a_plain_run(world, matrix):
    r = receptors.cities(world.place)
    air = joint_case.tracers(world, r, world.base.at)
    made = composition(air, *receptors.weather_at(world.weather, r, world.hours), axis=-1)
    for name in ("pm25", "nitrate", "sulphate"):
        np.testing.assert_allclose(matrix["total"].sel(species=name), r.mean(made[name].mean(0)), rtol=1e-5)


def test_where_the_equilibrium_has_no_say_the_three_agree(matrix):
    c = matrix["contribution"].sel(species=LINEAR)
    scale = float(c.max())
    for approach in ("zero_out", "adjoint"):
        np.testing.assert_allclose(c.sel(approach=approach), c.sel(approach="tag"), rtol=0, atol=1e-12 * scale)


def test_pm25_differs_by_nitrate_and_ammonium_alone(matrix):
    c = matrix["contribution"]
    for approach in ("zero_out", "adjoint"):
        gap = c.sel(approach=approach) - c.sel(approach="tag")
        salts = gap.sel(species="nitrate") + gap.sel(species="ammonium")
        # the backward run is float32
        np.testing.assert_allclose(gap.sel(species="pm25"), salts, atol=2e-5 * float(c.max()))
    assert float(np.abs(gap.sel(species="pm25")).max()) > 0.1  # they do differ here


def test_backward_run_agrees_with_the_forward_columns(matrix):
    assert float(matrix.attrs["adjoint_against_forward"]) < 1e-5


def test_zero_out_is_the_run_without_that_city(world, matrix):
    sources = world.inventory.sources
    rest = dataclasses.replace(world.inventory, sources=sources[sources["city"] != "xian"])
    r = receptors.cities(world.place)
    air = joint_case.tracers(world, r, inventory.grid(rest, world.place, world.weather).at)
    made = composition(air, *receptors.weather_at(world.weather, r, world.hours), axis=-1)
    for name in ("pm25", "nitrate", "ammonium", "bc"):
        gone = matrix["total"].sel(species=name) - r.mean(made[name].mean(0))
        said = matrix["contribution"].sel(approach="zero_out", species=name, source="xian")
        np.testing.assert_allclose(said, gone, atol=2e-5 * float(matrix["total"].sel(species=name).max()))


def test_interaction_is_what_zero_outs_leave(matrix):
    out = matrix["contribution"].sel(approach="zero_out", species="pm25").sum("source")
    np.testing.assert_allclose(matrix["interaction"], matrix["total"].sel(species="pm25") - out, atol=1e-9)


def air_of(ammonia):
    """Two sources: the first gives NOx's nitrate, the second ammonia; one box."""
    tags = np.zeros((1, len(TRACERS), 2))
    tags[0, INDEX["nitrate"], 0] = 20.0
    tags[0, INDEX["ammonia"], 1] = ammonia
    return tags


def test_plenty_of_ammonia_in_the_cold_makes_nitrate_linear():
    parts, _ = transfer.split_among_columns(air_of(200.0), np.array([263.0]), np.array([0.5]))
    nitrate = parts[:, list(transfer.SPECIES).index("nitrate"), 0]
    np.testing.assert_allclose(nitrate[:, 0], 20.0, rtol=2e-3)  # whichever way one counts
    assert abs(nitrate[2, 1]) < 1e-2  # a tonne less of ammonia takes nothing away,
    assert nitrate[1, 1] == pytest.approx(nitrate[0, 0])  # all ammonia takes everything


def test_scarce_ammonia_parts_the_three():
    parts, whole = transfer.split_among_columns(air_of(2.0), np.array([263.0]), np.array([0.5]))
    at = list(transfer.SPECIES).index("nitrate")
    tag, zero_out, adjoint = parts[:, at, 0]
    now = whole[at, 0]
    assert tag[0] == pytest.approx(now)  # by tag nitrate belongs to the NOx source
    assert tag[1] == 0
    assert zero_out[0] == zero_out[1] == pytest.approx(now)  # it needs both
    assert adjoint[1] == pytest.approx(now, rel=0.05)  # at the margin it follows ammonia
    assert adjoint[0] < 0.05 * now


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), temperature=st.floats(255, 305), humidity=st.floats(0.1, 0.99))
def test_attribution_for_any_air(seed, temperature, humidity):
    rng = np.random.default_rng(seed)
    tags = rng.lognormal(0, 2, (4, len(TRACERS), 3))
    place = (np.full(4, temperature), np.full(4, humidity))
    parts, whole = transfer.split_among_columns(tags, *place)
    np.testing.assert_allclose(parts[0].sum(-1), whole, rtol=1e-9)
    # the derivative: a thousandth of a column
    step = 1e-6
    more, _ = transfer.split_among_columns(tags * [1 + step, 1, 1], *place)
    rise = (more[0].sum(-1) - parts[0].sum(-1)) / step
    np.testing.assert_allclose(parts[2, :, :, 0], rise, rtol=2e-3, atol=1e-4 * whole.max())
    # taking everything takes the whole
    alone, same = transfer.split_among_columns(tags.sum(-1, keepdims=True), *place)
    np.testing.assert_allclose(alone[1, ..., 0], same, rtol=1e-9)


def test_a_scenario(world):
    start, end = world.weather["time"].values[[24, 30]]
    group = Case(world.scenario).transfer(start, end)
    assert set(group["approach"].values) == {"tag", "zero_out", "adjoint"}
    assert group.attrs["window_end"] == str(end)
    own = group["contribution"].sel(approach="tag", species="pm25", source="xian", receptor="xian")
    assert float(own) > float(
        group["contribution"].sel(approach="tag", species="pm25", source="baoji", receptor="xian")
    )


def test_the_matrix_is_written_as_the_table_says(matrix, tmp_path):
    netcdf.write(xr.DataTree.from_dict({"/transfer": matrix}), tmp_path / "transfer.nc")
    read = netcdf.read(tmp_path / "transfer.nc")["transfer"].to_dataset()
    np.testing.assert_array_equal(read["contribution"], matrix["contribution"])
    assert read["contribution"].attrs["units"] == "ug m-3"
