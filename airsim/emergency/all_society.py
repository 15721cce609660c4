"""All-society emissions by statistical unit, of which a list cuts a share: from a table or from the inventory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from airsim.emergency.wording import POLLUTANTS, city_of
from airsim.errors import InputError, Problem
from airsim.tables import Column, read_table

if TYPE_CHECKING:
    from airsim.inventory import Inventory


#: Layout of a table of all-society bases.
BASE = (
    Column("unit", "城市", kind="text", required=True, aliases=("地市", "市", "统计区域", "city"),
           about="city or 西咸新区; 西安(含西咸新区), 西安(不含西咸新区) where both are listed",
           about_zh="城市或西咸新区；两者并列时须写明 西安(含西咸新区) 或 西安(不含西咸新区)"),
    Column("SO2", "SO2", unit="t a-1", required=True, minimum=0, aliases=("二氧化硫",)),
    Column("NOx", "NOx", unit="t a-1", required=True, minimum=0, aliases=("氮氧化物",)),
    Column("PM", "颗粒物", unit="t a-1", required=True, minimum=0, aliases=("PM10", "烟粉尘")),
    Column("VOC", "VOCs", unit="t a-1", required=True, minimum=0, aliases=("VOC", "挥发性有机物")),
)  # fmt: skip


def read_base(path: str | Path) -> pd.DataFrame:
    """Read all-society emissions of a normal autumn-winter day by statistical unit.

    Parameters
    ----------
    path : path
        Columns 城市, SO2, NOx, 颗粒物, VOCs; kg/d, 吨/天 or 吨/年 in the header's brackets.

    Returns
    -------
    DataFrame
        Index unit (city id, "xixian", or "xian+xixian" for Xi'an with 西咸), columns `POLLUTANTS` [kg d-1];
        ``attrs["file"]``.

    Raises
    ------
    InputError
        Unknown or repeated units; Xi'an beside 西咸 without saying whether it holds it.
    """
    table = read_table(path, BASE)
    problems: list[Problem] = []
    units: list[str] = []
    names = table.frame["unit"].tolist()
    for row, name in zip(table.frame.index, names, strict=True):
        city, area = city_of(str(name))
        unit = area
        if city == "xian" and "西咸" in str(name) and "西安" in str(name):
            unit = "xian" if re.search(r"不含|除|不包括", str(name)) else "xian+xixian"
        if not unit:
            problems.append(table.problem(row, "unit", name, "unknown city", "未知城市"))
        elif unit in units:
            problems.append(table.problem(row, "unit", name, "stands twice", "重复"))
        units.append(unit)
    if "xixian" in units and "xian" in units and not any("不含" in str(n) or "除" in str(n) for n in names):
        row = table.frame.index[units.index("xian")]
        problems.append(
            table.problem(
                row,
                "unit",
                names[units.index("xian")],
                "say 西安(含西咸新区) or 西安(不含西咸新区)",
                "须写明 西安(含西咸新区) 或 西安(不含西咸新区)",
            )
        )
    if problems:
        raise InputError(problems)
    if "xixian" not in units and not any("不含" in str(n) or "除" in str(n) for n in names):
        units = ["xian+xixian" if u == "xian" else u for u in units]
    out = table.frame[list(POLLUTANTS)].set_axis(units, axis=0) * 1000.0 / 365.0
    out.attrs["file"] = str(path)
    return out


def all_society_base(
    inventory: Inventory, *, pm_is: str = "PM10", day_factor: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """All-society emissions on a normal day by city.

    Parameters
    ----------
    inventory : Inventory
    pm_is : str
        Inventory pollutant that stands for 颗粒物.
    day_factor : mapping, optional
        See `compliance`.

    Returns
    -------
    DataFrame (city, pollutant)
        SO2, NOx, PM, VOC [kg d-1].
    """
    per_day = kg_per_day(inventory, day_factor=day_factor)
    table = per_day[["SO2", "NOx", pm_is, "VOC"]].set_axis(list(POLLUTANTS), axis=1)
    return table.groupby(inventory.sources["city"]).sum()


def kg_per_day(inventory: Inventory, *, day_factor: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Emission of every source on a normal day, after permanent measures.

    Returns
    -------
    DataFrame (source, pollutant)
        All pollutants of the inventory and `coal` [kg d-1].
    """
    from airsim.inventory import POLLUTANTS as INVENTORY_POLLUTANTS

    sources = inventory.sources
    days = np.where(
        (sources["kind"] == "point") & (sources["operating_days"].fillna(0) > 0), sources["operating_days"], 365.0
    )
    amounts = sources[[*INVENTORY_POLLUTANTS, "coal"]].fillna(0.0).astype(np.float64)
    per_day = amounts.mul(1000.0 / days, axis=0)
    if day_factor:
        factor = sources["sector"].map(day_factor).fillna(1.0).where(sources["kind"] == "area", 1.0)
        per_day = per_day.mul(factor, axis=0)
    permanent = inventory.scaling[inventory.scaling["start"].isna() & inventory.scaling["end"].isna()]
    row: Any
    for row in permanent.itertuples(index=False):
        columns = list(per_day.columns) if row.pollutant == "*" else [row.pollutant]
        per_day.loc[row.source, columns] *= row.factor
    return per_day
