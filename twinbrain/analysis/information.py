"""Mutual information between a neuron's spike count and the class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbrain.analysis.responses import Classes

_TRIALS_PER_LEVEL = 8


def information(count: NDArray[np.float64], classes: Classes) -> tuple[NDArray[np.float64], int]:
    r"""Return the mutual information between each neuron's count and the class, corrected for its bias.

    Parameters
    ----------
    count : numpy.ndarray, shape (trial, neuron)
        Spikes.
    classes : Classes
        Of the trials.

    Returns
    -------
    bits : numpy.ndarray, shape (neuron,)
        About 0, below it at times, for a neuron that tells nothing: a few hundredths of a bit too much where trials are
        few. NaN with a single class or where counts are missing.
    n_levels : int
        How many levels of the count are told apart.

    Notes
    -----
    The estimate from frequencies is too large by about :math:`(\sum_s (R_s - 1) - (R - 1)) / (2 N \ln 2)` bits, where
    of N trials R levels of the count were seen in all and :math:`R_s` in class s [1]_ [2]_. That holds while a class
    has several trials a level, so counts are put in levels of about equal frequency: one for eight trials of a class,
    and two at least. To put counts together can only take information away. With fewer than ten trials of a class a few
    hundredths of a bit of bias are left.

    References
    ----------
    .. [1] Miller 1955, Note on the bias of information estimates, in: Information Theory in Psychology, 95–100
    .. [2] Panzeri & Treves 1996, doi 10.1088/0954-898X/7/1/006
    """
    n_trials, n_neurons = count.shape
    n_levels = max(2, n_trials // (_TRIALS_PER_LEVEL * classes.n))
    bits = np.full(n_neurons, np.nan)
    if classes.n < 2:
        return bits, n_levels
    for neuron in range(n_neurons):
        if np.isfinite(count[:, neuron]).all():
            level = _levels(count[:, neuron], n_levels)
            bits[neuron] = _corrected(
                np.histogram2d(classes.index, level, (range(classes.n + 1), range(n_levels + 1)))[0]
            )
    return bits, n_levels


def _levels(count: NDArray[np.float64], n_levels: int) -> NDArray[np.intp]:
    """Return the level of each count: the count's own rank where there are few, else by the ranks of trials."""
    values, index, n = np.unique(count, return_inverse=True, return_counts=True)
    if len(values) <= n_levels:
        return index
    middle = (np.cumsum(n) - n / 2) / len(count)
    return (middle * n_levels).astype(np.intp)[index]


def _corrected(table: NDArray[np.float64]) -> float:
    """Return the information of a table of frequencies (class, level)."""
    n = table.sum()
    of_class, of_level = table.sum(axis=1), table.sum(axis=0)
    plain = _entropy(of_class / n) + _entropy(of_level / n) - _entropy(table.ravel() / n)
    seen = table > 0
    bias = (seen.sum() - seen.any(axis=1).sum() - (seen.any(axis=0).sum() - 1)) / (2 * n * np.log(2))
    return float(plain - bias)


def _entropy(share: NDArray[np.float64]) -> float:
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())
