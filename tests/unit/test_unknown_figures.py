"""A figure that is not known is a dash wherever it would stand, never "nan"."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from airsim.output import console, html
from airsim.output import page as pages
from airsim.output.page import Number
from airsim.output.sections import report
from airsim.result import netcdf

_spec = spec_from_file_location("made_up_result", Path(__file__).with_name("made_up_result.py"))
made_up_result = module_from_spec(_spec)
_spec.loader.exec_module(made_up_result)

UNKNOWN = re.compile(r"\b(nan|inf)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def tree():
    return netcdf.dress(made_up_result.make())


@pytest.mark.parametrize("group", ["/", "/coal", "/emergency", "/emissions", "/evaluation", "/provenance"])
@pytest.mark.filterwarnings("ignore")
def test_a_report_without_the_figures_of_a_group(tree, group):
    groups = {node.path: node.to_dataset(inherit=False).copy(deep=True) for node in tree.subtree}
    emptied = groups[group]
    for name, variable in emptied.data_vars.items():
        if variable.dtype.kind == "f":
            emptied[name] = variable * np.nan
    assert any(v.dtype.kind == "f" for v in emptied.data_vars.values())
    emptied.attrs = {k: float("nan") if isinstance(v, float) else v for k, v in emptied.attrs.items()}
    page = report.page(xr.DataTree.from_dict(groups))
    for lang in ("zh", "en"):
        told = [t.of(lang) for t in pages.sentences(page)] + console.lines(page, lang)
        told += [f"{c.big.of(lang)} {c.detail.of(lang)}" for c in page.cards]
        text = re.sub(r"<(script|style).*?</\1>", "", html.text(page, lang), flags=re.DOTALL)
        told += re.sub(r"<[^>]*>", "\n", text).splitlines()
        assert [line for line in told if UNKNOWN.search(line)] == []


def test_a_number_that_is_known_is_formatted_as_ever():
    assert f"{Number(12.345):+.1f} {Number(0.5):.0%} {Number(1234.5):,.1f}" == "+12.3 50% 1,234.5"
    assert f"{Number('nan'):.0f} {Number('inf'):.1%}" == "— —"
