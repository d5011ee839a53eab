"""The same plastic synapses written by hand in plain Brian2 give the same spikes and the same weights."""

import brian2
import numpy as np
import pytest
from brian2 import ms, mV, nS, pA

from tests.examples import build_region, region_data
from twinbrain.engines.base import get_engine
from twinbrain.spec.region import Region

REGION = """
name = "test/plain"

[cells.cell]
model = "lif_conductance"
receptors = ["ampa"]
parameters = { I_e = { uniform = ["270 pA", "330 pA"] }, t_ref = "1.7 ms" }
initial = { v = { uniform = ["-70 mV", "-56 mV"] } }

[populations]
cell = { cell = "cell", size = 30 }

[[projections]]
source = "cell"
target = "cell"
receptor = "ampa"
connect = { probability = 0.3 }
weight = { lognormal = ["1 nS", 0.5], max = "3 nS" }
delay = { uniform = ["0.1 ms", "3 ms"] }
"""

RULES = {
    "pair_stdp": {"w_max": "3 nS", "A_plus": 0.03, "A_minus": 0.02, "tau_plus": "17 ms", "tau_minus": "30 ms"},
    "tsodyks_markram": {"U": 0.2, "tau_facil": "300 ms", "tau_rec": "200 ms"},
}

# What a spike adds is rounded to the receptor's quantum.
PLAIN = {
    "pair_stdp": {
        "model": """
            w : siemens
            quantum : siemens (shared)
            dpre_trace/dt = -pre_trace/(17*ms) : 1 (event-driven)
            dpost_trace/dt = -post_trace/(30*ms) : 1 (event-driven)
            """,
        "on_pre": """
            g_post += int(w/quantum + 0.5)*quantum
            pre_trace += 1
            w = clip(w - 0.02*3*nS*post_trace, 0*nS, 3*nS)
            """,
        "on_post": """
            post_trace += 1
            w = clip(w + 0.03*3*nS*pre_trace, 0*nS, 3*nS)
            """,
    },
    "tsodyks_markram": {
        "model": """
            w : siemens
            quantum : siemens (shared)
            du/dt = -u/(300*ms) : 1 (event-driven)
            dx/dt = (1 - x)/(200*ms) : 1 (event-driven)
            """,
        "on_pre": """
            u += 0.2*(1 - u)
            g_post += int(w*u*x/quantum + 0.5)*quantum
            x -= u*x
            """,
        "on_post": "",
    },
}


@pytest.fixture
def plain_numpy():
    """Plain Brian2, interpreted."""
    before = brian2.prefs["codegen.target"]
    brian2.prefs["codegen.target"] = "numpy"
    yield
    brian2.prefs["codegen.target"] = before


def plain_run(network, n_steps):
    """Simulate the network in plain Brian2; return spikes, variables of the synapses, and which of these to compare."""
    (block,), (table,) = network.blocks, network.plastic
    neurons = brian2.NeuronGroup(
        block.size,
        """
        dv/dt = (16.6667*nS*(-70*mV - v) + I_e + g*(0*mV - v))/(250*pF) : volt (unless refractory)
        dg/dt = -g/(2*ms) : siemens
        I_e : amp
        """,
        threshold="v > -55*mV",
        reset="v = -60*mV",
        method="exponential_euler",
        refractory=1.7 * ms,
        dt=0.1 * ms,
    )
    neurons.v = block.initial["v"] * mV
    neurons.I_e = currents(network) * pA
    rule = PLAIN[table.rule]
    synapses = brian2.Synapses(neurons, neurons, rule["model"], on_pre=rule["on_pre"], on_post=rule["on_post"] or None)
    synapses.pre.when = "after_resets"  # Brian2 would let a reset wipe what arrives in its step
    synapses.connect(i=table.source, j=table.target)
    synapses.quantum = table.quantum * nS
    synapses.w = table.initial["w"] * nS
    synapses.pre.delay = table.delay * 0.1 * ms
    if table.rule == "tsodyks_markram":
        synapses.x = 1
    monitor = brian2.SpikeMonitor(neurons)
    brian2.Network(neurons, synapses, monitor).run(n_steps * 0.1 * ms)
    spikes = np.column_stack([np.rint(monitor.t / (0.1 * ms)).astype(int), monitor.i])
    variables = {name: np.asarray(getattr(synapses, name)) for name in set(table.program.state) - {"last_update"}}
    variables["w"] = variables["w"] * 1e9  # nS
    # What arrives in Brian2's last step would be the first thing of our next one.
    settled = np.rint(synapses.lastupdate / (0.1 * ms)) < n_steps - 1
    return spikes, variables, settled


def currents(network):
    """Return each neuron's I_e, in pA, from the constants of its program."""
    (block,) = network.blocks
    name = next(n for n, text in block.program.constants.items() if "I_e" in text)
    # All other parameters are shared: the constant is linear in I_e.
    values = block.constants[name]
    namespace = {"dt": 0.1, "C_m": 250.0, "g_L": 16.6667, "E_L": -70.0, "exp": np.exp}
    at = [eval(block.program.constants[name], namespace | {"I_e": i}) for i in (0.0, 1.0)]
    return (values - at[0]) / (at[1] - at[0])


@pytest.mark.usefixtures("plain_numpy")
@pytest.mark.parametrize("n_steps", [1200, pytest.param(5000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("rule", RULES)
def test_plastic_synapses_written_by_hand_in_brian2_give_the_same(rule, n_steps):
    data = region_data(REGION)
    data["projections"][0]["plasticity"] = {"model": rule, "parameters": RULES[rule]}
    network = build_region(Region.parse(data), seed=5)
    expected, variables, settled = plain_run(network, n_steps)
    assert len(expected) > 5 * network.n_neurons * n_steps / 5000
    assert settled.mean() > 0.9
    for engine in ("reference", "brian2-numpy"):
        simulation = get_engine(engine)(network)
        simulation.advance(n_steps)
        spikes = simulation.collect().spikes
        np.testing.assert_array_equal(np.column_stack([spikes.step, spikes.neuron]), expected)
        found = simulation.state().variables
        for name, values in variables.items():
            own = found[f"synapses/{network.plastic[0].name}/{name}"]
            np.testing.assert_allclose(own[settled], values[settled], rtol=1e-9)
        simulation.close()
