"""`airsim rank`: the sources of a scenario by what they bring to some cities, from the adjoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from airsim import scenario as scenarios
from airsim.console import Reporter, Silent
from airsim.errors import Lang


def rank(
    path: Path,
    cities: Sequence[str],
    window: tuple[str, str] | None,
    out: Path,
    lang: Lang,
    progress: Reporter | None = None,
) -> list[str]:
    """Rank the sources of a scenario for some cities; return what is printed.

    ``OUT/NAME/`` gets ranking.nc and ranking.xlsx.

    Parameters
    ----------
    path : Path
        Scenario file.
    cities : sequence of str
        City ids.
    window : (start, end), optional
        ISO times, Beijing unless zoned; the whole period if left out.
    out : Path
        Folder of the results.
    lang : {"zh", "en"}
    progress : Reporter, optional

    Raises
    ------
    InputError
        Whatever is wrong with scenario, tables, cities or window.
    """
    import numpy as np
    import xarray as xr

    from airsim import geography
    from airsim.case import Case
    from airsim.output import console, excel
    from airsim.output.sections import ranking as ranking_page
    from airsim.result import netcdf

    say = progress or Silent()
    scenario = scenarios.load(path)
    edges = scenarios.window(window) if window else None
    start, end = (np.datetime64(t.replace(tzinfo=None), "ns") for t in edges) if edges else (None, None)
    say.stage("基准情形与伴随", "base case and adjoint", 0.95)
    ranking = Case(scenario).ranking(cities, start, end, progress=lambda done, of: say.part(done / of))
    d = scenario.domain
    grid = geography.make_grid((d.west, d.south, d.east, d.north), d.spacing)
    root = xr.Dataset(
        coords={
            "y": grid.y,
            "x": grid.x,
            "longitude": (("y", "x"), grid.longitude),
            "latitude": (("y", "x"), grid.latitude),
        },
        attrs={"crs": grid.crs, "name": scenario.name, "title": scenario.title.en, "title_zh": scenario.title.zh},
    )
    say.stage("写出结果", "writing", 0.05)
    folder = Path(out) / scenario.name
    written = [folder / "ranking.nc", folder / "ranking.xlsx"]
    tree = xr.DataTree.from_dict({"/": root, "/ranking": ranking})
    netcdf.write(tree, written[0])
    page = ranking_page.page(tree, ranking)
    excel.write(page, written[1], lang)
    return [*console.lines(page, lang), *map(str, written)]
