"""Probability of negative growth against cases with known answers."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from airsim import rules
from airsim.coal import sampling, uncertain_balance, uncertainty
from airsim.errors import InputError
from airsim.scenario import Distribution, Uncertainty

NONE = {"normal": [0, 1e-9]}
SPREADS = {
    "growth_percent": {"deviation": NONE},
    "degree_day_percent": {"deviation": NONE},
    "utilisation": {"deviation": {"normal": [1, 1e-9]}},
}
EXACT = [{"error": NONE, "correlation": 1.0}]


def _settings(**given):
    """Settings without any spread but what the test gives."""
    return Uncertainty.model_validate_json(json.dumps({"statistics": EXACT, **SPREADS, **given}))


def _lines(*rows):
    """Lines of a balance: measure, line, city, sector, coefficient, factors by keyword."""
    table = []
    for measure, line, city, sector, coefficient, factors in rows:
        row = {"measure": measure, "line": line, "city": city, "sector": sector, "coefficient": float(coefficient)}
        amount = float(coefficient)
        for name, figure in factors.items():
            if isinstance(figure, Distribution):
                row[f"{name}_distribution"] = figure
            value = figure.mean if isinstance(figure, Distribution) else figure
            row[name] = value
            amount *= {"growth_percent": value / 100, "degree_day_percent": value / 100, "reburn": 1 - value}.get(
                name, value
            )
        table.append(row | {"amount": amount})
    return pd.DataFrame(table)


BASE = ("base", "base", "xian", "power", 1_000_000, {})


def _normal(mean, sd):
    return Distribution(normal=(mean, sd))


# --------------------------------------------------------------------------------------------------------
# distributions, samples, estimators


@pytest.mark.parametrize(
    ("distribution", "reference"),
    [
        ({"normal": (2.0, 3.0)}, stats.norm(2, 3)),
        ({"lognormal": (8.0, 1.6)}, stats.lognorm(math.log(1.6), scale=8)),
        ({"uniform": (-1.0, 4.0)}, stats.uniform(-1, 5)),
        ({"triangular": (1.6, 2.0, 2.5)}, stats.triang(0.4 / 0.9, loc=1.6, scale=0.9)),
        ({"triangular": (0.8, 1.0, 1.0)}, stats.triang(1, loc=0.8, scale=0.2)),
        ({"beta": (2.0, 5.0, 0.5, 1.5)}, stats.beta(2, 5, loc=0.5, scale=1)),
    ],
)
def test_quantiles_are_those_of_scipy(distribution, reference):
    one = Distribution(**distribution)
    u = np.array([0.001, 0.05, 0.3, 0.5, 0.77, 0.999])
    np.testing.assert_allclose(sampling.quantile(one, u), reference.ppf(u), rtol=1e-10)
    assert one.mean == pytest.approx(reference.mean())


@pytest.mark.parametrize("sampler", ["sobol", "latin_hypercube"])
def test_samples_are_stratified_seeded_and_enough(sampler):
    u = sampling.samples(1000, 5, 7, sampler)
    assert u.shape[0] * u.shape[1] >= 1000
    assert ((u > 0) & (u < 1)).all()
    np.testing.assert_array_equal(u, sampling.samples(1000, 5, 7, sampler))
    assert not np.array_equal(u, sampling.samples(1000, 5, 8, sampler))
    n = u.shape[1]
    for replicate in u:  # one point in each of n strata of every column
        assert (np.sort((replicate * n).astype(int), axis=0) == np.arange(n)[:, None]).all()


def _ishigami(x, a=7.0, b=0.1):
    return np.sin(x[..., 0]) + a * np.sin(x[..., 1]) ** 2 + b * x[..., 2] ** 4 * np.sin(x[..., 0])


def _indices_of(function, groups, columns, members=2**14):
    u = sampling.samples(members, 2 * columns, 1).reshape(-1, 2 * columns)
    a, b = u[:, :columns], u[:, columns:]
    mixed = []
    for group in groups:
        m = a.copy()
        m[:, group] = b[:, group]
        mixed.append(function(m))
    return sampling.sobol_indices(function(a), function(b), np.stack(mixed))


def test_sobol_indices_of_ishigami():
    # Ishigami & Homma (1990), a = 7, b = 0.1: closed form of the partial variances
    a, b, pi = 7.0, 0.1, math.pi
    v1, v2 = 0.5 * (1 + b * pi**4 / 5) ** 2, a**2 / 8
    v13 = b**2 * pi**8 * (1 / 18 - 1 / 50)
    v = v1 + v2 + v13
    first, total = _indices_of(lambda u: _ishigami(pi * (2 * u - 1)), [[0], [1], [2]], 3)
    np.testing.assert_allclose(first, [v1 / v, v2 / v, 0], atol=0.01)
    np.testing.assert_allclose(total, [(v1 + v13) / v, v2 / v, v13 / v], atol=0.01)
    # a group takes what its members share: x1 with x3 leaves only x2 outside
    first, total = _indices_of(lambda u: _ishigami(pi * (2 * u - 1)), [[0, 2], [1]], 3)
    np.testing.assert_allclose(first, [1 - v2 / v, v2 / v], atol=0.01)
    np.testing.assert_allclose(total, [1 - v2 / v, v2 / v], atol=0.01)


def test_sobol_indices_agree_with_scipy():
    reference = stats.sobol_indices(
        func=lambda x: _ishigami(np.moveaxis(x, 0, -1)),
        n=2**13,
        dists=[stats.uniform(-math.pi, 2 * math.pi)] * 3,
        rng=np.random.default_rng(3),
    )
    first, total = _indices_of(lambda u: _ishigami(math.pi * (2 * u - 1)), [[0], [1], [2]], 3, 2**13)
    np.testing.assert_allclose(first, reference.first_order, atol=0.02)
    np.testing.assert_allclose(total, reference.total_order, atol=0.02)


def test_what_does_not_vary_has_no_indices():
    first, total = sampling.sobol_indices(np.full(64, 3.3), np.full(64, 3.3), np.full((2, 64), 3.3))
    assert np.isnan(first).all()
    assert np.isnan(total).all()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=40), st.floats(0.01, 0.99))
def test_least_extra_is_the_smallest_that_suffices(needed, wanted):
    needed = np.array(needed, float)
    found = sampling.least_extra(needed, wanted)
    eps = 1e-6
    assert np.mean(needed < found + eps) >= wanted - 1e-12
    if found > 0:
        assert np.mean(needed < found) < wanted


# --------------------------------------------------------------------------------------------------------
# probability against closed forms


def test_probability_of_a_normal_sum():
    # change = 1e6 (g1 + g2) / 100 with independent normals
    lines = _lines(
        BASE,
        ("growth 1", "growth", "xian", "power", 1_000_000, {"growth_percent": _normal(0.5, 1.2)}),
        ("growth 2", "growth", "xian", "power", 1_000_000, {"growth_percent": _normal(-1.0, 0.5)}),
    )
    out = uncertainty.negative_growth(lines, _settings())
    sd = math.hypot(1.2, 0.5)
    assert out["probability_total"].item() == pytest.approx(stats.norm.cdf(0.5 / sd), abs=2e-3)
    assert out["probability"].sel(city="xian").item() == out["probability_total"].item()
    assert 0 < out["probability_error_total"].item() < 2e-3
    np.testing.assert_allclose(
        out["change_quantile_total"], stats.norm(-0.005, sd / 100).ppf(uncertainty.QUANTILES), atol=0.01 * sd / 100
    )
    first, total = (out[f"sobol_{n}"].to_series() for n in ("first", "total"))
    assert first["growth_percent:growth 1"] == pytest.approx(1.44 / 1.69, abs=0.01)
    assert total["growth_percent:growth 1"] == pytest.approx(1.44 / 1.69, abs=0.01)
    assert total["growth_percent:growth 2"] == pytest.approx(0.25 / 1.69, abs=0.01)
    assert out["uncertain_input"].values[0] == "growth_percent:growth 1"  # the one that decides comes first
    swing = (out["swing_high"] - out["swing_low"]).to_series()["growth_percent:growth 1"]
    assert swing == pytest.approx(1e4 * 1.2 * 2 * 1.6449, rel=0.01)


def test_the_standard_error_is_the_spread_over_seeds():
    lines = _lines(BASE, ("growth 1", "growth", "xian", "power", 1_000_000, {"growth_percent": _normal(-0.5, 1.0)}))
    noise = [{"error": {"normal": [0, 3]}, "correlation": 0.5}]
    runs = [uncertainty.negative_growth(lines, _settings(statistics=noise, members=512, seed=s)) for s in range(40)]
    found = np.array([float(r["probability_total"]) for r in runs])
    said = np.array([float(r["probability_error_total"]) for r in runs])
    assert found.std(ddof=1) == pytest.approx(said.mean(), rel=0.35)  # 40 seeds know a spread to about 11 %


def test_errors_that_are_the_same_in_both_years_cancel():
    lines = _lines(BASE, ("growth 1", "growth", "xian", "power", 1_000_000, {"growth_percent": _normal(-0.1, 1e-6)}))

    def probability(rho):
        given = [{"error": {"normal": [0, 10]}, "correlation": rho}]
        return uncertainty.negative_growth(lines, _settings(statistics=given))["probability_total"].item()

    assert probability(1.0) == 1.0
    # (1 - 0.001)(1 + e_t) < 1 + e_b with a bivariate normal (e_b, e_t)
    for rho in (0.9, 0.5, 0.0, -0.5):
        sd = 0.1 * math.sqrt(0.999**2 + 1 - 2 * 0.999 * rho)
        assert probability(rho) == pytest.approx(stats.norm.cdf(0.001 / sd), abs=3e-3)


def test_a_preliminary_target_year_may_err_more():
    lines = _lines(BASE, ("growth 1", "growth", "xian", "power", 1_000_000, {"growth_percent": _normal(-1, 1e-6)}))
    given = [{"error": {"normal": [0, 1]}, "target_error": {"normal": [0, 4]}, "correlation": 0.5}]
    out = uncertainty.negative_growth(lines, _settings(statistics=given))
    sd = 0.01 * math.sqrt((0.99 * 4) ** 2 + 1 - 2 * 0.5 * 0.99 * 4)
    assert out["probability_total"].item() == pytest.approx(stats.norm.cdf(0.01 / sd), abs=3e-3)


@pytest.mark.parametrize("shared", [False, True])
def test_errors_of_cities_average_out_unless_they_are_one(shared):
    lines = _lines(
        BASE,
        ("base", "base", "weinan", "power", 1_000_000, {}),
        *(
            ("growth 1", "growth", c, "power", 1_000_000, {"growth_percent": _normal(-1, 1e-6)})
            for c in ("xian", "weinan")
        ),
    )
    given = [{"error": {"normal": [0, 3]}, "correlation": 0.8, "shared": shared}]
    out = uncertainty.negative_growth(lines, _settings(statistics=given))
    one = 0.03 * math.sqrt(0.99**2 + 1 - 2 * 0.99 * 0.8)
    city, both = stats.norm.cdf(0.01 / one), stats.norm.cdf(0.01 / (one if shared else one / math.sqrt(2)))
    np.testing.assert_allclose(out["probability"], city, atol=3e-3)
    every = city if shared else city**2
    assert out["probability_every"].item() == pytest.approx(every, abs=4e-3)
    assert out["probability_total"].item() == pytest.approx(both, abs=3e-3)


def test_execution_reburn_and_tonnes_multiply():
    figures = {
        "execution_rate": Distribution(uniform=(0.6, 1.0)),
        "reburn": Distribution(triangular=(0.0, 0.1, 0.36)),
        "tonnes_per_household": Distribution(triangular=(1.6, 2.0, 2.5)),
    }
    lines = _lines(
        BASE,
        ("growth 1", "growth", "xian", "power", 1_000_000, {"growth_percent": _normal(1.0, 1e-6)}),
        ("homes", "substitution", "xian", "power", -10_000, figures),
    )
    out = uncertainty.negative_growth(lines, _settings(members=65536))
    rng = np.random.default_rng(5)
    n = 2_000_000
    saved = 10_000 * rng.uniform(0.6, 1.0, n) * (1 - rng.triangular(0, 0.1, 0.36, n)) * rng.triangular(1.6, 2.0, 2.5, n)
    assert out["probability_total"].item() == pytest.approx((saved > 10_000).mean(), abs=3e-3)
    np.testing.assert_allclose(
        out["change_quantile_total"], np.quantile(0.01 - saved / 1e6, uncertainty.QUANTILES), atol=3e-5
    )


def test_a_whole_balance_beside_plain_monte_carlo():
    """Two cities, two groups of sectors, everything uncertain at once: written out again with numpy's generator."""
    base = {"xian": (900_000, 120_000), "weinan": (1_500_000, 200_000)}
    lines = _lines(
        *(
            ("base", "base", city, sector, t, {})
            for city, both in base.items()
            for sector, t in zip(("power", "residential"), both, strict=True)
        ),
        *(("g", "growth", c, "power", b[0], {"growth_percent": _normal(1.0, 0.8)}) for c, b in base.items()),
        ("winter", "weather", "xian", "residential", 100_000, {"degree_day_percent": _normal(-1, 5)}),
        ("winter", "weather", "weinan", "residential", 170_000, {"degree_day_percent": _normal(-1, 5)}),
        ("homes", "substitution", "xian", "residential", -20_000, {"execution_rate": 0.9, "reburn": 0.1}),
        ("homes", "substitution", "weinan", "power", 6_000, {"execution_rate": 0.9, "reburn": 0.1}),
        ("stoves", "substitution", "weinan", "residential", -15_000, {"execution_rate": 0.8, "reburn": 0.1}),
        ("plant", "new_projects", "weinan", "power", 9_000, {}),
        ("kilns", "efficiency", "xian", "power", -4_000, {}),
    )
    statistics = [
        {"sectors": ["residential"], "error": {"normal": [0, 10]}, "correlation": 0.7},
        {"error": {"uniform": [-2, 2]}, "correlation": 0.9, "shared": True},
    ]
    spread = {
        "execution_rate": {"deviation": {"triangular": [0.7, 1.0, 1.2]}},
        "reburn": {"deviation": {"uniform": [-0.05, 0.2]}, "shared": True},
        "utilisation": {"deviation": {"uniform": [0.5, 1.1]}},
    }
    out = uncertainty.negative_growth(lines, _settings(statistics=statistics, **spread, members=65536))

    n, rng = 400_000, np.random.default_rng(11)
    growth, winter = rng.normal(1.0, 0.8, n) / 100, rng.normal(-1, 5, n) / 100
    homes, stoves = (np.minimum(r * rng.triangular(0.7, 1.0, 1.2, n), 1.0) for r in (0.9, 0.8))
    stays = 1.0 - np.clip(0.1 + rng.uniform(-0.05, 0.2, n), 0, 1)
    plant = 9_000 * rng.uniform(0.5, 1.1, n)
    planned = {
        ("xian", 0): 900_000 * (1 + growth) - 4_000,
        ("weinan", 0): 1_500_000 * (1 + growth) + 6_000 * homes * stays + plant,
        ("xian", 1): 120_000 + 100_000 * winter - 20_000 * homes * stays,
        ("weinan", 1): 200_000 + 170_000 * winter - 15_000 * stoves * stays,
    }
    z = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], n)
    metered = (-2 + 4 * stats.norm.cdf(z)) / 100
    reported = {}
    for city, both in base.items():
        home = 0.1 * rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], n)
        errors = (metered, home)
        first = sum(both[k] * (1 + errors[k][:, 0]) for k in (0, 1))
        last = sum(planned[city, k] * (1 + errors[k][:, 1]) for k in (0, 1))
        reported[city] = (first, last)
        assert out["probability"].sel(city=city).item() == pytest.approx((last < first).mean(), abs=4e-3)
    first, last = (sum(r[k] for r in reported.values()) for k in (0, 1))
    assert out["probability_total"].item() == pytest.approx((last < first).mean(), abs=4e-3)
    falls = [b < a for a, b in reported.values()]
    assert out["probability_every"].item() == pytest.approx((falls[0] & falls[1]).mean(), abs=4e-3)
    quantiles = np.quantile(last / first - 1, uncertainty.QUANTILES)
    np.testing.assert_allclose(out["change_quantile_total"], quantiles, atol=2e-4)


def test_one_draw_for_all_rows_of_a_measure_and_for_all_measures_where_shared():
    rows = [BASE, ("base", "base", "weinan", "power", 1_000_000, {})]
    rows += [
        (f"homes {c}", "substitution", c, "power", -100, {"tonnes_per_household": 2.0}) for c in ("xian", "weinan")
    ]
    deviation = {"uniform": [0.5, 1.5]}
    spread = {s: _settings(tonnes_per_household={"deviation": deviation, "shared": s}) for s in (True, False)}
    out = {s: uncertainty.negative_growth(_lines(*rows), spread[s]) for s in spread}
    ids = {s: [i for i in out[s]["uncertain_input"].values if "tonnes" in i] for s in out}
    assert ids[True] == ["tonnes_per_household"]
    assert sorted(ids[False]) == ["tonnes_per_household:homes weinan", "tonnes_per_household:homes xian"]
    width = {s: np.ptp(o["change_quantile_total"].sel(quantile=[0.05, 0.95]).values) * 2e6 for s, o in out.items()}
    assert width[True] == pytest.approx(2 * 200 * 0.9, rel=1e-2)  # comonotone: the spreads add up
    # of two independent uniforms the sum is triangular
    assert width[False] == pytest.approx(np.ptp(stats.triang(0.5, 200, 400).ppf([0.05, 0.95])), rel=1e-2)


def test_rates_stay_within_what_is_possible():
    for figure in ("execution_rate", "reburn"):
        lines = _lines(BASE, ("homes", "substitution", "xian", "power", -10_000, {figure: _normal(0.9, 0.5)}))
        model = uncertain_balance.Model(lines, _settings())
        u = sampling.samples(4096, model.width, 1).reshape(-1, model.width)
        homes = model.groups.index[model.groups["measure"] == "homes"]
        rate = model.factors(u)[:, homes]
        assert rate.min() == 0.0
        assert rate.max() == 1.0


def test_undeclared_growth_and_weather_are_uncertain_too():
    lines = _lines(BASE, ("base", "base", "xian", "residential", 100_000, {}))
    weather = {"deviation": {"normal": [0, 6]}, "shared": True}
    out = uncertainty.negative_growth(lines, _settings(degree_day_percent=weather))
    # only the part of the homes' coal that follows the degree days moves with the weather
    high = out["change_quantile_total"].sel(quantile=0.95).item()
    share = rules.load("heating")["degree_days.share"]["residential"]
    assert 0.5 < share < 1
    assert high == pytest.approx(0.06 * 1.6449 * share * 100_000 / 1_100_000, rel=0.01)
    assert out["probability_total"].item() == pytest.approx(0.5, abs=2e-3)
    assert out["uncertain_input"].values[0] == "degree_day_percent"
    declared = _lines(
        BASE,
        ("base", "base", "xian", "residential", 100_000, {}),
        ("winter", "weather", "xian", "residential", 96_900, {"degree_day_percent": 5.0}),
    )
    out = uncertainty.negative_growth(declared, _settings(degree_day_percent=weather))
    mid = out["change_quantile_total"].sel(quantile=0.5).item()
    assert mid == pytest.approx(0.05 * 96_900 / 1_100_000, rel=1e-3)


def test_new_projects_seldom_burn_what_they_are_built_for():
    lines = _lines(BASE, ("plant", "new_projects", "xian", "power", 50_000, {}))
    out = uncertainty.negative_growth(lines, _settings(utilisation={"deviation": {"uniform": [0.5, 1.0]}}))
    np.testing.assert_allclose(
        out["change_quantile_total"], 0.05 * stats.uniform(0.5, 0.5).ppf(uncertainty.QUANTILES), rtol=1e-3
    )


def test_an_override_replaces_the_default_of_one_measure():
    lines = _lines(BASE, ("homes", "substitution", "xian", "power", -10_000, {"execution_rate": 0.9}))
    override = {
        "measure": "homes",
        "factor": "execution_rate",
        "distribution": {"uniform": [0.2, 0.4], "source": "survey"},
    }
    out = uncertainty.negative_growth(lines, _settings(measures=[override]))
    assert out["change_quantile_total"].sel(quantile=0.5).item() == pytest.approx(-0.003, rel=1e-3)
    at = out.sel(uncertain_input="execution_rate:homes")
    assert (at["input_basis"].item(), int(at["input_assumed"])) == ("survey", 0)
    for bad, said in (
        ({"measure": "hoems"}, r"hoems.*there are homes"),
        ({"factor": "reburn"}, "has no reburn"),
    ):
        with pytest.raises(InputError, match=said):
            uncertainty.negative_growth(lines, _settings(measures=[override | bad]), file="a.yaml")


# --------------------------------------------------------------------------------------------------------
# what it would take


def test_the_least_extra_substitution_lifts_the_probability_just_so():
    def run(extra):
        lines = _lines(
            BASE,
            ("growth 1", "growth", "xian", "power", 1_000_000, {"growth_percent": _normal(1.0, 1.0)}),
            ("more", "efficiency", "xian", "power", -extra, {}),
        )
        return uncertainty.negative_growth(lines, _settings(wanted_probability=0.95))

    out = run(0.0)
    needed = out["extra_needed_total"].item()
    assert needed == pytest.approx(10_000 * (1 + 1.6449), rel=5e-3)
    assert run(needed * (1 + 1e-9) + 1e-3)["probability_total"].item() >= 0.95
    assert run(needed * 0.999)["probability_total"].item() < 0.95
    assert out["extra_households_total"].item() == math.ceil(needed / 2.0)
    curve = out["probability_curve"]
    assert (np.diff(curve) >= 0).all()
    assert curve[0] == out["probability_total"]
    assert np.interp(needed, out["extra_substitution"], curve) == pytest.approx(0.95, abs=0.01)


def test_extra_homes_are_converted_as_well_as_the_planned_ones():
    # half of what is written down is delivered: twice as much must be written down
    homes = {"execution_rate": _normal(0.5, 1e-9), "tonnes_per_household": 1.6}
    spread = {"tonnes_per_household": {"deviation": {"normal": [1, 1e-9]}}}
    lines = _lines(
        BASE,
        ("growth 1", "growth", "xian", "power", 1_000_000, {"growth_percent": _normal(1.0, 1e-6)}),
        ("homes", "substitution", "xian", "power", -1_000, homes),
    )
    lines.loc[lines["measure"] == "homes", "execution_rate"] = 1.0  # written down in full
    out = uncertainty.negative_growth(lines, _settings(**spread))
    assert out["extra_needed_total"].item() == pytest.approx(2 * (10_000 - 0.5 * 1_600), abs=0.1)
    assert out["extra_households_total"].item() == pytest.approx(2 * (10_000 - 800) / 1.6, abs=1)


def test_what_cannot_be_reached_is_infinite_and_what_is_reached_needs_nothing():
    short = np.array([1.0, 2.0, -1.0])
    needed = uncertainty.needed_extra(short, np.array([0.5, -0.1, -0.1]), 1.0)
    np.testing.assert_array_equal(needed, [2.0, np.inf, -np.inf])
    assert sampling.least_extra(needed, 0.9) == np.inf
    assert sampling.least_extra(needed, 0.3) == 0.0


def test_a_city_without_coal_has_no_probability():
    lines = _lines(BASE, ("base", "base", "yangling", "power", 0.0, {}))
    out = uncertainty.negative_growth(lines, _settings())
    assert np.isnan(out["probability"].sel(city="yangling"))
    assert np.isnan(out["extra_needed"].sel(city="yangling"))
    assert np.isfinite(out["probability_total"])


def test_a_project_in_a_city_without_coal_counts_in_the_region():
    lines = _lines(BASE, ("plant", "new_projects", "yangling", "power", 5_000, {}))
    out = uncertainty.negative_growth(lines, _settings())
    assert np.isnan(out["probability"].sel(city="yangling"))
    assert out["change_quantile_total"].sel(quantile=0.5).item() == pytest.approx(0.005, rel=1e-6)


def test_defaults_say_that_they_are_assumed():
    lines = _lines(
        BASE,
        ("base", "base", "xian", "residential", 100_000, {}),
        ("plant", "new_projects", "xian", "power", 20_000, {}),
        (
            "homes",
            "substitution",
            "xian",
            "residential",
            -20_000,
            {"execution_rate": 0.9, "reburn": 0.1, "tonnes_per_household": 2.0},
        ),
    )
    out = uncertainty.negative_growth(lines, Uncertainty())
    assert (out["input_assumed"] == 1).all()
    assert all(len(str(b)) > 10 for b in out["input_basis"].values)
    assert set(out["uncertain_input"].values) == {
        "statistics:1",
        "statistics:2",
        "growth_percent",
        "degree_day_percent",
        "execution_rate:homes",
        "reburn",
        "tonnes_per_household",
        "utilisation:plant",
    }
    assert out.attrs["uncertainty_members"] == 16384
    assert out["sobol_total"].sum() > 0.99
    again = uncertainty.negative_growth(lines, Uncertainty())
    assert again.equals(out)
