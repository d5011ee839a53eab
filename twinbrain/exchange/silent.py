"""Neurons that never spike by themselves: their spikes come from outside."""

from __future__ import annotations

import numpy as np

from twinbrain.exchange.circuit import CircuitPopulation
from twinbrain.models.neurons import LIF_CURRENT

# Above all that they could reach by themselves.
_NEVER = 1e9


def silent_population(name: str, size: int) -> CircuitPopulation:
    """Return a population for a simulation's ``inject``, which delivers spikes over its synapses."""
    return CircuitPopulation(
        label="input",
        region="input",
        name=name,
        transmitter="glutamate",
        size=size,
        model_name="lif_current",
        model=LIF_CURRENT,
        receptors={},
        parameters={"V_th": np.full(size, _NEVER)},
        initial={"v": np.full(size, -70.0)},
    )
