"""The commands; each is thin and hands over to the package."""

from __future__ import annotations

import errno
import io
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from airsim import files, language, names
from airsim.errors import CannotWrite, InputError, Lang

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

app = typer.Typer(
    name="airsim",
    help="关中平原大气污染联防联控与控煤仿真引擎\n\nAir-pollution joint control and coal cap, simulated.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

LangOption = Annotated[str, typer.Option("--lang", help="zh | en；默认随系统语言 / default: the locale, else Chinese")]
OutOption = Annotated[Path, typer.Option("--out", help="输出目录 / where the results go")]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="替换文件夹中其他情景的结果 / replace results of other scenarios")
]


def main() -> None:
    """Run the command line: exit code 0 done, 2 bad input, 1 anything else."""
    # a closed stream's number would go to the next file that is opened, and what is printed into that file
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        os.set_inheritable(number, True)
    os.close(number)
    sys.stdout, sys.stderr = _listener(sys.stdout, 1), _listener(sys.stderr, 2)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries warn developers; what a user must know is a message
    try:
        app()
    except KeyboardInterrupt:  # before or after the command itself
        sys.exit(1)


class _Listener(io.FileIO):
    """Standard output or error: whether anybody listens (``| head``, a closed terminal) changes nothing in the work."""

    _GONE = frozenset({errno.EPIPE, errno.EBADF, errno.EIO, errno.ECONNRESET})

    def write(self, content: ReadableBuffer, /) -> int:
        """Write, or pass over what nobody hears any more."""
        try:
            return super().write(content)
        except OSError as error:
            # Windows says of a pipe without a reader that the argument is invalid
            if error.errno not in self._GONE and not (os.name == "nt" and error.errno == errno.EINVAL):
                raise
            return memoryview(content).nbytes


def _listener(stream: TextIO | None, number: int) -> TextIO:
    """Return a standard stream that neither a closed pipe nor a character it lacks can stop."""
    if stream is None:
        return io.TextIOWrapper(io.BufferedWriter(_Listener(number, "wb", closefd=False)), "utf-8", "replace")
    try:
        own = stream.fileno() == number
    except (OSError, ValueError):  # a stream of whoever calls `main` in Python
        own = False
    if not own or not isinstance(stream, io.TextIOWrapper):
        return stream
    if os.name == "nt" and stream.isatty():  # its console takes text, not bytes
        stream.reconfigure(errors="replace")
        return stream
    raw = io.BufferedWriter(_Listener(number, "wb", closefd=False))
    # a redirected stream on a cp936 system is strict: a character it lacks must not end a run
    return io.TextIOWrapper(raw, stream.encoding, "replace", line_buffering=number == 2 or stream.isatty())


def _say_version(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


@app.callback()
def _start(
    said: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="版本 / version")
    ] = False,
) -> None:
    pass


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
    except CannotWrite as error:
        for problem in error.problems:
            typer.echo(problem.text(lang), err=True)
        raise typer.Exit(1) from None
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
    except (OSError, MemoryError) as error:  # a full disk, a share that has gone
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        name = getattr(error, "filename", None)
        file = f": {name}" if name else ""
        typer.echo(f"未完成（{said}{file}）" if lang == "zh" else f"Not finished ({said}{file})", err=True)
        raise typer.Exit(1) from None


@app.command()
def run(
    scenario: Annotated[Path, typer.Argument(help="情景文件 / scenario file (YAML)")],
    out: OutOption = Path("results"),
    operator: Annotated[
        bool,
        typer.Option(
            "--operator",
            help="用已存的输送算子快速估算（日均值）；没有则先生成 / evaluate by the stored operator (daily means)",
        ),
    ] = False,
    overwrite: OverwriteOption = False,
    lang: LangOption = "",
) -> None:
    """运行一个情景，写出 NetCDF、报告与 Excel 表 / Run one scenario: NetCDF, HTML report, Excel tables."""
    spoken = _language(lang)
    from airsim.console import Progress

    def work() -> None:
        from airsim.commands import run as running

        files.refuse_folder(out)
        with Progress(spoken) as progress:
            written, summary = running.run(
                scenario, out, lang=spoken, progress=progress, by_operator=operator, overwrite=overwrite
            )
        for line in summary:
            typer.echo(line)
        typer.echo("结果文件：" if spoken == "zh" else "Files written:")
        for path in written:
            typer.echo(f"  {path}")

    _guarded(spoken, work)


@app.command()
def batch(
    scenarios: Annotated[
        list[Path], typer.Argument(metavar="SCENARIO...", help="情景文件，可含 sweep / scenario files, sweeps too")
    ],
    out: OutOption = Path("results"),
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="同时运行的情景数 / scenarios at the same time")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="tcp://HOST:PORT", help="已有的 dask 集群 / a dask cluster")
    ] = None,
    memory: Annotated[
        str | None, typer.Option("--memory", help="内存预算，如 12GB、50%，默认 70% / memory budget; default: 70%")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="已完成的也重算 / also run what is done already")] = False,
    operator: Annotated[
        bool | None,
        typer.Option(
            "--operator/--full",
            help="仅排放不同的情景由已存模拟叠加 / 逐个完整模拟；默认 30 个起叠加"
            " / sum stored runs where only emissions differ, or run each; default: sum from 30 on",
        ),
    ] = None,
    overwrite: OverwriteOption = False,
    lang: LangOption = "",
) -> None:
    """运行多个情景，可中断续算，写出汇总表 / Run many scenarios; resumes by itself; writes a summary."""
    spoken = _language(lang)

    def work() -> None:
        from airsim.commands import batch as many

        files.refuse_folder(out)
        lines, complete = many.batch(
            scenarios, out, spoken, workers=workers, scheduler=scheduler, memory=memory, fresh=fresh,
            operator=operator, overwrite=overwrite,
        )  # fmt: skip
        for line in lines:
            typer.echo(line)
        if not complete:
            raise typer.Exit(1)

    _guarded(spoken, work)


@app.command()
def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILES...", help="情景、清单或表格 / scenarios, lists, tables")
    ],
    lang: LangOption = "",
) -> None:
    """检查情景、减排清单与数据表，列出全部问题 / Check scenarios, lists, tables; print every problem."""
    spoken = _language(lang)

    def work() -> None:
        from airsim.commands import check as checking

        problems = []
        for file in paths:
            try:
                said = checking.check(file)
            except InputError as error:
                problems += error.problems
            else:
                typer.echo(f"{file}: " + (said.zh if spoken == "zh" else said.en))
                for warning in said.warnings:
                    typer.echo(("  提示 " if spoken == "zh" else "  warning ") + warning.text(spoken))
                problems += said.errors
        if problems:
            raise InputError(problems)

    _guarded(spoken, work)


@app.command()
def emergency(
    list_: Annotated[
        Path | None, typer.Argument(metavar="LIST", help="应急减排清单 / reduction list (xlsx, xls, csv)")
    ] = None,
    level: Annotated[
        str,
        typer.Option("--level", help="yellow | orange | red（黄 | 橙 | 红），有预报时可省 / optional with a forecast"),
    ] = "",
    inventory: Annotated[
        Path | None,
        typer.Option("--inventory", help="企业排放表，默认随附 / enterprise table; default: shipped"),
    ] = None,
    area: Annotated[
        Path | None, typer.Option("--area-sources", help="面源表，默认随附 / area sources; default: shipped")
    ] = None,
    plan: Annotated[
        str, typer.Option("--plan", help="预案版本，或本地预案 .yaml / dated plan, or a local plan .yaml")
    ] = "2019",
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="表头对照文件（YAML） / mapping file of the headers (YAML)")
    ] = None,
    areas: Annotated[
        list[str] | None,
        typer.Option(
            "--area",
            help="统计口径，如 xixian=apart、hancheng=with、yangling=with，可多次给出 / statistical units, repeatable",
        ),
    ] = None,
    base: Annotated[
        Path | None, typer.Option("--base", help="全社会排放量表，替代清单推算 / all-society emissions by city")
    ] = None,
    forecast: Annotated[
        Path | None, typer.Option("--forecast", help="预报（逐时浓度或逐日 AQI，或 result.nc）/ forecast")
    ] = None,
    fix: Annotated[
        Path | None, typer.Option("--fix", help="写出清理后的副本及更改记录（.xlsx）/ write a cleaned copy and its log")
    ] = None,
    grades: Annotated[
        str | None, typer.Option("--grades", help="绩效分级规则版本 / grade rules: 2019 | 2020 | 2026")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="另存为工作簿 .xlsx 或 .csv / also write a workbook or a CSV")
    ] = None,
    optimise: Annotated[
        str,
        typer.Option(
            "--optimise",
            help="精准清单，使其最少：output | lines | enterprises | cost / the precise list: least of these",
        ),
    ] = "",
    scenario: Annotated[
        Path | None,
        typer.Option("--scenario", help="情景（气象与预警），计入对 PM2.5 的作用 / scenario: what lines do to the air"),
    ] = None,
    effect: Annotated[
        float, typer.Option("--effect", help="须保持的 PM2.5 削减份额 / share of the list's effect to be kept")
    ] = 0.95,
    lang: LangOption = "",
) -> None:
    """核查清单、核算减排比例、按预报判定预警 / Check a list, count its shares, hold a forecast against the plans."""
    spoken = _language(lang)

    def work() -> None:
        asked_level = names.named(level, names.LEVEL_WORDS, "--level") if level else ""
        inputs = (list_, inventory, area, mapping, base, forecast, scenario, Path(plan))
        files.refuse_target(out, (".xlsx",) if optimise else (".xlsx", ".csv"), inputs, "--out")
        files.refuse_target(fix, (".xlsx",), inputs, "--fix")
        if optimise and list_ is not None:
            from airsim.commands import optimise as work_of

            for line in work_of.precise_list(
                list_, asked_level, optimise, plan=plan, enterprises=inventory, area_sources=area,
                scenario_file=scenario, effect=effect, out=out, lang=spoken,
            ):  # fmt: skip
                typer.echo(line)
            return
        from airsim.commands import emergency as counting
        from airsim.emergency.verdict import VerdictRequest

        given = (u.partition("=")[::2] for u in areas or ())
        units = {names.CITY_WORDS.get(names.normalise(place), place): way for place, way in given}
        asked = VerdictRequest(list_, asked_level, inventory, area, plan, mapping, units, base, forecast, fix, grades)
        for line in counting.verdict(asked, out, spoken):
            typer.echo(line)

    _guarded(spoken, work)


@app.command()
def coal(
    scenario: Annotated[Path, typer.Argument(help="情景文件 / scenario file (YAML)")],
    out: Annotated[
        Path | None, typer.Option("--out", help="写出 coal.nc、coal.html、coal.xlsx / also write these files")
    ] = None,
    advise: Annotated[
        bool, typer.Option("--advise", help="分城市比较取暖替代路径 / rank the heating routes by city")
    ] = False,
    iamc: Annotated[
        Path | None, typer.Option("--iamc", help="IAMC 长表（csv 或 xlsx） / long table of the IAMC (csv, xlsx)")
    ] = None,
    lang: LangOption = "",
) -> None:
    """煤炭平衡与负增长检验，不做扩散 / Coal balance and negative-growth test, no dispersion."""
    spoken = _language(lang)

    def work() -> None:
        from airsim.commands import coal as balance

        if out is not None:
            files.refuse_folder(out)
        files.refuse_target(iamc, (".csv", ".xlsx"), (scenario,), "--iamc")
        said = balance.report(scenario, spoken, out=out, advise=advise, iamc=iamc)
        for line in (*said.lines, *map(str, said.files)):
            typer.echo(line)

    _guarded(spoken, work)


@app.command()
def optimise(
    scenario: Annotated[Path, typer.Argument(help="情景文件 / scenario file (YAML)")],
    out: Annotated[Path | None, typer.Option("--out", help="工作簿 / workbook (.xlsx)")] = None,
    lang: LangOption = "",
) -> None:
    """费用最低的措施组合：满足比例、PM2.5 上限、控煤与用能限额 / Least-cost measures under all given limits."""
    spoken = _language(lang)
    from airsim.console import Progress

    def work() -> None:
        from airsim.commands import optimise as work_of

        files.refuse_target(out, (".xlsx",), (scenario,), "--out")
        with Progress(spoken) as progress:
            lines = work_of.measures(scenario, out=out, lang=spoken, progress=progress)
        for line in lines:
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
    from airsim.console import Progress

    def work() -> None:
        from airsim.commands import rank as ranking

        files.refuse_folder(out)
        cities = [names.named(c, names.CITY_WORDS, "--city") for c in city]
        with Progress(spoken) as progress:
            lines = ranking.rank(scenario, cities, window if any(window) else None, out, spoken, progress)
        for line in lines:
            typer.echo(line)

    _guarded(spoken, work)


@app.command()
def evaluate(
    result: Annotated[Path, typer.Argument(metavar="RESULT.nc", help="结果文件 / result file")],
    observations: Annotated[
        list[Path], typer.Option("--observations", help="逐时观测，可多次给出 / hourly observations, repeatable")
    ],
    stations: Annotated[
        Path | None, typer.Option("--stations", help="站点表（编码、城市、坐标） / station list (code, city, place)")
    ] = None,
    earlier: Annotated[
        list[Path] | None,
        typer.Option("--earlier", help="此前时段的结果，供拟合通风回归 / earlier results, to fit the baseline"),
    ] = None,
    case: Annotated[str, typer.Option("--case", help="base | controlled")] = "base",
    aqi: Annotated[
        str | None, typer.Option("--aqi", help="HJ633-2012 | HJ633-2026；默认按日期 / default: by date")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="输出目录 / folder; default: the result's")] = None,
    lang: LangOption = "",
) -> None:
    """与逐时观测比较，并与无需模式的基线比较 / Hold a result against hourly observations, beside baselines."""
    spoken = _language(lang)

    def work() -> None:
        from airsim.commands import evaluate as evaluation

        if out is not None:
            files.refuse_folder(out)
        written, lines = evaluation.to_files(
            result,
            observations,
            stations=stations,
            earlier=earlier or [],
            case=case,
            aqi_version=aqi,
            out=out,
            lang=spoken,
        )
        for line in (*lines, *map(str, written)):
            typer.echo(line)

    _guarded(spoken, work)


@app.command()
def attribute(
    before: Annotated[Path, typer.Argument(metavar="A.nc", help="前一时段的结果 / result of the first window")],
    after: Annotated[Path, typer.Argument(metavar="B.nc", help="后一时段的结果 / result of the second window")],
    observations: Annotated[
        list[Path], typer.Option("--observations", help="两时段的逐时观测 / hourly observations of both, repeatable")
    ],
    stations: Annotated[Path | None, typer.Option("--stations", help="站点表 / station list")] = None,
    block: Annotated[int, typer.Option("--block", min=1, max=30, help="重抽样每块天数 / days drawn together")] = 3,
    out: Annotated[Path | None, typer.Option("--out", help="输出目录 / folder; default: that of B")] = None,
    lang: LangOption = "",
) -> None:
    """把两个时段间的实测变化拆成气象、排放与其余 / Split an observed change into weather, emissions and the rest."""
    spoken = _language(lang)

    def work() -> None:
        from airsim.commands import attribute as attribution

        if out is not None:
            files.refuse_folder(out)
        written, lines = attribution.to_files(
            before, after, observations, stations=stations, block=block, out=out, lang=spoken
        )
        for line in (*lines, *map(str, written)):
            typer.echo(line)

    _guarded(spoken, work)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="A.nc", help="结果文件 / result file")],
    second: Annotated[Path, typer.Argument(metavar="B.nc", help="另一结果文件 / another result file")],
    out: Annotated[Path | None, typer.Option("--out", help="HTML 文件 / HTML file; default: comparison.html")] = None,
    lang: LangOption = "",
) -> None:
    """并列比较两个结果 / Set two results side by side."""
    spoken = _language(lang)

    def work() -> None:
        from airsim.commands import compare as comparison

        files.refuse_target(out, (".html", ".htm"), (first, second), "--out")
        for line in comparison.compare(first, second, out, spoken):
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
        from airsim.commands import report as reporting

        files.refuse_target(out, (".html", ".htm"), (result,), "--out")
        for line in reporting.report(result, out, spoken):
            typer.echo(line)

    _guarded(spoken, work)


met = typer.Typer(help="气象文件 / Weather files", no_args_is_help=True, add_completion=False)
app.add_typer(met, name="met")


@met.command()
def inspect(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="FILES...", help="WRF、ERA5、AERMET、EPW、ISD-Lite 或站点表 / or tables of stations"),
    ],
    station_list: Annotated[
        Path | None, typer.Option("--station-list", help="站点位置表 / where the stations are (xlsx, csv)")
    ] = None,
    utc_offset: Annotated[
        float, typer.Option("--utc-offset", help="站点表与 AERMET 的时区，小时 / hours ahead of UTC")
    ] = 8.0,
    out: Annotated[Path, typer.Option("--out", help="HTML 文件 / HTML file")] = Path("weather.html"),
    lang: LangOption = "",
) -> None:
    """查看气象文件：时段、缺测、静风率、混合层、风玫瑰、通风日历 / What weather files hold, with wind roses."""
    spoken = _language(lang)

    def work() -> None:
        from airsim.commands import met_inspect

        files.refuse_target(out, (".html", ".htm"), (*paths, station_list), "--out")
        lines, problems = met_inspect.inspect(
            paths, station_list=station_list, utc_offset=utc_offset, out=out, lang=spoken
        )
        for line in lines:
            typer.echo(line)
        if problems:
            raise InputError(problems)

    _guarded(spoken, work)


@app.command()
def schema() -> None:
    """情景文件的 JSON Schema，供编辑器使用 / JSON Schema of the scenario file, for editors."""
    from airsim.commands import schema as described

    typer.echo(described.schema())


@app.command()
def version() -> None:
    """版本 / Version."""
    from airsim.version import __version__

    typer.echo(__version__)


if __name__ == "__main__":
    main()
