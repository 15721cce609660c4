"""What identifiers are called in print, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from airsim.errors import Lang


class Text(NamedTuple):
    """A phrase in both languages."""

    zh: str
    en: str

    def of(self, lang: Lang) -> str:
        """Return the phrase in one language."""
        return self.zh if lang == "zh" else self.en


#: Verdict of a test (-1: not tested).
VERDICTS = {1: Text("达标", "pass"), 0: Text("未达标", "FAIL"), -1: Text("—", "-")}
CASES = {"base": Text("基准情形", "base"), "controlled": Text("控制情形", "controlled")}
LEVELS = {
    "yellow": Text("黄色预警（Ⅲ级响应）", "yellow alert (level III)"),
    "orange": Text("橙色预警（Ⅱ级响应）", "orange alert (level II)"),
    "red": Text("红色预警（Ⅰ级响应）", "red alert (level I)"),
}
SECTORS = {
    "power": Text("电力", "power"),
    "heat": Text("供热", "heat supply"),
    "steel": Text("钢铁", "steel"),
    "coking": Text("焦化", "coking"),
    "cement": Text("水泥", "cement"),
    "industry": Text("其他工业", "other industry"),
    "small_industry": Text("小型工业", "small industry"),
    "residential": Text("民用（散煤）", "residential"),
    "transport": Text("道路移动源", "road transport"),
    "offroad": Text("非道路移动源", "off-road machinery"),
    "dust": Text("扬尘源", "dust"),
    "agriculture": Text("农业", "agriculture"),
    "solvent": Text("溶剂使用", "solvent use"),
    "other": Text("其他", "other"),
}
POLLUTANTS = {
    "SO2": Text("SO₂", "SO₂"),
    "NOx": Text("NOx", "NOx"),
    "PM10": Text("PM10", "PM10"),
    "PM25": Text("PM2.5", "PM2.5"),
    "PM": Text("颗粒物", "PM"),
    "BC": Text("黑碳", "BC"),
    "OC": Text("有机碳", "OC"),
    "VOC": Text("VOCs", "VOC"),
    "NH3": Text("NH₃", "NH₃"),
    "CO": Text("CO", "CO"),
    "coal": Text("煤炭", "coal"),
    "pm25": Text("PM2.5", "PM2.5"),
    "pm10": Text("PM10", "PM10"),
    "so2": Text("SO₂", "SO₂"),
    "no2": Text("NO₂", "NO₂"),
    "nox": Text("NOx", "NOx"),
    "co": Text("CO", "CO"),
}
COMPONENTS = {
    "om": Text("一次有机物", "primary organic matter"),
    "soa": Text("二次有机物", "secondary organic matter"),
    "nitrate": Text("硝酸盐", "nitrate"),
    "sulphate": Text("硫酸盐", "sulphate"),
    "ammonium": Text("铵盐", "ammonium"),
    "bc": Text("黑碳", "black carbon"),
    "other": Text("其他一次颗粒物（尘、灰）", "other primary (dust, ash)"),
}
MEASURES = {
    "emergency": Text("应急减排", "emergency cuts"),
    "cut": Text("按比例削减", "percentage cut"),
    "coal_substitution": Text("散煤替代", "coal substitution"),
    "stop": Text("停产", "stop"),
    "limit": Text("限产", "limit"),
    "retire": Text("淘汰关停", "retirement"),
    "new_project": Text("新建项目", "new project"),
    "efficiency": Text("节能增效", "efficiency"),
    "clean_coal_supply": Text("洁净煤配送", "clean-coal supply"),
    "activity_growth": Text("产量增长", "activity growth"),
    "weather": Text("气温影响", "weather"),
}
#: Routes of coal substitution.
ROUTES = {
    "electricity": Text("电（空气源热泵）", "electricity"),
    "gas": Text("天然气", "gas"),
    "district_heat": Text("集中供热", "district heat"),
    "clean_coal": Text("洁净煤", "clean coal"),
    "biomass": Text("生物质", "biomass"),
    "geothermal": Text("地热", "geothermal"),
    "solar": Text("太阳能", "solar"),
}
#: Limits of the routes.
LIMITS = {
    "gas": Text("冬季供气", "winter gas"),
    "grid": Text("电网容量", "grid"),
    "heat": Text("热网能力", "heat network"),
}
#: How well a rule's value is known.
STATUSES = {
    "sourced": Text("有出处", "sourced"),
    "derived": Text("推算", "derived"),
    "memory": Text("凭记忆，未经核对", "from memory, unverified"),
    "estimate": Text("估计", "estimate"),
}
COAL_LINES = {
    "base": Text("基准年消费量", "base year"),
    "growth": Text("自然增长", "growth"),
    "weather": Text("气温影响", "weather"),
    "new_projects": Text("新建项目", "new projects"),
    "offsets": Text("减量替代", "offsets"),
    "substitution": Text("清洁能源替代", "substitution"),
    "retirement": Text("淘汰关停", "retirement"),
    "efficiency": Text("节能增效", "efficiency"),
    "measures": Text("减煤措施", "measures"),
    "target": Text("目标年消费量", "target year"),
}
FUELS = {
    "raw_coal": Text("原煤", "raw coal"),
    "washed_coal": Text("洗精煤", "washed coal"),
    "other_washed_coal": Text("其他洗煤", "other washed coal"),
    "anthracite": Text("无烟煤", "anthracite"),
    "briquette": Text("型煤", "briquette"),
    "coal_slime": Text("煤泥", "coal slime"),
    "feedstock_coal": Text("原料煤", "feedstock coal"),
    "gangue": Text("煤矸石", "gangue"),
    "coke": Text("焦炭", "coke"),
    "semi_coke": Text("兰炭", "semi-coke"),
    "petroleum_coke": Text("石油焦", "petroleum coke"),
}
QUALITIES = {
    "reported": Text("填报", "reported"),
    "derived": Text("推算", "derived"),
    "estimated": Text("估计", "estimated"),
}
KINDS = {
    "measured": Text("实测", "measured"),
    "modelled": Text("模式输出", "modelled"),
    "derived": Text("推算", "derived"),
    "estimated": Text("估计", "estimated"),
    "synthetic": Text("合成", "synthetic"),
    "illustrative": Text("示意", "illustrative"),
    "rule": Text("规则", "rule"),
    "scenario": Text("情景", "scenario"),
    "reported": Text("填报", "reported"),
}
BUDGET = {
    "emitted": Text("排放", "emitted"),
    "inflow": Text("流入", "carried in"),
    "initial": Text("初始", "at the start"),
    "chemistry": Text("化学净增", "chemistry"),
    "in_air": Text("期末留存", "in the air at the end"),
    "dry_deposited": Text("干沉降", "dry deposition"),
    "wet_deposited": Text("湿沉降", "wet deposition"),
    "outflow": Text("流出", "carried out"),
    "closure": Text("不闭合", "not closed"),
}

#: Classes of the AQI: upper end, name, official colour (RGB) and the colour of text on it.
#: HJ 633-2012, table 2 and annex A; HJ 633-2026 keeps them.
AQI_CLASSES = (
    (50, Text("优", "good"), (0, 228, 0), "#000"),
    (100, Text("良", "moderate"), (255, 255, 0), "#000"),
    (150, Text("轻度污染", "lightly polluted"), (255, 126, 0), "#000"),
    (200, Text("中度污染", "moderately polluted"), (255, 0, 0), "#fff"),
    (300, Text("重度污染", "heavily polluted"), (153, 0, 76), "#fff"),
    (500, Text("严重污染", "severely polluted"), (126, 0, 35), "#fff"),
)

#: Order in which an office in Guanzhong lists the cities; any others follow in the order of the result.
CITY_ORDER = ("xian", "baoji", "xianyang", "tongchuan", "weinan", "yangling", "hancheng", "shangluo")


def name(words: Mapping[str, Text], identifier: str) -> Text:
    """Return what an identifier is called; unknown ones are printed as they are."""
    return words.get(identifier, Text(identifier, identifier))


def heads(*pairs: str) -> list[Text]:
    """Return column heads from ``"中文|English"``; one without a bar reads the same in both languages."""
    return [Text(zh, en or zh) for zh, _, en in (p.partition("|") for p in pairs)]


def city(identifier: str) -> Text:
    """Return a city's name; unknown identifiers are printed as they are."""
    from airsim.geography import CITIES  # brings map projections, which a page without cities does without

    return next((Text(c.name_zh, c.name_en) for c in CITIES if c.id == identifier), Text(identifier, identifier))


def qualities(text: str) -> Text:
    """Return what the qualities of data, separated by commas, are called."""
    found = [name(QUALITIES | KINDS, q.strip()) for q in text.split(",") if q.strip()]
    return Text("、".join(q.zh for q in found), ", ".join(q.en for q in found))


def substance(identifier: str) -> Text:
    """Return what a pollutant or a fuel is called."""
    return name(POLLUTANTS | FUELS, identifier)


def measure(label: str) -> Text:
    """Return what a measure's label (``"1-emergency"``, ``"cut-2"``) is called."""
    own, bracket, route = label.removesuffix(")").partition(" (")
    if bracket and label.endswith(")") and route in ROUTES:
        # the part of a substitution that a limit sent another way
        first = measure(own)
        return Text(f"{first.zh}（改{ROUTES[route].zh}）", f"{first.en} ({ROUTES[route].en} instead)")
    parts = label.split("-")
    if not any(p in MEASURES for p in parts):
        return Text(label, label)
    named = [name(MEASURES, p) for p in parts]
    return Text(" ".join(n.zh for n in named), " ".join(n.en for n in named))


def aqi_class(value: float) -> tuple[Text, tuple[int, int, int], str] | None:
    """Return (name, colour, text colour) of an AQI [1], None where there is none."""
    for upper, text, colour, ink in AQI_CLASSES:
        if value <= upper:
            return text, colour, ink
    return AQI_CLASSES[-1][1:] if value > 0 else None
