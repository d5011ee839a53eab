"""What a network loses without some of its neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from twinbrain.plot.canvas import new_axes, note, tidy
from twinbrain.plot.palette import FAINT, INK, colours
from twinbrain.plot.plain import plain_texts
from twinbrain.plot.strips import room_for, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@plain_texts
def ablation(found: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Draw by how much accuracy drops without each group of neurons, with intervals; dots are single classes.

    Parameters
    ----------
    found : xarray.Dataset
        Of `twinbrain.analysis.ablation` or `twinbrain.analysis.ablation_over_seeds`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    names = [str(name) for name in found["lesion"].values]
    ax = new_axes(ax, 5.8, room_for(len(names)))
    colour = colours(names)
    drop, low, high = (100 * found[key].values for key in ("drop", "low", "high"))
    for i, name in enumerate(names):
        ax.barh(i, np.nan_to_num(drop[i]), 0.62, color=colour[name], alpha=0.75, linewidth=0)
        if "drop_of_label" in found:
            parts = 100 * found["drop_of_label"].values[i]
            parts = parts[np.isfinite(parts)]
            height = i + 0.5 * ((np.arange(len(parts)) * 0.618) % 1 - 0.5)
            ax.plot(parts, height, "o", color="white", mec=INK, mew=0.6, ms=3.5, zorder=3)
        if np.isfinite(low[i]):
            ax.plot([low[i], high[i]], [i, i], color=INK, linewidth=1.6, solid_capstyle="butt", zorder=4)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(axis="x", color=FAINT, alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)
    tidy(ax)
    ax.set_yticks(range(len(names)), [shown(name) for name in names])
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("drop of accuracy (points of %)")
    over = f"{found.attrs['n']} {found.attrs['interval_over']}"
    dots = "; dots: single classes" if "drop_of_label" in found else ""
    note(ax, f"intact {100 * found.attrs['intact']:.1f} %; 95 % intervals over {over}{dots}", below=36)
    return ax
