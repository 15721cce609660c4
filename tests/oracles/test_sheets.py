"""Sheets of the workbook against result.nc; sheets and columns are found by words of their headers."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

SUBSCRIPT = str.maketrans("₂₃", "23")


def table(book, *words):
    """Return rows (dict by header) of the first sheet whose header line has a cell with each of some words."""
    for sheet in book:
        rows = list(sheet.iter_rows(values_only=True))
        for i, row in enumerate(rows):
            head = [str(c).translate(SUBSCRIPT) if c is not None else "" for c in row]
            if all(any(w in c for c in head) for w in words):
                return [dict(zip(head, r, strict=True)) for r in rows[i + 1 :] if any(c is not None for c in r)]
    raise AssertionError(f"no sheet with headers {words}")


def cell(row, *words):
    """Return the cell of the only column whose header holds all words."""
    found = [v for k, v in row.items() if all(w in k for w in words)]
    assert len(found) == 1, (words, list(row))
    return found[0]


def test_daily_means_by_city(ran, tree):
    rows = [r for r in table(ran.book, "date", "city", "PM2.5 base", "AQI base") if cell(r, "AQI", "base") is not None]
    names = dict(zip(tree["city_en"].values.tolist(), tree["city"].values.tolist(), strict=True))
    checked = 0
    for row in rows:
        if row["city"] not in names:
            continue
        for case in ("base", "controlled"):
            where = {"case": case, "city": names[row["city"]], "day": np.datetime64(row["date"])}
            assert cell(row, "PM2.5", case) == pytest.approx(tree["pm25_daily"].sel(where).item(), abs=0.06)
            assert cell(row, "AQI", case) == pytest.approx(tree["aqi"].sel(where).item(), abs=0.5)
        checked += 1
    assert checked == 7, "every city with air has its valid day, none is dropped"


def test_heavy_days_stand_in_the_workbook(ran, tree):
    heavy = [r for r in table(ran.book, "date", "city", "AQI base") if (cell(r, "AQI", "base") or 0) > 200]
    assert len(heavy) == int((tree["aqi"].sel(case="base") > 200).sum())
    assert heavy


def test_enterprises_and_ledger(ran, tree):
    group = tree["enterprises"].to_dataset()
    rows = table(ran.book, "name of the enterprise", "SO2 t/a")
    said = {cell(r, "name of the enterprise"): cell(r, "SO2", "t/a") for r in rows}
    expected = group["emission_annual"].sel(pollutant="SO2").values
    assert said == pytest.approx(dict(zip(group["enterprise_name"].values.tolist(), expected, strict=True)))
    removed = [
        next(v for k, v in r.items() if k == "amount removed") for r in table(ran.book, "amount removed", "sector")
    ]
    assert removed == pytest.approx(sorted(tree["measures"]["removed"].values.tolist(), reverse=True))
    group = tree["measures"].to_dataset()
    cut = float(group["removed"][(group["row_kind"] == "cut") & (group["row_pollutant"] == "NOx")].sum())
    totals = [r["NOx"] for r in table(ran.book, "measure", "unit", "NOx") if r["NOx"]]
    assert any(total == pytest.approx(cut) for total in totals)


def test_shares(ran, tree):
    group = tree["emergency"].to_dataset()
    rows = [r for r in table(ran.book, "level", "required", "verdict") if r["city"] == "Xi'an"]
    red = {r["pollutant"].translate(SUBSCRIPT): r for r in rows if "red" in r["level"]}
    one = group.sel(level="red", city="xian", pollutant="SO2")
    assert red["SO2"]["share"] == pytest.approx(one["share"].item())
    assert (red["SO2"]["verdict"] == "pass") == bool(one["pass"].item())


def test_coal_balance(ran, tree):
    row = next(r for r in table(ran.book, "base year", "target year", "falls") if r["city"] == "Xi'an")
    lines = tree["coal"]["consumption"].sum("sector").sel(city="xian")
    assert cell(row, "base year") * 1e4 == pytest.approx(lines.sel(line="base").item())
    assert cell(row, "target year") * 1e4 == pytest.approx(lines.sel(line="target").item())
    assert row["falls"] == "yes"


def test_inputs(ran):
    said = {r["input file"]: cell(r, "SHA-256") for r in table(ran.book, "input file", "SHA-256")}
    for name in ("list.xlsx", "weather.csv"):
        assert said[name] == hashlib.sha256((ran.folder / name).read_bytes()).hexdigest()


def test_summary_workbook(ran):
    (row,) = table(ran.summary_book, "scenario", "heavy-pollution city-days, base")
    heavy = ran.summary["heavy_days"].isel(scenario=0).sum("city")
    for case in ("base", "controlled"):
        assert cell(row, "heavy-pollution", case) == heavy.sel(case=case).item()


def test_heavy_days_of_the_summary(ran, tree):
    rows = {r["city"]: r for r in table(ran.book, "heavy days, base") if r["city"] in set(tree["city_en"].values)}
    names = dict(zip(tree["city_en"].values.tolist(), tree["city"].values.tolist(), strict=True))
    for city, row in rows.items():
        for case in ("base", "controlled"):
            index = tree["aqi"].sel(case=case, city=names[city]).values
            assert (cell(row, "heavy days", case) or 0) == (index > 200).sum(), (city, case)
    assert sum(cell(r, "heavy days", "base") or 0 for r in rows.values()) > 0
