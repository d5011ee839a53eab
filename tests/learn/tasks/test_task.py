from dataclasses import replace

import numpy as np
import pytest

import twinbrain as tb

FEATURES = np.random.default_rng(0).random((4, 3, 2))


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
        ({"step": np.full(4, 2.0)}, "step: expected whole numbers in one dimension, .* found float64"),
        ({"step": np.full(4, 2, np.uint64)}, "step: expected whole numbers .*, such as int64, found uint64"),
        ({"start": np.arange(5, dtype=np.uint32)}, "start: expected whole numbers .*, such as int64, found uint32"),
        (
            {"start": np.array([0, 0, 1, 2, 4]), "step": np.array([2, 2, 3, 2])},
            "each once, found one at step 2 after one at step 3 in one trial; order them by .*events_of",
        ),
        ({"start": np.array([0, 4, 4, 4, 4])}, "found two at step 2 of channel 1 in one trial"),
        (
            {"start": np.array([0, 1, 4, 4, 4]), "channel": np.array([1, 2, 0, 2])},
            "found two at step 2 of channel 2 in one trial",
        ),
        ({"target": np.array(1)}, "found one targets and 4 rows"),
        ({"scored": np.full((4, 6), 1j)}, "scored: expected real numbers, found complex128"),
        ({"scored": np.full((4, 6), "1")}, "scored: expected real numbers, found <U1"),
        ({"scored": np.full((4, 6), 1e300)}, "scored: expected finite weights of at least 0"),
        ({"scored": np.full((4, 6), 1e-300)}, "found none in trial 0"),
        (
            {"features": FEATURES[:, 0]},
            r"features: expected shape .* with 4 trials, .* found \(4, 2\); give a trial one",
        ),
        ({"features": FEATURES[:2]}, r"features: expected shape .* found \(2, 3, 2\)"),
        ({"features": FEATURES[:, :0]}, r"and a feature at least, found \(4, 0, 2\)"),
        ({"features": FEATURES.astype(str)}, "train: features: expected finite numbers, found <U32"),
        ({"features": FEATURES * 1j}, "features: expected finite numbers, found complex128"),
        ({"features": FEATURES * np.nan}, "features: expected finite numbers, found some that are not"),
        ({"features": FEATURES + 1e300}, "features: expected finite numbers, found some that are not"),
        ({"features": FEATURES, "n_frames": np.full(4, -1)}, "expected numbers from 1 to 3, .* found -1"),
        ({"features": FEATURES, "n_frames": np.array([3, 9, 3, 3])}, "1 to 3, the frames of features, found 9"),
        (
            {"features": FEATURES, "n_frames": np.array([3, 3, 0, 3])},
            "n_frames: .* found 0; count frames that are data",
        ),
        ({"n_frames": np.full(4, 1.7)}, r"n_frames: expected whole numbers of shape \(4,\), .* found float64"),
        ({"n_frames": np.array([1, 2, 3])}, r"found int64 of shape \(3,\); say how many frames"),
        ({"n_frames": np.array([1, 2, 3, 0])}, "n_frames: expected numbers from 1 on, found 0"),
        ({"group": np.array([1, 2])}, r"group: expected shape \(4,\), one group a trial, found \(2,\)"),
    ],
)
def test_what_is_out_of_range_is_told(changes, message):
    make()
    with pytest.raises(tb.LearnError, match=message):
        make(**changes)


def test_channels_of_a_step_stand_in_any_order():
    make(start=np.array([0, 1, 4, 4, 4]), channel=np.array([1, 2, 0, 1]))


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64"])
def test_labels_may_be_whole_numbers_of_any_kind(kind):
    found = make(target=np.array([0, 1, 1, 0], kind)).train.target
    assert (found.dtype, found.tolist()) == (np.int64, [0, 1, 1, 0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "classify"}, "kind: expected classification or regression, found 'classify'"),
        ({"dt": float("nan")}, r"task t: dt \(ms\): expected a finite number, found nan"),
        ({"dt": "1 ms"}, r"dt \(ms\): expected a finite number, found '1 ms'"),
        ({"dt": 10**400}, r"dt \(ms\): expected a finite number, found 1000"),
        ({"dt": np.timedelta64(1, "ms")}, r"dt \(ms\): expected a finite number"),
        ({"dt": -1}, r"dt \(ms\): expected a number above 0, found -1.0"),
        ({"n_outputs": 0}, "task t: n_outputs: expected a whole number of at least 1, found 0"),
        ({"n_channels": 4.0}, "task t: n_channels: expected a whole number of at least 1, found 4.0"),
        ({"n_channels": True}, "n_channels: expected a whole number of at least 1, found True"),
        ({"chance": float("nan")}, "task t: chance: expected a finite number, found nan"),
        ({"chance": "x"}, "chance: expected a finite number, found 'x'"),
        ({"chance": 50}, "chance: expected an accuracy from 0 to 1, found 50.0"),
        ({"chance": -0.1}, "chance: expected an accuracy from 0 to 1, found -0.1"),
        ({"name": 5}, "name: expected a printable text, found 5"),
        ({"name": "\ud800"}, "name: expected a printable text"),
        ({"test": np.zeros((4, 6, 3))}, "task t: test: expected Trials, found a ndarray; make them by tb.trials_of"),
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


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.longdouble])
def test_numbers_of_numpy_are_kept_as_those_of_python(kind):
    found = replace(make(), dt=kind("0.1"), chance=kind("0.3"), n_channels=np.int8(3), n_outputs=np.uint64(2))
    numbers = (found.dt, found.chance, found.n_channels, found.n_outputs)
    assert repr(numbers) == "(0.1, 0.3, 3, 2)"


@pytest.mark.parametrize("kind", ["bool", ">f4", "longdouble"])
def test_numbers_of_types_that_pytorch_lacks_are_taken(kind):
    trials = tb.trials_of(np.zeros((4, 6, 3), np.uint8), np.ones((4, 6, 1), kind))
    trials = replace(trials, scored=np.ones((4, 6), kind))
    found = tb.Task("t", "a task", 3, 1, "regression", 1.0, trials, trials, trials, 0.5).train
    assert (found.target.dtype, found.scored.dtype) == (np.float32, np.float32)


def test_every_part_has_features_of_one_number_or_none_has():
    task = make(features=FEATURES, n_frames=np.full(4, 3))
    longer = replace(task.test, features=FEATURES.repeat(2, 1))
    assert replace(task, test=longer).test.features.shape == (4, 6, 2)
    for other, found in ((FEATURES[:, :, :1], "1 in test"), (None, "none in test")):
        with pytest.raises(tb.LearnError, match=f"task t: features: .* found 2 in train, 2 in validation, {found}"):
            replace(task, test=replace(task.test, features=other))
