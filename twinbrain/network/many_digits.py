"""Values of a formula with more digits than floats have."""

from __future__ import annotations

import ast
from functools import cache
from types import CodeType
from typing import Any

APART = ("1e-18", "-1e-21")
"""Shares by which parameters are moved apart: one way, and less the other way."""

# A limit may need the third power of what moves parameters apart, and as many digits again for its value.
_DIGITS = 120
# Exponents beyond, which no result of a sane formula needs, would take endless digits in functions of functions.
_LARGEST_EXPONENT = 1e5


def value_of(text: str, values: dict[str, float], apart: str = "0") -> float:
    """Return the value of a formula.

    Parameters
    ----------
    text : str
        The formula. On the way, it may take roots of negative numbers.
    values : dict of str to float
        Values of the names in it.
    apart : str, optional
        Share by which they are moved apart; those that are 0 become about that.

    Returns
    -------
    float
        nan where it divides by zero, overflows or is no real number.
    """
    import mpmath  # type: ignore[import-untyped,unused-ignore]

    with mpmath.workdps(_DIGITS):
        share = mpmath.mpf(apart)
        # By roots of whole numbers: no sum or product of a few is that of others.
        exact = {
            name: mpmath.mpf(value) + share * mpmath.sqrt(i + 2) * (abs(value) or 1)
            for i, (name, value) in enumerate(values.items())
        }
        try:
            found = mpmath.mpmathify(eval(_compiled(text), {"__builtins__": {}, **_functions()}, exact))
        except (ZeroDivisionError, OverflowError):
            return float("nan")
        except TypeError as error:
            if "complex" not in str(error):  # of comparisons, which complex numbers do not have
                raise
            return float("nan")
        if abs(found.imag) > mpmath.mpf(10) ** (-_DIGITS // 4) * abs(found):
            return float("nan")
        try:
            return float(found.real)
        except OverflowError:
            return float("inf")


@cache
def _functions() -> dict[str, Any]:
    """Return all functions of constants."""
    import mpmath

    def limited(function: Any) -> Any:
        def computed(x: Any) -> Any:
            if abs(x) > _LARGEST_EXPONENT:
                raise OverflowError
            return function(x)

        return computed

    def exponential(x: Any) -> Any:
        return mpmath.mpf(0) if mpmath.re(x) < -_LARGEST_EXPONENT else limited(mpmath.exp)(x)

    def power(base: Any, exponent: Any) -> Any:
        if base == 0 or (abs(exponent) < 1000 and exponent == int(mpmath.re(exponent))):
            return base**exponent
        return exponential(exponent * mpmath.log(base))

    same = ("log", "log10", "sqrt", "sin", "cos", "tan", "floor", "ceil", "sign")
    return {
        "e": mpmath.e,
        **{name: getattr(mpmath, name) for name in same},
        **{name: limited(getattr(mpmath, name)) for name in ("expm1", "sinh", "cosh", "tanh")},
        **{f"arc{name}": getattr(mpmath, f"a{name}") for name in ("sin", "cos", "tan")},
        "exp": exponential,
        "exprel": limited(lambda x: mpmath.expm1(x) / x if x else mpmath.mpf(1)),
        "log1p": lambda x: mpmath.log(1 + x),
        "abs": abs,
        "clip": lambda x, low, high: high if x > high else max(x, low),
        "int": lambda condition: mpmath.mpf(bool(condition)),
        "_number": mpmath.mpf,
        "_power": power,
    }


@cache
def _compiled(text: str) -> CodeType:
    return compile(ast.fix_missing_locations(_Exact().visit(ast.parse(text, mode="eval"))), "<constant>", "eval")


class _Exact(ast.NodeTransformer):
    """Take numbers as they are, not as floats of their quotients, and powers by a function of their own."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Call(ast.Name("_number", ast.Load()), [node], [])

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("_power", ast.Load()), [node.left, node.right], [])
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return ast.UnaryOp(ast.Not(), node.operand) if isinstance(node.op, ast.Invert) else node
