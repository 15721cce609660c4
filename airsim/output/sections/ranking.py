"""The page of `airsim rank`: enterprises and area sources by their marginal impact on each city, the largest first."""

from __future__ import annotations

import xarray as xr

from airsim.output import findings, words
from airsim.output.page import Grid, Page, Section
from airsim.output.words import Text

_KINDS = {"enterprise": Text("企业", "enterprises"), "area": Text("面源", "area sources")}
#: So many of each are printed; the workbook has all.
_PRINTED = 15


def page(tree: xr.DataTree, ranking: xr.Dataset) -> Page:
    """Return the page.

    Parameters
    ----------
    tree : DataTree
        The result, for its title.
    ranking : Dataset
        The group ``/ranking`` (`airsim.assess.ranking.rank`).
    """
    cities = [str(c) for c in ranking["receptor"].values]
    answers = []
    for city in cities:
        name, base = words.city(city), float(ranking["pm25_base"].sel(receptor=city))
        answers.append(
            Text(
                f"{name.zh}：PM2.5 时段均值 {base:.1f} μg/m³；各源的边际影响见下表。",
                f"{name.en}: PM2.5 {base:.1f} μg/m³ in the window mean; the tables tell the marginal impact on it.",
            )
        )
    return Page(
        findings.title(tree),
        Text("各源对 PM2.5 的边际影响（伴随）", "Marginal impact of sources on PM2.5 (adjoint)"),
        [],
        answers,
        [Section(c, words.city(c), grids=[_grid(ranking, c, kind) for kind in _KINDS]) for c in cities],
    )


def _grid(ranking: xr.Dataset, city: str, kind: str) -> Grid:
    """Return the enterprises or the area sources by their impact on a city."""
    at, name, title = ranking.sel(receptor=city), words.city(city), _KINDS[kind]
    base, impact = float(at["pm25_base"]), at[f"{kind}_impact"].values
    per_tonne, place = at[f"{kind}_impact_per_tonne"].values, at[f"{kind}_rank"].values
    called, where, sector = (ranking[f"{kind}_{c}"].values.astype(str) for c in ("name", "city", "sector"))
    emitted = ranking[f"{kind}_emitted"].values
    rows = [
        [
            int(place[i]), str(called[i]), words.city(where[i]), words.name(words.SECTORS, sector[i]), float(impact[i]),
            float(impact[i]) / base, 1e3 * float(per_tonne[i]), *map(float, emitted[i]),
        ]
        for i in impact.argsort()[::-1]
    ]  # fmt: skip
    pollutants = [words.name(words.POLLUTANTS, str(p)) for p in ranking["pollutant"].values]
    heads = words.heads(
        "排名|rank", "名称|name", "城市|city", "行业|sector", "影响 μg/m³|impact μg/m³", "占比|share",
        "每千吨 μg/m³|per kt μg/m³", *(f"{p.zh} t|{p.en} t" for p in pollutants),
    )  # fmt: skip
    return Grid(
        Text(f"{name.zh}-{title.zh}", f"{name.en} {title.en}"),
        heads,
        rows,
        [0, 0, 0, 0, 3, -3, 3, *[1] * len(pollutants)],
        Text(
            f"对{name.zh} PM2.5 时段均值的边际影响；基准 {base:.1f} μg/m³",
            f"marginal impact on the window mean of PM2.5 in {name.en}; base {base:.1f} μg/m³",
        ),
        printed=_PRINTED,
    )
