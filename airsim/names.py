"""What cities, sectors, fuels, levels, routes and pollutants are called: the words that tables and scenarios take."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from airsim.errors import InputError, Problem


def normalise(text: object) -> str:
    """Return text as headers and names are compared: half width, no white space, lower case."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", str(text))).lower() if text is not None else ""


@dataclass(frozen=True)
class City:
    """A city as the result tables name it."""

    id: str
    name_zh: str
    name_en: str
    adcode: str
    guanzhong: bool


CITIES: tuple[City, ...] = (
    City("xian", "西安", "Xi'an", "610100", True),
    City("baoji", "宝鸡", "Baoji", "610300", True),
    City("xianyang", "咸阳", "Xianyang", "610400", True),
    City("tongchuan", "铜川", "Tongchuan", "610200", True),
    City("weinan", "渭南", "Weinan", "610500", True),
    City("yangling", "杨凌", "Yangling", "610403", True),
    City("hancheng", "韩城", "Hancheng", "610581", True),
    City("shangluo", "商洛", "Shangluo", "611000", True),
    City("tianshui", "天水", "Tianshui", "620500", False),
    City("pingliang", "平凉", "Pingliang", "620800", False),
    City("qingyang", "庆阳", "Qingyang", "621000", False),
    City("yuncheng", "运城", "Yuncheng", "140800", False),
    City("linfen", "临汾", "Linfen", "141000", False),
    City("sanmenxia", "三门峡", "Sanmenxia", "411200", False),
    City("luoyang", "洛阳", "Luoyang", "410300", False),
)
"""The cities in the order of official tables: Guanzhong first, then the neighbours."""


SECTORS = {
    "power": "电力",
    "heat": "供热",
    "steel": "钢铁",
    "coking": "焦化",
    "cement": "水泥",
    "industry": "其他工业",
    "small_industry": "小型工业",
    "residential": "民用散煤",
    "transport": "道路移动源",
    "offroad": "非道路移动源",
    "dust": "扬尘源",
    "agriculture": "农业源",
    "solvent": "溶剂使用",
}
"""Sector ids and their Chinese names, in the order of reports."""

FUELS = {
    "raw_coal": "原煤",
    "washed_coal": "洗精煤",
    "other_washed_coal": "其他洗煤",
    "coal_slime": "煤泥",
    "gangue": "煤矸石",
    "briquette": "型煤",
    "anthracite": "无烟煤",
    "feedstock_coal": "原料煤",
    "coke": "焦炭",
    "semi_coke": "兰炭",
    "petroleum_coke": "石油焦",
}
"""Fuels of the coal ledger and their Chinese names."""

QUALITIES = {"reported": "填报", "derived": "推算", "estimated": "估算"}
"""How a row's figures came about."""

_SECTOR_ALIASES = {
    "power": ("火电", "煤电", "发电", "电厂"),
    "heat": ("热力", "集中供热", "锅炉供热"),
    "steel": ("钢铁行业",),
    "coking": ("焦化行业", "炼焦"),
    "cement": ("水泥行业",),
    "industry": ("工业", "工业源", "化工", "有色"),
    "small_industry": ("小工业", "工业锅炉", "建材"),
    "residential": ("民用", "散煤", "居民", "生活源", "民用燃烧"),
    "transport": ("移动源", "机动车", "道路源", "交通"),
    "offroad": ("非道路", "非道路机械"),
    "dust": ("扬尘",),
    "agriculture": ("农业",),
    "solvent": ("溶剂", "溶剂源"),
}


def _words(names: Mapping[str, str], aliases: Mapping[str, tuple[str, ...]] | None = None) -> dict[str, str]:
    words = {}
    for key, zh in names.items():
        for word in (key, zh, *(aliases or {}).get(key, ())):
            words[normalise(word)] = key
    return words


SECTOR_WORDS = _words(SECTORS, _SECTOR_ALIASES)
LEDGER_SECTOR_WORDS = {**SECTOR_WORDS, "other": "other", "其他": "other"}
FUEL_WORDS = _words(FUELS, {"raw_coal": ("煤", "煤炭"), "gangue": ("矸石",), "briquette": ("蜂窝煤",)})
QUALITY_WORDS = _words(QUALITIES, {"derived": ("计算",), "estimated": ("估计",)})
CITY_WORDS = {
    normalise(w): c.id
    for c in CITIES
    for w in (c.id, c.name_en, c.name_en.replace("'", "’"), c.name_zh, c.name_zh + "市")
} | {
    normalise("杨凌示范区"): "yangling",
    normalise("西安(含西咸新区)"): "xian",
}

LEVEL_WORDS = _words(
    {"yellow": "黄色", "orange": "橙色", "red": "红色"},
    {
        "yellow": ("黄", "黄色预警", "Ⅲ级", "III级", "三级", "Ⅲ", "III"),
        "orange": ("橙", "橙色预警", "Ⅱ级", "II级", "二级", "Ⅱ", "II"),
        "red": ("红", "红色预警", "Ⅰ级", "I级", "一级", "Ⅰ", "I"),
    },
)
ROUTE_WORDS = _words(
    {
        "electricity": "电",
        "gas": "气",
        "district_heat": "集中供热",
        "clean_coal": "洁净煤",
        "biomass": "生物质",
        "geothermal": "地热",
        "solar": "太阳能",
    },
    {
        "electricity": ("宜电", "宜电则电", "煤改电"),
        "gas": ("宜气", "宜气则气", "煤改气", "天然气"),
        "district_heat": ("宜热", "宜热则热", "热", "热力"),
        "clean_coal": ("宜煤", "宜煤则煤", "清洁煤"),
    },
)
POLLUTANT_WORDS = _words(
    {
        "SO2": "二氧化硫",
        "NOx": "氮氧化物",
        "PM10": "可吸入颗粒物",
        "PM25": "细颗粒物",
        "BC": "黑碳",
        "OC": "有机碳",
        "VOC": "挥发性有机物",
        "NH3": "氨",
        "CO": "一氧化碳",
    },
    {"PM25": ("PM2.5",), "VOC": ("VOCs",), "NH3": ("氨气",)},
)


def named(word: str, words: Mapping[str, str], where: str) -> str:
    """Return the id that a word of the command line stands for.

    Parameters
    ----------
    word : str
        In Chinese or English.
    words : mapping
        Word as `normalise` writes it -> id, such as `CITY_WORDS`.
    where : str
        Name of the option, such as ``--city``.

    Raises
    ------
    InputError
        Not one of them; what may have been meant is named.
    """
    found = words.get(normalise(word))
    if found is not None:
        return found
    ids = list(dict.fromkeys(words.values()))
    near = difflib.get_close_matches(normalise(word), words, n=1, cutoff=0.6)
    meant_en, meant_zh = (f"; did you mean {words[near[0]]}?", f"；是否应为 {words[near[0]]}？") if near else ("", "")
    en, zh = f"must be one of {', '.join(ids)}{meant_en}", f"须为 {'、'.join(ids)} 之一{meant_zh}"
    raise InputError([Problem(where, "", "", word, en, zh)])
