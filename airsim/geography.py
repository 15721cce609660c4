"""Where things are: the model grid, cities and counties, terrain, and where people live.

Three sparse weight matrices say how a quantity known by county or city meets the grid. All are made from one
lattice of points, at most 500 m apart, laid over every county (midpoint rule): simple, exact to about one
square kilometre, and the same for areas and for people.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, sparse

from airsim import shipped
from airsim.names import CITIES as CITIES  # noqa: PLC0414  many rooms take it from here

if TYPE_CHECKING:
    from pyproj import Transformer
    from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL_EDGES = (0.0, 50.0, 120.0, 250.0, 450.0, 750.0, 1200.0, 2000.0, 3000.0)
"""Default level edges [m above ground]: two levels in a winter night's mixed layer, the top above the rim."""

# Where people live inside a county, all estimated (docs/science/meteorology.md, "Geography"):
_RURAL_DENSITY = 600.0  # people per km2 of flat land in the villages of the plain
_RURAL_SHARE = 0.65  # most of a county's people that the villages may take
_TOWN_CENTRE_DENSITY = 10_000.0  # people per km2 at the middle of a county town
_TERRAIN_HEIGHT = 300.0  # m above the county's valley floor that thins settlement by 1/e
_TERRAIN_SLOPE = 0.05  # slope that thins settlement by 1/e
_URBAN_DENSITY = 1500.0  # people per km2 of an urban centre (Degree of Urbanisation, Eurostat et al. 2021)


@dataclass(frozen=True, eq=False)
class Grid:
    """Terrain-following boxes over a Lambert conformal plane. Cells are flattened as ``iy * nx + ix``.

    Attributes
    ----------
    x, y : (nx,), (ny,) ndarray
        Cell centres on the plane [m].
    spacing : float
        Side of a cell [m].
    level_edges : (nz+1,) ndarray
        Edges of the levels [m above ground].
    crs : str
        The plane, as a PROJ string.
    longitude, latitude : (ny, nx) ndarray
        Cell centres, WGS84 [deg].
    terrain : (ny, nx) ndarray
        Height of the ground [m above sea level].
    """

    x: Floats
    y: Floats
    spacing: float
    level_edges: Floats
    crs: str
    longitude: Floats
    latitude: Floats
    terrain: Floats

    @property
    def nx(self) -> int:
        """Number of cells eastward."""
        return len(self.x)

    @property
    def ny(self) -> int:
        """Number of cells northward."""
        return len(self.y)

    @property
    def nz(self) -> int:
        """Number of levels."""
        return len(self.level_edges) - 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """(nz, ny, nx)."""
        return self.nz, self.ny, self.nx

    @cached_property
    def level_thickness(self) -> Floats:
        """Thickness of each level, (nz,) [m]."""
        return np.diff(self.level_edges)

    @cached_property
    def level_height(self) -> Floats:
        """Middle of each level, (nz,) [m above ground]."""
        return (self.level_edges[:-1] + self.level_edges[1:]) / 2

    @property
    def cell_area(self) -> float:
        """Ground area of a cell [m2]."""
        return self.spacing**2

    def project(self, longitude: ArrayLike, latitude: ArrayLike) -> tuple[Floats, Floats]:
        """Return x, y on the plane [m] of WGS84 longitude, latitude [deg], of the same shape."""
        x, y = _transformer(self.crs).transform(np.asarray(longitude, float), np.asarray(latitude, float))
        return np.asarray(x), np.asarray(y)

    def unproject(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Return WGS84 longitude, latitude [deg] of x, y on the plane [m], of the same shape."""
        lon, lat = _transformer(self.crs).transform(np.asarray(x, float), np.asarray(y, float), direction="INVERSE")
        return np.asarray(lon), np.asarray(lat)

    def cell_at(self, x: ArrayLike, y: ArrayLike) -> tuple[Ints, Ints]:
        """Return row and column of the cell that holds x, y on the plane [m]; both -1 outside the grid."""
        ix = _index(np.asarray(x, float), self.x[0] - self.spacing / 2, self.spacing)
        iy = _index(np.asarray(y, float), self.y[0] - self.spacing / 2, self.spacing)
        inside = (ix >= 0) & (ix < self.nx) & (iy >= 0) & (iy < self.ny)
        return np.where(inside, iy, -1), np.where(inside, ix, -1)

    def locate(self, longitude: ArrayLike, latitude: ArrayLike) -> tuple[Ints, Ints]:
        """Return row and column of the cell at longitude, latitude [deg]; both -1 outside the grid."""
        return self.cell_at(*self.project(longitude, latitude))


@dataclass(frozen=True, eq=False)
class Geography:
    """Cities, counties and people on a grid.

    Attributes
    ----------
    grid : Grid
    counties : DataFrame
        Index `adcode` (str); columns `name_zh`, `city` (id; also "yanan" and "hanzhong", which are not in
        `CITIES`), `population` (of that part of the county which the population grid covers),
        `seat_longitude`, `seat_latitude` [deg], `geometry` (shapely, WGS84), `area` [m2], `area_in_domain`
        and `population_in_domain` (the share of each that lies on this grid [1]), `source`, `quality`.
    county_population_weights, county_area_weights : (county, ny*nx) csr_array
        Share of the county's people, of its area on the grid, in each cell. Rows sum to 1; the row of a
        county that lies wholly outside the grid is empty.
    city_weights : (city, ny*nx) csr_array
        The receptor of each city of `CITIES`: population weights over its built-up cells. Rows sum to 1, or
        are empty if the city lies outside.
    city_of_cell : (ny, nx) int ndarray
        Position in `CITIES` of the city that holds most of the cell, -1 if that is none of them.
    """

    grid: Grid
    counties: pd.DataFrame
    county_population_weights: sparse.csr_array
    county_area_weights: sparse.csr_array
    city_weights: sparse.csr_array
    city_of_cell: Ints

    @cached_property
    def population(self) -> Floats:
        """People in each cell, (ny, nx), estimated."""
        people = (self.counties.population * self.counties.population_in_domain).to_numpy()
        result: Floats = (people @ self.county_population_weights).reshape(self.grid.ny, self.grid.nx)
        return result

    def outlines(self) -> dict[str, BaseGeometry]:
        """Return the boundary of each city of `CITIES` (shapely, longitude and latitude)."""
        known = {c.id for c in CITIES}
        by_city = self.counties.groupby("city")["geometry"]
        return {str(city): shapely.union_all(parts.to_numpy()) for city, parts in by_city if city in known}


def make_grid(
    bounds: tuple[float, float, float, float] = (105.5, 33.0, 112.5, 36.5),
    spacing: float = 5000.0,
    level_edges: tuple[float, ...] = LEVEL_EDGES,
) -> Grid:
    """Lay a grid over a longitude-latitude box.

    The plane is a Lambert conformal conic about the box's middle with standard parallels a sixth and five
    sixths of the way up, so that its scale stays within 0.1 % over the default box.

    Parameters
    ----------
    bounds : (west, south, east, north)
        WGS84 [deg].
    spacing : float
        Side of a cell [m].
    level_edges : (nz+1,) sequence
        Edges of the levels [m above ground], from 0 upward.

    Raises
    ------
    ValueError
        If the box is empty, smaller than two cells, or beyond the shipped terrain; or the levels do not rise
        from 0.
    """
    west, south, east, north = bounds
    edges = np.asarray(level_edges, float)
    if not (west < east and south < north and spacing > 0):
        raise ValueError(f"empty grid: bounds {bounds}, spacing {spacing}")
    if len(edges) < 2 or edges[0] != 0 or np.any(np.diff(edges) <= 0):
        raise ValueError(f"level_edges must rise from 0, got {level_edges}")
    lat_0, lon_0, rise = (south + north) / 2, (west + east) / 2, north - south
    crs = (
        f"+proj=lcc +lat_1={south + rise / 6:.9g} +lat_2={north - rise / 6:.9g} +lat_0={lat_0:.9g} "
        f"+lon_0={lon_0:.9g} +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs"
    )
    px, py = _transformer(crs).transform([west, east, lon_0, lon_0], [lat_0, lat_0, south, north])
    nx, ny = round((px[1] - px[0]) / spacing), round((py[3] - py[2]) / spacing)
    if nx < 2 or ny < 2:
        raise ValueError(f"a grid needs at least 2 x 2 cells, got {nx} x {ny}: bounds {bounds}, spacing {spacing}")
    x = (px[0] + px[1]) / 2 + (np.arange(nx) - (nx - 1) / 2) * spacing
    y = (py[2] + py[3]) / 2 + (np.arange(ny) - (ny - 1) / 2) * spacing
    xx, yy = np.meshgrid(x, y)
    longitude, latitude = _transformer(crs).transform(xx, yy, direction="INVERSE")
    terrain_lon, terrain_lat, _ = _terrain()
    for name, here, known in (("longitude", longitude, terrain_lon), ("latitude", latitude, terrain_lat)):
        if here.min() < known[0] - 0.05 or here.max() > known[-1] + 0.05:
            raise ValueError(
                f"bounds {bounds} reach beyond the shipped terrain: {name} "
                f"{here.min():.2f}..{here.max():.2f}, "
                f"known {known[0] - 0.05:.2f}..{known[-1] + 0.05:.2f}"
            )
    height, _ = _terrain_at(longitude, latitude)
    return Grid(x, y, float(spacing), edges, crs, longitude, latitude, height)


def load(grid: Grid) -> Geography:
    """Put the shipped counties, their people and the cities on a grid.

    A county's people are spread over its points as villages plus a town about the seat. The villages hold
    up to 600 people per km2 of flat low land (thinner with height above the county's floor and with slope),
    but at most 65 % of the people; the rest live in the town, whose density falls off exponentially from
    the seat (Clark 1951, eq. 1) with the scale that makes 10 000 per km2 in its middle. Districts that the
    population grid cannot tell apart (a `population_group`) are spread together about all their seats, and
    each gets the people that fall inside it. All of this is estimated.

    A city's receptor cells are the cells of its urban districts (names in 区; Hancheng as a whole) with at
    least 1500 of its people per km2 (an urban centre by the Degree of Urbanisation), or, in a small city,
    at least half the density of its densest cell: monitoring stations stand in built-up areas.

    Parameters
    ----------
    grid : Grid

    Returns
    -------
    Geography
    """
    counties = _counties()
    county, x, y, spacing = _lattice(grid, counties)
    cell = _flat_cell(grid, x, y)
    on_grid = cell >= 0
    n = len(counties)
    people = _settle(grid, counties, county, x, y, spacing)
    counties["population"] = np.bincount(county, people, n)
    area = np.bincount(county, minlength=n) * spacing**2
    counties["area"] = area
    counties["area_in_domain"] = np.bincount(county, on_grid, n) * spacing**2 / area
    # a county without people (beyond the population grid) has no share of people on the grid either
    counties["population_in_domain"] = np.bincount(county, people * on_grid, n) / np.maximum(
        counties["population"].to_numpy(), 1e-9
    )

    def by_cell(row: Ints, value: Floats, rows: int, chosen: NDArray[np.bool_]) -> sparse.csr_array:
        matrix = sparse.coo_array((value[chosen], (row[chosen], cell[chosen])), shape=(rows, grid.ny * grid.nx)).tocsr()
        matrix.sum_duplicates()
        return matrix

    city_index = {c.id: i for i, c in enumerate(CITIES)}
    city = counties["city"].map(lambda c: city_index.get(c, -1)).to_numpy()[county]
    ones = np.ones(len(county))
    share = by_cell(city, ones, len(CITIES), on_grid & (city >= 0)).toarray() * (spacing / grid.spacing) ** 2
    elsewhere = 1 - share.sum(axis=0)
    city_of_cell = np.where(share.max(axis=0) > elsewhere, share.argmax(axis=0), -1)

    urban = (counties["name_zh"].str.endswith("区") | (counties["city"] == "hancheng")).to_numpy()[county]
    town = by_cell(city, people, len(CITIES), on_grid & (city >= 0) & urban)
    density = town.data / (grid.cell_area / 1e6)
    row = np.repeat(np.arange(len(CITIES)), np.diff(town.indptr))
    densest = np.zeros(len(CITIES))
    np.maximum.at(densest, row, density)
    town.data[density < np.minimum(_URBAN_DENSITY, densest / 2)[row]] = 0.0
    town.eliminate_zeros()
    return Geography(
        grid,
        counties,
        # where nobody is known to live, the area stands in
        _rows_to_one(by_cell(county, people + 1e-9, n, on_grid)),
        _rows_to_one(by_cell(county, ones, n, on_grid)),
        _rows_to_one(town),
        city_of_cell.reshape(grid.ny, grid.nx),
    )


@lru_cache(maxsize=16)
def _transformer(crs: str) -> Transformer:
    from pyproj import Transformer

    return Transformer.from_crs("EPSG:4326", crs, always_xy=True)


def _index(value: Floats, origin: float, spacing: float) -> Ints:
    # NaN and values far outside must not overflow the cast
    position = np.floor((value - origin) / spacing)
    return np.where(np.abs(position) < 1e9, position, -1.0).astype(np.int64)


def _flat_cell(grid: Grid, x: Floats, y: Floats) -> Ints:
    iy, ix = grid.cell_at(x, y)
    return np.where(ix >= 0, iy * grid.nx + ix, -1)


def _rows_to_one(matrix: sparse.csr_array) -> sparse.csr_array:
    total = matrix.sum(axis=1)
    matrix.data /= np.repeat(total, np.diff(matrix.indptr))
    return matrix


@lru_cache(maxsize=1)
def _terrain() -> tuple[Floats, Floats, Floats]:
    """Return longitude (m,), latitude (n,) [deg], ascending, and height (n, m) [m] of the terrain table."""
    with shipped.path("data/geography/terrain.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    table = np.array([[float(v) for v in row] for row in rows[1:]])
    return np.array([float(v) for v in rows[0][1:]]), table[:, 0], table[:, 1:]


def _terrain_at(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Return height [m] and slope [1], bilinear between the shipped cell means, held constant beyond them."""
    lon, lat, height = _terrain()
    metre_y = 111_200.0 * (lat[1] - lat[0])
    metre_x = 111_200.0 * (lon[1] - lon[0]) * np.cos(np.radians(lat.mean()))
    slope = np.hypot(np.gradient(height, metre_y, axis=0), np.gradient(height, metre_x, axis=1))
    where = np.stack([(latitude - lat[0]) / (lat[1] - lat[0]), (longitude - lon[0]) / (lon[1] - lon[0])])
    return tuple(  # type: ignore[return-value]
        ndimage.map_coordinates(field, where, order=1, mode="nearest") for field in (height, slope)
    )


def _counties() -> pd.DataFrame:
    table = pd.read_csv(
        shipped.path("data/geography/counties.csv"),
        encoding="utf-8-sig",
        dtype={"adcode": str, "population": float},
        keep_default_na=False,
    ).set_index("adcode")
    text = shipped.path("data/geography/counties.geojson").read_text(encoding="utf-8")
    geometry = {
        feature["properties"]["adcode"]: shapely.from_geojson(json.dumps(feature["geometry"]))
        for feature in json.loads(text)["features"]
    }
    table["geometry"] = pd.Series(geometry)
    return table


def _lattice(grid: Grid, counties: pd.DataFrame) -> tuple[Ints, Floats, Floats, float]:
    """Return county number, x, y [m] of the lattice points inside each county, and their spacing [m].

    The lattice divides the grid's cells evenly and goes on beyond the grid, so that a county cut by the
    edge is known as a whole. A county too small to catch a point gets the point inside it that shapely
    picks.
    """
    spacing = grid.spacing / np.ceil(grid.spacing / 500.0)
    polygons = shapely.transform(
        counties["geometry"].to_numpy(), lambda lonlat: np.stack(grid.project(*lonlat.T), axis=-1)
    )
    shapely.prepare(polygons)
    x0, y0 = grid.x[0] - grid.spacing / 2, grid.y[0] - grid.spacing / 2
    number, xs, ys = [], [], []
    for i, (polygon, (xa, ya, xb, yb)) in enumerate(zip(polygons, shapely.bounds(polygons), strict=True)):
        px = x0 + spacing * (np.arange(np.floor((xa - x0) / spacing), np.ceil((xb - x0) / spacing)) + 0.5)
        py = y0 + spacing * (np.arange(np.floor((ya - y0) / spacing), np.ceil((yb - y0) / spacing)) + 0.5)
        x, y = (a.ravel() for a in np.meshgrid(px, py))
        inside = shapely.contains_xy(polygon, x, y)
        x, y = x[inside], y[inside]
        if len(x) == 0:
            point = polygon.representative_point()
            x, y = np.array([point.x]), np.array([point.y])
        number.append(np.full(len(x), i))
        xs.append(x)
        ys.append(y)
    return np.concatenate(number), np.concatenate(xs), np.concatenate(ys), float(spacing)


def _settle(grid: Grid, counties: pd.DataFrame, county: Ints, x: Floats, y: Floats, spacing: float) -> Floats:
    """Return the people at each lattice point, by the rule that `load` states."""
    height, slope = _terrain_at(*grid.unproject(x, y))
    seat_x, seat_y = grid.project(counties["seat_longitude"].to_numpy(), counties["seat_latitude"].to_numpy())
    own = pd.Series(counties.index, index=counties.index)
    unit = counties["population_group"].where(counties["population_group"] != "", own)
    code, names = pd.factorize(unit)
    order = np.argsort(code[county], kind="stable")
    bounds = np.searchsorted(code[county][order], np.arange(len(names) + 1))
    people = np.zeros(len(county))
    for u in range(len(names)):
        at = order[bounds[u] : bounds[u + 1]]
        members = np.flatnonzero(code == u)
        total = counties["population"].to_numpy()[members].sum()
        if total == 0:
            continue
        above = np.maximum(height[at] - np.percentile(height[at], 10), 0)
        suits = np.exp(-above / _TERRAIN_HEIGHT - slope[at] / _TERRAIN_SLOPE)
        land = suits.sum() * (spacing / 1000) ** 2
        rural = min(_RURAL_SHARE * total, _RURAL_DENSITY * land)
        per_town = (total - rural) / len(members)
        # Clark (1951): density = centre exp(-r / scale), whose integral over the plane is 2 pi scale^2 centre
        scale = 1000 * np.sqrt(per_town / (2 * np.pi * _TOWN_CENTRE_DENSITY))
        people[at] = rural * suits / suits.sum()
        for m in members:
            r = np.hypot(x[at] - seat_x[m], y[at] - seat_y[m])
            # the nearest point keeps a town much smaller than the lattice from vanishing
            town = suits * np.exp(-(r - r.min()) / scale)
            people[at] += per_town * town / town.sum()
    return people
