"""A result as one CF-1.11 / ACDD-1.3 NetCDF-4 file, written and read through memory.

The HDF5 library cannot open a path with Chinese characters on Windows (netcdf4-python issue 1482), so the
library only ever sees bytes and Python handles the path; that also makes the write atomic.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from airsim.clock import OFFSET_HOURS, ZONE_NAME, from_beijing
from airsim.errors import InputError, Problem
from airsim.files import write_bytes
from airsim.result import variables
from airsim.version import __version__

# zlib level 1 with byte shuffle: 10 days of hourly maps shrink to 72 % in 0.3 s; level 4 saves nothing more, zstd
# is quicker but saves half as much, and older readers lack it.
#: Below this size [bytes] the chunk index costs more than compression saves.
_COMPRESS_FROM = 4096
#: Largest chunk [bytes]: a map of one hour and a series of one cell must both stay cheap to read.
_CHUNK = 1 << 20

_CONVENTIONS = "CF-1.11, ACDD-1.3"
#: Version of the layout of a result, root attribute `schema_version`; docs/stability.md says when it changes.
SCHEMA_VERSION = "1.0"


def dress(tree: xr.DataTree) -> xr.DataTree:
    """Return the result as it stands in the file: types, attributes, bounds, map projection.

    Applying it twice changes nothing.

    Parameters
    ----------
    tree : DataTree
        Groups and variables as in `variables.csv`. The root's attribute ``crs`` (anything pyproj reads)
        becomes the grid mapping; ``title``, ``summary``, ``source``... are kept.

    Returns
    -------
    DataTree
        A new tree; the data are shared where their type was right already.

    Raises
    ------
    ValueError
        Variables that the table does not know or that stand on other dimensions; all are named.
    """
    wrong: list[str] = []
    groups: dict[str, xr.Dataset] = {}
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False).copy()
        if node.path == "/":
            dataset = _with_bounds(dataset)
            dataset = _with_projection(dataset)
        try:
            groups[node.path] = variables.describe(dataset, node.path)
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise ValueError("\n".join(wrong))
    if "lambert_conformal_conic" in groups["/"].variables:
        for dataset in groups.values():
            for variable in dataset.data_vars.values():
                if {"y", "x"} <= set(variable.dims):
                    variable.attrs["grid_mapping"] = "lambert_conformal_conic"
    groups["/"].attrs = {**_discovery(groups["/"]), **groups["/"].attrs}
    return xr.DataTree.from_dict(groups)


def write(tree: xr.DataTree, path: Path) -> None:
    """Write a result to `path`, whole or not at all.

    Every group carries the coordinates it uses, so that ``xarray.open_dataset(path, group="emissions")``
    is complete by itself.

    Parameters
    ----------
    tree : DataTree
        As for `dress`, which is applied.
    path : Path
        The file; any characters the file system takes.

    Raises
    ------
    ValueError
        As `dress`.
    InputError
        The file is open in another program or may not be written.
    """
    import netCDF4

    tree = dress(tree)
    file = netCDF4.Dataset("result.nc", "w", format="NETCDF4", memory=1 << 20)
    for node in tree.subtree:
        dataset = self_contained(node)
        for variable in dataset.variables.values():
            variable.encoding = _encoding(variable)
        group = file if node.path == "/" else file.createGroup(node.path)
        dataset.dump_to_store(xr.backends.NetCDF4DataStore(group))
        for name in {"time_bnds", "day_bnds"} & set(group.variables):
            # xarray leaves out what bounds share with their coordinate; a reader of one variable wants it
            group.variables[name].setncattr("long_name", dataset[name].attrs["long_name"])
    write_bytes(Path(path), bytes(file.close()))


def read(path: Path) -> xr.DataTree:
    """Read a result file into memory.

    Raises
    ------
    InputError
        There is no such file, or it is no NetCDF-4 file.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            [Problem(str(path), allowed=f"cannot be read: {error}", allowed_zh=f"无法读取：{error}")]
        ) from error
    import netCDF4

    groups: dict[str, xr.Dataset] = {}
    try:
        with netCDF4.Dataset("result.nc", memory=content) as file:
            waiting = [file]
            while waiting:
                group = waiting.pop()
                groups[group.path] = xr.open_dataset(xr.backends.NetCDF4DataStore(group)).load()
                waiting += group.groups.values()
    except OSError as error:
        raise InputError(
            [Problem(str(path), allowed="is not a NetCDF-4 file", allowed_zh="不是 NetCDF-4 文件")]
        ) from error
    return xr.DataTree.from_dict(groups)


def self_contained(node: xr.DataTree) -> xr.Dataset:
    """Return a group with the inherited coordinates that its own variables stand on, and no others."""
    own = node.to_dataset(inherit=False)
    used = {d for v in own.variables.values() for d in v.dims}
    whole = node.to_dataset(inherit=True)
    unused = [n for n in whole.coords if n not in own.variables and n not in used]
    return whole.drop_vars(unused).copy()


def _with_bounds(dataset: xr.Dataset) -> xr.Dataset:
    """Add the spans of the hours and of the Beijing days; CF wants them beside means."""
    if "time" in dataset.coords:
        start = dataset["time"].to_numpy().astype("datetime64[ns]")
        # hours, but for a result of the stored operator, whose times are days
        step = start[1] - start[0] if len(start) > 1 else np.timedelta64(1, "h")
        spans = np.stack([start, start + step], axis=1)
        dataset = dataset.assign(time_bnds=(("time", "nv"), spans))
        dataset["time"].attrs["bounds"] = "time_bnds"
    if "day" in dataset.coords:
        begin = from_beijing(dataset["day"].to_numpy().astype("datetime64[ns]"))
        spans = np.stack([begin, begin + np.timedelta64(24, "h")], axis=1)
        dataset = dataset.assign(day_bnds=(("day", "nv"), spans))
        dataset["day"].attrs["bounds"] = "day_bnds"
    for name, variable in dataset.data_vars.items():
        # every hourly and daily series of a result is a mean over its span; the AQI is made from such means
        along = [d for d in ("time", "day") if d in variable.dims]
        if along and name not in {"aqi", "time_bnds", "day_bnds"}:
            variable.attrs["cell_methods"] = f"{along[0]}: mean"
    return dataset


def _with_projection(dataset: xr.Dataset) -> xr.Dataset:
    if "crs" not in dataset.attrs or not {"x", "y"} <= set(dataset.dims):
        return dataset
    import pyproj

    mapping = {k: v for k, v in pyproj.CRS(dataset.attrs["crs"]).to_cf().items() if v is not None}
    dataset = dataset.assign(lambert_conformal_conic=np.int32(0))
    dataset["lambert_conformal_conic"].attrs = mapping
    return dataset


def _discovery(root: xr.Dataset) -> dict[str, Any]:
    """Return the ACDD-1.3 attributes that follow from the data."""
    attrs: dict[str, Any] = {
        "Conventions": _CONVENTIONS,
        "schema_version": SCHEMA_VERSION,
        "title": "Air-quality scenario of the Guanzhong Plain",
        "summary": "PM2.5 and other pollutants by city, hour and grid cell with and without measures under "
        "the same weather; emissions, emergency shares and coal balance behind them.",
        "keywords": "PM2.5, AQI, emission scenario, emergency response, coal consumption, Guanzhong",
        "institution": "not stated",
        "history": f"made by airsim {__version__}",
        "license": "The licences of the inputs named in the group provenance apply.",
        "creator_name": "airsim",
        "source": "airsim",
        "time_zone": f"{ZONE_NAME} (UTC+{OFFSET_HOURS})",
        "standard_name_vocabulary": "CF Standard Name Table v93",
        "processing_level": "model output",
    }
    if "longitude" in root.variables and "latitude" in root.variables:
        for name in ("longitude", "latitude"):
            short = name[:3]
            attrs[f"geospatial_{short}_min"] = float(root[name].min())
            attrs[f"geospatial_{short}_max"] = float(root[name].max())
            attrs[f"geospatial_{short}_units"] = root[name].attrs["units"]
    if "time_bnds" in root.variables and root.sizes["time"]:
        bounds = root["time_bnds"].to_numpy()
        hours = (bounds[-1, 1] - bounds[0, 0]) // np.timedelta64(1, "h")
        attrs["time_coverage_start"] = f"{np.datetime_as_string(bounds[0, 0], unit='s')}Z"
        attrs["time_coverage_end"] = f"{np.datetime_as_string(bounds[-1, 1], unit='s')}Z"
        attrs["time_coverage_duration"] = f"PT{hours}H"
        attrs["time_coverage_resolution"] = f"PT{(bounds[0, 1] - bounds[0, 0]) // np.timedelta64(1, 'h')}H"
    return attrs


def _encoding(variable: xr.Variable) -> dict[str, Any]:
    """Return how one variable is stored."""
    kind = variable.dtype.kind
    if kind == "M":
        return _time_encoding(variable)
    if kind not in "fiu":
        return {}
    encoding: dict[str, Any] = {}
    coordinate = variable.attrs.get("coverage_content_type") in {"coordinate", "referenceInformation"}
    encoding["_FillValue"] = None if coordinate or kind != "f" else np.asarray(np.nan, variable.dtype)
    if variable.nbytes >= _COMPRESS_FROM:
        encoding |= {"zlib": True, "complevel": 1, "shuffle": True, "chunksizes": _chunks(variable)}
    return encoding


def _time_encoding(variable: xr.Variable) -> dict[str, Any]:
    values = variable.to_numpy()
    whole_hours = (
        not np.isnat(values).any() and not (values.astype("datetime64[ns]").astype(np.int64) % 3_600_000_000_000).any()
    )
    if whole_hours:
        return {"units": "hours since 1970-01-01 00:00:00", "dtype": "int32", "_FillValue": None}
    # seconds are exact in a double, and only a floating type can say "no time given"
    return {"units": "seconds since 1970-01-01 00:00:00", "dtype": "float64", "_FillValue": np.nan}


def _chunks(variable: xr.Variable) -> tuple[int, ...]:
    """Return chunk lengths: whole trailing dimensions as long as they fit, then slices of the next."""
    lengths: list[int] = []
    size = variable.dtype.itemsize
    for n in reversed(variable.shape):
        take = max(1, min(n, _CHUNK // size))
        lengths.append(take)
        size *= take
    return tuple(reversed(lengths))
