"""`airsim coal`: the coal balance of a scenario as lines, files, advice and an IAMC table."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from airsim.errors import Lang

if TYPE_CHECKING:
    import xarray as xr

    from airsim.scenario import Scenario


@dataclass(frozen=True)
class CoalReport:
    """What the command prints, and the files it wrote."""

    lines: list[str]
    files: list[Path] = field(default_factory=list)


def report(
    path: Path, lang: Lang, *, out: Path | None = None, advise: bool = False, iamc: Path | None = None
) -> CoalReport:
    """Balance the coal of a scenario file.

    Parameters
    ----------
    path : Path
        Scenario file.
    lang : {"zh", "en"}
    out : Path, optional
        Folder of the results: ``OUT/NAME/`` gets coal.nc, coal.html and coal.xlsx.
    advise : bool
        Rank the routes by city.
    iamc : Path, optional
        Long table of the IAMC, .csv or .xlsx.

    Raises
    ------
    InputError
        Whatever is wrong with scenario, tables or measures; a file that can't be written.
    """
    from airsim.cache import folder as cache
    from airsim.case import Case
    from airsim.coal import advice
    from airsim.output import console, excel, html
    from airsim.output.sections import coal as coal_page
    from airsim.output.sections import coal_routes
    from airsim.result import netcdf
    from airsim.scenario import load

    scenario = load(path)
    case = Case(scenario)
    tree = netcdf.dress(tree_of(case.coal, scenario))
    grid = None
    if advise:
        felt = advice.sensitivity_of(lambda: case.air, case.inventory, case.plan.cities, cache.folder())
        grid = coal_routes.grid(advice.advise(case.stages, felt))
    page = coal_page.page(tree, grid)
    said = CoalReport(console.lines(page, lang))
    if out is not None:
        folder = Path(out) / scenario.name
        said.files.extend(folder / name for name in ("coal.nc", "coal.html", "coal.xlsx"))
        netcdf.write(tree, said.files[0])
        html.write(page, said.files[1], lang)
        excel.write(page, said.files[2], lang)
    if iamc is not None:
        write_iamc(case.coal, scenario, iamc)
        said.files.append(Path(iamc))
    return said


def tree_of(balance: xr.Dataset, scenario: Scenario) -> xr.DataTree:
    """Return a balance as a result of its own."""
    import xarray as xr

    root = xr.Dataset(attrs={"name": scenario.name, "title": scenario.title.en, "title_zh": scenario.title.zh})
    return xr.DataTree.from_dict({"/": root, "/coal": balance})


def write_iamc(balance: xr.Dataset, scenario: Scenario, path: Path) -> None:
    """Write the long table of the IAMC, whole or not at all.

    Raises
    ------
    InputError
        The file can't be written.
    """
    import io

    from airsim.coal import iamc
    from airsim.files import write_bytes

    table = iamc.table(balance, scenario.name)
    if path.suffix.lower() == ".csv":
        write_bytes(path, table.to_csv(index=False, lineterminator="\n").encode("utf-8-sig"))
        return
    buffer = io.BytesIO()
    table.to_excel(buffer, sheet_name="data", index=False, engine="xlsxwriter")
    write_bytes(path, buffer.getvalue())
