"""Networks side by side are what each of them is alone."""

from dataclasses import replace

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import build_brain, build_region, relay_region, small_brain
from twinbrain.engines.base import get_engine
from twinbrain.engines.torch import prepare_batch
from twinbrain.network.network import with_coupling
from twinbrain.network.random import stream_key
from twinbrain.spec.record import Record, StateRecord


def with_other_draws(network, seed):
    drives = tuple(replace(drive, key=stream_key(seed, drive.name)) for drive in network.drives)
    return replace(network, drives=drives)


@pytest.fixture(scope="module")
def networks():
    """Two seeds of the build; and of the first, other draws, and other weights between regions."""
    first, second = (build_brain(small_brain(2), seed=seed) for seed in (1, 2))
    return [first, second, with_other_draws(first, 7), with_coupling(first, 3.0)]


def spikes_alone(network, n_steps):
    simulation = get_engine("reference")(network)
    simulation.advance(n_steps)
    spikes = simulation.collect().spikes
    return np.column_stack([spikes.step, spikes.neuron]), simulation.state()


def test_every_network_of_a_batch_has_the_spikes_and_the_state_that_it_has_alone(networks):
    batch = prepare_batch(networks)
    batch.advance(600)
    found = []
    for network, recording, state in zip(networks, batch.collect(), batch.state(), strict=True):
        expected, expected_state = spikes_alone(network, 600)
        np.testing.assert_array_equal(np.column_stack([recording.spikes.step, recording.spikes.neuron]), expected)
        for name, values in expected_state.variables.items():
            np.testing.assert_array_equal(state.variables[name], values)
        found.append(expected.tobytes())
    assert len(set(found)) == len(networks)


def test_networks_that_share_a_table_share_its_memory(networks):
    synapses = prepare_batch([networks[0], networks[2]]).synapses
    assert [len(s._post) for s in synapses] == [table.n_synapses for table in networks[0].tables]


def test_a_batch_goes_on_from_its_states(networks):
    whole, first, second = (prepare_batch(networks[:2]) for _ in range(3))
    whole.advance(250)
    first.advance(130)
    second.restore(first.state())
    second.advance(120)
    for one, other in zip(whole.state(), second.state(), strict=True):
        assert all(np.array_equal(one.variables[name], other.variables[name]) for name in one.variables)


def test_networks_of_different_layouts_are_refused(networks):
    with pytest.raises(tb.EngineError, match=r"expected networks of one layout .*, found network 1 different"):
        prepare_batch([networks[0], build_region(relay_region())])
    more = [build_region(relay_region(), record=Record(state=(StateRecord(variable="v", neurons=n),))) for n in (1, 2)]
    with pytest.raises(tb.EngineError, match=r"tables, probes\), found network 1 different"):
        prepare_batch(more)
    with pytest.raises(tb.EngineError, match="expected at least one network"):
        prepare_batch([])


def test_states_of_different_steps_are_refused(networks):
    batch = prepare_batch(networks[:2])
    one = batch.state()[0]
    batch.advance(1)
    with pytest.raises(tb.EngineError, match=r"expected 2 states of one step, found 2 of steps \[0, 1\]"):
        batch.restore([one, batch.state()[1]])


def test_single_precision_gives_nearly_the_same_run(networks):
    batches = [prepare_batch(networks[:1], precision=precision) for precision in ("float64", "float32")]
    for batch in batches:
        batch.advance(100)
    exact, rounded = (batch.state()[0].variables["adex/v"] for batch in batches)
    assert np.median(np.abs(exact - rounded)) < 1e-3
    assert not np.array_equal(exact, rounded)
