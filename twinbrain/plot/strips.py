"""Values of groups, a row for each: small dots for single values, a large one for the mean, a line for its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinbrain.plot.canvas import tidy
from twinbrain.plot.palette import FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_DOTS = 150  # of a row


@dataclass(frozen=True, eq=False)
class Strip:
    """A row.

    Parameters
    ----------
    label, colour : str
        What it is, and how it is drawn.
    values : numpy.ndarray
        Single values; NaN is left out.
    mean, low, high : float
        The mean and its interval; NaN is not drawn.
    remark : str, optional
        Written at the right of the row.
    marker : str, optional
        Of the mean.
    """

    label: str
    colour: str
    values: NDArray[np.floating]
    mean: float
    low: float = float("nan")
    high: float = float("nan")
    remark: str = ""
    marker: str = "o"


def draw_strips(ax: Axes, strips: Sequence[Strip], *, reference: float | None = None, name_rows: bool = True) -> None:
    """Draw rows from the first at the top.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    strips : sequence of Strip
    reference : float, optional
        A value to compare with, drawn as a line.
    name_rows : bool, optional
        Whether rows are named.
    """
    if reference is not None:
        ax.axvline(reference, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    for i, strip in enumerate(strips):
        values = strip.values[np.isfinite(strip.values)]
        values = values[:: -(-len(values) // _MOST_DOTS) or 1]
        # Spread evenly over the height of the row: the order has no meaning, and no draw is needed.
        height = i + 0.56 * ((np.arange(len(values)) * 0.618) % 1 - 0.5)
        ax.plot(values, height, ".", color=strip.colour, alpha=0.45, ms=4.5, mew=0, zorder=2)
        if np.isfinite(strip.low) and np.isfinite(strip.high):
            ax.plot([strip.low, strip.high], [i, i], color=strip.colour, linewidth=2, solid_capstyle="butt", zorder=3)
        if np.isfinite(strip.mean):
            ax.plot(strip.mean, i, strip.marker, color=strip.colour, ms=6.5, mec="white", mew=0.8, zorder=4)
        if strip.remark:
            right = ax.get_yaxis_transform()
            ax.text(1.015, i, strip.remark, transform=right, ha="left", va="center", fontsize=7.5, color=INK)
    ax.set_ylim(len(strips) - 0.4, -0.6)
    ax.grid(axis="y", color=FAINT, alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)
    tidy(ax)
    ax.set_yticks(range(len(strips)), [shown(strip.label) for strip in strips] if name_rows else [""] * len(strips))
    ax.tick_params(axis="y", length=0, labelsize=8 if len(strips) <= 16 else 7)


def shown(name: str, width: int = 26) -> str:
    """Return a name as it is written beside a row: in two lines, cut off, where it is long."""
    return "\n".join(wrap(name.replace("_", " "), width, max_lines=2, placeholder=" …")) or name


def room_for(n_rows: int) -> float:
    """Return how high a panel of so many rows is, in inches."""
    return max(0.34 * n_rows + 1.0, 2.0)
