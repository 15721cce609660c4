"""Axial ground concentrations of a tall buoyant stack and a low passive release beside AERMOD's."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from naive_plume import one_hour, one_source

from airsim import plume

TABLE = pd.read_csv(Path(__file__).parent / "data" / "aermod_axis.csv", comment="#", encoding="utf-8")
SOURCES = {
    "stack": {"height": 150.0, "diameter": 5.0, "exit_velocity": 15.0, "exit_temperature": 400.0},
    "passive": {"height": 20.0},
}
CASES = [
    pytest.param(name, rows, id=f"{name}-{label}-{wind}")
    for (name, label, wind), rows in TABLE[TABLE.label.isin(list("ABCD"))].groupby(["source", "label", "wind"])
]


@pytest.mark.parametrize(("name", "rows"), CASES)
def test_maximum_and_its_place(name, rows):
    first = rows.iloc[0]
    weather = one_hour(
        wind_speed=first.wind,
        mixing_height=first.mixing_height,
        friction_velocity=first.friction_velocity,
        obukhov_length=first.obukhov_length,
        convective_velocity=np.nan,
        roughness_length=0.5,
    )
    axis = pd.DataFrame({"x": rows.x, "y": 0.0, "z": 0.0})
    ours = plume.concentration(one_source(**SOURCES[name]), axis, weather).to_numpy()[0]
    aermod = rows.concentration.to_numpy()
    assert 1 / 1.5 < ours.max() / aermod.max() < 1.5
    assert 1 / 1.6 < rows.x.to_numpy()[ours.argmax()] / rows.x.to_numpy()[aermod.argmax()] < 1.6
