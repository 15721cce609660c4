"""From a file with a sweep to single scenarios."""

import numpy as np
import pytest
from batches import TINY

from airsim import InputError
from airsim.batch import sweep
from airsim.case import identity as keys


def members(folder, text):
    path = folder / "s.yaml"
    path.write_text(TINY + text, encoding="utf-8")
    return sweep.members(path)


def test_a_file_without_a_sweep_is_itself(tmp_path):
    (one,) = members(tmp_path, "")
    assert one.scenario.name == "tiny"
    assert one.coordinates == {}


def test_every_combination_the_first_key_slowest(tmp_path):
    made = members(tmp_path, "sweep:\n  values:\n    measures[1].percent: [10, 20]\n    meteorology.seed: [1, 2, 3]\n")
    assert [m.scenario.name for m in made] == [f"tiny-{i:04d}" for i in range(1, 7)]
    assert [(m.scenario.measures[0].percent, m.scenario.meteorology.seed) for m in made] == [
        (10, 1), (10, 2), (10, 3), (20, 1), (20, 2), (20, 3),
    ]  # fmt: skip
    assert made[4].coordinates == {"measures[1].percent": 20, "meteorology.seed": 2}


def test_listed_values_go_together_and_open_blocks(tmp_path):
    text = "sweep:\n  method: listed\n  values:\n    measures.1.percent: [10, 20]\n    coal.base_year: [2017, 2018]\n"
    with pytest.raises(InputError, match=r"target_year.*required"):
        members(tmp_path, text)
    made = members(tmp_path, text + "    coal.target_year: [2018, 2019]\n")
    assert [(m.scenario.measures[0].percent, m.scenario.coal.base_year) for m in made] == [(10, 2017), (20, 2018)]


def test_latin_hypercube_has_one_in_each_stripe(tmp_path):
    text = "sweep:\n  method: latin_hypercube\n  samples: 20\n  seed: 3\n  ranges:\n    measures[1].percent: [10, 50]\n"
    text += "    meteorology.seed: [0, 1000]\n"
    made = members(tmp_path, text)
    percent = np.array([m.scenario.measures[0].percent for m in made])
    assert sorted(((percent - 10) / 2).astype(int)) == list(range(20))
    assert all(isinstance(m.coordinates["meteorology.seed"], int) for m in made), "a whole number stays one"
    assert [m.coordinates for m in made] == [m.coordinates for m in members(tmp_path, text)]


def test_more_sobol_samples_keep_the_first_ones(tmp_path):
    text = "sweep:\n  method: sobol\n  samples: {}\n  ranges:\n    measures[1].percent: [10, 50]\n"
    few, many = (members(tmp_path, text.format(n)) for n in (8, 16))
    assert [m.coordinates for m in many[:8]] == [m.coordinates for m in few]
    marks = [keys.identity(m.scenario) for m in many]
    assert len(set(marks)) == 16
    assert marks[:8] == [keys.identity(m.scenario) for m in few]


def test_a_bad_value_is_told_at_the_sweep(tmp_path):
    with pytest.raises(InputError) as caught:
        members(tmp_path, "sweep:\n  values:\n    measures[1].percent: [10, 120]\n")
    (problem,) = caught.value.problems
    assert problem.key == "sweep.values.measures[1].percent"
    assert problem.where == str(TINY.count("\n") + 3)
    assert problem.value == "120"


def test_identity_follows_content_not_names(tmp_path):
    (tmp_path / "a.csv").write_text("x")
    (one,) = members(tmp_path, "inputs: {area_sources: a.csv}\n")
    before = keys.identity(one.scenario)
    (tmp_path / "b.csv").write_text("x")
    (same,) = members(tmp_path, "inputs: {area_sources: b.csv}\n")
    assert keys.identity(same.scenario) == before
    (tmp_path / "b.csv").write_text("y")
    assert keys.identity(same.scenario) != before
