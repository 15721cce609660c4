"""Why coal use changed: LMDI-I into activity, structure, intensity, fuel mix and weather.

C = sum over sectors and fuels of  Q * S * I * W * M:  activity Q, share S of the sector in it, standard coal per
activity and degree day I, heating degree days W (1 where none are given), tonnes of the fuel per tonne of the sector's
standard coal M.  The factors of a sector multiply to its coal exactly, so nothing is left over.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from airsim.coal.ledger import scoped, standard_coal, year_of
from airsim.errors import InputError, Problem
from airsim.measures.registry import Resolve
from airsim.names import CITY_WORDS, LEDGER_SECTOR_WORDS
from airsim.scenario import Coal
from airsim.tables import Column, Table, read_table

FACTORS = ("activity", "structure", "intensity", "fuel_mix", "weather")


ACTIVITY = (
    Column("year", "年份", required=True, minimum=2000, maximum=2100),
    Column("city", "城市", kind="text", required=True, choices=CITY_WORDS, aliases=("地市", "市", "市(区)")),
    Column("sector", "行业", kind="text", required=True, choices=LEDGER_SECTOR_WORDS, aliases=("部门", "行业类别")),
    Column(
        "activity",
        "活动水平",
        required=True,
        minimum=0,
        aliases=("增加值", "产值", "产量", "户数", "供热面积", "发电量"),
        about="what the coal is burnt for: value added, output, households, heated floor",
        about_zh="用煤所服务的活动：增加值、产量、户数、供热面积等",
    ),
    Column(
        "activity_unit",
        "活动水平单位",
        kind="text",
        required=True,
        aliases=("计量单位", "单位"),
        about="sectors of one unit share one total and one structure",
        about_zh="单位相同的行业合计为一个总量并计算结构",
    ),
    Column(
        "heating_degree_days",
        "采暖度日",
        unit="K d",
        minimum=1,
        aliases=("HDD", "HDD18"),
        about="of the year's winter; only for sectors that heat",
        about_zh="当年冬季；仅取暖行业填写",
    ),
    Column("source", "数据来源", kind="text", aliases=("来源", "出处")),
    Column("quality", "数据质量", kind="text", default="reported"),
)
"""Layout of the table of activity."""


# --------------------------------------------------------------------------------------------------------
# the method


def logarithmic_mean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return L(a, b) = (a - b) / ln(a / b), with L(a, a) = a and L(a, 0) = 0.

    Parameters
    ----------
    a, b : ndarray
        Not negative.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> round(float(logarithmic_mean(np.array(2.0), np.array(1.0))), 6)  # 1 / ln 2
    1.442695
    """
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    low, high = np.minimum(a, b), np.maximum(a, b)
    step = (high - low) / np.where(low > 0, low, 1.0)
    # low s / ln(1 + s) = low (1 + s/2 - s^2/12 + ...), s the relative step
    near = low * (1.0 + step / 2.0 - step**2 / 12.0)
    apart = step > 1e-6
    mean = (high - low) / np.log1p(np.where(apart, step, 1.0))
    return np.where(low <= 0, 0.0, np.where(apart, mean, near))


def contributions(before: np.ndarray, after: np.ndarray, factors: np.ndarray, factors_after: np.ndarray) -> np.ndarray:
    """Return what each factor contributes to the change of each term, additive LMDI-I.

    Parameters
    ----------
    before, after : ndarray
        The terms V_i in the two years, (term,).
    factors, factors_after : ndarray
        Their factors, (factor, term), V_i = product over the factors; NaN where a factor is not defined (the intensity
        of a sector that was not there): it then counts as unchanged.

    Returns
    -------
    ndarray
        (factor, term), in the unit of the terms; the sum over the factors is ``after - before``.

    Raises
    ------
    ValueError
        More than one factor of a term is zero in the same year, so that the split is not defined.

    Notes
    -----
    L(V_T, V_0) ln(x_T / x_0): Ang (2005), Energy Policy 33, 867-871, eq. 5,
    doi:10.1016/j.enpol.2003.10.010.  Where a term appears or disappears the
    analytical limits of Ang, Zhang & Choi (1998), Energy 23, 489-495, table 2, hold: the factor that is zero takes the
    whole term, the others nothing.

    Examples
    --------
    >>> x, y = np.array([[1.0], [2.0]]), np.array([[3.0], [6.0]])  # both factors triple: each takes half
    >>> contributions(np.array([2.0]), np.array([18.0]), x, y).round(6).tolist()
    [[8.0], [8.0]]
    """
    appears, vanishes = (before == 0) & (after > 0), (before > 0) & (after == 0)
    both = (before > 0) & (after > 0)
    ratio = np.log(np.where(both, factors_after, 1.0) / np.where(both, factors, 1.0))
    made = logarithmic_mean(after, before) * ratio
    for chosen, zero, amount in ((appears, factors == 0, after), (vanishes, factors_after == 0, -before)):
        if (chosen & (zero.sum(axis=0) != 1)).any():
            raise ValueError("a term that appears or disappears must have exactly one factor that is zero")
        made = np.where(chosen & zero, amount, made)
    return made


def multiplicative(additive: np.ndarray, before: float, after: float) -> np.ndarray:
    """Return the factors by which the total changed, multiplicative LMDI-I.

    D_x = exp(dV_x / L(V_T, V_0)): the additive and the multiplicative form of LMDI-I are one (Ang 2005, table 1; Ang
    2015, Energy Policy 86, 233-238).

    Parameters
    ----------
    additive : ndarray
        Contributions of the factors [t].
    before, after : float
        Totals [t].

    Returns
    -------
    ndarray
        Their product is ``after / before``; NaN where a total is zero.

    Examples
    --------
    >>> multiplicative(np.array([8.0, 8.0]), 2.0, 18.0).round(6).tolist()
    [3.0, 3.0]
    """
    mean = float(logarithmic_mean(np.array(after), np.array(before)))
    return np.exp(additive / mean) if mean > 0 else np.full_like(additive, np.nan)


def decompose(before: pd.DataFrame, after: pd.DataFrame, *, by: list[str] | None = None) -> pd.DataFrame:
    """Decompose the change of coal between two years.

    Parameters
    ----------
    before, after : DataFrame
        One row a city, sector and fuel: city, sector, fuel, coal [t], energy [t of standard coal], and of the city's
        sector activity, activity_unit and heating_degree_days (NaN: no heating).
    by : list of str, optional
        Decompose each of these groups by itself, for instance ``["city"]``: activity is then the group's own.

    Returns
    -------
    DataFrame
        Index city, sector, fuel; columns `FACTORS` [t].
    """
    key = ["city", "sector", "fuel"]
    made = ["coal", "energy", "activity", "heating_degree_days"]
    sectors = pd.concat([before, after]).drop_duplicates(["city", "sector"])
    units = sectors.set_index(["city", "sector"])["activity_unit"]
    table = pd.concat([before.set_index(key)[made], after.set_index(key)[made].add_suffix("_after")], axis=1)
    flat = table.reset_index()
    flat["activity_unit"] = units.reindex(pd.MultiIndex.from_frame(flat[["city", "sector"]])).to_numpy()
    group = [*(by or []), "activity_unit"]
    amounts, x = [], []
    for end in ("", "_after"):
        coal = flat[f"coal{end}"].fillna(0.0)
        sector = [flat["city"], flat["sector"]]
        energy = flat[f"energy{end}"].fillna(0.0).groupby(sector).transform("sum")
        q = flat[f"activity{end}"].groupby(sector).transform("max").fillna(0.0)
        once = ~flat.duplicated(["city", "sector"])
        total = q.where(once, 0.0).groupby([flat[g] for g in group]).transform("sum")
        weather = flat[f"heating_degree_days{end}"].groupby(sector).transform("max")
        amounts.append(coal.to_numpy(np.float64))
        x.append((total, q, energy, coal, weather))
    w0, w1 = x[0][4], x[1][4]
    heats = w0.notna() & w1.notna()
    factors = []
    for total, q, energy, coal, weather in x:
        w = weather.where(heats, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            intensity = np.where(q > 0, energy / (q * w), np.nan)
            mix = np.where(energy > 0, coal / energy, np.nan)
            factors.append(np.stack([total, q / total, intensity, mix, w]).astype(np.float64))
    parts = contributions(amounts[0], amounts[1], factors[0], factors[1])
    return pd.DataFrame(parts.T, index=table.index, columns=list(FACTORS))


# --------------------------------------------------------------------------------------------------------
# a plan's decomposition


def read_activity(path: str | Path) -> Table:
    """Read the table of activity.

    Raises
    ------
    InputError
        All problems of the file; two rows for one year, city and sector.
    """
    table = read_table(path, ACTIVITY)
    frame = table.frame
    twice = frame[frame.duplicated(["year", "city", "sector"])]
    if len(twice):
        raise InputError(
            [
                table.problem(int(i), "sector", f"{r.year:.0f} {r.city} {r.sector}", "is given twice", "重复")
                for i, r in zip(twice.index, twice.itertuples(), strict=True)
            ]
        )
    return table


def over_years(coal: pd.DataFrame, activity: Table, years: list[int]) -> xr.Dataset:
    """Decompose the change of coal over several years, period by period.

    Parameters
    ----------
    coal : DataFrame
        year, city, sector, fuel, coal [t], energy [t of standard coal].
    activity : Table
        From `read_activity`.
    years : list of int
        In order.

    Returns
    -------
    Dataset
        lmdi_change, lmdi_start (period) [t]; lmdi_additive (period, lmdi_factor) [t] and lmdi_multiplicative [1];
        lmdi_change_city (period, city), lmdi_additive_city (period, lmdi_factor, city) [t].

    Raises
    ------
    InputError
        Coal without activity, or activity in another unit than the year before.
    """
    coal = coal[coal["coal"] > 0]
    _check(coal, activity, years)
    columns = ["year", "city", "sector", "activity", "activity_unit", "heating_degree_days"]
    frame = activity.frame[columns]
    cities = list(dict.fromkeys(coal["city"]))
    periods = list(itertools.pairwise(years))
    out = xr.Dataset(coords={"period": [f"{a}-{b}" for a, b in periods], "lmdi_factor": list(FACTORS), "city": cities})
    shape = (len(periods), len(FACTORS))
    additive, product, by_city = np.zeros(shape), np.zeros(shape), np.zeros((*shape, len(cities)))
    start, change = np.zeros(len(periods)), np.zeros(len(periods))
    change_city = np.zeros((len(periods), len(cities)))
    for i, (first, last) in enumerate(periods):
        ends = []
        for year in (first, last):
            # activity without coal counts in the total and in the structure of the others
            rows = frame[frame["year"] == year].drop(columns="year")
            rows = rows[rows["city"].isin(cities)]
            there = coal[coal["year"] == year].drop(columns="year")
            joined = rows.merge(there, on=["city", "sector"], how="left")
            ends.append(joined.fillna({"fuel": "", "coal": 0.0, "energy": 0.0}))
        whole, own = decompose(*ends), decompose(*ends, by=["city"])
        totals = [e.groupby("city")["coal"].sum().reindex(cities, fill_value=0.0).to_numpy(np.float64) for e in ends]
        start[i], change[i] = totals[0].sum(), totals[1].sum() - totals[0].sum()
        change_city[i] = totals[1] - totals[0]
        additive[i] = whole.sum().to_numpy()
        product[i] = multiplicative(additive[i], totals[0].sum(), totals[1].sum())
        by_city[i] = own.groupby("city").sum().reindex(cities).fillna(0.0).to_numpy().T
    out["lmdi_start"], out["lmdi_change"] = ("period", start), ("period", change)
    out["lmdi_additive"] = (("period", "lmdi_factor"), additive)
    out["lmdi_multiplicative"] = (("period", "lmdi_factor"), product)
    out["lmdi_change_city"] = (("period", "city"), change_city)
    out["lmdi_additive_city"] = (("period", "lmdi_factor", "city"), by_city)
    return out


def _check(coal: pd.DataFrame, activity: Table, years: list[int]) -> None:
    file, frame = activity.sheet.file, activity.frame
    known = frame.set_index(["year", "city", "sector"])
    problems: list[Problem] = []
    for year in years:
        if not (coal["year"] == year).any():
            said, zh = "the coal ledger has no row of this year and scope", "煤炭台账在该口径下没有该年数据"
            problems.append(Problem(file, "", "years", str(year), said, zh))
    burning = coal[coal["year"].isin(years)]
    pairs = list(dict.fromkeys(zip(burning["city"], burning["sector"], strict=True)))
    for year in years:
        missing: dict[str, list[str]] = {}
        for city, sector in pairs:
            if (year, city, sector) not in known.index:
                missing.setdefault(sector, []).append(city)
        for sector, cities in missing.items():
            listed = ", ".join(cities)
            problems.append(
                Problem(
                    file,
                    "",
                    "activity",
                    f"{year} {sector}",
                    f"no activity for {listed}, which burn coal there",
                    f"缺少活动水平：{listed}（该行业有用煤）",
                )
            )
    idle = burning.merge(frame[frame["activity"] == 0], on=["year", "city", "sector"])
    for row in idle.drop_duplicates(["year", "city", "sector"]).to_dict("records"):
        said, zh = "coal is burnt but the activity is 0", "有用煤但活动水平为 0"
        problems.append(Problem(file, "", "activity", f"{row['year']} {row['city']} {row['sector']}", said, zh))
    used = frame[frame["year"].isin(years)]
    for (city, sector), units in used.groupby(["city", "sector"])["activity_unit"]:
        if units.nunique() > 1:
            listed = ", ".join(dict.fromkeys(units))
            said, zh = f"one unit for all years: {listed}", f"各年单位须一致：{listed}"
            problems.append(Problem(file, "", "activity_unit", f"{city} {sector}", said, zh))
    if problems:
        raise InputError(problems)


def add(balance: xr.Dataset, asked: Coal, resolve: Resolve, ledger: pd.DataFrame) -> xr.Dataset:
    """Add the decomposition that a plan asks for to its coal balance.

    The target year is that of the balance, all other years are the ledger's; both in the scope of the cap.

    Parameters
    ----------
    balance : Dataset
        From `airsim.coal.balance_of`.
    asked : Coal
        The coal block.
    resolve : callable
        Returns the path of a file that the block names.
    ledger : DataFrame
        The coal ledger (`airsim.inventory.Inventory.coal`).

    Returns
    -------
    Dataset
        The balance with the variables of `over_years`; as it was without a ``decomposition`` block.

    Raises
    ------
    InputError
        See `read_activity` and `over_years`.
    """
    if asked.decomposition is None:
        return balance
    years = list(asked.decomposition.years or (asked.base_year, asked.target_year))
    coal = pd.concat([_scoped(balance, asked, ledger, year) for year in years], ignore_index=True)
    activity = read_activity(resolve(asked.decomposition.activity))
    made = over_years(coal, activity, years)
    merged = balance.merge(made.reindex(city=balance["city"]))
    qualities = sorted(set(activity.frame.loc[activity.frame["year"].isin(years), "quality"]))
    merged.attrs = {**balance.attrs, "activity_quality": ", ".join(qualities)}
    return merged


def _scoped(balance: xr.Dataset, asked: Coal, ledger: pd.DataFrame, year: int) -> pd.DataFrame:
    """Return a year's coal in the scope of the cap: year, city, sector, fuel, coal, energy [t]."""
    cities = [str(c) for c in balance["city"].values]
    key = ["city", "sector", "fuel"]
    if year == asked.target_year:
        rows = balance["consumption_by_fuel"].sel(line="target").to_dataframe("consumption").reset_index()
        own = year_of(ledger, asked.base_year, cities)
        rows = rows.merge(own[[*key, "heating_value"]], on=key, how="left")
    else:
        there = ledger[(ledger["year"] == year) & ledger["city"].isin(cities)]
        if there.empty:
            return pd.DataFrame(columns=["year", *key, "coal", "energy"])
        rows = year_of(there, year)
    rows = scoped(rows, asked)
    energy = standard_coal(rows["consumption"], rows["fuel"], rows["heating_value"], year=asked.base_year)
    coal = energy if asked.scope.unit == "tce" else rows["consumption"]
    made = rows[key].assign(year=year, coal=coal, energy=energy)
    return made[made["coal"] > 1e-6]  # a gram is the round-off of nothing
