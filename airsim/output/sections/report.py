"""The page of a result: what `airsim run` and `airsim report` hand to the writers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import xarray as xr

from airsim.output import findings
from airsim.output.findings import Findings
from airsim.output.page import Page, Section
from airsim.output.sections import (
    answer,
    aqi,
    attainment,
    coal,
    compliance,
    composition,
    emissions,
    joint,
    maps,
    measures,
    observed,
    plume,
    provenance,
    response,
    series,
)
from airsim.output.words import Text


def page(tree: xr.DataTree) -> Page:
    """Return the page; a section whose group is absent is left out.

    Parameters
    ----------
    tree : DataTree
        A result as in `variables.csv`.
    """
    found = findings.find(tree)
    return Page(
        answer.title(tree),
        answer.period(tree, found),
        found.notices,
        [*attainment.answers(tree, found), *answer.answers(tree, found)],
        [made for build in _SECTIONS if (made := build(tree, found)) is not None],
        [*attainment.cards(tree, found), *answer.cards(found)],
        [answer.cities(found), *provenance.remarks(findings.group(tree, "provenance"))],
    )


def _coal(tree: xr.DataTree, found: Findings) -> Section | None:
    """Return the section of the coal page, on the sheet that the workbook has for it."""
    made = coal.section(tree)
    if made is None:
        return None
    heading = Text("煤炭总量：能否实现负增长", "Coal: does consumption fall?")
    # the end of a run is about the air: the coal command prints these tables
    grids = [replace(g, printed=0) for g in made.grids]
    return replace(made, heading=heading, grids=grids, sheet=Text("煤炭平衡", "Coal balance"))


_SECTIONS: tuple[Callable[[xr.DataTree, Findings], Section | None], ...] = (
    attainment.section,
    maps.section,
    series.section,
    aqi.section,
    compliance.section,
    response.section,
    measures.section,
    joint.section,
    _coal,
    plume.section,
    composition.section,
    observed.section,
    emissions.section,
    provenance.section,
)
