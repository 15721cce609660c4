"""The largest stacks around a city on a fine grid: what their plumes add at the ground, hour by hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from airsim import meteorology, plume
from airsim.geography import CITIES, Geography
from airsim.inventory import POLLUTANTS as INVENTORY_POLLUTANTS
from airsim.inventory import GriddedEmissions, Inventory
from airsim.inventory.gridding import pollutants

POLLUTANTS = ("SO2", "NOx", "PM25")
#: Receptors stand at breathing height [m].
BREATHING = 1.5
#: Hours taken at once; the plumes of unit emission are held for that many [h].
_AT_ONCE = 24


def near_field(
    geography: Geography,
    inventory: Inventory,
    gridded: Mapping[str, GriddedEmissions],
    weather: xr.Dataset,
    hours: range,
    *,
    cities: Sequence[str],
    enterprises: int,
    radius: float,
    spacing: float,
    dispersion: str,
) -> xr.Dataset:
    """Plume statistics of the largest point sources around each city.

    Plumes are linear in the emission: they are computed once for unit emission and then weighted by the hourly
    emission of each case and pollutant.

    Parameters
    ----------
    geography : Geography
    inventory : Inventory
        Point sources of the base case.
    gridded : mapping
        Case -> gridded emissions, which know every source's hourly rate.
    weather : Dataset
        Meteorology of the run; the hour's values at the middle of each site are used all over it.
    hours : range
        Hours of the run that are the episode.
    cities : sequence of str
        City ids; a city without point sources in reach is left out.
    enterprises : int
        How many, the largest by SO2 + NOx + PM2.5 of the year.
    radius : float
        Half width of the grid around the city's centre of population [m].
    spacing : float
        Of the receptors [m].
    dispersion : str
        See `airsim.plume.concentration`.

    Returns
    -------
    Dataset
        ``concentration_mean``, ``concentration_max`` (case, site, pollutant, y_fine, x_fine) [ug m-3]: mean of
        the episode and highest hour; the sites and their sources.
    """
    axis = np.arange(-radius, radius + spacing / 2, spacing)
    points = inventory.sources[inventory.sources["kind"] == "point"]
    px, py = geography.grid.project(points["longitude"].to_numpy(), points["latitude"].to_numpy())
    weight = points[list(POLLUTANTS)].sum(axis=1).to_numpy()
    index = {c.id: i for i, c in enumerate(CITIES)}
    cy, cx = (a.ravel() for a in np.meshgrid(geography.grid.y, geography.grid.x, indexing="ij"))
    sites, sources, means, maxima = [], [], [], []
    for city in cities:
        weights = geography.city_weights[[index[city]]].toarray()[0]
        x0, y0 = float(weights @ cx), float(weights @ cy)
        if not weights.any():
            continue
        near = (np.abs(px - x0) <= radius) & (np.abs(py - y0) <= radius) & (weight > 0)
        if not near.any():
            continue
        chosen = np.flatnonzero(near)[np.argsort(-weight[near], kind="stable")][:enterprises]
        longitude, latitude = geography.grid.unproject(x0, y0)
        sites.append((city, CITIES[index[city]], float(longitude), float(latitude)))
        sources += [(city, points["name"].iloc[i], float(px[i] - x0), float(py[i] - y0)) for i in chosen]
        mean, highest = _site(
            points.iloc[chosen], px[chosen] - x0, py[chosen] - y0, axis,
            meteorology.at(weather.isel(time=slice(hours.start, hours.stop)), x0, y0),
            gridded, hours, dispersion,
        )  # fmt: skip
        means.append(mean)
        maxima.append(highest)
    if not sites:
        return xr.Dataset()
    axes = ("case", "site", "pollutant", "y_fine", "x_fine")
    return xr.Dataset(
        {
            "concentration_mean": (axes, np.stack(means, axis=1).astype(np.float32)),
            "concentration_max": (axes, np.stack(maxima, axis=1).astype(np.float32)),
            "site_name": ("site", [c.name_zh for _, c, _, _ in sites]),
            "site_city": ("site", [s[0] for s in sites]),
            "site_longitude": ("site", [s[2] for s in sites]),
            "site_latitude": ("site", [s[3] for s in sites]),
            "source_site": ("source", [s[0] for s in sources]),
            "source_name": ("source", [s[1] for s in sources]),
            "source_x": ("source", [s[2] for s in sources]),
            "source_y": ("source", [s[3] for s in sources]),
        },
        coords={
            "case": list(gridded),
            "site": [s[0] for s in sites],
            "pollutant": list(POLLUTANTS),
            "y_fine": axis,
            "x_fine": axis,
        },
        attrs={"dispersion": dispersion, "receptor_height": f"{BREATHING} m above ground"},
    )


def _site(
    points: pd.DataFrame,
    x: np.ndarray,
    y: np.ndarray,
    axis: np.ndarray,
    weather: pd.DataFrame,
    gridded: Mapping[str, GriddedEmissions],
    hours: range,
    dispersion: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and highest hour, each (case, pollutant, y_fine, x_fine) [ug m-3]."""
    ry, rx = np.meshgrid(axis, axis, indexing="ij")
    receptors = pd.DataFrame({"x": rx.ravel(), "y": ry.ravel(), "z": BREATHING})
    stacks = pd.DataFrame(
        {
            "x": x,
            "y": y,
            "height": points["stack_height"].to_numpy(),
            "diameter": points["stack_diameter"].to_numpy(),
            "exit_velocity": points["exit_velocity"].to_numpy(),
            "exit_temperature": points["exit_temperature"].to_numpy(),
            "rate": 1.0,
            "group": points.index.astype(str),
        }
    )
    rates = np.stack([_rates(g, hours, points.index) for g in gridded.values()])
    shape = (len(gridded), len(POLLUTANTS), len(receptors))
    total, highest = np.zeros(shape), np.zeros(shape)
    for first in range(0, len(weather), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        plumes = plume.concentration(stacks, receptors, weather.iloc[part], dispersion=dispersion, by="group")
        unit = plumes.sel(group=stacks["group"].to_numpy()).transpose("time", "group", "receptor").values
        hourly = np.einsum("cpts,tsr->cptr", rates[:, :, part], unit, optimize=True)
        total += hourly.sum(axis=2)
        np.maximum(highest, hourly.max(axis=2), out=highest)
    grid = (*shape[:2], len(axis), len(axis))
    return (total / len(weather)).reshape(grid), highest.reshape(grid)


def _rates(gridded: GriddedEmissions, hours: range, sources: pd.Index) -> np.ndarray:
    """Return the hourly emission of some sources, (pollutant, hour, source) [g s-1]."""
    rows = gridded.sources.index.get_indexer(sources)
    columns = [INVENTORY_POLLUTANTS.index(p) for p in POLLUTANTS]
    hourly = [pollutants(gridded.rates(h)[rows])[:, columns] for h in hours]
    return np.stack(hourly).transpose(2, 0, 1) * 1e3
