"""Sums over synapses in compiled loops on the CPU: only those of neurons that spike are gone through, where that will do.

Synapses are sorted by source; row ``n`` of them is ``start[n] : start[n + 1]``.
"""

# Compiled functions have no type hints: numba infers their types.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numba


@numba.njit(cache=True, nogil=True, error_model="numpy")
def add_active(first, last, spikes, start, post, weight, out):
    """Add the weights of spiking neurons to ``out`` (trial, post), for trials of a range."""
    for trial in range(first, last):
        row = out[trial]
        for pre in range(spikes.shape[1]):
            size = spikes[trial, pre]
            if size != 0:
                for synapse in range(start[pre], start[pre + 1]):
                    row[post[synapse]] += size * weight[synapse]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def carry_back(first, last, gradient, start, post, weight, out):
    """Add to ``out`` (pre, trial) what comes back from ``gradient`` (post, trial), for neurons of a range."""
    n_trials = gradient.shape[1]
    for pre in range(first, last):
        row = out[pre]
        for synapse in range(start[pre], start[pre + 1]):
            size, arrived = weight[synapse], gradient[post[synapse]]
            for trial in range(n_trials):
                row[trial] += size * arrived[trial]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def add_weight_gradient(first, last, spikes, gradient, start, post, out):
    """Add to ``out`` (synapse) the gradient of the weights, for neurons of a range."""
    for pre in range(first, last):
        for trial in range(spikes.shape[0]):
            size = spikes[trial, pre]
            if size != 0:
                row = gradient[trial]
                for synapse in range(start[pre], start[pre + 1]):
                    out[synapse] += size * row[post[synapse]]
