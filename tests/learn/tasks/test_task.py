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
        ({"scored": np.full((4, 6), np.inf)}, "scored: expected finite weights of at least 0"),
        ({"scored": np.full((4, 6), np.float32(3e38))}, "scored: expected finite weights of at least 0"),
        ({"scored": np.array([[-1.0] + [1.0] * 5] * 4)}, "scored: expected finite weights of at least 0"),
        ({"scored": np.ones(4)}, r"scored: expected shape \(trial, step\), found \(4,\)"),
        ({"target": np.zeros((4, 1), int)}, r"expected labels of shape \(4,\), one number a trial, found \(4, 1\)"),
        ({"start": np.array([0, 1, 1, 1, 1])}, "found start from 0 to 1, 4 steps and 4 channels"),
        ({"start": np.array([0, 1, 2, 3, 9])}, "found start from 0 to 9, 4 steps"),
        ({"start": np.array([1, 1, 2, 3, 4])}, "found start from 1 to 4"),
        ({"start": np.array([0, 3, 2, 3, 4])}, "expected start to ascend"),
        ({"channel": np.array([1, 1, 1])}, "4 steps and 3 channels"),
        ({"step": np.full(4, 2.0)}, "step: expected whole numbers in one dimension, found float64"),
    ],
)
def test_what_is_out_of_range_is_told(changes, message):
    make()
    with pytest.raises(tb.LearnError, match=message):
        make(**changes)


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64"])
def test_labels_may_be_whole_numbers_of_any_kind(kind):
    found = make(target=np.array([0, 1, 1, 0], kind)).train.target
    assert (found.dtype, found.tolist()) == (np.int64, [0, 1, 1, 0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "classify"}, "kind: expected classification or regression, found 'classify'"),
        ({"dt": float("nan")}, "expected dt above 0 ms, a channel and an output at least, found nan ms, 3 and 2"),
        ({"n_outputs": 0}, "found 1.0 ms, 3 and 0"),
    ],
)
def test_what_a_task_cannot_be_is_told_when_it_is_made(changes, message):
    with pytest.raises(tb.LearnError, match=message):
        replace(make(), **changes)


def test_targets_of_a_regression_are_finite():
    target = np.zeros((4, 6, 2), np.float32)
    target[2, 3, 1] = np.nan
    trials = tb.trials_of(np.zeros((4, 6, 3), np.uint8), target)
    with pytest.raises(tb.LearnError, match="train: expected finite numbers as targets, found some that are not"):
        tb.Task("t", "a task", 3, 2, "regression", 1.0, trials, trials, trials, 0.5)


def test_targets_of_a_regression_have_every_step_and_output():
    trials = tb.trials_of(np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6, 2), np.float32))
    tb.Task("t", "a task", 3, 2, "regression", 1.0, trials, trials, trials, 0.5)
    with pytest.raises(tb.LearnError, match=r"expected targets of shape \(4, 6, 1\), found \(4, 6, 2\)"):
        tb.Task("t", "a task", 3, 1, "regression", 1.0, trials, trials, trials, 0.5)
