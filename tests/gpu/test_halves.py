"""Products with spikes in half precision are as exact as PyTorch's in single precision."""

import pytest
import torch

from twinbrain.learn.fused import halves
from twinbrain.learn.fused.events import spike_product

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


@pytest.fixture(params=["highest", "high"])
def precision(request):
    """Set how PyTorch may round, and return it."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(request.param)
    yield request.param
    torch.set_float32_matmul_precision(before)


def drawn(size, n_rows=1000, n=1000):
    """Return spikes, and a matrix whose numbers are about so large."""
    generator = torch.Generator("cuda").manual_seed(2)
    spikes = (torch.rand(10, n_rows // 10, n, device="cuda", generator=generator) < 0.2).float()
    return spikes, torch.randn(n, n + 200, device="cuda", generator=generator) * size


def error(found, exact):
    return float((found.double() - exact).norm() / exact.norm())


@pytest.mark.parametrize("size", [1e-30, 1e-9, 0.02, 1.0, 3e4, 1e30])
def test_a_product_is_as_exact_whatever_the_size_of_weights(precision, size):
    spikes, weight = drawn(size)
    assert halves.pays(1000, weight)
    exact = spikes.double() @ weight.double()
    assert error(spike_product(spikes, weight), exact) < 1.1 * error(spikes @ weight, exact)


def test_gradients_are_as_exact(precision):
    spikes, weight = drawn(0.02)
    seed = torch.randn(10, 100, 1200, device="cuda") * 1e-7
    weight.requires_grad_()
    (found,) = torch.autograd.grad(spike_product(spikes, weight), weight, seed)
    (plain,) = torch.autograd.grad(spikes @ weight, weight, seed)
    (exact,) = torch.autograd.grad(spikes.double() @ weight.double(), weight, seed.double())
    assert error(found, exact) < 1.1 * error(plain, exact)


def test_numbers_far_below_the_largest_keep_their_digits():
    spikes, weight = drawn(1e-4)
    weight[0] = 1.0
    spikes[:, :, 0] = 0.0
    exact = spikes.double() @ weight.double()
    assert error(spike_product(spikes, weight), exact) < 1e-6


def test_zeros_stay_so():
    spikes, weight = drawn(0.0)
    assert (spike_product(spikes, weight) == 0.0).all()


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_what_is_no_number_is_not_hidden(value):
    spikes, weight = drawn(1.0)
    weight[:, 3] = value
    assert spike_product(spikes, weight).isnan().all()
