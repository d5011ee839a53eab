"""Lesions of networks and of baselines, which leave no trace."""

import numpy as np
import pytest
import torch

import twinbrain as tb
from tests.learn.networks import recurrent, which_channels
from tests.learn.study import small_study
from twinbrain.errors import LearnError
from twinbrain.learn.attach import attach
from twinbrain.learn.baselines.mlp import MultilayerPerceptron
from twinbrain.learn.baselines.recurrent import LongShortTermMemory
from twinbrain.learn.lesion import lesioned, lesioned_baseline, neurons_named
from twinbrain.learn.lower import lower
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.setup import set_up
from twinbrain.learn.train import model_of
from twinbrain.learn.weights import synapse_ends
from twinbrain.spec.training import InputSpec, ReadoutSpec, Surrogate, Trainable


@pytest.fixture(scope="module")
def network():
    workflow = small_study()
    return set_up(model_of(workflow), workflow.train, workflow.run).network


def sources_with_weight(network):
    """Return the neurons with an outgoing weight that is not 0."""
    found = set()
    for weights, table in zip(network.tables(), network.lowered.network.tables, strict=True):
        sources, _ = synapse_ends(network.lowered.network, table)
        found |= set(sources[weights().detach().numpy() != 0].tolist())
    return found


def test_a_share_of_the_neurons_falls_silent_but_not_input_and_readout(network):
    whole = sources_with_weight(network)
    lost = {}
    for share in (0.25, 0.5, 1.0):
        with lesioned(network, share, seed=3):
            lost[share] = whole - sources_with_weight(network)
    assert lost[0.25] <= lost[0.5] <= lost[1.0]
    inputs = network.input
    assert lost[1.0] == whole - set(range(inputs.start, inputs.stop))
    assert 0 < len(lost[0.5]) < len(lost[1.0])


def test_a_network_is_as_before_after_a_lesion(network):
    before = [weights().detach().clone() for weights in network.tables()]
    with pytest.raises(ZeroDivisionError), lesioned(network, 0.5, seed=1):
        raise ZeroDivisionError
    assert all(torch.equal(one, weights()) for one, weights in zip(before, network.tables(), strict=True))


def test_a_lesioned_network_gives_no_output(network):
    spikes = torch.ones(20, 2, network.input.size)
    assert network(spikes).output.abs().max() > 0
    with lesioned(network, 1.0, seed=0):
        assert network(spikes).output.abs().max() == 0


@pytest.mark.parametrize("module", [MultilayerPerceptron(3, 2, 10), LongShortTermMemory(3, 2, 10)])
def test_hidden_units_of_a_baseline_fall_silent_for_readout_and_layer(module):
    torch.manual_seed(0)
    seen = torch.randn(6, 4, 3)
    before = module(seen)
    with lesioned_baseline(module, 0.3, seed=0):
        silent = (module.readout.weight == 0).all(0)
        assert silent.sum() == 3
        if isinstance(module, LongShortTermMemory):
            assert (module.layer.weight_hh_l0[:, silent] == 0).all()
        assert not torch.allclose(module(seen), before)
    with lesioned_baseline(module, 1.0, seed=0):
        np.testing.assert_allclose(module(seen).detach(), module.readout.bias.detach().expand(6, 4, 2), rtol=1e-6)
    assert torch.equal(module(seen), before)


@pytest.fixture(scope="module")
def trained():
    return tb.train(recurrent(), which_channels(24), epochs=1, seed=1)


def test_neurons_are_named_by_cell_by_population_and_by_region(trained):
    network = trained.network
    populations = {p.population: p for p in network.lowered.network.populations}
    for name in ("i", f"{populations['i'].label}.i"):
        np.testing.assert_array_equal(
            neurons_named(network, name), np.arange(populations["i"].start, populations["i"].stop)
        )
    with pytest.raises(LearnError, match=r"without: expected a cell class or a population, found 'readout'"):
        neurons_named(network, "readout")


def test_a_name_of_a_class_and_of_other_neurons_is_refused():
    region = recurrent()
    cells = {"i": region.cells["e"], "own": region.cells["i"]}
    populations = {name: region.populations[name].replace(cell=cell) for name, cell in {"e": "i", "i": "own"}.items()}
    region = attach(
        region.replace(cells=cells, populations=populations), which_channels(24), InputSpec(), ReadoutSpec()
    )
    network = TrainableNetwork(lower(region, dt=1.0, seed=0), Trainable.parse(["weight"]), Surrogate())
    with pytest.raises(LearnError, match=r"found 'i', the cell class of test/recurrent.e and the name of .*current.i;"):
        neurons_named(network, "i")
    np.testing.assert_array_equal(neurons_named(network, "test/recurrent.i"), neurons_named(network, "own"))
    assert len(neurons_named(network, "e")) == region.populations["e"].size


def test_nothing_hears_a_class_that_responses_are_without(trained):
    whole, without = trained.responses(), trained.responses(without="e")  # the only cells that the input reaches
    assert (whole["output"] != 0).all()
    assert without["count"].sum() > 0
    assert (without["output"] == 0).all()
    assert trained.responses().identical(whole)
