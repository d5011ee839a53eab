"""Carry out the statements of a program on numpy arrays, one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from twinbrain.engines.exponential import exponential, relative_exponential
from twinbrain.engines.logarithm import logarithm, power
from twinbrain.models.algebra import Statement, on_arrays

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exponential": exponential,
    "relative_exponential": relative_exponential,
    "logarithm": logarithm,
    "power": power,
    "reciprocal": lambda x: 1.0 / x,
    "select": np.where,
    "indicator": lambda condition: np.where(condition, 1.0, 0.0),
    "bounded": lambda x, low, high: np.where(x > high, high, np.where(x < low, low, x)),
    "abs": np.abs,
    **{name: getattr(np, name) for name in ("sqrt", "sin", "cos", "tan")},
}


def execute(statements: tuple[Statement, ...], names: dict[str, Any]) -> None:
    """Carry out statements on ``names``, in place."""
    for statement in statements:
        # What numbers alone give would be one of Python, which raises where those of numpy are not finite.
        names[statement.target] = np.asarray(evaluate(statement.expression, names))


def evaluate(expression: str, names: dict[str, Any]) -> Any:
    """Return the value of an expression."""
    return eval(_compile(expression), _GLOBALS, names)


_GLOBALS: dict[str, Any] = {"__builtins__": {}, **_FUNCTIONS}
_compiled: dict[str, Any] = {}


def _compile(expression: str) -> Any:
    if expression not in _compiled:
        _compiled[expression] = compile(on_arrays(expression), "<step>", "eval")
    return _compiled[expression]
