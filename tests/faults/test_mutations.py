"""Files as they should not be: five hundred seeded mutations, bombs and traps. One clear line each, exit code 2.

A fifth of the mutations is run by default, all of them in the soak.
"""

import io
import random
import re
import zipfile

import openpyxl
import pytest
from batches import TINY, refused
from cases import SHORT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from airsim import geography, shipped
from airsim.cli import app

NASTY = (
    "", "~", "[]", "{}", "[[[]]]", "{a: {b: c}}", "-1", "0", "1e400", "-1e400", ".nan", ".inf", "99999999999999999999",
    "0x1F", "'", '"', "*nowhere", "&a [*a]", "!!python/object/apply:os.system ['true']", "!!binary aGk=", "2019-13-45",
    "2019-01-01 25:00", "9999-12-31 23:00", "0001-01-01", "../../x", "C:\\con", "shipped:../../../etc/passwd",
    "shipped:", "\u0000", "\ud7ff", "😀", "关中" * 400, "x" * 70000, "true", "null", "1_000", "|", "? a", "<<: *b",
    "[1, 2", "{", "- - -", "@", "`", "%YAML 1.1", "---", "...", "#", "nan", "=1+1", "=cmd|' /C calc'!A0",
)  # fmt: skip
SCENARIOS = (TINY, SHORT)
CSV = tuple(
    shipped.path(f"data/emissions/{name}.csv").read_bytes() for name in ("enterprises", "area_sources", "coal_ledger")
)
LIST = shipped.path("data/emissions/emergency_list.xlsx")


@pytest.fixture(scope="module", autouse=True)
def _place_made_once():
    """Keep the grid: reading boundaries takes most of the time of a check."""
    patch = pytest.MonkeyPatch()
    load = geography.load
    known = {}

    def once(grid):
        key = (grid.nx, grid.ny, float(grid.x[0]), float(grid.y[0]), float(grid.x[-1]))
        if key not in known:
            known[key] = load(grid)
        return known[key]

    patch.setattr(geography, "load", once)
    yield
    patch.undo()


def checked(path, *, must_fail=False):
    """Check a file in this process through the real command: nothing but a clear refusal may come out."""
    before = sorted(p.name for p in path.parent.iterdir())
    said = CliRunner().invoke(app, ["check", str(path), "--lang", "en"])
    if said.exception is not None and not isinstance(said.exception, SystemExit):
        raise said.exception
    assert said.exit_code == 2 or (said.exit_code == 0 and not must_fail), said.output
    assert "Traceback" not in said.output
    if said.exit_code == 2:
        # each line: place, key, value, what is allowed
        assert re.search(r"^\d+ problem\(s\) in the input:\n  \S", said.output, re.MULTILINE), said.output
    assert sorted(p.name for p in path.parent.iterdir()) == before
    return said.output


def bytes_changed(raw: bytes, random_: random.Random) -> bytes:
    """Flip, cut, double or insert somewhere."""
    at = random_.randrange(len(raw))
    how = random_.randrange(6)
    if how == 0:
        return raw[:at] + bytes([random_.randrange(256)]) + raw[at + 1 :]
    if how == 1:
        return raw[:at]
    if how == 2:
        return raw[:at] + random_.randbytes(random_.randrange(1, 40)) + raw[at:]
    if how == 3:
        return raw[:at] + raw[at + random_.randrange(1, 200) :]
    if how == 4:
        return raw[at : at + 300] + raw
    return raw.decode("utf-8", "replace").encode(random_.choice(["utf-16", "gb18030", "utf-7"]), "replace")


def text_changed(text: str, random_: random.Random) -> str:
    """Put something nasty in the place of a value, double, drop or indent a line."""
    lines = text.splitlines(keepends=True)
    at = random_.randrange(len(lines))
    how = random_.randrange(6)
    if how <= 2:
        value = random_.choice(NASTY)
        changed = re.sub(r"(?<=[:,\[{-] )[^,\[\]{}#\n]+", lambda m: value, lines[at], count=random_.randrange(1, 3))
        lines[at] = changed if changed != lines[at] else f"{lines[at].rstrip()} {value}\n"
    elif how == 3:
        lines.insert(at, lines[at])
    elif how == 4:
        del lines[at]
    else:
        lines[at] = " " * random_.randrange(1, 5) + lines[at]
    return "".join(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mutants")


SETTINGS = settings(
    derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
)
seeds = st.integers(0, 2**32)


def sizes(many: int) -> list:
    """Return a fifth of so many mutations, and all of them for the soak."""
    return [many // 5, pytest.param(many, marks=pytest.mark.soak)]


def each(many: int, test, **drawn) -> None:
    """Call a test with so many draws."""
    settings(SETTINGS, max_examples=many)(given(**drawn)(test))()


@pytest.mark.parametrize("many", sizes(170))
def test_scenarios_with_a_bad_value(folder, many):
    def one(seed, which):
        path = folder / "mutant.yaml"
        path.write_text(text_changed(SCENARIOS[which], random.Random(seed)), encoding="utf-8", errors="surrogatepass")
        checked(path)

    each(many, one, seed=seeds, which=st.sampled_from(range(len(SCENARIOS))))


@pytest.mark.parametrize("many", sizes(80))
def test_scenarios_with_broken_bytes(folder, many):
    def one(seed, which):
        path = folder / "mutant.yaml"
        path.write_bytes(bytes_changed(SCENARIOS[which].encode(), random.Random(seed)))
        checked(path)

    each(many, one, seed=seeds, which=st.sampled_from(range(len(SCENARIOS))))


@pytest.mark.parametrize("many", sizes(70))
def test_tables_with_broken_bytes(folder, many):
    def one(seed, which):
        path = folder / "mutant.csv"
        path.write_bytes(bytes_changed(CSV[which], random.Random(seed)))
        checked(path)

    each(many, one, seed=seeds, which=st.sampled_from(range(len(CSV))))


@pytest.mark.parametrize("many", sizes(90))
def test_tables_with_a_bad_cell(folder, many):
    def one(seed, which):
        random_ = random.Random(seed)
        lines = CSV[which].decode("utf-8-sig").splitlines()
        at = random_.randrange(len(lines))
        cells = lines[at].split(",")
        cells[random_.randrange(len(cells))] = random_.choice(NASTY).replace("\n", " ")
        lines[at] = ",".join(cells)
        path = folder / "mutant.csv"
        path.write_text("\n".join(lines), encoding="utf-8", errors="surrogatepass")
        checked(path)

    each(many, one, seed=seeds, which=st.sampled_from(range(len(CSV))))


@pytest.mark.parametrize("many", sizes(60))
def test_workbooks_with_broken_bytes(folder, many):
    def one(seed):
        path = folder / "mutant.xlsx"
        path.write_bytes(bytes_changed(LIST.read_bytes(), random.Random(seed)))
        checked(path)

    each(many, one, seed=seeds)


@pytest.mark.parametrize("many", sizes(30))
def test_workbooks_with_a_bad_cell(folder, many):
    def one(seed):
        random_ = random.Random(seed)
        book = openpyxl.load_workbook(LIST)
        sheet = random_.choice(book.worksheets)
        cell = sheet.cell(random_.randrange(1, sheet.max_row + 1), random_.randrange(1, sheet.max_column + 1))
        if not isinstance(cell, openpyxl.cell.MergedCell):
            nasty = [v for v in NASTY if "\u0000" not in v and len(v) < 30000]
            cell.value = random_.choice([*nasty, -5, 1e300, True, None])
        path = folder / "mutant.xlsx"
        book.save(path)
        checked(path)

    each(many, one, seed=seeds)


def test_a_zip_bomb(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(LIST) as sound, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for member in sound.infolist():
            if member.filename.endswith("sheet1.xml"):
                with bomb.open(member.filename, "w", force_zip64=True) as file:
                    for _ in range(400):
                        file.write(b" " * (1 << 20))
            else:
                bomb.writestr(member.filename, sound.read(member))
    assert path.stat().st_size < 1 << 20
    assert "unpacks to more than" in checked(path, must_fail=True)


def test_a_workbook_that_links_to_others(tmp_path):
    path = tmp_path / "links.xlsx"
    with zipfile.ZipFile(LIST) as sound, zipfile.ZipFile(path, "w") as linked:
        for member in sound.infolist():
            linked.writestr(member, sound.read(member))
        linked.writestr("xl/externalLinks/externalLink1.xml", "<externalLink/>")
    assert "links to other workbooks" in checked(path, must_fail=True)


def test_a_bomb_of_anchors(tmp_path):
    text = io.StringIO()
    text.write(TINY + "a: &a [x, x, x, x, x, x, x, x, x]\n")
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        text.write(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n")
    path = tmp_path / "bomb.yaml"
    path.write_text(text.getvalue(), encoding="utf-8")
    assert "more than 200000 entries" in checked(path, must_fail=True)


@pytest.mark.parametrize("name", ["../../x", "..", ".hidden", "a/b", "a\\b", "C:x", "con", "NUL", "x" * 65, "''"])
def test_names_that_lead_elsewhere(tmp_path, name):
    inner = tmp_path / "inner"
    inner.mkdir()
    path = inner / "named.yaml"
    path.write_text(TINY.replace("name: tiny", f"name: {name}"), encoding="utf-8")
    for command in ("run", "batch"):
        said = CliRunner().invoke(app, [command, str(path), "--out", str(inner / "out"), "--lang", "en"])
        assert said.exit_code == 2, said.output
        assert "named.yaml:1: 'name'" in said.output
    assert sorted(p.name for p in inner.iterdir()) == ["named.yaml"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["inner"]


def test_a_product_of_a_sweep_that_never_ends(tmp_path):
    many = list(range(1, 101))
    sweep = f"sweep:\n  values:\n    meteorology.seed: {many}\n    measures[1].percent: {many}\n"
    path = tmp_path / "many.yaml"
    path.write_text(TINY + sweep + f"    meteorology.stagnant_hours: {many}\n", encoding="utf-8")
    assert "at most 100000 scenarios" in refused(path, "--out", tmp_path / "out")
