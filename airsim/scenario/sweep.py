"""The sweep block: many scenarios from one file."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from airsim.scenario.kinds import Block

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


class Sweep(Block):
    """Many scenarios from one file: keys of it, and the values they take (`airsim batch`)."""

    method: Literal["cartesian", "listed", "latin_hypercube", "sobol"] = "cartesian"
    """cartesian: every combination of `values`; listed: the first of each, the second of each...; the others sample
    `ranges`."""
    values: dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]] = Field(default={})
    """Key such as ``measures[1].percent`` (list entries count from 1) -> the values it takes."""
    ranges: dict[str, tuple[float, float]] = Field(default={})
    """Key -> lowest and highest value; a key that holds a whole number is sampled in whole numbers."""
    samples: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Number of sampled scenarios; a power of two is best for sobol."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the sampling."""

    @model_validator(mode="after")
    def _complete(self) -> Sweep:
        sampled = self.method in {"latin_hypercube", "sobol"}
        if sampled and (not self.ranges or self.samples is None or self.values):
            raise PydanticCustomError("sweep_sampled", "latin_hypercube and sobol need ranges and samples, not values")
        if not sampled and (not self.values or self.ranges or self.samples is not None):
            raise PydanticCustomError("sweep_listed", "cartesian and listed need values, not ranges or samples")
        if self.method == "listed" and len({len(v) for v in self.values.values()}) > 1:
            raise PydanticCustomError("sweep_lengths", "listed values must be lists of one length")
        if any(not low < high for low, high in self.ranges.values()):
            raise PydanticCustomError("sweep_range", "the first number of a range must be below the second")
        self._apart()
        return self

    def _apart(self) -> None:
        """Refuse a key that is another one spelt differently, or holds it: the later would win unseen."""
        block = "ranges" if self.ranges else "values"
        seen: list[tuple[str, list[str]]] = []
        for key in self.ranges or self.values:
            steps = [a or b for a, b in _STEP.findall(key)]
            for other, before in seen:
                short = min(len(steps), len(before))
                if steps[:short] == before[:short]:
                    about = {"block": block, "key": key, "other": other}
                    raise PydanticCustomError("sweep_overlap", "{key} overlaps {other}", about)
            seen.append((key, steps))
