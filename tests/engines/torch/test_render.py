from dataclasses import replace

import pytest
import torch

import twinbrain as tb
from tests.examples import build_region, two_population_region
from twinbrain.engines.torch import render
from twinbrain.models.algebra import Statement


@pytest.fixture(scope="module")
def block():
    """The block of adaptive exponential neurons with four receptors."""
    return next(b for b in build_region(two_population_region()).blocks if b.name == "adex")


def tensors(values):
    return {name: torch.as_tensor(array) for name, array in values.items()}


def test_a_function_that_torch_cannot_render_is_named(block):
    program = replace(block.program, integrate=(*block.program.integrate, Statement("v", "v + bessel(v)")))
    with pytest.raises(tb.EngineError, match=r"one of the functions exponential, .*, found bessel\(…\) in 'v \+"):
        render(program)


def test_a_step_leaves_its_arguments_as_they_are(block):
    state, constants = tensors(block.initial), tensors(block.constants)
    before = {name: value.clone() for name, value in state.items()}
    render(block.program)(state, constants, {name: torch.ones(block.size) for name in block.program.jumps})
    assert all(torch.equal(state[name], value) for name, value in before.items())


def test_conditions_within_a_reset_are_those_of_every_neuron(block):
    within = "indicator((v > -55.0) and not (w > 2.0))"
    program = replace(block.program, threshold="w > 0.5", reset=(Statement("_t9", within), Statement("w", "w + _t9")))
    w = torch.arange(block.size, dtype=torch.float64) % 4.0
    v = torch.where(torch.arange(block.size) % 3 > 0, -50.0, -60.0).double()
    state = tensors(block.initial) | {"v": v, "w": w, "refractory_left": torch.zeros_like(v)}
    arrived = {name: torch.zeros(block.size) for name in block.program.jumps}
    still = replace(program, integrate=())
    after, _ = render(still)(state, tensors(block.constants), arrived)
    assert torch.equal(after["w"], w + ((w > 0.5) & (v > -55.0) & ~(w > 2.0)))


def test_gradients_are_finite_through_spikes_and_refractoriness(block):
    """The exponential of a neuron driven far beyond its peak saturates; nothing undefined comes of it."""
    step = render(block.program)
    state, constants = tensors(block.initial), tensors(block.constants)
    weight = torch.full((block.size,), 30.0, dtype=torch.float64, requires_grad=True)
    n_spikes = 0
    for n in range(60):
        arrived = {name: weight * float(n % 2 == 0) for name in block.program.jumps}
        state, spiked = step(state, constants, arrived)
        n_spikes += int(spiked.sum())
        assert not (spiked & (state["refractory_left"] == 0)).any()
    assert n_spikes > block.size
    total = sum(value.sum() for value in state.values())
    (gradient,) = torch.autograd.grad(total, weight)
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() > 0


def test_a_refractory_neuron_takes_no_part_in_the_gradient_of_its_potential(block):
    step = render(block.program)
    state = tensors(block.initial) | {"refractory_left": torch.full((block.size,), 5.0, dtype=torch.float64)}
    weight = torch.ones(block.size, dtype=torch.float64, requires_grad=True)
    after, spiked = step(state, tensors(block.constants), dict.fromkeys(block.program.jumps, weight))
    assert not spiked.any()
    assert torch.equal(after["v"], state["v"])
    (gradient,) = torch.autograd.grad(after["v"].sum(), weight)
    assert gradient.eq(0).all()
