"""What `airsim met inspect` says of files, sound or not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import weather_files as wf
from typer.testing import CliRunner

from airsim.cli import app
from airsim.errors import InputError
from airsim.meteorology import inspection, reading
from airsim.output import html
from airsim.output.sections import weather as weather_page

DATA = Path(__file__).parents[1] / "data"


def call(*arguments):
    return CliRunner().invoke(app, ["met", "inspect", *(str(a) for a in arguments)])


@pytest.fixture(scope="module")
def gappy(tmp_path_factory):
    """Forty hours of WRF over the whole region, with five of them missing."""
    folder = tmp_path_factory.mktemp("met")
    times = np.delete(wf.hours(40), np.arange(22, 27))
    return wf.write_wrf(folder / "wrfout_d01", times, nx=34, ny=22)


def test_wrf_with_a_gap_is_listed_and_the_rest_still_told(gappy):
    found = inspection.inspect([gappy])
    assert found.gaps == [(wf.START + 22 * wf.HOUR, 5)]
    assert found.times == 35
    names = {p.name for p in found.places}
    assert {"Xi'an", "Baoji", "Luoyang"} <= names
    xian = next(p for p in found.places if p.name == "Xi'an")
    figures = inspection.summary(xian)
    assert figures["wind_mean"] == pytest.approx(0.7 * np.hypot(6, 2), rel=1e-3)
    assert figures["calm"] == 0
    assert figures["depth_10"] == pytest.approx(150, rel=0.01)
    assert 150 <= figures["depth_50"] < figures["depth_90"] < 850
    assert figures["rain"] == pytest.approx(0.36 * len(xian.hours), rel=1e-3)
    # 33 full hours on both sides of the gap: 21 before, 12 after
    assert len(xian.hours) == 33
    # a wind to the east-south-east comes from the west-north-west
    assert np.argmax(inspection.rose(xian).sum(axis=0)) == 13


def test_ventilation_is_the_mixed_layers_wind_times_its_depth(gappy):
    place = inspection.inspect([gappy]).places[0]
    night = place.hours[np.isclose(place.hours["mixing_height"], 150, atol=0.1)]
    # levels 0-50-120-250 m with the wind of their middles, of which the last is 30 m deep below 150 m
    heights, depth = np.array([25.0, 85, 185]), np.array([50.0, 70, 30])
    profile = np.hypot(6, 2) * (1 + heights / 2000)
    low = wf.FACES[0:2].mean()
    assert low == 20  # between 10 m and the first mass level the made wind is not linear: only the first differs
    np.testing.assert_allclose(night["ventilation"], (profile * depth).sum(), rtol=0.02)


def test_the_rose_counts_every_moving_hour():
    hours = pd.DataFrame({
        "wind_speed": [0.2, 0.6, 1.5, 9.0, np.nan], "wind_from_direction": [np.nan, 359.0, 45.0, 180.0, 10.0],
    })  # fmt: skip
    share = inspection.rose(inspection.Place("a", "a", 0, 0, hours))
    assert share.sum() == pytest.approx(3 / 4)
    assert share[0, 0] == share[1, 2] == share[-1, 8] == 0.25


def test_the_calendar_is_in_beijing_time(gappy):
    place = inspection.inspect([gappy]).places[0]
    table = inspection.calendar(place)
    assert str(table.index[0])[:10] == "2019-01-01"
    assert np.isnan(table.iloc[0, 7])
    assert table.iloc[0, 8] == pytest.approx(place.hours["ventilation"].iloc[0])
    assert list(table.columns) == list(range(24))


def test_every_kind_of_file_is_recognised(tmp_path, gappy):
    lon, lat = wf.era5_axes()
    single, _, _ = wf.era5_fields(wf.hours(2), lon, lat)
    (tmp_path / "a.csv").write_text("站号,时间,风速\n", encoding="utf-8")
    (tmp_path / "570360-99999-2019").write_text("2019 01 01 00   -10   -50 10250   270    30     4 -9999 -9999\n")
    kinds = {
        gappy: "wrf",
        wf.write_era5(tmp_path / "e.nc", wf.hours(2), single, lon, lat): "era5",
        wf.write_epw(tmp_path / "x.epw"): "epw",
        tmp_path / "570360-99999-2019": "isd",
        tmp_path / "a.csv": "table",
        DATA / "denver_2016-01.SFC": "aermet surface",
        DATA / "denver_2016-01.PFL": "aermet profile",
    }
    assert {p: reading.recognise(p) for p in kinds} == kinds
    (tmp_path / "b.bin").write_bytes(b"\x00\x01\x02")
    with pytest.raises(InputError):
        reading.recognise(tmp_path / "b.bin")


def test_a_bad_value_is_a_problem_and_the_page_still_comes(tmp_path):
    def cold(data, _):
        dims, values, unit = data["T2"]
        values = values.copy()
        values[3, 5, 5] = np.nan
        data["T2"] = (dims, values, unit)

    path = wf.write_wrf(tmp_path / "wrfout_d01", wf.hours(6), change=cold)
    said = call(path, "--lang", "en", "--out", tmp_path / "w.html")
    assert said.exit_code == 2
    assert "T2" in said.output
    assert (tmp_path / "w.html").is_file()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_command_prints_and_draws(tmp_path, lang):
    out = tmp_path / "met.html"
    said = call(
        DATA / "denver_2016-01.SFC", DATA / "denver_2016-01.PFL", "--utc-offset", "-7", "--lang", lang, "--out", out
    )
    assert said.exit_code == 0, said.output
    assert "120" in said.output
    assert ("静风率" if lang == "zh" else "calm") in said.output
    text = out.read_text(encoding="utf-8")
    assert "barpolar" in text
    assert "heatmap" in text
    assert "https://cdn" not in text.split("</style>")[0]


def test_aermet_with_the_wrong_zone_is_noticed():
    right, wrong = (inspection.inspect([DATA / "denver_2016-01.SFC"], utc_offset=o) for o in (-7.0, 8.0))
    assert not any("WARNING" in n.en for n in right.notes)
    assert any("WARNING" in n.en for n in wrong.notes)


def test_epw_of_a_whole_year(tmp_path):
    found = inspection.inspect([wf.write_epw(tmp_path / "x.epw")])
    page = weather_page.page(found)
    assert len(found.places[0].hours) == 8759
    assert len(inspection.calendar(found.places[0])) == 365
    assert "typical year" in html.text(page, "en")


def test_kinds_that_do_not_go_together_are_refused(gappy):
    said = call(gappy, DATA / "denver_2016-01.SFC", "--lang", "en")
    assert said.exit_code == 2
    assert "one kind at a time" in said.output
