"""The coal balance as the long table of the IAMC (model, scenario, region, variable, unit, year, value).

pyam and the scenario explorers read it as it is: ``pyam.IamDataFrame("coal.csv")``.  Header and hierarchy (``|``)
follow the common data template of the Integrated Assessment Modeling Consortium.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import xarray as xr

from airsim.version import __version__

COLUMNS = ("model", "scenario", "region", "variable", "unit", "year", "value")
#: The whole of the cities of the cap.
REGION = "Guanzhong"
#: Reported years stand under this scenario, so that the plan's are not mistaken for statistics.
STATISTICS = "statistics"
_SECTORS = {
    "power": "Power",
    "heat": "Heat Supply",
    "steel": "Steel",
    "coking": "Coking",
    "cement": "Cement",
    "industry": "Other Industry",
    "small_industry": "Small Industry",
    "residential": "Residential",
    "other": "Other",
}
_LINES = {
    "growth": "Growth",
    "weather": "Weather",
    "new_projects": "New Projects",
    "offsets": "Offsets",
    "substitution": "Substitution",
    "retirement": "Retirement",
    "efficiency": "Efficiency",
}
_SUBSTANCES = {
    "SO2": ("Emissions|Sulfur", "t SO2/yr"),
    "NOx": ("Emissions|NOx", "t NO2/yr"),
    "PM25": ("Emissions|PM2.5", "t PM2.5/yr"),
    "CO2": ("Emissions|CO2", "t CO2/yr"),
}


def table(balance: xr.Dataset, scenario: str) -> pd.DataFrame:
    """Return a coal balance as a long table.

    Parameters
    ----------
    balance : Dataset
        From `airsim.coal.balance`.
    scenario : str
        Name of the scenario.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, without missing values or repeated rows; coal [Mt/yr], standard coal as ``Final Energy``
        [EJ/yr], changes of the balance lines and avoided emissions in the target year.
    """
    frame = pd.DataFrame(_rows(balance, scenario), columns=list(COLUMNS)).dropna(subset=["value"])
    return frame.drop_duplicates(list(COLUMNS[:-1])).reset_index(drop=True)


def _rows(balance: xr.Dataset, scenario: str) -> Iterator[tuple[str, str, str, str, str, int, float]]:
    from airsim.geography import CITIES

    model = f"airsim {__version__}"
    names = {c.id: c.name_en for c in CITIES}
    base, target = int(balance.attrs["base_year"]), int(balance.attrs["target_year"])
    fuels = str(balance.attrs["assessed_fuels"]).split(", ")
    inside = str(balance.attrs["assessed_sectors"]).split(", ")
    ledger = balance["ledger"].sel(
        fuel=[f for f in balance["fuel"].values if f in fuels],
        sector=[s for s in balance["sector"].values if s in inside],
    )
    regions = [(REGION, None), *((f"{REGION}|{names.get(str(c), str(c))}", str(c)) for c in balance["city"].values)]
    for region, city in regions:

        def place(values: xr.DataArray, city: str | None = city) -> xr.DataArray:
            return values.sum("city") if city is None else values.sel(city=city)

        for year in ledger["year"].values:
            at = place(ledger.sel(year=year)).sum("fuel")
            yield model, STATISTICS, region, "Consumption|Coal", "Mt/yr", int(year), float(at.sum()) / 1e6
            for sector in at["sector"].values:
                name = f"Consumption|Coal|{_SECTORS.get(str(sector), str(sector))}"
                yield model, STATISTICS, region, name, "Mt/yr", int(year), float(at.sel(sector=sector)) / 1e6
        for line, year in (("base", base), ("target", target)):
            for variable, name, unit, scale in (
                ("consumption", "Consumption|Coal", "Mt/yr", 1e-6),
                ("consumption_tce", "Final Energy|Coal", "EJ/yr", 29.3076e-9),
            ):
                at = place(balance[variable].sel(line=line))
                yield model, scenario, region, name, unit, year, float(at.sum()) * scale
                for sector in at["sector"].values:
                    full = f"{name}|{_SECTORS.get(str(sector), str(sector))}"
                    yield model, scenario, region, full, unit, year, float(at.sel(sector=sector)) * scale
        for line in balance["line"].values:
            if str(line) in _LINES:
                value = float(place(balance["consumption"].sel(line=line)).sum()) / 1e6
                yield model, scenario, region, f"Consumption|Coal|Change|{_LINES[str(line)]}", "Mt/yr", target, value
        if "avoided" in balance:
            for substance, (name, unit) in _SUBSTANCES.items():
                value = float(place(balance["avoided"].sel(substance=substance)).sum())
                yield model, scenario, region, f"{name}|Avoided by Coal Measures", unit, target, value
        growth = balance["growth_total"] if city is None else balance["growth"].sel(city=city)
        yield model, scenario, region, "Consumption|Coal|Growth Rate", "%", target, 100.0 * float(growth)
        if "probability" in balance:
            p = balance["probability_total"] if city is None else balance["probability"].sel(city=city)
            yield (
                model,
                scenario,
                region,
                "Consumption|Coal|Probability of Negative Growth",
                "%",
                target,
                100.0 * float(p),
            )
