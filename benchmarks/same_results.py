"""Hold two sets of results against each other, data variable by data variable, byte for byte.

    python benchmarks/same_results.py OLD NEW [--close 1e-6]

OLD and NEW are folders with the results of the same scenarios (`airsim run`, `coal --out`, `rank`, `batch` write
them); every ``.nc`` file below OLD is compared with the one of the same place below NEW. Exit code 1 where anything
differs. Provenance (versions, hashes, names of files) is not compared.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xarray as xr


def differences(old: Path, new: Path, close: float = 0.0) -> list[str]:
    """Return a line for each variable that is not the same in two files; groups ``/provenance`` are left out."""
    found: list[str] = []
    with xr.open_datatree(old) as first, xr.open_datatree(new) as second:
        groups = {g for t in (first, second) for g in t.groups if not g.startswith("/provenance")}
        for group in sorted(groups):
            if group not in first.groups or group not in second.groups:
                found.append(f"{group}: only in {'old' if group in first.groups else 'new'}")
                continue
            a, b = first[group].to_dataset(inherit=False), second[group].to_dataset(inherit=False)
            for name in sorted({*map(str, a.variables), *map(str, b.variables)}):
                if name not in a.variables or name not in b.variables:
                    found.append(f"{group}/{name}: only in {'old' if name in a.variables else 'new'}")
                    continue
                x, y = a[name].to_numpy(), b[name].to_numpy()
                if x.dtype == y.dtype and x.shape == y.shape and _same(x, y):
                    continue
                said = f"{group}/{name}: {x.dtype}{x.shape} against {y.dtype}{y.shape}"
                if x.shape == y.shape and x.dtype.kind in "fiu" and y.dtype.kind in "fiu":
                    scale = float(np.nanmax(np.abs(x.astype(float)), initial=0.0)) or 1.0
                    worst = float(np.nanmax(np.abs(x.astype(float) - y.astype(float)), initial=0.0)) / scale
                    nans = int((np.isnan(x.astype(float)) != np.isnan(y.astype(float))).sum())
                    if worst <= close and not nans:
                        continue
                    said += f", largest difference {worst:.2g} of the largest value, {nans} gaps moved"
                found.append(said)
    return found


def _same(x: np.ndarray, y: np.ndarray) -> bool:
    if x.dtype.kind == "f":
        return bool(np.array_equal(x, y, equal_nan=True))
    return bool((x == y).all())


def main() -> int:
    """Compare the two folders of the command line."""
    arguments = sys.argv[1:]
    close = float(arguments[arguments.index("--close") + 1]) if "--close" in arguments else 0.0
    old, new = map(Path, arguments[:2])
    files = sorted(f for f in old.rglob("*.nc") if not any(p.startswith(".") or p == "cache" for p in f.parts))
    bad = 0
    for file in files:
        other = new / file.relative_to(old)
        lines = differences(file, other, close) if other.is_file() else ["missing"]
        bad += bool(lines)
        print(f"{file.relative_to(old)}: {'same' if not lines else ''}")
        for line in lines:
            print(f"  {line}")
    print(f"{len(files) - bad} of {len(files)} files hold the same data")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
