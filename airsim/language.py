"""Which language the user is spoken to in."""

from __future__ import annotations

import locale
import os

from airsim.errors import Lang


def default() -> Lang:
    """Return "en" when the locale says English, "zh" otherwise."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "en" if value.lower().startswith("en") else "zh"
    spoken = locale.getlocale()[0] or ""
    return "en" if spoken.lower().startswith("en") else "zh"
