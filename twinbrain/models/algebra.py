"""Rewrite update expressions so that a step computes only what changes.

Everything that depends on parameters alone (``exp(-dt/tau)``, ``g_L/C_m``) becomes one constant a neuron, filled once;
what is left are sums and products in a fixed order and functions such as `exponential`, `reciprocal` and `select`,
which every engine computes alike to the last bit. So neurons that differ cost no more than neurons that do not.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import sympy

from twinbrain.errors import SpecError

# Names under which the remaining functions appear in a program; others are left to the engine's own library.
FUNCTIONS = {
    "exp": "exponential",
    "exprel": "relative_exponential",
    "log": "logarithm",
    "clip": "bounded",
    "Abs": "abs",
    "int_": "indicator",
}
# Integer powers up to this are products.
_HIGHEST_PRODUCT = 6
# Sums are multiplied out up to this power; beyond it terms would cancel too much.
_HIGHEST_EXPANSION = 3
_LARGEST_WHOLE = 2**53
_HYPERBOLIC = ("sinh", "cosh", "tanh")
# By sympy's names: what engines compute of variables, and what else may stand in constants.
_OF_VARIABLES = frozenset({*FUNCTIONS, *_HYPERBOLIC, "log10", "sqrt", "sin", "cos", "tan"})
_OF_PARAMETERS = _OF_VARIABLES | {"asin", "acos", "atan", "sign", "floor", "ceiling", "log1p", "expm1"}


@dataclass(frozen=True)
class Statement:
    """``target = expression``."""

    target: str
    expression: str

    def __str__(self) -> str:
        return f"{self.target} = {self.expression}"


def on_arrays(expression: str) -> str:
    """Return an expression of a program as arrays take it: "and", "or" and "not" of comparisons become bitwise.

    Bitwise operators bind more tightly than comparisons, so the tree is rewritten, and gets the parentheses it needs.
    """
    if _LOGICAL.search(expression) is None:
        return expression
    return ast.unparse(_Bitwise().visit(ast.parse(expression, mode="eval")))


_LOGICAL = re.compile(r"\b(and|or|not)\b")


class _Bitwise(ast.NodeTransformer):
    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        operator = ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
        return reduce(lambda left, right: ast.BinOp(left, operator, right), node.values)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return ast.UnaryOp(ast.Invert(), node.operand) if isinstance(node.op, ast.Not) else node


def check_real(expression: sympy.Basic, shown: str = "") -> None:
    """Check that an expression holds neither infinities nor what is no real number.

    Raises
    ------
    SpecError
        If it does; ``shown`` is named as what was found.
    """
    if expression.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo, sympy.I):
        raise SpecError(
            f"expected real numbers that are finite, found {(shown or str(expression))[:200]}, which divides by zero "
            "or has no real value"
        )


def of_real_numbers(expression: sympy.Basic) -> sympy.Basic:
    """Return an expression of real numbers without the real and imaginary parts that sympy takes of them.

    It writes ``abs(exp(v**p))`` as ``exp(re(v**p))``, since a power may be complex; here it is real, or no number.
    """
    parts = {"re": lambda x: x, "conjugate": lambda x: x, "im": lambda x: sympy.Integer(0)}
    return expression.replace(
        lambda part: part.is_Function and part.func.__name__ in parts,
        lambda part: parts[part.func.__name__](part.args[0]),
    )


def renamed(expression: str, names: Mapping[str, str]) -> str:
    """Return an expression of a program with other names for some of its values."""
    tree = ast.parse(expression, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
    return ast.unparse(tree)


@dataclass
class Hoister:
    """Render expressions of one model; gathers the constants they need.

    Parameters
    ----------
    moving : set of str
        Names whose values change from step to step.
    constants : dict of str to str
        Filled by `render`: for each constant, its expression in terms of parameters.
    """

    moving: set[str]
    constants: dict[str, str] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _statements: list[Statement] = field(default_factory=list)
    _temporaries: dict[str, str] = field(default_factory=dict)
    _n_temporaries: int = 0

    def assign(self, target: str, expression: sympy.Expr) -> list[Statement]:
        """Return the statements that give ``target`` the value of ``expression``; ``target`` then counts as moving."""
        text, before = self._with_temporaries(expression)
        self.moving.add(target)
        return [*before, Statement(target, text)]

    def condition(self, condition: sympy.Basic) -> tuple[list[Statement], str]:
        """Return the statements that a condition needs before it, and the condition."""
        text, before = self._with_temporaries(condition)
        return before, text

    def forget(self) -> None:
        """Compute functions anew from here on: the names that they depend on have been assigned."""
        self._temporaries = {}

    def _with_temporaries(self, expression: sympy.Basic) -> tuple[str, list[Statement]]:
        self._statements = []
        text = self._render(expression)
        return text, self._statements

    def _render(self, expression: Any) -> str:
        if isinstance(expression, sympy.logic.boolalg.Boolean) and not expression.is_Symbol:
            return self._render_condition(expression)
        if not self._moves(expression):
            return self._constant(expression)
        fixed: dict[Any, Any] = {}
        polynomial = sympy.expand(self._opaque(expression, fixed))
        terms: dict[tuple[str, ...], sympy.Expr] = {}
        for term in sympy.Add.make_args(polynomial):
            coefficient, factors = term.as_independent(*self._moving_symbols(term), as_Add=False)
            key = _monomial(factors)
            terms[key] = terms.get(key, sympy.Integer(0)) + coefficient.xreplace(fixed)
        return self._horner({key: value for key, value in terms.items() if value != 0})

    def _render_condition(self, condition: Any) -> str:
        if isinstance(condition, sympy.core.relational.Relational):
            return f"{self._render(condition.lhs)} {condition.rel_op} {self._render(condition.rhs)}"
        operator = {sympy.And: " and ", sympy.Or: " or "}.get(condition.func)
        if operator is not None:
            return operator.join(f"({part})" for part in sorted(self._render(arg) for arg in condition.args))
        if condition.func is sympy.Not:
            return f"not ({self._render(condition.args[0])})"
        raise SpecError(f"expected a comparison such as v > V_th, found {condition}")

    def _opaque(self, expression: Any, fixed: dict[Any, Any]) -> Any:
        """Replace functions of moving names by temporaries and constants by placeholders: a polynomial is left."""
        if expression.is_Symbol or expression.is_Number:
            return expression
        if not self._moves(expression):
            placeholder = sympy.Symbol(f"fixed_{len(fixed)}", real=True)
            fixed[placeholder] = expression
            return placeholder
        if expression.func in (sympy.Add, sympy.Mul):
            return expression.func(*(self._opaque(arg, fixed) for arg in expression.args))
        if expression.is_Pow and expression.exp.is_Integer and 0 < expression.exp <= _HIGHEST_PRODUCT:
            base = expression.base
            if expression.exp <= _HIGHEST_EXPANSION or base.is_Symbol:
                return self._opaque(base, fixed) ** expression.exp
            return sympy.Symbol(self._temporary(self._render(base)), real=True) ** expression.exp
        if expression.is_Pow and expression.exp.is_Integer and -_HIGHEST_PRODUCT <= expression.exp < -1:
            return self._opaque(1 / expression.base, fixed) ** -expression.exp
        return sympy.Symbol(self._temporary(self._function(expression)), real=True)

    def _function(self, expression: Any) -> str:
        if expression.is_Pow:
            if expression.exp == -1:
                return f"reciprocal({self._render(expression.base)})"
            if expression.exp == sympy.Rational(1, 2):
                return f"sqrt({self._render(expression.base)})"
            return f"power({self._render(expression.base)}, {self._render(expression.exp)})"
        name = expression.func.__name__
        _check_function(name, _OF_VARIABLES, expression)
        if name == "log10":
            return f"0.4342944819032518*logarithm({self._render(expression.args[0])})"
        if name in _HYPERBOLIC:
            return self._hyperbolic(name, self._temporary(self._render(expression.args[0])))
        arguments = ", ".join(self._render(arg) for arg in expression.args)
        return f"{FUNCTIONS.get(name, name)}({arguments})"

    def _hyperbolic(self, name: str, x: str) -> str:
        """Render by means of the exponential; near 0 nothing is lost."""
        if name == "cosh":
            return f"0.5*(exponential({x}) + exponential(-{x}))"
        if name == "sinh":
            return f"0.5*{x}*(relative_exponential({x}) + relative_exponential(-{x}))"
        doubled = self._temporary(f"2.0*{x}")
        less_one = self._temporary(f"{doubled}*relative_exponential({doubled})")
        return f"{less_one}*reciprocal({less_one} + 2.0)"

    def _temporary(self, text: str) -> str:
        if text not in self._temporaries:
            name = f"_t{self._n_temporaries}"
            self._n_temporaries += 1
            self.moving.add(name)
            self._temporaries[text] = name
            self._statements.append(Statement(name, text))
        return self._temporaries[text]

    def _horner(self, terms: dict[tuple[str, ...], sympy.Expr]) -> str:
        """Render a sum of monomials, the name that most of them share taken out first."""
        if not terms:
            return "0.0"
        shared: dict[str, int] = {}
        for key in terms:
            for name in dict.fromkeys(key):
                shared[name] = shared.get(name, 0) + 1
        if len(terms) > 1 and shared:
            name = min(shared, key=lambda name: (-shared[name], name))
            if shared[name] > 1:
                within = {_without(key, name): value for key, value in terms.items() if name in key}
                rest = {key: value for key, value in terms.items() if name not in key}
                product = f"{name}*({self._horner(within)})"
                return f"{product} + {self._horner(rest)}" if rest else product
        return " + ".join(self._product(terms[key], key) for key in sorted(terms, key=lambda key: (-len(key), key)))

    def _product(self, coefficient: sympy.Expr, names: tuple[str, ...]) -> str:
        if coefficient == 1 and names:
            return "*".join(names)
        return "*".join([self._constant(coefficient), *names])

    def _constant(self, expression: Any) -> str:
        check_real(expression)
        for part in expression.atoms(sympy.Function):
            _check_function(part.func.__name__, _OF_PARAMETERS, expression)
        if expression.is_Number:
            value = _float(expression)
            return repr(value) if value >= 0 else f"({value!r})"
        # The time step is no name of a step's: engines have a dt of their own, which Brian2 keeps for itself.
        if expression.is_Symbol and expression.name != "dt":
            self.constants.setdefault(expression.name, expression.name)
            return str(expression.name)
        text = python_text(expression)
        if text not in self._names:
            self._names[text] = f"k{len(self._names)}"
            self.constants[self._names[text]] = text
        return self._names[text]

    def _moves(self, expression: Any) -> bool:
        return any(str(symbol) in self.moving for symbol in expression.free_symbols)

    def _moving_symbols(self, expression: Any) -> list[sympy.Symbol]:
        return [symbol for symbol in expression.free_symbols if str(symbol) in self.moving]


def _check_function(name: str, known: frozenset[str], expression: Any) -> None:
    """Check that a function, which may be one that sympy brought in, is one that is computed."""
    if name not in known:
        raise SpecError(
            f"expected functions that a step can compute, found that {str(expression)[:200]} follows from the "
            f"equations, with {name[:40]!r} in it; write them in another way"
        )


def _monomial(factors: Any) -> tuple[str, ...]:
    names: list[str] = []
    for base, power in factors.as_powers_dict().items():
        if base != 1:
            names += [str(base)] * int(power)
    return tuple(sorted(names))


def _without(key: tuple[str, ...], name: str) -> tuple[str, ...]:
    index = key.index(name)
    return key[:index] + key[index + 1 :]


def _float(number: Any) -> float:
    try:
        value = float(number)
    except OverflowError:
        value = math.inf
    if math.isinf(value):
        raise SpecError(f"expected numbers up to 1.8e308, found {str(number)[:80]}")
    return value


def python_text(expression: Any) -> str:
    """Return an expression of parameters as it stands in a program's constants."""
    from brian2.parsing.sympytools import sympy_to_str

    # Whole numbers beyond those that a float tells apart are no numbers to numpy.
    large = {n: sympy.Float(n) for n in expression.atoms(sympy.Rational) if max(abs(n.p), n.q) > _LARGEST_WHOLE}
    return on_arrays(str(sympy_to_str(expression.xreplace(large))))
