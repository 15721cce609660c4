"""ERA5 files of the old and the new data store, with all their oddities."""

import zipfile

import numpy as np
import pytest
import weather_files as wf

from airsim import meteorology
from airsim.errors import InputError
from airsim.geography import load, make_grid
from airsim.meteorology import era5, era5_levels, reading
from airsim.meteorology.source import Window

NAMES = {
    "eastward_wind", "northward_wind", "height", "eastward_wind_10m", "northward_wind_10m", "air_temperature",
    "relative_humidity", "upward_sensible_heat_flux", "surface_downwelling_shortwave_flux_in_air",
    "precipitation_flux", "potential_temperature",
}  # fmt: skip


@pytest.fixture(scope="module")
def place():
    return load(make_grid((107.8, 33.6, 110.2, 35.2), 20_000.0))


LON, LAT = wf.era5_axes()
TIMES = wf.hours(25)
SINGLE, SUMS, UPPER = wf.era5_fields(TIMES, LON, LAT)


def write(folder, *, single=SINGLE, sums=SUMS, upper=UPPER, lon=LON, lat=LAT, times=TIMES, **options):
    files = [
        wf.write_era5(folder / "single.nc", times, single, lon, lat, **options),
        wf.write_era5(folder / "sums.nc", times, sums, lon, lat, **options),
    ]
    if upper:
        files.append(wf.write_era5(folder / "upper.nc", times, upper, lon, lat, level=wf.ERA5_LEVELS, **options))
    return files


def whole(source):
    return Window(0, source.latitude.shape[0], 0, source.latitude.shape[1])


def said(error):
    return "\n".join(p.text("en") for p in error.value.problems)


@pytest.fixture(scope="module")
def new(tmp_path_factory):
    return write(tmp_path_factory.mktemp("era5"))


@pytest.mark.parametrize("layout", ["new", "old"])
def test_both_layouts_become_the_dataset(tmp_path, place, layout):
    files = write(tmp_path, layout=layout, packed=layout == "old")
    dataset = reading.read("era5", files, place, wf.START, 24)
    assert meteorology.check(dataset) == []
    assert set(dataset.data_vars) == set(meteorology.VARIABLES)
    assert dataset["atmosphere_boundary_layer_thickness"].attrs["diagnosed"] == "no"
    np.testing.assert_allclose(dataset["precipitation_flux"].values, 1e-4, rtol=2e-3)
    # the sum of the hour that ends at the stamp is the mean of the hour that begins an hour before
    expected = 500 * wf.daylight(np.arange(24) + 0.5)
    np.testing.assert_allclose(dataset["surface_downwelling_shortwave_flux_in_air"].values[:, 0, 0], expected, atol=0.1)
    assert "hour before the stamp (ERA5)" in dataset.attrs["notes"]


def test_latitude_and_levels_may_run_either_way(tmp_path, new):
    """The made files run from north to south, the new ones from the ground up and the old ones down."""
    old = write(tmp_path, layout="old")
    a, b = era5.open_era5(new), era5.open_era5(old)
    assert np.all(np.diff(a.latitude[:, 0]) > 0)
    one, two = (s.at(3, whole(s), 2500.0, NAMES) for s in (a, b))
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-5, atol=1e-3, err_msg=name)
    np.testing.assert_allclose(a.terrain, SINGLE["z"][0][0] / 9.80665, rtol=1e-5)
    assert (one["air_temperature"] == np.float32(SINGLE["t2m"][0][3])).all()


def test_profiles_begin_at_the_ground_whatever_lies_below(new):
    source = era5.open_era5(new)
    got = source.at(0, whole(source), 2500.0, NAMES)
    height, u = got["height"], got["eastward_wind"]
    under = height < 0
    assert under.any()  # this case would be none without
    assert (u[under] == 77).all()
    np.testing.assert_allclose(u[~under], (6 * (1 + height / 2000))[~under], atol=0.01)
    p = np.broadcast_to(wf.ERA5_LEVELS[: len(height), None, None] * 100, height.shape)
    assert ((p > SINGLE["sp"][0][0]) == under).all()


def test_buried_levels_do_not_reach_the_grid(new, place):
    dataset = reading.read("era5", new, place, wf.START, 2)
    assert float(np.abs(dataset["x_wind"]).max()) < 25


def test_heights_without_geopotential_follow_from_temperature(tmp_path, new):
    upper = {k: v for k, v in UPPER.items() if k != "z"}
    source, full = era5.open_era5(write(tmp_path, upper=upper)), era5.open_era5(new)
    one, two = (s.at(0, whole(s), 2500.0, {"height"})["height"] for s in (source, full))
    np.testing.assert_allclose(one[one > 0], two[one > 0], rtol=1e-3, atol=0.5)


def test_the_ground_without_its_geopotential_follows_from_surface_pressure(tmp_path, new):
    single = {k: v for k, v in SINGLE.items() if k != "z"}
    source, full = era5.open_era5(write(tmp_path, single=single)), era5.open_era5(new)
    one, two = (s.at(0, whole(s), 2500.0, {"height"})["height"] for s in (source, full))
    np.testing.assert_allclose(one[one > 0], two[one > 0], rtol=1e-3, atol=0.5)


def test_a_zip_that_is_named_nc(tmp_path, new):
    packed = tmp_path / "download.nc"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(new[0], "data_stream-oper_stepType-instant.nc")
        archive.write(new[1], "data_stream-oper_stepType-accum.nc")
    a, b = era5.open_era5([packed, new[2]]), era5.open_era5(new)
    assert a.has == b.has
    np.testing.assert_array_equal(
        a.at(5, whole(a), 10.0, NAMES)["upward_sensible_heat_flux"],
        b.at(5, whole(b), 10.0, NAMES)["upward_sensible_heat_flux"],
    )


def test_a_zip_of_grib_is_refused(tmp_path):
    packed = tmp_path / "download.nc"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data.grib", b"GRIB" + bytes(20))
    with pytest.raises(InputError) as error:
        era5.open_era5([packed])
    assert "GRIB" in said(error)
    assert "data.grib" in said(error)


@pytest.mark.parametrize("expver", ["scalar", "string", "dimension"])
def test_expver_in_its_three_forms(tmp_path, new, expver):
    source, plain = era5.open_era5(write(tmp_path, expver=expver)), era5.open_era5(new)
    for i in (0, 6, 20):
        one, two = (s.at(i, whole(s), 2500.0, NAMES) for s in (source, plain))
        for name in two:
            np.testing.assert_allclose(one[name], two[name], rtol=1e-6, err_msg=f"{name} {i}")
    assert any("ERA5T" in n.en for n in source.notes) == (expver != "scalar")


def test_longitudes_from_0_to_360_and_across_the_seam(tmp_path):
    lon = np.arange(0, 360, 2.0)  # a globe, coarse
    lat = np.arange(-90, 91, 2.0)
    t = wf.hours(2)
    field = 273 + lon[None, None, :] / 36 + 0 * lat[None, :, None] + np.zeros((2, 1, 1))
    fields = {
        "u10": (field * 0 + 3, "m s**-1"),
        "v10": (field * 0, "m s**-1"),
        "t2m": (field, "K"),
        "d2m": (field - 5, "K"),
    }
    source = era5.open_era5([wf.write_era5(tmp_path / "globe.nc", t, fields, lon, lat)])
    assert source.longitude[0, 0] == -180
    got = source.at(0, whole(source), 10.0, {"air_temperature"})["air_temperature"]
    np.testing.assert_allclose(got[5], 273 + (source.longitude[5] % 360) / 36, rtol=1e-6)


def test_era5_land_sums_run_since_midnight(tmp_path):
    """The sums of a day, of which the last stands at 00 of the next, come out as the hours' rates."""
    lon, lat = wf.era5_axes(0.1, 107.5, 110.5, 33.3, 35.5)
    times = wf.hours(49)
    single, sums, _ = wf.era5_fields(times, lon, lat)
    since = {}
    for name, (values, unit) in sums.items():
        hours = values.copy()
        total = np.zeros_like(hours)
        for k in range(1, len(times)):
            total[k] = hours[k] + (0 if (k - 1) % 24 == 0 else total[k - 1])
        total[0] = 12345.0 if name == "ssrd" else 0.01  # the day before, of which nothing is known
        since[name] = (total, unit)
    land = {k: single[k] for k in ("u10", "v10", "t2m", "d2m", "sp")}
    files = [
        wf.write_era5(tmp_path / "a.nc", times, land, lon, lat),
        wf.write_era5(tmp_path / "b.nc", times, since, lon, lat),
    ]
    source = era5.open_era5(files)
    assert source.kind == "ERA5-Land"
    assert any("since 00 UTC" in n.en for n in source.notes)
    for i in (1, 2, 9, 24, 25, 26, 48):
        got = source.at(i, whole(source), 10.0, NAMES)
        for target, name, factor in (
            ("surface_downwelling_shortwave_flux_in_air", "ssrd", 1 / 3600),
            ("upward_sensible_heat_flux", "sshf", -1 / 3600),
            ("precipitation_flux", "tp", 1000 / 3600),
        ):
            np.testing.assert_allclose(got[target], sums[name][0][i] * factor, atol=2e-3, err_msg=f"{target} {i}")


def test_land_without_levels_gives_a_field_that_warns_of_the_wind_aloft(tmp_path, place):
    files = write(tmp_path, upper=None)
    dataset = reading.read("era5", files, place, wf.START, 24)
    assert meteorology.check(dataset) == []
    assert "do not trust the wind aloft" in dataset.attrs["notes"]


def test_sums_at_three_hourly_stamps_are_not_differenced(tmp_path, place):
    """ERA5's sums cover one hour whatever the spacing of the stamps."""
    pick = slice(None, None, 3)
    three = [{k: (v[pick], u) for k, (v, u) in f.items()} for f in (SINGLE, SUMS, UPPER)]
    files = write(tmp_path, single=three[0], sums=three[1], upper=three[2], times=TIMES[pick])
    dataset = reading.read("era5", files, place, wf.START, 24)
    np.testing.assert_allclose(dataset["precipitation_flux"].values, 1e-4, rtol=1e-3)
    assert "3 h apart" in dataset.attrs["notes"]


def test_fluxes_downward_and_upward_agree(tmp_path, new):
    heat = {"ishf": (-SUMS["sshf"][0] / -3600, "W m**-2")}
    sums = {k: v for k, v in SUMS.items() if k != "sshf"}
    source = era5.open_era5(write(tmp_path, single=SINGLE | heat, sums=sums))
    one, two = (s.at(5, whole(s), 10.0, NAMES)["upward_sensible_heat_flux"] for s in (source, era5.open_era5(new)))
    np.testing.assert_allclose(one, two, rtol=1e-5)
    assert one.mean() > 50  # by day the ground heats the air


def test_packing_noise_makes_no_negative_rain_or_light(tmp_path):
    noise = {"tp": (np.full_like(SUMS["tp"][0], -1e-16), "m"), "ssrd": (SUMS["ssrd"][0] - 1e-3, "J m**-2")}
    source = era5.open_era5(write(tmp_path, sums=SUMS | noise))
    got = source.at(20, whole(source), 10.0, NAMES)
    assert got["precipitation_flux"].min() == 0
    assert got["surface_downwelling_shortwave_flux_in_air"].min() == 0


def test_model_level_heights_are_those_of_the_published_table():
    """Geometric heights [m] of ECMWF's L137 table for the standard atmosphere, levels 137, 136, 135, 134, 133, 130."""
    level = np.arange(137, 99, -1).astype(float)
    surface = np.full((1, 1), 101_325.0)
    height = np.zeros((len(level), 1, 1))
    for _ in range(8):  # the standard atmosphere's temperature is known by height
        virtual = 288.15 - 0.0065 * height
        pressure, height = era5_levels.model_level_heights(level, surface, virtual)
    np.testing.assert_allclose(height[:6, 0, 0], [10.00, 30.96, 53.92, 79.04, 106.54, 136.62], rtol=2e-3)
    np.testing.assert_allclose(pressure[:3, 0, 0] / 100, [1012.0494, 1009.5363, 1006.7974], rtol=2e-5)


def test_model_levels_with_lnsp_in_a_file_of_its_own(tmp_path, place):
    level = np.arange(100, 138).astype(float)
    hgt = SINGLE["z"][0][0] / 9.80665
    ones = np.ones((len(TIMES), len(level), *hgt.shape))
    pressure = np.stack(
        [era5_levels.full_pressure(float(p))[level.astype(int) - 1] for p in SINGLE["sp"][0][0].ravel()]
    )
    above = (7995 * np.log(SINGLE["sp"][0][0].ravel()[:, None] / pressure)).T.reshape(len(level), *hgt.shape)
    upper = {"u": (6 * (1 + above / 2000) * ones, "m s**-1"), "v": (-2 * (1 + above / 2000) * ones, "m s**-1"),
             "t": (273.15 * ones, "K"), "q": (0 * ones, "kg kg**-1")}  # fmt: skip
    lnsp = {"lnsp": (np.log(SINGLE["sp"][0])[:, None], "~")}
    single = {k: v for k, v in SINGLE.items() if k != "sp"}
    for layout, name in (("new", "model_level"), ("old", "level")):
        folder = tmp_path / layout
        folder.mkdir()
        files = write(folder, single=single, upper=None, layout=layout)
        files.append(
            wf.write_era5(folder / "ml.nc", TIMES, upper, LON, LAT, layout=layout, level=level, level_name=name)
        )
        files.append(
            wf.write_era5(
                folder / "lnsp.nc", TIMES, lnsp, LON, LAT, layout=layout, level=[1.0], level_name="model_level"
            )
        )
        if layout == "old":  # the old store says only in long_name that they are model levels
            import netCDF4

            with netCDF4.Dataset(files[-2], "a") as file:
                file["level"].long_name = "model_level_number"
                file["level"].units = "1"
        source = era5.open_era5(files)
        got = source.at(4, whole(source), 2500.0, NAMES)
        assert got["height"][0].max() < 12
        np.testing.assert_allclose(got["height"][:20], above[::-1][:20], rtol=2e-3)
        np.testing.assert_allclose(got["eastward_wind"], 6 * (1 + got["height"] / 2000), atol=0.05)
    assert meteorology.check(reading.read("era5", files, place, wf.START, 2)) == []


def test_model_levels_with_a_hole_are_refused(tmp_path):
    level = np.array([137.0, 136, 134])
    upper = {k: (v[:, :3], u) for k, (v, u) in UPPER.items() if k != "z"}
    files = write(tmp_path, upper=None)
    files.append(wf.write_era5(tmp_path / "ml.nc", TIMES, upper, LON, LAT, level=level, level_name="model_level"))
    source = era5.open_era5(files)
    with pytest.raises(InputError) as error:
        source.at(0, whole(source), 100.0, {"height", "eastward_wind"})
    assert "without a gap" in said(error)


def test_all_in_one_file(tmp_path, new):
    """Merged by the user: profiles and single fields in one file, z then being that of the levels."""
    import xarray as xr

    merged = xr.merge([xr.open_dataset(f) for f in new], compat="override", join="outer")
    merged["z"] = xr.open_dataset(new[2])["z"]
    path = tmp_path / "all.nc"
    merged.to_netcdf(path)
    a, b = era5.open_era5([path]), era5.open_era5(new)
    one, two = (s.at(2, whole(s), 2500.0, NAMES) for s in (a, b))
    above = one["height"] > 0
    np.testing.assert_allclose(one["height"][above], two["height"][above], rtol=1e-3, atol=0.6)
    np.testing.assert_array_equal(one["eastward_wind"], two["eastward_wind"])


def test_what_is_missing_is_listed_at_once(tmp_path):
    single = {k: v for k, v in SINGLE.items() if k not in {"u10", "d2m", "sp", "z"}}
    with pytest.raises(InputError) as error:
        era5.open_era5(write(tmp_path, single=single))
    for name in ("u10", "d2m", "sp, or z of the single levels"):
        assert name in said(error)
    with pytest.raises(InputError) as error:
        era5.open_era5([wf.wrf_by_xarray(tmp_path / "wrfout", wf.hours(2))])
    assert "not the layout of ERA5" in said(error)


def test_two_grids_are_refused(tmp_path, new):
    lon, lat = wf.era5_axes(0.1, 107.5, 110.5, 33.3, 35.5)
    single, *_ = wf.era5_fields(TIMES, lon, lat)
    with pytest.raises(InputError) as error:
        era5.open_era5([*new, wf.write_era5(tmp_path / "land.nc", TIMES, single, lon, lat)])
    assert "0.25 deg" in said(error)
    assert "0.1 deg" in said(error)


def test_variables_of_different_times_share_what_they_have(tmp_path, place):
    """Three-hourly levels beside hourly single fields are common; a hole in one of them is a gap."""
    pick = slice(None, None, 3)
    upper = {k: (v[pick], u) for k, (v, u) in UPPER.items()}
    files = write(tmp_path, upper=None)
    files.append(wf.write_era5(tmp_path / "u3.nc", TIMES[pick], upper, LON, LAT, level=wf.ERA5_LEVELS))
    dataset = reading.read("era5", files, place, wf.START, 24)
    assert "9 they share" in dataset.attrs["notes"]
    assert "3 h apart" in dataset.attrs["notes"]
    keep = np.delete(np.arange(25), 13)
    upper = {k: (v[keep], u) for k, (v, u) in UPPER.items()}
    files[-1] = wf.write_era5(tmp_path / "u1.nc", TIMES[keep], upper, LON, LAT, level=wf.ERA5_LEVELS)
    with pytest.raises(InputError) as error:
        reading.read("era5", files, place, wf.START, 24)
    assert "2019-01-01 13:00 UTC" in said(error)


def test_months_in_files_of_their_own(tmp_path, new, place):
    later = TIMES[-1] + np.arange(1, 13) * wf.HOUR
    single, sums, upper = wf.era5_fields(later, LON, LAT)
    (tmp_path / "b").mkdir()
    files = write(tmp_path / "b", single=single, sums=sums, upper=upper, times=later)
    source = era5.open_era5([*files, *new])
    assert len(source.time) == 37
    assert meteorology.check(reading.read("era5", [*files, *new], place, wf.START + 20 * wf.HOUR, 12)) == []


def test_fill_values_and_wrong_units_are_refused_with_their_hour(tmp_path, place):
    filled = SINGLE["t2m"][0].copy()
    filled[9, 5:7, 8] = np.nan
    files = write(tmp_path, single=SINGLE | {"t2m": (filled, "K")})
    with pytest.raises(InputError) as error:
        reading.read("era5", files, place, wf.START, 24)
    assert "2019-01-01 09:00 UTC" in said(error)
    assert "missing" in said(error)
    files = write(tmp_path, single=SINGLE | {"sp": (SINGLE["sp"][0] / 100, "Pa")})
    with pytest.raises(InputError) as error:
        reading.read("era5", files, place, wf.START, 24)
    assert "30000 to 110000 Pa" in said(error)
    files = write(tmp_path, single=SINGLE | {"sp": (SINGLE["sp"][0] / 100, "hPa")})
    assert meteorology.check(reading.read("era5", files, place, wf.START, 2)) == []


def test_an_ensemble_is_refused(tmp_path, new):
    import xarray as xr

    path = tmp_path / "ens.nc"
    xr.concat([xr.open_dataset(new[0]).drop_vars("number")] * 2, dim="number").to_netcdf(path)
    with pytest.raises(InputError) as error:
        era5.open_era5([path])
    assert "choose one member" in said(error)
