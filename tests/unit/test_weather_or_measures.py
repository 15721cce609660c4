"""The split of an observed change: identities, worlds made so that the answer is known, and the two commands."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from airsim import observations
from airsim.assess import weather_or_measures as split
from airsim.commands import attribute
from airsim.errors import InputError
from airsim.output import html
from airsim.output.sections import attribution as attribution_page
from airsim.output.sections import comparison as comparison_page

_spec = spec_from_file_location("made_up_result", Path(__file__).with_name("made_up_result.py"))
made_up_result = module_from_spec(_spec)
_spec.loader.exec_module(made_up_result)


def test_shapley_by_hand():
    """E1W1 100, E1W2 80, E2W1 90, E2W2 60: weather (-20 - 30) / 2, emissions (-10 - 20) / 2."""
    weather, emissions = split.shapley([[100, 80], [90, 60]])
    assert (weather, emissions) == (-25, -15)


def test_shapley_adds_up_and_knows_the_idle_player():
    random = np.random.default_rng(1)
    v = random.uniform(10, 200, (2, 2, 50))
    weather, emissions = split.shapley(v)
    np.testing.assert_allclose(weather + emissions, v[1, 1] - v[0, 0])
    idle = np.stack([v[0], v[0]])
    assert np.abs(split.shapley(idle)[1]).max() < 1e-12
    # exchanging the players exchanges their shares
    swapped = split.shapley(np.swapaxes(v, 0, 1))
    np.testing.assert_allclose(swapped[0], emissions)


def test_logarithmic_mean():
    assert split.logarithmic_mean(1, np.e) == pytest.approx(np.e - 1)
    assert split.logarithmic_mean(7, 7) == 7
    a = split.logarithmic_mean(3.0, 12.0)
    assert a * np.log(12 / 3) == pytest.approx(9)


def worlds(
    weather: float, cut: float, bias: float, unexplained: float, days: int = 40, noise: float = 0.0, seed: int = 4
):
    """Two windows of a world that multiplies: observed falls by weather, cut and what the model doesn't know."""
    random = np.random.default_rng(seed)
    level = [100 * random.lognormal(0, noise, (days, 2)) for _ in range(2)]
    first = split.Window(level[0], bias * level[0], bias * level[0] * (1 - cut))
    observed = level[1] * weather * (1 - cut) * unexplained
    second = split.Window(observed, bias * level[1] * weather, bias * level[1] * weather * (1 - cut))
    return first, second


def test_a_world_that_multiplies_is_split_exactly_whatever_the_models_level():
    """ln(0.8 x 0.9 x 0.95): each factor's logarithm, brought to ug/m3 by the logarithmic mean of 100 and 68.4."""
    for bias in (1.0, 0.4, 3.0):
        found = split.split(*worlds(weather=0.8, cut=0.1, bias=bias, unexplained=0.95))
        mean = split.logarithmic_mean(100, 68.4)
        relative = found[split.SCALES.index("relative"), :, 0]
        np.testing.assert_allclose(relative, [-31.6, *(mean * np.log([0.8, 0.9, 0.95]))], rtol=1e-10)
        assert relative[1:].sum() == pytest.approx(relative[0])
    # the absolute split carries the model's level with it
    absolute = split.split(*worlds(0.8, 0.1, 0.4, 0.95))[split.SCALES.index("absolute"), :, 0]
    assert absolute[1] == pytest.approx(0.4 * -19.0)  # (80 - 100 + 72 - 90) / 2
    assert absolute[1:].sum() == pytest.approx(-31.6)


def test_only_observed_days_count():
    first, second = worlds(0.8, 0.1, 1.0, 1.0)
    spoiled = first.observed.copy()
    spoiled[:10] = np.nan
    model = first.first.copy()
    model[:10] = 1e6  # on days without an observation
    found = split.split(split.Window(spoiled, model, model * 0.9), second)
    np.testing.assert_allclose(found, split.split(first, second))


def test_circular_blocks_keep_neighbours_together():
    random = np.random.default_rng(0)
    at = split.resampled(30, 3, random)
    assert at.shape == (30,)
    assert ((np.diff(at.reshape(10, 3), axis=1) % 30) == 1).all()
    counts = np.bincount(np.concatenate([split.resampled(30, 4, random) for _ in range(4000)]), minlength=30)
    assert counts.min() > 0.9 * counts.mean()  # every day is as likely, the edges too


def test_the_interval_is_that_of_a_mean_of_independent_days():
    """With days drawn alone, the observed change of means has the standard error of statistics: s sqrt(2 / n)."""
    random = np.random.default_rng(8)
    n = 400
    level = [random.normal(100, 20, (n, 1)) for _ in range(2)]
    windows = [split.Window(x, x, x * 0.9) for x in level]
    found = split.split_change(*windows, ["xian"], draws=1500, block=1, seed=1)
    at = found.sel(scale="absolute", term="observed", city="xian")
    width = float(at["part_high"] - at["part_low"])
    assert width == pytest.approx(2 * 1.96 * 20 * np.sqrt(2 / n), rel=0.1)


def test_interval_holds_the_truth_and_repeats_with_the_seed():
    first, second = worlds(0.8, 0.1, 0.7, 1.0, days=60, noise=0.3)
    one, again = (split.split_change(first, second, ["xian", "baoji"], draws=300) for _ in range(2))
    xr.testing.assert_identical(one, again)
    at = one.sel(scale="relative", term="emissions", city="all")
    truth = float(split.split(first, second)[0, 2].mean())
    assert float(at["part_low"]) <= truth <= float(at["part_high"])
    assert float(at["part"]) == pytest.approx(truth)
    other = split.split_change(first, second, ["xian", "baoji"], draws=300, seed=7)
    assert not np.array_equal(one["part_low"].values, other["part_low"].values)


def test_a_city_with_few_days_has_no_interval_and_one_without_none():
    first, second = worlds(0.8, 0.1, 1.0, 1.0, noise=0.2)
    thin = first.observed.copy()
    thin[4:, 0] = np.nan
    found = split.split_change(split.Window(thin, first.first, first.second), second, ["xian", "baoji"], draws=50)
    assert np.isnan(found["part_low"].sel(city="xian")).all()
    assert np.isfinite(found["part"].sel(city="xian")).all()
    thin[:, 0] = np.nan
    found = split.split_change(split.Window(thin, first.first, first.second), second, ["xian", "baoji"], draws=50)
    assert np.isnan(found["part"].sel(city="xian")).all()
    assert found.attrs["cities_in_all"] == 1
    np.testing.assert_allclose(found["part"].sel(city="all"), found["part"].sel(city="baoji"))


# ---- the command


def result(start: str, factor: float, hours: int = 240) -> xr.DataTree:
    """Return a made-up result moved to another window, its air multiplied, its weather called real."""
    tree = made_up_result.make(hours=hours)
    time = pd.date_range(pd.Timestamp(start) - pd.Timedelta("8h"), periods=hours, freq="h").to_numpy()
    groups = {}
    for node in tree.subtree:
        data = node.to_dataset(inherit=False)
        if node.path in {"/", "/meteorology"}:
            data = data.assign_coords(time=time) if "time" in data.coords else data
            if node.path == "/":
                data["pm25"] = data["pm25"] * factor
            groups[node.path] = data
        elif node.path == "/provenance":
            groups[node.path] = data
    groups["/meteorology"] = groups["/meteorology"].assign_attrs(synthetic="no")
    return xr.DataTree.from_dict(groups)


def observed(*trees: xr.DataTree, factors: tuple[float, ...]) -> observations.Observations:
    parts = []
    for tree, factor in zip(trees, factors, strict=True):
        root = tree.to_dataset()
        case = "base" if not parts else "controlled"
        parts.append(root["pm25"].sel(case=case).drop_vars(["case", "city_zh", "city_en"], errors="ignore") * factor)
    pm25 = xr.concat(parts, "time").rename(city="site")
    names = dict.fromkeys(observations.SPECIES, pm25) | {"aqi": pm25}
    hourly = xr.Dataset(names).drop_vars([c for c in pm25.coords if c not in {"time", "site"}])
    sites = hourly["site"].values
    for name in ("city", "name"):
        hourly = hourly.assign_coords({name: ("site", sites)})
    nothing = np.full(sites.size, np.nan)
    return observations.Observations(hourly.assign_coords(longitude=("site", nothing), latitude=("site", nothing)), ())


def test_two_results_give_back_the_worlds_they_were_made_of():
    before, after = result("2019-01-01", 1.0), result("2020-01-01", 0.7)
    seen = observed(before, after, factors=(1.5, 1.5))
    found = attribute.split_between_results(before, after, seen, draws=50)
    at = found.sel(scale="relative", city="xian")
    assert abs(float(at["part"].sel(term="rest"))) < 1e-9
    mean = split.logarithmic_mean(float(at["observed_before"]), float(at["observed_after"]))
    assert float(at["part"].sel(term="weather")) == pytest.approx(mean * np.log(0.7), rel=1e-6)
    assert float(at["part"].sel(term="emissions")) < 0
    page = attribution_page.page(after, found)
    assert "气象" in page.answers[0].zh
    assert 'id="parts-bars"' in html.text(page, "en")


def test_synthetic_weather_explains_nothing_and_is_refused():
    before, after = result("2019-01-01", 1.0), made_up_result.make(hours=48)
    seen = observed(before, factors=(1.0,))
    with pytest.raises(InputError) as error:
        attribute.split_between_results(before, after, seen)
    assert "synthetic" in error.value.text("en")
    assert "合成" in error.value.text("zh")


def test_windows_in_the_wrong_order_and_other_tables_are_refused():
    before, after = result("2019-01-01", 1.0), result("2020-01-01", 0.7)
    seen = observed(before, after, factors=(1.0, 1.0))
    with pytest.raises(InputError, match="must begin after the first window ends"):
        attribute.split_between_results(after, before, seen)
    inputs = after["provenance"].to_dataset()
    kinds = inputs["input_kind"].values.astype(object)
    changed = inputs["input_sha256"].values.astype(object)
    changed[np.flatnonzero(np.isin(kinds, ["derived", "estimated"]) & (changed != ""))[0]] = "f" * 64
    after["provenance"] = inputs.assign(input_sha256=("input", changed.astype(str)))
    with pytest.raises(InputError, match="another file than behind A"):
        attribute.split_between_results(before, after, seen)


def test_compare_says_when_the_weather_is_the_same_and_when_not():
    one, two = made_up_result.make(), made_up_result.make()
    same = comparison_page.page(one, two)
    assert "same weather" in same.notices[0].en
    assert any("are the same" in a.en for a in same.answers)
    other = comparison_page.page(one, result("2019-01-01", 0.5, hours=48))
    assert "NOT the effect of measures" in other.notices[0].en
    assert "不能算作措施的效果" in other.notices[0].zh


def test_compare_counts_the_difference():
    one = made_up_result.make()
    two = made_up_result.make()
    root = two.to_dataset()
    half = root["pm25"].where(root["case"] != "controlled", root["pm25"] * 0.5)
    two = xr.DataTree.from_dict(
        {n.path: n.to_dataset(inherit=False) for n in two.subtree} | {"/": root.assign(pm25=half)}
    )
    page = comparison_page.page(one, two)
    grid = next(s for s in page.sections if s.key == "cities").grids[0]
    xian = next(r for r in grid.rows if r[0].en == "Xi'an")
    head = [h.en for h in grid.head]
    a, b = (xian[head.index(f"change by measures {m}")] for m in "AB")
    assert 1 + b == pytest.approx(0.5 * (1 + a), rel=1e-5)
    text = html.text(page, "zh")
    assert 'id="cities-bars"' in text
    assert 'id="difference"' in text
