"""Leaky integrate-and-fire neurons in NIR's terms, and back.

NIR knows ``tau dv/dt = v_leak - v + r I`` with, for the LIF, ``I`` the sum of its inputs, and for the CubaLIF
``tau_syn dI/dt = -I + w_in S``. Time is in seconds, potentials in mV, currents in pA, resistances in GOhm. What a spike
is (`SPIKES`) decides what one of weight w does; ``r`` and ``w_in`` are chosen so that it does what the weight says: it
raises v by w mV (``delta``), or the current by w pA (``exponential_current``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from twinbrain.models.neurons import LIF_CURRENT
from twinbrain.models.receptors import DELTA, EXPONENTIAL_CURRENT
from twinbrain.network.random import Floats
from twinbrain.spec.model import NeuronModel

Spikes = Literal["impulse", "step"]
"""What a spike is: a Dirac impulse, as NIR defines it, or the value 1 for one time step, as many programs count."""
SPIKES: tuple[Spikes, ...] = ("impulse", "step")

# Steps between the threshold and the arrival of a spike, beyond those of the synapse's delay. A neuron crosses the
# threshold at the end of a step. A current jumps at the beginning of step n + d + 1: d steps later. The potential jumps
# at the end of that step: d + 1 steps later.
FURTHER_STEPS = {"LIF": 1, "CubaLIF": 0}

_LEAKY = ("C_m", "g_L", "E_L", "V_th", "V_reset", "I_e")
KEPT = {"LIF": _LEAKY, "CubaLIF": (*_LEAKY, "tau_exponential_current")}
"""Parameters that our files keep beside the fields of a node; all of them show in its fields."""
RECEPTORS_KEPT = ("delta", "exponential_current", "current")
"""Receptors that our files keep beside a node; none gives a current unless something arrives there."""

Arrays = dict[str, Floats]


def is_lif_current(model: NeuronModel) -> bool:
    """Return whether a model has the equations of the library's ``lif_current``."""
    keys = ("equations", "threshold", "reset", "refractory", "method")
    return all(getattr(model, key) == getattr(LIF_CURRENT, key) for key in keys)


def to_nir(kind: str, parameters: Arrays, spikes: Spikes, dt: float) -> Arrays:
    """Return the fields of a node.

    Parameters
    ----------
    kind : {"LIF", "CubaLIF"}
        What it is.
    parameters : dict of str to ndarray of float64, shape (size,)
        Those of ``lif_current`` and its receptor, in coherent units.
    spikes : {"impulse", "step"}
        What a spike is.
    dt : float (ms)
        Time step, for which a spike lasts.
    """
    tau = parameters["C_m"] / parameters["g_L"] * 1e-3
    common = {
        "v_leak": parameters["E_L"] + parameters["I_e"] / parameters["g_L"],
        "v_threshold": parameters["V_th"].copy(),
        "v_reset": parameters["V_reset"].copy(),
    }
    if kind == "LIF":
        return {"tau": tau, "r": tau / _spike(spikes, dt), **common}
    tau_syn = parameters["tau_exponential_current"] * 1e-3
    return {
        "tau_mem": tau,
        "tau_syn": tau_syn,
        "r": 1.0 / parameters["g_L"],
        "w_in": tau_syn / _spike(spikes, dt),
        **common,
    }


def from_nir(
    kind: str, fields: Arrays, kept: Mapping[str, Any], spikes: Spikes, dt: float
) -> tuple[Arrays, Floats, Floats]:
    """Return the parameters of a node, and what its inputs are worth.

    Parameters
    ----------
    kind, spikes, dt
        As in `to_nir`.
    fields : dict of str to ndarray of float64, shape (size,)
        Of the node.
    kept : mapping of str to ndarray of float64
        Parameters that were kept beside the node. They count if they still give its fields to the last bit: so a file
        of ours gives back what was written, and one that another program has changed is read by its fields.

    Returns
    -------
    parameters : dict of str to ndarray of float64, shape (size,)
        In coherent units.
    weight : ndarray of float64, shape (size,)
        What a spike of weight 1 adds, to v (mV) or to the current (pA).
    current : ndarray of float64 (pA), shape (size,)
        The current that a constant input of 1 comes to in the end.
    """
    tau = fields["tau" if kind == "LIF" else "tau_mem"]
    parameters = _exact(kind, fields, kept, spikes, dt)
    if parameters is not None:
        weight = np.ones_like(tau)
    else:
        g_l = np.ones_like(tau) if kind == "LIF" else 1.0 / fields["r"]
        parameters = {
            "C_m": tau * 1e3 * g_l,
            "g_L": g_l,
            "E_L": fields["v_leak"],
            "V_th": fields["v_threshold"],
            "V_reset": fields["v_reset"],
            "I_e": np.zeros_like(tau),
        }
        if kind == "LIF":
            weight = fields["r"] / tau * _spike(spikes, dt)
        else:
            parameters["tau_exponential_current"] = fields["tau_syn"] * 1e3
            weight = fields["w_in"] / fields["tau_syn"] * _spike(spikes, dt)
    parameters["t_ref"] = np.zeros_like(tau)
    return parameters, weight, fields["r"] * parameters["g_L"] if kind == "LIF" else fields["w_in"]


def _exact(kind: str, fields: Arrays, kept: Mapping[str, Any], spikes: Spikes, dt: float) -> Arrays | None:
    try:
        shape = fields["v_threshold"].shape
        # Others would act without a field that shows it.
        parameters = {name: np.broadcast_to(np.asarray(kept[name], np.float64), shape) for name in KEPT[kind]}
        again = to_nir(kind, parameters, spikes, dt)
    except (KeyError, TypeError, ValueError):
        return None
    return parameters if all(np.array_equal(again[name], fields[name]) for name in again) else None


def _spike(spikes: Spikes, dt: float) -> float:
    """Return the integral of a spike over time, in seconds times its height."""
    return 1.0 if spikes == "impulse" else dt * 1e-3


RECEPTOR = {"LIF": "delta", "CubaLIF": "exponential_current"}
RECEPTOR_MODEL = {"LIF": DELTA, "CubaLIF": EXPONENTIAL_CURRENT}
