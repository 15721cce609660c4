"""Is the clock right? Local time taken for UTC, or the other way about, shows in the course of the day.

The sun is highest at 12 h solar time, so that the middle of the day's shortwave lies there; the temperature's
first harmonic is highest about 15 h. A file whose hours say otherwise is not shifted, it is named.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from airsim.meteorology.source import HOUR, Times
from airsim.tables import Note

Floats = NDArray[np.float64]

WARMEST = 15.0
"""Solar hour of the highest first harmonic of temperature over land [h], within two hours at most places."""
_LEAST_RANGE = 1.5  # K of daily amplitude below which the temperature tells nothing
_LEAST_DAYS = 1.0


def phase(time: Times, longitude: float, values: Floats) -> tuple[float, float]:
    """Return the solar hour [h] at which the first daily harmonic is highest, and its amplitude.

    Parameters
    ----------
    time : (time,) datetime64 ndarray
        Middle of the values, UTC.
    longitude : float
        [deg]
    values : (time,) ndarray
        NaN where missing.
    """
    good = np.isfinite(values)
    hour = (time - time.astype("datetime64[D]")) / HOUR + longitude / 15
    # the mean by hour first: hours of which there are more must not weigh more
    bins = np.round(hour % 24).astype(int) % 24
    count = np.bincount(bins[good], minlength=24)
    mean = np.bincount(bins[good], values[good], minlength=24) / np.maximum(count, 1)
    have = np.flatnonzero(count)
    if len(have) < 8:
        return np.nan, 0.0
    angle = 2 * np.pi * have / 24
    cosine, sine = np.linalg.lstsq(
        np.column_stack([np.ones(len(have)), np.cos(angle), np.sin(angle)]), mean[have], rcond=None
    )[0][1:]
    return float(np.degrees(np.arctan2(sine, cosine)) / 15 % 24), float(np.hypot(cosine, sine))


def odd_hours(time: Times, longitude: float, temperature: Floats | None, shortwave: Floats | None) -> list[Note]:
    """Return a warning if the course of the day says that the clock is not UTC.

    Shortwave has the say where it is known; more than two hours off is odd. Of the temperature four hours.

    Parameters
    ----------
    time : (time,) datetime64 ndarray
        Middle of the values, UTC as the file has it.
    longitude : float
        [deg]
    temperature, shortwave : (time,) ndarray or None
        [K], [W m-2]
    """
    if len(time) < 2 or (time[-1] - time[0]) < (24 * _LEAST_DAYS - 4) * HOUR:
        return []
    checks = (
        ("shortwave", "短波辐射", shortwave, 12.0, 2.0, 20.0),
        ("temperature", "气温", temperature, WARMEST, 4.0, _LEAST_RANGE),
    )
    for name, zh, values, expected, allowed, least in checks:
        if values is None or not np.isfinite(values).any():
            continue
        found, amplitude = phase(time, longitude, values)
        if not np.isfinite(found) or amplitude < least:
            continue
        off = (found - expected + 12) % 24 - 12
        if abs(off) <= allowed:
            return []
        zone = round(longitude / 15)
        guess, guess_zh = "", ""
        if abs(off - zone) <= allowed:
            guess, guess_zh = (
                f"; are the times local (UTC{zone:+d}), not UTC?",
                f"；时间是否为当地时（UTC{zone:+d}）而非 UTC？",
            )
        elif abs(off + zone) <= allowed:
            guess = f"; are the times UTC already, and were taken for UTC{zone:+d}?"
            guess_zh = f"；时间是否本为 UTC，却按 UTC{zone:+d} 读取？"
        return [
            Note(
                f"警告：{zh}的日变化在地方太阳时 {found:.1f} 时最高，应在 {expected:.0f} 时前后，偏差 {off:+.1f} 小时"
                f"{guess_zh}（未作平移）",
                f"WARNING: the daily course of {name} is highest at {found:.1f} h solar time, expected near "
                f"{expected:.0f} h: {off:+.1f} h off{guess} (nothing was shifted)",
            )
        ]
    return []


def odd_hours_of(dataset: xr.Dataset) -> list[Note]:
    """Return `odd_hours` of a meteorology dataset, for the mean over its grid; diagnosed shortwave says nothing."""
    shortwave = dataset["surface_downwelling_shortwave_flux_in_air"]
    measured = str(shortwave.attrs.get("diagnosed", "no")) == "no"
    return odd_hours(
        dataset["time"].values + HOUR // 2,
        float(dataset["longitude"].mean()),
        dataset["air_temperature"].values.mean(axis=(1, 2), dtype=float),
        shortwave.values.mean(axis=(1, 2), dtype=float) if measured else None,
    )
