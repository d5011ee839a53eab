import math

import numpy as np
import pytest
import torch

from twinbrain.errors import LearnError
from twinbrain.learn.metrics.gradients import alignment, gradient_norms, weight_symmetry


def test_alignment_is_the_angle_between_all_parameters_taken_together():
    first = {"w": torch.tensor([[1.0, 0.0]]), "b": torch.tensor([0.0])}
    assert alignment(first, {"w": torch.tensor([[3.0, 0.0]]), "b": torch.tensor([0.0])}) == 0
    assert alignment(first, {"w": torch.tensor([[-1.0, 0.0]]), "b": torch.tensor([0.0])}) == pytest.approx(180)
    assert alignment(first, {"w": torch.tensor([[0.0, 2.0]]), "b": torch.tensor([5.0])}) == pytest.approx(90)
    assert alignment(first, {"w": torch.tensor([[1.0, 0.0]]), "b": torch.tensor([1.0])}) == pytest.approx(45)


def test_order_and_scale_of_the_parameters_do_not_matter():
    generator = torch.Generator().manual_seed(0)
    first, second = ({n: torch.randn(3, 2, generator=generator) for n in "ab"} for _ in range(2))
    turned = {name: 1e-6 * second[name] for name in "ba"}
    assert alignment(first, second) == pytest.approx(alignment(turned, first), rel=1e-6)


def test_small_angles_are_told_apart():
    assert alignment({"w": torch.tensor([1.0, 0.0])}, {"w": torch.tensor([1.0, 1e-7])}) == pytest.approx(
        math.degrees(1e-7), rel=1e-6
    )


def test_no_gradient_has_no_direction():
    assert math.isnan(alignment({"w": torch.zeros(2)}, {"w": torch.ones(2)}))


def test_gradients_of_other_parameters_are_refused():
    with pytest.raises(LearnError, match="parameters that both have"):
        alignment({"w": torch.zeros(2)}, {"v": torch.zeros(2)})


def test_the_transpose_is_symmetric_and_independent_weights_are_at_a_right_angle():
    generator = torch.Generator().manual_seed(0)
    weight, feedback = torch.randn(60, 50, generator=generator), torch.randn(50, 60, generator=generator)
    assert weight_symmetry(weight, 0.3 * weight.T) == pytest.approx(0, abs=1e-5)
    assert weight_symmetry(weight, feedback) == pytest.approx(90, abs=4)  # 3 standard deviations are 3.1 degrees
    with pytest.raises(LearnError, match="transpose it"):
        weight_symmetry(weight, weight)


def test_norms_by_step_are_those_of_the_chain_rule():
    # u' = a u, the loss is the last u: the gradient k steps back is a^k.
    for factor in (0.5, 1.5):
        state, states = torch.ones(1, 1, requires_grad=True), []
        for _ in range(6):
            states.append(state)
            state = factor * state
        found = gradient_norms(state.sum(), {"cells": states})
        assert found["norm"].dims == ("layer", "step")
        assert np.allclose(found["norm"].sel(layer="cells"), factor ** np.arange(6, 0, -1.0))


def test_norms_are_of_each_layer_over_trials_and_neurons():
    first = torch.ones(2, 3, 4, requires_grad=True)
    second = 2 * first
    found = gradient_norms((second * torch.tensor([1.0, 0.0])[:, None, None]).sum(), {"one": first, "two": second})
    assert np.allclose(found["norm"], [[2 * 12**0.5, 0], [12**0.5, 0]])


def test_a_state_that_does_not_reach_the_loss_has_no_gradient():
    used, unused = torch.ones(2, 1, 1, requires_grad=True), torch.ones(2, 1, 1, requires_grad=True)
    assert gradient_norms(used.sum(), {"unused": unused})["norm"].values.tolist() == [[0, 0]]


def test_layers_of_other_lengths_are_refused():
    one, two = torch.ones(2, 1, 1, requires_grad=True), torch.ones(3, 1, 1, requires_grad=True)
    with pytest.raises(LearnError, match="as many steps"):
        gradient_norms(one.sum() + two.sum(), {"one": one, "two": two})
