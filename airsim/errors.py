"""Bad input, said once and completely: one `Problem` a finding, one `InputError` a file or scenario."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Lang = Literal["zh", "en"]


@dataclass(frozen=True, order=True)
class Problem:
    """One finding about an input file.

    Parameters
    ----------
    file : str
        The file as the user named it.
    where : str
        Line (``"12"``) of a text file, cell (``"工业源!C12"``) of a workbook; empty: the whole file.
    key : str
        YAML key path or column header.
    value : str
        What was found there.
    allowed, allowed_zh : str
        What is allowed, or what is wrong and how to mend it, in English and in Chinese.
    """

    file: str
    where: str = ""
    key: str = ""
    value: str = ""
    allowed: str = ""
    allowed_zh: str = ""

    def text(self, lang: Lang = "en") -> str:
        """Return the finding as one line in the given language."""
        place = f"{self.file}:{self.where}" if self.where else self.file
        if lang == "zh":
            middle = "，".join(
                s for s in (f"“{self.key}”" if self.key else "", f"值为 {self.value}" if self.value else "") if s
            )
            said = self.allowed_zh or self.allowed
            return f"{place}: {middle}：{said}" if middle else f"{place}: {said}"
        middle = ", ".join(
            s for s in (f"'{self.key}'" if self.key else "", f"value {self.value}" if self.value else "") if s
        )
        return f"{place}: {middle}: {self.allowed}" if middle else f"{place}: {self.allowed}"


class InputError(ValueError):
    """Everything found wrong with the user's input, gathered before anything is computed or written."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems), key=_reading_order)
        super().__init__(self.text())

    def text(self, lang: Lang = "en") -> str:
        """Return all findings, one a line, in reading order."""
        return "\n".join(p.text(lang) for p in self.problems)

    def __reduce__(self) -> tuple[type[InputError], tuple[list[Problem]]]:
        # exceptions are pickled by their args, which here is the text; worker processes need the problems
        return type(self), (self.problems,)


class CannotWrite(InputError):
    """A file of the results cannot be replaced, because another program holds it: the input itself may be sound."""


def _reading_order(p: Problem) -> tuple[str, int, str, str, str]:
    digits = "".join(c for c in p.where.rpartition("!")[2] if c.isdigit())
    return p.file, int(digits) if digits else 0, p.where, p.key, p.value
