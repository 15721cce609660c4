"""What weather files lack, by the standard formulas: light, heat, surface layer, mixing height.

Every field says where it comes from; the formulas are those of `boundary_layer`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import ArrayLike, NDArray

from airsim.geography import Grid
from airsim.meteorology import boundary_layer as bl
from airsim.meteorology.mass_consistent import SCALE_HEIGHT
from airsim.meteorology.source import Singles, Times

Floats = NDArray[np.float64]

_CELLS_AT_ONCE = 1500


def diagnose_field(
    grid: Grid,
    roughness: Floats,
    time: Times,
    speed: Singles,
    speed_height: float,
    fields: dict[str, Singles],
    theta: Singles | None,
) -> tuple[dict[str, Singles], dict[str, str]]:
    """Run `diagnose` over a grid, some cells at a time, so that it needs little memory."""
    n = grid.ny * grid.nx
    hours = len(time)
    flat = {k: v.reshape(hours, n) for k, v in fields.items()}
    profile = None if theta is None else theta.reshape(hours, -1, n)
    wind = speed.reshape(hours, n)
    longitude, latitude, terrain, z0 = (
        np.broadcast_to(a, (grid.ny, grid.nx)).ravel() for a in (grid.longitude, grid.latitude, grid.terrain, roughness)
    )
    result: dict[str, Singles] = {}
    said: dict[str, str] = {}

    def some(first: int) -> tuple[slice, dict[str, Floats], dict[str, str]]:
        cells = slice(first, first + _CELLS_AT_ONCE)
        made, words = diagnose(
            time,
            longitude[cells],
            latitude[cells],
            terrain[cells],
            z0[cells],
            wind[:, cells].astype(float),
            speed_height,
            {k: v[:, cells].astype(float) for k, v in flat.items()},
            grid.level_height,
            None if profile is None else profile[..., cells].astype(float),
        )
        return cells, made, words

    with ThreadPoolExecutor(2) as pool:
        for cells, made, words in pool.map(some, range(0, n, _CELLS_AT_ONCE)):
            for name, values in made.items():
                whole = result.setdefault(name, np.empty((hours, n), np.float32))
                whole[:, cells] = values
            said = words
    return {k: v.reshape(hours, grid.ny, grid.nx) for k, v in result.items()}, said


def diagnose(
    time: Times,
    longitude: Floats,
    latitude: Floats,
    terrain: Floats,
    roughness: Floats,
    speed: Floats,
    speed_height: float,
    known: dict[str, Floats],
    heights: Floats,
    theta: Floats | None,
) -> tuple[dict[str, Floats], dict[str, str]]:
    """Return everything about the surface and the mixed layer that a run needs, and where each comes from.

    What is known is taken; the rest follows: cloud from shortwave or the other way about, the heat flux after
    Holtslag & van Ulden (1983), friction velocity and Obukhov length by similarity, the mixing height by
    encroachment while the ground heats the air, otherwise after Zilitinkevich (1972) and Nieuwstadt (1981).

    Parameters
    ----------
    time : (time,) datetime64 ndarray
        Start of the hours, UTC.
    longitude, latitude, terrain, roughness : (place,) ndarray
        [deg], [m above sea level], [m]
    speed : (time, place) ndarray
        Wind at `speed_height` [m s-1].
    speed_height : float
        [m]
    known : dict
        Name -> (time, place) of `source.NAMES`; `air_temperature` [K] and `relative_humidity` [1] at least.
    heights : (level,) ndarray
        Of `theta` [m].
    theta : (time, level, place) ndarray or None
        Potential temperature [K].

    Returns
    -------
    fields, diagnosed : dict
        Fields of the dataset (time, place), and for each the text of its attribute `diagnosed`.
    """
    said: dict[str, str] = {"air_temperature": "no", "relative_humidity": "no"}
    temperature = known["air_temperature"]
    pressure = 101_325.0 * np.exp(-terrain / SCALE_HEIGHT)
    quarters = (np.array([450, 1350, 2250, 3150]) * np.timedelta64(1, "s"))[:, None, None]
    sine = bl.sine_of_solar_elevation(time[:, None] + quarters, longitude, latitude)
    down, cloud = light(known, sine, said)
    heat = heat_flux(known, down, cloud, temperature, pressure, said)
    depth = known.get("atmosphere_boundary_layer_thickness")
    stress = known.get("friction_velocity")
    inverse = known.get("inverse_obukhov_length")
    said |= dict.fromkeys(("friction_velocity", "obukhov_length", "atmosphere_boundary_layer_thickness"), "no")

    # the depth enters the surface layer through the gusts of convection only, which the night has none of
    morning = dug = np.zeros_like(temperature)
    if depth is None:
        night = bl.surface_layer(speed, speed_height, temperature, -1.0, cloud, roughness, 100.0)
        morning = np.clip(bl.stable_mixing_height(night[0], night[1], latitude), bl.MINIMUM_MIXING_HEIGHT, 300.0)
        dug = bl.encroachment(
            heat, temperature, morning, pressure=pressure, height=heights, potential_temperature=theta
        )
    guess = np.maximum(dug, 100.0) if depth is None else depth
    own = bl.surface_layer(speed, speed_height, temperature, heat, cloud, roughness, guess)
    if stress is None:
        stress, length = own[0], own[1]
        said["friction_velocity"] = "yes: similarity (Paulson 1970; Venkatram 1980; van Ulden & Holtslag 1985)"
        said["obukhov_length"] = said["friction_velocity"]
    else:
        stress = np.maximum(stress, 0.01)
        length = bl.obukhov_length(stress, temperature, heat, pressure)
        said["obukhov_length"] = "yes: from friction velocity and heat flux"
    if inverse is not None:
        length = bl.limit_length(1 / np.where(np.abs(inverse) < 1e-6, np.where(heat > 0, -1e-6, 1e-6), inverse))
        said["obukhov_length"] = "no"
    if depth is None:
        quiet = bl.stable_mixing_height(stress, length, latitude)
        depth = np.where(length < 0, np.maximum(dug, morning), quiet)
        profile = "the morning profile" if theta is not None else f"{bl.MORNING_GRADIENT} K m-1"
        said["atmosphere_boundary_layer_thickness"] = (
            f"yes: encroachment into {profile} (Carson 1973; Tennekes 1973) while the ground heats the air, else "
            "Zilitinkevich (1972), Nieuwstadt (1981)"
        )
    depth = np.clip(depth, bl.MINIMUM_MIXING_HEIGHT, 9000.0)
    said["convective_velocity"] = "yes: from heat flux and mixing height (Deardorff 1970)"
    rain = known.get("precipitation_flux")
    said["precipitation_flux"] = "no" if rain is not None else "assumed: none, for the files do not tell"
    return {
        "air_temperature": temperature,
        "relative_humidity": np.clip(known["relative_humidity"], 0, 1),
        "cloud_area_fraction": cloud,
        "precipitation_flux": np.zeros_like(temperature) if rain is None else np.maximum(rain, 0),
        "atmosphere_boundary_layer_thickness": depth,
        "friction_velocity": stress,
        "obukhov_length": length,
        "convective_velocity": np.where(length < 0, bl.convective_velocity(heat, temperature, depth, pressure), 0.0),
        "surface_downwelling_shortwave_flux_in_air": down,
    }, said


def profile_ratio(
    heights: Floats, reference: ArrayLike, roughness: Floats, obukhov_length: ArrayLike, mixing_height: ArrayLike
) -> Floats:
    """Return the wind in some heights over that at the reference height, (time, level, ...) [1].

    Similarity to the mixing height (not below 100 m), constant above, and never more than 2.5.

    Parameters
    ----------
    heights : (level,) ndarray
        [m]
    reference : array_like
        Height of the wind that is known [m].
    roughness, obukhov_length, mixing_height : ndarray
        [m]; the last two (time, ...).
    """
    top = np.maximum(mixing_height, 100.0)
    ratio = [bl.wind_ratio(np.minimum(z, top), reference, roughness, obukhov_length) for z in heights]
    return np.minimum(np.stack(ratio, axis=1), 2.5)


def light(known: dict[str, Floats], sine: Floats, said: dict[str, str]) -> tuple[Floats, Floats]:
    """Return shortwave [W m-2] and cloud cover [1]; either may follow from the other."""
    down, cloud = known.get("surface_downwelling_shortwave_flux_in_air"), known.get("cloud_area_fraction")
    names = "surface_downwelling_shortwave_flux_in_air", "cloud_area_fraction"
    said |= dict.fromkeys(names, "no")
    middle = sine.mean(axis=0)
    if cloud is None and down is not None:
        cloud = _fill_in_time(bl.cloud_from_shortwave(down, middle))
        said[names[1]] = "yes: from shortwave by day (Holtslag & van Ulden 1983), between the days by night"
    elif cloud is None:
        cloud = np.full(middle.shape, 0.5)
        said[names[1]] = "assumed: 0.5, for the files tell neither cloud nor shortwave"
    cloud = np.clip(cloud, 0, 1)
    if down is None:
        down = bl.shortwave(sine, cloud).mean(axis=0)
        said[names[0]] = "yes: from sun and cloud (Holtslag & van Ulden 1983; Kasten & Czeplak 1980)"
    return np.maximum(down, 0), cloud


def heat_flux(
    known: dict[str, Floats],
    down: Floats,
    cloud: Floats,
    temperature: Floats,
    pressure: Floats,
    said: dict[str, str],
) -> Floats:
    """Return the upward sensible heat flux [W m-2]."""
    heat = known.get("upward_sensible_heat_flux")
    if heat is not None:
        return heat
    heat = bl.sensible_heat_flux(bl.net_radiation(down, cloud, temperature), temperature)
    if "friction_velocity" in known:
        # at night radiation says little of the heat flux; stress and the temperature scale say more
        quiet = bl.stable_heat_flux(known["friction_velocity"], temperature, cloud, pressure)
        heat = np.where(heat > 0, heat, quiet)
    return heat


def _fill_in_time(values: Floats) -> Floats:
    """Fill what is not a number along the first axis, linearly; 0.5 where there is nothing at all."""
    result = values.copy()
    hours = np.arange(len(values))
    for j in np.flatnonzero(~np.isfinite(values).all(axis=0)):
        good = np.isfinite(values[:, j])
        result[:, j] = np.interp(hours, hours[good], values[good, j]) if good.any() else 0.5
    return result
