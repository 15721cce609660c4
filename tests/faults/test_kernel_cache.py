"""The cache of compiled kernels: whatever becomes of it, the numbers come out and nothing else is said."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

#: A module of kernels as airsim's are, small enough to be compiled again and again.
KERNELS = """\
from numba import njit

from airsim.cache import compiled

compiled.guard()


@njit(cache=True)
def double(x):
    return 2.0 * x
"""
CALL = "import kernels; print(kernels.double(21.0), sum(kernels.double.stats.cache_hits.values()))"


def call(folder: Path, *, before="", **environment):
    """Call the kernel in a process of its own; return what it says, how often the cache served, and stderr."""
    (folder / "kernels.py").write_text(KERNELS, encoding="utf-8")
    house = str(Path(__file__).parents[2])
    given = {k: v for k, v in os.environ.items() if k not in {"NUMBA_CACHE_DIR", "AIRSIM_CACHE"}}
    given |= {"PYTHONPATH": f"{folder}{os.pathsep}{house}", "LC_ALL": "en_US.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        [sys.executable, "-c", before + CALL],
        env=given | environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert ended.returncode == 0, ended.stderr
    value, served = ended.stdout.split()
    assert value == "42.0"
    return int(served), ended.stderr


def kept(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in {".nbi", ".nbc"})


HARMS = {
    "cut short": lambda b: b[: len(b) // 2],
    "empty": lambda b: b"",
    "zeroed": lambda b: bytes(len(b)),
    "garbage": lambda b: os.urandom(len(b)),
    "one bit flipped": lambda b: b[: len(b) // 2] + bytes([b[len(b) // 2] ^ 1]) + b[len(b) // 2 + 1 :],
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """The folder of the kernel, and a cache with the kernel in it."""
    folder = tmp_path_factory.mktemp("kernels")
    cache = folder / "cache"
    assert call(folder, AIRSIM_CACHE=str(cache)) == (0, "")
    assert {p.suffix for p in kept(cache)} == {".nbi", ".nbc"}
    assert call(folder, AIRSIM_CACHE=str(cache)) == (1, "")
    return folder, cache


@pytest.mark.parametrize(
    ("harm", "suffix"), [*((h, ".nbc") for h in HARMS), ("cut short", ".nbi"), ("one bit flipped", ".nbi")]
)
def test_a_damaged_file_is_compiled_again(filled, tmp_path, harm, suffix):
    folder, sound = filled
    cache = tmp_path / "cache"
    shutil.copytree(sound, cache)
    for path in (p for p in kept(cache) if p.suffix == suffix):
        path.write_bytes(HARMS[harm](path.read_bytes()))
    assert call(folder, AIRSIM_CACHE=str(cache)) == (0, "")
    if harm == "cut short":
        assert call(folder, AIRSIM_CACHE=str(cache)) == (1, ""), "and is kept again"


def test_the_cache_is_the_users_own(filled):
    _, cache = filled
    (inside,) = cache.iterdir()
    assert inside.name == f"kernels-{os.getuid()}"


def test_a_folder_that_the_user_names_is_respected(tmp_path):
    named = tmp_path / "named"
    assert call(tmp_path, NUMBA_CACHE_DIR=str(named), AIRSIM_CACHE=str(tmp_path / "cache")) == (0, "")
    assert kept(named)
    assert not (tmp_path / "cache").exists()


def test_numba_imported_before_airsim_keeps_kernels_in_the_same_place(tmp_path):
    cache = tmp_path / "cache"
    assert call(tmp_path, before="import numba;", AIRSIM_CACHE=str(cache)) == (0, "")
    assert kept(cache)


@pytest.mark.parametrize("name", ["NUMBA_CACHE_DIR", "AIRSIM_CACHE"])
def test_a_folder_that_cannot_be_made_is_named_in_one_line(tmp_path, name):
    (tmp_path / "file").write_bytes(b"")
    wanted = tmp_path / "file" / "cache"
    _, said = call(tmp_path, **{name: str(wanted), "TMPDIR": str(tmp_path)})
    assert said.count("\n") == 1
    assert str(wanted) in said
    assert "cannot be written" in said
    assert kept(tmp_path / f"airsim-{os.getuid()}"), "the folder that took its place keeps them"


def test_a_folder_that_is_there_and_not_writable(tmp_path):
    wanted = tmp_path / "read-only"
    wanted.mkdir()
    wanted.chmod(0o555)
    if os.access(wanted, os.W_OK):  # the superuser may write everywhere but here
        wanted = Path("/proc")
    if not wanted.is_dir():
        pytest.skip("this user may write everywhere")
    _, said = call(tmp_path, NUMBA_CACHE_DIR=str(wanted), TMPDIR=str(tmp_path))
    assert said.count("\n") == 1
    assert f"{wanted} cannot be written" in said


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_a_folder_in_tmp_that_somebody_else_may_write_is_not_believed(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    trap = tmp_path / f"airsim-{os.getuid()}"
    trap.mkdir()
    trap.chmod(0o777)
    call(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "file" / "cache"), TMPDIR=str(tmp_path))
    assert not kept(trap)


@pytest.mark.skipif(os.name != "posix", reason="the password database of POSIX")
def test_without_home_and_entry_in_passwd(tmp_path):
    no_entry = "import pwd\ndef none(*_): raise KeyError('no such user')\npwd.getpwuid = pwd.getpwnam = none\n"
    given = {"HOME": "", "XDG_CACHE_HOME": "", "TMPDIR": str(tmp_path)}
    assert call(tmp_path, before=no_entry + "import os; del os.environ['HOME']\n", **given) == (0, "")
    assert kept(tmp_path / f"airsim-{os.getuid()}")
