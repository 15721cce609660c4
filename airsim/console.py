"""What the user sees while a run goes on: stage, percent, time left."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Protocol

from airsim.errors import Lang


class Reporter(Protocol):
    """Whoever wants to hear how far a run is."""

    def stage(self, zh: str, en: str, share: float) -> None:
        """Begin a stage that takes about `share` of the whole run [1]."""

    def part(self, fraction: float) -> None:
        """Say which fraction of the stage is done [1]."""


class Silent:
    """Tells nobody; what `airsim.run` uses in Python."""

    def stage(self, zh: str, en: str, share: float) -> None:
        """Do nothing."""

    def part(self, fraction: float) -> None:
        """Do nothing."""


class Progress:
    """A bar on a terminal; one plain line a stage where the output is redirected."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang
        self._done = 0.0
        self._share = 0.0
        self._start = time.monotonic()
        self._bar: Any = None
        self._task: Any = None
        self.stages: list[tuple[str, float]] = []

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            left = "剩余" if self._lang == "zh" else "left"
            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn(left),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=1.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def stage(self, zh: str, en: str, share: float) -> None:
        """Begin a stage that takes about `share` of the whole run [1]."""
        self._done += self._share
        self._share = share
        name = zh if self._lang == "zh" else en
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, description=name)
            return
        elapsed = time.monotonic() - self._start
        percent = f"{100 * self._done:3.0f}%"
        # the first stages are too short to say anything about the rest
        left = elapsed * (1 - self._done) / self._done if self._done > 0.05 else None
        tail = ""
        if left is not None:
            tail = f"，剩余约 {left:.0f} 秒" if self._lang == "zh" else f", about {left:.0f} s left"
        sys.stderr.write(f"[{percent}] {name}{tail}\n")
        sys.stderr.flush()

    def part(self, fraction: float) -> None:
        """Say which fraction of the stage is done [1]."""
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done + self._share * fraction)


class Timed:
    """Passes the stages on to another reporter and notes how long each took.

    Attributes
    ----------
    seconds : dict
        Stage in English -> [s].
    """

    def __init__(self, listener: Reporter) -> None:
        self._listener = listener
        self._stage, self._begin = "start", time.perf_counter()
        self.seconds: dict[str, float] = {}

    def stage(self, zh: str, en: str, share: float) -> None:
        """Begin a stage that takes about `share` of the run [1]."""
        now = time.perf_counter()
        self.seconds[self._stage] = round(now - self._begin, 3)
        self._stage, self._begin = en, now
        self._listener.stage(zh, en, share)

    def part(self, fraction: float) -> None:
        """Say which fraction of the stage is done [1]."""
        self._listener.part(fraction)
