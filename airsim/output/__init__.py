"""What a run leaves behind: NetCDF (`netcdf`), Excel workbook (`workbook`), HTML report (`report`)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from airsim.errors import Lang

if TYPE_CHECKING:
    import xarray as xr

    from airsim.output import boundaries, netcdf, report, workbook

__all__ = ["boundaries", "netcdf", "report", "summary_text", "workbook"]


def __getattr__(name: str) -> Any:
    # xlsxwriter, jinja2 and plotly are imported only by those who write
    if name in {"boundaries", "netcdf", "report", "workbook"}:
        return importlib.import_module(f"airsim.output.{name}")
    raise AttributeError(f"module 'airsim.output' has no attribute '{name}'")


def summary_text(tree: xr.DataTree, lang: Lang) -> str:
    """Return the few lines printed at the end of a run.

    Parameters
    ----------
    tree : DataTree
        A result as in `variables.csv`; groups may be missing.
    lang : {"zh", "en"}
        Language; English is plain ASCII, Chinese holds to characters of GBK, so that a redirected console
        on a Chinese Windows prints it.

    Returns
    -------
    str
        Lines joined by newlines.
    """
    from airsim.output import summary

    return summary.text(tree, lang)
