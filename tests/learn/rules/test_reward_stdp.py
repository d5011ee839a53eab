from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.learn.rules.circuits import chance_of, patterns, region, train, trainable
from tests.learn.small import integral_task
from twinbrain.errors import LearnError
from twinbrain.learn.batch import Objective, batch_of
from twinbrain.learn.metrics.score import mean_output
from twinbrain.learn.rules.reward_stdp import RewardSTDP


def made(seed=0, task=None, **options):
    task = task or patterns(seed, n_steps=30, low=0.02, high=0.1)
    net = trainable(region({"e": 24}), task, seed=seed)
    rule = RewardSTDP(**options)
    objective = Objective(task.kind, 1.0)
    rule.prepare(net, objective, seed)
    return rule, net, task, batch_of(task, task.train, np.arange(16)), objective


def test_a_synapse_changes_by_its_mark_times_the_reward_beyond_the_mean():
    rule, net, _, batch, objective = made(tau_c=25.0)
    rule.n_batches += 1
    rule.expected.fill_(0.25)
    with torch.no_grad():
        activity = net(batch.inputs)
    _, reward = rule._decide(activity.output, batch, objective)
    assert set(reward.tolist()) == {0.0, 1.0}
    expected = sum(
        rule.eligibility(activity.spikes[:, k : k + 1], batch.scored[k : k + 1], 1.0, torch.ones(1).double())
        * (reward[k] - 0.25)
        for k in range(16)
    )
    rule.learn(net, batch, objective)
    assert torch.allclose(rule.coming, expected / 16, rtol=1e-9)
    assert float(rule.expected) == pytest.approx(0.25 + (float(reward.mean()) - 0.25) / 10)


def test_marks_fade_to_the_end_of_the_trial_and_later_spikes_make_none():
    rule, net, _, batch, _ = made(tau_c=25.0)
    with torch.no_grad():
        spikes = net(batch.inputs).spikes
    one = torch.ones(16).double()
    scored = batch.scored.clone()
    scored[:, 20:] = 0
    short = rule.eligibility(spikes[:20], scored[:, :20], 1.0, one)
    assert torch.allclose(rule.eligibility(spikes, scored, 1.0, one), short, rtol=1e-12)
    silent = spikes.clone()
    silent[20:] = 0
    later = rule.eligibility(silent, batch.scored, 1.0, one)
    before = rule.eligibility(silent, scored, 1.0, one)
    potentiated = (before > 0) & (later > 0)
    assert (later[potentiated] < before[potentiated]).all()


def test_readout_follows_the_gradient_of_expected_reward():
    """The mean over decisions of (reward - expected) times the gradient of log odds is the gradient of the reward."""
    rule, net, _, batch, objective = made()
    few = replace(batch, inputs=batch.inputs[:, :2], target=batch.target[:2], scored=batch.scored[:2])
    output, total = net.read(net(few.inputs).spikes), 0.0
    for _ in range(2000):
        log_odds, reward = rule._decide(output, few, objective)
        total = total + ((reward - 0.3) * log_odds).sum()
        rule.n_batches += 1
    weights = [own.relative for own in net.tables()]
    found = torch.cat(torch.autograd.grad(total / 2000, weights, retain_graph=True))
    chances = mean_output(output, few.scored).softmax(1)[torch.arange(2), few.target]
    expected = torch.cat(torch.autograd.grad(chances.sum(), weights))
    assert torch.nn.functional.cosine_similarity(found, expected, dim=0) > 0.95
    assert found.norm() == pytest.approx(float(expected.norm()), rel=0.2)


def test_decisions_are_drawn_by_the_seed_and_the_batch():
    rule, net, _, batch, objective = made()
    output = net(batch.inputs).output.detach()
    first = rule._decide(output, batch, objective)[1]
    assert torch.equal(first, rule._decide(output, batch, objective)[1])
    rule.n_batches += 1
    assert not torch.equal(first, rule._decide(output, batch, objective)[1])


def test_a_rule_that_is_restored_goes_on_to_the_same_bits():
    rule, net, _, batch, objective = made()
    rule.learn(net, batch, objective)
    other, *_ = made()
    other.load_state_dict(rule.state_dict())
    found = []
    for own in (rule, other):
        net.zero_grad()
        own.learn(net, batch, objective)
        found.append(torch.cat([own.coming, *(weights.relative.grad for weights in net.tables())]))
    assert torch.equal(*found)


def test_of_a_regression_the_reward_is_minus_the_error():
    rule, net, _, batch, objective = made(task=integral_task())
    outcome = rule.learn(net, batch, objective)
    assert float(rule.expected) < -float(outcome.loss)  # the noise makes it worse
    assert rule.coming.any()


def test_it_learns():
    found = []
    for seed in range(3):
        rule, net, task, *_ = made(seed)
        found.append(train(rule, net, task, rate=0.03, epochs=8, seed=seed)[1])
    assert np.mean(found) > chance_of(3 * 64, 6)


@pytest.mark.parametrize("option", [{"tau_c": 0.0}, {"memory": 0.5}, {"tau_plus": -1.0}])
def test_times_that_make_no_sense_are_refused(option):
    with pytest.raises(LearnError, match="expected"):
        RewardSTDP(**option)
