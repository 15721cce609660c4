"""The folder of a result: its four files, whose they are, and whether a new run may replace them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from airsim.errors import InputError, Problem
from airsim.files import refuse_held

#: What a run leaves in its folder, in the order of writing.
RESULTS = ("result.nc", "report.html", "tables.xlsx", "run.json")
#: The file that stands in the folder only where all of them do, see `airsim.files.together`.
SEAL = RESULTS[-1]
#: How a result is made: by a full run, or by the stored operator.
METHODS = {"full": ("a full run", "完整运行"), "operator": ("the stored operator", "已存算子（--operator）")}


def seen_from(folder: Path, file: str) -> str:
    """Return the path of a scenario file from the folder that holds the folder of its result.

    So scenario and results may move together, and one file has one path wherever the command is given.
    """
    if not file:
        return ""
    path = Path(file).resolve()
    try:
        return Path(os.path.relpath(path, Path(folder).resolve().parent)).as_posix()
    except ValueError:  # another drive of Windows
        return path.as_posix()


def refuse(folder: Path, *, file: str, name: str, method: str, inputs: Iterable[Path], overwrite: bool) -> None:
    """Complain of a folder whose files a run must not, or cannot, replace; nothing is changed.

    Parameters
    ----------
    folder : Path
        Where `RESULTS` are to be written.
    file, name : str
        The scenario's file and name.
    method : {"full", "operator"}
    inputs : iterable of Path
        Every file that the scenario names.
    overwrite : bool
        Replace another scenario's result.

    Raises
    ------
    CannotWrite
        One of the files is held open by another program.
    InputError
        The files would be among the inputs, or replace the result of another scenario.
    """
    targets = [folder / result for result in RESULTS]
    refuse_held(targets)
    problems = []
    read = {path.resolve() for path in inputs}
    overwritten = [t for t in targets if t.resolve() in read]
    # beside the scenario is as good a place as any; among its tables a wildcard would find the results
    among = {path.parent for path in read} - {Path(file).resolve().parent}
    if overwritten:
        said = "is an input of the scenario: choose another --out", "是该情景的输入文件：请用 --out 换一个文件夹"
        problems += [Problem("--out", "", "", str(t), *said) for t in overwritten]
    elif here := [f for f in (folder, folder.parent) if f.resolve() in among]:
        said = (
            "is a folder of the scenario's inputs: choose another --out",
            "是该情景输入文件所在的文件夹：请用 --out 另选",
        )
        problems.append(Problem("--out", "", "", str(here[0]), *said))
    if not overwrite:
        problems += _of_another(folder, file, name, method)
    if problems:
        raise InputError(problems)


def _of_another(folder: Path, file: str, name: str, method: str) -> list[Problem]:
    """Return a problem if the folder holds another scenario's result, or one made in the other way."""
    told = _record(folder)
    if told is None:
        return []
    en, zh = "choose another --out, or give --overwrite", "请用 --out 换一个文件夹，或加 --overwrite"
    there, known = told.get("scenario_path"), str(told.get("scenario_file", ""))
    same = told.get("scenario") == name and (
        (there is not None and there == seen_from(folder, file))
        # a copy of the file elsewhere, or a result that was moved
        or _hash_of_scenario(told) == _hash(file)
    )
    if not same:
        whose = " ".join(filter(None, (str(told.get("scenario", "")), f"({known})" if known else "")))
        said = f"holds the result of another scenario, {whose}: {en}", f"存有另一情景 {whose} 的结果：{zh}"
        return [Problem("--out", "", "", str(folder), *said)]
    made = told.get("method", method)
    if made != method and made in METHODS:
        (old_en, old_zh), (new_en, new_zh) = METHODS[made], METHODS[method]
        said = (
            f"holds the result of {old_en}, not of {new_en}: {en}",
            f"存有{old_zh}的结果，而本次为{new_zh}：{zh}",
        )
        return [Problem("--out", "", "", str(folder), *said)]
    return []


def _record(folder: Path) -> dict[str, Any] | None:
    """Return what ``run.json`` of a folder says; None without a whole result there."""
    try:
        told = json.loads((folder / SEAL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _hash_of_scenario(told: dict[str, Any]) -> str:
    inputs = told.get("inputs")
    found = (i for i in inputs if isinstance(i, dict)) if isinstance(inputs, list) else iter(())
    return next((str(i.get("sha256")) for i in found if i.get("kind") == "scenario"), "none")


def _hash(file: str) -> str:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return ""
