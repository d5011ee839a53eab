"""Which receptors act on a neuron before anything has arrived at them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from twinbrain import units
from twinbrain.errors import UnitError
from twinbrain.language.lines import Equation, read_equations, read_statements
from twinbrain.language.reader import read_condition
from twinbrain.language.tree import Call, Name, Number, Operation, Tree, names_in
from twinbrain.spec.model import NeuronModel, ReceptorModel
from twinbrain.spec.quantity import Value

_SUM = "I_syn"
_OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
_SIGNS: dict[str, Callable[..., Any]] = {"+": operator.pos, "-": operator.neg}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    **{n: getattr(math, n) for n in ("exp", "log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
}


def acts_at_rest(model: NeuronModel, receptor: ReceptorModel, nonzero: Iterable[str] | None = None) -> bool:
    """Return whether a neuron feels a receptor at which nothing has arrived.

    That is so where a current, or another variable that the neuron's equations name, is not 0 then and for ever,
    whatever the neuron does, or where it cannot be told.

    Parameters
    ----------
    model : NeuronModel
        The neuron.
    receptor : ReceptorModel
        The receptor.
    nonzero : iterable of str, optional
        Parameters of the receptor, and variables at time zero, that are other than 0 in some neuron; all others are 0.
        By default parameters are the receptor's own, and variables 0.
    """
    of_model = model.equations, model.threshold, model.reset
    values = tuple(receptor.parameters.items())
    unknown = None if nonzero is None else frozenset(nonzero)
    return _acts(*of_model, receptor.equations, receptor.jump, receptor.current, values, unknown)


@lru_cache(maxsize=1 << 10)
def _acts(
    equations: str,
    threshold: str,
    reset: str,
    of_receptor: str,
    jump: str,
    current: str | None,
    defaults: tuple[tuple[str, Value], ...],
    nonzero: frozenset[str] | None,
) -> bool:
    statements = read_statements(reset)
    trees = [line.tree for line in read_equations(equations) if line.tree is not None]
    trees += [read_condition(threshold), *(statement.tree for statement in statements)]
    felt = set().union(*map(names_in, trees))
    if _SUM in felt and current is not None:
        felt.add(current)
    lines = read_equations(of_receptor)
    declared = [line for line in lines if line.kind == "declaration"]
    if nonzero is None:
        given = {line.name: _default(line, dict(defaults)) for line in declared}
    else:
        given = {line.name: None if line.name in nonzero else 0.0 for line in declared}
    given |= {line.name: 0.0 for line in declared if line.name == jump}
    parameters = given.keys() - {jump}
    state = {line.name: line.tree for line in lines if line.kind == "derivative"}
    moved = {statement.target for statement in statements} | (nonzero or set())
    while True:
        known = {**given, **dict.fromkeys(state.keys() - moved, 0.0)}
        _define(lines, known)
        more = {name for name, tree in state.items() if _value(tree, known) != 0} - moved
        if not more:
            return any(known.get(line.name) != 0 for line in lines if line.name in felt - parameters)
        moved |= more


def _default(line: Equation, defaults: Mapping[str, Value]) -> float | None:
    value = defaults.get(line.name)
    if not isinstance(value, str | int | float):
        return None
    try:
        return units.coherent(value, "*".join(f"{name}**{power:g}" for name, power in line.unit) or "1")
    except UnitError:  # told where the parameter is filled
        return None


def _define(lines: Iterable[Equation], known: dict[str, float | None]) -> None:
    """Give definitions their values, which may follow from each other."""
    definitions = [line for line in lines if line.kind == "definition"]
    for _ in definitions:
        known.update({line.name: _value(line.tree, known) for line in definitions})


def _value(tree: Tree | None, known: Mapping[str, float | None]) -> float | None:
    """Return the value of an expression; None where it follows from what is not known, the neuron's state say."""
    match tree:
        case Number(value):
            return float(value)
        case Name(name):
            return known.get(name)
        case Operation(sign, (operand,)):
            return _called(_SIGNS.get(sign), _value(operand, known))
        case Operation(symbol, (left, right)):
            first, second = _value(left, known), _value(right, known)
            if (symbol in "*/" and first == 0 and second is None) or (symbol == "*" and second == 0 and first is None):
                return 0.0
            return _called(_OPERATORS.get(symbol), first, second)
        case Call(function, arguments):
            return _called(_FUNCTIONS.get(function), *(_value(argument, known) for argument in arguments))
        case _:
            return None


def _called(function: Callable[..., Any] | None, *values: float | None) -> float | None:
    if function is None or None in values:
        return None
    try:
        return float(function(*values))
    except (ArithmeticError, ValueError, TypeError):
        return None
