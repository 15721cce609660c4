"""The transport operator kept: what every receptor feels of every place of emission, hour by hour, in a file.

One adjoint run makes it; after that a scenario that changes only emissions is a sum over (hour, site, tracer). What is
felt of a tracer does not depend on emissions at all; on request the operator also holds PM2.5 linearised about a base
state, which does. Hourly PM2.5 with the equilibrium itself comes from `airsim.region.responses`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from airsim.cache.store import Store
from airsim.errors import InputError, Problem
from airsim.region.chemistry import CHAINS
from airsim.region.receptors import Receptors, Watch
from airsim.region.tracers import INDEX, TRACERS
from airsim.region.transport import Transport
from airsim.region.weather_checks import DIMENSIONS

Array = NDArray[Any]

#: Tracers that nothing emits: they are made in the air.
MADE_ONLY = ("nitrate", "soa")
_CHILD = dict(CHAINS)
EMITTED = tuple(t for t in TRACERS if t not in MADE_ONLY)
PM25 = "pm25"
#: (tracer felt, tracer emitted): each as itself, and the parents of the three chains also as their children.
PAIRS = tuple((felt, e) for e in EMITTED for felt in (e, _CHILD.get(e, "")) if felt)
#: The same for linearised PM2.5.
PM25_PAIRS = tuple((PM25, e) for e in EMITTED if e not in {"pm_coarse", "co"})
_FORMAT = "1"


class Sites(Protocol):
    """Where emission begins, such as `airsim.inventory.placement.Placement`."""

    sites: tuple[str, ...]
    levels: int

    def felt(self, hour: int, sensitivity: Array) -> Array:
        """Turn sensitivities of boxes (level, y, x, ...) into those of sites (site, ...)."""


@dataclass(frozen=True)
class Boxes:
    """Every box a site of its own: the operator of a small domain whole.

    Parameters
    ----------
    shape : (int, int, int)
        Levels, ny, nx.
    """

    shape: tuple[int, int, int]

    @property
    def levels(self) -> int:
        """Levels, from the ground, that may emit."""
        return self.shape[0]

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the boxes, ``level,y,x``."""
        return tuple(f"{k},{j},{i}" for k, j, i in np.ndindex(*self.shape))

    def felt(self, hour: int, sensitivity: Array) -> Array:
        """Return the sensitivities of the boxes, one row a box."""
        return sensitivity[: self.levels].reshape(-1, *sensitivity.shape[3:])


@dataclass(frozen=True)
class Linearisation:
    """The state about which PM2.5 is linear.

    Parameters
    ----------
    key : str
        Hash of what the state follows from.
    state : callable
        ``state()`` -> d PM2.5 / d tracer (hour, box, tracer) [1] and PM2.5 (hour, box) [ug m-3] in the receptors'
        boxes and the hours of the window; called only if the operator has to be made.
    """

    key: str
    state: Callable[[], tuple[Array, Array]]


@dataclass(frozen=True)
class Operator:
    """What receptors feel of sites.

    Parameters
    ----------
    sensitivity : (hour, site, pair, block, receptor) float32 ndarray
        Mean over a block of hours by 1 kg s-1 emitted in one hour [ug m-3 per kg s-1].
    pairs : tuple of (str, str)
        What is felt, and the tracer emitted: `PAIRS`, then `PM25_PAIRS` if PM2.5 is held.
    pm25_base : (block, receptor) ndarray or None
        PM2.5 of the state about which it is linearised [ug m-3].
    background : (block, receptor, tracer) float64 ndarray
        Of the air at the start and at the edges [ug m-3].
    time : (hour,) datetime64 ndarray
        Start of the hours [UTC].
    sites, receptors : tuple of str
    blocks : tuple of (int, int)
        First and last but one of the hours that each mean is over.
    key : str
        Hash of everything it was made from.
    """

    sensitivity: Array
    pairs: tuple[tuple[str, str], ...]
    pm25_base: Array | None
    background: Array
    time: NDArray[np.datetime64]
    sites: tuple[str, ...]
    receptors: tuple[str, ...]
    blocks: tuple[tuple[int, int], ...]
    key: str

    def position(self, sites: Sequence[str], site: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return where sources sit in this operator, -1 for those off the grid.

        Parameters
        ----------
        sites : sequence of str
            Names of sites.
        site : (source,) int ndarray
            Position of each source in `sites`, -1 for off the grid.

        Raises
        ------
        InputError
            Sites that the operator does not know.
        """
        known = {name: i for i, name in enumerate(self.sites)}
        strange = [n for n in sites if n not in known]
        if strange:
            raise InputError(
                [
                    Problem(
                        "operator", "", "site", f"{len(strange)}",
                        "places of emission that the stored operator does not know: make it again",
                        "已存算子未包含的排放位置：请重新生成算子",
                    )
                ]
            )  # fmt: skip
        where = np.array([known[n] for n in sites] + [-1], dtype=np.intp)
        return where[site]

    def felt(self, rates: Callable[[int], Array], position: NDArray[np.intp]) -> Array:
        """Return what each source adds to each receptor's tracers.

        Parameters
        ----------
        rates : callable
            ``rates(hour)`` -> (source, tracer) [kg s-1], as `GriddedEmissions.rates`.
        position : (source,) int ndarray
            From `position`.

        Returns
        -------
        (source, tracer, block, receptor) ndarray
            [ug m-3].

        Raises
        ------
        InputError
            Emission of a tracer that nothing emits.
        """
        by_pair = self._contract(rates, position, slice(0, len(PAIRS)))
        out = np.zeros((len(position), len(TRACERS), *by_pair.shape[2:]))
        for pair, (felt, _) in enumerate(PAIRS):
            out[:, INDEX[felt]] += by_pair[:, pair]
        return out

    def pm25(self, rates: Callable[[int], Array], position: NDArray[np.intp]) -> Array:
        """Return what each source adds to PM2.5, linearised about the base state.

        PM2.5 of a scenario is `pm25_base` plus what its sources add less what those of the base add. Parameters as for
        `felt`.

        Returns
        -------
        (source, emitted tracer, block, receptor) ndarray
            [ug m-3], emitted tracers as in `PM25_PAIRS`.

        Raises
        ------
        ValueError
            The operator was made without a `Linearisation`.
        """
        if self.pm25_base is None:
            raise ValueError("this operator holds no PM2.5: it was made without a linearisation")
        return self._contract(rates, position, slice(len(PAIRS), None))

    def mean(self, rates: Callable[[int], Array], position: NDArray[np.intp]) -> Array:
        """Return the receptors' tracers with the background, (block, receptor, tracer) [ug m-3].

        Parameters as for `felt`.
        """
        result: Array = self.background + np.moveaxis(self.felt(rates, position).sum(0), 0, -1)
        return result

    def _contract(self, rates: Callable[[int], Array], position: NDArray[np.intp], pairs: slice) -> Array:
        """Sum rate times sensitivity over the hours, (source, pair, block, receptor)."""
        on = np.flatnonzero(position >= 0)
        emitted = np.array([INDEX[e] for _, e in self.pairs[pairs]])
        made = [INDEX[t] for t in MADE_ONLY]
        total = np.zeros((len(position), len(emitted), len(self.blocks), len(self.receptors)))
        for hour in range(len(self.time)):
            rate = rates(hour)
            if rate[:, made].any():
                raise InputError([_problem("tracer", ", ".join(MADE_ONLY), "must not be emitted", "不可直接排放")])
            total[on] += rate[on][:, emitted, None, None] * self.sensitivity[hour, position[on], pairs]
        return total


def obtain(
    folder: Path,
    transport: Transport,
    receptors: Receptors,
    hours: range,
    sites: Sites,
    inflow: Array,
    *,
    block: int | None = None,
    linearisation: Linearisation | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Operator:
    """Return the operator from the cache, or make it and put it there.

    Weather, grid, coefficients, receptors, window, sites and inflow enter its key by content: whatever changes, another
    file is made. A file that is damaged or cut short is made again.

    Parameters
    ----------
    folder : Path
        The cache; made if it is not there.
    transport : Transport
    receptors : Receptors
    hours : range
        Positions of the hours of the window.
    sites : Sites
        Where emission begins.
    inflow : (level, tracer) ndarray
        Air at the start and at the edges [ug m-3].
    block : int, optional
        Hours of each mean; the whole window by default. The last block may be shorter. Cost and size of the
        operator rise with their number.
    linearisation : Linearisation, optional
        If PM2.5 is wanted; a third column a receptor and block.
    progress : callable, optional
        ``progress(hours done, hours)`` of the making.
    """
    blocks = _blocks(hours, block)
    key = _key(transport, receptors, blocks, sites, inflow, linearisation)
    store = Store(folder)
    found = _read(store, key)
    if found is None:
        found = make(transport, receptors, blocks, sites, inflow, linearisation, key, progress)
        _write(store, found)
    return found


def stored(
    folder: Path,
    transport: Transport,
    receptors: Receptors,
    hours: range,
    sites: Sites,
    inflow: Array,
    *,
    block: int | None = None,
    linearisation: Linearisation | None = None,
) -> Operator | None:
    """Return the operator that `obtain` would find, None where it would have to make it; arguments as there."""
    key = _key(transport, receptors, _blocks(hours, block), sites, inflow, linearisation)
    return _read(Store(folder), key)


def _blocks(hours: range, block: int | None) -> tuple[tuple[int, int], ...]:
    size = block or len(hours)
    return tuple((a, min(a + size, hours.stop)) for a in range(hours.start, hours.stop, size))


def make(
    transport: Transport,
    receptors: Receptors,
    blocks: tuple[tuple[int, int], ...],
    sites: Sites,
    inflow: Array,
    linearisation: Linearisation | None = None,
    key: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Operator:
    """Make an operator by one adjoint run; arguments as for `obtain`, `blocks` the hours of each mean.

    Tracers feed each other only along three chains, so two columns a receptor and block tell all pairs apart: one looks
    at everything but the chains' children, the other at these alone. A third looks at PM2.5.
    """
    nb, nr = len(blocks), len(receptors.names)
    ny, nx = receptors.shape
    pairs = PAIRS + (PM25_PAIRS if linearisation else ())
    children = {INDEX[c] for c in _CHILD.values()}
    first = blocks[0][0]
    looks, base = [np.array([float(t not in children) for t in range(len(TRACERS))])], None
    looks.append(1.0 - looks[0])
    gradient = np.zeros((0, 0, 0))
    if linearisation:
        gradient, pm25 = linearisation.state()
        base = np.stack([receptors.mean(pm25[a - first : b - first].mean(0)) for a, b in blocks])
    views = len(looks) + (linearisation is not None)
    over = receptors.over_boxes.T  # (box, receptor)

    def weights(hour: int) -> Array | None:
        within = [i for i, (a, b) in enumerate(blocks) if a <= hour < b]
        if not within:
            return None
        field = np.zeros((ny * nx, len(TRACERS), views, nb, nr), transport.dtype)
        for i in within:
            share = over[:, None] / (blocks[i][1] - blocks[i][0])
            for view, look in enumerate(looks):
                field[receptors.boxes, :, view, i] = look[:, None] * share
            if linearisation:
                field[receptors.boxes, :, -1, i] = gradient[hour - first][..., None] * share
        return field.reshape(1, ny, nx, len(TRACERS), views * nb * nr)

    view_of = [-1 if felt == PM25 else int(INDEX[felt] in children) for felt, _ in pairs]
    emitted = [INDEX[e] for _, e in pairs]
    sensitivity = np.zeros((transport.hours, len(sites.sites), len(pairs), nb, nr), np.float32)

    def observe(hour: int, field: Array) -> None:
        felt = sites.felt(hour, field).reshape(-1, len(TRACERS), views, nb, nr)
        for pair, (tracer, view) in enumerate(zip(emitted, view_of, strict=True)):
            sensitivity[hour, :, pair] = felt[:, tracer, view]

    transport.run_adjoint(weights, columns=views * nb * nr, observe=observe, levels=sites.levels, progress=progress)
    background = background_of(transport, receptors, blocks, inflow)
    return Operator(sensitivity, pairs, base, background, transport.time, sites.sites, receptors.names, blocks, key)


def background_of(
    transport: Transport, receptors: Receptors, blocks: tuple[tuple[int, int], ...], inflow: Array
) -> Array:
    """Return what receptors have of the air at the start and at the edges, (block, receptor, tracer) [ug m-3]."""
    watch = Watch(receptors, range(transport.hours), len(TRACERS), 1)
    ny, nx = receptors.shape
    nothing = np.zeros((1, ny, nx, len(TRACERS), 1), transport.dtype)
    air = inflow[..., None]
    transport.run(lambda _: nothing, columns=1, initial=air, inflow=air, observe=watch, levels=1)
    means = [watch.tracers[a:b, ..., 0].mean(0, dtype=np.float64) for a, b in blocks]
    return np.stack([receptors.mean(m) for m in means])


def weather_hash(transport: Transport) -> str:
    """Return a hash of the weather, the grid and the coefficients, by content."""
    found = hashlib.sha256(transport.coefficients.hash.encode())
    found.update(str(transport.dtype).encode())
    grid = transport.grid
    for values in (grid.x, grid.y, np.asarray(grid.level_edges, float), transport.time.astype("int64")):
        _add(found, values)
    for name in DIMENSIONS:
        if name in transport.meteorology:
            found.update(name.encode())
            _add(found, transport._field(name))
    return found.hexdigest()


def _key(
    transport: Transport,
    receptors: Receptors,
    blocks: tuple[tuple[int, int], ...],
    sites: Sites,
    inflow: Array,
    linearisation: Linearisation | None,
) -> str:
    text = (_FORMAT, weather_hash(transport), blocks, PAIRS, linearisation.key if linearisation else "")
    found = hashlib.sha256(repr(text).encode())
    found.update(repr((receptors.names, sites.sites)).encode())
    for values in (receptors.over_boxes, receptors.boxes, inflow):
        _add(found, values)
    return found.hexdigest()


def _add(found: Any, values: Array) -> None:
    found.update(f"{values.shape}{values.dtype}".encode())
    found.update(np.ascontiguousarray(values).data)


def _write(store: Store, operator: Operator) -> None:
    arrays = {
        "sensitivity": operator.sensitivity,
        "background": operator.background,
        "block_hours": np.array(operator.blocks, np.int32),
        "time": operator.time,
    }
    if operator.pm25_base is not None:
        arrays["pm25_base"] = operator.pm25_base
    store.keep(
        "operator",
        operator.key,
        arrays,
        {"pairs": operator.pairs, "sites": operator.sites, "receptors": operator.receptors},
    )


def _read(store: Store, key: str) -> Operator | None:
    """Return the stored operator; None if there is none, or none that is whole."""
    kept = store.get("operator", key)
    if kept is None:
        return None
    arrays, about = kept.arrays, kept.about
    return Operator(
        sensitivity=arrays["sensitivity"],
        pairs=tuple((felt, emitted) for felt, emitted in about["pairs"]),
        pm25_base=arrays.get("pm25_base"),
        background=arrays["background"],
        time=arrays["time"],
        sites=tuple(about["sites"]),
        receptors=tuple(about["receptors"]),
        blocks=tuple((int(a), int(b)) for a, b in arrays["block_hours"]),
        key=key,
    )


def _problem(key: str, value: str, allowed: str, zh: str) -> Problem:
    return Problem("operator", "", key, value, allowed, zh)
