"""Power spectra of firing rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from twinbrain import analysis
from twinbrain.analysis.grouping import By
from twinbrain.plot.canvas import draw_legend, new_axes, tidy
from twinbrain.plot.palette import colour_key, colours
from twinbrain.plot.plain import plain_texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@plain_texts
def spectrum(
    tree: xr.DataTree,
    by: By | None = None,
    segment: str = "1 s",
    highest: float = 200.0,
    start: str | None = None,
    stop: str | None = None,
    *,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw power spectra of firing rates on logarithmic axes, averaged within steps of 1/40 decade.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    by : {"family", "kind", "region", "population"}, optional
        Whose rates; by default of families, and of kinds of populations where there is one family.
    segment : str, optional
        Length of the segments of Welch's method.
    highest : float, Hz, optional
        Where the axis of frequency ends.
    start, stop : str, optional
        Part of the run.
    legend : bool, optional
        Whether lines are named.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    key = colour_key(tree)
    by = by or key.by
    power = analysis.spectrum(tree, by, segment, None, start, stop)
    power = _in_even_steps(power.isel(frequency=power["frequency"].values <= highest))
    ax = new_axes(ax, 5, 4)
    names = power[by].values.tolist()
    colour = key.colour if by == key.by else colours(names)
    for name in names:
        # A group that never fired has no spectrum to draw on a logarithmic axis.
        if (values := power.sel({by: name}).values).any():
            label = key.label(name) if by == key.by else name
            ax.loglog(power["frequency"].values, np.where(values > 0, values, np.nan), color=colour[name], label=label)
    for line in ax.lines:
        line.set_linewidth(1.2)
    ax.set_xlabel("frequency (Hz)")
    ax.set_ylabel("power density (Hz²/Hz)")
    if ax.lines:
        ax.set_xticks(ticks := [f for f in (1, 2, 5, 10, 20, 50, 100, 200, 500) if f <= highest], map(str, ticks))
        ax.set_xlim(float(power["frequency"][0]), float(power["frequency"][-1]))
        ax.minorticks_off()
        if legend:
            draw_legend(ax)
    tidy(ax)
    return ax


def _in_even_steps(power: xr.DataArray) -> xr.DataArray:
    """Return means over steps of 1/40 decade; where frequencies lie wider apart, each stays as it is."""
    frequency = power["frequency"].values
    _, first, n = np.unique(np.round(40 * np.log10(frequency)), return_index=True, return_counts=True)
    values = np.add.reduceat(power.transpose("frequency", ...).values, first, axis=0) / n[:, None]
    steps = np.add.reduceat(frequency, first) / n
    return power.isel(frequency=first).copy(data=values).assign_coords(frequency=("frequency", steps))
