"""What groups of sources bring to receptors, hour by hour: thousands of scenarios from one forward run.

`airsim.region.operator` gives means for any emission at any hour; this gives every hour, and PM2.5 with its
equilibrium, for scenarios that scale groups of sources (sector by city, say) as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from airsim.region import kernels
from airsim.region.equilibrium import MOLAR_MASSES, PARTICULATE, dissociation_constant
from airsim.region.receptors import Receptors, Watch, weather_at
from airsim.region.tracers import INDEX, TRACERS

if TYPE_CHECKING:
    from airsim.region.transport import Transport

Array = NDArray[Any]

#: Columns carried at once; more are no cheaper each, and take memory.
_AT_ONCE = 32
# of all tracers PM2.5 needs these sums: what is particle in any case but sulphate, and the three of the equilibrium
_INERT = [INDEX[t] for t in PARTICULATE if t != "sulphate"]
_SALTS = [INDEX[t] for t in ("sulphate", "nitrate", "ammonia")]
_ROOM = 1 << 23  # numbers held at once when scenarios are evaluated


@dataclass(frozen=True)
class Responses:
    """Tracers in the receptors' boxes by group of sources.

    Parameters
    ----------
    groups : tuple of str
    receptors : Receptors
    tracers : (group, hour, box, tracer) float32 ndarray
        What each group brings [ug m-3].
    background : (hour, box, tracer) float32 ndarray
        What comes with the air at the start and at the edges [ug m-3].
    dissociation : (hour, box) ndarray
        Equilibrium product of the gases [umol2 m-6].
    """

    groups: tuple[str, ...]
    receptors: Receptors
    tracers: Array
    background: Array
    dissociation: Array

    def concentration(self, factors: Array) -> Array:
        """Return the receptors' tracers, (scenario, hour, receptor, tracer) [ug m-3].

        Parameters
        ----------
        factors : (scenario, group) ndarray
            What each group emits relative to what it was carried with [1].
        """
        flat = self.tracers.reshape(len(self.groups), -1)
        air = np.asarray(factors, np.float32) @ flat + self.background.ravel()
        boxes = air.reshape(-1, *self.background.shape)
        result: Array = np.einsum("shbt,rb->shrt", boxes, self.receptors.over_boxes.astype(np.float32), optimize=True)
        return result

    def pm25(self, factors: Array) -> Array:
        """Return PM2.5, (scenario, hour, receptor) float32 [ug m-3]: equilibrium in every box, then the mean.

        Parameters
        ----------
        factors : (scenario, group) ndarray
            [1].
        """
        factors = np.asarray(factors, np.float32)
        hours, boxes = self.dissociation.shape
        points = hours * boxes

        def parts(air: Array) -> Array:
            chosen = np.concatenate([air[..., _INERT].sum(-1)[..., None], air[..., _SALTS]], axis=-1)
            return np.moveaxis(chosen, -1, -3)  # (..., part, hour, box)

        each = np.ascontiguousarray(parts(self.tracers)).reshape(len(self.groups), 4 * points)
        still = parts(self.background).reshape(4 * points)
        over = self.receptors.over_boxes.T.astype(np.float32)
        out = np.empty((len(factors), hours, over.shape[1]), np.float32)
        step = max(1, _ROOM // points)
        constant = np.tile(self.dissociation.ravel(), step)
        salt, ammonium = np.empty((2, step * points))
        for first in range(0, len(factors), step):
            part = factors[first : first + step]
            air = (part @ each + still).reshape(len(part), 4, points)
            n = len(part) * points
            sulphate, nitrate, ammonia = (np.ascontiguousarray(air[:, p]).ravel() for p in (1, 2, 3))
            kernels.partition(sulphate, nitrate, ammonia, constant[:n], MOLAR_MASSES, salt[:n], ammonium[:n])
            pm = air[:, 0].ravel() + sulphate + (salt[:n] + ammonium[:n]).astype(np.float32)
            out[first : first + len(part)] = pm.reshape(len(part), hours, boxes) @ over
        return out


def respond(
    transport: Transport,
    emitted: Callable[[int, NDArray[np.intp]], Array],
    groups: Sequence[str],
    receptors: Receptors,
    hours: range,
    inflow: Array,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Responses:
    """Carry groups of sources as columns of their own, a few dozen at a time.

    Parameters
    ----------
    transport : Transport
    emitted : callable
        ``emitted(hour, chosen)`` -> (levels, y, x, tracer, column) [kg s-1] of the groups at positions `chosen`.
    groups : sequence of str
    receptors : Receptors
    hours : range
        Positions of the hours kept.
    inflow : (level, tracer) ndarray
        Air at the start and at the edges [ug m-3].
    progress : callable, optional
        ``progress(done, all)``.
    """
    count = len(groups) + 1  # the last column is the background
    kept = np.zeros((count, len(hours), len(receptors.boxes), len(TRACERS)), np.float32)
    batches = [np.arange(a, min(a + _AT_ONCE, count)) for a in range(0, count, _AT_ONCE)]
    for number, batch in enumerate(batches):
        real = batch[batch < len(groups)]
        air = np.zeros((*inflow.shape, len(batch)))
        if batch[-1] == len(groups):
            air[..., -1] = inflow

        def source(hour: int, real: NDArray[np.intp] = real, columns: int = len(batch)) -> Array:
            field = emitted(hour, real)
            still = np.zeros((*field.shape[:-1], columns - len(real)), field.dtype)
            return np.concatenate([field, still], axis=-1)

        def forth(done: int, of: int, number: int = number) -> None:
            if progress:
                progress(number * of + done, len(batches) * of)

        watch = Watch(receptors, hours, len(TRACERS), len(batch))
        transport.run(source, columns=len(batch), initial=air, inflow=air, observe=watch, levels=1, progress=forth)
        kept[batch] = np.moveaxis(watch.tracers, -1, 0)
    temperature, humidity = weather_at(transport.meteorology, receptors, hours)
    k = dissociation_constant(temperature, humidity, transport.coefficients.equilibrium.constant)
    return Responses(tuple(groups), receptors, kept[:-1], kept[-1], k)
