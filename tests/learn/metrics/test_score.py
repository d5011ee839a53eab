import numpy as np
import pytest
import torch

from twinbrain.errors import LearnError
from twinbrain.learn.metrics.score import accuracy, decide, loss, mean_output, score


def test_steps_without_weight_are_not_read():
    output = torch.randn(7, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    scored = torch.ones(3, 7)
    scored[:, 5:] = 0
    changed = output.clone()
    changed[5:] = 1e6
    for value in (output, changed):
        assert torch.allclose(mean_output(value, scored), output[:5].mean(0))
    target = torch.tensor([0, 1, 2])
    assert loss(output, target, scored, "classification") == loss(changed, target, scored, "classification")
    wanted = torch.zeros(3, 7, 4)
    assert loss(output, wanted, scored, "regression") == loss(changed, wanted, scored, "regression")


def test_scaling_the_weights_changes_nothing():
    output = torch.randn(7, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    scored = torch.rand(3, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    target = torch.tensor([0, 1, 2])
    assert loss(output, target, 5 * scored, "classification").item() == pytest.approx(
        loss(output, target, scored, "classification").item(), rel=1e-6
    )


def test_classification_loss_is_the_negative_log_of_the_softmax():
    output = torch.tensor([[[1.0, 2.0, 3.0]], [[3.0, 2.0, 1.0]]], dtype=torch.float64)  # mean 2, 2, 2
    found = loss(output, torch.tensor([0]), torch.ones(1, 2), "classification")
    assert found.item() == pytest.approx(np.log(3), rel=1e-6)


def test_regression_loss_is_the_mean_over_steps_that_count_then_over_trials():
    output = torch.zeros(2, 2, 1)
    target = torch.tensor([[[1.0], [3.0]], [[2.0], [9.0]]])
    scored = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    assert score(output, target, scored, "regression").tolist() == [5.0, 4.0]
    assert loss(output, target, scored, "regression").item() == 4.5


def test_decision_follows_the_weighted_mean():
    output = torch.tensor([[[5.0, 0.0]], [[0.0, 3.0]]])
    assert decide(output, torch.tensor([[1.0, 1.0]])).tolist() == [0]
    assert decide(output, torch.tensor([[1.0, 2.0]])).tolist() == [1]
    assert accuracy(output, torch.tensor([1]), torch.tensor([[1.0, 2.0]])) == 1.0


def test_trials_first_is_refused():
    with pytest.raises(LearnError, match="put time first"):
        decide(torch.zeros(3, 7, 2), torch.ones(3, 7))


def test_output_without_steps_is_refused_in_a_regression():
    with pytest.raises(LearnError, match="expected shape"):
        loss(torch.zeros(1, 3, 2), torch.zeros(3, 7, 2), torch.ones(3, 1), "regression")
