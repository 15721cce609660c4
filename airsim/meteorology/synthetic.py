"""A seeded winter episode for the Guanzhong basin: build-up, stagnant core, break by a cold front.

No weather that ever was: climatology of the stations sets levels and daily courses, the terrain sets where
air is blocked, drains and gathers, a few stated figures set the phases, and a seed sets the hourly wander.
The dataset says `synthetic = "yes"`.

The wind near the ground is a sum of five parts, each small enough to reason about: mean drift, valley wind,
slope wind, what leaks down of the synoptic wind, and random eddies. Air that cannot climb is kept from
running into the wall (local Froude number). Aloft the wind blends into the synoptic flow above the rim of
the basin. Then `mass_consistent` turns it into fluxes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import interpolate, ndimage

from airsim.clock import day_of, to_beijing
from airsim.geography import Geography, Grid
from airsim.meteorology import boundary_layer as bl
from airsim.meteorology import climatology, mass_consistent
from airsim.meteorology.dataset import assemble
from airsim.meteorology.ground import SLOPE_SHARE, Relief, built_up, froude_blocking, roughness_length, slope_wind

Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]


@dataclass(frozen=True)
class Pattern:
    """When the phases of the episode begin (UTC). Before `stagnation` the pollution builds up.

    Parameters
    ----------
    stagnation : datetime64
        The stagnant core sets in, over about twelve hours.
    front : datetime64
        The cold front passes the middle of the domain; it comes from the north-west.
    """

    stagnation: np.datetime64
    front: np.datetime64

    @classmethod
    def typical(cls, start: np.datetime64, hours: int) -> Pattern:
        """Return stagnation after a third and the front after three quarters of the window.

        Two days of spin-up and ten days from 1 January 2019 (Beijing) get their core on 3 to 7 January, the
        red alert of that winter, and the front early on the 8th.
        """
        hour = np.timedelta64(1, "h")
        return cls(start + round(hours / 3) * hour, start + round(hours * 3 / 4) * hour)


@dataclass(frozen=True)
class Phase:
    """The figures that make one phase of the episode; all estimated."""

    mixing_quantile: float  # of the climatology of that hour
    local_wind: float  # drift, valley wind and eddies as a share of climatology
    synoptic_speed: float  # 3.5 km above the sea [m s-1]
    synoptic_from: float  # [deg]
    temperature: float  # against climatology [K]
    humidity: float  # against climatology [1]
    cloud: float  # against climatology [1]
    stability: float  # Brunt-Vaisala frequency of the air below the rim by night [s-1]
    clarity: float  # shortwave that the haze lets through [1]


BUILD_UP = Phase(0.42, 0.90, 6.0, 255.0, 0.0, 0.03, 0.0, 0.013, 0.92)
STAGNATION = Phase(0.17, 0.65, 4.0, 270.0, 0.0, 0.10, 0.0, 0.017, 0.80)
FRONT = Phase(0.92, 1.30, 17.0, 320.0, -4.0, -0.18, 0.15, 0.007, 1.0)
AFTERMATH = Phase(0.62, 0.95, 10.0, 300.0, -3.5, -0.10, -0.10, 0.011, 1.0)

_HOURS_AT_ONCE = 8  # keeps the temporaries in double precision small

_FRONT_SPEED = 11.0  # m s-1, of the front's advance towards the south-east
_FRONT_LASTS = 14.0  # h, in which its wind falls by 1/e
_EASTERLY_SURGE = 4.0  # times the drift: cold air comes back up the valley through the gap at Tongguan
_SURGE_LAGS = 8.0  # h, by which that return flow follows the front
_DRIFT_SHARE = 0.35  # vector mean over scalar mean wind of the stations, estimated
_EDDY_SHARE = 0.42  # standard deviation of an eddy component over the climatological speed, estimated
_EDDY_HOURS = 5.0  # h, their memory
_EDDY_SIZE = 60_000.0  # m, spacing of the knots of their stream function
_SURFACE_SHARE = 0.22  # 10 m wind over the wind above, broken country (geostrophic drag), estimated
_POOL_SHARE = 0.35  # of the basin's depth that the cold pool fills, out of the synoptic wind's reach, estimated
_RIM_HEIGHT = 3500.0  # m above the sea where the synoptic wind has its full speed


def episode(
    geography: Geography,
    *,
    start: np.datetime64 | str,
    hours: int,
    seed: int = 0,
    pattern: Pattern | None = None,
) -> xr.Dataset:
    """Make a synthetic winter episode on the model grid.

    Parameters
    ----------
    geography : Geography
        Grid, terrain, and people (for the roughness length).
    start : datetime64 or str
        Start of the first hour, UTC.
    hours : int
        Length [h].
    seed : int
        Of the random wander; the same seed gives the same bytes.
    pattern : Pattern, optional
        When the phases begin; default `Pattern.typical`.

    Returns
    -------
    Dataset
        All of `airsim.meteorology.VARIABLES`, in float32. The three air fluxes are divergence-free without
        any round-off, also in single-precision sums.

    Raises
    ------
    ValueError
        If there is no hour to make or the phases come in the wrong order.
    """
    grid = geography.grid
    begin = np.datetime64(start).astype("datetime64[ns]")
    if hours < 1:
        raise ValueError(f"hours must be at least 1, got {hours}")
    time = begin + np.arange(hours) * np.timedelta64(3600, "s")
    pattern = pattern or Pattern.typical(begin.astype("datetime64[h]"), hours)
    if not pattern.stagnation <= pattern.front:
        raise ValueError(f"the front ({pattern.front}) cannot pass before the stagnation ({pattern.stagnation})")
    relief = Relief(grid)
    roughness = roughness_length(geography, relief)
    chance = _Chance(grid, hours, seed)
    mass = mass_consistent.air_mass(grid)
    fields = _empty(grid, hours)
    fields["air_mass"], fields["roughness_length"] = mass.astype(np.float32), roughness.astype(np.float32)
    fields["urban_area_fraction"] = built_up(geography).astype(np.float32)

    def fill(first: int) -> None:
        part = slice(first, min(first + _HOURS_AT_ONCE, hours))
        some = _Hours(grid, relief, roughness, mass, time[part], pattern, chance.hours(part))
        for name, values in some.fields().items():
            fields[name][part] = values

    # numpy lets go of the interpreter; the pieces are independent, so the threads do not show in the result
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fill, range(0, hours, _HOURS_AT_ONCE)))
    fields["precipitation_flux"][:] = 0.0  # a dry episode: no rain before the front, none with it
    return assemble(
        grid,
        time,
        fields,
        {
            "title": "Synthetic winter episode, Guanzhong basin",
            "title_zh": "关中盆地冬季合成气象过程（非实况）",
            "source": "airsim.meteorology.synthetic: station and mixing-height climatology, terrain, seeded "
            "wander; not an observation and not a forecast",
            "synthetic": "yes",
            "seed": seed,
            "stagnation_begins": str(pattern.stagnation),
            "front_passes": str(pattern.front),
        },
    )


def _empty(grid: Grid, hours: int) -> dict[str, np.ndarray]:
    nz, ny, nx = grid.shape
    shapes: dict[str, tuple[int, ...]] = {
        "x_wind": (hours, nz, ny, nx),
        "y_wind": (hours, nz, ny, nx),
        "x_face_air_flux": (hours, nz, ny, nx + 1),
        "y_face_air_flux": (hours, nz, ny + 1, nx),
        "z_face_air_flux": (hours, nz + 1, ny, nx),
    }
    flat = (
        "air_temperature",
        "relative_humidity",
        "cloud_area_fraction",
        "precipitation_flux",
        "atmosphere_boundary_layer_thickness",
        "friction_velocity",
        "obukhov_length",
        "convective_velocity",
        "surface_downwelling_shortwave_flux_in_air",
    )
    shapes |= dict.fromkeys(flat, (hours, ny, nx))
    return {name: np.empty(shape, np.float32) for name, shape in shapes.items()}


class _Chance:
    """Seeded wander: first-order autoregressive in time, smooth in space."""

    def __init__(self, grid: Grid, hours: int, seed: int) -> None:
        random = np.random.Generator(np.random.PCG64(seed))
        nodes_y, nodes_x = (int(np.ceil(n * grid.spacing / _EDDY_SIZE)) + 3 for n in (grid.ny, grid.nx))
        # a stream function makes eddies that neither gather nor spread air
        self.stream = _red_noise(random, (hours, nodes_y, nodes_x), _EDDY_HOURS)
        self.quantile = _red_noise(random, (hours, nodes_y, nodes_x), 8.0)
        self.synoptic = _red_noise(random, (hours, 2), 18.0)
        self.temperature = _red_noise(random, (hours, 1), 18.0)
        self.humidity = _red_noise(random, (hours, 1), 12.0)
        self.cloud = _red_noise(random, (hours, nodes_y, nodes_x), 6.0)
        self.basis_y, self.slope_y = _spline(grid.ny, grid.spacing, nodes_y)
        self.basis_x, self.slope_x = _spline(grid.nx, grid.spacing, nodes_x)

    def hours(self, part: slice) -> dict[str, Floats]:
        """Return unit-variance fields of these hours (time, ny, nx), and series (time, ...)."""
        x_eddy = -_spread(self.stream[part], self.slope_y, self.basis_x)
        y_eddy = _spread(self.stream[part], self.basis_y, self.slope_x)
        return {
            "x_eddy": x_eddy,
            "y_eddy": y_eddy,
            "quantile": _spread(self.quantile[part], self.basis_y, self.basis_x),
            "cloud": _spread(self.cloud[part], self.basis_y, self.basis_x),
            "synoptic": self.synoptic[part],
            "temperature": self.temperature[part],
            "humidity": self.humidity[part],
        }


def _red_noise(random: np.random.Generator, shape: tuple[int, ...], memory: float) -> Floats:
    """Return unit-variance noise, first-order autoregressive along the first axis with memory [h]."""
    keep = np.exp(-1 / memory)
    noise = random.standard_normal(shape)
    for i in range(1, shape[0]):
        noise[i] = keep * noise[i - 1] + np.sqrt(1 - keep**2) * noise[i]
    return noise


def _spline(n: int, spacing: float, nodes: int) -> tuple[Floats, Floats]:
    """Return cubic B-spline values and slopes (n, nodes) at the cell centres.

    Scaled so that independent unit-variance coefficients give, on average along the axis, unit variance of
    the value; slopes likewise.
    """
    at = (np.arange(n) + 0.5) * spacing / _EDDY_SIZE
    knots = np.arange(-3, nodes + 1)
    curves = interpolate.BSpline(knots, np.eye(nodes), 3)
    value, slope = curves(at), curves.derivative()(at)
    value, slope = (b / np.sqrt((b**2).sum(axis=1).mean()) for b in (value, slope))
    return value, slope


def _spread(nodes: Floats, rows: Floats, columns: Floats) -> Floats:
    # einsum without BLAS: the same bytes whatever the number of threads
    result: Floats = np.einsum("tyi,xi->tyx", np.einsum("tji,yj->tyi", nodes, rows), columns)
    return result


class _Hours:
    """Everything the dataset holds, for a few hours at once."""

    def __init__(
        self,
        grid: Grid,
        relief: Relief,
        roughness: Floats,
        mass: Floats,
        time: Times,
        pattern: Pattern,
        chance: dict[str, Floats],
    ) -> None:
        self.grid, self.relief, self.roughness, self.mass = grid, relief, roughness, mass
        self.time, self.chance = time, chance
        self._weigh_phases(pattern)
        surface = climatology.surface(time)
        share = climatology.inverse_distance(grid, surface.longitude, surface.latitude)

        def spread(series: Floats) -> Floats:
            result: Floats = np.einsum("ts,syx->tyx", series, share)
            return result

        self.spread, self.surface = spread, surface
        self.base_height = np.einsum("s,syx->yx", surface.altitude, share)
        local = to_beijing(time) - day_of(time)
        self.local_hour = (local / np.timedelta64(1, "h") + 0.5)[:, None, None]

    def _weigh_phases(self, pattern: Pattern) -> None:
        """Weights of the four phases at each place and hour, (time, ny, nx), that sum to 1."""

        def since(event: np.datetime64) -> Floats:
            return ((self.time - event) / np.timedelta64(1, "h") + 0.5)[:, None, None]

        core = np.clip(since(pattern.stagnation) / 12.0 + 0.5, 0, 1)
        core = core * core * (3 - 2 * core)
        along = (self.grid.x - self.grid.y[:, None]) / np.sqrt(2)  # towards the south-east
        passed = since(pattern.front) - along / _FRONT_SPEED / 3600.0
        after = np.clip(passed / 3.0, 0, 1)
        front = after * np.exp(-np.maximum(passed - 3.0, 0) / _FRONT_LASTS)
        self.front = front
        self.surge = front * np.clip(passed / _SURGE_LAGS, 0, 1)
        self.weights = (
            (BUILD_UP, (1 - core) * (1 - after)),
            (STAGNATION, core * (1 - after)),
            (FRONT, front),
            (AFTERMATH, after - front),
        )

    def _phase(self, name: str) -> Floats:
        """Return a figure of the phases, weighted, (time, ny, nx)."""
        result: Floats = sum(getattr(phase, name) * weight for phase, weight in self.weights)
        return result

    def fields(self) -> dict[str, np.ndarray]:
        """Return every time-dependent field of the dataset except precipitation."""
        cloud = np.clip(self.spread(self.surface.cloud) + self._phase("cloud") + 0.15 * self.chance["cloud"], 0.0, 1.0)
        shortwave = self._shortwave(cloud)
        temperature, humidity = self._air()
        heat = bl.sensible_heat_flux(bl.net_radiation(shortwave, cloud, temperature), temperature)
        mixing = self._mixing_height()

        x10, y10, slope_x, slope_y, slope_depth = self._ground_wind(cloud, heat, temperature)
        _, length, _ = bl.surface_layer(np.hypot(x10, y10), 10.0, temperature, heat, cloud, self.roughness, mixing)
        x_wind, y_wind = self._column(x10, y10, slope_x, slope_y, slope_depth, mixing, length)
        x_flux, y_flux = mass_consistent.face_fluxes(x_wind, y_wind, self.mass, self.grid.spacing)
        x_flux, y_flux = mass_consistent.remove_column_divergence(
            x_flux, y_flux, self.mass, freedom=self.grid.level_height / (self.grid.level_height + 500.0)
        )
        x_wind, y_wind = mass_consistent.centre_winds(x_flux, y_flux, self.mass, self.grid.spacing)
        x_single, y_single, z_single = mass_consistent.exact_single(x_flux, y_flux)
        # the surface layer once more, now under the wind that is delivered
        lowest = float(self.grid.level_height[0])
        stress_velocity, length, convective = bl.surface_layer(
            np.hypot(x_wind[:, 0], y_wind[:, 0]), lowest, temperature, heat, cloud, self.roughness, mixing
        )
        return {
            "x_wind": x_wind,
            "y_wind": y_wind,
            "x_face_air_flux": x_single,
            "y_face_air_flux": y_single,
            "z_face_air_flux": z_single,
            "air_temperature": temperature,
            "relative_humidity": humidity,
            "cloud_area_fraction": cloud,
            "atmosphere_boundary_layer_thickness": mixing,
            "friction_velocity": stress_velocity,
            "obukhov_length": length,
            "convective_velocity": convective,
            "surface_downwelling_shortwave_flux_in_air": shortwave,
        }

    def _shortwave(self, cloud: Floats) -> Floats:
        """Hour-mean shortwave at the ground [W m-2], dimmed by the haze."""
        quarter = self.time[:, None, None] + np.array([450, 1350, 2250, 3150]).reshape(4, 1, 1, 1) * np.timedelta64(
            1, "s"
        )
        sine = bl.sine_of_solar_elevation(quarter, self.grid.longitude, self.grid.latitude)
        result: Floats = bl.shortwave(sine, cloud).mean(axis=0) * self._phase("clarity")
        return result

    def _air(self) -> tuple[Floats, Floats]:
        """Temperature [K] and relative humidity [1] at 2 m."""
        fall = 0.0055 * (self.grid.terrain - self.base_height)
        wander = self.chance["temperature"][:, :, None], self.chance["humidity"][:, :, None]
        temperature = self.spread(self.surface.air_temperature) + self._phase("temperature") - fall + 1.2 * wander[0]
        humidity = self.spread(self.surface.relative_humidity) + self._phase("humidity") + 0.05 * wander[1]
        return temperature, np.clip(humidity, 0.15, 0.97)

    def _mixing_height(self) -> Floats:
        """Mixing height [m]: the phase's quantile of the hour's climatology, between the cities by distance.

        Over a hill the convective layer is thinner and over a hollow thicker than over the plain, for its
        top is smoother than the ground (De Wekker & Kossmann 2015): a third of the departure from the
        terrain smoothed over 25 km, within a third of the height itself.
        """
        longitude, latitude, table = climatology.mixing_height(self.time)
        share = climatology.inverse_distance(self.grid, longitude, latitude)
        percentile = np.einsum("tpc,cyx->tpyx", table, share)
        wanted = np.clip(self._phase("mixing_quantile") + 0.08 * self.chance["quantile"], 0.03, 0.97)
        height = np.zeros_like(wanted)
        p = climatology.PERCENTILES
        for i in range(len(p) - 1):  # linear between the percentiles and straight on beyond the outer two
            low = -np.inf if i == 0 else p[i]
            high = np.inf if i == len(p) - 2 else p[i + 1]
            chosen = (wanted >= low) & (wanted < high)
            line = percentile[:, i] + (percentile[:, i + 1] - percentile[:, i]) * (wanted - p[i]) / (p[i + 1] - p[i])
            height = np.where(chosen, line, height)
        departure = self.grid.terrain - ndimage.gaussian_filter(
            self.grid.terrain, 25_000.0 / self.grid.spacing, mode="nearest"
        )
        height = height - np.clip(departure / 3, -height / 3, height / 3)
        return np.maximum(height, 40.0)

    def _synoptic(self) -> tuple[Floats, Floats]:
        """Wind above the rim of the basin, components [m s-1]."""
        wander = self.chance["synoptic"][:, :, None, None]
        speed = self._phase("synoptic_speed") * np.exp(0.2 * wander[:, 0])
        # directions of the phases are blended as vectors
        radians = [(np.radians(phase.synoptic_from), weight) for phase, weight in self.weights]
        direction = np.arctan2(
            sum(np.sin(a) * w for a, w in radians), sum(np.cos(a) * w for a, w in radians)
        ) + np.radians(15.0 * wander[:, 1])
        return -speed * np.sin(direction), -speed * np.cos(direction)

    def _ground_wind(
        self, cloud: Floats, heat: Floats, temperature: Floats
    ) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Wind at 10 m without the slope wind, and the slope wind with its depth."""
        enclosure, local = self.relief.enclosure, self._phase("local_wind")
        speed = self.spread(self.surface.wind_speed)
        # mean drift along the basin floor; behind the front the cold air comes back from the east
        towards = np.radians(self.surface.mean_wind_from + 180)
        mean = self.surface.daily_wind_speed * _DRIFT_SHARE
        surge = 1 + (_EASTERLY_SURGE - 1) * self.surge
        drift_x, drift_y = (self.spread(mean * f(towards)) * enclosure * surge * local for f in (np.sin, np.cos))
        # up the valley by day, down by night, half the station's daily range; last to turn (Whiteman 2000)
        swing = 0.5 * np.cos(2 * np.pi * (self.local_hour - 15.5) / 24) * (1 - 0.6 * cloud)
        swing = swing * self.spread(self.surface.daily_wind_range) * enclosure * local
        up_x, up_y = self.relief.up_valley
        eddy = _EDDY_SHARE * speed * local
        # what leaks down of the wind above: little into a closed basin, unless the front stirs it
        leak = _SURFACE_SHARE * (1 - 0.92 * enclosure * (1 - 0.6 * self.front))
        above_x, above_y = self._synoptic()
        x = drift_x + swing * up_x + eddy * self.chance["x_eddy"] + leak * above_x
        y = drift_y + swing * up_y + eddy * self.chance["y_eddy"] + leak * above_y
        # day mixes the stability away to a good half
        day = np.clip(heat / 60.0, 0, 1)
        x, y = froude_blocking(x, y, self.relief, self._phase("stability") * (1 - 0.45 * day))
        # a strong wind leaves no slope wind
        calm = 1 / (1 + (np.hypot(x, y) / 3.0) ** 2)
        slope_x, slope_y, depth = slope_wind(heat, temperature, self.relief)
        return x, y, SLOPE_SHARE * calm * slope_x, SLOPE_SHARE * calm * slope_y, depth

    def _column(
        self,
        x10: Floats,
        y10: Floats,
        slope_x: Floats,
        slope_y: Floats,
        slope_depth: Floats,
        mixing: Floats,
        length: Floats,
    ) -> tuple[Floats, Floats]:
        """Wind in every level (time, level, ny, nx) [m s-1].

        Similarity profile up to the mixing height (not above 100 m where it is lower, and never more than
        2.5 times the wind at 10 m), then, from the top of the cold pool or of the mixed layer, a smooth
        passage to the synoptic wind over the rim.
        """
        above_x, above_y = self._synoptic()
        pool = _POOL_SHARE * self.relief.rim_above * self.relief.enclosure * (1 - self.front)
        base = np.maximum(np.maximum(0.6 * mixing, pool), 80.0)
        rim = np.maximum(self.relief.rim_above, base + 500.0)
        x = np.empty((len(self.time), *self.grid.shape))
        y = np.empty_like(x)
        edges = self.grid.level_edges
        for k, z in enumerate(self.grid.level_height):
            profile = np.minimum(
                bl.wind_ratio(np.minimum(z, np.maximum(mixing, 100.0)), 10.0, self.roughness, length), 2.5
            )
            climb = np.clip((z - base) / (rim - base), 0, 1)
            blend = climb * climb * (3 - 2 * climb)
            blend = 1 - (1 - blend) * (1 - 0.5 * self.front)
            full = 0.45 + 0.55 * np.minimum((z + self.grid.terrain) / _RIM_HEIGHT, 1.0)
            # the share of the level that the slope wind fills
            filled = np.clip((slope_depth - edges[k]) / (edges[k + 1] - edges[k]), 0, 1)
            x[:, k] = (1 - blend) * profile * x10 + blend * full * above_x + filled * slope_x
            y[:, k] = (1 - blend) * profile * y10 + blend * full * above_y + filled * slope_y
        return x, y
