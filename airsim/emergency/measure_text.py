"""The Chinese wording of a measure turned into what stops and how much; what is not understood stays so.

Only whole sentences are read: one clause outside the grammar makes the cell "not understood", which the checks list
with its cell.  The grammar is laid down in docs/science/emergency.md and tested on a corpus of phrases
(tests/validation/data/measure_phrases.csv).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

#: What a cell asks for.
KINDS = {
    "none": "不减排",
    "autonomous": "自主减排",
    "heat": "以热（量）定产",
    "stop": "停产",
    "limit": "限产",
    "lines": "停若干条",
    "keep": "保留若干条",
    "coking": "延长出焦时间",
    "staggered": "错峰停产",
    "reference": "按其他文件执行",
    "same": "同另一级别",
    "hot": "保温焖炉",
    "transport": "运输管控",
    "dust": "扬尘作业管控",
    "machinery": "非道路机械管控",
}
#: Kinds whose words alone say how much of a production line's emission goes.
QUANTIFIED = frozenset({"none", "autonomous", "heat", "stop", "limit", "lines", "keep", "coking", "staggered"})


@dataclass(frozen=True)
class MeasureText:
    """What one cell asks for.

    Attributes
    ----------
    understood : bool
        False if any clause lies outside the grammar; then the rest says nothing.
    share : float
        Share of the unit's production that goes [1], before whole lines are counted.
    lines : int or None
        Number of lines that stop, where the text gives a number.
    by_line : bool
        The share is counted by whole lines, rounded up.
    kind : str
        See `KINDS`.
    keep : int or None
        Number of lines that go on while the others stop.
    window : (int, int) or None
        First and last local hour of the day in which the measure holds, (22, 6); None: around the clock.
    coking_hours : float or None
        Coking time asked for [h].
    rest : float
        Share that goes of the lines that do not stop (其余限产30%) [1].
    unit : str
        The unit that is named as what stops (烧结机), several joined by 、; empty: the line of the row.
    same_as : str
        Level whose measure is repeated (kind "same").
    """

    understood: bool
    share: float = 0.0
    lines: int | None = None
    by_line: bool = False
    kind: str = "none"
    keep: int | None = None
    window: tuple[int, int] | None = None
    coking_hours: float | None = None
    rest: float = 0.0
    unit: str = ""
    same_as: str = ""

    @property
    def hours(self) -> float | None:
        """Hours a day in which the measure holds; None: around the clock."""
        return None if self.window is None else float((self.window[1] - self.window[0]) % 24)

    def share_of(self, lines: float, *, coking_hours: float = math.nan) -> float:
        """Return the share of a row's emission that goes [1]; NaN if the words alone do not say.

        Parameters
        ----------
        lines : float
            Number of like lines in the row [1].
        coking_hours : float
            Usual coking time, for a text that only says to what it is extended [h].
        """
        if not self.understood or self.kind not in QUANTIFIED:
            return math.nan
        n = max(lines, 1.0) if math.isfinite(lines) else 1.0
        if self.lines is not None:
            stopped = min(self.lines, n)
            share = (stopped + self.rest * (n - stopped)) / n
        elif self.keep is not None:
            share = max(n - self.keep, 0.0) / n
        elif self.coking_hours is not None:
            share = max(0.0, 1.0 - coking_hours / self.coking_hours)
        elif self.by_line:
            # 1e-9: 0.3 of ten lines is three, whatever binary arithmetic makes of it
            share = min(math.ceil(self.share * n - 1e-9) / n, 1.0)
        else:
            share = self.share
        return share * (self.hours / 24.0 if self.hours is not None else 1.0)


# --------------------------------------------------------------------------------------------------------
# spelling: half width, Chinese numerals as digits, shares as per cent or fractions

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_HAN = "[零〇一二两三四五六七八九十]{1,3}"
_UNIT = "条|座|台|套|组|个|炉"
_SPELLINGS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"百分之({_HAN}|\d+(?:\.\d+)?)"), lambda m: f"{_number(m[1])}%"),
    (re.compile(rf"({_HAN})分之({_HAN})"), lambda m: f"{_number(m[2])}/{_number(m[1])}"),
    (re.compile(r"一半|半数"), lambda m: "50%"),
    (re.compile(r"([一二两三四五六七八九])成"), lambda m: f"{_number(m[1])}0%"),
    (re.compile(rf"({_HAN})(?=(?:{_UNIT})(?!产|高炉煤))"), lambda m: str(_number(m[1]))),
    (re.compile(rf"({_HAN})(?=个?小时|[点时](?!段))"), lambda m: str(_number(m[1]))),
)


def _number(text: str) -> int | float:
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return float(text) if "." in text else int(text)
    if "十" not in text:
        return int("".join(str(_DIGITS[c]) for c in text))
    tens, ones = text.split("十")
    return 10 * (_DIGITS[tens] if tens else 1) + (_DIGITS[ones] if ones else 0)


def _flat(text: str) -> str:
    flat = unicodedata.normalize("NFKC", text)
    flat = re.sub(r"[\s\"'“”‘’]+", "", flat).rstrip(".。;；,，、")
    flat = flat.replace("，", ",").replace("；", ";").replace("。", ";").replace("≧", "≥").replace("〜", "~")
    flat = re.sub(r"^(?:预警|应急|响应|应急响应)期间[,:]?", "", flat)
    flat = re.sub(r"^(?:[①-⑳]|\(?\d{1,2}\)|\d{1,2}[、.](?!\d))", "", flat)
    for pattern, digits in _SPELLINGS:
        flat = pattern.sub(digits, flat)
    return flat


# --------------------------------------------------------------------------------------------------------
# the grammar

_NUM = r"\d+(?:\.\d+)?"
_SHARE = rf"(?P<share>{_NUM}%|\d+/\d+)"
_LEAST = r"(?:比例)?(?:不低于|不少于|不小于|至少|≥|>=|达到|为)?"
_OR_MORE = rf"(?:\(含(?:{_NUM}%)?\))?(?:及?以上)?(?:\(含(?:{_NUM}%)?\))?"
_LINES = r"(?:生产线|产线|线|高炉|焦炉|转炉|电炉|炉|回转窑|窑|轧机|装置|设备|工序|机组|磨机|烧结机)"
_BY_LINE = rf"(?P<by>[,、]?\(?(?:以|按照?){_LINES}(?:数量?|条数|台数|座数)?计(?:算)?\)?)?"
_BY_OUTPUT = r"(?:[,、]?\(?(?:以|按照?)(?:产量|生产负荷|负荷|投料量|拉引量|排放量)计(?:算)?\)?)?"
_WHOLE = r"(?:(?:全厂|企业|全部|全面|所有|整体)*(?:涉气|产尘|生产)?(?:工序|生产线|设备|车间)?(?:全部|全面|一律)?)"
_DO = r"(?:立即|实施|采取|严格|一律|全部|全面|应|须|需)*"
_STOPS = r"(?:停产|停止生产|停工|停运|停用|停机|停炉|停止运行|停止施工|停止作业|关停)"
_COUNT = rf"(?P<count>\d+)(?:{_UNIT})(?P<named>生产线|产线|线|高炉|焦炉|转炉|电炉|窑炉?|炉|装置|机组|设备|锅炉|烧结机)?"
_CLOCK = r"(?:晚上|晚|早上|早|凌晨)?"
_WINDOW = (
    r"(?:夜间|每天|每日|每晚)*\(?" + _CLOCK + r"(?P<from>\d{1,2})(?:时|点|:00)(?:至|到|-|~)(?:次日|第二天|翌日|当日)?"
    + _CLOCK + r"(?P<to>\d{1,2})(?:时|点|:00)\)?(?:期间)?"
)  # fmt: skip
_WORKS = (
    r"(?:土石方(?:开挖|作业|工程)?|建筑拆除|拆除|喷涂粉刷|护坡喷浆|混凝土搅拌|露天(?:作业|施工|开采|爆破)?|爆破|破碎"
    r"|切割|焊接|喷漆|道路(?:开挖|铣刨)|沥青摊铺|室外喷涂)"
)
_STANDARD = r"国[一二三四五六IVX1-6]+及以下(?:排放标准)?(?:的)?"
_VEHICLES = (
    rf"(?:{_STANDARD})?(?:重型|中重型|中型)?(?:柴油|燃气)?(?:载货|载重|货运|运输)?(?:车辆?|货车|汽车)?(?:\(含燃气\))?"
)
_GOODS = r"(?:进行)?(?:公路|道路|物料|货物|大宗物料|原辅材料|产品)*运输"

#: Wholes that say what happens without a share.
_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            "none",
            r"|无|不停产|不限产|不停产[,、]不限产|不限产[,、]不停产|不停限产|豁免(?:企业)?|(?:民生)?保障(?:类)?(?:企业)?[,、]正常生产|(?:企业)?(?:允许|维持|保持)?正常生产|不作要求|不做要求"
            r"|(?:不|无需|无须|可不)(?:采取)(?:应急)?(?:停限产|减排|停产限产)?措施"
            r"|(?:免予?|免于|不参与|可不)(?:停限产|应急减排|减排|停产限产)(?:措施)?",
        ),
        (
            "autonomous",
            r"(?:鼓励)?(?:企业)?(?:结合实际)?(?:自主|自行)(?:采取)?(?:应急)?(?:减排|管控)?(?:措施)?",
        ),
        (
            "heat",
            r"以热定产|以热定电|以量定产|(?:以热定[产电][,、])?保障(?:居民|民生)?(?:供[热暖电气]|民生供[热暖电气])"
            r"(?:[,、]以热定[产电])?",
        ),
        (
            "staggered",
            r"(?:采暖季|冬季|已|正在|执行|实施|按照?)*错峰(?:生产|停产|期间|停产期间|生产期间)*(?:要求|计划|方案)?"
            r"(?:保持|执行|期间|停产)*",
        ),
        (
            "reference",
            r"(?:严格)?(?:按照?|参照|依照|依据)[^;,%\d]{2,40}(?:要求|方案|措施|规定|标准)?(?:执行|落实|实施)"
            r"|(?:严格)?(?:执行|落实)(?:一厂一策|一企一策)(?:实施)?(?:减排)?(?:措施|方案)?",
        ),
        ("hot", r"停产?保窑|(?:停产)?焖[炉窑]|停产[,、]?(?:窑炉?|炉窑|焦炉|炉)保温|(?:停产)?保温(?:焖炉)?"),
        (
            "dust",
            rf"(?:停止|禁止|暂停)(?:一切|所有)?{_WORKS}(?:[、和及]{_WORKS})*(?:等)?(?:作业|施工|工序)*"
            r"|(?:厂区|主干道|主要道路|道路|每日|每天|至少|主次干道)*(?:增加|加密|加大)(?:\d+次|一次)?(?:厂区|道路)*"
            r"(?:洒水|清扫|保洁|冲洗|湿扫|[、和])*(?:频次|力度|作业|\d+次)*",
        ),
        (
            "machinery",
            rf"(?:停止使用|禁止使用|停用)(?:厂区内|厂内)?{_STANDARD}(?:非道路移动机械|非道路机械|工程机械|机械|叉车)"
            rf"|(?:厂区内|厂内)?{_STANDARD}(?:非道路移动机械|非道路机械|工程机械|机械|叉车)(?:停用|停止使用|禁用|禁止使用)",
        ),
        (
            "transport",
            rf"(?:禁止|停止|严禁|不得|减少|停用)(?:使用)?{_VEHICLES}(?:进出厂区)?{_GOODS}"
            rf"|{_STANDARD}(?:重型|中重型)?(?:柴油|燃气)?(?:载货|载重|货运|运输)?(?:车辆|货车|汽车)(?:\(含燃气\))?"
            r"(?:禁止|停止|不得|严禁|停止使用|停用)(?:进出厂区|进出|进厂|运输|通行|上路|行驶)?"
            rf"|{_STANDARD}(?:重型|中重型)?(?:柴油|燃气)?(?:载货|载重|货运)?(?:车辆|货车|汽车)(?:\(含燃气\))?(?:禁行|停运)"
            r"|(?:重型|中重型)(?:柴油)?(?:载货)?(?:货车|车辆)(?:禁行|停运|停止运输)"
            r"|(?:禁止|严禁)(?:重型|中重型)(?:柴油)?(?:载货)?(?:货车|车辆)进出(?:厂区?)?",
        ),
    )
)
_LEVELS = {
    "red": re.compile(r"红|(?<![IV])I级|一级"),
    "orange": re.compile(r"橙|(?<!I)II级|二级"),
    "yellow": re.compile(r"黄|III级|三级"),
}
_SAME = re.compile(
    r"(?:同|与|按)(?P<level>[黄橙红]色?|I{1,3}级|[一二三]级)(?:预警|响应)*(?:期间)?(?:减排)?(?:措施)?(?:相同|一致|执行)?"
)
_STOP = re.compile(rf"{_WHOLE}{_DO}{_STOPS}(?:措施)?(?:\(含[^)除]*\))?|停止(?:所有|全部)?涉气工序(?:生产|作业)?")
_STOP_SHARE = re.compile(
    rf"{_DO}停[产运]?{_LEAST}{_SHARE}{_OR_MORE}(?P<of>(?:的)?(?:生产线|产线))?{_BY_LINE}{_BY_OUTPUT}"
)
_SHARE_STOPS = re.compile(rf"{_SHARE}{_OR_MORE}(?:的)?(?P<of>生产线|产线){_STOPS}")
_STOP_COUNT = re.compile(
    rf"(?:停产|停运|停止运行|停){_COUNT}{_OR_MORE}"
    rf"|(?:停产|停运|停)(?P<named2>生产线|产线|高炉|焦炉|窑炉?|锅炉)(?P<count2>\d+)(?:{_UNIT})"
    rf"|\d+(?:{_UNIT})(?:生产线|产线)?中?停[产运]?(?P<count3>\d+)(?:{_UNIT})"
    rf"|停产\d+(?:{_UNIT})(?:生产线|产线)中的?(?P<count4>\d+)(?:{_UNIT})"
)
_COUNT_STOPS = re.compile(rf"{_COUNT}{_STOPS}")
_REST = re.compile(rf"其[余他](?:生产线|产线|高炉|焦炉|窑)?(?:限产|降低负荷|降负荷){_SHARE}{_OR_MORE}")
_KEEP = re.compile(rf"(?:仅|只)?(?:保留|留){_COUNT}(?:生产|运行)?(?:[,;、]其[余他](?:生产线|产线)?(?:全部)?{_STOPS})?")
_LESS = (
    r"(?:(?:降低|压减|减少|削减|下调)(?:生产)?(?:负荷|产量|产能|投料量?|拉引量)"
    r"|(?:生产)?(?:负荷|产量|产能|投料量?|拉引量)(?:降低|下降|压减|减少|削减|下调|降)|降负荷)"
)
_LIMIT_BY = re.compile(
    rf"(?:{_DO}(?:至少)?(?:限产|减产|限制生产|减排|{_LESS})){_LEAST}{_SHARE}{_OR_MORE}(?:措施)?{_BY_LINE}{_BY_OUTPUT}"
)
_LIMIT_TO = re.compile(
    rf"{_DO}(?:限产|{_LESS})(?:至|到|为)(?:原来的|原有的|正常的|平时的)?{_SHARE}(?:及?以下|以内)?(?:运行|生产)?"
    r"|减(?P<half>半)生产"
)
_MASS = r"(?:吨|t|万吨|千克|kg|立方米|m3|重量箱)(?:/天|/日|/d|每天|每日)?"
_FEED = re.compile(
    rf"(?:每日|日)?(?:投料量?|产量|拉引量|熔化量|加工量|入炉量|处理量|熔量)由(?P<before>{_NUM}){_MASS}"
    rf"(?:降低|降|减少|压减|下调)(?:到|至|为)(?P<after>{_NUM}){_MASS}(?:及?以下)?"
)
_COKING_WORD = r"(?:出焦|结焦|推焦|炼焦)时间"
_COKING = re.compile(
    rf"(?:焦炉)?(?:延长{_COKING_WORD}|{_COKING_WORD}延长)(?:至|到)(?P<hours>{_NUM})(?:个?小时|h)(?:\(含\))?(?:及?以上)?",
    re.IGNORECASE,
)
_COKING_FROM = re.compile(
    rf"(?:焦炉)?{_COKING_WORD}由(?P<before>{_NUM})(?:个?小时|h)延长(?:至|到)(?P<hours>{_NUM})(?:个?小时|h)(?:及?以上)?",
    re.IGNORECASE,
)
_DUTY = re.compile(rf"停产?(?P<off>{_NUM})个?小时[,、;]?[开运]行?(?P<on>{_NUM})个?小时")
_NIGHT = re.compile(rf"{_WINDOW}(?P<what>.+)")
_NIGHT_AFTER = re.compile(
    rf"(?:夜间)?(?P<what>停产|停止生产|停止作业|停工|限产[\d.]+%)\({_WINDOW.replace('(?:夜间|每天|每日|每晚)*', '')}\)"
)
_TRUCK_NIGHT = re.compile(rf"(?P<who>(?:重型|中重型)(?:柴油)?(?:载货)?(?:货车|车辆)){_WINDOW}(?:禁行|停运|禁止通行)")
_PART = (
    r"(?:\d#)?(?:烧结机?|球团(?:设备|竖炉)?|石灰窑|白灰窑|回转窑|隧道窑|轮窑|窑炉|窑|高炉|焦炉|转炉|电炉|炼钢|炼铁|轧钢|轧机"
    r"|锅炉|熔炼|熔化|造型|制芯|浇注|砂处理|喷涂|喷漆|烘干|涂装|印刷|复合|破碎|筛分|粉磨|水泥磨|球磨机|磨机|搅拌"
    r"|干燥|焙烧|煅烧|成型|配料|制粉|热处理|酸洗|镀锌|打磨|抛光|焊接|切割|下料|发泡|硫化|密炼|注塑|电解槽|气化炉)"
)
_NAMED = re.compile(rf"(?P<unit>{_PART}(?:[、和及与,]{_PART})*)(?:工序|设备|生产线|装置|车间)?(?P<what>.+)")
_STOP_PART = re.compile(rf"停止(?P<unit>{_PART}(?:[、和及与]{_PART})*)(?:工序|工段|生产线)(?:生产|作业)?")
_GENERIC = frozenset({"", "生产线", "产线", "线", "装置", "设备"})
_ON_TOP = re.compile(r"(?:在|执行)?(?:采暖季)?错峰(?:生产|停产)?(?:的)?基础上[,]?(?:对)?(?:在用|在产)?(?:生产线)?再?")
#: A clause of these kinds may stand beside the measure of a line without changing it.
_ASIDES = frozenset({"transport", "dust", "machinery"})


@lru_cache(maxsize=65536)
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
    flat = _flat(text)
    # a sentence as a whole first: its own comma may belong to it (…以上,以生产线计)
    whole = _sentence(flat)
    if whole is not None:
        return whole
    clauses = [c for c in re.split(r"[;]|,(?!(?:以|按))", flat) if c]
    found = [_sentence(c) for c in clauses]
    measures = [m for m in found if m is None or m.kind not in _ASIDES]
    if None in measures or not found:
        return _rested(clauses) or MeasureText(False)
    if not measures:
        return found[0] or MeasureText(False)
    if len(measures) == 1:
        return measures[0] or MeasureText(False)
    return MeasureText(False)


def _rested(clauses: list[str]) -> MeasureText | None:
    """Read "two lines stop, the others run at less"."""
    if len(clauses) != 2:
        return None
    first, rest = _clause(clauses[0]), _REST.fullmatch(clauses[1])
    if first is None or first.lines is None or rest is None:
        return None
    share = _share_of(rest["share"])
    return _with(first, rest=share) if share is not None else None


def _sentence(text: str) -> MeasureText | None:
    """Read one clause, with the hours or the unit it may begin with."""
    plain = _clause(text)
    if plain is not None:
        return plain
    if m := _TRUCK_NIGHT.fullmatch(text):
        return MeasureText(True, kind="transport", window=_window(m))
    if m := _NIGHT_AFTER.fullmatch(text) or _NIGHT.fullmatch(text):
        what, window = _clause(m["what"]), _window(m)
        if what is None or what.kind not in {"stop", "limit", "lines", "dust", "transport"} or window is None:
            return None
        return _with(what, window=window)
    if m := _ON_TOP.match(text):
        # the base of the list is what still runs, so the further share is a share of it
        what = _clause(text[m.end() :])
        return what if what is not None and what.kind in {"stop", "limit", "lines"} else None
    if m := _STOP_PART.fullmatch(text):
        return MeasureText(True, 1.0, kind="stop", unit=re.sub(r"[和及与,]", "、", m["unit"]))
    if m := _NAMED.fullmatch(text):
        what = _clause(m["what"].removeprefix(","))
        if what is not None and what.kind in {"stop", "limit", "lines"} and not what.unit:
            return _with(what, unit=re.sub(r"[和及与,]", "、", m["unit"]))
    return None


def _clause(text: str) -> MeasureText | None:
    for kind, words in _WORDS:
        if words.fullmatch(text):
            return MeasureText(True, kind=kind)
    if m := _SAME.fullmatch(text):
        level = [name for name, words in _LEVELS.items() if words.search(m["level"])]
        return MeasureText(True, kind="same", same_as=level[0]) if len(level) == 1 else None
    if _STOP.fullmatch(text):
        return MeasureText(True, 1.0, kind="stop")
    if m := _STOP_SHARE.fullmatch(text) or _SHARE_STOPS.fullmatch(text):
        groups = m.groupdict()
        found = _limit(m, by_line=bool(groups.get("by") or groups.get("of")))
        return _with(found, kind="stop") if found and found.share == 1.0 and not found.by_line else found
    if m := _STOP_COUNT.fullmatch(text) or _COUNT_STOPS.fullmatch(text):
        groups = m.groupdict()
        count = int(next((c for k, c in groups.items() if k.startswith("count") and c), 0))
        named = groups.get("named") or groups.get("named2") or ""
        return MeasureText(True, kind="lines", lines=count, unit="" if named in _GENERIC else named) if count else None
    if m := _KEEP.fullmatch(text):
        named = m["named"] or ""
        return MeasureText(True, kind="keep", keep=int(m["count"]), unit="" if named in _GENERIC else named)
    if m := _LIMIT_BY.fullmatch(text):
        return _limit(m, by_line=bool(m["by"]))
    if m := _LIMIT_TO.fullmatch(text):
        left = 0.5 if m["half"] else _share_of(m["share"])
        return MeasureText(True, _round(1.0 - left), kind="limit") if left is not None else None
    if m := _FEED.fullmatch(text):
        before, after = float(m["before"]), float(m["after"])
        return MeasureText(True, _round(1.0 - after / before), kind="limit") if 0 <= after <= before > 0 else None
    if m := _COKING_FROM.fullmatch(text):
        before, after = float(m["before"]), float(m["hours"])
        return MeasureText(True, _round(1.0 - before / after), kind="limit") if 0 < before <= after else None
    if m := _COKING.fullmatch(text):
        return MeasureText(True, kind="coking", coking_hours=float(m["hours"])) if float(m["hours"]) > 0 else None
    if m := _DUTY.fullmatch(text):
        off, on = float(m["off"]), float(m["on"])
        return MeasureText(True, _round(off / (off + on)), kind="limit") if off + on > 0 else None
    return None


def _limit(m: re.Match[str], *, by_line: bool) -> MeasureText | None:
    share = _share_of(m["share"])
    return MeasureText(True, share, by_line=by_line, kind="limit") if share is not None else None


def _share_of(text: str) -> float | None:
    if text.endswith("%"):
        share = float(text[:-1]) / 100.0
    else:
        above, below = text.split("/")
        if not int(below):
            return None
        share = int(above) / int(below)
    return share if 0 < share <= 1.0 else None


def _window(m: re.Match[str]) -> tuple[int, int] | None:
    begin, end = int(m["from"]), int(m["to"])
    return (begin % 24, end % 24) if begin <= 24 and end <= 24 and (end - begin) % 24 else None


def _round(share: float) -> float:
    # 1 - 768 / 960 is a fifth
    return round(share, 12)


def _with(measure: MeasureText, **changes: Any) -> MeasureText:
    return replace(measure, **changes)


def names_line(unit: str, line: str) -> bool:
    """Return whether a unit that a text names (烧结机、球团) is the line of the row (360㎡烧结机)."""
    flat = unicodedata.normalize("NFKC", line)
    for part in unit.split("、"):
        number, _, bare = part.rpartition("#")
        stem = re.sub(r"(?:设备|竖炉|机|工序)$", "", bare) or bare
        if stem in flat and (not number or f"{number}#" in flat):
            return True
    return False
