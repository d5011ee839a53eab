import numpy as np
import torch

from tests.learn.rules.circuits import chance_of, patterns, region, train, trainable
from twinbrain.learn.batch import Objective, batch_of
from twinbrain.learn.rules.stdp_readout import STDPReadout

ONLY_READOUT = {"weight": {"*->readout*": "synapse"}}


def made(seed=0, trained=("weight",), model=None, n_steps=30, high=0.1):
    task = patterns(seed, n_steps=n_steps, low=0.02, high=high)
    net = trainable(
        model or region({"e": 12, "i": 4}, [("e", "i", 100, 1), ("i", "e", -100, 2)]), task, trained, seed=seed
    )
    return net, task, batch_of(task, task.train, np.arange(10))


def test_readout_has_the_gradient_and_the_others_change_by_pairs():
    net, _, batch = made()
    objective, rule = Objective("classification", 1.0), STDPReadout(w_max=100.0)
    rule.prepare(net, objective, 0)
    outcome = rule.learn(net, batch, objective)
    found = torch.cat([weights.relative.grad for weights in net.tables()])
    net.zero_grad()
    objective(net(batch.inputs), batch).backward()
    by_loss = torch.cat([weights.relative.grad for weights in net.tables()])
    readout = torch.ones(len(found), dtype=torch.bool)
    readout[rule.synapses.inner] = False
    assert torch.allclose(found[readout], by_loss[readout], rtol=1e-9)
    assert not found[~readout].any()
    before = torch.cat([weights.relative.detach().clone() for weights in net.tables()])
    change = rule.change(outcome.spikes, 1.0)
    rule.synapses.change(net, change)
    after = torch.cat([weights.relative.detach() for weights in net.tables()])
    stronger = rule.synapses.direction[rule.synapses.inner]
    assert torch.allclose((after - before)[rule.synapses.inner], change * stronger, rtol=1e-9)
    assert torch.equal(after[readout], before[readout])
    assert set(stronger.tolist()) == {-1.0, 1.0}  # a stronger inhibitory synapse has a more negative weight


def test_a_change_is_made_once():
    net, _, batch = made()
    objective, rule = Objective("classification", 1.0), STDPReadout(0.05, 0.0525)
    rule.prepare(net, objective, 0)
    rule.learn(net, batch, objective)
    rule.constrain(net)
    once = net.all_weights().detach().clone()
    rule.constrain(net)
    assert torch.equal(net.all_weights(), once)


def test_neurons_keep_their_input_and_no_weight_grows_beyond_the_largest():
    net, task, _ = made()
    rule = STDPReadout(A_plus=50.0, A_minus=10.0, w_max=3.0)
    objective = Objective("classification", 1.0)
    rule.prepare(net, objective, 0)
    before = incoming_sums(net)
    train(rule, net, task, rate=0.01, epochs=2)
    np.testing.assert_allclose(incoming_sums(net), before, rtol=0.02)  # weights are whole quanta
    weights = net.tables()[0]
    assert weights.relative.abs().max() < 3.0 * 2.0
    rate = net(batch_of(task, task.train, np.arange(20)).inputs).spikes[:, :, :16].mean() * 1000
    assert 2 < rate < 100


def incoming_sums(net):
    """Return the sums of sizes of the weights that reach each of the first neurons."""
    synapse = STDPReadout()
    synapse.prepare(net, Objective("classification", 1.0), 0)
    weights = net.all_weights().detach().abs()
    return torch.bincount(synapse.synapses.post, weights, 16).numpy()[:16]


def test_plasticity_adds_to_what_the_readout_learns():
    whole, alone = [], []
    for seed in range(3):
        for found, trained in ((whole, ("weight",)), (alone, ONLY_READOUT)):
            net, task, _ = made(seed, trained, region({"e": 30}), n_steps=50, high=0.06)
            found.append(train(STDPReadout(0.5, 0.525), net, task, rate=0.03, epochs=8, seed=seed)[1])
    assert np.mean(whole) > chance_of(3 * 64, 6)
    assert np.mean(whole) > np.mean(alone) + 0.03
