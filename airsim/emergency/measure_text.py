"""The Chinese wording of a measure turned into what stops and how much; what is not understood stays so.

Only whole sentences are read: a clause outside the grammar makes the cell "not understood", which the reader
lists with its cell.  A percentage counted by line is rounded up to whole lines (停产50%以上，以生产线计: of three
lines two stop).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九十")} | {"两": 2}
_NUMBER = r"(\d+(?:\.\d+)?)"
_COUNT = r"(\d+|[一二两三四五六七八九十])"
_UNIT = r"(?:条|座|台|套|组|个)"
_BY_LINE = r"[,，、;；]?(?:以|按)(?:生产线|高炉|焦炉|炉|窑|装置|设备|工序|台套)(?:数量?)?计(?:算)?"
_NOTHING = re.compile(
    r"(?:|无|不停产|不限产|自主减排|自主采取减排措施|不采取(?:停限产|减排)?措施|正常生产|维持正常生产|以热定产|保障民生供[热暖电])"
)
_STOP = re.compile(r"(?:全厂|全部|全面|所有|全部生产线|所有生产线|生产线)?(?:停产|停止生产|停工|停止施工|停止作业)")
_STOP_SHARE = re.compile(rf"停产{_NUMBER}%(?:\(含\))?(?:及?以上)?({_BY_LINE})?")
_STOP_COUNT = re.compile(
    rf"(?:停产|停运|停)(?:{_COUNT}{_UNIT}(?:生产线|高炉|焦炉|窑|炉|装置|机组)?|(?:生产线|高炉|窑炉?){_COUNT}{_UNIT})"
)
_LIMIT_BY = re.compile(
    rf"(?:限产|(?:降低|压减|减少)(?:生产)?(?:负荷|产量|产能|投料量))(?:比例)?(?:不低于)?{_NUMBER}%(?:\(含\))?(?:及?以上)?({_BY_LINE})?"
)
_LIMIT_TO = re.compile(rf"(?:限产|(?:生产)?负荷(?:降低|降|压减))(?:至|到){_NUMBER}%")
_FEED = re.compile(
    rf"(?:日)?投料量?由{_NUMBER}吨(?:/天|/日)?(?:降低|降|减少)(?:到|至){_NUMBER}吨(?:/天|/日)?(?:及以下)?"
)
#: Clauses about lorries and records change no production; they may stand beside a measure.
_ASIDE = re.compile(
    r"(?:禁止|减少|停止)(?:使用)?(?:国[一二三四五IV]+及?以下)?(?:重型)?(?:载货)?(?:车辆)?(?:公路|物料|货物)?运输"
    r"|(?:厂区|道路)?增加(?:洒水|清扫)频次"
)


@dataclass(frozen=True)
class MeasureText:
    """What one cell asks for.

    Attributes
    ----------
    understood : bool
        False if any clause lies outside the grammar; then the rest says nothing.
    share : float
        Share of the unit's emission that goes [1], before whole lines are counted.
    lines : int or None
        Number of lines that stop, where the text gives a number.
    by_line : bool
        The share is counted by whole lines, rounded up.
    """

    understood: bool
    share: float = 0.0
    lines: int | None = None
    by_line: bool = False


def parse(text: str) -> MeasureText:
    """Read the text of one measure cell.

    Parameters
    ----------
    text : str
        Such as ``"停产50%（含）以上，以生产线计"``, ``"限产30%"``, ``"投料量由960吨降低到768吨"``.

    Returns
    -------
    MeasureText
        ``understood`` is False for anything the grammar does not cover as a whole.
    """
    flat = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).rstrip(".。;；")
    if _NOTHING.fullmatch(flat):
        return MeasureText(True)
    # a sentence as a whole first: its own comma may belong to it (…以上,以生产线计)
    whole = _clause(flat)
    if whole is not None:
        return whole
    clauses = [c for c in re.split(r"[;；。]|,(?!(?:以|按))", flat) if c]
    measures = [c for c in clauses if not _ASIDE.fullmatch(c)]
    if not measures and clauses:
        return MeasureText(True)
    if len(measures) == 1:
        return _clause(measures[0]) or MeasureText(False)
    return MeasureText(False)


def _clause(text: str) -> MeasureText | None:
    if _STOP.fullmatch(text):
        return MeasureText(True, 1.0)
    if m := _STOP_SHARE.fullmatch(text):
        return _share(m, by_line=bool(m[2]))
    if m := _STOP_COUNT.fullmatch(text):
        said = m[1] or m[2]
        return MeasureText(True, lines=int(said) if said.isdigit() else _DIGITS[said])
    if m := _LIMIT_BY.fullmatch(text):
        return _share(m, by_line=bool(m[2]))
    if m := _LIMIT_TO.fullmatch(text):
        left = float(m[1]) / 100.0
        return MeasureText(True, 1.0 - left) if left <= 1.0 else None
    if m := _FEED.fullmatch(text):
        before, after = float(m[1]), float(m[2])
        return MeasureText(True, 1.0 - after / before) if before > 0 and after <= before else None
    return None


def _share(m: re.Match[str], *, by_line: bool) -> MeasureText | None:
    share = float(m[1]) / 100.0
    return MeasureText(True, share, by_line=by_line) if 0 < share <= 1.0 else None
