"""What arrives where nothing is felt of it is refused; what acts in any way is not."""

import pytest

import twinbrain as tb
from tests.examples import build_region, small_brain
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.reach import unfelt
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.network.layout import lay_out
from twinbrain.spec.model import NeuronModel, ReceptorModel

ALONE = "dv/dt = (E - v)/tau : volt\nE : volt\ntau : second"
PARAMETERS = {"E": "0 mV", "tau": "10 ms"}
WATCHED = ReceptorModel(equations="dg/dt = -g/tau_g : siemens\ntau_g : second", jump="g", parameters={"tau_g": "1 ms"})


def neuron(further=""):
    return NeuronModel(equations=f"{ALONE}\n{further}", threshold="v > E", reset="v = E", parameters=PARAMETERS)


def region(model, **given):
    cells = {"cell": tb.Cell(model="own", receptors=("ampa", "watched"))}
    populations = {"all": tb.Population(cell="cell", size=2)}
    declared = {"models": {"own": model}, "receptors": {"watched": WATCHED}, "cells": cells, "populations": populations}
    return tb.Region.parse({"name": "own", **declared, **given})


@pytest.mark.parametrize(
    ("further", "expected"),
    [
        ("", {"ampa", "watched"}),
        ("dw/dt = (I_syn/pA - w)/tau : 1", {"watched"}),
        ("G = g : siemens", {"ampa"}),
        ("dw/dt = g/nS/tau - w/tau + g_ampa/nS/tau : 1", set()),
    ],
)
def test_a_receptor_acts_where_an_equation_of_the_neuron_follows_from_it(further, expected):
    assert unfelt(neuron(further), {"ampa": RECEPTOR_MODELS["ampa"], "watched": WATCHED}) == expected


def test_a_jump_of_the_neurons_own_variable_acts():
    assert unfelt(neuron(), {"delta": RECEPTOR_MODELS["delta"]}) == set()


@pytest.mark.parametrize("name", NEURON_MODELS)
def test_every_receptor_of_the_library_acts_on_its_neurons(name):
    # A relay stands for given spikes, which arrive through delta.
    expected = set(RECEPTOR_MODELS) - {"delta"} if name == "relay" else set()
    assert unfelt(NEURON_MODELS[name], RECEPTOR_MODELS) == expected


EVENTS = {"population": "all", "rate": "10 Hz", "weight": "1 nS"}
SYNAPSES = {"source": "all", "target": "all", "weight": "1 nS", "delay": "1 ms", "connect": {"in_degree": 1}}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"drives": [EVENTS | {"receptor": "ampa"}]}, r"own: drives\[0\]: expected a .*, found 'ampa', .*; use I_syn"),
        ({"drives": [{"population": "all", "current": "1 pA"}]}, r"drives\[0\]: expected .* found 'current'"),
        ({"projections": [SYNAPSES | {"receptor": "watched"}]}, r"projections\[0\]: .* 'watched', .* its variable 'g'"),
    ],
)
def test_what_arrives_where_nothing_is_felt_is_refused(given, message):
    with pytest.raises(tb.SpecError, match=message):
        build_region(region(neuron(), **given))


def test_a_receptor_at_which_nothing_arrives_may_be_listed():
    assert build_region(region(neuron())).n_neurons == 2


def test_a_stimulus_is_felt_in_every_region_that_it_reaches():
    felt = region(neuron("I = I_syn : amp")).replace(name="other")
    brain = small_brain(2).replace(regions={"CX-*": felt, "TH-*": region(neuron())}, long_range=None)
    stimulus = tb.Stimulus.parse(
        {"name": "s", "population": "all", "current": "1 pA", "start": "0 ms", "duration": "1 ms"}
    )
    with pytest.raises(tb.SpecError, match=r"stimuli\.s: expected a receptor that acts .* found 'current'"):
        lay_out(brain, brain.connectome, (stimulus,))
