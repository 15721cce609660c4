"""City outlines inside a result, so that its maps can be drawn again from the file alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import xarray as xr

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


def dataset(areas: Mapping[str, BaseGeometry], tolerance: float = 0.01) -> xr.Dataset:
    """Return the group ``/boundaries`` of a result.

    Parameters
    ----------
    areas : mapping of str to shapely geometry
        City id -> polygon or multipolygon of longitude and latitude [degrees].
    tolerance : float
        Douglas-Peucker tolerance [degrees]; 0.01 is about 1 km, a fifth of a default cell.

    Returns
    -------
    Dataset
        Exterior rings as corner points; holes are not drawn.
    """
    import shapely

    cities: list[str] = []
    corners: list[npt.NDArray[np.float64]] = []
    for city, area in areas.items():
        for part in shapely.get_parts(area.simplify(tolerance)):
            cities.append(city)
            corners.append(np.asarray(part.exterior.coords, dtype=np.float64)[:, :2])
    ring = np.repeat(np.arange(len(corners)), [len(c) for c in corners])
    points = np.concatenate(corners) if corners else np.empty((0, 2))
    return xr.Dataset(
        {
            "vertex_longitude": ("vertex", points[:, 0]),
            "vertex_latitude": ("vertex", points[:, 1]),
            "vertex_ring": ("vertex", ring),
            "ring_city": ("ring", cities),
        }
    )


def rings(group: xr.Dataset) -> list[tuple[str, npt.NDArray[np.float64]]]:
    """Return (city id, corners (n, 2) of longitude and latitude [degrees]) of every ring."""
    points = np.stack([group["vertex_longitude"].to_numpy(), group["vertex_latitude"].to_numpy()], axis=1)
    ring = group["vertex_ring"].to_numpy()
    return [(str(city), points[ring == i]) for i, city in enumerate(group["ring_city"].to_numpy())]
