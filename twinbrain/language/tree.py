"""What an expression is once it has been read: a tree of numbers, names, operators and functions, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Number:
    """A number, not negative."""

    value: int | float
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a parameter or a unit."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language, and its arguments."""

    function: str
    arguments: tuple[Tree, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator with its operands: one for a sign and ``not``, else two."""

    operator: str
    operands: tuple[Tree, ...]
    at: int = field(default=0, compare=False)


Tree = Number | Name | Call | Operation
"""An expression; ``at`` is where it begins in its text, and of an operation where the operator stands."""

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
FUNCTIONS = {
    **dict.fromkeys(("exp", "exprel", "log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "abs"), 1),
    "clip": 3,
    "int": 1,
}
"""Functions, and how many arguments each takes; every engine has them all."""
# How tightly operators bind, with two operands and with one.
BINDING = {"or": 1, "and": 2, **dict.fromkeys(COMPARISONS, 4), "+": 5, "-": 5, "*": 6, "/": 6, "**": 8}
SIGN_BINDING = {"not": 3, "+": 7, "-": 7}
_ATOM = 9


def operands_of(tree: Tree) -> tuple[Tree, ...]:
    """Return the trees directly below one."""
    match tree:
        case Operation(operands=below) | Call(arguments=below):
            return below
        case _:
            return ()


def walk(tree: Tree) -> Iterator[Tree]:
    """Yield a tree and all that is below it."""
    waiting = [tree]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += operands_of(found)


def names_in(tree: Tree) -> set[str]:
    """Return all names in a tree; functions are none."""
    return {found.name for found in walk(tree) if isinstance(found, Name)}


def replaced(tree: Tree, replace: Callable[[Name], Tree]) -> Tree:
    """Return a tree in which every name has been replaced by a tree (which may be itself)."""
    match tree:
        case Name():
            return replace(tree)
        case Operation(operator, below, at):
            return Operation(operator, tuple(replaced(operand, replace) for operand in below), at)
        case Call(function, below, at):
            return Call(function, tuple(replaced(operand, replace) for operand in below), at)
        case _:
            return tree


def render(tree: Tree) -> str:
    """Return text that reads as this tree, here and in Python."""
    match tree:
        case Number(value):
            return repr(value)
        case Name(name):
            return name
        case Call(function, arguments):
            return f"{function}({', '.join(map(render, arguments))})"
        case Operation(operator, (operand,)):
            return f"{operator} {_within(operand, SIGN_BINDING[operator])}"
        case Operation(operator, (left, right)):
            binding = BINDING[operator]
            # A power binds to the right, and its exponent may have a sign; comparisons do not follow each other.
            of_left = binding + 1 if operator == "**" or operator in COMPARISONS else binding
            of_right = SIGN_BINDING["-"] if operator == "**" else binding + 1
            return f"{_within(left, of_left)} {operator} {_within(right, of_right)}"
        case _:
            raise AssertionError(tree)


def _within(tree: Tree, least: int) -> str:
    text = render(tree)
    return text if _binding(tree) >= least else f"({text})"


def _binding(tree: Tree) -> int:
    if not isinstance(tree, Operation):
        return _ATOM
    return (SIGN_BINDING if len(tree.operands) == 1 else BINDING)[tree.operator]
