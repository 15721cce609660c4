"""What is said of a scenario that cannot be read, in English and Chinese."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from airsim.errors import Problem
from airsim.names import (
    CITY_WORDS,
    FUEL_WORDS,
    LEDGER_SECTOR_WORDS,
    LEVEL_WORDS,
    POLLUTANT_WORDS,
    ROUTE_WORDS,
    normalise,
)
from airsim.scenario.tree import locate

#: A key without a value.
EMPTY = ("is empty: give its keys, or leave the whole key out", "为空：请填写内容，或删去该键")
SAID: dict[str, tuple[str, str]] = {
    "missing": ("this key is required", "缺少该键"),
    "extra_forbidden": ("unknown key", "未知的键"),
    "string_type": ("must be text", "须为文本"),
    "int_type": ("must be a whole number", "须为整数"),
    "int_from_float": ("must be a whole number", "须为整数"),
    "float_type": ("must be a number", "须为数字"),
    "bool_type": ("must be true or false", "须为 true 或 false"),
    "finite_number": ("must be a finite number", "须为有限数值"),
    "model_type": ("must be a block of keys", "须为键值块"),
    "model_attributes_type": ("must be a block of keys", "须为键值块"),
    "tuple_type": ("must be a list", "须为列表"),
    "datetime_parsing": ("must be a time such as 2019-01-01 08:00", "须为时间，如 2019-01-01 08:00"),
    "datetime_from_date_parsing": (
        "must be a time such as 2019-01-01 08:00",
        "须为时间，如 2019-01-01 08:00",
    ),
    "datetime_type": ("must be a time such as 2019-01-01 08:00", "须为时间，如 2019-01-01 08:00"),
    "full_hour": ("must be a full hour", "须为整点"),
    "reserved": ("is a reserved file name on Windows", "为 Windows 保留文件名"),
    "of_the_batch": ("is a name that the batch uses itself", "与批量运算自用的文件名冲突"),
    "recursion_loop": ("refers to itself", "引用了自身"),
    "string_too_short": ("must not be empty", "不能为空"),
    "string_too_long": ("is too long", "过长"),
    "dict_type": ("must be a block of keys", "须为键值块"),
    "too_long": ("has too many entries", "条目过多"),
    "domain_order": (
        "east must lie at least 1 degree east of west, north 1 degree north of south",
        "east 须比 west 大至少 1 度，north 须比 south 大至少 1 度",
    ),
    "period_length": ("a period is at most 366 days", "时段最长 366 天"),
    "year_order": ("target_year must be after base_year", "目标年须晚于基准年"),
    "sweep_sampled": (
        "latin_hypercube and sobol need ranges and samples, not values",
        "latin_hypercube 与 sobol 须给出 ranges 与 samples，不用 values",
    ),
    "sweep_listed": (
        "cartesian and listed need values, not ranges or samples",
        "cartesian 与 listed 须给出 values，不用 ranges 或 samples",
    ),
    "sweep_lengths": ("listed values must be lists of one length", "listed 的各列表须等长"),
    "sweep_range": ("the first number of a range must be below the second", "范围的下限须小于上限"),
    "one_kind": ("give exactly one of triangular, uniform, normal, lognormal, beta", "须且仅须给出一种分布"),
    "shapes": ("beta: shapes above 0, then lowest below highest", "beta：形状参数须大于 0，且下限小于上限"),
    "years_rise": ("the years must rise", "年份须递增"),
    "ascending": ("the numbers must rise", "数值须递增"),
    "spread": ("the spread must be above 0 (lognormal: above 1)", "离散程度须大于 0（对数正态须大于 1）"),
    "households_or_boilers": (
        "give either households or boiler_capacity",
        "households（户数）与 boiler_capacity（蒸吨）须且仅须给出一项",
    ),
    "what_retires": (
        "give either enterprise, or city with boiler_capacity or with tonnes",
        "须给出 enterprise，或 city 加 boiler_capacity（蒸吨）或 tonnes",
    ),
    "in_and_out": ("a fuel cannot be both included and excluded", "同一燃料不能既计入又剔除"),
    "window_inside": (
        "joint_control: start and end must lie inside the period",
        "joint_control 的 start 与 end 须在 period 之内",
    ),
    "cities_or_file": ("give either cities or file", "cities 与 file 须且仅须给出一项"),
}


def problems_of(file: str, tree: Any, errors: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Return one problem a slip: what follows from another error inside of the same value is left out."""
    places = [tuple(e["loc"]) for e in errors]
    return [
        problem_of(file, tree, e)
        for e in errors
        # a list whose entries are all wrong counts as empty
        if not (
            e["type"] == "too_short"
            and any(len(p) > len(e["loc"]) and p[: len(e["loc"])] == tuple(e["loc"]) for p in places)
        )
    ]


def problem_of(file: str, tree: Any, error: Mapping[str, Any]) -> Problem:
    """Return an error of the schema as a problem with its line, in both languages."""
    kind, context = error["type"], error.get("ctx") or {}
    location = list(error["loc"])
    if kind == "sweep_overlap":
        location += [context["block"], context["key"]]
    line, key = locate(tree, location)
    value = error.get("input")
    shown = "" if kind == "missing" or value is None or isinstance(value, Mapping | list | tuple) else _shorten(value)
    if kind == "union_tag_invalid":
        line, key = locate(tree, [*location, str(context["discriminator"]).strip("'")])
        value = shown = str(context.get("tag", ""))
    elif kind in {"union_tag_not_found", "sweep_overlap"} or kind.endswith("_order"):
        shown = ""
    en, zh = _said(kind, context, value)
    hint_en, hint_zh = _hint(kind, context, value, key)
    return Problem(file, line, key, shown, en + hint_en, zh + hint_zh)


def _said(kind: str, context: Mapping[str, Any], value: Any) -> tuple[str, str]:
    if value is None and kind.endswith("_type"):
        return EMPTY
    if kind == "domain_order" and context["swapped"]:
        names = context["swapped"]
        return f"{SAID[kind][0]}; exchanged: {names}", f"{SAID[kind][1]}；填反：{names}"
    if kind in SAID:
        return SAID[kind]
    if kind in _SIGNS:
        bound = next(iter(context.values()))
        return f"must be {_SIGNS[kind]} {bound}", f"须 {_SIGNS[kind]} {bound}"
    if kind in {"literal_error", "union_tag_invalid"}:
        allowed = _allowed(context)
        return f"must be one of {allowed}", f"须为以下之一：{allowed}"
    if kind == "union_tag_not_found":
        return f"the key {context['discriminator']} is required", f"缺少键 {context['discriminator']}"
    if kind == "string_pattern_mismatch":
        return (
            "letters, digits, Chinese characters, - _ . only (at most 64, no path)",
            "仅限字母、数字、汉字及 - _ .（至多 64 个，不得含路径）",
        )
    if kind == "too_short":
        return "must have at least one entry", "至少须有一项"
    if kind == "span":
        en = str(context["text"])
        return en, en.replace("must be from", "须介于").replace(" to ", " 与 ") + " 之间"
    if kind == "sweep_overlap":
        other = context["other"]
        return (
            f"holds, or lies in, the key {other} of the sweep: they contradict each other",
            f"与扫描键 {other} 重叠，相互矛盾",
        )
    if kind.endswith("_order"):
        return (
            f"end {context['end']} must be after start {context['start']} (Beijing time)",
            f"结束 {context['end']} 须晚于开始 {context['start']}（北京时间）",
        )
    return "is not what this key takes", "不是该键可取的值"


_SIGNS = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<", "less_than_equal": "<="}
_NUMBERS = {"float_type", "int_type", "int_from_float", "float_parsing", "int_parsing"}
_WORDS = (CITY_WORDS, LEDGER_SECTOR_WORDS, LEVEL_WORDS, ROUTE_WORDS, POLLUTANT_WORDS, FUEL_WORDS)


def _allowed(context: Mapping[str, Any]) -> str:
    return str(context.get("expected") or context.get("expected_tags")).replace("'", "").replace(" or ", ", ")


def _hint(kind: str, context: Mapping[str, Any], value: Any, key: str) -> tuple[str, str]:
    """Return what may have been meant, to be added to the message; empty where nothing comes to mind."""
    if kind in {"literal_error", "union_tag_invalid", "extra_forbidden"} and isinstance(value, str):
        return _meant(value, _allowed(context).split(", "))
    if kind == "tuple_type" and isinstance(value, Mapping):
        return ": begin each entry with a dash (- )", "：每项以“- ”开头"
    if kind == "tuple_type" and isinstance(value, str):
        if any(c in value for c in "【】［］"):
            return ": write half-width brackets [ ]", "：请用半角方括号 [ ]"
        return f": write [{_shorten(value)}]", f"：请写作 [{_shorten(value)}]"
    if kind == "string_type" and isinstance(value, int | float):
        return f': put it in quotes, "{value}"', f'：请加引号，写作 "{value}"'
    if kind in _NUMBERS and isinstance(value, str):
        return _number_meant(value, key)
    if kind == "less_than_equal" and isinstance(value, int | float) and 1 < value <= 100 and context.get("le") == 1:
        return f": a share, {value:g} % is {value / 100:g}", f"：此处为比例，{value:g} % 请写作 {value / 100:g}"
    if kind == "span" and isinstance(value, int | float) and 1 < value <= 100 and "from 0 to 1" in context["text"]:
        return f": a share, {value:g} % is {value / 100:g}", f"：此处为比例，{value:g} % 请写作 {value / 100:g}"
    if kind == "greater_than_equal" and key.startswith("near_field.") and isinstance(value, int | float):
        return f": metres, {value:g} km is {1000 * value:g}", f"：单位为米，{value:g} 公里请写作 {1000 * value:g}"
    if kind.startswith("datetime") and isinstance(value, str) and unicodedata.normalize("NFKC", value) != value:
        return "; write half-width characters", "；请用半角字符"
    return "", ""


def _meant(value: str, allowed: Sequence[str]) -> tuple[str, str]:
    words = {normalise(a): a for a in allowed}
    for table in _WORDS:
        if set(allowed) <= set(table.values()) or len(set(allowed) & set(table.values())) > 1:
            words |= {word: name for word, name in table.items() if name in allowed}
    near = difflib.get_close_matches(normalise(value), words, n=1, cutoff=0.6)
    return (f"; did you mean {words[near[0]]}?", f"；是否应为 {words[near[0]]}？") if near else ("", "")


def _number_meant(value: str, key: str) -> tuple[str, str]:
    half = unicodedata.normalize("NFKC", value).strip()
    number = re.fullmatch(r"([-+]?[\d,]*\.?\d+)\s*(%|\D*)", half)
    if not number:
        return "", ""
    plain = number.group(1).replace(",", "")
    if number.group(2) == "%":
        if key.rpartition(".")[2] == "percent":
            return f": write {plain} without the sign", f"：请写作 {plain}，不带百分号"
        return f": write {float(plain) / 100:g}", f"：请写作 {float(plain) / 100:g}"
    if half == value.strip() and plain == half:
        return f": write {plain} without quotes", f"：请写作 {plain}，不加引号"
    wide = " half-width" if half != value.strip() else ""
    return f": write{wide} {plain}", f"：请{'用半角，' if wide else ''}写作 {plain}"


def _shorten(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
