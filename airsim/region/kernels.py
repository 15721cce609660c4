"""Hot loops of the region engine: plain arrays in, plain arrays filled, nothing else.

The public kernels, their equations, and the slow twin in `tests/naive_region.py` that each must equal, or the
tests that hold one without a twin:

==================  ======================================================================  =========================
kernel              equation and source                                                     twin, or tests
==================  ======================================================================  =========================
cycles              sub-cycles by Courant number and diffusion                              test_region_kernels.py
strips              neighbouring lines side by side                                         test_region_kernels.py
divide              `cycles` of every line                                                  test_region_kernels.py
stencils            fluxes of the parabola in air mass (QUICKEST, Leonard 1979) as weights  advect
transpose           the same weights read the other way                                     test_region_kernels.py
sweep               M' q' = M q - difference of the fluxes, along x or y                    advect
sweep_transposed    transpose of `sweep`                                                    test_region_kernels.py
eliminate           (M + X + S) q' = right-hand side (Grassmann, Taksar & Heyman 1985)      mixed
columns             vertical advection, emission, mixing, deposition, chemistry, washout    advect, mixed
columns_transposed  transpose of `columns`                                                  test_region_kernels.py
holdings            sum of q times air mass, least value, negative part                     test_region_invariants.py
close_vertical      vertical flux from the divergence of the horizontal ones                test_region_kernels.py
dissociation        Kp/(R T)^2 of NH4NO3 and its water-activity factor (Mozurkewich 1993)   test_equilibrium.py
partition           [NH3][HNO3] = K over NH4NO3, sulphate first (Stelson & Seinfeld 1982)   test_equilibrium.py
==================  ======================================================================  =========================

Every forward loop stands beside its transpose. The state ``q`` is a mixing ratio [ug tracer per kg air] with axes
(level, y, x, tag); a tag is one column of one tracer and is the innermost, vectorised axis. Air masses and air
amounts moved are float64 [kg]; coefficients are cast to the dtype of ``q`` before they meet a tag.

What depends on the weather alone is worked out once an hour: a sweep is then five rows in, one row out, with ready
weights. A strip is `STRIP` neighbouring lines of boxes (one line along x); it is copied to a buffer that stays in the
second-level cache, and written back as it is carried. Every strip is done by one iteration of the parallel loop, so the
result does not depend on the number of threads; and every line has weights of its own, so neither on the strips.

Loops over tags are kept free of branches and have no call around them: otherwise numba counts references to the rows
there, which takes longer than the arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from airsim.cache import compiled

compiled.guard()

# Courant number that a sub-cycle of a sweep may not exceed (the scheme is stable up to 1)
COURANT = 0.9
# values smaller than this are set to zero once a step, because denormal numbers are slow [ug kg-1]
TINY = 1e-30
# lines along y and z that are carried side by side
STRIP = 8
# lines along x that share a buffer, one after the other
BATCH = 8
# axes
X, Y, Z = 0, 1, 2
# air of a box beyond the end of a line: a parabola through an endless box is the straight line through the others
ENDLESS = 1e100

_OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(**_OPTIONS)
def cycles(mass, moved, spread, size):
    """Return the number of equal sub-cycles that keeps a line stable.

    Each donor cell's Courant number stays below `COURANT`, and diffusion moves at most a quarter of a box.
    """
    most = 1.0
    for face in range(size + 1):
        s = moved[face]
        if 0 < face < size:
            room = 0.25 * min(mass[face - 1], mass[face])
            if spread[face] > most * room:
                most = np.ceil(spread[face] / room)
        if s > 0.0 and face > 0:
            donor = face - 1
        elif s < 0.0 and face < size:
            donor = face
        else:
            continue
        start = mass[donor]
        room = COURANT * min(start, start - (moved[donor + 1] - moved[donor]))
        if abs(s) > most * room:
            most = np.ceil(abs(s) / room)
    return int(most)


@njit(**_OPTIONS)
def strips(axis, nz, ny, nx):
    """Return the number of strips along an axis, and of lines side by side in each."""
    if axis == X:
        return nz * ny, 1
    return (nz if axis == Y else ny) * ((nx + STRIP - 1) // STRIP), STRIP


@njit(**_OPTIONS)
def _strip(axis, strip, nz, ny, nx):
    """Return lines, boxes in a line, first box, step between boxes, first face and step between faces of a strip."""
    if axis == X:
        return 1, nx, strip * nx, 1, strip * (nx + 1), 1
    per = (nx + STRIP - 1) // STRIP
    row, i = strip // per, strip % per * STRIP
    lines = min(STRIP, nx - i)
    if axis == Y:
        return lines, ny, row * ny * nx + i, nx, row * (ny + 1) * nx + i, nx
    return lines, nz, row * nx + i, ny * nx, row * nx + i, ny * nx


@njit(**_OPTIONS)
def _load(mass, moved, spread, share, cycle, air, through, mixed, axis, strip, nz, ny, nx):
    """Set air, air moved and air exchanged of a strip in one sub-cycle, (box or face, line) flattened.

    `share` of each line's air moves in this sub-cycle. Two rows of endless boxes stand at either end of `air`; lines
    that a strip lacks hold a kilogram at rest.
    """
    lines, size, cell, step, face, stride = _strip(axis, strip, nz, ny, nx)
    width = share.size
    for e in range(2 * width):
        air[e] = air[(size + 2) * width + e] = ENDLESS
    if width == 1:  # the same, in one loop
        part = share[0]
        for i in range(size + 1):
            through[i] = part * moved[face + i]
            mixed[i] = part * spread[face + i]
        for i in range(size):
            air[i + 2] = mass[cell + i] + (through[i] - through[i + 1]) * cycle
        return
    if lines < width:
        through[: (size + 1) * width] = 0.0
        mixed[: (size + 1) * width] = 0.0
        air[2 * width : (size + 2) * width] = 1.0
    for i in range(size + 1):
        e, f = i * width, face + i * stride
        for line in range(lines):
            through[e + line] = share[line] * moved[f + line]
        for line in range(lines):
            mixed[e + line] = share[line] * spread[f + line]
    for i in range(size):
        e, c = i * width, cell + i * step
        for line in range(lines):
            air[e + 2 * width + line] = mass[c + line] + (through[e + line] - through[e + width + line]) * cycle


@njit(**_OPTIONS)
def _crowded(air, through, mixed, size, width):
    """Return whether any line of a strip needs more than one sub-cycle; see `cycles`."""
    many = 0
    for e in range(size * width):
        m, s0, s1 = air[e + 2 * width], through[e], through[e + width]
        many += max(s1, -s0) > COURANT * min(m, m - (s1 - s0))
    for e in range(width, size * width):
        many += mixed[e] > 0.25 * min(air[e + width], air[e + 2 * width])
    return many > 0


@njit(**_OPTIONS)
def _weigh(air, through, mixed, work, weights, size, width):
    """Set the weights of a strip's boxes, (4, box and line), from air, air moved and air exchanged in a sub-cycle.

    What is carried through a face is flux = s q_C + A (q_R - q_L) + B (q_C - q_U), with L and R the boxes on either
    side, C the one of them that gives air, U the next one upwind. The first part and |s| a, s b in A, B make it s times
    the mean, over the air swept through the face, of the parabola that reproduces the means of the three boxes, in the
    coordinate of air mass (on an even grid QUICKEST, Leonard 1979); A also holds diffusion. Beside a boundary U is
    endless and the parabola a straight line; through a boundary goes what the giving side holds.

    The box then changes by the sum of the four weights times the differences between neighbours from two below to two
    above, d1 = q_{i-1} - q_{i-2} to d4 = q_{i+2} - q_{i+1}: nothing happens to a uniform mixing ratio.
    """
    along, below, above = work[0], work[1], work[2]  # weights in the flux of its own difference and the neighbours'
    count = size * width
    for e in range(count + width):
        s = through[e]
        m0, m1, m2, m3 = air[e], air[e + width], air[e + 2 * width], air[e + 3 * width]
        up = s >= 0.0
        mc = m1 if up else m2
        md = m2 if up else m1
        mu = m0 if up else m3
        swept = abs(s)
        near, far = mc + md, mc + mu
        rest = swept * (mc - swept) / (near * far * (mu + near))
        along[e] = rest * (far - swept) * far - mixed[e]
        b = rest * (md + swept) * near
        below[e] = b if up else 0.0
        above[e] = 0.0 if up else b
    for line in range(width):
        for e in (line, count + line):
            along[e] = below[e] = above[e] = 0.0
    real = weights.dtype.type
    for e in range(count):
        s0, s1 = through[e], through[e + width]
        per = 1.0 / (air[e + 2 * width] + (s0 - s1))
        weights[0, e] = real(per * below[e])
        weights[1, e] = real(per * (along[e] - max(s0, 0.0) - below[e + width]))
        weights[2, e] = real(per * (max(-s1, 0.0) + above[e] - along[e + width]))
        weights[3, e] = real(-per * above[e + width])


@njit(parallel=True, **_OPTIONS)
def divide(mass, moved, spread, times, axis, nz, ny, nx, count):
    """Set the number of sub-cycles of every line, (strip, line); parameters as for `stencils`."""
    for strip in prange(count.shape[0]):
        lines, size, _, _, _, _ = _strip(axis, strip, nz, ny, nx)
        width = count.shape[1]
        air, through, mixed = np.empty((size + 4) * width), np.empty((size + 1) * width), np.empty((size + 1) * width)
        _load(mass, moved, spread, np.full(width, times), 0, air, through, mixed, axis, strip, nz, ny, nx)
        count[strip] = 1
        if _crowded(air, through, mixed, size, width):
            for line in range(lines):
                own = air[2 * width + line : (size + 2) * width : width]
                count[strip, line] = cycles(own, through[line::width], mixed[line::width], size)


@njit(parallel=True, **_OPTIONS)
def stencils(mass, moved, spread, times, axis, nz, ny, nx, count, first, weights, ends):
    """Set what one sweep does to every box, whatever the tags hold.

    Parameters
    ----------
    mass : (box,)
        Air mass at the start, (level, y, x) flattened [kg].
    moved, spread : (face,)
        Air moved, positive towards higher index, and air exchanged by diffusion through the faces, flattened [kg].
    times : float
        How often that air is moved in the sweep.
    axis : int
        `X`, `Y` or `Z`.
    nz, ny, nx : int
        Boxes along z, y and x.
    count : (strip, line) int
        Sub-cycles of each line.
    first : (strip + 1,) int
        First pass of each strip; a strip has as many passes as the most divided of its lines.
    weights : (pass, 4, box and line)
        Set to the weights of the differences between neighbours, see `_weigh` [1]. Lines that are done rest.
    ends : (pass, 2, line)
        Set to the air that comes in through the lower and the upper end [kg].
    """
    for strip in prange(count.shape[0]):
        _, size, _, _, _, _ = _strip(axis, strip, nz, ny, nx)
        width = count.shape[1]
        air, through, mixed = np.empty((size + 4) * width), np.empty((size + 1) * width), np.empty((size + 1) * width)
        work = np.empty((3, (size + 1) * width))
        share = np.empty(width)
        for cycle in range(first[strip + 1] - first[strip]):
            at = first[strip] + cycle
            for line in range(width):
                share[line] = times / count[strip, line] if cycle < count[strip, line] else 0.0
            _load(mass, moved, spread, share, cycle, air, through, mixed, axis, strip, nz, ny, nx)
            _weigh(air, through, mixed, work, weights[at], size, width)
            for line in range(width):
                ends[at, 0, line] = through[line]
                ends[at, 1, line] = -through[size * width + line]


@njit(parallel=True, **_OPTIONS)
def transpose(weights, width, turned):
    """Turn the weights of a sweep into those of its transpose.

    Parameters
    ----------
    weights : (pass, 4, box and line)
        From `stencils`.
    width : int
        Lines side by side.
    turned : (pass, 5, box and line)
        Set to what the boxes from two below to two above count for [1].
    """
    real = weights.dtype.type
    one, none = real(1.0), real(0.0)
    for at in prange(weights.shape[0]):
        w, v = weights[at], turned[at]
        count = w.shape[1]
        v[:] = none
        for e in range(2 * width, count):
            v[0, e] = w[3, e - 2 * width]
        for e in range(width, count):
            v[1, e] = w[2, e - width] - w[3, e - width]
        for e in range(count):
            v[2, e] = one + (w[1, e] - w[2, e])
        for e in range(count - width):
            v[3, e] = w[0, e + width] - w[1, e + width]
        for e in range(count - 2 * width):
            v[4, e] = -w[0, e + 2 * width]


@njit(**_OPTIONS)
def _take(q, first, step, now, size, width, lines):
    """Copy a strip of boxes, those of a line `step` apart, into a buffer behind two rows of boundary values."""
    tags = q.shape[1]
    for i in range(size):
        for line in range(lines):
            own, to = q[first + i * step + line], now[(i + 2) * width + line]
            for n in range(tags):
                to[n] = own[n]


@njit(**_OPTIONS)
def _carry(now, weights, q, first, step, size, width, lines):
    """Carry a buffered strip for one pass; the result goes to boxes of `q`."""
    tags = q.shape[1]
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
    for i in range(size):
        for line in range(lines):
            e = i * width + line
            at = e + 2 * width
            a, b, c, d = w0[e], w1[e], w2[e], w3[e]
            below2, below, own = now[at - 2 * width], now[at - width], now[at]
            above, above2, to = now[at + width], now[at + 2 * width], q[first + i * step + line]
            for n in range(tags):
                low = a * (below[n] - below2[n]) + b * (own[n] - below[n])
                high = c * (above[n] - own[n]) + d * (above2[n] - above[n])
                to[n] = own[n] + (low + high)


@njit(**_OPTIONS)
def _carry_back(now, turned, q, first, step, size, width, lines):
    """Transpose of `_carry` for the boxes; the rows of boundary values hold zero."""
    tags = q.shape[1]
    v0, v1, v2, v3, v4 = turned[0], turned[1], turned[2], turned[3], turned[4]
    for i in range(size):
        for line in range(lines):
            e = i * width + line
            at = e + 2 * width
            a, b, c, d, f = v0[e], v1[e], v2[e], v3[e], v4[e]
            below2, below, own = now[at - 2 * width], now[at - width], now[at]
            above, above2, to = now[at + width], now[at + 2 * width], q[first + i * step + line]
            for n in range(tags):
                to[n] = c * own[n] + ((a * below2[n] + b * below[n]) + (d * above[n] + f * above2[n]))


@njit(**_OPTIONS)
def _bound(now, low, high, size, width):
    """Set the two rows of boxes at either end of a buffered strip."""
    for row in range(2 * width):
        under, over = now[row], now[(size + 2) * width + row]
        for n in range(now.shape[1]):
            under[n] = low[n]
            over[n] = high[n]


@njit(**_OPTIONS)
def _count(now, ends, through, line, apart, size, width, lines):
    """Add what a pass takes in and gives out at the ends of a buffered strip to `through`, (2, line, tag) [ug]."""
    tags = now.shape[1]
    for k in range(lines):
        for end in range(2):
            s = ends[end, k]
            inside, outside = ((size + 1) * width, (size + 2) * width) if end else (2 * width, width)
            gives = now[(outside if s > 0.0 else inside) + k]
            to = through[0 if s > 0.0 else 1, line + k * apart]
            s = abs(s)
            for n in range(tags):
                to[n] += s * gives[n]


@njit(**_OPTIONS)
def _sweep_strip(q, now, first, weights, ends, boundary, through, axis, strip, nz, ny, nx):
    """Carry one strip through all its passes."""
    lines, size, cell, step, _, _ = _strip(axis, strip, nz, ny, nx)
    width = ends.shape[2]
    row = boundary[cell // (ny * nx)]
    line = strip if axis == X else cell // (ny * nx) * nx + cell % nx
    _bound(now, row, row, size, width)
    for at in range(first[strip], first[strip + 1]):
        _take(q, cell, step, now, size, width, lines)
        _count(now, ends[at], through, line, 1, size, width, lines)
        _carry(now, weights[at], q, cell, step, size, width, lines)


@njit(**_OPTIONS)
def _sweep_strip_back(q, now, first, turned, axis, strip, nz, ny, nx, width):
    """Transpose of `_sweep_strip`."""
    lines, size, cell, step, _, _ = _strip(axis, strip, nz, ny, nx)
    for at in range(first[strip + 1] - 1, first[strip] - 1, -1):
        _take(q, cell, step, now, size, width, lines)
        _carry_back(now, turned[at], q, cell, step, size, width, lines)


@njit(parallel=True, **_OPTIONS)
def sweep(q, first, weights, ends, boundary, through, axis, nz, ny, nx):
    """Advect and diffuse along x or y, in place.

    Parameters
    ----------
    q : (box, tag)
        State of all boxes, (level, y, x) flattened [ug kg-1].
    first, weights, ends
        From `stencils`.
    boundary : (level, tag)
        Mixing ratio of air that comes in [ug kg-1].
    through : (2, line, tag)
        Tracer that came in and went out through the ends of each line is added here [ug].
    axis : int
        `X` or `Y`.
    nz, ny, nx : int
        Boxes along z, y and x.
    """
    count, width = strips(axis, nz, ny, nx)
    batch = BATCH if axis == X else 1
    for item in prange((count + batch - 1) // batch):
        now = np.empty((((nx if axis == X else ny) + 4) * width, q.shape[1]), q.dtype)
        for strip in range(item * batch, min((item + 1) * batch, count)):
            _sweep_strip(q, now, first, weights, ends, boundary, through, axis, strip, nz, ny, nx)


@njit(parallel=True, **_OPTIONS)
def sweep_transposed(q, first, turned, axis, nz, ny, nx):
    """Transpose of `sweep` for the boxes, in place; `turned` from `transpose`, the rest as there."""
    count, width = strips(axis, nz, ny, nx)
    batch = BATCH if axis == X else 1
    for item in prange((count + batch - 1) // batch):
        now = np.zeros((((nx if axis == X else ny) + 4) * width, q.shape[1]), q.dtype)
        for strip in range(item * batch, min((item + 1) * batch, count)):
            _sweep_strip_back(q, now, first, turned, axis, strip, nz, ny, nx, width)


@njit(parallel=True, **_OPTIONS)
def eliminate(mass, exchange, pivot, factor):
    """Set what the implicit step of vertical diffusion needs, whatever the tags hold.

    (M + X + S) q' = right-hand side, backward Euler: M is the air mass, X the symmetric exchange matrix, S the loss to
    the ground. The matrix is symmetric, so its own transpose. Elimination from the top down keeps the loss, the only
    part that differs between tags, in the last pivot; the pivots are built from sums alone (Grassmann, Taksar & Heyman
    1985), so no digit is lost when mixing is fast.

    Parameters
    ----------
    mass : (level, y, x)
        Air mass [kg].
    exchange : (level + 1, y, x)
        Air exchanged through each level face in the step [kg]; the first and last are not used.
    pivot : (level, y, x)
        Set to the inverse pivots [kg-1], at the ground to the pivot itself without the loss [kg].
    factor : (level + 1, y, x)
        Set to the shares handed on through the level faces [1].
    """
    nz, ny, nx = mass.shape
    for j in prange(ny):
        extra = np.zeros(nx)
        for k in range(nz - 1, 0, -1):
            for i in range(nx):
                x, base = exchange[k, j, i], mass[k, j, i] + extra[i]
                inverse = 1.0 / (base + x)
                share = x * inverse
                extra[i] = share * base
                pivot[k, j, i] = inverse
                factor[k, j, i] = share
        for i in range(nx):
            pivot[0, j, i] = mass[0, j, i] + extra[i]
            factor[0, j, i] = factor[nz, j, i] = 0.0


@njit(**_OPTIONS)
def _spread_out(values, j, i, per_tag, cases):
    """Give every tag its tracer's value."""
    for t in range(values.shape[0]):
        value = per_tag.dtype.type(values[t, j, i])
        for n in range(t * cases, (t + 1) * cases):
            per_tag[n] = value


@njit(**_OPTIONS)
def _sample(now, j, begin, lines, sampling, mean):
    """Add a sample to the means."""
    width = STRIP
    real = now.dtype.type
    for line in range(lines):
        i = begin + line
        for k in range(mean.shape[0]):
            w, row, total = real(sampling[k, j, i]), now[(k + 2) * width + line], mean[k, j, i]
            for n in range(row.size):
                total[n] += w * row[n]


@njit(**_OPTIONS)
def _down(now, j, begin, lines, mass, factor, source, amount):
    """Turn mixing ratios into amounts, emit, and eliminate from the top down."""
    nz, _, _ = mass.shape
    width = STRIP
    emitting = source.shape[0]
    real = now.dtype.type
    e = real(amount)
    for line in range(lines):
        i = begin + line
        for k in range(nz - 1, emitting - 1, -1):
            # the row above the top counts for nothing
            m, f = real(mass[k, j, i]), factor[k + 1, j, i]
            row, upper = now[(k + 2) * width + line], now[(k + 3) * width + line]
            for n in range(row.size):
                row[n] = m * row[n] + f * upper[n]
        for k in range(emitting - 1, -1, -1):
            m, f = real(mass[k, j, i]), factor[k + 1, j, i]
            row, upper, rate = now[(k + 2) * width + line], now[(k + 3) * width + line], source[k, j, i]
            for n in range(row.size):
                row[n] = (m * row[n] + e * rate[n]) + f * upper[n]


@njit(**_OPTIONS)
def _ground(now, j, begin, lines, pivot, sink, loss, dry):
    """Solve for the lowest boxes, and take what the ground takes."""
    width = STRIP
    cases = loss.size // sink.shape[0]
    for line in range(lines):
        i = begin + line
        _spread_out(sink, j, i, loss, cases)
        p, row, deposit = pivot[0, j, i], now[2 * width + line], dry[j, i]
        for n in range(row.size):
            row[n] = row[n] / (p + loss[n])
        for n in range(row.size):
            deposit[n] += np.float64(loss[n]) * row[n]


@njit(**_OPTIONS)
def _up(now, j, begin, lines, pivot, factor):
    """Substitute from the ground up."""
    width = STRIP
    real = now.dtype.type
    small, none = real(TINY), real(0.0)
    for line in range(lines):
        i = begin + line
        for k in range(1, pivot.shape[0]):
            p, f = pivot[k, j, i], factor[k, j, i]
            row, lower = now[(k + 2) * width + line], now[(k + 1) * width + line]
            for n in range(row.size):
                value = p * row[n] + f * lower[n]
                row[n] = value if abs(value) > small else none


@njit(**_OPTIONS)
def _transform(now, j, begin, lines, mass, decay, parent, child, product, cases, lost):
    """Turn parents into children."""
    width = STRIP
    real = now.dtype.type
    for chain in range(parent.size):
        made, p, c = real(product[chain]), parent[chain] * cases, child[chain] * cases
        tally = lost[chain]
        for k in range(mass.shape[0]):
            for line in range(lines):
                m, gone = mass[k, j, begin + line], real(1.0 - decay[chain, k, j, begin + line])
                row = now[(k + 2) * width + line]
                source, target = row[p : p + cases], row[c : c + cases]
                for n in range(cases):
                    less = gone * source[n]
                    source[n] -= less
                    target[n] += made * less
                    tally[n] += m * less


@njit(**_OPTIONS)
def _wash(now, j, i, line, mass, keep, stay, wet):
    """Wash one column out."""
    width = STRIP
    _spread_out(keep, j, i, stay, stay.size // keep.shape[0])
    deposit = wet[j, i]
    for k in range(mass.shape[0]):
        m, row = mass[k, j, i], now[(k + 2) * width + line]
        for n in range(row.size):
            old = row[n]
            row[n] = stay[n] * old
            deposit[n] += m * (np.float64(old) - row[n])


@njit(**_OPTIONS)
def _settle(
    now, j, begin, lines, mass, pivot, factor, sink, source, amount, decay, parent, child, product, keep, raining,
    sampling, mean, loss, lost, dry, wet,
):  # fmt: skip
    """Do everything local to the columns of a buffered strip; see `columns`."""
    _sample(now, j, begin, lines, sampling, mean)
    _down(now, j, begin, lines, mass, factor, source, amount)
    _ground(now, j, begin, lines, pivot, sink, loss, dry)
    _up(now, j, begin, lines, pivot, factor)
    _transform(now, j, begin, lines, mass, decay, parent, child, product, lost.shape[1], lost)
    for line in range(lines):
        if raining[j, begin + line]:
            _wash(now, j, begin + line, line, mass, keep, loss, wet)
    _sample(now, j, begin, lines, sampling, mean)


@njit(**_OPTIONS)
def _columns_row(
    q, j, rise, rise_weights, rise_ends, fall, fall_weights, fall_ends, mass, pivot, factor, sink, source, amount,
    decay, parent, child, product, keep, raining, top, sampling, mean, through, lost, dry, wet,
):  # fmt: skip
    """Do one row of columns; see `columns`."""
    nz, ny, nx = mass.shape
    tags = q.shape[1]
    width = STRIP
    step = ny * nx
    base = 2 * width
    now = np.empty(((nz + 4) * width, tags), q.dtype)
    then = np.empty(((nz + 4) * width, tags), q.dtype)
    none = np.zeros(tags, q.dtype)
    loss = np.empty(tags, q.dtype)
    _bound(now, none, top, nz, width)
    _bound(then, none, top, nz, width)
    per = (nx + STRIP - 1) // STRIP
    for block in range(per):
        strip = j * per + block
        i = block * STRIP
        lines, cell = min(STRIP, nx - i), j * nx + i
        _take(q, cell, step, now, nz, width, lines)
        for at in range(rise[strip], rise[strip + 1]):
            if at > rise[strip]:
                _take(then, base, width, now, nz, width, lines)
            _count(now, rise_ends[at], through, j, 0, nz, width, lines)
            _carry(now, rise_weights[at], then, base, width, nz, width, lines)
        _settle(
            then, j, i, lines, mass, pivot, factor, sink, source, amount, decay, parent, child, product, keep, raining,
            sampling, mean, loss, lost, dry, wet,
        )  # fmt: skip
        for at in range(fall[strip], fall[strip + 1] - 1):
            _count(then, fall_ends[at], through, j, 0, nz, width, lines)
            _carry(then, fall_weights[at], now, base, width, nz, width, lines)
            _take(now, base, width, then, nz, width, lines)
        at = fall[strip + 1] - 1
        _count(then, fall_ends[at], through, j, 0, nz, width, lines)
        _carry(then, fall_weights[at], q, cell, step, nz, width, lines)


@njit(parallel=True, **_OPTIONS)
def columns(
    q, rise, rise_weights, rise_ends, fall, fall_weights, fall_ends, mass, pivot, factor, sink, source, amount, decay,
    parent, child, product, keep, raining, top, sampling, mean, through, chemical, dry, wet,
):  # fmt: skip
    """Advect, emit, mix, deposit, transform, wash out, advect: everything vertical and local, in place.

    Parameters
    ----------
    q : (box, tag)
        State of all boxes, (level, y, x) flattened [ug kg-1].
    rise, rise_weights, rise_ends, fall, fall_weights, fall_ends
        First passes, weights and ends of the vertical sweep before and after the local processes, from `stencils`.
    mass : (level, y, x)
        Reference air mass [kg], which holds in the middle of the step.
    pivot, factor
        From `eliminate`.
    sink : (tracer, y, x)
        Air cleaned by the ground in the step [kg].
    source : (level_e, y, x, tag)
        Emission rate from the ground up [kg s-1].
    amount : float
        Micrograms emitted in the step for a rate of one [ug s kg-1].
    decay : (chain, level, y, x)
        Fraction of the parent left after the step [1].
    parent, child : (chain,) int
        Tracer indices.
    product : (chain,)
        Mass of child per mass of parent [1].
    keep : (tracer, y, x)
        Fraction left after washout [1].
    raining : (y, x) bool
        Where any of it is not 1.
    top : (tag,)
        Mixing ratio of air that comes down through the top [ug kg-1].
    sampling : (level, y, x)
        Weight of one sample in the mean concentration [kg m-3].
    mean : (level_s, y, x, tag)
        Weighted samples, taken before and after the local processes, are added here [ug m-3].
    through : (2, y, tag)
        Tracer that came in and went out through the top is added here [ug].
    chemical : (y, tag)
        Net gain by transformation is added here [ug].
    dry, wet : (y, x, tag)
        Deposits are added here [ug].
    """
    ny, tags = mass.shape[1], q.shape[1]
    cases = tags // sink.shape[0]
    for j in prange(ny):
        lost = np.zeros((parent.size, cases))
        _columns_row(
            q, j, rise, rise_weights, rise_ends, fall, fall_weights, fall_ends, mass, pivot, factor, sink, source,
            amount, decay, parent, child, product, keep, raining, top, sampling, mean, through, lost, dry, wet,
        )  # fmt: skip
        for chain in range(parent.size):
            p, c = parent[chain] * cases, child[chain] * cases
            for n in range(cases):
                chemical[j, p + n] -= lost[chain, n]
                chemical[j, c + n] += np.float64(q.dtype.type(product[chain])) * lost[chain, n]


@njit(**_OPTIONS)
def _sample_back(now, j, begin, lines, sampling, weights):
    """Transpose of `_sample`."""
    width = STRIP
    real = now.dtype.type
    for line in range(lines):
        i = begin + line
        for k in range(weights.shape[0]):
            w, row, count = real(sampling[k, j, i]), now[(k + 2) * width + line], weights[k, j, i]
            for n in range(row.size):
                row[n] += w * count[n]


@njit(**_OPTIONS)
def _wash_back(now, j, i, line, nz, keep, stay):
    """Transpose of `_wash`."""
    width = STRIP
    _spread_out(keep, j, i, stay, stay.size // keep.shape[0])
    for k in range(nz):
        row = now[(k + 2) * width + line]
        for n in range(row.size):
            row[n] = stay[n] * row[n]


@njit(**_OPTIONS)
def _transform_back(now, j, begin, lines, nz, decay, parent, child, product, cases):
    """Transpose of `_transform`."""
    width = STRIP
    real = now.dtype.type
    for chain in range(parent.size - 1, -1, -1):
        made, p, c = real(product[chain]), parent[chain] * cases, child[chain] * cases
        for k in range(nz):
            for line in range(lines):
                gone = real(1.0 - decay[chain, k, j, begin + line])
                row = now[(k + 2) * width + line]
                source, target = row[p : p + cases], row[c : c + cases]
                for n in range(cases):
                    source[n] += gone * (made * target[n] - source[n])


@njit(**_OPTIONS)
def _mix_back(now, j, begin, lines, pivot, factor, sink, loss):
    """Solve the implicit step; see `eliminate`."""
    nz = pivot.shape[0]
    width = STRIP
    cases = loss.size // sink.shape[0]
    for line in range(lines):
        i = begin + line
        for k in range(nz - 2, -1, -1):
            f, row, upper = factor[k + 1, j, i], now[(k + 2) * width + line], now[(k + 3) * width + line]
            for n in range(row.size):
                row[n] += f * upper[n]
        _spread_out(sink, j, i, loss, cases)
        p, row = pivot[0, j, i], now[2 * width + line]
        for n in range(row.size):
            row[n] = row[n] / (p + loss[n])
        for k in range(1, nz):
            p, f = pivot[k, j, i], factor[k, j, i]
            row, lower = now[(k + 2) * width + line], now[(k + 1) * width + line]
            for n in range(row.size):
                row[n] = p * row[n] + f * lower[n]


@njit(**_OPTIONS)
def _emit_back(now, j, begin, lines, mass, source, amount):
    """Add to the sensitivity to emission, and turn that to amounts into that to mixing ratios."""
    width = STRIP
    real = now.dtype.type
    small, none, e = real(TINY), real(0.0), real(amount)
    for line in range(lines):
        i = begin + line
        for k in range(source.shape[0]):
            row, rate = now[(k + 2) * width + line], source[k, j, i]
            for n in range(row.size):
                rate[n] += e * row[n]
        for k in range(mass.shape[0]):
            m, row = real(mass[k, j, i]), now[(k + 2) * width + line]
            for n in range(row.size):
                value = m * row[n]
                row[n] = value if abs(value) > small else none


@njit(**_OPTIONS)
def _settle_back(
    now, j, begin, lines, mass, pivot, factor, sink, decay, parent, child, product, keep, raining, sampling, weights,
    source, amount, loss,
):  # fmt: skip
    """Transpose of `_settle`."""
    nz = mass.shape[0]
    _sample_back(now, j, begin, lines, sampling, weights)
    for line in range(lines):
        if raining[j, begin + line]:
            _wash_back(now, j, begin + line, line, nz, keep, loss)
    _transform_back(now, j, begin, lines, nz, decay, parent, child, product, loss.size // sink.shape[0])
    _mix_back(now, j, begin, lines, pivot, factor, sink, loss)
    _emit_back(now, j, begin, lines, mass, source, amount)
    _sample_back(now, j, begin, lines, sampling, weights)


@njit(**_OPTIONS)
def _columns_row_back(
    q, j, rise, rise_turned, fall, fall_turned, mass, pivot, factor, sink, decay, parent, child, product, keep, raining,
    sampling, weights, source, amount,
):  # fmt: skip
    """Transpose of `_columns_row`."""
    nz, ny, nx = mass.shape
    tags = q.shape[1]
    width = STRIP
    step = ny * nx
    base = 2 * width
    now = np.zeros(((nz + 4) * width, tags), q.dtype)
    then = np.zeros(((nz + 4) * width, tags), q.dtype)
    loss = np.empty(tags, q.dtype)
    per = (nx + STRIP - 1) // STRIP
    for block in range(per):
        strip = j * per + block
        i = block * STRIP
        lines, cell = min(STRIP, nx - i), j * nx + i
        _take(q, cell, step, now, nz, width, lines)
        for at in range(fall[strip + 1] - 1, fall[strip] - 1, -1):
            if at < fall[strip + 1] - 1:
                _take(then, base, width, now, nz, width, lines)
            _carry_back(now, fall_turned[at], then, base, width, nz, width, lines)
        _settle_back(
            then, j, i, lines, mass, pivot, factor, sink, decay, parent, child, product, keep, raining, sampling,
            weights, source, amount, loss,
        )  # fmt: skip
        for at in range(rise[strip + 1] - 1, rise[strip], -1):
            _carry_back(then, rise_turned[at], now, base, width, nz, width, lines)
            _take(now, base, width, then, nz, width, lines)
        _carry_back(then, rise_turned[rise[strip]], q, cell, step, nz, width, lines)


@njit(parallel=True, **_OPTIONS)
def columns_transposed(
    q, rise, rise_turned, fall, fall_turned, mass, pivot, factor, sink, decay, parent, child, product, keep, raining,
    sampling, weights, source, amount,
):  # fmt: skip
    """Transpose of `columns`: from the adjoint state after the step to that before it, in place.

    Parameters as for `columns`, but for

    rise_turned, fall_turned : (pass, 5, box and line)
        From `transpose`.
    weights : (level_s, y, x, tag)
        What a unit of mean concentration counts for [per ug m-3].
    source : (level_e, y, x, tag)
        Sensitivity to the emission rate is added here [per kg s-1].
    """
    for j in prange(mass.shape[1]):
        _columns_row_back(
            q, j, rise, rise_turned, fall, fall_turned, mass, pivot, factor, sink, decay, parent, child, product, keep,
            raining, sampling, weights, source, amount,
        )  # fmt: skip


@njit(parallel=True, **_OPTIONS)
def holdings(q, mass, density, total, negative, least):
    """Take stock of one moment.

    Parameters
    ----------
    q : (level, y, x, tag)
        State [ug kg-1].
    mass, density : (level, y, x)
        Air mass [kg] and density [kg m-3].
    total, negative : (y, tag)
        Set to the tracer in the air, and to the part of it that is below zero [ug].
    least : (y, tag)
        Smallest concentration so far [ug m-3].
    """
    nz, ny, nx, tags = q.shape
    for j in prange(ny):
        for n in range(tags):
            total[j, n] = negative[j, n] = 0.0
        for k in range(nz):
            for i in range(nx):
                m, rho, row = mass[k, j, i], density[k, j, i], q[k, j, i]
                for n in range(tags):
                    amount = m * row[n]
                    total[j, n] += amount
                    negative[j, n] += min(amount, 0.0)
                    least[j, n] = min(least[j, n], rho * row[n])


@njit(parallel=True, **_OPTIONS)
def close_vertical(x_flux, y_flux, z_flux, mass, residual, speed):
    """Set the vertical air flux that makes every box keep its air, from the ground up, in double precision.

    Parameters
    ----------
    x_flux, y_flux : (level, y, x_face), (level, y_face, x)
        Air fluxes [kg s-1].
    z_flux : (level_face, y, x)
        Given vertical air flux; replaced by the closing one [kg s-1].
    mass : (level, y, x)
        Air mass [kg].
    residual, speed : (y,)
        Largest change of the vertical flux, and largest one-way convergence along x or z, as shares of the air
        of the box [s-1].
    """
    nz, ny, nx = mass.shape
    for j in prange(ny):
        worst = 0.0
        most = 0.0
        for i in range(nx):
            up = 0.0
            worst = max(worst, abs(z_flux[0, j, i]) / mass[0, j, i])
            z_flux[0, j, i] = 0.0
            for k in range(nz):
                dx = x_flux[k, j, i + 1] - x_flux[k, j, i]
                dz = -(dx + (y_flux[k, j + 1, i] - y_flux[k, j, i]))
                up += dz
                worst = max(worst, abs(z_flux[k + 1, j, i] - up) / mass[k, j, i])
                z_flux[k + 1, j, i] = up
                most = max(most, max(abs(dx), abs(dz)) / mass[k, j, i])
        residual[j] = worst
        speed[j] = most


@njit(parallel=True, **_OPTIONS)
def dissociation(temperature, humidity, scale, slope, power, coldest, constant):
    """Set the product of NH3 and HNO3 in equilibrium with ammonium nitrate, flat arrays.

    Parameters
    ----------
    temperature, humidity : (point,)
        [K], [1].
    scale, slope, power : float
        ln Kp = scale - slope / T + power ln T, with Kp in Pa2.
    coldest : float
        Deliquescence and water-activity factor of colder air are those of this temperature [K].
    constant : (point,)
        Set to Kp / (R T)^2 [umol2 m-6].
    """
    for n in prange(temperature.size):
        t = temperature[n]
        log = np.log(t)
        kp = np.exp(scale - slope / t + power * log)
        aw = min(humidity[n], 0.999)
        if t < coldest:
            t = coldest
            log = np.log(t)
        deliquescence = 0.01 * np.exp(723.7 / t + 1.6954)
        if aw > deliquescence:
            p1 = np.exp(-135.94 + 8763.0 / t + 19.12 * log)
            p2 = np.exp(-122.65 + 9969.0 / t + 16.22 * log)
            p3 = np.exp(-182.61 + 13875.0 / t + 24.46 * log)
            dry = 1.0 - aw
            edge = 1.0 - deliquescence
            wet = (p1 - p2 * dry + p3 * dry * dry) * dry**1.75
            start = (p1 - p2 * edge + p3 * edge * edge) * edge**1.75
            kp *= min(1.0, wet / min(1.0, start))
        rt = 8.314462618 * temperature[n]
        constant[n] = kp * 1e12 / (rt * rt)


@njit(parallel=True, **_OPTIONS)
def partition(sulphate, nitrate, ammonia, constant, molar, salt, ammonium):
    """Set the particulate part of total nitrate and ammonia, flat arrays [ug m-3].

    Parameters
    ----------
    sulphate, nitrate, ammonia : (point,)
        Totals as SO4, NO3, NH3.
    constant : (point,)
        Product of the gases in equilibrium [umol2 m-6].
    molar : (4,)
        Molar masses of SO4, NO3, NH3, NH4 [g mol-1].
    salt, ammonium : (point,)
        Set to particulate nitrate as NO3 and ammonium as NH4.
    """
    so4, no3, nh3, nh4 = molar[0], molar[1], molar[2], molar[3]
    for n in prange(sulphate.size):
        acid = nitrate[n] / no3
        base = ammonia[n] / nh3
        bound = min(max(base, 0.0), 2.0 * max(sulphate[n], 0.0) / so4)
        free = base - bound
        k = constant[n]
        made = 0.0
        if free > 0.0 and acid > 0.0 and free * acid > k:
            gap = free - acid
            made = 2.0 * (free * acid - k) / (free + acid + np.sqrt(gap * gap + 4.0 * k))
            made = min(made, free, acid)
        # round-off must not leave less than nothing of the gas
        salt[n] = min(made * no3, max(nitrate[n], 0.0))
        ammonium[n] = (bound + made) * nh4
