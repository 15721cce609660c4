"""Weather and arguments that the region refuses, and how it says so."""

from types import SimpleNamespace

import naive_region as naive
import numpy as np
import pytest
from scipy import sparse

from airsim.errors import InputError
from airsim.region import Transport
from airsim.region.coefficients import Coefficients, load, table
from airsim.region.tracers import TRACERS


@pytest.fixture
def g():
    return naive.grid(3, 4, 5)


@pytest.fixture
def w(g):
    return naive.weather(g, 4)


def refusal(g, w):
    with pytest.raises(InputError) as caught:
        Transport(g, w)
    return caught.value.problems


@pytest.mark.parametrize("name", ["x_face_air_flux", "air_temperature", "obukhov_length"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_a_number_is_refused_with_the_hour(g, w, name, bad):
    w[name].values[2].flat[3] = bad
    (problem,) = refusal(g, w)
    assert problem.key == name
    assert problem.where == "2026-01-05T18:00Z"
    assert problem.allowed_zh


def test_every_bad_hour_is_named(g, w):
    w["friction_velocity"].values[[0, 3], 0, 0] = np.nan
    w["air_mass"].values[0, 0, 0] = 0.0
    assert [(p.key, p.where[:13]) for p in refusal(g, w)] == [
        ("air_mass", ""), ("friction_velocity", "2026-01-05T16"), ("friction_velocity", "2026-01-05T19"),
    ]  # fmt: skip


@pytest.mark.parametrize(("keep", "hour"), [([0, 1, 3], "17:00Z"), ([0, 2, 1, 3], "16:00Z"), ([0, 0, 1, 2], "16:00Z")])
def test_gap_or_disorder_in_time_is_refused_with_the_hour(g, w, keep, hour):
    problems = refusal(g, w.isel(time=keep))
    assert problems[0].key == "time"
    assert problems[0].where.endswith(hour)


@pytest.mark.parametrize(
    ("name", "value"),
    [("obukhov_length", 0.0), ("air_temperature", 12.0), ("relative_humidity", 55.0), ("precipitation_flux", -1.0)],
)
def test_values_without_meaning_are_refused(g, w, name, value):
    w[name].values[1, 2, 2] = value
    (problem,) = refusal(g, w)
    assert (problem.key, problem.where) == (name, "2026-01-05T17:00Z")


def test_missing_and_misshapen_variables(g, w):
    w = w.drop_vars(["precipitation_flux"]).isel(x_face=slice(0, 5))
    assert {p.key for p in refusal(g, w)} == {"precipitation_flux", "x_face_air_flux"}


def test_wind_that_makes_air_is_refused_with_the_hour(g, w):
    w["x_face_air_flux"].values[1, 0, 1, 2] *= 1.5
    t = Transport(g, w)
    with pytest.raises(InputError, match="2026-01-05T17:00Z") as caught:
        t.run(lambda _: np.zeros((1, 4, 5, len(TRACERS), 1)), columns=1)
    assert caught.value.problems[0].key == "z_face_air_flux"


def test_order_of_dimensions_does_not_matter(g, w):
    e = np.random.default_rng(0).random((1, 4, 5, len(TRACERS), 1))
    turned = w.transpose(..., "time", "level")
    a, b = (Transport(g, each).run(lambda _: e, columns=1) for each in (w, turned))
    np.testing.assert_array_equal(a.in_air, b.in_air)


@pytest.mark.parametrize("speed", [80.0, 400.0])
def test_wild_wind_is_divided_and_carried(g, speed):
    x, y, z = naive.fluxes(g, 2, speed=speed)
    t = Transport(g, naive.weather(g, 2, x=x, y=y, z=z))
    h = t._hour(0)
    lines = {"x": 3 * 4, "y": 3, "z": 4}  # five boxes along x are one strip along y and z
    sweeps = {"x": (h.x_first, h.x_twice), "y": (h.y_out, h.y_back), "z": (h.rise, h.fall)}
    assert any(sweep.first[-1] > lines[axis] for axis, both in sweeps.items() for sweep in both)
    b = t.run(lambda _: np.ones((1, 4, 5, len(TRACERS), 1)), columns=1)
    assert np.isfinite(b.in_air).all()
    assert np.abs(b.residual).max() < 1e-5


def test_city_without_boxes_is_refused_by_name(g):
    from airsim.geography import CITIES
    from airsim.region import receptors

    weights = np.zeros((len(CITIES), 20))
    weights[0, 7] = 1.0
    place = SimpleNamespace(grid=SimpleNamespace(ny=4, nx=5), city_weights=sparse.csr_array(weights))
    assert receptors.cities(place).names == (CITIES[0].id,)
    with pytest.raises(InputError) as caught:
        receptors.cities(place, [CITIES[0].id, CITIES[1].id, "atlantis"])
    assert {(p.key, p.value) for p in caught.value.problems} == {("city", CITIES[1].id), ("city", "atlantis")}


@pytest.mark.parametrize("shape", [(4, 4, 5, 12, 1), (1, 5, 4, 12, 1), (1, 4, 5, 12, 2), (4, 5, 12, 1)])
def test_emissions_of_another_shape(g, w, shape):
    with pytest.raises(InputError, match="shape"):
        Transport(g, w).run(lambda _: np.zeros(shape), columns=1)


def test_emissions_that_are_not_numbers(g, w):
    e = np.zeros((4, 1, 4, 5, len(TRACERS), 1))
    e[2, 0, 1, 1, 3] = np.nan
    with pytest.raises(InputError, match="2026-01-05T18:00Z") as caught:
        Transport(g, w).run(lambda h: e[h], columns=1)
    assert caught.value.problems[0].key == "emissions"


def test_budget_as_a_dataset(g, w):
    b = Transport(g, w).run(lambda _: np.ones((1, 4, 5, len(TRACERS), 2)), columns=2)
    d = b.to_dataset()
    assert d["emitted"].sel(tracer="co").dims == ("column",)
    assert d["dry_deposition"].dims == ("y", "x", "tracer", "column")
    assert d["outflow"].attrs["units"] == "kg"
    np.testing.assert_allclose(d["emitted"], 4 * 20 * 3600.0)


def test_fields_of_another_shape(g, w):
    t = Transport(g, w)
    with pytest.raises(InputError, match="shape"):
        t.forward(t.emissions().isel(time=slice(0, 2)))
    with pytest.raises(InputError, match="dims"):
        t.adjoint(t.concentrations().rename(level="height"))
    with pytest.raises(InputError, match="shape"):
        t.run(lambda _: np.zeros((1, 4, 5, 12, 1)), columns=1, inflow=np.zeros((12, 2)))


def test_coefficients_are_data():
    c = load()
    assert Coefficients.model_validate(c.model_dump()).hash == c.hash
    changed = c.model_copy(update={"diffusion": c.diffusion.model_copy(update={"floor": 0.2})})
    assert changed.hash != c.hash
    with pytest.raises(ValueError, match="frozen"):
        c.diffusion.floor = 1.0
    with pytest.raises(ValueError, match="constant"):
        Coefficients.model_validate(c.model_dump() | {"equilibrium": {"constant": "guess"}})


def test_every_coefficient_has_a_source():
    t = table()
    assert set(t["status"]) <= {"sourced", "derived", "recalled", "estimate"}
    assert (t["source"].str.len() > 5).all()
    assert t["units"].notna().all()
    assert t["key"].is_unique
