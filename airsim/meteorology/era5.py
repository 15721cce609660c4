"""ERA5 and ERA5-Land in NetCDF: single levels with pressure or model levels, of the old and the new data store.

Hersbach et al. (2020), QJRMS 146, 1999; Muñoz-Sabater et al. (2021), ESSD 13, 4349. Layouts: `time` counted in
hours since 1900 with `level` (before 2024), `valid_time` in seconds since 1970 with `pressure_level` or
`model_level` (since then), and a ZIP that is named .nc with one member for each step type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from airsim.errors import InputError, Problem
from airsim.meteorology import boundary_layer as bl
from airsim.meteorology.era5_levels import (
    GRAVITY,
    full_pressure,
    height_at_pressure,
    hypsometric_heights,
    model_level_heights,
)
from airsim.meteorology.source import (
    HOUR,
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


class _Variable(NamedTuple):
    """One quantity of the archive: how it may be called, what it is, and whether it is summed over time."""

    spellings: tuple[str, ...]
    quantity: str
    summed: bool = False


_SINGLE = {
    "u10": _Variable(("u10", "10u", "10m_u_component_of_wind"), "wind"),
    "v10": _Variable(("v10", "10v", "10m_v_component_of_wind"), "wind"),
    "t2m": _Variable(("t2m", "2t", "2m_temperature"), "temperature"),
    "d2m": _Variable(("d2m", "2d", "2m_dewpoint_temperature"), "temperature"),
    "sp": _Variable(("sp", "surface_pressure"), "pressure"),
    "blh": _Variable(("blh", "boundary_layer_height"), "mixing_height"),
    "zust": _Variable(("zust", "friction_velocity"), "friction_velocity"),
    "fsr": _Variable(("fsr", "forecast_surface_roughness"), "roughness"),
    "tcc": _Variable(("tcc", "total_cloud_cover"), "share"),
    "ishf": _Variable(("ishf", "instantaneous_surface_sensible_heat_flux"), "heat_flux"),
    "sshf": _Variable(("sshf", "surface_sensible_heat_flux"), "energy", summed=True),
    "ssrd": _Variable(("ssrd", "surface_solar_radiation_downwards"), "energy", summed=True),
    "tp": _Variable(("tp", "total_precipitation"), "water", summed=True),
    # means over the hour before the stamp, under their old and new names
    "msshf": _Variable(("msshf", "avg_ishf", "mean_surface_sensible_heat_flux"), "heat_flux"),
    "msdwswrf": _Variable(("msdwswrf", "avg_sdswrf", "mean_surface_downward_short_wave_radiation_flux"), "shortwave"),
    "mtpr": _Variable(("mtpr", "avg_tprate", "mean_total_precipitation_rate"), "rate"),
    "z_surface": _Variable(("z", "geopotential"), "geopotential"),
    "lnsp": _Variable(("lnsp", "logarithm_of_surface_pressure"), ""),
}
_UPPER = {
    "u": _Variable(("u", "u_component_of_wind"), "wind"),
    "v": _Variable(("v", "v_component_of_wind"), "wind"),
    "t": _Variable(("t", "temperature"), "temperature"),
    "q": _Variable(("q", "specific_humidity"), "mixing_ratio"),
    "z": _Variable(("z", "geopotential"), "geopotential"),
}
_INSTANTS = {"u10", "v10", "t2m", "d2m", "sp", "u", "v", "t", "z", "q", "lnsp"}
_MEAN_OF_HOUR = {"msshf", "msdwswrf", "mtpr"}
_TIMES_AT_ONCE = 24
_BLOCKS_KEPT = 64
_Profile = Callable[[str], Floats]
_TIME = ("valid_time", "time")
_LEVEL = ("pressure_level", "model_level", "level", "isobaricInhPa", "hybrid", "lev", "plev")
_LONGITUDE, _LATITUDE = ("longitude", "lon"), ("latitude", "lat")


def open_era5(files: Sequence[Path]) -> Era5:
    """Open ERA5 or ERA5-Land files of one grid.

    Raises
    ------
    InputError
        Files that can't be read or lie on several grids, or lack what nothing else can tell.
    """
    return Era5(files)


@dataclass(frozen=True, eq=False)
class _Part:
    """One file (or archive member) made uniform: dimensions time, level, y, x; latitude and longitude rising."""

    name: str
    dataset: xr.Dataset
    time: Times
    longitude: Floats
    latitude: Floats
    flip: tuple[bool, bool]  # south to north, west to east: is the file the other way about?
    roll: int  # columns by which a file from 0 to 360 degrees begins later
    level: Floats | None
    vertical: Literal["pressure", "model", ""]


class Era5(Gridded):
    """ERA5 on its grid, in any number of files that each hold some variables and times."""

    kind = "ERA5"

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = tuple(Path(f) for f in files)
        self.notes = []
        self._blocks: dict[tuple[Any, ...], np.ndarray] = {}
        self._files = open_files(self.files)
        parts = [_uniform(o, self.notes) for o in self._files]
        self._check_grid(parts)
        self._index(parts)
        self.longitude, self.latitude = np.meshgrid(parts[0].longitude, parts[0].latitude)
        self._choose_vertical(parts)
        self._list_missing()
        self._tell_sums_apart()
        self.terrain = self._surface_height()
        self.roughness = None
        if "fsr" in self._where:
            whole = self._whole()
            first = next(iter(self._where["fsr"]))
            self.roughness = np.maximum(self._take("fsr", first, whole).astype(float), 1e-4)

    # ---------------------------------------------------------------- opening

    def _check_grid(self, parts: Sequence[_Part]) -> None:
        first = parts[0].longitude, parts[0].latitude
        if all(same_grid(first, (p.longitude, p.latitude)) for p in parts):
            return
        words = [
            f"{len(p.longitude)} x {len(p.latitude)}, {abs(p.longitude[1] - p.longitude[0]):.3g} deg, "
            f"{p.longitude[0]:.2f}..{p.longitude[-1]:.2f} E, {p.latitude[0]:.2f}..{p.latitude[-1]:.2f} N"
            for p in parts
        ]
        raise mixed_domains([p.name for p in parts], words)

    def _index(self, parts: Sequence[_Part]) -> None:
        """Note for every variable and time which part holds it; of two, the part that comes first counts."""
        self._where: dict[str, dict[np.datetime64, tuple[_Part, int]]] = {}
        for part in parts:
            for held in map(str, part.dataset.data_vars):
                name = _meaning(part, held)
                if name:
                    stamps = self._where.setdefault(name, {})
                    for k, t in enumerate(part.time):
                        stamps.setdefault(t, (part, k))
        instants = {n: set(t) for n, t in self._where.items() if n in _INSTANTS}
        common = set.intersection(*instants.values()) if instants else set()
        self.time = np.array(sorted(common), "datetime64[ns]")
        odd = [n for n, t in instants.items() if t != common]
        if odd and common:
            text = ", ".join(odd)
            words = (
                f"各变量时次不一，只取共有的 {len(common)} 个时次（{text} 另有时次）",
                (f"variables differ in their times; the {len(common)} they share are used ({text} have more)"),
            )
            self.notes.append(Note(*words))
        if instants and not common:
            text = ", ".join(sorted(instants))
            said = f"no time that all of these have: {text}", f"以下变量没有共同的时次：{text}"
            raise InputError([Problem(self.file, "", "time", "", *said)])

    def _choose_vertical(self, parts: Sequence[_Part]) -> None:
        kinds = {p.vertical for p in parts if p.vertical and {"u", "v"} & set(p.dataset.data_vars)}
        if len(kinds) > 1:
            said = "either pressure or model levels, not both", "气压层与模式层只能取其一"
            raise InputError([Problem(self.file, "", "level", "", *said)])
        self._vertical = next(iter(kinds), "")

    def _list_missing(self) -> None:
        held = set(self._where)
        lost = [f"{n} ({about})" for n, about in (
            ("u10", "10 m wind"), ("v10", "10 m wind"), ("t2m", "2 m temperature"), ("d2m", "2 m dew point"),
        ) if n not in held]  # fmt: skip
        if self._vertical and not {"u", "v"} <= held:
            lost.append("u and v on the same levels")
        if self._vertical == "model":
            lost += [] if {"lnsp"} & held or "sp" in held else ["lnsp, or sp"]
            lost += [] if "t" in held else ["t on model levels (for their heights)"]
        if self._vertical == "pressure":
            lost += [] if {"sp", "z_surface"} & held else ["sp, or z of the single levels (where the ground is)"]
            lost += (
                []
                if "z" in held or {"t", "sp"} <= held
                else ["z, or t with sp, on pressure levels (for their heights)"]
            )
        if lost:
            text = ", ".join(lost)
            said = f"missing from these files: {text}", f"文件中缺少变量：{text}"
            raise InputError([Problem(self.file, "", "variables", "", *said)])
        self.has = {"eastward_wind_10m", "northward_wind_10m", "air_temperature", "relative_humidity"}
        if self._vertical:
            self.has |= {"height", "eastward_wind", "northward_wind"}
            self.has |= {"potential_temperature"} if "t" in held else set()
        self.middle = {}
        half = -HOUR // 2
        for target, sources in _SURFACE.items():
            full = [s for s in sources if s in held and all(t in self._where[s] for t in self.time[1:])]
            if full:
                self.has.add(target)
                if full[0] != "ishf" and (_SINGLE[full[0]].summed or full[0] in _MEAN_OF_HOUR):
                    self.middle[target] = half
        names = {
            "blh": "atmosphere_boundary_layer_thickness",
            "zust": "friction_velocity",
            "sshf or ishf": "upward_sensible_heat_flux",
            "ssrd": "surface_downwelling_shortwave_flux_in_air",
            "tcc": "cloud_area_fraction",
            "tp": "precipitation_flux",
        }
        absent = [n for n, target in names.items() if target not in self.has]
        if absent:
            text = ", ".join(absent)
            words = f"文件中没有 {text}，由诊断或假设代替", f"not in the files, diagnosed or assumed: {text}"
            self.notes.append(Note(*words))

    def _tell_sums_apart(self) -> None:
        """Find out whether sums cover the hour before the stamp (ERA5) or all since 00 UTC (ERA5-Land).

        Shortwave says it: where the sun is down, a sum of one hour is zero. Without shortwave the grid says it,
        for ERA5-Land is the one of a tenth of a degree.
        """
        self._since_midnight = False
        summed = [n for n in ("ssrd", "sshf", "tp") if n in self._where]
        if not summed:
            return
        spacing = float(np.median(np.diff(self.latitude[:, 0])))
        how = "grid spacing", "网格距"
        self._since_midnight = spacing < 0.15
        if "ssrd" in self._where:
            j, i = self.latitude.shape[0] // 2, self.latitude.shape[1] // 2
            spot = Window(j, j + 1, i, i + 1)
            times = [t for t in self.time if t in self._where["ssrd"]][:72]
            minutes = np.array([1, 30, 59]).astype("timedelta64[m]")
            hours = np.asarray(np.array(times, "datetime64[ns]")[:, None] - minutes, "datetime64[ns]")
            dark = (bl.sine_of_solar_elevation(hours, self.longitude[j, i], self.latitude[j, i]) < -0.2).all(axis=1)
            values = np.array([float(self._take("ssrd", t, spot)[0, 0]) for t in times])
            if dark.any() and values.max() > 0:
                self._since_midnight = bool(values[dark].max() > 0.05 * values.max())
                how = "shortwave at night", "夜间短波"
        if self._since_midnight:
            self.kind = "ERA5-Land"
            text = "累积量按“自 00 UTC 起累积”（ERA5-Land）处理", "sums are read as running since 00 UTC (ERA5-Land)"
        else:
            text = "累积量按“时次前一小时”（ERA5）处理", "sums are read as those of the hour before the stamp (ERA5)"
        self.notes.append(Note(f"{text[0]}，依据：{how[1]}", f"{text[1]}, told by the {how[0]}"))

    def _whole(self) -> Window:
        return Window(0, self.latitude.shape[0], 0, self.latitude.shape[1])

    def _surface_height(self) -> Floats | None:
        if "z_surface" not in self._where:
            return None
        first = next(iter(self._where["z_surface"]))
        return self._take("z_surface", first, self._whole()).astype(float) / GRAVITY

    def close(self) -> None:
        """Let go of the files."""
        for opened in self._files:
            opened.dataset.close()

    # ---------------------------------------------------------------- reading

    def at(self, i: int, window: Window, top: float, names: set[str]) -> dict[str, Singles]:
        """Return the fields of one time; see `Gridded.at`."""
        time = self.time[i]
        wanted = names & self.has
        result: dict[str, Singles] = {}
        if {"eastward_wind_10m"} & wanted:
            result["eastward_wind_10m"] = self._take("u10", time, window)
            result["northward_wind_10m"] = self._take("v10", time, window)
        if {"air_temperature", "relative_humidity"} & wanted:
            temperature, dew = self._take("t2m", time, window), self._take("d2m", time, window)
            result["air_temperature"] = temperature
            vapour = bl.saturation_pressure(dew)
            result["relative_humidity"] = np.clip(bl.relative_humidity(vapour, temperature), 0, 1).astype(np.float32)
        if "height" in wanted:
            result |= self._columns(time, window, top, wanted)
        for target in wanted & set(_SURFACE):
            result[target] = self._surface(target, i, window)
        return result

    def _surface(self, target: str, i: int, window: Window) -> Singles:
        """Return a field near the ground that may be an instant, a mean or a sum."""
        name = next(s for s in _SURFACE[target] if s in self._where and all(t in self._where[s] for t in self.time[1:]))
        # the first stamp's sum may lie before the first file: no hour that is asked for needs it
        time = self.time[i] if self.time[i] in self._where[name] else self.time[i + 1]
        values = self._rate(name, time, window) if _SINGLE[name].summed else self._take(name, time, window)
        if target == "upward_sensible_heat_flux":
            return -values
        if target in {"precipitation_flux", "surface_downwelling_shortwave_flux_in_air"}:
            return np.maximum(values, 0)  # packing leaves small negative numbers
        return np.clip(values, 0, 1) if target == "cloud_area_fraction" else np.maximum(values, 0)

    def _rate(self, name: str, time: np.datetime64, window: Window) -> Singles:
        """Return the mean of the hour before the stamp of what the archive sums [W m-2, kg m-2 s-1]."""
        now = self._take(name, time, window)
        if not self._since_midnight:
            return now / np.float32(3600)
        # since 00 UTC, where the stamp 00 closes the day before
        midnight = (time - HOUR // 3600).astype("datetime64[D]").astype("datetime64[ns]")
        before = [t for t in self._where[name] if midnight < t < time]
        earlier = max(before) if before else midnight
        seconds = np.float32((time - earlier) / np.timedelta64(1, "s"))
        return (now - (self._take(name, earlier, window) if before else np.float32(0))) / seconds

    def _columns(self, time: np.datetime64, window: Window, top: float, names: set[str]) -> dict[str, Singles]:
        """Return the profiles of one time, from the ground up."""
        part, _ = self._where["u"][time]
        level = part.level
        if level is None:
            raise RuntimeError(f"{part.name}: profiles without levels")
        upward = np.argsort(-level)
        level = level[upward]
        # the standard atmosphere with much to spare: what lies higher need not be read
        lowest = level * 100.0 if self._vertical == "pressure" else full_pressure(1.013e5)[level.astype(int) - 1]
        enough = min(int((lowest > 1.013e5 * np.exp(-(top + 6000.0) / 7500.0)).sum()) + 1, len(level))
        keep = upward[:enough]
        level = level[:enough]

        def take(name: str) -> Floats:
            return self._take(name, time, window, keep).astype(float)

        temperature = take("t") if "t" in self._where else None
        virtual = temperature
        if temperature is not None and "q" in self._where:
            virtual = temperature * (1 + 0.609 * np.maximum(take("q"), 0))
        if self._vertical == "model":
            surface = self._surface_pressure(time, window)
            pressure, height = model_level_heights(level, surface, np.asarray(virtual))
        else:
            pressure = np.broadcast_to((level * 100.0)[:, None, None], (len(level), *self._shape(window))).copy()
            height = self._pressure_level_heights(time, window, pressure, virtual, take)
        result = {
            "height": height.astype(np.float32),
            "eastward_wind": take("u").astype(np.float32),
            "northward_wind": take("v").astype(np.float32),
        }
        if "potential_temperature" in names and temperature is not None:
            result["potential_temperature"] = (temperature * (1e5 / pressure) ** 0.2857).astype(np.float32)
        return result

    def _shape(self, window: Window) -> tuple[int, int]:
        return window.north - window.south, window.east - window.west

    def _surface_pressure(self, time: np.datetime64, window: Window) -> Floats:
        if "lnsp" in self._where:
            result: Floats = np.exp(self._take("lnsp", time, window).astype(float))
            return result
        return self._take("sp", time, window).astype(float)

    def _pressure_level_heights(
        self,
        time: np.datetime64,
        window: Window,
        pressure: Floats,
        virtual: Floats | None,
        take: Callable[[str], Floats],
    ) -> Floats:
        """Return heights above ground [m], negative under the ground whatever the levels were filled with there."""
        surface = self._surface_pressure(time, window) if "sp" in self._where else None
        if "z" in self._where:
            above_sea = take("z") / GRAVITY
            if self.terrain is not None:
                height = above_sea - self.terrain[window.cut]
            else:
                height = above_sea - height_at_pressure(above_sea, pressure, np.asarray(surface))
        else:
            height = hypsometric_heights(pressure, np.asarray(virtual), np.asarray(surface))
        if surface is not None:
            height = np.where(pressure > surface, np.minimum(height, -1.0), height)
        return np.asarray(height)

    def _take(self, name: str, time: np.datetime64, window: Window, levels: np.ndarray | None = None) -> Singles:
        """Read one variable of one time on a window, south to north and west to east."""
        part, k = self._where[name][time]
        definition = (_UPPER if levels is not None else _SINGLE)[name]
        held = next(s for s in definition.spellings if s in part.dataset)
        ny, nx = len(part.latitude), len(part.longitude)
        south, north = window.south, window.north
        if part.flip[0]:
            south, north = ny - window.north, ny - window.south
        columns = np.arange(window.west, window.east)
        if part.flip[1]:
            columns = nx - 1 - columns
        columns = (columns + part.roll) % nx
        first, last = int(columns.min()), int(columns.max()) + 1
        cut = {"y": slice(south, north), "x": slice(first, last)}
        values = self._block(part, held, k, cut, levels, stamp(time))[..., columns - first]
        values = values[..., ::-1, :] if part.flip[0] else values
        if not definition.quantity:
            return np.asarray(values)  # of a logarithm every digit counts
        factor, offset = conversion(part.name, held, definition.quantity, part.dataset[held].attrs.get("units"))
        values = values * factor + offset if (factor, offset) != (1.0, 0.0) else values
        return checked(values, definition.quantity, part.name, held, stamp(time))

    def _block(
        self, part: _Part, held: str, k: int, cut: dict[str, slice], levels: np.ndarray | None, when: str
    ) -> np.ndarray:
        """Read one time of a window; a day at once is read from the file, for each access has its price."""
        variable = part.dataset[held]
        if "level" in variable.dims:
            one = int(np.argmin(np.asarray(part.level)))
            low, high = (one, one) if levels is None else (int(levels.min()), int(levels.max()))
            cut = cut | {"level": slice(low, high + 1)}
        if "time" not in variable.dims:
            values = read(variable.isel(cut), part.name, when)
        else:
            key = part.name, held, k // _TIMES_AT_ONCE, *((d, s.start, s.stop) for d, s in cut.items())
            block = self._blocks.get(key)
            if block is None:
                first = k // _TIMES_AT_ONCE * _TIMES_AT_ONCE
                several = variable.isel(cut | {"time": slice(first, first + _TIMES_AT_ONCE)})
                block = read(several.transpose("time", ...), part.name, when)
                while len(self._blocks) >= _BLOCKS_KEPT:
                    self._blocks.pop(next(iter(self._blocks)), None)
                self._blocks[key] = block
            values = block[k % _TIMES_AT_ONCE]
        if "level" in variable.dims:
            result: np.ndarray = values[0] if levels is None else values[levels - low]
            return result
        return values


_SURFACE = {  # what is handed out: from which variables, the first that is there
    "atmosphere_boundary_layer_thickness": ("blh",),
    "friction_velocity": ("zust",),
    "cloud_area_fraction": ("tcc",),
    "upward_sensible_heat_flux": ("sshf", "msshf", "ishf"),
    "surface_downwelling_shortwave_flux_in_air": ("ssrd", "msdwswrf"),
    "precipitation_flux": ("tp", "mtpr"),
}


def _meaning(part: _Part, held: str) -> str:
    """Return which quantity a variable of a file is; empty if none of those that are used."""
    levels = "level" in part.dataset[held].dims
    if levels and part.vertical == "model" and held in _SINGLE["z_surface"].spellings:
        return "z_surface"  # beside lnsp, on the first level
    for name, variable in (_UPPER if levels else _SINGLE).items():
        if held in variable.spellings:
            return name
    return "lnsp" if held in _SINGLE["lnsp"].spellings else ""


# --------------------------------------------------------------------------------------------------------
# making files uniform


def _uniform(opened: Opened, notes: list[Note]) -> _Part:
    """Bring a file to one layout: dimensions time, level, y, x.

    Raises
    ------
    InputError
        No time, longitude or latitude in it that this reader knows.
    """
    file, dataset = opened
    lost = []
    found: dict[str, str] = {}
    for new, names in (("time", _TIME), ("y", _LATITUDE), ("x", _LONGITUDE)):
        name = next((n for n in names if n in dataset.dims or n in dataset.variables), None)
        if name is None:
            lost.append(" / ".join(names))
        else:
            found[new] = name
    if lost:
        text = ", ".join(lost)
        said = f"not the layout of ERA5: no {text}", f"不是 ERA5 的布局：没有 {text}"
        raise InputError([Problem(file, "", "dimensions", ", ".join(map(str, dataset.dims)), *said)])
    time = _decode(file, dataset, found["time"])
    if time.ndim > 1 or dataset[found["y"]].ndim > 1:
        said = (
            "time, latitude and longitude must each have one dimension",
            "时间、纬度、经度须各为一维",
        )
        raise InputError([Problem(file, "", found["time"], "", *said)])
    level = next((n for n in _LEVEL if n in dataset.dims or n in dataset.coords), None)
    renamed = {found[new]: new for new in ("time", "y", "x") if found[new] in dataset.dims}
    if level is not None and level in dataset.dims:
        renamed[level] = "level"
    longitude, latitude = (np.atleast_1d(np.asarray(dataset[found[n]].values, float)) for n in ("x", "y"))
    levels = None if level is None else np.atleast_1d(np.asarray(dataset[level].values, float))
    vertical = _vertical(file, dataset, level, levels)
    # bare dimensions: no coordinate is ever matched by its value
    bare = dataset.drop_vars([n for n in dataset.coords if n in dataset.dims or dataset[n].ndim == 0])
    bare = _joined_versions(bare, notes, file)
    bare = bare.rename({k: v for k, v in renamed.items() if k in bare.dims})
    for dim in ("number", "realization"):
        if dim in bare.dims:
            if bare.sizes[dim] > 1:
                said = "an ensemble: choose one member", "该文件为集合预报：请选取一个成员"
                raise InputError([Problem(file, "", dim, str(bare.sizes[dim]), *said)])
            bare = bare.isel({dim: 0})
    east = (longitude + 180) % 360 - 180
    roll = int(np.argmin(east)) if len(east) > 1 and np.any(np.diff(east) < 0) and np.all(np.diff(longitude) > 0) else 0
    west_to_east = np.roll(east, -roll)
    flip = bool(latitude[0] > latitude[-1]), bool(west_to_east[0] > west_to_east[-1])
    return _Part(
        file,
        bare,
        np.atleast_1d(time),
        west_to_east[::-1] if flip[1] else west_to_east,
        latitude[::-1] if flip[0] else latitude,
        flip,
        roll,
        levels,
        vertical,
    )


def _decode(file: str, dataset: xr.Dataset, name: str) -> Times:
    """Return the times: seconds since 1970, hours since 1900, whatever the units attribute says."""
    try:
        decoded = xr.decode_cf(dataset[[name]].reset_coords(drop=False), decode_coords=False)[name]
        return np.asarray(decoded.values.astype("datetime64[ns]"))
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        unit = repr(dataset[name].attrs.get("units"))
        said = f"can't be read as time ({error})", f"无法识别为时间（{error}）"
        raise InputError([Problem(file, "", name, unit, *said)]) from error


def _vertical(
    file: str, dataset: xr.Dataset, name: str | None, level: Floats | None
) -> Literal["pressure", "model", ""]:
    if name is None or level is None:
        return ""
    if name not in dataset.dims and not ({"u", "v", "t", "z", "q"} & set(dataset.data_vars)):
        return ""
    about = f"{name} {dataset[name].attrs.get('units', '')} {dataset[name].attrs.get('long_name', '')}".lower()
    if "model" in about or "hybrid" in about or "lnsp" in dataset:
        return "model"
    if "pressure" in about or "millibar" in about or "hpa" in about or "isobaric" in about:
        return "pressure"
    # neither name nor unit tells: 137 levels at most are counted, pressures beyond are not
    if level.max() > 137:
        return "pressure"
    said = (
        "pressure or model levels? neither name nor units of the level coordinate tell",
        "无法判断垂直坐标是气压层还是模式层",
    )
    raise InputError([Problem(file, "", name, f"{level.min():g}..{level.max():g}", *said)])


def _joined_versions(dataset: xr.Dataset, notes: list[Note], file: str) -> xr.Dataset:
    """Join ERA5 with ERA5T where they stand side by side along `expver`: the first that has a value."""
    if "expver" in dataset.dims:
        notes.append(
            Note(
                f"{file}：含 ERA5 与初版 ERA5T（expver 维），取有值的一份",
                f"{file}: ERA5 and preliminary ERA5T side by side (expver); where one is missing the other is taken",
            )
        )
        joined = {}
        for name in map(str, dataset.data_vars):
            variable = dataset[name]
            if "expver" not in variable.dims:
                joined[name] = variable
                continue
            first = variable.isel(expver=0)
            for k in range(1, variable.sizes["expver"]):
                first = first.where(first.notnull(), variable.isel(expver=k))
            joined[name] = first.assign_attrs(variable.attrs)
        return xr.Dataset(joined)
    if "expver" in dataset.variables:
        versions = np.atleast_1d(dataset["expver"].values)
        if any("5" in str(v) for v in versions):
            notes.append(Note(f"{file}：部分为初版 ERA5T", f"{file}: partly preliminary ERA5T"))
        return dataset.drop_vars("expver")
    return dataset
