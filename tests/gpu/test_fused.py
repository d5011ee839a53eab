"""Steps in one kernel on a GPU are the step loop there, in value and gradient."""

import pytest
import torch

from tests.learn.fused.programs import NAMES, example
from tests.learn.fused.test_chunk import gradients, loop, relative_error
from tests.learn.fused.test_recurrent import loop as recurrent_loop
from twinbrain.learn.fused.chunk import advance_chunk
from twinbrain.learn.fused.recurrent import Recurrence, advance_recurrent

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


def on_gpu(name, dtype):
    """Return the example on the GPU, all of it with gradients."""
    program, state, constants, arrived = example(name, 70, dtype=dtype)
    state = {key: value.cuda().requires_grad_() for key, value in state.items()}
    constants = {key: value.cuda().requires_grad_() for key, value in constants.items()}
    return program, state, constants, arrived.cuda().requires_grad_()


@pytest.mark.parametrize("name", NAMES)
def test_steps_in_one_kernel_are_the_step_loop(name):
    program, state, constants, arrived = on_gpu(name, torch.float64)
    arguments = (program, "atan", 1.7, state, constants, arrived, ("v",))
    found, expected = advance_chunk(*arguments), loop(*arguments)
    assert expected[1].sum() > 10
    assert torch.equal(found.spikes, expected[1])
    assert torch.equal(found.observed["v"], expected[2]["v"])
    tensors = [*(state[key] for key in state if key != "refractory_left"), *constants.values(), arrived]
    for one, other in zip(gradients(found, tensors), gradients(expected, tensors), strict=True):
        assert relative_error(one, other) < 1e-9


def test_in_single_precision_they_are_so_within_it():
    program, state, constants, arrived = on_gpu("alif", torch.float32)
    arguments = (program, "atan", 1.7, state, constants, arrived, ("v",))
    found, expected = advance_chunk(*arguments), loop(*arguments)
    assert torch.equal(found.spikes, expected[1])
    tensors = [state["v"], constants["beta"], arrived]
    for one, other in zip(gradients(found, tensors), gradients(expected, tensors), strict=True):
        assert relative_error(one, other) < 1e-4


def test_a_recurrent_block_is_the_step_loop():
    program, state, constants, given = on_gpu("lif_current", torch.float64)
    generator = torch.Generator().manual_seed(3)
    n_trials, n = state["v"].shape
    weight = (torch.randn(n, n, generator=generator, dtype=torch.float64) * 100.0).cuda().requires_grad_()
    recurrences = (Recurrence("exponential_current", 2, weight), Recurrence("alpha_current", 1, weight))
    past = torch.zeros(3, n_trials, n, dtype=torch.float64, device="cuda")
    arguments = (program, "atan", 1.0, state, constants, given, recurrences, ("v",), past)
    found, expected = advance_recurrent(*arguments), recurrent_loop(*arguments)
    assert torch.equal(found.spikes, expected[1])
    tensors = [given, weight, constants["k5"]]
    for one, other in zip(gradients(found, tensors), gradients(expected, tensors), strict=True):
        assert relative_error(one, other) < 1e-9
