"""Neurons with the sodium and potassium channels of Hodgkin and Huxley."""

from __future__ import annotations

from twinbrain.spec.model import NeuronModel

# A spike is an upward crossing of V_th: "below" tells that v has been under it for the better part of the last
# millisecond, so that a neuron that stays depolarised is silent. Nothing is held or reset.
_SPIKE = """
dbelow/dt = (int(v < V_th) - below)/(1*ms) : 1
V_th : volt
t_ref : second
I_e : amp
"""

# x/(1 - exp(-x)) and x/(exp(x) - 1), of which the rates are made, are 1/exprel(-x) and 1/exprel(x).
HODGKIN_HUXLEY = NeuronModel(
    summary="Hodgkin-Huxley neuron with the channels of Traub and Miles, as in benchmarks of networks. Its rate is up "
    "to 1 % low in steps of 0.01 ms, 6 % in steps of 0.05 ms, 11 % in steps of 0.1 ms.",
    references=("10.1017/CBO9780511895401", "10.1007/s10827-007-0038-6"),
    equations="""
dv/dt = (g_L*(E_L - v) + g_Na*m**3*h*(E_Na - v) + g_K*n**4*(E_K - v) + I_e + I_syn)/C_m : volt
dm/dt = alpha_m*(1 - m) - beta_m*m : 1
dh/dt = alpha_h*(1 - h) - beta_h*h : 1
dn/dt = alpha_n*(1 - n) - beta_n*n : 1
alpha_m = 1.28/ms/exprel((13*mV - v + V_T)/(4*mV)) : Hz
beta_m = 1.4/ms/exprel((v - V_T - 40*mV)/(5*mV)) : Hz
alpha_h = 0.128/ms*exp((17*mV - v + V_T)/(18*mV)) : Hz
beta_h = 4/ms/(1 + exp((40*mV - v + V_T)/(5*mV))) : Hz
alpha_n = 0.16/ms/exprel((15*mV - v + V_T)/(5*mV)) : Hz
beta_n = 0.5/ms*exp((10*mV - v + V_T)/(40*mV)) : Hz
C_m : farad
g_L : siemens
g_Na : siemens
g_K : siemens
E_L : volt
E_Na : volt
E_K : volt
V_T : volt
"""
    + _SPIKE,
    threshold="v > V_th and below > 0.5",
    reset="",
    refractory="t_ref",
    method="exponential_euler",
    # 20,000 um2 of membrane, as in Brette et al. (2007), whose E_L of -60 mV makes it fire by itself at 14 Hz.
    parameters={
        "C_m": "200 pF",
        "g_L": "10 nS",
        "g_Na": "20000 nS",
        "g_K": "6000 nS",
        "E_L": "-65 mV",
        "E_Na": "50 mV",
        "E_K": "-90 mV",
        "V_T": "-63 mV",
        "V_th": "-20 mV",
        "t_ref": "2 ms",
        "I_e": "0 pA",
    },
    initial={"v": "-64.7646 mV", "m": 0.0102273, "h": 0.997410, "n": 0.0281670, "below": 1.0},
    ranges=(
        "C_m > 0",
        "g_L > 0",
        "g_Na >= 0",
        "g_K >= 0",
        "E_K < E_Na",
        "t_ref >= 0",
        "0 <= m <= 1",
        "0 <= h <= 1",
        "0 <= n <= 1",
    ),
    # Against steps of 0.002 ms by the method of Runge and Kutta, at constant currents of 150 to 1500 pA.
    rate_errors={"0.01 ms": 0.01, "0.025 ms": 0.03, "0.05 ms": 0.06, "0.1 ms": 0.11},
)

WANG_BUZSAKI = NeuronModel(
    summary="Fast-spiking hippocampal interneuron; sodium activates at once. Its rate is up to 3 % low in steps of "
    "0.01 ms, 14 % in steps of 0.05 ms, 23 % in steps of 0.1 ms.",
    references=("10.1523/JNEUROSCI.16-20-06402.1996",),
    equations="""
dv/dt = (g_L*(E_L - v) + g_Na*m**3*h*(E_Na - v) + g_K*n**4*(E_K - v) + I_e + I_syn)/C_m : volt
dh/dt = phi*(alpha_h*(1 - h) - beta_h*h) : 1
dn/dt = phi*(alpha_n*(1 - n) - beta_n*n) : 1
m = alpha_m/(alpha_m + beta_m) : 1
alpha_m = 1/ms/exprel(-(v + 35*mV)/(10*mV)) : Hz
beta_m = 4/ms*exp(-(v + 60*mV)/(18*mV)) : Hz
alpha_h = 0.07/ms*exp(-(v + 58*mV)/(20*mV)) : Hz
beta_h = 1/ms/(1 + exp(-(v + 28*mV)/(10*mV))) : Hz
alpha_n = 0.1/ms/exprel(-(v + 34*mV)/(10*mV)) : Hz
beta_n = 0.125/ms*exp(-(v + 44*mV)/(80*mV)) : Hz
C_m : farad
g_L : siemens
g_Na : siemens
g_K : siemens
E_L : volt
E_Na : volt
E_K : volt
phi : 1
"""
    + _SPIKE,
    threshold="v > V_th and below > 0.5",
    reset="",
    refractory="t_ref",
    method="exponential_euler",
    # The paper gives densities; here for 0.0001 cm2, where 1 uA/cm2 is 100 pA and C_m is 100 pF.
    parameters={
        "C_m": "100 pF",
        "g_L": "10 nS",
        "g_Na": "3500 nS",
        "g_K": "900 nS",
        "E_L": "-65 mV",
        "E_Na": "55 mV",
        "E_K": "-90 mV",
        "phi": 5.0,
        "V_th": "-20 mV",
        "t_ref": "1 ms",
        "I_e": "0 pA",
    },
    initial={"v": "-64.0176 mV", "h": 0.780792, "n": 0.0890780, "below": 1.0},
    ranges=(
        "C_m > 0",
        "g_L > 0",
        "g_Na >= 0",
        "g_K >= 0",
        "E_K < E_Na",
        "phi > 0",
        "t_ref >= 0",
        "0 <= h <= 1",
        "0 <= n <= 1",
    ),
    # Against the same, at constant currents of 25 to 400 pA.
    rate_errors={"0.01 ms": 0.03, "0.05 ms": 0.14, "0.1 ms": 0.23},
)
