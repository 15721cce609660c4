"""Make two example tables for the coal office: sampled batches of clean coal, and activity by city and sector.

data/emissions/clean_coal_inspection.csv is synthetic: no batch was sampled; shares and spreads are made up below.
data/emissions/coal_activity.csv is an illustration made from the coal ledger and assumed rates, not statistics.

Run ``python data/make_coal_examples.py`` after a change of the ledger; the same ledger and seed give the same bytes.
"""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
EMISSIONS = HERE / "emissions"
SEED = 2018
STANDARD_COAL = 29307.6  # kJ kg-1

# ---- batches -----------------------------------------------------------------------------------------------------
#: Batches by city and what share of them fails at each stage: all made up.
BATCHES = {"xian": 30, "xianyang": 24, "weinan": 24, "baoji": 18, "tongchuan": 9, "yangling": 6, "hancheng": 6}
FAILING = {"production": 0.02, "distribution": 0.06, "use": 0.12}
#: Limits of GB 34169/34170-2017 as the rule file has them: sulphur, ash (None: no limit), volatile matter [%].
CLASSES = {
    "型煤1号": (0.5, None, 12.0),
    "型煤2号": (1.0, None, 12.0),
    "无烟1号": (0.5, 16.0, 12.0),
    "烟煤1号": (0.5, 16.0, 37.0),
}
STAGE_ZH = {"production": "生产", "distribution": "流通", "use": "使用"}
CITY_ZH = {
    "xian": "西安",
    "xianyang": "咸阳",
    "weinan": "渭南",
    "baoji": "宝鸡",
    "tongchuan": "铜川",
    "yangling": "杨凌",
    "hancheng": "韩城",
}
MADE_UP = "合成示例，非实际抽检 / synthetic example, no batch was sampled (data/make_coal_examples.py)"


def batches() -> list[dict[str, object]]:
    """Make the table of batches, dry basis but for every seventh, which is as received."""
    rng = random.Random(SEED)
    rows: list[dict[str, object]] = []
    for city, each in BATCHES.items():
        for stage, failing in FAILING.items():
            for _ in range(each if stage != "production" else max(3, each // 3)):
                product = rng.choices(list(CLASSES), weights=(5, 2, 2, 1))[0]
                limits = CLASSES[product]
                sulfur = limits[0] * rng.triangular(0.45, 0.98, 0.75)
                ash = (limits[1] or 28.0) * rng.triangular(0.5, 0.98, 0.8)
                volatile = limits[2] * rng.triangular(0.5, 0.97, 0.8)
                if rng.random() < failing:
                    if rng.random() < 0.7:
                        sulfur = limits[0] * rng.triangular(1.05, 2.2, 1.3)
                    else:
                        volatile = rng.uniform(25.0, 36.0) if limits[2] < 20 else limits[2] * 1.08
                moisture = rng.uniform(4.0, 12.0)
                wet = len(rows) % 7 == 6
                down = (100.0 - moisture) / 100.0 if wet else 1.0
                day = rng.randrange(90)
                month, of = divmod(day, 30)
                rows.append(
                    {
                        "样品编号": f"S{len(rows) + 1:04d}",
                        "城市": CITY_ZH[city],
                        "抽检环节": STAGE_ZH[stage],
                        "抽样日期": f"2018-{10 + month}-{of + 1:02d}",
                        "煤种类别": product,
                        "批量(吨)": round(rng.uniform(20, 200)) if stage != "use" else round(rng.uniform(1, 5), 1),
                        "全硫(%)": round(sulfur * down, 2 if not wet else 3),
                        "灰分(%)": round(ash * down, 1),
                        "挥发分(Vdaf)": round(volatile, 1),
                        "水分(%)": round(moisture, 1),
                        "基准": "收到基" if wet else "干基",
                        "数据质量": "synthetic",
                        "source": MADE_UP,
                    }
                )
    return rows


# ---- activity ----------------------------------------------------------------------------------------------------
YEARS = range(2015, 2020)
#: National net coal consumption of power plants [gce kWh-1], from memory.
POWER_RATE = {2015: 315.0, 2016: 312.0, 2017: 309.0, 2018: 308.0, 2019: 306.4}
#: Target year of the example plans, and the growth of power that they assume.
PLAN, GROWTH = 2019, 1.007
#: Degree days of the winter in Xi'an (HDD18) [K d]: an illustration of how winters differ.
DEGREE_DAYS = {2015: 2180, 2016: 2210, 2017: 2150, 2018: 2290, 2019: 2170}
#: Sector -> (standard coal per 10^4 yuan of value added in 2015 [t], growth of value added [% a-1]): assumed.
INDUSTRY = {
    "steel": (3.0, 1.0),
    "coking": (4.0, 1.0),
    "cement": (2.5, -1.0),
    "industry": (0.8, 6.0),
    "small_industry": (1.2, 2.0),
    "other": (0.5, 3.0),
}
HOUSEHOLD = 3.2  # people, estimate


def activity() -> list[dict[str, object]]:
    """Make the table of activity for every city and sector of the ledger."""
    energy: dict[tuple[int, str, str], float] = defaultdict(float)
    with (EMISSIONS / "coal_ledger.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["fuel"] in {"coke", "semi_coke"}:
                continue
            tce = float(row["consumption"]) * float(row["heating_value"] or 20934) / STANDARD_COAL
            energy[int(row["year"]), row["city"], row["sector"]] += tce
    people: dict[str, float] = defaultdict(float)
    with (HERE / "geography" / "counties.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            people[row["city"]] += float(row["population"])
    rows: list[dict[str, object]] = []
    for city, sector in sorted({(c, s) for _, c, s in energy}):
        for year in YEARS:
            since = year - YEARS[0]
            first = next((energy[y, city, sector] for y in YEARS if energy[y, city, sector] > 0), 0.0)
            degree_days: object = ""
            if sector == "power":
                unit = "10^8 kWh"
                if year == PLAN and energy[year - 1, city, sector] > 0:
                    value = energy[year - 1, city, sector] / POWER_RATE[year - 1] / 100 * GROWTH
                    said, quality = f"{year - 1} x {GROWTH} (growth of the example plan, assumed)", "estimated"
                else:
                    value = energy[year, city, sector] / POWER_RATE[year] / 100
                    said, quality = f"ledger / national net coal rate {POWER_RATE[year]} g/kWh (unverified)", "derived"
            elif sector == "residential":
                value, unit = people[city] / HOUSEHOLD / 1e4 * 1.004**since, "10^4 households"
                said, quality = "population 2020 / 3.2, +0.4 % a year (assumed); degree days illustrative", "estimated"
                degree_days = DEGREE_DAYS[year]
            elif sector == "heat":
                value, unit = first / 18e-3 / 1e4 * 1.04**since, "10^4 m2"
                said, quality = "first year / 18 kgce m-2, +4 % a year (assumed); degree days illustrative", "estimated"
                degree_days = DEGREE_DAYS[year]
            else:
                intensity, growth = INDUSTRY[sector]
                value, unit = first / intensity / 1e4 * (1 + growth / 100) ** since, "10^8 CNY"
                said = f"illustrative: first year / {intensity} tce per 10^4 CNY, {growth:+g} % a year (assumed)"
                quality = "estimated"
            rows.append(
                {
                    "year": year,
                    "city": city,
                    "sector": sector,
                    "activity": f"{value:.6g}",
                    "activity_unit": unit,
                    "heating_degree_days": degree_days,
                    "source": said,
                    "quality": quality,
                }
            )
    return rows


def write(path: Path, rows: list[dict[str, object]]) -> None:
    """Write a table as Excel opens it right: UTF-8 with a mark."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    write(EMISSIONS / "clean_coal_inspection.csv", batches())
    write(EMISSIONS / "coal_activity.csv", activity())
