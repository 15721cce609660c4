"""What was cut: the ledger of the measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim.output import words
from airsim.output.findings import Findings, group
from airsim.output.page import Grid, Section
from airsim.output.sections import figures
from airsim.output.words import Text
from airsim.result import variables

#: Rows of the ledger that a page shows; the workbook has them all.
_ROWS = 30


def section(tree: xr.DataTree, found: Findings) -> Section | None:
    """Return charts of what was cut and the ledger, None where there is neither."""
    ledger = group(tree, "measures")
    alerted = len(found.alerted) > 0
    steps, sectors = figures.attribution(tree, found), figures.sectors(tree, found)
    drawn = []
    if steps is not None:
        caption = (
            Text(
                "各类措施在预警时段平均削减的 PM2.5（按情景中的次序逐步加入）",
                "PM2.5 removed by each kind of measure, mean of the alert hours (added in the scenario's order)",
            )
            if alerted
            else Text(
                "各类措施平均削减的 PM2.5（按情景中的次序逐步加入）",
                "PM2.5 removed by each kind of measure, mean (added in the scenario's order)",
            )
        )
        about = Text("各类措施削减的 PM2.5", "PM2.5 removed by kind of measure")
        drawn.append(figures.described(steps, about, caption))
    if sectors is not None:
        caption = (
            Text("预警城市过程期间日均排放量（吨/天）", "Mean daily emission during the episode, alerted cities [t/d]")
            if alerted
            else Text("全部城市过程期间日均排放量（吨/天）", "Mean daily emission during the episode, all cities [t/d]")
        )
        drawn.append(figures.described(sectors, Text("分部门排放量", "emissions by sector"), caption))
    if ledger is None and not drawn:
        return None
    return Section(
        "measures",
        Text("措施", "Measures"),
        figures=drawn,
        grids=[totals(ledger), rows(ledger, found)] if ledger is not None else [],
        heading=Text("减了什么：措施台账", "What was cut: the measures"),
        sheet=Text("措施合计", "Measures, totals"),
    )


def totals(ledger: xr.Dataset) -> Grid:
    """Return what each measure removes in all, by substance."""
    # these alone: other dimensions of a group would multiply the rows
    frame = ledger[["row_measure", "row_unit", "row_pollutant", "removed"]].to_dataframe()
    table = frame.pivot_table(
        index=["row_measure", "row_unit"], columns="row_pollutant", values="removed", aggfunc="sum", sort=False
    )
    return Grid(
        Text("各措施合计", "Totals by measure"),
        [*words.heads("措施|measure", "单位|unit"), *(words.substance(str(p)) for p in table.columns)],
        [
            [words.measure(str(measure)), _unit(str(unit)), *values.tolist()]
            for (measure, unit), values in zip(table.index.to_list(), table.to_numpy(), strict=True)
        ],
        [0, 0, *[0] * len(table.columns)],
    )


def rows(ledger: xr.Dataset, found: Findings) -> Grid:
    """Return the rows of the ledger, the largest first."""

    def city(value: str) -> Text:
        return found.name(value)

    columns: dict[str, Any] = {
        "row_measure": words.measure,
        "row_kind": lambda v: words.name(words.MEASURES, v),
        "row_city": city,
        "row_sector": lambda v: words.name(words.SECTORS, v),
        "row_source": str,
        "row_pollutant": words.substance,
        "removed": float,
        "row_unit": _unit,
    }
    named = {n: say for n, say in columns.items() if n in ledger}
    frame: pd.DataFrame = ledger[list(named)].to_dataframe()
    read = {n: frame[n].tolist() for n in named}
    order = np.argsort(-frame["removed"].to_numpy(), kind="stable")
    labels = [variables.lookup("/measures", n) for n in named]
    return Grid(
        Text("台账各行，减少量最大的在先", "Rows of the ledger, the largest first"),
        [Text(v.label("zh"), v.label("en")) for v in labels],
        [[say(read[n][i]) for n, say in named.items()] for i in order],
        [2 if n == "removed" else 0 for n in named],
        folded=True,
        most=_ROWS,
        sheet=Text("措施台账", "Measures ledger"),
    )


def _unit(units: str) -> Text:
    return Text(variables.unit_label(units, "zh"), variables.unit_label(units, "en"))
