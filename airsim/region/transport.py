"""The transport operator of the region: forward, its exact transpose, and the budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from airsim.errors import InputError
from airsim.region import chemistry, deposition, kernels
from airsim.region.coefficients import Coefficients, load
from airsim.region.diffusion import eddy_diffusivity, horizontal_diffusivity, least_diffusivity
from airsim.region.tracers import TRACERS

if TYPE_CHECKING:
    from airsim.geography import Grid
from airsim.region.weather_checks import DIMENSIONS, check_weather, not_finite, stamp_of, transport_problem, unclosed

Array = NDArray[Any]
HOUR = 3600.0
# A step goes X Y Z | local processes | Z Y X (Strang 1968); at least this many an hour, and as many more as keep
# the air of every box positive between sweeps.
MIN_STEPS = 3
MOST_CONVERGENCE = 0.7
# the vertical air flux may miss continuity by this share of a box's air an hour before the wind is refused
CONTINUITY = 1e-2
UG = 1e9  # micrograms in a kilogram


@dataclass(frozen=True)
class Budget:
    """Where the tracer came from and where it went; every field (tracer, columns) unless noted.

    initial + emitted + inflow + chemical = in_air + dry + wet + outflow, to round-off.

    Parameters
    ----------
    initial, emitted, inflow, chemical : ndarray
        In the air at the start, emitted, come in through sides and top, net gain by transformation [kg].
    in_air, dry, wet, outflow : ndarray
        In the air at the end, deposited dry and wet, gone out through sides and top [kg].
    minimum : ndarray
        Smallest concentration at the end of any hour, zero if none is negative [ug m-3].
    negative : ndarray
        Largest share of undershoot in the tracer in the air at the end of any hour [1].
    dry_deposition, wet_deposition : ndarray
        Deposits per cell, (y, x, tracer, columns) [kg].
    """

    initial: Array
    emitted: Array
    inflow: Array
    chemical: Array
    in_air: Array
    dry: Array
    wet: Array
    outflow: Array
    minimum: Array
    negative: Array
    dry_deposition: Array
    wet_deposition: Array

    @property
    def residual(self) -> Array:
        """Unexplained share of the tracer that passed through, (tracer, columns) [1]."""
        came = self.initial + self.emitted + self.inflow + np.maximum(self.chemical, 0.0)
        went = self.in_air + self.dry + self.wet + self.outflow - np.minimum(self.chemical, 0.0)
        result: Array = np.divide(came - went, came, out=np.zeros_like(came), where=came != 0.0)
        return result

    def to_dataset(self) -> xr.Dataset:
        """Return the budget with named dimensions and units."""
        data = {}
        for field in fields(self):
            values = getattr(self, field.name)
            dims = ("y", "x", "tracer", "column") if values.ndim == 4 else ("tracer", "column")
            units = {"minimum": "ug m-3", "negative": "1"}.get(field.name, "kg")
            data[field.name] = (dims, values, {"units": units})
        return xr.Dataset(data, coords={"tracer": list(TRACERS)})


@dataclass(frozen=True)
class _Sweep:
    """What one sweep does to every box, whatever the tags hold; see `kernels.stencils` and `kernels.transpose`."""

    axis: int
    first: Array
    weights: Array
    ends: Array

    @classmethod
    def of(cls, axis: int, mass: Array, moved: Array, spread: Array, dtype: np.dtype, times: float = 1.0) -> _Sweep:
        """Work out a sweep that begins with this air mass, (level, y, x), and moves that air so many times [kg]."""
        shape = mass.shape
        given = (mass.ravel(), moved.ravel(), spread.ravel(), times, axis, *shape)
        strips, lines = kernels.strips(axis, *shape)
        count = np.empty((strips, lines), np.int64)
        kernels.divide(*given, count)
        first = np.concatenate([[0], np.cumsum(count.max(1))])
        size = (shape[2], shape[1], shape[0])[axis]
        weights = np.empty((first[-1], 4, size * lines), dtype)
        ends = np.empty((first[-1], 2, lines))
        kernels.stencils(*given, count, first, weights, ends)
        return cls(axis, first, weights, ends)

    def transposed(self) -> _Sweep:
        """Return the transpose, which knows no ends: its weights are five to a box."""
        passes, _, boxes = self.weights.shape
        turned = np.empty((passes, 5, boxes), self.weights.dtype)
        kernels.transpose(self.weights, self.ends.shape[2], turned)
        return _Sweep(self.axis, self.first, turned, self.ends)


@dataclass(frozen=True)
class _Hour:
    """What one hour's weather makes of the operator; amounts of air per step [kg].

    A step is y_out, rise, local processes, fall, y_back, x_twice, where the last x sweep of a step and the first of the
    next are one; the hour begins with x_first and ends, in place of x_twice, with x_last.
    """

    steps: int
    x_first: _Sweep
    x_twice: _Sweep
    x_last: _Sweep
    y_out: _Sweep
    y_back: _Sweep
    rise: _Sweep
    fall: _Sweep
    pivot: Array
    factor: Array
    sink: Array
    decay: Array
    keep: Array
    raining: Array
    sampling: Array

    def transposed(self) -> _Hour:
        """Return the hour with its sweeps transposed."""
        sweeps: dict[str, Any] = {k: v.transposed() for k, v in vars(self).items() if isinstance(v, _Sweep)}
        return replace(self, **sweeps)


class Transport:
    """Linear transport, transformation and deposition on a grid of boxes for one weather.

    One step carries every tag along x, y and z, mixes, deposits, transforms and washes it, and carries it along
    z, y and x (Strang 1968). Sweeps move mixing ratio with the air mass they themselves move (Easter 1993, Mon.
    Wea. Rev. 121, 297; Lin & Rood 1996), so a uniform mixing ratio stays uniform, and use an unlimited parabola
    through three boxes in the coordinate of air mass (third order; QUICKEST of Leonard 1979 on an even grid): no
    limiter, hence linear. Undershoots are counted in the `Budget`, never cut off.

    Parameters
    ----------
    grid : Grid
        The boxes.
    meteorology : xarray.Dataset
        Hourly weather on that grid; read hour by hour, so it may be larger than memory.
    coefficients : Coefficients, optional
        Rates and resistances; the shipped ones by default.
    dtype : {"float32", "float64"}
        Precision of the state. Budgets are always kept in float64.

    Raises
    ------
    InputError
        If a field is missing, has the wrong shape, is not finite, leaves out an hour, or the wind does not
        conserve air; the hour is named.
    """

    def __init__(
        self,
        grid: Grid,
        meteorology: xr.Dataset,
        coefficients: Coefficients | None = None,
        dtype: str = "float32",
    ) -> None:
        self.grid = grid
        self.coefficients = load() if coefficients is None else coefficients
        self.dtype = np.dtype(dtype)
        self.meteorology = meteorology
        check_weather(grid, meteorology)
        self.time = meteorology["time"].values
        self.hours = len(self.time)
        edges = np.asarray(grid.level_edges, float)
        self._edges = edges
        volume = (edges[1:] - edges[:-1])[:, None, None] * grid.spacing**2
        self.air_mass = np.ascontiguousarray(self._field("air_mass"), np.float64)
        self.density = self.air_mass / volume
        self._roughness = np.asarray(self._field("roughness_length"), np.float64)
        built_up = np.zeros_like(self._roughness)
        if "urban_area_fraction" in meteorology:
            built_up = np.asarray(self._field("urban_area_fraction"), np.float64)
        self._least_diffusivity = least_diffusivity(edges[1:-1, None, None], built_up, self.coefficients.diffusion)
        self._products = chemistry.products(self.coefficients.chemistry)

    # ---------------------------------------------------------------- streaming

    def run(
        self,
        emissions: Callable[[int], Array],
        *,
        columns: int,
        initial: Array | None = None,
        inflow: Array | None = None,
        observe: Callable[[int, Array], None] | None = None,
        levels: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Budget:
        """Carry any number of columns (cases or source tags) of all tracers through the whole weather.

        Parameters
        ----------
        emissions : callable
            ``emissions(hour)`` -> (lowest levels, y, x, tracer, columns) [kg s-1], constant over the hour.
        columns : int
            Number of columns.
        initial, inflow : ndarray, optional
            Concentration at the start and in air that comes in, (tracer, columns) or (level, tracer, columns)
            [ug m-3]; `initial` may also be (level, y, x, tracer, columns). Zero if not given. Without y and x it
            means one mixing ratio a level, with that concentration at the level's mean air density.
        observe : callable, optional
            ``observe(hour, mean)`` gets the hourly mean concentration (level, y, x, tracer, columns) [ug m-3];
            the array is used again for the next hour, so copy what is to be kept.
        levels : int, optional
            How many levels, from the ground up, `observe` wants; all by default.
        progress : callable, optional
            ``progress(hours done, hours)``.

        Returns
        -------
        Budget
        """
        nz, ny, nx = self.air_mass.shape
        tags = len(TRACERS) * columns
        q = self._mixing_ratio(initial, columns, whole=True)
        boundary = self._mixing_ratio(inflow, columns, whole=False)
        seen = (nz if levels is None else levels) if observe else 0
        mean = np.empty((seen, ny, nx, tags), self.dtype)
        through = {axis: np.zeros((2, n, tags)) for axis, n in (("x", nz * ny), ("y", nz * nx), ("z", ny))}
        chemical = np.zeros((ny, tags))
        dry, wet = np.zeros((2, ny, nx, tags))
        emitted = np.zeros(tags)
        stock, below = np.zeros((2, ny, tags))
        least = np.zeros((ny, tags))
        negative = np.zeros(tags)
        kernels.holdings(q, self.air_mass, self.density, stock, below, least)
        start = stock.sum(0)
        for hour in range(self.hours):
            h = self._hour(hour)
            source = self._source(emissions(hour), columns)
            amount = source.sum((0, 1, 2), dtype=np.float64) * HOUR
            if not np.isfinite(amount).all():
                raise InputError([not_finite("emissions", stamp_of(self.time[hour]))])
            emitted += amount
            mean[:] = 0.0
            self._sweep(q, h.x_first, boundary, through["x"])
            for step in range(h.steps):
                self._sweep(q, h.y_out, boundary, through["y"])
                rise, fall = h.rise, h.fall
                kernels.columns(
                    q.reshape(-1, tags), rise.first, rise.weights, rise.ends, fall.first, fall.weights, fall.ends,
                    self.air_mass, h.pivot, h.factor, h.sink, source, UG * HOUR / h.steps, h.decay,
                    chemistry.PARENT, chemistry.CHILD, self._products, h.keep, h.raining, boundary[-1], h.sampling,
                    mean, through["z"], chemical, dry, wet,
                )  # fmt: skip
                self._sweep(q, h.y_back, boundary, through["y"])
                self._sweep(q, h.x_twice if step < h.steps - 1 else h.x_last, boundary, through["x"])
            kernels.holdings(q, self.air_mass, self.density, stock, below, least)
            in_air = stock.sum(0)
            share = np.divide(-below.sum(0), in_air, out=np.zeros(tags), where=in_air > 0.0)
            negative = np.maximum(negative, share)
            if observe:
                observe(hour, mean.reshape(seen, ny, nx, len(TRACERS), columns))
            if progress:
                progress(hour + 1, self.hours)

        def shaped(values: Array) -> Array:
            return values.reshape(*values.shape[:-1], len(TRACERS), columns)

        total = sum(part.sum(1) for part in through.values()) / UG
        return Budget(
            initial=shaped(start / UG),
            emitted=shaped(emitted),
            inflow=shaped(total[0]),
            chemical=shaped(chemical.sum(0) / UG),
            in_air=shaped(stock.sum(0) / UG),
            dry=shaped(dry.sum((0, 1)) / UG),
            wet=shaped(wet.sum((0, 1)) / UG),
            outflow=shaped(total[1]),
            minimum=shaped(least.min(0)),
            negative=shaped(negative),
            dry_deposition=shaped(dry / UG),
            wet_deposition=shaped(wet / UG),
        )

    def run_adjoint(
        self,
        weights: Callable[[int], Array | None],
        *,
        columns: int,
        observe: Callable[[int, Array], None],
        levels: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Array:
        """Carry any number of receptors backwards: the exact transpose of `run`, last hour first.

        Parameters
        ----------
        weights : callable
            ``weights(hour)`` -> (lowest levels, y, x, tracer, columns): how much each hourly mean concentration
            counts for each receptor [1 per ug m-3]; None if nothing of that hour counts.
        columns : int
            Number of receptors.
        observe : callable
            ``observe(hour, sensitivity)`` gets d receptor / d emission, (levels, y, x, tracer, columns)
            [1 per kg s-1]; the array is used again, so copy what is to be kept.
        levels : int, optional
            How many levels of emission, from the ground up, are wanted; all by default.
        progress : callable, optional
            ``progress(hours done, hours)``.

        Returns
        -------
        ndarray
            Sensitivity to the concentration at the start, (level, y, x, tracer, columns) [1 per ug m-3].
        """
        nz, ny, nx = self.air_mass.shape
        tags = len(TRACERS) * columns
        shape = (len(TRACERS), columns)
        q = np.zeros((nz, ny, nx, tags), self.dtype)
        levels = nz if levels is None else levels
        sensitivity = np.empty((levels, ny, nx, tags), self.dtype)
        nothing = np.empty((0, ny, nx, tags), self.dtype)
        for hour in range(self.hours - 1, -1, -1):
            h = self._hour(hour).transposed()
            wanted = weights(hour)
            counts = nothing if wanted is None else self._source(wanted, columns)
            sensitivity[:] = 0.0
            for step in range(h.steps - 1, -1, -1):
                self._sweep_transposed(q, h.x_twice if step < h.steps - 1 else h.x_last)
                self._sweep_transposed(q, h.y_back)
                kernels.columns_transposed(
                    q.reshape(-1, tags), h.rise.first, h.rise.weights, h.fall.first, h.fall.weights,
                    self.air_mass, h.pivot, h.factor, h.sink, h.decay, chemistry.PARENT, chemistry.CHILD,
                    self._products, h.keep, h.raining, h.sampling, counts, sensitivity, UG * HOUR / h.steps,
                )  # fmt: skip
                self._sweep_transposed(q, h.y_out)
            self._sweep_transposed(q, h.x_first)
            observe(hour, sensitivity.reshape(levels, ny, nx, *shape))
            if progress:
                progress(self.hours - hour, self.hours)
        q /= self.density[..., None]
        return q.reshape(nz, ny, nx, *shape)

    # ---------------------------------------------------------------- whole fields

    def emissions(self) -> xr.DataArray:
        """Return a zero emission field (tracer, time, level, y, x) [kg s-1]."""
        return self._zeros("emission", "kg s-1")

    def concentrations(self) -> xr.DataArray:
        """Return a zero field of hourly mean concentration (tracer, time, level, y, x) [ug m-3]."""
        return self._zeros("concentration", "ug m-3")

    def forward(self, emissions: xr.DataArray) -> xr.DataArray:
        """Return the concentrations an emission field causes, with clean air at the start and coming in.

        Parameters
        ----------
        emissions : DataArray
            (tracer, time, level, y, x) [kg s-1], as `emissions`.
        """
        given = self._aligned(emissions)
        result = self.concentrations()

        def observe(hour: int, mean: Array) -> None:
            result.values[:, hour] = np.moveaxis(mean[..., 0], -1, 0)

        self.run(lambda hour: np.moveaxis(given[:, hour], 0, -1)[..., None], columns=1, observe=observe)
        return result

    def adjoint(self, weights: xr.DataArray) -> xr.DataArray:
        """Return the transpose of `forward` applied to weights shaped as concentrations.

        Parameters
        ----------
        weights : DataArray
            (tracer, time, level, y, x) [1 per ug m-3], as `concentrations`.

        Returns
        -------
        DataArray
            (tracer, time, level, y, x) [1 per kg s-1].
        """
        given = self._aligned(weights)
        result = self._zeros("sensitivity", "(kg s-1)-1")

        def observe(hour: int, sensitivity: Array) -> None:
            result.values[:, hour] = np.moveaxis(sensitivity[..., 0], -1, 0)

        self.run_adjoint(lambda hour: np.moveaxis(given[:, hour], 0, -1)[..., None], columns=1, observe=observe)
        return result

    # ---------------------------------------------------------------- inside

    def _sweep(self, q: Array, sweep: _Sweep, boundary: Array, through: Array) -> None:
        """Carry all tags along x or y."""
        kernels.sweep(
            q.reshape(-1, q.shape[-1]), sweep.first, sweep.weights, sweep.ends, boundary, through, sweep.axis,
            *q.shape[:3],
        )  # fmt: skip

    def _sweep_transposed(self, q: Array, sweep: _Sweep) -> None:
        kernels.sweep_transposed(q.reshape(-1, q.shape[-1]), sweep.first, sweep.weights, sweep.axis, *q.shape[:3])

    def _zeros(self, name: str, units: str) -> xr.DataArray:
        shape = (len(TRACERS), self.hours, *self.air_mass.shape)
        edges = self._edges
        coords = {
            "tracer": list(TRACERS),
            "time": self.time,
            "level": 0.5 * (edges[1:] + edges[:-1]),
            "y": self.grid.y,
            "x": self.grid.x,
        }
        return xr.DataArray(np.zeros(shape, self.dtype), coords, tuple(coords), name=name, attrs={"units": units})

    def _aligned(self, field: xr.DataArray) -> Array:
        """Return a whole field's values after checking that its axes are this operator's."""
        dims = ("tracer", "time", "level", "y", "x")
        shape = (len(TRACERS), self.hours, *self.air_mass.shape)
        if set(field.dims) != set(dims):
            raise InputError(
                [transport_problem(key="dims", value=str(field.dims), allowed=f"must be {dims}", zh=f"应为 {dims}")]
            )
        values = field.transpose(*dims).values
        if values.shape != shape:
            raise InputError(
                [
                    transport_problem(
                        key="shape", value=str(values.shape), allowed=f"must be {shape}", zh=f"应为 {shape}"
                    )
                ]
            )
        return values

    def _field(self, name: str, hour: int | None = None) -> Array:
        dims = DIMENSIONS[name]
        array = self.meteorology[name]
        array = array.transpose(*dims) if array.dims != dims else array
        return (array.variable if hour is None else array.variable[hour]).values

    def _mixing_ratio(self, concentration: Array | None, columns: int, *, whole: bool) -> Array:
        """Turn a concentration [ug m-3] into mixing ratio [ug kg-1], (level, y, x, tag) or (level, tag)."""
        nz, ny, nx = self.air_mass.shape
        shape = (len(TRACERS), columns)
        full = (nz, ny, nx, *shape) if whole else (nz, *shape)
        if concentration is None:
            return np.zeros((*full[:-2], shape[0] * columns), self.dtype)
        given = np.asarray(concentration, np.float64)
        if whole and given.shape == full:
            given = given / self.density[..., None, None]
        elif given.shape in (shape, (nz, *shape)):
            given = given / self.density.mean((1, 2))[:, None, None]
            if whole:
                given = np.broadcast_to(given[:, None, None], full)
        else:
            allowed = " / ".join(str(each) for each in (shape, (nz, *shape), full)[: 3 if whole else 2])
            raise InputError(
                [
                    transport_problem(
                        key="shape", value=str(given.shape), allowed=f"must be {allowed}", zh=f"应为 {allowed}"
                    )
                ]
            )
        return np.array(given.reshape(*full[:-2], -1), self.dtype, order="C")

    def _source(self, field: Array, columns: int) -> Array:
        """Return what a callback gave as (lowest levels, y, x, tag), contiguous, in the dtype of the state."""
        nz, ny, nx = self.air_mass.shape
        field = np.asarray(field)
        if field.ndim != 5 or field.shape[0] > nz or field.shape[1:] != (ny, nx, len(TRACERS), columns):
            allowed = f"(<= {nz}, {ny}, {nx}, {len(TRACERS)}, {columns})"
            raise InputError(
                [
                    transport_problem(
                        key="shape", value=str(field.shape), allowed=f"must be {allowed}", zh=f"应为 {allowed}"
                    )
                ]
            )
        return np.ascontiguousarray(field, self.dtype).reshape(*field.shape[:3], -1)

    def _hour(self, hour: int) -> _Hour:
        """Build the operator of one hour from its weather."""

        def plane(name: str) -> Array:
            return np.asarray(self._field(name, hour), np.float64)

        mass = self.air_mass
        fx = np.array(self._field("x_face_air_flux", hour), np.float64, order="C")
        fy = np.array(self._field("y_face_air_flux", hour), np.float64, order="C")
        fz = np.array(self._field("z_face_air_flux", hour), np.float64, order="C")
        residual, speed = np.empty((2, mass.shape[1]))
        kernels.close_vertical(fx, fy, fz, mass, residual, speed)
        if residual.max() * HOUR > CONTINUITY:
            raise InputError([unclosed(self.meteorology, hour, float(residual.max()) * HOUR)])
        steps = max(MIN_STEPS, int(np.ceil(0.5 * HOUR * speed.max() / MOST_CONVERGENCE)))
        half = 0.5 * HOUR / steps
        whole = HOUR / steps
        fx, fy, fz = (flux * half for flux in (fx, fy, fz))
        edges, c = self._edges, self.coefficients
        friction, obukhov = plane("friction_velocity"), plane("obukhov_length")
        temperature, rain = plane("air_temperature"), plane("precipitation_flux")
        diffusivity = eddy_diffusivity(
            edges[1:-1, None, None],
            np.maximum(plane("atmosphere_boundary_layer_thickness"), 1.0),
            friction,
            obukhov,
            plane("convective_velocity"),
            self._least_diffusivity,
        )
        centres = 0.5 * (edges[1:] + edges[:-1])
        area = self.grid.spacing**2
        exchange = np.zeros_like(fz)
        between = 0.5 * (self.density[1:] + self.density[:-1]) / np.diff(centres)[:, None, None]
        exchange[1:-1] = whole * area * between * diffusivity
        # air exchanged sideways: rho K (area of the face) / spacing, with the mean air mass of the two boxes
        rate = half * horizontal_diffusivity(self.grid.spacing, c.diffusion) / area
        spread_x, spread_y = np.zeros_like(fx), np.zeros_like(fy)
        spread_x[..., 1:-1] = rate * 0.5 * (mass[..., 1:] + mass[..., :-1])
        spread_y[:, 1:-1] = rate * 0.5 * (mass[:, 1:] + mass[:, :-1])
        velocity = deposition.dry_velocity(centres[0], self._roughness, friction, obukhov, temperature, c)
        rates = chemistry.rates(
            plane("surface_downwelling_shortwave_flux_in_air"),
            plane("relative_humidity"),
            temperature,
            edges,
            c.chemistry,
        )
        keep = np.ones_like(velocity)
        if (rain > 0.0).any():
            keep = np.exp(-whole * deposition.washout_rate(rain, temperature, c))
        pivot, factor = np.empty(mass.shape, self.dtype), np.empty(fz.shape, self.dtype)
        kernels.eliminate(mass, exchange, pivot, factor)
        # air between sweeps: what x has given, and what z will give
        x_gain, z_gain = fx[..., 1:] - fx[..., :-1], fz[1:] - fz[:-1]
        after_x, before_x = mass - x_gain, mass + x_gain
        still = np.zeros_like(fz)  # diffusion is implicit along z
        return _Hour(
            steps=steps,
            x_first=_Sweep.of(kernels.X, mass, fx, spread_x, self.dtype),
            x_twice=_Sweep.of(kernels.X, before_x, fx, spread_x, self.dtype, 2.0),
            x_last=_Sweep.of(kernels.X, before_x, fx, spread_x, self.dtype),
            y_out=_Sweep.of(kernels.Y, after_x, fy, spread_y, self.dtype),
            y_back=_Sweep.of(kernels.Y, mass - z_gain, fy, spread_y, self.dtype),
            rise=_Sweep.of(kernels.Z, mass + z_gain, fz, still, self.dtype),
            fall=_Sweep.of(kernels.Z, mass, fz, still, self.dtype),
            pivot=pivot,
            factor=factor,
            sink=whole * area * self.density[0] * velocity,
            decay=np.exp(-whole * rates),
            keep=keep,
            raining=np.any(keep < 1.0, axis=0),
            sampling=(0.5 / steps) * self.density,
        )
