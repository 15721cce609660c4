"""Reading, checking and counting a list of 20,000 lines beside a plain pandas/openpyxl read of the same file.

    python benchmarks/emergency.py [--lines 20000]

The plain way only gets the cells into memory, header rows unmerged and nothing converted; ours reads every layout,
understands the words, runs all checks, counts three levels and proposes what closes the gap. `whole` is the command
`airsim emergency`, process start and shipped inventory included. Best of three, one process each.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from airsim import emergency, geography, inventory, shipped
from airsim.case import parts

LAYOUTS = (
    ("official.xlsx", "official"),
    ("official.xls", "official"),
    ("cities.xlsx", "cities"),
    ("levels.xlsx", "levels"),
    ("table.csv", "table"),
)


def generator():
    spec = importlib.util.spec_from_file_location("make_synthetic_list", shipped.path("data/make_synthetic_list.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def best(work, times=3):
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def plain(path):
    """Get the cells as people do first: no header is understood, no number converted."""
    if path.suffix == ".csv":
        pd.read_csv(path, encoding="gb18030", header=None, skiprows=1, dtype=str)
    elif path.suffix == ".xls":
        pd.read_excel(path, sheet_name=None, header=None, engine="xlrd")
    else:
        pd.read_excel(path, sheet_name=None, header=None, engine="openpyxl")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lines", type=int, default=20_000)
    asked = parser.parse_args()
    make = generator()
    lines = make.lines(asked.lines)
    place = geography.load(geography.make_grid())
    names = ("enterprises", "area_sources")
    base = inventory.read(*(shipped.path(f"data/emissions/{n}.csv") for n in names), None, place)
    factor = parts.day_factors()

    def count(list_):
        for level in emergency.LEVELS:
            table = emergency.compliance(list_, base, level, day_factor=factor)
        emergency.closing(list_, table)

    print(f"{asked.lines} lines; seconds")
    print(f"{'file':16s} {'plain':>7s} {'read':>7s} {'check':>7s} {'count':>7s} {'whole':>7s}")
    with tempfile.TemporaryDirectory() as folder:
        for name, layout in LAYOUTS:
            path = Path(folder) / name
            make.write(path, lines, layout)
            list_ = emergency.read(path)
            command = [sys.executable, "-m", "airsim.cli", "emergency", str(path), "--level", "red", "--lang", "en"]
            try:
                cells = f"{best(lambda p=path: plain(p), 1):7.2f}"
            except ImportError:
                cells = "      -"  # xlrd is not needed here
            seconds = (
                best(lambda p=path: emergency.read(p)),
                best(lambda x=list_: emergency.check(x, base, place)),
                best(lambda x=list_: count(x)),
                best(lambda c=command: subprocess.run(c, check=True, capture_output=True)),
            )
            print(f"{name:16s} {cells} " + " ".join(f"{s:7.2f}" for s in seconds))


if __name__ == "__main__":
    main()
