"""The least that meets demands, by mixed-integer linear programming (HiGHS), and what each demand costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from airsim.errors import InputError, Problem

Array = NDArray[Any]


@dataclass(frozen=True)
class Demand:
    """One linear constraint, ``coefficients . x >= bound`` (floor) or ``<= bound`` (ceiling).

    Attributes
    ----------
    key : str
        Such as ``share/xian/PM``.
    zh, en : str
        What it is called in print.
    coefficients : (choice,) ndarray
    sense : {"floor", "ceiling"}
    bound : float
    unit : str
        Of the bound, as printed.
    """

    key: str
    zh: str
    en: str
    coefficients: Array
    sense: Literal["floor", "ceiling"]
    bound: float
    unit: str = ""


@dataclass(frozen=True)
class Shortfall:
    """A demand that can't be met, and by how much at least."""

    demand: Demand
    amount: float


@dataclass(frozen=True)
class Optimum:
    """The cheapest choice.

    Attributes
    ----------
    chosen : (choice,) ndarray
        0 to 1; whole where choices are all or nothing.
    cost : float
    lower : float
        No choice can be cheaper than this.
    gap : float
        (cost - lower) / |cost| [1]; 0 = proven optimal.
    reached : (demand,) ndarray
        What each demand gets, in its unit.
    marginal : (demand,) ndarray
        By how much the cost rises if the demand's bound is made stricter by one unit, of the relaxation in which every
        choice may be made in part.
    time_is_up : bool
        The search ended by its time limit: the gap says how far from proven the choice is.
    """

    chosen: Array
    cost: float
    lower: float
    gap: float
    reached: Array
    marginal: Array
    time_is_up: bool = False


@dataclass(frozen=True)
class Impossible(Exception):
    """No choice meets all demands.

    Attributes
    ----------
    shortfalls : tuple of Shortfall
        The smallest set of relaxations (by the share of each bound) with which a choice exists.
    """

    shortfalls: tuple[Shortfall, ...] = field(default=())

    def problems(self, file: str = "optimise") -> InputError:
        """Return the same as an `InputError` that names each demand."""
        return InputError(
            [
                Problem(
                    file,
                    "",
                    s.demand.key,
                    f"{s.demand.bound:.6g} {s.demand.unit}".strip(),
                    f"{s.demand.en}: cannot be met by any choice, short by {s.amount:.4g} {s.demand.unit}".strip(),
                    f"{s.demand.zh}：任何选择都达不到，至少相差 {s.amount:.4g} {s.demand.unit}".strip(),
                )
                for s in self.shortfalls
            ]
        )


def least(
    cost: Array,
    demands: Sequence[Demand],
    *,
    divisible: Array | None = None,
    fixed: Array | None = None,
    together: Sequence[tuple[int, int]] = (),
    gap: float = 1e-4,
    seconds: float = 60.0,
) -> Optimum:
    """Find the cheapest choice that meets all demands.

    Parameters
    ----------
    cost : (choice,) ndarray
        Of each choice made whole; below 0 for what pays for itself.
    demands : sequence of Demand
    divisible : (choice,) bool ndarray, optional
        Choices that may be made in part; none by default.
    fixed : (choice,) bool ndarray, optional
        Choices that are made in any case.
    together : sequence of (int, int)
        Pairs: the first may be made only if the second is.
    gap : float
        Relative gap at which the search may end [1].
    seconds : float
        Time limit [s].

    Returns
    -------
    Optimum

    Raises
    ------
    Impossible
        No choice meets all demands.
    TimeoutError
        No choice was found within the time.
    """
    n = len(cost)
    divisible = np.zeros(n, bool) if divisible is None else divisible
    low = np.zeros(n) if fixed is None else np.asarray(fixed, float)
    matrix, lower, upper, scale = _rows(demands, together, n)
    relaxed = _relaxed(cost, matrix, lower, upper, low)
    if relaxed is None:
        raise Impossible(_shortfalls(demands, matrix, lower, upper, scale, n, low, divisible, seconds))
    bound, time_is_up = relaxed.cost, False
    chosen = _rounded(cost, relaxed, matrix, lower, upper, divisible)
    value = np.inf if chosen is None else float(cost @ chosen)
    if value - bound > gap * abs(value) + 1e-9 or not np.isfinite(value):
        # a choice that alone would cost more than rounding did, were it not as relaxed, stays so: the rest is searched
        room = value - bound + 1e-9 * max(1.0, abs(bound)) if np.isfinite(value) else np.inf
        begin = np.where(relaxed.at_upper > room, 1.0, low)
        end = np.where((relaxed.at_lower > room) & (low == 0), 0.0, 1.0)
        options: Any = {"mip_rel_gap": gap, "time_limit": seconds}
        found = milp(
            cost, constraints=LinearConstraint(matrix, lower, upper) if matrix.shape[0] else None,
            integrality=np.where(divisible, 0, 1), bounds=Bounds(begin, end), options=options,
        )  # fmt: skip
        time_is_up = found.status == 1
        if found.x is not None:
            searched = np.where(divisible, np.clip(found.x, 0, 1), np.rint(found.x))
            if float(cost @ searched) <= value:
                chosen, value = searched, float(cost @ searched)
        if found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound):
            bound = max(bound, min(value, float(found.mip_dual_bound)))
        if chosen is None and time_is_up:
            raise TimeoutError(f"no choice found within {seconds:g} s")
        if chosen is None:
            raise Impossible(_shortfalls(demands, matrix, lower, upper, scale, n, low, divisible, seconds))
    assert chosen is not None
    return Optimum(
        chosen=chosen,
        cost=value,
        lower=bound,
        gap=(value - bound) / abs(value) if abs(value - bound) > 1e-12 * abs(value) else 0.0,
        reached=np.array([d.coefficients @ chosen for d in demands]),
        marginal=relaxed.marginal[: len(demands)] / scale + 0.0,
        time_is_up=time_is_up,
    )


@dataclass(frozen=True)
class _Relaxed:
    """The choice in parts: its cost, what each row and each bound is worth."""

    x: Array
    cost: float
    marginal: Array
    at_lower: Array
    at_upper: Array


def _relaxed(cost: Array, matrix: sparse.csr_array, lower: Array, upper: Array, low: Array) -> _Relaxed | None:
    """Solve the relaxation in which every choice may be made in part; None if there is none."""
    sign = np.where(np.isfinite(upper), 1.0, -1.0)
    solve: Any = linprog  # its stubs know no sparse matrices
    rows = {"A_ub": sparse.diags_array(sign) @ matrix, "b_ub": np.where(sign > 0, upper, -lower)} if len(sign) else {}
    found = solve(cost, bounds=np.column_stack([low, np.ones(len(cost))]), method="highs", **rows)
    if found.status != 0:
        return None
    marginal = np.abs(found.ineqlin.marginals) if len(sign) else np.zeros(0)
    return _Relaxed(found.x, float(found.fun), marginal, found.lower.marginals, -found.upper.marginals)


def _rounded(
    cost: Array, relaxed: _Relaxed, matrix: sparse.csr_array, lower: Array, upper: Array, divisible: Array
) -> Array | None:
    """Make whole what the relaxation does in part, then leave out what is not needed, the dearest first."""
    x = np.where(divisible, relaxed.x, np.where(relaxed.x > 1e-9, np.ceil(relaxed.x - 1e-9), 0.0))
    got = matrix @ x
    if np.any(got < lower) or np.any(got > upper):
        return None
    columns = sparse.csc_array(matrix)
    partly = np.flatnonzero(~divisible & (relaxed.x > 1e-9) & (relaxed.x < 1 - 1e-9) & (cost > 0))
    for i in partly[np.argsort(-cost[partly], kind="stable")]:
        less = got - columns[:, [i]].toarray().ravel()
        if np.all(less >= lower) and np.all(less <= upper):
            x[i], got = 0.0, less
    return x


def _rows(
    demands: Sequence[Demand], together: Sequence[tuple[int, int]], n: int
) -> tuple[sparse.csr_array, Array, Array, Array]:
    """Return the constraint matrix, its bounds and each row's scale: a row is divided by its largest coefficient."""
    scale = np.array([max(float(np.abs(d.coefficients).max(initial=0.0)), 1e-300) for d in demands])
    rows = [sparse.csr_array((d.coefficients / s)[None]) for d, s in zip(demands, scale, strict=True)]
    lower = [d.bound / s if d.sense == "floor" else -np.inf for d, s in zip(demands, scale, strict=True)]
    upper = [d.bound / s if d.sense == "ceiling" else np.inf for d, s in zip(demands, scale, strict=True)]
    if together:
        a, b = np.array(together).T
        k = np.arange(len(a))
        pairs = sparse.csr_array(
            (np.r_[np.ones(len(a)), -np.ones(len(b))], (np.r_[k, k], np.r_[a, b])), shape=(len(a), n)
        )
        rows.append(pairs)
        lower += [-np.inf] * len(a)
        upper += [0.0] * len(a)
    matrix = sparse.csr_array(sparse.vstack(rows)) if rows else sparse.csr_array((0, n))
    # a demand met to the last bit must not fail by rounding
    room = 1e-9
    return matrix, np.array(lower) - room, np.array(upper) + room, scale


def _shortfalls(
    demands: Sequence[Demand], matrix: sparse.csr_array, lower: Array, upper: Array, scale: Array, n: int, low: Array,
    divisible: Array, seconds: float,
) -> tuple[Shortfall, ...]:  # fmt: skip
    """Relax the demands as little as can be: the elastic programme, each slack counted as a share of its bound."""
    m = len(demands)
    weight = scale / np.array([max(abs(d.bound), 1e-12) for d in demands])
    give = np.array([1.0 if d.sense == "floor" else -1.0 for d in demands])
    extra = sparse.vstack([sparse.diags_array(give), sparse.csr_array((matrix.shape[0] - m, m))])
    found = milp(
        np.r_[np.zeros(n), weight],
        constraints=LinearConstraint(sparse.csr_array(sparse.hstack([matrix, extra])), lower, upper),
        integrality=np.r_[np.where(divisible, 0, 1), np.zeros(m)],
        bounds=Bounds(np.r_[low, np.zeros(m)], np.r_[np.ones(n), np.full(m, np.inf)]),
        options={"mip_rel_gap": 1e-6, "time_limit": seconds},
    )
    if found.x is None:
        raise TimeoutError(f"no choice found within {seconds:g} s")
    amount = found.x[n:] * scale
    short = [
        Shortfall(d, float(a)) for d, a in zip(demands, amount, strict=True) if a > 1e-8 * max(abs(d.bound), 1e-12)
    ]
    return tuple(short)
