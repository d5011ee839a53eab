import pytest
import torch

import twinbrain as tb
from tests.learn.fused.programs import NAMES, example
from tests.learn.fused.test_chunk import relative_error
from twinbrain.engines.torch.functions import exponential, functions
from twinbrain.learn.fused.adjoint import SCALE, SLOPE, SPIKE_GRADIENT, differentiate, expression_of, gradient_of
from twinbrain.learn.fused.operations import Operation, Operations, read_operations
from twinbrain.learn.fused.stepwise import surrogate_step
from twinbrain.learn.fused.surrogates import SURROGATES, surrogate_function

SHAPE = (3, 12)


def relative_slope(x, y):
    near = x.abs() < 1e-2
    series = 0.5 + x / 3.0 + x * x / 8.0 + x * x * x / 30.0
    return torch.where(near, series, (exponential(x) - y) / torch.where(near, 1.0, x))


def evaluate(operations, adjoint, values):
    """Return the gradients that an adjoint gives, computed on tensors."""
    values = functions(torch.float64) | {"relative_slope": relative_slope} | values
    for operation in operations:
        values[operation.target] = eval(expression_of(operation), values)
    for statement in adjoint.statements:
        values[statement.target] = eval(statement.expression, values)
    return {name: eval(text, values) * torch.ones(SHAPE) for name, text in adjoint.gradients.items()}


@pytest.mark.parametrize("name", NAMES)
def test_the_adjoint_of_a_step_is_its_derivative_by_pytorch(name):
    """After some steps, with spikes and neurons that are refractory among them."""
    program, state, constants, arrived = example(name, 25)
    generator = torch.Generator().manual_seed(4)
    step = surrogate_step(program, surrogate_function("atan", 3.0))
    constants = {key: value.expand(SHAPE) for key, value in constants.items()}
    given = [dict(zip(program.jumps, now.unbind(1), strict=True)) for now in arrived]
    for now in given[:-1]:
        state, _ = step(state, constants, now)
    names = [variable for variable in state if variable != "refractory_left"]
    inputs = {variable: state[variable] for variable in names} | constants
    inputs |= {f"_arrived_{receptor}": value for receptor, value in given[-1].items()}
    inputs = {key: value.clone().requires_grad_() for key, value in inputs.items()}
    scale = torch.tensor(4.0, dtype=torch.float64)
    arriving = {receptor: inputs[f"_arrived_{receptor}"] for receptor in program.jumps}
    before = state | {n: inputs[n] for n in names}
    new, spikes = step(before, {k: inputs[k] for k in constants} | {"_scale": scale}, arriving)
    seeds = {gradient_of(n): torch.randn(SHAPE, generator=generator, dtype=torch.float64) for n in names}
    seeds[SPIKE_GRADIENT] = torch.randn(SHAPE, generator=generator, dtype=torch.float64)
    total = sum((seeds[gradient_of(n)] * new[n]).sum() for n in names) + (seeds[SPIKE_GRADIENT] * spikes).sum()
    expected = torch.autograd.grad(total, list(inputs.values()), allow_unused=True, materialize_grads=True)
    operations = read_operations(program)
    adjoint = differentiate(operations, tuple(inputs), SURROGATES["atan"])
    with torch.no_grad():
        found = evaluate(operations.operations, adjoint, state | inputs | seeds | {SCALE: scale, SLOPE: 3.0})
    for key, gradient in zip(inputs, expected, strict=True):
        assert relative_error(found[key], gradient) < 1e-12, key


@pytest.mark.parametrize(
    ("name", "n_operands"),
    [
        *(("+", 2), ("-", 2), ("*", 2), ("/", 2), ("power", 2), ("bounded", 3), ("negative", 1), ("exponential", 1)),
        *(("relative_exponential", 1), ("logarithm", 1), ("reciprocal", 1), ("abs", 1), ("sqrt", 1), ("sin", 1)),
        *(("cos", 1), ("tan", 1)),
    ],
)
def test_every_operation_is_differentiated(name, n_operands):
    """Also at 0, beyond bounds, and near 0 where a series stands for the function."""
    generator = torch.Generator().manual_seed(5)
    operands = ("x", "y", "z")[:n_operands]
    values = {o: 0.2 + torch.rand(SHAPE, generator=generator, dtype=torch.float64) for o in operands}
    if name in ("relative_exponential", "abs", "bounded"):
        values["x"] = torch.linspace(-1.0, 1.0, values["x"].numel(), dtype=torch.float64).reshape(SHAPE)
    if name == "bounded":
        values |= {"y": torch.full(SHAPE, -0.3, dtype=torch.float64), "z": torch.full(SHAPE, 0.4, dtype=torch.float64)}
    if name == "power":
        values["x"][0, 0] = 0.0
    operation = Operation("value", name, operands)
    step = Operations((operation,), {"v": "value"}, spiked="", margin="value", gate=None)
    adjoint = differentiate(step, (*operands, "v"), SURROGATES["atan"])
    seed = torch.rand(SHAPE, generator=generator, dtype=torch.float64)
    taken = {o: value.requires_grad_() for o, value in values.items()}
    total = (seed * eval(expression_of(operation), functions(torch.float64) | taken)).sum()
    expected = torch.autograd.grad(total, list(taken.values()))
    given = {gradient_of("v"): seed, SPIKE_GRADIENT: 0.0, SCALE: 1.0, SLOPE: 1.0}
    with torch.no_grad():
        found = evaluate((operation,), adjoint, taken | given)
    for operand, gradient in zip(operands, expected, strict=True):
        assert relative_error(found[operand], gradient) < 1e-12


@pytest.mark.parametrize("name", sorted(set(SURROGATES) - {"triangle"}))
def test_surrogates_are_those_of_snntorch(name):
    import snntorch.surrogate

    arguments = {"atan": {"alpha": 3.0}, "straight_through_estimator": {}, "heaviside": {}}
    reference = getattr(snntorch.surrogate, name)(**arguments.get(name, {"slope": 3.0}))
    slope = 1.0 if name in ("straight_through_estimator", "heaviside") else 3.0
    x = torch.linspace(-2.0, 2.0, 41).requires_grad_()
    (expected,) = torch.autograd.grad(reference(x).sum(), x)
    (found,) = torch.autograd.grad(surrogate_function(name, slope)(x).sum(), x)
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_an_unknown_surrogate_is_named():
    with pytest.raises(tb.LearnError, match=r"one of atan, .*, found 'step'"):
        surrogate_function("step")
