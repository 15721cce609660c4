"""Cities and stations: their spellings, the station list, and the means of the cities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import xarray as xr

from airsim.errors import InputError, Problem
from airsim.observations.quality import SPECIES
from airsim.tables import Column, normalise, read_table

#: Layout of the station list.
STATIONS = (
    Column(
        "code",
        "监测点编码",
        kind="text",
        required=True,
        aliases=("站点编码", "点位编码", "station_code", "站号", "编码"),
    ),
    Column("name", "监测点名称", kind="text", aliases=("站点名称", "点位名称", "station_name", "站点", "名称")),
    Column("city", "城市", kind="text", required=True, aliases=("城市名称", "所在城市", "地市")),
    Column("longitude", "经度", minimum=70, maximum=140, aliases=("lon", "lng")),
    Column("latitude", "纬度", minimum=10, maximum=60, aliases=("lat",)),
    Column(
        "control",
        "对照点",
        kind="text",
        aliases=("是否对照点", "清洁对照点"),
        choices={"y": "yes", "yes": "yes", "1": "yes", "是": "yes", "对照点": "yes"}
        | {"n": "no", "no": "no", "0": "no", "否": "no", "评价点": "no"},
        default="no",
        about="clean-air control station: not part of the city mean",
        about_zh="清洁对照点，不参与城市平均",
    ),
)


@dataclass(frozen=True)
class Site:
    """A city or a station of the files.

    Parameters
    ----------
    id : str
        City id, or station code.
    city : str
        Id of its city.
    name : str
        As printed.
    longitude, latitude : float
        WGS 84 [deg]; NaN if not known.
    """

    id: str
    city: str
    name: str
    longitude: float = np.nan
    latitude: float = np.nan


@dataclass(frozen=True)
class Observations:
    """Observed hourly means.

    Attributes
    ----------
    hourly : Dataset
        Pollutants of `SPECIES` (time, site) [ug m-3], ``aqi`` as printed [1], ``quality`` (species, time, site)
        by `FLAGS`; coordinates ``time`` (UTC, start of the hour, no gap), ``site``, ``city`` and ``name`` of the
        site, ``longitude``, ``latitude``.
    notes : tuple of Problem
        What was passed over or assumed, with counts.
    """

    hourly: xr.Dataset
    notes: tuple[Problem, ...]

    def cities(self, share: float = 0.75) -> xr.Dataset:
        """Return hourly means of the cities: as published where there is a city file, else the mean of the stations.

        Parameters
        ----------
        share : float
            Stations that must have a value, of those that report at all [1] (HJ 663-2013 asks 75 % of the sites
            of a city; from memory).

        Returns
        -------
        Dataset
            Pollutants (time, city) [ug m-3]; ``aqi`` only where the files are city files.
        """
        data = self.hourly[list(SPECIES)]
        if (self.hourly["site"].values == self.hourly["city"].values).all():
            data = self.hourly[[*SPECIES, "aqi"]]
            return data.drop_vars(["city", "name", "longitude", "latitude"]).rename(site="city")
        places, sites = self.hourly["city"].values, self.hourly["site"].values
        # a city's own published mean is not averaged with stations that it is made of
        published = {str(c) for c in places[sites == places]}
        means = {}
        for name in SPECIES:
            values = data[name].values
            columns = []
            for city in dict.fromkeys(places):
                mine = sites == city if str(city) in published else places == city
                of = values[:, mine]
                of = of[:, np.isfinite(of).any(axis=0)]
                count = np.isfinite(of).sum(axis=1)
                total = np.where(np.isfinite(of), of, 0.0).sum(axis=1)
                enough = (count >= max(1, np.ceil(share * of.shape[1]))) if of.shape[1] else np.zeros(len(of), bool)
                columns.append(np.where(enough, total / np.maximum(count, 1), np.nan))
            means[name] = (("time", "city"), np.stack(columns, axis=1))
        return xr.Dataset(means, coords={"time": self.hourly["time"], "city": list(dict.fromkeys(places))})


@cache
def city_ids() -> Mapping[str, str]:
    """Return the spellings of the model's cities -> city id."""
    from airsim.geography import CITIES

    found: dict[str, str] = {}
    for c in CITIES:
        for spelling in (c.id, c.name_en, c.name_zh, c.name_zh + "市"):
            found[normalise(spelling)] = c.id
    found |= {normalise(s): "yangling" for s in ("杨凌区", "杨凌示范区", "杨陵区")}
    return found


def read_stations(path: str | Path) -> dict[str, Site]:
    """Read the station list: the region's stations that count in city means, by code.

    Raises
    ------
    InputError
        As `airsim.tables.read_table`, or no station of the region.
    """
    return listed_stations(path)[0] or {}


def listed_stations(path: str | Path | None) -> tuple[dict[str, Site] | None, list[Problem]]:
    """Return the stations that count in city means, by code, and what to note; None without a list."""
    if path is None:
        return None, []
    table = read_table(path, STATIONS)
    sites: dict[str, Site] = {}
    notes: list[Problem] = []
    control = outside = 0
    for row in table.frame.to_dict("records"):
        city = city_ids().get(normalise(row["city"]))
        if city is None:
            outside += 1
        elif row["control"] == "yes":
            control += 1
        else:
            code = str(row["code"])
            place = (float(row["longitude"]), float(row["latitude"]))
            sites[normalise(code)] = Site(code, city, str(row["name"]) or code, *place)
    file = str(path)
    if control:
        notes.append(
            Problem(
                file, "", "control", "",
                f"{control} control stations of the region, left out of the city means",
                f"{control} 个本区域清洁对照点，不参与城市平均",
            )
        )  # fmt: skip
    if not sites:
        raise InputError(
            [
                Problem(
                    file, "", "city", f"{outside} rows",
                    "no station of the region's cities in this list", "该站点表中没有本区域城市的站点",
                )
            ]
        )  # fmt: skip
    return sites, notes
