"""The near field: a steady-state Gaussian plume, hour by hour.

Nothing heavy is imported before one of the functions is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airsim.plume.api import concentration, statistics

__all__ = ["concentration", "statistics"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from airsim.plume import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
