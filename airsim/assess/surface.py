"""From transported tracers to the air people breathe: species of the lowest layer, by cell and by city.

The only non-linear step of the model, the gas-particle equilibrium, happens here, cell by cell; a city's value
is the population-weighted mean of its cells, so that maps and city series agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from airsim.geography import CITIES, Geography
from airsim.region import TRACERS
from airsim.region.equilibrium import composition

Array = npt.NDArray[np.float32]

#: Species of the output and the tracers they are made of; nitrate and ammonium come from the equilibrium.
SPECIES = (
    "pm25", "pm10", "so2", "no2", "co", "bc", "om", "sulphate", "nitrate", "ammonium", "soa", "other",
)  # fmt: skip
_AT = {name: i for i, name in enumerate(TRACERS)}

# ARM2 of the US EPA (Podrez 2015, Atmos. Environ. 103, 262; default limits of AERMOD): NO2/NOx as a polynomial
# of NOx [ug m-3], highest power first
_ARM2 = np.array([-1.1723e-17, 4.2795e-14, -5.8345e-11, 3.4555e-8, -5.6062e-6, -2.7383e-3, 1.2441])
_ARM2_LOW, _ARM2_HIGH = 0.5, 0.9


def nitrogen_dioxide(nox: npt.ArrayLike) -> npt.NDArray[np.floating]:
    """NO2 from NOx by the ambient ratio method ARM2 (Podrez 2015).

    Parameters
    ----------
    nox : array_like
        NOx as NO2 [ug m-3].

    Returns
    -------
    ndarray
        NO2 [ug m-3]; the ratio is kept between 0.5 and 0.9.  The fit is to US stations: an estimate here.
    """
    values = np.asarray(nox)
    # the polynomial turns up again far beyond the data it was fitted to
    ratio = np.polyval(_ARM2.astype(values.dtype), np.minimum(values, 800))
    result: npt.NDArray[np.floating] = values * np.clip(ratio, _ARM2_LOW, _ARM2_HIGH)
    return result


def species(
    tracers: npt.NDArray[np.floating],
    temperature: npt.ArrayLike,
    relative_humidity: npt.ArrayLike,
    constant: str = "mozurkewich",
) -> dict[str, npt.NDArray[np.floating]]:
    """Turn tracer concentrations into air-quality species.

    Parameters
    ----------
    tracers : (tracer, ...) ndarray
        Concentrations in the order of `TRACERS` [ug m-3].
    temperature : array_like
        Broadcast against one tracer [K].
    relative_humidity : array_like
        Broadcast against one tracer [1].
    constant : str
        Dissociation constant of ammonium nitrate, see `airsim.region.equilibrium`.

    Returns
    -------
    dict
        `SPECIES` -> array shaped as one tracer [ug m-3].
    """
    made: dict[str, npt.NDArray[Any]] = {}
    made |= composition(tracers, temperature, relative_humidity, axis=0, constant=constant)
    made |= {"om": made["oc"], "other": made["pm25_other"], "so2": tracers[_AT["so2"]], "co": tracers[_AT["co"]]}
    made["no2"] = nitrogen_dioxide(tracers[_AT["nox"]])
    made["pm10"] = made["pm25"] + tracers[_AT["pm_coarse"]]
    return {name: made[name] for name in SPECIES}


class SurfaceAir:
    """Collects the lowest layer while a run goes on: an observer of `airsim.region.Transport.run`.

    Parameters
    ----------
    geography : Geography
    weather : Dataset
        Meteorology of the run, hour by hour.
    skip : int
        Hours of spin-up that are not kept.
    cases : tuple of str
        Names of the leading columns; the last column of the run is the background, which is added to each.
    maps : tuple of str
        Cases of which the PM2.5 map is kept for every hour.
    constant : str
        See `species`.

    Attributes
    ----------
    city : dict of str to (case, time, city) float32 ndarray
        `SPECIES`, and ``pm25_background`` (time, city) [ug m-3].
    pm25_field : (map, time, y, x) float32 ndarray
        [ug m-3].
    lowest : float
        Smallest tracer concentration met [ug m-3]: the undershoot of the linear scheme.
    """

    def __init__(
        self,
        geography: Geography,
        weather: xr.Dataset,
        skip: int,
        cases: tuple[str, ...],
        maps: tuple[str, ...],
        constant: str = "mozurkewich",
    ) -> None:
        self._constant = constant
        self._weights = geography.city_weights
        self._temperature = weather["air_temperature"].values
        self._humidity = weather["relative_humidity"].values
        self._skip = skip
        hours = weather.sizes["time"] - skip
        grid = geography.grid
        self.cases = cases
        self._mapped = [cases.index(m) for m in maps]
        shape = (len(cases), hours, len(CITIES))
        self.city = {name: np.zeros(shape, np.float32) for name in SPECIES}
        self.background = np.zeros(shape[1:], np.float32)
        self.pm25_field = np.zeros((len(maps), hours, grid.ny, grid.nx), np.float32)
        self.lowest = np.inf

    def __call__(self, hour: int, mean: npt.NDArray[np.floating]) -> None:
        """Take the hourly means (level, y, x, tracer, column) [ug m-3] of one hour."""
        h = hour - self._skip
        if h < 0:
            return
        air = mean[0]
        n = len(self.cases)
        # (tracer, column, y, x): the species of all cases at once
        columns = np.moveaxis(air, (2, 3), (0, 1))
        total = columns[:, :n] + columns[:, n : n + 1]
        self.lowest = min(self.lowest, float(total.min()))
        made = species(total, self._temperature[hour], self._humidity[hour], self._constant)
        for name, field in made.items():
            self.city[name][:, h] = (self._weights @ field.reshape(n, -1).T).T
        self.pm25_field[:, h] = made["pm25"][self._mapped]
        inflow = species(columns[:, n], self._temperature[hour], self._humidity[hour], self._constant)["pm25"]
        self.background[h] = self._weights @ inflow.ravel()
