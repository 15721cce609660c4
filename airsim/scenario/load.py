"""From a scenario file to a checked scenario."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from airsim import shipped
from airsim.errors import InputError, Problem
from airsim.scenario.files import matches, named, resolve
from airsim.scenario.kinds import show, to_utc
from airsim.scenario.model import Scenario
from airsim.scenario.tree import lines, locate, parse, plain_tree
from airsim.scenario.words import EMPTY, SAID, problems_of


def load(path: str | Path) -> Scenario:
    """Read and check a scenario file.

    Parameters
    ----------
    path : path
        YAML 1.2, UTF-8.

    Returns
    -------
    Scenario

    Raises
    ------
    InputError
        Everything that is wrong with the file and the paths in it, each with its line.
    """
    path = Path(path)
    tree = parse(path)
    return of_tree(tree, path, plain_tree(tree, str(path)))


def of_tree(tree: Mapping[str, Any], path: Path, plain: Any) -> Scenario:
    """Check what a file holds; `plain` is its tree in JSON types, with other values where a sweep puts them.

    Raises
    ------
    InputError
        As `load`; lines are those of `tree`.
    """
    file = str(path)
    problems = [Problem(file, *locate(tree, [key]), "", *EMPTY) for key in _BLOCKS if key in tree and tree[key] is None]
    missing = _missing(file, tree, plain)
    try:
        scenario = Scenario.model_validate_json(json.dumps(plain, ensure_ascii=False))
    except ValidationError as error:
        problems += problems_of(file, tree, error.errors(include_url=False))
        told = {p.key for p in problems}
        raise InputError([*problems, *(p for p in missing if p.key not in told)]) from None
    scenario._file = file
    scenario._lines = lines(tree)
    problems += [*missing, *_idle(scenario, tree)]
    if problems:
        raise InputError(problems)
    return scenario


#: Blocks that nothing stands in for where they are left out; without a value they would be left out unseen.
_BLOCKS = ("coal", "near_field", "optimise", "joint_control", "sweep")


def _missing(file: str, tree: Any, plain: Any) -> list[Problem]:
    """Return a problem for each name of a file that nothing answers to; the rest of the tree may be wrong."""
    problems = []
    for key, about, given in named(Scenario, plain):
        path = resolve(given, file)
        try:
            there = bool(matches(path)) if about.wildcard else path.is_file()
            folder = path.is_dir()
        except (OSError, ValueError):  # no text of a path: too long, a zero byte
            there = folder = False
        if there:
            continue
        en, zh = ("no such file", "没有匹配的文件") if about.wildcard else ("file not found", "文件不存在")
        if folder:
            en, zh = "is a folder; name a file", "是文件夹，须为文件"
        elif given.startswith("shipped:") and path.name:
            near = sorted(p for p in shipped.path("data").rglob(path.name) if p.is_file())
            if near:
                meant = "shipped:" + near[0].relative_to(shipped.path("data")).as_posix()
                en, zh = f"{en}; did you mean {meant}?", f"{zh}；是否应为 {meant}？"
        problems.append(Problem(file, *locate(tree, key), given, en, zh))
    return problems


def _idle(scenario: Scenario, tree: Any) -> list[Problem]:
    """Return a problem for each window of a measure that holds no hour of the period."""
    first, last = scenario.period.start, scenario.period.end
    return [
        Problem(
            scenario.file,
            *locate(tree, key),
            f"{show(start)} - {show(end)}",
            f"acts in no hour of the period {show(first)} - {show(last)} (Beijing time)",
            f"在 period {show(first)} - {show(last)}（北京时间）内不起作用",
        )
        for key, start, end in scenario.windows()
        if end <= first or last <= start
    ]


def window(text: tuple[str, str]) -> tuple[dt.datetime, dt.datetime]:
    """Read a window given on the command line: two ISO times, Beijing unless zoned.

    Raises
    ------
    InputError
        Not a time, not a full hour, or the end is not after the start.
    """
    found: list[dt.datetime] = []
    problems = []
    for value in text:
        try:
            found.append(to_utc(dt.datetime.fromisoformat(value)))
        except (ValueError, PydanticCustomError):
            en, zh = SAID["datetime_type"]
            problems.append(Problem("--window", "", "", value, f"{en}, on the full hour", f"{zh}，且为整点"))
    if not problems and found[1] <= found[0]:
        problems.append(Problem("--window", "", "", text[1], "must be after the start", "须晚于起始时间"))
    if problems:
        raise InputError(problems)
    return found[0], found[1]
