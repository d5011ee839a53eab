"""The adjoint of a step: how the gradient of what a step gives becomes that of what it takes.

Every operation of the step is differentiated by a rule, in reverse (A. Griewank and A. Walther, Evaluating Derivatives,
2008, DOI 10.1137/1.9780898717761, chapter 3). The spike's derivative is a surrogate's, also where the spike adds to the
neuron's own state; the choice that resets the membrane potential is taken as it was, as snnTorch takes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twinbrain.learn.fused.operations import Operation, Operations, is_number
from twinbrain.learn.fused.surrogates import Surrogate
from twinbrain.learn.fused.upstroke import UPSTROKE
from twinbrain.models.algebra import Statement, renamed

SCALE, SLOPE, SPIKE_GRADIENT = "_scale", "_slope", "_gradient_spike"

# For each operation, what each operand gets of the gradient g of the result y.
_RULES: dict[str, Callable[..., tuple[str, ...]]] = {
    "+": lambda g, y, a, b: (g, g),
    "-": lambda g, y, a, b: (g, f"(-{g})"),
    "*": lambda g, y, a, b: (f"{g}*{b}", f"{g}*{a}"),
    "/": lambda g, y, a, b: (f"{g}/{b}", f"(-{g}*{y}/{b})"),
    "negative": lambda g, y, a: (f"(-{g})",),
    "exponential": lambda g, y, x: (f"{g}*{y}",),
    UPSTROKE: lambda g, y, x: (f"{g}*select({x} > 0.0, 1.0, {y})",),
    "relative_exponential": lambda g, y, x: (f"{g}*relative_slope({x}, {y})",),
    "logarithm": lambda g, y, x: (f"{g}/{x}",),
    "power": lambda g, y, a, b: (
        f"select({a} == 0.0, 0.0, {g}*{y}*{b}/select({a} == 0.0, 1.0, {a}))",
        f"select({a} == 0.0, 0.0, {g}*{y}*logarithm(select({a} == 0.0, 1.0, abs({a}))))",
    ),
    "reciprocal": lambda g, y, x: (f"(-{g}*{y}*{y})",),
    "select": lambda g, y, c, a, b: ("", f"select({c}, {g}, 0.0)", f"select({c}, 0.0, {g})"),
    "bounded": lambda g, y, x, low, high: (
        f"select(({x} > {high}) | ({x} < {low}), 0.0, {g})",
        f"select(({x} < {low}) & ({x} <= {high}), {g}, 0.0)",
        f"select({x} > {high}, {g}, 0.0)",
    ),
    "abs": lambda g, y, x: (f"select({x} < 0.0, -{g}, select({x} > 0.0, {g}, 0.0))",),
    "sqrt": lambda g, y, x: (f"0.5*{g}/{y}",),
    "sin": lambda g, y, x: (f"{g}*cos({x})",),
    "cos": lambda g, y, x: (f"(-{g}*sin({x}))",),
    "tan": lambda g, y, x: (f"{g}*(1.0 + {y}*{y})",),
}
_INFIX = {"+", "-", "*", "/", ">", "<", ">=", "<=", "==", "!="}
_LOGICAL = {"and": "&", "or": "|"}


def gradient_of(name: str) -> str:
    """Return the name of a value's gradient."""
    gradient = f"_gradient_{name}"
    return gradient if gradient != SPIKE_GRADIENT else f"_gradient__{name}"  # no model's name has two underscores


@dataclass(frozen=True)
class Adjoint:
    """The statements of an adjoint step.

    Parameters
    ----------
    statements : tuple of Statement
        They follow the operations of the step, and begin with `gradient_of` each state variable after the step,
        `SPIKE_GRADIENT`, `SCALE` and `SLOPE`.
    gradients : dict of str to str
        Expressions of the gradients of what was asked for: state before the step, what arrived, constants.
    """

    statements: tuple[Statement, ...]
    gradients: dict[str, str]


def expression_of(operation: Operation) -> str:
    """Return an operation as an expression on arrays."""
    name, operands = operation.name, operation.operands
    if name in _INFIX:
        return f"{operands[0]} {name} {operands[1]}"
    if name in _LOGICAL:
        return f"{operands[0]} {_LOGICAL[name]} {operands[1]}"
    if name == "negative":
        return f"-{operands[0]}"
    if name == "not":
        return f"{operands[0]} == False"
    return f"{'exponential' if name == UPSTROKE else name}({', '.join(operands)})"


def differentiate(step: Operations, wanted: tuple[str, ...], surrogate: Surrogate) -> Adjoint:
    """Return the adjoint of a step.

    Parameters
    ----------
    step : Operations
        The step.
    wanted : tuple of str
        Names of state variables, constants and ``_arrived_<receptor>`` whose gradient is wanted.
    surrogate : Surrogate
        The spike's derivative.
    """
    moving = set(wanted)
    for operation in step.operations:
        if operation.name in _RULES and moving & set(operation.operands):
            moving.add(operation.target)
    parts: dict[str, list[str]] = {}
    for name in (name for name in step.state if name in wanted):
        parts.setdefault(step.state[name], []).append(gradient_of(name))
    statements = [
        Statement("_distance", f"{step.margin}/{SCALE}"),
        Statement("_surrogate", renamed(surrogate.formula, {"x": "_distance", "slope": SLOPE})),
    ]
    added = [f"{gradient_of(name)}*{jump}" for name, jump in step.jumps.items() if name in wanted]
    gradient = f"({' + '.join([SPIKE_GRADIENT, *added])})*_surrogate/{SCALE}"
    parts.setdefault(step.margin, []).append(gradient if step.gate is None else f"select({step.gate}, {gradient}, 0.0)")
    for operation in reversed(step.operations):
        found = parts.get(operation.target)
        if not found or operation.target not in moving:
            continue
        g = f"_a{operation.target}"
        statements.append(Statement(g, " + ".join(found)))
        for operand, part in zip(
            operation.operands, _RULES[operation.name](g, operation.target, *operation.operands), strict=True
        ):
            if operand in moving and not is_number(operand):
                parts.setdefault(operand, []).append(part)
    return Adjoint(tuple(statements), {name: " + ".join(parts.get(name, ["0.0"])) for name in wanted})
