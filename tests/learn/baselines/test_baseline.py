import numpy as np
import pytest
import torch

from tests.learn.small import integral_task, order_task, rates_task
from twinbrain.errors import LearnError
from twinbrain.learn.baselines.baseline import BASELINES, LINEAR, baseline, count_parameters
from twinbrain.learn.baselines.cnn import ImageConvolution
from twinbrain.learn.baselines.view import see
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import trials_of


@pytest.mark.parametrize("name", [name for name in BASELINES if name not in LINEAR])
@pytest.mark.parametrize("budget", [2_000, 20_000])
def test_the_hidden_size_meets_the_budget(name, budget):
    found = baseline(name, rates_task(), n_parameters=budget)
    assert found.n_parameters == count_parameters(found.module)
    assert abs(found.n_parameters - budget) <= 0.04 * budget
    assert f"{found.n_hidden:,} hidden units" in str(found)
    assert f"asked for: {budget:,}" in str(found)


@pytest.mark.parametrize("name", ["mlp-tanh", "lstm", "cnn", "leaky"])
def test_no_other_hidden_size_is_nearer(name):
    task = rates_task()
    found = baseline(name, task, n_parameters=1_234)
    make = type(found.module)
    for n_hidden in (found.n_hidden - 1, found.n_hidden + 1):
        other = count_parameters(make(see(task, task.train, found.view).input.shape[2], 3, n_hidden))
        assert abs(other - 1_234) >= abs(found.n_parameters - 1_234)


def test_every_baseline_gives_an_output_at_every_step_that_it_sees():
    for task in (rates_task(), order_task(), integral_task()):
        for name in BASELINES:
            found = baseline(name, task, n_parameters=500)
            seen = see(task, task.train, found.view)
            assert found.module(seen.input).shape == (len(seen.input), len(task.train), task.n_outputs)


def test_models_without_memory_see_the_whole_trial_and_those_with_it_frames_else_spikes():
    with_features, without, regression = rates_task(), order_task(), integral_task()
    views = {name: baseline(name, with_features).view for name in ("mlp-relu", "lstm", "cnn", "leaky")}
    assert views == {"mlp-relu": "flat", "lstm": "frames", "cnn": "frames", "leaky": "spikes"}
    views = {name: baseline(name, without).view for name in ("mlp-relu", "lstm", "cnn", "leaky")}
    assert views == {"mlp-relu": "counts", "lstm": "spikes", "cnn": "spikes", "leaky": "spikes"}
    assert {baseline(name, regression).view for name in BASELINES} == {"spikes"}


def test_a_single_square_frame_is_an_image():
    pixels = np.zeros((4, 1, 16), np.float32)
    trials = trials_of(np.zeros((4, 2, 16), np.uint8), np.zeros(4, np.int64), features=pixels)
    task = Task("image", "", 16, 2, "classification", 1.0, trials, trials, trials, 0.5)
    assert isinstance(baseline("cnn", task).module, ImageConvolution)
    assert baseline("lstm", task).view == "spikes"


def test_the_seed_gives_the_weights_and_leaves_the_random_numbers_of_the_process_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = (baseline("gru", rates_task(), seed=seed).module.state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)


def test_what_cannot_be_is_refused():
    with pytest.raises(LearnError, match="expected one of logistic, perceptron"):
        baseline("transformer", rates_task())
    with pytest.raises(LearnError, match="allow more"):
        baseline("lstm", rates_task(), n_parameters=10)
