import pytest
import torch

from tests.learn.fused.programs import NAMES, example
from twinbrain.learn.fused.chunk import advance_chunk
from twinbrain.learn.fused.stepwise import surrogate_step
from twinbrain.learn.fused.surrogates import surrogate_function


def loop(program, surrogate, slope, state, constants, arrived, observe):
    """Return what `advance_chunk` gives, by one step after the other."""
    step = surrogate_step(program, surrogate_function(surrogate, slope))
    spikes, observed = [], {name: [] for name in observe}
    for given in arrived:
        state, spiked = step(state, constants, dict(zip(program.jumps, given.unbind(1), strict=True)))
        spikes.append(spiked)
        for name in observe:
            observed[name].append(state[name])
    return state, torch.stack(spikes), {name: torch.stack(values) for name, values in observed.items()}


def gradients(found, tensors, seed=0):
    """Return the gradients of a random sum of all that was found."""
    generator = torch.Generator().manual_seed(seed)
    state, spikes, observed = found
    outputs = [*(value for name, value in state.items() if name != "refractory_left"), spikes, *observed.values()]
    total = sum((torch.randn(x.shape, generator=generator, dtype=torch.float64).to(x.dtype) * x).sum() for x in outputs)
    return torch.autograd.grad(total, tensors, allow_unused=True, materialize_grads=True)


def relative_error(found, expected):
    return float((found - expected).norm() / expected.norm().clamp(min=1e-300))


@pytest.mark.parametrize("name", NAMES)
def test_steps_in_one_kernel_are_the_step_loop_in_value_and_gradient(name):
    n_steps = 40
    program, state, constants, arrived = example(name, n_steps)
    scale = {"_scale": torch.tensor(7.0, dtype=torch.float64)}
    for tensor in (*state.values(), *constants.values(), arrived):
        tensor.requires_grad_()
    arguments = (program, "atan", 1.0, state, constants | scale, arrived, ("v",))
    found, expected = advance_chunk(*arguments), loop(*arguments)
    assert expected[1].sum() > 10
    assert torch.equal(found.spikes, expected[1])
    assert torch.equal(found.observed["v"], expected[2]["v"])
    assert all(torch.equal(found.state[variable], expected[0][variable]) for variable in program.state)
    names = [variable for variable in state if variable != "refractory_left"]
    tensors = [*(state[variable] for variable in names), *constants.values(), arrived]
    for label, one, other in zip(
        (*names, *constants, "arrived"), gradients(found, tensors), gradients(expected, tensors), strict=True
    ):
        assert relative_error(one, other) < 1e-10, label
