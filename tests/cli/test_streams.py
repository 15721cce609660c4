"""Who listens, and whether anybody does, changes nothing in the work: real processes, real pipes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from airsim.version import __version__

pytestmark = pytest.mark.skipif(os.name != "posix", reason="closed streams and signals of POSIX")
AIRSIM = [sys.executable, "-m", "airsim"]
CASE = """\
name: small
title: {zh: 小, en: small}
period: {start: 2019-01-01, end: 2019-01-02, spin_up_hours: 24}
domain: {west: 107.5, south: 33.6, east: 110.2, north: 35.3, spacing: 30000}
meteorology: {kind: synthetic, seed: 1, build_up_hours: 6, stagnant_hours: 12}
measures:
  - {type: cut, percent: 30, sectors: [residential]}
"""


def shell(line, cwd, **environment):
    """Run a line of bash in which $airsim is the command; pipes fail as their first part does."""
    given = {**os.environ, "airsim": " ".join(AIRSIM), "LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}
    given["PYTHONPATH"] = str(Path(__file__).parents[2])
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], env=given | environment, capture_output=True, encoding="utf-8",
        cwd=cwd,
        timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("line", ["$airsim schema | head -1", "$airsim schema >&-", "$airsim --version 2>&-"])
def test_nobody_listens(tmp_path, line):
    ended = shell(line, tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_bad_input_keeps_its_code(tmp_path, closed):
    ended = shell(f"$airsim check nothing.yaml {closed}", tmp_path)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_a_full_disk_behind_a_redirection_is_an_error(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    assert shell("$airsim schema >/dev/full", tmp_path).returncode != 0


def test_a_run_with_every_stream_closed_writes_its_files(tmp_path):
    (tmp_path / "small.yaml").write_text(CASE, encoding="utf-8")
    ended = shell("$airsim run small.yaml --out out <&- >&- 2>&-", tmp_path)
    assert ended.returncode == 0
    found = sorted(p.name for p in (tmp_path / "out" / "small").iterdir())
    assert found == ["report.html", "result.nc", "run.json", "tables.xlsx"]
    assert (tmp_path / "out" / "small" / "result.nc").read_bytes()[1:4] == b"HDF"


def test_ctrl_c_ends_a_run_quietly_within_two_seconds(tmp_path):
    text = CASE.replace("2019-01-02", "2019-01-25").replace("30000", "9000")
    (tmp_path / "long.yaml").write_text(text, encoding="utf-8")
    process = subprocess.Popen(
        [*AIRSIM, "run", "long.yaml", "--out", "out", "--lang", "en"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        # a session in the background ignores the signal, and what it starts would too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads
    )
    for line in process.stderr:
        if "transport and chemistry" in line:
            break
    time.sleep(1.0)
    assert process.poll() is None, "it must be at work still"
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    # two seconds on an idle machine; tests share theirs
    assert time.monotonic() - begun < 6.0
    assert process.returncode == 1
    assert said.splitlines()[-1] == "Interrupted; nothing was written."
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_without_home_and_entry_in_passwd(tmp_path):
    no_entry = (
        "import os, pwd, sys\n"
        "def none(*_): raise KeyError('no such user')\n"
        "pwd.getpwuid = pwd.getpwnam = none\n"
        "os.environ.pop('HOME', None)\n"
        "from airsim.cli import main\nmain()\n"
    )
    (tmp_path / "small.yaml").write_text(CASE, encoding="utf-8")
    (tmp_path / "bare.py").write_text(no_entry, encoding="utf-8")
    ended = shell(f"{sys.executable} bare.py check small.yaml --lang en", tmp_path, AIRSIM_CACHE="")
    assert ended.returncode == 0, ended.stderr
    assert "sound scenario" in ended.stdout
    assert ended.stderr == ""


def test_version_and_help_of_the_module(tmp_path):
    assert shell("$airsim --version", tmp_path).stdout.strip() == __version__
    assert "--install-completion" in shell("$airsim --help", tmp_path).stdout
    assert "Did you mean 'run'" in shell("$airsim rnu", tmp_path).stderr


def test_help_imports_nothing_heavy(tmp_path):
    code = (
        "import sys; sys.argv = ['airsim', '--help']\n"
        "from airsim.cli import main\n"
        "try: main()\n"
        "finally: print(sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)\n"
    )
    (tmp_path / "help.py").write_text(code, encoding="utf-8")
    loaded = shell(f"{sys.executable} help.py", tmp_path).stderr
    assert "'airsim'" in loaded
    for heavy in ("numpy", "numba", "xarray", "pandas", "pydantic", "scipy", "distributed", "shapely"):
        assert f"'{heavy}'" not in loaded
