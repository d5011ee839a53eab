import pytest
import torch

import twinbrain as tb
from tests.learn.fused.programs import example
from tests.learn.fused.test_chunk import gradients, relative_error
from twinbrain.learn.fused import numba_kernels
from twinbrain.learn.fused.recurrent import Recurrence, advance_recurrent
from twinbrain.learn.fused.stepwise import surrogate_step
from twinbrain.learn.fused.surrogates import surrogate_function

pytestmark = pytest.mark.usefixtures("small_units")

N_STEPS = 30


def loop(program, surrogate, slope, state, constants, given, recurrences, observe, past):
    """Return what `advance_recurrent` gives, by one step after the other."""
    step = surrogate_step(program, surrogate_function(surrogate, slope))
    receptors = list(program.jumps)
    spikes, seen = list(past), {name: [] for name in observe}
    for now in given:
        arrived = list(now.unbind(1))
        for receptor, delay, weight in recurrences:
            if len(spikes) > delay:
                k = receptors.index(receptor)
                arrived[k] = arrived[k] + spikes[-delay - 1] @ weight
        state, spiked = step(state, constants, dict(zip(receptors, arrived, strict=True)))
        spikes.append(spiked)
        for name in observe:
            seen[name].append(state[name])
    return state, torch.stack(spikes[len(past) :]), {name: torch.stack(values) for name, values in seen.items()}


@pytest.fixture(scope="module")
def case():
    program, state, constants, given = example("lif_current", N_STEPS)
    generator = torch.Generator().manual_seed(3)
    n_trials, n = state["v"].shape

    def drawn(size):
        return (torch.randn(n, n, generator=generator, dtype=torch.float64) * size).requires_grad_()

    recurrences = (
        Recurrence("exponential_current", 2, drawn(100.0)),
        Recurrence("alpha_current", 1, drawn(200.0)),
        Recurrence("alpha_current", 40, drawn(200.0)),
    )
    past = (torch.rand(9, n_trials, n, generator=generator, dtype=torch.float64) < 0.1).double().requires_grad_()
    return program, state, constants, given.requires_grad_(), recurrences, past


@pytest.fixture(params=[0, 768], ids=["in chunks", "through all steps"])
def near(request, monkeypatch):
    monkeypatch.setattr(numba_kernels, "_NEAR", request.param)
    monkeypatch.setattr(numba_kernels, "_GROUPS", 3)


def test_a_recurrent_block_is_the_step_loop_in_value_and_gradient(case, near):
    program, state, constants, given, recurrences, past = case
    arguments = (program, "fast_sigmoid", 2.0, state, constants, given, recurrences, ("v",), past)
    found, expected = advance_recurrent(*arguments), loop(*arguments)
    assert expected[1].sum() > 20
    assert torch.equal(found.spikes, expected[1])
    assert torch.allclose(found.observed["v"], expected[2]["v"], rtol=1e-12)
    tensors = [given, past, *(r.weight for r in recurrences[:2])]
    for one, other in zip(gradients(found, tensors), gradients(expected, tensors), strict=True):
        assert relative_error(one, other) < 1e-10


def test_a_gradient_that_is_one_for_all_steps_passes_as_one_for_each(case, near):
    program, state, constants, given, recurrences, past = case
    arguments = (program, "fast_sigmoid", 2.0, state, constants, given, recurrences, ("v",), past)
    weights = [r.weight for r in recurrences[:2]]
    # The gradient of a sum is one number expanded over steps.
    found, expected = (run(*arguments)[1].sum(0).square().sum() for run in (advance_recurrent, loop))
    for one, other in zip(
        torch.autograd.grad(found, [given, *weights]), torch.autograd.grad(expected, [given, *weights]), strict=True
    ):
        assert relative_error(one, other) < 1e-10


def test_gradients_do_not_depend_on_the_number_of_threads(case):
    program, state, constants, given, recurrences, past = case
    tensors = [given, past, *(r.weight for r in recurrences[:2])]

    def found(n_threads):
        torch.set_num_threads(n_threads)
        return gradients(
            advance_recurrent(program, "fast_sigmoid", 2.0, state, constants, given, recurrences, ("v",), past), tensors
        )

    for one, other in zip(found(1), found(2), strict=True):
        assert torch.equal(one, other)


def test_synapses_onto_no_receptor_of_the_block_are_named(case):
    program, state, constants, given, recurrences, _ = case
    wrong = (recurrences[0]._replace(receptor="ampa"),)
    with pytest.raises(tb.LearnError, match=r"receptors alpha_current, exponential_current.*found receptor 'ampa'"):
        advance_recurrent(program, "atan", None, state, constants, given, wrong)
