from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twinbrain.engines.exponential import exponential as shared
from twinbrain.engines.torch.functions import NAMES, bounded, exponential, functions, power, select, square_root


@given(arrays(np.float64, st.integers(1, 50), elements=st.floats(-800, 800)))
def test_the_exponential_is_to_the_bit_that_of_the_other_engines(x):
    np.testing.assert_array_equal(exponential(torch.from_numpy(x)).numpy(), shared(x))


@pytest.mark.parametrize("name", ["exponential", "relative_exponential", "logarithm", "sqrt"])
def test_functions_have_their_derivatives(name):
    x = torch.linspace(0.003, 9.0, 97, dtype=torch.float64)
    x = torch.cat([x, -x, torch.zeros(1)]) if "exponential" in name else x
    assert torch.autograd.gradcheck(functions(torch.float64)[name], x.requires_grad_(), atol=1e-6)


def test_a_power_has_its_derivatives():
    x = torch.linspace(0.1, 4.0, 20, dtype=torch.float64, requires_grad=True)
    y = torch.linspace(-2.0, 3.0, 20, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(power, (x, y))


def test_single_precision_stays_single():
    x = torch.tensor([-1.0, 0.0, 2.0])
    assert exponential(x).dtype == torch.float32
    torch.testing.assert_close(exponential(x), torch.exp(x))


def test_bounds_and_choices_pass_gradients_where_they_act():
    x = torch.tensor([-2.0, 0.5, 3.0], requires_grad=True)
    bounded(x, -1.0, 1.0).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 1.0, 0.0]
    assert select(x > 0, x, 0.0).tolist() == [0.0, 0.5, 3.0]


def test_the_square_root_is_rounded_as_numpys_and_has_its_derivative():
    x = np.abs(np.random.default_rng(0).normal(size=1000)) * 1e3
    leaf = torch.from_numpy(x).requires_grad_()
    y = square_root(leaf)
    np.testing.assert_array_equal(y.detach().numpy(), np.sqrt(x))
    y.sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy(), 0.5 / np.sqrt(x), rtol=1e-14)


N_ARGUMENTS = {"bounded": 3, "select": 3, "power": 2}


@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", NAMES)
def test_functions_take_numbers_tensors_and_conditions_in_every_place(name, precision):
    condition = torch.tensor([True, False])
    for values in product((2.0, condition.to(precision), condition), repeat=N_ARGUMENTS.get(name, 1)):
        first = values[0] > 1.0 if name in ("select", "indicator") else values[0]
        found = functions(precision)[name](first, *values[1:])
        assert found.dtype == precision
        numbers = [torch.as_tensor(value).to(precision).expand(2) for value in values]
        first = numbers[0] > 1.0 if name in ("select", "indicator") else numbers[0]
        expected = functions(precision)[name](first, *numbers[1:])
        torch.testing.assert_close(found.expand(2), expected, rtol=0, atol=0, equal_nan=True)
