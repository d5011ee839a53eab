"""What can be trained, and what is refused."""

import pytest

import twinbrain as tb
from tests.learn.brains import joined
from tests.learn.networks import recurrent, which_channels
from twinbrain.errors import LearnError
from twinbrain.learn.attach import attach
from twinbrain.learn.lower import lower
from twinbrain.learn.network import TrainableNetwork
from twinbrain.spec.training import InputSpec, ReadoutSpec, Surrogate, Trainable


@pytest.mark.parametrize("names", [["t_ref"], ["weight", "t_ref"]])
def test_refractory_times_cannot_be_trained(names):
    with pytest.raises(LearnError, match=r"^trainable\.t_ref: expected a parameter that has a gradient"):
        tb.train(recurrent(), which_channels(24), epochs=1, trainable=names)


def test_a_receptor_s_parameters_are_trained_where_cells_have_it():
    cells = {"a": {"model": "lif_current", "receptors": ["exponential_current"]}}
    cells["b"] = {"model": "lif_current", "receptors": ["exponential_current", "alpha_current"]}
    populations = {"a": {"cell": "a", "size": 6}, "b": {"cell": "b", "size": 3}}
    region = tb.Region.parse({"name": "test/two", "cells": cells, "populations": populations})
    attached = attach(region, which_channels(24), InputSpec(weight="100 pA"), ReadoutSpec())
    lowered = lower(attached, dt=1.0, seed=0)
    blocks = {p.population: p.block for p in lowered.network.populations}
    assert blocks["a"] == blocks["b"]  # so the block has the parameter for both
    network = TrainableNetwork(lowered, Trainable.parse({"tau_alpha_current": "neuron"}), Surrogate())
    assert network.n_trained == 3
    with pytest.raises(LearnError, match=r"fits a population that has such a parameter, found '\*\.a'"):
        TrainableNetwork(lowered, Trainable.parse({"tau_alpha_current": {"*.a": "neuron"}}), Surrogate())


def test_a_label_with_brackets_means_that_region_alone():
    """As a pattern, ``M[1]`` would mean ``M1``."""
    brain = joined(("M[1]", "M1"), sizes=(4, 2), in_degree=2)
    ends = InputSpec(region="M[1]", weight="100 pA"), ReadoutSpec(region="M1")
    lowered = lower(attach(brain, which_channels(24), *ends), dt=1.0, seed=0)

    def trained(**chosen):
        network = TrainableNetwork(lowered, Trainable.parse(chosen), Surrogate())
        return {
            group.name for weights in network.tables() for group in weights.groups if group.trained
        }, network.n_trained

    assert trained(C_m={"M[1].e": "neuron"}) == (set(), 4)
    assert trained(C_m={"M[[]1].e": "neuron", "M1.e": "population"}) == (set(), 5)
    name = "M[1].e->M1.e:exponential_current"
    names, n = trained(weight={name: "synapse"})
    assert names == {name}
    assert trained(weight={name: "synapse"}, delay=[name]) == ({name}, 2 * n)
    pattern = "M[1].e->M1.*"
    assert trained(weight={pattern: "synapse"}, delay=[pattern]) == ({name}, 2 * n)
    assert trained(C_m={"M[1].e*": "neuron"}) == (set(), 4)


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
