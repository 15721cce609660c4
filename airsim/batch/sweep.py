"""Scenario files and their ``sweep:`` blocks as single scenarios, each with a name and its place in the sweep."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airsim import scenario as scenarios
from airsim.errors import InputError, Problem
from airsim.scenario import Scenario, Sweep

#: A batch of more is surely a mistake in a cartesian product.
MOST = 100_000
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True)
class Member:
    """One scenario of a batch.

    Attributes
    ----------
    scenario : Scenario
    coordinates : dict
        Swept key -> value; empty for a file without a sweep.
    """

    scenario: Scenario
    coordinates: Mapping[str, Any] = field(default_factory=dict)


def members(path: Path) -> list[Member]:
    """Return the scenarios of a file: one, or those of its sweep, named ``NAME-0001``...

    Parameters
    ----------
    path : Path
        Scenario file.

    Returns
    -------
    list of Member

    Raises
    ------
    InputError
        As `airsim.load`; a key of the sweep that is not there, a value that its key does not take.
    """
    path = Path(path)
    tree = scenarios.parse(path)
    plain = scenarios.plain_tree(tree, str(path))
    scenario = scenarios.of_tree(tree, path, plain)
    if scenario.sweep is None:
        return [Member(scenario)]
    return _Expansion(path, tree, plain, scenario.sweep).members()


class _Expansion:
    """The sweep of one file."""

    def __init__(self, path: Path, tree: Any, plain: dict[str, Any], sweep: Sweep) -> None:
        self._path, self._tree, self._sweep = path, tree, sweep
        self._plain = {k: v for k, v in plain.items() if k != "sweep"}
        self._block = "ranges" if sweep.ranges else "values"
        self._keys = list(sweep.ranges or sweep.values)
        self._problems: list[Problem] = []
        self._steps = {key: self._parsed(key) for key in self._keys}
        if self._problems:
            raise InputError(self._problems)

    def members(self) -> list[Member]:
        points = self._points()
        width = max(4, len(str(len(points))))
        made = []
        for number, point in enumerate(points, start=1):
            plain = self._varied(point)
            plain["name"] = f"{self._plain['name']}-{number:0{width}d}"
            try:
                made.append(Member(scenarios.of_tree(self._tree, self._path, plain), point))
            except InputError as error:
                self._problems += [self._said_of_sweep(p) for p in error.problems]
        if self._problems:
            raise InputError(self._problems)
        return made

    def _points(self) -> list[dict[str, Any]]:
        sweep = self._sweep
        if sweep.method == "listed":
            rows: Sequence[tuple[Any, ...]] = list(zip(*sweep.values.values(), strict=True))
        elif sweep.method == "cartesian":
            count = 1
            for values in sweep.values.values():
                count *= len(values)
            if count > MOST:
                raise InputError([self._problem("", str(count), f"at most {MOST} scenarios", f"至多 {MOST} 个情景")])
            rows = list(itertools.product(*sweep.values.values()))
        else:
            rows = self._sampled()
        return [dict(zip(self._keys, row, strict=True)) for row in rows]

    def _sampled(self) -> list[tuple[float, ...]]:
        import warnings

        from scipy.stats import qmc

        sweep = self._sweep
        count = sweep.samples or 0
        ranges = [sweep.ranges[k] for k in self._keys]
        low, high = ([float(r[i]) for r in ranges] for i in (0, 1))
        sampler = qmc.Sobol if sweep.method == "sobol" else qmc.LatinHypercube
        with warnings.catch_warnings():
            # scipy warns where the number is no power of two; the file's documentation says so
            warnings.simplefilter("ignore", UserWarning)
            unit = sampler(len(ranges), rng=sweep.seed).random(count)
        values = qmc.scale(unit, low, high)
        whole = [self._whole(k, a, b) for k, (a, b) in zip(self._keys, ranges, strict=True)]
        return [tuple(round(v) if w else float(v) for v, w in zip(row, whole, strict=True)) for row in values.tolist()]

    def _whole(self, key: str, low: float, high: float) -> bool:
        """Return whether a key takes whole numbers only: try one that is none."""
        middle = 0.5 * (low + high)
        trial = middle if middle != round(middle) else 0.5 * (low + middle)
        if trial == round(trial):
            trial += 0.25
        try:
            scenarios.of_tree(self._tree, self._path, self._varied({key: trial}))
        except InputError as error:
            return any("whole number" in p.allowed and _same(p.key, key) for p in error.problems)
        return False

    def _varied(self, point: Mapping[str, Any]) -> dict[str, Any]:
        plain = copy.deepcopy(self._plain)
        for key, value in point.items():
            *way, last = self._steps[key]
            node: Any = plain
            for step in way:
                if isinstance(node, dict) and step not in node:
                    node[step] = {}  # a block that the file leaves to its defaults
                node = node[step]
            node[last] = value
        return plain

    def _parsed(self, key: str) -> list[str | int]:
        """Return the steps of a key; list entries count from 1 as in the messages."""
        steps: list[str | int] = []
        node: Any = self._plain
        words = [m.group(1) or m.group(2) for m in _STEP.finditer(key)]
        for i, word in enumerate(words):
            last = i == len(words) - 1
            if isinstance(node, list):
                if not word.isdigit() or not 1 <= int(word) <= len(node):
                    allowed = f"entry 1 to {len(node)}"
                    self._problems.append(self._problem(key, word, allowed, f"须为第 1 至 {len(node)} 项"))
                    return []
                steps.append(int(word) - 1)
                node = node[int(word) - 1]
            elif isinstance(node, dict):
                steps.append(word)
                node = node.get(word, None if last else {})
            else:
                self._problems.append(self._problem(key, word, "there is no such key", "没有该键"))
                return []
        if not words or words[0] in {"name", "sweep"}:
            self._problems.append(self._problem(key, "", "this key cannot be swept", "该键不能扫描"))
        return steps

    def _problem(self, key: str, value: str, en: str, zh: str) -> Problem:
        at: list[str | int] = ["sweep", self._block, *([key] if key else [])]
        line, name = scenarios.locate(self._tree, at)
        return Problem(str(self._path), line, name, value, en, zh)

    def _said_of_sweep(self, problem: Problem) -> Problem:
        """Point to the sweep's line where a swept value is wrong, not to the value it replaces."""
        for key in self._keys:
            if _same(problem.key, key):
                return self._problem(key, problem.value, problem.allowed, problem.allowed_zh)
        return problem


def _same(a: str, b: str) -> bool:
    return _STEP.findall(a.replace("[", ".").replace("]", "")) == _STEP.findall(b.replace("[", ".").replace("]", ""))
