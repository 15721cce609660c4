"""Weather files onto the model grid: seconds and memory, WRF and ERA5.

python benchmarks/weather.py [wrf] [wrf-packed] [era5]

Writes files of the size that is asked for into a temporary folder (a day of WRF is 1.1 GB), reads them once warm, and
says what ten days of WRF take by extrapolation from the day: hours cost the same, files are opened once each.
"""

from __future__ import annotations

import multiprocessing as mp
import resource
import sys
import tempfile
import time
from pathlib import Path

import netCDF4
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import weather_files as wf

NX, NY, NZ = 200, 200, 40
WRF_HOURS = 25
ERA5_HOURS = 744 + 1


def write_wrf(path: Path, packed: bool) -> None:
    """Write a day of a 200 x 200 x 40 wrfout, 5 km, hour by hour; `packed` is NetCDF-4 with deflate 2."""
    times = wf.hours(WRF_HOURS)
    faces = np.concatenate([[0], np.geomspace(40, 16_000, NZ)])
    wf.FACES = faces
    random = np.random.default_rng(1)
    with netCDF4.Dataset(path, "w", format="NETCDF4" if packed else "NETCDF3_64BIT_OFFSET") as file:
        for k in range(WRF_HOURS):
            data, attrs = wf.wrf_fields(times[k : k + 1], nx=NX, ny=NY, spacing=5000.0)
            data["QVAPOR"] = (data["T"][0], np.full_like(data["T"][1], 0.002), "kg kg-1")
            if k == 0:
                file.createDimension("Time", None)
                file.createDimension("DateStrLen", 19)
                for dims, values, *_ in data.values():
                    for d, n in zip(dims, np.shape(values), strict=True):
                        if d not in file.dimensions:
                            file.createDimension(d, n)
                file.setncatts(attrs)
                file.createVariable("Times", "S1", ("Time", "DateStrLen"))
                for name, (dims, _, *unit) in data.items():
                    options = {"zlib": True, "complevel": 2, "shuffle": True} if packed else {}
                    if packed:
                        options["chunksizes"] = (1, *[len(file.dimensions[d]) for d in dims[1:]])
                    file.createVariable(name, "f4", dims, **options).units = unit[0] if unit else "degree_north"
            file["Times"][k] = np.array(list(str(times[k])[:19].replace("T", "_")), "S1")
            for name, (_, values, *_rest) in data.items():
                # turbulence, so that deflate has the work it has with real fields
                noise = 1 + 1e-3 * random.standard_normal(np.shape(values)[1:]) if name in {"U", "V", "T"} else 1.0
                file[name][k] = np.asarray(values)[0] * noise


def write_era5(folder: Path) -> list[Path]:
    """Write a month of ERA5: hourly, 0.25 degrees, 105-113 E, 32-37.5 N, 13 pressure levels, new layout."""
    times = wf.hours(ERA5_HOURS)
    lon, lat = wf.era5_axes(0.25, 105.0, 113.0, 32.0, 37.5)
    single, sums, upper = wf.era5_fields(times, lon, lat)
    return [
        wf.write_era5(folder / "single.nc", times, single, lon, lat),
        wf.write_era5(folder / "sums.nc", times, sums, lon, lat),
        wf.write_era5(folder / "upper.nc", times, upper, lon, lat, level=wf.ERA5_LEVELS),
    ]


def read(kind: str, files: list[Path], hours: int, answer: mp.Queue) -> None:
    """Read in a process of its own, so that the memory is that of the reading."""
    from airsim.geography import load, make_grid
    from airsim.meteorology import reading

    place = load(make_grid())
    begun, worked = time.perf_counter(), time.process_time()
    dataset = reading.read(kind, files, place, wf.START, hours)
    seconds, work = time.perf_counter() - begun, time.process_time() - worked
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    answer.put((seconds, work, memory, dataset.nbytes / 2**30))


def measure(kind: str, files: list[Path], hours: int) -> tuple[float, float, float, float]:
    """Return seconds, seconds of work of all cores, peak memory and size of the result [GiB], the better of two."""
    found = []
    for _ in range(2):
        answer: mp.Queue = mp.get_context("spawn").Queue()
        process = mp.get_context("spawn").Process(target=read, args=(kind, files, hours, answer))
        process.start()
        found.append(answer.get())
        process.join()
    return min(found)


def main(asked: list[str]) -> None:
    """Measure what is asked for."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in asked or ["wrf", "wrf-packed", "era5"]:
            if kind.startswith("wrf"):
                path = folder / f"wrfout_d01_{kind}"
                write_wrf(path, kind.endswith("packed"))
                seconds, work, memory, size = measure("wrf", [path], 24)
                print(f"{kind}: {NX} x {NY} x {NZ}, 24 h, {path.stat().st_size / 2**30:.2f} GiB read")
                print(f"  {seconds:.1f} s ({work:.1f} s of processor), peak {memory:.2f} GiB, dataset {size:.2f} GiB")
                ten = f"{10 * seconds:.0f} s ({10 * work:.0f} s of processor)"
                print(f"  ten days by extrapolation: {ten}, peak {memory + 9 * 1.5 * size:.1f} GiB")
                path.unlink()
            else:
                files = write_era5(folder)
                seconds, work, memory, size = measure("era5", files, ERA5_HOURS - 1)
                total = sum(f.stat().st_size for f in files) / 2**30
                print(f"era5: month, hourly, {total:.2f} GiB read")
                print(f"  {seconds:.1f} s ({work:.1f} s of processor), peak {memory:.2f} GiB, dataset {size:.2f} GiB")


if __name__ == "__main__":
    main(sys.argv[1:])
