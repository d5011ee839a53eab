"""What training makes of parameters can be built, or training ends and says so."""

import pytest
import torch
import zarr

import twinbrain as tb
from tests.learn.networks import recurrent, which_channels
from twinbrain.learn.attach import attach
from twinbrain.learn.export import export_region
from twinbrain.learn.lower import lower
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.possible import check_possible
from twinbrain.spec.training import InputSpec, ReadoutSpec, Surrogate, Trainable

TASK = which_channels(n_trials=48, n_channels=6)


@pytest.mark.parametrize(("name", "changes"), [("V_th", (-0.9, -1.1)), ("V_reset", (0.9, 1.1))])
def test_what_is_possible_is_what_can_be_built(name, changes):
    region = attach(recurrent(), TASK, InputSpec(weight="150 pA"), ReadoutSpec())
    network = TrainableNetwork(lower(region, dt=1.0, seed=0), Trainable.parse({name: "neuron"}), Surrogate())
    block = network.lowered.population("e").block
    parameter = network.blocks()[block].trained_parameters()[name]
    before = network.lowered.parameters[block]
    scale = (before["V_th"] - before["V_reset"])[0] / parameter.scale
    check_possible(network)
    possible, beyond = changes
    with torch.no_grad():
        parameter.change[0] = possible * scale
        check_possible(network)
        lower(export_region(network), dt=1.0, seed=0)
        parameter.change[0] = beyond * scale
        with pytest.raises(tb.LearnError, match=rf"training has carried {name} too far: .*lower learning_rate"):
            check_possible(network)
        with pytest.raises(tb.SpecError):
            lower(export_region(network), dt=1.0, seed=0)


def test_weights_beyond_the_range_of_integers_are_told_by_whoever_has_changed_them():
    region = attach(recurrent(), TASK, InputSpec(weight="150 pA"), ReadoutSpec())
    network = TrainableNetwork(lower(region, dt=1.0, seed=0), Trainable.parse(["weight"]), Surrogate())
    (weights,) = (w for w in network.tables() if w.receptor == "exponential_current")
    largest = float(weights().detach().abs().max()) / weights.quantum
    for factor in (2.0**27 / largest, 2.0**10):
        for group in range(len(weights.groups)):
            weights.multiply(group, factor)
        if factor != 2.0**10:
            check_possible(network)
            lower(export_region(network), dt=1.0, seed=0)
    with pytest.raises(tb.LearnError, match=r"that training has carried some too far: .* quanta .*lower learning_rate"):
        check_possible(network)
    with pytest.raises(tb.SpecError, match=r"quanta|integer range"):
        lower(export_region(network), dt=1.0, seed=0)


def test_parameters_beyond_their_ranges_end_a_training_that_can_be_gone_on_with(tmp_path):
    path = tmp_path / "beyond.zarr"
    trained = {"weight": "synapse", "V_th": "neuron"}
    with pytest.raises(tb.LearnError, match=r"epoch 2: .*expected V_reset < V_th, .* in 1 epochs is kept"):
        tb.train(recurrent(), TASK, epochs=3, trainable=trained, learning_rate=0.7, out=path)
    found = zarr.open_group(path, mode="r").attrs
    assert (found["status"], found["epochs_done"]) == ("failed", 1)
    resumed = tb.resume_training(path, task=TASK, learning_rate=1e-6)
    assert 0 <= resumed.score <= 1
    assert tb.open_training(path, task=TASK).replay("reference", n_trials=2).mismatched == 0
