"""Every engine against the reference, on a brain: regions, synapses between them, stimuli, samples."""

import pytest

from tests.examples import build_brain, small_brain
from twinbrain.engines.base import get_engine
from twinbrain.engines.conformance import CHECKS, check_engine, check_spikes_and_samples
from twinbrain.engines.reference import prepare as reference
from twinbrain.spec.drive import Stimulus
from twinbrain.spec.record import Record, StateRecord

ENGINES = ("brian2", "brian2-numpy", "torch")
# Both of Brian2 differ in what is computed in a step alone.
CHECKED = ("brian2", pytest.param("brian2-numpy", marks=pytest.mark.slow), "torch")


@pytest.fixture(scope="module")
def network():
    """Three coupled regions; parameters, weights and delays differ; a stimulus begins and ends; states are sampled."""
    pulse = Stimulus(
        name="pulse",
        regions="TH-*",
        population="relay",
        receptor="nmda",
        rate="2 kHz",
        weight="1 nS",
        start="10.1 ms",
        duration="20.2 ms",
    )
    states = (
        StateRecord(variable="v", neurons=3, interval="0.3 ms"),
        StateRecord(variable="g_gaba_b", regions="CX-0", population="pyr", neurons=40, interval="1.1 ms"),
        StateRecord(variable="I_syn", neurons=[0, 3, 7], interval="0.7 ms"),
        StateRecord(variable="I_nmda", population="pyr", neurons=slice(1, None, 5), interval="1.3 ms"),
    )
    return build_brain(small_brain(3, coupling=1.3), stimuli=(pulse,), record=Record(state=states))


def test_the_example_is_of_several_models_receptors_and_origins(network):
    assert len(network.blocks) == 4
    assert len({inlet.receptor for block in network.blocks for inlet in block.inlets}) == 5
    assert {table.origin for table in network.tables} == {"local", "long_range"}


def test_the_example_spikes_in_every_population(network):
    simulation = reference(network)
    simulation.advance(500)
    spiking = {int(neuron) for neuron in simulation.collect().spikes.neuron}
    for population in network.populations:
        assert len(spiking & set(range(population.start, population.stop))) >= population.size / 4, population


@pytest.mark.parametrize("engine", ENGINES)
def test_spikes_samples_and_states_equal_the_references(engine, network):
    check_spikes_and_samples(get_engine(engine), network, 600)


@pytest.mark.parametrize("check", [check for check in CHECKS if check is not check_spikes_and_samples])
@pytest.mark.parametrize("engine", CHECKED)
def test_engine_passes_the_check(engine, check, network):
    check(get_engine(engine), network, 400)


def test_the_reference_passes_the_whole_suite(network):
    check_engine(reference, network, 150)
