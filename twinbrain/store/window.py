"""What one commit takes: the recording of a window, and the state at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class WindowData:
    """What was recorded in a window of steps.

    Parameters
    ----------
    first_step : int
        First step of the window.
    next_step : int
        First step after it.
    time_step : ndarray of int32, shape (spike,)
        Steps of the spikes, ascending.
    neuron : ndarray of int32, shape (spike,)
        Numbers of the neurons that spiked.
    rates : ndarray of float32, shape (bin, population), Hz
        Mean rates in the bins that start in the window.
    samples : dict of str to ndarray, shape (sample, neuron)
        For each probe, the samples taken in the window, in the probe's unit.
    """

    first_step: int
    next_step: int
    time_step: NDArray[np.int32]
    neuron: NDArray[np.int32]
    rates: NDArray[np.float32]
    samples: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class StateData:
    """All that a simulation needs to go on.

    Parameters
    ----------
    step : int
        The next step to compute.
    variables : dict of str to ndarray of float64
        ``"<block>/<variable>"`` to its values.
    under_way_step, under_way_neuron : ndarray of int32, shape (spike,)
        Spikes that may still have synapses to reach.
    """

    step: int
    variables: Mapping[str, NDArray[np.float64]]
    under_way_step: NDArray[np.int32]
    under_way_neuron: NDArray[np.int32]
