"""Matrices: which regions fire together, and which classes a network takes for which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from twinbrain import analysis
from twinbrain.analysis.responses import classes_among, responses_of
from twinbrain.errors import LearnError
from twinbrain.plot.canvas import draw_scale, new_axes, tidy
from twinbrain.plot.connectome import draw_region_axes, region_order
from twinbrain.plot.palette import DIFFERENCE_MAP, FAINT, INK, WEIGHT_MAP
from twinbrain.plot.plain import plain_texts
from twinbrain.plot.strips import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_NUMBERS = 12


@plain_texts
def functional_connectivity(
    run: xr.DataTree,
    bin: str = "100 ms",
    start: str | None = None,
    stop: str | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw the correlation of the rates of each two regions, in the order of `connectome_matrix`.

    Parameters
    ----------
    run : xarray.DataTree
        A run.
    bin : str, optional
        Width of the bins of the rates.
    start, stop : str, optional
        Part of the run, by default all of it; leave out its beginning, while rates still settle, such as by
        ``start=tb.analysis.warm_up(run)``. The title tells the bins that were taken.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    found = analysis.functional_connectivity(run, bin, start, stop)
    layout = region_order(run)
    values = found.sel(target=layout.labels, source=layout.labels).values.copy()
    np.fill_diagonal(values, np.nan)
    top = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
    n = len(values)
    ax = new_axes(ax, 5.6, 5)
    image = ax.imshow(
        values, cmap=DIFFERENCE_MAP, vmin=-top, vmax=top, interpolation="nearest", extent=(0, n, n, 0), rasterized=True
    )
    draw_region_axes(ax, layout, directed=False)
    ax.set_title(f"{found.attrs['start']} to {found.attrs['stop']}", loc="right", fontsize=7.5, color=FAINT)
    draw_scale(ax, image, f"correlation of firing rates in bins of {found.attrs['bin']}", beside=0.04, width=0.035)
    return ax


@plain_texts
def confusion(responses: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Draw how often each class is taken for each: rows are what was shown, columns what was decided.

    Parameters
    ----------
    responses : xarray.Dataset
        ``label`` and ``decision`` (trial), as of `Trained.responses`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    LearnError
        If nothing was decided: the task is a regression. If there is no trial, or one has no label or no decision.
    """
    if "decision" not in responses:
        raise LearnError("confusion: expected responses with decisions, found none; a regression has no classes")
    classes = classes_among(*(responses_of(responses, name, "trial") for name in ("label", "decision")))
    names, (label, decision) = classes.label, np.split(classes.index, 2)
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (label, decision), 1)
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)
    ax = new_axes(ax, 5.2, 4.6)
    image = ax.imshow(share, cmap=WEIGHT_MAP, vmin=0, vmax=1, interpolation="nearest")
    tidy(ax)
    ax.spines[:].set(visible=True, color=FAINT, linewidth=0.6)
    texts = [shown(str(name), 14) for name in names]
    ax.set_xticks(range(len(names)), texts, rotation=90 if max(map(len, texts)) > 3 else 0)
    ax.set_yticks(range(len(names)), texts)
    ax.tick_params(length=0)
    ax.set_xlabel("decided")
    ax.set_ylabel("shown")
    if len(names) <= _MOST_NUMBERS:
        for (i, j), value in np.ndenumerate(share):
            if counts[i, j]:
                colour = "white" if value > 0.6 else INK
                ax.text(j, i, f"{100 * value:.0f}", ha="center", va="center", fontsize=7.5, color=colour)
    draw_scale(ax, image, "share of the class", beside=0.04, width=0.035)
    ax.set_title(
        f"{np.mean(label == decision):.1%} of {len(label)} trials right", loc="right", fontsize=7.5, color=FAINT
    )
    return ax
