"""The one list of the files of a scenario, and that its settled content follows every byte of them."""

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from airsim import scenario

TEXT = """\
name: case
title: {zh: 例, en: case}
period: {start: 2019-01-02, end: 2019-01-03, spin_up_hours: 24}
meteorology: {kind: stations, files: [met/*/s?.csv, "met/[x].csv"], station_list: stations.csv}
inputs: {enterprises: e.csv, area_sources: a.csv, coal_ledger: c.csv, background: b.csv, observations: [o1.csv, o2.csv],
  stations: p.csv, composition: k.csv}
measures:
  - type: emergency
    list: list.xlsx
    plan: local.YAML
    mapping: map.yaml
    base: base.csv
    alerts: [{level: red, cities: [xian], start: 2019-01-02 06:00, end: 2019-01-02 18:00}]
  - {type: clean_coal_supply, city: xian, tonnes: 10, inspection: batches.csv}
coal: {base_year: 2018, target_year: 2019, limits: {file: limits.csv}, decomposition: {activity: act.csv},
  inspection: batches2.csv}
"""
NAMES = [
    "met/a/s1.csv", "met/b/s2.csv", "met/[x].csv", "stations.csv", "e.csv", "a.csv", "c.csv", "b.csv", "o1.csv",
    "o2.csv", "p.csv", "k.csv", "list.xlsx", "local.YAML", "map.yaml", "base.csv", "batches.csv", "limits.csv",
    "act.csv", "batches2.csv",
]  # fmt: skip


def made(folder):
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(f"content of {name}".encode())
    (folder / "s.yaml").write_text(TEXT, encoding="utf-8")
    return scenario.load(folder / "s.yaml")


def content(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_file_once_with_its_line(tmp_path):
    files = made(tmp_path).files()
    assert sorted(f.path.relative_to(tmp_path).as_posix() for f in files) == sorted(NAMES)
    lines = TEXT.splitlines()
    for file in files:
        assert file.given in lines[int(file.line) - 1] or file.key[0] == "inputs" or file.key[0] == "coal"
        assert file.about.zh
    (plan,) = [f for f in files if f.key == ("measures", 0, "plan")]
    assert (plan.line, plan.about.content) == ("10", "rule")


def test_a_shipped_plan_is_no_file(tmp_path):
    made(tmp_path)
    (tmp_path / "s.yaml").write_text(TEXT.replace("local.YAML", '"2019"'), encoding="utf-8")
    assert all(f.key != ("measures", 0, "plan") for f in scenario.load(tmp_path / "s.yaml").files())


def test_any_byte_of_any_file_changes_the_content(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    case = made(folder)
    before = scenario.settled(case, content)

    @settings(max_examples=60, deadline=None)
    @given(st.sampled_from(NAMES), st.integers(min_value=0), st.integers(1, 255))
    def changed(name, where, by):
        path = folder / name
        old = path.read_bytes()
        new = bytearray(old)
        new[where % len(old)] ^= by
        path.write_bytes(new)
        try:
            assert scenario.settled(case, content) != before
        finally:
            path.write_bytes(old)
        assert scenario.settled(case, content) == before

    changed()


def test_names_behind_a_wildcard_count(tmp_path):
    case = made(tmp_path)
    before = scenario.settled(case, content)
    (tmp_path / "met/a/s1.csv").rename(tmp_path / "met/a/s3.csv")
    renamed = scenario.settled(case, content)
    assert renamed != before
    (tmp_path / "met/a/s4.csv").write_text("new")
    assert scenario.settled(case, content) != renamed


def test_another_folder_with_the_same_content_settles_alike(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = made(tmp_path / "one"), made(tmp_path / "two")
    assert scenario.settled(one, content) == scenario.settled(two, content)
    assert one.files()[0].path != two.files()[0].path
