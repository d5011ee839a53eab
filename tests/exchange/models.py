"""Small models that other formats can express, and their spikes."""

import numpy as np

from tests.examples import region_data
from twinbrain.engines.reference import prepare as reference
from twinbrain.spec.region import Region

# Excitation and inhibition; parameters, weights and initial states differ, and so do the delays of projections.
LEAKY = """
name = "test/leaky"

[cells.exc]
model = "lif_current"
receptors = ["RECEPTOR"]
initial = { v = { uniform = ["-70 mV", "-55 mV"] } }

[cells.exc.parameters]
C_m = { lognormal = ["250 pF", 0.1] }
g_L = { normal = ["25 nS", "1 nS"], min = "20 nS" }
V_th = { normal = ["-55 mV", "1 mV"] }
I_e = { uniform = ["360 pA", "460 pA"] }
t_ref = "0 ms"

[cells.inh]
model = "lif_current"
receptors = ["RECEPTOR"]
parameters = { t_ref = "0 ms", I_e = "370 pA", V_reset = "-65 mV" }
initial = { v = "-65 mV" }

[populations]
exc = { cell = "exc", size = 20 }
inh = { cell = "inh", size = 6, transmitter = "gaba" }

[[projections]]
source = "exc"
target = "exc"
receptor = "RECEPTOR"
connect = { probability = 0.2 }
weight = { lognormal = ["WEIGHT", 0.4] }
delay = "1.5 ms"

[[projections]]
source = "exc"
target = "inh"
receptor = "RECEPTOR"
connect = { total = 60 }
weight = "WEIGHT"
delay = "0.1 ms"

[[projections]]
source = "inh"
target = "exc"
receptor = "RECEPTOR"
connect = { in_degree = 3 }
weight = { normal = ["INHIBITION", "INHIBITION_SD"] }
delay = "0.7 ms"
"""
KINDS = {
    "delta": {"RECEPTOR": "delta", "INHIBITION_SD": "0.2 mV", "INHIBITION": "-1.1 mV", "WEIGHT": "0.8 mV"},
    "exponential_current": {
        "RECEPTOR": "exponential_current",
        "INHIBITION_SD": "20 pA",
        "INHIBITION": "-110 pA",
        "WEIGHT": "70 pA",
    },
}


def leaky_data(receptor="delta"):
    """Return the plain data of 26 leaky neurons, to be changed by a test."""
    text = LEAKY
    for name, value in KINDS[receptor].items():
        text = text.replace(name, value)
    return region_data(text)


def leaky_region(receptor="delta"):
    """Return 26 leaky neurons that NIR can express."""
    return Region.parse(leaky_data(receptor))


def spikes_of(network, n_steps=3000):
    """Return the spikes of a network as rows of step and neuron."""
    simulation = reference(network)
    simulation.advance(n_steps)
    spikes = simulation.collect().spikes
    return np.column_stack([spikes.step, spikes.neuron])
