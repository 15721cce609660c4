"""PM2.5 on the map, without and with the measures."""

from __future__ import annotations

import xarray as xr

from airsim.output.findings import Findings
from airsim.output.page import Section
from airsim.output.sections import figures
from airsim.output.words import Text


def section(tree: xr.DataTree, found: Findings) -> Section | None:
    """Return the maps under their slider, None where the result has no fields."""
    drawn = figures.maps(tree, found)
    if drawn is None:
        return None
    note = Text(
        "地面层日均浓度；各图、各日用同一色标，最高的 0.5 % 网格可能超出色标。滑块最左为过程平均，默认显示最重的一天。"
        "差值为蓝色表示降低。",
        "Daily mean in the lowest layer; every map and day has the same colour scale, the highest 0.5 % of cells may "
        "exceed it. The slider's left end is the mean of the episode; it starts on the worst day. Blue in the "
        "difference means lower.",
    )
    return Section(
        "maps",
        Text("分布图", "Maps"),
        notes=[note],
        heading=Text("PM2.5 分布：有无措施之比较", "PM2.5 on the map, with and without the measures"),
        maps=drawn | figures.MAP_COLOURS,
    )
