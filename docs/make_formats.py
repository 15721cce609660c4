"""Make the pages of docs/formats from the schemas that read and write the files.

python docs/make_formats.py
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airsim.assess.attainment import COMPOSITION
from airsim.assess.evaluation import OBSERVED
from airsim.case import BACKGROUND
from airsim.coal.decomposition import ACTIVITY
from airsim.coal.inspection import BATCHES
from airsim.inventory.reading import AREA_SOURCES, COAL_LEDGER, ENTERPRISES
from airsim.meteorology.isd import STATIONS as WEATHER_STATIONS
from airsim.meteorology.station_table import WEATHER
from airsim.observations import STATIONS
from airsim.result import variables
from airsim.tables import markdown
from airsim.tables.units import known_for

if TYPE_CHECKING:
    from airsim.errors import Lang

FOLDER = Path(__file__).parent / "formats"
LAYOUTS = (
    ("Enterprises", "企业", ENTERPRISES),
    ("Area sources", "面源", AREA_SOURCES),
    ("Coal ledger", "煤炭台账", COAL_LEDGER),
    ("Activity, for the decomposition", "活动水平（因素分解）", ACTIVITY),
    ("Sampled batches of clean coal", "洁净煤抽检批次", BATCHES),
    ("Observed city statistics", "城市观测统计", OBSERVED),
    ("Station list", "监测站点表", STATIONS),
    ("Observed composition of PM2.5", "PM2.5 实测组分", COMPOSITION),
    ("Background inflow", "边界流入", BACKGROUND),
    ("Weather of stations", "站点气象", WEATHER),
    ("Weather stations", "气象站点表", WEATHER_STATIONS),
)
HEAD: dict[Lang, str] = {
    "en": """# Tables that go in

Made from the layouts in the code; do not edit (`python docs/make_formats.py`).

- `.xlsx`, `.xls` or `.csv`; text in UTF-8 (with or without BOM) or GB18030; headers in English or Chinese.
- The header is found among the first twenty rows; title rows, blank rows and rows of totals (合计) are passed over;
  columns that no layout names are not used, and said; one that looks like a missing column is refused.
- A sheet a city: every visible sheet with the header is read, a hidden one never; hidden rows are counted, and said.
- An Excel error (#N/A …), or a formula whose value was never stored, is refused at its cell.
- Units stand in the header's brackets or suffix, in a row under the header, in the merged header above or in a title
  (单位：…); a bracket that is no known unit or qualifier is refused, never taken as the default.
- Numbers may be text, full-width, or with thousands separators. `-`, `—`, `/`, `无` and the like are missing values.
- Emissions are t/a unless the header says otherwise in brackets: {units}.
- Identifiers (credit codes) must be text: a code that Excel has made a number has lost its last digits and is refused.
- Files are written as UTF-8 with BOM, so that Excel opens them right.

## Emergency reduction list

Sheets 工业源, 移动源, 扬尘源 (others are read by their content, 汇总 and 说明 are passed over), one row a line or
item, in the published column order red, orange, yellow; merged two-row headers are read. Recognised: 企业名称,
统一社会信用代码, 市, 县(市、区), 行业类型, 企业类型, 绩效等级, 生产线或工序名称, 数量, 年生产天数, 日排放量 (SO2, NOx,
颗粒物, VOCs; kg/d, 吨/天 or 吨/年, in the header or a title), 经度, 纬度 (decimal, 度分秒, or both in one cell),
年产值, 停产损失, and for each level 减排措施, 停产生产线数量, 限产比例, 减排量. Also read: a sheet a city; one
row a line *and
level* (a column 预警级别); several numbers in one cell (`1000/4000/1500/0` in the header's order,
`SO2 12.3；NOx 4`); 30 % as `0.3`, `30%` or `30`; legacy .xls. Rows of totals are
compared, never counted. `airsim emergency LIST` says what was
recognised and what was not; [how measures are counted](../science/emergency.md). An example is
`data/emissions/emergency_list.xlsx`; `data/make_synthetic_list.py` makes messy ones.

A *mapping file* (`--mapping`, or `mapping:` in the scenario) overrides the recognition:

```yaml
unit: kg/d                     # of amounts without a unit of their own
header: 4-6                    # rows of the header
columns:
  enterprise: 厂名              # our column: their header
  base_SO2: {header: 现状排放|二氧化硫, unit: 吨/年}
  red_text: {column: H}
  orange_text: ""              # not read
sheets:
  工业源一览: {category: industrial, city: 咸阳, header: 3}
  旧表: skip
```

A *plan file* (`--plan local.yaml`) changes shares of a shipped plan: `based_on: "2019"`, `source`, `values: {shares:
{orange: {VOC: 0.15}}}`. A *base table* (`--base`) gives all-society emissions by 城市: SO2, NOx, 颗粒物, VOCs. A
*forecast* (`--forecast`) has 时间, 城市 and PM2.5 (PM10, SO2, NO2, CO) by the hour, or AQI by the day.

## Hourly observations

Three layouts, one or many files, in any order (`airsim check FILE` says what is passed over):

- wide, as CNEMC releases it: `date,hour,type,` then one column a city or station; types `AQI`, `PM2.5`, `PM10`,
  `SO2`, `NO2`, `O3`, `CO`; rows `*_24h`, `*_8h` are not used;
- long: date (and hour), city or station, one column a pollutant; tidy: date, hour, place, pollutant, value, mark.

Times are Beijing time unless zoned; hour h is the mean of h−1 to h, so hour 0 belongs to the day before; 24:00 is
read. μg/m³, CO mg/m³ unless the header says μg/m³. A value with a mark in brackets, `43(H)`, is missing, except
`(N)`. Station codes need the station list. An example is `data/observations/hourly_2018-12_2019-03.csv`.
""",
    "zh": """# 输入数据表

本页由代码中的表结构生成，请勿手改（`python docs/make_formats.py`）。

- `.xlsx`、`.xls` 或 `.csv`；文本为 UTF-8（有无 BOM 均可）或 GB18030；表头中英文均可。
- 表头在前二十行中自动查找；标题行、空行、合计行跳过；未列出的列不使用并逐一说明，疑似缺失列的列名将被拒绝。
- 一市一表也可：凡有该表头的可见工作表均读取，隐藏工作表从不读取；隐藏行照常计入并说明。
- Excel 错误值（#N/A 等）、未保存计算结果的公式，按单元格报错。
- 单位可写在列名括号或后缀、表头下一行、上方合并表头或标题（单位：…）；
  括号内不认识的单位或限定词将被拒绝，绝不按缺省单位读取。
- 数字可为文本、全角或带千分位；`-`、`—`、`/`、`无` 等视为缺失。
- 排放量默认为吨/年，表头括号中注明其他单位时自动换算：{units}。
- 编码类（统一社会信用代码）须为文本：被 Excel 转成数值的代码末位已丢失，将被拒绝。
- 输出文件为带 BOM 的 UTF-8，Excel 可直接打开。

## 应急减排清单

工作表 工业源、移动源、扬尘源（其余按内容识别，汇总、说明跳过），每行一条生产线或一项措施，按公布的红、橙、黄顺序排列，
可读合并的双层表头。可识别：企业名称、统一社会信用代码、市、县(市、区)、行业类型、企业类型、绩效等级、生产线或工序名称、数量、
年生产天数、日排放量（SO2、NOx、颗粒物、VOCs；单位 kg/d、吨/天或吨/年，写在表头或标题中）、经度、纬度（十进制、度分秒或
同格填写）、年产值、停产损失，以及各级别的减排措施、停产生产线数量、限产比例、减排量。还可读：分城市工作表；按级别分行
（有“预警级别”列）；一格多数（按表头顺序 `1000/4000/1500/0`，或 `SO2 12.3；NOx 4`）；30% 写作 `0.3`、`30%` 或
`30`；旧版 .xls。
合计行只核对、不计入。`airsim emergency 清单` 列出识别与未使用的列；[计数规则](../science/emergency.md)。
示例：`data/emissions/emergency_list.xlsx`；`data/make_synthetic_list.py` 可生成杂乱的合成清单。

*对照文件*（`--mapping`，或情景中 `mapping:`）优先于自动识别：

```yaml
unit: kg/d                     # 未注明单位的排放量、减排量
header: 4-6                    # 表头所在行
columns:
  enterprise: 厂名              # 本系统列名: 清单表头
  base_SO2: {header: 现状排放|二氧化硫, unit: 吨/年}
  red_text: {column: H}
  orange_text: ""              # 不读取
sheets:
  工业源一览: {category: industrial, city: 咸阳, header: 3}
  旧表: skip
```

*本地预案*（`--plan local.yaml`）在某版本基础上改动比例：`based_on: "2019"`、`source`、`values: {shares: {orange:
{VOC: 0.15}}}`。*基数表*（`--base`）按城市给出全社会排放量：城市、SO2、NOx、颗粒物、VOCs。*预报表*（`--forecast`）
为逐时的时间、城市、PM2.5（及 PM10、SO2、NO2、CO），或逐日 AQI。

## 逐时观测

三种格式，一个或多个文件，次序不限（`airsim check 文件` 列出跳过了什么）：

- 宽表（CNEMC 发布格式）：`date,hour,type,` 之后每个城市或站点一列；type 为 `AQI`、`PM2.5`、`PM10`、`SO2`、`NO2`、`O3`、
  `CO`，`*_24h`、`*_8h` 行不采用；
- 长表：日期（与小时）、城市或站点，每种污染物一列；单值表：日期、小时、地点、污染物、数值、数据标识。

时间不带时区即为北京时间；小时 h 是 h−1 至 h 的平均，故 0 时属前一日；可读 24:00。单位 μg/m³，CO 为 mg/m³
（表头注明 μg/m³ 时除外）。带括号标识的数值（如 `43(H)`）按缺失处理，`(N)` 除外。按站点编码的文件须配站点表。
示例：`data/observations/hourly_2018-12_2019-03.csv`。
""",
}
INDEX = """# Formats · 数据格式

- [Tables that go in](tables.md) · [输入数据表](tables.zh-CN.md)
- [Weather files](weather.md) · [气象文件](weather.zh-CN.md)
- [Variables of result.nc](result.md) · [结果文件的变量](result.zh-CN.md)
- Scenario file: `airsim schema` prints its JSON Schema with the meaning of every key · 情景文件：`airsim schema`
"""


def pages() -> dict[str, str]:
    """Return file name -> text of every page."""
    units = ", ".join(f"`{u}`" for u in known_for("t a-1").split(", "))
    made = {"README.md": INDEX}
    lang: Lang
    for lang, suffix in (("en", ".md"), ("zh", ".zh-CN.md")):
        parts = [HEAD[lang].replace("{units}", units)]
        for en, zh, layout in LAYOUTS:
            parts.append(f"## {zh if lang == 'zh' else en}\n\n{markdown(layout, lang)}\n")
        made["tables" + suffix] = "\n".join(parts)
        made["result" + suffix] = variables.markdown(lang)
    return made


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
