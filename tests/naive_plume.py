"""Slow, obvious twin of the plume kernels: one number at a time, sums taken far beyond need, nothing tabulated."""

from __future__ import annotations

import math

import numpy as np

from airsim.plume import kernels as k


def gaussian(z, centre, sigma):
    return np.exp(-0.5 * ((z - centre) / sigma) ** 2) / (math.sqrt(2.0 * math.pi) * sigma)


def between_mirrors(z, height, sigma, lid):
    """Gaussian between ground and lid by 400 images."""
    if lid >= k.NO_LID:
        return gaussian(z, height, sigma) + gaussian(z, -height, sigma)
    if z > lid:
        return 0.0
    if sigma > 20.0 * lid:
        return 1.0 / lid
    m = 2.0 * lid * np.arange(-100, 101)
    return float(np.sum(gaussian(z, height + m, sigma) + gaussian(z, -height + m, sigma)))


def with_lofting(z, centre, sigma, lofted, lid):
    """Direct and indirect images, divided by the mass inside the layer found by adding up 2001 heights."""
    if z > lid:
        return 0.0
    mixed = (sigma / (1.6 * lid)) ** 2
    lofted *= 1.0 - mixed
    if mixed >= 1.0:
        return 1.0 / lid

    def density(at):
        total = 0.0
        for m in range(12):
            total += gaussian(at, centre + 2 * m * lid, sigma) + gaussian(at, -centre - 2 * m * lid, sigma)
            total += gaussian(at, lofted - centre + 2 * (m + 1) * lid, sigma)
            total += gaussian(at, centre - lofted - 2 * (m + 1) * lid, sigma)
        return total

    levels = np.linspace(0.0, lid, 2001)
    return float(density(z) / np.trapezoid(density(levels), levels))


def wind(z, winds):
    return float(np.interp(4.0 * math.log2(max(z, 1.0)), np.arange(len(winds)), winds))


def spread_by_class(x, scheme, row):
    if scheme == k.FORMULA:
        return row[0] * x / math.sqrt(1.0 + row[1] * x), row[2] * x * (1.0 + row[3] * x) ** row[4]
    km = 0.001 * x
    i = 2
    while km > row[i]:
        i += 3
    sigma_y = 465.11628 * km * math.tan(0.017453293 * (row[0] - row[1] * math.log(km)))
    return sigma_y, min(row[i + 1] * km ** row[i + 2], 5000.0)


def surface(x, height, plume, hour, winds):
    """Near-surface speed and spread by plain bisection."""
    friction, length = hour[k.FRICTION], hour[k.OBUKHOV]

    def spread(speed):
        q = friction * x / speed
        if length > 0.0:
            return 0.57 * q / (1.0 + 3.0 * friction / speed * (x / length) ** (2.0 / 3.0))
        return 0.57 * q * (1.0 + 1.5 * q / abs(length))

    def mean_wind(speed):
        s = spread(speed)
        mean = s * math.sqrt(2 / math.pi) * math.exp(-0.5 * (height / s) ** 2)
        mean += height * math.erf(height / (math.sqrt(2.0) * s))
        return max(wind(min(mean, 0.5 * plume[k.LID]), winds), plume[k.SLOWEST])

    low, high = 1e-3, 1e3
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if mean_wind(middle) > middle else (low, middle)
    return low, spread(low)


def axis(x, z, terrain, scheme, plume, hour, winds, coefficients):
    """(f, sigma_y, travel speed) at x."""
    lid, rise = plume[k.LID], plume[k.RISE]
    if x < plume[k.RISE_DISTANCE]:
        rise = min(rise, ((plume[k.JET] + plume[k.BUOYANCY] * x) * x) ** (1.0 / 3.0))
    height, above = plume[k.HEIGHT] + rise, plume[k.ABOVE]
    if terrain > 0.0:
        height -= (1.0 - hour[k.PATH]) * min(height, terrain)
        above -= (1.0 - hour[k.PATH]) * min(above, terrain)
    own = (rise / 3.5) ** 2
    y2, z2 = own + plume[k.SIGMA_Y0] ** 2, own + plume[k.SIGMA_Z0] ** 2
    speed, kept = plume[k.SPEED], plume[k.KEPT]
    if scheme != k.SIMILARITY:
        sigma_y, sigma_z = spread_by_class(x, scheme, coefficients[int(hour[k.CLASS])])
        f = kept * between_mirrors(z, height, math.hypot(sigma_z, math.sqrt(z2)), lid) / speed
        return f, math.hypot(sigma_y, math.sqrt(y2)), speed

    elevated, length = plume[k.ELEVATED], hour[k.OBUKHOV]
    near, f, time = speed, 0.0, x / speed
    if elevated < 1.0:
        near, spread = surface(x, height, plume, hour, winds)
        f += (1.0 - elevated) * between_mirrors(z, height, math.sqrt(spread**2 + z2), lid) / near
    if elevated > 0.0 and length > 0.0:
        low = math.sqrt(2 / math.pi) * hour[k.FRICTION] * time * (1 + 0.7 * x / length) ** (-1 / 3)
        w = plume[k.SIGMA_W]
        high = w * time / math.sqrt(1 + w * time * (1 / (0.72 * max(height, 1)) + plume[k.STABILITY] / (0.54 * w)))
        share = min(height / hour[k.DEPTH], 1.0)
        spread = (1 - share) * low + share * high
        f += elevated * between_mirrors(z, height, math.sqrt(spread**2 + z2), lid) / speed
    elif elevated > 0.0:
        lofted = math.sqrt(plume[k.LOFT] / (plume[k.LOFT_NEAR] + plume[k.LOFT_FAR] * time**2)) * time
        for share, drift, widen in (
            (plume[k.SHARE_UP], plume[k.UP], plume[k.SPREAD_UP]),
            (1 - plume[k.SHARE_UP], plume[k.DOWN], plume[k.SPREAD_DOWN]),
        ):
            sigma = math.sqrt((widen * time) ** 2 + z2)
            f += elevated * share * with_lofting(z, height + drift * time, sigma, lofted, lid) / speed
    f *= kept
    if kept < 1.0:
        reach = plume[k.SIGMA_W_ABOVE] * x / plume[k.SPEED_ABOVE]
        spread = reach / math.sqrt(1 + reach / (0.72 * max(above, 1.0)))
        f += (1 - kept) * between_mirrors(z, above, math.sqrt(spread**2 + z2), k.NO_LID) / plume[k.SPEED_ABOVE]
    travel = near + elevated * (speed - near)
    reach = plume[k.SIGMA_V] * x / travel
    slow = 78 * 0.46 / max(height, 0.46) if length > 0 else max(78 * 0.46 / max(plume[k.HEIGHT], 0.46), 0.7)
    sigma_y = reach * (1 + slow * reach / hour[k.SIGMA_Y_DEPTH]) ** -0.3
    return f, math.sqrt(sigma_y**2 + y2), travel


def pair(dx, dy, z, terrain, scheme, plume, hour, winds, coefficients):
    """Concentration at (dx, dy) from one source, without deposition."""
    along = -(hour[k.SIN] * dx + hour[k.COS] * dy)
    across = hour[k.SIN] * dy - hour[k.COS] * dx
    if math.hypot(dx, dy) < 1.0:
        along, across = 1.0, 0.0
    rate = math.exp(plume[k.LN_RATE])
    total = 0.0

    def at(x):
        f, sigma_y, travel = axis(max(x, 1.0), z, terrain, scheme, plume, hour, winds, coefficients)
        wandering = plume[k.MEANDER] * min(2 * (plume[k.SIGMA_V] / travel) ** 2, plume[k.MOST])
        return rate * f * math.exp(-plume[k.LOSS] * max(x, 1.0) / travel), sigma_y, wandering

    if along > 0.0:
        p, sigma_y, wandering = at(along)
        total += (1 - wandering) * p * gaussian(across, 0.0, sigma_y)
    if plume[k.MEANDER] > 0.0:
        r = max(math.hypot(dx, dy), 1.0)
        p, _, wandering = at(r)
        total += wandering * p / (2 * math.pi * r)
    return total


def one_hour(**changed):
    """Weather of one ordinary hour as a table, with some columns changed."""
    import pandas as pd

    hour = {
        "wind_speed": 5.0,
        "wind_height": 10.0,
        "wind_from_direction": 270.0,
        "air_temperature": 283.0,
        "mixing_height": 800.0,
        "friction_velocity": 0.4,
        "obukhov_length": -200.0,
        "convective_velocity": 1.2,
        "roughness_length": 0.3,
    } | changed
    length = max(len(v) if isinstance(v, (list, np.ndarray)) else 1 for v in hour.values())
    return pd.DataFrame(hour, index=pd.date_range("2020-01-01", periods=length, freq="h", name="time"))


def one_source(**changed):
    """A passive release at 50 m as a table, with some columns changed."""
    import pandas as pd

    source = {
        "x": 0.0,
        "y": 0.0,
        "height": 50.0,
        "diameter": 0.0,
        "exit_velocity": 0.0,
        "exit_temperature": 283.0,
        "rate": 1.0,
    } | changed
    length = max(len(v) if isinstance(v, (list, np.ndarray)) else 1 for v in source.values())
    return pd.DataFrame(source, index=range(length))
