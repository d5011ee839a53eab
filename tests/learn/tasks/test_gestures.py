import numpy as np
import pytest

import twinbrain as tb

SMALL = {"n_train": 70, "n_validation": 35, "n_test": 35, "dt": "8 ms", "n_encoders": 3, "peak": "100 Hz"}


def test_nobody_is_in_two_parts():
    task = tb.task("gestures", **SMALL)
    people = [set(part.group) for part in (task.train, task.validation, task.test)]
    assert [len(who) for who in people] == [5, 2, 3]
    assert len(set.union(*people)) == 10
    assert all(set(part.target) == set(range(7)) for part in (task.train, task.validation, task.test))
    other = tb.task("gestures", seed=1, **SMALL)
    assert set(other.test.group) != people[2]


def test_windows_have_the_asked_length_and_overlap():
    task = tb.task("gestures", window=40, stride=20, **SMALL)
    assert task.train.features.shape == (70, 40, 6)
    assert task.train.n_steps == 20  # 40 samples of 4 ms, in steps of 8 ms
    assert task.n_channels == 18


def test_windows_that_do_not_fit_and_too_few_people_are_told():
    with pytest.raises(tb.LearnError, match="expected window at most 947 samples"):
        tb.task("gestures", window=1000)
    with pytest.raises(tb.LearnError, match="expected fewer than 10 people"):
        tb.task("gestures", n_test_subjects=8)


def test_features_are_standardised_over_training_people():
    task = tb.task("gestures", **SMALL)
    np.testing.assert_allclose(task.train.features.mean((0, 1)), 0, atol=1e-4)
    np.testing.assert_allclose(task.train.features.std((0, 1)), 1, atol=1e-4)
