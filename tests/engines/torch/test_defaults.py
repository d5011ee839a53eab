"""Defaults of PyTorch that a person has changed change no result, and are given back."""

import multiprocessing

import numpy as np
import pytest
import torch

from tests.examples import build_region, relay_region
from tests.learn.networks import recurrent, which_channels
from twinbrain.engines.base import get_engine
from twinbrain.engines.torch.defaults import own_defaults
from twinbrain.learn.baselines.matched import train_baseline
from twinbrain.learn.tasks import encode
from twinbrain.learn.train import train


@pytest.fixture(params=["float64", "meta"])
def changed(request):
    """A function that changes a default."""

    def change():
        if request.param == "float64":
            torch.set_default_dtype(torch.float64)
        else:
            torch.set_default_device("meta")

    yield change
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)


def spikes():
    simulation = get_engine("torch")(build_region(relay_region()))
    simulation.advance(200)
    found = simulation.collect().spikes
    return [found.step, found.neuron, *simulation.state().variables.values()]


def trained():
    found = train(recurrent(), which_channels(n_trials=16), epochs=1, batch_size=8, precision="float32")
    return [found.curves["loss"].values, *(v.numpy() for v in found.network.state_dict().values()), found.score]


def fitted():
    found = train_baseline(recurrent(), which_channels(n_trials=16), baseline="lstm", epochs=1)
    return [v.numpy() for v in found.baseline.module.state_dict().values()]


def coded():
    values = np.linspace(0, 1, 6).reshape(2, 3)
    return [encode.rate(values, 10, 1), encode.latency(values, 10), encode.delta(np.stack([values, values]), 0.1)]


@pytest.mark.parametrize("results", [spikes, trained, fitted, coded])
def test_results_are_the_same(changed, results):
    expected = results()
    changed()
    before = torch.get_default_dtype(), torch.get_default_device()
    found = results()
    assert (torch.get_default_dtype(), torch.get_default_device()) == before
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.asarray(one).dtype == np.asarray(other).dtype


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # a fork beside threads
def test_a_process_that_was_forked_from_one_with_threads_of_pytorch_does_not_wait_for_them():
    def large():
        with own_defaults():
            return torch.ones(1 << 20).exp().sum().item()

    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    expected = large()
    answers = multiprocessing.get_context("fork").SimpleQueue()
    process = multiprocessing.get_context("fork").Process(target=lambda: answers.put(large()))
    process.start()
    process.join(30)
    waits = process.is_alive()
    process.kill()
    torch.set_num_threads(n_threads)
    assert not waits
    assert answers.get() == pytest.approx(expected)
