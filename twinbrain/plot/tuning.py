"""Tuning of neurons for classes, and how selective they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain import analysis
from twinbrain.analysis.responses import complete, neuron_groups
from twinbrain.analysis.selectivity import MEASURES
from twinbrain.errors import SpecError
from twinbrain.plot.canvas import Band, draw_bands, draw_scale, new_axes, note, tidy
from twinbrain.plot.palette import RATE_MAP, colours
from twinbrain.plot.plain import plain_texts
from twinbrain.plot.strips import Strip, draw_strips, room_for, shown
from twinbrain.spec.suggest import suggestion

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SILENT = "#dddddd"
_MOST_NAMES = 26
_MOST_LABELS = 12


@plain_texts
def tuning(responses: xr.Dataset, by: str = "cell", *, ax: Axes | None = None) -> Axes:
    """Draw the mean response of each neuron to each class, as a share of its largest.

    Neurons lie group by group, and within it by the class that they prefer; those that never fire are grey, and so are
    those whose count is missing in a trial.

    Parameters
    ----------
    responses : xarray.Dataset
        ``count`` (trial, neuron) and ``label`` (trial).
    by : str, optional
        A coordinate of the neurons.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    found, groups = analysis.tuning(responses), neuron_groups(responses, by)
    mean, preferred = found["mean"].values, found["preferred"].values
    silent, missing = preferred < 0, ~complete(mean)
    share = np.where(silent, np.nan, mean / np.where(silent, 1, np.nanmax(np.nan_to_num(mean), axis=0)))
    others = np.nan_to_num(share).sum(axis=0)
    # By group, the silent last, by preferred class, the most selective first.
    order = np.lexsort((others, preferred, silent, groups.index))
    n_labels, n_neurons = mean.shape
    ax = new_axes(ax, max(3.6, min(0.34 * n_labels + 2.6, 9)), 5)
    ax.set_facecolor(_SILENT)
    image = ax.imshow(
        np.ma.masked_invalid(share.T[order]),
        aspect="auto",
        interpolation="nearest",
        cmap=RATE_MAP,
        vmin=0,
        vmax=1,
        extent=(-0.5, n_labels - 0.5, n_neurons, 0),
        rasterized=True,
    )
    tidy(ax)
    ax.spines[:].set_visible(False)
    labels = [shown(str(label), 14) for label in found["label"].values]
    every = -(-n_labels // _MOST_NAMES)
    upright = n_labels > _MOST_LABELS or max(map(len, labels)) > 3
    ax.set_xticks(range(0, n_labels, every), labels[::every], rotation=90 if upright else 0)
    ax.set_xlabel("class")
    colour = colours(groups.names)
    ends = np.cumsum(np.bincount(groups.index, minlength=len(groups.names)))
    bands = [
        Band(shown(name), colour[name], end - n, end)
        for name, end, n in zip(groups.names, ends, np.bincount(groups.index), strict=True)
    ]
    draw_bands(ax, bands, gap=0.07)
    for band in bands[1:]:
        ax.axhline(band.start, color="white", linewidth=1)
    draw_scale(ax, image, "mean count, share of the largest", beside=0.03, width=0.03)
    ax.set_title(_said(n_neurons, silent & ~missing, missing), loc="right", fontsize=7.5, color="#666666")
    return ax


def _said(n: int, silent: NDArray[np.bool_], missing: NDArray[np.bool_]) -> str:
    counts = ((silent.sum(), "never fired"), (missing.sum(), "without counts"))
    return ", ".join([f"{n:,} neurons", *(f"{m:,} {text}" for m, text in counts if m)])


@plain_texts
def selectivity(
    responses: xr.Dataset, measure: str = "class_selectivity", by: str = "cell", *, ax: Axes | None = None
) -> Axes:
    """Draw how selective neurons are: dots for neurons, and the mean of each group with its standard error.

    Parameters
    ----------
    responses : xarray.Dataset
        ``count`` (trial, neuron) and ``label`` (trial).
    measure : {"class_selectivity", "lifetime_sparseness", "information", "d_prime"}
        See `twinbrain.analysis.selectivity`.
    by : str, optional
        A coordinate of the neurons.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    SpecError
        If the measure is unknown.
    """
    if measure not in MEASURES:
        raise SpecError(f"measure: unknown measure {measure!r}; {suggestion(measure, MEASURES)}")
    found, groups = analysis.selectivity(responses), neuron_groups(responses, by)
    mean = groups.means(found[[measure]])
    colour = colours(groups.names)
    strips = [
        _strip(name, colour[name], found[measure].values[members], mean.isel({by: i}), measure)
        for i, (name, members) in enumerate(zip(groups.names, groups.members(), strict=True))
    ]
    ax = new_axes(ax, 5.6, room_for(len(strips)))
    draw_strips(ax, strips, reference=0.0)
    units = found[measure].attrs["units"]
    ax.set_xlabel(found[measure].attrs["long_name"] + (f" ({units})" if units != "1" else ""))
    note(ax, "dots: neurons; mean ± standard error", below=36)
    return ax


def _strip(name: str, colour: str, values: NDArray[np.float64], mean: xr.Dataset, measure: str) -> Strip:
    middle, error, n = (float(mean[key]) for key in (measure, f"{measure}_sem", f"{measure}_n"))
    of = "" if n == len(values) else f" of {len(values)}"
    return Strip(name, colour, values, middle, middle - error, middle + error, f"n = {n:.0f}{of}")
