"""One run of a few hours with two measures, without anything a scenario may leave out: which case is which."""

from __future__ import annotations

import made_case
import numpy as np
import pytest

import airsim

SHORT = """\
name: short
title: {zh: 短例, en: short case}
period: {start: 2019-01-02 08:00, end: 2019-01-02 14:00, spin_up_hours: 24}
domain: {west: 108.0, south: 33.9, east: 110.0, north: 34.9, spacing: 30000}
meteorology: {kind: stations, files: [weather.csv]}
inputs: {enterprises: enterprises.csv, area_sources: area.csv, background: inflow.csv}
measures:
  - {type: cut, percent: 50, cities: [xian], sectors: [transport]}
  - {type: limit, enterprise: 西水泥厂, percent: 80}
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    path = made_case.write(tmp_path_factory.mktemp("short")).with_name("short.yaml")
    path.write_text(SHORT, encoding="utf-8")
    return airsim.run(airsim.load(path))


def test_measures_are_in_the_controlled_emissions_and_only_there(tree):
    daily = tree["emissions"]["emission_daily"].sel(pollutant="NOx", city="xian")
    base, controlled = (daily.sel(case=c, sector="transport").item() for c in ("base", "controlled"))
    assert controlled == pytest.approx(0.5 * base)
    assert base > 0
    works = tree["enterprises"].to_dataset()
    at = works["enterprise_name"].values.tolist().index("西水泥厂")
    of_works = works["emission_daily"].isel(enterprise=at).sel(pollutant="SO2")
    assert of_works.sel(case="controlled").item() == pytest.approx(0.2 * of_works.sel(case="base").item())
    dust = daily.sel(sector="dust")
    assert dust.sel(case="controlled").item() == dust.sel(case="base").item()


def test_measures_are_in_the_controlled_air_and_in_their_own_step(tree):
    for species in ("pm25", "so2", "no2"):
        air = tree[species].sel(city="xian").mean("time")
        assert air.sel(case="controlled").item() < air.sel(case="base").item(), species
    removed = tree["attribution"]["pm25_removed"].sel(city="xian")
    assert removed["step"].values.tolist() == ["cut", "limit"]
    assert (removed.mean("time") > 0).all()
    change = tree["pm25"].sel(city="xian", case="base") - tree["pm25"].sel(city="xian", case="controlled")
    np.testing.assert_allclose(removed.sum("step"), change, atol=2e-3)


def test_both_cases_have_their_own_emissions_in_the_budget(tree):
    emitted = tree["budget"]["emitted"].sel(tracer="nox")
    assert 0 < emitted.sel(case="controlled").item() < emitted.sel(case="base").item()
    inflow = tree["budget"]["inflow"].sel(tracer="co")
    assert inflow.sel(case="controlled").item() == inflow.sel(case="base").item() > 0
