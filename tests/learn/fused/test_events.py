import pytest
import torch

from twinbrain.learn.fused.events import spike_product


@pytest.mark.parametrize("rate", [0.03, 0.5])
@pytest.mark.parametrize("late", [0, 1, 4, 9])
def test_a_product_by_events_is_the_product_of_earlier_spikes_in_value_and_gradient(rate, late):
    generator = torch.Generator().manual_seed(2)
    spikes = (torch.rand(9, 4, 30, generator=generator) < rate).double().requires_grad_()
    weight = torch.randn(30, 7, generator=generator, dtype=torch.float64).requires_grad_()
    seed = torch.randn(9, 4, 7, generator=generator, dtype=torch.float64)
    found = spike_product(spikes, weight, late)
    expected = torch.cat([torch.zeros(late, 4, 7, dtype=torch.float64), spikes[: 9 - late] @ weight])
    assert torch.allclose(found, expected, rtol=1e-12)
    for one, other in zip(
        torch.autograd.grad((seed * found).sum(), (spikes, weight)),
        torch.autograd.grad((seed * expected).sum(), (spikes, weight)),
        strict=True,
    ):
        assert torch.allclose(one, other, rtol=1e-12)
