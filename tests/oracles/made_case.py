"""The case of the oracles: a few sources in round numbers, a west wind, one list, one coal plan; written as files.

Everything an expected value is computed from stands here or in the shipped tables, never in the program.
"""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl

#: Hours that the run covers, Beijing time: a whole day and ten hours of the next, which give no daily mean.
FIRST, LAST = "2019-01-02 00:00", "2019-01-03 10:00"
SPIN_UP = 24
HOURS = 34
WIND_FROM, WIND_SPEED = 260.0, 1.2
EXECUTED = 0.8
#: Alerts: city, level, Beijing start and end.
ALERTS = (
    ("xian", "red", "2019-01-02 06:00", "2019-01-02 20:00"),
    ("weinan", "orange", "2019-01-02 12:00", "2019-01-03 06:00"),
)
POLLUTANTS = ("SO2", "NOx", "PM10", "PM25", "BC", "OC", "VOC", "NH3", "CO")

#: id, name, city, county, sector, longitude, latitude, stack height, coal t/a, emissions t/a in the order above.
ENTERPRISES = (
    ("E1", "西水泥厂", "xian", "610118", "cement", 108.60, 34.10, 30, 0,
     (9000, 9000, 9000, 6000, 60, 90, 500, 20, 900)),
    ("E2", "东焦化厂", "weinan", "610502", "coking", 109.55, 34.52, 40, 0,
     (7000, 6000, 8000, 5000, 40, 50, 900, 30, 2000)),
    ("E3", "咸阳电厂", "xianyang", "610402", "power", 108.70, 34.40, 180, 500000,
     (300, 500, 60, 50, 1, 1, 40, 20, 500)),
    ("E4", "宝鸡钢厂", "baoji", "610324", "steel", 107.90, 34.35, 100, 0,
     (500, 800, 400, 300, 6, 9, 100, 5, 5000)),
    ("E5", "西安漆厂", "xian", "610111", "industry", 109.05, 34.30, 20, 0,
     (10, 20, 15, 10, 0.1, 0.2, 800, 1, 5)),
)  # fmt: skip
#: Share of the list's measure by enterprise and level [1]: what the list's texts say.
LISTED = {"E1": {"yellow": 0.2, "orange": 0.5, "red": 1.0}, "E2": {"yellow": 0.1, "orange": 0.3, "red": 0.5}}
TEXTS = {0.1: "限产10%", 0.2: "限产20%", 0.3: "限产30%", 0.5: "限产50%", 1.0: "停产"}
OPERATING_DAYS = 365
#: Sector, subsector, fuel, coal t/a, share of the emissions below; by city.
AREA = (
    ("residential", "traditional_stove", "raw_coal", 200000, (6000, 1200, 9000, 8000, 1500, 3000, 3000, 450, 72000)),
    ("transport", "", "", 0, (300, 27000, 5000, 4500, 900, 600, 9000, 240, 60000)),
    ("agriculture", "", "", 0, (0, 0, 0, 0, 0, 0, 0, 9000, 0)),
    ("dust", "", "", 0, (0, 0, 40000, 9000, 50, 300, 0, 0, 0)),
)
AREA_CITIES = {"xian": 1.0, "weinan": 0.5, "xianyang": 0.4, "baoji": 0.3, "tongchuan": 0.1}
#: t of raw coal by city and sector in 2018 and by year relative to it.
LEDGER = {
    ("xian", "residential"): 240000.0, ("xian", "heat"): 300000.0, ("xianyang", "power"): 500000.0,
    ("weinan", "residential"): 120000.0, ("weinan", "coking"): 900000.0, ("baoji", "residential"): 90000.0,
    ("xianyang", "residential"): 100000.0, ("tongchuan", "residential"): 30000.0,
}  # fmt: skip
YEARS = {2017: 1.10, 2018: 1.0}
HEATING_VALUE = 20908.0
HOUSEHOLDS, PER_HOUSEHOLD, SUBSTITUTED = 20000, 2.0, 0.9
GROWTH = 0.02
CUT, CUT_CITIES, CUT_SECTORS = 50.0, ("weinan", "xian"), ("transport", "dust")
INFLOW = {
    "bc": 5.0, "oc": 16.0, "pm25_other": 58.0, "pm_coarse": 30.0, "so2": 20.0, "sulphate": 20.0, "nox": 30.0,
    "nitrate": 15.0, "ammonia": 14.0, "co": 1200.0, "voc": 30.0, "soa": 10.0,
}  # fmt: skip

SCENARIO = f"""\
name: oracle
title: {{zh: 校核例, en: oracle case}}
period: {{start: {FIRST}, end: {LAST}, spin_up_hours: {SPIN_UP}}}
domain: {{west: 107.5, south: 33.7, east: 110.5, north: 35.2, spacing: 20000}}
meteorology: {{kind: stations, files: [weather.csv]}}
inputs:
  enterprises: enterprises.csv
  area_sources: area.csv
  coal_ledger: ledger.csv
  background: inflow.csv
  observations: observed.csv
measures:
  - {{type: cut, percent: {CUT:g}, cities: [weinan, xian], sectors: [transport, dust]}}
  - {{type: coal_substitution, city: xian, route: electricity, households: {HOUSEHOLDS},
     tonnes_per_household: {PER_HOUSEHOLD}, execution_rate: {SUBSTITUTED}, reburn: 0}}
  - type: emergency
    list: list.xlsx
    plan: "2019"
    response: at_once
    execution_rate: {EXECUTED}
    alerts:
"""


def scenario() -> str:
    """Return the text of the scenario."""
    alerts = "".join(
        f"      - {{level: {level}, cities: [{city}], start: {start}, end: {end}}}\n"
        for city, level, start, end in ALERTS
    )
    return (
        SCENARIO
        + alerts
        + f"""\
coal:
  base_year: 2018
  target_year: 2019
  growth: [{{percent: {100 * GROWTH:g}}}]
near_field:
  cities: [xian]
  enterprises: [西安漆厂]
  radius: 6000
  spacing: 1000
  receptors:
    - {{name: 厂东, longitude: 109.080, latitude: 34.305}}
    - {{name: 厂西, longitude: 109.020, latitude: 34.295}}
joint_control: {{rank: [weinan]}}
"""
    )


def write(folder: Path) -> Path:
    """Write the case into a folder; return the scenario file."""
    folder.mkdir(parents=True, exist_ok=True)
    _csv(folder / "enterprises.csv", _enterprises())
    _csv(folder / "area.csv", _areas())
    _csv(folder / "ledger.csv", _ledger())
    _csv(folder / "inflow.csv", [
        ["tracer", "surface_concentration", "scale_height", "source", "quality"],
        *([t, v, 1500, "made up", "estimated"] for t, v in INFLOW.items()),
    ])  # fmt: skip
    _csv(folder / "weather.csv", _weather())
    _csv(folder / "observed.csv", _observed())
    _list(folder / "list.xlsx")
    path = folder / "oracle.yaml"
    path.write_text(scenario(), encoding="utf-8")
    return path


def _csv(path: Path, rows: list[list[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def _enterprises() -> list[list[object]]:
    head = ["enterprise_id", "name", "city", "county", "sector", "longitude", "latitude", "stack_height",
            "stack_diameter", "exit_velocity", "exit_temperature", "operating_days", "coal", *POLLUTANTS, "source",
            "quality"]  # fmt: skip
    rows = [
        [i, name, city, county, sector, lon, lat, height, 2.0, 10.0, 400.0, OPERATING_DAYS, coal, *amounts,
         "made up", "reported"]
        for i, name, city, county, sector, lon, lat, height, coal, amounts in ENTERPRISES
    ]  # fmt: skip
    return [head, *rows]


def _areas() -> list[list[object]]:
    head = ["source_id", "city", "county", "sector", "subsector", "fuel", "activity", "activity_unit", "coal",
            *POLLUTANTS, "source", "quality"]  # fmt: skip
    rows: list[list[object]] = []
    for city, share in AREA_CITIES.items():
        for sector, subsector, fuel, coal, amounts in AREA:
            quality = "estimated" if sector == "dust" else "derived"
            rows.append([f"A-{city}-{sector}", city, "", sector, subsector, fuel, "", "", coal * share,
                         *(a * share for a in amounts), "made up", quality])  # fmt: skip
    return [head, *rows]


def _ledger() -> list[list[object]]:
    head = ["year", "city", "sector", "fuel", "consumption", "heating_value", "source", "quality"]
    rows = [
        [year, city, sector, "raw_coal", t * of, HEATING_VALUE, "made up", "reported"]
        for year, of in YEARS.items()
        for (city, sector), t in LEDGER.items()
    ]
    return [head, *rows]


def _weather() -> list[list[object]]:
    rows: list[list[object]] = [["station", "time", "longitude", "latitude", "altitude", "wind_speed",
                                 "wind_from_direction", "air_temperature", "relative_humidity", "cloud",
                                 "precipitation"]]  # fmt: skip
    for station, lon, lat, height in (("1", 107.9, 34.35, 550), ("2", 108.95, 34.35, 400), ("3", 109.6, 34.6, 350)):
        for hour in range(24 * 5):
            day, clock = divmod(hour, 24)
            warm = max(0, 6 - abs(clock - 14))
            rows.append([station, f"{['2018-12-31', '2019-01-01', '2019-01-02', '2019-01-03', '2019-01-04'][day]} "
                         f"{clock:02d}:00", lon, lat, height, WIND_SPEED, WIND_FROM, warm - 3, 70 - 2 * warm, 50,
                         0])  # fmt: skip
    return rows


def observed(day: int, hour: int, city: str) -> float:
    """PM2.5 that the made-up stations of a city report in January 2019 [ug m-3]; `day` from 1."""
    level = {"西安": 120.0, "宝鸡": 90.0, "渭南": 150.0}[city]
    return level + 10.0 * (day % 5) + (hour - 12)


def _observed() -> list[list[object]]:
    cities = ("西安", "宝鸡", "渭南")
    rows: list[list[object]] = [["date", "hour", "type", *cities]]
    for day in range(1, 32):
        for hour in range(24):
            values = [observed(day, hour, c) for c in cities]
            if day == 6 and hour < 6:
                values[0] = ""  # nineteen hours (an hour is named by its end): no daily mean of Xi'an
            rows.append([f"201901{day:02d}", hour, "PM2.5", *values])
            rows.append([f"201901{day:02d}", hour, "AQI", *(150 for _ in cities)])
            rows.append([f"201901{day:02d}", hour, "PM10", *(v and v + 40 for v in values)])
            for gas, level in (("SO2", 20), ("NO2", 60), ("CO", 1.5)):
                rows.append([f"201901{day:02d}", hour, gas, *(level * (1 + c / 10 + hour / 50) for c in range(3))])
    return rows


def daily_base(amounts: tuple[float, ...]) -> tuple[float, ...]:
    """kg d-1 of what the list states: SO2, NOx, particles, VOC."""
    so2, nox, pm10, _, _, _, voc, _, _ = amounts
    return tuple(1000 * a / OPERATING_DAYS for a in (so2, nox, pm10, voc))


def _list(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    amounts = [f"{p}日排放量(kg/d)" for p in ("SO2", "NOx", "颗粒物", "VOCs")]
    levels = (("红", "red"), ("橙", "orange"), ("黄", "yellow"))
    sheet.append(["企业名称", "清单编号", "市", "县区", "绩效等级", "企业类型", "类别", *amounts,
                  *(f"{zh}色预警措施" for zh, _ in levels)])  # fmt: skip
    cities = {"xian": "西安市", "weinan": "渭南市"}
    for i, name, city, *_, given in ENTERPRISES:
        if i in LISTED:
            texts = [TEXTS[LISTED[i][level]] for _, level in levels]
            sheet.append([name, i, cities[city], "", "C", "", "工业源", *daily_base(given), *texts])
    book.save(path)
