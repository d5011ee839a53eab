"""A simulation that begins anew with another network gives what a simulation of that network gives."""

import numpy as np
import pytest

from tests.examples import build_brain, build_region, relay_region, small_brain
from twinbrain.engines.base import Reloadable, get_engine
from twinbrain.engines.conformance_networks import library_network
from twinbrain.errors import EngineError


def run(simulation, n_steps=200):
    simulation.advance(n_steps)
    spikes = simulation.collect().spikes
    return np.column_stack([spikes.step, spikes.neuron]), simulation.state().variables


def assert_same(found, expected):
    np.testing.assert_array_equal(found[0], expected[0])
    assert len(expected[0])
    for name, values in expected[1].items():
        np.testing.assert_array_equal(found[1][name], values, err_msg=name)


@pytest.mark.parametrize("engine", ["brian2", "brian2-numpy"])
def test_a_reloaded_simulation_equals_a_new_one(engine):
    prepare = get_engine(engine)
    other = build_brain(small_brain(3, coupling=3.0), seed=2, drive_seed=5)
    simulation = prepare(build_brain(small_brain(3)))
    assert isinstance(simulation, Reloadable)
    run(simulation, 133)
    simulation.load(other)
    assert_same(run(simulation), run(prepare(other)))


def test_plastic_synapses_and_every_model_begin_anew_too():
    networks = [library_network(20, seed=seed) for seed in (1, 2)]
    prepare = get_engine("brian2-numpy")
    simulation = prepare(networks[0])
    run(simulation, 50)
    simulation.load(networks[1])
    assert_same(run(simulation, 100), run(prepare(networks[1]), 100))


def test_other_blocks_are_refused():
    simulation = get_engine("brian2-numpy")(build_brain(small_brain(3)))
    with pytest.raises(EngineError, match="same blocks"):
        simulation.load(build_region(relay_region()))
