"""What can be trained, and what is refused."""

import pytest

import twinbrain as tb
from tests.learn.networks import recurrent, which_channels
from twinbrain.errors import LearnError


@pytest.mark.parametrize("names", [["t_ref"], ["weight", "t_ref"]])
def test_refractory_times_cannot_be_trained(names):
    with pytest.raises(LearnError, match=r"^trainable\.t_ref: expected a parameter that has a gradient"):
        tb.train(recurrent(), which_channels(24), epochs=1, trainable=names)


def test_an_unknown_parameter_is_answered_with_those_that_there_are():
    with pytest.raises(LearnError, match=r"^trainable\.tau_m: .* found 'tau_m'; .*E_L, .*time_constant") as error:
        tb.train(recurrent(), which_channels(24), epochs=1, trainable=["tau_m"])
    assert "t_ref" not in str(error.value)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            {"weight": {"inptu->*": "synapse", "*": "population"}},
            r"^trainable\.weight: .* fits a projection that has synapses, found 'inptu->\*'; .*input->e:",
        ),
        (
            {"weight": {"*": "population", "input->*": "synapse"}},
            r"^trainable\.weight: .* found 'input->\*', all of which an earlier pattern fits; put it first",
        ),
        ({"weight": "synapse", "delay": ["e->e*", "x->*"]}, r"^trainable\.delay: .* found 'x->\*'; "),
        (
            {"weight": "synapse", "C_m": {"x.zzz": "neuron"}},
            r"^trainable\.C_m: .* fits a population that has such a parameter, found 'x\.zzz'; ",
        ),
        ({"weight": "synapse", "adaptation": "neuron"}, r"^trainable\.adaptation: .* found '\*'; "),
        ({"C_m": {"*.input": "neuron", "*": "neuron"}}, r"^trainable\.C_m: .* found '\*\.input'; "),
    ],
)
def test_a_pattern_that_chooses_nothing_is_refused(chosen, message):
    with pytest.raises(LearnError, match=message):
        tb.train(recurrent(), which_channels(24), epochs=1, trainable=chosen)
