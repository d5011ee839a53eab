from dataclasses import replace

import numpy as np
import pytest
import torch

import twinbrain as tb
from tests.learn.rules.circuits import chance_of, patterns, region, train, trainable
from tests.learn.small import integral_task
from twinbrain.errors import LearnError
from twinbrain.learn.batch import Objective, batch_of
from twinbrain.learn.rules.forward_forward import ForwardForward
from twinbrain.learn.rules.registry import RULES

LAYERS = ({"e": 12, "f": 8}, [("e", "f", 200, 1), ("f", "f", 50, 2)])


def made(seed=0, rule=None, **task):
    rule = rule or ForwardForward()
    own = patterns(seed, **task)
    own = replace(own, n_channels=own.n_channels + rule.extra_channels(own))
    net = trainable(region(*LAYERS), own, seed=seed)
    rule.prepare(net, Objective("classification", 1.0), seed)
    return rule, net, own, batch_of(own, own.train, np.arange(12))


def test_no_population_learns_from_the_loss_of_another():
    rule, net, _, batch = made()
    inputs = torch.cat([rule.labelled(batch, batch.target), rule.labelled(batch, 1 - batch.target)], 1)
    losses = rule.local_losses(rule._shut(net, inputs, None), batch.scored.repeat(2, 1))
    populations = net.lowered.network.populations
    spiking = [i for i, p in enumerate(populations) if p.population in ("e", "f")]
    parameters = [weights.relative for weights in net.tables() if len(weights.relative)]
    for own, loss in zip(spiking, losses, strict=True):
        found = torch.autograd.grad(loss, parameters, retain_graph=True)
        for weights, gradient in zip(net.tables(), found, strict=True):
            target = torch.tensor([group.target for group in weights.groups])[weights.group][weights.per_synapse]
            assert not gradient[target != own].any()
            if (target == own).any():
                assert gradient[target == own].abs().sum() > 0


def test_gradient_is_that_of_spikes_that_are_given():
    """A neuron's gradient takes the spikes that reach it as constants."""
    rule, net, _, batch = made()
    inputs = rule.labelled(batch, batch.target)
    spikes = rule._shut(net, inputs, None)
    goodness = rule.goodness(spikes, batch.scored)[:, 0].sum()  # of e, which is reached by the input alone
    table = next(w for w in net.tables() if len(w.relative))
    (local,) = torch.autograd.grad(goodness, table.relative)
    (whole,) = torch.autograd.grad(rule.goodness(net(inputs).spikes, batch.scored)[:, 0].sum(), table.relative)
    assert torch.allclose(local, whole, rtol=1e-9)


def test_goodness_is_the_mean_squared_rate_up_to_the_end_of_the_trial():
    rule, net, _, _ = made()
    spikes = torch.zeros(50, 1, net.lowered.network.n_neurons, dtype=torch.float64)
    first = rule.populations[0].start
    spikes[:20:10, 0, first] = 1  # 2 spikes in 40 ms are 50 Hz
    spikes[45, 0, first + 1] = 1  # too late
    scored = torch.zeros(1, 50)
    scored[0, 30:40] = 1
    found = rule.goodness(spikes, scored)
    assert found[0].tolist() == pytest.approx([(50 / 30) ** 2 / 12, 0.0])


def test_labels_come_in_by_channels_of_their_own():
    rule, _, _, batch = made()
    found = rule.labelled(batch, batch.target)
    assert torch.equal(found[:, :, :20], batch.inputs[:, :, :20])
    shown = found[:, :, 20:].sum(0)
    assert torch.equal(shown.argmax(1), batch.target)
    assert shown.sum(1).tolist() == [6] * 12  # 100 Hz for 60 ms
    assert not batch.inputs[:, :, 20:].any()


def test_wrong_labels_are_drawn_among_the_others():
    rule, _, _, batch = made(n_classes=3)
    drawn = []
    for _ in range(20):
        drawn.append((rule._wrong(batch) - batch.target) % 3)
        rule.n_batches += 1
    assert set(torch.cat(drawn).tolist()) == {1, 2}


def test_a_regression_is_refused():
    with pytest.raises(LearnError, match="expected a classification"):
        ForwardForward().extra_channels(integral_task())


def test_train_attaches_the_label_channels_and_the_result_runs_in_an_engine(monkeypatch):
    monkeypatch.setitem(RULES, "forward_forward", ForwardForward)
    task = patterns(0, n_steps=20, n_trials=16)
    trained = tb.train(region({"e": 6}), task, rule="forward_forward", epochs=1, batch_size=8)
    assert trained.setup.network.input.size == trained.setup.task.n_channels == 22
    found = trained.replay("reference", 3)
    assert found.mismatched == 0 < found.n_spikes


def test_it_learns():
    found = []
    for seed in range(3):
        rule, net, task, _ = made(seed, n_steps=30, low=0.02, high=0.1)
        found.append(train(rule, net, task, rate=0.03, epochs=8, seed=seed)[1])
    assert np.mean(found) > chance_of(3 * 64, 6)
