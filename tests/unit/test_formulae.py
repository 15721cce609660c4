"""The examples in the docstrings of the formulae hold."""

import doctest
import importlib

import pytest

MODULES = (
    "airsim.assess.aqi",
    "airsim.assess.evaluation",
    "airsim.coal.decomposition",
    "airsim.coal.acceptance",
    "airsim.meteorology.boundary_layer",
    "airsim.plume.boundary_layer",
    "airsim.plume.rise",
    "airsim.region.chemistry",
    "airsim.region.deposition",
    "airsim.region.diffusion",
    "airsim.region.equilibrium",
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_the_formulae_hold(name):
    failed, attempted = doctest.testmod(importlib.import_module(name))
    assert attempted > 0, "the module has lost its examples"
    assert failed == 0
