"""Izhikevich's quadratic neurons: of 2003 without physical units, of 2007 with them."""

from __future__ import annotations

from twinbrain.spec.model import NeuronModel

IZHIKEVICH_2003 = NeuronModel(
    summary="Izhikevich's simple neuron: two equations, four parameters.",
    references=("10.1109/TNN.2003.820440", "10.3389/fninf.2018.00046"),
    # The original has no units: v counts mV, u and currents mV/ms, times ms. With C_m = 1 pF, 1 pA is 1 mV/ms. Both
    # variables step from their old values, as NEST's consistent integration; the paper's own code does otherwise.
    equations="""
dv/dt = 0.04/ms/mV*v**2 + 5/ms*v + 140*mV/ms - u + (I_e + I_syn)/C_m : volt
du/dt = a*(b*v - u) : volt/second
C_m : farad
V_peak : volt
a : 1/second
b : 1/second
c : volt
d : volt/second
I_e : amp
""",
    threshold="v > V_peak",
    reset="v = c; u += d",
    method="euler",
    # Defaults: regular spiking.
    parameters={
        "C_m": "1 pF",
        "V_peak": "30 mV",
        "a": "0.02/ms",
        "b": "0.2/ms",
        "c": "-65 mV",
        "d": "8 mV/ms",
        "I_e": "0 pA",
    },
    initial={"v": "-70 mV", "u": "-14 mV/ms"},
    ranges=(
        "C_m > 0",
        "a >= 0",
        "c < V_peak",
    ),
)

IZHIKEVICH_2007 = NeuronModel(
    summary="Izhikevich's quadratic integrate-and-fire in physical units, with the terms of his special cells.",
    references=("10.7551/mitpress/2526.001.0001",),
    # b_low acts below v_low (thalamic bursts), b_cubic above v_cubic (fast spiking); peak and reset may follow u.
    equations="""
dv/dt = (k*(v - v_r)*(v - v_t) - u + I_e + I_syn)/C_m : volt (unless refractory)
du/dt = a*(b*(v - v_r) + b_low*clip(v - v_low, -1000*mV, 0*mV) + b_cubic*clip(v - v_cubic, 0*mV, 1000*mV)**3 - u) : amp
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
    ranges=(
        "C_m > 0",
        "k > 0",
        "a >= 0",
        "c < v_peak",
        "t_ref >= 0",
    ),
)
