import numpy as np
import pytest

from tests.examples import build_brain, build_region, small_brain, two_population_region
from tests.network.test_synapses import sources_of, targets_of
from twinbrain.errors import LearnError
from twinbrain.learn.metrics.network_cost import network_cost, out_degree, possible_synapses, step_operations
from twinbrain.learn.metrics.operations import dense_operations
from twinbrain.models.algebra import Statement
from twinbrain.models.step import StepProgram


def matrices(network):
    """Return, for each receptor, the number of synapses from each neuron to each."""
    found = {}
    for table in network.tables:
        matrix = found.setdefault(table.receptor, np.zeros((network.n_neurons, network.n_neurons), int))
        np.add.at(matrix, (targets_of(network, table), sources_of(table)), 1)
    return found


@pytest.fixture(scope="module", params=[False, True], ids=["region", "brain"])
def network(request):
    return build_brain(small_brain(3)) if request.param else build_region(two_population_region())


def test_operations_of_a_network_are_those_of_its_matrices(network):
    found = sum(matrices(network).values())
    assert np.array_equal(out_degree(network), found.sum(0))
    assert found.sum() == network.n_synapses
    rng = np.random.default_rng(0)
    spikes = (rng.random((20, 3, network.n_neurons)) < 0.1).astype(np.uint8)
    cost = network_cost(network, spikes)
    by_hand = np.einsum("sti,ji->t", spikes.astype(int), found).mean()
    assert cost.operations.acs == pytest.approx(by_hand)
    assert cost.operations.macs == 0
    if found.max() == 1:
        assert cost.operations.acs == dense_operations(spikes, found).acs


def test_sparsity_is_over_the_pairs_of_populations_that_are_connected(network):
    places = 0
    for matrix in matrices(network).values():
        for source in network.populations:
            for target in network.populations:
                if matrix[target.start : target.stop, source.start : source.stop].any():
                    places += source.size * target.size
    assert possible_synapses(network) == places
    cost = network_cost(network, np.zeros((5, 1, network.n_neurons), np.uint8))
    assert cost.connection_sparsity == pytest.approx(1 - network.n_synapses / places)
    assert cost.operations.dense == 5 * places


def test_neurons_are_paid_for_at_every_step_whether_they_spike_or_not():
    network = build_region(two_population_region())
    silent = network_cost(network, np.zeros((10, 2, 50), np.uint8))
    busy = network_cost(network, np.ones((10, 2, 50), np.uint8))
    assert silent.membrane_updates == busy.membrane_updates == 10 * 50
    assert silent.neuron_operations == busy.neuron_operations > 10 * 50
    assert (silent.operations.acs, silent.activation_sparsity, silent.spikes_per_neuron) == (0, 1, 0)
    assert (busy.activation_sparsity, busy.spikes_per_neuron) == (0, 10)
    assert silent.energy() == 0 < busy.energy()
    assert "It leaves out memory" in str(silent)


def test_the_arithmetic_of_a_step_is_counted_by_its_signs():
    def of(*expressions):
        return StepProgram((), {}, {}, {}, {}, tuple(Statement("x", text) for text in expressions), "", ())

    assert step_operations(of("k0*v + k1")) == 2
    assert step_operations(of("exponential(k5*g + k6)", "v")) == 3
    assert step_operations(of("_t1 + (-1.0)", "v*1e-05")) == 2


def test_spikes_of_a_part_of_the_network_are_refused():
    with pytest.raises(LearnError, match="expected 50 neurons"):
        network_cost(build_region(two_population_region()), np.zeros((10, 2, 40), np.uint8))
