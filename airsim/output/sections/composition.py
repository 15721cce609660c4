"""What PM2.5 is made of."""

from __future__ import annotations

import xarray as xr

from airsim.output.findings import Findings
from airsim.output.page import Section
from airsim.output.sections import figures
from airsim.output.words import Text


def section(tree: xr.DataTree, found: Findings) -> Section | None:
    """Return the chart of components by city, None where the result has none."""
    figure = figures.composition(tree, found)
    if figure is None:
        return None
    note = Text(
        "基准情形过程平均。最左一列（如有）为西安冬季文献值。",
        "Base case, mean of the episode. The first bar, if there is one, is published for Xi'an in winter.",
    )
    return Section(
        "composition",
        Text("组分", "Composition"),
        figures=[figures.described(figure, Text("PM2.5 组分", "composition of PM2.5"))],
        notes=[note],
        heading=Text("PM2.5 由什么组成", "What PM2.5 is made of"),
    )
