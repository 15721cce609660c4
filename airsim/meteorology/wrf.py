"""WRF output (wrfout_d0*): staggered winds, perturbation and base state, winds along the grid.

Skamarock et al. (2019), *A description of the Advanced Research WRF Model Version 4*, NCAR/TN-556: the
Arakawa C grid (sec. 3.1), geopotential on the staggered levels, T as dry potential temperature less 300 K.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import xarray as xr

from airsim.errors import InputError, Problem
from airsim.meteorology import boundary_layer as bl
from airsim.meteorology.source import (
    Floats,
    Gridded,
    Opened,
    Singles,
    Times,
    Window,
    checked,
    conversion,
    mixed_domains,
    open_files,
    read,
    same_grid,
    stamp,
)
from airsim.tables import Note

GRAVITY = 9.81
"""WRF's own, for its geopotential [m s-2]."""
BASE_TEMPERATURE = 300.0
"""Added to T [K], whatever USE_THETA_M says: the moist variable is THM."""
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[_T ](\d\d:\d\d:\d\d)")
_NEEDED = {
    "U": "wind along x",
    "V": "wind along y",
    "PH": "perturbation geopotential",
    "PHB": "base-state geopotential",
    "XLAT": "latitude",
    "XLONG": "longitude",
}
_SURFACE = {  # variable -> name it is handed out by, quantity, what stands in for it
    "PBLH": ("atmosphere_boundary_layer_thickness", "mixing_height"),
    "UST": ("friction_velocity", "friction_velocity"),
    "HFX": ("upward_sensible_heat_flux", "heat_flux"),
    "RMOL": ("inverse_obukhov_length", "inverse_length"),
    "SWDOWN": ("surface_downwelling_shortwave_flux_in_air", "shortwave"),
}
_RAIN = ("RAINC", "RAINNC", "RAINSH")


def open_wrf(files: Sequence[Path]) -> Wrf:
    """Open WRF output files of one domain.

    Raises
    ------
    InputError
        Files that can't be read, are of several domains, or lack what nothing else can tell: all at once.
    """
    return Wrf(files)


class Wrf(Gridded):
    """WRF output of one domain, in any number of files with any number of times each."""

    kind = "WRF"

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = tuple(Path(f) for f in files)
        self.notes = []
        opened = open_files(self.files)
        self._check_variables(opened)
        self._lay_time(opened)
        first = self._opened[0].dataset
        self.longitude, self.latitude = (_constant(first[n]) for n in ("XLONG", "XLAT"))
        self._check_grid()
        self._set_angles(first)
        self.terrain = self._optional_constant(first, "HGT", "terrain")
        self.roughness = self._optional_constant(first, "ZNT", "roughness")
        if self.roughness is not None and self.roughness.min() <= 0:
            self.roughness = None
        self._base: dict[tuple[int, Window, int], Singles] = {}
        self._levels: dict[tuple[Window, float], int] = {}
        self.middle = {}
        self._find_surface(first)

    # ---------------------------------------------------------------- opening

    def _check_variables(self, opened: Sequence[Opened]) -> None:
        problems = []
        for name, dataset in opened:
            lost = [f"{v} ({about})" for v, about in _NEEDED.items() if v not in dataset]
            if not ({"T2", "T"} & set(dataset.data_vars)):
                lost.append("T2 or T (temperature)")
            if not ({"Q2", "QVAPOR"} & set(dataset.data_vars)):
                lost.append("Q2 or QVAPOR (humidity)")
            if not {"P", "PB"} <= set(dataset.data_vars) and "PSFC" not in dataset:
                lost.append("PSFC (surface pressure), or P and PB")
            if lost:
                text = ", ".join(lost)
                said = f"missing from this wrfout file: {text}", f"该 wrfout 文件缺少变量：{text}"
                problems.append(Problem(name, "", "variables", "", *said))
            elif not (
                dataset.sizes.get("west_east_stag", 0) == dataset.sizes.get("west_east", 0) + 1
                and dataset.sizes.get("south_north_stag", 0) == dataset.sizes.get("south_north", 0) + 1
                and dataset.sizes.get("bottom_top_stag", 0) == dataset.sizes.get("bottom_top", 0) + 1
            ):
                sizes = ", ".join(f"{d} {n}" for d, n in dataset.sizes.items())
                said = (
                    "staggered dimensions must be one longer than the plain ones; cut both when cutting a file",
                    "交错维须比普通维多 1；裁剪文件时两者须一并裁剪",
                )
                problems.append(Problem(name, "", "dimensions", sizes, *said))
        if problems:
            raise InputError(problems)

    def _lay_time(self, opened: Sequence[Opened]) -> None:
        """Sort all times of all files; where two files have the same one, the file that starts later counts."""
        times = [_times(o) for o in opened]
        used = [(o, t) for o, t in zip(opened, times, strict=True) if len(t)]
        for o, t in zip(opened, times, strict=True):
            if not len(t):
                self.notes.append(Note(f"{o.name}：无时次，已略过", f"{o.name}: no times in it, passed over"))
        if not used:
            said = "no times in any of the files", "所有文件均无时次"
            raise InputError([Problem(self.file, "", "Times", "", *said)])
        used.sort(key=lambda pair: pair[1][0])
        self._opened = [o for o, _ in used]
        where: dict[np.datetime64, tuple[int, int]] = {}
        doubled = 0
        for f, (_, stamps) in enumerate(used):
            for k, t in enumerate(stamps):
                doubled += t in where
                where[t] = (f, k)
        if doubled:
            self.notes.append(
                Note(
                    f"有 {doubled} 个时次在多个文件中重复，取起始时间较晚的文件",
                    f"{doubled} time(s) stand in more than one file; the file that starts later is taken",
                )
            )
        self.time = np.array(sorted(where), "datetime64[ns]")
        self._where = [where[t] for t in self.time]

    def _check_grid(self) -> None:
        here = self.longitude, self.latitude
        said, differs = [], False
        for _, dataset in self._opened:
            there = _constant(dataset["XLONG"]), _constant(dataset["XLAT"])
            differs |= not same_grid(here, there)
            said.append(_grid_words(dataset, *there))
        if differs:
            raise mixed_domains([o.name for o in self._opened], said)
        last = self._opened[-1].dataset["XLONG"]
        if last.ndim == 3 and not np.allclose(read(last[-1], self._opened[-1].name), self.longitude, atol=1e-3):
            words = "the domain moves with time; a moving nest can't be used", "区域随时间移动，不支持移动嵌套"
            raise InputError([Problem(self._opened[-1].name, "", "XLONG", "", *words)])

    def _set_angles(self, dataset: xr.Dataset) -> None:
        """Direction of the grid's x axis, counter-clockwise from east.

        From COSALPHA and SINALPHA; without them from the longitudes and latitudes themselves, which know it for
        every projection.
        """
        if {"COSALPHA", "SINALPHA"} <= set(dataset.data_vars):
            cosine, sine = _constant(dataset["COSALPHA"]), _constant(dataset["SINALPHA"])
            if np.abs(cosine**2 + sine**2 - 1).max() < 0.01:
                self._cosine, self._sine = cosine, sine
                return
        self._cosine, self._sine = axis_direction(self.longitude, self.latitude)
        self.notes.append(
            Note(
                "文件无可用的 COSALPHA/SINALPHA，风向旋转角由经纬度场计算",
                "no usable COSALPHA and SINALPHA: the winds' rotation is computed from longitudes and latitudes",
            )
        )

    def _optional_constant(self, dataset: xr.Dataset, name: str, quantity: str) -> Floats | None:
        if name not in dataset:
            return None
        file = self._opened[0].name
        factor, _ = conversion(file, name, quantity, dataset[name].attrs.get("units"))
        return checked(_constant(dataset[name]) * factor, quantity, file, name).astype(float)

    def _find_surface(self, dataset: xr.Dataset) -> None:
        held = set(dataset.data_vars)
        self.has = {"height", "eastward_wind", "northward_wind", "air_temperature", "relative_humidity"}
        for variable, (name, _) in _SURFACE.items():
            if self._everywhere(variable):
                self.has.add(name)
        if self._everywhere("T"):
            self.has.add("potential_temperature")
        if self._everywhere("U10") and self._everywhere("V10"):
            self.has |= {"eastward_wind_10m", "northward_wind_10m"}
        if self._everywhere("CLDFRA"):
            self.has.add("cloud_area_fraction")
        if any(self._everywhere(v) for v in _RAIN) and len(self.time) > 1:
            self.has.add("precipitation_flux")
            step = np.median(np.diff(self.time).astype("timedelta64[s]").astype(int))
            self.middle["precipitation_flux"] = -np.timedelta64(int(step) // 2, "s")
        lost = [v for v in (*_SURFACE, "U10", "V10", "HGT", "CLDFRA") if v not in held and v != "RMOL"]
        lost += ["RAINC, RAINNC"] if "precipitation_flux" not in self.has else []
        if lost:
            text = ", ".join(lost)
            self.notes.append(
                Note(f"文件中没有 {text}，由诊断或假设代替", f"not in the files, diagnosed or assumed: {text}")
            )

    def _everywhere(self, variable: str) -> bool:
        return all(variable in o.dataset for o in self._opened)

    def close(self) -> None:
        """Let go of the files."""
        for opened in self._opened:
            opened.dataset.close()

    # ---------------------------------------------------------------- reading

    def at(self, i: int, window: Window, top: float, names: set[str]) -> dict[str, Singles]:
        """Return the fields of one time; see `Gridded.at`."""
        f, k = self._where[i]
        file, dataset = self._opened[f]
        when = stamp(self.time[i])
        wanted = names & self.has

        def take(name: str, quantity: str, **levels: slice) -> Singles:
            return _take(dataset, file, name, quantity, k, when, window, **levels)

        result: dict[str, Singles] = {}
        n = self._count_levels(f, k, window, top)
        layers = {"bottom_top": slice(0, n)}
        if "height" in wanted:
            faces = take("PH", "geopotential", bottom_top_stag=slice(0, n + 1)) + self._base_state(f, k, window, n)
            above = np.asarray((faces - faces[:1]) / GRAVITY, np.float32)
            result["height"] = np.asarray((above[1:] + above[:-1]) / 2, np.float32)
        if "eastward_wind" in wanted:
            u = take("U", "wind", **layers, x=slice(window.west, window.east + 1))
            v = take("V", "wind", **layers, y=slice(window.south, window.north + 1))
            result["eastward_wind"], result["northward_wind"] = self._to_earth(
                (u[..., 1:] + u[..., :-1]) / np.float32(2), (v[:, 1:] + v[:, :-1]) / np.float32(2), window
            )
        if "eastward_wind_10m" in wanted:
            u, v = take("U10", "wind"), take("V10", "wind")
            result["eastward_wind_10m"], result["northward_wind_10m"] = self._to_earth(u, v, window)
        if "potential_temperature" in wanted:
            result["potential_temperature"] = take("T", "potential_temperature", **layers)
        if {"air_temperature", "relative_humidity"} & wanted:
            temperature, humidity = self._near_ground(dataset, take)
            result["air_temperature"], result["relative_humidity"] = temperature, humidity
        for variable, (name, quantity) in _SURFACE.items():
            if name in wanted:
                result[name] = take(variable, quantity)
        if "cloud_area_fraction" in wanted:
            # maximum overlap: what the thickest layer hides
            result["cloud_area_fraction"] = np.clip(take("CLDFRA", "share").max(axis=0), 0, 1)
        if "precipitation_flux" in wanted:
            result["precipitation_flux"] = self._rain(i, window)
        return result

    def _count_levels(self, f: int, k: int, window: Window, top: float) -> int:
        """Return how many mass levels reach above `top` everywhere, from the base state."""
        if (window, top) not in self._levels:
            variable = self._opened[f].dataset["PHB"]
            faces = read(_window(variable, k, window), self._opened[f].name)
            height = (faces - faces[:1]).reshape(len(faces), -1).min(axis=1) / GRAVITY
            self._levels[window, top] = min(int(np.searchsorted(height, 1.1 * top + 100.0)) + 1, len(faces) - 1)
        return self._levels[window, top]

    def _base_state(self, f: int, k: int, window: Window, n: int) -> Singles:
        """PHB does not change with time: it is read once a file."""
        key = f, window, n
        values = self._base.get(key)
        if values is None:
            file, dataset = self._opened[f]
            values = _take(dataset, file, "PHB", "geopotential", k, "", window, bottom_top_stag=slice(0, n + 1))
            self._base = {key: values}  # one file after the other: the last is enough
        return values

    def _to_earth(self, u: Singles, v: Singles, window: Window) -> tuple[Singles, Singles]:
        cosine, sine = (a[window.cut].astype(np.float32) for a in (self._cosine, self._sine))
        return u * cosine - v * sine, v * cosine + u * sine

    def _near_ground(self, dataset: xr.Dataset, take: _Take) -> tuple[Singles, Singles]:
        """Temperature [K] and relative humidity [1] at 2 m, or of the lowest level where those are not there."""
        lowest = {"bottom_top": slice(0, 1)}

        def pressure() -> Singles:
            result: Singles = (take("P", "pressure", **lowest) + take("PB", "pressure", **lowest))[0]
            return result

        ground = take("PSFC", "pressure") if "PSFC" in dataset else pressure()
        if "T2" in dataset:
            temperature = take("T2", "temperature")
        else:
            temperature = take("T", "potential_temperature", **lowest)[0] * (pressure() / 1e5) ** 0.2857
        ratio = take("Q2", "mixing_ratio") if "Q2" in dataset else take("QVAPOR", "mixing_ratio", **lowest)[0]
        ratio = np.maximum(ratio, 0)
        vapour = ratio * ground / (0.622 + ratio)
        humidity = np.clip(bl.relative_humidity(vapour, temperature), 0, 1).astype(np.float32)
        return temperature.astype(np.float32), humidity

    def _rain(self, i: int, window: Window) -> Singles:
        """Mean rate since the stamp before [kg m-2 s-1]; of the first stamp, that of the one after."""
        i = max(i, 1)
        seconds = (self.time[i] - self.time[i - 1]) / np.timedelta64(1, "s")
        now, before = self._rain_so_far(i, window), self._rain_so_far(i - 1, window)
        fallen = now - before
        if fallen.min() < -0.01:  # sums start again with a new run
            fallen = now
        result: Singles = np.maximum(fallen, 0) / np.float32(seconds)
        return result

    def _rain_so_far(self, i: int, window: Window) -> Singles:
        f, k = self._where[i]
        file, dataset = self._opened[f]
        when = stamp(self.time[i])
        bucket = float(dataset.attrs.get("BUCKET_MM", -1.0))
        total = np.zeros(1, np.float32)
        for name in _RAIN:
            if name in dataset:
                total = total + _take(dataset, file, name, "water", k, when, window)
            if f"I_{name}" in dataset and bucket > 0:
                total = total + bucket * read(_window(dataset[f"I_{name}"], k, window), file, when)
        return total.astype(np.float32)


def axis_direction(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Return cosine and sine of the angle from east to the grid's x axis, counter-clockwise, by differences."""
    step = (np.diff(longitude, axis=1) + 180) % 360 - 180
    east = step * np.cos(np.radians((latitude[:, 1:] + latitude[:, :-1]) / 2))
    north = np.diff(latitude, axis=1)
    angle = np.arctan2(north, east)
    # from between the columns to the columns, going on straight at the two edges
    first, last = angle[:, :1] * 1.5 - angle[:, 1:2] * 0.5, angle[:, -1:] * 1.5 - angle[:, -2:-1] * 0.5
    angle = np.concatenate([first, (angle[:, 1:] + angle[:, :-1]) / 2, last], axis=1)
    return np.cos(angle), np.sin(angle)


class _Take(Protocol):
    """Reads one variable of the time and window at hand."""

    def __call__(self, name: str, quantity: str, **levels: slice) -> Singles: ...


def _constant(variable: xr.DataArray) -> Floats:
    """Return a field that does not change, whether or not it still has a time axis."""
    return np.asarray((variable if variable.ndim == 2 else variable[0]).values, float)


def _window(variable: xr.DataArray, k: int, window: Window, **cut: slice) -> xr.DataArray:
    """Cut one time of a variable, on whatever staggered dimensions it stands."""
    index: dict[str, int | slice] = {}
    for dim in map(str, variable.dims):
        if dim.startswith("south_north"):
            index[dim] = cut.get("y", window.cut[0])
        elif dim.startswith("west_east"):
            index[dim] = cut.get("x", window.cut[1])
        elif dim in cut:
            index[dim] = cut[dim]
        elif dim.lower() in {"time", "xtime"}:
            index[dim] = k
    return variable.isel(index)


def _take(
    dataset: xr.Dataset, file: str, name: str, quantity: str, k: int, when: str, window: Window, **cut: slice
) -> Singles:
    variable = dataset[name]
    factor, offset = conversion(file, name, quantity, variable.attrs.get("units"))
    values = read(_window(variable, k, window, **cut), file, when)
    if name == "T":
        offset += BASE_TEMPERATURE
    if (factor, offset) != (1.0, 0.0):
        values = values * np.float32(factor) + np.float32(offset)
    # base and perturbation may each be anything; it is their sum that has a range
    if name in {"PH", "PHB", "P"} and np.isfinite(values).all():
        return np.asarray(values, np.float32)
    return checked(values, quantity, file, name, when)


def _grid_words(dataset: xr.Dataset, longitude: Floats, latitude: Floats) -> str:
    ny, nx = longitude.shape
    spacing = dataset.attrs.get("DX")
    domain = dataset.attrs.get("GRID_ID")
    parts = [f"d{int(domain):02d}" if domain is not None else "", f"{nx} x {ny}"]
    parts.append(f"DX {float(spacing):g} m" if spacing is not None else "")
    parts.append(f"{longitude.min():.2f}..{longitude.max():.2f} E, {latitude.min():.2f}..{latitude.max():.2f} N")
    return ", ".join(p for p in parts if p)


def _times(opened: Opened) -> Times:
    """Return the times of a file, to the minute: from Times, or from XTIME, which counts from the simulation's start.

    Raises
    ------
    InputError
        Neither is there, or they can't be read.
    """
    file, dataset = opened
    length = next((n for d, n in dataset.sizes.items() if str(d).lower() == "time"), None)
    if "Times" in dataset:
        text = np.atleast_1d(read(dataset["Times"], file))
        if text.dtype.kind == "S" and text.dtype.itemsize == 1:  # characters that were not joined
            text = np.array([b"".join(row) for row in text.reshape(len(text), -1)])
        words = [t.decode("ascii", "replace") if isinstance(t, bytes) else str(t) for t in text.ravel()]
        found = [_STAMP.search(w) for w in words]
        if all(found):
            stamps = [np.datetime64(f"{m[1]}T{m[2]}", "ns") for m in found if m]
            return _to_minute(np.array(stamps, "datetime64[ns]"))
        bad = next(w for w, m in zip(words, found, strict=True) if m is None)
        said = "must be times such as 2019-01-01_00:00:00", "须为形如 2019-01-01_00:00:00 的时间"
        raise InputError([Problem(file, "", "Times", repr(bad), *said)])
    if length == 0:
        return np.array([], "datetime64[ns]")
    begin = str(dataset.attrs.get("SIMULATION_START_DATE", dataset.attrs.get("START_DATE", "")))
    if "XTIME" in dataset:
        unit = str(dataset["XTIME"].attrs.get("units", ""))
        since = _STAMP.search(unit) or _STAMP.search(begin)
        scale = {"h": 3600.0, "s": 1.0}.get(unit.strip()[:1].lower(), 60.0)  # minutes where nothing is said
        if since is not None:
            passed = np.atleast_1d(read(dataset["XTIME"], file)).astype(float) * scale
            start = np.datetime64(f"{since[1]}T{since[2]}", "ns")
            return _to_minute(start + (passed * 1e9).round().astype("timedelta64[ns]"))
    said = (
        "no time: neither Times nor XTIME with SIMULATION_START_DATE",
        "缺少时间：既无 Times，也无 XTIME 与 SIMULATION_START_DATE",
    )
    raise InputError([Problem(file, "", "Times", "", *said)])


def _to_minute(times: Times) -> Times:
    """Round to the minute: an adaptive time step overshoots the hour by seconds, float32 minutes by less."""
    minute = np.timedelta64(60, "s")
    return (times + minute // 2).astype("datetime64[m]").astype("datetime64[ns]")
