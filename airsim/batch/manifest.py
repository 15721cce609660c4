"""What a batch has done: a journal that survives kill -9, a full disk and a power cut, and the lock on the folder."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from airsim.errors import InputError, Problem
from airsim.files import write_bytes

Record = dict[str, Any]


class Manifest:
    """One line of JSON for each finished or failed scenario, the last one of a name counts.

    A line is added, then brought to the disk; a line cut short by whatever ended the last batch is passed over.

    Parameters
    ----------
    folder : Path
        The folder of the batch.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "manifest.jsonl"
        self.records: dict[str, Record] = {}
        with contextlib.suppress(FileNotFoundError):
            for line in self._path.read_bytes().splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    record = json.loads(line)
                    self.records[record["name"]] = record
            # without the torn line, and without those that later ones replace
            write_bytes(self._path, _lines(self.records.values()))

    def finished(self, name: str, identity: str) -> Record | None:
        """Return the record of a scenario that was done with this identity and whose files stand, else None."""
        record = self.records.get(name)
        if record is None or record.get("status") != "done" or record.get("identity") != identity:
            return None
        for file, size in record.get("files", {}).items():
            try:
                if (self._folder / file).stat().st_size != size:
                    return None
            except OSError:
                return None
        return record

    def add(self, records: Iterable[Record]) -> None:
        """Add records, on the disk when this returns.

        Raises
        ------
        OSError
            They cannot be written; what was there stays as it was.
        """
        records = list(records)
        with self._path.open("ab") as file:
            before = file.tell()
            try:
                file.write(_lines(records))
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    os.truncate(self._path, before)
                raise
        for record in records:
            self.records[record["name"]] = record


def _lines(records: Iterable[Record]) -> bytes:
    return b"".join(json.dumps(r, ensure_ascii=False).encode() + b"\n" for r in records)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for one batch; the operating system lets go of it however the batch ends.

    Raises
    ------
    InputError
        Another batch works there.
    """
    path = folder / "batch.lock"
    file = path.open("a+b")
    try:
        if not _take(file):
            file.seek(1)
            said = file.read().decode("utf-8", "replace").strip() or "?"
            raise InputError(
                [
                    Problem(
                        str(folder), "", "", "",
                        f"another batch works in this folder ({said}): wait until it ends, or give another --out",
                        f"另一个批处理正在使用该文件夹（{said}）：请等待其结束，或用 --out 换一个文件夹",
                    )
                ]
            )  # fmt: skip
        file.truncate(0)
        since = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        # the first byte is what Windows locks: others cannot read it
        file.write(f" process {os.getpid()} on {platform.node()} since {since}".encode())
        file.flush()
        yield
    finally:
        _release(file)
        file.close()


def _take(file: BinaryIO) -> bool:
    """Lock a file without waiting; False if another process holds it."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _release(file: BinaryIO) -> None:
    with contextlib.suppress(OSError):
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_UN)
