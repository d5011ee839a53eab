"""Spikes as dots: time to the right, neurons downwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain import analysis
from twinbrain.analysis.grouping import Patterns
from twinbrain.analysis.tree import Span, clock
from twinbrain.plot.canvas import Band, draw_bands, draw_stimuli, draw_time, new_axes, note, on_within, tidy
from twinbrain.plot.palette import FAINT, STIMULUS, Key, colour_key, shade
from twinbrain.plot.plain import plain_texts
from twinbrain.spec.plain_numbers import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@plain_texts
def raster(
    tree: xr.DataTree,
    region: Patterns = "*",
    population: Patterns = "*",
    start: str | None = None,
    stop: str | None = None,
    *,
    n_neurons: int = 1200,
    ax: Axes | None = None,
) -> Axes:
    """Draw the spikes of some neurons; those that release GABA in a darker shade.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    region, population : str or iterable of str
        Patterns of region labels and of population names.
    start, stop : str, optional
        Part of the run; no other is read.
    n_neurons : int, optional
        At most about how many neurons are drawn: evenly spaced ones, a larger share of small families, and at least one
        of each population. How many there are stands under the panel. Numbers at the right count from 0 at the top:
        neurons of the run, or, where kinds or families put them into another order, those that are drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    n_neurons = whole("n_neurons", n_neurons)
    part = clock(tree, start, stop)
    low, high = part.start * part.dt, part.stop * part.dt
    key, table = colour_key(tree), analysis.populations(tree)
    chosen = analysis.select_populations(tree, region, population)
    rows, bands = _rows(chosen, table, key, n_neurons)
    spikes = analysis.spikes(tree, region, population, start, stop)

    ax = new_axes(ax, 8, 5)
    ax.set_ylim(-0.5, max(bands[-1].stop, 1) - 0.5)
    unit = draw_time(ax, low, high)
    row_of = np.full(int(table["size"].sum()), -1)
    of_neuron = np.repeat(np.arange(table.sizes["population"]), table["size"].values)
    row_of[rows] = np.arange(len(rows))
    row = row_of[spikes["neuron"].values]
    drawn = row >= 0
    row, time = row[drawn], spikes["time"].values[drawn] / unit
    of_spike = of_neuron[spikes["neuron"].values[drawn]]
    size = float(np.clip(900 / max(len(rows), 1), 1.5, 5))
    for colour, numbers in _by_colour(chosen, table, key).items():
        dots = np.isin(of_spike, numbers)
        ax.plot(time[dots], row[dots], ".", color=colour, ms=size, mew=0, rasterized=True)
    for band in bands[:-1]:
        ax.axhline(band.stop - 0.5, color=FAINT, linewidth=0.5)
    draw_bands(ax, [Band(b.label, b.colour, b.start - 0.5, b.stop - 0.5) for b in bands])
    spans = analysis.stimuli(tree)
    for span in spans:
        _shade(ax, span, table, of_neuron[rows], (low, high), unit)
    draw_stimuli(ax, spans, low, high, behind=False)
    tidy(ax)
    ax.spines["left"].set_visible(False)
    _number_rows(ax, rows)
    among = int(table["size"].values[chosen].sum())
    drawn_of = f"{len(rows):,} of {among:,} neurons, evenly drawn" if len(rows) < among else f"all {among:,} neurons"
    note(ax, f"{drawn_of}; darker: inhibitory" if key.by == "family" else drawn_of)
    return ax


def _shade(
    ax: Axes, span: Span, table: xr.Dataset, of_row: NDArray[np.intp], within: tuple[float, float], unit: float
) -> None:
    """Shade the rows of the neurons that a stimulus reached, while it was on."""
    names = zip(table["region"].values.tolist(), table["name"].values.tolist(), strict=True)
    reached = np.array([span.reaches(region, population) for region, population in names])[of_row]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], reached, [False]]).astype(int)))
    for low, high in on_within(span.on, *within):
        for first, last in edges.reshape(-1, 2):
            ax.fill_between([low / unit, high / unit], first - 0.5, last - 0.5, color=STIMULUS, linewidth=0, zorder=0)


def _number_rows(ax: Axes, rows: NDArray[np.int64]) -> None:
    """Write numbers at the right, from the top down: of neurons, or of rows where neurons are in another order."""
    in_order = bool((np.diff(rows) < 0).all())
    numbers = rows if in_order else np.arange(len(rows))[::-1]
    places = np.unique(np.linspace(0, len(rows) - 1, min(5, len(rows))).round().astype(int))
    ax.yaxis.tick_right()
    ax.yaxis.set_label_position("right")
    ax.set_yticks(places, [f"{numbers[place]:,}" for place in places])
    ax.set_ylabel("neuron" if in_order else "drawn neuron")
    ax.tick_params(axis="y", length=0)


def _rows(
    chosen: NDArray[np.intp], table: xr.Dataset, key: Key, n_neurons: int
) -> tuple[NDArray[np.int64], list[Band]]:
    """Return the neurons to draw, from the lowest row up, and the rows of each group."""
    names = [name for name in key.names if name in set(key.of_population[chosen].tolist())]
    size, start = table["size"].values, table["start"].values
    members = {name: chosen[key.of_population[chosen] == name] for name in names}
    # By the root of their size: large groups still have most rows, and small ones can be seen.
    root = {name: float(np.sqrt(size[members[name]].sum())) for name in names}
    rows: list[NDArray[np.int64]] = []
    bands: list[Band] = []
    for name in reversed(names):
        total = size[members[name]].sum()
        wanted = n_neurons * root[name] / sum(root.values())
        share = min(1.0, wanted / total)
        at = sum(map(len, rows))
        inhibitory = table["transmitter"].values[members[name]] == "gaba"
        # The first of the table are drawn at the top, so that the panel reads as the table does.
        for p in reversed(members[name][np.argsort(inhibitory, kind="stable")].tolist()):
            n = max(1, round(size[p] * share))
            rows.append((start[p] + np.arange(n) * size[p] // n)[::-1])
        bands.append(Band(key.label(name), key.colour[name], at, sum(map(len, rows))))
    return np.concatenate(rows), bands


def _by_colour(chosen: NDArray[np.intp], table: xr.Dataset, key: Key) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for p in chosen.tolist():
        # Where a colour stands for a kind of population, it says all there is to say.
        colour = key.colour[str(key.of_population[p])]
        colour = shade(colour, str(table["transmitter"].values[p])) if key.by == "family" else colour
        found.setdefault(colour, []).append(p)
    return found
