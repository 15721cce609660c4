"""Ordinary hourly tables that were read wrongly without a word: units, zones, titles, hidden sheets, error cells."""

from __future__ import annotations

import numpy as np
import pytest
import xlsxwriter

from airsim import observations
from airsim.errors import InputError


def long(tmp_path, header, values, time="2019-01-01 00:00"):
    path = tmp_path / "o.csv"
    path.write_text(f"{header}\n{time},西安,{values}\n", encoding="utf-8")
    return path


def said(error):
    return "\n".join(str(p) for p in error.value.problems)


def value(path, name):
    seen = observations.read([path]).hourly
    return float(seen[name].max())


def test_units_are_converted_at_the_state_of_gb_3095(tmp_path):
    # 24.465 l mol-1 at 298.15 K and 1013.25 hPa
    assert value(long(tmp_path, "时间,城市,SO2(ppb)", "10"), "so2") == pytest.approx(10 * 64.06 / 24.465, rel=1e-4)
    assert value(long(tmp_path, "时间,城市,CO(ppm)", "1"), "co") == pytest.approx(1e3 * 28.01 / 24.465, rel=1e-4)
    assert value(long(tmp_path, "时间,城市,PM2.5_mg/m3", "0.1"), "pm25") == pytest.approx(100.0)
    assert value(long(tmp_path, "时间,城市,指标,浓度(mg/m3)", "PM2.5,0.1"), "pm25") == pytest.approx(100.0)


@pytest.mark.parametrize("head", ["PM2.5(ppm)", "NO2(以N计)", "PM2.5(μg/m3，标况)", "SO2_lb"])
def test_a_unit_nobody_knows_is_refused_by_header(tmp_path, head):
    if head == "SO2_lb":
        head = "SO2(lb)"
    with pytest.raises(InputError) as error:
        observations.read([long(tmp_path, f"时间,城市,{head},PM10", "1,2")])
    assert head in said(error)


@pytest.mark.parametrize(
    ("head", "first"),
    [
        ("时间", "2018-12-31T15"),
        ("时间(UTC)", "2018-12-31T23"),
        ("时间(世界时)", "2018-12-31T23"),
        ("时间(UTC+8)", "2018-12-31T15"),
    ],
)
def test_zones_of_the_header_count(tmp_path, head, first):
    seen = observations.read([long(tmp_path, f"{head},城市,PM2.5", "10")]).hourly
    assert seen["time"].values[0] == np.datetime64(first, "ns")


def test_a_zone_nobody_knows_and_a_unit_in_the_title_are_refused(tmp_path):
    with pytest.raises(InputError, match="time zone"):
        observations.read([long(tmp_path, "时间(EST),城市,PM2.5", "10")])
    path = tmp_path / "t.csv"
    path.write_text("单位：mg/m3,,\n时间,城市,PM2.5\n2019-01-01 00:00,西安,0.1\n", encoding="utf-8")
    with pytest.raises(InputError, match="title"):
        observations.read([path])


def test_hidden_sheets_stay_out_and_errors_are_named(tmp_path):
    path = tmp_path / "o.xlsx"
    with xlsxwriter.Workbook(path) as made:
        for name, city, hidden in (("旧", "咸阳", True), ("西安", "西安", False)):
            sheet = made.add_worksheet(name)
            sheet.write_row(0, 0, ["时间", "城市", "PM2.5", "气温(℃)"])
            sheet.write_row(1, 0, ["2019-01-01 00:00", city, 10, 3])
            if hidden:
                sheet.hide()
            else:
                sheet.activate()
    seen = observations.read([path])
    assert seen.hourly.sizes["site"] == 1
    notes = "\n".join(n.text("en") for n in seen.notes)
    assert "旧" in notes
    assert "气温(℃)" in notes
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet("a")
        sheet.write_row(0, 0, ["时间", "城市", "PM2.5"])
        sheet.write_row(1, 0, ["2019-01-01 00:00", "西安"])
        sheet.write_formula(1, 2, "=NA()", None, "#N/A")
    with pytest.raises(InputError, match="Excel error"):
        observations.read([path])


def test_serials_near_the_hour_are_that_hour(tmp_path):
    seen = observations.read([long(tmp_path, "时间,城市,PM2.5", "10", time="43466.333333")]).hourly
    assert seen["time"].values[0] == np.datetime64("2018-12-31T23", "ns")
