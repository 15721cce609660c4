"""Tables of the coal balance: the same plan under each rule, offsets, limits, what a run tells of the air."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from airsim import coal
from airsim.coal import accounts
from airsim.output import console
from airsim.output.sections import coal as coal_page
from airsim.output.sections import coal_balance, coal_benefits, coal_limits
from airsim.scenario import CoalScope

LEDGER = pd.DataFrame(
    [
        (2017, "xian", "power", "raw_coal", 1_250_000.0),
        (2018, "xian", "power", "raw_coal", 1_000_000.0),
        (2018, "xian", "power", "gangue", 200_000.0),
        (2018, "xian", "industry", "raw_coal", 300_000.0),
        (2018, "weinan", "residential", "raw_coal", 400_000.0),
    ],
    columns=["year", "city", "sector", "fuel", "consumption"],
).assign(heating_value=np.nan, basis="", quality="estimated", origin="ledger.csv:1")
LINES = pd.DataFrame(
    [
        ("homes", "substitution", "weinan", "residential", "raw_coal", 50_000.0),
        ("sorting", "efficiency", "xian", "power", "gangue", 60_000.0),
        ("works", "new_projects", "xian", "industry", "raw_coal", 70_000.0),
    ],
    columns=list(accounts.COLUMNS),
)
PLEDGES = pd.DataFrame([("works", "homes", 40_000.0)], columns=["project", "reduction", "tonnes"])


def made(**scope):
    return coal.balance_of(LEDGER, LINES, 2018, 2019, "2018", pledges=PLEDGES, scope=CoalScope(**scope))


def tree():
    return xr.DataTree.from_dict({"/": xr.Dataset(), "/coal": made()})


def printed(lang):
    return console.lines(coal_page.page(tree()), lang)


def test_the_same_plan_passes_under_one_rule_and_fails_under_another():
    rows = {r[0]: r for r in coal_balance.rule_grid(made()).rows}
    # all coal: -60 kt of gangue counts; without gangue the plan grows by 20 kt
    assert rows["2018"][2:5] == [pytest.approx(190.0), pytest.approx(186.0), pytest.approx(-4 / 190)]
    assert rows["2023"][2:5] == [pytest.approx(170.0), pytest.approx(172.0), pytest.approx(2 / 170)]
    assert (rows["2018"][5].en, rows["2023"][5].en) == ("yes", "NO")
    narrow = {r[0]: r for r in coal_balance.rule_grid(made(society="above_designated")).rows}
    assert narrow["2018"][2] == pytest.approx(150.0)


def test_change_stands_beside_the_base_year_too():
    grid = coal_balance.balance_grid(made())
    xian = next(r for r in grid.rows if getattr(r[0], "en", "") == "Xi'an")
    assert xian[1] == pytest.approx(150.0)
    assert xian[2] == pytest.approx(150.0 / 125.0 - 1)
    assert "同比" in [h.zh for h in grid.head]
    assert "口径" in grid.note.zh
    assert any("20.00 %" in line for line in printed("zh"))


def test_a_missing_offset_is_told():
    rows = coal_limits.offset_grids(made())[0].rows
    assert rows[0][1:4] == [pytest.approx(7.0), pytest.approx(4.0), pytest.approx(3.0)]
    assert rows[0][4].en == "NO"
    assert any(line.split() == ["works", "7.00", "4.00", "3.00", "NO"] for line in printed("en"))
    assert any("lack offsets of 3.0" in line for line in printed("en"))
    assert coal_limits.offset_grids(made())[1].rows[0] == ["works", "homes", pytest.approx(4.0)]


def test_every_grid_has_a_cell_for_every_head():
    grids = coal_page.section(tree()).grids
    assert len(grids) > 5
    for grid in grids:
        assert len(grid.head) == len(grid.digits), grid.title.en
        assert all(len(r) == len(grid.head) for r in grid.rows), grid.title.en


def test_the_air_of_the_coal_measures_alone():
    removed = xr.Dataset(
        {"pm25_removed": (("step", "time", "city"), np.array([[[2.0, 4.0]], [[30.0, 30.0]], [[-1.0, 0.0]]]))},
        coords={"step": ["coal_substitution", "emergency", "new_project-2"], "time": [0], "city": ["xian", "weinan"]},
    )
    tree = xr.DataTree.from_dict({"/": xr.Dataset(), "/attribution": removed})
    grid = coal_benefits.in_air(tree)
    assert [r[1:] for r in grid.rows] == [[2.0, -1.0, 1.0], [4.0, 0.0, 4.0]]
    only = removed.sel(step=["emergency"])
    assert coal_benefits.in_air(xr.DataTree.from_dict({"/": xr.Dataset(), "/attribution": only})) is None


def test_what_a_limit_sent_another_way_is_called():
    from airsim.output import words

    assert words.measure("咸阳煤改气 (clean_coal)") == ("咸阳煤改气（改洁净煤）", "咸阳煤改气 (clean coal instead)")
    assert words.measure("3-coal_substitution (gas)").zh.endswith("散煤替代（改天然气）")
    assert words.measure("锅炉 (一期)") == ("锅炉 (一期)", "锅炉 (一期)")
