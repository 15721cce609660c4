"""Every group of result.nc against what the inputs say, recomputed here with plain numpy from the made-up case."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest
from made_case import (
    ALERTS,
    AREA,
    AREA_CITIES,
    CUT,
    CUT_CITIES,
    CUT_SECTORS,
    ENTERPRISES,
    EXECUTED,
    FIRST,
    GROWTH,
    HOURS,
    HOUSEHOLDS,
    LEDGER,
    LISTED,
    OPERATING_DAYS,
    PER_HOUSEHOLD,
    POLLUTANTS,
    SPIN_UP,
    SUBSTITUTED,
    WIND_FROM,
    YEARS,
    daily_base,
    observed,
)  # fmt: skip

from airsim import shipped

KNOWN = ["xian", "baoji", "xianyang", "tongchuan", "weinan", "yangling", "shangluo"]
LOCAL = pd.date_range(FIRST, periods=HOURS, freq="h")
#: HJ 633-2012, table 1: IAQI and 24 h PM2.5, PM10, SO2, NO2 [ug m-3], CO [mg m-3].
IAQI = [0, 50, 100, 150, 200, 300, 400, 500]
STEPS = {
    "pm25": [0, 35, 75, 115, 150, 250, 350, 500], "pm10": [0, 50, 150, 250, 350, 420, 500, 600],
    "so2": [0, 50, 150, 475, 800, 1600, 2100, 2620], "no2": [0, 40, 80, 180, 280, 565, 750, 940],
    "co": [0, 2, 4, 14, 24, 36, 48, 60],
}  # fmt: skip


def alert_hours(city):
    """Which hours of the period lie in an alert of the city."""
    inside = np.zeros(HOURS, bool)
    for name, _, start, end in ALERTS:
        if name == city:
            inside |= np.asarray((start <= LOCAL) & (end > LOCAL))
    return inside


def profile(sector, hours):
    """Share of the year's emission in each of some Beijing hours, from the shipped table."""
    table = pd.read_csv(shipped.path("data/emissions/profiles.csv"), encoding="utf-8-sig", keep_default_na=False)
    table = table[(table["sector"] == sector) & (table["subsector"] == "")].set_index("kind")
    size = {"month": 12, "weekday": 7, "hour": 24}
    parts = {k: table.loc[k, [f"f{i:02d}" for i in range(n)]].to_numpy(float) for k, n in size.items()}

    def raw(times):
        return parts["month"][times.month - 1] * parts["weekday"][times.day_of_week] * parts["hour"][times.hour]

    year = pd.date_range(f"{hours[0].year}-01-01", f"{hours[0].year}-12-31 23:00", freq="h")
    return raw(hours) / raw(year).sum()


def at(group, name, **where):
    """Return values of a variable at some labels as float64."""
    return group[name].sel(**where).values.astype(float)


# ------------------------------------------------------------------------------------------------ the air


def test_a_day_has_twenty_hours_or_no_mean(tree):
    assert tree.sizes["day"] == 2
    for name in STEPS:
        hourly = at(tree, name, city=KNOWN)
        np.testing.assert_allclose(at(tree, f"{name}_daily", city=KNOWN)[:, 0], hourly[:, :24].mean(1), rtol=1e-5)
        assert np.isnan(tree[f"{name}_daily"].values[:, 1]).all(), "ten hours are no day (GB 3095: 20)"
    assert np.isnan(tree["aqi"].values[:, 1]).all()


def test_the_index_is_that_of_hj_633_of_2012(tree):
    each = []
    for name, steps in STEPS.items():
        mean = at(tree, f"{name}_daily", city=KNOWN)[:, 0]
        mean = np.round(mean / 1000, 1) if name == "co" else np.round(mean)
        each.append(np.ceil(np.round(np.interp(mean, steps, IAQI), 6)))
    np.testing.assert_array_equal(at(tree, "aqi", city=KNOWN)[:, 0], np.max(each, axis=0))


def test_base_is_the_dirtier_case_where_and_when_measures_act(tree):
    change = at(tree, "pm25", city=KNOWN)
    change = change[0] - change[1]
    assert change[:, KNOWN.index("xian")].min() > 1
    assert change[:, KNOWN.index("weinan")].min() > 1
    steps = tree["attribution"].to_dataset()
    assert steps["step"].values.tolist() == ["cut", "coal_substitution", "emergency"]
    np.testing.assert_allclose(at(steps, "pm25_removed", city=KNOWN).sum(0), change, atol=2e-3)
    assert np.abs(at(steps, "pm25_removed", step="emergency", city="xian")[:6]).max() < 1e-4, "before the alert"
    assert at(steps, "pm25_removed", step="emergency", city="xian")[8:20].mean() > 0


def test_fine_particles_are_their_components(tree):
    parts = sum(at(tree, c, city=KNOWN) for c in ("bc", "om", "soa", "sulphate", "nitrate", "ammonium", "other"))
    np.testing.assert_allclose(parts, at(tree, "pm25", city=KNOWN), rtol=1e-4)
    field = tree["pm25_field"].values.astype(float)
    np.testing.assert_allclose(tree["pm25_mean_field"].values, field.mean(1), rtol=1e-5)
    assert (at(tree, "pm25_background", city=KNOWN) <= at(tree, "pm25", city=KNOWN)[0] * 1.02).all()


# ------------------------------------------------------------------------------------------------ emissions


def annual():
    """t a-1 by city, sector and pollutant."""
    total = {}
    for _, _, city, _, sector, *_, amounts in ENTERPRISES:
        total[city, sector] = total.get((city, sector), 0) + np.array(amounts, float)
    for city, share in AREA_CITIES.items():
        for sector, *_, amounts in AREA:
            total[city, sector] = total.get((city, sector), 0) + share * np.array(amounts, float)
    return total


def test_annual_emissions_are_the_sums_of_the_tables(tree):
    group = tree["emissions"].to_dataset().sel(pollutant=list(POLLUTANTS))
    expected = annual()
    for (city, sector), amounts in expected.items():
        np.testing.assert_allclose(at(group, "emission_annual", city=city, sector=sector), amounts, rtol=1e-6)
    total = sum(expected.values())
    np.testing.assert_allclose(group["emission_annual"].sum(("city", "sector")).values, total, rtol=1e-6)


@pytest.mark.parametrize("city", ["xian", "weinan"])
@pytest.mark.parametrize("sector", ["transport", "dust", "agriculture"])
def test_the_cut_is_in_the_controlled_case_and_only_there(tree, city, sector):
    """What is cut by half is half; what isn't, is whole."""
    group = tree["emissions"].to_dataset().sel(pollutant=list(POLLUTANTS))
    base, controlled = (at(group, "emission_daily", case=c, city=city, sector=sector) for c in ("base", "controlled"))
    left = 1 - CUT / 100 if city in CUT_CITIES and sector in CUT_SECTORS else 1.0
    np.testing.assert_allclose(controlled, left * base, rtol=1e-6)
    assert base.max() > 0


@pytest.mark.parametrize("number", range(len(ENTERPRISES)))
def test_enterprises_emit_by_profile_and_list(tree, number):
    identity, name, city, _, sector, lon, lat, _, coal, amounts = ENTERPRISES[number]
    group = tree["enterprises"].to_dataset().sel(pollutant=list(POLLUTANTS))
    named = group["enterprise_name"].values.tolist()
    one = group.isel(enterprise=named.index(name))
    assert (one["enterprise_city"].item(), one["enterprise_sector"].item()) == (city, sector)
    assert one["enterprise_longitude"].item() == pytest.approx(lon)
    assert one["enterprise_latitude"].item() == pytest.approx(lat)
    assert one["coal"].item() == pytest.approx(coal)
    np.testing.assert_allclose(one["emission_annual"].values, amounts, rtol=1e-6)
    share = profile(sector, LOCAL)
    np.testing.assert_allclose(
        at(one, "emission_daily", case="base"), 1000 * 24 * share.mean() * np.array(amounts), rtol=1e-5
    )
    left = np.ones(HOURS)
    for where, level, start, end in ALERTS:
        if where == city and identity in LISTED:
            left[np.asarray((start <= LOCAL) & (end > LOCAL))] = 1 - EXECUTED * LISTED[identity][level]
    np.testing.assert_allclose(
        at(one, "emission_daily", case="controlled"), 1000 * 24 * (share * left).mean() * np.array(amounts), rtol=1e-5
    )


def test_the_ledger_of_measures(tree):
    group = tree["measures"].to_dataset()
    rows = pd.DataFrame(
        {c: group[c].values for c in ("row_kind", "row_city", "row_sector", "row_pollutant", "removed")}
    )

    def removed(kind, city, sector, pollutant):
        keys = {"row_kind": kind, "row_city": city, "row_sector": sector, "row_pollutant": pollutant}
        chosen = np.logical_and.reduce([rows[k] == v for k, v in keys.items()])
        return float(rows.loc[chosen, "removed"].sum())

    for city in CUT_CITIES:
        for sector in CUT_SECTORS:
            for p, amount in zip(POLLUTANTS, annual()[city, sector], strict=True):
                assert removed("cut", city, sector, p) == pytest.approx(CUT / 100 * amount)
    tonnes = HOUSEHOLDS * PER_HOUSEHOLD * SUBSTITUTED
    assert removed("coal_substitution", "xian", "residential", "raw_coal") == pytest.approx(tonnes)
    _, _, _, burnt, amounts = AREA[0]
    so2 = amounts[POLLUTANTS.index("SO2")] * tonnes / burnt
    assert removed("coal_substitution", "xian", "residential", "SO2") == pytest.approx(so2)
    for identity, _, city, _, sector, *_, given in ENTERPRISES:
        for where, level, start, end in ALERTS:
            if where == city and identity in LISTED:
                days = (pd.Timestamp(end) - pd.Timestamp(start)) / pd.Timedelta("1D")
                expected = given[0] / OPERATING_DAYS * days * EXECUTED * LISTED[identity][level]
                assert removed("emergency", city, sector, "SO2") == pytest.approx(expected)


# ------------------------------------------------------------------------------------------------ the list


def test_shares_are_cut_over_society(tree):
    group = tree["emergency"].to_dataset()
    required = {"yellow": 0.1, "orange": 0.2, "red": 0.3}
    for city, identity in (("xian", "E1"), ("weinan", "E2")):
        given = next(e[-1] for e in ENTERPRISES if e[0] == identity)
        for level, share in required.items():
            one = group.sel(level=level, city=city)
            cut = LISTED[identity][level] * np.array(daily_base(given))
            np.testing.assert_allclose(one["cut_kg_d"].values, cut, rtol=1e-6)
            base = one["base_kg_d"].values
            assert (base > cut).all()
            np.testing.assert_allclose(one["share"].values, cut / base, rtol=1e-6)
            np.testing.assert_allclose(one["required"].values, share)
            # 648/2019: SO2 and NOx may trade, their shares are averaged
            counted = np.append(np.full(2, (cut / base)[:2].mean()), (cut / base)[2:])
            np.testing.assert_array_equal(one["pass"].values, counted >= share)
            short = np.maximum(share * base - cut, 0)
            np.testing.assert_allclose(one["missing_kg_d"].values[2:], short[2:], rtol=1e-6)
    utc = pd.to_datetime(ALERTS[0][2]) - pd.Timedelta("8h")
    assert group["alert_start"].values[list(group["alert_city"].values).index("xian")] == np.datetime64(utc)


@pytest.mark.parametrize("city", ["xian", "weinan"])
def test_the_effect_is_with_minus_without(tree, city):
    group, inside = tree["emergency"].to_dataset(), alert_hours(city)
    with_ = at(tree, "pm25", case="controlled", city=city)
    without = with_ + at(tree["attribution"].to_dataset(), "pm25_removed", step="emergency", city=city)
    said = group["effect_mean"].sel(city=city)
    assert sorted(said.values) == pytest.approx(sorted([without[inside].mean(), with_[inside].mean()]), rel=1e-4)
    highest = group["effect_peak_hour"].sel(city=city).values
    assert max(highest) >= without[inside].max() * (1 - 1e-4)


# ------------------------------------------------------------------------------------------------ coal


def test_the_coal_balance(tree):
    group = tree["coal"].to_dataset()
    lines = group["consumption"].sum("sector")
    for city in ("xian", "xianyang", "weinan", "baoji", "tongchuan"):
        base = sum(t for (c, _), t in LEDGER.items() if c == city)
        saved = HOUSEHOLDS * PER_HOUSEHOLD * SUBSTITUTED if city == "xian" else 0.0
        target = base * (1 + GROWTH) - saved
        one = lines.sel(city=city)
        assert one.sel(line="base").item() == pytest.approx(base)
        assert one.sel(line="growth").item() == pytest.approx(base * GROWTH)
        assert one.sel(line="substitution").item() == pytest.approx(-saved)
        assert one.sel(line="target").item() == pytest.approx(target)
        assert at(group, "growth", city=city) == pytest.approx(target / base - 1)
        assert group["pass"].sel(city=city).item() == int(target < base)
        for year, of in YEARS.items():
            assert group["ledger"].sel(city=city, year=year).sum().item() == pytest.approx(base * of)
    base = sum(LEDGER.values())
    target = base * (1 + GROWTH) - HOUSEHOLDS * PER_HOUSEHOLD * SUBSTITUTED
    assert group["growth_total"].item() == pytest.approx(target / base - 1)
    assert group["pass_total"].item() == int(target < base)
    chance = at(group, "probability", city=["xian", "baoji"])
    assert 0 <= chance[1] < 0.5 < chance[0] <= 1


# ------------------------------------------------------------------------------------------------ who, where from


def test_transfer_and_ranking_hang_on_the_base_case(tree):
    matrix, ranking = tree["transfer"].to_dataset(), tree["ranking"].to_dataset()
    mean = at(tree, "pm25", case="base", city="weinan").mean()
    assert at(matrix, "total", species="pm25", receptor="weinan") == pytest.approx(mean, rel=2e-3)
    assert at(ranking, "pm25_base", receptor="weinan") == pytest.approx(mean, rel=2e-3)
    tag = matrix["contribution"].sel(species="pm25", approach="tag")
    assert tag.sel(receptor="weinan").sum().item() == pytest.approx(mean, rel=2e-3)
    # the wind blows from the west: Xi'an goes to Weinan, Weinan not to Xi'an
    assert tag.sel(source="xian", receptor="weinan") > 5 * abs(tag.sel(source="weinan", receptor="xian"))
    impact = ranking["enterprise_impact"].sel(receptor="weinan").values
    rank = ranking["enterprise_rank"].sel(receptor="weinan").values
    np.testing.assert_array_equal(np.argsort(rank), np.argsort(-impact, kind="stable"))
    by = ranking["enterprise_impact_by_pollutant"].sel(receptor="weinan").sum("pollutant").values
    np.testing.assert_allclose(by, impact, rtol=1e-5, atol=1e-9)


def test_the_wind_blows_from_where_the_stations_say(tree):
    group = tree["meteorology"].to_dataset().sel(city=["xian", "xianyang", "weinan"])
    away = (group["wind_from_direction"].values - WIND_FROM + 180) % 360 - 180
    assert np.abs(away).max() < 30
    assert group["wind_speed"].values.min() > 0.6
    clock = LOCAL.hour.to_numpy()
    warm = np.maximum(0, 6 - np.abs(clock - 14))
    assert np.abs(group["air_temperature"].values - 273.15 - (warm - 3)[:, None]).max() < 3
    assert np.abs(group["relative_humidity"].values - (0.7 - 0.02 * warm)[:, None]).max() < 0.1
    assert group["precipitation_flux"].values.max() == 0


def test_plumes_go_downwind(tree):
    group = tree["plume"].to_dataset().sel(case="base")
    mean = group["receptor_mean"]
    assert (mean.sel(receptor="厂东") > 3 * mean.sel(receptor="厂西")).all()
    for low, high in (("receptor_mean", "receptor_max"), ("receptor_day", "receptor_max")):
        assert (group[low] <= group[high] * 1.001).all()


# ------------------------------------------------------------------------------------------------ observations


def seen(city):
    """(day, hour) PM2.5 of the made-up stations, by the start of the hour: the files name an hour by its end."""
    values = np.array([[observed(d, h, city) for h in range(24)] for d in range(1, 32)])
    if city == "西安":
        values[5, :6] = np.nan
    return np.append(values.ravel()[1:], np.nan).reshape(31, 24)


@pytest.mark.parametrize(("city", "zh"), [("xian", "西安"), ("weinan", "渭南"), ("baoji", "宝鸡")])
def test_observations_beside_the_model(tree, city, zh):
    group, hours = tree["evaluation"].to_dataset(), seen(zh)
    one = group.sel(variable="pm25", city=city)
    modelled = at(tree, "pm25", case="base", city=city).mean()
    assert one["observed_mean"].item() == pytest.approx(np.nanmean(hours), rel=1e-3)
    assert one["modelled_mean"].item() == pytest.approx(modelled, rel=1e-5)
    assert one["ratio"].item() == pytest.approx(modelled / np.nanmean(hours), rel=1e-3)
    np.testing.assert_allclose(at(group, "observed_pm25", city=city), hours.ravel()[24 : 24 + HOURS])
    assert one["daily_pairs"].item() == 1, "the second day has ten hours"


@pytest.mark.parametrize(("city", "zh"), [("xian", "西安"), ("weinan", "渭南"), ("baoji", "宝鸡")])
def test_projection_of_what_was_observed(tree, city, zh):
    group, hours = tree["attainment"].to_dataset(), seen(zh)
    daily = np.where(np.isfinite(hours).sum(1) >= 20, np.nanmean(hours, axis=1), np.nan)
    one = group.sel(period="season", city=city)
    assert one["observed_days"].item() == np.isfinite(daily).sum()
    assert one["observed_mean"].item() == pytest.approx(np.nanmean(daily))
    # heavy: the rounded mean is above 150
    assert one["observed_heavy_days"].item() == (np.round(daily) > 150).sum()
    air = at(tree, "pm25", city=city).mean(1)
    assert at(group, "modelled_base", response="permanent", city=city) == pytest.approx(air[0], rel=1e-5)
    assert one["projected_mean"].item() <= one["observed_mean"].item() * (1 + 1e-4)


# ------------------------------------------------------------------------------------------------ the books


def test_mass_is_kept_and_less_is_emitted_under_measures(tree):
    group = tree["budget"].to_dataset()
    came = sum(group[n].values for n in ("emitted", "inflow", "initial")) + group["chemistry"].values
    went = sum(group[n].values for n in ("in_air", "dry_deposited", "wet_deposited", "outflow"))
    np.testing.assert_allclose(came, went, rtol=1e-4, atol=1e-4 * np.abs(came).max())
    hours = pd.date_range(end=LOCAL[-1], periods=HOURS + SPIN_UP, freq="h")
    at_co = POLLUTANTS.index("CO")
    rates = {}
    for (_, sector), amounts in annual().items():
        if sector != "residential":  # its two kinds of stoves have profiles of their own
            rates[sector] = rates.get(sector, 0.0) + amounts[at_co]
    least = 1000 * sum(t * profile(s, hours).sum() for s, t in rates.items())
    emitted = group["emitted"].sel(tracer="co")
    assert emitted.sel(case="base") > least * 0.9
    assert emitted.sel(case="controlled") < emitted.sel(case="base")
    assert (group["inflow"].sel(case="base") == group["inflow"].sel(case="controlled")).all()


def test_provenance_names_every_file_with_its_hash(ran, tree):
    group = tree["provenance"].to_dataset()
    said = dict(zip(group["input_file"].values.tolist(), group["input_sha256"].values.tolist(), strict=True))
    for name in ("oracle.yaml", "enterprises.csv", "area.csv", "ledger.csv", "inflow.csv", "weather.csv",
                 "observed.csv", "list.xlsx"):  # fmt: skip
        assert said[name] == hashlib.sha256((ran.folder / name).read_bytes()).hexdigest(), name
    recorded = {i["file"].replace("\\", "/").rsplit("/", 1)[-1] for i in ran.record["inputs"]}
    assert {"oracle.yaml", "list.xlsx", "weather.csv"} <= recorded
    total = sum(annual().values())
    estimated = sum(share * np.array(AREA[3][-1], float) for share in AREA_CITIES.values())
    share = group["emission_share"].sel(pollutant=list(POLLUTANTS))
    np.testing.assert_allclose(share.sel(quality="estimated").values, estimated / total, rtol=1e-6)
    np.testing.assert_allclose(share.sum("quality").values, 1.0)


# ------------------------------------------------------------------------------------------------ the batch


def test_the_summary_of_a_batch_says_what_the_result_says(ran, tree):
    one = ran.summary.isel(scenario=0)
    hourly = at(tree, "pm25", city=KNOWN)
    np.testing.assert_allclose(at(one, "pm25_mean", city=KNOWN), hourly.mean(1), rtol=1e-5)
    np.testing.assert_allclose(at(one, "pm25_maximum", city=KNOWN), hourly.max(1), rtol=1e-6)
    np.testing.assert_allclose(at(one, "pm25_peak", city=KNOWN), hourly[:, :24].mean(1), rtol=1e-5)
    heavy = (at(tree, "aqi", city=KNOWN) > 200).sum(1)
    np.testing.assert_array_equal(at(one, "heavy_days", city=KNOWN), heavy)
    assert heavy[0].sum() > heavy[1].sum() > 0, "the case tells heavy days with from those without measures"
    over = hourly.mean(1).mean(1)
    assert one["pm25_change"].item() == pytest.approx(over[1] / over[0] - 1, rel=1e-5)
    alerted = [hourly[:, alert_hours(c), KNOWN.index(c)].mean(1) for c in ("xian", "weinan")]
    base, controlled = np.mean(alerted, axis=0)
    assert one["alert_change"].item() == pytest.approx(controlled / base - 1, rel=1e-4)
    assert one["coal_growth"].item() == pytest.approx(tree["coal"]["growth_total"].item())
