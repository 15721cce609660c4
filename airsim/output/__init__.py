"""What people see: sections are built once; `html`, `excel` and `console` print them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airsim.errors import Lang

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["summary_text"]


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
