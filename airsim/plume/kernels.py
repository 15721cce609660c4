# ruff: noqa: SIM108  (kernels take arrays and floats; numba types them by their callers)
"""The plume's inner loops on plain arrays: all constants and helpers of the kernels are in this one file.

The public kernels, their equations, and the slow twin in `tests/naive_plume.py` that each must equal, or the
tests that hold one without a twin:

================  ===========================================================================  ========================
kernel            equation and source                                                          twin, or tests
================  ===========================================================================  ========================
exponential       e^x, Taylor polynomial of degree 11                                          test_plume_kernels.py
exponential32     e^x, polynomial of Cephes' expf (Moshier 1989)                               test_plume_kernels.py
logarithm         ln x, series of 2 artanh((m - 1)/(m + 1))                                    test_plume_kernels.py
complement        erfc x (Abramowitz & Stegun 1964, eq. 7.1.26)                                test_plume_kernels.py
profile           Gaussian between ground and lid: images, or Poisson sum                      between_mirrors
mean_height       z-bar of a reflected Gaussian (Venkatram et al. 2013)                        surface
surface_sigma_z   sigma_z near the surface (Venkatram et al. 2013)                             surface
surface_layer     sigma_z and the wind at z-bar, solved together (Venkatram et al. 2013)       surface
curve             sigma_z = a x^b, Pasquill-Gifford (ISC3 guide, table 1-2)                    spread_by_class
elevated_sigma_z  sigma_z aloft (Cimorelli et al. 2005, sec. 5a; Venkatram et al. 1984)        axis
stable_sigma_z    sigma_z of elevated releases (Cimorelli et al. 2005, sec. 5a)                axis
lofting_profile   images at ground and lid (Weil et al. 1997; Cimorelli et al. 2005, sec. 5c)  with_lofting
axis              f, sigma_y and speeds at x, from the kernels above                           axis
meandering        2 sigma_v^2/U^2 (Cimorelli et al. 2005, sec. 4a)                             pair
tabulate_one      the axis as Chebyshev polynomials, one plume                                 test_plume_kernels.py
tabulate          the same for all plumes and hours                                            test_plume_kernels.py
tabulate_rows     the same for many plumes at a time                                           test_plume_kernels.py
tiles             sum over plumes from the polynomials                                         test_plume_kernels.py
direct            sum over plumes, pair by pair                                                pair
pair              (1 - m) f exp(-y^2/2 sigma_y^2)/(sqrt(2 pi) sigma_y) + m f/(2 pi r)          pair
deplete           what deposition leaves of a plume, by distance                               test_plume_identities.py
shapes            integral over an area source along its edges (Green's theorem)               test_plume_api.py
================  ===========================================================================  ========================

Two ways to the same numbers. `direct` evaluates the plume for every pair of source and receptor. `tiles` first
tabulates each plume along its axis (`tabulate`), stretch by stretch of downwind distance, as polynomials of
ln(axial concentration) and of 1/(2 sigma_y^2); a pair then costs two polynomials and one exponential, whatever
the physics along the axis, and tiles of 64 receptors outside a plume's cone are passed over.

The caller sees to it that no NaN enters, so the tile loops may assume there is none.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from numba import njit, prange, types
from numba.extending import intrinsic

from airsim.cache import compiled

compiled.guard()

# one plume in one hour: fields of `plume[hour, source, field]`
HEIGHT, RISE, RISE_DISTANCE, JET, BUOYANCY, SPEED, KEPT, ABOVE, SPEED_ABOVE, LID = range(10)
MEANDER, LN_RATE, LOSS, DEPOSITION, SIGMA_Y0, SIGMA_Z0, SIGMA_V, SIGMA_W, SIGMA_W_ABOVE = range(10, 19)
STABILITY, ELEVATED, SHARE_UP, UP, DOWN, SPREAD_UP, SPREAD_DOWN, LOFT, LOFT_NEAR, LOFT_FAR = range(19, 29)
SLOWEST, MOST, START, STRETCHES = range(29, 33)
PLUME_FIELDS = 33
# one hour: fields of `hour[hour, field]`
SIN, COS, OBUKHOV, FRICTION, CLASS, SIGMA_Y_DEPTH, DEPTH, PATH = range(8)
HOUR_FIELDS = 8

# one plume as the tiles see it: fields of `ray[hour, source, field]`
X0, Y0, BEGIN, PER_BEGIN, LAST, COHERENT, WANDERS = range(7)
RAY_FIELDS = 8  # one more, so that a plume fills a cache line

FORMULA, CURVES, SIMILARITY = range(3)  # how sigma is found: Briggs' formulae, Pasquill-Gifford fits, u* and L

# A table goes by stretches of distance, x from start 4^k to start 4^(k+1). In t = (x - g)/(x + g), g the middle of a
# stretch (in ln x), a stretch is |t| <= 1/3 while x = 0, where a plume's functions are singular, is t = -1: Chebyshev
# interpolation gains a factor 5.8 a node.
NODES = 8  # a stretch: relative error of the tabulated plume about 5e-6
_BLOCK = 32  # plumes that share a thread's scratch space
_CLUSTER = 4  # tiles
TILE = 128
NEAREST = 1.0  # [m]: a receptor nearer than this is given the value there
FAR_BELOW = -1.0e30  # ln of nothing
CUT = 12.0  # y^2/(2 sigma_y^2) beyond which a tile is passed over: 4.9 sigma, at most 9.6e-7 of the mass
NO_LID = 1.0e8
SQRT_2PI = math.sqrt(2.0 * math.pi)
LN_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)

# Without `reassoc`: the exponential rounds by adding and subtracting a large number.
FAST = {"contract", "arcp", "nsz", "nnan", "ninf", "afn"}


def _chebyshev() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return nodes t in (-1/3, 1/3), the matrix from nodal values to coefficients, and that of their integral."""
    nodes = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)[::-1] / 3.0
    to_coefficients = np.linalg.inv(np.vander(nodes, increasing=True))
    powers = np.arange(1, NODES + 1)
    # integral of t^k from -1/3 to t: (t^(k+1) - (-1/3)^(k+1))/(k+1)
    ends = np.append(nodes, 1.0 / 3.0)
    integral = (ends[:, None] ** powers - (-1.0 / 3.0) ** powers) / powers @ to_coefficients
    return nodes, to_coefficients.T.copy(), integral


# rows: the nodes; what a value at each node adds to the coefficients; its share in the integral to each node and
# to the end
BASIS = np.vstack(_chebyshev())


def _reinterpreter(source: Any, target: Any, dtype: type) -> Any:
    """Return a function that reads the bits of a number of one numba type as another, in one instruction."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}:
        origin = np.dtype(str(source)).type
        return lambda x: origin(x).view(dtype)

    def bitcast(typingctx, x):
        def build(context, builder, signature, args):
            return builder.bitcast(args[0], context.get_value_type(target))

        return target(source), build

    return intrinsic(bitcast)


_bits = _reinterpreter(types.float64, types.int64, np.int64)
_float = _reinterpreter(types.int64, types.float64, np.float64)
_bits32 = _reinterpreter(types.float32, types.int32, np.int32)
_float32 = _reinterpreter(types.int32, types.float32, np.float32)

_ROUNDER = 6755399441055744.0  # 1.5 * 2^52: adding it leaves the nearest integer in the low bits
_LOG2E = 1.4426950408889634
_LN2_HIGH = 0.693147180369123816490
_LN2_LOW = 1.90821492927058770002e-10


@njit(fastmath=FAST, error_model="numpy", inline="always")
def exponential(x):
    """exp(x) for x in [-700, 700], branch-free so that loops over it vectorise.

    Range reduction by ln 2 in two parts and the Taylor polynomial of degree 11 on [-0.347, 0.347]; relative
    error below 1e-14.
    """
    shifted = x * _LOG2E + _ROUNDER
    n = shifted - _ROUNDER
    r = x - n * _LN2_HIGH
    r = r - n * _LN2_LOW
    p = 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return _float(_bits(p) + (_bits(shifted) << 52))


_SINGLE = tuple(
    np.float32(v)
    for v in (
        12582912.0,
        1.44269504,
        0.693359375,
        -2.12194440e-4,
        1.9875691500e-4,
        1.3981999507e-3,
        8.3334519073e-3,
        4.1665795894e-2,
        1.6666665459e-1,
        5.0000001201e-1,
        1.0,
        -87.0,
        1.0 / 3.0,
        NEAREST,
        0.0,
    )
)
(
    _ROUNDER_S,
    _LOG2E_S,
    _LN2_HIGH_S,
    _LN2_LOW_S,
    _E6,
    _E5,
    _E4,
    _E3,
    _E2,
    _E1,
    _ONE,
    _LOWEST,
    _THIRD,
    _NEAREST_S,
    _ZERO,
) = _SINGLE


@njit(fastmath=FAST, error_model="numpy", inline="always")
def exponential32(x):
    """exp(x) of a float32 in [-87, 87], with the polynomial of Cephes' expf (Moshier 1989); error 1e-7."""
    shifted = x * _LOG2E_S + _ROUNDER_S
    n = shifted - _ROUNDER_S
    r = x - n * _LN2_HIGH_S
    r = r - n * _LN2_LOW_S
    p = _E6
    p = p * r + _E5
    p = p * r + _E4
    p = p * r + _E3
    p = p * r + _E2
    p = p * r + _E1
    p = p * r + _ONE
    p = p * r + _ONE
    return _float32(_bits32(p) + (_bits32(shifted) << 23))


_EXPONENT_MAGIC = 0x4330000000000000
_TWO52 = 4503599627370496.0


@njit(fastmath=FAST, error_model="numpy", inline="always")
def logarithm(x):
    """ln(x) for x in [1e-300, 1e300], branch-free; error below 1e-11.

    The mantissa m in [0.7, 1.4) through the series of 2 artanh((m - 1)/(m + 1)).
    """
    shifted = _bits(x) - 0x3FE6A09E667F3BCD
    e = _float(((shifted >> 52) + 2048) | _EXPONENT_MAGIC) - (_TWO52 + 2048.0)
    m = _float((shifted & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD)
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    p = 1.0 / 13.0
    p = p * q + 1.0 / 11.0
    p = p * q + 1.0 / 9.0
    p = p * q + 1.0 / 7.0
    p = p * q + 1.0 / 5.0
    p = p * q + 1.0 / 3.0
    p = p * q + 1.0
    return e * 0.6931471805599453 + 2.0 * s * p


@njit(error_model="numpy", inline="always")
def complement(x):
    """Complementary error function to 1.5e-7 (Abramowitz & Stegun 1964, eq. 7.1.26)."""
    a = abs(x)
    t = 1.0 / (1.0 + 0.3275911 * a)
    p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    p *= math.exp(-a * a)
    return p if x >= 0.0 else 2.0 - p


# --- along the axis -----------------------------------------------------------------------------------------


@njit(error_model="numpy", cache=True)
def profile(z, height, sigma, lid):
    """Ln of the vertical distribution [m-1] of a Gaussian between ground and lid, both reflecting.

    Image sum while sigma < 0.4 lid, beyond that its Fourier transform (Poisson summation),
    [1 + 2 sum cos(n pi z/lid) cos(n pi h/lid) exp(-(n pi sigma/lid)^2/2)]/lid, which is 1/lid to 7e-6 from
    sigma = 1.6 lid on. Either series is cut below 1e-8 of its first term.
    """
    inverse = 0.5 / (sigma * sigma)
    if lid >= NO_LID:
        first = (z - height) * (z - height) * inverse
        return -first + math.log1p(math.exp(first - (z + height) * (z + height) * inverse)) - math.log(SQRT_2PI * sigma)
    if z > lid:
        return FAR_BELOW
    if sigma < 0.4 * lid:
        first = (z - height) * (z - height) * inverse
        total = 1.0 + math.exp(first - (z + height) * (z + height) * inverse)
        for m in (-2, -1, 1, 2):
            for side in (-1.0, 1.0):
                d = z + side * height - 2.0 * m * lid
                e = first - d * d * inverse
                if e > -20.0:
                    total += math.exp(e)
        return -first + math.log(total) - math.log(SQRT_2PI * sigma)
    spread = 0.5 * (math.pi * sigma / lid) ** 2
    total = 1.0
    for n in range(1, 6):
        if n * n * spread < 20.0:
            total += (
                2.0 * math.cos(n * math.pi * z / lid) * math.cos(n * math.pi * height / lid) * math.exp(-n * n * spread)
            )
    return math.log(total / lid)


@njit(error_model="numpy", cache=True)
def _ln_sum(a, b):
    """Return ln(e^a + e^b)."""
    top = max(a, b)
    return top + math.log1p(math.exp(min(a, b) - top)) if top > FAR_BELOW else FAR_BELOW


@njit(error_model="numpy", cache=True)
def _wind(z, winds):
    """Wind at z from the hour's table, whose heights are 2^(i/4) m; linear in between."""
    if z <= 1.0:
        return winds[0]
    s = 4.0 * math.log2(z)
    i = int(s)
    last = winds.shape[0] - 1
    if i >= last:
        return winds[last]
    return winds[i] + (s - i) * (winds[i + 1] - winds[i])


@njit(error_model="numpy", cache=True)
def mean_height(height, sigma):
    """Mean height of a Gaussian plume reflected at the ground (Venkatram et al. 2013, eq. for z-bar)."""
    r = height / sigma
    return sigma * math.sqrt(2.0 / math.pi) * math.exp(-0.5 * r * r) + height * (1.0 - complement(r / math.sqrt(2.0)))


@njit(error_model="numpy", inline="always")
def surface_sigma_z(x, far, speed, friction, obukhov):
    """Vertical spread of a near-surface release (Venkatram et al. 2013, Atmos. Environ. 77, 846-855).

    sigma_z = 0.57 q/(1 + 3 (u*/U) (x/L)^(2/3)) stable, 0.57 q (1 + 1.5 q/|L|) convective, with q = u* x/U; `far`
    is (x/L)^(2/3).
    """
    q = friction * x / speed
    if obukhov > 0.0:
        return 0.57 * q / (1.0 + 3.0 * friction / speed * far)
    return 0.57 * q * (1.0 - 1.5 * q / obukhov)


@njit(error_model="numpy", cache=True)
def surface_layer(x, height, plume, hour, winds, guess):
    """Speed and vertical spread of a near-surface plume, which depend on each other.

    The speed is the wind at the plume's mean height (Venkatram et al. 2013); solved by the secant method to 1e-6.
    """
    friction = hour[FRICTION]
    obukhov = hour[OBUKHOV]
    highest = 0.5 * plume[LID]
    slowest = plume[SLOWEST]
    far = np.cbrt((x / obukhov) ** 2) if obukhov > 0.0 else 0.0
    speed = guess
    spread = surface_sigma_z(x, far, speed, friction, obukhov)
    error = max(_wind(min(mean_height(height, spread), highest), winds), slowest) - speed
    step = 0.65 * error
    for _ in range(20):
        if abs(step) < 1.0e-6 * speed:
            break
        speed = max(speed + step, 0.05)
        spread = surface_sigma_z(x, far, speed, friction, obukhov)
        new = max(_wind(min(mean_height(height, spread), highest), winds), slowest) - speed
        slope = (new - error) / step
        # dU/d(speed) lies in (-2, 0): outside that the wind table's kinks mislead the secant
        step = -new / slope if -3.0 < slope < -0.9 else 0.6 * new
        error = new
    return speed, spread


@njit(error_model="numpy", cache=True)
def curve(x, row):
    """Pasquill-Gifford sigma_z = a x^b, x in km, by ranges of x (ISC3 guide, table 1-2); at most 5000 m."""
    km = 0.001 * x
    i = 0
    while km > row[3 * i]:
        i += 1
    return min(row[3 * i + 1] * km ** row[3 * i + 2], 5000.0)


@njit(error_model="numpy", cache=True)
def elevated_sigma_z(time, sigma_w, height, stability):
    """Vertical spread aloft, sigma_w t/[1 + sigma_w t (1/(0.72 h) + N/(0.54 sigma_w))]^(1/2).

    Cimorelli et al. 2005, section 5a, from CTDMPLUS (Venkatram et al. 1984).
    """
    reach = sigma_w * time
    return reach / math.sqrt(1.0 + reach * (1.0 / (0.72 * max(height, 1.0)) + stability / (0.54 * sigma_w)))


@njit(error_model="numpy", cache=True)
def stable_sigma_z(x, time, height, plume, hour):
    """Vertical spread of an elevated release in stable and neutral air.

    Cimorelli et al. 2005, section 5a: between the surface layer's (2/pi)^(1/2) u* t (1 + 0.7 x/L)^(-1/3) at the
    ground and the spread aloft at z_i, linear in height.
    """
    surface = math.sqrt(2.0 / math.pi) * hour[FRICTION] * time / np.cbrt(1.0 + 0.7 * x / hour[OBUKHOV])
    aloft = elevated_sigma_z(time, plume[SIGMA_W], height, plume[STABILITY])
    share = min(height / hour[DEPTH], 1.0)
    return surface + share * (aloft - surface)


@njit(error_model="numpy", cache=True)
def lofting_profile(z, centre, sigma, lofted, lid):
    """Ln of the vertical distribution [m-1] of one part of a plume in a convective layer.

    Direct part and images of Weil et al. 1997 (Cimorelli et al. 2005, section 5c): what reaches the lid stays
    there for a while, so the images of the lid lie `lofted` lower (the indirect source). Divided by the mass
    inside the layer, for which the image sums telescope to Phi((lid - c)/sigma) + Phi((c - lofted - lid)/sigma),
    so that nothing is lost. The lofting fades out until sigma reaches 1.6 lid, where the plume is uniform; without
    that the distribution would jump there.
    """
    if z > lid:
        return FAR_BELOW
    mixed = sigma * sigma / (2.56 * lid * lid)
    if mixed >= 1.0:
        return -math.log(lid)
    lofted *= 1.0 - mixed
    inverse = 0.5 / (sigma * sigma)
    first = (z - abs(centre)) * (z - abs(centre)) * inverse
    total = 0.0
    for m in range(5):
        for image in range(4):
            if image == 0:
                d = z - centre - 2.0 * m * lid
            elif image == 1:
                d = z + centre + 2.0 * m * lid
            elif image == 2:
                d = z + centre - lofted - 2.0 * (m + 1) * lid
            else:
                d = z - centre + lofted + 2.0 * (m + 1) * lid
            e = first - d * d * inverse
            if e > -20.0:
                total += math.exp(min(e, 600.0))
    r = 1.0 / (math.sqrt(2.0) * sigma)
    mass = 1.0
    if lofted > 0.0:
        mass = 0.5 * (complement((centre - lid) * r) + complement((lid + lofted - centre) * r))
    if total <= 0.0 or mass < 1.0e-12:
        return FAR_BELOW
    return math.log(total / mass) - first - math.log(SQRT_2PI * sigma)


@njit(error_model="numpy", cache=True)
def axis(x, z, terrain, scheme, plume, hour, winds, coefficients, guess):
    """State of a plume at downwind distance x: (ln f, sigma_y, speed near the ground, speed of travel).

    f [s m-2] is the crosswind-integrated concentration at height z for unit emission, without loss; `guess` is a
    first guess of the speed near the ground; `terrain` how much higher the receptor's ground is than the source's.
    """
    lid = plume[LID]
    rise = plume[RISE]
    if x < plume[RISE_DISTANCE]:
        rise = min(rise, np.cbrt((plume[JET] + plume[BUOYANCY] * x) * x))
    height = plume[HEIGHT] + rise
    buoyant = (rise / 3.5) ** 2  # spread by the plume's own motion (Pasquill 1976; ISC3 guide, eqs 1-47, 1-48)
    y2 = buoyant + plume[SIGMA_Y0] ** 2
    z2 = buoyant + plume[SIGMA_Z0] ** 2
    speed = plume[SPEED]
    kept = plume[KEPT]
    above = plume[ABOVE]
    if terrain > 0.0:
        height -= (1.0 - hour[PATH]) * min(height, terrain)
        above -= (1.0 - hour[PATH]) * min(above, terrain)

    if scheme != SIMILARITY:
        row = coefficients[int(hour[CLASS])]
        if scheme == FORMULA:
            sigma_y = row[0] * x / math.sqrt(1.0 + row[1] * x)
            sigma_z = row[2] * x
            if row[4] > 0.0:
                sigma_z *= math.sqrt(1.0 + row[3] * x)
            elif row[4] < -0.75:
                sigma_z /= 1.0 + row[3] * x
            elif row[4] < 0.0:
                sigma_z /= math.sqrt(1.0 + row[3] * x)
        else:
            sigma_y = 0.46511628 * x * math.tan(0.017453293 * (row[0] - row[1] * math.log(0.001 * x)))
            sigma_z = curve(x, row[2:])
        sigma_y = math.sqrt(sigma_y * sigma_y + y2)
        sigma_z = math.sqrt(sigma_z * sigma_z + z2)
        ln_f = math.log(kept) + profile(z, height, sigma_z, lid) - math.log(speed) if kept > 0.0 else FAR_BELOW
        return ln_f, sigma_y, speed, speed

    elevated = plume[ELEVATED]
    obukhov = hour[OBUKHOV]
    near = speed
    ln_f = FAR_BELOW
    if kept > 0.0:
        if elevated < 1.0:
            near, spread = surface_layer(x, height, plume, hour, winds, guess)
            ln_f = profile(z, height, math.sqrt(spread * spread + z2), lid) + math.log((1.0 - elevated) / near)
        if elevated > 0.0:
            time = x / speed
            if obukhov > 0.0:
                spread = stable_sigma_z(x, time, height, plume, hour)
                part = profile(z, height, math.sqrt(spread * spread + z2), lid)
            else:
                share = plume[SHARE_UP]
                up = math.sqrt((plume[SPREAD_UP] * time) ** 2 + z2)
                down = math.sqrt((plume[SPREAD_DOWN] * time) ** 2 + z2)
                lofted = math.sqrt(plume[LOFT] / (plume[LOFT_NEAR] + plume[LOFT_FAR] * time * time)) * time
                part = _ln_sum(
                    math.log(share) + lofting_profile(z, height + plume[UP] * time, up, lofted, lid),
                    math.log(1.0 - share) + lofting_profile(z, height + plume[DOWN] * time, down, lofted, lid),
                )
            ln_f = _ln_sum(ln_f, part + math.log(elevated / speed))
        ln_f += math.log(kept)
    if kept < 1.0:
        spread = elevated_sigma_z(x / plume[SPEED_ABOVE], plume[SIGMA_W_ABOVE], above, 0.0)
        part = profile(z, above, math.sqrt(spread * spread + z2), NO_LID)
        ln_f = _ln_sum(ln_f, part + math.log((1.0 - kept) / plume[SPEED_ABOVE]))
    travel = near + elevated * (speed - near)

    # sigma_y: Cimorelli et al. 2005, section 5b, with the coefficients of the AERMOD formulation
    reach = plume[SIGMA_V] * x / travel
    if obukhov > 0.0:
        slow = 78.0 * 0.46 / max(height, 0.46)
    else:
        slow = max(78.0 * 0.46 / max(plume[HEIGHT], 0.46), 0.7)
    sigma_y = reach * math.exp(-0.3 * math.log(1.0 + slow * reach / hour[SIGMA_Y_DEPTH]))
    return ln_f, math.sqrt(sigma_y * sigma_y + y2), near, travel


@njit(error_model="numpy", cache=True)
def meandering(travel, plume):
    """Share of a plume that meanders into all directions.

    2 sigma_v^2 over the kinetic energy of the horizontal wind (Cimorelli et al. 2005, section 4a); `travel` is
    the scalar wind, which contains both the mean and the gusts.
    """
    return plume[MEANDER] * min(2.0 * (plume[SIGMA_V] / travel) ** 2, plume[MOST])


@njit(error_model="numpy", inline="always")
def _stretch(ratio):
    """Largest k with 4^k <= ratio, for ratio >= 1; negative below."""
    return (((_bits(ratio) >> 52) & 2047) - 1023) >> 1


@njit(error_model="numpy", inline="always")
def _power(k):
    """Four to the k."""
    return _float((2 * np.int64(k) + 1023) << 52)


@njit(error_model="numpy", inline="always")
def _node(low, t):
    """Distance of the node t of a stretch that begins at low."""
    return 2.0 * low * (1.0 + t) / (1.0 - t)


@njit(error_model="numpy", inline="always")
def _place(x, low):
    """Place t of a distance in a stretch that begins at low."""
    return min(max((x - 2.0 * low) / (x + 2.0 * low), -1.0 / 3.0), 1.0 / 3.0)


@njit(error_model="numpy", cache=True)
def _integrate(left, lost, low, basis, uptake):
    """Fill `left` with minus the integral of `uptake` up to each node of an stretch; return it at the end."""
    for j in range(NODES + 1):
        depleted = lost
        for i in range(NODES):
            # dx = 2 g/(1 - t)^2 dt
            depleted += 4.0 * low / (1.0 - basis[0, i]) ** 2 * basis[1 + NODES + j, i] * uptake[i]
        if j == NODES:
            return depleted
        left[j] = -depleted
    return lost


@njit(error_model="numpy", cache=True)
def tabulate_one(table, reach, flat, levels, scheme, plume, hour, winds, coefficients, basis):
    """Fill one plume's table (function, stretch, coefficient), reach (stretch) and flat (level, stretch).

    Functions: 0 = 1/(2 sigma_y^2); then for each receptor height ln of the axial concentration of the coherent
    part; then for each height the meandering part: where it varies less than fiftyfold in the stretch (`flat`) the
    concentration itself, else ln of it. Stretch k reaches from start 4^k to start 4^(k+1). `reach` is the square
    of the distance from the axis beyond which nothing of this stretch is found.
    """
    n_levels = levels.shape[0]
    values = np.empty((1 + 2 * n_levels, NODES))
    uptake = np.empty(NODES)
    left = np.empty(NODES)
    sums = np.empty(NODES)
    lost = 0.0
    guess = _wind(plume[HEIGHT], winds) + 0.3
    wanders = plume[MEANDER] > 0.0
    for k in range(int(plume[STRETCHES])):
        low = plume[START] * _power(k)
        widest = 0.0
        for j in range(NODES):
            x = _node(low, basis[0, j])
            sigma_y = 1.0
            for i in range(n_levels):
                ln_f, sigma_y, guess, travel = axis(x, levels[i], 0.0, scheme, plume, hour, winds, coefficients, guess)
                ln_p = min(max(ln_f + plume[LN_RATE] - plume[LOSS] * x / travel, -1.0e4), 80.0)
                share = meandering(travel, plume)
                values[1 + i, j] = ln_p + math.log(max(1.0 - share, 1.0e-290) / (SQRT_2PI * sigma_y))
                if wanders:
                    values[1 + n_levels + i, j] = ln_p + math.log(max(share, 1.0e-290) / (2.0 * math.pi * x))
            values[0, j] = 0.5 / (sigma_y * sigma_y)
            widest = max(widest, sigma_y)
            if plume[DEPOSITION] > 0.0:
                ln_f, _, _, _ = axis(x, 0.0, 0.0, scheme, plume, hour, winds, coefficients, guess)
                uptake[j] = plume[DEPOSITION] * math.exp(ln_f)
        if plume[DEPOSITION] > 0.0:
            # source depletion: ln Q(x)/Q = -v_d integral of f dx (Chamberlain 1953; Horst 1977)
            lost = _integrate(left, lost, low, basis, uptake)
            for i in range(1, 1 + 2 * n_levels):
                for j in range(NODES):
                    values[i, j] += left[j]
        # the last node lies 1.2 % short of the stretch's end
        reach[k] = 2.0 * CUT * (1.02 * widest) ** 2
        functions = 1 + n_levels
        if wanders:
            functions += n_levels
            for i in range(n_levels):
                flat[i, k] = _even(values[1 + n_levels + i])
        for f in range(functions):
            _fit_one(table[f, k], values[f], basis, sums)


@njit(error_model="numpy", cache=True)
def _even(row):
    """Whether e^row varies less than fiftyfold; if so put it in the place of row."""
    smallest = row[0]
    largest = row[0]
    for j in range(1, NODES):
        smallest = min(smallest, row[j])
        largest = max(largest, row[j])
    even = largest - smallest < 4.0 and smallest > -80.0 and largest < 80.0
    if even:
        for j in range(NODES):
            row[j] = math.exp(row[j])
    return even


@njit(error_model="numpy", cache=True)
def _fit_one(out, values, basis, sums):
    """Turn values at the nodes of an stretch into coefficients."""
    for c in range(NODES):
        sums[c] = 0.0
    for j in range(NODES):
        v = values[j]
        for c in range(NODES):
            sums[c] += basis[1 + j, c] * v
    for c in range(NODES):
        out[c] = sums[c]


@njit(error_model="numpy", cache=True)
def _ray(ray, plume, position):
    """Fill one plume's ray."""
    ray[X0] = position[0]
    ray[Y0] = position[1]
    ray[BEGIN] = plume[START]
    ray[PER_BEGIN] = 1.0 / plume[START]
    ray[LAST] = plume[STRETCHES] - 1.0
    emits = plume[LN_RATE] > FAR_BELOW
    ray[COHERENT] = 1.0 if emits and plume[MEANDER] * plume[MOST] < 1.0 else 0.0
    ray[WANDERS] = 1.0 if emits and plume[MEANDER] > 0.0 else 0.0


@njit(error_model="numpy", inline="always")
def _dealt(i, n, hands):
    """Return the number of the card that comes i-th if n are dealt to `hands` and laid down hand after hand.

    A parallel loop gives every thread a run of iterations; day and night hours, which cost differently, lie
    together in the order of time and apart in this one.
    """
    each = n // hands
    return i % each * hands + i // each if i < each * hands else i


@njit(parallel=True, error_model="numpy", cache=True)
def tabulate(table, reach, flat, ray, levels, scheme, plume, hour, winds, coefficients, position, basis, threads):
    """Fill `table[hour, source, function, stretch, coefficient]` and what goes with it for all plumes."""
    hours, sources, _, stretches, _ = table.shape
    plumes = hours * sources
    blocks = (plumes + _BLOCK - 1) // _BLOCK
    for i in prange(blocks):
        block = _dealt(i, blocks, threads)
        scratch = np.empty((15, max(stretches * NODES, NODES)))
        for hs in range(block * _BLOCK, min((block + 1) * _BLOCK, plumes)):
            h = hs // sources
            s = hs % sources
            _ray(ray[h, s], plume[h, s], position[s])
            if plume[h, s, LN_RATE] <= FAR_BELOW:
                reach[h, s] = 0.0
            elif scheme != CURVES and plume[h, s, KEPT] > 0.0 and plume[h, s, DEPOSITION] == 0.0:
                tabulate_rows(
                    table[h, s],
                    reach[h, s],
                    flat[h, s],
                    levels,
                    scheme,
                    plume[h, s],
                    hour[h],
                    winds[h],
                    coefficients,
                    basis,
                    scratch,
                )
            else:
                tabulate_one(
                    table[h, s],
                    reach[h, s],
                    flat[h, s],
                    levels,
                    scheme,
                    plume[h, s],
                    hour[h],
                    winds[h],
                    coefficients,
                    basis,
                )


# The same, branch-free over all nodes of a plume at a time. `axis`, `profile` and `lofting_profile` say the physics;
# a test holds the two together. Loops touch few arrays: LLVM checks only so many pairs of them for overlap before
# it gives up vectors.


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _cosine_pi(u):
    """cos(pi u) for u in [0, 1] as 1 - 2 sin^2(pi u/2), by the Taylor series of the sine; error below 1e-9."""
    w = 0.5 * math.pi * min(u, 1.0)
    q = w * w
    p = 1.0 / 6227020800.0
    p = p * q - 1.0 / 39916800.0
    p = p * q + 1.0 / 362880.0
    p = p * q - 1.0 / 5040.0
    p = p * q + 1.0 / 120.0
    p = p * q - 1.0 / 6.0
    p = (p * q + 1.0) * w
    return 1.0 - 2.0 * p * p


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _image(d, first, inverse):
    return exponential(min(max(first - d * d * inverse, -700.0), 600.0))


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _profile_rows(out, z, height, sigma, lid):
    """`profile` for many."""
    n = out.shape[0]
    if z > lid:
        for i in range(n):
            out[i] = -1.0e4
        return
    if lid >= NO_LID:
        for i in range(n):
            inverse = 0.5 / (sigma[i] * sigma[i])
            first = (z - height[i]) * (z - height[i]) * inverse
            total = 1.0 + exponential(max(first - (z + height[i]) * (z + height[i]) * inverse, -700.0))
            out[i] = logarithm(total / (SQRT_2PI * sigma[i])) - first
        return
    per_lid = 1.0 / lid
    e = math.cos(math.pi * z * per_lid)
    e2 = 2.0 * e * e - 1.0
    e3 = e * (2.0 * e2 - 1.0)
    e4 = 2.0 * e2 * e2 - 1.0
    e5 = 2.0 * e * e4 - e3
    for i in range(n):
        inverse = 0.5 / (sigma[i] * sigma[i])
        minus = z - height[i]
        plus = z + height[i]
        first = minus * minus * inverse
        total = 1.0 + exponential(max(first - plus * plus * inverse, -700.0))
        # written out: an inner loop would keep this one from being vectorised
        total += _image(minus - 2.0 * lid, first, inverse)
        total += _image(plus - 2.0 * lid, first, inverse)
        total += _image(minus + 2.0 * lid, first, inverse)
        total += _image(plus + 2.0 * lid, first, inverse)
        total += _image(plus - 4.0 * lid, first, inverse)
        # Fourier form: g = exp(-(pi sigma/lid)^2/2) to the powers 1, 4, 9, 16, 25; cos(n a) by recurrence
        p = math.pi * sigma[i] * per_lid
        g = exponential(max(-0.5 * p * p, -40.0))
        g4 = g * g * g * g
        g9 = g4 * g4 * g
        g16 = g4 * g4 * g4 * g4
        c = _cosine_pi(height[i] * per_lid)
        c2 = 2.0 * c * c - 1.0
        c3 = c * (2.0 * c2 - 1.0)
        c4 = 2.0 * c2 * c2 - 1.0
        c5 = 2.0 * c * c4 - c3
        series = g * c * e + g4 * c2 * e2 + g9 * c3 * e3 + g16 * c4 * e4 + g16 * g9 * c5 * e5
        wide = sigma[i] >= 0.4 * lid
        value = (1.0 + 2.0 * series) * per_lid if wide else total / (SQRT_2PI * sigma[i])
        out[i] = logarithm(max(value, 1.0e-290)) - (0.0 if wide else first)


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _lofting_rows(out, z, height, x, drift, spread, own, plume):
    """`lofting_profile` for many: part of the plume that drifts vertically with `drift` and spreads with `spread`."""
    n = out.shape[0]
    lid = plume[LID]
    if z > lid:
        for i in range(n):
            out[i] = -1.0e4
        return
    per_speed = 1.0 / plume[SPEED]
    loft, loft_near, loft_far = plume[LOFT], plume[LOFT_NEAR], plume[LOFT_FAR]
    for i in range(n):
        time = x[i] * per_speed
        centre = height[i] + drift * time
        sigma2 = spread * spread * time * time + own[i]
        inverse = 0.5 / sigma2
        mixed = min(sigma2 / (2.56 * lid * lid), 1.0)
        lofted = math.sqrt(loft / (loft_near + loft_far * time * time)) * time * (1.0 - mixed)
        first = (z - abs(centre)) * (z - abs(centre)) * inverse
        direct = z - centre
        mirrored = z + centre
        total = _image(direct, first, inverse) + _image(mirrored, first, inverse)
        total += _image(direct - 2.0 * lid, first, inverse) + _image(mirrored + 2.0 * lid, first, inverse)
        total += _image(direct - 4.0 * lid, first, inverse) + _image(mirrored + 4.0 * lid, first, inverse)
        total += _image(direct - 6.0 * lid, first, inverse) + _image(mirrored + 6.0 * lid, first, inverse)
        total += _image(direct - 8.0 * lid, first, inverse) + _image(mirrored + 8.0 * lid, first, inverse)
        direct += lofted
        mirrored -= lofted
        total += _image(direct + 2.0 * lid, first, inverse) + _image(mirrored - 2.0 * lid, first, inverse)
        total += _image(direct + 4.0 * lid, first, inverse) + _image(mirrored - 4.0 * lid, first, inverse)
        total += _image(direct + 6.0 * lid, first, inverse) + _image(mirrored - 6.0 * lid, first, inverse)
        total += _image(direct + 8.0 * lid, first, inverse) + _image(mirrored - 8.0 * lid, first, inverse)
        total += _image(direct + 10.0 * lid, first, inverse) + _image(mirrored - 10.0 * lid, first, inverse)
        r = math.sqrt(inverse)
        mass = 0.5 * (_complement_row((centre - lid) * r) + _complement_row((lid + lofted - centre) * r))
        value = logarithm(max(total / (mass * SQRT_2PI), 1.0e-290) * r * 1.4142135623730951) - first
        value = -1.0e4 if mass < 1.0e-12 else value
        out[i] = -math.log(lid) if mixed >= 1.0 else value


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _complement_row(x):
    a = abs(x)
    t = 1.0 / (1.0 + 0.3275911 * a)
    p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    p *= exponential(max(-a * a, -700.0))
    return p if x >= 0.0 else 2.0 - p


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _heights(height, own, x, plume):
    """Heights and the square of the spread by the plume's own motion."""
    lowest = plume[HEIGHT]
    final = plume[RISE]
    until = plume[RISE_DISTANCE]
    jet = plume[JET]
    buoyancy = plume[BUOYANCY]
    for i in range(x.shape[0]):
        gradual = exponential(logarithm(max((jet + buoyancy * x[i]) * x[i], 1.0e-30)) * (1.0 / 3.0))
        rise = min(final, gradual) if x[i] < until else final
        height[i] = lowest + rise
        own[i] = rise * rise * (1.0 / 12.25)


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _formula_spreads(sigma_z, half, x, own, plume, row):
    """Vertical spread and 1/(2 sigma_y^2) of a scheme by formula."""
    ay, by, az, bz, cz = row[0], row[1], row[2], row[3], row[4]
    as_root = 1.0 if cz > 0.0 else 0.0
    as_one = 1.0 if cz == 0.0 else 0.0
    as_inverse = 1.0 if -0.75 < cz < 0.0 else 0.0
    as_square = 1.0 if cz <= -0.75 else 0.0
    y0 = plume[SIGMA_Y0] ** 2
    z0 = plume[SIGMA_Z0] ** 2
    for i in range(x.shape[0]):
        root = math.sqrt(1.0 + bz * x[i])
        z = az * x[i] * (as_root * root + as_one + as_inverse / root + as_square / (root * root))
        sigma_z[i] = math.sqrt(z * z + own[i] + z0)
    for i in range(x.shape[0]):
        half[i] = 0.5 / (ay * x[i] * ay * x[i] / (1.0 + by * x[i]) + own[i] + y0)


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _stable_spreads(sigma_z, x, height, own, plume, hour):
    """`stable_sigma_z` for many, with the plume's own spread."""
    per_speed = 1.0 / plume[SPEED]
    sigma_w = plume[SIGMA_W]
    damping = plume[STABILITY] / (0.54 * sigma_w)
    surface_rate = math.sqrt(2.0 / math.pi) * hour[FRICTION]
    per_length = 0.7 / hour[OBUKHOV]
    per_depth = 1.0 / hour[DEPTH]
    for i in range(x.shape[0]):
        time = x[i] * per_speed
        surface = surface_rate * time * exponential(logarithm(1.0 + per_length * x[i]) * (-1.0 / 3.0))
        reach = sigma_w * time
        aloft = reach / math.sqrt(1.0 + reach * (1.0 / (0.72 * max(height[i], 1.0)) + damping))
        z = surface + min(height[i] * per_depth, 1.0) * (aloft - surface)
        sigma_z[i] = math.sqrt(z * z + own[i])


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _similarity_half(half, x, height, own, travel, plume, hour):
    """1/(2 sigma_y^2) of the similarity scheme."""
    stable = hour[OBUKHOV] > 0.0
    convective = max(78.0 * 0.46 / max(plume[HEIGHT], 0.46), 0.7)
    per_depth = 1.0 / hour[SIGMA_Y_DEPTH]
    sigma_v = plume[SIGMA_V]
    y0 = plume[SIGMA_Y0] ** 2
    for i in range(x.shape[0]):
        reach = sigma_v * x[i] / travel[i]
        slow = 78.0 * 0.46 / max(height[i], 0.46) if stable else convective
        y = reach * exponential(-0.3 * logarithm(1.0 + slow * reach * per_depth))
        half[i] = 0.5 / (y * y + own[i] + y0)


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _mix(out, more, factor, other):
    """Out = ln(factor e^out + other e^more); a factor of zero takes no part."""
    for i in range(out.shape[0]):
        top = max(out[i] if factor > 0.0 else -1.0e4, more[i] if other > 0.0 else -1.0e4)
        total = factor * exponential(min(max(out[i] - top, -700.0), 0.0))
        total += other * exponential(min(max(more[i] - top, -700.0), 0.0))
        out[i] = top + logarithm(max(total, 1.0e-290))


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _finish_rows(coherent, wandering, ln_f, half, travel, x, plume):
    """From ln f to the functions of a table: ln of the coherent and of the meandering part."""
    rate = plume[LN_RATE]
    loss = plume[LOSS]
    gusts = 2.0 * plume[SIGMA_V] ** 2
    light = plume[MEANDER]
    most = plume[MOST]
    for i in range(x.shape[0]):
        ln_f[i] = min(max(ln_f[i] + rate - loss * x[i] / travel[i], -1.0e4), 80.0)
    for i in range(x.shape[0]):
        share = light * min(gusts / (travel[i] * travel[i]), most)
        width = max(1.0 - share, 1.0e-145) * math.sqrt(2.0 * half[i]) * (1.0 / SQRT_2PI)
        coherent[i] = ln_f[i] + logarithm(width)
    if light > 0.0:
        for i in range(x.shape[0]):
            share = light * min(gusts / (travel[i] * travel[i]), most)
            wandering[i] = ln_f[i] + logarithm(max(share, 1.0e-290) / (2.0 * math.pi * x[i]))


@njit(error_model="numpy", cache=True)
def tabulate_rows(table, reach, flat, levels, scheme, plume, hour, winds, coefficients, basis, scratch):
    """As `tabulate_one`, for plumes by formula or similarity that nothing deposits from."""
    stretches = int(plume[STRETCHES])
    n = stretches * NODES
    n_levels = levels.shape[0]
    x = scratch[0, :n]
    for k in range(stretches):
        low = plume[START] * _power(k)
        for j in range(NODES):
            x[k * NODES + j] = _node(low, basis[0, j])
    height = scratch[1, :n]
    own = scratch[2, :n]
    half = scratch[3, :n]
    travel = scratch[4, :n]
    sigma = scratch[5, :n]
    _heights(height, own, x, plume)
    speed = plume[SPEED]
    elevated = plume[ELEVATED]
    stable = hour[OBUKHOV] > 0.0
    near = scratch[8, : n if elevated < 1.0 and scheme == SIMILARITY else 0]
    near_sigma = scratch[9, : near.shape[0]]
    travel[:] = speed
    if scheme == SIMILARITY:
        own += plume[SIGMA_Z0] ** 2
        guess = _wind(plume[HEIGHT], winds) + 0.3
        for i in range(near.shape[0]):
            guess, spread = surface_layer(x[i], height[i], plume, hour, winds, guess)
            near[i] = guess
            near_sigma[i] = math.sqrt(spread * spread + own[i])
            travel[i] = guess + elevated * (speed - guess)
        if stable and elevated > 0.0:
            _stable_spreads(sigma, x, height, own, plume, hour)
    else:
        _formula_spreads(sigma, half, x, own, plume, coefficients[int(hour[CLASS])])

    kept = plume[KEPT]
    if scheme != SIMILARITY:
        # what is above the lid is seen nowhere
        speed /= kept
        kept = 1.0
    above = scratch[10, : n if kept < 1.0 else 0]
    above_sigma = scratch[11, : above.shape[0]]
    ln_f = scratch[6, :n]
    more = scratch[7, :n]
    coherent = scratch[12, :n]
    wandering = scratch[13, :n]
    sums = scratch[14, :NODES]
    for level in range(n_levels):
        z = levels[level]
        if scheme != SIMILARITY or (stable and elevated > 0.0):
            _profile_rows(ln_f, z, height, sigma, plume[LID])
        elif elevated > 0.0:
            _lofting_rows(ln_f, z, height, x, plume[UP], plume[SPREAD_UP], own, plume)
            _lofting_rows(more, z, height, x, plume[DOWN], plume[SPREAD_DOWN], own, plume)
            _mix(ln_f, more, plume[SHARE_UP], 1.0 - plume[SHARE_UP])
        if near.shape[0] > 0:
            _profile_rows(more, z, height, near_sigma, plume[LID])
            for i in range(n):
                more[i] -= math.log(near[i])
            if elevated == 0.0:
                ln_f[:] = 0.0
            _mix(ln_f, more, elevated / speed, 1.0 - elevated)
        else:
            ln_f -= math.log(speed)
        if kept < 1.0:
            for i in range(n):
                spread = elevated_sigma_z(x[i] / plume[SPEED_ABOVE], plume[SIGMA_W_ABOVE], plume[ABOVE], 0.0)
                above_sigma[i] = math.sqrt(spread * spread + own[i])
            above[:] = plume[ABOVE]
            _profile_rows(more, z, above, above_sigma, NO_LID)
            _mix(ln_f, more, kept, (1.0 - kept) / plume[SPEED_ABOVE])
        if scheme == SIMILARITY and level == 0:
            own -= plume[SIGMA_Z0] ** 2
            _similarity_half(half, x, height, own, travel, plume, hour)
            own += plume[SIGMA_Z0] ** 2
        _finish_rows(coherent, wandering, ln_f, half, travel, x, plume)
        for k in range(stretches):
            i = k * NODES
            if level == 0:
                _fit_one(table[0, k], half[i : i + NODES], basis, sums)
            _fit_one(table[1 + level, k], coherent[i : i + NODES], basis, sums)
            if plume[MEANDER] > 0.0:
                row = wandering[i : i + NODES]
                flat[level, k] = _even(row)
                _fit_one(table[1 + n_levels + level, k], row, basis, sums)
    for k in range(stretches):
        reach[k] = CUT * 1.04 / half[k * NODES + NODES - 1]


# --- pairs, by tiles ----------------------------------------------------------------------------------------


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _polynomial(c, t):
    p = c[7]
    p = p * t + c[6]
    p = p * t + c[5]
    p = p * t + c[4]
    p = p * t + c[3]
    p = p * t + c[2]
    p = p * t + c[1]
    return p * t + c[0]


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _fitted(table, s, k, t):
    """1/(2 sigma_y^2) of plume s in stretch k."""
    p = table[s, 0, k, NODES - 1]
    for i in range(NODES - 2, -1, -1):
        p = p * t + table[s, 0, k, i]
    return p


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _add_inside(total, x, y, sin, cos, along, across, table, s, f, k, middle):
    """Add a plume to a tile that lies wholly inside one stretch.

    `x`, `y` are relative to the tile's centre, which lies at (along, across) of the plume; `middle` is that of the
    stretch. Float32: the error, about 1e-6, is that of the table.
    """
    a0, a1, a2, a3, a4, a5, a6, a7 = (
        table[s, f, k, 0],
        table[s, f, k, 1],
        table[s, f, k, 2],
        table[s, f, k, 3],
        table[s, f, k, 4],
        table[s, f, k, 5],
        table[s, f, k, 6],
        table[s, f, k, 7],
    )
    b0, b1, b2, b3, b4, b5, b6, b7 = (
        table[s, 0, k, 0],
        table[s, 0, k, 1],
        table[s, 0, k, 2],
        table[s, 0, k, 3],
        table[s, 0, k, 4],
        table[s, 0, k, 5],
        table[s, 0, k, 6],
        table[s, 0, k, 7],
    )
    for i in range(TILE):
        distance = along - (sin * x[i] + cos * y[i])
        t = (distance - middle) / (distance + middle)
        side = across + (sin * y[i] - cos * x[i])
        p = (((((((a7 * t + a6) * t + a5) * t + a4) * t + a3) * t + a2) * t + a1) * t) + a0
        q = (((((((b7 * t + b6) * t + b5) * t + b4) * t + b3) * t + b2) * t + b1) * t) + b0
        total[i] += exponential32(max(p - side * side * q, _LOWEST))


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _add_across(total, x, y, sin, cos, along, across, table, s, f, k, middle, low, high):
    """As `_add_inside` for a tile of which only what lies from `low` to `high` downwind is in the stretch."""
    a0, a1, a2, a3, a4, a5, a6, a7 = (
        table[s, f, k, 0],
        table[s, f, k, 1],
        table[s, f, k, 2],
        table[s, f, k, 3],
        table[s, f, k, 4],
        table[s, f, k, 5],
        table[s, f, k, 6],
        table[s, f, k, 7],
    )
    b0, b1, b2, b3, b4, b5, b6, b7 = (
        table[s, 0, k, 0],
        table[s, 0, k, 1],
        table[s, 0, k, 2],
        table[s, 0, k, 3],
        table[s, 0, k, 4],
        table[s, 0, k, 5],
        table[s, 0, k, 6],
        table[s, 0, k, 7],
    )
    for i in range(TILE):
        distance = along - (sin * x[i] + cos * y[i])
        side = across + (sin * y[i] - cos * x[i])
        inside = (distance >= low) & (distance < high)
        reached = min(max(distance, low), high)
        t = (reached - middle) / (reached + middle)
        p = (((((((a7 * t + a6) * t + a5) * t + a4) * t + a3) * t + a2) * t + a1) * t) + a0
        q = (((((((b7 * t + b6) * t + b5) * t + b4) * t + b3) * t + b2) * t + b1) * t) + b0
        value = exponential32(max(p - side * side * q, _LOWEST))
        total[i] += value if inside else _ZERO


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _add_first(total, x, y, sin, cos, along, across, table, s, f, middle, high):
    """As `_add_across` for the first stretch.

    It begins at the source; what is nearer than its lower end gets the value there, and what is within 1 m
    of the source, on whatever side, that at 1 m.
    """
    a0, a1, a2, a3, a4, a5, a6, a7 = (
        table[s, f, 0, 0],
        table[s, f, 0, 1],
        table[s, f, 0, 2],
        table[s, f, 0, 3],
        table[s, f, 0, 4],
        table[s, f, 0, 5],
        table[s, f, 0, 6],
        table[s, f, 0, 7],
    )
    b0, b1, b2, b3, b4, b5, b6, b7 = (
        table[s, 0, 0, 0],
        table[s, 0, 0, 1],
        table[s, 0, 0, 2],
        table[s, 0, 0, 3],
        table[s, 0, 0, 4],
        table[s, 0, 0, 5],
        table[s, 0, 0, 6],
        table[s, 0, 0, 7],
    )
    for i in range(TILE):
        distance = along - (sin * x[i] + cos * y[i])
        side = across + (sin * y[i] - cos * x[i])
        near = distance * distance + side * side < _ONE
        inside = ((distance > _ZERO) & (distance < high)) | near
        side = _ZERO if near else side
        reached = max(distance, _NEAREST_S)
        t = min(max((reached - middle) / (reached + middle), -_THIRD), _THIRD)
        p = (((((((a7 * t + a6) * t + a5) * t + a4) * t + a3) * t + a2) * t + a1) * t) + a0
        q = (((((((b7 * t + b6) * t + b5) * t + b4) * t + b3) * t + b2) * t + b1) * t) + b0
        value = exponential32(max(p - side * side * q, _LOWEST))
        total[i] += value if inside else _ZERO


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _add_meander(total, x, y, dx, dy, table, s, f, k, middle, low, high):
    """Add one stretch of the part of a plume that meanders into all directions, share P/(2 pi r), from its ln."""
    p0, p1, p2, p3, p4, p5, p6, p7 = (
        table[s, f, k, 0],
        table[s, f, k, 1],
        table[s, f, k, 2],
        table[s, f, k, 3],
        table[s, f, k, 4],
        table[s, f, k, 5],
        table[s, f, k, 6],
        table[s, f, k, 7],
    )
    for i in range(TILE):
        east = dx + x[i]
        north = dy + y[i]
        square = east * east + north * north
        inside = (square >= low * low) & (square < high * high)
        r = np.sqrt(square)
        t = min(max((r - middle) / (r + middle), -_THIRD), _THIRD)
        q = (((((((p7 * t + p6) * t + p5) * t + p4) * t + p3) * t + p2) * t + p1) * t) + p0
        value = exponential32(max(q, _LOWEST))
        total[i] += value if inside else _ZERO


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _add_meander_inside(total, x, y, dx, dy, table, s, f, k, middle):
    """As `_add_meander_flat` for a tile wholly inside the stretch."""
    p0, p1, p2, p3, p4, p5, p6, p7 = (
        table[s, f, k, 0],
        table[s, f, k, 1],
        table[s, f, k, 2],
        table[s, f, k, 3],
        table[s, f, k, 4],
        table[s, f, k, 5],
        table[s, f, k, 6],
        table[s, f, k, 7],
    )
    for i in range(TILE):
        east = dx + x[i]
        north = dy + y[i]
        r = np.sqrt(east * east + north * north)
        t = (r - middle) / (r + middle)
        total[i] += (((((((p7 * t + p6) * t + p5) * t + p4) * t + p3) * t + p2) * t + p1) * t) + p0


@njit(fastmath=FAST, error_model="numpy", cache=True)
def _add_meander_flat(total, x, y, dx, dy, table, s, f, k, middle, low, high):
    """As `_add_meander` from the concentration itself."""
    p0, p1, p2, p3, p4, p5, p6, p7 = (
        table[s, f, k, 0],
        table[s, f, k, 1],
        table[s, f, k, 2],
        table[s, f, k, 3],
        table[s, f, k, 4],
        table[s, f, k, 5],
        table[s, f, k, 6],
        table[s, f, k, 7],
    )
    for i in range(TILE):
        east = dx + x[i]
        north = dy + y[i]
        square = east * east + north * north
        inside = (square >= low * low) & (square < high * high)
        r = np.sqrt(square)
        t = min(max((r - middle) / (r + middle), -_THIRD), _THIRD)
        q = (((((((p7 * t + p6) * t + p5) * t + p4) * t + p3) * t + p2) * t + p1) * t) + p0
        total[i] += q if inside else _ZERO


@njit(error_model="numpy", cache=True)
def _candidates(found, sin, cos, box, first, last, reach, ray):
    """List the plumes from first to last whose cone comes near a box; returns how many there are."""
    half_x = abs(sin) * box[2] + abs(cos) * box[3] + NEAREST
    half_y = abs(cos) * box[2] + abs(sin) * box[3] + NEAREST
    n = 0
    for s in range(first, last):
        dx = box[0] - ray[s, X0]
        dy = box[1] - ray[s, Y0]
        far = half_x - (sin * dx + cos * dy)
        if far > 0.0 and ray[s, COHERENT] > 0.0:
            edge = max(abs(sin * dy - cos * dx) - half_y, 0.0)
            top = min(max(_stretch(far * ray[s, PER_BEGIN]), 0), int(ray[s, LAST]))
            found[n] = s
            n += edge * edge < reach[s, top]
    return n


@njit(error_model="numpy", cache=True)
def _list_coherent(work, place, sin, cos, box, candidates, table, reach, ray):
    """List the plumes and stretches that reach a tile: whole from the front, partial from the back.

    `work[i]` = (source, stretch), `place[i]` = (along, across, middle, lower end, upper end). Listing first and
    adding then keeps the adding free of branches that cannot be foreseen. Returns how many of either there are, or
    -1 if the list is full.
    """
    half_x = abs(sin) * box[2] + abs(cos) * box[3] + NEAREST
    half_y = abs(cos) * box[2] + abs(sin) * box[3] + NEAREST
    whole = 0
    partial = 0
    room = work.shape[0]
    for s in candidates:
        dx = box[0] - ray[s, X0]
        dy = box[1] - ray[s, Y0]
        along = -(sin * dx + cos * dy)
        far = along + half_x
        if far <= 0.0:
            continue
        across = sin * dy - cos * dx
        edge = max(abs(across) - half_y, 0.0)
        inverse = ray[s, PER_BEGIN]
        end = int(ray[s, LAST])
        top = min(max(_stretch(far * inverse), 0), end)
        if edge * edge >= reach[s, top]:
            continue
        t = _place(far, ray[s, BEGIN] * _power(top))
        # sigma_y grows with distance: what misses the cone at the far end misses it altogether
        if edge * edge * _fitted(table, s, top, t) > CUT:
            continue
        start = ray[s, BEGIN]
        near = along - half_x
        bottom = min(max(_stretch(near * inverse), 0), end) if near > 0.0 else 0
        if whole + partial + top - bottom + 1 > room:
            return -1, -1
        if bottom == top and near >= start:
            work[whole, 0] = s
            work[whole, 1] = top
            place[whole, 0] = along
            place[whole, 1] = across
            place[whole, 2] = 2.0 * start * _power(top)
            whole += 1
            continue
        for k in range(bottom, top + 1):
            if edge * edge <= reach[s, k]:
                partial += 1
                i = room - partial
                work[i, 0] = s
                work[i, 1] = k
                place[i, 0] = along
                place[i, 1] = across
                place[i, 2] = 2.0 * start * _power(k)
                place[i, 3] = start * _power(k) if k > 0 else 0.0
                place[i, 4] = start * _power(k + 1)
    return whole, partial


@njit(error_model="numpy", cache=True)
def _tile(total, x, y, box, level, n_levels, candidates, first, last, table, reach, flat, ray, hour, work, place):
    """Add the plumes of one hour from sources first..last to one tile of receptors at one height."""
    sin = hour[SIN]
    cos = hour[COS]
    sin32 = np.float32(sin)
    cos32 = np.float32(cos)
    room = work.shape[0]
    f = 1 + level
    # a list holds the stretches of at least this many sources
    some = max(room // table.shape[2], 1)
    for begin in range(0, candidates.shape[0], some):
        whole, partial = _list_coherent(work, place, sin, cos, box, candidates[begin : begin + some], table, reach, ray)
        for i in range(whole):
            _add_inside(
                total, x, y, sin32, cos32, place[i, 0], place[i, 1], table, work[i, 0], f, work[i, 1], place[i, 2]
            )
        for i in range(room - 1, room - 1 - partial, -1):
            if work[i, 1] == 0:
                _add_first(
                    total,
                    x,
                    y,
                    sin32,
                    cos32,
                    place[i, 0],
                    place[i, 1],
                    table,
                    work[i, 0],
                    f,
                    place[i, 2],
                    place[i, 4],
                )
            else:
                _add_across(
                    total,
                    x,
                    y,
                    sin32,
                    cos32,
                    place[i, 0],
                    place[i, 1],
                    table,
                    work[i, 0],
                    f,
                    work[i, 1],
                    place[i, 2],
                    place[i, 3],
                    place[i, 4],
                )
    f = 1 + n_levels + level
    for s in range(first, last):
        if ray[s, WANDERS] == 0.0:
            continue
        dx = box[0] - ray[s, X0]
        dy = box[1] - ray[s, Y0]
        start = ray[s, BEGIN]
        inverse = ray[s, PER_BEGIN]
        end = int(ray[s, LAST])
        gap_x = max(abs(dx) - box[2], 0.0)
        gap_y = max(abs(dy) - box[3], 0.0)
        near = math.sqrt(gap_x * gap_x + gap_y * gap_y)
        far = math.sqrt((abs(dx) + box[2]) ** 2 + (abs(dy) + box[3]) ** 2)
        top = min(max(_stretch(far * inverse), 0), end)
        bottom = min(max(_stretch(near * inverse), 0), end) if near > 0.0 else 0
        east = np.float32(dx)
        north = np.float32(dy)
        for k in range(bottom, top + 1):
            low = np.float32(start * _power(k)) if k > 0 else _ZERO
            high = np.float32(start * _power(k + 1))
            middle = np.float32(2.0 * start * _power(k))
            if not flat[s, level, k]:
                _add_meander(total, x, y, east, north, table, s, f, k, middle, low, high)
            elif bottom == top and near >= start:
                _add_meander_inside(total, x, y, east, north, table, s, f, k, middle)
            else:
                _add_meander_flat(total, x, y, east, north, table, s, f, k, middle, low, high)


@njit(parallel=True, error_model="numpy", cache=True)
def tiles(out, x, y, box, order, level, n_levels, group, table, reach, flat, ray, hour, threads):
    """Add the sum of tabulated plumes to `out[group, hour, receptor]`.

    Receptors come in tiles, relative to the tile's centre, each tile with its box (centre x, y, half widths) and
    height index; `order` says which receptor each is, -1 for none. Neighbouring tiles follow each other, so that a
    cluster of them can be tried against a plume's cone first. `group` holds the first source of each group and the
    number of sources at its end. Every element of `out` is written by one iteration, in source order, so the result
    does not depend on the number of threads.
    """
    groups, hours, _ = out.shape
    n_tiles = box.shape[0]
    n_clusters = (n_tiles + _CLUSTER - 1) // _CLUSTER
    for hc in prange(hours * n_clusters):
        h = _dealt(hc // n_clusters, hours, threads)
        begin = hc % n_clusters * _CLUSTER
        end = min(begin + _CLUSTER, n_tiles)
        around = np.empty(4)
        for axis_ in range(2):
            low = (box[begin:end, axis_] - box[begin:end, 2 + axis_]).min()
            high = (box[begin:end, axis_] + box[begin:end, 2 + axis_]).max()
            around[axis_] = 0.5 * (low + high)
            around[2 + axis_] = 0.5 * (high - low)
        total = np.empty(TILE, np.float32)
        work = np.empty((1024, 2), np.int64)
        place = np.empty((1024, 5), np.float32)
        candidates = np.empty(ray.shape[1] + 1, np.int64)
        for g in range(groups):
            n = _candidates(candidates, hour[h, SIN], hour[h, COS], around, group[g], group[g + 1], reach[h], ray[h])
            for t in range(begin, end):
                i = t * TILE
                total[:] = _ZERO
                _tile(
                    total,
                    x[i : i + TILE],
                    y[i : i + TILE],
                    box[t],
                    level[t],
                    n_levels,
                    candidates[:n],
                    group[g],
                    group[g + 1],
                    table[h],
                    reach[h],
                    flat[h],
                    ray[h],
                    hour[h],
                    work,
                    place,
                )
                for j in range(TILE):
                    r = order[i + j]
                    if r >= 0:
                        out[g, h, r] += max(total[j], _ZERO)


# --- pairs, one by one --------------------------------------------------------------------------------------


@njit(parallel=True, error_model="numpy", cache=True)
def direct(out, receptor, group, scheme, plume, hour, winds, coefficients, position, table):
    """Add plumes to `out[group, hour, receptor]`, evaluating each pair.

    `receptor[:, (x, y, z, ground)]`, `position[:, (x, y, ground)]`. What deposits along the way is taken from
    `table`: its last function is ln of the depleted over the undepleted plume; empty if nothing deposits.
    """
    groups, hours, receptors = out.shape
    for hr in prange(hours * receptors):
        h = hr // receptors
        r = hr % receptors
        sin = hour[h, SIN]
        cos = hour[h, COS]
        for g in range(groups):
            total = 0.0
            for s in range(group[g], group[g + 1]):
                if plume[h, s, LN_RATE] <= FAR_BELOW:
                    continue
                dx = receptor[r, 0] - position[s, 0]
                dy = receptor[r, 1] - position[s, 1]
                ground = receptor[r, 3] - position[s, 2]
                total += pair(
                    dx,
                    dy,
                    receptor[r, 2],
                    ground,
                    sin,
                    cos,
                    scheme,
                    plume[h, s],
                    hour[h],
                    winds[h],
                    coefficients,
                    table[h, s],
                )
            out[g, h, r] += total


@njit(error_model="numpy", cache=True)
def _depletion(x, plume, table):
    """Ln of what deposition has left of the plume at x."""
    if table.shape[0] == 0 or plume[DEPOSITION] == 0.0:
        return 0.0
    ratio = x / plume[START]
    k = min(max(_stretch(ratio), 0), int(plume[STRETCHES]) - 1)
    return _polynomial(table[0, k], _place(ratio, _power(k)))


@njit(error_model="numpy", cache=True)
def pair(dx, dy, z, ground, sin, cos, scheme, plume, hour, winds, coefficients, table):
    """Concentration at (dx, dy) from the source, z above ground."""
    guess = _wind(plume[HEIGHT], winds) + 0.3
    along = -(sin * dx + cos * dy)
    across = sin * dy - cos * dx
    if along * along + across * across < NEAREST * NEAREST:
        along = NEAREST
        across = 0.0
    total = 0.0
    if along > 0.0 and plume[MEANDER] * plume[MOST] < 1.0:
        x = max(along, NEAREST)
        ln_f, sigma_y, _, travel = axis(x, z, ground, scheme, plume, hour, winds, coefficients, guess)
        e = ln_f + plume[LN_RATE] - plume[LOSS] * x / travel - 0.5 * (across / sigma_y) ** 2
        e += _depletion(x, plume, table)
        total = (1.0 - meandering(travel, plume)) * math.exp(e) / (SQRT_2PI * sigma_y)
    if plume[MEANDER] > 0.0:
        r = max(math.sqrt(dx * dx + dy * dy), NEAREST)
        ln_f, _, _, travel = axis(r, z, ground, scheme, plume, hour, winds, coefficients, guess)
        e = ln_f + plume[LN_RATE] - plume[LOSS] * r / travel + _depletion(r, plume, table)
        total += meandering(travel, plume) * math.exp(e) / (2.0 * math.pi * r)
    return total


@njit(parallel=True, error_model="numpy", cache=True)
def deplete(table, scheme, plume, hour, winds, coefficients, basis):
    """Fill `table[hour, source, 0, stretch, coefficient]` with ln of what deposition leaves of each plume."""
    hours, sources, _, _, _ = table.shape
    for hs in prange(hours * sources):
        h = hs // sources
        s = hs % sources
        if plume[h, s, LN_RATE] <= FAR_BELOW or plume[h, s, DEPOSITION] == 0.0:
            continue
        uptake = np.empty(NODES)
        values = np.empty((1, NODES))
        lost = 0.0
        guess = _wind(plume[h, s, HEIGHT], winds[h]) + 0.3
        for k in range(int(plume[h, s, STRETCHES])):
            low = plume[h, s, START] * _power(k)
            for j in range(NODES):
                x = _node(low, basis[0, j])
                ln_f, _, guess, _ = axis(x, 0.0, 0.0, scheme, plume[h, s], hour[h], winds[h], coefficients, guess)
                uptake[j] = plume[h, s, DEPOSITION] * math.exp(ln_f)
            lost = _integrate(values[0], lost, low, basis, uptake)
            _fit_one(table[h, s, 0, k], values[0], basis, uptake)


# --- shapes -------------------------------------------------------------------------------------------------


@njit(error_model="numpy", cache=True)
def _gather(table, plume, hour, winds, scheme, coefficients, z, ground, depleted, basis):
    """Fill table[stretch] with the integral of the meandering share of f/(2 pi) from the source to r."""
    share = np.empty(NODES)
    values = np.empty(NODES)
    total = 0.0
    guess = _wind(plume[HEIGHT], winds) + 0.3
    for k in range(int(plume[STRETCHES])):
        low = plume[START] * _power(k)
        for j in range(NODES):
            r = _node(low, basis[0, j])
            ln_f, _, guess, travel = axis(r, z, ground, scheme, plume, hour, winds, coefficients, guess)
            e = ln_f - plume[LOSS] * r / travel + _depletion(r, plume, depleted)
            share[j] = meandering(travel, plume) * math.exp(e) / (2.0 * math.pi)
        total = _integrate(values, total, low, basis, share)
        for j in range(NODES):
            values[j] = -values[j]
        _fit_one(table[k], values, basis, share)


@njit(error_model="numpy", cache=True)
def _gathered(r, plume, table):
    ratio = r / plume[START]
    if ratio <= 1.0:
        return 0.0
    k = min(max(_stretch(ratio), 0), int(plume[STRETCHES]) - 1)
    return _polynomial(table[k], _place(ratio, _power(k)))


@njit(parallel=True, error_model="numpy", cache=True)
def shapes(
    out, receptor, member, source, first, edge, gauss, scheme, plume, hour, winds, coefficients, ground, table, basis
):
    """Add uniform area sources to `out[group, hour, receptor]`.

    Shape i of group `member[i]` and source `source[i]` is bounded by the edges first[i] to first[i + 1] of
    `edge[:, (x1, y1, x2, y2)]`, holes turning the other way.
    """
    _, hours, receptors = out.shape
    for hr in prange(hours * receptors):
        h = hr // receptors
        r = hr % receptors
        for i in range(source.shape[0]):
            s = source[i]
            out[member[i], h, r] += _shape(
                receptor[r],
                edge[first[i] : first[i + 1]],
                receptor[r, 3] - ground[s],
                gauss,
                scheme,
                plume[h, s],
                hour[h],
                winds[h],
                coefficients,
                table[h, s],
                basis,
            )


@njit(error_model="numpy", cache=True)
def _shape(receptor, edge, ground, gauss, scheme, plume, hour, winds, coefficients, table, basis):
    """Concentration from one area source at one receptor.

    The plume's integral over the shape is taken along its edges (Green's theorem). Coherent part: the crosswind
    integral is an error function at either edge, so an edge adds the integral over x of f(x) Phi(y(x)/sigma_y(x)).
    Meandering part, in polar coordinates about the receptor: an edge adds the integral over the angle of what is
    gathered up to its distance.
    """
    sin = hour[SIN]
    cos = hour[COS]
    z = receptor[2]
    goes = plume[MEANDER] * plume[MOST] < 1.0
    wanders = plume[MEANDER] > 0.0
    first_guess = _wind(plume[HEIGHT], winds) + 0.3
    coherent = 0.0
    wandering = 0.0
    gathered = np.zeros((int(plume[STRETCHES]) if wanders else 0, NODES))
    if wanders:
        _gather(gathered, plume, hour, winds, scheme, coefficients, z, ground, table, basis)
    for e in range(edge.shape[0]):
        x1 = receptor[0] - edge[e, 0]
        y1 = receptor[1] - edge[e, 1]
        x2 = receptor[0] - edge[e, 2]
        y2 = receptor[1] - edge[e, 3]
        a1 = -(sin * x1 + cos * y1)
        a2 = -(sin * x2 + cos * y2)
        low = max(min(a1, a2), NEAREST)
        high = max(a1, a2)
        if goes and low < high:
            c1 = sin * y1 - cos * x1
            c2 = sin * y2 - cos * x2
            sign = 1.0 if a2 > a1 else -1.0
            slope = (c2 - c1) / (a2 - a1)
            guess = first_guess
            while low < high:
                # pieces of half an stretch, and of two sigma_y across where the edge crosses the plume
                _, width, guess, _ = axis(low, z, ground, scheme, plume, hour, winds, coefficients, guess)
                end = min(1.4142135623730951 * low, high)
                end = min(end, low + max(2.0 * width / max(abs(slope), 1.0e-9), 0.02 * low))
                for g in range(gauss.shape[1]):
                    x = low + (end - low) * gauss[0, g]
                    ln_f, sigma_y, guess, travel = axis(x, z, ground, scheme, plume, hour, winds, coefficients, guess)
                    y = c1 + slope * (x - a1)
                    f = math.exp(ln_f - plume[LOSS] * x / travel + _depletion(x, plume, table))
                    f *= (1.0 - meandering(travel, plume)) * 0.5 * math.erf(y / (math.sqrt(2.0) * sigma_y))
                    coherent += sign * (end - low) * gauss[1, g] * f
                low = end
        if wanders:
            cross = x1 * y2 - y1 * x2
            turn = math.atan2(cross, x1 * x2 + y1 * y2)
            length = math.sqrt((x2 - x1) ** 2 + (y2 - y1) ** 2)
            if abs(turn) > 1.0e-12 and length > 0.0:
                distance = cross / length  # of the edge's line, signed
                start = math.atan2(((x2 - x1) * x1 + (y2 - y1) * y1) / length, distance)
                for g in range(gauss.shape[1]):
                    angle = start + turn * gauss[0, g]
                    reach = abs(distance / math.cos(angle))
                    wandering += turn * gauss[1, g] * _gathered(reach, plume, gathered)
    return math.exp(plume[LN_RATE]) * (abs(coherent) + abs(wandering))
