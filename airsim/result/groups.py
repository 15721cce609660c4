"""The groups of a result, one function a group; names, dimensions and units as in variables.csv."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from airsim.geography import CITIES, Geography
from airsim.inventory import POLLUTANTS, SECTORS, Inventory
from airsim.result import variables
from airsim.tables import Note

if TYPE_CHECKING:
    from airsim.assess.surface import SurfaceAir
    from airsim.inventory import GriddedEmissions
    from airsim.region.transport import Budget
    from airsim.rules import Rule

CITY_IDS = tuple(c.id for c in CITIES)
LEVELS = ("yellow", "orange", "red")
LIST_POLLUTANTS = ("SO2", "NOx", "PM", "VOC")
CATEGORIES = ("industrial", "mobile", "dust", "other")
#: Shares in PM2.5 of Xi'an [1]; organic matter is published as a whole and can't be divided into om and soa.
PUBLISHED_COMPOSITION = {"sulphate": 0.18, "nitrate": 0.22, "ammonium": 0.12, "bc": 0.06}
PUBLISHED_SOURCE = "CMAQ source study of Xi'an, January 2013 (Texas A&M University repository): OA 35 %, SO4 18 %, "
PUBLISHED_SOURCE += "NO3 22 %, NH4 12 %, EC 6 %"
EVALUATION_NOTE = (
    "Ten synthetic days beside the real month: only level, diurnal cycle and city ranking can be compared. "
    "The weather is not that of January 2019, emissions are largely estimated, NO2 follows from NOx by a fit to US "
    "stations (ARM2), and a city is the mean of its built-up cells, not of its stations.",
    "以十天合成天气对照真实的一个月：只能比较浓度水平、日变化与城市排序。天气不是 2019 年 1 月的实况，排放多为估算，"
    "NO2 由 NOx 按美国站点拟合关系（ARM2）推得，城市值为建成区网格平均而非站点平均。",
)
SECONDS_A_DAY = 86400.0


@dataclass(frozen=True)
class Input:
    """One input of a run, for the provenance."""

    path: Path
    kind: str
    note: str
    note_zh: str

    def sha256(self) -> str:
        """Return the hash of the file's content."""
        with self.path.open("rb") as file:  # weather files are larger than memory
            return hashlib.file_digest(file, "sha256").hexdigest()


def air(geography: Geography, time: np.ndarray, surface: SurfaceAir, cases: Sequence[str]) -> xr.Dataset:
    """Return the root group: concentrations by city and on the map.

    Parameters
    ----------
    geography : Geography
    time : (time,) datetime64
        Start of the hours [UTC].
    surface : SurfaceAir
        After the run.
    cases : sequence of str
        The columns of `surface` that become the cases base and controlled.
    """
    from airsim.assess import aqi

    grid = geography.grid
    at = [surface.cases.index(c) for c in cases]
    names = ["base", "controlled"][: len(at)]
    root = xr.Dataset(
        {name: (("case", "time", "city"), values[at]) for name, values in surface.city.items()},
        coords={"case": names, "time": time, "city": list(CITY_IDS), "y": grid.y, "x": grid.x},
    )
    root = root.assign_coords(
        city_zh=("city", [c.name_zh for c in CITIES]),
        city_en=("city", [c.name_en for c in CITIES]),
        longitude=(("y", "x"), grid.longitude),
        latitude=(("y", "x"), grid.latitude),
    )
    root["pm25_background"] = (("time", "city"), surface.background)
    root["pm25_field"] = (("case", "time", "y", "x"), surface.pm25_field[: len(at)])
    root["pm25_mean_field"] = root["pm25_field"].mean("time", dtype=np.float64)
    root["terrain"] = (("y", "x"), grid.terrain)
    rule = aqi.rule_in_force(time[0])
    for name in [*surface.city, "pm25_background"]:
        root[name] = root[name].where(_known(geography))
    # undershoots of the linear scheme are reported in the budget; the index is defined from zero up
    daily = aqi.daily(root[["pm25", "pm10", "so2", "no2", "co"]].clip(min=0), rule)
    for name in ("pm25", "pm10", "so2", "no2", "co"):
        root[f"{name}_daily"] = daily[f"{name}_daily"]
    root["aqi"] = daily["aqi"]
    root["aqi"].attrs = {k: daily["aqi"].attrs[k] for k in ("rule", "items", "items_left_out")}
    root.attrs["crs"] = grid.crs
    return root


def air_of_days(geography: Geography, evaluated: xr.Dataset, cases: Sequence[str]) -> xr.Dataset:
    """Return the root group of a result of the stored operator: daily means by city, no maps.

    Parameters
    ----------
    geography : Geography
    evaluated : Dataset
        From `airsim.assess.by_operator.evaluate`, a block a Beijing day.
    cases : sequence of str
        Those of `evaluated` that become the cases base and controlled.
    """
    from airsim.assess import aqi
    from airsim.assess.surface import nitrogen_dioxide

    grid = geography.grid
    chosen = evaluated.sel(case=list(cases)).reindex(receptor=list(CITY_IDS))
    tracer = chosen["concentration"].transpose("case", "block", "receptor", "tracer")
    pm25 = chosen["pm25"].transpose("case", "block", "receptor")
    species = {
        "pm25": pm25,
        "pm10": pm25 + tracer.sel(tracer="pm_coarse"),
        "so2": tracer.sel(tracer="so2"),
        "no2": xr.apply_ufunc(nitrogen_dioxide, tracer.sel(tracer="nox")),
        "nox": tracer.sel(tracer="nox"),
        "co": tracer.sel(tracer="co"),
        "bc": tracer.sel(tracer="bc"),
        "om": tracer.sel(tracer="oc"),
        "soa": tracer.sel(tracer="soa"),
        "sulphate": tracer.sel(tracer="sulphate"),
        "other": tracer.sel(tracer="pm25_other"),
    }
    time = evaluated["block_start"].to_numpy().astype("datetime64[ns]")
    root = xr.Dataset(
        {name: (("case", "time", "city"), v.to_numpy().astype(np.float32)) for name, v in species.items()},
        coords={"case": ["base", "controlled"][: len(cases)], "time": time, "city": list(CITY_IDS)},
    )
    root = root.assign_coords(
        city_zh=("city", [c.name_zh for c in CITIES]), city_en=("city", [c.name_en for c in CITIES])
    )
    # the index is made from hours: each hour of a day has the day's mean
    hours = (time[:, None] + np.arange(24) * np.timedelta64(1, "h")).ravel()
    hourly = root[["pm25", "pm10", "so2", "no2", "co"]].clip(min=0).sel(time=np.repeat(time, 24))
    daily = aqi.daily(hourly.assign_coords(time=hours), aqi.rule_in_force(time[0]))
    for name in ("pm25", "pm10", "so2", "no2", "co"):
        root[f"{name}_daily"] = daily[f"{name}_daily"]
    root["aqi"] = daily["aqi"]
    root["aqi"].attrs = {k: daily["aqi"].attrs[k] for k in ("rule", "items", "items_left_out")}
    root.attrs["crs"] = grid.crs
    root.attrs["method"] = "operator"
    return root


def _known(geography: Geography) -> xr.DataArray:
    """Return which cities have cells on this grid: the others are empty, not clean."""
    return xr.DataArray(np.asarray(geography.city_weights.sum(axis=1)).ravel() > 0, dims="city")


def attribution(
    geography: Geography, time: np.ndarray, surface: SurfaceAir, steps: Sequence[tuple[str, str]]
) -> xr.Dataset:
    """Return what each kind of measure takes from PM2.5, in the order of the scenario.

    Parameters
    ----------
    geography : Geography
    time : (time,) datetime64
    surface : SurfaceAir
    steps : sequence of (column before, column after)
        Named as in ``surface.cases``.
    """
    pm25 = surface.city["pm25"]
    removed = [pm25[surface.cases.index(a)] - pm25[surface.cases.index(b)] for a, b in steps]
    group = xr.Dataset(
        {"pm25_removed": (("step", "time", "city"), np.stack(removed))},
        coords={"step": [after for _, after in steps], "time": time, "city": list(CITY_IDS)},
    )
    return group.where(_known(geography))


def emissions(inventory: Inventory, gridded: Mapping[str, GriddedEmissions], hours: range) -> xr.Dataset:
    """Return emissions by city and sector: of the year, and of the mean day of the episode in each case.

    Parameters
    ----------
    inventory : Inventory
        Of the base case.
    gridded : mapping
        Case -> gridded emissions.
    hours : range
        Hours of the run that are the episode.
    """
    sectors = list(SECTORS)
    index = pd.MultiIndex.from_product([CITY_IDS, sectors])
    annual = inventory.sources.groupby(["city", "sector"])[list(POLLUTANTS)].sum().reindex(index, fill_value=0.0)
    shape = (len(CITY_IDS), len(sectors), len(POLLUTANTS))
    daily = []
    for made in gridded.values():
        rates = made.mean_rates(hours)[list(POLLUTANTS)] * SECONDS_A_DAY
        table = rates.groupby([made.sources["city"], made.sources["sector"]]).sum()
        daily.append(table.reindex(index, fill_value=0.0).to_numpy().reshape(shape))
    axes = ("city", "sector", "pollutant")
    return xr.Dataset(
        {
            "emission_annual": (axes, annual.to_numpy(float).reshape(shape)),
            "emission_daily": (("case", *axes), np.stack(daily)),
        },
        coords={
            "case": list(gridded),
            "city": list(CITY_IDS),
            "sector": sectors,
            "pollutant": list(POLLUTANTS),
        },
    )


def enterprises(inventory: Inventory, gridded: Mapping[str, GriddedEmissions], hours: range) -> xr.Dataset:
    """Return the point sources and what they emit, without and with the measures."""
    points = inventory.sources[inventory.sources["kind"] == "point"]
    daily = [g.mean_rates(hours).loc[points.index, list(POLLUTANTS)].to_numpy() * 86400 for g in gridded.values()]

    def text(column: str) -> tuple[str, list[str]]:
        return "enterprise", points[column].fillna("").astype(str).tolist()

    return xr.Dataset(
        {
            "enterprise_name": text("name"),
            "enterprise_city": text("city"),
            "enterprise_county": text("county"),
            "enterprise_sector": text("sector"),
            "enterprise_grade": text("grade"),
            "enterprise_quality": text("quality"),
            "enterprise_source": text("basis"),
            "enterprise_longitude": ("enterprise", points["longitude"].to_numpy(float)),
            "enterprise_latitude": ("enterprise", points["latitude"].to_numpy(float)),
            "coal": ("enterprise", points["coal"].to_numpy(float)),
            "emission_annual": (("enterprise", "pollutant"), points[list(POLLUTANTS)].to_numpy(float)),
            "emission_daily": (("case", "enterprise", "pollutant"), np.stack(daily)),
        },
        coords={
            "case": list(gridded),
            "enterprise": points.index.astype(str).tolist(),
            "pollutant": list(POLLUTANTS),
        },
    )


def emergency(tables: Iterable[pd.DataFrame], windows: pd.DataFrame) -> xr.Dataset:
    """Return the compliance tables of all levels, and the alert windows.

    Parameters
    ----------
    tables : iterable of DataFrame
        From `airsim.emergency.compliance`, one a level.
    windows : DataFrame
        Columns city, level, start, end [UTC].
    """
    tables = list(tables)
    shape = (len(LEVELS), len(CITY_IDS), len(LIST_POLLUTANTS))
    numbers = ("base_kg_d", "cut_kg_d", "missing_kg_d", "share", "required")
    fields = {name: np.full(shape, np.nan) for name in numbers}
    passed = np.full(shape, -1, np.int8)
    joint = {name: np.full(shape[:2], np.nan) for name in ("joint_share", "joint_required")}
    joint_pass = np.full(shape[:2], -1, np.int8)
    by_category = np.full((*shape[:2], len(CATEGORIES), shape[2]), np.nan)
    row: Any
    for table in tables:
        verdicts = table["pass"].to_numpy(bool)  # no attribute of a row: a keyword
        for passes, row in zip(verdicts, table.itertuples(index=False), strict=True):
            if row.city not in CITY_IDS:
                continue  # 西咸 counted apart is none of the cities; it stands in the workbook of `airsim emergency`
            at = (LEVELS.index(row.level), CITY_IDS.index(row.city), LIST_POLLUTANTS.index(row.pollutant))
            for name, values in fields.items():
                values[at] = getattr(row, name)
            passed[at] = passes
            for c, category in enumerate(CATEGORIES):
                by_category[at[0], at[1], c, at[2]] = getattr(row, f"{category}_kg_d")
            if pd.notna(row.joint_pass):
                joint["joint_share"][at[:2]] = row.joint_share
                joint["joint_required"][at[:2]] = row.joint_required
                joint_pass[at[:2]] = bool(row.joint_pass)
    axes = ("level", "city", "pollutant")
    group = xr.Dataset(
        {
            **{name: (axes, values) for name, values in fields.items()},
            "pass": (axes, passed),
            **{name: (axes[:2], values) for name, values in joint.items()},
            "joint_pass": (axes[:2], joint_pass),
            "cut_by_category_kg_d": (("level", "city", "category", "pollutant"), by_category),
            "alert_city": ("alert", windows["city"].tolist()),
            "alert_level": ("alert", windows["level"].tolist()),
            "alert_start": ("alert", windows["start"].to_numpy("datetime64[ns]")),
            "alert_end": ("alert", windows["end"].to_numpy("datetime64[ns]")),
        },
        coords={
            "level": list(LEVELS),
            "city": list(CITY_IDS),
            "pollutant": list(LIST_POLLUTANTS),
            "category": list(CATEGORIES),
        },
    )
    said = tables[0].attrs
    group.attrs = {
        "illustrative": "yes" if said["illustrative"] else "no",
        "plan": said["plan"],
        "plan_title": said["plan_title_en"],
        "plan_title_zh": said["plan_title_zh"],
        "plan_source": said["plan_source"],
        "plan_status": said["plan_status"],
        "basis": f"{said['areas']}; {said['basis']}",
        "basis_zh": f"{said['areas_zh']}；{said['basis_zh']}",
    }
    return group


def coal(balance: xr.Dataset) -> xr.Dataset:
    """Return the coal balance on all cities of the result; those outside the cap are empty."""
    fill: dict[str, Any] = {str(name): np.nan for name, v in balance.data_vars.items() if v.dtype.kind == "f"}
    for name, v in balance.data_vars.items():
        if v.dtype.kind == "i":  # no count is 0, no verdict is -1
            fill[str(name)] = -1 if variables.lookup("/coal", str(name)).kind == "flag" else 0
    return balance.reindex(city=list(CITY_IDS), fill_value=fill)


def meteorology(geography: Geography, weather: xr.Dataset, hours: slice) -> xr.Dataset:
    """Return the weather of the cities: population-weighted means over their built-up cells."""
    from airsim.meteorology import mixed_layer_wind

    weights = geography.city_weights
    part = weather.isel(time=hours)
    outside = ~_known(geography).values

    def city(field: np.ndarray) -> tuple[tuple[str, str], np.ndarray]:
        means = (weights @ field.reshape(len(field), -1).T).T
        means[:, outside] = np.nan
        return ("time", "city"), means.astype(np.float32)

    u, v = part["x_wind"].isel(level=0).values, part["y_wind"].isel(level=0).values
    group = xr.Dataset(coords={"time": part["time"].values, "city": list(CITY_IDS)})
    group["wind_speed"] = city(np.hypot(u, v))
    mean_u, mean_v = city(u)[1], city(v)[1]
    group["wind_from_direction"] = (
        ("time", "city"),
        (np.rad2deg(np.arctan2(-mean_u, -mean_v)) % 360).astype(np.float32),
    )
    for name in (
        "air_temperature",
        "relative_humidity",
        "atmosphere_boundary_layer_thickness",
        "precipitation_flux",
    ):
        group[name] = city(part[name].values)
    depth = part["atmosphere_boundary_layer_thickness"].values
    group["ventilation_coefficient"] = city(mixed_layer_wind(part) * depth)
    kept = {"title", "title_zh", "source", "synthetic", "seed", "notes", "notes_zh"}
    group.attrs = {k: str(v) for k, v in weather.attrs.items() if k in kept}
    return group


def budget(closed: Budget, columns: Sequence[str], cases: Sequence[str]) -> xr.Dataset:
    """Return the mass budget of each case: its own column plus the background's."""
    from airsim.region import TRACERS

    at = [columns.index(c) for c in cases]
    background = columns.index("background")
    names = {
        "emitted": closed.emitted,
        "inflow": closed.inflow,
        "initial": closed.initial,
        "chemistry": closed.chemical,
        "in_air": closed.in_air,
        "dry_deposited": closed.dry,
        "wet_deposited": closed.wet,
        "outflow": closed.outflow,
    }
    data = {
        name: (("case", "tracer"), np.stack([values[:, c] + values[:, background] for c in at]))
        for name, values in names.items()
    }
    group = xr.Dataset(data, coords={"case": ["base", "controlled"][: len(at)], "tracer": list(TRACERS)})
    came = group["emitted"] + group["inflow"] + group["initial"] + group["chemistry"].clip(min=0)
    went = group["in_air"] + group["dry_deposited"] + group["wet_deposited"] + group["outflow"]
    group["closure"] = (came - went + group["chemistry"].clip(max=0)) / came.where(came > 0)
    group.attrs["undershoot"] = (
        f"largest share of negative tracer at the end of an hour {float(np.max(closed.negative)):.2e}"
    )
    return group


def evaluation(root: xr.Dataset, observed: pd.DataFrame, paired: xr.Dataset | None = None) -> xr.Dataset:
    """Return level, diurnal cycle and ranking against observed statistics, and the composition of PM2.5.

    Parameters
    ----------
    root : Dataset
        The root group.
    observed : DataFrame
        Observed statistics.
    paired : Dataset, optional
        Observed hours (time, city) [ug m-3]: given on real weather, days are paired, too.
    """
    from airsim.assess import evaluation as compare

    base = root.sel(case="base")
    group = compare.levels({v: base[v] for v in ("pm25", "pm10", "so2", "no2", "co")}, observed)
    components = ("om", "soa", "sulphate", "nitrate", "ammonium", "bc", "other")
    total = base["pm25"].mean("time")
    group["composition_modelled"] = (
        ("component", "city"),
        np.stack([(base[c].mean("time") / total).values for c in components]),
    )
    group = group.assign_coords(component=list(components))
    group["composition_published"] = ("component", [PUBLISHED_COMPOSITION.get(c, np.nan) for c in components])
    group["composition_published"].attrs["source"] = PUBLISHED_SOURCE
    if paired is None:
        group.attrs["note"], group.attrs["note_zh"] = EVALUATION_NOTE
    else:
        seen = paired.reindex(time=root["time"].values, city=root["city"].values)
        group = group.merge(compare.daily_scores({str(v): base[v] for v in group["variable"].values}, seen))
        group["observed_pm25"] = (("time", "city"), seen["pm25"].transpose("time", "city").values)
        group = group.assign_coords(time=root["time"])
    group.attrs["period"] = ", ".join(dict.fromkeys(observed["period"].astype(str)))
    group.attrs["source"] = "; ".join(dict.fromkeys(observed["source"].astype(str)))
    return group


def attainment(
    surface: SurfaceAir,
    time: np.ndarray,
    observed: xr.DataArray,
    shares: xr.DataArray,
    rule: Rule,
    *,
    temporary: bool = False,
) -> xr.Dataset:
    """Return observed PM2.5 projected by relative response; see `airsim.assess.attainment`.

    Parameters
    ----------
    surface : SurfaceAir
        After the run: base first, then the measures step by step.
    time : (time,) datetime64
        Start of the hours [UTC].
    observed : DataArray (day, city)
        Daily PM2.5 [ug m-3].
    shares : DataArray (component, city)
        Observed composition [1].
    rule : Rule
        A version of the rule file ``aqi``: what heavy pollution is.
    temporary : bool
        Whether measures before the first emergency measure have a start or an end; the report says so.
    """
    from airsim.assess import attainment as test

    # measures that act in alerts only don't act on ordinary days: these get the steps before the first of them
    first = next((i for i, name in enumerate(surface.cases) if name.startswith("emergency")), len(surface.cases))
    columns = {"base": 0, "permanent": first - 1, "controlled": len(surface.cases) - 1}
    wanted = ("pm25", *dict.fromkeys(p for parts in test.MODELLED.values() for p in parts))
    modelled = {case: {name: surface.city[name][at] for name in wanted} for case, at in columns.items()}
    heavy = float(np.interp(rule["heavy_above"], rule["iaqi"], rule["breakpoints.pm25_24h"]))
    group = test.attainment(observed, modelled, time, shares, heavy_above=heavy)
    after = [name for name in surface.cases[first:] if not name.startswith("emergency")]
    group.attrs["permanent_steps"] = " ".join(surface.cases[1:first])
    group.attrs["temporary"] = "yes" if temporary else "no"
    group.attrs["left_to_high_days"] = " ".join(after)
    return group


def provenance(
    inputs: Sequence[Input], inventory: Inventory, weather_attrs: Mapping[Any, Any], notes: Sequence[Note] = ()
) -> xr.Dataset:
    """Return inputs with their hashes, what was not used of them, package versions, and the emissions' quality."""
    qualities = ["reported", "derived", "estimated"]
    sums = inventory.sources.groupby("quality")[list(POLLUTANTS)].sum().reindex(qualities, fill_value=0.0)
    packages = ("airsim", "numpy", "scipy", "xarray", "numba", "pandas", "netCDF4")
    from airsim.version import __version__

    weather = {k: str(v) for k, v in weather_attrs.items()}
    made = weather.get("synthetic") == "yes"
    seed, seed_zh = (f", seed {weather.get('seed', '')}", f"，随机种子 {weather.get('seed', '')}") if made else ("", "")
    versions = [__version__ if p == "airsim" else metadata.version(p) for p in packages]
    return xr.Dataset(
        {
            "input_file": ("input", [*(i.path.name for i in inputs), "(weather)"]),
            "input_sha256": ("input", [*(i.sha256() for i in inputs), ""]),
            "input_kind": ("input", [*(i.kind for i in inputs), "synthetic" if made else "derived"]),
            "input_note": ("input", [*(i.note for i in inputs), f"{weather['title']}{seed}"]),
            "input_note_zh": (
                "input",
                [*(i.note_zh for i in inputs), f"{weather['title_zh']}{seed_zh}"],
            ),
            "remark": ("note", np.array([n.en for n in notes], object)),
            "remark_zh": ("note", np.array([n.zh for n in notes], object)),
            "package_name": ("package", list(packages)),
            "package_version": ("package", versions),
            "emission_share": (("quality", "pollutant"), (sums / sums.sum()).to_numpy(float)),
        },
        coords={"quality": qualities, "pollutant": list(POLLUTANTS)},
    )
