"""A measure of each kind of population: a large dot for its mean, small ones for what it is the mean of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from twinbrain.plot.canvas import new_axes, tidy
from twinbrain.plot.palette import FAINT, PLAIN, Key, shade

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_DOTS = 150  # of a row


def draw_dots(
    means: xr.DataArray, parts: xr.DataArray, key: Key, *, reference: float | None = None, ax: Axes | None = None
) -> Axes:
    """Draw a measure, a row for each kind of population.

    Parameters
    ----------
    means : xarray.DataArray, dims (kind,) or (family,)
        The mean of each row.
    parts : xarray.DataArray, dims (population,) or (neuron,)
        The values that are averaged, with the coordinates ``family`` and ``name``; of many, some are drawn.
    key : Key
        The colours.
    reference : float, optional
        A value to compare with, drawn as a line.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    by = str(means.dims[0])
    rows = means[by].values.tolist()
    ax = new_axes(ax, 5, 0.3 * len(rows) + 1)
    family, name = parts["family"].values, parts["name"].values
    row_of = {row: i for i, row in enumerate(rows)}
    row = np.array([row_of[f"{f}/{n}" if by == "kind" else str(f)] for f, n in zip(family, name, strict=True)])
    several = np.bincount(row).max() > 1
    if reference is not None:
        ax.axvline(reference, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
    for i, (group, mean) in enumerate(zip(rows, means.values, strict=True)):
        # Rows of families have no colour of their own where colours tell the kinds of one family.
        colour = key.colour.get(group if key.by == by else group.split("/")[0], PLAIN)
        if key.by == "family" and "transmitter" in means.coords:
            colour = shade(colour, str(means["transmitter"].values[i]))
        if several:
            values = parts.values[row == i]
            values = values[:: -(-len(values) // _MOST_DOTS)]
            # Spread evenly over the height of the row: the order has no meaning, and no draw is needed.
            height = i + 0.5 * ((np.arange(len(values)) * 0.618) % 1 - 0.5)
            ax.plot(values, height, ".", color=colour, alpha=0.35, ms=3.5, mew=0)
        ax.plot(mean, i, "o", color=colour, ms=6.5, mec="white", mew=0.8, zorder=3)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(axis="y", color=FAINT, alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)
    tidy(ax)
    of_families = key.by == "family" or by != key.by
    labels = [group.replace("/", "  ").replace("_", " ") if of_families else key.label(group) for group in rows]
    ax.set_yticks(range(len(rows)), labels)
    ax.tick_params(axis="y", length=0, labelsize=8 if len(rows) <= 16 else 7)
    ax.set_xlim(left=0)
    ax.set_xlabel(f"{means.attrs['long_name']}" + (f" ({means.attrs['units']})" if means.attrs["units"] != "1" else ""))
    return ax
