"""Weather on the model grid: the dataset every run reads, its checks, and the synthetic winter episode."""

from airsim.meteorology import synthetic
from airsim.meteorology.dataset import VARIABLES, assemble, at, check, mixed_layer_wind

__all__ = ["VARIABLES", "assemble", "at", "check", "mixed_layer_wind", "synthetic"]
