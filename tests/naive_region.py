"""Small worlds for the region tests, and slow, obvious twins of the region's kernels."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import xarray as xr

from airsim.region import kernels
from airsim.region.transport import _Sweep

EDGES = (0.0, 50.0, 120.0, 250.0, 450.0, 750.0, 1200.0, 2000.0, 3000.0)


def grid(nz=4, ny=5, nx=6, spacing=5000.0):
    """What the region needs of a grid: boxes and nothing else."""
    return SimpleNamespace(
        x=(np.arange(nx) + 0.5) * spacing,
        y=(np.arange(ny) + 0.5) * spacing,
        spacing=spacing,
        level_edges=np.array(EDGES[: nz + 1]),
    )


def air(g, seed=0, slope=0.1):
    """Air mass of every box [kg], lighter where the (random) terrain is high."""
    edges = np.asarray(g.level_edges)
    centre = 0.5 * (edges[1:] + edges[:-1])
    terrain = slope * 10000.0 * np.random.default_rng(seed).random((len(g.y), len(g.x)))
    density = 1.2 * np.exp(-(terrain + centre[:, None, None]) / 8500.0)
    return density * np.diff(edges)[:, None, None] * g.spacing**2


def fluxes(g, hours, speed=5.0, updraught=0.3, seed=1):
    """Air fluxes [kg s-1] from random stream functions, so that every box keeps its air to round-off."""
    rng = np.random.default_rng(seed)
    nz, ny, nx = len(g.level_edges) - 1, len(g.y), len(g.x)
    depth = np.diff(g.level_edges)
    face = 1.2 * depth * g.spacing * speed
    x = np.zeros((hours, nz, ny, nx + 1))
    y = np.zeros((hours, nz, ny + 1, nx))
    z = np.zeros((hours, nz + 1, ny, nx))
    for h in range(hours):
        flow = rng.normal(size=(nz, ny + 1, nx + 1)) * face[:, None, None]
        x[h] += flow[:, 1:] - flow[:, :-1] + rng.normal() * face[:, None, None]
        y[h] -= flow[:, :, 1:] - flow[:, :, :-1]
        # overturning in the (x, z) and (y, z) planes: zero at the ground and at the top
        roll = updraught * rng.normal(size=(nz + 1, ny, nx + 1)) * face.mean()
        roll[0] = roll[-1] = 0.0
        x[h] += roll[1:] - roll[:-1]
        z[h] -= roll[:, :, 1:] - roll[:, :, :-1]
        roll = updraught * rng.normal(size=(nz + 1, ny + 1, nx)) * face.mean()
        roll[0] = roll[-1] = 0.0
        y[h] += roll[1:] - roll[:-1]
        z[h] -= roll[:, 1:] - roll[:, :-1]
    return x, y, z


def weather(g, hours=3, *, x=None, y=None, z=None, mass=None, seed=2, **planes):
    """Hourly weather on the grid: given fluxes (random ones if none), given or random surface fields."""
    rng = np.random.default_rng(seed)
    ny, nx = len(g.y), len(g.x)
    if x is None:
        x, y, z = fluxes(g, hours, seed=seed)

    def plane(low, high):
        return low + (high - low) * rng.random((hours, ny, nx))

    fields = {
        "air_temperature": plane(265.0, 290.0),
        "relative_humidity": plane(0.2, 1.0),
        "precipitation_flux": np.where(plane(0, 1) > 0.6, plane(0.0, 1e-3), 0.0),
        "atmosphere_boundary_layer_thickness": plane(60.0, 1500.0),
        "friction_velocity": plane(0.05, 0.6),
        "obukhov_length": np.where(plane(0, 1) > 0.5, 1, -1) * plane(5.0, 300.0),
        "convective_velocity": plane(0.0, 2.0),
        "surface_downwelling_shortwave_flux_in_air": plane(0.0, 700.0),
    }
    for name, value in planes.items():
        fields[name] = np.broadcast_to(np.asarray(value, float), (hours, ny, nx)).copy()
    data = {
        "x_face_air_flux": (("time", "level", "y", "x_face"), x),
        "y_face_air_flux": (("time", "level", "y_face", "x"), y),
        "z_face_air_flux": (("time", "level_face", "y", "x"), z),
        "air_mass": (("level", "y", "x"), air(g, seed) if mass is None else mass),
        "roughness_length": (("y", "x"), np.full((ny, nx), 0.3)),
    }
    data |= {name: (("time", "y", "x"), value) for name, value in fields.items()}
    time = np.datetime64("2026-01-05T16", "ns") + np.arange(hours) * np.timedelta64(1, "h")
    return xr.Dataset(data, coords={"time": time}, attrs={"title": "test weather", "synthetic": "yes"})


def swept(axis, q, mass, moved, spread, boundary=None, *, back=False):
    """One sweep of the engine over arrays (level, y, x, tag), (level, y, x) and faces; state, gain and loss."""
    plan = _Sweep.of(axis, mass, moved, spread, q.dtype)
    shape, tags = mass.shape, q.shape[-1]
    flat = np.array(q, order="C").reshape(-1, tags)
    through = np.zeros((2, shape[0] * max(shape[1:]), tags))
    if back:
        kernels.sweep_transposed(flat, plan.first, plan.transposed().weights, axis, *shape)
    else:
        end = np.zeros((shape[0], tags), q.dtype) if boundary is None else np.asarray(boundary, q.dtype)
        kernels.sweep(flat, plan.first, plan.weights, plan.ends, end, through, axis, *shape)
    return flat.reshape(q.shape), *through


# ---------------------------------------------------------------- slow twins


def parabola_flux(q, mass, s, face):
    """Tracer that `s` of air carries through an inner face: the integral of the parabola, found by a linear solve."""
    size = len(q)
    if s == 0.0:
        return 0.0
    c, d, u = (face - 1, face, face - 2) if s > 0 else (face, face - 1, face + 1)
    cells = [c, d] + ([u] if 0 <= u < size else [])
    # coordinate of air mass, zero at the face, positive towards the giving cell
    spans = {c: (0.0, mass[c]), d: (-mass[d], 0.0)}
    if 0 <= u < size:
        spans[u] = (mass[c], mass[c] + mass[u])
    powers = np.arange(len(cells))
    means = [[(spans[i][1] ** (p + 1) - spans[i][0] ** (p + 1)) / ((p + 1) * mass[i]) for p in powers] for i in cells]
    coefficients = np.linalg.solve(means, [q[i] for i in cells])
    swept = abs(s)
    return np.sign(s) * sum(a * swept ** (p + 1) / (p + 1) for p, a in zip(powers, coefficients, strict=True))


def advect(q, mass, moved, spread, low, high, count, *, flux=parabola_flux):
    """One line of cells, one tag, `count` sub-cycles; returns q, inflow, outflow."""
    q, mass = np.array(q, float), np.array(mass, float)
    size = len(q)
    came = went = 0.0
    for _ in range(count):
        through = np.zeros(size + 1)
        for face in range(1, size):
            s = moved[face] / count
            through[face] = flux(q, mass, s, face) - spread[face] / count * (q[face] - q[face - 1])
        through[0] = moved[0] / count * (low if moved[0] > 0 else q[0])
        through[size] = moved[size] / count * (high if moved[size] < 0 else q[-1])
        came += through[0] if moved[0] > 0 else 0.0
        came -= through[size] if moved[size] < 0 else 0.0
        went += through[size] if moved[size] > 0 else 0.0
        went -= through[0] if moved[0] < 0 else 0.0
        new = mass + (np.asarray(moved[:-1]) - np.asarray(moved[1:])) / count
        q = (q * mass + through[:-1] - through[1:]) / new
        mass = new
    return q, came, went


def upwind_flux(q, _mass, s, face):
    """Tracer flux of the first-order scheme."""
    return s * (q[face - 1] if s > 0 else q[face])


def mixed(mass, exchange, sink, right):
    """Solve the implicit vertical step with a full matrix."""
    n = len(mass)
    matrix = np.diag(np.array(mass, float))
    for k in range(1, n):
        x = exchange[k]
        matrix[k, k] += x
        matrix[k - 1, k - 1] += x
        matrix[k, k - 1] -= x
        matrix[k - 1, k] -= x
    matrix[0, 0] += sink
    return np.linalg.solve(matrix, right)
