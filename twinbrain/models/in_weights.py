"""What of a plasticity rule is in the unit of weights, and whether the rule is the same where all of that is scaled.

A receptor's factor multiplies weights, and with them all that is in their unit. A rule is then the same, but for the
scale, if what is added, compared and assigned has the unit of weights to one power: as for dimensions, but told from a
unit's name where the dimension does not tell it, ``weight`` before all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from twinbrain import units
from twinbrain.errors import SpecError
from twinbrain.language.lines import Assignment, Equation
from twinbrain.language.tree import COMPARISONS, Call, Name, Number, Operation, Tree, operands_of, render

UNIT = "weight"
"""Stands for the unit of weights."""

Unit = tuple[tuple[str, float], ...]


class _Mixed(Exception):
    """Raised with the expression that adds, compares or takes a function of what scales unlike."""

    def __init__(self, tree: Tree) -> None:
        super().__init__(render(tree))


def exponents(lines: Iterable[Equation], weight: str) -> dict[str, float]:
    """Return the variables and parameters that are in the unit of weights, and its exponent in theirs."""
    found = {line.name: _exponent(line.unit, weight) for line in lines if line.kind != "definition"}
    return {name: exponent for name, exponent in found.items() if exponent}


def what_does_not_scale(
    lines: Iterable[Equation], statements: Iterable[Assignment], of_weights: Mapping[str, float], weight: str
) -> str:
    """Return an expression of a rule by which it is another where all in the unit of weights is scaled; "" if none is.

    Parameters
    ----------
    lines : iterable of Equation
        Its equations.
    statements : iterable of Assignment
        What it does at events.
    of_weights : mapping of str to float
        What `exponents` gives, and further names.
    weight : str
        Unit of weights.
    """
    lines = tuple(lines)
    defined = {line.name: line.tree for line in lines if line.kind == "definition" and line.tree is not None}
    own = {line.name for line in lines} | set(of_weights)
    known: dict[str, float | None] = {name: of_weights.get(name, 0.0) for name in own - defined.keys()}

    def degree(tree: Tree) -> float | None:
        """Return the exponent of the unit of weights in an expression; None of 0, which has any."""
        match tree:
            case Number(value):
                return 0.0 if value else None
            case Name(name):
                if name not in known:
                    known[name] = degree(defined[name]) if name in defined else _exponent(((name, 1.0),), weight)
                return known[name]
            case Operation("not" | "and" | "or", below) | Call("int", below):
                for part in below:
                    degree(part)
                return 0.0
            case Operation(_, (operand,)) | Call("abs", (operand,)):
                return degree(operand)
            case Operation("*", (left, right)):
                of = degree(left), degree(right)
                return None if None in of else sum(filter(None, of))
            case Operation("/", (left, right)):
                above, below_ = degree(left), degree(right)
                return None if above is None else above - (below_ or 0.0)
            case Operation("**", (base, exponent)):
                of_base = degree(base)
                if degree(exponent) or (of_base and (power := _number(exponent)) is None):
                    raise _Mixed(tree)
                return of_base * power if of_base and power is not None else of_base
            case Operation(operator, below) if operator in COMPARISONS:
                agreed(tree, *below)
                return 0.0
            case Call("sqrt", (operand,)):
                return (degree(operand) or 0.0) / 2
            case Operation("+" | "-", below) | Call("clip", below):
                return agreed(tree, *below)
            case _:
                if any(degree(part) for part in operands_of(tree)):
                    raise _Mixed(tree)
                return 0.0

    def agreed(tree: Tree, *parts: Tree) -> float | None:
        of = [found for part in parts if (found := degree(part)) is not None]
        if any(not math.isclose(found, of[0], abs_tol=1e-9) for found in of):
            raise _Mixed(tree)
        return of[0] if of else None

    try:
        for line in lines:
            if line.kind == "derivative" and line.tree is not None:
                agreed(line.tree, Name(line.name), line.tree)
        for statement in statements:
            agreed(statement.tree, Name(statement.target), statement.tree)
    except _Mixed as found:
        return str(found)
    return ""


def check_numbers(trees: Iterable[Tree], weight: str) -> None:
    """Check that no number but 0 is given in ``weight``, which has no prefix: 3*weight would be three siemens.

    Raises
    ------
    SpecError
        If one is, and weights have a unit.
    """
    if _canonical(weight) == "1":
        return
    for tree in trees:
        if found := _number_of_weights(tree):
            shown = units.familiar(weight)
            size = units.coherent_factor(weight) / units.coherent_factor(shown)
            raise SpecError(
                f'expected a number in a unit, such as 3*{shown}, or a parameter declared ": {UNIT}", found '
                f"{render(found)!r}: {UNIT} has no prefix, and 1*{UNIT} is {size:g} {shown}; only 0*{UNIT} is 0 in any"
            )


def _number_of_weights(tree: Tree) -> Tree | None:
    """Return the first product of ``weight`` and numbers alone, if they are not 0."""
    factors = list(_factors(tree))
    names = [factor for factor in factors if not isinstance(factor, Number)]
    zero = any(isinstance(factor, Number) and factor.value == 0 for factor in factors)
    if names == [Name(UNIT)] and not zero:
        return tree
    below = (part for factor in names for part in operands_of(factor))
    return next((found for part in below if (found := _number_of_weights(part))), None)


def _factors(tree: Tree) -> Iterable[Tree]:
    match tree:
        case Operation("*" | "/", below) | Operation("+" | "-", (_,) as below):
            for part in below:
                yield from _factors(part)
        case _:
            yield tree


def _number(tree: Tree) -> float | None:
    """Return the value of a number with or without a sign, or of a quotient of two."""
    match tree:
        case Number(value):
            return float(value)
        case Operation("-", (operand,)):
            value_ = _number(operand)
            return None if value_ is None else -value_
        case Operation("/", (left, right)):
            above, below = _number(left), _number(right)
            return above / below if above is not None and below else None
        case _:
            return None


def _exponent(unit: Unit, weight: str) -> float:
    """Return the exponent of the unit of weights in a unit: by its name, by names of its dimension, or as a whole."""
    of_weights = _canonical(weight)
    found = [power for name, power in unit if name == UNIT or _canonical(name) == of_weights != "1"]
    if found:
        return sum(found)
    return 1.0 if _canonical("*".join(f"{name}**{power:g}" for name, power in unit)) == of_weights != "1" else 0.0


def _canonical(unit: str) -> str:
    """Return a text that is the same for all units of one dimension."""
    return units.coherent_unit(unit or "1")
