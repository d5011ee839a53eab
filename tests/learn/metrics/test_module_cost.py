"""Expected numbers are those of neurobench 2.3.0 for the same networks and inputs, unless a test says how else."""

import copy
import math

import pytest
import snntorch
import torch
from snntorch import utils
from torch import nn

from tests.learn.small import rates_task
from twinbrain.errors import LearnError
from twinbrain.learn.baselines.baseline import BASELINES, baseline
from twinbrain.learn.baselines.leaky import LeakyNetwork
from twinbrain.learn.baselines.view import see
from twinbrain.learn.metrics.module_cost import module_cost


def patterned(module):
    """Fill weights with a pattern of -1/4, 0, 1/4, 1/2 and 3/4, and biases with 1/4."""
    with torch.no_grad():
        for parameter in module.parameters():
            values = (torch.arange(parameter.numel()) * 7) % 5 - 1
            parameter.copy_(values.reshape(parameter.shape) / 4 if parameter.ndim > 1 else torch.tensor(0.25))
    return module


def pattern(*shape):
    return ((torch.arange(math.prod(shape)) * 5) % 7 < 2).float().reshape(shape)


class Stepwise(nn.Module):
    """A network as snnTorch's tutorials write it, with hidden states."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(6, 8), nn.Linear(8, 3)
        self.l1 = snntorch.Leaky(beta=0.5, init_hidden=True)
        self.l2 = snntorch.Leaky(beta=0.5, init_hidden=True, output=True)

    def forward(self, input):
        utils.reset(self)
        return torch.stack([self.l2(self.fc2(self.l1(self.fc1(step))))[0] for step in input])


class First(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, input):
        return self.layer(input)[0]


class OverTime(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(6, 4, 3, padding=1), nn.ReLU(), nn.Conv1d(4, 3, 3))

    def forward(self, input):
        return self.layers(input.permute(1, 2, 0)).permute(2, 0, 1)


def test_a_plain_leaky_network_costs_what_neurobench_says():
    cost = module_cost(patterned(Stepwise()), pattern(10, 4, 6))
    assert cost.footprint == 372
    assert cost.connection_sparsity == pytest.approx(0.1944, abs=5e-5)
    assert cost.activation_sparsity == pytest.approx(0.6522727272727272)
    assert (cost.operations.dense, cost.operations.macs, cost.operations.acs) == (720, 0, 173.75)
    assert cost.membrane_updates == 108.75
    assert cost.neuron_operations == 435


@pytest.mark.parametrize(("kind", "dense", "macs"), [(nn.GRU, 3600, 1948.75), (nn.RNN, 1120, 571.25)])
def test_recurrent_layers_cost_what_neurobench_says_of_their_cells(kind, dense, macs):
    found = module_cost(First(patterned(kind(6, 8))), 0.5 * pattern(10, 4, 6)).operations
    assert (found.dense, found.macs, found.acs) == (dense, macs, 0)


def test_an_lstm_costs_its_weights_and_three_products_a_cell():
    # neurobench 2.3.0 leaves out 24 of the dense products: it takes the first state for 0 there also.
    found = module_cost(First(patterned(nn.LSTM(6, 8))), 0.5 * pattern(10, 4, 6)).operations
    assert found.dense == 10 * (4 * 8 * (6 + 8) + 3 * 8)
    assert found.macs == 2519.75


def test_convolutions_cost_what_neurobench_says():
    cost = module_cost(patterned(OverTime()), 0.5 * pattern(10, 4, 6))
    assert cost.footprint == 460
    assert cost.connection_sparsity == pytest.approx(0.1944, abs=5e-5)
    assert cost.activation_sparsity == 0
    assert (cost.operations.dense, cost.operations.macs, cost.operations.acs) == (960, 387.5, 0)


def test_spikes_into_a_recurrent_layer_are_accumulated_and_its_own_rates_multiplied():
    layer = nn.RNN(6, 8)
    spikes = pattern(10, 4, 6)
    found = module_cost(First(layer), spikes).operations
    assert found.acs == 8 * spikes.sum().item() / 4
    assert found.macs == 9 * 8 * 8  # at the first step there is no state


def test_a_readout_that_only_integrates_counts_as_no_spiking_neuron():
    model = patterned(LeakyNetwork(6, 3, 8, decay=0.5))
    cost = module_cost(model, pattern(10, 4, 6))
    same = module_cost(patterned(Stepwise()), pattern(10, 4, 6))
    assert cost.operations == same.operations
    assert cost.footprint == same.footprint
    assert cost.spikes_per_neuron == pytest.approx(10 * (1 - cost.activation_sparsity))


def test_a_model_is_as_it_was_afterwards():
    model = LeakyNetwork(6, 3, 8)
    input = pattern(10, 4, 6)
    before = model(input)
    first, second = module_cost(model, input), module_cost(model, input)
    assert first == second
    assert torch.equal(before, model(input))
    assert torch.equal(before, copy.deepcopy(model)(input))


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_can_be_counted(name):
    task = rates_task()
    found = baseline(name, task, n_parameters=500)
    cost = module_cost(found.module, see(task, task.test, found.view, scale=found.scale).input)
    effective = cost.operations.macs + cost.operations.acs
    assert 0 < effective <= cost.operations.dense
    assert (cost.operations.acs > 0) == (name == "leaky")
    assert cost.footprint >= 4 * found.n_parameters


def test_layers_that_cannot_be_counted_are_refused():
    with pytest.raises(LearnError, match="count its parts"):
        module_cost(First(nn.GRU(6, 8, bidirectional=True)), pattern(10, 4, 6))
