"""Writing a finished file: whole or not at all, on any path the operating system takes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from airsim.errors import InputError, Problem


def write_bytes(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that a reader sees the old file or the new one, never half of one.

    Raises
    ------
    InputError
        The folder cannot be written, or the file is held open by another program (Excel on Windows).
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
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
