"""What one thing alone makes of a difference: the contrasts of a study, on one task or on several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from twinbrain import analysis
from twinbrain.errors import LearnError
from twinbrain.plot.canvas import entitle, new_figure
from twinbrain.plot.palette import FAINT, INK
from twinbrain.plot.plain import plain_texts
from twinbrain.plot.strips import Strip, draw_strips, room_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@plain_texts
def contrasts_figure(comparisons: Mapping[str, xr.Dataset], title: str = "Contrasts") -> Figure:
    """Draw the contrasts of one study on several tasks: a panel for each task, a row for each contrast.

    Contrasts whose interval lies on one side of nothing are dark. The intervals of a panel hold together; panels have
    one scale.

    Parameters
    ----------
    comparisons : mapping of str to xarray.Dataset
        For the title of each panel, the comparison with its attribute ``contrasts``, see
        `twinbrain.compare_conditions`. A contrast that one of them lacks is an empty row there.
    title : str, optional
        Of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with `save`.

    Raises
    ------
    LearnError
        If there is no comparison, or one has no contrasts.

    Examples
    --------
    >>> studies = {task: tb.open_sweep(f"runs/{task}.zarr") for task in ("intervals", "vowels")}  # doctest: +SKIP
    >>> comparisons = {task: tb.compare_conditions(study) for task, study in studies.items()}  # doctest: +SKIP
    >>> tb.plot.save(tb.plot.contrasts_figure(comparisons), "contrasts.png")  # doctest: +SKIP
    """
    for name, comparison in comparisons.items():
        if not comparison.attrs.get("contrasts"):
            raise LearnError(f"comparison {name!r}: expected contrasts, found none; give the sweep [sweep.contrasts]")
    if not comparisons:
        raise LearnError("expected the comparisons of a study, found none; give one a task")
    found = {name: analysis.compare_contrasts(comparison) for name, comparison in comparisons.items()}
    names = list(dict.fromkeys(str(name) for one in found.values() for name in one["contrast"].values))
    head, height = 0.5, room_for(len(names)) + 0.6
    figure = new_figure(2.6 + 2.5 * len(found), height + head, top=1 - head / (height + head))
    figure.text(0.008, 1 - 0.25 / (height + head), title, fontsize=14, fontweight="bold", color=INK, va="center")
    grid = figure.add_gridspec(1, len(found))
    shared = None
    for column, (task, contrasts) in enumerate(found.items()):
        ax = figure.add_subplot(grid[0, column], sharex=shared)
        shared = shared or ax
        draw_contrasts(ax, contrasts.reindex(contrast=names), name_rows=column == 0, name_pairs=False)
        ax.set_xlabel("points of accuracy")
        entitle(ax, task)
    return figure


def draw_contrasts(ax: Axes, contrasts: xr.Dataset, *, name_rows: bool = True, name_pairs: bool = True) -> None:
    """Draw contrasts in rows about a line at nothing.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    contrasts : xarray.Dataset
        See `twinbrain.analysis.compare_contrasts`.
    name_rows, name_pairs : bool, optional
        Whether contrasts are named at the left, and what they hold against each other at the right.
    """
    strips = []
    for i, name in enumerate(contrasts["contrast"].values):
        one = contrasts.isel(contrast=i)
        middle, low, high = (100 * float(one[f"difference{end}"]) for end in ("", "_low", "_high"))
        clear = low > 0 or high < 0
        pair = f"{one['condition'].values} against {one['against'].values}" if name_pairs else ""
        strips.append(Strip(str(name), INK if clear else FAINT, np.empty(0), middle, low, high, pair))
    draw_strips(ax, strips, reference=0.0, name_rows=name_rows)
