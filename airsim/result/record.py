"""``run.json``: which version made a result, from which files, on what machine, and how long each stage took."""

from __future__ import annotations

import datetime as dt
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from airsim.result.folder import seen_from
from airsim.version import __version__

if TYPE_CHECKING:
    import xarray as xr


def record(tree: xr.DataTree, scenario_file: str, folder: Path, begun: float, seconds: Mapping[str, float]) -> bytes:
    """Return the content of ``run.json``.

    Parameters
    ----------
    tree : DataTree
        The result.
    scenario_file : str
        Where the scenario came from; empty if it was made in Python.
    folder : Path
        The folder of the result.
    begun : float
        Start of the run, seconds since 1970.
    seconds : mapping
        Stage -> how long it took [s].
    """
    inputs = tree["provenance"].to_dataset()
    names, versions = (inputs[f"package_{n}"].values.tolist() for n in ("name", "version"))
    files = (inputs[f"input_{n}"].values.tolist() for n in ("file", "sha256", "kind"))
    remarks = inputs["remark"].values.tolist() if "remark" in inputs else []
    told = {
        "airsim": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "scenario": tree.attrs["name"],
        "scenario_file": scenario_file,
        "scenario_path": seen_from(folder, scenario_file),
        "method": str(tree.attrs.get("method", "full")),
        "started": dt.datetime.fromtimestamp(begun, dt.UTC).isoformat(timespec="seconds"),
        "wall_seconds": dict(seconds),
        "packages": dict(zip(names, versions, strict=True)),
        # what is made, not read, has no hash
        "remarks": remarks,
        "inputs": [{"file": f, "sha256": h, "kind": k} for f, h, k in zip(*files, strict=True) if h],
    }
    return json.dumps(told, ensure_ascii=False, indent=2).encode()
