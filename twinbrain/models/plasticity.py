"""Plasticity rules of the library: equations, units, defaults, sources.

Spikes act on a synapse in the order of their arrival. What a spike releases is reckoned before the spike itself
changes the weight. Traces count all pairs of spikes.
"""

from __future__ import annotations

from twinbrain.spec.plasticity import PlasticityModel

TSODYKS_MARKRAM = PlasticityModel(
    summary="Short-term facilitation and depression: use of resources is raised first, then w*u*x is released.",
    references=("10.1523/JNEUROSCI.20-01-j0003.2000", "10.1073/pnas.95.9.5323"),
    equations="""
du/dt = -u/tau_facil : 1
dx/dt = (1 - x)/tau_rec : 1
U : 1
tau_facil : second
tau_rec : second
""",
    on_pre="u += U*(1 - u); release = w*u*x; x -= u*x",
    parameters={"U": 0.04, "tau_facil": "1000 ms", "tau_rec": "100 ms"},
    initial={"x": 1.0},
    ranges=(
        "0 <= U <= 1",
        "tau_facil > 0",
        "tau_rec > 0",
        "0 <= u <= 1",
        "0 <= x <= 1",
    ),
)

SHORT_TERM_DEPRESSION = PlasticityModel(
    summary="Short-term depression alone: the Tsodyks-Markram synapse without facilitation.",
    references=("10.1523/JNEUROSCI.20-01-j0003.2000",),
    equations="""
dx/dt = (1 - x)/tau_rec : 1
U : 1
tau_rec : second
""",
    on_pre="release = w*U*x; x -= U*x",
    parameters={"U": 0.5, "tau_rec": "800 ms"},
    initial={"x": 1.0},
    ranges=(
        "0 <= U <= 1",
        "tau_rec > 0",
        "0 <= x <= 1",
    ),
)

SATURATION = PlasticityModel(
    summary="Saturation: a spike opens a part of the channels that are still closed; for the receptor nmda_saturating.",
    references=("10.1523/JNEUROSCI.19-21-09587.1999", "10.1016/S0896-6273(02)01092-9"),
    # There ds/dt = -s/tau_s + alpha*x*(1 - s) and dx/dt = -x/tau_x, x rising by 1 with each spike. Since tau_x is much
    # shorter than tau_s, all that a spike opens is opened at its arrival here; the receptor adds the rise.
    equations="""
ds/dt = -s/tau_s : 1
opened = 1 - exp(-alpha*tau_x) : 1
tau_s : second
tau_x : second
alpha : 1/second
""",
    on_pre="release = w*opened*(1 - s); s += opened*(1 - s)",
    parameters={"tau_s": "100 ms", "tau_x": "2 ms", "alpha": "0.5/ms"},
    ranges=("tau_s > 0", "tau_x > 0", "alpha >= 0", "0 <= s <= 1"),
)

PAIR_STDP = PlasticityModel(
    summary="Pair-based spike-timing-dependent plasticity, additive, between 0 and w_max.",
    references=("10.1038/78829", "10.1007/s00422-008-0233-1"),
    equations="""
dpre_trace/dt = -pre_trace/tau_plus : 1
dpost_trace/dt = -post_trace/tau_minus : 1
tau_plus : second
tau_minus : second
A_plus : 1
A_minus : 1
w_max : weight
""",
    on_pre="release = w; pre_trace += 1; w = clip(w - A_minus*w_max*post_trace, 0*weight, w_max)",
    on_post="post_trace += 1; w = clip(w + A_plus*w_max*pre_trace, 0*weight, w_max)",
    parameters={"tau_plus": "20 ms", "tau_minus": "20 ms", "A_plus": 0.005, "A_minus": 0.00525},
    ranges=(
        "tau_plus > 0",
        "tau_minus > 0",
        "0 <= w <= w_max",
    ),
)

TRIPLET_STDP = PlasticityModel(
    summary="Triplet spike-timing-dependent plasticity; amplitudes in units of w_ref, defaults of visual cortex.",
    references=("10.1523/JNEUROSCI.1425-06.2006",),
    equations="""
dr_1/dt = -r_1/tau_plus : 1
dr_2/dt = -r_2/tau_x : 1
do_1/dt = -o_1/tau_minus : 1
do_2/dt = -o_2/tau_y : 1
tau_plus : second
tau_x : second
tau_minus : second
tau_y : second
A2_plus : 1
A3_plus : 1
A2_minus : 1
A3_minus : 1
w_ref : weight
w_max : weight
""",
    on_pre="""
release = w
w = clip(w - w_ref*o_1*(A2_minus + A3_minus*r_2), 0*weight, w_max)
r_1 += 1
r_2 += 1
""",
    on_post="""
w = clip(w + w_ref*r_1*(A2_plus + A3_plus*o_2), 0*weight, w_max)
o_1 += 1
o_2 += 1
""",
    parameters={
        "tau_plus": "16.8 ms",
        "tau_x": "101 ms",
        "tau_minus": "33.7 ms",
        "tau_y": "125 ms",
        "A2_plus": 5e-10,
        "A3_plus": 6.2e-3,
        "A2_minus": 7e-3,
        "A3_minus": 2.3e-4,
    },
    ranges=(
        "tau_plus > 0",
        "tau_x > 0",
        "tau_minus > 0",
        "tau_y > 0",
        "w_ref >= 0",
        "0 <= w <= w_max",
    ),
)

REWARD_STDP = PlasticityModel(
    summary="Pair-based plasticity marks synapses as eligible; reward, set free by a modulator, changes their weights.",
    references=("10.1093/cercor/bhl152",),
    equations="""
dpre_trace/dt = -pre_trace/tau_plus : 1
dpost_trace/dt = -post_trace/tau_minus : 1
dc/dt = -c/tau_c : weight
dn/dt = -n/tau_n : hertz
dw/dt = c*(n - b) : weight
tau_plus : second
tau_minus : second
tau_c : second
tau_n : second
b : hertz
A_plus : 1
A_minus : 1
w_max : weight
""",
    on_pre="release = w; pre_trace += 1; c -= A_minus*w_max*post_trace",
    on_post="post_trace += 1; c += A_plus*w_max*pre_trace",
    on_modulator="n += modulator_spikes/tau_n",
    on_event="w = clip(w, 0*weight, w_max)",
    parameters={
        "tau_plus": "20 ms",
        "tau_minus": "20 ms",
        "tau_c": "1000 ms",
        "tau_n": "200 ms",
        "b": "0 Hz",
        "A_plus": 0.005,
        "A_minus": 0.0075,
    },
    ranges=(
        "tau_plus > 0",
        "tau_minus > 0",
        "tau_c > 0",
        "tau_n > 0",
        "0 <= w <= w_max",
    ),
)

INHIBITORY_STDP = PlasticityModel(
    summary="Inhibitory plasticity towards a target rate rho_0: a pair of spikes strengthens a synapse in either "
    "order, the more the nearer they are, and each spike that arrives weakens it by eta*2*rho_0*tau.",
    references=("10.1126/science.1211095",),
    equations="""
dpre_trace/dt = -pre_trace/tau : 1
dpost_trace/dt = -post_trace/tau : 1
tau : second
rho_0 : hertz
eta : weight
w_max : weight
""",
    on_pre="release = w; pre_trace += 1; w = clip(w + eta*(post_trace - 2*rho_0*tau), 0*weight, w_max)",
    on_post="post_trace += 1; w = clip(w + eta*pre_trace, 0*weight, w_max)",
    parameters={"tau": "20 ms", "rho_0": "3 Hz"},
    ranges=(
        "tau > 0",
        "rho_0 >= 0",
        "eta >= 0",
        "0 <= w <= w_max",
    ),
)

PLASTICITY_MODELS = {
    "tsodyks_markram": TSODYKS_MARKRAM,
    "short_term_depression": SHORT_TERM_DEPRESSION,
    "saturation": SATURATION,
    "pair_stdp": PAIR_STDP,
    "triplet_stdp": TRIPLET_STDP,
    "reward_stdp": REWARD_STDP,
    "inhibitory_stdp": INHIBITORY_STDP,
}
