"""What the ground does to the air: relief, blocking, slope winds, roughness. Same for every kind of weather."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from airsim.geography import Geography, Grid
from airsim.meteorology import boundary_layer as bl

Floats = NDArray[np.float64]

SLOPE_SHARE = 0.4
"""Share of a cell that slope winds sweep [1]: it holds many small slopes, estimated."""


class Relief:
    """What the terrain does to the air, in fields that do not change with time (each (ny, nx))."""

    def __init__(self, grid: Grid) -> None:
        self.terrain, self.spacing = grid.terrain, grid.spacing

    def _smooth(self, field: Floats, radius: float) -> Floats:
        return ndimage.gaussian_filter(field, radius / self.spacing, mode="nearest")

    def _gradient(self, radius: float) -> tuple[Floats, Floats]:
        along_y, along_x = np.gradient(self._smooth(self.terrain, radius), self.spacing)
        return np.asarray(along_x), np.asarray(along_y)

    def _highest(self, radius: float) -> Floats:
        r = max(round(radius / self.spacing), 1)
        disc = np.hypot(*np.mgrid[-r : r + 1, -r : r + 1]) <= r
        return self._smooth(ndimage.maximum_filter(self.terrain, footprint=disc, mode="nearest"), radius / 3)

    @cached_property
    def uphill(self) -> tuple[Floats, Floats]:
        """Slope along x and y [1], of the terrain smoothed over 6 km."""
        return self._gradient(6000.0)

    @cached_property
    def rim_above(self) -> Floats:
        """Height of the highest ground within 45 km above the ground [m], at least 0."""
        return np.maximum(self._highest(45_000.0) - self.terrain, 0.0)

    @cached_property
    def crest_above(self) -> Floats:
        """Height of the crest within 20 km above the ground [m], at least 0."""
        return np.maximum(self._highest(20_000.0) - self.terrain, 0.0)

    @cached_property
    def enclosure(self) -> Floats:
        """How far a place lies in a basin [0..1]: 1 if 250 m or more below the mean of its surroundings."""
        return np.clip((self._smooth(self.terrain, 50_000.0) - self.terrain) / 250.0, 0.0, 1.0)

    @cached_property
    def up_valley(self) -> tuple[Floats, Floats]:
        """Vector up the valley (length 0..1): along the terrain's grain, towards the high end.

        The grain is the direction of least gradient variance (eigenvector of the structure tensor over 30
        km); its sense is that of the large-scale rise of the ground (over 60 km). Where the two are at
        right angles there is no up, and the vector shrinks to nothing.
        """
        dx, dy = self._gradient(10_000.0)
        xx, yy, xy = (self._smooth(a, 30_000.0) for a in (dx * dx, dy * dy, dx * dy))
        along = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
        ax, ay = np.cos(along), np.sin(along)
        rise_x, rise_y = self._gradient(60_000.0)
        cosine = (ax * rise_x + ay * rise_y) / np.maximum(np.hypot(rise_x, rise_y), 1e-6)
        sense = np.tanh(cosine / 0.3)
        return self._smooth(sense * ax, 15_000.0), self._smooth(sense * ay, 15_000.0)


def froude_blocking(x_wind: Floats, y_wind: Floats, relief: Relief, stability: Floats) -> tuple[Floats, Floats]:
    """Return the wind without that part of its uphill component which the terrain blocks [m s-1].

    Local Froude number V / (N dh) with dh the height of the obstacle above (Allwine & Whiteman 1985), as
    CALMET uses it (Scire et al. 2000, sec. 2.2.1.3). Instead of turning the wind whole at the critical
    value 1, a share 1 - Fr of the uphill component is taken away, so that the field has no jump and blocked
    air slows down.

    Parameters
    ----------
    x_wind, y_wind : (..., ny, nx) ndarray
        [m s-1]
    relief : Relief
    stability : (..., ny, nx) ndarray
        Brunt-Vaisala frequency [s-1].
    """
    dx, dy = relief.uphill
    steep = np.hypot(dx, dy)
    ex, ey = dx / np.maximum(steep, 1e-9), dy / np.maximum(steep, 1e-9)
    froude = np.hypot(x_wind, y_wind) / np.maximum(stability * relief.rim_above, 1e-3)
    # ground flatter than 1 % has no uphill to speak of
    blocked = np.clip(1 - froude, 0, 1) * np.clip(steep / 0.01, 0, 1)
    uphill = np.maximum(x_wind * ex + y_wind * ey, 0) * blocked
    return x_wind - uphill * ex, y_wind - uphill * ey


def slope_wind(heat_flux: Floats, temperature: Floats, relief: Relief) -> tuple[Floats, Floats, Floats]:
    """Return the slope wind's components [m s-1] and depth [m], each (..., ny, nx).

    S = [Q g x sin(a) / (rho cp T (CD + k))]^(1/3) (1 - exp(-x / Le))^(1/3), Le = h / (CD + k), in the form
    CALMET uses (Mahrt 1982; Briggs 1979; Scire & Robe 1997), down the slope for Q < 0, up for Q > 0, with
    CD = k = 0.04 (Horst & Doran 1986) and depth h a twentieth of the drop from the crest. By day the drag
    at the top of the upslope layer is that of the convection it grows into: CD + k = 0.5 + 0.04, x from the
    valley floor.
    """
    dx, dy = relief.uphill
    slope = np.hypot(dx, dy)
    sine = slope / np.sqrt(1 + slope**2)
    down = heat_flux < 0
    rough = np.where(down, 0.08, 0.54)
    # distance along the slope from the crest (down) or from the foot (up), both within the 20 km looked at
    drop = relief.crest_above
    way = np.minimum(np.where(down, drop, relief.crest_above.max() - drop) / np.maximum(sine, 0.01), 20_000.0)
    depth = 0.05 * drop
    reach = np.where(down, np.maximum(depth, 5.0), 100.0) / rough
    flux = np.abs(heat_flux) / (bl.PRESSURE / (bl.GAS_CONSTANT * temperature) * bl.HEAT_CAPACITY * temperature)
    speed = np.cbrt(flux * bl.GRAVITY * way * sine / rough * -np.expm1(-way / reach))
    signed = np.where(down, -speed, speed) / np.maximum(slope, 1e-9)
    return signed * dx, signed * dy, np.where(down, np.maximum(depth, 20.0), 100.0)


def roughness_length(geography: Geography, relief: Relief) -> Floats:
    """Return roughness length [m]: fields 0.1, wooded mountain up to 0.8 by slope, town up to 1 by people."""
    density = geography.population / (geography.grid.cell_area / 1e6)
    town = np.clip(density / 5000.0, 0, 1)
    wood = np.clip(np.hypot(*relief.uphill) / 0.08, 0, 1)
    result: Floats = np.exp((1 - town) * ((1 - wood) * np.log(0.1) + wood * np.log(0.8)) + town * np.log(1.0))
    return result


def built_up(geography: Geography) -> Floats:
    """Return the share of built-up land [1]: 100 m2 a head (GB 50137-2011, from memory), estimated."""
    return np.clip(geography.population * 100.0 / geography.grid.cell_area, 0, 1)
