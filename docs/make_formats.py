"""Make the pages of docs/formats from the schemas that read and write the files.

python docs/make_formats.py
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airsim import variables
from airsim.assess.evaluation import OBSERVED
from airsim.case import BACKGROUND
from airsim.inventory.reading import AREA_SOURCES, COAL_LEDGER, ENTERPRISES
from airsim.tables import HEADER_UNITS, markdown

if TYPE_CHECKING:
    from airsim.errors import Lang

FOLDER = Path(__file__).parent / "formats"
LAYOUTS = (
    ("Enterprises", "企业", ENTERPRISES),
    ("Area sources", "面源", AREA_SOURCES),
    ("Coal ledger", "煤炭台账", COAL_LEDGER),
    ("Observed city statistics", "城市观测统计", OBSERVED),
    ("Background inflow", "边界流入", BACKGROUND),
)
HEAD: dict[Lang, str] = {
    "en": """# Tables that go in

Made from the layouts in the code; do not edit (`python docs/make_formats.py`).

- `.xlsx`, `.xls` or `.csv`; text in UTF-8 (with or without BOM) or GB18030; headers in English or Chinese.
- The header is found among the first twenty rows; title rows, blank rows and rows of totals (合计) are passed over;
  columns that no layout names are ignored.
- Numbers may be text, full-width, or with thousands separators. `-`, `—`, `/`, `无` and the like are missing values.
- Emissions are t/a unless the header says otherwise in brackets: {units}.
- Identifiers (credit codes) must be text: a code that Excel has made a number has lost its last digits and is refused.
- Files are written as UTF-8 with BOM, so that Excel opens them right.

## Emergency reduction list

Sheets 工业源, 移动源, 扬尘源 (others are read by their content, 汇总 and 说明 are passed over), one row a line or
item, in the published column order red, orange, yellow; merged two-row headers are read. Recognised: 企业名称,
统一社会信用代码, 市, 县(市、区), 行业类型, 企业类型, 绩效等级, 生产线或工序名称, 数量, 年生产天数, 日排放量 (SO2, NOx,
颗粒物, VOCs), and for each level 减排措施, 停产生产线数量, 减排量. `airsim check LIST` says what was recognised and
what was not; [how measures are counted](../science/emergency.md). An example is `data/emissions/emergency_list.xlsx`.
""",
    "zh": """# 输入数据表

本页由代码中的表结构生成，请勿手改（`python docs/make_formats.py`）。

- `.xlsx`、`.xls` 或 `.csv`；文本为 UTF-8（有无 BOM 均可）或 GB18030；表头中英文均可。
- 表头在前二十行中自动查找；标题行、空行、合计行跳过；未列出的列忽略。
- 数字可为文本、全角或带千分位；`-`、`—`、`/`、`无` 等视为缺失。
- 排放量默认为吨/年，表头括号中注明其他单位时自动换算：{units}。
- 编码类（统一社会信用代码）须为文本：被 Excel 转成数值的代码末位已丢失，将被拒绝。
- 输出文件为带 BOM 的 UTF-8，Excel 可直接打开。

## 应急减排清单

工作表 工业源、移动源、扬尘源（其余按内容识别，汇总、说明跳过），每行一条生产线或一项措施，按公布的红、橙、黄顺序排列，
可读合并的双层表头。可识别：企业名称、统一社会信用代码、市、县(市、区)、行业类型、企业类型、绩效等级、生产线或工序名称、数量、
年生产天数、日排放量（SO2、NOx、颗粒物、VOCs），以及各级别的减排措施、停产生产线数量、减排量。
`airsim check 清单` 列出识别与未识别的内容；[计数规则](../science/emergency.md)。
示例：`data/emissions/emergency_list.xlsx`。
""",
}
INDEX = """# Formats · 数据格式

- [Tables that go in](tables.md) · [输入数据表](tables.zh-CN.md)
- [Variables of result.nc](result.md) · [结果文件的变量](result.zh-CN.md)
- Scenario file: `airsim schema` prints its JSON Schema with the meaning of every key · 情景文件：`airsim schema`
"""


def pages() -> dict[str, str]:
    """Return file name -> text of every page."""
    units = ", ".join(f"`{u}`" for u, (canonical, _) in HEADER_UNITS.items() if canonical == "t a-1")
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
