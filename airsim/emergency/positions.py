"""Where the enterprises of a list lie: how far outside their county, and whether shifted like a web map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from airsim.emergency import gcj02
from airsim.emergency.reduction_list import EmergencyList
from airsim.emergency.wording import AREAS
from airsim.tables import normalise

if TYPE_CHECKING:
    from airsim.geography import Geography
    from airsim.inventory import Inventory

#: A point this near to where the shift would put it counts as shifted [m]; the shift itself is some 500 m.
SHIFT_TOLERANCE = 100.0
#: So many shifted points make it the list's own system.
SHIFTED_LIST = 5


def distance_to_county(located: pd.DataFrame, lon: Any, lat: Any, geography: Geography) -> tuple[Any, list[str]]:
    """Return how far each line lies outside its county [m] (NaN: not known), and the county's (or city's) name."""
    import shapely

    from airsim.inventory.checks import county_words

    counties, grid = geography.counties, geography.grid
    words = county_words(geography)
    x, y = grid.project(lon, lat)
    away = np.full(len(located), np.nan)
    names = [""] * len(located)
    groups: dict[tuple[str, str], list[int]] = {}
    for k, (city, area, county) in enumerate(zip(located["city"], located["area"], located["county"], strict=True)):
        # 西咸 has no polygon of its own and straddles two cities
        groups.setdefault(("", "") if area in AREAS and area == "xixian" else (city, county), []).append(k)
    for (city, county), members in groups.items():
        if not city:
            continue
        code = words.get((city, normalise(county))) or words.get((city, normalise(county) + "县")) if county else None
        chosen = counties.index == code if code else (counties["city"] == city).to_numpy()
        if not chosen.any():
            continue
        shape = shapely.transform(
            shapely.union_all(counties["geometry"].to_numpy()[chosen]),
            lambda *lonlat: np.stack(grid.project(*lonlat)),
            interleaved=False,
        )
        shapely.prepare(shape)
        away[members] = shapely.distance(shape, shapely.points(x[members], y[members]))
        name = str(counties.at[code, "name_zh"] if code else city)
        for k in members:
            names[k] = name
    return away, names


def shifted_lines(
    list_: EmergencyList, inventory: Inventory | None, geography: Geography | None
) -> tuple[list[str], bool]:
    """Return the lines whose coordinates look like GCJ-02, and whether the whole list does.

    A line is shifted if it lies within `SHIFT_TOLERANCE` of where GCJ-02 puts the place the inventory knows for the
    enterprise, and farther than that from the place itself.  The list is, if that holds for most of the enterprises
    known, at least `SHIFTED_LIST`; or, known or not, if taking the shift back brings significantly more lines into
    their counties than it takes out (sign test, p < 0.001).
    """
    lines = list_.lines[list_.lines["category"] == "industrial"]
    located = lines[lines["longitude"].between(70, 140) & lines["latitude"].between(15, 55)]
    if located.empty or geography is None:
        return [], False
    grid = geography.grid
    shifted: list[str] = []
    known = 0
    if inventory is not None:
        points = inventory.sources[inventory.sources["kind"] == "point"]
        if {"longitude", "latitude"} <= set(points.columns):
            where: dict[Any, tuple[float, float]] = {}
            row: Any
            for row in points[["enterprise_id", "credit_code", "city", "name", "longitude", "latitude"]].itertuples(
                index=False
            ):
                for key in (row.enterprise_id, row.credit_code, (row.city, normalise(row.name))):
                    if key:
                        where.setdefault(key, (row.longitude, row.latitude))
            held = []
            for place, i, code, city, name in zip(
                located.index,
                *(located[c] for c in ("enterprise_id", "credit_code", "city", "enterprise")),
                strict=True,
            ):
                at = (
                    (where.get(i) if i else None)
                    or (where.get(code) if code else None)
                    or where.get((city, normalise(name)))
                )
                if at:
                    held.append((str(place), at))
            if held:
                places = [p for p, _ in held]
                truth = np.array([at for _, at in held])
                x, y = grid.project(located.loc[places, "longitude"], located.loc[places, "latitude"])
                x0, y0 = grid.project(truth[:, 0], truth[:, 1])
                x1, y1 = grid.project(*gcj02.from_wgs84(truth[:, 0], truth[:, 1]))
                near = np.hypot(x - x1, y - y1)
                off = (near <= SHIFT_TOLERANCE) & (np.hypot(x - x0, y - y0) > SHIFT_TOLERANCE)
                shifted = [p for p, s in zip(places, off, strict=True) if s]
                known = len(held)
    if len(shifted) >= SHIFTED_LIST and 2 * len(shifted) > known:
        return shifted, True
    lon, lat = located["longitude"].to_numpy(float), located["latitude"].to_numpy(float)
    as_given = distance_to_county(located, lon, lat, geography)[0]
    taken_back = distance_to_county(located, *gcj02.to_wgs84(lon, lat), geography)[0]
    gained = int(((as_given > 0) & (taken_back == 0)).sum())
    lost = int(((as_given == 0) & (taken_back > 0)).sum())
    from scipy.special import bdtr  # scipy.stats takes a second to import

    # most known places speak against it: then the borders do not decide
    against = known >= SHIFTED_LIST and 2 * len(shifted) <= known
    whole = not against and gained > lost and 2 * bdtr(lost, gained + lost, 0.5) < 0.001
    return shifted, bool(whole)
