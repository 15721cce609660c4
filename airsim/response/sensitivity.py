"""How much each source counts for the alert mean and the worst day of each city: one adjoint run, kept in a file.

The operator of `airsim.region.operator` gives every receptor the same hours. Here each city has its own: the hours of
its alert, and the day on which it is worst.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from airsim.assess.ranking import PRECURSORS
from airsim.cache.store import Store
from airsim.inventory.placement import Placement
from airsim.region.operator import PM25_PAIRS, weather_hash
from airsim.region.tracers import INDEX, TRACERS
from airsim.region.transport import Transport

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from airsim.geography import Grid
    from airsim.inventory.gridding import GriddedEmissions
    from airsim.region.receptors import Receptors

Array = NDArray[Any]
_FORMAT = "1"
_EMITTED = [INDEX[e] for _, e in PM25_PAIRS]


@dataclass(frozen=True)
class Target:
    """A mean that is looked at.

    Attributes
    ----------
    name : str
        Such as ``xian:mean``.
    receptor : int
        Position of the city in the receptors.
    hours : (hour,) ndarray
        Weight of each hour of the episode, summing to 1.
    """

    name: str
    receptor: int
    hours: Array


@dataclass(frozen=True)
class Sensitivities:
    """What the targets feel of each site.

    Attributes
    ----------
    targets : tuple of str
    sites : tuple of str
        As in `Placement`.
    values : (hour, site, emitted tracer, target) float32 ndarray
        By 1 kg s-1 emitted in one hour [ug m-3 per kg s-1]; hours from the beginning of the run, emitted tracers as in
        `airsim.region.operator.PM25_PAIRS`.
    key : str
        Hash of what it was made from.
    """

    targets: tuple[str, ...]
    sites: tuple[str, ...]
    values: Array
    key: str

    def of(self, rates: Callable[[int], Array], placement: Placement) -> Array:
        """Return what sources add to the targets' PM2.5, to first order.

        Parameters
        ----------
        rates : callable
            ``rates(hour)`` -> (source, tracer) [kg s-1].
        placement : Placement
            Of these sources.

        Returns
        -------
        (source, precursor, target) ndarray
            [ug m-3], precursors as in `airsim.assess.ranking.PRECURSORS`.

        Raises
        ------
        KeyError
            A site that the sensitivities do not know.
        """
        known = {name: i for i, name in enumerate(self.sites)}
        where = np.array([known[n] for n in placement.sites] + [-1], np.intp)[placement.site]
        on = np.flatnonzero(where >= 0)
        felt = np.zeros((len(where), len(_EMITTED), len(self.targets)))
        for hour, here in enumerate(self.values):
            rate = rates(hour)[on][:, _EMITTED]
            acting = np.flatnonzero(rate.any(axis=1))
            felt[on[acting]] += rate[acting][..., None] * here[where[on[acting]]]
        groups = [[_EMITTED.index(INDEX[t]) for t in tracers] for tracers in PRECURSORS.values()]
        return np.stack([felt[:, g].sum(1) for g in groups], axis=1)


def obtain(
    folder: Path | None, box_grid: Grid, weather: xr.Dataset, gradient: Array, receptors: Receptors, hours: range,
    targets: Sequence[Target], gridded: GriddedEmissions, progress: Callable[[int, int], None] | None = None,
) -> Sensitivities:  # fmt: skip
    """Return the sensitivities from the cache, or make them by one adjoint run with a column a target.

    Parameters
    ----------
    folder : Path or None
        The cache; nothing is kept if None.
    box_grid : Grid
    weather : Dataset
        Of all hours.
    gradient : (hour, box, tracer) ndarray
        d PM2.5 / d tracer in the receptors' boxes in `hours` [1].
    receptors : Receptors
    hours : range
        Positions of the hours of the episode.
    targets : sequence of Target
    gridded : GriddedEmissions
        Tells where emission begins.
    progress : callable, optional
        ``progress(hours done, hours)``.
    """
    weights = np.stack([t.hours for t in targets])
    last = int(np.flatnonzero(weights.any(axis=0))[-1]) + 1  # later air can't matter
    transport = Transport(box_grid, weather.isel(time=slice(0, hours.start + last)))
    placement = Placement(gridded)
    found = hashlib.sha256(repr((_FORMAT, weather_hash(transport), placement.sites, PM25_PAIRS)).encode())
    found.update(repr([(t.name, t.receptor) for t in targets]).encode())
    for values in (weights[:, :last], receptors.over_boxes, receptors.boxes, gradient[:last]):
        found.update(np.ascontiguousarray(values).data)
    key = found.hexdigest()
    stored = None if folder is None else _read(Store(folder), "emergency", key)
    if stored is not None:
        return stored[0]
    made = _make(transport, placement, gradient, receptors, hours.start, targets, key, progress)
    if folder is not None:
        _write(Store(folder), "emergency", made, {})
    return made


def _make(
    transport: Transport, placement: Placement, gradient: Array, receptors: Receptors, first: int,
    targets: Sequence[Target], key: str, progress: Callable[[int, int], None] | None,
) -> Sensitivities:  # fmt: skip
    ny, nx = receptors.shape
    over = receptors.over_boxes[[t.receptor for t in targets]].T  # (box, target)
    values = np.zeros((transport.hours, len(placement.sites), len(_EMITTED), len(targets)), np.float32)

    def weights(hour: int) -> Array | None:
        share = np.array([t.hours[hour - first] for t in targets]) if hour >= first else np.zeros(len(targets))
        if not share.any():
            return None
        field = np.zeros((ny * nx, len(TRACERS), len(targets)), transport.dtype)
        field[receptors.boxes] = gradient[hour - first][..., None] * (over * share)[:, None, :]
        return field.reshape(1, ny, nx, len(TRACERS), len(targets))

    def observe(hour: int, field: Array) -> None:
        values[hour] = placement.felt(hour, field)[:, _EMITTED]

    transport.run_adjoint(
        weights, columns=len(targets), observe=observe, levels=placement.levels, progress=progress
    )  # fmt: skip
    return Sensitivities(tuple(t.name for t in targets), placement.sites, values, key)


def key_of(
    transport: Transport, gridded: GriddedEmissions, inflow: Array, receptors: Receptors, hours: range,
    windows: pd.DataFrame,
) -> str:  # fmt: skip
    """Return the hash of all that the air without a response and its adjoint follow from."""
    found = hashlib.sha256(repr((_FORMAT, weather_hash(transport), Placement(gridded).sites, hours)).encode())
    found.update(windows.to_csv().encode())
    for values in (receptors.over_boxes, receptors.boxes, inflow):
        found.update(np.ascontiguousarray(values).data)
    for hour in range(transport.hours):
        found.update(np.ascontiguousarray(gridded.rates(hour)).data)
    return found.hexdigest()


def keep(folder: Path, key: str, made: Sensitivities, values: Mapping[str, float]) -> None:
    """Put sensitivities and the targets' values into the cache, under a key of the caller's."""
    _write(Store(folder), "response", Sensitivities(made.targets, made.sites, made.values, key), values)


def kept(folder: Path, key: str) -> tuple[Sensitivities, dict[str, float]] | None:
    """Return what `keep` put there, None if there is nothing or nothing whole."""
    return _read(Store(folder), "response", key)


def _write(store: Store, kind: str, made: Sensitivities, values: Mapping[str, float]) -> None:
    means = np.array([values.get(t, np.nan) for t in made.targets])
    store.keep(kind, made.key, {"values": made.values, "means": means}, {"targets": made.targets, "sites": made.sites})


def _read(store: Store, kind: str, key: str) -> tuple[Sensitivities, dict[str, float]] | None:
    kept = store.get(kind, key)
    if kept is None:
        return None
    names = tuple(kept.about["targets"])
    found = Sensitivities(names, tuple(kept.about["sites"]), kept.arrays["values"], key)
    return found, dict(zip(names, kept.arrays["means"].tolist(), strict=True))
