"""What the region engine carries, and the mass ratios that tie its tracers together."""

from __future__ import annotations

TRACERS = (
    "bc", "oc", "pm25_other", "pm_coarse", "so2", "sulphate", "nox", "nitrate", "ammonia", "co", "voc", "soa",
)  # fmt: skip
INDEX = {name: i for i, name in enumerate(TRACERS)}

# molar masses [g mol-1] (IUPAC 2021, rounded to three decimals)
MOLAR_MASS = {"so2": 64.064, "sulphate": 96.062, "nox": 46.006, "nitrate": 62.005, "ammonia": 17.031}
AMMONIUM = 18.039
