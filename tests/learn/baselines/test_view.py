import numpy as np
import pytest
import torch

from tests.learn.small import integral_task, order_task, rates_task
from twinbrain.errors import LearnError
from twinbrain.learn.baselines.view import n_seen, scale_of, see


def test_counts_are_the_sums_of_spikes():
    task = rates_task()
    index = np.array([5, 0, 17])
    spikes, counts = (see(task, task.train, view, index).input for view in ("spikes", "counts"))
    assert spikes.shape == (12, 3, 6)
    assert torch.equal(spikes.sum(0, keepdim=True), counts)


def test_flat_features_are_the_frames_one_after_another():
    task = rates_task()
    frames, flat = (see(task, task.train, view).input for view in ("frames", "flat"))
    assert torch.equal(frames.transpose(0, 1).reshape(1, len(task.train), -1), flat)


def test_frames_that_are_no_data_do_not_count():
    task = rates_task()
    task.train.n_frames[:] = 3
    task.train.n_frames[4] = 1
    assert see(task, task.train, "frames", np.array([4, 5])).scored.tolist() == [[1, 0, 0], [1, 1, 1]]


def test_steps_count_as_the_task_says():
    task = order_task()
    assert torch.equal(see(task, task.train, "spikes").scored, torch.from_numpy(task.train.scored))


@pytest.mark.parametrize("view", ["frames", "flat", "counts"])
def test_what_is_seen_is_scaled_to_a_mean_square_of_1(view):
    task = rates_task()
    seen = see(task, task.train, view, scale=scale_of(task, view, at_once=10)).input
    assert seen.square().mean().item() == pytest.approx(1, rel=1e-5)
    assert seen.shape[2] == n_seen(task, view)


def test_a_task_without_features_cannot_be_seen_by_frames():
    task = order_task()
    with pytest.raises(LearnError, match="take the view 'spikes' or 'counts'"):
        see(task, task.train, "frames")
    with pytest.raises(LearnError, match="expected one of spikes"):
        see(task, task.train, "everything")


def test_a_regression_needs_an_output_at_every_step():
    task = integral_task()
    with pytest.raises(LearnError, match="take 'spikes'"):
        see(task, task.train, "counts")
