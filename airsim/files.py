"""Writing a finished file: whole or not at all, on any path the operating system takes."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from airsim.errors import InputError, Problem

#: What an unfinished file is called until it is renamed: ``.NAME.<random>.part``.
UNFINISHED = ".*.part"


def write_bytes(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that a reader sees the old file or the new one, never half of one.

    Raises
    ------
    InputError
        The folder cannot be written, or the file is held open by another program (Excel on Windows).
    """
    with writing(path) as file:
        file.write(content)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only when it is whole and on the disk.

    Raises
    ------
    InputError
        As `write_bytes`.
    """
    path = Path(path)
    # random, not the process number: two machines may share the folder
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except PermissionError as error:
        raise InputError(
            [
                Problem(
                    str(path),
                    allowed="cannot be written: close the program that has it open, or choose another folder",
                    allowed_zh="无法写入：请关闭正在打开它的程序（如 Excel），或换一个输出文件夹",
                )
            ]
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk as well: a rename alone may be lost in a power cut."""
    if os.name != "posix":
        return  # Windows cannot open a folder; NTFS journals the rename
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
