"""Negative growth honestly tested: how probable it is, which input decides, what it would take.

The lines of a balance are products of declared figures (execution rate, tonnes a household, growth ...), and the
statistics of both years carry errors.  All are drawn from their distributions by a scrambled Sobol' sequence or a
Latin hypercube, and the test is repeated for every member.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special
from scipy.stats import qmc

from airsim import rules
from airsim.errors import InputError, Problem
from airsim.names import LEDGER_SECTOR_WORDS, SECTORS
from airsim.rules import Rule
from airsim.scenario import Distribution, Scenario, Spread, StatisticsError, Uncertainty

#: Figures of a measure that may be uncertain -> (factor of the amount at a value x, lowest, highest value of x).
_FACTORS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float, float]] = {
    "growth_percent": (lambda x: x / 100.0, -100.0, np.inf),
    "degree_day_percent": (lambda x: x / 100.0, -100.0, np.inf),
    "execution_rate": (lambda x: x, 0.0, 1.0),
    "reburn": (lambda x: 1.0 - x, 0.0, 1.0),
    "tonnes_per_household": (lambda x: x, 0.0, np.inf),
    "utilisation": (lambda x: x, 0.0, np.inf),
}
#: Their deviations are added to the declared figure; those of the others multiply it.
_ADDED = frozenset({"growth_percent", "degree_day_percent", "reburn"})
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
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
#: Independent scrambles (or hypercubes): their spread is the standard error.
REPLICATES = 16
_CURVE_POINTS = 61


# --------------------------------------------------------------------------------------------------------
# estimators


def quantile(distribution: Distribution, u: np.ndarray) -> np.ndarray:
    """Return the value of a distribution at a probability (the inverse distribution function).

    Parameters
    ----------
    distribution : Distribution
    u : ndarray
        Probability [1].

    Returns
    -------
    ndarray
        Shaped as `u`, in the unit of the distribution.
    """
    name, p = distribution.kind
    if name == "normal":
        return p[0] + p[1] * special.ndtri(u)
    if name == "lognormal":
        return p[0] * np.exp(np.log(p[1]) * special.ndtri(u))
    if name == "uniform":
        return p[0] + (p[1] - p[0]) * u
    if name == "beta":
        return p[2] + (p[3] - p[2]) * special.betaincinv(p[0], p[1], u)
    low, mode, high = p
    split = (mode - low) / (high - low)
    rising = low + np.sqrt(u * (high - low) * (mode - low))
    falling = high - np.sqrt((1.0 - u) * (high - low) * (high - mode))
    return np.where(u < split, rising, falling)


def samples(members: int, columns: int, seed: int, sampler: str = "sobol") -> np.ndarray:
    """Return independent replicates of a low-discrepancy sample of the unit cube.

    Parameters
    ----------
    members : int
        At least so many points over all replicates; the Sobol' sequence takes a power of two a replicate [1].
    columns : int
        Dimension of the cube [1].
    seed : int
    sampler : {"sobol", "latin_hypercube"}
        Scrambled Sobol' sequence (Owen 1998; scrambling of Matousek 1998) or Latin hypercube (McKay et al. 1979).

    Returns
    -------
    ndarray
        (replicate, member, column) in the open interval (0, 1).
    """
    each = -(-members // REPLICATES)
    made = []
    for child in np.random.SeedSequence(seed).spawn(REPLICATES):
        rng = np.random.default_rng(child)
        if sampler == "sobol":
            made.append(qmc.Sobol(columns, rng=rng).random_base2(max(each - 1, 1).bit_length()))
        else:
            made.append(qmc.LatinHypercube(columns, rng=rng).random(each))
    return np.clip(np.stack(made), 1e-9, 1.0 - 1e-9)


def sobol_indices(f_a: np.ndarray, f_b: np.ndarray, f_ab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimate first-order and total Sobol' indices, of single inputs or of groups of them.

    Parameters
    ----------
    f_a, f_b : ndarray
        The model at two independent samples A and B, (..., member).
    f_ab : ndarray
        The model at A with the columns of one input (or group) taken from B, (input, ..., member).

    Returns
    -------
    (ndarray, ndarray)
        First-order and total indices [1], (input, ...); NaN where the model does not vary.

    Notes
    -----
    First order: Saltelli et al. (2010), Comput. Phys. Commun. 181, 259-270, table 2 (b):
    V_i = mean(f_B (f_ABi - f_A)).  Total: Jansen (1999), Comput. Phys. Commun. 117, 35-43, table 2 (f) there:
    V_Ti = mean((f_A - f_ABi)^2) / 2.  Outputs are centred first.
    """
    both = np.concatenate([f_a, f_b], axis=-1)
    mean = both.mean(axis=-1, keepdims=True)
    variance = both.var(axis=-1)
    # below round-off of its own mean an output does not vary
    variance = np.where(variance > 1e-24 * np.maximum(mean[..., 0] ** 2, 1e-300), variance, np.nan)
    a, b, ab = f_a - mean, f_b - mean, f_ab - mean
    first = (b * (ab - a)).mean(axis=-1) / variance
    total = 0.5 * ((a - ab) ** 2).mean(axis=-1) / variance
    return first, total


def least_extra(needed: np.ndarray, probability: float) -> float:
    """Return the smallest extra substitution that lifts the probability to a wanted level.

    Exact by order statistics: member m passes with any extra amount above ``needed[m]``, so with anything above the
    k-th smallest of them k members pass, k the smallest whole number that is at least N times the probability.

    Parameters
    ----------
    needed : ndarray
        Extra substitution above which each member passes [t]; negative where it passes anyway, infinite where
        none suffices.
    probability : float
        Wanted share of members that pass [1].

    Returns
    -------
    float
        [t]; 0 where the level is reached already, infinite where it cannot be.
    """
    k = max(1, int(np.ceil(probability * needed.size - 1e-9)))
    return max(0.0, float(np.partition(needed.ravel(), k - 1)[k - 1]))


# --------------------------------------------------------------------------------------------------------
# the model of a balance


@dataclass
class _Input:
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
        self.inputs: list[_Input] = []
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

    def _column(self, target: _Input) -> int:
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
        for factor in _FACTORS:
            if factor not in rows:
                rows[factor] = np.nan
        rows.loc[rows["line"] == "new_projects", "utilisation"] = 1.0
        declared = rows[list(_FACTORS)].astype(np.float64)
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
        for factor, (of, _, _) in _FACTORS.items():
            x = self.groups[factor].to_numpy(np.float64)
            self.declared *= np.where(np.isnan(x), 1.0, of(x))

    def _draws(self, rows: pd.DataFrame) -> Iterator[_Draw]:
        overrides: dict[tuple[str, str], Distribution] = {
            (o.measure, o.factor): o.distribution for o in self.settings.measures
        }
        for factor, (of, low, high) in _FACTORS.items():
            present = self.groups[self.groups[factor].notna()]
            if present.empty:
                continue
            spread, assumed, basis = self._spread(factor)
            common: _Input | None = None
            column = -1
            for measure, members in present.groupby("measure", sort=False):
                name = str(measure)
                own = overrides.get((name, factor))
                listed = members.get(f"{factor}_distribution")
                if own is None and listed is not None and isinstance(listed.iloc[0], Distribution):
                    own = listed.iloc[0]
                if own is not None:
                    said = _Input(*self._names(factor, name), _text(own), own.source or "", own.source is None)
                    self.inputs.append(said)
                    yield _Draw(self._column(said), tuple(members.index), _clipped(own, of, low, high))
                    continue
                if spread.shared and common is not None:
                    pass
                else:
                    label = self._names(factor, "" if spread.shared else name)
                    common = _Input(*label, _text(spread.deviation, factor), basis, assumed)
                    self.inputs.append(common)
                    column = self._column(common)
                for declared in np.unique(members[factor].to_numpy(np.float64)):
                    value = _deviating(spread.deviation, of, low, high, declared, added=factor in _ADDED)
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
            one = _Input(
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
        return self._factors(lambda column: u[:, column], range(len(self.declared)), len(u))

    def _factors(self, pick: Callable[[int], np.ndarray], groups: Sequence[int], members: int) -> np.ndarray:
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
    return f"+ {text}" if factor in _ADDED else f"x {text}"


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


# --------------------------------------------------------------------------------------------------------
# the test


def negative_growth(lines: pd.DataFrame, settings: Uncertainty, limit: float = 0.0, *, file: str = "") -> xr.Dataset:
    """Test negative growth over the declared distributions.

    Parameters
    ----------
    lines, settings, limit
        See `Model`.
    file : str
        Scenario file, for messages.

    Returns
    -------
    Dataset
        probability (city), probability_total, probability_every (all cities fall) [1] with standard errors;
        change_quantile (quantile, city), change_quantile_total (quantile) [1]; sobol_first, sobol_total
        (uncertain_input) of the change of all cities with standard errors; swing_low, swing_high (uncertain_input) [t]:
        5 and 95 % of the change when only this input varies and the others stand at their medians; extra_needed (city),
        extra_needed_total [t], extra_households (city), extra_households_total: least extra substitution that lifts the
        probability to the wanted level; probability_curve (extra_substitution).

    Raises
    ------
    InputError
        See `Model`.
    """
    model = Model(lines, settings, limit, file=file)
    drawn = samples(settings.members, 2 * max(model.width, 1), settings.seed, settings.sampler)
    replicates, each, _ = drawn.shape
    flat = drawn.reshape(replicates * each, -1)
    a, b = flat[:, : model.width], flat[:, model.width :]

    factors = model.factors(a)
    planned = model.base + factors @ model.coefficient
    base_error, target_error = model.errors(a)
    base = model.by_city(model.base * base_error)
    target = model.by_city(planned * target_error)
    whole_base, whole_target = base.sum(axis=1), target.sum(axis=1)
    has_coal = model.by_city(model.base[None])[0] > 0

    out = xr.Dataset(coords={"city": model.cities, "quantile": list(QUANTILES)})
    passed = target < base * (1.0 + limit)
    passed_whole = whole_target < whole_base * (1.0 + limit)
    p, error = _probability(passed.reshape(replicates, each, -1))
    out["probability"] = ("city", np.where(has_coal, p, np.nan))
    out["probability_error"] = ("city", np.where(has_coal, error, np.nan))
    p, error = _probability(passed_whole.reshape(replicates, each, 1))
    out["probability_total"], out["probability_error_total"] = ((), float(p[0])), ((), float(error[0]))
    growth = np.divide(target, base, out=np.full_like(target, np.nan), where=base > 0) - 1.0
    share, error = _probability(passed[:, has_coal].all(axis=1).reshape(replicates, each, 1))
    out["probability_every"], out["probability_error_every"] = ((), float(share[0])), ((), float(error[0]))
    out["change_quantile"] = (("quantile", "city"), np.quantile(growth, QUANTILES, axis=0))
    out["change_quantile_total"] = ("quantile", np.quantile(whole_target / whole_base - 1.0, QUANTILES))
    _extra(out, model, factors, target_error, base, target)
    _shares(out, model, a, b, factors, planned, base_error, target_error, replicates)
    out.attrs = {
        "uncertainty_members": len(flat),
        "uncertainty_sampler": settings.sampler,
        "uncertainty_seed": settings.seed,
        "uncertainty_rule": model.rule.version,
        "uncertainty_rule_digest": model.rule.digest,
        "wanted_probability": settings.wanted_probability,
    }
    return out


def _probability(passed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of members that pass and its standard error over the replicates, one member at least."""
    replicates, each, _ = passed.shape
    shares = passed.mean(axis=1)
    error = shares.std(axis=0, ddof=1) / np.sqrt(replicates)
    return shares.mean(axis=0), np.maximum(error, 1.0 / (replicates * each))


def _extra(
    out: xr.Dataset,
    model: Model,
    factors: np.ndarray,
    target_error: np.ndarray,
    base: np.ndarray,
    target: np.ndarray,
) -> None:
    """Say how much more substitution, carried out like the planned one, would lift the probability."""
    wanted = model.settings.wanted_probability
    s = model.substitutes
    # net coal saved as reported by each tonne that the plan writes down, in every member
    net = -(model.by_city((factors[:, s] @ model.coefficient[s]) * target_error))
    written = -model.by_city((model.declared[s] @ model.gross[s])[None])[0]
    short = target - base * (1.0 + model.limit)
    alone = np.stack([_needed(short[:, i], net[:, i], written[i]) for i in range(len(model.cities))], axis=1)
    together = _needed(short.sum(axis=1), net.sum(axis=1), written.sum())
    home = _per_household(model)
    per_city = np.array([least_extra(alone[:, i], wanted) for i in range(len(model.cities))])
    per_city = np.where(model.by_city(model.base[None])[0] > 0, per_city, np.nan)
    least = least_extra(together, wanted)
    out["extra_needed"] = ("city", per_city)
    out["extra_households"] = ("city", np.ceil(per_city / home))
    out["extra_needed_total"] = ((), least)
    out["extra_households_total"] = ((), float(np.ceil(least / home)))
    finite = together[np.isfinite(together)]
    top = max(1.25 * least if np.isfinite(least) else 0.0, float(np.quantile(finite, 0.995)) if finite.size else 0.0)
    extra = np.linspace(0.0, top if top > 0 else 1.0, _CURVE_POINTS)
    ordered = np.sort(together)
    curve = np.searchsorted(ordered, extra, side="left") / ordered.size
    out["probability_curve"] = ("extra_substitution", curve)
    out.coords["extra_substitution"] = extra


def _needed(short: np.ndarray, net: np.ndarray, written: float) -> np.ndarray:
    """Return the written-down substitution above which each member passes [t]; a tonne saves a tonne where none is."""
    if written <= 0:
        return short
    yield_ = net / written
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(yield_ > 0, short / yield_, np.where(short < 0, -np.inf, np.inf))


def _per_household(model: Model) -> float:
    """Return the tonnes a household as the plan writes them down, weighted by its tonnes [t]."""
    tonnes = model.groups["tonnes_per_household"].to_numpy(np.float64)
    weight = -(model.gross.sum(axis=1) * model.declared)
    known = np.isfinite(tonnes) & (weight > 0)
    if not known.any():
        return float(model.rule["planned_tonnes_per_household"])
    return float(np.average(tonnes[known], weights=weight[known]))


def _columns(own: set[int], inside: np.ndarray, outside: np.ndarray) -> Callable[[int], np.ndarray]:
    """Return a sample whose own columns come from one sample and the others from another."""
    return lambda column: (inside if column in own else outside)[:, column]


def _shares(
    out: xr.Dataset,
    model: Model,
    a: np.ndarray,
    b: np.ndarray,
    factors: np.ndarray,
    planned: np.ndarray,
    base_error: np.ndarray,
    target_error: np.ndarray,
    replicates: int,
) -> None:
    """Add Sobol' indices of the change of all cities, and the swing of each input alone."""
    inputs: Sequence[_Input] = model.inputs
    f_a = model.change(planned, base_error, target_error)
    f_b = model.change(model.planned(b), *model.errors(b))
    centre = np.full((1, model.width), 0.5)
    middle = model.factors(centre)
    still, exact = model.planned(centre), model.errors(centre)
    f_ab = np.empty((len(inputs), len(a)))
    low, high = np.empty(len(inputs)), np.empty(len(inputs))
    for i, one in enumerate(inputs):
        if one.entry >= 0:
            f_ab[i] = model.change(planned, *model.errors(a, b, one.entry))
            swing = model.change(still, *model.errors(centre, a, one.entry))
        else:
            own = set(one.columns)
            groups = sorted({g for d in model.draws if d.column in own for g in d.groups})
            mixed = model._factors(_columns(own, b, a), groups, len(a))
            alone = model._factors(_columns(own, a, centre), groups, len(a))
            step = model.coefficient[groups]
            f_ab[i] = f_a + (((mixed - factors[:, groups]) @ step) * target_error).sum(axis=1)
            swing = model.change(still + (alone - middle[:, groups]) @ step, *exact)
        low[i], high[i] = np.quantile(swing, (0.05, 0.95))
    first, total = sobol_indices(f_a, f_b, f_ab)
    blocks = (len(inputs), replicates, -1)
    each = sobol_indices(f_a.reshape(replicates, -1), f_b.reshape(replicates, -1), f_ab.reshape(blocks))
    first_error, total_error = (x.std(axis=1, ddof=1) / np.sqrt(replicates) for x in each)
    order = np.argsort(-np.nan_to_num(total), kind="stable")
    at = "uncertain_input"
    out.coords[at] = [inputs[i].id for i in order]
    values = {
        "sobol_first": first,
        "sobol_total": total,
        "sobol_first_error": first_error,
        "sobol_total_error": total_error,
        "swing_low": low,
        "swing_high": high,
    }
    for name, v in values.items():
        out[name] = (at, v[order])
    out["input_label"] = (at, [inputs[i].en for i in order])
    out["input_label_zh"] = (at, [inputs[i].zh for i in order])
    out["input_distribution"] = (at, [inputs[i].distribution for i in order])
    out["input_basis"] = (at, [inputs[i].basis for i in order])
    out["input_assumed"] = (at, np.array([inputs[i].assumed for i in order], dtype=np.int8))
    out["swing_centre"] = ((), float(model.change(still, *exact)[0]))


def add(balance: xr.Dataset, scenario: Scenario, lines: pd.DataFrame) -> xr.Dataset:
    """Add the probability of negative growth to the coal balance of a scenario.

    Parameters
    ----------
    balance : Dataset
        From `airsim.coal.balance_of`.
    scenario : Scenario
        With a ``coal`` block; the distributions of its ``uncertainty`` block, defaults where it says nothing.
    lines : DataFrame
        See `Model`.

    Returns
    -------
    Dataset
        The balance with the variables of `negative_growth`.

    Raises
    ------
    InputError
        See `Model`.
    """
    from airsim.coal.ledger import coal_rule

    if scenario.coal is None or not (lines["line"] == "base").any():
        return balance
    limit = float(coal_rule(scenario.coal.rules)["target"]["growth_below"])
    tested = negative_growth(lines, scenario.coal.uncertainty, limit, file=scenario.file)
    merged = balance.merge(tested.reindex(city=balance["city"]))
    merged.attrs = {**balance.attrs, **tested.attrs}
    return merged
