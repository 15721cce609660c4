"""The layout of a table: its columns, what their headers may be called, and what a header says besides its name.

The same tuple of `Column` reads the file, words the messages and makes the page in docs/formats.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple

from airsim.errors import Lang
from airsim.names import normalise
from airsim.tables import units
from airsim.tables.cells import Cell

#: The unit of a column whose unit stands in another column.
ANY = "any"


@dataclass(frozen=True)
class Column:
    """One column of a table layout.

    Parameters
    ----------
    name : str
        Canonical English header.
    zh : str
        Header in Chinese as the docs and the workbooks print it.
    kind : {"text", "number", "identifier"}
        An identifier stays text; a cell in which Excel has already made it a number is refused.
    unit : str
        Canonical unit [CF spelling]; a header may carry any other that `units` converts to it. `ANY`: the numbers are
        kept as they are, whatever the header's unit.
    required : bool
        The column must be there and every row must have a value.
    minimum, maximum : float, optional
        Bounds of a number, both included.
    choices : mapping, optional
        Accepted spellings (lower case) of a text -> canonical value.
    aliases : sequence of str
        Further header spellings.
    default : object
        Value of an empty optional cell.
    about, about_zh : str
        One line for the format page.
    species : str
        Gas of a concentration or an emission (key of `units.MOLAR_MASS`): what ppb, or "as NO", are converted with.
    bases : tuple of str
        Bases of a coal analysis (ar, ad, d, daf) that a header may name; `Table.bases` says which it did.
    below_detection : bool
        "<0.20" is a value: the limit of detection; `Table.below` marks it.
    implied : mapping
        Spelling -> unit that goes with it (``wspd`` is km/h in the tables that call it so).
    blanks : mapping
        Words of a number column, lower case, that are no error -> their value (None: missing).
    """

    name: str
    zh: str
    kind: Literal["text", "number", "identifier"] = "number"
    unit: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: Mapping[str, str] | None = None
    aliases: tuple[str, ...] = ()
    default: Any = None
    about: str = ""
    about_zh: str = ""
    species: str = ""
    bases: tuple[str, ...] = ()
    below_detection: bool = False
    implied: Mapping[str, str] = field(default_factory=dict)
    blanks: Mapping[str, float | None] = field(default_factory=dict)


_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|【([^【】]*)】|〔([^〔〕]*)〕|\{([^{}]*)\}")
_SYMBOL = re.compile(
    r"(?<![a-z])(?:s|st|a|m|mt|v|fc|q|qnet|qgr)[,_.]?(?P<basis>daf|ar|ad|db|d)(?![a-z])|(?<![a-z])(?:st|mt|qnet|qgr)$"
)
_BASES = {
    "ar": "ar", "收到基": "ar", "as_received": "ar", "ad": "ad", "空气干燥基": "ad", "空干基": "ad", "分析基": "ad",
    "d": "d", "db": "d", "干基": "d", "干燥基": "d", "dry": "d", "daf": "daf", "干燥无灰基": "daf", "可燃基": "daf",
}  # fmt: skip
_AS = re.compile(r"^(?:以|按|as)?(so2|no2|no|n|s|c|碳|氮|硫)(?:计|as)?$")
#: Mass of the canonical species in one mass of the named one [1].
_AS_FACTOR = {
    ("NOx", "no2"): 1.0, ("NOx", "no"): 46.006 / 30.006, ("NOx", "n"): 46.006 / 14.007, ("NOx", "氮"): 46.006 / 14.007,
    ("SO2", "so2"): 1.0, ("SO2", "s"): 64.06 / 32.06, ("SO2", "硫"): 64.06 / 32.06,
    ("C", "c"): 1.0, ("C", "碳"): 1.0,
}  # fmt: skip
#: Words in brackets that say nothing about the number.
_PLAIN = re.compile(
    r"^(?:实际|实测|年均|平均|均值|全年|当年|本年|年度|年|合计|总量|必填|选填|可选|数值|数字|小数|保留.*位.*|\d{4}年?|"
    r"10米|10m|2米|2m|十米|小时|逐时|东经|北纬|e|n|排放量|条|个|台|套|座|户|家|"
    r"required|optional|total|annual|mean|average)$"
)
_PERIODS = (("a", re.compile(r"年|annual|yearly|per_?year")), ("d", re.compile(r"日(?!期)|天|daily|per_?day")),
            ("h", re.compile(r"每?小时|hourly|per_?hour")))  # fmt: skip
_ZONE = re.compile(
    r"^(?:utc|gmt|z|世界时|协调世界时|北京时间?|bjt|cst|beijing(?:time)?|(?:utc|gmt)?[+-]\d{1,2}(?::?\d\d)?)$"
)


class Header(NamedTuple):
    """What a header says: which column it is, and the pieces about its numbers."""

    column: str
    #: brackets and suffixes that are not part of the name, as written
    pieces: tuple[str, ...]


class Reading(NamedTuple):
    """How the numbers under a header are read; `refused` holds (English, Chinese) where they cannot be."""

    conversion: units.Conversion = units.Conversion(1.0)
    basis: str = ""
    refused: tuple[str, str] | None = None
    unit: str = ""


def names_of(columns: Iterable[Column]) -> dict[str, str]:
    """Return every accepted spelling, normalised, -> canonical name."""
    names: dict[str, str] = {}
    for c in columns:
        for word in (c.name, c.zh, *c.aliases):
            names.setdefault(normalise(word), c.name)
    return names


def read_header(header: object, names: Mapping[str, str]) -> Header | None:
    """Return which column a header names, None if none.

    Spellings are tried whole, then without their brackets one after the other from the end, then without a suffix
    that is a unit (``SO2 kg/d``, ``SO2_kg_d``, ``风速/(m/s)``) or a symbol of coal analysis (``全硫St,d``).

    Parameters
    ----------
    header : object
        The cell.
    names : mapping
        From `names_of`.
    """
    text = unicodedata.normalize("NFKC", str(header)).strip()
    pieces: list[str] = []
    while True:
        if (name := names.get(normalise(text))) is not None:
            return Header(name, tuple(pieces))
        brackets = list(_BRACKETS.finditer(text))
        if not brackets:
            break
        last = brackets[-1]
        pieces.insert(0, next(g for g in last.groups() if g is not None))
        text = (text[: last.start()] + text[last.end() :]).strip().rstrip("/,:_ ")
    plain = normalise(text)
    symbol = _SYMBOL.search(plain)
    if symbol is not None and symbol.start() > 0 and (name := names.get(plain[: symbol.start()].rstrip(",_/"))):
        return Header(name, (_symbol_basis(symbol), *pieces))
    if symbol is not None and symbol.end() == len(plain) and symbol.start() == 0:
        bare = re.sub(r"[,_.]?(?:daf|ar|ad|db|d)$", "", plain)
        if (name := names.get(bare)) is not None:
            return Header(name, (_symbol_basis(symbol), *pieces))
    # glued without a bracket: 风速m/s, 硫分%
    for length in range(len(plain) - 1, 0, -1):
        name = names.get(plain[:length])
        if name is not None and units.parse(plain[length:]) is not None:
            return Header(name, (plain[length:], *pieces))
    for cut in re.finditer(r"[/,，:_\s]+", text):
        name = names.get(normalise(text[: cut.start()]))
        rest = text[cut.end() :].strip()
        if name is not None and rest:
            unit = rest if units.parse(rest) is not None else rest.replace("_", "/")
            if units.parse(unit) is not None or normalise(rest) in _BASES:
                return Header(name, (unit, *pieces))
    return None


def _symbol_basis(symbol: re.Match[str]) -> str:
    """Return the basis that a symbol names, in words that cannot be mistaken: Ad is ash on the dry basis, not ad."""
    gross = "qgr" if symbol.group(0).startswith("qgr") else ""
    # total moisture (Mt) is as received by definition; a bare St or Qnet names no basis
    bare = "收到基" if symbol.group(0) == "mt" else ""
    words = {"ar": "收到基", "ad": "空干基", "daf": "干燥无灰基", "d": "干基", "db": "干基"}
    return gross + words.get(symbol.group("basis") or "", bare)


def reading_of(header: object, pieces: Sequence[str], column: Column, inherited: str = "") -> Reading:
    """Return how the numbers of a column are read, from the pieces of its header.

    Every piece is a unit that converts, a qualifier that is known and honoured, or a reason to refuse the column.

    Parameters
    ----------
    header : object
        The header as written; "日排放量" says that an amount is a day's.
    pieces : sequence of str
        From `Header.pieces`.
    column : Column
        A number column.
    inherited : str
        Unit from a unit row, a group header or a title ("单位：吨"); counts where the header has none.
    """
    bare = normalise(_BRACKETS.sub("", str(header)))
    period = next((key for key, pattern in _PERIODS if pattern.search(bare)), "")
    factor, basis, unit = 1.0, "", ""
    conversion: units.Conversion | None = None
    for piece in (p for whole in pieces for p in _split(whole)):
        word = "干基" if piece.strip() == "Ad" else normalise(piece)
        found = _BASES.get(word) or ((m := _SYMBOL.search(word)) and m.group("basis") and _BASES[m.group("basis")])
        as_species = _AS.match(word)
        symbol_only = re.fullmatch(r"(?:st|mt|qnet|qgr|s|a|v|m|ad|vd)", word) and column.bases
        if column.unit == ANY:
            unit = piece
            continue
        if word.startswith(("qgr", "高位")):
            # a gross heating value is another quantity, not another basis
            return _refuse(header, column, piece)
        if column.unit and (converted := _converted(piece, column, period)) is not None:
            if conversion is not None and converted[:2] != conversion[:2]:
                return _refuse(header, column, piece)
            conversion, unit = converted, piece
        elif found:
            if found not in column.bases:
                return _refuse(header, column, piece)
            basis = str(found)
        elif as_species is not None and (column.species, as_species.group(1)) in _AS_FACTOR:
            factor *= _AS_FACTOR[column.species, as_species.group(1)]
        elif word and not (_PLAIN.match(word) or word in _own(column) or symbol_only):
            return _refuse(header, column, piece)
    if conversion is None and inherited and column.unit not in {"", ANY}:
        conversion, unit = _converted(inherited, column, period), inherited
    conversion = conversion or units.Conversion(1.0)
    if factor != 1.0:
        conversion = conversion._replace(factor=conversion.factor * factor)
    return Reading(conversion, basis, None, unit)


def _split(piece: str) -> list[str]:
    """Return the parts of a bracket: "kg/h，以NO2计" says two things; "St,d" says one."""
    if _SYMBOL.search(normalise(piece)) or units.parse(piece) is not None:
        return [piece]
    return [p for p in re.split(r"[,，;；、]", piece) if p.strip()]


def _converted(text: str, column: Column, period: str) -> units.Conversion | None:
    if not text.strip() or normalise(text) in {"1", "-"}:
        return None
    return units.convert(text, column.unit, period, column.species)


def _own(column: Column) -> set[str]:
    return {normalise(w) for w in (column.name, column.zh, *column.aliases)}


def _refuse(header: object, column: Column, piece: str) -> Reading:
    known = units.known_for(column.unit) if column.unit else "-"
    bases = f"; {', '.join(column.bases)}" if column.bases else ""
    return Reading(
        refused=(
            f"'{piece}' is no unit that converts to {column.unit or 'a plain number'}, and no known qualifier; "
            f"known units: {known}{bases}",
            f"“{piece}”不是可换算为 {column.unit or '无量纲数'} 的单位，也不是已知的限定词；可用单位：{known}{bases}",
        )
    )


def zone_of(header: object, pieces: Sequence[str]) -> tuple[float | None, str]:
    """Return (hours ahead of UTC or None, piece that is no zone) from the brackets of a header of times.

    >>> zone_of("时间(UTC)", ("UTC",))
    (0.0, '')
    >>> zone_of("time(UTC+8)", ("UTC+8",))
    (8.0, '')
    """
    for piece in pieces:
        word = normalise(piece)
        if _ZONE.match(word):
            return _hours(word), ""
        if not _PLAIN.match(word) and not re.fullmatch(r"[ymdhs年月日时分秒:/\-\s.]+|local|地方时|本地时间?", word):
            return None, piece
    suffix = re.search(r"(?:^|[_\s])(utc|gmt|bjt)$", normalise(header).replace("_", " "))
    glued = re.search(r"(?:_|\b)(utc|gmt|bjt)$", str(header).strip().lower())
    return (_hours((suffix or glued).group(1)), "") if suffix or glued else (None, "")  # type: ignore[union-attr]


def _hours(word: str) -> float:
    if word in {"utc", "gmt", "z", "世界时", "协调世界时"}:
        return 0.0
    shift = re.search(r"([+-])(\d{1,2})(?::?(\d\d))?$", word)
    if shift is None:
        return 8.0
    hours = int(shift.group(2)) + int(shift.group(3) or 0) / 60
    return -hours if shift.group(1) == "-" else hours


def recognise_header(row: Sequence[Cell], columns: Iterable[Column]) -> dict[str, int]:
    """Return canonical name -> column index for the headers of one row.

    Exact spellings go first, then those that fit once units and brackets are taken off.
    """
    columns = tuple(columns)
    names = names_of(columns)
    found: dict[str, int] = {}
    for exact in (True, False):
        for j, header in enumerate(row):
            if not isinstance(header, str) or not header.strip() or j in found.values():
                continue
            if exact:
                name = names.get(normalise(header))
            else:
                read = read_header(header, names)
                name = read.column if read is not None else None
            if name and name not in found:
                found[name] = j
    return found


def alike(header: str, columns: Iterable[Column], least: float = 0.8) -> Column | None:
    """Return the column whose misspelt or decorated name a header seems to be (`least`: how alike, 0 to 1)."""
    bare = normalise(_BRACKETS.sub("", unicodedata.normalize("NFKC", header)))
    best, most = None, 0.0
    for column in columns:
        for word in _own(column):
            if len(word) < 2 or not bare:
                continue
            ratio = SequenceMatcher(None, bare, word).ratio()
            if len(word) >= 3 and bare.startswith(word) and len(bare) <= len(word) + 4:
                ratio = max(ratio, 0.8)
            if ratio > most:
                best, most = column, ratio
    return best if most >= least else None


def markdown(columns: Sequence[Column], lang: Lang) -> str:
    """Return the table of a layout for docs/formats/tables.md, one row a column."""
    zh = lang == "zh"
    lines = [
        "| 列（英文） | 列（中文） | 也识别 | 单位 | 必需 | 说明 |"
        if zh
        else "| column | 中文 | also read | unit | required | about |",
        "|---|---|---|---|---|---|",
    ]
    for c in columns:
        about = c.about_zh if zh else c.about
        bounds = " ".join(
            b
            for b in (
                "" if c.minimum is None else f">= {c.minimum:g}",
                "" if c.maximum is None else f"<= {c.maximum:g}",
            )
            if b
        )
        text = {"text": "文本" if zh else "text", "identifier": "文本编码" if zh else "identifier, as text"}.get(
            c.kind, ""
        )
        said = "; ".join(s for s in (about, text, bounds) if s)
        must = ("是" if zh else "yes") if c.required else ""
        lines.append(f"| `{c.name}` | {c.zh} | {'、'.join(c.aliases)} | {c.unit} | {must} | {said} |")
    return "\n".join(lines)
