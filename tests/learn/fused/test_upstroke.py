from dataclasses import replace

import pytest
import torch

from tests.learn.fused.programs import NAMES, example
from twinbrain.engines.torch.functions import exponential
from twinbrain.engines.torch.render import render
from twinbrain.learn.fused.stepwise import surrogate_step
from twinbrain.learn.fused.surrogates import surrogate_function
from twinbrain.learn.fused.upstroke import upstroke, with_upstroke
from twinbrain.models.algebra import Statement


def test_its_values_are_the_exponential_s_and_its_derivative_that_below_zero():
    x = torch.linspace(-20.0, 20.0, 41, dtype=torch.float64, requires_grad=True)
    y = upstroke(x)
    assert torch.equal(y, exponential(x))
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert torch.equal(slope, torch.where(x > 0.0, 1.0, y))


@pytest.mark.parametrize("name", NAMES)
def test_exponential_neurons_alone_have_one(name):
    texts = [str(statement) for statement in with_upstroke(example(name, 1)[0]).integrate]
    assert any("upstroke(" in text for text in texts) == (name in ("adex", "eif"))


def test_it_is_found_in_one_expression_as_in_two():
    program, *_ = example("lif_current", 1)
    text = "exponential(v) + exponential(bounded(v, -1.0, 2.0))*inbox_x*quantum_x"
    changed = with_upstroke(replace(program, integrate=(Statement("v", text),)))
    assert changed.integrate[0].expression == text.replace("exponential(bounded", "upstroke(bounded")
    twice = (Statement("_t0", "bounded(v, -1.0, 2.0)"), Statement("_t0", "2.0*v"), Statement("v", "exponential(_t0)"))
    assert with_upstroke(replace(program, integrate=twice)).integrate == twice


@pytest.mark.parametrize("name", ["adex", "eif"])
def test_no_gradient_grows_in_the_upstroke(name):
    """That of the exact step does, by more than ten times, as the last step before a spike shows."""
    program, state, constants, arrived = example(name, 120)
    step, exact = surrogate_step(program, surrogate_function("atan")), render(program)
    largest = {"upstroke": 0.0, "exact": 0.0}
    n_spikes = 0
    for given in arrived:
        now = dict(zip(program.jumps, given.unbind(1), strict=True))
        before = state | {"v": state["v"].clone().requires_grad_()}
        state, spikes = step(before, constants, now)
        silent, _ = render(replace(program, threshold="v > 1e9"))(before, constants, now)
        for kind, after in (("upstroke", state), ("exact", silent)):
            (slope,) = torch.autograd.grad(after["v"].sum(), before["v"], retain_graph=True)
            largest[kind] = max(largest[kind], float(slope.abs().max()))
        expected, _ = exact(before, constants, now)
        assert torch.equal(state["v"], expected["v"])
        state = {key: value.detach() for key, value in state.items()}
        n_spikes += int(spikes.sum())
    assert n_spikes > 10
    assert largest["exact"] > 10.0
    assert largest["upstroke"] <= 1.0
