"""Units as tables and weather files write them, in Chinese and English, converted by pint.

A spelling is cut into words of `WORDS`; what they mean, and whether one unit converts to another, is pint's work.
Nothing is guessed: a text with a part that is no known word is no unit.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pint

#: Molar masses [g mol-1], CIAAW 2021 abridged standard atomic weights.
MOLAR_MASS = {"SO2": 64.06, "NO2": 46.006, "NO": 30.006, "NOx": 46.006, "O3": 47.997, "CO": 28.010, "NH3": 17.031}
#: Molar volume at 298.15 K and 1013.25 hPa [m3 mol-1]: the state of gases in GB 3095, amendment of 2018.
_MOLAR_VOLUME = 8.314462618 * 298.15 / 101325.0

#: Word -> pint's name. Words are matched as written first, then in lower case, the longest first.
WORDS: dict[str, str] = {
    **dict.fromkeys(("t", "吨", "公吨", "tonne", "tonnes", "ton", "tons"), "tonne"),
    **dict.fromkeys(("kg", "千克", "公斤"), "kilogram"),
    **dict.fromkeys(("g", "克"), "gram"),
    **dict.fromkeys(("mg", "毫克"), "milligram"),
    **dict.fromkeys(("ug", "微克"), "microgram"),
    **dict.fromkeys(("ng", "纳克"), "nanogram"),
    **dict.fromkeys(("lb", "lbs", "磅"), "pound"),
    "斤": "half_kilogram",
    "Mt": "megatonne",
    "kt": "kilotonne",
    "Gg": "gigagram",
    **dict.fromkeys(("tce", "吨标准煤", "吨标煤"), "tce"),
    **dict.fromkeys(("千克标准煤", "千克标煤", "公斤标煤", "公斤标准煤", "kgce"), "kgce"),
    **dict.fromkeys(("a", "yr", "y", "year", "years", "年"), "calendar_year"),
    **dict.fromkeys(("d", "day", "days", "天", "日"), "day"),
    **dict.fromkeys(("h", "hr", "hour", "hours", "小时", "时"), "hour"),
    **dict.fromkeys(("min", "分钟", "分"), "minute"),
    **dict.fromkeys(("s", "sec", "second", "seconds", "秒"), "second"),
    **dict.fromkeys(("m", "米", "meter", "meters", "metre", "metres"), "meter"),
    **dict.fromkeys(("km", "千米", "公里"), "kilometer"),
    **dict.fromkeys(("cm", "厘米"), "centimeter"),
    **dict.fromkeys(("mm", "毫米"), "millimeter"),
    **dict.fromkeys(("in", "inch", "英寸"), "inch"),
    **dict.fromkeys(("ft", "feet", "英尺"), "foot"),
    **dict.fromkeys(("mile", "miles", "英里"), "mile"),
    "mph": "mile/hour",
    **dict.fromkeys(("knot", "knots", "kn", "kts", "节"), "knot"),
    **dict.fromkeys(("平方米",), "meter**2"),
    **dict.fromkeys(("平方公里", "平方千米"), "kilometer**2"),
    **dict.fromkeys(("ha", "公顷"), "hectare"),
    "亩": "mu_of_land",
    **dict.fromkeys(("立方米", "立方", "方", "标立方米", "标方", "Nm3", "nm3"), "meter**3"),
    **dict.fromkeys(("L", "l", "升", "liter", "litre"), "liter"),
    **dict.fromkeys(("j", "J", "焦", "焦耳"), "joule"),
    **dict.fromkeys(("kj", "千焦", "千焦耳"), "kilojoule"),
    **dict.fromkeys(("mj", "兆焦", "兆焦耳"), "megajoule"),
    **dict.fromkeys(("gj", "吉焦", "吉焦耳"), "gigajoule"),
    **dict.fromkeys(("tj", "太焦"), "terajoule"),
    **dict.fromkeys(("cal", "卡"), "airsim_calorie"),
    **dict.fromkeys(("kcal", "千卡", "大卡"), "kilo_airsim_calorie"),
    **dict.fromkeys(("mcal", "兆卡"), "mega_airsim_calorie"),
    **dict.fromkeys(("gcal", "吉卡"), "giga_airsim_calorie"),
    "btu": "Btu_it",
    **dict.fromkeys(("w", "瓦"), "watt"),
    **dict.fromkeys(("kw", "千瓦"), "kilowatt"),
    **dict.fromkeys(("mw", "兆瓦"), "megawatt"),
    **dict.fromkeys(("gw", "吉瓦"), "gigawatt"),
    **dict.fromkeys(("kwh", "千瓦时", "千瓦小时"), "kilowatt_hour"),
    **dict.fromkeys(("mwh", "兆瓦时"), "megawatt_hour"),
    **dict.fromkeys(("gwh", "吉瓦时"), "gigawatt_hour"),
    **dict.fromkeys(("pa", "帕", "帕斯卡", "pascal", "pascals"), "pascal"),
    **dict.fromkeys(("hpa", "百帕", "mb", "mbar", "毫巴", "millibar", "millibars"), "hectopascal"),
    **dict.fromkeys(("kpa", "千帕"), "kilopascal"),
    "mmhg": "mmHg",
    "inhg": "inHg",
    "n": "newton",
    **dict.fromkeys(("k", "K", "开", "开尔文", "kelvin"), "kelvin"),
    **dict.fromkeys(("°c", "degc", "deg_c", "deg c", "c", "摄氏度", "celsius", "度c", "degree_celsius",
                     "degrees_celsius"), "degree_Celsius"),
    **dict.fromkeys(("°f", "degf", "deg_f", "f", "华氏度", "fahrenheit"), "degree_Fahrenheit"),
    **dict.fromkeys(("deg", "degree", "degrees", "°", "度", "degrees_north", "degrees_east", "degree_north",
                     "degree_east"), "angular_degree"),
    **dict.fromkeys(("%", "percent", "pct", "百分比", "百分数"), "percent"),
    **dict.fromkeys(("‰", "千分之"), "permille"),
    **dict.fromkeys(("成", "十分量", "tenths"), "tenth_part"),
    **dict.fromkeys(("okta", "oktas", "octas", "八分量"), "okta"),
    **dict.fromkeys(("ppb", "ppbv"), "part_per_billion"),
    **dict.fromkeys(("ppm", "ppmv"), "part_per_million"),
    "mol": "mole",
    **dict.fromkeys(("蒸吨", "t/h蒸汽"), "steam_tonne"),
    **dict.fromkeys(("dimensionless", "unitless"), "dimensionless"),
}  # fmt: skip
#: Spellings that are not made of words, and what they stand for in words; "" is a bare number.
_WHOLE = {
    "": "", "1": "", "-": "", "0-1": "", "(0-1)": "", "0~1": "", "fraction": "",
    "0-10": "成", "1-10": "成", "0~10": "成", "0-8": "okta", "0~8": "okta", "1/8": "okta", "0-100": "%",
    "mofwaterequivalent": "m", "1/m": "m-1",
    "ta-1": "t/a", "kgd-1": "kg/d", "ms-1": "m/s", "wm-2": "W/m2", "kgkg-1": "", "kg/kg": "", "gkg-1": "g/kg",
    "jm-2": "J/m2", "kgm-2": "kg/m2", "kgm-2s-1": "kg/m2/s", "mms-1": "mm/s", "m2s-2": "m2/s2", "kgm-3": "kg/m3",
    "ugm-3": "ug/m3", "mgm-3": "mg/m3", "kjkg-1": "kJ/kg",
}  # fmt: skip
_MANY = {"百": 1e2, "千": 1e3, "万": 1e4, "十万": 1e5, "百万": 1e6, "千万": 1e7, "亿": 1e8}
_LEADING = re.compile(r"^(\d+(?:\.\d+)?(?:e[+-]?\d+)?|10\s*\^\s*-?\d+|10\*\*-?\d+)\s*(?=[^\d\s.])", re.IGNORECASE)
_EXPONENT = re.compile(r"^\s*(?:\^|\*\*)?\s*([+-]?\d)")
_LONGEST = sorted(WORDS, key=len, reverse=True)


class Unit(NamedTuple):
    """A unit as written: a number and a product of pint's units with exponents."""

    scale: float
    parts: tuple[tuple[str, int], ...]

    @property
    def expression(self) -> str:
        """The unit for pint, without its number."""
        return " * ".join(f"({name}) ** {power}" for name, power in self.parts) or "dimensionless"


class Conversion(NamedTuple):
    """``value * factor + offset``, and what had to be assumed, in both languages (empty: nothing)."""

    factor: float
    offset: float = 0.0
    zh: str = ""
    en: str = ""


@cache
def registry() -> pint.UnitRegistry[Any]:
    """Return pint's registry with the units of this field."""
    import pint

    made: pint.UnitRegistry[Any] = pint.UnitRegistry(cache_folder=None)
    for line in (
        "calendar_year = 365 * day",  # emission tables count a year as 365 days
        "half_kilogram = 0.5 * kilogram",
        "mu_of_land = 10000 / 15 * meter ** 2",
        "tce = [standard_coal]",
        "kgce = 0.001 * tce",
        # the calorie of GB/T 213 and GB/T 2589: 4.1868 J (international table), not the thermochemical one
        "airsim_calorie = 4.1868 * joule",
        "kilo_airsim_calorie = 1000 * airsim_calorie",
        "mega_airsim_calorie = 1e6 * airsim_calorie",
        "giga_airsim_calorie = 1e9 * airsim_calorie",
        # a boiler of one tonne of steam an hour is called 0.7 MW
        "steam_tonne = 0.7 * megawatt",
        "tenth_part = 0.1",
        "okta = 0.125",
        "part_per_billion = 1e-9",
        "part_per_million = 1e-6",
        "permille = 1e-3",
        "angular_degree = [plane_angle_in_degrees]",
    ):
        made.define(line)
    return made


def spelling(text: str) -> str:
    """Return a unit's text in half width with plain signs."""
    plain = unicodedata.normalize("NFKC", str(text)).strip().strip("\ufeff")
    plain = plain.replace("−", "-").replace("–", "-").replace("μ", "u").replace("µ", "u").replace("ℓ", "L")
    plain = plain.replace("℃", "°C").replace("{", "").replace("}", "").replace("º", "°")
    plain = re.sub(r"^(?:单位|unit|units|计量单位)\s*[:：]?\s*", "", plain, flags=re.IGNORECASE)
    return re.sub(r"\bper\b", "/", plain.replace("每", "/"))


@lru_cache(maxsize=1024)
def parse(text: str) -> Unit | None:
    """Return the unit that a text writes, None if any part of it is no known word.

    >>> parse("万吨/年")
    Unit(scale=10000.0, parts=(('tonne', 1), ('calendar_year', -1)))
    >>> parse("0.1m/s").scale
    0.1
    >>> parse("规上") is None
    True
    """
    plain = spelling(text)
    bare = re.sub(r"\s+", "", plain).lower()
    for key in (bare, bare.replace("·", "").replace("^", "").replace("**", ""), plain.lower()):
        if key in _WHOLE:
            return _words(_WHOLE[key]) if _WHOLE[key] else Unit(1.0, ())
    return _words(plain)


def _words(plain: str) -> Unit | None:
    """Return the unit that a text of known words writes."""
    scale = 1.0
    leading = _LEADING.match(plain)
    if leading is not None:
        number = leading.group(1).replace(" ", "").replace("**", "^")
        scale = 10.0 ** int(number[3:]) if number.startswith("10^") else float(number)
        plain = plain[leading.end() :]
    parts: list[tuple[str, int]] = []
    for i, piece in enumerate(plain.split("/")):
        read = _product(piece.strip().strip("()（）"), -1 if i else 1)
        if read is None:
            return None
        scale *= read.scale
        parts += read.parts
    return Unit(scale, tuple(parts)) if parts else None


def _product(text: str, sign: int) -> Unit | None:
    """Return the unit of a product such as ``m2 s``; `sign` is -1 below the stroke."""
    scale, parts = 1.0, []
    rest = text
    while rest := rest.lstrip(" ·⋅*.×"):
        many = next((m for m in sorted(_MANY, key=len, reverse=True) if rest.startswith(m)), "")
        word = _word(rest)
        # 千克 and 百帕 are words of their own; 千吨 is a number of tonnes
        if many and (word is None or len(word) <= len(many)):
            scale *= _MANY[many] ** sign
            rest = rest[len(many) :]
            continue
        if word is None:
            return None
        rest = rest[len(word) :]
        name = WORDS.get(word) or WORDS[word.lower()]
        power = _EXPONENT.match(rest)
        if power is not None:
            rest = rest[power.end() :]
        parts.append((name, sign * (int(power.group(1)) if power else 1)))
        if rest and rest[0].isascii() and rest[0].isalpha() and word[-1].isascii() and word[-1].isalpha():
            return None
    return Unit(scale, tuple(parts)) if parts else None


def _word(text: str) -> str | None:
    """Return the longest known word at the beginning of a text, as written there."""
    for key in _LONGEST:
        written = text[: len(key)]
        # a word of letters ends where its letters end: "to" is not t
        ends = not (key[-1].isascii() and key[-1].isalpha() and text[len(key) : len(key) + 1].isascii()
                    and text[len(key) : len(key) + 1].isalpha())  # fmt: skip
        if ends and (written == key or written.lower() == key):
            return written
    return None


@lru_cache(maxsize=1024)
def convert(text: str, to: str, period: str = "", species: str = "") -> Conversion | None:
    """Return how values of a written unit become those of another unit.

    Parameters
    ----------
    text : str
        The unit as written; see `parse`.
    to : str
        The wanted unit, CF spelling (``"t a-1"``).
    period : {"", "a", "d", "h"}
        What the header says of an amount without a time ("日排放量（kg）" is a day's); "" in a yearly quantity means
        the year that the table is about.
    species : str
        Gas, key of `MOLAR_MASS`: what ppb and ppm need to become a mass concentration.

    Returns
    -------
    Conversion or None
        None: not a unit, or one that does not convert.

    Examples
    --------
    >>> convert("kg/d", "t a-1").factor
    0.365
    >>> convert("℉", "degC")[:2]
    (0.55555555555556, -17.777777777778)
    """
    unit, wanted = parse(text), parse(to)
    if unit is None or wanted is None:
        return None
    if unit == wanted:
        return Conversion(1.0)
    for further in (unit, *_readings(unit)):
        found = _affine(further, wanted)
        if found is not None:
            return Conversion(*found, *_running(further, wanted))
    timed = _timed(unit, wanted, period)
    if timed is not None:
        return timed
    if species in MOLAR_MASS:
        # mole fraction to mass concentration at 298.15 K, 1013.25 hPa
        share = _affine(unit, Unit(1.0, ()))
        dense = _affine(Unit(MOLAR_MASS[species] / _MOLAR_VOLUME, (("gram", 1), ("meter", -3))), wanted)
        if share is not None and dense is not None and any("part_per" in n for n, _ in unit.parts):
            return Conversion(
                _round(share[0] * dense[0]), 0.0, "按 298.15 K、1013.25 hPa 换算", "converted at 298.15 K, 1013.25 hPa"
            )
    return None


def _running(unit: Unit, wanted: Unit) -> tuple[str, str]:
    """Return what a yearly amount from a rate by the hour or second assumes; nothing for other conversions."""
    short = any(p < 0 and n in {"hour", "minute", "second"} for n, p in unit.parts)
    if short and ("calendar_year", -1) in wanted.parts:
        return "按全年 8760 小时连续运行折算", "taken as running all 8,760 hours of the year"
    return "", ""


def _readings(unit: Unit) -> list[Unit]:
    """Return other readings of a unit: kt is kilotonne or knot."""
    if len(unit.parts) == 1 and unit.parts[0] == ("kilotonne", 1):
        return [unit._replace(parts=(("knot", 1),))]
    return []


def _timed(unit: Unit, wanted: Unit, period: str) -> Conversion | None:
    """Convert an amount to a rate: the amount of the period that the header names, or of the table's year."""
    rate = next((n for n, p in wanted.parts if p == -1 and n in {"calendar_year", "day", "hour"}), None)
    if rate is None:
        return None
    named = {"a": "calendar_year", "d": "day", "h": "hour"}.get(period) or (
        "calendar_year" if rate == "calendar_year" else None
    )
    if named is None:
        return None
    found = _affine(unit._replace(parts=(*unit.parts, (named, -1))), wanted)
    return None if found is None else Conversion(*found)


def _affine(unit: Unit, wanted: Unit) -> tuple[float, float] | None:
    """Return (factor, offset) from one unit to another, None where they measure different things."""
    import pint

    try:
        # scaled temperatures (0.1 °C) keep their zero
        if len(unit.parts) == 1 and len(wanted.parts) == 1 and unit.parts[0][1] == wanted.parts[0][1] == 1:
            at0, at1 = (
                registry().Quantity(x * unit.scale, unit.parts[0][0]).to(wanted.parts[0][0]).magnitude / wanted.scale
                for x in (0.0, 1000.0)
            )
            return _round((at1 - at0) / 1000.0), _round(at0)
        ratio = registry().Quantity(unit.scale, unit.expression).to(wanted.expression).magnitude / wanted.scale
    except (pint.DimensionalityError, pint.OffsetUnitCalculusError, pint.UndefinedUnitError):
        return None
    return _round(float(ratio)), 0.0


def _round(value: float) -> float:
    # 0.001 * 365 is 0.365, whatever the order of pint's steps
    return float(f"{value:.14g}")


def known_for(to: str) -> str:
    """Return some spellings that convert to a unit, for messages."""
    some = {
        "t a-1": "t/a, 吨/年, 万吨, kg/a, kg/d, 吨/日, kg/h, g/s",
        "kg d-1": "kg/d, 千克/日, t/d, 吨/日, t/a, 吨/年, kg/h",
        "m s-1": "m/s, 0.1m/s, km/h, knot, mph",
        "degC": "℃, 0.1℃, K, ℉",
        "K": "K, ℃, ℉",
        "%": "%, 0-1, 成, okta",
        "kJ kg-1": "kJ/kg, MJ/kg, kcal/kg, 大卡/千克",
        "ug m-3": "ug/m3, mg/m3, ppb, ppm",
        "mg m-3": "mg/m3, ug/m3, ppb, ppm",
        "hPa": "hPa, Pa, kPa, mmHg",
        "m": "m, 米, km, cm, ft",
        "mm": "mm, cm, in",
        "tce a-1": "tce, 吨标准煤, 万tce",
        "MW": "MW, kW, 万千瓦, 蒸吨",
        "m3 d-1": "m3/d, 万立方米/日",
    }
    return some.get(to, to)
