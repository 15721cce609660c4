"""Scenario files: what is accepted, and that each complaint names its line."""

import datetime as dt
import pickle

import pytest

from airsim import scenario, shipped
from airsim.errors import InputError

GOOD = """\
name: 测试-1
title: {zh: 题, en: title}
period:
  start: 2019-01-01
  end: 2019-01-03T00:00:00+08:00
meteorology:
  kind: synthetic
"""


def load(tmp_path, text):
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return scenario.load(path)


def problems(tmp_path, text):
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    return caught.value.problems


def test_times_without_zone_are_beijing_and_zones_are_kept(tmp_path):
    s = load(tmp_path, GOOD)
    assert s.period.start == dt.datetime(2018, 12, 31, 16, tzinfo=dt.UTC)
    assert s.period.end == dt.datetime(2019, 1, 2, 16, tzinfo=dt.UTC)
    assert s.period.hours == 48
    utc = load(tmp_path, GOOD.replace("2019-01-03T00:00:00+08:00", "2019-01-03T00:00:00Z"))
    assert utc.period.hours == 56


def test_shipped_scenarios_load():
    files = sorted(shipped.path("configs").rglob("*.yaml"))
    assert files
    for file in files:
        assert scenario.load(file).file == str(file)


def test_frozen_and_picklable(tmp_path):
    s = load(tmp_path, GOOD)
    with pytest.raises(ValueError, match="frozen"):
        s.name = "x"
    again = pickle.loads(pickle.dumps(s))
    assert again == s
    assert again.file == s.file


def test_all_problems_at_once_in_reading_order(tmp_path):
    text = """\
name: ../../x
title: {zh: a}
period:
  start: 2019-01-05
  end: 2019-01-01
  spin_up_hours: yes
meteorology: {kind: synthetic, seed: .nan}
measures:
  - type: cut
    percent: 130
    cities: [xian, mars]
  - type: magic
  - percent: 3
bogus: 1
"""
    found = [(p.where, p.key) for p in problems(tmp_path, text)]
    assert found == [
        ("1", "name"),
        ("2", "title.en"),
        ("6", "period.spin_up_hours"),
        ("7", "meteorology.seed"),
        ("10", "measures[1].percent"),
        ("11", "measures[1].cities[2]"),
        ("12", "measures[2].type"),
        ("13", "measures[3]"),
        ("14", "bogus"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ("end: 2019-01-03T00:00:00+08:00", "end: 2018-01-01", "3", "must be after start"),
        ("start: 2019-01-01", "start: 2019-01-01 00:30", "4", "full hour"),
        ("start: 2019-01-01", "start: 2019-02-30", "4", "must be a time"),
        ("kind: synthetic", "kind: synthetic\n  seed: 1.5", "8", "whole number"),
        ("name: 测试-1", "name: con", "1", "reserved"),
        ("kind: synthetic", "kind: gfs", "7", "must be one of synthetic"),
        ("kind: synthetic", "kind: synthetic\ndomain: {west: 110, east: 105}", "8", "east"),
        (
            "kind: synthetic",
            "kind: synthetic\ncoal: {base_year: 2019, target_year: 2018}",
            "8",
            "after base_year",
        ),
        ("kind: synthetic", "kind: synthetic\ninputs: {enterprises: gone.xlsx}", "8", "file not found"),
        (
            "kind: synthetic",
            "kind: synthetic\nmeasures:\n  - {type: cut, percent: 5, start: 2019-01-02, end: 2019-01-01}",
            "9",
            "must be after start",
        ),
    ],
)
def test_one_mistake(tmp_path, old, new, where, said):
    assert old in GOOD
    (problem,) = problems(tmp_path, GOOD.replace(old, new))
    assert problem.where == where
    assert said in problem.allowed
    assert problem.file.endswith("s.yaml")
    assert any("\u4e00" <= c <= "\u9fff" for c in problem.text("zh"))


@pytest.mark.parametrize(
    "text", ["a: [1,\n b: 2", "a: 1\na: 2\n", "- 1\n", "a: &x [*x]\n", "\t- x", "", "a: 1\n---\nb: 2"]
)
def test_what_is_no_scenario_at_all(tmp_path, text):
    assert problems(tmp_path, text)


def test_alias_bomb_is_refused(tmp_path):
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for i in range(1, 9):
        text += f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 10) + "]\n"
    (problem,) = problems(tmp_path, text)
    assert "entries" in problem.allowed


def test_other_encoding_names_the_line(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_bytes("a: 1\nname: 关中\n".encode("gb18030"))
    with pytest.raises(InputError, match=r"s\.yaml:2: a scenario file must be UTF-8"):
        scenario.load(path)


def test_schema_documents_every_field():
    made = scenario.schema()
    blocks = [made, *made["$defs"].values()]
    undocumented = [
        (block["title"], name)
        for block in blocks
        for name, entry in block.get("properties", {}).items()
        if not entry.get("description")
    ]
    assert undocumented == []
