"""The ends of a network that learns: a relay for the spikes that enter, a leaky integrator that reads out."""

from __future__ import annotations

from twinbrain.spec.model import NeuronModel

RELAY = NeuronModel(
    summary="Spikes in the step in which an input arrives, through the receptor delta; stands for given spike trains.",
    # The parrot neuron of NEST, with a threshold.
    references=("10.4249/scholarpedia.1430",),
    equations="""
dv/dt = -v/tau : volt
tau : second
V_th : volt
""",
    threshold="v > V_th",
    reset="v = 0*volt",
    method="exact",
    # What stays below the threshold is all but forgotten in the next step.
    parameters={"tau": "0.01 ms", "V_th": "0.5 mV"},
    initial={"v": "0 mV"},
    ranges=(
        "tau > 0",
        "V_th > 0",
    ),
)

LEAKY_INTEGRATOR = NeuronModel(
    summary="A membrane that leaks and does not spike: a linear readout of what arrives; integrated exactly.",
    references=("10.1038/s41467-020-17236-y",),
    equations="""
dv/dt = (g_L*(E_L - v) + I_e + I_syn)/C_m : volt
C_m : farad
g_L : siemens
E_L : volt
V_th : volt
I_e : amp
""",
    threshold="v > V_th",
    reset="v = E_L",
    method="exact",
    # The membrane of lif_current; the threshold is a kilovolt.
    parameters={"C_m": "250 pF", "g_L": "25 nS", "E_L": "0 mV", "V_th": "1000000 mV", "I_e": "0 pA"},
    initial={"v": "0 mV"},
    ranges=(
        "C_m > 0",
        "g_L > 0",
    ),
)
