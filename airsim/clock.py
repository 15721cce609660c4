"""The one Beijing clock: all arrays hold UTC, all days, months and hours that a reader sees are Beijing's.

China keeps one time, eight hours ahead of UTC, without summer time since 1992.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

OFFSET_HOURS = 8
"""Beijing time minus UTC [h]."""
OFFSET = np.timedelta64(OFFSET_HOURS, "h")
ZONE = dt.timezone(dt.timedelta(hours=OFFSET_HOURS))
ZONE_NAME = "Asia/Shanghai"

Times = TypeVar("Times")
"""numpy's datetime64, scalar or array, or a Timestamp, DatetimeIndex or Series of pandas; none with a zone."""


def to_beijing(times: Times) -> Times:
    """Return UTC times as Beijing times, of the type that came in.

    Examples
    --------
    >>> print(to_beijing(np.datetime64("2019-01-02T16", "h")))
    2019-01-03T00
    """
    return times + OFFSET  # type: ignore[operator, no-any-return]  # each of the types adds a timedelta64


def from_beijing(times: Times) -> Times:
    """Return Beijing times as UTC times, of the type that came in.

    Examples
    --------
    >>> print(from_beijing(np.datetime64("2019-01-03T00", "h")))
    2019-01-02T16
    """
    return times - OFFSET  # type: ignore[operator, no-any-return]


def day_of(times: Any) -> Any:
    """Return the Beijing dates of UTC times as datetime64[D], a scalar of a scalar.

    Examples
    --------
    >>> print(day_of(np.datetime64("2025-12-31T20", "h")))
    2026-01-01
    """
    return to_beijing(np.asarray(times, "datetime64")).astype("datetime64[D]")


def month_of(times: Any) -> NDArray[np.int64]:
    """Return the Beijing months of UTC times, 1 to 12.

    Examples
    --------
    >>> int(month_of(np.datetime64("2019-01-31T16", "h")))
    2
    """
    return np.asarray(day_of(times).astype("datetime64[M]").astype(np.int64) % 12 + 1)


def hour_of(times: Any) -> NDArray[np.int64]:
    """Return the hours of the Beijing day in which UTC times lie, 0 to 23.

    Examples
    --------
    >>> int(hour_of(np.datetime64("2019-01-03T06", "h")))
    14
    """
    return np.asarray(to_beijing(np.asarray(times, "datetime64")).astype("datetime64[h]").astype(np.int64) % 24)
