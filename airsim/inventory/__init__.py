"""The emission inventory: enterprises, area sources and the coal ledger, read, checked and put on the grid.

`read` makes an `Inventory` of the three tables; measures turn one inventory into another; `grid` gives its
emissions hour by hour.
"""

from airsim.inventory.gridding import GriddedEmissions, grid
from airsim.inventory.profiles import Profiles
from airsim.inventory.reading import POLLUTANTS, Inventory, read
from airsim.names import SECTORS

__all__ = ["POLLUTANTS", "SECTORS", "GriddedEmissions", "Inventory", "Profiles", "grid", "read"]
