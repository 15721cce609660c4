"""A coal balance as a function of what is uncertain about it: declared figures and the statistics of both years."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from airsim import rules
from airsim.coal.sampling import quantile
from airsim.errors import InputError, Problem
from airsim.names import LEDGER_SECTOR_WORDS, SECTORS
from airsim.rules import Rule
from airsim.scenario import Distribution, Spread, StatisticsError, Uncertainty

#: Figures of a measure that may be uncertain -> (factor of the amount at a value x, lowest, highest value of x).
FIGURES: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float, float]] = {
    "growth_percent": (lambda x: x / 100.0, -100.0, np.inf),
    "degree_day_percent": (lambda x: x / 100.0, -100.0, np.inf),
    "execution_rate": (lambda x: x, 0.0, 1.0),
    "reburn": (lambda x: 1.0 - x, 0.0, 1.0),
    "tonnes_per_household": (lambda x: x, 0.0, np.inf),
    "utilisation": (lambda x: x, 0.0, np.inf),
}
#: Their deviations are added to the declared figure; those of the others multiply it.
ADDED = frozenset({"growth_percent", "degree_day_percent", "reburn"})
NAMES = {
    "growth_percent": ("growth", "增长"),
    "degree_day_percent": ("heating degree days", "采暖度日"),
    "execution_rate": ("execution rate", "执行率"),
    "reburn": ("reburn", "返煤率"),
    "tonnes_per_household": ("tonnes per household", "户均用煤"),
    "utilisation": ("utilisation of new projects", "新建项目负荷率"),
    "statistics": ("statistics error", "统计误差"),
}
#: Measure under which the growth and the weather stand that no line declares.
UNDECLARED = "undeclared"


@dataclass
class Input:
    """An independent source of uncertainty: some columns of the cube that are varied together."""

    id: str
    en: str
    zh: str
    distribution: str
    basis: str
    assumed: bool
    entry: int = -1
    """Entry of the statistics whose errors it is, -1: none."""
    columns: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class _Draw:
    """One figure of one measure: its column, and what it makes of the amounts of some groups of rows."""

    column: int
    groups: tuple[int, ...]
    value: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class _Statistics:
    """Errors of some sectors' statistics in every city: columns of base year and of target year."""

    entry: int
    base: np.ndarray
    target: np.ndarray
    error: Distribution
    target_error: Distribution
    correlation: float


class Model:
    """A coal balance as a function of the unit cube.

    Parameters
    ----------
    lines : DataFrame
        Signed lines of the balance, one row a measure, city, sector and fuel: measure, line, city, sector, amount
        [t], coefficient [t], and the declared figures growth_percent, degree_day_percent, execution_rate, reburn,
        tonnes_per_household with ``<name>_distribution``: amount = coefficient x product of the figures' factors
        (see `airsim.coal.accounts.lines`).  The rows with line "base" are the base year.
    settings : Uncertainty
        What the scenario says about distributions.
    limit : float
        Negative growth means growth below this [1].

    Raises
    ------
    InputError
        An override names a measure or a figure that the lines do not have, statistics a sector that is none.
    """

    def __init__(self, lines: pd.DataFrame, settings: Uncertainty, limit: float = 0.0, *, file: str = "") -> None:
        self.settings = settings
        self.limit = limit
        self.rule = rules.load("coal_uncertainty")
        self.inputs: list[Input] = []
        self.width = 0
        base = lines[lines["line"] == "base"]
        self.cities = list(dict.fromkeys(lines["city"]))
        self._entries = self._statistics_entries(file)
        cells = [(c, e) for c in self.cities for e in range(len(self._entries) + 1)]
        self._cell = {cell: i for i, cell in enumerate(cells)}
        self.base = np.zeros(len(cells))
        np.add.at(self.base, self._cells_of(base), base["amount"].to_numpy(np.float64))
        self._city_of_cell = np.array([self.cities.index(c) for c, _ in cells])
        rows = pd.concat([lines[lines["line"] != "base"], *self._undeclared(lines, base)], ignore_index=True)
        self._group(rows)
        self._check_overrides(file)
        self.draws = list(self._draws(rows))
        self.statistics = list(self._statistics())

    # -- building --

    def _column(self, target: Input) -> int:
        target.columns.append(self.width)
        self.width += 1
        return self.width - 1

    def _statistics_entries(self, file: str) -> list[StatisticsError]:
        if self.settings.statistics is not None:
            known = dict.fromkeys(LEDGER_SECTOR_WORDS.values())
            named = dict.fromkeys(s for e in self.settings.statistics for s in e.sectors or ())
            listed = ", ".join(known)
            problems = [
                Problem(
                    file,
                    "",
                    "coal.uncertainty.statistics.sectors",
                    s,
                    f"must be one of {listed}",
                    f"须为以下之一：{listed}",
                )
                for s in named
                if s not in known
            ]
            if problems:
                raise InputError(problems)
            return list(self.settings.statistics)
        made = []
        for name, values in self.rule["statistics"].items():
            key = f"statistics.{name}"
            error = _distribution(values["error"], _basis(self.rule, f"{key}.error"))
            made.append(
                StatisticsError(
                    sectors=tuple(values["sectors"]) if "sectors" in values else None,
                    error=error,
                    correlation=float(values["correlation"]),
                    shared=bool(values["shared"]),
                    source=_basis(self.rule, f"{key}.correlation"),
                )
            )
        return made

    def _entry_of(self, sector: str) -> int:
        """Return the first entry that names a sector; the one past the last stands for no error."""
        for i, entry in enumerate(self._entries):
            if entry.sectors is None or sector in entry.sectors:
                return i
        return len(self._entries)

    def _cells_of(self, rows: pd.DataFrame) -> np.ndarray:
        pairs = zip(rows["city"], rows["sector"], strict=True)
        return np.array([self._cell[c, self._entry_of(s)] for c, s in pairs], dtype=np.intp)

    def _undeclared(self, lines: pd.DataFrame, base: pd.DataFrame) -> Iterator[pd.DataFrame]:
        """Make rows for the growth and the weather that no line declares: nothing expected, but uncertain."""
        covered = {
            line: set(map(tuple, lines.loc[lines["line"] == line, ["city", "sector"]].to_numpy()))
            for line in ("growth", "weather")
        }
        share = rules.load("heating")["degree_days.share"]
        planned = lines.groupby(["city", "sector"])["amount"].sum().clip(lower=0.0)
        burnt = base.groupby(["city", "sector"])["amount"].sum()
        for line, factor, amounts in (("growth", "growth_percent", burnt), ("weather", "degree_day_percent", planned)):
            table = amounts.rename("coefficient").reset_index()
            open_ = [pair not in covered[line] for pair in zip(table["city"], table["sector"], strict=True)]
            table = table[open_]
            if line == "weather":
                table = table[table["sector"].isin(list(share))]
                table["coefficient"] *= table["sector"].map(dict(share)).astype(np.float64)
            yield table.assign(measure=UNDECLARED, line=line, amount=0.0, **{factor: 0.0})

    def _check_overrides(self, file: str) -> None:
        rows, problems = self.groups, []
        for o in self.settings.measures:
            named = rows[rows["measure"] == o.measure]
            if named.empty or o.measure == UNDECLARED:
                known = ", ".join(m for m in dict.fromkeys(rows["measure"]) if m != UNDECLARED)
                said, zh = f"no such measure in the balance; there are {known}", f"平衡表中没有该措施；现有 {known}"
                problems.append(Problem(file, "", "coal.uncertainty.measures", o.measure, said, zh))
            elif named[o.factor].isna().all():
                said, zh = f"this measure has no {o.factor}", f"该措施没有 {NAMES[o.factor][1]}"
                problems.append(Problem(file, "", "coal.uncertainty.measures", o.measure, said, zh))
        if problems:
            raise InputError(problems)

    def _group(self, rows: pd.DataFrame) -> None:
        """Put rows with the same measure and the same figures together: they move in proportion."""
        for factor in FIGURES:
            if factor not in rows:
                rows[factor] = np.nan
        rows.loc[rows["line"] == "new_projects", "utilisation"] = 1.0
        declared = rows[list(FIGURES)].astype(np.float64)
        keys = pd.concat([rows["measure"], rows["line"], declared], axis=1)
        group = keys.groupby(list(keys.columns), sort=False, dropna=False).ngroup().to_numpy()
        count = int(group.max()) + 1 if len(group) else 0
        amount = rows["coefficient"].fillna(0.0).to_numpy(np.float64)
        cell = self._cells_of(rows) if len(rows) else np.zeros(0, np.intp)
        self.coefficient = np.zeros((count, self.base.size))
        np.add.at(self.coefficient, (group, cell), amount)
        substitution = (rows["line"] == "substitution").to_numpy()
        self.gross = np.zeros_like(self.coefficient)
        saved = substitution & (amount < 0)
        np.add.at(self.gross, (group[saved], cell[saved]), amount[saved])
        first = pd.Series(group).drop_duplicates().index.to_numpy()
        self.groups = rows.loc[first].reset_index(drop=True) if count else rows
        self.substitutes = (self.groups["line"] == "substitution").to_numpy()
        self.declared = np.ones(count)
        for factor, (of, _, _) in FIGURES.items():
            x = self.groups[factor].to_numpy(np.float64)
            self.declared *= np.where(np.isnan(x), 1.0, of(x))

    def _draws(self, rows: pd.DataFrame) -> Iterator[_Draw]:
        overrides: dict[tuple[str, str], Distribution] = {
            (o.measure, o.factor): o.distribution for o in self.settings.measures
        }
        for factor, (of, low, high) in FIGURES.items():
            present = self.groups[self.groups[factor].notna()]
            if present.empty:
                continue
            spread, assumed, basis = self._spread(factor)
            common: Input | None = None
            column = -1
            for measure, members in present.groupby("measure", sort=False):
                name = str(measure)
                own = overrides.get((name, factor))
                listed = members.get(f"{factor}_distribution")
                if own is None and listed is not None and isinstance(listed.iloc[0], Distribution):
                    own = listed.iloc[0]
                if own is not None:
                    said = Input(*self._names(factor, name), _text(own), own.source or "", own.source is None)
                    self.inputs.append(said)
                    yield _Draw(self._column(said), tuple(members.index), _clipped(own, of, low, high))
                    continue
                if spread.shared and common is not None:
                    pass
                else:
                    label = self._names(factor, "" if spread.shared else name)
                    common = Input(*label, _text(spread.deviation, factor), basis, assumed)
                    self.inputs.append(common)
                    column = self._column(common)
                for declared in np.unique(members[factor].to_numpy(np.float64)):
                    value = _deviating(spread.deviation, of, low, high, declared, added=factor in ADDED)
                    yield _Draw(column, tuple(members.index[members[factor] == declared]), value)

    def _spread(self, factor: str) -> tuple[Spread, bool, str]:
        """Return the spread of a kind of figure, whether it is assumed, and what it rests on."""
        own: Spread | None = getattr(self.settings, factor)
        if own is not None:
            return own, own.deviation.source is None, own.deviation.source or ""
        values = self.rule[factor]
        basis = _basis(self.rule, f"{factor}.deviation")
        deviation = _distribution(values["deviation"], basis)
        return Spread(deviation=deviation, shared=bool(values["shared"])), True, basis

    def _names(self, factor: str, measure: str) -> tuple[str, str, str]:
        en, zh = NAMES[factor]
        if measure == "":
            return factor, en, zh
        if measure == UNDECLARED:
            return factor, f"{en}, where none is declared", f"{zh}（未声明部分）"
        return f"{factor}:{measure}", f"{en}: {measure}", f"{zh}：{measure}"

    def _statistics(self) -> Iterator[_Statistics]:
        given = self.settings.statistics is not None
        for i, entry in enumerate(self._entries):
            if not any(e == i and self.base[j] > 0 for j, (_, e) in enumerate(self._cell)):
                continue
            second = entry.target_error or entry.error
            en, zh = NAMES["statistics"]
            what = ", ".join(entry.sectors or ())
            what_zh = "、".join(SECTORS.get(s, s) for s in entry.sectors or ())
            text = f"{_text(entry.error)} %"
            if entry.target_error is not None:
                text += f" -> {_text(second)} %"
            text += f", rho {entry.correlation:g}"
            said = "; ".join(dict.fromkeys(s for s in (entry.error.source, entry.source) if s))
            assumed = not given or entry.error.source is None or entry.source is None
            one = Input(
                f"statistics:{i + 1}",
                f"{en}: {what}" if what else en if len(self._entries) == 1 else f"{en}: others",
                f"{zh}：{what_zh}" if what else zh if len(self._entries) == 1 else f"{zh}：其余部门",
                text,
                said,
                assumed,
                entry=i,
            )
            self.inputs.append(one)
            n = 1 if entry.shared else len(self.cities)
            columns = np.array([self._column(one) for _ in range(2 * n)]).reshape(2, n)
            if entry.shared:
                columns = np.repeat(columns, len(self.cities), axis=1)
            yield _Statistics(i, columns[0], columns[1], entry.error, second, entry.correlation)

    # -- evaluating --

    def factors(self, u: np.ndarray) -> np.ndarray:
        """Return what the drawn figures make of each group's coefficient, (member, group) [1]."""
        return self.factors_of(lambda column: u[:, column], range(len(self.declared)), len(u))

    def factors_of(self, pick: Callable[[int], np.ndarray], groups: Sequence[int], members: int) -> np.ndarray:
        """Return the factors of some groups from the columns that `pick` gives."""
        place = {g: j for j, g in enumerate(groups)}
        made = np.ones((members, len(place)))
        for draw in self.draws:
            here = [place[g] for g in draw.groups if g in place]
            if here:
                made[:, here] *= draw.value(pick(draw.column))[:, None]
        return made

    def errors(self, u: np.ndarray, other: np.ndarray | None = None, entry: int = -1) -> tuple[np.ndarray, np.ndarray]:
        """Return reported over true in base and target year, (member, cell) [1] each.

        Normal scores of the two years have the declared correlation (a Gaussian copula).  One entry of the statistics
        may be drawn from another sample.
        """
        base = np.ones((len(u) if other is None else len(other), self.base.size))
        target = np.ones_like(base)
        for s in self.statistics:
            drawn = u if other is None or s.entry != entry else other
            cells = [self._cell[c, s.entry] for c in self.cities]
            first = special.ndtri(drawn[:, s.base])
            rest = special.ndtri(drawn[:, s.target])
            second = s.correlation * first + np.sqrt(1.0 - s.correlation**2) * rest
            base[:, cells] = 1.0 + np.maximum(quantile(s.error, special.ndtr(first)), -99.0) / 100.0
            target[:, cells] = 1.0 + np.maximum(quantile(s.target_error, special.ndtr(second)), -99.0) / 100.0
        return base, target

    def by_city(self, cells: np.ndarray) -> np.ndarray:
        """Sum (member, cell) over the cells of each city: (member, city)."""
        return cells @ (self._city_of_cell[:, None] == np.arange(len(self.cities)))

    def planned(self, u: np.ndarray) -> np.ndarray:
        """Return the target year before the errors of its statistics, (member, cell) [t]."""
        return self.base + self.factors(u) @ self.coefficient

    def change(self, planned: np.ndarray, base_error: np.ndarray, target_error: np.ndarray) -> np.ndarray:
        """Return target less base of all cities as reported, (member,) [t]."""
        return (planned * target_error).sum(axis=1) - base_error @ self.base


def _distribution(values: Mapping[str, Sequence[float]], source: str) -> Distribution:
    """Make a distribution from a rule file."""
    numbers: Any = {name: tuple(float(x) for x in given) for name, given in values.items()}
    return Distribution(**numbers, source=source)


def _basis(rule: Rule, key: str) -> str:
    return rule.about(key)[0].source


def _text(distribution: Distribution, factor: str = "") -> str:
    """Return a distribution as people write it."""
    name, numbers = distribution.kind
    text = f"{name}({', '.join(f'{x:g}' for x in numbers)})"
    if not factor:
        return text
    return f"+ {text}" if factor in ADDED else f"x {text}"


def _clipped(
    distribution: Distribution, of: Callable[[np.ndarray], np.ndarray], low: float, high: float
) -> Callable[[np.ndarray], np.ndarray]:
    return lambda u: of(np.clip(quantile(distribution, u), low, high))


def _deviating(
    deviation: Distribution,
    of: Callable[[np.ndarray], np.ndarray],
    low: float,
    high: float,
    declared: float,
    *,
    added: bool,
) -> Callable[[np.ndarray], np.ndarray]:
    def value(u: np.ndarray) -> np.ndarray:
        off = quantile(deviation, u)
        return of(np.clip(declared + off if added else declared * off, low, high))

    return value
