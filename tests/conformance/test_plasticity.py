"""Every engine against the reference, on a region whose synapses follow every plasticity rule of the library."""

import numpy as np
import pytest

from tests.examples import build_region, region_data
from twinbrain.engines.base import get_engine
from twinbrain.engines.conformance import CHECKS, check_engine, check_spikes_and_samples
from twinbrain.engines.reference import prepare as reference
from twinbrain.models.plasticity import PLASTICITY_MODELS
from twinbrain.spec.region import Region

ENGINES = ("brian2", "brian2-numpy", "torch")

# Time constants, amplitudes, weights and delays differ between synapses.
REGION = """
name = "test/plastic"

[cells.pyr]
model = "adex"
receptors = ["ampa", "nmda", "gaba_a"]
parameters = { C_m = { lognormal = ["200 pF", 0.1] } }

[cells.int]
model = "lif_conductance"
receptors = ["ampa", "nmda_saturating", "gaba_a"]

[populations]
exc = { cell = "pyr", size = 24 }
inh = { cell = "int", size = 8, transmitter = "gaba" }
reward = { cell = "int", size = 4 }

[[projections]]
name = "triplets"
source = "exc"
target = "exc"
receptor = { ampa = 1.0, nmda = 0.2 }
connect = { probability = 0.15 }
weight = { lognormal = ["1 nS", 0.4], max = "4 nS" }
delay = { uniform = ["0.1 ms", "4 ms"] }
plasticity.model = "triplet_stdp"
plasticity.parameters = { w_ref = "1 nS", w_max = "4 nS", tau_plus = { normal = ["17 ms", "1 ms"] } }

[[projections]]
name = "pairs"
source = "exc"
target = "inh"
receptor = "ampa"
connect = { in_degree = 6 }
weight = "1 nS"
delay = "1.3 ms"
plasticity.model = "pair_stdp"
plasticity.parameters = { w_max = { lognormal = ["3 nS", 0.2] }, A_plus = 0.05, A_minus = { uniform = [0.03, 0.06] } }
plasticity.initial = { pre_trace = { uniform = [0.0, 1.0] } }

[[projections]]
name = "reward"
source = "exc"
target = "exc"
receptor = "ampa"
connect = { in_degree = 3 }
weight = { lognormal = ["1 nS", 0.3] }
delay = { lognormal = ["1.5 ms", 0.5] }
plasticity.model = "reward_stdp"
plasticity.parameters = { w_max = "3 nS", tau_c = { normal = ["300 ms", "30 ms"] }, b = "50 Hz" }
plasticity.modulator = "reward"

[[projections]]
name = "balance"
source = "inh"
target = "exc"
receptor = "gaba_a"
connect = { in_degree = 4 }
weight = "1 nS"
delay = { uniform = ["0.1 ms", "1 ms"] }
plasticity.model = "inhibitory_stdp"
plasticity.parameters = { rho_0 = { uniform = ["3 Hz", "9 Hz"] }, eta = "0.1 nS", w_max = "10 nS" }

[[projections]]
name = "facilitation"
source = "exc"
target = "reward"
receptor = "ampa"
connect = { in_degree = 10 }
weight = { lognormal = ["4 nS", 0.3] }
delay = "0.5 ms"
plasticity.model = "tsodyks_markram"
plasticity.parameters = { U = { uniform = [0.05, 0.5] }, tau_rec = { gamma = ["100 ms", 10] } }

[[projections]]
name = "saturation"
source = "exc"
target = "inh"
receptor = "nmda_saturating"
connect = { in_degree = 5 }
weight = { lognormal = ["0.2 nS", 0.3] }
delay = { uniform = ["0.1 ms", "2 ms"] }
plasticity.model = "saturation"
plasticity.parameters = { tau_s = { normal = ["100 ms", "5 ms"] }, alpha = { uniform = ["0.3/ms", "0.6/ms"] } }

[[projections]]
name = "depression"
source = "inh"
target = "inh"
receptor = "gaba_a"
connect = { in_degree = 2 }
weight = "1 nS"
delay = "0.1 ms"
plasticity = "short_term_depression"

[[drives]]
population = "exc"
receptor = "ampa"
rate = "3000 Hz"
weight = "2 nS"

[[drives]]
population = "inh"
receptor = "ampa"
rate = "1200 Hz"
weight = "2 nS"

[[drives]]
population = "reward"
receptor = "ampa"
rate = "1200 Hz"
weight = "2 nS"
"""

OWN = """
name = "test/own_rules"

# Linear equations that depend on each other in a chain, two of one time constant, and a drift.
[plasticity.chain]
equations = '''
dtrace/dt = -trace/tau : 1
dtag/dt = (trace - tag)/tau : 1
dw/dt = gain*tag*trace - loss : weight
tau : second
gain : weight/second
loss : weight/second
n_arrived : 1
'''
on_pre = "trace += 1; n_arrived += 1; release = w*n_arrived/(n_arrived + 3)"
on_event = "w = clip(w, 0*weight, 5*nS)"
parameters = { tau = { lognormal = ["20 ms", 0.2] }, gain = "2 nS/s", loss = "1 nS/s" }

# A weight between two stable states: no closed form, so every step is computed.
[plasticity.bistable]
equations = '''
dp/dt = (p*(1 - p)*(p - threshold) + rise*trace*int(trace > 1))/tau : 1
dtrace/dt = -trace/tau_trace : 1
rise = 4*sqrt(abs(p) + 0.1)*exp(-p) : 1
tau : second
tau_trace : second
threshold : 1
n_events : 1
'''
on_event = "n_events += 1"
on_pre = "release = w*(1 + p**1.5); trace += log(2 + p)"
on_post = "trace += 0.5*tanh(trace)"
method = "rk2"
parameters = { tau = "50 ms", tau_trace = { uniform = ["5 ms", "9 ms"] }, threshold = 0.4 }
initial = { p = 0.1 }

[cells.cell]
model = "lif_conductance"
receptors = ["ampa"]

[populations]
cell = { cell = "cell", size = 24 }

[[projections]]
name = "chain"
source = "cell"
target = "cell"
receptor = "ampa"
connect = { in_degree = 4 }
weight = { lognormal = ["1 nS", 0.3] }
delay = { uniform = ["0.1 ms", "3 ms"] }
plasticity = "chain"

[[projections]]
name = "bistable"
source = "cell"
target = "cell"
receptor = "ampa"
connect = { in_degree = 4 }
weight = "1 nS"
delay = { uniform = ["0.1 ms", "3 ms"] }
plasticity.model = "bistable"
plasticity.initial = { p = { uniform = [0.0, 1.0] } }

[[drives]]
population = "cell"
receptor = "ampa"
rate = "1500 Hz"
weight = "2.5 nS"
"""


@pytest.fixture(scope="module")
def network():
    return build_region(Region.parse(region_data(REGION)))


@pytest.fixture(scope="module")
def own_network():
    return build_region(Region.parse(region_data(OWN)))


def changes(network, n_steps):
    """Return by how much each plastic variable has changed over a run of the reference, on average."""
    simulation = reference(network)
    before = simulation.state().variables
    simulation.advance(n_steps)
    after = simulation.state().variables
    return {name: np.abs(after[name] - before[name]).mean() for name in after if name.startswith("synapses/")}


def test_the_example_has_every_rule_and_all_of_their_variables_change(network):
    assert {table.rule for table in network.plastic} == set(PLASTICITY_MODELS)
    unchanged = {name for name, change in changes(network, 1500).items() if change == 0}
    short_term = {
        f"synapses/{t.name}/w"
        for t in network.plastic
        if t.rule in ("tsodyks_markram", "short_term_depression", "saturation")
    }
    assert unchanged == short_term


def test_all_variables_of_rules_of_one_s_own_change(own_network):
    unchanged = {name for name, change in changes(own_network, 1500).items() if change == 0}
    assert unchanged == {"synapses/ampa_bistable/w"}


@pytest.mark.parametrize("engine", [pytest.param("brian2", marks=pytest.mark.slow), *ENGINES[1:]])
def test_spikes_and_synapses_equal_the_references(engine, network):
    check_spikes_and_samples(get_engine(engine), network, 800)


# Of these checks, every rule passes those of test_every_model.py; here synapses differ in more.
@pytest.mark.slow
@pytest.mark.parametrize("check", [check for check in CHECKS if check is not check_spikes_and_samples])
@pytest.mark.parametrize("engine", ENGINES)
def test_engine_passes_the_check(engine, check, network):
    check(get_engine(engine), network, 200)


# Both of Brian2 have the same code of rules, and to compile that of neurons takes long.
@pytest.mark.parametrize("engine", [pytest.param("brian2", marks=pytest.mark.slow), "brian2-numpy", "torch"])
def test_rules_of_one_s_own_give_the_same_in_every_engine(engine, own_network):
    check_engine(get_engine(engine), own_network, 160)


def test_the_reference_passes_the_whole_suite(network):
    check_engine(reference, network, 120)
