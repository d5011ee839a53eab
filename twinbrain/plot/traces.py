"""Recorded variables of single neurons over time, one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from twinbrain import analysis
from twinbrain.analysis.grouping import Patterns
from twinbrain.analysis.tree import clock
from twinbrain.plot.canvas import draw_stimuli, draw_time, new_axes, note, tidy
from twinbrain.plot.palette import FAINT, colours
from twinbrain.plot.plain import plain_texts
from twinbrain.spec.plain_numbers import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@plain_texts
def traces(
    tree: xr.DataTree,
    variable: str = "v",
    region: Patterns = "*",
    population: Patterns = "*",
    start: str | None = None,
    stop: str | None = None,
    *,
    probe: str | None = None,
    n_neurons: int = 8,
    ax: Axes | None = None,
) -> Axes:
    """Draw a recorded variable of some neurons over time, each in a lane of its own, all to the same scale.

    Parameters
    ----------
    tree : xarray.DataTree
        A run that recorded the variable (`twinbrain.StateRecord`).
    variable : str
        Such as ``"v"``, ``"g_ampa"`` or the current ``"I_syn"``.
    region, population : str or iterable of str
        Patterns of region labels and of population names.
    start, stop : str, optional
        Part of the run; no other is read.
    probe : str, optional
        Name of the record, where several hold the variable of the same neurons.
    n_neurons : int, optional
        At most how many neurons are drawn, evenly spaced among those recorded.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    StoreError
        If the variable was not recorded of these neurons.
    """
    n_neurons = whole("n_neurons", n_neurons)
    part = clock(tree, start, stop)
    low, high = part.start * part.dt, part.stop * part.dt
    found = analysis.state(tree, variable, region, population, probe)
    places = np.unique(np.linspace(0, found.sizes["neuron"] - 1, min(n_neurons, found.sizes["neuron"])).round())
    time = found["time"].values
    within = (time >= low) & (time <= high)
    values = found.isel(neuron=places.astype(int), time=within).transpose("neuron", "time").load()
    ax = new_axes(ax, 8, 1.2 + 0.6 * len(values))
    unit = draw_time(ax, low, high)
    finite = values.values[np.isfinite(values.values)]
    lowest, highest = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    span, middle = highest - lowest or 1.0, highest / 2 + lowest / 2
    kinds = [f"{r}/{p}" for r, p in zip(values["region"].values, values["population"].values, strict=True)]
    colour = colours(dict.fromkeys(kinds))
    lanes = -1.15 * span * np.arange(len(values))
    for lane, kind, own in zip(lanes, kinds, values.values, strict=True):
        ax.plot(time[within] / unit, own - middle + lane, color=colour[kind], linewidth=0.8)
    ax.set_ylim(lanes[-1] - 0.6 * span, 0.6 * span)
    alone = len(set(values["region"].values.tolist())) == 1
    numbers = values["neuron"].values if "neuron" in values.coords else places.astype(int)
    names = [kind.rsplit("/", 1)[1] if alone else kind for kind in kinds]
    tidy(ax)
    ax.spines["left"].set_visible(False)
    ax.set_yticks(lanes, [f"{name} {number}" for name, number in zip(names, numbers, strict=True)])
    ax.tick_params(axis="y", length=0)
    draw_stimuli(ax, analysis.stimuli(tree), low, high)
    _draw_bar(ax, span, str(values.attrs.get("units", "1")))
    note(ax, f"{values.attrs['long_name']}, {len(values)} of {found.sizes['neuron']} recorded neurons")
    return ax


def _draw_bar(ax: Axes, span: float, units: str) -> None:
    """Draw a bar of a round size at the right, as the scale of all lanes."""
    size = 10.0 ** np.floor(np.log10(span))
    size *= next(factor for factor in (5, 2, 1) if factor * size <= span or factor == 1)  # rounded
    low = ax.get_ylim()[0]
    place = ax.get_yaxis_transform()
    ax.plot([1.015, 1.015], [low, low + size], color=FAINT, linewidth=2, transform=place, clip_on=False)
    ax.text(1.025, low + size / 2, f"{size:g} {units}", transform=place, va="center", fontsize=8, color=FAINT)
