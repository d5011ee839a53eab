"""Every neuron model, receptor and plasticity rule of the library in every engine.

A million steps of each are slow, and so is Brian2's compiled code for all of them, which takes a minute to compile:
`test_library` and `test_plasticity` compile some each time.
"""

import pytest

from twinbrain.engines.base import get_engine
from twinbrain.engines.conformance import CHECKS, check_spikes_and_samples, count_mismatches, outcome
from twinbrain.engines.conformance_networks import library_network
from twinbrain.engines.reference import prepare as reference
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.plasticity import PLASTICITY_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS

ENGINES = (pytest.param("brian2", marks=pytest.mark.slow), "brian2-numpy", "torch")
# Both of Brian2 differ in what is computed in a step alone.
CHECKED = (*(pytest.param(engine, marks=pytest.mark.slow) for engine in ("brian2", "brian2-numpy")), "torch")
# Neurons of each model, and steps.
SIZES = {"6,000 steps": (20, 300), "40,000 steps": (100, 400), "a million steps": (1000, 1000)}


@pytest.fixture(
    scope="module", params=[pytest.param(n, marks=[pytest.mark.slow] * (n != "6,000 steps")) for n in SIZES]
)
def size(request):
    return SIZES[request.param]


@pytest.fixture(scope="module")
def network(size):
    return library_network(size[0])


@pytest.fixture(scope="module")
def small():
    return library_network(20)


def test_the_network_has_every_model_receptor_and_rule_of_the_library(network):
    assert {block.name for block in network.blocks} == set(NEURON_MODELS)
    assert {inlet.receptor for block in network.blocks for inlet in block.inlets} == set(RECEPTOR_MODELS)
    assert {table.rule for table in network.plastic} == set(PLASTICITY_MODELS)


def test_its_neurons_synapses_and_delays_differ(network, size):
    for block in network.blocks:
        n_differ = sum(len(set(values)) > size[0] / 2 for values in block.constants.values())
        assert n_differ >= min(3, len(block.constants)), block.name
    for table in network.tables:
        assert len(set(table.weight)) > 100
        assert len(set(table.delay)) == 40


@pytest.fixture(scope="module")
def expected(network, size):
    """What the reference makes of it."""
    return outcome(reference, network, size[1])


def test_every_population_spikes_that_can(network, expected):
    spiking = set(expected.recording.spikes.neuron)
    for population in network.populations:
        if population.population == "leaky_integrator":
            assert not spiking & set(range(population.start, population.stop))
            continue
        assert len(spiking & set(range(population.start, population.stop))) > population.size / 2, population


@pytest.mark.parametrize("engine", ENGINES)
def test_many_steps_of_every_model_are_the_same_in_every_engine(engine, network, size, expected):
    check_spikes_and_samples(get_engine(engine), network, size[1], expected)


@pytest.mark.parametrize("check", [check for check in CHECKS if check is not check_spikes_and_samples])
@pytest.mark.parametrize("engine", CHECKED)
def test_engine_passes_the_check(engine, check, small):
    check(get_engine(engine), small, 80)


@pytest.mark.slow
def test_single_precision_parts_from_double_by_and_by():
    """One spike that comes a step later changes what follows; how many do is reported with the benchmarks."""
    network, single = library_network(1000), get_engine("torch", precision="float32")
    early, late = (count_mismatches(single, network, n_steps) for n_steps in (100, 500))
    assert early[0] > 1000
    assert early[1] < 0.02 * early[0]
    assert early[1] / early[0] < late[1] / late[0] < 0.5
