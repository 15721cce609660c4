"""What a user calls: concentrations at receptors, hour by hour or as statistics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from airsim.errors import InputError, Problem
from airsim.plume import dispersion, kernels
from airsim.plume.inputs import RECEPTORS, Array, read_columns, read_shapes, read_sources, read_weather
from airsim.plume.plumes import Sources, plumes

_BLOCK_BYTES = 24e6  # of tables and results held at a time: what the caches of two cores can keep up with
_MOST_LEVELS = 4  # receptor heights above which pairs are evaluated one by one
_GAUSS = np.polynomial.legendre.leggauss(8) * np.array([[0.5], [0.5]]) + np.array([[0.5], [0.0]])
_FEW = 200  # receptors below which a table along the axis costs more than the pairs


class _Run:
    """Checked input, cut into blocks of hours whose tables fit the caches."""

    def __init__(
        self,
        sources: pd.DataFrame,
        receptors: pd.DataFrame,
        meteorology: pd.DataFrame,
        dispersion_: str,
        half_life: float | None,
        by: str | None,
    ) -> None:
        problems: list[Problem] = []
        if dispersion_ not in dispersion.SCHEMES:
            problems.append(
                Problem("dispersion", "", "", dispersion_, f"one of {', '.join(dispersion.SCHEMES)}", "未知的扩散方案")
            )
        if half_life is not None and not (math.isfinite(half_life) and half_life > 0.0):
            problems.append(Problem("half_life", "", "", str(half_life), "a positive number [s] or None", "应为正数"))
        if by not in (None, "group"):
            problems.append(Problem("by", "", "", str(by), '"group" or None', '应为 "group" 或不给'))
        if by == "group" and "group" not in sources:
            problems.append(Problem("sources", "", "group", "", "missing column", "缺少列 group"))
        sources, shapes = read_shapes(sources, problems)
        point = read_sources(sources, problems)
        place = read_columns(receptors, "receptors", RECEPTORS, problems)
        self.weather = read_weather(meteorology, problems)
        self.scheme = dispersion_
        self.half_life = half_life
        self.time = meteorology.index
        self.receptors = receptors

        # sources in order of their groups, so that a group is a run of them
        if by == "group":
            labels, member = np.unique(sources["group"].astype(str).to_numpy(), return_inverse=True)
            order = np.argsort(member, kind="stable")
            self.groups: npt.NDArray[np.object_] | None = labels
            self.group = np.searchsorted(member[order], np.arange(len(labels) + 1)).astype(np.int64)
        else:
            order = np.arange(len(point))
            self.groups = None
            self.group = np.array([0, len(point)], dtype=np.int64)
        self.sources = Sources(*(getattr(point, name)[order] for name in Sources.__dataclass_fields__))
        place_of = np.empty(len(order), dtype=np.int64)
        place_of[order] = np.arange(len(order))
        self.shape_source = np.array([place_of[s.source] for s in shapes], dtype=np.int64)
        self.shape_group = np.searchsorted(self.group, self.shape_source, side="right") - 1
        self.shape_first = np.concatenate([[0], np.cumsum([len(s.edge) for s in shapes])]).astype(np.int64)

        # coordinates near the middle of the receptors keep their digits
        self.shift = (float(np.mean(place["x"])), float(np.mean(place["y"]))) if len(receptors) else (0.0, 0.0)
        x, y = place["x"] - self.shift[0], place["y"] - self.shift[1]
        self.position = np.column_stack(
            [self.sources.x - self.shift[0], self.sources.y - self.shift[1], self.sources.ground]
        )
        self.receptor = np.column_stack([x, y, place["z"], place["elevation"]])
        flat = "elevation" not in receptors or np.ptp(np.append(place["elevation"], self.sources.ground)) == 0.0
        levels = np.unique(place["z"])
        self.tiled = flat and len(levels) <= _MOST_LEVELS and len(x) > _FEW
        self.levels = levels
        self.edge = np.vstack([s.edge for s in shapes]) - np.tile(self.shift, 2) if shapes else np.empty((0, 4))
        self.nearest, self.farthest = self._distances()
        if self.tiled:
            self.order, filled, self.box, self.level = _tiles(x, y, np.searchsorted(levels, place["z"]))
            in_tile = np.repeat(self.box[:, :2], kernels.TILE, axis=0)
            self.tile_x = (x[filled] - in_tile[:, 0]).astype(np.float32)
            self.tile_y = (y[filled] - in_tile[:, 1]).astype(np.float32)

    def _distances(self) -> tuple[Array, Array]:
        """Distances from each source to the nearest and to the farthest receptor, at least 1 and 2 m."""
        from scipy.spatial import cKDTree

        if len(self.receptor) == 0 or len(self.sources) == 0:
            return np.ones(len(self.sources)), np.full(len(self.sources), 2.0)
        xy = self.receptor[:, :2]
        nearest = cKDTree(xy, balanced_tree=False, compact_nodes=False).query(self.position[:, :2])[0]
        corner = np.array([xy.min(axis=0), xy.max(axis=0)])
        farthest = np.hypot(*np.max(np.abs(self.position[:, None, :2] - corner[None, :, :]), axis=1).T)
        wide = (self.sources.sigma_y > 0.0) | (self.sources.deposition_velocity > 0.0)
        nearest = np.where(wide, 1.0, np.maximum(nearest, 1.0))
        for i, s in enumerate(self.shape_source):
            corner = self.edge[self.shape_first[i] : self.shape_first[i + 1], :2]
            nearest[s] = 1.0
            farthest[s] += float(np.max(np.hypot(*(corner - self.position[s, :2]).T)))
        return nearest, np.maximum(farthest, 2.0)

    def _lay_stretches(self, plume: Array, hour: Array) -> int:
        """Fill START and STRETCHES of the plumes; return the largest number of stretches.

        A table begins where the cone of the plume is still nearer than the nearest receptor. The stretches are laid
        so that the end of the rise, a kink, falls between two of them.
        """
        if self.scheme == "similarity":
            growth = np.minimum(plume[..., kernels.SIGMA_V] / plume[..., kernels.SPEED], 0.71)
            growth = np.where(plume[..., kernels.ELEVATED] < 1.0, 0.71, growth)
        elif self.scheme == "pasquill_gifford":
            growth = np.full(plume.shape[:2], 0.5)
        else:
            growth = np.broadcast_to(
                dispersion.coefficients(self.scheme)[hour[:, kernels.CLASS].astype(int), :1], plume.shape[:2]
            )
        start = np.maximum(self.nearest / 6.0, 1.0)
        for part in (2.5, 1.3):
            x = np.maximum(self.nearest / part, 1.0)
            rise = np.minimum(
                plume[..., kernels.RISE], np.cbrt((plume[..., kernels.JET] + plume[..., kernels.BUOYANCY] * x) * x)
            )
            square = x**2 + 2.0 * kernels.CUT * ((growth * x) ** 2 + (rise / 3.5) ** 2)
            start = np.where(square < self.nearest**2, x, start)
        distance = plume[..., kernels.RISE_DISTANCE]
        shifted = distance / 4.0 ** np.ceil(0.5 * np.log2(np.maximum(distance, 1e-30) / start))
        start = np.where(distance > 0.0, shifted, start)
        stretches = np.ceil(0.5 * np.log2(self.farthest / start) + 1e-9)
        plume[..., kernels.START] = start
        plume[..., kernels.STRETCHES] = stretches
        return int(stretches.max(initial=1.0))

    def block(self, hours: slice) -> Array:
        """Return concentrations (group, hour, receptor) of some hours [ug m-3]."""
        out = np.zeros((len(self.group) - 1, len(range(*hours.indices(len(self.weather)))), len(self.receptor)))
        self.add(hours, out)
        return out

    def add(self, hours: slice, out: Array) -> None:
        """Add the concentrations of some hours to a contiguous array (group, hour, receptor) [ug m-3]."""
        plume, hour, winds = plumes(self.sources, self.weather.part(hours), self.scheme, self.half_life)
        stretches = self._lay_stretches(plume, hour)
        scheme = {"similarity": kernels.SIMILARITY, "pasquill_gifford": kernels.CURVES}.get(
            self.scheme, kernels.FORMULA
        )
        coefficients = dispersion.coefficients(self.scheme)
        shape = (len(hour), len(self.sources))
        left = self._depletion(stretches, scheme, plume, hour, winds, coefficients)
        if len(self.shape_source):
            kernels.shapes(
                out,
                self.receptor,
                self.shape_group,
                self.shape_source,
                self.shape_first,
                self.edge,
                _GAUSS,
                scheme,
                plume,
                hour,
                winds,
                coefficients,
                self.position[:, 2],
                left,
                kernels.BASIS,
            )
            # the rates per area, in ln, held for the shapes; as points they emit nothing
            plume[:, self.shape_source, kernels.LN_RATE] = kernels.FAR_BELOW
        if not self.tiled:
            kernels.direct(
                out,
                self.receptor,
                self.group,
                scheme,
                plume,
                hour,
                winds,
                coefficients,
                self.position,
                left,
            )
            return
        levels = len(self.levels)
        table = np.empty((*shape, 1 + 2 * levels, stretches, kernels.NODES), dtype=np.float32)
        reach = np.empty((*shape, stretches))
        flat = np.empty((*shape, levels, stretches), dtype=np.bool_)
        ray = np.empty((*shape, kernels.RAY_FIELDS))
        threads = numba.get_num_threads()
        kernels.tabulate(
            table,
            reach,
            flat,
            ray,
            self.levels,
            scheme,
            plume,
            hour,
            winds,
            coefficients,
            self.position,
            kernels.BASIS,
            threads,
        )
        kernels.tiles(
            out,
            self.tile_x,
            self.tile_y,
            self.box,
            self.order,
            self.level,
            levels,
            self.group,
            table,
            reach,
            flat,
            ray,
            hour,
            threads,
        )

    def _depletion(
        self, stretches: int, scheme: int, plume: Array, hour: Array, winds: Array, coefficients: Array
    ) -> Array:
        """Tables of what deposition leaves of each plume, without any if nothing deposits or tiles see to it."""
        needed = bool(np.any(self.sources.deposition_velocity > 0.0))
        needed &= not self.tiled or len(self.shape_source) > 0
        table = np.zeros((*plume.shape[:2], int(needed), stretches, kernels.NODES))
        if needed:
            kernels.deplete(table, scheme, plume, hour, winds, coefficients, kernels.BASIS)
        return table

    def hours_at_a_time(self) -> int:
        """Hours whose tables and results fill about `_BLOCK_BYTES`."""
        table = (
            4.0
            * kernels.NODES
            * math.ceil(0.5 * math.log2(float(np.max(self.farthest / self.nearest, initial=2.0))) + 2.0)
            * (1 + 2 * len(self.levels))
        )
        each = len(self.sources) * (8.0 * kernels.PLUME_FIELDS + (table if self.tiled else 0.0))
        result = 8.0 * len(self.receptor) * (len(self.group) - 1)
        return max(1, int(_BLOCK_BYTES / (each + 2.0 * result + 1.0)))

    def blocks(self) -> Iterator[slice]:
        """Cut the hours."""
        n = self.hours_at_a_time()
        for i in range(0, len(self.weather), n):
            yield slice(i, min(i + n, len(self.weather)))


def _tiles(
    x: Array, y: Array, level: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Array, npt.NDArray[np.int64]]:
    """Gather receptors of one height into compact tiles of 64 by halving the wider side.

    Returns the receptors in tile order, -1 where a tile is not full, the same filled up, the tiles' boxes (centre x, y,
    half widths) and their height index.
    """
    size = kernels.TILE
    order: list[npt.NDArray[np.int64]] = []
    levels: list[int] = []
    for k in np.unique(level):
        stack = [np.flatnonzero(level == k)]
        while stack:
            part = stack.pop()
            if len(part) > size:
                px, py = x[part], y[part]
                along = px if px.max() - px.min() >= py.max() - py.min() else py
                half = size * (-(-len(part) // size) // 2)
                ranked = part[np.argpartition(along, half)] if half < len(part) else part
                stack += [ranked[half:], ranked[:half]]
                continue
            tile = np.full(size, -1, dtype=np.int64)
            tile[: len(part)] = np.sort(part)
            order.append(tile)
            levels.append(int(k))
    flat = np.concatenate(order)
    # the rest of a tile that is not full lies with its first receptor
    filled = np.where(flat < 0, np.repeat(flat[::size], size), flat)
    tx, ty = x[filled].reshape(-1, size), y[filled].reshape(-1, size)
    box = np.column_stack(
        [
            0.5 * (tx.max(1) + tx.min(1)),
            0.5 * (ty.max(1) + ty.min(1)),
            0.5 * (tx.max(1) - tx.min(1)),
            0.5 * (ty.max(1) - ty.min(1)),
        ]
    )
    return flat, filled, box, np.asarray(levels, dtype=np.int64)


def concentration(
    sources: pd.DataFrame,
    receptors: pd.DataFrame,
    meteorology: pd.DataFrame,
    *,
    dispersion: str = "similarity",
    half_life: float | None = None,
    by: str | None = None,
) -> xr.DataArray:
    """Hourly concentrations at receptors near stacks, areas and roads.

    Parameters
    ----------
    sources : DataFrame
        One row a source: x, y [m], height above ground [m], diameter [m], exit_velocity [m s-1],
        exit_temperature [K], rate [g s-1]; diameter or exit_velocity 0 = passive release. Optional: group;
        elevation of the ground [m]; initial_sigma_y, initial_sigma_z [m]; deposition_velocity [m s-1] (dry
        deposition with source depletion); washout [s-1 per mm h-1] (scavenged at that times the
        precipitation); geometry, a shapely Polygon (uniform area source) or LineString with width [m] (road) in
        the same coordinates, x and y then being ignored and rate meaning that of the whole shape.
    receptors : DataFrame
        One row a receptor: x, y [m], z above ground [m]; optional elevation of the ground [m].
    meteorology : DataFrame
        One row an hour, index `time` rising: wind_speed [m s-1] at wind_height [m], wind_from_direction [deg],
        air_temperature [K], mixing_height [m], friction_velocity [m s-1], obukhov_length [m],
        convective_velocity [m s-1], roughness_length [m]; optional stability_class "A" to "F", precipitation
        [mm h-1].
    dispersion : {"similarity", "briggs_rural", "briggs_urban", "pasquill_gifford"}
        How the plume spreads. The last three go by stability class, which is derived from Obukhov length and
        roughness (Golder 1972) if it is not given.
    half_life : float, optional
        Of the emitted matter in the air [s].
    by : {None, "group"}
        Whether to keep the groups of sources apart.

    Returns
    -------
    DataArray
        (time, receptor), or (group, time, receptor) with by="group" [ug m-3].

    Raises
    ------
    InputError
        With every missing column, unusable number, or hour out of order, by table, row and column.

    Notes
    -----
    What is treated rather than refused: calm and light wind (the plume meanders; wind direction may be missing in
    a calm); L infinite (neutral) and |L| < 1 m (taken as 1 m); u* < 0.01 m s-1 (taken as 0.01); w* missing or not
    positive in a convective hour (taken from u*, L and z_i); mixing height below the stack (by class: nothing
    comes down; similarity: the plume spreads above, see docs/science/plume.md); receptors within 1 m of a source
    (given the value at 1 m). Rows are counted from 0.
    """
    run = _Run(sources, receptors, meteorology, dispersion, half_life, by)
    out = np.zeros((len(run.group) - 1, len(run.weather), len(receptors)))
    for hours in run.blocks():
        if len(out) == 1:
            run.add(hours, out[:, hours])
        else:
            out[:, hours] = run.block(hours)
    attrs = {"units": "ug m-3", "long_name": "concentration", "long_name_zh": "浓度", "dispersion": dispersion}
    coords = {"time": run.time.to_numpy(), "receptor": receptors.index.to_numpy()}
    if run.groups is not None:
        coords = {"group": run.groups, **coords}
        return xr.DataArray(out, coords, ("group", "time", "receptor"), name="concentration", attrs=attrs)
    return xr.DataArray(out[0], coords, ("time", "receptor"), name="concentration", attrs=attrs)


def statistics(
    sources: pd.DataFrame,
    receptors: pd.DataFrame,
    meteorology: pd.DataFrame,
    *,
    dispersion: str = "similarity",
    half_life: float | None = None,
    by: str | None = None,
    average: str = "hour",
    utc_offset: int = 8,
    ranks: Sequence[int] = (1,),
    percentiles: Sequence[float] = (98.0,),
    thresholds: Sequence[float] = (),
    progress: bool = False,
) -> xr.Dataset:
    """Statistics of concentration at every receptor, without keeping the hours.

    Parameters
    ----------
    sources, receptors, meteorology, dispersion, half_life, by
        As in `concentration`.
    average : {"hour", "day"}
        Of what: hourly values, or means of the local calendar days over the hours there are.
    utc_offset : int
        Local time minus UTC [h], for the days.
    ranks : sequence of int
        1 = highest, 2 = second highest ...
    percentiles : sequence of float
        [%], interpolated linearly between ranks 1 + (n - 1) p (HJ 663-2013; NumPy's default).
    thresholds : sequence of float
        [ug m-3]; values above are counted.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Dataset
        Variables over (receptor), with group in front if asked for [ug m-3]: mean, maximum; highest (rank),
        percentile (percentile), and exceedances (threshold) as counts; attribute `values`, how many hours or
        days they are drawn from.

    Raises
    ------
    InputError
        As `concentration`; also for a rank or percentile that cannot be.

    Notes
    -----
    Only the largest values are kept, as many as the lowest percentile asked for needs: memory does not grow with
    the hours for a mean or a maximum, and for the 98th percentile of a year it is 177 values a receptor.
    """
    run = _Run(sources, receptors, meteorology, dispersion, half_life, by)
    problems = [
        Problem("ranks", "", "", str(r), "a whole number from 1", "应为正整数") for r in ranks if r < 1 or r != int(r)
    ]
    problems += [
        Problem("percentiles", "", "", str(p), "from 0 to 100", "应在 0 与 100 之间")
        for p in percentiles
        if not 0.0 <= p <= 100.0
    ]
    if average not in ("hour", "day"):
        problems.append(Problem("average", "", "", average, '"hour" or "day"', '应为 "hour" 或 "day"'))
    if not len(run.weather):
        problems.append(Problem("meteorology", "", "", "", "no hours", "没有时次"))
    if problems:
        raise InputError(problems)

    local = run.time.to_numpy() + np.timedelta64(utc_offset, "h")
    if average == "day":
        local = local.astype("datetime64[D]")
    period = np.cumsum(np.append(True, local[1:] != local[:-1])) - 1
    n = int(period[-1]) + 1
    # positions of the percentiles counted from the top: 0 = highest
    depth = [(n - 1) * (1.0 - p / 100.0) for p in percentiles]
    keep = min(n, max([1, *ranks, *(math.floor(d) + 2 for d in depth)]))
    shape = (len(run.group) - 1, len(receptors))
    largest = np.full((keep, *shape), -np.inf)
    total = np.zeros(shape)
    over = np.zeros((len(thresholds), *shape), dtype=np.int64)
    waiting: list[Array] = []

    def close() -> None:
        nonlocal largest
        if waiting:
            stack = np.concatenate([largest, *waiting])
            largest = np.partition(stack, len(stack) - keep, axis=0)[len(stack) - keep :]
            waiting.clear()

    open_sum = np.zeros(shape)
    open_hours = 0
    for hours in _with_bar(run, progress):
        block = run.block(hours)
        ids = period[hours]
        starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
        sums = np.add.reduceat(block, starts, axis=1).transpose(1, 0, 2)
        lengths = np.diff(np.append(starts, len(ids)))
        sums[0] += open_sum
        lengths[0] += open_hours
        last = hours.stop == len(period) or period[hours.stop] != ids[-1]
        done = len(starts) if last else len(starts) - 1
        open_sum, open_hours = (np.zeros(shape), 0) if last else (sums[-1], int(lengths[-1]))
        means = sums[:done] / lengths[:done, None, None]
        total += means.sum(axis=0)
        for i, limit in enumerate(thresholds):
            over[i] += (means > limit).sum(axis=0)
        waiting.append(means)
        if sum(len(w) for w in waiting) >= max(keep, 48):
            close()
    close()
    largest = -np.sort(-largest, axis=0)

    def at(d: float) -> Array:
        i = min(math.floor(d), keep - 1)
        j = min(i + 1, keep - 1)
        result: Array = largest[i] + (d - i) * (largest[j] - largest[i])
        return result

    dims = ("group", "receptor")
    found = {
        "mean": (dims, total / n),
        "maximum": (dims, largest[0]),
        "highest": (
            ("rank", *dims),
            np.stack([largest[r - 1] if r <= n else np.full(shape, np.nan) for r in ranks])
            if ranks
            else np.empty((0, *shape)),
        ),
        "percentile": (("percent", *dims), np.stack([at(d) for d in depth]) if depth else np.empty((0, *shape))),
        "exceedances": (("threshold", *dims), over),
    }
    result = xr.Dataset(
        found,
        coords={
            "group": run.groups if run.groups is not None else ["all"],
            "receptor": receptors.index.to_numpy(),
            "rank": list(ranks),
            "percent": list(percentiles),
            "threshold": list(thresholds),
        },
        attrs={"average": average, "values": n, "dispersion": dispersion},
    )
    for name in ("mean", "maximum", "highest", "percentile"):
        result[name].attrs["units"] = "ug m-3"
    result["exceedances"].attrs["units"] = "1"
    return result if run.groups is not None else result.isel(group=0, drop=True)


def _with_bar(run: _Run, shown: bool) -> Iterator[slice]:
    """Go through the blocks of hours, with a progress bar if wanted."""
    if not shown:
        yield from run.blocks()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("烟羽 plume"), BarColumn(), MofNCompleteColumn(), TextColumn("h"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=len(run.weather))
        for hours in run.blocks():
            yield hours
            bar.update(task, completed=hours.stop)
