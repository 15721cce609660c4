"""Shares under local plans, statistical units and given bases; what closes a gap; what a forecast calls for."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xarray as xr

from airsim import emergency
from airsim.case import parts, plan_of
from airsim.coal.plan import carry_out
from airsim.emergency.verdict import VerdictRequest, pronounce
from airsim.errors import InputError
from airsim.inventory import POLLUTANTS, Inventory
from airsim.inventory.reading import no_scaling

UNITS = {"xian": 1000.0, "xianyang": 800.0, "weinan": 600.0, "yangling": 200.0, "hancheng": 400.0}


def _inventory():
    """All-society emissions of every pollutant in round numbers, kg/d (`UNITS`)."""
    rows = {}
    for city, kilograms in UNITS.items():
        amounts = dict.fromkeys(POLLUTANTS, kilograms * 0.365)
        rows[city] = {
            "kind": "area",
            "name": city,
            "enterprise_id": "",
            "credit_code": "",
            "city": city,
            "county": "",
            "sector": "residential",
            "subsector": "",
            "fuel": "",
            "operating_days": np.nan,
            "coal": 0.0,
            "basis": "",
            "quality": "estimated",
            "origin": "x:1",
            **amounts,
        }
    sources = pd.DataFrame(rows.values(), index=pd.Index(rows, name="source"))
    return Inventory(sources, no_scaling(), pd.DataFrame(columns=["year", "city", "sector", "fuel", "consumption"]))


def _list(path, rows, level="橙"):
    head = ["企业名称", "市", "县区", "绩效等级", "企业类型", "类别"]
    amounts = [f"{p}日排放量(kg/d)" for p in ("SO2", "NOx", "颗粒物", "VOCs")]
    book = openpyxl.Workbook()
    book.active.append([*head, *amounts, f"{level}色预警措施"])
    for row in rows:
        book.active.append(row)
    book.save(path)
    return emergency.read(path)


def _row(name, city, county="", cut="停产", base=(100, 100, 100, 100), grade="", kind="", category="工业源"):
    return [name, city, county, grade, kind, category, *base, cut]


# --------------------------------------------------------------------------------------------------------
# statistical units


@pytest.fixture
def five(tmp_path):
    rows = [
        _row("甲", "西安市"),
        _row("乙", "西咸新区"),
        _row("丙", "咸阳市"),
        _row("丁", "杨凌示范区"),
        _row("戊", "渭南市"),
        _row("己", "渭南市", "韩城市"),
    ]
    return _list(tmp_path / "a.xlsx", rows)


def _shares(table):
    so2 = table[table["pollutant"] == "SO2"].set_index("city")
    return {c: (round(so2.at[c, "cut_kg_d"], 6), round(so2.at[c, "base_kg_d"], 6)) for c in so2.index}


def test_units_are_counted_once_whatever_the_switch(five):
    apart = emergency.compliance(five, _inventory(), "orange")
    assert _shares(apart) == {
        "xian": (200, 1000),
        "xianyang": (100, 800),
        "weinan": (100, 600),
        "yangling": (100, 200),
        "hancheng": (100, 400),
    }
    switch = {"hancheng": "with", "yangling": "with"}
    together = emergency.compliance(five, _inventory(), "orange", areas=switch)
    assert _shares(together) == {"xian": (200, 1000), "xianyang": (200, 1000), "weinan": (200, 1000)}
    assert "渭南含韩城" in together.attrs["areas_zh"]
    for table in (apart, together):
        for column in ("cut_kg_d", "base_kg_d", "industrial_kg_d", "list_base_kg_d"):
            total = table.groupby("pollutant")[column].sum()
            np.testing.assert_allclose(total, 600 if column != "base_kg_d" else sum(UNITS.values()))


def test_xixian_apart_needs_a_base_of_its_own(five, tmp_path):
    switch = {"xixian": "apart"}
    with pytest.raises(InputError, match=r"西咸.*base"):
        emergency.compliance(five, _inventory(), "orange", areas=switch)

    def base(*rows):
        path = tmp_path / "base.csv"
        lines = [f"{name}{',' + str(v) if v else ''}{(',' + str(v)) * 3 if v else ''}" for name, v in rows]
        path.write_text("\n".join(["城市,SO2(kg/d),NOx(kg/d),颗粒物(kg/d),VOCs(kg/d)", *lines]), encoding="utf-8-sig")
        return emergency.read_base(path)

    expected = {"xian": (100, 900), "xixian": (100, 300)}
    for given in (
        base(("西安市（不含西咸新区）", 900), ("西咸新区", 300)),
        base(("西安市（含西咸新区）", 1200), ("西咸新区", 300)),
    ):
        found = _shares(emergency.compliance(five, _inventory(), "orange", areas=switch, base=given))
        assert {c: found[c] for c in expected} == expected
        assert list(found)[:2] == ["xian", "xixian"]
        whole = _shares(emergency.compliance(five, _inventory(), "orange", base=given))
        assert whole["xian"] == (200, 1200)
        assert "xixian" not in whole
    # a plain total says nothing of the part
    with pytest.raises(InputError, match="西咸"):
        emergency.compliance(five, _inventory(), "orange", areas=switch, base=base(("西安", 1200)))
    with pytest.raises(InputError, match=r"base.csv:2.*say 西安"):
        base(("西安", 1200), ("西咸新区", 300))
    with pytest.raises(InputError, match=r"base.csv:3.*stands twice"):
        base(("宝鸡", 1), ("宝鸡市", 2))


def test_units_and_words_of_the_switch_are_checked(five):
    with pytest.raises(InputError, match=r"areas.baoji.*xixian, hancheng or yangling"):
        emergency.compliance(five, _inventory(), "orange", areas={"baoji": "with"})


# --------------------------------------------------------------------------------------------------------
# local plans


PLAN = """based_on: "2019"
title: {zh: 某市预案, en: A city's plan}
source: 某政办发〔2021〕1号
values:
  shares: {orange: {VOC: 0.15}}
  joint: {orange: 0.45}
"""


def test_a_local_plan_changes_single_values(five, tmp_path):
    path = tmp_path / "某市2021.yaml"
    path.write_text(PLAN, encoding="utf-8")
    rule = emergency.plan_rule(path)
    assert (rule.version, rule.title_zh) == ("某市2021", "某市预案")
    assert rule["shares"]["orange"] == {"SO2": 0.2, "NOx": 0.2, "PM": 0.2, "VOC": 0.15}
    assert rule["shares"]["red"]["VOC"] == 0.3
    (basis,) = rule.about("shares.orange.VOC")
    assert (basis.status, basis.source) == ("sourced", "某政办发〔2021〕1号")
    table = emergency.compliance(five, _inventory(), "orange", plan=str(path)).set_index(["city", "pollutant"])
    assert table.loc[("xian", "VOC"), "required"] == 0.15
    # 20 % + 20 % is enough for 648/2019 and not for 45 %
    assert not table.loc[("xian", "SO2"), "pass"]
    assert (
        emergency.compliance(five, _inventory(), "orange", plan="2019")
        .set_index(["city", "pollutant"])
        .loc[("xian", "SO2"), "pass"]
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('based_on: "2019"', 'based_on: "2016"', "no such version"),
        ("VOC: 0.15", "O3: 0.15", r"shares.orange.O3.*no such value; there are SO2"),
        ("VOC: 0.15", "VOC: 15", r"shares.orange.VOC.*share from 0 to 1"),
        ("VOC: 0.15", "VOC: 很多", r"shares.orange.VOC.*kind float"),
        ("values:", "value:", "needs based_on and values"),
        ("values:", "values: [", "no YAML"),
    ],
)
def test_a_wrong_plan_file_is_refused(tmp_path, old, new, message):
    path = tmp_path / "p.yaml"
    path.write_text(PLAN.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        emergency.plan_rule(path)


def test_livelihood_lines_stay_in_the_base_and_give_nothing(tmp_path):
    list_ = _list(tmp_path / "a.xlsx", [_row("甲", "西安"), _row("热力", "西安", kind="保障类", base=(500,) * 4)])
    table = emergency.compliance(list_, _inventory(), "orange")
    np.testing.assert_allclose(table["cut_kg_d"], 100)
    np.testing.assert_allclose(table["base_kg_d"], 1000)
    np.testing.assert_allclose(table["list_base_kg_d"], 600)


# --------------------------------------------------------------------------------------------------------
# closing the gap


def test_the_gap_is_closed_by_the_most_effective_lines(tmp_path):
    rows = [
        _row("已停", "西安", base=(150, 250, 200, 210)),
        _row("小", "西安", cut="无", base=(10, 10, 0, 0)),
        _row("大", "西安", cut="限产50%", base=(30, 60, 50, 0)),
        _row("保障", "西安", cut="无", base=(500, 500, 0, 0), kind="保障类"),
        _row("甲级", "西安", cut="无", base=(500, 500, 0, 0), grade="A"),
        _row("无关", "西安", cut="无", base=(0, 0, 0, 999)),
        _row("车", "西安", cut="无", base=(500, 500, 0, 0), category="移动源"),
    ]
    list_ = _list(tmp_path / "a.xlsx", rows)
    inventory = _inventory()
    table = emergency.compliance(list_, inventory, "orange", plan="2019")
    # 15 + 1.5 + 25 + 3 = 44.5 %: it passes; with a floor of 50 % it lacks 5.5 points
    assert emergency.closing(list_, table, plan="2019").empty
    plan = tmp_path / "p.yaml"
    plan.write_text('based_on: "2019"\nvalues: {joint: {orange: 0.50}}\n', encoding="utf-8")
    table = emergency.compliance(list_, inventory, "orange", plan=plan)
    closing = emergency.closing(list_, table, plan=plan)
    # 大 has 15 + 30 kg left (4.5 points), 小 2 points: both are needed, the larger first
    assert closing["enterprise"].tolist() == ["大", "小"]
    np.testing.assert_allclose(closing[["SO2", "NOx"]], [[15, 30], [10, 10]])
    np.testing.assert_allclose(closing["joint_share"], [0.49, 0.51])
    assert closing["passes"].tolist() == [False, True]
    # with sensitivities the line that is felt more goes first
    felt = pd.Series([0, 9.0, 1.0, 0, 0, 50.0, 0], index=list_.lines.index)
    closing = emergency.closing(list_, table, plan=plan, sensitivities=felt)
    assert closing["enterprise"].tolist() == ["小", "大"]
    np.testing.assert_allclose(closing["impact"], [20 * 9.0, (15 + 30 + 25) * 1.0])


def test_a_gap_that_no_line_closes_says_so(tmp_path):
    list_ = _list(tmp_path / "a.xlsx", [_row("甲", "西安", cut="无", base=(10, 10, 10, 10))])
    table = emergency.compliance(list_, _inventory(), "orange")
    closing = emergency.closing(list_, table)
    assert closing["passes"].tolist() == [False]


# --------------------------------------------------------------------------------------------------------
# forecasts


def _hourly(path, values, city="西安"):
    start = pd.Timestamp("2024-01-01 00:00")
    lines = [f"{start + pd.Timedelta(hours=k)},{city},{v}" for k, v in enumerate(values)]
    path.write_text("\n".join(["时间,城市,PM2.5(μg/m³)", *lines]), encoding="gb18030", errors="replace")
    return path


def _levels(running):
    calls = emergency.calls(running)
    return dict(zip(calls["plan"], calls["level"], strict=True)), calls


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        # PM2.5 of 200 ug m-3 is an AQI of 250: a 24 h mean is above 200 (150 ug m-3) as long as three quarters of
        # the window lie in the block
        (24, {"2017": "blue", "2018": "", "2024": "yellow"}),
        (48, {"2017": "yellow", "2018": "yellow", "2024": "orange"}),
        (72, {"2017": "yellow", "2018": "orange", "2024": "orange"}),
    ],
)
def test_hourly_forecast_under_each_plan(tmp_path, hours, expected):
    clean = [10.0] * 30
    found, calls = _levels(emergency.read_forecast(_hourly(tmp_path / "f.csv", [*clean, *[200.0] * hours, *clean])))
    assert found == expected
    row = calls.iloc[-1]
    # by hand: a window with k of 24 clean hours has a mean of 200 - 190 k / 24, above 150 for k <= 6
    assert row["hours_above_200"] == hours + 2 * 6
    assert row["peak"] == 250


def test_start_and_end_of_what_is_called_for(tmp_path):
    clean = [10.0] * 30
    _, calls = _levels(emergency.read_forecast(_hourly(tmp_path / "f.csv", [*clean, *[200.0] * 72, *clean])))
    row = calls.set_index("plan").loc["2018"]
    first = pd.Timestamp("2023-12-31T16:00")
    assert row["start"] == first + pd.Timedelta(hours=30 - 6)
    assert row["end"] == first + pd.Timedelta(hours=30 + 72 + 6)
    assert row["condition"] == "24 h mean AQI > 200 for 72 h"


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([80, 250, 80], {"2017": "blue", "2018": "", "2024": "yellow"}),
        ([250, 250], {"2017": "yellow", "2018": "yellow", "2024": "orange"}),
        ([250, 250, 250], {"2017": "yellow", "2018": "orange", "2024": "orange"}),
        ([250, 350, 250], {"2017": "orange", "2018": "orange", "2024": "red"}),
        ([250, 350, 350, 250], {"2017": "red", "2018": "red", "2024": "red"}),
        ([170, 170], {"2017": "", "2018": "", "2024": "yellow"}),
        ([170, 80, 170], {"2017": "", "2018": "", "2024": ""}),
        ([500], {"2017": "red", "2018": "red", "2024": "yellow"}),
    ],
)
def test_daily_forecast_under_each_plan(tmp_path, days, expected):
    lines = [f"2024年1月{d + 1}日,西安市,{v}" for d, v in enumerate(days)]
    (tmp_path / "f.csv").write_text("\n".join(["日期,城市,AQI", *lines]), encoding="utf-8")
    assert _levels(emergency.read_forecast(tmp_path / "f.csv"))[0] == expected


def test_a_gap_in_the_hours_breaks_the_run(tmp_path):
    path = _hourly(tmp_path / "f.csv", [250.0] * 100)
    text = path.read_text(encoding="gb18030").splitlines()
    path.write_text("\n".join(text[:50] + text[51:]), encoding="gb18030")
    running = emergency.read_forecast(path)
    assert running.sizes["time"] == 100
    assert emergency.calls(running).set_index("plan").at["2018", "hours_above_200"] == 50


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("时间,城市,PM2.5\n昨天,西安,5\n", r"f.csv:2.*昨天.*must be a time"),
        ("时间,城市,PM2.5\n2024-01-01,北京,5\n", r"f.csv:2.*北京.*unknown city"),
        ("时间,城市,PM2.5\n2024-01-01 01:00,西安,5\n2024-01-01 01:00,西安,6\n", r"f.csv:3.*twice"),
        ("时间,城市,SO2\n2024-01-01 01:00,西安,5\n", "needs PM2.5"),
    ],
)
def test_a_wrong_forecast_is_refused(tmp_path, text, message):
    (tmp_path / "f.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        emergency.read_forecast(tmp_path / "f.csv")


def test_the_level_may_come_from_the_forecast(tmp_path):
    path = _hourly(tmp_path / "f.csv", [200.0] * 80)
    found = pronounce(VerdictRequest(None, forecast=path))
    assert found.level == ""
    assert set(found.calls["plan"]) == {"2017", "2018", "2024", "2019"}
    from airsim import shipped

    asked = VerdictRequest(shipped.path("data/emissions/emergency_list.xlsx"), forecast=path, plan="2024")
    assert pronounce(asked).level == "orange"


def test_calls_need_no_list():
    time = pd.date_range("2024-01-01", periods=60, freq="h").to_numpy()
    running = xr.DataArray(np.full((60, 1), np.nan), dims=("time", "city"), coords={"time": time, "city": ["xian"]})
    calls = emergency.calls(running)
    assert (calls["level"] == "").all()
    assert calls["start"].isna().all()


# --------------------------------------------------------------------------------------------------------
# in a scenario and its report


def test_a_scenario_names_plan_units_and_mapping(tmp_path):
    from airsim import case, scenario, shipped

    text = shipped.path("configs/guanzhong-january.yaml").read_text(encoding="utf-8")
    more = "type: emergency\n    plan: p.yaml\n    mapping: m.yaml\n    areas: {hancheng: with}\n"
    lines = [line for line in text.replace("type: emergency\n", more, 1).splitlines() if 'plan: "2019"' not in line]
    (tmp_path / "s.yaml").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "p.yaml").write_text('based_on: "2019"\nvalues: {shares: {orange: {VOC: 0.15}}}\n', encoding="utf-8")
    (tmp_path / "m.yaml").write_text("sheets: {扬尘源: skip}\n", encoding="utf-8")
    asked = scenario.load(tmp_path / "s.yaml")
    place = parts.place(asked)
    base = parts.inventory(asked, place)
    stages = carry_out(plan_of(asked), base)
    group = case.parts.compliance(stages.lists, base)
    assert group.attrs["plan"] == "p"
    assert "渭南含韩城" in group.attrs["basis_zh"]
    assert float(group["required"].sel(level="orange", city="xian", pollutant="VOC")) == 0.15
    assert np.isnan(group["share"].sel(city="hancheng")).all()
    assert float(group["cut_by_category_kg_d"].sel(category="dust").max()) == 0
    assert {tmp_path / n for n in ("p.yaml", "m.yaml")} <= {i.path for i in case.provenance.inputs(asked, stages.lists)}


def test_the_report_says_what_the_base_case_calls_for(tmp_path):
    from airsim.output import html
    from airsim.output.sections import report

    path = Path(__file__).with_name("made_up_result.py")
    spec = importlib.util.spec_from_file_location("made_up_result", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tree = module.make(hours=72)
    for name in ("pm25", "pm10", "so2", "no2", "co"):
        if name in tree:
            tree[name] = tree[name] * 0 + (200.0 if name == "pm25" else 1.0)
    html.write(report.page(tree), tmp_path / "r.html", "en")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    table = text[text.index("Alert that the base case would call for") :]
    table = table[: table.index("</table>")]
    # 72 h of 200 ug m-3, an AQI of 250: above 200 for 72 h, never above 300
    row = next(r for r in table.split("<tr>") if "Xi&#39;an" in r or "Xi'an" in r)
    assert ">250<" in row
    assert [w in row for w in ("yellow alert", "orange alert", "red alert")] == [True, True, False]
