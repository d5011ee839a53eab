import numpy as np
import pytest
import torch

from tests.learn.small import integral_task, order_task, rates_task
from twinbrain.errors import LearnError
from twinbrain.learn.baselines.baseline import BASELINES, Baseline, baseline
from twinbrain.learn.baselines.fit import dropped, evaluate, fit
from twinbrain.learn.baselines.mlp import MultilayerPerceptron
from twinbrain.learn.baselines.view import see
from twinbrain.learn.metrics.score import accuracy, loss


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_learns(name):
    task = rates_task()
    found = fit(baseline(name, task, n_parameters=1000), task, epochs=30, learning_rate=0.01, patience=30)
    # 48 held-out trials: guessing gives more than 31 right with a probability below 1e-5.
    assert found.scores["test"] > 0.65


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "cnn"])
def test_memory_tells_what_came_first(name):
    task = order_task()
    found = fit(baseline(name, task, n_parameters=600), task, epochs=60, learning_rate=0.02, patience=60)
    assert found.scores["test"] > 0.85


def test_counts_do_not_tell_what_came_first():
    task = order_task()
    found = fit(baseline("mlp-relu", task, n_parameters=600), task, epochs=10, learning_rate=0.02)
    assert found.scores["test"] == 0.5  # all trials look the same, so all get the same answer


def test_a_regression_is_learned():
    task = integral_task()
    found = fit(baseline("gru", task, n_parameters=400), task, epochs=30, learning_rate=0.02)
    assert found.scores["test"] < 0.1 * task.chance


def test_the_same_seed_gives_the_same_fit_and_leaves_the_random_numbers_of_the_process_alone():
    task = rates_task()

    def once(seed):
        return fit(baseline("mlp-relu", task, n_parameters=300), task, epochs=3, seed=seed)

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = once(1), once(1), once(2)
    assert torch.equal(torch.rand(3), expected)
    assert one.curves.identical(same.curves)
    assert one.scores == same.scores
    assert not one.curves.identical(other.curves)


def test_scores_are_those_of_the_best_epoch():
    task = rates_task()
    found = fit(baseline("mlp-tanh", task, n_parameters=300), task, epochs=12, learning_rate=0.05, patience=12)
    best = found.curves.sel(epoch=found.best_epoch)
    assert found.scores["validation"] == best.validation_score
    assert best.validation_score == found.curves.validation_score.max()
    seen = see(task, task.validation, found.baseline.view, scale=found.baseline.scale)
    output = found.baseline.module(seen.input)
    assert accuracy(output, seen.target, seen.scored) == pytest.approx(found.scores["validation"])
    assert loss(output, seen.target, seen.scored, "classification").item() == pytest.approx(float(best.validation_loss))


def test_it_stops_when_the_validation_trials_get_no_better():
    task = rates_task()
    noise = np.random.default_rng(0).permutation(task.validation.target)
    task.validation.target[:] = noise  # what is learned does not help with these
    found = fit(baseline("mlp-relu", task, n_parameters=1000), task, epochs=300, learning_rate=0.03, patience=4)
    assert len(found.curves.epoch) == found.best_epoch + 4 < 300


def test_what_is_left_out_keeps_the_mean_and_only_while_training():
    module, input = MultilayerPerceptron(6, 3, 64), torch.rand(1, 2000, 6)
    expected = module(input)
    with dropped(module, 0.5, torch.Generator().manual_seed(0)):
        found = module(input)
    assert not torch.equal(found, expected)
    assert torch.allclose(found.mean((0, 1)), expected.mean((0, 1)), atol=0.02)
    assert torch.equal(module(input), expected)


@pytest.mark.parametrize("setting", [{"input_noise": 0.5}, {"dropout": 0.5}, {"weight_decay": 1.0}])
def test_noise_dropout_and_decay_change_what_is_learned_and_not_how_it_is_scored(setting):
    task = rates_task()
    plain, one, same = (
        fit(baseline("lstm", task, n_parameters=600), task, epochs=3, seed=2, **own) for own in ({}, setting, setting)
    )
    assert one.curves.identical(same.curves)
    assert not one.curves["train_loss"].equals(plain.curves["train_loss"])
    assert evaluate(one.baseline, task, task.validation) == one.scores["validation"]


@pytest.mark.parametrize("setting", [{"input_noise": -1.0}, {"dropout": 1.0}, {"weight_decay": -0.1}])
def test_settings_that_make_no_sense_are_refused(setting):
    with pytest.raises(LearnError, match="expected finite input_noise and weight_decay of at least 0 and a dropout"):
        fit(baseline("mlp-relu", rates_task()), rates_task(), **setting)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_parameters():
    task = rates_task()
    found = baseline("mlp-relu", task, n_parameters=300)
    task.train.features[40] = np.nan
    with pytest.raises(LearnError, match="epoch 1, first in the gradient of hidden"):
        fit(found, task)
    assert all(torch.isfinite(p).all() for p in found.module.parameters())


def test_a_task_without_validation_trials_is_refused():
    task = rates_task(n_trials=(9, 0, 9))
    with pytest.raises(LearnError, match="validation: expected trials"):
        fit(baseline("perceptron", task), task)


def test_a_model_of_ones_own_is_trained_alike():
    task = rates_task()
    mine = Baseline("mine", MultilayerPerceptron(6, 3, 16, n_layers=2), "counts")
    assert fit(mine, task, epochs=30, learning_rate=0.01).scores["train"] == evaluate(mine, task, task.train) > 0.65
