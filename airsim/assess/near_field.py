"""Stacks around a city on a fine grid, and at named places: what their plumes add at the ground, hour by hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from airsim import meteorology, plume
from airsim.clock import to_beijing
from airsim.geography import CITIES, Geography
from airsim.inventory import POLLUTANTS as INVENTORY_POLLUTANTS
from airsim.inventory import GriddedEmissions, Inventory
from airsim.inventory.gridding import pollutants
from airsim.rules import Rule

Array = npt.NDArray[Any]

POLLUTANTS = ("SO2", "NOx", "PM25")
#: Receptors stand at breathing height [m].
BREATHING = 1.5
#: How far from a named place stacks are looked for: the reach of a straight-line plume [m].
REACH = 50_000.0
#: Column of a limit in GB 3095: class 2, residential, mixed, industrial and rural areas.
_CLASS = 1


def near_field(
    geography: Geography,
    inventory: Inventory,
    gridded: Mapping[str, GriddedEmissions],
    weather: xr.Dataset,
    hours: range,
    standard: Rule,
    *,
    cities: Sequence[str],
    enterprises: int | Sequence[str],
    radius: float,
    spacing: float,
    dispersion: str,
    receptors: Sequence[Mapping[str, Any]] = (),
) -> xr.Dataset:
    """Plume statistics of point sources around each city and at named places.

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
        Meteorology of the run; the hour's values at the middle of a site, or at a named place, hold for all of it.
    hours : range
        Hours of the run that are the episode.
    standard : Rule
        A version of the rule file ``air_quality``; its class 2 limits are counted against.
    cities : sequence of str
        City ids; a city without point sources in reach is left out.
    enterprises : int or sequence of str
        How many, the largest by SO2 + NOx + PM2.5 of the year; or sources of the inventory by their index.
    radius, spacing : float
        Half width of the grid around the city's centre of population, and between its receptors [m].
    dispersion : str
        See `airsim.plume.concentration`.
    receptors : sequence of mapping
        ``name``, ``longitude``, ``latitude`` of named places.

    Returns
    -------
    Dataset
        concentration_mean, _max, _day (mean of the episode, highest hour, highest Beijing day) [ug m-3], hours_above
        and days_above the limits [1; NaN where the standard has none], all (case, site, pollutant, y_fine, x_fine);
        the same as receptor_* (case, receptor, pollutant), and receptor_contribution (receptor, stack, pollutant),
        the base case's mean by source [ug m-3].
    """
    field = _Field(geography, inventory, gridded, weather, hours, standard, dispersion)
    axis = np.arange(-radius, radius + spacing / 2, spacing)
    ry, rx = (a.ravel() for a in np.meshgrid(axis, axis, indexing="ij"))
    index = {c.id: i for i, c in enumerate(CITIES)}
    cy, cx = (a.ravel() for a in np.meshgrid(geography.grid.y, geography.grid.x, indexing="ij"))
    sites: list[tuple[str, str, float, float]] = []
    sources: list[tuple[str, str, float, float]] = []
    found: list[dict[str, Array]] = []
    chosen_anywhere: list[int] = []
    for city in cities:
        weights = geography.city_weights[[index[city]]].toarray()[0]
        if not weights.any():
            continue
        x0, y0 = float(weights @ cx), float(weights @ cy)
        chosen = field.choose(x0, y0, radius, enterprises)
        if not len(chosen):
            continue
        longitude, latitude = geography.grid.unproject(x0, y0)
        sites.append((city, CITIES[index[city]].name_zh, float(longitude), float(latitude)))
        names = field.points["name"].to_numpy()
        sources += [(city, str(names[i]), float(field.x[i] - x0), float(field.y[i] - y0)) for i in chosen]
        chosen_anywhere += [i for i in chosen if i not in chosen_anywhere]
        found.append(field.statistics(chosen, x0, y0, rx, ry)[0])
    group = xr.Dataset(attrs={"dispersion": dispersion, "receptor_height": f"{BREATHING} m above ground"})
    group.attrs |= {"standard": standard.title_en, "standard_zh": standard.title_zh}
    if sites:
        shape = (len(gridded), len(POLLUTANTS), len(axis), len(axis))
        axes = ("case", "site", "pollutant", "y_fine", "x_fine")
        for name in found[0]:
            group[name] = (axes, np.stack([f[name].reshape(shape) for f in found], axis=1).astype(np.float32))
        group["site_name"] = ("site", [s[1] for s in sites])
        group["site_city"] = ("site", [s[0] for s in sites])
        group["site_longitude"] = ("site", [s[2] for s in sites])
        group["site_latitude"] = ("site", [s[3] for s in sites])
        for k, name in enumerate(("source_site", "source_name", "source_x", "source_y")):
            group[name] = ("source", [s[k] for s in sources])
        group = group.assign_coords(site=[s[0] for s in sites], y_fine=axis, x_fine=axis)
    if receptors:
        group = group.merge(_named(field, receptors, enterprises, chosen_anywhere), combine_attrs="override")
    return group.assign_coords(case=list(gridded), pollutant=list(POLLUTANTS)) if len(group) else group


def _named(
    field: _Field, receptors: Sequence[Mapping[str, Any]], enterprises: int | Sequence[str], known: list[int]
) -> xr.Dataset:
    """Return the statistics of named places and what each stack adds there."""
    x, y = field.grid.project([r["longitude"] for r in receptors], [r["latitude"] for r in receptors])
    stacks = list(known)
    for x0, y0 in zip(x, y, strict=True):
        stacks += [i for i in field.choose(x0, y0, REACH, enterprises) if i not in stacks]
    at_place = [
        field.statistics(np.asarray(stacks), float(x0), float(y0), np.zeros(1), np.zeros(1))
        for x0, y0 in zip(x, y, strict=True)
    ]
    group = xr.Dataset(coords={"receptor": [str(r["name"]) for r in receptors]})
    group["receptor_longitude"] = ("receptor", [float(r["longitude"]) for r in receptors])
    group["receptor_latitude"] = ("receptor", [float(r["latitude"]) for r in receptors])
    axes = ("case", "receptor", "pollutant")
    for name in at_place[0][0]:
        values = np.stack([made[name][..., 0] for made, _ in at_place], axis=1)
        group["receptor_" + name.removeprefix("concentration_")] = (axes, values.astype(np.float32))
    group = group.assign_coords(stack=field.points.index[stacks].astype(str).tolist())
    group["stack_name"] = ("stack", field.points["name"].iloc[stacks].tolist())
    group["receptor_contribution"] = (
        ("receptor", "stack", "pollutant"),
        np.stack([by_source for _, by_source in at_place]).astype(np.float32),
    )
    return group


class _Field:
    """The point sources, their hourly emission and the weather, ready to be asked at any place."""

    def __init__(
        self,
        geography: Geography,
        inventory: Inventory,
        gridded: Mapping[str, GriddedEmissions],
        weather: xr.Dataset,
        hours: range,
        standard: Rule,
        dispersion: str,
    ) -> None:
        self.grid = geography.grid
        self.points = inventory.sources[inventory.sources["kind"] == "point"]
        self.x, self.y = self.grid.project(
            self.points["longitude"].to_numpy(float), self.points["latitude"].to_numpy(float)
        )
        self._weight = self.points[list(POLLUTANTS)].sum(axis=1).to_numpy()
        self._inside = self.grid.cell_at(self.x, self.y)[0] >= 0
        # (case, pollutant, hour, source) [g s-1]
        self._rates = np.stack([_rates(g, hours, self.points.index) for g in gridded.values()])
        self._weather = weather.isel(time=slice(hours.start, hours.stop))
        self._dispersion = dispersion
        local = to_beijing(self._weather["time"].values)
        days = local.astype("datetime64[D]")
        self._days = [np.flatnonzero(days == d) for d in np.unique(days)]
        limits = standard["limits"]

        def limit(period: str) -> Array:
            known = [limits.get(p, {}).get(period) for p in POLLUTANTS]
            return np.array([np.nan if v is None else float(v[_CLASS]) for v in known])

        self._hour_limit, self._day_limit = limit("hour"), limit("day")

    def choose(self, x0: float, y0: float, radius: float, enterprises: int | Sequence[str]) -> Array:
        """Return the positions of the stacks meant within a square."""
        near = (np.abs(self.x - x0) <= radius) & (np.abs(self.y - y0) <= radius) & (self._weight > 0) & self._inside
        if not isinstance(enterprises, int):
            return np.flatnonzero(near & self.points.index.isin(list(enterprises)))
        return np.flatnonzero(near)[np.argsort(-self._weight[near], kind="stable")][:enterprises]

    def statistics(self, chosen: Array, x0: float, y0: float, rx: Array, ry: Array) -> tuple[dict[str, Array], Array]:
        """Return the statistics at receptors around a place, and the base case's mean by source at the first.

        Returns
        -------
        (dict, ndarray)
            Name -> (case, pollutant, receptor); (source, pollutant) [ug m-3].
        """
        weather = meteorology.at(self._weather, x0, y0)
        receptors = pd.DataFrame({"x": rx, "y": ry, "z": BREATHING})
        points = self.points.iloc[chosen]
        stacks = pd.DataFrame(
            {
                "x": self.x[chosen] - x0,
                "y": self.y[chosen] - y0,
                "height": points["stack_height"].to_numpy(float),
                "diameter": points["stack_diameter"].to_numpy(float),
                "exit_velocity": points["exit_velocity"].to_numpy(float),
                "exit_temperature": points["exit_temperature"].to_numpy(float),
                "rate": 1.0,
                "group": points.index.astype(str),
            }
        )
        rates = self._rates[..., chosen]
        shape = (*rates.shape[:2], len(receptors))
        total, hour_max, day_max, hours_above, days_above = np.zeros((5, *shape))
        by_source = np.zeros((len(chosen), len(POLLUTANTS)))
        for day in self._days:
            plumes = plume.concentration(stacks, receptors, weather.iloc[day], dispersion=self._dispersion, by="group")
            unit = plumes.sel(group=stacks["group"].to_numpy()).transpose("time", "group", "receptor").values
            hourly = np.einsum("cpts,tsr->cptr", rates[:, :, day], unit, optimize=True)
            by_source += np.einsum("pts,ts->sp", rates[0][:, day], unit[:, :, 0])
            summed = hourly.sum(axis=2)
            total += summed
            np.maximum(hour_max, hourly.max(axis=2), out=hour_max)
            hours_above += (hourly > self._hour_limit[:, None, None]).sum(axis=2)
            # a day that the episode cuts is no day of the standard (GB 3095: 20 h)
            if len(day) >= 20:
                np.maximum(day_max, summed / len(day), out=day_max)
                days_above += summed / len(day) > self._day_limit[:, None]
        n = len(weather)
        return {
            "concentration_mean": total / n,
            "concentration_max": hour_max,
            "concentration_day": day_max,
            "hours_above": np.where(np.isnan(self._hour_limit)[:, None], np.nan, hours_above),
            "days_above": np.where(np.isnan(self._day_limit)[:, None], np.nan, days_above),
        }, by_source / n


def _rates(gridded: GriddedEmissions, hours: range, sources: pd.Index) -> Array:
    """Return the hourly emission of some sources, (pollutant, hour, source) [g s-1]."""
    rows = gridded.sources.index.get_indexer(sources)
    columns = [INVENTORY_POLLUTANTS.index(p) for p in POLLUTANTS]
    hourly = [pollutants(gridded.rates(h)[rows])[:, columns] for h in hours]
    return np.stack(hourly).transpose(2, 0, 1) * 1e3
