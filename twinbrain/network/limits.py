"""Constants where their formula cancels: two time constants that are equal, or nearly so.

The exact solution of a membrane with a synaptic current holds terms such as (exp(-h/a) - exp(-h/b))/(a - b). They have
a limit at a = b, yet floats give 0/0 there and lose digits nearby, whatever the parameters are that make a and b. Such
values, and only they, are computed again with many digits; where that divides by zero, too, with the parameters moved
apart by less than a float can tell.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from types import CodeType
from typing import Any

import numpy as np

from twinbrain.network.many_digits import APART, value_of
from twinbrain.network.random import Floats

# A value has lost digits if it moves by more than the second share when the result of every operation moves by the
# first: floats, which round by 1e-16, are then wrong by more than 1e-11.
_MOVE, _MOST = 2.0**-43, 1e-8
_LOST = 1e-11


def with_limits(text: str, namespace: Mapping[str, Any], functions: Mapping[str, Any]) -> Floats:
    """Return the values of a constant, right to about 11 digits.

    Parameters
    ----------
    text : str
        The expression.
    namespace : dict of str to float or ndarray of float64
        Values of the names in it.
    functions : dict of str to callable
        Functions of numpy in it.

    Returns
    -------
    ndarray of float64
        Not finite where there is no limit.
    """
    scope = {"__builtins__": {}, **functions}
    plain, moved = _compiled(text)
    with np.errstate(all="ignore"):
        values = np.asarray(eval(plain, scope, namespace), dtype=np.float64)
        nearby = np.asarray(eval(moved, scope, namespace), dtype=np.float64)
        lost = ~(np.isfinite(values) & (np.abs(nearby - values) <= _MOST * np.abs(values)))
    if not lost.any():
        return values
    names = [name for name in plain.co_names if name in namespace]
    given = np.broadcast_arrays(lost, values, *(namespace[name] for name in names))
    shape, columns = given[0].shape, [np.atleast_1d(column) for column in given]
    found = columns[1].copy()
    where = columns[0].nonzero()
    parameters = np.array([column[where] for column in columns[2:]]).reshape(len(names), where[0].size)
    rows, back = np.unique(parameters, axis=1, return_inverse=True)
    limits = np.array([_limit(text, dict(zip(names, row, strict=True))) for row in rows.T.tolist()])[back]
    # What is only sensitive keeps its bits.
    right = np.isfinite(found[where]) & (np.abs(found[where] - limits) <= _LOST * np.abs(limits))
    found[where] = np.where(right, found[where], limits)
    return found.reshape(shape)


def _limit(text: str, values: dict[str, float]) -> float:
    """Return a value that floats cannot compute; nan where there is none."""
    if np.isfinite(exact := value_of(text, values)):
        return exact
    far, near = (value_of(text, values, apart) for apart in APART)
    # Of no limit, the two sides of a jump differ, and of a pole all.
    return near if abs(far - near) <= _LOST * abs(near) + 1e-15 else float("nan")


@cache
def _compiled(text: str) -> tuple[CodeType, CodeType]:
    """Return an expression, and one in which the result of each operation is moved, the same ones alike."""
    tree = ast.parse(text, mode="eval")
    moved = ast.fix_missing_locations(_Moved().visit(ast.parse(text, mode="eval")))
    return compile(tree, "<constant>", "eval"), compile(moved, "<constant>", "eval")


class _Moved(ast.NodeTransformer):
    """Multiply the result of every operation and function by a number near 1."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        if isinstance(node.op, ast.BitAnd | ast.BitOr):
            return node
        return self._move(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        return self._move(node)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        return node  # true or false, there is nothing between

    def _move(self, node: ast.BinOp | ast.Call) -> ast.expr:
        n = self.seen.setdefault(ast.unparse(node), len(self.seen))
        factor = 1 + (-1) ** n * _MOVE * (0.5 + 0.5 * (n * 0.6180339887498949 % 1))
        self.generic_visit(node)
        return ast.BinOp(node, ast.Mult(), ast.Constant(factor))
