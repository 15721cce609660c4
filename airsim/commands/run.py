"""`airsim run`: one scenario file to result.nc, report.html, tables.xlsx and run.json."""

from __future__ import annotations

from pathlib import Path

from airsim import files
from airsim import scenario as scenarios
from airsim.console import Reporter
from airsim.errors import InputError, Lang, Problem


def run(
    path: Path,
    out: Path,
    *,
    lang: Lang,
    progress: Reporter | None = None,
    by_operator: bool = False,
    overwrite: bool = False,
) -> tuple[list[Path], list[str]]:
    """Run a scenario file and write ``OUT/NAME/`` result.nc, report.html, tables.xlsx and run.json.

    Parameters
    ----------
    path : Path
        Scenario file.
    out : Path
        Folder of the results.
    lang : {"zh", "en"}
        Language of the summary, the workbook, and the report when it opens.
    progress : Reporter, optional
    by_operator : bool
        Evaluate by the stored operator (`airsim.simulation.run_by_operator`) instead of running.
    overwrite : bool
        Replace what the folder holds of another scenario, or of the other way of running.

    Returns
    -------
    files, lines
        What was written, and the summary.

    Raises
    ------
    InputError
        Everything that is wrong with the scenario and its files; nothing has been written then.
    CannotWrite
        A file of the folder is held open by another program; the old files stay, all of them.
    """
    from airsim import simulation
    from airsim.cache import folder
    from airsim.case import Case
    from airsim.case.identity import weather_key
    from airsim.case.shared import Shared
    from airsim.result.folder import RESULTS, SEAL

    scenario = scenarios.load(path)
    if scenario.sweep is not None:
        many = "many scenarios in one file: run it with airsim batch", "该文件含多个情景：请用 airsim batch 运行"
        raise InputError([Problem(str(path), scenario.line("sweep"), "sweep", "", *many)])
    shared = Shared(folder.folder(), frozenset({weather_key(scenario)})) if by_operator else None
    way = simulation.run_by_operator if by_operator else simulation.run
    case, place = Case(scenario, shared), Path(out) / scenario.name
    case.refuse_early(place, method="operator" if by_operator else "full", overwrite=overwrite)
    with files.together(place, SEAL) as stage:
        _, _, told = simulation.run_into(stage, case, lang, progress, way)
    return [place / name for name in RESULTS], told
