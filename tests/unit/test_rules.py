"""Dated rule files: the right version by day, every value with its source and status."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from airsim import rules
from airsim.errors import InputError


@pytest.mark.parametrize("name", rules.names())
def test_every_value_has_a_status_and_a_source(name):
    for rule in rules.versions(name):
        assert rule.basis
        for basis in rule.basis:
            assert basis.status in rules.STATUSES
            assert len(basis.source) > 5, basis


@pytest.mark.parametrize("name", ["air_quality", "aqi", "emergency", "coal", "fuels", "clean_coal"])
def test_versions_neither_overlap_nor_leave_a_day_out(name):
    versions = rules.versions(name)
    for earlier, later in itertools.pairwise(versions):
        assert earlier.end is not None
        assert later.start - earlier.end == dt.timedelta(days=1)
    assert versions[-1].end is None


@pytest.mark.parametrize(
    ("name", "day", "version"),
    [
        ("aqi", dt.date(2019, 1, 3), "HJ633-2012"),
        ("aqi", dt.date(2026, 2, 28), "HJ633-2012"),
        ("aqi", dt.date(2026, 3, 1), "HJ633-2026"),
        ("air_quality", dt.date(2030, 12, 31), "GB3095-2026-transition"),
        ("air_quality", dt.date(2031, 1, 1), "GB3095-2026"),
        ("emergency", dt.date(2017, 12, 1), "2017"),
        ("emergency", dt.date(2019, 1, 3), "2018"),
        ("emergency", dt.datetime(2024, 1, 10, 18), "2024"),
        ("coal", dt.date(2019, 12, 31), "2018"),
        ("coal", dt.date(2023, 11, 30), "2023"),
    ],
)
def test_the_version_in_force(name, day, version):
    assert rules.load(name, date=day).version == version
    assert rules.load(name, version=version).version == version


def test_values_of_record():
    # GB 3095: class 2 day and year of PM2.5; 2024 plan from memory must say so
    assert rules.load("air_quality", version="GB3095-2012")["limits.PM25"] == {"year": [15, 35], "day": [35, 75]}
    assert rules.load("air_quality", version="GB3095-2026-transition")["limits.PM10.day"] == [50, 120]
    assert rules.load("air_quality", version="GB3095-2026")["limits.SO2.year"] == [20, 20]
    assert rules.load("emergency", version="2024").weakest_status("thresholds") == "memory"
    assert rules.load("emergency", version="2018").weakest_status("thresholds") == "sourced"
    shares = rules.load("emergency", version="2019")
    assert [shares[f"shares.{level}.SO2"] for level in ("yellow", "orange", "red")] == [0.1, 0.2, 0.3]
    assert [shares[f"joint.{level}"] for level in ("yellow", "orange", "red")] == [0.2, 0.4, 0.6]
    assert rules.load("coal", version="2023")["not_assessed"] == ["gangue", "feedstock_coal"]
    assert rules.load("coal", version="2018")["not_assessed"] == []


def test_status_is_inherited_and_overridden():
    rule = rules.load("emergency", version="2019")
    (joint,) = rule.about("joint.orange")
    assert joint.status == "sourced"
    assert "40%" in joint.source
    (red,) = rule.about("joint.red")
    assert red.status == "derived"


def test_unknown_names_list_what_there_is():
    with pytest.raises(InputError, match=r"2017 .*2018 .*2019 .*2024"):
        rules.load("emergency", version="1999")
    with pytest.raises(InputError, match="2016-01-01"):
        rules.load("aqi", date=dt.date(2010, 1, 1))
    with pytest.raises(InputError, match="air_quality, aqi"):
        rules.load("weather")
