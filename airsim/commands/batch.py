"""`airsim batch`: many scenarios, summed up in one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airsim.errors import Lang


def batch(scenarios: Sequence[Path], out: Path, lang: Lang, **asked: Any) -> tuple[list[str], bool]:
    """Run many scenario files; return what is printed, and whether every scenario is done.

    Arguments as for `airsim.batch.run`.
    """
    from airsim.batch import run

    ended = run(scenarios, out, lang=lang, **asked)
    return ended.lines(lang), not ended.interrupted and ended.count("done") == len(ended.records)
