"""Receptor models of the library: equations, units, defaults, sources."""

from __future__ import annotations

from twinbrain.spec.model import ReceptorModel

_SINGLE = """
I_{r} = g_{r}*(E_{r} - v) : amp
dg_{r}/dt = -g_{r}/tau_{r} : siemens
E_{r} : volt
tau_{r} : second
"""

# A rise and a decay, scaled so that one spike's conductance peaks at its weight. The peak is at
# t = ln(decay/rise) * rise*decay/(decay - rise), where it is (rise/decay)**(rise/(decay - rise)).
_DOUBLE = """
I_{r} = {block}g_{r}*(E_{r} - v) : amp
dg_{r}/dt = -g_{r}/tau_decay_{r} \
+ x_{r}*(tau_decay_{r}/tau_rise_{r})**(tau_rise_{r}/(tau_decay_{r} - tau_rise_{r}))/tau_rise_{r} : siemens
dx_{r}/dt = -x_{r}/tau_rise_{r} : siemens
E_{r} : volt
tau_rise_{r} : second
tau_decay_{r} : second
"""

# Two equal time constants, scaled so that one spike's current or conductance peaks at its weight, at t = tau.
_ALPHA = """
d{s}/dt = (exp(1)*x_{r} - {s})/tau_{r} : {unit}
dx_{r}/dt = -x_{r}/tau_{r} : {unit}
tau_{r} : second
"""

AMPA = ReceptorModel(
    summary="Fast glutamate conductance with exponential decay.",
    references=("10.1023/A:1011204814320",),
    equations=_SINGLE.format(r="ampa"),
    jump="g_ampa",
    current="I_ampa",
    parameters={"E_ampa": "0 mV", "tau_ampa": "2 ms"},
    ranges=("tau_ampa > 0",),
)

GABA_A = ReceptorModel(
    summary="Fast GABA conductance with exponential decay.",
    references=("10.1152/jn.00915.2004",),
    equations=_SINGLE.format(r="gaba_a"),
    jump="g_gaba_a",
    current="I_gaba_a",
    parameters={"E_gaba_a": "-70 mV", "tau_gaba_a": "7 ms"},
    ranges=("tau_gaba_a > 0",),
)

NMDA = ReceptorModel(
    summary="Slow glutamate conductance with rise, decay and magnesium block; linear, without saturation.",
    references=("10.1152/jn.00915.2004", "10.1523/JNEUROSCI.10-09-03178.1990"),
    equations=_DOUBLE.format(r="nmda", block="1/(1 + (Mg_nmda/(3.57*mM))*exp(-0.062*v/mV))*") + "Mg_nmda : mM\n",
    jump="x_nmda",
    current="I_nmda",
    parameters={"E_nmda": "0 mV", "tau_rise_nmda": "4 ms", "tau_decay_nmda": "40 ms", "Mg_nmda": "1 mM"},
    ranges=(
        "0 < tau_rise_nmda <= tau_decay_nmda",
        "Mg_nmda >= 0",
    ),
)

# Unlike nmda's, the conductance is not scaled to its peak: it is the sum over sources of weight times s, delayed by the
# rise, where a synapse releases the growth of its s.
_NMDA_SATURATING = """
I_{r} = 1/(1 + (Mg_{r}/(3.57*mM))*exp(-0.062*v/mV))*g_{r}*(E_{r} - v) : amp
dg_{r}/dt = -g_{r}/tau_decay_{r} + x_{r}/tau_rise_{r} : siemens
dx_{r}/dt = -x_{r}/tau_rise_{r} : siemens
E_{r} : volt
tau_rise_{r} : second
tau_decay_{r} : second
Mg_{r} : mM
"""

NMDA_SATURATING = ReceptorModel(
    summary="NMDA conductance for synapses with the rule saturation: however fast a source fires, it adds its weight.",
    references=("10.1023/A:1011204814320", "10.1016/S0896-6273(02)01092-9"),
    equations=_NMDA_SATURATING.format(r="nmda_saturating"),
    jump="x_nmda_saturating",
    current="I_nmda_saturating",
    parameters={
        "E_nmda_saturating": "0 mV",
        "tau_rise_nmda_saturating": "2 ms",
        "tau_decay_nmda_saturating": "100 ms",
        "Mg_nmda_saturating": "1 mM",
    },
    ranges=("0 < tau_rise_nmda_saturating <= tau_decay_nmda_saturating", "Mg_nmda_saturating >= 0"),
)

GABA_B = ReceptorModel(
    summary="Slow GABA conductance with rise and decay.",
    references=("10.1152/jn.00915.2004",),
    equations=_DOUBLE.format(r="gaba_b", block=""),
    jump="x_gaba_b",
    current="I_gaba_b",
    parameters={"E_gaba_b": "-90 mV", "tau_rise_gaba_b": "60 ms", "tau_decay_gaba_b": "200 ms"},
    ranges=("0 < tau_rise_gaba_b <= tau_decay_gaba_b",),
)

EXPONENTIAL_CURRENT = ReceptorModel(
    summary="Current with exponential decay; weights carry the sign.",
    references=("10.1007/s004220050570",),
    equations="""
dI_exponential_current/dt = -I_exponential_current/tau_exponential_current : amp
tau_exponential_current : second
""",
    jump="I_exponential_current",
    current="I_exponential_current",
    parameters={"tau_exponential_current": "2 ms"},
    ranges=("tau_exponential_current > 0",),
)

ALPHA_CURRENT = ReceptorModel(
    summary="Current of the shape of an alpha function, which peaks at the weight; weights carry the sign.",
    references=("10.1152/jn.1967.30.5.1138", "10.1007/s004220050570"),
    equations=_ALPHA.format(s="I_alpha_current", r="alpha_current", unit="amp"),
    jump="x_alpha_current",
    current="I_alpha_current",
    parameters={"tau_alpha_current": "2 ms"},
    ranges=("tau_alpha_current > 0",),
)

ALPHA_CONDUCTANCE = ReceptorModel(
    summary="Conductance of the shape of an alpha function, which peaks at the weight.",
    references=("10.1152/jn.1967.30.5.1138",),
    equations="I_alpha_conductance = g_alpha_conductance*(E_alpha_conductance - v) : amp"
    + _ALPHA.format(s="g_alpha_conductance", r="alpha_conductance", unit="siemens")
    + "E_alpha_conductance : volt\n",
    jump="x_alpha_conductance",
    current="I_alpha_conductance",
    parameters={"E_alpha_conductance": "0 mV", "tau_alpha_conductance": "2 ms"},
    ranges=("tau_alpha_conductance > 0",),
)

DELTA = ReceptorModel(
    summary="A jump of the membrane potential, tested against the threshold at once; lost while refractory.",
    references=("10.1007/s004220050570",),
    jump="v",
)

CURRENT = ReceptorModel(
    summary="Injected current without dynamics: what arrives in a step flows for that step.",
    references=("10.7551/mitpress/2526.001.0001",),
    equations="I_current : amp\n",
    jump="I_current",
    current="I_current",
)

# Normal numbers of unit variance, held for a step, keep the variance of y at 1 whatever the step: the exact solution of
# this equation over a step is y = a*y + sqrt(1 - a**2)*noise with a = exp(-dt/tau).
OU_CURRENT = ReceptorModel(
    summary="Ornstein-Uhlenbeck current; driven by noise of standard deviation 1, it has the given mean and sigma.",
    references=("10.1103/PhysRevE.54.2084", "10.1016/S0306-4522(01)00344-X"),
    equations="""
I_ou_current = mean_ou_current + sigma_ou_current*y_ou_current : amp
dy_ou_current/dt = (noise_ou_current/sqrt(tanh(dt/(2*tau_ou_current))) - y_ou_current)/tau_ou_current : 1
noise_ou_current : 1
mean_ou_current : amp
sigma_ou_current : amp
tau_ou_current : second
""",
    jump="noise_ou_current",
    current="I_ou_current",
    parameters={"mean_ou_current": "0 pA", "sigma_ou_current": "50 pA", "tau_ou_current": "5 ms"},
    ranges=(
        "sigma_ou_current >= 0",
        "tau_ou_current > 0",
    ),
)

RECEPTOR_MODELS = {
    "ampa": AMPA,
    "nmda": NMDA,
    "nmda_saturating": NMDA_SATURATING,
    "gaba_a": GABA_A,
    "gaba_b": GABA_B,
    "exponential_current": EXPONENTIAL_CURRENT,
    "alpha_current": ALPHA_CURRENT,
    "alpha_conductance": ALPHA_CONDUCTANCE,
    "delta": DELTA,
    "current": CURRENT,
    "ou_current": OU_CURRENT,
}
