"""When sectors emit."""

import numpy as np
import pandas as pd
import pytest

from airsim import shipped
from airsim.inventory import SECTORS, Profiles

YEAR = np.arange("2018-12-31T16", "2019-12-31T16", dtype="datetime64[h]")  # 2019 in Beijing time


@pytest.fixture(scope="module")
def profiles():
    return Profiles()


@pytest.mark.parametrize("sector", SECTORS)
def test_a_local_year_gives_exactly_one(profiles, sector):
    key = profiles.key(sector, "")
    assert profiles.fraction(key, YEAR).sum() == pytest.approx(1, abs=1e-12)
    leap = np.arange("2019-12-31T16", "2020-12-31T16", dtype="datetime64[h]")
    assert profiles.fraction(key, leap).sum() == pytest.approx(1, abs=1e-12)


def test_the_days_hours_are_local(profiles):
    # the traffic peak at 17 h Beijing time is 09 UTC
    day = np.arange("2019-01-15T00", "2019-01-16T00", dtype="datetime64[h]")
    share = profiles.fraction(profiles.key("transport", ""), day)
    assert np.argmax(share) == 9
    assert np.argmin(share) in (18, 19)  # 2 to 4 h at night


def test_weekday_starts_on_monday(tmp_path):
    line = {"sector": "s", "subsector": "", "source": "", "quality": ""}
    rows = [
        line | {"kind": "month"} | {f"f{i:02d}": 1 for i in range(12)},
        line | {"kind": "weekday"} | {f"f{i:02d}": int(i == 0) for i in range(7)},
        line | {"kind": "hour"} | {f"f{i:02d}": 1 for i in range(24)},
    ]
    path = tmp_path / "p.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    share = Profiles(path).fraction(("s", ""), YEAR)
    local = pd.DatetimeIndex(YEAR) + pd.Timedelta(hours=8)
    assert (share > 0).tolist() == (local.day_of_week == 0).tolist()


def test_shape_follows_the_factors(profiles):
    key = profiles.key("residential", "traditional_stove")
    assert key == ("residential", "")
    at = np.array(["2019-01-15T12", "2019-07-16T12"], "datetime64[h]")  # Tuesdays, 20 h
    january, july = profiles.fraction(key, at)
    table = pd.read_csv(shipped.path("data/emissions/profiles.csv"), encoding="utf-8-sig", keep_default_na=False)
    month = table.query("sector == 'residential' and subsector == '' and kind == 'month'").iloc[0]
    assert january / july == pytest.approx(float(month.f00) / float(month.f06))


def test_seasons_that_the_rules_set(profiles):
    def month_share(sector, sub):
        share = pd.Series(
            profiles.fraction(profiles.key(sector, sub), YEAR), pd.DatetimeIndex(YEAR) + pd.Timedelta("8h")
        )
        return share.groupby(share.index.month).sum()

    cement = month_share("cement", "")
    assert cement[[12, 1, 2]].max() < 0.015  # kilns stop 11-15 to 03-15
    heat = month_share("heat", "")
    assert heat[[5, 6, 7, 8, 9]].sum() == 0
    assert heat[[12, 1, 2]].sum() > 0.6
    livestock, fertiliser = month_share("agriculture", "livestock"), month_share("agriculture", "fertiliser")
    ammonia = 0.538 * livestock + 0.462 * fertiliser
    assert ammonia[7] / ammonia[1] == pytest.approx(3.08, rel=0.05)  # Li et al. 2021, ACP 21 15883
    stoves = month_share("residential", "")
    assert stoves[[12, 1, 2]].sum() > 0.5


def test_incomplete_profiles_are_refused(tmp_path):
    path = tmp_path / "p.csv"
    line = {"sector": "s", "subsector": "", "kind": "month", "source": "", "quality": ""}
    pd.DataFrame([line | {f"f{i:02d}": 1 for i in range(12)}]).to_csv(path, index=False)
    with pytest.raises(ValueError, match="lacks"):
        Profiles(path)
    pd.DataFrame([line | {f"f{i:02d}": -1 for i in range(12)}]).to_csv(path, index=False)
    with pytest.raises(ValueError, match="positive"):
        Profiles(path)
    with pytest.raises(KeyError, match="alchemy"):
        Profiles().key("alchemy", "")
