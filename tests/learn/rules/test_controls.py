"""Controls of rules: what a hidden layer gains is held against one that stays, and one that is taught nothing."""

from dataclasses import replace

import pytest
import torch

import twinbrain as tb
from tests.learn.rules.circuits import patterns, train, trainable
from tests.learn.rules.circuits import region as leaky
from tests.learn.rules.networks import by_autodiff, by_rule, make, objective, random_task, recurrent, whole
from twinbrain.learn.rules.layers import readout_parts
from twinbrain.learn.rules.registry import CONTROLS, rule, rule_names
from twinbrain.learn.rules.reward_stdp import RewardSTDP
from twinbrain.learn.rules.shuffled_errors import shuffled

TAUGHT = [name for name in rule_names() if rule(name).hidden_is_taught]
RECURRENT = {"e": 12, "i": 4}, [("e", "i", 100, 1), ("i", "e", -100, 2)]


def hidden_and_readout(net, gradients=False):
    """Return the trained weights, or their gradients, of the two layers."""
    parts = readout_parts(net, "a test")
    readout = torch.cat([own for _, own in parts])
    found = [
        p.detach().clone() if not gradients else torch.zeros_like(p) if p.grad is None else p.grad for p, _ in parts
    ]
    return torch.cat(found)[~readout], torch.cat(found)[readout]


@pytest.mark.parametrize("model", ["lif_current", "alif"])
def test_a_frozen_hidden_layer_stays_to_the_bit_and_spikes_as_before_while_the_readout_learns(model):
    task = patterns(0, n_steps=30, low=0.02, high=0.1)
    net = trainable(leaky(*RECURRENT, model=model), task, ("weight", "C_m"))
    before, readout = hidden_and_readout(net)
    others = {name: p.detach().clone() for name, p in net.named_parameters() if name.startswith("cells")}
    batch, goal = whole(task), objective(task)
    activity = net(batch.inputs)
    control = rule("frozen_hidden")
    train(control, net, task, rate=0.1, epochs=10)
    after, learned = hidden_and_readout(net)
    assert torch.equal(after, before)
    assert all(torch.equal(p, others[name]) for name, p in net.named_parameters() if name in others)
    assert torch.equal(net(batch.inputs).spikes, activity.spikes)
    assert not torch.equal(learned, readout)
    assert control.n_trained(net) == len(readout) < net.n_trained
    assert goal(net(batch.inputs), batch) < 0.8 * goal(activity, batch)


def test_the_readout_of_the_frozen_layer_gets_the_gradient():
    task = random_task()
    net = make(recurrent(), task, size="120 pA")
    found, expected = by_rule(rule("frozen_hidden"), net, task), by_autodiff(net, task)
    names = [name for name, _ in net.named_parameters() if name.startswith("weights")]
    for (_, own), key in zip(readout_parts(net, "a test"), names, strict=True):
        if key in found:
            assert torch.allclose(found[key][own], expected[key][own], rtol=1e-12)
            assert not found[key][~own].any()


@pytest.mark.parametrize("name", TAUGHT)
def test_with_shuffled_errors_the_readout_learns_from_its_own_targets_and_the_others_from_those_of_other_trials(name):
    task = patterns(0, n_classes=3, n_steps=30, n_trials=12, low=0.05, high=0.3)
    goal = objective(task)

    def layers(own, batch):
        extra = own.extra_channels(task)
        attached = replace(task, n_channels=task.n_channels + extra)
        net = trainable(leaky(*RECURRENT), attached)
        inputs = torch.nn.functional.pad(batch.inputs, (0, extra))
        own.prepare(net, goal, 0)
        net.zero_grad()
        own.learn(net, replace(batch, inputs=inputs), goal)
        return hidden_and_readout(net, gradients=True)

    batch = whole(task)
    hidden, readout = layers(rule("shuffled_errors", of=name), batch)
    own_hidden, own_readout = layers(rule(name), batch)
    assert torch.allclose(hidden, layers(rule(name), shuffled(batch))[0], rtol=1e-9)
    assert not torch.allclose(hidden, own_hidden, rtol=1e-2)
    assert torch.allclose(readout, own_readout, rtol=1e-6)


def test_shuffled_targets_say_nothing_of_a_trial():
    """Over all ways to hand targets on, every trial gets every target alike."""
    batch = whole(random_task(n_trials=6))
    seen, given = [], batch
    for _ in range(6):
        given = shuffled(given)
        seen.append(given.target)
    assert torch.equal(given.target, batch.target)
    by_trial = torch.stack(seen).sort(0).values
    assert (by_trial == by_trial[:, :1]).all()


def test_a_trial_alone_teaches_the_hidden_layer_nothing():
    task = random_task(n_trials=1, rate=0.4)
    net = make(recurrent(), task, size="120 pA")
    by_rule(rule("shuffled_errors"), net, task)
    hidden, readout = hidden_and_readout(net, gradients=True)
    assert not hidden.any()
    assert readout.any()


def test_marks_meet_a_shuffled_reward_and_the_readout_its_own():
    task = patterns(0, n_steps=30, low=0.02, high=0.1)
    found = {}
    for control in (False, True):
        net = trainable(leaky(*RECURRENT), task)
        own, goal, batch = RewardSTDP(shuffled=control), objective(task), whole(task)
        own.prepare(net, goal, 0)
        with torch.no_grad():
            activity = net(batch.inputs)
        _, reward = own._decide(activity.output, batch, goal)
        own.learn(net, batch, goal)
        beyond = (reward - reward.mean()) / batch.n_trials
        expected = own.eligibility(activity.spikes, batch.scored, 1.0, beyond.roll(1) if control else beyond)
        assert torch.allclose(own.coming, expected, rtol=1e-9)
        found[control] = own.coming, hidden_and_readout(net, gradients=True)[1]
    assert torch.equal(found[True][1], found[False][1])
    assert not torch.allclose(found[True][0], found[False][0])


@pytest.mark.parametrize("name", ["stdp_readout", "reward_stdp", *CONTROLS])
def test_only_a_rule_that_brings_errors_to_the_hidden_layer_can_have_them_shuffled(name):
    with pytest.raises(tb.LearnError, match="expected a rule by which errors reach the hidden layer, found"):
        rule("shuffled_errors", of=name)


def test_what_joins_both_layers_cannot_be_told_apart():
    task = random_task()
    for trained, words in (
        ({"weight": "region"}, "a factor for a whole region"),
        (["weight", "delay"], "no trained delays"),
    ):
        net = make(recurrent(receptor="delta"), task, trained, size="2.5 mV")
        for name in CONTROLS:
            with pytest.raises(tb.LearnError, match=words):
                rule(name).prepare(net, objective(task), 0)


def test_a_control_has_a_source_and_the_options_of_its_rule():
    for name, own in CONTROLS.items():
        assert own.name == name
        assert own.reference.startswith("10.")
    assert rule("shuffled_errors", of="kolen_pollack", decay=0.1).own.decay == 0.1
    with pytest.raises(tb.LearnError, match="bptt has no option 'decay'"):
        rule("shuffled_errors", decay=0.1)
