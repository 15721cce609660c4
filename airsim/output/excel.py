"""The result as an Excel workbook that an office can paste from: Chinese sheets, official colours, 宋体."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import xlsxwriter

from airsim.errors import Lang
from airsim.files import write_bytes
from airsim.output import findings, words
from airsim.output.findings import Findings, group
from airsim.output.sections import response_sheets
from airsim.output.words import Text
from airsim.result import variables

#: Number formats of Excel. Offices never want scientific notation.
_PLAIN, _ONE, _TWO, _PERCENT, _DATE, _MINUTE = (
    "#,##0", "#,##0.0", "#,##0.00", "0.0%", "yyyy-mm-dd", "yyyy-mm-dd hh:mm",
)  # fmt: skip

_VERDICTS = {1: Text("达标", "pass"), 0: Text("未达标", "FAIL"), -1: Text("—", "-")}


def write(tree: xr.DataTree, path: Path, lang: Lang) -> None:
    """Write the workbook, whole or not at all.

    Text from inputs is stored as text, whatever it begins with; sheets whose group is absent are left out.

    Parameters
    ----------
    tree : DataTree
        A result as in `variables.csv`.
    path : Path
        The .xlsx file.
    lang : {"zh", "en"}
        Language of sheets and headers.

    Raises
    ------
    InputError
        The file is open in another program or may not be written.
    """
    buffer, book = _book(lang)
    found = findings.find(tree)
    style = _Style(book)
    sheets: Sequence[tuple[Text, Callable[[_Sheet, xr.DataTree, Findings], None]]] = (
        (Text("摘要", "Summary"), _summary),
        (Text("实测推算(相对响应)", "Observed, projected"), _attainment),
        (Text("城市浓度(日均)", "Cities (daily means)"), _daily),
        (Text("应急减排核算", "Emergency shares"), _compliance),
        (Text("应急效果", "Response"), response_sheets.cities),
        (Text("应急效果(企业)", "Response by enterprise"), response_sheets.enterprises),
        (Text("应急逐时减排", "Response by hour"), response_sheets.hours),
        (Text("措施台账", "Measures ledger"), _ledger),
        (Text("煤炭平衡", "Coal balance"), _coal),
        (Text("排放清单汇总", "Emission summary"), _emissions),
        (Text("企业", "Enterprises"), _enterprises),
        (Text("传输矩阵", "Transfer matrix"), _transfer),
        (Text("企业影响", "Impact of enterprises"), _impact("enterprise")),
        (Text("面源影响", "Impact of area sources"), _impact("area")),
        (Text("输入与出处", "Inputs and sources"), _provenance),
    )
    for title, fill in sheets:
        sheet = _Sheet(book, style, title.of(lang), lang)
        fill(sheet, tree, found)
        sheet.finish()
    book.close()
    write_bytes(Path(path), buffer.getvalue())


def _book(lang: Lang) -> tuple[io.BytesIO, Any]:
    """Open a workbook in memory in which text stays text."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": False,
            "default_format_properties": {
                "font_name": "宋体" if lang == "zh" else "Calibri",
                "font_size": 11,
            },
        },
    )
    return buffer, book


class _Style:
    """The formats of a workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def __call__(self, **properties: Any) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(properties)
        return self._made[key]

    def aqi(self, value: float) -> Any:
        known = words.aqi_class(value)
        if known is None:
            return self(num_format=_PLAIN)
        _, (r, g, b), ink = known
        font = "#FFFFFF" if ink == "#fff" else "#000000"
        return self(num_format=_PLAIN, bg_color=f"#{r:02X}{g:02X}{b:02X}", font_color=font)


class _Sheet:
    """One sheet, written downwards row by row; made on the first row, so an empty one does not appear."""

    def __init__(self, book: Any, style: _Style, title: str, lang: Lang) -> None:
        self._book, self._title = book, title
        self._sheet: Any = None
        self._widths: dict[int, int] = {}
        self.style, self.lang, self.row = style, lang, 0

    def line(self, *cells: Any, **properties: Any) -> None:
        """Write one row; a cell is a value or (value, format)."""
        for column, cell in enumerate(cells):
            value, form = cell if isinstance(cell, tuple) and not isinstance(cell, Text) else (cell, None)
            if isinstance(value, Text):
                value = value.of(self.lang)
            self._put(column, value, form or self.style(**properties))
        self.row += 1

    def note(self, text: str) -> None:
        """Write a remark over the whole width."""
        self._put(0, text, self.style(italic=True, font_color="#7F3F00"), measure=False)
        self.row += 1

    def head(self, *cells: Any) -> None:
        """Write a table's header row; the first one of a sheet stays in view."""
        self.line(*cells, bold=True, bg_color="#DDE6F0", border=1, text_wrap=True, valign="vcenter")
        if not self._widths.get(-1):
            self._sheet.freeze_panes(self.row, 1)
            self._widths[-1] = 1

    def _put(self, column: int, value: Any, form: Any, *, measure: bool = True) -> None:
        if self._sheet is None:
            self._sheet = self._book.add_worksheet(self._title)
        if isinstance(value, np.generic):
            value = value.item() if not isinstance(value, np.datetime64) else pd.Timestamp(value)
        shown = 0
        if value is None or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
            self._sheet.write_blank(self.row, column, None, form)
        elif isinstance(value, str):
            self._sheet.write_string(self.row, column, value, form)
            shown = sum(2 if ord(c) > 0x2E80 else 1 for c in value)
        elif isinstance(value, pd.Timestamp):
            self._sheet.write_datetime(self.row, column, value.to_pydatetime(), form)
            shown = 16
        else:
            self._sheet.write_number(self.row, column, float(value), form)
            shown = len(f"{float(value):,.1f}")
        if measure:
            self._widths[column] = max(self._widths.get(column, 8), min(shown + 2, 42))

    def finish(self) -> None:
        """Set the column widths and the page."""
        if self._sheet is None:
            return
        for column, width in self._widths.items():
            if column >= 0:
                self._sheet.set_column(column, column, width)
        self._sheet.set_landscape()
        self._sheet.fit_to_pages(1, 0)
        self._sheet.set_paper(9)


def _label(sheet: _Sheet, place: str, name: str) -> str:
    return variables.lookup(place, name).label(sheet.lang)


def _number(sheet: _Sheet, value: Any, form: str) -> tuple[Any, Any]:
    return value, sheet.style(num_format=form)


def _summary(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
    from airsim.output import summary

    zh = sheet.lang == "zh"
    title, *lines = summary.text(tree, sheet.lang).split("\n")
    sheet._put(0, title, sheet.style(bold=True, font_size=14), measure=False)
    sheet.row += 1
    for notice in found.notices:
        sheet.note(("注意：" if zh else "Note: ") + notice.of(sheet.lang))
    for line in lines:
        # the table of cities follows below, and the notes stand above
        if not line.startswith(("  ", "注意", "Note", "各城市", "PM2.5, mean")):
            sheet._put(0, line, sheet.style(), measure=False)
            sheet.row += 1
    sheet.row += 1
    unit = "μg/m³"
    change = Text("变化", "change")
    heads: list[Any] = [Text("城市", "city"), Text(f"过程均值 基准（{unit}）", f"mean, base [{unit}]")]
    peaks: list[Any] = [
        Text("最重日", "most polluted day"),
        Text(f"最重日 基准（{unit}）", f"that day, base [{unit}]"),
    ]
    heavy = "heavy_base" in found.cities
    tails: list[Any] = [Text("重污染天数 基准", "heavy days, base")] if heavy else []
    if found.controlled:
        heads += [Text(f"过程均值 控制（{unit}）", f"mean, controlled [{unit}]"), change]
        peaks += [Text(f"最重日 控制（{unit}）", f"that day, controlled [{unit}]"), change]
        tails += [Text("重污染天数 控制", "heavy days, controlled")] if heavy else []
    sheet.head(*heads, *peaks, *tails)
    for _, row in found.cities.iterrows():
        cells: list[Any] = [row["zh"] if zh else row["en"]]
        for key in ("mean", "peak"):
            if key == "peak":
                cells.append(_number(sheet, row["peak_day"], _DATE))
            cells.append(_number(sheet, row[f"{key}_base"], _ONE))
            if found.controlled:
                after = row[f"{key}_controlled"]
                cells += [
                    _number(sheet, after, _ONE),
                    _number(sheet, after / row[f"{key}_base"] - 1, _PERCENT),
                ]
        if heavy:
            cells += [_number(sheet, row[f"heavy_{c}"], _PLAIN) for c in ("base", "controlled") if f"heavy_{c}" in row]
        sheet.line(*cells)


def _attainment(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
    from airsim.output.sections.attainment import section

    made = section(tree, found)
    if made is None:
        return
    for note in (*made["answers"], *made["notes"]):
        sheet.note(note.of(sheet.lang))
    unit = "μg/m³"
    sheet.head(
        Text("城市", "city"),
        Text("有效观测天数", "days observed"),
        Text(f"季均 实测（{unit}）", f"season, observed [{unit}]"),
        Text(f"季均 推算（{unit}）", f"season, projected [{unit}]"),
        Text("变化", "change"),
        Text("重污染天数 实测", "heavy days, observed"),
        Text("重污染天数 推算", "heavy days, projected"),
        Text(f"年均 实测（{unit}）", f"year, observed [{unit}]"),
        Text(f"年均 推算（{unit}）", f"year, projected [{unit}]"),
        Text("剩余比例 平日（常年措施）", "left, ordinary days (permanent measures)"),
        Text("剩余比例 重污染日（全部措施）", "left, heavy days (all measures)"),
        Text(f"模式过程均值 基准（{unit}）", f"model, base [{unit}]"),
        Text(f"模式过程均值 常年措施（{unit}）", f"model, permanent measures [{unit}]"),
        Text(f"模式最重日 基准（{unit}）", f"model, worst days, base [{unit}]"),
        Text(f"模式最重日 全部措施（{unit}）", f"model, worst days, all measures [{unit}]"),
    )
    for row in made["rows"]:
        sheet.line(
            row["city"],
            _number(sheet, row["days"], _PLAIN),
            *(_number(sheet, v, _ONE) for v in row["mean"]),
            _number(sheet, row["mean"][1] / row["mean"][0] - 1, _PERCENT),
            *(_number(sheet, v, _PLAIN) for v in row["heavy"]),
            *(_number(sheet, v, _ONE) for v in row["year"]),
            *(_number(sheet, v, "0.000") for v in row["left"]),
            *(_number(sheet, v, _ONE) for v in (*row["raw"], *row["raw_high"])),
        )


def _daily(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
    root = tree.to_dataset()
    cases = [c for c in ("base", "controlled") if c in root["case"].to_numpy()]
    means = {
        n: root[f"{n}_daily"] if f"{n}_daily" in root else findings.daily(root[n])
        for n in ("pm25", "pm10", "so2", "no2", "nox", "co")
        if f"{n}_daily" in root or n in root
    }
    days = next(iter(means.values()))["day"].to_numpy()
    zh = sheet.lang == "zh"
    columns = [
        f"{words.POLLUTANTS[n].of(sheet.lang)} {words.CASES[c].of(sheet.lang)}"
        + ("（" if zh else " [")
        + ("mg/m³" if n == "co" else "μg/m³")
        + ("）" if zh else "]")
        for n in means
        for c in cases
    ]
    with_aqi = "aqi" in root
    if with_aqi:
        columns += [f"AQI {words.CASES[c].of(sheet.lang)}" for c in cases]
        columns += [("级别 " if zh else "class ") + words.CASES[c].of(sheet.lang) for c in cases]
    sheet.head(Text("日期", "date"), Text("城市", "city"), *columns)
    # plain arrays: a label lookup a cell would take minutes for a year
    ids = list(found.cities.index)
    axes = ("city", "day", "case")
    series = [(n, m.sel(city=ids, case=cases).transpose(*axes).to_numpy()) for n, m in means.items()]
    index = root["aqi"].sel(city=ids, case=cases).transpose(*axes).to_numpy() if with_aqi else None
    for i, name in enumerate(found.cities["zh" if zh else "en"]):
        for j, day in enumerate(days):
            cells: list[Any] = [_number(sheet, day, _DATE), name]
            for n, values in series:
                # CO is spoken of in mg/m3
                factor, form = (1e-3, _TWO) if n == "co" else (1.0, _ONE)
                cells += [_number(sheet, v * factor, form) for v in values[i, j]]
            if index is not None:
                known = [(v, words.aqi_class(v), sheet.style.aqi(v)) for v in index[i, j]]
                cells += [(v, form) for v, _, form in known]
                cells += [(c[0] if c else "", form) for _, c, form in known]
            sheet.line(*cells)


def _compliance(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
    emergency = group(tree, "emergency")
    if emergency is None or found.compliance.empty:
        return
    zh = sheet.lang == "zh"
    sheet.note(findings.plan_note(emergency).of(sheet.lang))
    if emergency.attrs.get("illustrative") == "yes":
        sheet.note("清单为示意，各企业措施未公开。" if zh else "Illustrative list: the measures are not published.")
    pollutants = [str(p) for p in emergency["pollutant"].to_numpy()]
    sheet.head(
        Text("预警级别", "level"),
        Text("城市", "city"),
        Text("污染物", "pollutant"),
        *(_label(sheet, "/emergency", n) for n in ("base_kg_d", "cut_kg_d")),
        Text("减排比例", "share"),
        Text("要求", "required"),
        Text("是否达标", "verdict"),
        Text("尚差（kg/d）", "missing [kg/d]"),
    )
    for row in found.compliance.to_dict("records"):
        level, city = (
            words.name(words.LEVELS, row["level"]),
            found.cities.loc[row["city"], "zh" if zh else "en"],
        )
        at = emergency.sel(level=row["level"], city=row["city"])
        for pollutant in pollutants:
            one = at.sel(pollutant=pollutant)
            sheet.line(
                level,
                city,
                words.name(words.POLLUTANTS, pollutant),
                _number(sheet, one["base_kg_d"].item(), _PLAIN),
                _number(sheet, one["cut_kg_d"].item(), _PLAIN),
                _number(sheet, one["share"].item(), _PERCENT),
                _number(sheet, one["required"].item(), _PERCENT),
                _verdict(sheet, int(one["pass"])),
                _number(sheet, one["missing_kg_d"].item() if "missing_kg_d" in one else None, _PLAIN),
            )
        if np.isfinite(row["joint_share"]):
            sheet.line(
                level,
                city,
                Text("SO₂＋NOx 联合", "SO₂ + NOx jointly"),
                None,
                None,
                _number(sheet, row["joint_share"], _PERCENT),
                _number(sheet, row["joint_required"], _PERCENT),
                _verdict(sheet, int(row["joint_pass"])),
            )


def _verdict(sheet: _Sheet, value: int) -> tuple[Text, Any]:
    colours = {1: ("#E2F0D9", "#1E5B1E"), 0: ("#F8D7DA", "#8B0000"), -1: ("#FFFFFF", "#666666")}
    background, ink = colours[value]
    return _VERDICTS[value], sheet.style(bg_color=background, font_color=ink, bold=value == 0)


def _ledger(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
    measures = group(tree, "measures")
    if measures is None:
        return
    names = [
        "row_measure",
        "row_kind",
        "row_city",
        "row_sector",
        "row_source",
        "row_pollutant",
        "removed",
        "row_unit",
    ]
    names = [n for n in names if n in measures]
    sheet.head(*(_label(sheet, "/measures", n) for n in names))
    for row in measures[names].to_dataframe().to_dict("records"):
        cells: list[Any] = []
        for n in names:
            value = row[n]
            if n == "row_city" and value in found.cities.index:
                value = found.cities.loc[value, "zh" if sheet.lang == "zh" else "en"]
            elif n == "row_sector":
                value = words.name(words.SECTORS, value)
            elif n == "row_pollutant":
                value = words.substance(value)
            elif n == "row_measure":
                value = words.measure(value)
            elif n == "row_kind":
                value = words.name(words.MEASURES, value)
            elif n == "row_unit":
                value = variables.unit_label(value, sheet.lang)
            cells.append(_number(sheet, value, _TWO) if n == "removed" else value)
        sheet.line(*cells)


def _coal(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
    """Write the coal balance and all that hangs on it, table below table."""
    from airsim.output.page import _cell
    from airsim.output.sections.coal import section

    made = section(tree)
    if made is None:
        return
    for text in made.words:
        sheet.note(text.of(sheet.lang))
    for grid in made.grids:
        sheet.row += 1
        sheet.line(grid.title, bold=True)
        if grid.note is not None:
            sheet.note(grid.note.of(sheet.lang))
        sheet.head(*grid.head)
        for row in grid.rows:
            sheet.line(*(_cell(v, d, sheet.style) for v, d in zip(row, grid.digits, strict=True)))


def _emissions(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
    emissions = group(tree, "emissions")
    if emissions is None:
        return
    zh = sheet.lang == "zh"
    annual = emissions["emission_annual"]
    if "case" in annual.dims:
        annual = annual.sel(case="base")
    pollutants = [str(p) for p in emissions["pollutant"].to_numpy()]
    unit, daily_unit = variables.unit_label("t year-1", sheet.lang), "kg/d"
    cases = [c for c in ("base", "controlled") if "case" in emissions and c in emissions["case"]]
    heads = [f"{words.name(words.POLLUTANTS, p).of(sheet.lang)} {unit}" for p in pollutants]
    for case in cases:
        heads += [
            f"{words.name(words.POLLUTANTS, p).of(sheet.lang)} {words.CASES[case].of(sheet.lang)} {daily_unit}"
            for p in pollutants
        ]
    sheet.note(
        "年排放量为基准清单；kg/d 为过程期间日均排放量。"
        if zh
        else "Annual figures are the base inventory; kg/d is the mean of the episode's days."
    )
    sheet.head(Text("城市", "city"), Text("部门", "sector"), *heads)
    for city, row in found.cities.iterrows():
        name = row["zh"] if zh else row["en"]
        tables = [annual.sel(city=city), *(emissions["emission_daily"].sel(city=city, case=c) for c in cases)]
        tables = [t.transpose("sector", "pollutant") for t in tables]
        for sector in emissions["sector"].to_numpy():
            values = np.concatenate([t.sel(sector=sector).to_numpy() for t in tables])
            if np.nansum(values) > 0:
                label = words.name(words.SECTORS, str(sector))
                sheet.line(name, label, *(_number(sheet, v, _ONE) for v in values))
        totals = np.concatenate([t.sum("sector").to_numpy() for t in tables])
        bold = sheet.style(num_format=_ONE, bold=True, top=1)
        sheet.line((name, sheet.style(bold=True, top=1)), (Text("合计", "total"), bold), *((v, bold) for v in totals))


def _enterprises(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
    enterprises = group(tree, "enterprises")
    if enterprises is None:
        return
    texts = ["name", "city", "county", "sector", "grade", "longitude", "latitude"]
    names = [f"enterprise_{n}" for n in texts if f"enterprise_{n}" in enterprises]
    pollutants = [str(p) for p in enterprises["pollutant"].to_numpy()]
    cases = [c for c in ("base", "controlled") if "emission_daily" in enterprises and c in enterprises["case"]]
    unit = variables.unit_label("t year-1", sheet.lang)
    sheet.head(
        _label(sheet, "/enterprises", "enterprise"),
        *(_label(sheet, "/enterprises", n) for n in names),
        *([_label(sheet, "/enterprises", "coal")] if "coal" in enterprises else []),
        *(f"{words.name(words.POLLUTANTS, p).of(sheet.lang)} {unit}" for p in pollutants),
        *(
            f"{words.name(words.POLLUTANTS, p).of(sheet.lang)} {words.CASES[c].of(sheet.lang)} kg/d"
            for c in cases
            for p in pollutants
        ),
        *(_label(sheet, "/enterprises", f"enterprise_{n}") for n in ("quality", "source")),
    )
    for i in range(enterprises.sizes["enterprise"]):
        one = enterprises.isel(enterprise=i)
        cells: list[Any] = [str(one["enterprise"].item())]
        for n in names:
            value = one[n].item()
            if n == "enterprise_city" and value in found.cities.index:
                value = found.cities.loc[value, "zh" if sheet.lang == "zh" else "en"]
            elif n == "enterprise_sector":
                value = words.name(words.SECTORS, value)
            cells.append(_number(sheet, value, "0.0000") if isinstance(value, float) else value)
        if "coal" in one:
            cells.append(_number(sheet, one["coal"].item(), _PLAIN))
        cells += [_number(sheet, v, _ONE) for v in one["emission_annual"].to_numpy()]
        for case in cases:
            cells += [_number(sheet, v, _ONE) for v in one["emission_daily"].sel(case=case).to_numpy()]
        quality = str(one["enterprise_quality"].item()) if "enterprise_quality" in one else ""
        source = str(one["enterprise_source"].item()) if "enterprise_source" in one else ""
        sheet.line(*cells, words.name(words.QUALITIES, quality), source)


_WAYS = {
    "tag": Text("标记法：按前体物份额分配，合计等于总量", "tag: shared by precursor, adds up"),
    "zero_out": Text("清零法：该城市全部排放去掉后的降低", "zero-out: what would go with that city"),
    "adjoint": Text("伴随法：减排第一吨的效果（边际）", "adjoint: what the first tonne brings"),
}


def _transfer(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
    """Write source city by receptor city, PM2.5, one table a way."""
    matrix = group(tree, "transfer")
    if matrix is None:
        return
    named = {"elsewhere": Text("网格内其他地区", "elsewhere"), "background": Text("区域外流入", "from outside")}
    receptors = [str(c) for c in matrix["receptor"].to_numpy()]
    total = matrix["total"].sel(species="pm25").to_numpy()
    for way, title in _WAYS.items():
        table = matrix["contribution"].sel(approach=way, species="pm25").transpose("source", "receptor").to_numpy()
        sheet.note(f"{title.of(sheet.lang)} (μg/m³)")
        sheet.head(Text("来源＼受体", "source \\ receptor"), *(found.name(c) for c in receptors))
        for source, row in zip(matrix["source"].to_numpy().astype(str), table, strict=True):
            sheet.line(named.get(source) or found.name(source), *(_number(sheet, v, _TWO) for v in row))
        sheet.line(Text("总浓度", "total"), *(_number(sheet, v, _TWO) for v in total), bold=True)
        sheet.line()


def _impact(kind: str) -> Callable[[_Sheet, xr.DataTree, Findings], None]:
    """Return what writes one kind of source by its marginal impact on each ranked city."""

    def fill(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
        ranking = group(tree, "ranking")
        if ranking is None:
            return
        cities = [found.name(str(c)) for c in ranking["receptor"].to_numpy()]
        pollutants = [words.name(words.POLLUTANTS, str(p)) for p in ranking["pollutant"].to_numpy()]
        sheet.note(
            Text(
                "各源对各城市 PM2.5 时段均值的边际影响（μg/m³），按第一个城市排序",
                "marginal impact on the window mean of PM2.5 [ug/m3], in the order of the first city",
            ).of(sheet.lang)
        )
        heads = (Text("名称", "name"), Text("城市", "city"), Text("行业", "sector"))
        sheet.head(*heads, *cities, *(Text(f"{p.zh} 排放 t", f"{p.en} emitted t") for p in pollutants))
        columns = (ranking[f"{kind}_{c}"].to_numpy().astype(str) for c in ("name", "city", "sector"))
        impact, emitted = ranking[f"{kind}_impact"].to_numpy().T, ranking[f"{kind}_emitted"].to_numpy()
        for name, city, sector, felt, mass in zip(*columns, impact, emitted, strict=True):
            sheet.line(
                name,
                found.name(city),
                words.name(words.SECTORS, sector),
                *(_number(sheet, v, "0.000") for v in felt),
                *(_number(sheet, v, _ONE) for v in mass),
            )

    return fill


def _provenance(sheet: _Sheet, tree: xr.DataTree, found: Findings) -> None:
    provenance = group(tree, "provenance")
    if provenance is None:
        return
    zh = sheet.lang == "zh"
    note = "input_note_zh" if zh else "input_note"
    sheet.head(*(_label(sheet, "/provenance", n) for n in ("input_file", "input_kind", note, "input_sha256")))
    for i in range(provenance.sizes.get("input", 0)):
        one = provenance.isel(input=i)
        kind = words.name(words.KINDS, str(one["input_kind"].item()))
        sheet.line(one["input_file"].item(), kind, one[note].item(), one["input_sha256"].item())
    if "emission_share" in provenance:
        sheet.row += 1
        share = provenance["emission_share"]
        pollutants = [str(p) for p in share["pollutant"].to_numpy()]
        sheet.line(
            Text("排放量按数据质量的占比", "share of emission by quality"),
            *(words.name(words.POLLUTANTS, p) for p in pollutants),
            bold=True,
        )
        for quality in share["quality"].to_numpy():
            values = share.sel(quality=quality).transpose("pollutant").to_numpy()
            sheet.line(words.name(words.QUALITIES, str(quality)), *(_number(sheet, v, _PERCENT) for v in values))
    if "package_name" in provenance:
        sheet.row += 1
        sheet.line(Text("软件", "software"), Text("版本", "version"), bold=True)
        for package, version in zip(
            provenance["package_name"].to_numpy(), provenance["package_version"].to_numpy(), strict=True
        ):
            sheet.line(str(package), str(version))
