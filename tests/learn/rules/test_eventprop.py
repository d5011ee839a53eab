from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.learn.rules.circuits import CURRENT, chance_of, patterns, region, task_of, train, trainable
from twinbrain.errors import LearnError
from twinbrain.learn.batch import Objective, batch_of
from twinbrain.learn.rules.circuit import Circuit, spike_times
from twinbrain.learn.rules.eventprop import EventProp
from twinbrain.learn.rules.eventprop_exact import gradient
from twinbrain.learn.rules.forward_forward import ForwardForward
from twinbrain.learn.rules.reward_stdp import RewardSTDP
from twinbrain.learn.rules.stdp_readout import STDPReadout
from twinbrain.learn.weights import synapse_ends
from twinbrain.spec.training import InputSpec

DURATION, N_INPUTS, N_TRIALS = 30, 6, 3
T_REF = 2.0
RECURRENT = ({"e": 6, "i": 3}, [("e", "e", 60, 2), ("e", "i", 200, 1), ("i", "e", -80, 1)])


def input_spikes():
    """Return a few spikes a trial, as (time in ms, channel); times are whole, and a channel spikes once a step."""
    rng = np.random.default_rng(2)
    return [
        np.unique(np.stack([rng.integers(1, 24, 25), rng.integers(0, N_INPUTS, 25)]), axis=1) for _ in range(N_TRIALS)
    ]


def network_at(dt):
    spikes = np.zeros((N_TRIALS, round(DURATION / dt), N_INPUTS), np.uint8)
    for trial, (time, channel) in enumerate(input_spikes()):
        spikes[trial, np.round(time / dt).astype(int) - 1, channel] = 1  # a spike of step n is over at (n + 1) dt
    task = task_of(spikes, np.arange(N_TRIALS) % 2, dt=dt)
    # Of a refractory time the last step is free.
    cell = {"parameters": {"t_ref": f"{T_REF + dt} ms", "tau_exponential_current": "4 ms"}}
    spec = InputSpec(weight={"normal": ["200 pA", "60 pA"]})
    net = trainable(region(*RECURRENT, **cell), task, ("weight", "C_m"), input_=spec)
    return net, batch_of(task, task.train, np.arange(N_TRIALS)), Objective("classification", dt)


def parts(net):
    """Return sources, targets, weights and delays of all synapses."""
    network = net.lowered.network
    ends = [synapse_ends(network, table) for table in network.tables]
    delay = np.concatenate([table.delay for table in network.tables]) * network.dt
    weight = net.all_weights().detach().numpy()
    return np.concatenate([e[0] for e in ends]), np.concatenate([e[1] for e in ends]), weight, delay


def circuit_of(net):
    """Return the network in continuous time, where its synapses are in it, and the weights of the readout."""
    block = next(b for b, own in enumerate(net.lowered.programs) if CURRENT in own.jumps)
    first, n = net.lowered.network.blocks[block].neurons[0], net.lowered.network.blocks[block].size
    source, target, weight, delay = parts(net)
    inner = (target >= first) & (target < first + n)
    number = {net.input.start + i: i for i in range(N_INPUTS)} | {first + i: N_INPUTS + i for i in range(n)}
    place = np.array([number[s] for s in source[inner]]), target[inner] - first
    w, d = np.zeros((N_INPUTS + n, n)), np.full((N_INPUTS + n, n), np.inf)
    w[place], d[place] = weight[inner], delay[inner]
    out = np.zeros((n, net.readout.size))
    out[source[~inner] - first, target[~inner] - net.readout.start] = weight[~inner]
    own = net.lowered.parameters[block]
    neuron = [own[name] for name in ("C_m", "g_L", "E_L", "V_th", "V_reset")]
    return Circuit(*neuron, np.full(n, T_REF), own[f"tau_{CURRENT}"], w, d), inner, place, out


def exact(circuit, out, trial):
    """Return the spikes of a trial, its loss, and the derivative by each spike's time."""
    time, channel = input_spikes()[trial]
    spikes = spike_times(circuit, time.astype(float), channel, float(DURATION))
    left = np.maximum(DURATION - spikes.time - 1.0, 0.0)
    mean = (out[spikes.neuron] * 20 * (1 - np.exp(-left / 20))[:, None]).sum(0) / DURATION
    share = np.exp(mean) / np.exp(mean).sum()
    by_time = -(out[spikes.neuron] @ (share - np.eye(2)[trial % 2])) * np.exp(-left / 20) / DURATION
    return spikes, -np.log(share[trial % 2]), by_time * (left > 0)


def rule_s(net, batch, objective, trial):
    """Return the rule's gradients of one trial, by the weights themselves and by the change of C_m."""
    for parameter in net.parameters():
        parameter.grad = None
    one = slice(trial, trial + 1)
    batch = replace(batch, inputs=batch.inputs[:, one], target=batch.target[one], scored=batch.scored[one])
    rule = EventProp(slowest=1e-3)
    rule.prepare(net, objective, 0)
    rule.learn(net, batch, objective)
    by_weight = torch.cat([w.relative.grad / w.scale for w in net.tables()])
    return by_weight.numpy(), torch.cat([p.grad for n, p in net.named_parameters() if "C_m" in n]).numpy()


def error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_gradient_approaches_that_of_continuous_time():
    steps, errors = (1.0, 0.25, 0.0625), []
    for dt in steps:
        net, batch, objective = network_at(dt)
        circuit, inner, place, out = circuit_of(net)
        pairs = []
        for trial in range(N_TRIALS):
            spikes, _, by_time = exact(circuit, out, trial)
            expected = gradient(circuit, spikes, by_time, float(DURATION))[place]
            pairs.append((rule_s(net, batch, objective, trial)[0][inner], expected))
        errors.append(np.median([error(*pair) for pair in pairs]))
    order = -np.polyfit(np.log2(1 / np.array(steps)), np.log2(errors), 1)[0]
    assert order > 0.5
    assert np.median([cosine(*pair) for pair in pairs]) > 0.99


def test_time_constants_have_the_gradient_of_continuous_time():
    net, batch, objective = network_at(0.0625)
    circuit, _, _, out = circuit_of(net)
    expected = np.zeros(len(circuit.C_m))
    for neuron in range(len(expected)):
        losses = []
        for sign in (-1, 1):
            C_m = circuit.C_m.copy()
            C_m[neuron] *= np.exp(sign * 1e-5)
            losses.append(exact(replace(circuit, C_m=C_m), out, 0)[1])
        expected[neuron] = (losses[1] - losses[0]) / 2e-5
    found = rule_s(net, batch, objective, 0)[1]
    assert cosine(found, expected) > 0.97


def test_values_are_those_of_the_step_and_surrogates_come_back():
    net, batch, objective = network_at(1.0)
    before = net(batch.inputs)
    rule = EventProp()
    outcome = rule.learn(net, batch, objective)
    assert torch.equal(outcome.spikes, before.spikes)
    assert torch.equal(outcome.output, before.output)
    by_rule = [p.grad.clone() for p in net.parameters() if p.grad is not None]
    net.zero_grad()
    objective(net(batch.inputs), batch).backward()
    assert not torch.allclose(by_rule[0], next(p.grad for p in net.parameters() if p.grad is not None))


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ({"model": "alif"}, "a besides the potential"),
        ({"receptors": ("delta",)}, "in mV"),
    ],
)
def test_networks_without_spike_times_that_move_are_refused(cell, reason):
    task = patterns(0, n_trials=2)
    unit = "mV" if cell.get("receptors") == ("delta",) else "pA"
    net = trainable(region({"e": 3}, **cell), task, input_=InputSpec(weight=f"2 {unit}"))
    with pytest.raises(LearnError, match=reason):
        EventProp().prepare(net, Objective("classification", 1.0), 0)


@pytest.mark.parametrize("rule", [EventProp, ForwardForward, RewardSTDP, STDPReadout])
def test_a_penalty_of_rates_is_refused(rule):
    task = patterns(0, n_trials=2)
    net = trainable(region({"e": 3}), task)
    with pytest.raises(LearnError, match="rate_penalty"):
        rule().prepare(net, Objective("classification", 1.0, rate_penalty=0.1), 0)


def test_it_learns():
    found = []
    for seed in range(3):
        task = patterns(seed, n_steps=30, low=0.02, high=0.1)
        net = trainable(region({"e": 16, "i": 4}, RECURRENT[1]), task, seed=seed)
        found.append(train(EventProp(), net, task, rate=0.02, epochs=5, seed=seed)[1])
    assert np.mean(found) > chance_of(3 * 64, 6)
