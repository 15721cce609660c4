"""The few numbers that answer the question, drawn from a result once for all three outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from airsim.clock import OFFSET, day_of, to_beijing
from airsim.output import words
from airsim.output.page import Number
from airsim.output.words import Text
from airsim.result import netcdf

HEAVY = 200  # AQI above this is heavy pollution (HJ 633-2012, table 2)

#: Published effects of alerts on PM2.5 [1]: Beijing, red alert of December 2015, -11 to -21 %; Beijing-
#: Tianjin-Hebei, red alert of 16-22 December 2016, -27.6 % (环境科学 2019, 40(8): 3397).
PUBLISHED_EFFECT = (-0.28, -0.11)


@dataclass(frozen=True)
class Coal:
    """The coal verdict over all cities that the balance covers.

    Attributes
    ----------
    base, target : float
        Consumption [t].
    growth : float
        target / base - 1 [1].
    passed : bool
        Negative growth reached.
    base_year, target_year : str
        As the balance names them.
    scope : Text
        What is counted (口径).
    """

    base: float
    target: float
    growth: float
    passed: bool
    base_year: str
    target_year: str
    scope: Text


@dataclass(frozen=True)
class Findings:
    """What a reader is told first.

    Attributes
    ----------
    cities : DataFrame
        Index city id in office order; columns zh, en, alerted, mean_base, mean_controlled, alert_base,
        alert_controlled (means over the city's own alert hours), peak_day (Beijing date of the highest daily
        mean of the base case), peak_base, peak_controlled [ug m-3], heavy_base, heavy_controlled (days with
        AQI > 200).  The *_controlled columns are missing where only the base case was run.
    compliance : DataFrame
        One row a level and assessed city: level, city, a column of shares and of verdicts per pollutant
        (`share_SO2`, `pass_SO2`, ...), joint_share, joint_required, joint_pass, all_pass. Empty if no list.
    alert_alone : float or None
        Change of PM2.5 by the emergency steps alone, against the air that the other measures leave, mean of the
        alerted cities in their alert hours [1]; None where the result does not tell the steps apart.
    called : frozenset of str
        Alert levels that were in force.
    coal : Coal or None
    controlled : bool
        Whether a controlled case was run.
    notices : list of Text
        What is synthetic, illustrative or estimated; to be shown before any number.
    """

    cities: pd.DataFrame
    compliance: pd.DataFrame
    alert_alone: float | None
    called: frozenset[str]
    coal: Coal | None
    controlled: bool
    notices: list[Text]

    def name(self, city: str) -> Text:
        """Return a city's name; an id that the result does not know is printed as it is."""
        if city not in self.cities.index:
            return Text(city, city)
        return Text(str(self.cities.at[city, "zh"]), str(self.cities.at[city, "en"]))

    @property
    def alerted(self) -> pd.DataFrame:
        """Return the rows of the cities under alert."""
        return self.cities[self.cities["alerted"]]

    def levels_called(self) -> list[str]:
        """Return the assessed levels that were in force, all assessed ones where no alert was called."""
        assessed = [str(level) for level in self.compliance["level"].unique()]
        return [level for level in assessed if level in self.called] or assessed

    def effect(self) -> tuple[float, float, float] | None:
        """Return the alerted cities' mean PM2.5 during alert, base and controlled [ug m-3], and its change [1]."""
        rows = self.alerted
        if not self.controlled or rows.empty:
            return None
        base, controlled = float(rows["alert_base"].mean()), float(rows["alert_controlled"].mean())
        return base, controlled, controlled / base - 1

    def peak_effect(self) -> tuple[float, float, float] | None:
        """Return the same for every city's most polluted day; all cities count where there is no alert."""
        rows = self.alerted if len(self.alerted) else self.cities
        if not self.controlled or rows["peak_base"].isna().all():
            return None
        base, controlled = float(rows["peak_base"].mean()), float(rows["peak_controlled"].mean())
        return base, controlled, controlled / base - 1

    def heavy_days(self) -> tuple[int, int] | None:
        """Return city-days of heavy pollution, base and controlled, in the cities of `peak_effect`."""
        rows = self.alerted if len(self.alerted) else self.cities
        if not self.controlled or "heavy_base" not in rows:
            return None
        return int(rows["heavy_base"].sum()), int(rows["heavy_controlled"].sum())


def find(tree: xr.DataTree) -> Findings:
    """Draw the findings from a result.

    Parameters
    ----------
    tree : DataTree
        A result as in `variables.csv`; groups may be missing.
    """
    root = tree.to_dataset()
    emergency = group(tree, "emergency")
    cases = [str(c) for c in root["case"].to_numpy()] if "case" in root.coords else []
    return Findings(
        cities=_cities(root, emergency, cases),
        compliance=_compliance(emergency, root),
        alert_alone=_alert_alone(root, group(tree, "attribution"), emergency),
        called=frozenset(alert_windows(emergency)["level"]),
        coal=coal_of(group(tree, "coal")),
        controlled="controlled" in cases,
        notices=_notices(tree),
    )


def group(tree: xr.DataTree, name: str) -> xr.Dataset | None:
    """Return a group of the result with the coordinates it inherits, None if it is absent or empty."""
    node = tree.children.get(name)
    return netcdf.self_contained(node) if node is not None and node.data_vars else None


def title(tree: xr.DataTree) -> Text:
    """Return the title of a result; its name where it has none."""
    english = str(tree.attrs.get("title", tree.attrs.get("name", "")))
    return Text(str(tree.attrs.get("title_zh", english)), english)


def beijing(time: Any, form: str = "%Y-%m-%d %H:%M") -> str:
    """Return a UTC time as printed, in Beijing time."""
    return pd.Timestamp(to_beijing(time)).strftime(form)


def ordered_cities(root: xr.Dataset) -> list[str]:
    """Return the city ids of a result in the order an office lists them."""
    present = [str(c) for c in root["city"].to_numpy()]
    return [c for c in words.CITY_ORDER if c in present] + [c for c in present if c not in words.CITY_ORDER]


def city_names(root: xr.Dataset) -> dict[str, Text]:
    """Return city id -> name."""
    ids = [str(c) for c in root["city"].to_numpy()]
    zh = root["city_zh"].to_numpy() if "city_zh" in root.variables else ids
    en = root["city_en"].to_numpy() if "city_en" in root.variables else [i.capitalize() for i in ids]
    return {i: Text(str(z), str(e)) for i, z, e in zip(ids, zh, en, strict=True)}


def daily(hourly: xr.DataArray) -> xr.DataArray:
    """Return Beijing-day means of an hourly series on UTC hours; a day with fewer than 20 hours is NaN.

    The 20 hours are GB 3095-2012, table 4.
    """
    local = day_of(hourly["time"].to_numpy()).astype("datetime64[ns]")
    grouped = hourly.assign_coords(day=("time", local)).groupby("day")
    axes = ["day" if d == "time" else d for d in hourly.dims]
    return grouped.mean("time").where(grouped.count("time") >= 20).transpose(*axes)


def alert_windows(emergency: xr.Dataset | None) -> pd.DataFrame:
    """Return the alerts: city, level, start, end in Beijing time."""
    columns = ["city", "level", "start", "end"]
    if emergency is None or "alert_city" not in emergency:
        return pd.DataFrame(columns=columns)
    frame = pd.DataFrame({c: emergency[f"alert_{c}"].to_numpy() for c in columns})
    frame[["start", "end"]] += OFFSET
    return frame


def under_alert(time: npt.NDArray[np.datetime64], emergency: xr.Dataset | None, cities: list[str]) -> xr.DataArray:
    """Return which times (time, city) lie in an alert of the city, by their middle; `time` is the UTC start."""
    under = np.zeros((len(time), len(cities)), dtype=bool)
    local = to_beijing(time) + (time[1] - time[0] if len(time) > 1 else np.timedelta64(1, "h")) // 2
    for alert in alert_windows(emergency).to_dict("records"):
        if alert["city"] in cities:
            hours = (local >= alert["start"]) & (local < alert["end"])
            under[hours, cities.index(alert["city"])] = True
    return xr.DataArray(under, dims=("time", "city"))


def plan_note(emergency: xr.Dataset) -> Text:
    """Return by which plan the shares were counted, on which basis, and how well the plan is known."""
    attrs = {k: str(v) for k, v in emergency.attrs.items()}
    plan = attrs.get("plan_title", attrs.get("plan", ""))
    plan_zh = attrs.get("plan_title_zh", plan)
    status = words.name(words.STATUSES, attrs.get("plan_status", ""))
    zh, en = f"预案：{plan_zh}", f"Plan: {plan}"
    if attrs.get("plan_source"):
        zh += f"（{status.zh}：{attrs['plan_source']}）"
        en += f" ({status.en}: {attrs['plan_source']})"
    basis = attrs.get("basis", "")
    zh += f"。折算口径：{attrs.get('basis_zh', basis)}。"
    en += f". Basis: {basis}."
    return Text(zh, en)


def _cities(root: xr.Dataset, emergency: xr.Dataset | None, cases: list[str]) -> pd.DataFrame:
    ids = ordered_cities(root)
    names = city_names(root)
    alerts = alert_windows(emergency)
    frame = pd.DataFrame(
        {"zh": [names[c].zh for c in ids], "en": [names[c].en for c in ids]}, index=pd.Index(ids, name="city")
    )
    frame["alerted"] = frame.index.isin(alerts["city"])
    pm25 = root["pm25"].sel(city=ids)
    means = root["pm25_daily"].sel(city=ids) if "pm25_daily" in root else daily(pm25)
    under = under_alert(pm25["time"].to_numpy(), emergency, ids)
    highest = means.sel(case="base").fillna(-1).argmax("day")
    known = means.sel(case="base").notnull().any("day").to_numpy()
    days = pd.Series(means["day"].to_numpy()[highest.to_numpy()], index=frame.index)
    frame["peak_day"] = days.where(known)
    for case in (c for c in ("base", "controlled") if c in cases):
        values = pm25.sel(case=case).transpose("time", "city")
        frame[f"mean_{case}"] = values.mean("time").to_numpy()
        frame[f"alert_{case}"] = values.where(under).mean("time").to_numpy()
        frame[f"peak_{case}"] = means.sel(case=case).isel(day=highest).to_numpy()
        if "aqi" in root:
            frame[f"heavy_{case}"] = (root["aqi"].sel(case=case, city=ids) > HEAVY).sum("day").to_numpy()
    return frame


def _alert_alone(root: xr.Dataset, attribution: xr.Dataset | None, emergency: xr.Dataset | None) -> float | None:
    if attribution is None:
        return None
    ids = [str(c) for c in root["city"].to_numpy()]
    under = under_alert(root["time"].to_numpy(), emergency, ids)
    removed = attribution["pm25_removed"].transpose("step", "time", "city").where(under).mean("time")
    alerts = np.array([str(s).startswith("emergency") for s in removed["step"].to_numpy()])
    if not alerts.any() or not bool(under.any()):
        return None
    # mean of the cities first, as in `Findings.effect`
    base = float(root["pm25"].sel(case="base").where(under).mean("time").mean("city"))
    of_step = removed.mean("city").to_numpy()
    return -float(of_step[alerts].sum()) / (base - float(of_step[~alerts].sum()))


def _compliance(emergency: xr.Dataset | None, root: xr.Dataset) -> pd.DataFrame:
    if emergency is None or "share" not in emergency:
        return pd.DataFrame(columns=["level", "city", "all_pass"])
    rows = []
    for level in emergency["level"].to_numpy():
        for city in ordered_cities(root):
            at = emergency.sel(level=level, city=city)
            verdicts = at["pass"].to_numpy()
            if (verdicts < 0).all():
                continue
            row: dict[str, object] = {"level": str(level), "city": city}
            for pollutant in at["pollutant"].to_numpy():
                one = at.sel(pollutant=pollutant)
                for key in ("share", "required", "pass"):
                    row[f"{key}_{pollutant}"] = one[key].item()
            joint = int(at["joint_pass"].item()) if "joint_pass" in at else -1
            for key in ("joint_share", "joint_required", "joint_pass"):
                row[key] = at[key].item() if key in at else np.nan
            row["all_pass"] = bool((verdicts != 0).all() and joint != 0)
            rows.append(row)
    return pd.DataFrame(rows)


def coal_tested(coal: xr.Dataset) -> xr.DataArray:
    """Return what the coal test runs on: tonnes, or standard coal where the scope asks for it."""
    return coal["consumption_tce" if coal.attrs.get("unit") == "tce" else "consumption"]


def coal_of(coal: xr.Dataset | None) -> Coal | None:
    """Return what is said of a coal balance, None where there is none."""
    if coal is None or "consumption" not in coal:
        return None
    tested = coal_tested(coal)
    by_line = tested.sum([d for d in tested.dims if d != "line"])
    attrs = coal.attrs
    return Coal(
        base=float(by_line.sel(line="base")),
        target=float(by_line.sel(line="target")),
        growth=float(coal["growth_total"]),
        passed=int(coal["pass_total"]) == 1,
        base_year=str(attrs.get("base_year", "")),
        target_year=str(attrs.get("target_year", "")),
        scope=Text(str(attrs.get("scope_zh", attrs.get("scope", ""))), str(attrs.get("scope", ""))),
    )


def _read_weather(attrs: Mapping[Any, Any]) -> Text:
    """Say where weather that was read comes from, and what was assumed of it."""
    notes, notes_zh = (" ".join(str(attrs.get(k, "")).split("\n")) for k in ("notes", "notes_zh"))
    zh, en = f"{attrs.get('title_zh', '')}。{notes_zh}", f"{attrs.get('title', '')}. {notes}"
    return Text(zh.strip(), en.strip())


def _notices(tree: xr.DataTree) -> list[Text]:
    said: list[Text] = []
    weather = group(tree, "meteorology")
    if weather is not None and weather.attrs.get("synthetic") == "yes":
        said.append(
            Text(
                "气象是合成的：按当地多年气候统计由随机种子生成，不是这段时间的真实天气。逐日、逐时不能与实测对照，"
                "只能比较量级以及有无措施之差。",
                "The weather is synthetic: generated with a random seed from local climate statistics; it is not "
                "the real weather of these days. Days and hours can't be compared with observations, only levels "
                "and the difference that measures make.",
            )
        )
    if str(tree.attrs.get("method", "")) == "operator":
        said.append(
            Text(
                "本结果由已存的输送算子快速估算，只有逐日平均：输送的示踪物与完整运行一致，PM2.5 为对基准情形的一阶近似"
                "（减排越大，硝酸盐的偏差越大）。没有分布图、近场与逐时值；定稿前请做完整运行。",
                "This result was evaluated by the stored transport operator and holds daily means only: transported "
                "tracers are those of a full run, PM2.5 is first order about the base case (the larger the cut, the "
                "farther off its nitrate). There are no maps, no near field and no hours; make a full run before it "
                "is final.",
            )
        )
    if weather is not None and weather.attrs.get("synthetic", "yes") != "yes":
        said.append(_read_weather(weather.attrs))
    emergency = group(tree, "emergency")
    if emergency is not None and emergency.attrs.get("illustrative") == "yes":
        said.append(
            Text(
                "应急减排清单是示意的：企业真实存在，但各企业的措施和绩效等级未公开，表中为假设。",
                "The emergency list is illustrative: the enterprises exist, but their measures and grades are not "
                "published and are assumed here.",
            )
        )
    provenance = group(tree, "provenance")
    if provenance is not None and "emission_share" in provenance:
        estimated = provenance["emission_share"].sel(quality="estimated")
        listed = [(str(p), float(estimated.sel(pollutant=p))) for p in estimated["pollutant"].to_numpy()]
        shown = [(p, v) for p, v in listed if p in {"SO2", "NOx", "PM25", "VOC", "NH3"}]
        if shown:
            zh = "，".join(f"{words.name(words.POLLUTANTS, p).zh} {Number(100 * v):.0f} %" for p, v in shown)
            en = ", ".join(f"{words.name(words.POLLUTANTS, p).en} {Number(100 * v):.0f} %" for p, v in shown)
            said.append(
                Text(
                    f"排放量中属估计值的占比：{zh}。其余为推算值或填报值，出处见“输入与出处”。",
                    f"Share of the emissions that is estimated: {en}. The rest is derived or reported; sources "
                    "stand under inputs and sources.",
                )
            )
    return said
