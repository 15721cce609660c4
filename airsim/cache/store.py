"""The one store of what is dear to make: arrays under a key made of content, each with a checksum."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from airsim.errors import InputError
from airsim.files import writing

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[Any]


@dataclass(frozen=True)
class Kept:
    """What was read back: arrays by name, and what was said about them."""

    arrays: dict[str, Array]
    about: dict[str, Any]


class Store:
    """Keeps arrays in a folder, a file for each kind and key.

    What is read back is what was put there: a file that is damaged, cut short or of another key counts as none, so its
    maker makes it again. A folder that cannot be written (full disk, no permission) stops nothing.

    Parameters
    ----------
    folder : Path
        Made when something is first kept; may be emptied at any time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)

    def path(self, kind: str, key: str) -> Path:
        """Return where something of this kind and key is kept."""
        return self._folder / f"{kind}-{key[:24]}.npz"

    def holds(self, kind: str) -> bool:
        """Return whether anything of this kind is kept."""
        return any(self._folder.glob(f"{kind}-*.npz"))

    def keep(self, kind: str, key: str, arrays: Mapping[str, Any], about: Mapping[str, Any] | None = None) -> bool:
        """Keep arrays, whole or not at all; return whether that was possible.

        Parameters
        ----------
        kind : str
            Such as ``operator``.
        key : str
            Hash of everything that the arrays follow from.
        arrays : mapping
            Name -> array of numbers, times or text.
        about : mapping, optional
            Whatever else there is to say, in values that JSON can hold.
        """
        held = {name: np.asarray(values) for name, values in arrays.items()}
        sums = {name: _checksum(values) for name, values in held.items()}
        try:
            said = json.dumps({"key": key, "sums": sums, "about": dict(about or {})}, ensure_ascii=False).encode()
            members = {f"{i:03d}": values for i, values in enumerate(held.values())}
            with writing(self.path(kind, key)) as file:
                head = np.frombuffer(said + hashlib.sha256(said).digest(), np.uint8)
                np.savez(file, head=head, allow_pickle=False, **members)
        except (OSError, InputError, TypeError, ValueError):
            # the folder cannot be written, or JSON cannot hold what is said exactly: the next one makes it again
            return False
        return True

    def get(self, kind: str, key: str) -> Kept | None:
        """Return what is kept under a key; None if there is nothing, or nothing whole."""
        # a damaged file may raise almost anything, from the zip, the array's header or the text in it
        # (NumPy leaves a file open that it opened itself and found to be no zip)
        with contextlib.suppress(Exception), self.path(kind, key).open("rb") as opened, np.load(opened) as file:
            head = file["head"].tobytes()
            said = head[:-32]
            if hashlib.sha256(said).digest() != head[-32:]:
                return None
            told = json.loads(said)
            if told["key"] != key:
                return None
            arrays = {name: file[f"{i:03d}"] for i, name in enumerate(told["sums"])}
            if all(_checksum(values) == told["sums"][name] for name, values in arrays.items()):
                return Kept(arrays, told["about"])
        return None

    def keep_dataset(self, kind: str, key: str, dataset: xr.Dataset) -> bool:
        """Keep a dataset with its attributes; see `keep`."""
        variables = {
            str(n): {"dims": list(v.dims), "attrs": dict(v.attrs), "coordinate": n in dataset.coords}
            for n, v in dataset.variables.items()
        }
        arrays = {str(n): v.to_numpy() for n, v in dataset.variables.items()}
        return self.keep(kind, key, arrays, {"attrs": dict(dataset.attrs), "variables": variables})

    def dataset(self, kind: str, key: str) -> xr.Dataset | None:
        """Return a dataset that `keep_dataset` put there; None if there is none, or none that is whole."""
        import xarray as xr

        found = self.get(kind, key)
        if found is None:
            return None
        told = found.about["variables"]
        made = {n: xr.Variable(tuple(v["dims"]), found.arrays[n], v["attrs"]) for n, v in told.items()}
        coordinates = {n for n, v in told.items() if v["coordinate"]}
        return xr.Dataset(
            {n: v for n, v in made.items() if n not in coordinates},
            {n: v for n, v in made.items() if n in coordinates},
            found.about["attrs"],
        )


def _checksum(values: Array) -> str:
    found = hashlib.blake2b(f"{values.shape}{values.dtype}".encode(), digest_size=16)
    found.update(np.ascontiguousarray(values).view(np.uint8).data if values.size else b"")
    return found.hexdigest()
