"""A region with equations of its own is computed alike by every engine."""

import pytest

from tests.examples import build_region, region_data
from twinbrain.engines.base import get_engine
from twinbrain.engines.conformance import check_restore, check_spikes_and_samples
from twinbrain.engines.reference import prepare as reference
from twinbrain.spec.record import Record, StateRecord
from twinbrain.spec.region import Region

REGION = """
name = "test/own"

[models.resonant]
equations = '''
dv/dt = (g_L*(E_L - v) + g_s*m*(E_L - v) - w + I_syn + I_e)/C_m : volt (unless refractory)
dw/dt = (a*(v - E_L) - w)/tau_w : amp
m = 1/(1 + exp(-(v - V_half)/slope)) : 1
C_m : farad
g_L : siemens
g_s : siemens
E_L : volt
V_half : volt
slope : volt
a : siemens
tau_w : second
V_th : volt
t_ref : second
I_e : amp
'''
threshold = "v > V_th and w < 1*nA"
reset = "v = E_L - 2*mV; w += 20*pA"
refractory = "t_ref"
method = "rk2"
parameters = { C_m = "100 pF", g_L = "8 nS", g_s = "3 nS", E_L = "-70 mV", V_half = "-55 mV", slope = "4 mV" }
initial = { v = "-70 mV" }

[receptors.alpha]
equations = '''
I_alpha = g_alpha*(E_alpha - v) : amp
dg_alpha/dt = (x_alpha - g_alpha)/tau_alpha : siemens
dx_alpha/dt = -x_alpha/tau_alpha : siemens
E_alpha : volt
tau_alpha : second
'''
jump = "x_alpha"
current = "I_alpha"
parameters = { E_alpha = "0 mV", tau_alpha = "2 ms" }

[cells.cell]
model = "resonant"
receptors = ["alpha"]

[cells.cell.parameters]
a = "2 nS"
tau_w = { lognormal = ["60 ms", 0.2] }
V_th = { normal = ["-50 mV", "1 mV"] }
t_ref = { uniform = ["1 ms", "3 ms"] }
I_e = "60 pA"

[populations]
cell = { cell = "cell", size = 20 }

[[projections]]
source = "cell"
target = "cell"
receptor = "alpha"
connect = { in_degree = 3 }
weight = { lognormal = ["1 nS", 0.5] }
delay = { uniform = ["0.1 ms", "4 ms"] }

[[drives]]
population = "cell"
receptor = "alpha"
rate = "800 Hz"
weight = "2 nS"
"""


@pytest.fixture(scope="module")
def network():
    record = Record(state=(StateRecord(variable="w", neurons=20, interval="0.5 ms"),))
    return build_region(Region.parse(region_data(REGION)), record=record)


def test_the_example_spikes(network):
    simulation = reference(network)
    simulation.advance(1000)
    assert len(set(simulation.collect().spikes.neuron)) == 20


@pytest.mark.parametrize("engine", ["brian2", "brian2-numpy", "torch"])
def test_own_equations_give_the_same_spikes_in_every_engine(engine, network):
    check_spikes_and_samples(get_engine(engine), network, 1000)
    check_restore(get_engine(engine), network, 300)
