"""Inspection of clean coal: verdicts by hand, exact binomial statements, what failing coal emits."""

from __future__ import annotations

import numpy as np
import pytest
import xlsxwriter
from scipy import stats

from airsim.coal import acceptance, inspection
from airsim.errors import InputError

HEAD = "样品编号,城市,抽检环节,抽样日期,煤种类别,全硫(%),灰分(%),挥发分(Vdaf),水分(%),基准,批量(吨)\n"


def _table(tmp_path, *rows, head=HEAD, name="batches.csv"):
    path = tmp_path / name
    path.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    return path


# --------------------------------------------------------------------------------------------------------
# what samples prove


@pytest.mark.parametrize(("failures", "needed"), [(0, 59), (1, 93), (2, 124), (3, 153)])
def test_samples_needed_for_95_95(failures, needed):
    # the classic plans of Wilks: 59, 93, 124, 153
    assert acceptance.samples_needed(failures) == needed
    for n, enough in ((needed, True), (needed - 1, False)):
        assert (stats.binom.cdf(failures, n, 0.05) <= 0.05) is np.bool_(enough)


def test_samples_needed_at_other_levels():
    assert acceptance.samples_needed(0, 0.90, 0.95) == 29
    assert acceptance.samples_needed(0, 0.99, 0.95) == 299
    assert acceptance.samples_needed(0, 0.95, 0.90) == 45


def test_interval_is_that_of_clopper_and_pearson():
    # 39 of 40 batches passed in Linxia in the third quarter of 2025 (market supervision bureau)
    for k, n in ((39, 40), (0, 10), (10, 10), (3, 7), (500, 1000)):
        low, high = acceptance.interval(np.array(k), np.array(n))
        exact = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
        assert float(low) == pytest.approx(exact.low, abs=1e-12)
        assert float(high) == pytest.approx(exact.high, abs=1e-12)
    low, high = acceptance.interval(np.array(0), np.array(0))
    assert (float(low), float(high)) == (0.0, 1.0)


@pytest.mark.parametrize("rate", [0.8, 0.95])
@pytest.mark.parametrize("n", [5, 40])
def test_the_interval_covers_at_least_as_often_as_it_says(rate, n):
    k = np.arange(n + 1)
    low, high = acceptance.interval(k, np.full(n + 1, n))
    covered = (low <= rate) & (rate <= high)
    assert stats.binom.pmf(k, n, rate)[covered].sum() >= 0.95


def test_verdicts():
    assert acceptance.verdict(0, 0) == ("not_sampled", 59)
    assert acceptance.verdict(58, 58) == ("not_shown", 1)
    assert acceptance.verdict(59, 59) == ("shown", 0)
    assert acceptance.verdict(39, 40) == ("not_shown", 93 - 40)
    assert acceptance.verdict(92, 93) == ("shown", 0)
    # at 95 % six failures of 40 would come in 1.4 of 100 cases
    assert stats.binom.sf(5, 40, 0.05) < 0.05
    assert acceptance.verdict(34, 40)[0] == "refuted"
    # and five or more in 4.8, four or more in 13.8
    assert [acceptance.verdict(k, 40)[0] for k in (35, 36)] == ["refuted", "not_shown"]
    # shown means that the one-sided exact lower bound reaches the rate
    assert stats.binomtest(92, 93, alternative="greater").proportion_ci(0.95, method="exact").low >= 0.95


# --------------------------------------------------------------------------------------------------------
# verdicts on batches


def test_batches_are_judged_on_the_basis_of_the_limits(tmp_path):
    path = _table(
        tmp_path,
        "1,西安,生产,2018-12-05,无烟1号,0.50,16,12,,干基,",  # just at every limit
        "2,西安,生产,2018/12/5,无烟1号,0.501,10,8,,干基,",
        # as received: 0.46 % S at 10 % moisture are 0.511 % dry
        "3,西安,流通,2018年12月5日,无烟1号,0.46,10,8,10,收到基,",
        "4,西安,流通,20181205,烟煤1号,0.4,10,36,10,收到基,",
        "5,西安,使用,2018-12-05,型煤2号,0.9,40,11,,干基,",  # briquettes have no limit of ash here
        "6,西安,使用,2018-12-05,型煤2号,0.9,,,,干基,",  # volatile matter was not measured
        "7,西安,使用,2018-12-05,烟煤1号,0.9,20,38,,,",
    )
    judged = inspection.read(path)
    assert judged["verdict"].tolist() == ["pass", "fail", "fail", "pass", "pass", "incomplete", "fail"]
    assert judged["failed"].tolist() == ["", "sulfur", "sulfur", "", "", "", "sulfur, ash, volatile"]
    assert judged["sulfur_d"].iloc[2] == pytest.approx(0.46 / 0.9)
    assert set(judged["rule"]) == {"GB34169-2017"}


def test_volatile_matter_is_brought_to_dry_ash_free(tmp_path):
    head = "city,stage,date,product,sulfur,ash,volatile,moisture,basis\n"
    # V 27 % as received, 10 % moisture and 18 % ash as received: 30 % dry, 20 % ash dry, 37.5 % daf
    path = _table(tmp_path, "xian,use,2019-01-10,bituminous_2,0.5,18,27,10,ar", head=head)
    one = inspection.read(path).iloc[0]
    assert (one["ash_d"], one["volatile_daf"]) == pytest.approx((20.0, 37.5))
    assert one["failed"] == "volatile"


def test_the_standard_of_the_day(tmp_path):
    head = "city,stage,date,product,sulfur,ash,volatile_daf,heating_value\n"
    path = _table(
        tmp_path,
        "yangling,use,2014-11-01,,0.79,15,30,28000",
        "yangling,use,2014-11-01,,0.79,15,30,27000",
        "yangling,use,2018-11-01,bituminous_1,0.79,15,30,28000",
        head=head,
    )
    judged = inspection.read(path)
    assert judged["rule"].tolist() == ["DB61/183-2000", "DB61/183-2000", "GB34169-2017"]
    assert judged["failed"].tolist() == ["", "heating_value", "sulfur"]


def test_a_workbook_with_real_dates_reads_the_same(tmp_path):
    import datetime as dt

    path = tmp_path / "batches.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("抽检结果")
    sheet.write_row(0, 0, ["2018年洁净煤抽检"])
    sheet.write_row(1, 0, ["市", "环节", "日期", "煤种", "全硫(St,d)", "灰分(Ad)", "挥发分(Vdaf)", "发热量（MJ/kg）"])
    sheet.write_row(2, 0, ["西安市", "流通领域", "", "型煤1号", 0.45, 20, 10, 25])
    sheet.write_datetime(2, 2, dt.datetime(2018, 12, 5), book.add_format({"num_format": "yyyy-mm-dd"}))
    book.close()
    one = inspection.read(path).iloc[0]
    assert (one["stage"], one["verdict"], one["heating_value"]) == ("distribution", "pass", 25000)
    assert str(one["date"])[:10] == "2018-12-05"


def test_all_problems_of_a_table_at_once(tmp_path):
    path = _table(
        tmp_path,
        "1,西安,使用,去年冬天,无烟1号,0.5,10,8,,干基,",
        "2,西安,使用,1998-01-01,无烟1号,0.5,10,8,,干基,",
        "3,西安,使用,2018-12-05,,0.5,10,8,,干基,",
        "4,西安,使用,2018-12-05,无烟1号,0.5,10,8,,收到基,",
        "5,西安,使用,2018-12-05,无烟1号,0.5,95,8,6,收到基,",
    )
    with pytest.raises(InputError) as error:
        inspection.read(path)
    said = [p.text("en") for p in error.value.problems]
    assert len(said) == 5
    for text, words in zip(
        said, ("must be a date", "no such version", "needs a class", "moisture", "no coal"), strict=True
    ):
        assert words in text
    assert [p.where for p in error.value.problems] == ["2", "3", "4", "5", "6"]


# --------------------------------------------------------------------------------------------------------
# rates and emissions


def _shared(tmp_path):
    return _table(
        tmp_path,
        "1,西安,使用,2018-12-05,型煤1号,0.40,20,10,,干基,100",
        "2,西安,使用,2018-12-05,型煤1号,0.40,20,10,,干基,100",
        "3,西安,使用,2018-12-05,型煤1号,0.80,30,10,,干基,200",  # fails by sulphur
        "4,西安,使用,2018-12-05,型煤1号,0.40,20,30,,干基,100",  # raw coal by its volatile matter
        "5,宝鸡,生产,2018-12-05,型煤1号,0.30,20,10,,干基,",
        "6,宝鸡,生产,2018-12-05,型煤1号,0.50,20,10,,干基,",
    )


def test_rates_by_city_and_stage(tmp_path):
    out = inspection.rates(inspection.read(_shared(tmp_path)), ["xian", "baoji", "weinan"])
    use = out.sel(city="xian", stage="use")
    assert (int(use["inspection_batches"]), int(use["inspection_passed"])) == (4, 2)
    assert float(use["inspection_rate"]) == 0.5
    exact = stats.binomtest(2, 4).proportion_ci(0.95, method="exact")
    assert (float(use["inspection_low"]), float(use["inspection_high"])) == pytest.approx((exact.low, exact.high))
    assert int(use["inspection_verdict"]) == 2  # two failures of four are too many for 95 %
    assert int(out["inspection_verdict"].sel(city="weinan", stage="use")) == -1
    assert np.isnan(out["inspection_rate"].sel(city="weinan", stage="use"))
    assert out["inspection_total_batches"].values.tolist() == [2, 0, 4]
    assert int(out["inspection_total_more"].sel(stage="production")) == 57


def test_what_failing_batches_emit(tmp_path):
    path = _shared(tmp_path)
    one = inspection.supply(path, "xian")
    assert (one.city, one.stage, one.batches) == ("xian", "use", 4)
    assert one.failing_share == pytest.approx(300 / 500)  # by tonnes
    assert one.sulfur == pytest.approx((0.4 * 300 + 0.8 * 200) / 500)
    assert one.so2_ratio == pytest.approx(one.sulfur / 0.4)
    # 200 t clean, 200 t with 1.5 times the ash, 100 t that burn like raw coal
    assert one.pm25_ratio == pytest.approx((200 + 200 * 1.5 + 100 * 10) / 500)
    assert inspection.failing_share(path, "xian") == one.failing_share


def test_what_passes_emits_as_the_standard_has_it(tmp_path):
    one = inspection.supply(_shared(tmp_path), "baoji")
    assert (one.stage, one.failing_share) == ("production", 0.0)
    assert one.so2_ratio == pytest.approx(1.0)
    assert one.pm25_ratio == pytest.approx(1.0)


def test_a_city_without_a_batch_takes_those_of_all(tmp_path):
    path = _shared(tmp_path)
    one = inspection.supply(path, "weinan")
    assert one.city == ""
    assert one.failing_share == inspection.supply(path, "xian").failing_share


def test_where_nothing_passes_the_limits_are_what_would(tmp_path):
    path = _table(tmp_path, "1,西安,使用,2018-12-05,无烟1号,0.75,24,10,,干基,")
    one = inspection.supply(path, "xian")
    assert one.failing_share == 1.0
    assert one.so2_ratio == pytest.approx(1.5)
    assert one.pm25_ratio == pytest.approx(1.5)


def test_nothing_judged_is_refused(tmp_path):
    path = _table(tmp_path, "1,西安,使用,2018-12-05,型煤1号,0.4,,,,干基,")
    with pytest.raises(InputError, match="measured in full"):
        inspection.supply(path, "xian")
