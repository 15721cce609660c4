"""The rule of an emergency plan: a dated one that comes along, or a file of its own."""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airsim import rules
from airsim.emergency.wording import LEVELS
from airsim.errors import InputError, Problem
from airsim.rules import Basis, Rule

if TYPE_CHECKING:
    pass


def plan_rule(plan: Rule | str | Path | dt.date | None = None) -> Rule:
    """Return the emergency plan: a rule as it is, a version id, a plan file, a day, or the newest if None.

    A plan file (.yaml) changes single values of a shipped version, as local plans do::

        based_on: "2019"
        title: {zh: 某市重污染天气应急预案, en: Plan of the city}
        source: 某政办发〔2024〕1号
        values:
          shares: {orange: {VOC: 0.15}}

    Raises
    ------
    InputError
        No such version, no version in force on that day, or a plan file that changes what there is not.
    """
    if isinstance(plan, Rule):
        return plan
    if isinstance(plan, dt.date):
        return rules.load("emergency", date=plan)
    if plan is not None and str(plan).lower().endswith((".yaml", ".yml")):
        return plan_file(Path(plan))
    return rules.load("emergency", version=None if plan is None else str(plan))


def plan_file(path: Path) -> Rule:
    """Read a plan file; see `plan_rule`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    def refuse(key: str, value: object, said: str, said_zh: str) -> InputError:
        return InputError([Problem(str(path), "", key, str(value), said, said_zh)])

    if not path.is_file():
        raise refuse("", "", "file not found", "文件不存在")
    raw = path.read_bytes()
    try:
        tree = YAML(typ="safe", pure=True).load(raw.decode("utf-8-sig"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise refuse("", "", f"no YAML in UTF-8 ({error})".split("\n")[0], "不是 UTF-8 编码的 YAML") from error
    keys = {"based_on", "title", "source", "values"}
    if not isinstance(tree, dict) or not {"based_on", "values"} <= set(tree) <= keys:
        raise refuse(
            "", "", "needs based_on and values; may have title and source", "须有 based_on、values，可有 title、source"
        )
    base = rules.load("emergency", version=str(tree["based_on"]))
    source = str(tree.get("source") or path.name)
    values = copy.deepcopy(dict(base.values))
    basis = {b.key: b for b in base.basis}
    problems: list[Problem] = []

    def put(node: dict[str, Any], said: Any, prefix: str) -> None:
        for key, value in said.items() if isinstance(said, dict) else ():
            name = f"{prefix}{key}"
            if key not in node:
                allowed = ", ".join(node)
                problems.append(
                    Problem(
                        str(path),
                        "",
                        name,
                        str(value),
                        f"no such value; there are {allowed}",
                        f"没有该项；现有 {allowed}",
                    )
                )
            elif isinstance(node[key], dict) and name not in basis:
                put(node[key], value, f"{name}.")
            elif isinstance(value, type(node[key])) or (
                isinstance(value, int | float) and isinstance(node[key], int | float)
            ):
                node[key] = value
                basis[name] = Basis(name, value, "sourced", source)
            else:
                kind = type(node[key]).__name__
                problems.append(Problem(str(path), "", name, str(value), f"must be of the kind {kind}", "数据类型不符"))

    put(values, tree["values"], "")
    for key in ("shares", "joint"):
        for level in LEVELS:
            held = values[key][level]
            for name, share in held.items() if isinstance(held, dict) else ((level, held),):
                most = 1.0 if key == "shares" else 2.0
                if not 0 <= share <= most:
                    problems.append(
                        Problem(
                            str(path),
                            "",
                            f"{key}.{level}.{name}",
                            f"{share:g}",
                            f"must be a share from 0 to {most:g}",
                            f"须为 0 至 {most:g} 的比例",
                        )
                    )
    if problems:
        raise InputError(problems)
    title = tree.get("title") or {}
    return replace(
        base,
        version=path.stem,
        title_zh=str(title.get("zh", path.stem)),
        title_en=str(title.get("en", path.stem)),
        source=source,
        values=values,
        basis=tuple(basis.values()),
        digest=hashlib.sha256(base.digest.encode() + raw.replace(b"\r\n", b"\n")).hexdigest(),
    )
