"""What is emitted: by city and sector, and by every enterprise."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from airsim.output import words
from airsim.output.findings import Findings, group
from airsim.output.page import Grid, Section
from airsim.output.words import Text
from airsim.result import variables

#: Rows that a page shows; the workbook has them all.
_ROWS = 30


def section(tree: xr.DataTree, found: Findings) -> Section | None:
    """Return the emissions as tables, None where the result has neither of them."""
    emissions, enterprises = group(tree, "emissions"), group(tree, "enterprises")
    grids = [] if emissions is None else [by_sector(emissions, found)]
    if enterprises is not None:
        grids.append(by_enterprise(enterprises, found))
    if not grids:
        return None
    return Section("emissions", Text("排放清单", "Emissions"), grids=grids)


def by_sector(emissions: xr.Dataset, found: Findings) -> Grid:
    """Return annual emissions of the base inventory and the episode's daily means by city and sector."""
    annual = emissions["emission_annual"]
    if "case" in annual.dims:
        annual = annual.sel(case="base")
    names = [words.name(words.POLLUTANTS, str(p)) for p in emissions["pollutant"].to_numpy()]
    cases = [c for c in words.CASES if "case" in emissions and c in emissions["case"]]
    heads = [*words.heads("城市|city", "部门|sector"), *_annual(names)]
    for case in cases:
        heads += [_daily(n, case) for n in names]
    rows: list[list[Any]] = []
    totals = []
    for city in found.cities.index:
        tables = [annual.sel(city=city), *(emissions["emission_daily"].sel(city=city, case=c) for c in cases)]
        values = np.concatenate([t.transpose("sector", "pollutant").to_numpy() for t in tables], axis=1)
        for sector, row in zip(emissions["sector"].to_numpy(), values, strict=True):
            if np.nansum(row) > 0:
                rows.append([found.name(city), words.name(words.SECTORS, str(sector)), *row.tolist()])
        totals.append(len(rows))
        rows.append([found.name(city), Text("合计", "total"), *np.nansum(values, axis=0).tolist()])
    return Grid(
        Text("排放清单汇总", "Emission summary"),
        heads,
        rows,
        [0, 0, *[1] * (len(heads) - 2)],
        Text(
            "年排放量为基准清单；kg/d 为过程期间日均排放量。",
            "Annual figures are the base inventory; kg/d is the mean of the episode's days.",
        ),
        folded=True,
        most=_ROWS,
        totals=totals,
    )


def by_enterprise(enterprises: xr.Dataset, found: Findings) -> Grid:
    """Return every enterprise with what it emits in a year and on a day of the episode."""
    columns = ("name", "city", "county", "sector", "grade", "longitude", "latitude")
    texts = [f"enterprise_{n}" for n in columns if f"enterprise_{n}" in enterprises]
    names = [words.name(words.POLLUTANTS, str(p)) for p in enterprises["pollutant"].to_numpy()]
    cases = [c for c in words.CASES if "emission_daily" in enterprises and c in enterprises["case"]]
    labelled = ["enterprise", *texts, *(["coal"] if "coal" in enterprises else [])]
    heads = [_label(n) for n in labelled] + _annual(names)
    for case in cases:
        heads += [_daily(n, case) for n in names]
    heads += [_label(f"enterprise_{n}") for n in ("quality", "source")]
    say: dict[str, Any] = {
        "enterprise_city": found.name,
        "enterprise_sector": lambda v: words.name(words.SECTORS, v),
    }
    read = {n: enterprises[n].to_numpy().tolist() for n in labelled}
    annual = enterprises["emission_annual"].transpose("enterprise", "pollutant").to_numpy()
    daily = [enterprises["emission_daily"].sel(case=c).transpose("enterprise", "pollutant").to_numpy() for c in cases]
    blank = [""] * enterprises.sizes["enterprise"]
    quality, source = (
        enterprises[f"enterprise_{n}"].to_numpy().tolist() if f"enterprise_{n}" in enterprises else blank
        for n in ("quality", "source")
    )
    rows = [
        [
            *(say.get(n, lambda v: v)(read[n][i]) for n in labelled), *annual[i].tolist(),
            *(v for table in daily for v in table[i].tolist()), words.name(words.QUALITIES, quality[i]), source[i],
        ]
        for i in range(enterprises.sizes["enterprise"])
    ]  # fmt: skip
    places = {"enterprise_longitude": 4, "enterprise_latitude": 4}
    digits = [places.get(n, 0) for n in labelled] + [1] * (len(heads) - len(labelled) - 2) + [0, 0]
    return Grid(Text("企业", "Enterprises"), heads, rows, digits, folded=True, most=_ROWS)


def _label(name: str) -> Text:
    found = variables.lookup("/enterprises", name)
    return Text(found.label("zh"), found.label("en"))


def _annual(names: list[Text]) -> list[Text]:
    zh, en = (variables.unit_label("t year-1", lang) for lang in ("zh", "en"))
    return [Text(f"{n.zh} {zh}", f"{n.en} {en}") for n in names]


def _daily(name: Text, case: str) -> Text:
    called = words.CASES[case]
    return Text(f"{name.zh} {called.zh} kg/d", f"{name.en} {called.en} kg/d")
