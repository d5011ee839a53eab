"""What cannot be is refused: values out of their range, and negative weights of conductances."""

import re

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import CORTEX, build_brain, build_region, region_data, small_brain
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.plasticity import PLASTICITY_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.run.prepare import prepare
from twinbrain.spec.ranges import parse_range

# Model, parameter or variable, what it cannot be, and what it should be.
IMPOSSIBLE = [
    ("lif_current", "C_m", "-250 pF", "C_m > 0"),
    ("lif_current", "C_m", "0 pF", "C_m > 0"),
    ("lif_current", "g_L", "-25 nS", "g_L > 0"),
    ("lif_current", "V_reset", "-54 mV", "V_reset < V_th"),
    ("lif_current", "V_th", "-71 mV", "V_reset < V_th"),
    ("lif_current", "t_ref", "-1 ms", "t_ref >= 0"),
    ("lif_conductance", "g_L", "0 nS", "g_L > 0"),
    ("alif", "tau_a", "0 ms", "tau_a > 0"),
    ("alif", "E_L", "-50 mV", "E_L < V_th"),
    ("eif", "Delta_T", "-2 mV", "Delta_T > 0"),
    ("eif", "V_reset", "-20 mV", "V_reset < V_peak"),
    ("adex", "Delta_T", "0 mV", "Delta_T > 0"),
    ("adex", "tau_w", "0 ms", "tau_w > 0"),
    ("adex", "V_peak", "-61 mV", "V_reset < V_peak"),
    ("glif", "k_1", "-0.003/ms", "k_1 >= 0"),
    ("glif", "b_s", "-0.009/ms", "b_s >= 0"),
    ("hodgkin_huxley", "g_Na", "-20 uS", "g_Na >= 0"),
    ("hodgkin_huxley", "E_K", "60 mV", "E_K < E_Na"),
    ("wang_buzsaki", "phi", -5.0, "phi > 0"),
    ("wang_buzsaki", "initial.h", 1.2, "0 <= h <= 1"),
    ("izhikevich_2003", "c", "31 mV", "c < V_peak"),
    ("izhikevich_2003", "a", "-0.02/ms", "a >= 0"),
    ("izhikevich_2007", "k", "-0.7 nS/mV", "k > 0"),
    ("izhikevich_2007", "c", "40 mV", "c < v_peak"),
    ("relay", "tau", "0 ms", "tau > 0"),
    ("leaky_integrator", "g_L", "-1 nS", "g_L > 0"),
    ("ampa", "tau_ampa", "0 ms", "tau_ampa > 0"),
    ("gaba_a", "tau_gaba_a", "-7 ms", "tau_gaba_a > 0"),
    ("nmda", "tau_rise_nmda", "41 ms", "0 < tau_rise_nmda <= tau_decay_nmda"),
    ("nmda", "Mg_nmda", "-1 mM", "Mg_nmda >= 0"),
    ("gaba_b", "tau_rise_gaba_b", "0 ms", "0 < tau_rise_gaba_b <= tau_decay_gaba_b"),
    ("exponential_current", "tau_exponential_current", "-2 ms", "tau_exponential_current > 0"),
    ("alpha_current", "tau_alpha_current", "0 ms", "tau_alpha_current > 0"),
    ("alpha_conductance", "tau_alpha_conductance", "0 ms", "tau_alpha_conductance > 0"),
    ("ou_current", "sigma_ou_current", "-50 pA", "sigma_ou_current >= 0"),
    ("tsodyks_markram", "U", 1.2, "0 <= U <= 1"),
    ("tsodyks_markram", "tau_facil", "0 ms", "tau_facil > 0"),
    ("tsodyks_markram", "initial.x", -0.1, "0 <= x <= 1"),
    ("short_term_depression", "U", -0.1, "0 <= U <= 1"),
    ("pair_stdp", "tau_plus", "-20 ms", "tau_plus > 0"),
    ("pair_stdp", "w_max", "0.5 nS", "0 <= w <= w_max"),
    ("triplet_stdp", "w_ref", "-1 nS", "w_ref >= 0"),
    ("inhibitory_stdp", "rho_0", "-3 Hz", "rho_0 >= 0"),
    ("inhibitory_stdp", "eta", "-1 nS", "eta >= 0"),
]


def region_with(name, key, value):
    """Return a region of a model, receptor or rule, with one value changed."""
    table, _, key = key.rpartition(".")
    change = {table or "parameters": {key: value}}
    receptors = [] if name in NEURON_MODELS else ["ampa"] if name in PLASTICITY_MODELS else [name]
    model = name if name in NEURON_MODELS else "lif_conductance"
    of_cell = {} if name in PLASTICITY_MODELS else change
    data = {
        "name": "some",
        "cells": {"cell": {"model": model, "receptors": receptors, **of_cell}},
        "populations": {"cell": {"cell": "cell", "size": 4}},
    }
    if name in PLASTICITY_MODELS:
        needed = {"w_max": "2 nS", "w_ref": "1 nS", "eta": "0.01 nS"}
        equations = PLASTICITY_MODELS[name].equations
        given = {key: value for key, value in needed.items() if f"{key} : weight" in equations}
        modulated = {"modulator": "cell"} if PLASTICITY_MODELS[name].on_modulator else {}
        rule = modulated | {
            "model": name,
            "parameters": given | change.get("parameters", {}),
            "initial": change.get("initial", {}),
        }
        data["projections"] = [
            {"source": "cell", "target": "cell", "receptor": "ampa", "connect": {"in_degree": 2}}
            | {"weight": "1 nS", "delay": "1 ms", "plasticity": rule}
        ]
    return tb.Region.parse(data)


@pytest.mark.parametrize(("name", "key", "value", "text"), IMPOSSIBLE, ids=lambda v: str(v))
def test_an_impossible_value_is_refused_with_what_it_should_be(name, key, value, text):
    with pytest.raises(tb.SpecError) as caught:
        build_region(region_with(name, key, value))
    assert f"expected {text}, found " in str(caught.value)
    assert f"{key.rpartition('.')[2]} = " in str(caught.value)


@pytest.mark.parametrize("name", [*NEURON_MODELS, *RECEPTOR_MODELS, *PLASTICITY_MODELS])
def test_what_the_library_gives_is_possible(name):
    model = {**NEURON_MODELS, **RECEPTOR_MODELS, **PLASTICITY_MODELS}[name]
    parameters = dict(model.parameters)
    key, value = next(iter(parameters.items()), ("", None))
    if value is not None and not isinstance(model, tb.ReceptorModel):
        build_region(region_with(name, key, value))
    assert model.ranges or not parameters


def test_drawn_values_are_checked_and_a_minimum_keeps_them_possible():
    def cortex_with(g_L):
        data = region_data(CORTEX)
        data["cells"]["pyr"]["parameters"]["g_L"] = g_L
        return tb.Region.parse(data)

    spread = {"normal": ["10 nS", "10 nS"]}
    with pytest.raises(tb.SpecError, match=r"parameters.g_L: expected g_L > 0, found g_L = -.* of 40 in all\); give"):
        build_region(cortex_with(spread))
    build_region(cortex_with(spread | {"min": "1 nS"}))


def test_a_model_of_ones_own_declares_its_ranges():
    model = tb.NeuronModel(
        equations="dv/dt = -v/tau/(1 + depth) : volt\ntau : second\ndepth : 1\nV_th : volt",
        threshold="v > V_th",
        reset="v = 0*volt",
        parameters={"tau": "10 ms", "depth": 0.5, "V_th": "1 mV"},
        ranges=("0 <= depth < 2", "V_th > 0"),
    )

    def region(model, **parameters):
        cells = {"cell": tb.Cell(model="own", parameters=parameters)}
        populations = {"cell": tb.Population(cell="cell", size=2)}
        return tb.Region(name="own", models={"own": model}, cells=cells, populations=populations)

    build_region(region(model, depth=1.9))
    with pytest.raises(tb.SpecError, match="expected 0 <= depth < 2, found depth = 2"):
        build_region(region(model, depth=tb.Explicit(np.array([0.0, 2.0]), "1")))
    for text, part in {
        "V_th < -0.05": "found V_th (mV) beside -0.05 without a unit",
        "0 < tau < V_th": "found tau (ms) beside V_th (mV)",
        "depth < tau": "found depth (1) beside tau (ms)",
    }.items():
        with pytest.raises(tb.SpecError, match=re.escape(f"ranges: expected values of one unit, or 0, {part} in")):
            build_region(region(model.replace(ranges=(text,))))
    both = model.replace(ranges=("v < V_th",), initial={"v": "2 mV"})
    with pytest.raises(tb.SpecError, match=r"initial\.v: expected v < V_th, found v = 2 mV, V_th = 1 mV"):
        build_region(region(both))
    build_region(region(both, V_th="3 mV"))
    rated = model.replace(equations=model.equations + "\nk : 1/second\nR : ohm", ranges=("k >= 0", "R >= 0"))
    with pytest.raises(tb.SpecError, match="expected k >= 0, found k = -20000 Hz"):
        build_region(region(rated, k="-20/ms", R="1 Mohm"))
    with pytest.raises(tb.SpecError, match="expected R >= 0, found R = -40 Mohm"):
        build_region(region(rated, k="20/ms", R="-40 Mohm"))
    mistyped = model.replace(ranges=("V_tj > 0",))
    with pytest.raises(tb.SpecError, match="expected names of parameters and variables, found 'V_tj' in 'V_tj > 0'"):
        build_region(region(mistyped))


@pytest.mark.parametrize(
    "text", ["", "C_m", "0 < 1", "C_m = 0", "C_m > ", "> 0", "a < b < c < d", "a b > 0", "a > b; c"]
)
def test_what_is_no_inequality_is_refused(text):
    with pytest.raises(ValueError, match="expected an inequality such as"):
        parse_range(text)


def cortex(**changes):
    data = region_data(CORTEX)
    data["projections"][0] |= changes
    return tb.Region.parse(data)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"weight": "-2 nS"},
            r"projections\[0\].weight: expected at least 0 nS, since 'ampa' is a conductance, found -2",
        ),
        ({"receptor": {"ampa": -1.0}, "weight": "2 nS"}, r"projections\[0\].weight: expected at least 0 nS"),
        (
            {"weight": {"normal": ["1 nS", "1 nS"]}},
            r"weights of at least 0 nS, since 'ampa' is a conductance, found -.* nS \(\d+ of \d+ are negative\); give",
        ),
    ],
)
def test_negative_weights_of_conductances_are_refused(changes, message):
    with pytest.raises(tb.SpecError, match=message):
        build_region(cortex(**changes))


def test_a_minimum_keeps_weights_positive():
    build_region(cortex(weight={"normal": ["1 nS", "1 nS"], "min": "0 nS"}))


@pytest.mark.parametrize(
    ("drive", "place"),
    [
        ({"rate": "100 Hz", "weight": "-1 nS"}, "weight"),
        ({"current": "-1 nS"}, "current"),
        ({"noise": "1 nS"}, "noise"),
        ({"pulses": {"amplitude": "-1 nS", "width": "1 ms"}}, "pulses.amplitude"),
        ({"sine": {"amplitude": "2 nS", "offset": "1 nS", "frequency": "10 Hz"}}, "sine.offset"),
        ({"spikes": {"times": [1.0], "unit": "ms", "weight": "-1 nS"}}, "spikes.weight"),
        ({"waveform": {"values": [1.0, -1.0], "unit": "nS", "interval": "1 ms"}}, "waveform"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_negative_drives_of_conductances_are_refused_before_anything_is_built(drive, place):
    data = region_data(CORTEX)
    data["drives"] = [{"population": "pyr", "receptor": "ampa"} | drive]
    brain = small_brain(1).replace(regions={"*": tb.Region.parse(data)})
    message = rf"^region test/cortex: drives\[0\]\.{place}: expected .*, since 'ampa' is a conductance"
    with pytest.raises(tb.SpecError, match=message):
        prepare(tb.Workflow(name="some", brain=brain))


def test_what_stays_positive_drives_conductances():
    data = region_data(CORTEX)
    sine = {"amplitude": "1 nS", "offset": "1 nS", "frequency": "10 Hz"}
    data["drives"] = [{"population": "pyr", "receptor": "ampa", "sine": sine}]
    build_region(tb.Region.parse(data))


def test_a_negative_rule_between_regions_is_refused():
    brain = small_brain(3)
    with pytest.raises(tb.SpecError, match=r"^brain.long_range.weight: expected at least 0 nS, since 'ampa'"):
        build_brain(brain.replace(long_range=brain.long_range.replace(weight="-0.4 nS")))
