"""Leaky integrate-and-fire neurons, without and with an adaptive threshold."""

from __future__ import annotations

from twinbrain.spec.model import NeuronModel

_MEMBRANE = """
dv/dt = (g_L*(E_L - v) + I_e + I_syn)/C_m : volt (unless refractory)
C_m : farad
g_L : siemens
E_L : volt
V_th : volt
V_reset : volt
t_ref : second
I_e : amp
"""

LIF_CURRENT = NeuronModel(
    summary="Leaky integrate-and-fire, for current receptors; integrated exactly.",
    references=("10.1007/s004220050570",),
    equations=_MEMBRANE,
    threshold="v > V_th",
    reset="v = V_reset",
    refractory="t_ref",
    method="exact",
    # Defaults of NEST's iaf_psc_exp.
    parameters={
        "C_m": "250 pF",
        "g_L": "25 nS",
        "E_L": "-70 mV",
        "V_th": "-55 mV",
        "V_reset": "-70 mV",
        "t_ref": "2 ms",
        "I_e": "0 pA",
    },
    initial={"v": "-70 mV"},
    ranges=(
        "C_m > 0",
        "g_L > 0",
        "V_reset < V_th",
        "t_ref >= 0",
    ),
)

LIF_CONDUCTANCE = NeuronModel(
    summary="Leaky integrate-and-fire, for conductance receptors; exponential Euler.",
    references=("10.1007/s10827-007-0038-6",),
    equations=_MEMBRANE,
    threshold="v > V_th",
    reset="v = V_reset",
    refractory="t_ref",
    method="exponential_euler",
    # Defaults of NEST's iaf_cond_exp.
    parameters={
        "C_m": "250 pF",
        "g_L": "16.6667 nS",
        "E_L": "-70 mV",
        "V_th": "-55 mV",
        "V_reset": "-60 mV",
        "t_ref": "2 ms",
        "I_e": "0 pA",
    },
    initial={"v": "-70 mV"},
    ranges=(
        "C_m > 0",
        "g_L > 0",
        "V_reset < V_th",
        "t_ref >= 0",
    ),
)

ALIF = NeuronModel(
    summary="Leaky integrate-and-fire with an adaptive threshold, reset by subtraction: the neuron of LSNN and e-prop.",
    references=("10.1038/s41467-020-17236-y",),
    # The threshold of a spike counts a at its new value; papers on learning carry out reset and jump a step later.
    equations="""
dv/dt = (g_L*(E_L - v) + I_e + I_syn)/C_m : volt
da/dt = -a/tau_a : 1
C_m : farad
g_L : siemens
E_L : volt
V_th : volt
beta : volt
tau_a : second
t_ref : second
I_e : amp
""",
    threshold="v > V_th + beta*a",
    reset="v -= V_th - E_L; a += 1",
    refractory="t_ref",
    method="exact",
    # The membrane's time constant is 20 ms; a spike raises the threshold by beta.
    parameters={
        "C_m": "200 pF",
        "g_L": "10 nS",
        "E_L": "-70 mV",
        "V_th": "-55 mV",
        "beta": "1.7 mV",
        "tau_a": "200 ms",
        "t_ref": "2 ms",
        "I_e": "0 pA",
    },
    initial={"v": "-70 mV"},
    ranges=(
        "C_m > 0",
        "g_L > 0",
        "E_L < V_th",
        "tau_a > 0",
        "t_ref >= 0",
    ),
)
