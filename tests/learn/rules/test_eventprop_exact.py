from dataclasses import replace

import numpy as np
import pytest

from twinbrain.errors import LearnError
from twinbrain.learn.rules.circuit import Circuit, spike_times
from twinbrain.learn.rules.eventprop_exact import gradient

DURATION = 40.0


def circuit(seed, n_inputs, layers, *, recurrent, t_ref):
    """Return a random circuit, of layers or all to all."""
    rng = np.random.default_rng(seed)
    n = sum(layers)
    weight = rng.normal(110.0, 120.0, (n_inputs + n, n))
    delay = rng.uniform(0.5, 3.0, (n_inputs + n, n))
    layer = np.repeat(np.arange(len(layers)), layers)
    source_layer = np.r_[np.full(n_inputs, -1), layer]
    joined = source_layer[:, None] == layer - 1
    if recurrent:
        joined |= source_layer[:, None] == layer
    weight[n_inputs:] *= 0.4
    return Circuit(
        C_m=rng.uniform(150, 250, n),
        g_L=rng.uniform(8, 14, n),
        E_L=np.full(n, -70.0),
        V_th=rng.uniform(-62, -58, n),
        V_reset=np.full(n, -68.0),
        t_ref=np.full(n, t_ref),
        tau=rng.uniform(3, 8, n),
        weight=weight,
        delay=np.where(joined, delay, np.inf),
    )


def loss_of_times(times, neurons):
    """A smooth function of all spike times, and its derivative."""
    phase = times / 7.0 + neurons
    return np.sin(phase).sum() + (times**2).sum() / 500, np.cos(phase) / 7.0 + times / 250


@pytest.mark.parametrize(
    ("layers", "recurrent", "t_ref"),
    [((5,), False, 0.0), ((4, 3), False, 2.0), ((5,), True, 0.0), ((6,), True, 2.0), ((3, 4), True, 1.0)],
)
def test_gradient_equals_finite_differences_of_a_loss_of_spike_times(layers, recurrent, t_ref):
    rng = np.random.default_rng(5)
    net = circuit(sum(layers) + int(t_ref), 6, layers, recurrent=recurrent, t_ref=t_ref)
    time, source = np.sort(rng.uniform(0, 30, 40)), rng.integers(0, 6, 40)

    def run(weight):
        spikes = spike_times(replace(net, weight=weight), time, source, DURATION)
        return spikes, loss_of_times(spikes.time, spikes.neuron)

    spikes, (_, by_time) = run(net.weight)
    assert len(spikes.time) > sum(layers)
    found = gradient(net, spikes, by_time, DURATION)
    assert not found[~np.isfinite(net.delay)].any()
    scale = np.abs(found).max()
    step, worst = 1e-3, 0.0
    for source_, target in rng.permutation(np.argwhere(np.isfinite(net.delay)))[:15]:
        moved = []
        for k in (-2, -1, 1, 2):
            weight = net.weight.copy()
            weight[source_, target] += k * step
            other, (loss, _) = run(weight)
            assert len(other.time) == len(spikes.time)
            moved.append(loss)
        expected = (moved[0] - 8 * moved[1] + 8 * moved[2] - moved[3]) / (12 * step)
        worst = max(worst, abs(found[source_, target] - expected) / max(abs(expected), 1e-2 * scale))
    assert worst < 1e-5


def test_first_spike_comes_when_the_formula_says():
    one = np.ones(1)
    net = Circuit(
        200 * one, 10 * one, -70 * one, -60 * one, -70 * one, 0 * one, 5 * one, np.array([[800.0], [0]]),
        np.array([[1.0], [np.inf]]),
    )  # fmt: skip
    (first, *_) = spike_times(net, np.array([2.0]), np.array([0]), 50.0).time
    passed = first - 3.0
    v = 800 / (10 - 200 / 5) * (np.exp(-passed / 5) - np.exp(-passed / 20))
    assert v == pytest.approx(10.0, abs=1e-10)


def test_equal_time_constants_are_refused():
    net = circuit(1, 2, (3,), recurrent=False, t_ref=0.0)
    with pytest.raises(LearnError, match="differ"):
        replace(net, tau=net.C_m / net.g_L)
