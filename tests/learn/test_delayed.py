"""Lists of synapses give what matrices give, whatever the delays are."""

import numpy as np
import pytest
import snntorch
import torch

from tests.learn.brains import joined
from tests.learn.networks import recurrent, which_channels
from twinbrain.learn import links
from twinbrain.learn.attach import attach
from twinbrain.learn.lower import lower
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.threads import single_thread
from twinbrain.spec.training import InputSpec, ReadoutSpec, Surrogate, Trainable

TASK = which_channels(n_trials=6, n_steps=40)


@pytest.fixture(autouse=True)
def _one_thread():
    with single_thread():
        yield


def brain():
    """Return three regions of two neuron models, joined by tracts of 3 ms and more and by local delays of 1 ms on."""
    whole = joined(("A", "B", "C"), weight="300 pA", in_degree=8)
    ports = next(iter(whole.regions.values())).ports
    region = recurrent("alif", "lif_current", delays={("e", "e"): {"uniform": ["1 ms", "6 ms"]}})
    return whole.model_copy(update={"regions": {"*": region.model_copy(update={"ports": ports})}})


def network_of(trained=("weight", "time_constant"), surrogate=None, window=None):
    attached = attach(brain(), TASK, InputSpec(region="A", weight="400 pA"), ReadoutSpec(region="C"))
    lowered = lower(attached, dt=1.0, seed=2)
    return TrainableNetwork(lowered, Trainable.parse(list(trained)), surrogate or Surrogate(), "float64", window)


def outcome(network):
    activity = network(torch.as_tensor(TASK.train.spikes(np.arange(4), TASK.n_channels)))
    (activity.output.square().mean() + activity.spikes.mean()).backward()
    return activity, {name: p.grad for name, p in network.named_parameters() if p.numel()}


@pytest.mark.parametrize("window", [None, 7])
@pytest.mark.parametrize("trained", [("weight", "time_constant"), ("delay",)])
def test_one_list_of_all_delays_gives_what_matrices_give(monkeypatch, window, trained):
    dense = outcome(network_of(trained, window=window))
    monkeypatch.setattr(links, "_DENSE", 0)
    network = network_of(trained, window=window)
    found = outcome(network)
    assert len(network._lists) == 1
    same(dense, found)
    assert len({link.delay for _, link in network.numbered_links()}) > 6
    assert found[0].spikes.sum() > 200


def test_the_loop_over_steps_agrees(monkeypatch):
    monkeypatch.setattr(links, "_DENSE", 0)
    # snnTorch rounds its surrogate to float32.
    same(outcome(network_of()), outcome(network_of(surrogate=snntorch.surrogate.atan())), rtol=1e-5)


def test_threads_share_the_work_and_change_nothing(monkeypatch):
    monkeypatch.setattr(links, "_DENSE", 0)
    monkeypatch.setattr("twinbrain.learn.fused.threads._WORTH_A_THREAD", 1)
    alone = outcome(network_of())
    torch.set_num_threads(3)
    same(alone, outcome(network_of()), rtol=0)


def test_what_does_not_spike_has_a_gradient_of_its_spikes_and_none_of_its_weights(monkeypatch):
    monkeypatch.setattr(links, "_DENSE", 0)
    network = network_of()
    none = torch.zeros(20, 2, TASK.n_channels)
    activity = network(none)
    assert activity.spikes.sum() == 0
    activity.output.sum().backward()
    assert all((w.relative.grad == 0).all() for w in network.tables())


def same(one, other, rtol=1e-9):
    torch.testing.assert_close(one[0].spikes, other[0].spikes, rtol=0, atol=0)
    torch.testing.assert_close(one[0].output, other[0].output, rtol=1e-12, atol=1e-12)
    assert one[1].keys() == other[1].keys()
    for name, gradient in one[1].items():
        scale = float(gradient.abs().max())
        torch.testing.assert_close(gradient, other[1][name], rtol=rtol, atol=max(rtol, 1e-12) * scale, msg=name)
        assert scale > 0
