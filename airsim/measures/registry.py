"""The kinds of measures: each declares once what it does, and everybody else asks here.

The rooms that hold a kind register it themselves: cuts and limits in this room, reduction lists in
`airsim.emergency.measure`, coal measures in `airsim.coal.kinds`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    import pandas as pd
    from pydantic import BaseModel

    from airsim.inventory import Inventory
    from airsim.scenario import Coal, Distribution

#: Returns the path of a file that a measure names.
Resolve = Callable[[str], Path]


@dataclass(frozen=True)
class Order:
    """What a measure is told besides its own block when it is carried out.

    Attributes
    ----------
    label : str
        What its ledger rows are called.
    at : (str, str)
        File and line where it was asked for, for messages.
    year : int or None
        Year of the coal ledger that stands for the inventory; its newest year if None.
    share : float
        Part of the measure that happens [1].
    route : str or None
        Route in place of the measure's own.
    found : object
        What `Kind.read` found in the files that the measure names.
    """

    label: str
    at: tuple[str, str] = ("", "")
    year: int | None = None
    share: float = 1.0
    route: str | None = None
    found: Any = None


def _never(block: Any) -> bool:
    del block
    return False


def _certain(block: Any) -> Mapping[str, float | Distribution]:
    del block
    return {}


def _nothing(block: Any) -> str:
    del block
    return ""


@dataclass(frozen=True)
class Kind:
    """A kind of measure.

    Attributes
    ----------
    block : type
        Its block of the scenario file; the field ``type`` names the kind.
    apply : callable
        ``apply(inventory, block, order) -> (inventory, ledger rows)``; pure: reads no file, edits no inventory.
    line : str or None
        Line of the coal balance on which its coal stands; None: it leaves the year's coal as it was.
    moves_coal : bool
        It takes coal from the ledger or adds to it, whatever its window.
    limits : tuple of str
        Limits that it may draw on: gas, grid, heat (see `airsim.coal.limits`).
    cost : callable or None
        ``cost(block, route, demand, coal) -> (the state, the user)`` [CNY a-1]; None: no rule says what it costs.
    factors : callable
        ``factors(block)``: figures of its coal line that may be uncertain, each a number or a distribution.
    temporary : callable
        ``temporary(block)``: whether it has a start or an end.
    dated : bool
        It is done by a year, and leaves out what lies after the target year.
    read : callable or None
        ``read(block, coal, resolve)``: what it needs from files, given the ``coal`` block and the paths' resolver.
    alerts : callable or None
        ``alerts(block)``: its alerts, one row a city and window; None: it answers no alert.
    closes : callable
        ``closes(block)``: the plant that it closes for good, else empty.
    claims : bool
        It is a project that must claim reductions (``offsets``, ``ratio``, ``tonnes`` of a full year).
    winter : callable or None
        ``winter(block)``: heat that the target year's winter asks for over that of the base year [1].
    """

    block: type[BaseModel]
    apply: Callable[[Inventory, Any, Order], tuple[Inventory, pd.DataFrame]]
    line: str | None = None
    moves_coal: bool = True
    limits: tuple[str, ...] = ()
    cost: Callable[..., tuple[float, float]] | None = None
    factors: Callable[[Any], Mapping[str, float | Distribution]] = _certain
    temporary: Callable[[Any], bool] = _never
    dated: bool = False
    read: Callable[[Any, Coal | None, Resolve], Any] | None = None
    alerts: Callable[[Any], pd.DataFrame] | None = None
    closes: Callable[[Any], str] = _nothing
    claims: bool = False
    winter: Callable[[Any], float] | None = None

    @property
    def name(self) -> str:
        """The kind as scenario files and ledger rows call it."""
        return str(get_args(self.block.model_fields["type"].annotation)[0])

    def in_force(self, block: Any, target_year: int | None) -> bool:
        """Return whether a measure is done by the target year; without one all are."""
        return not self.dated or target_year is None or block.year is None or block.year <= target_year


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Add a kind.

    Raises
    ------
    ValueError
        There is a kind of this name already.
    """
    if kind.name in _kinds:
        raise ValueError(f"measure kind {kind.name} is registered twice")
    _kinds[kind.name] = kind
    return kind


def of(block: Any) -> Kind:
    """Return the kind of a measure's block."""
    return _kinds[block.type]


def kinds() -> dict[str, Kind]:
    """Return all kinds by name."""
    return dict(_kinds)


def in_window(block: Any) -> bool:
    """Return whether a block has a start or an end of its own."""
    return block.start is not None or block.end is not None
