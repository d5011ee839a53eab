"""Exponential integrate-and-fire neurons, without and with adaptation."""

from __future__ import annotations

from twinbrain.spec.model import NeuronModel

EIF = NeuronModel(
    summary="Exponential integrate-and-fire.",
    references=("10.1523/JNEUROSCI.23-37-11628.2003",),
    # The exponent is capped as that of adex is.
    equations="""
dv/dt = (g_L*(E_L - v) + g_L*Delta_T*exp(clip((v - V_T)/Delta_T, -100, 20)) + I_e + I_syn)/C_m \
: volt (unless refractory)
C_m : farad
g_L : siemens
E_L : volt
V_T : volt
Delta_T : volt
V_peak : volt
V_reset : volt
t_ref : second
I_e : amp
""",
    threshold="v > V_peak",
    reset="v = V_reset",
    refractory="t_ref",
    method="euler",
    # Fitted there to the neuron of Wang and Buzsaki (1996); per 0.0001 cm2, as wang_buzsaki.
    parameters={
        "C_m": "100 pF",
        "g_L": "10 nS",
        "E_L": "-65 mV",
        "V_T": "-59.9 mV",
        "Delta_T": "3.48 mV",
        "V_peak": "-30 mV",
        "V_reset": "-68 mV",
        "t_ref": "1.7 ms",
        "I_e": "0 pA",
    },
    initial={"v": "-63.896 mV"},
    ranges=(
        "C_m > 0",
        "g_L > 0",
        "Delta_T > 0",
        "V_reset < V_peak",
        "t_ref >= 0",
    ),
)

ADEX = NeuronModel(
    summary="Adaptive exponential integrate-and-fire.",
    references=("10.1152/jn.00686.2005", "10.1007/s00422-008-0264-7"),
    # The exponent is capped: past 20 the neuron spikes in this step whatever the value, and nothing overflows.
    equations="""
dv/dt = (g_L*(E_L - v) + g_L*Delta_T*exp(clip((v - V_T)/Delta_T, -100, 20)) - w + I_e + I_syn)/C_m \
: volt (unless refractory)
dw/dt = (a*(v - E_L) - w)/tau_w : amp
C_m : farad
g_L : siemens
E_L : volt
V_T : volt
Delta_T : volt
V_peak : volt
V_reset : volt
a : siemens
b : amp
tau_w : second
t_ref : second
I_e : amp
""",
    threshold="v > V_peak",
    reset="v = V_reset; w += b",
    refractory="t_ref",
    method="euler",
    parameters={
        "C_m": "281 pF",
        "g_L": "30 nS",
        "E_L": "-70.6 mV",
        "V_T": "-50.4 mV",
        "Delta_T": "2 mV",
        "V_peak": "0 mV",
        "V_reset": "-60 mV",
        "a": "4 nS",
        "b": "80.5 pA",
        "tau_w": "144 ms",
        "t_ref": "1 ms",
        "I_e": "0 pA",
    },
    initial={"v": "-70.6 mV"},
    ranges=(
        "C_m > 0",
        "g_L > 0",
        "Delta_T > 0",
        "V_reset < V_peak",
        "tau_w > 0",
        "t_ref >= 0",
    ),
)
