"""A run in one figure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from twinbrain import analysis
from twinbrain.analysis.grouping import By
from twinbrain.analysis.intervals import mean_of_neurons
from twinbrain.analysis.tree import check_all_populations, clock, with_network
from twinbrain.errors import UnitError
from twinbrain.plot.brain_map import brain_map
from twinbrain.plot.canvas import entitle, new_figure
from twinbrain.plot.connectome import connectome_matrix
from twinbrain.plot.dots import draw_dots
from twinbrain.plot.palette import INK, Key, colour_key
from twinbrain.plot.plain import plain_texts
from twinbrain.plot.raster import raster
from twinbrain.plot.rates import rates
from twinbrain.plot.spectrum import spectrum
from twinbrain.plot.structure_function import structure_function
from twinbrain.units import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_RASTER = 2000.0  # ms
_MOST_ROWS = 20
_MOST_NAMES = 12  # beside the title

# Title, how many points it stands above the panel, and what draws it.
Panel = tuple[str, float, Callable[["Axes"], object]]


@plain_texts
def summary_figure(tree: xr.DataTree) -> Figure:
    """Draw a run: spikes, rates, connectome, regularity and rhythms, as far as it has them.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with `save`.
    """
    tree = with_network(tree)
    key = colour_key(tree)
    check_all_populations(tree, "the summary figure")
    left, right, below = _left(tree), _right(tree), _below(tree, key)
    figure = new_figure(14, 10.5 if len(left) > 1 else 8, top=0.93)
    _head(figure, tree, key)
    grid = figure.add_gridspec(2, 1, height_ratios=[2.25 if len(left) > 1 else 1.2, 1])
    widths = [[1.0], [1.75, 1.0], [2.7, 1.0]][len(right)]
    above = grid[0].subgridspec(1, len(widths), width_ratios=widths)
    for column, panels in enumerate((left, right)[: len(widths)]):
        cells = above[column].subgridspec(len(panels), 1)
        for i, panel in enumerate(panels):
            _draw(figure.add_subplot(cells[i]), panel)
    cells = grid[1].subgridspec(1, len(below))
    for i, panel in enumerate(below):
        _draw(figure.add_subplot(cells[i]), panel)
    return figure


def _draw(ax: Axes, panel: Panel) -> None:
    title, above, draw = panel
    draw(ax)
    entitle(ax, title, above)


def _left(tree: xr.DataTree) -> list[Panel]:
    several = analysis.regions(tree).sizes["region"] > 1
    # Names of stimuli stand between the panel and its title.
    above = 18.0 if analysis.stimuli(tree) else 6.0
    panels: list[Panel] = []
    if "spikes" in tree.children:
        start, stop = _raster_window(tree)
        texts = f"{start:.15g} ms", f"{stop:.15g} ms"
        title = f"Spikes from {start / 1000:g} to {stop / 1000:g} s"
        panels.append((title, above, lambda ax: raster(tree, start=texts[0], stop=texts[1], ax=ax)))
    what = "regions" if several else "populations"
    panels.append((f"Firing rate of {what}", above, lambda ax: rates(tree, legend=several, ax=ax)))
    return panels


def _raster_window(tree: xr.DataTree) -> tuple[float, float]:
    """Return the 2 s about the first stimulus, or the last 2 s."""
    part = clock(tree)
    end = part.stop * part.dt
    spans = [span for span in analysis.stimuli(tree) if span.start < end]
    start = min(span.start for span in spans) - _RASTER / 4 if spans else end - _RASTER
    start = max(0.0, min(start, end - _RASTER))
    return start, min(end, start + _RASTER)


def _right(tree: xr.DataTree) -> list[Panel]:
    connectome = analysis.connectome(tree)
    panels: list[Panel] = []
    if connectome.n_regions > 2 and connectome.centroids is not None:
        rate = analysis.mean_rates(tree, start=analysis.warm_up(tree))
        panels.append(("Mean rate, region by region", 6, lambda ax: brain_map(tree, rate, ax=ax)))
    if connectome.n_regions > 1:
        panels.append((f"Connectome {connectome.name}".rstrip(), 12, lambda ax: connectome_matrix(tree, ax=ax)))
    return panels


def _below(tree: xr.DataTree, key: Key) -> list[Panel]:
    start = analysis.warm_up(tree)
    by: By = "kind" if analysis.mean_rates(tree, "kind").sizes["kind"] <= _MOST_ROWS else "family"
    rate, rates = analysis.mean_rates(tree, by, start), analysis.mean_rates(tree, "population", start)
    panels: list[Panel] = []
    if "spikes" in tree.children:
        intervals = analysis.interval_statistics(tree, start)
        cv, cvs = mean_of_neurons(tree, intervals["cv"], by), mean_of_neurons(tree, intervals["cv"], "population")
        if rate.sizes[by] == rates.sizes["population"]:  # a region alone: its neurons are what differs
            part = clock(tree, start)
            seconds = (part.stop - part.start) * part.dt / 1000
            rates, cvs = _labelled(tree, intervals["n_spikes"] / seconds), _labelled(tree, intervals["cv"])
        panels = [("Irregularity", 6, lambda ax: draw_dots(cv, cvs, key, reference=1.0, ax=ax))]
    panels = [("Mean rate", 6, lambda ax: draw_dots(rate, rates, key, ax=ax)), *panels]
    try:
        analysis.spectrum(tree, key.by, start=start)
        panels.append(("Power spectrum of the rates", 6, lambda ax: spectrum(tree, start=start, legend=False, ax=ax)))
    except UnitError:  # the run is too short for one
        pass
    if analysis.tells_correlations(tree, start=start):
        title = "Structure and function"
        panels.append((title, 6, lambda ax: structure_function(tree, start=start, ax=ax)))
    return panels


def _labelled(tree: xr.DataTree, of_neurons: xr.DataArray) -> xr.DataArray:
    """Return values of neurons with the family and the name of their populations."""
    table = analysis.populations(tree)
    columns = {key: ("neuron", np.repeat(table[key].values, table["size"].values)) for key in ("family", "name")}
    return of_neurons.assign_coords(columns)


def _head(figure: Figure, tree: xr.DataTree, key: Key) -> None:
    """Write what the run is, and what the colours stand for."""
    from matplotlib.lines import Line2D

    attrs, network = tree.attrs, tree["network"].attrs
    n_regions = analysis.regions(tree).sizes["region"]
    facts = [
        f"{n_regions} region{'s' * (n_regions > 1)}",
        f"{_short(network['n_neurons'])} neurons",
        f"{_short(network['n_synapses'])} synapses",
        f"{float(attrs['committed']) / 1000:g} s",
        f"seed {attrs['seed']}",
        f"engine {attrs['engine']}",
    ]
    if (start := analysis.warm_up(tree)) is not None:
        facts.append(f"means from {number(start, 'ms') / 1000:g} s on")
    if attrs.get("status", "complete") != "complete":
        facts.append(str(attrs["status"]))
    figure.text(0.012, 0.972, str(attrs["workflow"]), fontsize=17, fontweight="bold", color=INK, va="center")
    figure.text(0.012, 0.943, "  ·  ".join(facts), fontsize=10.5, color=INK, va="center")
    if len(key.names) > _MOST_NAMES:  # they stand beside the raster, too
        return
    handles = [
        Line2D([], [], marker="o", ls="none", color=key.colour[name], label=key.label(name)) for name in key.names
    ]
    figure.legend(
        handles=handles,
        loc="center right",
        bbox_to_anchor=(0.992, 0.972),
        ncols=len(handles),
        frameon=False,
        fontsize=10,
        handletextpad=0.1,
        columnspacing=1.4,
    )


def _short(n: int) -> str:
    """Return a count as it is read: 12,345 and 12.3 million."""
    return f"{n:,}" if n < 1_000_000 else f"{n / 1e6:.3g} million" if n < 1_000_000_000 else f"{n / 1e9:.3g} billion"
