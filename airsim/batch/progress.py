"""What the user sees while a batch goes on: a line for each running scenario, and the whole with the time left."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from airsim.errors import Lang


class ProgressDisplay:
    """Bars on a terminal; one plain line a scenario where the output is redirected.

    Parameters
    ----------
    lang : {"zh", "en"}
    total : int
        Scenarios of the batch.
    done : int
        Those that were done before.
    """

    def __init__(self, lang: Lang, total: int, done: int) -> None:
        self._zh = lang == "zh"
        self._total, self._done, self._before = total, done, done
        self._begin = time.monotonic()
        self._bars: Any = None
        self._whole: Any = None
        self._tasks: dict[str, Any] = {}
        self._parts: dict[str, float] = {}

    def __enter__(self) -> ProgressDisplay:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[said]}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._bars.start()
            self._whole = self._bars.add_task("全部" if self._zh else "all", total=1.0, said="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def say(self, zh: str, en: str) -> None:
        """Print a line above the bars."""
        text = zh if self._zh else en
        if self._bars is not None:
            self._bars.console.print(text, markup=False, highlight=False)
        else:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def begin(self, name: str) -> None:
        """Show that a scenario has been sent to a worker."""
        self._parts[name] = 0.0
        if self._bars is not None:
            self._tasks[name] = self._bars.add_task(name, total=1.0, said="")
        else:
            self.say(f"开始 {name}", f"begin {name}")

    def part(self, name: str, stage: str, fraction: float) -> None:
        """Show how far a running scenario is."""
        if name not in self._parts:
            return
        self._parts[name] = min(fraction, 1.0)
        if self._bars is not None:
            self._bars.update(self._tasks[name], completed=fraction, said=stage)
            self._show_whole()

    def drop(self, name: str) -> None:
        """Take away a scenario that has to begin again."""
        self._parts.pop(name, None)
        if self._bars is not None and name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))

    def end(self, name: str, status: str, seconds: float | None, message: str, count: int = 1) -> None:
        """Show that a scenario has ended, or so many at once."""
        self.drop(name)
        self._done += count
        took = f" ({seconds:.0f} s)" if seconds is not None else ""
        left = self._left()
        words = {"done": ("完成", "done"), "failed": ("失败", "FAILED")}[status]
        tail_zh, tail_en = (f"，剩余约 {left}", f", about {left} left") if left else ("", "")
        head = f"[{self._done}/{self._total}]"
        said = f": {message}" if message else ""
        self.say(f"{head} {words[0]} {name}{took}{said}{tail_zh}", f"{head} {words[1]} {name}{took}{said}{tail_en}")
        self._show_whole()

    def _fraction(self) -> float:
        """Return how much of what this start of the batch has to do is done [1]."""
        work = self._total - self._before
        return (self._done - self._before + sum(self._parts.values())) / work if work else 1.0

    def _left(self) -> str:
        fraction = self._fraction()
        if not 0 < fraction < 1:
            return ""
        seconds = (time.monotonic() - self._begin) * (1 - fraction) / fraction
        if seconds < 90:
            return f"{seconds:.0f} 秒" if self._zh else f"{seconds:.0f} s"
        if seconds < 5400:
            return f"{seconds / 60:.0f} 分钟" if self._zh else f"{seconds / 60:.0f} min"
        return f"{seconds / 3600:.1f} 小时" if self._zh else f"{seconds / 3600:.1f} h"

    def _show_whole(self) -> None:
        if self._bars is not None:
            count, left = f"{self._done}/{self._total}", self._left()
            said = f"{count}，剩余约 {left}" if self._zh else f"{count}, about {left} left"
            self._bars.update(self._whole, completed=self._fraction(), said=said if left else count)
