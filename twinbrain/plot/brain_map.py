"""Regions where they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain import analysis
from twinbrain.analysis.arguments import check_has_regions
from twinbrain.errors import ConnectomeError
from twinbrain.plot.canvas import draw_legend, draw_scale, new_axes, tidy
from twinbrain.plot.connectome import families_of
from twinbrain.plot.palette import DIFFERENCE_MAP, FAINT, INK, PLAIN, RATE_MAP, colour_key, root_scale
from twinbrain.plot.plain import plain_texts
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.plain_numbers import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_NAMES = 10
# Width of a letter and height of a line, of the size of the map.
_LETTER, _LINE = 0.025, 0.045


@plain_texts
def brain_map(
    run: xr.DataTree | Connectome,
    values: xr.DataArray | None = None,
    *,
    label: str | None = None,
    n_connections: int = 150,
    ax: Axes | None = None,
) -> Axes:
    """Draw the regions at their centroids, along the two axes in which they spread most.

    Data sets do not agree on what x, y and z are: the axes carry the names that the connectome gives them. Sides are
    called left and right as the connectome calls the hemispheres.

    Parameters
    ----------
    run : xarray.DataTree or Connectome
        A run, or a connectome alone.
    values : xarray.DataArray, dims (region,), optional
        What the colour tells, with its ``long_name`` and ``units``; by default the family. Values of which some are
        negative, such as a difference of two runs, are drawn from blue over white, which is 0, to red. The regions of
        the largest values are named.
    label : str, optional
        What the values are; by default what they say themselves.
    n_connections : int, optional
        How many of the strongest connections are drawn as lines.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ConnectomeError
        If the connectome has no centroids, or a region no value or several.
    """
    connectome = run if isinstance(run, Connectome) else analysis.connectome(run)
    if connectome.centroids is None:
        raise ConnectomeError(
            f"expected the centroids of {connectome.name or 'the connectome'}, found none; "
            "add them: connectome.replace(centroids=...)"
        )
    n_connections = whole("n_connections", n_connections, 0)
    spread = np.ptp(connectome.centroids.values, axis=0)
    upward, across = np.argsort(-spread, kind="stable")[:2]
    place = connectome.centroids.values[:, [across, upward]]
    ax = new_axes(ax, 4.6, 5)
    _draw_outline(ax, place)
    _draw_connections(ax, connectome, place, n_connections)
    # What lies on top is drawn last.
    height = connectome.centroids.values[:, ({0, 1, 2} - {upward, across}).pop()]
    order = np.argsort(height, kind="stable")
    style: dict[str, Any] = {
        "s": float(np.clip(4000 / len(place), 18, 90)),
        "edgecolors": "white",
        "linewidths": 0.6,
        "zorder": 3,
    }
    if values is not None:
        if values.dims != ("region",):
            raise ConnectomeError(
                f"values: expected one for each region, found dims {list(values.dims)}; take them by region"
            )
        check_has_regions("values", connectome.labels, map(str, values["region"].values))
        shown = values.sel(region=connectome.labels).values[order]
        differs = bool(np.nanmin(shown) < 0)
        top = float(np.nanmax(np.abs(shown))) or 1.0
        colours = {"cmap": DIFFERENCE_MAP, "vmin": -top, "vmax": top} if differs else _plain(top)
        dots = ax.scatter(place[order, 0], place[order, 1], c=shown, **colours, **style)
        draw_scale(ax, dots, label or _label(values, differs), beside=0.06, width=0.05)
        _name_regions(ax, place[order], np.array(connectome.labels)[order], np.abs(shown))
    elif isinstance(run, Connectome):
        ax.scatter(place[order, 0], place[order, 1], color=PLAIN, **style)
    else:
        key, family = colour_key(run), families_of(run, connectome)[order]
        colour = [key.colour[str(name)] if key.by == "family" else PLAIN for name in family]
        ax.scatter(place[order, 0], place[order, 1], color=colour, **style)
        for name in key.names if key.by == "family" else ():
            ax.plot([], [], "o", ms=5, mew=0, color=key.colour[name], label=key.label(name))
        if key.by == "family":
            draw_legend(ax)
    _name_sides(ax, connectome, place)
    ax.set_aspect("equal")
    tidy(ax)
    names = connectome.centroids["axis"].values
    ax.set_xlabel(f"{names[across]} (mm)")
    ax.set_ylabel(f"{names[upward]} (mm)")
    return ax


def _plain(top: float) -> dict[str, Any]:
    return {"cmap": RATE_MAP, "norm": root_scale(top)}


def _label(values: xr.DataArray, differs: bool) -> str:
    """Return what values are; a rate that is negative is a difference, whatever its attributes still say."""
    name, units = str(values.attrs.get("long_name", values.name or "value")), str(values.attrs.get("units", "1"))
    text = f"difference of {name}" if differs and units == "Hz" else name
    return text if units == "1" else f"{text} ({units})"


def _name_regions(ax: Axes, place: NDArray[np.float64], labels: NDArray[np.str_], size: NDArray[np.float64]) -> None:
    """Name all regions where they are few, else those of the largest values whose names do not lie on each other.

    Names at the right edge are written to the left of their places, where there is room.
    """
    size_of_map = np.ptp(place, axis=0).max()
    edge = place[:, 0].min() + 0.75 * np.ptp(place[:, 0])
    named: list[tuple[float, float, float]] = []
    for i in np.argsort(-np.nan_to_num(size), kind="stable"):
        if len(named) == _MOST_NAMES:
            return
        x, y = place[i]
        width = _LETTER * size_of_map * len(labels[i])
        first = x - width if (is_at_edge := x > edge) else x
        if any(abs(y - v) < _LINE * size_of_map and first < last and begin < first + width for begin, last, v in named):
            continue
        named.append((first, first + width, y))
        offset, side = ((-4, 4), "right") if is_at_edge else ((4, 4), "left")
        ax.annotate(labels[i], (x, y), offset, "data", "offset points", fontsize=6.5, color=INK, ha=side, zorder=5)


def _name_sides(ax: Axes, connectome: Connectome, place: NDArray[np.float64]) -> None:
    """Write "left" and "right" above the halves, where the hemispheres lie beside each other."""
    if connectome.hemisphere is None:
        return
    sides = connectome.hemisphere.values
    middle = {side: float(np.median(place[sides == side, 0])) for side in ("left", "right") if (sides == side).any()}
    if len(middle) < 2 or abs(middle["left"] - middle["right"]) < 0.1 * np.ptp(place[:, 0]):
        return
    for side, centre in middle.items():
        above = ax.get_xaxis_transform()
        ax.text(centre, 0.995, side, transform=above, ha="center", va="top", fontsize=8, color=INK)


def _draw_outline(ax: Axes, place: NDArray[np.float64]) -> None:
    """Fill the convex hull of the regions, a little widened and rounded."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        corners = place[ConvexHull(place).vertices]
    except (QhullError, ValueError):  # fewer than three regions, or all in a line
        return
    angle = np.linspace(0, 2 * np.pi, 361)
    direction = np.stack([np.cos(angle), np.sin(angle)])
    # The farthest corner in each direction, moved outwards: the support function of the hull and a disc.
    reach = (corners @ direction).max(axis=0) + 0.06 * np.ptp(place, axis=0).max()
    step = np.gradient(reach, angle)
    outline = reach * direction + step * np.stack([-np.sin(angle), np.cos(angle)])
    ax.fill(*outline, facecolor="#f4f4f4", edgecolor="#d0d0d0", linewidth=1, zorder=0)


def _draw_connections(ax: Axes, connectome: Connectome, place: NDArray[np.float64], n: int) -> None:
    from matplotlib.collections import LineCollection

    weight = connectome.weight.values.copy()
    np.fill_diagonal(weight, 0)
    weight = np.triu(np.maximum(weight, weight.T))
    # Among equally strong ones, those drawn are spread over the brain rather than the first in the list.
    spread = np.arange(weight.size) * 0.6180339887498949 % 1
    target, source = np.unravel_index(np.lexsort((spread, -weight.ravel()))[:n], weight.shape)
    kept = weight[target, source] > 0
    target, source = target[kept], source[kept]
    if target.size:
        strength = weight[target, source] / weight.max()
        lines = np.stack([place[target], place[source]], axis=1)
        ax.add_collection(
            LineCollection(list(lines), colors=FAINT, linewidths=0.2 + 0.8 * strength, alpha=0.5, zorder=1)
        )
