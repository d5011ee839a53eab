import pytest
import torch

from twinbrain.learn.baselines.recurrent import Elman, GatedRecurrentUnit, LongShortTermMemory

N, STEPS = 8, 30


def gradients(model, input):
    """Return the norm, at each step, of the gradient of the last state with respect to the input."""
    input.requires_grad_()
    model.layer(input)[0][-1, 0, 0].backward()
    return input.grad[:, 0].norm(dim=1)


def orthogonal():
    return torch.linalg.qr(torch.randn(N, N, generator=torch.Generator().manual_seed(1), dtype=torch.float64))[0]


@pytest.mark.parametrize("radius", [0.5, 0.9, 1.1])
def test_in_an_elman_network_the_gradient_goes_with_the_powers_of_the_spectral_radius(radius):
    # About the state 0, where the slope of tanh is 1, the gradient k steps back is a row of W^k; of W = radius · Q,
    # with Q orthogonal, its norm is radius^k.
    model = Elman(N, 2, N).double()
    with torch.no_grad():
        model.layer.weight_ih_l0.copy_(torch.eye(N))
        model.layer.weight_hh_l0.copy_(radius * orthogonal())
        model.layer.bias_ih_l0.zero_()
        model.layer.bias_hh_l0.zero_()
    found = gradients(model, torch.zeros(STEPS, 1, N, dtype=torch.float64))
    back = torch.arange(STEPS - 1, -1, -1, dtype=torch.float64)
    assert torch.allclose(found, radius**back, rtol=1e-9)


def lstm(forget):
    model = LongShortTermMemory(N, 2, N).double()
    with torch.no_grad():
        model.layer.weight_hh_l0.zero_()
        for bias in (model.layer.bias_ih_l0, model.layer.bias_hh_l0):
            bias.zero_()
        model.layer.weight_ih_l0[N : 2 * N] = 0.0
        model.layer.bias_ih_l0[N : 2 * N] = torch.logit(torch.tensor(forget, dtype=torch.float64)).clamp(max=50)
    return model


def test_an_lstm_with_its_forget_gate_at_1_keeps_the_gradient_and_below_1_loses_it_as_its_powers():
    kept = gradients(lstm(1.0), torch.zeros(STEPS, 1, N, dtype=torch.float64))
    assert torch.allclose(kept, kept[-1].expand(STEPS), rtol=1e-9)
    lost = gradients(lstm(0.8), torch.zeros(STEPS, 1, N, dtype=torch.float64))
    back = torch.arange(STEPS - 1, -1, -1, dtype=torch.float64)
    assert torch.allclose(lost / lost[-1], 0.8**back, rtol=1e-9)


def test_the_forget_gate_begins_at_1():
    layer = LongShortTermMemory(3, 2, N).layer
    assert (layer.bias_ih_l0 + layer.bias_hh_l0)[N : 2 * N].tolist() == [1.0] * N


@pytest.mark.parametrize("kind", [Elman, LongShortTermMemory, GatedRecurrentUnit])
def test_an_output_depends_on_earlier_inputs_and_on_no_later_one(kind):
    model = kind(3, 2, 4)
    input = torch.randn(6, 2, 3, generator=torch.Generator().manual_seed(0))
    changed = input.clone()
    changed[3] += 1
    before, after = model(input), model(changed)
    assert before.shape == (6, 2, 2)
    assert torch.equal(before[:3], after[:3])
    assert not torch.isclose(before[3:], after[3:]).all(2).any()
