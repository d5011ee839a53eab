"""Neuron models of the library: equations, units, defaults, sources."""

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
)

IZHIKEVICH_2007 = NeuronModel(
    summary="Izhikevich's quadratic integrate-and-fire in physical units, with the terms of his special cells.",
    references=("10.7551/mitpress/2526.001.0001",),
    # b_low acts below v_low (thalamic bursts), b_cubic above v_cubic (fast spiking); peak and reset may follow u.
    equations="""
dv/dt = (k*(v - v_r)*(v - v_t) - u + I_e + I_syn)/C_m : volt (unless refractory)
du/dt = a*(b*(v - v_r) + b_low*int(v <= v_low)*(v - v_r) + b_cubic*clip(v - v_cubic, 0*mV, 1000*mV)**3 - u) : amp
C_m : farad
k : siemens/volt
v_r : volt
v_t : volt
v_peak : volt
v_peak_u : ohm
a : 1/second
b : siemens
b_low : siemens
v_low : volt
b_cubic : amp/volt**3
v_cubic : volt
c : volt
c_u : ohm
d : amp
u_max : amp
t_ref : second
I_e : amp
""",
    threshold="v > v_peak + v_peak_u*u",
    reset="v = c + c_u*u; u = clip(u + d, -1*mA, u_max)",
    refractory="t_ref",
    method="euler",
    # Defaults: the regular-spiking pyramidal cell of layer 5.
    parameters={
        "C_m": "100 pF",
        "k": "0.7 nS/mV",
        "v_r": "-60 mV",
        "v_t": "-40 mV",
        "v_peak": "35 mV",
        "v_peak_u": "0 Mohm",
        "a": "0.03/ms",
        "b": "-2 nS",
        "b_low": "0 nS",
        "v_low": "-65 mV",
        "b_cubic": "0 pA/mV**3",
        "v_cubic": "-55 mV",
        "c": "-50 mV",
        "c_u": "0 Mohm",
        "d": "100 pA",
        "u_max": "1 uA",
        "t_ref": "0 ms",
        "I_e": "0 pA",
    },
    initial={"v": "-60 mV"},
)

NEURON_MODELS = {
    "lif_current": LIF_CURRENT,
    "lif_conductance": LIF_CONDUCTANCE,
    "adex": ADEX,
    "izhikevich_2007": IZHIKEVICH_2007,
}
