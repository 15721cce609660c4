"""Hourly observations: every layout and every oddity of the published files, and the real file that comes along."""

from __future__ import annotations

import datetime as dt

import numpy as np
import openpyxl
import pandas as pd
import pytest
from cnemc import CITY_TYPES, plain, wide

from airsim import observations, rules, shipped
from airsim.assess import aqi, evaluation
from airsim.errors import InputError

DAY = dt.date(2019, 1, 3)
NEXT = dt.date(2019, 1, 4)
REAL = shipped.path("data/observations/hourly_2018-12_2019-03.csv")


@pytest.fixture
def write(tmp_path):
    def put(text, name="a.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return put


def said(read):
    return "\n".join(n.text() for n in read.notes)


def at(read, city, when, name="pm25"):
    """Return a value by Beijing time of the start of its hour."""
    return float(read.hourly[name].sel(site=city, time=np.datetime64(when) - np.timedelta64(8, "h")))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_published_layout_in_every_encoding_and_line_end(write, encoding, end):
    path = write(wide(["西安", "宝鸡", "北京"], [DAY], plain(), end=end), encoding=encoding)
    read = observations.read([path])
    assert read.hourly["site"].values.tolist() == ["xian", "baoji"]
    assert "北京" in said(read)
    assert at(read, "xian", "2019-01-03T12") == 53  # printed under hour 13
    assert at(read, "xian", "2019-01-03T12", "co") == pytest.approx(930)  # 0.93 mg/m3


def test_hour_is_named_by_its_beginning_and_hour_0_belongs_to_the_day_before(write):
    read = observations.read([write(wide(["西安"], [DAY], plain()))])
    first, last = read.hourly["time"].values[[0, -1]]
    # hour 0 of 3 January is 23:00 to 24:00 of the 2nd, 15:00 to 16:00 UTC
    assert first == np.datetime64("2019-01-02T15")
    assert last == np.datetime64("2019-01-03T14")
    assert at(read, "xian", "2019-01-02T23") == 40


def test_averaged_rows_between_the_hourly_ones_are_not_read_but_counted(write):
    def value(place, day, hour, kind):
        return 999 if kind.endswith(("24h", "8h")) else plain()(place, day, hour, kind)

    read = observations.read([write(wide(["西安"], [DAY], value))])
    assert float(read.hourly["pm25"].max()) == 63
    assert f"{24 * sum(t.endswith(('24h', '8h')) for t in CITY_TYPES)} rows of 8 h or 24 h means" in said(read)


def test_absent_hours_stay_absent_and_are_counted(write):
    path = write(wide(["西安", "宝鸡"], [DAY], plain(), absent=[(DAY, 5), (DAY, 6)]))
    read = observations.read([path])
    assert read.hourly.sizes["time"] == 24
    assert np.isnan(at(read, "xian", "2019-01-03T04"))
    assert "2 of 24 hours are absent" in said(read)


def test_a_file_cut_inside_a_number_gives_up_that_row_alone(write):
    text = wide(["西安", "宝鸡"], [DAY], plain({"CO": 1.25}), types=["AQI", "PM2.5", "CO"])
    short = text[: text.rindex(",")]  # the last cell and its comma are gone
    read = observations.read([write(short)])
    assert "1 rows with fewer cells than the header" in said(read)
    assert np.isnan(at(read, "xian", "2019-01-03T22", "co"))
    assert at(read, "xian", "2019-01-03T22") == 63


def test_a_last_number_without_a_line_end_may_be_cut_and_is_not_taken(write):
    text = wide(["西安", "宝鸡"], [DAY], plain({"CO": 1.25}), types=["PM2.5", "CO"])
    read = observations.read([write(text.rstrip("\n")[:-1])])  # 1.48 became 1.4
    assert np.isnan(at(read, "baoji", "2019-01-03T22", "co"))
    assert at(read, "xian", "2019-01-03T22", "co") == pytest.approx(1480)
    assert "file is cut off" in said(read)


def test_a_doubled_column_is_taken_once_where_it_agrees_and_missing_where_not(write):
    def value(place, day, hour, kind):
        calls[place] = calls.get(place, 0) + 1
        second = place == "西安" and calls[place] % 2 == 0
        return 77 if second and hour == 3 and kind == "PM2.5" else plain()(place, day, hour, kind)

    calls: dict[str, int] = {}
    read = observations.read([write(wide(["西安", "宝鸡", "西安"], [DAY], value, types=["PM2.5", "PM10"]))])
    assert np.isnan(at(read, "xian", "2019-01-03T02"))
    assert at(read, "xian", "2019-01-03T03") == 44
    assert at(read, "baoji", "2019-01-03T02") == 43
    assert "columns of the same name" in said(read)
    assert "1 hourly values: given twice, with different values" in said(read)


def test_empty_columns_and_sites_of_two_hours_are_named(write):
    def value(place, day, hour, kind):
        if place == "宝鸡" or (place == "铜川" and hour > 1):
            return None
        return plain()(place, day, hour, kind)

    days = [DAY, NEXT, dt.date(2019, 1, 5)]
    read = observations.read([write(wide(["西安", "宝鸡", "铜川"], days, value))])
    assert "places without any value: baoji" in said(read)
    assert "fewer than half the hours a daily mean needs: tongchuan" in said(read)


def test_places_may_change_between_files_and_within_one(write):
    first = wide(["西安", "宝鸡"], [DAY], plain())
    second = wide(["渭南", "西安"], [NEXT], plain({"PM2.5": 90}))
    for files in ([write(first, "1.csv"), write(second, "2.csv")], [write(first + second, "3.csv")]):
        read = observations.read(files)
        assert set(read.hourly["site"].values) == {"xian", "baoji", "weinan"}
        assert at(read, "xian", "2019-01-04T11") == 102
        assert at(read, "weinan", "2019-01-04T11") == 102
        assert np.isnan(at(read, "baoji", "2019-01-04T11"))
    assert "2 different headers in one file" in said(read)


def test_files_may_overlap(write):
    text = wide(["西安"], [DAY], plain(), types=["PM2.5"])
    read = observations.read([write(text, "1.csv"), write(text, "2.csv")])
    assert "24 values given twice and equal" in said(read)
    assert at(read, "xian", "2019-01-03T12") == 53


def test_exchanged_ozone_is_put_right_and_said(write):
    def value(place, day, hour, kind):
        if kind == "O3":  # holds the day's maximum so far
            return 80
        if kind == "O3_24h":
            return 20 + hour
        return plain()(place, day, hour, kind)

    read = observations.read([write(wide(["西安"], [DAY], value))])
    assert at(read, "xian", "2019-01-03T12", "o3") == 33
    assert "exchanged in the file" in said(read)


def test_long_layout_of_cities_with_other_headers(write):
    text = "监测时间,城市,PM2.5(μg/m³),PM10,CO(μg/m³),风向\n"
    text += "2019-01-03 01:00:00,西安市,41,70,900,NNW\n2019/1/3 24:00,西安,,NA,1100,N\n"
    read = observations.read([write(text)])
    assert at(read, "xian", "2019-01-03T00") == 41
    assert at(read, "xian", "2019-01-03T23", "co") == 1100
    assert np.isnan(at(read, "xian", "2019-01-03T23"))
    assert "mg/m3" not in said(read)


def test_tidy_layout_with_marks(write):
    text = "日期,小时,城市,污染物,浓度,数据标识\n2019-01-03,1,西安,PM2.5,41,N\n2019-01-03,2,西安,PM2.5,42,D\n"
    text += "2019-01-03,3,西安,PM2.5,43(H),\n2019-01-03,4,西安,PM2.5,44,\n2019-01-03,1,西安,CO,0.9,\n"
    read = observations.read([write(text)])
    assert [at(read, "xian", f"2019-01-03T0{h}") for h in (0, 3)] == [41, 44]
    assert np.isnan([at(read, "xian", f"2019-01-03T0{h}") for h in (1, 2)]).all()
    assert "2 hourly values: marked invalid" in said(read)


def test_a_zoned_time_keeps_its_zone(write):
    text = "time,city,PM2.5,PM10\n2019-01-02T17:00:00Z,xian,41,70\n2019-01-03T02:00:00+08:00,xian,42,71\n"
    read = observations.read([write(text)])
    assert at(read, "xian", "2019-01-03T00") == 41
    assert at(read, "xian", "2019-01-03T01") == 42


def test_workbook(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["西安市空气质量小时数据"])
    sheet.append(["日期", "小时", "城市", "PM2.5", "PM10", "CO(mg/m3)"])
    sheet.append([dt.datetime(2019, 1, 3), 5, "西安", 120, "150", 1.2])
    path = tmp_path / "a.xlsx"
    book.save(path)
    read = observations.read([path])
    assert at(read, "xian", "2019-01-03T04") == 120
    assert at(read, "xian", "2019-01-03T04", "co") == pytest.approx(1200)


def test_station_rows_that_name_their_city_need_no_list(write):
    text = "日期,小时,城市,站点,PM2.5,PM10\n2019-01-03,1:00,西安,小寨,40,70\n2019-01-03,1:00,西安市,草滩,60,90\n"
    read = observations.read([write(text + "2019-01-03,01:00:00,北京,天坛,500,600\n")])
    assert read.hourly["site"].values.tolist() == ["小寨", "草滩"]
    assert float(read.cities()["pm25"].sel(city="xian").max()) == 50


STATIONS = """监测点编码,监测点名称,城市,经度,纬度,对照点
1462A,小寨,西安,108.940,34.2324,N
1463A,兴庆小区,西安,108.993,34.2629,N
1464A,草滩,西安,108.869,34.3780,Y
1500A,天坛,北京,116.407,39.8863,N
"""


def test_station_codes_need_the_list(write):
    path = write(wide(["1462A", "1463A"], [DAY], plain()))
    with pytest.raises(InputError, match="station list"):
        observations.read([path])


def test_stations_make_city_means_without_control_and_foreign_ones(write):
    def value(place, day, hour, kind):
        if place == "1463A" and hour == 7:
            return None
        return plain()(place, day, hour, kind) + {"1462A": 0, "1463A": 10, "1464A": 500, "1500A": 900}[place]

    listed = write(STATIONS, "stations.csv", encoding="gb18030")
    read = observations.read([write(wide(["1462A", "1463A", "1464A", "1500A"], [DAY], value))], listed)
    assert read.hourly["site"].values.tolist() == ["1462A", "1463A"]
    assert float(read.hourly["longitude"].sel(site="1462A")) == 108.94
    assert "1 control stations" in said(read)
    cities = read.cities()
    assert cities["city"].values.tolist() == ["xian"]
    hour = {h: np.datetime64(f"2019-01-03T{h:02d}") - np.timedelta64(8, "h") for h in (5, 6)}
    assert float(cities["pm25"].sel(city="xian", time=hour[5])) == 46 + 5
    # one of two is less than three quarters of the stations
    assert np.isnan(float(cities["pm25"].sel(city="xian", time=hour[6])))
    assert float(read.cities(share=0.5)["pm25"].sel(city="xian", time=hour[6])) == 47


def test_a_published_city_mean_is_not_averaged_with_its_stations(write):
    city = write(wide(["西安"], [DAY], plain({"PM2.5": 100})), "city.csv")
    station = write(wide(["1462A"], [DAY], plain({"PM2.5": 10})), "station.csv")
    read = observations.read([city, station], write(STATIONS, "stations.csv"))
    means = read.cities()["pm25"].sel(city="xian")
    assert means.values.tolist() == [100 + h for h in range(24)]


def test_impossible_values_are_missing_and_suspect_ones_kept(write):
    def value(place, day, hour, kind):
        special = {("PM2.5", 3): -5, ("PM10", 4): 99999, ("PM2.5", 6): 200, ("PM10", 6): 70}
        if kind == "SO2":
            return 12  # never changes
        return special.get((kind, hour), plain()(place, day, hour, kind))

    read = observations.read([write(wide(["西安"], [DAY, NEXT], value))])
    assert np.isnan(at(read, "xian", "2019-01-03T02"))
    assert np.isnan(at(read, "xian", "2019-01-03T03", "pm10"))
    assert at(read, "xian", "2019-01-03T05") == 200
    assert "2 hourly values: PM2.5 above PM10" in said(read)  # on both days
    assert "48 hourly values: the same for 24 hours" in said(read)
    quality = read.hourly["quality"].sel(site="xian")
    assert (quality.sel(species="so2") == observations.FLAGS["stuck"][0]).all()


def test_carbon_monoxide_in_another_unit_is_refused(write):
    path = write(wide(["西安"], [DAY], plain({"CO": 900})))
    with pytest.raises(InputError, match=r"CO.*cannot be mg/m3"):
        observations.read([path])


def test_times_in_utc_are_noticed_by_their_ozone(write):
    days = [dt.date(2019, 1, 1) + dt.timedelta(days=d) for d in range(8)]

    def value(shift):
        def one(place, day, hour, kind):
            if kind == "O3":
                return round(60 + 50 * np.cos(2 * np.pi * (hour - 16 + shift) / 24))
            return plain()(place, day, hour, kind)

        return one

    beijing = observations.read([write(wide(["西安"], days, value(0)), "b.csv")])
    utc = observations.read([write(wide(["西安"], days, value(8)), "u.csv")])
    assert "are these times UTC" not in said(beijing)
    assert "are these times UTC" in said(utc)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("date,hour,type,西安\n20190103,25,PM2.5,40\n", r"a\.csv:2: 'date'.*20190103 25.*hour 0 to 24"),
        ("date,hour,type,西安\n20190230,5,PM2.5,40\n", r"a\.csv:2: 'date'"),
        ("date,hour,type,西安\n20190103,5,PM2.5,4O\n", r"a\.csv:2: 'PM2.5', value 4O: must be a number"),
        ("name,share\nA,0.5\n", "no known layout"),
        ("date,hour,type,北京\n20190103,5,PM2.5,40\n", "no value of the region"),
        ("time,city,PM2.5\n2019-01-03 05:30,西安,40\n", r"'date', value 2019-01-03 05:30"),
        ("date,city,PM2.5\n2019-01-03,西安,40\n2019-01-04,西安,50\n", "daily values are not hourly"),
    ],
)
def test_bad_files_are_refused_with_line_and_value(write, text, match):
    with pytest.raises(InputError, match=match):
        observations.read([write(text)])


def test_all_problems_of_all_files_at_once(write):
    bad = "date,hour,type,西安\n20190103,5,PM2.5,x\n20190103,6,PM2.5,y\n"
    with pytest.raises(InputError) as error:
        observations.read([write(bad, "1.csv"), write(bad, "2.csv")])
    assert len(error.value.problems) == 4


# ---- the real file


@pytest.fixture(scope="module")
def real():
    return observations.read([REAL])


def test_real_file_is_read_whole(real):
    assert real.hourly["site"].size == 13
    assert real.hourly.sizes["time"] == 121 * 24
    assert "166 of 2904 hours are absent" in said(real)


def test_printed_aqi_is_reproduced_within_one(real):
    """HJ 633-2012 for the hourly report, against 35,434 printed values; city values come from unrounded means."""
    rule = rules.load("aqi", version="HJ633-2012")
    c = real.hourly
    index = aqi.aqi(
        {
            "so2_1h": c.so2.values,
            "no2_1h": c.no2.values,
            "co_1h": c.co.values / 1e3,
            "o3_1h": c.o3.values,
            "pm10_24h": c.pm10.values,
            "pm25_24h": c.pm25.values,
        },
        rule,
    )
    difference = (index - c.aqi.values)[np.isfinite(index) & np.isfinite(c.aqi.values)]
    assert difference.size > 35000
    assert set(np.unique(difference)) <= {-1.0, 0.0, 1.0}
    assert (difference == 0).mean() > 0.85


def test_shipped_statistics_of_january_come_from_the_hourly_file(real):
    january = real.cities().sel(time=slice("2018-12-31T16", "2019-01-31T15"))
    made = evaluation.observed_statistics(january).set_index(["city", "variable"])
    table = evaluation.read_observed(shipped.path("data/observations/january_2019.csv")).set_index(["city", "variable"])
    columns = ["hours", "mean", "p10", "p50", "p90", *evaluation.HOURS]
    both = made.loc[table.index, columns].astype(float)
    pd.testing.assert_frame_equal(both, table[columns].astype(float), atol=0.051, rtol=0)
