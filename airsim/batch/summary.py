"""summary.nc and summary.xlsx: one row a scenario, with its place in the sweep and the headline indicators."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from airsim.batch.indicators import BY_CITY, CASES, OF_SCENARIO
from airsim.batch.manifest import Record
from airsim.errors import Lang
from airsim.files import write_bytes
from airsim.geography import CITIES
from airsim.version import __version__

#: Head, values, format.
_Column = tuple[str, Sequence[Any] | np.ndarray, Any]

_CITY_IDS = [c.id for c in CITIES]
_STATUS = {"done": ("完成", "done"), "failed": ("失败", "failed"), "waiting": ("未运行", "not run")}
_BY = {"run": ("完整模拟", "full run"), "operator": ("算子叠加", "stored operator"), "": ("", "")}


def write(folder: Path, records: Sequence[Record], lang: Lang) -> list[Path]:
    """Write both files into the folder of the batch, each whole or not at all.

    Parameters
    ----------
    folder : Path
    records : sequence of Record
        One a scenario, in the order of the batch.
    lang : {"zh", "en"}
        Language of the workbook.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        A file is open in another program.
    OSError
        The disk is full.
    """
    table = dataset(records)
    written = [folder / "summary.nc", folder / "summary.xlsx"]
    write_bytes(written[0], _netcdf(table))
    write_bytes(written[1], _workbook(table, records, lang))
    return written


def dataset(records: Sequence[Record]) -> xr.Dataset:
    """Return what summary.nc holds: dimensions scenario, case, city."""
    names = [str(r["name"]) for r in records]

    def text(key: str, en: str, zh: str) -> tuple[str, list[str], dict[str, str]]:
        return "scenario", [str(r.get(key) or "") for r in records], {"long_name": en, "long_name_zh": zh}

    data: dict[str, Any] = {
        "title": text("title", "title", "标题（英文）"),
        "title_zh": text("title_zh", "title in Chinese", "标题"),
        "status": text("status", "done, failed or waiting", "状态"),
        "by": text("by", "run: a full run; operator: sum of stored runs of the same weather", "计算方式"),
        "message": text("message", "why it failed", "失败原因"),
        "identity": text("identity", "hash of all that determines the result", "结果标识（散列）"),
        "seconds": (
            "scenario",
            np.array([r.get("seconds", np.nan) for r in records], float),
            {"units": "s", "long_name": "time taken", "long_name_zh": "用时"},
        ),
    }
    swept = list(dict.fromkeys(k for r in records for k in r.get("coordinates", {})))
    for key in swept:
        data[_name(key, data)] = ("scenario", *_swept(key, records))
    for name, (en, zh, unit) in BY_CITY.items():
        values = np.full((len(records), len(CASES), len(_CITY_IDS)), np.nan)
        for i, r in enumerate(records):
            found = r.get("indicators", {}).get(name)
            at = [_CITY_IDS.index(c) for c in r.get("cities", [])]
            for case, row in enumerate(found or []):
                values[i, case, at] = np.array(row, float)
        data[name] = (("scenario", "case", "city"), values, {"units": unit, "long_name": en, "long_name_zh": zh})
    for name, (en, zh, unit) in OF_SCENARIO.items():
        numbers = np.array([r.get("indicators", {}).get(name) for r in records], float)
        data[name] = ("scenario", numbers, {"units": unit, "long_name": en, "long_name_zh": zh})
    return xr.Dataset(
        data,
        coords={
            "scenario": ("scenario", names, {"long_name": "name of the scenario", "long_name_zh": "情景名称"}),
            "case": ("case", list(CASES), {"long_name": "emission case", "long_name_zh": "排放情形"}),
            "city": ("city", _CITY_IDS, {"long_name": "city identifier", "long_name_zh": "城市代号"}),
            "city_zh": ("city", [c.name_zh for c in CITIES], {"long_name": "name in Chinese", "long_name_zh": "城市"}),
        },
        attrs={
            "Conventions": "CF-1.11",
            "title": "Summary of a batch of scenarios",
            "title_zh": "批处理情景汇总",
            "source": f"airsim {__version__}",
        },
    )


def _name(key: str, taken: Mapping[str, Any]) -> str:
    """Return a NetCDF name for a swept key: measures[1].percent -> measures_1_percent."""
    name = re.sub(r"\W+", "_", key).strip("_")
    return name if name not in taken else f"sweep_{name}"


def _swept(key: str, records: Sequence[Record]) -> tuple[Any, dict[str, str]]:
    values = [r.get("coordinates", {}).get(key) for r in records]
    about = {"long_name": f"value of {key}", "long_name_zh": f"{key} 的取值", "key": key}
    if all(v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in values):
        return np.array([np.nan if v is None else v for v in values], float), {**about, "units": "1"}
    return ["" if v is None else str(v) for v in values], about


def _netcdf(table: xr.Dataset) -> bytes:
    import netCDF4

    file = netCDF4.Dataset("summary.nc", "w", format="NETCDF4", memory=1 << 20)
    for variable in table.variables.values():
        if variable.dtype.kind == "f":
            variable.encoding = {"_FillValue": np.nan}
    table.dump_to_store(xr.backends.NetCDF4DataStore(file))
    return bytes(file.close())


def _workbook(table: xr.Dataset, records: Sequence[Record], lang: Lang) -> bytes:
    import xlsxwriter

    zh = lang == "zh"
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_format_properties": {"font_name": "宋体" if zh else "Calibri", "font_size": 11},
    }
    book = xlsxwriter.Workbook(buffer, options)
    head = book.add_format({"bold": True, "bg_color": "#DDE6F0", "border": 1, "text_wrap": True, "valign": "vcenter"})
    bad = book.add_format({"font_color": "#C00000"})
    forms = {f: book.add_format({"num_format": f}) for f in ("0.0", "0.0%", "0.00%", "0", "General")}

    def sheet(title: str, columns: Sequence[_Column]) -> None:
        made = book.add_worksheet(title)
        made.freeze_panes(1, 1)
        made.set_row(0, 45)
        for j, (name, values, form) in enumerate(columns):
            made.write_string(0, j, name, head)
            width = max(
                (sum(2 if ord(c) > 0x2E80 else 1 for c in str(v)) for v in values if isinstance(v, str)), default=9
            )
            made.set_column(j, j, min(max(width + 2, 11), 60))
            for i, value in enumerate(values, start=1):
                if isinstance(value, str):
                    made.write_string(i, j, value, form)
                elif value is not None and np.isfinite(value):
                    made.write_number(i, j, float(value), form)
        made.autofilter(0, 0, len(records), len(columns) - 1)

    def spoken(pairs: Mapping[str, tuple[str, str]], key: str) -> list[str]:
        return [pairs.get(str(r.get(key) or ""), ("", ""))[0 if zh else 1] for r in records]

    def over_cities(name: str, case: int) -> Any:
        values = table[name].values[:, case]
        known = ~np.isnan(values).all(1)
        out = np.full(len(values), np.nan)
        out[known] = np.nanmean(values[known], axis=1)
        return out

    columns: list[_Column] = [
        ("情景" if zh else "scenario", [str(r["name"]) for r in records], None),
        ("标题" if zh else "title", [str(r.get("title_zh" if zh else "title") or "") for r in records], None),
        ("状态" if zh else "status", spoken(_STATUS, "status"), None),
        ("方式" if zh else "by", spoken(_BY, "by"), None),
    ]
    swept = [n for n in table.data_vars if "key" in table[n].attrs]
    columns += [(str(table[n].attrs["key"]), table[n].values.tolist(), forms["General"]) for n in swept]
    cases = ("基准", "控制") if zh else ("base", "controlled")
    for i, case in enumerate(cases):
        mean = "各市平均" if zh else "mean of the cities"
        for name in ("pm25_mean", "pm25_peak"):
            columns.append(
                (f"{BY_CITY[name][1 if zh else 0]}, {mean}, {case} [μg/m³]", over_cities(name, i), forms["0.0"])
            )
        days = table["heavy_days"].values[:, i]
        total = np.where(np.isnan(days).all(1), np.nan, np.nansum(days, axis=1))
        said = f"重污染（AQI>200）城·天，{case}" if zh else f"heavy-pollution city-days, {case}"
        columns.append((said, total, forms["0"]))
    shapes = {"pm25_change": "0.0%", "alert_change": "0.0%", "shares_failed": "0", "coal_growth": "0.00%"}
    columns += [(OF_SCENARIO[n][1 if zh else 0], table[n].values, forms[f]) for n, f in shapes.items()]
    messages = [str(r.get("message_zh" if zh else "message") or "") for r in records]
    columns += [("用时 s" if zh else "seconds", table["seconds"].values, forms["0.0"])]
    columns += [("失败原因" if zh else "why it failed", messages, bad)]
    sheet("情景汇总" if zh else "Scenarios", columns)
    cities: list[_Column] = [columns[0]]
    for j, city in enumerate(CITIES):
        for i, case in enumerate(cases):
            values = table["pm25_mean"].values[:, i, j]
            if np.isfinite(values).any():
                name = city.name_zh if zh else city.name_en
                cities.append((f"{name} {case} [μg/m³]", values, forms["0.0"]))
    sheet("各市PM2.5均值" if zh else "PM2.5 by city", cities)
    book.close()
    return buffer.getvalue()
