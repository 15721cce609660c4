"""Plume in box: what is put in is what is taken out."""

import joint_case
import naive_region as naive
import numpy as np
import pandas as pd
import pytest

from airsim.assess import plume_in_box
from airsim.region.tracers import INDEX, TRACERS

CO = INDEX["co"]  # not deposited, not transformed
RATE = 0.1  # kg s-1
WIND, DEPTH = 4.0, 400.0


def test_share_holds_the_young_mass():
    age = np.linspace(0, 4 * 3600, 100_001)
    for hold in (0, 1, 2):
        share = plume_in_box.young_share(age, hold)
        np.testing.assert_allclose(np.trapezoid(share, age), (hold + 0.5) * 3600, rtol=1e-6)
        assert share[0] == 1
        assert share[-1] == 0
        assert (np.diff(share) <= 0).all()


def uniform(hours=3, nx=24, ny=15, nz=4, spacing=3000.0):
    """A steady wind along x over flat ground, everywhere the same."""
    g = naive.grid(nz, ny, nx, spacing)
    depth = np.diff(g.level_edges)
    mass = np.broadcast_to((1.2 * depth * spacing**2)[:, None, None], (nz, ny, nx)).copy()
    x = np.broadcast_to((1.2 * depth * spacing * WIND)[None, :, None, None], (hours, nz, ny, nx + 1)).copy()
    y, z = np.zeros((hours, nz, ny + 1, nx)), np.zeros((hours, nz + 1, ny, nx))
    air = naive.weather(
        g, hours, x=x, y=y, z=z, mass=mass, air_temperature=280.0, relative_humidity=0.5, precipitation_flux=0.0,
        atmosphere_boundary_layer_thickness=DEPTH, friction_velocity=0.3, obukhov_length=1e5,
        convective_velocity=0.0, surface_downwelling_shortwave_flux_in_air=0.0,
    )  # fmt: skip
    return g, air


@pytest.mark.parametrize("hold", [0, 1])
def test_young_boxes_hold_what_was_emitted_lately(hold):
    g, air = uniform()
    emitted = np.zeros((hold + 1, 1, len(g.y), len(g.x), len(TRACERS)))
    emitted[:, 0, 7, 3, CO] = RATE
    young = plume_in_box.young_boxes(g, air, list(emitted), 2, levels=4)
    volume = np.diff(g.level_edges)[:, None, None] * g.spacing**2
    held = (young[..., CO] * volume).sum() * 1e-9
    np.testing.assert_allclose(held, RATE * (hold + 0.5) * 3600, rtol=1e-5)


@pytest.mark.parametrize("hold", [0, 1])
def test_young_plume_holds_the_same(hold):
    # integrate the plume of a passive release over all space: Q (hold + 1/2) hours, as in the boxes
    near = 100.0
    x = np.concatenate([np.geomspace(near, 2000, 60), np.arange(2200, 32_000, 200.0)])
    slope = np.linspace(-0.5, 0.5, 81)  # a fan: the plume is narrow near its source
    z = np.linspace(0, DEPTH, 101)
    ss, xx, zz = (a.ravel() for a in np.meshgrid(slope, x, z, indexing="ij"))
    yy = ss * xx
    receptors = pd.DataFrame({"x": xx, "y": yy, "z": zz})
    stacks = pd.DataFrame(
        {"x": [0.0], "y": [0.0], "height": [60.0], "diameter": [0.0], "exit_velocity": [0.0],
         "exit_temperature": [280.0], "rate": [1.0], "group": ["a"]}
    )  # fmt: skip
    weather = pd.DataFrame(
        {"wind_speed": [WIND], "wind_height": [60.0], "wind_from_direction": [270.0], "air_temperature": [280.0],
         "mixing_height": [DEPTH], "friction_velocity": [0.3], "obukhov_length": [1e5], "convective_velocity": [0.0],
         "roughness_length": [0.3], "stability_class": ["D"]},
        index=pd.DatetimeIndex(["2019-01-01"], name="time"),
    )  # fmt: skip
    c = plume_in_box.young_plumes(stacks, receptors, weather, "briggs_rural", hold)[0, 0]
    c = c.reshape(len(slope), len(x), len(z))
    across = np.trapezoid(np.trapezoid(c, z, axis=2), slope, axis=0) * x
    mass = np.trapezoid(across, x) * 1e-6  # g for 1 g s-1
    np.testing.assert_allclose(mass, (hold + 0.5) * 3600 - near / WIND, rtol=5e-3)


@pytest.fixture(scope="module")
def world():
    return joint_case.world("float32")


def test_increment_of_stacks_around_xian(world):
    sources = world.base.sources
    stacks = sources.index[(sources["kind"] == "point") & (sources["city"] == "xian")][:3]
    x0, y0 = (float(v) for v in world.place.grid.project(108.95, 34.27))
    axis = np.arange(-12_000.0, 12_001.0, 2000.0)
    group = plume_in_box.increment(
        world.place, world.base, world.weather, range(24, 28), list(stacks), x0, y0, axis, "briggs_rural"
    )
    assert group["increment"].dims == ("pollutant", "time", "y_fine", "x_fine")
    np.testing.assert_allclose(group["increment"], group["young_plume"] - group["young_box"])
    assert float(group["young_plume"].max()) > 0
    # the boxes' young mass is what a run of the whole region gives from those hours alone
    from airsim.inventory.placement import Placement

    chosen = np.full(len(sources), -1)
    chosen[sources.index.get_indexer(stacks)] = 0
    placement = Placement(world.base)
    emitted = [placement.emitted(h, chosen, 1)[..., 0] for h in (26, 27)]
    whole = plume_in_box.young_boxes(world.place.grid, world.weather, emitted, 27)[0]
    j, i = world.place.grid.cell_at(x0 + axis[3], y0 + axis[9])
    np.testing.assert_allclose(
        group["young_box"].sel(pollutant="NOx")[-1, 9, 3], whole[j, i, INDEX["nox"]], rtol=1e-3, atol=1e-6
    )


def test_hours_before_are_needed(world):
    with pytest.raises(ValueError, match="1 h before"):
        plume_in_box.increment(world.place, world.base, world.weather, range(2), [], 0.0, 0.0, np.zeros(1))
