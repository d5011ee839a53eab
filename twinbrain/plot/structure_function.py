"""Whether regions that are connected go together: correlations of rates over weights of the connectome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from twinbrain import analysis
from twinbrain.errors import StoreError
from twinbrain.plot.canvas import new_axes, tidy
from twinbrain.plot.palette import FAINT, INK, PLAIN
from twinbrain.plot.plain import plain_texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_GROUPS = 8


@plain_texts
def structure_function(
    tree: xr.DataTree, bin: str = "100 ms", start: str | None = None, stop: str | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw a dot for each two regions, and the mean with its standard error over pairs of about the same weight.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    bin : str, optional
        Width of the bins of the rates.
    start, stop : str, optional
        Part of the run.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    pairs = analysis.structure_function(tree, bin, start, stop)
    if not pairs.sizes["pair"]:
        raise StoreError("expected two regions or more whose rates vary, to draw each two of them, found none")
    weight, correlation = pairs["weight"].values, pairs["correlation"].values
    ax = new_axes(ax, 4.6, 3.6)
    # Weights may be few, and dots would hide each other: they are spread a little, evenly, without a draw.
    aside = ((np.arange(len(weight)) * 0.618) % 1 - 0.5) * 0.02 * (float(np.ptp(weight)) or 1.0)
    ax.plot(weight + aside, correlation, ".", color=FAINT, alpha=0.35, ms=2.5, mew=0, rasterized=True)
    ax.axhline(0, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
    groups = [group for group in _groups(weight) if len(group)]
    x = [weight[group].mean() for group in groups]
    y = [correlation[group].mean() for group in groups]
    error = [_standard_error(correlation[group]) for group in groups]
    ax.errorbar(x, y, error, color=PLAIN, marker="o", ms=4.5, mec="white", mew=0.7, linewidth=1.2, zorder=3)
    ax.text(0.03, 0.97, f"r = {float(pairs['r']):.2f}", transform=ax.transAxes, va="top", fontsize=9, color=INK)
    ax.set_xlabel("weight, mean of both directions")
    ax.set_ylabel(f"correlation of rates, {pairs.attrs['bin']}")
    tidy(ax)
    return ax


def _standard_error(values: np.ndarray) -> float:
    """Return the standard error of the mean; NaN, which is not drawn, of one value."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan


def _groups(weight: np.ndarray) -> list[np.ndarray]:
    """Return the pairs of each weight, or where weights are many, the unconnected pairs and equal parts of others."""
    values = np.unique(weight)
    if len(values) <= _MOST_GROUPS:
        return [np.flatnonzero(weight == value) for value in values]
    order = np.argsort(weight, kind="stable")
    connected = order[weight[order] > 0]
    return [np.flatnonzero(weight == 0), *np.array_split(connected, _MOST_GROUPS - 1)]
