"""Where it comes from: mass budget, inputs with their hashes, quality of the emissions, software."""

from __future__ import annotations

import xarray as xr

from airsim.output import words
from airsim.output.findings import Findings, group
from airsim.output.page import Grid, Section
from airsim.output.words import Text
from airsim.result import variables


def section(tree: xr.DataTree, found: Findings) -> Section | None:
    """Return the section, None where the result says nothing of its origin."""
    budget, provenance = group(tree, "budget"), group(tree, "provenance")
    grids: list[Grid] = []
    if provenance is not None and "input_file" in provenance:
        grids.append(inputs(provenance))
    if provenance is not None and "emission_share" in provenance:
        grids.append(qualities(provenance))
    if budget is not None:
        grids.append(mass(budget))
    if provenance is not None and "package_name" in provenance:
        grids.append(software(provenance))
    if not grids:
        return None
    return Section(
        "provenance",
        Text("输入与出处", "Inputs and sources"),
        grids=grids,
        heading=Text("物质收支、输入与出处", "Mass budget, inputs and sources"),
        sheet=Text("输入与出处", "Inputs and sources"),
    )


def remarks(provenance: xr.Dataset | None) -> list[Grid]:
    """Return what of the inputs was not used or was assumed, as a table; none where there is nothing to say."""
    if provenance is None or "remark" not in provenance or not provenance.sizes["note"]:
        return []
    rows = [
        [i + 1, Text(str(zh), str(en))]
        for i, (zh, en) in enumerate(
            zip(provenance["remark_zh"].to_numpy(), provenance["remark"].to_numpy(), strict=True)
        )
    ]
    title = Text(
        f"读取输入时的提示（{len(rows)} 条）：未使用、被略过或作了假定的内容",
        f"Remarks on reading the inputs ({len(rows)}): what was not used, passed over or assumed",
    )
    return [Grid(title, words.heads("序号|no.", "内容|remark"), rows, [0, 0], folded=True, printed=20)]


def mass(budget: xr.Dataset) -> Grid:
    """Return what came in, what is there and what went, tracer by tracer [t]."""
    if "case" in budget.dims:
        budget = budget.sel(case="base")
    names = [n for n in words.BUDGET if n in budget]
    rows = [
        [
            str(tracer),
            # what does not close is far below a tonne
            *(f"{float(v):.1e}" if n == "closure" else float(v) / 1e3 for n, v in ((n, at[n]) for n in names)),
        ]
        for tracer, at in ((t, budget.sel(tracer=t)) for t in budget["tracer"].to_numpy())
    ]
    note = str(budget.attrs.get("undershoot", ""))
    return Grid(
        Text("物质收支（吨）", "Mass budget [t]"),
        [Text("示踪物", "tracer"), *(words.BUDGET[n] for n in names)],
        rows,
        [0] * (1 + len(names)),
        Text(f"数值欠冲：{note}", f"Numerical undershoot: {note}") if note else None,
    )


def inputs(provenance: xr.Dataset) -> Grid:
    """Return the files that were read, what they are and their hashes."""
    read = {n: provenance[f"input_{n}"].to_numpy().astype(str) for n in ("file", "kind", "note", "note_zh", "sha256")}
    rows = [
        [file, words.name(words.KINDS, kind), Text(note_zh or note, note), sha256]
        for file, kind, note, note_zh, sha256 in zip(*read.values(), strict=True)
    ]
    named = (("file", "file"), ("kind", "kind"), ("note_zh", "note"), ("sha256", "sha256"))
    label = {n: variables.lookup("/provenance", f"input_{n}") for pair in named for n in pair}
    heads = [Text(label[zh].label("zh"), label[en].label("en")) for zh, en in named]
    return Grid(Text("输入文件", "Inputs"), heads, rows, [0, 0, 0, 0])


def qualities(provenance: xr.Dataset) -> Grid:
    """Return how much of the annual emission is reported, derived and estimated."""
    share = provenance["emission_share"].transpose("quality", "pollutant")
    return Grid(
        Text("年排放量中各类数据的占比", "Share of the annual emission by quality of the figure"),
        [
            Text("数据质量", "quality"),
            *(words.name(words.POLLUTANTS, str(p)) for p in share["pollutant"].to_numpy()),
        ],
        [
            [words.name(words.QUALITIES, str(q)), *values.tolist()]
            for q, values in zip(share["quality"].to_numpy(), share.to_numpy(), strict=True)
        ],
        [0, *[-2] * share.sizes["pollutant"]],
    )


def software(provenance: xr.Dataset) -> Grid:
    """Return the packages that made the result."""
    rows = [
        [str(name), str(version)]
        for name, version in zip(
            provenance["package_name"].to_numpy(), provenance["package_version"].to_numpy(), strict=True
        )
    ]
    return Grid(Text("软件", "Software"), words.heads("软件|software", "版本|version"), rows, [0, 0], folded=True)
