"""Hand equations that the language's parser has read to Brian2: rendered anew from their trees, never as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from twinbrain import units
from twinbrain.errors import SpecError
from twinbrain.language.lines import Assignment, Equation, read_equations, read_statements
from twinbrain.language.reader import read_condition
from twinbrain.language.tree import Name, Tree, names_in, render, replaced
from twinbrain.language.unit import read_unit

# Stands for dt in a receptor's equations, where Brian2 would take it for its own clock's.
TIME_STEP = "time_step"
# Brian2 has no mM, which everyone else writes.
_BRIAN_NAMES: Mapping[str, Tree] = {"mM": Name("mmolar")}
_TYPES = {"derivative": "differential equation", "definition": "subexpression", "declaration": "parameter"}


def equations_of(text: str, names: Mapping[str, Tree] | None = None) -> tuple[Equation, ...]:
    """Return the equations of a text, with Brian2's names of units.

    Parameters
    ----------
    text : str
        The text.
    names : dict of str to Tree, optional
        What stands for names on right-hand sides.

    Raises
    ------
    SpecError
        If it is not of the language.
    """
    return tuple(
        equation if equation.tree is None else replace(equation, tree=with_names(equation.tree, names or {}))
        for equation in read_equations(text)
    )


def statements_of(text: str, names: Mapping[str, Tree] | None = None) -> tuple[Assignment, ...]:
    """Return the assignments of a text; see `equations_of`."""
    return tuple(replace(found, tree=with_names(found.tree, names or {})) for found in read_statements(text))


def condition_of(text: str) -> Tree:
    """Return the condition in a text; see `equations_of`."""
    return with_names(read_condition(text), {})


def with_names(tree: Tree, names: Mapping[str, Tree]) -> Tree:
    """Return a tree with other names: those given, and Brian2's of units."""
    found = {**_BRIAN_NAMES, **names}
    return replaced(tree, lambda name: found.get(name.name, name))


def names_of(equations: Iterable[Equation]) -> set[str]:
    """Return all names on right-hand sides."""
    return {name for equation in equations if equation.tree is not None for name in names_in(equation.tree)}


def state_names(equations: Iterable[Equation]) -> list[str]:
    """Return the variables with a differential equation, in the order of the text."""
    return [equation.name for equation in equations if equation.kind == "derivative"]


def brian_equations(equations: Iterable[Equation], stands_for: Mapping[str, str] | None = None) -> Any:
    """Return Brian2's form of equations.

    Parameters
    ----------
    equations : iterable of Equation
        The equations.
    stands_for : dict of str to str, optional
        Names that stand for units in declarations.

    Raises
    ------
    SpecError
        If it rejects them.
    """
    from brian2.equations import Equations
    from brian2.equations.equations import SingleEquation

    rows = [
        SingleEquation(
            _TYPES[equation.kind],
            equation.name,
            _dimensions(equation, stands_for or {}),
            expr=None if equation.tree is None else _expression(equation.tree),
            flags=list(equation.flags),
        )
        for equation in equations
    ]
    try:
        found = Equations(rows)
        found.check_identifiers()
    except Exception as error:  # Brian2 raises many kinds
        raise SpecError(
            f"expected equations that Brian2 accepts, found some that it rejects: {first_line(error)}"
        ) from None
    return found


def _expression(tree: Tree) -> Any:
    """Return Brian2's form of an expression; sympy, which reads it there, takes ``int(...)`` for no real number."""
    from brian2.equations.codestrings import Expression

    text = render(tree)
    try:
        return Expression(text)
    except Exception as error:  # sympy raises many kinds
        advice = "; leave int(...) out of comparisons, and out of sums in functions" if "int(" in text else ""
        reason = (
            "it does not come to an end" if isinstance(error, RecursionError) else first_line(error).rpartition(": ")[2]
        )
        raise SpecError(f"expected an expression that sympy accepts, found {text[:200]} ({reason}){advice}") from None


def _dimensions(equation: Equation, stands_for: Mapping[str, str]) -> Any:
    """Return Brian2's dimensions of a declared unit, which has no prefix: what is declared is a dimension."""
    from brian2.core.namespace import DEFAULT_UNITS
    from brian2.units.fundamentalunits import DIMENSIONLESS

    found = DIMENSIONLESS
    for name, exponent in equation.unit:
        for known, power in read_unit(stands_for[name]) if name in stands_for else ((name, 1.0),):
            known = "mmolar" if known == "mM" else known
            unit = DEFAULT_UNITS.get(known)
            if unit is None or float(unit) != 1.0:
                raise SpecError(
                    f"expected {equation.name!r} in a unit without a prefix, such as volt, siemens or 1/second, "
                    f"found {known!r}"
                )
            found = found * unit.dim ** (exponent * power)
    return found


def differential_part(equations: Any, names: set[str]) -> Any:
    """Return equations of ``names`` alone; other state variables count as given. No flags: holding is done after."""
    from brian2.equations import Equations
    from brian2.equations.equations import SingleEquation

    kept = []
    for name in sorted(equations.names):
        equation = equations[name]
        if equation.type == "differential equation":
            if name in names:
                kept.append(SingleEquation(equation.type, name, equation.dim, expr=equation.expr))
            else:
                kept.append(SingleEquation("parameter", name, equation.dim))
        else:
            kept.append(equation)
    return Equations(kept)


def variables_of(equations: Any) -> dict[str, Any]:
    """Return Brian2's variables of equations."""
    from brian2.core.variables import Variable

    return {
        name: Variable(
            name=name,
            dimensions=equations[name].dim,
            owner=None,
            constant=equations[name].type == "parameter",
            scalar=False,
        )
        for name in equations.names
    }


def unit_text(equation: Any) -> str:
    """Return the familiar unit of a variable."""
    from brian2.units.fundamentalunits import get_unit

    names = ("metre", "kilogram", "second", "ampere", "kelvin", "mole", "candela")
    exponents = get_unit(equation.dim).dim._dims
    parts = [f"{name}**({exponent:g})" for name, exponent in zip(names, exponents, strict=True) if exponent]
    return units.familiar(" * ".join(parts) or "1")


def first_line(error: Exception) -> str:
    """Return the first line of an error's message."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
