"""Credit codes and organisation codes: their check digits, and what is wrong with one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def credit_code_digit(first: str) -> str:
    """Return the check character of a unified social credit code's first 17 characters (GB 32100-2015).

    C18 = 31 - (sum over i of C_i 3^(i-1) mod 31) mod 31, and 0 where that is 31.

    Raises
    ------
    ValueError
        A character outside the set of the standard (I, O, S, V, Z are not in it), or not 17 of them.
    """
    if len(first) != 17:
        raise ValueError(first)
    total = sum(_CHARACTERS.index(c) * w for c, w in zip(first, _WEIGHTS, strict=True))
    return _CHARACTERS[(31 - total % 31) % 31]


def organisation_code_digit(first: str) -> str:
    """Return the check character of an organisation code's first 8 characters (GB 11714-1997).

    Raises
    ------
    ValueError
        A character other than a digit or a capital letter, or not 8 of them.
    """
    if not re.fullmatch(r"[0-9A-Z]{8}", first):
        raise ValueError(first)
    total = sum(int(c, 36) * w for c, w in zip(first, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def code_fault(code: str) -> tuple[str, str] | None:
    """Return what is wrong with a credit code (or an old organisation code) in both languages, None if nothing."""
    bare = code.replace("-", "")
    if len(bare) == 9:
        try:
            good = organisation_code_digit(bare[:8]) == bare[8]
        except ValueError:
            good = False
        return None if good else ("the organisation code fails its check digit", "组织机构代码校验位不符")
    if len(code) != 18:
        return f"must have 18 characters, has {len(code)}", f"应为 18 位，实为 {len(code)} 位"
    bad = sorted({c for c in code if c not in _CHARACTERS})
    if bad:
        return (
            f"holds characters that no code has: {' '.join(bad)}",
            f"含有代码字符集以外的字符：{' '.join(bad)}",
        )
    wanted = credit_code_digit(code[:17])
    if wanted != code[17]:
        return (
            f"fails its check digit (GB 32100-2015); by the first 17 characters it is {wanted}",
            f"校验位不符（GB 32100-2015），按前 17 位应为 {wanted}",
        )
    return None
