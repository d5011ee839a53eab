from dataclasses import replace

import numpy as np
import pytest

import twinbrain as tb


def make(**changes):
    spikes = np.zeros((4, 6, 3), np.uint8)
    spikes[:, 2, 1] = 1
    trials = tb.trials_of(spikes, np.array([0, 1, 0, 1]))
    trials = replace(trials, **changes)
    return tb.Task("t", "a task", 3, 2, "classification", 1.0, trials, trials, trials, 0.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": np.array([0, 1, 2, 1])}, "task t: train: expected a label from 0 to 1, found 2"),
        ({"target": np.array([0, -1, 0, 1])}, "found -1"),
        ({"target": np.array([0.0, 1.0, 0.0, 1.0])}, "expected whole numbers as labels, found float64"),
        ({"target": np.array([0, 1])}, "found 2 targets and 4 rows"),
        ({"channel": np.array([3, 1, 1, 1])}, "expected a channel from 0 to 2, found 3"),
        ({"step": np.array([6, 2, 2, 2])}, "expected a step from 0 to 5, found 6"),
        ({"scored": np.array([[1.0] * 6] * 3 + [[0.0] * 6])}, "found none in trial 3"),
    ],
)
def test_what_is_out_of_range_is_told(changes, message):
    make()
    with pytest.raises(tb.LearnError, match=message):
        make(**changes)


def test_targets_of_a_regression_have_every_step_and_output():
    trials = tb.trials_of(np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6, 2), np.float32))
    tb.Task("t", "a task", 3, 2, "regression", 1.0, trials, trials, trials, 0.5)
    with pytest.raises(tb.LearnError, match=r"expected targets of shape \(4, 6, 1\), found \(4, 6, 2\)"):
        tb.Task("t", "a task", 3, 1, "regression", 1.0, trials, trials, trials, 0.5)
