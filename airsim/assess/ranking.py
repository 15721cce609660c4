"""Which enterprise, which box, which tonne counts most for the PM2.5 of a city: one backward run a city."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from airsim.inventory import POLLUTANTS
from airsim.inventory.gridding import GriddedEmissions, pollutants, speciate
from airsim.inventory.placement import Placement
from airsim.region.equilibrium import pm25, pm25_gradient
from airsim.region.receptors import Receptors, Watch, cities, weather_at
from airsim.region.tracers import INDEX, TRACERS
from airsim.region.transport import HOUR, Transport

if TYPE_CHECKING:
    from airsim.geography import Geography

Array = NDArray[Any]

#: What a source emits towards PM2.5, and the tracers that each is carried as.
PRECURSORS = {
    "PM25": ("bc", "oc", "pm25_other"),
    "SO2": ("so2", "sulphate"),
    "NOx": ("nox",),
    "VOC": ("voc",),
    "NH3": ("ammonia",),
}
_TONNE = 1000.0


def base_state(
    transport: Transport,
    gridded: GriddedEmissions,
    receptors: Receptors,
    hours: range,
    inflow: Array | None,
    progress: Callable[[int, int], None] | None = None,
) -> Array:
    """Return the tracers of the base case in the receptors' boxes, (hour, box, tracer) [ug m-3].

    Parameters
    ----------
    transport : Transport
    gridded : GriddedEmissions
    receptors : Receptors
    hours : range
        Positions of the hours wanted.
    inflow : (level, tracer) ndarray, optional
        Air at the start and at the edges [ug m-3].
    progress : callable, optional
        ``progress(hours done, hours)``.
    """
    air = None if inflow is None else inflow[..., None]
    watch = Watch(receptors, hours, len(TRACERS), 1)
    transport.run(
        lambda h: gridded.at(h)[..., None],
        columns=1, initial=air, inflow=air, observe=watch, levels=1, progress=progress,
    )  # fmt: skip
    return watch.tracers[..., 0]


def weights_of(
    receptors: Receptors, hours: range, gradient: Array, dtype: np.dtype[Any]
) -> Callable[[int], Array | None]:
    """Return the weights of an adjoint run for the mean over `hours` of what `gradient` is the derivative of.

    Parameters
    ----------
    receptors : Receptors
    hours : range
    gradient : (hour, box, tracer) ndarray
        Derivative with respect to each tracer in the receptors' boxes.
    dtype : dtype
        Of the run.
    """
    ny, nx = receptors.shape
    over = receptors.over_boxes.T / len(hours)

    def weights(hour: int) -> Array | None:
        if hour not in hours:
            return None
        field = np.zeros((1, ny * nx, len(TRACERS), len(receptors.names)), dtype)
        field[0, receptors.boxes] = gradient[hours.index(hour)][:, :, None] * over[:, None, :]
        return field.reshape(1, ny, nx, *field.shape[2:])

    return weights


class Impacts:
    """What sources bring to receptors, added up over the hours of a backward run: an observer of `run_adjoint`.

    Parameters
    ----------
    geography : Geography
    gridded : GriddedEmissions
        Base case.
    receptors : Receptors
        A column of the run each.
    hours : range
        Positions of the hours over which PM2.5 is averaged; emission of all hours before counts.

    Attributes
    ----------
    levels : int
        Levels of sensitivity that are needed.
    by_tracer : (source, tracer, receptor) ndarray
        Impact of what each source emits of each tracer [ug m-3].
    """

    def __init__(self, geography: Geography, gridded: GriddedEmissions, receptors: Receptors, hours: range) -> None:
        self._grid, self._gridded, self._receptors, self._hours = geography.grid, gridded, receptors, hours
        self._placement = Placement(gridded)
        self._on_grid = self._placement.site >= 0
        self.levels = self._placement.levels
        count, ny, nx = len(receptors.names), geography.grid.ny, geography.grid.nx
        unit = speciate(pd.DataFrame(np.eye(len(POLLUTANTS)), columns=list(POLLUTANTS)))
        # a tonne of PM25 is PM10 as well, but only PM25 counts
        self._one = unit[[POLLUTANTS.index(p) for p in PRECURSORS]]
        self._one[list(PRECURSORS).index("PM25"), INDEX["pm_coarse"]] = 0.0
        self.by_tracer = np.zeros((len(gridded.sources), len(TRACERS), count))
        self._of_rate = np.zeros((len(PRECURSORS), ny, nx, count))
        self._of_box = np.zeros((ny, nx, count))
        self._mass = np.zeros((len(gridded.sources), len(TRACERS)))

    def __call__(self, hour: int, sensitivity: Array) -> None:
        """Take the sensitivity to the emission of an hour, (level, y, x, tracer, receptor)."""
        if hour >= self._hours.stop:
            return
        rate = self._gridded.rates(hour)
        self._mass += HOUR * self._gridded.inside[:, None] * rate
        felt = self._placement.felt(hour, sensitivity).astype(np.float64)
        self.by_tracer[self._on_grid] += rate[self._on_grid, :, None] * felt[self._placement.site[self._on_grid]]
        self._of_box += np.einsum("lyxt,lyxtr->yxr", self._gridded.at(hour), sensitivity, optimize=True)
        if hour in self._hours:
            self._of_rate += np.einsum("pt,yxtr->pyxr", self._one, sensitivity[0], optimize=True)

    def ranking(self, base: Array, time: NDArray[np.datetime64], names: Sequence[str] | None = None) -> xr.Dataset:
        """Return the group ``ranking`` after the run.

        Parameters
        ----------
        base : (receptor,) ndarray
            PM2.5 of the base case, mean of the window [ug m-3].
        time : (hour,) datetime64 ndarray
            Start of the hours of the run [UTC].
        names : sequence of str, optional
            The receptors wanted, in this order; all by default.

        Returns
        -------
        Dataset
            See `rank`.
        """
        known = self._receptors.names
        chosen = [known.index(n) for n in names or known]
        # a rate of one for an hour is HOUR kg
        of_tonne = self._of_rate[..., chosen] * (_TONNE / HOUR / len(self._hours))
        by_tracer, sources = self.by_tracer[..., chosen], self._gridded.sources
        impact = by_tracer.sum(1)
        precursors = np.stack([by_tracer[:, [INDEX[t] for t in ts]].sum(1) for ts in PRECURSORS.values()], axis=1)
        emitted = pollutants(self._mass)[:, [POLLUTANTS.index(p) for p in PRECURSORS]] / _TONNE
        total = emitted.sum(1, keepdims=True)
        per_tonne = np.divide(impact, total, out=np.full_like(impact, np.nan), where=total > 0)
        kind = (sources["kind"] == "point").to_numpy()
        group = xr.Dataset(
            {
                "pm25_base": ("receptor", np.asarray(base)[chosen]),
                "pm25_explained": ("receptor", impact.sum(0)),
                "impact_field": (("receptor", "y", "x"), np.moveaxis(self._of_box[..., chosen], -1, 0)),
                "tonne_field": (("receptor", "pollutant", "y", "x"), np.moveaxis(of_tonne, -1, 0)),
            },
            coords={
                "receptor": [known[i] for i in chosen],
                "pollutant": list(PRECURSORS),
                "y": self._grid.y,
                "x": self._grid.x,
            },
            attrs=window_attrs(time, self._hours),
        )
        for dim, prefix, rows_of in (("enterprise", "enterprise", kind), ("area_source", "area", ~kind)):
            rows = np.flatnonzero(rows_of)
            rows = rows[np.argsort(-impact[rows, 0], kind="stable")]
            part = sources.iloc[rows]
            order = np.argsort(np.argsort(-impact[rows], axis=0, kind="stable"), axis=0) + 1
            group = group.assign_coords({dim: part.index.astype(str).tolist()})
            for column in ("name", "city", "sector"):
                group[f"{prefix}_{column}"] = (dim, part[column].fillna("").astype(str).tolist())
            if dim == "enterprise":
                for column in ("longitude", "latitude"):
                    group[f"{prefix}_{column}"] = (dim, part[column].to_numpy(float))
            group[f"{prefix}_rank"] = (("receptor", dim), order.T.astype(np.int32))
            group[f"{prefix}_impact"] = (("receptor", dim), impact[rows].T)
            group[f"{prefix}_impact_per_tonne"] = (("receptor", dim), per_tonne[rows].T)
            group[f"{prefix}_impact_by_pollutant"] = (
                ("receptor", dim, "pollutant"),
                np.moveaxis(precursors[rows], -1, 0),
            )
            group[f"{prefix}_emitted"] = ((dim, "pollutant"), emitted[rows])
        return group


def window_attrs(time: NDArray[np.datetime64], hours: range) -> dict[str, str]:
    """Return start and end of a window of hours as attributes [UTC]."""
    return {
        "window_start": str(time[hours.start]),
        "window_end": str(time[hours.stop - 1] + np.timedelta64(1, "h")),
    }


def rank(
    geography: Geography,
    transport: Transport,
    gridded: GriddedEmissions,
    inflow: Array,
    hours: range,
    names: Sequence[str],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Rank every source by what it adds to the window-mean PM2.5 of cities.

    The impact is marginal: emission times the derivative of PM2.5 at the base state, found by one adjoint run with a
    column a city, whose weights are the derivative of the gas-particle equilibrium. For what does not pass through
    the equilibrium it is the exact contribution; taking a large source away altogether changes nitrate by less or
    more than this says (see docs/science/transfer.md).

    Parameters
    ----------
    geography : Geography
    transport : Transport
        Of the base case's weather.
    gridded : GriddedEmissions
        Base case.
    inflow : (level, tracer) ndarray
        Air at the start and at the edges [ug m-3].
    hours : range
        Positions of the hours over which PM2.5 is averaged; emission of all hours before counts.
    names : sequence of str
        City ids.
    progress : callable, optional
        ``progress(done, all)``.

    Returns
    -------
    Dataset
        Group ``ranking``: point sources by ``enterprise`` and area sources by ``area_source``, both falling by impact
        on the first city; ``impact_field``, the effect of all that each box emits; ``tonne_field``, the effect of one
        tonne let out at the ground of a box evenly over the window.

    Raises
    ------
    InputError
        A city that is unknown or has no boxes on the grid.
    """
    receptors = cities(geography, names)
    constant = transport.coefficients.equilibrium.constant
    steps = 2 * transport.hours

    def forth(done: int, _: int) -> None:
        if progress:
            progress(done, steps)

    def back(done: int, hours: int) -> None:
        if progress:
            progress(hours + done, steps)

    state = base_state(transport, gridded, receptors, hours, inflow, forth)
    box = weather_at(transport.meteorology, receptors, hours)
    gradient = pm25_gradient(state, *box, axis=-1, constant=constant)
    base = pm25(state, *box, axis=-1, constant=constant)
    impacts = Impacts(geography, gridded, receptors, hours)
    transport.run_adjoint(
        weights_of(receptors, hours, gradient, transport.dtype),
        columns=len(receptors.names), observe=impacts, levels=impacts.levels, progress=back,
    )  # fmt: skip
    return impacts.ranking(receptors.mean(base.mean(0)), transport.time)
