"""Writing finished files, one or a set: whole or not at all, on any path the operating system takes."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from airsim.errors import CannotWrite, InputError, Problem

_OF_FILES = {".nc", ".html", ".htm", ".xlsx", ".xls", ".csv", ".json", ".yaml", ".yml", ".pdf", ".docx", ".zip", ".txt"}
#: What an unfinished file is called until it is renamed: ``.NAME.<random>.part``.
UNFINISHED = ".*.part"


def write_bytes(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that a reader sees the old file or the new one, never half of one.

    Raises
    ------
    CannotWrite
        The folder cannot be written, or the file is held open by another program (Excel on Windows).
    """
    with writing(path) as file:
        file.write(content)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only when it is whole and on the disk.

    Raises
    ------
    CannotWrite
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
        raise CannotWrite([_held(path)]) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def together(folder: Path, seal: str = "") -> Iterator[Path]:
    """Write the files of a folder as one set: all of them take their place there, or none does.

    Other files of the folder stay as they are.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    seal : str
        The file that leaves its place first and takes it last: where it stands, the set is whole, whatever stopped
        the machine.

    Yields
    ------
    Path
        A temporary folder beside it, not yet made, for the files. They move when the block ends without an exception.

    Raises
    ------
    CannotWrite
        One of the old files cannot be replaced: all of them are back in their place.
    """
    place = Path(folder).resolve()  # a link to another disk: files are renamed on that disk alone
    stage = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    before = stage / "before"
    try:
        yield stage
        if stage.exists():
            _swap(stage, before, place, seal)
            _sync_folder(place)
            shutil.rmtree(before, ignore_errors=True)
    finally:
        # old files that could not be put back are not thrown away
        if not before.exists() or not any(before.iterdir()):
            shutil.rmtree(stage, ignore_errors=True)


def _swap(stage: Path, before: Path, place: Path, seal: str) -> None:
    """Move a set of files from `stage` to `place`, and those of the same names from there to `before`."""
    names = sorted((p.name for p in stage.iterdir()), key=lambda name: name == seal)
    aside: list[str] = []
    moved: list[str] = []
    name = ""
    try:
        before.mkdir()
        place.mkdir(parents=True, exist_ok=True)
        for name in reversed(names):
            if (place / name).exists():
                (place / name).replace(before / name)
                aside.append(name)
        for name in names:
            (stage / name).replace(place / name)
            moved.append(name)
    except BaseException as error:
        for back in moved:
            (place / back).unlink(missing_ok=True)
        for back in reversed(aside):
            (before / back).replace(place / back)
        if isinstance(error, PermissionError):
            raise CannotWrite([_held(place / name)]) from error
        raise


def refuse_held(paths: Iterable[Path]) -> None:
    """Complain of files that cannot be replaced, before anything is computed for them.

    Raises
    ------
    CannotWrite
        Another program holds one open, or a folder has its name.
    """
    problems = []
    for path in paths:
        if path.is_dir():
            said = "is a folder: choose another place for the results", "是文件夹：请换一个输出位置"
            problems.append(Problem(str(path), "", "", "", *said))
        elif path.exists():
            try:
                # to its own name: changes nothing, and is refused where a real rename would be
                path.replace(path)
            except PermissionError:
                problems.append(_held(path))
    if problems:
        raise CannotWrite(problems)


def refuse_target(path: Path | None, endings: tuple[str, ...], inputs: Iterable[Path | None], option: str) -> None:
    """Complain of a file to be written that has another ending than can be written, or that is one of the inputs.

    Parameters
    ----------
    path : Path or None
        None: nothing is written.
    endings : tuple of str
        Such as ``(".xlsx", ".csv")``.
    inputs : iterable of Path or None
        What the command reads.
    option : str
        Name of the option, such as ``--out``.

    Raises
    ------
    InputError
        Either.
    """
    if path is None:
        return
    said = None
    if path.suffix.lower() not in endings:
        listed = ", ".join(endings)
        said = f"must end in {listed}: nothing else can be written", f"须以 {listed} 结尾：不能写出其他格式"
    elif path.resolve() in {p.resolve() for p in inputs if p is not None}:
        said = "is an input: name another file", "是输入文件：请换一个文件名"
    if said is not None:
        raise InputError([Problem(option, "", "", str(path), *said)])


def refuse_folder(path: Path, option: str = "--out") -> None:
    """Complain of a folder for results that is called like a file: a file was meant.

    Raises
    ------
    InputError
        Such as ``result.nc``.
    """
    if path.suffix.lower() in _OF_FILES and not path.is_dir():
        said = "is a folder's name here: several files are written into it", "此处须为文件夹名：将写出多个文件"
        raise InputError([Problem(option, "", "", str(path), *said)])


def _held(path: Path) -> Problem:
    return Problem(
        str(path),
        allowed="cannot be written: close the program that has it open, or choose another folder",
        allowed_zh="无法写入：请关闭正在打开它的程序（如 Excel），或换一个输出文件夹",
    )


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
