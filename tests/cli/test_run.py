"""The real command in a folder of its own, its outputs read back by other libraries."""

import json
import os
import subprocess
import sys
from html.parser import HTMLParser

import netCDF4
import numpy as np
import openpyxl
import pytest
import xarray as xr
from cases import SHORT


def airsim(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "airsim.cli", *map(str, arguments)],
        cwd=cwd,
        env=dict(os.environ, PYTHONIOENCODING="utf-8", **environment),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Run the small case once, in a folder with a Chinese name."""
    folder = tmp_path_factory.mktemp("联防联控 run")
    (folder / "short.yaml").write_text(SHORT, encoding="utf-8")
    ended = airsim("run", "short.yaml", "--out", "结果", "--lang", "zh", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder / "结果" / "关中-short", ended


@pytest.fixture(scope="module")
def tree(done):
    with xr.open_datatree((done[0] / "result.nc").read_bytes()) as opened:
        yield opened.load()


def test_says_what_it_does_and_what_it_wrote(done):
    folder, ended = done
    assert "[  0%]" in ended.stderr
    assert "区域输送" in ended.stderr
    assert "气象是合成的" in ended.stdout
    for name in ("result.nc", "report.html", "tables.xlsx", "run.json"):
        assert name in ended.stdout
        assert (folder / name).stat().st_size > 1000
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", "result.nc", "run.json", "tables.xlsx"]


def test_netcdf_holds_every_group_with_names_and_units(tree):
    assert set(tree.children) >= {
        "attribution", "budget", "coal", "emergency", "emissions", "enterprises", "evaluation", "measures",
        "meteorology", "plume", "provenance", "boundaries", "transfer", "ranking",
    }  # fmt: skip
    assert tree.attrs["Conventions"].startswith("CF-1.11")
    for node in tree.subtree:
        for name, variable in node.dataset.variables.items():
            # bounds and the grid mapping take their meaning from what they belong to (CF 7.1, 5.6)
            if name.endswith("_bnds") or name == "lambert_conformal_conic":
                continue
            assert variable.attrs.get("long_name"), (node.path, name)
            assert variable.attrs.get("long_name_zh"), (node.path, name)


def test_contracted_names(tree):
    assert tree["pm25"].dims == ("case", "time", "city")
    assert tree["pm25_field"].dims == ("case", "time", "y", "x")
    assert tree["case"].values.tolist() == ["base", "controlled"]
    assert {"xian", "hancheng", "luoyang"} <= set(tree["city"].values.tolist())
    assert tree["time"].values[0] == np.datetime64("2019-01-01T16:00")
    assert tree.sizes["time"] == 48


def test_joint_control_covers_its_window(tree):
    matrix, ranking = tree["transfer"], tree["ranking"]
    assert ranking["receptor"].values.tolist() == ["weinan", "xian"]
    inside = tree["time"].values >= np.datetime64("2019-01-02T04:00")
    wanted = tree["pm25"].sel(case="base", city="xian").values[inside].mean()
    assert float(matrix["total"].sel(species="pm25", receptor="xian")) == pytest.approx(wanted, rel=1e-3)
    assert float(ranking["pm25_base"].sel(receptor="xian")) == pytest.approx(wanted, rel=1e-3)


@pytest.fixture(scope="module")
def by_operator(done, tmp_path_factory):
    """The same case twice by the stored operator: made, then read."""
    cache = tmp_path_factory.mktemp("算子")
    ended = []
    for out in ("made", "read"):
        arguments = ("run", "short.yaml", "--operator", "--out", out, "--lang", "en")
        ended.append(airsim(*arguments, cwd=done[0].parents[1], AIRSIM_CACHE=str(cache)))
        assert ended[-1].returncode == 0, ended[-1].stderr
    return done[0].parents[1], cache, ended


def test_the_stored_operator_gives_the_daily_means_of_the_full_run(tree, by_operator):
    folder, cache, ended = by_operator
    assert len(list(cache.glob("operator-*.npz"))) == 1
    assert "stored transport operator" in ended[1].stdout
    with xr.open_datatree((folder / "read" / "关中-short" / "result.nc").read_bytes()) as opened:
        quick = opened.load()
    assert quick.attrs["method"] == "operator"
    assert quick["time"].values.tolist() == tree["time"].values[::24].tolist()
    assert (quick["time_bnds"].values[:, 1] - quick["time_bnds"].values[:, 0] == np.timedelta64(24, "h")).all()
    known = np.isfinite(tree["pm25"].sel(case="base").isel(time=0).values)
    for name in ("so2", "co", "bc", "om", "other", "soa", "sulphate"):
        full = tree[name].coarsen(time=24, coord_func="min").mean().values[..., known]
        np.testing.assert_allclose(quick[name].values[..., known], full, rtol=1e-3, atol=1e-4)
    base, controlled = (tree["pm25_daily"].sel(case=c).values[..., known] for c in ("base", "controlled"))
    np.testing.assert_allclose(quick["pm25_daily"].sel(case="base").values[..., known], base, rtol=1e-3)
    # the cut is first order: within a tenth of what it takes
    taken = base - quick["pm25_daily"].sel(case="controlled").values[..., known]
    np.testing.assert_allclose(taken, base - controlled, atol=0.1 * float((base - controlled).max()))
    assert (folder / "read" / "关中-short" / "report.html").is_file()


def test_made_and_read_operators_give_the_same_bytes(by_operator):
    folder, _, _ = by_operator
    made, again = (folder / out / "关中-short" / "result.nc" for out in ("made", "read"))
    with xr.open_datatree(made.read_bytes()) as a, xr.open_datatree(again.read_bytes()) as b:
        for node in a.subtree:
            for name, variable in node.dataset.variables.items():
                np.testing.assert_array_equal(variable.values, b[node.path][name].values, err_msg=str(name))


def test_the_operator_wants_whole_days(done):
    folder = done[0].parents[1]
    (folder / "odd.yaml").write_text(SHORT.replace("end: 2019-01-04\n", "end: 2019-01-03 22:00\n"), encoding="utf-8")
    ended = airsim("run", "odd.yaml", "--operator", cwd=folder)
    assert ended.returncode == 2
    assert "period.end" in ended.stderr
    assert not (folder / "results").exists()


def test_numbers_hang_together(tree):
    root = tree.to_dataset()
    parts = sum(root[c] for c in ("bc", "om", "soa", "sulphate", "nitrate", "ammonium", "other"))
    xr.testing.assert_allclose(parts.drop_attrs(), root["pm25"].drop_attrs(), rtol=1e-4)
    assert float(root["pm25"].min()) >= 0
    inside = ~root["pm25"].isnull().any(("case", "time"))
    assert inside.sel(city="xian")
    assert not inside.sel(city="luoyang"), "outside this small domain: empty, not clean"
    removed = root["pm25"].sel(case="base") - root["pm25"].sel(case="controlled")
    steps = tree["attribution"].to_dataset()["pm25_removed"]
    assert steps["step"].values.tolist() == ["coal_substitution", "cut", "emergency"]
    np.testing.assert_allclose(steps.sum("step", skipna=False), removed, atol=1e-3)
    assert float(removed.sel(city="xian").mean()) > 0


def test_before_the_alert_only_the_permanent_measures_act(tree):
    steps = tree["attribution"].to_dataset()["pm25_removed"].sel(city="xian")
    before = steps.isel(time=slice(0, 12))
    assert float(np.abs(before.sel(step="emergency")).max()) < 1e-6
    assert float(before.sel(step="coal_substitution").min()) > 0
    assert float(steps.sel(step="emergency").isel(time=slice(18, 42)).mean()) > 0


def test_mass_is_conserved(tree):
    assert float(np.abs(tree["budget"]["closure"]).max()) < 1e-5


def test_coal_follows_from_the_measure(tree):
    coal = tree["coal"].to_dataset()
    by_line = coal["consumption"].sum("sector").sel(city="xian")
    assert float(by_line.sel(line="substitution")) == pytest.approx(-100_000 * 2.0 * 0.9)
    total = by_line.drop_sel(line="target").sum("line")
    assert float(total) == pytest.approx(float(by_line.sel(line="target")))


def test_what_is_synthetic_says_so(tree):
    assert tree["meteorology"].attrs["synthetic"] == "yes"
    assert tree["emergency"].attrs["illustrative"] == "yes"
    kinds = set(tree["provenance"]["input_kind"].values.tolist())
    assert {"scenario", "derived", "estimated", "measured", "illustrative", "rule"} <= kinds


def test_opens_with_the_c_library_too(done):
    with netCDF4.Dataset("x", memory=(done[0] / "result.nc").read_bytes()) as file:
        assert "pm25" in file.variables
        assert 0 < file["coal"]["growth_total"][...] < 0.007


def test_workbook_is_a_workbook(done):
    book = openpyxl.load_workbook(done[0] / "tables.xlsx")
    assert {"摘要", "应急减排核算", "煤炭平衡"} <= set(book.sheetnames)
    for sheet in book:
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" for cell in row)


def test_report_is_one_file_without_the_internet(done):
    class Fetched(HTMLParser):
        """Collects what a browser would fetch; script bodies are data to it."""

        def __init__(self):
            super().__init__()
            self.found = []

        def handle_starttag(self, tag, attrs):
            fetching = {"src"} | ({"href"} if tag == "link" else set())
            self.found += [value for key, value in attrs if key in fetching and not value.startswith("data:")]

    page = (done[0] / "report.html").read_text(encoding="utf-8")
    parser = Fetched()
    parser.feed(page)
    assert parser.found == []
    assert "气象是合成的" in page
    assert "The weather is synthetic" in page


def test_run_json_names_inputs_and_stages(done):
    record = json.loads((done[0] / "run.json").read_text(encoding="utf-8"))
    assert {"transport and chemistry", "writing"} <= set(record["wall_seconds"])
    assert all(len(i["sha256"]) == 64 for i in record["inputs"])


def test_same_bytes_of_data_with_two_threads_and_one(done, tmp_path):
    (tmp_path / "short.yaml").write_text(SHORT, encoding="utf-8")
    other = "2" if os.environ.get("NUMBA_NUM_THREADS") == "1" else "1"
    ended = airsim("run", "short.yaml", "--out", "again", cwd=tmp_path, NUMBA_NUM_THREADS=other)
    assert ended.returncode == 0, ended.stderr
    with (
        xr.open_datatree((done[0] / "result.nc").read_bytes()) as first,
        xr.open_datatree((tmp_path / "again" / "关中-short" / "result.nc").read_bytes()) as second,
    ):
        for a, b in zip(first.subtree, second.subtree, strict=True):
            for name in a.dataset.variables:
                if a.path == "/provenance":
                    continue
                left, right = a.dataset[name].values, b.dataset[name].values
                assert left.dtype == right.dtype
                np.testing.assert_array_equal(left, right, err_msg=f"{a.path} {name}")


def test_report_again_from_the_result(done, tmp_path):
    ended = airsim("report", done[0] / "result.nc", "--out", tmp_path / "again.html", "--lang", "en", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "again.html").stat().st_size > 100_000


def test_near_field_statistics_hang_together(tree):
    near = tree["plume"].to_dataset()
    assert bool((near["concentration_max"] >= near["concentration_day"]).all())
    assert bool((near["concentration_day"] >= near["concentration_mean"] * 0.999).all())
    assert float(near["concentration_mean"].max()) > 0
    # a place's mean is the sum of what its stacks add
    parts = near["receptor_contribution"].sum("stack")
    np.testing.assert_allclose(parts, near["receptor_mean"].sel(case="base"), rtol=1e-4)
    # GB 3095 limits the day but not the hour of PM2.5
    assert bool(near["hours_above"].sel(pollutant="PM25").isnull().all())
    assert bool(near["days_above"].notnull().all())
    # what the list stops shows at the ground, and nothing gets worse by it
    change = near["concentration_mean"].sel(case="controlled") - near["concentration_mean"].sel(case="base")
    assert float(change.sel(site="xian").max()) <= 1e-6
