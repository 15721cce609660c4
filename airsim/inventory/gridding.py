"""Emissions on the grid, hour by hour: where they are, how high they go, when, and as which tracers.

Everything is linear in the sources' annual emissions, so the same parts serve forward (`at`) and backward
(`impact`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from airsim import shipped
from airsim.geography import Geography, Grid
from airsim.inventory.profiles import Profiles
from airsim.inventory.reading import POLLUTANTS, Inventory
from airsim.region.tracers import INDEX, MOLAR_MASS, TRACERS

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

ORGANIC_MATTER = 1.4
"""Mass of fresh organic matter by mass of its carbon [1] (White & Roberts 1977)."""
PRIMARY_SULPHATE = 0.025
"""Share of emitted sulphur that is sulphate at once [1]: 1 to 5 % in regional models; from memory."""

_BANDS = ((0.0, 50.0), (50.0, 120.0), (120.0, 250.0))
"""Heights [m] of the three shares of data/emissions/allocation.csv."""
_TOWN = 700.0  # people per km2 at which half of the households count as rural; estimate
_BUILT_UP = 2000.0  # people per km2 at which half of the land is no longer farmed; estimate
_UPLAND = 300.0  # m above the lower tenth of a city's land at which farming thins to 1/e; estimate
_STEEP = 0.05  # slope at which farming thins to 1/e; estimate

# Which tracers a measure on one pollutant moves: BC and OC are part of PM25, PM25 is part of PM10, and a cut
# of the larger class reaches only what the smaller ones do not name.
_MOVED = {
    "*": tuple(range(len(TRACERS))),
    "SO2": (INDEX["so2"], INDEX["sulphate"]),
    "NOx": (INDEX["nox"],),
    "PM10": (INDEX["pm_coarse"],),
    "PM25": (INDEX["bc"], INDEX["oc"], INDEX["pm25_other"]),
    "BC": (INDEX["bc"],),
    "OC": (INDEX["oc"],),
    "VOC": (INDEX["voc"],),
    "NH3": (INDEX["ammonia"],),
    "CO": (INDEX["co"],),
}


def speciate(emission: pd.DataFrame) -> Floats:
    """Turn pollutants into the transported tracers.

    BC as it is; OM = 1.4 OC; the rest of PM2.5; coarse = PM10 - PM2.5; SO2 less the primary sulphate, which
    weighs 96.06/64.06 of it; NOx as NO2; nitrate and SOA are not emitted.

    Parameters
    ----------
    emission : (source,) DataFrame
        Columns `POLLUTANTS`, in any unit of mass.

    Returns
    -------
    (source, tracer) ndarray
        Same unit, in the order of `TRACERS`.
    """
    e = {p: emission[p].to_numpy(float) for p in POLLUTANTS}
    out = np.zeros((len(emission), len(TRACERS)))
    out[:, INDEX["bc"]] = e["BC"]
    out[:, INDEX["oc"]] = ORGANIC_MATTER * e["OC"]
    # rounding in the tables may leave a hair below zero
    out[:, INDEX["pm25_other"]] = np.maximum(e["PM25"] - e["BC"] - ORGANIC_MATTER * e["OC"], 0.0)
    out[:, INDEX["pm_coarse"]] = np.maximum(e["PM10"] - e["PM25"], 0.0)
    out[:, INDEX["so2"]] = (1 - PRIMARY_SULPHATE) * e["SO2"]
    out[:, INDEX["sulphate"]] = PRIMARY_SULPHATE * e["SO2"] * MOLAR_MASS["sulphate"] / MOLAR_MASS["so2"]
    out[:, INDEX["nox"]] = e["NOx"]
    out[:, INDEX["ammonia"]] = e["NH3"]
    out[:, INDEX["co"]] = e["CO"]
    out[:, INDEX["voc"]] = e["VOC"]
    return out


def pollutants(tracers: Floats) -> Floats:
    """Turn tracers back into pollutants, the inverse of `speciate`.

    Parameters
    ----------
    tracers : (..., tracer) ndarray

    Returns
    -------
    (..., pollutant) ndarray
        In the order of `POLLUTANTS`.
    """
    t = {name: tracers[..., i] for name, i in INDEX.items()}
    fine = t["bc"] + t["oc"] + t["pm25_other"]
    by_name = {
        "SO2": t["so2"] / (1 - PRIMARY_SULPHATE),
        "NOx": t["nox"],
        "PM10": fine + t["pm_coarse"],
        "PM25": fine,
        "BC": t["bc"],
        "OC": t["oc"] / ORGANIC_MATTER,
        "VOC": t["voc"],
        "NH3": t["ammonia"],
        "CO": t["co"],
    }
    return np.stack([by_name[p] for p in POLLUTANTS], axis=-1)


def spread(bottom: Floats, top: Floats, level_edges: Floats) -> Floats:
    """Share of a layer between two heights, evenly filled, that lies in each model level.

    Parameters
    ----------
    bottom, top : ndarray
        [m above ground]; what is above the last edge counts to the last level.
    level_edges : (nz+1,) ndarray
        [m above ground].

    Returns
    -------
    (..., nz) ndarray
        Sums to 1 over the last axis.
    """
    edges = np.append(level_edges[:-1], np.inf)
    thick = np.maximum(top - bottom, 1e-3)[..., None]
    bottom = bottom[..., None]
    below = np.clip((edges - bottom) / thick, 0.0, 1.0)
    return np.diff(below, axis=-1)


def surrogates(geography: Geography) -> dict[str, sparse.csr_array]:
    """Where in each county the kinds of area sources are.

    - population: people.
    - rural_population: people x 1/(1 + density/700 km-2), for stoves.
    - roads: half people, half the square root of people, since roads thin out less than settlement does.
    - farmland: area x exp(-height above the county's lower tenth / 300 m) x exp(-slope/0.05)
      x 1/(1 + density/2000 km-2), for fields, livestock and bare soil.

    All are estimates. Of a county cut by the grid's edge only the part on the grid counts.

    Parameters
    ----------
    geography : Geography

    Returns
    -------
    dict of (county, ny*nx) csr_array
        Name -> weights [persons, or m2 for farmland].
    """
    grid, counties = geography.grid, geography.counties
    people = (counties["population"] * counties["population_in_domain"]).to_numpy()
    area = (counties["area"] * counties["area_in_domain"]).to_numpy()
    population = sparse.csr_array(sparse.diags_array(people) @ geography.county_population_weights)
    land = sparse.csr_array(sparse.diags_array(area) @ geography.county_area_weights)
    density = geography.population.ravel() / (grid.cell_area / 1e6)

    slope = np.hypot(*np.gradient(grid.terrain, grid.spacing)).ravel()
    height = grid.terrain.ravel()
    floor = np.zeros(len(counties))
    for i in range(len(counties)):
        cells = land.indices[land.indptr[i] : land.indptr[i + 1]]
        floor[i] = np.percentile(height[cells], 10) if len(cells) else 0.0
    row = np.repeat(np.arange(len(counties)), np.diff(land.indptr))
    above = np.maximum(height[land.indices] - floor[row], 0.0)

    rural = population.copy()
    rural.data = rural.data / (1 + density[rural.indices] / _TOWN)
    roads = population.copy()
    # half of all people's worth goes by the square root, county by county
    root = np.sqrt(roads.data)
    row_p = np.repeat(np.arange(len(counties)), np.diff(roads.indptr))
    total_root = np.bincount(row_p, root, len(counties))
    total = np.bincount(row_p, roads.data, len(counties))
    roads.data = 0.5 * roads.data + 0.5 * root * (total / np.maximum(total_root, 1e-30))[row_p]
    farmland = land.copy()
    farmland.data = (
        farmland.data
        * np.exp(-above / _UPLAND - slope[land.indices] / _STEEP)
        / (1 + density[land.indices] / _BUILT_UP)
    )
    return {"population": population, "rural_population": rural, "roads": roads, "farmland": farmland}


def allocation() -> dict[tuple[str, str], tuple[str, tuple[float, float, float]]]:
    """Return (sector, subsector) -> surrogate, and shares of the heights 0-50, 50-120 and 120-250 m.

    From the shipped ``data/emissions/allocation.csv``; an empty subsector stands for the whole sector.
    """
    table = pd.read_csv(shipped.path("data/emissions/allocation.csv"), encoding="utf-8-sig", keep_default_na=False)
    return {
        (str(r["sector"]), str(r["subsector"])): (
            str(r["surrogate"]),
            (float(r["below_50"]), float(r["to_120"]), float(r["to_250"])),
        )
        for r in table.to_dict("records")
    }


def _place(
    layer: sparse.csr_array, counties: pd.DataFrame, surrogate: str, city: str, county: str
) -> tuple[sparse.csr_array, float]:
    """Return cell weights (1, ny*nx) of a city, or of one county, and their sum, its share on the grid."""
    chosen = np.asarray(counties.index == county if county else counties["city"] == city)
    of = "area" if surrogate == "farmland" else "population"
    size = counties[of].to_numpy(float)[chosen]
    part = (size * counties[f"{of}_in_domain"].to_numpy(float)[chosen]).sum() / max(size.sum(), 1e-9)
    weight = np.asarray(layer[np.flatnonzero(chosen)].sum(axis=0)).ravel()
    total = weight.sum()
    if total == 0:
        return sparse.csr_array((1, layer.shape[1])), 0.0
    return sparse.csr_array(weight[None] * (part / total)), float(part)


class GriddedEmissions:
    """The emissions of an inventory on the hours of a weather dataset.

    Attributes
    ----------
    time : (hours,) datetime64[ns]
        Start of each hour [UTC].
    levels : int
        Number of levels, from the ground, that receive emissions.
    sources : DataFrame
        The inventory's sources.
    inside : (source,) ndarray
        Share of each source that lies on the grid [1].
    """

    def __init__(
        self,
        inventory: Inventory,
        geography: Geography,
        meteorology: xr.Dataset,
        profiles: Profiles | None = None,
    ) -> None:
        self.grid = geography.grid
        self.sources = inventory.sources
        self.time = meteorology["time"].to_numpy()
        self._annual = speciate(inventory.sources) * 1000.0  # kg a-1
        self._point = np.flatnonzero((inventory.sources["kind"] == "point").to_numpy())
        self._area = np.flatnonzero((inventory.sources["kind"] != "point").to_numpy())
        self._set_times(inventory, profiles or Profiles())
        self._scales, self._state = Scales(inventory, self.time), -1
        self._set_points(meteorology)
        self._set_areas(geography)
        used = np.flatnonzero(self._stack_share.any(axis=(0, 1)) | self._band_share.any(axis=0))
        self.levels = int(used.max()) + 1 if len(used) else 1

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(levels, ny, nx, tracer)."""
        return self.levels, self.grid.ny, self.grid.nx, len(TRACERS)

    def at(self, hour: int) -> Floats:
        """Emissions of one hour.

        Parameters
        ----------
        hour : int
            Position in `time`.

        Returns
        -------
        (levels, ny, nx, tracer) ndarray
            [kg s-1].
        """
        self._enter(hour)
        ny, nx = self.grid.ny, self.grid.nx
        out = np.zeros((self.levels, ny * nx, len(TRACERS)))
        rate = self._fraction[:, hour] / 3600.0
        # plain sums, not a matrix product: the same bits whatever the number of threads
        for field, profile, share in zip(self._fields, self._channel_profile, self._channel_share, strict=True):
            for at in np.flatnonzero(share * rate[profile]):
                out[at] += share[at] * rate[profile] * field
        if len(self._point):
            mass = self._now[self._point] * rate[self._profile[self._point], None]
            share = self._stack_share[hour, :, : self.levels]
            for level in range(self.levels):
                np.add.at(out[level], self._cell, share[:, level, None] * mass)
        return out.reshape(self.shape)

    def rates(self, hour: int) -> Floats:
        """Emission of each source in one hour, on the grid or not, (source, tracer) [kg s-1]."""
        self._enter(hour)
        result: Floats = self._now * (self._fraction[self._profile, hour] / 3600.0)[:, None]
        return result

    def mean_rates(self, hours: range) -> pd.DataFrame:
        """Mean emission of each source over some hours, on the grid or not.

        Parameters
        ----------
        hours : range
            Positions in `time`.

        Returns
        -------
        (source, pollutant) DataFrame
            [kg s-1], measures included.
        """
        total = np.zeros_like(self._annual)
        for hour in hours:
            total += self.rates(hour)
        mean = pollutants(total / max(len(hours), 1))
        return pd.DataFrame(mean, index=self.sources.index, columns=list(POLLUTANTS))

    def impact(self, hour: int, sensitivity: Floats) -> Floats:
        """Effect of each source's emission in one hour, given the sensitivity to emissions.

        Parameters
        ----------
        hour : int
            Position in `time`.
        sensitivity : (levels or more, ny, nx, tracer) ndarray
            Effect of 1 kg s-1 emitted there in that hour (from the adjoint).

        Returns
        -------
        (source,) ndarray
            In the effect's unit; its sum is that of ``sensitivity * at(hour)``.
        """
        rate = self.rates(hour)
        s = np.asarray(sensitivity)[: self.levels].reshape(self.levels, -1, len(TRACERS))
        effect = np.zeros(len(rate))
        if len(self._point):
            there = np.einsum("pl,lpt->pt", self._stack_share[hour, :, : self.levels], s[:, self._cell])
            effect[self._point] = np.einsum("pt,pt->p", there, rate[self._point])
        for level in range(self.levels):
            felt = self._weights @ s[level]
            effect[self._area] += self._band_share[:, level] * np.einsum("at,at->a", felt, rate[self._area])
        return effect

    def totals(self) -> pd.DataFrame:
        """Emissions by city, sector and pollutant.

        Returns
        -------
        DataFrame
            Columns city, sector, pollutant; annual [t a-1], all of the inventory, without measures; on_grid
            [t a-1], the part of it that lies on the grid; rate [kg d-1], mean over `time` with measures, on
            the grid or not; on_grid_rate [kg d-1], likewise on the grid.
        """
        whole = pollutants(self._annual) / 1000.0
        rate = self.mean_rates(range(len(self.time))).to_numpy() * 86400.0
        keys = self.sources[["city", "sector"]].reset_index(drop=True)
        parts = {
            "annual": whole,
            "on_grid": whole * self.inside[:, None],
            "rate": rate,
            "on_grid_rate": rate * self.inside[:, None],
        }
        columns = []
        for name, values in parts.items():
            table = pd.concat([keys, pd.DataFrame(values, columns=list(POLLUTANTS))], axis=1)
            by = table.groupby(["city", "sector"], sort=False)[list(POLLUTANTS)].sum().reset_index()
            columns.append(by.melt(["city", "sector"], var_name="pollutant", value_name=name))
        return pd.concat([columns[0], *(c.iloc[:, -1] for c in columns[1:])], axis=1)

    def _set_times(self, inventory: Inventory, profiles: Profiles) -> None:
        keys = [
            profiles.key(sector, sub)
            for sector, sub in zip(inventory.sources["sector"], inventory.sources["subsector"], strict=True)
        ]
        unique = sorted(set(keys))
        self._profile = np.array([unique.index(k) for k in keys], dtype=int)
        self._fraction = (
            np.stack([profiles.fraction(k, self.time) for k in unique]) if unique else np.zeros((0, len(self.time)))
        )

    def _enter(self, hour: int) -> None:
        """Make the state of an hour the present one: scaled sources, and the field of each channel."""
        state = int(self._scales.of_hour[hour])
        if state == self._state:
            return
        self._now = self._annual * self._scales.at(state)
        members = [np.flatnonzero(self._channel == c) for c in range(len(self._channel_profile))]
        self._fields = [np.asarray(self._weights[m].T @ self._now[self._area[m]]) for m in members]
        self._state = state

    def _set_points(self, meteorology: xr.Dataset) -> None:
        """Find the cell of each stack, and its share in each level and hour, (hour, point, nz)."""
        p = self.sources.iloc[self._point]
        iy, ix = self.grid.locate(p["longitude"].to_numpy(float), p["latitude"].to_numpy(float))
        on = iy >= 0
        self.inside = np.ones(len(self.sources))
        self.inside[self._point] = on
        self._point, iy, ix = self._point[on], iy[on], ix[on]
        self._cell = iy * self.grid.nx + ix
        self._stack_share = stack_levels(self.sources.iloc[self._point], self.grid, meteorology, iy, ix)

    def _set_areas(self, geography: Geography) -> None:
        """Lay out area sources: weights (area, cell), level shares, channels of like timing and height."""
        a = self.sources.iloc[self._area]
        rules = allocation()
        layers = surrogates(geography)
        known: dict[tuple[str, str, str], tuple[sparse.csr_array, float]] = {}
        rows, shares = [], []
        inside = np.zeros(len(a))
        for i, (sector, sub, city, county) in enumerate(
            zip(a["sector"], a["subsector"], a["city"], a["county"], strict=True)
        ):
            surrogate, heights = rules.get((sector, sub)) or rules[sector, ""]
            key = (surrogate, city, county)
            if key not in known:
                known[key] = _place(layers[surrogate], geography.counties, surrogate, city, county)
            row, inside[i] = known[key]
            rows.append(row)
            shares.append(heights)
        cells = self.grid.ny * self.grid.nx
        self._weights = sparse.vstack(rows, format="csr") if rows else sparse.csr_array((0, cells))
        self.inside[self._area] = inside
        bottom, top = np.array(_BANDS).T
        band = spread(bottom, top, self.grid.level_edges)
        self._band_share = np.array(shares, float).reshape(len(rows), len(_BANDS)) @ band
        pairs = [(int(k), tuple(s)) for k, s in zip(self._profile[self._area], self._band_share.tolist(), strict=True)]
        channels = sorted(set(pairs))
        self._channel = np.array([channels.index(p) for p in pairs], dtype=int)
        self._channel_profile = np.array([k for k, _ in channels], dtype=int)
        self._channel_share = np.array([s for _, s in channels]).reshape(len(channels), self.grid.nz)


class Scales:
    """What measures leave of each source and tracer, hour by hour; hours alike share one state.

    Parameters
    ----------
    inventory : Inventory
    time : (hour,) datetime64 ndarray
        Start of the hours [UTC].

    Attributes
    ----------
    count : int
        Number of states.
    of_hour : (hour,) int ndarray
        State of each hour.
    """

    def __init__(self, inventory: Inventory, time: NDArray[np.datetime64]) -> None:
        sources, scaling = inventory.sources, inventory.scaling
        rows = scaling[scaling["source"].isin(sources.index)]
        begin = time.astype("datetime64[ns]").astype("int64")
        hour = 3_600_000_000_000
        first = rows["start"].to_numpy("datetime64[ns]").astype("int64")
        last = rows["end"].to_numpy("datetime64[ns]").astype("int64")
        first = np.where(rows["start"].isna(), np.iinfo("int64").min // 2, first)
        last = np.where(rows["end"].isna(), np.iinfo("int64").max // 2, last)
        overlap = np.minimum(begin[:, None] + hour, last) - np.maximum(begin[:, None], first)
        share = np.clip(overlap / hour, 0.0, 1.0).reshape(len(begin), len(rows))
        self._states, of_hour = np.unique(share, axis=0, return_inverse=True)
        self.of_hour = of_hour.reshape(len(begin))
        self.count = len(self._states)
        self._shape = (len(sources), len(TRACERS))
        moved = _moved(rows)
        self._row = np.repeat(np.arange(len(rows)), [len(m) for m in moved])
        self._source = sources.index.get_indexer(pd.Index(rows["source"]))[self._row]
        self._tracer = np.array([t for m in moved for t in m], dtype=int)
        self._cut = 1.0 - rows["factor"].to_numpy(float)

    def at(self, state: int) -> Floats:
        """Return what is left in a state, (source, tracer) [1]."""
        left = 1.0 - self._states[state] * self._cut
        scale = np.ones(self._shape)
        np.multiply.at(scale, (self._source, self._tracer), left[self._row])
        return scale


def _moved(rows: pd.DataFrame) -> list[tuple[int, ...]]:
    """Return the tracers that each row of scaling moves; what a measure says of BC or OC, its PM25 leaves alone."""
    keys = list(rows[["source", "measure", "start", "end"]].itertuples(index=False, name=None))
    keys = [tuple("" if pd.isna(v) else v for v in key) for key in keys]
    named = {p: {k for k, q in zip(keys, rows["pollutant"], strict=True) if q == p} for p in ("BC", "OC")}
    moved = []
    for key, pollutant in zip(keys, rows["pollutant"], strict=True):
        tracers = _MOVED[pollutant]
        if pollutant == "PM25":
            said = {INDEX[p.lower()] for p, those in named.items() if key in those}
            tracers = tuple(t for t in tracers if t not in said)
        moved.append(tracers)
    return moved


def stack_levels(
    sources: pd.DataFrame, grid: Grid, meteorology: xr.Dataset, iy: NDArray[np.int64], ix: NDArray[np.int64]
) -> Floats:
    """Share of each stack's plume in each level, hour by hour.

    The plume's middle is the stack height plus the final rise over it (`airsim.plume.rise`); its depth equals
    the rise (Briggs 1975: the radius grows to half the rise), so it fills the layer from half a rise below to
    half a rise above the middle, evenly, and at least a tenth of its height.

    Parameters
    ----------
    sources : (point,) DataFrame
        Stack parameters [m, m, m s-1, K].
    grid : Grid
    meteorology : Dataset
        On that grid.
    iy, ix : (point,) ndarray
        The stacks' cells.

    Returns
    -------
    (hour, point, nz) ndarray
        [1]; sums to 1 over the levels.
    """
    from airsim.plume.rise import final_rise

    hours = meteorology.sizes["time"]
    if len(sources) == 0:
        return np.zeros((hours, 0, grid.nz))
    height = sources["stack_height"].to_numpy(float)
    level = np.clip(np.searchsorted(grid.level_edges, height, side="right") - 1, 0, grid.nz - 1)
    u = meteorology["x_wind"].to_numpy()[:, level, iy, ix].astype(float)
    v = meteorology["y_wind"].to_numpy()[:, level, iy, ix].astype(float)

    def there(name: str) -> Floats:
        return meteorology[name].to_numpy()[:, iy, ix].astype(float)

    rise = final_rise(
        height,
        sources["stack_diameter"].to_numpy(float),
        sources["exit_velocity"].to_numpy(float),
        sources["exit_temperature"].to_numpy(float),
        there("air_temperature"),
        np.hypot(u, v),
        there("friction_velocity"),
        there("obukhov_length"),
        there("atmosphere_boundary_layer_thickness"),
    )
    middle = np.maximum(height + rise, 1.0)
    half = np.maximum(0.5 * np.maximum(rise, 0.0), 0.05 * middle)
    return spread(np.maximum(middle - half, 0.0), middle + half, grid.level_edges)


def grid(inventory: Inventory, geography: Geography, meteorology: xr.Dataset) -> GriddedEmissions:
    """Put an inventory on the grid and the hours of a weather dataset.

    Parameters
    ----------
    inventory : Inventory
    geography : Geography
    meteorology : Dataset
        On the geography's grid, hourly.

    Returns
    -------
    GriddedEmissions
        Its `at(hour)` gives (levels, ny, nx, tracer) [kg s-1].
    """
    return GriddedEmissions(inventory, geography, meteorology)
