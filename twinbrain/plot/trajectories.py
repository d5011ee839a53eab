"""Paths of population activity in few dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain import analysis
from twinbrain.errors import LearnError
from twinbrain.plot.canvas import new_axes, tidy
from twinbrain.plot.palette import INK, colours, mix
from twinbrain.plot.plain import plain_texts
from twinbrain.plot.strips import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_COLOURS = 8


@plain_texts
def trajectories(responses: xr.Dataset, n_dims: int = 2, *, ax: Axes | None = None) -> Axes:
    """Draw the path of the mean activity in each class along the directions in which it varies most.

    A path begins at its ring, ends at its dot, and is named where it is farthest out.

    Parameters
    ----------
    responses : xarray.Dataset
        ``rate`` (trial, bin, neuron) with the coordinate ``time`` (bin) in ms, and ``label`` (trial).
    n_dims : {2, 3}
        How many directions.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure. For 3 directions, axes of the projection ``"3d"``.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    LearnError
        If the activity has fewer directions, or ``n_dims`` is neither.
    """
    if n_dims not in (2, 3):
        raise LearnError(f"trajectories: expected n_dims 2 or 3, found {n_dims!r}")
    found = analysis.trajectories(responses, n_dims)
    if found.sizes["component"] < n_dims:
        raise LearnError(
            f"trajectories: expected activity of at least {n_dims} dimensions, found {found.sizes['component']}"
        )
    if ax is None:
        extra = {"projection": "3d"} if n_dims == 3 else {}
        ax = new_axes(None, 5.4, 4.6, **extra)
        if n_dims == 3:
            cast(Any, ax).set_box_aspect(None, zoom=0.86)  # which leaves room for the names of the axes
    written: list[NDArray[np.float64]] = []
    reach = np.abs(found["score"].values).max() or 1.0
    names = [shown(str(label), 14) for label in found["label"].values]
    for name, colour, path in zip(names, _class_colours(len(names)), found["score"].values, strict=True):
        columns = [path[:, i] for i in range(n_dims)]
        ax.plot(*columns, color=colour, linewidth=1.3)
        ax.plot(*[c[:1] for c in columns], "o", ms=5, mfc="white", mec=colour, mew=1.2, zorder=4)
        ax.plot(*[c[-1:] for c in columns], "o", ms=4, color=colour, mew=0, zorder=4)
        place = _free(path, written, 0.14 * reach)
        written.append(place)
        _name(ax, place, name, mix(colour, "#000000", 0.25))
    share = 100 * found["explained"].values
    axes = [ax.xaxis, ax.yaxis, *([ax.zaxis] if n_dims == 3 else [])]  # type: ignore[attr-defined]
    for i, axis in enumerate(axes):
        axis.set_label_text(f"component {i + 1} ({share[i]:.0f} %), Hz")
    tidy(ax)
    if n_dims == 3:
        ax.zaxis.label.set(size=9, color=INK)  # type: ignore[attr-defined]
        ax.tick_params(axis="both", labelsize=7)
    span = found["time"].values
    ax.set_title(f"{span[0]:g} to {span[-1]:g} ms; ring: begin, dot: end", loc="right", fontsize=7.5, color="#666666")
    return ax


def _free(path: NDArray[np.float64], taken: list[NDArray[np.float64]], apart: float) -> NDArray[np.float64]:
    """Return the point of a path to name it at: the farthest out that is apart from others, else the most apart."""
    outwards = path[np.argsort(-np.linalg.norm(path, axis=1), kind="stable")]
    distance = [min((float(np.linalg.norm(point - other)) for other in taken), default=np.inf) for point in outwards]
    apart_enough = np.flatnonzero(np.array(distance) >= apart)
    point: NDArray[np.float64] = outwards[apart_enough[0] if len(apart_enough) else int(np.argmax(distance))]
    return point


def _name(ax: Axes, place: NDArray[np.float64], name: str, colour: str) -> None:
    """Write a name outwards of a place."""
    write: Any = ax.text
    if len(place) == 3:
        write(*place, f" {name}", va="center", color=colour, fontsize=8)
        return
    outwards = place / (np.linalg.norm(place) or 1.0)
    align: dict[str, Any] = {"ha": "left" if outwards[0] > 0 else "right", "va": "center"}
    if abs(outwards[0]) < 0.5:
        align = {"ha": "center", "va": "bottom" if outwards[1] > 0 else "top"}
    ax.annotate(name, tuple(place), tuple(4 * outwards), "data", "offset points", color=colour, fontsize=8, **align)


def _class_colours(n: int) -> list[str]:
    """Return colours of classes: distinct ones, and an ordered scale where there are too many for that."""
    if n <= _MOST_COLOURS:
        return list(colours([f"class {i}" for i in range(n)]).values())
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colormaps["turbo"](x)) for x in np.linspace(0.05, 0.95, n)]
