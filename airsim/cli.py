"""The commands; each is thin and hands over to the package."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from airsim import language
from airsim.errors import InputError, Lang

app = typer.Typer(
    name="airsim",
    help="关中平原大气污染联防联控与控煤仿真引擎\n\nAir-pollution joint control and coal cap, simulated.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

LangOption = Annotated[str, typer.Option("--lang", help="zh | en；默认随系统语言 / default: the locale, else Chinese")]
OutOption = Annotated[Path, typer.Option("--out", help="输出目录 / where the results go")]


def main() -> None:
    """Run the command line: exit code 0 done, 2 bad input, 1 anything else."""
    for stream in (sys.stdout, sys.stderr):
        # a redirected stream on a cp936 system is strict: a character it lacks must not end a run
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()


def _language(value: str) -> Lang:
    if value == "":
        return language.default()
    if value == "zh":
        return "zh"
    if value == "en":
        return "en"
    raise typer.BadParameter("zh | en")


def _guarded(lang: Lang, work: Callable[[], Any]) -> Any:
    """Do the work; bad input is printed problem by problem, without a traceback, and ends with code 2."""
    try:
        return work()
    except InputError as error:
        count = len(error.problems)
        head = f"输入有 {count} 处问题：" if lang == "zh" else f"{count} problem(s) in the input:"
        typer.echo(head, err=True)
        for problem in error.problems:
            typer.echo("  " + problem.text(lang), err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        typer.echo("已中断，未写出结果。" if lang == "zh" else "Interrupted; nothing was written.", err=True)
        raise typer.Exit(1) from None


@app.command()
def run(
    scenario: Annotated[Path, typer.Argument(help="情景文件 / scenario file (YAML)")],
    out: OutOption = Path("results"),
    lang: LangOption = "",
) -> None:
    """运行一个情景，写出 NetCDF、报告与 Excel 表 / Run one scenario: NetCDF, HTML report, Excel tables."""
    spoken = _language(lang)
    from airsim.progress import Progress

    def work() -> None:
        from airsim import pipeline

        with Progress(spoken) as progress:
            done = pipeline.run_to_files(scenario, out, lang=spoken, progress=progress)
        for line in done.summary:
            typer.echo(line)
        typer.echo("结果文件：" if spoken == "zh" else "Files written:")
        for path in done.files:
            typer.echo(f"  {path}")

    _guarded(spoken, work)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="情景、清单或表格 / scenarios, lists, tables")],
    lang: LangOption = "",
) -> None:
    """检查情景、减排清单与数据表，列出全部问题 / Check scenarios, lists, tables; print every problem."""
    spoken = _language(lang)

    def work() -> None:
        from airsim import checking

        problems = []
        for file in files:
            try:
                said = checking.check(file)
            except InputError as error:
                problems += error.problems
            else:
                typer.echo(f"{file}: " + (said.zh if spoken == "zh" else said.en))
        if problems:
            raise InputError(problems)

    _guarded(spoken, work)


@app.command()
def emergency(
    list_: Annotated[Path, typer.Argument(metavar="LIST", help="应急减排清单 / reduction list (xlsx, xls, csv)")],
    level: Annotated[str, typer.Option("--level", help="yellow | orange | red（黄 | 橙 | 红）")],
    inventory: Annotated[
        Path | None,
        typer.Option("--inventory", help="企业排放表，默认随附 / enterprise table; default: shipped"),
    ] = None,
    area: Annotated[
        Path | None, typer.Option("--area-sources", help="面源表，默认随附 / area sources; default: shipped")
    ] = None,
    plan: Annotated[str, typer.Option("--plan", help="预案版本 / dated plan")] = "2019",
    out: Annotated[Path | None, typer.Option("--out", help="另存为 CSV / also write a CSV")] = None,
    lang: LangOption = "",
) -> None:
    """核算清单是否达到全社会减排比例 / Does the list reach the required shares of all-society emissions."""
    spoken = _language(lang)

    def work() -> None:
        from airsim import pipeline

        table, lines = pipeline.compliance_lines(list_, level, inventory, area, plan, spoken)
        if out is not None:
            table.to_csv(out, index=False, encoding="utf-8-sig")
            lines.append(str(out))
        for line in lines:
            typer.echo(line)

    _guarded(spoken, work)


@app.command()
def coal(
    scenario: Annotated[Path, typer.Argument(help="情景文件 / scenario file (YAML)")],
    lang: LangOption = "",
) -> None:
    """煤炭平衡与负增长检验，不做扩散 / Coal balance and negative-growth test, no dispersion."""
    spoken = _language(lang)

    def work() -> None:
        from airsim import coal as accounts
        from airsim.output import printed
        from airsim.scenario import load

        for line in printed.coal(accounts.balance(load(scenario)), spoken):
            typer.echo(line)

    _guarded(spoken, work)


@app.command()
def rank(
    scenario: Annotated[Path, typer.Argument(help="情景文件 / scenario file (YAML)")],
    city: Annotated[list[str], typer.Option("--city", help="受体城市，可多次给出 / receptor city, repeatable")],
    window: Annotated[
        tuple[str, str], typer.Option("--window", help="起止时间，默认整个时段 / start and end; default: the period")
    ] = ("", ""),
    out: OutOption = Path("results"),
    lang: LangOption = "",
) -> None:
    """按对某市 PM2.5 的边际影响为企业与面源排名（伴随） / Rank sources by marginal impact on a city (adjoint)."""
    spoken = _language(lang)
    from airsim.progress import Progress

    def work() -> None:
        from airsim import pipeline

        with Progress(spoken) as progress:
            done = pipeline.rank_to_files(scenario, city, window if any(window) else None, out, spoken, progress)
        for line in (*done.summary, *map(str, done.files)):
            typer.echo(line)

    _guarded(spoken, work)


@app.command()
def report(
    result: Annotated[Path, typer.Argument(metavar="RESULT.nc", help="结果文件 / result file")],
    out: Annotated[Path | None, typer.Option("--out", help="HTML 文件 / HTML file")] = None,
    lang: LangOption = "",
) -> None:
    """由结果文件重新生成报告 / Make the HTML report from a result file again."""
    spoken = _language(lang)

    def work() -> None:
        from airsim.output import netcdf
        from airsim.output import report as page

        target = out or result.with_name("report.html")
        page.render(netcdf.read(result), target, spoken)
        typer.echo(str(target))

    _guarded(spoken, work)


@app.command()
def schema() -> None:
    """情景文件的 JSON Schema，供编辑器使用 / JSON Schema of the scenario file, for editors."""
    import json

    from airsim import scenario as model

    typer.echo(json.dumps(model.schema(), ensure_ascii=False, indent=2))


@app.command()
def version() -> None:
    """版本 / Version."""
    from airsim import __version__

    typer.echo(__version__)


if __name__ == "__main__":
    main()
