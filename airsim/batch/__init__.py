"""Many scenarios: expanded from sweeps, shared out to workers, resumed, summed up in one table."""

from __future__ import annotations

from airsim.batch.driver import Outcome, run

__all__ = ["Outcome", "run"]
