"""The metadata table: what every variable of a result is called, in which unit, on which dimensions.

NetCDF attributes, headers of the workbook, labels of the report and the page docs/formats/result.md all
come from `variables.csv`, so they cannot disagree.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from airsim.errors import Lang

if TYPE_CHECKING:
    import xarray as xr

Kind = Literal["coordinate", "bounds", "grid_mapping", "label", "data", "flag"]

#: ACDD-1.3 `coverage_content_type` of each kind.
_CONTENT_TYPE = {
    "coordinate": "coordinate",
    "bounds": "coordinate",
    "grid_mapping": "referenceInformation",
    "label": "auxiliaryInformation",
    "data": "modelResult",
    "flag": "modelResult",
}

#: How a unit of the table (UDUNITS spelling) is printed for people, in English and in Chinese.
_PRINTED_UNITS = {
    "1": ("", ""),
    "ug m-3": ("μg/m³", "μg/m³"),
    "ug m-3 t-1": ("μg/m³/t", "μg/m³/吨"),
    "ug m-3 Gg-1": ("μg/m³/kt", "μg/m³/千吨"),
    "kg h-1": ("kg/h", "kg/h"),
    "t year-1": ("t/a", "吨/年"),
    "t a-1": ("t/a", "吨/年"),
    "kg d-1": ("kg/d", "kg/d"),
    "t": ("t", "吨"),
    "m": ("m", "米"),
    "m s-1": ("m/s", "m/s"),
    "m2 s-1": ("m²/s", "m²/s"),
    "kg m-2 s-1": ("mm/s", "mm/s"),
    "degrees_east": ("°E", "°E"),
    "degrees_north": ("°N", "°N"),
    "degree": ("°", "°"),
}

_GROUPS = {
    "/": ("Concentrations in cities and on the grid", "城市与网格浓度"),
    "/emissions": ("Emissions by city and sector", "分城市、分部门排放"),
    "/enterprises": ("Enterprises", "企业"),
    "/attribution": ("What each step of measures takes from PM2.5", "各步措施对 PM2.5 的贡献"),
    "/ranking": ("Sources ranked by marginal impact (adjoint)", "排放源边际影响排名（伴随）"),
    "/transfer": ("Whose emissions are in whose air", "城市间传输矩阵"),
    "/measures": ("What each measure removed (ledger)", "各项措施的减排台账"),
    "/emergency": ("Emergency list: shares against requirements", "应急减排核算：比例与要求"),
    "/coal": ("Coal balance", "煤炭平衡"),
    "/plume": ("Near field of large enterprises", "重点企业近场"),
    "/meteorology": ("Weather in the cities", "城市气象"),
    "/evaluation": ("Comparison with observations", "与观测比较"),
    "/attainment": ("Observed air projected by relative response", "按相对响应法推算的实测浓度变化"),
    "/budget": ("Mass budget of the tracers", "示踪物质量收支"),
    "/boundaries": ("City boundaries, for maps", "城市边界（制图用）"),
    "/provenance": ("Inputs, versions and quality", "输入、版本与数据质量"),
}


@dataclass(frozen=True)
class Variable:
    """One row of the table.

    Attributes
    ----------
    group, name : str
        Where the variable stands in a result: ``("/coal", "consumption")``.
    standard_name : str
        CF standard name, empty where CF has none.
    long_name, long_name_zh : str
        Description in English and Chinese.
    units : str
        UDUNITS spelling; ``"1"`` for pure numbers, empty for text and times.
    dims, optional_dims : tuple of str
        Dimensions in order; the optional ones may be left out.
    dtype : str
        Type it is stored in.
    kind : str
        Role: coordinate, bounds, grid_mapping, label (text), data or flag.
    flags : tuple of (int, str)
        Meaning of the values of a flag.
    comment : str
        What a reader must know besides.
    """

    group: str
    name: str
    standard_name: str
    long_name: str
    long_name_zh: str
    units: str
    dims: tuple[str, ...]
    optional_dims: frozenset[str]
    dtype: str
    kind: Kind
    flags: tuple[tuple[int, str], ...]
    comment: str

    def fits(self, dims: tuple[str, ...]) -> bool:
        """Return whether a variable on `dims` has the dimensions of this row, in their order."""
        required = [d for d in self.dims if d not in self.optional_dims]
        return list(dims) == [d for d in self.dims if d in dims] and set(required) <= set(dims)

    def attributes(self) -> dict[str, object]:
        """Return the NetCDF attributes."""
        attrs: dict[str, object] = {
            "long_name": self.long_name,
            "long_name_zh": self.long_name_zh,
            "coverage_content_type": _CONTENT_TYPE[self.kind],
        }
        if self.standard_name:
            attrs["standard_name"] = self.standard_name
        if self.dtype != "datetime64":
            attrs["units"] = self.units or "1"  # text has none, but readers that print units expect one
        elif self.kind == "coordinate":
            attrs["units_metadata"] = "leap_seconds: none"
        if self.comment:
            attrs["comment"] = self.comment
        if self.flags:
            attrs["flag_values"] = np.array([v for v, _ in self.flags], dtype=self.dtype)
            attrs["flag_meanings"] = " ".join(meaning for _, meaning in self.flags)
        return attrs

    def label(self, lang: Lang, *, unit: bool = True) -> str:
        """Return the variable's description with its unit in brackets, for headers and axes."""
        text = self.long_name_zh if lang == "zh" else self.long_name
        printed = unit_label(self.units, lang) if unit else ""
        if not printed:
            return text
        return f"{text}（{printed}）" if lang == "zh" else f"{text} [{printed}]"


@cache
def table() -> Mapping[tuple[str, str], Variable]:
    """Return the whole table, keyed by (group, name), in the order of the file."""
    rows: dict[tuple[str, str], Variable] = {}
    with Path(__file__).with_name("variables.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            words = line["flags"].split()
            dims = line["dims"].split()
            variable = Variable(
                group=line["group"],
                name=line["name"],
                standard_name=line["standard_name"],
                long_name=line["long_name"],
                long_name_zh=line["long_name_zh"],
                units=line["units"],
                dims=tuple(d.strip("()") for d in dims),
                optional_dims=frozenset(d.strip("()") for d in dims if d.startswith("(")),
                dtype=line["dtype"],
                kind=_kind(line["kind"]),
                flags=tuple((int(v), m) for v, m in zip(words[::2], words[1::2], strict=True)),
                comment=line["comment"],
            )
            rows[variable.group, variable.name] = variable
    return MappingProxyType(rows)


def lookup(group: str, name: str) -> Variable:
    """Return the row of a variable; coordinates of the root group are known in every group.

    Raises
    ------
    KeyError
        The table has no such variable.
    """
    rows = table()
    found = rows.get((group, name))
    shared = rows.get(("/", name))
    if found is None and shared is not None and shared.kind not in {"data", "flag"}:
        found = shared
    if found is None:
        raise KeyError(f"variables.csv has no variable {name!r} in group {group!r}")
    return found


def unit_label(units: str, lang: Lang) -> str:
    """Return a unit of the table as people write it, such as ``"μg/m³"`` for ``"ug m-3"``."""
    english, chinese = _PRINTED_UNITS.get(units, (units, units))
    return chinese if lang == "zh" else english


def describe(dataset: xr.Dataset, group: str) -> xr.Dataset:
    """Return the dataset with the table's types and attributes on every variable.

    Attributes that a variable already has and the table does not speak of are kept (the rule behind a
    number, for instance).

    Parameters
    ----------
    dataset : Dataset
        One group of a result.
    group : str
        Its path, ``"/"`` or ``"/coal"``.

    Raises
    ------
    ValueError
        A variable is not in the table, or its dimensions are not the table's. All such are named.
    """
    import xarray as xr

    wrong: list[str] = []
    result = dataset.copy()
    coordinates = set(dataset.coords)
    for key in dataset.variables:
        name = str(key)
        try:
            row = lookup(group, name)
        except KeyError:
            wrong.append(f"{group}: {name} is not in variables.csv")
            continue
        variable = dataset.variables[name]
        dims = tuple(str(d) for d in variable.dims)
        if not row.fits(dims):
            wrong.append(f"{group}: {name} has dimensions {dims}, variables.csv says {row.dims}")
            continue
        data = _as_type(variable.to_numpy(), row)
        attrs = {**variable.attrs, **row.attributes()}
        own = str(variable.attrs.get("comment", ""))
        if own and row.comment not in own:
            attrs["comment"] = f"{row.comment}; {own}"
        elif own:
            attrs["comment"] = own
        new = xr.Variable(dims, data, attrs)
        result = result.assign_coords({name: new}) if name in coordinates else result.assign({name: new})
    if wrong:
        raise ValueError("\n".join(wrong))
    # what the table calls a coordinate is one, however the dataset was put together
    named = [str(n) for n in result.data_vars if lookup(group, str(n)).kind == "coordinate"]
    labels = [n for n in ("city_zh", "city_en") if n in result.data_vars]
    return result.set_coords(named + labels)


def markdown(lang: Lang) -> str:
    """Return the page docs/formats/result.md (``"en"``) or result.zh-CN.md (``"zh"``)."""
    zh = lang == "zh"
    lines = [
        "# 结果文件 result.nc 的变量" if zh else "# The variables of result.nc",
        "",
        "本页由 `airsim/variables.csv` 生成，请勿手改。" if zh else "Made from `airsim/variables.csv`; do not edit.",
        "",
        (
            "文件遵循 CF-1.11 与 ACDD-1.3；时间为世界时（UTC），`day` 为北京时间自然日。括号中的维可以没有；"
            "不适用的组不出现。"
            if zh
            else "The file follows CF-1.11 and ACDD-1.3; times are UTC, `day` is the Beijing calendar day. "
            "Dimensions in brackets may be missing; a group that does not apply is absent."
        ),
        "",
    ]
    header = (
        "| 变量 | 含义 | 单位 | 维 | 类型 | CF 标准名 | 说明 |"
        if zh
        else ("| variable | meaning | unit | dimensions | type | CF standard name | comment |")
    )
    for group, (english, chinese) in _GROUPS.items():
        lines += [f"## `{group}` {chinese if zh else english}", "", header, "|---|---|---|---|---|---|---|"]
        for row in table().values():
            if row.group != group:
                continue
            dims = ", ".join(f"({d})" if d in row.optional_dims else d for d in row.dims)
            meanings = "; ".join(f"{value} = {meaning}" for value, meaning in row.flags)
            comment = "; ".join(s for s in (row.comment, meanings) if s)
            meaning = row.long_name_zh if zh else row.long_name
            lines.append(
                f"| `{row.name}` | {meaning} | {row.units} | {dims} | {row.dtype} | {row.standard_name} | {comment} |"
            )
        lines.append("")
    return "\n".join(lines)


def _kind(text: str) -> Kind:
    for kind in get_args(Kind):
        if kind == text:
            result: Kind = kind
            return result
    raise ValueError(f"variables.csv: unknown kind {text!r}")


def _as_type(values: np.ndarray, row: Variable) -> np.ndarray:
    if row.dtype == "string":
        # a missing text is an empty one: NetCDF strings know no NaN
        flat = ["" if v is None or v != v else str(v) for v in values.ravel().tolist()]  # noqa: PLR0124
        width = max((len(s) for s in flat), default=1) or 1
        return np.array(flat, dtype=f"<U{width}").reshape(values.shape)
    if row.dtype == "datetime64":
        return values.astype("datetime64[ns]", copy=False)
    if row.kind == "flag" and values.dtype.kind == "f":
        values = np.where(np.isnan(values), -1, values)
    return values.astype(row.dtype, copy=False)
