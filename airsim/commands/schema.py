"""`airsim schema`: the JSON Schema of the scenario file."""

from __future__ import annotations

import json


def schema() -> str:
    """Return the JSON Schema of the scenario file, for editors."""
    from airsim import scenario

    return json.dumps(scenario.schema(), ensure_ascii=False, indent=2)
