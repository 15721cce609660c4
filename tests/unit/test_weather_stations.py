"""AERMET, EPW, ISD-Lite and plain station tables, and the field that stations make."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import weather_files as wf

from airsim import meteorology, plume
from airsim.errors import InputError
from airsim.geography import load, make_grid
from airsim.meteorology import aermet, boundary_layer, reading
from airsim.meteorology.epw import read_epw
from airsim.meteorology.isd import read_isd
from airsim.meteorology.station_table import moment_of, read_station_tables
from airsim.meteorology.stations import hourly

DATA = Path(__file__).parents[1] / "data"
DENVER = -7.0


@pytest.fixture(scope="module")
def place():
    return load(make_grid((107.8, 33.6, 110.2, 35.2), 20_000.0))


def said(error):
    return "\n".join(p.text("en") for p in error.value.problems)


# ---------------------------------------------------------------- AERMET


@pytest.fixture(scope="module")
def surface():
    return aermet.read_surface(DATA / "denver_2016-01.SFC", DENVER)


def test_surface_file_is_the_plumes_table(surface):
    assert surface.index[0] == pd.Timestamp("2016-01-09 07:00")  # hour 1 is 00 to 01 local standard time
    assert surface.index[23] == pd.Timestamp("2016-01-10 06:00")  # hour 24 ends the day
    assert surface["status"].value_counts().to_dict() == {"ok": 104, "calm": 15, "missing": 1}
    first = surface.iloc[10]  # 9 January, hour 11
    assert surface.attrs["place"] == (-104.65, 39.833)
    sound = surface[surface["status"] == "ok"]
    assert sound[["wind_speed", "friction_velocity", "mixing_height", "obukhov_length"]].notna().all().all()
    assert (sound["convective_velocity"][sound["obukhov_length"] > 0] == 0).all()
    assert 250 < first["air_temperature"] < 290


def test_a_calm_is_not_missing_and_a_speed_without_direction_is(surface):
    assert (surface.loc[surface["status"] == "calm", "wind_speed"] == 0).all()
    lost = surface[surface["status"] == "missing"]
    assert list(lost.index) == [pd.Timestamp("2016-01-13 03:00")]  # 12 January, hour 21: 2.36 m/s from nowhere
    assert lost["wind_speed"].isna().all()


def test_the_plume_takes_the_table_as_it_is(surface):
    sources = pd.DataFrame({"x": [0.0], "y": 0.0, "height": 50.0, "diameter": 2.0, "exit_velocity": 10.0,
                            "exit_temperature": 400.0, "rate": 100.0})  # fmt: skip
    receptors = pd.DataFrame({"x": [500.0, -2000.0], "y": [800.0, 1000.0], "z": 1.5})
    sound = surface[surface["status"] == "ok"]
    made = plume.concentration(sources, receptors, sound)
    assert np.isfinite(made.values).all()
    assert made.values.max() > 0


def test_our_surface_layer_is_that_of_aermet(surface):
    """Real AERMET hours (EPA's own code): u* of the night to a hundredth, of the day within a tenth; w* and L too."""
    hours = surface[surface["status"] == "ok"]
    up = (hours["obukhov_length"] < 0).to_numpy()
    u, length, _ = boundary_layer.surface_layer(
        hours["wind_speed"], 10.0, hours["air_temperature"], np.where(up, hours["heat_flux"], -1.0), hours["cloud"],
        hours["roughness_length"], hours["mixing_height"],
    )  # fmt: skip
    ratio = u / hours["friction_velocity"].to_numpy()
    assert np.percentile(np.abs(ratio[~up] - 1), 90) < 0.01
    assert np.percentile(np.abs(ratio[up] - 1), 90) < 0.10
    # the temperature scale 0.09 K of the night gives L as well
    night = length[~up] / hours["obukhov_length"].to_numpy()[~up]
    assert np.median(np.abs(night - 1)) < 0.02
    own = boundary_layer.obukhov_length(
        hours["friction_velocity"], hours["air_temperature"], hours["heat_flux"], 84_000.0
    )
    assert np.percentile(np.abs(own / hours["obukhov_length"] - 1), 90) < 0.05


def test_convective_velocity_is_that_of_aermet(surface):
    """From the file's own heat flux and convective height, where that is the mixing height."""
    raw = pd.read_csv(DATA / "denver_2016-01.SFC", sep=r"\s+", skiprows=1, header=None)
    known = raw[(raw[7] > 0) & (raw[9] > 0)]
    own = boundary_layer.convective_velocity(known[5], known[18], known[9], known[23] * 100)
    assert np.percentile(np.abs(own / known[7] - 1), 90) < 0.02


def test_encroachment_grows_as_aermets_convective_height(surface):
    """AERMET digs into the morning sounding of the day, we into 0.005 K/m: the same order and the same course."""
    raw = pd.read_csv(DATA / "denver_2016-01.SFC", sep=r"\s+", skiprows=1, header=None)
    heat = raw[5].where(raw[5] > -900, 0.0).to_numpy()
    temperature = raw[18].where(raw[18] < 900).ffill().to_numpy()
    own = boundary_layer.encroachment(heat[:, None], temperature[:, None], np.full((120, 1), 100.0), pressure=84_000.0)[
        :, 0
    ]
    both = (raw[9].to_numpy() > 0) & (heat > 0)
    afternoon = both & (raw[4].to_numpy() >= 13)
    ratio = own[afternoon] / raw[9].to_numpy()[afternoon]
    assert 0.5 < np.median(ratio) < 2
    assert np.corrcoef(own[both], raw[9].to_numpy()[both])[0, 1] > 0.5


def test_hours_of_upward_heat_without_w_star_are_not_stable(tmp_path):
    lines = (DATA / "denver_2016-01.SFC").read_text().splitlines()
    row = next(i for i, line in enumerate(lines) if line.split()[4:5] == ["13"] and float(line.split()[7]) > 0.5)
    words = lines[row].split()
    assert float(words[7]) > 0
    words[7], words[9] = "-9.000", "-999."
    lines[row] = " ".join(words)
    path = tmp_path / "cut.sfc"
    path.write_text("\n".join(lines))
    hour = aermet.read_surface(path, DENVER).iloc[row - 1]
    assert hour["convective_velocity"] > 0.3
    assert hour["obukhov_length"] < 0
    assert "encroachment" in hour["diagnosed"]


def test_years_of_four_digits_25_fields_and_no_header(tmp_path, surface):
    lines = (DATA / "denver_2016-01.SFC").read_text().splitlines()[1:]
    path = tmp_path / "bare.sfc"
    path.write_text("\n".join("20" + " ".join(line.split()[:25]) for line in lines))
    again = aermet.read_surface(path, DENVER)
    pd.testing.assert_frame_equal(again, surface)


def test_a_large_length_means_neutral(tmp_path):
    line = (DATA / "denver_2016-01.SFC").read_text().splitlines()[1].split()
    line[11] = "8888.0"
    path = tmp_path / "neutral.sfc"
    path.write_text(" ".join(line))
    assert aermet.read_surface(path, 8).iloc[0]["obukhov_length"] == 1e5


@pytest.mark.parametrize(
    ("mend", "words"),
    [
        (lambda lines: [*lines[:4], lines[3], *lines[4:]], "each once"),
        (lambda lines: [*lines[:4], *lines[6:]], "2 hour(s) are absent"),
        (lambda lines: [*lines[:4], lines[4][:60], *lines[5:]], "must hold 25 numbers"),
        (lambda lines: [lines[0], lines[1].replace(" 1 ", " 25 ", 2)], "hour"),
    ],
)
def test_bad_surface_files_name_the_line(tmp_path, mend, words):
    path = tmp_path / "bad.sfc"
    path.write_text("\n".join(mend((DATA / "denver_2016-01.SFC").read_text().splitlines())))
    with pytest.raises(InputError) as error:
        aermet.read_surface(path, DENVER)
    assert words in said(error)
    assert f"{path}:" in said(error)


def test_profile_levels_may_vary_and_are_celsius(tmp_path, surface):
    profile = aermet.read_profile(DATA / "denver_2016-01.PFL", DENVER)
    sound = surface[surface["status"] == "ok"]
    at = profile.xs(10.0, level="height").loc[sound.index]
    np.testing.assert_allclose(at["air_temperature"], sound["air_temperature"], atol=0.3)
    np.testing.assert_allclose(at["wind_speed"], sound["wind_speed"], atol=0.01)
    assert profile["sigma_theta"].isna().all()
    path = tmp_path / "tower.pfl"
    path.write_text("88 3 1 1  10.0 0  250. 3.1 -2.0 99 99\n88 3 1 1 100.0 1 260. 5.0 -1.0 12.0 .3\n"
                    "88 3 1 2  10.0 1 999. -999 -2.5 99 99\n")  # fmt: skip
    tower = aermet.read_profile(path, -5)
    assert list(tower.groupby("time").size()) == [2, 1]
    assert tower.index[0][0] == pd.Timestamp("1988-03-01 05:00")
    assert np.isnan(tower["wind_speed"].iloc[2])
    path.write_text("88 3 1 1  10.0 0  250. 3.1 -2.0 99 99\n88 3 1 2  10.0 1 999. -999 -2.5 99 99\n")
    with pytest.raises(InputError) as error:
        aermet.read_profile(path, -5)
    assert "top flag" in said(error)


# ---------------------------------------------------------------- EPW


def test_epw_hours_begin_an_hour_before_their_number(tmp_path):
    path = wf.write_epw(tmp_path / "xian.epw")
    known = read_epw(path)
    assert known.time[0] == np.datetime64("2000-12-31T16:00")  # 1 January, hour 1, UTC+8; of mixed years: 2001
    assert len(known.time) == 8760
    assert known.place["altitude"].iloc[0] == 479
    noon = known.values["air_temperature"][12, 0]  # hour 13 of 1 January: 12 to 13
    assert noon == pytest.approx(273.15 + 0.5)
    assert not known.actual
    assert np.isnan(known.values["cloud_area_fraction"][5, 0])  # 99
    assert np.isnan(known.values["eastward_wind_10m"][7, 0])  # 999
    assert known.values["eastward_wind_10m"][8, 0] == 0  # a calm


def test_a_typical_year_is_laid_over_the_hours_and_says_so(tmp_path, place):
    path = wf.write_epw(tmp_path / "xian.epw")
    start = np.datetime64("2019-12-30T16:00")
    known = read_epw(path, start, 72)  # over New Year, into a leap year
    values, _ = hourly(known, start, 72)
    first = values["air_temperature"][:, 0] - 273.15
    np.testing.assert_allclose(first[:24], [14 + h / 24 for h in range(24)], atol=1e-5)  # day 364
    np.testing.assert_allclose(first[48:], [1 + h / 24 for h in range(24)], atol=1e-5)
    dataset = reading.read("stations", [path], place, start, 72)
    assert meteorology.check(dataset) == []
    assert dataset.attrs["synthetic"] == "typical year"
    assert "typical year" in dataset.attrs["notes"]


def test_a_header_of_seven_lines_is_found_and_none_is_refused(tmp_path):
    path = wf.write_epw(tmp_path / "a.epw", header=7)
    assert len(read_epw(path).time) == 8760
    path.write_text("LOCATION,somewhere\n1,2,3\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_epw(path)
    assert "DATA PERIODS" in said(error)


# ---------------------------------------------------------------- ISD-Lite


def isd_line(t, temperature=-10, dew=-50, direction=270, wind=30, sky=4, one=-9999, six=-9999):
    return f"{t:%Y %m %d %H} {temperature:5d} {dew:5d} 10250 {direction:5d} {wind:5d} {sky:5d} {one:5d} {six:5d}"


def station_list(folder):
    path = folder / "isd-history.csv"
    path.write_text(
        '"USAF","WBAN","STATION NAME","CTRY","STATE","ICAO","LAT","LON","ELEV(M)","BEGIN","END"\n'
        '"570360","99999","XIAN","CH","","ZLXY","+34.433","+108.750","+0479.0","19730101","20250101"\n',
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_isd_lite_plain_and_gzipped(tmp_path, packed):
    t = pd.date_range("2019-01-01", periods=8, freq="h").delete(4)
    lines = [isd_line(x, direction=d, wind=w, one=p, sky=s) for x, d, w, p, s in zip(
        t, (270, 0, -9999, 180, 90, 90, 90), (30, 0, 15, -9999, 10, 10, 10), (0, -1, 5, -9999, 0, 0, 0),
        (8, -9999, 9, 12, 0, 15, 19), strict=True)]  # fmt: skip
    name = "570360-99999-2019" + (".gz" if packed else "")
    content = ("\n".join(lines) + "\n").encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if packed else content)
    known = read_isd([tmp_path / name], station_list(tmp_path))
    u, v = (known.values[f"{c}ward_wind_10m"][:, 0] for c in ("east", "north"))
    assert len(known.time) == 7  # an absent hour is an absent row
    assert (u[0], v[0]) == (pytest.approx(3.0), pytest.approx(0, abs=1e-9))  # 30 is 3 m/s from the west
    assert (u[1], v[1]) == (0, 0)  # calm
    assert np.isnan(u[2])  # variable
    assert np.isnan(u[3])  # no speed
    assert known.values["air_temperature"][0, 0] == pytest.approx(272.15)
    np.testing.assert_allclose(known.values["precipitation_flux"][:3, 0] * 3600, [0, 0, 0.5])  # a trace is none
    np.testing.assert_array_equal(known.values["cloud_area_fraction"][:, 0] * 8, [8, np.nan, 8, 3, 0, 6, 8])
    assert known.place["longitude"].iloc[0] == 108.75
    assert any("variable direction" in n.en for n in known.notes)


def test_isd_needs_to_know_where_it_is(tmp_path):
    path = tmp_path / "570360-99999-2019"
    path.write_text(isd_line(pd.Timestamp("2019-01-01")) + "\n")
    with pytest.raises(InputError) as error:
        read_isd([path], None)
    assert "isd-history.csv" in said(error)
    with pytest.raises(InputError) as error:
        read_isd([path.rename(tmp_path / "111111-99999-2019")], station_list(tmp_path))
    assert "not in the station list" in said(error)


def test_isd_bad_lines_are_all_told(tmp_path):
    path = tmp_path / "570360-99999-2019"
    good = isd_line(pd.Timestamp("2019-01-01"))
    path.write_text(good + "\n" + good[:30] + "\n" + good.replace("-10", "x") + "\n")
    with pytest.raises(InputError) as error:
        read_isd([path], station_list(tmp_path))
    assert [p.where for p in error.value.problems] == ["2", "3"]


def test_six_hours_of_rain_are_shared_out(tmp_path):
    t = pd.date_range("2019-01-01", periods=7, freq="h")
    lines = [isd_line(x, six=36 if x.hour == 6 else -9999) for x in t]
    (tmp_path / "570360-99999-2019").write_text("\n".join(lines))
    known = read_isd([tmp_path / "570360-99999-2019"], station_list(tmp_path))
    np.testing.assert_allclose(known.values["precipitation_flux"][1:, 0] * 3600, 0.6)
    assert np.isnan(known.values["precipitation_flux"][0, 0])


# ---------------------------------------------------------------- plain tables

HEAD = "站号,时间,经度,纬度,海拔,风速(m/s),风向,气温(℃),相对湿度(%),总云量,小时降水量(mm)"


def table(rows, head=HEAD):
    return head + "\n" + "\n".join(rows) + "\n"


def rows(hours, station="57036", lon=108.97, lat=34.44, wind="2.0,NE", day="2019-01-01"):
    return [f"{station},{day} {h:02d}:00,{lon},{lat},410,{wind},-1.5,60,5,0" for h in hours]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_chinese_table_in_any_encoding(tmp_path, encoding):
    path = tmp_path / "站点气象.csv"
    path.write_text(table(rows(range(24))), encoding=encoding)
    known = read_station_tables([path], None, 8.0)
    assert known.time[0] == np.datetime64("2018-12-31T16:00")
    assert known.values["air_temperature"][0, 0] == pytest.approx(271.65)
    assert known.values["cloud_area_fraction"][0, 0] == 0.5  # 5 of 10
    u, v = (known.values[f"{c}ward_wind_10m"][0, 0] for c in ("east", "north"))
    assert u == pytest.approx(-np.sqrt(2))
    assert v == pytest.approx(-np.sqrt(2))


def test_an_excel_table_with_real_dates(tmp_path):
    frame = pd.DataFrame({
        "station": "57036", "time": pd.date_range("2019-01-01", periods=24, freq="h"), "longitude": 108.97,
        "latitude": 34.44,
        "wind_speed": 2.0, "wind_from_direction": 45, "air_temperature": -1.5, "relative_humidity": 60.0,
    })  # fmt: skip
    path = tmp_path / "weather.xlsx"
    frame.to_excel(path, index=False)
    known = read_station_tables([path], None, 8.0)
    assert len(known.time) == 24
    assert known.values["eastward_wind_10m"][3, 0] == pytest.approx(-np.sqrt(2))


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2019-01-01 08:00", "2019-01-01T00:00"),
        ("2019/1/1 8:00:00", "2019-01-01T00:00"),
        ("2019年1月1日8时", "2019-01-01T00:00"),
        ("2019010108", "2019-01-01T00:00"),
        ("2019-01-01 24:00", "2019-01-01T16:00"),
        ("2019-01-31 24:00", "2019-01-31T16:00"),
        ("2019-01-01T08:00Z", "2019-01-01T08:00"),
        ("2019-01-01T08:00+08:00", "2019-01-01T00:00"),
        ("2019-01-01", "2018-12-31T16:00"),
        ("2019-01-01 25:00", None),
        ("2019-01-01 24:30", None),
        ("2019-02-30 08:00", None),
        ("yesterday", None),
    ],
)
def test_times_in_the_usual_spellings(text, utc):
    assert moment_of(text, 8.0) == (None if utc is None else np.datetime64(utc))


def test_the_hour_in_a_column_of_its_own(tmp_path):
    head = "站号,日期,小时,经度,纬度,风速,风向,气温,相对湿度"
    path = tmp_path / "a.csv"
    lines = [f"57036,20190101,{h},108.97,34.44,1,C,0,50" for h in range(1, 25)]
    path.write_text(table(lines, head).replace(",1,C,", ",0,静风,"), encoding="utf-8")
    known = read_station_tables([path], None, 8.0)
    assert known.time[0] == np.datetime64("2018-12-31T17:00")
    assert known.time[-1] == np.datetime64("2019-01-01T16:00")  # 24 is 0 of the next day
    assert (known.values["northward_wind_10m"] == 0).all()


def test_codes_for_missing_are_blanked_and_the_impossible_refused(tmp_path):
    lines = rows(range(6))
    lines[2] = lines[2].replace("-1.5,60", "999999,-9999")
    path = tmp_path / "a.csv"
    path.write_text(table(lines), encoding="utf-8")
    known = read_station_tables([path], None, 8.0)
    assert np.isnan(known.values["air_temperature"][2, 0])
    assert any("2 code(s) for missing" in n.en for n in known.notes)
    lines[4] = lines[4].replace("-1.5,60", "271.6,60")
    path.write_text(table(lines), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_station_tables([path], None, 8.0)
    assert f"{path}:6: 'air_temperature', value 271.6: must lie within -60 to 55" in said(error)


def test_a_temperature_in_kelvin_by_its_header_is_converted(tmp_path):
    path = tmp_path / "a.csv"
    lines = [line.replace("-1.5,60", "271.65,60") for line in rows(range(3))]
    path.write_text(table(lines).replace("气温(℃)", "气温(K)"), encoding="utf-8")
    known = read_station_tables([path], None, 8.0)
    np.testing.assert_allclose(known.values["air_temperature"], 271.65)


def test_a_doubled_hour_is_refused_and_a_doubled_row_told(tmp_path):
    lines = rows(range(4))
    path = tmp_path / "a.csv"
    path.write_text(table([*lines, lines[1]]), encoding="utf-8")
    known = read_station_tables([path], None, 8.0)
    assert any("given twice" in n.en for n in known.notes)
    path.write_text(table([*lines, lines[1].replace("-1.5", "-2.5")]), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_station_tables([path], None, 8.0)
    assert "daylight saving" in said(error)


def test_bad_directions_and_missing_columns_are_told(tmp_path):
    path = tmp_path / "a.csv"
    lines = [rows([h], wind=w)[0] for h, w in enumerate(("2.0,NNNW", "2.0,361", "3.0,静风"))]
    path.write_text(table(lines), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_station_tables([path], None, 8.0)
    assert len(error.value.problems) == 3
    path.write_text("站号,时间,风速\n1,2019-01-01 00:00,2\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_station_tables([path], None, 8.0)
    assert {p.key for p in error.value.problems} == {"air_temperature", "relative_humidity", "wind_from_direction"}
    path.write_text(table(rows(range(2))).replace("经度", "x").replace("纬度", "y"), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_station_tables([path], None, 8.0)
    assert "station_list" in said(error)


# ---------------------------------------------------------------- the field


def two_stations(tmp_path, hours=24, **second):
    path = tmp_path / "two.csv"
    a = rows(range(hours), wind="2.0,90")
    b = rows(range(hours), station="57016", lon=107.95, lat=33.75, **{"wind": "1.0,180", **second})
    path.write_text(table(a + b), encoding="utf-8")
    return path


def test_stations_make_a_sound_field(tmp_path, place):
    path = two_stations(tmp_path)
    dataset = reading.read("stations", [path], place, np.datetime64("2018-12-31T16:00"), 24)
    assert meteorology.check(dataset) == []
    assert "do not trust the wind aloft" in dataset.attrs["notes"]
    grid = place.grid
    iy, ix = grid.locate(108.97, 34.44)
    # the value at the station's height comes back there, and falls with height
    here = dataset["air_temperature"].values[3, iy, ix]
    assert here == pytest.approx(271.65 - 0.0065 * (grid.terrain[iy, ix] - 410), abs=0.05)
    warm = dataset["air_temperature"].values[3]
    assert np.corrcoef(warm.ravel(), grid.terrain.ravel())[0, 1] < -0.99
    # nearer the station in the plain the wind is more its east wind
    assert dataset["x_wind"].values[:, 0, iy, ix].mean() < -0.5


def test_three_hourly_reports_are_interpolated_a_longer_gap_is_refused(tmp_path, place):
    path = tmp_path / "a.csv"
    path.write_text(table(rows(range(0, 24, 3)) + rows([0], day="2019-01-02")), encoding="utf-8")
    start = np.datetime64("2018-12-31T16:00")
    assert "up to 3 h apart" in reading.read("stations", [path], place, start, 24).attrs["notes"]
    path.write_text(table(rows([*range(10), *range(15, 24)])), encoding="utf-8")
    with pytest.raises(InputError) as error:
        reading.read("stations", [path], place, start, 24)
    assert "2019-01-01 01:00 UTC" in said(error)
    assert "for 6 hour(s)" in said(error)
    assert {p.key for p in error.value.problems} == {"wind", "air_temperature", "relative_humidity"}


def test_utc_given_as_beijing_time_is_noticed(tmp_path, place):
    hours = np.arange(48)
    course = 5 * np.cos(2 * np.pi * (hours - 15) / 24)  # warmest at 15 Beijing time
    stamps = [f"2019-01-{1 + h // 24:02d} {h % 24:02d}:00" for h in hours]
    lines = [f"57036,{s},108.97,34.44,410,2,90,{t:.1f},60,5,0" for s, t in zip(stamps, course, strict=True)]
    path = tmp_path / "a.csv"
    path.write_text(table(lines), encoding="utf-8")
    start = np.datetime64("2018-12-31T16:00")
    assert "WARNING" not in reading.read("stations", [path], place, start, 46).attrs["notes"]
    wrong = reading.read("stations", [path], place, start + np.timedelta64(8, "h"), 46, utc_offset=0.0)
    assert wrong.attrs["notes"].startswith("WARNING: the daily course of temperature")
    assert "local (UTC+7)" in wrong.attrs["notes"]


def test_stations_far_away_are_refused(tmp_path, place):
    path = tmp_path / "a.csv"
    path.write_text(table(rows(range(24), lon=121.5, lat=31.2)), encoding="utf-8")
    with pytest.raises(InputError) as error:
        reading.read("stations", [path], place, np.datetime64("2018-12-31T16:00"), 24)
    assert "no station within 100 km" in said(error)


def test_files_of_several_kinds_stand_side_by_side(tmp_path, place):
    t = pd.date_range("2018-12-31 15:00", periods=27, freq="h")
    (tmp_path / "570360-99999-2019").write_text("\n".join(isd_line(x) for x in t))
    files = [two_stations(tmp_path), tmp_path / "570360-99999-2019"]
    lists = tmp_path / "list.csv"
    places = ("57036,,108.97,34.44,410", "57016,,107.95,33.75,410", "570360,99999,108.75,34.43,479")
    lists.write_text("\n".join(("站号,WBAN,经度,纬度,海拔", *places)), encoding="utf-8")
    dataset = reading.read("stations", files, place, np.datetime64("2018-12-31T16:00"), 24, station_list=lists)
    assert "3 station(s)" in dataset.attrs["title"]
