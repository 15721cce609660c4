"""`Case`: each thing made once, everything refused before the weather, keys by content, one store."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from cases import SHORT

import airsim
from airsim import coal, shipped, simulation
from airsim.batch import indicators
from airsim.cache.keys import physics
from airsim.cache.store import Store
from airsim.case import Case, parts, provenance
from airsim.case.identity import identity, weather_key
from airsim.case.shared import Shared
from airsim.commands import check as checking
from airsim.commands import run as running
from airsim.errors import InputError

DAY = (
    SHORT.replace("end: 2019-01-04", "end: 2019-01-03")
    .replace("end: 2019-01-03 18:00", "end: 2019-01-02 22:00")
    .replace("spacing: 16000", "spacing: 30000")
)


def scenario_in(folder, text=DAY):
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def counted(monkeypatch):
    """Count what the parts of a case make."""
    seen = []
    for name in ("place", "inventory", "background", "near_field", "observations", "weather", "compliance"):
        real = getattr(parts, name)

        def counting(*a, _name=name, _real=real, **k):
            seen.append(_name)
            return _real(*a, **k)

        monkeypatch.setattr(parts, name, counting)
    return seen


@pytest.fixture
def no_weather(monkeypatch):
    def reached(*_):
        raise AssertionError("the weather was made")

    monkeypatch.setattr(parts, "weather", reached)


def test_each_thing_is_made_once(tmp_path, counted):
    case = Case(airsim.load(scenario_in(tmp_path)))
    case.refuse_early()
    assert "weather" not in counted
    for _ in range(2):
        case.refuse_early()
        assert case.stages is case.stages
        assert case.coal is case.coal
        assert case.weather is case.weather
        assert case.gridded["base"] is case.gridded["base"]
        assert case.transport is case.transport
        assert case.response is case.response
    assert sorted(counted) == sorted(set(counted))
    assert set(counted) == {
        "place", "inventory", "background", "near_field", "observations", "weather", "compliance"
    }  # fmt: skip
    assert list(case.gridded)[-1] == case.last == "emergency"


WRONG = {
    "base_year": ("base_year: 2018", "base_year: 2005"),
    "near_field": ("  enterprises: 3\n", "  enterprises: [nobody]\n"),
    "seen.csv": ("shipped:observations/january_2019.csv", "seen.csv"),
    "air.csv": ("inputs:\n", "inputs:\n  background: air.csv\n"),
}
PLAIN = re.sub(r"  - type: emergency.*?(?=coal:)", "", DAY, flags=re.S)


def test_everything_is_refused_before_the_weather_and_check_says_the_same(tmp_path, no_weather):
    text = PLAIN
    for old, new in WRONG.values():
        assert old in text
        text = text.replace(old, new)
    for name in ("seen.csv", "air.csv"):
        (tmp_path / name).write_text("a,b\n1,2\n", encoding="utf-8")
    path = scenario_in(tmp_path, text)
    said = []
    for way in (
        lambda: checking.check(path),
        lambda: running.run(path, tmp_path / "out", lang="en"),
        lambda: running.run(path, tmp_path / "out", lang="en", by_operator=True),
        lambda: simulation.run(airsim.load(path)),
    ):
        with pytest.raises(InputError) as caught:
            way()
        said.append(caught.value.problems)
    assert all(s == said[0] for s in said)
    assert not (tmp_path / "out").exists()
    text = " ".join(p.text("en") for p in said[0])
    assert all(word in text for word in ("2005", "nobody", "seen.csv", "air.csv"))


def test_a_bad_coal_table_is_refused_before_the_weather(tmp_path, no_weather):
    (tmp_path / "limits.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    path = scenario_in(tmp_path, PLAIN.replace("coal:\n", "coal:\n  limits: {file: limits.csv}\n"))
    with pytest.raises(InputError, match=r"limits\.csv"):
        running.run(path, tmp_path / "out", lang="en")


def test_a_base_year_that_the_ledger_lacks_is_refused_before_the_weather(tmp_path, no_weather):
    """Nothing but the balance itself asks for the year."""
    text = re.sub(r"measures:.*?(?=coal:)", "", DAY, flags=re.S).replace("base_year: 2018", "base_year: 2010")
    with pytest.raises(InputError, match="2010"):
        simulation.run(airsim.load(scenario_in(tmp_path, text)))


def test_a_folder_that_cannot_be_written_is_told_first(tmp_path, no_weather):
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    with pytest.raises(InputError, match="--out"):
        running.run(scenario_in(tmp_path), tmp_path / "out", lang="en")


def test_the_contract_of_the_balance(tmp_path):
    scenario = airsim.load(scenario_in(tmp_path))
    xr.testing.assert_identical(coal.balance(scenario), Case(scenario).coal)
    xr.testing.assert_identical(coal.balance(pickle.loads(pickle.dumps(scenario))), Case(scenario).coal)


def test_weather_of_a_wildcard_in_folders_is_known_by_content(tmp_path):
    weather = "meteorology: {kind: stations, files: ['*/met/*.csv']}"
    text = re.sub("meteorology: .*", weather, DAY)
    keys = []
    for project, content in (("A", "a"), ("B", "b"), ("C", "a")):
        folder = tmp_path / project
        (folder / "2019" / "met").mkdir(parents=True)
        (folder / "2019" / "met" / "xian.csv").write_text(content, encoding="utf-8")
        scenario = airsim.load(scenario_in(folder, text))
        keys.append((weather_key(scenario), identity(scenario)))
    assert keys[0][0] != keys[1][0]
    assert keys[0][1] != keys[1][1]
    assert keys[0] == keys[2]


def test_local_rules_are_inputs_whatever_their_case(tmp_path):
    for name in ("LOCAL.YAML", "map.yaml"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    text = DAY.replace(
        "    execution_rate: 0.9\n", "    execution_rate: 0.9\n    plan: LOCAL.YAML\n    mapping: map.yaml\n"
    )
    scenario = airsim.load(scenario_in(tmp_path, text))
    from airsim import emergency
    from airsim.emergency.kind import located

    measure = located(scenario.measures[2], scenario.resolve)
    list_ = emergency.read(scenario.resolve(measure.list))
    paths = {i.path for i in provenance.inputs(scenario, [(measure, list_)])}
    assert {tmp_path / "LOCAL.YAML", tmp_path / "map.yaml"} <= paths


def test_another_list_is_counted_anew(tmp_path, counted):
    """Lists of one name in three folders: what was counted for one serves those of the same content alone."""
    from openpyxl import load_workbook

    shipped_list = shipped.path("data/emissions/emergency_list.xlsx")
    book = load_workbook(shipped_list)
    book.properties.title = "another"
    indicators.forget()
    for project, counts in (("A", 1), ("B", 2), ("C", 2)):
        folder = tmp_path / project
        folder.mkdir()
        if project == "B":
            book.save(folder / "list.xlsx")
        else:
            (folder / "list.xlsx").write_bytes(shipped_list.read_bytes())
        text = DAY.replace("shipped:emissions/emergency_list.xlsx", "list.xlsx")
        case = Case(airsim.load(scenario_in(folder, text)))
        assert indicators.shares_failed(case) == 4
        assert counted.count("compliance") == counts


def test_physics_counts_what_the_batch_sums(tmp_path, monkeypatch):
    """A copy of the package with one line more in a room that makes numbers has another version."""
    import shutil

    from airsim.cache import keys

    package = Path(airsim.__file__).parent
    copy = tmp_path / "airsim"
    for name in ("batch", "cache", "output", "commands", "case"):
        shutil.copytree(package / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(keys, "__file__", str(copy / "cache" / "keys.py"))
    monkeypatch.setattr(keys.shipped, "path", lambda _: tmp_path / "nothing")

    def version():
        physics.cache_clear()
        return physics()

    try:
        first = version()
        for name, counts in (
            ("batch/superposition.py", True), ("batch/indicators.py", True), ("case/parts.py", True),
            ("output/findings.py", True), ("output/html.py", False), ("commands/run.py", False),
        ):  # fmt: skip
            file = copy / name
            text = file.read_text(encoding="utf-8")
            file.write_text(text + "\n# more\n", encoding="utf-8")
            assert (version() != first) == counts, name
            file.write_text(text, encoding="utf-8")
        assert version() == first
    finally:
        physics.cache_clear()


# ---------------------------------------------------------------- the store


KEY = "0" * 64
NUMBERS = np.arange(30_000, dtype=np.float32).reshape(100, 300)


def harmed(content, harm):
    middle = content.index(NUMBERS[50].tobytes())
    flipped = bytearray(content)
    flipped[middle + 7] ^= 1
    return {
        "half": content[: len(content) // 2], "tail": content[:-50], "flip": bytes(flipped), "empty": b"",
        "text": b"not a file of the kind",
    }[harm]  # fmt: skip


@pytest.mark.parametrize("harm", ["half", "tail", "flip", "empty", "text"])
@pytest.mark.parametrize("kind", ["weather", "operator", "emergency", "response", "worlds"])
def test_a_damaged_file_counts_as_none(tmp_path, kind, harm):
    store = Store(tmp_path)
    assert store.keep(kind, KEY, {"values": NUMBERS, "time": np.array(["2019-01-01"], "datetime64[ns]")}, {"a": ["市"]})
    kept = store.get(kind, KEY)
    np.testing.assert_array_equal(kept.arrays["values"], NUMBERS)
    assert kept.arrays["time"].dtype == np.dtype("datetime64[ns]")
    assert kept.about == {"a": ["市"]}
    assert store.get(kind, KEY[:-1] + "1") is None  # the same file name, another key
    path = store.path(kind, KEY)
    path.write_bytes(harmed(path.read_bytes(), harm))
    assert store.get(kind, KEY) is None


def test_a_file_whose_numbers_were_exchanged_is_found_out(tmp_path):
    """The zip's own sums fit, the content is another one's: the checksum of the array tells."""
    store = Store(tmp_path)
    store.keep("worlds", KEY, {"values": NUMBERS})
    with np.load(store.path("worlds", KEY)) as file:
        members = dict(file)
    members["000"] = NUMBERS + 1
    with store.path("worlds", KEY).open("wb") as written:
        np.savez(written, **members)
    assert store.get("worlds", KEY) is None


def test_a_folder_that_cannot_be_written_is_harmless(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    store = Store(tmp_path / "file" / "cache")  # a folder below a file: refused to everyone, root too
    assert not store.keep("weather", KEY, {"values": NUMBERS})
    assert store.get("weather", KEY) is None
    assert not store.holds("weather")


def test_shared_weather_is_made_again_where_its_file_is_damaged(tmp_path, counted):
    scenario = airsim.load(scenario_in(tmp_path))
    cache, keep = tmp_path / "cache", frozenset({weather_key(scenario)})
    first = Case(scenario, Shared(cache, keep)).weather
    again = Case(scenario, Shared(cache, keep)).weather
    assert counted.count("weather") == 1
    xr.testing.assert_identical(again, first)
    (path,) = cache.glob("weather-*.npz")
    path.write_bytes(path.read_bytes()[:-500])
    xr.testing.assert_identical(Case(scenario, Shared(cache, keep)).weather, first)
    assert counted.count("weather") == 2


def test_many_scenarios_share_place_and_inventory(tmp_path, counted):
    scenario = airsim.load(scenario_in(tmp_path))
    shared = Shared(tmp_path / "cache")
    one, two = (Case(scenario, shared) for _ in range(2))
    assert one.inventory is two.inventory
    assert counted == ["place", "inventory"]
