"""How irregularly neurons fire: statistics of the intervals between their spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.exact import variance
from twinbrain.analysis.grouping import By, group_by
from twinbrain.analysis.tree import clock
from twinbrain.analysis.windows import SPIKES_AT_ONCE, Block, blocks

_EXCLUDED = "neurons with fewer than 3 spikes are left out"


class _Sums:
    """Sums over the intervals of each neuron, which grow block after block.

    Sums of steps and of their squares are integers, so that the result does not depend on the blocks.
    """

    def __init__(self, n_neurons: int) -> None:
        self.last = np.full(n_neurons, -1, dtype=np.int64)
        self.interval = np.zeros(n_neurons, dtype=np.int64)  # the last one; 0 before the second spike
        self.n_spikes = np.zeros(n_neurons, dtype=np.int64)
        self.n = np.zeros(n_neurons, dtype=np.int64)
        self.sum = np.zeros(n_neurons, dtype=np.int64)
        self.squares = np.zeros(n_neurons, dtype=np.int64)
        self.contrast = np.zeros(n_neurons)  # of |I_i+1 - I_i| / (I_i+1 + I_i)

    def add(self, block: Block) -> None:
        if not block.neuron.size:
            return
        order = np.argsort(block.neuron, kind="stable")
        neuron, step = block.neuron[order], block.time_step[order]
        first = np.flatnonzero(np.diff(neuron, prepend=-1))
        before = np.roll(step, 1)
        before[first] = self.last[neuron[first]]
        interval = np.where(before >= 0, step - before, 0)
        previous = np.roll(interval, 1)
        previous[first] = self.interval[neuron[first]]
        ends = np.append(first[1:], len(neuron)) - 1
        self.last[neuron[ends]], self.interval[neuron[ends]] = step[ends], interval[ends]
        self.n_spikes[neuron[first]] += ends + 1 - first
        self.n[neuron[first]] += np.add.reduceat((interval > 0).astype(np.int64), first)
        self.sum[neuron[first]] += np.add.reduceat(interval, first)
        self.squares[neuron[first]] += np.add.reduceat(interval**2, first)
        both = (interval > 0) & (previous > 0)
        contrast = np.abs(interval - previous) / np.where(both, interval + previous, 1)
        self.contrast[neuron[first]] += np.add.reduceat(np.where(both, contrast, 0.0), first)

    def of_neurons(self, dt: float) -> dict[str, NDArray[Any]]:
        """Return the statistics of each neuron, NaN where there are fewer than 2 intervals."""
        n = np.where(self.n > 1, self.n, np.nan)
        mean = self.sum / n
        return {
            "n_spikes": self.n_spikes,
            "mean": mean * dt,
            "cv": np.sqrt(variance(self.n, self.sum, self.squares)) / mean,
            "cv2": 2 * self.contrast / (n - 1),
        }


def interval_statistics(
    tree: xr.DataTree, start: str | None = None, stop: str | None = None, *, spikes_at_once: int = SPIKES_AT_ONCE
) -> xr.Dataset:
    """Return statistics of the intervals between the spikes of each neuron.

    Spikes stream through memory, which does not grow with the run.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    start, stop : str, optional
        Part of the run.
    spikes_at_once : int, optional
        About how many spikes are held in memory.

    Returns
    -------
    xarray.Dataset, dim ``neuron``
        ``n_spikes``, and of the intervals ``mean`` (ms), ``cv`` (standard deviation / mean) and ``cv2`` [1]_, NaN for a
        neuron with fewer than 3 spikes.

    References
    ----------
    .. [1] Holt et al. 1996, doi 10.1152/jn.1996.75.5.1806: the mean of 2 |I' - I| / (I' + I) over neighbouring
       intervals, which slow changes of the rate do not inflate.
    """
    part = clock(tree, start, stop)
    sums = _Sums(int(group_by(tree, "population").sizes.sum()))
    for block in blocks(tree, part, spikes_at_once=spikes_at_once):
        sums.add(block)
    found = sums.of_neurons(part.dt)
    attrs = {
        "n_spikes": {"long_name": "number of spikes", "units": "1"},
        "mean": {"long_name": "mean inter-spike interval", "units": "ms"},
        "cv": {"long_name": "CV of inter-spike intervals", "units": "1"},
        "cv2": {"long_name": "CV2 of inter-spike intervals", "units": "1"},
    }
    return xr.Dataset({key: ("neuron", found[key], attrs[key]) for key in attrs}, attrs={"excluded": _EXCLUDED})


def cv_isi(tree: xr.DataTree, by: By = "population", start: str | None = None, stop: str | None = None) -> xr.DataArray:
    """Return the coefficient of variation of inter-spike intervals, averaged over neurons.

    It is 0 for regular firing and 1 for a Poisson process; it is biased low where neurons have fewer than about ten
    spikes [1]_.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    by : {"population", "region", "kind", "family"}
        What the mean is taken over. Neurons with fewer than 3 spikes are left out.
    start, stop : str, optional
        Part of the run.

    Returns
    -------
    xarray.DataArray, dims (by,)
        The coordinate ``n_included`` tells how many neurons each mean is of; NaN where there is none.

    References
    ----------
    .. [1] Nawrot et al. 2008, doi 10.1016/j.jneumeth.2007.10.013
    """
    return mean_of_neurons(tree, interval_statistics(tree, start, stop)["cv"], by).assign_attrs(excluded=_EXCLUDED)


def mean_of_neurons(tree: xr.DataTree, values: xr.DataArray, by: By) -> xr.DataArray:
    """Return the mean over the neurons of each group that have a value.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    values : xarray.DataArray, dims (neuron,)
        One value a neuron; NaN is left out.
    by : {"population", "region", "kind", "family"}
    """
    grouping = group_by(tree, by)
    mean, included = grouping.mean_of_neurons(values.values)
    array = grouping.array(mean, long_name=values.attrs["long_name"], units=values.attrs["units"])
    array.coords["n_included"] = (by, included)
    return array.rename(values.name)
