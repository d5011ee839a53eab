"""Means and variances of binned spike counts, of neurons and of groups of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.exact import variance
from twinbrain.analysis.grouping import Grouping
from twinbrain.analysis.tree import Clock
from twinbrain.analysis.windows import SPIKES_AT_ONCE, blocks
from twinbrain.errors import UnitError


@dataclass(frozen=True)
class CountMoments:
    """Means and variances over bins.

    Parameters
    ----------
    neuron_mean, neuron_variance : numpy.ndarray, shape (neuron,)
        Of the count of each neuron.
    group_variance : numpy.ndarray, shape (group,)
        Of the count of each group, its neurons taken together.
    """

    neuron_mean: NDArray[np.float64]
    neuron_variance: NDArray[np.float64]
    group_variance: NDArray[np.float64]


def count_moments(
    tree: xr.DataTree, grouping: Grouping, time: Clock, bin: str, *, spikes_at_once: int = SPIKES_AT_ONCE
) -> CountMoments:
    """Return means and variances of spike counts in bins.

    Spikes stream through memory, and sums are integers: the result does not depend on how much is read at once.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    grouping : Grouping
        Groups whose counts are taken together.
    time : Clock
        Part of the run; a last bin that is not full is left out.
    bin : str
        Width of the bins, a multiple of the time step.
    spikes_at_once : int, optional
        About how many spikes are held in memory.

    Raises
    ------
    UnitError
        If there are fewer than 2 bins.
    """
    width = time.steps(bin, "bin")
    n_bins = (time.stop - time.start) // width
    if n_bins < 2:
        raise UnitError(f"expected a run of at least 2 bins of {bin}, found {(time.stop - time.start) * time.dt:g} ms")
    of_neuron = grouping.of_neuron
    neuron, group = _Moments(len(of_neuron)), _Moments(grouping.n_groups)
    for block in blocks(tree, time, multiple=width, spikes_at_once=spikes_at_once):
        bins = (block.time_step - block.start) // width
        neuron.add(block.neuron, bins)
        group.add(of_neuron[block.neuron], bins)
    return CountMoments(neuron.sum / n_bins, neuron.variance(n_bins), group.variance(n_bins))


def standardised_variance(
    tree: xr.DataTree,
    grouping: Grouping,
    time: Clock,
    bin: str,
    moments: CountMoments,
    *,
    spikes_at_once: int = SPIKES_AT_ONCE,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the variance over bins of the sum of counts, each divided by its neuron's standard deviation.

    Parameters
    ----------
    tree, grouping, time, bin, spikes_at_once
        As in `count_moments`.
    moments : CountMoments
        What that has returned.

    Returns
    -------
    variance : numpy.ndarray, shape (group,)
    n_neurons : numpy.ndarray of int, shape (group,)
        How many neurons are in the sum: those whose count varies.
    """
    width = time.steps(bin, "bin")
    n_bins = (time.stop - time.start) // width
    varies = moments.neuron_variance > 0
    weight = np.divide(1.0, np.sqrt(moments.neuron_variance), out=np.zeros(len(varies)), where=varies)
    mean = np.bincount(grouping.of_neuron, weight * moments.neuron_mean, minlength=grouping.n_groups)
    # Bin after bin, so that the sum does not depend on how much is read at once.
    total = np.zeros((1, grouping.n_groups))
    done = 0
    for block in blocks(tree, time, multiple=width, spikes_at_once=spikes_at_once):
        rows = (block.stop - block.start) // width
        cell = (block.time_step - block.start) // width * grouping.n_groups + grouping.of_neuron[block.neuron]
        sums = np.bincount(cell, weight[block.neuron], minlength=rows * grouping.n_groups).reshape(rows, -1)
        total = np.cumsum(np.concatenate([total, (sums - mean) ** 2]), axis=0)[-1:]
        done += rows
    total = total[0] + (n_bins - done) * mean**2
    return total / n_bins, np.bincount(grouping.of_neuron[varies], minlength=grouping.n_groups)


class _Moments:
    """Sums of counts and of their squares; bins without a spike add nothing to either."""

    def __init__(self, n: int) -> None:
        self.sum = np.zeros(n, dtype=np.int64)
        self.squares = np.zeros(n, dtype=np.int64)

    def add(self, index: NDArray[np.integer], bins: NDArray[np.int64]) -> None:
        n = len(self.sum)
        cells, counts = np.unique(bins * n + index, return_counts=True)
        np.add.at(self.sum, cells % n, counts)
        np.add.at(self.squares, cells % n, counts**2)

    def variance(self, n_bins: int) -> NDArray[np.float64]:
        return variance(n_bins, self.sum, self.squares)
