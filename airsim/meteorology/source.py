"""Weather on its own grid, as every reader of model output gives it: opened lazily, one time at a time.

A reader only knows its file format. What it hands out has one set of names, SI units, winds to the east and
north, levels from the ground up. Putting that on the model grid is `regrid`'s work.
"""

from __future__ import annotations

import io
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from airsim.errors import InputError, Problem
from airsim.tables import Note, units

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Times = NDArray[Any]  # datetime64[ns]

HOUR = np.timedelta64(3600, "s")
LONGEST_STEP = 3 * HOUR
"""Times farther apart than this say nothing of the hours between."""


class Window(NamedTuple):
    """The part of a source's grid that is wanted: rows south to north, columns west to east."""

    south: int
    north: int
    west: int
    east: int

    @property
    def cut(self) -> tuple[slice, slice]:
        """The window as an index of (y, x) arrays."""
        return slice(self.south, self.north), slice(self.west, self.east)


class Quantity(NamedTuple):
    """What a kind of figure may be [`unit`], and another unit that means the same of water (1 mm = 1 kg m-2)."""

    low: float
    high: float
    unit: str
    also: str = ""


QUANTITIES: dict[str, Quantity] = {
    "wind": Quantity(-150, 150, "m s-1"),
    "temperature": Quantity(180, 340, "K"),
    "potential_temperature": Quantity(180, 700, "K"),
    "pressure": Quantity(30_000, 110_000, "Pa"),
    "mixing_ratio": Quantity(-1e-3, 0.06, "kg kg-1"),
    "share": Quantity(-0.01, 1.01, "1"),
    "mixing_height": Quantity(0, 10_000, "m"),
    "terrain": Quantity(-500, 9000, "m"),
    "geopotential": Quantity(-5e3, 1e6, "m2 s-2", "J kg-1"),
    "friction_velocity": Quantity(0, 10, "m s-1"),
    "roughness": Quantity(0, 20, "m"),
    "inverse_length": Quantity(-1e4, 1e4, "m-1"),
    "heat_flux": Quantity(-1500, 1500, "W m-2"),
    "shortwave": Quantity(-5, 1500, "W m-2"),
    "energy": Quantity(-1e8, 1e8, "J m-2", "W s m-2"),
    "water": Quantity(-1e-3, 5000, "mm", "kg m-2"),
    "rate": Quantity(-1e-4, 0.1, "kg m-2 s-1", "mm s-1"),
}
"""What a kind of figure may be, and its unit."""


def conversion(file: str, name: str, quantity: str, unit: str | None) -> tuple[float, float]:
    """Return factor and offset that take a variable of this unit to SI; a file that names none is believed.

    Raises
    ------
    InputError
        The unit attribute is not one this quantity comes in.
    """
    known = QUANTITIES[quantity]
    if unit is None or (not unit.strip() and known.unit in {"1", "m-1"}):
        return 1.0, 0.0
    for wanted in filter(None, (known.unit, known.also)):
        found = units.convert(unit, wanted)
        if found is not None:
            return found.factor, found.offset
    said = f"the units attribute must convert to {known.unit}", f"units 属性须可换算为 {known.unit}"
    raise InputError([Problem(file, "", name, repr(unit), *said)])


def checked(values: NDArray[np.floating], quantity: str, file: str, name: str, when: str = "") -> Singles:
    """Return values as float32 after a look at fill values and at what cannot be.

    Raises
    ------
    InputError
        Values that are no numbers, fill values, or such as the quantity never has; the hour is named.
    """
    known = QUANTITIES[quantity]
    result = np.asarray(values, np.float32)
    low, high = (float(f(result)) for f in (np.min, np.max)) if result.size else (0.0, 0.0)
    if known.low <= low and high <= known.high:
        return result
    missing = ~np.isfinite(result) | (np.abs(result) > 1e15) | np.isin(result, (-9999, -999, -32767, 9999))
    if missing.any() and not (known.low <= -9999 and known.high >= 9999):
        value = f"{int(missing.sum())} of {missing.size}"
        said = "values are missing (fill value or not a number)", "有缺测值（填充值或非数）"
    else:
        value = f"{low:.4g} to {high:.4g}"
        said = (
            f"must lie within {known.low:g} to {known.high:g} {known.unit}; is the units attribute right?",
            f"应在 {known.low:g} 到 {known.high:g} {known.unit} 之间；units 属性是否有误？",
        )
    raise InputError([Problem(file, when, name, value, *said)])


def stamp(time: np.datetime64) -> str:
    """Return a time as messages name it, UTC."""
    return str(np.datetime_as_string(time, unit="m")).replace("T", " ") + " UTC"


class Gridded(ABC):
    """Weather on a grid of its own.

    Attributes
    ----------
    kind : str
        What it is called: "WRF", "ERA5".
    files : tuple of Path
    time : (time,) datetime64 ndarray
        Instants, UTC, rising.
    longitude, latitude : (ny, nx) ndarray
        [deg]
    terrain : (ny, nx) ndarray or None
        Its own ground [m above sea level].
    roughness : (ny, nx) ndarray or None
        [m]
    has : set of str
        Names that `at` gives, out of `NAMES`.
    middle : dict
        Name -> how far the middle of the interval a value is the mean of lies from its stamp; instants are not
        named here.
    notes : list of Note
    """

    kind: str
    files: tuple[Path, ...]
    time: Times
    longitude: Floats
    latitude: Floats
    terrain: Floats | None
    roughness: Floats | None
    has: set[str]
    middle: dict[str, Any]
    notes: list[Note]

    @abstractmethod
    def at(self, i: int, window: Window, top: float, names: set[str]) -> dict[str, Singles]:
        """Return the fields of one time on a window.

        Parameters
        ----------
        i : int
            Index of `time`.
        window : Window
        top : float
            Levels are wanted up to this height above ground [m].
        names : set of str
            Which, out of `NAMES`; what the files lack is left out.

        Returns
        -------
        dict
            (ny, nx) float32 arrays, and for profiles (level, ny, nx) from the ground up; levels of negative
            height lie under the ground and mean nothing.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the files, which Windows keeps locked as long as they are open."""

    @property
    def file(self) -> str:
        """The files as messages name them."""
        return str(self.files[0]) if len(self.files) == 1 else f"{self.files[0]} (+{len(self.files) - 1})"


PROFILES = {"height", "eastward_wind", "northward_wind", "potential_temperature"}
NAMES = PROFILES | {
    "eastward_wind_10m",
    "northward_wind_10m",
    "air_temperature",
    "relative_humidity",
    "cloud_area_fraction",
    "precipitation_flux",
    "atmosphere_boundary_layer_thickness",
    "friction_velocity",
    "inverse_obukhov_length",
    "upward_sensible_heat_flux",
    "surface_downwelling_shortwave_flux_in_air",
}
"""What a reader may give; the meanings of the CF standard names where there is one."""


def check_coverage(time: Times, start: np.datetime64, hours: int, file: str) -> list[Note]:
    """Check that stamps span some hours without a gap; return what the user should know of their spacing.

    The last hour may lack its end: a file of 24 stamps a day is meant to be a day.

    Raises
    ------
    InputError
        The hours are not covered, or stamps are missing in between, or are more than three hours apart.
    """
    end = start + hours * HOUR
    notes: list[Note] = []
    if not len(time) or time[0] > start or time[-1] < end - HOUR:
        found = f"{stamp(time[0])} .. {stamp(time[-1])}" if len(time) else ""
        said = (
            f"does not cover the hours of the run with its spin-up, {stamp(start)} to {stamp(end)}",
            f"未覆盖模拟时段（含预热）：{stamp(start)} 至 {stamp(end)}",
        )
        raise InputError([Problem(file, "", "time", found, *said)])
    inside = slice(max(int(np.searchsorted(time, start, side="right")) - 1, 0), int(np.searchsorted(time, end)) + 1)
    step = np.diff(time[inside])
    if not len(step):
        return notes
    usual = np.median(step.astype("timedelta64[s]").astype(int)).astype(int) * np.timedelta64(1, "s")
    problems = []
    for k in np.flatnonzero(step > usual * 1.01 + np.timedelta64(60, "s")):
        first = time[inside][k] + usual
        lost = round(float(step[k] / usual)) - 1
        said = (
            f"{lost} time(s) missing from here on; gaps are not filled",
            f"自此缺 {lost} 个时次；缺测时段不予插补",
        )
        problems.append(Problem(file, "", "time", stamp(first), *said))
    if usual > LONGEST_STEP:
        spacing = f"{usual / HOUR:g} h"
        said = "times must be at most 3 hours apart", "时间间隔不得超过 3 小时"
        problems = [Problem(file, "", "time", spacing, *said)]
    if problems:
        raise InputError(problems)
    if usual > HOUR:
        n = usual / HOUR
        notes.append(Note(f"时间间隔为 {n:g} 小时，逐时值由线性插值得到", f"times {n:g} h apart, hours interpolated"))
    if time[-1] < end:
        notes.append(
            Note(
                f"最后一个时次为 {stamp(time[-1])}，其后至 {stamp(end)} 沿用该时次",
                f"the last stamp is {stamp(time[-1])}; it is held until {stamp(end)}",
            )
        )
    return notes


# --------------------------------------------------------------------------------------------------------
# files


class Opened(NamedTuple):
    """One dataset and the file (or the member of an archive) that it came from."""

    name: str
    dataset: xr.Dataset


def open_files(files: Iterable[Path]) -> list[Opened]:
    """Open NetCDF files lazily, in classic or HDF5 form; members of a ZIP that is named .nc one by one.

    Nothing is decoded but packing and fill values: a scale or an offset alone, or a negative scale, is read as
    it stands. Times are left as numbers.

    Raises
    ------
    InputError
        A file is missing, empty, damaged, or something else (GRIB, gzip...).
    """
    opened: list[Opened] = []
    problems: list[Problem] = []
    for file in files:
        try:
            opened += _open(Path(file))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return opened


def _refuse(file: object, en: str, zh: str) -> InputError:
    return InputError([Problem(str(file), "", "", "", en, zh)])


def _open(path: Path) -> list[Opened]:
    if not path.is_file():
        raise _refuse(path, "file not found", "文件不存在")
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"PK\x03\x04"):
        return _open_archive(path)
    _recognise(path, head)
    return [Opened(str(path), _dataset(path, None))]


def _recognise(name: object, head: bytes) -> None:
    """Refuse what is not NetCDF, in words that say what it is."""
    if head.startswith((b"CDF", b"\x89HDF")):
        return
    if not head:
        raise _refuse(name, "the file is empty", "文件为空")
    if head.startswith(b"GRIB"):
        raise _refuse(
            name, "this is GRIB: download it as NetCDF, or convert it", "该文件为 GRIB：请下载 NetCDF 格式或先转换"
        )
    if head.startswith((b"\x1f\x8b", b"BZh")):
        raise _refuse(name, "the file is compressed: unpack it first", "文件已压缩：请先解压")
    raise _refuse(name, "not a NetCDF file", "不是 NetCDF 文件")


def _open_archive(path: Path) -> list[Opened]:
    """Open the members of an archive in memory: the data store delivers one for each step type."""
    opened = []
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.namelist() if not m.endswith("/")]
            for member in members:
                content = archive.read(member)
                name = f"{path}[{member}]"
                _recognise(name, content[:8])
                opened.append(Opened(name, _dataset(Path(member), content)))
    except (zipfile.BadZipFile, OSError, io.UnsupportedOperation) as error:
        raise _refuse(path, f"damaged archive ({error})", f"压缩包已损坏（{error}）") from error
    if not opened:
        raise _refuse(path, "the archive is empty", "压缩包为空")
    return opened


def _dataset(path: Path, content: bytes | None) -> xr.Dataset:
    import netCDF4

    options: dict[str, Any] = {"decode_times": False, "decode_coords": False, "decode_timedelta": False, "cache": False}
    try:
        if content is None and not str(path).isascii():
            try:
                return xr.open_dataset(path, engine="netcdf4", **options)
            except OSError:  # HDF5 on Windows cannot open every path that Python can
                content = path.read_bytes()
        if content is None:
            return xr.open_dataset(path, engine="netcdf4", **options)
        store = xr.backends.NetCDF4DataStore(netCDF4.Dataset("member", memory=content))
        return xr.open_dataset(store, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise _refuse(path, f"damaged or unreadable NetCDF ({error})", f"NetCDF 已损坏或无法读取（{error}）") from error


def read(variable: xr.DataArray, file: str, when: str = "") -> NDArray[np.floating]:
    """Return the values of a lazily opened variable.

    Raises
    ------
    InputError
        The file ends before its data do.
    """
    try:
        return np.asarray(variable.values)
    except (OSError, RuntimeError, IndexError) as error:
        said = f"damaged file, can't be read here ({error})", f"文件损坏，此处无法读取（{error}）"
        raise InputError([Problem(file, when, str(variable.name), "", *said)]) from error


def same_grid(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> bool:
    """Return whether two pairs of longitude and latitude are one grid, to a thousandth of a degree."""
    return all(a.shape == b.shape and bool(np.all(np.abs(a - b) < 1e-3)) for a, b in zip(one, other, strict=True))


def mixed_domains(names: Sequence[str], grids: Sequence[str]) -> InputError:
    """Return the refusal of files that do not lie on one grid."""
    said = (
        "the files must all be of one domain; this one differs from the first: " + grids[0],
        "所有文件须属于同一区域（同一网格）；该文件与第一个文件不同：" + grids[0],
    )
    return InputError([Problem(n, "", "grid", g, *said) for n, g in zip(names, grids, strict=True) if g != grids[0]])
