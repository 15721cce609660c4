"""Where in the air each source's emission begins, as a sparse matrix: what links sources to transport and back."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from airsim.inventory.gridding import GriddedEmissions
from airsim.region.tracers import TRACERS

Array = NDArray[Any]


class Placement:
    """The sites of gridded emissions; sources that spread alike over boxes and hours share one.

    A site does not know how much is emitted there: measures, lists and new figures leave it as it is, so what was
    computed for the sites of one scenario serves every other that emits from the same places.

    Parameters
    ----------
    gridded : GriddedEmissions

    Attributes
    ----------
    sites : tuple of str
        Name of each site: a hash of how it spreads.
    site : (source,) int ndarray
        Position in `sites` of each source, -1 if it lies outside the grid.
    levels : int
        Levels, from the ground, that receive emissions.
    """

    def __init__(self, gridded: GriddedEmissions) -> None:
        self.gridded = gridded
        self.levels = gridded.levels
        self._shape = (gridded.grid.ny, gridded.grid.nx)
        boxes = gridded.grid.ny * gridded.grid.nx
        weights, heights = gridded._weights, gridded._band_share
        name = np.full(len(gridded.sources), "", dtype=object)
        for row, source in enumerate(gridded._area):
            part = slice(weights.indptr[row], weights.indptr[row + 1])
            if part.stop > part.start:
                name[source] = _digest(weights.indices[part].astype("<i8"), weights.data[part], heights[row])
        for p, source in enumerate(gridded._point):
            name[source] = _digest(np.array(gridded._cell[p], "<i8"), gridded._stack_share[:, p])
        self.sites: tuple[str, ...] = tuple(dict.fromkeys(n for n in name if n))
        index = {n: i for i, n in enumerate(self.sites)}
        self.site = np.array([index.get(n, -1) for n in name], dtype=np.intp)
        # one source stands for all of its site
        points = {self.site[source]: p for p, source in enumerate(gridded._point)}
        self._stack_site = np.array(list(points), dtype=np.intp)
        stack = np.array(list(points.values()), dtype=np.intp)
        self._stack_cell = gridded._cell[stack]
        self._stack_share = gridded._stack_share[:, stack, : self.levels]
        areas = {self.site[source]: row for row, source in enumerate(gridded._area) if self.site[source] >= 0}
        rows = np.array(list(areas.values()), dtype=np.intp)
        to_site = sparse.csr_array(
            (np.ones(len(rows)), (np.array(list(areas), dtype=np.intp), np.arange(len(rows)))),
            shape=(len(self.sites), len(rows)),
        )
        spread = [sparse.diags_array(heights[rows, k]) @ weights[rows] for k in range(self.levels)]
        self._areas = sparse.csr_array(to_site @ sparse.hstack(spread))
        self._areas.eliminate_zeros()
        self._size = (len(self.sites), self.levels * boxes)

    def at(self, hour: int, dtype: str | np.dtype[Any] = "float64") -> sparse.csr_array:
        """Share of each site's emission that begins in each box in one hour, (site, level*y*x) [1].

        Rows sum to the share of the site that lies on the grid.
        """
        share = self._stack_share[hour]
        site, level = np.nonzero(share)
        box = level * (self._size[1] // self.levels) + self._stack_cell[site]
        stacks = sparse.csr_array((share[site, level], (self._stack_site[site], box)), shape=self._size)
        return sparse.csr_array((self._areas + stacks).astype(dtype))

    def felt(self, hour: int, sensitivity: Array) -> Array:
        """Return what the emission of each site is felt, given what that of each box is.

        Parameters
        ----------
        hour : int
        sensitivity : (levels or more, y, x, ...) ndarray

        Returns
        -------
        (site, ...) ndarray
        """
        s = sensitivity[: self.levels]
        flat = s.reshape(self._size[1], -1)
        return (self.at(hour, s.dtype) @ flat).reshape(self._size[0], *s.shape[3:])

    def emitted(self, hour: int, group: NDArray[np.intp], groups: int) -> Array:
        """Emissions of one hour, source group by source group.

        Parameters
        ----------
        hour : int
        group : (source,) int ndarray
            Group of each source; -1 leaves it out.
        groups : int
            How many there are.

        Returns
        -------
        (level, y, x, tracer, group) float32 ndarray
            [kg s-1].
        """
        rate = self.gridded.rates(hour)
        out = np.zeros((self._size[1], len(TRACERS), groups), np.float32)
        spread = self.at(hour)
        for g in range(groups):
            members = np.flatnonzero((group == g) & (self.site >= 0))
            sites, position = np.unique(self.site[members], return_inverse=True)
            by_site = np.zeros((len(sites), len(TRACERS)))
            np.add.at(by_site, position, rate[members])
            part = sparse.csc_array(spread[sites].T)
            boxes = np.unique(part.indices)
            out[boxes, :, g] = part.tocsr()[boxes] @ by_site
        return out.reshape(self.levels, *self._shape, len(TRACERS), groups)


def _digest(*content: Array) -> str:
    found = hashlib.sha256()
    for each in content:
        found.update(np.ascontiguousarray(each).tobytes())
    return found.hexdigest()[:24]
