"""Joint control in the report: whose emissions are in whose air, where a tonne hurts most, which source counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from airsim.clock import to_beijing
from airsim.output import words
from airsim.output.findings import Findings, group
from airsim.output.page import Grid, Section
from airsim.output.sections.figures import MAP_COLOURS, Figure, both, described, numbers, outline, pack, said
from airsim.output.words import Text

#: Enterprises and area sources that are printed for each city; result.nc and the workbook have them all.
_ROWS = 15
_GUANZHONG = ("xian", "baoji", "xianyang", "tongchuan", "weinan", "yangling", "hancheng")
_OUTSIDE = {
    "elsewhere": Text("网格内其他地区", "elsewhere on the grid"),
    "background": Text("区域外流入", "carried in from outside"),
}

#: The three ways of attribution: short name, and what it does.
_WAYS = {
    "tag": (Text("标记法", "tag"), Text("标记法：按前体物份额分配，合计等于总量", "tag: shared by precursor, adds up")),
    "zero_out": (
        Text("清零法", "zero-out"),
        Text("清零法：该城市全部排放去掉后的降低", "zero-out: what would go with that city"),
    ),
    "adjoint": (
        Text("伴随法", "adjoint"),
        Text("伴随法：减排第一吨的效果（边际）", "adjoint: what the first tonne brings"),
    ),
}
_KINDS = {"enterprise": Text("企业", "enterprises"), "area": Text("面源", "area sources")}
_AREA_IMPACT = Text("面源影响", "Impact of area sources")
_WAYS_NOTE = Text(
    "标记法把每种物质按前体物份额分给来源，合计为 100 %；清零法是去掉该城市全部排放后降低多少，各城市之和不等于总量；"
    "伴随法是减排第一吨的效果（边际）。一次颗粒物三者相同；差别来自硝酸盐与铵盐平衡：气体比（自由氨与总硝酸摩尔比）"
    "远大于 1 时三者接近，小于 1 时硝酸盐由氨决定，三者分开。",
    "Tag shares each substance among the sources by its precursor and adds up to 100 %; zero-out is what would go if "
    "all emissions of that city went, and does not add up; adjoint is what the first tonne brings. For primary "
    "particles the three agree; they part through the nitrate and ammonium equilibrium: with a gas ratio (free ammonia "
    "over total nitrate, moles) far above 1 they are close, below 1 nitrate follows ammonia.",
)
_MAPS_NOTE = Text(
    "多排一吨，在哪里排影响最大：近地面、时段内均匀多排时该城市 PM2.5 时段均值的升高（边际，伴随法）；"
    "三角为对该城市影响最大的企业。",
    "Where a tonne hurts most: rise of the city's window mean by emission at the ground, evenly over the window "
    "(marginal, adjoint); triangles are the enterprises that count most for the city.",
)


def section(tree: xr.DataTree, found: Findings) -> Section | None:
    """Return the section, None where the result has neither transfer matrix nor ranking."""
    transfer, ranking = group(tree, "transfer"), group(tree, "ranking")
    some = transfer if transfer is not None else ranking
    if some is None:
        return None
    drawn: list[Figure] = []
    more: list[Figure] = []
    grids: list[Grid] = []
    notes: list[Text] = []
    if transfer is not None:
        drawn.append(described(_heat(transfer, found), Text("城市间传输矩阵", "transfer matrix between cities")))
        grids += [_shares(transfer, found), *_matrices(transfer, found)]
        notes.append(_WAYS_NOTE)
    if ranking is not None:
        notes.append(_MAPS_NOTE)
        for first, figure in _maps(tree, ranking, found):
            (drawn if first else more).append(figure)
        for city in ranking["receptor"].to_numpy():
            grids += [_largest_of(ranking, found, str(city), kind) for kind in _KINDS]
        grids += [_impact(ranking, found, kind) for kind in _KINDS]
    return Section(
        "joint",
        Text("联防联控", "Joint control"),
        [_window(some)],
        drawn,
        grids,
        more,
        notes=notes,
        heading=Text("联防联控：谁的排放在谁的空气里", "Joint control: whose emissions are in whose air"),
        sheet=Text("传输与影响", "Transfer and impact"),
    )


def _window(some: xr.Dataset) -> Text:
    start, end = (to_beijing(pd.Timestamp(str(some.attrs[f"window_{k}"]))) for k in ("start", "end"))
    text = f"{start:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M}"
    return Text(f"时段平均：{text}（北京时间），基准情形", f"Mean of {text} Beijing time, base case")


def _name(found: Findings, place: str) -> Text:
    return _OUTSIDE.get(place) or found.name(place)


def _order(found: Findings, present: list[str]) -> list[str]:
    """Return places in office order, what is no city last."""
    cities = [c for c in found.cities.index if c in present]
    return [*cities, *(p for p in present if p not in cities)]


def _heat(transfer: xr.Dataset, found: Findings) -> Figure:
    """Return the transfer matrix of PM2.5 by tag: share of each source in each city's air."""
    receptors = _order(found, [str(c) for c in transfer["receptor"].to_numpy()])
    sources = _order(found, [str(c) for c in transfer["source"].to_numpy()])
    part = transfer["contribution"].sel(approach="tag", species="pm25", source=sources, receptor=receptors)
    part = part.transpose("source", "receptor")
    total = transfer["total"].sel(species="pm25", receptor=receptors).to_numpy()
    share = 100 * part.to_numpy() / total
    # what comes from far away would drown the differences between the cities
    top = float(np.nanpercentile(share[: len(receptors)], 97))
    return {
        "id": "transfer",
        "data": [
            {
                "type": "heatmap",
                "x": [both(_name(found, c)) for c in receptors],
                "y": [both(_name(found, c)) for c in sources],
                "z": pack(share),
                "zmin": 0,
                "zmax": max(top, 10.0),
                "colorscale": MAP_COLOURS["sequential"],
                "colorbar": {"title": {"text": "%"}, "thickness": 12},
                "text": [[f"{v:.0f}" if v >= 0.5 else "" for v in row] for row in share],
                "texttemplate": "%{text}",
                "customdata": [numbers(row, 2) for row in part.to_numpy()],
                "hovertemplate": "%{y} → %{x}<br>%{z:.1f} %, %{customdata} μg/m³<extra></extra>",
            }
        ],
        "layout": {
            "margin": {"l": 110, "r": 10, "t": 40, "b": 70},
            "height": 150 + 26 * len(sources),
            "title": {
                "text": said(
                    "PM2.5 来源占比（%）：行为来源城市，列为受体城市",
                    "Share of PM2.5 [%]: rows are whose emissions, columns whose air",
                ),
                "x": 0.02,
                "font": {"size": 14},
            },
            "yaxis": {"autorange": "reversed"},
            "xaxis": {"side": "bottom"},
        },
    }


def _shares(transfer: xr.Dataset, found: Findings) -> Grid:
    """Return the three ways side by side: a city's own share, that of its neighbours, that from outside."""
    rows = []
    sources = [str(s) for s in transfer["source"].to_numpy()]
    cities = [s for s in sources if s not in _OUTSIDE]
    for city in _order(found, [str(c) for c in transfer["receptor"].to_numpy()]):
        at = transfer["contribution"].sel(species="pm25", receptor=city)
        total = float(transfer["total"].sel(species="pm25", receptor=city))
        near = [c for c in _GUANZHONG if c in cities and c != city]
        parts = (
            [city],
            near,
            [c for c in cities if c not in {city, *near}],
            [s for s in _OUTSIDE if s in sources],
        )
        shares = [float(at.sel(approach=way, source=part).sum()) / total for way in _WAYS for part in parts]
        rows.append([found.name(city), total, *shares, float(transfer["gas_ratio"].sel(receptor=city))])
    parts_named = words.heads("本地|own", "关中其他|Guanzhong", "周边市|neighbours", "外来|outside")
    return Grid(
        Text("三种算法之比较（占 PM2.5 的 %）", "Three ways side by side [% of PM2.5]"),
        [
            *words.heads("城市|city", "PM2.5 μg/m³"),
            *(Text(f"{w.zh} {p.zh}", f"{w.en}: {p.en}") for w, _ in _WAYS.values() for p in parts_named),
            Text("气体比", "gas ratio"),
        ],
        rows,
        [0, 1, *[-1] * 12, 1],
    )


def _matrices(transfer: xr.Dataset, found: Findings) -> list[Grid]:
    """Return source by receptor, PM2.5 [ug m-3], one table a way."""
    receptors = [str(c) for c in transfer["receptor"].to_numpy()]
    sources = [str(s) for s in transfer["source"].to_numpy()]
    total = transfer["total"].sel(species="pm25").to_numpy()
    made = []
    for way, (_, title) in _WAYS.items():
        table = transfer["contribution"].sel(approach=way, species="pm25").transpose("source", "receptor").to_numpy()
        rows = [[_name(found, s), *row.tolist()] for s, row in zip(sources, table, strict=True)]
        rows.append([Text("总浓度", "total"), *total.tolist()])
        made.append(
            Grid(
                Text(f"{title.zh}（μg/m³）", f"{title.en} [μg/m³]"),
                [Text("来源＼受体", "source \\ receptor"), *(found.name(c) for c in receptors)],
                rows,
                [0, *[2] * len(receptors)],
                folded=True,
                sheet=Text("传输矩阵", "Transfer matrix"),
                totals=[len(rows) - 1],
            )
        )
    return made


def _maps(tree: xr.DataTree, ranking: xr.Dataset, found: Findings) -> list[tuple[bool, Figure]]:
    """Return where a tonne hurts most, each map with whether it stands in sight.

    Every pollutant for the first city, PM2.5 alone for the others.
    """
    root = tree.to_dataset()
    x, y = root["x"].to_numpy() / 1e3, root["y"].to_numpy() / 1e3
    lines, labels = outline(tree, root, found)
    largest = _largest(tree, root, ranking)
    made = []
    for i, city in enumerate(ranking["receptor"].to_numpy()):
        name = found.name(str(city))
        for pollutant in ranking["pollutant"].to_numpy():
            if i and str(pollutant) != "PM25":
                continue
            field = 1e3 * ranking["tonne_field"].sel(receptor=city, pollutant=pollutant).transpose("y", "x").to_numpy()
            label = words.name(words.POLLUTANTS, str(pollutant))
            data: list[Figure] = [
                {
                    "type": "heatmap",
                    "x": numbers(x, 2),
                    "y": numbers(y, 2),
                    "z": pack(field),
                    "zmin": 0,
                    "zmax": float(np.nanpercentile(field, 99.8)) or 1.0,
                    "colorscale": MAP_COLOURS["sequential"],
                    "colorbar": {"title": {"text": said("μg/m³<br>每千吨", "μg/m³<br>per kt")}, "thickness": 10},
                    "hovertemplate": "%{z:.2f}<extra></extra>",
                },
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": lines["x"],
                    "y": lines["y"],
                    "hoverinfo": "skip",
                    "line": {"color": "rgba(20,20,20,0.6)", "width": 1},
                },
                {
                    "type": "scatter",
                    "mode": "text",
                    "x": [t["x"] for t in labels],
                    "y": [t["y"] for t in labels],
                    "text": [t["text"] for t in labels],
                    "hoverinfo": "skip",
                    "textfont": {"size": 11},
                },
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": numbers(largest[str(city)][0], 2),
                    "y": numbers(largest[str(city)][1], 2),
                    "text": largest[str(city)][2],
                    "hovertemplate": "%{text}<extra></extra>",
                    "marker": {"color": "#0b3d91", "size": 7, "symbol": "triangle-up"},
                },
            ]
            layout: Figure = {
                "title": {
                    "text": said(
                        f"多排一千吨{label.zh}，{name.zh} PM2.5 升高多少",
                        f"PM2.5 in {name.en} by one more kt of {label.en}",
                    ),
                    "x": 0.02,
                    "font": {"size": 14},
                },
                "margin": {"l": 6, "r": 6, "t": 34, "b": 10},
                "height": 330,
                "showlegend": False,
                "xaxis": {"visible": False, "range": [float(x[0]), float(x[-1])], "constrain": "domain"},
                "yaxis": {
                    "visible": False,
                    "range": [float(y[0]), float(y[-1])],
                    "scaleanchor": "x",
                    "constrain": "domain",
                },
            }
            about = Text(*layout["title"]["text"].values())
            figure = {"id": f"tonne-{i}-{pollutant}", "data": data, "layout": layout}
            made.append((i == 0, described(figure, about)))
    return made


def _largest(
    tree: xr.DataTree, root: xr.Dataset, ranking: xr.Dataset
) -> dict[str, tuple[np.ndarray, np.ndarray, list[str]]]:
    """Return place and name of the enterprises that count most for each city, on the maps' plane [km]."""
    import pyproj

    plane = pyproj.Transformer.from_crs("EPSG:4326", root.attrs["crs"], always_xy=True)
    x, y = plane.transform(ranking["enterprise_longitude"].to_numpy(), ranking["enterprise_latitude"].to_numpy())
    named = ranking["enterprise_name"].to_numpy().astype(str)
    found = {}
    for city in ranking["receptor"].to_numpy():
        impact = ranking["enterprise_impact"].sel(receptor=city).to_numpy()
        most = impact.argsort()[::-1][:_ROWS]
        texts = [f"{named[i]}：{impact[i]:.2f} μg/m³" for i in most]
        found[str(city)] = np.asarray(x)[most] / 1e3, np.asarray(y)[most] / 1e3, texts
    return found


def _largest_of(ranking: xr.Dataset, found: Findings, receptor: str, kind: str) -> Grid:
    """Return the enterprises or area sources that count most for a city."""
    at, city, title = ranking.sel(receptor=receptor), found.name(receptor), _KINDS[kind]
    impact, per_tonne = (at[f"{kind}_{n}"].to_numpy() for n in ("impact", "impact_per_tonne"))
    name, home, sector = (ranking[f"{kind}_{n}"].to_numpy().astype(str) for n in ("name", "city", "sector"))
    base = float(at["pm25_base"])
    rows = [
        [
            name[i], found.name(home[i]), words.name(words.SECTORS, sector[i]), float(impact[i]),
            float(impact[i]) / base, 1e3 * float(per_tonne[i]),
        ]
        for i in impact.argsort()[::-1][:_ROWS]
    ]  # fmt: skip
    return Grid(
        Text(f"对{city.zh}影响最大的{title.zh}", f"The {title.en} that count most for {city.en}"),
        words.heads(
            "名称|name", "所在城市|city", "行业|sector", "影响 μg/m³|impact [μg/m³]", "占比|share",
            "每千吨 μg/m³|per kt [μg/m³]",
        ),
        rows,
        [0, 0, 0, 3, -2, 2],
        folded=True,
    )  # fmt: skip


def _impact(ranking: xr.Dataset, found: Findings, kind: str) -> Grid:
    """Return all sources of a kind with their marginal impact on each ranked city."""
    receptors = [found.name(str(c)) for c in ranking["receptor"].to_numpy()]
    emitted = [words.name(words.POLLUTANTS, str(p)) for p in ranking["pollutant"].to_numpy()]
    named = (ranking[f"{kind}_{n}"].to_numpy().astype(str) for n in ("name", "city", "sector"))
    impact, mass = ranking[f"{kind}_impact"].to_numpy().T, ranking[f"{kind}_emitted"].to_numpy()
    rows = [
        [name, found.name(city), words.name(words.SECTORS, sector), *felt.tolist(), *tonnes.tolist()]
        for name, city, sector, felt, tonnes in zip(*named, impact, mass, strict=True)
    ]
    title = Text("企业影响", "Impact of enterprises") if kind == "enterprise" else _AREA_IMPACT
    return Grid(
        title,
        [
            *words.heads("名称|name", "城市|city", "行业|sector"), *receptors,
            *(Text(f"{p.zh} 排放 t", f"{p.en} emitted t") for p in emitted),
        ],
        rows,
        [0, 0, 0, *[3] * len(receptors), *[1] * len(emitted)],
        Text(
            "各源对各城市 PM2.5 时段均值的边际影响（μg/m³），按第一个城市排序",
            "marginal impact on the window mean of PM2.5 [μg/m³], in the order of the first city",
        ),
        folded=True,
        most=2 * _ROWS,
        sheet=title,
    )  # fmt: skip
