"""Slips of the pen in a scenario: one message each, at its line, in plain words of both languages."""

import re

import pytest

from airsim import scenario
from airsim.batch import sweep
from airsim.errors import InputError

TEXT = """\
name: case
title: {zh: 例, en: case}
period: {start: 2019-01-02, end: 2019-01-03, spin_up_hours: 24}
domain: {west: 106.5, south: 33.5, east: 110.5, north: 35.5, spacing: 20000}
meteorology: {kind: synthetic}
measures:
  - {type: cut, percent: 10, cities: [weinan], sectors: [transport]}
  - type: emergency
    list: shipped:emissions/emergency_list.xlsx
    execution_rate: 0.9
    alerts:
      - {level: red, cities: [xian], start: 2019-01-02 06:00, end: 2019-01-02 18:00}
  - {type: coal_substitution, city: xian, route: gas, households: 1000}
coal: {base_year: 2018, target_year: 2019, growth: [{percent: 0.7, sectors: [power]}]}
near_field: {cities: [xian], enterprises: 3}
"""


def write(folder, old="", new=""):
    assert old in TEXT
    path = folder / "s.yaml"
    path.write_text(TEXT.replace(old, new, 1) if old else TEXT + new, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "get", "wanted"),
    [
        ("[weinan]", "[渭南市]", lambda s: s.measures[0].cities, ("weinan",)),
        ("[weinan]", "[Xi'an, XIAN, 西安]", lambda s: s.measures[0].cities, ("xian",) * 3),
        ("[transport]", "[交通, 电力, Power]", lambda s: s.measures[0].sectors, ("transport", "power", "power")),
        ("level: red", "level: 红色", lambda s: s.measures[1].alerts[0].level, "red"),
        ("level: red", "level: Ⅱ级", lambda s: s.measures[1].alerts[0].level, "orange"),
        ("level: red", "level: II级", lambda s: s.measures[1].alerts[0].level, "orange"),
        ("level: red", "level: 二级", lambda s: s.measures[1].alerts[0].level, "orange"),
        ("level: red", "level: III级", lambda s: s.measures[1].alerts[0].level, "yellow"),
        ("route: gas", "route: 宜电", lambda s: s.measures[2].route, "electricity"),
        ("sectors: [power]", "sectors: [民用散煤, 其他]", lambda s: s.coal.growth[0].sectors, ("residential", "other")),
        ("2019-01-02,", "2019-1-2,", lambda s: s.period.hours, 24),
        ("2019-01-02,", "2019/1/2 8:00,", lambda s: s.period.hours, 16),
    ],
)
def test_taken_as_meant(tmp_path, old, new, get, wanted):
    assert get(scenario.load(write(tmp_path, old, new))) == wanted


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "said"),
    [
        ("[weinan]", "[weinn]", "7", "measures[1].cities[1]", "did you mean weinan?"),
        ("[weinan]", "[atlantis]", "7", "measures[1].cities[1]", "must be one of xian"),
        ("[transport]", "[trnsport]", "7", "measures[1].sectors[1]", "did you mean transport?"),
        ("sectors: [power]", "sectors: [household]", "14", "coal.growth[1].sectors[1]", "must be one of power"),
        ("kind: synthetic", "kind: Synthetic", "5", "meteorology.kind", "did you mean synthetic?"),
        ("2019-01-02,", "2019/1/32,", "3", "period.start", "must be a time"),
        ("18:00}", "18:30}", "12", "measures[2].alerts[1].end", "full hour"),
        ("percent: 10", "percent: １０", "7", "measures[1].percent", "half-width 10"),
        ("percent: 10", "percent: 30%", "7", "measures[1].percent", "write 30 without the sign"),
        ("execution_rate: 0.9", "execution_rate: 90%", "10", "measures[2].execution_rate", "write 0.9"),
        ("execution_rate: 0.9", "execution_rate: 90", "10", "measures[2].execution_rate", "90 % is 0.9"),
        ("hours: 24", "hours: 48h", "3", "period.spin_up_hours", "write 48"),
        ("households: 1000", 'households: "100,000"', "13", "measures[3].households", "write 100000"),
        ("[weinan]", "【weinan】", "7", "measures[1].cities", "half-width brackets"),
        ("name: case", "name：case", "1", "", "full-width ："),
        ("name: case", "name: case\nname: b", "2", "name", "stands twice"),
        ("[xian], start", '["C:\\data"], start', "12", "", "single quotes"),
        ("    execution_rate", "\texecution_rate", "10", "", "a tab"),
        ("west: 106.5, south: 33.5, east: 110.5", "west: 110.5, south: 33.5, east: 106.5", "4", "domain", "exchanged"),
        ("enterprises: 3", "enterprises: 3, radius: 15", "15", "near_field.radius", "15 km is 15000"),
        ("near_field: {cities: [xian], enterprises: 3}", "near_field:", "15", "near_field", "is empty"),
        ("list: shipped:emissions/", "list: shipped:emission/", "9", "measures[2].list", "mean shipped:emissions/"),
        ("list: shipped:emissions/emergency_list.xlsx", "list: .", "9", "measures[2].list", "is a folder"),
        ("kind: synthetic", "kind: wrf, files: wrfout", "5", "meteorology.files", "write [wrfout]"),
        ("    execution_rate", "    plan: 2019\n    execution_rate", "10", "measures[2].plan", '"2019"'),
        ("    execution_rate", "    plan: local.yaml\n    execution_rate", "10", "measures[2].plan", "file not found"),
        ("name: case", "name: con.a", "1", "name", "reserved"),
        ("name: case", "name: case.", "1", "name", "reserved"),
        ("name: case", "name: Summary", "1", "name", "batch uses"),
        ("2019-01-02 18:00}", "2019-01-02 05:00}", "12", "measures[2].alerts[1]", "must be after start"),
        ("06:00, end: 2019-01-02", "06:00, end: 2019-01-01", "12", "measures[2].alerts[1]", "must be after start"),
        ("2019-01-02 06:00, end: 2019-01-02 18:00", "2018-01-02, end: 2018-01-08", "12", "measures[2].alerts[1]",
         "acts in no hour"),
        ("percent: 10,", "percent: 10, start: 2019-02-01,", "7", "measures[1]", "acts in no hour"),
    ],
)  # fmt: skip
def test_one_slip_one_message(tmp_path, old, new, line, key, said):
    with pytest.raises(InputError) as caught:
        scenario.load(write(tmp_path, old, new))
    (problem,) = caught.value.problems
    assert (problem.where, problem.key) == (line, key)
    assert said in problem.allowed
    chinese = problem.allowed_zh
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert not re.search(r"\b(input|should|valid|found|expected|mapping|type)\b", chinese), "no words of a library"


def test_utf16_is_said(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(TEXT, encoding="utf-16")
    with pytest.raises(InputError, match="UTF-16"):
        scenario.load(path)


def test_measures_as_a_mapping(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(TEXT.partition("measures:")[0] + "measures:\n  type: cut\n  percent: 10\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        scenario.load(path)
    (problem,) = caught.value.problems
    assert (problem.where, problem.key) == ("6", "measures")
    assert "dash" in problem.allowed


def test_missing_files_come_with_the_other_slips(tmp_path):
    path = write(tmp_path, "percent: 10", "percent: 110")
    path.write_text(path.read_text(encoding="utf-8") + "inputs: {observations: [gone.csv]}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        scenario.load(path)
    assert [(p.where, p.key) for p in caught.value.problems] == [
        ("7", "measures[1].percent"),
        ("16", "inputs.observations[1]"),
    ]


def test_a_window_partly_outside_and_a_tiny_cut_are_notes(tmp_path):
    assert scenario.load(write(tmp_path)).notes() == []
    (note,) = scenario.load(
        write(tmp_path, "percent: 10,", "percent: 10, start: 2019-01-02 20:00, end: 2019-01-05,")
    ).notes()
    assert (note.where, note.key) == ("7", "measures[1]")
    assert "4 of its 52 hours" in note.allowed
    (note,) = scenario.load(write(tmp_path, "percent: 10,", "percent: 0.3,")).notes()
    assert (note.where, note.value) == ("7", "0.3")


@pytest.mark.parametrize(
    "keys",
    [
        ("measures[1]: [{type: cut, percent: 5}]", "measures[1].percent: [10, 20]"),
        ("measures[1].percent: [10, 20]", "measures.1.percent: [1, 2]"),
    ],
)
def test_overlapping_sweep_keys_are_refused(tmp_path, keys):
    text = "sweep:\n  values:\n    " + "\n    ".join(keys) + "\n"
    with pytest.raises(InputError) as caught:
        sweep.members(write(tmp_path, "", text))
    (problem,) = caught.value.problems
    assert problem.where == str(TEXT.count("\n") + 4)
    assert "contradict" in problem.allowed
