"""The connectome as a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain import analysis
from twinbrain.errors import StoreError
from twinbrain.plot.canvas import Band, draw_bands, draw_scale, new_axes, tidy
from twinbrain.plot.palette import FAINT, WEIGHT_MAP, Key, colour_key
from twinbrain.plot.plain import plain_texts
from twinbrain.spec.connectome import Connectome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_NAMES = 30


@plain_texts
def connectome_matrix(run: xr.DataTree | Connectome, *, ax: Axes | None = None) -> Axes:
    """Draw the weights of a connectome, on a logarithmic scale if they span a decade; rows are targets.

    Parameters
    ----------
    run : xarray.DataTree or Connectome
        Of a run, regions are sorted by hemisphere and family; of a connectome alone, by hemisphere.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    from matplotlib.colors import LogNorm, Normalize

    layout = region_order(run)
    order = layout.order
    weight = layout.connectome.weight.values[np.ix_(order, order)]
    n, present = len(order), weight[weight > 0]
    ax = new_axes(ax, 5.6, 5)
    # Weights span decades; what is below the weakest hundredth is drawn as that.
    low, high = (float(np.quantile(present, 0.01)), float(present.max())) if present.size else (0.1, 1.0)
    norm = LogNorm(low, high, clip=True) if high >= 10 * low else Normalize(0, high)
    shown = np.ma.masked_equal(weight, 0)
    image = ax.imshow(shown, cmap=WEIGHT_MAP, norm=norm, interpolation="nearest", extent=(0, n, n, 0), rasterized=True)
    draw_region_axes(ax, layout, directed=True)
    draw_scale(ax, image, "weight", beside=0.04, width=0.035)
    return ax


@dataclass(frozen=True, eq=False)
class RegionOrder:
    """The order in which regions stand along a matrix.

    Parameters
    ----------
    connectome : Connectome
        Whose regions they are.
    order : numpy.ndarray of int
        By hemisphere, then by family.
    families : numpy.ndarray of str, optional
        Of each region of the connectome, where there are several.
    key : Key, optional
        Their colours.
    """

    connectome: Connectome
    order: NDArray[np.intp]
    families: NDArray[np.str_] | None
    key: Key | None

    @property
    def labels(self) -> list[str]:
        """Labels of the regions, in this order."""
        return [self.connectome.labels[i] for i in self.order]

    @property
    def sides(self) -> NDArray[np.str_] | None:
        """Hemispheres of the regions, in this order, where they are known."""
        hemisphere = self.connectome.hemisphere
        return None if hemisphere is None else hemisphere.values[self.order]


def region_order(run: xr.DataTree | Connectome) -> RegionOrder:
    """Return the order in which the regions of a run, or of a connectome, stand along a matrix."""
    connectome, families, key = _parts(run)
    sides = None if connectome.hemisphere is None else connectome.hemisphere.values
    return RegionOrder(connectome, _order(connectome.n_regions, sides, families, key), families, key)


def draw_region_axes(ax: Axes, layout: RegionOrder, *, directed: bool) -> None:
    """Name the regions along both axes of a matrix, or their sides where they are many.

    Where what the matrix shows is directed, targets are in rows.
    """
    n, sides = len(layout.order), layout.sides
    tidy(ax)
    ax.spines[:].set(visible=True, color=FAINT, linewidth=0.6)
    ax.set_xlabel("source" if directed else "region")
    ax.set_ylabel("target" if directed else "region")
    if n <= _MOST_NAMES:
        ax.set_xticks(np.arange(n) + 0.5, layout.labels, rotation=90)
        ax.set_yticks(np.arange(n) + 0.5, layout.labels)
        ax.tick_params(length=0, labelsize=7, pad=6 if layout.key else 2)
    else:
        _name_sides(ax, sides, n)
    if layout.key is not None and layout.families is not None:
        bands = _runs(layout.families[layout.order], layout.key, sides)
        for axis in ("x", "y"):
            draw_bands(ax, bands, axis=axis, names=False)


def _parts(run: xr.DataTree | Connectome) -> tuple[Connectome, NDArray[np.str_] | None, Key | None]:
    """Return the connectome, and the family of each of its regions and their colours, where there are several."""
    if isinstance(run, Connectome):
        return run, None, None
    key = colour_key(run)
    connectome = analysis.connectome(run)
    families = families_of(run, connectome)
    return (connectome, families, key) if key.by == "family" else (connectome, None, None)


def families_of(run: xr.DataTree, connectome: Connectome) -> NDArray[np.str_]:
    """Return the family of each region of the connectome of a run.

    Raises
    ------
    StoreError
        If populations of the run were selected, and none of some region.
    """
    table = analysis.regions(run)
    if lacking := sorted({*connectome.labels} - {*table["region"].values.tolist()}):
        raise StoreError(
            f"expected populations of each region of the connectome, found none of {lacking[0]!r}, since some were "
            "selected: give the whole run"
        )
    return np.asarray(table["family"].sel(region=connectome.labels).values)


def _order(
    n: int, sides: NDArray[np.str_] | None, families: NDArray[np.str_] | None, key: Key | None
) -> NDArray[np.intp]:
    """Return the regions sorted by hemisphere, then by family, else as they were."""
    side = [0] * n if sides is None else [("left", "right", "").index(str(s)) for s in sides]
    family = [0] * n if key is None or families is None else [key.names.index(str(f)) for f in families]
    return np.lexsort((family, side))


def _name_sides(ax: Axes, sides: NDArray[np.str_] | None, n: int) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    if sides is None:
        return
    names = [name for name in ("left", "right", "") if (sides == name).any()]
    places = [np.flatnonzero(sides == name) for name in names]
    centres = [float(place.mean()) + 0.5 for place in places]
    ax.set_xticks(centres, [name or "middle" for name in names])
    ax.set_yticks(centres, [name or "middle" for name in names], rotation=90, va="center")
    ax.tick_params(length=0, pad=4)
    ax.tick_params(axis="y", pad=8)
    for place in places[1:]:
        ax.axhline(place[0], color=FAINT, linewidth=0.7)
        ax.axvline(place[0], color=FAINT, linewidth=0.7)


def _runs(families: NDArray[np.str_], key: Key, sides: NDArray[np.str_] | None) -> list[Band]:
    """Return the stretches of neighbouring regions of one family and side."""
    change = families[1:] != families[:-1]
    if sides is not None:
        change |= sides[1:] != sides[:-1]
    edges = [0, *(np.flatnonzero(change) + 1).tolist(), len(families)]
    return [
        Band(key.label(str(families[low])), key.colour[str(families[low])], low, high) for low, high in pairwise(edges)
    ]
