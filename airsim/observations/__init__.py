"""Hourly air-quality observations of cities and stations, from the files as they are published.

Three layouts are read: wide (CNEMC: date, hour, type, then one column a city or station), long (one row an hour and
place, one column a pollutant) and tidy (one row a value).  Times are Beijing time; the published hour h is the mean
of h-1 to h, so hour 0 belongs to the day before.  What comes out is UTC, named by the start of the hour, in ug m-3.

Nothing odd in a file passes in silence: it is refused, or passed over and counted in `Observations.notes`.
"""

from airsim.observations.cities import STATIONS, Observations, Site, city_ids, read_stations
from airsim.observations.gather import read
from airsim.observations.layouts import is_hourly
from airsim.observations.quality import FLAGS, SPECIES, STUCK_HOURS, ozone_peak_hour

__all__ = [
    "FLAGS",
    "SPECIES",
    "STATIONS",
    "STUCK_HOURS",
    "Observations",
    "Site",
    "city_ids",
    "is_hourly",
    "ozone_peak_hour",
    "read",
    "read_stations",
]
