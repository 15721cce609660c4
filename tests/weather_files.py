"""Weather files in the layouts that real ones have, small and of known content."""

from __future__ import annotations

import netCDF4
import numpy as np
import pyproj
import xarray as xr

START = np.datetime64("2019-01-01T00", "ns")
HOUR = np.timedelta64(3600, "s")
WRF_G = 9.81

# mass levels of the made WRF column, staggered heights above ground [m]
FACES = np.array([0, 40, 100, 200, 350, 550, 850, 1250, 1750, 2400, 3200, 4200, 5500], float)


def lambert(nx, ny, spacing, centre=(109.0, 34.4), stand=106.0):
    """Longitude, latitude and the angle from east to the grid's x axis of a WRF Lambert domain (sphere of 6370 km)."""
    plane = pyproj.Proj(proj="lcc", lat_1=30, lat_2=40, lat_0=34, lon_0=stand, R=6_370_000)
    x0, y0 = plane(*centre)
    x, y = (np.arange(n) - (n - 1) / 2 for n in (nx, ny))
    lon, lat = plane(*np.meshgrid(x0 + x * spacing, y0 + y * spacing), inverse=True)
    cone = np.log(np.cos(np.radians(30)) / np.cos(np.radians(40))) / np.log(
        np.tan(np.radians(90 - 30) / 2) / np.tan(np.radians(90 - 40) / 2)
    )
    return lon, lat, np.radians(cone * (stand - lon))


def daylight(hour):
    """A made-up sun by hour UTC [0..1]: up from about 8:20 to 17:15 Beijing time, as in January there."""
    return np.clip((np.sin(2 * np.pi * (hour + 8 - 6.8) / 24) - 0.4) / 0.6, 0, 1)


def wrf_fields(times, nx=14, ny=12, spacing=27_000.0, wind=(6.0, -2.0), step=HOUR):
    """The content of a wrfout: an earth-relative wind, uniform but for its rise with height, on a Lambert domain."""
    lon, lat, angle = lambert(nx, ny, spacing)
    n, nz = len(times), len(FACES) - 1
    hgt = 400 + 300 * np.sin(np.radians(8 * (lon - 105))) + 200 * (lat - 33)
    middle = (FACES[1:] + FACES[:-1]) / 2
    rise = (1 + middle / 2000)[:, None, None]
    hour = ((times - times.astype("datetime64[D]")) / HOUR)[:, None, None]
    sun = daylight(hour)

    def staggered(cos, sin, axis):  # angle on the stagger by extrapolated means
        def wider(a):
            first = a.take([0], axis) * 2 - a.take([1], axis)
            last = a.take([-1], axis) * 2 - a.take([-2], axis)
            whole = np.concatenate([first, a, last], axis)
            lower = np.delete(whole, -1, axis)
            upper = np.delete(whole, 0, axis)
            return (lower + upper) / 2

        return wider(cos), wider(sin)

    east, north = wind
    cu, su = staggered(np.cos(angle), np.sin(angle), 1)
    cv, sv = staggered(np.cos(angle), np.sin(angle), 0)
    full = np.ones((n, 1, 1, 1))
    geopotential = WRF_G * (hgt + FACES[:, None, None])
    surface = np.ones((n, ny, nx))
    t2 = 272 + 6 * np.sin(2 * np.pi * (hour + 8 - 9) / 24) - 0.0065 * (hgt - 400)
    psfc = 101_325 * np.exp(-hgt / 7995)
    plane = ("Time", "south_north", "west_east")
    whole, faces = ("Time", "bottom_top", *plane[1:]), ("Time", "bottom_top_stag", *plane[1:])
    on_x, on_y = (*whole[:3], "west_east_stag"), (*whole[:2], "south_north_stag", "west_east")
    data = {
        "XLAT": (plane, lat * surface),
        "XLONG": (plane, lon * surface),
        "HGT": (plane, hgt * surface, "m"),
        "COSALPHA": (plane, np.cos(angle) * surface, ""),
        "SINALPHA": (plane, np.sin(angle) * surface, ""),
        "U": (on_x, (east * cu + north * su) * rise * full, "m s-1"),
        "V": (on_y, (north * cv - east * sv) * rise * full, "m s-1"),
        "PH": (faces, 0.1 * (geopotential - WRF_G * hgt) * full, "m2 s-2"),
        "PHB": (faces, (0.9 * geopotential + 0.1 * WRF_G * hgt) * full, "m2 s-2"),
        "T": (whole, (t2 * (1e5 / psfc) ** 0.2857)[:, None] + (0.005 * middle)[:, None, None] - 300, "K"),
        "U10": (plane, (east * np.cos(angle) + north * np.sin(angle)) * 0.7 * surface, "m s-1"),
        "V10": (plane, (north * np.cos(angle) - east * np.sin(angle)) * 0.7 * surface, "m s-1"),
        "T2": (plane, t2 * surface, "K"),
        "Q2": (plane, 0.002 * surface, "kg kg-1"),
        "PSFC": (plane, psfc * surface, "Pa"),
        "PBLH": (plane, (150 + 700 * sun) * surface, "m"),
        "UST": (plane, 0.3 * surface, "m s-1"),
        "HFX": (plane, (-15 + 150 * sun) * surface, "W m-2"),
        "SWDOWN": (plane, 500 * sun * surface, "W m-2"),
        "RAINC": (plane, 0 * surface, "mm"),
        "RAINNC": (plane, np.arange(n)[:, None, None] * 0.36 * (step / HOUR) * surface, "mm"),
        "CLDFRA": (whole, np.full((n, nz, ny, nx), 0.25), ""),
        "ZNT": (plane, 0.2 * surface, "m"),
    }  # fmt: skip
    attrs = {
        "TITLE": " OUTPUT FROM WRF V4.4 MODEL",
        "START_DATE": str(times[0])[:19].replace("T", "_"),
        "SIMULATION_START_DATE": str(times[0])[:19].replace("T", "_"),
        "WEST-EAST_GRID_DIMENSION": np.int32(nx + 1),
        "SOUTH-NORTH_GRID_DIMENSION": np.int32(ny + 1),
        "BOTTOM-TOP_GRID_DIMENSION": np.int32(nz + 1),
        "DX": np.float32(spacing),
        "DY": np.float32(spacing),
        "GRIDTYPE": "C",
        "DYN_OPT": np.int32(2),
        "MAP_PROJ": np.int32(1),
        "MAP_PROJ_CHAR": "Lambert Conformal",
        "CEN_LAT": np.float32(34.4),
        "CEN_LON": np.float32(109.0),
        "TRUELAT1": np.float32(30.0),
        "TRUELAT2": np.float32(40.0),
        "STAND_LON": np.float32(106.0),
        "MOAD_CEN_LAT": np.float32(34.4),
        "POLE_LAT": np.float32(90.0),
        "POLE_LON": np.float32(0.0),
        "GRID_ID": np.int32(1),
        "USE_THETA_M": np.int32(1),
        "BUCKET_MM": np.float32(-1.0),
        "MMINLU": "MODIFIED_IGBP_MODIS_NOAH",
        "NUM_LAND_CAT": np.int32(21),
    }
    return data, attrs


def hours(n, start=START, step=HOUR):
    return start + np.arange(n) * step


def write_wrf(path, times, *, drop=(), change=None, format="NETCDF3_64BIT_OFFSET", **options):
    """Write a wrfout as WRF does: classic 64-bit file, character Times, float32, an unlimited Time."""
    data, attrs = wrf_fields(times, **options)
    if change:
        change(data, attrs)
    with netCDF4.Dataset(path, "w", format=format) as file:
        sizes = {d: s for dims, values, *_ in data.values() for d, s in zip(dims, np.shape(values), strict=True)}
        for dim, size in (
            {"Time": None} | {d: s for d, s in sizes.items() if d != "Time"} | {"DateStrLen": 19}
        ).items():
            file.createDimension(dim, size)
        file.setncatts(attrs)
        if "Times" not in drop:
            text = np.array([list(str(t)[:19].replace("T", "_")) for t in times], "S1")
            file.createVariable("Times", "S1", ("Time", "DateStrLen"))[:] = text.reshape(-1, 19)
        if "XTIME" not in drop:
            x = file.createVariable("XTIME", "f4", ("Time",))
            x.units = f"minutes since {str(times[0])[:19].replace('T', ' ')}"
            x[:] = (times - times[0]) / np.timedelta64(60, "s")
        for name, (dims, values, *unit) in data.items():
            if name in drop:
                continue
            variable = file.createVariable(name, "f4", dims)
            variable.setncatts({"FieldType": np.int32(104), "MemoryOrder": "XYZ"[: len(dims) - 1], "description": name})
            variable.units = unit[0] if unit else "degree_north"
            variable[:] = values
    return path


def wrf_by_xarray(path, times, **options):
    """Write a wrfout through xarray's own writer (NetCDF-4, attributes in full)."""
    data, attrs = wrf_fields(times, **options)
    dataset = xr.Dataset(
        {n: (d, np.asarray(v, "f4"), {"units": u[0] if u else "degree_north"}) for n, (d, v, *u) in data.items()},
        attrs=attrs,
    )
    dataset["Times"] = ("Time", np.array([str(t)[:19].replace("T", "_") for t in times], "S19"))
    dataset["Times"].encoding["char_dim_name"] = "DateStrLen"
    dataset.to_netcdf(path, engine="netcdf4", unlimited_dims=["Time"])
    return path


# --------------------------------------------------------------------------------------------------------
# ERA5

ERA5_LEVELS = np.array([1000, 975, 950, 925, 900, 850, 800, 750, 700, 650, 600, 550, 500], float)


def era5_fields(times, lon, lat, wind=(6.0, -2.0)):
    """Single and pressure-level fields: hydrostatic in an isothermal air, wind uniform but for its rise with height."""
    n = len(times)
    surface = np.ones((n, len(lat), len(lon)))
    hgt = 400 + 300 * np.sin(np.radians(8 * (lon - 105)))[None] + 200 * (lat - 33)[:, None]
    hour = ((times - times.astype("datetime64[D]")) / HOUR)[:, None, None]
    sun = daylight
    psfc = 101_325 * np.exp(-hgt / 7995)
    single = {
        "u10": (wind[0] * 0.7 * surface, "m s**-1"),
        "v10": (wind[1] * 0.7 * surface, "m s**-1"),
        "t2m": ((272 + 6 * np.sin(2 * np.pi * (hour + 8 - 9) / 24)) * surface, "K"),
        "d2m": (266 * surface, "K"),
        "sp": (psfc * surface, "Pa"),
        "blh": ((150 + 700 * sun(hour)) * surface, "m"),
        "zust": (0.3 * surface, "m s**-1"),
        "fsr": (0.2 * surface, "m"),
        "tcc": (0.25 * surface, "(0 - 1)"),
        "z": (9.80665 * hgt * surface, "m**2 s**-2"),
    }
    rate = 500 * sun(hour - 0.5), -(-15 + 150 * sun(hour - 0.5)), np.full_like(hour, 1e-4)
    accumulated = {
        "ssrd": (rate[0] * 3600 * surface, "J m**-2"),
        "sshf": (rate[1] * 3600 * surface, "J m**-2"),
        "tp": (rate[2] * 3600 / 1000 * surface, "m"),
    }
    p = ERA5_LEVELS[:, None, None] * 100
    above = -7995 * np.log(p / 101_325) - hgt
    rise = 1 + above / 2000
    whole = np.ones((n, *above.shape))
    under = p > psfc  # what the archive puts there is not air
    upper = {
        "u": (np.where(under, 77.0, wind[0] * rise) * whole, "m s**-1"),
        "v": (np.where(under, -77.0, wind[1] * rise) * whole, "m s**-1"),
        "t": (273.15 * whole, "K"),
        "q": (0.0 * whole, "kg kg**-1"),
        "z": (9.80665 * (above + hgt) * whole, "m**2 s**-2"),
    }
    return single, accumulated, upper


def write_era5(path, times, fields, lon, lat, *, layout="new", level=None, level_name=None, expver=None, packed=False):
    """Write one ERA5 file of the old or the new layout, latitude descending.

    Parameters
    ----------
    layout : {"new", "old"}
    level : sequence, optional
        Given where the fields have levels; written as the layout names it unless `level_name` says otherwise.
    expver : {None, "scalar", "string", "dimension"}
    packed : bool
        Old files are short integers with scale and offset.
    """
    new = layout == "new"
    with netCDF4.Dataset(path, "w", format="NETCDF4" if new else "NETCDF3_64BIT_OFFSET") as file:
        file.Conventions = "CF-1.7" if new else "CF-1.6"
        time_name = "valid_time" if new else "time"
        file.createDimension(time_name, len(times))
        t = file.createVariable(time_name, "i8" if new else "i4", (time_name,))
        t.units = "seconds since 1970-01-01" if new else "hours since 1900-01-01 00:00:00.0"
        t.calendar = "proleptic_gregorian" if new else "gregorian"
        since = np.datetime64("1970-01-01" if new else "1900-01-01")
        t[:] = (times - since) / np.timedelta64(1 if new else 3600, "s")
        dims = [time_name]
        if new:
            number = file.createVariable("number", "i8", ())
            number[...] = 0
        if expver == "string":
            e = file.createVariable("expver", str, (time_name,))
            for k in range(len(times)):
                e[k] = "0001" if k < len(times) // 2 else "0005"
        if expver == "scalar":
            e = file.createVariable("expver", str, ())
            e[...] = "0001"
        if expver == "dimension":
            file.createDimension("expver", 2)
            e = file.createVariable("expver", "i4", ("expver",))
            e[:] = [1, 5]
            dims.append("expver")
        if level is not None:
            name = level_name or ("pressure_level" if new else "level")
            order = np.argsort(level)[::-1] if new else np.argsort(level)
            file.createDimension(name, len(level))
            v = file.createVariable(name, "f8" if new else "i4", (name,))
            v.units = ("hPa" if new else "millibars") if "model" not in name else "1"
            v.long_name = "pressure_level" if "model" not in name else "model_level_number"
            v[:] = np.asarray(level)[order]
            dims.append(name)
        for name, values in (("latitude", lat[::-1]), ("longitude", lon)):
            file.createDimension(name, len(values))
            v = file.createVariable(name, "f8" if new else "f4", (name,))
            v.units = f"degrees_{'north' if name == 'latitude' else 'east'}"
            v[:] = values
            dims.append(name)
        for name, (given, unit) in fields.items():
            values = np.asarray(given)[..., ::-1, :]
            if level is not None:
                values = values[:, order]
            if expver == "dimension":
                half = len(times) // 2
                both = np.full((len(times), 2, *values.shape[1:]), np.nan)
                both[:half, 0], both[half:, 1] = values[:half], values[half:]
                values = both
            if packed:
                v = file.createVariable(name, "i2", dims, fill_value=np.int16(-32767))
                low, high = float(np.nanmin(values)), float(np.nanmax(values))
                v.scale_factor, v.add_offset = (high - low) / 65000 or 1.0, (high + low) / 2
            else:
                v = file.createVariable(name, "f4", dims, fill_value=np.float32(np.nan))
            v.units, v.long_name = unit, name
            if expver == "dimension":
                values = np.ma.masked_invalid(values)
            v[:] = values
    return path


def era5_axes(spacing=0.25, west=106.5, east=111.5, south=32.5, north=36.5):
    """Longitude and latitude, a little off the round figures, as real files have them."""
    return np.arange(west, east + 1e-9, spacing) + 1e-3, np.arange(south, north + 1e-9, spacing) + 1e-3


def write_epw(path, header=8):
    """Write a typical year: months of different years, temperature = day of the year (from 0, modulo 50) + hour/24."""
    lines = ["LOCATION,Xi'an,SHX,CHN,CSWD,570360,34.45,108.75,8.0,479.0"]
    lines += [f"HEADER {i}" for i in range(header - 2)] + ["DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31"]
    for k in range(8760):
        date = np.datetime64("2001-01-01T00") + np.timedelta64(k, "h")
        text = str(date)
        year, month, day, hour = 1982 + int(text[5:7]), int(text[5:7]), int(text[8:10]), int(text[11:13])
        row = ["0"] * 35
        row[:5] = [str(year), str(month), str(day), str(hour + 1), "60"]
        row[6] = f"{k // 24 % 50 + hour / 24:.6f}"
        row[8], row[9], row[13], row[20], row[21], row[22], row[33] = "60", "97000", "100", "90", "2.0", "5", "0.0"
        if k == 5:
            row[22] = "99"
        if k == 7:
            row[20] = row[21] = "999"
        if k == 8:
            row[20] = row[21] = "0"
        lines.append(",".join(row))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
