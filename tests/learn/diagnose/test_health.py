import numpy as np
import torch

from tests.learn.rules.networks import chain, make, objective, random_task, whole
from twinbrain.learn.diagnose.health import gradient_flow
from twinbrain.learn.rules.feedback import without_gradient


def test_the_gradient_by_what_arrives_is_that_of_a_difference():
    # The readout is linear: a quantum more at its inbox changes the loss by the derivative.
    task = random_task(n_steps=20)
    network = make(chain(1), task, size="260 pA")
    batch, goal = whole(task), objective(task)
    found = gradient_flow(network, batch, goal)
    readout = network.readout
    inlet = network.lowered.network.blocks[readout.block].inlets[0]
    step, size = 12, 1e-3 / inlet.quantum
    squares = 0.0
    for trial in range(batch.n_trials):
        for output in range(readout.size):
            shift = torch.zeros(20, batch.n_trials, network.lowered.network.n_inlets, dtype=torch.float64)
            shift[step, trial, inlet.start + readout.offset + output] = size
            with torch.no_grad():
                losses = [float(goal(network(batch.inputs, sign * shift), batch)) for sign in (1, -1)]
            squares += ((losses[0] - losses[1]) / (2 * size)) ** 2
    np.testing.assert_allclose(found.norm.sel(layer="readout", step=step), squares**0.5, rtol=1e-5)


def test_gradients_of_neurons_that_forget_fast_vanish():
    task = random_task(n_steps=40)
    task.train.scored[:, :-1] = 0.0
    slow = make(chain(1), task, size="260 pA", time_constant="200 ms")
    fast = make(chain(1), task, size="260 pA", time_constant="2 ms")
    found = [gradient_flow(network, whole(task), objective(task)) for network in (slow, fast)]
    assert found[0].state.sel(layer="readout") == "steady"
    assert found[1].state.sel(layer="readout") == "vanishing"
    np.testing.assert_allclose(found[1].reach.sel(layer="readout"), 2.0, rtol=0.1)


def test_where_no_gradient_passes_a_layer_has_none():
    task = random_task(n_steps=20)
    network = make(chain(1), task, size="260 pA")
    found = gradient_flow(network, whole(task), objective(task), without_gradient(network))
    assert found.state.sel(layer="a") == "none"
    assert found.norm.dims == ("layer", "step")
    assert list(found.layer.values) == ["a", "readout"]
