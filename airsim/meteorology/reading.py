"""Any weather files of a scenario: found, recognised, and made the one dataset."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

import numpy as np
import xarray as xr

from airsim.errors import InputError, Problem
from airsim.geography import Geography
from airsim.meteorology import clock_check, regrid, stations
from airsim.meteorology.epw import is_epw, read_epw
from airsim.meteorology.era5 import open_era5
from airsim.meteorology.isd import is_isd, read_isd
from airsim.meteorology.source import check_coverage, open_files
from airsim.meteorology.station_table import read_station_tables
from airsim.meteorology.wrf import open_wrf

Kind = Literal["wrf", "era5", "stations"]
"""What weather of a scenario can be read from; stations are tables, EPW and ISD-Lite, told apart by content."""
_TABLES = {".csv", ".txt", ".tsv", ".xlsx", ".xls", ".xlsm", ".ods"}


def read(
    kind: Kind,
    files: Sequence[Path],
    geography: Geography,
    start: np.datetime64,
    hours: int,
    *,
    station_list: Path | None = None,
    utc_offset: float = 8.0,
) -> xr.Dataset:
    """Read weather files onto the model grid.

    Parameters
    ----------
    kind : {"wrf", "era5", "stations"}
    files : sequence of Path
    geography : Geography
    start : datetime64
        Start of the first hour, UTC.
    hours : int
    station_list : Path, optional
        Where the stations are (`isd.STATIONS`).
    utc_offset : float
        Hours by which the clock of station tables is ahead of UTC.

    Returns
    -------
    Dataset
        All of `airsim.meteorology.VARIABLES`; what is diagnosed says so in its attribute `diagnosed`, what was
        assumed or found odd stands in the attributes `notes` and `notes_zh`.

    Raises
    ------
    InputError
        Everything that keeps the files from being used.
    """
    if kind == "stations":
        known = open_stations(files, station_list, utc_offset, start, hours)
        dataset = stations.field_of(known, geography, start, hours)
    else:
        with closing(open_wrf(files) if kind == "wrf" else open_era5(files)) as source:
            dataset = regrid.on_grid(source, geography, start, hours)
    said = clock_check.odd_hours_of(dataset)
    for key, text in (("notes", [n.en for n in said]), ("notes_zh", [n.zh for n in said])):
        dataset.attrs[key] = "\n".join([*text, *filter(None, [dataset.attrs[key]])])
    return dataset


def examine(
    kind: Kind,
    files: Sequence[Path],
    geography: Geography,
    start: np.datetime64,
    hours: int,
    *,
    station_list: Path | None = None,
    utc_offset: float = 8.0,
) -> None:
    """Open weather files and see whether they cover grid and hours, without reading model output through.

    Parameters are those of `read`.

    Raises
    ------
    InputError
        What keeps the files from being used, as far as it shows without their fields.
    """
    if kind == "stations":
        stations.hourly(open_stations(files, station_list, utc_offset, start, hours), start, hours)
        return
    with closing(open_wrf(files) if kind == "wrf" else open_era5(files)) as source:
        check_coverage(source.time, start, hours, source.file)
        regrid.check_domain(source, geography.grid)


def open_stations(
    files: Sequence[Path],
    station_list: Path | None,
    utc_offset: float,
    start: np.datetime64 | None = None,
    hours: int | None = None,
) -> stations.Stations:
    """Read station files of one or several kinds side by side."""
    groups: dict[str, list[Path]] = {}
    for path in files:
        groups.setdefault(recognise(path), []).append(path)
    parts: list[stations.Stations] = []
    problems: list[Problem] = []
    for kind, members in groups.items():
        try:
            if kind == "epw":
                parts += [read_epw(p, start, hours) for p in members]
            elif kind == "isd":
                parts.append(read_isd(members, station_list))
            elif kind == "table":
                parts.append(read_station_tables(members, station_list, utc_offset))
            else:
                said = "not a station file but " + kind, f"不是站点文件，而是 {kind}"
                problems += [Problem(str(p), "", "kind", kind, *said) for p in members]
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return stations.joined(parts)


def recognise(path: Path) -> str:
    """Return what a weather file is: "wrf", "era5", "epw", "isd", "aermet surface", "aermet profile" or "table".

    Raises
    ------
    InputError
        The file is missing or none of these.
    """
    if not path.is_file():
        raise InputError([Problem(str(path), "", "", "", "file not found", "文件不存在")])
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith((b"CDF", b"\x89HDF")) or (head.startswith(b"PK") and path.suffix.lower() not in _TABLES):
        opened = open_files([path])
        names = set().union(*(map(str, o.dataset.variables) for o in opened))
        for o in opened:
            o.dataset.close()
        return "wrf" if names & {"XLAT", "XLONG", "Times", "PHB"} else "era5"
    if is_epw(path):
        return "epw"
    if is_isd(path):
        return "isd"
    if path.suffix.lower() == ".sfc":
        return "aermet surface"
    if path.suffix.lower() == ".pfl":
        return "aermet profile"
    if path.suffix.lower() in _TABLES:
        return "table"
    if not head or head.startswith((b"GRIB", b"\x1f\x8b", b"BZh")):
        open_files([path])  # refuses it by what it is
    said = (
        "not a weather file that is known: WRF, ERA5 (NetCDF), AERMET (.sfc, .pfl), EPW, ISD-Lite or a table",
        "无法识别的气象文件：支持 WRF、ERA5（NetCDF）、AERMET（.sfc、.pfl）、EPW、ISD-Lite 与站点表",
    )
    raise InputError([Problem(str(path), "", "", "", *said)])
