"""Reading an inventory: header languages, encodings, and every kind of bad row said with file, row and column."""

import pandas as pd
import pytest

from airsim import geography
from airsim.errors import InputError
from airsim.inventory import Inventory, read
from airsim.inventory.reading import SOURCE_COLUMNS, carbon_shares

GOOD = {
    "enterprise_id": "X1", "credit_code": "91610000000000001X", "name": "某热电厂", "city": "xian", "county": "610112",
    "sector": "power", "product": "chp", "longitude": "108.95", "latitude": "34.32", "stack_height": "150",
    "stack_diameter": "5", "exit_velocity": "15", "exit_temperature": "330", "operating_days": "300", "lines": "2",
    "grade": "B", "coal": "100000", "SO2": "20", "NOx": "40", "PM10": "6", "PM25": "4", "BC": "0.1", "OC": "0.2",
    "VOC": "3", "NH3": "1", "CO": "200", "source": "test", "quality": "reported",
}  # fmt: skip


@pytest.fixture(scope="module")
def places():
    return geography.load(geography.make_grid(spacing=20_000.0))


def table(tmp_path, *rows, name="enterprises.csv", encoding="utf-8-sig"):
    path = tmp_path / name
    path.write_text(pd.DataFrame(rows).to_csv(index=False), encoding=encoding)
    return path


def problems(places, *paths):
    with pytest.raises(InputError) as caught:
        read(*(list(paths) + [None] * (3 - len(paths))), places)
    return caught.value.problems


def test_one_row_becomes_one_source(tmp_path, places):
    inventory = read(table(tmp_path, GOOD), None, None, places)
    assert isinstance(inventory, Inventory)
    assert tuple(inventory.sources.columns) == SOURCE_COLUMNS
    row = inventory.sources.loc["X1"]
    assert (row.kind, row.city, row.county, row.sector, row.subsector) == ("point", "xian", "610112", "power", "chp")
    assert row.credit_code == "91610000000000001X"
    assert (row.PM25, row.BC, row.OC, row.stack_height, row.coal) == (4.0, 0.1, 0.2, 150.0, 100000.0)
    assert row.origin == "enterprises.csv:2"
    assert inventory.scaling.empty
    assert inventory.coal.empty


def test_chinese_headers_words_and_gb18030(tmp_path, places):
    words = {
        "enterprise_id": "企业编号", "credit_code": "统一社会信用代码", "name": "企业名称", "city": "城市",
        "county": "县区", "sector": "行业", "product": "产品或工序", "longitude": "经度", "latitude": "纬度",
        "stack_height": "烟囱高度(米)", "stack_diameter": "烟囱内径(米)", "exit_velocity": "出口流速",
        "exit_temperature": "烟气温度", "operating_days": "年运行天数", "lines": "生产线数量", "grade": "绩效等级",
        "coal": "煤炭消费量(万吨)", "SO2": "二氧化硫(吨/年)", "NOx": "氮氧化物(kg/d)", "PM10": "PM10", "PM25": "PM2.5",
        "VOC": "VOCs", "NH3": "氨", "CO": "一氧化碳", "source": "数据来源", "quality": "数据质量",
    }  # fmt: skip
    row = {words[k]: v for k, v in GOOD.items() if k in words}
    row |= {"城市": "西安市", "县区": "未央区", "行业": "电力", "数据质量": "填报", "煤炭消费量(万吨)": "10"}
    path = table(tmp_path, row, encoding="gb18030")
    source = read(path, None, None, places).sources.loc["X1"]
    assert (source.city, source.county, source.sector, source.quality) == ("xian", "610112", "power", "reported")
    assert source.coal == pytest.approx(1e5)
    assert source.NOx == pytest.approx(40 * 0.365)
    # BC and OC are not in the table: shares of PM2.5 for coal power
    assert pytest.approx(0.01 * 4) == source.BC
    assert pytest.approx(0.02 * 4) == source.OC


def test_workbook_reads_as_csv_does(tmp_path, places):
    path = tmp_path / "企业.xlsx"
    pd.DataFrame([GOOD]).astype(dict.fromkeys(("SO2", "NOx", "longitude", "latitude"), float)).to_excel(
        path, sheet_name="工业源", index=False
    )
    by_csv = read(table(tmp_path, GOOD), None, None, places).sources.drop(columns="origin")
    by_xlsx = read(path, None, None, places).sources.drop(columns="origin")
    pd.testing.assert_frame_equal(by_csv, by_xlsx)


def test_a_county_is_found_from_the_coordinates(tmp_path, places):
    source = read(table(tmp_path, GOOD | {"county": ""}), None, None, places).sources.loc["X1"]
    assert source.county == "610112"


def test_processes_of_one_enterprise_are_sources_of_their_own(tmp_path, places):
    path = table(tmp_path, GOOD, GOOD | {"product": "chp_small", "SO2": "1"})
    assert list(read(path, None, None, places).sources.index) == ["X1:chp", "X1:chp_small"]


@pytest.mark.parametrize(
    ("change", "column", "said"),
    [
        ({"SO2": "-1"}, "SO2", "negative"),
        ({"coal": "-5"}, "coal", "negative"),
        ({"NOx": "NaN"}, "NOx", "number"),
        ({"NOx": ""}, "NOx", "required"),
        ({"city": "北京"}, "city", "unknown"),
        ({"sector": "炼丹"}, "sector", "unknown"),
        ({"quality": "猜"}, "quality", "unknown"),
        ({"longitude": "116.4", "latitude": "39.9"}, "longitude", "outside the region"),
        ({"longitude": "34.32", "latitude": "108.95"}, "longitude", "exchanged"),
        ({"county": "610124"}, "longitude", "km outside 周至县"),
        ({"county": "610302"}, "county", "no county of xian"),
        ({"PM25": "7"}, "PM25", "more than PM10"),
        ({"OC": "3"}, "BC", "more than PM25"),
        ({"stack_height": ""}, "stack_height", "missing"),
        ({"exit_temperature": "60"}, "exit_temperature", "at least 250"),
        ({"operating_days": "400"}, "operating_days", "at most 366"),
    ],
)
def test_bad_row(tmp_path, places, change, column, said):
    path = table(tmp_path, GOOD, GOOD | {"enterprise_id": "X2", "name": "另一厂"} | change)
    found = problems(places, path)
    match = [p for p in found if p.key == column and said in p.allowed]
    assert match, [p.text() for p in found]
    assert match[0].file == str(path)
    assert match[0].where == "3"
    assert match[0].allowed_zh


def test_duplicates(tmp_path, places):
    path = table(tmp_path, GOOD, GOOD, GOOD | {"name": "别的名字", "product": "other"})
    found = problems(places, path)
    assert {(p.where, p.key) for p in found} == {("3", "enterprise_id"), ("3", "name"), ("4", "enterprise_id")}
    assert any("already that of '某热电厂'" in p.allowed for p in found)


def test_a_code_that_excel_made_a_number_is_refused(tmp_path, places):
    path = tmp_path / "codes.xlsx"
    pd.DataFrame([GOOD | {"credit_code": 916100000000000012}]).to_excel(path, index=False)
    assert any(p.key == "credit_code" and "digits are lost" in p.allowed for p in problems(places, path))


def test_all_problems_of_all_tables_at_once(tmp_path, places):
    bad = table(tmp_path, GOOD | {"SO2": "-1", "city": "北京", "PM25": "9"})
    area = {
        "source_id": "A1",
        "city": "xian",
        "sector": "residential",
        "SO2": "1",
        "NOx": "1",
        "PM10": "1",
        "PM25": "1",
    }
    areas = table(tmp_path, area, area | {"CO": "-3"}, name="areas.csv")
    ledger = table(
        tmp_path,
        {"year": "2018", "city": "西安", "sector": "power", "fuel": "原煤", "consumption": "1"},
        {"year": "2018", "city": "xian", "sector": "电力", "fuel": "raw_coal", "consumption": "-2"},
        {"year": "2018", "city": "xian", "sector": "other", "fuel": "石头", "consumption": "2"},
        name="ledger.csv",
    )
    found = {(p.file.rsplit("/")[-1].rsplit("\\")[-1], p.where, p.key) for p in problems(places, bad, areas, ledger)}
    assert found == {
        ("enterprises.csv", "2", "SO2"),
        ("enterprises.csv", "2", "city"),
        ("enterprises.csv", "2", "PM25"),
        ("enterprises.csv", "2", "county"),
        ("areas.csv", "3", "CO"),
        ("areas.csv", "3", "source_id"),
        ("ledger.csv", "3", "consumption"),
        ("ledger.csv", "3", "year"),
        ("ledger.csv", "4", "fuel"),
    }


def test_missing_column_and_missing_file(tmp_path, places):
    row = {k: v for k, v in GOOD.items() if k != "latitude"}
    found = problems(places, table(tmp_path, row), tmp_path / "none.csv")
    assert {(p.key, p.allowed.split(" (")[0]) for p in found} == {
        ("latitude", "required column is missing"),
        ("", "file not found"),
    }


def test_ledger(tmp_path, places):
    text = "年份,城市,行业,煤种,消费量(万吨),低位发热量\n"
    text += "2018,西安,民用散煤,型煤,24.1,\n2018,杨凌示范区,其他,原煤,1,20934\n"
    path = tmp_path / "台账.csv"
    path.write_text(text, encoding="gb18030")
    coal = read(None, None, path, places).coal
    assert coal[["year", "city", "sector", "fuel", "consumption"]].to_numpy().tolist() == [
        [2018, "xian", "residential", "briquette", 241000.0],
        [2018, "yangling", "other", "raw_coal", 10000.0],
    ]
    assert coal["heating_value"].isna().tolist() == [True, False]
    assert coal["origin"].tolist() == ["台账.csv:2", "台账.csv:3"]


def test_shipped_speciation_is_carbon_below_mass():
    shares = carbon_shares()
    assert all(bc + 1.4 * oc <= 1 for bc, oc in shares.values())
