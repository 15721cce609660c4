"""The bands of an effect: distributions against scipy's, draws by hand, what decides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from airsim import rules
from airsim.assess.ranking import PRECURSORS
from airsim.response import uncertainty
from airsim.response.effect import CITY_IDS

RULE = rules.load("emergency_response")


def contributions(n=12, seed=3):
    rng = np.random.default_rng(seed)
    sources = pd.DataFrame(
        {
            "city": ["xian"] * (n // 2) + ["weinan"] * (n - n // 2),
            "sector": (["steel", "transport", "dust", "cement"] * n)[:n],
            "kind": "point",
            "quality": (["reported", "derived", "estimated"] * n)[:n],
        },
        index=[f"s{i}" for i in range(n)],
    )
    whole = rng.uniform(0, 2, (n, len(PRECURSORS), 2))
    return uncertainty.Contributions(sources, whole, 0.4 * whole, ("xian:mean", "xian:peak"))


class Certain(dict):
    """A rule in which nothing is uncertain but what is put in."""

    name, version = "made-up", "1"

    def __getitem__(self, key):
        return dict.__getitem__(self, key)

    def weakest_status(self, _):
        return "estimate"


def certain(**other):
    sure = {"common": [1 - 1e-9, 1.0, 1 + 1e-9], "single": [1 - 1e-9, 1.0, 1 + 1e-9]}
    made = {
        "execution": {k: dict(sure) for k in ("industrial", "mobile", "dust")},
        "emission_error": dict.fromkeys(PRECURSORS, 0.0),
        "source_error": dict.fromkeys(("reported", "derived", "estimated"), 0.0),
    }
    return Certain(made | other)


def test_quantiles_are_scipys():
    u = np.linspace(0.001, 0.999, 50)
    low, mode, high = 0.5, 0.9, 1.1
    expected = stats.triang((mode - low) / (high - low), low, high - low).ppf(u)
    np.testing.assert_allclose(uncertainty._triangular(u, (low, mode, high)), expected, rtol=1e-12)
    np.testing.assert_allclose(uncertainty._lognormal(u, 0.4), stats.lognorm(0.4, scale=np.exp(-0.08)).ppf(u), 1e-12)


def test_without_uncertainty_every_member_is_the_point_value():
    found = contributions()
    drawn = uncertainty.draw(found, np.array([150.0, 200.0]), certain(), 0.9, 64, 1)
    np.testing.assert_allclose(drawn.cut, np.tile(found.cut.sum((0, 1)), (64, 1)), rtol=1e-6)
    np.testing.assert_allclose(drawn.without, [[150.0, 200.0]] * 64, rtol=1e-9)


def test_one_uncertain_input_by_hand():
    # all industry of a city shares one factor, triangular from 0.5 to 1
    found = contributions()
    execution = certain()["execution"] | {
        "industrial": {"common": [0.5, 1.0, 1.0 + 1e-12], "single": [1 - 1e-9, 1, 1 + 1e-9]}
    }
    drawn = uncertainty.draw(found, np.zeros(2), certain(execution=execution), 0.9, 4096, 1)
    industry = ~found.sources["sector"].isin(["transport", "dust"])
    moving = found.cut[industry.to_numpy()].sum((0, 1))
    fixed = found.cut[~industry.to_numpy()].sum((0, 1))
    # mean of the triangle (0.5, 1, 1) is 5/6
    np.testing.assert_allclose(drawn.cut.mean(0), fixed + moving * 5 / 6, rtol=1e-3)
    np.testing.assert_allclose(drawn.shares[0], 1.0, atol=1e-6)


def test_execution_is_never_more_than_whole():
    found = contributions()
    wild = {k: {"common": [1.0, 2.0, 3.0], "single": [1.0, 2.0, 3.0]} for k in ("industrial", "mobile", "dust")}
    drawn = uncertainty.draw(found, np.zeros(2), certain(execution=wild), 0.8, 256, 1)
    assert (drawn.cut <= found.cut.sum((0, 1)) / 0.8 * (1 + 1e-9)).all()


def test_mean_emission_is_kept_and_the_seed_decides():
    found = contributions()
    drawn = uncertainty.draw(found, np.array([150.0, 200.0]), RULE, 0.9, 4096, 7)
    np.testing.assert_allclose(drawn.without.mean(0), [150.0, 200.0], rtol=5e-3)
    again = uncertainty.draw(found, np.array([150.0, 200.0]), RULE, 0.9, 4096, 7)
    np.testing.assert_array_equal(drawn.cut, again.cut)
    assert not np.array_equal(drawn.cut, uncertainty.draw(found, np.array([150.0, 200.0]), RULE, 0.9, 4096, 8).cut)
    np.testing.assert_allclose(drawn.shares.sum(0), 1.0)


def test_bands_are_scaled_to_the_full_run():
    found = contributions()
    linear = found.cut.sum((0, 1))
    cities = list(CITY_IDS)
    without = xr.DataArray(np.full((2, len(cities)), 150.0), dims=("target", "city"),
                           coords={"target": [uncertainty.MEAN, uncertainty.PEAK], "city": cities})  # fmt: skip
    exact = {
        kind: xr.DataArray(np.full(len(cities), 1.1 * linear[i]), dims="city", coords={"city": cities})
        for i, kind in enumerate((uncertainty.MEAN, uncertainty.PEAK))
    }
    said = uncertainty.bands(found, without, exact, RULE, 0.9, 1024, 1)
    assert float(said["cut_linear"].sel(city="xian")) == pytest.approx(1 / 1.1)
    drawn = uncertainty.draw(found, np.array([150.0, 150.0]), RULE, 0.9, 1024, 1)
    np.testing.assert_allclose(
        said["cut_band"].sel(city="xian").values, np.quantile(1.1 * drawn.cut[:, 0], uncertainty.QUANTILES)
    )
    assert said["cut_band"].sel(city="baoji").isnull().all()
    low, middle, high = said["cut_share_band"].sel(city="xian").values
    assert low < middle < high < 1
