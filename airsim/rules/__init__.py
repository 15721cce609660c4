"""Dated rule files: standards, emergency plans, coal accounting; every value with its source and status.

A rule file is YAML with one entry a version.  A leaf is a mapping with the key ``value``; ``status`` and
``source`` stand beside it or, for a whole block, above it.  Status is one of `STATUSES`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from airsim.errors import InputError, Problem

#: How well a value is known, best first.
STATUSES = ("sourced", "derived", "memory", "estimate")
STATUS_ZH = {"sourced": "有出处", "derived": "推算", "memory": "未经核对", "estimate": "估计"}

_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Basis:
    """Where one value of a rule comes from."""

    key: str
    value: Any
    status: str
    source: str


@dataclass(frozen=True)
class Rule:
    """One version of a rule file.

    Attributes
    ----------
    name, version : str
        Rule file and version id.
    title_en, title_zh : str
        What the version is called.
    start : date
        First day in force.
    end : date or None
        Last day in force, None if still in force.
    status, source : str
        Of the version as a whole; single values may differ (see `basis`).
    values : mapping
        The bare values, nested as in the file.
    basis : tuple of Basis
        Every value with its own status and source.
    digest : str
        SHA-256 of the rule file.
    """

    name: str
    version: str
    title_en: str
    title_zh: str
    start: dt.date
    end: dt.date | None
    status: str
    source: str
    values: Mapping[str, Any]
    basis: tuple[Basis, ...]
    digest: str

    def __getitem__(self, key: str) -> Any:
        """Return the value at a dotted key, such as ``"shares.red.SO2"``."""
        node: Any = self.values
        for step in key.split("."):
            node = node[step]
        return node

    def about(self, prefix: str) -> tuple[Basis, ...]:
        """Return the basis of all values at or under a dotted key."""
        return tuple(b for b in self.basis if b.key == prefix or b.key.startswith(prefix + "."))

    def weakest_status(self, prefix: str = "") -> str:
        """Return the weakest status among the values under a key, for a flag where the user sees it."""
        found = self.about(prefix) if prefix else self.basis
        return max((b.status for b in found), key=STATUSES.index)


def names() -> tuple[str, ...]:
    """Return the names of the rule files."""
    return tuple(sorted(p.stem for p in _FOLDER.glob("*.yaml")))


@cache
def versions(name: str) -> tuple[Rule, ...]:
    """Return all versions of a rule file, oldest first.

    Raises
    ------
    InputError
        There is no rule file of that name.
    """
    from ruamel.yaml import YAML

    if name not in names():
        raise InputError(
            [
                Problem(
                    "airsim/rules",
                    "",
                    "name",
                    name,
                    "must be one of " + ", ".join(names()),
                    "须为以下之一：" + "、".join(names()),
                )
            ]
        )
    raw = (_FOLDER / f"{name}.yaml").read_bytes()
    # line ends differ between checkouts; the digest must not
    digest = hashlib.sha256(raw.replace(b"\r\n", b"\n")).hexdigest()
    tree = YAML(typ="safe", pure=True).load(raw.decode("utf-8"))
    return tuple(sorted((_rule(name, v, digest) for v in tree["versions"]), key=lambda r: r.start))


def load(name: str, *, version: str | None = None, date: dt.date | None = None) -> Rule:
    """Return one version of a rule file.

    Parameters
    ----------
    name : str
        Rule file: air_quality, aqi, emergency, coal, fuels, heating.
    version : str, optional
        Version id, such as "2019" of emergency or "HJ633-2026" of aqi.
    date : date, optional
        The version in force on this day.  With neither version nor date, the newest version.

    Raises
    ------
    InputError
        Unknown version, or no version in force on that day; the message lists the versions.
    """
    all_versions = versions(name)
    if version is not None:
        found = [r for r in all_versions if r.version == str(version)]
        value = str(version)
    elif date is not None:
        day = date.date() if isinstance(date, dt.datetime) else date
        found = [r for r in all_versions if r.start <= day and (r.end is None or day <= r.end)]
        value = day.isoformat()
    else:
        return all_versions[-1]
    if not found:
        listed = "; ".join(f"{r.version} ({r.start} - {r.end or '...'})" for r in all_versions)
        raise InputError(
            [
                Problem(
                    f"airsim/rules/{name}.yaml",
                    "",
                    "version" if version is not None else "date",
                    value,
                    f"no such version; there are {listed}",
                    f"没有该版本；现有 {listed}",
                )
            ]
        )
    return found[-1]


def _rule(name: str, entry: Mapping[str, Any], digest: str) -> Rule:
    status, source = entry["status"], entry["source"]
    return Rule(
        name=name,
        version=str(entry["id"]),
        title_en=entry["title"]["en"],
        title_zh=entry["title"]["zh"],
        start=entry["from"],
        end=entry.get("until"),
        status=status,
        source=source,
        values=_bare(entry["values"]),
        basis=tuple(_leaves(entry["values"], "", status, source)),
        digest=digest,
    )


def _bare(node: Mapping[str, Any]) -> Any:
    if "value" in node:
        return node["value"]
    return {k: _bare(v) for k, v in node.items() if k not in {"status", "source"}}


def _leaves(node: Mapping[str, Any], key: str, status: str, source: str) -> Iterator[Basis]:
    status, source = node.get("status", status), node.get("source", source)
    if status not in STATUSES:
        raise ValueError(f"{key}: status {status!r} is none of {STATUSES}")
    if "value" in node:
        yield Basis(key, node["value"], status, source)
        return
    for k, v in node.items():
        if k not in {"status", "source"}:
            yield from _leaves(v, f"{key}.{k}" if key else str(k), status, source)
