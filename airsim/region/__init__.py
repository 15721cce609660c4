"""The region: linear transport of tracers over a grid of boxes, its exact adjoint, and the local equilibrium."""

from airsim.region.coefficients import Coefficients
from airsim.region.equilibrium import pm25
from airsim.region.tracers import TRACERS
from airsim.region.transport import Budget, Transport

__all__ = ["TRACERS", "Budget", "Coefficients", "Transport", "pm25"]
