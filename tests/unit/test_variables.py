"""The metadata table itself, and what `describe` makes of a dataset."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from airsim.result import variables

# canonical units of the CF standard name table (version 93), with the multiples that the results use
CF_UNITS = {
    "air_temperature": {"K"},
    "atmosphere_boundary_layer_thickness": {"m"},
    "latitude": {"degrees_north"},
    "longitude": {"degrees_east"},
    "precipitation_flux": {"kg m-2 s-1"},
    "projection_x_coordinate": {"m"},
    "projection_y_coordinate": {"m"},
    "relative_humidity": {"1"},
    "surface_altitude": {"m"},
    "time": {""},
    "wind_from_direction": {"degree"},
    "wind_speed": {"m s-1"},
}
INDEX_ONLY = {
    "nv",
    "row",
    "alert",
    "source",
    "input",
    "package",
    "note",
    "vertex",
    "ring",
    "pledge",
    "exceedance",
    "move",
}
ROWS = list(variables.table().values())


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r.group}:{r.name}")
def test_every_row_is_complete(row):
    assert row.long_name
    assert any(ord(c) > 0x2E80 for c in row.long_name_zh)
    assert row.dtype in {"string", "datetime64", "float32", "float64", "int32", "int8"}
    assert row.group in variables._GROUPS
    if row.kind in {"data", "flag"} and row.dtype != "datetime64":
        assert row.units
    if row.kind == "label":
        assert row.dtype == "string"
    if row.kind == "flag":
        assert {v for v, _ in row.flags} >= {-1, 0, 1}
    if row.standard_name.startswith("mass_concentration_of_"):
        assert row.units == "ug m-3"
    elif row.standard_name:
        assert row.units in CF_UNITS[row.standard_name]


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r.group}:{r.name}")
def test_every_dimension_has_a_coordinate_or_is_a_bare_index(row):
    for dim in row.dims:
        if dim not in INDEX_ONLY:
            assert variables.lookup(row.group, dim).dims == (dim,)


def test_the_table_has_no_row_twice():
    lines = Path(variables.__file__).with_name("variables.csv").read_text(encoding="utf-8").splitlines()[1:]
    keys = [tuple(line.split(",", 2)[:2]) for line in lines]
    assert len(keys) == len(set(keys)) == len(ROWS)


def test_other_groups_know_the_roots_coordinates_but_not_its_data():
    assert variables.lookup("/coal", "city").group == "/"
    with pytest.raises(KeyError, match="pm25"):
        variables.lookup("/coal", "pm25")


def test_describe_names_every_wrong_variable_at_once():
    dataset = xr.Dataset({"pm25": (("city", "time"), np.zeros((2, 3))), "pm99": ("city", np.zeros(2))})
    with pytest.raises(ValueError, match="pm25 has dimensions") as caught:
        variables.describe(dataset, "/")
    assert "pm99 is not in variables.csv" in str(caught.value)


def test_describe_gives_types_attributes_and_keeps_what_it_does_not_speak_of():
    dataset = xr.Dataset(
        {
            "aqi": (("case", "day", "city"), np.ones((1, 1, 2)), {"rule": "HJ633-2012", "units": "furlong"}),
            "city_zh": ("city", np.array(["西安", None], dtype=object)),
        },
        coords={"case": ["base"], "day": np.array(["2019-01-01"], "M8[D]"), "city": ["xian", "baoji"]},
    )
    described = variables.describe(dataset, "/")
    assert described["aqi"].dtype == np.float32
    assert described["aqi"].attrs["units"] == "1"
    assert described["aqi"].attrs["rule"] == "HJ633-2012"
    assert described["city_zh"].values.tolist() == ["西安", ""]
    assert described["day"].dtype == "datetime64[ns]"
    assert described["city"].attrs["long_name_zh"] == "城市代号"
    assert dataset["aqi"].attrs["units"] == "furlong"


def test_a_comment_of_the_variable_is_added_to_the_tables_once():
    aqi = xr.DataArray(np.ones((1, 1, 1)), dims=("case", "day", "city"), attrs={"comment": "ozone is not modelled"})
    once = variables.describe(xr.Dataset({"aqi": aqi}), "/")
    said = once["aqi"].attrs["comment"]
    assert said.startswith(variables.lookup("/", "aqi").comment)
    assert said.endswith("; ozone is not modelled")
    assert variables.describe(once, "/")["aqi"].attrs["comment"] == said


def test_optional_dimensions_may_be_left_out_and_no_others():
    row = variables.lookup("/plume", "concentration_mean")
    assert row.fits(("site", "y_fine", "x_fine"))
    assert row.fits(("case", "site", "pollutant", "y_fine", "x_fine"))
    assert not row.fits(("site", "x_fine"))
    assert not row.fits(("site", "x_fine", "y_fine"))


def test_a_flag_that_was_not_assessed_is_minus_one():
    dataset = xr.Dataset({"pass": ("city", [1.0, np.nan, 0.0])}, coords={"city": ["a", "b", "c"]})
    described = variables.describe(dataset, "/coal")["pass"]
    assert described.dtype == np.int8
    assert described.values.tolist() == [1, -1, 0]
    assert described.attrs["flag_meanings"] == "not_assessed fail pass"


@pytest.mark.parametrize(
    ("group", "name", "lang", "label"),
    [
        ("/", "pm25_daily", "zh", "城市 PM2.5 日均值（μg/m³）"),
        ("/", "aqi", "en", "air quality index of the day, city"),
        ("/emissions", "emission_annual", "zh", "年排放量（吨/年）"),
        ("/emissions", "emission_annual", "en", "emission of the year [t/a]"),
    ],
)
def test_labels_carry_the_unit_as_people_write_it(group, name, lang, label):
    assert variables.lookup(group, name).label(lang) == label


@pytest.mark.parametrize(("lang", "name"), [("en", "result.md"), ("zh", "result.zh-CN.md")])
def test_the_page_in_docs_is_made_from_the_table(lang, name):
    page = Path(__file__).parents[2] / "docs" / "formats" / name
    assert page.read_text(encoding="utf-8") == variables.markdown(lang), "make it again: variables.markdown(lang)"
