import numpy as np
import pytest

import twinbrain as tb
from twinbrain.learn.tasks.digits import digits
from twinbrain.learn.tasks.images import _one_by_one
from twinbrain.learn.tasks.mnist import mnist


def test_digits_are_those_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.datasets")
    task = digits(test=0.999, validation=0.0005)
    images, label = sklearn.load_digits(return_X_y=True)
    ours = {(*image.ravel() * 16, label) for image, label in zip(task.test.features, task.test.target, strict=True)}
    theirs = {(*image, label) for image, label in zip(images, label, strict=True)}
    assert ours <= theirs
    assert len(ours) > 1780


@pytest.mark.parametrize("name", ["digits", "mnist"])
@pytest.mark.parametrize("coding", ["latency", "rate", "pixels"])
def test_pictures_become_trials_in_every_code(name, coding):
    task = tb.task(name, coding=coding, n_train=40, n_validation=10, n_test=20)
    assert [len(part) for part in (task.train, task.validation, task.test)] == [40, 10, 20]
    assert set(task.train.target) == set(range(10))
    assert task.chance == pytest.approx(0.1, abs=0.06)
    assert (np.diff(task.train.start) > 0).all()
    again = tb.task(name, coding=coding, n_train=40, n_validation=10, n_test=20)
    np.testing.assert_array_equal(again.train.step, task.train.step)
    np.testing.assert_array_equal(again.train.channel, task.train.channel)


def test_brighter_pixels_spike_earlier_or_more():
    early = digits(n_train=100, n_test=10, n_validation=10).train
    pixels = early.features[early.trial, 0, early.channel]
    assert np.corrcoef(pixels, early.step)[0, 1] < -0.99
    many = digits(coding="rate", n_train=100, n_test=10, n_validation=10, duration=200).train
    counts = many.spikes(np.arange(100), 64).sum(0)
    assert np.corrcoef(counts.ravel(), many.features[:, 0].ravel())[0, 1] > 0.95
    # The brightest spike at 200 Hz: 40 times in 200 ms.
    brightest = counts[many.features[:, 0] == 1]
    assert abs(brightest.mean() - 40) < 4 * np.sqrt(40 * 0.8 / len(brightest))


def test_pixels_one_by_one_tell_their_levels_and_then_a_cue_when_to_answer():
    task = digits(coding="pixels", n_train=10, n_test=10, n_validation=10, n_levels=16, pixel=1, response=20)
    spikes = task.train.spikes(np.arange(10), task.n_channels).astype(int)
    assert spikes.shape == (64 + 20, 10, 33)
    level = np.cumsum(spikes[:64, :, :16] - spikes[:64, :, 16:32], axis=0).sum(2)
    np.testing.assert_array_equal(level.T, task.train.features[..., 0] * 16)
    np.testing.assert_array_equal(spikes[:, :, 32].T, task.train.scored)
    assert (task.train.scored[:, :64] == 0).all()


def test_mnist_has_500_of_each_digit_in_all_parts_together():
    task = mnist(coding="latency", duration=5, test=0.2, validation=0.2)
    assert [np.bincount(part.target).tolist() for part in (task.train, task.validation, task.test)] == [
        [300] * 10,
        [100] * 10,
        [100] * 10,
    ]
    assert (task.n_channels, task.n_outputs) == (784, 10)


def test_the_last_pixel_is_shown_where_steps_and_pixels_do_not_meet():
    image = np.zeros((1, 64), np.float32)
    image[0, -1] = 1
    found = _one_by_one(image, np.array([0]), 1.0, 1.1, 4, 5.0)  # 70.4 steps
    assert found.step[found.channel < 4].tolist() == [70] * 4


@pytest.mark.parametrize("shares", [{"validation": 1e-4}, {"test": 1e-4}, {"validation": 0.6, "test": 0.6}])
def test_shares_that_leave_a_part_empty_are_told(shares):
    with pytest.raises(tb.LearnError, match="task digits: expected trials in every part"):
        digits(**shares)


def test_pixels_shorter_than_a_step_are_refused():
    with pytest.raises(tb.LearnError, match="expected pixel of at least dt, found 2 and 5 ms"):
        tb.task("digits", coding="pixels", dt="5 ms")
