import pytest
import torch

import twinbrain as tb
from tests.learn.fused.programs import example
from twinbrain.learn.fused.chunk import advance_chunk
from twinbrain.learn.fused.stepwise import surrogate_step
from twinbrain.learn.fused.surrogates import surrogate_function
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.models.step import step_program

pytestmark = pytest.mark.usefixtures("small_units")


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
    total = sum((torch.randn(x.shape, generator=generator, dtype=torch.float64).to(x) * x).sum() for x in outputs)
    return torch.autograd.grad(total, tensors, allow_unused=True, materialize_grads=True)


def relative_error(found, expected):
    return float((found - expected).norm() / expected.norm().clamp(min=1e-300))


def compare(name, dtype, wanted):
    """Return what both give, and the relative errors of the gradients."""
    return compare_program(*example(name, 70, dtype=dtype), dtype, wanted)


def compare_program(program, state, constants, arrived, dtype, wanted=()):
    for tensor in (*state.values(), *(constants[key] for key in wanted), arrived):
        tensor.requires_grad_()
    scale = {"_scale": torch.tensor(7.0, dtype=dtype)}
    arguments = (program, "atan", 1.0, state, constants | scale, arrived, ("v",))
    found, expected = advance_chunk(*arguments), loop(*arguments)
    tensors = [state[key] for key in state if key != "refractory_left"]
    tensors += [*(constants[key] for key in wanted), arrived]
    pairs = zip(gradients(found, tensors), gradients(expected, tensors), strict=True)
    return found, expected, [relative_error(one, other) for one, other in pairs]


def test_steps_in_one_kernel_are_the_step_loop_in_value_and_gradient():
    found, (state, spikes, observed), errors = compare("lif_current", torch.float64, ("k3", "k5", "V_th", "V_reset"))
    assert spikes.sum() > 20
    assert torch.equal(found.spikes, spikes)
    assert torch.equal(found.observed["v"], observed["v"])
    assert all(torch.equal(found.state[variable], state[variable]) for variable in state)
    assert max(errors) < 1e-10


@pytest.mark.slow
def test_in_single_precision_they_are_so_within_it():
    found, (_, spikes, _), errors = compare("alif", torch.float32, ("k1", "beta"))
    assert spikes.sum() > 20
    assert found.spikes.dtype == torch.float32
    assert torch.equal(found.spikes, spikes)
    assert max(errors) < 1e-4


@pytest.mark.slow
def test_variables_may_have_the_names_of_what_the_kernels_handle():
    names = ("spikes", "seen", "feedback", "spike", "seen_v", "next_v", "gradient_v")
    model = tb.NeuronModel(
        equations="\n".join(
            (
                f"dv/dt = (1.5 - v - 0.1*({' + '.join(names)}))/tau : 1",
                *(f"d{name}/dt = ({i + 1}*0.1*v - {name})/tau : 1" for i, name in enumerate(names)),
                "tau : second",
            )
        ),
        threshold="v > 0.5",
        reset="v = 0; spike += 0.1",
        method="euler",
    )
    program = step_program(model, {"delta": RECEPTOR_MODELS["delta"]})
    random = torch.Generator().manual_seed(0)
    state = {name: torch.rand((2, 5), generator=random, dtype=torch.float64) for name in program.state}
    constants = {name: torch.full((5,), 0.1, dtype=torch.float64) for name in program.constants}
    arrived = torch.rand((30, 2, 1, 5), generator=random, dtype=torch.float64)
    found, (after, spikes, _), errors = compare_program(program, state, constants, arrived, torch.float64)
    assert spikes.sum() > 20
    assert torch.equal(found.spikes, spikes)
    assert all(torch.equal(found.state[variable], after[variable]) for variable in after)
    assert max(errors) < 1e-10


def test_a_variable_that_the_model_has_not_is_named():
    program, state, constants, arrived = example("alif", 1)
    with pytest.raises(tb.LearnError, match="state variables to observe among v, a, refractory_left, found 'w'"):
        advance_chunk(program, "atan", None, state, constants, arrived, ("w",))


def test_a_device_without_kernels_is_named():
    program, state, constants, arrived = example("alif", 1)
    state = {name: value.to("meta") for name, value in state.items()}
    constants = {name: value.to("meta") for name, value in constants.items()}
    with pytest.raises(tb.LearnError, match="on a CPU or a CUDA device for fused steps, found 'meta'"):
        advance_chunk(program, "atan", None, state, constants, arrived.to("meta"))
