"""How sources follow an alert: hand-worked hours, and that the ledger books what the scaling rows take."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airsim import rules
from airsim.measures.ramps import AT_ONCE, Pace, by_day, catch_up, pace_of, pieces

T = pd.Timestamp
H = pd.Timedelta("1h")


def windows(*rows):
    return pd.DataFrame([{"level": level, "start": T(a), "end": T(b)} for level, a, b in rows])


def test_a_ramp_of_four_hours_by_hand():
    found = pieces(windows(("red", "2019-01-02 00:00", "2019-01-02 10:00")), Pace(down=4, up=2))
    assert [(p.hours, p.shares["red"]) for p in found] == [
        (1, 0.125), (1, 0.375), (1, 0.625), (1, 0.875), (6, 1.0), (1, 0.75), (1, 0.25),
    ]  # fmt: skip
    assert sum(p.hours * p.shares["red"] for p in found) == 2 + 6 + 1
    assert {p.phase for p in found[:5]} == {(T("2019-01-02 00:00"), T("2019-01-02 10:00"))}


def test_a_stricter_level_goes_on_from_what_is_reached():
    # 2 of 4 hours of orange are over when red comes: half of orange, then four hours to red
    found = pieces(
        windows(("orange", "2019-01-02 00:00", "2019-01-02 02:00"), ("red", "2019-01-02 02:00", "2019-01-02 08:00")),
        Pace(down=4, up=0),
    )
    assert [p.shares for p in found[:2]] == [{"orange": 0.125}, {"orange": 0.375}]
    first = found[2]
    assert first.shares["red"] == pytest.approx(0.125)
    assert first.shares["orange"] == pytest.approx(0.5 * 0.875)
    assert found[-1].shares == {"red": 1.0}
    assert found[-1].hours == 2


def test_a_laxer_level_takes_the_way_up():
    found = pieces(
        windows(("red", "2019-01-02 00:00", "2019-01-02 04:00"), ("yellow", "2019-01-02 04:00", "2019-01-02 10:00")),
        Pace(down=0, up=2),
    )
    assert found[1].shares == {"red": 0.75, "yellow": 0.25}
    assert found[2].shares == {"red": 0.25, "yellow": 0.75}
    assert found[3].shares == {"yellow": 1.0}
    assert found[-1].end == T("2019-01-02 12:00")


def test_a_gap_shorter_than_the_way_up_and_one_longer():
    short = pieces(
        windows(("red", "2019-01-02 00:00", "2019-01-02 04:00"), ("red", "2019-01-02 05:00", "2019-01-02 08:00")),
        Pace(down=2, up=4),
    )
    again = next(p for p in short if p.start == T("2019-01-02 05:00"))
    assert again.shares["red"] == pytest.approx(0.75 + 0.25 * 0.25)  # a quarter was back, half an hour of two is made
    long = pieces(
        windows(("red", "2019-01-02 00:00", "2019-01-02 04:00"), ("red", "2019-01-03 00:00", "2019-01-03 04:00")),
        Pace(down=2, up=4),
    )
    assert next(p for p in long if p.start == T("2019-01-03 00:00")).shares["red"] == pytest.approx(0.25)


@settings(max_examples=60, deadline=None)
@given(
    down=st.integers(0, 40), up=st.integers(0, 40),
    lengths=st.lists(
        st.tuples(st.sampled_from(["yellow", "orange", "red", ""]), st.integers(1, 60)), min_size=1, max_size=5
    ),
)  # fmt: skip
def test_pieces_follow_each_other_and_never_pass_the_whole(down, up, lengths):
    rows, now = [], T("2019-01-02")
    for level, hours in lengths:
        if level and not (rows and rows[-1][0] == level and rows[-1][2] == now):
            rows.append((level, now, now + hours * H))
        now += hours * H
    if not rows:
        return
    found = pieces(windows(*rows), Pace(down, up))
    for a, b in itertools.pairwise(found):
        assert a.end <= b.start
    for p in found:
        assert p.end > p.start
        assert 0 < sum(p.shares.values()) <= 1 + 1e-12
    # a source that follows at once does so
    at_once = pieces(windows(*rows), AT_ONCE)
    assert [(p.start, p.end, p.shares) for p in at_once] == [(T(a), T(b), {level: 1.0}) for level, a, b in rows]


def test_a_ban_by_day_holds_in_beijing_hours():
    found = by_day(windows(("red", "2019-01-02 00:00", "2019-01-03 16:00")), 7, 21)
    # 7 to 21 Beijing is 23 to 13 UTC
    assert [(p.start, p.end) for p in found] == [
        (T("2019-01-02 00:00"), T("2019-01-02 13:00")),
        (T("2019-01-02 23:00"), T("2019-01-03 13:00")),
    ]
    night = by_day(windows(("red", "2019-01-02 00:00", "2019-01-03 00:00")), 23, 7)
    assert [(p.start, p.end) for p in night] == [(T("2019-01-02 15:00"), T("2019-01-02 23:00"))]


def test_catching_up_by_hand():
    parts = pieces(windows(("red", "2019-01-02 00:00", "2019-01-02 20:00")), AT_ONCE)
    cut = {"red": np.array([[1.0, 0.5]])}
    start, end, extra = catch_up(parts, cut, 0.5, 50, 1.0)
    # 20 h lost, half of it over 50 h: 0.2 of an hour's production more
    assert (start, end) == (T("2019-01-02 20:00"), T("2019-01-04 22:00"))
    np.testing.assert_allclose(extra, [[0.2, 0.1]])
    assert catch_up(parts, cut, 0.5, 50, 0.15)[2].max() == 0.15
    assert catch_up(parts, cut, 0.0, 50, 1.0) is None


def test_the_finer_key_of_the_rule_wins():
    rule = rules.load("emergency_response")
    assert pace_of(rule, "steel", "iron") == Pace(12, 24, 0.05)
    assert pace_of(rule, "steel", "other") == Pace(6, 12, 0.05)
    assert pace_of(rule, "residential", "") == Pace(2, 2, 0.1)
    assert rule.weakest_status("processes") == "estimate"
