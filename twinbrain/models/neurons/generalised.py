"""Generalised leaky integrate-and-fire neurons (GLIF)."""

from __future__ import annotations

from twinbrain.spec.model import NeuronModel

GLIF = NeuronModel(
    summary="Generalised leaky integrate-and-fire: reset rules, after-spike currents, two parts of the threshold.",
    references=("10.1038/s41467-017-02717-4",),
    # Everything is held while refractory; what decays meanwhile decays in the reset, by t_ref. Levels 1 to 4 of the
    # model are parameters that switch parts off; see the cell cards glif/1 to glif/5.
    equations="""
dv/dt = (g_L*(E_L - v) + I_1 + I_2 + I_e + I_syn)/C_m : volt (unless refractory)
dI_1/dt = -k_1*I_1 : amp (unless refractory)
dI_2/dt = -k_2*I_2 : amp (unless refractory)
dtheta_s/dt = -b_s*theta_s : volt (unless refractory)
dtheta_v/dt = a_v*(v - E_L) - b_v*theta_v : volt (unless refractory)
C_m : farad
g_L : siemens
E_L : volt
theta_inf : volt
t_ref : second
f_v : 1
delta_v : volt
k_1 : 1/second
k_2 : 1/second
f_1 : 1
f_2 : 1
delta_I_1 : amp
delta_I_2 : amp
b_s : 1/second
delta_theta_s : volt
a_v : 1/second
b_v : 1/second
I_e : amp
""",
    threshold="v > theta_inf + theta_s + theta_v",
    reset="""
v = E_L + f_v*(v - E_L) + delta_v
I_1 = f_1*I_1*exp(-k_1*t_ref) + delta_I_1
I_2 = f_2*I_2*exp(-k_2*t_ref) + delta_I_2
theta_s = theta_s*exp(-b_s*t_ref) + delta_theta_s
""",
    refractory="t_ref",
    method="exponential_euler",
    # Defaults: level 5 of cell 490626718 of the Allen Cell Types Database, as in NEST's glif_psc.
    parameters={
        "C_m": "58.72 pF",
        "g_L": "9.43 nS",
        "E_L": "-78.85 mV",
        "theta_inf": "-51.68 mV",
        "t_ref": "3.75 ms",
        "f_v": 0.2,
        "delta_v": "18.51 mV",
        "k_1": "0.003/ms",
        "k_2": "0.1/ms",
        "f_1": 1.0,
        "f_2": 1.0,
        "delta_I_1": "-9.18 pA",
        "delta_I_2": "-198.94 pA",
        "b_s": "0.009/ms",
        "delta_theta_s": "0.37 mV",
        "a_v": "0.005/ms",
        "b_v": "0.09/ms",
        "I_e": "0 pA",
    },
    initial={"v": "-78.85 mV"},
    ranges=(
        "C_m > 0",
        "g_L > 0",
        "k_1 >= 0",
        "k_2 >= 0",
        "b_s >= 0",
        "b_v >= 0",
        "t_ref >= 0",
    ),
)
