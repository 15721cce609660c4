"""Make docs/nomenclature.md from the table of result variables.

python docs/make_nomenclature.py
"""

from __future__ import annotations

from pathlib import Path

from airsim.result import variables

FILE = Path(__file__).parent / "nomenclature.md"
HEAD = """# Nomenclature · 名词对照

Made from `airsim/result/variables.csv`; do not edit (`python docs/make_nomenclature.py`). The symbols of the formulae
stand, with units and source, in the docstrings of the functions · 本页由变量表生成，请勿手改；公式符号见各函数说明。

## Symbols of the formulae · 公式符号

| Symbol · 符号 | Name | Unit · 单位 | 中文 |
|---|---|---|---|
| u* | friction velocity | m s-1 | 摩擦速度 |
| L | Obukhov length | m | 奥布霍夫长度 |
| w* | convective velocity | m s-1 | 对流速度 |
| z_i, h | mixing height | m | 混合层高度 |
| z0 | roughness length | m | 粗糙度长度 |
| k | von Karman constant, 0.4 | 1 | 卡门常数 |
| psi_m | integrated stability correction of the wind profile | 1 | 风廓线稳定度订正 |
| sigma_v, sigma_w | standard deviation of crosswind and vertical velocity | m s-1 | 横风、垂直速度标准差 |
| sigma_y, sigma_z | crosswind and vertical spread of a plume | m | 烟流横向、垂直扩散参数 |
| F_b, F_m | buoyancy flux and momentum flux | m4 s-3, m4 s-2 | 浮力通量、动量通量 |
| K | eddy diffusivity | m2 s-1 | 湍流扩散系数 |
| r_a, r_b, r_c | aerodynamic, quasi-laminar and surface resistance | s m-1 | 空气动力学、片流层、表面阻力 |
| v_d, v_g | deposition and settling velocity | m s-1 | 干沉降速度、重力沉降速度 |
| Kp | dissociation constant of ammonium nitrate | Pa2 | 硝酸铵解离常数 |
| T, T* | transport operator and its adjoint | | 输送算子及其伴随 |

## Variables of a result · 结果变量
"""


def page() -> str:
    """Return the text of the page."""
    parts = [HEAD]
    group = None
    for row in variables.table().values():
        if row.group != group:
            group = row.group
            parts.append(f"\n### `{group}`\n\n| Symbol · 符号 | Name | Unit · 单位 | 中文 |\n|---|---|---|---|\n")
        parts.append(f"| `{row.name}` | {row.long_name} | {row.units} | {row.long_name_zh} |\n")
    return "".join(parts)


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8", newline="\n")
