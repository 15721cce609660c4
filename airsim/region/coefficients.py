"""The coefficients of the region engine as data: values to compute with, sources to quote, a hash to compare."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

FILE = Path(__file__).with_name("coefficients.yaml")
CONSTANTS = ("mozurkewich", "seinfeld_pandis", "isorropia")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Diffusion(_Section):
    """Mixing, vertical and horizontal."""

    floor: float = Field(ge=0)
    floor_urban: float = Field(ge=0)
    urban_depth: float = Field(ge=0)
    richardson: float = Field(ge=0)
    dissipation: float = Field(ge=0)


class Collection(_Section):
    """Collection of particles by the surface."""

    gamma: float
    alpha: float = Field(gt=0)
    radius: float = Field(gt=0)
    correction: float = Field(ge=0)


class Deposition(_Section):
    """Dry deposition: gases by surface resistance [s m-1], particles by diameter [um] and density [kg m-3]."""

    surface_resistance: dict[str, float]
    diameter: dict[str, float]
    density: dict[str, float]
    collection: Collection


class GasShare(_Section):
    """Gas part of total nitrate and total ammonia [1] at two temperatures [K]."""

    cold: float
    warm: float
    nitrate_cold: float = Field(ge=0, le=1)
    nitrate_warm: float = Field(ge=0, le=1)
    ammonia_cold: float = Field(ge=0, le=1)
    ammonia_warm: float = Field(ge=0, le=1)


class Washout(_Section):
    """Washout rates [s-1 per mm h-1]."""

    rain: dict[str, float]
    snow: dict[str, float]


class Chemistry(_Section):
    """Rates [% h-1] of the first-order chains and what they depend on."""

    full_sun: float = Field(gt=0)
    so2_night: float = Field(ge=0)
    so2_midday: float = Field(ge=0)
    nox_night: float = Field(ge=0)
    nox_midday: float = Field(ge=0)
    voc_night: float = Field(ge=0)
    voc_midday: float = Field(ge=0)
    soa_yield: float = Field(ge=0, le=1)
    uptake_dry: float = Field(ge=0)
    uptake_wet: float = Field(ge=0)
    surface: float = Field(ge=0)
    surface_depth: float = Field(ge=0)


class Equilibrium(_Section):
    """Which dissociation constant of ammonium nitrate is used."""

    constant: Literal["mozurkewich", "seinfeld_pandis", "isorropia"]


class Coefficients(_Section):
    """All coefficients of the region engine; frozen. Other values: ``model_copy`` or a file of the same form."""

    diffusion: Diffusion
    deposition: Deposition
    gas_share: GasShare
    washout: Washout
    chemistry: Chemistry
    equilibrium: Equilibrium

    @property
    def hash(self) -> str:
        """SHA-256 of all values, whatever the order and comments of the file."""
        return hashlib.sha256(json.dumps(self.model_dump(), sort_keys=True).encode()).hexdigest()


def load(file: Path = FILE) -> Coefficients:
    """Read a coefficients file.

    Raises
    ------
    pydantic.ValidationError
        If a value is missing, unknown or out of range.
    """
    return Coefficients.model_validate(_values(_read(file)))


def table(file: Path = FILE) -> pd.DataFrame:
    """Return every coefficient with units, status and source: columns key, value, units, status, source."""
    return pd.DataFrame([{"key": key, **leaf} for key, leaf in _leaves(_read(file), "")])


def _read(file: Path) -> dict[str, Any]:
    with file.open(encoding="utf-8") as stream:
        result: dict[str, Any] = YAML(typ="safe", pure=True).load(stream)
        return result


def _values(node: dict[str, Any]) -> Any:
    return node["value"] if "value" in node else {key: _values(child) for key, child in node.items()}


def _leaves(node: dict[str, Any], prefix: str) -> list[tuple[str, dict[str, Any]]]:
    if "value" in node:
        return [(prefix, node)]
    return [leaf for key, child in node.items() for leaf in _leaves(child, f"{prefix}.{key}" if prefix else key)]
