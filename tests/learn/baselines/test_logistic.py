"""The linear model: chosen by validation trials, and never by held-out ones."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from tests.learn.small import integral_task, order_task, rates_task
from twinbrain.errors import LearnError
from twinbrain.learn.baselines.baseline import baseline
from twinbrain.learn.baselines.fit import evaluate
from twinbrain.learn.baselines.logistic import STRENGTHS, fit_logistic
from twinbrain.learn.baselines.view import see
from twinbrain.learn.metrics.score import decide
from twinbrain.learn.tasks.trials import trials_of


def test_its_decisions_are_scikit_learn_s_of_standardised_features():
    task = rates_task()
    found = fit_logistic(baseline("logistic", task), task)
    train, test = (see(task, part, "sampled").input[0].numpy() for part in (task.train, task.test))
    middle, spread = train.mean(0), train.std(0)
    model = LogisticRegression(C=STRENGTHS[found.best_epoch - 1], max_iter=10_000)
    model.fit((train - middle) / spread, task.train.target)
    seen = see(task, task.test, found.baseline.view, scale=found.baseline.scale)
    decisions = decide(found.baseline.module(seen.input), seen.scored)
    np.testing.assert_array_equal(decisions, model.predict((test - middle) / spread))


def test_the_strength_is_the_best_on_validation_trials():
    found = fit_logistic(baseline("logistic", rates_task()), rates_task())
    assert found.curves.sizes["epoch"] == len(STRENGTHS)
    best = found.curves.sel(epoch=found.best_epoch)
    assert (
        float(best["validation_score"]) == float(found.curves["validation_score"].max()) == found.scores["validation"]
    )


def test_held_out_trials_have_no_part_in_it():
    task = rates_task()
    other = replace(task, test=replace(task.test, target=1 - task.test.target % 2))
    one, same = (fit_logistic(baseline("logistic", own), own).baseline.module for own in (task, other))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))


def test_it_sees_when_spikes_came_where_there_are_no_features():
    assert fit_logistic(baseline("logistic", order_task()), order_task()).scores["test"] > 0.85


def test_a_class_that_is_never_shown_is_never_chosen():
    task = rates_task()
    known = task.train.take(np.flatnonzero(task.train.target != 1))
    found = fit_logistic(baseline("logistic", task), replace(task, train=known))
    seen = see(task, task.test, found.baseline.view, scale=found.baseline.scale)
    assert 1 not in decide(found.baseline.module(seen.input), seen.scored)
    assert evaluate(found.baseline, task, task.test) > 0.5


def test_a_regression_is_refused():
    task = integral_task()
    with pytest.raises(LearnError, match="expected a classification, found a regression"):
        fit_logistic(baseline("logistic", task, view="counts"), task)


def test_samples_are_evenly_spaced_over_what_is_data_with_its_mean():
    spikes = np.zeros((2, 9, 1), np.uint8)
    frames = np.arange(18, dtype=np.float32).reshape(2, 9, 1)
    trials = trials_of(spikes, np.zeros(2, np.int64), features=frames, n_frames=np.array([9, 4]))
    seen = see(rates_task(), trials, "sampled").input[0]
    assert seen[0].tolist() == [0, 1, 3, 4, 5, 7, 8, 4]
    one = replace(trials, features=frames[:, :1], n_frames=np.ones(2, np.int64))
    assert see(rates_task(), one, "sampled").input[0].tolist() == [[0], [9]]
    assert seen[1].tolist() == [9, 9, 10, 11, 11, 11, 12, 10.5]  # halves go to the even place


def test_without_features_samples_are_counts_of_spikes_in_parts_of_the_trial():
    task = order_task()
    seen = see(task, task.train, "sampled").input[0].reshape(-1, 8, 2)
    assert torch.equal(seen[:, :7].sum(1), seen[:, 7])
    assert torch.equal(seen[:, 7], see(task, task.train, "counts").input[0])
