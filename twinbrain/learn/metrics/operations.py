"""Operations, sparsity and footprint, as NeuroBench defines them.

All are counts, of no hardware: what is skipped on one chip is computed on another. Arrays of activity are time-first,
(step, trial, neuron), and counts are a trial's, on average.

References
----------
Yik et al. (2025), doi 10.1038/s41467-025-56739-4; definitions of version 2.3.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError


@dataclass(frozen=True)
class Operations:
    """Synaptic operations of a trial.

    Parameters
    ----------
    dense : float
        All that a machine does that skips nothing.
    macs : float
        Effective multiply-accumulates: the input is a number and not 0, and neither is the weight.
    acs : float
        Effective accumulates: the input is a spike, and the weight is not 0.
    """

    dense: float = 0.0
    macs: float = 0.0
    acs: float = 0.0

    def __add__(self, other: Operations) -> Operations:
        return Operations(self.dense + other.dense, self.macs + other.macs, self.acs + other.acs)

    def __mul__(self, factor: float) -> Operations:
        return Operations(self.dense * factor, self.macs * factor, self.acs * factor)

    def __truediv__(self, n_trials: float) -> Operations:
        return Operations(self.dense / n_trials, self.macs / n_trials, self.acs / n_trials)


def is_binary(values: NDArray) -> bool:
    """Return whether values are spikes: 0 or 1, or -1 where a spike has a sign."""
    return bool(np.isin(values, (-1, 0, 1)).all())


def dense_operations(input: NDArray, weight: NDArray) -> Operations:
    """Return the operations of a matrix of weights.

    Parameters
    ----------
    input : ndarray, shape (step, trial, source)
        What comes in: accumulates if all of it is binary, else multiply-accumulates.
    weight : ndarray, shape (target, source)
        The weights. A bias is not counted.

    Raises
    ------
    LearnError
        If the two do not have as many sources.
    """
    if input.ndim != 3 or weight.ndim != 2 or input.shape[2] != weight.shape[1]:
        raise LearnError(
            f"operations: expected input (step, trial, source) and weight (target, source), found {input.shape} and "
            f"{weight.shape}; put time first"
        )
    active = np.count_nonzero(input.reshape(-1, input.shape[2]), axis=0)
    effective = float(active @ np.count_nonzero(weight, axis=0))
    total = Operations(
        float(input.shape[0] * input.shape[1] * weight.size),
        *((0.0, effective) if is_binary(input) else (effective, 0.0)),
    )
    return total / input.shape[1]


def spike_operations(spikes: NDArray, out_degree: NDArray[np.int64]) -> float:
    """Return how many synapses spikes reach: the effective accumulates.

    Parameters
    ----------
    spikes : ndarray, shape (step, trial, neuron), or of counts, shape (trial, neuron)
        Spikes of each neuron.
    out_degree : ndarray of int64, shape (neuron,)
        Its synapses.

    Raises
    ------
    LearnError
        If the two do not have as many neurons.
    """
    counts = spikes.sum(0, dtype=np.int64) if spikes.ndim == 3 else spikes
    if counts.ndim != 2 or counts.shape[1] != len(out_degree):
        raise LearnError(
            f"spikes: expected {len(out_degree)} neurons, as there are out-degrees, in the last place, found shape "
            f"{spikes.shape}; give (step, trial, neuron) or (trial, neuron)"
        )
    return float((counts @ out_degree).mean())


def activation_sparsity(activity: Iterable[NDArray]) -> float:
    """Return the share of zeros among activities, over all layers, steps, trials and neurons; NaN if there are none.

    Parameters
    ----------
    activity : iterable of ndarray
        One a layer.
    """
    return _share_of_zeros(activity)


def connection_sparsity(weights: Iterable[NDArray]) -> float:
    """Return the share of zeros among weights, over all layers; NaN if there are none.

    Parameters
    ----------
    weights : iterable of ndarray
        One a layer; what a mask has taken away counts as 0.
    """
    return _share_of_zeros(weights)


def membrane_updates(potential: NDArray) -> float:
    """Return how often membrane potentials change: each at the first step, then wherever a step differs from the last.

    Parameters
    ----------
    potential : ndarray, shape (step, trial, neuron)
        After each step.
    """
    if not len(potential):
        return 0.0
    return (potential[0].size + int(np.count_nonzero(np.diff(potential, axis=0)))) / potential.shape[1]


def _share_of_zeros(arrays: Iterable[NDArray]) -> float:
    zeros = size = 0
    for array in arrays:
        zeros += array.size - int(np.count_nonzero(array))
        size += array.size
    return zeros / size if size else float("nan")
