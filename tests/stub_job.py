"""The command line with scenarios that are made up at once instead of run: for tests of what happens around a run.

    python tests/stub_job.py batch ...

Only the run itself is replaced. Processes, logs, locks, the check of the inputs, the writing and moving of files, the
manifest and the summaries are those of airsim. The worker processes of a batch import the program they belong to, so
the replacement holds there as well; a dask worker takes this file as its ``--preload``.
"""

import os
import sys
import time

import numpy as np
import pandas as pd
import xarray as xr

from airsim import cli, simulation
from airsim.batch import work
from airsim.case import Case
from airsim.files import write_bytes
from airsim.geography import CITIES
from airsim.result import netcdf

#: How long a made-up run takes, in eight parts [s]: long enough to be killed in the midst of it.
SECONDS = float(os.environ.get("STUB_SECONDS", "0.5"))
#: Size of each file beside the result [bytes].
SIZE = 400_000


def result(scenario) -> xr.DataTree:
    """Return numbers that follow from nothing but the swept keys of the tiny case."""
    random = np.random.default_rng([int(scenario.measures[0].percent), scenario.meteorology.seed])
    days, city = 2, [c.id for c in CITIES]
    hourly = random.uniform(50, 400, (2, 24 * days, len(city)))
    daily = hourly.reshape(2, days, 24, -1).mean(axis=2)
    variables = {
        "pm25": (("case", "time", "city"), hourly, {"units": "ug m-3"}),
        "pm25_daily": (("case", "day", "city"), daily, {"units": "ug m-3"}),
        "aqi": (("case", "day", "city"), np.ceil(daily), {"units": "1"}),
    }
    coordinates = {
        "case": ["base", "controlled"],
        "time": pd.date_range("2019-01-01T16:00", periods=24 * days, freq="h", unit="ns"),
        "day": pd.date_range("2019-01-02", periods=days, unit="ns"),
        "city": city,
    }
    return xr.DataTree.from_dict({"/": xr.Dataset(variables, coordinates)})


def run_into(folder, case, lang, progress):
    """Stand for `airsim.simulation.run_into`: tell of stages, take some time, write all files."""
    for part in range(8):
        if part % 4 == 0:
            progress.stage("编造", "making up", 0.5)
        progress.part(part % 4 / 4)
        time.sleep(SECONDS / 8)
    written = [folder / name for name in simulation.RESULTS]
    tree = result(case.scenario)
    netcdf.write(tree, written[0])
    for path in written[1:]:
        write_bytes(path, case.scenario.name.encode() * (SIZE // len(case.scenario.name)))
    return written, tree, []


simulation.run_into = run_into
Case.weather = None  # what scenarios would share
work.warm_up = str  # no kernel is called, so none is compiled

if __name__ == "__main__":
    sys.exit(cli.main())
