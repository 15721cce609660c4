"""How a source follows an order through time: down, at level, up again, catching up; and hours of the day."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from airsim.rules import Rule

#: A ramp is carried out in at most this many steps, each with its mean, so that a ramp of a day doesn't make a row
#: of scaling an hour for every source.
STEPS = 8
_ORDER = {"": 0, "blue": 1, "yellow": 2, "orange": 3, "red": 4}
_HOUR = pd.Timedelta(hours=1)


@dataclass(frozen=True)
class Pace:
    """How fast a kind of source follows.

    Attributes
    ----------
    down, up : int
        Hours until a stricter, and until a laxer level is in force [h].
    headroom : float
        Most that catch-up production adds to normal production [1].
    """

    down: int = 0
    up: int = 0
    headroom: float = 0.0


AT_ONCE = Pace()


@dataclass(frozen=True)
class Piece:
    """A stretch of time in which a source's cut stands still.

    Attributes
    ----------
    start, end : Timestamp
        [UTC], end not included.
    shares : dict of str to float
        Level -> how much of that level's cut is in force [1].
    phase : (Timestamp, Timestamp)
        The window, or the time after it, that the piece is part of.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    shares: Mapping[str, float]
    phase: tuple[pd.Timestamp, pd.Timestamp]

    @property
    def hours(self) -> float:
        """Length [h]."""
        return (self.end - self.start) / _HOUR


def pace_of(rule: Rule, sector: str, subsector: str) -> Pace:
    """Return the pace of a source by the rule file ``emergency_response``; the finer key wins."""
    processes = rule["processes"]
    found = processes.get(f"{sector}/{subsector}") or processes.get(sector) or rule["default"]
    return Pace(int(found["down"]), int(found["up"]), float(found["headroom"]))


def pieces(windows: pd.DataFrame, pace: Pace) -> list[Piece]:
    """Follow one city's alert windows at a pace.

    The cut goes linearly from what it is to the level's whole cut within ``down`` hours (``up`` hours where the level
    is laxer than the one before, or the alert is over). A window shorter than that ends where it has got to.

    Parameters
    ----------
    windows : DataFrame
        Columns level, start, end [UTC] of one city, disjoint and in order of time (`airsim.emergency.strictest`).
    pace : Pace

    Returns
    -------
    list of Piece
        In order of time; the last ones lie after the last window, if production takes time to come back.
    """
    found: list[Piece] = []
    now: dict[str, float] = {}
    level = ""
    columns: Any = windows[["level", "start", "end"]]
    rows: list[tuple[str, Any, Any]] = list(columns.itertuples(index=False, name=None))
    stretches: list[tuple[str, Any, Any]] = []
    for row, following in itertools.zip_longest(rows, rows[1:]):
        if row is None:
            continue
        stretches.append(row)
        after = row[2] + pace.up * _HOUR
        stop = after if following is None else min(after, following[1])
        if stop > row[2]:
            stretches.append(("", row[2], stop))
    for to, start, end in stretches:
        if to == "" and not any(now.values()):
            continue
        if found and found[-1].end < start:  # a gap longer than the way up
            now, level = {}, ""
        ramp = pace.down if _ORDER[to] > _ORDER[level] else pace.up
        length = round((end - start) / _HOUR)
        target = {to: 1.0} if to else {}
        edges = [0]
        if ramp > 0:
            whole = np.unique(np.rint(np.linspace(0, ramp, min(ramp, STEPS) + 1)).astype(int))
            edges = [int(e) for e in whole if e < length] + [min(ramp, length)]
        for a, b in itertools.pairwise(edges):
            part = _between(now, target, (a + b) / 2 / ramp)
            found.append(Piece(start + a * _HOUR, start + b * _HOUR, part, (start, end)))
        if edges[-1] < length:
            found.append(Piece(start + edges[-1] * _HOUR, end, target, (start, end)))
        now = _between(now, target, 1.0 if ramp == 0 else min(1.0, length / ramp))
        level = to
    return [p for p in found if p.end > p.start]


def _between(a: Mapping[str, float], b: Mapping[str, float], progress: float) -> dict[str, float]:
    """Mix two states of the cut, `progress` of the way from the first to the second."""
    mixed = {k: (1 - progress) * a.get(k, 0.0) + progress * b.get(k, 0.0) for k in {*a, *b}}
    return {k: v for k, v in mixed.items() if v > 1e-12}


def by_day(windows: pd.DataFrame, first: int, last: int, local_hours: int = 8) -> list[Piece]:
    """Return the hours of the day of one city's windows in which a ban holds, at full force.

    Parameters
    ----------
    windows : DataFrame
        As for `pieces`.
    first, last : int
        Local hours of the day from and to which it holds; ``last <= first`` goes over midnight.
    local_hours : int
        Local time minus UTC [h].
    """
    found = []
    window: Any
    for window in windows.itertuples(index=False):
        offset = pd.Timedelta(hours=local_hours)
        midnight = (window.start + offset).normalize() - pd.Timedelta(days=1)
        length = (last - first) % 24 or 24
        while midnight < window.end + offset:
            begin = midnight + first * _HOUR - offset
            start, end = max(begin, window.start), min(begin + length * _HOUR, window.end)
            if end > start:
                found.append(Piece(start, end, {str(window.level): 1.0}, (window.start, window.end)))
            midnight += pd.Timedelta(days=1)
    return found


def catch_up(
    parts: Sequence[Piece], cut: Mapping[str, np.ndarray], share: float, hours: int, headroom: float
) -> tuple[pd.Timestamp, pd.Timestamp, np.ndarray] | None:
    """Return when and how much more than normal a source emits to make good what it lost.

    Parameters
    ----------
    parts : sequence of Piece
        Of the source's class.
    cut : mapping
        Level -> share that goes, any shape [1].
    share : float
        Share of the lost production that is caught up [1].
    hours : int
        Hours over which, beginning when the last piece ends.
    headroom : float
        Most above normal [1].

    Returns
    -------
    (start, end, extra) or None
        Extra emission relative to normal [1]; None if nothing is caught up.
    """
    if share <= 0 or headroom <= 0 or not parts:
        return None
    lost = sum((p.hours * s * np.asarray(cut[level]) for p in parts for level, s in p.shares.items()), 0.0)
    start = parts[-1].end
    return start, start + hours * _HOUR, np.minimum(share * np.asarray(lost) / hours, headroom)
