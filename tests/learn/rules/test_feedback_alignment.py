import pytest
import torch

from tests.learn.rules.networks import (
    assert_same,
    by_autodiff,
    by_rule,
    chain,
    gradients,
    make,
    objective,
    random_task,
    recurrent,
    whole,
)
from twinbrain.learn.network import Activity
from twinbrain.learn.rules.feedback import random_feedback, readout_synapses
from twinbrain.learn.rules.registry import rule


def test_errors_come_back_through_the_feedback_weights_and_not_the_synapses():
    # Lillicrap et al. 2016: dh = (B e) times the derivative. The gradient of e . (B z) with e held is just that.
    task = random_task()
    network = make(chain(1), task, size="260 pA")
    own = rule("feedback_alignment")
    found = by_rule(own, network, task, seed=2)
    batch = whole(task)
    output = network(batch.inputs).output.detach().requires_grad_()
    (error,) = torch.autograd.grad(objective(task)(Activity(output, output), batch), output)
    synapse = readout_synapses(network)[2]
    table, start = next(
        (t, start)
        for t, start in zip(network.tables(), network.offsets(), strict=False)
        if start <= int(synapse[0]) < start + len(t.base)
    )
    with torch.no_grad():
        before = table.relative.clone()
        table.relative[synapse - start] = own.weights[synapse] / table.scale[synapse - start]
    expected = gradients(network, lambda: (network(batch.inputs).output * error).sum().backward())
    with torch.no_grad():
        table.relative.copy_(before)
    name = next(name for name in expected if name != f"weights.{network.tables().index(table)}.relative")
    # The weights that stand in for the feedback are rounded to quanta.
    assert_same({name: found[name]}, {name: expected[name]}, rtol=1e-3)


def test_the_readout_s_own_gradient_is_exact():
    task = random_task()
    network = make(recurrent(), task, size="260 pA")
    found, expected = by_rule(rule("feedback_alignment"), network, task), by_autodiff(network, task)
    same = {name for name in found if torch.allclose(found[name], expected[name], rtol=1e-9)}
    assert same == {"weights.0.relative"}
    assert network.tables()[0].receptor == "delta"


def test_with_the_forward_weights_it_is_backpropagation_through_time():
    task = random_task()
    network, own, goal = make(recurrent(), task, size="260 pA"), rule("feedback_alignment"), objective(task)
    own.prepare(network, goal, 0)
    own.weights = network.all_weights().detach()
    found = gradients(network, lambda: own.learn(network, whole(task), goal))
    assert_same(found, by_autodiff(network, task))


def test_feedback_weights_are_as_large_as_the_synapses_and_drawn_by_the_seed():
    network = make(recurrent(), random_task(n_outputs=40))
    first, again, other = (random_feedback(network, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    synapse = readout_synapses(network)[2]
    size = network.all_weights().detach()[synapse].square().mean().sqrt()
    assert float(first[synapse].square().mean().sqrt() / size) == pytest.approx(1.0, rel=0.1)
    assert abs(float(first[synapse].mean() / size)) < 0.15


def test_delays_are_trained_too_and_with_the_forward_weights_as_by_backpropagation():
    task = random_task(n_steps=25)
    network = make(recurrent(), task, ("weight", "delay"), size="260 pA")
    own, goal = rule("feedback_alignment"), objective(task)
    own.prepare(network, goal, 0)
    own.weights = network.all_weights().detach()
    found = gradients(network, lambda: own.learn(network, whole(task), goal))
    assert float(found["delays.change"].abs().max()) > 0
    assert_same(found, by_autodiff(network, task))
