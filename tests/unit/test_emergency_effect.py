"""What a response does: windows by hand, indicators by hand, and parts of a response against whole runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from joint_case import tracers, world

from airsim import emergency, inventory, measures, rules, shipped
from airsim.case import plan_of
from airsim.coal.plan import carry_out
from airsim.emergency import kind
from airsim.emergency.measure import emergency as carry_out_list
from airsim.inventory.placement import Placement
from airsim.region.equilibrium import pm25
from airsim.region.receptors import cities, weather_at
from airsim.response import effect, sensitivity, uncertainty

T = pd.Timestamp
H = pd.Timedelta("1h")


def alerts(*rows):
    return pd.DataFrame([{"city": c, "level": v, "start": T(a), "end": T(b)} for c, v, a, b in rows])


# --------------------------------------------------------------------------------------------------------
# windows


def test_shifting_moves_the_start_alone():
    called = alerts(("xian", "orange", "2019-01-02 00:00", "2019-01-03 00:00"),
                    ("xian", "red", "2019-01-03 00:00", "2019-01-05 00:00"))  # fmt: skip
    sooner = effect.shifted(called, -12)
    assert sooner[["level", "start", "end"]].to_numpy().tolist() == [
        ["orange", T("2019-01-01 12:00"), T("2019-01-03 00:00")],
        ["red", T("2019-01-03 00:00"), T("2019-01-05 00:00")],
    ]
    # a start 36 h later leaves nothing of orange and half a day less of red
    later = effect.shifted(called, 36)
    assert later[["level", "start", "end"]].to_numpy().tolist() == [
        ["red", T("2019-01-03 12:00"), T("2019-01-05 00:00")]
    ]
    assert effect.shifted(called, 200).empty
    assert effect.shifted(called, 0).equals(emergency.strictest(called))


def test_two_alerts_of_a_city_shift_each():
    called = alerts(("xian", "red", "2019-01-02", "2019-01-03"), ("xian", "red", "2019-01-04", "2019-01-05"))
    assert effect.shifted(called, -36)["start"].tolist() == [
        T("2018-12-31 12:00")
    ]  # the second begins as the first ends
    assert effect.shifted(called, 6)["start"].tolist() == [T("2019-01-02 06:00"), T("2019-01-04 06:00")]


def test_cities_without_alert_count_all_alert_hours():
    time = np.arange("2019-01-02T00", "2019-01-02T06", dtype="datetime64[h]").astype("datetime64[ns]")
    found = effect.under(alerts(("xian", "red", "2019-01-02 01:00", "2019-01-02 03:00"),
                                ("baoji", "red", "2019-01-02 02:00", "2019-01-02 04:00")), time)  # fmt: skip
    at = effect.CITY_IDS.index
    assert found[:, at("xian")].tolist() == [False, True, True, False, False, False]
    assert found[:, at("luoyang")].tolist() == [False, True, True, True, False, False]


def test_indicators_by_hand():
    # two Beijing days from 16:00 UTC; without 160 then 40, with 100 then 40; the alert is the first day's second half
    time = np.arange("2019-01-01T16", "2019-01-03T16", dtype="datetime64[h]").astype("datetime64[ns]")
    ids = list(effect.CITY_IDS)
    series = np.stack([np.r_[np.full(24, a), np.full(24, 40.0)] for a in (160.0, 100.0)])
    fine = np.repeat(series[:, :, None], len(ids), axis=2)
    low = np.full_like(fine, 1.0)
    axes = ("response", "time", "city")
    air = xr.Dataset(
        {n: (axes, fine if n == "pm25" else low) for n in ("pm25", "pm10", "so2", "no2", "co")},
        coords={"response": list(effect.RESPONSES), "time": time, "city": ids},
    )
    called = alerts(("xian", "red", "2019-01-02 04:00", "2019-01-02 20:00"))
    found = effect.indicators(air, called, rules.load("aqi", version="HJ633-2012")).sel(city="xian")
    # 12 of the 16 alert hours are on the first day
    assert found["effect_mean"].values.tolist() == pytest.approx([(12 * 160 + 4 * 40) / 16, (12 * 100 + 4 * 40) / 16])
    assert found["effect_peak_day"].values.tolist() == pytest.approx([160, 100])
    assert found["effect_peak_hour"].values.tolist() == pytest.approx([160, 100])
    assert found["peak_day"].values == np.datetime64("2019-01-02")
    # HJ 633-2012: 160 is AQI 210, 100 is 132, 40 is 57
    assert found["hours_above"].sel(response="without").values.tolist() == [24, 24, 24, 0]
    assert found["hours_above"].sel(response="with").values.tolist() == [24, 0, 0, 0]
    assert found["days_above"].sel(response="without").values.tolist() == [1, 1, 1, 0]
    assert found["days_above"].sel(response="with").values.tolist() == [1, 0, 0, 0]


# --------------------------------------------------------------------------------------------------------
# the ledger of a gradual response


@pytest.fixture(scope="module")
def small():
    w = world()
    measure = w.scenario.measures[-1]
    list_ = emergency.read(shipped.path("data/emissions/emergency_list.xlsx"))
    before = carry_out(plan_of(w.scenario.model_copy(update={"measures": w.scenario.measures[:-1]})), w.inventory)
    return w, measure, list_, before.steps[-1].inventory


def _taken(inv, after, source):
    """Hours' worth of SO2 that the emergency's rows take of a source, written as plainly as can be."""
    new = after.scaling.iloc[len(inv.scaling) :]
    rows = new[(new["source"] == source) & new["pollutant"].isin(["*", "SO2"])]
    return float(((1 - rows["factor"]) * (rows["end"] - rows["start"]) / H).sum())


@pytest.mark.parametrize("rebound", [(0.0, 72), (0.3, 48)])
def test_the_ledger_books_what_the_rows_take(small, rebound):
    _, measure, list_, inv = small
    windows = kind.alert_windows(measure)
    after, ledger = carry_out_list(
        inv, list_, windows, 0.9, response=rules.load("emergency_response"), rebound=rebound,
        hours_of_day={"transport/diesel": (7, 21)},
    )  # fmt: skip
    sources = inv.sources
    days = np.where((sources["kind"] == "point") & (sources["operating_days"] > 0), sources["operating_days"], 365.0)
    left = measures.ledger.left_of(inv, list(sources.index), pd.NaT, pd.NaT)["SO2"]
    taken = sum(
        _taken(inv, after, s) / 24 * sources.at[s, "SO2"] / d * left[s]
        for s, d in zip(sources.index, days, strict=True)
    )
    booked = ledger.loc[ledger["pollutant"] == "SO2", "removed"].sum()
    assert booked == pytest.approx(taken, rel=1e-9)
    assert (ledger["removed"] < 0).any() == (rebound[0] > 0)


def test_black_carbon_is_cut_once(small):
    # a list's row on PM25 and its row on BC must not both act on black carbon
    w, measure, list_, inv = small
    after = kind.respond(inv, measure, list_, kind.alert_windows(measure), "3-emergency", ledger=False)[0]
    hour = 40
    before, then = (
        inventory.gridding.pollutants(inventory.grid(i, w.place, w.weather).rates(hour)) for i in (inv, after)
    )
    pm, bc, oc = (inventory.POLLUTANTS.index(p) for p in ("PM25", "BC", "OC"))
    acted = (then[:, pm] < before[:, pm]) & (before[:, bc] > 0) & (before[:, oc] > 0)
    assert acted.sum() > 10
    left = then[acted] / np.where(before[acted] > 0, before[acted], 1.0)
    for p in (bc, oc):
        np.testing.assert_allclose(left[:, p], left[:, pm], rtol=1e-9)


def test_gradual_takes_less_than_at_once(small):
    _, measure, list_, inv = small
    windows = kind.alert_windows(measure)
    at_once, _ = carry_out_list(inv, list_, windows, 0.9)
    gradual, _ = carry_out_list(inv, list_, windows, 0.9, response=rules.load("emergency_response"))
    names = [s for s in inv.sources.index if _taken(inv, at_once, s) > 0]
    coking = [s for s in names if inv.sources.at[s, "sector"] == "coking"]
    for s in names:
        hours, slower = _taken(inv, at_once, s), _taken(inv, gradual, s)
        pace = measures.ramps.pace_of(
            rules.load("emergency_response"), inv.sources.at[s, "sector"], inv.sources.at[s, "subsector"]
        )
        # a ramp down loses half its length, a ramp up gives half its length back (30 h of alert are longer than any)
        share = hours / 30
        assert slower == pytest.approx(share * (30 - pace.down / 2 + pace.up / 2), rel=1e-9)
    assert coking


def test_a_ban_by_day_saves_the_same_in_fewer_hours(small):
    _, _, list_, inv = small
    whole_day = alerts(("xian", "red", "2019-01-01 16:00", "2019-01-03 16:00"))
    source = next(
        s for s in inv.sources.index[inv.sources["city"] == "xian"] if inv.sources.at[s, "subsector"] == "diesel"
    )
    hours = {"transport/diesel": (7, 21)}
    free, _ = carry_out_list(inv, list_, whole_day, 0.3)
    banned, _ = carry_out_list(inv, list_, whole_day, 0.3, hours_of_day=hours)
    time = xr.Dataset(coords={"time": pd.date_range("2019-01-01 16:00", periods=48, freq="h").to_numpy()})["time"]

    def emitted(i):
        w = world()
        weather = w.weather.isel(time=slice(0, 48)).assign_coords(time=time.values)
        g = inventory.grid(i, w.place, weather)
        at = list(g.sources.index).index(source)
        return np.array([g.rates(h)[at].sum() for h in range(48)])

    base, a, b = emitted(inv), emitted(free), emitted(banned)
    local = (np.arange(48)) % 24
    assert np.all(b[(local < 7) | (local >= 21)] == base[(local < 7) | (local >= 21)])
    assert np.all(b[(local >= 7) & (local < 21)] < a[(local >= 7) & (local < 21)])
    assert (base - b).sum() == pytest.approx((base - a).sum(), rel=2e-3)  # weekdays differ a little
    # a ban can't take more than is emitted in its hours
    most, _ = carry_out_list(inv, list_, whole_day, 1.0, hours_of_day=hours)
    assert (base - emitted(most)).sum() <= base[(local >= 7) & (local < 21)].sum() * (1 + 1e-12)


# --------------------------------------------------------------------------------------------------------
# parts against whole runs


@pytest.fixture(scope="module")
def carried(small):
    w, measure, list_, inv = small
    receptors = cities(w.place, ["xian", "xianyang", "weinan"])
    called = kind.alert_windows(measure)

    def respond(windows):
        return kind.respond(inv, measure, list_, windows, "3-emergency", ledger=False)[0]

    after = respond(called)
    before = inventory.grid(inv, w.place, w.weather)
    grids = {
        "together": inventory.grid(after, w.place, w.weather),
        "xian": inventory.grid(respond(called[called["city"] == "xian"]), w.place, w.weather),
        "sooner": inventory.grid(respond(effect.shifted(called, -12)), w.place, w.weather),
    }
    air = {"before": tracers(w, receptors, before.at)}
    air |= {k: tracers(w, receptors, g.at) for k, g in grids.items()}
    return w, receptors, called, before, grids, air


def test_parts_are_the_whole_runs(carried):
    w, receptors, _, before, grids, air = carried
    parts = effect.tags(before, grids["together"], {"sooner": grids["sooner"]}, ["xian"])
    assert parts.names == ("xian", "sooner")
    cut = effect.carry(w.place.grid, w.weather, Placement(before), parts, receptors, w.hours)
    for tag, name in enumerate(parts.names):
        whole = air["before"] - air[name]
        assert np.abs(cut[..., tag] - whole).max() <= 2e-5 * np.abs(air["before"]).max()
    box = weather_at(w.weather, receptors, w.hours)
    found = effect.pm25_of_parts(air["before"], cut, w.transport, receptors, w.hours)
    exact = (pm25(air["before"], *box, axis=-1) - pm25(air["xian"], *box, axis=-1)) @ receptors.over_boxes.T
    assert np.abs(found[0] - exact).max() <= 0.02
    assert exact.max() > 5


def test_rates_by_city_add_up(carried):
    w, _, _, before, grids, _ = carried
    found = effect.rates(before, grids["together"], w.hours)
    hour = 30
    so2 = inventory.gridding.pollutants(before.rates(hour) - grids["together"].rates(hour))[:, 0] * 3600
    at = found["emission_cut"].isel(time=hour - w.hours.start).sel(precursor="SO2")
    for city in ("xian", "weinan"):
        assert float(at.sel(city=city)) == pytest.approx(
            so2[(before.sources["city"] == city).to_numpy()].sum(), rel=1e-5
        )
    assert float(at.sel(city="baoji")) == 0.0


def test_sensitivities_give_the_cut_and_are_kept(carried, tmp_path):
    w, receptors, called, before, grids, air = carried
    time = w.transport.time[w.hours.start :]
    box = weather_at(w.weather, receptors, w.hours)
    fine = pm25(air["before"], *box, axis=-1) @ receptors.over_boxes.T
    less = fine - pm25(air["together"], *box, axis=-1) @ receptors.over_boxes.T
    every = np.full((len(time), len(effect.CITY_IDS)), np.nan)
    every[:, [effect.CITY_IDS.index(c) for c in receptors.names]] = fine
    days = effect.peak_days(xr.DataArray(every, dims=("time", "city"), coords={"time": time})).values
    wanted = uncertainty.targets(called, days, receptors, time)
    assert [t.name for t in wanted][:2] == ["xian:mean", "xian:peak"]

    def made():
        return uncertainty.sensitivities(
            tmp_path, w.transport, air["before"], air["together"], receptors, w.hours, wanted, before
        )

    felt = made()
    (kept,) = tmp_path.iterdir()
    found = uncertainty.contributions(felt, before, grids["together"])
    for t, target in enumerate(wanted):
        exact = float(target.hours @ less[:, target.receptor])
        assert found.cut[..., t].sum() == pytest.approx(exact, rel=5e-3)
    stamp = kept.stat().st_mtime_ns
    np.testing.assert_array_equal(made().values, felt.values)
    assert kept.stat().st_mtime_ns == stamp
    # a torn file is made again
    kept.write_bytes(kept.read_bytes()[: kept.stat().st_size // 2])
    np.testing.assert_array_equal(made().values, felt.values)
    with pytest.raises(KeyError):
        sensitivity.Sensitivities(felt.targets, felt.sites[1:], felt.values[:, 1:], "").of(
            before.rates, Placement(before)
        )
