"""A folder of results: replaced as one set or not at all, and another scenario's only when asked to."""

import json
from pathlib import Path

import pytest

from airsim.errors import CannotWrite, InputError
from airsim.files import refuse_folder, refuse_held, refuse_target, together
from airsim.result.folder import RESULTS, SEAL, refuse
from airsim.result.folder import seen_from as path_from


def fill(folder, text):
    folder.mkdir(parents=True, exist_ok=True)
    for name in RESULTS:
        (folder / name).write_text(text, encoding="utf-8")


def held(monkeypatch, *names):
    """Answer a rename onto or of these files as Windows does while Excel has them open."""
    real = Path.replace

    def replace(self, target):
        if {self.name, Path(target).name} & set(names) and self.suffix and Path(self).parent.name == "case":
            raise PermissionError(13, "The process cannot access the file", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)


def contents(folder):
    return {p.name: p.read_text(encoding="utf-8") for p in folder.iterdir()}


def test_all_files_are_replaced_and_others_stay(tmp_path):
    place = tmp_path / "case"
    fill(place, "old")
    (place / "ranking.nc").write_text("mine", encoding="utf-8")
    with together(place, SEAL) as stage:
        assert contents(place)["run.json"] == "old"
        fill(stage, "new")
        assert contents(place)["result.nc"] == "old"
    assert contents(place) == dict.fromkeys(RESULTS, "new") | {"ranking.nc": "mine"}
    assert [p.name for p in tmp_path.iterdir()] == ["case"]


@pytest.mark.parametrize("name", RESULTS)
def test_one_that_cannot_be_replaced_keeps_them_all(tmp_path, monkeypatch, name):
    place = tmp_path / "case"
    fill(place, "old")
    held(monkeypatch, name)
    with pytest.raises(CannotWrite, match=name), together(place, SEAL) as stage:
        fill(stage, "new")
    assert contents(place) == dict.fromkeys(RESULTS, "old")
    assert [p.name for p in tmp_path.iterdir()] == ["case"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", range(1, 9))
def test_whatever_stops_the_exchange_the_old_set_stands(tmp_path, monkeypatch, at, error):
    place = tmp_path / "case"
    fill(place, "old")
    real, count = Path.replace, [0]

    def replace(self, target):
        count[0] += 1
        if count[0] == at:
            raise error
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(type(error)), together(place, SEAL) as stage:
        fill(stage, "new")
    assert contents(place) == dict.fromkeys(RESULTS, "old")
    assert [p.name for p in tmp_path.iterdir()] == ["case"]


def test_the_seal_leaves_first_and_comes_last(tmp_path, monkeypatch):
    place = tmp_path / "case"
    fill(place, "old")
    real, seen = Path.replace, []

    def replace(self, target):
        made = real(self, target)
        there = contents(place)
        if SEAL in there:
            seen.append(set(there.values()) if len(there) == len(RESULTS) else "torn")
        return made

    monkeypatch.setattr(Path, "replace", replace)
    with together(place, SEAL) as stage:
        fill(stage, "new")
    assert seen == [{"new"}]


def test_old_files_that_cannot_be_put_back_are_not_lost(tmp_path, monkeypatch):
    place = tmp_path / "case"
    fill(place, "old")
    real, count = Path.replace, [0]

    def replace(self, target):
        count[0] += 1
        if count[0] >= 6:
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(OSError, match="Input/output"), together(place, SEAL) as stage:
        fill(stage, "new")
    left = [p for p in tmp_path.rglob("*") if p.is_file() and p.read_text(encoding="utf-8") == "old"]
    assert sorted(p.name for p in left) == sorted(RESULTS)


def test_a_held_file_is_found_beforehand_and_nothing_is_touched(tmp_path, monkeypatch):
    place = tmp_path / "case"
    fill(place, "old")
    refuse_held(place.iterdir())
    held(monkeypatch, "tables.xlsx")
    with pytest.raises(CannotWrite) as said:
        refuse_held(place.iterdir())
    assert [Path(p.file).name for p in said.value.problems] == ["tables.xlsx"]
    assert contents(place) == dict.fromkeys(RESULTS, "old")


def test_a_folder_of_that_name_is_not_replaced(tmp_path):
    (tmp_path / "case" / "result.nc").mkdir(parents=True)
    with pytest.raises(CannotWrite, match="is a folder"):
        refuse_held([tmp_path / "case" / "result.nc"])


# ------------------------------------------------------------------------------------------- whose folder it is


@pytest.fixture
def owned(tmp_path):
    """A folder with the result of ``a.yaml``, and a function that asks to replace it."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(f"name: case # {name}", encoding="utf-8")
    place = tmp_path / "out" / "case"
    fill(place, "{}")
    told = {"scenario": "case", "scenario_file": "a.yaml", "method": "full"}
    told["scenario_path"] = path_from(place, str(tmp_path / "a.yaml"))
    (place / SEAL).write_text(json.dumps(told), encoding="utf-8")

    def ask(**given):
        asked = {"file": str(tmp_path / "a.yaml"), "name": "case", "method": "full", "inputs": [], "overwrite": False}
        refuse(place, **(asked | given))

    return place, ask


def test_the_same_scenario_file_changed_or_not_replaces_its_result(owned, tmp_path, monkeypatch):
    _, ask = owned
    ask()
    (tmp_path / "a.yaml").write_text("name: case # changed", encoding="utf-8")
    ask()
    monkeypatch.chdir(tmp_path)
    ask(file="a.yaml")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"file": "b.yaml"}, "result of another scenario, case (a.yaml)"),
        ({"name": "other"}, "result of another scenario"),
        ({"method": "operator"}, "a full run, not of the stored operator"),
    ],
)
def test_another_scenario_or_way_needs_overwrite(owned, tmp_path, given, said):
    _, ask = owned
    if "file" in given:
        given = {"file": str(tmp_path / given["file"])}
    with pytest.raises(InputError) as error:
        ask(**given)
    assert said in str(error.value)
    assert "--overwrite" in str(error.value)
    ask(**given, overwrite=True)


def test_a_full_run_does_not_replace_what_the_operator_made_and_says_so_in_chinese(owned):
    place, ask = owned
    told = json.loads((place / SEAL).read_text(encoding="utf-8"))
    (place / SEAL).write_text(json.dumps(told | {"method": "operator"}), encoding="utf-8")
    ask(method="operator")
    with pytest.raises(InputError) as error:
        ask()
    assert "完整运行" in error.value.text("zh")


@pytest.mark.parametrize("text", ["", "[]", "nonsense"])
def test_a_folder_without_a_record_is_nobodys(owned, text):
    place, ask = owned
    (place / SEAL).write_text(text, encoding="utf-8")
    ask()


@pytest.mark.parametrize("text", ["{}", '{"inputs": 3}', '{"scenario": 1, "inputs": [3]}'])
def test_a_record_that_names_no_scenario_is_anothers(owned, text):
    place, ask = owned
    (place / SEAL).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="another scenario"):
        ask()


def test_inputs_are_never_overwritten_even_when_asked_to(owned, tmp_path):
    place, ask = owned
    with pytest.raises(InputError, match="is an input"):
        ask(inputs=[place / "tables.xlsx"], overwrite=True)
    for folder in (place, place.parent):
        with pytest.raises(InputError, match="folder of the scenario's inputs"):
            ask(inputs=[folder / "weather.csv"], overwrite=True)
    ask(inputs=[tmp_path / "beside.csv"])


def test_a_link_to_an_input_is_that_input(owned, tmp_path):
    place, ask = owned
    table = tmp_path / "list.xlsx"
    (place / "tables.xlsx").unlink()
    table.write_text("input", encoding="utf-8")
    (place / "tables.xlsx").symlink_to(table)
    with pytest.raises(InputError, match="is an input"):
        ask(inputs=[table])


def test_a_target_is_of_a_known_kind_and_no_input(tmp_path):
    list_ = tmp_path / "list.xlsx"
    list_.write_bytes(b"")
    refuse_target(None, (".xlsx",), [list_], "--out")
    refuse_target(tmp_path / "other.XLSX", (".xlsx",), [list_, None], "--out")
    with pytest.raises(InputError, match=r"\.xlsx, \.csv"):
        refuse_target(tmp_path / "a.pdf", (".xlsx", ".csv"), [], "--out")
    with pytest.raises(InputError, match="is an input"):
        refuse_target(tmp_path / "x" / ".." / "list.xlsx", (".xlsx",), [list_], "--out")
    with pytest.raises(InputError, match="several files"):
        refuse_folder(tmp_path / "result.nc")
    refuse_folder(tmp_path / "results.v2")
