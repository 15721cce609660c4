"""WRF output as it really comes: every way in which real files differ from the textbook's."""

from pathlib import Path

import netCDF4
import numpy as np
import pytest
import weather_files as wf
import xarray as xr

from airsim import case, meteorology
from airsim.case import parts
from airsim.errors import InputError
from airsim.geography import load, make_grid
from airsim.meteorology import reading, regrid
from airsim.meteorology.source import Window
from airsim.meteorology.wrf import axis_direction, open_wrf
from airsim.region import TRACERS, Transport
from airsim.scenario import load as load_scenario

ALL = {"eastward_wind", "northward_wind", "height", "eastward_wind_10m", "northward_wind_10m", "air_temperature"}


@pytest.fixture(scope="module")
def place():
    return load(make_grid((107.8, 33.6, 110.2, 35.2), 20_000.0))


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    return wf.write_wrf(tmp_path_factory.mktemp("wrf") / "wrfout_d01_2019-01-01_00_00_00", wf.hours(25))


def whole(source):
    return Window(0, source.latitude.shape[0], 0, source.latitude.shape[1])


def said(error):
    return "\n".join(p.text("en") for p in error.value.problems)


def test_the_dataset_is_that_of_the_synthetic_weather(day, place):
    dataset = reading.read("wrf", [day], place, wf.START, 24)
    assert meteorology.check(dataset) == []
    assert set(dataset.data_vars) == set(meteorology.VARIABLES)
    assert dataset.attrs["synthetic"] == "no"
    assert dataset["friction_velocity"].attrs["diagnosed"] == "no"
    assert dataset["obukhov_length"].attrs["diagnosed"].startswith("yes")
    # 0.36 mm an hour, whenever it fell within the hour
    np.testing.assert_allclose(dataset["precipitation_flux"].values, 1e-4, rtol=1e-4)
    # an hour is the mean of its two ends
    np.testing.assert_allclose(
        dataset["surface_downwelling_shortwave_flux_in_air"].values[:, 0, 0],
        500 * (wf.daylight(np.arange(24)) + wf.daylight(np.arange(1, 25))) / 2,
        atol=0.05,
    )


def test_winds_are_destaggered_and_turned_to_the_earth(day):
    source = open_wrf([day])
    got = source.at(3, whole(source), 2500.0, ALL)
    middle = (wf.FACES[1:] + wf.FACES[:-1]) / 2
    rise = (1 + middle / 2000)[: len(got["height"]), None, None]
    np.testing.assert_allclose(got["eastward_wind"], np.broadcast_to(6 * rise, got["height"].shape), atol=0.01)
    np.testing.assert_allclose(got["northward_wind"], np.broadcast_to(-2 * rise, got["height"].shape), atol=0.01)
    np.testing.assert_allclose(got["eastward_wind_10m"], 0.7 * 6, atol=1e-4)
    np.testing.assert_allclose(got["northward_wind_10m"], 0.7 * -2, atol=1e-4)


def test_heights_are_above_ground_at_the_mass_levels(day):
    source = open_wrf([day])
    got = source.at(0, whole(source), 2500.0, {"height"})["height"]
    middle = ((wf.FACES[1:] + wf.FACES[:-1]) / 2)[: len(got)]
    np.testing.assert_allclose(got, np.broadcast_to(middle[:, None, None], got.shape), atol=0.1)
    assert got[0].min() == pytest.approx(20, abs=0.1)
    assert got[-1].min() > 2500


def test_the_wind_on_our_axes_blows_where_it_blew(day, place):
    source = open_wrf([day])
    grid = place.grid
    found = regrid.at_places(
        source, grid, grid.longitude.ravel(), grid.latitude.ravel(), grid.level_height, wf.START, 2
    )
    x, y = regrid.to_axes(grid, *(found.fields[n].reshape(2, *grid.shape) for n in ("eastward_wind", "northward_wind")))
    # where a parcel is after a minute, by the projection itself
    k, seconds = 3, 60.0
    rise = 1 + grid.level_height[k] / 2000
    east, north = 6 * rise * seconds, -2 * rise * seconds
    metres = np.radians(1) * 6_371_000
    lon = grid.longitude + east / metres / np.cos(np.radians(grid.latitude))
    px, py = grid.project(lon, grid.latitude + north / metres)
    np.testing.assert_allclose(x[0, k] * seconds, px - grid.x, rtol=0.01, atol=3)
    np.testing.assert_allclose(y[0, k] * seconds, py - grid.y[:, None], rtol=0.01, atol=3)


def test_angles_from_longitudes_and_latitudes_are_those_of_the_projection(tmp_path, day):
    lon, lat, angle = wf.lambert(14, 12, 27_000.0)
    cosine, sine = axis_direction(lon, lat)
    np.testing.assert_allclose(np.degrees(np.arctan2(sine, cosine)), np.degrees(angle), atol=0.05)
    assert np.degrees(np.abs(angle)).max() > 1.5  # not a case in which nothing would be noticed
    bare = open_wrf([wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(2), drop=("COSALPHA", "SINALPHA"))])
    got = bare.at(0, whole(bare), 2500.0, ALL)
    np.testing.assert_allclose(got["northward_wind_10m"], -1.4, atol=0.005)
    assert any("COSALPHA" in n.en for n in bare.notes)
    assert not any("COSALPHA" in n.en for n in open_wrf([day]).notes)


def test_angles_on_a_rotated_pole_and_on_mercator():
    """Where projection attributes do not help, the points themselves do: the angle of a small step along x."""
    pole = np.radians(55.0)

    def place(x, y):  # of rotated coordinates [deg], by spherical trigonometry
        x, y = np.radians(x), np.radians(y)
        lat = np.arcsin(np.sin(y) * np.sin(pole) + np.cos(y) * np.cos(x) * np.cos(pole))
        east = np.arctan2(np.cos(y) * np.sin(x), np.sin(pole) * np.cos(y) * np.cos(x) - np.cos(pole) * np.sin(y))
        return 109 + np.degrees(east), np.degrees(lat)

    x, y = np.meshgrid(np.linspace(-6, 6, 25), np.linspace(-3, 3, 13))
    lon, lat = place(x, y)
    assert lat.mean() == pytest.approx(35, abs=1)
    cosine, sine = axis_direction(lon, lat)
    lon_x, lat_x = place(x + 1e-4, y)
    angle = np.arctan2(lat_x - lat, (lon_x - lon) * np.cos(np.radians(lat)))
    np.testing.assert_allclose(np.degrees(np.arctan2(sine, cosine) - angle), 0, atol=0.05)
    assert np.degrees(np.abs(angle)).max() > 2
    lon, lat = np.meshgrid(np.linspace(100, 110, 8), np.linspace(20, 30, 6))
    np.testing.assert_allclose(axis_direction(lon, lat)[1], 0, atol=1e-12)


def test_the_string_dimension_may_have_another_name(tmp_path):
    path = wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(3))
    with netCDF4.Dataset(path, "a") as file:
        file.renameDimension("DateStrLen", "string19")
    assert (open_wrf([path]).time == wf.hours(3)).all()


def test_a_file_by_xarrays_own_writer_is_the_same(tmp_path, day):
    other = open_wrf([wf.wrf_by_xarray(tmp_path / "wrfout_d01_x", wf.hours(25))])
    one = open_wrf([day])
    assert (one.time == other.time).all()
    for name, values in one.at(5, whole(one), 2500.0, set(one.has)).items():
        np.testing.assert_array_equal(values, other.at(5, whole(other), 2500.0, set(one.has))[name], err_msg=name)


def test_one_time_a_file_and_an_empty_one_make_the_same(tmp_path, day):
    files = [
        wf.write_wrf(tmp_path / f"wrfout_d01_{i:02d}", wf.hours(1, wf.START + i * wf.HOUR)) for i in (2, 0, 1)
    ]  # no extension, unsorted
    empty = tmp_path / "wrfout_d01_empty"
    with netCDF4.Dataset(files[0]) as given, netCDF4.Dataset(empty, "w") as made:
        for name, dim in given.dimensions.items():
            made.createDimension(name, None if dim.isunlimited() else len(dim))
        for name, variable in given.variables.items():
            made.createVariable(name, variable.dtype, variable.dimensions)
    several, one = open_wrf([*files, empty]), open_wrf([day])
    assert (several.time == one.time[:3]).all()
    assert any("no times" in n.en for n in several.notes)
    np.testing.assert_array_equal(
        several.at(1, whole(one), 1000.0, {"eastward_wind"})["eastward_wind"],
        one.at(1, whole(one), 1000.0, {"eastward_wind"})["eastward_wind"],
    )


def test_constant_fields_may_have_lost_their_time_axis(tmp_path):
    def change(data, _):
        for name in ("XLAT", "XLONG", "HGT", "COSALPHA", "SINALPHA"):
            dims, values, *rest = data[name]
            data[name] = (dims[1:], values[0], *rest)

    source = open_wrf([wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(2), change=change)])
    assert source.latitude.shape == (12, 14)
    np.testing.assert_allclose(source.at(0, whole(source), 100.0, ALL)["eastward_wind_10m"], 4.2, atol=1e-4)


def test_times_may_be_missing_and_xtime_counts_from_the_simulations_start(tmp_path):
    path = wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(3), drop=("Times",))
    with netCDF4.Dataset(path, "a") as file:
        file["XTIME"].delncattr("units")
        file.SIMULATION_START_DATE = "2018-12-30_00:00:00"  # a restart: START_DATE is later
        file["XTIME"][:] = 2880 + 60 * np.arange(3)
    assert (open_wrf([path]).time == wf.hours(3)).all()


def test_neither_times_nor_xtime_is_refused(tmp_path):
    with pytest.raises(InputError) as error:
        open_wrf([wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(3), drop=("Times", "XTIME"))])
    assert "neither Times nor XTIME" in said(error)


def test_an_adaptive_step_that_overshoots_by_seconds_is_the_hour(tmp_path):
    times = wf.hours(3) + np.array([0, 7, 12]).astype("timedelta64[s]")
    assert (open_wrf([wf.write_wrf(tmp_path / "wrfout_d01", times)]).time == wf.hours(3)).all()


@pytest.mark.parametrize("kind", ["negative scale", "scale alone", "offset alone"])
def test_packed_files(tmp_path, kind, day):
    path = tmp_path / "wrfout_d01"
    wf.write_wrf(path, wf.hours(25), drop=("T2",), format="NETCDF4")
    with netCDF4.Dataset(day) as given, netCDF4.Dataset(path, "a") as file:
        t2 = given["T2"][:]
        v = file.createVariable("T2", "i2", ("Time", "south_north", "west_east"))
        v.set_auto_scale(False)
        v.units = "K"
        packing = {"negative scale": (-0.001, 265.0), "scale alone": (0.01, None), "offset alone": (None, 250.0)}
        scale, offset = packing[kind]
        if scale is not None:
            v.scale_factor = scale
        if offset is not None:
            v.add_offset = offset
        v[:] = np.rint((t2 - (offset or 0)) / (scale or 1.0)).astype("i2")
    source, one = open_wrf([path]), open_wrf([day])
    got = source.at(4, whole(one), 10.0, {"air_temperature"})["air_temperature"]
    np.testing.assert_allclose(got, t2[4], atol=abs(scale or 1.0) * 0.51)


def test_a_cropped_file_is_read_by_its_dimensions(tmp_path):
    def crop(data, attrs):
        for name, (dims, values, *rest) in list(data.items()):
            cut = [slice(2, 10 + (d.endswith("stag"))) if d.startswith("west_east") else slice(None) for d in dims]
            data[name] = (dims, np.asarray(values)[tuple(cut)], *rest)
        assert attrs["WEST-EAST_GRID_DIMENSION"] == 15  # which the file goes on saying

    source = open_wrf([wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(2), change=crop)])
    assert source.longitude.shape == (12, 8)
    np.testing.assert_allclose(source.at(0, whole(source), 100.0, ALL)["eastward_wind_10m"], 4.2, atol=1e-4)


def test_a_file_cut_on_one_stagger_only_is_refused(tmp_path):
    def crop(data, _):
        dims, values, unit = data["U"]
        data["U"] = (dims, values[..., :-1], unit)

    with pytest.raises(InputError) as error:
        open_wrf([wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(2), change=crop)])
    assert "staggered dimensions" in said(error)


def test_what_is_missing_is_listed_at_once(tmp_path):
    with pytest.raises(InputError) as error:
        open_wrf([wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(2), drop=("U", "PHB", "T2", "T", "Q2"))])
    for name in ("U (", "PHB (", "T2 or T", "Q2 or QVAPOR"):
        assert name in said(error)


def test_what_can_be_diagnosed_is_and_says_so(tmp_path, place):
    path = wf.write_wrf(
        tmp_path / "wrfout_d01",
        wf.hours(25),
        drop=("PBLH", "UST", "HFX", "SWDOWN", "U10", "V10", "RAINC", "RAINNC", "CLDFRA", "ZNT", "HGT"),
    )
    dataset = reading.read("wrf", [path], place, wf.START, 24)
    assert meteorology.check(dataset) == []
    flags = {n: dataset[n].attrs["diagnosed"] for n in dataset.data_vars if "diagnosed" in dataset[n].attrs}
    assert "the morning profile" in flags["atmosphere_boundary_layer_thickness"]
    assert flags["friction_velocity"].startswith("yes")
    assert flags["precipitation_flux"].startswith("assumed")
    assert flags["cloud_area_fraction"].startswith("assumed")
    assert flags["roughness_length"].startswith("yes")
    assert "PBLH, UST, HFX, SWDOWN" in dataset.attrs["notes"]
    assert "temperature not corrected" in dataset.attrs["notes"]
    depth = dataset["atmosphere_boundary_layer_thickness"].values.mean(axis=(1, 2))
    afternoon, night = depth[6], depth[18]  # 14 and 2 o'clock in Beijing
    assert 250 < afternoon < 1500
    assert night < 0.7 * afternoon


def test_temperature_and_humidity_from_the_lowest_level_where_2_m_is_missing(tmp_path, day):
    def lowest_only(data, _):
        surface = data["PSFC"][1]
        full = (1 - 0.1 * np.arange(12) / 12)[None, :, None, None] * surface[:, None]
        dims = data["T"][0]
        data["PB"], data["P"] = (dims, 0.98 * full, "Pa"), (dims, 0.02 * full, "Pa")
        data["QVAPOR"] = (dims, np.full_like(full, 0.002), "kg kg-1")

    path = wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(3), drop=("T2", "Q2", "PSFC"), change=lowest_only)
    source, plain = open_wrf([path]), open_wrf([day])
    names = {"air_temperature", "relative_humidity"}
    one, two = (s.at(1, whole(plain), 10.0, names) for s in (source, plain))
    # the made lowest level lies 20 m up and is 0.1 K warmer in potential temperature
    np.testing.assert_allclose(one["air_temperature"], two["air_temperature"] + 0.1, atol=0.02)
    np.testing.assert_allclose(one["relative_humidity"], two["relative_humidity"], atol=0.02)


def test_theta_is_dry_whatever_use_theta_m_says(day):
    source = open_wrf([day])
    theta = source.at(0, whole(source), 500.0, {"potential_temperature"})["potential_temperature"]
    written = wf.wrf_fields(wf.hours(1))[0]["T"][1][0] + 300
    np.testing.assert_allclose(theta, written[: len(theta)], rtol=1e-5)


def test_mixed_domains_are_refused_by_name(tmp_path, day):
    other = wf.write_wrf(tmp_path / "wrfout_d02", wf.hours(2, wf.START + 25 * wf.HOUR), spacing=9000.0)
    with pytest.raises(InputError) as error:
        open_wrf([day, other])
    assert "wrfout_d02" in said(error)
    assert "DX 9000 m" in said(error)
    assert "DX 27000 m" in said(error)


def test_overlapping_files_take_the_later_start_and_say_so(tmp_path, day):
    def colder(data, _):
        dims, values, unit = data["T2"]
        data["T2"] = (dims, values - 5, unit)

    later = wf.write_wrf(tmp_path / "wrfout_d01_b", wf.hours(4, wf.START + 23 * wf.HOUR), change=colder)
    source = open_wrf([later, day])
    assert len(source.time) == 27
    assert any("2 time(s) stand in more than one file" in n.en for n in source.notes)
    at = [float(source.at(i, whole(source), 10.0, {"air_temperature"})["air_temperature"][0, 0]) for i in (22, 23)]
    assert at[1] < at[0] - 3


def test_a_gap_is_refused_with_its_hour(tmp_path, place):
    times = np.delete(wf.hours(25), [10, 11])
    with pytest.raises(InputError) as error:
        reading.read("wrf", [wf.write_wrf(tmp_path / "wrfout_d01", times)], place, wf.START, 24)
    assert "2019-01-01 10:00 UTC" in said(error)
    assert "2 time(s) missing" in said(error)


def test_hours_that_the_files_do_not_cover_are_named(day, place):
    with pytest.raises(InputError) as error:
        reading.read("wrf", [day], place, wf.START - 48 * wf.HOUR, 72)
    assert "2019-01-01 00:00 UTC .. 2019-01-02 00:00 UTC" in said(error)
    assert "2018-12-30 00:00 UTC" in said(error)


def test_a_domain_that_is_too_small_is_refused(tmp_path, place):
    path = wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(25), nx=6, ny=6, spacing=27_000.0)
    with pytest.raises(InputError) as error:
        reading.read("wrf", [path], place, wf.START, 24)
    assert "% of the model grid's cells lie outside" in said(error)


def test_three_hourly_files_are_interpolated_and_say_so(tmp_path, place, day):
    step = 3 * wf.HOUR
    path = wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(9, step=step), step=step)
    dataset = reading.read("wrf", [path], place, wf.START, 24)
    assert "3 h apart" in dataset.attrs["notes"]
    hourly = reading.read("wrf", [day], place, wf.START, 24)
    difference = dataset["air_temperature"] - hourly["air_temperature"]
    assert float(np.abs(difference).max()) < 0.6
    np.testing.assert_allclose(dataset["precipitation_flux"].values, 1e-4, rtol=1e-4)


def test_six_hourly_files_are_refused(tmp_path, place):
    step = 6 * wf.HOUR
    with pytest.raises(InputError) as error:
        reading.read("wrf", [wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(5, step=step))], place, wf.START, 24)
    assert "at most 3 hours" in said(error)


def test_wrong_units_and_fill_values_are_refused(tmp_path, place):
    def celsius(data, _):
        dims, values, _unit = data["T2"]
        data["T2"] = (dims, values - 273.15, "K")

    def odd(data, _):
        dims, values, _unit = data["PBLH"]
        data["PBLH"] = (dims, values, "furlongs")

    def filled(data, _):
        dims, values, unit = data["HFX"]
        values = values.copy()
        values[7, 3:5, 3] = -9999.0
        data["HFX"] = (dims, values, unit)

    for change, words in ((celsius, "is the units attribute right?"), (odd, "must convert to m"), (filled, "2 of ")):
        with pytest.raises(InputError) as error:
            reading.read(
                "wrf", [wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(25), change=change)], place, wf.START, 24
            )
        assert words in said(error)
    assert "2019-01-01 07:00 UTC" in said(error)


def test_a_celsius_unit_that_says_so_is_converted(tmp_path, day):
    def celsius(data, _):
        dims, values, _unit = data["T2"]
        data["T2"] = (dims, values - 273.15, "degC")

    source = open_wrf([wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(2), change=celsius)])
    one = open_wrf([day])
    names = {"air_temperature"}
    np.testing.assert_allclose(
        source.at(1, whole(one), 10.0, names)["air_temperature"],
        one.at(1, whole(one), 10.0, names)["air_temperature"],
        atol=1e-3,
    )


def test_rain_survives_a_restart_and_the_bucket(tmp_path):
    def restart(data, attrs):
        dims, values, unit = data["RAINNC"]
        values = values.copy()
        values[3:] -= values[2] + 0.0  # the sum begins again
        data["RAINNC"] = (dims, values, unit)

    def bucket(data, attrs):
        attrs["BUCKET_MM"] = np.float32(0.5)
        dims, values, unit = data["RAINNC"]
        data["I_RAINNC"] = (dims, np.floor(values / 0.5), "")
        data["RAINNC"] = (dims, values % 0.5, unit)

    for change in (restart, bucket):
        source = open_wrf([wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(6), change=change)])
        rate = [
            source.at(i, whole(source), 10.0, {"precipitation_flux"})["precipitation_flux"].mean() for i in range(1, 6)
        ]
        np.testing.assert_allclose(rate, 1e-4, rtol=1e-3)


def test_rmol_is_one_over_the_length(tmp_path, place):
    def add(data, _):
        dims, values, _unit = data["UST"]
        data["RMOL"] = (dims, np.full_like(values, -0.02), "")

    dataset = reading.read("wrf", [wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(4), change=add)], place, wf.START, 3)
    np.testing.assert_allclose(dataset["obukhov_length"].values, -50.0, rtol=1e-5)
    assert dataset["obukhov_length"].attrs["diagnosed"] == "no"


def test_beijing_time_taken_for_utc_is_noticed_and_not_shifted(tmp_path, place, day):
    def later(data, attrs):
        for name, (dims, values, *rest) in list(data.items()):
            data[name] = (dims, np.roll(np.asarray(values), 8, axis=0) if name in {"T2", "SWDOWN"} else values, *rest)

    path = wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(25), change=later)
    dataset = reading.read("wrf", [path], place, wf.START, 24)
    first = dataset.attrs["notes"].splitlines()[0]
    assert first.startswith("WARNING")
    assert "local (UTC+7)" in first  # 109 E keeps the sun's time of UTC+7
    assert dataset["time"].values[0] == wf.START
    assert "WARNING" not in reading.read("wrf", [day], place, wf.START, 24).attrs["notes"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"GRIB2222", "GRIB"), (b"\x1f\x8b12345678", "compressed"), (b"hello, world", "not a NetCDF"),
     (b"CDF\x02\x00\x00", "damaged")],
)  # fmt: skip
def test_what_is_no_netcdf_is_told_what_it_is(tmp_path, content, words):
    path = tmp_path / "wrfout_d01"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        open_wrf([path])
    assert words in said(error)


@pytest.mark.parametrize("form", ["NETCDF3_64BIT_OFFSET", "NETCDF4"])
def test_a_path_that_the_library_cannot_open_is_read_through_memory(tmp_path, monkeypatch, form):
    folder = tmp_path / "气象资料"
    folder.mkdir()
    path = wf.write_wrf(folder / "wrfout_d01", wf.hours(2), format=form)
    opens = xr.open_dataset

    def refusing(what, **options):
        if isinstance(what, Path):
            raise OSError("as HDF5 does on Windows")
        return opens(what, **options)

    monkeypatch.setattr(xr, "open_dataset", refusing)
    source = open_wrf([path])
    np.testing.assert_allclose(source.at(0, whole(source), 100.0, ALL)["eastward_wind_10m"], 4.2, atol=1e-4)


def test_a_cut_file_is_refused(tmp_path, day, place):
    path = tmp_path / "wrfout_d01"
    path.write_bytes(day.read_bytes()[: int(0.6 * day.stat().st_size)])
    with pytest.raises(InputError) as error:
        reading.read("wrf", [path], place, wf.START, 24)
    assert error.value.problems


def test_region_and_plume_run_on_it_unchanged(day, place):
    dataset = reading.read("wrf", [day], place, wf.START, 6)
    transport = Transport(place.grid, dataset)
    # one mixing ratio at all heights
    inflow = transport.density.mean(axis=(1, 2))[:, None, None] * np.full((len(TRACERS), 1), 7.0)
    seen = []
    budget = transport.run(
        lambda hour: np.zeros((1, place.grid.ny, place.grid.nx, len(TRACERS), 1)),
        columns=1,
        initial=inflow,
        inflow=inflow,
        observe=lambda hour, mean: seen.append(mean[0, :, :, TRACERS.index("co"), 0].copy()),
        levels=1,
    )
    assert np.abs(budget.residual).max() < 1e-4
    # carbon monoxide is neither made nor lost: even air stays even, that is, the fluxes are free of divergence
    density = transport.density[0]
    np.testing.assert_allclose(seen[-1] / density, (seen[-1] / density).mean(), rtol=2e-3)
    table = meteorology.at(dataset, 0.0, 0.0)
    depth = float(dataset["atmosphere_boundary_layer_thickness"][0].mean())
    assert table["mixing_height"].iloc[0] == pytest.approx(depth, rel=0.05)


def test_a_scenario_names_files_by_wildcard(tmp_path, day):
    (tmp_path / "met").mkdir()
    (tmp_path / "met" / day.name).write_bytes(day.read_bytes())
    text = (
        "name: t\ntitle: {zh: t, en: t}\nperiod: {start: 2019-01-02, end: 2019-01-02 08:00, spin_up_hours: 24}\n"
        "domain: {west: 107.8, south: 33.6, east: 110.2, north: 35.2, spacing: 20000}\n"
        "meteorology: {kind: wrf, files: ['met/wrfout_d0*']}\n"
    )
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:  # the files begin eight hours late
        parts.weather(load_scenario(path), parts.place(load_scenario(path)))
    assert "2018-12-31 16:00 UTC" in said(error)
    with pytest.raises(InputError):
        parts.examine_weather(load_scenario(path), parts.place(load_scenario(path)))
    later = text.replace("start: 2019-01-02,", "start: 2019-01-02 08:00,").replace("08:00, spin", "09:00, spin")
    path.write_text(later, encoding="utf-8")
    scenario = load_scenario(path)
    assert [f.name for f in scenario.weather_files()] == [day.name]
    parts.examine_weather(scenario, parts.place(scenario))
    dataset = parts.weather(scenario, parts.place(scenario))
    assert dataset.sizes["time"] == 25
    assert any(i.path.name == day.name and i.kind == "modelled" for i in case.Case(scenario).inputs)
    path.write_text(text.replace("wrfout_d0*", "wrfout_d03*"), encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_scenario(path)
    assert "meteorology.files[1]" in said(error)
    path.write_text(text.replace("kind: wrf", "kind: mm5"), encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_scenario(path)
    assert "s.yaml:5: 'meteorology.kind', value mm5: must be one of synthetic, wrf, era5, stations" in said(error)
