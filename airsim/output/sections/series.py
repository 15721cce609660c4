"""PM2.5 hour by hour in the cities, and the weather that made it."""

from __future__ import annotations

import xarray as xr

from airsim.output.findings import Findings
from airsim.output.page import Section
from airsim.output.sections import figures
from airsim.output.words import Text

#: So many cities stand in sight, the others behind a fold.
_IN_SIGHT = 8


def section(tree: xr.DataTree, found: Findings) -> Section:
    """Return a chart a city, and one of the weather."""
    drawn = []
    for figure, (_, city) in zip(figures.series(tree, found), found.cities.iterrows(), strict=True):
        about = Text(f"PM2.5 逐时变化：{city['zh']}", f"PM2.5 by hour: {city['en']}")
        drawn.append(figures.described(figure, about))
    weather = figures.weather(tree, found)
    about = Text("混合层高度与风速", "mixing height and wind speed")
    legend = Text(
        "红线为基准，蓝线为控制；底色为预警时段（橙、红）；虚线为日均值对应的 AQI 级别界限，逐时值仅供参照。北京时间。",
        "Red: base, blue: controlled; shading: time under alert (orange, red); dashed: where the AQI classes of daily "
        "means begin, for orientation. Beijing time.",
    )
    return Section(
        "series",
        Text("逐时变化", "Hour by hour"),
        [legend],
        [*drawn[:_IN_SIGHT], *([figures.described(weather, about)] if weather is not None else [])],
        more=drawn[_IN_SIGHT:],
        heading=Text("各城市逐时变化", "Hour by hour in the cities"),
    )
