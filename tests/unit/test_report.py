"""The findings, the printed summary, and report.html: right numbers, both languages, no outside world."""

import base64
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from airsim.output import boundaries, console, findings, html
from airsim.output.sections import answer, aqi, coal_balance, figures, joint, measures, report
from airsim.result import netcdf

_spec = spec_from_file_location("made_up_result", Path(__file__).with_name("made_up_result.py"))
made_up_result = module_from_spec(_spec)
_spec.loader.exec_module(made_up_result)
ALERTED = made_up_result.ALERTED
SECTIONS = {"answer", "attainment", "maps", "series", "aqi", "compliance", "measures", "joint", "coal", "plume",
            "composition", "evaluation", "emissions", "provenance"}  # fmt: skip


class Page(HTMLParser):
    """Collects what the tests ask about."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.sources, self.tags, self.texts = [], [], [], [], []
        self._inside = []
        self.block = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [attrs["href"]] if "href" in attrs else []
        self.sources += [attrs["src"]] if "src" in attrs else []
        if tag in {"script", "style"}:
            self._inside.append((tag, attrs))

    def handle_endtag(self, tag):
        if self._inside and self._inside[-1][0] == tag:
            self._inside.pop()

    def handle_data(self, data):
        if not self._inside:
            self.texts.append(data)
        elif self._inside[-1][1].get("id") == "figures":
            self.block += data

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def tree():
    return netcdf.dress(made_up_result.make())


def summary_text(tree, lang):
    return "\n".join(console.lines(report.page(tree), lang))


@pytest.fixture(scope="module")
def text(tree):
    return html.text(report.page(tree), "zh")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


# ---------------------------------------------------------------------------------------------------------
# findings


def test_the_effect_is_counted_in_each_citys_own_alert_hours(tree):
    found = findings.find(tree)
    emergency = tree["emergency"].to_dataset()
    base, controlled = [], []
    for city in ALERTED:
        mine = np.flatnonzero(emergency["alert_city"].values == city)
        hours = [
            i
            for i, t in enumerate(tree["time"].values)
            if any(emergency["alert_start"].values[k] <= t < emergency["alert_end"].values[k] for k in mine)
        ]
        assert len(hours) == 36
        at = tree["pm25"].sel(city=city).isel(time=hours)
        base.append(float(at.sel(case="base").mean()))
        controlled.append(float(at.sel(case="controlled").mean()))
    effect = found.effect()
    assert effect[:2] == pytest.approx((np.mean(base), np.mean(controlled)), rel=1e-5)
    assert effect[2] == pytest.approx(np.mean(controlled) / np.mean(base) - 1, rel=1e-4)


def test_the_alert_alone_is_set_against_the_air_that_permanent_measures_leave(tree):
    found = findings.find(tree)
    # the made-up steps split what is removed 80 : 20
    base, controlled, _ = found.effect()
    removed = base - controlled
    assert found.alert_alone == pytest.approx(-0.8 * removed / (base - 0.2 * removed), rel=1e-4)
    rest = tree.copy()
    del rest["attribution"]
    assert findings.find(rest).alert_alone is None


def test_the_worst_day_is_the_base_cases_and_both_cases_are_read_on_it(tree):
    found = findings.find(tree)
    for city, row in found.cities.iterrows():
        means = tree["pm25_daily"].sel(city=city)
        worst = int(means.sel(case="base").argmax("day"))
        assert row["peak_day"].to_datetime64() == tree["day"].values[worst]
        assert row["peak_base"] == pytest.approx(float(means.sel(case="base")[worst]))
        assert row["peak_controlled"] == pytest.approx(float(means.sel(case="controlled")[worst]))
        assert row["heavy_base"] == (tree["aqi"].sel(case="base", city=city).values > 200).sum()


def test_days_are_beijing_days_and_short_ones_have_no_mean():
    time = np.datetime64("2018-12-31T10:00", "ns") + np.arange(40) * np.timedelta64(1, "h")
    hourly = xr.DataArray(np.arange(40.0), dims="time", coords={"time": time})
    daily = findings.daily(hourly)
    assert [str(d)[:10] for d in daily["day"].values] == ["2018-12-31", "2019-01-01", "2019-01-02"]
    # 18:00 to 24:00 Beijing on the first day (6 h), the whole second, 10 h of the third
    np.testing.assert_array_equal(daily.values, [np.nan, np.mean(np.arange(6, 30)), np.nan])


def test_cities_stand_in_office_order(tree):
    assert list(findings.find(tree).cities.index)[:8] == [
        "xian", "baoji", "xianyang", "tongchuan", "weinan", "yangling", "hancheng", "shangluo",
    ]  # fmt: skip


def test_a_city_passes_only_if_every_share_and_the_joint_one_do(tree):
    emergency = tree["emergency"].to_dataset()
    rows = findings.find(tree).compliance
    assert set(rows["city"]) == set(ALERTED)
    for row in rows.to_dict("records"):
        at = emergency.sel(level=row["level"], city=row["city"])
        assert row["all_pass"] == bool((at["pass"] == 1).all() and at["joint_pass"] == 1)
    assert rows["all_pass"].nunique() == 2


def test_the_coal_verdict_is_the_balances(tree):
    coal = findings.find(tree).coal
    by_line = tree["coal/consumption"].sum(["city", "sector"])
    assert coal.base == pytest.approx(by_line.sel(line="base").item())
    assert coal.target / coal.base - 1 == pytest.approx(coal.growth, rel=1e-9)
    assert coal.passed == (coal.growth < 0)


def test_outlines_survive_the_result(tree):
    rings = boundaries.rings(tree["boundaries"].to_dataset())
    assert [city for city, _ in rings] == [c[0] for c in made_up_result.CITIES]
    for (_, corners), polygon in zip(rings, made_up_result.polygons().values(), strict=True):
        np.testing.assert_allclose(corners, np.asarray(polygon.exterior.coords))


# ---------------------------------------------------------------------------------------------------------
# printed summary


def test_the_summary_can_be_printed_on_every_console(tree):
    chinese, english = summary_text(tree, "zh"), summary_text(tree, "en")
    chinese.encode("gbk")
    assert english.isascii()
    for text in (chinese, english):
        assert "ug/m3" in text
        assert not re.search(r"\b(nan|inf|NaT|None)\b", text)
    effect = findings.find(tree).effect()
    assert f"由 {effect[0]:.0f} 降到 {effect[1]:.0f} ug/m3" in chinese
    assert "气象是合成的" in chinese
    assert "list is illustrative" in english


def test_a_title_outside_gbk_does_not_stop_the_summary(tree):
    odd = tree.copy()
    odd.attrs["title_zh"] = "关中 🏭 m²"
    text = summary_text(odd, "zh")
    text.encode("gbk")
    assert text.startswith("关中 ? m2")


def test_a_base_run_alone_is_summarised_without_effect(tree):
    text = summary_text(xr.DataTree(tree.to_dataset().sel(case=["base"])), "zh")
    assert "西安" in text
    assert "->" not in text


# ---------------------------------------------------------------------------------------------------------
# the page


def test_the_page_is_one_file_that_needs_no_network(text, page):
    assert len(text.encode("utf-8")) < 8_000_000
    assert page.sources == []
    assert all(link.startswith("#") for link in page.links)
    assert not [t for t, _ in page.tags if t in {"link", "iframe", "img", "object", "base"}]
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "content-security-policy" in str(a).lower())
    assert "default-src 'none'" in policy
    assert "http" not in policy
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_every_section_is_there_and_linked(page):
    assert set(page.ids) >= SECTIONS
    assert len(page.ids) == len(set(page.ids))
    assert all(link[1:] in page.ids for link in page.links)


def test_every_figure_has_its_place_and_every_place_its_figure(page):
    drawn = json.loads(page.block)
    wanted = {f["id"] for f in drawn["figures"]}
    places = {a["id"] for t, a in page.tags if t == "div" and a.get("class") == "figure"}
    assert wanted == places
    assert {f"map-{p['key']}" for p in drawn["maps"]["panels"]} == {
        a["id"] for t, a in page.tags if t == "div" and a.get("class") == "map"
    }


def test_charts_and_maps_are_described_for_those_who_cannot_see_them(page):
    for tag, attrs in page.tags:
        if tag == "div" and attrs.get("class") in {"figure", "map"}:
            assert attrs["role"] == "img"
            assert attrs["aria-label"].strip()


def test_the_notice_comes_before_the_first_number(text):
    assert text.index("气象是合成的") < text.index('id="answer"')
    assert text.index("应急减排清单是示意的") < text.index('id="answer"')


def test_headline_numbers_are_the_findings(tree, page):
    found = findings.find(tree)
    base, controlled, change = found.effect()
    shown = f"{100 * change:+.1f} %".replace("-", "−")
    assert f"PM2.5 平均由 {base:.0f} 降到 {controlled:.0f} μg/m³（{shown}）" in page.text
    assert f"from {base:.0f} to {controlled:.0f} μg/m³ ({shown})" in page.text
    for level, name in (("orange", "橙"), ("red", "红")):
        rows = found.compliance[found.compliance["level"] == level]
        assert f"{name} {int(rows['all_pass'].sum())}/6" in page.text
    assert not re.search(r"\b(nan|inf|NaT|None)\b", page.text)


def test_coal_lines_that_are_zero_everywhere_are_left_out(tree):
    some = tree.copy(deep=True)
    amount = some["coal/consumption"].copy()
    amount.loc[{"line": ["offsets", "growth"]}] = 0.0
    some["coal/consumption"] = amount
    kept = ["base", "new_projects", "substitution", "retirement", "efficiency", "target"]
    assert figures.lines_that_count(some["coal"].to_dataset()) == kept
    assert len(figures.waterfall(some)["data"][0]["x"]) == len(kept)
    heads = [h.en for h in coal_balance.balance_grid(some["coal"].to_dataset()).head]
    assert [h for h in heads if "new projects" in h]
    assert not [h for h in heads if "offsets" in h]


def test_ledger_totals_are_the_sums_of_its_rows(tree):
    ledger = tree["measures"].to_dataset()
    totals, rows = measures.totals(ledger), measures.rows(ledger, findings.find(tree)).rows
    for measure, unit, *cells in totals.rows:
        for column, value in zip(totals.head[2:], cells, strict=True):
            mine = [r[6] for r in rows if (r[0], r[7], r[5]) == (measure, unit, column)]
            assert (np.isnan(value) and not mine) or value == pytest.approx(sum(mine))
    assert [r[0].en for r in totals.rows] == ["1 emergency cuts", "2 coal substitution"]
    removed = ledger["removed"].values
    assert [r[6] for r in rows] == sorted(removed, reverse=True)


def test_only_levels_that_were_in_force_make_the_headline(tree):
    found = findings.find(tree)
    assert found.levels_called() == ["orange", "red"]
    one = tree.copy(deep=True)
    levels = np.full(one["emergency/alert_level"].shape, "red")
    one["emergency/alert_level"] = xr.DataArray(levels, dims="alert")
    assert findings.find(one).levels_called() == ["red"]
    assert "橙色预警" not in summary_text(one, "zh")


@pytest.mark.parametrize(
    ("change", "said"), [(-0.05, "less than"), (-0.11, "within"), (-0.2, "within"), (-0.28, "within"), (-0.4, "more")]
)
def test_the_effect_is_set_against_published_alerts(change, said):
    assert said in answer.against_published(change).en


def test_input_text_cannot_break_out_of_the_page(tree):
    attack = "</script><script>alert('x')</script><!--"
    bad = tree.copy(deep=True)
    bad.attrs["title_zh"] = bad.attrs["title"] = attack
    names = bad["plume/source_name"].values.astype("<U60")
    names[:] = attack
    bad["plume/source_name"] = xr.DataArray(names, dims="source")
    text = html.text(report.page(bad), "zh")
    assert "alert('x')</script>" not in text
    page = Page(text)
    assert len([t for t, _ in page.tags if t == "script"]) == 3
    drawn = json.loads(page.block)
    assert drawn["title"]["zh"] == attack


def test_packed_matrices_lose_less_than_a_colour():
    matrix = np.random.default_rng(3).normal(0, 100, (7, 5))
    matrix[2, 3] = np.nan
    packed = figures.pack(matrix)
    coded = np.frombuffer(base64.b64decode(packed["packed"]), "<i2").reshape(packed["shape"])
    assert coded[2, 3] == -32768
    known = np.isfinite(matrix)
    assert np.abs(coded[known] * packed["scale"] - matrix[known]).max() <= 0.51 * packed["scale"]
    assert packed["scale"] == pytest.approx(np.nanmax(np.abs(matrix)) / 32000)
    assert figures.pack(np.zeros((2, 2)))["scale"] == 1.0


def test_alerts_are_shaded_in_beijing_time_and_classes_follow_the_results_rule(tree):
    found = findings.find(tree)
    series = {f["id"]: f for f in figures.series(tree, found)}
    shapes = series["series-xian"]["layout"]["shapes"]
    bands = [s for s in shapes if s["type"] == "rect"]
    # 18 h after midnight of 1 January in Beijing, which is 10:00 UTC
    assert (bands[0]["x0"], bands[-1]["x1"]) == ("2019-01-01 18:00", "2019-01-03 06:00")
    assert not [s for s in series["series-luoyang"]["layout"]["shapes"] if s["type"] == "rect"]
    assert series["series-xian"]["data"][0]["x"][0] == "2019-01-01 00:00"
    lines = [s["y0"] for s in shapes if s["type"] == "line"]
    assert lines == [y for y in (75, 115, 150, 250) if y <= 1.15 * float(tree["pm25"].sel(city="xian").max())]


def test_the_maps_share_one_scale_and_the_difference_is_controlled_minus_base(tree):
    maps = figures.maps(tree, findings.find(tree))
    assert [p["key"] for p in maps["panels"]] == ["base", "controlled", "difference"]
    assert len(maps["frames"]) == 1 + 3

    def unpacked(matrix):
        coded = np.frombuffer(base64.b64decode(matrix["packed"]), "<i2").reshape(matrix["shape"])
        return coded * matrix["scale"]

    mean = tree["pm25_mean_field"]
    np.testing.assert_allclose(
        unpacked(maps["frames"][0]["difference"]),
        (mean.sel(case="controlled") - mean.sel(case="base")).values,
        atol=1e-3,
    )
    daily = tree["pm25_field"].values[0].reshape(3, 24, 9, 14).mean(axis=1)
    np.testing.assert_allclose(unpacked(maps["frames"][2]["base"]), daily[1], rtol=1e-3, atol=0.01)
    assert maps["first"] == 1 + int(daily.mean(axis=(1, 2)).argmax())
    assert maps["top"] >= np.percentile(daily, 99)


def test_long_runs_are_drawn_as_daily_means():
    long = netcdf.dress(made_up_result.make(hours=1600, ny=3, nx=3))
    found = findings.find(long)
    series = figures.series(long, found)[0]
    assert len(series["data"][0]["x"]) == 67
    assert len(figures.maps(long, found)["frames"]) == 1 + 16
    assert len(aqi.calendar(long.to_dataset(), found).head) == 2 + 31


def test_the_transfer_matrix_is_in_shares_of_the_citys_air(tree):
    made = joint.section(tree, findings.find(tree))
    heat = made.figures[0]["data"][0]
    coded = np.frombuffer(base64.b64decode(heat["z"]["packed"]), "<i2").reshape(heat["z"]["shape"])
    np.testing.assert_allclose((coded * heat["z"]["scale"]).sum(0), 100.0, atol=0.5)
    row = next(r for r in made.grids[0].rows if r[0].en == "Xi'an")
    tag, zero_out = row[2:6], row[6:10]
    assert sum(tag) == pytest.approx(1.0)
    assert zero_out == pytest.approx([0.95 * v for v in tag])


def test_the_sources_of_a_city_fall_by_impact_and_keep_their_share(tree):
    made = joint.section(tree, findings.find(tree))
    bases = dict(zip(("Xi'an", "Weinan"), tree["ranking/pm25_base"].values, strict=True))
    tables = [g for g in made.grids if "count most for" in g.title.en]
    assert len(tables) == 4
    for table in tables:
        impact = [r[3] for r in table.rows]
        assert impact == sorted(impact, reverse=True)
        assert table.rows[0][4] == pytest.approx(impact[0] / bases[table.title.en.split(" for ")[1]])


def test_absent_groups_are_absent_sections(tree):
    page = Page(html.text(report.page(xr.DataTree(tree.to_dataset().sel(case=["base"]))), "en"))
    assert set(page.ids) & SECTIONS == {"answer", "maps", "series", "aqi", "composition"}
    assert "Only the base case was run" in page.text
    assert [p["key"] for p in json.loads(page.block)["maps"]["panels"]] == ["base"]


@pytest.mark.parametrize(
    "gone",
    ["emergency", "coal", "plume", "evaluation", "meteorology", "measures", "provenance", "boundaries", "attribution"],
)
def test_any_single_group_may_be_missing(tree, gone):
    rest = tree.copy()
    del rest[gone]
    page = Page(html.text(report.page(rest), "zh"))
    assert "answer" in page.ids
    assert (gone in page.ids) is (gone in {"measures", "provenance"})
    assert summary_text(rest, "zh")


def test_the_file_is_written_in_the_wanted_language(tree, tmp_path):
    for lang, code in (("zh", "zh-CN"), ("en", "en")):
        html.write(report.page(tree), tmp_path / "报告" / f"{lang}.html", lang)
        text = (tmp_path / "报告" / f"{lang}.html").read_text(encoding="utf-8")
        assert re.search(rf'<html lang="{code}" data-lang="{lang}">', text)


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the page's script can't be run")
def test_a_browser_draws_every_chart(tree, tmp_path):
    html.write(report.page(tree), tmp_path / "report.html", "zh")
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1400,3000", "--virtual-time-budget=20000",
        f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", (tmp_path / "report.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=180, check=True)
    dom = done.stdout.decode("utf-8")
    assert 'data-drawn="yes"' in dom
    page = Page(dom)
    drawn = {a["id"] for t, a in page.tags if t == "div" and "js-plotly-plot" in str(a.get("class"))}
    shown = {f["id"] for f in json.loads(page.block)["figures"]}
    closed = {
        f"series-{c}" for c in ("tianshui", "pingliang", "qingyang", "yuncheng", "linfen", "sanmenxia", "luoyang")
    } | {"tonne-1-PM25"}  # the second ranked city
    assert drawn == (shown - closed) | {"map-base", "map-controlled", "map-difference"}
