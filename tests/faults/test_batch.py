"""Batches as they should go: resumed, equal to single runs, one bad scenario among good ones."""

import shutil

import openpyxl
import pytest
import xarray as xr
from batches import TINY, batch, leftovers, refused, results, single, start, swept, undisturbed, variables

from airsim import shipped
from airsim.batch import sweep
from airsim.case import identity
from airsim.case.shared import Shared


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A sweep that has run undisturbed: its folder and what it said; only to be read."""
    folder = undisturbed(tmp_path_factory)
    return folder, (folder / "said.txt").read_text(encoding="utf-8")


def test_a_sweep_is_summed_up(done):
    folder, said = done
    assert "4 done" in said
    table = xr.open_dataset(folder / "out" / "summary.nc")
    assert table["scenario"].values.tolist() == [f"tiny-000{i}" for i in range(1, 5)]
    assert table["measures_1_percent"].values.tolist() == [10, 10, 20, 20]
    assert table["meteorology_seed"].values.tolist() == [7, 8, 7, 8]
    assert set(table["status"].values.tolist()) == {"done"}
    drop = -table["pm25_change"].values
    assert (drop > 0).all()
    assert drop[2] == pytest.approx(2 * drop[0], rel=0.1), "twice the cut, about twice the effect"
    one = xr.open_dataset(folder / "out" / "tiny-0001" / "result.nc")
    mean = one["pm25"].mean("time", dtype=float).sel(case="controlled", city="xian")
    assert float(table["pm25_mean"][0].sel(case="controlled", city="xian")) == pytest.approx(float(mean), rel=1e-6)
    book = openpyxl.load_workbook(folder / "out" / "summary.xlsx")
    sheet = book.worksheets[0]
    assert sheet.max_row == 5
    heads = [c.value for c in sheet[1]]
    assert "measures[1].percent" in heads
    assert [c.value for c in sheet[2]][heads.index("measures[1].percent")] == 10


def test_a_rerun_does_nothing_and_then_only_what_is_missing(tmp_path_factory, tmp_path):
    folder = undisturbed(tmp_path_factory, "stub")
    file, out = folder / "sweep.yaml", tmp_path / "out"
    shutil.copytree(folder / "out", out)
    before = {f: f.stat().st_mtime_ns for f in out.glob("*/result.nc")}
    assert "(4 of them before)" in batch(file, "--out", out, job="stub")
    assert {f: f.stat().st_mtime_ns for f in before} == before
    gone = out / "tiny-0003" / "tables.xlsx"
    gone.unlink()
    assert "(3 of them before)" in batch(file, "--out", out, job="stub")
    after = {f: f.stat().st_mtime_ns for f in before}
    assert [f.parent.name for f in before if after[f] != before[f]] == ["tiny-0003"]
    assert gone.exists()


def test_batch_equals_single_run_whatever_the_number_of_workers(tmp_path):
    files = [single(tmp_path, f"case{i}", ("percent: 10", f"percent: {p}")) for i, p in enumerate((15, 25))]
    batch(*files, "--out", tmp_path / "two", "--workers", 2)
    batch(files[1], "--out", tmp_path / "one", "--workers", 1)
    alone = start("run", files[1], "--out", tmp_path / "alone")
    alone.communicate()
    assert alone.returncode == 0
    two = results(tmp_path / "two")
    assert len(two) == 2
    assert results(tmp_path / "one") == {"case1": two["case1"]}
    assert two["case1"] == variables(tmp_path / "alone" / "case1" / "result.nc")


def test_a_damaged_cache_is_made_again(done, tmp_path):
    folder, _ = done
    file = swept(tmp_path, [10, 20])
    scenario = sweep.members(file)[0].scenario
    out, key = tmp_path / "out", identity.weather_key(scenario)
    keeper = Shared(out / "cache", frozenset({key}))
    made = keeper.weather(scenario, keeper.place(scenario))
    (cached,) = (out / "cache").glob("weather-*.npz")
    assert keeper.store.dataset("weather", key).identical(made)
    whole = cached.read_bytes()
    middle = len(whole) // 2
    for damaged in (
        b"",
        whole[:-100],
        whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :],
        whole[:middle],
    ):
        cached.write_bytes(damaged)
        assert keeper.store.dataset("weather", key) is None
    batch(file, "--out", out, "--workers", 2)
    found, expected = results(out), results(folder / "out")
    for mine, other in (("tiny-0001", "tiny-0001"), ("tiny-0002", "tiny-0003")):
        for name in ("//pm25", "//pm25_field", "//aqi", "/emissions/emission_daily"):
            assert found[mine][name] == expected[other][name]


def test_sums_of_stored_runs_are_what_full_runs_are(tmp_path):
    """Four scenarios run and the same four summed say the same; a damaged stored run is made again."""
    text = TINY + "  - {type: cut, percent: 30, cities: [xian], pollutants: [NH3]}\n"
    text += "sweep:\n  method: listed\n  values:\n    measures[1].percent: [10, 40, 80, 25]\n"
    file = tmp_path / "sums.yaml"
    file.write_text(text + "    measures[2].percent: [90, 10, 50, 35]\n", encoding="utf-8")
    full, summed = tmp_path / "full", tmp_path / "summed"
    batch(file, "--out", full, "--full")
    assert "carrying 4 emission worlds" in batch(file, "--out", summed, "--operator")
    assert "(4 of them before)" in batch(file, "--out", summed)
    assert not (summed / "tiny-0001").exists()
    a, b = (xr.open_dataset(f / "summary.nc") for f in (full, summed))
    assert set(b["by"].values.tolist()) == {"operator"}
    for name in ("pm25_mean", "pm25_peak", "pm25_maximum", "heavy_days", "pm25_change"):
        assert b[name].values == pytest.approx(a[name].values, rel=1e-5, abs=1e-7, nan_ok=True), name
    stored = sorted((summed / "cache").glob("worlds-*.npz"))
    assert stored
    stored[0].write_bytes(stored[0].read_bytes()[:-1000])
    batch(file, "--out", summed, "--operator", "--fresh")
    again = xr.open_dataset(summed / "summary.nc")
    assert again["pm25_mean"].values.tobytes() == b["pm25_mean"].values.tobytes()
    assert "(0 of them before)" in batch(file, "--out", summed, "--full")


def test_a_changed_input_is_run_again(tmp_path):
    table = tmp_path / "area.csv"
    table.write_bytes(shipped.path("data/emissions/area_sources.csv").read_bytes())
    file = tmp_path / "own.yaml"
    file.write_text(TINY.replace("name: tiny", "name: own") + "inputs: {area_sources: area.csv}\n", encoding="utf-8")
    batch(file, "--out", tmp_path / "out", job="stub")
    assert "(1 of them before)" in batch(file, "--out", tmp_path / "out", job="stub")
    text = table.read_text(encoding="utf-8-sig")
    table.write_text(text + "\n", encoding="utf-8-sig")
    assert "(0 of them before)" in batch(file, "--out", tmp_path / "out", job="stub")


def test_one_bad_apple(tmp_path):
    """A file that is no scenario, a table that is wrong: the sound one is done, the others are told, exit code 1."""
    good = single(tmp_path, "good")
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [", encoding="utf-8")
    spoilt = tmp_path / "area.csv"
    text = shipped.path("data/emissions/area_sources.csv").read_text(encoding="utf-8-sig")
    spoilt.write_text(text.replace(",xian,", ",atlantis,", 1), encoding="utf-8-sig")
    bad = tmp_path / "bad.yaml"
    bad.write_text(TINY.replace("name: tiny", "name: bad") + "inputs: {area_sources: area.csv}\n", encoding="utf-8")
    out = tmp_path / "out"
    said = batch(broken, bad, good, "--out", out, code=1)
    assert "1 done" in said
    assert "2 failed" in said
    assert "atlantis" in said
    assert "broken.yaml:1: not valid YAML" in said
    assert (out / "good" / "result.nc").exists()
    assert not (out / "bad").exists()
    table = xr.open_dataset(out / "summary.nc")
    assert table["status"].values.tolist() == ["failed", "failed", "done"]
    assert "atlantis" in str(table["message"].values[1])
    rows = list(openpyxl.load_workbook(out / "summary.xlsx").worksheets[0].values)
    assert "atlantis" in str(rows[2][-1])
    assert "atlantis" in (out / "logs" / "bad.log").read_text(encoding="utf-8")
    assert not leftovers(out)


def test_nothing_sound_is_bad_input(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [", encoding="utf-8")
    said = refused(broken, tmp_path / "gone.yaml", "--out", tmp_path / "out")
    assert "gone.yaml: file not found" in said
    assert not (tmp_path / "out").exists()


def test_two_scenarios_of_one_name(tmp_path):
    one = single(tmp_path, "Same")
    (tmp_path / "b").mkdir()
    other = single(tmp_path / "b", "same")
    assert "more than one scenario" in refused(one, other, "--out", tmp_path / "out")


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("values: {'measures[2].percent': [1]}", "entry 1 to 1"),
        ("values: {'measures[1].percent': [1, 200]}", "must be <= 100"),
        ("values: {'measures[1].procent': [1]}", "unknown key"),
        ("values: {name: [a, b]}", "cannot be swept"),
        ("method: sobol, values: {meteorology.seed: [1]}", "need ranges and samples"),
        ("method: listed, values: {meteorology.seed: [1, 2], period.spin_up_hours: [24]}", "one length"),
        ("method: sobol, samples: 4, ranges: {meteorology.seed: [5, 1]}", "below the second"),
    ],
)
def test_a_bad_sweep(tmp_path, block, said):
    file = tmp_path / "bad.yaml"
    file.write_text(TINY + f"sweep: {{{block}}}\n", encoding="utf-8")
    assert said in refused(file, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
