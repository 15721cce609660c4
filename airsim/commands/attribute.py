"""`airsim attribute`: an observed change between two windows, split into weather, emissions and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from airsim.assess import aqi, weather_or_measures
from airsim.clock import to_beijing
from airsim.commands.evaluate import is_synthetic
from airsim.errors import InputError, Lang, Problem
from airsim.observations import Observations
from airsim.output import findings

#: Inputs that are no emissions: they may differ between the two results.
_NOT_EMISSIONS = {"station list", "observed composition of PM2.5"}


def split_between_results(
    before: xr.DataTree,
    after: xr.DataTree,
    observed: Observations,
    *,
    block: int = 3,
    draws: int = 2000,
    seed: int = 2019,
) -> xr.Dataset:
    """Split the change of observed PM2.5 from the window of one result to that of another.

    Parameters
    ----------
    before, after : DataTree
        Results of the same emissions and measures under the weather of two windows; each holds both cases: base is
        taken for the emissions of the first window, controlled for those of the second.
    observed : Observations
        Hourly observations of both windows.
    block, draws, seed
        As in `weather_or_measures.split_change`.

    Returns
    -------
    Dataset
        From `weather_or_measures.split_change`; ``window_before``, ``window_after`` as attributes.

    Raises
    ------
    InputError
        Synthetic weather, a result without measures, windows that overlap or come in the wrong order, other
        emissions behind the two, or a window without observations.
    """
    problems = []
    for name, tree in (("A", before), ("B", after)):
        if is_synthetic(tree):
            problems.append(
                _said(
                    name,
                    "",
                    "the weather is synthetic, of no day: it can't explain an observed change",
                    "气象是合成的，不对应任何一天，无法用来解释实测变化",
                )
            )
        if "controlled" not in tree.to_dataset()["case"].values:
            problems.append(
                _said(
                    name, "case", "no case with measures: both emission worlds are needed", "没有控制情形：须有两种排放"
                )
            )
    times = [t.to_dataset()["time"].values for t in (before, after)]
    if times[0][-1] >= times[1][0]:
        problems.append(
            _said("B", _day(times[1][0]), "must begin after the first window ends", "须在第一个时段结束之后开始")
        )
    problems += _other_emissions(before, after)
    if problems:
        raise InputError(problems)
    hourly = observed.cities()
    shared = [set(t.to_dataset()["city"].values) for t in (before, after)]
    cities = [str(c) for c in before.to_dataset()["city"].values if c in hourly["city"].values and c in shared[1]]
    first, second = (_window(t, hourly["pm25"], cities) for t in (before, after))
    for name, window, time in zip("AB", (first, second), times, strict=True):
        if not np.isfinite(window.observed).any():
            span = f"{_day(time[0])} .. {_day(time[-1])}"
            problems.append(_said(name, span, "no observed day in this window", "该时段没有有效的观测日"))
    if problems:
        raise InputError(problems)
    found = weather_or_measures.split_change(first, second, cities, block=block, draws=draws, seed=seed)
    found.attrs |= {
        f"window_{k}": f"{_day(t[0])} .. {_day(t[-1])}" for k, t in zip(("before", "after"), times, strict=True)
    }
    return found


def _window(tree: xr.DataTree, observed: xr.DataArray, cities: list[str]) -> weather_or_measures.Window:
    root = tree.to_dataset()
    time = root["time"].values
    days = [
        aqi.daily_mean(v.transpose("time", "city"))
        for v in (
            observed.sel(city=cities).reindex(time=time),
            root["pm25"].sel(case="base", city=cities),
            root["pm25"].sel(case="controlled", city=cities),
        )
    ]
    return weather_or_measures.Window(*(d.transpose("day", "city").values.astype(float) for d in days))


def _other_emissions(before: xr.DataTree, after: xr.DataTree) -> list[Problem]:
    """Return a problem for every table behind the emissions that is not the same file in both results."""
    hashes = []
    for tree in (before, after):
        inputs = findings.group(tree, "provenance")
        if inputs is None or "input_file" not in inputs:
            return []
        hashes.append(
            {
                str(f): str(h)
                for f, h, k, note in zip(
                    *(inputs[f"input_{n}"].values for n in ("file", "sha256", "kind", "note")), strict=True
                )
                if str(k) in {"derived", "estimated", "reported", "illustrative"}
                and str(h)
                and str(note) not in _NOT_EMISSIONS
            }
        )
    return [
        _said(
            "B",
            name,
            "another file than behind A: only the weather may differ",
            "与 A 所用文件不同：两者只允许气象不同",
        )
        for name in sorted(set(hashes[0]) & set(hashes[1]))
        if hashes[0][name] != hashes[1][name]
    ]


def _said(key: str, value: str, en: str, zh: str) -> Problem:
    return Problem("airsim attribute", "", key, value, en, zh)


def _day(time: np.datetime64) -> str:
    return f"{pd.Timestamp(to_beijing(time)):%Y-%m-%d}"


def to_files(
    before: Path, after: Path, files: Sequence[Path], *, stations: Path | None, block: int, out: Path | None, lang: Lang
) -> tuple[list[Path], list[str]]:
    """Attribute between two result files; write ``attribution.html`` and ``attribution.xlsx``.

    Parameters
    ----------
    before, after : Path
        result.nc of the first and the second window.
    files : sequence of Path
        Hourly observations of both.
    stations : Path, optional
        Station list.
    block : int
        Days drawn together [d].
    out : Path, optional
        Folder; that of the second result if left out.
    lang : {"zh", "en"}

    Raises
    ------
    InputError
        As `attribute`; nothing has been written then.
    """
    from airsim.observations import read
    from airsim.output import console, excel, html
    from airsim.output.sections import attribution as attribution_page
    from airsim.result import netcdf

    trees = netcdf.read(before), netcdf.read(after)
    found = split_between_results(*trees, read(list(files), stations), block=block)
    page = attribution_page.page(trees[1], found)
    folder = out if out is not None else after.parent
    written = [folder / "attribution.html", folder / "attribution.xlsx"]
    html.write(page, written[0], lang)
    excel.write(page, written[1], lang)
    return written, console.lines(page, lang)
