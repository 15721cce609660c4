"""Joint control in the report: whose emissions are in whose air, where a tonne hurts most, which source counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim.output import words
from airsim.output.findings import BEIJING, Findings, group
from airsim.output.sections.figures import MAP_COLOURS, Figure, both, numbers, outline, pack, said
from airsim.output.words import Text

#: Enterprises and area sources that are printed for each city; result.nc and the workbook have them all.
_ROWS = 15
_GUANZHONG = ("xian", "baoji", "xianyang", "tongchuan", "weinan", "yangling", "hancheng")
_OUTSIDE = {
    "elsewhere": Text("网格内其他地区", "elsewhere on the grid"),
    "background": Text("区域外流入", "carried in from outside"),
}


def section(tree: xr.DataTree, found: Findings) -> dict[str, Any] | None:
    """Return what the section of the report holds; None where the result has neither group.

    Parameters
    ----------
    tree : DataTree
        A result.
    found : Findings
        Of that result.
    """
    transfer, ranking = group(tree, "transfer"), group(tree, "ranking")
    if transfer is None and ranking is None:
        return None
    some = transfer if transfer is not None else ranking
    assert some is not None
    maps = _maps(tree, ranking, found) if ranking is not None else []
    return {
        "window": _window(some),
        "heat": _heat(transfer, found) if transfer is not None else None,
        "shares": _shares(transfer, found) if transfer is not None else [],
        "maps": [f for f in maps if f["first"]],
        "more_maps": [f for f in maps if not f["first"]],
        "cities": _sources(ranking, found) if ranking is not None else [],
    }


def figures_of(made: dict[str, Any] | None) -> list[Figure]:
    """Return all figures of a section, for the page's data block."""
    if made is None:
        return []
    return [*([made["heat"]] if made["heat"] else []), *made["maps"], *made["more_maps"]]


def _window(some: xr.Dataset) -> Text:
    start, end = (pd.Timestamp(str(some.attrs[f"window_{k}"])) + pd.Timedelta(BEIJING) for k in ("start", "end"))
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


def _shares(transfer: xr.Dataset, found: Findings) -> list[dict[str, Any]]:
    """Return the three ways side by side: a city's own share, that of its neighbours, that from outside."""
    rows = []
    sources = [str(s) for s in transfer["source"].to_numpy()]
    cities = [s for s in sources if s not in _OUTSIDE]
    for city in _order(found, [str(c) for c in transfer["receptor"].to_numpy()]):
        at = transfer["contribution"].sel(species="pm25", receptor=city)
        total = float(transfer["total"].sel(species="pm25", receptor=city))
        cells = []
        for approach in ("tag", "zero_out", "adjoint"):
            way = at.sel(approach=approach)
            own = float(way.sel(source=city)) / total
            plain = [c for c in _GUANZHONG if c in cities and c != city]
            near = float(way.sel(source=plain).sum()) / total
            other = float(way.sel(source=[c for c in cities if c not in {city, *plain}]).sum()) / total
            outside = float(way.sel(source=[s for s in _OUTSIDE if s in sources]).sum()) / total
            cells.append((own, near, other, outside))
        rows.append(
            {
                "city": found.name(city),
                "total": total,
                "tag": cells[0],
                "zero_out": cells[1],
                "adjoint": cells[2],
                "gas_ratio": float(transfer["gas_ratio"].sel(receptor=city)),
            }
        )
    return rows


def _maps(tree: xr.DataTree, ranking: xr.Dataset, found: Findings) -> list[Figure]:
    """Return, for the first city and every pollutant, and for the others PM2.5: where a tonne hurts most."""
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
            layout = {
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
            made.append({"id": f"tonne-{i}-{pollutant}", "first": i == 0, "data": data, "layout": layout})
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


def _sources(ranking: xr.Dataset, found: Findings) -> list[dict[str, Any]]:
    """Return the enterprises and area sources that count most, city by city."""
    made = []
    for city in ranking["receptor"].to_numpy():
        at = ranking.sel(receptor=city)
        base = float(at["pm25_base"])
        tables = []
        for kind, title in (
            ("enterprise", Text("企业", "enterprise")),
            ("area", Text("面源", "area source")),
        ):
            impact = at[f"{kind}_impact"].to_numpy()
            rows = [
                {
                    "name": str(ranking[f"{kind}_name"].to_numpy()[i]),
                    "city": found.name(str(ranking[f"{kind}_city"].to_numpy()[i])),
                    "sector": words.name(words.SECTORS, str(ranking[f"{kind}_sector"].to_numpy()[i])),
                    "impact": float(impact[i]),
                    "share": float(impact[i]) / base,
                    "per_kt": 1e3 * float(at[f"{kind}_impact_per_tonne"].to_numpy()[i]),
                }
                for i in impact.argsort()[::-1][:_ROWS]
            ]
            tables.append({"title": title, "rows": rows})
        made.append({"city": found.name(str(city)), "base": base, "tables": tables})
    return made
