"""The stored operator against full runs, its cache, and responses of groups."""

import dataclasses

import joint_case
import naive_region as naive
import numpy as np
import pytest

import airsim
from airsim import inventory
from airsim.assess import by_operator
from airsim.cache.store import Store
from airsim.case import Case
from airsim.errors import InputError
from airsim.inventory.placement import Placement
from airsim.region import Transport, operator, receptors, responses
from airsim.region.equilibrium import pm25
from airsim.region.tracers import INDEX, TRACERS


@pytest.fixture(scope="module")
def world():
    return joint_case.world("float32")


@pytest.fixture(scope="module")
def air(world):
    return receptors.cities(world.place)


@pytest.fixture(scope="module")
def cases(world):
    return {"base": world.base, "controlled": world.controlled}


@pytest.fixture(scope="module")
def full(world, air, cases):
    """Tracers of the plain runs, case -> (hour, box, tracer)."""
    return {name: joint_case.tracers(world, air, g.at) for name, g in cases.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("算子 cache")


def obtained(world, air, folder, **changes):
    of = {"transport": world.transport, "receptors": air, "hours": world.hours, "inflow": world.inflow, **changes}
    about = by_operator.about(of["transport"], world.base, of["receptors"], of["hours"], of["inflow"])
    return operator.obtain(
        folder, of["transport"], of["receptors"], of["hours"], Placement(world.base), of["inflow"],
        block=24, linearisation=about,
    )  # fmt: skip


@pytest.fixture(scope="module")
def stored(world, air, folder):
    return obtained(world, air, folder)


def mean(air, values, block):
    return air.mean(values[24 * block : 24 * block + 24].mean(0))


def test_contraction_is_the_full_run(stored, air, cases, full):
    said = by_operator.evaluate(stored, cases["base"], cases)["concentration"]
    for name, hourly in full.items():
        for block in (0, 1):
            np.testing.assert_allclose(said.sel(case=name, block=block), mean(air, hourly, block), rtol=2e-5)
    change = said.sel(case="base") - said.sel(case="controlled")
    whole = said.sel(case="base")
    assert float((change / whole).max()) > 0.1  # there is something to get right


def test_pm25_is_exact_at_the_base_and_first_order_in_the_change(world, stored, air, cases, full):
    said = by_operator.evaluate(stored, cases["base"], cases)["pm25"].values
    place = receptors.weather_at(world.weather, air, world.hours)
    true = np.array([[mean(air, pm25(full[n], *place, axis=-1), b) for b in (0, 1)] for n in cases])
    np.testing.assert_allclose(said[0], true[0], rtol=1e-5)
    change = true[0] - true[1]
    assert change.max() > 10  # ug m-3
    np.testing.assert_allclose(said[0] - said[1], change, atol=0.02 * change.max())


def test_cache_is_used(world, air, folder, stored, monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("the operator was made again")

    monkeypatch.setattr(operator, "make", forbidden)
    again = obtained(world, air, folder)
    np.testing.assert_array_equal(again.sensitivity, stored.sensitivity)
    np.testing.assert_array_equal(again.background, stored.background)
    assert again.sites == stored.sites
    assert again.pairs == stored.pairs
    with pytest.raises(AssertionError, match="made again"):
        obtained(world, air, folder, inflow=1.01 * world.inflow)


def test_key_sees_whatever_matters(world, air, stored):
    def key(**changes):
        of = {"transport": world.transport, "receptors": air, "inflow": world.inflow, **changes}
        blocks = of.pop("blocks", stored.blocks)
        return operator._key(of["transport"], of["receptors"], blocks, Placement(world.base), of["inflow"], None)

    windy = world.weather.copy()
    windy["air_temperature"] = windy["air_temperature"].copy()
    windy["air_temperature"].values[3, 2, 1] += 1e-3
    milder = world.transport.coefficients.model_copy(
        update={"diffusion": world.transport.coefficients.diffusion.model_copy(update={"floor": 0.2})}
    )
    grid = world.place.grid
    keys = [
        key(),
        key(transport=Transport(grid, windy)),
        key(transport=Transport(grid, world.weather, milder)),
        key(receptors=receptors.cities(world.place, ["xian"])),
        key(blocks=((24, 48), (48, 71))),
        key(inflow=world.inflow * 1.01),
    ]
    assert len(set(keys)) == len(keys)
    assert key(transport=Transport(grid, world.weather)) == keys[0]


@pytest.mark.parametrize("harm", ["half", "tail", "flip", "empty", "text"])
def test_damaged_cache_is_made_again(world, air, stored, tmp_path, harm, monkeypatch):
    store = Store(tmp_path)
    path = store.path("operator", stored.key)
    operator._write(store, stored)
    content = path.read_bytes()
    middle = content.index(stored.sensitivity[50].tobytes()[:400])
    spoilt = bytearray(content)
    spoilt[middle + 100] ^= 0xFF
    path.write_bytes(
        {
            "half": content[: len(content) // 2],
            "tail": content[: middle + 10_000],
            "flip": bytes(spoilt),
            "empty": b"",
            "text": b"not a file of the kind",
        }[harm]
    )
    assert operator._read(store, stored.key) is None
    if harm != "flip":  # one of them is really made again, which takes as long as the operator itself
        monkeypatch.setattr(operator, "make", lambda *_, **__: stored)
    again = obtained(world, air, tmp_path)
    np.testing.assert_array_equal(again.sensitivity, stored.sensitivity)
    assert operator._read(store, stored.key) is not None
    assert [p.name for p in tmp_path.iterdir()] == [path.name]  # nothing half-written is left


def test_file_says_what_it_holds(stored, folder):
    kept = Store(folder).get("operator", stored.key)
    assert kept.arrays["sensitivity"].dtype == np.float32
    lengths = [len(kept.arrays["time"]), len(kept.about["sites"]), len(kept.about["pairs"])]
    assert list(kept.arrays["sensitivity"].shape[:3]) == lengths


def test_strange_sites_are_refused(world, stored):
    sources = world.inventory.sources.copy()
    point = sources.index[sources["kind"] == "point"][0]
    sources.loc[point, "stack_height"] += 40.0
    moved = inventory.grid(dataclasses.replace(world.inventory, sources=sources), world.place, world.weather)
    with pytest.raises(InputError) as caught:
        by_operator.evaluate(stored, world.base, {"moved": moved})
    assert caught.value.problems[0].value == "1"


def test_what_is_only_made_in_the_air_may_not_be_emitted(world, stored):
    placement = Placement(world.base)
    position = stored.position(placement.sites, placement.site)
    rate = world.base.rates(0).copy()
    rate[0, INDEX["nitrate"]] = 1.0
    with pytest.raises(InputError):
        stored.felt(lambda _: rate, position)


def test_pm25_needs_a_linearisation(world, air):
    plain = operator.make(world.transport, air, ((70, 72),), Placement(world.base), world.inflow)
    placement = Placement(world.base)
    with pytest.raises(ValueError, match="linearisation"):
        plain.pm25(world.base.rates, plain.position(placement.sites, placement.site))


def test_every_box_a_site():
    # the operator of a small domain whole: any emission, against the plain run
    g = naive.grid(3, 4, 5)
    t = Transport(g, naive.weather(g, 5), dtype="float64")
    rng = np.random.default_rng(0)
    inflow = rng.random((3, len(TRACERS)))
    iy, ix = [1, 3], [2, 0]
    air = receptors.Receptors(("a", "b"), receptors.cells(_named(g), iy, ix).weights, (4, 5))
    boxes = operator.Boxes((2, 4, 5))
    made = operator.make(t, air, ((1, 3), (3, 5)), boxes, inflow)
    e = rng.random((5, 2, 4, 5, len(TRACERS)))
    e[..., [INDEX[n] for n in operator.MADE_ONLY]] = 0.0
    position = made.position(boxes.sites, np.arange(len(boxes.sites)))
    said = made.mean(lambda h: e[h].reshape(-1, len(TRACERS)), position)
    kept = []
    t.run(
        lambda h: e[h][..., None], columns=1, initial=inflow[..., None], inflow=inflow[..., None], levels=1,
        observe=lambda _, m: kept.append(m[0][iy, ix, :, 0].copy()),
    )  # fmt: skip
    true = np.array([np.mean(kept[1:3], axis=0), np.mean(kept[3:5], axis=0)])
    # the stored sensitivity is float32, the background the record of an observer, float32 too
    np.testing.assert_allclose(said, true, rtol=1e-6)


def _named(grid):
    grid.ny, grid.nx = len(grid.y), len(grid.x)
    return grid


def test_a_scenario(world, tmp_path, full, air):
    case = Case(world.scenario)
    both = {"base": case.gridded["base"], "controlled": case.gridded[case.last]}
    said = by_operator.evaluate(case.operator(tmp_path, block=None), both["base"], both)
    assert said.sizes["block"] == 1
    assert said["block_start"].values[0] == world.weather["time"].values[24]
    np.testing.assert_allclose(
        said["concentration"].sel(case="controlled")[0], air.mean(full["controlled"].mean(0)), rtol=2e-5
    )


# ---------------------------------------------------------------- responses of groups


@pytest.fixture(scope="module")
def answered(world, air):
    placement = Placement(world.base)
    keys = world.base.sources["sector"]
    names = sorted(set(keys))
    group = np.array([names.index(k) for k in keys])

    def emitted(hour, chosen):
        column = np.full(len(names), -1)
        column[chosen] = np.arange(len(chosen))
        return placement.emitted(hour, column[group], len(chosen))

    return responses.respond(world.transport, emitted, names, air, world.hours, world.inflow)


def test_all_groups_together_are_the_full_run(world, air, answered, full):
    ones = np.ones((2, len(answered.groups)))
    true = np.einsum("hbt,rb->hrt", full["base"], air.over_boxes)
    np.testing.assert_allclose(answered.concentration(ones)[1], true, rtol=2e-5)
    place = receptors.weather_at(world.weather, air, world.hours)
    fine = np.einsum("hb,rb->hr", pm25(full["base"], *place, axis=-1), air.over_boxes)
    np.testing.assert_allclose(answered.pm25(ones)[1], fine, rtol=2e-5)


def test_a_cut_of_sectors_is_the_run_with_that_cut(world, air, answered):
    factors = np.random.default_rng(4).uniform(0, 1, (3, len(answered.groups)))
    by = dict(zip(answered.groups, factors[2], strict=True))
    scale = world.base.sources["sector"].map(by).to_numpy()
    sources = world.inventory.sources.copy()
    amounts = list(inventory.POLLUTANTS)
    sources[amounts] = sources[amounts].mul(scale, axis=0)
    cut = inventory.grid(dataclasses.replace(world.inventory, sources=sources), world.place, world.weather)
    hourly = joint_case.tracers(world, air, cut.at)
    true = np.einsum("hbt,rb->hrt", hourly, air.over_boxes)
    np.testing.assert_allclose(answered.concentration(factors)[2], true, rtol=5e-5)
    place = receptors.weather_at(world.weather, air, world.hours)
    fine = np.einsum("hb,rb->hr", pm25(hourly, *place, axis=-1), air.over_boxes)
    np.testing.assert_allclose(answered.pm25(factors)[2], fine, rtol=5e-5)


def test_many_scenarios_are_done_in_parts(answered, monkeypatch):
    factors = np.random.default_rng(5).uniform(0, 1, (7, len(answered.groups)))
    together = answered.pm25(factors)
    monkeypatch.setattr(responses, "_ROOM", 2 * answered.dissociation.size)
    np.testing.assert_allclose(answered.pm25(factors), together, rtol=1e-6)


# ---------------------------------------------------------------- placement and receptors


def test_placement_rows_hold_what_lies_on_the_grid(world):
    placement = Placement(world.base)
    for hour in (0, 40):
        share = np.append(placement.at(hour).sum(axis=1), 0.0)[placement.site]
        np.testing.assert_allclose(share, world.base.inside, atol=1e-12)
    assert len(placement.sites) < (placement.site >= 0).sum()  # some sources share one


def test_groups_together_are_the_gridded_emissions(world):
    placement = Placement(world.base)
    group = np.arange(len(placement.site)) % 5
    for hour in (0, 40):
        each = placement.emitted(hour, group, 5)
        whole = world.base.at(hour)
        np.testing.assert_allclose(each.sum(-1), whole, rtol=1e-5, atol=1e-9 * whole.max())


def test_felt_is_the_impact_of_the_gridded_emissions(world):
    placement = Placement(world.base)
    grid = world.place.grid
    s = np.random.default_rng(0).random((placement.levels, grid.ny, grid.nx, len(TRACERS)))
    by_site = np.vstack([placement.felt(7, s), np.zeros(len(TRACERS))])
    effect = (by_site[placement.site] * world.base.rates(7)).sum(1)
    np.testing.assert_allclose(effect, world.base.impact(7, s), rtol=1e-12)


def test_a_station_is_its_box(world):
    grid = world.place.grid
    r = receptors.stations(grid, ["高压开关厂", "b"], [grid.longitude[3, 4], grid.longitude[5, 6]],
                           [grid.latitude[3, 4], grid.latitude[5, 6]])  # fmt: skip
    field = np.random.default_rng(0).random((grid.ny, grid.nx, 2))
    np.testing.assert_array_equal(r.mean(r.pick(field)), field[[3, 5], [4, 6]])
    with pytest.raises(InputError) as caught:
        receptors.stations(grid, ["in", "out"], [108.9, 120.0], [34.3, 34.3])
    assert [p.value for p in caught.value.problems] == ["out"]


def test_a_city_is_the_mean_of_its_weights(world):
    r = receptors.cities(world.place, ["baoji", "xian"])
    field = np.random.default_rng(0).random((world.place.grid.ny, world.place.grid.nx))
    np.testing.assert_allclose(r.mean(r.pick(field)), world.place.city_weights[[1, 0]] @ field.ravel(), rtol=1e-12)
    assert r.names == ("baoji", "xian")
    np.testing.assert_allclose(r.over_boxes.sum(1), 1.0)


def test_boxes_off_the_grid_are_refused(world):
    with pytest.raises(InputError):
        receptors.cells(world.place.grid, [0, world.place.grid.ny], [0, 0])


def test_window(world):
    time = world.weather["time"].values
    assert receptors.window(time) == range(72)
    assert receptors.window(time, time[24], time[48]) == range(24, 48)
    assert receptors.window(time, end=time[48]) == range(48)
    for start, end in ((time[5], time[5]), (time[5], time[4]), (time[0] - np.timedelta64(1, "h"), time[5])):
        with pytest.raises(InputError):
            receptors.window(time, start, end)


def test_transport_of_a_scenario(world):
    t = airsim.transport(world.scenario, dtype="float64")
    assert t.dtype == np.float64
    assert t.emissions().shape == (len(TRACERS), 72, *world.place.grid.shape)
    assert t.hours == 72
    np.testing.assert_array_equal(t.time, world.weather["time"].values)
