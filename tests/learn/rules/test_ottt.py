import numpy as np
import pytest

import twinbrain as tb
from tests.learn.rules.networks import (
    assert_same,
    by_autodiff,
    by_rule,
    chain,
    make,
    objective,
    random_task,
    recurrent,
    region,
    whole,
)
from twinbrain.learn.diagnose.memory import memory
from twinbrain.learn.rules.registry import rule


def test_weights_get_the_traces_of_their_sources_times_the_error_of_the_moment():
    # Xiao et al. 2022: the gradient is the sum over time of g[t] a[t], with a[t] = leak a[t-1] + s[t]; written out here
    # for one population of neurons without refractory period, whose spikes are given.
    task = random_task()
    network = make(chain(1, "lif_current", "delta", t_ref="0 ms"), task, size="3 mV")
    activity = network(whole(task).inputs)
    found = by_rule(rule("ottt"), network, task)["weights.0.relative"].numpy()
    spikes = activity.spikes.detach().numpy()
    n_steps, n_trials, _ = spikes.shape
    a, inputs, out = (slice(p.start, p.stop) for p in network.lowered.network.populations)
    assert 20 < spikes[:, :, a].sum() < 1000

    table = network.lowered.network.tables[0]
    weights = network.all_weights().detach().numpy()
    pre = np.repeat(np.arange(spikes.shape[2]), np.diff(table.row_start))
    stop_of_inlets = {inlet.start: block for block in network.lowered.network.blocks for inlet in block.inlets}
    post = np.empty(len(pre), int)
    for start, block in stop_of_inlets.items():
        here = (table.post >= start) & (table.post < start + block.size)
        post[here] = block.neurons[table.post[here] - start]
    dense = np.zeros((spikes.shape[2],) * 2)
    dense[pre, post] = weights

    values = {name: value[0] for name, value in network.lowered.parameters[0].items()}
    leak_a, leak_out = np.exp(-values["g_L"] / values["C_m"]), np.exp(-1 / 20)
    error = np.zeros((n_steps, n_trials, out.stop - out.start))
    mean = activity.output.detach().numpy().mean(0)
    chance = np.exp(mean - mean.max(1, keepdims=True))
    error[:] = (chance / chance.sum(1, keepdims=True) - np.eye(3)[task.train.target]) / n_steps / n_trials

    v = np.full((n_trials, a.stop - a.start), values["E_L"])
    trace_in = np.zeros((n_trials, inputs.stop - inputs.start))
    trace_out = np.zeros((n_trials, a.stop - a.start))
    expected = np.zeros_like(dense)
    distance = values["V_th"] - values["E_L"]
    for n in range(n_steps):
        late = n - 2
        came = spikes[late] if late >= 0 else np.zeros_like(spikes[0])
        trace_out = leak_out * trace_out + came[:, a]
        trace_in = leak_a * trace_in + came[:, inputs]
        expected[a, out] += np.einsum("bi,bo->io", trace_out, error[n])
        v = values["E_L"] + leak_a * (v - values["E_L"]) + came[:, inputs] @ dense[inputs, a]
        surrogate = 1 / (1 + (np.pi * (v - values["V_th"]) / distance) ** 2) / distance
        if n + 2 < n_steps:
            g = surrogate * (error[n + 2] @ dense[a, out].T)
            expected[inputs, a] += np.einsum("bi,bj->ij", trace_in, g)
        v = np.where(spikes[n][:, a] > 0, values["V_reset"], v)
    scale = network.tables()[0].scale.numpy()
    np.testing.assert_allclose(found, expected[pre, post] * scale, rtol=1e-9, atol=1e-12 * abs(found).max())


def test_without_memory_in_time_it_is_backpropagation_through_time():
    task = random_task()
    fast = chain(2, "lif_current", "delta", C_m="0.1 pF", t_ref="0 ms")
    network = make(fast, task, size="15 mV", read=("b",), into=("a",), time_constant="0.01 ms")
    spikes = network(whole(task).inputs).spikes
    assert all(0 < spikes[:, :, p.start : p.stop].mean() < 0.9 for p in network.lowered.network.populations[:2])
    assert_same(by_rule(rule("ottt"), network, task), by_autodiff(network, task))


@pytest.mark.parametrize("name", ["ottt", "eprop"])
def test_neurons_without_receptors_are_heard(name):
    task = random_task()
    fast = {"model": "lif_current", "receptors": ["delta"], "parameters": {"C_m": "0.1 pF", "t_ref": "0 ms"}}
    pace = {"model": "izhikevich_2003", "parameters": {"I_e": "10 pA"}}
    paced = region(
        {"e": fast, "pace": pace}, {"pace": ("pace", 3), "e": ("e", 8)}, [("pace", "e", "delta", "15 mV", "1 ms")]
    )
    network = make(paced, task, size="15 mV", read=("e",), into=("e",), time_constant="0.01 ms")
    gradient = by_autodiff(network, task)
    assert all(value.any() for value in gradient.values())
    assert_same(by_rule(rule(name), network, task), gradient)


def test_parameters_of_cells_are_refused():
    task = random_task()
    with pytest.raises(tb.LearnError, match=r"ottt: expected weights alone to be trained.*found C_m"):
        by_rule(rule("ottt"), make(chain(1), task, ("weight", "C_m")), task)


@pytest.mark.parametrize("model", ["adex", "lif_conductance"])
def test_cells_that_are_not_linear_are_refused(model):
    task = random_task()
    with pytest.raises(tb.LearnError, match=r"expected cells that are linear between spikes.*'eprop'"):
        by_rule(rule("ottt"), make(chain(1, model, "ampa"), task, size="6 nS"), task)


def test_neurons_that_leak_differently_have_traces_of_their_own():
    task = random_task(n_steps=30)
    various = make(recurrent(C_m={"lognormal": ["200 pF", 0.3]}), task, size="260 pA")
    alike = make(recurrent(), task, size="260 pA")
    for network in (various, alike):
        found, gradient = by_rule(rule("ottt"), network, task), by_autodiff(network, task)
        flat, expected = found["weights.1.relative"].flatten(), gradient["weights.1.relative"].flatten()
        assert float(flat @ expected / flat.norm() / expected.norm()) > 0.5


def test_what_is_held_for_the_way_back_does_not_grow_with_the_steps():
    task = random_task()
    network, goal, own = make(chain(2), task, size="260 pA"), objective(task), rule("ottt")
    own.prepare(network, goal, 1)
    held = memory(network, whole(task), goal, own, [16, 48]).held.values
    assert held[0] == held[1]


@pytest.mark.parametrize("name", ["ottt", "eprop"])
def test_delays_are_refused(name):
    task = random_task()
    network = make(chain(1), task, ("weight", "delay"))
    with pytest.raises(tb.LearnError, match=f"{name}: expected no delays in trainable"):
        by_rule(rule(name), network, task)
