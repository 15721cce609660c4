"""Negative growth honestly tested: how probable it is, which input decides, what it would take.

The lines of a balance are products of declared figures (execution rate, tonnes a household, growth ...), and the
statistics of both years carry errors.  All are drawn from their distributions by a scrambled Sobol' sequence or a
Latin hypercube, and the test is repeated for every member.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from airsim.coal.ledger import coal_rule
from airsim.coal.sampling import least_extra, samples, sobol_indices
from airsim.coal.uncertain_balance import Input, Model
from airsim.scenario import Coal, Uncertainty

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_CURVE_POINTS = 61


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
    alone = np.stack([needed_extra(short[:, i], net[:, i], written[i]) for i in range(len(model.cities))], axis=1)
    together = needed_extra(short.sum(axis=1), net.sum(axis=1), written.sum())
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


def needed_extra(short: np.ndarray, net: np.ndarray, written: float) -> np.ndarray:
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
    inputs: Sequence[Input] = model.inputs
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
            mixed = model.factors_of(_columns(own, b, a), groups, len(a))
            alone = model.factors_of(_columns(own, a, centre), groups, len(a))
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


def add(balance: xr.Dataset, asked: Coal, lines: pd.DataFrame, *, file: str = "") -> xr.Dataset:
    """Add the probability of negative growth to a coal balance.

    Parameters
    ----------
    balance : Dataset
        From `airsim.coal.balance_of`.
    asked : Coal
        The coal block; the distributions of its ``uncertainty`` block, defaults where it says nothing.
    lines : DataFrame
        See `Model`.
    file : str
        Scenario file, for messages.

    Returns
    -------
    Dataset
        The balance with the variables of `negative_growth`.

    Raises
    ------
    InputError
        See `Model`.
    """
    if not (lines["line"] == "base").any():
        return balance
    limit = float(coal_rule(asked.rules)["target"]["growth_below"])
    tested = negative_growth(lines, asked.uncertainty, limit, file=file)
    merged = balance.merge(tested.reindex(city=balance["city"]))
    merged.attrs = {**balance.attrs, **tested.attrs}
    return merged
