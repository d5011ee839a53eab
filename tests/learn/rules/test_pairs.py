import numpy as np
import pytest
import torch

import twinbrain as tb
from tests.examples import build_region
from tests.learn.rules.circuits import CURRENT, patterns, region, trainable
from twinbrain.engines.base import get_engine
from twinbrain.errors import LearnError
from twinbrain.learn.rules.pairs import Window, pair_changes, trace
from twinbrain.learn.rules.synapses import Synapses, synapses_of, units_of

PROJECTIONS = [("e", "f", 60, 3), ("f", "f", 20, 1)]


def network(**more):
    return trainable(region({"e": 4, "f": 3}, PROJECTIONS), patterns(0, n_trials=2), **more)


def random_spikes(net, n_trials=3, n_steps=80, seed=1):
    rng = np.random.default_rng(seed)
    return torch.tensor((rng.random((n_steps, n_trials, net.lowered.network.n_neurons)) < 0.06).astype(float))


@pytest.mark.parametrize("tau_c", [np.inf, 40.0])
def test_changes_equal_the_sum_over_all_pairs(tau_c):
    net = network()
    synapses, spikes = synapses_of(net, "a rule"), random_spikes(net)
    window, dt, factor = Window(0.7, 0.4, 15.0, 30.0), 0.5, torch.tensor([1.0, -2.0, 0.5])
    last = len(spikes) - 1
    counts = torch.exp(-(last - torch.arange(len(spikes)).double()) * dt / tau_c)[:, None] * factor
    found = pair_changes(spikes, synapses, window, dt, counts.double())
    for place, synapse in enumerate(synapses.inner.tolist()):
        pre, post, delay = (int(v[synapse]) for v in (synapses.pre, synapses.post, synapses.delay))
        expected = 0.0
        for trial in range(spikes.shape[1]):
            arrivals = (spikes[:, trial, pre].nonzero()[:, 0] + delay).tolist()
            for own in spikes[:, trial, post].nonzero()[:, 0].tolist():
                for arrival in arrivals:
                    difference = (own - arrival) * dt
                    if max(own, arrival) > last:
                        continue
                    forgotten = np.exp(-(last - max(own, arrival)) * dt / tau_c) * float(factor[trial])
                    pair = 0.7 * np.exp(-difference / 15) if difference > 0 else -0.4 * np.exp(difference / 30)
                    expected += pair * forgotten
        assert float(found[place]) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_many_neurons_give_the_same_as_few(monkeypatch):
    net = network()
    synapses, spikes = synapses_of(net, "a rule"), random_spikes(net)
    given = (spikes, synapses, Window(0.7, 0.4, 15.0, 30.0), 1.0, torch.ones(spikes.shape[:2]).double())
    expected = pair_changes(*given)
    monkeypatch.setattr("twinbrain.learn.rules.pairs._ALL_PAIRS", 0)
    assert torch.allclose(pair_changes(*given), expected, rtol=1e-12)


def plastic_run(rule, engine, n_steps=300, **parameters):
    """Return a table of plastic synapses, all spikes, and what the synapses are at the end."""
    model = region({"e": 4, "f": 3, "reward": 1}, PROJECTIONS)
    plasticity = {"model": rule, "parameters": {"w_max": "1000 pA", "tau_plus": "15 ms", **parameters}}
    if rule == "reward_stdp":
        plasticity["modulator"] = "reward"
    changes = {"weight": "100 pA", "delay": "3 ms", "plasticity": plasticity}
    plastic = model.projections[0].to_dict() | changes
    drives = [{"population": name, "receptor": CURRENT, "rate": "900 Hz", "weight": "260 pA"} for name in ("e", "f")]
    built = build_region(tb.Region.parse(model.to_dict() | {"projections": [plastic], "drives": drives}), dt=1.0)
    simulation = get_engine(engine)(built)
    simulation.advance(n_steps)
    fired, state = simulation.collect().spikes, simulation.state().variables
    simulation.close()
    spikes = torch.zeros(n_steps, 1, built.n_neurons, dtype=torch.float64)
    spikes[fired.step, 0, fired.neuron] = 1.0
    spikes[n_steps - 4, 0, :4] = 0.0  # has not arrived by the end
    (table,) = built.plastic
    return table, spikes, {name.split("/")[-1]: values for name, values in state.items() if "synapses/" in name}


def own_changes(table, spikes, window, tau_c=np.inf):
    pre, post, delay = (torch.tensor(v.astype(np.int64)) for v in (table.source, table.target, table.delay))
    ones = torch.ones(len(pre), dtype=torch.float64)
    weight = torch.exp(-(len(spikes) - 1.0 - torch.arange(len(spikes)).double()) / tau_c)[:, None].double()
    return pair_changes(spikes, Synapses(pre, post, delay, ones, torch.arange(len(pre))), window, 1.0, weight)


@pytest.mark.parametrize("engine", ["reference", "brian2-numpy"])
def test_weights_change_as_by_the_library_s_pair_stdp_in_brian2(engine):
    table, spikes, state = plastic_run("pair_stdp", engine)
    assert spikes.sum() > 60
    expected = state["w"] - table.initial["w"]
    assert np.abs(expected).max() > 20
    assert state["w"].min() > 0
    assert state["w"].max() < 1000  # the library's bounds are not met
    found = 1000 * own_changes(table, spikes, Window(0.005, 0.00525, 15.0, 20.0))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_synapses_are_marked_as_by_the_library_s_reward_stdp():
    table, spikes, state = plastic_run("reward_stdp", "reference", tau_c="60 ms")
    since = len(spikes) - state["last_update"]
    expected = state["c"] * np.exp(-since / 60.0)
    assert np.abs(expected).max() > 1
    found = 1000 * own_changes(table, spikes, Window(0.005, 0.0075, 15.0, 20.0), 60.0)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_a_trace_decays_exactly():
    spikes = torch.zeros(6, 1, dtype=torch.float64)
    spikes[1] = spikes[3] = 1
    expected = [0, 1, 0.5, 1.25, 0.625, 0.3125]
    assert trace(spikes, 0.5)[:, 0].tolist() == expected


def test_only_weights_can_be_trained():
    with pytest.raises(LearnError, match="nothing of C_m"):
        synapses_of(network(trained=("weight", "C_m")), "a rule")


def test_shared_weights_change_together():
    net = network()
    task = patterns(0, n_trials=2)
    shared = trainable(region({"e": 4, "f": 3}, PROJECTIONS), task, {"weight": {"e->*": "population", "*": "synapse"}})
    weight = net.all_weights().detach()
    synapses = synapses_of(shared, "a rule")
    synapses.change(shared, torch.arange(len(synapses.inner)).double())
    change = torch.zeros(len(synapses.pre), dtype=torch.float64)
    change[synapses.inner] = torch.arange(len(synapses.inner)).double() / units_of(shared)[synapses.inner]
    inner = (synapses.pre < net.input.start) & (synapses.post < net.input.start)
    inner = torch.tensor([net.lowered.network.populations[0].start <= p < 4 for p in synapses.pre.tolist()])
    gains = torch.cat([weights.gain.detach() for weights in shared.tables() if len(weights.gain)])
    inner &= synapses.post < net.readout.start
    assert float(gains.sum()) == pytest.approx(float((change * weight)[inner].sum()))
