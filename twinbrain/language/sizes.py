"""Bounds of an expression, checked on its tree before anything is computed with it.

Powers of powers, and names that stand for names, describe in a line what no machine could write out. What an
expression would grow to is counted first.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import NamedTuple

from twinbrain.errors import SpecError
from twinbrain.language.tokens import PlacedError
from twinbrain.language.tree import COMPARISONS, Call, Name, Number, Operation, Tree, names_in, operands_of, render

MOST_PIECES = 2_000
"""Numbers, names, operators and functions of an expression."""
MOST_LEVELS = 100
"""Levels of its tree; a sum of n terms has n."""
HIGHEST_POWER = 100
"""Exponents that are numbers, those of powers of powers multiplied."""
MOST_WRITTEN_OUT = 20_000
"""Pieces of an expression once the names that are defined beside it are written out."""
MOST_TERMS = 2_000
"""Terms of an expression once its products and powers are multiplied out."""


class Growth(NamedTuple):
    """What an expression grows to when names are written out and products multiplied out."""

    pieces: int
    power: float
    terms: int


def check_size(text: str, tree: Tree) -> None:
    """Check how many pieces and levels an expression has.

    Raises
    ------
    SpecError
        If there are too many.
    """
    level, n, n_levels = [tree], 0, 0
    while level:
        n, n_levels = n + len(level), n_levels + 1
        level = [below for found in level for below in operands_of(found)]
    if n > MOST_PIECES or n_levels > MOST_LEVELS:
        raise PlacedError(
            text,
            tree.at,
            f"expected an expression of at most {MOST_PIECES} pieces on {MOST_LEVELS} levels, found {n} on "
            f"{n_levels}; give a part a name of its own",
        )


def check_numbers(text: str, tree: Tree) -> float | None:
    """Check every part of an expression that is made of numbers alone: it must be a number that a float can hold.

    Returns
    -------
    float or None
        The value of an expression without names.

    Raises
    ------
    SpecError
        If a part divides by zero, has no real value, or is too large; if an exponent is; or if numbers are compared.
    """
    values = [check_numbers(text, below) for below in operands_of(tree)]
    match tree:
        case Number(value):
            return float(value)
        case Operation("**", (_, exponent)) if values[1] is not None and abs(values[1]) > HIGHEST_POWER:
            raise PlacedError(
                text, tree.at, f"expected an exponent up to {HIGHEST_POWER}, found {_shown(exponent, values[1])}"
            )
        case Operation(sign) if sign in COMPARISONS and None not in values:
            raise PlacedError(text, tree.at, "expected a comparison of variables or parameters, found one of numbers")
        case Operation("/", (_, divisor)) if values[1] == 0:
            raise PlacedError(text, tree.at, f"expected a divisor other than 0, found {_shown(divisor, 0)}")
    if isinstance(tree, Name) or None in values or not values:
        return None
    numbers = [value for value in values if value is not None]
    try:
        value = float(_compute(tree, numbers))
    except (ArithmeticError, ValueError, TypeError):
        value = math.nan
    lost = value == 0 and isinstance(tree, Operation) and tree.operator in ("*", "/", "**") and 0 not in numbers
    if lost or not math.isfinite(value):
        raise PlacedError(
            text,
            tree.at,
            f"expected a real number from 2e-308 to 2e308 in size, found {render(tree)[:80]}, which is none",
        )
    return value


def _shown(tree: Tree, value: float) -> str:
    text = render(tree)
    return text if len(text) <= 40 else f"{value:g}"


def _compute(tree: Tree, numbers: list[float]) -> float:
    match tree:
        case Operation(sign, (_,)):
            return -numbers[0] if sign == "-" else numbers[0]
        case Operation(sign):
            return _OPERATORS[sign](*numbers)
        case Call("exprel"):
            return math.expm1(numbers[0]) / numbers[0] if numbers[0] else 1.0
        case Call("clip"):
            x, low, high = numbers
            return high if x > high else max(x, low)
        case Call("abs"):
            return abs(numbers[0])
        case Call(function):
            return float(getattr(math, function)(*numbers))
        case _:
            raise AssertionError(tree)


_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}


def growth(tree: Tree, defined: Mapping[str, Growth]) -> Growth:
    """Return what an expression grows to.

    Parameters
    ----------
    tree : Tree
        The expression.
    defined : dict of str to Growth
        Names that stand for expressions, and what those grow to.

    Raises
    ------
    SpecError
        If it is beyond bounds.
    """
    below = [growth(operand, defined) for operand in operands_of(tree)]
    pieces, power = 1 + sum(part.pieces for part in below), max((part.power for part in below), default=1.0)
    terms = 1
    match tree:
        case Name(name) if name in defined:
            pieces, power, terms = defined[name]
        case Operation("+" | "-"):
            terms = sum(part.terms for part in below)
        case Operation("*" | "/"):
            terms = math.prod(part.terms for part in below)
        case Operation("**", (_, exponent)):
            given = check_numbers("", exponent)
            if given is None and names_in(exponent) & set(defined):
                given = HIGHEST_POWER  # what a name stands for may be any number
            times = abs(given) if given is not None else 1.0
            power, terms = below[0].power * max(times, 1.0), _of_power(below[0].terms, times)
    found = Growth(pieces, power, terms)
    if found.pieces > MOST_WRITTEN_OUT or found.power > HIGHEST_POWER or found.terms > MOST_TERMS:
        raise SpecError(
            f"expected an expression that has at most {MOST_WRITTEN_OUT} pieces when all names are written out, "
            f"{MOST_TERMS} terms when products are multiplied out, and powers up to {HIGHEST_POWER}, found "
            f"more in {render(tree)[:80]}; make it simpler"
        )
    return found


def _of_power(terms: int, exponent: float) -> int:
    return math.comb(terms + int(exponent) - 1, int(exponent)) if exponent.is_integer() and terms > 1 else 1
