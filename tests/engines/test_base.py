import numpy as np
import pandas as pd
import pytest
import torch

import twinbrain as tb
from tests.examples import build_region, relay_region
from twinbrain.engines.base import ENGINE_NAMES, MOST_STEPS, SimulationState, Spikes, check_engine, get_engine
from twinbrain.errors import EngineError


def test_an_unknown_engine_is_refused_and_the_near_one_named():
    for look_up in (get_engine, check_engine):
        with pytest.raises(tb.EngineError, match=r"run\.engine: unknown engine 'brain2'; did you mean 'brian2'\?"):
            look_up("brain2")


def test_every_named_engine_can_be_had():
    for name in ENGINE_NAMES:
        assert callable(get_engine(name))


@pytest.mark.parametrize(("key", "value"), [("device", "cuda"), ("precision", "float32")])
def test_only_torch_gives_a_choice_of_device_and_precision(key, value):
    with pytest.raises(
        tb.EngineError, match=rf"run\.{key}: expected '\w+', .* 'brian2' has, found '{value}'; use .*torch"
    ):
        check_engine("brian2", **{key: value})


def test_a_device_that_is_not_there_is_refused_and_those_there_named():
    with pytest.raises(
        tb.EngineError, match=r"run\.device: expected a device that is there \(cpu.*\), found 'cuda:77'"
    ):
        check_engine("torch", device="cuda:77")


def test_spikes_since_a_step_are_those_of_it_and_later():
    spikes = Spikes(np.array([1, 3, 3, 8], np.int32), np.array([5, 0, 2, 1], np.int32))
    assert spikes.since(3).neuron.tolist() == [0, 2, 1]
    assert len(spikes.since(9)) == 0
    assert len(Spikes.concatenate([])) == 0
    assert Spikes.concatenate([spikes.since(8), spikes]).step.tolist() == [8, 1, 3, 3, 8]


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_no_engine_goes_on_past_the_steps_that_can_be_counted(engine):
    network = build_region(relay_region())
    oracle = get_engine("reference")(network)
    oracle.advance(200)
    late = SimulationState(MOST_STEPS - 300, oracle.state().variables, Spikes.none())
    found = {}
    for name in ("reference", engine):
        simulation = get_engine(name)(network)
        simulation.restore(late)
        simulation.advance(300)
        with pytest.raises(
            tb.EngineError, match=r"expected at most 2,147,352,576 steps, .* found 2,147,352,577; begin"
        ):
            simulation.advance(1)
        found[name] = simulation.collect().spikes
    assert len(found["reference"]) > 10
    for part in ("step", "neuron"):
        np.testing.assert_array_equal(getattr(found[engine], part), getattr(found["reference"], part))
    assert found[engine].step.min() > MOST_STEPS - 301


@pytest.mark.parametrize("kind", [list, pd.Series, torch.tensor, np.ma.masked_array])
def test_spikes_can_be_given_as_arrays_of_any_kind(kind):
    spikes = Spikes(kind([5, 6]), kind([0, 1]))
    assert (spikes.step.dtype, spikes.neuron.dtype) == (np.int32, np.int32)
    assert (spikes.step.tolist(), spikes.neuron.tolist()) == ([5, 6], [0, 1])


@pytest.mark.parametrize("wrong", [[0.5], [2**31], 3, [[1]], ["a"], np.ma.masked_array([1], mask=[True]), None])
def test_what_are_no_numbers_of_neurons_is_refused(wrong):
    with pytest.raises(EngineError, match="expected the neuron of each spike as whole numbers of 32 bits, found"):
        Spikes([5], wrong)


def test_steps_and_neurons_of_spikes_have_the_same_labels():
    step = pd.Series([5, 6], index=["a", "b"])
    with pytest.raises(EngineError, match="steps and neurons of spikes with the same labels, in the same order, found"):
        Spikes(step, pd.Series([0, 1], index=["b", "a"]))
