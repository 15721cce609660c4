"""The shipped tables: every figure is computed again from what it says it was made of."""

import pandas as pd
import pytest
import shapely

from airsim import geography, shipped
from airsim.inventory import POLLUTANTS, SECTORS, read
from airsim.names import FUELS, LEDGER_SECTOR_WORDS

DATA = shipped.path("data/emissions")
TABLES = sorted(p.name for p in DATA.glob("*.csv"))
GUANZHONG = ["xian", "baoji", "xianyang", "tongchuan", "weinan", "yangling", "hancheng", "shangluo"]
ROUNDING = 2e-4  # figures are shipped with five digits; shares of people with six


def table(name):
    return pd.read_csv(
        DATA / name, encoding="utf-8-sig", keep_default_na=False, dtype={"county": str, "enterprise_id": str}
    )


@pytest.fixture(scope="module")
def factors():
    rows = table("factors.csv")
    keys = ["sector", "product", "pollutant"]
    assert not rows.duplicated(keys).any()
    return rows.set_index(keys)


@pytest.fixture(scope="module")
def enterprises():
    return table("enterprises.csv")


@pytest.fixture(scope="module")
def areas():
    return table("area_sources.csv")


@pytest.fixture(scope="module")
def ledger():
    return table("coal_ledger.csv")


def factor(factors, *key):
    return float(factors.at[key, "factor"]) if key in factors.index else 0.0


def carbon(row, product):
    shares = table("speciation.csv").set_index(["sector", "subsector"])
    key = (row.sector, product) if (row.sector, product) in shares.index else (row.sector, "")
    return shares.loc[key]


def check_carbon(row, product):
    share = carbon(row, product)
    for p in ("BC", "OC"):
        assert getattr(row, p) == pytest.approx(row.PM25 * share[p], rel=ROUNDING, abs=1e-9), (row, p)


def test_every_enterprise_is_activity_times_factor(enterprises, factors):
    assert len(enterprises) > 100
    for row in enterprises.itertuples():
        coal = row.activity * factor(factors, row.sector, row.product, "coal")
        assert row.coal == pytest.approx(coal, abs=0.51)
        for p in set(POLLUTANTS) - {"BC", "OC"}:
            unit = (
                factors.at[(row.sector, row.product, p), "unit"]
                if (row.sector, row.product, p) in factors.index
                else ""
            )
            base = coal if unit == "kg per t coal" and row.sector == "power" else row.activity
            expected = base * factor(factors, row.sector, row.product, p) / 1000
            assert getattr(row, p) == pytest.approx(expected, rel=ROUNDING, abs=1e-9), (row.name, p)
        check_carbon(row, row.product)


def test_every_area_source_is_activity_times_factor(areas, factors):
    meic = table("meic2017_reference.csv").set_index(["city", "sector"])
    for row in areas.itertuples():
        for p in set(POLLUTANTS) - {"BC", "OC"}:
            base = row.activity
            if row.activity_unit.startswith("share of "):
                old = {"offroad": "transport"}.get(row.sector, row.sector)
                city = row.activity_unit.removeprefix("share of ")
                base *= meic.at[(city, old), "PM25" if p == "PM10" else p] * 1000
            expected = base * factor(factors, row.sector, row.subsector, p) / 1000
            assert getattr(row, p) == pytest.approx(expected, rel=ROUNDING, abs=1e-9), (row.source_id, p)
        coal = row.activity * factor(factors, row.sector, row.subsector, "coal")
        assert row.coal == pytest.approx(coal, rel=1e-5, abs=1)
        check_carbon(row, row.subsector)


def test_the_whole_inventory_passes_its_own_checks():
    places = geography.load(geography.make_grid(spacing=20_000.0))
    inventory = read(DATA / "enterprises.csv", DATA / "area_sources.csv", DATA / "coal_ledger.csv", places)
    assert inventory.sources.index.is_unique
    assert set(inventory.sources["sector"]) == set(SECTORS)
    cities = {c.id for c in geography.CITIES}
    assert set(inventory.sources.query("kind == 'area'")["city"]) == cities
    # every enterprise stands in the county it names, not merely within the tolerance
    for p in inventory.sources.query("kind == 'point'").itertuples():
        county = places.counties.loc[p.county]
        assert county["geometry"].covers(shapely.Point(p.longitude, p.latitude)), p.name
        assert county["city"] == p.city


@pytest.mark.parametrize("name", TABLES)
def test_every_row_says_where_it_is_from(name):
    raw = (DATA / name).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")  # Excel needs the mark
    rows = table(name)
    assert rows["source"].str.len().min() > 3
    if "quality" in rows:
        assert set(rows["quality"]) <= {"reported", "derived", "estimated", "synthetic"}
    if "status" in rows:
        assert set(rows["status"]) <= {"sourced", "derived", "estimate", "memory"}


@pytest.mark.parametrize("name", ["enterprises.csv", "area_sources.csv"])
def test_particles_are_nested(name):
    rows = table(name)
    assert (rows["PM25"] <= rows["PM10"] * (1 + ROUNDING)).all()
    assert (rows["BC"] + 1.4 * rows["OC"] <= rows["PM25"] * (1 + ROUNDING)).all()


def test_weinan_and_xianyang_are_split_without_counting_twice(areas):
    split = areas[areas["activity_unit"].str.startswith("share of ")]
    by = split.groupby(["activity_unit", "sector", "subsector"])["activity"].sum()
    assert by.to_numpy() == pytest.approx(1, abs=1e-5)
    parent = split.groupby("city")["activity_unit"].first()
    assert parent["hancheng"] == "share of weinan"
    assert parent["yangling"] == "share of xianyang"


def test_the_ledger_closes_on_the_published_total(ledger):
    rows = ledger[ledger["city"].isin(GUANZHONG) & (ledger["fuel"] != "coke") & (ledger["year"] == 2016)]
    assert rows["consumption"].sum() == pytest.approx(70.2e6, abs=1000)  # Shaanxi DRC: 7,020 x 10^4 t
    assert rows[rows["sector"] == "residential"]["consumption"].sum() == pytest.approx(10e6, rel=1e-3)
    weinan = rows[rows["city"].isin(["weinan", "hancheng"])]["consumption"].sum()
    assert 0.4 < weinan / 70.2e6 < 0.55  # "about half"
    assert set(ledger["fuel"]) <= set(FUELS)
    assert set(ledger["sector"]) <= set(LEDGER_SECTOR_WORDS.values())
    assert sorted(set(ledger["year"])) == [2015, 2016, 2017, 2018, 2019]


def test_ledger_and_emissions_are_one_account(ledger, enterprises, areas):
    year = ledger[(ledger["year"] == 2018) & (ledger["fuel"] != "coke")]
    booked = year.groupby(["city", "sector"])["consumption"].sum()
    burnt = pd.concat([enterprises, areas]).groupby(["city", "sector"])["coal"].sum()
    for key, tonnes in burnt[burnt > 0].items():
        listed = 0.95 if key[1] == "power" else 1.0  # small plants of companies are not listed
        assert booked[key] == pytest.approx(tonnes / listed, abs=200), key  # the ledger is rounded to 100 t


def test_the_residential_coal_of_2017_is_what_the_reference_implies(ledger):
    meic = table("meic2017_reference.csv").set_index(["city", "sector"])["SO2"]
    people = {"weinan": ["weinan", "hancheng"], "xianyang": ["xianyang", "yangling"]}
    rows = ledger[(ledger["year"] == 2017) & (ledger["sector"] == "residential")].groupby("city")["consumption"].sum()
    for city in meic.index.get_level_values("city").unique():
        per_tonne = 21.6 if city in ("yuncheng", "linfen") else 14.4
        tonnes = rows[people.get(city, [city])].sum()
        assert tonnes == pytest.approx(meic[city, "residential"] * 1000 / per_tonne, rel=1e-3)


def test_2019_differs_from_2018_by_the_documented_measures(ledger):
    rows = ledger[ledger["city"].isin(GUANZHONG)].pivot_table(
        index=["city", "sector"], columns="year", values="consumption", aggfunc="sum"
    )
    change = rows[2019] / rows[2018]
    for city in GUANZHONG:
        assert change[city, "residential"] == pytest.approx(0.85 if city == "shangluo" else 0.68, rel=1e-2)
        assert change[city, "small_industry"] < 0.9  # boilers below 35 t/h
    xian = rows.loc[("xian", "residential")]
    assert xian[2017] - xian[2018] == pytest.approx(0.64 * 658_400 * 1.61, rel=2e-3)
    assert xian[2016] - xian[2017] == pytest.approx(1.3797e6, rel=2e-3)


def test_no_unit_that_did_not_yet_run(enterprises):
    names = " ".join(enterprises["name"])
    for later in ("新民塬", "正宁", "商洛发电", "麟北", "晋南钢铁", "富县"):
        assert later not in names


def test_totals_are_of_the_right_order(enterprises, areas):
    both = pd.concat([enterprises, areas])
    people = areas[areas["subsector"] == "road"].set_index("city")["activity"]
    here = both[both["city"].isin(GUANZHONG)]
    per_head = here[list(POLLUTANTS)].sum() / people[GUANZHONG].sum() * 1000  # kg
    # national means of 2017 (INTAC, ESSD 16 2893): SO2 8.8, NOx 17.6, CO 101, VOC 20, NH3 6.6, PM2.5 6.0
    for p, national in {"SO2": 8.8, "NOx": 17.6, "CO": 101, "VOC": 20, "NH3": 6.6, "PM25": 6.0}.items():
        assert 0.25 < per_head[p] / national < 1.2, p
