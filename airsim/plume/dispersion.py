"""Coefficients of the dispersion schemes that go by stability class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SCHEMES = ("similarity", "briggs_rural", "briggs_urban", "pasquill_gifford")
CLASSES = ("A", "B", "C", "D", "E", "F")

# Rows A to F: sigma_y = ay x (1 + by x)^(-1/2), sigma_z = az x (1 + bz x)^cz, x in m.
# Briggs 1973 (ATDL contribution 79), as in Gifford 1976, Nuclear Safety 17, 68-86, table 4.
BRIGGS_RURAL: Array = np.array(
    [
        [0.22, 1e-4, 0.20, 0.0, 0.0],
        [0.16, 1e-4, 0.12, 0.0, 0.0],
        [0.11, 1e-4, 0.08, 2e-4, -0.5],
        [0.08, 1e-4, 0.06, 1.5e-3, -0.5],
        [0.06, 1e-4, 0.03, 3e-4, -1.0],
        [0.04, 1e-4, 0.016, 3e-4, -1.0],
    ]
)
BRIGGS_URBAN: Array = np.array(
    [
        [0.32, 4e-4, 0.24, 1e-3, 0.5],
        [0.32, 4e-4, 0.24, 1e-3, 0.5],
        [0.22, 4e-4, 0.20, 0.0, 0.0],
        [0.16, 4e-4, 0.14, 3e-4, -0.5],
        [0.11, 4e-4, 0.08, 1.5e-3, -0.5],
        [0.11, 4e-4, 0.08, 1.5e-3, -0.5],
    ]
)
# ISC3 guide, EPA-454/B-95-003b, vol. II, table 1-1: sigma_y = 465.11628 x tan[0.017453293 (c - d ln x)], x in km.
_CURVES_Y = (
    (24.1670, 2.5334),
    (18.3330, 1.8096),
    (12.5000, 1.0857),
    (8.3330, 0.72382),
    (6.2500, 0.54287),
    (4.1667, 0.36191),
)
# Table 1-2: sigma_z = a x^b up to a distance [km]; for A to C at most 5000 m.
_CURVES_Z = (
    (
        (0.10, 122.800, 0.94470),
        (0.15, 158.080, 1.05420),
        (0.20, 170.220, 1.09320),
        (0.25, 179.520, 1.12620),
        (0.30, 217.410, 1.26440),
        (0.40, 258.890, 1.40940),
        (0.50, 346.750, 1.72830),
        (np.inf, 453.850, 2.11660),
    ),
    ((0.20, 90.673, 0.93198), (0.40, 98.483, 0.98332), (np.inf, 109.300, 1.09710)),
    ((np.inf, 61.141, 0.91465),),
    (
        (0.30, 34.459, 0.86974),
        (1.00, 32.093, 0.81066),
        (3.00, 32.093, 0.64403),
        (10.00, 33.504, 0.60486),
        (30.00, 36.650, 0.56589),
        (np.inf, 44.053, 0.51179),
    ),
    (
        (0.10, 24.260, 0.83660),
        (0.30, 23.331, 0.81956),
        (1.00, 21.628, 0.75660),
        (2.00, 21.628, 0.63077),
        (4.00, 22.534, 0.57154),
        (10.00, 24.703, 0.50527),
        (20.00, 26.970, 0.46713),
        (40.00, 35.420, 0.37615),
        (np.inf, 47.618, 0.29592),
    ),
    (
        (0.20, 15.209, 0.81558),
        (0.70, 14.457, 0.78407),
        (1.00, 13.953, 0.68465),
        (2.00, 13.953, 0.63227),
        (3.00, 14.823, 0.54503),
        (7.00, 16.187, 0.46490),
        (15.00, 17.836, 0.41507),
        (30.00, 22.651, 0.32681),
        (60.00, 27.074, 0.27436),
        (np.inf, 34.219, 0.21716),
    ),
)


def _pasquill_gifford() -> Array:
    width = 2 + 3 * max(len(rows) for rows in _CURVES_Z)
    table = np.full((6, width), np.inf)
    for row, lateral, vertical in zip(table, _CURVES_Y, _CURVES_Z, strict=True):
        flat = [*lateral, *(v for piece in vertical for v in piece)]
        row[: len(flat)] = flat
    return table


PASQUILL_GIFFORD: Array = _pasquill_gifford()

# Potential-temperature gradient by class [K m-1], ISC3 guide section 1.1.4.5: 0.020 for E, 0.035 for F.
CLASS_GRADIENT: Array = np.array([0.0, 0.0, 0.0, 0.0, 0.020, 0.035])
# Plume-path coefficient by class, CALPUFF user's guide (Scire et al. 2000), table of PPC defaults.
PLUME_PATH: Array = np.array([0.5, 0.5, 0.5, 0.5, 0.35, 0.35])


def coefficients(scheme: str) -> Array:
    """Return the table of a scheme, one row a stability class; a single zero for `similarity`.

    Parameters
    ----------
    scheme : str
        One of `SCHEMES`.

    Returns
    -------
    ndarray
        (class, coefficient).
    """
    return {
        "briggs_rural": BRIGGS_RURAL,
        "briggs_urban": BRIGGS_URBAN,
        "pasquill_gifford": PASQUILL_GIFFORD,
    }.get(scheme, np.zeros((6, 3)))
