"""Hot loops of the region engine: plain arrays in, plain arrays filled, nothing else.

Every forward loop stands beside its transpose. The state ``q`` is a mixing ratio [ug tracer per kg air] with axes
(level, y, x, tag); a tag is one column of one tracer and is the innermost, vectorised axis. Air masses and air
amounts moved are float64 [kg]; coefficients are cast to the dtype of ``q`` before they meet a tag.

Written for one core per line of cells: a line (one row, one column of the map, one vertical) is copied to a buffer
that stays in the first-level cache, all its sub-cycles are done there, and it is copied back. Every line is done by
one iteration of the parallel loop, so the result does not depend on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

# Courant number that a sub-cycle of a sweep may not exceed (the scheme is stable up to 1)
COURANT = 0.9
# values smaller than this are set to zero once a step, because denormal numbers are slow [ug kg-1]
TINY = 1e-30
# a line of cells is worked on in groups of at most this many tags, so that it fits the first-level cache
TAG_BLOCK = 160

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
def _stencil(mass, s, diffused, size, face):
    """Return donor and upwind cell of a face (as buffer rows) and the weights A, B of its tracer flux.

    flux = s q_C + A (q_R - q_L) + B (q_C - q_U), with L and R the cells on either side, C the one of them that gives
    air, U the next one upwind. The first part and |s| a, s b in A, B make the flux s times the mean, over the air
    swept through the face, of the parabola that reproduces the means of the three cells, in the coordinate of air
    mass (on an even grid QUICKEST, Leonard 1979); A also holds diffusion.
    Buffer row 0 is the lower boundary value, 1..size the cells, size + 1 the upper boundary value.
    """
    if s >= 0.0:
        c, d, u, swept = face - 1, face, face - 2, s
    else:
        c, d, u, swept = face, face - 1, face + 1, -s
    if c < 0 or c >= size or d < 0 or d >= size:  # through a boundary: what the giving side holds
        return c + 1, c + 1, 0.0, 0.0
    mc, md = mass[c], mass[d]
    if u < 0 or u >= size:  # beside the boundary: the straight line through two cells
        return c + 1, c + 1, swept * (mc - swept) / (mc + md) - diffused, 0.0
    mu = mass[u]
    near, far = mc + md, mc + mu
    rest = (mc - swept) / (near * far * (mu + near))
    a = rest * (far - swept) * far
    b = rest * (md + swept) * near
    return c + 1, u + 1, swept * a - diffused, s * b


@njit(**_OPTIONS)
def advect(q, r, left, mass, moved, spread, size, inflow, outflow):
    """Carry the tags of one line for one step; return the buffer that holds the result, and the other.

    Parameters
    ----------
    q, r : (size + 2, tag)
        State with the boundary values in the first and last row, and a second buffer with the same rows.
    left : (tag,)
        Work space of the dtype of q.
    mass : (size,)
        Air mass at the start [kg]; holds the air mass at the end on return.
    moved : (size + 1,)
        Air moved through the faces in the step, positive towards higher index [kg].
    spread : (size + 1,)
        Air exchanged by diffusion through the inner faces in the step [kg].
    inflow, outflow : (tag,)
        Tracer that came in and went out is added here [ug].
    """
    tags = q.shape[1]
    real = q.dtype.type
    count = cycles(mass, moved, spread, size)
    share = 1.0 / count
    for _ in range(count):
        for end in range(2):
            s = moved[0] * share if end == 0 else -moved[size] * share
            first, last = (q[0], q[1]) if end == 0 else (q[size + 1], q[size])
            if s > 0.0:
                for n in range(tags):
                    inflow[n] += s * first[n]
            elif s < 0.0:
                for n in range(tags):
                    outflow[n] -= s * last[n]
        for n in range(tags):
            left[n] = real(0.0)
        for i in range(size):
            s0, s1 = moved[i] * share, moved[i + 1] * share
            new = mass[i] + s0 - s1
            c, u, wa, wb = _stencil(mass, s1, spread[i + 1] * share, size, i + 1)
            a, b = real(wa), real(wb)
            per = 1.0 / new
            lower, upper, inverse = real(max(s0, 0.0) * per), real(max(-s1, 0.0) * per), real(per)
            below, own, above, qc, qu, to = q[i], q[i + 1], q[i + 2], q[c], q[u], r[i + 1]
            for n in range(tags):
                right = a * (above[n] - own[n]) + b * (qc[n] - qu[n])
                change = lower * (below[n] - own[n]) + upper * (above[n] - own[n])
                to[n] = own[n] + (change + inverse * (left[n] - right))
                left[n] = right
        for i in range(size):
            mass[i] += (moved[i] - moved[i + 1]) * share
        q, r = r, q
    return q, r


@njit(**_OPTIONS)
def advect_transposed(q, r, flux, weight, start, mass, moved, spread, size):
    """Transpose of `advect` for the cells of a line; return the buffer that holds the result, and the other.

    Parameters
    ----------
    q, r : (size + 2, tag)
        Adjoint state and a second buffer; the boundary rows are not used.
    flux : (size + 3, tag)
        Work space: sensitivity to the tracer flux through each face, between two rows of zeros.
    weight : (size + 3, 6)
        Work space: what the cells two below, below, above and two above a face count for in the flux through it;
        in the last two columns what a box makes of a flux, and of what it held.
    start : (size,)
        Work space, float64.
    mass : (size,)
        Air mass at the *start* of the forward step [kg]; unchanged on return.
    moved, spread : (size + 1,)
        As for `advect` [kg].
    """
    tags = q.shape[1]
    real = q.dtype.type
    none = real(0.0)
    count = cycles(mass, moved, spread, size)
    share = 1.0 / count
    for cell in range(4):
        weight[0, cell] = weight[size + 2, cell] = none
    for n in range(tags):
        flux[0, n] = flux[size + 2, n] = none
    for cycle in range(count - 1, -1, -1):
        for i in range(size):
            gain = (moved[i] - moved[i + 1]) * share
            start[i] = mass[i] + gain * cycle
            per = 1.0 / (start[i] + gain)
            weight[i, 4] = real(per)
            weight[i, 5] = real(start[i] * per)
        for face in range(size + 1):
            s = moved[face] * share
            c, _, wa, wb = _stencil(start, s, spread[face] * share, size, face)
            w = weight[face + 1]
            forth, back = max(s, 0.0), min(s, 0.0)
            if c == face:
                w[0], w[1], w[2], w[3] = real(-wb), real(forth - wa + wb), real(back + wa), none
            else:
                w[0], w[1], w[2], w[3] = none, real(forth - wa), real(back + wa + wb), real(-wb)
            below, above, to = q[face], q[face + 1], flux[face + 1]
            if face == 0:
                g = weight[0, 4]
                w[1] = none
                for n in range(tags):
                    to[n] = g * above[n]
            elif face == size:
                f = weight[size - 1, 4]
                w[2] = none
                for n in range(tags):
                    to[n] = -f * below[n]
            else:
                f, g = weight[face - 1, 4], weight[face, 4]
                for n in range(tags):
                    to[n] = g * above[n] - f * below[n]
        for i in range(size):
            g = weight[i, 5]
            w0, w1, w2 = weight[i, 3], weight[i + 1, 2], weight[i + 2, 1]
            f0, f1, f2 = flux[i], flux[i + 1], flux[i + 2]
            w3, f3 = weight[i + 3, 0], flux[i + 3]
            own, to = q[i + 1], r[i + 1]
            for n in range(tags):
                to[n] = g * own[n] + ((w0 * f0[n] + w1 * f1[n]) + (w2 * f2[n] + w3 * f3[n]))
        q, r = r, q
    return q, r


@njit(**_OPTIONS)
def _line(line, nz, ny, nx, along_x):
    """Return level, cells, first cell and step between cells, first face and step between faces of a line."""
    if along_x:
        return line // ny, nx, line * nx, 1, line * (nx + 1), 1
    k, i = line // nx, line % nx
    return k, ny, k * ny * nx + i, nx, k * (ny + 1) * nx + i, nx


@njit(parallel=True, **_OPTIONS)
def sweep(q, mass, moved, spread, boundary, inflow, outflow, ny, nx, along_x):
    """Advect and diffuse along x or y, in place.

    Parameters
    ----------
    q : (cell, tag)
        State of all cells, (level, y, x) flattened [ug kg-1].
    mass : (cell,)
        Air mass at the start [kg].
    moved, spread : (face,)
        Air moved and exchanged through the faces, (level, y, x_face) or (level, y_face, x) flattened [kg].
    boundary : (level, tag)
        Mixing ratio of air that comes in [ug kg-1].
    inflow, outflow : (line, tag)
        Tracer that came in and went out through the ends of each line is added here [ug].
    ny, nx : int
        Cells along y and x.
    along_x : bool
        The axis.
    """
    cells, tags = q.shape
    nz = cells // (ny * nx)
    groups = (tags + TAG_BLOCK - 1) // TAG_BLOCK
    width = (tags + groups - 1) // groups
    lines = nz * ny
    if not along_x:
        lines = nz * nx
    for item in prange(lines * groups):
        line, first = item // groups, (item % groups) * width
        last = min(first + width, tags)
        k, size, cell, step, face, stride = _line(line, nz, ny, nx, along_x)
        now = np.empty((size + 2, last - first), q.dtype)
        other = np.empty((size + 2, last - first), q.dtype)
        left = np.empty(last - first, q.dtype)
        air = np.empty(size)
        through = np.empty(size + 1)
        mixed = np.empty(size + 1)
        for n in range(last - first):
            now[0, n] = now[size + 1, n] = other[0, n] = other[size + 1, n] = boundary[k, first + n]
        for i in range(size + 1):
            through[i] = moved[face + i * stride]
            mixed[i] = spread[face + i * stride]
        for i in range(size):
            air[i] = mass[cell + i * step]
            row, to = q[cell + i * step, first:last], now[i + 1]
            for n in range(last - first):
                to[n] = row[n]
        now, other = advect(
            now, other, left, air, through, mixed, size, inflow[line, first:last], outflow[line, first:last]
        )
        for i in range(size):
            row, to = now[i + 1], q[cell + i * step, first:last]
            for n in range(last - first):
                to[n] = row[n]


@njit(parallel=True, **_OPTIONS)
def sweep_transposed(q, mass, moved, spread, ny, nx, along_x):
    """Transpose of `sweep` for the cells, in place; parameters as there."""
    cells, tags = q.shape
    nz = cells // (ny * nx)
    groups = (tags + TAG_BLOCK - 1) // TAG_BLOCK
    width = (tags + groups - 1) // groups
    lines = nz * ny
    if not along_x:
        lines = nz * nx
    for item in prange(lines * groups):
        line, first = item // groups, (item % groups) * width
        last = min(first + width, tags)
        _, size, cell, step, face, stride = _line(line, nz, ny, nx, along_x)
        now = np.empty((size + 2, last - first), q.dtype)
        other = np.empty((size + 2, last - first), q.dtype)
        flux = np.empty((size + 3, last - first), q.dtype)
        weight = np.empty((size + 3, 6), q.dtype)
        start = np.empty(size)
        air = np.empty(size)
        through = np.empty(size + 1)
        mixed = np.empty(size + 1)
        for i in range(size + 1):
            through[i] = moved[face + i * stride]
            mixed[i] = spread[face + i * stride]
        for i in range(size):
            air[i] = mass[cell + i * step]
            row, to = q[cell + i * step, first:last], now[i + 1]
            for n in range(last - first):
                to[n] = row[n]
        now, other = advect_transposed(now, other, flux, weight, start, air, through, mixed, size)
        for i in range(size):
            row, to = now[i + 1], q[cell + i * step, first:last]
            for n in range(last - first):
                to[n] = row[n]


@njit(**_OPTIONS)
def mix(q, mass, exchange, sink, pivot, factor):
    """Solve (M + X + S) q' = right-hand side in place, one vertical: the backward Euler step of diffusion.

    M is the air mass, X the symmetric exchange matrix, S the loss to the ground. The matrix is symmetric, so its
    own transpose. Elimination from the top down keeps the loss, the only part that differs between tags, in the
    last pivot; the pivots are built from sums alone (Grassmann, Taksar & Heyman 1985), so no digit is lost when
    mixing is fast.

    Parameters
    ----------
    q : (level, tag)
        Right-hand side [ug]; the solution [ug kg-1] on return.
    mass : (level,)
        Air mass [kg].
    exchange : (level + 1,)
        Air exchanged through each level face in the step [kg]; the first and last are not used.
    sink : (tag,)
        Air cleaned by the ground in the step [kg].
    pivot, factor : (level,)
        Work space of the dtype of q.
    """
    nz, tags = q.shape
    real = q.dtype.type
    extra = 0.0
    for k in range(nz - 1, 0, -1):
        x = exchange[k]
        base = mass[k] + extra
        pivot[k] = 1.0 / (base + x)
        factor[k] = x / (base + x)
        extra = x * base / (base + x)
        f = factor[k]
        upper, lower = q[k], q[k - 1]
        for n in range(tags):
            lower[n] += f * upper[n]
    p = real(mass[0] + extra)
    lower = q[0]
    for n in range(tags):
        lower[n] = lower[n] / (p + sink[n])
    for k in range(1, nz):
        p, f = pivot[k], factor[k]
        upper, lower = q[k], q[k - 1]
        for n in range(tags):
            upper[n] = p * upper[n] + f * lower[n]


@njit(parallel=True, **_OPTIONS)
def columns(
    q, mass, moved, exchange, sink, source, amount, decay, parent, child, product, keep, top, sampling, mean, begin,
    inflow, outflow, chemical, dry, wet,
):  # fmt: skip
    """Advect, emit, mix, deposit, transform, wash out, advect: everything vertical and local, in place.

    Parameters
    ----------
    q : (level, y, x, tag)
        State [ug kg-1].
    mass : (level, y, x)
        Reference air mass [kg], which holds in the middle of the step.
    moved : (level_face, y, x)
        Air moved upwards in each of the two vertical sweeps [kg].
    exchange : (level_face, y, x)
        Air exchanged by diffusion in the step [kg].
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
    top : (tag,)
        Mixing ratio of air that comes down through the top [ug kg-1].
    sampling : (level, y, x)
        Weight of one sample in the mean concentration [kg m-3].
    mean : (level_s, y, x, tag)
        Weighted sum of samples [ug m-3], taken before and after the local processes.
    begin : bool
        The first step of an hour sets `mean`, later ones add to it.
    inflow, outflow, chemical : (y, tag)
        Budgets [ug].
    dry, wet : (y, x, tag)
        Deposits [ug].
    """
    nz, ny, nx, tags = q.shape
    tracers = sink.shape[0]
    cases = tags // tracers
    emitting = source.shape[0]
    sampled = mean.shape[0]
    for j in prange(ny):
        real = q.dtype.type
        small = real(TINY)
        none = real(0.0)
        now = np.empty((nz + 2, tags), q.dtype)
        other = np.empty((nz + 2, tags), q.dtype)
        for n in range(tags):
            now[0, n] = other[0, n] = none
            now[nz + 1, n] = other[nz + 1, n] = top[n]
        air = np.empty(nz)
        through = np.empty(nz + 1)
        swap = np.empty(nz + 1)
        still = np.zeros(nz + 1)  # diffusion is implicit along z
        pivot = np.empty(nz, q.dtype)
        factor = np.empty(nz, q.dtype)
        loss = np.empty(tags, q.dtype)
        stay = np.empty(tags, q.dtype)
        left = np.empty(tags, q.dtype)
        gain = chemical[j]
        for i in range(nx):
            for k in range(nz + 1):
                through[k] = moved[k, j, i]
                swap[k] = exchange[k, j, i]
            for k in range(nz):
                air[k] = mass[k, j, i] + (through[k + 1] - through[k])
                row, to = q[k, j, i], now[k + 1]
                for n in range(tags):
                    to[n] = row[n]
            now, other = advect(now, other, left, air, through, still, nz, inflow[j], outflow[j])
            raining = False
            for t in range(tracers):
                raining = raining or keep[t, j, i] < 1.0
                s, f = real(sink[t, j, i]), real(keep[t, j, i])
                for n in range(t * cases, (t + 1) * cases):
                    loss[n] = s
                    stay[n] = f
            for k in range(nz):
                m, w = real(mass[k, j, i]), real(sampling[k, j, i])
                row = now[k + 1]
                if k < sampled:
                    total = mean[k, j, i]
                    if begin:
                        for n in range(tags):
                            total[n] = w * row[n]
                    else:
                        for n in range(tags):
                            total[n] += w * row[n]
                for n in range(tags):
                    row[n] = m * row[n]
                if k < emitting:
                    e = real(amount)
                    rate = source[k, j, i]
                    for n in range(tags):
                        row[n] += e * rate[n]
            mix(now[1 : nz + 1], mass[:, j, i], swap, loss, pivot, factor)
            row, deposit = now[1], dry[j, i]
            for n in range(tags):
                deposit[n] += np.float64(loss[n]) * row[n]
            for k in range(nz):
                m = mass[k, j, i]
                row = now[k + 1]
                for chain in range(parent.size):
                    gone, made = real(1.0 - decay[chain, k, j, i]), real(product[chain])
                    p, c = parent[chain] * cases, child[chain] * cases
                    for n in range(cases):
                        lost = gone * row[p + n]
                        row[p + n] -= lost
                        row[c + n] += made * lost
                        gain[p + n] -= m * lost
                        gain[c + n] += m * made * lost
                if raining:
                    deposit = wet[j, i]
                    for n in range(tags):
                        old = row[n]
                        row[n] = stay[n] * old
                        deposit[n] += m * (np.float64(old) - row[n])
                if k < sampled:
                    w = real(sampling[k, j, i])
                    total = mean[k, j, i]
                    for n in range(tags):
                        total[n] += w * row[n]
                air[k] = m
            now, other = advect(now, other, left, air, through, still, nz, inflow[j], outflow[j])
            for k in range(nz):
                row, to = now[k + 1], q[k, j, i]
                for n in range(tags):
                    to[n] = row[n] if abs(row[n]) > small else none


@njit(parallel=True, **_OPTIONS)
def columns_transposed(
    q, mass, moved, exchange, sink, decay, parent, child, product, keep, sampling, weights, source, amount
):
    """Transpose of `columns`: from the adjoint state after the step to that before it, in place.

    Parameters as for `columns`, but for

    weights : (level_s, y, x, tag)
        What a unit of mean concentration counts for [per ug m-3].
    source : (level_e, y, x, tag)
        Sensitivity to the emission rate is added here [per kg s-1].
    """
    nz, ny, nx, tags = q.shape
    tracers = sink.shape[0]
    cases = tags // tracers
    emitting = source.shape[0]
    sampled = weights.shape[0]
    for j in prange(ny):
        real = q.dtype.type
        small = real(TINY)
        none = real(0.0)
        now = np.zeros((nz + 2, tags), q.dtype)
        other = np.zeros((nz + 2, tags), q.dtype)
        flux = np.empty((nz + 3, tags), q.dtype)
        weight = np.empty((nz + 3, 6), q.dtype)
        start = np.empty(nz)
        air = np.empty(nz)
        through = np.empty(nz + 1)
        swap = np.empty(nz + 1)
        still = np.zeros(nz + 1)  # diffusion is implicit along z
        pivot = np.empty(nz, q.dtype)
        factor = np.empty(nz, q.dtype)
        loss = np.empty(tags, q.dtype)
        stay = np.empty(tags, q.dtype)
        for i in range(nx):
            for k in range(nz + 1):
                through[k] = moved[k, j, i]
                swap[k] = exchange[k, j, i]
            for k in range(nz):
                air[k] = mass[k, j, i]
                row, to = q[k, j, i], now[k + 1]
                for n in range(tags):
                    to[n] = row[n]
            now, other = advect_transposed(now, other, flux, weight, start, air, through, still, nz)
            raining = False
            for t in range(tracers):
                raining = raining or keep[t, j, i] < 1.0
                s, f = real(sink[t, j, i]), real(keep[t, j, i])
                for n in range(t * cases, (t + 1) * cases):
                    loss[n] = s
                    stay[n] = f
            for k in range(nz):
                row = now[k + 1]
                if k < sampled:
                    w, count = real(sampling[k, j, i]), weights[k, j, i]
                    for n in range(tags):
                        row[n] += w * count[n]
                if raining:
                    for n in range(tags):
                        row[n] = stay[n] * row[n]
                for chain in range(parent.size - 1, -1, -1):
                    gone, made = real(1.0 - decay[chain, k, j, i]), real(product[chain])
                    p, c = parent[chain] * cases, child[chain] * cases
                    for n in range(cases):
                        row[p + n] += gone * (made * row[c + n] - row[p + n])
            mix(now[1 : nz + 1], mass[:, j, i], swap, loss, pivot, factor)
            for k in range(nz):
                row = now[k + 1]
                if k < emitting:
                    e = real(amount)
                    rate = source[k, j, i]
                    for n in range(tags):
                        rate[n] += e * row[n]
                m = real(mass[k, j, i])
                for n in range(tags):
                    row[n] = m * row[n]
                if k < sampled:
                    w, count = real(sampling[k, j, i]), weights[k, j, i]
                    for n in range(tags):
                        row[n] += w * count[n]
                air[k] = mass[k, j, i] + (through[k + 1] - through[k])
            now, other = advect_transposed(now, other, flux, weight, start, air, through, still, nz)
            for k in range(nz):
                row, to = now[k + 1], q[k, j, i]
                for n in range(tags):
                    to[n] = row[n] if abs(row[n]) > small else none


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
