"""The same network written by hand in plain Brian2 has the same spikes: order of a step, delays, refractoriness."""

import brian2
import numpy as np
import pytest
from brian2 import ms, mV, nS, pA

from tests.examples import build_region, region_data
from twinbrain.engines.base import get_engine
from twinbrain.spec.region import Region

REGION = """
name = "test/lif"

[cells.cell]
model = "MODEL"
receptors = RECEPTORS
parameters = { I_e = "550 pA", t_ref = "1.7 ms" }
initial = { v = { uniform = ["-70 mV", "-56 mV"] } }

[populations]
exc = { cell = "cell", size = 24 }
inh = { cell = "cell", size = 8, transmitter = "gaba" }

[[projections]]
source = "exc"
target = "exc"
receptor = "EXCITATORY"
connect = { probability = 0.3 }
weight = { lognormal = ["WEIGHT", 0.5] }
delay = { uniform = ["0.1 ms", "3 ms"] }

[[projections]]
source = "exc"
target = "inh"
receptor = "EXCITATORY"
connect = { probability = 0.3 }
weight = "WEIGHT"
delay = "0.1 ms"

[[projections]]
source = "inh"
target = "exc"
receptor = "INHIBITORY"
connect = { probability = 0.4 }
weight = "INHIBITION"
delay = { uniform = ["0.1 ms", "2 ms"] }
"""

CONDUCTANCE = {
    "MODEL": "lif_conductance",
    "RECEPTORS": '["ampa", "gaba_a"]',
    "EXCITATORY": "ampa",
    "INHIBITORY": "gaba_a",
    "WEIGHT": "2 nS",
    "INHIBITION": "6 nS",
}
CURRENT = {
    "MODEL": "lif_current",
    "RECEPTORS": '["exponential_current"]',
    "EXCITATORY": "exponential_current",
    "INHIBITORY": "exponential_current",
    "WEIGHT": "90 pA",
    "INHIBITION": "-150 pA",
}

# By hand, with the defaults of the library's models written out.
PLAIN = {
    "lif_conductance": {
        "model": """
            dv/dt = (16.6667*nS*(-70*mV - v) + 550*pA + I_syn)/(250*pF) : volt (unless refractory)
            I_syn = g_e*(0*mV - v) + g_i*(-70*mV - v) : amp
            dg_e/dt = -g_e/(2*ms) : siemens
            dg_i/dt = -g_i/(7*ms) : siemens
            """,
        "threshold": "v > -55*mV",
        "reset": "v = -60*mV",
        "method": "exponential_euler",
    },
    "lif_current": {
        "model": """
            dv/dt = (25*nS*(-70*mV - v) + 550*pA + I)/(250*pF) : volt (unless refractory)
            dI/dt = -I/(2*ms) : amp
            """,
        "threshold": "v > -55*mV",
        "reset": "v = -70*mV",
        "method": "exact",
    },
}
JUMPS = {"ampa": ("g_e", nS), "gaba_a": ("g_i", nS), "exponential_current": ("I", pA)}
N_STEPS = 2000


@pytest.fixture(params=[CONDUCTANCE, CURRENT], ids=["conductance", "current"])
def network(request):
    text = REGION
    for name, value in request.param.items():
        text = text.replace(name, value)
    return build_region(Region.parse(region_data(text)), seed=3)


@pytest.fixture
def plain_numpy():
    """Plain Brian2, interpreted."""
    before = brian2.prefs["codegen.target"]
    brian2.prefs["codegen.target"] = "numpy"
    yield
    brian2.prefs["codegen.target"] = before


def plain_spikes(network):
    """Simulate the synapses and the initial state of a network in plain Brian2."""
    block = network.blocks[0]
    neurons = brian2.NeuronGroup(block.size, refractory=1.7 * ms, dt=0.1 * ms, **PLAIN[block.name])
    neurons.v = block.initial["v"] * mV
    monitor = brian2.SpikeMonitor(neurons)
    objects = [neurons, monitor]
    for table in network.tables:
        inlet = next(inlet for inlet in block.inlets if inlet.receptor == table.receptor)
        variable, unit = JUMPS[table.receptor]
        unit_name = "siemens" if unit is nS else "amp"
        synapses = brian2.Synapses(neurons, neurons, f"weight : {unit_name}", on_pre=f"{variable}_post += weight")
        synapses.pre.when = "after_resets"
        source = np.repeat(np.arange(block.size), np.diff(table.row_start))
        synapses.connect(i=source, j=table.post - inlet.start)
        synapses.weight = table.weight * inlet.quantum * unit
        synapses.pre.delay = table.delay * 0.1 * ms
        objects.append(synapses)
    brian2.Network(*objects).run(N_STEPS * 0.1 * ms)
    return np.column_stack([np.rint(monitor.t / (0.1 * ms)).astype(int), monitor.i])


@pytest.mark.usefixtures("plain_numpy")
def test_a_network_written_by_hand_in_brian2_has_the_same_spikes(network):
    expected = plain_spikes(network)
    assert len(expected) > 10 * network.n_neurons
    for engine in ("reference", "brian2-numpy", "brian2", "torch"):
        simulation = get_engine(engine)(network)
        simulation.advance(N_STEPS)
        spikes = simulation.collect().spikes
        np.testing.assert_array_equal(np.column_stack([spikes.step, spikes.neuron]), expected)
        simulation.close()
