"""Forecasts without a model, to be beaten: persistence, and a regression on ventilation alone.

Both see observations of the past only.  The regression is fitted on days before the window that is judged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

Floats = npt.NDArray[np.float64]

#: Fewer days than this before the window give no regression.
LEAST_DAYS = 20
DAY = np.timedelta64(24, "h")


def last_day(observed: xr.DataArray, start: np.datetime64, time: npt.NDArray[np.datetime64]) -> xr.DataArray:
    """Repeat the last day before the window, hour by hour: persistence from the start.

    Parameters
    ----------
    observed : DataArray (time, city)
        Hourly means [ug m-3], `time` the UTC start of the hour.
    start : datetime64
        First hour of the window [UTC].
    time : (hour,) datetime64
        Hours of the window.

    Returns
    -------
    DataArray (time, city)
        NaN where the last day is not observed.
    """
    wanted = start - DAY + (time - start) % DAY
    return observed.reindex(time=wanted).assign_coords(time=time)


def day_before(observed: xr.DataArray, time: npt.NDArray[np.datetime64]) -> xr.DataArray:
    """Take every hour from 24 hours earlier: persistence of one day, as a forecaster has it each morning.

    Within the window this baseline knows more than a run made before it: the observations up to a day earlier.
    """
    return observed.reindex(time=time - DAY).assign_coords(time=time)


@dataclass(frozen=True)
class Ventilation:
    """Regression of daily PM2.5 on the ventilation coefficient: ln C = a + b ln V.

    Attributes
    ----------
    intercept, slope : dict of str to float
        a and b of each city [1].
    smearing : dict of str to float
        Mean of exp(residual), Duan 1983 (J. Am. Stat. Assoc. 78, 605): the mean of C is wanted, not its median [1].
    days : dict of str to int
        Days fitted on.
    """

    intercept: dict[str, float]
    slope: dict[str, float]
    smearing: dict[str, float]
    days: dict[str, int]

    def predict(self, ventilation: xr.DataArray) -> xr.DataArray:
        """Return daily concentrations (day, city) [ug m-3] of daily ventilation [m2 s-1]; NaN without a fit."""
        made = xr.full_like(ventilation, np.nan, dtype=float)
        for city in (c for c in self.slope if c in ventilation["city"].values):
            v = ventilation.sel(city=city)
            logarithm = self.intercept[city] + self.slope[city] * np.log(v.where(v > 0))
            made.loc[{"city": city}] = np.exp(logarithm) * self.smearing[city]
        return made


def fit_ventilation(observed: xr.DataArray, ventilation: xr.DataArray, before: np.datetime64) -> Ventilation:
    """Fit the regression on the days before a window.

    Parameters
    ----------
    observed : DataArray (day, city)
        Daily means [ug m-3].
    ventilation : DataArray (day, city)
        Daily mean of wind speed in the mixed layer times mixing height [m2 s-1].
    before : datetime64
        First day of the window: only earlier days are used.

    Returns
    -------
    Ventilation
        Without the cities that have fewer than `LEAST_DAYS` days with both.
    """
    days = np.intersect1d(observed["day"].values, ventilation["day"].values)
    days = days[days < before.astype("datetime64[ns]")]
    fits: dict[str, tuple[float, float, float, int]] = {}
    for city in (str(c) for c in observed["city"].values if c in ventilation["city"].values):
        c = observed.sel(city=city).reindex(day=days).values.astype(float)
        v = ventilation.sel(city=city).reindex(day=days).values.astype(float)
        both = np.isfinite(c) & np.isfinite(v) & (c > 0) & (v > 0)
        if both.sum() < LEAST_DAYS:
            continue
        x, y = np.log(v[both]), np.log(c[both])
        slope, intercept = (float(k) for k in np.polyfit(x, y, 1))
        fits[city] = intercept, slope, float(np.exp(y - intercept - slope * x).mean()), int(both.sum())
    return Ventilation(*({c: f[i] for c, f in fits.items()} for i in range(4)))  # type: ignore[arg-type]
