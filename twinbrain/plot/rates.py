"""Firing rates over time: lines where they are few, colours where they are many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from twinbrain import analysis
from twinbrain.analysis.grouping import By
from twinbrain.plot.canvas import Band, draw_bands, draw_legend, draw_scale, draw_stimuli, draw_time, new_axes, tidy
from twinbrain.plot.palette import RATE_MAP, Key, colour_key, colours, root_scale
from twinbrain.plot.plain import plain_texts
from twinbrain.units import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LINES = 8
_MOST_NAMES = 30


@plain_texts
def rates(
    tree: xr.DataTree,
    bin: str | None = None,
    by: By | None = None,
    start: str | None = None,
    stop: str | None = None,
    *,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw firing rates over time: up to eight as lines, more as a map of colours.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    bin : str, optional
        Width of the bins; by default about 300 to the run, of 5 ms or more, and of 20 ms for small populations.
    by : {"region", "kind", "population", "family"}, optional
        Whose rates; by default of regions, and of populations where there is one region.
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
    by = by or ("region" if analysis.regions(tree).sizes["region"] > 1 else "kind")
    rate = analysis.rates(tree, bin or _bin(tree, by, start, stop), by, start, stop)
    width = number(rate.attrs["bin"], "ms")
    low = float(rate["time"][0])
    high = low + width * rate.sizes["time"]
    ax = new_axes(ax, 8, 4.5)
    unit = draw_time(ax, low, high)
    if rate.sizes[by] <= _MOST_LINES:
        _draw_lines(ax, rate, by, (width, unit), colour_key(tree))
        if legend:
            draw_legend(ax)
    else:
        _draw_map(ax, rate, by, (low / unit, high / unit), colour_key(tree))
    draw_stimuli(ax, analysis.stimuli(tree), low, high, behind=rate.sizes[by] <= _MOST_LINES)
    return ax


def _bin(tree: xr.DataTree, by: By, start: str | None, stop: str | None) -> str:
    """Return a round multiple of the recorded bin, of which there are about 300 to the run.

    A bin is also long enough for the neurons of the smallest group to show a rate rather than single spikes: 20 ms for
    fifteen neurons or fewer, 5 ms for sixty or more.
    """
    stored = analysis.rates(tree, None, by, start, stop)
    width = number(stored.attrs["bin"], "ms")
    shortest = min(max(300 / int(stored["n_neurons"].min()), 5.0), 20.0)
    wanted = max(width * stored.sizes["time"] / 300, shortest) / width
    rounds = [m * 10**e for e in range(7) for m in (1, 2, 5)]
    factor = next((factor for factor in rounds if factor >= wanted), rounds[-1])
    return f"{width * min(factor, stored.sizes['time']):.15g} ms"


def _draw_lines(ax: Axes, rate: xr.DataArray, by: str, scale: tuple[float, float], key: Key) -> None:
    names = rate[by].values.tolist()
    colour = key.colour if by == key.by else colours(names)
    time = (rate["time"].values + scale[0] / 2) / scale[1]
    for name in names:
        label = key.label(name) if by == key.by else name
        ax.plot(time, rate.sel({by: name}).values, color=colour[name], linewidth=1.2, label=label)
    ax.set_ylim(bottom=0)
    ax.set_ylabel("firing rate (Hz)")
    tidy(ax)


def _draw_map(ax: Axes, rate: xr.DataArray, by: str, extent: tuple[float, float], key: Key) -> None:
    families = rate["family"].values.tolist() if "family" in rate.coords else ["" for _ in rate[by]]
    known = [name for name in key.names if name in families] if key.by == "family" else list(dict.fromkeys(families))
    order = np.argsort([known.index(family) for family in families], kind="stable")
    values = rate.values.T[order]
    n = len(values)
    image = ax.imshow(
        values,
        aspect="auto",
        interpolation="nearest",
        cmap=RATE_MAP,
        norm=root_scale(float(values.max())),
        extent=(*extent, n, 0),
        rasterized=True,
    )
    tidy(ax)
    ax.spines[:].set_visible(False)
    if n <= _MOST_NAMES:
        ax.set_yticks(np.arange(n) + 0.5, rate[by].values[order])
        ax.tick_params(axis="y", length=0, pad=10)
    else:
        ax.set_yticks([])
    if key.by == "family":
        sorted_families = np.array(families)[order]
        bands = []
        for name in known:
            places = np.flatnonzero(sorted_families == name)
            bands.append(Band(key.label(name), key.colour[name], places[0], places[-1] + 1))
        draw_bands(ax, bands, names=n > _MOST_NAMES)
        for band in bands[1:]:
            ax.axhline(band.start, color="white", linewidth=0.6)
    elif n > _MOST_NAMES:
        ax.set_ylabel(f"{n} {by}s")
    draw_scale(ax, image, "firing rate (Hz)", beside=0.015, width=0.012)
