"""Vertical mixing, deposition and transformation against what can be written down."""

import naive_region as naive
import numpy as np
import pytest

from airsim.region import Transport, kernels
from airsim.region.chemistry import products, rates
from airsim.region.coefficients import load
from airsim.region.deposition import dry_velocity, washout_rate
from airsim.region.diffusion import eddy_diffusivity, horizontal_diffusivity
from airsim.region.tracers import INDEX, TRACERS
from airsim.region.transport import _Sweep


def calm(hours, nz, **planes):
    """One column of still, dry air."""
    g = naive.grid(nz, 1, 1)
    planes = {
        "precipitation_flux": 0.0, "relative_humidity": 0.3, "air_temperature": 275.0,
        "surface_downwelling_shortwave_flux_in_air": 0.0, "convective_velocity": 0.0,
        "obukhov_length": 50.0, "friction_velocity": 0.2, "atmosphere_boundary_layer_thickness": 100.0,
    } | planes  # fmt: skip
    still = np.zeros((hours, nz, 1, 2)), np.zeros((hours, nz, 2, 1)), np.zeros((hours, nz + 1, 1, 1))
    planes = {k: np.reshape(v, (-1, 1, 1)) if np.ndim(v) else v for k, v in planes.items()}
    return g, naive.weather(g, hours, x=still[0], y=still[1], z=still[2], **planes)


def nothing(_):
    return np.zeros((1, 1, 1, len(TRACERS), 1))


def without(**sections):
    """Coefficients with some values changed: ``without(chemistry={"uptake_dry": 0})``."""
    c = load()
    return c.model_copy(update={k: getattr(c, k).model_copy(update=v) for k, v in sections.items()})


def test_diffusion_of_a_cosine():
    # q = 1 + cos(pi z / H) between walls decays as exp(-K pi^2 t / H^2)
    levels, depth, k, hours = 60, 1000.0, 20.0, 1.0
    dz = depth / levels
    z = (np.arange(levels) + 0.5) * dz
    steps = 400
    dt = 3600.0 * hours / steps
    q = (1.0 + np.cos(np.pi * z / depth))[:, None]
    mass, faces = np.full((levels, 1, 1), dz), np.zeros((levels + 1, 1, 1))
    still = _Sweep.of(kernels.Z, mass, faces, faces, q.dtype)
    pivot, factor = np.empty_like(mass), np.empty_like(faces)
    kernels.eliminate(mass, np.full_like(faces, k * dt / dz), pivot, factor)
    one, nobody, nothing = np.ones((1, 1, 1)), np.empty(0, np.int64), np.empty((0, 1, 1, 1))
    sweeps = (still.first, still.weights, still.ends) * 2
    for _ in range(steps):
        kernels.columns(
            q, *sweeps, mass, pivot, factor, 0.0 * one, nothing, 0.0, nothing, nobody, nobody, np.empty(0), one,
            np.zeros((1, 1), bool), np.zeros(1), mass, nothing, np.zeros((2, 1, 1)), np.zeros((1, 1)), one, one,
        )  # fmt: skip
    want = 1.0 + np.cos(np.pi * z / depth) * np.exp(-k * np.pi**2 * 3600.0 * hours / depth**2)
    np.testing.assert_allclose(q[:, 0], want, atol=2e-3)
    np.testing.assert_allclose(q.mean(), 1.0, rtol=1e-12)


def test_diffusivity_profile():
    z = np.linspace(5.0, 1500.0, 300)[:, None, None]

    def at(depth, friction, length, convective):
        plane = [np.full((1, 1), v) for v in (depth, friction, length, convective)]
        return eddy_diffusivity(z, *plane, 0.1)[:, 0, 0]

    neutral = at(800.0, 0.4, 1e5, 0.0)
    inside = z[:, 0, 0] < 700.0
    want = 0.4 * 0.4 * z[:, 0, 0] * (1 - z[:, 0, 0] / 800.0) ** 2
    np.testing.assert_allclose(neutral[inside], want[inside], rtol=0.05)
    assert (neutral[z[:, 0, 0] >= 800.0] == 0.1).all()
    assert at(800.0, 0.4, 50.0, 0.0).max() < 0.5 * neutral.max()
    assert at(800.0, 0.4, -50.0, 1.5).max() > 2.0 * neutral.max()
    # the surface layer meets the outer layer at 0.1 h when w* belongs to L
    depth, friction, length = 1000.0, 0.3, -40.0
    convective = friction * (depth / (0.4 * -length)) ** (1 / 3)
    fine = np.array([99.99, 100.01])[:, None, None]
    plane = [np.full((1, 1), v) for v in (depth, friction, length, convective)]
    below, above = eddy_diffusivity(fine, *plane, 0.1)[:, 0, 0]
    assert abs(below - above) / below < 0.02
    # four-thirds law
    d = load().diffusion
    assert horizontal_diffusivity(8000.0, d) / horizontal_diffusivity(1000.0, d) == pytest.approx(16.0)


def test_two_days_of_growing_and_collapsing_boundary_layer():
    hour = np.arange(48)
    day = (hour % 24 >= 8) & (hour % 24 < 18)
    g, w = calm(
        48, 8,
        atmosphere_boundary_layer_thickness=np.where(day, 1000.0, 60.0),
        obukhov_length=np.where(day, -50.0, 30.0),
        friction_velocity=np.where(day, 0.4, 0.1),
        convective_velocity=np.where(day, 1.5, 0.0),
    )  # fmt: skip
    t = Transport(g, w, dtype="float64")
    co = INDEX["co"]
    profile = np.zeros((48, 8))

    def keep(h, mean):
        profile[h] = mean[:, 0, 0, co, 0] / t.density[:, 0, 0]

    def morning(h):
        e = nothing(h)
        e[..., co, 0] = 1.0 if h < 6 else 0.0  # emitted in the first night alone
        return e

    t.run(morning, columns=1, observe=keep)
    amount = profile * t.air_mass[:, 0, 0]
    total = amount[7].sum()
    assert amount[7, 0] > 0.5 * total  # before dawn: most still lies in the lowest 50 m
    assert amount[7, :3].sum() > 0.95 * total
    np.testing.assert_allclose(profile[17, :4], profile[17, :4].mean(), rtol=0.05)  # afternoon: well mixed
    assert profile[17, 7] < 0.05 * profile[17, 0]  # but not above 1000 m
    # the night leaves it aloft: what the second night's 60 m holds does not change the residual layer
    residual = amount[[18, 31]][:, 3:6].sum(1)
    np.testing.assert_allclose(residual[1], residual[0], rtol=0.03)
    np.testing.assert_allclose(profile[41, :4], profile[41, :4].mean(), rtol=0.05)
    np.testing.assert_allclose(amount.sum(1)[7:], total, rtol=1e-12)


def test_growth_mixes_residual_air_down():
    # clean surface layer, tracer above it: the growing layer brings it down
    hour = np.arange(12)
    g, w = calm(
        12, 8, atmosphere_boundary_layer_thickness=np.where(hour < 6, 60.0, 900.0),
        obukhov_length=np.where(hour < 6, 30.0, -50.0), convective_velocity=np.where(hour < 6, 0.0, 1.5),
    )  # fmt: skip
    t = Transport(g, w)
    ground = []
    initial = np.zeros((8, len(TRACERS), 1))
    initial[3:5, INDEX["co"]] = 100.0
    t.run(nothing, columns=1, initial=initial, observe=lambda h, m: ground.append(m[0, 0, 0, INDEX["co"], 0]))
    assert ground[5] < 3.0
    assert ground[8] > 40.0


def test_first_order_chain():
    c = without(
        deposition={"surface_resistance": {}, "diameter": {}},
        chemistry={"uptake_dry": 0.0, "uptake_wet": 0.0, "so2_night": 3.0},
    )
    g, w = calm(30, 1)
    t = Transport(g, w, c, dtype="float64")
    initial = np.zeros((len(TRACERS), 1))
    initial[INDEX["so2"]] = 10.0
    b = t.run(nothing, columns=1, initial=initial)
    left = np.exp(-0.03 * 30)
    so2, sulphate = b.in_air[INDEX["so2"], 0], b.in_air[INDEX["sulphate"], 0]
    start = b.initial[INDEX["so2"], 0]
    np.testing.assert_allclose(so2, start * left, rtol=1e-12)
    np.testing.assert_allclose(sulphate, start * (1 - left) * 96.062 / 64.064, rtol=1e-12)


def test_mass_ratios():
    # 96/64 and 62/46 to the three digits they are usually quoted with
    np.testing.assert_allclose(products(load().chemistry)[:2], [1.5, 62 / 46], rtol=1e-3)


def test_sulphur_and_nitrogen_are_kept():
    # through emission, wind, mixing, deposition and rain: atoms in = atoms out, whatever form they take
    g = naive.grid(4, 4, 5)
    w = naive.weather(g, 4)
    rng = np.random.default_rng(0)
    e = rng.random((2, 4, 5, len(TRACERS), 2))
    b = Transport(g, w, dtype="float64").run(lambda _: e, columns=2, inflow=rng.random((len(TRACERS), 2)))
    for forms in ({"so2": 64.064, "sulphate": 96.062}, {"nox": 46.006, "nitrate": 62.005}):
        came = sum((b.emitted + b.inflow + b.initial)[INDEX[f]] / m for f, m in forms.items())
        went = sum((b.in_air + b.outflow + b.dry + b.wet)[INDEX[f]] / m for f, m in forms.items())
        np.testing.assert_allclose(went, came, rtol=1e-11)


def test_dry_and_wet_loss_of_one_box():
    rain = 5e-4
    g, w = calm(5, 1, precipitation_flux=rain)
    c = without(
        chemistry={k: 0.0 for k in type(load().chemistry).model_fields if k.startswith(("so2", "nox", "voc", "upt"))}
    )
    t = Transport(g, w, c, dtype="float64")
    b = t.run(nothing, columns=1, initial=np.ones((len(TRACERS), 1)))
    planes = [w[n].values[0] for n in ("friction_velocity", "obukhov_length", "air_temperature")]
    velocity = dry_velocity(25.0, w["roughness_length"].values, *planes, c)[:, 0, 0]
    rate = washout_rate(np.full((1, 1), rain), planes[2], c)[:, 0, 0]
    steps, tau = 15, 1200.0
    kept = (np.exp(-rate * tau) / (1.0 + velocity * tau / 50.0)) ** steps
    np.testing.assert_allclose(b.in_air[:, 0] / b.initial[:, 0], kept, rtol=1e-10)
    assert kept[INDEX["co"]] == 1.0
    np.testing.assert_allclose(b.dry_deposition.sum((0, 1)), b.dry, rtol=1e-12)
    np.testing.assert_allclose(b.wet_deposition.sum((0, 1)), b.wet, rtol=1e-12)


def test_velocities_are_in_the_range_seen_in_the_field():
    # Wesely & Hicks (2000, Atmos. Environ. 34, 2261): SO2 0.1-1, fine particles 0.02-0.5 cm/s over land
    c = load()
    for friction, length in ((0.1, 30.0), (0.3, 1e5), (0.5, -100.0)):
        plane = [np.full((1, 1), v) for v in (0.3, friction, length, 275.0)]
        v = dict(zip(TRACERS, 100.0 * dry_velocity(25.0, *plane, c)[:, 0, 0], strict=True))
        assert 0.1 < v["so2"] < 1.0
        assert all(0.02 < v[fine] < 0.5 for fine in ("bc", "oc", "pm25_other", "sulphate", "soa"))
        assert v["pm_coarse"] > 2 * v["pm25_other"]
        assert v["nitrate"] > v["sulphate"]  # some of it is nitric acid
        assert v["co"] == 0.0


def test_rates_follow_light_and_humidity_and_stay_bounded():
    edges = np.array([0.0, 50.0, 900.0, 1100.0, 2000.0])
    chemistry = load().chemistry
    sun, humid = np.array([[0.0, 0.0, 800.0, 5000.0]]), np.array([[0.3, 1.0, 0.3, 1.0]])
    hourly = 360000.0 * rates(sun, humid, np.full((1, 4), 275.0), edges, chemistry)[:, :, 0]
    aloft = hourly[0, -1]
    np.testing.assert_allclose(aloft, [0.2, 0.2, 2.0, 2.0])  # above the polluted layer: gas phase alone
    np.testing.assert_allclose(hourly[1, 0], [2.0, 2.0, 15.0, 15.0])
    assert hourly[0, 0, 1] > 2 * hourly[0, 0, 0]
    assert hourly[0].max() < 4.0
    np.testing.assert_allclose(hourly[0, 2] - aloft, 0.5 * (hourly[0, 0] - aloft))  # half of that level


def test_gas_share_and_snow():
    c = load()
    cold, warm = np.full((1, 1), 263.0), np.full((1, 1), 300.0)
    rain = np.full((1, 1), 1e-3)
    snow = washout_rate(rain, cold, c)[:, 0, 0]
    wet = washout_rate(rain, warm, c)[:, 0, 0]
    assert snow[INDEX["so2"]] == 0.0
    np.testing.assert_allclose(wet[INDEX["so2"]], 3.6 * 3.0e-5)
    assert (snow <= wet).all()
    assert wet[INDEX["co"]] == 0.0
