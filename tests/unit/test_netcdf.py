"""result.nc: complete, conforming, exact, atomic, and at home in a folder with a Chinese name."""

import errno
import os
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

from airsim.errors import InputError
from airsim.result import netcdf, variables

_spec = spec_from_file_location("made_up_result", Path(__file__).with_name("made_up_result.py"))
made_up_result = module_from_spec(_spec)
_spec.loader.exec_module(made_up_result)


@pytest.fixture(scope="module")
def tree():
    return made_up_result.make()


@pytest.fixture(scope="module")
def file(tree, tmp_path_factory):
    path = tmp_path_factory.mktemp("out") / "关中 一月" / "结果.nc"
    netcdf.write(tree, path)
    return path


def raw(path):
    """Open with the C library, from memory as any reader on a Chinese Windows must."""
    return netCDF4.Dataset("result.nc", memory=path.read_bytes())


def groups(dataset):
    yield dataset
    for group in dataset.groups.values():
        yield from groups(group)


def test_what_is_written_is_what_is_read(tree, file):
    dressed = netcdf.dress(tree)
    assert netcdf.read(file).identical(dressed)
    np.testing.assert_array_equal(dressed["pm25"].values, tree["pm25"].values.astype(np.float32))
    np.testing.assert_array_equal(dressed["coal/consumption"].values, tree["coal/consumption"].values)
    assert dressed["city_zh"].values.tolist() == tree["city_zh"].values.tolist()


def test_dressing_twice_changes_nothing_and_leaves_the_input_alone(tree):
    before = tree.copy(deep=True)
    dressed = netcdf.dress(tree)
    assert netcdf.dress(dressed).identical(dressed)
    assert tree.identical(before)


def test_every_variable_in_the_file_is_as_the_table_says(file):
    seen = set()
    with raw(file) as dataset:
        for group in groups(dataset):
            for name, variable in group.variables.items():
                row = variables.lookup(group.path, name)
                seen.add((row.group, name))
                attributes = variable.__dict__
                assert row.fits(variable.dimensions), (group.path, name)
                assert attributes["long_name"] == row.long_name
                assert attributes["long_name_zh"] == row.long_name_zh
                assert attributes.get("standard_name", "") == row.standard_name
                if row.dtype == "datetime64":
                    assert row.kind == "bounds" or " since 1970-01-01" in attributes["units"]
                else:
                    assert attributes["units"] == (row.units or "1")
                    assert variable.dtype == (str if row.dtype == "string" else np.dtype(row.dtype))
                if row.kind in {"coordinate", "bounds", "grid_mapping"}:
                    assert "_FillValue" not in attributes
    # the made-up result has every group that a run writes; the other two are made apart and tested there
    apart = {"/ranking", "/transfer"}
    assert {group for group, _ in seen} | apart == {row.group for row in variables.table().values()}


def test_global_attributes_follow_cf_and_acdd(file):
    with raw(file) as dataset:
        assert dataset.Conventions == "CF-1.11, ACDD-1.3"
        assert dataset.schema_version == "1.0"
        for name in ("title", "summary", "keywords", "source", "history", "institution", "license"):
            assert getattr(dataset, name), name
        assert dataset.title == "Guanzhong January episode (made up)"
        assert dataset.time_coverage_start == "2018-12-31T16:00:00Z"
        assert dataset.time_coverage_end == "2019-01-03T16:00:00Z"
        assert dataset.time_coverage_duration == "PT72H"
        assert 105 < dataset.geospatial_lon_min < dataset.geospatial_lon_max < 113
        assert "UTC+8" in dataset.time_zone


def test_hours_and_beijing_days_carry_their_spans_in_utc(file):
    root = netcdf.read(file)
    hours = root["time_bnds"].values
    assert (hours[:, 0] == root["time"].values).all()
    assert (hours[:, 1] - hours[:, 0] == np.timedelta64(1, "h")).all()
    assert root["day"].values[0] == np.datetime64("2019-01-01")
    assert root["day_bnds"].values[0].tolist() == [
        np.datetime64("2018-12-31T16:00", "ns").item(),
        np.datetime64("2019-01-01T16:00", "ns").item(),
    ]
    assert root["time"].attrs["bounds"] == "time_bnds"
    assert root["pm25"].attrs["cell_methods"] == "time: mean"


def test_maps_name_their_projection(file):
    with raw(file) as dataset:
        mapping = dataset["lambert_conformal_conic"]
        assert mapping.grid_mapping_name == "lambert_conformal_conic"
        np.testing.assert_allclose(mapping.standard_parallel, (33.8, 35.7))
        for name in ("pm25_field", "pm25_mean_field", "terrain"):
            assert dataset[name].grid_mapping == "lambert_conformal_conic"
            assert set(dataset[name].coordinates.split()) == {"longitude", "latitude"}


def test_a_group_opened_alone_has_the_coordinates_it_uses_and_no_others(file):
    with xr.open_dataset(file.read_bytes(), group="emergency") as emergency:
        assert set(emergency.coords) == {"level", "city", "pollutant"}
        assert emergency["share"].sel(level="red", city="xian", pollutant="SO2").shape == ()
        assert emergency.attrs["illustrative"] == "yes"


def test_an_alert_without_end_and_a_half_hour_come_back_exactly(tree, tmp_path):
    odd = tree.copy(deep=True)
    start = np.array(odd["emergency/alert_start"].values)
    end = np.array(odd["emergency/alert_end"].values)
    start[0] += np.timedelta64(30, "m")
    end[1] = np.datetime64("NaT")
    odd["emergency/alert_start"] = xr.DataArray(start, dims="alert")
    odd["emergency/alert_end"] = xr.DataArray(end, dims="alert")
    netcdf.write(odd, tmp_path / "odd.nc")
    back = netcdf.read(tmp_path / "odd.nc")
    np.testing.assert_array_equal(back["emergency/alert_start"].values, start)
    np.testing.assert_array_equal(back["emergency/alert_end"].values, end)


def test_two_writes_hold_the_same_arrays(tree, file, tmp_path):
    netcdf.write(tree, tmp_path / "again.nc")
    assert netcdf.read(tmp_path / "again.nc").identical(netcdf.read(file))


def test_what_the_table_does_not_know_is_refused_with_every_name(tree, tmp_path):
    wrong = tree.copy()
    wrong["coal/nonsense"] = xr.DataArray(np.zeros(15), dims="city")
    wrong["budget/rubbish"] = xr.DataArray(np.zeros(5), dims="tracer")
    with pytest.raises(ValueError, match="nonsense") as caught:
        netcdf.write(wrong, tmp_path / "wrong.nc")
    assert "/budget: rubbish" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_no_rest(tree, tmp_path, monkeypatch):
    path = tmp_path / "result.nc"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        netcdf.write(tree, path)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["result.nc"]


def test_a_file_held_by_another_program_is_reported_in_both_languages(tree, tmp_path, monkeypatch):
    def held(self, target):
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(Path, "replace", held)
    with pytest.raises(InputError) as caught:
        netcdf.write(tree, tmp_path / "result.nc")
    assert "close the program" in caught.value.text("en")
    assert "Excel" in caught.value.text("zh")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 no NetCDF at all"])
def test_what_is_no_result_file_is_said_with_its_name(content, tmp_path):
    path = tmp_path / "别的.nc"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"别的\.nc"):
        netcdf.read(path)
