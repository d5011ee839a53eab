"""Disturbances by their strength, whatever the task."""

import numpy as np
import pytest

from tests.learn.small import rates_task
from twinbrain.errors import LearnError
from twinbrain.learn.baselines.baseline import baseline
from twinbrain.learn.baselines.view import see
from twinbrain.learn.robustness import DISTURBANCES, LESION, LEVELS, disturbed_baseline_scores, disturbed_trials


@pytest.fixture(scope="module")
def task():
    return rates_task(n_trials=(6, 6, 600))


def n_spikes(trials):
    return len(trials.step)


@pytest.mark.parametrize("level", LEVELS[1:])
def test_spikes_are_added_and_dropped_as_a_share_of_those_there(task, level):
    fewer = n_spikes(disturbed_trials(task, "dropped spikes", level, 0)) / n_spikes(task.test)
    assert fewer == pytest.approx(1 - level, abs=0.03)
    # An added spike is lost where one is already: about one in four here.
    more = n_spikes(disturbed_trials(task, "added spikes", level, 0)) / n_spikes(task.test)
    free = 1 - n_spikes(task.test) / (len(task.test) * task.test.n_steps * task.n_channels)
    assert more == pytest.approx(1 + level * free, abs=0.05)


def test_slower_and_faster_are_the_inverse_of_each_other(task):
    n = task.test.n_steps
    assert disturbed_trials(task, "slower", 0.5, 0).n_steps == 1.5 * n
    assert disturbed_trials(task, "faster", 0.5, 0).n_steps == n / 1.5


def test_all_disturbances_but_the_lesion_are_of_trials(task):
    for name in set(DISTURBANCES) - {LESION}:
        found = disturbed_trials(task, name, 0.4, 1)
        assert len(found) == len(task.test)
        np.testing.assert_array_equal(found.target, task.test.target)
        again = disturbed_trials(task, name, 0.4, 1)
        np.testing.assert_array_equal(found.step, again.step)


def test_a_baseline_that_sees_all_frames_at_once_has_no_score_where_trials_are_slower():
    task = rates_task(n_trials=(12, 12, 12))
    found = disturbed_baseline_scores(baseline("mlp-relu", task, n_parameters=200), task, 0)
    assert np.isnan(found[:3]).all()
    assert np.isfinite(found[4, 1:]).all()
    with pytest.raises(LearnError, match=r"expected as many frames as in the training trials, .* found 4"):
        see(task, disturbed_trials(task, "slower", 0.2, 0), "flat")
