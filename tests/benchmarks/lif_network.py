"""The network of the speed benchmarks: 10,000 LIF neurons, 5 million synapses with spread delays, Poisson drive."""

from __future__ import annotations

from dataclasses import dataclass

from twinbrain.network.build import build
from twinbrain.network.layout import lay_out
from twinbrain.network.network import Network
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.region import Region

N_EXCITATORY, N_INHIBITORY = 8000, 2000
IN_EXCITATORY, IN_INHIBITORY = 400, 100
WEIGHT, G = 30.0, 6.0
RATE = "24 kHz"
CELL = {
    "C_m": "250 pF",
    "g_L": "25 nS",
    "E_L": "-65 mV",
    "V_th": "-50 mV",
    "V_reset": "-65 mV",
    "t_ref": "2 ms",
    "tau_exponential_current": "0.5 ms",
}


@dataclass(frozen=True)
class Inputs:
    """What a neuron receives: synapses from excitatory and inhibitory neurons, their weight (pA), and the drive's."""

    excitatory: int = IN_EXCITATORY
    inhibitory: int = IN_INHIBITORY
    weight: float = WEIGHT
    rate: str = RATE


def lif_region(inputs: Inputs = Inputs(), **parameters: object) -> Region:
    """Return the region; ``parameters`` replace those of its cell."""
    receptor = "exponential_current"
    sources = {
        "e": (inputs.excitatory, inputs.weight, "1.5 ms"),
        "i": (inputs.inhibitory, -G * inputs.weight, "0.8 ms"),
    }
    return Region.parse(
        {
            "name": "benchmark/lif",
            "cells": {
                "lif": {
                    "model": "lif_current",
                    "receptors": [receptor],
                    "parameters": CELL | parameters,
                    "initial": {"v": {"normal": ["-58 mV", "5 mV"]}},
                }
            },
            "populations": {
                "e": {"cell": "lif", "size": N_EXCITATORY},
                "i": {"cell": "lif", "size": N_INHIBITORY, "transmitter": "gaba"},
            },
            "projections": [
                {
                    "source": source,
                    "target": target,
                    "receptor": receptor,
                    "connect": {"in_degree": degree},
                    "weight": {"normal": [f"{weight} pA", "3 pA"]},
                    "delay": {"normal": [delay, "0.75 ms"], "min": "0.1 ms"},
                }
                for source, (degree, weight, delay) in sources.items()
                for target in "ei"
            ],
            "drives": [
                {"population": p, "receptor": receptor, "rate": inputs.rate, "weight": f"{WEIGHT} pA"} for p in "ei"
            ],
        }
    )


def lif_network(inputs: Inputs = Inputs(), **parameters: object) -> Network:
    """Build the network."""
    brain = single_region_brain(lif_region(inputs, **parameters))
    return build(brain, lay_out(brain, brain.connectome), dt=0.1, seed=1)
