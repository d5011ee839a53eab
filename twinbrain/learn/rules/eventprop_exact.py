"""How a loss of spike times changes with the weights of a circuit: EventProp, exactly.

The rule `eventprop` comes close to it in small steps.
"""

from __future__ import annotations

from math import exp

import numpy as np

from twinbrain.learn.rules.circuit import GIVEN, Circuit, Floats, Spikes


def gradient(circuit: Circuit, spikes: Spikes, by_time: Floats, duration: float) -> Floats:
    """Return the derivative of a loss by the weights.

    The adjoint variables run back from the end; only spikes are needed of the way forward.

    Parameters
    ----------
    circuit : Circuit
        The circuit.
    spikes : Spikes
        Of `spike_times`.
    by_time : ndarray of float64 (1/ms), shape (spike,)
        Derivative of the loss by each spike's time, all others held.
    duration : float (ms)
        That of `spike_times`.

    Returns
    -------
    ndarray of float64 (1/pA), shape (source, target)

    References
    ----------
    Wunderlich and Pehl 2021, 10.1038/s41598-021-91786-z.
    """
    tau_m = circuit.C_m / circuit.g_L
    by_potential, by_current = np.zeros((2, len(circuit.C_m)))
    known_at = np.full(len(circuit.C_m), duration)
    moved = np.array(by_time, np.float64)
    found = np.zeros_like(circuit.weight)
    for event in reversed(spikes.events):
        n, tau, slower = event.neuron, circuit.tau[event.neuron], tau_m[event.neuron]
        passed, known_at[n] = known_at[n] - event.time, event.time
        slow, fast = exp(-passed / slower), exp(-passed / tau)
        spread = (slow - fast) / (1 / tau - 1 / slower)
        by_current[n] = by_current[n] * fast + by_potential[n] / circuit.C_m[n] * spread
        by_potential[n] *= slow
        if event.kind == "spike":
            by_potential[n] = -moved[event.spike] / event.slope
        elif event.kind == "release":
            moved[event.spike] -= event.slope * by_potential[n]
            by_potential[n] = 0.0
        else:
            found[event.source, n] += by_current[n]
            if event.spike != GIVEN:
                later = by_current[n] / tau - by_potential[n] / circuit.C_m[n]
                moved[event.spike] += circuit.weight[event.source, n] * later
    return found
