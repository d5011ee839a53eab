"""Intrinsic time scales of groups of neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from twinbrain import analysis
from twinbrain.plot.canvas import draw_legend, draw_log_axis, entitle, new_figure, note, tidy
from twinbrain.plot.palette import FAINT, colours
from twinbrain.plot.plain import plain_texts
from twinbrain.plot.strips import Strip, draw_strips, room_for, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@plain_texts
def time_scales(responses: xr.Dataset, by: str = "population", longest: float | None = None) -> Figure:
    """Draw the autocorrelation of each group of neurons with its fit, and the time scales that follow.

    Parameters
    ----------
    responses : xarray.Dataset
        ``rate`` (trial, bin, neuron) with the coordinate ``time`` (bin) in ms, and ``label`` (trial).
    by : str, optional
        A coordinate of the neurons.
    longest : float (ms), optional
        Longest lag that is fitted; by default half of the trial.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with `save`.
    """
    found = analysis.time_scales(responses, by, longest)
    names = [str(name) for name in found[by].values]
    colour = colours(names)
    known = found["time_scale"].values[np.isfinite(found["time_scale"].values)]
    figure = new_figure(10 if len(known) else 6.5, max(3.4, room_for(len(names))))
    left, *others = figure.subplots(
        1, 2 if len(known) else 1, squeeze=False, width_ratios=[1.15, 1][: 1 + bool(len(known))]
    )[0]
    lag = found["lag"].values
    for i, name in enumerate(names):
        seen = found["autocorrelation"].values[i, 1:]
        left.plot(lag[1:], seen, ".", color=colour[name], ms=4, mew=0, label=shown(name))
        left.plot(lag[1:], found["fitted"].values[i, 1:], color=colour[name], linewidth=1.3)
    left.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    left.set_xlabel("lag (ms)")
    left.set_ylabel("autocorrelation")
    left.set_xlim(0, lag[-1])
    tidy(left)
    entitle(left, "Autocorrelation and fit")
    if len(known) < len(names):  # the colour of a group without a time scale is told nowhere else
        draw_legend(left)
    if not others:
        note(left, "no group's autocorrelation decays, so none has a time scale", below=36)
        return figure
    (right,) = others
    strips = []
    for i, name in enumerate(names):
        middle, error = float(found["time_scale"][i]), float(found["time_scale_error"][i])
        remark = f"{middle:.3g} ± {error:.2g} ms" if np.isfinite(middle) else "no decay found"
        strips.append(Strip(name, colour[name], np.zeros(0), middle, middle - error, middle + error, remark))
    draw_strips(right, strips)
    if known.max() > 8 * known.min():
        draw_log_axis(right, known.min(), known.max())
    else:
        right.set_xlim(0, 1.15 * known.max(initial=1.0))
    right.set_xlabel("time scale (ms)")
    entitle(right, "Intrinsic time scale")
    note(right, "± standard error over trials", below=36)
    return figure
