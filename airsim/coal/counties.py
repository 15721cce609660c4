"""Counties of the cities by name and code."""

from __future__ import annotations

import csv
from functools import cache

from airsim import shipped
from airsim.errors import InputError, Problem
from airsim.tables import normalise


def county_code(city: str, county: str, at: tuple[str, str] = ("", "")) -> str:
    """Return the six-digit code of a county given by name or code.

    Parameters
    ----------
    city : str
        City id.
    county : str
        Chinese name or code.
    at : (str, str)
        File and line where it was asked for, for messages.

    Raises
    ------
    InputError
        It is no county of the city.
    """
    known = _counties()
    found = known.get((city, normalise(county)))
    if found is None:
        names = ", ".join(dict.fromkeys(w for (c, w), code in known.items() if c == city and w != code))
        raise InputError([Problem(*at, "county", county, f"must be one of {names}", f"须为以下之一：{names}")])
    return found


@cache
def county_names() -> dict[str, str]:
    """Return county code -> Chinese name."""
    return {r["adcode"]: r["name_zh"] for r in _rows()}


@cache
def _counties() -> dict[tuple[str, str], str]:
    return {(r["city"], normalise(w)): r["adcode"] for r in _rows() for w in (r["adcode"], r["name_zh"])}


@cache
def _rows() -> list[dict[str, str]]:
    with shipped.path("data/geography/counties.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
