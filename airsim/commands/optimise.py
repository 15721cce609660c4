"""The work behind `airsim optimise` and `airsim emergency --optimise`: from files to the least that meets demands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airsim.errors import InputError, Lang, Problem

if TYPE_CHECKING:
    from airsim.console import Reporter
    from airsim.output.page import Page


def precise_list(
    list_file: Path,
    level: str,
    objective: str,
    *,
    plan: str,
    enterprises: Path | None = None,
    area_sources: Path | None = None,
    scenario_file: Path | None = None,
    effect: float = 0.95,
    out: Path | None = None,
    lang: Lang = "zh",
    progress: Reporter | None = None,
) -> list[str]:
    """Choose the precise list of a reduction list; return what is printed, and write a workbook if asked for.

    Parameters
    ----------
    list_file : Path
    level : {"yellow", "orange", "red"}
    objective : {"output", "lines", "enterprises", "cost"}
        What is made least.
    plan : str
        Dated plan.
    enterprises, area_sources : Path, optional
        Inventory tables; those of the scenario, else the shipped ones.
    scenario_file : Path, optional
        Scenario whose weather and alerts say what each line does to the air; without it only shares count.
    effect : float
        Share of the whole list's effect on every acting city's alert mean and worst day that must be kept [1].
    out : Path, optional
        Workbook (.xlsx).
    lang : {"zh", "en"}
    progress : Reporter, optional

    Raises
    ------
    InputError
        Whatever is wrong with the tables; no choice meets the demands.
    """
    from airsim import emergency, geography, inventory, shipped
    from airsim import scenario as scenarios
    from airsim.cache import folder
    from airsim.case import Case
    from airsim.case.measures import response as response_of
    from airsim.case.parts import day_factors
    from airsim.coal.plan import carry_out
    from airsim.optimise import precise_list as precise
    from airsim.output.sections import precise_list as pages

    if objective not in precise.OBJECTIVES:
        allowed = ", ".join(precise.OBJECTIVES)
        raise InputError(
            [Problem("--optimise", "", "", objective, f"must be one of {allowed}", f"须为 {allowed} 之一")]
        )
    if not 0 <= effect <= 1:
        raise InputError([Problem("--effect", "", "", str(effect), "must be from 0 to 1", "须在 0 与 1 之间")])
    factor = day_factors()
    impact = None
    if scenario_file is None:
        list_ = emergency.read(list_file)
        base = inventory.read(
            enterprises or shipped.path("data/emissions/enterprises.csv"),
            area_sources or shipped.path("data/emissions/area_sources.csv"),
            None,
            geography.load(geography.make_grid()),
        )
    else:
        scenario = scenarios.load(scenario_file)
        if progress is not None:
            progress.stage("基准情形与伴随", "base case and adjoint", 1.0)

        def told(done: int, of: int) -> None:
            if progress is not None:
                progress.part(done / of)

        case = Case(scenario)
        stages = carry_out(precise.acting(case.plan, list_file), case.inventory)
        response = response_of(stages)
        assert response is not None
        found, _ = precise.traced(response, case.air, folder.folder(), told)
        base, list_ = response.inventories[0], stages.lists[-1][1]
        impact = precise.impact_of_lines(base, list_, level, list(response.windows["city"].unique()), found, plan)
    whole = {} if impact is None else {str(t): float(v) for t, v in impact.sum().items() if v > 0}

    def make(share: float, *, shares: bool, gap: float) -> precise.Precise:
        return precise.choose(
            list_, base, level, objective=objective, plan=plan, day_factor=factor,  # type: ignore[arg-type]
            shares=shares, impact=impact, wanted={t: share * v for t, v in whole.items()}, gap=gap,
        )  # fmt: skip

    chosen = make(effect, shares=True, gap=1e-3)
    compared = precise.against_blanket(lambda share: make(share, shares=False, gap=1e-2)) if whole else None
    page = pages.page(chosen, compared, illustrative=list_.illustrative)
    return _told(page, out, lang)


def measures(
    scenario_file: Path, *, out: Path | None = None, lang: Lang = "zh", progress: Reporter | None = None
) -> list[str]:  # fmt: skip
    """Find the least-cost measures of a scenario file; return what is printed, and write a workbook if asked for.

    Parameters
    ----------
    scenario_file : Path
        With an ``optimise`` block.
    out : Path, optional
        Workbook (.xlsx).
    lang : {"zh", "en"}
    progress : Reporter, optional

    Raises
    ------
    InputError
        See `airsim.optimise.least_cost.choose`.
    """
    from airsim import scenario as scenarios
    from airsim.cache import folder
    from airsim.case import Case
    from airsim.optimise import least_cost
    from airsim.output.sections import precise_list as pages
    from airsim.output.words import Text

    scenario = scenarios.load(scenario_file)
    if progress is not None:
        progress.stage("逐项措施与伴随", "single measures and adjoint", 1.0)
    case = Case(scenario)
    found = least_cost.choose(
        case.plan,
        scenario.optimise,
        case.inventory,
        lambda: case.air,
        folder.folder(),
        None if progress is None else lambda done, of: progress.part(done / of),
        line=scenario.line("optimise"),
    )
    return _told(pages.plan_page(found, Text(scenario.title.zh, scenario.title.en)), out, lang)


def _told(page: Page, out: Path | None, lang: Lang) -> list[str]:
    """Return what is printed; write the workbook if asked for."""
    from airsim.output import console, excel

    if out is None:
        return console.lines(page, lang)
    excel.write(page, out, lang)
    return [*console.lines(page, lang), str(out)]
