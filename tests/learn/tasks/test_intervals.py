import numpy as np
import pytest

import twinbrain as tb
from twinbrain.learn.tasks.intervals import intervals

SMALL = {"n_train": 80, "n_validation": 6, "n_test": 40}


def clicks(task):
    """Return the two steps of each training trial at which most channels spike, without noise or jitter."""
    counts = task.train.spikes(np.arange(len(task.train)), task.n_channels).sum(2).T
    return np.array([np.flatnonzero(trial == task.n_channels) for trial in counts])


def test_clicks_are_an_interval_of_their_class_apart():
    task = intervals(jitter=0, noise=0, spread=0, **SMALL)
    first, second = clicks(task).T
    centres = np.geomspace(20, 600, 8)
    assert (abs(second - first - centres[task.train.target]) <= 1).all()
    assert len(np.unique(first)) > 20  # up to 50 ms after the beginning, so that the second alone tells nothing
    assert np.bincount(task.train.target).tolist() == [10] * 8


def test_the_output_counts_for_a_while_from_the_second_click_on():
    task = intervals(jitter=0, noise=0, response=40, **SMALL)
    begins = task.train.scored.argmax(1)
    assert (begins == clicks(task)[:, 1]).all()
    assert (task.train.scored.sum(1) == 40).all()


def test_numbers_of_spikes_tell_nothing():
    """Each channel spikes twice, whatever the interval."""
    task = intervals(noise=0, jitter=1, shortest=50, **SMALL)
    assert (task.train.spikes(np.arange(80), task.n_channels).sum(0) == 2).all()


def test_spread_and_noise_are_those_asked_for():
    task = intervals(jitter=0, noise=0, spread=0.1, n_intervals=2, n_train=400, n_validation=2, n_test=2)
    first, second = clicks(task).T
    long = np.log((second - first)[task.train.target == 1] / 600)
    assert abs(long.std() - 0.1) < 4 * 0.1 / np.sqrt(2 * len(long))
    noisy = intervals(noise=20, n_train=100, n_validation=6, n_test=6)
    n_expected = 100 * 20 * (2 + 20 * noisy.train.n_steps / 1000)
    assert abs(len(noisy.train.step) - n_expected) < 4 * np.sqrt(n_expected) + 0.02 * n_expected


def test_longer_steps_make_shorter_trials_of_the_same_time():
    one, five = (tb.task("intervals", dt=dt, **SMALL) for dt in ("1 ms", "5 ms"))
    assert one.train.n_steps == pytest.approx(5 * five.train.n_steps, abs=5)


def test_a_range_that_is_none_is_told():
    with pytest.raises(tb.LearnError, match="expected dt <= shortest < longest, found 1, 30 and 20 ms"):
        intervals(shortest=30, longest=20)
