"""A receptor acts at rest where a neuron feels it though nothing has arrived; derived by hand from each's equations."""

import pytest

import twinbrain as tb
from twinbrain.models.at_rest import acts_at_rest
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS


@pytest.mark.parametrize("name", RECEPTOR_MODELS)
def test_receptors_of_the_library_do_nothing_until_something_arrives(name):
    assert not any(acts_at_rest(model, RECEPTOR_MODELS[name]) for model in NEURON_MODELS.values())


def receptor(*lines, current="I_r", **parameters):
    equations = "\n".join((*lines, "dx/dt = -x/tau : amp", "tau : second"))
    return tb.ReceptorModel(equations=equations, jump="x", current=current, parameters={"tau": "5 ms"} | parameters)


LIF = NEURON_MODELS["lif_current"]
LEAK = "I_r = g*(E - v) + x : amp\ng : siemens\nE : volt"
RISING = "I_r = y + x : amp\ndy/dt = (level - y)/tau : amp\nlevel : amp"
GATED = "I_r = x*m : amp\ndm/dt = (1/(1 + exp(-v/mV)) - m)/tau : 1"


@pytest.mark.parametrize(
    ("found", "acts"),
    [
        (receptor("I_r = x : amp"), False),
        (receptor(LEAK, g="10 nS", E="0 mV"), True),
        (receptor(LEAK, g="0 nS", E="0 mV"), False),
        (receptor(LEAK, E="0 mV"), True),  # no default: it may be anything
        (receptor(RISING, level="2 pA"), True),
        (receptor(RISING, level="0 pA"), False),
        (receptor(GATED), False),  # the gate moves, but there is nothing to let through
        (receptor("I_r = (exp(x/pA) - 1)*pA : amp"), False),
        (receptor("I_r = exp(x/pA)*pA : amp"), True),
        (receptor("I_r = s : amp\ns = 2*u : amp\nu = x + 1*pA : amp"), True),
        (receptor("I_r = x*v/mV : amp"), False),
        (receptor(LEAK, current=None, g="10 nS", E="0 mV"), False),
    ],
)
def test_a_receptor_acts_where_its_current_is_not_nothing_for_ever(found, acts):
    assert acts_at_rest(LIF, found) == acts


def test_what_a_neuron_names_or_resets_counts_too():
    own = LIF.replace(equations=LIF.equations.replace("I_syn", "I_r"))
    found = receptor(LEAK, current=None, g="10 nS", E="0 mV")
    assert acts_at_rest(own, found)
    assert not acts_at_rest(own, receptor("I_r = x : amp"))
    assert acts_at_rest(LIF.replace(reset="v = V_reset; x = 5*pA"), receptor("I_r = x : amp"))
    unfelt = LIF.replace(equations=LIF.equations.replace("I_syn", "0*amp"))
    assert not acts_at_rest(unfelt, receptor(LEAK, g="10 nS", E="0 mV"))


def test_of_the_library_a_coloured_current_with_a_mean_flows_of_itself_alone():
    leaky = NEURON_MODELS["lif_conductance"]
    alone = {name for name, own in RECEPTOR_MODELS.items() if acts_at_rest(leaky, own, own.parameters)}
    assert alone == {"ou_current"}
    assert not acts_at_rest(leaky, RECEPTOR_MODELS["ou_current"], {"sigma_ou_current", "tau_ou_current"})


def test_what_a_receptor_begins_with_flows():
    leaky = NEURON_MODELS["lif_conductance"]
    assert acts_at_rest(leaky, RECEPTOR_MODELS["ampa"], {"tau_ampa", "E_ampa", "g_ampa"})
    assert acts_at_rest(leaky, RECEPTOR_MODELS["alpha_current"], {"tau_alpha_current", "x_alpha_current"})
