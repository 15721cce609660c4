"""Pollutants, flags, and what hourly values say of themselves: given twice, unchanging, by another clock."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from airsim.clock import hour_of

#: Pollutants that are read, and the largest hourly mean [ug m-3] that is taken for a measurement (estimates: beyond
#: anything published for the region, dust storms included).
SPECIES = {"pm25": 5e3, "pm10": 1.5e4, "so2": 5e3, "no2": 3e3, "o3": 2e3, "co": 1.5e5}
#: What a value is, by its flag; values of the first six are missing.
FLAGS = {
    "absent": (0, "未报", "not reported"),
    "marked": (1, "带无效标识", "marked invalid in the file"),
    "out_of_range": (2, "超出量程或为负", "negative or beyond any range"),
    "contradictory": (3, "重复且互相矛盾", "given twice, with different values"),
    "cut": (4, "文件在此处截断", "where the file is cut off"),
    "valid": (10, "有效", "valid"),
    "inverted": (11, "PM2.5 大于 PM10（保留）", "PM2.5 above PM10 (kept)"),
    "stuck": (12, "24 小时以上不变（保留）", "the same for 24 hours or more (kept)"),
}
CODE = {name: code for name, (code, _, _) in FLAGS.items()}
#: A value that does not change for so many hours is suspect [h].
STUCK_HOURS = 24


@dataclass
class Series:
    """Values as they come, one entry a value."""

    time: array[int] = field(default_factory=lambda: array("q"))
    site: array[int] = field(default_factory=lambda: array("q"))
    value: array[float] = field(default_factory=lambda: array("d"))
    flag: array[int] = field(default_factory=lambda: array("b"))

    def add(self, time: int, site: int, value: float, flag: int) -> None:
        """Append a value with the hour since 1970 [h UTC], the index of the site and the code of the flag."""
        self.time.append(time)
        self.site.append(site)
        self.value.append(value)
        self.flag.append(flag)


def ozone_peak_hour(ozone: xr.DataArray) -> int | None:
    """Return the Beijing hour (beginning) at which the mean ozone is highest; None with less than five days."""
    values = np.asarray(ozone.values, float)
    known = np.isfinite(values)
    count = known.sum(axis=1)
    if known.sum() < 5 * 24:
        return None
    mean = np.where(known, values, 0).sum(axis=1) / np.maximum(count, 1)
    local = hour_of(ozone["time"].values)
    hours = [mean[(local == h) & (count > 0)].mean() if ((local == h) & (count > 0)).any() else -1.0 for h in range(24)]
    return int(np.argmax(hours))


def spread_out(
    series: Series, first: int, shape: tuple[int, int], counts: Counter[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return values and flags (time, site); what is given twice is taken once, or missing where it differs."""
    values = np.full(shape, np.nan)
    flags = np.zeros(shape, np.int8)
    if not len(series.time):
        return values, flags
    time = np.frombuffer(series.time, dtype=np.int64) - first
    site = np.frombuffer(series.site, dtype=np.int64)
    value = np.frombuffer(series.value, dtype=np.float64)
    flag = np.frombuffer(series.flag, dtype=np.int8)
    at = time * shape[1] + site
    # bad ones first, so that a good value of the same hour stands
    order = np.argsort(flag == CODE["valid"], kind="stable")
    values.ravel()[at[order]] = value[order]
    flags.ravel()[at[order]] = flag[order]
    good = flag == CODE["valid"]
    counted = np.bincount(at[good], minlength=values.size)
    if (counted > 1).any():
        low, high = np.full(values.size, np.inf), np.full(values.size, -np.inf)
        np.minimum.at(low, at[good], value[good])
        np.maximum.at(high, at[good], value[good])
        differ = (counted > 1) & (high > low)
        values.ravel()[differ] = np.nan
        flags.ravel()[differ] = CODE["contradictory"]
        counts["repeated"] += int(((counted > 1) & ~differ).sum())
    return values, flags


def unchanging(values: np.ndarray) -> np.ndarray:
    """Return which values belong to a run of `STUCK_HOURS` or more equal ones."""
    found = np.zeros(values.shape, bool)
    if len(values) < STUCK_HOURS:
        return found
    same = np.zeros(values.shape, np.int32)
    for h in range(1, len(values)):
        same[h] = np.where(values[h] == values[h - 1], same[h - 1] + 1, 0)
    for h, j in zip(*np.nonzero(same >= STUCK_HOURS - 1), strict=True):
        found[h - same[h, j] : h + 1, j] = True
    return found
